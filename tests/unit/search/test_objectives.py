"""Objectives, requirements and the Pareto front."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbt.errors import SettingsError
from fastbt.metrics.names import METRICS
from fastbt.search.objectives import FITNESS_RATIOS, Requirement, jesse_fitness, make_objectives, pareto_front


def a_row(**metrics):
    row = np.full((1, len(METRICS)), np.nan)
    for name, value in metrics.items():
        row[0, METRICS.index(name)] = value
    return row


@pytest.mark.parametrize("ratio", FITNESS_RATIOS)
def test_fitness__in_plain_words(ratio):
    name, low, high = FITNESS_RATIOS[ratio]
    found = jesse_fitness(a_row(total=50, **{name: 1.25}), ratio, 200)[0]
    assert found == pytest.approx(math.log10(50) / math.log10(200) * (1.25 - low) / (high - low), rel=1e-14)


@pytest.mark.parametrize(
    ("total", "ratio", "wanted"),
    [(5, 3.0, 0.0001), (50, -0.1, 0.0001), (50, math.nan, 0.0001), (900, 5.0, 1.0), (math.nan, math.nan, math.nan)],
)
def test_fitness__of_sets_that_are_of_no_use(total, ratio, wanted):
    found = jesse_fitness(a_row(total=total, sharpe_ratio=ratio))[0]
    assert found == wanted or (math.isnan(found) and math.isnan(wanted))


def test_objectives__know_their_direction():
    names = ["sharpe_ratio", "max_drawdown", "fee", "fitness"]
    assert [each.maximize for each in make_objectives(names)] == [True, True, False, True]
    assert make_objectives(["fitness"])[0].name == "fitness:sharpe"
    assert not make_objectives(["sharpe_ratio"], ["minimize"])[0].maximize


@pytest.mark.parametrize(
    ("names", "directions", "said"),
    [
        (["sharp_ratio"], None, "Did you mean 'sharpe_ratio'"),
        (["fitness:sharp"], None, "Did you mean 'sharpe'"),
        (["fee", "fee"], None, "wanted different ones"),
        ([], None, "wanted at least one"),
        (["fee"], ["up"], "maximize or minimize"),
        (["fee"], ["minimize", "minimize"], "there were 2 for 1"),
    ],
)
def test_objectives__refuse_what_makes_no_sense(names, directions, said):
    with pytest.raises(SettingsError, match=said):
        make_objectives(names, directions)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("total >= 30", [18.0, -10.0, 1.0]),
        ("total < 30", [-18.0, 10.0, 1.0]),
        ("30 <= total", [1.0, 0.0, 1.0]),
        ("total > 10 and total < 20", [0.0, 1.0, 1.0]),
    ],
)
def test_requirements__say_by_how_much_they_are_missed(text, wanted):
    rows = np.vstack([a_row(total=12), a_row(total=40), a_row()])
    assert Requirement(text).violation(rows).tolist() == wanted


def test_requirements__are_of_metrics():
    with pytest.raises(SettingsError, match="Did you mean 'win_rate'"):
        Requirement("winrate > 0.5")
    with pytest.raises(SettingsError, match="names none"):
        Requirement("1 < 2")


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30))
def test_front__is_what_none_beats(points):
    values = np.array(points, dtype=float)
    signs = [1, -1, 1]
    gains = [tuple(value * sign for value, sign in zip(point, signs, strict=True)) for point in points]

    def beats(one, two):
        return all(a >= b for a, b in zip(one, two, strict=True)) and one != two

    wanted = {gain for gain in gains if not any(beats(other, gain) for other in gains)}
    front = pareto_front(values, signs).tolist()
    assert {gains[row] for row in front} == wanted
    assert len(front) == len(wanted)
