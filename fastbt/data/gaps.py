"""Absent minutes: find them, and fill them as Jesse's importer does."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np

from fastbt.data.check import check_shape
from fastbt.data.times import Time, iso, to_ms
from fastbt.errors import CandleError, CandleWarning, SettingsError
from fastbt.types import CLOSE, MINUTE_MS, OPEN, TIMESTAMP, VOLUME, Float2D

_DAY_MINUTES: Final = 1440


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of absent minutes.

    Attributes
    ----------
    start : int
        The first absent minute, ms UTC.
    finish : int
        The next minute that is there, ms UTC.
    minutes : int
        How many are absent.
    """

    start: int
    finish: int
    minutes: int

    def __str__(self) -> str:
        return f"{iso(self.start)} to {iso(self.finish)} ({self.minutes} min)"


def gap_report(candles: Float2D) -> list[Gap]:
    """Return the absent minutes between the first and the last candle.

    Parameters
    ----------
    candles : ndarray, shape (n, 6), float64
        One-minute candles that `check_candles` accepts.

    Returns
    -------
    list of Gap
        In time order; empty if no minute is absent.

    Raises
    ------
    ShapeError
        If the array has another shape or type.

    Examples
    --------
    >>> rows = np.ones((3, 6))
    >>> rows[:, 0] = [0, 60_000, 240_000]
    >>> gap_report(rows)
    [Gap(start=120000, finish=240000, minutes=2)]
    """
    timestamp = check_shape(candles)[:, TIMESTAMP].astype(np.int64)
    before = np.flatnonzero(np.diff(timestamp) > MINUTE_MS)
    start, finish = timestamp[before] + MINUTE_MS, timestamp[before + 1]
    return [Gap(a, b, (b - a) // MINUTE_MS) for a, b in zip(start.tolist(), finish.tolist(), strict=True)]


def fill_gaps(candles: Float2D, start: Time | None = None, finish: Time | None = None) -> Float2D:
    """Return the candles with each absent minute filled, as Jesse's importer fills it.

    An absent minute becomes a flat candle at the close before it, with volume 0. Minutes before the first candle, which
    are filled only if `start` asks for them, are flat at the first open.

    Parameters
    ----------
    candles : ndarray, shape (n, 6), float64
        One-minute candles that `check_candles` accepts.
    start : str, int or datetime, optional
        First minute of the result; no later than the first candle, which it is by default.
    finish : str, int or datetime, optional
        End of the result, itself not included; no earlier than the end of the last candle, which it is by default.

    Returns
    -------
    ndarray, shape (m, 6), float64
        One row a minute; a copy.

    Raises
    ------
    ShapeError
        If the array has another shape or type.
    CandleError
        If there is no candle to start from.
    SettingsError
        If a bound is not on the minute, or would cut candles off.

    Warns
    -----
    CandleWarning
        If more than a day in a row is filled: a strategy would trade on flat prices there.

    References
    ----------
    .. [1] Jesse 3.5.3, ``import_candles_mode``. The rule in plain Python: ``tests/naive_data.py``.

    Examples
    --------
    >>> rows = np.array([[0, 10.0, 11.0, 12.0, 9.0, 5.0], [120_000, 20.0, 21.0, 22.0, 19.0, 6.0]])
    >>> fill_gaps(rows)[1]
    array([6.0e+04, 1.1e+01, 1.1e+01, 1.1e+01, 1.1e+01, 0.0e+00])
    """
    if len(check_shape(candles)) == 0:
        raise CandleError("fill_gaps: wanted at least one candle to start from; there was none")
    timestamp = candles[:, TIMESTAMP].astype(np.int64)
    first, last = int(timestamp[0]), int(timestamp[-1]) + MINUTE_MS
    begin = first if start is None else _bound(start, "start")
    end = last if finish is None else _bound(finish, "finish")
    if begin > first:
        raise SettingsError(
            f"fill_gaps: wanted a start no later than the first candle ({iso(first)}); was {iso(begin)}. Cut with "
            "between() first."
        )
    if end < last:
        raise SettingsError(
            f"fill_gaps: wanted a finish no earlier than the end of the last candle ({iso(last)}); was {iso(end)}. Cut "
            "with between() first."
        )
    _warn_long(
        gap_report(candles), Gap(begin, first, (first - begin) // MINUTE_MS), Gap(last, end, (end - last) // 60_000)
    )
    n = (end - begin) // MINUTE_MS
    present = (timestamp - begin) // MINUTE_MS
    filled = np.empty((n, 6))
    # source[i] is the last row at or before minute i; minutes before the first candle have none and are set apart.
    source = np.repeat(np.arange(len(candles)), np.diff(present, append=n))
    lead = int(present[0])
    filled[:lead, OPEN:VOLUME] = candles[0, OPEN]
    filled[lead:, OPEN:VOLUME] = candles[source, CLOSE][:, np.newaxis]
    filled[:, VOLUME] = 0.0
    filled[present] = candles
    filled[:, TIMESTAMP] = begin + np.arange(n, dtype=np.float64) * MINUTE_MS
    return filled


def _bound(time: Time, name: str) -> int:
    ms = to_ms(time, name)
    if ms % MINUTE_MS:
        raise SettingsError(f"fill_gaps: wanted a {name} on the minute; was {iso(ms)}")
    return ms


def _warn_long(gaps: list[Gap], *edges: Gap) -> None:
    longest = max([*gaps, *edges], key=lambda gap: gap.minutes)
    if longest.minutes > _DAY_MINUTES:
        warnings.warn(
            f"fill_gaps fills {longest} with flat candles: more than a day without a price. Use between() to leave "
            "that period out.",
            CandleWarning,
            stacklevel=3,
        )
