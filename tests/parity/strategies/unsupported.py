"""What fastbt does not simulate, and says so rather than return a number; what a kernel cannot hold, interpreted can.

`REFUSED` names the status of both engines, `REFUSED_COMPILED` that of the kernel, where interpreted equals Jesse.
"""

import math

from jesse.strategies import Strategy


class Base(Strategy):
    """Trades until bar 7."""

    ACCOUNT = {}
    COVERS = "2.6"

    def should_long(self):
        return self.index % 3 == 1

    def should_short(self):
        return False

    def go_long(self):
        self.buy = 1, self.price

    def update_position(self):
        if self.index % 3 == 2:
            self.liquidate()


class FlipsByAWrongSideStop(Base):
    """A stop-loss above the entry, for more than the entry: not reduce-only, it would flip the position."""

    COVERS = "2.6 flip"
    REFUSED = "FLIP"

    def go_long(self):
        self.buy = 1, self.price
        if self.index == 7:
            self.stop_loss = 2, self.price * 1.01


class FlipsByAnOldEntry(Base):
    """The rest of a short entry that fills while long."""

    COVERS = "2.6 flip"
    REFUSED = "FLIP"

    def should_long(self):
        return False

    def should_short(self):
        return self.index == 7

    def go_short(self):
        self.sell = 1, self.price
        self.take_profit = [(0.4, self.price * 1.01), (3, self.price * 1.02)]


class NanQuantity(Base):
    """An entry of NaN."""

    COVERS = "2.3.5 NaN"
    REFUSED = "NAN_QTY"

    def go_long(self):
        self.buy = (math.nan if self.index == 7 else 1), self.price


class NanQuantityAtALimit(Base):
    """An entry of NaN that waits."""

    COVERS = "2.3.5 NaN"
    REFUSED = "NAN_QTY"

    def go_long(self):
        self.buy = (math.nan if self.index == 7 else 1), self.price * 0.99


class ManyOrders(Base):
    """A chain of orders in one minute, each submitted by the fill before it: more than the kernel's table holds."""

    COVERS = "2.6 many orders"
    REFUSED_COMPILED = "TOO_MANY_ORDERS"

    def go_long(self):
        self.buy = 1, self.price * 0.999

    def on_open_position(self, order):
        self.take_profit = 0.001, self.price

    def on_reduced_position(self, order):
        if self.reduced_count < 300:
            self.take_profit = 0.001 + self.reduced_count * 0.000001, self.price


class ManyFills(Base):
    """More fills in one trade than the kernel's table holds."""

    TIMEFRAME = "1m"
    COVERS = "3.4 many fills"
    ACCOUNT = {"starting_balance": 1e9}
    REFUSED_COMPILED = "TOO_MANY_FILLS"

    def should_long(self):
        return self.index == 1

    def update_position(self):
        self.buy = [
            (1 + self.index * 0.001, self.price),
            (2 + self.index * 0.001, self.price),
            (3 + self.index * 0.001, self.price),
        ]


class LargeQuantity(Base):
    """A sum beyond the range of Jesse's decimals."""

    COVERS = "3.1 range"
    ACCOUNT = {"starting_balance": 1e40, "fee": 0.0}
    REFUSED_COMPILED = "DECIMAL_RANGE"
    RAISES = "ValueError"

    def should_long(self):
        return self.index == 7

    def go_long(self):
        self.buy = 1e30, self.price
        self.take_profit = 1, self.price * 1.0005

    def update_position(self):
        if self.index == 8:
            self.buy = 1e15, self.price
