"""One sweep: a thousand sets of the crossover over a year of 1h bars, and one set in full."""

from pathlib import Path

import pytest

from fastbt.data import CandleSet
from fastbt.sweep.sweep import choose_sets, make_account, make_session, sweep

STRATEGY = Path(__file__).parents[1] / "strategies" / "SmaCrossover"
N_SETS = 1_000


@pytest.fixture(scope="module")
def session():
    made = make_session(STRATEGY, CandleSet.load("BTC-USD"), "1h", None, None, make_account())
    sweep(made, n=4)
    return made


@pytest.mark.parametrize("threads", [1, None], ids=["one core", "all cores"])
def test_sweep(benchmark, session, threads):
    sets = choose_sets(session, n=N_SETS)
    # The answer first: a row of the sweep is the run of that set alone.
    result = sweep(session, params=sets, threads=threads)
    simulation, metrics = session.run(sets[7])
    assert result.statuses == ["ok"] * N_SETS
    assert result.frame["net_profit"][7] == metrics["net_profit"]
    assert result.frame["total"][7] == len(simulation.trades) > 0
    n_bars = session.setup.market.n_bars
    benchmark.extra_info |= {"sets": N_SETS, "bars": n_bars}
    benchmark(sweep, session, params=sets, threads=threads)
    benchmark.extra_info["ns_per_bar_and_set"] = benchmark.stats["median"] / (N_SETS * n_bars) * 1e9
    benchmark.extra_info["sets_per_second"] = N_SETS / benchmark.stats["median"]


def test_backtest(benchmark, session):
    simulation, _ = benchmark(session.run, session.source.defaults)
    assert len(simulation.trades) > 0
