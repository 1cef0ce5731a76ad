"""Candles of larger timeframes, the newest of them forming."""

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy


class Base(Strategy):
    """Enters at the market when `signal` is positive or negative, and leaves when it turns."""

    def hyperparameters(self):
        return [{"name": "n", "type": int, "min": 3, "max": 30, "default": 9}]

    @property
    def big(self):
        return self.get_candles(self.exchange, self.symbol, "4h")

    def signal(self):
        return 0

    def should_long(self):
        return self.signal() > 0

    def should_short(self):
        return self.signal() < 0

    def go_long(self):
        self.buy = utils.size_to_qty(self.balance * 0.1, self.price), self.price

    def go_short(self):
        self.sell = utils.size_to_qty(self.balance * 0.1, self.price), self.price

    def update_position(self):
        if (self.is_long and self.signal() < 0) or (self.is_short and self.signal() > 0):
            self.liquidate()


class IndicatorOfLarger(Base):
    def signal(self):
        return self.price - ta.sma(self.big, self.hp["n"])


class IndicatorOfAnchor(Base):
    def signal(self):
        candles = self.get_candles(self.exchange, self.symbol, utils.anchor_timeframe(self.timeframe))
        return self.price - ta.ema(candles, self.hp["n"])


class IndicatorOfLargerSequential(Base):
    def signal(self):
        ema = ta.ema(self.big, self.hp["n"], sequential=True)
        return ema[-1] - ema[-2]


class IndicatorOfLargerClosed(Base):
    def signal(self):
        return self.price - ta.ema(self.big[:-1], self.hp["n"])


class FieldsOfLarger(Base):
    def signal(self):
        trend = ta.supertrend(self.big, 7, 2.5)
        return self.price - trend.trend


class ScalarsOfLarger(Base):
    def signal(self):
        return self.big[-1][2] - self.big[-2, 2] + self.big[-1, 3] - self.big[-1, 1]


class VolumeOfLarger(Base):
    def signal(self):
        return self.big[-1, 5] - self.big[-2, 5]


class ColumnOfLarger(Base):
    def signal(self):
        closes = self.big[:, 2]
        return closes[-1] - closes[-3]


class TwoTimeframes(Base):
    def signal(self):
        day = self.get_candles(self.exchange, self.symbol, "1D")
        return (self.price - ta.sma(self.big, 5)) + (self.price - ta.sma(day, 2)) * 0.1


class SmallerTimeframe(Base):
    def signal(self):
        small = self.get_candles(self.exchange, self.symbol, "15m")
        return ta.rsi(small, self.hp["n"]) - 50
