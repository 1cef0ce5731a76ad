# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Oscillators of whole bars: of ranges, of movement up and down, of the place of the close."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import _column, _eight_lane_sum, _fill_source, _true_range, _window_sums
from fastbt.indicators._registry import SOURCE_CODES, Value, indicator, settles_with
from fastbt.indicators.moving_average import COMPILED, _average, average, source_beside
from fastbt.indicators.support import _extreme
from fastbt.indicators.trend import _directional_movement, _place_of_extreme
from fastbt.types import CLOSE, HIGH, LOW, Float1D, Float2D


class AC(NamedTuple):
    """Acceleration, and its change."""

    osc: Value
    change: Value


def _convolved_mean(x: Float1D, period: int) -> Float1D:
    """Mean of the last `period` values by numpy's convolution, NaN until there are as many."""
    out = np.full(len(x), np.nan)
    if len(x) >= period:
        out[period - 1 :] = np.convolve(x, np.ones(period) / period, mode="valid")
    return out


def _acosc(candles: Float2D, _params: Float1D, out: Float2D) -> None:
    """Difference of two means less its own mean."""
    middles = (candles[:, HIGH] + candles[:, LOW]) / 2
    osc = _convolved_mean(middles, 5) - _convolved_mean(middles, 34)
    out[0] = osc - _convolved_mean(osc, 5)
    out[1, 0] = np.nan
    out[1, 1:] = np.diff(out[0])


@indicator(python=_acosc, record=AC, lookback=lambda: 39)
def acosc(candles: Float2D, sequential: bool = False) -> AC:
    """AC, acceleration/deceleration: the awesome oscillator less its mean of 5 rows, and the change of that.

    Means by convolution, so its last bits are not those of `ao`. NaN for the first 37 rows. Arguments: see `atr`.
    """
    ...


@kernel
def _adxr(candles, params, out):
    """Mean of the directional index now and `period` rows ago, each a plain mean of `period` rows."""
    n = candles.shape[0]
    period = int(params[0])
    ranges = np.empty(n)
    ups = np.empty(n)
    downs = np.empty(n)
    _true_range(candles, ranges)
    _directional_movement(candles, ups, downs)
    index = np.zeros(n)
    means = np.empty(n)
    true_range = 0.0
    plus = 0.0
    minus = 0.0
    for i in range(n):
        true_range = true_range - true_range / period + ranges[i]
        plus = plus - plus / period + ups[i]
        minus = minus - minus / period + downs[i]
        if true_range != 0.0:
            plus_index = 100.0 * (plus / true_range)
            minus_index = 100.0 * (minus / true_range)
            both = plus_index + minus_index
            if both != 0.0:
                index[i] = 100.0 * (abs(plus_index - minus_index) / both)
    _window_sums(index, period, means)
    for i in range(n):
        out[0, i] = np.nan
        means[i] /= period
        if i >= 2 * period - 1:
            out[0, i] = (means[i] + means[i - period]) / 2.0


@indicator(_adxr)
def adxr(candles: Float2D, period: int = 14, sequential: bool = False) -> Value:
    """ADXR, directional movement rating: mean of the average directional index now and `period` rows ago.

    That average is the plain mean of the index over `period` rows, and the movements are summed from 0 on, other than
    in `adx`, as in Jesse. NaN for the first `2 * period - 1` rows. Arguments: see `atr`.

    References
    ----------
    .. [1] J. Welles Wilder, New Concepts in Technical Trading Systems, 1978.
    """
    ...


@kernel
def _aroonosc(candles, params, out):
    """Distance in rows from the lowest low to the highest high of the last bars; the first counts if equal."""
    period = int(params[0])
    lowest = np.empty(candles.shape[0])
    _place_of_extreme(candles, True, period, False, lowest)
    _place_of_extreme(candles, False, period, False, out[0])
    for i in range(candles.shape[0]):
        out[0, i] = 100.0 * (out[0, i] - lowest[i]) / period


@indicator(_aroonosc, lookback=lambda period: period)
def aroonosc(candles: Float2D, period: int = 14, sequential: bool = False) -> Value:
    """Aroon oscillator: rows from the lowest low to the highest high of the last `period` bars, in percent of them.

    Not `aroon`'s up less down, which is over one bar more. NaN until there are `period` rows. Arguments: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> aroonosc(np.array([[i, i, i + 1.0, i + 2.0, i, 1.0] for i in range(4)]), 4)
    np.float64(75.0)
    """
    ...


@kernel
def _smooth_from_first(x, period):
    """Exponential average seeded with the first value, in place."""
    weight = 2.0 / (period + 1.0)
    value = x[0]
    for i in range(x.shape[0]):
        if i > 0:
            value = weight * x[i] + (1.0 - weight) * value
        x[i] = value


@kernel
def _dti(candles, params, out):
    """Thrice averaged movement in percent of its thrice averaged size."""
    n = candles.shape[0]
    if n <= max(params[0], max(params[1], params[2])):
        out[0, :] = np.nan
        return
    moves = np.zeros(n)
    sizes = np.zeros(n)
    for i in range(1, n):
        up = candles[i, HIGH] - candles[i - 1, HIGH]
        down = candles[i - 1, LOW] - candles[i, LOW]
        moves[i] = (up if up > 0.0 else 0.0) - (down if down > 0.0 else 0.0)
        sizes[i] = abs(moves[i])
    for j in range(3):
        _smooth_from_first(moves, params[j])
        _smooth_from_first(sizes, params[j])
    for i in range(n):
        out[0, i] = 100.0 * moves[i] / sizes[i] if sizes[i] != 0.0 else 0.0


@indicator(_dti, none_if_nan=True, settles=lambda r, s, u: max(r, s, u) + 1)
def dti(candles: Float2D, r: int = 14, s: int = 10, u: int = 5, sequential: bool = False) -> Value:
    """DTI, Blau's directional trend index: movement of highs and lows, averaged thrice, in percent of its size.

    The movement is the rise of the high less the fall of the low, each at least 0; the exponential averages of `r`,
    `s` and `u` rows are seeded with 0. 0 without any movement, NaN unless there are more rows than each. Other
    arguments: see `atr`.

    References
    ----------
    .. [1] William Blau, Momentum, Direction, and Divergence, 1995.
    """
    ...


class ERI(NamedTuple):
    """Power of the bulls and of the bears."""

    bull: Value
    bear: Value


@kernel
def _eri(candles, params, out):
    """High and low less a compiled average."""
    n = candles.shape[0]
    source = np.empty(n)
    _fill_source(candles, int(params[2]), source)
    _average(source, int(params[0]), int(params[1]), out[:1])
    highs = _column(candles, HIGH)
    lows = _column(candles, LOW)
    for i in range(n):
        out[1, i] = lows[i] - out[0, i]
        out[0, i] = highs[i] - out[0, i]


def _eri_python(candles: Float2D, params: Float1D, out: Float2D) -> None:
    """High and low less any average."""
    middle = average(source_beside(candles, int(params[2]), int(params[1])), int(params[0]), int(params[1]))
    out[0] = candles[:, HIGH] - middle
    out[1] = candles[:, LOW] - middle


@indicator(
    _eri,
    record=ERI,
    python=_eri_python,
    codes={"source_type": SOURCE_CODES},
    compiled_if=lambda _period, matype, _source: matype in COMPILED,
    settles=lambda period, matype, _source: settles_with(matype, period),
    averages_candles=True,
)
def eri(
    candles: Float2D, period: int = 13, matype: int = 1, source_type: str = "close", sequential: bool = False
) -> ERI:
    """ERI, Elder ray: `bull` is the high and `bear` the low, less an average; `matype` is a code of `ma`.

    Known where the average is. Other arguments: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> eri(np.array([[0, 2.0, 3.0, 4.0, 1.0, 1.0]] * 3), 2)
    ERI(bull=np.float64(1.0), bear=np.float64(-2.0))
    """
    ...


class KDJ(NamedTuple):
    """Stochastic lines, and where they point."""

    k: Value
    d: Value
    j: Value


@kernel
def _place_of_close(candles, period, out):
    """Fill `out` with the place of the close in the range of up to `period` last bars, NaN without a range."""
    n = candles.shape[0]
    highest = np.empty(n)
    lowest = np.empty(n)
    _extreme(candles[:, HIGH], period, 1.0, highest)
    _extreme(candles[:, LOW], period, -1.0, lowest)
    for i in range(n):
        out[i] = 100.0 * (candles[i, CLOSE] - lowest[i]) / (highest[i] - lowest[i])


@kernel
def _kdj(candles, params, out):
    """Averages by compiled codes."""
    n = candles.shape[0]
    place = np.empty(n)
    _place_of_close(candles, int(params[0]), place)
    _average(place, int(params[1]), int(params[2]), out[:1])
    _average(out[0], int(params[3]), int(params[4]), out[1:2])
    for i in range(n):
        out[2, i] = 3.0 * out[0, i] - 2.0 * out[1, i]


def _kdj_python(candles: Float2D, params: Float1D, out: Float2D) -> None:
    """Averages by any codes."""
    place: Float1D = np.empty(len(candles))
    with np.errstate(divide="ignore", invalid="ignore"):
        _place_of_close(candles, int(params[0]), place)
        out[0] = average(place, int(params[1]), int(params[2]))
        out[1] = average(out[0], int(params[3]), int(params[4]))
        out[2] = 3 * out[0] - 2 * out[1]


@indicator(
    _kdj,
    record=KDJ,
    python=_kdj_python,
    compiled_if=lambda _fastk, _slowk, k_matype, _slowd, d_matype: k_matype in COMPILED and d_matype in COMPILED,
    settles=lambda _fastk, slowk, k_matype, slowd, d_matype: max(
        settles_with(k_matype, slowk), settles_with(d_matype, slowd)
    ),
    makes_gaps=True,
)
def kdj(
    candles: Float2D,
    fastk_period: int = 9,
    slowk_period: int = 3,
    slowk_matype: int = 0,
    slowd_period: int = 3,
    slowd_matype: int = 0,
    sequential: bool = False,
) -> KDJ:
    """KDJ: `k` averages the place of the close in the range, `d` averages `k`, and `j = 3 k - 2 d`.

    The range is that of the last `fastk_period` bars, or of those that there are. A bar without any range is unknown:
    plain means (`matype` 0) leave it out, others become NaN from there on. The types are codes of `ma`. Other
    arguments: see `stoch`.

    Examples
    --------
    >>> import numpy as np
    >>> kdj(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]] * 6))
    KDJ(k=np.float64(50.0), d=np.float64(50.0), j=np.float64(50.0))
    """
    ...


def _windowed_ratio(part: Float1D, whole: Float1D, period: int) -> Float1D:
    """Sum of the last parts over that of the last wholes by numpy's convolution; NaN where that is 0."""
    ratio = np.full(len(part), np.nan)
    if len(part) >= period:
        ones = np.ones(period)
        parts = np.convolve(part, ones, mode="valid")
        wholes = np.convolve(whole, ones, mode="valid")
        ratio[period - 1 :] = np.where(wholes != 0, parts / wholes, np.nan)
    return ratio


def _ultosc(candles: Float2D, params: Float1D, out: Float2D) -> None:
    """Buying pressure over true range for three periods, weighted 4, 2 and 1."""
    high, low, close = candles[:, HIGH], candles[:, LOW], candles[:, CLOSE]
    pressure, ranges = np.zeros(len(candles)), np.empty(len(candles))
    ranges[0] = high[0] - low[0]
    floor = np.minimum(low[1:], close[:-1])
    pressure[1:] = close[1:] - floor
    ranges[1:] = np.maximum(high[1:], close[:-1]) - floor
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second, third = (_windowed_ratio(pressure, ranges, int(period)) for period in params)
        out[0] = 100 * (4 * first + 2 * second + third) / 7


@indicator(python=_ultosc, lookback=lambda first, second, third: max(first, second, third) + 1)
def ultosc(
    candles: Float2D, timeperiod1: int = 7, timeperiod2: int = 14, timeperiod3: int = 28, sequential: bool = False
) -> Value:
    """ULTOSC, ultimate oscillator: buying pressure over true range of three periods, weighted 4, 2 and 1, in percent.

    The pressure is the close less the lower of the low and the previous close; 0 at the first row. NaN until there are
    as many rows as the longest period, and without any range in one of them. Arguments: see `atr`.

    References
    ----------
    .. [1] Larry Williams, The Ultimate Oscillator, 1985.

    Examples
    --------
    >>> import numpy as np
    >>> ultosc(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]] * 9), 1, 2, 4)
    np.float64(50.0)
    """
    ...


class VI(NamedTuple):
    """Vortex lines."""

    plus: Value
    minus: Value


@kernel
def _vi(candles, params, out):
    """Sum the distances of highs to previous lows and of lows to previous highs, in units of summed true ranges."""
    n = candles.shape[0]
    period = int(params[0])
    ranges = np.empty(n)
    ups = np.zeros(n)
    downs = np.zeros(n)
    _true_range(candles, ranges)
    for i in range(1, n):
        ups[i] = abs(candles[i, HIGH] - candles[i - 1, LOW])
        downs[i] = abs(candles[i, LOW] - candles[i - 1, HIGH])
    for i in range(n):
        out[0, i] = np.nan
        out[1, i] = np.nan
        if i >= period:
            total = _eight_lane_sum(ranges, i - period + 1, period)
            if total != 0.0:
                out[0, i] = _eight_lane_sum(ups, i - period + 1, period) / total
                out[1, i] = _eight_lane_sum(downs, i - period + 1, period) / total


@indicator(_vi, record=VI, lookback=lambda period: period + 1)
def vi(candles: Float2D, period: int = 14, sequential: bool = False) -> VI:
    """VI, vortex: distances from each low to the next high (`plus`), and from each high to the next low (`minus`).

    Summed over `period` rows, in units of the true range summed over the same. NaN for the first `period` rows, and
    without any range. Arguments: see `atr`.

    References
    ----------
    .. [1] Etienne Botes, Douglas Siepman, Technical Analysis of Stocks & Commodities, January 2010.

    Examples
    --------
    >>> import numpy as np
    >>> vi(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]] * 4), 2)
    VI(plus=np.float64(1.0), minus=np.float64(1.0))
    """
    ...
