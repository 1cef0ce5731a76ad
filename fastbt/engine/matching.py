"""One minute of one symbol: which orders fill, at which price, in which order (specification 1.5 and 1.8)."""

from __future__ import annotations

import numpy as np

from fastbt.engine.candle_path import crossed_by_gap, in_path_order, includes, split
from fastbt.engine.orders import MARKET, Order, signed
from fastbt.engine.session import Session
from fastbt.types import CLOSE, HIGH, LOW, OPEN, TIMESTAMP, Float1D


def match_minute(session: Session, symbol: str, candle: Float1D, previous_close: float | None) -> None:
    """Fill the working orders that a 1m candle reaches, then liquidate if it must be.

    Parameters
    ----------
    session : Session
        The run; `candle` is visible in it already.
    symbol : str
        Whose candle it is.
    candle : ndarray, shape (6,), float64
        The minute.
    previous_close : float or None
        Close of the minute before; None in the first, whatever the warm-up.
    """
    position = session.positions.get(symbol)
    if position is None:
        return
    filled = _fill_at_open(session, symbol, candle, previous_close)
    filled |= _fill_within(session, symbol, candle)
    if filled:
        session.candles.put_minute(symbol, candle)
    position.current_price = candle[CLOSE]
    if position.mode == "isolated":
        _liquidate(session, symbol, candle, previous_close)


def _fill_at_open(session: Session, symbol: str, candle: Float1D, previous_close: float | None) -> bool:
    """Fill the orders that the jump from the last close to the open crossed, all at the open."""
    opened = candle[OPEN]
    crossed = crossed_by_gap(session.orders.working[symbol], previous_close, opened)
    if not crossed:
        return False
    session.candles.publish_part(symbol, np.array([candle[TIMESTAMP], opened, opened, opened, opened, 0.0]))
    session.positions[symbol].current_price = opened
    for order in crossed:
        # A fill's callbacks may cancel the orders after it.
        if order.is_active:
            order.vars["submitted_price"] = order.price
            order.price = opened
            session.execute(order)
    return True


def _fill_within(session: Session, symbol: str, candle: Float1D) -> bool:
    """Fill the orders that the candle's path meets, one by one, each on what the fill before it left of the candle."""
    filled = False
    rest = candle
    while order := _next_on_path(session, symbol, rest):
        done, rest = split(rest, order.price)
        session.candles.publish_part(symbol, done)
        session.positions[symbol].current_price = done[CLOSE]
        session.execute(order)
        filled = True
    return filled


def _next_on_path(session: Session, symbol: str, rest: Float1D) -> Order | None:
    low, high = rest[LOW], rest[HIGH]
    reached = [order for order in session.orders.working[symbol] if order.is_active and low <= order.price <= high]
    return in_path_order(reached, rest)[0] if reached else None


def _liquidate(session: Session, symbol: str, candle: Float1D, previous_close: float | None) -> None:
    """Close an isolated position whose liquidation price the whole candle, or the jump to it, reached."""
    position = session.positions[symbol]
    price = position.liquidation_price
    reached = includes(candle, price)
    if previous_close is not None:
        opened = candle[OPEN]
        reached = reached or min(previous_close, opened) <= price <= max(previous_close, opened)
    if not reached:
        return
    order = Order(
        symbol=symbol,
        exchange=position.exchange_name,
        side=position.exit_side,
        type=MARKET,
        reduce_only=True,
        qty=signed(position.qty, position.exit_side),
        price=position.bankruptcy_price,
    )
    session.orders.add(order)
    session.liquidations += 1
    session.note("info", f"{symbol} liquidated at {price}")
    session.execute(order)
