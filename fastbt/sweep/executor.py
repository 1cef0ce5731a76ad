"""Run all sets of a sweep, market by market, into memory or into a folder; interruption leaves what was done."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastbt.backtest import Session
from fastbt.compiler.sets import Rows, SetTable
from fastbt.engine import layout
from fastbt.engine.simulate import Output
from fastbt.metrics.names import METRICS
from fastbt.sweep.evaluate import Evaluated, Evaluator
from fastbt.sweep.frames import daily_frame, describe_market, differing, sets_frame
from fastbt.sweep.memory import memory_budget
from fastbt.sweep.progress import Progress, Tally
from fastbt.sweep.sampling import SetSource
from fastbt.sweep.statuses import CODE_INFEASIBLE, CODE_NOT_RUN, Statuses
from fastbt.sweep.store import Run, parquet_bytes
from fastbt.sweep.workers import Stop, available_threads, deferred_interrupt
from fastbt.types import Float2D, Status

__all__ = ["Job", "available_threads", "chunk_rows", "execute", "row_bytes"]

#: Bars times sets that one chunk has at most: some seconds of work, lost if a crash comes before its end.
_CHUNK_WORK = 2**27
#: Bytes of working memory for a chunk.
_CHUNK_BYTES = 128 * 2**20


def row_bytes(session: Session, *, daily: bool) -> int:
    """Return the bytes that the results of one set take in memory."""
    samples = len(session.setup.market.sample_times) if daily else 0
    return 8 * (len(METRICS) + layout.OUTCOME_FIELDS + samples)


def chunk_rows(session: Session) -> int:
    """Return how many sets one chunk on disk has: the same on every machine, as the parts of a run must be."""
    work = _CHUNK_WORK // max(1, session.setup.market.n_bars)
    room = _CHUNK_BYTES // row_bytes(session, daily=True)
    return int(2 ** int(np.log2(min(8_192, max(64, min(work, room))))))


@dataclass(frozen=True)
class Job:
    """What a sweep runs.

    Attributes
    ----------
    sessions : tuple of Session
        One for each market.
    source : SetSource
        The sets, the same in each market.
    threads : int
    memory : int
        Bytes that it may take.
    daily : bool
        Whether daily balances are kept.
    metric : str
        What progress tells the best by.
    """

    sessions: tuple[Session, ...]
    source: SetSource
    threads: int = field(default_factory=available_threads)
    memory: int = field(default_factory=memory_budget)
    daily: bool = False
    metric: str = "sharpe_ratio"

    @property
    def n_rows(self) -> int:
        """Sets times markets."""
        return len(self.source) * len(self.sessions)

    @property
    def market_columns(self) -> list[dict[str, str]]:
        """For each market the columns that tell it from the others."""
        about = [describe_market(each) for each in self.sessions]
        names = differing(about)
        return [{name: each[name] for name in names} for each in about]

    def describe(self, market: int, number: int) -> Mapping[str, Any]:
        """Return hyper-parameters and market of a row."""
        return {**self.market_columns[market], **self.source[number]} if len(self.sessions) > 1 else self.source[number]


@dataclass
class Executed:
    """What became of a sweep.

    Attributes
    ----------
    evaluated : list of Evaluated
        One for each market; empty if the results went into a folder.
    seconds : dict of float
        Where the time went: compile, series, kernels.
    n_series : int
        Distinct market series that were computed.
    n_before : int
        Rows that the folder had already.
    interrupted : bool
    """

    evaluated: list[Evaluated] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: {"compile": 0.0, "series": 0.0, "kernels": 0.0})
    n_series: int = 0
    n_before: int = 0
    interrupted: bool = False

    def add(self, evaluator: Evaluator) -> None:
        """Add what one market took."""
        for key, seconds in evaluator.seconds.items():
            self.seconds[key] += seconds
        self.n_series += evaluator.bank.computed


def execute(job: Job, *, run: Run | None = None, progress: Progress | None = None) -> Executed:
    """Run all sets.

    Parameters
    ----------
    job : Job
    run : Run, optional
        Where the results go, locked by the caller; chunks that it has are not run again. Memory if left out.
    progress : callable, optional

    Returns
    -------
    Executed
        After Ctrl-C, with what was done until then.
    """
    tally = Tally(job.metric, job.n_rows, job.describe, progress)
    done = Executed(n_before=0 if run is None else run.n_done)
    stop = Stop()
    try:
        # From the first compiled kernel on, Ctrl-C waits until it does no harm; compiling it ends at once.
        with Evaluator(job.sessions[0], threads=job.threads, memory=_series_memory(job, run)) as first:
            first.prepare(job.source.table(0, min(len(job.source), 256)), len(job.source))
            if run is not None:
                _count_done(run, tally)
            _tell(tally, stop, start=True)
            with deferred_interrupt(stop):
                for market in range(len(job.sessions)):
                    evaluator = first if market == 0 else _evaluator(job, market, run)
                    if run is None:
                        done.evaluated.append(_in_memory(job, evaluator, market, tally, stop))
                    else:
                        _into(run, job, evaluator, market, tally, stop)
                    done.add(evaluator)
                    if market:
                        evaluator.close()
                    else:
                        evaluator.drop()
        if not stop:
            _tell(tally, stop, at_once=True)
    except KeyboardInterrupt:
        stop.set()
    done.interrupted = bool(stop)
    if run is None:
        done.evaluated += [_nothing(job, market) for market in range(len(done.evaluated), len(job.sessions))]
    return done


def _series_memory(job: Job, run: Run | None) -> int:
    """Return the bytes that the series may take: what results and working memory leave."""
    taken = sum(row_bytes(each, daily=job.daily) for each in job.sessions) * len(job.source) if run is None else 0
    of_threads = job.threads * layout.SHARED_BYTES
    return max(job.memory - taken - 2 * _CHUNK_BYTES - of_threads, job.memory // 4)


def _evaluator(job: Job, market: int, run: Run | None) -> Evaluator:
    return Evaluator(job.sessions[market], threads=job.threads, memory=_series_memory(job, run))


def _tell(tally: Tally, stop: Stop, *, start: bool = False, at_once: bool = False) -> None:
    """Call the progress function; KeyboardInterrupt from it ends the sweep as Ctrl-C does."""
    try:
        if start:
            tally.start()
        else:
            tally.tell(at_once=at_once)
    except KeyboardInterrupt:
        stop.set()


def _evaluate(
    job: Job,
    evaluator: Evaluator,
    table: SetTable,
    first: int,
    market: int,
    tally: Tally,
    stop: Stop,
    out: Output | None = None,
) -> Evaluated:
    """Run sets and count what becomes of them."""
    told = np.zeros(len(table), dtype=np.bool_)

    def tell(rows: Rows, outcomes: Float2D, metrics: Float2D) -> None:
        told[rows] = True
        tally.add(market, rows + first, outcomes, metrics)
        _tell(tally, stop)

    evaluated = evaluator.run(table, daily=job.daily, stop=stop, tell=tell, out=out)
    codes = evaluated.statuses.codes
    # Those that cannot run, and those that are equal to another one.
    rest = np.flatnonzero(~told & (codes != CODE_NOT_RUN))
    if len(rest):
        column = METRICS.index(job.metric)
        tally.add_values(market, rest + first, codes[rest].astype(np.int64), evaluated.metrics[rest, column])
        _tell(tally, stop)
    return evaluated


def _in_memory(job: Job, evaluator: Evaluator, market: int, tally: Tally, stop: Stop) -> Evaluated:
    return _evaluate(job, evaluator, job.source.table(0, len(job.source)), 0, market, tally, stop)


def _nothing(job: Job, market: int) -> Evaluated:
    """Return the result of a market that was not reached."""
    n, setup = len(job.source), job.sessions[market].setup
    output = Output.empty(n, setup.market) if job.daily else Output.without_daily(n)
    for array in (output.outcomes, output.metrics, output.daily):
        array[...] = np.nan
    daily = output.daily if job.daily else None
    return Evaluated(output.metrics, Statuses(output.outcomes), output.outcomes, daily, interrupted=True)


def _into(run: Run, job: Job, evaluator: Evaluator, market: int, tally: Tally, stop: Stop) -> None:
    """Run the chunks of a market that the folder lacks; each is written while the next one runs."""
    have = run.done()
    types = job.source.types()
    about = job.market_columns[market]
    times = job.sessions[market].setup.market.sample_times
    writing: Future[None] | None = None

    def rehearse(table: SetTable, room: Output) -> None:
        # What the first write loads and takes of memory, in the thread that will write; nothing comes of it.
        nothing = room.outcomes[: len(table)], room.metrics[: len(table)], room.daily[: len(table)]
        evaluated = Evaluated(nothing[1], Statuses(nothing[0]), nothing[0], nothing[2] if job.daily else None)
        parquet_bytes(sets_frame(table, types, evaluated, market=about))
        if evaluated.daily is not None:
            parquet_bytes(daily_frame(evaluated.daily, times))

    def write(number: int, first: int, table: SetTable, evaluated: Evaluated) -> None:
        frame = sets_frame(table, types, evaluated, first=first, market=about)
        daily = None if evaluated.daily is None else daily_frame(evaluated.daily, times, first=first)
        run.write(number, frame, daily)

    mine = [chunk for chunk in run.chunks if chunk.market == market and chunk.number not in have]
    # All memory is taken at the start, so that it does not grow: one chunk runs while the one before is written.
    most = int(run.manifest["chunk_rows"][market])
    rooms = [evaluator.room(most, daily=job.daily) for _ in range(min(2, len(mine)))]
    evaluator.reserve(most, daily=job.daily)
    with ThreadPoolExecutor(1) as writer:
        if len(mine) > 1:
            writer.submit(rehearse, job.source.table(mine[0].first, mine[0].last), rooms[0]).result()
        for i, chunk in enumerate(mine):
            if stop:
                break
            table = job.source.table(chunk.first, chunk.last)
            evaluated = _evaluate(job, evaluator, table, chunk.first, market, tally, stop, rooms[i % 2])
            if writing is not None:
                writing.result()
            if (evaluated.statuses.codes == CODE_NOT_RUN).any():
                break
            writing = writer.submit(write, chunk.number, chunk.first, table, evaluated)
        if writing is not None:
            writing.result()


def _count_done(run: Run, tally: Tally) -> None:
    """Count what a run has from before."""
    import polars as pl

    done = run.done()
    kinds = {"ok": 0, "infeasible": CODE_INFEASIBLE, "failed": 1, "unsupported": int(Status.FLIP)}
    for chunk in run.chunks:
        if chunk.number not in done:
            continue
        part = pl.read_parquet(run.part(chunk.number), columns=["set", "status", tally.metric])
        kind = part["status"].str.extract(r"^([a-z]+)")
        codes = kind.replace_strict(kinds, return_dtype=pl.Int64).to_numpy()
        values = part[tally.metric].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        tally.add_values(chunk.market, part["set"].to_numpy(), codes, values)


def timed(executed: Executed, began: float) -> dict[str, float]:
    """Return where the time went, since `began` by `time.perf_counter()`."""
    return {"total": time.perf_counter() - began, **executed.seconds}


def sessions_differ(sessions: Sequence[Session]) -> bool:
    """Tell whether no two sessions are of the same market."""
    about = [tuple(describe_market(each).values()) for each in sessions]
    return len(set(about)) == len(about)
