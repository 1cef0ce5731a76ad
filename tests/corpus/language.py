"""Strings, helpers, loops, comprehensions, exceptions and functions of the module."""

import jesse.indicators as ta
import numpy as np
from jesse import utils
from jesse.strategies import Strategy, cached

LEVELS = (30, 70)
SETTINGS = {"fast": 5, "slow": 21}


def mean_of(a, b=0.0):
    return (a + b) / 2


def direction(change, threshold=0.0):
    if change > threshold:
        return "up"
    if change < -threshold:
        return "down"
    return "flat"


class Base(Strategy):
    """Enters at the market when `signal` is positive or negative, and leaves when it turns."""

    def hyperparameters(self):
        return [
            {"name": "n", "type": int, "min": 3, "max": 30, "default": 9},
            {"name": "kind", "type": "categorical", "options": ["trend", "counter"], "default": "trend"},
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

    @property
    def closes(self):
        return self.candles[:, 2]


class StringState(Base):
    def __init__(self):
        super().__init__()
        self.mood = "calm"

    def before(self):
        change = self.price / self.closes[-4] - 1
        if change > 0.005:
            self.mood = "greedy"
        elif change < -0.005:
            self.mood = "afraid"
        else:
            self.mood = "calm"

    def signal(self):
        if self.mood == "greedy":
            return 1
        return -1 if self.mood in ("afraid", "panicked") else 0


class StringStateOrNone(Base):
    def __init__(self):
        super().__init__()
        self.vars["side"] = None

    def before(self):
        if self.price > ta.sma(self.candles, self.hp["n"]):
            self.vars["side"] = "long"
        elif self.index % 7 == 0:
            self.vars["side"] = None
        else:
            self.vars["side"] = "short"

    def signal(self):
        if self.vars["side"] is None:
            return 0
        return 1 if self.vars["side"] == "long" else -1


class StringFromHelper(Base):
    def signal(self):
        way = direction(self.price - self.closes[-2], threshold=5)
        if way == "up":
            return 1
        elif way == "down":
            return -1
        return 0


class StringLocal(Base):
    def signal(self):
        way = "flat"
        if self.price > self.closes[-3]:
            way = "up"
        elif self.price < self.closes[-3]:
            way = "down"
        return {"up": 1}["up"] if way == "up" else -1 if way != "flat" else 0


class StringHyperparameter(Base):
    def signal(self):
        sign = 1 if self.hp["kind"] == "trend" else -1
        return sign * (self.price - ta.sma(self.candles, self.hp["n"]))


class StringHyperparameterAgainstState(Base):
    def __init__(self):
        super().__init__()
        self.last = "counter"

    def signal(self):
        sign = 1 if self.last == self.hp["kind"] else -1
        return sign * (self.price - ta.sma(self.candles, self.hp["n"]))

    def on_close_position(self, order, closed_trade):
        self.last = "trend" if closed_trade.pnl > 0 else "counter"


class ModuleFunction(Base):
    def signal(self):
        return self.price - mean_of(ta.sma(self.candles, 10), b=ta.ema(self.candles, 20))


class ModuleConstants(Base):
    def signal(self):
        rsi = ta.rsi(self.candles, self.hp["n"])
        if rsi < LEVELS[0]:
            return 1
        return (
            -1 if rsi > LEVELS[1] else ta.ema(self.candles, SETTINGS["fast"]) > ta.ema(self.candles, SETTINGS["slow"])
        )


class AllOver(Base):
    def signal(self):
        if all(self.candles[-i][2] > self.candles[-i][1] for i in range(1, 3)):
            return 1
        if all(self.candles[-i][2] < self.candles[-i][1] for i in range(1, 3)):
            return -1
        return 0


class AnyOver(Base):
    def signal(self):
        closes = self.closes
        limit = self.price * 1.004
        if any(closes[-i] > limit for i in range(2, self.hp["n"])):
            return -1
        return 1


class SumOver(Base):
    def signal(self):
        return sum(self.candles[-i, 2] - self.candles[-i, 1] for i in range(1, self.hp["n"]) if i % 2 == 0)


class MaximumOver(Base):
    def signal(self):
        return (
            self.price
            - max([self.candles[-i][3] for i in range(2, 6)])
            + min(self.price - self.candles[-i][4] for i in range(2, 6))
        )


class CountOver(Base):
    def signal(self):
        return len([i for i in range(1, 10) if self.candles[-i][2] > self.candles[-i][1]]) - 5


class LoopOverTuple(Base):
    def signal(self):
        votes = 0
        for period in (5, 10, 20):
            if self.price > ta.sma(self.candles, period):
                votes += 1
            else:
                votes -= 1
        return votes


class LoopOverRange(Base):
    def signal(self):
        rising = 0
        for i in range(1, self.hp["n"]):
            if self.closes[-i] > self.closes[-i - 1]:
                rising += 1
            else:
                break
        return rising - 2


class WhileLoop(Base):
    def signal(self):
        i = 1
        while i < 20 and self.closes[-i] >= self.closes[-i - 1]:
            i += 1
        return i - 3


class TupleFromHelper(Base):
    def band(self, width=1.0):
        middle = ta.sma(self.candles, self.hp["n"])
        span = ta.atr(self.candles, 14) * width
        return middle - span, middle, middle + span

    def signal(self):
        low, _, high = self.band(width=0.8)
        if self.price > high:
            return 1
        return -1 if self.price < low else 0


class DroppedLogging(Base):
    def signal(self):
        value = self.price - ta.sma(self.candles, self.hp["n"])
        text = f"{value:.2f}"
        if value > 0:
            self.log(f"above {text}")
        if self.index % 500 == 499:
            print(f"{self.symbol} {value}")
        return value


class RaisesInTheMiddle(Base):
    def signal(self):
        if self.index > 400:
            raise ValueError(f"too late {self.index}")
        return self.price - ta.sma(self.candles, self.hp["n"])


class AssertsInTheMiddle(Base):
    def signal(self):
        assert self.index < 300, "too late"
        return self.price - ta.sma(self.candles, self.hp["n"])


class CachedHelper(Base):
    @property
    @cached
    def trend(self):
        return self.price - ta.ema(self.candles, self.hp["n"])

    def signal(self):
        return self.trend

    def on_open_position(self, order):
        self.stop_loss = self.position.qty, self.price - abs(self.trend) - 20 if self.is_long else self.price + 50


class Inheritance(TupleFromHelper):
    def signal(self):
        return super_signal(self.price, ta.sma(self.candles, self.hp["n"]))


def super_signal(price, average):
    return np.sign(price - average)


class KeywordsAndDefaults(Base):
    @staticmethod
    def gap(a, b, *, scale=100):
        return (a - b) * scale

    def signal(self):
        return self.gap(self.price, b=ta.sma(self.candles, self.hp["n"]))


class NumericChecks(Base):
    def signal(self):
        ratio = self.price / ta.sma(self.candles, 15)
        if np.isnan(ratio):
            return 0
        return round((ratio - 1) * 1000) if abs(ratio - 1) > 0.001 else int(ratio > 1) - int(ratio < 1)
