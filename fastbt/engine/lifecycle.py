"""What drives a strategy: a bar's execution, changed assignments, the hooks after fills (specification 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fastbt.engine.broker import Broker
from fastbt.engine.jesse_exceptions import ConflictingRules, InvalidShape, InvalidStrategy
from fastbt.engine.orders import BUY, SELL, STOP_LOSS, TAKE_PROFIT, Order
from fastbt.engine.points import as_points, check_finite, same_points
from fastbt.engine.routes import hyperparameters_from_dna

if TYPE_CHECKING:
    from fastbt.engine.session import Session, TradingRoute
    from fastbt.engine.strategy import Strategy

_EXITS = (("stop_loss", STOP_LOSS), ("take_profit", TAKE_PROFIT))


class Lifecycle:
    """Drives the strategy of one route.

    Parameters
    ----------
    session : Session
        The run.
    route : TradingRoute
        What it trades.
    strategy_class : type
        Its class, made without arguments.
    hyperparameters : dict or None
        Handed over as they are; None asks `dna()`, then the defaults.

    Raises
    ------
    InvalidStrategy
        If the class cannot be made, as when it lacks `should_long` or `go_long`.
    """

    def __init__(
        self,
        session: Session,
        route: TradingRoute,
        strategy_class: type,
        hyperparameters: dict[str, Any] | None,
    ) -> None:
        try:
            strategy: Strategy = object.__new__(strategy_class)
            # Variables that routes share are there before anything else.
            strategy._session = session
            strategy.__init__()  # type: ignore[misc]
        except TypeError as error:
            raise InvalidStrategy(f"{strategy_class.__name__} cannot be made without arguments: {error}") from error
        self.session = session
        self.strategy = strategy
        self.position = session.positions[route.symbol]
        self.broker = Broker(session, self.position)
        route.strategy = strategy
        strategy.name = route.strategy_name
        strategy.exchange, strategy.symbol, strategy.timeframe = route.exchange, route.symbol, route.timeframe
        if hyperparameters is None and len(strategy.dna()) > 0:
            hyperparameters = hyperparameters_from_dna(strategy.hyperparameters(), strategy.dna())
        if hyperparameters is not None:
            strategy.hp = hyperparameters
        strategy._session, strategy.position, strategy.broker = session, self.position, self.broker
        if not strategy.hp:
            strategy.hp = {item["name"]: item["default"] for item in strategy.hyperparameters()}

    # ---- a bar -------------------------------------------------------------------------------------------------------

    def execute_bar(self) -> None:
        """Run the strategy on a completed candle."""
        strategy = self.strategy
        if strategy._is_executing:
            return
        strategy._is_executing = True
        strategy._cached_price = strategy.close
        strategy.before()
        self._check()
        strategy.after()
        strategy.update_chart()
        for method in strategy._cached_methods.values():
            method.cache_clear()
        strategy._cached_price = None
        strategy._is_executing = False
        strategy.index += 1

    def _check(self) -> None:
        strategy, position = self.strategy, self.position
        if len(strategy.entry_orders) and position.is_close and strategy.should_cancel_entry():
            self._cancel_all()
        if position.is_open:
            strategy.update_position()
            self.detect_changes()
        self.session.execute_market_orders()
        if position.is_close and strategy.entry_orders == []:
            self._reset()
            # Both are asked, short first: a strategy may keep state in them.
            short = strategy.should_short()
            if short and strategy.is_spot_trading:
                raise InvalidStrategy('should_short cannot be True if the exchange type is "spot".')
            long = strategy.should_long()
            if short and long:
                raise ConflictingRules("should_short and should_long should not be true at the same time.")
            if long:
                self._enter("buy", BUY, strategy.go_long)
            elif short:
                self._enter("sell", SELL, strategy.go_short)

    def _enter(self, name: str, side: str, go: Callable[[], None]) -> None:
        strategy = self.strategy
        go()
        assigned = getattr(strategy, name)
        if assigned is None:
            raise InvalidStrategy(f"self.{name} was not assigned; (qty, price) is wanted")
        if type(assigned) not in (tuple, list):
            raise InvalidStrategy(f"self.{name} wants a list or a tuple; it was {type(assigned)}")
        self._take(name)
        self._remember(name)
        for exit_name in ("take_profit", "stop_loss"):
            if getattr(strategy, exit_name) is None:
                continue
            if strategy.is_spot_trading and side == BUY:
                raise InvalidStrategy(
                    f"self.{exit_name} cannot be assigned in go_long() in spot; assign it in on_open_position()"
                )
            self._take_exit(exit_name)
            self._remember(exit_name)
        if self._passes_filters():
            self._submit_entries(name, side)

    def _passes_filters(self) -> bool:
        for condition in self.strategy.filters():
            try:
                passed = condition()
            except TypeError:
                raise InvalidStrategy("filters() wants methods that are not called: self.filter_1, no ()") from None
            if not passed:
                self.session.note("info", condition.__name__)
                self._reset()
                return False
        return True

    # ---- assignments -------------------------------------------------------------------------------------------------

    def detect_changes(self) -> None:
        """Replace the orders of every assignment that differs from what was submitted last."""
        strategy, position = self.strategy, self.position
        if position.is_close:
            return
        try:
            name = "buy" if position.is_long else "sell"
            self._take(name)
            if self._has_changed(name):
                self._remember(name)
                self._cancel(order for order in strategy.entry_orders)
                self._submit_entries(name, position.entry_side)
            for name, tag in _EXITS:
                if position.is_open and getattr(strategy, name) is not None:
                    self._detect_exit(name, tag)
        except TypeError as error:
            raise InvalidStrategy(f"a TypeError came up while new orders were looked for: {error}") from error
        stop_loss, take_profit = strategy.stop_loss, strategy.take_profit
        if (
            position.is_open
            and stop_loss is not None
            and take_profit is not None
            and same_points(stop_loss, take_profit)
            and len(stop_loss) > 0
        ):
            raise InvalidStrategy("stop-loss and take-profit should not be exactly the same")

    def _detect_exit(self, name: str, tag: str) -> None:
        strategy = self.strategy
        self._take_exit(name)
        if not self._has_changed(name):
            return
        check_finite(getattr(strategy, name), name)
        self._remember(name)
        self._cancel(order for order in strategy.active_exit_orders if order.submitted_via == tag)
        for point in getattr(strategy, "_" + name):
            if self.position.is_close:
                break
            self.broker.reduce_position_at(point[0], point[1], strategy.price).submitted_via = tag

    def _take_exit(self, name: str) -> None:
        kind = type(getattr(self.strategy, name))
        if kind not in (tuple, list, np.ndarray):
            raise InvalidStrategy(f"self.{name} wants a list or a tuple; it was {kind}")
        self._take(name)

    def _take(self, name: str) -> None:
        """Replace an assignment by its points."""
        try:
            setattr(self.strategy, name, as_points(getattr(self.strategy, name)))
        except ValueError as error:
            raise InvalidShape(f"self.{name} wants (qty, price), or a list of those: {error}") from error

    def _remember(self, name: str) -> None:
        setattr(self.strategy, "_" + name, getattr(self.strategy, name).copy())

    def _has_changed(self, name: str) -> bool:
        return not same_points(getattr(self.strategy, name), getattr(self.strategy, "_" + name))

    def _submit_entries(self, name: str, side: str) -> None:
        reference = self.strategy.price
        for point in getattr(self.strategy, "_" + name):
            self.broker.enter(side, point[0], point[1], reference)

    def _cancel(self, orders: Any) -> None:
        for order in list(orders):
            if order.is_active:
                self.broker.cancel_order(order)

    def _cancel_all(self) -> None:
        if self.position.is_open:
            raise Exception("cannot cancel orders when position is still open. there must be a bug somewhere.")
        self.broker.cancel_all_orders()
        self._reset()
        self._broadcast("on_route_canceled")
        self.strategy.on_cancel()
        self.session.orders.of_trade[self.position.symbol].clear()

    def _reset(self) -> None:
        strategy = self.strategy
        strategy.buy = strategy._buy = strategy.sell = strategy._sell = None
        strategy.stop_loss = strategy._stop_loss = strategy.take_profit = strategy._take_profit = None
        self.session.orders.reset(self.position.symbol)
        strategy.increased_count = 0
        strategy.reduced_count = 0

    # ---- fills -------------------------------------------------------------------------------------------------------

    def on_fill(self, order: Order) -> None:
        """Run the hooks that a fill calls for, by what it did to the size of the position."""
        before, after = abs(self.position.previous_qty), abs(self.position.qty)
        if before == 0 and after > 0:
            self._on_open(order)
        elif before > 0 and after == 0:
            self._on_close(order)
        elif after > before:
            self.strategy.increased_count += 1
            self._broadcast("on_route_increased_position")
            self.strategy.on_increased_position(order)
            self.detect_changes()
        else:
            self.strategy.reduced_count += 1
            self._broadcast("on_route_reduced_position")
            self.strategy.on_reduced_position(order)
            self.detect_changes()

    def _on_open(self, order: Order) -> None:
        strategy = self.strategy
        strategy.increased_count = 1
        self._broadcast("on_route_open_position")
        for name, tag in _EXITS:
            if getattr(strategy, name) is not None:
                for point in getattr(strategy, "_" + name):
                    self._submit_first_exit(point[0], point[1], tag).submitted_via = tag
        strategy.on_open_position(order)
        self.detect_changes()

    def _submit_first_exit(self, qty: float, price: float, tag: str) -> Order:
        """Submit an exit that was assigned in go_*; one on the wrong side of the entry becomes a market order."""
        entry, long = self.position.entry_price, self.position.is_long
        assert entry is not None
        belongs_above = long if tag == TAKE_PROFIT else not long
        if price <= entry if belongs_above else price >= entry:
            return self.broker.sell_at_market(qty) if long else self.broker.buy_at_market(qty)
        return self.broker.reduce_position_at(qty, price, self.strategy.price)

    def _on_close(self, order: Order) -> None:
        strategy = self.strategy
        strategy.last_trade_index = strategy.index
        closed_trade = self.session.trades.just_closed(self.position.symbol)
        self._broadcast("on_route_close_position")
        self._cancel_all()
        strategy.on_close_position(order, closed_trade)
        self.detect_changes()

    def _broadcast(self, hook: str) -> None:
        for other in self.session.lifecycles.values():
            if other is not self:
                getattr(other.strategy, hook)(self.strategy)
                other.detect_changes()

    # ---- the end -----------------------------------------------------------------------------------------------------

    def terminate(self) -> None:
        """Give up what is open: the last orders, and the position at the current price."""
        strategy, position, session = self.strategy, self.position, self.session
        strategy.before_terminate()
        self.detect_changes()
        session.execute_market_orders()
        if position.is_open:
            session.total_open_trades += 1
            session.open_pl += position.pnl
            if strategy.is_spot_trading:
                self.broker.cancel_all_orders()
            assert position.current_price is not None
            self.broker.reduce_position_at(position.qty, position.current_price, strategy.price)
        elif len(strategy.entry_orders):
            self._cancel_all()
        strategy.terminate()
