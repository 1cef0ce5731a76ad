"""Many hyper-parameter sets as columns: what a sweep draws, binds and stores, without one dictionary a set."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fastbt.errors import SettingsError, ShapeError, did_you_mean

Rows = npt.NDArray[np.int64]

_WORDS = {"b": "bool", "i": "int", "f": "float"}


@dataclass(frozen=True)
class Column:
    """One hyper-parameter of many sets.

    Attributes
    ----------
    values : ndarray or tuple
        With `codes`, the different values, any Python objects; without, the value of each row: bool, int64 or float64.
    codes : ndarray of int64 or None
        For each row the index of its value.
    """

    values: npt.NDArray[Any] | tuple[Any, ...]
    codes: Rows | None = None

    @classmethod
    def of(cls, values: Sequence[Any] | npt.NDArray[Any]) -> Column:
        """Return the column of one value a row."""
        if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "bif":
            wide = {"b": np.bool_, "i": np.int64, "f": np.float64}[values.dtype.kind]
            return cls(values.astype(wide, copy=False))
        objects = values.tolist() if isinstance(values, np.ndarray) else list(values)
        kinds = set(map(type, objects))
        if len(kinds) == 1 and (kind := kinds.pop()) in (bool, int, float):
            try:
                return cls(np.array(objects, dtype={bool: np.bool_, int: np.int64, float: np.float64}[kind]))
            except OverflowError:
                pass
        known: dict[Any, int] = {}
        different: list[Any] = []
        codes = np.empty(len(objects), dtype=np.int64)
        for i, value in enumerate(objects):
            try:
                # 1, 1.0 and True are equal, and not the same to a strategy.
                code = known.setdefault((type(value), value), len(different))
            except TypeError:  # a list, a dict
                code = len(different)
            if code == len(different):
                different.append(value)
            codes[i] = code
        return cls(tuple(different), codes)

    @classmethod
    def constant(cls, value: Any, n: int) -> Column:
        """Return `n` times the same value."""
        return cls((value,), np.zeros(n, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.values if self.codes is None else self.codes)

    def __getitem__(self, row: int) -> Any:
        if self.codes is not None:
            return self.values[self.codes[row]]
        value = self.values[row]
        return value.item() if isinstance(value, np.generic) else value

    def take(self, rows: Rows | slice) -> Column:
        """Return some rows."""
        if self.codes is not None:
            return Column(self.values, self.codes[rows])
        assert isinstance(self.values, np.ndarray)
        return Column(self.values[rows])

    def tolist(self) -> list[Any]:
        """Return the value of each row as a Python object."""
        if self.codes is None:
            return list(np.asarray(self.values).tolist())
        values = self.values
        return [values[code] for code in self.codes.tolist()]

    def numbers(self) -> npt.NDArray[Any] | None:
        """Return the rows as an array of bool, int64 or float64; None if they are of several types or no numbers."""
        if self.codes is None:
            return np.asarray(self.values)
        kinds = set(map(type, self.values))
        if len(kinds) != 1 or kinds.pop() not in (bool, int, float):
            return None
        array = np.array(self.values)
        # Beyond 64 bits numpy makes objects of them.
        return array[self.codes] if array.dtype in (np.bool_, np.int64, np.float64) else None

    def distinct(self) -> tuple[Sequence[Any], Rows]:
        """Return the different values as Python objects, and for each row the index of its value.

        A value that no row has may be among them.
        """
        if self.codes is not None:
            return tuple(self.values), self.codes
        different, codes = np.unique(self.values, return_inverse=True)
        return different.tolist(), codes

    def types(self) -> tuple[list[str], Rows | None]:
        """Return the names of the types that occur, and which one each row is of; None if there is just one."""
        if self.codes is None:
            return [_WORDS[np.asarray(self.values).dtype.kind]], None
        names = [type(value).__name__ for value in self.values]
        different = list(dict.fromkeys(names))
        if len(different) == 1:
            return different, None
        return different, np.array([different.index(name) for name in names], dtype=np.int64)[self.codes]


class SetTable(Sequence[dict[str, Any]]):
    """Hyper-parameter sets as columns, and a sequence of dictionaries that are made when they are asked for.

    Parameters
    ----------
    columns : mapping of str to Column
        All of one length.
    n : int
        That length: a strategy without hyper-parameters has none to tell it by.

    Examples
    --------
    >>> table = SetTable.of({"fast": [5, 10, 10], "source": "close"})
    >>> table[1], len(table)
    ({'fast': 10, 'source': 'close'}, 3)
    """

    def __init__(self, columns: Mapping[str, Column], n: int) -> None:
        self.columns = dict(columns)
        self.n = n

    @classmethod
    def of(
        cls,
        sets: SetTable | Sequence[Mapping[str, Any]] | Mapping[str, Any],
        defaults: Mapping[str, Any] | None = None,
    ) -> SetTable:
        """Return the table of a sequence of dictionaries, or of columns by name.

        Parameters
        ----------
        sets : sequence of mapping, or mapping
            One dictionary a set; or for each name a sequence with one value a set, or one value for all of them.
        defaults : mapping, optional
            Values of the names that `sets` leaves out; other names than these are refused.

        Raises
        ------
        SettingsError
            If a name is unknown or a dictionary lacks one.
        ShapeError
            If columns differ in length.
        """
        if isinstance(sets, SetTable):
            given, n = sets.columns, sets.n
        elif isinstance(sets, Mapping):
            given, n = _columns(sets)
        else:
            given, n = _rows(sets, defaults), len(sets)
        if defaults is None:
            return cls(given, n)
        for name in given:
            if name not in defaults:
                raise SettingsError(
                    f"there is no hyper-parameter {name!r}; there is {', '.join(defaults) or 'none'}."
                    f"{did_you_mean(name, defaults)}"
                )
        return cls({name: given.get(name) or Column.constant(value, n) for name, value in defaults.items()}, n)

    def __len__(self) -> int:
        return self.n

    @overload
    def __getitem__(self, row: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, row: slice) -> SetTable: ...
    def __getitem__(self, row: int | slice) -> dict[str, Any] | SetTable:
        if isinstance(row, slice):
            return self.take(row)
        if not -self.n <= row < self.n:
            raise IndexError(f"row {row} of {self.n} sets")
        return {name: column[row] for name, column in self.columns.items()}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for first in range(0, self.n, 1024):
            part = self.take(slice(first, first + 1024))
            names = list(part.columns)
            lists = [column.tolist() for column in part.columns.values()]
            if not names:
                yield from ({} for _ in range(part.n))
            for values in zip(*lists, strict=True):
                yield dict(zip(names, values, strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"SetTable({self.n:,} sets of {', '.join(self.columns) or 'nothing'})"

    def take(self, rows: Rows | slice) -> SetTable:
        """Return some rows."""
        n = len(range(*rows.indices(self.n))) if isinstance(rows, slice) else len(rows)
        return SetTable({name: column.take(rows) for name, column in self.columns.items()}, n)

    @staticmethod
    def concat(tables: Sequence[SetTable]) -> SetTable:
        """Return the rows of all tables, which have the same names."""
        if len(tables) == 1:
            return tables[0]
        columns = {}
        for name in tables[0].columns:
            parts = [table.columns[name] for table in tables]
            if all(part.codes is None for part in parts) and len({np.asarray(p.values).dtype for p in parts}) == 1:
                columns[name] = Column(np.concatenate([np.asarray(part.values) for part in parts]))
            elif all(part.codes is not None and part.values is parts[0].values for part in parts):
                columns[name] = Column(parts[0].values, np.concatenate([p.codes for p in parts if p.codes is not None]))
            else:
                columns[name] = Column.of([value for part in parts for value in part.tolist()])
        return SetTable(columns, sum(table.n for table in tables))

    def distinct(self, names: Sequence[str]) -> tuple[Rows, Rows]:
        """Return a row of each different combination of some hyper-parameters, and which one each row has.

        Returns
        -------
        representatives : ndarray of int64, shape (n_combinations,)
        codes : ndarray of int64, shape (n,)
        """
        combined: Rows = np.zeros(self.n, dtype=np.int64)
        size = 1
        for name in names:
            values, codes = self.columns[name].distinct()
            size *= len(values)
            combined = combined * len(values) + codes
            if size > 2**31:
                combined = np.unique(combined, return_inverse=True)[1]
                size = int(combined.max(initial=-1)) + 1
        if size == 1:
            return np.zeros(min(1, self.n), dtype=np.int64), combined
        if size <= 4 * self.n:
            # Counting is cheaper than sorting.
            row_of = np.full(size, -1, dtype=np.int64)
            row_of[combined[::-1]] = np.arange(self.n - 1, -1, -1)
            used = np.flatnonzero(row_of >= 0)
            number = np.empty(size, dtype=np.int64)
            number[used] = np.arange(len(used))
            return row_of[used], number[combined]
        _, first, inverse = np.unique(combined, return_index=True, return_inverse=True)
        return first, inverse

    def by_types(self) -> list[tuple[dict[str, Any], Rows | None]]:
        """Return groups of rows whose hyper-parameters have the same types, with one set of each.

        Returns
        -------
        list of (dict, ndarray or None)
            None stands for all rows.
        """
        if not self.n:
            return []
        combined: Rows = np.zeros(self.n, dtype=np.int64)
        mixed = False
        for column in self.columns.values():
            names, which = column.types()
            if which is not None:
                combined = combined * len(names) + which
                mixed = True
        if not mixed:
            return [(self[0], None)]
        _, first, inverse = np.unique(combined, return_index=True, return_inverse=True)
        order = np.argsort(first)
        return [(self[int(first[group])], np.flatnonzero(inverse == group)) for group in order]


def _columns(given: Mapping[str, Any]) -> tuple[dict[str, Column], int]:
    columns = {}
    for name, value in given.items():
        if isinstance(value, Column):
            columns[name] = value
        elif isinstance(value, list | tuple | range | np.ndarray):
            columns[name] = Column.of(value)
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ShapeError(f"wanted columns of one length; {', '.join(f'{key} has {n}' for key, n in lengths.items())}")
    n = next(iter(lengths.values()), 1)
    return {name: columns.get(name) or Column.constant(value, n) for name, value in given.items()}, n


def _rows(sets: Sequence[Mapping[str, Any]], defaults: Mapping[str, Any] | None) -> dict[str, Column]:
    if not len(sets):
        return {}
    fill = {} if defaults is None else defaults
    names = list(dict.fromkeys(itertools.chain.from_iterable(sets)))
    columns = {}
    for name in names:
        try:
            columns[name] = Column.of([each[name] if name in each else fill[name] for each in sets])
        except KeyError:
            known = ", ".join(fill) or "none"
            raise SettingsError(
                f"hyper-parameter {name!r} is not in every set, and has no default; there is {known}."
                f"{did_you_mean(name, fill)}"
            ) from None
    return columns
