"""What one run shares: time, account, candles, orders, positions, trades; and how an order is filled."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastbt.engine.account import Account
from fastbt.engine.candle_store import CandleStore
from fastbt.engine.exchange import FuturesExchange, SpotExchange
from fastbt.engine.jesse_exceptions import RouteNotFound
from fastbt.engine.orders import MARKET, Order, OrderLists
from fastbt.engine.positions import Position
from fastbt.engine.trades import ClosedTrade
from fastbt.results import Simulation
from fastbt.types import Float2D

if TYPE_CHECKING:
    from fastbt.engine.lifecycle import Lifecycle
    from fastbt.engine.strategy import Strategy


@dataclass(slots=True)
class TradingRoute:
    """A route, as strategies see it; data routes have no strategy."""

    exchange: str
    symbol: str
    timeframe: str
    strategy: Any = None
    strategy_name: Any = None


class TradeLedger:
    """The trades of a run, and the one that each symbol is in."""

    def __init__(self, session: Session) -> None:
        self.closed_trades: list[ClosedTrade] = []
        self._session = session
        self._current: dict[str, ClosedTrade] = {}
        self._just_closed: dict[str, ClosedTrade] = {}

    def record(self, order: Order) -> None:
        """Add a filled order to the current trade of its symbol."""
        self._current.setdefault(order.symbol, ClosedTrade()).record(order)

    def opened(self, position: Position) -> None:
        """Note what was opened."""
        trade = self._current[position.symbol]
        strategy = self._session.strategy(position.symbol)
        trade.symbol, trade.exchange = position.symbol, position.exchange_name
        trade.timeframe, trade.strategy_name = strategy.timeframe, str(strategy.name)
        trade.type, trade.leverage = position.type, position.leverage
        trade.opened_at = position.opened_at

    def closed(self, position: Position) -> None:
        """Finish the current trade."""
        trade = self._current.pop(position.symbol)
        trade.closed_at = position.closed_at
        self._session.strategy(position.symbol).trades_count += 1
        self.closed_trades.append(trade)
        self._just_closed[position.symbol] = trade

    def just_closed(self, symbol: str) -> ClosedTrade:
        """Return the trade that the last fill of this symbol closed."""
        return self._just_closed.pop(symbol)


class Session:
    """One run.

    Parameters
    ----------
    account : Account
        What it starts with.
    routes, data_routes : sequence of TradingRoute
        In their order; strategies join later.
    symbols : collection of str
        Symbols with candles.
    n_minutes : int
        Candles of each symbol, warm-up included.
    start : float
        Time of the first candle, ms UTC.
    """

    def __init__(
        self,
        account: Account,
        routes: Sequence[TradingRoute],
        data_routes: Sequence[TradingRoute],
        symbols: Collection[str],
        n_minutes: int,
        start: float,
    ) -> None:
        self.account = account
        self.routes = list(routes)
        self.data_routes = list(data_routes)
        self.time = self.starting_time = start
        self.shared_vars: dict[Any, Any] = {}
        traded = [route.symbol for route in routes]
        self.positions: dict[str, Position] = {}
        self.exchange: FuturesExchange | SpotExchange = (
            SpotExchange(account, traded) if account.is_spot else FuturesExchange(account, traded, self.positions)
        )
        self.trades = TradeLedger(self)
        self.positions |= {symbol: Position(symbol, self.exchange, self.trades) for symbol in traded}
        self.orders = OrderLists(traded)
        self.candles = CandleStore(
            symbols, [(route.symbol, route.timeframe) for route in (*routes, *data_routes)], n_minutes
        )
        self.lifecycles: dict[str, Lifecycle] = {}
        self.daily_balance: list[float] = []
        self.daily_time: list[int] = []
        self.total_open_trades = 0
        self.open_pl: float = 0
        self.liquidations = 0
        self.log: list[tuple[object, ...]] = []

    def strategy(self, symbol: str) -> Strategy:
        """Return the strategy that trades a symbol."""
        return self.lifecycles[symbol].strategy

    def visible_candles(self, exchange: str, symbol: str, timeframe: str) -> Float2D:
        """Return candles up to now; RouteNotFound for another exchange."""
        if exchange != self.account.exchange:
            raise RouteNotFound(symbol, timeframe)
        return self.candles.visible(symbol, timeframe)

    def note(self, kind: str, message: str) -> None:
        """Keep a line for the log of the run."""
        self.log.append((int(self.time), kind, message))

    def submit(self, order: Order) -> None:
        """Take an order, or raise if the account cannot carry it."""
        self.exchange.on_submission(order)
        self.orders.add(order)
        if order.type == MARKET:
            self.orders.to_execute.append(order)

    def cancel(self, order: Order) -> None:
        """Cancel an order, if it still works."""
        if order.is_active:
            order.status = "CANCELED"
            order.canceled_at = self.time
            self.exchange.on_cancellation(order)

    def execute(self, order: Order) -> None:
        """Fill an order at its price, if it still works, and tell the strategy."""
        if not order.is_active:
            return
        position = self.positions[order.symbol]
        order.executed_at = self.time
        order.status = "EXECUTED"
        # A reduce-only order fills no more than what is held, but goes on with its own quantity below.
        too_large = order.reduce_only and position.qty != 0 and abs(order.qty) > abs(position.qty)
        order.filled_qty = -position.qty if too_large else order.qty
        order.fee = self.account.fee_rate * (abs(order.filled_qty or order.qty) * order.price)
        self.trades.record(order)
        self.exchange.on_execution(order)
        position.fill(order, self.time)
        self.lifecycles[order.symbol].on_fill(order)

    def execute_market_orders(self) -> None:
        """Fill the market orders of all routes, with those that their callbacks submit."""
        if self.orders.to_execute:
            for order in self.orders.to_execute:
                self.execute(order)
            self.orders.to_execute = []

    def measure(self) -> dict[str, Any]:
        """Return the metrics of what has happened so far."""
        from fastbt.metrics.measuring import measure

        begun = int(self.starting_time)
        so_far = Simulation(
            trades=[trade.finished() for trade in self.trades.closed_trades],
            daily_balance=[float(value) for value in self.daily_balance],
            daily_time=self.daily_time,
            starting_balance=float(self.account.starting_balance),
            finishing_balance=float(self.exchange.wallet_balance),
            started_at=begun,
            # Jesse knows no trades per day before the end.
            finished_at=begun,
            total_open_trades=self.total_open_trades,
            open_pl=float(self.open_pl),
        )
        measured = measure(so_far, annualization=self.account.annualization)
        # The one NaN that `is` finds, as in Jesse.
        return {name: np.nan if value != value else value for name, value in measured.items()}

    def sample_equity(self) -> None:
        """Keep wallet plus unrealised profit, or in spot what the first strategy says it is worth."""
        if self.account.is_spot:
            equity = self.routes[0].strategy.portfolio_value
        else:
            equity = self.exchange.wallet_balance
            for position in self.positions.values():
                if position.is_open:
                    equity += position.pnl
        stamp = int(self.time)
        if self.daily_time and self.daily_time[-1] == stamp:
            self.daily_balance[-1] = equity
        else:
            self.daily_balance.append(equity)
            self.daily_time.append(stamp)
