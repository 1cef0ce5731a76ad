# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Bands, channels and trailing lines around the price."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import (
    IS_A_WALL,
    LANES,
    _eight_lane_sum,
    _fill_source,
    _mean_true_range,
    _rolling_max,
    _rolling_min,
    _true_range,
)
from fastbt.indicators._registry import (
    OF_CANDLES,
    SOURCE_CODES,
    Value,
    after_vwma,
    indicator,
    select_source,
    settles_with,
)
from fastbt.indicators.moving_average import COMPILED, _average, average, source_beside
from fastbt.indicators.statistics import absolute_deviation
from fastbt.types import CLOSE, HIGH, LOW, Float1D, Float2D


class BollingerBands(NamedTuple):
    """Mean, and the mean plus and minus multiples of the deviation."""

    upperband: Value
    middleband: Value
    lowerband: Value


@kernel
def _bollinger_bands(x, params, out):
    """Mean and deviation from rolled sums of values and squares: what cancellation leaves of them, as in Jesse."""
    period = int(params[0])
    total = 0.0
    squares = 0.0
    n = x.shape[0]
    for i in range(min(period - 1, n)):
        out[:, i] = np.nan
        total += x[i]
        squares += x[i] * x[i]
    for i in range(period - 1, n):
        if i == period - 1:
            total += x[i]
            squares += x[i] * x[i]
        else:
            old = x[i - period]
            total = total - old + x[i]
            squares = squares - (old * old) + (x[i] * x[i])
        mean = total / period
        deviation = np.sqrt((squares / period) - (mean * mean))
        out[0, i] = mean + params[1] * deviation
        out[1, i] = mean
        out[2, i] = mean - params[2] * deviation


@kernel
def _bollinger_bands_windowed(x, params, window, out):
    """Roll the sums from each bar's own first row."""
    n = x.shape[0]
    period = int(params[0])
    if period > window:
        out[:, window:] = np.nan
        return
    squared = x * x
    total = np.empty(LANES)
    squares = np.empty(LANES)
    for first in range(window, n, LANES):
        lanes = min(LANES, n - first)
        start = first + 1 - window
        total[:] = 0.0
        squares[:] = 0.0
        for j in range(start, start + period):
            x_here = x[j : j + lanes]
            squared_here = squared[j : j + lanes]
            for k in range(lanes):
                total[k] += x_here[k]
                squares[k] += squared_here[k]
        for j in range(start + period, first + 1):
            x_old = x[j - period : j - period + lanes]
            x_here = x[j : j + lanes]
            squared_old = squared[j - period : j - period + lanes]
            squared_here = squared[j : j + lanes]
            for k in range(lanes):
                total[k] = total[k] - x_old[k] + x_here[k]
                squares[k] = squares[k] - squared_old[k] + squared_here[k]
        for k in range(lanes):
            mean = total[k] / period
            deviation = np.sqrt((squares[k] / period) - (mean * mean))
            out[0, first + k] = mean + params[1] * deviation
            out[1, first + k] = mean
            out[2, first + k] = mean - params[2] * deviation


@kernel
def _moving_deviation(x, period, is_column, out):
    """Fill `out` with the population standard deviation of the last `period` values.

    The mean adds the values of a column oldest first, others in eight sums, as Jesse does.
    """
    for i in range(x.shape[0]):
        out[i] = np.nan
        if i >= period - 1:
            mean = 0.0
            if is_column:
                for j in range(i - period + 1, i + 1):
                    mean += x[j]
            else:
                mean = _eight_lane_sum(x, i - period + 1, period)
            mean /= period
            spread = 0.0
            for j in range(i - period + 1, i + 1):
                spread += (x[j] - mean) * (x[j] - mean)
            out[i] = np.sqrt(spread / period)


def _bollinger_bands_python(data: Float1D | Float2D, params: Float1D, out: Float2D) -> None:
    """Bands around any average, of any deviation."""
    period, matype, devtype = int(params[0]), int(params[3]), int(params[4])
    x = data if data.ndim == 1 else select_source(data, "hl2")
    deviation: Float1D = np.empty(len(x))
    if devtype == 0:
        if matype in OF_CANDLES:
            raise ValueError(f"bollinger_bands: matype {matype} needs a devtype of 1 or 2, as in Jesse")
        _moving_deviation(np.ascontiguousarray(x), period, not x.flags.c_contiguous, deviation)
    else:
        deviation = absolute_deviation(np.ascontiguousarray(x), period, devtype)
    # Jesse hands these two on without the source: they average the close, and the deviation is that of hl2.
    out[1] = average(data[:, :6] if data.ndim == 2 else data, period, matype)
    out[0] = out[1] + params[1] * deviation
    out[2] = out[1] - params[2] * deviation


@indicator(
    _bollinger_bands,
    python=_bollinger_bands_python,
    compiled_if=lambda _period, _devup, _devdn, matype, devtype: matype == 0 and devtype == 0,
    record=BollingerBands,
    windowed=_bollinger_bands_windowed,
    settles=lambda period, _devup, _devdn, matype, _devtype: settles_with(matype, period),
    accepts_1d=True,
    averages_candles=True,
    natural=True,
)
def bollinger_bands(
    candles: Float2D | Float1D,
    period: int = 20,
    devup: float = 2,
    devdn: float = 2,
    matype: int = 0,
    devtype: int = 0,
    source_type: str = "close",
    sequential: bool = False,
) -> BollingerBands:
    """Bollinger bands: the mean of the last `period` values, plus and minus multiples of their deviation.

    NaN until there are `period` rows. The deviation comes from rolling sums, so prices that do not move may leave a
    tiny deviation or NaN, as in Jesse.

    Parameters
    ----------
    candles, period, source_type, sequential
        See `sma`.
    devup, devdn : float
        Deviations from the middle to the upper and to the lower band.
    matype, devtype : int
        Code of the average (see `ma`), and of the deviation: 0 population standard deviation, 1 `mean_ad`,
        2 `median_ad`. With the averages 24 and 29, which need the candles, the middle is that of the close and the
        deviation, 1 or 2, that of hl2, whatever `source_type` is, as in Jesse.

    Returns
    -------
    BollingerBands
        `upperband`, `middleband`, `lowerband`, in units of the source.

    Examples
    --------
    >>> import numpy as np
    >>> bollinger_bands(np.array([1.0, 3.0]), 2).upperband
    np.float64(4.0)
    """
    ...


class DonchianChannel(NamedTuple):
    """Highest high, lowest low and the middle between them."""

    upperband: Value
    middleband: Value
    lowerband: Value


@kernel
def _donchian(candles, params, out):
    """Range of the last `period` bars, the current one included."""
    period = int(params[0])
    _rolling_max(candles[:, HIGH], period, IS_A_WALL, out[0])
    _rolling_min(candles[:, LOW], period, IS_A_WALL, out[2])
    for i in range(candles.shape[0]):
        out[1, i] = (out[0, i] + out[2, i]) / 2.0


@indicator(_donchian, record=DonchianChannel, lookback=lambda period: period)
def donchian(candles: Float2D, period: int = 20, sequential: bool = False) -> DonchianChannel:
    """Donchian channel: the highest high and the lowest low of the last `period` bars, the current one included.

    NaN until there are `period` rows.

    Parameters
    ----------
    candles, period, sequential
        See `atr`.

    Returns
    -------
    DonchianChannel
        `upperband`, `middleband`, `lowerband`, in quote currency.

    Examples
    --------
    >>> import numpy as np
    >>> donchian(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]] * 2), 2).middleband
    np.float64(3.0)
    """
    ...


class SuperTrend(NamedTuple):
    """The trailing line, and 1 where it changed sides."""

    trend: Value
    changed: Value


@kernel
def _supertrend(candles, params, out):
    """Bands of a Wilder average of the true range that only tighten; the line is one of them until it is crossed."""
    n = candles.shape[0]
    period = int(params[0])
    factor = params[1]
    true_range = np.empty(n)
    _true_range(candles, true_range)
    average = 0.0
    upper = 0.0
    lower = 0.0
    trend = 0.0
    for i in range(n):
        close = candles[i, CLOSE]
        middle = (candles[i, HIGH] + candles[i, LOW]) / 2.0
        out[0, i] = 0.0
        out[1, i] = 0.0
        if i < period:
            average += true_range[i]
            if i < period - 1:
                continue
            average /= period
            reach = 0.0 if np.isnan(average) else factor * average
            upper = middle + reach
            lower = middle - reach
            trend = upper if close <= upper else lower
            out[0, i] = trend
            continue
        average = (average * (period - 1.0) + true_range[i]) / period
        previous = candles[i - 1, CLOSE]
        was_upper = trend == upper
        reach = 0.0 if np.isnan(average) else factor * average
        new_upper = middle + reach
        new_lower = middle - reach
        # A new band that is not known leaves the old one.
        upper = upper if previous <= upper and not new_upper < upper else new_upper
        lower = lower if previous >= lower and not new_lower > lower else new_lower
        if was_upper:
            trend = upper if close <= upper else lower
            out[1, i] = 0.0 if close <= upper else 1.0
        else:
            trend = lower if close >= lower else upper
            out[1, i] = 0.0 if close >= lower else 1.0
        out[0, i] = trend


@kernel
def _supertrend_windowed(candles, params, window, out):
    """Start the path at each bar's own first row."""
    n = candles.shape[0]
    period = int(params[0])
    factor = params[1]
    if period > window:
        out[:, window:] = 0.0
        return
    true_range = np.empty(n)
    _true_range(candles, true_range)
    closes = candles[:, CLOSE].copy()
    middles = np.empty(n)
    for i in range(n):
        middles[i] = (candles[i, HIGH] + candles[i, LOW]) / 2.0
    keep = period - 1.0
    average = np.empty(LANES)
    upper = np.empty(LANES)
    lower = np.empty(LANES)
    trend = np.empty(LANES)
    changed = np.empty(LANES)
    for first in range(window, n, LANES):
        lanes = min(LANES, n - first)
        start = first + 1 - window
        for k in range(lanes):
            average[k] = candles[start + k, HIGH] - candles[start + k, LOW]
        for j in range(start + 1, start + period):
            true_range_here = true_range[j : j + lanes]
            for k in range(lanes):
                average[k] += true_range_here[k]
        seeded = start + period - 1
        for k in range(lanes):
            average[k] /= period
            reach = 0.0 if np.isnan(average[k]) else factor * average[k]
            upper[k] = middles[seeded + k] + reach
            lower[k] = middles[seeded + k] - reach
            trend[k] = upper[k] if closes[seeded + k] <= upper[k] else lower[k]
            changed[k] = 0.0
        for j in range(seeded + 1, first + 1):
            closes_here = closes[j : j + lanes]
            closes_before = closes[j - 1 : j - 1 + lanes]
            middles_here = middles[j : j + lanes]
            true_range_here = true_range[j : j + lanes]
            for k in range(lanes):
                close = closes_here[k]
                previous = closes_before[k]
                middle = middles_here[k]
                average[k] = (average[k] * keep + true_range_here[k]) / period
                was_upper = trend[k] == upper[k]
                reach = 0.0 if np.isnan(average[k]) else factor * average[k]
                new_upper = middle + reach
                new_lower = middle - reach
                high = upper[k] if previous <= upper[k] and not new_upper < upper[k] else new_upper
                low = lower[k] if previous >= lower[k] and not new_lower > lower[k] else new_lower
                is_upper = (was_upper and close <= high) or (not was_upper and not close >= low)
                trend[k] = high if is_upper else low
                changed[k] = 0.0 if is_upper == was_upper else 1.0
                upper[k] = high
                lower[k] = low
        for k in range(lanes):
            out[0, first + k] = trend[k]
            out[1, first + k] = changed[k]


@indicator(_supertrend, record=SuperTrend, windowed=_supertrend_windowed)
def supertrend(candles: Float2D, period: int = 10, factor: float = 3, sequential: bool = False) -> SuperTrend:
    """Supertrend: a line `factor` average true ranges from the middle of the bars that only moves towards the price.

    When the close crosses it, it changes to the other side. 0 until there are `period` rows.

    Parameters
    ----------
    candles, period, sequential
        See `atr`.
    factor : float
        Average true ranges (Wilder's) between the middle of a bar and the line.

    Returns
    -------
    SuperTrend
        `trend` in quote currency, and `changed`, 1.0 where the line changed sides, else 0.0.

    Examples
    --------
    >>> import numpy as np
    >>> supertrend(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]] * 3), 2, 1.0)
    SuperTrend(trend=np.float64(5.0), changed=np.float64(0.0))
    """
    ...


@kernel
def _bollinger_bands_width(x, params, out):
    """Distance of the bands in units of the middle."""
    n = x.shape[0]
    bands = np.empty((3, n))
    _bollinger_bands(x, np.array([params[0], params[1], params[1]]), bands)
    for i in range(n):
        out[0, i] = np.nan
        if bands[1, i] != 0.0:
            out[0, i] = (bands[0, i] - bands[2, i]) / bands[1, i]


@indicator(_bollinger_bands_width, accepts_1d=True)
def bollinger_bands_width(
    candles: Float2D | Float1D,
    period: int = 20,
    mult: float = 2.0,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """Width of the Bollinger bands: upper less lower band, in units of the middle one.

    NaN until there are `period` rows. Arguments and result: see `sma`.
    """
    ...


class KeltnerChannel(NamedTuple):
    """An average, and the average plus and minus multiples of the true range."""

    upperband: Value
    middleband: Value
    lowerband: Value


@kernel
def _keltner_around(candles, middle, params, out):
    """Bands around an average."""
    n = candles.shape[0]
    ranges = np.empty(n)
    _mean_true_range(candles, int(params[0]), ranges)
    for i in range(n):
        out[0, i] = middle[i] + params[1] * ranges[i]
        out[1, i] = middle[i]
        out[2, i] = middle[i] - params[1] * ranges[i]


@kernel
def _keltner(candles, params, out):
    """Bands around one of the compiled averages."""
    n = candles.shape[0]
    source = np.empty(n)
    _fill_source(candles, int(params[3]), source)
    middle = np.empty((1, n))
    _average(source, int(params[0]), int(params[2]), middle)
    _keltner_around(candles, middle[0], params, out)


def _keltner_python(candles: Float2D, params: Float1D, out: Float2D) -> None:
    """Bands around any average."""
    data = source_beside(candles, int(params[3]), int(params[2]))
    middle = average(data, int(params[0]), int(params[2]))
    # Jesse's true ranges see the closes as an average weighted by volume leaves them.
    seen = np.ascontiguousarray(after_vwma(data, params[2])[:, :6]) if data.ndim == 2 else candles
    _keltner_around(seen, middle, params, out)


@indicator(
    _keltner,
    python=_keltner_python,
    compiled_if=lambda _period, _multiplier, matype, _source_type: matype in COMPILED,
    record=KeltnerChannel,
    codes={"source_type": SOURCE_CODES},
    settles=lambda period, _multiplier, matype, _source_type: settles_with(matype, period),
    averages_candles=True,
)
def keltner(
    candles: Float2D,
    period: int = 20,
    multiplier: float = 2,
    matype: int = 1,
    source_type: str = "close",
    sequential: bool = False,
) -> KeltnerChannel:
    """Keltner channel: an average, plus and minus multiples of Wilder's average true range.

    The bands are NaN until there are `period` rows. `matype` is a code of `ma`. Other arguments: see `atr`.
    """
    ...
