# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Distributions of the last values, how two series move together, and long memory."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import signal, stats

from fastbt._jit import kernel
from fastbt.indicators._blocks import _joint_deviations, _pairwise_sums
from fastbt.indicators._registry import Value, indicator
from fastbt.types import CLOSE, HIGH, LOW, Float1D, Float2D


@kernel
def _means(x, period, out):
    """Fill `out` with numpy's means of the last values."""
    _pairwise_sums(x, period, out)
    for i in range(x.shape[0]):
        out[i] = out[i] / period


@kernel
def _beta(data, params, out):
    """Slope of the closes on the other closes."""
    n = data.shape[0]
    period = int(params[0])
    x = data[:, CLOSE].copy()
    y = data[:, 6 + CLOSE].copy()
    x_means = np.empty(n)
    y_means = np.empty(n)
    _means(x, period, x_means)
    _means(y, period, y_means)
    squares = np.empty(n)
    _joint_deviations(x, x_means, y, y_means, period, out[0])
    _joint_deviations(y, y_means, y, y_means, period, squares)
    for i in range(n):
        out[0, i] = out[0, i] / squares[i]


@indicator(_beta, second_candles=True, lookback=lambda period: period)
def beta(candles: Float2D, benchmark_candles: Float2D, period: int = 5, sequential: bool = False) -> Value:
    """Beta: by how much the close moves when the benchmark's close moves by 1, over the last `period` rows.

    Covariance of both over the variance of the benchmark. NaN until there are `period` rows, and where the benchmark
    does not move.

    Parameters
    ----------
    candles, period, sequential
        See `atr`.
    benchmark_candles : ndarray, shape (n, 6), float64
        Of the same timeframe; of both as many last rows are used.

    Returns
    -------
    float or ndarray, shape (n,)

    Raises
    ------
    ShapeError
        If both have not as many rows.

    Examples
    --------
    >>> import numpy as np
    >>> candles = np.arange(18.0).reshape(3, 6)
    >>> beta(candles, 2 * candles, 3)
    np.float64(0.5)
    """
    ...


@kernel
def _correl(candles, params, out):
    """Pearson's correlation of the highs with the lows."""
    period = int(params[0])
    n = candles.shape[0]
    x = candles[:, HIGH].copy()
    y = candles[:, LOW].copy()
    x_means = np.empty(n)
    y_means = np.empty(n)
    _means(x, period, x_means)
    _means(y, period, y_means)
    x_squares = np.empty(n)
    y_squares = np.empty(n)
    _joint_deviations(x, x_means, y, y_means, period, out[0])
    _joint_deviations(x, x_means, x, x_means, period, x_squares)
    _joint_deviations(y, y_means, y, y_means, period, y_squares)
    for i in range(n):
        out[0, i] = out[0, i] / np.sqrt(x_squares[i] * y_squares[i])


@indicator(_correl, lookback=lambda period: period)
def correl(candles: Float2D, period: int = 5, sequential: bool = False) -> Value:
    """Pearson's correlation of the highs with the lows of the last `period` bars.

    NaN until there are `period` rows, and where either does not move. Arguments: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(correl(np.arange(30.0).reshape(5, 6))), 9)
    1.0
    """
    ...


def _of_windows(function: Callable[..., Any], x: Float1D, period: int, out: Float1D) -> None:
    """Fill `out` with a statistic of SciPy's of the last `period` values."""
    out[:] = np.nan
    if len(x) < period:
        return
    windows = sliding_window_view(x, period)
    if not _hardly_moves(windows):
        out[period - 1 :] = function(windows, axis=-1)
        return
    # Python's filters of warnings are those of all threads: two that set and restore them at once would mix them up.
    with _filters_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        out[period - 1 :] = function(windows, axis=-1)


_filters_lock = threading.Lock()

#: SciPy warns from ten times the precision on.
_HARDLY = 1000.0 * float(np.finfo(np.float64).eps)


def _hardly_moves(windows: Float2D) -> bool:
    """Whether SciPy may warn of a window in which nothing moves; such are NaN, in Jesse too."""
    lowest, highest = windows.min(axis=-1), windows.max(axis=-1)
    return not bool((highest - lowest > _HARDLY * np.maximum(np.abs(lowest), np.abs(highest))).all())


def _kurtosis(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Kurtosis by SciPy."""
    _of_windows(stats.kurtosis, x, int(params[0]), out[0])


@indicator(python=_kurtosis, lookback=lambda period: period)
def kurtosis(candles: Float2D, period: int = 5, source_type: str = "hl2", sequential: bool = False) -> Value:
    """Excess kurtosis of the last `period` values: fourth moment over the square of the second, less 3.

    By SciPy, of whose version the last bits depend. NaN until there are `period` rows, and where nothing moves.
    Arguments: see `mom`.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(kurtosis(np.arange(30.0).reshape(5, 6))), 9)
    -1.3
    """
    ...


def _skew(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Skewness by SciPy."""
    _of_windows(stats.skew, x, int(params[0]), out[0])


@indicator(python=_skew, lookback=lambda period: period)
def skew(candles: Float2D, period: int = 5, source_type: str = "hl2", sequential: bool = False) -> Value:
    """Skewness of the last `period` values: third moment over the second to the power of 1.5.

    By SciPy, of whose version the last bits depend. NaN until there are `period` rows, and where nothing moves.
    Arguments: see `mom`.

    Examples
    --------
    >>> import numpy as np
    >>> float(skew(np.arange(30.0).reshape(5, 6)))
    0.0
    """
    ...


@kernel
def _rescaled_range(x, size):
    """Mean over pieces of that size of the range of the summed deviations, in standard deviations; 1 if none moves."""
    total = 0.0
    known = 0
    for k in range(x.shape[0] // size):
        start = k * size
        mean = 0.0
        for j in range(start, start + size):
            mean += x[j]
        mean /= size
        spread = 0.0
        place = 0.0
        highest = -np.inf
        lowest = np.inf
        for j in range(start, start + size):
            difference = x[j] - mean
            spread += difference * difference
            place += difference
            highest = max(highest, place)
            lowest = min(lowest, place)
        if spread > 0.0:
            total += (highest - lowest) / np.sqrt(spread / size)
            known += 1
    return total / known if known > 0 else 1.0


def _hurst_rescaled(x: Float1D, least: int, most: int, count: int) -> float:
    """Exponent by rescaled ranges: slope of their logarithm on that of the size of the pieces."""
    step = (most + 1 - least) / (count - 1) if count > 1 else 1.0
    changes = np.diff(x)
    total_x = total_y = products = squares = 0.0
    for i in range(count):
        size = int(least + i * step)
        at = float(np.log(float(size)))
        value = float(np.log(_rescaled_range(changes, size)))
        total_x += at
        total_y += value
        products += at * value
        squares += at * at
    spread = count * squares - total_x * total_x
    # With pieces of one size, there is no slope.
    return float(np.float64(count * products - total_x * total_y) / spread)


def _hurst_detrending(x: Float1D, least: int, most: int, step: int) -> float:
    """Exponent by detrending moving averages of growing length."""
    most += 1
    if len(x) <= most:
        return np.nan
    sizes = np.arange(least, most, step, dtype=np.int64)
    factor = 1 / (len(x) - most)
    spreads = np.empty(len(sizes))
    for i, size in enumerate(sizes):
        weights = np.divide([size - 1] + (size - 1) * [-1], size)
        noise = np.power(signal.lfilter(weights, 1, x)[most:], 2)
        spreads[i] = np.sqrt(factor * np.sum(noise))
    places = np.vstack([np.log10(sizes), np.ones(len(sizes))]).T
    slope, _ = np.linalg.lstsq(a=places, b=np.log10(spreads), rcond=None)[0]
    return float(slope)


def _hurst_second_derivative(x: Float1D) -> float:
    """Exponent by the discrete second derivative at two scales."""
    if len(x) < 6:
        return np.nan
    path = np.cumsum(np.diff(x, axis=0), axis=0)
    near = signal.lfilter([1, -2, 1], 1, path, axis=0)[2:]
    far = signal.lfilter([1, 0, -2, 0, 1], 1, path, axis=0)[4:]
    return float(0.5 * np.log2(np.mean(far**2, axis=0) / np.mean(near**2, axis=0)))


def _hurst_exponent(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Exponent of all rows together, at the last of them."""
    least, most, number, method = (int(each) for each in params)
    if method < 2 and least > most:
        raise ValueError(f"hurst_exponent: min_chunksize {least} is above max_chunksize {most}")
    out[0] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == 0:
            out[0, -1] = _hurst_rescaled(x, least, most, number)
        elif method == 1:
            out[0, -1] = _hurst_detrending(x, least, most, number)
        else:
            out[0, -1] = _hurst_second_derivative(x)


@indicator(
    python=_hurst_exponent,
    accepts_1d=True,
    allowed={"method": frozenset((0, 1, 2))},
    none_if_nan=True,
    prefix_stable=False,
)
def hurst_exponent(
    candles: Float2D | Float1D,
    min_chunksize: int = 8,
    max_chunksize: int = 200,
    num_chunksize: int = 5,
    method: int = 1,
    source_type: str = "close",
) -> Value | None:
    """Hurst exponent of all visible rows: above 0.5 they trend, below 0.5 they revert.

    Parameters
    ----------
    candles, source_type
        See `sma`.
    min_chunksize, max_chunksize : int
        Shortest and longest piece.
    num_chunksize : int
        Of method 0 the number of sizes of pieces; of method 1 the step from one size to the next.
    method : int
        0 rescaled range, 1 detrending moving average, 2 discrete second derivative.

    Returns
    -------
    float or None
        None where it is not known: method 1 needs more than `max_chunksize + 1` rows.

    Raises
    ------
    ValueError
        If `min_chunksize` is above `max_chunksize`.

    Notes
    -----
    Methods 1 and 2 go through SciPy's filters, method 1 through LAPACK, on which its last bits depend.
    """
    ...
