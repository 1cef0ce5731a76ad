# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Volume: how much was traded, and which way prices went with it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import _fill_source
from fastbt.indicators._registry import SOURCE_CODES, Value, indicator
from fastbt.indicators.averages import _ema, _sma
from fastbt.types import CLOSE, HIGH, LOW, OPEN, VOLUME, Float1D, Float2D


@kernel
def _money_flow(candles, i):
    """Volume times where the close lies in the bar, -1 (low) to 1 (high); no share without a range."""
    high = candles[i, HIGH]
    low = candles[i, LOW]
    close = candles[i, CLOSE]
    share = ((close - low) - (high - close)) / (high - low) if high != low else 0.0
    return share * candles[i, VOLUME]


@kernel
def _ad(candles, _params, out):
    """Sum up the money flow."""
    total = 0.0
    for i in range(candles.shape[0]):
        # The first is not added to 0.0: the sign of a zero would change.
        total = total + _money_flow(candles, i) if i > 0 else _money_flow(candles, i)
        out[0, i] = total


@indicator(_ad)
def ad(candles: Float2D, sequential: bool = False) -> Value:
    """AD, accumulation/distribution line: running sum of `((close - low) - (high - close)) / (high - low) * volume`.

    From the first visible row on; a bar without a range adds nothing. Arguments and result: see `obv`.

    References
    ----------
    .. [1] Marc Chaikin's accumulation line.

    Examples
    --------
    >>> import numpy as np
    >>> ad(np.array([[0, 2.0, 4.0, 4.0, 2.0, 10.0], [0, 2.0, 2.0, 4.0, 2.0, 3.0]]))
    np.float64(7.0)
    """
    ...


@kernel
def _adosc(candles, params, out):
    """Fast less slow exponential average of the running money flow, both seeded with its first value."""
    fast_weight = 2.0 / (params[0] + 1.0)
    slow_weight = 2.0 / (params[1] + 1.0)
    total = 0.0
    fast = 0.0
    slow = 0.0
    for i in range(candles.shape[0]):
        total = total + _money_flow(candles, i)
        fast = fast_weight * total + (1.0 - fast_weight) * fast if i > 0 else total
        slow = slow_weight * total + (1.0 - slow_weight) * slow if i > 0 else total
        out[0, i] = fast - slow


@indicator(_adosc)
def adosc(candles: Float2D, fast_period: int = 3, slow_period: int = 10, sequential: bool = False) -> Value:
    """ADOSC, Chaikin oscillator: fast less slow exponential average of the `ad` line. Other arguments: see `obv`."""
    ...


@kernel
def _obv(candles, _params, out):
    """First volume, plus the running sum of the signed others."""
    first = candles[0, VOLUME]
    total = 0.0
    out[0, 0] = first
    for i in range(1, candles.shape[0]):
        step = 0.0
        if candles[i, CLOSE] > candles[i - 1, CLOSE]:
            step = candles[i, VOLUME]
        elif candles[i, CLOSE] < candles[i - 1, CLOSE]:
            step = -candles[i, VOLUME]
        total = total + step
        out[0, i] = first + total


@indicator(_obv)
def obv(candles: Float2D, sequential: bool = False) -> Value:
    """OBV, on-balance volume: volume added while the close rises, subtracted while it falls.

    Starts with the volume of the first visible row, so the non-sequential value is relative to the window.

    Parameters
    ----------
    candles : ndarray, shape (n, 6), float64
    sequential : bool
        Return the value at every row instead of the last.

    Returns
    -------
    float or ndarray, shape (n,)
        In units of the base.

    References
    ----------
    .. [1] Joseph Granville, New Key to Stock Market Profits, 1963.

    Examples
    --------
    >>> import numpy as np
    >>> obv(np.array([[0, 2.0, 3.0, 4.0, 2.0, 5.0], [0, 2.0, 2.0, 4.0, 2.0, 3.0]]), sequential=True)
    array([5., 2.])
    """
    ...


@kernel
def _index_of_moves(candles, code, rising, out):
    """Compound the changes of the source over the rows whose volume rises (or falls), from 1000."""
    n = candles.shape[0]
    source = np.empty(n)
    _fill_source(candles, code, source)
    value = 1000.0
    for i in range(n):
        if i > 0:
            now = candles[i, VOLUME]
            before = candles[i - 1, VOLUME]
            if (rising and now > before) or (not rising and now < before):
                value = value * (1.0 + (source[i] - source[i - 1]) / source[i - 1])
        out[i] = value


@kernel
def _nvi(candles, params, out):
    """Compound where volume falls."""
    _index_of_moves(candles, int(params[0]), False, out[0])


@indicator(_nvi, codes={"source_type": SOURCE_CODES})
def nvi(candles: Float2D, source_type: str = "close", sequential: bool = False) -> Value:
    """NVI, negative volume index: the changes of the source on falling volume, compounded from 1000.

    Starts at the first visible row. Other arguments: see `obv`.
    """
    ...


@kernel
def _pvi(candles, params, out):
    """Compound where volume rises."""
    _index_of_moves(candles, int(params[0]), True, out[0])


@indicator(_pvi, codes={"source_type": SOURCE_CODES})
def pvi(candles: Float2D, source_type: str = "close", sequential: bool = False) -> Value:
    """PVI, positive volume index: the changes of the source on rising volume, compounded from 1000.

    Starts at the first visible row. Other arguments: see `obv`.
    """
    ...


@kernel
def _efi(candles, params, out):
    """Exponential average of change times volume, seeded with the first one."""
    n = candles.shape[0]
    period = int(params[0])
    weight = 2.0 / (params[0] + 1.0)
    source = np.empty(n)
    _fill_source(candles, int(params[1]), source)
    value = 0.0
    out[0, 0] = np.nan
    for i in range(1, n):
        force = (source[i] - source[i - 1]) * candles[i, VOLUME]
        value = weight * force + (1.0 - weight) * value if i > 1 else force
        out[0, i] = value if i >= period else np.nan


@indicator(_efi, codes={"source_type": SOURCE_CODES})
def efi(candles: Float2D, period: int = 13, source_type: str = "close", sequential: bool = False) -> Value:
    """EFI, Elder's force index: exponential average of `(x - previous x) * volume`, seeded with the first.

    NaN for the first `period` rows. Other arguments: see `obv`.
    """
    ...


@kernel
def _emv(candles, params, out):
    """Mean of the moves of the middle by the volume that they took; 0, not NaN, until there are enough."""
    n = candles.shape[0]
    period = int(params[0])
    eases = np.zeros(n)
    for i in range(1, n):
        high = candles[i, HIGH]
        low = candles[i, LOW]
        volume = candles[i, VOLUME]
        if volume != 0.0:
            move = (high + low) / 2.0 - (candles[i - 1, HIGH] + candles[i - 1, LOW]) / 2.0
            eases[i] = params[1] * move * (high - low) / volume
    for i in range(n):
        out[0, i] = 0.0
        if i >= period - 1:
            # So that a sum of negative zeros stays one.
            total = -0.0
            for j in range(i - period + 1, i + 1):
                total += eases[j]
            out[0, i] = total / period


@indicator(_emv, lookback=lambda length, _: length + 1)
def emv(candles: Float2D, length: int = 14, div: int = 10000, sequential: bool = False) -> Value:
    """EMV, ease of movement: mean over `length` rows of `div * change of the middle * (high - low) / volume`.

    0 until there are `length` rows; the first row and rows without volume count as 0. Other arguments: see `obv`.
    """
    ...


@kernel
def _kvo(candles, params, out):
    """Fast less slow average of volume, signed by the trend and scaled by how it has gone on."""
    n = candles.shape[0]
    force = np.empty(n)
    sign = 0.0
    sum_of_ranges = 0.0
    for i in range(n):
        range_now = candles[i, HIGH] - candles[i, LOW]
        if i > 0:
            typical = (candles[i, HIGH] + candles[i, LOW] + candles[i, CLOSE]) / 3.0
            typical_before = (candles[i - 1, HIGH] + candles[i - 1, LOW] + candles[i - 1, CLOSE]) / 3.0
            change = typical - typical_before
            before = sign
            sign = 1.0 if change > 0.0 else (-1.0 if change < 0.0 else 0.0)
            if sign == before:
                sum_of_ranges = sum_of_ranges + range_now
            else:
                sum_of_ranges = range_now + (candles[i - 1, HIGH] - candles[i - 1, LOW])
        force[i] = 0.0
        if sum_of_ranges != 0.0:
            force[i] = 100.0 * candles[i, VOLUME] * sign * abs(2.0 * range_now / sum_of_ranges - 1.0)
    slow = np.empty((1, n))
    _ema(force, params[:1], out)
    _ema(force, params[1:], slow)
    for i in range(n):
        out[0, i] = out[0, i] - slow[0, i]


@indicator(_kvo, settles=max)
def kvo(candles: Float2D, short_period: int = 34, long_period: int = 55, sequential: bool = False) -> Value:
    """KVO, Klinger's volume oscillator: fast less slow `ema` of the volume force.

    The force is `100 * volume * trend * abs(2 * range / sum - 1)`: trend is the sign of the change of
    `(high + low + close) / 3`, and sum adds up the ranges since it last changed. NaN unless there are as many rows as
    the longer period. Other arguments: see `obv`.
    """
    ...


@kernel
def _marketfi(candles, _params, out):
    """Range by volume."""
    for i in range(candles.shape[0]):
        out[0, i] = (candles[i, HIGH] - candles[i, LOW]) / candles[i, VOLUME]


@indicator(_marketfi, lookback=lambda: 1)
def marketfi(candles: Float2D, sequential: bool = False) -> Value:
    """MARKETFI, market facilitation index: `(high - low) / volume`; infinite or NaN without volume.

    Arguments: see `obv`.

    Examples
    --------
    >>> import numpy as np
    >>> marketfi(np.array([[0, 2.0, 3.0, 4.0, 2.0, 4.0]]))
    np.float64(0.5)
    """
    ...


def _mfi(candles: Float2D, params: Float1D, out: Float2D) -> None:
    """Money flow index by numpy's convolution, whose order of additions depends on the period and the machine."""
    period = int(params[0])
    n = len(candles)
    typical = (candles[:, HIGH] + candles[:, LOW] + candles[:, CLOSE]) / 3.0
    flow = typical * candles[:, VOLUME]
    rises, falls = np.zeros(n), np.zeros(n)
    rises[1:] = np.where(typical[1:] > typical[:-1], flow[1:], 0)
    falls[1:] = np.where(typical[1:] < typical[:-1], flow[1:], 0)
    inflow = np.convolve(rises, np.ones(period), mode="valid")
    outflow = np.convolve(falls, np.ones(period), mode="valid")
    ratio = np.divide(inflow, outflow, out=np.full_like(inflow, np.inf), where=outflow != 0)
    values = 100 - (100 / (1 + ratio))
    out[0] = np.nan
    if n >= period:
        out[0, period - 1 :] = values
    else:
        out[0, -1] = values[-1]


@indicator(python=_mfi, lookback=lambda period: period + 1, settles=lambda period: period)
def mfi(candles: Float2D, period: int = 14, sequential: bool = False) -> Value:
    """MFI, money flow index: `100 - 100 / (1 + inflow / outflow)` over the last `period` rows.

    A row flows in, with `(high + low + close) / 3 * volume`, if that price rose, and out if it fell. 100 without any
    outflow. NaN until there are `period` rows, except that the last row of fewer has the value of all of them, as in
    Jesse, whose sequential form has more values than rows then. Other arguments: see `obv`.

    Examples
    --------
    >>> import numpy as np
    >>> mfi(np.array([[0, 2.0, 2.0, 2.0, 2.0, 1.0], [0, 3.0, 3.0, 3.0, 3.0, 1.0], [0, 1.0, 1.0, 1.0, 1.0, 1.0]]), 3)
    np.float64(75.0)
    """
    ...


@kernel
def _volumes(candles):
    """Copy the volume."""
    return candles[:, VOLUME].copy()


@kernel
def _vosc(candles, params, out):
    """Distance of the short mean from the long one in percent."""
    n = candles.shape[0]
    volume = _volumes(candles)
    long = np.empty((1, n))
    _sma(volume, params[:1], out)
    _sma(volume, params[1:], long)
    for i in range(n):
        out[0, i] = (out[0, i] - long[0, i]) / long[0, i] * 100.0


@indicator(_vosc)
def vosc(candles: Float2D, short_period: int = 2, long_period: int = 5, sequential: bool = False) -> Value:
    """VOSC, volume oscillator: distance of the short mean of the volume from the long one, in percent of that.

    NaN until both are known. Other arguments: see `obv`.
    """
    ...


class VPCI(NamedTuple):
    """Volume-price confirmation and its mean."""

    vpci: Value
    vpcis: Value


@kernel
def _vpci(candles, params, out):
    """Weighted less plain long mean, times weighted by plain short mean, times short by long volume."""
    n = candles.shape[0]
    volume = _volumes(candles)
    close = candles[:, CLOSE].copy()
    value = np.empty(n)
    for i in range(n):
        value[i] = close[i] * volume[i]
    means = np.empty((6, n))
    for j in range(3):
        series = value if j == 0 else (volume if j == 1 else close)
        _sma(series, params[:1], means[j : j + 1])
        _sma(series, params[1:], means[j + 3 : j + 4])
    for i in range(n):
        confirmation = means[3, i] / means[4, i] - means[5, i]
        ratio = means[0, i] / means[1, i] / means[2, i]
        out[0, i] = confirmation * ratio * (means[1, i] / means[4, i])
        value[i] = out[0, i] * volume[i]
    _sma(value, params[:1], out[1:])
    for i in range(n):
        out[1, i] = out[1, i] / means[1, i]


@indicator(_vpci, record=VPCI)
def vpci(candles: Float2D, short_range: int = 5, long_range: int = 25, sequential: bool = False) -> VPCI:
    """VPCI, volume-price confirmation: how far volume confirms the trend, and its mean weighted by volume.

    `(VW - M) * (vw / m) * (v / V)`: means of the close weighted by volume (VW, vw), plain (M, m), and of the volume
    (V, v); capitals over `long_range` rows. NaN until they are known. Other arguments: see `obv`.
    """
    ...


@kernel
def _vpt(candles, params, out):
    """Relative change times volume, of the last two rows together."""
    n = candles.shape[0]
    source = np.empty(n)
    _fill_source(candles, int(params[0]), source)
    before = np.nan
    for i in range(n):
        now = np.nan
        if i > 0:
            now = candles[i, VOLUME] * ((source[i] - source[i - 1]) / source[i - 1])
        out[0, i] = before + now
        before = now


@indicator(_vpt, codes={"source_type": SOURCE_CODES}, lookback=lambda _: 3)
def vpt(candles: Float2D, source_type: str = "close", sequential: bool = False) -> Value:
    """VPT, volume price trend: `volume * relative change`, added up over the last two rows only, as in Jesse.

    NaN for the first two rows. Other arguments: see `obv`.
    """
    ...


@kernel
def _rolling_weighted(x, volume, period, out):
    """Fill `out` with the mean weighted by volume over the last rows, through cumulated sums."""
    n = x.shape[0]
    values = np.empty(n)
    volumes = np.empty(n)
    value = 0.0
    total = 0.0
    for i in range(n):
        value = value + x[i] * volume[i]
        total = total + volume[i]
        values[i] = value
        volumes[i] = total
        if i >= period:
            weighted = value - values[i - period]
            weight = total - volumes[i - period]
        else:
            weighted = value
            weight = total
        out[i] = weighted / weight if weight != 0.0 else np.nan


class VWMACD(NamedTuple):
    """Difference of two averages weighted by volume, its signal line, and their difference."""

    macd: Value
    signal: Value
    hist: Value


@kernel
def _vwmacd(candles, params, out):
    """Fast less slow weighted average, and its plain one."""
    n = candles.shape[0]
    volume = _volumes(candles)
    close = candles[:, CLOSE].copy()
    _rolling_weighted(close, volume, int(params[0]), out[0])
    _rolling_weighted(close, volume, int(params[1]), out[1])
    for i in range(n):
        out[0, i] = out[0, i] - out[1, i]
        volume[i] = 1.0
    _rolling_weighted(out[0], volume, int(params[2]), out[1])
    for i in range(n):
        out[2, i] = out[0, i] - out[1, i]


@indicator(_vwmacd, record=VWMACD, sliced=False)
def vwmacd(
    candles: Float2D, fast_period: int = 12, slow_period: int = 26, signal_period: int = 9, sequential: bool = False
) -> VWMACD:
    """VWMACD: fast less slow `vwma` of the close, and the mean of that; over all rows, never a window of them.

    A row that is NaN, for want of any volume so far, makes all later signals NaN. Other arguments: see `obv`.
    """
    ...


@kernel
def _wad(candles, _params, out):
    """Sum up how far the open got from the extreme on its other side."""
    total = 0.0
    out[0, 0] = 0.0
    for i in range(1, candles.shape[0]):
        # The open where the textbook has the close, as in Jesse.
        now = candles[i, OPEN]
        before = candles[i - 1, OPEN]
        if now > before:
            total += now - min(candles[i, LOW], before)
        elif now < before:
            total += now - max(candles[i, HIGH], before)
        out[0, i] = total


@indicator(_wad)
def wad(candles: Float2D, sequential: bool = False) -> Value:
    """WAD, Williams' accumulation/distribution: running sum of the distance from the true low or high.

    A rise of the price adds its distance from the lower of the bar's low and the previous price, a fall subtracts that
    from the higher of the high and the previous price. The price is the open, where the textbook has the close, as in
    Jesse. 0 at the first visible row. Arguments: see `obv`; in quote currency.
    """
    ...


class Volume(NamedTuple):
    """Volume and its mean."""

    volume: Value
    ma: Value


def _volume(candles: Float2D, params: Float1D, out: Float2D) -> None:
    """Volume, and its mean by numpy's convolution."""
    period = int(params[0])
    out[0] = candles[:, VOLUME]
    out[1] = np.nan
    if len(candles) >= period:
        out[1, period - 1 :] = np.convolve(candles[:, VOLUME], np.ones(period) / period, mode="valid")


@indicator(python=_volume, record=Volume, lookback=lambda period: period)
def volume(candles: Float2D, period: int = 20, sequential: bool = False) -> Volume:
    """Volume, and its mean over the last `period` rows, NaN until there are as many. Other arguments: see `obv`.

    Examples
    --------
    >>> import numpy as np
    >>> volume(np.array([[0, 2.0, 3.0, 4.0, 2.0, 4.0], [0, 2.0, 3.0, 4.0, 2.0, 8.0]]), 2)
    Volume(volume=np.float64(8.0), ma=np.float64(6.0))
    """
    ...
