# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Statistics of the last rows: spread, regression lines, distance from the mean."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import stats

from fastbt._jit import kernel
from fastbt.indicators._blocks import (
    ROWS,
    _joint_deviations,
    _pairwise_products,
    _pairwise_sum,
    _pairwise_sums,
    _window_sums,
)
from fastbt.indicators._registry import Value, indicator
from fastbt.indicators.moving_average import COMPILED, _average, average, source_of
from fastbt.types import Float1D, Float2D


@kernel
def _deviation(x, period, out):
    """Fill `out` with the population standard deviation of the last `period` values, in numpy's order of additions."""
    means = np.empty(x.shape[0])
    _pairwise_sums(x, period, means)
    for i in range(x.shape[0]):
        means[i] = means[i] / period
    _joint_deviations(x, means, x, means, period, out)
    for i in range(x.shape[0]):
        out[i] = np.sqrt(out[i] / period)


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
    sums = np.empty(x.shape[0])
    _pairwise_sums(x, period, sums)
    _pairwise_sums(x * x, period, out[0])
    for i in range(x.shape[0]):
        mean = sums[i] / period
        out[0, i] = (out[0, i] / period - mean * mean) * params[1]


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
    n = x.shape[0]
    means = np.empty(n)
    _window_sums(x, period, means)
    for i in range(n):
        means[i] /= period
        out[0, i] = np.nan
    for first in range(period - 1, n, ROWS):
        rows = min(ROWS, n - first)
        start = first - period + 1
        mean = means[first : first + rows]
        joint = out[0, first : first + rows]
        for k in range(rows):
            joint[k] = 0.0
        j = 0
        while j + 4 <= period:
            a = x[start + j : start + j + rows + 3]
            place = j - middle
            for k in range(rows):
                half = (joint[k] + (a[k] - mean[k]) * place) + (a[k + 1] - mean[k]) * (place + 1.0)
                joint[k] = (half + (a[k + 2] - mean[k]) * (place + 2.0)) + (a[k + 3] - mean[k]) * (place + 3.0)
            j += 4
        while j < period:
            a = x[start + j : start + j + rows]
            for k in range(rows):
                joint[k] += (a[k] - mean[k]) * (j - middle)
            j += 1
        for k in range(rows):
            joint[k] = mean[k] + middle * (joint[k] / spread)


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
    sums = np.empty(x.shape[0])
    _pairwise_sums(x, period, sums)
    _pairwise_products(x, places, out[0])
    for i in range(x.shape[0]):
        out[0, i] = (period * out[0, i] - sum_x * sums[i]) / denominator


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


def _mean_ad(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Mean distance from each row's own mean, leaving unknown distances out."""
    period = int(params[0])
    out[0] = np.nan
    if len(x) < period:
        return
    means = np.full(len(x), np.nan)
    means[period - 1 :] = np.mean(sliding_window_view(x, period), -1)
    distances = np.absolute(x - means)
    # A window whose distances are all unknown is possible for a period of 1 row only if the value is.
    with np.errstate(invalid="ignore"):
        out[0, period - 1 :] = np.nanmean(sliding_window_view(distances, period), -1)


@indicator(python=_mean_ad, lookback=lambda period: 2 * period - 1, accepts_1d=True)
def mean_ad(candles: Float2D | Float1D, period: int = 5, source_type: str = "hl2", sequential: bool = False) -> Value:
    """Mean absolute deviation: mean distance of the last `period` values, each from the mean at its own row.

    NaN until there are `period` rows. Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> mean_ad(np.array([1.0, 3.0, 5.0]), 2)
    np.float64(1.0)
    """
    ...


def _median_ad(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Median distance from the median, by SciPy."""
    period = int(params[0])
    out[0] = np.nan
    if len(x) >= period:
        out[0, period - 1 :] = stats.median_abs_deviation(sliding_window_view(x, period), axis=-1)


@indicator(python=_median_ad, lookback=lambda period: period, accepts_1d=True)
def median_ad(candles: Float2D | Float1D, period: int = 5, source_type: str = "hl2", sequential: bool = False) -> Value:
    """Median absolute deviation: median distance of the last `period` values from their median.

    NaN until there are `period` rows. Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> median_ad(np.array([1.0, 3.0, 8.0]), 3)
    np.float64(2.0)
    """
    ...


def absolute_deviation(x: Float1D, period: int, devtype: int) -> Float1D:
    """Return the mean (1) or median (2) absolute deviation at every row."""
    out = np.empty((1, len(x)))
    (_mean_ad if devtype == 1 else _median_ad)(x, np.array([float(period)]), out)
    values: Float1D = out[0]
    return values


@kernel
def _zscore(x, params, out):
    """Distance from one of the compiled averages in standard deviations."""
    n = x.shape[0]
    period = int(params[0])
    deviation = np.empty(n)
    _average(x, period, int(params[1]), out)
    _deviation(x, period, deviation)
    for i in range(n):
        out[0, i] = (x[i] - out[0, i]) / (deviation[i] * params[2])


def _zscore_python(data: Float1D | Float2D, params: Float1D, out: Float2D) -> None:
    """Distance from any average in any deviations."""
    period = int(params[0])
    x = source_of(data)
    deviation: Float1D = np.empty(len(x))
    if params[3] == 0:
        _deviation(x, period, deviation)
    else:
        deviation = absolute_deviation(x, period, int(params[3]))
    with np.errstate(divide="ignore", invalid="ignore"):
        out[0] = (x - average(data, period, int(params[1]))) / (deviation * params[2])


@indicator(
    _zscore,
    python=_zscore_python,
    compiled_if=lambda _period, matype, _nbdev, devtype: devtype == 0 and matype in COMPILED,
    averages_candles=True,
)
def zscore(
    candles: Float2D,
    period: int = 14,
    matype: int = 0,
    nbdev: float = 1,
    devtype: int = 0,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """Z-score: distance from an average, in `nbdev` deviations of the last `period` values.

    `matype` is a code of `ma`; `devtype` 0 is the population standard deviation, 1 `mean_ad`, 2 `median_ad`. NaN until
    there are `period` rows. Other arguments: see `mom`.
    """
    ...
