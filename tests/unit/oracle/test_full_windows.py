"""`indicator_window="full"`: which series change, what they become, and that `verify` never calls it identical."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from compiled_snippets import strategy_text
from oracle_runs import METRICS, a_run, as_jesse_says_it

from fastbt import indicators as ta
from fastbt.backtest import series_of
from fastbt.compiler.explain import explain
from fastbt.data import CandleSet
from fastbt.engine.account import Account
from fastbt.engine.simulate import SeriesKey
from fastbt.errors import SettingsError
from fastbt.oracle.full_windows import full_differences
from fastbt.oracle.verify import verify_sets
from fastbt.sweep import make_account, make_session, sweep
from fastbt.sweep.manifest import describe_account

ROOT = Path(__file__).resolve().parents[3]

BODY = """
def hyperparameters(self):
    return [{"name": "n", "type": int, "min": 2, "max": 90, "default": 30}]

def should_long(self):
    known = ta.wma(self.candles, self.hp["n"]), ta.ema(self.candles[-50:], 5), ta.rma(self.candles, 9)
    averaged = ta.ema(self.candles, self.hp["n"]), ta.ema(self.candles, self.hp["n"], sequential=True)[-1]
    spread = ta.macd(self.candles).hist - ta.ema(self.get_candles(self.exchange, self.symbol, "4h"), 8)
    return known[0] > averaged[0] and known[1] > averaged[1] and spread > 1 and known[2] > 1 and ta.ad(self.candles) > 1
"""


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    file = tmp_path_factory.mktemp("strategy") / "Windows.py"
    file.write_text(strategy_text(BODY))
    candles = CandleSet.load("BTC-USD").between("2019-01-01", "2019-02-20").fill_gaps()
    return {
        window: make_session(file, candles, "1h", account=make_account(indicator_window=window))
        for window in ("exact", "full")
    }


def bound(session):
    compiled, _ = session.runner_for(session.source.defaults)
    return compiled, compiled.bind([session.source.defaults])


def test_binding__gives_recursive_indicators_all_rows_and_no_others(sessions):
    found = {}
    for window, session in sessions.items():
        keys = [key for key in bound(session)[1].series if isinstance(key, SeriesKey)]
        found[window] = {(key.indicator, key.sequential, key.timeframe, key.params): key.window for key in keys}
    changed = {key[:3]: found["full"][key] for key, rows in found["exact"].items() if rows != found["full"][key]}
    # Windows complete in themselves, the user's own slices, sequential calls and rma, which looks ahead, stay.
    assert changed == {("ema", False, ""): 0, ("macd", False, ""): 0, ("ad", False, ""): 0, ("ema", False, "4h"): 0}
    assert found["exact"][("ema", False, "", (30.0,))] == 240
    assert found["full"][("rma", False, "", (9.0,))] == 240 and found["full"][("wma", False, "", (30.0,))] == 240
    assert found["full"][("ema", False, "", (5.0,))] == 50


def test_series__are_those_of_the_sequential_call(sessions):
    session = sessions["full"]
    compiled, binding = bound(session)
    matrix = series_of(session.setup, binding)
    row = binding.series[SeriesKey("ema", "close", (30.0,), False, 0)]
    whole = ta.ema(session.setup.market.bars, 30, sequential=True)
    np.testing.assert_array_equal(matrix[row][30:], whole[30:])  # before, the call of a bar knows nothing


def test_differences__are_named_with_size_and_place(sessions):
    found = {each.series: each for each in full_differences(sessions["full"], [{"n": 80}, {"n": 3}])}
    # ema(4h, 8) sees one row more, too, and has forgotten it to the last bit.
    assert set(found) == {
        "ta.ema(candles, hp['n'])",
        "ta.macd(candles).macd",
        "ta.macd(candles).signal",
        "ta.macd(candles).hist",
        "ta.ad(candles)",
    }
    session = sessions["full"]
    first = session.setup.market.warmup_bars
    bars = session.setup.market.bars
    one = found["ta.ema(candles, hp['n'])"]
    assert one.hyperparameters == {"n": 80}
    full = ta.ema(bars, 80, sequential=True)[first:]
    exact = np.array([ta.ema(bars[: t + 1], 80) for t in range(first, len(bars))])
    far = np.abs(full - exact) / np.maximum(abs(full), abs(exact))
    assert one.largest == far.max() > 0 and one.bar == np.flatnonzero(full != exact)[0]
    assert one.n_different == (full != exact).sum() and one.n_bars == len(full)
    assert one.time == bars[first + one.bar, 0]
    assert found["ta.ad(candles)"].largest > 0.01 > one.largest
    assert json.loads(json.dumps(one.to_dict()))["largest"] == one.largest


def test_report__is_not_identical_though_every_trade_is(sessions):
    report = verify_sets(lambda _: (a_run(), METRICS), lambda _: as_jesse_says_it(a_run(), METRICS), [{"n": 80}])
    assert report.identical
    report = dataclasses.replace(report, series=full_differences(sessions["full"], [{"n": 80}]))
    assert not report.identical
    text = str(report)
    assert (
        f'not identical to Jesse (indicator_window="full"): {len(report.series)} series differ, no trade differs'
        in text
    )
    assert "\n  ta.ema(candles, hp['n']): by up to " in text
    assert report.to_dict()["series"][0]["series"] == report.series[0].series


def test_explain__says_which_series_are_not_jesses(sessions):
    series = dict(explain(bound(sessions["full"])[0]).series)
    assert series["ta.ema(candles, hp['n'])"] == (
        "once over all candles, not over the last 240 as in Jesse: indicator_window is full"
    )
    assert series["ta.wma(candles, hp['n'])"] == "over the last 240 candles of each bar"


def test_setting__is_recorded_checked_and_for_compiled_runs_only(sessions):
    assert describe_account(Account())["indicator_window"] == "exact"
    assert describe_account(sessions["full"].setup.account)["indicator_window"] == "full"
    with pytest.raises(SettingsError, match="indicator_window wants 'exact' or 'full'; it was 'fast'"):
        sweep("strategies/SmaCrossover", "BTC-USD", indicator_window="fast")
    with pytest.raises(SettingsError, match="interpreted ones are always exact"):
        sessions["full"].run_interpreted()


@pytest.mark.jesse
def test_verify__says_so_beside_the_real_jesse(tmp_path):
    line = "verify RsiMeanReversion --finish 2019-01-15 --n 1 --indicator-window full --json"
    code = "from fastbt.interfaces.cli import main; main()"
    environment = {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}
    done = subprocess.run(
        [sys.executable, "-c", code, *line.split()],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**environment, "NUMBA_DISABLE_JIT": "1"},  # as plain Python: compiling would take longer
    )
    told = json.loads(done.stdout)
    assert done.returncode == 1 and told["identical"] is False
    assert [each["series"] for each in told["series"]] == ["ta.rsi(candles, hp['rsi_period'])"]
    assert 0 < told["series"][0]["largest"] < 1e-3
    assert told["n_sets"] == 1
