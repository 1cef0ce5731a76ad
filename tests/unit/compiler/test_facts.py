"""Facts: conditions of the market in hooks, answered once for each event and looked up by all sets that share it."""

import re

import numpy as np
import pytest
from candle_generators import make_candles
from compiled_snippets import strategy_text

from fastbt.backtest import Session, Setup, series_of
from fastbt.compiler.events import FIRST_FACT
from fastbt.compiler.sets import SetTable
from fastbt.engine.account import Account
from fastbt.engine.simulate import Output
from fastbt.engine.skipping import ARE_KNOWN
from fastbt.metrics.names import METRICS
from fastbt.sweep.evaluate import Evaluator
from fastbt.types import CLOSE, HIGH, LOW

CROSSING = """
def hyperparameters(self):
    return [
        {"name": "fast", "type": int, "min": 2, "max": 9, "default": 4},
        {"name": "slow", "type": int, "min": 10, "max": 40, "default": 12},
        {"name": "limit", "type": float, "min": 0.0, "max": 100.0, "default": 50.0},
        {"name": "stop", "type": float, "min": 0.0005, "max": 0.01, "default": 0.002},
    ]

@property
def fast(self):
    return ta.sma(self.candles, self.hp["fast"], sequential=True)

@property
def slow(self):
    return ta.sma(self.candles, self.hp["slow"], sequential=True)

def should_long(self):
    return utils.crossed(self.fast, self.slow, "above") and self.trades_count % 7 != 3

def should_short(self):
    return utils.crossed(self.fast, self.slow, "below") and self.price < self.candles[-1, 3] * 1.5

def go_long(self):
    self.buy = (1 if ta.rsi(self.candles, 14) > self.hp["limit"] else 2), self.price

def go_short(self):
    self.sell = 1, self.price

def on_open_position(self, order):
    side = 1 if self.is_long else -1
    self.stop_loss = self.position.qty, self.price * (1 - side * self.hp["stop"])
    self.take_profit = self.position.qty, self.price * (1 + side * 2 * self.hp["stop"])

def update_position(self):
    down = utils.crossed(self.fast, self.slow, "below")
    up = utils.crossed(self.fast, self.slow, "above")
    if (self.is_long and down) or (self.is_short and up):
        self.liquidate()
    elif self.is_short and ta.rsi(self.candles, 14) < 40:
        self.liquidate()
"""


def session_of(body, folder, minutes, timeframe="1m"):
    file = folder / "Crossing.py"
    file.write_text(strategy_text(body))
    account = Account(warm_up_candles=45)
    return Session(file, Setup.from_arrays(account, "BTC-USDT", timeframe, minutes[300:], minutes[:300]))


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return session_of(CROSSING, tmp_path_factory.mktemp("facts"), make_candles(3000, 3))


def conditions(text):
    """Return the facts of a generated module, by number."""
    return dict(re.findall(r"def _fact_(\d+)\(.*?return s.facts.*?return (.*?)\n", text, flags=re.DOTALL))


def test_facts__are_the_conditions_that_sets_of_one_list_share(session):
    compiled, _ = session.runner_for(session.source.defaults)
    facts = conditions(compiled.text)
    hooks = compiled.text.partition("# --- machine ---")[0]
    assert len(facts) == 4
    assert sum("k.sma_0" in each and "k.sma_1" in each for each in facts.values()) == 3
    assert sum("bars" in each for each in facts.values()) == 1
    assert all(f"_fact_{i}(" in hooks for i in facts)
    bits = re.findall(r"return s.facts & (\d+) != 0", compiled.text)
    assert [int(each) for each in bits] == [1 << FIRST_FACT + i for i in range(4)]
    # What differs between sets of one list is asked again.
    assert "k.hp_limit" in hooks and not any("limit" in each for each in facts.values())


def test_facts__beside_each_event_are_what_the_condition_says(session):
    compiled, runner = session.runner_for(session.source.defaults)
    binding = compiled.bind([session.source.defaults])
    x = series_of(session.setup, binding)
    runner.run(binding.configs, x, 0, 1, Output.empty(1, runner.market))
    events, prices = runner._events()
    n = int(np.argmin(events[1] & ARE_KNOWN))
    k = binding.configs[0]
    fast, slow, rsi = (x[k[row], runner.market.warmup_bars - 1 :] for row in ("sma_0", "sma_1", "rsi_0"))
    crosses = np.diff((fast > slow).astype(int)) != 0
    np.testing.assert_array_equal(events[0, :n], np.flatnonzero(crosses | (rsi[1:] < 40)))
    found = set()
    for (b, bits), price in zip(events[:, :n].T, prices, strict=False):
        bar = runner.market.warmup_bars + b
        assert price == runner.market.bars[bar, CLOSE]
        fast, slow = x[k["sma_0"]], x[k["sma_1"]]
        truths = {
            "above": fast[bar - 1] <= slow[bar - 1] and fast[bar] > slow[bar],
            "below": fast[bar - 1] >= slow[bar - 1] and fast[bar] < slow[bar],
        }
        for i, condition in conditions(compiled.text).items():
            if "bars" in condition or "rsi" in condition:
                continue
            side = "above" if ">" in condition.partition(" and ")[2] else "below"
            assert bool(bits >> FIRST_FACT + int(i) & 1) == truths[side]
            found.add((side, bool(truths[side])))
    assert len(found) == 4


def sweep_equals_runs(session, sets):
    """Compare a sweep, which has facts and plain trades, with runs one by one, which have a log and so neither."""
    with Evaluator(session, threads=1) as evaluator:
        found = evaluator.run(SetTable.of(sets))
    trades = 0
    for row, hp in enumerate(sets):
        simulation, metrics = session.run(hp)
        np.testing.assert_array_equal(found.metrics[row], [metrics.get(name, np.nan) for name in METRICS])
        trades += len(simulation.trades)
    return trades


def drawn(n, seed):
    rng = np.random.default_rng(seed)
    return [
        {
            "fast": int(rng.integers(2, 10)),
            "slow": int(rng.integers(10, 41)),
            "limit": float(rng.choice([40.0, 60.0, 99.0])),
            "stop": float(rng.uniform(0.0003, 0.004)),
        }
        for _ in range(n)
    ]


def test_a_sweep_with_facts__equals_runs_one_by_one(session):
    assert sweep_equals_runs(session, drawn(12, 1)) > 500


@pytest.mark.parametrize("timeframe", ["1m", "5m"])
def test_candles_that_contradict_themselves__end_plain_trades_as_jesse_does(tmp_path, timeframe):
    """Open or close outside of low and high, and jumps over the prices that wait."""
    minutes = make_candles(3000, 4)
    rng = np.random.default_rng(5)
    for column in (1, CLOSE):
        rows = rng.random(len(minutes)) < 0.3
        minutes[rows, column] *= 1 + rng.normal(0, 0.004, rows.sum())
    kept = rng.random(len(minutes)) < 0.5
    for column, best in ((LOW, np.minimum), (HIGH, np.maximum)):
        sane = best(minutes[:, column], best(minutes[:, 1], minutes[:, CLOSE]))
        minutes[kept, column] = sane[kept]
    assert sweep_equals_runs(session_of(CROSSING, tmp_path, minutes, timeframe), drawn(12, 2)) > 100


UPPER_CASE = """
def should_long(self):
    LIMIT = 30 if self.trades_count > 20 else 60
    RSI = ta.rsi(self.candles, 14)
    return RSI > LIMIT and self.price > ta.sma(self.candles, 9)

def should_short(self):
    BUY = ta.sma(self.candles, 9)
    return self.price < BUY

def go_long(self):
    self.buy = 0.1, self.price

def go_short(self):
    self.sell = 0.1, self.price

def on_open_position(self, order):
    side = 1 if self.is_long else -1
    self.stop_loss = 0.1, self.price * (1 - side * 0.001)
    self.take_profit = 0.1, self.price * (1 + side * 0.002)

def update_position(self):
    pass
"""


def test_a_local_in_upper_case__is_no_part_of_a_fact(tmp_path):
    """Constants of the engine are called BUY and CLOSE; a user may call a variable so."""
    session = session_of(UPPER_CASE, tmp_path, make_candles(3000, 3))
    compiled, _ = session.runner_for({})
    facts = conditions(compiled.text)
    assert facts == {"0": "s.current_price > x[k.sma_0, s.bar]"}
    assert sweep_equals_runs(session, [{}]) > 100
