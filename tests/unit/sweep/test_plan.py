"""What a plan says is what the sweep then takes."""

import math

import pytest

from fastbt.sweep import make_job, make_plan, run_job
from fastbt.sweep.evaluate import Evaluator

pytestmark = pytest.mark.compiled
MONTH = {"start": "2019-02-01", "finish": "2019-03-01"}
STRATEGY = "strategies/SmaCrossover"


def job(**given):
    return make_job(STRATEGY, "BTC-USD", **{**MONTH, **given})


@pytest.mark.parametrize(
    "given",
    [
        {"space": {"fast_period": (5, 9), "slow_period": (40, 60, 5), "stop_loss": (0.01, 0.05, 0.01)}},
        {"space": {"fast_period": (5, 9), "slow_period": (5, 60, 5)}},
        {"params": [{"fast_period": 5}, {"fast_period": 6, "slow_period": 6}, {"fast_period": 5, "stop_loss": 0.5}]},
        {"space": {"stop_loss": (0.01, 0.02)}, "n": 5},
    ],
)
def test_plan__counts_the_series_that_the_sweep_computes(given):
    plan = make_plan(job(**given))
    result = run_job(job(**given))
    assert plan.series_exact and plan.n_series == result.n_series
    assert plan.n_rows == len(result)


def test_plan__of_a_billion_sets_is_made_at_once():
    wide = {"fast_period": (2, 100), "slow_period": (2, 200), "stop_loss": (0.001, 0.07, 1e-6), "take_profit": 0.05}
    plan = make_plan(job(space=wide, constraints="fast_period < slow_period"))
    pairs = sum(1 for fast in range(2, 101) for slow in range(2, 201) if fast < slow)
    assert plan.n_sets == pairs * 69_001 > 10**9
    assert plan.n_series == 199
    assert not plan.in_memory
    assert plan.seconds > 1000


def test_plan__says_of_what_it_cannot_count_how_much_it_is_at_most():
    plan = make_plan(job(space={"fast_period": (2, 30_000), "slow_period": 50}, n=500))
    assert not plan.series_exact and plan.n_series == 501
    assert ("indicator series", f"at most 501, {8 * 501 * (240 + 672) / 2**20:.1f} MB at once") in plan.lines()


def test_plan__tells_memory_disk_and_time():
    made = job(n=2000, timeframe=["1h", "2h"], on_disk=True, daily=True)
    plan = make_plan(made, on_disk=True)
    assert plan.chunks == 2 and not plan.in_memory and plan.n_rows == 4000
    assert [each["bars"] for each in plan.markets] == [672, 336]
    assert 0 < plan.seconds_a_set < 0.1 and math.isfinite(plan.seconds)
    with Evaluator(made.sessions[0], threads=1) as evaluator:
        evaluator.run(made.source.table(0, 200))
        evaluator.seconds["kernels"] = 0.0
        evaluator.run(made.source.table(0, 2000))
        # The machine may be busy with other things at either time.
        assert 0.1 < evaluator.seconds["kernels"] / 2000 / plan.seconds_a_set < 20
    assert plan.to_dict()["sampling"]["n"] == 2000
    assert {what for what, _ in plan.lines()} >= {"sets", "market", "indicator series", "results", "on disk"}


def test_plan__disk_is_about_right(tmp_path):
    made = job(n=3000, on_disk=True, daily=True)
    run = run_job(made, run=tmp_path / "r").run
    size = sum(path.stat().st_size for path in run.folder.rglob("*.parquet"))
    assert 0.5 < make_plan(made, on_disk=True).disk_bytes / size < 2.0
