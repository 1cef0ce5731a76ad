"""The workload by the rules of raptorbt and chidoribt, in turn with each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastbt.interfaces import _bench_workload as workload
from fastbt.interfaces._bench_common import MONEY, agreement
from fastbt.interfaces._bench_jesse import Say, cores
from fastbt.interfaces._bench_parts import Row, Section, clocked_in_a_row, timed
from fastbt.interfaces._bench_peers import CHUNK, Group, PeerProcesses, available, how
from fastbt.metrics.names import METRICS
from fastbt.sweep.sweep import make_account_of, make_session, sweep
from fastbt.types import CLOSE


@dataclass(frozen=True)
class Rules:
    """What a library is asked for.

    Attributes
    ----------
    library : str
    strategy : str
        The same rules as a strategy in Jesse's API: a name of `_bench_workload.STRATEGIES`.
    in_words : str
    call : str
        What of the library is timed.
    notes : str
        What a reader must know of the two answers.
    settings : dict
        More of its worker's settings.
    """

    library: str
    strategy: str
    in_words: str
    call: str
    notes: str
    settings: dict[str, Any]


RULES: Final = (
    Rules(
        "raptorbt",
        "LongCrossover",
        "long only, all of the money in each trade, out at the opposite crossing or a stop within a bar",
        f"batch_single_backtest, chunks of {CHUNK}",
        f"raptorbt's answer holds its 48 metrics and equity curves; fastbt's all {len(METRICS)} of Jesse's metrics",
        {},
    ),
    Rules(
        "chidoribt",
        "TimedCrossover",
        f"long only, whole units, out after {workload.HOLD} bars or at a close beyond stop or target",
        "batch_scan_fixed, the kernel of ParamScanner.scan_fast, a call for each pair of windows",
        f"chidoribt's answer is the final equity alone; fastbt's holds all {len(METRICS)} of Jesse's metrics",
        {"money": workload.MONEY, "hold": workload.HOLD},
    ),
)


def against_other(
    rules: Rules,
    n_bars: int,
    *,
    rounds: int,
    threads: int,
    say: Say,
    pairs: Sequence[tuple[int, int]] | None = None,
) -> Section:
    """Compare profits, then time a library and fastbt by the library's rules, in turn.

    Parameters
    ----------
    rules : Rules
    n_bars : int
        Bars of the random walk.
    rounds : int
        How often each is timed.
    threads : int
        Of both.
    say : callable
        Told what is being done.
    pairs : sequence of (int, int), optional
        Windows; all of the workload if left out.
    """
    name = rules.library
    windows = list(workload.windows() if pairs is None else pairs)
    sets = workload.parameter_sets(windows, workload.STOPS)
    section = Section(
        f"{name}'s rules: {rules.in_words}, random walk, {n_bars:,} bars, {len(sets):,} sets", key=f"peers {name}"
    )
    if not available(name):
        section.skipped = f"{name} was not timed: {how(name)}"
        return section
    candles = workload.random_walk(n_bars)
    account = make_account_of(workload.account())
    session = make_session(workload.strategy_folder(rules.strategy), candles, "1m", None, None, account)
    say(f"{name}: compiling the strategy of its rules")
    sweep(session, params=sets[: 4 * threads], threads=threads)
    with PeerProcesses(name, 1, threads=threads) as peer:
        peer.load(candles.array, workload.WARMUP_BARS)
        say(f"{name}: comparing profits")
        groups: list[Group] = [(fast, slow, list(workload.STOPS)) for fast, slow in windows]
        settings = {**MONEY, **rules.settings}
        theirs = peer.run(groups, **settings, measure="check")
        ours = sweep(session, params=sets, threads=threads)
        section.checks.append(agreement(name, theirs, ours, float(candles.array[-1, CLOSE]), "the same rules"))
        row = Row("fastbt", f"sweep, {cores(threads)}, end to end", len(sets), n_bars, key="sweep")
        other = Row(name, f"{rules.call}, {cores(threads)}", len(sets), n_bars, key=name)
        for i in range(rounds):
            say(f"{name}: round {i + 1} of {rounds}")
            row.add(*clocked_in_a_row(lambda: sweep(session, params=sets, threads=threads))[:2])
            other.add(timed(lambda: peer.run(groups, **settings))[0], peer.cpu)
        section.rows += [row, other]
        section.notes.append(rules.notes)
        versions = ", ".join(f"{package} {version}" for package, version in peer.versions.items())
        section.notes.append(f"its environment: {versions}")
    section.versions |= peer.known_versions
    return section
