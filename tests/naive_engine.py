"""Slow, obvious statements of what the engine's kernels compute: no numba, no numpy tricks, no shared helpers."""

from __future__ import annotations

import math
from dataclasses import dataclass

MARKET, LIMIT, STOP = 0, 1, 2
BUY, SELL = 1, -1


@dataclass
class Working:
    """An order, as far as matching looks at it."""

    price: float
    side: int
    type: int
    active: bool = True


def split_candle(open_, close, high, low, price):
    """Return (o, c, h, l) of what is done and of the rest: the table of specification 1.5.1, row by row."""
    o, c, h, l, p = open_, close, high, low, price  # noqa: E741
    if p == o:
        return (o, c, h, l), (o, c, h, l)
    rows_of_green = [
        (l <= p < o, (o, p, o, p), (p, c, h, l)),
        (o < p < c, (o, p, p, l), (p, c, h, p)),
        (p == c, (o, c, c, l), (p, p, h, p)),
        (c < p <= h, (o, p, p, l), (p, c, h, c)),
    ]
    rows_of_red = [
        (o < p <= h, (o, p, p, o), (p, c, h, l)),
        (c < p < o, (o, p, h, p), (p, c, p, l)),
        (p == c, (o, c, h, c), (p, p, p, l)),
        (l <= p < c, (o, p, h, p), (p, c, c, l)),
    ]
    (found,) = [(done, rest) for holds, done, rest in (rows_of_green if c >= o else rows_of_red) if holds]
    return found


def next_on_path(orders, open_, close, high, low):
    """Return the index of the order that a candle's path meets first, or -1; equal prices in order of submission."""
    reached = [i for i, order in enumerate(orders) if order.active and low <= order.price <= high]
    at_open = [i for i in reached if orders[i].price == open_]
    above = sorted((i for i in reached if orders[i].price > open_), key=lambda i: orders[i].price)
    below = sorted((i for i in reached if orders[i].price < open_), key=lambda i: -orders[i].price)
    path = at_open + (below + above if close >= open_ else above + below)
    return path[0] if path else -1


def crossed_by_gap(order, previous_close, open_):
    """Tell whether a jump from the last close to the open fills an order there."""
    between = min(previous_close, open_) <= order.price <= max(previous_close, open_)
    rising = open_ > previous_close
    sells_above = order.type == LIMIT and order.side == SELL
    buys_above = order.type == STOP and order.side == BUY
    buys_below = order.type == LIMIT and order.side == BUY
    sells_below = order.type == STOP and order.side == SELL
    return order.active and between and ((sells_above or buys_above) if rising else (buys_below or sells_below))


def first_touched(minutes, first, last, low, high):
    """Return the first minute that reaches `low` or `high`, the jump from the last close included, or -1."""
    for i in range(first, last):
        _, open_, close, top, bottom, _ = minutes[i]
        before = minutes[i - 1][2] if i > 0 else open_
        if min(bottom, open_, close, before) <= low or max(top, open_, close, before) >= high:
            return i
    return -1


def triggers(orders, price, liquidation=math.nan):
    """Return the nearest prices at or below and at or above the current one."""
    levels = [order.price for order in orders if order.active] + [liquidation]
    below = [level for level in levels if level <= price]
    above = [level for level in levels if level >= price]
    return max(below, default=-math.inf), min(above, default=math.inf)


def forming_candle(minutes, first, part):
    """Return the candle of the whole minutes from `first` on and the part of one more."""
    rows = [list(row) for row in minutes[first:]] + [list(part)]
    return [
        rows[0][0],
        rows[0][1],
        rows[-1][2],
        max(row[3] for row in rows),
        min(row[4] for row in rows),
        math.fsum(row[5] for row in rows),
    ]


def sum_of_products(rows):
    """Return the sum of qty times price, exactly rounded."""
    return math.fsum(qty * price for qty, price in rows)


def available_margin(wallet, leverage, qty, entry_price, price, buys, sells):
    """Return what is left of the wallet beside the position and the working entries of the larger side."""
    used = abs(qty) * entry_price / leverage if qty else 0.0
    profit = qty * (price - entry_price) if qty else 0.0
    working = max(abs(sum_of_products(buys)), abs(sum_of_products(sells))) / leverage
    return wallet - (used - profit + working)


def portfolio_value(wallet, leverage, qty, entry_price, price):
    """Return Jesse's portfolio value in futures: unrealised profit times leverage (specification 3.7), plus wallet."""
    return wallet + leverage * qty * (price - entry_price if qty else 0.0)


def spot_portfolio_value(wallet, qty, price, orders):
    """Return wallet, what is held, and what working entries have set aside."""
    entries = [order for order in orders if order.active and (not qty or order.side == BUY)]
    return wallet + qty * price + sum(order.price for order in entries)
