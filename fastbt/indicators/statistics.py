# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Statistics of the last rows: spread, regression lines, distance from the mean."""

from __future__ import annotations

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import _pairwise_sum
from fastbt.indicators._registry import Value, indicator
from fastbt.types import Float1D, Float2D


@kernel
def _deviation(x, period, out):
    """Fill `out` with the population standard deviation of the last `period` values, in numpy's order of additions."""
    squares = np.empty(period)
    for i in range(x.shape[0]):
        out[i] = np.nan
        if i >= period - 1:
            start = i - period + 1
            mean = _pairwise_sum(x, start, period) / period
            for j in range(period):
                difference = x[start + j] - mean
                squares[j] = difference * difference
            out[i] = np.sqrt(_pairwise_sum(squares, 0, period) / period)


@kernel
def _stddev(x, params, out):
    """Multiple of the population standard deviation."""
    _deviation(x, int(params[0]), out[0])
    for i in range(x.shape[0]):
        out[0, i] = out[0, i] * params[1]


@indicator(_stddev, lookback=lambda period, _: period, accepts_1d=True)
def stddev(
    candles: Float2D | Float1D,
    period: int = 5,
    nbdev: float = 1,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """STDDEV: the population standard deviation of the last `period` values, times `nbdev`.

    NaN until there are `period` rows. Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> stddev(np.array([1.0, 3.0]), 2)
    np.float64(1.0)
    """
    ...


@kernel
def _var(x, params, out):
    """Mean of squares less square of the mean."""
    period = int(params[0])
    squares = x * x
    for i in range(x.shape[0]):
        out[0, i] = np.nan
        if i >= period - 1:
            mean = _pairwise_sum(x, i - period + 1, period) / period
            mean_square = _pairwise_sum(squares, i - period + 1, period) / period
            out[0, i] = (mean_square - mean * mean) * params[1]


@indicator(_var, lookback=lambda period, _: period)
def var(
    candles: Float2D,
    period: int = 14,
    nbdev: float = 1,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """VAR: the population variance of the last `period` values, times `nbdev`; NaN until there are as many.

    The mean of the squares less the square of the mean: what cancellation leaves, as in Jesse. Arguments and result:
    see `sma`, except that a series of its own is not accepted.

    Examples
    --------
    >>> import numpy as np
    >>> var(np.array([[0, 1.0, 1.0, 1.0, 1.0, 1.0], [0, 3.0, 3.0, 3.0, 3.0, 1.0]]), 2)
    np.float64(1.0)
    """
    ...


@kernel
def _linearreg(x, params, out):
    """Line of least squares through the last `period` values, at the last of them."""
    period = int(params[0])
    middle = (period - 1.0) / 2.0
    spread = 0.0
    for j in range(period):
        spread += (j - middle) * (j - middle)
    for i in range(x.shape[0]):
        out[0, i] = np.nan
        if i < period - 1:
            continue
        mean = 0.0
        for j in range(i - period + 1, i + 1):
            mean += x[j]
        mean /= period
        joint = 0.0
        for j in range(period):
            joint += (x[i - period + 1 + j] - mean) * (j - middle)
        out[0, i] = mean + middle * (joint / spread)


@indicator(_linearreg, lookback=lambda period: period, accepts_1d=True)
def linearreg(
    candles: Float2D | Float1D, period: int = 14, source_type: str = "close", sequential: bool = False
) -> Value:
    """Linear regression: the line of least squares through the last `period` values, at the last of them.

    NaN until there are `period` rows. Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> linearreg(np.array([1.0, 3.0, 5.0]), 3)
    np.float64(5.0)
    """
    ...


@kernel
def _linearreg_slope(x, params, out):
    """Slope of the line of least squares, from uncentred sums."""
    period = int(params[0])
    places = np.arange(period).astype(np.float64)
    sum_x = _pairwise_sum(places, 0, period)
    denominator = period * _pairwise_sum(places * places, 0, period) - sum_x * sum_x
    products = np.empty(period)
    for i in range(x.shape[0]):
        out[0, i] = np.nan
        if i < period - 1:
            continue
        start = i - period + 1
        for j in range(period):
            products[j] = x[start + j] * places[j]
        sum_y = _pairwise_sum(x, start, period)
        out[0, i] = (period * _pairwise_sum(products, 0, period) - sum_x * sum_y) / denominator


@indicator(_linearreg_slope, lookback=lambda period: period, accepts_1d=True)
def linearreg_slope(
    candles: Float2D | Float1D, period: int = 14, source_type: str = "close", sequential: bool = False
) -> Value:
    """Slope per row of the line of least squares through the last `period` values; NaN until there are as many.

    Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> linearreg_slope(np.array([1.0, 3.0, 5.0]), 3)
    np.float64(2.0)
    """
    ...
