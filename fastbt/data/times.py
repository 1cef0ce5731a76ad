"""Times and timeframes as users write them, turned into the numbers that arrays hold."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

from fastbt.errors import SettingsError, did_you_mean
from fastbt.types import TIMEFRAME_MINUTES

#: A moment as users may give it: ISO text, a datetime or date (UTC unless it says otherwise), or milliseconds.
Time = str | int | float | datetime | date

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def to_ms(time: Time, name: str = "time") -> int:
    """Return a moment as milliseconds since 1970-01-01 UTC.

    Parameters
    ----------
    time : str, int, float, datetime or date
        ISO 8601 text (``"2019-03-01"``, ``"2019-03-01T12:30"``, ``"2019-03-01 12:30:00+02:00"``), a datetime or date,
        or milliseconds. What names no time zone is UTC.
    name : str, optional
        What the moment is for; begins the error message.

    Returns
    -------
    int
        Milliseconds, UTC.

    Raises
    ------
    SettingsError
        If `time` is none of these.

    Examples
    --------
    >>> to_ms("2019-01-01")
    1546300800000
    >>> to_ms("2019-01-01T01:00+01:00")
    1546300800000
    """
    if isinstance(time, datetime):
        moment = time
    elif isinstance(time, date):
        moment = datetime(time.year, time.month, time.day)
    elif isinstance(time, int | float | np.integer) and not isinstance(time, bool):
        if not math.isfinite(time) or time != int(time):
            raise SettingsError(f"{name}: wanted whole milliseconds since 1970-01-01 UTC; was {time!r}")
        return int(time)
    elif isinstance(time, str):
        try:
            moment = datetime.fromisoformat(time.strip())
        except ValueError:
            raise SettingsError(
                f"{name}: wanted an ISO date or time such as '2019-03-01' or '2019-03-01T12:30'; was {time!r}"
            ) from None
    else:
        raise SettingsError(f"{name}: wanted ISO text, a datetime or milliseconds; was {time!r}")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND


def iso(ms: float) -> str:
    """Return milliseconds as ISO 8601 text in UTC, or the bare number if it is no date.

    Examples
    --------
    >>> iso(1546300800000)
    '2019-01-01T00:00:00Z'
    >>> iso(float("nan"))
    'nan'
    """
    if not math.isfinite(ms):
        return f"{ms:g}"
    try:
        moment = _EPOCH + timedelta(milliseconds=float(ms))
    except OverflowError:
        return f"{ms:.0f}"
    text = moment.isoformat(timespec="milliseconds" if ms % 1000 else "seconds")
    return text.replace("+00:00", "Z")


def timeframe_minutes(timeframe: str) -> int:
    """Return the minutes of one of Jesse's timeframes.

    Parameters
    ----------
    timeframe : str
        ``"1m"`` to ``"1M"``; a month has 30 days, as in Jesse.

    Returns
    -------
    int
        Minutes.

    Raises
    ------
    SettingsError
        If Jesse has no such timeframe.

    Examples
    --------
    >>> timeframe_minutes("4h")
    240
    """
    if isinstance(timeframe, str) and timeframe in TIMEFRAME_MINUTES:
        return TIMEFRAME_MINUTES[timeframe]
    hint = did_you_mean(str(timeframe), TIMEFRAME_MINUTES)
    for known in TIMEFRAME_MINUTES:
        if isinstance(timeframe, str) and known.lower() == timeframe.strip().lower():
            hint = f" Did you mean {known!r}?"
    raise SettingsError(f"timeframe: wanted one of {', '.join(TIMEFRAME_MINUTES)}; was {timeframe!r}.{hint}")


def common_minutes(timeframes: Iterable[str]) -> int:
    """Return the shortest span that every timeframe divides, in minutes.

    Examples
    --------
    >>> common_minutes(["1h", "45m"])
    180
    """
    return math.lcm(*(timeframe_minutes(timeframe) for timeframe in timeframes))
