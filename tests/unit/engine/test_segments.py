"""Sets that are played side by side: what lies between events, and that each set is played as it is alone."""

import itertools

import numpy as np
import pytest
from candle_generators import make_candles
from compiled_snippets import strategy_text
from hypothesis import given
from hypothesis import strategies as st

from fastbt._jit import jit_disabled
from fastbt.backtest import Session, Setup
from fastbt.engine import layout, segments
from fastbt.engine.account import Account
from fastbt.engine.layout import LANES, build_market
from fastbt.engine.segments import FOR_LONG, FOR_SHORT
from fastbt.engine.simulate import Runner
from fastbt.engine.skipping import IN_FLAT, IN_LONG, IN_SHORT
from fastbt.metrics import metrics_row_to_dict
from fastbt.sweep import workers
from fastbt.sweep.evaluate import Evaluator
from fastbt.types import CLOSE, HIGH, LOW, OPEN, Mode

CROSSING = """
def __init__(self):
    super().__init__()
    self.exits = 0

def hyperparameters(self):
    return [
        {"name": "fast", "type": int, "min": 2, "max": 9, "default": 4},
        {"name": "stop", "type": float, "min": 0.0005, "max": 0.02, "default": 0.002},
        {"name": "target", "type": float, "min": 0.0005, "max": 0.02, "default": 0.002},
        {"name": "share", "type": float, "min": 0.1, "max": 3.0, "default": 0.5},
    ]

@property
def turns(self):
    fast = ta.sma(self.candles, self.hp["fast"], sequential=True)
    slow = ta.sma(self.candles, 12, sequential=True)
    return 1 if utils.crossed(fast, slow, "above") else -1 if utils.crossed(fast, slow, "below") else 0

def should_long(self):
    return self.turns == 1 and self.exits % 5 != 2

def should_short(self):
    return self.turns == -1

def go_long(self):
    self.buy = utils.size_to_qty(self.balance * self.hp["share"], self.price), self.price

def go_short(self):
    self.sell = utils.size_to_qty(self.balance * self.hp["share"], self.price), self.price

def on_open_position(self, order):
    side = 1 if self.is_long else -1
    if self.hp["stop"] > 0:
        self.stop_loss = self.position.qty, self.price * (1 - side * self.hp["stop"])
    if self.hp["target"] > 0:
        self.take_profit = self.position.qty, self.price * (1 + side * self.hp["target"])

def update_position(self):
    if self.is_long and self.turns == -1:
        self.liquidate()

def on_close_position(self, order, closed_trade):
    self.exits += 1
"""


def session_of(folder, minutes, timeframe="5m", body=CROSSING, **settings):
    file = folder / "Crossing.py"
    file.write_text(strategy_text(body))
    account = Account(warm_up_candles=45, **settings)
    return Session(file, Setup.from_arrays(account, "BTC-USDT", timeframe, minutes[300:], minutes[:300]))


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return session_of(tmp_path_factory.mktemp("segments"), make_candles(300 + 5 * 700, 3))


def grid(n_stops, n_targets, share=0.5):
    """Return sets that differ in stop-loss and take-profit; the first of each have none."""
    stops, targets = np.linspace(0.0, 0.02, n_stops), np.linspace(0.0, 0.02, n_targets)
    return [
        {"fast": 4, "stop": float(stop), "target": float(target), "share": share}
        for stop, target in itertools.product(stops, targets)
    ]


@pytest.fixture
def both(monkeypatch):
    """Return how to run sets both ways, the results, and which were played side by side."""
    played = []
    original = Runner._call_shared

    def noted(*arguments):
        is_played = original(*arguments)
        played.extend(is_played.tolist())
        return is_played

    monkeypatch.setattr(Runner, "_call_shared", noted)

    def run(session, sets, threads=1):
        results = []
        for may in (False, True):
            monkeypatch.setattr(Runner, "shares", lambda self, configs, may=may: may)
            with Evaluator(session, threads=threads) as evaluator:
                results.append(evaluator.run(sets, daily=True))
        return *results, sum(played)

    return run


def assert_same(alone, together):
    assert alone.statuses.counts() == together.statuses.counts()
    for name in ("outcomes", "metrics", "daily"):
        assert getattr(alone, name).tobytes() == getattr(together, name).tobytes()


@pytest.mark.compiled
@pytest.mark.parametrize("sides", [(1, 1), (4, 3), (5, 5), (13, 11), (90, 1)])
def test_sets__are_played_as_each_is_alone(session, both, sides):
    """One, whole eights and parts of them, more than go together, and no targets at all."""
    alone, together, n = both(session, grid(*sides))
    assert_same(alone, together)
    assert n == sides[0] * sides[1]
    trades = alone.outcomes[:, layout.OUTCOME_TRADES]
    assert n == 1 or (trades.max() > 20 and len(set(trades.tolist())) > 2)


@pytest.mark.compiled
def test_sets__of_several_lists_in_any_order_on_several_threads(session, both):
    sets = [each | {"fast": fast} for fast in (3, 4, 7) for each in grid(5, 5)]
    sets += [each | {"fast": fast} for fast in (2, 5, 6, 8, 9) for each in grid(1, 1)]
    order = np.random.default_rng(2).permutation(len(sets))
    alone, together, n = both(session, [sets[i] for i in order], threads=2)
    assert_same(alone, together)
    assert n == len(sets)


@pytest.mark.compiled
def test_sets__have_their_daily_balances(tmp_path, both):
    """Of days without a trade, within one, and with several."""
    session = session_of(tmp_path, make_candles(300 + 1440 * 40 + 7 * 120, 5), "2h")
    alone, together, n = both(session, [each | {"fast": fast} for fast in (3, 9) for each in grid(4, 4)])
    assert_same(alone, together)
    assert n == 32 and together.daily.shape[1] == 42
    changes = np.diff(together.daily, axis=1) != 0
    assert changes[:, 5:].any() and not changes[:, 5:].all()


@pytest.mark.compiled
def test_sets__that_do_anything_else_are_played_alone(session, both):
    """Three times the wallet without leverage is refused; those beside it go on."""
    sets = grid(5, 5) + grid(5, 5, share=3.0)
    alone, together, n = both(session, sets)
    assert_same(alone, together)
    assert n == 25
    assert alone.statuses.counts()["ok"] == 25


@pytest.mark.compiled
def test_sets__of_a_strategy_that_does_something_else_are_soon_all_played_alone(session, both, monkeypatch):
    # Each part of the work begins anew.
    monkeypatch.setattr(workers, "_TARGET_S", 60.0)
    begun = []
    noted = Runner._call_shared

    def counted(self, order, groups, configs, x, output, *others):
        output.daily[...] = np.nan
        is_played = noted(self, order, groups, configs, x, output, *others)
        begun.append(int(np.isfinite(output.daily[:, 0]).sum()))
        return is_played

    monkeypatch.setattr(Runner, "_call_shared", counted)
    alone, together, n = both(session, grid(40, 40, share=3.0))
    assert_same(alone, together)
    assert n == 0 and 80 < sum(begun) < 800


@pytest.mark.compiled
@pytest.mark.parametrize(("trades", "lists"), [(8 * 250, 2**16), (2**18, 700), (8 * 10, 2**16), (2**18, 10)])
def test_sets__that_do_not_fit_into_memory_go_in_smaller_parts_or_alone(tmp_path, both, monkeypatch, trades, lists):
    monkeypatch.setattr(layout, "SHARED_TRADES", trades)
    monkeypatch.setattr(layout, "SHARED_SEGMENTS", lists)
    session = session_of(tmp_path, make_candles(300 + 5 * 700, 3))
    sets = [each | {"fast": fast} for fast in (3, 4, 5, 7, 9) for each in grid(4, 4)]
    alone, together, n = both(session, sets)
    assert_same(alone, together)
    assert n == (len(sets) if min(trades // 8, lists) >= 250 else 0)


#: Exits are whole numbers, and set now and then.
SOMETIMES = (
    CROSSING.replace('if self.hp["stop"] > 0:', "if self.index % 2:")
    .replace('if self.hp["target"] > 0:', "if self.index % 3:")
    .replace('self.price * (1 - side * self.hp["stop"])', 'round(self.price * (1 - side * self.hp["stop"]))')
    .replace('self.price * (1 + side * self.hp["target"])', 'round(self.price * (1 + side * self.hp["target"]))')
    .replace("if self.is_long and self.turns == -1:", "if self.turns == (-1 if self.is_long else 1):")
    .replace(" and self.exits % 5 != 2", "")
)


def in_prices_around(minutes, price):
    """Return candles of which the first opens at a price."""
    changed = minutes.copy()
    changed[:, [OPEN, CLOSE, HIGH, LOW]] *= price / minutes[0, OPEN]
    return changed


@pytest.mark.compiled
def test_sets__with_exits_that_are_set_now_and_then(tmp_path, both):
    session = session_of(tmp_path, in_prices_around(make_candles(300 + 5 * 2500, 3), 1e6), body=SOMETIMES)
    sets = [each for each in grid(12, 11) if each["stop"] and each["target"]]
    alone, together, n = both(session, sets)
    assert_same(alone, together)
    assert n == len(sets)


@pytest.mark.compiled
def test_sets__whose_exits_are_both_met_in_one_minute(tmp_path, both):
    minutes = make_candles(300 + 5 * 700, 3)
    wide = np.random.default_rng(1).random(len(minutes)) < 0.2
    minutes[wide, HIGH] *= 1.01
    minutes[wide, LOW] *= 0.99
    alone, together, n = both(session_of(tmp_path, minutes), grid(6, 6))
    assert_same(alone, together)
    assert n == 36


@pytest.mark.compiled
def test_sets__that_leave_on_bars_on_which_none_may_enter(tmp_path, both):
    body = CROSSING.replace("if self.is_long and self.turns == -1:", "if self.leaves:")
    body += """
@property
def leaves(self):
    fast, slow = ta.sma(self.candles, 3, sequential=True), ta.sma(self.candles, 25, sequential=True)
    return utils.crossed(fast, slow, "below") if self.is_long else utils.crossed(fast, slow, "above")
"""
    alone, together, n = both(session_of(tmp_path, make_candles(300 + 5 * 700, 3), body=body), grid(7, 4))
    assert_same(alone, together)
    assert n == 28


@pytest.mark.compiled
def test_sets__that_ask_for_the_available_margin(tmp_path, both):
    """Flat, where a trade has just begun, and within one; as the machine, which keeps a list of orders, plays it."""
    body = CROSSING.replace("self.balance *", "self.available_margin *")
    body = body.replace('if self.hp["stop"] > 0:', 'if self.hp["stop"] > 0 and self.available_margin < 9_000:')
    body = body.replace("if self.is_long and", "if self.available_margin > 4_990 and")
    session = session_of(tmp_path, make_candles(300 + 5 * 700, 3), body=body)
    compiled, _ = session.runner_for(session.source.defaults)
    assert "def go_long__plain(" in compiled.text and "def update_position__plain(" in compiled.text
    sets = [each | {"share": share} for share in (0.1, 0.5) for each in grid(4, 4)]
    alone, together, n = both(session, sets)
    assert_same(alone, together)
    assert n == 32
    for i in (5, 21):
        simulation, metrics = session.run(sets[i])
        np.testing.assert_equal(metrics, metrics_row_to_dict(alone.metrics[i]))
        assert len(simulation.trades) == alone.outcomes[i, layout.OUTCOME_TRADES] > 20


@pytest.mark.compiled
def test_sets__whose_exits_are_just_met(tmp_path, both):
    """Prices are whole numbers too: extremes of a segment are often the price of an exit."""
    minutes = np.round(in_prices_around(make_candles(300 + 5 * 1400, 3), 300.0))
    alone, together, n = both(session_of(tmp_path, minutes, body=SOMETIMES), grid(7, 7))
    assert_same(alone, together)
    # Those without room to the market are given up.
    assert n > 20


@pytest.mark.compiled
def test_isolated__a_stop_behind_the_liquidation_is_given_up(tmp_path, both):
    minutes = make_candles(300 + 5 * 700, 3)
    session = session_of(tmp_path, minutes, mode=Mode.ISOLATED, leverage=60)
    alone, together, n = both(session, grid(7, 4, share=0.05))
    assert_same(alone, together)
    # Stops of 0.3, 0.7 and 1 % come before the liquidation at 1.3 %.
    assert n == 3 * 4


def test_shares__where_there_was_enough_work(session, monkeypatch):
    compiled, runner = session.runner_for(session.source.defaults)
    runner = Runner(runner.module, runner._state_dtype, runner._variables_dtype, runner.market, runner.account)
    configs = compiled.bind(grid(5, 5)).configs
    asked = []
    monkeypatch.setattr(Runner, "_call_shared", lambda *arguments: asked.append(arguments))
    monkeypatch.setattr(layout, "WORTH_SHARING", 60 * runner.market.n_bars)
    assert not runner.shares(configs)
    assert not runner.shares(configs)
    assert not runner.shares(configs[:0])
    # It is compiled once; from then on less will do.
    assert runner.shares(configs) and len(asked) == 1
    assert runner.shares(configs[:1]) and len(asked) == 1


@pytest.mark.parametrize(("settings", "n_minutes"), [({"mode": Mode.SPOT}, 3500), ({}, 3502)])
def test_shares__not_where_no_trade_is_plain(tmp_path, monkeypatch, settings, n_minutes):
    monkeypatch.setattr(layout, "WORTH_SHARING", 0)
    session = session_of(tmp_path, make_candles(300 + n_minutes, 3), **settings)
    compiled, runner = session.runner_for(session.source.defaults)
    configs = compiled.bind(grid(5, 5)).configs
    assert not runner.shares(configs)


# --- segments -----------------------------------------------------------------------------------------------------
def naive_segments(low, high, bars, facts, n_bars):
    """Return for each event and side the next event, and the extremes of the bars until then; and the next free one."""
    found, free = [], []
    for e in range(len(bars)):
        sides = []
        for state in (IN_SHORT, IN_LONG):
            to = next((j for j in range(e + 1, len(bars)) if facts[j] & state), len(bars))
            until = bars[to] + 1 if to < len(bars) else n_bars
            between = range(bars[e] + 1, until)
            sides.append(
                (to, min((low[b] for b in between), default=np.inf), max((high[b] for b in between), default=-np.inf))
            )
        found.append(sides)
        free.append(next((j for j in range(e, len(bars)) if facts[j] & IN_FLAT), len(bars)))
    return found, free


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.sampled_from([0.02, 0.3, 1.0]), st.integers(0, 50))
def test_segments__tell_what_lies_between_events(seed, n_blocks, share, start):
    rng = np.random.default_rng(seed)
    n_bars = int(rng.integers(1, 16 * n_blocks + 17))
    minutes = make_candles(n_bars, int(rng.integers(1000)))
    market = build_market(minutes, minutes, warmup_bars=0, timeframe_minutes=1)
    bars = np.flatnonzero(rng.random(n_bars) < share)
    n = len(bars)
    events = np.zeros((2, n_bars + 1), np.int32)
    events[0, :n], events[1, :n] = bars, rng.integers(1, 16, n)
    made = np.zeros(start + n + 1, layout.SEGMENT)
    if jit_disabled():
        made = made.view(np.recarray)
    bars_of, free_from = np.full((2, len(made)), -1, np.int32)
    segments._write_segments(
        made, bars_of, free_from, start, events, n, market.closes, market.bar_span, market.bar_block_span
    )
    before = np.r_[minutes[0, OPEN], minutes[:-1, CLOSE]]
    low, high = np.minimum(minutes[:, LOW], before), np.maximum(minutes[:, HIGH], before)
    expected, free = naive_segments(low, high, bars.tolist(), events[1].tolist(), n_bars)
    for e in range(n):
        each = made[start + e]
        assert each["price"] == minutes[bars[e], CLOSE] and each["facts"] == events[1, e]
        for side in (FOR_SHORT, FOR_LONG):
            assert (each["next"][side] - start, each["low"][side], each["high"][side]) == expected[e][side]
    assert made[start + n]["price"] == minutes[-1, CLOSE] and made[start + n]["next"].tolist() == 2 * [start + n]
    assert bars_of[start:].tolist() == [*bars.tolist(), n_bars]
    assert (free_from[start:] - start).tolist() == [*free, n]


def test_lanes__are_whole_eights():
    assert LANES % segments.EIGHT == 0
    assert layout.SEGMENT.itemsize == 64
