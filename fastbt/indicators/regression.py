# mypy: disable-error-code="empty-body"
"""Lines of least squares as Jesse computes them through BLAS: the same calls, for the same last bits."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fastbt.indicators._registry import Value, indicator
from fastbt.types import Float1D, Float2D


def _linearreg_angle(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Angle of the slope, whose sums of products come from one matrix product over all windows."""
    period = int(params[0])
    out[0] = np.nan
    if len(x) < period:
        return
    windows = sliding_window_view(x, period)
    places = np.arange(period)
    sum_x = places.sum()
    denominator = period * (places * places).sum() - sum_x**2
    with np.errstate(invalid="ignore"):
        slopes = (period * windows.dot(places) - sum_x * np.sum(windows, axis=1)) / denominator
    out[0, period - 1 :] = np.degrees(np.arctan(slopes))


@indicator(python=_linearreg_angle, accepts_1d=True, prefix_stable=False)
def linearreg_angle(
    candles: Float2D | Float1D, period: int = 14, source_type: str = "close", sequential: bool = False
) -> Value:
    """Angle of the line of least squares through the last `period` values, in degrees; NaN until there are as many.

    The last bits of a row depend on how many rows there are, because BLAS treats them in groups. If there are just
    `period` rows, they may differ from Jesse's, which hands BLAS a column of the candles then. Arguments: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> linearreg_angle(np.array([1.0, 2.0, 3.0]), 3)
    np.float64(45.0)
    """
    ...


def _intercept_terms(period: int) -> tuple[Float1D, np.float64]:
    """Centred places, and the place of the middle."""
    places = np.arange(period, dtype=float)
    middle = places.mean()
    return places - middle, middle


def _linearreg_intercept(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Value of the line at the first row of each window, by a product of two vectors for each."""
    period = int(params[0])
    centred, middle = _intercept_terms(period)
    spread = (centred**2).sum()
    out[0] = np.nan
    with np.errstate(invalid="ignore"):
        for end in range(period, len(x) + 1):
            window = x[end - period : end]
            mean = window.mean()
            out[0, end - 1] = mean - np.dot(window - mean, centred) / spread * middle


def _linearreg_intercept_whole(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Compute all windows at once, by a product of a matrix and a vector."""
    period = int(params[0])
    out[0] = np.nan
    if len(x) < period:
        return
    centred, middle = _intercept_terms(period)
    windows = sliding_window_view(x, period)
    means = windows.mean(axis=1)
    with np.errstate(invalid="ignore"):
        slopes = np.dot(windows - means[:, None], centred) / (centred**2).sum()
    out[0, period - 1 :] = means - slopes * middle


@indicator(
    python=_linearreg_intercept, whole=_linearreg_intercept_whole, lookback=lambda period: period, accepts_1d=True
)
def linearreg_intercept(
    candles: Float2D | Float1D, period: int = 14, source_type: str = "close", sequential: bool = False
) -> Value:
    """Line of least squares through the last `period` values, at the first of them; NaN until there are as many.

    The sequential form and the last value may differ in the last bits, as in Jesse. Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> linearreg_intercept(np.array([1.0, 2.0, 3.0]), 3)
    np.float64(1.0)
    """
    ...


def _tsf(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Line through each window, one row on, by the normal equations."""
    period = int(params[0])
    out[0] = np.nan
    # One row has no line: Jesse raises.
    if period == 1:
        return
    design = np.vstack((np.ones(period), np.arange(period))).T
    solution = np.linalg.inv(design.T @ design) @ design.T
    for end in range(period, len(x) + 1):
        line = solution @ x[end - period : end]
        out[0, end - 1] = line[0] + line[1] * period


def _tsf_whole(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Lines through all windows at once, from centred sums."""
    period = int(params[0])
    out[0] = np.nan
    if len(x) < period:
        return
    places = np.arange(period)
    middle = np.mean(places)
    centred = places - middle
    windows = sliding_window_view(x, period)
    means = np.mean(windows, axis=1)
    with np.errstate(invalid="ignore"):
        slopes = np.sum((windows - means[:, None]) * centred, axis=1) / np.sum(centred**2)
    out[0, period - 1 :] = (means - slopes * middle) + slopes * period


@indicator(python=_tsf, whole=_tsf_whole, lookback=lambda period: period)
def tsf(candles: Float2D, period: int = 14, source_type: str = "close", sequential: bool = False) -> Value:
    """TSF, time series forecast: the line of least squares through the last `period` values, one row on.

    NaN until there are `period` rows. The sequential form and the last value come from different formulas and differ
    in the last bits, as in Jesse. Arguments and result: see `sma`, except that a series of its own is not accepted.

    Examples
    --------
    >>> import numpy as np
    >>> tsf(np.array([[0, 1.0, i, 9.0, 1.0, 1.0] for i in range(4)]), 3, sequential=True)
    array([nan, nan,  3.,  4.])
    """
    ...
