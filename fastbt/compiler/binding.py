"""From parameter sets to what kernels read: evaluate the config stage, and find the distinct series.

Everything is done by column: an expression is evaluated once for each different combination of the hyper-parameters
that it reads, or for all sets at once where numpy does exactly what Python would do.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fastbt.compiler.lower import PARALLEL, Program, PythonSlot, Slot, hyperparameter_of
from fastbt.compiler.sets import Rows, SetTable
from fastbt.compiler.values import Config, Const, expression_code
from fastbt.engine.frames import n_fields
from fastbt.engine.language import SOURCE_TYPES
from fastbt.engine.python_series import PythonKey
from fastbt.engine.simulate import SeriesKey

#: Distinct argument lists that a slot remembers; more are found anew.
_REMEMBERED = 65_536


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
    series: dict[SeriesKey | PythonKey, int] = field(default_factory=dict)
    n_rows: int = 0
    errors: dict[int, str] = field(default_factory=dict)

    def row_of(self, key: SeriesKey | PythonKey, n_fields: int) -> int:
        """Return the first row of a series, a new one if it has none yet."""
        if key not in self.series:
            self.series[key] = self.n_rows
            self.n_rows += n_fields
        return self.series[key]


@dataclass(frozen=True)
class Found:
    """What the config record of a set holds for one slot, but for the row of the series."""

    key: SeriesKey | PythonKey
    n_fields: int
    source: int
    first: int
    params: tuple[float, ...]
    inner: tuple[Found, ...] = ()


def _names_of(node: ast.expr) -> frozenset[str]:
    """Return the hyper-parameters that an expression reads."""
    return frozenset(name for each in ast.walk(node) if (name := hyperparameter_of(each)) is not None)


def _is_arithmetic(node: ast.expr) -> bool:
    """Tell whether numpy gives for float columns, bit for bit, what Python gives for each float, and never raises."""
    match node:
        case ast.Subscript():
            return hyperparameter_of(node) is not None
        case ast.Constant(value):
            return type(value) is float or (type(value) is int and abs(value) < 2**53)
        case ast.UnaryOp(ast.USub() | ast.UAdd(), operand):
            return _is_arithmetic(operand)
        case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult(), right):
            return _is_arithmetic(left) and _is_arithmetic(right)
        case ast.BinOp(left, ast.Div(), ast.Constant(value)):
            return _is_arithmetic(left) and isinstance(value, int | float) and 0 < abs(value) < 2**53
    return False


class Expression:
    """One config-stage expression, evaluated for many sets.

    Parameters
    ----------
    value : Config or Const
    program : Program
    environment : mapping
        `account` and `route`.
    """

    def __init__(self, value: Config | Const, program: Program, environment: Mapping[str, Any]) -> None:
        self.names: list[str] = []
        self._constant = value.value if isinstance(value, Const) else None
        self._code = None
        self._direct: str | None = None
        self._arithmetic = False
        if isinstance(value, Config):
            self._code = expression_code(value.node, "<config>")
            self.names = sorted(_names_of(value.node))
            self._direct = hyperparameter_of(value.node)
            self._arithmetic = bool(self.names) and _is_arithmetic(value.node)
            self._environment = {**program.objects, **environment}

    def __call__(self, hp: Mapping[str, Any]) -> Any:
        """Return the value for a set."""
        if self._code is None:
            return self._constant
        return eval(self._code, {**self._environment, "hp": hp})

    def at_once(self, table: SetTable) -> npt.NDArray[Any] | None:
        """Return the value for every set, if numpy can compute them all; else None."""
        if self._direct is not None:
            return table.columns[self._direct].numbers() if self._direct in table.columns else None
        if not self._arithmetic or any(name not in table.columns for name in self.names):
            return None
        columns = {name: table.columns[name].numbers() for name in self.names}
        if any(column is None or column.dtype != np.float64 for column in columns.values()):
            return None
        with np.errstate(all="ignore"):
            return np.asarray(self(columns))


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
    exact : bool
        Whether recursive indicators see those rows only, or all.
    """

    def __init__(
        self,
        slot: Slot,
        program: Program,
        environment: Mapping[str, Any],
        window: int,
        binders: Mapping[str, SlotBinder | PythonBinder],
        *,
        exact: bool = True,
    ) -> None:
        self.slot = slot
        self._exact = exact
        self._keys = [key for key, _ in slot.arguments]
        self._evaluators = [Expression(value, program, environment) for _, value in slot.arguments]
        self._tail = None if slot.tail is None else Expression(slot.tail, program, environment)
        self._inner: SlotBinder | PythonBinder | None = None
        if isinstance(slot.data, tuple):
            self._inner = binders[slot.data[0].field]
        names = {name for each in self._evaluators for name in each.names}
        names |= set(self._tail.names if self._tail is not None else ())
        names |= set(self._inner.names if self._inner is not None else ())
        self.names: list[str] = sorted(names)
        self._window = window
        self._memo: dict[tuple[Any, ...], Found | str] = {}

    def __call__(self, hp: Mapping[str, Any]) -> Found | str:
        """Return the series of a set, or why there is none."""
        seen = tuple((type(hp[each]), hp[each]) for each in self.names)
        try:
            if seen in self._memo:
                return self._memo[seen]
        except TypeError:  # an unhashable option
            return self._find(hp)
        if len(self._memo) >= _REMEMBERED:
            self._memo.clear()
        self._memo[seen] = self._find(hp)
        return self._memo[seen]

    def _find(self, hp: Mapping[str, Any]) -> Found | str:
        slot, indicator = self.slot, self.slot.indicator
        inner = None if self._inner is None else self._inner(hp)
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
        if window and not self._exact and indicator.restarts(params):
            window = 0
        if tail is not None:
            window = min(tail, window) if window > 0 else tail
        key = SeriesKey(indicator.name, of, params, sequential, window, slot.timeframe, slot.end)
        settles = indicator.settles
        first = 0 if settles is None else int(settles(*params)) - 1
        code = SOURCE_TYPES.index(source) if source in SOURCE_TYPES else 0
        return Found(key, len(indicator.fields), code, first, params, () if inner is None else (inner,))


class PythonBinder:
    """Finds the series of one expression that Python computes, once for each distinct set of values that it reads.

    Parameters
    ----------
    slot : PythonSlot
    program : Program
    window : int
        Rows that a non-sequential indicator sees.
    binders : mapping
        Of the slots before this one, by field.
    """

    def __init__(
        self, slot: PythonSlot, program: Program, window: int, binders: Mapping[str, SlotBinder | PythonBinder]
    ) -> None:
        self.slot = slot
        self._program = program
        self._window = window
        self._inner = {key: binders[what[0].field] for key, what in slot.inputs if not isinstance(what, str)}
        self._own = sorted(_names_of(slot.node))
        self.names: list[str] = sorted({*self._own, *(name for each in self._inner.values() for name in each.names)})
        self._memo: dict[tuple[Any, ...], Found | str] = {}

    def __call__(self, hp: Mapping[str, Any]) -> Found | str:
        """Return the series of a set, or why there is none."""
        seen = tuple((type(hp[each]), hp[each]) for each in self.names)
        if seen not in self._memo:
            self._memo[seen] = self._find(hp)
        return self._memo[seen]

    def _find(self, hp: Mapping[str, Any]) -> Found | str:
        slot = self.slot
        inner: dict[str, Found] = {}
        for key, binder in self._inner.items():
            found = binder(hp)
            if isinstance(found, str):
                return found
            inner[key] = found
        inputs = tuple((key, what if isinstance(what, str) else (inner[key].key, what[1])) for key, what in slot.inputs)
        missing = slot.sample_missing
        if missing and self.names:
            try:
                missing = self._program.samples["sampler"].missing(slot, hp)
            except Exception as error:
                return f"{type(error).__name__} in {slot.label}: {error}"
        values = tuple((each, hp[each]) for each in self._own)
        made = PythonKey(slot.expression, values, inputs, slot.per_bar, len(slot.types), missing, self._window)
        return Found(made, made.n_rows, 0, missing, (), tuple(inner.values()))


def _row_of(found: Found, binding: Binding) -> int:
    """Return the row of a series, after that of the one it is computed from."""
    for each in found.inner:
        _row_of(each, binding)
    return binding.row_of(found.key, found.n_fields)


class Binder:
    """Turns tables of parameter sets into config records; what it has found once it remembers.

    Parameters
    ----------
    program : Program
    environment : mapping
        `account` and `route`.
    window : int
        Rows that a non-sequential indicator sees.
    config_dtype : dtype
        Record type of a parameter set.
    exact : bool
        Whether recursive indicators see those rows only, as in Jesse, or all.

    Attributes
    ----------
    slots : dict
        What finds the series of each slot, by its field.
    row_fields : tuple of str
        Fields of the record that hold a row of the series matrix.
    """

    def __init__(
        self,
        program: Program,
        environment: Mapping[str, Any],
        window: int,
        config_dtype: np.dtype[Any],
        *,
        exact: bool = True,
    ) -> None:
        self._program = program
        self._dtype = config_dtype
        self._fields = {key: Expression(value, program, environment) for key, value in program.config_fields.items()}
        self.slots: dict[str, SlotBinder | PythonBinder] = {}
        for slot in program.slots.values():
            if isinstance(slot, PythonSlot):
                self.slots[slot.field] = PythonBinder(slot, program, window, self.slots)
            else:
                self.slots[slot.field] = SlotBinder(slot, program, environment, window, self.slots, exact=exact)
        self.row_fields: tuple[str, ...] = (
            *self.slots,
            *program.frame_columns.values(),
            *program.frame_rows.values(),
        )

    def __call__(self, table: SetTable) -> Binding:
        """Evaluate the config stage of each set.

        Parameters
        ----------
        table : SetTable
            Hyper-parameters of the types that the program was made for.
        """
        binding = Binding(np.zeros(len(table), dtype=self._dtype))
        # Which rows of the whole table are still to be bound; None for all.
        where: Rows | None = None
        for key, expression in self._fields.items():
            failed = self._bind_field(binding, table, where, key, expression)
            where, table = _without(failed, where, table)
        for timeframe, key in self._program.frame_rows.items():
            rows = SeriesKey("rows", None, (), True, 0, timeframe, 0)
            binding.configs[key] = binding.row_of(rows, n_fields(rows.indicator))
        for (timeframe, which, end), key in self._program.frame_columns.items():
            kind = "parallel" if end == PARALLEL else "column"
            binding.configs[key] = binding.row_of(
                SeriesKey(kind, None, (float(which),), True, 0, timeframe, max(end, 0)), 1
            )
        for key, binder in self.slots.items():
            failed = self._bind_slot(binding, table, where, key, binder)
            where, table = _without(failed, where, table)
        return binding

    def _bind_field(
        self, binding: Binding, table: SetTable, where: Rows | None, key: str, expression: Expression
    ) -> Rows | None:
        """Fill one column of the records; return the rows that have no value."""
        to: Any = slice(None) if where is None else where
        column = binding.configs[key]
        whole = expression.at_once(table)
        if whole is not None:
            column[to] = whole
            return None
        rows, codes = table.distinct([name for name in expression.names if name in table.columns])
        values = np.zeros(len(rows), dtype=column.dtype)
        failed: dict[int, str] = {}
        for i, row in enumerate(rows.tolist()):
            try:
                value = expression(table[row])
                values[i] = self._program.kept(value)
            except Exception as error:
                failed[i] = f"{type(error).__name__} in a value of the parameter set: {error}"
        column[to] = values[codes]
        return _note(failed, codes, where, binding)

    def _bind_slot(
        self, binding: Binding, table: SetTable, where: Rows | None, key: str, binder: SlotBinder | PythonBinder
    ) -> Rows | None:
        """Fill the columns of one slot; return the rows that have no series."""
        to: Any = slice(None) if where is None else where
        names = [name for name in binder.names if name in table.columns]
        rows, codes = table.distinct(names)
        configs, n = binding.configs, len(rows)
        numbers = np.zeros((3, n), dtype=np.int64)
        # An indicator's arguments read these alone; dictionaries of all hyper-parameters take longer than binding.
        sets = table.take(rows)
        if isinstance(binder, SlotBinder) and names:
            sets = SetTable({name: sets.columns[name] for name in names}, n)
        is_indicator = isinstance(binder, SlotBinder)
        params = np.zeros((n, configs[f"{key}_params"].shape[1] if is_indicator else 0))
        failed: dict[int, str] = {}
        for i, hp in enumerate(sets):
            found = binder(hp)
            if isinstance(found, str):
                failed[i] = found
                continue
            numbers[:, i] = _row_of(found, binding), found.source, found.first
            if found.params:
                params[i] = found.params
        configs[key][to] = numbers[0][codes]
        configs[f"{key}_first"][to] = numbers[2][codes]
        if is_indicator:
            configs[f"{key}_source"][to] = numbers[1][codes]
            configs[f"{key}_params"][to] = params[codes]
        return _note(failed, codes, where, binding)


def _note(failed: Mapping[int, str], codes: Rows, where: Rows | None, binding: Binding) -> Rows | None:
    """Keep why rows cannot run; return them, counted in the table that was bound."""
    if not failed:
        return None
    rows = np.flatnonzero(np.isin(codes, list(failed)))
    names = rows if where is None else where[rows]
    for row, code in zip(names.tolist(), codes[rows].tolist(), strict=True):
        binding.errors[row] = failed[code]
    return rows


def _without(failed: Rows | None, where: Rows | None, table: SetTable) -> tuple[Rows | None, SetTable]:
    if failed is None:
        return where, table
    kept = np.delete(np.arange(len(table)), failed)
    return kept if where is None else where[kept], table.take(kept)
