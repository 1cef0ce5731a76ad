# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
"""Pieces that several families of indicators are made of."""

import numpy as np

from fastbt._jit import kernel
from fastbt.types import CLOSE, HIGH, LOW, OPEN, VOLUME

#: Bars that a windowed kernel moves forward side by side: their recurrences are independent, so LLVM runs them in
#: vector registers, and the latency of one hides behind the others.
LANES = 64


@kernel
def _fill_source(candles, code, out):
    """Fill `out` with the price series of a code of `SOURCE_CODES`."""
    for i in range(candles.shape[0]):
        if code == 0:
            out[i] = candles[i, CLOSE]
        elif code == 1:
            out[i] = candles[i, HIGH]
        elif code == 2:
            out[i] = candles[i, LOW]
        elif code == 3:
            out[i] = candles[i, OPEN]
        elif code == 4:
            out[i] = candles[i, VOLUME]
        elif code == 5:
            out[i] = (candles[i, HIGH] + candles[i, LOW]) / 2.0
        elif code == 6:
            out[i] = (candles[i, HIGH] + candles[i, LOW] + candles[i, CLOSE]) / 3.0
        else:
            out[i] = (candles[i, OPEN] + candles[i, HIGH] + candles[i, LOW] + candles[i, CLOSE]) / 4.0


@kernel
def _true_range_of_numpy(candles, out):
    """Fill `out` with the true range, unknown where any of its prices is."""
    _true_range(candles, out)
    for i in range(1, candles.shape[0]):
        if np.isnan(candles[i, HIGH] + candles[i, LOW] + candles[i - 1, CLOSE]):
            out[i] = np.nan


@kernel
def _true_range(candles, out):
    """Fill `out` with the true range; the first row has no previous close."""
    out[0] = candles[0, HIGH] - candles[0, LOW]
    for i in range(1, candles.shape[0]):
        high = candles[i, HIGH]
        low = candles[i, LOW]
        close = candles[i - 1, CLOSE]
        out[i] = max(max(high - low, abs(high - close)), abs(low - close))


#: What unknown values do to the extreme of a window: they make it unknown (numpy), count for nothing (Rust's fold), or
#: stand like walls in a queue of candidates, which neither leave for newer ones nor let them pass (Rust's queues).
SPREADS, IS_SKIPPED, IS_A_WALL = 0, 1, 2


@kernel
def _has_unknown(x):
    """Whether any value is NaN."""
    for i in range(x.shape[0]):
        if np.isnan(x[i]):
            return True
    return False


@kernel
def _greater(a, b):
    """Return the larger of two, or the one that is known."""
    return b if b > a or np.isnan(a) else a


@kernel
def _lesser(a, b):
    """Return the smaller of two, or the one that is known."""
    return b if b < a or np.isnan(a) else a


@kernel
def _rolling_max(x, period, unknown, out):
    """Fill `out` with the highest of the last `period` values, NaN until there are as many.

    Of twice as many rows each time: every step runs in vector registers. Of equal values the newest counts.
    """
    n = x.shape[0]
    if _has_unknown(x):
        _extreme_among_unknown(x, period, 1.0, unknown, out)
        return
    here = np.empty(n)
    there = np.empty(n)
    for i in range(n):
        here[i] = x[i]
    rows = 1
    while rows < period and rows < n:
        step = min(rows, period - rows)
        for i in range(step):
            there[i] = here[i]
        now = here[step:]
        before = here[: n - step]
        best = there[step:]
        for i in range(n - step):
            best[i] = now[i] if now[i] >= before[i] else before[i]
        here, there = there, here
        rows += step
    for i in range(min(period - 1, n)):
        out[i] = np.nan
    for i in range(period - 1, n):
        out[i] = here[i]


@kernel
def _rolling_min(x, period, unknown, out):
    """Fill `out` with the lowest of the last `period` values, NaN until there are as many.

    Of twice as many rows each time: every step runs in vector registers. Of equal values the newest counts.
    """
    n = x.shape[0]
    if _has_unknown(x):
        _extreme_among_unknown(x, period, -1.0, unknown, out)
        return
    here = np.empty(n)
    there = np.empty(n)
    for i in range(n):
        here[i] = x[i]
    rows = 1
    while rows < period and rows < n:
        step = min(rows, period - rows)
        for i in range(step):
            there[i] = here[i]
        now = here[step:]
        before = here[: n - step]
        best = there[step:]
        for i in range(n - step):
            best[i] = now[i] if now[i] <= before[i] else before[i]
        here, there = there, here
        rows += step
    for i in range(min(period - 1, n)):
        out[i] = np.nan
    for i in range(period - 1, n):
        out[i] = here[i]


@kernel
def _extreme_among_unknown(x, period, sign, unknown, out):
    """Fill `out` with the highest (`sign` 1) or lowest (-1) of the last values, some of which are NaN."""
    n = x.shape[0]
    queue = np.empty(n, dtype=np.int64)
    head = 0
    tail = 0
    for i in range(n):
        if unknown == IS_A_WALL:
            if head < tail and queue[head] <= i - period:
                head += 1
            while head < tail and sign * x[queue[tail - 1]] <= sign * x[i]:
                tail -= 1
            queue[tail] = i
            tail += 1
            out[i] = x[queue[head]] if i >= period - 1 else np.nan
            continue
        out[i] = np.nan
        if i < period - 1:
            continue
        out[i] = -sign * np.inf
        for j in range(i - period + 1, i + 1):
            if sign * x[j] > sign * out[i]:
                out[i] = x[j]
            elif np.isnan(x[j]) and unknown == SPREADS:
                out[i] = np.nan
                break


@kernel
def _known_first(x):
    """Return the values that are not NaN, in their order, and how many there are."""
    known = np.empty(x.shape[0])
    count = 0
    for i in range(x.shape[0]):
        if not np.isnan(x[i]):
            known[count] = x[i]
            count += 1
    return known, count


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


@kernel
def _pairwise_sum(x, start, n):
    """Sum of `n` values in the order in which numpy adds them."""
    if n < 8:
        total = 0.0
        for i in range(start, start + n):
            total += x[i]
        return total
    if n <= 128:
        a, b, c, d = x[start], x[start + 1], x[start + 2], x[start + 3]
        e, f, g, h = x[start + 4], x[start + 5], x[start + 6], x[start + 7]
        whole = n - n % 8
        for i in range(start + 8, start + whole, 8):
            a += x[i]
            b += x[i + 1]
            c += x[i + 2]
            d += x[i + 3]
            e += x[i + 4]
            f += x[i + 5]
            g += x[i + 6]
            h += x[i + 7]
        total = ((a + b) + (c + d)) + ((e + f) + (g + h))
        for i in range(start + whole, start + n):
            total += x[i]
        return total
    half = n // 2
    half -= half % 8
    return _pairwise_sum(x, start, half) + _pairwise_sum(x, start + half, n - half)


@kernel
def _eight_lane_sum(x, start, n):
    """Sum of `n` values in the order in which Rust's ndarray adds them."""
    a = b = c = d = e = f = g = h = 0.0
    whole = n - n % 8
    for i in range(start, start + whole, 8):
        a += x[i]
        b += x[i + 1]
        c += x[i + 2]
        d += x[i + 3]
        e += x[i + 4]
        f += x[i + 5]
        g += x[i + 6]
        h += x[i + 7]
    total = 0.0
    total += a + e
    total += b + f
    total += c + g
    total += d + h
    for i in range(start + whole, start + n):
        total += x[i]
    return total


@kernel
def _mean_true_range(candles, period, out):
    """Fill `out` with Wilder's average true range: a mean first, then `(before * (period - 1) + now) / period`."""
    _true_range(candles, out)
    value = 0.0
    for i in range(candles.shape[0]):
        if i < period:
            value += out[i]
            if i == period - 1:
                value /= period
        else:
            value = (value * (period - 1.0) + out[i]) / period
        out[i] = value if i >= period - 1 else np.nan


@kernel
def _window_sums(x, period, out):
    """Fill `out` with the sums of the last `period` values, oldest first, NaN until there are as many."""
    n = x.shape[0]
    sums = np.empty(LANES)
    for i in range(min(period - 1, n)):
        out[i] = np.nan
    for first in range(period - 1, n, LANES):
        lanes = min(LANES, n - first)
        start = first - period + 1
        for k in range(lanes):
            sums[k] = 0.0
        for j in range(start, first + 1):
            x_here = x[j : j + lanes]
            for k in range(lanes):
                sums[k] += x_here[k]
        for k in range(lanes):
            out[first + k] = sums[k]


@kernel
def _weighted_sums(x, weights, out):
    """Fill `out` with the weighted sums of the last values, oldest first, NaN until there are as many as weights."""
    n = x.shape[0]
    period = weights.shape[0]
    sums = np.empty(LANES)
    for i in range(min(period - 1, n)):
        out[i] = np.nan
    for first in range(period - 1, n, LANES):
        lanes = min(LANES, n - first)
        start = first - period + 1
        for k in range(lanes):
            sums[k] = 0.0
        for j in range(period):
            weight = weights[j]
            x_here = x[start + j : start + j + lanes]
            for k in range(lanes):
                sums[k] += weight * x_here[k]
        for k in range(lanes):
            out[first + k] = sums[k]


@kernel
def _pairwise_sums(x, period, out):
    """Fill `out` with numpy's sums of the last `period` values, NaN until there are as many."""
    n = x.shape[0]
    for i in range(min(period - 1, n)):
        out[i] = np.nan
    if period > 128:
        for i in range(period - 1, n):
            out[i] = _pairwise_sum(x, i - period + 1, period)
        return
    sums = np.empty((8, LANES))
    for first in range(period - 1, n, LANES):
        lanes = min(LANES, n - first)
        start = first - period + 1
        done = 0
        for k in range(lanes):
            sums[0, k] = 0.0
        if period >= 8:
            done = period - period % 8
            for a in range(8):
                x_here = x[start + a : start + a + lanes]
                for k in range(lanes):
                    sums[a, k] = x_here[k]
            for j in range(8, done, 8):
                for a in range(8):
                    x_here = x[start + j + a : start + j + a + lanes]
                    for k in range(lanes):
                        sums[a, k] += x_here[k]
            _join_eight(sums, lanes)
        for j in range(done, period):
            x_here = x[start + j : start + j + lanes]
            for k in range(lanes):
                sums[0, k] += x_here[k]
        for k in range(lanes):
            out[first + k] = sums[0, k]


@kernel
def _join_eight(sums, lanes):
    """Add eight sums up into the first, as numpy does."""
    for k in range(lanes):
        left = (sums[0, k] + sums[1, k]) + (sums[2, k] + sums[3, k])
        sums[0, k] = left + ((sums[4, k] + sums[5, k]) + (sums[6, k] + sums[7, k]))


@kernel
def _pairwise_products(x, weights, out):
    """Fill `out` with numpy's sums of the last values times the weights, NaN until there are as many."""
    n = x.shape[0]
    period = weights.shape[0]
    for i in range(min(period - 1, n)):
        out[i] = np.nan
    if period > 128:
        products = np.empty(period)
        for i in range(period - 1, n):
            for j in range(period):
                products[j] = x[i - period + 1 + j] * weights[j]
            out[i] = _pairwise_sum(products, 0, period)
        return
    sums = np.empty((8, LANES))
    for first in range(period - 1, n, LANES):
        lanes = min(LANES, n - first)
        start = first - period + 1
        done = 0
        for k in range(lanes):
            sums[0, k] = 0.0
        if period >= 8:
            done = period - period % 8
            for a in range(8):
                x_here = x[start + a : start + a + lanes]
                for k in range(lanes):
                    sums[a, k] = x_here[k] * weights[a]
            for j in range(8, done, 8):
                for a in range(8):
                    weight = weights[j + a]
                    x_here = x[start + j + a : start + j + a + lanes]
                    for k in range(lanes):
                        sums[a, k] += x_here[k] * weight
            _join_eight(sums, lanes)
        for j in range(done, period):
            weight = weights[j]
            x_here = x[start + j : start + j + lanes]
            for k in range(lanes):
                sums[0, k] += x_here[k] * weight
        for k in range(lanes):
            out[first + k] = sums[0, k]


@kernel
def _joint_deviations(x, x_means, y, y_means, period, out):
    """Fill `out` with numpy's sums of the products of both deviations from their means of the last `period` values."""
    n = x.shape[0]
    for i in range(min(period - 1, n)):
        out[i] = np.nan
    if period > 128:
        products = np.empty(period)
        for i in range(period - 1, n):
            for j in range(period):
                at = i - period + 1 + j
                products[j] = (x[at] - x_means[i]) * (y[at] - y_means[i])
            out[i] = _pairwise_sum(products, 0, period)
        return
    sums = np.empty((8, LANES))
    for first in range(period - 1, n, LANES):
        lanes = min(LANES, n - first)
        start = first - period + 1
        done = 0
        for k in range(lanes):
            sums[0, k] = 0.0
        if period >= 8:
            done = period - period % 8
            for a in range(8):
                at = start + a
                x_here = x[at : at + lanes]
                x_means_here = x_means[first : first + lanes]
                y_here = y[at : at + lanes]
                y_means_here = y_means[first : first + lanes]
                for k in range(lanes):
                    sums[a, k] = (x_here[k] - x_means_here[k]) * (y_here[k] - y_means_here[k])
            for j in range(8, done, 8):
                for a in range(8):
                    at = start + j + a
                    x_here = x[at : at + lanes]
                    x_means_here = x_means[first : first + lanes]
                    y_here = y[at : at + lanes]
                    y_means_here = y_means[first : first + lanes]
                    for k in range(lanes):
                        sums[a, k] += (x_here[k] - x_means_here[k]) * (y_here[k] - y_means_here[k])
            _join_eight(sums, lanes)
        for j in range(done, period):
            at = start + j
            x_here = x[at : at + lanes]
            x_means_here = x_means[first : first + lanes]
            y_here = y[at : at + lanes]
            y_means_here = y_means[first : first + lanes]
            for k in range(lanes):
                sums[0, k] += (x_here[k] - x_means_here[k]) * (y_here[k] - y_means_here[k])
        for k in range(lanes):
            out[first + k] = sums[0, k]
