"""What Jesse's objects tell: orders that were assigned, the position, orders and trades of callbacks."""

import jesse.indicators as ta
import numpy as np
from jesse import utils
from jesse.strategies import Strategy


class Trader(Strategy):
    """Enters with the trend of an average, with a stop and a target; subclasses manage them."""

    def hyperparameters(self):
        return [{"name": "n", "type": int, "min": 3, "max": 30, "default": 9}]

    def signal(self):
        return self.price - ta.sma(self.candles, self.hp["n"])

    def should_long(self):
        return self.signal() > 0

    def should_short(self):
        return self.signal() < 0

    def go_long(self):
        qty = utils.size_to_qty(self.balance * 0.2, self.price)
        self.buy = qty, self.price
        self.stop_loss = qty, self.price * 0.985
        self.take_profit = qty, self.price * 1.02

    def go_short(self):
        qty = utils.size_to_qty(self.balance * 0.2, self.price)
        self.sell = qty, self.price
        self.stop_loss = qty, self.price * 1.015
        self.take_profit = qty, self.price * 0.98


class TrailsWhatItReadsBack(Trader):
    def update_position(self):
        stop = self.stop_loss[0][1]
        if self.is_long and self.price * 0.985 > stop:
            self.stop_loss = self.position.qty, self.price * 0.985
        if self.is_short and self.price * 1.015 < stop:
            self.stop_loss = abs(self.position.qty), self.price * 1.015


class ReadsItsOwnAssignment(Trader):
    def go_long(self):
        qty = utils.size_to_qty(self.balance * 0.2, self.price)
        self.buy = qty, self.price
        self.stop_loss = self.buy[0], self.buy[1] * 0.98
        self.take_profit = self.stop_loss[0], self.price + 2 * (self.price - self.stop_loss[1])

    def should_short(self):
        return False


class ReadsBackInFilters(Trader):
    def far_enough(self):
        return abs(self.stop_loss[0, 1] - self.price) > 20 and len(self.take_profit) == 1

    def filters(self):
        return [self.far_enough]


class ReadsBackNone(Trader):
    def go_short(self):
        self.sell = utils.size_to_qty(self.balance * 0.2, self.price), self.price

    def update_position(self):
        if self.stop_loss is None:
            self.stop_loss = abs(self.position.qty), self.position.entry_price * 1.01
        elif self.take_profit is not None and np.mean(self.take_profit[:, 1]) < self.price * 1.005:
            self.liquidate()


class ReadsBackAPair(Trader):
    def update_position(self):
        qty, price = self.take_profit[0]
        if abs(price - self.price) < self.price * 0.004:
            self.take_profit = [(qty / 2, price), (qty / 2, price * (1.01 if self.is_long else 0.99))]
        for amount, level in self.stop_loss:
            if amount > 0 and self.index % 13 == 0:
                self.stop_loss = amount, level * (1.001 if self.is_long else 0.999)


class PositionType(Trader):
    def update_position(self):
        if self.position.type == "long" and self.signal() < 0:
            self.liquidate()
        if self.position.type == "short" and self.position.leverage == self.leverage and self.signal() > 0:
            self.liquidate()


class OrderAndTrade(Trader):
    def __init__(self):
        super().__init__()
        self.vars["last"] = ""
        self.vars["shorts"] = 0

    def on_open_position(self, order):
        if order.side == "sell" and order.type == "MARKET":
            self.vars["shorts"] += 1

    def on_close_position(self, order, closed_trade):
        self.vars["last"] = order.submitted_via or closed_trade.type

    def should_short(self):
        return self.signal() < 0 and self.vars["last"] != "take-profit"

    def should_long(self):
        return self.signal() > 0 and (self.vars["last"] in ("take-profit", "") or self.vars["shorts"] % 3 == 2)
