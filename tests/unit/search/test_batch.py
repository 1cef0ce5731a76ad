"""Batches: every cell is a sweep of its own, and what fails leaves the rest alone."""

import numpy as np
import pytest
from searching import MARKET, candles, write_strategy

from fastbt.errors import SearchError, SettingsError, StrategyError
from fastbt.search import BatchRequest, BatchResult, backtest_batch
from fastbt.sweep import sweep

BROKEN = """
    from jesse.strategies import Strategy

    class Broken(Strategy):
        def should_long(self):
            return open("file")

        def go_long(self):
            pass
"""


@pytest.fixture(scope="module")
def strategy(tmp_path_factory):
    return write_strategy(tmp_path_factory.mktemp("strategy"))


def test_cells__are_sweeps(strategy):
    markets = [candles(6), candles(6, seed=1, symbol="ETH-USDT")]
    settings = {**MARKET, "timeframe": ["1h", "2h"]}
    periods = [("2019-01-03", "2019-01-05"), ("2019-01-05", None)]
    result = backtest_batch(strategy, markets, **settings, periods=periods, n=5, seed=2)
    assert len(result.cells) == 8 and len(result) == 40
    row = 0
    for market in markets:
        for timeframe in ("1h", "2h"):
            for period in periods:
                alone = sweep(
                    strategy,
                    market,
                    **{**MARKET, "timeframe": timeframe},
                    start=period[0],
                    finish=period[1],
                    n=5,
                    seed=2,
                )
                cell = result.cells[row // 5]
                assert (cell.symbol, cell.timeframe) == (market.symbol, timeframe)
                assert np.array_equal(cell.values, alone.metrics, equal_nan=True)
                row += 5
    assert result.frame.height == 40
    best = result.best("net_profit", 1).to_dicts()[0]
    assert best["net_profit"] == result.frame["net_profit"].max()
    assert result.backtest(best["cell"], best["set"])["metrics"]["net_profit"] == best["net_profit"]


def test_failed_cell__leaves_the_others(strategy, tmp_path):
    broken = write_strategy(tmp_path, BROKEN, "Broken")
    result = backtest_batch(
        [strategy, broken], candles(5), **MARKET, periods=[("2019-01-03", "2019-01-05"), ("2019-03-01", "2019-04-01")]
    )
    assert [each.ok for each in result.cells] == [True, False, False, False]
    assert "is available from" in result.cells[1].status
    assert "open" in result.cells[2].status or "Broken" in result.cells[2].status
    assert result.overall()["cells_ok"] == 1
    with pytest.raises(SettingsError, match="has no backtests"):
        result.backtest(1, 0)
    with pytest.raises(SearchError, match="none of 1 cells could be run"):
        backtest_batch(broken, candles(5), **MARKET)


def test_sets__are_given_drawn_or_the_defaults(strategy):
    market = candles(5)
    assert backtest_batch(strategy, market, **MARKET).sets["Momentum"] == [{"hour": 3, "hold": 4, "share": 0.5}]
    given = [{"hour": 1}, {"hour": 2, "hold": 3}]
    found = backtest_batch(strategy, market, **MARKET, params={"Momentum": given}).sets["Momentum"]
    assert [(each["hour"], each["hold"]) for each in found] == [(1, 4), (2, 3)]
    grid = backtest_batch(strategy, market, **MARKET, space={"hour": (0, 4), "hold": [1, 2]})
    assert len(grid) == 10
    with pytest.raises(SearchError, match="there are no sets for Momentum"):
        backtest_batch(strategy, market, **MARKET, params={"Other": given})


def test_matrix__holds_the_best_of_each_combination(strategy):
    markets = [candles(6), candles(6, seed=1, symbol="ETH-USDT")]
    result = backtest_batch(strategy, markets, **{**MARKET, "timeframe": ["1h", "2h"]}, n=6, metric="net_profit")
    frame = result.frame
    for by in ("best", "worst", "mean", "median"):
        matrix = result.matrix(by=by)
        assert matrix.columns == ["strategy", "BTC-USDT 1h", "BTC-USDT 2h", "ETH-USDT 1h", "ETH-USDT 2h"]
        part = frame.filter((frame["symbol"] == "ETH-USDT") & (frame["timeframe"] == "2h"))["net_profit"]
        wanted = {"best": part.max(), "worst": part.min(), "mean": part.mean(), "median": part.median()}[by]
        assert matrix["ETH-USDT 2h"][0] == pytest.approx(wanted)
    assert result.matrix(rows="set", columns=("symbol",)).height == 6
    with pytest.raises(SettingsError, match="matrix: wanted"):
        result.matrix(rows="colour")
    with pytest.raises(SettingsError, match="by wants"):
        result.matrix(by="sum")


@pytest.mark.compiled
def test_result__is_saved_and_loaded(tmp_path):
    result = backtest_batch("strategies/SmaCrossover", "BTC-USD", timeframe="4h", finish="2019-03-01", n=4)
    again = BatchResult.load(result.save(tmp_path))
    assert again.id == result.id
    assert again.frame.equals(result.frame)
    assert again.best_sets(2) == result.best_sets(2)
    assert again.backtest(0, 2)["metrics"] == result.backtest(0, 2)["metrics"]
    assert BatchRequest.model_validate_json(result.request.model_dump_json()) == result.request
    assert backtest_batch(result.request).id == result.id


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"periods": [("2019-01-05", "2019-01-03")]}, "before the finish"),
        ({"periods": [("2019-01-03", None)] * 2}, "came twice"),
        ({"timeframe": ["1h", "1h"]}, "timeframes: wanted different ones"),
        ({"timeframe": ["7h"]}, "7h"),
        ({"metric": "sharp"}, "no metric"),
        ({"n": 0}, "n: .*greater than or equal to 1"),
        ({"fork": True}, "fork wants a run"),
    ],
)
def test_settings__say_what_is_wrong(strategy, settings, said):
    with pytest.raises(SettingsError, match=said):
        backtest_batch(strategy, candles(5), **{**MARKET, **settings})
    with pytest.raises(SettingsError, match="candles"):
        backtest_batch(strategy, **MARKET)


def test_misspelt_strategy__is_no_cell(strategy):
    with pytest.raises(StrategyError, match="there is no strategy at .*Momentun.py. Did you mean 'Momentum.py'"):
        backtest_batch([strategy, strategy.with_name("Momentun.py")], candles(5), **MARKET)
