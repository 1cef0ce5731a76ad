"""fastbt beside Jesse, the same strategy on the same candles, in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fastbt.backtest import Session
from fastbt.data import CandleSet, iso
from fastbt.interfaces._bench_parts import Check, Row, Section, clocked_in_a_row, timed
from fastbt.oracle.against_jesse import JesseRunner
from fastbt.oracle.jesse_process import JesseProcess, jesse_available
from fastbt.oracle.verify import verify_sets
from fastbt.sweep.sweep import SweepResult, choose_sets, make_account_of, make_session, sweep

Say = Callable[[str], None]

MISSING = "Jesse is not installed in this environment; `uv sync --group test` or `pip install jesse-fastbt[jesse]`"


def against_jesse(
    strategy: str | Path,
    candles: CandleSet,
    timeframe: str,
    *,
    n_sets: int,
    n_verified: int,
    rounds: int,
    threads: int,
    process: JesseProcess | None,
    say: Say,
    asked: bool = True,
    start: str | int | None = None,
    finish: str | int | None = None,
    seed: int = 0,
) -> Section:
    """Time a sweep, and Jesse's fast mode on some of the same sets, in turn.

    Parameters
    ----------
    strategy, candles, timeframe, start, finish, seed
        As for `fastbt.sweep`.
    n_sets : int
        Sets of the sweep.
    n_verified : int
        Sets whose trades are compared with Jesse's step mode first.
    rounds : int
        How many times each is timed; the median counts.
    threads : int
        Of the sweep.
    process : JesseProcess or None
        None leaves Jesse out.
    say : callable
        Told what is being done.
    asked : bool
        Whether Jesse was wanted: if not, no word on how to get it.
    """
    session = make_session(strategy, candles, timeframe, start, finish, make_account_of({}))
    sets = choose_sets(session, n=n_sets, seed=seed)
    setup = session.setup
    n_bars = setup.market.n_bars
    section = Section(
        f"{session.source.name}, {setup.symbol} {timeframe}, {iso(setup.start)} to {iso(setup.finish)}, "
        f"{n_bars:,} bars, {len(sets):,} sets",
        key=f"jesse {timeframe}",
    )
    say(f"{timeframe}: compiling {session.source.name}")
    seconds, _ = timed(lambda: sweep(session, params=sets[: 4 * threads], threads=threads))
    section.notes.append(f"compiling, or loading what was compiled before, took {seconds:.1f} s; it is not in the rows")
    if process is None and asked:
        section.notes.append(f"Jesse was not timed: {MISSING}")
    if process is not None:
        few = sets[:: max(1, len(sets) // n_verified)][:n_verified]
        section.checks.append(verified(session, few, process, say))
    _time(section, session, sets, n_bars, rounds, threads, process, say)
    return section


def verified(session: Session, sets: Sequence[dict[str, Any]], process: JesseProcess, say: Say) -> Check:
    """Compare whole runs with Jesse's step mode."""
    say(f"{session.setup.timeframe}: comparing with Jesse's step mode, trade by trade")
    report = verify_sets(session.run, JesseRunner(session, process), sets)
    counts = [(report.n_sets, "set"), (report.n_trades, "trade"), (report.n_orders, "order")]
    counted = ", ".join(f"{n:,} {word}{'' if n == 1 else 's'}" for n, word in counts)
    text = f"{counted} against Jesse's step mode: "
    if report.identical:
        return Check(text + "identical", True)
    return Check(f"{text}{len(report.differences)} sets differ; {report.differences[0]}", False)


def _time(
    section: Section,
    session: Session,
    sets: list[dict[str, Any]],
    n_bars: int,
    rounds: int,
    threads: int,
    process: JesseProcess | None,
    say: Say,
) -> None:
    n = len(sets)

    def run(workers: int) -> SweepResult:
        result = sweep(session, params=sets, threads=workers)
        _ = result.frame  # the table belongs to the answer
        return result

    whole = Row("fastbt", f"sweep, {cores(threads)}, end to end", n, n_bars, key="sweep")
    kernels = Row("fastbt", f"kernels of that sweep, {cores(threads)}", n, n_bars, key="kernels")
    single = Row("fastbt", "sweep, 1 core, end to end", n, n_bars, key="sweep 1 core")
    jesse = Row("Jesse", "research.backtest, fast mode, 1 core, a set", 1, n_bars, key="jesse")
    slower = []
    for i in range(rounds):
        say(f"{session.setup.timeframe}: round {i + 1} of {rounds}")
        seconds, cpu, result, _ = clocked_in_a_row(lambda: run(threads))
        whole.add(seconds, cpu)
        kernels.add(result.seconds["kernels"])
        if threads > 1:
            single.add(*clocked_in_a_row(lambda: run(1))[:2])
        if process is not None:
            # A different set each round: their trades, and so their times, differ.
            answer = JesseRunner(session, process)(sets[(i * n) // rounds], fast_mode=True)
            if answer["status"] == "ok":
                jesse.add(answer["seconds"])
            else:
                slower.append(answer["exception"])
    section.rows += [row for row in (whole, kernels, single, jesse) if row.runs]
    completed = result.n_ok
    section.checks.append(Check(f"{completed:,} of {n:,} sets completed", completed == n))
    if slower:
        section.notes.append(f"runs that Jesse aborted were not timed: {', '.join(slower)}")
    if jesse.runs:
        ratio = jesse.seconds * n / whole.seconds
        one_core = jesse.seconds * n / (single if single.runs else whole).seconds
        section.notes.append(
            f"a set takes Jesse {jesse.seconds:.3f} s (median of {len(jesse.runs)} sets); {n:,} sets one after the "
            f"other would take it {jesse.seconds * n:,.0f} s, {ratio:,.0f} times as long as the sweep on "
            f"{cores(threads)}, {one_core:,.0f} times as long as the sweep on 1 core"
        )


def open_jesse(say: Say) -> JesseProcess | None:
    """Start Jesse; None if it is not installed."""
    if not jesse_available():
        return None
    say("importing Jesse")
    process = JesseProcess()
    process.start()
    return process


def cores(threads: int) -> str:
    """Return a number of cores in words.

    Examples
    --------
    >>> cores(1), cores(2)
    ('1 core', '2 cores')
    """
    return f"{threads} core{'' if threads == 1 else 's'}"
