# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""One price out of each bar, and bars made of prices."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._registry import Value, indicator
from fastbt.types import CLOSE, HIGH, LOW, OPEN, Float2D


@kernel
def _avgprice(candles, _params, out):
    """Mean of the four prices."""
    for i in range(candles.shape[0]):
        out[0, i] = (candles[i, OPEN] + candles[i, HIGH] + candles[i, LOW] + candles[i, CLOSE]) / 4.0


@indicator(_avgprice, lookback=lambda: 1)
def avgprice(candles: Float2D, sequential: bool = False) -> Value:
    """AVGPRICE, average price: `(open + high + low + close) / 4`. Arguments and result: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> avgprice(np.array([[0, 2.0, 3.0, 5.0, 2.0, 1.0]]))
    np.float64(3.0)
    """
    ...


@kernel
def _medprice(candles, _params, out):
    """Middle of the range."""
    for i in range(candles.shape[0]):
        out[0, i] = (candles[i, HIGH] + candles[i, LOW]) / 2.0


@indicator(_medprice, lookback=lambda: 1)
def medprice(candles: Float2D, sequential: bool = False) -> Value:
    """MEDPRICE, median price: `(high + low) / 2`. Arguments and result: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> medprice(np.array([[0, 2.0, 3.0, 5.0, 2.0, 1.0]]))
    np.float64(3.5)
    """
    ...


@kernel
def _typprice(candles, _params, out):
    """Mean of the close and the range."""
    for i in range(candles.shape[0]):
        out[0, i] = (candles[i, CLOSE] + candles[i, HIGH] + candles[i, LOW]) / 3.0


@indicator(_typprice, lookback=lambda: 1)
def typprice(candles: Float2D, sequential: bool = False) -> Value:
    """TYPPRICE, typical price: `(close + high + low) / 3`. Arguments and result: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> typprice(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]]))
    np.float64(3.0)
    """
    ...


@kernel
def _wclprice(candles, _params, out):
    """Mean of the range and twice the close."""
    for i in range(candles.shape[0]):
        out[0, i] = (candles[i, HIGH] + candles[i, LOW] + 2.0 * candles[i, CLOSE]) / 4.0


@indicator(_wclprice, lookback=lambda: 1)
def wclprice(candles: Float2D, sequential: bool = False) -> Value:
    """WCLPRICE, weighted close: `(high + low + 2 * close) / 4`. Arguments and result: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> wclprice(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]]))
    np.float64(3.0)
    """
    ...


class HA(NamedTuple):
    """Heikin-Ashi bar."""

    open: Value
    close: Value
    high: Value
    low: Value


@kernel
def _heikin_ashi_candles(candles, _params, out):
    """Middle of the previous body, mean price, and the extremes of these with the bar's own."""
    out[:, 0] = np.nan
    for i in range(1, candles.shape[0]):
        high = candles[i, HIGH]
        low = candles[i, LOW]
        opening = (candles[i - 1, OPEN] + candles[i - 1, CLOSE]) / 2.0
        close = (candles[i, OPEN] + candles[i, CLOSE] + high + low) / 4.0
        out[0, i] = opening
        out[1, i] = close
        out[2, i] = np.fmax(np.fmax(high, opening), close)
        out[3, i] = np.fmin(np.fmin(low, opening), close)


@indicator(_heikin_ashi_candles, record=HA, lookback=lambda: 2)
def heikin_ashi_candles(candles: Float2D, sequential: bool = False) -> HA:
    """Heikin-Ashi candles: open is the middle of the previous body, close the mean of the bar's four prices.

    Other than in the textbook, the previous body is that of the plain candle, as in Jesse; high and low are the
    extremes of the bar with these two. NaN at the first row. Arguments: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> heikin_ashi_candles(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0], [0, 3.0, 5.0, 6.0, 2.0, 1.0]]))
    HA(open=np.float64(2.5), close=np.float64(4.0), high=np.float64(6.0), low=np.float64(2.0))
    """
    ...


@kernel
def _bop(candles, _params, out):
    """Body over range, 0 without a range."""
    for i in range(candles.shape[0]):
        span = candles[i, HIGH] - candles[i, LOW]
        out[0, i] = (candles[i, CLOSE] - candles[i, OPEN]) / span if span != 0.0 else 0.0


@indicator(_bop, lookback=lambda: 1)
def bop(candles: Float2D, sequential: bool = False) -> Value:
    """BOP, balance of power: `(close - open) / (high - low)`, 0 without a range. Arguments: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> bop(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0]]))
    np.float64(0.5)
    """
    ...


@kernel
def _qstick(candles, params, out):
    """Mean body, rolled from the first row; 0, not NaN, until there are enough."""
    period = int(params[0])
    weight = 1.0 / period
    total = 0.0
    n = candles.shape[0]
    bodies = np.empty(n)
    for i in range(n):
        bodies[i] = candles[i, CLOSE] - candles[i, OPEN]
    for i in range(min(period, n)):
        out[0, i] = 0.0
        total += bodies[i]
    if period <= n:
        out[0, period - 1] = total * weight
    for i in range(period, n):
        total += bodies[i] - bodies[i - period]
        out[0, i] = total * weight


@indicator(_qstick)
def qstick(candles: Float2D, period: int = 5, sequential: bool = False) -> Value:
    """QStick: mean of `close - open` over the last `period` bars; 0 until there are as many. Arguments: see `atr`.

    Examples
    --------
    >>> import numpy as np
    >>> qstick(np.array([[0, 2.0, 3.0, 4.0, 2.0, 1.0], [0, 3.0, 5.0, 6.0, 2.0, 1.0]]), 2)
    np.float64(1.5)
    """
    ...
