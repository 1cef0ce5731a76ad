"""What the worker does without Jesse: messages, the order of fills, finding strategies' modules."""

import io
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbt.oracle import worker


def test_messages__come_back_as_they_were_sent():
    stream = io.BytesIO()
    for message in (("array", "key", (2, 6), b"\0" * 96), {"status": "ok", "trades": []}):
        worker.send(stream, message)
    stream.seek(0)
    assert worker.receive(stream) == ("array", "key", (2, 6), b"\0" * 96)
    assert worker.receive(stream) == {"status": "ok", "trades": []}
    with pytest.raises(EOFError):
        worker.receive(stream)


def test_messages__cut_off_are_the_end():
    stream = io.BytesIO()
    worker.send(stream, ("quit",))
    with pytest.raises(EOFError):
        worker.receive(io.BytesIO(stream.getvalue()[:-1]))


def test_plain__knows_no_numpy():
    for value, kind in (
        (np.float64(1.5), float),
        (np.int64(2), int),
        (np.bool_(True), bool),
        ("x", str),
        (None, type(None)),
    ):
        assert type(worker.plain(value)) is kind


@dataclass(eq=False)
class Order:
    name: str
    price: float


GREEN = [0.0, 100.0, 103.0, 105.0, 95.0, 1.0]  # timestamp, open, close, high, low, volume
RED = [0.0, 100.0, 97.0, 105.0, 95.0, 1.0]


def names(orders, candles):
    return "".join(order.name for order in worker.sort_execution_orders(orders, np.array(candles)))


def test_sort_execution_orders__follows_the_path_of_the_candle():
    orders = [Order("a", 104.0), Order("b", 96.0), Order("c", 101.0), Order("d", 99.0), Order("x", 106.0)]
    assert names(orders, [GREEN]) == "dbca"
    assert names(orders, [RED]) == "cadb"


def test_sort_execution_orders__takes_candle_after_candle():
    orders = [Order("a", 104.0), Order("b", 110.0), Order("c", 96.0)]
    later = [60_000.0, 103.0, 111.0, 112.0, 102.0, 1.0]
    assert names(orders, [GREEN, later]) == "cab"


def test_sort_execution_orders__lists_orders_at_the_open_twice_as_jesse_does():
    orders = [Order("a", 101.0), Order("b", 100.0), Order("c", 99.0)]
    assert names(orders, [GREEN]) == "bbca"
    assert names(orders, [RED]) == "babc"
    assert names([Order("b", 100.0)], [GREEN]) == "b"


@given(st.lists(st.sampled_from([96.0, 99.0, 100.0, 101.0, 104.0]), max_size=8), st.sampled_from([GREEN, RED]))
def test_sort_execution_orders__keeps_ties_in_order_of_submission(prices, candle):
    orders = [Order(str(i), price) for i, price in enumerate(prices)]
    path = worker.sort_execution_orders(orders, np.array([candle]))
    for price in set(prices):
        at_price = [order for order in path if order.price == price]
        submitted = [order for order in orders if order.price == price]
        once = at_price[: len(submitted)]
        assert once == submitted
        assert at_price[len(submitted) :] in ([], submitted)
