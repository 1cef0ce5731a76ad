# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
"""Pieces that several families of indicators are made of."""

import numpy as np

from fastbt._jit import kernel
from fastbt.types import CLOSE, HIGH, LOW

#: Bars that a windowed kernel moves forward side by side: their recurrences are independent, so LLVM runs them in
#: vector registers, and the latency of one hides behind the others.
LANES = 64


@kernel
def _true_range(candles, out):
    """Fill `out` with the true range; the first row has no previous close."""
    out[0] = candles[0, HIGH] - candles[0, LOW]
    for i in range(1, candles.shape[0]):
        high = candles[i, HIGH]
        low = candles[i, LOW]
        close = candles[i - 1, CLOSE]
        out[i] = max(max(high - low, abs(high - close)), abs(low - close))


@kernel
def _rolling_max(x, period, out):
    """Fill `out` with the highest of the last `period` values, NaN until there are as many."""
    best = 0
    for i in range(x.shape[0]):
        if i == 0 or x[i] >= x[best]:
            best = i
        elif best <= i - period:
            best = i - period + 1
            for j in range(best + 1, i + 1):
                if x[j] >= x[best]:
                    best = j
        out[i] = x[best] if i >= period - 1 else np.nan


@kernel
def _rolling_min(x, period, out):
    """Fill `out` with the lowest of the last `period` values, NaN until there are as many."""
    best = 0
    for i in range(x.shape[0]):
        if i == 0 or x[i] <= x[best]:
            best = i
        elif best <= i - period:
            best = i - period + 1
            for j in range(best + 1, i + 1):
                if x[j] <= x[best]:
                    best = j
        out[i] = x[best] if i >= period - 1 else np.nan


@kernel
def _mean_of_known(x, period, out):
    """Fill `out` with the mean of those of the last `period` values that are not NaN; NaN if there are none."""
    for i in range(x.shape[0]):
        out[i] = np.nan
        if i < period - 1:
            continue
        total = 0.0
        known = 0
        for j in range(i - period + 1, i + 1):
            if not np.isnan(x[j]):
                total += x[j]
                known += 1
        if known > 0:
            out[i] = total / known
