"""A compiled strategy: its kernels, and how parameter sets become what the kernels read."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastbt.compiler.emit import load_module, module_text, variables_fields
from fastbt.compiler.load import StrategySource
from fastbt.compiler.lower import Program, hyperparameter_of, new_program
from fastbt.compiler.values import Config, Const, type_of
from fastbt.engine.account import Account
from fastbt.engine.language import SOURCE_TYPES
from fastbt.engine.layout import state_dtype
from fastbt.engine.simulate import SeriesKey
from fastbt.indicators._registry import Indicator
from fastbt.types import Mode


@dataclass
class Binding:
    """Parameter sets in the form that kernels read.

    Attributes
    ----------
    configs : ndarray of records, shape (n_sets,)
    series : dict
        Each distinct series and its first row in the series matrix.
    n_rows : int
        Rows of that matrix.
    errors : dict
        For sets that cannot run: why. Their record must not be used.
    """

    configs: npt.NDArray[Any]
    series: dict[SeriesKey, int]
    n_rows: int
    errors: dict[int, str] = field(default_factory=dict)


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


def _names_of(node: ast.expr) -> frozenset[str]:
    """Return the hyper-parameters that an expression reads."""
    return frozenset(name for each in ast.walk(node) if (name := hyperparameter_of(each)) is not None)


class _Evaluator:
    """Evaluate one config-stage expression for many sets, once for each distinct input."""

    def __init__(self, value: Config | Const, program: Program, environment: dict[str, Any]) -> None:
        self.constant = value.value if isinstance(value, Const) else None
        self.is_constant = isinstance(value, Const)
        self.memo: dict[tuple[Any, ...], Any] = {}
        if isinstance(value, Config):
            expression = ast.fix_missing_locations(ast.Expression(value.node))
            self.code = compile(expression, "<config>", "eval")
            self.names = sorted(_names_of(value.node))
            self.environment = {**program.objects, **environment}

    def __call__(self, hp: Mapping[str, Any]) -> Any:
        if self.is_constant:
            return self.constant
        key = tuple((type(hp[each]), hp[each]) for each in self.names)
        if key not in self.memo:
            self.memo[key] = eval(self.code, {**self.environment, "hp": hp})
        return self.memo[key]


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
    """

    def __init__(
        self,
        source: StrategySource,
        account: Account,
        *,
        symbol: str = "BTC-USDT",
        timeframe: str = "1h",
        sample: Mapping[str, Any] | None = None,
    ) -> None:
        self.source = source
        self.account = account
        self.route = SimpleNamespace(symbol=symbol, timeframe=timeframe, name=source.name)
        self.sample = dict(source.defaults if sample is None else sample)
        environment = {"hp": self.sample, "account": account_environment(account), "route": self.route}
        self.program = new_program(source, environment)
        self.text = module_text(self.program)

    @cached_property
    def module(self) -> ModuleType:
        """The generated module, imported."""
        return load_module(self.text, self.source.name)

    @cached_property
    def state_dtype(self) -> np.dtype[Any]:
        """Record type of a run's state."""
        points = self.program.points
        return state_dtype(points, 16 + 8 * points)

    @cached_property
    def variables_dtype(self) -> np.dtype[Any]:
        """Record type of the strategy's own variables."""
        return np.dtype(variables_fields(self.program), align=True)

    @cached_property
    def config_dtype(self) -> np.dtype[Any]:
        """Record type of a parameter set."""
        codes = {"bool": "?", "int": "i8", "float": "f8"}
        fields: list[Any] = [("unused", "i8")]
        for slot in self.program.slots.values():
            count = max(1, len(slot.indicator.parameters))
            fields += [
                (slot.field, "i8"),
                (f"{slot.field}_source", "i8"),
                (f"{slot.field}_first", "i8"),
                (f"{slot.field}_params", "f8", (count,)),
            ]
        for key, value in self.program.config_fields.items():
            fields.append((key, codes[type_of(value.sample) or "float"]))
        return np.dtype(fields, align=True)

    def fits(self, hyperparameters: Mapping[str, Any]) -> bool:
        """Tell whether the kernels were made for values of these types."""
        for key, value in hyperparameters.items():
            known = self.sample.get(key)
            ours, theirs = type_of(known), type_of(value)
            if ours != theirs or (ours is None and type(known) is not type(value)):
                return False
        return set(hyperparameters) >= set(self.sample)

    def bind(self, sets: Sequence[Mapping[str, Any]]) -> Binding:
        """Evaluate the config stage of each parameter set.

        Parameters
        ----------
        sets : sequence of mapping
            Hyper-parameters by name; each must satisfy `fits`.

        Returns
        -------
        Binding
        """
        program = self.program
        environment = {"account": account_environment(self.account), "route": self.route}
        configs = np.zeros(len(sets), dtype=self.config_dtype)
        binding = Binding(configs, {}, 0)
        fields = {key: _Evaluator(value, program, environment) for key, value in program.config_fields.items()}
        columns: dict[str, list[Any]] = {key: [0] * len(sets) for key in fields}
        slots = [
            (slot, [(key, _Evaluator(value, program, environment)) for key, value in slot.arguments])
            for slot in program.slots.values()
        ]
        rows: list[dict[tuple[Any, ...], tuple[int, int, tuple[float, ...]] | str]] = [{} for _ in slots]
        for j, hp in enumerate(sets):
            try:
                for key, evaluate in fields.items():
                    columns[key][j] = evaluate(hp)
            except Exception as error:
                binding.errors[j] = f"{type(error).__name__} in a value of the parameter set: {error}"
                continue
            record = configs[j]
            for (slot, arguments), memo in zip(slots, rows, strict=True):
                try:
                    values = tuple(evaluate(hp) for _, evaluate in arguments)
                except Exception as error:
                    binding.errors[j] = f"{type(error).__name__} in an argument of ta.{slot.indicator.name}: {error}"
                    break
                seen = tuple((type(value), value) for value in values)
                if seen not in memo:
                    memo[seen] = self._row(slot.indicator, [k for k, _ in slot.arguments], values, binding)
                found = memo[seen]
                if isinstance(found, str):
                    binding.errors[j] = found
                    break
                record[slot.field], record[f"{slot.field}_source"], params = found
                settles = slot.indicator.settles
                record[f"{slot.field}_first"] = 0 if settles is None else int(settles(*params)) - 1
                record[f"{slot.field}_params"][: len(params)] = params
        for key, column in columns.items():
            configs[key] = column
        return binding

    @staticmethod
    def _row(
        indicator: Indicator, keys: list[str | int], values: tuple[Any, ...], binding: Binding
    ) -> tuple[int, int, tuple[float, ...]] | str:
        """Return first row, source code and numeric arguments of a series; a message if they make no sense."""
        positional = [value for key, value in zip(keys, values, strict=True) if isinstance(key, int)]
        keyword = {key: value for key, value in zip(keys, values, strict=True) if isinstance(key, str)}
        try:
            source_type, params, sequential = indicator.encode(*positional, **keyword)
        except (TypeError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        series: SeriesKey = (indicator.name, source_type, params, sequential)
        if series not in binding.series:
            binding.series[series] = binding.n_rows
            binding.n_rows += len(indicator.fields)
        code = SOURCE_TYPES.index(source_type) if source_type in SOURCE_TYPES else 0
        return binding.series[series], code, params
