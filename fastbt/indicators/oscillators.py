# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Oscillators: momentum between bounds or around zero."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import (
    IS_A_WALL,
    IS_SKIPPED,
    LANES,
    ROWS,
    _mean_of_known,
    _rolling_max,
    _rolling_min,
    _window_sums,
)
from fastbt.indicators._registry import Value, indicator
from fastbt.types import CLOSE, HIGH, LOW, Float1D, Float2D


@kernel
def _strength(gain, loss):
    """Relative strength of an average gain and an average loss."""
    strength = 100.0 - (100.0 / (1.0 + gain / loss))
    return 100.0 if loss == 0.0 else strength


@kernel
def _rsi(x, params, out):
    """Wilder's averages of gains and losses, seeded with their means over the first `period` changes."""
    n = x.shape[0]
    period = int(params[0])
    if n <= period:
        out[0, :] = np.nan
        return
    for i in range(period):
        out[0, i] = np.nan
    gain = 0.0
    loss = 0.0
    for i in range(1, period + 1):
        change = x[i] - x[i - 1]
        gain += change if change > 0.0 else 0.0
        loss += 0.0 if change > 0.0 else abs(change)
    gain /= period
    loss /= period
    out[0, period] = _strength(gain, loss)
    keep = period - 1.0
    for i in range(period + 1, n):
        change = x[i] - x[i - 1]
        gain = (gain * keep + (change if change > 0.0 else 0.0)) / period
        loss = (loss * keep + (0.0 if change > 0.0 else abs(change))) / period
        out[0, i] = _strength(gain, loss)


@kernel
def _rsi_windowed(x, params, window, out):
    """Seed the averages at each bar's own first row."""
    n = x.shape[0]
    period = int(params[0])
    if window <= period:
        out[0, window:] = np.nan
        return
    up = np.zeros(n)
    down = np.zeros(n)
    for i in range(1, n):
        change = x[i] - x[i - 1]
        up[i] = change if change > 0.0 else 0.0
        down[i] = 0.0 if change > 0.0 else abs(change)
    keep = period - 1.0
    gain = np.empty(LANES)
    loss = np.empty(LANES)
    for first in range(window, n, LANES):
        lanes = min(LANES, n - first)
        seeded = first + 1 - window + period
        gain[:] = 0.0
        loss[:] = 0.0
        for j in range(seeded - period + 1, seeded + 1):
            up_here = up[j : j + lanes]
            down_here = down[j : j + lanes]
            for k in range(lanes):
                gain[k] += up_here[k]
                loss[k] += down_here[k]
        for k in range(lanes):
            gain[k] /= period
            loss[k] /= period
        for j in range(seeded + 1, first + 1):
            up_here = up[j : j + lanes]
            down_here = down[j : j + lanes]
            for k in range(lanes):
                gain[k] = (gain[k] * keep + up_here[k]) / period
                loss[k] = (loss[k] * keep + down_here[k]) / period
        for k in range(lanes):
            out[0, first + k] = _strength(gain[k], loss[k])


@indicator(_rsi, windowed=_rsi_windowed, accepts_1d=True)
def rsi(candles: Float2D | Float1D, period: int = 14, source_type: str = "close", sequential: bool = False) -> Value:
    """RSI, relative strength index: `100 - 100 / (1 + gain / loss)` of Wilder's averages of the changes.

    NaN for the first `period` rows; 100 without any loss.

    Parameters
    ----------
    candles, period, source_type, sequential
        See `sma`.

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
    >>> rsi(np.array([1.0, 2.0, 1.0, 2.0]), 2, sequential=True)
    array([nan, nan, 50., 75.])
    """
    ...


class MACD(NamedTuple):
    """Moving average convergence/divergence, its signal line, and their difference."""

    macd: Value
    signal: Value
    hist: Value


@kernel
def _macd(x, params, out):
    """Difference of two averages, and the average of that; all seeded with their first value."""
    fast_weight = 2.0 / (params[0] + 1.0)
    slow_weight = 2.0 / (params[1] + 1.0)
    signal_weight = 2.0 / (params[2] + 1.0)
    fast = x[0]
    slow = x[0]
    signal = 0.0
    for i in range(x.shape[0]):
        if i > 0:
            fast = fast_weight * x[i] + (1.0 - fast_weight) * fast
            slow = slow_weight * x[i] + (1.0 - slow_weight) * slow
        difference = fast - slow
        line = 0.0 if np.isnan(difference) else difference
        signal = signal_weight * line + (1.0 - signal_weight) * signal if i > 0 else line
        out[0, i] = line
        out[1, i] = signal
        out[2, i] = difference - signal


@kernel
def _macd_windowed(x, params, window, out):
    """Seed the averages at each bar's own first row."""
    n = x.shape[0]
    fast_weight = 2.0 / (params[0] + 1.0)
    slow_weight = 2.0 / (params[1] + 1.0)
    signal_weight = 2.0 / (params[2] + 1.0)
    fast_scaled = fast_weight * x
    slow_scaled = slow_weight * x
    fast = np.empty(LANES)
    slow = np.empty(LANES)
    signal = np.empty(LANES)
    for first in range(window, n, LANES):
        lanes = min(LANES, n - first)
        start = first + 1 - window
        for k in range(lanes):
            fast[k] = x[start + k]
            slow[k] = x[start + k]
            difference = fast[k] - slow[k]
            signal[k] = 0.0 if np.isnan(difference) else difference
        for j in range(start + 1, first + 1):
            fast_scaled_here = fast_scaled[j : j + lanes]
            slow_scaled_here = slow_scaled[j : j + lanes]
            for k in range(lanes):
                fast[k] = fast_scaled_here[k] + (1.0 - fast_weight) * fast[k]
                slow[k] = slow_scaled_here[k] + (1.0 - slow_weight) * slow[k]
                difference = fast[k] - slow[k]
                line = 0.0 if np.isnan(difference) else difference
                signal[k] = signal_weight * line + (1.0 - signal_weight) * signal[k]
        for k in range(lanes):
            difference = fast[k] - slow[k]
            out[0, first + k] = 0.0 if np.isnan(difference) else difference
            out[1, first + k] = signal[k]
            out[2, first + k] = difference - signal[k]


@indicator(_macd, record=MACD, windowed=_macd_windowed, accepts_1d=True)
def macd(
    candles: Float2D | Float1D,
    fast_period: int = 12,
    slow_period: int = 26,
    signal_period: int = 9,
    source_type: str = "close",
    sequential: bool = False,
) -> MACD:
    """MACD, moving average convergence/divergence: fast minus slow exponential average, and the average of that.

    Known from the first row on. A difference that is not a number counts as 0 in the line and its signal.

    Parameters
    ----------
    candles, source_type, sequential
        See `sma`.
    fast_period, slow_period, signal_period : int

    Returns
    -------
    MACD
        `macd`, `signal`, `hist` (macd minus signal), in units of the source.

    Examples
    --------
    >>> import numpy as np
    >>> macd(np.array([1.0, 3.0, 5.0]), 1, 3, 1, sequential=True).macd
    array([0. , 1. , 1.5])
    """
    ...


class Stochastic(NamedTuple):
    """Slow stochastic lines."""

    k: Value
    d: Value


@kernel
def _stoch(candles, params, out):
    """Place of the close in the range of the last bars, averaged twice; unknown where there is no range."""
    n = candles.shape[0]
    period = int(params[0])
    highest = np.empty(n)
    lowest = np.empty(n)
    _rolling_max(candles[:, HIGH], period, IS_SKIPPED, highest)
    _rolling_min(candles[:, LOW], period, IS_SKIPPED, lowest)
    raw = np.full(n, np.nan)
    for i in range(n):
        if highest[i] > lowest[i]:
            raw[i] = 100.0 * (candles[i, CLOSE] - lowest[i]) / (highest[i] - lowest[i])
    _mean_of_known(raw, int(params[1]), out[0])
    _mean_of_known(out[0], int(params[3]), out[1])


#: Jesse ignores the types of average here, except that these two raise.
_STOCHASTIC_MATYPES = frozenset(range(1000)) - {24, 29}


@indicator(
    _stoch,
    record=Stochastic,
    allowed={"slowk_matype": _STOCHASTIC_MATYPES, "slowd_matype": _STOCHASTIC_MATYPES},
    lookback=lambda fastk, slowk, _slowk_matype, slowd, _slowd_matype: fastk + slowk + slowd - 2,
)
def stoch(
    candles: Float2D,
    fastk_period: int = 14,
    slowk_period: int = 3,
    slowk_matype: int = 0,
    slowd_period: int = 3,
    slowd_matype: int = 0,
    sequential: bool = False,
) -> Stochastic:
    """Slow stochastic oscillator: where the close lies between the lowest low and the highest high.

    A bar without any range has no raw value; the two averages are over the known values only.

    Parameters
    ----------
    candles : ndarray, shape (n, 6), float64
    fastk_period, slowk_period, slowd_period : int
        Bars in the range, in the average `k` of the raw value, and in the average `d` of `k`.
    slowk_matype, slowd_matype : int
        Ignored, as in Jesse: the averages are simple ones.
    sequential : bool
        Return the value at every row instead of the last.

    Returns
    -------
    Stochastic
        `k` and `d`, 0 to 100.

    Examples
    --------
    >>> import numpy as np
    >>> candles = np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]] * 3)
    >>> stoch(candles, 2, 1, 0, 2).k
    np.float64(50.0)
    """
    ...


class StochasticFast(NamedTuple):
    """Fast stochastic lines."""

    k: Value
    d: Value


@kernel
def _stochf(candles, params, out):
    """Place of the close in the range of the last bars, 50 where there is no range, and its average."""
    n = candles.shape[0]
    period = int(params[0])
    highest = np.empty(n)
    lowest = np.empty(n)
    _rolling_max(candles[:, HIGH], period, IS_A_WALL, highest)
    _rolling_min(candles[:, LOW], period, IS_A_WALL, lowest)
    for i in range(n):
        out[0, i] = np.nan
        if i >= period - 1:
            out[0, i] = 50.0
            if highest[i] > lowest[i]:
                out[0, i] = 100.0 * (candles[i, CLOSE] - lowest[i]) / (highest[i] - lowest[i])
    _mean_of_known(out[0], int(params[1]), out[1])


@indicator(
    _stochf,
    record=StochasticFast,
    allowed={"fastd_matype": _STOCHASTIC_MATYPES},
    lookback=lambda fastk, fastd, _fastd_matype: fastk + fastd - 1,
)
def stochf(
    candles: Float2D,
    fastk_period: int = 5,
    fastd_period: int = 3,
    fastd_matype: int = 0,
    sequential: bool = False,
) -> StochasticFast:
    """Fast stochastic oscillator: where the close lies between the lowest low and the highest high, and its mean.

    50 where there is no range. `fastd_matype` is ignored, as in Jesse. Other arguments: see `stoch`.
    """
    ...


class StochasticRSI(NamedTuple):
    """Stochastic of the relative strength index, and its mean."""

    k: Value
    d: Value


@kernel
def _srsi(x, params, out):
    """Place of the relative strength in its own range, averaged twice; the second skips unknown rows."""
    n = x.shape[0]
    period = int(params[0])
    span = int(params[1])
    k_period = int(params[2])
    d_period = int(params[3])
    strength = np.empty((1, n))
    _rsi(x, params, strength)
    raw = np.full(n, np.nan)
    first = period + span - 1
    for i in range(first, n):
        lowest = np.inf
        highest = -np.inf
        for j in range(i - span + 1, i + 1):
            lowest = min(lowest, strength[0, j])
            highest = max(highest, strength[0, j])
        if highest != lowest:
            raw[i] = 100.0 * (strength[0, i] - lowest) / (highest - lowest)
    last = np.zeros(d_period)
    known = 0
    for i in range(n):
        out[0, i] = raw[i] if k_period == 1 else np.nan
        out[1, i] = np.nan
        if k_period > 1 and i >= first + k_period - 1:
            total = 0.0
            for j in range(i - k_period + 1, i + 1):
                total += raw[j]
            out[0, i] = total / k_period
        if np.isnan(out[0, i]):
            continue
        if known == d_period:
            for j in range(d_period - 1):
                last[j] = last[j + 1]
            known -= 1
        last[known] = out[0, i]
        known += 1
        if known == d_period:
            total = 0.0
            for j in range(d_period):
                total += last[j]
            out[1, i] = total / d_period


@indicator(_srsi, record=StochasticRSI, accepts_1d=True)
def srsi(
    candles: Float2D | Float1D,
    period: int = 14,
    period_stoch: int = 14,
    k: int = 3,
    d: int = 3,
    source_type: str = "close",
    sequential: bool = False,
) -> StochasticRSI:
    """Stochastic RSI: where the relative strength index lies in its range of the last `period_stoch` rows.

    `k` is the mean of `k` such values, NaN if one is unknown for want of a range; `d` the mean of the last `d` known
    `k`. Other arguments: see `sma`.
    """
    ...


@kernel
def _cci(candles, params, out):
    """Distance of the typical price from its mean, in 0.015 mean distances."""
    n = candles.shape[0]
    period = int(params[0])
    typical = np.empty(n)
    for i in range(n):
        typical[i] = (candles[i, HIGH] + candles[i, LOW] + candles[i, CLOSE]) / 3.0
    means = np.empty(n)
    _window_sums(typical, period, means)
    for i in range(n):
        means[i] /= period
        out[0, i] = np.nan
    distances = np.empty(ROWS)
    for first in range(period - 1, n, ROWS):
        rows = min(ROWS, n - first)
        mean = means[first : first + rows]
        for k in range(rows):
            distances[k] = 0.0
        j = first - period + 1
        while j + 3 <= first:
            a = typical[j : j + rows + 3]
            for k in range(rows):
                half = (distances[k] + abs(a[k] - mean[k])) + abs(a[k + 1] - mean[k])
                distances[k] = (half + abs(a[k + 2] - mean[k])) + abs(a[k + 3] - mean[k])
            j += 4
        while j <= first:
            a = typical[j : j + rows]
            for k in range(rows):
                distances[k] += abs(a[k] - mean[k])
            j += 1
        for k in range(rows):
            distance = distances[k] / period
            away = typical[first + k] - means[first + k]
            out[0, first + k] = 0.0 if distance == 0.0 else away / (0.015 * distance)


@indicator(_cci, lookback=lambda period: period)
def cci(candles: Float2D, period: int = 14, sequential: bool = False) -> Value:
    """Commodity channel index: distance of `(high + low + close) / 3` from its mean, in 0.015 mean distances.

    NaN until there are `period` rows, 0 without any distance. Arguments: see `atr`.
    """
    ...


@kernel
def _willr(candles, params, out):
    """Place of the close below the highest high, in percent of the range."""
    n = candles.shape[0]
    period = int(params[0])
    highest = np.empty(n)
    lowest = np.empty(n)
    _rolling_max(candles[:, HIGH], period, IS_A_WALL, highest)
    _rolling_min(candles[:, LOW], period, IS_A_WALL, lowest)
    for i in range(n):
        out[0, i] = np.nan
        if i >= period - 1:
            span = highest[i] - lowest[i]
            out[0, i] = 0.0 if span == 0.0 else ((highest[i] - candles[i, CLOSE]) / span) * -100.0


@indicator(_willr, lookback=lambda period: period)
def willr(candles: Float2D, period: int = 14, sequential: bool = False) -> Value:
    """Williams' %R: how far the close is below the highest high, in percent of the range, from -100 to 0.

    NaN until there are `period` rows, 0 without a range. Arguments: see `atr`.
    """
    ...
