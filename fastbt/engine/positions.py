"""The position of a symbol: what it is worth, and how fills change it (specification 3.3 and 3.5)."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from fastbt.engine._decimal_reference import subtract_floats, sum_floats
from fastbt.engine.exchange import FuturesExchange, SpotExchange
from fastbt.engine.orders import BUY, SELL, Order
from fastbt.errors import SimulationError
from fastbt.types import UNSUPPORTED_REASONS, Status

LONG: Final = "long"
SHORT: Final = "short"
CLOSE: Final = "close"
#: Maintenance margin of the liquidation price, a fraction of the entry price.
MAINTENANCE_MARGIN: Final = 0.004


class PositionListener(Protocol):
    """Who keeps the trade record of a position."""

    def opened(self, position: Position) -> None:
        """Note that it was opened."""

    def closed(self, position: Position) -> None:
        """Note that it was closed."""


class Position:
    """A position, as strategies see it.

    Attributes
    ----------
    symbol, exchange_name : str
        What is held where.
    qty, previous_qty : float
        Signed (base), now and before the last fill.
    entry_price, exit_price : float or None
        Average price of the entries while open; price of the last close (quote).
    current_price : float or None
        The last price of the simulation (quote).
    opened_at, closed_at : float or None
        Times of the last opening and closing fill, ms UTC.
    """

    def __init__(self, symbol: str, exchange: FuturesExchange | SpotExchange, listener: PositionListener) -> None:
        self.symbol = symbol
        self.exchange = exchange
        self.exchange_name = exchange.name
        self.qty: float = 0
        self.previous_qty: float = 0
        self.entry_price: float | None = None
        self.exit_price: float | None = None
        self.current_price: float | None = None
        self.opened_at: float | None = None
        self.closed_at: float | None = None
        self._listener = listener

    @property
    def type(self) -> str:
        """Return "long", "short" or "close"."""
        if self.qty > 0:
            return LONG
        return SHORT if self.qty < 0 else CLOSE

    @property
    def is_open(self) -> bool:
        """Whether anything is held."""
        return self.type != CLOSE

    @property
    def is_close(self) -> bool:
        """Whether nothing is held."""
        return self.type == CLOSE

    @property
    def is_long(self) -> bool:
        """Whether it profits from a rise."""
        return self.type == LONG

    @property
    def is_short(self) -> bool:
        """Whether it profits from a fall."""
        return self.type == SHORT

    @property
    def exchange_type(self) -> str:
        """Return "futures" or "spot"."""
        return self.exchange.type

    @property
    def mode(self) -> str:
        """Return "cross", "isolated" or "spot"."""
        return self.exchange.mode

    @property
    def leverage(self) -> int:
        """Leverage of the account; 1 in spot."""
        return self.exchange.leverage

    @property
    def entry_side(self) -> str:
        """Side of the orders that make it larger."""
        return BUY if self.is_long else SELL

    @property
    def exit_side(self) -> str:
        """Side of the orders that make it smaller."""
        return SELL if self.is_long else BUY

    @property
    def value(self) -> float | None:
        """Quote value at the current price."""
        if self.is_close:
            return 0
        if self.current_price is None:
            return None
        return abs(self.current_price * self.qty)

    @property
    def pnl(self) -> float:
        """Unrealised profit without fees (quote)."""
        value = self.value
        if self.is_close or self.entry_price is None or value is None:
            return 0
        difference = value - abs(self.entry_price * self.qty)
        return -difference if self.is_short else difference

    @property
    def total_cost(self) -> float:
        """Margin that it uses (quote); NaN when closed."""
        if self.is_close or self.entry_price is None:
            return np.nan
        return self.entry_price * abs(self.qty) / self.leverage

    entry_margin = total_cost

    @property
    def roi(self) -> float:
        """Unrealised profit in percent of the margin used."""
        if self.pnl == 0:
            return 0
        return self.pnl / self.total_cost * 100

    pnl_percentage = roi

    @property
    def mark_price(self) -> float | None:
        """The current price: a backtest knows no other."""
        return self.current_price

    @property
    def funding_rate(self) -> float:
        """Zero: a backtest has no funding."""
        return 0

    @property
    def next_funding_timestamp(self) -> None:
        """None: a backtest has no funding."""
        return None

    @property
    def liquidation_price(self) -> float:
        """Price at which an isolated position is liquidated (quote); NaN for any other."""
        if self.is_close or self.mode != "isolated" or self.entry_price is None:
            return np.nan
        if self.is_long:
            return self.entry_price * (1 - 1 / self.leverage + MAINTENANCE_MARGIN)
        return self.entry_price * (1 + 1 / self.leverage - MAINTENANCE_MARGIN)

    @property
    def bankruptcy_price(self) -> float:
        """Price at which the margin is used up (quote); NaN when closed."""
        if self.is_close or self.entry_price is None:
            return np.nan
        if self.is_long:
            return self.entry_price * (1 - 1 / self.leverage)
        return self.entry_price * (1 + 1 / self.leverage)

    def fill(self, order: Order, time: float) -> None:
        """Change the position by a filled order, fee and profit included.

        `order.qty` decides what happens, even where a reduce-only order fills less.

        Raises
        ------
        SimulationError
            If the order would flip the position.
        """
        qty, price = order.qty, order.price
        self.exchange.charge_fee(order.filled_qty * price)
        if self.qty == 0:
            self._open(qty, price, time)
        elif sum_floats(self.qty, qty) == 0:
            self._close(price, time)
        elif self.qty * qty > 0:
            if not order.reduce_only:
                self._increase(abs(qty), price)
        elif abs(qty) > abs(self.qty):
            if not order.reduce_only:
                raise SimulationError(f"{self.symbol}: {UNSUPPORTED_REASONS[Status.FLIP]}")
            self._close(price, time)
        else:
            self._reduce(abs(qty), price)

    def _open(self, qty: float, price: float, time: float) -> None:
        self.entry_price = price
        self.exit_price = None
        self._set_qty(self._bought(qty))
        self.opened_at = time
        self._listener.opened(self)

    def _increase(self, qty: float, price: float) -> None:
        held = abs(self.qty)
        self.entry_price = (qty * price + held * self._entry) / (qty + held)
        if self.is_long:
            self._set_qty(sum_floats(self.qty, self._bought(qty)))
        else:
            self._set_qty(subtract_floats(self.qty, qty))

    def _reduce(self, qty: float, price: float) -> None:
        self.exchange.add_realized_pnl(self._profit(qty, price))
        if self.is_long:
            self._set_qty(subtract_floats(self.qty, qty))
        else:
            self._set_qty(sum_floats(self.qty, qty))

    def _close(self, price: float, time: float) -> None:
        self.exit_price = price
        self.closed_at = time
        self.exchange.add_realized_pnl(self._profit(abs(self.qty), price))
        self._set_qty(0)
        self.entry_price = None
        self._listener.closed(self)

    @property
    def _entry(self) -> float:
        assert self.entry_price is not None
        return self.entry_price

    def _profit(self, qty: float, price: float) -> float:
        profit = qty * (price - self._entry)
        return -profit if self.is_short else profit

    def _bought(self, qty: float) -> float:
        """Return what arrives of `qty`: spot takes the fee of a purchase from it."""
        return qty * (1 - self.exchange.fee_rate) if self.exchange_type == "spot" else qty

    def _set_qty(self, qty: float) -> None:
        self.previous_qty = self.qty
        self.qty = qty
