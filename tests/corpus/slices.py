"""Slices of the candles and of series, windows and their reductions, indicators of columns and of indicators."""

import jesse.indicators as ta
import numpy as np
from jesse import utils
from jesse.strategies import Strategy


class Trader(Strategy):
    """Enters at the market when `signal` is positive or negative, and leaves when it turns."""

    def hyperparameters(self):
        return [{"name": "n", "type": int, "min": 3, "max": 30, "default": 9}]

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
        if self.is_long and self.signal() < 0:
            self.liquidate()
        elif self.is_short and self.signal() > 0:
            self.liquidate()


class WithoutTheNewest(Trader):
    def signal(self):
        return self.price - ta.sma(self.candles[:-1], self.hp["n"])


class WithoutTheNewestThree(Trader):
    def signal(self):
        return ta.rsi(self.candles[:-3], self.hp["n"]) - ta.rsi(self.candles, self.hp["n"])


class WithoutTheNewestSequential(Trader):
    def signal(self):
        series = ta.ema(self.candles[:-1], self.hp["n"], sequential=True)
        return series[-1] - series[-2]


class LastRowsOnly(Trader):
    def signal(self):
        return self.price - ta.ema(self.candles[-60:], self.hp["n"])


class LastRowsBeforeTheNewest(Trader):
    def signal(self):
        return self.price - ta.ema(self.candles[-50:-1], self.hp["n"])


class LastRowsByHyperparameter(Trader):
    def signal(self):
        return ta.atr(self.candles[-self.hp["n"] * 4 :], 5) - ta.atr(self.candles, 5)


class LastRowsSequential(Trader):
    def signal(self):
        return self.price - ta.ema(self.candles[-100:], self.hp["n"], sequential=True)[-1]


class ColumnOfCandles(Trader):
    def signal(self):
        closes = self.candles[:, 2]
        return closes[-1] - closes[-1 - self.hp["n"]]


class ColumnBoundToName(Trader):
    def signal(self):
        highs, lows = self.candles[:, 3], self.candles[:, 4]
        return (self.price - lows[-2]) - (highs[-2] - self.price)


class ColumnWithoutTheNewest(Trader):
    def signal(self):
        closes = self.candles[:-1, 2]
        return closes[-1] - closes[-2]


class IndicatorOfColumn(Trader):
    def signal(self):
        return self.price - ta.sma(self.candles[:, 2], self.hp["n"])


class IndicatorOfColumnSequential(Trader):
    def signal(self):
        highs = ta.ema(self.candles[:, 3], self.hp["n"], sequential=True)
        return self.price - highs[-1] + self.price - highs[-3]


class IndicatorOfVolume(Trader):
    def signal(self):
        return ta.sma(self.candles[:, 5], 5) - ta.sma(self.candles[:, 5], self.hp["n"] + 5)


class IndicatorOfColumnWindow(Trader):
    def signal(self):
        return self.price - ta.ema(self.candles[-40:, 2], self.hp["n"])


class IndicatorOfIndicator(Trader):
    def signal(self):
        rsi = ta.rsi(self.candles, 14, sequential=True)
        return rsi[-1] - ta.sma(rsi, self.hp["n"])


class IndicatorOfIndicatorSequential(Trader):
    def signal(self):
        slow = ta.sma(ta.ema(self.candles, 5, sequential=True), self.hp["n"], sequential=True)
        return slow[-1] - slow[-2]


class IndicatorOfField(Trader):
    def signal(self):
        line = ta.macd(self.candles, sequential=True).macd
        return line[-1] - ta.ema(line, self.hp["n"])


class WindowMaximum(Trader):
    def signal(self):
        top, bottom = np.max(self.candles[-20:, 3]), np.min(self.candles[-20:, 4])
        return self.price - (top + bottom) / 2


class WindowMaximumWithoutTheNewest(Trader):
    def signal(self):
        if self.price > max(self.candles[-self.hp["n"] : -1, 3]):
            return 1
        if self.price < min(self.candles[-self.hp["n"] : -1, 4]):
            return -1
        return 0


class WindowMean(Trader):
    def signal(self):
        return self.price - np.mean(self.candles[-self.hp["n"] * 10 :, 2])


class WindowMethod(Trader):
    def signal(self):
        return self.price - self.candles[-12:, 2].mean() - 0.1 * self.candles[-12:, 2].std()


class WindowSum(Trader):
    def signal(self):
        return sum(self.candles[-3:, 5]) - np.sum(self.candles[-9:, 5]) / 3


class WindowArgmax(Trader):
    def signal(self):
        return np.argmax(self.candles[-10:, 3]) - np.argmin(self.candles[-10:, 4])


class WindowOfIndicator(Trader):
    def signal(self):
        rsi = ta.rsi(self.candles, self.hp["n"], sequential=True)
        return rsi[-1] - np.mean(rsi[-10:])


class WindowOfIndicatorMaximum(Trader):
    def signal(self):
        ema = ta.ema(self.candles, self.hp["n"], sequential=True)
        return 1 if ema[-1] >= max(ema[-5:]) else -1 if ema[-1] <= min(ema[-5:]) else 0


class LengthOfCandles(Trader):
    def signal(self):
        if len(self.candles) < 300:
            return 0
        return self.candles[-1][2] - self.candles[-2][2]


class SeriesArithmetic(Trader):
    def signal(self):
        fast = ta.ema(self.candles, 5, sequential=True)
        slow = ta.ema(self.candles, self.hp["n"], sequential=True)
        gap = fast - slow
        return gap[-1] - gap[-2] * 0.5
