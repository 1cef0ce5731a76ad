"""Always with the MACD histogram: turn the position when it changes sign.

Idea: the sign of the histogram is the direction of the momentum; a position against it is closed at the market, and the
opposite one is opened on the same bar. Never adds to a position.
Market: any that moves; written for BTC-USD at 1h, futures.
Source: Gerald Appel's MACD and Thomas Aspray's histogram, in the plainest reversal system.
"""

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy, cached


class MacdReversal(Strategy):
    @property
    @cached
    def histogram(self):
        return ta.macd(
            self.candles,
            self.hp["fast_period"],
            self.hp["slow_period"],
            self.hp["signal_period"],
            sequential=True,
        ).hist

    def should_long(self):
        return self.histogram[-2] <= 0 and self.histogram[-1] > 0

    def should_short(self):
        return self.histogram[-2] >= 0 and self.histogram[-1] < 0

    def go_long(self):
        self.buy = self.entry_qty(), self.price

    def go_short(self):
        self.sell = self.entry_qty(), self.price

    def entry_qty(self):
        return utils.size_to_qty(self.balance * 0.4, self.price, fee_rate=self.fee_rate)

    def on_open_position(self, order):
        if self.is_long:
            self.stop_loss = self.position.qty, self.position.entry_price * (1 - self.hp["stop_loss"])
        else:
            self.stop_loss = self.position.qty, self.position.entry_price * (1 + self.hp["stop_loss"])

    def update_position(self):
        if self.is_long and self.histogram[-1] < 0:
            self.liquidate()
        elif self.is_short and self.histogram[-1] > 0:
            self.liquidate()

    def hyperparameters(self):
        return [
            {"name": "fast_period", "type": int, "min": 8, "max": 16, "step": 1, "default": 12},
            {"name": "slow_period", "type": int, "min": 20, "max": 34, "step": 1, "default": 26},
            {"name": "signal_period", "type": int, "min": 5, "max": 12, "step": 1, "default": 9},
            {"name": "stop_loss", "type": float, "min": 0.02, "max": 0.08, "step": 0.01, "default": 0.04},
        ]
