"""Exceptions: what is caught, what was done before, what happens anyway."""

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy


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


class DivisionCaught(Base):
    def __init__(self):
        super().__init__()
        self.wins = 0
        self.losses = 0

    def on_close_position(self, order, closed_trade):
        if closed_trade.pnl > 0:
            self.wins += 1
        else:
            self.losses += 1

    def signal(self):
        try:
            ratio = self.wins / self.losses
        except ZeroDivisionError:
            ratio = 1
        return (1 if ratio >= 0.5 else -1) * (self.price - ta.sma(self.candles, self.hp["n"]))


class LookupCaught(Base):
    def __init__(self):
        super().__init__()
        self.levels = []
        self.memory = {}

    def before(self):
        if self.index % 4 == 0:
            self.levels.append(self.price)
        if self.index % 10 == 3:
            self.memory["seen"] = self.index

    def signal(self):
        try:
            level = self.levels[3]
            seen = self.memory["seen"]
        except IndexError:
            return 0
        except KeyError as error:
            print(error)
            return -1
        return self.price - level + seen * 0


class StateBeforeTheException(Base):
    def __init__(self):
        super().__init__()
        self.tried = 0
        self.done = 0

    def before(self):
        try:
            self.tried += 1
            share = 1 / (self.tried % 4)
            self.done += 1
            if share > 0.4:
                self.done += 1
        except Exception:
            self.done -= 1

    def signal(self):
        return self.done % 5 - self.tried % 3


class CaughtInAHelper(Base):
    def __init__(self):
        super().__init__()
        self.calls = 0
        self.value = 0

    def risky(self, divisor):
        self.calls += 1
        value = 10 // divisor
        self.calls += 10
        return value

    def before(self):
        try:
            self.value = self.risky(self.index % 4)
        except ZeroDivisionError:
            self.value = -4

    def signal(self):
        return self.value - 4 if self.calls % 3 else self.value


class TryElseFinally(Base):
    def __init__(self):
        super().__init__()
        self.log_of = [0, 0, 0]

    def before(self):
        try:
            value = 5 % (self.index % 4)
        except ZeroDivisionError:
            self.log_of[0] += 1
        else:
            self.log_of[1] += value
        finally:
            self.log_of[2] += 1

    def signal(self):
        return self.log_of[1] % 7 - self.log_of[0] % 5 + self.log_of[2] % 2


class ReturnThroughFinally(Base):
    def __init__(self):
        super().__init__()
        self.finished = 0

    def look(self):
        try:
            if self.index % 3 == 0:
                return 1
            if self.index % 3 == 1:
                return -1 // (self.index % 2)
        except ZeroDivisionError:
            return 2
        finally:
            self.finished += 1
        return 0

    def signal(self):
        return self.look() - self.finished % 2


class LoopsAndExceptions(Base):
    def signal(self):
        total = 0
        for i in range(8):
            try:
                if i == 5:
                    continue
                if i == 7:
                    break
                total += 12 // (i - self.index % 6)
            except ZeroDivisionError:
                total -= 1
        return total


class RaisedAndCaught(Base):
    def check(self, level):
        if level < self.price * 0.99:
            raise ValueError("too far")
        return level

    def signal(self):
        try:
            level = self.check(self.candles[-6, 2])
        except (ValueError, TypeError):
            return 1
        return self.price - level


class RaisedAgain(Base):
    def __init__(self):
        super().__init__()
        self.inner = 0

    def signal(self):
        try:
            try:
                value = 1 / (self.index % 5)
            except ZeroDivisionError:
                self.inner += 1
                if self.inner % 2:
                    raise
                value = -1
        except ArithmeticError:
            return -1
        return value


class CaughtNone(Base):
    def __init__(self):
        super().__init__()
        self.entry = None

    def before(self):
        if self.index % 6 == 0:
            self.entry = self.price if self.index % 12 else None

    def signal(self):
        try:
            return self.price - self.entry
        except TypeError:
            return 0


class UncaughtPassesOn(Base):
    def __init__(self):
        super().__init__()
        self.memory = {}

    def after(self):
        if self.index == 900:
            self.memory["price"] = self.price

    def signal(self):
        if self.index < 400:
            return self.price - self.candles[-4, 2]
        try:
            return self.memory["price"] - self.price
        except ZeroDivisionError:
            return 0


class AttributeThatIsMissing(Base):
    def before(self):
        if self.index == 30:
            self.level = self.price

    def signal(self):
        try:
            level = self.level
        except AttributeError:
            level = self.candles[-9, 2]
        return self.price - level
