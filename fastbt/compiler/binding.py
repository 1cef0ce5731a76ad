"""From parameter sets to what kernels read: evaluate the config stage, and find the distinct series."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fastbt.compiler.lower import Program, Slot, hyperparameter_of
from fastbt.compiler.values import Config, Const
from fastbt.engine.language import SOURCE_TYPES
from fastbt.engine.simulate import SeriesKey


@dataclass
class Binding:
    """Parameter sets in the form that kernels read.

    Attributes
    ----------
    configs : ndarray of records, shape (n_sets,)
    series : dict
        Each distinct series and its first row in the series matrix; a series comes after the one it is computed from.
    n_rows : int
        Rows of that matrix.
    errors : dict
        For sets that cannot run: why. Their record must not be used.
    """

    configs: npt.NDArray[Any]
    series: dict[SeriesKey, int] = field(default_factory=dict)
    n_rows: int = 0
    errors: dict[int, str] = field(default_factory=dict)

    def row_of(self, key: SeriesKey, n_fields: int) -> int:
        """Return the first row of a series, a new one if it has none yet."""
        if key not in self.series:
            self.series[key] = self.n_rows
            self.n_rows += n_fields
        return self.series[key]


@dataclass(frozen=True)
class SlotRow:
    """What the config record of a set holds for one slot."""

    key: SeriesKey
    row: int
    source: int
    first: int
    params: tuple[float, ...]


def _names_of(node: ast.expr) -> frozenset[str]:
    """Return the hyper-parameters that an expression reads."""
    return frozenset(name for each in ast.walk(node) if (name := hyperparameter_of(each)) is not None)


class Evaluator:
    """Evaluates one config-stage expression for many sets, once for each distinct input."""

    def __init__(self, value: Config | Const, program: Program, environment: Mapping[str, Any]) -> None:
        self.names: list[str] = []
        self._constant = value.value if isinstance(value, Const) else None
        self._code = None
        self._memo: dict[tuple[Any, ...], Any] = {}
        if isinstance(value, Config):
            self._code = compile(ast.fix_missing_locations(ast.Expression(value.node)), "<config>", "eval")
            self.names = sorted(_names_of(value.node))
            self._environment = {**program.objects, **environment}

    def __call__(self, hp: Mapping[str, Any]) -> Any:
        """Return the value for a set."""
        if self._code is None:
            return self._constant
        key = tuple((type(hp[each]), hp[each]) for each in self.names)
        if key not in self._memo:
            self._memo[key] = eval(self._code, {**self._environment, "hp": hp})
        return self._memo[key]


class SlotBinder:
    """Finds the series of one slot for many sets, once for each distinct argument list.

    Parameters
    ----------
    slot : Slot
    program : Program
    environment : mapping
        `account` and `route`.
    window : int
        Rows that a non-sequential indicator sees.
    binders : mapping
        Of the slots before this one, by field.
    """

    def __init__(
        self,
        slot: Slot,
        program: Program,
        environment: Mapping[str, Any],
        window: int,
        binders: Mapping[str, SlotBinder],
    ) -> None:
        self.slot = slot
        self._keys = [key for key, _ in slot.arguments]
        self._evaluators = [Evaluator(value, program, environment) for _, value in slot.arguments]
        self._tail = None if slot.tail is None else Evaluator(slot.tail, program, environment)
        self._inner: SlotBinder | None = binders[slot.data[0].field] if isinstance(slot.data, tuple) else None
        names = {name for each in self._evaluators for name in each.names}
        names |= set(self._tail.names if self._tail is not None else ())
        names |= set(self._inner.names if self._inner is not None else ())
        self.names: list[str] = sorted(names)
        self._window = window
        self._memo: dict[tuple[Any, ...], SlotRow | str] = {}

    def __call__(self, hp: Mapping[str, Any], binding: Binding) -> SlotRow | str:
        """Return the series of a set, or why there is none."""
        seen = tuple((type(hp[each]), hp[each]) for each in self.names)
        if seen not in self._memo:
            self._memo[seen] = self._find(hp, binding)
        return self._memo[seen]

    def _find(self, hp: Mapping[str, Any], binding: Binding) -> SlotRow | str:
        slot, indicator = self.slot, self.slot.indicator
        inner = None if self._inner is None else self._inner(hp, binding)
        if isinstance(inner, str):
            return inner
        try:
            values = [evaluate(hp) for evaluate in self._evaluators]
            positional = [value for key, value in zip(self._keys, values, strict=True) if isinstance(key, int)]
            keyword = {key: value for key, value in zip(self._keys, values, strict=True) if isinstance(key, str)}
            source, params, sequential = indicator.encode(*positional, **keyword)
            tail = None if self._tail is None else self._tail(hp)
        except Exception as error:
            return f"{type(error).__name__} in ta.{indicator.name}: {error}"
        if tail is not None and (isinstance(tail, bool) or not isinstance(tail, int) or tail < 1):
            return f"ta.{indicator.name} sees candles[-n:] with n = {tail!r}; it wants a whole number from 1"
        if isinstance(slot.data, str):
            source = slot.data
        of: str | tuple[Any, int] | None = source
        if inner is not None:
            of = (inner.key, slot.data[1])
        window = self._window if slot.data is None and not sequential and indicator.sliced else 0
        if tail is not None:
            window = min(tail, window) if window > 0 else tail
        key = SeriesKey(indicator.name, of, params, sequential, window, slot.timeframe, slot.end)
        row = binding.row_of(key, len(indicator.fields))
        settles = indicator.settles
        first = 0 if settles is None else int(settles(*params)) - 1
        return SlotRow(key, row, SOURCE_TYPES.index(source) if source in SOURCE_TYPES else 0, first, params)


def bind_sets(
    program: Program,
    sets: list[Mapping[str, Any]],
    environment: Mapping[str, Any],
    window: int,
    config_dtype: np.dtype[Any],
) -> Binding:
    """Evaluate the config stage of each parameter set.

    Parameters
    ----------
    program : Program
    sets : list of mapping
        Hyper-parameters by name.
    environment : mapping
        `account` and `route`.
    window : int
        Rows that a non-sequential indicator sees.
    config_dtype : dtype
        Record type of a parameter set.

    Returns
    -------
    Binding
    """
    configs = np.zeros(len(sets), dtype=config_dtype)
    binding = Binding(configs)
    fields = {key: Evaluator(value, program, environment) for key, value in program.config_fields.items()}
    columns: dict[str, list[Any]] = {key: [0] * len(sets) for key in fields}
    binders: dict[str, SlotBinder] = {}
    for slot in program.slots.values():
        binders[slot.field] = SlotBinder(slot, program, environment, window, binders)
    rows: dict[str, list[SlotRow | None]] = {key: [None] * len(sets) for key in binders}
    for j, hp in enumerate(sets):
        try:
            for key, evaluate in fields.items():
                value = evaluate(hp)
                columns[key][j] = program.text_code(value) if isinstance(value, str) else value
        except Exception as error:
            binding.errors[j] = f"{type(error).__name__} in a value of the parameter set: {error}"
            continue
        for key, binder in binders.items():
            found = binder(hp, binding)
            if isinstance(found, str):
                binding.errors[j] = found
                break
            rows[key][j] = found
    for key, column in columns.items():
        configs[key] = column
    for (timeframe, which, end), key in program.frame_columns.items():
        configs[key] = binding.row_of(SeriesKey("column", None, (float(which),), True, 0, timeframe, end), 1)
    for key, column_of_rows in rows.items():
        known = [(j, row) for j, row in enumerate(column_of_rows) if row is not None]
        where = [j for j, _ in known]
        configs[key][where] = [row.row for _, row in known]
        configs[f"{key}_source"][where] = [row.source for _, row in known]
        configs[f"{key}_first"][where] = [row.first for _, row in known]
        if known and known[0][1].params:
            configs[f"{key}_params"][where] = [row.params for _, row in known]
    return binding
