# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Oscillators of one price: differences of averages, changes, and distances from lines through the last values."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._registry import Value, after_vwma, indicator, settles_with
from fastbt.indicators.averages import _sma, _wma
from fastbt.indicators.momentum import _roc
from fastbt.indicators.moving_average import COMPILED, _average, average
from fastbt.indicators.oscillators import _rsi
from fastbt.types import Float1D, Float2D


@kernel
def _apo(x, params, out):
    """Fast less slow compiled average."""
    n = x.shape[0]
    slow = np.empty((1, n))
    _average(x, int(params[0]), int(params[2]), out)
    _average(x, int(params[1]), int(params[2]), slow)
    for i in range(n):
        out[0, i] = out[0, i] - slow[0, i]


def _apo_python(x: Float1D | Float2D, params: Float1D, out: Float2D) -> None:
    """Fast less slow average of any code."""
    fast, slow, matype = (int(each) for each in params)
    with np.errstate(invalid="ignore"):
        out[0] = average(x, fast, matype) - average(after_vwma(x, matype), slow, matype)


@indicator(
    _apo,
    python=_apo_python,
    compiled_if=lambda _fast, _slow, matype: matype in COMPILED,
    settles=lambda fast, slow, matype: max(settles_with(matype, fast), settles_with(matype, slow)),
    averages_candles=True,
)
def apo(
    candles: Float2D,
    fast_period: int = 12,
    slow_period: int = 26,
    matype: int = 0,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """APO, absolute price oscillator: fast less slow average; `matype` is a code of `ma`.

    Known where both are. Other arguments: see `mom`.

    Examples
    --------
    >>> import numpy as np
    >>> apo(np.array([[0, 1.0, i, 9.0, 1.0, 1.0] for i in range(9)]), 2, 4)
    np.float64(1.0)
    """
    ...


@kernel
def _ppo(x, params, out):
    """Fast less slow compiled average, in percent of the slow one."""
    n = x.shape[0]
    slow = np.empty((1, n))
    _average(x, int(params[0]), int(params[2]), out)
    _average(x, int(params[1]), int(params[2]), slow)
    for i in range(n):
        out[0, i] = 100.0 * (out[0, i] - slow[0, i]) / slow[0, i]


def _ppo_python(x: Float1D | Float2D, params: Float1D, out: Float2D) -> None:
    """Fast less slow average of any code, in percent of the slow one."""
    fast, slow, matype = (int(each) for each in params)
    base = average(after_vwma(x, matype), slow, matype)
    with np.errstate(divide="ignore", invalid="ignore"):
        out[0] = 100 * (average(x, fast, matype) - base) / base


@indicator(
    _ppo,
    python=_ppo_python,
    compiled_if=lambda _fast, _slow, matype: matype in COMPILED,
    settles=lambda fast, slow, matype: max(settles_with(matype, fast), settles_with(matype, slow)),
    averages_candles=True,
)
def ppo(
    candles: Float2D,
    fast_period: int = 12,
    slow_period: int = 26,
    matype: int = 0,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """PPO, percentage price oscillator: fast less slow average, in percent of the slow one; `matype` as in `ma`.

    Known where both are. Other arguments: see `mom`.

    Examples
    --------
    >>> import numpy as np
    >>> ppo(np.array([[0, 1.0, i, 9.0, 1.0, 1.0] for i in range(5)]), 1, 5)
    np.float64(100.0)
    """
    ...


def _convolved_average(x: Float1D, period: int) -> Float1D:
    """Exponential average seeded with the first value, as one sum over all rows by numpy's convolution."""
    weight = 2 / (period + 1)
    n = len(x)
    values: Float1D = x[0] * ((1 - weight) ** np.arange(n))
    if n > 1:
        weights = weight * ((1 - weight) ** np.arange(n - 1))
        values[1:] += np.convolve(x[1:], weights, mode="full")[: n - 1]
    return values


def _tsi(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Twice averaged changes over twice averaged sizes of changes."""
    long, short = int(params[0]), int(params[1])
    changes = np.concatenate((np.zeros(1), x[1:] - x[:-1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        signed = _convolved_average(_convolved_average(changes, long), short)
        values = 100 * signed / _convolved_average(_convolved_average(np.abs(changes), long), short)
    values[~np.isfinite(values)] = 0
    out[0] = values


# numpy adds up to 11 products in another order than more of them.
@indicator(python=_tsi, settles=lambda _long, _short: 13)
def tsi(
    candles: Float2D,
    long_period: int = 25,
    short_period: int = 13,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """TSI, true strength index: the changes, averaged over both periods, in percent of their averaged sizes.

    Exponential averages, one of the other, seeded with 0; 0 where nothing has changed. Other arguments: see `mom`.

    References
    ----------
    .. [1] William Blau, Momentum, Direction, and Divergence, 1995.

    Examples
    --------
    >>> import numpy as np
    >>> tsi(np.array([[0, 1.0, i, 9.0, 1.0, 1.0] for i in range(9)]))
    np.float64(100.0)
    """
    ...


@kernel
def _dpo(x, params, out):
    """Value some rows ago less the mean now."""
    period = int(params[0])
    shift = period // 2 + 1
    n = x.shape[0]
    first = period - 1 + shift
    total = 0.0
    for i in range(min(period, n)):
        out[0, i] = np.nan
        total += x[i]
    for i in range(period, n):
        total += x[i] - x[i - period]
        value = x[i - shift] - total / period
        out[0, i] = value if i >= first else np.nan


@indicator(_dpo)
def dpo(candles: Float2D, period: int = 5, source_type: str = "close", sequential: bool = False) -> Value:
    """DPO, detrended price oscillator: the value `period // 2 + 1` rows ago less the mean of the last `period`.

    NaN for the first `period + period // 2` rows. Other arguments: see `mom`.

    Examples
    --------
    >>> import numpy as np
    >>> dpo(np.array([[0, 1.0, i, 9.0, 1.0, 1.0] for i in range(9)]), 3)
    np.float64(-1.0)
    """
    ...


@kernel
def _cc(x, params, out):
    """Weighted average of the sum of two rates of change."""
    n = x.shape[0]
    long = np.empty((1, n))
    short = np.empty((1, n))
    _roc(x, params[2:], long)
    _roc(x, params[1:], short)
    for i in range(n):
        long[0, i] = long[0, i] + short[0, i]
    _wma(long[0], params, out)


@indicator(_cc, lookback=lambda wma_period, short, long: wma_period + max(short, long))
def cc(
    candles: Float2D,
    wma_period: int = 10,
    roc_short_period: int = 11,
    roc_long_period: int = 14,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """CC, Coppock curve: `wma` of the sum of a short and a long `roc`; NaN until all are known.

    Other arguments: see `mom`.
    """
    ...


class KST(NamedTuple):
    """Know sure thing, and its mean."""

    line: Value
    signal: Value


@kernel
def _kst(x, params, out):
    """Four averaged rates of change, weighted 1 to 4, and the mean of that."""
    n = x.shape[0]
    rate = np.empty((1, n))
    mean = np.empty((1, n))
    for j in range(4):
        _roc(x, params[j + 4 :], rate)
        _sma(rate[0], params[j:], mean)
        for i in range(n):
            out[0, i] = mean[0, i] if j == 0 else out[0, i] + (j + 1.0) * mean[0, i]
    _sma(out[0], params[8:], out[1:])


@indicator(_kst, record=KST)
def kst(
    candles: Float2D,
    sma_period1: int = 10,
    sma_period2: int = 10,
    sma_period3: int = 10,
    sma_period4: int = 15,
    roc_period1: int = 10,
    roc_period2: int = 15,
    roc_period3: int = 20,
    roc_period4: int = 30,
    signal_period: int = 9,
    source_type: str = "close",
    sequential: bool = False,
) -> KST:
    """KST, know sure thing: four `roc`, each with its own `sma`, added with the weights 1 to 4; `signal` is its `sma`.

    Means are over the known values, so the first ones are over fewer rows. Other arguments: see `mom`.

    References
    ----------
    .. [1] Martin Pring, Technical Analysis of Stocks & Commodities, 1992.
    """
    ...


@kernel
def _ift_rsi(x, params, out):
    """Squash the weighted average of the relative strength index."""
    n = x.shape[0]
    strength = np.empty((1, n))
    _rsi(x, params, strength)
    for i in range(n):
        strength[0, i] = 0.1 * (strength[0, i] - 50.0)
    _wma(strength[0], params[1:], out)
    for i in range(n):
        doubled = 2.0 * out[0, i]
        square = doubled * doubled
        out[0, i] = (square - 1.0) / (square + 1.0)


@indicator(_ift_rsi)
def ift_rsi(
    candles: Float2D,
    rsi_period: int = 5,
    wma_period: int = 9,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """Inverse Fisher transform of the RSI: `(s**2 - 1) / (s**2 + 1)` with `s = 2 * wma(0.1 * (rsi - 50))`.

    The square, as in Jesse, where the textbook has the exponential: from -1 to 1, but the same for rises and falls.
    NaN for the first `rsi_period + wma_period - 1` rows. Other arguments: see `mom`.
    """
    ...


@kernel
def _cfo(x, params, out):
    """Distance from the line of least squares, whose sums are rolled from the first row."""
    n = x.shape[0]
    period = int(params[0])
    sum_i = params[0] * (params[0] - 1.0) / 2.0
    squares = (params[0] - 1.0) * params[0] * (2.0 * params[0] - 1.0) / 6.0
    spread = params[0] * squares - sum_i * sum_i
    total = 0.0
    weighted = 0.0
    for i in range(n):
        out[0, i] = np.nan
        if i < period:
            total += x[i]
            weighted += i * x[i]
            if i < period - 1:
                continue
        else:
            total += x[i] - x[i - period]
            weighted += i * x[i] - (i - period) * x[i - period]
        product = weighted - (i - period + 1) * total
        slope = (params[0] * product - sum_i * total) / spread
        forecast = (total - slope * sum_i) / params[0] + slope * (params[0] - 1.0)
        if x[i] != 0.0:
            out[0, i] = params[1] * (x[i] - forecast) / x[i]


@indicator(_cfo, none_if_nan=True)
def cfo(
    candles: Float2D, period: int = 14, scalar: float = 100, source_type: str = "close", sequential: bool = False
) -> Value:
    """CFO, Chande's forecast oscillator: distance from the line of least squares through the last `period` values.

    Relative to the value, times `scalar`. NaN until there are `period` rows and where the value is 0; None instead of
    NaN unless sequential. Other arguments: see `mom`.

    Examples
    --------
    >>> import numpy as np
    >>> cfo(np.array([[0, 1.0, i, 9.0, 1.0, 1.0] for i in (1, 1, 4)]), 3)
    np.float64(12.5)
    """
    ...


@kernel
def _fosc(x, params, out):
    """Distance from the line of least squares, from differences of sums over all rows."""
    n = x.shape[0]
    period = int(params[0])
    middle = (params[0] * (params[0] - 1.0) / 2.0) / params[0]
    squares = (params[0] - 1.0) * params[0] * (2.0 * params[0] - 1.0) / 6.0
    spread = squares - params[0] * middle * middle
    sums = np.empty(n + 1)
    weighted = np.empty(n + 1)
    sums[0] = 0.0
    weighted[0] = 0.0
    for i in range(n):
        sums[i + 1] = sums[i] + x[i]
        weighted[i + 1] = weighted[i] + i * x[i]
        out[0, i] = 0.0
        start = i - period + 1
        if start < 0:
            continue
        total = sums[i + 1] - sums[start]
        mean = total / params[0]
        product = (weighted[i + 1] - weighted[start]) - start * total
        slope = (product - params[0] * middle * mean) / spread
        forecast = (mean - slope * middle) + slope * (params[0] - 1.0)
        if x[i] != 0.0:
            out[0, i] = 100.0 * (x[i] - forecast) / x[i]


@indicator(_fosc)
def fosc(candles: Float2D, period: int = 5, source_type: str = "close", sequential: bool = False) -> Value:
    """FOSC, forecast oscillator: distance from the line of least squares through the last values, in percent.

    As `cfo`, except that it is 0 where that is NaN, and in its last digits. Other arguments: see `mom`.

    Examples
    --------
    >>> import numpy as np
    >>> fosc(np.array([[0, 1.0, i, 9.0, 1.0, 1.0] for i in (1, 1, 4)]), 3)
    np.float64(12.5)
    """
    ...


@kernel
def _cg(x, params, out):
    """Weighted place of the last `period - 1` values, from sums rolled from the first row that has a value."""
    period = int(params[0])
    span = period - 1
    total = 0.0
    weighted = 0.0
    for i in range(x.shape[0]):
        out[0, i] = np.nan
        if i <= period:
            continue
        if i == period + 1:
            for j in range(i - span + 1, i + 1):
                total += x[j]
                weighted += j * x[j]
        else:
            total += x[i] - x[i - span]
            weighted += i * x[i] - (i - span) * x[i - span]
        if total != 0.0:
            out[0, i] = -((i + 1) * total - weighted) / total
        elif span > 0:
            out[0, i] = 0.0


@indicator(_cg)
def cg(candles: Float2D, period: int = 10, source_type: str = "close", sequential: bool = False) -> Value:
    """CG, centre of gravity: `-sum((1 + j) * x[j rows ago]) / sum(x)` over the last `period - 1` values.

    NaN for the first `period + 1` rows, 0 where the values add up to 0. Other arguments: see `mom`.

    References
    ----------
    .. [1] John Ehlers, The CG Oscillator, 2002.

    Examples
    --------
    >>> import numpy as np
    >>> cg(np.array([[0, 1.0, 5.0, 9.0, 1.0, 1.0]] * 9), 3)
    np.float64(-1.5)
    """
    ...


class GATOR(NamedTuple):
    """Distances between the alligator's lines, and their changes."""

    upper: Value
    lower: Value
    upper_change: Value
    lower_change: Value


def _line(x: Float1D, period: int, shift: int) -> Float1D:
    """Weighted mean of all rows through scaled sums, shifted forward."""
    decay = 1 - 1 / period
    n = len(x)
    inverse = decay ** (-1 * np.arange(n))
    weights = decay ** np.arange(n)
    sums = (x * decay ** (n - 1) * inverse).cumsum()
    line = np.full(n, np.nan)
    line[shift:] = (sums * inverse[::-1] / weights.cumsum())[: max(0, n - shift)]
    return line


def _gatorosc(x: Float1D, _params: Float1D, out: Float2D) -> None:
    """Distances of the three lines."""
    with np.errstate(all="ignore"):
        jaw, teeth, lips = _line(x, 13, 8), _line(x, 8, 5), _line(x, 5, 3)
        out[0] = np.abs(jaw - teeth)
        out[1] = -np.abs(teeth - lips)
        out[2:, 0] = np.nan
        out[2, 1:] = np.diff(out[0])
        out[3, 1:] = -np.diff(out[1])


@indicator(python=_gatorosc, record=GATOR, prefix_stable=False)
def gatorosc(candles: Float2D, source_type: str = "close", sequential: bool = False) -> GATOR:
    """Gator oscillator: distances of the jaw (13 rows, shifted by 8), the teeth (8, by 5) and the lips (5, by 3).

    The lines are those of `smma`, not of `alligator`; they overflow over a long history, as in Jesse. `upper` is
    `abs(jaw - teeth)`, `lower` is `-abs(teeth - lips)`; the changes are to the previous row, that of `lower` with the
    sign turned. Other arguments: see `mom`.
    """
    ...
