"""Several routes on one account: strategies on their symbols and timeframes that share a wallet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastbt.backtest import Setup, check_frames, series_of
from fastbt.engine.account import Account
from fastbt.engine.routes import frame_name
from fastbt.errors import SettingsError, SimulationError
from fastbt.results import Simulation
from fastbt.types import Float2D, JsonDict

if TYPE_CHECKING:
    from fastbt.compiler.load import StrategySource
    from fastbt.compiler.routes import CompiledRoutes
    from fastbt.engine.simulate_routes import RoutesRunner


def setups_of(
    account: Account,
    routes: Sequence[tuple[str, str]],
    data_routes: Sequence[tuple[str, str]],
    candles: Mapping[str, tuple[Float2D, Float2D]],
) -> list[Setup]:
    """Return the set-up of each route, in which it sees the candles of all.

    Parameters
    ----------
    account : Account
    routes, data_routes : sequence of (symbol, timeframe)
    candles : mapping of str to (minutes, warmup)
        By symbol; all of the same minutes.
    """
    setups = []
    for symbol, timeframe in routes:
        names = {frame_name(*each, symbol) for each in [*routes, *data_routes]} - {timeframe}
        others = {key: arrays for key, arrays in candles.items() if key != symbol}
        setups.append(Setup.from_arrays(account, symbol, timeframe, *candles[symbol], names, others))
    return setups


@dataclass(frozen=True)
class Sources:
    """The strategies of all routes as one, where they are spoken of as one.

    Attributes
    ----------
    name : str
        All names.
    hyperparameters : list of dict
        All that any of them declares; of two with one name, the first one's.
    defaults : dict
    """

    name: str
    hyperparameters: list[dict[str, Any]]
    defaults: dict[str, Any]


class RoutesSession:
    """Strategies that share an account, ready to run with any hyper-parameters.

    Parameters
    ----------
    strategies : sequence of str, Path, type or StrategySource
        Of each route.
    setups : sequence of Setup
        Of each route; see `setups_of`.
    symbols : sequence of str, optional
        All symbols in the order in which their candles are played: that of Jesse's `candles`. As the routes are, if
        left out.
    """

    def __init__(
        self,
        strategies: Sequence[str | Path | type | StrategySource],
        setups: Sequence[Setup],
        symbols: Sequence[str] | None = None,
    ) -> None:
        from fastbt.compiler.load import StrategySource, load_strategy

        self.sources = [each if isinstance(each, StrategySource) else load_strategy(each) for each in strategies]
        self.setups = list(setups)
        traded = [setup.symbol for setup in setups]
        played = [each for each in (symbols or traded) if each in traded]
        self._symbols = list(symbols or setups[0].candles)
        self._order = [traded.index(symbol) for symbol in played]
        self._runners: list[tuple[CompiledRoutes, RoutesRunner]] = []

    @property
    def account(self) -> Account:
        """What all routes share."""
        return self.setups[0].account

    @property
    def setup(self) -> Setup:
        """The set-up of the first route; the minutes are those of all."""
        return self.setups[0]

    @cached_property
    def source(self) -> Sources:
        """The strategies as one."""
        declared: dict[str, dict[str, Any]] = {}
        defaults: dict[str, Any] = {}
        for source in self.sources:
            for each in source.hyperparameters:
                declared.setdefault(each["name"], each)
            defaults = {**source.defaults, **defaults}
        return Sources(", ".join(source.name for source in self.sources), list(declared.values()), defaults)

    @property
    def candles(self) -> dict[str, tuple[Float2D, Float2D]]:
        """One-minute candles of trading and warm-up by symbol, in the order in which they are played."""
        known = self.setups[0].candles
        return {symbol: known[symbol] for symbol in self._symbols}

    @property
    def data_routes(self) -> list[tuple[str, str]]:
        """Symbol and timeframe of what is only looked at."""
        traded = [(setup.symbol, setup.timeframe) for setup in self.setups]
        return [each for each in self.setups[0].data_routes if each not in traded]

    def _of_routes(self, hyperparameters: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
        """Return what each route is handed: the same, or the defaults of its own strategy."""
        if hyperparameters is None:
            return [source.defaults for source in self.sources]
        return [dict(hyperparameters)] * len(self.sources)

    def runner_for(self, samples: Sequence[Mapping[str, Any]]) -> tuple[CompiledRoutes, RoutesRunner]:
        """Return kernels made for hyper-parameters of these types, one mapping a route."""
        from fastbt.compiler.routes import CompiledRoutes
        from fastbt.engine.simulate_routes import RoutesRunner

        for known in self._runners:
            if known[0].fits(samples):
                return known
        setups = self.setups
        compiled = CompiledRoutes(
            self.sources, self.account, [(setup.symbol, setup.timeframe) for setup in setups], samples
        )
        for strategy, setup in zip(compiled.strategies, setups, strict=True):
            check_frames(strategy, setup)
        runner = RoutesRunner(
            compiled.module,
            compiled.state_dtype,
            [each.variables_dtype for each in compiled.strategies],
            [setup.market for setup in setups],
            [setup.symbol for setup in setups],
            self._order,
            self.account,
        )
        self._runners.append((compiled, runner))
        return self._runners[-1]

    def run(self, hyperparameters: Mapping[str, Any] | None = None) -> tuple[Simulation, JsonDict]:
        """Run one set in full.

        Parameters
        ----------
        hyperparameters : mapping, optional
            Handed to every strategy as they are, as Jesse does; each one's defaults if left out.

        Returns
        -------
        simulation : Simulation
        metrics : dict
            Jesse's metrics, of all routes together.

        Raises
        ------
        SimulationError
            If Jesse would abort the run, or fastbt does not simulate it.
        CompileError
            If a strategy cannot be compiled.
        """
        from fastbt.metrics.measuring import metrics_row_to_dict

        samples = self._of_routes(hyperparameters)
        try:
            compiled, runner = self.runner_for(samples)
        except SimulationError as error:
            if error.exception != "RouteNotFound":
                raise
            # Where Jesse raises it, and whether it comes to that, a run tells.
            return self.run_interpreted(hyperparameters)
        bindings = compiled.bind([[sample] for sample in samples])
        for source, binding in zip(self.sources, bindings, strict=True):
            if binding.errors:
                raise SettingsError(f"{source.name}: {binding.errors[0]}")
        x = [series_of(setup, binding) for setup, binding in zip(self.setups, bindings, strict=True)]
        simulation, row = runner.run_one([binding.configs for binding in bindings], x, 0)
        return simulation, metrics_row_to_dict(row)

    def run_interpreted(self, hyperparameters: Mapping[str, Any] | None = None) -> tuple[Simulation, JsonDict]:
        """Run one set as ordinary Python on the reference engine: slower, with the same result and without limits."""
        from fastbt.compiler.standins import jesse_standins
        from fastbt.engine.reference import simulate_reference
        from fastbt.engine.routes import Route
        from fastbt.metrics.measuring import measure

        hp = None if hyperparameters is None else dict(hyperparameters)
        routes = [
            Route(setup.symbol, setup.timeframe, source.restored(), hp)
            for setup, source in zip(self.setups, self.sources, strict=True)
        ]
        with jesse_standins():
            simulation = simulate_reference(
                routes,
                {symbol: minutes for symbol, (minutes, _) in self.candles.items()},
                account=self.account,
                warmup={symbol: warmup for symbol, (_, warmup) in self.candles.items()}
                if len(self.setups[0].warmup)
                else None,
                data_routes=self.data_routes,
            )
        return simulation, measure(simulation, annualization=self.account.annualization)
