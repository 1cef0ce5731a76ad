# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Volatility relative to the price, to itself, or to the last high."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fastbt._jit import kernel
from fastbt.indicators._blocks import _true_range, _window_sums
from fastbt.indicators._registry import Value, indicator
from fastbt.types import CLOSE, HIGH, LOW, Float1D, Float2D


def _natr(candles: Float2D, params: Float1D, out: Float2D) -> None:
    """Average true range by numpy's convolution with all weights at once."""
    period = int(params[0])
    n = len(candles)
    out[0] = np.nan
    if n < period:
        return
    true_range: Float1D = np.empty(n)
    _true_range(candles, true_range)
    seed = np.mean(true_range[:period])
    average = np.full(n, np.nan)
    average[period - 1] = seed
    rest = n - period
    if rest > 0:
        weight = 1.0 / period
        keep = 1 - weight
        weights = weight * keep ** np.arange(rest)
        moved = np.convolve(true_range[period:], weights, mode="full")[:rest]
        average[period:] = keep ** (np.arange(1, rest + 1)) * seed + moved
    out[0] = (average / candles[:, CLOSE]) * 100


# numpy adds up to 11 products in another order than more of them.
@indicator(python=_natr, settles=lambda period: period + 12)
def natr(candles: Float2D, period: int = 14, sequential: bool = False) -> Value:
    """NATR, normalised average true range: in percent of the close.

    The average of `atr`, as one weighted sum of all ranges, so its last bits differ from that. NaN until there are
    `period` rows; Jesse raises if there are fewer altogether. Arguments: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> natr(np.array([[0, 2.0, 4.0, 5.0, 3.0, 1.0]] * 3), 2)
    np.float64(50.0)
    """
    ...


@kernel
def _mass(candles, params, out):
    """Sum of the ratios of the once to the twice averaged range; 0, not NaN, until there are enough."""
    n = candles.shape[0]
    period = int(params[0])
    weight = 2.0 / 10.0
    ratios = np.empty(n)
    once = 0.0
    twice = 0.0
    for i in range(n):
        span = candles[i, HIGH] - candles[i, LOW]
        once = weight * span + (1.0 - weight) * once if i > 0 else span
        twice = weight * once + (1.0 - weight) * twice if i > 0 else span
        ratios[i] = once / twice if twice != 0.0 else 0.0
    _window_sums(ratios, period, out[0])
    for i in range(min(period - 1, n)):
        out[0, i] = 0.0


@indicator(_mass)
def mass(candles: Float2D, period: int = 5, sequential: bool = False) -> Value:
    """Mass index: sum over `period` rows of the average range over the average of that average, of 9 rows each.

    Exponential averages seeded with the first range. 0 until there are `period` rows. Arguments: see `atr`.

    References
    ----------
    .. [1] Donald Dorsey, Technical Analysis of Stocks & Commodities, June 1992.

    Examples
    --------
    >>> import numpy as np
    >>> mass(np.array([[0, 2.0, 4.0, 5.0, 3.0, 1.0]] * 3), 2)
    np.float64(2.0)
    """
    ...


@kernel
def _cvi(candles, params, out):
    """Change of the average range over `period` rows in percent."""
    n = candles.shape[0]
    period = int(params[0])
    weight = 2.0 / (params[0] + 1.0)
    averages = np.empty(n)
    value = 0.0
    for i in range(n):
        span = candles[i, HIGH] - candles[i, LOW]
        value = weight * span + (1.0 - weight) * value if i > 0 else span
        averages[i] = value
        out[0, i] = np.nan
        if i >= period:
            before = averages[i - period]
            out[0, i] = (value - before) / before * 100.0 if before != 0.0 else 0.0


@indicator(_cvi)
def cvi(candles: Float2D, period: int = 5, sequential: bool = False) -> Value:
    """CVI, Chaikin's volatility: change over `period` rows of the exponentially averaged range, in percent.

    NaN for the first `period` rows, 0 where there was no range before. Arguments: see `atr`.
    """
    ...


def _ui(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Root of the mean square of the falls from the highest, by numpy's convolution."""
    period = int(params[0])
    out[0] = np.nan
    if len(x) < period:
        return
    highest = np.full(len(x), np.nan)
    highest[period - 1 :] = np.max(sliding_window_view(x, period), axis=1)
    with np.errstate(all="ignore"):
        falls = params[1] * (x - highest) / highest
        out[0, period - 1 :] = np.sqrt(np.convolve(falls**2, np.ones(period), mode="valid") / period)


@indicator(python=_ui, lookback=lambda period, _: 2 * period - 1)
def ui(
    candles: Float2D, period: int = 14, scalar: float = 100, source_type: str = "close", sequential: bool = False
) -> Value:
    """UI, ulcer index: root of the mean square of the falls from the highest of the last `period` values, in percent.

    NaN for the first `2 * period - 2` rows. `scalar` 100 makes percents. Other arguments: see `mom`.

    References
    ----------
    .. [1] Peter Martin, Byron McCann, The Investor's Guide to Fidelity Funds, 1989.
    """
    ...
