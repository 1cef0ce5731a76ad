"""Many runs of one strategy: parameter sets in, a table out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastbt.backtest import Session, Setup, known_hyperparameters, result_dict
from fastbt.data import CandleSet, iso
from fastbt.data.times import Time
from fastbt.engine.account import Account
from fastbt.errors import SettingsError, did_you_mean
from fastbt.metrics.names import METRICS
from fastbt.sweep.executor import Executed, Progress, execute
from fastbt.sweep.space import Space, SpaceLike
from fastbt.types import Float2D, JsonDict

if TYPE_CHECKING:
    import polars as pl

#: One-minute candles as users give them: a set, a file, the name of a sample, or a bare array.
CandlesLike = CandleSet | str | Path | Float2D

#: The traded symbol's candles; or those of several symbols by name, the traded one first.
MarketLike = CandlesLike | Mapping[str, CandlesLike]

#: Metrics for which less is better.
LOWER_IS_BETTER = frozenset(
    {"total_losing_trades", "losing_streak", "fee", "average_loss", "max_underwater_period", "total_open_trades"}
)


@dataclass(frozen=True)
class SweepResult:
    """A finished sweep.

    Attributes
    ----------
    sets : list of dict
        The hyper-parameters of each row.
    statuses : list of str
        "ok"; "infeasible: ..." (the set makes no sense), "failed: ..." (Jesse raises), "unsupported: ..." (fastbt does
        not simulate it), "not run" (interrupted before).
    daily_balance : ndarray, shape (n_sets, n_samples)
        Equity at the start, once a day, and at the end (quote); NaN for rows that are not ok.
    daily_time : ndarray, shape (n_samples,), int64
        When, ms UTC.
    seconds : dict
        Where the time went: total, and within it compile, series, kernels.
    n_series : int
        Distinct indicator series that were computed.
    interrupted : bool
        Whether Ctrl-C ended it early; the rows that were done are all here.
    """

    session: Session = field(repr=False)
    sets: list[dict[str, Any]] = field(repr=False)
    statuses: list[str] = field(repr=False)
    metrics: Float2D = field(repr=False)
    daily_balance: Float2D = field(repr=False)
    daily_time: np.ndarray[Any, np.dtype[np.int64]] = field(repr=False)
    seconds: dict[str, float]
    n_series: int
    interrupted: bool

    def __len__(self) -> int:
        return len(self.sets)

    @property
    def n_ok(self) -> int:
        """Number of sets that completed."""
        return sum(status == "ok" for status in self.statuses)

    @property
    def frame(self) -> pl.DataFrame:
        """One row a set: `set`, the hyper-parameters, `status`, and Jesse's metrics (null where there is none)."""
        import polars as pl

        names = list(self.sets[0]) if self.sets else []
        columns: dict[str, Any] = {"set": pl.Series("set", range(len(self.sets)), dtype=pl.Int64)}
        for name in names:
            # A metric or column of ours keeps its name; a hyper-parameter that clashes is told apart.
            label = f"hp_{name}" if name in METRICS or name in ("set", "status") else name
            columns[label] = pl.Series(label, [each[name] for each in self.sets], strict=False)
        columns["status"] = pl.Series("status", self.statuses, dtype=pl.String)
        for i, metric in enumerate(METRICS):
            columns[metric] = pl.Series(metric, self.metrics[:, i])
        frame = pl.DataFrame(columns)
        ok = pl.col("status") == "ok"
        return frame.with_columns(pl.when(ok).then(pl.col(metric)).alias(metric) for metric in METRICS)

    def best(self, metric: str = "sharpe_ratio", n: int = 10) -> pl.DataFrame:
        """Return the `n` best sets by a metric, best first; only sets that completed and have the metric.

        Parameters
        ----------
        metric : str
            One of Jesse's metrics.
        n : int

        Raises
        ------
        SettingsError
            If there is no such metric.
        """
        import polars as pl

        check_metric(metric)
        usable = self.frame.filter(pl.col(metric).is_finite())
        return usable.sort([metric, "set"], descending=[metric not in LOWER_IS_BETTER, False]).head(n)

    def backtest(self, row: int) -> JsonDict:
        """Run one row again, in full: the dictionary of `fastbt.backtest`.

        Raises
        ------
        SettingsError
            If there is no such row.
        SimulationError
            If the run does not complete.
        """
        if not 0 <= row < len(self.sets):
            raise SettingsError(f"row wants a number from 0 to {len(self.sets) - 1}; it was {row}")
        simulation, metrics = self.session.run(self.sets[row])
        return result_dict(
            simulation,
            metrics,
            strategy_name=self.session.source.name,
            exchange=self.session.setup.account.exchange,
            equity_curve=True,
        )

    def to_dict(self, metric: str = "sharpe_ratio", n: int = 10) -> JsonDict:
        """Return a summary for machines."""
        setup = self.session.setup
        return {
            "strategy": self.session.source.name,
            "symbol": setup.symbol,
            "timeframe": setup.timeframe,
            "start": iso(setup.start),
            "finish": iso(setup.finish),
            "sets": len(self.sets),
            "ok": self.n_ok,
            "interrupted": self.interrupted,
            "seconds": self.seconds,
            "series": self.n_series,
            "metric": metric,
            "best": self.best(metric, n).to_dicts(),
        }


def check_metric(metric: str) -> None:
    """Raise SettingsError unless it is one of Jesse's metrics."""
    if metric not in METRICS:
        # "sharpe" is too short to be near "sharpe_ratio".
        within = [known for known in METRICS if metric and metric in known]
        hint = f" Did you mean {within[0]!r}?" if within else did_you_mean(metric, METRICS)
        raise SettingsError(f"there is no metric {metric!r}.{hint or ' There are ' + ', '.join(METRICS) + '.'}")


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
    }
    if type != "spot":
        config |= {"futures_leverage": futures_leverage, "futures_leverage_mode": futures_leverage_mode}
    return Account.from_jesse_config(config)


def make_session(
    strategy: str | Path | type | Session,
    candles: MarketLike | None,
    timeframe: str,
    start: Time | None,
    finish: Time | None,
    account: Account,
) -> Session:
    """Return a strategy on a period of candles."""
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
    strategy: str | Path | type | Session,
    candles: MarketLike | None = None,
    *,
    timeframe: str = "1h",
    space: SpaceLike | None = None,
    params: Sequence[Mapping[str, Any]] | None = None,
    n: int | None = None,
    seed: int = 0,
    start: Time | None = None,
    finish: Time | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    **account: Any,
) -> SweepResult:
    """Run a strategy with many hyper-parameter sets over the same candles.

    Parameters
    ----------
    strategy : str, Path, type or Session
        A strategy file or folder in Jesse's API, or a class from a file.
    candles : CandleSet, str, Path or ndarray of shape (n, 6)
        One-minute candles, their file, or the name of a sample; absent minutes are filled as Jesse's importer does.
        A mapping of symbols to those if the strategy reads candles of other symbols, the traded one first. Left out
        only if `strategy` is a Session.
    timeframe : str
        Trading timeframe.
    space : sequence or mapping, optional
        The hyper-parameters to vary: Jesse's list of dicts, or a mapping of names to `(min, max)`, `(min, max, step)`,
        a list of options, or one value. The strategy's `hyperparameters()` if left out. Others keep their defaults.
    params : sequence of mapping, optional
        The sets themselves, instead of `space`.
    n : int, optional
        How many random sets of the space to run; the whole grid if left out.
    seed : int
        Of the random sets.
    start, finish : str, int or datetime, optional
        The traded period, finish not included; all that the candles and the warm-up allow if left out.
    threads : int, optional
        All cores if left out; the results do not depend on it.
    progress : callable, optional
        Called with sets done, sets in all, and seconds so far.
    **account
        Jesse's settings: `starting_balance` (10,000), `fee` (0.0006), `type` ("futures" or "spot"), `futures_leverage`
        (1), `futures_leverage_mode` ("cross"), `warm_up_candles` (240), `exchange`, `annualization` (365).

    Returns
    -------
    SweepResult

    Raises
    ------
    SettingsError
        If a name, date or setting makes no sense.
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
    session = make_session(strategy, candles, timeframe, start, finish, make_account_of(account))
    sets = choose_sets(session, space=space, params=params, n=n, seed=seed)
    executed = execute(session, sets, threads=_threads(threads), progress=progress)
    return _result(session, sets, executed, time.perf_counter() - began)


def _threads(threads: int | None) -> int | None:
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise SettingsError(f"threads wants a whole number from 1; it was {threads!r}")
    return threads


def make_account_of(settings: Mapping[str, Any]) -> Account:
    """Return the account of keyword arguments, misspelt ones refused."""
    known = list(make_account.__kwdefaults__ or {})
    for key in settings:
        if key not in known:
            raise TypeError(f"there is no setting {key!r}; there are {', '.join(known)}.{did_you_mean(key, known)}")
    return make_account(**settings)


def choose_sets(
    session: Session,
    *,
    space: SpaceLike | None = None,
    params: Sequence[Mapping[str, Any]] | None = None,
    n: int | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Return complete hyper-parameter sets: given ones, a grid, or random ones."""
    source = session.source
    if params is not None:
        if space is not None:
            raise SettingsError("give either space or params, not both")
        if len(params) == 0:
            raise SettingsError("params: wanted at least one set; there was none")
        return [known_hyperparameters(source, each) for each in params]
    if space is None and not source.hyperparameters:
        return [{}]
    chosen = Space.of(source.hyperparameters if space is None else space)
    chosen.check_names(list(source.defaults))
    return [{**source.defaults, **each} for each in chosen.sets(n, seed)]


def _result(session: Session, sets: list[dict[str, Any]], executed: Executed, seconds: float) -> SweepResult:
    return SweepResult(
        session=session,
        sets=sets,
        statuses=executed.statuses,
        metrics=executed.output.metrics,
        daily_balance=executed.output.daily,
        daily_time=session.setup.market.sample_times,
        seconds={"total": seconds, **executed.seconds},
        n_series=executed.n_series,
        interrupted=executed.interrupted,
    )
