"""fastbt's kernel beside the least that the common workload costs: a loop in C that simulates no exchange.

    uv run --group test python bench/limit.py [--bars 100000] [--rounds 5]

Needs gcc. One core for both. Averages and lists of crossings are off the clock for C; fastbt makes its lists in the
kernel, on the clock. Net profit and number of trades of every set are compared first.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from fastbt.interfaces import _bench_workload as workload
from fastbt.interfaces._bench_parts import machine
from fastbt.metrics.names import METRICS
from fastbt.sweep.evaluate import Evaluator
from fastbt.sweep.sweep import make_account_of, make_session
from fastbt.types import CLOSE, HIGH, LOW

POINTER = ctypes.POINTER(ctypes.c_double)


def build(folder: Path) -> ctypes.CDLL:
    """Compile the loop."""
    library = folder / "limit.so"
    source = Path(__file__).with_name("limit.c")
    subprocess.run(["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-o", library, source], check=True)
    return ctypes.CDLL(str(library))


def extremes(candles: np.ndarray) -> list[np.ndarray]:
    """Return closes, lows and highs, and the pyramid over them."""
    close, low, high = (np.ascontiguousarray(candles[:, column]) for column in (CLOSE, LOW, HIGH))
    arrays = [close, low, high]
    for size in (16, 256, 4096):
        starts = np.arange(0, len(low), size)
        arrays += [np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)]
    return arrays


def crossings(closes: np.ndarray, fast: int, slow: int, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the bars from `first` on at which the averages cross, counted from there, and the sides."""
    from fastbt import indicators as ta

    a, b = (ta.sma(closes, period, sequential=True) for period in (fast, slow))
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

    def __init__(self, library: ctypes.CDLL, candles: np.ndarray) -> None:
        self.library = library
        self.n = len(candles) - workload.WARMUP_BARS
        self.arrays = extremes(candles[workload.WARMUP_BARS :])
        self.events = [
            crossings(candles[:, CLOSE], fast, slow, workload.WARMUP_BARS) for fast, slow in workload.windows()
        ]
        self.stops, self.targets = (np.array(each) for each in zip(*workload.STOPS, strict=True))

    def __call__(self) -> tuple[np.ndarray, np.ndarray]:
        """Run every set; return profits and numbers of trades."""
        size = len(self.stops)
        profit, trades = np.empty(size * len(self.events)), np.empty(size * len(self.events), dtype=np.int64)
        arrays = (POINTER * 9)(*(each.ctypes.data_as(POINTER) for each in self.arrays))
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


def main() -> int:
    """Compare, then time in turn; return 1 if an answer differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bars", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    candles = workload.random_walk(options.bars)
    session = make_session(workload.strategy_folder(), candles, "1m", None, None, make_account_of(workload.account()))
    sets = workload.parameter_sets(workload.windows(), workload.STOPS)
    with tempfile.TemporaryDirectory() as folder, Evaluator(session, threads=1) as evaluator:
        limit = Limit(build(Path(folder)), candles.array)
        table = evaluator.table(sets)
        ours = evaluator.run(table)
        profit, trades = limit()
        our_profit = np.nan_to_num(ours.column("net_profit"))
        our_trades = np.nan_to_num(ours.column("total"))
        difference = np.abs(our_profit - profit) / np.maximum(np.abs(profit), 1e-300)
        same = (our_trades == trades) & (difference < 1e-9)
        times: dict[str, list[float]] = {"fastbt": [], "C": []}
        for _ in range(options.rounds):
            for name, action in (("fastbt", lambda: evaluator.run(table)), ("C", limit)):
                began = time.perf_counter()
                action()
                times[name].append(time.perf_counter() - began)
    seconds = {name: statistics.median(each) for name, each in times.items()}
    work = len(sets) * options.bars
    report = {
        "machine": machine(1),
        "sets": len(sets),
        "bars": options.bars,
        "trades": int(trades.sum()),
        "sets_that_agree": int(same.sum()),
        "largest_relative_difference_of_profit": float(difference.max()),
        "metrics_of_fastbt": len(METRICS),
        "ns_per_bar_and_set": {name: each / work * 1e9 for name, each in seconds.items()},
        "ns_per_trade": {name: each / trades.sum() * 1e9 for name, each in seconds.items()},
        "fastbt_in_times_of_C": seconds["fastbt"] / seconds["C"],
    }
    print(json.dumps(report, indent=1))
    return 0 if same.all() else 1


if __name__ == "__main__":
    sys.exit(main())
