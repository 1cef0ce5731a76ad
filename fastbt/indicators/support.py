# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Support, resistance and stops: levels at which prices may turn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import IS_A_WALL, _column, _pairwise_sum, _rolling_max, _rolling_min, _true_range
from fastbt.indicators._registry import OTHERWISE, Value, indicator, settles_with
from fastbt.indicators.moving_average import COMPILED, _average, average
from fastbt.indicators.trend import _directional_movement
from fastbt.types import CLOSE, HIGH, LOW, OPEN, Float1D, Float2D


class PIVOT(NamedTuple):
    """Resistances, pivot point and supports."""

    r4: Value
    r3: Value
    r2: Value
    r1: Value
    pp: Value
    s1: Value
    s2: Value
    s3: Value
    s4: Value


@kernel
def _pivot(candles, params, out):
    """Levels of each bar's own prices; those that a mode does not know stay NaN."""
    mode = int(params[0])
    for i in range(candles.shape[0]):
        opening = candles[i, OPEN]
        high = candles[i, HIGH]
        low = candles[i, LOW]
        close = candles[i, CLOSE]
        span = high - low
        middle = (high + low + close) / 3.0
        r4 = r3 = r2 = r1 = pp = s1 = s2 = s3 = s4 = np.nan
        if mode == 0:
            pp = middle
            s1 = (2.0 * pp) - high
            s2 = pp - span
            r1 = (2.0 * pp) - low
            r2 = pp + span
        elif mode == 1:
            pp = middle
            s1 = pp - 0.382 * span
            s2 = pp - 0.618 * span
            s3 = pp - span
            r1 = pp + 0.382 * span
            r2 = pp + 0.618 * span
            r3 = pp + span
        elif mode == 2:
            if close < opening:
                total = high + 2.0 * low + close
            elif close > opening:
                total = 2.0 * high + low + close
            else:
                total = high + low + 2.0 * close
            pp = total / 4.0
            s1 = total / 2.0 - high
            r1 = total / 2.0 - low
        elif mode == 3:
            pp = middle
            r4 = (0.55 * span) + close
            r3 = (0.275 * span) + close
            r2 = (0.183 * span) + close
            r1 = (0.0916 * span) + close
            s1 = close - (0.0916 * span)
            s2 = close - (0.183 * span)
            s3 = close - (0.275 * span)
            s4 = close - (0.55 * span)
        elif mode == 4:
            pp = (high + low + (2.0 * opening)) / 4.0
            r3 = high + 2.0 * (pp - low)
            r4 = r3 + span
            r2 = pp + span
            r1 = (2.0 * pp) - low
            s1 = (2.0 * pp) - high
            s2 = pp - span
            s3 = low - 2.0 * (high - pp)
            s4 = s3 - span
        out[0, i], out[1, i], out[2, i], out[3, i], out[4, i] = r4, r3, r2, r1, pp
        out[5, i], out[6, i], out[7, i], out[8, i] = s1, s2, s3, s4


@indicator(_pivot, record=PIVOT, lookback=lambda _: 1)
def pivot(candles: Float2D, mode: int = 0, sequential: bool = False) -> PIVOT:
    """Pivot points of the bar's own prices, not of the bar before, as in Jesse.

    `mode` 0 is the standard one: `pp = (high + low + close) / 3`, `s1 = 2 pp - high`, `r1 = 2 pp - low`, `s2` and `r2`
    the range below and above `pp`. 1 Fibonacci, 2 DeMark, 3 Camarilla, 4 Woodie. A level that a mode does not have is
    NaN, and so are all of any other mode. Other arguments: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> levels = pivot(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]]))
    >>> levels.s1, levels.pp, levels.r1
    (np.float64(2.0), np.float64(3.0), np.float64(4.0))
    """
    ...


@kernel
def _chande(candles, params, out):
    """Extreme of the last bars, moved inwards by a multiple of the average true range."""
    n = candles.shape[0]
    period = int(params[0])
    long = params[2] == 0.0
    true_range = np.empty(n)
    _true_range(candles, true_range)
    if long:
        _rolling_max(candles[:, HIGH], period, IS_A_WALL, out[0])
    else:
        _rolling_min(candles[:, LOW], period, IS_A_WALL, out[0])
    weight = 1.0 / period
    value = 0.0
    for i in range(n):
        if i < period:
            value += true_range[i]
            if i < period - 1:
                continue
            value /= period
        else:
            value = value + weight * (true_range[i] - value)
        out[0, i] = out[0, i] - value * params[1] if long else out[0, i] + value * params[1]


@indicator(_chande, codes={"direction": {"long": 0, "short": 1}})
def chande(
    candles: Float2D, period: int = 22, mult: float = 3.0, direction: str = "long", sequential: bool = False
) -> Value:
    """Chandelier exit: the highest high less `mult` times `atr`, or for "short" the lowest low plus it.

    Both over `period` rows; NaN until there are as many. Other arguments: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> chande(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]] * 3), 2, 0.5)
    np.float64(3.0)
    """
    ...


class CKSP(NamedTuple):
    """Stops of long and of short positions."""

    long: Value
    short: Value


@kernel
def _extreme(x, period, sign, out):
    """Fill `out` with the highest (sign 1) or lowest (-1) of up to `period` last values, NaN if one is NaN."""
    for i in range(x.shape[0]):
        best = x[i]
        for j in range(max(0, i - period + 1), i):
            if np.isnan(x[j]) or (x[j] - best) * sign > 0.0:
                best = x[j]
        out[i] = best


@kernel
def _cksp(candles, params, out):
    """Extremes of extremes moved inwards by a multiple of Wilder's average true range."""
    n = candles.shape[0]
    period = int(params[0])
    span = int(params[2])
    out[:, :] = np.nan
    if n < period:
        return
    ranges = np.empty(n)
    _true_range(candles, ranges)
    value = _pairwise_sum(ranges, 0, period) / period
    highs = np.empty(n)
    lows = np.empty(n)
    _extreme(candles[:, HIGH], span, 1.0, highs)
    _extreme(candles[:, LOW], span, -1.0, lows)
    for i in range(n):
        if i < period - 1:
            highs[i] = np.nan
            lows[i] = np.nan
            continue
        if i >= period:
            value = (value * (period - 1.0) + ranges[i]) / period
        highs[i] = highs[i] - params[1] * value
        lows[i] = lows[i] + params[1] * value
    first = period - 1
    if first > 0:
        first += span - 1
    for i in range(first, n):
        for j in range(max(0, i - span + 1), i + 1):
            if not out[0, i] >= highs[j]:
                out[0, i] = highs[j]
            if not out[1, i] <= lows[j]:
                out[1, i] = lows[j]


@indicator(_cksp, record=CKSP)
def cksp(candles: Float2D, p: int = 10, x: float = 1.0, q: int = 9, sequential: bool = False) -> CKSP:
    """CKSP, Chande Kroll stop: extremes of `q` rows, moved inwards by `x` average ranges, and again their extremes.

    `long` is the highest of the last `q` values of the highest high less the range, `short` the lowest of the lowest
    low plus it; Wilder's average over `p` rows, seeded with their mean. NaN for the first `p + q - 2` rows, or none if
    `p` is 1. Other arguments: see `atr`.
    """
    ...


@kernel
def _kaufmanstop(candles, params, out):
    """Low (or high), moved outwards by a multiple of the average range."""
    n = candles.shape[0]
    spans = np.empty(n)
    for i in range(n):
        spans[i] = candles[i, HIGH] - candles[i, LOW]
    _average(spans, int(params[0]), int(params[3]), out)
    highs = _column(candles, HIGH)
    lows = _column(candles, LOW)
    for i in range(n):
        distance = out[0, i] * params[1]
        out[0, i] = lows[i] - distance if params[2] == 0.0 else highs[i] + distance


def _kaufmanstop_python(candles: Float2D, params: Float1D, out: Float2D) -> None:
    """With any of the averages."""
    high, low = candles[:, HIGH], candles[:, LOW]
    distance = average(high - low, int(params[0]), int(params[3])) * params[1]
    out[0] = low - distance if params[2] == 0 else high + distance


@indicator(
    _kaufmanstop,
    python=_kaufmanstop_python,
    compiled_if=lambda _period, _mult, _direction, matype: matype in COMPILED,
    settles=lambda period, _mult, _direction, matype: settles_with(matype, period),
    codes={"direction": {"long": 0, OTHERWISE: 1}},
)
def kaufmanstop(
    candles: Float2D,
    period: int = 22,
    mult: float = 2,
    direction: str = "long",
    matype: int = 0,
    sequential: bool = False,
) -> Value:
    """Kaufman's stop: the low less `mult` times the average range `high - low`; the high plus it unless "long".

    `matype` is a code of `ma`. Known where the average is. Other arguments: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> kaufmanstop(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]] * 3), 2, 0.5)
    np.float64(1.0)
    """
    ...


@kernel
def _best_of_last(x, rows, sign, out):
    """Fill `out` with the highest (`sign` 1) or lowest (-1) of up to so many last values; NaN counts for nothing."""
    n = x.shape[0]
    for i in range(n):
        out[i] = -sign * np.inf
    # The oldest first: of equal ones, as 0.0 and -0.0 are, it counts.
    for back in range(min(rows, n) - 1, -1, -1):
        older = x[: n - back]
        best = out[back:]
        for i in range(n - back):
            best[i] = older[i] if sign * older[i] > sign * best[i] else best[i]


@kernel
def _safezonestop(candles, params, out):
    """Previous extreme, moved outwards by a multiple of the summed movement against it; then the best of the last."""
    n = candles.shape[0]
    keep = 1.0 - 1.0 / params[0]
    lookback = int(params[2])
    ups = np.empty(n)
    downs = np.empty(n)
    _directional_movement(candles, ups, downs)
    highs = _column(candles, HIGH)
    lows = _column(candles, LOW)
    stops = np.empty(n)
    stops[0] = 0.0
    total = 0.0
    if params[3] == 0.0:
        for i in range(1, n):
            total = total * keep + downs[i]
            stops[i] = lows[i - 1] - params[1] * total
        _best_of_last(stops, lookback, 1.0, out[0])
    else:
        for i in range(1, n):
            total = total * keep + ups[i]
            stops[i] = highs[i - 1] + params[1] * total
        _best_of_last(stops, lookback, -1.0, out[0])


@indicator(_safezonestop, codes={"direction": {"long": 0, OTHERWISE: 1}})
def safezonestop(
    candles: Float2D,
    period: int = 22,
    mult: float = 2.5,
    max_lookback: int = 3,
    direction: str = "long",
    sequential: bool = False,
) -> Value:
    """SafeZone stop: the previous low less `mult` times Wilder's sum of the downward movement, and their highest.

    Over the last `max_lookback` rows; mirrored unless "long". The first row counts as 0, so the first stops of a short
    position are 0, as in Jesse. Other arguments: see `atr`.

    References
    ----------
    .. [1] Alexander Elder, Come Into My Trading Room, 2002.
    """
    ...


class IchimokuCloud(NamedTuple):
    """Ichimoku lines, and the spans as they will be shown `displacement` rows on."""

    conversion_line: Value
    base_line: Value
    span_a: Value
    span_b: Value
    lagging_line: Value
    future_span_a: Value
    future_span_b: Value


@kernel
def _middles(candles, period, out):
    """Fill `out` with the middle of the range of the last `period` bars."""
    n = candles.shape[0]
    lowest = np.empty(n)
    _extreme(candles[:, HIGH], period, 1.0, out)
    _extreme(candles[:, LOW], period, -1.0, lowest)
    for i in range(n):
        out[i] = (out[i] + lowest[i]) / 2.0 if i >= period - 1 else np.nan


@kernel
def _ichimoku_cloud_seq(candles, params, out):
    """Middles of ranges, and their shifted copies."""
    shift = int(params[3])
    _middles(candles, int(params[0]), out[0])
    _middles(candles, int(params[1]), out[1])
    _middles(candles, int(params[2]), out[6])
    for i in range(candles.shape[0]):
        out[5, i] = (out[0, i] + out[1, i]) / 2.0
        out[2, i] = out[5, i - shift] if i >= shift else np.nan
        out[3, i] = out[6, i - shift] if i >= shift else np.nan
        out[4, i] = candles[i - shift + 1, CLOSE] if i >= shift - 1 else np.nan


@indicator(
    _ichimoku_cloud_seq,
    record=IchimokuCloud,
    lookback=lambda conversion, base, lagging, shift: max(conversion, base, lagging) + shift,
)
def ichimoku_cloud_seq(
    candles: Float2D,
    conversion_line_period: int = 9,
    base_line_period: int = 26,
    lagging_line_period: int = 52,
    displacement: int = 26,
    sequential: bool = False,
) -> IchimokuCloud:
    """Ichimoku cloud: middles of the ranges of the last bars, and of these as they were `displacement` rows ago.

    `future_span_a` and `future_span_b` are the spans before they are shifted; `lagging_line` is the close
    `displacement - 1` rows ago. A line is NaN until its own rows are there; Jesse refuses fewer rows than
    `lagging_line_period + displacement`. Other arguments: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> lines = ichimoku_cloud_seq(np.array([[i, i, i + 1.0, i + 2.0, i, 1.0] for i in range(9)]), 1, 3, 5, 2)
    >>> lines.base_line, lines.span_b
    (np.float64(8.0), np.float64(5.0))
    """
    ...
