"""What a sweep tells while it runs: counts, best, histogram and time left, in bounded memory."""

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbt.engine import layout
from fastbt.errors import SettingsError
from fastbt.metrics.names import METRICS
from fastbt.sweep.memory import bytes_text, free_memory, memory_budget, parse_bytes, resident_memory
from fastbt.sweep.names import LOWER_IS_BETTER
from fastbt.sweep.progress import Tally, histogram
from fastbt.sweep.statuses import CODE_INFEASIBLE, Statuses
from fastbt.types import Status


def tally(metric="sharpe_ratio", total=1000, progress=None):
    return Tally(metric, total, lambda market, number: {"market": market, "set": number}, progress)


def add(to, values, codes=None, market=0, first=0):
    n = len(values)
    to.add_values(
        market, np.arange(first, first + n), np.zeros(n, int) if codes is None else codes, np.array(values, float)
    )


values = st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), max_size=40)


@given(st.lists(values, max_size=6), st.sampled_from(["sharpe_ratio", "fee"]), st.randoms())
def test_tally__finds_the_best_whatever_comes_first(parts, metric, rng):
    bounds = np.cumsum([0, *map(len, parts)])
    order = list(range(len(parts)))
    rng.shuffle(order)
    found = tally(metric)
    for i in order:
        add(found, parts[i], first=int(bounds[i]))
    state = found.state()
    usable = [(value, number) for number, value in enumerate(v for part in parts for v in part) if value == value]
    assert state.done == sum(map(len, parts)) == state.counts["ok"]
    if not usable:
        assert math.isnan(state.best) and state.best_set is None
    else:
        sign = -1 if metric in LOWER_IS_BETTER else 1
        value, number = max(usable, key=lambda item: (sign * item[0], -item[1]))
        # Of equal ones the first, however the threads went.
        assert (state.best, state.best_set) == (value, {"market": 0, "set": number})
    assert sorted(state.values) == sorted(value for value, _ in usable)


def test_tally__counts_how_sets_ended():
    found = tally(total=9)
    outcomes = np.zeros((4, layout.OUTCOME_FIELDS))
    outcomes[:, layout.OUTCOME_STATUS] = [0, Status.INSUFFICIENT_MARGIN, Status.FLIP, 0]
    metrics = np.full((4, len(METRICS)), np.nan)
    metrics[0] = metrics[3] = 1.5
    found.add(1, np.array([5, 6, 7, 8]), outcomes, metrics)
    found.add_infeasible(5)
    state = found.state()
    assert state.counts == {"ok": 2, "infeasible": 5, "failed": 1, "unsupported": 1}
    assert (state.done, state.best, state.best_set) == (9, 1.5, {"market": 1, "set": 5})


def test_tally__keeps_a_fair_sample_in_bounded_memory():
    found = tally(total=10**6)
    rng = np.random.default_rng(0)
    for _ in range(300):
        add(found, rng.normal(size=1000))
    values = found.state().values
    assert 1000 < len(values) <= 4096
    assert abs(values.mean()) < 0.1 and abs(values.std() - 1) < 0.1


def test_tally__tells_the_time_left():
    told = []
    found = tally(total=1000, progress=told.append)
    found.start()
    for i in range(30):
        time.sleep(0.02)
        add(found, [1.0] * 10, first=10 * i)
        found.tell()
    assert told[0].done == 0 and math.isnan(told[0].rate)
    # Not at every call: 0.6 s, and one in a tenth of a second.
    assert 3 <= len(told) <= 8
    last = told[-1]
    assert 50 < last.rate < 600
    expected, least, most = last.left_s
    assert least <= expected <= most
    assert expected == pytest.approx((1000 - last.done) / last.rate)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=200), st.integers(1, 40))
def test_histogram__counts_every_value(given, bins):
    counts, low, high = histogram(np.array(given), bins)
    assert counts.sum() == len(given) and len(counts) == bins
    assert min(given) <= low <= high <= max(given)


def test_histogram__of_nothing():
    counts, low, high = histogram(np.array([math.nan, math.inf]), 5)
    assert counts.tolist() == [0] * 5 and math.isnan(low) and math.isnan(high)


# --- statuses -------------------------------------------------------------------------------------------------------


def test_statuses__are_texts_when_asked_for():
    outcomes = np.zeros((5, layout.OUTCOME_FIELDS))
    outcomes[1, :3] = Status.INSUFFICIENT_MARGIN, 17, 1546300800000
    outcomes[2, :3] = Status.LOOP_BOUND, 3, 1546300860000
    outcomes[3] = np.nan
    outcomes[4] = np.nan
    statuses = Statuses(outcomes, {3: "ValueError in ta.sma: period 0"})
    expected = [
        "ok",
        "failed: InsufficientMargin at bar 17 (2019-01-01T00:00 UTC)",
        "unsupported: a loop ran longer than the compiled bound, at bar 3 (2019-01-01T00:01 UTC)",
        "infeasible: ValueError in ta.sma: period 0",
        "not run",
    ]
    assert list(statuses) == expected == statuses[:] == [statuses[i - 5] for i in range(5)]
    assert statuses == expected and statuses != expected[:4]
    assert statuses.ok.tolist() == [True, False, False, False, False]
    assert statuses.codes[3] == CODE_INFEASIBLE
    assert statuses.counts() == {"ok": 1, "infeasible": 1, "failed": 1, "unsupported": 1, "not run": 1}
    assert repr(statuses) == "Statuses(1 ok, 1 infeasible, 1 failed, 1 unsupported, 1 not run)"


# --- memory ---------------------------------------------------------------------------------------------------------


def test_memory__is_what_there_is():
    assert 2**24 < free_memory() < 2**50
    assert memory_budget(123) == 123
    assert 0.3 * free_memory() < memory_budget() < 0.7 * free_memory() or memory_budget() == 64 * 2**20
    before = resident_memory()
    block = np.ones(2**25)
    assert resident_memory() - before > 0.8 * block.nbytes


@pytest.mark.parametrize(
    ("text", "n"), [("500", 500), ("1k", 1024), ("2.5M", 2621440), ("3 GiB", 3 * 2**30), ("1tb", 2**40), ("7B", 7)]
)
def test_parse_bytes(text, n):
    assert parse_bytes(text) == n


@pytest.mark.parametrize("text", ["", "G", "-1G", "1X", "0", "1,5G", "nan"])
def test_parse_bytes__refuses(text):
    with pytest.raises(SettingsError, match="--memory: wanted a size such as 500M or 2G; was"):
        parse_bytes(text)


def test_bytes_text__has_three_digits_at_most():
    assert [bytes_text(2.0**k) for k in (0, 9, 10, 17, 25, 33, 45)] == [
        "1 B",
        "512 B",
        "1.0 kB",
        "128 kB",
        "32.0 MB",
        "8.0 GB",
        "32.0 TB",
    ]
