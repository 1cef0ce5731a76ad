# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Highs and lows of the last rows, turning points, and levels made of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import SPREADS, _has_unknown, _pairwise_sum, _rolling_max, _rolling_min
from fastbt.indicators._registry import OTHERWISE, Value, indicator
from fastbt.indicators.averages import _ema
from fastbt.indicators.statistics import _deviation, absolute_deviation
from fastbt.types import CLOSE, HIGH, LOW, OPEN, VOLUME, Float1D, Float2D


@kernel
def _midpoint(x, params, out):
    """Middle between the highest and the lowest value."""
    n = x.shape[0]
    lowest = np.empty(n)
    _rolling_max(x, int(params[0]), SPREADS, out[0])
    _rolling_min(x, int(params[0]), SPREADS, lowest)
    for i in range(n):
        out[0, i] = (out[0, i] + lowest[i]) / 2.0


@indicator(_midpoint, lookback=lambda period: period)
def midpoint(candles: Float2D, period: int = 14, source_type: str = "close", sequential: bool = False) -> Value:
    """Midpoint: the middle between the highest and the lowest of the last `period` values; NaN until there are as many.

    Arguments: see `mom`.

    Examples
    --------
    >>> import numpy as np
    >>> midpoint(np.array([[0, 1.0, 1.0, 1.0, 1.0, 1.0], [0, 3.0, 4.0, 4.0, 3.0, 1.0]]), 2)
    np.float64(2.5)
    """
    ...


@kernel
def _midprice(candles, params, out):
    """Middle between the highest high and the lowest low."""
    n = candles.shape[0]
    lowest = np.empty(n)
    _rolling_max(candles[:, HIGH], int(params[0]), SPREADS, out[0])
    _rolling_min(candles[:, LOW], int(params[0]), SPREADS, lowest)
    for i in range(n):
        out[0, i] = (out[0, i] + lowest[i]) / 2.0


@indicator(_midprice, lookback=lambda period: period)
def midprice(candles: Float2D, period: int = 14, sequential: bool = False) -> Value:
    """Midprice: the middle between the highest high and the lowest low of the last `period` bars.

    NaN until there are `period` rows. Arguments: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> midprice(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]] * 2), 2)
    np.float64(3.0)
    """
    ...


class EXTREMA(NamedTuple):
    """Price where a low (a high) is an extreme, else NaN; and the last such prices."""

    is_min: Value
    is_max: Value
    last_min: Value
    last_max: Value


@kernel
def _is_extreme(x, i, last, order, sign):
    """Whether a value is beyond its `order` neighbours on both sides; those past an end count as the one there."""
    for j in range(1, order + 1):
        if not (sign * x[i] > sign * x[min(i + j, last)] and sign * x[i] > sign * x[max(i - j, 0)]):
            return False
    return True


@kernel
def _minmax(candles, params, out):
    """At each row what is known there: whether the row `order` before is an extreme, and which was the last."""
    n = candles.shape[0]
    order = int(params[0])
    for side in range(2):
        sign = -1.0 if side == 0 else 1.0
        x = candles[:, LOW].copy() if side == 0 else candles[:, HIGH].copy()
        confirmed = np.nan
        for i in range(n):
            out[side, i] = np.nan
            settled = i - order
            if settled >= 0 and _is_extreme(x, settled, i, order, sign):
                out[side, i] = x[settled]
                confirmed = x[settled]
            out[2 + side, i] = confirmed
            # Of the newest rows, those may be extremes that the rows to come do not beat: as of now they are.
            for j in range(i, max(settled, -1), -1):
                if _is_extreme(x, j, i, order, sign):
                    out[2 + side, i] = x[j]
                    break


@kernel
def _minmax_of_all(candles, params, out):
    """Extremes at their own rows, by what is known at the last row."""
    n = candles.shape[0]
    order = int(params[0])
    for side in range(2):
        sign = -1.0 if side == 0 else 1.0
        x = candles[:, LOW].copy() if side == 0 else candles[:, HIGH].copy()
        last = np.nan
        for i in range(n):
            out[side, i] = np.nan
            if _is_extreme(x, i, n - 1, order, sign):
                out[side, i] = x[i]
                last = x[i]
            out[2 + side, i] = last


@indicator(_minmax, whole=_minmax_of_all, record=EXTREMA)
def minmax(candles: Float2D, order: int = 3, sequential: bool = False) -> EXTREMA:
    """Extremes: lows below, and highs above, their `order` neighbours on both sides.

    The last value says whether the bar `order` rows before is one (its price, else NaN), and the price of the last
    one, which may be one of the newest bars that has not all its neighbours yet. With `sequential=True` each extreme
    is at its own row, where nobody could know it at the time; a strategy must not read it there.

    Parameters
    ----------
    candles, sequential
        See `atr`.
    order : int

    Returns
    -------
    EXTREMA
        `is_min`, `is_max`, `last_min`, `last_max`, in quote currency.
    """
    ...


@kernel
def _ranges_of_two(candles, out):
    """Fill `out` with the range of each bar together with the one before it; the first is unknown."""
    out[0] = np.nan
    for i in range(1, candles.shape[0]):
        high = max(candles[i, HIGH], candles[i - 1, HIGH])
        low = min(candles[i, LOW], candles[i - 1, LOW])
        # A sum, for `max` and `min` do not spread what is not known.
        known = candles[i, HIGH] + candles[i - 1, HIGH] + candles[i, LOW] + candles[i - 1, LOW]
        out[i] = np.nan if np.isnan(known) else high - low


@kernel
def _stops(candles, params, deviation, out):
    """Highest (lowest) of the stops below the highs (above the lows) of the last `period` bars."""
    n = candles.shape[0]
    period = int(params[0])
    is_short = params[3] != 0.0
    ranges = np.empty(n)
    stops = np.empty(n)
    _ranges_of_two(candles, ranges)
    for i in range(n):
        out[i] = np.nan
        stops[i] = np.nan
        if i < period:
            continue
        mean = _pairwise_sum(ranges, i - period + 1, period) / period
        if is_short:
            stops[i] = candles[i, LOW] + mean + params[1] * deviation[i]
        else:
            stops[i] = candles[i, HIGH] - mean - params[1] * deviation[i]
        if i >= 2 * period - 1:
            best = stops[i]
            for j in range(i - period + 1, i):
                best = min(best, stops[j]) if is_short else max(best, stops[j])
            out[i] = np.nan if _has_unknown(stops[i - period + 1 : i + 1]) else best


@kernel
def _devstop(candles, params, out):
    """Set stops with the standard deviation of the ranges."""
    n = candles.shape[0]
    ranges = np.empty(n)
    deviation = np.empty(n)
    _ranges_of_two(candles, ranges)
    _deviation(ranges, int(params[0]), deviation)
    _stops(candles, params, deviation, out[0])


def _devstop_python(candles: Float2D, params: Float1D, out: Float2D) -> None:
    """Set stops with another deviation of the ranges."""
    ranges: Float1D = np.empty(len(candles))
    _ranges_of_two(candles, ranges)
    deviation: Float1D = np.full(len(candles), np.nan)
    deviation[1:] = absolute_deviation(ranges[1:], int(params[0]), int(params[2]))
    _stops(candles, params, deviation, out[0])


@indicator(
    _devstop,
    python=_devstop_python,
    compiled_if=lambda _period, _mult, devtype, _direction: devtype == 0,
    codes={"direction": {"long": 0, OTHERWISE: 1}},
    lookback=lambda period, _mult, devtype, _direction: (3 if devtype == 1 else 2) * period,
)
def devstop(
    candles: Float2D,
    period: int = 20,
    mult: float = 0,
    devtype: int = 0,
    direction: str = "long",
    sequential: bool = False,
) -> Value:
    """Kase's deviation stops: highs less the mean range of two bars and `mult` deviations of it, the best of `period`.

    NaN for the first `2 * period - 1` rows. `devtype` as in `bollinger_bands`; any `direction` but "long" is short.
    Other arguments: see `atr`.

    References
    ----------
    .. [1] Cynthia Kase, Trading with the Odds, 1996.
    """
    ...


class SupportResistanceWithBreaks(NamedTuple):
    """Last confirmed pivots, and whether the first candle breaks them."""

    support: Value
    resistance: Value
    red_break: Value
    green_break: Value
    bear_wick: Value
    bull_wick: Value


@kernel
def _pivots(x, left, right, sign, out):
    """Fill `out` with the last value that is beyond `left` values before it and `right` after it."""
    n = x.shape[0]
    last = np.nan
    first = np.nan
    for i in range(n):
        at = i - right
        if at >= left:
            pivot = True
            for j in range(1, left + 1):
                pivot = pivot and not sign * x[at] <= sign * x[at - j]
            for j in range(1, right + 1):
                pivot = pivot and not sign * x[at] <= sign * x[at + j]
            if pivot:
                last = x[at]
                first = last if at == 0 else first
        # A pivot at row 0 hides all later ones, as in Jesse.
        out[i] = first if right > 0 and not np.isnan(first) else last


@kernel
def _support_resistance_with_breaks(candles, params, out):
    """Pivots as known at each row, and the shape of the first candle beside them."""
    n = candles.shape[0]
    left = int(params[0])
    right = int(params[1])
    _pivots(candles[:, LOW].copy(), left, right, -1.0, out[0])
    _pivots(candles[:, HIGH].copy(), left, right, 1.0, out[1])
    volume = candles[:, VOLUME].copy()
    short = np.empty((1, n))
    long = np.empty((1, n))
    _ema(volume, np.array([min(5.0, n)]), short)
    _ema(volume, np.array([min(10.0, n)]), long)
    # Jesse takes the oldest candle for the last one.
    opening = candles[0, OPEN]
    close = candles[0, CLOSE]
    body = abs(opening - close)
    upper = abs(opening - candles[0, HIGH])
    lower = abs(opening - candles[0, LOW])
    for i in range(n):
        active = i >= 9 and 100.0 * (short[0, i] - long[0, i]) / long[0, i] > params[2]
        below = close < out[0, i]
        above = close > out[1, i]
        out[2, i] = 1.0 if below and not body < upper and active else 0.0
        out[3, i] = 1.0 if above and lower > body and active else 0.0
        out[4, i] = 1.0 if below and body < upper else 0.0
        out[5, i] = 1.0 if above and lower > body else 0.0


def _breaks(values: list[Any], _sequential: bool) -> SupportResistanceWithBreaks:
    """Return the breaks and wicks as Python's truth values."""
    return SupportResistanceWithBreaks(values[0], values[1], *(bool(each) for each in values[2:]))


@indicator(
    _support_resistance_with_breaks,
    record=SupportResistanceWithBreaks,
    booleans=frozenset(("red_break", "green_break", "bear_wick", "bull_wick")),
    result=_breaks,
    sliced=False,
    least={"left_bars": 0, "right_bars": 0, "vol_threshold": 0},
)
def support_resistance_with_breaks(
    candles: Float2D, left_bars: int = 15, right_bars: int = 15, vol_threshold: int = 20
) -> SupportResistanceWithBreaks:
    """Support and resistance: the last low (high) beyond `left_bars` bars before it and `right_bars` after it.

    They are looked for in all candles, not in the last ones only. The breaks and wicks compare them with the *first*
    candle, as in Jesse; a break also needs a volume whose average over 5 rows is `vol_threshold` percent above that
    over 10. Where there is no pivot yet, support or resistance are NaN; Jesse raises a TypeError there. There is no
    sequential form.

    Parameters
    ----------
    candles
        See `atr`.
    left_bars, right_bars, vol_threshold : int

    Returns
    -------
    SupportResistanceWithBreaks
        `support` and `resistance` in quote currency, `red_break`, `green_break`, `bear_wick`, `bull_wick`.
    """
    ...
