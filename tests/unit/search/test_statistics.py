"""Bootstraps: their p-values are uniform where there is nothing, and small where there is something."""

import numpy as np
import pytest
from scipy.stats import kstest

from fastbt.search.statistics import block_length, circular_blocks, mean_above_zero, slope_with_age


def autoregressive(n, memory, random):
    noise = random.normal(size=n + 50)
    series = np.zeros(n + 50)
    for i in range(1, n + 50):
        series[i] = memory * series[i - 1] + noise[i]
    return series[50:]


@pytest.mark.parametrize("memory", [0.0, 0.3])
def test_mean__p_values_are_uniform_without_an_edge(memory):
    found = []
    for seed in range(150):
        series = autoregressive(150, memory, np.random.default_rng(seed))
        found.append(mean_above_zero(series, resamples=200, seed=seed).p_value)
    assert kstest(found, "uniform").pvalue > 0.01
    assert 0.005 <= np.mean(np.array(found) < 0.05) <= 0.12


def test_mean__finds_an_edge():
    random = np.random.default_rng(3)
    found = mean_above_zero(random.normal(0.2, 1.0, 400), seed=1)
    assert found.p_value < 0.01
    assert 0 < found.low < found.mean < found.high


def test_mean__intervals_hold_the_truth_as_often_as_they_say():
    inside = []
    for seed in range(150):
        series = 0.5 + autoregressive(200, 0.2, np.random.default_rng(seed))
        found = mean_above_zero(series, confidence=0.9, resamples=300, seed=seed)
        inside.append(found.low <= 0.5 <= found.high)
    assert 0.8 <= np.mean(inside) <= 0.97


@pytest.mark.parametrize(("values", "p_value"), [([0.0] * 20, 1.0), ([0.1] * 20, 0.0), ([-0.1] * 20, 1.0)])
def test_mean__of_values_that_are_all_the_same(values, p_value):
    assert mean_above_zero(values).p_value == p_value


def test_mean__of_too_few_values_is_unknown():
    few = mean_above_zero([0.1, 0.2, 0.3, 0.2])
    assert (few.mean, few.n) == (pytest.approx(0.2), 4)
    assert np.isnan([few.low, few.high, few.p_value]).all()
    assert np.isnan(mean_above_zero([]).mean)


def test_blocks__are_pieces_of_the_series_that_go_round_its_end():
    rows = circular_blocks(10, 4, 200, np.random.default_rng(0))
    assert rows.shape == (200, 10)
    assert ((np.diff(rows[:, :4], axis=1) % 10) == 1).all()
    assert set(rows.ravel().tolist()) == set(range(10))


def test_blocks__are_longer_the_longer_a_series_remembers():
    lengths = [block_length(autoregressive(2000, memory, np.random.default_rng(1))) for memory in (0.0, 0.5, 0.9)]
    assert lengths[0] < lengths[1] < lengths[2]


def test_slope__finds_decay():
    random = np.random.default_rng(0)
    ages = np.tile(np.arange(1, 31), 20)
    windows = np.repeat(np.arange(20), 30)
    falling = slope_with_age(ages, -0.05 * ages + random.normal(size=600), windows)
    assert falling.mean == pytest.approx(-0.05, abs=0.02)
    assert falling.p_value < 0.01
    assert slope_with_age(ages, random.normal(size=600), windows).p_value > 0.02
