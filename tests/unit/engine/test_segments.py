"""Sets that are played side by side: where a price is met, and that each is played as it is alone."""

import itertools

import numpy as np
import pytest
from candle_generators import make_candles
from compiled_snippets import strategy_text
from hypothesis import given
from hypothesis import strategies as st

from fastbt._jit import jit_disabled, kernel
from fastbt.backtest import Session, Setup
from fastbt.engine import layout, segments, spans
from fastbt.engine.account import Account
from fastbt.engine.layout import LANES, build_market
from fastbt.engine.segments import FEWEST, UNMET
from fastbt.engine.simulate import Runner
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
            monkeypatch.setattr(Runner, "shares", lambda self, *_, may=may: may)
            with Evaluator(session, threads=threads) as evaluator:
                results.append(evaluator.run(sets, daily=True))
        return *results, sum(played)

    return run


def assert_same(alone, together):
    assert alone.statuses.counts() == together.statuses.counts()
    for name in ("outcomes", "metrics", "daily"):
        assert getattr(alone, name).tobytes() == getattr(together, name).tobytes()


@pytest.mark.compiled
@pytest.mark.parametrize("sides", [(4, 3), (5, 5), (13, 11), (90, 1)])
def test_sets__are_played_as_each_is_alone(session, both, sides):
    """Whole eights and parts of them, more than go together, and no targets at all."""
    alone, together, n = both(session, grid(*sides))
    assert_same(alone, together)
    assert n == sides[0] * sides[1]
    trades = alone.outcomes[:, layout.OUTCOME_TRADES]
    assert trades.max() > 20 and len(set(trades.tolist())) > 2


@pytest.mark.compiled
def test_sets__of_several_lists_in_any_order_on_several_threads(session, both):
    sets = [each | {"fast": fast} for fast in (3, 4, 7) for each in grid(5, 5)]
    sets += [each | {"fast": 9} for each in grid(5, 1)]
    order = np.random.default_rng(2).permutation(len(sets))
    alone, together, n = both(session, [sets[i] for i in order], threads=2)
    assert_same(alone, together)
    # Those of a list that few share are not.
    assert n == 75 and len(grid(5, 1)) < FEWEST


@pytest.mark.compiled
def test_sets__that_do_anything_else_are_played_alone(session, both):
    """Three times the wallet without leverage is refused; those beside it go on."""
    sets = grid(5, 5) + grid(5, 5, share=3.0)
    alone, together, n = both(session, sets)
    assert_same(alone, together)
    assert n == 25
    assert alone.statuses.counts()["ok"] == 25


@pytest.mark.compiled
def test_sets__of_which_not_all_trades_fit_go_in_smaller_parts(session, both, monkeypatch):
    monkeypatch.setattr(layout, "SHARED_TRADES", 3000)
    assert_same(*both(session, grid(9, 9))[:2])


@pytest.mark.compiled
def test_sets__with_hardly_a_price_in_common_are_played_alone_after_the_first_list(session, both, monkeypatch):
    # Each part of the work begins anew, and on a slow machine each list would be one.
    monkeypatch.setattr(workers, "_TARGET_S", 60.0)
    rng = np.random.default_rng(0)
    sets = [
        {"fast": fast, "stop": stop, "target": target, "share": 0.5}
        for fast in range(2, 10)
        for stop, target in rng.uniform(0.001, 0.02, (30, 2)).tolist()
    ]
    alone, together, n = both(session, sets)
    assert_same(alone, together)
    assert 30 <= n < 200


@pytest.mark.compiled
def test_sets__of_which_few_enter_at_once_are_played_alone_after_the_first_list(tmp_path, both, monkeypatch):
    monkeypatch.setattr(workers, "_TARGET_S", 60.0)
    body = CROSSING.replace("self.exits % 5 != 2", "(self.index + int(self.balance)) % 8 == 0")
    body = body.replace("return self.turns == -1", "return False")
    session = session_of(tmp_path, make_candles(300 + 5 * 700, 3), body=body)
    none = {"stop": 0.0, "target": 0.0}
    sets = [none | {"fast": fast, "share": 0.5 + 0.05 * i} for fast in range(2, 10) for i in range(8)]
    alone, together, n = both(session, sets)
    assert_same(alone, together)
    assert 8 <= n < 48


@pytest.mark.compiled
def test_sets__that_are_left_over_of_a_long_list_are_played_alone(session, both, monkeypatch):
    """And do not tell whether the next lists are worth it."""
    monkeypatch.setattr(workers, "_TARGET_S", 60.0)
    sets = [each | {"fast": fast} for fast in range(2, 8) for each in grid(10, 13)]
    alone, together, n = both(session, sets)
    assert_same(alone, together)
    assert len(sets) == 6 * (LANES + 2) and n == 6 * LANES


SOMETIMES = (
    CROSSING.replace('if self.hp["stop"] > 0:', "if self.index % 2:")
    .replace('if self.hp["target"] > 0:', "if self.index % 3:")
    .replace("if self.is_long and self.turns == -1:", "if self.turns == (-1 if self.is_long else 1):")
    .replace(" and self.exits % 5 != 2", "")
)


@pytest.mark.compiled
def test_sets__with_exits_that_are_set_now_and_then(tmp_path, both):
    """More levels in the course of a run than are kept at once."""
    session = session_of(tmp_path, make_candles(300 + 5 * 2500, 3), body=SOMETIMES)
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
def test_isolated__a_stop_behind_the_liquidation_is_given_up(tmp_path, both):
    minutes = make_candles(300 + 5 * 700, 3)
    session = session_of(tmp_path, minutes, mode=Mode.ISOLATED, leverage=60)
    alone, together, n = both(session, grid(7, 4, share=0.05))
    assert_same(alone, together)
    # Stops of 0.3, 0.7 and 1 % come before the liquidation at 1.3 %.
    assert n == 3 * 4


def test_shares__where_there_is_enough_work(session, monkeypatch):
    compiled, runner = session.runner_for(session.source.defaults)
    configs = compiled.bind(grid(5, 5)).configs
    _, groups = runner.groups(configs, 0, len(configs))
    asked = []
    monkeypatch.setattr(Runner, "_call_shared", lambda *arguments: asked.append(arguments))
    assert not runner.shares(configs, groups)
    monkeypatch.setattr(layout, "WORTH_SHARING", 25 * runner.market.n_bars)
    assert not runner.shares(configs[:24], groups[:24])
    assert runner.shares(configs, groups) and len(asked) == 1
    # Once it is compiled, less will do; too few of a kind will not.
    assert runner.shares(configs[:FEWEST], groups[:FEWEST]) and len(asked) == 1
    assert not runner.shares(configs[: FEWEST - 1], groups[: FEWEST - 1])
    assert not runner.shares(configs, np.arange(25))


@pytest.mark.parametrize(("settings", "n_minutes"), [({"mode": Mode.SPOT}, 3500), ({}, 3502)])
def test_shares__not_where_no_trade_is_plain(tmp_path, monkeypatch, settings, n_minutes):
    monkeypatch.setattr(layout, "WORTH_SHARING", 0)
    session = session_of(tmp_path, make_candles(300 + n_minutes, 3), **settings)
    compiled, runner = session.runner_for(session.source.defaults)
    configs = compiled.bind(grid(5, 5)).configs
    assert not runner.shares(configs, np.zeros(25, dtype=np.int64))


# --- levels -------------------------------------------------------------------------------------------------------
@kernel
def found_levels(
    lanes, prices, events, firsts, lasts, below, length, minutes, span, spans1, spans2, spans3, rest, taken, out
):
    """Look for levels one after the other, each set with a level of its own or another's; `taken` are in use."""
    own = lanes[0]
    own.n_levels = 1 + taken
    for i in range(len(own.level_event)):
        own.level_event[i] = -1
    known = np.zeros(len(prices), np.int64)
    for i in range(len(prices)):
        c = np.uint64(known[i % 7])
        if not segments._is_level(own, c, events[i], prices[i], lasts[i]):
            c = segments._find_level(
                own,
                c,
                events[i],
                firsts[i],
                lasts[i],
                prices[i],
                below[i],
                length,
                minutes,
                span,
                spans1,
                spans2,
                spans3,
                rest,
            )
            known[i % 7] = c
        out[i, 0] = own.level_hit[c]
        out[i, 1] = own.level_exit[c]


def naive_level(minutes, length, first, last, price, is_below):
    """Return the first minute of bars [first, last) that touches a price, and at what it fills an exit there."""
    for i in range(first * length, last * length):
        before, open_, close = minutes[max(i - 1, 0), CLOSE], minutes[i, OPEN], minutes[i, CLOSE]
        low, high = minutes[i, LOW], minutes[i, HIGH]
        if is_below and min(low, open_, close, before) <= price:
            if open_ < before and open_ <= price <= before:
                return i, open_
            return i, price if low <= price <= min(high, open_) else np.nan
        if not is_below and max(high, open_, close, before) >= price:
            if open_ > before and open_ >= price >= before:
                return i, open_
            return i, price if max(low, open_) <= price <= high else np.nan
    return UNMET, None


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 5, 15]),
    st.booleans(),
    st.sampled_from([0, 2 * LANES - 4, 2 * LANES - 1]),
)
def test_levels__are_met_where_looking_at_each_minute_finds_them(seed, length, has_gaps, taken):
    rng = np.random.default_rng(seed)
    n_bars = int(rng.integers(3, 400 // length + 4))
    minutes = make_candles(n_bars * length, int(rng.integers(1000)))
    if has_gaps:
        minutes[1:, OPEN] *= 1 + 0.001 * rng.normal(size=len(minutes) - 1)
        minutes[:, HIGH] = minutes[:, 1:5].max(axis=1)
        minutes[:, LOW] = minutes[:, 1:5].min(axis=1)
    bars = minutes[::length].copy()
    market = build_market(minutes, bars, warmup_bars=0, timeframe_minutes=length)
    n = 60
    # Several sets at one event, some of them with the same price.
    events = np.repeat(np.sort(rng.integers(0, n_bars - 1, n // 6)), 6)
    firsts = events + 1
    lasts = np.minimum(firsts + rng.choice([1, 7, 10**6], n), n_bars)
    below = np.repeat(rng.random(n // 6) < 0.6, 6)
    away = rng.choice([0.0005, 0.001, 0.004, 0.02, 0.3], n)
    prices = minutes[firsts * length - 1, CLOSE] * (1 + np.where(below, -away, away))
    lanes, out = np.zeros(1, layout.lanes_dtype()), np.empty((n, 2))
    if jit_disabled():
        lanes = lanes.view(np.recarray)
    found_levels(
        lanes,
        prices,
        events,
        firsts,
        lasts,
        below,
        length,
        market.minutes,
        market.span,
        market.block_span,
        market.bar_span,
        market.bar_block_span,
        market.rest,
        taken,
        out,
    )
    for i in range(n):
        hit, price = naive_level(minutes, length, int(firsts[i]), int(lasts[i]), prices[i], below[i])
        assert out[i, 0] == hit
        if hit != UNMET:
            np.testing.assert_equal(out[i, 1], price)


@given(st.integers(0, 2**32 - 1), st.integers(1, 900))
def test_rest__is_what_is_still_to_come(seed, n):
    low = np.random.default_rng(seed).normal(size=n)
    _, above = spans.spans_of(low, low + 1)
    rest = spans.rest_of(above)
    for block in range(-(-n // spans.BLOCK)):
        assert rest[0, block] == low[block * spans.BLOCK :].min()
        assert rest[1, block] == (low + 1)[block * spans.BLOCK :].max()


def test_lanes__are_whole_eights():
    assert LANES % segments.EIGHT == 0
