"""Statistics of SciPy, which warns through filters that all threads share."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastbt.indicators as ta
from fastbt.engine.simulate import SeriesKey, compute_series
from fastbt.indicators import distribution


@pytest.mark.parametrize("name", ["kurtosis", "skew"])
def test_statistics__leave_the_filters_of_all_threads_alone(name):
    moving = np.cumsum(np.random.default_rng(0).normal(size=600)) + 100.0
    still = np.full(600, 7.0)
    described = ta.get(name)
    before = list(warnings.filters)

    def one(x):
        out = np.empty((1, len(x)))
        described.run(x, np.array([5.0]), out)
        return out

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(one, [moving, still] * 150))
    assert list(warnings.filters) == before
    for i, result in enumerate(results):
        np.testing.assert_array_equal(result, results[i % 2])
    assert np.isnan(results[1]).all()
    assert np.isfinite(results[0][0, 4:]).all()


def test_compute_series__of_many_threads_leaves_the_filters_alone():
    bars = np.tile([0.0, 7.0, 7.0, 7.0, 7.0, 1.0], (300, 1))
    keys = [
        SeriesKey(name, "close", (float(period),), False, 0) for name in ("kurtosis", "skew") for period in range(3, 60)
    ]
    before = list(warnings.filters)
    matrix = compute_series({key: row for row, key in enumerate(keys)}, len(keys), bars, threads=8)
    assert list(warnings.filters) == before
    assert np.isnan(matrix).all()


def test_hardly_moves__where_scipy_warns():
    x = np.full(40, 100.0)
    for step in (0.0, 1e-14, 1e-13, 1e-12):
        x[20] = 100.0 + step
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            distribution.stats.kurtosis(np.lib.stride_tricks.sliding_window_view(x, 5)[17:20], axis=-1)
        if caught:
            assert distribution._hardly_moves(np.lib.stride_tricks.sliding_window_view(x, 5)[17:20])
