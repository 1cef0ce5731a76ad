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
from fastbt.indicators.adaptive import hwma, jma, kama, maaq, mcginley_dynamic, mwdx, vidya
from fastbt.indicators.averages import dema, ema, hma, rma, sma, smma, t3, tema, vwap, vwma, wilders, wma, zlema
from fastbt.indicators.bands import bollinger_bands, bollinger_bands_width, donchian, keltner, supertrend
from fastbt.indicators.filters import (
    gauss,
    high_pass,
    high_pass_2_pole,
    reflex,
    supersmoother,
    supersmoother_3_pole,
    trendflex,
)
from fastbt.indicators.momentum import ao, cmo, mom, roc, rocp, rocr, rocr100, stc, trix, wt
from fastbt.indicators.moving_average import ma
from fastbt.indicators.oscillators import cci, macd, rsi, srsi, stoch, stochf, willr
from fastbt.indicators.statistics import linearreg, linearreg_slope, mean_ad, median_ad, stddev, var, zscore
from fastbt.indicators.trend import adx, alligator, aroon, di, dm, dx, ichimoku_cloud, sar
from fastbt.indicators.volatility import atr, chop, trange
from fastbt.indicators.weighted import alma, cwma, epma, fwma, jsa, nma, pwma, sinwma, sqwma, srwma, swma, trima, vpwma

__all__ = [
    "REGISTRY",
    "Indicator",
    "adx",
    "alligator",
    "alma",
    "ao",
    "aroon",
    "atr",
    "bollinger_bands",
    "bollinger_bands_width",
    "cci",
    "chop",
    "cmo",
    "compute",
    "cwma",
    "dema",
    "di",
    "dm",
    "donchian",
    "dx",
    "ema",
    "epma",
    "fwma",
    "gauss",
    "get",
    "high_pass",
    "high_pass_2_pole",
    "hma",
    "hwma",
    "ichimoku_cloud",
    "jma",
    "jsa",
    "kama",
    "keltner",
    "linearreg",
    "linearreg_slope",
    "ma",
    "maaq",
    "macd",
    "mcginley_dynamic",
    "mean_ad",
    "median_ad",
    "mom",
    "mwdx",
    "nma",
    "pwma",
    "reflex",
    "rma",
    "roc",
    "rocp",
    "rocr",
    "rocr100",
    "rsi",
    "sar",
    "select_source",
    "sinwma",
    "sma",
    "smma",
    "sqwma",
    "srsi",
    "srwma",
    "stc",
    "stddev",
    "stoch",
    "stochf",
    "supersmoother",
    "supersmoother_3_pole",
    "supertrend",
    "swma",
    "t3",
    "tema",
    "trange",
    "trendflex",
    "trima",
    "trix",
    "var",
    "vidya",
    "vpwma",
    "vwap",
    "vwma",
    "warm_up_window",
    "wilders",
    "willr",
    "wma",
    "wt",
    "zlema",
    "zscore",
]
