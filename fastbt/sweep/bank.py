"""The indicator series that parameter sets share, kept between calls within a bound of memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from fastbt.engine import frames
from fastbt.engine.frames import Frame
from fastbt.engine.python_series import PythonKey
from fastbt.engine.simulate import SeriesKey, compute_series
from fastbt.types import Float2D, Int1D

Key = SeriesKey | PythonKey


def sources_of(key: Key) -> Iterator[Key]:
    """Yield the series that a series is computed from, those before which others come last."""
    given = [what for _, what in key.inputs] if isinstance(key, PythonKey) else [key.source]
    for each in given:
        if isinstance(each, tuple):
            yield from sources_of(each[0])
            yield each[0]


def n_fields(key: Key) -> int:
    """Return how many rows a series has."""
    if isinstance(key, PythonKey):
        return key.n_rows
    return frames.n_fields(key.indicator)


class SeriesBank:
    """A matrix with one row a series, filled as series are asked for.

    Parameters
    ----------
    bars : ndarray, shape (n_bars, 6)
        Trading candles, warm-up first.
    frame_of : callable
        Returns what a strategy sees of another timeframe.
    first_bar : int
        The first bar at which anything is decided.
    threads : int
        How many series are computed at once.
    memory : int
        Bytes that the matrix may take; all series are dropped when another one would not fit.

    Attributes
    ----------
    computed : int
        How many series were computed so far; one that was dropped and asked for again counts twice.
    """

    def __init__(
        self,
        bars: Float2D,
        frame_of: Callable[[str], Frame],
        *,
        first_bar: int = 0,
        threads: int = 1,
        memory: int = 2**30,
    ) -> None:
        self._bars = bars
        self._first_bar = first_bar
        self._frame_of = frame_of
        self._threads = threads
        self.memory = memory
        self.capacity = max(1, memory // (8 * len(bars)))
        self.matrix: Float2D = np.empty((0, len(bars)))
        self._rows: dict[Key, int] = {}
        self._used = 0
        self.computed = 0

    def fits(self, n_rows: int) -> bool:
        """Tell whether so many rows can be held at once."""
        return n_rows <= self.capacity

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def nbytes(self) -> int:
        """Memory that the matrix takes."""
        return self.matrix.nbytes

    def rows(self, series: Mapping[Key, int], n_rows: int) -> Int1D:
        """Make sure that series are in the matrix.

        Parameters
        ----------
        series : mapping
            Each series and its first row, as a `Binding` counts them.
        n_rows : int
            Rows that they have in all.

        Returns
        -------
        ndarray of int64, shape (max(n_rows, 1),)
            For each row as the binding counts them its row in `matrix`.
        """
        missing = {key: row for key, row in series.items() if key not in self._rows}
        if missing and self._used + sum(map(n_fields, missing)) > self.capacity:
            self._rows, self._used, missing = {}, 0, dict(series)
        if missing:
            new, used = {}, self._used
            for key in missing:
                new[key] = used
                used += n_fields(key)
            known = {**self._rows, **new}
            self._grow(used)
            compute_series(
                new,
                used,
                self._bars,
                frame_of=self._frame_of,
                threads=self._threads,
                out=self.matrix,
                known=known,
                first_bar=self._first_bar,
            )
            # Only now: Ctrl-C may have ended it.
            self._rows, self._used = known, used
            self.computed += len(new)
        elif not len(self.matrix):
            self._grow(1)
        where = np.zeros(max(n_rows, 1), dtype=np.int64)
        for key, row in series.items():
            here = self._rows[key]
            where[row] = here
            for i in range(1, n_fields(key)):
                where[row + i] = here + i
        return where

    def _grow(self, n_rows: int) -> None:
        have = len(self.matrix)
        if n_rows <= have:
            return
        # Twice as many at once: what is copied stays in proportion to what is computed.
        room = max(n_rows, min(2 * have, self.capacity))
        matrix = np.empty((room, len(self._bars)))
        matrix[:have] = self.matrix
        self.matrix = matrix
