"""The workloads of the benches: crossovers on a seeded random walk, by the rules of each library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from fastbt._cache import cache_root
from fastbt.data import CandleSet
from fastbt.types import MINUTE_MS, JsonDict

#: Bars that the averages may look back on, and the deviation of one bar's return.
WARMUP_BARS: Final = 240
SIGMA: Final = 0.0007
FEE: Final = 0.0006
#: So much that no order is ever refused.
CASH: Final = 10_000_000.0
FAST: Final = range(5, 51, 5)
SLOW: Final = range(65, 201, 15)
#: Pairs of stop-loss and take-profit, fractions of the entry price.
STOPS: Final = tuple((0.0025 * i, 0.005 * i) for i in range(1, 11))
START_MS: Final = 1_577_836_800_000

# A strategy in Jesse's API, as a text: a file that imports jesse has no place inside the package.
STRATEGY: Final = '''"""Crossing of two simple averages, always reversing, one unit.

Idea: none; the common workload of the benches, the same rules in every library.
Market: a random walk, at 1m.
Source: the textbook rule. A signal on the bar of a stop is dropped, because vectorbt has one order a bar.
"""

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy


class ReversalCrossover(Strategy):
    def __init__(self):
        super().__init__()
        self.reversing = False
        self.stopped_at = -1

    @property
    def fast(self):
        return ta.sma(self.candles, self.hp["fast"], sequential=True)

    @property
    def slow(self):
        return ta.sma(self.candles, self.hp["slow"], sequential=True)

    def update_position(self):
        if self.is_long:
            turned = utils.crossed(self.fast, self.slow, "below")
        else:
            turned = utils.crossed(self.fast, self.slow, "above")
        if turned:
            self.reversing = True
            self.liquidate()

    def should_long(self):
        return self.stopped_at != self.index and utils.crossed(self.fast, self.slow, "above")

    def should_short(self):
        return self.stopped_at != self.index and utils.crossed(self.fast, self.slow, "below")

    def go_long(self):
        self.buy = 1, self.price

    def go_short(self):
        self.sell = 1, self.price

    def on_open_position(self, order):
        self.reversing = False
        entry = self.position.entry_price
        side = 1 if self.is_long else -1
        if self.hp["stop_loss"] > 0:
            self.stop_loss = 1, entry * (1 - side * self.hp["stop_loss"])
        if self.hp["take_profit"] > 0:
            self.take_profit = 1, entry * (1 + side * self.hp["take_profit"])

    def on_close_position(self, order, closed_trade):
        if not self.reversing:
            self.stopped_at = self.index
        self.reversing = False

    def hyperparameters(self):
        return [
            {"name": "fast", "type": int, "min": 5, "max": 50, "step": 5, "default": 10},
            {"name": "slow", "type": int, "min": 65, "max": 200, "step": 15, "default": 80},
            {"name": "stop_loss", "type": float, "min": 0.0, "max": 0.025, "step": 0.0025, "default": 0.005},
            {"name": "take_profit", "type": float, "min": 0.0, "max": 0.05, "step": 0.005, "default": 0.01},
        ]
'''


# raptorbt trades one side and puts all of its money into every trade.
LONG_STRATEGY: Final = '''"""Crossing of two simple averages, long only, all the money.

Idea: none; the workload of the benches by the rules of raptorbt.
Market: a random walk, at 1m.
Source: the textbook rule.
"""

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy


class LongCrossover(Strategy):
    @property
    def fast(self):
        return ta.sma(self.candles, self.hp["fast"], sequential=True)

    @property
    def slow(self):
        return ta.sma(self.candles, self.hp["slow"], sequential=True)

    def update_position(self):
        if utils.crossed(self.fast, self.slow, "below"):
            self.liquidate()

    def should_long(self):
        return utils.crossed(self.fast, self.slow, "above")

    def should_short(self):
        return False

    def go_long(self):
        self.buy = self.balance / (self.price * (1 + self.fee_rate)), self.price

    def go_short(self):
        pass

    def on_open_position(self, order):
        entry = self.position.entry_price
        self.stop_loss = self.position.qty, entry * (1 - self.hp["stop_loss"])
        self.take_profit = self.position.qty, entry * (1 + self.hp["take_profit"])

    def hyperparameters(self):
        return [
            {"name": "fast", "type": int, "min": 5, "max": 50, "step": 5, "default": 10},
            {"name": "slow", "type": int, "min": 65, "max": 200, "step": 15, "default": 80},
            {"name": "stop_loss", "type": float, "min": 0.0025, "max": 0.025, "step": 0.0025, "default": 0.005},
            {"name": "take_profit", "type": float, "min": 0.005, "max": 0.05, "step": 0.005, "default": 0.01},
        ]
'''

# chidoribt knows entries only; it leaves after a time, or at a close beyond the stop or the target.
TIMED_STRATEGY: Final = '''"""Crossing of two simple averages, long only, out after some bars or at a far close.

Idea: none; the workload of the benches by the rules of chidoribt.
Market: a random walk, at 1m.
Source: the textbook rule. Whole units, for about the same money each time.
"""

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy

MONEY = 100_000.0
HOLD = 240


class TimedCrossover(Strategy):
    def __init__(self):
        super().__init__()
        self.entered_at = 0

    @property
    def fast(self):
        return ta.sma(self.candles, self.hp["fast"], sequential=True)

    @property
    def slow(self):
        return ta.sma(self.candles, self.hp["slow"], sequential=True)

    def update_position(self):
        entry = self.position.entry_price
        if (
            self.index - self.entered_at >= HOLD
            or self.price <= entry * (1 - self.hp["stop_loss"])
            or self.price >= entry * (1 + self.hp["take_profit"])
        ):
            self.liquidate()

    def should_long(self):
        return utils.crossed(self.fast, self.slow, "above")

    def should_short(self):
        return False

    def go_long(self):
        self.entered_at = self.index
        self.buy = int(MONEY / (self.price * (1 + self.fee_rate))), self.price

    def go_short(self):
        pass

    def hyperparameters(self):
        return [
            {"name": "fast", "type": int, "min": 5, "max": 50, "step": 5, "default": 10},
            {"name": "slow", "type": int, "min": 65, "max": 200, "step": 15, "default": 80},
            {"name": "stop_loss", "type": float, "min": 0.0025, "max": 0.025, "step": 0.0025, "default": 0.005},
            {"name": "take_profit", "type": float, "min": 0.005, "max": 0.05, "step": 0.005, "default": 0.01},
        ]
'''
#: What `TIMED_STRATEGY` holds as constants.
MONEY: Final = 100_000.0
HOLD: Final = 240

STRATEGIES: Final = {
    "ReversalCrossover": STRATEGY,
    "LongCrossover": LONG_STRATEGY,
    "TimedCrossover": TIMED_STRATEGY,
}


def strategy_folder(name: str = "ReversalCrossover") -> Path:
    """Write a workload's strategy into fastbt's cache folder, where a reader can find it, and return its folder."""
    folder = cache_root() / "bench" / name
    file = folder / "__init__.py"
    folder.mkdir(parents=True, exist_ok=True)
    if not file.exists() or file.read_text() != STRATEGIES[name]:
        file.write_text(STRATEGIES[name])
    return folder


def random_walk(n_bars: int, seed: int = 0) -> CandleSet:
    """Return one-minute candles of a geometric random walk, `WARMUP_BARS` before the `n_bars`.

    Examples
    --------
    >>> candles = random_walk(1000)
    >>> len(candles)
    1240
    """
    generator = np.random.default_rng(seed)
    n = n_bars + WARMUP_BARS
    array = np.ones((n, 6))
    array[:, 0] = START_MS + MINUTE_MS * np.arange(n)
    array[:, 2] = 30_000.0 * np.exp(np.cumsum(generator.normal(0.0, SIGMA, n)))
    # No opening gaps: a bar begins where the one before ended.
    array[0, 1], array[1:, 1] = 30_000.0, array[:-1, 2]
    wicks = np.abs(generator.normal(0.0, SIGMA / 2, (2, n)))
    array[:, 3] = np.maximum(array[:, 1], array[:, 2]) * (1.0 + wicks[0])
    array[:, 4] = np.minimum(array[:, 1], array[:, 2]) * (1.0 - wicks[1])
    return CandleSet.from_array(array, symbol="BTC-USDT", exchange="Binance Perpetual Futures")


def windows() -> list[tuple[int, int]]:
    """Return the pairs of windows.

    Examples
    --------
    >>> len(windows()) * len(STOPS)
    1000
    """
    return [(fast, slow) for fast in FAST for slow in SLOW]


def stop_pairs(n: int) -> list[tuple[float, float]]:
    """Return `n` pairs of stop-loss and take-profit between those of `STOPS`, which are its ten.

    Examples
    --------
    >>> stop_pairs(10) == list(STOPS), len(set(stop_pairs(1000)))
    (True, 1000)
    """
    if n == len(STOPS):
        return list(STOPS)
    side = math.isqrt(n - 1) + 1 if n > 1 else 1
    stops, targets = np.linspace(STOPS[0][0], STOPS[-1][0], side), np.linspace(STOPS[0][1], STOPS[-1][1], side)
    return [(float(stop), float(target)) for stop in stops for target in targets][:n]


def parameter_sets(pairs: Sequence[tuple[int, int]], stops: Sequence[tuple[float, float]]) -> list[JsonDict]:
    """Return the workload's hyper-parameter sets, stops running fastest."""
    return [
        {"fast": fast, "slow": slow, "stop_loss": stop, "take_profit": target}
        for fast, slow in pairs
        for stop, target in stops
    ]


def account() -> dict[str, Any]:
    """Return the account's settings for `fastbt.sweep`."""
    return {"starting_balance": CASH, "fee": FEE, "warm_up_candles": WARMUP_BARS}
