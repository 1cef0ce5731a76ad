"""The evaluator gives each set what a run of that set alone gives, whatever it is called with and in what order."""

import numpy as np
import pytest
from candle_generators import make_candles
from compiled_snippets import strategy_text

from fastbt._jit import jit_disabled
from fastbt.backtest import Session, Setup
from fastbt.compiler.sets import SetTable
from fastbt.engine.account import Account
from fastbt.errors import SettingsError, SimulationError
from fastbt.metrics.names import METRICS
from fastbt.sweep.evaluate import Evaluator
from fastbt.sweep.workers import Stop

STRATEGY = """
def hyperparameters(self):
    return [
        {"name": "fast", "type": int, "min": 2, "max": 9, "default": 4},
        {"name": "slow", "type": int, "min": 2, "max": 40, "default": 12},
        {"name": "qty", "type": float, "min": 0.1, "max": 900.0, "default": 1.0},
        {"name": "fast_kind", "type": "categorical", "options": ["close", "hl2"], "default": "close"},
    ]

def should_long(self):
    fast = ta.sma(self.candles, self.hp["fast"], self.hp["fast_kind"])
    return fast > ta.sma(ta.sma(self.candles, self.hp["slow"], sequential=True), self.hp["fast"] + 1)

def go_long(self):
    self.buy = self.hp["qty"], self.price

def update_position(self):
    if self.index % 9 == 5:
        self.liquidate()
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    file = tmp_path_factory.mktemp("strategy") / "Evaluated.py"
    file.write_text(strategy_text(STRATEGY))
    minutes = make_candles(240)
    return Session(file, Setup.from_arrays(Account(warm_up_candles=20), "BTC-USDT", "5m", minutes, np.empty((0, 6))))


def drawn(n, seed=0):
    rng = np.random.default_rng(seed)
    return [
        {
            "fast": int(rng.integers(0, 7)),
            "slow": int(rng.integers(2, 30)),
            "qty": float(rng.choice([0.5, 1.0, 1e6])),
            "fast_kind": str(rng.choice(["close", "hl2"])),
        }
        for _ in range(n)
    ]


def alone(session, hp):
    """Status and metrics of one set, run by itself."""
    try:
        _, metrics = session.run(hp)
    except SimulationError as error:
        return f"failed: {error.exception}", None
    except SettingsError:
        return "infeasible", None
    return "ok", [metrics.get(name, np.nan) for name in METRICS]


def check(session, sets, found):
    kinds = set()
    for row, hp in enumerate(sets):
        status, metrics = alone(session, hp)
        kinds.add(status)
        assert found.statuses[row].startswith(status), (row, hp)
        if metrics is None:
            assert np.isnan(found.metrics[row]).all()
        else:
            known = ~np.isnan(np.array(metrics, dtype=np.float64))
            np.testing.assert_array_equal(found.metrics[row][known], np.array(metrics, dtype=np.float64)[known])
    return kinds


def test_run__gives_each_set_what_it_gets_alone(session):
    sets = drawn(40)
    with Evaluator(session, threads=2) as evaluator:
        found = evaluator.run(sets)
        kinds = check(session, sets, found)
    # All three ways to end are among them, or this shows nothing.
    assert kinds == {"ok", "infeasible", "failed: InsufficientMargin"}
    assert found.statuses.counts()["not run"] == 0
    assert (~np.isnan(found.column("net_profit_percentage")) == found.statuses.ok).all()
    assert len(set(found.column("total")[found.statuses.ok])) > 2


@pytest.mark.parametrize("memory", [0, 8 * 48 * 7, 2**30])
def test_run__in_any_order_memory_and_company_gives_the_same(session, memory):
    sets = drawn(30, seed=1)
    with Evaluator(session, threads=1) as evaluator:
        expected = evaluator.run(sets, daily=True)
    order = np.random.default_rng(2).permutation(30)
    with Evaluator(session, threads=2, memory=memory) as evaluator:
        evaluator.run(drawn(5, seed=9))
        found = evaluator.run([sets[i] for i in order], daily=True)
        halves = [evaluator.run(sets[:11]), evaluator.run(sets[11:])]
    np.testing.assert_array_equal(found.metrics, expected.metrics[order])
    np.testing.assert_array_equal(found.daily, expected.daily[order])
    assert list(found.statuses) == [expected.statuses[i] for i in order]
    np.testing.assert_array_equal(np.vstack([each.metrics for each in halves]), expected.metrics)


def test_run__computes_each_series_once(session):
    with Evaluator(session, threads=1) as evaluator:
        evaluator.run(drawn(30))
        before = evaluator.bank.computed
        evaluator.run(drawn(30))
        assert evaluator.bank.computed == before == len(evaluator.bank)
        evaluator.drop()
        assert len(evaluator.bank) == 0


def test_run__runs_equal_sets_once(session):
    sets = [each for each in drawn(6, seed=3) for _ in range(3)]
    told = []
    with Evaluator(session, threads=1) as evaluator:
        found = evaluator.run(sets, daily=True, tell=lambda rows, outcomes, metrics: told.extend(rows.tolist()))
    check(session, sets, found)
    np.testing.assert_array_equal(found.metrics[::3], found.metrics[2::3])
    np.testing.assert_array_equal(found.daily[::3], found.daily[1::3])
    assert len(told) == len(set(told)) <= 6


def test_run__takes_values_of_several_types(session):
    # A whole number where the strategy declares a float has kernels of its own.
    sets = [{"qty": 1.0}, {"qty": 1}, {"qty": 2.0, "fast": 5}, {"qty": 2, "fast": 5}]
    with Evaluator(session, threads=1) as evaluator:
        found = evaluator.run(sets)
    assert len(session._runners) == 2
    np.testing.assert_array_equal(found.metrics[[0, 2]], found.metrics[[1, 3]])
    profit = found.column("net_profit_percentage")
    assert found.statuses.ok.all() and profit[0] != profit[2]


def test_run__tells_of_every_row_once(session):
    sets = [{"fast": 2 + i % 7, "slow": 2 + i // 7, "qty": 1.0} for i in range(200)]
    told = np.zeros(200, dtype=int)

    def tell(rows, outcomes, metrics):
        told[rows] += 1
        np.testing.assert_array_equal(outcomes[:, 0], 0.0)
        assert metrics.shape == (len(rows), len(METRICS))

    with Evaluator(session, threads=2) as evaluator:
        evaluator.run(sets, tell=tell)
    assert (told == 1).all()


def test_run__stops_when_asked_and_keeps_what_was_done(session):
    sets = [
        {"fast": 2 + i % 7, "slow": 2 + i % 39, "qty": 0.1 + i / 1000} for i in range(500 if jit_disabled() else 20_000)
    ]
    stop = Stop()
    with Evaluator(session, threads=2) as evaluator:
        evaluator.prepare(sets)
        found = evaluator.run(sets, stop=stop, tell=lambda *_: stop.set())
        done = np.flatnonzero(found.statuses.ok)
        assert found.interrupted and 0 < len(done) < len(sets)
        assert found.statuses.counts()["not run"] == len(sets) - len(done)
        whole = evaluator.run([sets[i] for i in done[:50]])
    np.testing.assert_array_equal(found.metrics[done[:50]], whole.metrics)


def test_run__of_nothing_gives_nothing(session):
    with Evaluator(session) as evaluator:
        found = evaluator.run(SetTable.of([{"fast": 5}], session.source.defaults)[:0])
    assert len(found) == 0 and list(found.statuses) == [] and found.metrics.shape == (0, len(METRICS))


def test_run__refuses_unknown_names(session):
    with pytest.raises(SettingsError, match="no hyper-parameter 'slwo'.*Did you mean 'slow'"):
        Evaluator(session).run({"slwo": [3]})
    with pytest.raises(SettingsError, match="there is no metric 'sharpe'. Did you mean 'sharpe_ratio'"):
        Evaluator(session).run([{}]).column("sharpe")


def test_prepare__compiles_what_many_sets_need(session, monkeypatch):
    from fastbt.engine import layout
    from fastbt.engine.simulate import Runner

    asked = []
    monkeypatch.setattr(Runner, "_call_shared", lambda *arguments: asked.append(arguments))
    with Evaluator(session, threads=1) as evaluator:
        n = layout.WORTH_SHARING // session.setup.market.n_bars
        evaluator.prepare({}, n - 1)
        assert not asked
        evaluator.prepare({}, n + 1)
        assert len(asked) == 1
