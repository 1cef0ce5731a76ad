# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Trend: whether prices go somewhere, and which way."""

from __future__ import annotations

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import LANES, _true_range
from fastbt.indicators._registry import Value, indicator
from fastbt.types import HIGH, LOW, Float2D


@kernel
def _directional_movement(candles, plus, minus):
    """Fill the upward and the downward movement of each bar; the first row has none."""
    plus[0] = 0.0
    minus[0] = 0.0
    for i in range(1, candles.shape[0]):
        up = candles[i, HIGH] - candles[i - 1, HIGH]
        down = candles[i - 1, LOW] - candles[i, LOW]
        plus[i] = up if up > down and up > 0.0 else 0.0
        minus[i] = down if down > up and down > 0.0 else 0.0


@kernel
def _directional_index(true_range, plus, minus):
    """Distance of the directional indicators in percent of their sum; 0 if there is none."""
    plus_index = 100.0 * plus / true_range
    minus_index = 100.0 * minus / true_range
    both = plus_index + minus_index
    index = 100.0 * abs(plus_index - minus_index) / both
    return index if true_range != 0.0 and both != 0.0 else 0.0


@kernel
def _adx(candles, params, out):
    """Wilder average of the directional index. The index of row 2 * period is dropped, as in Jesse."""
    n = candles.shape[0]
    period = int(params[0])
    out[0, :] = np.nan
    if n <= 2 * period:
        return
    ranges = np.empty(n)
    ups = np.empty(n)
    downs = np.empty(n)
    _true_range(candles, ranges)
    _directional_movement(candles, ups, downs)
    true_range = 0.0
    plus = 0.0
    minus = 0.0
    value = 0.0
    for i in range(1, n):
        if i <= period:
            true_range += ranges[i]
            plus += ups[i]
            minus += downs[i]
            if i < period:
                continue
        else:
            true_range = true_range - (true_range / period) + ranges[i]
            plus = plus - (plus / period) + ups[i]
            minus = minus - (minus / period) + downs[i]
        index = _directional_index(true_range, plus, minus)
        if i < 2 * period:
            value += index
            continue
        value = value / period if i == 2 * period else (value * (period - 1.0) + index) / period
        out[0, i] = value


@kernel
def _adx_windowed(candles, params, window, out):
    """Seed the sums at each bar's own first row."""
    n = candles.shape[0]
    period = int(params[0])
    if window <= 2 * period:
        out[0, window:] = np.nan
        return
    ranges = np.empty(n)
    ups = np.empty(n)
    downs = np.empty(n)
    _true_range(candles, ranges)
    _directional_movement(candles, ups, downs)
    keep = period - 1.0
    true_range = np.empty(LANES)
    plus = np.empty(LANES)
    minus = np.empty(LANES)
    value = np.empty(LANES)
    for first in range(window, n, LANES):
        lanes = min(LANES, n - first)
        start = first + 1 - window
        true_range[:] = 0.0
        plus[:] = 0.0
        minus[:] = 0.0
        for j in range(start + 1, start + period + 1):
            for k in range(lanes):
                true_range[k] += ranges[j + k]
                plus[k] += ups[j + k]
                minus[k] += downs[j + k]
        for k in range(lanes):
            value[k] = 0.0 + _directional_index(true_range[k], plus[k], minus[k])
        for j in range(start + period + 1, start + 2 * period):
            for k in range(lanes):
                true_range[k] = true_range[k] - (true_range[k] / period) + ranges[j + k]
                plus[k] = plus[k] - (plus[k] / period) + ups[j + k]
                minus[k] = minus[k] - (minus[k] / period) + downs[j + k]
                value[k] += _directional_index(true_range[k], plus[k], minus[k])
        dropped = start + 2 * period
        for k in range(lanes):
            true_range[k] = true_range[k] - (true_range[k] / period) + ranges[dropped + k]
            plus[k] = plus[k] - (plus[k] / period) + ups[dropped + k]
            minus[k] = minus[k] - (minus[k] / period) + downs[dropped + k]
            value[k] /= period
        for j in range(dropped + 1, first + 1):
            for k in range(lanes):
                true_range[k] = true_range[k] - (true_range[k] / period) + ranges[j + k]
                plus[k] = plus[k] - (plus[k] / period) + ups[j + k]
                minus[k] = minus[k] - (minus[k] / period) + downs[j + k]
                index = _directional_index(true_range[k], plus[k], minus[k])
                value[k] = (value[k] * keep + index) / period
        for k in range(lanes):
            out[0, first + k] = value[k]


@indicator(_adx, windowed=_adx_windowed)
def adx(candles: Float2D, period: int = 14, sequential: bool = False) -> Value:
    """Average directional index: how strong the trend is, whichever way it goes.

    NaN for the first `2 * period` rows. Seeded with the mean of the directional index of the rows `period` to
    `2 * period - 1`; the one of row `2 * period` does not count, as in Jesse.

    Parameters
    ----------
    candles, period, sequential
        See `atr`.

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
    >>> rising = np.array([[i, i + 1.0, i + 2.0, i + 3.0, i + 1.0, 1.0] for i in range(6)])
    >>> adx(rising, 2)
    np.float64(100.0)
    """
    ...
