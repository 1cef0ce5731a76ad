"""Trading hours: which moments lie in the schedule of a market, in its own time zone.

A schedule is Jesse's dictionary::

    {
        "timezone": "America/New_York",
        "hours": {"Mon-Fri": "09:30-16:00"},            # or a list of windows
        "closed": ["2026-11-26"],                       # optional
        "overrides": {"2026-11-27": "09:30-13:00"},     # optional
    }

A window holds its opening and not its closing minute. One that does not end after it begins ends on the next day, and
belongs to the day on which it begins.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastbt.types import TIMESTAMP, Float2D

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_KEYS: Final = ("timezone", "hours", "closed", "overrides")
_DAY: Final = dt.timedelta(days=1)
_MIDNIGHT: Final = 24 * 60

#: Opening and closing minute of a local day.
_Window = tuple[int, int]


def is_in_trading_hours(timestamp: float, hours: Mapping[str, Any] | None) -> bool:
    """Return whether a moment lies in a schedule.

    Parameters
    ----------
    timestamp : float
        Ms UTC; the open time of a candle, to judge a candle.
    hours : mapping or None
        A schedule; None holds every moment.

    Returns
    -------
    bool
        Whether it does.

    Raises
    ------
    ValueError
        If the schedule cannot be read.

    References
    ----------
    .. [1] ``jesse.utils.is_in_trading_hours`` of Jesse 3.5.3.

    Examples
    --------
    >>> hours = {"timezone": "UTC", "hours": {"Mon-Fri": "09:30-16:00"}}
    >>> is_in_trading_hours(1_609_752_600_000, hours)  # Monday 2021-01-04 09:30
    True
    """
    return hours is None or _schedule(hours).contains(int(timestamp))


def filter_candles_by_hours(candles: Float2D, hours: Mapping[str, Any] | None) -> Float2D:
    """Return the candles whose open time lies in a schedule.

    Parameters
    ----------
    candles : ndarray, shape (n_bars, 6), float64
        Timestamp (ms), open, close, high, low (quote), volume (base).
    hours : mapping or None
        A schedule; None keeps every candle.

    Returns
    -------
    ndarray, shape (n_kept, 6), float64
        The candles kept, in their order.

    Raises
    ------
    ValueError
        If the schedule cannot be read.

    References
    ----------
    .. [1] ``jesse.utils.filter_candles_by_hours`` of Jesse 3.5.3.

    Examples
    --------
    >>> import numpy as np
    >>> candles = np.array([[0, 1.0, 1.0, 1.0, 1.0, 1.0], [36_000_000, 2.0, 2.0, 2.0, 2.0, 1.0]])
    >>> filter_candles_by_hours(candles, {"timezone": "UTC", "hours": {"Thu": "09:30-16:00"}})[:, 1]
    array([2.])
    """
    if hours is None or len(candles) == 0:
        return candles
    schedule = _schedule(hours)
    return candles[[schedule.contains(int(stamp)) for stamp in candles[:, TIMESTAMP]]]


class _Schedule:
    def __init__(self, hours: Mapping[str, Any]) -> None:
        unknown = sorted(set(hours) - set(_KEYS))
        if unknown:
            raise ValueError(f"trading hours have the keys {', '.join(_KEYS)}; there was {unknown}")
        self._zone = _zone(hours.get("timezone"))
        by_day = hours.get("hours")
        if not isinstance(by_day, Mapping) or not by_day:
            raise ValueError("trading hours want 'hours', days with their windows")
        self._weekly: dict[int, list[_Window]] = {}
        for days, windows in by_day.items():
            for day in _weekdays(days):
                if day in self._weekly:
                    raise ValueError(f"trading hours: {_DAYS[day]} is listed more than once in 'hours'")
                self._weekly[day] = _windows(windows)
        self._closed = frozenset(_date(day) for day in hours.get("closed") or ())
        self._overrides = {_date(day): _windows(value) for day, value in (hours.get("overrides") or {}).items()}
        self._spans = lru_cache(maxsize=None)(self._spans_of)

    def contains(self, timestamp: int) -> bool:
        day = dt.datetime.fromtimestamp(timestamp / 1000, self._zone).date()
        # A window of the day before may last past midnight.
        return any(start <= timestamp < end for begun in (day - _DAY, day) for start, end in self._spans(begun))

    def _spans_of(self, day: dt.date) -> list[tuple[int, int]]:
        """Return the windows that begin on a local day, ms UTC."""
        windows = [] if day in self._closed else self._overrides.get(day, self._weekly.get(day.weekday(), []))
        return [
            (self._ms(day, opens), self._ms(day if closes > opens else day + _DAY, closes)) for opens, closes in windows
        ]

    def _ms(self, day: dt.date, minutes: int) -> int:
        days, minutes = divmod(minutes, _MIDNIGHT)
        time = dt.time(minutes // 60, minutes % 60, tzinfo=self._zone)
        return int(dt.datetime.combine(day + days * _DAY, time).timestamp() * 1000)


def _schedule(hours: Mapping[str, Any]) -> _Schedule:
    # By value: a strategy that builds the same dictionary at every bar does not pay for reading it again.
    return _read(json.dumps(hours, sort_keys=True, default=str))


@lru_cache(maxsize=64)
def _read(text: str) -> _Schedule:
    hours = json.loads(text)
    if not isinstance(hours, dict):
        raise ValueError("trading hours must be a dict or None")
    return _Schedule(hours)


def _zone(name: object) -> ZoneInfo:
    if not isinstance(name, str) or not name:
        raise ValueError(f"trading hours want 'timezone', such as 'America/New_York'; it was {name!r}")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"trading hours: there is no time zone {name!r}") from None


def _weekdays(text: str) -> list[int]:
    """Return the days of 'Mon-Fri', 'Mon,Wed' or 'Sun', Monday being 0; a range may pass Sunday."""
    days: list[int] = []
    for part in str(text).split(","):
        first, _, last = part.strip().partition("-")
        names = (first.strip(), (last or first).strip())
        if not set(names) <= set(_DAYS):
            raise ValueError(f"trading hours: 'hours' wants days like 'Mon-Fri', 'Mon,Wed' or 'Sun'; it was {text!r}")
        start, end = map(_DAYS.index, names)
        days += [(start + offset) % 7 for offset in range((end - start) % 7 + 1)]
    return days


def _windows(value: object) -> list[_Window]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple)) or not texts:
        raise ValueError(f"trading hours want a window or a list of windows; it was {value!r}")
    return [_window(text) for text in texts]


def _window(text: object) -> _Window:
    if not isinstance(text, str) or text.count("-") != 1:
        raise ValueError(f"trading hours: a window looks like '09:30-16:00'; it was {text!r}")
    opens, closes = (_minutes(part) for part in text.split("-"))
    if opens == closes or opens == _MIDNIGHT:
        raise ValueError(f"trading hours: a window wants an end after its begin; it was {text!r}")
    return opens, closes


def _minutes(text: str) -> int:
    hours, colon, minutes = text.strip().partition(":")
    if colon and hours.isdigit() and minutes.isdigit() and int(minutes) < 60:
        total = int(hours) * 60 + int(minutes)
        if total <= _MIDNIGHT:
            return total
    raise ValueError(f"trading hours: a time lies between 00:00 and 24:00; it was {text!r}")


def _date(text: object) -> dt.date:
    try:
        return dt.date.fromisoformat(str(text))
    except ValueError:
        raise ValueError(f"trading hours want dates like '2026-11-26'; there was {text!r}") from None
