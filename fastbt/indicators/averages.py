# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Moving averages."""

from __future__ import annotations

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import LANES, ROWS, _fill_source, _has_unknown, _unknown_at_first, _weighted_sums
from fastbt.indicators._registry import OTHERWISE, SOURCE_CODES, Value, indicator
from fastbt.types import TIMESTAMP, VOLUME, Float1D, Float2D


@kernel
def _sma(x, params, out):
    """Mean of the known values among the last `period`, rolled from the first row."""
    period = int(params[0])
    n = x.shape[0]
    first = _unknown_at_first(x)
    if _has_unknown(x[first:]):
        _sma_of_known(x, period, out[0])
        return
    for i in range(first):
        out[0, i] = np.nan
    total = 0.0
    for i in range(first, min(first + period, n)):
        total += x[i]
        out[0, i] = total / (i + 1 - first) if i >= period - 1 else np.nan
    for i in range(first + period, n):
        total = total - x[i - period] + x[i]
        out[0, i] = total / period


@kernel
def _sma_of_known(x, period, out):
    """As `_sma`, where unknown values are among the others."""
    total = 0.0
    known = 0
    for i in range(x.shape[0]):
        out[i] = np.nan
        if i >= period and not np.isnan(x[i - period]):
            total -= x[i - period]
            known -= 1
        if not np.isnan(x[i]):
            total += x[i]
            known += 1
        if i >= period - 1 and known > 0:
            out[i] = total / known


@kernel
def _sma_windowed(x, params, window, out):
    """Roll the sum from each bar's own first row."""
    n = x.shape[0]
    period = int(params[0])
    if period > window:
        out[0, window:] = np.nan
        return
    # Adding 0.0 changes no sum here, so unknown values become 0.0 and are counted apart.
    known = np.zeros(n + 1, dtype=np.int64)
    x = x.copy()
    for i in range(n):
        known[i + 1] = known[i]
        if np.isnan(x[i]):
            x[i] = 0.0
        else:
            known[i + 1] += 1
    total = np.empty(LANES)
    for first in range(window, n, LANES):
        lanes = min(LANES, n - first)
        start = first + 1 - window
        total[:] = 0.0
        for j in range(start, start + period):
            x_here = x[j : j + lanes]
            for k in range(lanes):
                total[k] += x_here[k]
        for j in range(start + period, first + 1):
            x_old = x[j - period : j - period + lanes]
            x_here = x[j : j + lanes]
            for k in range(lanes):
                total[k] = total[k] - x_old[k] + x_here[k]
        for k in range(lanes):
            t = first + k
            count = known[t + 1] - known[t + 1 - period]
            out[0, t] = total[k] / count if count > 0 else np.nan


@indicator(_sma, windowed=_sma_windowed, accepts_1d=True)
def sma(candles: Float2D | Float1D, period: int = 5, source_type: str = "close", sequential: bool = False) -> Value:
    """SMA, simple moving average: the mean of the last `period` values, NaN until there are as many.

    Unknown (NaN) values are left out of the mean. The sum is rolled forward from the first visible row, so its last
    bits depend on where that row is, as in Jesse.

    Parameters
    ----------
    candles : ndarray, shape (n, 6) or (n,), float64
        Candles, or a series of its own, which is never sliced.
    period : int
    source_type : str
        See `select_source`.
    sequential : bool
        Return the value at every row instead of the last.

    Returns
    -------
    float or ndarray, shape (n,)
        In units of the source.

    Examples
    --------
    >>> import numpy as np
    >>> sma(np.array([1.0, 3.0, 5.0]), 2, sequential=True)
    array([nan,  2.,  4.])
    """
    ...


@kernel
def _ema(x, params, out):
    """Exponential average seeded with the first value; unknown if there are fewer rows than `period`."""
    n = x.shape[0]
    if params[0] > n:
        out[0, :] = np.nan
        return
    alpha = 2.0 / (params[0] + 1.0)
    beta = 1.0 - alpha
    value = x[0]
    out[0, 0] = value
    for i in range(1, n):
        value = alpha * x[i] + beta * value
        out[0, i] = value


@kernel
def _ema_windowed(x, params, window, out):
    """Seed the average at each bar's own first row."""
    n = x.shape[0]
    if params[0] > window:
        out[0, window:] = np.nan
        return
    alpha = 2.0 / (params[0] + 1.0)
    beta = 1.0 - alpha
    scaled = alpha * x
    value = np.empty(LANES)
    for first in range(window, n, LANES):
        lanes = min(LANES, n - first)
        start = first + 1 - window
        for k in range(lanes):
            value[k] = x[start + k]
        for j in range(start + 1, first + 1):
            scaled_here = scaled[j : j + lanes]
            for k in range(lanes):
                value[k] = scaled_here[k] + beta * value[k]
        for k in range(lanes):
            out[0, first + k] = value[k]


@indicator(_ema, windowed=_ema_windowed, settles=lambda period: period, accepts_1d=True)
def ema(candles: Float2D | Float1D, period: int = 5, source_type: str = "close", sequential: bool = False) -> Value:
    """EMA, exponential moving average: `a * x + (1 - a) * previous` with `a = 2 / (period + 1)`.

    Seeded with the first value. Known from the first row on, or nowhere if there are fewer rows than `period`.

    Parameters
    ----------
    candles, period, source_type, sequential
        See `sma`.

    Returns
    -------
    float or ndarray, shape (n,)
        In units of the source.

    Examples
    --------
    >>> import numpy as np
    >>> ema(np.array([1.0, 3.0, 5.0]), 3, sequential=True)
    array([1. , 2. , 3.5])
    """
    ...


@kernel
def _wma(x, params, out):
    """Weights 1 for the oldest to `period` for the newest, added oldest first; of no rows NaN, as `hull_suit` asks."""
    period = int(params[0])
    if period < 1:
        out[0] = np.nan
        return
    weight_sum = float(period * (period + 1) // 2)
    _weighted_sums(x, np.arange(1.0, period + 1.0), out[0])
    for i in range(x.shape[0]):
        out[0, i] = out[0, i] / weight_sum


@indicator(_wma, lookback=lambda period: period, accepts_1d=True)
def wma(candles: Float2D | Float1D, period: int = 30, source_type: str = "close", sequential: bool = False) -> Value:
    """WMA, linearly weighted average: the newest of the last `period` values weighs `period`, the oldest 1.

    NaN until there are `period` rows. Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> wma(np.array([1.0, 4.0]), 2)
    np.float64(3.0)
    """
    ...


@kernel
def _dema(x, params, out):
    """Twice the exponential average less the average of it, both seeded with the first value."""
    alpha = 2.0 / (params[0] + 1.0)
    beta = 1.0 - alpha
    once = x[0]
    twice = x[0]
    for i in range(x.shape[0]):
        if i > 0:
            once = alpha * x[i] + beta * once
            twice = alpha * once + beta * twice
        out[0, i] = 2.0 * once - twice


@indicator(_dema, accepts_1d=True)
def dema(candles: Float2D | Float1D, period: int = 30, source_type: str = "close", sequential: bool = False) -> Value:
    """DEMA, double exponential average: `2 * ema - ema(ema)`, both seeded with the first value; known everywhere.

    Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> dema(np.array([1.0, 3.0]), 3)
    np.float64(2.5)
    """
    ...


@kernel
def _tema(x, params, out):
    """Three nested exponential averages, each seeded with the first value."""
    alpha = 2.0 / (params[0] + 1.0)
    beta = 1.0 - alpha
    once = x[0]
    twice = x[0]
    thrice = x[0]
    for i in range(x.shape[0]):
        if i > 0:
            once = alpha * x[i] + beta * once
            twice = alpha * once + beta * twice
            thrice = alpha * twice + beta * thrice
        out[0, i] = 3.0 * once - 3.0 * twice + thrice


@indicator(_tema, accepts_1d=True)
def tema(candles: Float2D | Float1D, period: int = 9, source_type: str = "close", sequential: bool = False) -> Value:
    """TEMA, triple exponential average: `3 * ema - 3 * ema(ema) + ema(ema(ema))`; known everywhere.

    Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> tema(np.array([1.0, 3.0]), 3)
    np.float64(2.75)
    """
    ...


@kernel
def _weighted_newest_first(x, period, out):
    """Linearly weighted average added newest first; 0, not NaN, until there are `period` rows."""
    weight_sum = 0.0
    for j in range(1, period + 1):
        weight_sum += j
    n = x.shape[0]
    for i in range(min(max(period - 1, 0), n) if period > 0 else n):
        out[i] = 0.0
    for first in range(period - 1 if period > 0 else n, n, ROWS):
        rows = min(ROWS, n - first)
        total = out[first : first + rows]
        for k in range(rows):
            total[k] = 0.0
        j = 0
        while j + 3 < period:
            a = x[first - j - 3 : first - j + rows]
            weight = float(period - j)
            for k in range(rows):
                half = (total[k] + a[k + 3] * weight) + a[k + 2] * (weight - 1.0)
                total[k] = (half + a[k + 1] * (weight - 2.0)) + a[k] * (weight - 3.0)
            j += 4
        while j < period:
            a = x[first - j : first - j + rows]
            for k in range(rows):
                total[k] += a[k] * (period - j)
            j += 1
        for k in range(rows):
            total[k] = total[k] / weight_sum


@kernel
def _hma(x, params, out):
    """Weighted average of twice a short one less a long one."""
    period = int(params[0])
    n = x.shape[0]
    short = np.empty(n)
    long = np.empty(n)
    _weighted_newest_first(x, period // 2, short)
    _weighted_newest_first(x, period, long)
    for i in range(n):
        short[i] = 2.0 * short[i] - long[i]
    _weighted_newest_first(short, int(np.sqrt(params[0])), out[0])


@indicator(_hma, lookback=lambda period: period + int(period**0.5) - 1, accepts_1d=True)
def hma(candles: Float2D | Float1D, period: int = 5, source_type: str = "close", sequential: bool = False) -> Value:
    """HMA, Hull average: `wma(2 * wma(x, period // 2) - wma(x, period), floor(sqrt(period)))`.

    Its averages start from 0, so the first rows are meaningless numbers instead of NaN, as in Jesse. Arguments and
    result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> hma(np.arange(9.0), 4)
    np.float64(8.0)
    """
    ...


@kernel
def _wilders(x, params, out):
    """Exponential average of weight `1 / period`, seeded with the first value."""
    alpha = 1.0 / params[0]
    beta = 1.0 - alpha
    value = x[0]
    for i in range(x.shape[0]):
        if i > 0:
            value = alpha * x[i] + beta * value
        out[0, i] = value


@indicator(_wilders, accepts_1d=True)
def wilders(candles: Float2D | Float1D, period: int = 5, source_type: str = "close", sequential: bool = False) -> Value:
    """Average with Wilder's weight `1 / period`, seeded with the first value; known everywhere.

    Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> wilders(np.array([1.0, 3.0]), 4)
    np.float64(1.5)
    """
    ...


@kernel
def _rma(x, params, out):
    """Exponential average of weight `1 / length` whose seed mixes in the last row, as in Jesse."""
    n = x.shape[0]
    alpha = 1.0 / params[0]
    beta = 1.0 - alpha
    value = x[n - 1]
    for i in range(n):
        value = alpha * x[i] + beta * value
        out[0, i] = value


@indicator(_rma, accepts_1d=True, prefix_stable=False)
def rma(candles: Float2D | Float1D, length: int = 14, source_type: str = "close", sequential: bool = False) -> Value:
    """RMA, average of weight `1 / length`; known everywhere.

    Its seed is `x[0] / length + (1 - 1 / length) * x[-1]`: the last row leaks into all others, as in Jesse. Arguments
    and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> rma(np.array([1.0, 3.0]), 2, sequential=True)
    array([2. , 2.5])
    """
    ...


@kernel
def _zlema(x, params, out):
    """Exponential average of the values moved forward by what they changed over the lag."""
    n = x.shape[0]
    period = int(params[0])
    out[0, :] = np.nan
    if n <= period:
        return
    lag = (period - 1) // 2
    alpha = 2.0 / (params[0] + 1.0)
    beta = 1.0 - alpha
    value = x[lag] + (x[lag] - x[0])
    for i in range(lag, n):
        if i > lag:
            value = alpha * (x[i] + (x[i] - x[i - lag])) + beta * value
        out[0, i] = value


@indicator(_zlema, settles=lambda period: period + 1, accepts_1d=True)
def zlema(candles: Float2D | Float1D, period: int = 20, source_type: str = "close", sequential: bool = False) -> Value:
    """ZLEMA, zero-lag exponential average: of `x + (x - x[lag rows ago])` with `lag = (period - 1) // 2`.

    NaN for the first `lag` rows, and everywhere unless there are more rows than `period`. Arguments and result: see
    `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> zlema(np.arange(9.0), 3)
    np.float64(8.0078125)
    """
    ...


@kernel
def _t3(x, params, out):
    """Six nested exponential averages, mixed with the powers of the volume factor."""
    n = x.shape[0]
    alpha = 2.0 / (params[0] + 1.0)
    beta = 1.0 - alpha
    v = params[1]
    square = v * v
    cube = v * v * v
    sixth = -cube
    fifth = 3.0 * square + 3.0 * cube
    fourth = -6.0 * square - 3.0 * v - 3.0 * cube
    third = 1.0 + 3.0 * v + cube + 3.0 * square
    e1 = e2 = e3 = e4 = e5 = e6 = x[0]
    for i in range(n):
        if i > 0:
            e1 = alpha * x[i] + beta * e1
            e2 = alpha * e1 + beta * e2
            e3 = alpha * e2 + beta * e3
            e4 = alpha * e3 + beta * e4
            e5 = alpha * e4 + beta * e5
            e6 = alpha * e5 + beta * e6
        out[0, i] = sixth * e6 + fifth * e5 + fourth * e4 + third * e3


@indicator(_t3, accepts_1d=True, alias={"volume": "close"})
def t3(
    candles: Float2D | Float1D,
    period: int = 5,
    vfactor: float = 0,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """T3, Tillson's average: six nested exponential averages mixed by the volume factor; known everywhere.

    The source "volume" is taken for "close", as in Jesse. Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> t3(np.full(5, 7.0), 3, 0.7)
    np.float64(7.000000000000007)
    """
    ...


def _smma(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Weighted mean of all rows, the weights falling by `1 - 1 / period` a row, through scaled sums."""
    decay = 1 - 1 / params[0]
    n = len(x)
    with np.errstate(all="ignore"):
        inverse = decay ** (-1 * np.arange(n))
        weights = decay ** np.arange(n)
        sums = (x * decay ** (n - 1) * inverse).cumsum()
        out[0] = sums * inverse[::-1] / weights.cumsum()


@indicator(python=_smma, accepts_1d=True, prefix_stable=False)
def smma(candles: Float2D | Float1D, period: int = 5, source_type: str = "close", sequential: bool = False) -> Value:
    """SMMA, smoothed average: all rows so far, each weighing `1 - 1 / period` of the next.

    Computed with powers that overflow over a long history (period 5: infinite from about 3200 rows, NaN from about
    4000), as in Jesse. Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> smma(np.array([1.0, 4.0]), 2)
    np.float64(3.0)
    """
    ...


@kernel
def _vwma(candles, params, out):
    """Differences of cumulated price times volume, and of volume."""
    n = candles.shape[0]
    period = int(params[0])
    source = np.empty(n)
    _fill_source(candles, int(params[1]), source)
    values = np.empty(n)
    volumes = np.empty(n)
    value = 0.0
    volume = 0.0
    for i in range(n):
        value = value + source[i] * candles[i, VOLUME]
        volume = volume + candles[i, VOLUME]
        values[i] = value
        volumes[i] = volume
        start = i - period + 1
        if i >= period and start > 0:
            weighted = value - values[start - 1]
            total = volume - volumes[start - 1]
        else:
            weighted = value
            total = volume
        out[0, i] = weighted / total if total != 0.0 else np.nan


@indicator(_vwma, codes={"source_type": SOURCE_CODES})
def vwma(candles: Float2D, period: int = 20, source_type: str = "close", sequential: bool = False) -> Value:
    """VWMA, average weighted by volume over the last `period` rows, or over fewer until there are as many.

    NaN where there was no volume. Other than Jesse's, it leaves the candles alone when the source is not the close.
    Arguments and result: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> vwma(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0], [0, 2.0, 6.0, 7.0, 2.0, 2.0]]), 2)
    np.float64(5.0)
    """
    ...


#: Seconds between resets by Jesse's anchor; an unknown one is a day.
_ANCHORS = {
    OTHERWISE: 86_400,
    "D": 86_400,
    "H": 3_600,
    "M": 60,
    "4H": 14_400,
    "12H": 43_200,
    "W": 604_800,
    "MN": 2_592_000,
}


@kernel
def _vwap(candles, params, out):
    """Cumulated price times volume over cumulated volume, from zero at each new anchor."""
    n = candles.shape[0]
    source = np.empty(n)
    _fill_source(candles, int(params[0]), source)
    length = int(params[1])
    period = int(candles[0, TIMESTAMP] / 1000.0) // length
    value = 0.0
    volume = 0.0
    for i in range(n):
        now = int(candles[i, TIMESTAMP] / 1000.0) // length
        if now != period:
            value = 0.0
            volume = 0.0
            period = now
        value += candles[i, VOLUME] * source[i]
        volume += candles[i, VOLUME]
        out[0, i] = value / volume if volume != 0.0 else np.nan


@indicator(
    _vwap,
    codes={"source_type": SOURCE_CODES, "anchor": _ANCHORS},
    alias={"volume": "hlc3"},
    none_if_nan=True,
)
def vwap(candles: Float2D, source_type: str = "hlc3", anchor: str = "D", sequential: bool = False) -> Value:
    """VWAP, price weighted by volume since the last reset; None, or NaN at its row, before any volume.

    Parameters
    ----------
    candles : ndarray, shape (n, 6), float64
    source_type : str
        See `select_source`; "volume" is taken for "hlc3", as in Jesse.
    anchor : str
        Reset at each new D (UTC day), H, M (minute), 4H, 12H, W (7 days since 1970) or MN (30 days).
    sequential : bool
        Return the value at every row instead of the last.

    Returns
    -------
    float, None or ndarray, shape (n,)
        In quote currency.

    Examples
    --------
    >>> import numpy as np
    >>> vwap(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0], [1, 2.0, 6.0, 7.0, 2.0, 2.0]]), "close")
    np.float64(5.0)
    """
    ...
