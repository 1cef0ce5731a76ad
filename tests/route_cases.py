"""Strategies that look at other symbols and at other routes, and markets of several symbols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from strategy_generators import START, _Writer, make_minutes

from fastbt.engine.account import Account
from fastbt.routes import RoutesSession, setups_of
from fastbt.types import Mode

EXCHANGE = "Binance Perpetual Futures"
SYMBOLS = ("BTC-USDT", "ETH-USDT", "SOL-USDT")
MINUTE = 60_000

#: Trades one symbol by what others do, in its own and in larger timeframes, complete and forming.
LOOKS_AT_OTHERS = """
import jesse.indicators as ta
import numpy as np
from jesse.strategies import Strategy


class LooksAtOthers(Strategy):
    def hyperparameters(self):
        return [{"name": "period", "type": int, "min": 3, "max": 30, "default": 7}]

    def before(self):
        self.vars["sum"] = 0.0
        for candles in (self.eth, self.slow_eth, self.sol):
            self.vars["sum"] = self.vars["sum"] + candles[-1, 5] + candles[-1][3] - candles[-2, 1]

    @property
    def eth(self):
        return self.get_candles(self.exchange, "ETH-USDT", self.timeframe)

    @property
    def slow_eth(self):
        return self.get_candles(self.exchange, "ETH-USDT", "45m")

    @property
    def sol(self):
        return self.get_candles(self.exchange, "SOL-USDT", "1m")

    @property
    def trend(self):
        fast = ta.ema(self.eth, self.hp["period"])
        slow = ta.sma(self.slow_eth[:-1], 3, source_type="hl2")
        return (fast - slow) / slow

    def should_long(self):
        return self.trend > 0.0005 and ta.rsi(self.sol, 14) < 60

    def should_short(self):
        return self.trend < -0.0005 and ta.atr(self.sol, 5, sequential=True)[-2] > 0

    def go_long(self):
        self.buy = 1, self.price - ta.atr(self.eth, 5)
        self.stop_loss = 1, self.price * 0.995

    def go_short(self):
        self.sell = 1 + self.vars["sum"] % 1, self.price

    def update_position(self):
        if self.eth[-1, 2] > self.eth[-2, 2] and self.index % 3 == 0:
            self.liquidate()
"""


def make_candles(seed: int, symbols: Sequence[str], n: int, n_warmup: int = 0) -> dict[str, tuple[Any, Any]]:
    """Return traded minutes and warm-up of each symbol."""
    candles = {}
    for i, symbol in enumerate(symbols):
        rows = make_minutes(np.random.default_rng([seed, i]), n + n_warmup, START - n_warmup * MINUTE)
        candles[symbol] = np.ascontiguousarray(rows[n_warmup:]), np.ascontiguousarray(rows[:n_warmup])
    return candles


@dataclass(frozen=True)
class RoutesCase:
    """Account, routes, data routes, candles in the order in which they are played, and the strategies' texts."""

    account: Account
    routes: list[tuple[str, str]]
    data_routes: list[tuple[str, str]]
    candles: dict[str, tuple[Any, Any]]
    texts: list[str]


def make_case(seed: int, mode: str | None = None) -> RoutesCase:
    """Return two or three random strategies on one account, that look at each other and hear of each other."""
    rng = np.random.default_rng([seed, 77])
    kind = Mode[(mode or str(rng.choice(["cross", "isolated", "spot"], p=[0.45, 0.35, 0.2]))).upper()]
    n_routes = int(rng.choice([2, 3], p=[0.7, 0.3]))
    timeframes = rng.choice(["1m", "3m", "5m", "15m", "30m", "1h"], p=[0.1, 0.15, 0.3, 0.2, 0.1, 0.15], size=n_routes)
    routes = [(symbol, str(timeframe)) for symbol, timeframe in zip(SYMBOLS, timeframes, strict=False)]
    data_routes = [(str(rng.choice(SYMBOLS)), str(rng.choice(["15m", "45m", "2h", "4h"])))] * int(rng.random() < 0.4)
    data_routes = [each for each in data_routes if each not in routes]
    symbols = list(dict.fromkeys(symbol for symbol, _ in [*routes, *data_routes]))
    rng.shuffle(symbols)
    # Two days do not cut a candle of any timeframe in two; some runs have no warm-up, some end within a candle.
    n_warm = 0 if rng.random() < 0.15 and not data_routes else 2880
    candles = make_candles(seed, symbols, int(rng.integers(900, 3000)), n_warm)
    account = Account(
        starting_balance=float(rng.choice([1_000.0, 10_000.0, 12_345.67])),
        fee_rate=float(rng.choice([0.0, 0.0006, 0.001])),
        mode=kind,
        leverage={Mode.CROSS: int(rng.choice([1, 3, 10])), Mode.ISOLATED: int(rng.integers(20, 76)), Mode.SPOT: 1}[
            kind
        ],
        exchange="Binance Spot" if kind == Mode.SPOT else "Bybit USDC Perpetual" if rng.random() < 0.1 else EXCHANGE,
        warm_up_candles=int(rng.choice([0, 25, 60, 240])),
    )
    same = rng.random() < 0.2
    texts = [
        RouteWriter(seed * 10 + (0 if same else place), kind, routes, data_routes, place).write()
        for place in range(n_routes)
    ]
    return RoutesCase(account, routes, data_routes, candles, texts)


class RouteWriter(_Writer):
    """Writes a strategy that also uses what a route can know of the others."""

    def __init__(
        self, seed: int, mode: Mode, routes: list[tuple[str, str]], data_routes: list[tuple[str, str]], place: int
    ) -> None:
        super().__init__(seed, mode)
        self.routes, self.data_routes, self.place = routes, data_routes, place

    def other(self) -> str:
        """A route's strategy; in a broadcast, now and then the one that it comes from."""
        if self.context == "heard" and self.chance(0.5):
            return "strategy"
        return f"self.routes[{self.rng.randrange(len(self.routes))}].strategy"

    def price(self, depth: int = 2) -> str:
        if self.chance(0.06):
            return f"(self.price * 0.99 + {self.other()}.price * 0.01)"
        if self.direct and self.chance(0.1):
            symbol, timeframe = self.rng.choice([*self.routes, *self.data_routes])
            symbols = [symbol for symbol, _ in [*self.routes, *self.data_routes]]
            symbol = self.rng.choice([symbol, *symbols])
            candles = f'self.get_candles(self.exchange, "{symbol}", "{timeframe}")'
            value = self.pick(
                f"{candles}[-1, {self.rng.randint(1, 4)}]", f"ta.ema({candles}, {self.rng.randint(2, 6)})"
            )
            return f"(self.price * 0.98 + {value} * 0.02)"
        return super().price(depth)

    def number(self, depth: int = 2) -> str:
        if self.chance(0.1):
            symbol = self.rng.choice(self.routes)[0]
            field = self.pick("qty", "pnl", "value", "current_price")
            return self.pick(
                f'self.all_positions["{symbol}"].{field}',
                f"{self.other()}.position.{field}",
                f"{self.other()}.{self.pick('trades_count', 'index')} % 4",
                "self.portfolio_value / 1000",
                "len(self.routes) - self.current_route_index",
            )
        return super().number(depth)

    def statement(self, depth: int, pad: str) -> list[str]:
        if self.chance(0.12):
            key, value = (
                self.pick("a", "b", "c"),
                self.pick("self.index", "self.is_long", self.number(1), self.price(1)),
            )
            return [f'{pad}self.shared_vars["{key}"] = {value}']
        return super().statement(depth, pad)

    def test(self, depth: int = 2) -> str:
        if self.chance(0.05):
            key = self.pick("a", "b", "c")
            return self.pick(
                f'("{key}" in self.shared_vars and self.shared_vars["{key}"] > {self.rng.randint(0, 3)})',
                f'self.shared_vars.get("{key}", {self.pick("1", "0.5")}) < {self.rng.randint(1, 4)}',
            )
        if self.chance(0.08):
            other = self.other()
            symbol = self.rng.choice(self.routes)[0]
            return self.pick(f"{other}.is_{self.pick('long', 'short', 'open')}", f'{other}.symbol == "{symbol}"')
        return super().test(depth)

    def qty(self, price: str) -> str:
        share = f" / {len(self.routes) + 1})"
        return (
            super()
            .qty(price)
            .replace("self.balance", "(self.balance" + share)
            .replace("self.available_margin", "(self.available_margin" + share)
        )

    def callbacks(self) -> list[str]:
        parts = super().callbacks()
        self.context, self.is_open, self.direct = "heard", False, False
        for what in ("open_position", "close_position", "increased_position", "reduced_position", "canceled"):
            if self.chance(0.5):
                lines = self.statements(1, "")
                if self.chance(0.5):
                    exits = self.both_sides("self.price", "self.position.qty")
                    lines += ["if self.is_open and self.index % 3 == 0:", *(f"    {line}" for line in exits)]
                if self.chance(0.15):
                    lines += [f"if {self.test(1)}:", "    self.liquidate()"]
                parts.append(self.method(f"on_route_{what}", lines, ", strategy"))
        self.context = "bar"
        return parts


def make_session(case: RoutesCase, folder: Path, name: str) -> RoutesSession:
    """Write the strategies to files and return the session of their routes."""
    files = []
    for place, text in enumerate(case.texts):
        if text in case.texts[:place]:
            files.append(files[case.texts.index(text)])
            continue
        files.append(folder / f"{name}_{place}.py")
        files[-1].write_text(text)
    setups = setups_of(case.account, case.routes, case.data_routes, case.candles)
    return RoutesSession(files, setups, list(case.candles))
