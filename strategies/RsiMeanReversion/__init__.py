"""Buy weakness and sell strength with limit orders.

Idea: after an extreme of the relative strength index the price tends to come back; ask for a little more than the
market offers, for a few bars only, and leave when the index is neutral again.
Market: ranging ones; written for BTC-USD at 1h, futures.
Source: the usual reading of J. Welles Wilder's index (New Concepts in Technical Trading Systems, 1978).

The size is a share of the available margin, because Jesse never gives back the margin of a waiting entry that was
filled at an opening gap.
"""

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy


class RsiMeanReversion(Strategy):
    def __init__(self):
        super().__init__()
        self.asked_at = 0

    @property
    def rsi(self):
        return ta.rsi(self.candles, self.hp["rsi_period"])

    def should_long(self):
        return self.rsi < 50 - self.hp["extreme"]

    def should_short(self):
        return self.rsi > 50 + self.hp["extreme"]

    def go_long(self):
        self.asked_at = self.index
        entry = self.price * (1 - self.hp["discount"])
        self.buy = self.entry_qty(entry), entry

    def go_short(self):
        self.asked_at = self.index
        entry = self.price * (1 + self.hp["discount"])
        self.sell = self.entry_qty(entry), entry

    def entry_qty(self, entry):
        return utils.size_to_qty(self.available_margin * 0.05, entry, precision=6, fee_rate=self.fee_rate)

    def should_cancel_entry(self):
        return self.index - self.asked_at >= self.hp["patience"]

    def on_open_position(self, order):
        # Counted from the fill: an opening gap may have filled the order far beyond its price.
        distance = self.position.entry_price * self.hp["stop_loss"]
        if self.is_long:
            self.stop_loss = self.position.qty, self.position.entry_price - distance
        else:
            self.stop_loss = self.position.qty, self.position.entry_price + distance

    def update_position(self):
        if self.is_long and self.rsi > 50:
            self.liquidate()
        elif self.is_short and self.rsi < 50:
            self.liquidate()

    def hyperparameters(self):
        return [
            {"name": "rsi_period", "type": int, "min": 6, "max": 20, "step": 1, "default": 14},
            {"name": "extreme", "type": int, "min": 10, "max": 22, "step": 1, "default": 18},
            {"name": "discount", "type": float, "min": 0.001, "max": 0.006, "step": 0.001, "default": 0.003},
            {"name": "patience", "type": int, "min": 1, "max": 6, "step": 1, "default": 3},
            {"name": "stop_loss", "type": float, "min": 0.01, "max": 0.06, "step": 0.005, "default": 0.03},
        ]
