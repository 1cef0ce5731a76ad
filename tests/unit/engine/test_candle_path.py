"""What is taken to happen inside one minute."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbt.engine.candle_path import crossed_by_gap, in_path_order, includes, split
from fastbt.engine.orders import Order


def candle(opened, closed, high, low, volume=7.0):
    return np.array([60_000.0, opened, closed, high, low, volume])


def order(price, side="buy", kind="LIMIT"):
    return Order(symbol="BTC-USDT", exchange="X", side=side, type=kind, reduce_only=False, qty=1.0, price=price)


GREEN = candle(10.0, 12.0, 15.0, 8.0)
RED = candle(12.0, 10.0, 15.0, 8.0)
DOJI = candle(10.0, 10.0, 15.0, 8.0)


@pytest.mark.parametrize(
    ("whole", "price", "done", "rest"),
    [
        (GREEN, 9.0, (10, 9, 10, 9), (9, 12, 15, 8)),
        (GREEN, 8.0, (10, 8, 10, 8), (8, 12, 15, 8)),
        (GREEN, 11.0, (10, 11, 11, 8), (11, 12, 15, 11)),
        (GREEN, 12.0, (10, 12, 12, 8), (12, 12, 15, 12)),
        (GREEN, 13.0, (10, 13, 13, 8), (13, 12, 15, 12)),
        (GREEN, 15.0, (10, 15, 15, 8), (15, 12, 15, 12)),
        (RED, 13.0, (12, 13, 13, 12), (13, 10, 15, 8)),
        (RED, 15.0, (12, 15, 15, 12), (15, 10, 15, 8)),
        (RED, 11.0, (12, 11, 15, 11), (11, 10, 11, 8)),
        (RED, 10.0, (12, 10, 15, 10), (10, 10, 10, 8)),
        (RED, 9.0, (12, 9, 15, 9), (9, 10, 10, 8)),
        (RED, 8.0, (12, 8, 15, 8), (8, 10, 10, 8)),
        (DOJI, 9.0, (10, 9, 10, 9), (9, 10, 15, 8)),
    ],
)
def test_split__follows_the_table(whole, price, done, rest):
    first, second = split(whole, price)
    assert first.tolist() == [60_000.0, *done, 7.0]
    assert second.tolist() == [60_000.0, *rest, 7.0]


@pytest.mark.parametrize("whole", [GREEN, RED, DOJI])
def test_split__at_the_open_gives_the_whole_candle_twice(whole):
    first, second = split(whole, whole[1])
    assert first.tolist() == second.tolist() == whole.tolist()


@given(st.lists(st.integers(1, 50), min_size=4, max_size=4), st.integers(0, 49))
def test_split__keeps_the_ends_and_stays_within(prices, at):
    opened, closed, *_ = prices
    whole = candle(opened, closed, max(prices), min(prices))
    price = min(prices) + at % (max(prices) - min(prices) + 1)
    first, second = split(whole, float(price))
    assert first[1] == opened and second[2] == closed
    for part in (first, second):
        assert min(prices) <= part[4] <= part[3] <= max(prices)
    if price != opened:
        assert first[2] == second[1] == price


@pytest.mark.parametrize(
    ("whole", "expected"),
    [(GREEN, [10.0, 9.5, 9.0, 11.0, 14.0]), (RED, [12.0, 14.0, 11.0, 10.0, 9.5, 9.0]), (DOJI, [10.0, 9.5, 9.0, 11.0])],
)
def test_in_path_order__goes_to_the_nearer_end_first(whole, expected):
    orders = [order(price) for price in sorted(expected)]
    assert [found.price for found in in_path_order(orders, whole)] == expected


@pytest.mark.parametrize("whole", [GREEN, RED])
def test_in_path_order__keeps_the_order_of_submission_at_one_price(whole):
    orders = [order(price) for price in (9.0, 14.0, 9.0, 14.0, whole[1], whole[1])]
    found = in_path_order(orders, whole)
    for price in {each.price for each in orders}:
        assert [each for each in found if each.price == price] == [each for each in orders if each.price == price]


def test_crossed_by_gap__takes_what_a_jump_makes_marketable():
    kinds = [("buy", "LIMIT"), ("buy", "STOP"), ("sell", "LIMIT"), ("sell", "STOP"), ("buy", "MARKET")]
    orders = [order(price, *kind) for kind in kinds for price in (11.0, 10.0, 12.0, 13.0)]
    up = crossed_by_gap(orders, 10.0, 12.0)
    assert {(each.side, each.type) for each in up} == {("buy", "STOP"), ("sell", "LIMIT")}
    assert [each.price for each in up] == [10.0, 10.0, 11.0, 11.0, 12.0, 12.0]
    down = crossed_by_gap(orders, 12.0, 10.0)
    assert {(each.side, each.type) for each in down} == {("buy", "LIMIT"), ("sell", "STOP")}
    assert [each.price for each in down] == [12.0, 12.0, 11.0, 11.0, 10.0, 10.0]


def test_crossed_by_gap__is_empty_without_a_jump():
    orders = [order(10.0), order(10.0, "sell", "LIMIT")]
    assert crossed_by_gap(orders, 10.0, 10.0) == []
    assert crossed_by_gap(orders, None, 12.0) == []


def test_includes__holds_both_ends():
    assert includes(GREEN, 8.0) and includes(GREEN, 15.0)
    assert not includes(GREEN, 7.99) and not includes(GREEN, 15.01) and not includes(GREEN, np.nan)
