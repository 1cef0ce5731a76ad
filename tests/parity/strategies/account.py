"""What an account holds and pays, paragraph by paragraph of section 3 of the specification."""

from base import Base
from jesse import utils


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
