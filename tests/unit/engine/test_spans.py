"""Spans in blocks: what the vector instructions find is what looking at each span finds."""

import naive_engine as naive
import numpy as np
import pytest
from candle_generators import make_candles
from hypothesis import given
from hypothesis import strategies as st

from fastbt import _vectors
from fastbt._jit import kernel
from fastbt.engine import spans
from fastbt.engine.layout import build_market
from fastbt.types import CLOSE, HIGH, LOW, OPEN

ends = st.integers(0, 2**32 - 1)


@kernel
def reached_in(blocks, block, low, high):
    return _vectors.reached(blocks, np.uint64(block), low, high)


@kernel
def lowest_bit_of(bits):
    return _vectors.lowest_bit(np.uint64(bits))


@kernel
def occupied_in(numbers, n, at):
    return _vectors.occupied(numbers[:n], at)


@given(ends, st.integers(1, 70), st.floats(-2, 2), st.floats(-2, 2))
def test_vectors__do_what_python_does(seed, n, low, high):
    drawn = np.random.default_rng(seed).normal(size=(2, n))
    blocks = spans.in_blocks(drawn[0], drawn[0] + abs(drawn[1]))
    for block in range(len(blocks)):
        found = int(reached_in(blocks, block, low, high))
        assert found == _vectors._reached_in_python(blocks, block, low, high)
        if found:
            assert lowest_bit_of(found) == _vectors._lowest_bit_in_python(found)


@given(ends, st.integers(1, 48), st.integers(0, 47), st.sampled_from([np.int32, np.int64]))
def test_occupied__finds_what_is_not_zero_before_the_end(seed, n, at, kind):
    numbers = (np.random.default_rng(seed).integers(-3, 4, 64) // 2).astype(kind)
    at = min(at, n - 1)
    assert occupied_in(numbers, n, at) == _vectors._occupied_in_python(numbers[:n], at)


@kernel
def lower_in(numbers, at, limit):
    return _vectors.lower(numbers, np.uint64(at), limit)


@given(ends, st.integers(0, 32), st.integers(-4, 4), st.sampled_from([np.int32, np.int64]))
def test_lower__finds_what_is_less_than_a_limit(seed, at, limit, kind):
    numbers = np.random.default_rng(seed).integers(-3, 4, 48).astype(kind)
    assert lower_in(numbers, at, limit) == _vectors._lower_in_python(numbers, at, limit)


@given(ends, st.integers(0, 200), st.integers(1, 40))
def test_first_from__equals_looking_at_each(seed, at, most):
    numbers = np.cumsum(np.random.default_rng(seed).integers(0, most, 300)).astype(np.int32)
    numbers[280:] = numbers[279]
    limit = int(np.random.default_rng(seed + 1).integers(0, numbers[-1] + 1))
    found = spans._first_from(numbers, np.uint64(at), limit)
    assert found == at + int(np.argmax(numbers[at:] >= limit))


@kernel
def extremes_in(blocks, block, first, last):
    return _vectors.extremes(blocks, np.uint64(block), np.uint64(first), np.uint64(last))


@given(ends, st.integers(0, 15), st.integers(1, 16), st.integers(1, 3))
def test_extremes__of_some_lanes(seed, first, size, n):
    low = np.random.default_rng(seed).normal(size=16 * n - 1)
    blocks = spans.in_blocks(low, low + 1)
    last = min(first + size, 16 if n > 1 else 15)
    first = min(first, last - 1)
    assert extremes_in(blocks, 0, first, last) == _vectors._extremes_in_python(blocks, 0, first, last)


@kernel
def extremes_of_three_in(blocks, a, a_first, a_last, b, b_first, b_last, above, c, c_first, c_last):
    a, a_first, a_last, b, b_first, b_last, c, c_first, c_last = (
        np.uint64(a),
        np.uint64(a_first),
        np.uint64(a_last),
        np.uint64(b),
        np.uint64(b_first),
        np.uint64(b_last),
        np.uint64(c),
        np.uint64(c_first),
        np.uint64(c_last),
    )
    return _vectors.extremes_of_three(blocks, a, a_first, a_last, b, b_first, b_last, above, c, c_first, c_last)


@given(ends, st.tuples(*[st.integers(0, 2)] * 3), st.tuples(*[st.integers(0, 16)] * 6))
def test_extremes_of_three__of_some_lanes(seed, numbers, ends):
    low = np.random.default_rng(seed).normal(size=(2, 48))
    blocks, above = (spans.in_blocks(each, each + 1) for each in low)
    (a, b, c), places = numbers, [sorted(ends[i : i + 2]) for i in (0, 2, 4)]
    arguments = (blocks, a, *places[0], b, *places[1], above, c, *places[2])
    assert extremes_of_three_in(*arguments) == _vectors._extremes_of_three_in_python(*arguments)


@given(ends, st.integers(1, 1200), st.integers(0, 1200), st.integers(0, 1200))
def test_extremes__of_spans_equal_looking_at_each(seed, n, first, last):
    first, last = sorted((first % (n + 1), last % (n + 1)))
    low = np.random.default_rng(seed).normal(size=n)
    blocks, above = spans.spans_of(low, low + 1)
    expected = (low[first:last].min(), low[first:last].max() + 1) if first < last else (np.inf, -np.inf)
    assert spans._extremes(blocks, above, first, last) == pytest.approx(expected, rel=0, abs=0)


@given(ends, st.integers(1, 90))
def test_in_blocks__keeps_every_number_and_fills_up_with_what_reaches_nothing(seed, n):
    low, high, opens = np.random.default_rng(seed).normal(size=(3, n))
    blocks = spans.in_blocks(low, high, opens)
    assert blocks.shape == (-(-n // spans.BLOCK), 3, spans.BLOCK)
    back = blocks.transpose(1, 0, 2).reshape(3, -1)
    np.testing.assert_array_equal(back[:, :n], [low, high, opens])
    assert np.isnan(back[:, n:]).all() and np.isnan(spans.in_blocks(low, high)[:, 2]).all()


@given(ends, st.integers(1, 700), st.floats(0, 1), st.floats(0, 1), st.integers(0, 700))
def test_find_touched__equals_looking_at_each_span(seed, n, below, above, where):
    minutes = make_candles(n, seed)
    market = build_market(minutes, minutes, warmup_bars=0, timeframe_minutes=1)
    first, last = sorted((where % n, n - where // 3 % n))
    low = np.quantile(minutes[:, LOW], below / 40) - 1e-9
    high = np.quantile(minutes[:, HIGH], 1 - above / 40) + 1e-9
    expected = naive.first_touched(minutes.tolist(), first, last, low, high)
    assert spans._find_touched(market.span, market.block_span, first, last, low, high) == expected
    each = [spans._is_reached(market.span, i, low, high) for i in range(first, last)]
    assert (each.index(True) + first if any(each) else -1) == expected
    # In two steps.
    block = spans._find_block(market.span, market.block_span, first, last, low, high)
    if expected >= 0:
        assert block == expected // spans.BLOCK
        assert spans._find_in_block(market.span, block, first, low, high) == expected
    else:
        assert block in (-1, (last - 1) // spans.BLOCK)


def test_opens__are_unknown_where_a_candle_contradicts_itself():
    minutes = make_candles(40)
    minutes[7, CLOSE] = minutes[7, HIGH] * 1.001
    minutes[20, OPEN] = minutes[20, LOW] * 0.999
    market = build_market(minutes, minutes, warmup_bars=0, timeframe_minutes=1)
    opens = [spans._reaches(market.span, i, 0.0, np.inf)[2] for i in range(40)]
    assert np.flatnonzero(np.isnan(opens)).tolist() == [7, 20]
    assert opens[8] == minutes[8, OPEN]


def test_find_touched__finds_the_only_one_in_any_block():
    size = spans.BLOCK
    minutes = np.full((37 * size + 3, 6), 100.0)
    for i in [
        *range(3 * size),
        *range(15 * size, 18 * size),
        *range(31 * size, len(minutes), 5),
    ]:
        touched = minutes.copy()
        touched[i, 3] = 101.0
        market = build_market(touched, touched, warmup_bars=0, timeframe_minutes=1)
        for first in (0, i, size, 1, 16 * size - 1, i // size * size, len(minutes)):
            found = spans._find_touched(market.span, market.block_span, first, len(minutes), 99.0, 101.0)
            assert found == (i if first <= i else -1)
        assert spans._find_touched(market.span, market.block_span, 0, i, 99.0, 101.0) == -1


@pytest.mark.parametrize("last", [0, 5])
def test_find_touched__finds_nothing_in_nothing(last):
    minutes = make_candles(20)
    market = build_market(minutes, minutes, warmup_bars=0, timeframe_minutes=1)
    assert spans._find_touched(market.span, market.block_span, 5, last, np.inf, -np.inf) == -1
    assert spans._find_touched(market.span, market.block_span, 5, 6, np.inf, -np.inf) == 5
