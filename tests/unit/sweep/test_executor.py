"""Sweeps: what is reported, that threads change nothing, several markets, and what survives an interruption."""

import numpy as np
import pytest

import fastbt
from fastbt.data import CandleSet
from fastbt.data.samples import sample_files
from fastbt.engine import layout
from fastbt.errors import SettingsError
from fastbt.sweep.executor import _series_memory, chunk_rows, row_bytes
from fastbt.sweep.progress import SweepProgress
from fastbt.sweep.sweep import choose_sets, make_account, make_job, make_session, sweep

pytestmark = pytest.mark.compiled

PERIOD = {"start": "2019-02-01", "finish": "2019-03-01"}
#: Far more sets than a test has time for.
WIDE = {"fast_period": (5, 30), "slow_period": (40, 120), "stop_loss": (0.01, 0.06), "take_profit": (0.02, 0.12)}


@pytest.fixture(scope="module")
def session():
    return make_session("strategies/SmaCrossover", CandleSet.load("BTC-USD"), "1h", PERIOD["start"], PERIOD["finish"])


def test_sweep__reports_that_kernels_are_compiled_then_every_set(session):
    told: list[SweepProgress] = []
    result = sweep(session, n=300, threads=2, progress=told.append)
    done = [each.done for each in told]
    assert done[0] == 0
    assert done[-1] == 300
    assert done == sorted(done)
    assert {each.total for each in told} == {300}
    assert [each.seconds for each in told] == sorted(each.seconds for each in told)
    last = told[-1]
    assert last.counts == {"ok": 300, "infeasible": 0, "failed": 0, "unsupported": 0}
    best = result.best("sharpe_ratio", 1)
    assert last.best == best["sharpe_ratio"][0]
    assert last.best_set == result.sets[best["set"][0]]
    assert sorted(last.values) == sorted(result.metrics[:, 30])
    assert last.memory > 50e6
    assert set(result.seconds) == {"total", "compile", "series", "kernels"}
    assert sum(result.seconds.values()) <= 2 * result.seconds["total"]


def test_sweep__counts_compiling_apart_from_running(session):
    # One set runs in far less than the second that compiling takes at least; from the cache both are small.
    result = sweep(session, n=1)
    assert result.seconds["kernels"] < 0.5


def test_sweep__does_not_depend_on_threads(session):
    one, *others = (sweep(session, n=200, seed=3, threads=threads) for threads in (1, 2, 5))
    for other in others:
        assert one.statuses == other.statuses
        np.testing.assert_array_equal(one.metrics, other.metrics)
        np.testing.assert_array_equal(one.daily_balance, other.daily_balance)


def test_sweep__of_any_memory_gives_the_same(session):
    whole = sweep(session, space=WIDE, n=300)
    # Room for a handful of series: most are computed again and again.
    least = sweep(session, space=WIDE, n=300, memory=8 * len(session.setup.market.bars) * 24, daily=True)
    assert least.n_series > 2 * whole.n_series
    assert least.run is not None and least.run.folder.is_dir()
    np.testing.assert_array_equal(whole.metrics, least.metrics)
    np.testing.assert_array_equal(whole.daily_balance, least.daily_balance)
    folder = least.run.folder
    del least
    assert not folder.exists()


def test_keep__saves_what_is_in_a_temporary_folder(session, tmp_path):
    result = sweep(session, space=WIDE, n=300, memory=8 * len(session.setup.market.bars) * 24)
    assert result.is_temporary and "run" not in result.to_dict()
    before, metrics = result.run.folder, result.metrics.copy()
    with pytest.raises(SettingsError, match="there is something at .* already"):
        result.keep(tmp_path)
    folder = tmp_path / "runs" / "kept"
    result.keep(folder)
    assert not result.is_temporary and not before.exists() and result.to_dict()["run"] == str(folder)
    with pytest.raises(SettingsError, match="there is nothing to keep"):
        result.keep(tmp_path / "other")
    del result
    np.testing.assert_array_equal(sweep(session, space=WIDE, n=300, run=folder, resume=True).metrics, metrics)


def test_sweep__keeps_what_was_done_before_an_interruption(session):
    def interrupt(state):
        if state.done:
            raise KeyboardInterrupt

    # More than are run before progress is told for the first time.
    space = {"stop_loss": (0.01, 0.06), "take_profit": (0.02, 0.12)}
    for threads in (1, 2):
        result = sweep(session, space=space, n=300_000, threads=threads, progress=interrupt)
        assert result.interrupted
        assert 0 < result.n_ok < 300_000
        assert set(result.statuses) == {"ok", "not run"}
        ran = [j for j, status in enumerate(result.statuses) if status == "ok"]
        assert len(ran) == result.n_done == result.counts["ok"]
        assert 0 < result.best("net_profit", 300_000).height <= len(ran)
        some = ran[:100]
        whole = sweep(session, params=[result.sets[j] for j in some])
        np.testing.assert_array_equal(result.metrics[some], whole.metrics)


def test_sweep__passes_on_what_progress_raises(session):
    def fail(state):
        raise RuntimeError("of the caller's own")

    with pytest.raises(RuntimeError, match="of the caller's own"):
        sweep(session, n=50, progress=fail)


def test_sweep__takes_columns_and_runs_equal_sets_once(session):
    result = sweep(session, params={"fast_period": [5, 9, 5, 9], "slow_period": 50})
    np.testing.assert_array_equal(result.metrics[:2], result.metrics[2:])
    np.testing.assert_array_equal(result.daily_balance[:2], result.daily_balance[2:])
    assert result.metrics[0, 14] != result.metrics[1, 14]
    assert result.counts["ok"] == 4


def test_sweep__constraints_and_sampling(session):
    result = sweep(session, space=WIDE, n=64, sampling="sobol", constraints=["fast_period * 4 < slow_period"])
    assert len(result) == 64
    assert all(each["fast_period"] * 4 < each["slow_period"] for each in result.sets)
    with pytest.raises(SettingsError, match="constraints are for a space"):
        sweep(session, params=[{}], constraints="fast_period < slow_period")
    with pytest.raises(SettingsError, match="no hyper-parameter 'slow'"):
        sweep(session, n=1, constraints="fast_period < slow")


def test_sweep__daily_balances_are_kept_if_wanted_or_run_again(session):
    kept, left = (sweep(session, n=10, daily=daily) for daily in (True, False))
    with pytest.raises(SettingsError, match="daily=True keeps them"):
        _ = left.daily_balance
    np.testing.assert_array_equal(left.daily_of([7, 2]), kept.daily_balance[[7, 2]])
    assert kept.daily_balance.shape == (10, len(kept.daily_time))


def test_sweep__several_markets_are_what_each_is_alone():
    result = sweep(
        "strategies/SmaCrossover",
        ["BTC-USD", "ETH-USD"],
        timeframe=["1h", "2h"],
        periods=[("2019-02-01", "2019-02-20"), ("2019-03-01", "2019-03-20")],
        n=5,
        futures_leverage=2,
    )
    assert len(result) == 40 and len(result.sets) == 5 and len(result.sessions) == 8
    frame = result.frame
    assert frame.columns[:5] == ["set", "symbol", "timeframe", "start", "finish"]
    alone = sweep(
        "strategies/SmaCrossover",
        "ETH-USD",
        timeframe="2h",
        start="2019-03-01",
        finish="2019-03-20",
        n=5,
        futures_leverage=2,
    )
    rows = frame.filter(symbol="ETH-USD", timeframe="2h", start="2019-03-01T00:00:00Z")
    assert rows.drop("symbol", "timeframe", "start", "finish").equals(alone.frame)
    again = result.backtest(3, market=7)
    assert again["metrics"]["net_profit"] == alone.frame["net_profit"][3]
    np.testing.assert_array_equal(result.daily_of([3], market=7), alone.daily_balance[[3]])
    assert len(result.to_dict()["markets"]) == 8
    best = result.best("net_profit", 40)
    assert best["net_profit"].to_list() == sorted(frame["net_profit"].to_list(), reverse=True)


def test_sweep__wants_different_markets(session):
    with pytest.raises(SettingsError, match="two have the same symbol, timeframe and period"):
        sweep("strategies/SmaCrossover", ["BTC-USD", "BTC-USD"], n=1)
    with pytest.raises(SettingsError, match="either periods, or start and finish"):
        sweep("strategies/SmaCrossover", "BTC-USD", start="2019-02-01", periods=[(None, None)], n=1)
    other = make_session("strategies/MacdReversal", "BTC-USD", "1h", PERIOD["start"], PERIOD["finish"])
    with pytest.raises(SettingsError, match="of one strategy"):
        sweep([session, other], n=1)


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"threads": True}, {"memory": -5}, {"memory": 1.5}])
def test_sweep__refuses_limits_that_make_no_sense(session, wrong):
    with pytest.raises(SettingsError, match="wants a whole number from 1"):
        sweep(session, n=1, **wrong)


def test_series__may_take_what_results_and_working_memory_leave():
    left = []
    for threads, n in ((1, 10), (3, 10), (1, 1000)):
        job = make_job("strategies/SmaCrossover", "BTC-USD", **PERIOD, n=n, threads=threads, memory=2**30)
        left.append(_series_memory(job, None))
    assert left[0] < 2**30 - 2**28
    assert left[0] - left[1] == 2 * layout.SHARED_BYTES
    assert left[0] - left[2] == 990 * row_bytes(job.sessions[0], daily=job.daily)


def test_chunk_rows__is_less_work_the_more_bars(session):
    assert chunk_rows(session) == 8192
    fine = make_session("strategies/SmaCrossover", "BTC-USD", "1m", PERIOD["start"], "2019-12-01")
    assert 128 <= chunk_rows(fine) <= 512


def test_make_session__takes_candles_as_a_set_a_name_a_file_or_an_array(session):
    sample = CandleSet.load("BTC-USD")
    other = [
        make_session("strategies/SmaCrossover", candles, "1h", PERIOD["start"], PERIOD["finish"], make_account())
        for candles in ("BTC-USD", sample_files()["BTC-USD"], sample.array)
    ]
    for each in other:
        np.testing.assert_array_equal(each.setup.market.minutes, session.setup.market.minutes)
    assert [each.setup.symbol for each in other] == ["BTC-USD", "BTC-USD", "BASE-QUOTE"]
    with pytest.raises(SettingsError, match="candles wants a CandleSet, a file, a sample or an array; it was None"):
        make_session("strategies/SmaCrossover", None, "1h", None, None, make_account())


def test_choose_sets__refuses_an_unknown_name_and_suggests_the_nearest(session):
    with pytest.raises(SettingsError, match="no hyper-parameter 'fast_perod'.*Did you mean 'fast_period'"):
        choose_sets(session, space={"fast_perod": (5, 10)})
    with pytest.raises(SettingsError, match="no hyper-parameter 'fast_perod'.*Did you mean 'fast_period'"):
        choose_sets(session, params=[{"fast_perod": 5}])


def test_package__has_the_function_under_its_own_name():
    from fastbt.sweep import sweep as first
    from fastbt.sweep import sweep as second

    assert first is second is sweep is fastbt.sweep
