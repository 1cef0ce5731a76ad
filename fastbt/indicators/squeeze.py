# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Quiet and active markets: volatility beside its own past, and bands inside channels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import _fill_source, _mean_true_range, _pairwise_sum, _true_range, _true_range_of_numpy
from fastbt.indicators._registry import SOURCE_CODES, Value, compute, get, indicator
from fastbt.indicators.averages import _ema, _sma
from fastbt.indicators.oscillators import _macd
from fastbt.indicators.statistics import _linearreg, _stddev
from fastbt.types import CLOSE, HIGH, LOW, Float1D, Float2D


class DamianiVolatmeter(NamedTuple):
    """Volatility, and what it has to exceed."""

    vol: Value
    anti: Value


@kernel
def _rolled_deviation(x, period, out):
    """Fill `out` with the deviation of the `period` values before each row, from sums moved on by one difference.

    0 until there are as many, and where it is not known.
    """
    total = 0.0
    squares = 0.0
    for i in range(x.shape[0]):
        out[i] = 0.0
        if i >= period:
            mean = total / period
            spread = squares / period - mean * mean
            out[i] = np.sqrt(spread) if spread > 0.0 else 0.0
            old = x[i - period]
            total += x[i] - old
            squares += x[i] * x[i] - old * old
        else:
            total += x[i]
            squares += x[i] * x[i]


@kernel
def _damiani_volatmeter(candles, params, out):
    """Ratios of short to long true ranges, fed back, and of short to long deviations."""
    n = candles.shape[0]
    start = int(params[3])
    source = np.empty(n)
    short = np.empty((2, n))
    long = np.empty((2, n))
    _fill_source(candles, int(params[5]), source)
    _mean_true_range(candles, int(params[0]), short[0])
    _mean_true_range(candles, int(params[2]), long[0])
    _rolled_deviation(source, int(params[1]), short[1])
    _rolled_deviation(source, start, long[1])
    for i in range(n):
        out[:, i] = 0.0
        if i >= start:
            ratio = short[0, i] / long[0, i] if long[0, i] != 0.0 else 0.0
            ratio = 0.0 if np.isnan(short[0, i]) or np.isnan(long[0, i]) else ratio
            out[0, i] = ratio + 0.5 * out[0, i - 1] - 0.5 * (out[0, i - 3] if i >= 3 else 0.0)
            out[1, i] = params[4] - short[1, i] / long[1, i]


@indicator(_damiani_volatmeter, record=DamianiVolatmeter, codes={"source_type": SOURCE_CODES})
def damiani_volatmeter(
    candles: Float2D,
    vis_atr: int = 13,
    vis_std: int = 20,
    sed_atr: int = 40,
    sed_std: int = 100,
    threshold: float = 1.4,
    source_type: str = "close",
    sequential: bool = False,
) -> DamianiVolatmeter:
    """Damiani volatmeter: trade while `vol` is above `anti`. Both are 0 for the first `sed_std` rows.

    `vol` is the mean true range over `vis_atr` rows in units of that over `sed_atr`, plus half of its own change over
    two rows; `anti` is `threshold` less the deviation over `vis_std` rows in units of that over `sed_std`, both of
    the rows before. Other arguments: see `atr`, `select_source`.
    """
    ...


class SqueezeMomentum(NamedTuple):
    """Squeeze (-1 on, 1 off, 0 neither), momentum, and its direction."""

    squeeze: Value | list[int] | int
    momentum: Value
    momentum_signal: Value | list[int] | int


@kernel
def _squeeze_momentum(candles, params, out):
    """Compare bands with channels; regress the distance from the middle of the range."""
    n = candles.shape[0]
    length = params[0]
    channel = params[2]
    factor = params[3]
    closes = candles[:, CLOSE].copy()
    rows = np.empty((6, n))
    _sma(closes, np.array([length]), rows[0:1])
    _stddev(closes, np.array([length, 1.0]), rows[1:2])
    _sma(closes, np.array([channel]), rows[2:3])
    _true_range_of_numpy(candles, rows[3])
    _sma(rows[3], np.array([channel]), rows[4:5])
    period = int(channel)
    for i in range(n):
        deviation = factor * rows[1, i]
        upper = rows[0, i] + deviation
        lower = rows[0, i] - deviation
        reach = rows[4, i] * factor
        top = rows[2, i] + reach
        bottom = rows[2, i] - reach
        out[0, i] = -1.0 if lower > bottom and upper < top else 1.0 if lower < bottom and upper > top else 0.0
        middle = 0.0
        mean = 0.0
        if i >= period - 1:
            highest = candles[i, HIGH]
            lowest = candles[i, LOW]
            for j in range(i - period + 1, i):
                # What is not known spreads, and then counts as 0.
                highest = highest if highest > candles[j, HIGH] or np.isnan(highest) else candles[j, HIGH]
                lowest = lowest if lowest < candles[j, LOW] or np.isnan(lowest) else candles[j, LOW]
            middle = ((0.0 if np.isnan(highest) else highest) + (0.0 if np.isnan(lowest) else lowest)) / 2.0
            mean = 0.0 if np.isnan(rows[2, i]) else rows[2, i]
        rows[5, i] = closes[i] - (middle + mean) / 2.0
    _linearreg(rows[5], np.array([channel]), out[1:2])
    out[2, 0] = np.nan
    for i in range(1, n):
        if out[1, i] > 0.0:
            out[2, i] = 1.0 if out[1, i] > out[1, i - 1] else 2.0
        else:
            out[2, i] = -1.0 if out[1, i] < out[1, i - 1] else -2.0


def _squeeze_result(values: list[Any], sequential: bool) -> SqueezeMomentum:
    """Return whole numbers, and no signal for the first row: lists, as Jesse does."""
    squeeze, momentum, direction = values
    if sequential:
        return SqueezeMomentum(squeeze.astype(int).tolist(), momentum, direction[1:].astype(int).tolist())
    return SqueezeMomentum(int(squeeze), momentum, direction if np.isnan(direction) else int(direction))


@indicator(_squeeze_momentum, record=SqueezeMomentum, sliced=False, result=_squeeze_result)
def squeeze_momentum(
    candles: Float2D,
    length: int = 20,
    mult: float = 2.0,
    length_kc: int = 20,
    mult_kc: float = 1.5,
    sequential: bool = True,
) -> SqueezeMomentum:
    """Squeeze momentum: whether the Bollinger bands are inside the Keltner channel, and where the price is heading.

    `squeeze` is -1 if they are inside, 1 if they are outside, else 0. `momentum` is the regression over `length_kc`
    rows of the close less the middle between the middle of its range and its mean. `momentum_signal` is 1 or 2
    (positive, rising or not) or -1 or -2 (negative, falling or not); it has no first row. Other than elsewhere,
    sequential is the default, and all candles are used. `mult` has no effect, both widths are `mult_kc`, as in Jesse.

    Parameters
    ----------
    candles, sequential
        See `atr`.
    length, length_kc : int
        Rows of the bands and of the channel.
    mult, mult_kc : float

    Returns
    -------
    SqueezeMomentum
        `squeeze` and `momentum_signal` (lists), `momentum` in quote currency.
    """
    ...


def _ttm_squeeze(candles: Float2D, params: Float1D, window: int, out: Float2D) -> None:
    """Compare bands over the last rows with a channel whose width is rolled over all rows."""
    length, band, reach = params
    closes = np.ascontiguousarray(candles[:, CLOSE])
    bands = compute(get("bollinger_bands"), closes, (length, band, 2.0, 0.0, 0.0), sequential=False, window=window)
    (middle,) = compute(get("sma"), closes, (length,), sequential=False, window=window)
    ranges: Float1D = np.empty(len(candles))
    _true_range(candles, ranges)
    (mean,) = compute(get("sma"), ranges, (length,), sequential=True, window=0)
    out[0] = (bands[2] < middle - mean * reach) | (bands[0] > middle + mean * reach)


@indicator(inside=_ttm_squeeze, booleans=frozenset(("value",)), result=lambda values, _sequential: bool(values[0]))
def ttm_squeeze(
    candles: Float2D, length_ttms: int = 20, bb_mult_ttms: float = 2.0, kc_mult_low_ttms: float = 2.0
) -> bool:
    """TTM squeeze: whether a Bollinger band is *outside* the Keltner channel.

    The lower band is 2 deviations from the mean, the upper one `bb_mult_ttms`; the channel is `kc_mult_low_ttms` mean
    true ranges wide on either side, and these are rolled over all candles, not the last ones only. There is no
    sequential form. Other arguments: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> ttm_squeeze(np.full((30, 6), 7.0))
    False
    """
    ...


@kernel
def _ttm_trend(candles, params, out):
    """Whether the close is above the mean of the source."""
    n = candles.shape[0]
    period = int(params[0])
    source = np.empty(n)
    _fill_source(candles, int(params[1]), source)
    for i in range(n):
        out[0, i] = 0.0
        if i >= period - 1 and candles[i, CLOSE] > _pairwise_sum(source, i - period + 1, period) / period:
            out[0, i] = 1.0


@indicator(
    _ttm_trend,
    booleans=frozenset(("value",)),
    codes={"source_type": SOURCE_CODES},
    lookback=lambda period, _source_type: period,
)
def ttm_trend(candles: Float2D, period: int = 5, source_type: str = "hl2", sequential: bool = False) -> Value | bool:
    """TTM trend: whether the close is above the mean of the last `period` values of the source.

    False until there are `period` rows. Arguments: see `atr`, `select_source`.

    Examples
    --------
    >>> import numpy as np
    >>> bool(ttm_trend(np.full((30, 6), 7.0)))
    False
    """
    ...


@kernel
def _stiffness(x, params, out):
    """Smoothed share of the last values that were above a line below their mean."""
    n = x.shape[0]
    length = int(params[1])
    mean = np.empty((1, n))
    deviation = np.empty((1, n))
    share = np.empty(n)
    _sma(x, params, mean)
    _stddev(x, np.array([params[0], 1.0]), deviation)
    above = 0
    for i in range(n):
        above += 1 if x[i] > mean[0, i] - 0.2 * deviation[0, i] else 0
        if i >= length:
            above -= 1 if x[i - length] > mean[0, i - length] - 0.2 * deviation[0, i - length] else 0
        share[i] = above * 100.0 / params[1] if i >= length else 0.0
    _ema(share, params[2:3], out)


@indicator(_stiffness, accepts_1d=True, settles=lambda _length, _count, smooth: smooth)
def stiffness(
    candles: Float2D | Float1D,
    ma_length: int = 100,
    stiff_length: int = 60,
    stiff_smooth: int = 3,
    source_type: str = "close",
) -> Value:
    """Stiffness: in percent, how many of the last `stiff_length` values were above their mean less 0.2 deviations.

    Mean and deviation are those of `ma_length` rows; the percentage is smoothed exponentially over `stiff_smooth`
    rows. There is no sequential form. Other arguments: see `sma`.
    """
    ...


class WaddahAttarExplosionTuple(NamedTuple):
    """Width of the bands, change of the MACD, and its sign."""

    explosion_line: Value
    trend_power: Value
    trend_direction: Value | int


@kernel
def _waddah_attar_explosion(x, params, out):
    """Change of the MACD line, and the distance of two bands."""
    n = x.shape[0]
    lines = np.empty((3, n))
    mean = np.empty((1, n))
    deviation = np.empty((1, n))
    _macd(x, np.array([params[1], params[2], 9.0]), lines)
    _sma(x, params[3:4], mean)
    _stddev(x, np.array([params[3], 1.0]), deviation)
    for i in range(n):
        reach = params[4] * deviation[0, i]
        out[0, i] = (mean[0, i] + reach) - (mean[0, i] - reach)
        out[1, i] = (lines[0, i] - lines[0, i - 1]) * params[0] if i > 0 else np.nan
        out[2, i] = 1.0 if out[1, i] >= 0.0 else -1.0


def _explosion(values: list[Any], _sequential: bool) -> WaddahAttarExplosionTuple:
    """Return the direction as a whole number."""
    return WaddahAttarExplosionTuple(values[0], values[1], int(values[2]))


@indicator(_waddah_attar_explosion, accepts_1d=True, record=WaddahAttarExplosionTuple, result=_explosion)
def waddah_attar_explosion(
    candles: Float2D | Float1D,
    sensitivity: int = 150,
    fast_length: int = 20,
    slow_length: int = 40,
    channel_length: int = 20,
    mult: float = 2.0,
    source_type: str = "close",
) -> WaddahAttarExplosionTuple:
    """Waddah Attar explosion: the change of the MACD line, and the distance of Bollinger bands.

    `trend_power` is the change times `sensitivity`, `trend_direction` 1 if it is not negative, else -1;
    `explosion_line` is the distance of the bands `mult` deviations from the mean of `channel_length` rows. There is
    no sequential form. Other arguments: see `sma`.
    """
    ...
