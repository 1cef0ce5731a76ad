"""The bench: its workload, its checks, and what it says when something is missing."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from fastbt.errors import SettingsError
from fastbt.interfaces import _bench_workload as workload
from fastbt.interfaces import bench
from fastbt.interfaces._bench_common import CommonWorkload, agreement
from fastbt.interfaces._bench_jesse import against_jesse
from fastbt.interfaces._bench_parts import Check, Figure, Row, Section
from fastbt.interfaces._bench_report import print_report
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


@pytest.mark.compiled
def test_agreement__fails_on_one_trade_or_a_billionth(session):
    result = sweep(session, params=workload.parameter_sets([(5, 65)], workload.STOPS[:2]))
    frame = result.frame
    last = float(workload.random_walk(N_BARS).array[-1, CLOSE])
    # The first one's position is left open: it has not paid for leaving it.
    theirs = {
        "profit": (frame["net_profit"] + np.array([last * workload.FEE, 0.0])).to_list(),
        "position": [1.0, 0.0],
        "trades": frame["total"].to_list(),
    }
    assert agreement("other", theirs, result, last, "rules").passed
    assert "rules: 2 of 2 sets with other's number of trades" in agreement("other", theirs, result, last, "rules").text
    for name, by in (("trades", 1.0), ("profit", abs(theirs["profit"][0]) * 2e-9)):
        wrong = {**theirs, name: [theirs[name][0] + by, *theirs[name][1:]]}
        check = agreement("other", wrong, result, last, "rules")
        assert not check.passed and check.text.startswith("rules: 1 of 2 sets")


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
    assert [row.library for row in section.rows] == ["fastbt"] * 3
    assert all(len(row.runs) == 2 for row in section.rows)
    assert section.rows[0].n_sets == len(workload.STOPS)
    text = "\n".join(section.notes)
    assert "vectorbt was not timed: `fastbt bench --setup-vectorbt` makes" in text
    assert "Jesse was not timed: Jesse is not installed" in text


@pytest.mark.compiled
def test_run__prints_json(capsys):
    code = bench.run(
        timeframes=["4h"], quick=True, rounds=1, jesse=False, vectorbt=False, only=["common", "jesse"], as_json=True
    )
    report = json.loads(capsys.readouterr().out)
    assert code == 0
    assert report["quick"] is True
    assert report["machine"]["cores"] >= 1
    assert report["machine"]["versions"]["fastbt"]
    titles = [section["title"] for section in report["sections"]]
    assert titles[0].startswith("SmaCrossover, BTC-USD 4h, 2019-02-10") and titles[1].startswith("Common workload")
    assert [section["part"] for section in report["sections"]] == ["jesse", "common"]
    for section in report["sections"]:
        assert section["rows"][0]["ratio"] == 1.0
        assert section["rows"][0]["seconds"] > 0.0
        assert {row["library"] for row in section["rows"]} == {"fastbt"}
        assert not any("not timed" in note for note in section["notes"])


def test_print__shows_ratios_and_failed_checks():
    rows = [Row("fastbt", "sweep", 10, 100, [1.0]), Row("Jesse", "a set", 1, 100, [50.0])]
    section = Section("title [x]", rows, [Check("3 trades [y]", False)], ["a note [z]"])
    memory = Section("peaks", figures=[Figure("fastbt", "a sweep [v]", "MB", [300.0, 400.0, 350.0])])
    missing = Section("the others", skipped="w was not timed [u]")
    about = {"cpu": "c", "cores": 2, "system": "s", "versions": {"fastbt": "1"}, "load_before": 0.5, "load_after": 1.0}
    console = Console(width=120, record=True, file=io.StringIO())
    sections = [each.to_dict() for each in (section, memory, missing)]
    print_report(console, {"machine": about, "sections": sections})
    text = console.export_text()
    assert "500" in text and "DIFFERENT" in text
    assert "peaks" in text and "a sweep [v]" in text and "350 MB" in text
    assert "the others" in text and "w was not timed [u]" in text
    assert "title [x]" in text and "3 trades [y]" in text and "a note [z]" in text


def test_run__refuses_what_makes_no_sense():
    with pytest.raises(SettingsError, match="timeframe"):
        bench.run(timeframes=["7h"], jesse=False, vectorbt=False)
    with pytest.raises(SettingsError, match="rounds wants a whole number from 1; it was 0"):
        bench.run(rounds=0, jesse=False, vectorbt=False)


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
