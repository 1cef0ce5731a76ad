"""Routes and candles of a run: what is refused before it begins, as they would give other results in Jesse."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from fastbt.data.check import check_candles
from fastbt.engine.routes import check_symbol, check_timeframe, quote_asset
from fastbt.errors import CandleError, SettingsError
from fastbt.types import MINUTE_MS, TIMEFRAME_MINUTES, TIMESTAMP, Float2D


def check_routes(
    symbols: Sequence[str], data_routes: Sequence[tuple[str, str]], candles: Mapping[str, Float2D]
) -> None:
    """Refuse routes that do not fit together: `symbols` are those that are traded, in route order.

    Raises
    ------
    SettingsError
        If nothing or a symbol twice is traded, quote assets differ, or candles are wanted that are not given, or given
        that are not wanted.
    """
    if not symbols:
        raise SettingsError("wanted at least one route; there was none")
    for symbol in symbols:
        if symbols.count(symbol) > 1:
            raise SettingsError(f"a symbol is traded by one route only; {symbol} was traded by {symbols.count(symbol)}")
    quotes = sorted({quote_asset(symbol) for symbol in symbols})
    if len(quotes) > 1:
        raise SettingsError(f"all trading routes want the same quote asset; there were {', '.join(quotes)}")
    for symbol, timeframe in data_routes:
        check_symbol(symbol)
        check_timeframe(timeframe)
    wanted = dict.fromkeys([*symbols, *(symbol for symbol, _ in data_routes)])
    for symbol in wanted:
        if symbol not in candles:
            raise SettingsError(f"candles are wanted for {', '.join(wanted)}; there were none for {symbol}")
    for symbol in candles:
        if symbol not in wanted:
            raise SettingsError(f"there are candles of {symbol}, which no route or data route names; leave them out")


def check_dense(candles: Mapping[str, Float2D]) -> Float2D:
    """Return the first symbol's candles; all have the same times, a minute apart.

    Raises
    ------
    CandleError, ShapeError
        If candles cannot be used, lack a minute, or differ in their times.
    """
    first = next(iter(candles.values()))
    for symbol, rows in candles.items():
        check_candles(rows)
        _check_no_gap(symbol, rows)
        if not np.array_equal(rows[:, TIMESTAMP], first[:, TIMESTAMP]):
            raise CandleError(
                f"all symbols want candles of the same minutes; {next(iter(candles))} had {len(first)} from "
                f"{first[0, TIMESTAMP]:.0f} (ms UTC), {symbol} {len(rows)} from {rows[0, TIMESTAMP]:.0f}"
            )
    return first


def _check_no_gap(symbol: str, rows: Float2D) -> None:
    gaps = np.flatnonzero(np.diff(rows[:, TIMESTAMP]) != MINUTE_MS)
    if len(gaps):
        row = int(gaps[0]) + 1
        raise CandleError(
            f"{symbol}: wanted a candle for every minute; the one before row {row} ({rows[row, TIMESTAMP]:.0f}) is "
            "missing. Fill the gaps first (fastbt.data.fill_gaps)"
        )


def check_warmup(warmup: Mapping[str, Float2D] | None, symbols: Sequence[str], start: float) -> dict[str, Float2D]:
    """Return the minutes before the start for every symbol; they reach up to it without a gap.

    Raises
    ------
    SettingsError, CandleError
        If a symbol has none, or they have a gap.
    """
    if not warmup:
        return {}
    warm: dict[str, Float2D] = {}
    for symbol in dict.fromkeys(symbols):
        if symbol not in warmup:
            raise SettingsError(f"warm-up candles are wanted for every symbol; there were none for {symbol}")
        check_candles(warmup[symbol])
        rows = warmup[symbol][warmup[symbol][:, TIMESTAMP] < start]
        if len(rows) == 0 or rows[-1, TIMESTAMP] + MINUTE_MS != start:
            raise CandleError(f"{symbol}: the warm-up wants to end where the candles start, at {start:.0f} (ms UTC)")
        _check_no_gap(symbol, rows)
        warm[symbol] = rows
    return warm


def check_alignment(start: float, warm: Mapping[str, Float2D], timeframes: Sequence[str]) -> None:
    """Refuse what Jesse would silently turn into candles of other hours.

    Raises
    ------
    SettingsError
        If the start or the length of the warm-up is not on a boundary of every timeframe.
    """
    names = ", ".join(dict.fromkeys(timeframes))
    minutes = math.lcm(*(TIMEFRAME_MINUTES[timeframe] for timeframe in timeframes))
    if start % (minutes * MINUTE_MS) != 0:
        raise SettingsError(
            f"the start wants to lie on a boundary of every timeframe ({names}), that is every {minutes} minutes since "
            f"1970; it was {start:.0f} (ms UTC)"
        )
    for symbol, rows in warm.items():
        if len(rows) % minutes != 0:
            raise SettingsError(
                f"{symbol}: the warm-up wants a multiple of {minutes} minutes (timeframes {names}); it had {len(rows)}"
            )
