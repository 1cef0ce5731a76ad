"""Run many parameter sets in chunks over threads, with progress and clean interruption.

Kernels release the GIL, so threads share the candles and the series. Which thread runs which chunk changes nothing in
the results: every set has its own row.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastbt.backtest import Session
from fastbt.engine import layout
from fastbt.engine.python_series import PythonKey
from fastbt.engine.simulate import Output, SeriesKey, compute_series, outcome_error

#: Called with the number of sets done, their total, and the seconds since the start; first with the kernels compiled.
Progress = Callable[[int, int, float], None]

NOT_RUN = "not run"


@dataclass
class Executed:
    """What became of each parameter set.

    Attributes
    ----------
    output : Output
        One row a set; NaN where it did not complete.
    statuses : list of str
        "ok", "infeasible: ...", "failed: ...", "unsupported: ..." or "not run".
    seconds : dict of float
        Where the time went: compile, series, kernels.
    n_series : int
        Distinct market series that were computed.
    interrupted : bool
    """

    output: Output
    statuses: list[str]
    seconds: dict[str, float] = field(default_factory=dict)
    n_series: int = 0
    interrupted: bool = False


def available_threads() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def execute(
    session: Session,
    sets: Sequence[Mapping[str, Any]],
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Executed:
    """Run all sets.

    Parameters
    ----------
    session : Session
    sets : sequence of mapping
        Complete hyper-parameters.
    threads : int, optional
        All cores if left out.
    progress : callable, optional

    Returns
    -------
    Executed
        After Ctrl-C, with what was done until then.
    """
    workers = threads or available_threads()
    market = session.setup.market
    n = len(sets)
    output = Output.empty(n, market)
    output.outcomes[:, :] = np.nan
    output.daily[:, :] = np.nan
    output.metrics[:, :] = np.nan
    result = Executed(output, [NOT_RUN] * n, {"compile": 0.0, "series": 0.0, "kernels": 0.0})
    began = time.perf_counter()
    done = 0
    try:
        for rows in _by_types(session, sets):
            done = _execute_alike(session, sets, rows, workers, result, done, began, progress)
    except KeyboardInterrupt:
        result.interrupted = True
    return result


def _by_types(session: Session, sets: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """Group the sets whose hyper-parameters have the same types: they share kernels."""
    groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for j, hp in enumerate(sets):
        key = tuple((name, type(value).__name__) for name, value in hp.items())
        groups.setdefault(key, []).append(j)
    return list(groups.values())


def _execute_alike(
    session: Session,
    sets: Sequence[Mapping[str, Any]],
    rows: list[int],
    workers: int,
    result: Executed,
    done: int,
    began: float,
    progress: Progress | None,
) -> int:
    """Run sets of one type; return how many are done in all."""
    clock = time.perf_counter()
    compiled, runner = session.runner_for(sets[rows[0]])
    binding = compiled.bind([sets[j] for j in rows])
    feasible = [i for i in range(len(rows)) if i not in binding.errors]
    for i, message in binding.errors.items():
        result.statuses[rows[i]] = f"infeasible: {message}"
    done += len(binding.errors)
    # Over a few bars the indicators take no time, but are compiled or loaded: not on the clock of the series.
    few_bars = runner.market.bars[: session.setup.account.warm_up_candles + 2]
    compute_series(_one_of_each(binding.series), binding.n_rows, few_bars)
    result.seconds["compile"] += time.perf_counter() - clock

    clock = time.perf_counter()
    x = compute_series(
        binding.series,
        binding.n_rows,
        runner.market.bars,
        frame_of=session.setup.frame,
        threads=workers,
        first_bar=runner.market.warmup_bars,
    )
    result.n_series += len(binding.series)
    result.seconds["series"] += time.perf_counter() - clock

    clock = time.perf_counter()
    configs = binding.configs if len(feasible) == len(rows) else binding.configs[feasible]
    where = np.array([rows[i] for i in feasible], dtype=np.int64)
    n = len(feasible)
    local = Output.empty(n, runner.market)
    # A run of no set compiles the kernels or loads them from the cache: once, not once a thread, and not on the clock.
    runner.run(configs, x, 0, 0, local)
    result.seconds["compile"] += time.perf_counter() - clock
    if progress is not None:
        progress(done, len(sets), time.perf_counter() - began)

    clock = time.perf_counter()
    size = max(1, min(64, -(-n // (workers * 4))))
    chunks = [(first, min(first + size, n)) for first in range(0, n, size)]

    def store(first: int, last: int) -> None:
        to = where[first:last]
        result.output.outcomes[to] = local.outcomes[first:last]
        result.output.daily[to] = local.daily[first:last]
        result.output.metrics[to] = local.metrics[first:last]
        for j in to.tolist():
            result.statuses[j] = status_text(result.output.outcomes[j])

    try:
        if n and workers == 1:
            for first, last in chunks:
                runner.run(configs, x, first, last, local)
                store(first, last)
                done += last - first
                if progress is not None:
                    progress(done, len(sets), time.perf_counter() - began)
        elif n:
            with ThreadPoolExecutor(workers) as pool:
                done = _drain(pool, runner.run, configs, x, local, chunks, store, done, len(sets), began, progress)
    finally:
        result.seconds["kernels"] += time.perf_counter() - clock
    return done


def _needs_python(key: SeriesKey | PythonKey) -> bool:
    """Tell whether a series is computed by Python, or from one that is: nothing to compile there."""
    while not isinstance(key, PythonKey):
        if not isinstance(key.source, tuple):
            return False
        key = key.source[0]
    return True


def _one_of_each(series: Mapping[SeriesKey | PythonKey, int]) -> dict[SeriesKey, int]:
    """Return the first series of each indicator and way to compute it, with those that they are computed from."""
    chosen: dict[SeriesKey, int] = {}
    kinds = set()
    for each in series:
        if _needs_python(each):
            continue
        kind = (each.indicator, each.sequential, type(each.source))
        if kind not in kinds and not each.timeframe:
            kinds.add(kind)
            key = each
            chosen[key] = series[key]
            while isinstance(key.source, tuple):
                key = key.source[0]
                chosen[key] = series[key]
    return dict(sorted(chosen.items(), key=lambda item: item[1]))


def _drain(
    pool: ThreadPoolExecutor,
    run: Callable[..., None],
    configs: Any,
    x: Any,
    local: Output,
    chunks: list[tuple[int, int]],
    store: Callable[[int, int], None],
    done: int,
    total: int,
    began: float,
    progress: Progress | None,
) -> int:
    """Run chunks on the pool; on Ctrl-C those that have not begun are given up."""
    pending: dict[Future[None], tuple[int, int]] = {
        pool.submit(run, configs, x, first, last, local): (first, last) for first, last in chunks
    }
    waiting = set(pending)
    try:
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for each in finished:
                each.result()
                first, last = pending[each]
                store(first, last)
                done += last - first
            if progress is not None:
                progress(done, total, time.perf_counter() - began)
    except KeyboardInterrupt:
        for each in waiting:
            each.cancel()
        running = {each for each in waiting if not each.cancelled()}
        wait(running)
        for each in running:
            store(*pending[each])
        raise
    return done


def status_text(row: Any) -> str:
    """Return how a run ended, in words."""
    status = int(row[layout.OUTCOME_STATUS])
    if status == 0:
        return "ok"
    error = outcome_error(row)
    assert error is not None
    moment = np.datetime64(error.time, "ms").astype("datetime64[m]")
    if error.exception is not None:
        return f"failed: {error.exception} at bar {error.bar} ({moment} UTC)"
    return f"unsupported: {str(error).removeprefix('not simulated: ')}"
