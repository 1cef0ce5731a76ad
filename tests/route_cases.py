"""Strategies that look at other symbols, and markets of several symbols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from strategy_generators import START, make_minutes

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
