"""How the cost of a sweep changes with the number of sets and of bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from fastbt.backtest import Session
from fastbt.data import CandleSet
from fastbt.interfaces import _bench_workload as workload
from fastbt.interfaces._bench_common import MONEY, agreement
from fastbt.interfaces._bench_jesse import Say, cores
from fastbt.interfaces._bench_memory import year_on_disk
from fastbt.interfaces._bench_parts import Check, Row, Section, clocked_in_a_row, timed
from fastbt.interfaces._bench_peers import CHUNK, Group, PeerProcesses
from fastbt.sweep.sweep import SweepResult, make_account, make_account_of, make_session, sweep
from fastbt.types import CLOSE, JsonDict

#: Bars times sets above which once is enough, for fastbt and for vectorbt.
_LONG = 2 * 10**9
_LONG_VECTORBT = 2 * 10**8
#: Bars times sets of one call of vectorbt, which takes some 230 bytes for each.
_ROOM_VECTORBT = 5 * 10**6

#: Bars, pairs of windows, pairs of stops.
Case = tuple[int, list[tuple[int, int]], list[tuple[float, float]]]


def over_sets_of_a_year(
    strategy: str | Path, candles: CandleSet, sizes: Sequence[int], *, rounds: int, threads: int, say: Say
) -> Section:
    """Time sweeps of a year of 1h with more and more sets, in turn.

    Parameters
    ----------
    strategy, candles
        As for `fastbt.sweep`.
    sizes : sequence of int
        Numbers of sets; the largest in a process of its own, kept on disk.
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
    say("scaling: compiling the strategy")
    sweep(session, space=space, n=4 * threads, threads=threads)
    finished = []

    def run(n: int) -> SweepResult:
        # What does not fit into memory goes to a temporary folder by itself.
        return sweep(session, space=space, n=n, threads=threads, daily=False)

    most = max(sizes)
    what = f"sets, {cores(threads)}, end to end"
    rows = [Row("fastbt", f"{n:,} {what}", n, n_bars, key=f"{n}") for n in sorted(sizes) if n != most]
    for i in range(rounds):
        for row in rows:
            say(f"scaling: a year of 1h, {row.n_sets:,} sets, round {i + 1}")
            seconds, cpu, result, _ = clocked_in_a_row(lambda: run(row.n_sets))  # noqa: B023 called at once
            row.add(seconds, cpu)
            finished.append(result.n_ok == row.n_sets)
    section.checks.append(Check("all sets of all sweeps completed", all(finished)))
    seconds, cpu = year_on_disk(section, most, threads, say)
    last = Row("fastbt", f"{most:,} {what}, a process of its own, on disk", most, n_bars, key=f"{most}")
    last.add(seconds, cpu)
    section.rows += [*rows, last]
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
        self._loaded = 0

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

    def _run(self, section: Section, cases: Sequence[Case], named: Callable[[int, int], str], most: int) -> Section:
        """Time all cases in turn, smallest first; vectorbt only those of at most `most` bars times sets."""
        sessions = [
            make_session(workload.strategy_folder(), workload.random_walk(n_bars), "1m", None, None, self.account)
            for n_bars, _, _ in cases
        ]
        rows = [
            self._prepared(section, session, case, named, most) for session, case in zip(sessions, cases, strict=True)
        ]
        for i in range(self.rounds):
            for (ours, theirs), session, (n_bars, windows, stops) in zip(rows, sessions, cases, strict=True):
                n = ours.n_sets * n_bars
                if i and n >= _LONG:
                    continue
                self.say(f"{section.title}: {ours.what}, round {i + 1}")
                sets = workload.parameter_sets(windows, stops)
                ours.add(*clocked_in_a_row(lambda: self._sweep(session, sets))[:2])  # noqa: B023 called at once
                if self.vectorbt is not None and n <= most and (i == 0 or n < _LONG_VECTORBT):
                    self._load(n_bars)
                    groups: list[Group] = [(fast, slow, stops) for fast, slow in windows]
                    theirs.add(timed(lambda: self._vectorbt(groups, n_bars))[0], self.vectorbt.cpu)  # noqa: B023
        section.rows += [row for pair in rows for row in pair if row.runs]
        return section

    def _prepared(
        self, section: Section, session: Session, case: Case, named: Callable[[int, int], str], most: int
    ) -> tuple[Row, Row]:
        """Compile what a case needs, compare some of its sets, and return its empty rows."""
        n_bars, windows, stops = case
        n_sets = len(windows) * len(stops)
        what = named(n_bars, n_sets)
        self.say(f"{section.title}: {what}, compiling")
        part = self._sweep(session, workload.parameter_sets(windows[:2], stops))
        if self.vectorbt is not None and n_bars * n_sets <= most:
            self._load(n_bars)
            groups: list[Group] = [(fast, slow, stops) for fast, slow in windows]
            # A chunk for each process, so that both compile what the whole needs.
            self._vectorbt(groups[: self.threads * max(1, CHUNK // len(stops))], n_bars)
            few = self.vectorbt.run(groups[:2], **MONEY, measure="check", chunk=_chunk(n_bars))
            last = float(workload.random_walk(n_bars).array[-1, CLOSE])
            section.checks.append(agreement("vectorbt", few, part, last, what))
        on = f"chunks of {_chunk(n_bars)}, {self.threads} processes"
        ours = Row("fastbt", f"{what}, {cores(self.threads)}", n_sets, n_bars, key=f"{n_bars} {n_sets}")
        theirs = Row("vectorbt", f"{what}, {on}", n_sets, n_bars, key=f"vectorbt {n_bars} {n_sets}")
        return ours, theirs

    def _sweep(self, session: Session, sets: list[JsonDict]) -> SweepResult:
        return sweep(session, params=sets, threads=self.threads, daily=False)

    def _load(self, n_bars: int) -> None:
        """Give vectorbt these candles, unless it has them."""
        if self.vectorbt is not None and self._loaded != n_bars:
            self.vectorbt.load(workload.random_walk(n_bars).array, workload.WARMUP_BARS)
            self._loaded = n_bars

    def _vectorbt(self, groups: Sequence[Group], n_bars: int) -> None:
        assert self.vectorbt is not None
        self.vectorbt.run(groups, **MONEY, chunk=_chunk(n_bars))


def _chunk(n_bars: int) -> int:
    """Return how many sets vectorbt runs at once: fewer where they would not fit into memory."""
    return max(1, min(CHUNK, _ROOM_VECTORBT // n_bars))
