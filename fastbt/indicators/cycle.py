# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Cycles after John Ehlers: filters that pass one band of periods, and what they say about the market."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import LANES
from fastbt.indicators._registry import Value, indicator
from fastbt.indicators.filters import _high_pass, _high_pass_2_pole, _two_poles
from fastbt.types import HIGH, LOW, Float1D, Float2D


class BandPass(NamedTuple):
    """Band-pass filter, the same in units of its peak, the side of the trigger it is on, and the trigger."""

    bp: Value
    bp_normalized: Value
    signal: Value
    trigger: Value


@kernel
def _bandpass(x, params, out):
    """Resonance at the period behind a high pass; the peak decays by 0.9 % a row."""
    n = x.shape[0]
    period = params[0]
    bandwidth = params[1]
    passed = np.empty((1, n))
    _high_pass(x, np.array([4.0 * period / bandwidth]), passed)
    beta = np.cos(2.0 * np.pi / period)
    gamma = np.cos(2.0 * np.pi * bandwidth / period)
    alpha = 1.0 / gamma - np.sqrt(1.0 / (gamma * gamma) - 1.0)
    peak = 0.0
    for i in range(n):
        value = passed[0, i]
        if i >= 2:
            value = 0.5 * (1.0 - alpha) * (passed[0, i] - passed[0, i - 2])
            value = value + beta * (1.0 + alpha) * out[0, i - 1] - alpha * out[0, i - 2]
        peak = peak * 0.991
        if i == 0 or abs(value) > peak:
            peak = abs(value)
        out[0, i] = value
        out[1, i] = value / peak if peak != 0.0 else 0.0
    _high_pass(out[1], np.array([period / bandwidth / 1.5]), out[3:4])
    for i in range(n):
        out[2, i] = 0.0
        if out[1, i] < out[3, i]:
            out[2, i] = 1.0
        elif out[3, i] < out[1, i]:
            out[2, i] = -1.0


@indicator(_bandpass, record=BandPass)
def bandpass(
    candles: Float2D,
    period: int = 20,
    bandwidth: float = 0.3,
    source_type: str = "close",
    sequential: bool = False,
) -> BandPass:
    """Band pass: the part of the price that swings with about `period` rows.

    `bp_normalized` is `bp` in units of its decaying peak, `trigger` a high pass of it, and `signal` 1.0 below the
    trigger, -1.0 above. The first two rows of `bp` are those of the high pass. Arguments: see `mom`; `bandwidth` is a
    fraction of the period.

    References
    ----------
    .. [1] John Ehlers, Cycle Analytics for Traders, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> bandpass(np.full((60, 6), 7.0)).signal
    np.float64(1.0)
    """
    ...


class CC(NamedTuple):
    """Correlation with a cosine and with a sine, their angle in degrees, and the state: 1 up, -1 down, 0 cycling."""

    real: Value
    imag: Value
    angle: Value
    state: Value


@kernel
def _correlation_cycle(x, params, out):
    """Correlate the rows before each one with a cosine and a sine; the angle never turns back by less than 270."""
    n = x.shape[0]
    period = max(2, int(params[0]))
    cosines = np.empty(period)
    sines = np.empty(period)
    for j in range(period):
        turn = 2.0 * np.pi * (j + 1.0) / period
        cosines[j] = np.cos(turn)
        sines[j] = -np.sin(turn)
    real_squares = real_total = imag_squares = imag_total = 0.0
    for j in range(period):
        real_squares += cosines[j] * cosines[j]
        real_total += cosines[j]
        imag_squares += sines[j] * sines[j]
        imag_total += sines[j]
    real_spread = period * real_squares - real_total * real_total
    imag_spread = period * imag_squares - imag_total * imag_total
    known = np.empty(n)
    for i in range(n):
        known[i] = 0.0 if np.isnan(x[i]) else x[i]
    sums = np.empty((4, n))
    for first in range(period, n, LANES):
        lanes = min(LANES, n - first)
        for k in range(lanes):
            sums[:, first + k] = 0.0
        for j in range(period):
            for k in range(lanes):
                value = known[first + k - j - 1]
                sums[0, first + k] += value
                sums[1, first + k] += value * value
                sums[2, first + k] += value * cosines[j]
                sums[3, first + k] += value * sines[j]
    raw_before = np.nan
    for i in range(n):
        out[0, i] = np.nan
        out[1, i] = np.nan
        if i >= period:
            total, squares, real_joint, imag_joint = sums[0, i], sums[1, i], sums[2, i], sums[3, i]
            spread = period * squares - total * total
            if spread > 0.0 and real_spread > 0.0:
                joint = period * real_joint - total * real_total
                out[0, i] = joint / (np.sqrt(spread) * np.sqrt(real_spread))
            if spread > 0.0 and imag_spread > 0.0:
                joint = period * imag_joint - total * imag_total
                out[1, i] = joint / (np.sqrt(spread) * np.sqrt(imag_spread))
        angle = 0.0
        if out[1, i] != 0.0:
            angle = np.degrees(np.arctan(out[0, i] / out[1, i]) + np.pi / 2.0)
        if out[1, i] > 0.0:
            angle -= 180.0
        raw = angle
        if raw_before > angle and raw_before - angle < 270.0:
            angle = raw_before
        raw_before = raw
        out[2, i] = angle
        out[3, i] = 0.0
        if i > 0 and abs(angle - out[2, i - 1]) < params[1]:
            out[3, i] = 1.0 if angle >= 0.0 else -1.0


@indicator(_correlation_cycle, record=CC, lookback=lambda period, _threshold: max(2, period) + 3)
def correlation_cycle(
    candles: Float2D,
    period: int = 20,
    threshold: int = 9,
    source_type: str = "close",
    sequential: bool = False,
) -> CC:
    """Correlation cycle: how the `period` rows before the last one correlate with a cosine and a sine of that period.

    `state` is 1.0 (up) or -1.0 (down) while the angle moves by less than `threshold` degrees, else 0.0. NaN for the
    first `period` rows, and where prices do not move. Arguments: see `mom`.

    References
    ----------
    .. [1] John Ehlers, Correlation as a Cycle Indicator, Stocks & Commodities, June 2020.
    """
    ...


class EMD(NamedTuple):
    """Averages of the peaks, of the cycle itself, and of the valleys."""

    upperband: Value
    middleband: Value
    lowerband: Value


@kernel
def _rolled_mean(x, period, factor, out):
    """Fill `out` with `factor` times the mean of the last `period` values, the sum moved on by one difference."""
    total = 0.0
    for i in range(x.shape[0]):
        out[i] = np.nan
        total += x[i] if i < period else x[i] - x[i - period]
        if i >= period - 1:
            out[i] = factor * (total / period)


@kernel
def _emd(candles, params, out):
    """Band pass of the middle prices; its mean, and means of its last peaks and valleys."""
    n = candles.shape[0]
    period = int(params[0])
    beta = np.cos(2.0 * np.pi / period)
    gamma = 1.0 / np.cos(4.0 * np.pi * params[1] / period)
    alpha = gamma - np.sqrt(gamma * gamma - 1.0)
    cycle = np.zeros(n)
    peaks = np.zeros(n)
    valleys = np.zeros(n)
    last = older = peak = valley = 0.0
    for i in range(2, n):
        price = (candles[i, HIGH] + candles[i, LOW]) / 2.0
        before = (candles[i - 2, HIGH] + candles[i - 2, LOW]) / 2.0
        value = 0.5 * (1.0 - alpha) * (price - before)
        value = value + beta * (1.0 + alpha) * last - alpha * older
        peak = last if last > value and last > older else peak
        valley = last if last < value and last < older else valley
        older = last
        last = value
        cycle[i] = value
        peaks[i] = peak
        valleys[i] = valley
    _rolled_mean(peaks, 50, params[2], out[0])
    _rolled_mean(cycle, 2 * period, 1.0, out[1])
    _rolled_mean(valleys, 50, params[2], out[2])


@indicator(_emd, record=EMD)
def emd(candles: Float2D, period: int = 20, delta: float = 0.5, fraction: float = 0.1, sequential: bool = False) -> EMD:
    """Empirical mode decomposition: the mean of a band pass of the middle prices over `2 * period` rows.

    The bands are `fraction` of the means of its peaks and of its valleys over 50 rows. NaN until there are as many
    rows. Arguments: see `atr`; `delta` is half the width of the band, a fraction of the period.

    References
    ----------
    .. [1] John Ehlers and Ric Way, Empirical Mode Decomposition, Stocks & Commodities, March 2010.
    """
    ...


class ITREND(NamedTuple):
    """The side of the line that the trigger is on, the line, and the trigger."""

    signal: Value
    it: Value
    trigger: Value


@kernel
def _itrend(x, params, out):
    """Two-pole trend line; the trigger extrapolates it from 20 rows before."""
    alpha = params[0]
    square = alpha * alpha
    for i in range(x.shape[0]):
        if i < 2:
            line = x[i]
        elif i < 7:
            line = (x[i] + 2.0 * x[i - 1] + x[i - 2]) / 4.0
        else:
            line = (alpha - square / 4.0) * x[i] + square / 2.0 * x[i - 1]
            line = line - (alpha - 3.0 * alpha * alpha / 4.0) * x[i - 2]
            line = line + 2.0 * (1.0 - alpha) * out[1, i - 1] - (1.0 - alpha) * (1.0 - alpha) * out[1, i - 2]
        out[1, i] = line
        trigger = 2.0 * line - (out[1, i - 20] if i >= 20 else line)
        out[2, i] = trigger
        out[0, i] = 1.0 if trigger > line else -1.0 if trigger < line else 0.0


@indicator(_itrend, record=ITREND)
def itrend(candles: Float2D, alpha: float = 0.07, source_type: str = "hl2", sequential: bool = False) -> ITREND:
    """Instantaneous trend line: `it`, the price without its cycles.

    `trigger` is `2 * it` less the line of 20 rows before; `signal` is 1.0 if it is above the line, -1.0 below, else
    0.0. Arguments: see `mom`.

    References
    ----------
    .. [1] John Ehlers, Cybernetic Analysis for Stocks and Futures, 2004.
    """
    ...


class PMA(NamedTuple):
    """Predicted price, and a weighted mean of the last four predictions."""

    predict: Value
    trigger: Value


@kernel
def _seven_weighted(x, i):
    """Mean of the last seven values, the newest weighing seven."""
    total = 7.0 * x[i] + 6.0 * x[i - 1] + 5.0 * x[i - 2] + 4.0 * x[i - 3] + 3.0 * x[i - 4] + 2.0 * x[i - 5] + x[i - 6]
    return total / 28.0


@kernel
def _pma(x, _params, out):
    """Twice a weighted average less the average of it; what is before the first average counts as 0."""
    n = x.shape[0]
    average = np.zeros(n)
    predicted = np.zeros(n)
    for i in range(n):
        out[:, i] = np.nan
        if i < 6:
            continue
        average[i] = _seven_weighted(x, i)
        predicted[i] = 2.0 * average[i] - _seven_weighted(average, i)
        out[0, i] = predicted[i]
        if np.isnan(predicted[i]):
            predicted[i] = 0.0
            continue
        three = 4.0 * predicted[i] + 3.0 * predicted[i - 1] + 2.0 * predicted[i - 2]
        out[1, i] = (three + predicted[i - 3]) / 10.0


@indicator(_pma, record=PMA, lookback=lambda: 16, accepts_1d=True)
def pma(candles: Float2D | Float1D, source_type: str = "hl2", sequential: bool = False) -> PMA:
    """Predictive moving average: `2 * w - w(w)`, `w` the weighted mean of seven values; NaN for the first six rows.

    `trigger` is the weighted mean of the last four predictions. Averages and predictions that are not known yet count
    as 0, as in Jesse, so both settle at row 15. Arguments: see `sma`.

    References
    ----------
    .. [1] John Ehlers, Rocket Science for Traders, 2001.
    """
    ...


class VossFilter(NamedTuple):
    """Predicted band pass, and the band pass."""

    voss: Value
    filt: Value


@kernel
def _voss(x, params, out):
    """Band pass, and a filter with negative delay over it; both 0 until the history is long enough."""
    period = params[0]
    order = 3 * int(params[1])
    f = np.cos(2.0 * np.pi / period)
    g = np.cos(params[2] * 2.0 * np.pi / period)
    s = 1.0 / g - np.sqrt(1.0 / (g * g) - 1.0)
    weights = np.empty(order)
    for j in range(order):
        weights[j] = (j + 1.0) / order
    for i in range(x.shape[0]):
        out[:, i] = 0.0
        if i <= period or i <= 5 or i <= order:
            continue
        value = 0.5 * (1.0 - s) * (x[i] - x[i - 2])
        out[1, i] = value + f * (1.0 + s) * out[1, i - 1] - s * out[1, i - 2]
        total = 0.0
        for j in range(order):
            total += weights[j] * out[0, i - (order - j)]
        out[0, i] = ((3.0 + order) / 2.0) * out[1, i] - total


@indicator(_voss, record=VossFilter)
def voss(
    candles: Float2D,
    period: int = 20,
    predict: int = 3,
    bandwith: float = 0.25,
    source_type: str = "close",
    sequential: bool = False,
) -> VossFilter:
    """Voss filter: a band pass of the price, and what it is going to be `predict` rows later.

    Both are 0 for the first `max(period, 5, 3 * predict)` rows and the one after. Arguments: see `mom`; `bandwith`
    (Jesse's spelling) is a fraction of the period.

    References
    ----------
    .. [1] John Ehlers, A Peek Into the Future, Stocks & Commodities, August 2019.
    """
    ...


@kernel
def _decycler(x, params, out):
    """Take the fast part from the price."""
    _high_pass_2_pole(x, params, out)
    for i in range(x.shape[0]):
        out[0, i] = x[i] - out[0, i]


@indicator(_decycler)
def decycler(candles: Float2D, hp_period: int = 125, source_type: str = "close", sequential: bool = False) -> Value:
    """Decycler: the price without what moves faster than `hp_period`; see `high_pass_2_pole`.

    0 for the first two rows. Arguments: see `mom`.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(decycler(np.full((600, 6), 7.0))), 1)
    7.0
    """
    ...


@kernel
def _dec_osc(x, params, out):
    """Pass of the decycled price what moves faster than half the period, in percent of the price."""
    n = x.shape[0]
    slow = np.empty((1, n))
    _decycler(x, params, slow)
    _high_pass_2_pole(slow[0], np.array([float(int(0.5 * params[0]))]), out)
    for i in range(n):
        out[0, i] = 100.0 * params[1] * out[0, i] / x[i]


@indicator(_dec_osc)
def dec_osc(
    candles: Float2D, hp_period: int = 125, k: float = 1, source_type: str = "close", sequential: bool = False
) -> Value:
    """Decycler oscillator: what of the `decycler` moves faster than half of `hp_period`, `k` times, in percent.

    Arguments: see `mom`.
    """
    ...


@kernel
def _roofing(x, params, out):
    """Smooth what a high pass leaves."""
    passed = np.empty((1, x.shape[0]))
    _high_pass_2_pole(x, params, passed)
    _two_poles(passed[0], params[1], out[0])


@indicator(_roofing)
def roofing(
    candles: Float2D,
    hp_period: int = 48,
    lp_period: int = 10,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """Roofing filter: what is faster than `hp_period` and slower than `lp_period`.

    A `supersmoother` of a `high_pass_2_pole`. Arguments: see `mom`.
    """
    ...
