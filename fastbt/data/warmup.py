"""The candles before the trading starts: cut them off, and build their bars as Jesse does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fastbt.data.check import check_shape
from fastbt.data.gaps import gap_report
from fastbt.data.times import Time, common_minutes, iso, timeframe_minutes, to_ms
from fastbt.errors import CandleError, SettingsError
from fastbt.types import MINUTE_MS, TIMESTAMP, Float2D

if TYPE_CHECKING:
    from fastbt.data.candles import CandleSet


def split_warmup(
    candles: CandleSet | Float2D, start: Time, warm_up_candles: int, timeframes: Iterable[str]
) -> tuple[Float2D, Float2D]:
    """Cut candles into the warm-up and what is traded.

    Jesse counts bars from the first traded minute but builds warm-up bars by the clock. The two agree only if the start
    is on a boundary of every timeframe in use and the warm-up is a whole number of bars of each; Jesse does not check
    it, this does (specification 4.1).

    Parameters
    ----------
    candles : CandleSet or ndarray, shape (n, 6), float64
        One-minute candles without absent minutes. They end where the trading is to end.
    start : str, int or datetime
        The first traded minute.
    warm_up_candles : int
        Jesse's setting: how many bars of the largest timeframe come before `start`.
    timeframes : iterable of str
        Every timeframe in use: of routes and of data routes.

    Returns
    -------
    warmup : ndarray, shape (warm_up_candles * minutes, 6), float64
        The minutes just before `start`; a view.
    trading : ndarray, shape (m, 6), float64
        The minutes from `start` on; a view.

    Raises
    ------
    ShapeError
        If the array has another shape or type.
    CandleError
        If a minute is absent.
    SettingsError
        If `start` is not among the candles or not aligned (names the nearest that is), if the warm-up is not a whole
        number of bars of each timeframe, or if there are too few candles before `start` (names how many minutes are
        missing and the earliest start that works).

    Examples
    --------
    >>> minutes = np.ones((600, 6))
    >>> minutes[:, 0] = np.arange(600) * 60_000
    >>> warmup, trading = split_warmup(minutes, 240 * 60_000, 4, ["1h"])
    >>> len(warmup), len(trading)
    (240, 360)
    """
    array = np.ascontiguousarray(candles if isinstance(candles, np.ndarray) else candles.array)
    if len(check_shape(array)) == 0:
        raise CandleError("split_warmup: wanted at least one candle; there was none")
    gaps = gap_report(array)
    if gaps:
        raise CandleError(
            f"split_warmup: wanted one row a minute; {sum(gap.minutes for gap in gaps)} minutes are absent, the first "
            f"at {iso(gaps[0].start)}. Use fill_gaps() first."
        )
    timeframes = list(timeframes)
    if not timeframes:
        raise SettingsError("timeframes: wanted at least one; there was none")
    if isinstance(warm_up_candles, bool) or int(warm_up_candles) != warm_up_candles or warm_up_candles < 0:
        raise SettingsError(f"warm_up_candles: wanted a whole number >= 0; was {warm_up_candles!r}")
    step = common_minutes(timeframes)
    begin = to_ms(start, "start")
    first, last = int(array[0, TIMESTAMP]), int(array[-1, TIMESTAMP]) + MINUTE_MS
    _check_start(begin, first, last, step, timeframes)
    minutes = int(warm_up_candles) * max(timeframe_minutes(timeframe) for timeframe in timeframes)
    _check_length(int(warm_up_candles), minutes, timeframes)
    row = (begin - first) // MINUTE_MS
    if row < minutes:
        earliest = -(-(first + minutes * MINUTE_MS) // (step * MINUTE_MS)) * step * MINUTE_MS
        advice = (
            f"The earliest possible start is {iso(earliest)}"
            if earliest < last
            else "No start is possible with so few candles"
        )
        raise SettingsError(
            f"start {iso(begin)}: wanted {minutes} minutes of warm-up before it ({warm_up_candles} warm_up_candles of "
            f"{max(timeframes, key=timeframe_minutes)}); {minutes - row} of them are missing, as the candles begin at "
            f"{iso(first)}. {advice}; or lower warm_up_candles."
        )
    return array[row - minutes : row], array[row:]


def _check_start(begin: int, first: int, last: int, step: int, timeframes: Sequence[str]) -> None:
    if not first <= begin < last:
        raise SettingsError(
            f"start: wanted a time within the candles, {iso(first)} to {iso(last)} (not included); was {iso(begin)}"
        )
    span = step * MINUTE_MS
    if begin % span:
        before = begin // span * span
        raise SettingsError(
            f"start: wanted a boundary of every timeframe in use ({', '.join(timeframes)}: every {step} minutes by the "
            f"clock); was {iso(begin)}. The nearest are {iso(before)} and {iso(before + span)}."
        )


def _check_length(warm_up_candles: int, minutes: int, timeframes: Sequence[str]) -> None:
    uneven = [timeframe for timeframe in timeframes if minutes % timeframe_minutes(timeframe)]
    if uneven:
        largest = max(timeframe_minutes(timeframe) for timeframe in timeframes)
        unit = common_minutes(timeframes) // largest
        enough = -(-warm_up_candles // unit) * unit
        raise SettingsError(
            f"warm_up_candles: wanted a whole number of bars of every timeframe in use ({', '.join(timeframes)}); was "
            f"{warm_up_candles}, or {minutes} minutes, which {uneven[0]} does not divide. The next that "
            f"fits is {enough}."
        )


def warmup_bars(warmup: Float2D, timeframe: str, available_at: Time | None = None) -> Float2D:
    """Return the bars of the warm-up, as Jesse builds them before it trades.

    Other than `resample`, which counts rows, this goes by the clock: a bar holds the minutes of one bucket of the
    timeframe, counted from 1970-01-01 UTC (weeks begin on Thursday, months have 30 days), and is stamped with the
    bucket's start. A first bucket of which minutes are absent is kept; a last one that ends after the trading start is
    not.

    Parameters
    ----------
    warmup : ndarray, shape (n, 6), float64
        One-minute candles that `check_candles` accepts; minutes may be absent.
    timeframe : str
        One of Jesse's timeframes.
    available_at : str, int or datetime, optional
        The first traded minute; by default the minute after the last row.

    Returns
    -------
    ndarray, shape (n_bars, 6), float64
        The bars; for ``"1m"`` the minutes that are over by `available_at`.

    Raises
    ------
    ShapeError
        If the array has another shape or type.
    SettingsError
        If Jesse has no such timeframe.

    References
    ----------
    .. [1] Jesse 3.5.3, ``candle_service.inject_warmup_candles_to_store``. In plain Python: ``tests/naive_data.py``.

    Examples
    --------
    >>> minutes = np.ones((90, 6))
    >>> minutes[:, 0] = (30 + np.arange(90)) * 60_000  # 00:30 to 02:00
    >>> warmup_bars(minutes, "1h")[:, [0, 5]]
    array([[0.0e+00, 3.0e+01],
           [3.6e+06, 6.0e+01]])
    """
    minutes = timeframe_minutes(timeframe)
    warmup = np.ascontiguousarray(check_shape(warmup))
    if len(warmup) == 0:
        return np.empty((0, 6))
    end = int(warmup[-1, TIMESTAMP]) + MINUTE_MS if available_at is None else to_ms(available_at, "available_at")
    warmup = warmup[: int(np.searchsorted(warmup[:, TIMESTAMP], end - MINUTE_MS, side="right"))]
    if minutes == 1 or len(warmup) == 0:
        return warmup

    from fastbt.data._kernels import _resample_clock

    span = minutes * MINUTE_MS
    bars = np.empty((int(warmup[-1, TIMESTAMP]) // span - int(warmup[0, TIMESTAMP]) // span + 1, 6))
    n_bars = _resample_clock(warmup, minutes, float(end), bars)
    return bars[:n_bars]


def check_same_range(candle_sets: Iterable[CandleSet]) -> None:
    """Check that several symbols cover the same minutes.

    Jesse switches to another, inexact simulator if they do not (specification 1.2), so fastbt refuses.

    Parameters
    ----------
    candle_sets : iterable of CandleSet
        One for each symbol.

    Raises
    ------
    SettingsError
        If their first or last minutes differ; names each symbol's period and the one they share.
    CandleError
        If a minute is absent in one of them.

    Examples
    --------
    >>> from fastbt.data import CandleSet
    >>> minutes = np.ones((3, 6))
    >>> minutes[:, 0] = np.arange(3) * 60_000
    >>> check_same_range([CandleSet(minutes, "BTC-USD"), CandleSet(minutes, "ETH-USD")])
    """
    sets = list(candle_sets)
    if len({(one.start, one.finish) for one in sets}) > 1:
        periods = "; ".join(f"{one.symbol} {one.start_time} to {one.finish_time}" for one in sets)
        start, finish = max(one.start for one in sets), min(one.finish for one in sets)
        advice = (
            f"Cut each with between({iso(start)!r}, {iso(finish)!r}), or fill_gaps() to the same bounds."
            if start < finish
            else "They share no minute."
        )
        raise SettingsError(f"candles: wanted the same period for every symbol; was {periods}. {advice}")
    for one in sets:
        if one.gaps:
            raise CandleError(
                f"candles of {one.symbol}: wanted one row a minute; {one.missing_minutes} minutes are absent, the "
                f"first at {iso(one.gaps[0].start)}. Use fill_gaps() first."
            )
