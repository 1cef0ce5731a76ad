"""The path that a price is taken to follow inside one candle (specification 1.5)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastbt.engine.orders import BUY, LIMIT, SELL, STOP, Order
from fastbt.types import CLOSE, HIGH, LOW, OPEN, TIMESTAMP, VOLUME, Float1D


def includes(candle: Float1D, price: float) -> bool:
    """Return whether a candle touches a price.

    Examples
    --------
    >>> includes(np.array([0, 10.0, 11.0, 12.0, 9.0, 1.0]), 9.0)
    True
    """
    return bool(candle[LOW] <= price <= candle[HIGH])


def split(candle: Float1D, price: float) -> tuple[Float1D, Float1D]:
    """Split a candle where its path reaches a price.

    A candle that closes at or above its open goes to the low first, any other to the high. The rest is a candle of
    its own, whose path follows from its own open and close.

    Parameters
    ----------
    candle : ndarray, shape (6,), float64
        Timestamp, open, close, high, low, volume.
    price : float
        Within low and high. At the open, both parts are the whole candle.

    Returns
    -------
    done, rest : ndarray, shape (6,), float64
        Each with the timestamp and the whole volume.

    References
    ----------
    .. [1] Specification 1.5.1.

    Examples
    --------
    >>> done, rest = split(np.array([0, 10.0, 11.0, 12.0, 8.0, 1.0]), 9.0)
    >>> done.tolist(), rest.tolist()
    ([0.0, 10.0, 9.0, 10.0, 9.0, 1.0], [0.0, 9.0, 11.0, 12.0, 8.0, 1.0])
    """
    opened, closed, high, low = candle[OPEN], candle[CLOSE], candle[HIGH], candle[LOW]
    if price == opened:
        return candle, candle
    if closed >= opened:
        if price < opened:  # on the way to the low
            done, rest = (opened, price, opened, price), (price, closed, high, low)
        elif price < closed:  # the low is behind
            done, rest = (opened, price, price, low), (price, closed, high, price)
        elif price == closed:
            done, rest = (opened, closed, closed, low), (price, price, high, price)
        else:
            done, rest = (opened, price, price, low), (price, closed, high, closed)
    elif price > opened:  # on the way to the high
        done, rest = (opened, price, price, opened), (price, closed, high, low)
    elif price > closed:  # the high is behind
        done, rest = (opened, price, high, price), (price, closed, price, low)
    elif price == closed:
        done, rest = (opened, closed, high, closed), (price, price, price, low)
    else:
        done, rest = (opened, price, high, price), (price, closed, closed, low)
    stamp, volume = candle[TIMESTAMP], candle[VOLUME]
    return np.array([stamp, *done, volume]), np.array([stamp, *rest, volume])


def in_path_order(orders: Sequence[Order], candle: Float1D) -> list[Order]:
    """Return orders in the order in which a candle's path reaches them.

    Parameters
    ----------
    orders : sequence of Order
        All within the candle, in order of submission, which decides between equal prices (Jesse draws lots).
    candle : ndarray, shape (6,), float64
        The candle.

    Returns
    -------
    list of Order
        Those at the open first.

    References
    ----------
    .. [1] Specification 1.5 B.
    """
    opened = candle[OPEN]
    at_open = [order for order in orders if order.price == opened]
    above = sorted((order for order in orders if order.price > opened), key=lambda order: order.price)
    below = sorted((order for order in orders if order.price < opened), key=lambda order: order.price, reverse=True)
    return at_open + (above + below if opened > candle[CLOSE] else below + above)


def crossed_by_gap(orders: Sequence[Order], previous_close: float | None, opened: float) -> list[Order]:
    """Return the working orders that a jump from the last close to the open makes marketable.

    Parameters
    ----------
    orders : sequence of Order
        In order of submission.
    previous_close : float or None
        None in the first minute.
    opened : float
        The new open (quote).

    Returns
    -------
    list of Order
        In the order in which the jump meets them: sell limits and buy stops on the way up, buy limits and sell stops
        on the way down.

    References
    ----------
    .. [1] Specification 1.5 A.
    """
    if previous_close is None or opened == previous_close:
        return []
    up = opened > previous_close
    low, high = min(previous_close, opened), max(previous_close, opened)
    eligible = {(LIMIT, SELL), (STOP, BUY)} if up else {(LIMIT, BUY), (STOP, SELL)}
    crossed = [
        order
        for order in orders
        if order.is_active and low <= order.price <= high and (order.type, order.side) in eligible
    ]
    return sorted(crossed, key=lambda order: order.price, reverse=not up)
