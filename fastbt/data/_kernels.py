# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Candle kernels: arrays and scalars in, arrays filled, nothing checked but what is told in the return value."""

import numpy as np

from fastbt._jit import apart, kernel
from fastbt.types import CLOSE, HIGH, LOW, MINUTE_MS, OPEN, TIMESTAMP, VOLUME

# Up to numpy 2.2 (Jesse pins 1.26) a longer sum is made of pieces of this length, added one after the other. It changes
# the last bits of weekly and monthly volumes only.
_NUMPY_BUFFER = 8192


@kernel
def _sum_block(values, start, count):
    """Return the sum of at most 128 values as numpy adds them: eight running sums, then the rest."""
    if count < 8:
        total = 0.0
        for at in range(start, start + count):
            total += values[at]
        return total
    # Unsigned, or each access asks whether its index counts from the end, and eight are no longer one instruction.
    k = np.uint64(start)
    r0 = values[k]
    r1 = values[k + np.uint64(1)]
    r2 = values[k + np.uint64(2)]
    r3 = values[k + np.uint64(3)]
    r4 = values[k + np.uint64(4)]
    r5 = values[k + np.uint64(5)]
    r6 = values[k + np.uint64(6)]
    r7 = values[k + np.uint64(7)]
    whole = count - count % 8
    for at in range(start + 8, start + whole, 8):
        k = np.uint64(at)
        r0 += values[k]
        r1 += values[k + np.uint64(1)]
        r2 += values[k + np.uint64(2)]
        r3 += values[k + np.uint64(3)]
        r4 += values[k + np.uint64(4)]
        r5 += values[k + np.uint64(5)]
        r6 += values[k + np.uint64(6)]
        r7 += values[k + np.uint64(7)]
    total = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7))
    for at in range(start + whole, start + count):
        total += values[at]
    return total


@kernel
def _sum_tree(values, start, count):
    """Return the sum of any number of values by numpy's pairwise splitting."""
    if count <= 128:
        return _sum_block(values, start, count)
    half = count // 2
    half -= half % 8
    return _sum_tree(values, start, half) + _sum_tree(values, start + half, count - half)


@kernel
def _pairwise_sum(values, start, count):
    """Return `values[start:start + count].sum()` bit for bit as the numpy that Jesse pins computes it."""
    if count <= _NUMPY_BUFFER:
        return _sum_tree(values, start, count)
    total = 0.0
    done = 0
    while done < count:
        piece = min(_NUMPY_BUFFER, count - done)
        total += _sum_tree(values, start + done, piece)
        done += piece
    return total


@apart
def _long_row_sum(rows, n):
    """Return the sum of many products."""
    products = np.empty(n)
    for i in range(n):
        products[i] = rows[i, 0] * rows[i, 1]
    return _pairwise_sum(products, 0, n)


@apart
def _long_sum(fills, n):
    """Return the sum of many quantities, as numpy adds them."""
    return _pairwise_sum(fills[:, 0], 0, n)


@kernel
def _aggregate(candles, volume, first, count, bar):
    """Fill `bar` with `count` rows from row `first`; `volume` is the volume column."""
    high = candles[first, HIGH]
    low = candles[first, LOW]
    for i in range(first + 1, first + count):
        if candles[i, HIGH] > high:
            high = candles[i, HIGH]
        if candles[i, LOW] < low:
            low = candles[i, LOW]
    bar[TIMESTAMP] = candles[first, TIMESTAMP]
    bar[OPEN] = candles[first, OPEN]
    bar[CLOSE] = candles[first + count - 1, CLOSE]
    bar[HIGH] = high
    bar[LOW] = low
    bar[VOLUME] = _pairwise_sum(volume, first, count)


@kernel
def _resample(candles, minutes, bars):
    """Fill `bars` with blocks of `minutes` rows; return the first row not one minute after the last, or -1."""
    volume = candles[:, VOLUME]
    n = candles.shape[0]
    jump = -1
    for b in range(bars.shape[0]):
        first = b * minutes
        # Checked here, block by block, because the rows are in the cache now.
        for i in range(max(first, 1), first + minutes):
            if candles[i, TIMESTAMP] - candles[i - 1, TIMESTAMP] != MINUTE_MS and jump < 0:
                jump = i
        _aggregate(candles, volume, first, minutes, bars[b])
    for i in range(max(bars.shape[0] * minutes, 1), n):
        if candles[i, TIMESTAMP] - candles[i - 1, TIMESTAMP] != MINUTE_MS and jump < 0:
            jump = i
    return jump


@kernel
def _resample_clock(candles, minutes, available_at, bars):
    """Fill `bars` with the clock buckets that end by `available_at`; return how many there are."""
    volume = candles[:, VOLUME]
    n = candles.shape[0]
    span = float(minutes * MINUTE_MS)
    n_bars = 0
    first = 0
    while first < n:
        bucket = candles[first, TIMESTAMP] // span * span
        if bucket + span > available_at:
            break
        count = 1
        while first + count < n and candles[first + count, TIMESTAMP] < bucket + span:
            count += 1
        _aggregate(candles, volume, first, count, bars[n_bars])
        bars[n_bars, TIMESTAMP] = bucket
        n_bars += 1
        first += count
    return n_bars
