"""Orders and the lists that hold them, in Jesse's words."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass, field
from typing import Any, Final

from fastbt.results import FilledOrder

BUY: Final = "buy"
SELL: Final = "sell"
MARKET: Final = "MARKET"
LIMIT: Final = "LIMIT"
STOP: Final = "STOP"
ACTIVE: Final = "ACTIVE"
EXECUTED: Final = "EXECUTED"
CANCELED: Final = "CANCELED"
STOP_LOSS: Final = "stop-loss"
TAKE_PROFIT: Final = "take-profit"


@dataclass(slots=True, eq=False)
class Order:
    """An order, as strategies see it.

    Attributes
    ----------
    symbol, exchange : str
        Where it was sent.
    side : str
        "buy" or "sell".
    type : str
        "MARKET", "LIMIT" or "STOP".
    reduce_only : bool
        Whether it can only make the position smaller.
    qty, filled_qty : float
        Signed (base): negative for sells.
    price : float
        Where it fills (quote); a fill at an opening gap replaces it by the open.
    created_at, executed_at, canceled_at : float or None
        Times, ms UTC. A liquidation has no time of creation.
    status : str
        "ACTIVE", "EXECUTED" or "CANCELED".
    fee : float or None
        Charged at the fill (quote).
    submitted_via : str or None
        "stop-loss" or "take-profit" if it came from that attribute of the strategy.
    trade_id : str or None
        The trade that it was filled in.
    vars : dict
        Whatever the strategy keeps there; a gap fill keeps `submitted_price`.
    """

    symbol: str
    exchange: str
    side: str
    type: str
    reduce_only: bool
    qty: float
    price: float
    created_at: float | None = None
    filled_qty: float = 0
    status: str = ACTIVE
    fee: float | None = None
    executed_at: float | None = None
    canceled_at: float | None = None
    submitted_via: str | None = None
    trade_id: str | None = None
    vars: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def is_active(self) -> bool:
        """Whether it still waits for its fill."""
        return self.status == ACTIVE

    is_new = is_active
    is_cancellable = is_active

    @property
    def is_executed(self) -> bool:
        """Whether it filled."""
        return self.status == EXECUTED

    is_filled = is_executed

    @property
    def is_canceled(self) -> bool:
        """Whether it was cancelled."""
        return self.status == CANCELED

    @property
    def is_queued(self) -> bool:
        """Whether a live exchange has not taken it yet: never in a backtest."""
        return False

    is_partially_filled = is_queued

    @property
    def is_stop_loss(self) -> bool:
        """Whether it came from `stop_loss`."""
        return self.submitted_via == STOP_LOSS

    @property
    def is_take_profit(self) -> bool:
        """Whether it came from `take_profit`."""
        return self.submitted_via == TAKE_PROFIT

    @property
    def value(self) -> float:
        """Quote value at its price."""
        return abs(self.qty) * self.price

    @property
    def remaining_qty(self) -> float:
        """Signed quantity not filled yet."""
        return signed(abs(self.qty) - abs(self.filled_qty), self.side)

    def filled(self) -> FilledOrder:
        """Return the record that a finished run keeps of a fill."""
        if self.fee is None or self.executed_at is None:
            raise ValueError(f"only a filled order has a record; the status was {self.status}")
        return FilledOrder(
            side=self.side,
            type=self.type,
            qty=float(self.qty),
            filled_qty=float(self.filled_qty),
            price=float(self.price),
            fee=float(self.fee),
            executed_at=float(self.executed_at),
            created_at=math.nan if self.created_at is None else float(self.created_at),
            reduce_only=self.reduce_only,
            submitted_via=self.submitted_via,
        )


class OrderLists:
    """The orders of a run: by symbol, all of the current trade and those still working, and the market orders to fill.

    Jesse replaces these lists rather than emptying them, or the other way round, at particular moments; code that
    walks a list sees the difference. So the methods say which they do.
    """

    def __init__(self, symbols: list[str]) -> None:
        self.of_trade: dict[str, list[Order]] = {symbol: [] for symbol in symbols}
        self.working: dict[str, list[Order]] = {symbol: [] for symbol in symbols}
        self.to_execute: list[Order] = []
        self.count = 0

    def add(self, order: Order) -> None:
        """Append to both lists of its symbol."""
        self.of_trade[order.symbol].append(order)
        self.working[order.symbol].append(order)
        self.count += 1

    def reset(self, symbol: str) -> None:
        """Start new lists; whoever walks the old ones goes on with them."""
        self.of_trade[symbol] = []
        self.working[symbol] = []

    def drop_finished(self, symbol: str) -> None:
        """Start a new working list without executed and cancelled orders."""
        working = self.working[symbol]
        if working:
            self.working[symbol] = [order for order in working if order.is_active]


def signed(qty: float, side: str) -> float:
    """Return `qty` with the sign of `side`.

    Examples
    --------
    >>> signed(-2.0, "buy"), signed(2.0, "sell")
    (2.0, -2.0)
    """
    return abs(qty) if side == BUY else -abs(qty)


def opposite(side: str) -> str:
    """Return the other side.

    Examples
    --------
    >>> opposite("buy")
    'sell'
    """
    return SELL if side == BUY else BUY
