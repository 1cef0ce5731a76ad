"""The candles that a strategy can see, minute by minute (specification 1.6 and 4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from fastbt.engine.jesse_exceptions import RouteNotFound
from fastbt.engine.sizing import timeframe_to_one_minutes
from fastbt.types import CLOSE, HIGH, LOW, MINUTE_MS, OPEN, TIMEFRAME_MINUTES, TIMESTAMP, VOLUME, Float1D, Float2D


def aggregate(rows: Float2D) -> Float1D:
    """Return the candle that consecutive candles form.

    Parameters
    ----------
    rows : ndarray, shape (n, 6), float64
        At least one candle.

    Returns
    -------
    ndarray, shape (6,), float64
        First timestamp and open, last close, highest high, lowest low, sum of the volumes.

    Examples
    --------
    >>> aggregate(np.array([[0, 1.0, 2.0, 3.0, 1.0, 5.0], [60_000, 2.0, 1.5, 2.5, 0.5, 7.0]]))
    array([ 0. ,  1. ,  1.5,  3. ,  0.5, 12. ])
    """
    return np.array(
        [
            rows[0, TIMESTAMP],
            rows[0, OPEN],
            rows[-1, CLOSE],
            rows[:, HIGH].max(),
            rows[:, LOW].min(),
            rows[:, VOLUME].sum(),
        ]
    )


class _Rows:
    """Candles of one symbol and timeframe, in an array with room to grow."""

    def __init__(self, capacity: int) -> None:
        self._array = np.zeros((capacity, 6))
        self.length = 0

    @property
    def visible(self) -> Float2D:
        """A view: a strategy that writes into it changes the stored candles, as it would in Jesse."""
        return self._array[: self.length]

    def put(self, candle: Float1D) -> None:
        """Append a candle, or replace the last one if it has the same timestamp."""
        if self.length == 0 or candle[TIMESTAMP] > self._array[self.length - 1, TIMESTAMP]:
            self.length += 1
        self._array[self.length - 1] = candle


class CandleStore:
    """Candles of every symbol in 1m and in every timeframe that any route uses.

    Parameters
    ----------
    symbols : collection of str
        Symbols with candles.
    routes : sequence of (symbol, timeframe)
        Trading routes, then data routes.
    n_minutes : int
        Candles of each symbol, warm-up included.
    """

    def __init__(self, symbols: Collection[str], routes: Sequence[tuple[str, str]], n_minutes: int) -> None:
        self._routes = tuple(routes)
        used = {"1m", *(timeframe for _, timeframe in routes)}
        #: Larger timeframes and their minutes, in ascending order.
        self.timeframes = [
            (name, minutes) for name, minutes in TIMEFRAME_MINUTES.items() if name in used and name != "1m"
        ]
        self._rows = {(symbol, "1m"): _Rows(n_minutes) for symbol in symbols}
        for name, minutes in self.timeframes:
            # One more for a last candle that never completes.
            self._rows |= {(symbol, name): _Rows(n_minutes // minutes + 1) for symbol in symbols}

    def warm_up(self, symbol: str, candles: Float2D) -> None:
        """Make candles from before the start visible; they begin and end on boundaries of every timeframe."""
        for candle in candles:
            self._rows[symbol, "1m"].put(candle)
        for name, minutes in self.timeframes:
            for i in range(0, len(candles), minutes):
                self._rows[symbol, name].put(aggregate(candles[i : i + minutes]))

    def put_minute(self, symbol: str, candle: Float1D) -> None:
        """Make a 1m candle visible, or restore it after its parts were published."""
        self._rows[symbol, "1m"].put(candle)

    def put_completed(self, symbol: str, timeframe: str, rows: Float2D) -> None:
        """Make the candle of a completed timeframe visible."""
        self._rows[symbol, timeframe].put(aggregate(rows))

    def publish_part(self, symbol: str, candle: Float1D) -> None:
        """Make the part of a minute up to a fill visible, in 1m and in the timeframes of this symbol's own routes."""
        self.put_minute(symbol, candle)
        for of_symbol, timeframe in self._routes:
            if of_symbol == symbol and timeframe != "1m":
                elapsed = int(candle[TIMESTAMP] % (TIMEFRAME_MINUTES[timeframe] * MINUTE_MS) // MINUTE_MS) + 1
                self._rows[symbol, timeframe].put(aggregate(self._rows[symbol, "1m"].visible[-elapsed:]))

    def visible(self, symbol: str, timeframe: str) -> Float2D:
        """Return the candles up to now, the last of a larger timeframe as far as it has formed.

        Returns
        -------
        ndarray, shape (n_visible, 6), float64
            A view of the store. The forming candle is stored with it, as Jesse does.

        Raises
        ------
        InvalidTimeframe
            If Jesse has no such timeframe.
        RouteNotFound
            If no route declares it.
        """
        if timeframe == "1m":
            return self._find(symbol, "1m").visible
        minutes = timeframe_to_one_minutes(timeframe)
        short, long = self._find(symbol, "1m"), self._find(symbol, timeframe)
        forming = short.length % minutes
        if forming:
            long.put(aggregate(short.visible[-forming:]))
        return long.visible

    def current(self, symbol: str, timeframe: str) -> Float1D:
        """Return a copy of the last visible candle, formed as far as it has; nothing is stored."""
        short = self._find(symbol, "1m")
        forming = short.length % timeframe_to_one_minutes(timeframe)
        if forming:
            return aggregate(short.visible[-forming:])
        rows = self._find(symbol, timeframe).visible
        return rows[-1].copy() if len(rows) else np.zeros((0, 6))

    def _find(self, symbol: str, timeframe: str) -> _Rows:
        try:
            return self._rows[symbol, timeframe]
        except KeyError:
            raise RouteNotFound(symbol, timeframe) from None
