# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
"""Kernels behind dates: the proleptic Gregorian calendar of Python's datetime, UTC.

The conversions between days and civil dates follow Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
"""

import math

import numpy as np

from fastbt._jit import lean
from fastbt.engine.kernels import _fail
from fastbt.types import TIMESTAMP

VALUE_ERROR = 6
FORMING_SERIES = 107


@lean
def _moment(s, seconds):
    """Return whole microseconds since 1970 as Python's datetime rounds them."""
    if seconds != seconds:
        _fail(s, VALUE_ERROR)
        return 0
    if seconds > 253402300799.0 or seconds < -62135596800.0:
        _fail(s, VALUE_ERROR)
        return 0
    whole = math.floor(abs(seconds))
    part = abs(seconds) - whole
    micro = np.int64(whole) * 1000000 + np.int64(np.rint(part * 1e6))
    return micro if seconds >= 0.0 else -micro


@lean
def _civil(days):
    """Return year, month and day of a number of days since 1970 in the proleptic Gregorian calendar."""
    z = days + 719468
    era = z // 146097
    doe = z - era * 146097
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + 3 if mp < 10 else mp - 9
    return yoe + era * 400 + (1 if month <= 2 else 0), month, doy - (153 * mp + 2) // 5 + 1


@lean
def _days(year, month, day):
    """Return the days since 1970 of a date."""
    y = year - 1 if month <= 2 else year
    era = y // 400
    yoe = y - era * 400
    doy = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


@lean
def _year(days):
    """Return the year of a date."""
    return _civil(days)[0]


@lean
def _month(days):
    """Return the month of a date."""
    return _civil(days)[1]


@lean
def _day(days):
    """Return the day of the month of a date."""
    return _civil(days)[2]


@lean
def _iso_year(days):
    """Return the year to which the ISO week of a date belongs: that of its Thursday."""
    return _civil(days - (days + 3) % 7 + 3)[0]


@lean
def _iso_week(days):
    """Return the ISO week of a date."""
    thursday = days - (days + 3) % 7 + 3
    return (thursday - _days(_civil(thursday)[0], 1, 1)) // 7 + 1


@lean
def _closed_bar(s, bars, length):
    """Return the last bar that is complete by now; before the first one nothing is known."""
    if bars[s.bar, TIMESTAMP] + length <= s.time:
        return s.bar
    if s.bar == 0:
        _fail(s, FORMING_SERIES)
        return 0
    return s.bar - 1


@lean
def _closed_open(s, bars, length):
    """Return the open time of the last bar that is complete by now, or would be."""
    if bars[s.bar, TIMESTAMP] + length <= s.time:
        return np.int64(bars[s.bar, TIMESTAMP])
    if s.bar == 0:
        return np.int64(bars[0, TIMESTAMP]) - length
    return np.int64(bars[s.bar - 1, TIMESTAMP])
