"""The life of a strategy and of its orders, paragraph by paragraph of the specification: one strategy for each rule.

`COVERS` is the paragraph. `ACCOUNT` overrides the futures account of 10,000 without leverage, with a fee of 6 bps;
`TIMEFRAME` and `MARKET` the five minutes and the market with gaps.
"""

import jesse.indicators as ta
from jesse import utils
from jesse.strategies import Strategy, cached


class Base(Strategy):
    """Goes long and short in turns, at the market, and leaves after three bars."""

    ACCOUNT = {}
    TIMEFRAME = "5m"
    MARKET = "gaps"
    COVERS = ""

    def should_long(self):
        return self.index % 8 == 1

    def should_short(self):
        return self.index % 8 == 5 and not self.is_spot_trading

    def go_long(self):
        self.buy = 1, self.price

    def go_short(self):
        self.sell = 1, self.price

    def update_position(self):
        if self.index % 4 == 0:
            self.liquidate()


# ---- 1: the loop -----------------------------------------------------------------------------------------------------


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


# ---- 2: the strategy -------------------------------------------------------------------------------------------------


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


# ---- 3: the account --------------------------------------------------------------------------------------------------


class Decimals(Base):
    """0.1 + 0.2 and the like: quantities are added as decimals."""

    COVERS = "3.1, 8.24"

    def go_long(self):
        self.buy = [(0.1, self.price), (0.2, self.price * 0.9995), (0.7, self.price * 0.999)]

    def go_short(self):
        self.sell = [(1 / 3, self.price), (0.1, self.price * 1.0005)]

    def on_increased_position(self, order):
        self.stop_loss = [(0.1, self.price * 0.998), (abs(self.position.qty) - 0.1, self.price * 0.997)]


class LeaksMargin(Base):
    """Entries that a gap filled keep their margin for ever, which sizes by available margin show."""

    COVERS = "3.2, 8.11"
    ACCOUNT = {"futures_leverage": 3}

    def go_long(self):
        qty = self.available_margin * 0.05 / self.price
        self.buy = [(qty, self.price * 0.999), (qty, self.price * 1.001), (qty, self.price * 0.998)]

    def go_short(self):
        qty = utils.size_to_qty(self.leveraged_available_margin * 0.05, self.price, fee_rate=self.fee_rate)
        self.sell = [(qty, self.price * 1.001), (qty, self.price * 0.999)]


class ManyFillsInATrade(Base):
    """Averages of more than eight fills are sums of numpy's."""

    COVERS = "3.4"

    def go_long(self):
        self.buy = 0.1, self.price

    def update_position(self):
        if self.index % 40 == 39:
            self.liquidate()
        elif self.is_long:
            self.buy = 0.1 + self.index * 0.001, self.price

    def should_short(self):
        return False


class FreeTrades(Base):
    """No fee."""

    COVERS = "3.3.3"
    ACCOUNT = {"fee": 0.0}


class WorthOfAPosition(Base):
    """value, pnl, roi, total_cost and the rest decide what is done."""

    COVERS = "3.5"
    ACCOUNT = {"futures_leverage": 5}

    def update_position(self):
        position = self.position
        worth = position.value + position.pnl + position.roi + position.total_cost + position.pnl_percentage
        self.stop_loss = 1, self.price - (0.2 if self.is_long else -0.2) - worth * 1e-5
        if position.roi > 0.2 or position.previous_qty > 0:
            self.liquidate()


class SpotRoundTrips(Base):
    """The fee is taken from what is bought."""

    COVERS = "3.6"
    ACCOUNT = {"type": "spot", "fee": 0.001}

    def on_open_position(self, order):
        self.stop_loss = self.position.qty, self.price * 0.998
        self.take_profit = self.position.qty, self.price * 1.002

    def update_position(self):
        pass


class SpotEntriesReserveCash(Base):
    """Cash is reserved when an order is submitted and given back when it is cancelled."""

    COVERS = "3.6"
    ACCOUNT = {"type": "spot", "fee": 0.001}

    def go_long(self):
        cash = self.balance
        self.buy = [(cash * 0.2 / self.price, self.price * 0.998), (cash * 0.3 / self.price, self.price * 1.002)]

    def update_position(self):
        if self.index % 4 == 0:
            self.take_profit = self.position.qty, self.price


class SpotSumsDrift(Base):
    """A cancelled sell is taken off its sum twice, so that later checks let more pass."""

    COVERS = "3.6"
    ACCOUNT = {"type": "spot", "fee": 0.001}

    def on_open_position(self, order):
        self.take_profit = self.position.qty * 0.5, self.price * 1.05

    def update_position(self):
        if self.index % 4 < 3:
            self.take_profit = self.position.qty * 0.5, self.price * (1.05 + self.index % 4 * 0.01)
        else:
            self.take_profit = [(self.position.qty, self.price * 1.0002), (self.position.qty * 0.4, self.price * 1.06)]


class WorthOfEverything(Base):
    """portfolio_value, in futures with the leverage on the profit."""

    COVERS = "3.7"
    ACCOUNT = {"futures_leverage": 4}

    def go_long(self):
        self.buy = self.portfolio_value * 0.1 / self.price, self.price

    def update_position(self):
        if self.portfolio_value > self.balance:
            self.liquidate()


class WorthOfEverythingInSpot(Base):
    """portfolio_value in spot: cash, what is held, and entries that wait."""

    COVERS = "3.7"
    ACCOUNT = {"type": "spot"}

    def go_long(self):
        qty = self.portfolio_value * 0.1 / self.price
        self.buy = [(qty, self.price), (qty, self.price * 0.99)]

    def update_position(self):
        if self.index % 4 == 0 or self.portfolio_value < 9990:
            self.stop_loss = self.position.qty, self.price


# ---- 4: candles ------------------------------------------------------------------------------------------------------


class LargerTimeframe(Base):
    """The newest candle of another timeframe forms."""

    COVERS = "4.1"
    DATA = ("15m", "1h")

    def should_long(self):
        quarter = self.get_candles(self.exchange, self.symbol, "15m")
        hour = self.get_candles(self.exchange, self.symbol, "1h")
        return self.index % 8 == 1 and quarter[-1, 2] + hour[-1, 5] * 0.01 > hour[-1, 1] and quarter[-2, 3] > 0


class ShortWindow(Base):
    """An indicator restarts on the last warm_up_candles rows."""

    COVERS = "4.3"
    ACCOUNT = {"warm_up_candles": 15}

    def should_long(self):
        return self.index % 4 == 1 and self.price > ta.ema(self.candles, 9)

    def should_short(self):
        return self.index % 4 == 1 and self.price < ta.ema(self.candles, 9)


class WholeHistory(Base):
    """A sequential indicator sees every row; without a window so does any."""

    COVERS = "4.3"
    ACCOUNT = {"warm_up_candles": 0}

    def should_long(self):
        return self.index % 8 == 1 and self.price > ta.ema(self.candles, 9, sequential=True)[-1]

    def should_short(self):
        return self.index % 8 == 5 and ta.rsi(self.candles, 7) > 50


class NoWarmUp(Base):
    """Without candles before the start indicators begin as NaN."""

    COVERS = "4.2"
    MARKET = "cold"

    def should_long(self):
        return self.price > ta.sma(self.candles, 10)

    def should_short(self):
        return False
