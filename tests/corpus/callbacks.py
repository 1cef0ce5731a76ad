"""Candles, windows, other timeframes and indicators in callbacks of fills, while the newest candle is forming."""

import jesse.indicators as ta
import numpy as np
import talib
from jesse import utils
from jesse.strategies import Strategy


class Base(Strategy):
    """Enters by a limit order off the market, so that fills happen within bars; exits are set when it opens."""

    def hyperparameters(self):
        return [{"name": "n", "type": int, "min": 3, "max": 30, "default": 9}]

    def distance(self):
        return self.price * 0.01

    def should_long(self):
        return self.index % 3 == 0

    def should_short(self):
        return self.index % 3 == 1

    def go_long(self):
        self.buy = utils.size_to_qty(self.balance * 0.1, self.price), self.price * 0.998

    def go_short(self):
        self.sell = utils.size_to_qty(self.balance * 0.1, self.price), self.price * 1.002

    def on_open_position(self, order):
        distance = abs(self.distance()) * 0.5 + self.price * 0.003
        if self.is_long:
            self.stop_loss = self.position.qty, self.price - distance
            self.take_profit = self.position.qty, self.price + distance
        else:
            self.stop_loss = self.position.qty, self.price + distance
            self.take_profit = self.position.qty, self.price - distance


class WindowOfHighs(Base):
    def distance(self):
        return np.max(self.candles[-5:, 3]) - np.min(self.candles[-5:, 4])


class WindowByHyperparameter(Base):
    def distance(self):
        return max(self.candles[-self.hp["n"] :, 3]) - min(self.candles[-self.hp["n"] :, 4])


class WindowMeanAndDeviation(Base):
    def distance(self):
        return self.candles[-20:, 2].std() + self.price - np.mean(self.candles[-12:, 2])


class WindowSumOfVolume(Base):
    def distance(self):
        return self.price * 0.01 * (sum(self.candles[-2:, 5]) / np.sum(self.candles[-9:, 5]))


class WindowPlaces(Base):
    def distance(self):
        return self.price * 0.001 * (np.argmax(self.candles[-10:, 3]) - np.argmin(self.candles[-10:, 4]))


class WindowWithoutTheForming(Base):
    def distance(self):
        return np.max(self.candles[-6:-1, 3]) - np.min(self.candles[-6:-1, 4])


class WindowOfIndicator(Base):
    def distance(self):
        line = ta.ema(self.candles, self.hp["n"], sequential=True)
        return np.max(line[-10:]) - np.min(line[-10:])


class LagsOfIndicator(Base):
    def distance(self):
        line = ta.ema(self.candles, self.hp["n"], sequential=True)
        return line[-1] - line[-2] + line[-1] - line[-4]


class LargerCandles(Base):
    def distance(self):
        big = self.get_candles(self.exchange, self.symbol, "4h")
        return big[-1, 3] - big[-1, 4] + big[-1][2] - big[-2][1] + big[-3, 2] - big[-3, 1]


class LargerVolume(Base):
    def distance(self):
        big = self.get_candles(self.exchange, self.symbol, "4h")
        return self.price * 0.01 * big[-1, 5] / (big[-1, 5] + big[-2, 5])


class LargerIndicator(Base):
    def distance(self):
        big = self.get_candles(self.exchange, self.symbol, "4h")
        return ta.atr(big, self.hp["n"]) + self.price - ta.ema(big, 5)


class LargerIndicatorLagged(Base):
    def distance(self):
        big = self.get_candles(self.exchange, self.symbol, "4h")
        line = ta.ema(big, self.hp["n"], sequential=True)
        return line[-1] - line[-2] + line[-3] - ta.sma(big[:-1], 4)


class LargerFields(Base):
    def distance(self):
        channel = ta.donchian(self.get_candles(self.exchange, self.symbol, "4h"), self.hp["n"])
        return channel.upperband - channel.lowerband


class ReducedAndIncreased(Base):
    def go_long(self):
        qty = utils.size_to_qty(self.balance * 0.1, self.price)
        self.buy = [(qty, self.price * 0.999), (qty, self.price * 0.997)]

    def go_short(self):
        qty = utils.size_to_qty(self.balance * 0.1, self.price)
        self.sell = [(qty, self.price * 1.001), (qty, self.price * 1.003)]

    def on_increased_position(self, order):
        swing = np.max(self.candles[-8:, 3]) - np.min(self.candles[-8:, 4])
        side = 1 if self.is_long else -1
        half = self.position.qty / 2
        self.take_profit = [(half, self.price + side * swing), (half, self.price + side * swing * 2)]
        self.stop_loss = self.position.qty, self.price - side * swing

    def on_reduced_position(self, order):
        side = 1 if self.is_long else -1
        self.stop_loss = self.position.qty, self.price - side * ta.atr(self.candles, self.hp["n"])


class OfPythonAtTheMarket(Base):
    """An indicator that only Python computes is known where the entry is filled at the end of a bar."""

    def go_long(self):
        self.buy = utils.size_to_qty(self.balance * 0.1, self.price), self.price

    def go_short(self):
        self.sell = utils.size_to_qty(self.balance * 0.1, self.price), self.price

    def distance(self):
        return talib.ATR(self.candles[:, 3], self.candles[:, 4], self.candles[:, 2], self.hp["n"])[-1]


class SmallerCandlesAtTheMarket(OfPythonAtTheMarket):
    def distance(self):
        small = self.get_candles(self.exchange, self.symbol, "15m")
        return ta.atr(small, self.hp["n"]) + small[-1, 3] - small[-2, 4]


class KeptAtTheEndOfTheBar(Base):
    def before(self):
        self.vars["range"] = talib.TRANGE(self.candles[:, 3], self.candles[:, 4], self.candles[:, 2])[-1]

    def distance(self):
        return self.vars["range"]
