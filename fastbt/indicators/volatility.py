# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Volatility: how far prices move."""

from __future__ import annotations

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import LANES, _true_range
from fastbt.indicators._registry import Value, indicator
from fastbt.types import HIGH, LOW, Float2D


@kernel
def _atr(candles, params, out):
    """Average true range, seeded with the mean of the first `period` ones, moved by `1 / period` of the difference."""
    n = candles.shape[0]
    period = int(params[0])
    true_range = np.empty(n)
    _true_range(candles, true_range)
    weight = 1.0 / period
    value = 0.0
    for i in range(n):
        out[0, i] = np.nan
        if i < period:
            value += true_range[i]
            if i < period - 1:
                continue
            value /= period
        else:
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
            for k in range(lanes):
                value[k] += true_range[j + k]
        for k in range(lanes):
            value[k] /= period
        for j in range(start + period, first + 1):
            for k in range(lanes):
                value[k] = value[k] + weight * (true_range[j + k] - value[k])
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
