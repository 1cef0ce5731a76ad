"""Chunks over threads: what is reported, and that it changes nothing."""

import numpy as np
import pytest

from fastbt.data import CandleSet
from fastbt.data.samples import sample_files
from fastbt.errors import SettingsError
from fastbt.sweep.sweep import choose_sets, make_account, make_session, sweep

pytestmark = pytest.mark.compiled

PERIOD = {"start": "2019-02-01", "finish": "2019-03-01"}


@pytest.fixture(scope="module")
def session():
    candles = CandleSet.load("BTC-USD")
    return make_session("strategies/SmaCrossover", candles, "1h", PERIOD["start"], PERIOD["finish"], make_account())


def test_sweep__reports_that_kernels_are_compiled_then_every_set(session):
    told = []
    result = sweep(session, n=300, threads=2, progress=lambda *state: told.append(state))
    done = [each[0] for each in told]
    assert done[0] == 0
    assert done[-1] == 300
    assert done == sorted(done)
    assert {each[1] for each in told} == {300}
    assert [each[2] for each in told] == sorted(each[2] for each in told)
    assert set(result.seconds) == {"total", "compile", "series", "kernels"}
    assert sum(result.seconds.values()) <= 2 * result.seconds["total"]


def test_sweep__counts_compiling_apart_from_running(session):
    # One set runs in far less than the second that compiling takes at least; from the cache both are small.
    result = sweep(session, n=1)
    assert result.seconds["kernels"] < 0.5


def test_sweep__does_not_depend_on_threads(session):
    one, two = (sweep(session, n=200, seed=3, threads=threads) for threads in (1, 2))
    assert one.statuses == two.statuses
    np.testing.assert_array_equal(one.metrics, two.metrics)
    np.testing.assert_array_equal(one.daily_balance, two.daily_balance)


def test_sweep__keeps_what_was_done_before_an_interruption(session):
    def interrupt(done, total, seconds):
        if done:
            raise KeyboardInterrupt

    for threads in (1, 2):
        result = sweep(session, n=20_000, threads=threads, progress=interrupt)
        assert result.interrupted
        assert 0 < result.n_ok < 20_000
        assert set(result.statuses) == {"ok", "not run"}
        ran = [j for j, status in enumerate(result.statuses) if status == "ok"]
        assert 0 < result.best("net_profit", 20_000).height <= len(ran)
        some = ran[:100]
        whole = sweep(session, params=[result.sets[j] for j in some])
        np.testing.assert_array_equal(result.metrics[some], whole.metrics)


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
