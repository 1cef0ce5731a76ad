"""The calls on which every indicator is tested, and the candles: a new indicator is one row here."""

import numpy as np

#: (name, arguments). The first case of a name is its defaults.
CASES = [
    ("sma", {}),
    ("sma", {"period": 20, "source_type": "hlc3"}),
    ("ema", {}),
    ("ema", {"period": 30, "source_type": "ohlc4"}),
    ("rsi", {}),
    ("rsi", {"period": 3, "source_type": "hl2"}),
    ("atr", {}),
    ("atr", {"period": 5}),
    ("adx", {}),
    ("adx", {"period": 4}),
    ("macd", {}),
    ("macd", {"fast_period": 5, "slow_period": 9, "signal_period": 4, "source_type": "open"}),
    ("bollinger_bands", {}),
    ("bollinger_bands", {"period": 7, "devup": 1.5, "devdn": 2.5, "source_type": "high"}),
    ("donchian", {}),
    ("donchian", {"period": 6}),
    ("supertrend", {}),
    ("supertrend", {"period": 5, "factor": 1.5}),
    ("stoch", {}),
    ("stoch", {"fastk_period": 6, "slowk_period": 4, "slowd_period": 2}),
]

IDS = [name + "".join(f" {key}={value}" for key, value in kwargs.items()) for name, kwargs in CASES]


def walk(n: int, seed: int = 0, volatility: float = 0.01, flat: float = 0.0, decimals: int = 2) -> np.ndarray:
    """Hourly candles of a random walk with some gaps; `flat` is the share of bars that do not move."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, volatility, n) * (rng.random(n) >= flat)
    close = np.round(100.0 * np.exp(np.cumsum(steps)), decimals)
    moved = steps != 0.0
    gaps = rng.normal(0.0, 3.0 * volatility, n) * (rng.random(n) < 0.1) * moved
    opening = np.round(np.r_[100.0, close[:-1]] * np.exp(gaps), decimals)
    high = np.maximum(opening, close) + np.round(rng.exponential(0.3, n), decimals) * moved
    low = np.minimum(opening, close) - np.round(rng.exponential(0.3, n), decimals) * moved
    volume = np.round(rng.exponential(50.0, n), 3) + 0.001
    return np.column_stack([np.arange(n) * 3_600_000.0 + 1.6e12, opening, close, high, low, volume])


#: Calm, wild, and often standing still: the last one for the divisions by zero.
MARKETS = {"calm": walk(400, 1, 0.002), "wild": walk(400, 2, 0.05), "flat": walk(400, 3, 0.01, 0.6, 1)}
