# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Averages of the last rows with fixed weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fastbt._jit import kernel
from fastbt.indicators._blocks import LANES, ROWS, _after_unknown, _now_and_before, _pairwise_products, _pairwise_sum
from fastbt.indicators._registry import Value, indicator
from fastbt.types import Float1D, Float2D


@kernel
def _weigh_newest_first(x, weights, first, out):
    """Fill `out` with the average of the last rows, newest first; before row `first` with the values themselves.

    Weights that add up to 0 leave the values as they are.
    """
    total = 0.0
    for weight in weights:
        total += weight
    if total == 0.0:
        first = x.shape[0]
    scale = 1.0 / total
    n = x.shape[0]
    for i in range(min(first, n)):
        out[i] = x[i]
    period = weights.shape[0]
    for block in range(first, n, ROWS):
        rows = min(ROWS, n - block)
        sums = out[block : block + rows]
        for k in range(rows):
            sums[k] = 0.0
        j = 0
        while j + 3 < period:
            a = x[block - j - 3 : block - j + rows]
            w0, w1, w2, w3 = weights[j], weights[j + 1], weights[j + 2], weights[j + 3]
            for k in range(rows):
                sums[k] = (((sums[k] + a[k + 3] * w0) + a[k + 2] * w1) + a[k + 1] * w2) + a[k] * w3
            j += 4
        while j < period:
            weight = weights[j]
            a = x[block - j : block - j + rows]
            for k in range(rows):
                sums[k] += a[k] * weight
            j += 1
        for k in range(rows):
            sums[k] = sums[k] * scale


@kernel
def _cwma(x, params, out):
    """Weights are cubes."""
    places = params[0] - np.arange(params[0] - 1.0)
    _weigh_newest_first(x, places * places * places, int(params[0]) + 1, out[0])


@indicator(_cwma, lookback=lambda period: period + 2, accepts_1d=True)
def cwma(candles: Float2D | Float1D, period: int = 14, source_type: str = "close", sequential: bool = False) -> Value:
    """Cubed weighted average of the last `period - 1` values: the newest weighs `period ** 3`, the oldest 8.

    Up to row `period` the values themselves. Arguments and result: see `sma`.
    """
    ...


@kernel
def _sqwma(x, params, out):
    """Weights are squares."""
    places = params[0] - np.arange(params[0] - 1.0)
    _weigh_newest_first(x, places * places, int(params[0]) + 1, out[0])


@indicator(_sqwma, lookback=lambda period: period + 2, accepts_1d=True)
def sqwma(candles: Float2D | Float1D, period: int = 14, source_type: str = "close", sequential: bool = False) -> Value:
    """Square weighted average of the last `period - 1` values: the newest weighs `period ** 2`, the oldest 4.

    Up to row `period` the values themselves. Arguments and result: see `sma`.
    """
    ...


@kernel
def _srwma(x, params, out):
    """Weights are square roots."""
    _weigh_newest_first(x, np.sqrt(params[0] - np.arange(params[0] - 1.0)), int(params[0]) + 1, out[0])


@indicator(_srwma, lookback=lambda period: period + 2, accepts_1d=True)
def srwma(candles: Float2D | Float1D, period: int = 14, source_type: str = "close", sequential: bool = False) -> Value:
    """Square-root weighted average of the last `period - 1` values.

    The newest weighs `sqrt(period)`, the oldest `sqrt(2)`. Up to row `period` the values themselves.
    Arguments and result: see `sma`.
    """
    ...


@kernel
def _vpwma(x, params, out):
    """Weights are powers."""
    weights = np.empty(int(params[0]) - 1)
    for j in range(weights.shape[0]):
        weights[j] = (params[0] - j) ** params[1]
    _weigh_newest_first(x, weights, int(params[0]) + 1, out[0])


@indicator(_vpwma, lookback=lambda period, _power: period + 2, accepts_1d=True)
def vpwma(
    candles: Float2D | Float1D,
    period: int = 14,
    power: float = 0.382,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """Power weighted average of the last `period - 1` values.

    The newest weighs `period ** power`, the oldest `2 ** power`. Up to row `period` the values themselves.
    Arguments and result: see `sma`.
    """
    ...


@kernel
def _epma(x, params, out):
    """Weights fall by 1 and may be negative."""
    weights = params[0] - np.arange(params[0] - 1.0) - params[1]
    _weigh_newest_first(x, weights, int(params[0] + params[1]) + 1, out[0])


@indicator(_epma, lookback=lambda period, offset: period + offset + 2, accepts_1d=True)
def epma(
    candles: Float2D | Float1D,
    period: int = 11,
    offset: int = 4,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """End-point average of the last `period - 1` values, with weights from `period - offset` down to `2 - offset`.

    Up to row `period + offset` the values themselves. Arguments and result: see `sma`.
    """
    ...


@kernel
def _jsa(x, params, out):
    """Mean of now and then."""
    now, before = _now_and_before(x, int(params[0]))
    found = _after_unknown(out[0], now.shape[0])
    for i in range(now.shape[0]):
        found[i] = (now[i] + before[i]) / 2.0


@indicator(_jsa, lookback=lambda period: period + 1, accepts_1d=True)
def jsa(candles: Float2D | Float1D, period: int = 30, source_type: str = "close", sequential: bool = False) -> Value:
    """Mean of the value and the one `period` rows before, NaN for the first `period`.

    Arguments and result: see `sma`.
    """
    ...


@kernel
def _nma(x, params, out):
    """Point between two old values, placed by how the recent movement was spread over time."""
    period = int(params[0])
    n = x.shape[0]
    prices = np.empty(n)
    logs = np.empty(n)
    for i in range(n):
        prices[i] = x[i] if x[i] > 1e-10 else 1e-10
        logs[i] = np.log(prices[i]) * 1000.0
    moves = np.zeros(n)
    for i in range(1, n):
        moves[i] = abs(logs[i] - logs[i - 1])
    for i in range(min(period + 1, n)):
        out[0, i] = np.nan
    weighted = np.empty(LANES)
    total = np.empty(LANES)
    for first in range(period + 1, n, LANES):
        lanes = min(LANES, n - first)
        for k in range(lanes):
            weighted[k] = 0.0
            total[k] = 0.0
        for j in range(period):
            weight = np.sqrt(j + 1.0) - np.sqrt(float(j))
            moves_back = moves[first - j : first - j + lanes]
            for k in range(lanes):
                weighted[k] += moves_back[k] * weight
                total[k] += moves_back[k]
        for k in range(lanes):
            i = first + k
            ratio = weighted[k] / total[k] if total[k] != 0.0 else 0.0
            out[0, i] = prices[i - period + 1] * ratio + prices[i - period] * (1.0 - ratio)


@indicator(_nma, lookback=lambda period: period + 2, accepts_1d=True)
def nma(candles: Float2D | Float1D, period: int = 40, source_type: str = "close", sequential: bool = False) -> Value:
    """Natural average: between the values `period - 1` and `period` rows before.

    The nearer to the first, the more of the movement was recent. Values below 1e-10 count as that.
    NaN for the first `period + 1` rows.
    Arguments and result: see `sma`.
    """
    ...


@kernel
def _weigh_like_numpy(x, weights, out):
    """Fill `out` with `np.average` of the last rows, NaN until there are as many as weights."""
    period = weights.shape[0]
    total = _pairwise_sum(weights, 0, period)
    _pairwise_products(x, weights, out)
    for i in range(x.shape[0]):
        out[i] = out[i] / total


def _average_of_windows(x: Float1D, weights: NDArray[Any], out: Float1D) -> None:
    """Fill `out` by numpy's own average; weights beyond 64 bits are Python's numbers, which it adds one by one."""
    period = len(weights)
    out[:] = np.nan
    if len(x) >= period:
        with np.errstate(all="ignore"):
            out[period - 1 :] = np.average(sliding_window_view(x, period), weights=weights, axis=-1)


def _fwma_python(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Weights of any size."""
    before, number = 0, 1
    weights = np.array([], dtype=np.int64)
    for _ in range(int(params[0])):
        # From integers to floats to objects: numpy chooses by what it holds so far.
        weights = np.append(weights, number) if len(weights) else np.array([number])
        before, number = number, before + number
    total = np.sum(weights)
    # A sum that has overflown is below 0: Jesse leaves the numbers as they are then.
    _average_of_windows(x, weights / total if total > 0 else weights, out[0])


def _pwma_python(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Weights of any size."""
    row = int(params[0]) - 1
    weights = np.array([math.comb(row, each) for each in range(row + 1)])
    _average_of_windows(x, weights / np.sum(weights), out[0])


@kernel
def _fwma(x, params, out):
    """Weights are Fibonacci's numbers."""
    weights = np.ones(int(params[0]))
    total = min(params[0], 2.0)
    for j in range(2, weights.shape[0]):
        weights[j] = weights[j - 1] + weights[j - 2]
        total += weights[j]
    _weigh_like_numpy(x, weights / total, out[0])


# Beyond, the sum of the numbers does not fit into the 53 bits of a float.
@indicator(
    _fwma,
    python=_fwma_python,
    compiled_if=lambda period: period <= 76,
    lookback=lambda period: period,
    accepts_1d=True,
)
def fwma(candles: Float2D | Float1D, period: int = 5, source_type: str = "close", sequential: bool = False) -> Value:
    """Fibonacci weighted average: the weights 1, 1, 2, 3, 5... from the oldest to the newest.

    NaN until there are `period` rows. Arguments and result: see `sma`.
    """
    ...


@kernel
def _pwma(x, params, out):
    """Weights are a row of Pascal's triangle."""
    weights = np.ones(int(params[0]))
    for j in range(1, weights.shape[0]):
        # The product is whole, so the quotient is exact as long as the numbers fit.
        weights[j] = weights[j - 1] * (params[0] - j) / j
    total = 0.0
    for weight in weights:
        total += weight
    _weigh_like_numpy(x, weights / total, out[0])


# In larger rows of the triangle the products do not fit into the 53 bits of a float.
@indicator(
    _pwma,
    python=_pwma_python,
    compiled_if=lambda period: period <= 50,
    lookback=lambda period: period,
    accepts_1d=True,
)
def pwma(candles: Float2D | Float1D, period: int = 5, source_type: str = "close", sequential: bool = False) -> Value:
    """Pascal weighted average: the weights of row `period` of Pascal's triangle.

    NaN until there are `period` rows. Arguments and result: see `sma`.
    """
    ...


@kernel
def _swma(x, params, out):
    """Weights rise to the middle and fall again."""
    period = int(params[0])
    weights = np.empty(period)
    total = 0.0
    for j in range(period):
        weights[j] = min(j + 1.0, float(period - j))
        total += weights[j]
    _weigh_like_numpy(x, weights / total, out[0])


@indicator(_swma, lookback=lambda period: period, least={"period": 2}, accepts_1d=True)
def swma(candles: Float2D | Float1D, period: int = 5, source_type: str = "close", sequential: bool = False) -> Value:
    """Symmetric weighted average: weights 1, 2, 3... to the middle and back.

    NaN until there are `period` (at least 2) rows. Arguments and result: see `sma`.
    """
    ...


def _sinwma(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Weights are a half wave, from numpy's own sine."""
    period = int(params[0])
    sines = np.array([np.sin((i + 1) * np.pi / (period + 1)) for i in range(period)])
    _weigh_like_numpy(x, sines / sines.sum(), out[0])


@indicator(python=_sinwma, lookback=lambda period: period, accepts_1d=True)
def sinwma(candles: Float2D | Float1D, period: int = 14, source_type: str = "close", sequential: bool = False) -> Value:
    """Sine weighted average: the weights are a half wave.

    NaN until there are `period` rows. Arguments and result: see `sma`.
    """
    ...


def _trima(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Weights are a triangle, in numpy's convolution, whose last bits are those of its BLAS."""
    period = int(params[0])
    weights = np.minimum(np.arange(1, period + 1), np.arange(period, 0, -1))
    out[0] = np.nan
    if len(x) >= period:
        out[0, period - 1 :] = np.convolve(x, weights / weights.sum(), mode="valid")


@indicator(python=_trima, lookback=lambda period: period, accepts_1d=True)
def trima(candles: Float2D | Float1D, period: int = 30, source_type: str = "close", sequential: bool = False) -> Value:
    """Triangular average: weights rise to the middle of the last `period` rows and fall again.

    NaN until there are `period` rows. Arguments and result: see `sma`.
    """
    ...


def _alma(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Weights are a bell, in numpy's exponential and tensor product."""
    period = int(params[0])
    out[0] = np.nan
    if len(x) < period:
        return
    middle = params[2] * (period - 1)
    width = period / params[1]
    weights = np.exp(-((np.arange(period) - middle) ** 2) / (2 * width * width))
    values = np.tensordot(sliding_window_view(x, period), weights, axes=(1, 0)) / weights.sum()
    values[values == 0] = np.nan
    out[0, period - 1 :] = values


# The matrix product treats its last rows differently: the last bits of a row depend on how many follow.
@indicator(python=_alma, prefix_stable=False, accepts_1d=True)
def alma(
    candles: Float2D | Float1D,
    period: int = 9,
    sigma: float = 6.0,
    distribution_offset: float = 0.85,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """Arnaud Legoux average: bell-shaped weights, centred at `distribution_offset` of the last `period` rows.

    `sigma` is `period` over the width of the bell. NaN until there are `period` rows. Arguments and result: see `sma`.
    """
    ...
