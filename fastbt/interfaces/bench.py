"""`fastbt bench`: fastbt beside Jesse and vectorbt, in turn, in one run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastbt.errors import SettingsError

if TYPE_CHECKING:
    from rich.console import Console

    from fastbt.interfaces._bench_parts import Section
    from fastbt.types import JsonDict

#: Sizes: sets of the sweep, sets verified, bars of the random walk, bars of it for Jesse, rounds.
FULL = (1_000, 4, 100_000, 10_000, 5)
QUICK = (100, 2, 10_000, 1_000, 3)


def run(
    *,
    timeframes: Sequence[str] = ("1h",),
    strategy: str | Path | None = None,
    quick: bool = False,
    as_json: bool = False,
    threads: int | None = None,
    rounds: int | None = None,
    jesse: bool = True,
    vectorbt: bool = True,
    setup_vectorbt: bool = False,
    console: Console | None = None,
) -> int:
    """Time fastbt beside Jesse and vectorbt, print the figures, and return the exit code.

    Answers are compared before anything is timed, everything is compiled before the clock starts, libraries take turns,
    and medians count. What is missing is left out, with a line that says how to get it.

    Parameters
    ----------
    timeframes : sequence of str
        Of the sweep on real candles.
    strategy : str or Path, optional
        Of that sweep; `strategies/SmaCrossover` if left out.
    quick : bool
        A tenth of the sizes.
    as_json : bool
        Print one JSON object instead of tables.
    threads : int, optional
        All cores if left out.
    rounds : int, optional
        How often everything is timed.
    jesse, vectorbt : bool
        Whether they take part.
    setup_vectorbt : bool
        Make vectorbt's environment, and do nothing else.
    console : rich.console.Console, optional
        Where to print.

    Returns
    -------
    int
        0, or 1 if an answer differs.

    Raises
    ------
    SettingsError
        If an argument makes no sense, or the environment cannot be made.
    OracleError
        If Jesse or vectorbt fails where it should not.
    """
    from fastbt.interfaces._terminal import console as terminal

    out, err = console or terminal(), terminal(stderr=True)

    def say(text: str) -> None:
        err.print(text, style="dim", markup=False, soft_wrap=True)

    if setup_vectorbt:
        from fastbt.interfaces._bench_vectorbt import environment, make_environment

        make_environment(say)
        if as_json:
            out.print_json(json.dumps({"environment": str(environment())}))
        else:
            out.print(f"vectorbt's environment is ready in {environment()}", markup=False, soft_wrap=True)
        return 0
    report, sections = _measure(timeframes, strategy, quick, threads, rounds, jesse, vectorbt, say)
    if as_json:
        out.print_json(json.dumps(report))
    else:
        _print(out, report, sections)
    return 0 if all(section.passed for section in sections) else 1


def _measure(
    timeframes: Sequence[str],
    strategy: str | Path | None,
    quick: bool,
    threads: int | None,
    rounds: int | None,
    jesse: bool,
    vectorbt: bool,
    say: Any,
) -> tuple[JsonDict, list[Section]]:
    """Do all measurements."""
    from fastbt.data import CandleSet, timeframe_minutes
    from fastbt.interfaces._bench_common import CommonWorkload
    from fastbt.interfaces._bench_jesse import against_jesse, open_jesse
    from fastbt.interfaces._bench_parts import machine
    from fastbt.interfaces._bench_vectorbt import VectorbtProcesses, available
    from fastbt.interfaces._examples import find_strategy
    from fastbt.sweep.executor import available_threads

    for each in timeframes:
        timeframe_minutes(each)
    for name, value in (("threads", threads), ("rounds", rounds)):
        if value is not None and value < 1:
            raise SettingsError(f"{name} wants a whole number from 1; it was {value}")
    n_sets, n_verified, n_bars, n_jesse_bars, usual_rounds = QUICK if quick else FULL
    workers = threads or available_threads()
    chosen = find_strategy("SmaCrossover") if strategy is None else strategy
    about = machine(workers)
    sections = []
    with ExitStack() as stack:
        process = open_jesse(say) if jesse else None
        if process is not None:
            stack.callback(process.close)
            about["versions"]["jesse"] = process.versions["jesse"]
        candles = CandleSet.load("BTC-USD")
        for each in timeframes:
            section = against_jesse(
                chosen,
                candles,
                each,
                n_sets=n_sets,
                n_verified=n_verified,
                rounds=rounds or usual_rounds,
                threads=workers,
                process=process,
                asked=jesse,
                say=say,
            )
            sections.append(section)
        peer = stack.enter_context(VectorbtProcesses(workers)) if vectorbt and available() else None
        common = CommonWorkload(
            n_bars,
            n_jesse_bars=n_jesse_bars,
            threads=workers,
            vectorbt=peer,
            process=process,
            say=say,
            asked=(vectorbt, jesse),
        )
        sections.append(common.run(rounds or usual_rounds))
        if peer is not None:
            about["versions"] |= {"vectorbt": peer.versions["vectorbt"], "vectorbt's numba": peer.versions["numba"]}
    about["load_after"] = machine(workers)["load_before"]
    return {"machine": about, "quick": quick, "sections": [each.to_dict() for each in sections]}, sections


def _print(out: Console, report: JsonDict, sections: Sequence[Section]) -> None:
    """Print tables for a person."""
    from rich.table import Table
    from rich.text import Text

    about = report["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    out.print(f"{about['cpu']}, {about['cores']} cores used, {about['system']}", markup=False)
    out.print(versions, markup=False)
    if about["load_before"] is not None:
        out.print(f"load {about['load_before']:.1f} before, {about['load_after']:.1f} after", markup=False)
    for section in sections:
        out.print()
        table = Table(title=Text(section.title, style="bold"), title_justify="left")
        table.add_column("library")
        table.add_column("what")
        for name in ("seconds", "ns a bar and set", "times fastbt's"):
            table.add_column(name, justify="right")
        for row in section.rows:
            ratio = row.ns / section.rows[0].ns
            table.add_row(row.library, row.what, f"{row.seconds:.3f}", f"{row.ns:,.2f}", f"{ratio:,.{_digits(ratio)}f}")
        out.print(table)
        for check in section.checks:
            mark = "[green]ok[/green]  " if check.passed else "[red]DIFFERENT[/red]  "
            out.print(mark, end="")
            out.print(check.text, markup=False)
        for note in section.notes:
            out.print(f"- {note}", style="dim", markup=False)


def _digits(ratio: float) -> int:
    return 2 if ratio < 10 else 1 if ratio < 100 else 0
