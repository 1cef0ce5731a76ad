# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
"""Kernels on the last rows of a series, and on candles of other timeframes, while the newest candle may be forming."""

import numpy as np

from fastbt._jit import kernel, lean
from fastbt.data._kernels import _pairwise_sum
from fastbt.engine.kernels import _fail, _forming_since, _visible
from fastbt.engine.language import FORMING_SERIES, INDEX_ERROR, VALUE_ERROR


@lean
def _window(s, start, stop):
    """Return the first bar of the rows `[-start:-stop]` and their number, clipped as Python slices are."""
    last = s.bar + 1 - stop
    first = max(0, s.bar + 1 - start) if start > 0 else 0
    return first, max(0, last - first)


@lean
def _window_from(s, start, stop, begin):
    """Return `_window` of an array whose first row is that of the bar `begin`."""
    first, n = _window(s, start, stop)
    return max(first, begin), max(0, n - max(0, begin - first))


@lean
def _some(s, n):
    """End the run where numpy or Python would reduce nothing at all."""
    if n == 0:
        _fail(s, VALUE_ERROR)
    return n > 0


@lean
def _builtin_max_of(values, first, n):
    """Return Python's `max` over `n` values from `first` on."""
    best = values[first]
    for i in range(first + 1, first + n):
        if values[i] > best:
            best = values[i]
    return best


@lean
def _builtin_max(s, values, start, stop):
    """Return Python's `max` over a window."""
    first, n = _window(s, start, stop)
    if not _some(s, n):
        return 0.0
    return _builtin_max_of(values, first, n)


@lean
def _builtin_min_of(values, first, n):
    """Return Python's `min` over `n` values from `first` on."""
    best = values[first]
    for i in range(first + 1, first + n):
        if values[i] < best:
            best = values[i]
    return best


@lean
def _builtin_min(s, values, start, stop):
    """Return Python's `min` over a window."""
    first, n = _window(s, start, stop)
    if not _some(s, n):
        return 0.0
    return _builtin_min_of(values, first, n)


@lean
def _builtin_sum_of(values, first, n):
    """Return Python's `sum` of numpy floats over `n` values from `first` on: one after the other."""
    total = 0.0
    for i in range(first, first + n):
        total += values[i]
    return total


@lean
def _builtin_sum(s, values, start, stop):
    """Return Python's `sum` of numpy floats over a window: one after the other."""
    first, n = _window(s, start, stop)
    return _builtin_sum_of(values, first, n)


@lean
def _window_max_of(values, first, n):
    """Return numpy's maximum over `n` values from `first` on: NaN if there is one."""
    best = values[first]
    for i in range(first, first + n):
        if values[i] != values[i]:
            return values[i]
        if values[i] > best:
            best = values[i]
    return best


@lean
def _window_max(s, values, start, stop):
    """Return numpy's maximum over a window: NaN if there is one."""
    first, n = _window(s, start, stop)
    if not _some(s, n):
        return 0.0
    return _window_max_of(values, first, n)


@lean
def _window_min_of(values, first, n):
    """Return numpy's minimum over `n` values from `first` on: NaN if there is one."""
    best = values[first]
    for i in range(first, first + n):
        if values[i] != values[i]:
            return values[i]
        if values[i] < best:
            best = values[i]
    return best


@lean
def _window_min(s, values, start, stop):
    """Return numpy's minimum over a window: NaN if there is one."""
    first, n = _window(s, start, stop)
    if not _some(s, n):
        return 0.0
    return _window_min_of(values, first, n)


@lean
def _window_argmax_of(values, first, n):
    """Return numpy's index of the first maximum, or of the first NaN."""
    best = first
    for i in range(first, first + n):
        if values[i] != values[i]:
            return i - first
        if values[i] > values[best]:
            best = i
    return best - first


@lean
def _window_argmax(s, values, start, stop):
    """Return numpy's index of the first maximum, or of the first NaN."""
    first, n = _window(s, start, stop)
    if not _some(s, n):
        return 0
    return _window_argmax_of(values, first, n)


@lean
def _window_argmin_of(values, first, n):
    """Return numpy's index of the first minimum, or of the first NaN."""
    best = first
    for i in range(first, first + n):
        if values[i] != values[i]:
            return i - first
        if values[i] < values[best]:
            best = i
    return best - first


@lean
def _window_argmin(s, values, start, stop):
    """Return numpy's index of the first minimum, or of the first NaN."""
    first, n = _window(s, start, stop)
    if not _some(s, n):
        return 0
    return _window_argmin_of(values, first, n)


@kernel
def _window_sum_of(values, first, n):
    """Return numpy's sum over `n` values from `first` on."""
    return _pairwise_sum(values, first, n)


@kernel
def _window_sum(s, values, start, stop):
    """Return numpy's sum over a window."""
    first, n = _window(s, start, stop)
    return _window_sum_of(values, first, n)


@kernel
def _window_mean_of(values, first, n):
    """Return numpy's mean over `n` values from `first` on."""
    return _pairwise_sum(values, first, n) / n


@kernel
def _window_mean(s, values, start, stop):
    """Return numpy's mean over a window; NaN for none."""
    first, n = _window(s, start, stop)
    if n == 0:
        return np.nan
    return _window_mean_of(values, first, n)


@kernel
def _window_std_of(values, first, n):
    """Return numpy's population standard deviation over `n` values from `first` on."""
    mean = _pairwise_sum(values, first, n) / n
    squares = np.empty(n)
    for i in range(n):
        deviation = values[first + i] - mean
        squares[i] = deviation * deviation
    return np.sqrt(_pairwise_sum(squares, 0, n) / n)


@kernel
def _window_std(s, values, start, stop):
    """Return numpy's population standard deviation over a window; NaN for none."""
    first, n = _window(s, start, stop)
    if n == 0:
        return np.nan
    return _window_std_of(values, first, n)


@kernel
def _rows_now(s, values, start, newest):
    """Return the last `start` values of a series, the newest of which is forming."""
    first, n = _window(s, start, 0)
    rows = np.empty(n)
    rows[: n - 1] = values[first : first + n - 1]
    rows[n - 1] = newest
    return rows


@lean
def _frame_value(s, x, row, row_before, minutes, length, column, back):
    """Return a column of the candle of `length` minutes that is `back` before the newest, which may be forming.

    `row` holds it at the end of each bar, and `row_before` the one after it.
    """
    if s.complete:
        return x[row, s.bar]
    if s.stale:
        _fail(s, FORMING_SERIES)
        return 0.0
    if back == 0:
        return _forming_since(s, minutes, s.minute - s.minute % length, column)
    if s.bar == 0:
        _fail(s, INDEX_ERROR)
        return 0.0
    begins = (s.minute - s.minute % s.timeframe_minutes) % length == 0
    return x[row_before if begins else row, s.bar - 1]


@kernel
def _frame_visible(s, x, row, minutes, length, window):
    """Return the last `window` candles (0: all) of `length` minutes while one is forming; see `frames.frame_rows`."""
    stop = int(x[row + 6, 0]) + s.minute // length + 1
    start = max(0, stop - window) if window > 0 else 0
    rows = np.empty((stop - start, 6))
    for column in range(6):
        rows[:-1, column] = x[row + column, start : stop - 1]
        rows[-1, column] = _forming_since(s, minutes, s.minute - s.minute % length, column)
    return rows


@kernel
def _builtin_max_now(s, values, start, newest):
    """Return `_builtin_max` of a window whose newest value is forming."""
    rows = _rows_now(s, values, start, newest)
    return _builtin_max_of(rows, 0, len(rows))


@kernel
def _builtin_min_now(s, values, start, newest):
    """Return `_builtin_min` of a window whose newest value is forming."""
    rows = _rows_now(s, values, start, newest)
    return _builtin_min_of(rows, 0, len(rows))


@kernel
def _builtin_sum_now(s, values, start, newest):
    """Return `_builtin_sum` of a window whose newest value is forming."""
    rows = _rows_now(s, values, start, newest)
    return _builtin_sum_of(rows, 0, len(rows))


@kernel
def _window_max_now(s, values, start, newest):
    """Return `_window_max` of a window whose newest value is forming."""
    rows = _rows_now(s, values, start, newest)
    return _window_max_of(rows, 0, len(rows))


@kernel
def _window_min_now(s, values, start, newest):
    """Return `_window_min` of a window whose newest value is forming."""
    rows = _rows_now(s, values, start, newest)
    return _window_min_of(rows, 0, len(rows))


@kernel
def _window_argmax_now(s, values, start, newest):
    """Return `_window_argmax` of a window whose newest value is forming."""
    rows = _rows_now(s, values, start, newest)
    return _window_argmax_of(rows, 0, len(rows))


@kernel
def _window_argmin_now(s, values, start, newest):
    """Return `_window_argmin` of a window whose newest value is forming."""
    rows = _rows_now(s, values, start, newest)
    return _window_argmin_of(rows, 0, len(rows))


@kernel
def _window_sum_now(s, values, start, newest):
    """Return `_window_sum` of a window whose newest value is forming."""
    rows = _rows_now(s, values, start, newest)
    return _window_sum_of(rows, 0, len(rows))


@kernel
def _window_mean_now(s, values, start, newest):
    """Return `_window_mean` of a window whose newest value is forming."""
    rows = _rows_now(s, values, start, newest)
    return _window_mean_of(rows, 0, len(rows))


@kernel
def _window_std_now(s, values, start, newest):
    """Return `_window_std` of a window whose newest value is forming."""
    rows = _rows_now(s, values, start, newest)
    return _window_std_of(rows, 0, len(rows))


@kernel
def _seen(s, bars, minutes, end, window):
    """Return the last `window` trading candles (0: all) that are left without the newest `end`."""
    if s.complete or end > 0:
        stop = max(0, s.bar + 1 - end)
        start = max(0, stop - window) if window > 0 else 0
        return bars[start:stop]
    return _visible(s, bars, minutes, window)
