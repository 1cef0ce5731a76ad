# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Strength: how much of the movement goes one way, how straight it is, and how it compares with another market."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fastbt._jit import kernel
from fastbt.indicators._registry import (
    SOURCE_CODES,
    Value,
    indicator,
    select_source,
    settles_with,
)
from fastbt.indicators.moving_average import COMPILED, _average, average
from fastbt.indicators.statistics import _deviation, absolute_deviation
from fastbt.types import HIGH, LOW, Float1D, Float2D


class FisherTransform(NamedTuple):
    """Fisher transform of the place in the range, and its value one row before."""

    fisher: Value
    signal: Value


@kernel
def _fisher(candles, params, out):
    """Smooth the place of the middle price in its range, transform, smooth again; no range starts over from 0."""
    n = candles.shape[0]
    period = int(params[0])
    place = 0.0
    value = 0.0
    for i in range(n):
        out[:, i] = 0.0
        if i < period:
            continue
        price = (candles[i, HIGH] + candles[i, LOW]) / 2.0
        highest = -np.inf
        lowest = np.inf
        for j in range(i - period + 1, i + 1):
            other = (candles[j, HIGH] + candles[j, LOW]) / 2.0
            highest = other if other > highest else highest
            lowest = other if other < lowest else lowest
        place = 0.0 if highest - lowest == 0.0 else 0.66 * ((price - lowest) / (highest - lowest) - 0.5) + 0.67 * place
        place = -0.999 if place < -0.999 else 0.999 if place > 0.999 else place
        out[1, i] = value
        value = 0.5 * np.log((1.0 + place) / (1.0 - place)) + 0.5 * value
        out[0, i] = value


@indicator(_fisher, record=FisherTransform)
def fisher(candles: Float2D, period: int = 9, sequential: bool = False) -> FisherTransform:
    """Fisher transform of where the middle price is in its range over `period` rows; `signal` is one row older.

    0 for the first `period` rows; a bar without range starts over from 0. Arguments: see `atr`.

    References
    ----------
    .. [1] John Ehlers, Using the Fisher Transform, Stocks & Commodities, November 2002.

    Examples
    --------
    >>> import numpy as np
    >>> fisher(np.full((30, 6), 7.0)).fisher
    np.float64(0.0)
    """
    ...


@kernel
def _lrsi(candles, params, out):
    """Share of the upward steps between four Laguerre filters of the middle price."""
    alpha = params[0]
    gamma = 1.0 - alpha
    a = b = c = d = (candles[0, HIGH] + candles[0, LOW]) / 2.0
    for i in range(candles.shape[0]):
        price = (candles[i, HIGH] + candles[i, LOW]) / 2.0
        a_before = a
        b_before = b
        c_before = c
        a = alpha * price + gamma * a
        b = -gamma * a + a_before + gamma * b
        c = -gamma * b + b_before + gamma * c
        d = -gamma * c + c_before + gamma * d
        up = 0.0
        down = 0.0
        for step in (a - b, b - c, c - d):
            if step >= 0.0:
                up += step
            else:
                down += -step
        out[0, i] = 0.0 if up + down == 0.0 else up / (up + down)


@indicator(_lrsi, none_if_nan=True)
def lrsi(candles: Float2D, alpha: float = 0.2, sequential: bool = False) -> Value:
    """Laguerre RSI: the share of upward steps between four Laguerre filters of the middle price, 0 to 1.

    None instead of NaN unless sequential.

    Parameters
    ----------
    candles, sequential
        See `atr`.
    alpha : float
        Weight of the newest price in the first filter.

    References
    ----------
    .. [1] John Ehlers, Time Warp, Without Space Travel, 2002.
    """
    ...


@kernel
def _rsx(x, params, out):
    """RSI of six nested averages of the changes and of their sizes."""
    period = int(params[0])
    alpha = 3.0 / (period + 2.0)
    needed = max(period - 1.0, 5.0)
    beta = 1.0 - alpha
    # Six times an average and the average of that: three of the changes, and three of their sizes.
    a1 = b1 = a2 = b2 = a3 = b3 = 0.0
    c1 = d1 = c2 = d2 = c3 = d3 = 0.0
    seen = 0.0
    moved = 0.0
    last = 0.0
    for i in range(x.shape[0]):
        out[0, i] = np.nan
        if i < period:
            continue
        now = 100.0 * x[i]
        size = 0.0
        change = 0.0
        if seen == 0.0:
            seen = 1.0
            moved = 0.0
        else:
            seen = seen + 1.0 if needed > seen else needed + 1.0
            change = now - last
            size = abs(change)
            if needed >= seen and now != last:
                moved = 1.0
            a1 = beta * a1 + alpha * change
            b1 = alpha * a1 + beta * b1
            change = a1 * 1.5 - b1 * 0.5
            a2 = beta * a2 + alpha * change
            b2 = alpha * a2 + beta * b2
            change = a2 * 1.5 - b2 * 0.5
            a3 = beta * a3 + alpha * change
            b3 = alpha * a3 + beta * b3
            change = a3 * 1.5 - b3 * 0.5
            c1 = beta * c1 + alpha * size
            d1 = alpha * c1 + beta * d1
            size = c1 * 1.5 - d1 * 0.5
            c2 = beta * c2 + alpha * size
            d2 = alpha * c2 + beta * d2
            size = c2 * 1.5 - d2 * 0.5
            c3 = beta * c3 + alpha * size
            d3 = alpha * c3 + beta * d3
            size = c3 * 1.5 - d3 * 0.5
            if needed == seen and moved == 0.0:
                seen = 0.0
        last = now
        out[0, i] = 50.0
        if needed < seen and size > 1e-10:
            out[0, i] = min(max((change / size + 1.0) * 50.0, 0.0), 100.0)


@indicator(_rsx)
def rsx(candles: Float2D, period: int = 14, source_type: str = "close", sequential: bool = False) -> Value:
    """RSX, relative strength extra: an RSI without noise, of changes smoothed by six nested averages.

    NaN for the first `period` rows, 50 until the averages have run in. Arguments: see `mom`.

    References
    ----------
    .. [1] Mark Jurik, Jurik Research, RSX.
    """
    ...


@kernel
def _split_deviation(x, deviation, up, down):
    """Share out the deviations: `up` gets those of rising rows, `down` the others; unknown ones count as 0."""
    for i in range(x.shape[0]):
        known = 0.0 if np.isnan(deviation[i]) else deviation[i]
        # The first change is unknown, which is neither a rise nor a fall: it counts on both sides, as in Jesse.
        up[i] = 0.0 if i > 0 and x[i] - x[i - 1] <= 0.0 else known
        down[i] = 0.0 if i > 0 and x[i] - x[i - 1] > 0.0 else known


@kernel
def _share_of(up, down, out):
    """Upper part in percent of both; 50 if both are 0."""
    for i in range(out.shape[0]):
        both = up[i] + down[i]
        out[i] = 100.0 * (up[i] / both) if both != 0.0 else 50.0


@kernel
def _rvi(x, params, out):
    """Relative volatility with one of the compiled averages."""
    n = x.shape[0]
    parts = np.empty((2, n))
    means = np.empty((2, n))
    _deviation(x, int(params[0]), out[0])
    _split_deviation(x, out[0], parts[0], parts[1])
    for j in range(2):
        _average(parts[j], int(params[1]), int(params[2]), means[j : j + 1])
    _share_of(means[0], means[1], out[0])


def _rvi_python(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Relative volatility with any average and any deviation."""
    period, length, matype, devtype = (int(each) for each in params)
    deviation: Float1D = np.empty(len(x))
    if devtype == 0:
        _deviation(x, period, deviation)
    else:
        deviation = absolute_deviation(x, period, devtype)
    up: Float1D = np.empty(len(x))
    down: Float1D = np.empty(len(x))
    _split_deviation(x, deviation, up, down)
    _share_of(average(up, length, matype), average(down, length, matype), out[0])


@indicator(
    _rvi,
    python=_rvi_python,
    compiled_if=lambda _period, _length, matype, devtype: devtype == 0 and matype in COMPILED,
    settles=lambda _period, length, matype, _devtype: settles_with(matype, length),
)
def rvi(
    candles: Float2D,
    period: int = 10,
    ma_len: int = 14,
    matype: int = 1,
    devtype: int = 0,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """RVI, relative volatility index: an average of the deviations of rising rows in percent of that of all rows.

    `matype` is a code of `ma`, over `ma_len` rows; `devtype` as in `bollinger_bands`, over `period` rows. 50 where
    nothing deviates. Other arguments: see `mom`.

    References
    ----------
    .. [1] Donald Dorsey, The Relative Volatility Index, Stocks & Commodities, June 1993.
    """
    ...


@kernel
def _efficiency(x, bend, params, out):
    """Smoothed distance over length of the path, signed by the bend; 0 before the first."""
    period = params[0]
    order = int(period) - 1
    alpha = 2.0 / (params[1] + 1.0)
    path = 0.0
    value = -0.0
    for i in range(x.shape[0]):
        if i >= 1:
            step = x[i] - x[i - 1]
            path += np.sqrt(1.0 + step * step)
        if i > order:
            old = x[i - order] - x[i - order - 1]
            path -= np.sqrt(1.0 + old * old)
        now = -0.0
        if i >= order:
            now = 100.0 * np.sqrt(bend[i] * bend[i] + period * period) / path
            if np.isnan(path) or path == 0.0:
                now = 0.0
            if not bend[i] > 0.0:
                now = -now
        value = now if i == 0 else alpha * now + (1.0 - alpha) * value
        out[i] = value


@kernel
def _pfe(x, params, out):
    """Differences of the order `period - 1`, and the efficiency made of them."""
    n = x.shape[0]
    order = int(params[0]) - 1
    bend = x.copy()
    for k in range(order):
        for i in range(n - 1, k, -1):
            bend[i] = bend[i] - bend[i - 1]
    _efficiency(x, bend, params, out[0])


@indicator(_pfe, least={"period": 2})
def pfe(
    candles: Float2D, period: int = 10, smoothing: int = 5, source_type: str = "close", sequential: bool = False
) -> Value:
    """PFE, polarized fractal efficiency, as Jesse computes it: in percent of the path, smoothed over `smoothing` rows.

    The distance is made of the difference of the *order* `period - 1`, not of that lag, and gives the sign; 0 before
    there are `period` rows. Arguments: see `mom`.
    """
    ...


def _er(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Differences of an order over the path of all windows together."""
    period = int(params[0])
    out[0] = np.nan
    if len(x) > period:
        change = np.abs(np.diff(x, period))
        path = sliding_window_view(np.abs(np.diff(x)), period).sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            out[0, period:] = change / path


@indicator(python=_er, prefix_stable=False)
def er(candles: Float2D, period: int = 5, source_type: str = "close", sequential: bool = False) -> Value:
    """ER, efficiency ratio, as Jesse computes it: the difference of the *order* `period` over the sum of all paths.

    The paths are those of every window of `period` rows, so older values change with each new row, and the value
    depends on how many rows are visible. NaN for the first `period` rows. Arguments: see `mom`.
    """
    ...


class RSMK(NamedTuple):
    """Relative strength, and its average."""

    indicator: Value
    signal: Value


@lru_cache(maxsize=8)
def _weights(n: int, alpha: float) -> Float2D:
    """Return the weight of every value in an exponential average at every row."""
    lag = np.arange(n).reshape(-1, 1) - np.arange(n).reshape(1, -1)
    # The weights of the future overflow before they are left out.
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        decayed = (1.0 - alpha) ** lag
        weights = np.where(lag < 0, 0.0, np.where(np.arange(n) == 0, decayed, alpha * decayed))
    weights.flags.writeable = False
    return weights


def _weighed(x: Float1D, period: float) -> Float1D:
    """Return the exponential average from the first known value on, each row a sum over all rows."""
    out: Float1D = np.full(len(x), np.nan)
    known = np.flatnonzero(~np.isnan(x))
    if known.size:
        segment = x[known[0] :]
        alpha = 2.0 / (max(1.0, period) + 1.0)
        with np.errstate(invalid="ignore"):
            out[known[0] :] = np.sum(_weights(len(segment), alpha) * segment.reshape(1, -1), axis=1)
    return out


def _rsmk(data: Float2D, params: Float1D, out: Float2D) -> None:
    """Change of the logarithm of the ratio of both prices, averaged twice."""
    lookback = int(params[0])
    source = list(SOURCE_CODES)[int(params[3])]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(select_source(data[:, :6], source) / select_source(data[:, 6:], source))
        change = np.full(len(ratio), np.nan)
        if len(ratio) > lookback:
            change[lookback:] = ratio[lookback:] - ratio[: len(ratio) - lookback]
    out[0] = _weighed(change, params[1]) * 100.0
    out[1] = _weighed(out[0], params[2])


@indicator(
    python=_rsmk,
    record=RSMK,
    second_candles=True,
    rows=240,
    codes={"source_type": SOURCE_CODES},
    prefix_stable=False,
)
def rsmk(
    candles: Float2D,
    candles_compare: Float2D,
    lookback: int = 90,
    period: int = 3,
    signal_period: int = 20,
    source_type: str = "close",
    sequential: bool = False,
) -> RSMK:
    """RSMK, relative strength to another market: the change of `log(price / other price)` over `lookback` rows.

    Averaged exponentially over `period` rows, in percent; `signal` is its average over `signal_period`. Every row is a
    sum over all rows, so older values may change in their last bits with each new row. NaN for the first `lookback`
    rows. Unless sequential, the last 240 rows are used, whatever the warm-up is. Other arguments: see `beta`, `mom`.

    References
    ----------
    .. [1] Markos Katsanos, Using Relative Strength To Outperform The Market, Stocks & Commodities, March 2020.
    """
    ...
