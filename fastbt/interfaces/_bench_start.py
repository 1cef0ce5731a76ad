"""How long fastbt and the others take from the start of a process to its answer, with caches and without."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial

from fastbt.backtest import Session
from fastbt.interfaces import _bench_workload as workload
from fastbt.interfaces._bench_child import child_environment, run_child
from fastbt.interfaces._bench_common import MONEY
from fastbt.interfaces._bench_jesse import Say
from fastbt.interfaces._bench_others import RULES
from fastbt.interfaces._bench_parts import Figure, Section
from fastbt.interfaces._bench_peers import Group, PeerProcesses, available, how
from fastbt.oracle.against_jesse import JesseRunner
from fastbt.oracle.jesse_process import JesseProcess

N_BARS, N_PAIRS = 10_000, 10
#: Seconds above which once is enough.
LONG_S = 8.0


def start(
    *, rounds: int, threads: int, peers: Sequence[str], jesse: Session | None, say: Say, cold: bool = True
) -> Section:
    """Time whole processes, from their start to their answer.

    Parameters
    ----------
    rounds : int
        How often each is started with its caches, unless it takes long; without them once.
    threads : int
    peers : sequence of str
        Libraries that take part, where their environment was made.
    jesse : Session, optional
        What Jesse runs one set of.
    say : callable
        Told what is being done.
    cold : bool
        Whether anything is started without its caches, too.
    """
    n = N_PAIRS * len(workload.STOPS)
    section = Section(
        f"Start: a whole process, from its start to the answer of {n:,} sets of {N_BARS:,} bars", key="start"
    )
    timings: dict[tuple[str, str, str], list[float]] = {}
    there = [name for name in peers if available(name)]
    section.notes += [f"{name} was not started: {how(name)}" for name in peers if name not in there]
    if cold:
        with tempfile.TemporaryDirectory(prefix="fastbt-cold-") as folder:
            say("start: fastbt without its cache")
            timings["fastbt", "nothing cached", "fastbt cold"] = [_fastbt(threads, folder)]
            for name in there:
                say(f"start: {name} without its cache")
                timings[name, "nothing cached", f"{name} cold"] = [_peer(name, threads, os.path.join(folder, name))]
    # The first start with a cache may be the one that fills it.
    run_child("backtest", {})
    _fastbt(threads, None)
    for name in there:
        _peer(name, threads, None)
    help_ = "from fastbt.interfaces.cli import app; app(['--help'])"
    actions: dict[tuple[str, str, str], Callable[[], float]] = {
        ("fastbt", "import fastbt", "import"): lambda: _python("import fastbt"),
        ("fastbt", "fastbt --help", "help"): lambda: _python(help_),
        ("fastbt", "compiled before", "fastbt warm"): lambda: _fastbt(threads, None),
    }
    for name in there:
        actions[name, "compiled before", f"{name} warm"] = partial(_peer, name, threads, None)
    one = ("fastbt", "one set of a year of 1h, compiled before", "fastbt one")
    actions[one] = lambda: run_child("backtest", {})[0]
    if jesse is not None:
        actions["Jesse", "one set of a year of 1h, fast mode", "jesse one"] = lambda: _jesse(jesse)
    for i in range(rounds):
        say(f"start: round {i + 1} of {rounds}")
        for about, action in actions.items():
            known = timings.setdefault(about, [])
            if not known or known[-1] < LONG_S:
                known.append(action())
    section.figures += [Figure(library, what, "s", values, key) for (library, what, key), values in timings.items()]
    section.notes.append(
        "each library by its own rules, see above; without caches: an empty folder for fastbt's generated and compiled "
        "code, and for numba's of vectorbt and chidoribt. raptorbt compiles nothing"
    )
    return section


def _python(code: str) -> float:
    with tempfile.TemporaryDirectory(prefix="fastbt-bench-") as folder:
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", code], cwd=folder, env=child_environment({}), capture_output=True, check=True
        )
        return time.perf_counter() - began


def _fastbt(threads: int, cache: str | None) -> float:
    """Time the common workload; with a folder for caches, whatever the user has set."""
    variables = (
        {} if cache is None else {"FASTBT_CACHE_DIR": cache, "NUMBA_CACHE_DIR": "", "FASTBT_NUMBA_CACHE_DIR": ""}
    )
    arguments = {"n_bars": N_BARS, "n_stops": len(workload.STOPS), "n_pairs": N_PAIRS, "threads": threads}
    return run_child("common", arguments, variables=variables)[0]


def _peer(name: str, threads: int, cache: str | None) -> float:
    settings = next((rules.settings for rules in RULES if rules.library == name), {})
    groups: list[Group] = [(fast, slow, list(workload.STOPS)) for fast, slow in workload.windows()[:N_PAIRS]]
    candles = workload.random_walk(N_BARS).array
    variables = {} if cache is None else {"NUMBA_CACHE_DIR": cache}
    began = time.perf_counter()
    # One process: a second one would compile the same again.
    with PeerProcesses(name, 1, threads=threads, variables=variables) as peer:
        peer.load(candles, workload.WARMUP_BARS)
        peer.run(groups, **MONEY, **settings)
        return time.perf_counter() - began


def _jesse(session: Session) -> float:
    began = time.perf_counter()
    with JesseProcess() as process:
        JesseRunner(session, process)(session.source.defaults, fast_mode=True)
        return time.perf_counter() - began
