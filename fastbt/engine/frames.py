"""Candles of another timeframe or symbol as a strategy sees them at its bars, the newest perhaps forming (4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fastbt.data import resample, warmup_bars
from fastbt.data._kernels import _aggregate
from fastbt.errors import SettingsError
from fastbt.indicators import _registry
from fastbt.types import MINUTE_MS, TIMEFRAME_MINUTES, TIMESTAMP, VOLUME, Float1D, Float2D, Int1D

if TYPE_CHECKING:
    from fastbt.engine.simulate import SeriesKey

#: Stands for the number of candles where a column is asked for.
COUNT: Final = 6


@dataclass(frozen=True)
class Frame:
    """Candles beside the ones that are traded.

    Attributes
    ----------
    name : str
        For messages: the timeframe, after the symbol if that is another than the traded one.
    rows : ndarray, shape (n, 6)
        Its completed candles, warm-up first.
    newest : ndarray, shape (n_bars,), int64
        Row of the newest candle that `get_candles` returns at the close of each traded bar.
    forming : ndarray, shape (n_bars, 6)
        That candle where it is not complete; NaN where it is.
    first_bar : int
        The first bar that is traded; those before it belong to the warm-up and are never asked for.
    """

    name: str
    rows: Float2D
    newest: Int1D
    forming: Float2D
    first_bar: int


def build_frame(
    name: str, timeframe: str, warmup: Float2D, minutes: Float2D, *, bar_minutes: int, first_bar: int, n_bars: int
) -> Frame:
    """Return what a strategy sees of a timeframe at each of its bars.

    Parameters
    ----------
    name, timeframe : str
    warmup, minutes : ndarray, shape (n, 6)
        One-minute candles before and of the trading; the warm-up a multiple of the timeframe.
    bar_minutes : int
        Minutes of a traded bar.
    first_bar, n_bars : int
        Index of the first traded bar, and number of bars with the warm-up.
    """
    length = TIMEFRAME_MINUTES[timeframe]
    if len(warmup) % length or int(minutes[0, TIMESTAMP]) % (length * MINUTE_MS):
        raise SettingsError(
            f"the strategy uses {name} candles: the trading must start on a boundary of {timeframe}, and the "
            f"warm-up be a multiple of {length} minutes; it has {len(warmup)}"
        )
    before = warmup_bars(warmup, timeframe, int(minutes[0, TIMESTAMP])) if len(warmup) else np.empty((0, 6))
    rows = np.vstack([before, minutes if length == 1 else resample(minutes, timeframe)])
    newest = np.full(n_bars, -1, dtype=np.int64)
    if first_bar > 0:
        newest[first_bar - 1] = len(before) - 1
    forming = np.full((n_bars, 6), np.nan)
    volume = minutes[:, VOLUME]
    for t in range(first_bar, n_bars):
        seen = (t - first_bar + 1) * bar_minutes
        rest = seen % length
        newest[t] = len(before) + seen // length - (rest == 0)
        if rest:
            _aggregate(minutes, volume, seen - rest, rest, forming[t])
    return Frame(name, rows, newest, forming, first_bar)


def n_fields(indicator: str) -> int:
    """Return how many rows of the series matrix an indicator takes, or a column or all candles of a timeframe."""
    special = {"column": 1, "parallel": 1, "rows": 7}
    return special[indicator] if indicator in special else len(_registry.get(indicator).fields)


def frame_rows(frame: Frame, out: Float2D) -> None:
    """Put the completed candles of a timeframe where kernels find them: a row for each column, then their number.

    The last row begins with the number of candles before the trading, or -1 if there is no room.
    """
    n = len(frame.rows)
    fits = n <= out.shape[1]
    out[:] = np.nan
    if fits:
        out[:6, :n] = frame.rows.T
    out[6, 0] = int(frame.newest[frame.first_bar - 1]) + 1 if fits and frame.first_bar > 0 else 0 if fits else -1


def frame_series(key: SeriesKey, frame: Frame, out: Float2D) -> None:
    """Fill the rows of one series of another timeframe: for each bar the value that is seen there.

    Raises
    ------
    SettingsError
        If the strategy asks for candles from before the first one.
    """
    first, newest = frame.first_bar, frame.newest
    if key.indicator == "rows":
        frame_rows(frame, out)
        return
    out[:, :first] = np.nan
    if key.indicator == "column" and int(key.params[0]) == COUNT:
        out[0] = np.maximum(newest + 1 - key.end, 0)
        return
    if key.indicator == "parallel":
        _fill_parallel(frame, int(key.params[0]), out[0])
        return
    if newest[first] < key.end:
        raise SettingsError(
            f"the strategy reads the {frame.name} candle {key.end} before the newest at its first bar, where "
            f"there are only {newest[first] + 1}; give more warm-up"
        )
    if key.indicator == "column":
        column = int(key.params[0])
        out[0, first:] = _where_complete(frame, key.end, frame.rows[:, column], frame.forming[:, column])
        if first > 0 and newest[first - 1] >= key.end:
            out[0, first - 1] = frame.rows[newest[first - 1] - key.end, column]
        return
    indicator = _registry.get(key.indicator)
    assert not isinstance(key.source, tuple)
    data = indicator.select(frame.rows, key.source, key.params)
    # As in the traded timeframe, [-1] of a sequential series is the non-sequential value over all rows.
    complete = _registry.compute(indicator, data, key.params, sequential=False, window=key.window)
    if first > 0 and newest[first - 1] >= key.end:
        out[:, first - 1] = complete[:, newest[first - 1] - key.end]
    if key.end or not np.isfinite(frame.forming[first:, TIMESTAMP]).any():
        out[:, first:] = complete[:, newest[first:] - key.end]
        return
    params = np.array(key.params, dtype=np.float64)
    for t in range(first, len(newest)):
        row = int(newest[t])
        if np.isnan(frame.forming[t, TIMESTAMP]):
            out[:, t] = complete[:, row]
            continue
        start = max(0, row + 1 - key.window) if key.window > 0 else 0
        seen = np.vstack([frame.rows[start:row], frame.forming[t]])
        visible = indicator.arranged(indicator.select(seen, key.source, params), params)
        values = np.empty((len(out), len(seen)))
        indicator.run(visible, params, values)
        out[:, t] = values[:, -1]


def _fill_parallel(frame: Frame, column: int, out: Float1D) -> None:
    """Fill one number a bar, warm-up included, of candles whose rows are those of the traded ones."""
    n = len(out)
    if not np.array_equal(frame.newest[frame.first_bar :], np.arange(frame.first_bar, n)):
        raise SettingsError(
            f"the strategy takes rows of the {frame.name} candles beside its own; give both the same warm-up"
        )
    out[:] = frame.rows[:n, column]


def _where_complete(frame: Frame, end: int, complete: Float2D, forming: Float2D) -> Float2D:
    """Return one number a bar: of a completed candle, or of the one that forms."""
    newest = frame.newest[frame.first_bar :]
    if end:
        return complete[newest - end]
    is_forming = ~np.isnan(frame.forming[frame.first_bar :, TIMESTAMP])
    safe = np.minimum(newest, len(complete) - 1)
    return np.where(is_forming, forming[frame.first_bar :], complete[safe])
