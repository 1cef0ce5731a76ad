"""A compiled strategy: its kernels, and how parameter sets become what the kernels read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from fastbt.compiler.binding import Binder, Binding
from fastbt.compiler.emit import config_fields, load_module, module_text, variables_fields
from fastbt.compiler.load import StrategySource
from fastbt.compiler.lower import new_program
from fastbt.compiler.sets import SetTable
from fastbt.compiler.shared import SharedVars
from fastbt.compiler.values import type_of
from fastbt.engine.account import Account
from fastbt.engine.layout import state_dtype
from fastbt.errors import CompileError
from fastbt.types import Mode


def account_environment(account: Account) -> SimpleNamespace:
    """Return what config-stage expressions may read of the account."""
    is_spot = account.mode == Mode.SPOT
    return SimpleNamespace(
        fee_rate=account.fee_rate,
        leverage=1 if is_spot else account.leverage,
        exchange=account.exchange,
        is_spot=is_spot,
        exchange_type="spot" if is_spot else "futures",
    )


class CompiledStrategy:
    """A strategy turned into kernels.

    Parameters
    ----------
    source : StrategySource
    account : Account
    symbol, timeframe : str
        The route; a strategy may read them.
    sample : mapping, optional
        Hyper-parameters whose types the kernels are made for; the defaults if left out.
    routes : sequence, optional
        All routes that share the account, this one included: what `self.routes` may be asked for. The text then has no
        machine; `fastbt.compiler.routes` makes one for all of them.
    shared : SharedVars, optional
        What all these routes keep in `self.shared_vars`.
    """

    def __init__(
        self,
        source: StrategySource,
        account: Account,
        *,
        symbol: str = "BTC-USDT",
        timeframe: str = "1h",
        sample: Mapping[str, Any] | None = None,
        routes: Sequence[Any] = (),
        shared: SharedVars | None = None,
    ) -> None:
        self.source = source
        self.account = account
        self.route = SimpleNamespace(symbol=symbol, timeframe=timeframe, name=source.name)
        self.sample = dict(source.defaults if sample is None else sample)
        environment = {
            "hp": self.sample,
            "account": account_environment(account),
            "route": self.route,
            "routes": routes,
            "shared": shared,
        }
        self.program = new_program(source, environment)
        self.program.window = account.warm_up_candles
        self.program.exact = account.is_exact
        self.text = module_text(self.program)

    @cached_property
    def module(self) -> ModuleType:
        """The generated module, imported."""
        return load_module(self.text, self.source.name)

    @cached_property
    def state_dtype(self) -> np.dtype[Any]:
        """Record type of a run's state."""
        points = self.program.points
        return state_dtype(points, 16 + 8 * points, shared=len(self.program.shared.types))

    @cached_property
    def variables_dtype(self) -> np.dtype[Any]:
        """Record type of the strategy's own variables."""
        return np.dtype(variables_fields(self.program), align=True)

    @cached_property
    def config_dtype(self) -> np.dtype[Any]:
        """Record type of a parameter set."""
        return np.dtype(config_fields(self.program), align=True)

    def fits(self, hyperparameters: Mapping[str, Any]) -> bool:
        """Tell whether the kernels were made for values of these types."""
        for key, value in hyperparameters.items():
            known = self.sample.get(key)
            ours, theirs = type_of(known), type_of(value)
            if ours != theirs or (ours is None and type(known) is not type(value)):
                return False
        return set(hyperparameters) >= set(self.sample)

    @cached_property
    def binder(self) -> Binder:
        """What turns tables of hyper-parameters into records; it remembers what it has found."""
        return self.make_binder(exact=self.account.is_exact)

    def make_binder(self, *, exact: bool) -> Binder:
        """Return a new one, for indicators that see what they see in Jesse, or all candles."""
        environment = {"account": account_environment(self.account), "route": self.route}
        return Binder(self.program, environment, self.account.warm_up_candles, self.config_dtype, exact=exact)

    def bind(self, sets: Sequence[Mapping[str, Any]] | SetTable) -> Binding:
        """Evaluate the config stage of each parameter set.

        Parameters
        ----------
        sets : sequence of mapping, or SetTable
            Hyper-parameters by name; each must satisfy `fits`.

        Returns
        -------
        Binding
        """
        return self.binder(SetTable.of(sets))


def used_frames(source: StrategySource, account: Account, symbol: str, timeframe: str) -> set[str]:
    """Return the candles beside the traded ones that a strategy reads, by name; none if it does not compile."""
    try:
        compiled = CompiledStrategy(source, account, symbol=symbol, timeframe=timeframe)
    except CompileError:
        return set()
    return compiled.program.timeframes
