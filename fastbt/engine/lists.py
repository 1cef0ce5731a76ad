# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
"""Kernels behind lists: where items go, what is cut out, numpy's reductions.

A list is an array of fixed capacity and a length. A place that does not exist ends the run, and is answered with one
that does.
"""

import numpy as np

from fastbt._jit import kernel, lean
from fastbt.data._kernels import _pairwise_sum
from fastbt.engine.kernels import _fail
from fastbt.engine.windows import _some

VALUE_ERROR = 6
INDEX_ERROR = 9
LIST_BOUND = 111


@lean
def _room(s, n, capacity):
    """Return where the next item of a list goes."""
    if n >= capacity:
        _fail(s, LIST_BOUND)
        return capacity - 1
    return n


@lean
def _at_most(s, n, capacity):
    """Return the length of a list that is copied."""
    if n > capacity:
        _fail(s, LIST_BOUND)
        return capacity
    return n


@lean
def _item(s, n, i):
    """Return the place of item `i` of a list of `n`; one that is not there raises."""
    if i < 0:
        i += n
    if i < 0 or i >= n:
        _fail(s, INDEX_ERROR)
        return 0
    return i


@lean
def _place(n, i):
    """Return where `insert` puts an item, clipped as Python does."""
    if i < 0:
        i += n
    return min(max(i, 0), n)


@lean
def _fill_items(items, n, value):
    """Fill a list."""
    for i in range(n):
        items[i] = value


@lean
def _copy_items(source, target, n):
    """Copy the first items of a list."""
    for i in range(n):
        target[i] = source[i]


@lean
def _copy_part(source, first, step, target, at, n):
    """Copy items of a list: `n` of them from `first` on, each `step` further, behind the first `at`."""
    for i in range(n):
        target[at + i] = source[first + i * step]


@lean
def _take_out(items, n, i):
    """Close the gap that item `i` leaves."""
    for j in range(i, n - 1):
        items[j] = items[j + 1]


@lean
def _make_room(items, n, i):
    """Open a gap at `i`; the last item moves to `n`."""
    for j in range(n, i, -1):
        items[j] = items[j - 1]


@lean
def _slice_start(n, i, step):
    """Return the first index of a slice, clipped as Python does."""
    if i < 0:
        i += n
        return max(i, 0) if step > 0 else max(i, -1)
    return min(i, n) if step > 0 else min(i, n - 1)


@lean
def _slice_length(first, last, step):
    """Return how many items a slice has."""
    if step > 0:
        return max(0, (last - first + step - 1) // step)
    return max(0, (first - last - step - 1) // -step)


@lean
def _range_length(s, first, last, step):
    """Return how many numbers a range has."""
    if step == 0:
        _fail(s, VALUE_ERROR)
        return 0
    return _slice_length(first, last, step)


@lean
def _some_items(s, n):
    """Return `n`, where none at all raises."""
    if n < 1:
        _fail(s, VALUE_ERROR)
    return n


@lean
def _not_found(s, index):
    """Return the index of an item, where -1 for none raises."""
    if index < 0:
        _fail(s, VALUE_ERROR)
    return index


@lean
def _points_truth(s, n):
    """Return the truth of orders that Jesse made an array of: numpy knows none."""
    if n > 0:
        _fail(s, VALUE_ERROR)
    return n > 0


@lean
def _same_length(s, a, b):
    """End the run where numpy could not combine two arrays."""
    if a != b and a != 1 and b != 1:
        _fail(s, VALUE_ERROR)
    elif a != b:
        _fail(s, LIST_BOUND)


@lean
def _same_mask(s, a, b):
    """End the run where a condition has not as many items as the array that it selects from."""
    if a != b:
        _fail(s, INDEX_ERROR)


@lean
def _unpacked(s, n, wanted):
    """End the run where a list has not as many items as there are names."""
    if n != wanted:
        _fail(s, VALUE_ERROR)


@lean
def _key_bound(s, place):
    """End the run where a new key would be added to a dict whose keys are fixed."""
    if place < 0:
        _fail(s, LIST_BOUND)


@lean
def _reverse(items, n):
    """Turn a list round."""
    for i in range(n // 2):
        held = items[i]
        items[i] = items[n - 1 - i]
        items[n - 1 - i] = held


@lean
def _list_max(s, items, n):
    """Return numpy's maximum of a list: NaN if there is one."""
    if not _some(s, n):
        return items[0]
    best = items[0]
    for i in range(n):
        if items[i] != items[i]:
            return items[i]
        if items[i] > best:
            best = items[i]
    return best


@lean
def _list_min(s, items, n):
    """Return numpy's minimum of a list: NaN if there is one."""
    if not _some(s, n):
        return items[0]
    best = items[0]
    for i in range(n):
        if items[i] != items[i]:
            return items[i]
        if items[i] < best:
            best = items[i]
    return best


@lean
def _list_argmax(s, items, n):
    """Return numpy's index of the first maximum, or of the first NaN."""
    if not _some(s, n):
        return 0
    best = 0
    for i in range(n):
        if items[i] != items[i]:
            return i
        if items[i] > items[best]:
            best = i
    return best


@lean
def _list_argmin(s, items, n):
    """Return numpy's index of the first minimum, or of the first NaN."""
    if not _some(s, n):
        return 0
    best = 0
    for i in range(n):
        if items[i] != items[i]:
            return i
        if items[i] < items[best]:
            best = i
    return best


@kernel
def _list_sum(s, items, n):
    """Return numpy's sum of a list."""
    return _pairwise_sum(items, 0, n)


@kernel
def _list_mean(s, items, n):
    """Return numpy's mean of a list; NaN for none."""
    if n == 0:
        return np.nan
    return _pairwise_sum(items, 0, n) / n


@kernel
def _list_var(s, items, n, ddof):
    """Return numpy's variance of a list."""
    if n == 0 or n <= ddof:
        return np.nan
    mean = _pairwise_sum(items, 0, n) / n
    squares = np.empty(n)
    for i in range(n):
        squares[i] = (items[i] - mean) * (items[i] - mean)
    return _pairwise_sum(squares, 0, n) / (n - ddof)


@kernel
def _list_std(s, items, n, ddof):
    """Return numpy's standard deviation of a list."""
    return np.sqrt(_list_var(s, items, n, ddof))


@kernel
def _list_median(s, items, n):
    """Return numpy's median of a list: NaN for none, or if there is one."""
    if n == 0:
        return np.nan
    ordered = np.sort(items[:n].copy())
    if ordered[n - 1] != ordered[n - 1]:
        return np.nan
    if n % 2 == 1:
        return ordered[n // 2]
    return (ordered[n // 2 - 1] + ordered[n // 2]) / 2.0


@kernel
def _middle(s, items, n):
    """Return Python's `statistics.median`; none at all raises."""
    if n == 0:
        _fail(s, VALUE_ERROR)
        return 0.0
    ordered = np.sort(items[:n].copy())
    if n % 2 == 1:
        return ordered[n // 2]
    return (ordered[n // 2 - 1] + ordered[n // 2]) / 2.0


@lean
def _list_any(s, items, n):
    """Return numpy's `any` of an array."""
    for i in range(n):
        if items[i] != 0:
            return True
    return False


@lean
def _list_all(s, items, n):
    """Return numpy's `all` of an array."""
    for i in range(n):
        if items[i] == 0:
            return False
    return True


@lean
def _list_count(s, items, n):
    """Return how many items are not zero."""
    count = 0
    for i in range(n):
        if items[i] != 0:
            count += 1
    return count


@lean
def _list_product(s, items, n):
    """Return numpy's product: one after the other."""
    product = 1.0
    for i in range(n):
        product *= items[i]
    return product


@lean
def _list_range(s, items, n):
    """Return numpy's `ptp`: how far the items reach."""
    return _list_max(s, items, n) - _list_min(s, items, n)


@kernel
def _list_nansum(s, items, n):
    """Return numpy's `nansum`."""
    known = np.empty(n)
    for i in range(n):
        known[i] = items[i] if items[i] == items[i] else 0.0
    return _pairwise_sum(known, 0, n)


@kernel
def _list_nanmean(s, items, n):
    """Return numpy's `nanmean`; NaN where there is no number."""
    count = 0
    for i in range(n):
        if items[i] == items[i]:
            count += 1
    return _list_nansum(s, items, n) / count if count > 0 else np.nan


@lean
def _list_nanmax(s, items, n):
    """Return numpy's `nanmax`; NaN where there is no number."""
    if not _some(s, n):
        return np.nan
    best = np.nan
    for i in range(n):
        if not (items[i] <= best) and items[i] == items[i]:
            best = items[i]
    return best


@lean
def _list_nanmin(s, items, n):
    """Return numpy's `nanmin`; NaN where there is no number."""
    if not _some(s, n):
        return np.nan
    best = np.nan
    for i in range(n):
        if not (items[i] >= best) and items[i] == items[i]:
            best = items[i]
    return best


@kernel
def _list_quantile(s, items, n, share):
    """Return numpy's quantile of an array, interpolated linearly; none at all, or no such share, raises."""
    if n == 0:
        _fail(s, INDEX_ERROR)
        return np.nan
    if not 0.0 <= share <= 1.0:
        _fail(s, VALUE_ERROR)
        return np.nan
    ordered = np.sort(items[:n].copy())
    if ordered[n - 1] != ordered[n - 1]:
        return np.nan
    place = (n - 1) * share
    below = int(np.floor(place))
    above = min(below + 1, n - 1)
    part = place - below
    step = ordered[above] - ordered[below]
    if part >= 0.5:
        return ordered[above] - step * (1.0 - part)
    return ordered[below] + step * part


@lean
def _running_sum(items, n):
    """Add up items one after the other."""
    for i in range(1, n):
        items[i] = items[i - 1] + items[i]


@lean
def _running_product(items, n):
    """Multiply items one after the other."""
    for i in range(1, n):
        items[i] = items[i - 1] * items[i]


@lean
def _running_max(items, n):
    """Replace items by numpy's maximum of all up to each."""
    for i in range(1, n):
        if not (items[i] >= items[i - 1]) and items[i] == items[i]:
            items[i] = items[i - 1]


@lean
def _running_min(items, n):
    """Replace items by numpy's minimum of all up to each."""
    for i in range(1, n):
        if not (items[i] <= items[i - 1]) and items[i] == items[i]:
            items[i] = items[i - 1]


@lean
def _difference_items(items, n):
    """Replace items by how much each differs from the one before it."""
    for i in range(n - 1):
        items[i] = items[i + 1] - items[i]


@kernel
def _sort_items(items, n):
    """Sort items, NaN last."""
    items[:n] = np.sort(items[:n].copy())


@kernel
def _roll_items(items, n, by):
    """Move items on by some places, the last ones to the beginning."""
    held = items[:n].copy()
    for i in range(n):
        items[(i + by) % n] = held[i]
