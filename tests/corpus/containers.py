"""Lists, tuples, dicts and enums as state and as local variables, and what is done with them."""

import statistics
from collections import deque, namedtuple
from enum import Enum

import jesse.indicators as ta
import numpy as np
from jesse import utils
from jesse.strategies import Strategy

Levels = namedtuple("Levels", ["low", "high"])
WEIGHTS = {"fast": 2, "slow": 1}
STEPS = [0.5, 0.3, 0.2]


class Mood(Enum):
    CALM = 1
    GREEDY = 2
    AFRAID = 3


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


class ListOfPrices(Base):
    def __init__(self):
        super().__init__()
        self.prices = []

    def before(self):
        self.prices.append(self.price)
        if len(self.prices) > 10:
            self.prices.pop(0)

    def signal(self):
        if len(self.prices) < 5:
            return 0
        return self.price - sum(self.prices) / len(self.prices)


class ListWithoutBound(Base):
    def __init__(self):
        super().__init__()
        self.vars["highs"] = []

    def before(self):
        self.vars["highs"].append(self.high)

    def signal(self):
        recent = self.vars["highs"][-8:]
        return self.high - max(recent[:-1]) if len(recent) > 3 else min(self.vars["highs"]) - self.price


class ListOfResults(Base):
    def __init__(self):
        super().__init__()
        self.results = []

    def on_close_position(self, order, closed_trade):
        self.results.append(closed_trade.pnl)

    def signal(self):
        wins = [pnl for pnl in self.results[-5:] if pnl > 0]
        way = 1 if len(wins) >= 2 or not self.results else -1
        return way * (self.price - ta.sma(self.candles, self.hp["n"]))


class ListOfTuples(Base):
    def __init__(self):
        super().__init__()
        self.entries = []

    def on_open_position(self, order):
        self.entries.append((order.price, order.qty, self.index))

    def signal(self):
        if self.entries and self.index - self.entries[-1][2] < 4:
            return 0
        best = 0
        for price, qty, index in self.entries[-6:]:
            if price > self.price and qty > 0:
                best += 1
        return self.price - ta.ema(self.candles, self.hp["n"]) + best


class ListChangedInPlace(Base):
    def __init__(self):
        super().__init__()
        self.counts = [0, 0, 0]

    def before(self):
        self.counts[self.index % 3] += 1 if self.close > self.open else -1
        if self.counts[0] > 20:
            self.counts.reverse()
            self.counts[-1] = 0

    def signal(self):
        return self.counts[0] - self.counts[1] if self.counts[2] != 0 else self.counts[1]


class ListMethods(Base):
    def __init__(self):
        super().__init__()
        self.levels = [3, 1, 2]

    def before(self):
        if self.index % 5 == 0:
            self.levels.insert(1, self.index)
        if self.index % 7 == 0 and 2 in self.levels:
            self.levels.remove(2)
        if len(self.levels) > 6:
            self.levels.sort(reverse=True)
            self.levels.pop()
            del self.levels[0]
        if self.index % 50 == 49:
            self.levels.clear()
            self.levels.extend([4, self.index])

    def signal(self):
        place = self.levels.index(max(self.levels))
        return (1 if place % 2 == 0 else -1) * (self.price - ta.sma(self.candles, self.hp["n"]))


class ListOrNone(Base):
    def __init__(self):
        super().__init__()
        self.swing = None

    def before(self):
        if self.swing is None:
            self.swing = [self.price]
        elif len(self.swing) >= 12:
            self.swing = None
        else:
            self.swing.append(self.price)

    def signal(self):
        if not self.swing:
            return 0
        return self.price - self.swing[0]


class LocalList(Base):
    def signal(self):
        changes = []
        for i in range(1, self.hp["n"]):
            changes.append(self.candles[-i, 2] - self.candles[-i - 1, 2])
        ups = [change for change in changes if change > 0]
        return len(ups) - (len(changes) - len(ups))


class LocalListOfStaticLength(Base):
    def signal(self):
        averages = [ta.sma(self.candles, period) for period in (5, 10, 20)]
        if averages[0] > averages[1] > averages[2]:
            return 1
        return -1 if averages == sorted(averages) else 0


class SortedList(Base):
    def signal(self):
        closes = sorted(self.candles[-9:, 2])
        middle = closes[len(closes) // 2]
        ranked = sorted([(abs(self.price - each), each) for each in closes], key=lambda pair: -pair[0])
        return self.price - middle if ranked[0][1] != middle else 0


class DequeOfCandles(Base):
    def __init__(self):
        super().__init__()
        self.window = deque(maxlen=6)

    def before(self):
        self.window.append(self.close - self.open)

    def signal(self):
        return sum(self.window) if len(self.window) == 6 else 0


class EnumerateZipReversed(Base):
    def signal(self):
        score = 0.0
        for i, close in enumerate(reversed(self.candles[-6:, 2])):
            score += (self.price - close) / (i + 1)
        for high, low in zip(self.candles[-4:, 3], self.candles[-4:, 4]):
            score += 0.1 if self.price > (high + low) / 2 else -0.1
        for i, share in enumerate(STEPS, start=1):
            score += share * (self.price - self.candles[-i, 2])
        return score


class BreaksOutOfWindow(Base):
    def signal(self):
        for close in self.candles[-15:, 2]:
            if close > self.price * 1.01:
                break
        else:
            return 1
        for i, candle in enumerate(self.candles[-5:]):
            if i == 0:
                continue
            if candle[2] < candle[1]:
                return -1
        return 0


class TupleState(Base):
    def __init__(self):
        super().__init__()
        self.range = (0.0, 0.0)

    def before(self):
        if self.index % 12 == 0:
            self.range = (self.low, self.high)

    def signal(self):
        low, high = self.range
        if self.price > high:
            return 1
        return -1 if self.price < self.range[0] and low > 0 else 0


class TupleOrNone(Base):
    def __init__(self):
        super().__init__()
        self.vars["band"] = None

    def before(self):
        if self.index % 9 == 0:
            self.vars["band"] = (self.price * 0.99, self.price * 1.01)
        if self.index % 31 == 30:
            self.vars["band"] = None

    def signal(self):
        if self.vars["band"] is None:
            return 0
        low, high = self.vars["band"]
        return 1 if self.price > high else -1 if self.price < low else 0


class DictState(Base):
    def __init__(self):
        super().__init__()
        self.stats = {"wins": 0, "losses": 0, "last": None}

    def on_close_position(self, order, closed_trade):
        if closed_trade.pnl > 0:
            self.stats["wins"] += 1
        else:
            self.stats["losses"] += 1
        self.stats["last"] = closed_trade.pnl

    def signal(self):
        way = -1 if self.stats["last"] is not None and self.stats["last"] < 0 else 1
        if self.stats.get("wins", 0) > self.stats["losses"] + 2:
            way = -way
        return way * (self.price - ta.sma(self.candles, self.hp["n"]))


class DictThatGrows(Base):
    def __init__(self):
        super().__init__()
        self.memory = {}

    def before(self):
        if "start" not in self.memory:
            self.memory["start"] = self.price
        if self.index % 20 == 19:
            self.memory.update({"start": self.price, "turns": self.memory.get("turns", 0) + 1})
        if self.memory.get("turns") == 5:
            del self.memory["turns"]

    def signal(self):
        return (self.price - self.memory["start"]) * (1 if self.memory.get("turns", 1) % 2 else -1)


class DictByRunTimeKey(Base):
    def __init__(self):
        super().__init__()
        self.side = "up"
        self.counts = {"up": 0, "down": 0}

    def before(self):
        self.side = "up" if self.close > self.open else "down"
        self.counts[self.side] += 1

    def signal(self):
        total = 0
        for key, count in self.counts.items():
            total += count if key == self.side else -count
        return total + {"up": 3, "down": -3}[self.side]


class DictOfLists(Base):
    def __init__(self):
        super().__init__()
        self.seen = {"up": [], "down": []}

    def before(self):
        if self.close > self.open:
            self.seen["up"].append(self.close - self.open)
        else:
            self.seen["down"].append(self.open - self.close)

    def signal(self):
        ups, downs = self.seen["up"][-5:], self.seen["down"][-5:]
        if not ups or not downs:
            return 0
        return sum(ups) / len(ups) - sum(downs) / len(downs)


class HelperReturnsDict(Base):
    def levels(self, share):
        middle = (self.high + self.low) / 2
        return {"middle": middle, "upper": middle * (1 + share), "lower": middle * (1 - share), "wide": share > 0.01}

    def signal(self):
        levels = self.levels(0.002)
        if levels["wide"]:
            return 0
        levels["gap"] = levels["upper"] - levels["lower"]
        return self.price - levels["middle"] if levels["gap"] > 0 else 0


class HelperReturnsNested(Base):
    def bands(self):
        sma = ta.sma(self.candles, 10)
        if self.price > sma:
            return (sma, self.low), "above", [1, self.price]
        return (sma, self.high), "below", [2, sma]

    def signal(self):
        (sma, edge), side, more = self.bands()
        if more[0] == 1 and side == "above":
            return edge - sma
        return sma - edge


class HelperReturnsList(Base):
    def recent(self, count):
        values = []
        for i in range(count):
            if self.candles[-1 - i, 2] > self.candles[-1 - i, 1]:
                values.append(self.candles[-1 - i, 2])
        return values

    def signal(self):
        few, many = self.recent(4), self.recent(12)
        return np.mean(few) - np.mean(many) if few and many else 0


class HelperReturnsOptional(Base):
    def breakout(self):
        if self.price > max(self.candles[-12:-1, 3]):
            return self.price
        if self.price < min(self.candles[-12:-1, 4]):
            return -self.price

    def signal(self):
        level = self.breakout()
        if level is None:
            return 0
        return level


class NamedTupleLevels(Base):
    def levels(self):
        return Levels(low=min(self.candles[-10:-1, 4]), high=max(self.candles[-10:-1, 3]))

    def signal(self):
        levels = self.levels()
        return 1 if self.price > levels.high else -1 if self.price < levels.low else 0


class EnumState(Base):
    def __init__(self):
        super().__init__()
        self.mood = Mood.CALM

    def before(self):
        change = self.price / self.candles[-5, 2] - 1
        self.mood = Mood.GREEDY if change > 0.004 else Mood.AFRAID if change < -0.004 else Mood.CALM

    def signal(self):
        if self.mood == Mood.GREEDY:
            return 1
        return -1 if self.mood is Mood.AFRAID else 0


class DictComprehension(Base):
    def signal(self):
        averages = {name: ta.ema(self.candles, 5 * weight) for name, weight in WEIGHTS.items()}
        return averages["slow"] - averages["fast"]


class StatisticsModule(Base):
    def __init__(self):
        super().__init__()
        self.returns = []

    def before(self):
        self.returns.append(self.close / self.open - 1)

    def signal(self):
        if len(self.returns) < 12:
            return 0
        recent = self.returns[-12:]
        spread = statistics.stdev(recent)
        return (
            1
            if self.returns[-1] > statistics.mean(recent) + spread
            else -1
            if self.returns[-1] < statistics.median(recent) - statistics.pstdev(recent)
            else 0
        )


class NumpyArrays(Base):
    def __init__(self):
        super().__init__()
        self.spreads = []

    def before(self):
        self.spreads.append(self.high - self.low)

    def signal(self):
        values = np.array(self.spreads[-10:])
        scaled = (values - values.mean()) / 2
        weights = np.ones(3)
        weights[0] = self.hp["n"] / 10
        return np.sum(scaled) + np.max(scaled) * weights[0] - np.std(values) + len(weights) - 3


class ListToTheOrders(Base):
    def go_long(self):
        qty = utils.size_to_qty(self.balance * 0.2, self.price)
        self.buy = [(qty / 2, self.price), (qty / 2, self.price * 0.995)]

    def go_short(self):
        qty = utils.size_to_qty(self.balance * 0.2, self.price)
        orders = []
        for i in range(3):
            orders.append((qty / 3, self.price * (1 + i * 0.002)))
        self.sell = orders

    def on_open_position(self, order):
        sign = 1 if self.is_long else -1
        qty = abs(self.position.qty)
        self.take_profit = [(qty / 2, self.price * (1 + sign * 0.01 * k)) for k in (1, 2)]

    def signal(self):
        return self.price - ta.sma(self.candles, self.hp["n"])
