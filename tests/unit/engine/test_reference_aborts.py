"""What ends a run before its time: Jesse's exceptions by name, and what fastbt refuses to simulate."""

import numpy as np
import pytest

from fastbt.engine.account import Account
from fastbt.engine.strategy import Strategy
from fastbt.errors import SimulationError
from fastbt.types import Mode

from .market import SYMBOL, at, minutes, run, scripted


def raising(self):
    raise RuntimeError("the strategy itself")


@pytest.mark.parametrize(
    ("members", "exception"),
    [
        ({"go_long": lambda self: None}, "InvalidStrategy"),
        ({"go_long": lambda self: setattr(self, "buy", np.array([1.0, 100.0]))}, "InvalidStrategy"),
        ({"go_long": lambda self: setattr(self, "buy", (0, 100))}, "InvalidStrategy"),
        ({"go_long": lambda self: setattr(self, "buy", (1, -100))}, "InvalidStrategy"),
        ({"go_long": lambda self: setattr(self, "buy", (1, float("nan")))}, "ValueError"),
        ({"go_long": lambda self: setattr(self, "buy", [(1, 100), (1,)])}, "InvalidShape"),
        ({"go_long": lambda self: setattr(self, "buy", (1000, 100))}, "InsufficientMargin"),
        ({"update_position": lambda self: setattr(self, "stop_loss", (1, float("nan")))}, "InvalidStrategy"),
        ({"update_position": lambda self: setattr(self, "stop_loss", 95)}, "InvalidStrategy"),
        ({"update_position": lambda self: setattr(self, "buy", 95)}, "InvalidStrategy"),
        ({"should_short": lambda self: True}, "ConflictingRules"),
        ({"filters": lambda self: [True]}, "InvalidStrategy"),
        ({"before": lambda self: self.get_candles(self.exchange, "ETH-USDT", "1h")}, "RouteNotFound"),
        ({"before": lambda self: self.get_candles(self.exchange, SYMBOL, "7m")}, "InvalidTimeframe"),
        ({"before": lambda self: self.average_stop_loss}, "InvalidStrategy"),
        ({"before": lambda self: self.capital}, "NotImplementedError"),
        ({"before": lambda self: self.hp["period"]}, "KeyError"),
        ({"before": lambda self: 1 / 0}, "ZeroDivisionError"),
        ({"after": raising}, "RuntimeError"),
        ({"__init__": raising}, "RuntimeError"),
    ],
)
def test_abort__names_jesses_exception(members, exception):
    with pytest.raises(SimulationError) as caught:
        run(scripted(**members), minutes(100, 100, 100))
    assert caught.value.exception == exception
    assert type(caught.value.__cause__).__name__ == exception


def test_abort__same_points_for_stop_and_target():
    def same(self):
        self.stop_loss = self.take_profit = 1, 95

    with pytest.raises(SimulationError, match="exactly the same") as caught:
        run(scripted(update_position=same), minutes(100, 100, 100, 100, 100))
    assert (caught.value.exception, caught.value.bar, caught.value.time) == ("InvalidStrategy", 1, at(1))


def test_abort__a_stop_entry_behind_the_market():
    # `price` stays what it was when the bar began; the position's price has moved on in the same minute.
    account = Account(fee_rate=0.0)

    class Edits(Strategy):
        def should_long(self):
            return True

        def go_long(self):
            self.position.current_price = 120.0
            self.buy = 1, 110

    with pytest.raises(SimulationError) as caught:
        run(Edits, minutes(100), account=account)
    assert caught.value.exception == "OrderNotAllowed"


def test_abort__a_strategy_without_its_hooks():
    with pytest.raises(SimulationError) as caught:
        run(type("Empty", (Strategy,), {}), minutes(100))
    assert (caught.value.exception, caught.value.bar) == ("InvalidStrategy", -1)


def test_abort__spot_goes_long_only():
    account = Account(mode=Mode.SPOT, exchange="Binance Spot")
    for members in (
        {"should_short": lambda self: True},
        {"go_long": lambda self: [setattr(self, name, (1, 100)) for name in ("buy", "stop_loss")]},
    ):
        with pytest.raises(SimulationError) as caught:
            run(scripted(**members), minutes(100), account=account)
        assert caught.value.exception == "InvalidStrategy"


def test_refusal__of_a_flip():
    def go_long(self):
        self.buy = 1, 105
        self.stop_loss = 2, 106

    test = scripted(go_long=go_long, should_cancel_entry=lambda self: False)
    with pytest.raises(SimulationError, match="flip") as caught:
        run(test, minutes(100, (100, 107, 107, 100)))
    assert (caught.value.exception, caught.value.bar) == (None, 1)


def test_refusal__of_a_quantity_that_is_no_number():
    with pytest.raises(SimulationError, match="not a number") as caught:
        run(scripted(go_long=lambda self: setattr(self, "buy", (float("nan"), 100))), minutes(100))
    assert caught.value.exception is None
