# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Momentum: changes over a distance, and oscillators made of averages of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import SPREADS, _after_unknown, _now_and_before, _rolling_max, _rolling_min
from fastbt.indicators._registry import Value, indicator
from fastbt.indicators.averages import _sma
from fastbt.types import HIGH, LOW, Float1D, Float2D


@kernel
def _mom(x, params, out):
    """Change over `period` rows."""
    now, before = _now_and_before(x, int(params[0]))
    found = _after_unknown(out[0], now.shape[0])
    for i in range(now.shape[0]):
        found[i] = now[i] - before[i]


@indicator(_mom, lookback=lambda period: period + 1)
def mom(candles: Float2D, period: int = 10, source_type: str = "close", sequential: bool = False) -> Value:
    """Momentum: the change over `period` rows, NaN for the first `period`.

    Arguments and result: see `sma`, except that a series of its own is not accepted.

    Examples
    --------
    >>> import numpy as np
    >>> mom(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0], [1, 2.0, 6.0, 7.0, 2.0, 2.0]]), 1)
    np.float64(3.0)
    """
    ...


@kernel
def _roc(x, params, out):
    """Relative change over `period` rows in percent."""
    now, before = _now_and_before(x, int(params[0]))
    found = _after_unknown(out[0], now.shape[0])
    for i in range(now.shape[0]):
        found[i] = (now[i] / before[i] - 1.0) * 100.0


@indicator(_roc, lookback=lambda period: period + 1, accepts_1d=True)
def roc(candles: Float2D | Float1D, period: int = 10, source_type: str = "close", sequential: bool = False) -> Value:
    """Rate of change: the change over `period` rows in percent, NaN for the first `period`.

    Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> roc(np.array([2.0, 3.0]), 1)
    np.float64(50.0)
    """
    ...


@kernel
def _rocp(x, params, out):
    """Relative change over `period` rows."""
    now, before = _now_and_before(x, int(params[0]))
    found = _after_unknown(out[0], now.shape[0])
    for i in range(now.shape[0]):
        found[i] = (now[i] - before[i]) / before[i]


@indicator(_rocp, lookback=lambda period: period + 1)
def rocp(candles: Float2D, period: int = 10, source_type: str = "close", sequential: bool = False) -> Value:
    """Rate of change as a fraction: `(x - before) / before`, NaN for the first `period` rows.

    Arguments and result: see `mom`.
    """
    ...


@kernel
def _rocr(x, params, out):
    """Ratio to the value `period` rows before."""
    now, before = _now_and_before(x, int(params[0]))
    found = _after_unknown(out[0], now.shape[0])
    for i in range(now.shape[0]):
        found[i] = now[i] / before[i]


@indicator(_rocr, lookback=lambda period: period + 1)
def rocr(candles: Float2D, period: int = 10, source_type: str = "close", sequential: bool = False) -> Value:
    """Ratio to the value `period` rows before, NaN for the first `period` rows.

    Arguments and result: see `mom`.
    """
    ...


@kernel
def _rocr100(x, params, out):
    """Ratio to the value `period` rows before, in percent."""
    now, before = _now_and_before(x, int(params[0]))
    found = _after_unknown(out[0], now.shape[0])
    for i in range(now.shape[0]):
        found[i] = now[i] / before[i] * 100.0


@indicator(_rocr100, lookback=lambda period: period + 1)
def rocr100(candles: Float2D, period: int = 10, source_type: str = "close", sequential: bool = False) -> Value:
    """Ratio to the value `period` rows before in percent, NaN for the first `period` rows.

    Arguments and result: see `mom`.
    """
    ...


@kernel
def _cmo(x, params, out):
    """Difference of the rises and the falls in percent of their sum, both rolled from the first row."""
    n = x.shape[0]
    period = int(params[0])
    if n <= period:
        out[0, :] = np.nan
        return
    for i in range(period):
        out[0, i] = np.nan
    rises = np.zeros(n)
    falls = np.zeros(n)
    for i in range(1, n):
        change = x[i] - x[i - 1]
        rises[i] = change if change > 0.0 else 0.0
        falls[i] = -change if change < 0.0 else 0.0
    up = 0.0
    down = 0.0
    for i in range(1, period + 1):
        up += rises[i]
        down += falls[i]
    for i in range(period, n):
        if i > period:
            up += rises[i] - rises[i - period]
            down += falls[i] - falls[i - period]
        both = up + down
        moved = 100.0 * (up - down) / both
        out[0, i] = 0.0 if both == 0.0 else moved


@indicator(_cmo)
def cmo(candles: Float2D, period: int = 14, source_type: str = "close", sequential: bool = False) -> Value:
    """CMO, Chande's momentum oscillator: rises less falls of the last `period` changes, in percent of both together.

    NaN for the first `period` rows, 0 without any change. Arguments and result: see `mom`.
    """
    ...


@kernel
def _smooth(x, period, out):
    """Fill `out` with an exponential average seeded with the first value."""
    alpha = 2.0 / (period + 1.0)
    value = x[0]
    for i in range(x.shape[0]):
        if i > 0:
            value = alpha * x[i] + (1.0 - alpha) * value
        out[i] = value


@kernel
def _trix(x, params, out):
    """Change of the thrice smoothed logarithm, in hundredths of a percent."""
    n = x.shape[0]
    logs = np.log(x)
    smoothed = np.empty(n)
    _smooth(logs, params[0], smoothed)
    _smooth(smoothed, params[0], smoothed)
    _smooth(smoothed, params[0], smoothed)
    out[0, 0] = np.nan
    for i in range(1, n):
        out[0, i] = (smoothed[i] - smoothed[i - 1]) * 10000.0


@indicator(_trix)
def trix(candles: Float2D, period: int = 18, source_type: str = "close", sequential: bool = False) -> Value:
    """TRIX: the change of the logarithm, smoothed three times, times 10,000; NaN at the first row.

    Arguments and result: see `mom`.
    """
    ...


class AO(NamedTuple):
    """Awesome oscillator and its change."""

    osc: Value
    change: Value


@kernel
def _ao(candles, _params, out):
    """Fast less slow average of the middles, and its change."""
    n = candles.shape[0]
    middles = np.empty(n)
    for i in range(n):
        middles[i] = (candles[i, HIGH] + candles[i, LOW]) / 2.0
    slow = np.empty((1, n))
    _sma(middles, np.array([34.0]), slow)
    _sma(middles, np.array([5.0]), out)
    for i in range(n):
        out[0, i] = out[0, i] - slow[0, i]
        out[1, i] = out[0, i] - out[0, i - 1] if i > 0 else np.nan


@indicator(_ao, record=AO)
def ao(candles: Float2D, sequential: bool = False) -> AO:
    """Awesome oscillator: mean of the last 5 middles `(high + low) / 2` less that of the last 34, and its change.

    NaN until there are 34 rows. Arguments: see `atr`.
    """
    ...


@kernel
def _place_in_range(x, period, out):
    """Fill `out` with the place of each value in the range of the last `period`, in percent; 0 where it is unknown."""
    n = x.shape[0]
    highest = np.empty(n)
    lowest = np.empty(n)
    _rolling_max(x, period, SPREADS, highest)
    _rolling_min(x, period, SPREADS, lowest)
    for i in range(n):
        out[i] = 0.0
        if i >= period - 1 and (highest[i] > lowest[i] or highest[i] < lowest[i]):
            out[i] = 100.0 * ((x[i] - lowest[i]) / (highest[i] - lowest[i]))


@kernel
def _stc(x, params, out):
    """Stochastic of a stochastic of the difference of two averages, each smoothed."""
    n = x.shape[0]
    period = int(params[2])
    fast = np.empty(n)
    slow = np.empty(n)
    place = np.empty(n)
    _smooth(x, params[0], fast)
    _smooth(x, params[1], slow)
    for i in range(n):
        fast[i] = fast[i] - slow[i]
    _place_in_range(fast, period, place)
    _smooth(place, params[3], slow)
    _place_in_range(slow, period, place)
    _smooth(place, params[4], out[0])
    for i in range(n):
        out[0, i] = min(max(out[0, i], 0.0), 100.0)


@indicator(_stc)
def stc(
    candles: Float2D,
    fast_period: int = 23,
    slow_period: int = 50,
    k_period: int = 10,
    d1_period: int = 3,
    d2_period: int = 3,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """STC, Schaff trend cycle: the smoothed place in its range of the smoothed place in its range of the MACD line.

    From 0 to 100, and 0 where a range is unknown or empty. Arguments and result: see `mom`.
    """
    ...


class Wavetrend(NamedTuple):
    """Wavetrend lines, where they cross, and where the slow one is beyond a level."""

    wt1: Value
    wt2: Value
    wtCrossUp: Value
    wtCrossDown: Value
    wtOversold: Value
    wtOverbought: Value
    wtVwap: Value


@kernel
def _wt(x, params, out):
    """Smoothed channel index, its short mean, and what can be read off them."""
    n = x.shape[0]
    mean = np.empty(n)
    distance = np.empty(n)
    _smooth(x, params[0], mean)
    for i in range(n):
        distance[i] = abs(x[i] - mean[i])
    _smooth(distance, params[0], distance)
    for i in range(n):
        scale = 0.015 * distance[i]
        distance[i] = (x[i] - mean[i]) / scale if scale != 0.0 else 0.0
    _smooth(distance, params[1], out[0])
    length = int(params[2])
    total = 0.0
    slow = 0.0
    for i in range(n):
        if i < length:
            total += out[0, i]
            slow = total / (i + 1)
        else:
            slow = slow + (out[0, i] - out[0, i - length]) / length
        out[1, i] = slow
        out[2, i] = 1.0 if out[1, i] - out[0, i] <= 0.0 else 0.0
        out[3, i] = 1.0 if out[1, i] - out[0, i] >= 0.0 else 0.0
        out[4, i] = 1.0 if out[1, i] <= params[4] else 0.0
        out[5, i] = 1.0 if out[1, i] >= params[3] else 0.0
        out[6, i] = out[0, i] - out[1, i]


@indicator(
    _wt,
    record=Wavetrend,
    booleans=frozenset(("wtCrossUp", "wtCrossDown", "wtOversold", "wtOverbought")),
    alias={"hl2": "close", "volume": "close"},
)
def wt(
    candles: Float2D,
    wtchannellen: int = 9,
    wtaveragelen: int = 12,
    wtmalen: int = 3,
    oblevel: int = 53,
    oslevel: int = -53,
    source_type: str = "hlc3",
    sequential: bool = False,
) -> Wavetrend:
    """Wavetrend: the smoothed distance from an average in units of the mean distance, and its mean of `wtmalen` rows.

    `wtCrossUp` and `wtCrossDown` say which line is above, `wtOversold` and `wtOverbought` whether the slow one is
    beyond the levels, `wtVwap` is the fast line less the slow one. The sources "hl2" and "volume" are taken for
    "close", as in Jesse. Arguments: see `mom`.
    """
    ...
