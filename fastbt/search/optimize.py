"""Search for the best hyper-parameters: Optuna's samplers, or a grid or random sets, on the kernel."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastbt.backtest import Session
from fastbt.data.times import Time
from fastbt.errors import SearchError, SettingsError
from fastbt.search.inputs import market_settings, requested, search_settings, validated
from fastbt.search.journal import Journal, check_run, writing
from fastbt.search.optimize_result import OptimizeResult
from fastbt.search.progress import Control, Progress
from fastbt.search.requests import OptimizeRequest, plain, plain_metrics
from fastbt.search.results import MarketInfo, open_market
from fastbt.search.studies import importances
from fastbt.search.trial import Searched, best_of, require_some
from fastbt.search.trials import Plan, Search
from fastbt.sweep.evaluate import Evaluator
from fastbt.sweep.manifest import candles_hash, describe_account, describe_strategy, describe_versions
from fastbt.sweep.space import Space, SpaceLike
from fastbt.sweep.sweep import MarketLike
from fastbt.types import JsonDict

#: The middle of a dimension.
_MIDDLE = np.array([0.5])


def optimize(
    strategy: str | Path | type | Session | OptimizeRequest,
    candles: MarketLike | None = None,
    *,
    timeframe: str = "1h",
    start: Time | None = None,
    finish: Time | None = None,
    space: SpaceLike | Space | None = None,
    fixed: Mapping[str, Any] | None = None,
    metric: str | Sequence[str] = "sharpe_ratio",
    direction: str | Sequence[str | None] | None = None,
    trials: int = 100,
    sampler: str = "tpe",
    batch_size: int | None = None,
    population: int | None = None,
    seed: int = 0,
    known: Sequence[Mapping[str, Any]] = (),
    initial_result: Any = None,
    constraints: str | Sequence[str] = (),
    requirements: str | Sequence[str] = (),
    min_trades: int | None = None,
    max_drawdown: float | None = None,
    optimal_total: int = 200,
    patience: int | None = None,
    min_improvement: float = 0.0,
    threads: int | None = None,
    memory: int | None = None,
    time_limit: float | None = None,
    progress: Progress | None = None,
    run: str | Path | None = None,
    resume: bool = False,
    fork: bool = False,
    **account: Any,
) -> OptimizeResult:
    """Search for the hyper-parameters that are best by a metric, or for the Pareto front of several.

    Sets are asked for in batches, run in one pass of the kernel, and told to the sampler. Sets that fail, break a
    constraint, make no trade or have no value of the metric are told as failed, never as scores; a set that comes again
    is not run again.

    Parameters
    ----------
    strategy : str, Path, type, Session or OptimizeRequest
        As for `fastbt.sweep`; or a request that holds everything else.
    candles, timeframe, start, finish
        As for `fastbt.sweep`.
    space : sequence or mapping, optional
        As for `fastbt.sweep`; the strategy's `hyperparameters()` if left out.
    fixed : mapping, optional
        Hyper-parameters that do not vary.
    metric : str or sequence of str
        Jesse's metrics; or "fitness:RATIO", Jesse's fitness of one of its ratios (sharpe, calmar, sortino, omega,
        serenity, smart sharpe, smart sortino). Several give a Pareto front.
    direction : {"maximize", "minimize"}, or a sequence of them, optional
        The usual one of each metric if left out.
    trials : int
    sampler : str
        "tpe", "cmaes", "nsga2", "nsga3", "gp" (with PyTorch), "qmc" (Sobol), "halton", "random" or "grid".
    batch_size, population : int, optional
        Sets asked for at once, and of a generation; what suits the sampler if left out.
    seed : int
    known : sequence of mapping
        Sets to begin with.
    initial_result : OptimizeResult, BatchResult, SweepResult or dict, optional
        An earlier result whose ten best sets are begun with.
    constraints : str or sequence of str
        On hyper-parameters: `"fast_period < slow_period"`.
    requirements : str or sequence of str
        On metrics: `"win_rate > 0.4"`.
    min_trades, max_drawdown : optional
        The two usual ones; the drawdown in percent, positive.
    optimal_total : int
        Trades that are enough for Jesse's fitness.
    patience, min_improvement : optional
        End after so many trials without one that is better by so much.
    threads, memory : int, optional
        As for `fastbt.sweep`; the result does not depend on them.
    time_limit : float, optional
        Seconds after which it ends with what it has.
    progress : callable, optional
        Called with a `SearchProgress` after each batch; a KeyboardInterrupt that it raises ends the search like Ctrl-C.
    run : str or Path, optional
        A folder to keep the search in: it survives `kill -9`.
    resume, fork : bool
        Go on with the search of this folder; or make a new one beside it.
    **account
        As for `fastbt.sweep`.

    Returns
    -------
    OptimizeResult

    Raises
    ------
    SettingsError
        If a name, date or setting makes no sense, or `run` holds a search of something else.
    SearchError
        If no set came to anything.
    CompileError
        If the strategy cannot be compiled.

    Examples
    --------
    >>> result = optimize(
    ...     "strategies/SmaCrossover", "BTC-USD", timeframe="4h", finish="2019-04-01", sampler="nsga2", trials=100
    ... )
    >>> len(result), result.best_value > 0, sorted(result.best_set)
    (100, True, ['fast_period', 'slow_period', 'stop_loss', 'take_profit'])
    """
    began = time.perf_counter()
    if isinstance(strategy, OptimizeRequest):
        request, session = requested(strategy, candles)
        strategy_given = None
    else:
        market, session = market_settings(strategy, candles, timeframe, start, finish, account)
        strategy_given = strategy
        texts = [requirements] if isinstance(requirements, str) else list(requirements)
        texts += [f"total >= {min_trades}"] if min_trades else []
        if max_drawdown is not None and max_drawdown < 0:
            raise SettingsError(f"max_drawdown wants percent, such as 20; it was {max_drawdown}")
        texts += [f"max_drawdown >= -{float(max_drawdown)}"] if max_drawdown is not None else []
        with validated():
            search = search_settings(
                metric=metric,
                direction=direction,
                optimal_total=optimal_total,
                sampler=sampler,
                trials=trials,
                batch_size=batch_size,
                population=population,
                seed=seed,
                space=space,
                fixed=fixed,
                known=known,
                initial_result=initial_result,
                constraints=constraints,
                requirements=texts,
                patience=patience,
                min_improvement=min_improvement,
            )
            request = OptimizeRequest(
                market=market, search=search, threads=threads, memory=memory, time_limit=time_limit
            )
    check_run(run, resume=resume, fork=fork)
    session = open_market(request.market, strategy_given, candles) if session is None else session
    plan = Plan.of(request.search, session)
    control = Control(progress, request.time_limit)
    journal = None if run is None else Journal.open(run, manifest_of(request, session), resume=resume, fork=fork)
    searched, seconds = _searched(plan, session, request, control, journal)
    if not control.stop or any(each.state == "complete" for each in searched.trials):
        require_some(searched)
    if not searched.trials:
        raise SearchError(f"{searched.stopped}: before the first batch of sets was done")
    clock = time.perf_counter()
    result = _result(request, session, plan, searched, seconds)
    seconds["importance"] = time.perf_counter() - clock
    seconds["total"] = time.perf_counter() - began
    result = result.model_copy(update={"seconds": seconds})
    if journal is not None and not control.stop:
        journal.finish(result.to_bytes())
    return result.attach(session, strategy_given, candles)


def _searched(
    plan: Plan, session: Session, request: OptimizeRequest, control: Control, journal: Journal | None
) -> tuple[Searched, dict[str, float]]:
    with Evaluator(session, threads=request.threads, memory=request.memory) as evaluator:
        # Compiled before Ctrl-C has to wait.
        middle = {each.name: each.column_at(_MIDDLE)[0] for each in plan.space.dimensions}
        evaluator.prepare(plan.table([middle]), plan.settings.trials)
        search = Search(plan, evaluator, control, journal)
        with writing(journal, control):
            searched = search.run()
        return searched, {**searched.seconds, **evaluator.seconds}


def _result(
    request: OptimizeRequest, session: Session, plan: Plan, searched: Searched, seconds: dict[str, float]
) -> OptimizeResult:
    best = best_of(searched.trials, plan.objectives[0])
    metrics: JsonDict = {}
    if best is not None:
        metrics = plain_metrics(session.run({**plan.fixed, **best.params})[1])
    return OptimizeResult(
        request=request,
        market=MarketInfo.of(session, candles_hash(session)),
        space=plain(plan.space.to_list()),
        fixed=plain({name: value for name, value in plan.fixed.items() if name not in plan.names}),
        objectives=[{"name": each.name, "maximize": each.maximize} for each in plan.objectives],
        trials=searched.trials,
        repeated=searched.repeated,
        importance=importances(searched.trials, plan.space, plan.objectives),
        best_metrics=metrics,
        stopped=searched.stopped,
        seconds=seconds,
    )


def manifest_of(request: Any, session: Session) -> JsonDict:
    """Return what a search is of: enough to tell whether going on with it gives the same result."""
    return {
        "request": request.model_dump(mode="json"),
        "strategy": describe_strategy(session),
        "candles": candles_hash(session),
        "account": describe_account(session.setup.account),
        "versions": describe_versions("optuna", *(["cmaes"] if request.search.sampler == "cmaes" else [])),
    }
