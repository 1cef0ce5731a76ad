"""The command line: parse, call, print. What takes long to import is imported inside the commands."""

from __future__ import annotations

import shlex
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import fastbt
from fastbt.interfaces._options import (
    INTERRUPTED,
    NEGATIVE,
    OK,
    AccountOptions,
    CandlesArgument,
    IndicatorWindow,
    IndicatorWindowOption,
    Market,
    Output,
    SeedOption,
    SpaceOption,
    StrategyArgument,
    ThreadsOption,
    command,
    open_session,
)
from fastbt.interfaces._suggestions import given, verify_command
from fastbt.interfaces._terminal import Progress, console, counted, moment, say, write_json
from fastbt.interfaces.search_commands import register as register_searches
from fastbt.interfaces.sweep_commands import register

if TYPE_CHECKING:
    from fastbt.oracle.verify import SetResult, VerifyReport

app = typer.Typer(
    name="fastbt",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Jesse strategies, unchanged, compiled to machine code: thousands of backtests in the time of one.",
    epilog="Exit codes: 0 done; 1 a negative answer (a difference, bad candles, a run that Jesse aborts); 2 wrong use; "
    "3 fastbt itself failed; 130 interrupted.",
)
data_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at candles.")
app.add_typer(data_app, name="data")


class Mode(StrEnum):
    """Which of fastbt's engines."""

    compiled = "compiled"
    interpreted = "interpreted"


ModeOption = Annotated[Mode, typer.Option(help="Interpreted: any strategy as ordinary Python, the same result.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fastbt {fastbt.__version__}")
        raise typer.Exit()


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@command(app, "demo")
def demo(
    *,
    n: Annotated[int, typer.Option("--n", metavar="N", min=1, help="How many hyper-parameter sets.")] = 1000,
    seed: SeedOption = 0,
    jesse: Annotated[bool, typer.Option(help="Time Jesse on one set, if it is installed.")] = True,
    threads: ThreadsOption = None,
    output: Output,
) -> int:
    """Sweep an example over a year of real candles."""
    from fastbt.interfaces.demo import run

    return run(n=n, seed=seed, with_jesse=jesse, threads=threads, output=output)


@command(app, "backtest")
def backtest(
    *,
    strategy: StrategyArgument,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A hyper-parameter, repeatable; others keep their defaults."),
    ] = None,
    mode: ModeOption = Mode.compiled,
    trades: Annotated[int, typer.Option(metavar="N", min=0, help="How many of the last trades to show.")] = 10,
    market: Market,
    account: AccountOptions,
    output: Output,
) -> int:
    """Run a strategy once: metrics and trades."""
    from fastbt.backtest import result_dict
    from fastbt.data import iso
    from fastbt.interfaces._parsing import parse_set
    from fastbt.interfaces._views import metrics_table, subject, trades_table, value_text

    with Progress("sets", shown=not output.json) as progress:
        progress.stage("Loading")
        session = open_session(strategy, market, account.account())
        hp = parse_set(set_ or (), session.source)
        progress.stage(f"Compiling and running {session.source.name}" if mode == Mode.compiled else "Running")
        began = time.perf_counter()
        simulation, metrics = session.run_interpreted(hp) if mode == Mode.interpreted else session.run(hp)
        seconds = time.perf_counter() - began
    if output.json:
        setup = session.setup
        result = result_dict(
            simulation,
            metrics,
            strategy_name=session.source.name,
            exchange=setup.account.exchange,
            equity_curve=True,
        )
        about = {
            "strategy": session.source.name,
            "symbol": setup.symbol,
            "timeframe": setup.timeframe,
            "start": iso(setup.start),
            "finish": iso(setup.finish),
            "mode": mode,
            "hyperparameters": hp,
            "seconds": seconds,
        }
        write_json({**about, **result})
        return OK
    out = console()
    out.print(subject(session), style="bold", markup=False)
    if hp:
        out.print(", ".join(f"{name}={value_text(value)}" for name, value in hp.items()), markup=False)
    if not simulation.trades:
        out.print("\nNo trade was made.")
        return OK
    out.print(metrics_table(metrics))
    if trades:
        out.print(trades_table(out, simulation.trades, trades))
    if given():
        out.print(f"Whether Jesse trades the same: {verify_command(given())}", markup=False, soft_wrap=True)
    return OK


register(app)
register_searches(app)


@command(app, "verify")
def verify(
    *,
    strategy: StrategyArgument,
    n: Annotated[
        int | None,
        typer.Option(
            "--n", metavar="N", min=1, help="How many random sets: 20, or with --no-lookahead the defaults alone."
        ),
    ] = None,
    no_lookahead: Annotated[
        bool,
        typer.Option("--no-lookahead", help="Cut the candles at many points instead: no earlier decision may change."),
    ] = False,
    cuts: Annotated[int, typer.Option(metavar="N", min=1, help="At how many points, with --no-lookahead.")] = 12,
    seed: SeedOption = 0,
    space: SpaceOption = None,
    mode: ModeOption = Mode.compiled,
    market: Market,
    account: AccountOptions,
    output: Output,
) -> int:
    """Run sets in fastbt and in Jesse, and compare all of it.

    Every trade, order, fee, daily balance and metric.
    """
    from fastbt.errors import OracleError
    from fastbt.interfaces._examples import get_jesse
    from fastbt.interfaces._parsing import parse_space
    from fastbt.interfaces._views import subject
    from fastbt.oracle.against_jesse import verify as run
    from fastbt.oracle.jesse_process import JesseProcess, jesse_available
    from fastbt.oracle.verify import VerifyReport

    if no_lookahead:
        return _verify_no_lookahead(strategy, market, account, space, n, cuts, seed, mode, output)
    n = 20 if n is None else n
    if not jesse_available():
        raise OracleError(
            f"Jesse is not installed here, so there is nothing to compare with: {get_jesse('verify ...')}"
        )
    found: list[SetResult] = []
    interrupted = False
    with Progress("sets", shown=not output.json) as progress:
        progress.stage("Loading")
        session = open_session(strategy, market, account.account())
        varied = parse_space(space or (), session.source)
        total = n if session.source.hyperparameters or varied else 1

        def tell(one: SetResult) -> None:
            found.append(one)
            progress.count(len(found), total, 0.0)

        progress.stage(f"Compiling {session.source.name} and starting Jesse")
        try:
            with JesseProcess() as process:
                report = run(session, space=varied, n=n, seed=seed, mode=mode.value, process=process, progress=tell)
        except KeyboardInterrupt:
            interrupted = True
            report = VerifyReport(found, float("nan"), float("nan"), subject(session))
    if output.json:
        write_json({**report.to_dict(), "interrupted": interrupted})
    else:
        _print_report(report)
    if interrupted:
        say(f"Interrupted: {len(found)} of {total} sets were compared.")
        return INTERRUPTED
    return OK if report.identical else NEGATIVE


def _verify_no_lookahead(
    strategy: str,
    market: Market,
    account: AccountOptions,
    space: list[str] | None,
    n: int | None,
    cuts: int,
    seed: int,
    mode: Mode,
    output: Output,
) -> int:
    """Run a strategy on candles that end earlier, and print what of it changes."""
    from fastbt.interfaces._parsing import parse_space
    from fastbt.oracle.lookahead import verify_no_lookahead

    session = open_session(strategy, market, account.account())
    varied = parse_space(space or (), session.source)
    report = verify_no_lookahead(session, space=varied, n=n, cuts=cuts, seed=seed, mode=mode.value)
    if output.json:
        write_json(report.to_dict())
    else:
        verdict, _, rest = str(report).partition("\n")
        console().print(verdict, style="bold green" if report.passed else "bold red", markup=False, soft_wrap=True)
        if rest:
            typer.echo(rest)
    return OK if report.passed else NEGATIVE


def _print_report(report: VerifyReport) -> None:
    verdict, _, rest = str(report).partition("\n")
    console().print(verdict, style="bold green" if report.identical else "bold red", markup=False, soft_wrap=True)
    for line in rest.splitlines():
        if not line.startswith("  fastbt nan s"):  # an interrupted run has no time of its own
            typer.echo(line)


@command(app, "compile")
def compile_(
    *,
    strategy: StrategyArgument,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it there instead of printing it.")] = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Show instead the stage of each expression, the series, the state."),
    ] = False,
    indicator_window: IndicatorWindowOption = IndicatorWindow.exact,
    output: Output,
) -> int:
    """Print the kernels that fastbt makes of a strategy.

    Or what in it cannot be compiled, and where.
    """
    from fastbt.compiler.load import load_strategy
    from fastbt.compiler.program import CompiledStrategy
    from fastbt.engine.account import Account
    from fastbt.interfaces._examples import find_strategy

    source = load_strategy(find_strategy(strategy))
    compiled = CompiledStrategy(source, Account(indicator_window=indicator_window.value))
    if explain:
        from fastbt.compiler.explain import explain as explained

        explanation = explained(compiled)
        if out is not None:
            out.write_text(f"{explanation}\n")
        if output.json:
            write_json(explanation.to_dict())
        elif out is None:
            typer.echo(f"{explanation}\n\nWhether Jesse trades the same: fastbt verify {shlex.quote(strategy)}")
        return OK
    text = compiled.text
    if out is not None:
        out.write_text(text)
    if output.json:
        document: dict[str, Any] = {"strategy": source.name, "file": source.file, "lines": text.count("\n")}
        document["hyperparameters"] = source.defaults
        write_json({**document, "out": out, "module": text})
    elif out is not None:
        typer.echo(f"{source.name}: {text.count(chr(10)):,} lines in {out}")
    elif sys.stdout.isatty():
        from rich.syntax import Syntax

        console().print(Syntax(text, "python", background_color="default"), soft_wrap=True)
    else:
        sys.stdout.write(text)
    return OK


@command(data_app, "check")
def data_check(
    *,
    candles: CandlesArgument,
    top: Annotated[int, typer.Option(metavar="N", min=0, help="How many of the longest gaps to show.")] = 10,
    output: Output,
) -> int:
    """Say what a candle file holds.

    Its period and gaps, or the first row that is wrong.
    """
    import warnings

    from fastbt.data import CandleSet
    from fastbt.errors import CandleError, ShapeError

    error: str | None = None
    found: CandleSet | None = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = CandleSet.load(candles)
        except (CandleError, ShapeError) as problem:
            error = str(problem)
    told = [str(each.message) for each in caught]
    if output.json:
        write_json(_check_dict(candles, found, error, told))
        return NEGATIVE if error else OK
    for text in told:
        say(f"Warning: {text}")
    if found is None:
        say(f"Error: {error}")
        return NEGATIVE
    _print_check(found, top)
    return OK


def _check_dict(source: str, found: Any, error: str | None, told: list[str]) -> dict[str, Any]:
    from fastbt.data import iso

    document: dict[str, Any] = {"source": source, "ok": error is None, "error": error, "warnings": told}
    if found is not None:
        document |= {
            "symbol": found.symbol,
            "exchange": found.exchange,
            "rows": len(found),
            "start": found.start_time,
            "finish": found.finish_time,
            "missing_minutes": found.missing_minutes,
            "sha256": found.sha256,
            "gaps": [
                {"start": iso(gap.start), "finish": iso(gap.finish), "minutes": gap.minutes}
                for gap in sorted(found.gaps, key=lambda gap: (-gap.minutes, gap.start))
            ],
        }
    return document


def _print_check(found: Any, top: int) -> None:
    out = console()
    out.print(f"{found.symbol} on {found.exchange}", style="bold", markup=False)
    minutes = (found.finish - found.start) // 60_000
    out.print(f"{moment(found.start)} to {moment(found.finish)} UTC, {len(found):,} rows of {minutes:,} minutes")
    if not found.gaps:
        out.print("No minute is missing.")
        return
    share = found.missing_minutes / minutes * 100
    missing = f"{counted(found.missing_minutes, 'minute')} ({share:.2g} %) missing in {counted(len(found.gaps), 'gap')}"
    out.print(f"{missing}; a backtest fills them with flat candles, as Jesse's importer does.")
    longest = sorted(found.gaps, key=lambda gap: (-gap.minutes, gap.start))[:top]
    for gap in longest:
        out.print(f"  {gap.minutes:>7,} min  {moment(gap.start)} to {moment(gap.finish)}")
    if len(longest) < len(found.gaps):
        out.print(f"  and {len(found.gaps) - len(longest):,} more, none longer")


@command(app, "bench")
def bench(
    *,
    timeframe: Annotated[
        list[str] | None,
        typer.Option("--timeframe", "-t", metavar="TIMEFRAME", help="Of the sweep, repeatable.  [default: 1h, 4h, 5m]"),
    ] = None,
    strategy: Annotated[
        str | None, typer.Option(metavar="STRATEGY", help="Of the sweep.  [default: SmaCrossover]")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the sizes.")] = False,
    rounds: Annotated[int | None, typer.Option(metavar="N", min=1, help="How often everything is timed.")] = None,
    threads: ThreadsOption = None,
    only: Annotated[
        str | None,
        typer.Option(metavar="PARTS", help="Some of jesse,common,peers,limit,scaling,memory,start."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep figures as JSON, part by part; what it has is not measured again, unless --only names it.",
        ),
    ] = None,
    jesse: Annotated[bool, typer.Option(help="Whether Jesse takes part.")] = True,
    vectorbt: Annotated[bool, typer.Option(help="Whether vectorbt takes part.")] = True,
    peers: Annotated[bool, typer.Option(help="Whether raptorbt and chidoribt take part.")] = True,
    setup_peers: Annotated[
        bool,
        typer.Option(
            "--setup-peers", help="Make environments for vectorbt, raptorbt and chidoribt, and do nothing else."
        ),
    ] = False,
    setup_vectorbt: Annotated[
        bool, typer.Option("--setup-vectorbt", help="Make vectorbt's environment only, and do nothing else.")
    ] = False,
    output: Output,
) -> int:
    """Time fastbt beside Jesse and other engines."""
    from fastbt.interfaces._examples import find_strategy
    from fastbt.interfaces.bench import PEERS, run

    return run(
        timeframes=timeframe or ("1h", "4h", "5m"),
        strategy=None if strategy is None else find_strategy(strategy),
        quick=quick,
        rounds=rounds,
        threads=threads,
        only=[each.strip() for each in only.split(",")] if only else (),
        out=out,
        jesse=jesse,
        vectorbt=vectorbt,
        peers=peers,
        setup=PEERS if setup_peers else ("vectorbt",) if setup_vectorbt else (),
        as_json=output.json,
    )


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
