"""What the strategies of one rule each begin with.

`COVERS` is the paragraph. `ACCOUNT` overrides the futures account of 10,000 without leverage, with a fee of 6 bps;
`TIMEFRAME` and `MARKET` the five minutes and the market with gaps.
"""

from jesse.strategies import Strategy


class Base(Strategy):
    """Goes long and short in turns, at the market, and leaves after three bars."""

    ACCOUNT = {}
    TIMEFRAME = "5m"
    MARKET = "gaps"
    COVERS = ""

    def should_long(self):
        return self.index % 8 == 1

    def should_short(self):
        return self.index % 8 == 5 and not self.is_spot_trading

    def go_long(self):
        self.buy = 1, self.price

    def go_short(self):
        self.sell = 1, self.price

    def update_position(self):
        if self.index % 4 == 0:
            self.liquidate()
