# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Averages whose weights or length follow the market."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import ROWS
from fastbt.indicators._registry import Value, indicator, settles_with
from fastbt.indicators.moving_average import COMPILED, _average, average, source_of
from fastbt.indicators.statistics import _deviation, absolute_deviation
from fastbt.types import CLOSE, HIGH, LOW, Float1D, Float2D


@kernel
def _edcf(x, params, out):
    """Mean weighted by the squared distances of each value from those before; the sums are rolled."""
    n = x.shape[0]
    period = int(params[0])
    weight = np.zeros(n)
    for first in range(period - 1, n, ROWS):
        rows = min(ROWS, n - first)
        x_here = x[first : first + rows]
        weight_here = weight[first : first + rows]
        j = 1
        while j + 4 <= period:
            x_back = x[first - j - 3 : first - j + rows]
            for k in range(rows):
                one = x_here[k] - x_back[k + 3]
                two = x_here[k] - x_back[k + 2]
                three = x_here[k] - x_back[k + 1]
                four = x_here[k] - x_back[k]
                half = (weight_here[k] + one * one) + two * two
                weight_here[k] = (half + three * three) + four * four
            j += 4
        while j < period:
            x_back = x[first - j : first - j + rows]
            for k in range(rows):
                distance = x_here[k] - x_back[k]
                weight_here[k] += distance * distance
            j += 1
    total = 0.0
    weights = 0.0
    for i in range(n):
        out[0, i] = np.nan
        if i < 2 * period or period < 2:
            continue
        if i == 2 * period:
            for j in range(i - period + 1, i + 1):
                total += weight[j] * x[j]
                weights += weight[j]
        else:
            total = total - weight[i - period] * x[i - period] + weight[i] * x[i]
            weights = weights - weight[i - period] + weight[i]
        out[0, i] = total / weights if weights != 0.0 else 0.0


@indicator(_edcf, accepts_1d=True)
def edcf(candles: Float2D | Float1D, period: int = 15, source_type: str = "hl2", sequential: bool = False) -> Value:
    """EDCF, Ehlers' distance coefficient filter: a mean in which a value weighs as much as it moved.

    The weight of a value is the sum of its squared distances from the `period - 1` values before it. NaN for the first
    `2 * period` rows, and everywhere if `period` is 1; 0 where nothing moved. The sums are rolled, so prices that stop
    moving leave meaningless remainders, as in Jesse. Arguments and result: see `sma`.

    References
    ----------
    .. [1] John Ehlers, Nonlinear Ehlers Filters, Stocks & Commodities, 2001.
    """
    ...


@kernel
def _range_of(candles, start, end):
    """Distance of the highest high from the lowest low."""
    highest = candles[start, HIGH]
    lowest = candles[start, LOW]
    for i in range(start + 1, end):
        highest = max(highest, candles[i, HIGH])
        lowest = min(lowest, candles[i, LOW])
    return highest - lowest


@kernel
def _frama(candles, params, out):
    """Exponential average whose weight follows the fractal dimension of the rows before."""
    window = int(params[0])
    window += window % 2
    fast = params[1]
    slow = params[2]
    least = 2.0 / (slow + 1.0)
    decay = np.log(least)
    dimension = 0.0
    value = 0.0
    for i in range(candles.shape[0]):
        out[0, i] = np.nan
        if i < window:
            value += candles[i, CLOSE]
            if i == window - 1:
                value /= window
                out[0, i] = value
            continue
        early = _range_of(candles, i - window, i - window // 2) * (2.0 / window)
        late = _range_of(candles, i - window // 2, i) * (2.0 / window)
        both = _range_of(candles, i - window, i) * (1.0 / window)
        if early > 0.0 and late > 0.0 and both > 0.0:
            dimension = (np.log(late + early) - np.log(both)) / np.log(2.0)
        weight = min(max(np.exp(decay * (dimension - 1.0)), 0.1), 1.0)
        length = (2.0 - weight) / weight
        length = ((slow - fast) * ((length - 1.0) / (slow - 1.0))) + fast
        weight = min(max(2.0 / (length + 1.0), least), 1.0)
        value = weight * candles[i, CLOSE] + (1.0 - weight) * value
        out[0, i] = value


@indicator(_frama)
def frama(candles: Float2D, window: int = 10, FC: int = 1, SC: int = 300, sequential: bool = False) -> Value:
    """FRAMA, fractal adaptive moving average: fast where prices run straight, slow where they fill their range.

    The dimension comes from the ranges of the two halves of the `window` rows before; an odd `window` counts as the
    next even one. Seeded with the mean of the first `window` closes, NaN before.

    Parameters
    ----------
    candles, sequential
        See `atr`.
    window : int
    FC, SC : int
        Fastest and slowest length of the average.

    Returns
    -------
    float or ndarray, shape (n,)
        In quote currency.

    References
    ----------
    .. [1] John Ehlers, FRAMA, Fractal Adaptive Moving Average, Stocks & Commodities, October 2005.
    """
    ...


class MAMA(NamedTuple):
    """The adaptive average, and the one that follows it."""

    mama: Value
    fama: Value


@kernel
def _quadrature(x, i, factor):
    """Hilbert transform of a series at row `i`; rows before the first count as 0."""
    total = 0.0962 * x[i]
    total += 0.5769 * x[i - 2] if i >= 2 else 0.0
    total -= 0.5769 * x[i - 4] if i >= 4 else 0.0
    total -= 0.0962 * x[i - 6] if i >= 6 else 0.0
    return total * factor


@kernel
def _mama(x, params, out):
    """Measure the phase by a Hilbert transform; the faster it turns, the slower the average."""
    n = x.shape[0]
    smooth = np.zeros(n)
    detrended = np.zeros(n)
    in_phase = np.zeros(n)
    quadrature = np.zeros(n)
    real = imaginary = 0.0
    in_before = quad_before = 0.0
    period = phase = 0.0
    out[:, 0] = 0.0
    for i in range(1, n):
        total = 4.0 * x[i] + 3.0 * x[i - 1] + 2.0 * x[max(0, i - 2)] + x[max(0, i - 3)]
        smooth[i] = total / 10.0
        factor = 0.075 * period + 0.54
        detrended[i] = _quadrature(smooth, i, factor)
        quadrature[i] = _quadrature(detrended, i, factor)
        in_phase[i] = detrended[i - 3] if i >= 3 else 0.0
        in_now = 0.2 * (in_phase[i] - _quadrature(quadrature, i, factor)) + 0.8 * in_before
        quad_now = 0.2 * (quadrature[i] + _quadrature(in_phase, i, factor)) + 0.8 * quad_before
        real = 0.2 * (in_now * in_before + quad_now * quad_before) + 0.8 * real
        imaginary = 0.2 * (in_now * quad_before - quad_now * in_before) + 0.8 * imaginary
        in_before = in_now
        quad_before = quad_now
        measured = period
        if imaginary != 0.0 and real != 0.0:
            measured = 2.0 * np.pi / np.arctan(imaginary / real)
        # Comparisons, which leave what is not known as it is.
        measured = 1.5 * period if measured > 1.5 * period else measured
        measured = 0.67 * period if measured < 0.67 * period else measured
        measured = 6.0 if measured < 6.0 else 50.0 if measured > 50.0 else measured
        period = 0.2 * measured + 0.8 * period
        phase_before = phase
        phase = 0.0
        if in_phase[i] != 0.0:
            phase = np.arctan(quadrature[i] / in_phase[i]) * 180.0 / np.pi
        turn = phase_before - phase
        weight = min(max(params[0] / (turn if turn > 1.0 else 1.0), params[1]), params[0])
        out[0, i] = weight * x[i] + (1.0 - weight) * out[0, i - 1]
        out[1, i] = 0.5 * weight * out[0, i] + (1.0 - 0.5 * weight) * out[1, i - 1]


@indicator(_mama, record=MAMA, accepts_1d=True)
def mama(
    candles: Float2D | Float1D,
    fastlimit: float = 0.5,
    slowlimit: float = 0.05,
    source_type: str = "close",
    sequential: bool = False,
) -> MAMA:
    """MAMA, the MESA adaptive moving average, and FAMA, which follows it at half its weight.

    The weight is `fastlimit` over the turn of the phase in degrees, at least `slowlimit`, at most `fastlimit`.
    Both start from 0, as in Jesse, so the first rows are far below the prices. Arguments: see `sma`.

    References
    ----------
    .. [1] John Ehlers, MESA Adaptive Moving Averages, Stocks & Commodities, September 2001.
    """
    ...


@kernel
def _spread_so_far(x, period, out):
    """Fill `out` with the deviation of the last `period` values, or of all values until there are as many."""
    _deviation(x, period, out)
    total = 0.0
    squares = 0.0
    for i in range(min(period - 1, x.shape[0])):
        total += x[i]
        squares += x[i] * x[i]
        mean = total / (i + 1.0)
        out[i] = np.sqrt(max(squares / (i + 1.0) - mean * mean, 0.0))


@kernel
def _variable_length(x, middle, deviation, shortest, longest, out):
    """Exponential average that grows longer near the middle and shorter far from it."""
    length = longest
    out[0] = x[0]
    for i in range(1, x.shape[0]):
        far = 1.75 * deviation[i]
        near = 0.25 * deviation[i]
        if middle[i] - near <= x[i] <= middle[i] + near:
            length += 1.0
        elif x[i] < middle[i] - far or x[i] > middle[i] + far:
            length -= 1.0
        length = min(max(length, shortest), longest)
        weight = 2.0 / (length + 1.0)
        out[i] = x[i] * weight + (1.0 - weight) * out[i - 1]


@kernel
def _vlma(x, params, out):
    """Around one of the compiled averages."""
    n = x.shape[0]
    period = int(params[1])
    middle = np.empty((1, n))
    deviation = np.empty(n)
    _average(x, period, int(params[2]), middle)
    _spread_so_far(x, period, deviation)
    _variable_length(x, middle[0], deviation, params[0], params[1], out[0])


def _vlma_python(data: Float1D | Float2D, params: Float1D, out: Float2D) -> None:
    """Around any average, with any deviation."""
    period = int(params[1])
    x = source_of(data)
    deviation: Float1D = np.empty(len(x))
    if params[3] == 0:
        _spread_so_far(x, period, deviation)
    else:
        deviation = absolute_deviation(x, period, int(params[3]))
    _variable_length(x, average(data, period, int(params[2])), deviation, params[0], params[1], out[0])


@indicator(
    _vlma,
    python=_vlma_python,
    compiled_if=lambda _least, _most, matype, devtype: devtype == 0 and matype in COMPILED,
    settles=lambda _least, most, matype, _devtype: settles_with(matype, most),
    accepts_1d=True,
    averages_candles=True,
)
def vlma(
    candles: Float2D | Float1D,
    min_period: int = 5,
    max_period: int = 50,
    matype: int = 0,
    devtype: int = 0,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """VLMA, variable length moving average: an exponential average between `min_period` and `max_period` long.

    It grows by a row while the value is within a quarter of a deviation of an average over `max_period` rows, and
    shrinks by one when it is more than 1.75 deviations away. Seeded with the first value; known everywhere. `matype`
    is a code of `ma`, `devtype` as in `bollinger_bands`. Other arguments and result: see `sma`.
    """
    ...
