"""One symbol's one-minute candles, read and checked once, never changed after."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fastbt.data.check import check_candles, check_shape
from fastbt.data.gaps import Gap, fill_gaps, gap_report
from fastbt.data.times import Time, iso, to_ms
from fastbt.errors import CandleError, SettingsError, ShapeError, did_you_mean
from fastbt.types import MINUTE_MS, TIMESTAMP, Float2D

#: Names given to candles that come without.
UNNAMED_SYMBOL: Final = "BASE-QUOTE"
UNNAMED_EXCHANGE: Final = "Unnamed"

_QUOTES: Final = "USDT|USDC|BUSD|TUSD|USD|EUR|GBP|JPY|TRY|BTC|ETH|BNB"
# A lookahead, so that the matches may overlap: BINANCE_BTC_USDT holds two.
_KNOWN: Final = re.compile(rf"(?<![A-Z0-9])(?=([A-Z0-9]{{2,10}}?)[-_]?({_QUOTES})(?![A-Z0-9]))")
_DASHED: Final = re.compile(r"(?<![A-Z0-9])([A-Z0-9]{2,10})-([A-Z]{3,5})(?![A-Z0-9])")


@dataclass(frozen=True, eq=False, repr=False)
class CandleSet:
    """One symbol's one-minute candles: checked, named, immutable.

    Parameters
    ----------
    array : ndarray, shape (n, 6)
        Timestamp (ms UTC, open time), open, close, high, low (quote), volume (base): Jesse's column order, in which
        close comes second. It is copied and checked by `check_candles`. Absent minutes are allowed: see `gaps`.
    symbol : str, optional
        ``"BASE-QUOTE"``, as Jesse writes it.
    exchange : str, optional
        Name of the exchange; any text.

    Attributes
    ----------
    array : ndarray, shape (n, 6), float64
        The candles: C-contiguous and read-only.
    symbol, exchange : str
        What they are candles of.

    Raises
    ------
    ShapeError, CandleError
        If the array cannot be used.
    SettingsError
        If the symbol is not of the form ``"BASE-QUOTE"``.

    Examples
    --------
    >>> candles = CandleSet.load("BTC-USD")
    >>> candles
    CandleSet(BTC-USD on Bitfinex, 2019-01-01T00:00:00Z to 2020-01-01T00:00:00Z, 512,727 rows, 12,873 minutes missing)
    >>> day = candles.between("2019-03-01", "2019-03-02").fill_gaps()
    >>> day.array.shape
    (1440, 6)
    """

    array: Float2D
    symbol: str = UNNAMED_SYMBOL
    exchange: str = UNNAMED_EXCHANGE

    def __post_init__(self) -> None:
        try:
            array = np.array(self.array, dtype=np.float64, order="C")
        except (ValueError, TypeError) as error:
            raise ShapeError(
                f"candles: wanted numbers of shape (n, 6); they cannot be read as such: {error}"
            ) from error
        self._adopt(array)

    def _adopt(self, array: Float2D) -> None:
        _check_symbol(self.symbol)
        if not isinstance(self.exchange, str) or not self.exchange:
            raise SettingsError(f"exchange: wanted a name; was {self.exchange!r}")
        check_candles(array)
        array.flags.writeable = False
        object.__setattr__(self, "array", array)

    @classmethod
    def from_array(
        cls, array: npt.ArrayLike, *, symbol: str = UNNAMED_SYMBOL, exchange: str = UNNAMED_EXCHANGE
    ) -> CandleSet:
        """Return the candles of an array; see the class.

        Examples
        --------
        >>> CandleSet.from_array([[1546300800000, 10, 11, 12, 9, 1]], symbol="BTC-USDT")
        CandleSet(BTC-USDT on Unnamed, 2019-01-01T00:00:00Z to 2019-01-01T00:01:00Z, 1 row, 0 minutes missing)
        """
        return cls(array, symbol, exchange)  # type: ignore[arg-type]

    @classmethod
    def from_parquet(
        cls, path: str | Path, *, unit: str | None = None, symbol: str | None = None, exchange: str | None = None
    ) -> CandleSet:
        """Return the candles of a Parquet file.

        Parameters
        ----------
        path : str or Path
            A table with the columns timestamp (also: open_time, time, datetime, date, unix), open, close, high, low and
            volume, in any order and case; others are ignored.
        unit : {'min', 's', 'ms', 'us'}, optional
            Unit of numeric timestamps; by default told from their size. Dates and ISO text need none; they are UTC if
            they name no time zone.
        symbol, exchange : str, optional
            By default the symbol is told from the file name (``BTC-USDT.parquet``, ``btcusdt_2023.csv``).

        Returns
        -------
        CandleSet
            One row for each row of the file.

        Raises
        ------
        SettingsError
            If there is no such file, or `unit` is unknown.
        CandleError
            If the file cannot be read, lacks a column, holds text where a number belongs (names column, row and text),
            or its candles cannot be used (names the row; rows are counted from 0 below the column names).

        Examples
        --------
        >>> from fastbt.data.samples import sample_files
        >>> len(CandleSet.from_parquet(sample_files()["ETH-USD"]))
        238857
        """
        from fastbt.data.files import read_parquet

        return cls._from_file(read_parquet(path, unit=unit), path, symbol, exchange)

    @classmethod
    def from_csv(
        cls, path: str | Path, *, unit: str | None = None, symbol: str | None = None, exchange: str | None = None
    ) -> CandleSet:
        r"""Return the candles of a CSV file, compressed or not.

        As `from_parquet`. Fields are separated by comma, semicolon or tab. A file without a line of column names must
        have exactly 6 numeric columns in Jesse's order: timestamp, open, close, high, low, volume.

        Examples
        --------
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "BTC-USDT.csv"
        >>> _ = path.write_text("date,open,high,low,close,volume\n2019-01-01 00:00,10,12,9,11,1\n")
        >>> CandleSet.from_csv(path).array[0, 1:]
        array([10., 11., 12.,  9.,  1.])
        """
        from fastbt.data.files import read_csv

        return cls._from_file(read_csv(path, unit=unit), path, symbol, exchange)

    @classmethod
    def load(
        cls, source: str | Path, *, unit: str | None = None, symbol: str | None = None, exchange: str | None = None
    ) -> CandleSet:
        """Return the candles of a Parquet or CSV file, or of a bundled sample.

        Parameters
        ----------
        source : str or Path
            A file, read as its suffix says (.parquet, .pq, .csv, .csv.gz, .csv.zst, .txt), or the name of a sample:
            see `fastbt.data.sample_names`.
        unit, symbol, exchange : str, optional
            As in `from_parquet`.

        Returns
        -------
        CandleSet
            The candles.

        Raises
        ------
        SettingsError
            If there is neither such a file nor such a sample, or the suffix is unknown.
        CandleError
            As in `from_parquet`.

        Examples
        --------
        >>> CandleSet.load("BTC-UDS")
        Traceback (most recent call last):
        fastbt.errors.SettingsError: candles: ... Did you mean 'BTC-USD'?
        """
        from fastbt.data.files import CSV_SUFFIXES, PARQUET_SUFFIXES
        from fastbt.data.samples import sample_files

        samples = sample_files()
        name = str(source)
        if name in samples:
            sample = cls.from_parquet(samples[name], unit="min", symbol=name, exchange="Bitfinex")
            return (
                sample if symbol is None and exchange is None else sample.named(symbol or name, exchange or "Bitfinex")
            )
        if name.lower().endswith(PARQUET_SUFFIXES):
            return cls.from_parquet(source, unit=unit, symbol=symbol, exchange=exchange)
        if name.lower().endswith(CSV_SUFFIXES):
            return cls.from_csv(source, unit=unit, symbol=symbol, exchange=exchange)
        if Path(source).is_file():
            raise SettingsError(
                f"candles: wanted a file that ends in {', '.join(PARQUET_SUFFIXES + CSV_SUFFIXES)}; was {name!r}"
            )
        raise SettingsError(
            f"candles: wanted a file ({', '.join(PARQUET_SUFFIXES + CSV_SUFFIXES)}) or one of the samples "
            f"{', '.join(samples)}; was {name!r}.{did_you_mean(name.upper(), samples)}"
        )

    @classmethod
    def _from_file(cls, array: Float2D, path: str | Path, symbol: str | None, exchange: str | None) -> CandleSet:
        try:
            return cls._owning(array, symbol or _symbol_in(Path(path).name), exchange or UNNAMED_EXCHANGE)
        except CandleError as error:
            raise CandleError(f"{path}: {error}") from None

    @classmethod
    def _owning(cls, array: Float2D, symbol: str, exchange: str) -> CandleSet:
        """Return checked candles without a copy of the array."""
        self = object.__new__(cls)
        object.__setattr__(self, "symbol", symbol)
        object.__setattr__(self, "exchange", exchange)
        self._adopt(array)
        return self

    def _with(self, array: Float2D) -> CandleSet:
        """Return other candles of the same symbol; `array` is known to be good."""
        other = object.__new__(CandleSet)
        array.flags.writeable = False
        for name, value in (("array", array), ("symbol", self.symbol), ("exchange", self.exchange)):
            object.__setattr__(other, name, value)
        return other

    def __reduce__(self) -> tuple[Any, ...]:
        # numpy forgets that an array is read-only when it is pickled.
        return _unpickle, (self.array, self.symbol, self.exchange)

    def __len__(self) -> int:
        return len(self.array)

    def __repr__(self) -> str:
        rows = "1 row" if len(self) == 1 else f"{len(self):,} rows"
        missing = self.missing_minutes
        minutes = "1 minute" if missing == 1 else f"{missing:,} minutes"
        period = f"{self.start_time} to {self.finish_time}"
        return f"CandleSet({self.symbol} on {self.exchange}, {period}, {rows}, {minutes} missing)"

    @property
    def start(self) -> int:
        """The first minute, ms UTC."""
        return int(self.array[0, TIMESTAMP])

    @property
    def finish(self) -> int:
        """The end of the last minute, ms UTC: the first moment that is not covered."""
        return int(self.array[-1, TIMESTAMP]) + MINUTE_MS

    @property
    def start_time(self) -> str:
        """`start` as ISO text."""
        return iso(self.start)

    @property
    def finish_time(self) -> str:
        """`finish` as ISO text."""
        return iso(self.finish)

    @property
    def missing_minutes(self) -> int:
        """How many minutes between the first and the last are absent."""
        return (self.finish - self.start) // MINUTE_MS - len(self)

    @cached_property
    def gaps(self) -> list[Gap]:
        """The absent minutes: see `gap_report`."""
        return gap_report(self.array)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the numbers alone: the same candles have the same hash, whatever they are called."""
        data = np.ascontiguousarray(self.array, dtype="<f8")
        return hashlib.sha256(data.data).hexdigest()

    def named(self, symbol: str, exchange: str | None = None) -> CandleSet:
        """Return the same candles under another name.

        Examples
        --------
        >>> CandleSet.from_array([[1546300800000, 10, 11, 12, 9, 1]]).named("ETH-USDT").symbol
        'ETH-USDT'
        """
        return CandleSet._owning(self.array, symbol, self.exchange if exchange is None else exchange)

    def between(self, start: Time, finish: Time) -> CandleSet:
        """Return the candles of a period.

        Parameters
        ----------
        start : str, int or datetime
            First moment of the period: ISO text, datetime or ms; UTC if it names no time zone.
        finish : str, int or datetime
            End of the period, itself not included.

        Returns
        -------
        CandleSet
            A view: nothing is copied.

        Raises
        ------
        SettingsError
            If `start` is not before `finish`, or the candles do not cover the period; names what is available.

        Examples
        --------
        >>> CandleSet.load("BTC-USD").between("2019-01-01", "2019-02-01").finish_time
        '2019-02-01T00:00:00Z'
        """
        begin, end = to_ms(start, "start"), to_ms(finish, "finish")
        available = f"{self.symbol} is available from {self.start_time} to {self.finish_time}"
        if begin >= end:
            raise SettingsError(
                f"between: wanted a start before the finish; was {iso(begin)} to {iso(end)}. {available}."
            )
        for name, moment in (("start", begin), ("finish", end)):
            if not self.start <= moment <= self.finish:
                raise SettingsError(f"{name}: {available} (not included); was {iso(moment)}.")
        timestamp = self.array[:, TIMESTAMP]
        first, stop = np.searchsorted(timestamp, [begin, end]).tolist()
        if first == stop:
            raise SettingsError(
                f"between: there is no candle from {iso(begin)} to {iso(end)}: these minutes are absent. "
                "Use fill_gaps() first."
            )
        return self if stop - first == len(self) else self._with(self.array[first:stop])

    def fill_gaps(self, start: Time | None = None, finish: Time | None = None) -> CandleSet:
        """Return the candles with every absent minute filled; see `fastbt.data.fill_gaps`.

        Examples
        --------
        >>> CandleSet.load("BTC-USD").fill_gaps().missing_minutes
        0
        """
        begin = self.start if start is None else start
        end = self.finish if finish is None else finish
        if not self.missing_minutes and to_ms(begin) == self.start and to_ms(end) == self.finish:
            return self
        return self._with(fill_gaps(self.array, start, finish))

    def resample(self, timeframe: str) -> Float2D:
        """Return the bars of a timeframe; see `fastbt.data.resample`.

        Examples
        --------
        >>> CandleSet.load("BTC-USD").fill_gaps().resample("1D").shape
        (365, 6)
        """
        from fastbt.data.resampling import resample

        return resample(self.array, timeframe)


def _unpickle(array: Float2D, symbol: str, exchange: str) -> CandleSet:
    array = check_shape(array)
    self = object.__new__(CandleSet)
    object.__setattr__(self, "symbol", symbol)
    object.__setattr__(self, "exchange", exchange)
    return self._with(array)


def _check_symbol(symbol: str) -> None:
    parts = symbol.split("-") if isinstance(symbol, str) else []
    if len(parts) != 2 or not all(parts):
        raise SettingsError(f"symbol: wanted base and quote with a dash between, such as 'BTC-USDT'; was {symbol!r}")


def _symbol_in(file_name: str) -> str:
    """Return the symbol that a file name tells, or a neutral one."""
    found = _KNOWN.findall(file_name.upper()) or _DASHED.findall(file_name.upper())
    return "-".join(found[-1]) if found else UNNAMED_SYMBOL
