"""The rules of the specification, one by one."""

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from parity.cases import Api, make_case, make_strategy

from fastbt import indicators
from fastbt.engine import sizing
from fastbt.engine.account import Account
from fastbt.engine.reference import simulate_reference
from fastbt.engine.routes import Route
from fastbt.engine.strategy import Strategy, cached
from fastbt.errors import CandleError, SettingsError, SimulationError
from fastbt.types import Mode

from .market import FREE, MINUTE, START, SYMBOL, at, minutes, run, scripted

# ---- the order of things ---------------------------------------------------------------------------------------------


class Diary(Strategy):
    """Writes down every hook."""

    seen: list = []

    def note(self, name):
        self.seen.append((name, self.index, int(self.time - START) // MINUTE))

    def should_short(self):
        self.note("should_short")
        return False

    def should_long(self):
        self.note("should_long")
        return self.index == 0

    def go_long(self):
        self.note("go_long")
        self.buy = 1, self.price

    def should_cancel_entry(self):
        self.note("should_cancel_entry")
        return True

    def filters(self):
        return [lambda: self.note("filter") or True]

    def before(self):
        self.note("before")

    def after(self):
        self.note("after")

    def update_position(self):
        self.note("update_position")
        self.liquidate()

    def on_open_position(self, order):
        self.note("on_open_position")

    def on_close_position(self, order, closed_trade):
        self.note("on_close_position")

    def on_cancel(self):
        self.note("on_cancel")

    def before_terminate(self):
        self.note("before_terminate")

    def terminate(self):
        self.note("terminate")


def test_hooks__come_in_jesses_order():
    Diary.seen = []
    run(Diary, minutes(10, 11, 12, 13), timeframe="3m", account=FREE)
    # Four minutes hold one bar of three: it enters at its end, and the end of the data closes the position.
    assert Diary.seen == [
        ("before", 0, 3),
        ("should_short", 0, 3),
        ("should_long", 0, 3),
        ("go_long", 0, 3),
        ("filter", 0, 3),
        ("after", 0, 3),
        ("on_open_position", 1, 3),
        ("before_terminate", 1, 4),
        ("terminate", 1, 4),
        ("on_cancel", 1, 4),
        ("on_close_position", 1, 4),
    ]


def test_hooks__a_market_exit_fills_before_the_next_decision():
    Diary.seen = []
    simulation = run(Diary, minutes(10, 11))
    assert [name for name, index, _ in Diary.seen if index == 1] == [
        "on_open_position",
        "before",
        "update_position",
        "on_cancel",
        "on_close_position",
        "should_short",
        "should_long",
        "after",
    ]
    assert simulation.total_open_trades == 0


def test_exit_and_new_entry__share_a_bar():
    class Churn(Strategy):
        def should_long(self):
            return True

        def go_long(self):
            self.buy = 1, self.price

        def update_position(self):
            self.liquidate()

    simulation = run(Churn, minutes(10, 11, 12))
    assert [(t.opened_at, t.closed_at, t.entry_price, t.exit_price) for t in simulation.trades] == [
        (at(0), at(1), 10.0, 11.0),
        (at(1), at(2), 11.0, 12.0),
        (at(2), at(2), 12.0, 12.0),
    ]


def test_should_cancel_entry__is_asked_while_entries_rest_only():
    asked = []

    class Patient(Strategy):
        def should_long(self):
            return self.index == 1

        def go_long(self):
            self.buy = 1, 5

        def should_cancel_entry(self):
            asked.append(self.index)
            return self.index == 3

        def on_cancel(self):
            asked.append("cancelled")

    simulation = run(Patient, minutes(*[10] * 6))
    assert asked == [2, 3, "cancelled"]
    assert simulation.trades == [] and simulation.order_count == 1


# ---- prices of fills -------------------------------------------------------------------------------------------------


def test_market_entry__fills_at_the_close_and_not_at_the_written_price():
    simulation = run(scripted(go_long=lambda self: setattr(self, "buy", (2, self.price * 1.0001))), minutes(100, 100))
    (trade,) = simulation.trades
    assert (trade.orders[0].type, trade.entry_price, trade.opened_at) == ("MARKET", 100.0, at(0))


def test_market_exit__fills_at_the_written_price():
    test = scripted(update_position=lambda self: setattr(self, "take_profit", (1, self.price * 1.0001)))
    (trade,) = run(test, minutes(100, 100)).trades
    assert (trade.orders[1].type, trade.exit_price) == ("MARKET", 100.0 * 1.0001)


@pytest.mark.parametrize(
    ("price", "kind"), [(100.0149, "MARKET"), (100.016, "STOP"), (99.985, "MARKET"), (99.984, "LIMIT"), (90, "LIMIT")]
)
def test_entry__type_follows_from_the_price(price, kind):
    kinds = []
    test = scripted(
        go_long=lambda self: setattr(self, "buy", (1, price)),
        after=lambda self: kinds.extend(order.type for order in self.entry_orders),
        should_long=lambda self: self.index == 0,
    )
    run(test, minutes(100, 100))
    assert kinds[0] == kind


def test_gap__fills_at_the_open_and_keeps_the_margin_reserved():
    seen = []
    test = scripted(
        go_long=lambda self: setattr(self, "buy", (10, 105)),
        should_cancel_entry=lambda self: False,
        on_open_position=lambda self, order: seen.append((order.price, order.vars["submitted_price"], self.price)),
        update_position=lambda self: self.liquidate(),
        terminate=lambda self: seen.append((self.balance, self.available_margin)),
    )
    (trade,) = run(test, minutes(100, (110, 112, 112, 110), 112)).trades
    assert (trade.entry_price, trade.orders[0].type, trade.opened_at) == (110.0, "STOP", at(1))
    assert seen[0] == (110.0, 105.0, 110.0)
    balance, margin = seen[1]
    assert balance == 10_020.0
    assert balance - margin == 1050.0  # 10 at 105, reserved for ever


def test_gap__does_not_fill_what_it_makes_no_better():
    # A sell limit below the jump's way down, and the first minute, which has no close before it.
    test = scripted(
        on_open_position=lambda self, order: setattr(self, "take_profit", (1, 110)),
        go_long=lambda self: setattr(self, "buy", (1, 100)),
    )
    warm = minutes(50, start=START - MINUTE)
    (trade,) = run(test, minutes(100, (90, 90, 90, 90), 95), warmup=warm).trades
    assert trade.exit_price == 95.0


@pytest.mark.parametrize(("closed", "exit_price"), [(100.5, 95.0), (99.5, 105.0)])
def test_path__decides_between_stop_and_target(closed, exit_price):
    def exits(self, order):
        self.stop_loss, self.take_profit = (1, 95), (1, 105)

    (trade,) = run(scripted(on_open_position=exits), minutes(100, (100, closed, 106, 94), 100)).trades
    assert (trade.exit_price, trade.closed_at) == (exit_price, at(1))


def test_callback__sees_the_forming_candle():
    seen = []

    def on_open(self, order):
        seen.append((self.price, self.position.current_price, self.candles[-1, 1:5].tolist(), self.index))

    test = scripted(
        go_long=lambda self: setattr(self, "buy", (1, 95)),
        should_cancel_entry=lambda self: False,
        on_open_position=on_open,
    )
    run(test, minutes(100, 100, 100, (100, 101, 103, 94), 101, 101), timeframe="3m")
    assert seen == [(95.0, 95.0, [100.0, 95.0, 100.0, 95.0], 1)]


def test_callback__orders_can_fill_in_the_rest_of_the_minute():
    test = scripted(
        go_long=lambda self: setattr(self, "buy", (1, 95)),
        should_cancel_entry=lambda self: False,
        on_open_position=lambda self, order: setattr(self, "take_profit", (1, 102)),
    )
    (trade,) = run(test, minutes(100, (100, 101, 103, 94), 101)).trades
    assert (trade.opened_at, trade.closed_at, trade.exit_price) == (at(1), at(1), 102.0)


def test_callback__a_market_order_within_the_minute_sees_its_close():
    # Its price is the open of what is left, so that both parts are all that is left: specification, pitfall 7.
    prices = []
    test = scripted(
        go_long=lambda self: setattr(self, "buy", (1, 95)),
        should_cancel_entry=lambda self: False,
        on_open_position=lambda self, order: self.liquidate(),
        on_close_position=lambda self, order, trade: prices.append((order.price, self.price)),
    )
    run(test, minutes(100, (100, 101, 103, 94), 101))
    assert prices == [(95.0, 101.0)]


def test_equal_prices__fill_in_the_order_of_submission():
    test = scripted(on_open_position=lambda self, order: setattr(self, "take_profit", [(0.25, 105), (0.75, 105)]))
    (trade,) = run(test, minutes(100, (100, 104, 106, 100))).trades
    assert [order.filled_qty for order in trade.orders] == [1.0, -0.25, -0.75]


# ---- assignments -----------------------------------------------------------------------------------------------------


def test_assignment__of_an_equal_value_submits_nothing():
    orders = []
    test = scripted(
        update_position=lambda self: setattr(self, "stop_loss", [(1, 50)]),
        after=lambda self: orders.append([(order.price, order.status) for order in self.exit_orders]),
    )
    assert run(test, minutes(*[100] * 4)).order_count == 3  # entry, one stop, forced close
    assert orders[1:] == [[(50.0, "ACTIVE")]] * 3


def test_assignment__of_none_keeps_the_stop_and_of_an_empty_list_cancels_it():
    def update(self):
        self.stop_loss = {1: (1, 50), 2: None, 3: []}[self.index]

    working = []
    test = scripted(update_position=update, after=lambda self: working.append(len(self.active_exit_orders)))
    run(test, minutes(*[100] * 4))
    assert working == [0, 1, 1, 0]


def test_assignment__changed_entries_are_submitted_again_as_a_whole():
    test = scripted(
        go_long=lambda self: setattr(self, "buy", [(1, 100), (1, 90)]),
        update_position=lambda self: setattr(self, "buy", [(1, 100), (1, 80)]) if self.index == 1 else None,
    )
    (trade,) = run(test, minutes(100, 100, (100, 100, 100, 79))).trades
    assert [order.price for order in trade.orders] == [100.0, 100.0, 80.0, 100.0]


def test_exit_on_the_other_side_of_the_market__becomes_the_other_type():
    kinds = []
    test = scripted(
        update_position=lambda self: setattr(self, "stop_loss", (1, 120)),
        after=lambda self: kinds.extend(order.type for order in self.active_exit_orders),
    )
    (trade,) = run(test, minutes(100, 100, (100, 110, 125, 100))).trades
    assert kinds == ["LIMIT"] and trade.exit_price == 120.0 and trade.orders[1].submitted_via == "stop-loss"


def test_exit_in_go_long_on_the_wrong_side_of_the_fill__closes_at_market():
    def go_long(self):
        self.buy = 1, 105
        self.stop_loss = 1, 106

    test = scripted(go_long=go_long, should_cancel_entry=lambda self: False)
    (trade,) = run(test, minutes(100, (100, 107, 107, 100))).trades
    stop = trade.orders[1]
    assert (stop.type, stop.price, stop.reduce_only, stop.submitted_via) == ("MARKET", 105.0, False, "stop-loss")


def test_reduce_only__fills_no_more_than_the_position():
    test = scripted(update_position=lambda self: setattr(self, "take_profit", (5, 105)))
    account = Account(fee_rate=0.001)
    (trade,) = run(test, minutes(100, 100, (100, 106, 106, 100)), account=account).trades
    exit_order = trade.orders[1]
    assert (exit_order.qty, exit_order.filled_qty, exit_order.fee) == (-5.0, -1.0, 0.001 * 105.0)
    assert trade.pnl == 5.0 - trade.fee


def test_liquidate__in_after_waits_for_the_next_look():
    test = scripted(after=lambda self: self.liquidate() if self.index == 1 else None)
    (trade,) = run(test, minutes(100, 100, 100, 100)).trades
    assert (trade.closed_at, trade.orders[1].created_at) == (at(2), at(2))


def test_flat_bars__reset_what_was_assigned():
    test = scripted(should_long=lambda self: False, before=lambda self: setattr(self, "buy", (1, 100)))
    assert run(test, minutes(100, 100)).order_count == 0


def test_filters__can_refuse_an_entry():
    seen = []

    def refuse(self):
        seen.append(self.average_entry_price)
        return False

    test = scripted(refuse=refuse, filters=lambda self: [self.refuse])
    simulation = run(test, minutes(100, 100))
    assert simulation.order_count == 0 and seen == [100.0]
    assert simulation.log == [(at(0), "info", "refuse")]


# ---- accounting ------------------------------------------------------------------------------------------------------


def test_quantities__are_added_as_decimals():
    qty = []
    test = scripted(
        go_long=lambda self: setattr(self, "buy", [(0.1, 100), (0.2, 100)]),
        update_position=lambda self: (qty.append(self.position.qty), setattr(self, "take_profit", (0.3, 100))),
    )
    (trade,) = run(test, minutes(100, 100, 100)).trades
    assert qty == [0.3] and trade.closed_at == at(1)
    assert 0.1 + 0.2 != 0.3


def test_wallet__takes_the_fee_first_and_then_the_profit():
    fee_rate, balance = 0.0007, 10_000.0
    test = scripted(
        update_position=lambda self: self.liquidate(), go_long=lambda self: setattr(self, "buy", (3, 100.1))
    )
    simulation = run(test, minutes(100.1, 107.3), account=Account(fee_rate=fee_rate, leverage=2))
    balance = balance - abs(3 * 100.1) * fee_rate
    balance = balance - abs(-3 * 107.3) * fee_rate
    balance = balance + 3 * (107.3 - 100.1)
    assert simulation.finishing_balance == balance
    assert simulation.trades[0].leverage == 2


def test_margin__counts_the_larger_side_and_ignores_fees():
    account = Account(starting_balance=1000.0, fee_rate=0.001, leverage=2)
    everything = scripted(go_long=lambda self: setattr(self, "buy", (20, 100)))
    assert len(run(everything, minutes(100, 100), account=account).trades) == 1
    too_much = scripted(go_long=lambda self: setattr(self, "buy", (20.001, 100)))
    with pytest.raises(SimulationError) as caught:
        run(too_much, minutes(100, 100), account=account)
    assert caught.value.exception == "InsufficientMargin"


def test_margin__of_working_entries_counts_the_larger_side():
    seen = []

    class BothSides(Strategy):
        def should_long(self):
            return True

        def go_long(self):
            self.buy = [(1, 50), (1, 40)]

        def should_cancel_entry(self):
            return False

        def after(self):
            if self.index == 0:
                self.broker.sell_at(1, 150)
            seen.append(self.available_margin)

    run(BothSides, minutes(100, 100), account=Account(fee_rate=0.0, leverage=2))
    assert seen == [10_000 - 150 / 2] * 2


def test_liquidation__closes_an_isolated_position_at_bankruptcy():
    account = Account(fee_rate=0.0, leverage=10, mode=Mode.ISOLATED)
    prices = []
    test = scripted(
        on_open_position=lambda self, order: prices.append(
            (self.position.liquidation_price, self.position.bankruptcy_price)
        )
    )
    simulation = run(test, minutes(100, (100, 92, 100, 90), 92), account=account)
    assert prices == [(100 * (1 - 1 / 10 + 0.004), 100 * (1 - 1 / 10))]
    (trade,) = simulation.trades
    assert (simulation.liquidations, trade.exit_price, trade.closed_at) == (1, 90.0, at(1))
    assert np.isnan(trade.orders[1].created_at)


def test_liquidation__comes_after_the_orders_of_the_minute():
    account = Account(fee_rate=0.0, leverage=10, mode=Mode.ISOLATED)
    test = scripted(on_open_position=lambda self, order: setattr(self, "stop_loss", (1, 95)))
    simulation = run(test, minutes(100, (100, 92, 100, 90), 92), account=account)
    assert (simulation.liquidations, simulation.trades[0].exit_price) == (0, 95.0)


def test_liquidation__is_unknown_to_cross_margin():
    simulation = run(scripted(), minutes(100, (100, 92, 100, 1), 92), account=Account(fee_rate=0.0, leverage=10))
    assert (simulation.liquidations, simulation.trades[0].exit_price) == (0, 92.0)


def test_the_end__closes_positions_with_a_fee_and_counts_them():
    simulation = run(scripted(), minutes(100, 110), account=Account(fee_rate=0.001))
    (trade,) = simulation.trades
    assert (simulation.total_open_trades, simulation.open_pl, trade.exit_price) == (1, 10.0, 110.0)
    assert trade.fee == 0.001 * 100 + 0.001 * 110
    assert simulation.finished_at == at(1) + MINUTE


def test_equity__is_sampled_after_the_first_minute_of_each_day():
    day = 1440
    simulation = run(scripted(), minutes(*np.linspace(100, 200, 3 * day)))
    assert [(time - START) // MINUTE for time in simulation.daily_time] == [0, day + 1, 2 * day + 1, 3 * day]
    assert simulation.daily_balance[0] == 10_000.0
    assert simulation.daily_balance[-1] == simulation.finishing_balance == 10_100.0


def test_spot__holds_what_is_left_after_the_fee():
    qty = []
    account = Account(fee_rate=0.01, mode=Mode.SPOT, exchange="Binance Spot")
    test = scripted(
        on_open_position=lambda self, order: qty.append(self.position.qty),
        update_position=lambda self: self.liquidate(),
    )
    simulation = run(test, minutes(100, 110), account=account)
    assert qty == [0.99]
    assert simulation.finishing_balance == sizing.sum_floats(10_000 - 100.0, (0.99 * 110.0) * 0.99)


def test_spot__cannot_sell_more_than_it_holds():
    account = Account(fee_rate=0.01, mode=Mode.SPOT, exchange="Binance Spot")
    test = scripted(on_open_position=lambda self, order: setattr(self, "take_profit", (1, 120)))
    with pytest.raises(SimulationError) as caught:
        run(test, minutes(100, 110), account=account)
    assert caught.value.exception == "InsufficientBalance"


def test_spot__sells_what_is_left_when_stop_and_target_both_fill():
    account = Account(fee_rate=0.0, mode=Mode.SPOT, exchange="Binance Spot")

    def exits(self, order):
        self.take_profit, self.stop_loss = (0.25, 110), (1, 90)

    simulation = run(
        scripted(on_open_position=exits), minutes(100, (100, 105, 111, 100), (100, 89, 100, 89)), account=account
    )
    (trade,) = simulation.trades
    assert [order.filled_qty for order in trade.orders] == [1.0, -0.25, -0.75]
    assert simulation.finishing_balance == 10_000 - 100 + 0.25 * 110 + 0.75 * 90


def test_spot__forgets_cancelled_sell_orders_twice():
    account = Account(fee_rate=0.0, mode=Mode.SPOT, exchange="Binance Spot")
    targets = {1: (1, 120), 2: (2, 130)}  # twice what is held, which a correct sum would refuse
    test = scripted(update_position=lambda self: setattr(self, "take_profit", targets[self.index]))
    (trade,) = run(test, minutes(100, 100, 100), account=account).trades
    assert trade.exit_price == 100.0


# ---- candles and warm-up ---------------------------------------------------------------------------------------------


def test_warm_up__is_visible_from_the_first_bar_and_runs_nothing():
    seen = []
    test = scripted(
        before=lambda self: seen.append((self.index, len(self.candles), self.candles[0, 0], self.candles[-1, 2])),
        should_long=lambda self: False,
    )
    warm = minutes(*range(1, 7), start=START - 6 * MINUTE)
    run(test, minutes(10, 11, 12, 13, 14, 15), warmup=warm, timeframe="3m")
    assert seen == [(0, 3, START - 6 * MINUTE, 12.0), (1, 4, START - 6 * MINUTE, 15.0)]


def test_larger_timeframe__shows_a_forming_candle():
    seen = []

    def before(self):
        larger = self.get_candles(self.exchange, SYMBOL, "15m")
        seen.append((len(larger), larger[-1, 1], larger[-1, 2], larger[-1, 5]))

    test = scripted(before=before, should_long=lambda self: False)
    warm = minutes(*[5] * 15, start=START - 15 * MINUTE)
    run(test, minutes(*range(1, 16)), warmup=warm, timeframe="5m", data_routes=[(SYMBOL, "15m")])
    assert seen == [(2, 1.0, 5.0, 5.0), (2, 1.0, 10.0, 10.0), (2, 1.0, 15.0, 15.0)]


@pytest.mark.parametrize(("window", "rows"), [(0, 6), (3, 3), (5, 5)])
def test_indicators__see_the_last_rows_only(window, rows):
    seen = []
    test = scripted(
        before=lambda self: seen.append(float(indicators.ema(self.candles, 2))), should_long=lambda self: False
    )
    candles = minutes(*[10.0, 11.0, 13.0, 9.0, 14.0, 12.0])
    run(test, candles, account=Account(warm_up_candles=window))
    value = indicators.ema(candles[-rows:], 2, sequential=True)[-1]
    assert seen[-1] == value
    assert value != indicators.ema(candles[-4:], 2, sequential=True)[-1]


def test_cached__keeps_what_a_callback_saw_within_the_bar():
    seen = []

    class Remembers(Strategy):
        @cached
        def last_close(self):
            return float(self.candles[-1, 2])

        def should_long(self):
            return self.index == 0

        def go_long(self):
            self.buy = 1, 99

        def should_cancel_entry(self):
            return False

        def on_open_position(self, order):
            seen.append(self.last_close())

        def update_position(self):
            seen.append((self.last_close(), float(self.candles[-1, 2])))

    run(Remembers, minutes(100, 100, 100, (100, 97, 100, 97), 97, 97, 96, 96, 96), timeframe="3m")
    assert seen == [99.0, (99.0, 97.0), (96.0, 96.0)]


def test_candles__can_be_edited_in_place():
    seen = []

    def before(self):
        if self.index == 0:
            self.candles[-1, 2] = 77.0
        seen.append(float(self.candles[0, 2]))

    run(scripted(before=before, should_long=lambda self: False), minutes(1, 2, 3))
    assert seen == [77.0, 77.0, 77.0]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"candles": minutes(1, 2, start=START + MINUTE), "timeframe": "3m"}, SettingsError),
        (
            {"candles": minutes(1, 2), "timeframe": "3m", "warmup": minutes(1, 2, start=START - 2 * MINUTE)},
            SettingsError,
        ),
        ({"candles": minutes(1, 2), "warmup": minutes(1, 2, start=START - 3 * MINUTE)}, CandleError),
        ({"candles": minutes(1, 2), "warmup": {"ETH-USDT": minutes(1, start=START - MINUTE)}}, SettingsError),
        ({"candles": minutes(1, 2, 3)[[0, 2]]}, CandleError),
        ({"candles": {"ETH-USDT": minutes(1, 2)}}, SettingsError),
        ({"candles": {SYMBOL: minutes(1, 2), "ETH-USDT": minutes(1, 2)}}, SettingsError),
        ({"candles": {SYMBOL: minutes(1, 2), "E-T": minutes(1)}, "data_routes": [("E-T", "1m")]}, CandleError),
        ({"candles": minutes(1, 2), "data_routes": [(SYMBOL, "7m")]}, SettingsError),
    ],
)
def test_input__that_jesse_would_misread_is_refused(arguments, error):
    arguments = dict(arguments)
    with pytest.raises(error):
        run(scripted(), arguments.pop("candles"), **arguments)


def test_input__routes_must_fit_together():
    candles = {SYMBOL: minutes(1), "ETH-BTC": minutes(1)}
    for routes in ([], [Route(SYMBOL, "1m", Diary)] * 2, [Route(name, "1m", Diary) for name in candles]):
        with pytest.raises(SettingsError):
            simulate_reference(routes, candles, account=FREE)
    with pytest.raises(SettingsError):
        simulate_reference([Route(SYMBOL, "1m", Diary)], {SYMBOL: minutes(1)}, account=FREE, tie_break="random")


# ---- several routes --------------------------------------------------------------------------------------------------


def two_routes(first, second, n=3):
    candles = {"BTC-USDT": minutes(*[100] * n), "ETH-USDT": minutes(*[10] * n)}
    return simulate_reference([Route("BTC-USDT", "1m", first), Route("ETH-USDT", "1m", second)], candles, account=FREE)


def test_routes__a_market_entry_fills_inside_the_check_of_the_next_route():
    seen = []
    first = scripted(on_open_position=lambda self, order: seen.append("first opened"))
    second = scripted(
        should_long=lambda self: seen.append(("second asks", self.all_positions["BTC-USDT"].qty)),
        on_route_open_position=lambda self, other: seen.append(("second hears", other.symbol)),
    )
    two_routes(first, second, n=1)
    assert seen == [("second hears", "BTC-USDT"), "first opened", ("second asks", 1.0)]


def test_routes__broadcasts_submit_what_they_assign():
    first = scripted(enter=1)
    second = scripted(on_route_open_position=lambda self, other: setattr(self, "stop_loss", (1, self.price)))
    simulation = two_routes(first, second)
    eth = next(trade for trade in simulation.trades if trade.symbol == "ETH-USDT")
    assert eth.orders[1].created_at == at(1) and eth.closed_at == at(1)


def test_routes__hear_of_closes_and_cancels():
    heard = []
    first = scripted(update_position=lambda self: self.liquidate())
    second = scripted(
        should_long=lambda self: False,
        on_route_close_position=lambda self, other: heard.append(("close", other.position.qty, other.buy is None)),
        on_route_canceled=lambda self, other: heard.append(("canceled", other.position.qty, other.buy is None)),
    )
    two_routes(first, second)
    assert heard == [("close", 0, False), ("canceled", 0, True)]


def test_routes__share_variables_and_hyper_parameters_stay_apart():
    seen = []

    def before(self):
        self.shared_vars["count"] = self.shared_vars.get("count", 0) + 1
        seen.append((self.symbol, self.hp["x"], self.shared_vars["count"]))

    test = scripted(
        before=before, should_long=lambda self: False, hyperparameters=lambda self: [{"name": "x", "default": 5}]
    )
    candles = {"BTC-USDT": minutes(100), "ETH-USDT": minutes(10)}
    routes = [Route("BTC-USDT", "1m", test, {"x": 1}), Route("ETH-USDT", "1m", test)]
    simulate_reference(routes, candles, account=FREE)
    assert seen == [("BTC-USDT", 1, 1), ("ETH-USDT", 5, 2)]


# ---- properties ------------------------------------------------------------------------------------------------------


def run_case(mode, seed, n=None):
    case = make_case(mode, seed)
    log = []
    strategy = make_strategy(Api(Strategy, cached, sizing, indicators), case, log)
    routes = [Route(symbol, timeframe, strategy) for symbol, timeframe in case.routes]
    candles = {symbol: rows[:n] for symbol, rows in case.candles.items()}
    with np.errstate(all="ignore"):
        simulation = simulate_reference(
            routes,
            candles,
            account=Account.from_jesse_config(case.config),
            warmup=case.warmup,
            data_routes=case.data_routes,
        )
    return simulation, log, candles


def simulate_or_skip(*arguments):
    try:
        return run_case(*arguments)
    except SimulationError:
        reject()


few = settings(max_examples=8)


@pytest.mark.parametrize("mode", ["isolated", "spot", "two_routes"])
@few
@given(seed=st.integers(0, 1000))
def test_simulation__never_looks_ahead(mode, seed):
    n = 240
    part, part_log, _ = simulate_or_skip(mode, seed, n)
    whole, whole_log, _ = simulate_or_skip(mode, seed, n + 60)
    end = next(i for i, line in enumerate(part_log) if line[0] == "before_terminate")
    assert repr(part_log[:end]) == repr(whole_log[:end])
    closed = [trade for trade in part.trades if trade.closed_at < at(n - 1)]
    assert whole.trades[: len(closed)] == closed


@pytest.mark.parametrize("mode", ["cross", "isolated", "two_routes"])
@few
@given(seed=st.integers(0, 1000))
def test_simulation__wallet_is_the_sum_of_its_trades(mode, seed):
    simulation, _, _ = simulate_or_skip(mode, seed, 240)
    profit = sum(trade.pnl for trade in simulation.trades)
    assert simulation.finishing_balance == pytest.approx(simulation.starting_balance + profit, rel=1e-9)
    assert simulation.daily_balance[-1] == simulation.finishing_balance


def test_simulation__leaves_its_input_alone_and_repeats_itself():
    first, first_log, candles = run_case("two_routes", 3, 300)
    before = {symbol: rows.copy() for symbol, rows in candles.items()}
    second, second_log, _ = run_case("two_routes", 3, 300)
    assert repr(first_log) == repr(second_log) and first.trades == second.trades
    for symbol, rows in candles.items():
        np.testing.assert_array_equal(rows, before[symbol])
