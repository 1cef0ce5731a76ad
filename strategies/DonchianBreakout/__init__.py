"""Breakout from a Donchian channel with stop orders.

Idea: in the direction of the longer trend, wait with a stop order at the edge of the channel; risk a few average true
ranges and aim at a multiple of that risk.
Market: trending ones; written for BTC-USD at 1h, futures.
Source: the channel rule of Richard Donchian; stops after the Turtle rules, which count in average true ranges.

The size is a share of the available margin, because Jesse never gives back the margin of a waiting entry that was
filled at an opening gap.
"""

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy


class DonchianBreakout(Strategy):
    @property
    def channel(self):
        return ta.donchian(self.candles, self.hp["channel_period"])

    @property
    def trend(self):
        return ta.ema(self.candles, self.hp["trend_period"])

    @property
    def risk(self):
        return ta.atr(self.candles, 14) * self.hp["stop_atr"]

    def should_long(self):
        return self.price > self.trend

    def should_short(self):
        return self.price < self.trend

    def should_cancel_entry(self):
        # The channel has moved: ask again at its new edge.
        return True

    def go_long(self):
        entry = self.channel.upperband
        stop = entry - self.risk
        qty = self.entry_qty(entry, stop)
        self.buy = qty, entry
        self.stop_loss = qty, stop
        self.take_profit = qty, entry + self.risk * self.hp["reward"]

    def go_short(self):
        entry = self.channel.lowerband
        stop = entry + self.risk
        qty = self.entry_qty(entry, stop)
        self.sell = qty, entry
        self.stop_loss = qty, stop
        self.take_profit = qty, entry - self.risk * self.hp["reward"]

    def entry_qty(self, entry, stop):
        capital = self.available_margin * 0.05
        return utils.risk_to_qty(capital, 2, entry, stop, precision=6, fee_rate=self.fee_rate)

    def hyperparameters(self):
        return [
            {"name": "channel_period", "type": int, "min": 10, "max": 60, "step": 1, "default": 20},
            {"name": "trend_period", "type": int, "min": 50, "max": 150, "step": 10, "default": 100},
            {"name": "stop_atr", "type": float, "min": 1.0, "max": 4.0, "step": 0.25, "default": 2.0},
            {"name": "reward", "type": float, "min": 1.0, "max": 4.0, "step": 0.5, "default": 2.0},
        ]
