"""Buy below the lower Bollinger band, sell at the middle one. Long only: runs in spot as well as in futures.

Idea: a close below the band is an exaggeration that is corrected within a few bars; if it is not, a stop or the clock
ends the trade.
Market: ranging ones without a fall; written for BTC-USD at 1h, spot.
Source: John Bollinger's bands (Bollinger on Bollinger Bands, 2001) in their usual mean-reversion reading.
"""

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy


class BollingerSpot(Strategy):
    def __init__(self):
        super().__init__()
        self.entered_at = 0

    @property
    def bands(self):
        return ta.bollinger_bands(self.candles, self.hp["period"], self.hp["deviation"], self.hp["deviation"])

    def should_long(self):
        return self.price < self.bands.lowerband

    def should_short(self):
        return False

    def go_long(self):
        self.entered_at = self.index
        qty = utils.size_to_qty(self.balance * 0.5, self.price, fee_rate=self.fee_rate)
        self.buy = qty, self.price

    def go_short(self):
        pass

    def on_open_position(self, order):
        # In spot an exit may not be set before the coins are there, and only for what is left of them after the fee.
        self.stop_loss = self.position.qty, self.position.entry_price * (1 - self.hp["stop_loss"])

    def update_position(self):
        too_long = self.index - self.entered_at >= self.hp["max_bars"]
        if self.price > self.bands.middleband or too_long:
            self.liquidate()

    def hyperparameters(self):
        return [
            {"name": "period", "type": int, "min": 10, "max": 40, "step": 1, "default": 20},
            {"name": "deviation", "type": float, "min": 1.5, "max": 2.5, "step": 0.1, "default": 2.0},
            {"name": "stop_loss", "type": float, "min": 0.02, "max": 0.1, "step": 0.01, "default": 0.05},
            {"name": "max_bars", "type": int, "min": 12, "max": 72, "step": 6, "default": 36},
        ]
