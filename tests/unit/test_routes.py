"""Several routes through `fastbt.backtest`, `RoutesSession` and `sweep_routes`."""

import numpy as np
import pytest
from route_cases import EXCHANGE, SYMBOLS, make_candles

import fastbt
from fastbt.engine.account import Account
from fastbt.errors import CandleError, SettingsError
from fastbt.routes import RoutesSession, setups_of

ROUTES = ("BTC-USDT", "15m"), ("ETH-USDT", "5m")
CONFIG = {
    "starting_balance": 10_000,
    "fee": 0.0006,
    "type": "futures",
    "futures_leverage": 2,
    "futures_leverage_mode": "cross",
    "exchange": EXCHANGE,
    "warm_up_candles": 30,
}
STRATEGY = """
from jesse.strategies import Strategy


class {name}(Strategy):
    def hyperparameters(self):
        return [{{"name": "{parameter}", "type": int, "min": 2, "max": 9, "default": 4}}]

    def should_long(self):
        return self.index % self.hp["{parameter}"] == 1

    def go_long(self):
        self.buy = 1, self.price

    def update_position(self):
        {update}
"""


@pytest.fixture
def make_file(tmp_path):
    def make(name, parameter="every", update="self.liquidate()"):
        file = tmp_path / f"{name}.py"
        file.write_text(STRATEGY.format(name=name, parameter=parameter, update=update))
        return file

    return make


def jesse_dict(candles):
    return {
        f"{EXCHANGE}-{symbol}": {"exchange": EXCHANGE, "symbol": symbol, "candles": rows}
        for symbol, rows in candles.items()
    }


def run(strategies, mode, candles=None, **changes):
    arrays = candles or {key: rows for key, (rows, _) in make_candles(3, SYMBOLS[:2], 900).items()}
    routes = [
        {"exchange": EXCHANGE, "symbol": symbol, "timeframe": timeframe, "strategy": strategy}
        for (symbol, timeframe), strategy in zip(ROUTES, strategies, strict=True)
    ]
    return fastbt.backtest(CONFIG, routes, [], jesse_dict(arrays), mode=mode, **changes)


def test_backtest__names_the_strategy_of_each_trade(make_file):
    result = run([make_file("First"), make_file("Second")], "interpreted")
    names = {(trade["symbol"], trade["strategy_name"]) for trade in result["trades"]}
    assert names == {("BTC-USDT", "First"), ("ETH-USDT", "Second")}


def test_backtest__hands_the_same_hyperparameters_to_every_strategy(make_file):
    strategies = [make_file("First"), make_file("Second")]
    often = run(strategies, "interpreted", hyperparameters={"every": 2})
    assert len(often["trades"]) > 1.5 * len(run(strategies, "interpreted")["trades"])


def test_backtest__auto_says_why_it_runs_interpreted(make_file):
    odd = make_file("Odd", update="import random; random.random() > 2 or self.liquidate()")
    with pytest.warns(UserWarning, match="this runs interpreted, many times slower"):
        result = run([make_file("First"), odd], "auto")
    assert len(result["trades"]) > 20


def test_backtest__refuses_candles_of_other_minutes(make_file):
    candles = {key: rows for key, (rows, _) in make_candles(3, SYMBOLS[:2], 900).items()}
    candles["ETH-USDT"] = candles["ETH-USDT"][:-5]
    with pytest.raises(CandleError, match="all symbols want candles of the same minutes"):
        run([make_file("First"), make_file("Second")], "compiled", candles)


def test_backtest__refuses_a_symbol_twice(make_file):
    arrays = jesse_dict({"BTC-USDT": make_candles(3, SYMBOLS[:1], 900)["BTC-USDT"][0]})
    route = {"exchange": EXCHANGE, "symbol": "BTC-USDT", "timeframe": "5m", "strategy": make_file("First")}
    with pytest.raises(SettingsError, match="a symbol is traded by one route only"):
        fastbt.backtest(CONFIG, [route, route], [], arrays)


def test_setups__see_all_symbols_in_all_timeframes():
    candles = make_candles(1, SYMBOLS, 900)
    setups = setups_of(Account(exchange=EXCHANGE), ROUTES, [("SOL-USDT", "1h")], candles)
    for setup in setups:
        assert all(setup.provides(name) for name in ("1m", "1h", "5m", "15m", "SOL-USDT 1m", "SOL-USDT 15m"))
        assert not setup.provides("4h") and not setup.provides("ADA-USDT 1h")
        assert list(setup.candles)[0] == setup.symbol
    assert setups[0].frames == ("ETH-USDT 5m", "SOL-USDT 1h")


def test_session__speaks_of_all_strategies_as_one(make_file):
    setups = setups_of(Account(exchange=EXCHANGE), ROUTES, [], make_candles(1, SYMBOLS[:2], 900))
    session = RoutesSession([make_file("First", "fast"), make_file("Second", "slow")], setups)
    assert session.source.name == "First, Second"
    assert session.source.defaults == {"fast": 4, "slow": 4}
    assert [each["name"] for each in session.source.hyperparameters] == ["fast", "slow"]
    assert list(session.candles) == ["BTC-USDT", "ETH-USDT"]


def test_session__plays_symbols_in_the_order_of_the_candles(make_file):
    setups = setups_of(Account(exchange=EXCHANGE), ROUTES, [], make_candles(1, SYMBOLS[:2], 900))
    session = RoutesSession([make_file("First"), make_file("Second")], setups, ["ETH-USDT", "BTC-USDT"])
    assert session._order == [1, 0]
    assert list(session.candles) == ["ETH-USDT", "BTC-USDT"]


@pytest.mark.compiled
def test_sweep__every_row_is_a_backtest(make_file):
    from fastbt.sweep import sweep_routes

    setups = setups_of(Account(exchange=EXCHANGE, leverage=2), ROUTES, [], make_candles(3, SYMBOLS[:2], 2000))
    session = RoutesSession([make_file("First"), make_file("Second", update="self.liquidate()")], setups)
    found = sweep_routes(session, params=[{"every": every} for every in (2, 3, 5, 2)], threads=2)
    assert list(found.evaluated.statuses) == ["ok"] * 4
    for row, every in enumerate((2, 3, 5, 2)):
        simulation, metrics = session.run_interpreted({"every": every})
        result = found.backtest(row)
        assert len(result["trades"]) == len(simulation.trades) == found.frame["total"][row]
        assert result["metrics"]["net_profit"] == pytest.approx(metrics["net_profit"], rel=1e-12)
        np.testing.assert_array_equal(found.evaluated.daily[row], simulation.daily_balance)
    assert found.best("total", 1)["every"][0] == 2
    with pytest.raises(SettingsError, match="no hyper-parameter"):
        sweep_routes(session, params=[{"evry": 3}])
