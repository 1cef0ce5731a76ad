import math
import subprocess
import sys

import naive_metrics
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from metrics_cases import DAY, START, as_simulation, balances, differences, runs

from fastbt.errors import ShapeError
from fastbt.metrics import INT_METRICS, METRICS, measure, metrics_row_to_dict
from fastbt.metrics._eight import _balances_of_eight
from fastbt.metrics._kernels import _balance_metrics, _run_metrics


def expected(run):
    naive = naive_metrics.metrics(**run)
    return {name: naive[name] for name in (METRICS if run["trades"] else naive)}


def a_run(daily_balance=(10_000.0, 10_100.0, 9_900.0), pnl=(5.0, -3.0, 0.0), **changes):
    daily_time = [START + k * DAY for k in range(len(daily_balance))]
    run = {
        "trades": [(p, "long", 0.5, 3600.0) for p in pnl],
        "daily_balance": list(daily_balance),
        "daily_time": daily_time,
        "starting_balance": 10_000.0,
        "finishing_balance": 10_002.0,
        "started_at": START,
        "finished_at": START + 3 * DAY,
    }
    return run | changes


@settings(max_examples=400)
@given(runs())
@example(a_run([10_000.0]))
@example(a_run([]))
@example(a_run([10_000.0, 9_000.0]))
@example(a_run([10_000.0] * 25))
@example(a_run([10_000.0, 0.0, 5_000.0, 6_000.0, 5_500.0]))
@example(a_run([0.0, 5_000.0, 4_000.0, 4_500.0]))
@example(a_run([1.0, math.nan, 5_000.0, 6_000.0, 5_500.0, 5_400.0, 5_600.0]))
@example(a_run([1e4, -1e4, 2e4, -3e4, -1e4, -5e3]))
@example(a_run([1e-300, 1e300, 1e-300, 1e300, 1.0]))
@example(a_run([1e-300, 1e-300, 1e300, -1e300]))
@example(a_run([1.0, 1e6, 1e12], daily_time=[START, START + 200 * DAY, START + 400 * DAY]))
@example(a_run(list(np.linspace(1e4, 2e4, 200) + 300 * np.sin(np.arange(200)))))
def test_measure__equals_naive(run):
    actual = measure(as_simulation(run), annualization=run.get("annualization", 365))
    assert differences(actual, expected(run)) == []


def test_measure__long_series_add_in_the_order_of_numpy():
    state = np.random.default_rng(3)
    pnl = np.round(state.normal(0.0, 1e6, 1000), 2)
    balance = 1e4 * np.cumprod(1 + state.normal(0.0, 0.02, 500))
    run = a_run(balance.tolist(), pnl.tolist())
    actual = measure(as_simulation(run))
    assert actual["net_profit"] == pnl.sum()
    assert differences(actual, expected(run)) == []


@settings(max_examples=200)
@given(st.lists(balances(), min_size=9, max_size=9), st.integers(1, 9), st.integers(0, 2**32 - 1))
@example([[1e4 + 50.0 * k * j + 3.0 * k * k for k in range(300)] for j in range(9)], 8, 0)
@example([[1e4 * 1.01 ** (k * j) for k in range(170)] for j in range(9)], 8, 1)
@example([[1e4] * 40, [0.0] * 40, [1e4, math.nan] * 20, [1e4, 1.1e4] * 20, *([1e4, -1e4] * 20 for _ in range(5))], 8, 2)
@example([[1.0, 1.1, 1e-10, 1e300, -1e300, 1e300]] * 9, 8, 3)
def test_balances_of_eight__are_measured_as_each_alone(samples, n_rows, seed):
    n = max(map(len, samples))
    daily = np.array([(each * n)[:n] for each in samples])
    times = START + DAY * np.arange(n) + 60_000 * (np.arange(n) > 0)
    rows = np.random.default_rng(seed).permutation(9)[: min(n_rows, 8)]
    alone, together = np.full((2, 9, len(METRICS)), np.nan)
    with np.errstate(all="ignore"):
        for i in rows:
            if n >= 2:
                _balance_metrics(daily[i], times, 365.0, alone[i])
        _balances_of_eight(daily, np.resize(rows, 8), len(rows), times, 365.0, together)
    assert alone.tobytes() == together.tobytes()


def test_measure__without_trades_is_the_short_dict():
    metrics = measure(as_simulation(a_run(pnl=())), annualization=252)
    assert metrics == {"total": 0, "win_rate": 0, "net_profit_percentage": 0, "annualization": 252}
    assert all(type(value) is int for value in metrics.values())


def test_measure__first_loss_is_no_drawdown_but_is_underwater():
    metrics = measure(as_simulation(a_run([10_000.0, 9_000.0, 9_000.0])))
    assert metrics["max_drawdown"] == 0.0
    assert metrics["max_underwater_period"] == 2.0


def test_measure__zero_profit_ends_a_streak():
    metrics = measure(as_simulation(a_run(pnl=(1.0, 2.0, 0.0, 3.0, -1.0, -1.0, -1.0))))
    assert (metrics["winning_streak"], metrics["losing_streak"], metrics["current_streak"]) == (2, 3, -3)


@pytest.mark.parametrize("n_samples, known", [(19, False), (20, True)])
def test_measure__serenity_is_infinite_from_twenty_samples(n_samples, known):
    balance = [10_000.0 + 10 * k - 30 * (k % 3) for k in range(n_samples)]
    serenity = measure(as_simulation(a_run(balance)))["serenity_index"]
    assert serenity == math.inf if known else math.isnan(serenity)


def test_measure__less_than_a_day_has_no_annual_return():
    run = a_run([10_000.0, 11_000.0, 10_500.0], daily_time=[START, START + 60_000, START + DAY - 1])
    metrics = measure(as_simulation(run))
    assert (metrics["annual_return"], metrics["calmar_ratio"]) == (0.0, 0.0)


def test_measure__wants_a_time_for_each_sample():
    with pytest.raises(ShapeError, match="3 samples and 1 times"):
        measure(as_simulation(a_run(daily_time=[START])))


def test_metrics_row_to_dict__keeps_counts_whole():
    row = np.arange(1.0, len(METRICS) + 1)
    metrics = metrics_row_to_dict(row)
    assert tuple(metrics) == METRICS
    assert {name for name, value in metrics.items() if type(value) is int} == INT_METRICS
    assert list(metrics.values()) == row.tolist()


@pytest.mark.parametrize("shape", [(3,), (1, len(METRICS)), ()])
def test_metrics_row_to_dict__wants_one_row(shape):
    with pytest.raises(ShapeError, match="a row of metrics wants shape"):
        metrics_row_to_dict(np.zeros(shape))


def test_run_metrics__reads_only_the_closed_trades():
    nothing = np.full(4, np.nan)
    pnl, side = np.array([3.0, -1.0, np.nan, np.nan]), np.array([1.0, -1.0, np.nan, np.nan])
    row = np.empty(len(METRICS))
    balance, times = np.array([1e4, 1.1e4]), np.array([0.0, DAY])
    fee = np.array([0.1, 0.2, np.nan, np.nan])
    _run_metrics(pnl, side, fee, fee, 2, balance, times, 1e4, 1e4, 0.0, DAY, 0, 0.0, 365.0, row)
    metrics = metrics_row_to_dict(row)
    assert (metrics["net_profit"], metrics["fee"], metrics["longs_count"]) == (2.0, 0.1 + 0.2, 1)
    _run_metrics(nothing, nothing, nothing, nothing, 0, balance, times, 1e4, 1e4, 0.0, DAY, 0, 0.0, 365.0, row)
    assert np.flatnonzero(~np.isnan(row)).tolist() == [
        METRICS.index(name) for name in ("total", "win_rate", "net_profit_percentage", "annualization")
    ]


def test_import__loads_neither_numba_nor_numpy():
    program = "import sys, fastbt.metrics; print([m for m in ('numba', 'numpy') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
