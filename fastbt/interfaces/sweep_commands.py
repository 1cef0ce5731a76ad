"""`fastbt sweep` and `fastbt runs`."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastbt.errors import SettingsError
from fastbt.interfaces._options import (
    INTERRUPTED,
    NEGATIVE,
    OK,
    AccountOptions,
    Market,
    Output,
    SeedOption,
    SpaceOption,
    StrategyArgument,
    ThreadsOption,
    command,
)
from fastbt.interfaces._terminal import console, counted, duration, say, write_json

if TYPE_CHECKING:
    from fastbt.backtest import Session
    from fastbt.engine.account import Account
    from fastbt.sweep.plan import SweepPlan
    from fastbt.sweep.result import SweepResult
    from fastbt.sweep.runs import RunIndex

_store = functools.partial(typer.Option, rich_help_panel="Run on disk")
_limits = functools.partial(typer.Option, rich_help_panel="Limits")


class Sampling(StrEnum):
    """How sets are drawn."""

    random = "random"
    sobol = "sobol"
    halton = "halton"


RootOption = Annotated[
    Path | None,
    _store("--runs", metavar="FOLDER", help="Where runs are kept.  [default: $FASTBT_RUNS, else ./runs]"),
]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A run: see `fastbt runs list`.")]
MetricOption = Annotated[str, typer.Option(metavar="NAME", help="What the best are chosen by: one of Jesse's metrics.")]


@dataclass(frozen=True)
class RunOptions:
    """Where the results go, and what the sweep may take."""

    run: Annotated[
        str | None, _store(metavar="NAME", help="Keep the sweep in a folder of this name; it survives kill -9.")
    ] = None
    resume: Annotated[bool, _store("--resume", help="Go on with the run, or start it.")] = False
    fork: Annotated[bool, _store("--fork", help="If the run is there already, make a new one beside it.")] = False
    daily: Annotated[
        bool, _store("--daily", help="Keep the daily balances in the run, too: 8 bytes a day and set, at most.")
    ] = False
    runs: RootOption = None
    memory: Annotated[
        str | None, _limits(metavar="SIZE", help="Memory to take, such as 2G.  [default: half of what is free]")
    ] = None


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "sweep")(sweep)
    runs_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Sweeps that are kept on disk.")
    app.add_typer(runs_app, name="runs")
    command(runs_app, "list")(runs_list)
    command(runs_app, "show")(runs_show)
    command(runs_app, "rm")(runs_rm)
    command(runs_app, "export")(runs_export)


def sweep(
    *,
    strategy: StrategyArgument,
    n: Annotated[
        int | None,
        typer.Option("--n", metavar="N", min=1, help="How many sets to draw, no two equal; else the whole grid."),
    ] = None,
    seed: SeedOption = 0,
    space: SpaceOption = None,
    constraint: Annotated[
        list[str] | None,
        typer.Option("--constraint", "-c", metavar="TEXT", help="What sets must satisfy, repeatable: 'fast < slow'."),
    ] = None,
    sampling: Annotated[
        Sampling, typer.Option(help="How sets are drawn: at random, or spread evenly.")
    ] = Sampling.random,
    period: Annotated[
        list[str] | None,
        typer.Option(
            "--period", metavar="START/FINISH", help="Instead of --start and --finish; repeatable: one after another."
        ),
    ] = None,
    metric: MetricOption = "sharpe_ratio",
    top: Annotated[int, typer.Option(metavar="N", min=0, help="How many of the best to show.")] = 10,
    threads: ThreadsOption = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what it would take: series, memory, disk, time; run nothing.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every set to a .csv, .parquet, .json, .jsonl or .xlsx file."),
    ] = None,
    market: Market,
    where: RunOptions,
    account: AccountOptions,
    output: Output,
) -> int:
    """Run many hyper-parameter sets: a table of the best.

    --candles and --timeframe may name several, with commas between: each set is run on all of them.
    """
    from fastbt.interfaces._parsing import parse_space
    from fastbt.interfaces._sweep_view import SweepView
    from fastbt.sweep.memory import parse_bytes
    from fastbt.sweep.names import check_metric
    from fastbt.sweep.runs import RunIndex, check_export, write_table
    from fastbt.sweep.store import free_folder
    from fastbt.sweep.sweep import make_job, run_job

    check_metric(metric)
    if out is not None:
        check_export(out, "--out")
    if where.run is None:
        for name in ("resume", "fork", "daily"):
            if getattr(where, name):
                raise SettingsError(f"--{name} wants --run NAME: it is for a sweep that is kept on disk")
    folder = None if where.run is None else RunIndex(where.runs).folder(where.run)
    memory = None if where.memory is None else parse_bytes(where.memory)
    began = time.perf_counter()
    with SweepView(as_json=output.json) as view:
        view.stage("Loading")
        sessions = open_sessions(strategy, market, period or (), account.account())
        view.stage(f"Compiling {sessions[0].source.name}")
        job = make_job(
            sessions,
            space=parse_space(space or (), sessions[0].source),
            n=n,
            seed=seed,
            sampling=sampling.value,
            constraints=constraint or (),
            threads=threads,
            memory=memory,
            # The command shows no daily balances: in memory they are not kept.
            daily=where.daily,
            on_disk=folder is not None,
            metric=metric,
        )
        if plan:
            from fastbt.sweep.plan import make_plan

            found = make_plan(job, on_disk=folder is not None)
        else:
            result = run_job(job, run=folder, resume=where.resume, fork=where.fork, progress=view.show, began=began)
    if plan:
        return _print_plan(found, output)
    if out is not None:
        write_table(result.scan(), out)
    if result.interrupted and result.is_temporary and result.n_done:
        # Nobody asked for a run, but what is done is worth going on with; where it cannot be moved, it stays there.
        with suppress(OSError):
            result.keep(free_folder(RunIndex(where.runs).folder(sessions[0].source.name)))
    if output.json:
        write_json({**result.to_dict(metric, top), "out": out})
    else:
        _print_sweep(result, n, metric, top, named=where.run is not None)
        if out is not None:
            console().print(f"Every set is in {out}.", markup=False, soft_wrap=True)
    if result.interrupted:
        say("Interrupted.")
        return INTERRUPTED
    return OK if result.n_ok else NEGATIVE


def open_sessions(strategy: str, market: Market, periods: Any, account: Account) -> tuple[Session, ...]:
    """Return the strategy on each symbol, timeframe and period; what is cheap to check is checked first."""
    from fastbt.data import CandleSet, timeframe_minutes, to_ms
    from fastbt.interfaces._examples import find_strategy
    from fastbt.sweep.sweep import make_sessions

    timeframes = [each.strip() for each in market.timeframe.split(",")]
    for each in timeframes:
        timeframe_minutes(each)
    if periods and (market.start is not None or market.finish is not None):
        raise SettingsError("give either --period, or --start and --finish, not both")
    spans: list[tuple[int | None, int | None]] = []
    for text in periods or [f"{market.start or ''}/{market.finish or ''}"]:
        first, slash, last = text.partition("/")
        if not slash:
            raise SettingsError(f"--period: wanted START/FINISH such as 2019-02-01/2019-06-01; was {text!r}")
        start = to_ms(first.strip(), "start") if first.strip() else None
        finish = to_ms(last.strip(), "finish") if last.strip() else None
        if start is not None and finish is not None and start >= finish:
            raise SettingsError(f"start: wanted a time before the finish {last.strip()}; was {first.strip()}")
        spans.append((start, finish))
    whole = Path(market.candles).is_file()
    names = [market.candles] if whole else [each.strip() for each in market.candles.split(",")]
    if market.symbol is not None and len(names) > 1:
        raise SettingsError("--symbol is for one file of candles; there are several")
    candles = [CandleSet.load(name, symbol=market.symbol) for name in names]
    return make_sessions(find_strategy(strategy), candles, timeframes, spans, account)


def _print_plan(plan: SweepPlan, output: Output) -> int:
    if output.json:
        write_json({"plan": plan.to_dict()})
        return OK
    out = console()
    out.print(plan.strategy, style="bold", markup=False)
    for what, text in [*plan.lines(), ("time", _time_of(plan))]:
        out.print(f"  {what:<18}{text}", markup=False, soft_wrap=True)
    return OK


def _time_of(plan: SweepPlan) -> str:
    return f"about {duration(plan.seconds)} on {counted(plan.threads, 'thread')}, when the kernels are compiled"


def _print_sweep(result: SweepResult, n: int | None, metric: str, top: int, *, named: bool) -> None:
    """Print the best sets, what became of the others, and the time."""
    from fastbt.interfaces._views import best_table, hyperparameter_columns, subject

    where = console()
    for session in result.sessions[:4]:
        where.print(subject(session), style="bold", markup=False)
    if len(result.sessions) > 4:
        where.print(f"and {len(result.sessions) - 4} more markets", style="bold")
    done = result.n_done
    noun = "set" if len(result.sessions) == 1 else "run"
    if n is not None and len(result.sets) < n:
        where.print(f"The grid has only {counted(len(result.sets), 'set')}: all of it was run.")
    if result.interrupted:
        where.print(f"Interrupted: {done:,} of {len(result):,} {noun}s were run.", style="bold yellow")
        if result.run is not None and done:
            how = "--resume" if named else f"--run {result.run.name} --resume"
            text = f"They are in {result.run.folder}; the same command with {how} goes on."
            where.print(text, markup=False, soft_wrap=True)
    if not done:
        return
    best = result.best(metric, top)
    if best.height:
        title = f"The {best.height:,} best of {done:,} {noun}s by {metric}" if done > 1 else ""
        where.print(best_table(where, best, hyperparameter_columns(best), metric, title))
    elif top:
        where.print(f"No set has a {metric}.")
    for reason, count in unfinished(result)[:5]:
        where.print(f"{counted(count, noun)} {reason}", style="yellow", markup=False)
    where.print(_time_line(result, noun))
    if result.run is not None and not result.interrupted and not result.is_temporary:
        where.print(f"Every {noun} is in {result.run.folder}.", markup=False, soft_wrap=True)


def unfinished(result: SweepResult) -> list[tuple[str, int]]:
    """Return why sets did not complete, the most frequent reason first."""
    import polars as pl

    counts = result.counts
    if counts["ok"] + counts["not run"] == len(result):
        return []
    reason = pl.col("status").str.split(" at bar ").list.first()
    rows = result.scan().select(reason).filter(~pl.col("status").is_in(["ok", "not run"]))
    found = rows.group_by("status").len().collect()
    return sorted(((str(text), int(n)) for text, n in found.rows()), key=lambda item: (-item[1], item[0]))


def _time_line(result: SweepResult, noun: str) -> str:
    seconds = result.seconds
    running = seconds["series"] + seconds["kernels"]
    done, fresh = result.n_done, result.n_fresh
    if result.run is not None and not fresh:
        return f"{counted(done, noun)}: all of them were there already"
    if result.run is not None:
        # Drawing and writing count as well: they are part of what was asked for.
        running = seconds["total"] - seconds["compile"]
    speed = f"{fresh / running:,.0f} {noun}s/s" if running > 0.0 else ""
    series, kernels, compiling = (duration(seconds[part]) for part in ("series", "kernels", "compile"))
    before = f" ({done - fresh:,} were there already)" if fresh < done else ""
    return (
        f"{counted(done, noun)}{before} in {duration(running)}: {speed} ({result.n_series:,} indicator series "
        f"{series}, backtests {kernels}); compiling or loading the kernels took {compiling}"
    )


# --- runs


def _index(root: Path | None) -> RunIndex:
    from fastbt.sweep.runs import RunIndex

    return RunIndex(root)


def runs_list(
    *,
    strategy: Annotated[str | None, typer.Option(metavar="NAME", help="Only runs of this strategy.")] = None,
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Only runs that lack something.")] = False,
    runs: RootOption = None,
    output: Output,
) -> int:
    """List the runs."""
    from fastbt.interfaces._views import runs_table

    index = _index(runs)
    rows = index.list(strategy=strategy, complete=False if unfinished else None)
    if output.json:
        write_json({"folder": index.root, "runs": rows})
    elif rows:
        out = console()
        out.print(runs_table(out, rows))
    else:
        typer.echo(f"There is no run in {str(index.root)!r}." if not index.names() else "No run is of this kind.")
    return OK


def runs_show(
    *,
    name: NameArgument,
    metric: Annotated[str | None, typer.Option(metavar="NAME", help="What the best are chosen by.")] = None,
    top: Annotated[int, typer.Option(metavar="N", min=0, help="How many of the best to show.")] = 10,
    runs: RootOption = None,
    output: Output,
) -> int:
    """Show one run: what it is of, how far it is, its best sets."""
    from fastbt.interfaces._views import best_table, hyperparameter_columns
    from fastbt.sweep.result import best_of

    index = _index(runs)
    about = index.show(name, metric=metric, n=top)
    if output.json:
        write_json(about)
        return OK
    out = console()
    out.print(f"{name}: {about['strategy']}", style="bold", markup=False)
    for what, text in _about_run(about):
        out.print(f"  {what:<12}{text}", markup=False, soft_wrap=True)
    if about["best"]:
        run = index.open(name)
        best = best_of(run.scan(), about["metric"], top)
        title = f"The {best.height:,} best of {about['done']:,} by {about['metric']}"
        out.print(best_table(out, best, hyperparameter_columns(best), about["metric"], title))
    return OK


def _about_run(about: Mapping[str, Any]) -> list[tuple[str, str]]:
    from fastbt.sweep.memory import bytes_text

    manifest = about["manifest"]
    lines = [("state", f"{about['state']}, {about['done']:,} of {about['rows']:,} rows")]
    lines += [
        ("market", f"{each['symbol']} {each['timeframe']}, {each['start']} to {each['finish']}")
        for each in manifest["markets"]
    ]
    sampling = manifest["sampling"]
    how = sampling["sampling"] + (f", seed {sampling['seed']}" if "seed" in sampling else "")
    lines.append(("sets", f"{about['sets']:,}, {how}"))
    for each in sampling.get("space", []):
        lines.append(("", _dimension_text(each)))
    lines += [("constraint", text) for text in sampling.get("constraints", [])]
    ended = [f"{about[kind]:,} {kind}" for kind in ("ok", "infeasible", "failed", "unsupported") if about[kind]]
    lines.append(("results", ", ".join(ended) or "none yet"))
    lines.append(("account", ", ".join(f"{key} {value}" for key, value in manifest["account"].items())))
    lines.append(("versions", ", ".join(f"{key} {value}" for key, value in manifest["versions"].items())))
    lines.append(("worked", f"{duration(about['seconds'])}, from {about['created']} to {about['updated']}"))
    lines.append(("on disk", bytes_text(about["bytes"]) + (", with daily balances" if about["daily"] else "")))
    return lines


def _dimension_text(each: Mapping[str, Any]) -> str:
    if each["type"] == "categorical":
        return f"{each['name']}: {', '.join(map(str, each['options']))}"
    step = f", step {each['step']:g}" if "step" in each else ", logarithmic" if each.get("log") else ""
    return f"{each['name']}: {each['min']:g} to {each['max']:g}{step}"


def runs_rm(
    *,
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    runs: RootOption = None,
    output: Output,
) -> int:
    """Delete a run and its results."""
    import sys

    index = _index(runs)
    run = index.open(name)
    if not yes:
        if output.json or not sys.stdin.isatty():
            raise SettingsError(f"--yes is wanted to delete {name!r}: nobody can be asked here")
        if not typer.confirm(f"Delete {run.folder} with the results of {counted(run.n_done, 'row')}?", err=True):
            say("Nothing was deleted.")
            return NEGATIVE
    index.remove(name)
    if output.json:
        write_json({"removed": name})
    else:
        typer.echo(f"{name} is deleted.")
    return OK


def runs_export(
    *,
    name: NameArgument,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .csv, .parquet, .json, .jsonl or .xlsx.")],
    metric: Annotated[str | None, typer.Option(metavar="NAME", help="Sort by it, best first.")] = None,
    top: Annotated[int | None, typer.Option(metavar="N", min=1, help="Only the best.")] = None,
    runs: RootOption = None,
    output: Output,
) -> int:
    """Write the results of a run to one file."""
    rows = _index(runs).export(name, out, metric=metric, n=top)
    if output.json:
        write_json({"run": name, "out": out, "rows": rows})
    else:
        typer.echo(f"{counted(rows, 'row')} of {name} in {out}")
    return OK
