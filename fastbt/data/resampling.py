"""One-minute candles to bars of a larger timeframe."""

from __future__ import annotations

import numpy as np

from fastbt.data.check import check_shape
from fastbt.data.times import iso, timeframe_minutes
from fastbt.errors import CandleError
from fastbt.types import TIMESTAMP, Float2D


def resample(candles: Float2D, timeframe: str) -> Float2D:
    """Return the bars of a timeframe, as Jesse builds them while it trades.

    Bars are counted from row 0, not from the clock: row `k` belongs to bar ``k // minutes``. A bar has the timestamp
    and open of its first minute, the close of the last, the highest high, the lowest low and the sum of the volumes,
    added in numpy's order. Minutes at the end that make no whole bar are dropped.

    Parameters
    ----------
    candles : ndarray, shape (n, 6), float64
        One-minute candles that `check_candles` accepts, without absent minutes.
    timeframe : str
        One of Jesse's timeframes, such as ``"1h"``.

    Returns
    -------
    ndarray, shape (n // minutes, 6), float64
        The bars; for ``"1m"`` the array itself.

    Raises
    ------
    ShapeError
        If the array has another shape or type.
    CandleError
        If a minute is absent.
    SettingsError
        If Jesse has no such timeframe.

    References
    ----------
    .. [1] Jesse 3.5.3, ``candle_service.generate_candle_from_one_minutes``. In plain Python: ``tests/naive_data.py``.

    Examples
    --------
    >>> minutes = np.array([[k * 60_000, 10.0 + k, 10.5 + k, 11.0 + k, 9.0 + k, 1.0] for k in range(7)])
    >>> resample(minutes, "3m")
    array([[0.00e+00, 1.00e+01, 1.25e+01, 1.30e+01, 9.00e+00, 3.00e+00],
           [1.80e+05, 1.30e+01, 1.55e+01, 1.60e+01, 1.20e+01, 3.00e+00]])
    """
    minutes = timeframe_minutes(timeframe)
    candles = np.ascontiguousarray(check_shape(candles))
    if minutes == 1:
        return candles

    from fastbt.data._kernels import _resample

    bars = np.empty((len(candles) // minutes, 6))
    jump = _resample(candles, minutes, bars)
    if jump >= 0:
        raise CandleError(
            f"resample to {timeframe}: wanted one row a minute; row {jump} is at {iso(candles[jump, TIMESTAMP])}, the "
            f"row before it at {iso(candles[jump - 1, TIMESTAMP])}. Use fill_gaps() first."
        )
    return bars
