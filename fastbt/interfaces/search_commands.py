"""`fastbt optimize`, `fastbt walk-forward`, `fastbt batch` and `fastbt import-study`."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastbt.errors import SettingsError, did_you_mean
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
from fastbt.interfaces._terminal import Progress, console, say, write_json

if TYPE_CHECKING:
    from fastbt.compiler.load import StrategySource
    from fastbt.search.progress import SearchProgress

_store = functools.partial(typer.Option, rich_help_panel="Search on disk")
_search = functools.partial(typer.Option, rich_help_panel="Search")
_windows = functools.partial(typer.Option, rich_help_panel="Windows")

ConstraintOption = Annotated[
    list[str] | None,
    _search("--constraint", "-c", metavar="TEXT", help="What sets must satisfy, repeatable: 'fast < slow'."),
]


@dataclass(frozen=True)
class StoreOptions:
    """Where a search is kept."""

    run: Annotated[
        Path | None, _store(metavar="FOLDER", help="Keep the search in this folder; it survives kill -9.")
    ] = None
    resume: Annotated[bool, _store("--resume", help="Go on with the search of the folder, or start it.")] = False
    fork: Annotated[bool, _store("--fork", help="If there is one already, make a new one beside it.")] = False
    out: Annotated[Path | None, _store(metavar="FILE", help="Write the result, which Python and --from read.")] = None
    time_limit: Annotated[float | None, _store(metavar="SECONDS", min=0.001, help="End then, with what there is.")] = (
        None
    )


@dataclass(frozen=True)
class SearchOptions:
    """How sets are searched for."""

    metric: Annotated[
        list[str] | None,
        _search(
            metavar="NAME",
            help="Repeatable, for a Pareto front: Jesse's metrics, or fitness:sharpe and so on, Jesse's fitness.  "
            "[default: sharpe_ratio]",
        ),
    ] = None
    direction: Annotated[
        list[str] | None, _search(metavar="maximize|minimize", help="Of each metric; else the usual one.")
    ] = None
    trials: Annotated[int, _search("--trials", "-n", metavar="N", min=1, help="How many sets.")] = 100
    sampler: Annotated[
        str, _search(metavar="NAME", help="tpe, cmaes, nsga2, nsga3, gp, qmc, halton, random or grid.")
    ] = "tpe"
    batch_size: Annotated[
        int | None, _search(metavar="N", min=1, help="Sets at once; else what suits the sampler.")
    ] = None
    population: Annotated[int | None, _search(metavar="N", min=2, help="Of nsga2, nsga3 and cmaes.")] = None
    fix: Annotated[
        list[str] | None, _search(metavar="NAME=VALUE", help="A hyper-parameter that does not vary, repeatable.")
    ] = None
    begin_with: Annotated[
        list[str] | None,
        _search(metavar="A=1,B=2", help="A set to begin with, repeatable; what it leaves out has its default."),
    ] = None
    from_: Annotated[
        Path | None, _search("--from", metavar="FILE", help="Begin with the best sets of an earlier result.")
    ] = None
    require: Annotated[
        list[str] | None,
        _search("--require", metavar="TEXT", help="What metrics must reach, repeatable: 'win_rate > 0.4'."),
    ] = None
    optimal_total: Annotated[int, _search(metavar="N", min=2, help="Trades enough for Jesse's fitness.")] = 200
    patience: Annotated[
        int | None, _search(metavar="N", min=1, help="End after so many trials without a better one.")
    ] = None


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "optimize")(optimize)
    command(app, "walk-forward")(walk_forward)
    command(app, "batch")(batch)
    command(app, "import-study")(import_study)


def _source(strategy: str) -> StrategySource:
    from fastbt.compiler.load import load_strategy
    from fastbt.interfaces._examples import find_strategy

    return load_strategy(find_strategy(strategy))


def _market(strategy: str, market: Market, account: AccountOptions) -> dict[str, Any]:
    """Return what all searches take of the market and the account."""
    from fastbt.data import CandleSet, timeframe_minutes

    for each in market.timeframe.split(","):
        timeframe_minutes(each.strip())
    candles: Any = market.candles
    if market.symbol is not None:
        candles = CandleSet.load(market.candles, symbol=market.symbol)
    made = account.account()
    from fastbt.interfaces._examples import find_strategy

    return {
        "strategy": find_strategy(strategy),
        "candles": candles,
        "timeframe": market.timeframe,
        "start": market.start,
        "finish": market.finish,
        "starting_balance": account.starting_balance,
        "fee": account.fee,
        "type": account.type,
        "futures_leverage": made.leverage,
        "futures_leverage_mode": account.leverage_mode or "cross",
        "warm_up_candles": account.warm_up_candles,
        "exchange": account.exchange,
        "indicator_window": account.indicator_window.value,
    }


def _settings(
    strategy: str, search: SearchOptions, space: list[str] | None, constraint: list[str] | None
) -> dict[str, Any]:
    """Return what optimize and walk-forward take of the search."""
    from fastbt.interfaces._parsing import parse_set, parse_space
    from fastbt.search.results import load_result

    source = _source(strategy)
    fixed = parse_set(search.fix or (), source)
    named = {text.partition("=")[0].strip() for text in search.fix or ()}
    known = [parse_set(text.split(","), source) for text in search.begin_with or ()]
    return {
        "space": parse_space(space or (), source),
        "fixed": {name: value for name, value in fixed.items() if name in named},
        "metric": search.metric or "sharpe_ratio",
        "direction": search.direction,
        "trials": search.trials,
        "sampler": search.sampler,
        "batch_size": search.batch_size,
        "population": search.population,
        "known": known,
        "initial_result": None if search.from_ is None else load_result(search.from_),
        "constraints": constraint or (),
        "requirements": search.require or (),
        "optimal_total": search.optimal_total,
        "patience": search.patience,
    }


class _Shown:
    """Progress of a search on the screen."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __call__(self, state: SearchProgress) -> None:
        self._progress.noun = state.noun
        self._progress.count(state.done, state.total, state.seconds)


def _check_out(store: StoreOptions) -> None:
    """Find out before a long search whether its result can be written."""
    if store.out is not None:
        store.out.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(store.out if store.out.exists() else store.out.parent, os.W_OK):
            raise SettingsError(f"--out: {str(store.out)!r} cannot be written")


def _running(store: StoreOptions, progress: Progress) -> dict[str, Any]:
    """Return what all searches take of how they run."""
    return {
        "time_limit": store.time_limit,
        "progress": _Shown(progress),
        "run": store.run,
        "resume": store.resume,
        "fork": store.fork,
    }


def _finish(
    result: Any, store: StoreOptions, output: Output, document: dict[str, Any], show: Callable[[], None]
) -> int:
    """Print a result, and where it is; return the exit code."""
    if output.json:
        write_json({**document, "out": store.out})
    else:
        show()
        if store.out is not None:
            console().print(f"The result is in {store.out}.", markup=False, soft_wrap=True)
    return _ended(result.stopped, store)


def _ended(stopped: str, store: StoreOptions) -> int:
    """Say how a search ended early; return the exit code."""
    if stopped == "interrupted":
        again = "; the same command with --resume goes on" if store.run is not None else ""
        say(f"Interrupted: this is what there was until then{again}.")
        return INTERRUPTED
    if stopped == "time limit":
        say("The time limit ended it: this is what there was until then.")
    return OK


def optimize(
    *,
    strategy: StrategyArgument,
    space: SpaceOption = None,
    constraint: ConstraintOption = None,
    min_trades: Annotated[int | None, _search(metavar="N", min=1, help="Trades that a set must make.")] = None,
    max_drawdown: Annotated[
        float | None, _search(metavar="PERCENT", min=0, help="Drawdown that a set may have.")
    ] = None,
    seed: SeedOption = 0,
    threads: ThreadsOption = None,
    top: Annotated[int, typer.Option(metavar="N", min=0, help="How many of the best to show.")] = 10,
    export_optuna: Annotated[
        str | None, _store(metavar="sqlite:///FILE", help="Write a study that optuna-dashboard opens.")
    ] = None,
    search: SearchOptions,
    market: Market,
    store: StoreOptions,
    account: AccountOptions,
    output: Output,
) -> int:
    """Search for the best hyper-parameters, with nine samplers."""
    from fastbt.interfaces._search_views import print_optimized
    from fastbt.search.optimize import optimize as run
    from fastbt.search.studies import check_storage

    _check_out(store)
    if export_optuna is not None:
        check_storage(export_optuna)
    with Progress("trials", shown=not output.json) as progress:
        progress.stage("Loading and compiling")
        result = run(
            **_market(strategy, market, account),
            **_settings(strategy, search, space, constraint),
            min_trades=min_trades,
            max_drawdown=max_drawdown,
            seed=seed,
            threads=threads,
            **_running(store, progress),
        )
        if store.out is not None:
            result.save(store.out)
        if export_optuna is not None:
            progress.stage(f"Writing {len(result):,} trials to {export_optuna}")
            study = result.export_optuna(export_optuna)

    def show() -> None:
        print_optimized(console(), result, top)
        if export_optuna is not None:
            console().print(f"The study {study} is in {export_optuna}.", markup=False, soft_wrap=True)

    return _finish(result, store, output, result.to_dict(top), show)


def walk_forward(
    *,
    strategy: StrategyArgument,
    mode: Annotated[str, _windows(metavar="rolling|expanding|anchored", help="How in-sample parts move.")] = "rolling",
    in_sample: Annotated[float, _windows(metavar="DAYS", help="In-sample.")] = 120.0,
    out_of_sample: Annotated[float, _windows(metavar="DAYS", help="Out of sample.")] = 30.0,
    step: Annotated[
        float | None, _windows(metavar="DAYS", help="From window to window; else the out-of-sample days.")
    ] = None,
    purge: Annotated[
        str, _windows(metavar="DAYS|auto", help="Left out for trades that last beyond the in-sample part.")
    ] = "auto",
    embargo: Annotated[
        str, _windows(metavar="DAYS|auto", help="Left out for what indicators remember of it.")
    ] = "auto",
    anchor: Annotated[str | None, _windows(metavar="TIME", help="Where anchored in-sample parts begin.")] = None,
    partial: Annotated[bool, _windows("--partial", help="Keep a last window that is cut short.")] = False,
    min_trades: Annotated[int, _windows(metavar="N", min=0, help="Trades in-sample, at least.")] = 1,
    space: SpaceOption = None,
    constraint: ConstraintOption = None,
    seed: SeedOption = 0,
    threads: ThreadsOption = None,
    search: SearchOptions,
    market: Market,
    store: StoreOptions,
    account: AccountOptions,
    output: Output,
) -> int:
    """Optimise on one period, test on the next, move on."""
    from fastbt.interfaces._search_views import print_walked
    from fastbt.search.walk_forward import walk_forward as run

    _check_out(store)
    with Progress("windows", shown=not output.json) as progress:
        progress.stage("Loading and compiling")
        result = run(
            **_market(strategy, market, account),
            **_settings(strategy, search, space, constraint),
            mode=mode,
            in_sample=in_sample,
            out_of_sample=out_of_sample,
            step=step,
            purge=_days("--purge", purge),
            embargo=_days("--embargo", embargo),
            anchor=anchor,
            partial=partial,
            min_trades=min_trades,
            seed=seed,
            threads=threads,
            **_running(store, progress),
        )
        if store.out is not None:
            result.save(store.out)
    return _finish(result, store, output, result.to_dict(), lambda: print_walked(console(), result))


def _days(option: str, text: str) -> float | str:
    if text.strip() == "auto":
        return "auto"
    try:
        return float(text)
    except ValueError:
        raise SettingsError(f"{option}: wanted days or auto; was {text!r}") from None


def batch(
    *,
    strategies: Annotated[list[str], typer.Argument(metavar="STRATEGY...", help="Strategies, as for sweep.")],
    period: Annotated[
        list[str] | None,
        typer.Option("--period", metavar="START/FINISH", help="Instead of --start and --finish; repeatable."),
    ] = None,
    n: Annotated[
        int | None, typer.Option("--n", metavar="N", min=1, help="Sets to draw for each; else the defaults alone.")
    ] = None,
    seed: SeedOption = 0,
    metric: Annotated[str, typer.Option(metavar="NAME", help="What is compared.")] = "sharpe_ratio",
    by: Annotated[str, typer.Option(metavar="best|worst|mean|median", help="What stands for several sets.")] = "best",
    top: Annotated[int, typer.Option(metavar="N", min=0, help="How many of the best to show.")] = 10,
    threads: ThreadsOption = None,
    market: Market,
    store: StoreOptions,
    account: AccountOptions,
    output: Output,
) -> int:
    """Compare strategies over symbols, timeframes and periods.

    --candles and --timeframe may name several, with commas between.
    """
    from fastbt.interfaces._examples import find_strategy
    from fastbt.interfaces._search_views import print_batch
    from fastbt.search.batch import backtest_batch
    from fastbt.search.batch_result import WAYS

    if by not in WAYS:
        raise SettingsError(f"--by wants {', '.join(WAYS)}; it was {by!r}.{did_you_mean(by, WAYS)}")
    _check_out(store)
    about = _market(strategies[0], market, account)
    for name in ("strategy", "candles", "timeframe", "start", "finish"):
        del about[name]
    if period and (market.start is not None or market.finish is not None):
        raise SettingsError("give either --period, or --start and --finish, not both")
    spans = [_span(text) for text in period or ()] or [(market.start, market.finish)]
    from fastbt.data import CandleSet

    names = [market.candles] if Path(market.candles).is_file() else [each.strip() for each in market.candles.split(",")]
    if market.symbol is not None and len(names) > 1:
        raise SettingsError("--symbol is for one file of candles; there are several")
    candles: list[Any] = list(names) if market.symbol is None else [CandleSet.load(names[0], symbol=market.symbol)]
    with Progress("cells", shown=not output.json) as progress:
        progress.stage("Loading and compiling")
        result = backtest_batch(
            [find_strategy(each) for each in strategies],
            candles,
            timeframe=[each.strip() for each in market.timeframe.split(",")],
            periods=spans,
            n=n,
            seed=seed,
            metric=metric,
            threads=threads,
            **_running(store, progress),
            **about,
        )
        if store.out is not None:
            result.save(store.out)
    return _finish(result, store, output, result.to_dict(top), lambda: print_batch(console(), result, by, top))


def _span(text: str) -> tuple[str | None, str | None]:
    first, slash, last = text.partition("/")
    if not slash:
        raise SettingsError(f"--period: wanted START/FINISH such as 2019-02-01/2019-06-01; was {text!r}")
    return first.strip() or None, last.strip() or None


def import_study(
    *,
    study: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Jesse's storage/temp/optuna/optuna_study.db.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Of the study, if the file has several.")] = None,
    strategy: Annotated[
        str | None, typer.Option(metavar="STRATEGY", help="Run all sets again with this strategy, in one sweep.")
    ] = None,
    dna: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="A DNA, repeatable, beside the file or instead of it.")
    ] = None,
    metric: Annotated[str, typer.Option(metavar="NAME", help="What the best are chosen by.")] = "sharpe_ratio",
    top: Annotated[int, typer.Option(metavar="N", min=0, help="How many to show.")] = 10,
    threads: ThreadsOption = None,
    market: Market,
    account: AccountOptions,
    output: Output,
) -> int:
    """Run the trials of Jesse's optimisation again."""
    from fastbt.interfaces._options import open_session
    from fastbt.interfaces._search_views import print_again, print_study
    from fastbt.search.study_file import StudyFile, decode_dna, read_study
    from fastbt.sweep.names import check_metric
    from fastbt.sweep.sweep import sweep

    check_metric(metric)
    if study is None and not dna:
        raise SettingsError("wanted a file, or --dna TEXT; there was neither")
    if dna and strategy is None:
        raise SettingsError("--dna wants --strategy: the order and ranges of its hyper-parameters")
    found = StudyFile("", []) if study is None else read_study(study, name)
    if strategy is None:
        if output.json:
            write_json(_study_dict(found))
        else:
            print_study(console(), found, top)
        return OK if found.trials else NEGATIVE
    with Progress("sets", shown=not output.json) as progress:
        progress.stage("Loading and compiling")
        session = open_session(strategy, market, account.account())
        declared = session.source.hyperparameters
        sets = [*found.sets(), *(decode_dna(text, declared) for text in dna or ())]
        if not sets:
            raise SettingsError(f"the study {found.name!r} has no trial with hyper-parameters")
        again = sweep(session, params=sets, threads=threads, daily=False, progress=progress.show, metric=metric)
    if output.json:
        write_json({**_study_dict(found), "again": again.to_dict(metric, top), "sets": sets})
    else:
        print_again(console(), found, again, metric, top)
    return OK if again.n_ok else NEGATIVE


def _study_dict(found: Any) -> dict[str, Any]:
    trials = [
        {"trial": each.number, "state": each.state, "values": each.values, "params": each.params, "dna": each.dna}
        for each in found.trials
    ]
    return {"study": found.name, "strategy": found.strategy, "trials": trials}
