"""Follow the trend that SuperTrend shows, with its line as a trailing stop.

Idea: enter when SuperTrend turns in the direction of a longer average, and pull the stop behind its line as long as
that moves in our favour.
Market: trending ones; written for BTC-USD at 1h, futures.
Source: the SuperTrend line of Olivier Seban; trailing it is its usual use.
"""

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy


class SupertrendTrailing(Strategy):
    def __init__(self):
        super().__init__()
        self.stop = 0.0

    @property
    def supertrend(self):
        return ta.supertrend(self.candles, self.hp["period"], self.hp["factor"])

    @property
    def average(self):
        return ta.ema(self.candles, self.hp["average_period"])

    def should_long(self):
        turned_up = self.supertrend.changed and self.price > self.supertrend.trend
        return turned_up and self.price > self.average

    def should_short(self):
        turned_down = self.supertrend.changed and self.price < self.supertrend.trend
        return turned_down and self.price < self.average

    def go_long(self):
        self.buy = self.entry_qty(), self.price

    def go_short(self):
        self.sell = self.entry_qty(), self.price

    def entry_qty(self):
        return utils.size_to_qty(self.balance * 0.5, self.price, fee_rate=self.fee_rate)

    def on_open_position(self, order):
        if self.is_long:
            self.stop = self.position.entry_price * (1 - self.hp["first_stop"])
        else:
            self.stop = self.position.entry_price * (1 + self.hp["first_stop"])
        self.stop_loss = self.position.qty, self.stop

    def update_position(self):
        line = self.supertrend.trend
        if self.is_long:
            if self.price < line:
                self.liquidate()
            elif line > self.stop:
                self.stop = line
                self.stop_loss = self.position.qty, self.stop
        elif self.price > line:
            self.liquidate()
        elif line < self.stop:
            self.stop = line
            self.stop_loss = self.position.qty, self.stop

    def hyperparameters(self):
        return [
            {"name": "period", "type": int, "min": 7, "max": 21, "step": 1, "default": 10},
            {"name": "factor", "type": float, "min": 1.5, "max": 3.5, "step": 0.25, "default": 2.5},
            {"name": "average_period", "type": int, "min": 20, "max": 100, "step": 5, "default": 50},
            {"name": "first_stop", "type": float, "min": 0.01, "max": 0.05, "step": 0.005, "default": 0.03},
        ]
