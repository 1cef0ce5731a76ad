"""Jesse's indicators as kernels: the same numbers, bit for bit.

Each public function has Jesse's name, signature and result: the last value, or with `sequential=True` the value at
every row. A non-sequential call sees the last rows only, 240 of them unless `warm_up_window` says otherwise.

Examples
--------
>>> import numpy as np
>>> import fastbt.indicators as ta
>>> candles = np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]] * 20)
>>> ta.rsi(candles)
np.float64(100.0)
"""

from fastbt.indicators._registry import (
    REGISTRY,
    Indicator,
    compute,
    get,
    select_source,
    warm_up_window,
)
from fastbt.indicators.averages import ema, sma
from fastbt.indicators.bands import bollinger_bands, donchian, supertrend
from fastbt.indicators.oscillators import macd, rsi, stoch
from fastbt.indicators.trend import adx
from fastbt.indicators.volatility import atr

__all__ = [
    "REGISTRY",
    "Indicator",
    "adx",
    "atr",
    "bollinger_bands",
    "compute",
    "donchian",
    "ema",
    "get",
    "macd",
    "rsi",
    "select_source",
    "sma",
    "stoch",
    "supertrend",
    "warm_up_window",
]
