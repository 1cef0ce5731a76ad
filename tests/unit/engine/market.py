"""Small markets and strategies for the tests of the engine."""

import numpy as np

from fastbt.engine.account import Account
from fastbt.engine.reference import simulate_reference
from fastbt.engine.routes import Route
from fastbt.engine.strategy import Strategy

START = 1_609_459_200_000  # 2021-01-01, a boundary of every timeframe below a week
MINUTE = 60_000
SYMBOL = "BTC-USDT"
FREE = Account(fee_rate=0.0, leverage=1, warm_up_candles=0)


def minutes(*rows, start=START):
    """One-minute candles from `(open, close, high, low)`, or from one price for a minute that stands still."""
    table = np.empty((len(rows), 6))
    for i, row in enumerate(rows):
        opened, closed, high, low = row if isinstance(row, tuple) else (row, row, row, row)
        table[i] = start + i * MINUTE, opened, closed, high, low, 1.0
    return table


def at(minute):
    """Time that Jesse gives to everything that happens in a minute: its end."""
    return START + (minute + 1) * MINUTE


def run(strategy, candles, *, account=FREE, timeframe="1m", warmup=None, data_routes=(), hyperparameters=None):
    """Run one strategy on one symbol."""
    candles = candles if isinstance(candles, dict) else {SYMBOL: candles}
    warmup = warmup if warmup is None or isinstance(warmup, dict) else {SYMBOL: warmup}
    routes = [Route(SYMBOL, timeframe, strategy, hyperparameters)]
    return simulate_reference(routes, candles, account=account, warmup=warmup, data_routes=data_routes)


class Scripted(Strategy):
    """Enters in bar `enter`, long, and does what a test hangs onto it; `seen` is the test's notebook."""

    enter = 0
    seen: list

    def should_long(self):
        return self.index == self.enter

    def go_long(self):
        self.buy = 1, self.price


def scripted(**members):
    """Return a subclass of `Scripted` with a notebook of its own."""
    return type("Test", (Scripted,), {"seen": [], **members})
