"""Crossing of two moving averages, long and short.

Idea: a fast average that crosses a slow one tells that the trend has turned; the trade ends at a fixed loss or profit.
Market: trending ones; written for BTC-USD at 1h, futures.
Source: the textbook rule, here as the strategy of our benches: each entry depends on the candles alone.
"""

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy


class SmaCrossover(Strategy):
    @property
    def fast(self):
        return ta.sma(self.candles, self.hp["fast_period"], sequential=True)

    @property
    def slow(self):
        return ta.sma(self.candles, self.hp["slow_period"], sequential=True)

    def should_long(self):
        return utils.crossed(self.fast, self.slow, "above")

    def should_short(self):
        return utils.crossed(self.fast, self.slow, "below")

    def go_long(self):
        self.buy = self.entry_qty(), self.price

    def go_short(self):
        self.sell = self.entry_qty(), self.price

    def entry_qty(self):
        return utils.size_to_qty(self.balance * 0.5, self.price, fee_rate=self.fee_rate)

    def on_open_position(self, order):
        entry = self.position.entry_price
        if self.is_long:
            self.stop_loss = self.position.qty, entry * (1 - self.hp["stop_loss"])
            self.take_profit = self.position.qty, entry * (1 + self.hp["take_profit"])
        else:
            self.stop_loss = self.position.qty, entry * (1 + self.hp["stop_loss"])
            self.take_profit = self.position.qty, entry * (1 - self.hp["take_profit"])

    def hyperparameters(self):
        return [
            {"name": "fast_period", "type": int, "min": 5, "max": 30, "step": 1, "default": 10},
            {"name": "slow_period", "type": int, "min": 40, "max": 120, "step": 5, "default": 50},
            {"name": "stop_loss", "type": float, "min": 0.01, "max": 0.06, "step": 0.005, "default": 0.03},
            {"name": "take_profit", "type": float, "min": 0.02, "max": 0.12, "step": 0.01, "default": 0.06},
        ]
