"""Trades: the fills between opening and closing a position (specification 3.4)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

import numpy as np

from fastbt.engine.orders import BUY, Order
from fastbt.results import Trade
from fastbt.types import Float2D


@dataclass(slots=True, eq=False)
class ClosedTrade:
    """A trade, as strategies see it; open until `closed_at` is set.

    Attributes
    ----------
    symbol, exchange, timeframe, strategy_name : str
        Who traded what.
    type : str
        "long" or "short", as it was opened.
    leverage : int
        The account's.
    opened_at, closed_at : float or None
        Times of the opening and closing fill, ms UTC.
    orders : list of Order
        Filled orders in the order of their fills.
    """

    symbol: str = ""
    exchange: str = ""
    timeframe: str = ""
    strategy_name: str = ""
    type: str = ""
    leverage: int = 1
    opened_at: float | None = None
    closed_at: float | None = None
    orders: list[Order] = field(default_factory=list)
    buy_rows: list[tuple[float, float]] = field(default_factory=list)
    sell_rows: list[tuple[float, float]] = field(default_factory=list)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def record(self, order: Order) -> None:
        """Add a filled order."""
        self.orders.append(order)
        order.trade_id = self.id
        qty = abs(order.filled_qty or 0.0)
        if qty > 0:
            (self.buy_rows if order.side == BUY else self.sell_rows).append((qty, order.price))

    @property
    def is_long(self) -> bool:
        """Whether it was opened by buying."""
        return self.type == "long"

    @property
    def is_short(self) -> bool:
        """Whether it was opened by selling."""
        return self.type == "short"

    @property
    def is_open(self) -> bool:
        """Whether its opening fill is recorded (Jesse's meaning, also true of a closed trade)."""
        return self.opened_at is not None

    @property
    def qty(self) -> float:
        """Sum of the entries (base)."""
        if not self.type:
            return 0.0
        total: float = self._entries[:, 0].sum()
        return total

    @property
    def entry_price(self) -> float:
        """Average price of the entries (quote)."""
        return _average_price(self._entries) if self.type else np.nan

    @property
    def exit_price(self) -> float:
        """Average price of the exits (quote)."""
        return _average_price(_table(self.sell_rows if self.is_long else self.buy_rows)) if self.type else np.nan

    @property
    def fee(self) -> float:
        """Sum of the fees (quote)."""
        return sum(order.fee or 0 for order in self.orders)

    @property
    def size(self) -> float:
        """Quote value of the entry."""
        return self.qty * self.entry_price

    @property
    def pnl(self) -> float:
        """Profit after fees, from the average prices (quote)."""
        profit = abs(self.qty) * (self.exit_price - self.entry_price)
        if self.is_short:
            profit *= -1
        return profit - self.fee

    @property
    def total_cost(self) -> float:
        """Margin that the entry used (quote)."""
        return self.entry_price * abs(self.qty) / self.leverage

    @property
    def roi(self) -> float:
        """Profit in percent of the margin used."""
        return self.pnl / self.total_cost * 100

    pnl_percentage = roi

    @property
    def holding_period(self) -> float | None:
        """Seconds from the opening to the closing fill; None before."""
        if self.closed_at is None or self.opened_at is None:
            return None
        return (self.closed_at - self.opened_at) / 1000

    @property
    def _entries(self) -> Float2D:
        return _table(self.buy_rows if self.is_long else self.sell_rows)

    def finished(self) -> Trade:
        """Return the record that a finished run keeps."""
        if self.opened_at is None or self.closed_at is None:
            raise ValueError("only a closed trade has a record")
        return Trade(
            symbol=self.symbol,
            type=self.type,
            qty=float(self.qty),
            entry_price=float(self.entry_price),
            exit_price=float(self.exit_price),
            fee=float(self.fee),
            pnl=float(self.pnl),
            opened_at=float(self.opened_at),
            closed_at=float(self.closed_at),
            leverage=self.leverage,
            orders=tuple(order.filled() for order in self.orders),
        )


def _table(rows: list[tuple[float, float]]) -> Float2D:
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def _average_price(rows: Float2D) -> float:
    qty = rows[:, 0].sum()
    if qty == 0:
        return np.nan
    average: float = (rows[:, 0] * rows[:, 1]).sum() / qty
    return average
