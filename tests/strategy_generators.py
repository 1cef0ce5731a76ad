"""Random strategies as source text in Jesse's API, within what the compiler supports, and markets to run them on.

Everything follows from the seed. A strategy is written, not assembled from objects, because the compiler reads text.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from container_grammar import ContainerWriter

from fastbt.engine.account import Account
from fastbt.types import MINUTE_MS, TIMEFRAME_MINUTES, Mode

START = 1_609_459_200_000  # 2021-01-01, a boundary of every timeframe below a week

HEAD = '''"""Generated from seed {seed}."""

import math
from datetime import datetime

import jesse.indicators as ta
import numpy as np
from jesse import utils
from jesse.strategies import Strategy, cached

SHARE = {share}


class Generated(Strategy):
'''


@dataclass(frozen=True)
class MarketCase:
    """What a generated strategy runs on."""

    account: Account
    timeframe: str
    minutes: np.ndarray
    warmup: np.ndarray


def make_minutes(rng: np.random.Generator, n: int, start: int) -> np.ndarray:
    """Return candles with gaps, wicks, standstills and changing volatility, most of them on ticks of 0.01."""
    volatility = rng.choice([0.0004, 0.001, 0.002]) * np.exp(np.cumsum(rng.normal(0, 0.02, n)).clip(-1, 1))
    close = 100.0 * np.exp(np.cumsum(rng.normal(0, 1, n) * volatility).clip(-0.7, 0.7))
    opened = np.r_[100.0, close[:-1]]
    gap = rng.random(n) < rng.choice([0.0, 0.05, 0.5])
    opened = np.where(gap, opened * (1 + rng.normal(0, 1, n) * volatility), opened)
    still = rng.random(n) < 0.05
    close = np.where(still, opened, close)
    wick = np.where(rng.random(n) < 0.03, 8.0, 0.7) * volatility
    high = np.maximum(opened, close) * (1 + np.where(still, 0, abs(rng.normal(0, 1, n)) * wick))
    low = np.minimum(opened, close) * (1 - np.where(still, 0, abs(rng.normal(0, 1, n)) * wick))
    prices = np.column_stack([opened, close, high, low]).round(int(rng.choice([1, 2, 2, 2, 6])))
    prices[:, 2] = prices.max(axis=1)
    prices[:, 3] = prices.min(axis=1)
    times = start + np.arange(n) * float(MINUTE_MS)
    return np.column_stack([times, prices, rng.lognormal(0, 2, n).round(3)])


def make_market(seed: int, mode: str | None = None) -> MarketCase:
    """Return account, timeframe and candles of a seed."""
    rng = np.random.default_rng([seed, 1])
    timeframe = str(rng.choice(["1m", "5m", "15m", "1h"], p=[0.25, 0.45, 0.2, 0.1]))
    length = TIMEFRAME_MINUTES[timeframe]
    n_bars = int(rng.integers(120, {"1m": 700, "5m": 420, "15m": 260, "1h": 160}[timeframe]))
    n_warm = int(rng.choice([0, 30, 100], p=[0.12, 0.53, 0.35])) * length
    tail = int(rng.integers(0, length)) if rng.random() < 0.3 else 0
    candles = make_minutes(rng, n_warm + n_bars * length + tail, START - n_warm * MINUTE_MS)
    kind = mode or str(rng.choice(["cross", "isolated", "spot"], p=[0.45, 0.35, 0.2]))
    account = Account(
        starting_balance=float(rng.choice([1_000.0, 10_000.0, 12_345.67])),
        fee_rate=float(rng.choice([0.0, 0.0004, 0.0006, 0.001])),
        mode={"cross": Mode.CROSS, "isolated": Mode.ISOLATED, "spot": Mode.SPOT}[kind],
        leverage={"cross": int(rng.choice([1, 3, 10])), "isolated": int(rng.integers(20, 76)), "spot": 1}[kind],
        warm_up_candles=int(rng.choice([0, 25, 60, 240])),
    )
    return MarketCase(account, timeframe, np.ascontiguousarray(candles[n_warm:]), candles[:n_warm].copy())


def make_strategy(seed: int, mode: Mode) -> str:
    """Return the source of the strategy of a seed, for an account of a mode."""
    return _Writer(seed, mode).write()


class _Writer(ContainerWriter):
    def __init__(self, seed: int, mode: Mode) -> None:
        super().__init__()
        self.seed = seed
        #: Whether it keeps more than numbers.
        self.rich = seed % 3 == 2
        self.rng = random.Random(seed)
        self.spot = mode == Mode.SPOT
        self.leveraged = mode == Mode.ISOLATED
        self.hp_int: list[str] = []
        self.hp_float: list[str] = []
        self.declared: list[str] = []
        self.numbers: list[str] = []  # state that always holds a number
        self.wholes: list[str] = []  # state that only ever holds whole numbers
        self.flags: list[str] = []
        self.nullables: list[str] = []
        self.values: list[str] = []  # properties near the price
        self.oscillators: list[str] = []  # properties from 0 to 100
        self.sequences: list[str] = []  # properties that are a series near the price
        self.helpers: list[tuple[str, str]] = []
        self.tests: list[str] = []
        self.pairs: list[str] = []  # methods that return a price and a whole number, and change state
        self.texts: list[str] = []
        self.direct = False  # whether what is written runs at a bar's end only
        self.range = "self.price * 0.002"
        self.context = "bar"
        self.locals: list[str] = []
        self.is_open = False
        self.serial = 0

    # --- small choices ----------------------------------------------------------------------------------------------
    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def pick(self, *options: str) -> str:
        return self.rng.choice(options)

    def fresh(self, stem: str) -> str:
        self.serial += 1
        return f"{stem}{self.serial}"

    def percent(self, low: float = 0.0005, high: float = 0.006) -> str:
        if self.hp_float and self.chance(0.3):
            return f'self.hp["{self.rng.choice(self.hp_float)}"] / 1000'
        return repr(round(self.rng.uniform(low, high), 5))

    # --- expressions ------------------------------------------------------------------------------------------------
    def price(self, depth: int = 2) -> str:
        """A number near the price."""
        options = [
            "self.price",
            "self.close",
            "self.open",
            "self.high",
            "self.low",
            f"self.candles[-{self.rng.randint(1, 3)}, {self.rng.randint(1, 4)}]",
            f"self.candles[:, {self.rng.randint(1, 4)}][-{self.rng.randint(1, 3)}]",
            f"self.candles[-{self.rng.randint(1, 2)}][{self.rng.randint(1, 4)}]",
            f"self.current_candle[{self.rng.randint(1, 4)}]",
            *self.values,
            *(f"{each}[-{self.rng.randint(1, 3)}]" for each in self.sequences),
        ]
        if self.nullables:
            name = self.rng.choice(self.nullables)
            options += [f"({name} if {name} is not None else self.price)", f"({name} or self.price)"]
        if self.direct:
            n = self.rng.randint(2, 4)
            options += [
                f"self.candles[-{n}:, {self.rng.randint(1, 4)}].{self.pick('max', 'min', 'mean')}()",
                f"{self.pick('max', 'min', 'np.max', 'np.mean')}(self.candles[-{n}:, 2])",
            ]
        if self.is_open:
            options += ["self.position.entry_price", "self.position.current_price", "self.average_entry_price"]
        if self.context == "order":
            options += ["order.price"]
        if self.context == "trade":
            options += ["order.price", "closed_trade.entry_price", "closed_trade.exit_price"]
        if depth > 0:
            options += [
                f"({self.price(depth - 1)} * {self.rng.choice([0.999, 1.001, 1.0005, 1])})",
                f"({self.price(depth - 1)} + {self.price(depth - 1)}) / 2",
                f"{self.pick('min', 'max')}({self.price(depth - 1)}, {self.price(depth - 1)})",
                f"{self.pick('np.minimum', 'np.maximum')}({self.price(depth - 1)}, {self.price(depth - 1)})",
                f"({self.price(depth - 1)} if {self.test(depth - 1)} else {self.price(depth - 1)})",
                f"{self.pick('abs', 'float', 'np.abs', 'math.fabs')}({self.price(depth - 1)})",
                f"({self.price(depth - 1)} - {self.range} * {self.rng.choice([0.25, 0.5, 1])})",
            ]
            if self.helpers:
                name, style = self.rng.choice(self.helpers)
                first, second = self.price(depth - 1), self.percent()
                arguments = {
                    "positional": f"{first}, {second}",
                    "keyword": f"{first}, share={second}",
                    "default": first,
                    "swapped": f"share={second}, level={first}",
                }[style]
                options += [f"self.{name}({arguments})"] * 2
            if self.pairs:
                options += [f"self.{self.rng.choice(self.pairs)}()[0]"]
            if self.sequences:
                options += [f"({self.rng.choice(self.sequences)} * 2 / {self.rng.choice([2, 2.001])})[-1]"]
        return self.rng.choice(options)

    def number(self, depth: int = 2) -> str:
        """A number of moderate size, positive or not."""
        options = [
            repr(self.rng.randint(0, 5)),
            repr(round(self.rng.uniform(-2, 2), 2)),
            "self.trades_count % 7",
            "self.index % 11",
            "self.increased_count",
            "self.reduced_count",
            "self.position.qty",
            "self.position.pnl",
            "self.position.pnl_percentage",
            "self.position.value / 100",
            "self.position.previous_qty",
            "self.balance / 1000",
            "self.available_margin / 1000",
            "self.portfolio_value / 1000",
            "len(self.candles) % 5",
            "(self.index - self.last_trade_index)",
            *self.numbers * 2,
            *self.wholes,
            *self.oscillators,
            *(f'self.hp["{each}"]' for each in self.hp_int + self.hp_float),
            *self.locals * 2,
        ]
        if self.context == "order":
            options += ["order.qty", "order.filled_qty", "order.fee", "order.value / 1000"]
        if self.context == "trade":
            options += [
                "closed_trade.pnl",
                "closed_trade.pnl_percentage",
                "closed_trade.qty",
                "closed_trade.fee",
                "closed_trade.holding_period / 600",
                "closed_trade.size / 1000",
                "order.fee",
                "order.qty",
            ]
        if depth > 0:
            a, b = self.number(depth - 1), self.number(depth - 1)
            options += [
                f"({a} {self.pick('+', '-')} {b})",
                f"{a} * {self.rng.choice([0.5, 2, -1, 0.1])}",
                f"{a} / {self.rng.choice([2, 3.0, 7])}",
                f"({a} // {self.rng.randint(2, 5)})",
                f"({a} % {self.rng.randint(2, 7)})",
                f"-{a}" if not a.startswith("-") else a,
                f"{self.pick('min', 'max')}({a}, {b})",
                f"{self.pick('min', 'max')}({a}, {b}, {self.rng.randint(-2, 4)})",
                f"abs({a})",
                f"({a} if {self.test(depth - 1)} else {b})",
                f"math.sqrt(abs({a}))",
                f"np.sqrt(np.abs({a}))",
                f"math.log(1 + abs({a}))",
                f"np.exp(-abs({a}))",
                f"math.exp(-abs({a}))",
                f"np.sign({a})",
                f"np.floor({a})",
                f"({self.price(depth - 1)} / {self.price(depth - 1)} - 1) * 1000",
                f"({self.price(depth - 1)} - {self.price(depth - 1)})",
                f"({self.whole(depth - 1)})",
                f"utils.estimate_risk({self.price(depth - 1)}, {self.price(depth - 1)})",
                f"({self.price(depth - 1)} - {self.price(depth - 1)}) ** 2",
            ]
            if self.rich:
                options += self.container_number(depth)
            if self.chance(0.03):
                # Zero now and then: a Python number raises, a numpy one gives inf or nan.
                options += [
                    f"{a} / {b}",
                    f"1 / {self.whole(depth - 1)}",
                    f"({self.whole(depth - 1)} % {self.whole(0)})",
                ]
        return self.rng.choice(options)

    def whole(self, depth: int = 1) -> str:
        """A whole number."""
        options = [
            repr(self.rng.randint(0, 6)),
            "self.index",
            "self.trades_count",
            "self.increased_count",
            "self.last_trade_index",
            *self.wholes * 2,
            *(f'self.hp["{each}"]' for each in self.hp_int),
            *(f"self.{each}()[1]" for each in self.pairs),
        ]
        if depth > 0:
            options += [
                f"({self.whole(depth - 1)} or {self.whole(depth - 1)})",
                f"int({self.number(depth - 1)})",
                f"round({self.number(depth - 1)})",
                f"math.floor({self.number(depth - 1)})",
                f"math.ceil({self.number(depth - 1)})",
                f"({self.whole(depth - 1)} // {self.rng.randint(2, 4)})",
                f"({self.whole(depth - 1)} % {self.rng.randint(2, 6)})",
                f"({self.whole(depth - 1)} + {self.whole(depth - 1)})",
            ]
        return self.rng.choice(options)

    def test(self, depth: int = 2) -> str:
        """A condition."""
        compare = self.pick("<", ">", "<=", ">=")
        options = [
            f"{self.price(depth - 1)} {compare} {self.price(depth - 1)}",
            f"{self.number(depth - 1)} {compare} {self.number(depth - 1)}",
            f"self.index % {self.rng.randint(2, 9)} {self.pick('==', '!=', '<', '>=')} {self.rng.randint(0, 2)}",
            *(f"{each} {compare} {self.rng.randint(35, 65)}" for each in self.oscillators),
            *self.flags,
            *(f"{each} is {self.pick('', 'not ')}None" for each in self.nullables),
            *(f"({each} is not None and {each} {compare} self.price)" for each in self.nullables),
            *(f"self.{each}()" for each in self.tests),
            *(f"{each} {self.pick('==', '!=')} '{self.pick('up', 'down')}'" for each in self.texts),
            *(f"{each} in ('up', 'flat')" for each in self.texts),
            f"self.{self.pick('is_long', 'is_short', 'is_open', 'is_close')}",
            "self.position.pnl > 0",
        ]
        if self.context in ("order", "trade"):
            options += ["order.is_stop_loss", "order.is_take_profit", "order.reduce_only"]
        if self.context == "trade":
            options += ["closed_trade.pnl > 0", "closed_trade.is_long"]
        if self.rich:
            options += self.container_test()
        if depth > 0:
            a, b = self.test(depth - 1), self.test(depth - 1)
            options += [
                f"({a} {self.pick('and', 'or')} {b})",
                f"({a} {self.pick('and', 'or')} {b} {self.pick('and', 'or')} {self.test(depth - 1)})",
                f"not {a}" if not a.startswith("not") else a,
                f"{self.price(0)} {compare} {self.price(0)} {self.pick('<', '<=', '>')} {self.price(depth - 1)}",
                f"0 {self.pick('<', '<=')} {self.number(depth - 1)} {self.pick('<', '<=')} {self.rng.randint(1, 60)}",
                f"{self.whole(depth - 1)} {self.pick('in', 'not in')} (0, {self.rng.randint(1, 3)}, 5)",
                f"({self.test(0)} if {a} else {b})",
                f"bool({self.number(0)})",
            ]
            if self.sequences:
                other = self.pick(*self.sequences, "self.candles[:, 2]", self.price(0))
                way = self.pick('"above"', '"below"', 'direction="above"', "None")
                options += [f"utils.crossed({self.rng.choice(self.sequences)}, {other}, {way})"] * 2
        return self.rng.choice(options)

    # --- statements -------------------------------------------------------------------------------------------------
    def statements(self, depth: int, pad: str) -> list[str]:
        """Statements that change state."""
        lines: list[str] = []
        for _ in range(self.rng.randint(1, 3)):
            lines += self.statement(depth, pad)
        return lines

    def statement(self, depth: int, pad: str) -> list[str]:
        outer = list(self.locals)
        if self.rich and self.chance(0.4):
            lines = self.container_statement(depth, pad)
            self.locals = self.locals if lines and lines[0].startswith(pad + "n") else outer
            return lines
        kind = self.rng.random()
        if depth > 0 and kind < 0.25:
            heads = [f"if {self.test()}:"]
            heads += [f"elif {self.test(1)}:"] if self.chance(0.4) else []
            heads += ["else:"] if self.chance(0.6) else []
            lines = []
            for head in heads:
                lines += [pad + head, *self.statements(depth - 1, pad + "    ")]
                self.locals = list(outer)
            return lines
        if depth > 0 and kind < 0.33:
            return self.rng.choice([self.for_loop, self.search, self.unrolled])(pad)
        if depth > 0 and kind < 0.37:
            return self.while_loop(pad)
        if kind < 0.5:
            name = self.fresh("n")
            lines = [f"{pad}{name} = {self.number()}"]
            self.locals.append(name)
            if self.chance(0.3):
                lines.append(f"{pad}{name} {self.pick('+=', '-=', '*=')} {self.number(1)}")
            return lines
        if kind < 0.54 and len(self.numbers + self.nullables) > 1:
            a, b = (
                self.rng.sample(self.nullables if len(self.nullables) > 1 else self.numbers, 2)
                if (len(self.nullables) > 1 or len(self.numbers) > 1)
                else (self.numbers[0], self.numbers[0])
            )
            return [f"{pad}{a}, {b} = {b}, {a}"]
        if kind < 0.57 and self.texts:
            return [f"{pad}{self.rng.choice(self.texts)} = '{self.pick('up', 'down', 'flat')}'"]
        if kind < 0.6 and self.pairs:
            a, b = self.fresh("n"), self.fresh("n")
            self.locals.append(b)
            return [f"{pad}{a}, {b} = self.{self.rng.choice(self.pairs)}()"]
        if kind < 0.68 and self.nullables:
            name = self.rng.choice(self.nullables)
            return [f"{pad}{name} = {self.pick('None', self.price(1), self.price(1))}"]
        if kind < 0.78 and self.flags:
            return [f"{pad}{self.rng.choice(self.flags)} = {self.test()}"]
        if kind < 0.9 and self.wholes:
            name = self.rng.choice(self.wholes)
            return [self.pick(f"{pad}{name} += 1", f"{pad}{name} = ({self.whole()}) % 50", f"{pad}{name} -= 1")]
        if self.numbers:
            name = self.rng.choice(self.numbers)
            # Bounded, so that nothing grows without end.
            return [f"{pad}{name} = max(-1000.0, min(1000.0, {self.number()}))"]
        return [f"{pad}pass"]

    def for_loop(self, pad: str) -> list[str]:
        total, i = self.fresh("total"), self.fresh("i")
        bounds = self.pick("3", "1, 4", "6, 0, -2", f"min({self.rng.randint(1, 4)}, len(self.candles))")
        step = self.pick(f"self.candles[-1 - abs({i}) % 3, 2] - self.candles[-2, 2]", f"{i} * 0.5", self.number(0))
        lines = [f"{pad}{total} = {self.pick('0', '0.0')}", f"{pad}for {i} in range({bounds}):"]
        if self.chance(0.3):
            lines += [f"{pad}    if {self.test(1)}:", f"{pad}        {self.pick('break', 'continue')}"]
        lines += [f"{pad}    {total} += {step}"]
        if "candles" in step:
            lines = [f"{pad}if len(self.candles) > 3:", *("    " + line for line in lines)]
            lines = [f"{pad}{total} = 0.0", *lines]
        self.locals.append(total)
        return lines

    def search(self, pad: str) -> list[str]:
        """A name that is None until something is found."""
        found, i, value = self.fresh("found"), self.fresh("i"), self.fresh("n")
        lines = [
            f"{pad}{found} = None",
            f"{pad}for {i} in range({self.rng.randint(2, 5)}):",
            f"{pad}    if {i} == self.index % {self.rng.randint(2, 9)} or {self.test(0)}:",
            f"{pad}        {found} = {self.pick(i, f'{i} * 0.5', 'self.price')}",
            f"{pad}        {self.pick('break', 'continue', 'pass')}",
            f"{pad}{value} = -1 if {found} is None else {found}",
        ]
        self.locals.append(value)
        return lines

    def unrolled(self, pad: str) -> list[str]:
        total, each = self.fresh("total"), self.fresh("each")
        self.locals.append(total)
        items = self.pick("(1, 2, 3)", f"[{self.number(0)}, {self.number(0)}]", "(self.open, self.close)")
        return [f"{pad}{total} = 0.0", f"{pad}for {each} in {items}:", f"{pad}    {total} += {each} * 0.1"]

    def while_loop(self, pad: str) -> list[str]:
        count = self.fresh("count")
        lines = [
            f"{pad}{count} = 0",
            f"{pad}while {count} < {self.rng.randint(1, 4)} and {self.test(1)}:",
            f"{pad}    {count} += 1",
        ]
        if self.chance(0.3) and self.wholes:
            lines.append(f"{pad}    {self.rng.choice(self.wholes)} += 1")
        self.locals.append(count)
        return lines

    # --- the parts of a strategy ------------------------------------------------------------------------------------
    def write(self) -> str:
        head = HEAD.format(seed=self.seed, share=round(self.rng.uniform(0.1, 0.9), 2))
        parts = [
            self.hyperparameters(),
            self.initial_state(),
            *self.indicators(),
            *self.helper_methods(),
            *self.signals(),
            *self.entries(),
            *self.callbacks(),
            *self.filter_methods(),
        ]
        return head + "\n\n".join(part for part in parts if part) + "\n"

    def method(self, name: str, lines: list[str], arguments: str = "", decorator: str = "") -> str:
        self.locals = []  # of the lines, which are written by now
        head = f"    def {name}(self{arguments}):"
        above = "".join(f"    @{each}\n" for each in decorator.split())
        return above + "\n".join([head, *(f"        {line}" for line in lines or ["pass"])])

    def hyperparameters(self) -> str:
        lines = []
        for _ in range(self.rng.randint(1, 3)):
            name = self.fresh("whole")
            self.hp_int.append(name)
            default = self.rng.randint(3, 20)
            lines.append(f'{{"name": "{name}", "type": int, "min": 2, "max": 30, "default": {default}}},')
        for _ in range(self.rng.randint(0, 2)):
            name = self.fresh("real")
            self.hp_float.append(name)
            default = round(self.rng.uniform(0.8, 4.0), 2)
            lines.append(f'{{"name": "{name}", "type": float, "min": 0.5, "max": 5.0, "default": {default}}},')
        return self.method("hyperparameters", ["return [", *(f"    {line}" for line in lines), "]"])

    def initial_state(self) -> str:
        lines = ["super().__init__()"]
        for _ in range(self.rng.randint(1, 3)):
            name = self.pick(f"self.{self.fresh('level')}", f'self.vars["{self.fresh("v")}"]')
            lines.append(f"{name} = {self.pick('0', '0.0', '1.5', '-3')}")
            self.numbers.append(name)
        for _ in range(self.rng.randint(0, 2)):
            name = self.pick(f"self.{self.fresh('count')}", f'self.vars["{self.fresh("c")}"]')
            lines.append(f"{name} = {self.rng.randint(0, 3)}")
            self.wholes.append(name)
        for _ in range(self.rng.randint(0, 2)):
            name = self.pick(f"self.{self.fresh('flag')}", f'self.vars["{self.fresh("f")}"]')
            lines.append(f"{name} = {self.pick('True', 'False')}")
            self.flags.append(name)
        for _ in range(self.rng.randint(0, 2)):
            name = self.pick(f"self.{self.fresh('mark')}", f'self.vars["{self.fresh("m")}"]')
            lines.append(f"{name} = None")
            self.nullables.append(name)
        if self.chance(0.3):
            self.texts.append(f"self.{self.fresh('mood')}")
            lines.append(f"{self.texts[0]} = 'up'")
        if self.rich:
            lines += self.container_state()
        return self.method("__init__", lines)

    def period(self, low: int = 3, high: int = 20) -> str:
        if self.hp_int and self.chance(0.5):
            name = self.rng.choice(self.hp_int)
            return f'self.hp["{name}"]' if self.chance(0.8) else f'self.hp["{name}"] + 2'
        return str(self.rng.randint(low, high))

    def indicators(self) -> list[str]:
        parts = []
        for _ in range(self.rng.randint(1, 3)):
            name, kind = self.fresh("ind"), self.rng.randint(0, 8)
            cached = "cached " if self.chance(0.15) else ""
            source = f', source_type="{self.pick("high", "low", "hl2", "ohlc4")}"' if self.chance(0.3) else ""
            average = self.pick("sma", "ema")
            if kind == 0:
                code = f"ta.{average}(self.candles, {self.period()}{source})"
                self.values.append(f"self.{name}")
            elif kind == 1:
                code = f"ta.{average}(self.candles, {self.period()}{source}, sequential=True)"
                self.sequences.append(f"self.{name}")
                cached = ""
            elif kind == 2:
                code = f"ta.rsi(self.candles, {self.period()}{source})"
                self.oscillators.append(f"self.{name}")
            elif kind == 3:
                code = f"ta.atr(self.candles, {self.period()})"
                self.range = f"self.{name}"
            elif kind == 4:
                code = f"ta.adx(self.candles, {self.period(3, 10)})"
                self.oscillators.append(f"self.{name}")
            elif kind == 5:
                code = f"ta.macd(self.candles, {self.period(3, 8)}, 13, 5).{self.pick('macd', 'signal', 'hist')}"
                self.numbers_of_bar(name)
            elif kind == 6:
                band = self.pick("upperband", "middleband", "lowerband")
                which = self.pick("donchian", "bollinger_bands")
                code = f"ta.{which}(self.candles, {self.period()})"
                self.values.append(f"self.{name}.{band}")
                cached = ""
            elif kind == 7:
                code = f"ta.supertrend(self.candles, {self.period(3, 10)}, {self.rng.choice([1.5, 3])})"
                self.values.append(f"self.{name}.trend")
                cached = ""
            else:
                code = f"ta.stoch(self.candles, {self.period(3, 14)}, 3, 0, 3, 0)"
                self.oscillators.append(f"self.{name}.{self.pick('k', 'd')}")
                cached = ""
            parts.append(self.method(name, [f"return {code}"], decorator=f"property {cached}"))
        return parts

    def numbers_of_bar(self, name: str) -> None:
        self.oscillators.append(f"(50 + 100 * self.{name})")

    def helper_methods(self) -> list[str]:
        parts = []
        for _ in range(self.rng.randint(0, 2)):
            name = self.fresh("helper")
            style = self.pick("positional", "keyword", "default", "swapped")
            lines = self.pick(
                "return level * (1 + share)",
                "if self.is_long:\n            return level * (1 - share)\n        return level * (1 + share)",
                "moved = level * share\n        moved += level\n        return moved",
                "level = max(level, self.low)\n        return level if share > 0.001 else level * (1 - share)",
            ).split("\n        ")
            parts.append(self.method(name, lines, f", level, share={self.rng.choice([0.001, 0.0, 0.002])}"))
            self.helpers.append((name, style))
        if self.chance(0.4):
            name, price, whole = self.fresh("pair"), self.price(1), self.whole(1)
            change = f"{self.wholes[0]} += 1" if self.wholes else f"{self.numbers[0]} = {self.number(1)} % 9"
            lines = [change, f"if {self.test(1)}:", f"    return {price}, {whole}", f"return {self.price(0)}, 3"]
            parts.append(self.method(name, lines))
            self.pairs.append(name)
        for _ in range(self.rng.randint(0, 2)):
            name = self.fresh("holds")
            lines = self.pick(
                f"return {self.test(1)}",
                f"if {self.test(1)}:\n            return True\n        return {self.test(0)}",
                f"level = {self.price(1)}\n        return level > {self.price(0)}",
            ).split("\n        ")
            parts.append(self.method(name, lines))
            self.tests.append(name)
        return parts

    def signals(self) -> list[str]:
        self.direct = True
        trend, often = self.test(1), f"self.index % {self.rng.randint(2, 6)} == {self.rng.randint(0, 1)}"
        ask = self.pick("True", often, often, self.test(1))
        before = self.statements(1, "") if self.chance(0.2) else []
        n, m = self.rng.randint(7, 13), self.rng.randint(14, 19)
        # Some entries of each side, whatever the conditions are worth.
        long = self.method("should_long", [*before, f"return ({trend}) and ({ask}) or self.index % {n} == 3"])
        if self.spot:
            return [long, self.method("should_short", ["return False"]) if self.chance(0.5) else ""]
        other = self.pick("True", often, self.test(1))
        answer = f"return self.index % {n} != 3 and (not ({trend}) and ({other}) or self.index % {m} == 5)"
        if self.chance(0.95) and "pair" not in trend:
            answer += f" and not (({trend}) and ({ask}))"
        return [long, self.method("should_short", [answer])]

    def qty(self, price: str) -> str:
        power = f"{self.rng.uniform(0.05, 0.25):.3f}"
        money = self.pick("self.balance", "self.available_margin")
        if self.leveraged and self.chance(0.7):
            money += " * self.leverage"
            power = f"{self.rng.uniform(0.02, 0.2):.3f}"
        options = [
            f"utils.size_to_qty({money} * {power}, {price}, fee_rate=self.fee_rate)",
            f"utils.size_to_qty({money} * {power} * SHARE, {price}, precision={self.rng.randint(2, 6)})",
            f"utils.risk_to_qty({money} * {power}, {self.rng.randint(1, 3)}, {price}, {price} * 0.995, "
            f"fee_rate=self.fee_rate)",
            f"({money} * {power} / {price})",
            f"round({money} * {power} / {price} + 1)",
        ]
        return f"max({self.rng.choice(options)}, 0.01)"

    def entries(self) -> list[str]:
        return [self.go("go_long", "buy", "-", "+")] + ([] if self.spot else [self.go("go_short", "sell", "+", "-")])

    def offset(self, price: str, sign: str) -> str:
        if self.chance(0.4):
            return f"{price} {sign} {self.range} * {self.rng.choice([0.3, 0.5, 1, 2])}"
        return f"{price} * (1 {sign} {self.percent()})"

    def go(self, name: str, attribute: str, worse: str, better: str) -> str:
        self.locals = []
        style = self.rng.randint(0, 5)
        if style <= 1:
            lines = ["entry = self.price"]
        elif style <= 3:
            lines = [f"entry = {self.offset('self.price', worse)}"]
        else:
            lines = [f"entry = {self.offset('self.price', better)}"]
        lines.append(f"qty = {self.qty('entry')}")
        points = self.rng.choice([1, 1, 1, 2, 3])
        if points == 1:
            lines.append(f"self.{attribute} = qty, entry")
        else:
            other = self.pick(self.offset("entry", worse), self.offset("self.price", better))
            rest = [f"(qty / {points}, {other})"] + [f"(qty * 0.3, {self.offset('self.price', worse)})"] * (points - 2)
            lines.append(f"self.{attribute} = [(qty / {points}, entry), {', '.join(rest)}]")
        if not self.spot and self.chance(0.5):
            lines += self.exits("", "entry", "qty", worse, better)
        if self.chance(0.3):
            lines += self.statements(1, "")
        return self.method(name, lines)

    def exits(self, pad: str, entry: str, qty: str, worse: str, better: str) -> list[str]:
        """Set stop-loss, take-profit or both: whole, in parts, and now and then on the wrong side or empty."""
        lines = []
        if self.chance(0.06):
            worse, better = better, worse
        for attribute, sign in (("stop_loss", worse), ("take_profit", better)):
            if self.chance(0.25):
                continue
            kind = self.rng.random()
            level, further = self.offset(entry, sign), self.offset(entry, sign)
            if kind < 0.6:
                lines.append(f"{pad}self.{attribute} = {qty}, {level}")
            elif kind < 0.75:
                lines.append(f"{pad}self.{attribute} = [({qty} * 0.5, {level}), ({qty} * 0.5, {further})]")
            elif kind < 0.85:
                lines.append(f"{pad}self.{attribute} = [({qty} * {self.rng.choice([0.3, 0.5])}, {level})]")
            elif kind < 0.92:
                third = f"{entry} * (1 {sign} 0.01)"
                points = ", ".join(f"({qty} / 3, {each})" for each in (level, further, third))
                lines.append(f"{pad}self.{attribute} = [{points}]")
            else:
                lines.append(f"{pad}self.{attribute} = {self.pick('[]', 'None')}")
        return lines

    def both_sides(self, entry: str, qty: str) -> list[str]:
        if self.spot:
            return self.exits("", entry, qty, "-", "+") or ["pass"]
        long = self.exits("    ", entry, qty, "-", "+") or ["    pass"]
        short = self.exits("    ", entry, qty, "+", "-") or ["    pass"]
        return ["if self.is_long:", *long, "else:", *short]

    def callbacks(self) -> list[str]:
        parts = []
        self.direct = False
        self.context, self.is_open = "order", True
        lines = []
        if self.chance(0.75):
            lines += self.both_sides(
                self.pick("self.position.entry_price", "self.price", "order.price"), "self.position.qty"
            )
        if self.chance(0.5):
            lines += self.statements(1, "")
        if self.chance(0.04):
            lines += [f"if {self.test(1)}:", "    self.liquidate()"]
        parts.append(self.method("on_open_position", lines, ", order"))
        if self.chance(0.5):
            lines = self.statements(1, "")
            if self.chance(0.5):
                lines += self.both_sides("self.position.entry_price", "self.position.qty")
            if self.chance(0.1):
                lines.append("self.liquidate()")
            parts.append(self.method("on_increased_position", lines, ", order"))
        if self.chance(0.5):
            lines = self.statements(1, "")
            if self.chance(0.3):
                lines += [f"if {self.test(1)}:", "    self.stop_loss = self.position.qty, self.position.entry_price"]
            if self.chance(0.1):
                lines.append("self.liquidate()")
            parts.append(self.method("on_reduced_position", lines, ", order"))
        self.context, self.is_open = "trade", False
        if self.chance(0.7):
            parts.append(self.method("on_close_position", self.statements(2, ""), ", order, closed_trade"))
        self.context = "fill"
        if self.chance(0.3):
            parts.append(self.method("on_cancel", self.statements(1, "")))
        self.context, self.is_open, self.direct = "bar", True, True
        parts.append(self.update_position())
        self.is_open = False
        if self.chance(0.5):
            lines = self.statements(2, "")
            if self.chance(0.1):
                lines += [f"if {self.test(1)}:", "    self.liquidate()"]
            parts.append(self.method("before", lines))
        if self.chance(0.3):
            lines = self.statements(1, "")
            if self.chance(0.1):
                lines += [f"if {self.test(1)}:", "    self.liquidate()"]
            parts.append(self.method("after", lines))
        if self.chance(0.6):
            answer = self.pick("True", "False", self.test(1), f"self.index % {self.rng.randint(2, 6)} == 0")
            parts.append(self.method("should_cancel_entry", [f"return {answer}"]))
        self.direct = False
        if self.chance(0.1):
            parts.append(self.method("before_terminate", self.statements(0, "")))
        return parts

    def update_position(self) -> str:
        lines = []
        if self.chance(0.4):
            lines += self.statements(1, "")
        if self.chance(0.6):
            lines += [f"if {self.test(1)}:", "    self.liquidate()"]
        if self.chance(0.4):
            trail = self.both_sides("self.price", "self.position.qty")
            lines += [f"if {self.test(1)}:", *(f"    {line}" for line in trail)]
        if self.chance(0.12):
            attribute = "buy" if self.spot else self.pick("buy", "sell")
            side = "is_long" if attribute == "buy" else "is_short"
            sign = "-" if attribute == "buy" else "+"
            more = f"(abs(self.position.qty) * 0.2, {self.offset('self.price', sign)})"
            lines += [
                f"if self.{side} and self.increased_count < 3 and {self.test(0)}:",
                f"    self.{attribute} = {more}",
            ]
        if self.chance(0.05):
            lines += [
                f"if {self.test(0)}:",
                f"    self.{self.pick('stop_loss', 'take_profit')} = {self.pick('[]', 'None')}",
            ]
        patience = self.rng.randint(5, 25)
        lines += [f"if self.index % {patience} == 0:", "    self.liquidate()"]
        return self.method("update_position", lines)

    def filter_methods(self) -> list[str]:
        if not self.chance(0.3):
            return []
        self.direct = True
        names = [self.fresh("filter") for _ in range(self.rng.randint(1, 2))]
        parts = [self.method(name, [f"return {self.test(1)} or self.index % 3 == 0"]) for name in names]
        listed = ", ".join(f"self.{name}" for name in names)
        return [*parts, self.method("filters", [f"return [{listed}]"])]
