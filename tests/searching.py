"""A small market and small strategies for the tests of searches."""

import textwrap
from pathlib import Path

import numpy as np

from fastbt.data import CandleSet
from fastbt.engine.account import Account
from fastbt.sweep import make_account, make_session

START = 1_546_300_800_000
DAY = 86_400_000

#: Long from one hour of the day on, for some hours; needs no indicator.
MOMENTUM = """
    from jesse.strategies import Strategy
    from jesse import utils

    class Momentum(Strategy):
        def should_long(self):
            return self.index % 24 == self.hp["hour"]

        def go_long(self):
            money = self.balance * self.hp["share"]
            self.buy = utils.size_to_qty(money, self.price, fee_rate=self.fee_rate), self.price

        def update_position(self):
            if self.index % 24 == (self.hp["hour"] + self.hp["hold"]) % 24:
                self.liquidate()

        def should_cancel_entry(self):
            return True

        def hyperparameters(self):
            return [
                {"name": "hour", "type": int, "min": 0, "max": 23, "default": 3},
                {"name": "hold", "type": int, "min": 1, "max": 12, "default": 4},
                {"name": "share", "type": float, "min": 0.1, "max": 0.9, "step": 0.2, "default": 0.5},
            ]
"""


def write_strategy(folder: Path, text: str = MOMENTUM, name: str = "Momentum") -> Path:
    path = folder / f"{name}.py"
    path.write_text(textwrap.dedent(text))
    return path


def candles(days: int, seed: int = 0, planted: float = 0.0, symbol: str = "BTC-USDT") -> CandleSet:
    """One-minute candles of a random walk; `planted` is what the price gains in the hours 3 to 7 of each day."""
    n = days * 1440
    random = np.random.default_rng(seed)
    steps = random.normal(0.0, 2e-4, n)
    hour = np.arange(n) // 60 % 24
    steps += np.where((hour >= 3) & (hour < 7), planted / 240, 0.0)
    close = 100.0 * np.exp(np.cumsum(steps))
    opening = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(opening, close) * 1.00005, np.minimum(opening, close) * 0.99995
    times = START + 60_000.0 * np.arange(n)
    return CandleSet.from_array(np.column_stack([times, opening, close, high, low, np.ones(n)]), symbol=symbol)


def account(**settings) -> Account:
    return make_account(**{"fee": 0.0, "warm_up_candles": 24, **settings})


def session(folder: Path, days: int = 12, **settings):
    return make_session(write_strategy(folder), candles(days), "1h", account=account(**settings))


#: What every search of these tests takes.
MARKET = {"timeframe": "1h", "fee": 0.0, "warm_up_candles": 24}


def searches() -> dict:
    """Each search, small: its function, and what it takes beside strategy and candles."""
    from fastbt.search import backtest_batch, optimize, walk_forward

    return {
        "optimize": (optimize, {"sampler": "tpe", "trials": 24, "batch_size": 4}),
        "walk_forward": (
            walk_forward,
            {"sampler": "nsga2", "trials": 10, "in_sample": 4, "out_of_sample": 1, "purge": 0, "embargo": 0},
        ),
        "backtest_batch": (
            backtest_batch,
            {"n": 6, "periods": [(f"2019-01-{day:02}", f"2019-01-{day + 1:02}") for day in range(3, 10)]},
        ),
    }


def slow_search(kind: str, strategy: str, folder: str) -> None:
    """Make a search in a folder, slowly enough to be killed."""
    import time

    function, settings = searches()[kind]
    function(
        strategy, candles(12), **MARKET, **settings, run=folder, resume=True, progress=lambda state: time.sleep(0.3)
    )


if __name__ == "__main__":
    import sys

    slow_search(*sys.argv[1:])
