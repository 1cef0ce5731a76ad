# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Moving averages."""

from __future__ import annotations

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import LANES
from fastbt.indicators._registry import Value, indicator
from fastbt.types import Float1D, Float2D


@kernel
def _sma(x, params, out):
    """Mean of the known values among the last `period`, rolled from the first row."""
    period = int(params[0])
    total = 0.0
    known = 0
    for i in range(x.shape[0]):
        out[0, i] = np.nan
        if i >= period and not np.isnan(x[i - period]):
            total -= x[i - period]
            known -= 1
        if not np.isnan(x[i]):
            total += x[i]
            known += 1
        if i >= period - 1 and known > 0:
            out[0, i] = total / known


@kernel
def _sma_windowed(x, params, window, out):
    """Roll the sum from each bar's own first row."""
    n = x.shape[0]
    period = int(params[0])
    if period > window:
        out[0, window:] = np.nan
        return
    # Adding 0.0 changes no sum here, so unknown values become 0.0 and are counted apart.
    known = np.zeros(n + 1, dtype=np.int64)
    x = x.copy()
    for i in range(n):
        known[i + 1] = known[i]
        if np.isnan(x[i]):
            x[i] = 0.0
        else:
            known[i + 1] += 1
    total = np.empty(LANES)
    for first in range(window, n, LANES):
        lanes = min(LANES, n - first)
        start = first + 1 - window
        total[:] = 0.0
        for j in range(start, start + period):
            for k in range(lanes):
                total[k] += x[j + k]
        for j in range(start + period, first + 1):
            for k in range(lanes):
                total[k] = total[k] - x[j + k - period] + x[j + k]
        for k in range(lanes):
            t = first + k
            count = known[t + 1] - known[t + 1 - period]
            out[0, t] = total[k] / count if count > 0 else np.nan


@indicator(_sma, windowed=_sma_windowed, accepts_1d=True)
def sma(candles: Float2D | Float1D, period: int = 5, source_type: str = "close", sequential: bool = False) -> Value:
    """SMA, simple moving average: the mean of the last `period` values, NaN until there are as many.

    Unknown (NaN) values are left out of the mean. The sum is rolled forward from the first visible row, so its last
    bits depend on where that row is, as in Jesse.

    Parameters
    ----------
    candles : ndarray, shape (n, 6) or (n,), float64
        Candles, or a series of its own, which is never sliced.
    period : int
    source_type : str
        See `select_source`.
    sequential : bool
        Return the value at every row instead of the last.

    Returns
    -------
    float or ndarray, shape (n,)
        In units of the source.

    Examples
    --------
    >>> import numpy as np
    >>> sma(np.array([1.0, 3.0, 5.0]), 2, sequential=True)
    array([nan,  2.,  4.])
    """
    ...


@kernel
def _ema(x, params, out):
    """Exponential average seeded with the first value; unknown if there are fewer rows than `period`."""
    n = x.shape[0]
    if params[0] > n:
        out[0, :] = np.nan
        return
    alpha = 2.0 / (params[0] + 1.0)
    beta = 1.0 - alpha
    value = x[0]
    out[0, 0] = value
    for i in range(1, n):
        value = alpha * x[i] + beta * value
        out[0, i] = value


@kernel
def _ema_windowed(x, params, window, out):
    """Seed the average at each bar's own first row."""
    n = x.shape[0]
    if params[0] > window:
        out[0, window:] = np.nan
        return
    alpha = 2.0 / (params[0] + 1.0)
    beta = 1.0 - alpha
    scaled = alpha * x
    value = np.empty(LANES)
    for first in range(window, n, LANES):
        lanes = min(LANES, n - first)
        start = first + 1 - window
        for k in range(lanes):
            value[k] = x[start + k]
        for j in range(start + 1, first + 1):
            for k in range(lanes):
                value[k] = scaled[j + k] + beta * value[k]
        for k in range(lanes):
            out[0, first + k] = value[k]


@indicator(_ema, windowed=_ema_windowed, settles=lambda period: period, accepts_1d=True)
def ema(candles: Float2D | Float1D, period: int = 5, source_type: str = "close", sequential: bool = False) -> Value:
    """EMA, exponential moving average: `a * x + (1 - a) * previous` with `a = 2 / (period + 1)`.

    Seeded with the first value. Known from the first row on, or nowhere if there are fewer rows than `period`.

    Parameters
    ----------
    candles, period, source_type, sequential
        See `sma`.

    Returns
    -------
    float or ndarray, shape (n,)
        In units of the source.

    Examples
    --------
    >>> import numpy as np
    >>> ema(np.array([1.0, 3.0, 5.0]), 3, sequential=True)
    array([1. , 2. , 3.5])
    """
    ...
