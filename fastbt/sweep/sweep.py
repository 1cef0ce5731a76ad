"""Many runs of one strategy: parameter sets in, a table out."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastbt.backtest import Session, Setup
from fastbt.compiler.sets import SetTable
from fastbt.data import CandleSet
from fastbt.data.times import Time
from fastbt.engine.account import Account
from fastbt.errors import SettingsError, did_you_mean
from fastbt.sweep.constraints import Constraint, parse_constraints
from fastbt.sweep.executor import Executed, Job, available_threads, execute, row_bytes, sessions_differ, timed
from fastbt.sweep.manifest import check_same, manifest_of
from fastbt.sweep.memory import memory_budget
from fastbt.sweep.names import LOWER_IS_BETTER, check_metric
from fastbt.sweep.progress import Progress
from fastbt.sweep.result import SweepResult
from fastbt.sweep.sampling import Given, SetSource, source_of
from fastbt.sweep.space import Space, SpaceLike
from fastbt.sweep.store import Run, free_folder
from fastbt.types import Float2D, JsonDict

__all__ = [
    "LOWER_IS_BETTER",
    "CandlesLike",
    "MarketLike",
    "SweepResult",
    "check_metric",
    "choose_sets",
    "choose_source",
    "load_candles",
    "make_account",
    "make_account_of",
    "make_job",
    "make_session",
    "make_sessions",
    "run_job",
    "sweep",
]

#: One-minute candles as users give them: a set, a file, the name of a sample, or a bare array.
CandlesLike = CandleSet | str | Path | Float2D

#: The traded symbol's candles; or those of several symbols by name, the traded one first.
MarketLike = CandlesLike | Mapping[str, CandlesLike]


def make_account(
    *,
    starting_balance: float = 10_000.0,
    fee: float = 0.0006,
    type: str = "futures",
    futures_leverage: int = 1,
    futures_leverage_mode: str = "cross",
    warm_up_candles: int = 240,
    exchange: str | None = None,
    annualization: int = 365,
    indicator_window: str = "exact",
) -> Account:
    """Return the account of Jesse's settings, with defaults for all of them.

    Raises
    ------
    SettingsError
        If a value makes no sense.

    Examples
    --------
    >>> make_account(futures_leverage=3).leverage
    3
    """
    named = exchange or ("Binance Spot" if type == "spot" else "Binance Perpetual Futures")
    config: JsonDict = {
        "starting_balance": starting_balance,
        "fee": fee,
        "type": type,
        "exchange": named,
        "warm_up_candles": warm_up_candles,
        "annualization": annualization,
        "indicator_window": indicator_window,
    }
    if type != "spot":
        config |= {"futures_leverage": futures_leverage, "futures_leverage_mode": futures_leverage_mode}
    return Account.from_jesse_config(config)


def make_session(
    strategy: str | Path | type | Session,
    candles: MarketLike | None,
    timeframe: str = "1h",
    start: Time | None = None,
    finish: Time | None = None,
    account: Account | None = None,
) -> Session:
    """Return a strategy on a period of candles; the arguments are those of `sweep`."""
    account = make_account() if account is None else account
    if isinstance(strategy, Session):
        return strategy
    others: dict[str, CandleSet] = {}
    if isinstance(candles, Mapping):
        others = {symbol: load_candles(each, symbol) for symbol, each in candles.items()}
        if not others:
            raise SettingsError("candles: wanted at least one symbol; there was none")
        traded = others.pop(next(iter(others)))
    else:
        traded = load_candles(candles)
    from fastbt.compiler.load import load_strategy
    from fastbt.compiler.program import used_frames

    source = load_strategy(strategy)
    frames = used_frames(source, account, traded.symbol, timeframe)
    return Session(source, Setup.from_candles(account, traded, timeframe, start, finish, frames, others))


def load_candles(candles: CandlesLike | None, symbol: str | None = None) -> CandleSet:
    """Return the set that a user means, named like the symbol if one is given."""
    if isinstance(candles, np.ndarray):
        candles = CandleSet.from_array(candles)
    elif isinstance(candles, str | Path):
        candles = CandleSet.load(candles)
    elif not isinstance(candles, CandleSet):
        raise SettingsError(f"candles wants a CandleSet, a file, a sample or an array; it was {candles!r:.60}")
    return candles if symbol is None else candles.named(symbol)


def sweep(
    strategy: str | Path | type | Session | Sequence[Session],
    candles: MarketLike | Sequence[MarketLike] | None = None,
    *,
    timeframe: str | Sequence[str] = "1h",
    space: SpaceLike | Space | None = None,
    params: Sequence[Mapping[str, Any]] | Mapping[str, Any] | SetTable | None = None,
    n: int | None = None,
    seed: int = 0,
    sampling: str = "random",
    constraints: str | Sequence[str] = (),
    start: Time | None = None,
    finish: Time | None = None,
    periods: Sequence[tuple[Time | None, Time | None]] | None = None,
    threads: int | None = None,
    memory: int | None = None,
    daily: bool | None = None,
    metric: str = "sharpe_ratio",
    progress: Progress | None = None,
    run: str | Path | None = None,
    resume: bool = False,
    fork: bool = False,
    **account: Any,
) -> SweepResult:
    """Run a strategy with many hyper-parameter sets over the same candles.

    Parameters
    ----------
    strategy : str, Path, type, Session or sequence of Session
        A strategy file or folder in Jesse's API, or a class from a file.
    candles : CandleSet, str, Path or ndarray of shape (n, 6), or a sequence of them
        One-minute candles, their file, or the name of a sample; absent minutes are filled as Jesse's importer does.
        A mapping of symbols to those if the strategy reads candles of other symbols, the traded one first. A list if
        the sets are to be run on several symbols. Left out only if `strategy` is a Session.
    timeframe : str or sequence of str
        Trading timeframe, or several: each symbol is run in each of them.
    space : sequence or mapping, optional
        The hyper-parameters to vary: Jesse's list of dicts, or a mapping of names to `(min, max)`, `(min, max, step)`,
        a list of options, or one value. The strategy's `hyperparameters()` if left out. Others keep their defaults.
    params : sequence of mapping, or mapping of columns, optional
        The sets themselves, instead of `space`.
    n : int, optional
        How many sets of the space to draw, no two of them equal; the whole grid if left out, or if it has no more.
    seed : int
        Of the sets that are drawn.
    sampling : {"random", "sobol", "halton"}
        How they are drawn: at random, or spread evenly (quasi-random).
    constraints : str or sequence of str
        What sets must satisfy: `"fast_period < slow_period"`. See `Constraint`.
    start, finish : str, int or datetime, optional
        The traded period, finish not included; all that the candles and the warm-up allow if left out.
    periods : sequence of (start, finish), optional
        Several periods instead of one.
    threads : int, optional
        All cores if left out; the results do not depend on it.
    memory : int, optional
        Bytes that the sweep may take; half of what is free if left out. Results that take more than half of it are kept
        in a temporary folder instead of memory; `SweepResult.keep` saves it.
    daily : bool, optional
        Keep the daily balances. If left out they are kept in memory as long as they take a quarter of it at most, and
        not kept in a run on disk.
    metric : str
        What `progress` tells the best by.
    progress : callable, optional
        Called now and then with a `SweepProgress`.
    run : str or Path, optional
        A folder to keep the sweep in, written chunk by chunk: it survives `kill -9`.
    resume : bool
        Go on with the run of this folder if there is one. Without it, a run that is there is not touched.
    fork : bool
        If the folder holds a run already, make a new one beside it: NAME-2.
    **account
        Jesse's settings: `starting_balance` (10,000), `fee` (0.0006), `type` ("futures" or "spot"), `futures_leverage`
        (1), `futures_leverage_mode` ("cross"), `warm_up_candles` (240), `exchange`, `annualization` (365),
        and fastbt's own `indicator_window` ("exact"): "full" computes recursive indicators in one pass over all
        candles, faster, and not identical to Jesse; `fastbt.verify` tells how far.

    Returns
    -------
    SweepResult

    Raises
    ------
    SettingsError
        If a name, date or setting makes no sense, no set satisfies the constraints, or `run` holds a run of something
        else.
    CompileError
        If the strategy cannot be compiled.

    Examples
    --------
    >>> from fastbt.data import CandleSet
    >>> result = sweep("strategies/SmaCrossover", CandleSet.load("BTC-USD"), timeframe="4h", n=20, finish="2019-04-01")
    >>> len(result), result.best("net_profit", 3).height
    (20, 3)
    """
    began = time.perf_counter()
    check_metric(metric)
    job = make_job(
        strategy,
        candles,
        timeframe=timeframe,
        space=space,
        params=params,
        n=n,
        seed=seed,
        sampling=sampling,
        constraints=constraints,
        start=start,
        finish=finish,
        periods=periods,
        threads=threads,
        memory=memory,
        daily=daily,
        on_disk=run is not None,
        metric=metric,
        **account,
    )
    return run_job(job, run=run, resume=resume, fork=fork, progress=progress, began=began)


def make_job(
    strategy: str | Path | type | Session | Sequence[Session],
    candles: MarketLike | Sequence[MarketLike] | None = None,
    *,
    timeframe: str | Sequence[str] = "1h",
    space: SpaceLike | Space | None = None,
    params: Sequence[Mapping[str, Any]] | Mapping[str, Any] | SetTable | None = None,
    n: int | None = None,
    seed: int = 0,
    sampling: str = "random",
    constraints: str | Sequence[str] = (),
    start: Time | None = None,
    finish: Time | None = None,
    periods: Sequence[tuple[Time | None, Time | None]] | None = None,
    threads: int | None = None,
    memory: int | None = None,
    daily: bool | None = None,
    on_disk: bool = False,
    metric: str = "sharpe_ratio",
    **account: Any,
) -> Job:
    """Return what a sweep of these arguments runs, without running it; see `sweep` and `make_plan`."""
    if periods is not None and (start is not None or finish is not None):
        raise SettingsError("give either periods, or start and finish, not both")
    sessions = _sessions(
        strategy, candles, timeframe, [(start, finish)] if periods is None else periods, make_account_of(account)
    )
    source = choose_source(
        sessions[0], space=space, params=params, n=n, seed=seed, sampling=sampling, constraints=constraints
    )
    budget = memory_budget(_positive("memory", memory))
    if daily is None:
        samples = sum(len(each.setup.market.sample_times) for each in sessions)
        daily = not on_disk and 8 * samples * len(source) <= budget // 4
    return Job(sessions, source, _positive("threads", threads) or available_threads(), budget, daily, metric)


def run_job(
    job: Job,
    *,
    run: str | Path | None = None,
    resume: bool = False,
    fork: bool = False,
    progress: Progress | None = None,
    began: float | None = None,
) -> SweepResult:
    """Run what `make_job` has made; see `sweep`."""
    began = time.perf_counter() if began is None else began
    if run is not None:
        return _run_in(_folder_of(Path(run), job, resume=resume, fork=fork), job, progress, began)
    if resume or fork:
        raise SettingsError(f"{'resume' if resume else 'fork'} wants a run: the name of its folder")
    if job.n_rows * max(row_bytes(each, daily=job.daily) for each in job.sessions) > job.memory // 2:
        folder = Path(tempfile.mkdtemp(prefix="fastbt-sweep-"))
        try:
            result = _run_in(Run.create(folder, manifest_of(job)), job, progress, began)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        result.dispose_of_run()
        return result
    executed = execute(job, progress=progress)
    return SweepResult(job, executed, timed(executed, began))


def _folder_of(folder: Path, job: Job, *, resume: bool, fork: bool) -> Run:
    """Return the run of a folder: the one that is there, to be gone on with, or a new one."""
    if resume and fork:
        raise SettingsError("give either resume or fork, not both")
    wanted = manifest_of(job)
    if not (folder / "manifest.json").exists():
        return Run.create(folder, wanted)
    if fork:
        return Run.create(free_folder(folder), wanted)
    found = Run.open(folder)
    if not resume:
        state = "is complete" if found.is_complete else f"has {found.n_done:,} of {found.n_rows:,} rows"
        raise SettingsError(
            f"there is a run {found.name!r} already, which {state}; --resume goes on with it, --fork starts anew "
            "beside it"
        )
    check_same(found, wanted)
    return found


def _run_in(run: Run, job: Job, progress: Progress | None, began: float) -> SweepResult:
    """Run what a folder lacks."""
    with run.locked():
        if run.is_complete:
            nothing = Executed(n_before=run.n_rows)
            return SweepResult(job, nothing, timed(nothing, began), run)
        run.note("begun", argv=sys.argv, rows=run.n_done)
        executed = execute(job, run=run, progress=progress)
        if not executed.interrupted:
            run.finish()
        seconds = timed(executed, began)
        run.note("interrupted" if executed.interrupted else "complete", rows=run.n_done, seconds=seconds)
    return SweepResult(job, executed, seconds, run)


def _sessions(
    strategy: Any,
    candles: Any,
    timeframe: str | Sequence[str],
    periods: Sequence[tuple[Time | None, Time | None]],
    account: Account,
) -> tuple[Session, ...]:
    """Return the sessions of what `sweep` is given."""
    if isinstance(strategy, Session):
        return (strategy,)
    if isinstance(strategy, list | tuple):
        made = tuple(strategy)
        if not made or not all(isinstance(each, Session) for each in made):
            raise SettingsError("strategy: wanted a strategy, a Session, or a list of Sessions")
        if len({each.source.sha256 for each in made}) > 1:
            raise SettingsError("strategy: wanted Sessions of one strategy; they are of several")
        _check_different(made)
        return made
    symbols = list(candles) if isinstance(candles, list | tuple) else [candles]
    timeframes = [timeframe] if isinstance(timeframe, str) else list(timeframe)
    return make_sessions(strategy, symbols, timeframes, periods, account)


def make_sessions(
    strategy: str | Path | type,
    candles: Sequence[MarketLike],
    timeframes: Sequence[str],
    periods: Sequence[tuple[Time | None, Time | None]] = ((None, None),),
    account: Account | None = None,
) -> tuple[Session, ...]:
    """Return a strategy on each symbol, in each timeframe, over each period.

    Raises
    ------
    SettingsError
        If there is none, or two of them are the same.
    """
    if not candles or not timeframes or not periods:
        raise SettingsError("wanted at least one symbol, one timeframe and one period")
    # Read once, however many timeframes and periods there are.
    loaded = [each if isinstance(each, Mapping) else load_candles(each) for each in candles]
    made = tuple(
        make_session(strategy, each, timeframe, start, finish, account)
        for each in loaded
        for timeframe in timeframes
        for start, finish in periods
    )
    _check_different(made)
    return made


def _check_different(sessions: Sequence[Session]) -> None:
    if not sessions_differ(sessions):
        raise SettingsError("wanted different markets; two have the same symbol, timeframe and period")


def _positive(name: str, value: int | None) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise SettingsError(f"{name} wants a whole number from 1; it was {value!r}")
    return value


def make_account_of(settings: Mapping[str, Any]) -> Account:
    """Return the account of keyword arguments, misspelt ones refused."""
    known = list(make_account.__kwdefaults__ or {})
    for key in settings:
        if key not in known:
            raise TypeError(f"there is no setting {key!r}; there are {', '.join(known)}.{did_you_mean(key, known)}")
    return make_account(**settings)


def choose_source(
    session: Session,
    *,
    space: SpaceLike | Space | None = None,
    params: Sequence[Mapping[str, Any]] | Mapping[str, Any] | SetTable | None = None,
    n: int | None = None,
    seed: int = 0,
    sampling: str = "random",
    constraints: str | Sequence[str] | Sequence[Constraint] = (),
) -> SetSource:
    """Return the sets that a sweep of these arguments runs: given ones, a grid, or drawn ones; see `sweep`."""
    defaults = session.source.defaults
    wanted = parse_constraints(constraints, list(defaults))
    if params is not None:
        if space is not None:
            raise SettingsError("give either space or params, not both")
        if wanted:
            raise SettingsError("constraints are for a space; leave out of params what is not to be run")
        if len(params) == 0:
            raise SettingsError("params: wanted at least one set; there was none")
        return Given(SetTable.of(params, defaults))
    if space is None and not session.source.hyperparameters:
        return Given(SetTable({}, 1))
    chosen = Space.of(session.source.hyperparameters if space is None else space)
    chosen.check_names(list(defaults))
    return source_of(chosen, n=n, seed=seed, sampling=sampling, constraints=wanted, fixed=defaults)


def choose_sets(
    session: Session,
    *,
    space: SpaceLike | None = None,
    params: Sequence[Mapping[str, Any]] | None = None,
    n: int | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Return the sets of `choose_source` as a list."""
    return list(choose_source(session, space=space, params=params, n=n, seed=seed))
