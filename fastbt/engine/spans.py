# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Where prices were: the spans of minutes and bars, and the search for the first one that reaches a price.

Spans are kept in blocks of sixteen, first all lows and then all highs, so that a block is searched in a few
instructions without a branch. The third sixteen of each are the opens of minutes.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from fastbt._jit import lean
from fastbt._vectors import LANES, ROWS, lowest_bit, reached
from fastbt.types import Float1D, Float2D, Float3D

#: Spans of one block, and the bits of a number that count them.
BLOCK: Final = LANES
BLOCK_BITS: Final = np.uint64(LANES.bit_length() - 1)
_ONE, _MASK = np.uint64(1), np.uint64(LANES - 1)


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


def rest_of(block_span: Float3D) -> Float2D:
    """Return the lowest low and the highest high from each block on: spans of blocks, as `spans_of` returns them."""
    low, high = (block_span[:, row].ravel()[::-1] for row in (0, 1))
    return np.ascontiguousarray([np.fmin.accumulate(low)[::-1], np.fmax.accumulate(high)[::-1]])


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
