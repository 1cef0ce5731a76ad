"""The bench: its workload, its checks, and what it says when something is missing."""

import io
import json
import sys

import numpy as np
import pytest
from rich.console import Console

from fastbt.errors import OracleError, SettingsError
from fastbt.interfaces import _bench_vectorbt, bench
from fastbt.interfaces import _bench_workload as workload
from fastbt.interfaces._bench_common import CommonWorkload
from fastbt.interfaces._bench_jesse import against_jesse
from fastbt.interfaces._bench_parts import Check, Row, Section
from fastbt.sweep.sweep import make_account_of, make_session, sweep
from fastbt.types import CLOSE, HIGH, LOW, OPEN

STRATEGY = "strategies/SmaCrossover"
N_BARS = 3_000


def quiet(text):
    assert text


def test_random_walk__is_seeded_and_has_no_gaps():
    candles = workload.random_walk(500, seed=3).array
    np.testing.assert_array_equal(candles, workload.random_walk(500, seed=3).array)
    assert not np.array_equal(candles, workload.random_walk(500, seed=4).array)
    assert len(candles) == 500 + workload.WARMUP_BARS
    np.testing.assert_array_equal(candles[1:, OPEN], candles[:-1, CLOSE])
    assert (candles[:, LOW] <= candles[:, [OPEN, CLOSE]].min(axis=1)).all()
    assert (candles[:, HIGH] >= candles[:, [OPEN, CLOSE]].max(axis=1)).all()


def naive_common_workload(candles, fast, slow, stop, target):
    """State the workload's rules: trades and profit of one unit, always reversing."""
    close = candles[:, CLOSE]
    qty, entry, profit, trades = 0, 0.0, 0.0, 0
    for i in range(workload.WARMUP_BARS, len(candles)):
        now = close[i + 1 - fast : i + 1].mean() - close[i + 1 - slow : i + 1].mean()
        before = close[i - fast : i].mean() - close[i - slow : i].mean()
        price = None
        if qty != 0 and stop > 0:
            stop_price, target_price = entry * (1 - qty * stop), entry * (1 + qty * target)
            if candles[i, LOW] <= stop_price <= candles[i, HIGH]:
                price = stop_price
            elif candles[i, LOW] <= target_price <= candles[i, HIGH]:
                price = target_price
        if price is not None:
            profit += qty * (price - entry) - workload.FEE * (price + entry)
            qty, trades = 0, trades + 1
            continue
        side = 1 if now > 0 and before <= 0 else -1 if now < 0 and before >= 0 else 0
        if side != 0 and side != qty:
            if qty != 0:
                profit += qty * (close[i] - entry) - workload.FEE * (close[i] + entry)
                trades += 1
            qty, entry = side, close[i]
    if qty != 0:
        profit += qty * (close[-1] - entry) - workload.FEE * (close[-1] + entry)
        trades += 1
    return trades, profit


@pytest.fixture(scope="module")
def session():
    account = make_account_of(workload.account())
    return make_session(workload.strategy_folder(), workload.random_walk(N_BARS), "1m", None, None, account)


@pytest.mark.compiled
def test_strategy__follows_the_rules_of_the_workload(session):
    pairs = [(5, 65), (20, 95), (50, 200)]
    sets = workload.parameter_sets(pairs, [(0.0, 0.0), (0.0025, 0.005), (0.01, 0.02)])
    frame = sweep(session, params=sets).frame
    candles = workload.random_walk(N_BARS).array
    for hp, row in zip(sets, frame.to_dicts(), strict=True):
        trades, profit = naive_common_workload(candles, hp["fast"], hp["slow"], hp["stop_loss"], hp["take_profit"])
        assert trades > 5
        assert row["total"] == trades
        assert row["net_profit"] == pytest.approx(profit, rel=1e-9)


@pytest.mark.compiled
def test_strategy__trades_alike_as_ordinary_python(session):
    hp = {"fast": 5, "slow": 65, "stop_loss": 0.0025, "take_profit": 0.005}
    compiled, interpreted = session.run(hp)[0], session.run_interpreted(hp)[0]
    assert len(compiled.trades) > 20
    assert compiled.trades == interpreted.trades


def test_row__counts_the_median_run():
    row = Row("fastbt", "sweep", n_sets=10, n_bars=1_000, runs=[3e-3, 1e-3, 2e-3])
    other = Row("Jesse", "a set", n_sets=1, n_bars=1_000, runs=[2e-2])
    assert row.seconds == 2e-3
    assert row.ns == pytest.approx(200.0)
    assert other.to_dict(row)["ratio"] == pytest.approx(100.0)


def test_section__fails_with_one_check():
    section = Section("a", [Row("fastbt", "b", 1, 1, [1.0])], [Check("fine", True)])
    assert section.passed
    section.checks.append(Check("not fine", False))
    assert not section.passed
    assert section.to_dict()["checks"][1] == {"text": "not fine", "passed": False}


@pytest.mark.compiled
def test_common_workload__says_how_to_get_what_is_missing():
    common = CommonWorkload(
        500, n_jesse_bars=100, threads=1, vectorbt=None, process=None, say=quiet, pairs=[(5, 65)], seed=1
    )
    section = common.run(2)
    assert [row.library for row in section.rows] == ["fastbt", "fastbt"]
    assert all(len(row.runs) == 2 for row in section.rows)
    assert section.rows[0].n_sets == len(workload.STOPS)
    text = "\n".join(section.notes)
    assert "vectorbt was not timed: `fastbt bench --setup-vectorbt` makes" in text
    assert "Jesse was not timed: Jesse is not installed" in text


@pytest.mark.compiled
def test_run__prints_json(capsys):
    code = bench.run(timeframes=["4h"], quick=True, rounds=1, jesse=False, vectorbt=False, as_json=True)
    report = json.loads(capsys.readouterr().out)
    assert code == 0
    assert report["quick"] is True
    assert report["machine"]["cores"] >= 1
    assert report["machine"]["versions"]["fastbt"]
    titles = [section["title"] for section in report["sections"]]
    assert titles[0].startswith("SmaCrossover, BTC-USD 4h, 2019-02-10") and titles[1].startswith("Common workload")
    for section in report["sections"]:
        assert section["rows"][0]["ratio"] == 1.0
        assert section["rows"][0]["seconds"] > 0.0
        assert {row["library"] for row in section["rows"]} == {"fastbt"}
        assert not any("not timed" in note for note in section["notes"])


def test_print__shows_ratios_and_failed_checks():
    rows = [Row("fastbt", "sweep", 10, 100, [1.0]), Row("Jesse", "a set", 1, 100, [50.0])]
    section = Section("title [x]", rows, [Check("3 trades [y]", False)], ["a note [z]"])
    about = {"cpu": "c", "cores": 2, "system": "s", "versions": {"fastbt": "1"}, "load_before": 0.5, "load_after": 1.0}
    console = Console(width=120, record=True, file=io.StringIO())
    bench._print(console, {"machine": about}, [section])
    text = console.export_text()
    assert "500" in text and "DIFFERENT" in text
    assert "title [x]" in text and "3 trades [y]" in text and "a note [z]" in text


def test_run__refuses_what_makes_no_sense():
    with pytest.raises(SettingsError, match="timeframe"):
        bench.run(timeframes=["7h"], jesse=False, vectorbt=False)
    with pytest.raises(SettingsError, match="rounds wants a whole number from 1; it was 0"):
        bench.run(rounds=0, jesse=False, vectorbt=False)


def test_setup_commands__name_packages_and_no_address():
    commands = _bench_vectorbt.setup_commands()
    words = [word for command in commands for word in command]
    assert "vectorbt" in commands[-1]
    assert not any("://" in word or "index" in word for word in words)


def test_setup__ends_with_what_the_failing_command_printed(monkeypatch, tmp_path):
    monkeypatch.setattr(_bench_vectorbt, "environment", lambda: tmp_path / "peers" / "vectorbt")
    failing = [sys.executable, "-c", "import sys; sys.exit('no such package')"]
    monkeypatch.setattr(_bench_vectorbt, "setup_commands", lambda: [failing])
    with pytest.raises(SettingsError, match="failed\nno such package"):
        _bench_vectorbt.make_environment(quiet)
    assert not _bench_vectorbt.available()


def test_vectorbt__names_the_command_if_the_environment_is_broken(monkeypatch):
    # Our own interpreter has no vectorbt.
    monkeypatch.setattr(_bench_vectorbt, "interpreter", lambda: sys.executable)
    with pytest.raises(OracleError, match="No module named 'vectorbt'; `fastbt bench --setup-vectorbt` makes"):
        with _bench_vectorbt.VectorbtProcesses(1):
            pass


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.skipif(not _bench_vectorbt.available(), reason=_bench_vectorbt.HOW)
def test_common_workload__agrees_with_vectorbt():
    with _bench_vectorbt.VectorbtProcesses(2) as vectorbt:
        pairs = [(5, 65), (10, 80), (50, 200)]
        common = CommonWorkload(
            2_000, n_jesse_bars=100, threads=2, vectorbt=vectorbt, process=None, say=quiet, pairs=pairs
        )
        section = common.run(1)
    assert section.passed
    assert [check.text.split(" sets")[0] for check in section.checks] == [
        "without stops: 3 of 3",
        "with stops: 30 of 30",
    ]
    assert [row.library for row in section.rows] == ["fastbt", "fastbt", "vectorbt", "vectorbt"]


@pytest.mark.jesse
@pytest.mark.compiled
def test_against_jesse__times_both_and_compares_trades():
    from fastbt.data import CandleSet
    from fastbt.oracle.jesse_process import JesseProcess

    with JesseProcess() as process:
        section = against_jesse(
            STRATEGY,
            CandleSet.load("BTC-USD"),
            "4h",
            n_sets=20,
            n_verified=1,
            rounds=2,
            threads=2,
            process=process,
            say=quiet,
            finish="2019-03-15",
        )
    assert section.passed
    assert "identical" in section.checks[0].text
    assert [row.library for row in section.rows] == ["fastbt", "fastbt", "fastbt", "Jesse"]
    jesse = section.rows[-1]
    assert jesse.n_sets == 1 and len(jesse.runs) == 2
    assert jesse.ns > section.rows[0].ns
