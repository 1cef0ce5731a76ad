"""Buy dips and sell rallies within a trend, behind several filters.

Idea: the directional index says that there is a trend, two averages say which way, the stochastic oscillator says that
the price has moved against it; no entry in a dead market, nor too soon after the last exit. A trade that goes nowhere
is ended after a while.
Market: trending ones; written for BTC-USD at 1h, futures.
Source: Alexander Elder's triple screen (Trading for a Living, 1993), reduced to one timeframe.
"""

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy


class MultiFilter(Strategy):
    def __init__(self):
        super().__init__()
        self.vars["last_exit"] = -1000
        self.vars["bars_held"] = 0
        self.entry_atr = 0.0

    @property
    def adx(self):
        return ta.adx(self.candles, 14)

    @property
    def atr(self):
        return ta.atr(self.candles, 14)

    @property
    def fast(self):
        return ta.ema(self.candles, self.hp["average_period"])

    @property
    def slow(self):
        return ta.ema(self.candles, self.hp["average_period"] * 2)

    @property
    def stochastic(self):
        return ta.stoch(self.candles, 14, 3, 0, 3, 0)

    def should_long(self):
        trend = self.adx > self.hp["adx_threshold"] and self.fast > self.slow
        return trend and self.stochastic.k < self.hp["dip"] and self.stochastic.d < 50

    def should_short(self):
        trend = self.adx > self.hp["adx_threshold"] and self.fast < self.slow
        return trend and self.stochastic.k > 100 - self.hp["dip"] and self.stochastic.d > 50

    def filters(self):
        return [self.cooled_down, self.moves_enough]

    def cooled_down(self):
        return self.index - self.vars["last_exit"] >= self.hp["cool_down"]

    def moves_enough(self):
        return self.atr / self.price > 0.001

    def go_long(self):
        self.remember_entry()
        self.buy = self.entry_qty(), self.price

    def go_short(self):
        self.remember_entry()
        self.sell = self.entry_qty(), self.price

    def remember_entry(self):
        self.entry_atr = self.atr
        self.vars["bars_held"] = 0

    def entry_qty(self):
        return utils.size_to_qty(self.balance * 0.5, self.price, fee_rate=self.fee_rate)

    def on_open_position(self, order):
        risk = self.entry_atr * 2
        if self.is_long:
            self.stop_loss = self.position.qty, self.position.entry_price - risk
            self.take_profit = self.position.qty, self.position.entry_price + risk * self.hp["reward"]
        else:
            self.stop_loss = self.position.qty, self.position.entry_price + risk
            self.take_profit = self.position.qty, self.position.entry_price - risk * self.hp["reward"]

    def update_position(self):
        self.vars["bars_held"] += 1
        if self.vars["bars_held"] >= self.hp["max_bars"]:
            self.liquidate()

    def on_close_position(self, order, closed_trade):
        self.vars["last_exit"] = self.index

    def hyperparameters(self):
        return [
            {"name": "adx_threshold", "type": int, "min": 15, "max": 30, "step": 1, "default": 20},
            {"name": "average_period", "type": int, "min": 10, "max": 60, "step": 5, "default": 30},
            {"name": "dip", "type": int, "min": 15, "max": 40, "step": 1, "default": 30},
            {"name": "cool_down", "type": int, "min": 0, "max": 24, "step": 2, "default": 6},
            {"name": "reward", "type": float, "min": 1.0, "max": 3.0, "step": 0.25, "default": 1.5},
            {"name": "max_bars", "type": int, "min": 12, "max": 96, "step": 12, "default": 48},
        ]
