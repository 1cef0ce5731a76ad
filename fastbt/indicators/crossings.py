# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""A fast average beside a slow one, or beside its own past."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import _pairwise_sum
from fastbt.indicators._registry import Value, after_vwma, indicator
from fastbt.indicators.averages import _ema, _wma
from fastbt.indicators.moving_average import COMPILED, _average, average
from fastbt.types import Float1D, Float2D


class HullSuit(NamedTuple):
    """The average two rows before, the average now, and "buy" or "sell"."""

    s_hull: Any
    m_hull: Any
    signal: Any


@kernel
def _averaged(x, period, exponential, out):
    """Weighted or exponential average over a whole number of rows."""
    params = np.array([float(int(period))])
    if exponential:
        _ema(x, params, out)
    else:
        _wma(x, params, out)


@kernel
def _hull_suit(x, params, out):
    """Average of short averages less a long one, beside the same two rows before; 1 if it rises."""
    n = x.shape[0]
    mode = int(params[0])
    length = int(params[1] * params[2])
    exponential = mode == 1
    rows = np.empty((4, n))
    if mode == 2:
        _averaged(x, length / 6.0, exponential, rows[0:1])
        _averaged(x, length / 4.0, exponential, rows[1:2])
        _averaged(x, length / 2.0, exponential, rows[2:3])
        for i in range(n):
            rows[0, i] = 3.0 * rows[0, i] - rows[1, i] - rows[2, i]
        _averaged(rows[0], length / 2.0, exponential, rows[3:4])
    else:
        _averaged(x, length / 2.0, exponential, rows[0:1])
        _averaged(x, float(length), exponential, rows[1:2])
        for i in range(n):
            rows[0, i] = 2.0 * rows[0, i] - rows[1, i]
        _averaged(rows[0], np.rint(length**0.5), exponential, rows[3:4])
    for i in range(n):
        out[:, i] = np.nan
        if i >= 2:
            out[0, i] = rows[3, i - 2]
            out[1, i] = rows[3, i]
            out[2, i] = 1.0 if rows[3, i - 2] < rows[3, i] else 0.0


def _hull_result(values: list[Any], sequential: bool) -> HullSuit:
    """Return the signal as a word, and None for the first two rows."""
    if not sequential:
        if np.isnan(values[2]):
            return HullSuit(None, None, None)
        return HullSuit(float(values[0]), float(values[1]), "buy" if values[2] else "sell")
    columns = [each.astype(object) for each in values]
    columns[2][:] = ["buy" if each else "sell" for each in values[2]]
    for column in columns:
        column[:2] = None
    return HullSuit(*columns)


@indicator(
    _hull_suit,
    record=HullSuit,
    accepts_1d=True,
    codes={"mode_switch": {"Hma": 0, "Ehma": 1, "Thma": 2}},
    settles=lambda mode, length, mult: int(length * mult) if mode == 1 else 1,
    # Averages of a fixed number of rows, or exponential ones.
    lookback=lambda mode, length, mult: np.inf if mode == 1 else length * mult + np.sqrt(length * mult) + 4,
    words=frozenset(("signal",)),
    result=_hull_result,
)
def hull_suit(
    candles: Float2D | Float1D,
    mode_switch: str = "Hma",
    length: int = 55,
    length_mult: float = 1.0,
    source_type: str = "close",
    sequential: bool = False,
) -> HullSuit:
    """Hull suite: a Hull average now and two rows before; "buy" while it is higher than then, else "sell".

    None for the first two rows. With `sequential=True` the arrays hold objects, as in Jesse.

    Parameters
    ----------
    candles, source_type, sequential
        See `sma`.
    mode_switch : str
        "Hma" `wma(2 * wma(x, n / 2) - wma(x, n), sqrt(n))`, "Ehma" the same of `ema`, "Thma"
        `wma(3 * wma(x, n / 6) - wma(x, n / 4) - wma(x, n / 2), n / 2)`.
    length : int
    length_mult : float
        `n` is `length * length_mult`, rounded down.

    Returns
    -------
    HullSuit
        `s_hull` and `m_hull` in units of the source, `signal` a string.

    Examples
    --------
    >>> import numpy as np
    >>> hull_suit(np.arange(40.0), length=16).signal
    'buy'
    """
    ...


class MAB(NamedTuple):
    """The slow average plus and minus a multiple of its distance from the fast one, and the fast one."""

    upperband: Value
    middleband: Value
    lowerband: Value


@kernel
def _around_slow(fast, slow, params, out):
    """Bands of one width: the root of the mean square of the last distances."""
    n = fast.shape[0]
    period = int(params[0])
    count = min(period, n)
    squares = np.empty(count)
    for j in range(count):
        distance = fast[n - count + j] - slow[n - count + j]
        squares[j] = distance * distance
    width = np.sqrt(_pairwise_sum(squares, 0, count) / period)
    for i in range(n):
        out[0, i] = slow[i] + params[2] * width
        out[1, i] = fast[i]
        out[2, i] = slow[i] - params[3] * width


@kernel
def _mab(x, params, out):
    """Bands of compiled averages."""
    rows = np.empty((2, x.shape[0]))
    _average(x, int(params[0]), int(params[4]), rows[0:1])
    _average(x, int(params[1]), int(params[5]), rows[1:2])
    _around_slow(rows[0], rows[1], params, out)


def _mab_python(x: Float1D | Float2D, params: Float1D, out: Float2D) -> None:
    """Bands of any averages."""
    fast = average(x, int(params[0]), int(params[4]))
    slow = average(after_vwma(x, params[4]), int(params[1]), int(params[5]))
    _around_slow(fast, slow, params, out)


@indicator(
    _mab,
    python=_mab_python,
    compiled_if=lambda _fast, _slow, _up, _down, fast, slow: fast in COMPILED and slow in COMPILED,
    record=MAB,
    prefix_stable=False,
    averages_candles=True,
)
def mab(
    candles: Float2D,
    fast_period: int = 10,
    slow_period: int = 50,
    devup: float = 1,
    devdn: float = 1,
    fast_matype: int = 0,
    slow_matype: int = 0,
    source_type: str = "close",
    sequential: bool = False,
) -> MAB:
    """MAB, moving average bands: a slow average plus and minus multiples of its distance from a fast one.

    The distance is the root of the mean square of the last `fast_period` rows, and the same for all rows: with
    `sequential=True` older values change with each new row. The middle band is the fast average. The codes of the
    averages are those of `ma`; other arguments: see `mom`.

    References
    ----------
    .. [1] Vitali Apirine, Moving Average Bands, Stocks & Commodities, August 2021.
    """
    ...
