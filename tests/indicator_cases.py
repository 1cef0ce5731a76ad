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
    ("wma", {}),
    ("wma", {"period": 9, "source_type": "low"}),
    ("dema", {}),
    ("tema", {}),
    ("hma", {}),
    ("hma", {"period": 30}),
    ("wilders", {}),
    ("rma", {}),
    ("zlema", {}),
    ("zlema", {"period": 7}),
    ("t3", {}),
    ("t3", {"period": 9, "vfactor": 0.7, "source_type": "hl2"}),
    ("smma", {}),
    ("smma", {"period": 21}),
    ("vwma", {}),
    ("vwma", {"period": 9, "source_type": "hl2"}),
    ("vwap", {}),
    ("vwap", {"source_type": "close", "anchor": "4H"}),
    ("vwap", {"anchor": "nonsense"}),
    ("kama", {}),
    ("kama", {"period": 5, "fast_length": 3, "slow_length": 12}),
    ("vidya", {}),
    ("vidya", {"length": 14, "fix_cmo": False, "source_type": "hl2"}),
    ("vidya", {"length": 6, "select": False}),
    ("ma", {}),
    *(("ma", {"period": 9, "matype": code}) for code in (1, 2, 3, 4, 6, 10, 11, 12, 23)),
    ("stddev", {}),
    ("stddev", {"period": 20, "nbdev": 2.5, "source_type": "hl2"}),
    ("var", {}),
    ("var", {"period": 140, "nbdev": 2}),
    ("linearreg", {}),
    ("linearreg", {"period": 33}),
    ("linearreg_slope", {}),
    ("linearreg_slope", {"period": 33}),
    ("mom", {}),
    ("roc", {}),
    ("rocp", {}),
    ("rocr", {}),
    ("rocr100", {}),
    ("cmo", {}),
    ("cmo", {"period": 5}),
    ("trix", {}),
    ("trix", {"period": 5}),
    ("ao", {}),
    ("stc", {}),
    ("stc", {"fast_period": 5, "slow_period": 9, "k_period": 4, "d1_period": 2, "d2_period": 4}),
    ("wt", {}),
    ("wt", {"wtchannellen": 4, "wtaveragelen": 5, "wtmalen": 6, "oblevel": 30, "oslevel": -20, "source_type": "close"}),
    ("stochf", {}),
    ("stochf", {"fastk_period": 9, "fastd_period": 4}),
    ("srsi", {}),
    ("srsi", {"period": 5, "period_stoch": 6, "k": 1, "d": 4}),
    ("cci", {}),
    ("cci", {"period": 5}),
    ("willr", {}),
    ("willr", {"period": 5}),
    ("di", {}),
    ("di", {"period": 5}),
    ("dm", {}),
    ("dm", {"period": 5}),
    ("dx", {}),
    ("dx", {"di_length": 5, "adx_smoothing": 7}),
    ("alligator", {}),
    ("alligator", {"source_type": "close"}),
    ("ichimoku_cloud", {}),
    (
        "ichimoku_cloud",
        {"conversion_line_period": 5, "base_line_period": 12, "lagging_line_period": 30, "displacement": 9},
    ),
    ("sar", {}),
    ("sar", {"acceleration": 0.05, "maximum": 0.3}),
    ("aroon", {}),
    ("aroon", {"period": 5}),
    ("trange", {}),
    ("chop", {}),
    ("chop", {"period": 5, "scalar": 10, "drift": 2}),
    ("bollinger_bands_width", {}),
    ("bollinger_bands_width", {"period": 7, "mult": 3.0}),
    ("keltner", {}),
    ("keltner", {"period": 9, "multiplier": 1.5, "matype": 0, "source_type": "hl2"}),
    ("keltner", {"period": 9, "matype": 23}),
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
