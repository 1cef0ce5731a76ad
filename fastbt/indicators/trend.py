# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Trend: whether prices go somewhere, and which way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import LANES, _greater, _has_unknown, _lesser, _true_range
from fastbt.indicators._registry import Value, indicator
from fastbt.types import HIGH, LOW, Float2D


@kernel
def _directional_movement(candles, plus, minus):
    """Fill the upward and the downward movement of each bar; the first row has none."""
    plus[0] = 0.0
    minus[0] = 0.0
    for i in range(1, candles.shape[0]):
        up = candles[i, HIGH] - candles[i - 1, HIGH]
        down = candles[i - 1, LOW] - candles[i, LOW]
        plus[i] = up if up > down and up > 0.0 else 0.0
        minus[i] = down if down > up and down > 0.0 else 0.0


@kernel
def _directional_index(true_range, plus, minus):
    """Distance of the directional indicators in percent of their sum; 0 if there is none."""
    plus_index = 100.0 * plus / true_range
    minus_index = 100.0 * minus / true_range
    both = plus_index + minus_index
    index = 100.0 * abs(plus_index - minus_index) / both
    return index if true_range != 0.0 and both != 0.0 else 0.0


@kernel
def _adx(candles, params, out):
    """Wilder average of the directional index. The index of row 2 * period is dropped, as in Jesse."""
    n = candles.shape[0]
    period = int(params[0])
    if n <= 2 * period:
        out[0, :] = np.nan
        return
    for i in range(2 * period):
        out[0, i] = np.nan
    ranges = np.empty(n)
    ups = np.empty(n)
    downs = np.empty(n)
    _true_range(candles, ranges)
    _directional_movement(candles, ups, downs)
    true_range = 0.0
    plus = 0.0
    minus = 0.0
    value = 0.0
    for i in range(1, n):
        if i <= period:
            true_range += ranges[i]
            plus += ups[i]
            minus += downs[i]
            if i < period:
                continue
        else:
            true_range = true_range - (true_range / period) + ranges[i]
            plus = plus - (plus / period) + ups[i]
            minus = minus - (minus / period) + downs[i]
        index = _directional_index(true_range, plus, minus)
        if i < 2 * period:
            value += index
            continue
        value = value / period if i == 2 * period else (value * (period - 1.0) + index) / period
        out[0, i] = value


@kernel
def _adx_windowed(candles, params, window, out):
    """Seed the sums at each bar's own first row."""
    n = candles.shape[0]
    period = int(params[0])
    if window <= 2 * period:
        out[0, window:] = np.nan
        return
    ranges = np.empty(n)
    ups = np.empty(n)
    downs = np.empty(n)
    _true_range(candles, ranges)
    _directional_movement(candles, ups, downs)
    keep = period - 1.0
    true_range = np.empty(LANES)
    plus = np.empty(LANES)
    minus = np.empty(LANES)
    value = np.empty(LANES)
    for first in range(window, n, LANES):
        lanes = min(LANES, n - first)
        start = first + 1 - window
        true_range[:] = 0.0
        plus[:] = 0.0
        minus[:] = 0.0
        for j in range(start + 1, start + period + 1):
            ranges_here = ranges[j : j + lanes]
            ups_here = ups[j : j + lanes]
            downs_here = downs[j : j + lanes]
            for k in range(lanes):
                true_range[k] += ranges_here[k]
                plus[k] += ups_here[k]
                minus[k] += downs_here[k]
        for k in range(lanes):
            value[k] = 0.0 + _directional_index(true_range[k], plus[k], minus[k])
        for j in range(start + period + 1, start + 2 * period):
            ranges_here = ranges[j : j + lanes]
            ups_here = ups[j : j + lanes]
            downs_here = downs[j : j + lanes]
            for k in range(lanes):
                true_range[k] = true_range[k] - (true_range[k] / period) + ranges_here[k]
                plus[k] = plus[k] - (plus[k] / period) + ups_here[k]
                minus[k] = minus[k] - (minus[k] / period) + downs_here[k]
                value[k] += _directional_index(true_range[k], plus[k], minus[k])
        dropped = start + 2 * period
        for k in range(lanes):
            true_range[k] = true_range[k] - (true_range[k] / period) + ranges[dropped + k]
            plus[k] = plus[k] - (plus[k] / period) + ups[dropped + k]
            minus[k] = minus[k] - (minus[k] / period) + downs[dropped + k]
            value[k] /= period
        for j in range(dropped + 1, first + 1):
            ranges_here = ranges[j : j + lanes]
            ups_here = ups[j : j + lanes]
            downs_here = downs[j : j + lanes]
            for k in range(lanes):
                true_range[k] = true_range[k] - (true_range[k] / period) + ranges_here[k]
                plus[k] = plus[k] - (plus[k] / period) + ups_here[k]
                minus[k] = minus[k] - (minus[k] / period) + downs_here[k]
                index = _directional_index(true_range[k], plus[k], minus[k])
                value[k] = (value[k] * keep + index) / period
        for k in range(lanes):
            out[0, first + k] = value[k]


@indicator(_adx, windowed=_adx_windowed)
def adx(candles: Float2D, period: int = 14, sequential: bool = False) -> Value:
    """Average directional index: how strong the trend is, whichever way it goes.

    NaN for the first `2 * period` rows. Seeded with the mean of the directional index of the rows `period` to
    `2 * period - 1`; the one of row `2 * period` does not count, as in Jesse.

    Parameters
    ----------
    candles, period, sequential
        See `atr`.

    Returns
    -------
    float or ndarray, shape (n,)
        0 to 100.

    References
    ----------
    .. [1] J. Welles Wilder, New Concepts in Technical Trading Systems, 1978.

    Examples
    --------
    >>> import numpy as np
    >>> rising = np.array([[i, i + 1.0, i + 2.0, i + 3.0, i + 1.0, 1.0] for i in range(6)])
    >>> adx(rising, 2)
    np.float64(100.0)
    """
    ...


class DI(NamedTuple):
    """Directional indicators."""

    plus: Value
    minus: Value


@kernel
def _di(candles, params, out):
    """Directional movement in percent of the true range; both are seeded with sums, then averaged."""
    n = candles.shape[0]
    period = int(params[0])
    if n < period + 1:
        out[:, :] = np.nan
        return
    for i in range(period):
        out[:, i] = np.nan
    ranges = np.empty(n)
    ups = np.empty(n)
    downs = np.empty(n)
    _true_range(candles, ranges)
    _directional_movement(candles, ups, downs)
    keep = period - 1.0
    true_range = 0.0
    plus = 0.0
    minus = 0.0
    for i in range(1, n):
        if i <= period:
            true_range += ranges[i]
            plus += ups[i]
            minus += downs[i]
        else:
            true_range = (true_range * keep + ranges[i]) / period
            plus = (plus * keep + ups[i]) / period
            minus = (minus * keep + downs[i]) / period
        if i >= period:
            out[0, i] = 100.0 * plus / true_range if true_range > 0.0 else 0.0
            out[1, i] = 100.0 * minus / true_range if true_range > 0.0 else 0.0


@indicator(_di, record=DI)
def di(candles: Float2D, period: int = 14, sequential: bool = False) -> DI:
    """Directional indicators: smoothed upward and downward movement in percent of the smoothed true range.

    NaN for the first `period` rows. Seeded with sums, then smoothed as averages, as in Jesse; other than inside
    `adx`. Arguments: see `atr`.
    """
    ...


class DM(NamedTuple):
    """Directional movement."""

    plus: Value
    minus: Value


@kernel
def _dm(candles, params, out):
    """Wilder's sums of the directional movement."""
    n = candles.shape[0]
    period = int(params[0])
    out[:, :] = np.nan
    ups = np.empty(n)
    downs = np.empty(n)
    _directional_movement(candles, ups, downs)
    plus = 0.0
    minus = 0.0
    for i in range(1, n):
        if i <= period:
            plus += ups[i]
            minus += downs[i]
        else:
            plus = plus - (plus / period) + ups[i]
            minus = minus - (minus / period) + downs[i]
        if i >= period:
            out[0, i] = plus
            out[1, i] = minus


@indicator(_dm, record=DM)
def dm(candles: Float2D, period: int = 14, sequential: bool = False) -> DM:
    """Directional movement: Wilder's running sums of the moves beyond the previous high and below the previous low.

    NaN for the first `period` rows. Arguments: see `atr`.
    """
    ...


class DX(NamedTuple):
    """Average directional index and the directional indicators."""

    adx: Value
    plusDI: Value
    minusDI: Value


@kernel
def _dx(candles, params, out):
    """Directional indicators and their distance, averaged with seeds that know the last row."""
    n = candles.shape[0]
    ranges = np.empty(n)
    ups = np.empty(n)
    downs = np.empty(n)
    _true_range(candles, ranges)
    _directional_movement(candles, ups, downs)
    alpha = 1.0 / params[0]
    beta = 1.0 - alpha
    true_range = ranges[n - 1]
    plus = ups[n - 1]
    minus = downs[n - 1]
    for i in range(n):
        true_range = alpha * ranges[i] + beta * true_range
        plus = alpha * ups[i] + beta * plus
        minus = alpha * downs[i] + beta * minus
        plus_index = 100.0 * plus / true_range
        minus_index = 100.0 * minus / true_range
        plus_index = plus_index if true_range != 0.0 else 0.0
        minus_index = minus_index if true_range != 0.0 else 0.0
        both = plus_index + minus_index
        apart = abs(plus_index - minus_index)
        out[0, i] = apart if both == 0.0 else apart / both
        out[1, i] = plus_index
        out[2, i] = minus_index
    alpha = 1.0 / params[1]
    beta = 1.0 - alpha
    value = 100.0 * (alpha * out[0, 0] + beta * out[0, n - 1])
    out[0, 0] = value
    for i in range(1, n):
        value = beta * value + 100.0 * alpha * out[0, i]
        out[0, i] = value


@indicator(_dx, record=DX, prefix_stable=False)
def dx(candles: Float2D, di_length: int = 14, adx_smoothing: int = 14, sequential: bool = False) -> DX:
    """Average directional index with its directional indicators, all known from the first row on.

    The seeds of its averages mix in the last row, as in Jesse. Arguments: see `atr`.
    """
    ...


class AG(NamedTuple):
    """Alligator lines."""

    jaw: Value
    teeth: Value
    lips: Value


@kernel
def _alligator(x, _params, out):
    """Three smoothed averages, shifted forward; all recursions start at row 13, as in Jesse."""
    n = x.shape[0]
    out[:, :] = np.nan
    if n < 13:
        return
    periods = (13, 8, 5)
    shifts = (8, 5, 3)
    for line in range(3):
        period = periods[line]
        shift = shifts[line]
        value = 0.0
        for i in range(period):
            value += x[i]
        value /= period
        alpha = 1.0 / period
        if period - 1 + shift < n:
            out[line, period - 1 + shift] = value
        for i in range(13, n - shift):
            value = alpha * x[i] + (1.0 - alpha) * value
            out[line, i + shift] = value


@indicator(_alligator, record=AG, settles=lambda: 13)
def alligator(candles: Float2D, source_type: str = "hl2", sequential: bool = False) -> AG:
    """Alligator: smoothed averages of 13, 8 and 5 rows, shifted forward by 8, 5 and 3.

    Each starts with its mean, and moves on from row 13 only, as in Jesse. Other arguments: see `atr`.
    """
    ...


class IchimokuCloud(NamedTuple):
    """Ichimoku lines at the last row."""

    conversion_line: Value
    base_line: Value
    span_a: Value
    span_b: Value


@kernel
def _middle(candles, start, end, period):
    """Middle of the range of the `period` bars before row `end`, NaN if there are fewer since row `start`."""
    if end - start < period:
        return np.nan
    highest = -np.inf
    lowest = np.inf
    for i in range(end - period, end):
        highest = max(highest, candles[i, HIGH])
        lowest = min(lowest, candles[i, LOW])
    return (highest + lowest) / 2.0


@kernel
def _ichimoku_cloud(candles, params, out):
    """Middles of ranges, now and as they were shifted into the present; unknown with fewer than 80 rows."""
    out[:, :] = np.nan
    conversion = int(params[0])
    base = int(params[1])
    lagging = int(params[2])
    shift = int(params[3]) - 1
    for i in range(79, candles.shape[0]):
        start = i - 79
        # An end of -0 leaves Jesse no rows before it.
        past = i + 1 - shift if shift > 0 else start
        out[0, i] = _middle(candles, start, i + 1, conversion)
        out[1, i] = _middle(candles, start, i + 1, base)
        out[2, i] = (_middle(candles, start, past, conversion) + _middle(candles, start, past, base)) / 2.0
        out[3, i] = _middle(candles, start, past, lagging)


@indicator(_ichimoku_cloud, record=IchimokuCloud, rows=80, lookback=lambda *_: 80)
def ichimoku_cloud(
    candles: Float2D,
    conversion_line_period: int = 9,
    base_line_period: int = 26,
    lagging_line_period: int = 52,
    displacement: int = 26,
) -> IchimokuCloud:
    """Ichimoku cloud at the last row: middles of ranges of the last bars; the spans as they were `displacement` ago.

    It sees the last 80 rows: NaN with fewer, or where a period or the displacement needs more; with a displacement of
    1 the spans are NaN. There is no sequential form. Arguments: see `atr`.
    """
    ...


@kernel
def _sar(candles, params, out):
    """Stop that follows the trend, faster with every new extreme, and turns when it is touched."""
    n = candles.shape[0]
    step = params[0]
    limit = params[1]
    rising = n > 1 and candles[1, HIGH] > candles[0, HIGH]
    stop = candles[0, LOW] if rising else candles[0, HIGH]
    extreme = candles[0, HIGH] if rising else candles[0, LOW]
    speed = step
    out[0, 0] = stop
    for i in range(1, n):
        high = candles[i, HIGH]
        low = candles[i, LOW]
        if rising:
            stop = stop + speed * (extreme - stop)
            stop = _lesser(stop, candles[i - 1, LOW])
            if i >= 2:
                stop = _lesser(stop, candles[i - 2, LOW])
            if low < stop:
                stop = extreme
                rising = False
                speed = step
                extreme = low
            elif high > extreme:
                extreme = high
                speed = min(speed + step, limit)
        else:
            stop = stop - speed * (stop - extreme)
            stop = _greater(stop, candles[i - 1, HIGH])
            if i >= 2:
                stop = _greater(stop, candles[i - 2, HIGH])
            if high > stop:
                stop = extreme
                rising = True
                speed = step
                extreme = high
            elif low < extreme:
                extreme = low
                speed = min(speed + step, limit)
        out[0, i] = stop


@indicator(_sar, settles=lambda _acceleration, _maximum: 2)
def sar(candles: Float2D, acceleration: float = 0.02, maximum: float = 0.2, sequential: bool = False) -> Value:
    """Parabolic stop and reverse: a stop that nears the extreme of the trend, faster with every new extreme.

    The first trend is up if the second high is above the first. Arguments: see `atr`.
    """
    ...


@kernel
def _place_of_extreme(candles, of_lows, rows, of_numpy, out):
    """Fill `out` with the place, from 0, of the lowest low or highest high among the last rows; the first if equal.

    For numpy, what is not known is the extreme; else it is none, unless it is the first.
    """
    n = candles.shape[0]
    x = np.empty(n)
    best = np.empty(LANES)
    place = np.empty(LANES)
    # The lowest is the highest of the opposite.
    for i in range(n):
        x[i] = -candles[i, LOW] if of_lows else candles[i, HIGH]
        out[i] = np.nan
    unknown = of_numpy and _has_unknown(x)
    for first in range(rows - 1, n, LANES):
        lanes = min(LANES, n - first)
        start = first - rows + 1
        for k in range(lanes):
            best[k] = x[start + k]
            place[k] = 0.0
        for j in range(1, rows):
            x_here = x[start + j : start + j + lanes]
            if unknown:
                for k in range(lanes):
                    if not x_here[k] <= best[k] and not np.isnan(best[k]):
                        best[k] = x_here[k]
                        place[k] = j
            else:
                for k in range(lanes):
                    value = x_here[k]
                    place[k] = float(j) if value > best[k] else place[k]
                    best[k] = value if value > best[k] else best[k]
        for k in range(lanes):
            out[first + k] = place[k]


@kernel
def _aroon(candles, params, out):
    """Place of the lowest low and of the highest high among the last `period + 1` bars; the first counts if equal."""
    period = int(params[0])
    for row in range(2):
        _place_of_extreme(candles, row == 0, period + 1, True, out[row])
        for i in range(period, candles.shape[0]):
            out[row, i] = 100.0 * (out[row, i] / period)


class AROON(NamedTuple):
    """Recency of the lowest low and of the highest high."""

    down: Value
    up: Value


@indicator(_aroon, record=AROON, lookback=lambda period: period + 1)
def aroon(candles: Float2D, period: int = 14, sequential: bool = False) -> AROON:
    """Aroon: how recent the lowest low and the highest high of the last `period + 1` bars are, 0 (oldest) to 100 (now).

    NaN for the first `period` rows. Arguments: see `atr`.
    """
    ...
