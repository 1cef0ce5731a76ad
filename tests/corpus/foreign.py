"""Indicators that are not Jesse's: a project's own, TA-Lib's, tulipy's, numpy on whole arrays."""

import custom_indicators as cta
import jesse.indicators as ta
import numpy as np
import pandas as pd
import talib
from custom_indicators.speed import slope, squeezed
from jesse import utils
from jesse.strategies import Strategy


class Base(Strategy):
    """Enters at the market when `signal` is positive or negative, and leaves when it turns."""

    def hyperparameters(self):
        return [{"name": "n", "type": int, "min": 4, "max": 30, "default": 9}]

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


class TalibOfColumn(Base):
    def signal(self):
        rsi = talib.RSI(self.candles[:, 2], timeperiod=self.hp["n"])
        return rsi[-1] - 50


class TalibOfColumns(Base):
    @property
    def range(self):
        return talib.ATR(self.candles[:, 3], self.candles[:, 4], self.candles[:, 2], self.hp["n"])

    def signal(self):
        move = self.candles[-1, 2] - self.candles[-2, 2]
        return 0 if abs(move) < 0.3 * self.range[-1] else move


class TalibLagged(Base):
    def signal(self):
        kama = talib.KAMA(self.candles[:, 2], self.hp["n"])
        return kama[-1] - kama[-4]


class TalibTuple(Base):
    def signal(self):
        line, signal, _ = talib.MACD(self.candles[:, 2], 5, self.hp["n"] + 10, 4)
        return line[-1] - signal[-1]


class TalibPattern(Base):
    @property
    def open_(self):
        return self.candles[:, 1]

    def signal(self):
        engulfing = talib.CDLENGULFING(self.open_, self.candles[:, 3], self.candles[:, 4], self.candles[:, 2])
        return 1 if engulfing[-1] > 0 else -1 if engulfing[-1] < 0 else 0


class TalibWithoutTheNewest(Base):
    def signal(self):
        return self.price - talib.MAX(self.candles[:-1, 3], 5)[-1] * 0.5 - talib.MIN(self.candles[:-1, 4], 5)[-1] * 0.5


class TalibOfWindow(Base):
    def signal(self):
        return self.price - talib.EMA(self.candles[-60:, 2], self.hp["n"])[-1]


class TalibOfIndicator(Base):
    def signal(self):
        rsi = ta.rsi(self.candles, 7, sequential=True)
        return rsi[-1] - talib.SMA(rsi, self.hp["n"])[-1]


class ShorterArrays(Base):
    """As tulipy returns them: without the rows of which nothing is known."""

    def signal(self):
        candles = self.candles
        average = cta.weighted(np.ascontiguousarray(candles[:, 2]), np.ascontiguousarray(candles[:, 5]), self.hp["n"])
        return self.price - average[-1] + (average[-1] - average[-2])


class OwnLastValue(Base):
    def signal(self):
        return self.price - cta.smoothed(self.candles, self.hp["n"])


class OwnSequential(Base):
    def signal(self):
        line = cta.smoothed(self.candles, length=self.hp["n"], source_type="hl2", sequential=True)
        return line[-1] - line[-3]


class OwnWithoutTheNewest(Base):
    def signal(self):
        return cta.smoothed(self.candles[:-1], 5) - cta.smoothed(self.candles, self.hp["n"])


class OwnCrossed(Base):
    def signal(self):
        fast = cta.smoothed(self.candles, 3, sequential=True)
        slow = cta.smoothed(self.candles, self.hp["n"], sequential=True)
        return 1 if utils.crossed(fast, slow, "above") else -1 if utils.crossed(fast, slow, "below") else 0


class OwnOrNone(Base):
    def signal(self):
        line = cta.hull(self.candles, self.hp["n"])
        if line is None:
            return 0
        return self.price - line


class OwnNamedTuple(Base):
    def signal(self):
        return self.price - cta.channel(self.candles, self.hp["n"]).middle


class OwnNamedTupleSequential(Base):
    def signal(self):
        top, _, bottom = cta.channel(self.candles[:-1], self.hp["n"], sequential=True)
        return 1 if self.price > top[-1] else -1 if self.price < bottom[-1] else 0


class OwnTupleOfArrays(Base):
    def signal(self):
        top, bottom = cta.edges(self.candles[:, 3], self.candles[:, 4], self.hp["n"])
        return self.price - (top[-1] + bottom[-1]) / 2


class OwnComposed(Base):
    def signal(self):
        return cta.distance(self.candles, self.hp["n"], factor=1.5)


class OwnBoolean(Base):
    def signal(self):
        if squeezed(self.candles, self.hp["n"]):
            return 0
        return self.candles[-1, 2] - self.candles[-5, 2]


class OwnNumbaOfNumbers(Base):
    def before(self):
        self.vars["steepness"] = slope(self.candles[-self.hp["n"], 2], self.price, self.hp["n"])

    def signal(self):
        return self.vars["steepness"]


class OwnOfLargerTimeframe(Base):
    def signal(self):
        big = self.get_candles(self.exchange, self.symbol, "4h")
        return self.price - cta.smoothed(big, self.hp["n"])


class OwnInCallback(Base):
    def on_open_position(self, order):
        self.vars["line"] = cta.smoothed(self.candles, self.hp["n"])

    def signal(self):
        return self.price - talib.EMA(self.candles[:, 2], 5)[-1]

    def update_position(self):
        if abs(self.price / self.vars["line"] - 1) > 0.003:
            self.liquidate()


class IndicatorOfOwn(Base):
    def signal(self):
        line = cta.smoothed(self.candles, 5, sequential=True)
        return self.price - ta.sma(line, self.hp["n"])


class IndicatorOfComputedArray(Base):
    def signal(self):
        body = self.candles[:, 2] - self.candles[:, 1]
        return ta.sma(body, self.hp["n"])


class IndicatorOfComputedArraySequential(Base):
    def signal(self):
        spread = np.abs(self.candles[:, 3] - self.candles[:, 4]) / self.candles[:, 2]
        average = ta.ema(spread, self.hp["n"], sequential=True)
        return (self.candles[-1, 2] - self.candles[-2, 2]) if average[-1] > average[-2] else 0


class IndicatorOfMultiplied(Base):
    def signal(self):
        money = np.multiply(self.candles[:, 2], self.candles[:, 5])
        return self.price - ta.sma(money, self.hp["n"]) / ta.sma(self.candles[:, 5], self.hp["n"])


class WhereOnArrays(Base):
    def signal(self):
        up = np.where(self.candles[:, 2] > self.candles[:, 1], 1, -1)
        return up[-1] + up[-2] + up[-3]


class DifferencesOfArrays(Base):
    def signal(self):
        steps = np.diff(self.candles[:, 2])
        return steps[-1] + steps[-2] + np.mean(steps[-self.hp["n"] :])


class AllOfWindow(Base):
    def signal(self):
        rising = self.candles[-3:, 2] > self.candles[-3:, 1]
        if rising.all():
            return -1
        return 0 if rising.any() else 1


class CountInWindow(Base):
    def signal(self):
        return np.sum(self.candles[-self.hp["n"] :, 2] > self.candles[-self.hp["n"] :, 1]) - self.hp["n"] / 2


class LastPlaceInArray(Base):
    def signal(self):
        places = np.where(self.candles[-60:, 2] > self.candles[-60:, 3] * 0.9999)[0]
        if len(places) == 0:
            return 0
        return 1 if places[-1] > 50 else -1


class Percentile(Base):
    def signal(self):
        closes = self.candles[-5 * self.hp["n"] :, 2]
        low, high = np.percentile(closes, [30, 70])
        return 1 if self.price > high else -1 if self.price < low else 0


class Correlation(Base):
    def signal(self):
        window = np.corrcoef(self.candles[-30:, 2], self.candles[-30:, 5])[0, 1]
        return window * (self.candles[-1, 2] - self.candles[-2, 2])


class MeanOfDifferences(Base):
    def signal(self):
        return (self.candles[1:, 2] - self.candles[:-1, 2])[-self.hp["n"] :].mean()


class OlderValuesChange(Base):
    def signal(self):
        return self.price - ta.mab(self.candles, self.hp["n"], 30, sequential=True).middleband[-2]


class RisesInARow(Base):
    def signal(self):
        series = ta.ema(self.candles, self.hp["n"], sequential=True)
        return 1 if utils.strictly_increasing(series, 3) else -1 if utils.strictly_decreasing(series, 3) else 0


class CrossedBefore(Base):
    def signal(self):
        average = ta.sma(self.candles, self.hp["n"], sequential=True)
        crossings = utils.crossed(self.candles[:, 2], average, sequential=True)
        return (self.candles[-1, 2] - self.candles[-4, 2]) if crossings[-3:].any() else 0


class ZScore(Base):
    def signal(self):
        return utils.z_score(utils.prices_to_returns(self.candles[-50:, 2])[1:])[-1]


class OfPandas(Base):
    def signal(self):
        closes = pd.Series(self.candles[:, 2])
        return self.price - closes.rolling(self.hp["n"]).mean().iloc[-1]


class OfPandasValues(Base):
    def signal(self):
        line = pd.Series(self.candles[:, 2]).ewm(span=self.hp["n"], adjust=False).mean().values
        return line[-1] - line[-3]


class OfDataFrame(Base):
    def frame(self):
        return pd.DataFrame(self.candles, columns=["date", "open", "close", "high", "low", "volume"])

    def signal(self):
        frame = self.frame()
        top = frame["high"].rolling(self.hp["n"]).max()
        bottom = frame["low"].rolling(self.hp["n"]).min()
        return self.price - (top.iloc[-1] + bottom.iloc[-1]) / 2


class FieldOfWords(Base):
    def signal(self):
        word = ta.hull_suit(self.candles, "Hma", self.hp["n"]).signal
        return 1 if word == "buy" else -1 if word == "sell" else 0


class NumbersOfTwoTimeframes(Base):
    def signal(self):
        big = self.get_candles(self.exchange, self.symbol, "4h")
        return np.mean(big[-5:, 2]) - np.max(big[-3:-1, 3]) * 0.5 - np.min(big[-9:, 4]) * 0.5


class MasksOfArrays(Base):
    def signal(self):
        up = (self.candles[:, 2] > self.candles[:, 1]) & (
            self.candles[:, 5] > ta.sma(self.candles[:, 5], 10, sequential=True)
        )
        return 1 if up[-1] and not up[-2] else -1 if np.any(~up[-self.hp["n"] :]) and not up[-1] else 0


class VariableIndexOfArrays(Base):
    def signal(self):
        closes = self.candles[:, 2]
        spread = self.candles[:, 3] - self.candles[:, 4]
        back = 2 + self.index % 5
        return closes[-1] - closes[-back] - spread[-back] * 0.1
