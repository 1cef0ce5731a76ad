"""What an array must fulfil to be used as one-minute candles."""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fastbt.data.times import iso
from fastbt.errors import CandleError, CandleWarning, ShapeError
from fastbt.types import CLOSE, HIGH, LOW, MINUTE_MS, OPEN, TIMESTAMP, VOLUME, Float2D

#: Names of the columns of a candle array, in Jesse's order.
COLUMNS: Final = ("timestamp", "open", "close", "high", "low", "volume")

# Fewer rows than this say little about the step between them.
_ENOUGH_ROWS: Final = 10
# Between these, a timestamp that is not on the minute is probably one in seconds (1973 to 5138).
_SECONDS: Final = (1e8, 1e11)


def check_shape(candles: object) -> Float2D:
    """Return `candles` if it is a float64 array of shape (n, 6).

    Parameters
    ----------
    candles : ndarray, shape (n, 6), float64
        The candidate.

    Returns
    -------
    ndarray, shape (n, 6), float64
        The same array.

    Raises
    ------
    ShapeError
        If it is anything else.

    Examples
    --------
    >>> check_shape(np.zeros((2, 6))).shape
    (2, 6)
    """
    wanted = f"candles: wanted a float64 array of shape (n, 6) with the columns {', '.join(COLUMNS)}"
    if not isinstance(candles, np.ndarray):
        raise ShapeError(f"{wanted}; was {type(candles).__name__}")
    if candles.ndim != 2 or candles.shape[1] != 6:
        raise ShapeError(f"{wanted}; was of shape {candles.shape}")
    if candles.dtype != np.float64:
        raise ShapeError(f"{wanted}; was of type {candles.dtype}: use .astype(numpy.float64)")
    return candles


def check_candles(candles: Float2D) -> None:
    """Check that an array holds usable one-minute candles.

    Absent minutes are no error here: see `fastbt.data.gap_report`.

    Parameters
    ----------
    candles : ndarray, shape (n, 6), float64
        Timestamp (ms UTC), open, close, high, low (quote), volume (base): Jesse's column order.

    Raises
    ------
    ShapeError
        If the array has another shape or type.
    CandleError
        If there is no row; or if a value is not finite, a timestamp is not on the minute or not later than the one
        before, a price is not positive, a high is below its low, or a volume is negative. Names the first bad row
        (counted from 0), its time, what was wanted, what it was and how to mend it.

    Warns
    -----
    CandleWarning
        If an open or close lies outside [low, high], or all steps are multiples of some minutes, as if the candles were
        of a larger timeframe. Jesse runs both.

    Examples
    --------
    >>> check_candles(np.array([[1546300800000.0, 10.0, 11.0, 12.0, 9.0, 1.0]]))
    >>> check_candles(np.array([[1546300800000.0, 10.0, 11.0, 8.0, 9.0, 1.0]]))
    Traceback (most recent call last):
    fastbt.errors.CandleError: row 0 (2019-01-01T00:00:00Z): wanted high >= low; was high 8.0, low 9.0. ...
    """
    check_shape(candles)
    if len(candles) == 0:
        raise CandleError("candles: wanted at least one row; there was none")
    _check_finite(candles)
    _check_timestamps(candles)
    for column in (OPEN, CLOSE, HIGH, LOW):
        bad = candles[:, column] <= 0.0
        if bad.any():
            row = _first(bad)
            raise CandleError(
                f"{_where(candles, row)}: wanted a positive {COLUMNS[column]}; was {candles[row, column]!s}. "
                f"{_count(bad)} Remove such rows (fill_gaps puts the last close in their place)."
            )
    bad = candles[:, HIGH] < candles[:, LOW]
    if bad.any():
        row = _first(bad)
        raise CandleError(
            f"{_where(candles, row)}: wanted high >= low; was high {candles[row, HIGH]!s}, low {candles[row, LOW]!s}. "
            f"{_count(bad)} Are the columns in Jesse's order {', '.join(COLUMNS)}?"
        )
    bad = candles[:, VOLUME] < 0.0
    if bad.any():
        row = _first(bad)
        raise CandleError(
            f"{_where(candles, row)}: wanted a volume >= 0; was {candles[row, VOLUME]!s}. {_count(bad)} "
            "Take its absolute value or remove such rows."
        )
    _warn_suspicious(candles)


def _check_finite(candles: Float2D) -> None:
    finite = np.isfinite(candles)
    if finite.all():
        return
    bad = np.asarray(~finite.all(axis=1))
    row = _first(bad)
    column = _first(~finite[row])
    raise CandleError(
        f"{_where(candles, row)}: wanted a finite {COLUMNS[column]}; was {candles[row, column]!s}. {_count(bad)} "
        "Remove such rows (fill_gaps puts the last close in their place)."
    )


def _check_timestamps(candles: Float2D) -> None:
    timestamp = candles[:, TIMESTAMP]
    bad = timestamp % MINUTE_MS != 0
    if bad.any():
        row = _first(bad)
        advice = (
            "It looks like seconds: multiply the column by 1000."
            if _SECONDS[0] <= timestamp[row] < _SECONDS[1]
            else "Use the candles' open time in milliseconds UTC, rounded down to the minute."
        )
        raise CandleError(
            f"{_where(candles, row)}: wanted a timestamp on the minute (a multiple of {MINUTE_MS} ms); was "
            f"{timestamp[row]:.0f}. {_count(bad)} {advice}"
        )
    step = np.diff(timestamp)
    bad = step <= 0
    if bad.any():
        row = _first(bad) + 1
        before = iso(timestamp[row - 1])
        if step[row - 1] == 0:
            raise CandleError(
                f"{_where(candles, row)}: wanted a timestamp later than row {row - 1}; was the same: a duplicate. "
                f"{_count(step == 0)} Keep one row for each minute."
            )
        raise CandleError(
            f"{_where(candles, row)}: wanted a timestamp later than row {row - 1} ({before}); was earlier. "
            f"{_count(bad)} Sort the rows by timestamp."
        )


def _warn_suspicious(candles: Float2D) -> None:
    for column in (OPEN, CLOSE):
        bad = (candles[:, column] > candles[:, HIGH]) | (candles[:, column] < candles[:, LOW])
        if bad.any():
            row = _first(bad)
            warnings.warn(
                f"{_where(candles, row)}: {COLUMNS[column]} {candles[row, column]!s} lies outside low "
                f"{candles[row, LOW]!s} to high {candles[row, HIGH]!s}. {_count(bad)} Jesse runs such candles and so "
                f"does fastbt, but are the columns in Jesse's order {', '.join(COLUMNS)}?",
                CandleWarning,
                stacklevel=3,
            )
    if len(candles) >= _ENOUGH_ROWS:
        minutes = int(np.gcd.reduce(np.diff(candles[:, TIMESTAMP]).astype(np.int64))) // MINUTE_MS
        if minutes > 1:
            warnings.warn(
                f"all timestamps are multiples of {minutes} minutes apart: are these {minutes}-minute candles? fastbt, "
                "like Jesse, wants one-minute candles and builds the larger timeframes itself.",
                CandleWarning,
                stacklevel=3,
            )


def _first(bad: npt.NDArray[Any]) -> int:
    return int(np.argmax(bad))


def _where(candles: Float2D, row: int) -> str:
    return f"row {row} ({iso(float(candles[row, TIMESTAMP]))})"


def _count(bad: npt.NDArray[Any]) -> str:
    n = int(np.count_nonzero(bad))
    return "It is the only such row." if n == 1 else f"There are {n} such rows."
