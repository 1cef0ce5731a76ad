"""Channels: results of several fields."""

from collections import namedtuple

import numpy as np
from jesse.helpers import same_length, slice_candles
from numpy.lib.stride_tricks import sliding_window_view

Channel = namedtuple("Channel", ["top", "middle", "bottom"])


def channel(candles, period=20, sequential=False):
    """Highest high and lowest low, and what is between them."""
    candles = slice_candles(candles, sequential)
    top = same_length(candles, sliding_window_view(candles[:, 3], period).max(axis=1))
    bottom = same_length(candles, sliding_window_view(candles[:, 4], period).min(axis=1))
    middle = (top + bottom) / 2
    if sequential:
        return Channel(top, middle, bottom)
    return Channel(top[-1], middle[-1], bottom[-1])


def edges(highs, lows, period):
    """The same as a plain tuple of arrays."""
    top = np.concatenate([np.full(period - 1, np.nan), sliding_window_view(highs, period).max(axis=1)])
    bottom = np.concatenate([np.full(period - 1, np.nan), sliding_window_view(lows, period).min(axis=1)])
    return top, bottom
