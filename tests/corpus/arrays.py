"""Numpy arrays that the run makes: of its own variables, and of windows of candles together with them."""

import jesse.indicators as ta
import numpy as np
from jesse import utils
from jesse.strategies import Strategy


class Base(Strategy):
    """Enters at the market when `signal` is positive or negative, and leaves when it turns."""

    def __init__(self):
        super().__init__()
        self.entry = 0.0

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

    def on_open_position(self, order):
        self.entry = self.position.entry_price

    def update_position(self):
        if (self.is_long and self.signal() < 0) or (self.is_short and self.signal() > 0):
            self.liquidate()


class MeanOfVariables(Base):
    def __init__(self):
        super().__init__()
        self.fast, self.slow, self.last = 0.0, 0.0, 0.0

    def before(self):
        self.fast = ta.ema(self.candles, self.hp["n"])
        self.slow = ta.ema(self.candles, 2 * self.hp["n"])
        self.last = self.price

    def signal(self):
        return self.price - np.array([self.fast, self.slow, self.last]).mean()


class CountAboveTheEntry(Base):
    def signal(self):
        window = self.candles[-self.hp["n"] :, 2]
        above = np.where(window > self.entry, 1, 0).sum()
        return above * 2 - self.hp["n"] if self.entry else 1


class DistancesFromTheEntry(Base):
    def signal(self):
        distances = self.candles[-12:, 2] - self.entry
        if not self.entry:
            return 1
        return distances.mean() / (np.abs(distances).max() + 1e-9) - distances[-1] / self.price


class RolledState(Base):
    def __init__(self):
        super().__init__()
        self.recent = np.zeros(8)

    def before(self):
        self.recent = np.roll(self.recent, -1)
        self.recent[-1] = self.close - self.open

    def signal(self):
        return self.recent[self.recent > 0].sum() + self.recent[self.recent < 0].sum() * 1.1


class AppendedState(Base):
    def __init__(self):
        super().__init__()
        self.pnls = np.array([])

    def on_close_position(self, order, closed_trade):
        self.pnls = np.append(self.pnls, closed_trade.pnl)[-6:]

    def signal(self):
        drift = self.price - ta.sma(self.candles, self.hp["n"])
        return -drift if self.pnls.size > 3 and np.median(self.pnls) < 0 else drift


class ChangedInPlace(Base):
    def __init__(self):
        super().__init__()
        self.weights = np.ones(4)

    def before(self):
        self.weights[self.index % 4] += (self.close - self.open) / self.open
        self.weights /= self.weights.sum() / 4
        self.weights[self.weights < 0.99] = 1.0

    def signal(self):
        return (self.candles[-4:, 2] * self.weights).mean() - self.price


class ReturnsOfAList(Base):
    def __init__(self):
        super().__init__()
        self.closes = []

    def before(self):
        self.closes.append(self.close)
        if len(self.closes) > 25:
            self.closes.pop(0)

    def signal(self):
        if len(self.closes) < 10:
            return 0
        changes = np.diff(self.closes)
        gains, losses = changes[changes > 0], -changes[changes < 0]
        if len(gains) == 0 or len(losses) == 0:
            return 1
        return gains.mean() - np.percentile(losses, 60)


class HelperReturnsArrayAndNumber(Base):
    def scores(self, level):
        window = self.candles[-20:, 2]
        scaled = (window - level) / (window.std() + 1)
        return scaled, scaled.argmax()

    def signal(self):
        scaled, at = self.scores(self.entry or self.price * 0.999)
        return scaled[-3:].sum() if at > 10 else -scaled[:5].max()


class AnyAndAll(Base):
    def signal(self):
        rsi = ta.rsi(self.candles, self.hp["n"], sequential=True)[-5:]
        bound = 45 if self.is_long else 55
        if (rsi > bound).all():
            return 1
        return -1 if np.any(rsi < bound - 10) else 0
