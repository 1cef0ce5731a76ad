"""Indicators over a year of 1h bars: each bar restarts on the last 240 rows, as Jesse's non-sequential calls do."""

import numpy as np
import pytest

from fastbt.indicators import _registry

N_BARS = 8_760
WINDOW = 240
NAMES = ("sma", "ema", "rsi", "atr", "adx", "macd", "bollinger_bands", "donchian", "supertrend", "stoch")


@pytest.fixture(scope="module")
def bars():
    generator = np.random.default_rng(0)
    close = 30_000.0 * np.exp(np.cumsum(generator.normal(0.0, 0.005, N_BARS)))
    open_ = np.concatenate([[30_000.0], close[:-1]])
    wicks = np.abs(generator.normal(0.0, 0.003, (2, N_BARS)))
    high = np.maximum(open_, close) * (1.0 + wicks[0])
    low = np.minimum(open_, close) * (1.0 - wicks[1])
    volume = generator.uniform(1.0, 100.0, N_BARS)
    return np.column_stack([3_600_000.0 * np.arange(N_BARS), open_, close, high, low, volume])


@pytest.mark.parametrize("name", NAMES)
def test_windowed_series(benchmark, bars, name):
    indicator = _registry.get(name)
    source, params, _ = indicator.encode()
    data = np.ascontiguousarray(bars) if source is None else _registry.select_source(bars, source)
    out = np.empty((len(indicator.fields), N_BARS))

    def compute(rows, window, into):
        _registry.compute(indicator, rows, params, sequential=False, window=window, out=into)

    compute(data, WINDOW, out)
    # The answer first: the last bar, from its own window alone.
    alone = np.empty((len(indicator.fields), WINDOW))
    compute(data[-WINDOW:], WINDOW, alone)
    np.testing.assert_array_equal(out[:, -1], alone[:, -1])
    assert np.isfinite(out[:, -1]).all()
    benchmark.extra_info["bars"] = N_BARS
    benchmark(compute, data, WINDOW, out)
    benchmark.extra_info["ns_per_bar"] = benchmark.stats["median"] / N_BARS * 1e9
