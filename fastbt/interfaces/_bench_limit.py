"""fastbt's kernel beside the least that the common workload costs: a loop in C that simulates no exchange.

One core for both. Averages and lists of crossings are off the clock for C; fastbt makes its lists in the kernel, on the
clock. Net profit and number of trades of every set are compared first.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fastbt.interfaces import _bench_workload as workload
from fastbt.interfaces._bench_jesse import Say
from fastbt.interfaces._bench_parts import Check, Figure, Row, Section, clocked_in_a_row
from fastbt.metrics.names import METRICS
from fastbt.sweep.evaluate import Evaluator
from fastbt.sweep.sweep import make_account_of, make_session
from fastbt.types import CLOSE, HIGH, LOW, Float1D, Float2D, Int1D

COMPILER: Final = "gcc"
FLAGS: Final = ("-O3", "-march=native", "-shared", "-fPIC")
_DOUBLES = ctypes.POINTER(ctypes.c_double)


def build(folder: Path) -> ctypes.CDLL:
    """Compile the loop."""
    library = folder / "limit.so"
    source = Path(__file__).with_name("_bench_limit.c")
    subprocess.run([COMPILER, *FLAGS, "-o", library, source], check=True)
    return ctypes.CDLL(str(library))


def extremes(candles: Float2D) -> list[Float1D]:
    """Return closes, lows and highs, and the pyramid over them."""
    close, low, high = (np.ascontiguousarray(candles[:, column]) for column in (CLOSE, LOW, HIGH))
    arrays = [close, low, high]
    for size in (16, 256, 4096):
        starts = np.arange(0, len(low), size)
        arrays += [np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)]
    return arrays


def crossings(closes: Float1D, fast: int, slow: int, first: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    """Return the bars from `first` on at which the averages cross, counted from there, and the sides."""
    from fastbt import indicators as ta

    a, b = (np.asarray(ta.sma(closes, period, sequential=True)) for period in (fast, slow))
    up = (a[:-1] <= b[:-1]) & (a[1:] > b[1:])
    down = (a[:-1] >= b[:-1]) & (a[1:] < b[1:])
    at = np.flatnonzero(up | down) + 1
    at = at[at >= first]
    return (at - first).astype(np.int32), np.where(up[at - 1], 1, -1).astype(np.int8)


class Limit:
    """The loop in C, ready to run all sets.

    Parameters
    ----------
    library : CDLL
    candles : ndarray, shape (n, 6)
        Warm-up first.
    """

    def __init__(self, library: ctypes.CDLL, candles: Float2D) -> None:
        self.library = library
        self.n = len(candles) - workload.WARMUP_BARS
        self.arrays = extremes(candles[workload.WARMUP_BARS :])
        self.events = [
            crossings(candles[:, CLOSE], fast, slow, workload.WARMUP_BARS) for fast, slow in workload.windows()
        ]
        self.stops, self.targets = (np.array(each) for each in zip(*workload.STOPS, strict=True))

    def __call__(self) -> tuple[Float1D, Int1D]:
        """Run every set; return profits and numbers of trades."""
        size = len(self.stops)
        profit, trades = np.empty(size * len(self.events)), np.empty(size * len(self.events), dtype=np.int64)
        arrays = (_DOUBLES * 9)(*(each.ctypes.data_as(_DOUBLES) for each in self.arrays))
        for i, (bars, sides) in enumerate(self.events):
            self.library.run_sets(
                arrays,
                ctypes.c_int64(self.n),
                ctypes.c_void_p(bars.ctypes.data),
                ctypes.c_void_p(sides.ctypes.data),
                ctypes.c_int64(len(bars)),
                ctypes.c_void_p(self.stops.ctypes.data),
                ctypes.c_void_p(self.targets.ctypes.data),
                ctypes.c_int64(size),
                ctypes.c_double(workload.FEE),
                ctypes.c_void_p(profit[i * size :].ctypes.data),
                ctypes.c_void_p(trades[i * size :].ctypes.data),
            )
        return profit, trades


def beside_c(n_bars: int, *, rounds: int, say: Say) -> Section:
    """Compare profits and numbers of trades, then time fastbt's kernel and the loop in C, in turn, on one core.

    Parameters
    ----------
    n_bars : int
        Bars of the random walk.
    rounds : int
        How often each is timed.
    say : callable
        Told what is being done.
    """
    sets = workload.parameter_sets(workload.windows(), workload.STOPS)
    section = Section(
        f"The limit: a loop in C on the common workload, {n_bars:,} bars, {len(sets):,} sets", key="limit"
    )
    if shutil.which(COMPILER) is None:
        section.skipped = f"the loop in C was not timed: there is no {COMPILER} here"
        return section
    say("limit: compiling")
    candles = workload.random_walk(n_bars)
    session = make_session(workload.strategy_folder(), candles, "1m", None, None, make_account_of(workload.account()))
    with tempfile.TemporaryDirectory() as folder, Evaluator(session, threads=1) as evaluator:
        limit = Limit(build(Path(folder)), candles.array)
        table = evaluator.table(sets)
        ours = evaluator.run(table)
        profit, trades = limit()
        our_profit, our_trades = np.nan_to_num(ours.column("net_profit")), np.nan_to_num(ours.column("total"))
        difference = np.abs(our_profit - profit) / np.maximum(np.abs(profit), 1e-300)
        same = (our_trades == trades) & (difference < 1e-9)
        section.checks.append(
            Check(
                f"{int(same.sum()):,} of {len(sets):,} sets with the same number of trades ({int(trades.sum()):,} in "
                f"all) and profit (largest relative difference {difference.max():.1e})",
                bool(same.all()),
            )
        )
        whole = Row("fastbt", "Evaluator.run, 1 core", len(sets), n_bars, key="evaluator")
        kernels = Row("fastbt", "its kernels, 1 core", len(sets), n_bars, key="kernels")
        loop = Row("C", f"the loop, {COMPILER} {' '.join(FLAGS[:2])}, 1 core", len(sets), n_bars, key="c")
        for i in range(rounds):
            say(f"limit: round {i + 1} of {rounds}")
            whole.add(*clocked_in_a_row(lambda: evaluator.run(table))[:2])
            before = evaluator.seconds["kernels"]
            evaluator.run(table)
            kernels.add(evaluator.seconds["kernels"] - before)
            loop.add(*clocked_in_a_row(limit)[:2])
    section.rows += [whole, kernels, loop]
    total = int(trades.sum())
    section.figures += [_a_trade(row, total) for row in (whole, loop)]
    # Each has one core: processor time leaves out what the machine does besides.
    times = [ours / least for ours, least in zip(whole.cpu, loop.cpu, strict=True)]
    section.figures.append(Figure("fastbt", "Evaluator.run in times of the loop", "x", times, "times C"))
    section.notes.append(
        "the loop finds crossings in a list and stops in a pyramid of extremes, and adds up profits and trades; what "
        f"fastbt takes more is orders, margin, decimals, daily balances and all {len(METRICS)} metrics"
    )
    return section


def _a_trade(row: Row, trades: int) -> Figure:
    return Figure(row.library, "a trade", "ns", [each / trades * 1e9 for each in row.cpu], f"{row.key} trade")
