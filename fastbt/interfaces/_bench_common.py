"""The common workload in fastbt, vectorbt and Jesse, in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastbt.backtest import Session
from fastbt.interfaces import _bench_workload as workload
from fastbt.interfaces._bench_jesse import MISSING, Say, cores, verified
from fastbt.interfaces._bench_parts import Check, Row, Section, clocked_in_a_row, timed
from fastbt.interfaces._bench_peers import CHUNK, Group, PeerProcesses, how
from fastbt.metrics.names import METRICS
from fastbt.oracle.against_jesse import JesseRunner
from fastbt.oracle.jesse_process import JesseProcess
from fastbt.sweep.sweep import SweepResult, make_account_of, make_session, sweep
from fastbt.types import CLOSE, MINUTE_MS

Stops = Sequence[tuple[float, float]]

NO_STOPS: Stops = ((0.0, 0.0),)
TOLERANCE = 1e-9
MONEY: dict[str, Any] = {"fee": workload.FEE, "cash": workload.CASH}
NOTES = (
    "fastbt simulates Jesse's exchange: it reverses with two orders at one close where vectorbt has one, walks a bar "
    "along a path where vectorbt tests the stop before the target, and closes what is open at the end. The random walk "
    "has no gaps and no bar that holds both stop and target, and the strategy drops a signal on the bar of a stop as "
    "vectorbt does, so that both are asked for the same trades; vectorbt is charged the fee of the last close.",
    f"fastbt's time holds all {len(METRICS)} of Jesse's metrics; vectorbt's first row the profit alone.",
)


class CommonWorkload:
    """The common workload, ready to be checked and timed.

    Parameters
    ----------
    n_bars : int
        Bars of the random walk.
    n_jesse_bars : int
        How many of them Jesse is timed on: it takes about 0.1 ms a bar.
    threads : int
        Cores for fastbt.
    vectorbt : PeerProcesses or None
        Started, or None to leave it out.
    process : JesseProcess or None
        None leaves Jesse out.
    say : callable
        Told what is being done.
    asked : tuple of bool
        Whether vectorbt and Jesse were wanted: what was not needs no word on how to get it.
    pairs : sequence of (int, int), optional
        Windows; all of the workload if left out.
    seed : int
        Of the random walk.
    """

    def __init__(
        self,
        n_bars: int,
        *,
        n_jesse_bars: int,
        threads: int,
        vectorbt: PeerProcesses | None,
        process: JesseProcess | None,
        say: Say,
        asked: tuple[bool, bool] = (True, True),
        pairs: Sequence[tuple[int, int]] | None = None,
        seed: int = 0,
    ) -> None:
        self.n_bars, self.n_jesse_bars, self.threads = n_bars, min(n_bars, n_jesse_bars), threads
        self.vectorbt, self.process, self.say = vectorbt, process, say
        self.asked = asked
        self.windows = list(workload.windows() if pairs is None else pairs)
        self.sets = workload.parameter_sets(self.windows, workload.STOPS)
        self.candles = workload.random_walk(n_bars, seed)
        self.session = self._session(None)
        self.section = Section(
            f"Common workload: crossover with stops, random walk, {n_bars:,} bars, {len(self.sets):,} sets",
            key="common",
        )

    def _session(self, finish: int | None) -> Session:
        account = make_account_of(workload.account())
        return make_session(workload.strategy_folder(), self.candles, "1m", None, finish, account)

    def run(self, rounds: int) -> Section:
        """Compile, check, and time everything `rounds` times in turn."""
        self.say("common workload: compiling the strategy")
        few = self.sets[: 4 * self.threads]
        seconds, _ = timed(lambda: sweep(self.session, params=few, threads=self.threads))
        self.section.notes.append(
            f"compiling, or loading what was compiled before, took {seconds:.1f} s; it is not in the rows"
        )
        short = self._session(self.candles.start + (workload.WARMUP_BARS + self.n_jesse_bars) * MINUTE_MS)
        self._check(short)
        self._time(short, rounds)
        return self.section

    def _ours(self) -> SweepResult:
        return sweep(self.session, params=self.sets, threads=self.threads)

    def _check(self, short: Session) -> None:
        section = self.section
        if self.vectorbt is None and self.asked[0]:
            section.notes.append(f"vectorbt was not timed: {how('vectorbt')}")
        if self.vectorbt is not None:
            self.say("common workload: comparing trades and profits with vectorbt")
            self.vectorbt.load(self.candles.array, workload.WARMUP_BARS)
            plain = sweep(self.session, params=workload.parameter_sets(self.windows, NO_STOPS), threads=self.threads)
            section.checks.append(self._agree(self.vectorbt, plain, NO_STOPS, "without stops"))
            section.checks.append(self._agree(self.vectorbt, self._ours(), workload.STOPS, "with stops"))
            section.notes.extend(NOTES)
        if self.process is None and self.asked[1]:
            section.notes.append(f"Jesse was not timed: {MISSING}")
        if self.process is not None:
            few = workload.parameter_sets(self.windows[:1], workload.STOPS[:1])
            check = verified(short, few, self.process, self.say)
            section.checks.append(Check(f"first {self.n_jesse_bars:,} bars: {check.text}", check.passed))

    def _agree(self, vectorbt: PeerProcesses, result: SweepResult, stops: Stops, what: str) -> Check:
        """Compare the number of trades and the profit of every set with vectorbt's."""
        theirs = vectorbt.run(self._groups(stops), **MONEY, measure="check")
        return agreement("vectorbt", theirs, result, float(self.candles.array[-1, CLOSE]), what)

    def _groups(self, stops: Stops, windows: Sequence[tuple[int, int]] | None = None) -> list[Group]:
        return [(fast, slow, list(stops)) for fast, slow in windows or self.windows]

    def _time(self, short: Session, rounds: int) -> None:
        n, n_bars, vectorbt, processes = len(self.sets), self.n_bars, self.vectorbt, self.threads
        on = f"chunks of {CHUNK}, {processes} process{'' if processes == 1 else 'es'}"
        whole = Row("fastbt", f"sweep, {cores(self.threads)}, end to end", n, n_bars, key="sweep")
        cold = Row("fastbt", "the first such sweep after the others, caches cold", n, n_bars, key="cold sweep")
        kernels = Row("fastbt", f"kernels of that sweep, {cores(self.threads)}", n, n_bars, key="kernels")
        profit = Row("vectorbt", f"Portfolio.from_signals and profit, {on}", n, n_bars, key="vectorbt")
        fewer = self.windows[:: max(1, len(self.windows) // 10)]
        n_fewer = len(fewer) * len(workload.STOPS)
        ratios = Row("vectorbt", f"with Sharpe and drawdown, {on}", n_fewer, n_bars, key="vectorbt ratios")
        jesse = Row("Jesse", "research.backtest, fast mode, 1 core, a set", 1, self.n_jesse_bars, key="jesse")
        if vectorbt is not None:
            vectorbt.run(self._groups(workload.STOPS, self.windows[: 5 * processes]), **MONEY, measure="ratios")
        for i in range(rounds):
            self.say(f"common workload: round {i + 1} of {rounds}")
            seconds, cpu, result, first = clocked_in_a_row(self._ours)
            whole.add(seconds, cpu)
            cold.add(first)
            kernels.add(result.seconds["kernels"])
            if vectorbt is not None:
                groups, some = self._groups(workload.STOPS), self._groups(workload.STOPS, fewer)
                profit.add(timed(lambda: vectorbt.run(groups, **MONEY))[0], vectorbt.cpu)  # noqa: B023 called at once
                seconds, _ = timed(lambda: vectorbt.run(some, **MONEY, measure="ratios"))  # noqa: B023
                ratios.add(seconds, vectorbt.cpu)
            if self.process is not None:
                # Different sets: their trades, and so their times, differ.
                answer = JesseRunner(short, self.process)(self.sets[i * n // rounds], fast_mode=True)
                if answer["status"] == "ok":
                    jesse.add(answer["seconds"])
        self.section.rows += [row for row in (whole, cold, kernels, profit, ratios, jesse) if row.runs]


def agreement(name: str, theirs: Mapping[str, Any], result: SweepResult, last_close: float, what: str) -> Check:
    """Compare the profit of every set, and the number of trades where it is known, with another library's.

    Parameters
    ----------
    name : str
        Of the library.
    theirs : mapping
        `profit`, `position` at the end, and perhaps `trades`, one a set.
    result : SweepResult
    last_close : float
        Jesse closes what is open at the end, and pays for it; others leave it open, valued at the last close.
    what : str
        What was compared.
    """
    profit = np.array(theirs["profit"]) - np.abs(theirs["position"]) * last_close * workload.FEE
    # Without a single trade there are no metrics, and profit is 0.
    our_profit = np.nan_to_num(result.metrics[:, METRICS.index("net_profit")])
    our_trades = np.nan_to_num(result.metrics[:, METRICS.index("total")])
    scale = np.maximum(np.abs(profit), np.finfo(float).tiny)
    difference = np.where(our_profit == profit, 0.0, np.abs(our_profit - profit) / scale)
    same = difference <= TOLERANCE
    counted = "profit"
    if "trades" in theirs:
        trades = np.array(theirs["trades"])
        same &= our_trades == trades
        counted = f"number of trades ({int(trades.sum()):,} in all) and profit"
    return Check(
        f"{what}: {int(same.sum()):,} of {len(same):,} sets with {name}'s {counted} "
        f"(largest relative difference {difference.max():.1e})",
        bool(same.all()) and result.n_ok == len(same) and bool(our_trades.any()),
    )
