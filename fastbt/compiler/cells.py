"""Cells: how a value that the kernel keeps is laid out in fields, and how it is read and written.

A variable of the strategy, an item of a list, a local list and the result of a function are all cells. A cell learns
its layout from every value that is put into it, over as many rounds as that takes (`emit.lower_all`).
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any, Final

import numpy as np

from fastbt.compiler.values import (
    Config,
    Const,
    Group,
    Listing,
    Moment,
    Nothing,
    Number,
    Text,
    Value,
    join_numpy,
    join_types,
    parse,
    type_of,
)

#: dtype of each type of leaf.
DTYPES: Final = {"bool": "?", "int": "i8", "float": "f8", "text": "i8"}
MOMENTS: Final = ("datetime", "utc", "date", "time", "timedelta")
#: What a list holds: those of the strategy's state, and those of one call.
STATE_CAPACITY: Final = 16384
LOCAL_CAPACITY: Final = 4096
#: What an array of a whole series holds.
SERIES_CAPACITY: Final = 65536

Code = Callable[[str], ast.expr]


class UnfitError(Exception):
    """A value that a cell cannot hold beside what it holds elsewhere."""


@dataclass(eq=False)
class Cell:
    """Where a value is kept.

    Attributes
    ----------
    path : str
        Its field, or the start of the names of its fields.
    kind : str
        leaf, group or list; empty until something was put into it.
    type : str or None
        Of a leaf: bool, int, float, text or a kind of moment.
    numpy : bool or None or str
        Whether a number is a numpy scalar, where that is known; "unset" until something was put into it.
    nullable : bool
        Whether it can be None.
    optional : bool
        Whether it may not be there yet.
    children : list of Cell
        Items of a group.
    keys, fields, is_list
        As of `Group`.
    item : Cell or None
        Items of a list; its path stands for arrays.
    capacity : int
    is_array : bool
        Whether a list is a numpy array: of fixed length, with arithmetic of its own.
    temporary : bool
        Whether what is in it is overwritten when the same expression is evaluated again.
    limit : int or None
        Of a deque: how many items it keeps.
    in_place : bool
        Whether something changes the items of an array.
    is_local : bool
        Whether it lives as long as one call.
    was_whole : bool
        Of an array: whether one of whole numbers or booleans was put into it somewhere.
    """

    path: str
    kind: str = ""
    type: str | None = None
    numpy: bool | None | str = "unset"
    nullable: bool = False
    optional: bool = False
    children: list[Cell] = field(default_factory=list)
    keys: tuple[Any, ...] | None = None
    fields: tuple[str, ...] | None = None
    is_list: bool = False
    item: Cell | None = None
    capacity: int = STATE_CAPACITY
    is_array: bool = False
    temporary: bool = False
    limit: int | None = None
    in_place: bool = False
    is_local: bool = False
    was_whole: bool = False

    @property
    def length(self) -> ast.expr:
        """Code of the length of a list."""
        return parse(f"v.{self.path}_n")

    def leaves(self) -> Iterator[Cell]:
        """Walk over the leaves of a leaf or group."""
        if self.kind == "group":
            for child in self.children:
                yield from child.leaves()
        else:
            yield self


def plain_name(key: object, taken: int) -> str:
    """Return a key as the name of a field."""
    text = str(key)
    plain = text if text.isidentifier() else f"k{taken}"
    # max, size, base...: as plain Python, the record has attributes of its own.
    return f"{plain}_" if hasattr(np.record, plain) else plain


def moment_kind(value: object) -> str | None:
    """Return the kind of moment that an object is."""
    if isinstance(value, datetime):
        return "utc" if value.tzinfo is not None else "datetime"
    for kind, cls in (("date", date), ("time", time), ("timedelta", timedelta)):
        if isinstance(value, cls):
            return kind
    return None


def moment_number(value: Any) -> int:
    """Return a moment as the kernel keeps it.

    Examples
    --------
    >>> moment_number(date(1970, 1, 3)), moment_number(timedelta(seconds=2))
    (2, 2000000)
    """
    if isinstance(value, datetime):
        since = value - datetime(1970, 1, 1, tzinfo=value.tzinfo)
        offset = value.utcoffset() or timedelta()
        return (since - offset) // timedelta(microseconds=1)
    if isinstance(value, date):
        return value.toordinal() - date(1970, 1, 1).toordinal()
    if isinstance(value, time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
    result: int = value // timedelta(microseconds=1)
    return result


def leaf_kind(value: Value) -> str | None:
    """Return the type of leaf that a value fits into, or None if it is no leaf."""
    if isinstance(value, Number):
        return value.type
    if isinstance(value, Text):
        return "text"
    if isinstance(value, Moment):
        return "utc" if value.is_aware else value.kind
    if isinstance(value, Const | Config):
        found = value.value if isinstance(value, Const) else value.sample
        if isinstance(found, str) or (isinstance(found, Enum) and type_of(found) is None):
            return "text"
        return type_of(found) or moment_kind(found)
    return None


def is_none(value: Value) -> bool:
    """Tell whether a value is None and nothing else."""
    return isinstance(value, Const) and value.value is None


def none_code(value: Value) -> ast.expr:
    """Return the code that tells whether a value is None."""
    return getattr(value, "none", None) or ast.Constant(is_none(value))


def as_group(value: Value) -> Value:
    """Return a container that is known before the run as a group, anything else as it is."""
    if isinstance(value, Config) and isinstance(value.node, ast.Tuple | ast.List):
        items = tuple(map(Config, value.node.elts, value.sample))
        return Group(items, is_list=isinstance(value.node, ast.List))
    if isinstance(value, Config) and isinstance(value.node, ast.Dict) and len(value.sample) == len(value.node.values):
        return Group(tuple(map(Config, value.node.values, value.sample.values())), keys=tuple(value.sample))
    if not isinstance(value, Const):
        return value
    found = value.value
    if isinstance(found, dict):
        return Group(tuple(map(Const, found.values())), keys=tuple(found))
    if isinstance(found, tuple | list | deque):
        fields = getattr(found, "_fields", None)
        return Group(tuple(map(Const, found)), fields, not isinstance(found, tuple))
    return value


def is_array_constant(value: Value) -> bool:
    """Tell whether a value is an array of numbers that is known before the run."""
    found = value.value if isinstance(value, Const) else getattr(value, "sample", None)
    is_known = isinstance(value, Const | Config) and isinstance(found, np.ndarray)
    return is_known and found.ndim == 1 and found.dtype.kind in "fiub"  # type: ignore[union-attr]


def listed(value: Value) -> Value:
    """Return an array that is known before the run as a list of its items, anything else as it is."""
    if isinstance(value, Const) and is_array_constant(value):
        return Group(tuple(map(Const, value.value)), is_list=True)
    return value


def is_numpy(value: Value) -> bool | None:
    """Tell whether a number is a numpy scalar, as far as that is known."""
    if isinstance(value, Number):
        return value.numpy
    found = value.value if isinstance(value, Const) else getattr(value, "sample", None)
    return hasattr(found, "item")


def fit(cell: Cell, value: Value, *, nested: bool = False) -> bool:
    """Let a cell hold a value, too, and return whether that changed it.

    Parameters
    ----------
    cell : Cell
    value : Value
    nested : bool
        Whether it is an item of a list, which cannot be a list of its own.

    Raises
    ------
    UnfitError
        If it holds something else elsewhere.
    """
    value = as_group(value)
    if isinstance(value, Nothing):
        return False
    if is_none(value) or getattr(value, "none", None) is not None:
        changed = not cell.nullable
        cell.nullable = True
        if is_none(value):
            return changed
    else:
        changed = False
    leaf = leaf_kind(value)
    if leaf is not None:
        return _fit_leaf(cell, value, leaf) or changed
    if isinstance(value, Const) and isinstance(value.value, np.ndarray):
        return _fit_constant_array(cell, value, nested) or changed
    if isinstance(value, Listing):
        other = value.cell
        if nested:
            raise UnfitError("a list inside a list cannot be kept; keep tuples, or one list for each column")
        changed |= _become_list(cell, other.is_array)
        if other.is_array and other.item is not None:
            cell.was_whole |= other.item.type in ("int", "bool")
        changed |= fit_cell(_item_of(cell), other.item) if other.item is not None else False
        return changed
    if isinstance(value, Group):
        if value.is_list and not nested:
            changed |= _become_list(cell, False)
            item = _item_of(cell)
            return any([fit(item, each, nested=True) for each in value.items]) or changed
        return _fit_group(cell, value, nested) or changed
    raise UnfitError("it cannot be kept in a compiled strategy; keep numbers, strings, or lists of them")


def _fit_constant_array(cell: Cell, value: Const, nested: bool) -> bool:
    if not is_array_constant(value) or nested:
        raise UnfitError("it cannot be kept in a compiled strategy; keep arrays of numbers with one dimension")
    changed = _become_list(cell, True)
    cell.was_whole |= value.value.dtype.kind != "f"
    sample = value.value.dtype.type(0)
    return fit(_item_of(cell), Const(sample), nested=True) or changed


def _become_list(cell: Cell, is_array: bool) -> bool:
    """Let a cell hold a list or an array."""
    if cell.kind == "":
        cell.is_array = is_array
    elif cell.kind == "list" and cell.is_array != is_array and not cell.temporary and not cell.is_local:
        was, now = ("an array", "a list") if cell.is_array else ("a list", "an array")
        raise UnfitError(f"it is {was} elsewhere and {now} here; use two variables, or np.array([])")
    return _become(cell, "list", "a list")


def _item_of(cell: Cell) -> Cell:
    if cell.item is None:
        cell.item = Cell(f"{cell.path}_items")
    return cell.item


def _become(cell: Cell, kind: str, what: str) -> bool:
    if cell.kind == "":
        cell.kind = kind
        return True
    if cell.kind != kind:
        was = {"leaf": "a number or string", "group": "a tuple or dict", "list": "a list"}[cell.kind]
        raise UnfitError(f"it is {was} elsewhere and {what} here; use two variables")
    return False


def _fit_leaf(cell: Cell, value: Value, leaf: str) -> bool:
    before = (cell.kind, cell.type, cell.numpy)
    _become(cell, "leaf", "a number or string")
    if cell.type is None or cell.type == leaf:
        cell.type = leaf
    elif cell.type in ("bool", "int", "float") and leaf in ("bool", "int", "float"):
        cell.type = join_types(cell.type, leaf)
    else:
        names = {"text": "a string", "bool": "a number", "int": "a number", "float": "a number"}
        was, now = (names.get(each, f"a {each}") for each in (cell.type, leaf))
        raise UnfitError(f"it is {was} elsewhere and {now} here; use two variables")
    numpy = is_numpy(value)
    cell.numpy = numpy if cell.numpy == "unset" else join_numpy(cell.numpy, numpy)  # type: ignore[arg-type]
    return before != (cell.kind, cell.type, cell.numpy)


def _fit_group(cell: Cell, value: Group, nested: bool) -> bool:
    changed = _become(cell, "group", "a tuple or dict")
    if changed:
        cell.fields, cell.is_list = value.fields, value.is_list
        cell.keys = value.keys
        names = value.keys if value.keys is not None else range(len(value.items))
        cell.children = [Cell(f"{cell.path}_{plain_name(key, i)}") for i, key in enumerate(names)]
    if (cell.keys is None) != (value.keys is None):
        raise UnfitError("it is a dict in one place and a tuple in another; use two variables")
    if cell.keys is None:
        if len(cell.children) != len(value.items):
            raise UnfitError(
                f"it holds {len(cell.children)} items elsewhere and {len(value.items)} here; use two variables"
            )
        cell.is_list &= value.is_list
        return (
            any([fit(child, each, nested=nested) for child, each in zip(cell.children, value.items, strict=True)])
            or changed
        )
    assert value.keys is not None
    for key, each in zip(value.keys, value.items, strict=True):
        child, added = child_of(cell, key)
        changed |= fit(child, each, nested=nested) or added
    for key, child in zip(cell.keys or (), cell.children, strict=True):
        if key not in value.keys and not child.optional:
            child.optional = changed = True
    return changed


def child_of(cell: Cell, key: Any) -> tuple[Cell, bool]:
    """Return the item of a dict with a key, a new one that may be missing if there is none, and whether it is new."""
    assert cell.keys is not None
    if key in cell.keys:
        return cell.children[cell.keys.index(key)], False
    child = Cell(f"{cell.path}_{plain_name(key, len(cell.keys))}", optional=True)
    cell.keys = (*cell.keys, key)
    cell.children.append(child)
    return child, True


def fit_cell(cell: Cell, other: Cell) -> bool:
    """Let a cell hold whatever another one holds, and return whether that changed it."""
    before = (cell.nullable, cell.optional)
    cell.nullable |= other.nullable
    cell.optional |= other.optional
    changed = before != (cell.nullable, cell.optional)
    if other.kind == "":
        return changed
    if other.kind == "leaf":
        numpy = None if other.numpy == "unset" else other.numpy
        sample = Number(ast.Constant(0), other.type or "float", numpy)  # type: ignore[arg-type]
        return _fit_leaf(cell, sample, other.type or "float") or changed
    if other.kind == "list":
        changed |= _become_list(cell, other.is_array)
        return (fit_cell(_item_of(cell), other.item) if other.item is not None else False) or changed
    fresh = cell.kind == ""
    changed |= _become(cell, "group", "a tuple or dict")
    if fresh:
        cell.fields, cell.is_list, cell.keys = other.fields, other.is_list, other.keys
        names = other.keys if other.keys is not None else range(len(other.children))
        cell.children = [Cell(f"{cell.path}_{plain_name(key, i)}") for i, key in enumerate(names)]
    if cell.keys != other.keys or len(cell.children) != len(other.children):
        raise UnfitError("it holds other items elsewhere; use two variables")
    return any([fit_cell(a, b) for a, b in zip(cell.children, other.children, strict=True)]) or changed


def read(cell: Cell, code: Code, *, own: bool = False) -> Value:
    """Return what is in a cell; `code` gives the code of a field, `own` tells whether it is a variable's."""
    if cell.kind == "":
        # Until something is put into it, it holds None, or nothing at all.
        return Const(None) if cell.nullable else Nothing(ast.Constant(0.0), "float", False)
    none = code(f"{cell.path}_none") if cell.nullable else None
    if cell.kind == "list":
        return Listing(cell, none)
    if cell.kind == "group":
        items = tuple(read(child, code, own=own) for child in cell.children)
        present = None
        if any(child.optional for child in cell.children):
            present = tuple(code(f"{child.path}_set") if child.optional else None for child in cell.children)
        return Group(items, cell.fields, cell.is_list, cell.keys, none, present, cell if own else None)
    return leaf_value(code(cell.path), cell, none)


def truth_paths(cell: Cell) -> set[str]:
    """Return the fields of an item that hold booleans."""
    found = {f"{cell.path}_none"} if cell.nullable else set()
    found |= {f"{cell.path}_set"} if cell.optional else set()
    if cell.kind == "group":
        return found.union(*(truth_paths(child) for child in cell.children))
    return found | ({cell.path} if cell.type == "bool" else set())


def leaf_value(code: ast.expr, cell: Cell, none: ast.expr | None) -> Value:
    """Return the value that a leaf's code stands for."""
    if cell.type == "text":
        return Text(code, none)
    if cell.type in MOMENTS:
        assert cell.type is not None
        aware = cell.type == "utc"
        return Moment(code, "datetime" if aware else cell.type, none, aware)
    numpy = None if cell.numpy == "unset" else cell.numpy
    return Number(code, cell.type or "float", numpy, none)  # type: ignore[arg-type]


def field_list(cell: Cell, shape: tuple[int, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the fields of a cell as numpy describes them."""

    def one(path: str, dtype: str) -> tuple[Any, ...]:
        # numba has no arrays of booleans inside of records.
        return (path, "u1" if dtype == "?" else dtype, shape) if shape else (path, dtype)

    fields = []
    if cell.nullable:
        fields.append(one(f"{cell.path}_none", "?"))
    if cell.optional:
        fields.append(one(f"{cell.path}_set", "?"))
    if cell.kind == "list":
        fields.append(one(f"{cell.path}_n", "i8"))
        return fields + field_list(cell.item or Cell(f"{cell.path}_items"), (cell.capacity,))
    if cell.kind == "group":
        return fields + [each for child in cell.children for each in field_list(child, shape)]
    return [*fields, one(cell.path, DTYPES.get(cell.type or "float", "i8"))]


def zero(type_: str | None) -> ast.expr:
    """Return the code of a number of a type, for where none is."""
    return ast.Constant({"bool": False, "float": 0.0, None: 0.0, "text": -1}.get(type_, 0))
