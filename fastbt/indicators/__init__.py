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

from typing import Any

from fastbt.indicators._many import ManySeries, series
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
from fastbt.indicators.bar_oscillators import acosc, adxr, aroonosc, dti, eri, kdj, ultosc, vi
from fastbt.indicators.crossings import hull_suit, mab
from fastbt.indicators.cycle import bandpass, correlation_cycle, dec_osc, decycler, emd, itrend, pma, roofing, voss
from fastbt.indicators.distribution import beta, correl, hurst_exponent, kurtosis, skew
from fastbt.indicators.extremes import devstop, midpoint, midprice, minmax, support_resistance_with_breaks
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
from fastbt.indicators.price import avgprice, bop, heikin_ashi_candles, medprice, qstick, typprice, wclprice
from fastbt.indicators.price_oscillators import apo, cc, cfo, cg, dpo, fosc, gatorosc, ift_rsi, kst, ppo, tsi
from fastbt.indicators.ranges import cvi, mass, natr, ui
from fastbt.indicators.regression import linearreg_angle, linearreg_intercept, tsf
from fastbt.indicators.squeeze import (
    damiani_volatmeter,
    squeeze_momentum,
    stiffness,
    ttm_squeeze,
    ttm_trend,
    waddah_attar_explosion,
)
from fastbt.indicators.statistics import linearreg, linearreg_slope, mean_ad, median_ad, stddev, var, zscore
from fastbt.indicators.strength import er, fisher, lrsi, pfe, rsmk, rsx, rvi
from fastbt.indicators.support import chande, cksp, ichimoku_cloud_seq, kaufmanstop, pivot, safezonestop
from fastbt.indicators.trend import adx, alligator, aroon, di, dm, dx, ichimoku_cloud, sar
from fastbt.indicators.variable import edcf, frama, mama, vlma
from fastbt.indicators.volatility import atr, chop, trange
from fastbt.indicators.volumes import (
    ad,
    adosc,
    efi,
    emv,
    kvo,
    marketfi,
    mfi,
    nvi,
    obv,
    pvi,
    volume,
    vosc,
    vpci,
    vpt,
    vwmacd,
    wad,
)
from fastbt.indicators.weighted import alma, cwma, epma, fwma, jsa, nma, pwma, sinwma, sqwma, srwma, swma, trima, vpwma

__all__ = [
    "Indicator",
    "ManySeries",
    "REGISTRY",
    "acosc",
    "ad",
    "adosc",
    "adx",
    "adxr",
    "alligator",
    "alma",
    "ao",
    "apo",
    "aroon",
    "aroonosc",
    "atr",
    "avgprice",
    "bandpass",
    "beta",
    "bollinger_bands",
    "bollinger_bands_width",
    "bop",
    "cc",
    "cci",
    "cfo",
    "cg",
    "chande",
    "chop",
    "cksp",
    "cmo",
    "compute",
    "correl",
    "correlation_cycle",
    "cvi",
    "cwma",
    "damiani_volatmeter",
    "dec_osc",
    "decycler",
    "dema",
    "devstop",
    "di",
    "dm",
    "donchian",
    "dpo",
    "dti",
    "dx",
    "edcf",
    "efi",
    "ema",
    "emd",
    "emv",
    "epma",
    "er",
    "eri",
    "fisher",
    "fosc",
    "frama",
    "fwma",
    "gatorosc",
    "gauss",
    "get",
    "heikin_ashi_candles",
    "high_pass",
    "high_pass_2_pole",
    "hma",
    "hull_suit",
    "hurst_exponent",
    "hwma",
    "ichimoku_cloud",
    "ichimoku_cloud_seq",
    "ift_rsi",
    "itrend",
    "jma",
    "jsa",
    "kama",
    "kaufmanstop",
    "kdj",
    "keltner",
    "kst",
    "kurtosis",
    "kvo",
    "linearreg",
    "linearreg_angle",
    "linearreg_intercept",
    "linearreg_slope",
    "lrsi",
    "ma",
    "maaq",
    "mab",
    "macd",
    "mama",
    "marketfi",
    "mass",
    "mcginley_dynamic",
    "mean_ad",
    "median_ad",
    "medprice",
    "mfi",
    "midpoint",
    "midprice",
    "minmax",
    "mom",
    "mwdx",
    "natr",
    "nma",
    "nvi",
    "obv",
    "pfe",
    "pivot",
    "pma",
    "ppo",
    "pvi",
    "pwma",
    "qstick",
    "reflex",
    "rma",
    "roc",
    "rocp",
    "rocr",
    "rocr100",
    "roofing",
    "rsi",
    "rsmk",
    "rsx",
    "rvi",
    "safezonestop",
    "sar",
    "select_source",
    "series",
    "sinwma",
    "skew",
    "sma",
    "smma",
    "squeeze_momentum",
    "sqwma",
    "srsi",
    "srwma",
    "stc",
    "stddev",
    "stiffness",
    "stoch",
    "stochf",
    "supersmoother",
    "supersmoother_3_pole",
    "supertrend",
    "support_resistance_with_breaks",
    "swma",
    "t3",
    "tema",
    "trange",
    "trendflex",
    "trima",
    "trix",
    "tsf",
    "tsi",
    "ttm_squeeze",
    "ttm_trend",
    "typprice",
    "ui",
    "ultosc",
    "var",
    "vi",
    "vidya",
    "vlma",
    "volume",
    "vosc",
    "voss",
    "vpci",
    "vpt",
    "vpwma",
    "vwap",
    "vwma",
    "vwmacd",
    "wad",
    "waddah_attar_explosion",
    "warm_up_window",
    "wclprice",
    "wilders",
    "willr",
    "wma",
    "wt",
    "zlema",
    "zscore",
]


def __getattr__(name: str) -> Any:
    """Return the indicator that an installed package offers under this name."""
    if not name.startswith("_"):
        from fastbt.indicators.plugin import discover

        if discover(name):
            return REGISTRY[name].function
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
