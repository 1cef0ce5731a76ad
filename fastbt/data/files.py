"""Candle files: Parquet and CSV tables, with whatever column names and time units they come, to a candle array."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from fastbt.data.check import COLUMNS
from fastbt.errors import CandleError, SettingsError, did_you_mean
from fastbt.types import Float1D, Float2D

if TYPE_CHECKING:
    import polars as pl

#: Names by which a column is known, the best first; written in lower case, with `_` for blanks and dashes.
ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "timestamp": ("timestamp", "open_time", "opentime", "time", "datetime", "date", "unix", "ts", "t"),
    "open": ("open", "o"),
    "close": ("close", "c"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "volume": ("volume", "base_volume", "vol", "v"),
}

#: Units of numeric timestamps, as microseconds.
_UNIT_US: Final = {"min": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}

PARQUET_SUFFIXES: Final = (".parquet", ".pq")
CSV_SUFFIXES: Final = (".csv", ".csv.gz", ".csv.zst", ".txt")

_TIME_FORMATS: Final = ("%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M%z")


def read_parquet(path: str | Path, *, unit: str | None = None) -> Float2D:
    """Return the candles of a Parquet file; see `CandleSet.from_parquet`."""
    import polars as pl

    path = _existing(path)
    _check_unit(unit)
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise CandleError(f"{path}: wanted a Parquet file; it cannot be read as one: {_one_line(error)}") from error
    return _to_array(frame, path, unit)


def read_csv(path: str | Path, *, unit: str | None = None) -> Float2D:
    """Return the candles of a CSV file; see `CandleSet.from_csv`."""
    import polars as pl

    path = _existing(path)
    _check_unit(unit)
    try:
        # As text: a number that cannot be read is then reported with its row; nothing is guessed from the first rows.
        head = pl.read_csv(path, has_header=False, infer_schema=False, n_rows=1, separator="\n", quote_char=None)
        first_line = str(head.item()) if len(head) else ""
        separator = max(",;\t", key=first_line.count)
        named = not all(_is_number(text) for text in first_line.split(separator))
        frame = pl.read_csv(path, has_header=named, infer_schema=False, separator=separator)
    except pl.exceptions.NoDataError:
        raise CandleError(f"{path}: wanted one-minute candles; the file is empty") from None
    except (pl.exceptions.PolarsError, OSError) as error:
        raise CandleError(
            f"{path}: wanted a table of comma-separated values with the same number of fields in every row; it cannot "
            f"be read as one: {_one_line(error)}"
        ) from error
    if not named:
        if frame.width != len(COLUMNS):
            raise CandleError(
                f"{path}: wanted a first line with column names, or exactly 6 numeric columns in Jesse's order "
                f"({', '.join(COLUMNS)}); was {frame.width} numeric columns without names. Add a line of names."
            )
        frame.columns = list(COLUMNS)
    return _to_array(frame, path, unit)


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if path.is_file():
        return path
    if path.is_dir():
        raise SettingsError(f"candles: wanted a Parquet or CSV file; {str(path)!r} is a folder")
    siblings = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    raise SettingsError(f"candles: wanted a file; there is no {str(path)!r}.{did_you_mean(path.name, siblings)}")


def _check_unit(unit: str | None) -> None:
    if unit is not None and unit not in _UNIT_US:
        raise SettingsError(f"unit: wanted one of {', '.join(_UNIT_US)}; was {unit!r}.{did_you_mean(unit, _UNIT_US)}")


def _to_array(frame: pl.DataFrame, path: Path, unit: str | None) -> Float2D:
    chosen = _choose_columns(frame.columns, path)
    if frame.height == 0:
        raise CandleError(f"{path}: wanted at least one candle; there is no row below the column names")
    candles = np.empty((frame.height, len(COLUMNS)))
    candles[:, 0] = _timestamps(frame[chosen["timestamp"]], path, unit)
    for k, column in enumerate(COLUMNS[1:], start=1):
        candles[:, k] = _numbers(frame[chosen[column]], path)
    return candles


def _choose_columns(names: list[str], path: Path) -> dict[str, str]:
    by_norm: dict[str, str] = {}
    for name in names:
        norm = name.strip().lower().replace(" ", "_").replace("-", "_")
        if norm in by_norm:
            raise CandleError(f"{path}: wanted each column once; columns {by_norm[norm]!r} and {name!r} are the same")
        by_norm[norm] = name
    chosen = {}
    for column, aliases in ALIASES.items():
        known = next((alias for alias in aliases if alias in by_norm), None)
        if known is None:
            raise CandleError(
                f"{path}: wanted the columns {', '.join(COLUMNS)}; there is no {column!r} (also known as "
                f"{', '.join(aliases[1:])}). The file has: {', '.join(names)}.{did_you_mean(column, names)} Rename it."
            )
        chosen[column] = by_norm[known]
    return chosen


def _numbers(series: pl.Series, path: Path) -> Float1D:
    import polars as pl

    if series.dtype.is_numeric():
        numbers = series.cast(pl.Float64)
    elif series.dtype in (pl.String, pl.Categorical, pl.Enum):
        series = series.cast(pl.String).str.strip_chars()
        numbers = series.cast(pl.Float64, strict=False)
    else:
        raise CandleError(f"{path}: wanted numbers in column {series.name!r}; was of type {series.dtype}")
    _check_read(series, numbers, path, "a number")
    return numbers.to_numpy()


def _timestamps(series: pl.Series, path: Path, unit: str | None) -> Float1D:
    import polars as pl

    if series.dtype in (pl.Datetime, pl.Date):
        micros = series.cast(pl.Datetime("us"))
        _check_read(series, micros, path, "a time")
        return _scaled(micros.cast(pl.Int64).to_numpy(), "us")
    if series.dtype in (pl.String, pl.Categorical, pl.Enum):
        series = series.cast(pl.String).str.strip_chars()
        if not _is_number(series[0]):
            micros = _parse_times(series)
            _check_read(series, micros, path, "an ISO date and time such as 2019-03-01T12:30:00Z")
            return _scaled(micros.cast(pl.Int64).to_numpy(), "us")
        # Whole numbers stay whole: nanoseconds do not fit into a float.
        numbers = series.cast(pl.Int64, strict=False)
        if numbers.null_count():
            numbers = series.cast(pl.Float64, strict=False)
    elif series.dtype.is_numeric():
        numbers = series.cast(pl.Float64 if series.dtype.is_float() or series.dtype.is_decimal() else pl.Int64)
    else:
        raise CandleError(f"{path}: wanted times in column {series.name!r}; was of type {series.dtype}")
    _check_read(series, numbers, path, "a number")
    return _scaled(numbers.to_numpy(), unit or _detect_unit(float(numbers[0]), series.name, path))


def _parse_times(series: pl.Series) -> pl.Series:
    import polars as pl

    text = series.str.replace(r"(?i)\s*(Z|UTC)$", "+00:00").str.replace(r"^(\d{4}-\d\d-\d\d)T", "$1 ")
    text = text.str.replace(r"^(\d{4}-\d\d-\d\d)$", "$1 00:00")
    zoned = text.str.contains(r":\d\d(\.\d+)?\s*[+-]\d\d:?\d\d$")
    text = pl.select(pl.when(zoned).then(text).otherwise(text + "+00:00")).to_series()
    parsed = [text.str.to_datetime(form, strict=False, time_unit="us") for form in _TIME_FORMATS]
    return pl.select(pl.coalesce(parsed)).to_series()


def _detect_unit(value: float, column: str, path: Path) -> str:
    # The ranges are what each unit counts between 1973 (minutes: 1989) and 5138; no two overlap.
    for unit, least, most in (("min", 1e7, 1e8), ("s", 1e8, 1e11), ("ms", 1e11, 1e14), ("us", 1e14, 1e17)):
        if least <= value < most:
            return unit
    raise CandleError(
        f"{path}: wanted timestamps in minutes, seconds, milliseconds or microseconds since 1970-01-01 UTC in column "
        f"{column!r}; the first is {value:.0f}. Say which with unit='s', 'ms' or 'us'."
    )


def _scaled(numbers: npt.NDArray[np.int64] | Float1D, unit: str) -> Float1D:
    if _UNIT_US[unit] >= _UNIT_US["ms"]:
        return np.asarray(numbers, dtype=np.float64) * (_UNIT_US[unit] // _UNIT_US["ms"])
    return np.asarray(numbers / 1000.0, dtype=np.float64)


def _check_read(series: pl.Series, read: pl.Series, path: Path, wanted: str) -> None:
    if read.null_count() == 0:
        return
    row = int(np.argmax(read.is_null().to_numpy()))
    was = series[row]
    tell = "empty" if was is None or was == "" else repr(was)
    raise CandleError(
        f"{path}: wanted {wanted} in column {series.name!r}, row {row} (counted from 0, below the column names); was "
        f"{tell}. Correct or remove the row."
    )


def _is_number(text: str | None) -> bool:
    try:
        float(text or "")
    except ValueError:
        return False
    return True


def _one_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
