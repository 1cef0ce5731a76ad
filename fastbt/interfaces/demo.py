"""`fastbt demo`: one example strategy, a thousand hyper-parameter sets, a year of real candles."""

from __future__ import annotations

import os
import platform
import time
from typing import TYPE_CHECKING, Any

from fastbt.interfaces._options import INTERRUPTED, OK, AccountOptions, Market, Output, open_session
from fastbt.interfaces._terminal import Progress, console, duration, say, write_json

if TYPE_CHECKING:
    from fastbt.sweep.sweep import SweepResult

_STRATEGY = "SmaCrossover"
_METRIC = "sharpe_ratio"


def run(*, n: int, seed: int, with_jesse: bool, threads: int | None, output: Output) -> int:
    """Run the demo and return the exit code.

    Parameters
    ----------
    n, seed : int
        How many random sets, and their seed.
    with_jesse : bool
        Time Jesse on one set if it is installed.
    threads : int or None
    output : Output
    """
    from fastbt.interfaces._examples import examples_folder
    from fastbt.interfaces._views import best_table, hyperparameter_columns, subject
    from fastbt.sweep.executor import available_threads
    from fastbt.sweep.sweep import sweep

    began = time.perf_counter()
    workers = threads or available_threads()
    path = examples_folder() / _STRATEGY
    out = console()
    with Progress("sets", shown=not output.json) as progress:
        progress.stage("Loading a year of candles")
        session = open_session(str(path), Market(), AccountOptions().account())
        progress.stage(f"Compiling {_STRATEGY} (the first time only)")
        result = sweep(session, n=n, seed=seed, threads=workers, progress=progress.show)
    total = time.perf_counter() - began
    if not output.json:
        best = result.best(_METRIC, 10)
        out.print(subject(session), style="bold", markup=False)
        out.print(f"An ordinary Jesse strategy, unchanged: {_shown(path)}", markup=False)
        title = f"The {best.height} best of {result.n_ok:,} hyper-parameter sets by {_METRIC}"
        out.print(best_table(out, best, hyperparameter_columns(best), _METRIC, title))
        _print_times(out, result, total, workers)
    if result.interrupted:
        say("Interrupted.")
        return INTERRUPTED
    jesse = _measure_jesse(result, n, workers, output) if with_jesse else None
    if output.json:
        write_json({**result.to_dict(_METRIC, 10), "threads": workers, "machine": _machine(), "jesse": jesse})
    elif with_jesse:
        _print_jesse(out, jesse, n, workers)
    return OK


def _shown(path: Any) -> str:
    """Return the path as a person would type it here."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)


def _machine() -> dict[str, Any]:
    return {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()}


def _running(result: SweepResult) -> float:
    """Return the seconds that the sets themselves took: series and kernels."""
    return result.seconds["series"] + result.seconds["kernels"]


def _print_times(out: Any, result: SweepResult, total: float, workers: int) -> None:
    minutes = len(result.session.setup.market.minutes)
    running = _running(result)
    threads = "1 thread" if workers == 1 else f"{workers} threads"
    speed = f"{len(result) / running:,.0f} sets/s with the series, on {threads}" if running else ""
    rows = (
        ("compiling or loading the kernels", result.seconds["compile"], ""),
        (f"{result.n_series} indicator series", result.seconds["series"], ""),
        (f"{len(result):,} backtests of {minutes:,} minutes", result.seconds["kernels"], speed),
        ("in all, with imports and candles", total, ""),
    )
    for what, seconds, note in rows:
        out.print(f"{what:<36} {duration(seconds):>8}   {note}".rstrip(), markup=False)


def _measure_jesse(result: SweepResult, n: int, workers: int, output: Output) -> dict[str, Any] | None:
    """Time Jesse's fast mode on the best set, here and now; None if Jesse is not installed."""
    from fastbt.oracle.against_jesse import JesseRunner
    from fastbt.oracle.jesse_process import JesseProcess, jesse_available

    if not jesse_available():
        return None
    best = result.best(_METRIC, 1)
    hp = result.sets[int(best["set"][0]) if best.height else 0]
    with Progress("runs", shown=not output.json) as progress:
        progress.stage("Starting Jesse, to time it on one set")
        with JesseProcess() as process:
            runner = JesseRunner(result.session, process)
            # The first run fills Jesse's caches, for which a sweep pays once; of the next two the faster counts.
            runs = [float(runner(hp, fast_mode=True)["seconds"]) for _ in range(3)]
            seconds = min(runs[1:])
            version = process.versions["jesse"]
    running = _running(result)
    return {
        "version": version,
        "mode": "fast",
        "seconds_one_set": seconds,
        "seconds_all_sets_one_core": seconds * n,
        "seconds_all_sets": seconds * n / workers,
        "ratio": seconds * n / workers / running if running else None,
    }


def _print_jesse(out: Any, jesse: dict[str, Any] | None, n: int, workers: int) -> None:
    from fastbt.interfaces._examples import get_jesse

    if jesse is None:
        out.print("\nTo see what the same sweep takes in Jesse, measured here and now:")
        out.print(f"  {get_jesse('demo')}", markup=False)
        return
    cores = "one core" if workers == 1 else f"{workers} cores"
    out.print(
        f"\nJesse {jesse['version']}, fast mode, took {duration(jesse['seconds_one_set'])} for one of these sets just "
        f"now: {n:,} sets take at least {duration(jesse['seconds_all_sets'])} on {cores}, "
        f"{jesse['ratio']:,.0f} times as long.",
        markup=False,
    )
    out.print(f"That the trades are the same: fastbt verify {_STRATEGY}", markup=False)
