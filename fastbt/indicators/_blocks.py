# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
"""Pieces that several families of indicators are made of."""

import numpy as np

from fastbt._jit import kernel
from fastbt.types import CLOSE, HIGH, LOW, OPEN, VOLUME

#: Bars that a windowed kernel moves forward side by side: their recurrences are independent, so LLVM runs them in
#: vector registers, and the latency of one hides behind the others.
LANES = 64

#: Rows that sums of windows are made for at once, which stay in the nearest cache. Several steps of a sum are one pass
#: over them: each row's sum is read and written once for all of these steps, in their order.
ROWS = 512


@kernel
def _column(candles, column):
    """Copy a column: what is read for every list lies side by side then."""
    return candles[:, column].copy()


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
    unknown = 0
    for i in range(x.shape[0]):
        unknown += np.isnan(x[i])
    return unknown > 0


@kernel
def _unknown_at_first(x):
    """Return how many values before the first known one are NaN."""
    first = 0
    while first < x.shape[0] and np.isnan(x[first]):
        first += 1
    return first


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
    """Fill `out` with the highest of the last `period` values, NaN until there are as many."""
    _rolling_extreme(x, period, 1.0, unknown, out)


@kernel
def _rolling_min(x, period, unknown, out):
    """Fill `out` with the lowest of the last `period` values, NaN until there are as many."""
    _rolling_extreme(x, period, -1.0, unknown, out)


@kernel
def _rolling_extreme(x, period, sign, unknown, out):
    """Fill `out` with the highest (`sign` 1) or lowest (-1) of the last values; of equal ones the newest counts.

    Of twice as many rows each time, in a block that stays in the nearest cache: every step runs in vector registers.
    """
    n = x.shape[0]
    for i in range(min(period - 1, n)):
        out[i] = np.nan
    size = max(2 * ROWS, 2 * period)
    best = np.empty(size + period)
    for first in range(period - 1, n, size):
        last = min(first + size, n)
        start = first - period + 1
        count = last - start
        x_here = x[start:last]
        missing = 0
        # The lowest is the highest of the opposite.
        for i in range(count):
            best[i] = sign * x_here[i]
            missing += np.isnan(best[i])
        if missing > 0:
            _extreme_among_unknown(x, period, sign, unknown, out)
            return
        rows = 1
        while rows < period:
            step = min(rows, period - rows)
            later = best[step:count]
            # In place: each is read as a later one before it is written.
            for i in range(count - step):
                now = later[i]
                before = best[i]
                best[i] = now if now >= before else before
            count -= step
            rows += step
        out_here = out[first:last]
        for i in range(last - first):
            out_here[i] = sign * best[i]


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
def _now_and_before(x, period):
    """Return the values from row `period` on, and those `period` rows before."""
    first = min(period, x.shape[0])
    return x[first:], x[: x.shape[0] - first]


@kernel
def _after_unknown(out, rows):
    """Return the last rows of `out`; those before are made NaN."""
    first = out.shape[0] - rows
    out[:first] = np.nan
    return out[first:]


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
    for i in range(min(period - 1, n)):
        out[i] = np.nan
    for first in range(period - 1, n, ROWS):
        rows = min(ROWS, n - first)
        start = first - period + 1
        total = out[first : first + rows]
        for k in range(rows):
            total[k] = 0.0
        j = 0
        while j + 8 <= period:
            a = x[start + j : start + j + rows + 7]
            for k in range(rows):
                half = (((total[k] + a[k]) + a[k + 1]) + a[k + 2]) + a[k + 3]
                total[k] = (((half + a[k + 4]) + a[k + 5]) + a[k + 6]) + a[k + 7]
            j += 8
        while j + 2 <= period:
            a = x[start + j : start + j + rows + 1]
            for k in range(rows):
                total[k] = (total[k] + a[k]) + a[k + 1]
            j += 2
        if j < period:
            a = x[start + j : start + j + rows]
            for k in range(rows):
                total[k] += a[k]


@kernel
def _weighted_sums(x, weights, out):
    """Fill `out` with the weighted sums of the last values, oldest first, NaN until there are as many as weights."""
    n = x.shape[0]
    period = weights.shape[0]
    for i in range(min(period - 1, n)):
        out[i] = np.nan
    for first in range(period - 1, n, ROWS):
        rows = min(ROWS, n - first)
        start = first - period + 1
        total = out[first : first + rows]
        for k in range(rows):
            total[k] = 0.0
        j = 0
        while j + 4 <= period:
            a = x[start + j : start + j + rows + 3]
            w0, w1, w2, w3 = weights[j], weights[j + 1], weights[j + 2], weights[j + 3]
            for k in range(rows):
                total[k] = (((total[k] + w0 * a[k]) + w1 * a[k + 1]) + w2 * a[k + 2]) + w3 * a[k + 3]
            j += 4
        while j < period:
            a = x[start + j : start + j + rows]
            weight = weights[j]
            for k in range(rows):
                total[k] += weight * a[k]
            j += 1


@kernel
def _pairwise_sums(x, period, out):
    """Fill `out` with numpy's sums of the last `period` values, NaN until there are as many.

    Numpy adds every eighth value up, and joins these eight sums two by two. Those of neighbours are those of the next
    rows: each is made once.
    """
    n = x.shape[0]
    for i in range(min(period - 1, n)):
        out[i] = np.nan
    if period > 128:
        for i in range(period - 1, n):
            out[i] = _pairwise_sum(x, i - period + 1, period)
        return
    if period < 8:
        _window_sums(x, period, out)
        return
    joined = period - period % 8
    eighths = np.empty(ROWS + 8)
    for first in range(period - 1, n, ROWS):
        rows = min(ROWS, n - first)
        start = first - period + 1
        a = x[start : start + rows + 7]
        for k in range(rows + 7):
            eighths[k] = a[k]
        for j in range(8, joined, 8):
            a = x[start + j : start + j + rows + 7]
            for k in range(rows + 7):
                eighths[k] += a[k]
        for k in range(rows + 6):
            eighths[k] += eighths[k + 1]
        for k in range(rows + 4):
            eighths[k] += eighths[k + 2]
        total = out[first : first + rows]
        for k in range(rows):
            total[k] = eighths[k] + eighths[k + 4]
        j = joined
        while j + 2 <= period:
            a = x[start + j : start + j + rows + 1]
            for k in range(rows):
                total[k] = (total[k] + a[k]) + a[k + 1]
            j += 2
        if j < period:
            a = x[start + j : start + j + rows]
            for k in range(rows):
                total[k] += a[k]


@kernel
def _join_eight(sums, out):
    """Add eight sums up into `out`, as numpy does."""
    a, b, c, d, e, f, g, h = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7]
    for k in range(out.shape[0]):
        out[k] = ((a[k] + b[k]) + (c[k] + d[k])) + ((e[k] + f[k]) + (g[k] + h[k]))


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
    if period < 8:
        _weighted_sums(x, weights, out)
        return
    joined = period - period % 8
    sums = np.empty((8, ROWS))
    for first in range(period - 1, n, ROWS):
        rows = min(ROWS, n - first)
        start = first - period + 1
        for e in range(8):
            weight = weights[e]
            total = sums[e]
            a = x[start + e : start + e + rows]
            for k in range(rows):
                total[k] = a[k] * weight
            j = 8 + e
            while j + 8 < joined:
                w0, w1 = weights[j], weights[j + 8]
                a = x[start + j : start + j + rows + 8]
                for k in range(rows):
                    total[k] = (total[k] + a[k] * w0) + a[k + 8] * w1
                j += 16
            if j < joined:
                weight = weights[j]
                a = x[start + j : start + j + rows]
                for k in range(rows):
                    total[k] += a[k] * weight
        total = out[first : first + rows]
        _join_eight(sums, total)
        for j in range(joined, period):
            weight = weights[j]
            a = x[start + j : start + j + rows]
            for k in range(rows):
                total[k] += a[k] * weight


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
    joined = period - period % 8
    sums = np.empty((8, ROWS))
    for first in range(period - 1, n, ROWS):
        rows = min(ROWS, n - first)
        start = first - period + 1
        mx = x_means[first : first + rows]
        my = y_means[first : first + rows]
        total = out[first : first + rows]
        if joined == 0:
            for k in range(rows):
                total[k] = 0.0
        for e in range(8 if joined else 0):
            part = sums[e]
            a = x[start + e : start + e + rows]
            b = y[start + e : start + e + rows]
            for k in range(rows):
                part[k] = (a[k] - mx[k]) * (b[k] - my[k])
            j = 8 + e
            while j + 8 < joined:
                a = x[start + j : start + j + rows + 8]
                b = y[start + j : start + j + rows + 8]
                for k in range(rows):
                    near = part[k] + (a[k] - mx[k]) * (b[k] - my[k])
                    part[k] = near + (a[k + 8] - mx[k]) * (b[k + 8] - my[k])
                j += 16
            if j < joined:
                a = x[start + j : start + j + rows]
                b = y[start + j : start + j + rows]
                for k in range(rows):
                    part[k] += (a[k] - mx[k]) * (b[k] - my[k])
        if joined:
            _join_eight(sums, total)
        j = joined
        while j + 2 <= period:
            a = x[start + j : start + j + rows + 1]
            b = y[start + j : start + j + rows + 1]
            for k in range(rows):
                near = total[k] + (a[k] - mx[k]) * (b[k] - my[k])
                total[k] = near + (a[k + 1] - mx[k]) * (b[k + 1] - my[k])
            j += 2
        if j < period:
            a = x[start + j : start + j + rows]
            b = y[start + j : start + j + rows]
            for k in range(rows):
                total[k] += (a[k] - mx[k]) * (b[k] - my[k])
