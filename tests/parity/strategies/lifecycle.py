"""The life of a strategy and of its orders, paragraph by paragraph of section 2 of the specification."""

from base import Base
from jesse.strategies import cached


class Counters(Base):
    """index, trades_count, last_trade_index, increased_count and reduced_count in hooks and between them."""

    COVERS = "2.1, 8.21"

    def go_long(self):
        self.buy = [(1, self.price), (1, self.price * 0.999), (1, self.price * 0.998)]

    def on_open_position(self, order):
        self.take_profit = [(0.2 + self.index % 3 * 0.1, self.price * (1.001 if self.is_long else 0.999))]

    def on_close_position(self, order, closed_trade):
        self.vars["sum"] = self.index + self.trades_count + self.last_trade_index + self.increased_count

    def should_long(self):
        return self.index % 8 == 1 and self.index - self.last_trade_index > 1


class KeepsEntries(Base):
    """Entries wait until they fill."""

    COVERS = "2.2"

    def go_long(self):
        self.buy = 1, self.price * 0.996

    def go_short(self):
        self.sell = 1, self.price * 1.004

    def should_cancel_entry(self):
        return False


class CancelsEntries(Base):
    """on_cancel runs for entries that were given up, and new ones come in the same bar."""

    COVERS = "2.2, 2.6"

    def should_long(self):
        return self.index % 2 == 0

    def should_short(self):
        return False

    def go_long(self):
        self.buy = [(1, self.price * 0.997), (1, self.price * 1.003)]

    def on_cancel(self):
        self.vars["cancelled"] = self.index


class ExitAndEntryInOneBar(Base):
    """A market exit fills before should_long is asked, the new entry after."""

    COVERS = "2.2, 8.5"

    def should_long(self):
        return True

    def should_short(self):
        return False

    def update_position(self):
        self.liquidate()


class FormsOfPoints(Base):
    """A pair, a list, a list of lists, a tuple of tuples."""

    COVERS = "2.3.2"

    def go_long(self):
        kind = self.index % 5
        if kind == 0:
            self.buy = [1, self.price]
        elif kind == 1:
            self.buy = [[1, self.price], [2, self.price * 0.999]]
        elif kind == 2:
            self.buy = ((1, self.price), (2, self.price * 1.001))
        elif kind == 3:
            self.buy = [(1, self.price)]
        else:
            self.buy = 1, self.price


class NearTheMarket(Base):
    """0.015 % on both sides: a market order at the current price, or the price itself if it is an exit."""

    COVERS = "2.3.5, 2.5, 8.6"

    def go_long(self):
        self.buy = [
            (1, self.price * 1.00015),
            (1, self.price * 0.99985),
            (1, self.price * 1.0001501),
            (1, self.price * 0.9998499),
        ]

    def update_position(self):
        if self.index % 4 == 0:
            self.take_profit = [(0.5, self.price * 1.0001), (0.5, self.price * 0.9999), (0.5, self.price * 1.0002)]
        elif self.index % 4 == 3:
            self.liquidate()


class NegativeQuantities(Base):
    """The sign of a quantity does not count."""

    COVERS = "2.3.5, 2.5"

    def go_long(self):
        self.buy = -1, self.price

    def on_open_position(self, order):
        self.stop_loss = -0.5, self.price * (0.998 if self.is_long else 1.002)


class ExitsInGo(Base):
    """Stops and targets that are given with the entry."""

    COVERS = "2.3.3, 2.6"

    def go_long(self):
        self.buy = [(1, self.price), (1, self.price * 0.999)]
        self.stop_loss = [(1, self.price * 0.997), (1, self.price * 0.996)]
        self.take_profit = 1.5, self.price * 1.002

    def go_short(self):
        self.sell = 1, self.price * 1.001
        self.stop_loss = 1, self.price * 1.003
        self.take_profit = [(0.5, self.price * 0.999), (0.5, self.price * 0.998)]


class WrongSideInGo(Base):
    """An exit on the wrong side of the fill is a market order that is not reduce-only."""

    COVERS = "2.6, 8.9"

    def go_long(self):
        self.buy = 1, self.price * 0.998
        self.stop_loss = 0.4, self.price * 1.002
        self.take_profit = 0.3, self.price * 0.99

    def go_short(self):
        self.sell = 1, self.price
        self.take_profit = [(0.4, self.price * 1.01), (0.3, self.price * 0.997)]


class Filters(Base):
    """Filters see what was assigned; the first that says no ends it."""

    COVERS = "2.3.4, 8.20"

    def filters(self):
        return [self.far_enough, self.odd]

    def far_enough(self):
        return self.average_entry_price is not None and self.average_entry_price > 0

    def odd(self):
        return self.index % 3 != 0


class AssignedWhileFlat(Base):
    """What is assigned outside of go_long is lost, unless go_long runs."""

    COVERS = "2.2, 8.17"

    def before(self):
        if self.is_close:
            self.buy = 1, self.price * 0.9
            self.stop_loss = 1, self.price * 0.8

    def after(self):
        if self.is_close and self.index % 8 not in (1, 5):
            self.take_profit = 1, self.price * 1.2


class SameValueAgain(Base):
    """Assigning an equal value does nothing, even after it filled."""

    COVERS = "2.4"

    def on_open_position(self, order):
        self.vars["target"] = self.price * (1.0005 if self.is_long else 0.9995)
        self.take_profit = 0.4, self.vars["target"]

    def update_position(self):
        self.take_profit = 0.4, self.vars["target"]
        if self.index % 4 == 0:
            self.liquidate()


class ResubmitsFilledPoints(Base):
    """A new value of self.buy submits all its points, those that filled included."""

    COVERS = "2.4.1, 8.18"

    def go_long(self):
        self.vars["first"] = self.price
        self.buy = 1, self.price

    def update_position(self):
        if self.is_long and self.increased_count < 3:
            self.buy = [(1, self.vars["first"]), (0.5, self.price * 0.999)]
        elif self.index % 4 == 0:
            self.liquidate()


class NoneAndEmptyEntries(Base):
    """None and [] both give up entries that wait; a value of the other side is ignored."""

    COVERS = "2.4.1, 8.17"

    def go_long(self):
        self.buy = [(1, self.price), (1, self.price * 0.99), (1, self.price * 1.01)]

    def go_short(self):
        self.sell = [(1, self.price), (1, self.price * 1.01)]

    def update_position(self):
        if self.is_long:
            if self.index % 16 < 8:
                self.buy = None
            else:
                self.buy = []
        else:
            self.sell = []
            self.buy = 1, self.price * 0.5
        if self.index % 4 == 0:
            self.liquidate()


class NoneAndEmptyExits(Base):
    """None leaves a stop alone, [] cancels it."""

    COVERS = "2.4.2"

    def on_open_position(self, order):
        self.stop_loss = 1, self.price * (0.998 if self.is_long else 1.002)
        self.take_profit = 1, self.price * (1.002 if self.is_long else 0.998)

    def update_position(self):
        if self.index % 8 == 2:
            self.stop_loss = None
        elif self.index % 8 == 3:
            self.stop_loss = []
        elif self.index % 8 == 6:
            self.take_profit = []
        elif self.index % 8 == 7:
            self.take_profit = None
        else:
            self.liquidate()


class TrailingStop(Base):
    """A stop that moves with every bar."""

    COVERS = "2.4.2"

    def update_position(self):
        if self.is_long:
            self.stop_loss = 1, self.price * 0.998
        else:
            self.stop_loss = 1, self.price * 1.002


class WrongSideExits(Base):
    """A stop above the market is a limit, a target below it a stop."""

    COVERS = "2.5, 8.8"

    def on_open_position(self, order):
        self.stop_loss = 0.5, self.price * (1.001 if self.is_long else 0.999)
        self.take_profit = 0.5, self.price * (0.999 if self.is_long else 1.001)


class OversizedExits(Base):
    """Exits for more than is held are cut to it, but go by their own quantity."""

    COVERS = "3.3.2, 8.10"

    def on_open_position(self, order):
        self.stop_loss = [(0.6, self.price * 0.999), (5, self.price * 0.998)]
        self.take_profit = [(0.7, self.price * 1.001), (3, self.price * 1.002)]


class PartialExits(Base):
    """Thirds and tenths, which leave dust in binary."""

    COVERS = "2.6, 8.24, 8.25"

    def on_open_position(self, order):
        qty = abs(self.position.qty)
        far = 0.001 if self.is_long else -0.001
        self.take_profit = [
            (qty / 3, self.price * (1 + far)),
            (qty / 3, self.price * (1 + far * 1.2)),
            (qty / 3, self.price * (1 + far * 1.4)),
        ]
        self.stop_loss = [(qty * 0.1, self.price * (1 - far)), (qty * 0.9, self.price * (1 - far * 1.3))]


class GrowsAndShrinks(Base):
    """Increases and reductions in turns, with averages of both."""

    COVERS = "2.6, 2.7, 3.3.6"

    def update_position(self):
        if self.index % 4 == 2:
            if self.is_long:
                self.buy = 0.3, self.price
            else:
                self.sell = 0.7, self.price
        elif self.index % 4 == 3:
            self.take_profit = 0.1, self.price
        else:
            self.liquidate()

    def on_increased_position(self, order):
        self.stop_loss = abs(self.position.qty), self.average_entry_price * (0.997 if self.is_long else 1.003)

    def on_reduced_position(self, order):
        self.vars["stop"] = self.average_stop_loss


class Remembers(Base):
    """A cached method keeps what a callback saw through the next bar."""

    COVERS = "2.8, 8.22"
    MARKET = "wicks"

    @cached
    def level(self):
        return self.price

    def go_long(self):
        self.buy = 1, self.price * 0.999

    def on_open_position(self, order):
        self.stop_loss = 1, self.level() * (0.998 if self.is_long else 1.002)

    def update_position(self):
        self.take_profit = 1, self.level() * (1.002 if self.is_long else 0.998)
