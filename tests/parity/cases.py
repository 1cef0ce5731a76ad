"""Random markets, accounts, routes and strategies: what the fuzzer runs, whichever engines it compares.

A case follows from its mode and seed alone. Its strategy is one class body on whatever base class it is given, so that
Jesse and fastbt run the same source; every hook call is written to a log, with what the strategy sees at that moment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

MODES = ("cross", "isolated", "spot", "gaps", "timeframes", "two_routes", "errors")
START = 1_609_459_200_000  # 2021-01-01, a boundary of every timeframe used below
MINUTE = 60_000
FUTURES = "Binance Perpetual Futures"
SPOT = "Binance Spot"
# Jesse settles it in USDC whatever the quote asset, and then overlooks positions in its margin.
OTHER_SETTLEMENT = "Bybit USDC Perpetual"


@dataclass(frozen=True)
class Options:
    """How the strategy of a case behaves; distances are fractions of the price, the rest are probabilities."""

    p_enter: float = 0.3
    p_cancel: float = 0.5
    max_entries: int = 3
    entry_distance: float = 0.006
    exit_distance: float = 0.006
    size: float = 0.05
    p_wrong_side: float = 0.0
    p_flip: float = 0.0
    p_exit_in_go: float = 0.4
    p_equal_price: float = 0.0
    p_edit_candles: float = 0.0
    p_error: float = 0.0
    decimals: int | None = None
    spot: bool = False


@dataclass(frozen=True)
class Case:
    """One run."""

    mode: str
    seed: int
    config: dict[str, Any]
    routes: tuple[tuple[str, str], ...]
    data_routes: tuple[tuple[str, str], ...]
    candles: dict[str, np.ndarray]
    warmup: dict[str, np.ndarray]
    options: Options
    #: Source and hyper-parameters of a strategy that compiles (see `chaos.py`); None for the one of this module.
    text: str | None = None
    hyperparameters: dict[str, Any] | None = None

    def __str__(self) -> str:
        account = " ".join(f"{key}={value}" for key, value in self.config.items())
        strategy = self.hyperparameters or self.options
        return f"{self.mode} {self.seed}: routes {self.routes} data {self.data_routes} {account} {strategy}"


def random_candles(
    rng: np.random.Generator,
    n: int,
    start: int,
    *,
    price: float = 100.0,
    volatility: float = 0.001,
    wick: float = 0.001,
    gap: float = 0.0,
    decimals: int | None = None,
) -> np.ndarray:
    """A random walk in minutes, shape (n, 6); `gap` is the size of jumps from a close to the next open."""
    close = price * np.exp(np.cumsum(rng.normal(0, volatility, n)))
    opened = np.concatenate(([price], close[:-1]))
    if gap:
        opened[1:] *= 1 + (rng.normal(0, gap, n) * (rng.random(n) < 0.5))[1:]
    high = np.maximum(opened, close) * (1 + abs(rng.normal(0, wick, n)))
    low = np.minimum(opened, close) * (1 - abs(rng.normal(0, wick, n)))
    times = start + np.arange(n) * float(MINUTE)
    rows = np.column_stack([times, opened, close, high, low, rng.uniform(1, 10, n)])
    if decimals is not None:
        rows[:, 1:5] = np.round(rows[:, 1:5], decimals)
    return rows


def make_case(mode: str, seed: int) -> Case:
    """Return the case of a mode and seed."""
    rng = np.random.default_rng([MODES.index(mode), seed])
    spot = mode == "spot" or (mode == "errors" and rng.random() < 0.3)
    timeframes = ("1m", "3m", "5m", "15m", "30m", "1h")
    n_routes = 2 if mode == "two_routes" or (mode == "errors" and rng.random() < 0.3) else 1
    symbols = ("BTC-USDT", "ETH-USDT")[:n_routes]
    routes = tuple((symbol, str(rng.choice(timeframes, p=[0.1, 0.15, 0.25, 0.2, 0.15, 0.15]))) for symbol in symbols)
    data_routes: tuple[tuple[str, str], ...] = ()
    if mode == "timeframes" or rng.random() < 0.2:
        larger = ("15m", "45m", "2h", "4h", "1D")
        data_routes = tuple((str(rng.choice(["BTC-USDT", "SOL-USDT"])), str(rng.choice(larger))) for _ in range(2))
        data_routes = tuple(dict.fromkeys(route for route in data_routes if route not in routes))
    n_minutes = int(rng.integers(600, 4000))
    n_warmup = 0 if rng.random() < 0.15 else 2880
    if n_warmup and any(timeframe == "45m" for _, timeframe in (*routes, *data_routes)):
        n_warmup = 2880 * 3  # days of three do not cut a candle of 45 minutes in two
    decimals = 2 if rng.random() < 0.5 else None
    shape = {
        "volatility": float(rng.choice([0.0005, 0.002])),
        "wick": float(rng.choice([0.0002, 0.002])),
        "gap": float(rng.choice([0.001, 0.004])) if mode == "gaps" else float(rng.choice([0.0, 0.0008])),
        "decimals": decimals,
    }
    candles, warmup = {}, {}
    for symbol in dict.fromkeys([*symbols, *(symbol for symbol, _ in data_routes)]):
        price = {"BTC-USDT": 100.0, "ETH-USDT": 20.0, "SOL-USDT": 3.0}[symbol]
        rows = random_candles(rng, n_warmup + n_minutes, START - n_warmup * MINUTE, price=price, **shape)
        candles[symbol] = rows[n_warmup:]
        if n_warmup:
            warmup[symbol] = rows[:n_warmup]
    config = {
        "starting_balance": float(rng.choice([10_000, 4321.987, 123_456.789])),
        "fee": float(rng.choice([0.0, 0.0006, 0.001])),
        "type": "spot" if spot else "futures",
        "exchange": SPOT,
        "warm_up_candles": int(rng.choice([0, 20, 240])),
    }
    if not spot:
        isolated = mode == "isolated"
        config["exchange"] = OTHER_SETTLEMENT if rng.random() < 0.1 else FUTURES
        config["futures_leverage"] = int(rng.choice([20, 50, 75] if isolated else [1, 2, 10]))
        config["futures_leverage_mode"] = "isolated" if isolated or rng.random() < 0.3 else "cross"
    return Case(mode, seed, config, routes, data_routes, candles, warmup, _options(rng, mode, spot, decimals))


def _options(rng: np.random.Generator, mode: str, spot: bool, decimals: int | None) -> Options:
    distances = [0.002, 0.006, 0.02]
    return Options(
        p_enter=float(rng.choice([0.15, 0.4])),
        p_cancel=float(rng.choice([0.2, 0.5, 0.9])),
        max_entries=int(rng.choice([1, 2, 3])),
        entry_distance=float(rng.choice(distances)),
        exit_distance=0.03 if mode == "isolated" else float(rng.choice(distances)),
        size=float(rng.choice([0.01, 0.04])) if spot or mode == "isolated" else float(rng.choice([0.02, 0.08])),
        p_wrong_side=0.0 if spot else float(rng.choice([0.0, 0.0, 0.15])),
        p_flip=float(rng.choice([0.0, 0.0, 0.0, 0.3])),
        p_exit_in_go=0.0 if spot else 0.4,
        p_equal_price=float(rng.choice([0.0, 0.3])),
        p_edit_candles=float(rng.choice([0.0, 0.0, 0.02])),
        p_error=0.02 if mode == "errors" else 0.0,
        decimals=decimals,
        spot=spot,
    )


@dataclass(frozen=True)
class Api:
    """What a strategy file imports from Jesse, or from fastbt in its place."""

    Strategy: type
    cached: Any
    utils: Any
    indicators: Any


def make_strategy(api: Api, case: Case, log: list[tuple[Any, ...]]) -> type:
    """Return the strategy of a case on the given base class, writing to `log`."""
    base, cached, utils, ta = api.Strategy, api.cached, api.utils, api.indicators
    options = case.options

    class Random(base):  # type: ignore[misc]
        """Does everything a strategy can do, at random."""

        def __init__(self) -> None:
            super().__init__()
            self.rng = np.random.RandomState(case.seed)

        # ---- what is written down

        def note(self, event: str, *values: Any) -> None:
            position = self.position
            row = self.candles[-1]
            log.append(
                (
                    event,
                    self.symbol,
                    *map(number, (self.time, self.price, self.close, self.index, len(self.candles), *row)),
                    *map(number, (position.qty, position.entry_price, position.pnl, position.roi, position.value)),
                    *map(number, (position.total_cost, position.liquidation_price, position.current_price)),
                    *map(number, (position.opened_at, position.closed_at, position.previous_qty, position.exit_price)),
                    *map(number, (self.balance, self.available_margin, self.portfolio_value, self.trades_count)),
                    *map(number, (self.increased_count, self.reduced_count, self.last_trade_index)),
                    *map(number, (self.average_entry_price, self.remembered(), *self.looked_up(), *self.indicated())),
                    tuple(told(order) for order in self.entry_orders),
                    tuple(told(order) for order in self.exit_orders),
                    tuple(told(order) for order in self.active_exit_orders),
                    (len(self.orders), len(self.trades), self.has_long_entry_orders, self.has_short_entry_orders),
                    *map(number, values),
                )
            )

        @cached
        def remembered(self) -> float:
            return float(self.candles[-3:, 2].mean()) + self.index

        def indicated(self) -> list[float]:
            """Indicators restart on the last rows: a wrong window shows in the last bits."""
            candles = self.candles
            return [ta.ema(candles, 9), ta.rsi(candles, 7)] if len(candles) > 20 else []

        def looked_up(self) -> list[float]:
            found: list[float] = []
            for symbol, timeframe in (*case.routes, *case.data_routes):
                rows = self.get_candles(self.exchange, symbol, timeframe)
                found += [len(rows), *(rows[-1] if len(rows) else ())]
            return found

        # ---- chance

        def chance(self, p: float) -> bool:
            return bool(self.rng.rand() < p)

        def step(self, distance: float) -> float:
            """A price near the market, perhaps one that was used before."""
            if self.chance(options.p_equal_price) and "price" in self.vars:
                return float(self.vars["price"])
            price = self.price * (1 + (self.rng.rand() - 0.5) * 2 * distance)
            self.vars["price"] = price if options.decimals is None else round(float(price), options.decimals)
            return float(self.vars["price"])

        def as_assigned(self, points: list[tuple[float, float]], *, array: bool = True) -> Any:
            """One of the forms in which points may be assigned."""
            form = self.rng.rand()
            if len(points) == 1 and form < 0.5:
                return points[0] if form < 0.4 else list(points[0])
            if array and form > 0.9:
                return np.array(points, dtype=float)
            return tuple(points) if form > 0.8 else points

        def entries(self) -> list[tuple[float, float]]:
            points = []
            for _ in range(1 + int(self.rng.rand() * options.max_entries)):
                kind = self.rng.rand()
                near = self.price * (1 + (self.rng.rand() - 0.5) * 0.00028)
                price = self.price if kind < 0.3 else near if kind < 0.4 else self.step(options.entry_distance)
                size = options.size * (0.2 + self.rng.rand()) * self.balance
                kind = self.rng.rand()
                if kind < 0.4:
                    qty = utils.size_to_qty(size, price, precision=3, fee_rate=self.fee_rate) + 0.001
                elif kind < 0.6:
                    stop = price * (1 - 0.02 - self.rng.rand() * 0.02)
                    qty = utils.risk_to_qty(size, 2, price, stop, precision=4, fee_rate=self.fee_rate) + 0.001
                else:
                    qty = size / price
                points.append((qty, price))
            return points

        def exits(self, kind: str, long: bool, qty: float, wrong: float = 0.0) -> list[tuple[float, float]]:
            """Points that close a position of `qty`, or a bit more, or each of them all of it."""
            n = 1 + int(self.rng.rand() * 3)
            weights = self.rng.rand(n) + 0.1
            weights = weights / weights.sum()
            excess = self.rng.rand()
            away = 1 if (kind == "take_profit") == long else -1
            points = []
            for weight in weights:
                distance = self.rng.rand() * options.exit_distance * (-0.3 if self.chance(wrong) else 1)
                share = (
                    weight * 0.98 if options.spot else weight if excess < 0.6 else weight * 1.2 if excess < 0.8 else 1
                )
                price = self.price * (1 + away * distance)
                if options.decimals is not None and self.chance(0.5):
                    price = round(float(price), options.decimals)
                points.append((abs(qty) * share, price))
            return points

        def maybe_exits(self, p_stop: float, p_target: float, wrong: float = 0.0) -> None:
            if self.is_open and self.chance(p_stop):
                self.stop_loss = self.as_assigned(self.exits("stop_loss", self.is_long, self.position.qty, wrong))
            if self.is_open and self.chance(p_target):
                self.take_profit = self.as_assigned(self.exits("take_profit", self.is_long, self.position.qty, wrong))

        # ---- hooks

        def should_short(self) -> bool:
            self.vars["short"] = self.chance(options.p_enter) and not options.spot
            return bool(self.vars["short"])

        def should_long(self) -> bool:
            self.vars["long"] = self.chance(options.p_enter)
            conflict = self.vars["short"] and not self.chance(options.p_error)
            return bool(self.vars["long"]) and not conflict

        def should_cancel_entry(self) -> bool:
            self.note("should_cancel_entry")
            return self.chance(options.p_cancel)

        def filters(self) -> list[Any]:
            return [self.first_filter, self.second_filter]

        def first_filter(self) -> bool:
            self.note("filter")
            return self.chance(0.97)

        def second_filter(self) -> bool:
            self.note("filter", self.average_entry_price)
            return self.chance(0.97)

        def go_long(self) -> None:
            points = self.entries()
            self.buy = self.as_assigned(points, array=False)
            self.go(points, long=True)
            self.maybe_break("buy")

        def go_short(self) -> None:
            points = self.entries()
            self.sell = self.as_assigned(points, array=False)
            self.go(points, long=False)
            self.maybe_break("sell")

        def go(self, points: list[tuple[float, float]], long: bool) -> None:
            self.note("go", *(value for point in points for value in point))
            # An exit on the wrong side of the fill is not reduce-only: one larger than the first fill would flip it.
            qty = min(point[0] for point in points) * 0.45
            if self.chance(options.p_flip):
                qty = sum(point[0] for point in points)
            for name in ("stop_loss", "take_profit"):
                if self.chance(options.p_exit_in_go):
                    exits = self.exits(name, long, qty, options.p_wrong_side)
                    sized = [(point[0] * (1 if options.p_flip else 1 / len(exits)), point[1]) for point in exits]
                    setattr(self, name, self.as_assigned(sized))

        def on_open_position(self, order: Any) -> None:
            self.note("open", *told(order))
            self.maybe_exits(0.7, 0.7, options.p_wrong_side * 0.3)
            self.maybe_liquidate(0.03)

        def on_increased_position(self, order: Any) -> None:
            self.note("increased", *told(order), *self.averages())
            self.maybe_exits(0.5, 0.3)

        def on_reduced_position(self, order: Any) -> None:
            self.note("reduced", *told(order), *self.averages())
            self.maybe_exits(0.5, 0.3)
            self.maybe_liquidate(0.03)

        def on_close_position(self, order: Any, closed_trade: Any) -> None:
            trade = (closed_trade.qty, closed_trade.entry_price, closed_trade.exit_price, closed_trade.pnl)
            self.note("close", *told(order), *trade, closed_trade.fee, closed_trade.holding_period, closed_trade.roi)

        def on_cancel(self) -> None:
            self.note("cancel")

        def update_position(self) -> None:
            self.note("update", *self.averages())
            kind = self.rng.rand()
            if kind < 0.07:
                self.liquidate()
            elif kind < 0.30:
                self.maybe_exits(0.6, 0.6, options.p_wrong_side)
            elif kind < 0.36 and not options.spot:
                setattr(self, "buy" if self.is_long else "sell", self.as_assigned(self.entries()))
            elif kind < 0.38:
                setattr(self, "buy" if self.is_long else "sell", None)
            elif kind < 0.40:
                setattr(self, "sell" if self.is_long else "buy", [])
            elif kind < 0.42:
                self.stop_loss = []
            elif kind < 0.44:
                self.take_profit = []
            elif kind < 0.46:
                self.stop_loss = None
            self.maybe_break("stop_loss")

        def before(self) -> None:
            self.note("before")
            if self.chance(options.p_edit_candles):
                self.candles[-1, 2] = self.candles[-1, 2] * 1.001
            self.maybe_liquidate(0.01)

        def after(self) -> None:
            self.note("after")
            self.maybe_liquidate(0.01)

        def before_terminate(self) -> None:
            self.note("before_terminate")
            self.maybe_exits(0.5, 0.5)

        def terminate(self) -> None:
            self.note("terminate")

        def on_route_open_position(self, strategy: Any) -> None:
            self.heard("open", strategy)

        def on_route_close_position(self, strategy: Any) -> None:
            self.heard("close", strategy)

        def on_route_increased_position(self, strategy: Any) -> None:
            self.heard("increased", strategy)

        def on_route_reduced_position(self, strategy: Any) -> None:
            self.heard("reduced", strategy)

        def on_route_canceled(self, strategy: Any) -> None:
            self.heard("canceled", strategy)

        def heard(self, what: str, strategy: Any) -> None:
            self.shared_vars[what] = self.shared_vars.get(what, 0) + 1
            others = [position.qty for position in self.all_positions.values()]
            self.note(f"heard {what}", strategy.position.qty, self.shared_vars[what], *others)
            self.maybe_exits(0.15, 0.1)

        # ---- parts of hooks

        def averages(self) -> tuple[float, ...]:
            """Averages of the submitted exits, where there are any."""
            stop = self.average_stop_loss if has_points(self.stop_loss, self._stop_loss) else math.nan
            target = self.average_take_profit if has_points(self.take_profit, self._take_profit) else math.nan
            return stop, target

        def maybe_liquidate(self, p: float) -> None:
            if self.chance(p):
                self.liquidate()

        def maybe_break(self, name: str) -> None:
            """Now and then, do what Jesse refuses."""
            if not self.chance(options.p_error):
                return
            qty = 1.0
            broken: list[Any] = [
                (0, self.price),
                (qty, -1.0),
                (qty, math.nan),
                (qty, self.price, 3.0),
                (qty,),
                [(qty, self.price), (qty,)],
                None,
                5.0,
                "ab",
                (None, self.price),
                (qty * 1e9, self.price),
                (qty * 1e9, self.price * 1.01),
                [[]],
                (),
                [],
                np.array([qty, self.price]),
            ]
            kind = int(self.rng.rand() * (len(broken) + 4))
            if kind < len(broken):
                setattr(self, name, broken[kind])
            elif kind == len(broken):
                self.stop_loss = self.take_profit = (qty, self.price * 0.99)
            elif kind == len(broken) + 1:
                raise RuntimeError("the strategy itself")
            elif kind == len(broken) + 2:
                self.get_candles(self.exchange, "DOGE-USDT", "1h")
            else:
                self.vars["missing"]

    Random.__qualname__ = "Random"
    return Random


def has_points(assigned: Any, submitted: Any) -> bool:
    """Whether an average of exits can be asked for without an exception."""
    return assigned is not None and type(submitted) is np.ndarray and submitted.ndim == 2


def number(value: Any) -> Any:
    """A plain value for the log."""
    if value is None or isinstance(value, (str, bool)):
        return value
    return float(value)


def told(order: Any) -> tuple[Any, ...]:
    """What a strategy may see of an order."""
    numbers = (order.qty, order.filled_qty, order.price, order.fee, order.executed_at, order.created_at, order.value)
    submitted_price = (order.vars or {}).get("submitted_price")
    names = (order.side, order.type, order.status, order.submitted_via, order.reduce_only)
    return (*names, *map(number, (*numbers, submitted_price)))
