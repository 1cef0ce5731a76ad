"""What strategies take from `jesse.helpers`: sources and slices of candles, arrays, numbers, constants."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fastbt.indicators._registry import select_source, visible_rows
from fastbt.types import TIMEFRAME_MINUTES, Float1D, Float2D

DAY: Final = TIMEFRAME_MINUTES["1D"]


def get_candle_source(candles: Float2D, source_type: str = "close") -> Float1D:
    """Return one price series of the candles: a view of a column, or a mean of several.

    Raises
    ------
    ValueError
        If the source type is unknown.

    Examples
    --------
    >>> get_candle_source(np.array([[0, 10.0, 11.0, 12.0, 9.0, 1.0]]), "hl2")
    array([10.5])
    """
    columns = {"open": 1, "close": 2, "high": 3, "low": 4, "volume": 5}
    if source_type in columns:
        return candles[:, columns[source_type]]
    return select_source(candles, source_type)


def slice_candles(candles: Float2D, sequential: bool) -> Float2D:
    """Return the last `warm_up_candles` rows, or all of them with `sequential` (specification 4.3).

    Examples
    --------
    >>> len(slice_candles(np.zeros((300, 6)), False)), len(slice_candles(np.zeros((300, 6)), True))
    (240, 300)
    """
    window = visible_rows()
    return candles if sequential or len(candles) <= window else candles[-window:]


def same_length(bigger: npt.NDArray[Any], shorter: npt.NDArray[Any]) -> Float1D:
    """Return `shorter` with NaN in front of it, as long as `bigger`.

    Examples
    --------
    >>> same_length(np.zeros(3), np.array([5.0]))
    array([nan, nan,  5.])
    """
    return np.concatenate((np.full(len(bigger) - len(shorter), np.nan), shorter))


def np_shift(arr: npt.NDArray[Any], num: int, fill_value: float = 0) -> npt.NDArray[Any]:
    """Return an array moved by `num` places, the free ones filled.

    Examples
    --------
    >>> np_shift(np.array([1.0, 2.0, 3.0]), 1, 9)
    array([9., 1., 2.])
    """
    result = np.empty_like(arr)
    if num > 0:
        result[:num], result[num:] = fill_value, arr[:-num]
    elif num < 0:
        result[num:], result[:num] = fill_value, arr[-num:]
    else:
        result[:] = arr
    return result


def np_ffill(arr: npt.NDArray[Any], axis: int = 0) -> npt.NDArray[Any]:
    """Return an array whose NaN are the last known value before them, along an axis.

    Examples
    --------
    >>> np_ffill(np.array([1.0, np.nan, 3.0]))
    array([1., 1., 3.])
    """
    places = np.arange(arr.shape[axis]).reshape([-1 if i == axis else 1 for i in range(arr.ndim)])
    known = np.maximum.accumulate(np.where(~np.isnan(arr), places, 0), axis=axis)
    return np.take_along_axis(arr, known, axis=axis)


def floor_with_precision(num: float, precision: int = 0) -> float:
    """Return a number rounded down to decimal places.

    Examples
    --------
    >>> floor_with_precision(1.239, 2)
    1.23
    """
    scale: float = 10**precision
    return math.floor(num * scale) / scale


def normalize(x: float, x_min: float, x_max: float) -> float:
    """Return where `x` lies between two others, as a fraction."""
    return (x - x_min) / (x_max - x_min)


def convert_number(old_max: float, old_min: float, new_max: float, new_min: float, old_value: float) -> float:
    """Return a number moved from one range to another.

    Raises
    ------
    ValueError
        If it lies outside of the old range.
    """
    if old_value > old_max or old_value < old_min:
        raise ValueError(f"old_value:{old_value} must be within the range. {old_min}-{old_max}")
    return (((old_value - old_min) * (new_max - new_min)) / (old_max - old_min)) + new_min


def timeframe_to_one_minutes(timeframe: str) -> int:
    """Return the minutes of a timeframe.

    Examples
    --------
    >>> timeframe_to_one_minutes("4h")
    240
    """
    if timeframe not in TIMEFRAME_MINUTES:
        raise ValueError(f"Timeframe {timeframe!r} is invalid; supported are {', '.join(TIMEFRAME_MINUTES)}")
    return TIMEFRAME_MINUTES[timeframe]


def max_timeframe(timeframes_list: Iterable[str]) -> str:
    """Return the largest of several timeframes up to a day; 1m for none.

    Examples
    --------
    >>> max_timeframe(["15m", "4h", "1h"])
    '4h'
    """
    within_a_day = [each for each in timeframes_list if TIMEFRAME_MINUTES[each] <= DAY]
    return max(within_a_day, key=TIMEFRAME_MINUTES.__getitem__, default="1m")


def is_backtesting() -> bool:
    """Return True: fastbt does nothing else."""
    return True


def is_live() -> bool:
    """Return False."""
    return False


is_livetrading = is_paper_trading = is_optimizing = is_importing_candles = is_live


def get_session_id() -> str:
    """Return "": Jesse names live sessions only."""
    return ""


def base_asset(symbol: str) -> str:
    """Return the first half of a symbol."""
    return symbol.split("-")[0]


def quote_asset(symbol: str) -> str:
    """Return the second half of a symbol."""
    return symbol.split("-")[1]


get_base_asset, get_quote_asset = base_asset, quote_asset


def timestamp_to_arrow(timestamp: float) -> Any:
    """Return a time in ms as an `arrow.Arrow`, UTC."""
    import arrow

    return arrow.get(timestamp / 1000)


def is_valid_uuid(uuid_to_test: str, version: int = 4) -> bool:
    """Return whether a text is a UUID, written as Python writes it.

    Examples
    --------
    >>> is_valid_uuid("123"), is_valid_uuid("1b4e28ba-2fa1-4d3b-883f-0016d3cca427")
    (False, True)
    """
    try:
        return str(uuid.UUID(uuid_to_test, version=version)) == uuid_to_test
    except ValueError:
        return False


def timestamp_to_time(timestamp: float) -> str:
    """Return a time in ms UTC as text.

    Examples
    --------
    >>> timestamp_to_time(1_609_459_260_000), timestamp_to_date(1_609_459_260_000)
    ('2021-01-01T00:01:00+00:00', '2021-01-01')
    """
    return datetime.fromtimestamp(timestamp / 1000, UTC).isoformat()


timestamp_to_iso8601 = timestamp_to_time


def timestamp_to_date(timestamp: float) -> str:
    """Return the day of a time in ms UTC as text."""
    return timestamp_to_time(timestamp)[:10]
