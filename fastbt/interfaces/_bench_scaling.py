"""How the cost of a sweep changes with the number of sets and of bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fastbt.data import CandleSet
from fastbt.interfaces import _bench_workload as workload
from fastbt.interfaces._bench_common import MONEY, agreement
from fastbt.interfaces._bench_jesse import Say, cores
from fastbt.interfaces._bench_parts import Check, Row, Section, clocked, timed
from fastbt.interfaces._bench_peers import CHUNK, Group, PeerProcesses
from fastbt.sweep.sweep import SweepResult, make_account, make_account_of, make_session, sweep
from fastbt.types import CLOSE

#: Bars times sets above which once is enough.
_LONG = 2 * 10**9


def over_sets_of_a_year(
    strategy: str | Path, candles: CandleSet, sizes: Sequence[int], *, rounds: int, threads: int, say: Say
) -> Section:
    """Time sweeps of a year of 1h with more and more sets, in turn.

    Parameters
    ----------
    strategy, candles
        As for `fastbt.sweep`.
    sizes : sequence of int
        Numbers of sets.
    rounds : int
        How often each is timed; the largest ones less often.
    threads : int
    say : callable
        Told what is being done.
    """
    session = make_session(strategy, candles, "1h", None, None, make_account())
    # Stops between the strategy's steps: its own grid has fewer sets.
    space = {"stop_loss": (0.01, 0.06), "take_profit": (0.02, 0.12)}
    n_bars = session.setup.market.n_bars
    section = Section(
        f"Scaling: {session.source.name}, a year of 1h, {n_bars:,} bars, more and more sets", key="scaling year"
    )
    sweep(session, space=space, n=4 * threads, threads=threads)
    finished = []

    def run(n: int) -> SweepResult:
        # What does not fit into memory goes to a temporary folder by itself.
        return sweep(session, space=space, n=n, threads=threads, daily=False)

    rows = [Row("fastbt", f"{n:,} sets, {cores(threads)}, end to end", n, n_bars, key=f"{n}") for n in sizes]
    for i in range(rounds):
        for row in rows:
            if i == 0 or row.n_sets * n_bars < _LONG:
                say(f"scaling: a year of 1h, {row.n_sets:,} sets, round {i + 1}")
                seconds, cpu, result = clocked(lambda: run(row.n_sets))  # noqa: B023 called at once
                row.add(seconds, cpu)
                finished.append(result.n_ok == row.n_sets)
    section.rows += rows
    section.checks.append(Check("all sets of all sweeps completed", all(finished)))
    return section


class Growing:
    """The common workload of many sizes, in fastbt and vectorbt.

    Parameters
    ----------
    threads : int
        Threads of fastbt, processes of vectorbt.
    rounds : int
        How often each size is timed; the largest ones less often.
    vectorbt : PeerProcesses or None
        Started, or None to leave it out.
    say : callable
        Told what is being done.
    """

    def __init__(self, threads: int, rounds: int, vectorbt: PeerProcesses | None, say: Say) -> None:
        self.threads, self.rounds, self.vectorbt, self.say = threads, rounds, vectorbt, say
        self.account = make_account_of(workload.account())

    def over_sets(self, n_bars: int, sizes: Sequence[int], most: int) -> Section:
        """Time more and more stops for each pair of windows; vectorbt up to `most` sets."""
        section = Section(f"Scaling: common workload, {n_bars:,} bars, more and more sets", key="scaling sets")
        windows = workload.windows()
        cases = [(n_bars, windows, workload.stop_pairs(n // len(windows))) for n in sizes]
        return self._run(section, cases, lambda bars, sets: f"{sets:,} sets", most * n_bars)

    def over_bars(self, sizes: Sequence[int], n_sets: int, most: int) -> Section:
        """Time more and more bars; vectorbt up to `most` bars."""
        section = Section(f"Scaling: common workload, {n_sets:,} sets, more and more bars", key="scaling bars")
        windows = workload.windows()[:: len(workload.windows()) * len(workload.STOPS) // n_sets]
        cases = [(n, windows, list(workload.STOPS)) for n in sizes]
        return self._run(section, cases, lambda bars, sets: f"{bars:,} bars", most * n_sets)

    def _run(
        self, section: Section, cases: Sequence[tuple[int, Any, Any]], named: Callable[[int, int], str], most: int
    ) -> Section:
        """Time all cases in turn, smallest first; vectorbt only those of at most `most` bars times sets."""
        rows = []
        loaded = 0
        for i in range(self.rounds):
            for k, (n_bars, windows, stops) in enumerate(cases):
                n_sets = len(windows) * len(stops)
                if i and n_bars * n_sets >= _LONG:
                    continue
                what = named(n_bars, n_sets)
                self.say(f"{section.title}: {what}, round {i + 1}")
                candles = workload.random_walk(n_bars)
                session = make_session(workload.strategy_folder(), candles, "1m", None, None, self.account)
                sets = workload.parameter_sets(windows, stops)
                if i == 0:
                    sweep(session, params=sets[: 4 * self.threads], threads=self.threads)
                    ours = Row("fastbt", f"{what}, {cores(self.threads)}", n_sets, n_bars, key=f"{n_bars} {n_sets}")
                    on = f"chunks of {CHUNK}, {self.threads} processes"
                    theirs = Row("vectorbt", f"{what}, {on}", n_sets, n_bars, key=f"vectorbt {n_bars} {n_sets}")
                    rows.append((ours, theirs))
                ours, theirs = rows[k]
                seconds, cpu, result = clocked(
                    lambda: sweep(session, params=sets, threads=self.threads, daily=False)  # noqa: B023 called at once
                )
                ours.add(seconds, cpu)
                if self.vectorbt is None or n_bars * n_sets > most:
                    continue
                if loaded != n_bars:
                    self.vectorbt.load(candles.array, workload.WARMUP_BARS)
                    loaded = n_bars
                groups: list[Group] = [(fast, slow, stops) for fast, slow in windows]
                if i == 0:
                    # Compiles, too.
                    few = self.vectorbt.run(groups[:2], **MONEY, measure="check")
                    part = sweep(session, params=sets[: 2 * len(stops)], threads=self.threads)
                    check = agreement("vectorbt", few, part, float(candles.array[-1, CLOSE]), what)
                    section.checks.append(check)
                theirs.add(timed(lambda: self.vectorbt.run(groups, **MONEY))[0], self.vectorbt.cpu)  # type: ignore[union-attr]  # noqa: B023
                del result
        section.rows += [row for pair in rows for row in pair if row.runs]
        return section
