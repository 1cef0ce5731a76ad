"""Walk-forwards: what was planted is found, nothing is made of noise, and no day counts twice."""

import json

import numpy as np
import polars as pl
import pytest
from searching import DAY, MARKET, START, candles, write_strategy

from fastbt.errors import SearchError, SettingsError
from fastbt.search import WalkForwardRequest, WalkForwardResult, optimize, walk_forward
from fastbt.search.out_of_sample import daily_returns, stitch
from fastbt.search.window_result import Part, WindowResult
from fastbt.sweep import make_session

SHORT = {**MARKET, "in_sample": 4, "out_of_sample": 2, "sampler": "random", "trials": 12, "purge": 0, "embargo": 0}


@pytest.fixture(scope="module")
def strategy(tmp_path_factory):
    return write_strategy(tmp_path_factory.mktemp("strategy"))


def test_windows__are_optimised_and_tested_alone(strategy):
    prices = candles(12)
    result = walk_forward(strategy, prices, **SHORT, seed=3, fixed={"share": 0.5})
    assert len(result) == 3
    account = result.session().setup.account
    for each in result.windows:
        inside = optimize(
            strategy, prices, **MARKET, sampler="random", trials=12, seed=3 + each.number, fixed={"share": 0.5},
            start=each.start, finish=each.finish, min_trades=1,
        )  # fmt: skip
        assert each.params == inside.best_set
        assert each.in_sample_value == inside.best_value
        session = make_session(strategy, prices, "1h", each.test_start, each.test_finish, account)
        simulation, metrics = session.run(each.params)
        assert each.out_of_sample.balance == list(simulation.daily_balance)
        assert each.out_of_sample_value == metrics["sharpe_ratio"]
    first, *_, last = result.windows
    assert (first.start, last.test_finish) == (START + DAY, START + 11 * DAY)
    assert first.finish == first.test_start


def test_stitched__is_the_product_of_the_parts(strategy):
    result = walk_forward(strategy, candles(14), **SHORT)
    growth = np.prod([each.out_of_sample.balance[-1] / each.out_of_sample.balance[0] for each in result.windows])
    assert result.equity[0] == 10_000
    assert result.equity[-1] == pytest.approx(10_000 * growth, rel=1e-12)
    assert result.times == sorted(set(result.times))
    returns = daily_returns(result.windows)
    assert np.prod(1 + returns) == pytest.approx(growth, rel=1e-12)
    assert result.edge.n == len(returns)


def test_overlaps__count_once(strategy):
    prices = candles(16)
    result = walk_forward(strategy, prices, **SHORT, step=1)
    assert len(result) > 5
    for one, two in zip(result.windows[:-1], result.windows[1:], strict=True):
        assert one.live.finish == two.test_start == one.live_finish
        assert one.out_of_sample.finish > one.live.finish
    days = (result.windows[-1].test_finish - result.windows[0].test_start) / DAY
    # One sample a day, and one more for each part's forced close.
    assert len(daily_returns(result.windows)) <= days + len(result)
    assert result.times == sorted(set(result.times))


def test_gap__is_left_out(strategy):
    settings = {**SHORT, "purge": 1, "embargo": 0.5}
    result = walk_forward(strategy, candles(16), **settings)
    for each in result.windows:
        assert each.test_start - each.finish == 1.5 * DAY
        assert each.finish - each.start == 4 * DAY
    automatic = walk_forward(strategy, candles(16), **{**SHORT, "purge": "auto", "embargo": "auto"})
    # Trades last up to 12 hours, and the warm-up is 24 bars of an hour.
    assert (automatic.purge_days, automatic.embargo_days) == (1.0, 1.0)


@pytest.mark.parametrize("mode", ["expanding", "anchored"])
def test_modes__that_grow(strategy, mode):
    result = walk_forward(strategy, candles(14), **SHORT, mode=mode, start="2019-01-04")
    begin = START + (3 if mode == "expanding" else 1) * DAY
    assert {each.start for each in result.windows} == {begin}
    lengths = [each.finish - each.start for each in result.windows]
    assert lengths == sorted(lengths) and lengths[0] < lengths[-1]


def test_planted_edge__is_found(strategy):
    prices = candles(40, planted=0.015, seed=5)
    settings = {**SHORT, "in_sample": 8, "out_of_sample": 4, "trials": 60, "fixed": {"share": 0.9}}
    result = walk_forward(strategy, prices, **settings)
    assert result.edge.p_value < 0.05
    assert result.edge.low > 0
    assert result.total_return > 0.05
    assert result.efficiency > 0.2
    assert result.stability["hour"].mode_share > 0.3


def test_noise__has_no_edge(strategy):
    p_values, degraded = [], []
    for seed in range(6):
        settings = {**SHORT, "in_sample": 6, "out_of_sample": 3, "trials": 20, "resamples": 200}
        result = walk_forward(strategy, candles(22, seed=seed), **settings)
        p_values.append(result.edge.p_value)
        degraded.append(result.degradation.mean)
    assert min(p_values) > 0.004 and max(p_values) > 0.3
    assert np.median(degraded) > 0


def test_window__without_a_set_says_so(strategy):
    settings = {**SHORT, "requirements": "net_profit > 0", "trials": 1, "seed": 1}
    result = walk_forward(strategy, candles(20, seed=2), **settings)
    empty = [each for each in result.windows if not each.ok]
    assert empty and len(empty) < len(result)
    assert all("misses 'net_profit > 0'" in each.status for each in empty)
    # Flat where there was nothing to trade.
    assert result.frame.filter(pl.col("status") == "ok").height == len(result) - len(empty)
    with pytest.raises(SearchError, match="none of .* windows has a set"):
        walk_forward(strategy, candles(20), **{**SHORT, "min_trades": 50})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"in_sample": 0.5}, "0.5 days are shorter than the warm-up of 24 bars, 1 days"),
        ({"in_sample": 11}, "there is no room for a window"),
        ({"in_sample": 4.01}, "whole number of 1h bars"),
        ({"out_of_sample": 0}, "out_of_sample: .*greater than 0; it was 0"),
        ({"purge": -1}, "days from 0"),
        ({"mode": "sliding"}, "mode"),
        ({"anchor": "2019-01-03"}, "anchor is for the mode anchored"),
        ({"mode": "anchored", "anchor": "2019-01-09", "start": "2019-01-04", "in_sample": 2}, "anchor wants a time up"),
        ({"start": "2019-01-09", "finish": "2019-01-05"}, "before the finish"),
        ({"start": "2019-01-01"}, "warm-up"),
        ({"sampler": "gpp"}, "Did you mean 'gp'"),
    ],
)
def test_settings__say_what_is_wrong(strategy, change, said):
    with pytest.raises(SettingsError, match=said):
        walk_forward(strategy, candles(12), **{**SHORT, **change})


def test_result__is_saved_loaded_and_chained(strategy, tmp_path):
    prices = candles(12)
    first = optimize(strategy, prices, **MARKET, sampler="random", trials=20)
    result = walk_forward(strategy, prices, **SHORT, space_from=first)
    narrow = {each["name"]: each for each in first.narrowed()}
    assert {each["name"]: each for each in result.space} == {
        name: each for name, each in narrow.items() if each["min"] < each["max"]
    }
    path = result.save(tmp_path)
    again = WalkForwardResult.load(path)
    assert again.id == result.id
    assert again.backtest(strategy=strategy, candles=prices)["hyperparameters"] == result.best_set
    assert WalkForwardRequest.model_validate(result.request.model_dump()) == result.request


def test_result__is_json_even_where_numbers_are_unknown(strategy):
    result = walk_forward(strategy, candles(9), **{**SHORT, "trials": 5}, step=4)
    assert len(result) < 5 and np.isnan(result.degradation.p_value)
    text = json.dumps(result.model_dump(mode="json"), allow_nan=False)
    again = WalkForwardResult.model_validate_json(text)
    assert again.id == result.id == again._hash()
    assert np.isnan(again.degradation.p_value) and again.windows == result.windows
    assert again.model_dump_json() == result.model_dump_json()


def test_time_limit__keeps_whole_windows(strategy):
    import time

    result = walk_forward(
        strategy, candles(30), **{**SHORT, "trials": 10}, time_limit=2.5, progress=lambda state: time.sleep(0.4)
    )
    assert result.stopped == "time limit"
    assert 0 < len(result) < 12


def a_window(number, first, balance, live_days=1):
    start = START + first * DAY
    times = [start + i * DAY for i in range(len(balance))]
    part = Part(start=start, finish=times[-1], metrics={}, times=times, balance=balance)
    return WindowResult(
        number=number, status="ok", start=0, finish=start, test_start=start, test_finish=times[-1],
        live_finish=times[-1], out_of_sample=part,
    )  # fmt: skip


def test_stitch__by_hand():
    empty = WindowResult(
        number=1, status="no set", start=0, finish=0, test_start=START + 2 * DAY, test_finish=START + 4 * DAY,
        live_finish=START + 4 * DAY,
    )  # fmt: skip
    windows = [a_window(0, 0, [100.0, 110.0, 121.0]), empty, a_window(2, 4, [50.0, 25.0])]
    times, equity = stitch(windows, 1000.0)
    assert equity == pytest.approx([1000, 1100, 1210, 1210, 605])
    assert [(time - START) / DAY for time in times] == [0, 1, 2, 4, 5]
    assert daily_returns(windows) == pytest.approx([0.1, 0.1, 0, 0, -0.5])
