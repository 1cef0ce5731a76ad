"""How code is put together: functions inside methods, lambdas, base classes, imports, and small expressions."""

import logging
import math

import jesse.indicators as ta
import numpy as np
from jesse import utils
from jesse.strategies import Strategy, cached

logger = logging.getLogger(__name__)
PERIODS = {"fast": 8, "slow": 21}


class Base(Strategy):
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
        if (self.is_long and self.signal() < 0) or (self.is_short and self.signal() > 0):
            self.liquidate()


class Scores:
    """Mixed in below."""

    weight = 2

    def score(self, change):
        return change * self.weight

    @staticmethod
    def clip(value, low=-1, high=1):
        return max(low, min(high, value))

    @classmethod
    def doubled(cls, value):
        return value * cls.weight


class WithMixin(Base, Scores):
    def signal(self):
        return self.clip(self.doubled(self.score(self.price - self.candles[-4, 2])))


class CallsItsBase(WithMixin):
    weight = 3

    def score(self, change):
        return super().score(change) - 1

    def update_position(self):
        super().update_position()
        if self.index % 50 == 0:
            self.liquidate()


class FunctionInside(Base):
    def signal(self):
        threshold = self.price * 0.002

        def far(a, b=0.0):
            distance = abs(a - b)
            return distance > threshold

        change = self.price - self.candles[-6, 2]
        if not far(change):
            return 0
        return change if far(self.price, b=self.open) else -change


class Lambdas(Base):
    def signal(self):
        change = lambda i: self.candles[-i, 2] - self.candles[-i - 1, 2]  # noqa: E731
        rising = max([1, 2, 3], key=change)
        return change(rising) - abs(change(1))


class Walrus(Base):
    def signal(self):
        if (change := self.price - self.candles[-3, 2]) > 0 and (gap := change / self.price) > 0.001:
            return gap
        return change


class StarArguments(Base):
    def weighted(self, *values, scale=1):
        total = 0
        for i, value in enumerate(values):
            total += value / (i + 1)
        return total * scale

    def signal(self):
        closes = (self.price - self.candles[-2, 2], self.price - self.candles[-5, 2])
        options = {"scale": 3}
        first, *rest = closes
        return self.weighted(*closes, first, **options) + sum(rest)


class GetattrAndHasattr(Base):
    def before(self):
        if not hasattr(self, "started"):
            self.started = self.price
        setattr(self, "seen", getattr(self, "seen", 0) + 1)

    def signal(self):
        level = getattr(self, "level", None)
        if isinstance(self.started, float) and level is None:
            return (self.price - self.started) * (1 if self.seen % 2 else -1)
        return 0


class LocalImport(Base):
    def signal(self):
        from math import sqrt

        import numpy

        return numpy.sign(self.price - self.candles[-4, 2]) * sqrt(abs(self.price - self.open)) - 0.5


class LoopElse(Base):
    def signal(self):
        n = 0
        while n < 10:
            n += 1
            if self.candles[-n, 2] < self.candles[-n, 1]:
                break
        else:
            return 1
        for i in (3, 6, 9):
            if self.price < self.candles[-i, 2]:
                continue
            if self.price > self.candles[-i, 3]:
                break
        else:
            return -1
        return n - 3


class MatchStatement(Base):
    def signal(self):
        match self.index % 5:
            case 0 | 1:
                return self.price - self.open
            case 2:
                return -1
            case _ if self.price > self.candles[-3, 2]:
                return 1
            case _:
                return 0


class ValuesOfAndOr(Base):
    def __init__(self):
        super().__init__()
        self.level = None
        self.name_of = ""

    def before(self):
        self.level = self.level or self.price
        self.name_of = self.name_of or ("up" if self.close > self.open else "")
        if self.index % 15 == 0:
            self.level, self.name_of = None, ""

    def signal(self):
        change = (self.level or self.close) - self.price
        return change and (1 if self.name_of == "up" else -1) * (change > 0 or -2)


class ChainsOfComparisons(Base):
    def __init__(self):
        super().__init__()
        self.flag = None

    def signal(self):
        low, high = self.candles[-2, 4], self.candles[-2, 3]
        if low < self.price < high != self.open:
            return 0
        self.flag = low <= self.open <= high
        return 1 if self.price >= high and self.flag is True else -1 if self.price <= low == low else 0


class Rounding(Base):
    def signal(self):
        share = round(self.index / 7, 2) - round(self.index / 7)
        level = round(float(self.price) * 1.00015, 1)
        return (level - self.price - 5) * (1 if share > -0.2 else -1) + round(self.candles[-3, 2] - self.price, 3)


class WholeNumbers(Base):
    def signal(self):
        n = self.index
        whole, rest = divmod(n, 7)
        steps = 2 ** (n % 5) * (whole % 3) - 3**2 % 5
        return (steps - 8) * (1 if rest else -1) + (n // -4) % 3 - True


class MathFunctions(Base):
    def signal(self):
        change = self.price / self.candles[-5, 2] - 1
        grade = math.log10(1 + abs(change)) + math.log(2 + abs(change), 2) - math.pow(1.5, 2)
        wave = math.sin(self.index / 10) + math.tanh(change * 50) + math.copysign(0.1, change)
        return np.clip(wave * 3, -1, 1) + np.round(grade, 2) + float(np.where(change > 0, 0.5, -0.5))


class FStringsAndNames(Base):
    def before(self):
        side = "up" if self.close > self.open else "down"
        message = f"{self.symbol}: {side} at {self.price:.2f}, {self.index}"
        logger.info(message)
        self.log(message + "!")
        self.vars[f"last_{self.timeframe}"] = self.close

    def signal(self):
        asset = self.symbol.split("-")[0].lower()
        if f"{asset}-{self.timeframe}" != "btc-1h":
            return 0
        return self.price - self.vars["last_1h"] + ta.ema(self.candles, PERIODS["fast"]) - self.price


class CachedTuple(Base):
    @property
    @cached
    def band(self):
        middle = ta.sma(self.candles, 12)
        if self.index % 9 == 0:
            return None
        return middle * 0.998, middle * 1.002

    def signal(self):
        if self.band is None:
            return 0
        low, high = self.band
        return 1 if self.price > high else -1 if self.price < low else 0
