"""Hypothesis strategies and plain makers of one-minute candles."""

import numpy as np
from hypothesis import strategies as st

T0 = 1_546_300_800_000  # 2019-01-01T00:00Z, a boundary of every timeframe but 1W and 1M
MINUTE = 60_000


def make_candles(n, seed=0, start=T0, absent=0.0):
    """Return `n` random candles; of those between the first and last, about the share `absent` is missing."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0, 0.001, n)))
    open_ = np.r_[100.0, close[:-1]] * (1 + rng.normal(0, 0.0002, n))
    high = np.maximum(open_, close) * (1 + abs(rng.normal(0, 0.0005, n)))
    low = np.minimum(open_, close) * (1 - abs(rng.normal(0, 0.0005, n)))
    volume = rng.lognormal(0, 3, n)
    candles = np.column_stack([start + np.arange(n) * float(MINUTE), open_, close, high, low, volume])
    keep = rng.random(n) >= absent
    keep[[0, -1]] = True
    return candles[keep]


@st.composite
def candle_arrays(draw, max_rows=300, gaps=False):
    """Arrays of 1 to `max_rows` minutes, starting on any minute."""
    n = draw(st.integers(1, max_rows))
    start = T0 + MINUTE * draw(st.integers(0, 3000))
    absent = draw(st.sampled_from([0.1, 0.5, 0.9])) if gaps else 0.0
    return make_candles(n, draw(st.integers(0, 2**32 - 1)), start, absent)
