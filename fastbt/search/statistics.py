"""Whether what was found out of sample can be chance: bootstraps that keep neighbouring days together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastbt.types import Float1D, Int1D

#: Values that are resampled at once: bounds the memory.
_AT_ONCE = 2_000_000
#: Values below which a bootstrap tells nothing.
_FEWEST = 5


@dataclass(frozen=True)
class Estimate:
    """A mean, and what chance may make of it.

    Attributes
    ----------
    mean : float
    low, high : float
        Confidence interval.
    p_value : float
        How often a mean of 0 or less would show at least this much by chance.
    n : int
        Values.
    block : int
        Length of the blocks that were kept together.
    """

    mean: float
    low: float
    high: float
    p_value: float
    n: int
    block: int


def block_length(values: Float1D) -> int:
    """Return the length of blocks that suits the memory of a series, for the circular bootstrap.

    Parameters
    ----------
    values : ndarray, shape (n,)

    Returns
    -------
    int
        From 1 to a third of the series.

    References
    ----------
    .. [1] Politis, White (2004): Automatic Block-Length Selection for the Dependent Bootstrap; with the correction of
       Patton, Politis, White (2009). Compared with ``arch`` by hand.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=500)
    >>> block_length(noise) <= 3, block_length(np.convolve(noise, np.ones(20), "valid")) > 10
    (True, True)
    """
    n = len(values)
    centred = values - values.mean() if n else values
    if n < 8 or not float(centred @ centred) > 0:
        return 1
    n_quiet = max(5, math.ceil(math.sqrt(math.log10(n))))
    most = min(n - 1, math.ceil(math.sqrt(n)) + n_quiet)
    covariance = np.array([float(centred[lag:] @ centred[: n - lag]) / n for lag in range(most + 1)])
    correlation = covariance / covariance[0]
    quiet = np.abs(correlation) < 2 * math.sqrt(math.log10(n) / n)
    reach = most
    for lag in range(1, most - n_quiet + 2):
        if quiet[lag : lag + n_quiet].all():
            reach = lag - 1
            break
    width = min(2 * max(reach, 1), most)
    lags = np.arange(-width, width + 1)
    weight = np.minimum(1.0, 2.0 * (1.0 - np.abs(lags) / width))
    spread = float(np.sum(weight * np.abs(lags) * covariance[np.abs(lags)]))
    level = float(np.sum(weight * covariance[np.abs(lags)]))
    if level <= 0:
        return 1
    length = (2 * spread**2 / (4 / 3 * level**2)) ** (1 / 3) * n ** (1 / 3)
    return int(np.clip(math.ceil(length), 1, max(1, n // 3)))


def circular_blocks(n: int, block: int, resamples: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return rows of indices into a series of `n` values, made of blocks that begin anywhere and go round the end."""
    pieces = -(-n // block)
    starts = random.integers(0, n, size=(resamples, pieces))
    rows = (starts[:, :, None] + np.arange(block)) % n
    return rows.reshape(resamples, pieces * block)[:, :n]


def _error_of_mean(values: Float1D, block: int) -> Float1D:
    """Return the standard error of the mean of each row, from its blocks."""
    n = values.shape[-1]
    pieces = n // block
    means = values[..., : pieces * block].reshape(*values.shape[:-1], pieces, block).mean(axis=-1)
    error: Float1D = np.sqrt(means.var(axis=-1, ddof=1) / pieces)
    return error


def mean_above_zero(
    values: Sequence[float] | Float1D,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    block: int | None = None,
) -> Estimate:
    """Return the mean of a series that may remember its past, with a confidence interval and a one-sided test.

    A circular block bootstrap of the studentised mean: resampled blocks have their own standard errors, which makes the
    p-value uniform where the mean is 0.

    Parameters
    ----------
    values : sequence of float
        In order of time.
    confidence : float
        Of the interval.
    resamples : int
    seed : int
    block : int, optional
        Length of blocks; `block_length`, or the cube root of the length if that is more, if left out.

    Returns
    -------
    Estimate
        The mean alone if there are fewer than 5 values, with NaN for what chance may make of it: they have too few
        different resamples. With a p-value of 1 if all of them are equal and not above 0.

    References
    ----------
    .. [1] Politis, Romano (1992): A Circular Block-Resampling Procedure for Stationary Data.
    .. [2] Götze, Künsch (1996): Second-Order Correctness of the Blockwise Bootstrap (studentising by blocks).

    Examples
    --------
    >>> found = mean_above_zero([0.3, 0.1, -0.2, 0.4, 0.2, 0.1, 0.3, -0.1, 0.2, 0.3, 0.1, 0.2])
    >>> found.p_value < 0.05, found.low < found.mean < found.high
    (True, True)
    """
    series = np.asarray(values, dtype=np.float64)
    n = len(series)
    nan = math.nan
    if n < _FEWEST:
        return Estimate(float(series.mean()) if n else nan, nan, nan, nan, n, 1)
    mean = float(series.mean())
    # Short blocks tell too little of how far chance reaches; at least 5 of them, or their spread tells nothing.
    usual = max(block_length(series), math.ceil(n ** (1 / 3)))
    length = max(1, min(usual if block is None else block, n // 5))
    error = float(_error_of_mean(series, length))
    if not error > 0:
        return Estimate(mean, mean, mean, 0.0 if mean > 0 else 1.0, n, length)
    random = np.random.default_rng(seed)
    found: list[Float1D] = []
    for first in range(0, resamples, size := max(1, _AT_ONCE // n)):
        drawn = series[circular_blocks(n, length, min(size, resamples - first), random)]
        with np.errstate(all="ignore"):
            found.append((drawn.mean(axis=1) - mean) / _error_of_mean(drawn, length))
    scores = np.concatenate(found)
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        return Estimate(mean, nan, nan, nan, n, length)
    p_value = (1 + int(np.count_nonzero(scores >= mean / error))) / (1 + len(scores))
    tail = (1 - confidence) / 2
    low, high = np.quantile(scores, [tail, 1 - tail]).tolist()
    return Estimate(mean, mean - high * error, mean - low * error, p_value, n, length)


def slope_with_age(
    ages: Int1D, values: Float1D, windows: Int1D, *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Estimate:
    """Return how values fall (or rise) with each day of age: the slope of a straight line through them.

    Parameters
    ----------
    ages : ndarray of int64, shape (n,)
        Days since the fit.
    values : ndarray, shape (n,)
    windows : ndarray of int64, shape (n,)
        The window each value is of: whole windows are resampled, in blocks of neighbours.

    Returns
    -------
    Estimate
        Its mean is the slope a day; its p-value is that of a slope of 0 or more: small if values do fall with age.
    """
    names = np.unique(windows)
    nan = math.nan
    slope = _slope(ages, values)
    if len(names) < _FEWEST or not math.isfinite(slope):
        return Estimate(slope, nan, nan, nan, len(names), 1)
    # Sums of each window are all that a slope needs.
    sums = np.array(
        [
            [len(a), a.sum(), v.sum(), (a * a).sum(), (a * v).sum()]
            for a, v in ((ages[windows == name].astype(float), values[windows == name]) for name in names)
        ]
    )
    block = max(1, round(len(names) ** (1 / 3)))
    random = np.random.default_rng(seed)
    total = sums[circular_blocks(len(names), block, resamples, random)].sum(axis=1)
    n, a, v, aa, av = total.T
    with np.errstate(all="ignore"):
        slopes = (n * av - a * v) / (n * aa - a * a)
    slopes = slopes[np.isfinite(slopes)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(slopes, [tail, 1 - tail]).tolist()
    p_value = (1 + int(np.count_nonzero(slopes - slope <= slope))) / (1 + len(slopes))
    return Estimate(slope, low, high, p_value, len(names), block)


def _slope(ages: Int1D, values: Float1D) -> float:
    if len(values) < 3:
        return math.nan
    centred = ages - ages.mean()
    square = float(centred @ centred)
    return float(centred @ values) / square if square > 0 else math.nan
