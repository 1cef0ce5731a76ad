"""What one simulated run leaves behind, whichever engine ran it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FilledOrder:
    """An order that took part in a trade.

    `qty` and `filled_qty` are signed (negative for sells), prices are in quote currency, times in ms UTC.
    """

    side: str
    type: str
    qty: float
    filled_qty: float
    price: float
    fee: float
    executed_at: float
    created_at: float
    reduce_only: bool
    submitted_via: str | None


@dataclass(frozen=True, slots=True)
class Trade:
    """A closed round trip, with Jesse's fields (specification 3.4)."""

    symbol: str
    type: str
    qty: float
    entry_price: float
    exit_price: float
    fee: float
    pnl: float
    opened_at: float
    closed_at: float
    leverage: int
    orders: tuple[FilledOrder, ...]

    @property
    def size(self) -> float:
        """Quote value of the entry."""
        return self.qty * self.entry_price

    @property
    def pnl_percentage(self) -> float:
        """Profit in percent of the margin used."""
        return self.pnl / (self.entry_price * self.qty / self.leverage) * 100

    @property
    def holding_period(self) -> float:
        """Seconds between opening and closing fill."""
        return (self.closed_at - self.opened_at) / 1000


@dataclass(frozen=True, slots=True)
class Simulation:
    """One complete run.

    Attributes
    ----------
    trades : list of Trade
        In the order in which they closed.
    daily_balance : list of float
        Equity samples (specification 1.10), the first at the start, the last after the forced close.
    daily_time : list of int
        Their times, ms UTC.
    starting_balance, finishing_balance : float
        Wallet before the first and after the last minute.
    started_at, finished_at : int
        First timestamp, and Jesse's `ending_time`, ms UTC.
    order_count : int
        Orders submitted, whatever became of them.
    total_open_trades, open_pl, liquidations : int, float, int
        Positions closed by force at the end, their unrealised profit without fee, and liquidations.
    """

    trades: list[Trade]
    daily_balance: list[float]
    daily_time: list[int]
    starting_balance: float
    finishing_balance: float
    started_at: int
    finished_at: int
    order_count: int = 0
    total_open_trades: int = 0
    open_pl: float = 0.0
    liquidations: int = 0
    log: list[tuple[object, ...]] = field(default_factory=list)
