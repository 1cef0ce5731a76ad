"""How much memory fastbt and the others take, each in fresh processes, as the system counts."""

from __future__ import annotations

from collections.abc import Sequence

from fastbt.backtest import Session
from fastbt.interfaces import _bench_workload as workload
from fastbt.interfaces._bench_child import run_child
from fastbt.interfaces._bench_common import MONEY
from fastbt.interfaces._bench_jesse import Say, cores
from fastbt.interfaces._bench_others import RULES
from fastbt.interfaces._bench_parts import Check, Figure, Section
from fastbt.interfaces._bench_peers import CHUNK, Group, PeerProcesses, available, how
from fastbt.oracle.against_jesse import JesseRunner
from fastbt.oracle.jesse_process import JesseProcess
from fastbt.sweep.memory import peak_memory

MB = 2**20
#: What the memory of a sweep may grow by, from its first thousand sets to the end.
MOST_GROWTH = 0.05
#: What one command may take for a sweep of any size.
MOST_BYTES = 2 * 2**30


def memory(
    n_bars: int,
    *,
    year_sets: int,
    n_stops: Sequence[int],
    threads: int,
    peers: Sequence[str],
    jesse: Session | None,
    say: Say,
) -> Section:
    """Measure peaks of memory, each in fresh processes with everything compiled before.

    Parameters
    ----------
    n_bars : int
        Of the common workload.
    year_sets : int
        Sets of the sweep over a year of 1h, which goes to disk.
    n_stops : sequence of int
        Pairs of stops for each pair of windows of the common workload.
    threads : int
    peers : sequence of str
        Libraries that take part, where their environment was made.
    jesse : Session, optional
        What Jesse runs one set of.
    say : callable
        Told what is being done.
    """
    section = Section(f"Memory: peak of whole processes, common workload of {n_bars:,} bars", key="memory")
    n_windows = len(workload.windows())
    if peak_memory() is None:
        section.skipped = "memory was not measured: this system does not tell it (/proc/PID/status)"
        return section
    # What compiles holds more; not what is asked for here.
    run_child("common", {"n_bars": 1_000, "n_stops": 1, "n_pairs": 4, "threads": threads})
    for size in n_stops:
        n = size * n_windows
        say(f"memory: fastbt, {n:,} sets")
        _, answer = run_child("common", {"n_bars": n_bars, "n_stops": size, "n_pairs": n_windows, "threads": threads})
        section.figures.append(
            Figure("fastbt", f"{n:,} sets, {cores(threads)}", "MB", [answer["peak"] / MB], f"fastbt {n}")
        )
    for name in peers:
        _peer(section, name, n_bars, threads, say)
    if jesse is not None:
        _jesse(section, jesse, say)
    year_on_disk(section, year_sets, threads, say)
    return section


def _peer(section: Section, name: str, n_bars: int, threads: int, say: Say) -> None:
    if not available(name):
        section.notes.append(f"{name} was not measured: {how(name)}")
        return
    say(f"memory: {name}")
    n = threads if name == "vectorbt" else 1
    settings = next((rules.settings for rules in RULES if rules.library == name), {})
    groups: list[Group] = [(fast, slow, list(workload.STOPS)) for fast, slow in workload.windows()]
    with PeerProcesses(name, n, threads=1 if n > 1 else threads) as peer:
        peer.load(workload.random_walk(n_bars).array, workload.WARMUP_BARS)
        peer.run(groups, **MONEY, **settings)
        peaks = [each for each in peer.peaks() if each is not None]
        section.versions |= peer.known_versions
    sets = len(groups) * len(workload.STOPS)
    what = f"{sets:,} sets, chunks of {CHUNK}, " if name != "chidoribt" else f"{sets:,} sets, "
    what += f"{n} processes together" if n > 1 else cores(threads)
    section.figures.append(Figure(name, what, "MB", [sum(peaks) / MB], name))


def _jesse(section: Section, session: Session, say: Say) -> None:
    say("memory: Jesse")
    with JesseProcess() as process:
        JesseRunner(session, process)(session.source.defaults, fast_mode=True)
        peak = peak_memory(process.pid)
        section.versions["jesse"] = process.versions["jesse"]
    if peak is not None:
        what = f"one set, {session.setup.timeframe}, a year of candles"
        section.figures.append(Figure("Jesse", what, "MB", [peak / MB], "jesse"))


def year_on_disk(section: Section, n_sets: int, threads: int, say: Say) -> tuple[float, float]:
    """Sweep a year of 1h into a run on disk, in a process of its own: peak, growth and time.

    Returns
    -------
    seconds, cpu : float
        Of the sweep, and processor seconds of the whole process.
    """
    run_child("year", {"n_sets": 64, "threads": threads})
    say(f"a year of 1h, {n_sets:,} sets, kept on disk")
    seconds, answer = run_child("year", {"n_sets": n_sets, "threads": threads})
    completed = Check(f"{answer['ok']:,} of {n_sets:,} sets of the year completed", answer["ok"] == n_sets)
    section.checks.append(completed)
    section.figures += [
        Figure(
            "fastbt",
            f"{n_sets:,} sets of a year of 1h, kept on disk: the whole process",
            "s",
            [seconds],
            "year seconds",
        ),
        Figure("fastbt", "its processor time", "s", [answer["cpu"]], "year cpu"),
        Figure("fastbt", "kernels in it", "s", [answer["seconds"]["kernels"]], "year kernels"),
        Figure("fastbt", "its results on disk", "MB", [answer["disk"] / MB], "year disk"),
    ]
    if answer["peak"] is None:
        return answer["seconds"]["total"], answer["cpu"]
    peak, seen = answer["peak"], answer["memory"]
    section.figures.append(Figure("fastbt", "its memory at most", "MB", [peak / MB], "year peak"))
    section.checks.append(Check(f"in {peak / MB:,.0f} MB of memory, less than 2 GB", peak < MOST_BYTES))
    for done, held in seen:
        section.figures.append(Figure("fastbt", f"its memory after {done:,} sets", "MB", [held / MB], f"after {done}"))
    if len(seen) > 1:
        (first, before), (last, after) = seen[0], seen[-1]
        growth = after / before - 1.0
        section.figures.append(Figure("fastbt", "growth of its memory", "%", [100.0 * growth], "year growth"))
        text = f"memory after {last:,} sets at most {MOST_GROWTH:.0%} above that after {first:,}: {growth:+.1%}"
        section.checks.append(Check(text, growth <= MOST_GROWTH))
    return answer["seconds"]["total"], answer["cpu"]
