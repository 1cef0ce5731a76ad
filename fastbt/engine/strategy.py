"""The `Strategy` class that a user's strategy derives from when Jesse is not installed.

It has the surface of Jesse's own class as far as a backtest uses it, and nothing but the surface: what drives a
strategy is in `fastbt.engine.lifecycle`, what it talks to in `fastbt.engine.session`.
"""

# Hooks that a user need not write do nothing, so they are empty and not abstract.
# ruff: noqa: B027

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fastbt.engine.jesse_exceptions import InvalidStrategy
from fastbt.engine.points import as_points
from fastbt.engine.routes import base_asset, quote_asset
from fastbt.engine.trading_hours import is_in_trading_hours
from fastbt.types import CLOSE, HIGH, LOW, MINUTE_MS, OPEN, TIMEFRAME_MINUTES, TIMESTAMP, VOLUME, Float1D, Float2D

if TYPE_CHECKING:
    from fastbt.engine.broker import Broker
    from fastbt.engine.orders import Order
    from fastbt.engine.positions import Position
    from fastbt.engine.session import Session, TradingRoute
    from fastbt.engine.trades import ClosedTrade

__all__ = ["Strategy", "cached"]

_NO_MACHINE_LEARNING = "Jesse's machine learning is not part of fastbt: run this strategy in Jesse"


def cached(method: Callable[..., Any]) -> Callable[..., Any]:
    """Remember a method's result until the end of the bar's execution.

    As in Jesse, nothing is forgotten when an order fills within a bar: a value that a fill callback computed on a
    forming candle is still there at the next decision.

    Examples
    --------
    >>> class Mine(Strategy):
    ...     @cached
    ...     def slow(self):
    ...         return self.index * 2
    ...     def should_long(self):
    ...         return False
    ...     def go_long(self): ...
    >>> mine = Mine()
    >>> mine.index = 4
    >>> mine.slow()
    8
    >>> mine.index = 5
    >>> mine.slow()
    8
    """

    def decorated(self: Strategy, *args: Any, **kwargs: Any) -> Any:
        remembered = self._cached_methods.get(method)
        if remembered is None:
            remembered = lru_cache()(method)
            self._cached_methods[method] = remembered
        return remembered(self, *args, **kwargs)

    return decorated


class Strategy(ABC):
    """What Jesse's `Strategy` offers in a backtest; see https://docs.jesse.trade for each member."""

    def __init__(self) -> None:
        self.id = str(uuid.uuid4())
        self.name: Any = None
        self.symbol: str = ""
        self.exchange: str = ""
        self.timeframe: str = ""
        self.hp: dict[str, Any] = {}
        self.index = 0
        self.last_trade_index = 0
        self.vars: dict[Any, Any] = {}
        self.increased_count = 0
        self.reduced_count = 0
        self.trades_count = 0
        self.trade: ClosedTrade | None = None
        # What the user assigns, and beside it what was submitted last: a difference means new orders.
        self.buy: Any = None
        self._buy: Any = None
        self.sell: Any = None
        self._sell: Any = None
        self.stop_loss: Any = None
        self._stop_loss: Any = None
        self.take_profit: Any = None
        self._take_profit: Any = None
        # Set when the strategy joins a session.
        self.position: Position = None  # type: ignore[assignment]
        self.broker: Broker = None  # type: ignore[assignment]
        self._session: Session = getattr(self, "_session", None)  # type: ignore[assignment]
        self._is_executing = False
        self._cached_price: float | None = None
        self._cached_methods: dict[Callable[..., Any], Any] = {}
        self._cached_metrics: dict[int, dict[str, Any]] = {}

    # ---- hooks -------------------------------------------------------------------------------------------------------

    @abstractmethod
    def should_long(self) -> bool:
        """Return whether to enter a long position."""

    @abstractmethod
    def go_long(self) -> None:
        """Assign `self.buy`, and perhaps `self.stop_loss` and `self.take_profit`."""

    def should_short(self) -> bool:
        """Return whether to enter a short position; asked before `should_long`."""
        return False

    def go_short(self) -> None:
        """Assign `self.sell`, and perhaps `self.stop_loss` and `self.take_profit`."""

    def should_cancel_entry(self) -> bool:
        """Return whether to cancel entry orders that did not fill."""
        return True

    def filters(self) -> list[Callable[[], bool]]:
        """Return methods that must all return true for an entry to be submitted."""
        return []

    def hyperparameters(self) -> list[dict[str, Any]]:
        """Return the definitions of the hyper-parameters."""
        return []

    def dna(self) -> str:
        """Return hyper-parameters as one string."""
        return ""

    def before(self) -> None:
        """Run first in every bar."""

    def after(self) -> None:
        """Run last in every bar."""

    def update_position(self) -> None:
        """Run in every bar that begins with an open position."""

    def on_open_position(self, order: Order) -> None:
        """Run after an order opened the position."""

    def on_increased_position(self, order: Order) -> None:
        """Run after an order made the position larger."""

    def on_reduced_position(self, order: Order) -> None:
        """Run after an order made the position smaller."""

    def on_close_position(self, order: Order, closed_trade: ClosedTrade) -> None:
        """Run after an order closed the position."""

    def on_cancel(self) -> None:
        """Run after the remaining orders were cancelled: at every close, and when entries are given up."""

    def on_route_open_position(self, strategy: Strategy) -> None:
        """Run when another route opened a position."""

    def on_route_close_position(self, strategy: Strategy) -> None:
        """Run when another route closed its position."""

    def on_route_increased_position(self, strategy: Strategy) -> None:
        """Run when another route made its position larger."""

    def on_route_reduced_position(self, strategy: Strategy) -> None:
        """Run when another route made its position smaller."""

    def on_route_canceled(self, strategy: Strategy) -> None:
        """Run when another route cancelled its orders."""

    def before_terminate(self) -> None:
        """Run after the last bar, when orders can still be changed."""

    def terminate(self) -> None:
        """Run at the very end, before an open position is closed by force."""

    def watch_list(self) -> list[Any]:
        """Return what a live session shows; never called in a backtest."""
        return []

    def update_chart(self) -> None:
        """Run at the end of every bar; charts are not drawn."""

    def trading_hours(self) -> dict[str, Any] | None:
        """Return the schedule behind `is_trading_hours`, or None for none."""
        return None

    def candles_pipeline(self) -> object:
        """Return None: fastbt refuses what would rewrite candles."""
        return None

    # ---- candles -----------------------------------------------------------------------------------------------------

    @property
    def candles(self) -> Float2D:
        """Candles of this route up to now, the last one as far as it has formed."""
        return self._session.candles.visible(self.symbol, self.timeframe)

    def get_candles(self, exchange: str, symbol: str, timeframe: str) -> Float2D:
        """Return candles of any route's symbol and timeframe up to now."""
        return self._session.visible_candles(exchange, symbol, timeframe)

    @property
    def current_candle(self) -> Float1D:
        """A copy of the last candle."""
        return self._session.candles.current(self.symbol, self.timeframe)

    @property
    def price(self) -> float:
        """Close of the last candle; while a bar executes, as it was when it began."""
        if self._is_executing and self._cached_price is not None:
            return self._cached_price
        return self.close

    @property
    def open(self) -> float:
        """Open of the last candle."""
        return self._of_candle(OPEN)

    @property
    def close(self) -> float:
        """Close of the last candle."""
        return self._of_candle(CLOSE)

    @property
    def high(self) -> float:
        """High of the last candle."""
        return self._of_candle(HIGH)

    @property
    def low(self) -> float:
        """Low of the last candle."""
        return self._of_candle(LOW)

    @property
    def volume(self) -> float:
        """Volume of the last candle."""
        return self._of_candle(VOLUME)

    def _of_candle(self, column: int) -> float:
        value: float = self.current_candle[column]
        return value

    @property
    def time(self) -> float:
        """End of the current minute, ms UTC."""
        return self._session.time

    @property
    def closed_candle_open_time(self) -> int:
        """Open time of the last completed candle, ms UTC."""
        candles = self.candles
        length = TIMEFRAME_MINUTES[self.timeframe] * MINUTE_MS
        now = int(self.time)
        if len(candles) == 0:
            return now - now % length - length
        last = int(candles[-1, TIMESTAMP])
        if last + length <= now:
            return last
        return int(candles[-2, TIMESTAMP]) if len(candles) > 1 else last - length

    @property
    def is_trading_hours(self) -> bool:
        """Whether the last completed candle lies in the schedule of `trading_hours`."""
        hours = self.trading_hours()
        return hours is None or is_in_trading_hours(self.closed_candle_open_time, hours)

    # ---- account -----------------------------------------------------------------------------------------------------

    @property
    def balance(self) -> float:
        """Wallet without unrealised profit (quote)."""
        return self._session.exchange.wallet_balance

    @property
    def capital(self) -> float:
        """Gone from Jesse: use `balance`."""
        raise NotImplementedError('The alias "self.capital" has been removed. Please use "self.balance" instead.')

    @property
    def available_margin(self) -> float:
        """Wallet less what positions and entry orders use (quote)."""
        return self._session.exchange.available_margin

    @property
    def leveraged_available_margin(self) -> float:
        """`available_margin` times the leverage (quote)."""
        return self.leverage * self.available_margin

    @property
    def leverage(self) -> int:
        """Leverage of the account; 1 in spot."""
        return self._session.exchange.leverage

    @property
    def fee_rate(self) -> float:
        """Fee of a fill, a fraction of its notional."""
        return self._session.exchange.fee_rate

    @property
    def portfolio_value(self) -> float:
        """Balance plus what all positions are worth; Jesse multiplies the latter by the leverage (quote)."""
        total: float = 0
        if self.is_spot_trading:
            working: float = 0
            for order in self.entry_orders:
                if order.is_active:
                    working += order.value
            held: float = 0
            for position in self.all_positions.values():
                held += position.value or 0
            total = working + held
        else:
            for position in self.all_positions.values():
                total += position.pnl
        return (total * self.leverage) + self.balance

    @property
    def all_positions(self) -> dict[str, Position]:
        """Position of every route by symbol."""
        return {route.symbol: route.strategy.position for route in self.routes}

    @property
    def daily_balances(self) -> list[float]:
        """Equity samples so far (quote)."""
        return self._session.daily_balance

    @property
    def exchange_type(self) -> str:
        """Return "futures" or "spot"."""
        return self._session.exchange.type

    @property
    def is_spot_trading(self) -> bool:
        """Whether assets are bought and sold."""
        return self.exchange_type == "spot"

    @property
    def is_futures_trading(self) -> bool:
        """Whether futures are traded."""
        return self.exchange_type == "futures"

    @property
    def base_asset(self) -> str:
        """What is bought and sold."""
        return base_asset(self.symbol)

    @property
    def quote_asset(self) -> str:
        """What prices are in."""
        return quote_asset(self.symbol)

    @property
    def min_qty(self) -> float:
        """Known to live sessions only."""
        raise ValueError("self.min_qty is only available in live modes")

    # ---- position ----------------------------------------------------------------------------------------------------

    @property
    def is_long(self) -> bool:
        """Whether the position is long."""
        return self.position.is_long

    @property
    def is_short(self) -> bool:
        """Whether the position is short."""
        return self.position.is_short

    @property
    def is_open(self) -> bool:
        """Whether there is a position."""
        return self.position.is_open

    @property
    def is_close(self) -> bool:
        """Whether there is no position."""
        return self.position.is_close

    @property
    def mark_price(self) -> float | None:
        """The current price."""
        return self.position.mark_price

    @property
    def funding_rate(self) -> float:
        """Zero in a backtest."""
        return self.position.funding_rate

    @property
    def next_funding_timestamp(self) -> None:
        """None in a backtest."""
        return self.position.next_funding_timestamp

    @property
    def liquidation_price(self) -> float:
        """Price at which an isolated position is liquidated (quote)."""
        return self.position.liquidation_price

    def liquidate(self) -> None:
        """Ask for the position to be closed at market; it is, when the assignments are looked at next."""
        if self.position.is_close:
            return
        if self.position.pnl > 0:
            self.take_profit = self.position.qty, self.price
        else:
            self.stop_loss = self.position.qty, self.price

    # ---- orders and trades -------------------------------------------------------------------------------------------

    @property
    def orders(self) -> list[Order]:
        """All orders since the last reset, whatever became of them."""
        return self._session.orders.of_trade[self.symbol]

    @property
    def entry_orders(self) -> list[Order]:
        """Orders that open or increase: all of them while flat, else the working ones of the position's side."""
        if self.position.is_close:
            return self.orders.copy()
        side = self.position.entry_side
        return [o for o in self._session.orders.working[self.symbol] if o.side == side and not o.is_canceled]

    @property
    def exit_orders(self) -> list[Order]:
        """Orders that reduce, executed ones included."""
        return self._exits(self.orders)

    @property
    def active_exit_orders(self) -> list[Order]:
        """Working orders that reduce, and those that executed in this bar."""
        return self._exits(self._session.orders.working[self.symbol])

    def _exits(self, orders: list[Order]) -> list[Order]:
        if self.position.is_close:
            return []
        side = self.position.exit_side
        return [order for order in orders if order.side == side and not order.is_canceled]

    @property
    def has_long_entry_orders(self) -> bool:
        """Whether the entry goes long; true in a filter too, before anything was submitted."""
        return self._enters("buy", self.buy)

    @property
    def has_short_entry_orders(self) -> bool:
        """Whether the entry goes short; true in a filter too, before anything was submitted."""
        return self._enters("sell", self.sell)

    def _enters(self, side: str, assigned: Any) -> bool:
        entries = self.entry_orders
        return entries[0].side == side if entries else assigned is not None

    @property
    def average_entry_price(self) -> float | None:
        """Average price of the submitted entry points, filled or not (quote)."""
        points: Any
        if self.is_long:
            points = self._buy
        elif self.is_short:
            points = self._sell
        elif self.has_long_entry_orders:
            points = as_points(self.buy)
        elif self.has_short_entry_orders:
            points = as_points(self.sell)
        else:
            return None
        if type(points) is np.ndarray:
            return _average_price(points)
        return self.position.entry_price if self.position.is_open else None

    @property
    def average_stop_loss(self) -> float:
        """Average price of the submitted stop-loss points (quote)."""
        if self._stop_loss is None:
            raise InvalidStrategy("You cannot access self.average_stop_loss before setting self.stop_loss")
        return _average_price(self._stop_loss)

    @property
    def average_take_profit(self) -> float:
        """Average price of the submitted take-profit points (quote)."""
        if self._take_profit is None:
            raise InvalidStrategy("You cannot access self.average_take_profit before setting self.take_profit")
        return _average_price(self._take_profit)

    @property
    def trades(self) -> list[ClosedTrade]:
        """Closed trades of all routes."""
        return self._session.trades.closed_trades

    @property
    def metrics(self) -> dict[str, Any]:
        """Metrics of the trades so far, taken anew after each trade of this route."""
        if self.trades_count not in self._cached_metrics:
            self._cached_metrics[self.trades_count] = self._session.measure()
        return self._cached_metrics[self.trades_count]

    # ---- routes ------------------------------------------------------------------------------------------------------

    @property
    def routes(self) -> list[TradingRoute]:
        """All trading routes."""
        return self._session.routes

    @property
    def data_routes(self) -> list[TradingRoute]:
        """All data routes."""
        return self._session.data_routes

    @property
    def current_route_index(self) -> int:
        """Place of this route among the trading routes."""
        return next(i for i, route in enumerate(self.routes) if route.strategy is self)

    @property
    def shared_vars(self) -> dict[Any, Any]:
        """A dictionary that all routes share."""
        return self._session.shared_vars

    # ---- environment -------------------------------------------------------------------------------------------------

    @property
    def is_backtesting(self) -> bool:
        """Always true."""
        return True

    @property
    def is_livetrading(self) -> bool:
        """Always false."""
        return False

    @property
    def is_papertrading(self) -> bool:
        """Always false."""
        return False

    @property
    def is_live(self) -> bool:
        """Always false."""
        return False

    def log(
        self, msg: object, log_type: str = "info", send_notification: bool = False, webhook: str | None = None
    ) -> None:
        """Keep a message in the log of the run; nothing is sent."""
        if log_type not in ("info", "error"):
            raise ValueError(f'log_type should be either "info" or "error". You passed {log_type}')
        self._session.note(log_type, str(msg))

    def add_line_to_candle_chart(self, title: str, value: float, color: str | None = None) -> None:
        """Check the value as Jesse does; nothing is drawn."""
        _check_chart_value(value)

    def add_extra_line_chart(self, chart_name: str, title: str, value: float, color: str | None = None) -> None:
        """Check the value as Jesse does; nothing is drawn."""
        _check_chart_value(value)

    def add_horizontal_line_to_candle_chart(
        self, title: str, value: float, color: str | None = None, line_width: float = 1.5, line_style: str = "solid"
    ) -> None:
        """Check the arguments as Jesse does; nothing is drawn."""
        _check_chart_value(value)
        _check_line_style(line_style)

    def add_horizontal_line_to_extra_chart(
        self,
        chart_name: str,
        title: str,
        value: float,
        color: str | None = None,
        line_width: float = 1.5,
        line_style: str = "solid",
    ) -> None:
        """Check the arguments as Jesse does; nothing is drawn."""
        _check_chart_value(value)
        _check_line_style(line_style)

    # ---- machine learning: Jesse's, not ours -------------------------------------------------------------------------

    def record_features(self, features_dict: dict[str, Any]) -> None:
        """Not part of fastbt."""
        raise NotImplementedError(_NO_MACHINE_LEARNING)

    def record_label(self, name: str, value: Any) -> None:
        """Not part of fastbt."""
        raise NotImplementedError(_NO_MACHINE_LEARNING)

    def export_ml_data(self, directory: str | None = None) -> bool:
        """Not part of fastbt."""
        raise NotImplementedError(_NO_MACHINE_LEARNING)

    def ml_features(self) -> dict[str, Any]:
        """Not part of fastbt."""
        raise NotImplementedError(_NO_MACHINE_LEARNING)

    def ml_predict(self) -> float:
        """Not part of fastbt."""
        raise NotImplementedError(_NO_MACHINE_LEARNING)

    def ml_predict_proba(self) -> dict[int, float]:
        """Not part of fastbt."""
        raise NotImplementedError(_NO_MACHINE_LEARNING)


def _average_price(points: Any) -> float:
    average: float = (np.abs(points[:, 0] * points[:, 1])).sum() / np.abs(points[:, 0]).sum()
    return average


def _check_chart_value(value: object) -> None:
    if not isinstance(value, (int, float)):
        raise ValueError(
            f"Invalid value type: {type(value)}. The value must be either int or float; you're passing {value}"
        )


def _check_line_style(line_style: str) -> None:
    if line_style not in ("solid", "dotted"):
        raise ValueError(f"Invalid line_style: {line_style}")
