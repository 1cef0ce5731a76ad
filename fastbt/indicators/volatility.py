# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Volatility: how far prices move."""

from __future__ import annotations

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import IS_A_WALL, LANES, _rolling_max, _rolling_min, _true_range, _true_range_of_numpy
from fastbt.indicators._registry import Value, indicator
from fastbt.types import HIGH, LOW, Float2D


@kernel
def _atr(candles, params, out):
    """Average true range, seeded with the mean of the first `period` ones, moved by `1 / period` of the difference."""
    n = candles.shape[0]
    period = int(params[0])
    if period > n:
        out[0, :] = np.nan
        return
    for i in range(period - 1):
        out[0, i] = np.nan
    true_range = np.empty(n)
    _true_range(candles, true_range)
    weight = 1.0 / period
    value = 0.0
    for i in range(period):
        value += true_range[i]
    value /= period
    out[0, period - 1] = value
    for i in range(period, n):
        value = value + weight * (true_range[i] - value)
        out[0, i] = value


@kernel
def _atr_windowed(candles, params, window, out):
    """Seed the average at each bar's own first row, which has no previous close."""
    n = candles.shape[0]
    period = int(params[0])
    if period > window:
        out[0, window:] = np.nan
        return
    true_range = np.empty(n)
    _true_range(candles, true_range)
    weight = 1.0 / period
    value = np.empty(LANES)
    for first in range(window, n, LANES):
        lanes = min(LANES, n - first)
        start = first + 1 - window
        for k in range(lanes):
            value[k] = candles[start + k, HIGH] - candles[start + k, LOW]
        for j in range(start + 1, start + period):
            true_range_here = true_range[j : j + lanes]
            for k in range(lanes):
                value[k] += true_range_here[k]
        for k in range(lanes):
            value[k] /= period
        for j in range(start + period, first + 1):
            true_range_here = true_range[j : j + lanes]
            for k in range(lanes):
                value[k] = value[k] + weight * (true_range_here[k] - value[k])
        for k in range(lanes):
            out[0, first + k] = value[k]


@indicator(_atr, windowed=_atr_windowed)
def atr(candles: Float2D, period: int = 14, sequential: bool = False) -> Value:
    """Average true range: seeded with the mean of the first `period` ranges, then `1 / period` of the way to each next.

    NaN until there are `period` rows.

    Parameters
    ----------
    candles : ndarray, shape (n, 6), float64
    period : int
    sequential : bool
        Return the value at every row instead of the last.

    Returns
    -------
    float or ndarray, shape (n,)
        In quote currency.

    References
    ----------
    .. [1] J. Welles Wilder, New Concepts in Technical Trading Systems, 1978.

    Examples
    --------
    >>> import numpy as np
    >>> atr(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]] * 3), 2, sequential=True)
    array([nan,  2.,  2.])
    """
    ...


@kernel
def _trange(candles, _params, out):
    """Write the true range; what is not known spreads."""
    _true_range_of_numpy(candles, out[0])


@indicator(_trange, lookback=lambda: 2)
def trange(candles: Float2D, sequential: bool = False) -> Value:
    """TRANGE, true range: the largest of the bar's range and the distances from the previous close to its high and low.

    At the first row the range alone. Arguments: see `atr`.
    """
    ...


@kernel
def _chop(candles, params, out):
    """Logarithm of the path through the last bars over their range."""
    n = candles.shape[0]
    period = int(params[0])
    drift = int(params[2])
    ranges = np.empty(n)
    _true_range(candles, ranges)
    if drift > 1:
        # Weighted another way than Wilder's average elsewhere, which may change the last bit.
        value = 0.0
        for i in range(n):
            value = value + ranges[i] if i < drift else (1.0 / drift) * ranges[i] + (1.0 - 1.0 / drift) * value
            if i == drift - 1:
                value /= drift
            ranges[i] = value if i >= drift - 1 else np.nan
    highest = np.empty(n)
    lowest = np.empty(n)
    _rolling_max(candles[:, HIGH], period, IS_A_WALL, highest)
    _rolling_min(candles[:, LOW], period, IS_A_WALL, lowest)
    path = 0.0
    base = np.log10(params[0])
    for i in range(n):
        # Where the average is not known yet it counts as 0.
        if not np.isnan(ranges[i]):
            path += ranges[i]
        if i >= period and not np.isnan(ranges[i - period]):
            path -= ranges[i - period]
        out[0, i] = np.nan
        if i >= period - 1 and highest[i] > lowest[i] and path > 0.0:
            out[0, i] = params[1] * (np.log10(path) - np.log10(highest[i] - lowest[i])) / base


@indicator(_chop)
def chop(candles: Float2D, period: int = 14, scalar: float = 100, drift: int = 1, sequential: bool = False) -> Value:
    """Choppiness index: the logarithm, to the base of `period`, of the summed ranges over the range of all of them.

    `scalar` where prices only go back and forth, near 0 in a straight trend; NaN until there are `period` rows, and
    without a range. The ranges are averages over `drift` bars.
    Other arguments: see `atr`.
    """
    ...
