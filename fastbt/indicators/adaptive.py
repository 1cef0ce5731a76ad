# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Moving averages whose speed depends on the market."""

from __future__ import annotations

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import _known_first, _window_sums
from fastbt.indicators._registry import Value, indicator
from fastbt.types import Float1D, Float2D


@kernel
def _kama(x, params, out):
    """Average whose weight grows with the share of the movement that leads somewhere."""
    n = x.shape[0]
    period = int(params[0])
    fast = 2.0 / (params[1] + 1.0)
    slow = 2.0 / (params[2] + 1.0)
    path = 0.0
    value = 0.0
    if n <= period:
        for i in range(n):
            out[0, i] = x[i]
        return
    for i in range(n):
        if i < period:
            value = x[i]
            if i > 0:
                path += abs(x[i] - x[i - 1])
        else:
            path += abs(x[i] - x[i - 1])
            if i > period:
                path -= abs(x[i - period] - x[i - period - 1])
            moved = abs(x[i] - x[i - period])
            ratio = moved / path if path != 0.0 else 0.0
            weight = ratio * (fast - slow) + slow
            value = value + weight * weight * (x[i] - value)
        out[0, i] = value


@indicator(_kama, accepts_1d=True)
def kama(
    candles: Float2D | Float1D,
    period: int = 14,
    fast_length: int = 2,
    slow_length: int = 30,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """KAMA, Kaufman's adaptive average: fast where prices go somewhere, slow where they only go back and forth.

    The first `period` rows are the values themselves. Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> kama(np.array([1.0, 2.0, 3.0]), 2, 3, 3)
    np.float64(2.25)
    """
    ...


@kernel
def _momentum_of(x, rows, out):
    """Fill `out` with the size of Chande's momentum over the last changes, 0 to 1."""
    n = x.shape[0]
    # Rows before the first have no change; that of the first row is 0.
    rises = np.zeros(n + rows)
    falls = np.zeros(n + rows)
    for i in range(1, n):
        change = x[i] - x[i - 1]
        if change >= 0.0:
            rises[i + rows] = change
        else:
            falls[i + rows] = -change
    up = np.empty(n + rows)
    down = np.empty(n + rows)
    _window_sums(rises, rows, up)
    _window_sums(falls, rows, down)
    for i in range(n):
        both = up[i + rows] + down[i + rows]
        out[i] = abs((up[i + rows] - down[i + rows]) / both * 100.0) / 100.0 if both != 0.0 else 0.0


@kernel
def _vidya(x, params, out):
    """Average whose weight is scaled by the momentum, or by the deviation, of the last rows."""
    length = int(params[0])
    rows = 9 if params[1] != 0.0 else length
    alpha = 2.0 / (length + 1.0)
    n = x.shape[0]
    scales = np.empty(n)
    if params[2] != 0.0:
        _momentum_of(x, rows, scales)
    value = x[0]
    out[0, 0] = value
    for i in range(1, n):
        if params[2] != 0.0:
            scale = scales[i]
        else:
            start = max(0, i + 1 - length)
            mean = 0.0
            for j in range(start, i + 1):
                mean += x[j]
            mean /= i + 1 - start
            spread = 0.0
            for j in range(start, i + 1):
                spread += (x[j] - mean) * (x[j] - mean)
            scale = np.sqrt(spread / (i + 1 - start))
        weight = alpha * scale
        value = weight * x[i] + (1.0 - weight) * value
        out[0, i] = value


@indicator(_vidya, accepts_1d=True)
def vidya(
    candles: Float2D | Float1D,
    length: int = 9,
    fix_cmo: bool = True,
    select: bool = True,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """VIDYA, Chande's average: the weight `2 / (length + 1)` scaled by the strength of the last movement.

    With `select` that is the absolute momentum oscillator of the last 9 rows, or `length` rows unless `fix_cmo`;
    without, the standard deviation. Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> vidya(np.array([1.0, 3.0]), 3)
    np.float64(2.0)
    """
    ...


@kernel
def _hwma(x, params, out):
    """Smooth the known values, and move them up to the last row."""
    known, count = _known_first(x)
    lead = x.shape[0] - count
    out[0, :lead] = np.nan
    if count > 0:
        _hwma_of_known(known[:count], params, out[0, lead:])


@kernel
def _hwma_of_known(x, params, out):
    """Level, trend and acceleration, each smoothed by its own weight."""
    level = x[0]
    trend = 0.0
    acceleration = 0.0
    for i in range(x.shape[0]):
        new_level = (1.0 - params[0]) * (level + trend + 0.5 * acceleration) + params[0] * x[i]
        new_trend = (1.0 - params[1]) * (trend + acceleration) + params[1] * (new_level - level)
        acceleration = (1.0 - params[2]) * acceleration + params[2] * (new_trend - trend)
        level = new_level
        trend = new_trend
        out[i] = level + trend + 0.5 * acceleration


@indicator(_hwma, accepts_1d=True, compacts=True)
def hwma(
    candles: Float2D | Float1D,
    na: float = 0.2,
    nb: float = 0.1,
    nc: float = 0.1,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """Holt-Winters average: level plus trend plus half the acceleration, smoothed by the weights `na`, `nb` and `nc`.

    Arguments and result: see `sma`.
    """
    ...


@kernel
def _mwdx(x, params, out):
    """Exponential average of a weight given outright."""
    # By way of a period, as in Jesse: it may change the last bit.
    weight = 2.0 / ((2.0 / params[0] - 1.0) + 1.0)
    value = x[0]
    for i in range(x.shape[0]):
        if i > 0:
            value = weight * x[i] + (1.0 - weight) * value
        out[0, i] = value


@indicator(_mwdx, accepts_1d=True)
def mwdx(
    candles: Float2D | Float1D, factor: float = 0.2, source_type: str = "close", sequential: bool = False
) -> Value:
    """Exponential average of the weight `factor`, seeded with the first value.

    Arguments and result: see `sma`.
    """
    ...


@kernel
def _maaq(x, params, out):
    """Average of the known values, moved up to the last row."""
    known, count = _known_first(x)
    lead = x.shape[0] - count
    out[0, :lead] = np.nan
    _maaq_of_known(known[:count], params, out[0, lead:])


@kernel
def _maaq_of_known(x, params, out):
    """Average whose weight grows with the share of the movement that leads somewhere."""
    period = int(params[0])
    fast = 2.0 / (params[1] + 1.0)
    slow = 2.0 / (params[2] + 1.0)
    value = 0.0
    path = 0.0
    for i in range(x.shape[0]):
        if 0 < i <= period:
            path += abs(x[i] - x[i - 1])
        elif i > period:
            # The first row has no change, so it takes none away.
            old = abs(x[i - period] - x[i - period - 1])
            path += abs(x[i] - x[i - 1]) - old
        if i < period:
            value = x[i]
        else:
            moved = abs(x[i] - x[i - period])
            ratio = moved / path if path != 0.0 else 0.0
            weight = ratio * fast + slow
            value = value + weight * weight * (x[i] - value)
        out[i] = value


@indicator(_maaq, accepts_1d=True, compacts=True)
def maaq(
    candles: Float2D | Float1D,
    period: int = 11,
    fast_period: int = 2,
    slow_period: int = 30,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """Adaptive Q average: like `kama`, with `ratio * fast + slow` for the root of the weight.

    The first `period` rows are the values themselves. Arguments and result: see `sma`.
    """
    ...


@kernel
def _mcginley_dynamic(x, params, out):
    """Average that slows down the more the price is above it."""
    value = x[0]
    for i in range(x.shape[0]):
        if i > 0:
            ratio = x[i] / value
            square = ratio * ratio
            length = params[1] * params[0] * (square * square)
            # Also where the length is not known, it is 1, as in Jesse.
            value = value + (x[i] - value) / (length if length > 1.0 else 1.0)
        out[0, i] = value


@indicator(_mcginley_dynamic, accepts_1d=True)
def mcginley_dynamic(
    candles: Float2D | Float1D,
    period: int = 10,
    k: float = 0.6,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """McGinley's dynamic average: `(x - previous) / max(k * period * (x / previous) ** 4, 1)` further at each row.

    Arguments and result: see `sma`.
    """
    ...


@kernel
def _jma(x, params, out):
    """Average corrected for its own lag."""
    phase = min(max(params[1], -100.0), 100.0) / 100.0 + 1.5
    beta = 0.45 * (params[0] - 1.0) / (0.45 * (params[0] - 1.0) + 2.0)
    alpha = beta ** int(params[2])
    value = x[0]
    level = 0.0
    lag = 0.0
    correction = 0.0
    for i in range(x.shape[0]):
        if i > 0:
            level = (1.0 - alpha) * x[i] + alpha * level
            lag = (x[i] - level) * (1.0 - beta) + beta * lag
            gap = level + phase * lag - value
            correction = gap * ((1.0 - alpha) * (1.0 - alpha)) + alpha * alpha * correction
            value = correction + value
        out[0, i] = value


@indicator(_jma, accepts_1d=True)
def jma(
    candles: Float2D | Float1D,
    period: int = 7,
    phase: float = 50,
    power: int = 2,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """Jurik's average, in the form that is publicly known: `phase` from -100 to 100 trades lag for overshoot.

    Arguments and result: see `sma`.
    """
    ...
