"""What a running sweep tells: how far it is, how long it will take, what it has found."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fastbt.compiler.sets import Rows
from fastbt.engine import layout
from fastbt.metrics.names import METRICS
from fastbt.sweep.memory import resident_memory
from fastbt.sweep.names import LOWER_IS_BETTER
from fastbt.sweep.statuses import CODE_INFEASIBLE, count_codes
from fastbt.types import Float1D, Float2D

#: Values of the metric that are kept for the histogram.
_SAMPLE = 4096
#: Seconds between two calls of a progress function.
_EVERY_S = 0.1


@dataclass(frozen=True)
class SweepProgress:
    """The state of a running sweep.

    Attributes
    ----------
    done, total : int
        Sets, over all markets; `done` counts those that an interrupted sweep left behind.
    seconds : float
        Since the start.
    rate : float
        Sets a second, of late; NaN at first.
    left_s : tuple of float
        Seconds left: expected, least and most (about 95 %, if speed varies as it did); NaN at first.
    counts : dict of int
        How many are ok, infeasible, failed, unsupported.
    metric : str
        What the best are chosen by.
    best : float
        The best value so far; NaN if there is none.
    best_set : mapping or None
        Its hyper-parameters, and its market where there are several.
    values : ndarray
        A sample of the metric's values, for a histogram.
    memory : int
        Bytes that the process holds; 0 where the system does not tell.
    """

    done: int
    total: int
    seconds: float
    rate: float
    left_s: tuple[float, float, float]
    counts: dict[str, int]
    metric: str
    best: float
    best_set: Mapping[str, Any] | None
    values: Float1D = field(repr=False)
    memory: int


#: Called now and then, first with the kernels compiled, last when all is done. What it raises ends the sweep;
#: KeyboardInterrupt ends it as Ctrl-C does, with what was done until then.
Progress = Callable[[SweepProgress], None]


def histogram(values: Float1D, bins: int) -> tuple[npt.NDArray[np.int64], float, float]:
    """Count values in bins between their 1st and 99th percentile; the outermost hold what lies beyond.

    Returns
    -------
    counts : ndarray of int64, shape (bins,)
    low, high : float
        Bounds; NaN if there are no values.

    Examples
    --------
    >>> counts, low, high = histogram(np.arange(1001.0), 5)
    >>> counts.tolist(), low, high
    ([206, 196, 196, 196, 207], 10.0, 990.0)
    """
    values = values[np.isfinite(values)]
    if not len(values):
        return np.zeros(bins, dtype=np.int64), math.nan, math.nan
    low, high = (float(each) for each in np.percentile(values, [1, 99]))
    if low == high:
        counts = np.zeros(bins, dtype=np.int64)
        counts[bins // 2] = len(values)
        return counts, low, high
    at = np.clip(((values - low) / (high - low) * bins).astype(np.int64), 0, bins - 1)
    return np.bincount(at, minlength=bins).astype(np.int64), low, high


class Tally:
    """Counts what runs come to, in bounded memory.

    Parameters
    ----------
    metric : str
        One of Jesse's metrics.
    total : int
        Sets, over all markets.
    describe : callable
        Returns hyper-parameters by market and number of the set.
    progress : callable, optional
    """

    def __init__(
        self, metric: str, total: int, describe: Callable[[int, int], Mapping[str, Any]], progress: Progress | None
    ) -> None:
        self.metric, self.total = metric, total
        self._column = METRICS.index(metric)
        self._sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
        self._describe, self._progress = describe, progress
        self.done = 0
        self.counts = count_codes(np.empty(0))
        self._best, self._best_at = math.nan, (-1, -1)
        self._values = np.empty(_SAMPLE)
        self._n_values, self._stride, self._skipped = 0, 1, 0
        self._began = time.perf_counter()
        self._told = -math.inf
        self._speeds: list[tuple[float, int]] = []

    def start(self) -> None:
        """Tell that the kernels are compiled; the speed is measured from here."""
        self._speeds = [(time.perf_counter(), self.done)]
        self.tell(at_once=True)

    def add(self, market: int, sets: Rows, outcomes: Float2D, metrics: Float2D) -> None:
        """Count sets that were run."""
        codes = outcomes[:, layout.OUTCOME_STATUS].astype(np.int64)
        self.add_values(market, sets, codes, metrics[:, self._column])

    def add_values(self, market: int, sets: Rows, codes: Rows, values: Float1D) -> None:
        """Count sets by their codes and values of the metric."""
        for key, count in count_codes(codes).items():
            self.counts[key] += count
        self.done += len(codes)
        usable = np.flatnonzero((codes == 0) & np.isfinite(values))
        if not len(usable):
            return
        found = values[usable]
        at = int(np.argmax(found * self._sign))
        value, number = float(found[at]), int(sets[usable[at]])
        better = self._sign * value > self._sign * self._best
        if math.isnan(self._best) or better or (value == self._best and (market, number) < self._best_at):
            self._best, self._best_at = value, (market, number)
        self._keep(found)

    def add_infeasible(self, n: int) -> None:
        """Count sets that could not be run."""
        self.add_values(0, np.zeros(n, dtype=np.int64), np.full(n, CODE_INFEASIBLE), np.full(n, math.nan))

    def _keep(self, found: Float1D) -> None:
        """Keep every so many of the values, fewer the more there are."""
        first = -self._skipped % self._stride
        chosen = found[first :: self._stride]
        self._skipped = (self._skipped + len(found)) % self._stride
        while self._n_values + len(chosen) > _SAMPLE:
            kept = self._values[: self._n_values : 2].copy()
            self._n_values = len(kept)
            self._values[: len(kept)] = kept
            chosen = chosen[::2]
            self._stride *= 2
        self._values[self._n_values : self._n_values + len(chosen)] = chosen
        self._n_values += len(chosen)

    def tell(self, *, at_once: bool = False) -> None:
        """Call the progress function, if it is time to."""
        now = time.perf_counter()
        if self._progress is None or (not at_once and now - self._told < _EVERY_S):
            return
        self._told = now
        self._progress(self.state())

    def state(self) -> SweepProgress:
        """Return what is known now."""
        now = time.perf_counter()
        if not self._speeds or now - self._speeds[-1][0] > 0.25:
            self._speeds = [*self._speeds[-39:], (now, self.done)]
        rate, left = self._left(now)
        best_set = None if math.isnan(self._best) else self._describe(*self._best_at)
        return SweepProgress(
            done=self.done,
            total=self.total,
            seconds=now - self._began,
            rate=rate,
            left_s=left,
            counts={key: n for key, n in self.counts.items() if key != "not run"},
            metric=self.metric,
            best=self._best,
            best_set=best_set,
            values=self._values[: self._n_values].copy(),
            memory=resident_memory(),
        )

    def _left(self, now: float) -> tuple[float, tuple[float, float, float]]:
        nothing = (math.nan, math.nan, math.nan)
        if not self._speeds:
            return math.nan, nothing
        (began, before), todo = self._speeds[0], self.total - self.done
        if self.done <= before or now <= began:
            return math.nan, nothing
        rate = (self.done - before) / (now - began)
        times = np.array([at for at, _ in self._speeds])
        counts = np.array([count for _, count in self._speeds], dtype=np.float64)
        spread = rate / 2
        if len(times) > 4:
            speeds = np.diff(counts) / np.diff(times)
            spread = min(rate / 2, 2 * float(np.std(speeds, ddof=1)) / math.sqrt(len(speeds)))
        return rate, (todo / rate, todo / (rate + spread), todo / (rate - spread))
