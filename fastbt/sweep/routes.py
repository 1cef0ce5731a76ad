"""Many parameter sets of several routes: what `sweep` and `Evaluator` are for one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fastbt.backtest import cut_period, result_dict
from fastbt.compiler.routes import CompiledRoutes
from fastbt.compiler.sets import Rows, SetTable
from fastbt.data.times import Time
from fastbt.engine.simulate import Output
from fastbt.engine.simulate_routes import RoutesRunner
from fastbt.errors import SettingsError
from fastbt.routes import RoutesSession, setups_of
from fastbt.sweep.bank import SeriesBank
from fastbt.sweep.evaluate import Evaluated, Evaluator
from fastbt.sweep.frames import sets_frame
from fastbt.sweep.memory import memory_budget
from fastbt.sweep.names import LOWER_IS_BETTER, check_metric
from fastbt.sweep.sampling import Given, SetSource, source_of
from fastbt.sweep.space import Space, SpaceLike
from fastbt.sweep.sweep import CandlesLike, load_candles, make_account_of
from fastbt.sweep.workers import Stop
from fastbt.types import JsonDict

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class _RoutesKernels:
    compiled: CompiledRoutes
    runner: RoutesRunner


class RoutesEvaluator(Evaluator):
    """Runs hyper-parameter sets of several routes: an `Evaluator` whose every set goes to all strategies.

    Parameters
    ----------
    session : RoutesSession
        See `make_routes_session`.
    threads : int, optional
        All cores if left out. The results do not depend on it.
    memory : int, optional
        Bytes for indicator series; half of what is free if left out.
    """

    def __init__(self, session: RoutesSession, *, threads: int | None = None, memory: int | None = None) -> None:
        super().__init__(session, threads=threads, memory=0)  # type: ignore[arg-type]
        self.routes_session = session
        budget = (memory_budget() if memory is None else memory) // len(session.setups)
        self.banks = [
            SeriesBank(
                setup.market.bars,
                setup.frame,
                first_bar=setup.market.warmup_bars,
                threads=self.threads,
                memory=budget,
            )
            for setup in session.setups
        ]

    def _kernels_of(self, sample: Mapping[str, Any], table: SetTable) -> _RoutesKernels:
        """Return kernels for sets of these types, compiled."""
        began = time.perf_counter()
        compiled, runner = self.routes_session.runner_for([sample] * len(self.banks))
        if id(compiled) not in self._ready:
            configs = [binding.configs for binding in compiled.bind([table.take(slice(0, 1))] * len(self.banks))]
            x = [np.empty((1, len(market.bars))) for market in runner.markets]
            runner.run(configs, x, 0, 0, Output.empty(1, runner.market))
            self._ready.add(id(compiled))
        self.seconds["compile"] += time.perf_counter() - began
        return _RoutesKernels(compiled, runner)

    def prepare(self, sets: SetTable | Sequence[Mapping[str, Any]] | Mapping[str, Any], n: int = 0) -> None:
        """Compile what these sets need, or load it from the cache; `run` does it as well."""
        table = self.table(sets)
        for sample, rows in table.by_types():
            self._kernels_of(sample, table if rows is None else table.take(rows))

    def _run_block(
        self,
        sample: Mapping[str, Any],
        block: SetTable,
        numbers: Rows,
        result: Output,
        infeasible: dict[int, str],
        stop: Stop,
        tell: Any,
    ) -> None:
        """Run sets of one kind, and put what becomes of them into the rows `numbers` of the result."""
        kernels = self._kernels_of(sample, block)
        bindings = kernels.compiled.bind([block] * len(self.banks))
        if len(block) > 1 and not all(
            bank.fits(binding.n_rows) for bank, binding in zip(self.banks, bindings, strict=True)
        ):
            # Fewer sets need fewer series.
            half = len(block) // 2
            for part in (slice(0, half), slice(half, len(block))):
                self._run_block(sample, block.take(part), numbers[part], result, infeasible, stop, tell)
            return
        clock = time.perf_counter()
        x, configs = [], []
        for strategy, bank, binding in zip(kernels.compiled.strategies, self.banks, bindings, strict=True):
            for row, message in binding.errors.items():
                infeasible.setdefault(int(numbers[row]), message)
            lookup = bank.rows(binding.series, binding.n_rows)
            x.append(bank.matrix)
            for name in strategy.binder.row_fields:
                binding.configs[name] = lookup[binding.configs[name]]
            configs.append(binding.configs)
        self.seconds["series"] += time.perf_counter() - clock
        clock = time.perf_counter()
        good = np.array([row for row in range(len(block)) if int(numbers[row]) not in infeasible], dtype=np.int64)
        configs = [each[good] for each in configs]
        buffer = Output.empty(len(good), kernels.runner.market)
        to = numbers[good]

        def task(first: int, last: int) -> None:
            kernels.runner.run(configs, x, first, last, buffer)

        try:
            for first, last in self._workers.run(task, len(good), stop, None):
                rows = to[first:last]
                result.outcomes[rows] = buffer.outcomes[first:last]
                result.metrics[rows] = buffer.metrics[first:last]
                if result.daily.shape[1]:
                    result.daily[rows] = buffer.daily[first:last]
                if tell is not None:
                    tell(rows, buffer.outcomes[first:last], buffer.metrics[first:last])
        finally:
            self.seconds["kernels"] += time.perf_counter() - clock


def make_routes_session(
    routes: Sequence[Mapping[str, Any]],
    candles: Mapping[str, CandlesLike],
    *,
    data_routes: Sequence[Mapping[str, Any]] = (),
    start: Time | None = None,
    finish: Time | None = None,
    **account: Any,
) -> RoutesSession:
    """Return several routes over a period of candles.

    Parameters
    ----------
    routes : sequence of mapping
        `symbol`, `timeframe` and `strategy` of each, in Jesse's order.
    candles : mapping
        One-minute candles of every symbol, as `sweep` takes them, in the order in which they are played.
    data_routes : sequence of mapping
        `symbol` and `timeframe` of what is only looked at.
    start, finish : str, int or datetime, optional
        The traded period, finish not included; all that the candles and the warm-up allow if left out.
    **account
        Jesse's settings, as for `sweep`.

    Raises
    ------
    SettingsError
        If something does not fit together.

    Examples
    --------
    >>> routes = [{"symbol": "BTC-USD", "timeframe": "1h", "strategy": "strategies/SmaCrossover"},
    ...           {"symbol": "ETH-USD", "timeframe": "4h", "strategy": "strategies/DonchianBreakout"}]
    >>> session = make_routes_session(routes, {"BTC-USD": "BTC-USD", "ETH-USD": "ETH-USD"}, finish="2019-04-01")
    >>> session.source.name
    'SmaCrossover, DonchianBreakout'
    """
    from fastbt.engine.inputs import check_routes

    settings = make_account_of(account)
    traded = [(each["symbol"], each["timeframe"]) for each in routes]
    seen = [(each["symbol"], each["timeframe"]) for each in data_routes]
    sets = {symbol: load_candles(each, symbol) for symbol, each in candles.items()}
    check_routes([symbol for symbol, _ in traded], seen, {symbol: each.array for symbol, each in sets.items()})
    timeframes = [timeframe for _, timeframe in [*traded, *seen]]
    cut = cut_period(sets, timeframes, settings.warm_up_candles, start, finish)
    return RoutesSession([each["strategy"] for each in routes], setups_of(settings, traded, seen, cut), list(cut))


@dataclass(frozen=True)
class RoutesSweep:
    """A finished sweep of several routes.

    Attributes
    ----------
    session : RoutesSession
    sets : SetTable
        The hyper-parameters of each row.
    evaluated : Evaluated
        Statuses, metrics of the whole account, daily balances.
    seconds : dict
        Where the time went: compile, series, kernels.
    """

    session: RoutesSession = field(repr=False)
    sets: SetTable = field(repr=False)
    evaluated: Evaluated = field(repr=False)
    seconds: dict[str, float]

    def __len__(self) -> int:
        return len(self.sets)

    @property
    def frame(self) -> pl.DataFrame:
        """One row a set: `set`, the hyper-parameters, `status`, and Jesse's metrics (null where there is none)."""
        types = {name: frozenset(column.types()[0]) for name, column in self.sets.columns.items()}
        return sets_frame(self.sets, types, self.evaluated)

    def best(self, metric: str = "sharpe_ratio", n: int = 10) -> pl.DataFrame:
        """Return the `n` best sets by a metric, best first; only sets that completed and have the metric.

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
            strategy_name={
                setup.symbol: source.name
                for setup, source in zip(self.session.setups, self.session.sources, strict=True)
            },
            exchange=self.session.account.exchange,
            equity_curve=True,
        )


def sweep_routes(
    session: RoutesSession,
    *,
    space: SpaceLike | Space | None = None,
    params: Sequence[Mapping[str, Any]] | Mapping[str, Any] | SetTable | None = None,
    n: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    memory: int | None = None,
    daily: bool = True,
) -> RoutesSweep:
    """Run several routes with many hyper-parameter sets; each set goes to all strategies, as in Jesse.

    Parameters
    ----------
    session : RoutesSession
        See `make_routes_session`.
    space, params, n, seed
        As for `sweep`. A hyper-parameter that several strategies declare is one, with the first one's definition.
    threads : int, optional
        All cores if left out; the results do not depend on it.
    memory : int, optional
        Bytes for indicator series; half of what is free if left out.
    daily : bool
        Keep the daily balances.

    Returns
    -------
    RoutesSweep

    Raises
    ------
    SettingsError
        If a name or setting makes no sense.
    CompileError
        If a strategy cannot be compiled.

    Examples
    --------
    >>> routes = [{"symbol": each, "timeframe": "4h", "strategy": "strategies/SmaCrossover"}
    ...           for each in ("BTC-USD", "ETH-USD")]
    >>> session = make_routes_session(routes, {"BTC-USD": "BTC-USD", "ETH-USD": "ETH-USD"}, finish="2019-04-01")
    >>> found = sweep_routes(session, n=5)
    >>> len(found), found.best("net_profit", 1).height
    (5, 1)
    """
    defaults = session.source.defaults
    source: SetSource
    if params is not None:
        if space is not None:
            raise SettingsError("give either space or params, not both")
        if len(params) == 0:
            raise SettingsError("params: wanted at least one set; there was none")
        source = Given(SetTable.of(params, defaults))
    elif space is None and not session.source.hyperparameters:
        source = Given(SetTable({}, 1))
    else:
        chosen = Space.of(session.source.hyperparameters if space is None else space)
        chosen.check_names(list(defaults))
        source = source_of(chosen, n=n, seed=seed, sampling="random", constraints=[], fixed=defaults)
    table = source.table(0, len(source))
    with RoutesEvaluator(session, threads=threads, memory=memory) as evaluator:
        evaluated = evaluator.run(table, daily=daily)
        return RoutesSweep(session, table, evaluated, dict(evaluator.seconds))


__all__ = ["RoutesEvaluator", "RoutesSweep", "make_routes_session", "sweep_routes"]
