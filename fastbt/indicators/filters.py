# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Digital filters after John Ehlers: smoothers, high passes, and the oscillators made of them."""

from __future__ import annotations

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import ROWS, _known_first
from fastbt.indicators._registry import Value, indicator
from fastbt.types import Float1D, Float2D


@kernel
def _two_poles(x, period, out):
    """Fill `out` with the two-pole smoother of a period that need not be whole."""
    a = np.exp(-1.414 * np.pi / period)
    b = 2.0 * a * np.cos(1.414 * np.pi / period)
    square = a * a
    last = 0.0
    older = 0.0
    for i in range(x.shape[0]):
        value = x[i]
        if i >= 2:
            value = (1.0 + square - b) / 2.0 * (x[i] + x[i - 1]) + b * last - square * older
        older = last
        last = value
        out[i] = value


@kernel
def _supersmoother(x, params, out):
    """Smooth with two poles."""
    _two_poles(x, params[0], out[0])


@indicator(_supersmoother, accepts_1d=True)
def supersmoother(
    candles: Float2D | Float1D, period: int = 14, source_type: str = "close", sequential: bool = False
) -> Value:
    """Super smoother: a two-pole Butterworth filter; the first two rows are the values themselves.

    Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> supersmoother(np.full(9, 7.0), 5)
    np.float64(7.0)
    """
    ...


@kernel
def _supersmoother_3_pole(x, params, out):
    """Smooth with three poles."""
    a = np.exp(-np.pi / params[0])
    b = 2.0 * a * np.cos(1.738 * np.pi / params[0])
    c = a * a
    square = c * c
    last = 0.0
    older = 0.0
    oldest = 0.0
    for i in range(x.shape[0]):
        value = x[i]
        if i >= 3:
            new = (1.0 - square - b + b * c) * x[i]
            value = new + (b + c) * last + (-c - b * c) * older + square * oldest
        oldest = older
        older = last
        last = value
        out[0, i] = value


@indicator(_supersmoother_3_pole, accepts_1d=True)
def supersmoother_3_pole(
    candles: Float2D | Float1D, period: int = 14, source_type: str = "close", sequential: bool = False
) -> Value:
    """Super smoother with three poles; the first three rows are the values themselves.

    Arguments and result: see `sma`.
    """
    ...


@kernel
def _high_pass(x, params, out):
    """Remove what is slower than the period, with one pole."""
    angle = 2.0 * np.pi / params[0]
    alpha = 1.0 + (np.sin(angle) - 1.0) / np.cos(angle)
    gain = 1.0 - alpha / 2.0
    value = x[0]
    out[0, 0] = value
    for i in range(1, x.shape[0]):
        value = gain * x[i] - gain * x[i - 1] + (1.0 - alpha) * value
        out[0, i] = value


@indicator(_high_pass, accepts_1d=True, none_if_nan=True)
def high_pass(
    candles: Float2D | Float1D, period: int = 48, source_type: str = "close", sequential: bool = False
) -> Value:
    """High-pass filter with one pole: what moves faster than `period`; the first row is the value itself.

    Arguments and result: see `sma`; None instead of NaN unless sequential.
    """
    ...


@kernel
def _high_pass_2_pole(x, params, out):
    """Remove what is slower than the period, with two poles."""
    angle = 2.0 * np.pi * 0.707 / params[0]
    alpha = 1.0 + (np.sin(angle) - 1.0) / np.cos(angle)
    gain = (1.0 - alpha / 2.0) * (1.0 - alpha / 2.0)
    keep = 1.0 - alpha
    last = 0.0
    older = 0.0
    for i in range(x.shape[0]):
        value = x[i]
        if i >= 2:
            new = gain * x[i] - 2.0 * gain * x[i - 1] + gain * x[i - 2]
            value = new + 2.0 * keep * last - keep * keep * older
        older = last
        last = value
        out[0, i] = value


@indicator(_high_pass_2_pole, accepts_1d=True, none_if_nan=True)
def high_pass_2_pole(
    candles: Float2D | Float1D, period: int = 48, source_type: str = "close", sequential: bool = False
) -> Value:
    """High-pass filter with two poles; the first two rows are the values themselves.

    Arguments and result: see `sma`; None instead of NaN unless sequential.
    """
    ...


@kernel
def _gauss(x, params, out):
    """Cascade of `poles` equal low passes over the known values, moved up to the last row."""
    known, count = _known_first(x)
    lead = x.shape[0] - count
    out[0, :lead] = np.nan
    _gauss_of_known(known[:count], params, out[0, lead:])


@kernel
def _gauss_of_known(x, params, out):
    """One recursion from zeros."""
    poles = int(params[1])
    beta = (1.0 - np.cos(2.0 * np.pi / params[0])) / (2.0 ** (1.0 / poles) - 1.0)
    alpha = -beta + np.sqrt(beta * beta + 2.0 * beta)
    keep = 1.0 - alpha
    square = keep * keep
    one = two = three = four = 0.0
    for i in range(x.shape[0]):
        if poles == 1:
            value = alpha * x[i] + keep * one
        elif poles == 2:
            value = alpha * alpha * x[i] + (2.0 * keep * one + -square * two)
        elif poles == 3:
            value = alpha * alpha * alpha * x[i] + (3.0 * keep * one + -3.0 * square * two + square * keep * three)
        else:
            cube = square * keep
            tail = 4.0 * keep * one + -6.0 * square * two + 4.0 * cube * three + -(square * square) * four
            value = (alpha * alpha) * (alpha * alpha) * x[i] + tail
        four = three
        three = two
        two = one
        one = value
        out[i] = value


@indicator(_gauss, allowed={"poles": frozenset((1, 2, 3, 4))}, accepts_1d=True, compacts=True)
def gauss(
    candles: Float2D | Float1D,
    period: int = 14,
    poles: int = 4,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """Gaussian filter of 1 to 4 poles. It starts from 0, so the first rows are far below the prices, as in Jesse.

    Arguments and result: see `sma`.
    """
    ...


@kernel
def _flex(x, period, sloped, out):
    """Mean distance of a smoothed series from its recent past, or from the line through it, in its own mean size."""
    n = x.shape[0]
    smooth = np.empty(n)
    _two_poles(x, period / 2.0, smooth)
    totals = np.empty(n)
    slopes = np.zeros(ROWS)
    for first in range(period, n, ROWS):
        rows = min(ROWS, n - first)
        total_here = totals[first : first + rows]
        here = smooth[first : first + rows]
        oldest = smooth[first - period : first - period + rows]
        for k in range(rows):
            total_here[k] = 0.0
            if sloped:
                slopes[k] = (oldest[k] - here[k]) / period
        j = 1
        while j < period:
            # That of `j` rows back lies behind that of `j + 1`.
            back = smooth[first - j - 1 : first - j + rows]
            for k in range(rows):
                near = total_here[k] + (here[k] + j * slopes[k] - back[k + 1])
                total_here[k] = near + (here[k] + (j + 1) * slopes[k] - back[k])
            j += 2
        if j == period:
            back = smooth[first - j : first - j + rows]
            for k in range(rows):
                total_here[k] += here[k] + j * slopes[k] - back[k]
    size = 0.0
    for i in range(n):
        out[i] = 0.0
        if i < period:
            continue
        total = totals[i] / period
        size = 0.04 * total * total + 0.96 * size
        if size > 0.0 or (not sloped and np.isnan(size)):
            out[i] = total / np.sqrt(size)


@kernel
def _reflex(x, params, out):
    """Compare with the line to the value `period` rows before."""
    _flex(x, int(params[0]), True, out[0])


@indicator(_reflex, accepts_1d=True, none_if_nan=True)
def reflex(candles: Float2D | Float1D, period: int = 20, source_type: str = "close", sequential: bool = False) -> Value:
    """Reflex: how far the smoothed series bends away from the line through its last `period` rows; 0 for the first.

    Arguments: see `sma`.
    """
    ...


@kernel
def _trendflex(x, params, out):
    """Compare with the last `period` values."""
    _flex(x, int(params[0]), False, out[0])


@indicator(_trendflex, accepts_1d=True, none_if_nan=True)
def trendflex(
    candles: Float2D | Float1D, period: int = 20, source_type: str = "close", sequential: bool = False
) -> Value:
    """Trendflex: how far the smoothed series is from its last `period` rows; 0 for the first.

    Arguments: see `sma`.
    """
    ...
