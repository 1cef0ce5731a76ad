"""What ends a run: each exception of specification 2.9 provoked once, in bar 7 or where an order brings it about.

`RAISES` is what Jesse raises; "" stands for a run that Jesse completes.
"""

import math

import numpy as np
from jesse.strategies import Strategy


class Base(Strategy):
    """Trades until bar 7, so that there is a state to compare when the run ends."""

    ACCOUNT = {}
    RAISES = "InvalidStrategy"
    COVERS = "2.9"

    def should_long(self):
        return self.index % 3 == 1

    def should_short(self):
        return False

    def go_long(self):
        self.buy = 1, self.price

    def update_position(self):
        if self.index % 3 == 2:
            self.liquidate()


class NoEntry(Base):
    """go_long leaves self.buy at None."""

    def go_long(self):
        if self.index < 7:
            self.buy = 1, self.price


class EntryIsNumber(Base):
    """self.buy is no tuple or list."""

    def go_long(self):
        self.buy = 1, self.price
        if self.index == 7:
            self.buy = 5.0


class EntryIsText(Base):
    """self.buy is a string."""

    def go_long(self):
        self.buy = 1, self.price
        if self.index == 7:
            self.buy = "ab"


class EntryIsArray(Base):
    """self.buy is an array, which is taken for exits only."""

    def go_long(self):
        self.buy = 1, self.price
        if self.index == 7:
            self.buy = np.array([1.0, self.price])


class EntryIsEmpty(Base):
    """self.buy is an empty list: nothing is entered, and nothing raised."""

    RAISES = ""

    def go_long(self):
        self.buy = 1, self.price
        if self.index == 7:
            self.buy = []


class EntryLacksPrice(Base):
    """self.buy is one number in a tuple."""

    RAISES = "IndexError"

    def go_long(self):
        self.buy = 1, self.price
        if self.index == 7:
            self.buy = (1,)


class EntryIsRagged(Base):
    """Points of different lengths."""

    RAISES = "InvalidShape"

    def go_long(self):
        self.buy = 1, self.price
        if self.index == 7:
            self.buy = [(1, self.price), (1,)]


class ZeroQuantity(Base):
    """An entry of nothing."""

    def go_long(self):
        self.buy = (0 if self.index == 7 else 1), self.price


class ZeroPrice(Base):
    """An entry at zero."""

    def go_long(self):
        self.buy = 1, (0 if self.index == 7 else self.price)


class NegativePrice(Base):
    """An entry below zero."""

    def go_long(self):
        self.buy = 1, (-1 if self.index == 7 else self.price)


class NanPrice(Base):
    """An entry at NaN is neither above nor below the market."""

    RAISES = "ValueError"

    def go_long(self):
        self.buy = 1, (math.nan if self.index == 7 else self.price)


class NegativePriceWhileOpen(Base):
    """An addition below zero."""

    def update_position(self):
        if self.index == 8:
            self.buy = 1, -5.0
        elif self.index % 3 == 2:
            self.liquidate()


class StopIsNumber(Base):
    """self.stop_loss is no tuple or list."""

    def update_position(self):
        if self.index == 8:
            self.stop_loss = 5.0
        elif self.index % 3 == 2:
            self.liquidate()


class StopOfZero(Base):
    """An exit of nothing."""

    def update_position(self):
        if self.index == 8:
            self.stop_loss = 0, self.price * 0.9
        elif self.index % 3 == 2:
            self.liquidate()


class StopAtZero(Base):
    """An exit at zero."""

    def update_position(self):
        if self.index == 8:
            self.stop_loss = 1, 0
        elif self.index % 3 == 2:
            self.liquidate()


class StopAtNan(Base):
    """An exit at NaN."""

    def update_position(self):
        if self.index == 8:
            self.stop_loss = 1, math.nan
        elif self.index % 3 == 2:
            self.liquidate()


class TargetOfInfinity(Base):
    """An exit of an infinite quantity."""

    def update_position(self):
        if self.index == 8:
            self.take_profit = math.inf, self.price * 1.1
        elif self.index % 3 == 2:
            self.liquidate()


class StopOfNoneInside(Base):
    """An exit with None for a quantity: numpy reads it as NaN."""

    def update_position(self):
        if self.index == 8:
            self.stop_loss = None, self.price
        elif self.index % 3 == 2:
            self.liquidate()


class StopEqualsTarget(Base):
    """Stop-loss and take-profit are the same."""

    def on_open_position(self, order):
        if self.index > 7:
            self.stop_loss = 1, self.price * 0.9
            self.take_profit = 1, self.price * 0.9


class Conflict(Base):
    """Long and short at once."""

    RAISES = "ConflictingRules"

    def should_short(self):
        return self.index == 7


class CalledFilter(Base):
    """A filter's result in place of the filter."""

    def filters(self):
        return [self.passes()] if self.index == 7 else [self.passes]

    def passes(self):
        return True


class ShortInSpot(Base):
    """Spot goes long only."""

    ACCOUNT = {"type": "spot"}

    def should_short(self):
        return self.index == 7


class StopInGoLongInSpot(Base):
    """In spot there is nothing to protect before the entry filled."""

    ACCOUNT = {"type": "spot"}

    def go_long(self):
        self.buy = 1, self.price
        if self.index == 7:
            self.stop_loss = 1, self.price * 0.9


class TargetInGoLongInSpot(Base):
    """Nor anything to sell."""

    ACCOUNT = {"type": "spot"}

    def go_long(self):
        self.buy = 1, self.price
        if self.index == 7:
            self.take_profit = 1, self.price * 1.1


class TooMuchMargin(Base):
    """An entry that the account cannot carry."""

    RAISES = "InsufficientMargin"

    def go_long(self):
        self.buy = (1e6 if self.index == 7 else 1), self.price


class TooMuchMarginInTwo(Base):
    """Two entries of which the second is too much."""

    RAISES = "InsufficientMargin"

    def go_long(self):
        self.buy = 1, self.price
        if self.index == 7:
            self.buy = [(60, self.price * 0.99), (60, self.price * 0.98)]


class TooMuchMarginWhileOpen(Base):
    """An addition that the account cannot carry."""

    RAISES = "InsufficientMargin"

    def update_position(self):
        if self.index == 8:
            self.buy = 1e6, self.price * 0.99
        elif self.index % 3 == 2:
            self.liquidate()


class TooMuchCash(Base):
    """A purchase for more than there is."""

    ACCOUNT = {"type": "spot"}
    RAISES = "InsufficientBalance"

    def go_long(self):
        self.buy = (1e6 if self.index == 7 else 1), self.price


class SellsMoreThanHeld(Base):
    """In spot the fee is taken from what is bought: selling the order's quantity sells too much."""

    ACCOUNT = {"type": "spot", "fee": 0.001}
    RAISES = "InsufficientBalance"

    def on_open_position(self, order):
        self.take_profit = (order.qty if self.index > 7 else self.position.qty), self.price * 1.5


class ExitsAfterTheClose(Base):
    """A reduction without a position: the stop of a part that was already sold is cut off."""

    RAISES = ""

    def on_open_position(self, order):
        self.stop_loss = [(1, self.price), (1, self.price * 0.99)]


class StopEntryBehindTheMarket(Base):
    """A stop order on the wrong side of the price of the position, which is another than the strategy's here."""

    RAISES = "OrderNotAllowed"

    def go_long(self):
        self.buy = 1, self.price
        if self.index == 7:
            self.position.current_price = self.price * 1.05
            self.buy = 1, self.price * 1.02


class TargetThatWasNeverSubmitted(Base):
    """A target that is assigned while the entry waits, after go_long: there are no points to submit when it fills."""

    RAISES = "TypeError"

    def after(self):
        if self.index == 7:
            self.take_profit = 1, self.price * 1.2


class RouteOfAnotherSymbol(Base):
    """Candles of a symbol that no route declares."""

    RAISES = "RouteNotFound"

    def update_position(self):
        if self.index == 8:
            self.get_candles(self.exchange, "DOGE-USDT", "1h")
        elif self.index % 3 == 2:
            self.liquidate()


class RouteOfAnotherTimeframe(Base):
    """Candles of a timeframe that no route declares."""

    RAISES = "RouteNotFound"

    def update_position(self):
        if self.index == 8:
            if self.get_candles(self.exchange, self.symbol, "4h")[-1, 2] > 0:
                self.liquidate()
        elif self.index % 3 == 2:
            self.liquidate()


class DividesByZero(Base):
    """Python's own."""

    RAISES = "ZeroDivisionError"

    def go_long(self):
        self.buy = 1 / (7 - self.index), self.price


class AssertsInACallback(Base):
    """An assertion in a callback."""

    RAISES = "AssertionError"

    def on_close_position(self, order, closed_trade):
        assert self.trades_count < 3


class KeyIsMissing(Base):
    """A hyper-parameter that is not there."""

    RAISES = "KeyError"

    def update_position(self):
        if self.index == 8:
            self.vars["missing"]
        elif self.index % 3 == 2:
            self.liquidate()


class IndexIsMissing(Base):
    """A candle before the first."""

    RAISES = "IndexError"

    def update_position(self):
        if self.index == 8 and self.candles[-500, 2] > 0:
            self.liquidate()
        elif self.index % 3 == 2:
            self.liquidate()


class AttributeIsMissing(Base):
    """An attribute that is not there."""

    RAISES = "AttributeError"

    def update_position(self):
        if self.index == 8:
            self.vars["found"] = self.nothing_of_this_name
        elif self.index % 3 == 2:
            self.liquidate()


class ValueOfNaN(Base):
    """int() of NaN."""

    RAISES = "ValueError"

    def update_position(self):
        if self.index == 8:
            self.vars["whole"] = int(self.position.liquidation_price)
        elif self.index % 3 == 2:
            self.liquidate()


class RaisesOnItsOwn(Base):
    """An exception that the strategy raises."""

    RAISES = "RuntimeError"

    def update_position(self):
        if self.index == 8:
            raise RuntimeError("enough")
        if self.index % 3 == 2:
            self.liquidate()


class NanPriceWhileOpen(Base):
    """An addition at None, which numpy reads as NaN."""

    RAISES = "ValueError"

    def update_position(self):
        if self.index == 8:
            self.buy = (1, None)
        elif self.index % 3 == 2:
            self.liquidate()


class TypeErrorWhileChangesAreLookedFor(Base):
    """A TypeError there becomes an InvalidStrategy."""

    def update_position(self):
        if self.index == 8:
            self.buy = 5
        elif self.index % 3 == 2:
            self.liquidate()


class AbortsBeforeTheFirstBar(Base):
    """In the constructor."""

    RAISES = "RuntimeError"

    def __init__(self):
        super().__init__()
        raise RuntimeError("at once")


class AbortsInTheLastMinute(Base):
    """In terminate, after the last bar."""

    RAISES = "AssertionError"

    def terminate(self):
        assert self.index < 5


class AbortsWithinABar(Base):
    """In a fill between two bars: the bar that is going on counts."""

    RAISES = "AssertionError"

    def go_long(self):
        self.buy = 1, self.price * 0.999

    def should_cancel_entry(self):
        return False

    def on_open_position(self, order):
        assert self.index < 12


class NoShouldLong(Strategy):
    """A strategy that lacks a hook."""

    ACCOUNT = {}
    RAISES = "InvalidStrategy"
    COVERS = "2.9"

    def go_long(self):
        pass


class NegativeMarginPrice(Base):
    """A price below zero as an exit."""

    RAISES = "InvalidStrategy"

    def on_open_position(self, order):
        if self.index > 7:
            self.take_profit = 1, -1.0
