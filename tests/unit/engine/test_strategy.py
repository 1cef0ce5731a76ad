"""The surface that a strategy sees."""

import ast
import importlib.util
import inspect
from pathlib import Path

import numpy as np
import pytest

from fastbt.backtest import Session, Setup
from fastbt.engine.account import Account
from fastbt.engine.jesse_exceptions import InvalidStrategy
from fastbt.engine.jesse_store import store
from fastbt.engine.points import as_points, same_points
from fastbt.engine.strategy import Strategy, cached
from fastbt.errors import SettingsError, SimulationError
from fastbt.types import Mode

from .market import FREE, MINUTE, START, SYMBOL, at, minutes, run, scripted


def look(expression, candles=None, **named):
    """Return what a strategy sees at every bar, before it does anything."""
    seen = []
    test = scripted(before=lambda self: seen.append(expression(self)))
    run(test, minutes(100, 110, 90, 95) if candles is None else candles, **named)
    return seen


# ---- Jesse's surface -------------------------------------------------------------------------------------------------


def jesse_class():
    """The public members of the installed Jesse's Strategy, read from its source: importing Jesse takes seconds."""
    found = importlib.util.find_spec("jesse")
    if found is None or found.origin is None:
        pytest.skip("Jesse is not installed")
    tree = ast.parse((Path(found.origin).parent / "strategies" / "Strategy.py").read_text())
    (cls,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Strategy")
    return [node for node in cls.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def test_strategy__has_every_public_member_of_jesses():
    for theirs in jesse_class():
        ours = inspect.getattr_static(Strategy, theirs.name, None)
        assert ours is not None, theirs.name
        is_property = any(isinstance(d, ast.Name) and d.id == "property" for d in theirs.decorator_list)
        assert isinstance(ours, property) is is_property, theirs.name


def test_strategy__methods_take_jesses_arguments():
    for theirs in jesse_class():
        ours = inspect.getattr_static(Strategy, theirs.name)
        if isinstance(ours, property):
            continue
        names = [argument.arg for argument in theirs.args.args if argument.arg != "self"]
        mine = [name for name in inspect.signature(ours).parameters if name != "self"]
        assert mine == names, theirs.name


def test_strategy__wants_its_two_hooks():
    assert Strategy.__abstractmethods__ == {"should_long", "go_long"}


# ---- prices and candles ----------------------------------------------------------------------------------------------


def test_candle__parts():
    candles = minutes((10, 12, 13, 9))
    assert look(lambda s: (s.open, s.close, s.high, s.low, s.volume, s.price), candles) == [(10, 12, 13, 9, 1, 12)]
    assert look(lambda s: s.current_candle.tolist(), candles) == [[START, 10, 12, 13, 9, 1]]


def test_current_candle__is_a_copy_and_candles_are_not():
    def edit(strategy):
        strategy.current_candle[2] = 1.0
        return strategy.close, np.shares_memory(strategy.candles, strategy.candles)

    assert look(edit, minutes(10, 11)) == [(10.0, True), (11.0, True)]


def test_price__stays_while_a_bar_executes():
    seen = []

    def update(self):
        self.position.current_price = 1.0
        self.candles[-1, 2] = 50.0
        seen.append((self.price, self.close))

    run(scripted(update_position=update), minutes(100, 110))
    assert seen == [(110.0, 50.0)]


def test_time__is_the_end_of_the_minute():
    assert look(lambda s: int(s.time)) == [at(0), at(1), at(2), at(3)]
    assert look(lambda s: s.closed_candle_open_time) == [at(i) - MINUTE for i in range(4)]


def test_trading_hours__judge_the_candle_that_closed():
    schedule = {"timezone": "UTC", "hours": {"Fri": "00:01-00:03"}}
    seen = []
    test = scripted(
        trading_hours=lambda self: schedule,
        before=lambda self: seen.append(self.is_trading_hours),
        should_long=lambda self: False,
    )
    run(test, minutes(*[1] * 4))
    assert seen == [False, True, True, False]
    assert look(lambda s: s.is_trading_hours) == [True] * 4


# ---- position --------------------------------------------------------------------------------------------------------


def test_position__of_a_long_with_leverage():
    account = Account(fee_rate=0.0, leverage=2)
    seen = look(
        lambda s: (
            s.position.type,
            s.position.qty,
            s.position.entry_price,
            s.position.pnl,
            s.position.pnl_percentage,
            s.position.value,
            s.position.total_cost,
        ),
        account=account,
    )
    assert seen[0][:4] == ("close", 0, None, 0) and np.isnan(seen[0][6])
    assert seen[1] == ("long", 1.0, 100.0, 10.0, 20.0, 110.0, 50.0)
    assert seen[2] == ("long", 1.0, 100.0, -10.0, -20.0, 90.0, 50.0)


def test_position__words():
    assert look(lambda s: (s.is_open, s.is_long, s.is_short, s.is_close))[:2] == [
        (False, False, False, True),
        (True, True, False, False),
    ]
    assert look(lambda s: (s.mark_price, s.funding_rate, s.next_funding_timestamp))[0] == (100.0, 0, None)
    assert look(lambda s: (s.position.mode, s.position.exchange_type, s.position.leverage))[0] == (
        "cross",
        "futures",
        1,
    )


def test_counts__follow_the_fills():
    seen = []

    def update(self):
        if self.index == 1:
            self.buy = [(1, 110), (1, 85)]
            self.take_profit = (1, 95)
        seen.append((self.increased_count, self.reduced_count, self.trades_count, self.last_trade_index))

    run(scripted(update_position=update), minutes(100, 110, (90, 95, 96, 84), 95, 95))
    # At bar 1 a market order joins, in bar 2 a stop turned limit leaves and a limit joins.
    assert seen == [(1, 0, 0, 0), (3, 1, 0, 0), (3, 1, 0, 0), (3, 1, 0, 0)]


def test_last_trade_index__is_the_bar_of_the_last_close():
    seen = []
    test = scripted(
        before=lambda self: seen.append((self.last_trade_index, self.trades_count)),
        update_position=lambda self: self.liquidate() if self.index == 2 else None,
    )
    run(test, minutes(*[100] * 4))
    assert seen == [(0, 0), (0, 0), (0, 0), (2, 1)]


# ---- account ---------------------------------------------------------------------------------------------------------


def test_account__words():
    account = Account(fee_rate=0.001, leverage=3, mode=Mode.ISOLATED)
    assert look(lambda s: (s.leverage, s.fee_rate, s.exchange_type, s.is_futures_trading), account=account)[0] == (
        3,
        0.001,
        "futures",
        True,
    )
    assert look(lambda s: (s.balance, s.available_margin, s.leveraged_available_margin), account=account)[1] == (
        10_000 - 0.1,
        10_000 - 0.1 - (100 / 3 - 10.0),
        3 * (10_000 - 0.1 - (100 / 3 - 10.0)),
    )


def test_portfolio_value__multiplies_profit_by_leverage_as_jesse_does():
    assert look(lambda s: s.portfolio_value, account=Account(fee_rate=0.0, leverage=5))[1] == 10_000 + 5 * 10.0


def test_portfolio_value__of_spot_counts_orders_and_assets():
    account = Account(fee_rate=0.0, mode=Mode.SPOT, exchange="Binance Spot")
    assert look(lambda s: (s.balance, s.portfolio_value, s.is_spot_trading), account=account)[1] == (9900, 10_010, True)
    resting = scripted(
        go_long=lambda self: setattr(self, "buy", (1, 50)),
        should_cancel_entry=lambda self: False,
        before=lambda self: self.seen.append((self.balance, self.portfolio_value)),
    )
    run(resting, minutes(100, 100), account=account)
    assert resting.seen == [(10_000, 10_000), (9950, 10_000)]


def test_names__of_the_route():
    expected = (SYMBOL, "3m", "Binance Perpetual Futures", "BTC", "USDT", "Test", 0)
    names = lambda s: (s.symbol, s.timeframe, s.exchange, s.base_asset, s.quote_asset, s.name, s.current_route_index)  # noqa: E731
    assert look(names, minutes(1, 2, 3), timeframe="3m") == [expected]
    assert look(
        lambda s: [(r.symbol, r.timeframe) for r in (*s.routes, *s.data_routes)],
        data_routes=[("E-T", "5m")],
        candles={SYMBOL: minutes(1), "E-T": minutes(1)},
    ) == [[(SYMBOL, "1m"), ("E-T", "5m")]]


def test_environment__is_a_backtest():
    assert look(lambda s: (s.is_backtesting, s.is_livetrading, s.is_papertrading, s.is_live))[0] == (
        True,
        False,
        False,
        False,
    )


# ---- orders ----------------------------------------------------------------------------------------------------------


def test_averages__are_over_what_was_submitted():
    seen = []

    def go_long(self):
        self.buy = [(1, 100), (3, 80)]
        self.stop_loss = [(1, 60), (1, 40)]

    def update(self):
        seen.append((self.average_entry_price, self.average_stop_loss, self.position.entry_price))

    run(scripted(go_long=go_long, update_position=update), minutes(100, 100))
    assert seen == [(85.0, 50.0, 100.0)]


def test_entry_orders__while_flat_and_in_a_position():
    seen = []
    test = scripted(
        go_long=lambda self: setattr(self, "buy", [(1, 100), (3, 80)]),
        filters=lambda self: [lambda: seen.append((self.has_long_entry_orders, self.has_short_entry_orders)) or True],
        after=lambda self: seen.append(
            ([o.type for o in self.entry_orders], self.has_long_entry_orders, self.has_short_entry_orders)
        ),
    )
    run(test, minutes(100, 100))
    # The executed order is dropped after the next bar only.
    assert seen == [(True, False), *[(["MARKET", "LIMIT"], True, False)] * 2]


def test_order__tells_its_life():
    seen = []
    test = scripted(
        on_open_position=lambda self, order: seen.append(order),
        update_position=lambda self: setattr(self, "stop_loss", (1, 50)),
        after=lambda self: seen.extend(self.active_exit_orders),
    )
    run(test, minutes(100, 100))
    entry, stop = seen
    assert (entry.side, entry.type, entry.qty, entry.price, entry.value) == ("buy", "MARKET", 1.0, 100.0, 100.0)
    assert entry.is_executed and not entry.is_active and not entry.is_stop_loss
    assert (stop.side, stop.type, stop.qty, stop.reduce_only, stop.remaining_qty) == ("sell", "STOP", -1.0, True, -1.0)
    assert stop.is_stop_loss and not stop.is_take_profit
    assert stop.is_canceled  # by the forced close
    assert stop.canceled_at == at(1)


def test_closed_trade__reaches_the_hook_and_the_list():
    seen = []

    def on_close(self, order, trade):
        seen.append((trade.type, trade.is_long, trade.pnl, trade.fee, trade.size, trade.holding_period, trade.roi))
        assert self.trades == [trade] and trade.orders[-1] is order

    run(scripted(on_close_position=on_close), minutes(100, 110), account=Account(fee_rate=0.01, leverage=2))
    assert seen == [("long", True, 10 - 2.1, 2.1, 100.0, 60.0, (10 - 2.1) / 50 * 100)]


# ---- the rest --------------------------------------------------------------------------------------------------------


def test_cached__remembers_by_argument_and_forgets_after_the_bar():
    calls = []

    class Slow(Strategy):
        @cached
        def value(self, n, *, plus=0):
            calls.append((self.index, n, plus))
            return n + plus

        def should_long(self):
            assert self.value(1) == self.value(1) == 1
            assert self.value(1, plus=2) == self.value(1, plus=2) == 3
            return False

        def go_long(self):
            pass

    run(Slow, minutes(1, 2))
    assert calls == [(0, 1, 0), (0, 1, 2), (1, 1, 0), (1, 1, 2)]


def test_hyperparameters__as_given_or_by_dna_or_by_default():
    definitions = [{"name": "x", "type": int, "min": 0, "max": 79, "default": 5}]
    seen = []
    members = {
        "hyperparameters": lambda self: definitions,
        "before": lambda self: seen.append(dict(self.hp)),
        "should_long": lambda self: False,
    }
    run(scripted(**members), minutes(1))
    run(scripted(**members), minutes(1), hyperparameters={"y": 1})
    run(scripted(**members), minutes(1), hyperparameters={})
    run(scripted(**members, dna=lambda self: "2"), minutes(1))
    run(scripted(**members, dna=lambda self: "eyJ4IjogOX0="), minutes(1))
    assert seen == [{"x": 5}, {"y": 1}, {"x": 5}, {"x": 10}, {"x": 9}]


def test_log__is_kept():
    simulation = run(scripted(before=lambda self: self.log("hello", "error")), minutes(1))
    assert simulation.log == [(at(0), "error", "hello")]


def test_charts__check_their_values_and_draw_nothing():
    def draw(self):
        self.add_line_to_candle_chart("a", 1.0)
        self.add_extra_line_chart("a", "b", np.float64(1.0), color="red")
        self.add_horizontal_line_to_candle_chart("a", 1, line_style="dotted")
        self.add_horizontal_line_to_extra_chart("a", "b", 1)

    run(scripted(update_chart=draw), minutes(1))
    for bad in (
        lambda self: self.add_line_to_candle_chart("a", "1"),
        lambda self: self.add_horizontal_line_to_candle_chart("a", 1, line_style="wavy"),
        lambda self: self.log("a", "warning"),
    ):
        with pytest.raises(SimulationError) as caught:
            run(scripted(before=bad), minutes(1))
        assert caught.value.exception == "ValueError"


def test_what_is_not_there__says_so():
    with pytest.raises(SimulationError) as caught:
        look(lambda s: s.capital)
    assert caught.value.exception == "NotImplementedError"


def test_metrics__are_of_the_trades_so_far():
    seen = []

    def note(self, *_):
        seen.append(self.metrics)

    run(scripted(before=note, on_close_position=note, update_position=lambda self: self.liquidate()), minutes(1, 2, 3))
    assert seen[0] == {"total": 0, "win_rate": 0, "net_profit_percentage": 0, "annualization": 365}
    closed = seen[2]
    assert closed["total"] == closed["longs_count"] == 1
    assert closed["net_profit"] == 1.0
    assert closed["average_loss"] is np.nan
    assert closed["avg_trades_per_day"] == 0
    # Taken anew only when a trade of this route has closed.
    assert seen[3] is closed


def test_store__shows_the_run_to_strategies_that_import_it(tmp_path):
    file = tmp_path / "Asks.py"
    file.write_text(
        "from jesse.enums import order_types\n"
        "from jesse.strategies import Strategy\n\n\n"
        "class Asks(Strategy):\n"
        "    def should_long(self):\n"
        "        return self.index == 0\n\n"
        "    def go_long(self):\n"
        "        from jesse.store import store\n"
        "        assert store.app.time == self.time\n"
        "        assert store.exchanges.get_exchange(self.exchange).assets['USDT'] == self.balance\n"
        "        assert store.positions.get_position(self.exchange, self.symbol) is self.position\n"
        "        self.buy = 1, self.price\n\n"
        "    def on_open_position(self, order):\n"
        "        assert order.type == order_types.MARKET\n"
    )
    setup = Setup.from_arrays(FREE, SYMBOL, "1m", minutes(1, 2, 3), np.empty((0, 6)))
    simulation, _ = Session(file, setup).run_interpreted()
    assert len(simulation.trades) == 1
    with pytest.raises(RuntimeError, match="no backtest is running"):
        _ = store.app.time


def test_candle_pipelines__are_refused():
    with pytest.raises(SettingsError, match="pipeline"):
        run(scripted(candles_pipeline=lambda self: object()), minutes(1))


@pytest.mark.parametrize(
    ("assigned", "points"),
    [
        ((1, 2), [[1, 2]]),
        ([1, 2], [[1, 2]]),
        ([(1, 2), [3, 4]], [[1, 2], [3, 4]]),
        (((1, 2),), [[1, 2]]),
        ((1, 2, 3), [[1, 2, 3]]),
        (np.array([[1.0, 2.0]]), [[1, 2]]),
        ((None, 2), [[np.nan, 2]]),
    ],
)
def test_points__in_any_of_jesses_forms(assigned, points):
    np.testing.assert_array_equal(as_points(assigned), points)


def test_points__that_are_refused():
    assert as_points(None) == as_points([]) == []
    for assigned in ((1, 0), [(1, 5), (1, -2)]):
        with pytest.raises(InvalidStrategy):
            as_points(assigned)
    for assigned in (5.0, (), (1,), "ab", [(1, 2), (1,)]):
        with pytest.raises((TypeError, IndexError, ValueError)):
            as_points(assigned)
    nan = as_points((1, float("nan")))
    assert not same_points(nan, nan)


# ---- accounts --------------------------------------------------------------------------------------------------------

CONFIG = {
    "starting_balance": "5000",
    "fee": 0.001,
    "type": "futures",
    "futures_leverage": 3.0,
    "futures_leverage_mode": "isolated",
    "exchange": "Binance",
    "warm_up_candles": 20,
}


def test_account__of_jesses_configuration():
    assert Account.from_jesse_config(CONFIG) == Account(5000.0, 0.001, Mode.ISOLATED, 3, "Binance", 20)
    spot = {**CONFIG, "type": "spot", "simulation_model": "spot", "annualization": 252, "something": "else"}
    assert Account.from_jesse_config(spot) == Account(5000.0, 0.001, Mode.SPOT, 1, "Binance", 20, 252)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"fee": "free"}, "fee"),
        ({"fee": 6}, "fee_rate"),
        ({"starting_balance": 0}, "starting_balance"),
        ({"starting_balance": float("nan")}, "starting_balance"),
        ({"futures_leverage": 0}, "leverage"),
        ({"futures_leverage_mode": "portfolio"}, "futures_leverage_mode"),
        ({"type": "options"}, "type"),
        ({"simulation_model": "spot"}, "contradict"),
        ({"annualization": 300}, "annualization"),
        ({"annualization": True}, "annualization"),
        ({"warm_up_candles": -1}, "warm_up_candles"),
        ({"exchange": ""}, "exchange"),
        ({"anualization": 252}, "Did you mean 'annualization'"),
    ],
)
def test_account__that_makes_no_sense(change, named):
    with pytest.raises(SettingsError, match=named):
        Account.from_jesse_config({**CONFIG, **change})


@pytest.mark.parametrize("key", sorted(set(CONFIG) - {"type"}))
def test_account__names_what_is_missing(key):
    with pytest.raises(SettingsError, match=key):
        Account.from_jesse_config({name: value for name, value in CONFIG.items() if name != key})


def test_account__spot_has_no_leverage():
    with pytest.raises(SettingsError, match="leverage"):
        Account(mode=Mode.SPOT, leverage=2)
    with pytest.raises(AttributeError):
        FREE.leverage = 3  # frozen
