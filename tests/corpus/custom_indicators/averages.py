"""Averages: with numba, with TA-Lib, and of Jesse's."""

import jesse.indicators as ta
import numpy as np
import talib
from jesse.helpers import get_candle_source, slice_candles
from numba import njit
from numpy.lib.stride_tricks import sliding_window_view


@njit
def _smooth(source, length):
    out = np.full(len(source), np.nan)
    value = source[0]
    for i in range(len(source)):
        value += (source[i] - value) / length
        out[i] = value
    return out


def smoothed(candles, length=10, source_type="close", sequential=False):
    """Wilder's average, from the first visible row on."""
    candles = slice_candles(candles, sequential)
    result = _smooth(get_candle_source(candles, source_type=source_type), length)
    return result if sequential else result[-1]


def hull(candles, period=9, sequential=False):
    """Hull's average by TA-Lib."""
    candles = slice_candles(candles, sequential)
    close = np.ascontiguousarray(candles[:, 2])
    twice = 2 * talib.WMA(close, period // 2) - talib.WMA(close, period)
    result = talib.WMA(twice, int(np.sqrt(period)))
    return result if sequential else None if np.isnan(result[-1]) else result[-1]


def distance(candles, period, factor=2.0):
    """How far the close is from its average, in ranges."""
    return (candles[-1, 2] - ta.sma(candles, period)) / (factor * ta.atr(candles, period))


def weighted(closes, volumes, period):
    """Volume weighted average of complete windows only, shorter than what it is computed from."""
    money = sliding_window_view(closes * volumes, period).sum(axis=1)
    return money / sliding_window_view(volumes, period).sum(axis=1)
