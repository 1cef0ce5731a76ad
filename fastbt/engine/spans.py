# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Where prices were: the spans of minutes and bars, and the search for the first one that reaches a price.

Spans are kept in blocks of sixteen, first all lows and then all highs, so that a block is searched in a few
instructions without a branch. The third sixteen of each are the opens of minutes.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from fastbt._jit import lean
from fastbt._vectors import LANES, ROWS, extremes, extremes_of_three, lower, lowest_bit, reached
from fastbt.types import Float1D, Float3D

#: Spans of one block, and the bits of a number that count them.
BLOCK: Final = LANES
BLOCK_BITS: Final = np.uint64(LANES.bit_length() - 1)
_ONE, _MASK = np.uint64(1), np.uint64(LANES - 1)
_BLOCK = np.uint64(LANES)
_NONE, _ALL = np.uint64(0), np.uint64(2**LANES - 1)


def in_blocks(low: Float1D, high: Float1D, opens: Float1D | None = None) -> Float3D:
    """Return columns as the search wants them.

    Parameters
    ----------
    low, high : ndarray, shape (n,)
    opens : ndarray, shape (n,), optional
        What else is looked at where a span is found.

    Returns
    -------
    ndarray, shape (n / 16 rounded up, 3, 16)
        Each sixteen lows, highs and opens; NaN, which reaches nothing, after the last and where no opens are given.
    """
    n = len(low)
    blocks = np.full((ROWS, -(-n // BLOCK) * BLOCK), np.nan)
    blocks[0, :n], blocks[1, :n] = low, high
    if opens is not None:
        blocks[2, :n] = opens
    return np.ascontiguousarray(blocks.reshape(ROWS, -1, BLOCK).transpose(1, 0, 2))


def spans_of(low: Float1D, high: Float1D, opens: Float1D | None = None) -> tuple[Float3D, Float3D]:
    """Return spans (and opens) in blocks, and the spans of the blocks, in blocks."""
    starts = np.arange(0, len(low), BLOCK)
    above = in_blocks(np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts))
    return in_blocks(low, high, opens), above


@lean
def _is_reached(span, i, low, high):
    """Tell whether span `i` reaches `low` or `high`."""
    at = np.uint64(i)
    return span[at >> BLOCK_BITS, 0, at & _MASK] <= low or span[at >> BLOCK_BITS, 1, at & _MASK] >= high


@lean
def _reaches(span, i, low, high):
    """Tell whether minute `i` reaches `low` and `high`, and where it opens; NaN if its candle contradicts itself."""
    b = np.uint64(i) >> BLOCK_BITS
    at = np.uint64(i) & _MASK
    return span[b, 0, at] <= low, span[b, 1, at] >= high, span[b, 2, at]


@lean
def _find_touched(span, block_span, first, last, low, high):
    """Return the first of the spans [first, last) that reaches `low` or `high`, or -1."""
    start = np.uint64(first)
    stop = np.uint64(last)
    if start >= stop:
        return np.int64(-1)
    b = start >> BLOCK_BITS
    bits = reached(span, b, low, high) >> (start & _MASK)
    if bits != 0:
        i = start + lowest_bit(bits)
        return np.int64(i) if i < stop else np.int64(-1)
    b += _ONE
    end = (stop + _MASK) >> BLOCK_BITS
    if b >= end:
        return np.int64(-1)
    at = b >> BLOCK_BITS
    bits = (reached(block_span, at, low, high) >> (b & _MASK)) << (b & _MASK)
    while bits == 0:
        at += _ONE
        if at << BLOCK_BITS >= end:
            return np.int64(-1)
        bits = reached(block_span, at, low, high)
    b = (at << BLOCK_BITS) + lowest_bit(bits)
    if b >= end:
        return np.int64(-1)
    # Of sixteen that reach a price, one does.
    i = (b << BLOCK_BITS) + lowest_bit(reached(span, b, low, high))
    return np.int64(i) if i < stop else np.int64(-1)


@lean
def _find_block(span, block_span, first, last, low, high):
    """Return the block with the first of the spans [first, last) that reaches `low` or `high`, or -1.

    What reaches one in the last block may lie behind the last span.
    """
    start = np.uint64(first)
    stop = np.uint64(last)
    if start >= stop:
        return np.int64(-1)
    b = start >> BLOCK_BITS
    if reached(span, b, low, high) >> (start & _MASK) != 0:
        return np.int64(b)
    b += _ONE
    end = (stop + _MASK) >> BLOCK_BITS
    if b >= end:
        return np.int64(-1)
    at = b >> BLOCK_BITS
    bits = (reached(block_span, at, low, high) >> (b & _MASK)) << (b & _MASK)
    while bits == 0:
        at += _ONE
        if at << BLOCK_BITS >= end:
            return np.int64(-1)
        bits = reached(block_span, at, low, high)
    b = (at << BLOCK_BITS) + lowest_bit(bits)
    return np.int64(b) if b < end else np.int64(-1)


@lean
def _find_in_block(span, block, first, low, high):
    """Return the first span from `first` on that reaches `low` or `high`, in the block that `_find_block` found."""
    start = np.uint64(first)
    b = np.uint64(block)
    bits = reached(span, b, low, high)
    if b == start >> BLOCK_BITS:
        bits = (bits >> (start & _MASK)) << (start & _MASK)
    return np.int64((b << BLOCK_BITS) + lowest_bit(bits))


@lean
def _extremes(span, block_span, first, last):
    """Return the lowest and the highest price of the spans [first, last); infinite if there are none."""
    if first >= last:
        return np.inf, -np.inf
    b = np.uint64(first) >> BLOCK_BITS
    end = np.uint64(last - 1) >> BLOCK_BITS
    stop = (np.uint64(last - 1) & _MASK) + _ONE
    # The first block, the last one if it is another, and the whole blocks between the two.
    head_stop, tail_stop = (stop, _NONE) if b == end else (_BLOCK, stop)
    b += _ONE
    at = b >> BLOCK_BITS
    until = max(b, min(end, (at + _ONE) << BLOCK_BITS))
    low, high = extremes_of_three(
        span,
        b - _ONE,
        np.uint64(first) & _MASK,
        head_stop,
        end,
        _NONE,
        tail_stop,
        block_span,
        min(at, np.uint64(len(block_span) - 1)),
        b & _MASK,
        (b & _MASK) + (until - b),
    )
    while until < end:
        b = until
        at = b >> BLOCK_BITS
        until = min(end, (at + _ONE) << BLOCK_BITS)
        more_low, more_high = extremes(block_span, at, _NONE, until - b)
        low, high = min(low, more_low), max(high, more_high)
    return low, high


@lean
def _first_from(numbers, at, limit):
    """Return the first place from `at` on whose number is not less than a limit; there is one."""
    bits = lower(numbers, at, limit)
    while bits == _ALL:
        at += _BLOCK
        bits = lower(numbers, at, limit)
    return at + lowest_bit(~bits)
