"""What a strategy sees of candles, paragraph by paragraph of section 4 of the specification."""

import jesse.indicators as ta
from base import Base


class LargerTimeframe(Base):
    """The newest candle of another timeframe forms."""

    COVERS = "4.1"
    DATA = ("15m", "1h")

    def should_long(self):
        quarter = self.get_candles(self.exchange, self.symbol, "15m")
        hour = self.get_candles(self.exchange, self.symbol, "1h")
        return self.index % 8 == 1 and quarter[-1, 2] + hour[-1, 5] * 0.01 > hour[-1, 1] and quarter[-2, 3] > 0


class ShortWindow(Base):
    """An indicator restarts on the last warm_up_candles rows."""

    COVERS = "4.3"
    ACCOUNT = {"warm_up_candles": 15}

    def should_long(self):
        return self.index % 4 == 1 and self.price > ta.ema(self.candles, 9)

    def should_short(self):
        return self.index % 4 == 1 and self.price < ta.ema(self.candles, 9)


class WholeHistory(Base):
    """A sequential indicator sees every row; without a window so does any."""

    COVERS = "4.3"
    ACCOUNT = {"warm_up_candles": 0}

    def should_long(self):
        return self.index % 8 == 1 and self.price > ta.ema(self.candles, 9, sequential=True)[-1]

    def should_short(self):
        return self.index % 8 == 5 and ta.rsi(self.candles, 7) > 50


class NoWarmUp(Base):
    """Without candles before the start indicators begin as NaN."""

    COVERS = "4.2"
    MARKET = "cold"

    def should_long(self):
        return self.price > ta.sma(self.candles, 10)

    def should_short(self):
        return False
