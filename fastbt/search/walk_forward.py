"""Optimise on one part of the past, trade the next, move on: what is left of a strategy where it was not fitted."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastbt.backtest import Session
from fastbt.data.times import Time
from fastbt.errors import SettingsError
from fastbt.search.inputs import market_settings, requested, search_settings, time_text, validated
from fastbt.search.journal import Journal, check_run
from fastbt.search.optimize import manifest_of
from fastbt.search.progress import Control, Progress
from fastbt.search.requests import WalkForwardRequest, WindowSettings
from fastbt.search.walk import Walk
from fastbt.search.walk_forward_result import WalkForwardResult
from fastbt.sweep.space import Space, SpaceLike
from fastbt.sweep.sweep import MarketLike


def walk_forward(
    strategy: str | Path | type | WalkForwardRequest,
    candles: MarketLike | None = None,
    *,
    timeframe: str = "1h",
    start: Time | None = None,
    finish: Time | None = None,
    mode: str = "rolling",
    in_sample: float = 365.0,
    out_of_sample: float = 30.0,
    step: float | None = None,
    purge: float | str = "auto",
    embargo: float | str = "auto",
    anchor: Time | None = None,
    partial: bool = False,
    space: SpaceLike | Space | None = None,
    space_from: Any = None,
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
    min_trades: int = 1,
    optimal_total: int = 200,
    patience: int | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
    threads: int | None = None,
    memory: int | None = None,
    time_limit: float | None = None,
    progress: Progress | None = None,
    run: str | Path | None = None,
    resume: bool = False,
    fork: bool = False,
    **account: Any,
) -> WalkForwardResult:
    """Optimise in-sample, test out of sample, move on: window after window.

    Each window searches its in-sample part anew, and tests the best set on the days after it, with the warm-up from
    before. What is stitched together is each window's set until the next window takes over, so that no day counts
    twice even if out-of-sample parts overlap.

    Parameters
    ----------
    strategy : str, Path, type or WalkForwardRequest
        As for `fastbt.sweep`; or a request that holds everything else.
    candles, timeframe, start, finish
        As for `fastbt.sweep`: the whole period.
    mode : {"rolling", "expanding", "anchored"}
        In-sample parts of one length that move on; that grow from `start`; or that grow from `anchor`, which may lie
        before it.
    in_sample, out_of_sample, step : float
        Days; the step is the out-of-sample length if left out.
    purge, embargo : float or "auto"
        Days left out between in-sample and out-of-sample: for trades that would have lasted beyond the in-sample part,
        and for what indicators remember of it. "auto" takes the longest trade of the default and eight random sets on
        the first in-sample part, and the warm-up.
    anchor : str, int or datetime, optional
        As early as the candles allow if left out.
    partial : bool
        Keep a last window that the finish cuts short.
    space, fixed, metric, direction, trials, sampler, batch_size, population, seed, known, initial_result, constraints
        As for `optimize`, for each window. Window i takes the seed `seed + i`.
    space_from : OptimizeResult, optional
        Search only the part of its space in which its best sets lie.
    requirements, min_trades
        What a set must reach in-sample.
    optimal_total, patience, threads, memory, time_limit, progress, run, resume, fork, **account
        As for `optimize`; the time limit is that of the whole walk.
    confidence, resamples
        Of the bootstraps.

    Returns
    -------
    WalkForwardResult

    Raises
    ------
    SettingsError
        If a name, date or setting makes no sense, there is no room for a window, or one is shorter than the warm-up.
    SearchError
        If no window has a set.
    CompileError
        If the strategy cannot be compiled.

    References
    ----------
    .. [1] Pardo (2008): The Evaluation and Optimization of Trading Strategies (walk-forward efficiency).
    .. [2] López de Prado (2018): Advances in Financial Machine Learning, chapter 7 (purging and embargo).

    Examples
    --------
    >>> result = walk_forward(
    ...     "strategies/SmaCrossover", "BTC-USD", timeframe="4h", finish="2019-07-01", sampler="random", trials=50,
    ...     in_sample=60, out_of_sample=20, purge=0, embargo=0,
    ... )
    >>> len(result), result.edge.n >= 80
    (4, True)
    """
    began = time.perf_counter()
    given = None
    if isinstance(strategy, WalkForwardRequest):
        request, _ = requested(strategy, candles)
    else:
        given = strategy
        if isinstance(strategy, Session):
            raise SettingsError("walk_forward wants strategy and candles, not a Session, which has one period only")
        market, _ = market_settings(strategy, candles, timeframe, start, finish, account)
        if space_from is not None:
            if space is not None:
                raise SettingsError("give either space or space_from, not both")
            space = space_from.narrowed()
            fixed = {**space_from.fixed, **(fixed or {})}
        with validated():
            request = WalkForwardRequest(
                market=market,
                search=search_settings(
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
                    requirements=requirements,
                    patience=patience,
                ),
                windows=WindowSettings(
                    mode=mode,  # type: ignore[arg-type]
                    in_sample=in_sample,
                    out_of_sample=out_of_sample,
                    step=step,
                    purge=purge,  # type: ignore[arg-type]
                    embargo=embargo,  # type: ignore[arg-type]
                    anchor=time_text(anchor, "anchor"),
                    partial=partial,
                ),
                min_trades=min_trades,
                confidence=confidence,
                resamples=resamples,
                threads=threads,
                memory=memory,
                time_limit=time_limit,
            )
    check_run(run, resume=resume, fork=fork)
    walk = Walk(request, given, candles, Control(progress, request.time_limit))
    journal = None
    if run is not None:
        journal = Journal.open(run, manifest_of(request, walk.whole), resume=resume, fork=fork)
    result = walk.result(journal)
    result = result.model_copy(update={"seconds": {**walk.seconds, "total": time.perf_counter() - began}})
    if journal is not None and not walk.control.stop:
        journal.finish(result.to_bytes())
    return result.attach(walk.whole, given, candles)
