"""Indicators and slices whose arguments become known, or are chosen, in different ways."""

import jesse.indicators as ta
import numpy as np
from jesse import utils
from jesse.strategies import Strategy


class Base(Strategy):
    """Enters at the market when `signal` is positive or negative, and leaves when it turns."""

    slow_period = 17

    def __init__(self):
        super().__init__()
        self.period = 12
        self.vars["quick"] = 5
        self.length = 8
        self.vars["count"] = 6

    def hyperparameters(self):
        return [
            {"name": "n", "type": int, "min": 3, "max": 30, "default": 9},
            {"name": "source", "type": "categorical", "options": ["close", "hl2", "high"], "default": "hl2"},
            {"name": "kind", "type": int, "min": 0, "max": 3, "default": 1},
        ]

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


class PeriodOfAttribute(Base):
    def signal(self):
        return ta.ema(self.candles, self.period) - ta.ema(self.candles, self.slow_period)


class PeriodOfVariable(Base):
    def signal(self):
        return self.price - ta.sma(self.candles, self.vars["quick"])


class PeriodThatChanges(Base):
    def before(self):
        self.length = 5 + self.index % 9

    def signal(self):
        return self.price - ta.ema(self.candles, self.length)


class PeriodOfTheLastTrade(Base):
    def on_close_position(self, order, closed_trade):
        self.vars["count"] = self.vars["count"] % 20 + (3 if closed_trade.pnl > 0 else 1)

    def signal(self):
        return ta.rsi(self.candles, self.vars["count"] + 3) - 50


class PeriodOfVolatility(Base):
    def signal(self):
        steps = int(ta.atr(self.candles, 14) / self.price * 1000)
        return ta.ema(self.candles, 3 + steps) - ta.ema(self.candles, 9 + steps)


class FactorThatChanges(Base):
    def signal(self):
        factor = 1.0 + self.trades_count % 4 * 0.5
        bands = ta.supertrend(self.candles, 10, factor)
        return self.price - bands.trend


class ChangingSequential(Base):
    def signal(self):
        line = ta.ema(self.candles, 4 + self.index % 5, sequential=True)
        return line[-1] - line[-3]


class ChangingCrossed(Base):
    def signal(self):
        line = ta.sma(self.candles, 4 + self.index % 5, sequential=True)
        closes = self.candles[:, 2]
        return 1 if utils.crossed(closes, line, "above") else -1 if utils.crossed(closes, line, "below") else 0


class ChangingOfColumn(Base):
    def signal(self):
        return self.price - ta.ema(self.candles[:, 3], 4 + self.index % 5) * 0.5 - ta.ema(self.candles[:, 4], 5) * 0.5


class ChangingWithoutTheNewest(Base):
    def signal(self):
        return self.price - ta.ema(self.candles[:-1], 4 + self.index % 5)


class ChangingLength(Base):
    def signal(self):
        return self.price - ta.ema(self.candles[-(10 + self.index % 20) :], 4)


class ChangingWindow(Base):
    def signal(self):
        n = 4 + self.index % 9
        return self.price - (np.max(self.candles[-n:, 3]) + np.min(self.candles[-n:, 4])) / 2


class ChangingIndex(Base):
    def signal(self):
        back = 1 + self.index % 5
        return self.price - self.candles[-back - 1, 2] + self.candles[-back][1] - self.candles[len(self.candles) - 3, 1]


class ChangingInCallback(Base):
    def should_long(self):
        return self.index % 3 == 0

    def go_long(self):
        self.buy = utils.size_to_qty(self.balance * 0.1, self.price), self.price * 0.998

    def go_short(self):
        self.sell = utils.size_to_qty(self.balance * 0.1, self.price), self.price * 1.002

    def on_open_position(self, order):
        distance = ta.atr(self.candles, 5 + self.trades_count % 7)
        self.stop_loss = self.position.qty, self.price - distance
        self.take_profit = self.position.qty, self.price + distance


class SourceByHyperparameter(Base):
    def signal(self):
        return self.price - ta.ema(self.candles, self.hp["n"], source_type=self.hp["source"])


class SourceByConditions(Base):
    @property
    def source(self):
        if self.hp["kind"] == 0:
            return "close"
        elif self.hp["kind"] == 1:
            return "hl2"
        elif self.hp["kind"] == 2:
            return "ohlc4"
        return "high"

    def signal(self):
        return self.price - ta.ema(self.candles, self.hp["n"], source_type=self.source)


class SourceByLocalConditions(Base):
    def signal(self):
        kind = self.hp["kind"]
        if kind == 0:
            source, period = "close", 5
        elif kind < 3:
            source, period = "hlc3", 9
        else:
            source, period = "low", self.hp["n"] * 2
        return self.price - ta.ema(self.candles, period, source_type=source)


class SourceByDictionary(Base):
    SOURCES = {0: "close", 1: "hl2", 2: "ohlc4", 3: "open"}

    def signal(self):
        return self.price - ta.sma(self.candles, self.hp["n"], source_type=self.SOURCES[self.hp["kind"]])


class AverageByConditions(Base):
    def average(self, period):
        if self.hp["kind"] == 0:
            return ta.sma(self.candles, period)
        if self.hp["kind"] == 1:
            return ta.ema(self.candles, period)
        return ta.hma(self.candles, period)

    def signal(self):
        return self.average(5) - self.average(self.hp["n"] + 5)


class SeriesByConditions(Base):
    @property
    def line(self):
        if self.hp["kind"] == 0:
            return ta.sma(self.candles, self.hp["n"], sequential=True)
        elif self.hp["kind"] == 1:
            return ta.ema(self.candles, self.hp["n"], sequential=True)
        else:
            return ta.wma(self.candles, self.hp["n"], sequential=True)

    def signal(self):
        return self.line[-1] - self.line[-3] + ta.sma(self.line, 5) * 0


class FieldByUnpacking(Base):
    def signal(self):
        upper, middle, lower = ta.bollinger_bands(self.candles, self.hp["n"])
        return self.price - middle if upper - lower > self.price * 0.005 else 0


class FieldByIndex(Base):
    def signal(self):
        return self.price - ta.donchian(self.candles, self.hp["n"])[1]


class FieldOfSequentialByIndex(Base):
    def signal(self):
        macd = ta.macd(self.candles, 5, self.hp["n"] + 8, 4, sequential=True)
        return macd[0][-1] - macd[1][-1] + (macd.hist[-2] - macd[2][-2])


class DeepLag(Base):
    def signal(self):
        line = ta.ema(self.candles, self.hp["n"], sequential=True)
        return line[-1] - line[-19] + line[-self.hp["n"]] - line[-self.hp["n"] - 7]


class IndicatorOfIndicatorOfSlice(Base):
    def signal(self):
        line = ta.sma(self.candles[:-1], 3, sequential=True)
        return ta.sma(line, self.hp["n"]) - line[-1] + ta.sma(line[:-1], 3) - ta.sma(line[-9:], 4)
