"""Drive a generated module of several routes; see `simulate.py` for that of one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from fastbt._jit import jit_disabled
from fastbt.engine import layout
from fastbt.engine.account import Account
from fastbt.engine.exchange import settlement_currency
from fastbt.engine.layout import Market
from fastbt.engine.routes import quote_asset
from fastbt.engine.simulate import Output, outcome_error
from fastbt.engine.words import put_into_words
from fastbt.results import Simulation
from fastbt.types import Float1D, Float2D

#: States, variables of each route, trades, log.
_Memory = tuple[npt.NDArray[Any], tuple[npt.NDArray[Any], ...], Float2D, Float2D]


class RoutesRunner:
    """Runs parameter sets of the compiled routes of one account.

    Parameters
    ----------
    module : module
        The generated module.
    state_dtype : dtype
        Record of a route's state.
    variables_dtypes : sequence of dtype
        Records of the variables of each route's strategy.
    markets : sequence of Market
        Of each route, over the same minutes.
    symbols : sequence of str
        What each route trades.
    order : sequence of int
        The routes in the order in which their symbols' candles are played.
    account : Account
    """

    def __init__(
        self,
        module: ModuleType,
        state_dtype: np.dtype[Any],
        variables_dtypes: Sequence[np.dtype[Any]],
        markets: Sequence[Market],
        symbols: Sequence[str],
        order: Sequence[int],
        account: Account,
    ) -> None:
        self.module = module
        self.markets = markets
        self.symbols = list(symbols)
        self.account = account
        self._state_dtype = state_dtype
        self._variables_dtypes = variables_dtypes
        self._order = np.array(order, dtype=np.int64)
        self._local = threading.local()

    @property
    def market(self) -> Market:
        """The market of the first route."""
        return self.markets[0]

    def _new_memory(self, *, log: bool) -> _Memory:
        account, n = self.account, len(self.markets)
        states = np.zeros(n, dtype=self._state_dtype)
        states["mode"] = int(account.mode)
        states["leverage"] = account.leverage
        states["fee_rate"] = account.fee_rate
        states["starting_balance"] = account.starting_balance
        states["window"] = account.warm_up_candles
        states["route"] = np.arange(n)
        states["timeframe_minutes"] = [each.timeframe_minutes for each in self.markets]
        states["warmup_bars"] = [each.warmup_bars for each in self.markets]
        settled = settlement_currency(account.exchange, self.symbols[0])
        states["is_blind"] = [quote_asset(symbol) != settled for symbol in self.symbols]
        variables = tuple(np.zeros(1, dtype=each) for each in self._variables_dtypes)
        if jit_disabled():
            # As plain Python, the kernels read fields as attributes of records.
            states, variables = states.view(np.recarray), tuple(each.view(np.recarray) for each in variables)
        trades, fills = layout.output_buffers(sum(each.n_bars + 1 for each in self.markets), log=log)
        return states, variables, trades, fills

    def run(
        self,
        configs: Sequence[npt.NDArray[Any]],
        x: Sequence[Float2D],
        first: int,
        last: int,
        output: Output,
    ) -> None:
        """Run the sets [first, last) into their rows of `output`; safe to call from several threads."""
        if not hasattr(self._local, "memory"):
            self._local.memory = self._new_memory(log=False)
        self._call(configs, x, first, last, output, self._local.memory)

    def _call(
        self,
        configs: Sequence[npt.NDArray[Any]],
        x: Sequence[Float2D],
        first: int,
        last: int,
        output: Output,
        memory: _Memory,
    ) -> None:
        states, variables, trades, log = memory
        markets, market = self.markets, self.market
        if jit_disabled():
            configs = [each.view(np.recarray) for each in configs]
        self.module.run_sets(
            first,
            last,
            states,
            variables,
            tuple(configs),
            tuple(x),
            tuple(each.bars for each in markets),
            tuple(each.minutes for each in markets),
            tuple(each.span for each in markets),
            tuple(each.block_span for each in markets),
            self._order,
            market.sample_minutes,
            market.sample_times,
            self.account.annualization,
            trades,
            log,
            output.outcomes,
            output.daily,
            output.metrics,
        )

    def run_one(
        self, configs: Sequence[npt.NDArray[Any]], x: Sequence[Float2D], row: int
    ) -> tuple[Simulation, Float1D]:
        """Run one set in full.

        Returns
        -------
        simulation : Simulation
        metrics : ndarray, shape (n_metrics,)

        Raises
        ------
        SimulationError
            If the run did not complete.
        """
        output = Output.empty(1, self.market)
        states, variables, trades, log = self._new_memory(log=True)
        configs = [each[row : row + 1].copy() for each in configs]
        self._call(configs, x, 0, 1, output, (states, variables, trades, log))
        fills = int(output.outcomes[0, layout.OUTCOME_FILLS])
        if fills > log.shape[1]:
            log = np.zeros((layout.LOG_FIELDS, fills))
            self._call(configs, x, 0, 1, output, (states, variables, trades, log))
        error = outcome_error(output.outcomes[0])
        if error is not None:
            raise error
        simulation = put_into_words(
            output.outcomes[0],
            output.daily[0],
            trades,
            log,
            market=self.market,
            account=self.account,
            symbols=self.symbols,
        )
        return simulation, output.metrics[0]
