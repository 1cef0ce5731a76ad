"""Between a strategy's points and the exchange: which type of order a price makes, and what is refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fastbt.engine.jesse_exceptions import InvalidStrategy, OrderNotAllowed
from fastbt.engine.orders import BUY, LIMIT, MARKET, SELL, STOP, Order, signed
from fastbt.errors import SimulationError
from fastbt.types import UNSUPPORTED_REASONS, Status

if TYPE_CHECKING:
    from fastbt.engine.positions import Position
    from fastbt.engine.session import Session

#: A price this close to the reference, as a fraction of it, makes a market order.
NEAR = 0.00015


def is_near(price: float, reference: float) -> bool:
    """Return whether a price makes a market order.

    Examples
    --------
    >>> is_near(100.01, 100.0), is_near(100.02, 100.0)
    (True, False)
    """
    return abs(1 - (price / reference)) <= NEAR


class Broker:
    """Submits and cancels the orders of one symbol."""

    def __init__(self, session: Session, position: Position) -> None:
        self.position = position
        self.symbol = position.symbol
        self.exchange = position.exchange_name
        self._session = session

    def enter(self, side: str, qty: float, price: float, reference: float) -> Order:
        """Submit one entry point: at market where near, else a stop past the reference and a limit before it."""
        if is_near(price, reference):
            return self.buy_at_market(qty) if side == BUY else self.sell_at_market(qty)
        if price > reference:
            return self.start_profit_at(BUY, qty, price) if side == BUY else self.sell_at(qty, price)
        if price < reference:
            return self.buy_at(qty, price) if side == BUY else self.start_profit_at(SELL, qty, price)
        raise ValueError(f"an entry wants a price; it was {price} where the market was at {reference}")

    def buy_at_market(self, qty: float) -> Order:
        """Buy at the current price."""
        return self._submit(BUY, MARKET, qty, self._market_price, reduce_only=False)

    def sell_at_market(self, qty: float) -> Order:
        """Sell at the current price; this opens or flips, too."""
        return self._submit(SELL, MARKET, qty, self._market_price, reduce_only=False)

    def buy_at(self, qty: float, price: float) -> Order:
        """Buy at a lower price."""
        return self._submit(BUY, LIMIT, qty, price, reduce_only=False)

    def sell_at(self, qty: float, price: float) -> Order:
        """Sell at a higher price."""
        return self._submit(SELL, LIMIT, qty, price, reduce_only=False)

    def start_profit_at(self, side: str, qty: float, price: float) -> Order:
        """Enter once the price has moved in favour of the trade.

        Raises
        ------
        OrderNotAllowed
            If the current price is past it already.
        """
        _check_qty(qty)
        _check_price(price)
        current = self._market_price
        if price < current if side == BUY else price > current:
            raise OrderNotAllowed(f"a {side} stop entry at {price} is behind the current price {current}")
        return self._submit(side, STOP, qty, price, reduce_only=False)

    def reduce_position_at(self, qty: float, price: float, current_price: float) -> Order:
        """Submit one exit point: at market where near, a limit on the winning side, a stop on the losing one.

        Raises
        ------
        OrderNotAllowed
            If nothing is held, or the price is not a number.
        """
        _check_qty(qty)
        _check_price(price)
        if self.position.is_close:
            raise OrderNotAllowed("Cannot submit a reduce_position order when there is no open position")
        side = self.position.exit_side
        if is_near(price, current_price):
            kind = MARKET
        elif price > current_price:
            kind = LIMIT if side == SELL else STOP
        elif price < current_price:
            kind = STOP if side == SELL else LIMIT
        else:
            raise OrderNotAllowed("This order doesn't seem to be for reducing the position.")
        return self._submit(side, kind, qty, price, reduce_only=True)

    def cancel_all_orders(self) -> None:
        """Cancel what is working and forget the orders of this trade."""
        for order in self._session.orders.working[self.symbol]:
            self._session.cancel(order)
        self._session.orders.of_trade[self.symbol].clear()

    def cancel_order(self, order: Order) -> None:
        """Cancel one order."""
        self._session.cancel(order)

    @property
    def _market_price(self) -> float:
        price = self.position.current_price
        if price is None:
            raise OrderNotAllowed("there is no price before the first candle")
        return price

    def _submit(self, side: str, kind: str, qty: float, price: float, *, reduce_only: bool) -> Order:
        _check_qty(qty)
        _check_price(price)
        order = Order(
            symbol=self.symbol,
            exchange=self.exchange,
            side=side,
            type=kind,
            reduce_only=reduce_only,
            qty=signed(qty, side),
            price=price,
            created_at=self._session.time,
        )
        self._session.submit(order)
        if math.isnan(order.qty):
            raise SimulationError(f"{self.symbol}: {UNSUPPORTED_REASONS[Status.NAN_QTY]}")
        return order


def _check_qty(qty: float) -> None:
    if qty == 0:
        raise InvalidStrategy("an order wants a quantity other than 0")


def _check_price(price: float) -> None:
    if price < 0:
        raise ValueError(f"an order wants a price above zero; it was {price}")
