"""What the loop over minutes does, paragraph by paragraph of section 1 of the specification."""

import jesse.indicators as ta
from base import Base


class EachMinute(Base):
    """Decides every minute."""

    COVERS = "1.4"
    TIMEFRAME = "1m"


class ThreeMinutes(Base):
    """Bars of three minutes, the last of which does not end."""

    COVERS = "1.4"
    TIMEFRAME = "3m"
    MARKET = "odd"


class LastBarDoesNotEnd(Base):
    """The end within a bar, with a position and orders that wait."""

    COVERS = "1.4, 1.11"
    TIMEFRAME = "1h"
    MARKET = "odd"

    def on_open_position(self, order):
        self.stop_loss = 0.5, self.price * (0.995 if self.is_long else 1.005)
        self.take_profit = 0.5, self.price * (1.005 if self.is_long else 0.995)

    def before_terminate(self):
        self.stop_loss = 0.25, self.price * (0.99 if self.is_long else 1.01)


class EntriesAtAGap(Base):
    """Limit and stop entries around the market, of which gaps fill several at the open."""

    COVERS = "1.5 A"

    def go_long(self):
        self.buy = [(1, self.price * 0.998), (1.5, self.price * 0.9985), (0.7, self.price * 1.002)]

    def go_short(self):
        self.sell = [(1, self.price * 1.002), (1.5, self.price * 1.0015), (0.7, self.price * 0.998)]

    def should_cancel_entry(self):
        return self.index % 4 == 3


class ExitsAtAGap(Base):
    """Stops and targets that gaps jump over; the first to fill cancels the rest."""

    COVERS = "1.5 A"

    def on_open_position(self, order):
        if self.is_long:
            self.stop_loss = [(0.4, self.price * 0.999), (0.6, self.price * 0.998)]
            self.take_profit = [(0.5, self.price * 1.001), (0.5, self.price * 1.002)]
        else:
            self.stop_loss = [(0.4, self.price * 1.001), (0.6, self.price * 1.002)]
            self.take_profit = [(0.5, self.price * 0.999), (0.5, self.price * 0.998)]


class CallbackCancelsWhatTheGapCrossed(Base):
    """At a gap, the first fill's callback replaces the others."""

    COVERS = "1.5 A"

    def go_long(self):
        self.buy = [(1, self.price * 0.999), (1, self.price * 0.9985), (1, self.price * 0.998)]

    def on_open_position(self, order):
        self.buy = 0.5, self.price * 0.997


class SeveralInOneMinute(Base):
    """Tight orders on both sides: the colour of the candle decides which comes first, and so does that of its rest."""

    COVERS = "1.5 B, 1.5.1"
    MARKET = "wicks"

    def go_long(self):
        self.buy = [(1, self.price * 0.9995), (1, self.price * 1.0005), (1, self.price * 0.999)]

    def on_open_position(self, order):
        far = 0.0006 if self.is_long else -0.0006
        self.stop_loss = [(0.3, self.price * (1 - far)), (0.3, self.price * (1 - 2 * far))]
        self.take_profit = [(0.3, self.price * (1 + far)), (0.4, self.price * (1 + 2 * far))]


class MarketOrderInACallback(Base):
    """A market exit that a fill within the minute submits, at the open of the rest: it sees the minute's close."""

    COVERS = "1.5.1 p == o, 1.7, 8.7"
    MARKET = "wicks"

    def go_long(self):
        self.buy = 1, self.price * 0.9994

    def go_short(self):
        self.sell = 1, self.price * 1.0006

    def on_open_position(self, order):
        self.take_profit = 1, self.price

    def on_close_position(self, order, closed_trade):
        self.vars["seen"] = self.price


class OrdersInACallbackFillAtOnce(Base):
    """An order of a callback fills in what is left of the minute."""

    COVERS = "1.5 B, 8.4"
    MARKET = "wicks"

    def go_long(self):
        self.buy = 1, self.price * 0.999

    def on_open_position(self, order):
        far = 1.0004 if self.is_long else 0.9996
        self.take_profit = [(0.5, self.price * far), (0.5, self.price * far * far)]

    def on_reduced_position(self, order):
        self.stop_loss = abs(self.position.qty), self.price * (0.9997 if self.is_long else 1.0003)


class OrdersAtOnePrice(Base):
    """Equal prices fill in the order of their submission."""

    COVERS = "1.13"
    MARKET = "wicks"

    def go_long(self):
        price = self.price * 0.999
        self.buy = [(0.3, price), (0.1, price), (0.4, price)]

    def on_open_position(self, order):
        if self.is_long:
            price = self.price * 1.001
            self.take_profit = [(0.2, price), (0.1, price), (0.5, price)]


class FormingCandles(Base):
    """What callbacks see: the bar so far, its volume and indicators of it."""

    COVERS = "1.6"
    MARKET = "wicks"

    def go_long(self):
        self.buy = 1, self.price * 0.999

    def on_open_position(self, order):
        span = self.high - self.low
        if len(self.candles) > 12:
            level = (ta.ema(self.candles, 5) + self.open + self.candles[-2, 2]) / 3
            near = min(abs(level - self.price), span) + self.volume * 0.001
            if self.is_long:
                self.stop_loss = 1, self.price - near - 0.02
            else:
                self.stop_loss = 1, self.price + near + 0.02


class LiquidateInBefore(Base):
    """Takes effect in the same bar."""

    COVERS = "1.7, 2.5"

    def before(self):
        if self.index % 4 == 3:
            self.liquidate()


class LiquidateInAfter(Base):
    """Takes effect in the next bar, at the price of this one."""

    COVERS = "1.7, 2.5, 8.23"

    def update_position(self):
        pass

    def after(self):
        if self.index % 4 == 3:
            self.liquidate()


class LiquidateInShouldLong(Base):
    """Asked for while flat: nothing happens."""

    COVERS = "2.5"

    def should_long(self):
        self.liquidate()
        return self.index % 8 == 1


class LiquidateInOnOpen(Base):
    """Leaves as soon as it entered."""

    COVERS = "1.7, 2.5"

    def on_open_position(self, order):
        if self.index % 16 > 8:
            self.liquidate()


class LiquidateInOnIncreased(Base):
    """Leaves when it grew."""

    COVERS = "2.5, 2.6"

    def go_long(self):
        self.buy = [(1, self.price), (1, self.price * 0.999)]

    def on_increased_position(self, order):
        self.liquidate()


class LiquidateInOnReduced(Base):
    """Leaves when it shrank."""

    COVERS = "2.5, 2.6"

    def on_open_position(self, order):
        self.take_profit = 0.5, self.price * (1.001 if self.is_long else 0.999)

    def on_reduced_position(self, order):
        self.liquidate()


class LiquidateInOnClose(Base):
    """There is nothing left."""

    COVERS = "2.5"

    def on_close_position(self, order, closed_trade):
        self.liquidate()


class LiquidateInBeforeTerminate(Base):
    """The last position is closed by the strategy itself."""

    COVERS = "1.11, 2.5"

    def update_position(self):
        pass

    def before_terminate(self):
        self.liquidate()


class IsolatedLong(Base):
    """Liquidated at the bankruptcy price."""

    COVERS = "1.8"
    ACCOUNT = {"futures_leverage": 90, "futures_leverage_mode": "isolated"}
    MARKET = "wild"

    def should_short(self):
        return False

    def update_position(self):
        if self.price > self.position.liquidation_price * 1.05:
            self.liquidate()


class IsolatedShort(Base):
    """The same upwards; exits in the same candle come first."""

    COVERS = "1.8"
    ACCOUNT = {"futures_leverage": 90, "futures_leverage_mode": "isolated"}
    MARKET = "wild"

    def should_long(self):
        return False

    def update_position(self):
        pass

    def on_open_position(self, order):
        self.take_profit = 0.5, self.price * 0.99
        self.stop_loss = 0.4, self.price * 1.004


class LiquidatedWhileOrdersWait(Base):
    """A liquidation cancels what waits; its callbacks see the bar, and the position's price is that of the minute."""

    COVERS = "1.8, 2.6"
    ACCOUNT = {"futures_leverage": 60, "futures_leverage_mode": "isolated"}
    TIMEFRAME = "3m"
    MARKET = "wild"

    def __init__(self):
        super().__init__()
        self.vars["seen"] = 0.0

    def go_long(self):
        self.buy = 1 + self.vars["seen"] % 1, self.price

    def go_short(self):
        self.sell = 1 + self.vars["seen"] % 1, self.price

    def update_position(self):
        self.take_profit = 1, self.price * (1.5 if self.is_long else 0.5)

    def on_cancel(self):
        self.vars["seen"] += self.price * 0.01 + self.position.current_price * 0.1

    def on_close_position(self, order, closed_trade):
        self.vars["seen"] += self.price + self.position.current_price * 10 + order.price + closed_trade.pnl


class CrossNeverLiquidates(Base):
    """In cross mode the wallet may go below zero."""

    COVERS = "1.8"
    ACCOUNT = {"futures_leverage": 90, "starting_balance": 30.0}
    MARKET = "wild"

    def should_long(self):
        return self.index == 1

    def should_short(self):
        return False

    def update_position(self):
        pass


class Days(Base):
    """Three days of equity samples, some with a position."""

    COVERS = "1.10"
    TIMEFRAME = "1h"
    MARKET = "days"


class OpenAtTheEnd(Base):
    """Closed by force, with a fee, after terminate."""

    COVERS = "1.11"

    def update_position(self):
        pass

    def before_terminate(self):
        self.take_profit = 0.3, self.price

    def terminate(self):
        self.vars["open"] = self.position.qty


class EntriesAtTheEnd(Base):
    """Entries that wait are given up."""

    COVERS = "1.11"

    def should_long(self):
        return True

    def should_short(self):
        return False

    def go_long(self):
        self.buy = 1, self.price * 0.5

    def should_cancel_entry(self):
        return False
