"""How fast prices change."""

import numpy as np
from numba import njit


@njit
def slope(first, second, bars):
    """The slope between two prices."""
    return (second - first) / bars


def squeezed(candles, period):
    """Whether the last candles span less than those before."""
    recent, before = candles[-period:], candles[-2 * period : -period]
    return bool(np.ptp(recent[:, 2]) < np.ptp(before[:, 2]))
