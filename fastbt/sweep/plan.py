"""What a sweep will take, before anything of it runs: series, memory, disk and time."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbt.backtest import Session
from fastbt.compiler.sets import SetTable
from fastbt.sweep.bank import Key, n_fields
from fastbt.sweep.evaluate import Evaluator, runner_for
from fastbt.sweep.executor import Job, chunk_rows, row_bytes
from fastbt.sweep.frames import describe_market
from fastbt.sweep.memory import bytes_text
from fastbt.sweep.sampling import Drawn, Grid, SetSource, Shuffled
from fastbt.types import JsonDict

#: Combinations of the arguments of one indicator that are counted one by one.
_COUNTED = 20_000
#: Sets that are run to tell the speed.
_CALIBRATION = 16 + 64 + 256 + 1024 + 4096
#: Neighbouring sets among them.
_PIECE = 17
#: Seconds after which the calibration has seen enough.
_ENOUGH_S = 1.0
#: Bytes of a row on disk, of which a quarter is pressed out of the metrics, and of a daily balance.
_DISK_ROW = 300
_DISK_SAMPLE = 7.6


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep will take.

    Attributes
    ----------
    strategy : str
    markets : list of dict
        Symbol, timeframe, start, finish and number of bars of each.
    sampling : dict
        Space, constraints and how sets are drawn.
    n_sets : int
        In each market.
    n_rows : int
        Sets times markets.
    n_series : int
        Distinct indicator series of all markets, at most.
    series_exact : bool
        Whether they were counted, or estimated from above.
    series_bytes : int
        What they take in memory, the largest market.
    memory : int
        The budget, bytes.
    results_bytes : int
        What results take in memory.
    in_memory : bool
        Whether they are kept there; else in a folder.
    disk_bytes : int
        What they take on disk, about.
    chunks : int
        Parts on disk.
    threads : int
    seconds_a_set : float
        One set on one core, measured just now, series left out.
    seconds : float
        All of it on all threads, about, compiling left out.
    indicator_window : str
        Of the account.
    """

    strategy: str
    markets: list[dict[str, Any]]
    sampling: JsonDict
    n_sets: int
    n_rows: int
    n_series: int
    series_exact: bool
    series_bytes: int
    memory: int
    results_bytes: int
    in_memory: bool
    disk_bytes: int
    chunks: int
    threads: int
    seconds_a_set: float
    seconds: float
    indicator_window: str = "exact"

    def to_dict(self) -> JsonDict:
        """Return the plan for machines."""
        return dict(vars(self))

    def lines(self) -> list[tuple[str, str]]:
        """Return the plan for people: what, and how much."""
        about = "" if self.series_exact else "at most "
        where = "in memory" if self.in_memory else "in a folder"
        several = f" in each of {len(self.markets)} markets" if len(self.markets) > 1 else ""
        drawn = {"grid": "the whole grid", "given": "as given"}.get(self.sampling["sampling"])
        how = drawn or f"{self.sampling['sampling']}, seed {self.sampling['seed']}"
        lines = [("sets", f"{self.n_sets:,}{several}, {how}")]
        lines += [("constraint", text) for text in self.sampling.get("constraints", [])]
        lines += [
            (
                "market",
                f"{each['symbol']} {each['timeframe']}, {each['start'][:10]} to {each['finish'][:10]}, "
                f"{each['bars']:,} bars",
            )
            for each in self.markets
        ]
        if self.indicator_window != "exact":
            lines += [("indicator window", f"{self.indicator_window}: not identical to Jesse")]
        lines += [
            ("indicator series", f"{about}{self.n_series:,}, {bytes_text(self.series_bytes)} at once"),
            ("results", f"{bytes_text(self.results_bytes)} {where}"),
            ("memory budget", bytes_text(self.memory)),
            ("on disk", f"about {bytes_text(self.disk_bytes)} in {self.chunks:,} parts"),
            ("one set", f"{self.seconds_a_set * 1e6:,.0f} us on one core"),
        ]
        return lines


def make_plan(job: Job, *, on_disk: bool = False) -> SweepPlan:
    """Return what a sweep will take; kernels are compiled and a few sets are run to tell the speed.

    Parameters
    ----------
    job : Job
        See `make_job`.
    on_disk : bool
        Whether the results are to go into a run on disk.

    Examples
    --------
    >>> from fastbt.sweep import make_job
    >>> space = {"fast_period": (5, 30), "slow_period": (40, 120), "stop_loss": (0.01, 0.06, 0.0000001)}
    >>> job = make_job("strategies/SmaCrossover", "BTC-USD", timeframe="4h", finish="2019-03-15", space=space)
    >>> plan = make_plan(job)
    >>> plan.n_sets, plan.n_series
    (1053002106, 107)
    """
    per_market = [_series_of(each, job.source) for each in job.sessions]
    bars = [len(each.setup.market.bars) for each in job.sessions]
    results = sum(row_bytes(each, daily=job.daily) for each in job.sessions) * len(job.source)
    in_memory = not on_disk and results <= job.memory // 2
    samples = sum(len(each.setup.market.sample_times) for each in job.sessions) if job.daily else 0
    seconds_a_set, seconds_beside, seconds_a_series = _calibrate(job)
    threads = max(1, job.threads)
    n_rows = job.n_rows
    n_series = sum(len(found) for found, _, _ in per_market) + sum(more for _, more, _ in per_market)
    return SweepPlan(
        strategy=job.sessions[0].source.name,
        markets=[{**describe_market(each), "bars": each.setup.market.n_bars} for each in job.sessions],
        sampling=job.source.to_dict(),
        n_sets=len(job.source),
        n_rows=n_rows,
        n_series=n_series,
        series_exact=all(exact for _, _, exact in per_market),
        series_bytes=max(
            8 * size * (sum(map(n_fields, found)) + more)
            for (found, more, _), size in zip(per_market, bars, strict=True)
        ),
        memory=job.memory,
        results_bytes=results,
        in_memory=in_memory,
        disk_bytes=int(len(job.source) * (_DISK_ROW * len(job.sessions) + _DISK_SAMPLE * samples)),
        chunks=sum(-(-len(job.source) // chunk_rows(each)) for each in job.sessions),
        threads=threads,
        seconds_a_set=seconds_a_set,
        seconds=n_rows * (seconds_a_set / threads + seconds_beside) + n_series * seconds_a_series / threads,
        indicator_window=job.sessions[0].setup.account.indicator_window,
    )


def _series_of(session: Session, source: SetSource) -> tuple[set[Key], int, bool]:
    """Return the distinct series of a market: those that were counted, how many more at most, and whether none is."""
    sample = source[0] if len(source) else dict(session.source.defaults)
    compiled, _ = runner_for(session, sample)
    found: set[Key] = set()
    more = 0
    space = {each.name: each for each in source.space.dimensions} if isinstance(source, Grid | Drawn) else {}
    if isinstance(source, Shuffled):
        space = {each.name: each for each in source.grid.space.dimensions}
    for slot in compiled.binder.slots.values():
        varied = [name for name in slot.names if name in space]
        sizes = [space[name].size for name in varied]
        if not space:
            # Given sets: all of them are at hand.
            rows, _ = source.table(0, len(source)).distinct(slot.names)
            tables = source.table(0, len(source)).take(rows[:_COUNTED])
            more += max(0, len(rows) - _COUNTED)
        elif None in sizes or math.prod(size or 1 for size in sizes) > _COUNTED:
            more += min(len(source), math.prod(size or len(source) for size in sizes))
            continue
        else:
            total = math.prod(size or 1 for size in sizes)
            at = np.unravel_index(np.arange(total), [size or 1 for size in sizes]) if sizes else ()
            columns = {name: space[name].column(i.astype(np.int64)) for name, i in zip(varied, at, strict=True)}
            fixed = {name: value for name, value in sample.items() if name not in columns}
            tables = SetTable.of({**columns, **fixed}) if columns else SetTable.of([sample])
        for row in range(len(tables)):
            series = slot(tables[row])
            if not isinstance(series, str):
                found.add(series.key)
    return found, more, more == 0


def _calibrate(job: Job) -> tuple[float, float, float]:
    """Return the seconds that a set takes in kernels and beside them, and a series, on one core, over all markets."""
    n = len(job.source)
    size = min(n, _CALIBRATION)
    began = time.perf_counter()
    job.source.table(0, size)
    drawing = (time.perf_counter() - began) / size
    # Sets from all over the space.
    firsts = np.unique(np.linspace(0, min(n - 1, 2**53), -(-size // _PIECE)).astype(np.int64)).tolist()
    tables = SetTable.concat([job.source.table(int(i), min(int(i) + _PIECE, n)) for i in firsts])
    sets = beside = series = 0.0
    for session in job.sessions:
        with Evaluator(session, threads=1, memory=job.memory) as evaluator:
            evaluator.prepare(tables.take(slice(0, 4)), n)
            # The first sets pay for what is loaded once.
            evaluator.run(tables.take(slice(0, 4)))
            run, size, began = 0, 16, time.perf_counter()
            while run < len(tables) and (run == 0 or time.perf_counter() - began < _ENOUGH_S):
                part = tables.take(slice(run, run + size))
                so_far, clock = dict(evaluator.seconds), time.perf_counter()
                evaluator.run(part)
                # Of the largest part: what a call costs counts least there.
                took = time.perf_counter() - clock - (evaluator.seconds["series"] - so_far["series"])
                seconds_a_set = (evaluator.seconds["kernels"] - so_far["kernels"]) / len(part)
                seconds_beside = took / len(part) - seconds_a_set
                run, size = run + len(part), 4 * size
            sets += seconds_a_set
            beside += max(0.0, seconds_beside)
            series += evaluator.seconds["series"] / max(1, evaluator.bank.computed)
    return sets / len(job.sessions), beside / len(job.sessions) + drawing, series / len(job.sessions)
