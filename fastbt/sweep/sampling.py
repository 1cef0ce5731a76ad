"""Which sets of a space are run, and in which order: any part of them at a time, never all of them at once.

A set is told by its number. A grid takes numbers apart (unravelling), random sets of a grid go through a permutation of
its numbers, and everything else is drawn in blocks that can be drawn again: so a grid of 10^9 sets takes no memory, and
a sweep that goes on after an interruption sees the same sets.
"""

from __future__ import annotations

import hashlib
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, overload

import numpy as np
import numpy.typing as npt

from fastbt.compiler.sets import Column, Rows, SetTable
from fastbt.errors import SettingsError, did_you_mean
from fastbt.sweep.constraints import Constraint, satisfied
from fastbt.sweep.space import Dimension, Space
from fastbt.types import JsonDict

SAMPLINGS: Final = ("random", "sobol", "halton")

#: Combinations of hyper-parameters under common constraints that are listed.
_LISTED: Final = 4_000_000
#: Candidates that are drawn at once; a power of two, as Sobol's sequence wants it.
_BLOCK: Final = 4096
#: So many candidates in a row without a set end the search for one.
_PATIENCE: Final = 2**20
#: Grids up to this size have numbers that fit into int64 with room to spare.
_COUNTABLE: Final = 2**62


class SetSource(ABC, Sequence[dict[str, Any]]):
    """A sequence of parameter sets of which any part can be had as a table."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def table(self, first: int, last: int) -> SetTable:
        """Return the sets [first, last)."""

    @abstractmethod
    def to_dict(self) -> JsonDict:
        """Return what tells these sets from others, for a manifest."""

    @abstractmethod
    def types(self) -> dict[str, frozenset[str]]:
        """Return for each hyper-parameter the names of the types that its values have."""

    @overload
    def __getitem__(self, row: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, row: slice) -> SetTable: ...
    def __getitem__(self, row: int | slice) -> dict[str, Any] | SetTable:
        if isinstance(row, slice):
            first, last, step = row.indices(len(self))
            return self.table(first, max(first, last))[::step] if step > 0 else self.table(0, len(self))[row]
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of {len(self)} sets")
        row %= len(self)
        return self.table(row, row + 1)[0]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for first in range(0, len(self), _BLOCK):
            yield from self.table(first, min(first + _BLOCK, len(self)))


class Given(SetSource):
    """Sets that somebody else has chosen."""

    def __init__(self, table: SetTable) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def table(self, first: int, last: int) -> SetTable:
        """Return the sets [first, last)."""
        return self._table if (first, last) == (0, len(self._table)) else self._table.take(slice(first, last))

    def types(self) -> dict[str, frozenset[str]]:
        """Return for each hyper-parameter the names of the types that its values have."""
        return {name: frozenset(column.types()[0]) for name, column in self._table.columns.items()}

    def to_dict(self) -> JsonDict:
        """Return a hash of all of them."""
        digest = hashlib.sha256()
        for each in self._table:
            digest.update(repr(each).encode())
        return {"sampling": "given", "sha256": digest.hexdigest()}


@dataclass(frozen=True)
class _Axis:
    """Hyper-parameters that vary together: one, or several that a constraint ties."""

    dimensions: tuple[Dimension, ...]
    #: The combinations that satisfy the constraints, as grid indices; None if all do.
    allowed: npt.NDArray[np.int64] | None = None

    @property
    def size(self) -> int:
        if self.allowed is not None:
            return len(self.allowed)
        size = self.dimensions[0].size
        assert size is not None
        return size

    def columns(self, indices: Rows) -> dict[str, Column]:
        if self.allowed is None:
            return {self.dimensions[0].name: self.dimensions[0].column(indices)}
        chosen = self.allowed[indices]
        return {each.name: each.column(chosen[:, i]) for i, each in enumerate(self.dimensions)}


class Grid(SetSource):
    """Every set of a grid that satisfies the constraints, the last hyper-parameter fastest.

    Parameters
    ----------
    space : Space
    constraints : sequence of Constraint
    fixed : mapping, optional
        Hyper-parameters that do not vary; the sets have the names of this mapping in its order.

    Attributes
    ----------
    size : int
        How many sets there are; `len()` cannot tell more than 2^63.

    Raises
    ------
    SettingsError
        If a dimension has no step, a constraint ties too many combinations to list them, or no set satisfies all.

    Examples
    --------
    >>> grid = Grid(Space.of({"fast": (1, 1000), "slow": (1, 1000), "x": (1, 1000)}), [Constraint("fast < slow")])
    >>> grid.size
    499500000
    >>> grid.table(7, 8)[0]
    {'fast': 1, 'slow': 2, 'x': 8}
    """

    def __init__(
        self, space: Space, constraints: Sequence[Constraint] = (), fixed: Mapping[str, Any] | None = None
    ) -> None:
        self.space, self.constraints = space, tuple(constraints)
        self.fixed = dict(fixed or {})
        for each in space.dimensions:
            if each.size is None:
                raise SettingsError(
                    f"hyper-parameter {each.name!r} is a float without a step, so there is no grid; give it a step, or "
                    "ask for n random sets"
                )
        self._axes = self._tied()
        self.size = math.prod(axis.size for axis in self._axes)
        if not self.size:
            raise SettingsError(f"no set of the grid satisfies {_quoted(self.constraints)}")

    def __len__(self) -> int:
        return min(self.size, 2**63 - 1)

    def _tied(self) -> list[_Axis]:
        """Return the axes: hyper-parameters that constraints tie together share one, where the first of them stands."""
        dimensions = {each.name: each for each in self.space.dimensions}
        groups: list[tuple[set[str], list[Constraint]]] = []
        for constraint in self.constraints:
            names = {name for name in constraint.names if name in dimensions}
            mine = [constraint]
            for group in [group for group in groups if group[0] & names]:
                groups.remove(group)
                names |= group[0]
                mine = [*group[1], *mine]
            groups.append((names, mine))
        axes, done = [], set()
        for name, dimension in dimensions.items():
            if name in done:
                continue
            tied = next(((names, mine) for names, mine in groups if name in names), None)
            if tied is None:
                axes.append(_Axis((dimension,)))
                continue
            done |= tied[0]
            axes.append(self._axis([each for each in self.space.dimensions if each.name in tied[0]], tied[1]))
        return axes

    def _axis(self, dimensions: list[Dimension], constraints: list[Constraint]) -> _Axis:
        sizes = [each.size or 0 for each in dimensions]
        total = math.prod(sizes)
        if total > _LISTED:
            raise SettingsError(
                f"{_quoted(constraints)} ties {total:,} combinations of {', '.join(d.name for d in dimensions)}, more "
                f"than the {_LISTED:,} that can be listed; ask for n random sets"
            )
        indices = np.unravel_index(np.arange(total), sizes)
        columns = {each.name: each.column(at.astype(np.int64)) for each, at in zip(dimensions, indices, strict=True)}
        kept = satisfied(constraints, self._complete(columns, total))
        if not kept.any():
            raise SettingsError(f"no set of the grid satisfies {_quoted(constraints)}")
        return _Axis(tuple(dimensions), np.column_stack([at[kept] for at in indices]))

    def _complete(self, columns: Mapping[str, Column], n: int) -> SetTable:
        """Return a table with the hyper-parameters that do not vary."""
        names = self.fixed or dict.fromkeys(each.name for each in self.space.dimensions)
        return SetTable(
            {name: columns[name] if name in columns else Column.constant(self.fixed.get(name), n) for name in names}, n
        )

    def at(self, numbers: npt.NDArray[Any]) -> SetTable:
        """Return the sets of these numbers."""
        columns: dict[str, Column] = {}
        rest = numbers
        for axis in reversed(self._axes):
            columns |= axis.columns((rest % axis.size).astype(np.int64))
            rest = rest // axis.size
        ordered = {each.name: columns[each.name] for each in self.space.dimensions}
        return self._complete(ordered, len(numbers))

    def table(self, first: int, last: int) -> SetTable:
        """Return the sets [first, last)."""
        if last < _COUNTABLE:
            return self.at(np.arange(first, last, dtype=np.int64))
        return self.at(np.array(range(first, last), dtype=object))

    def types(self) -> dict[str, frozenset[str]]:
        """Return for each hyper-parameter the names of the types that its values have."""
        return _types(self.space, self.fixed)

    def to_dict(self) -> JsonDict:
        """Return the space and its constraints."""
        return {"sampling": "grid", **_about(self.space, self.constraints, self.fixed)}


class Shuffled(SetSource):
    """Random sets of a grid, each at most once.

    Parameters
    ----------
    grid : Grid
        Of less than 2^62 sets.
    n : int
        How many; all of the grid if it has no more.
    seed : int
    """

    def __init__(self, grid: Grid, n: int, seed: int) -> None:
        self.grid, self._n, self._seed = grid, min(n, grid.size), seed
        half = max(1, -(-(grid.size - 1).bit_length() // 2))
        self._half, self._mask = np.uint64(half), np.uint64(2**half - 1)
        words = np.random.SeedSequence(seed).generate_state(6, np.uint64)
        self._keys = [np.uint64(word) for word in words]

    def __len__(self) -> int:
        return self._n

    def _permuted(self, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Return each number's place in a permutation of [0, 4^half): a Feistel network, which has an inverse."""
        left, right = numbers >> self._half, numbers & self._mask
        for key in self._keys:
            mixed = (right ^ key) * np.uint64(0x9E3779B97F4A7C15)
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            left, right = right, left ^ ((mixed ^ (mixed >> np.uint64(31))) & self._mask)
        return (left << self._half) | right

    def table(self, first: int, last: int) -> SetTable:
        """Return the sets [first, last)."""
        numbers = self._permuted(np.arange(first, last, dtype=np.uint64))
        # Places outside the grid are walked on from, until all are inside: still a permutation.
        while len(outside := np.flatnonzero(numbers >= self.grid.size)):
            numbers[outside] = self._permuted(numbers[outside])
        return self.grid.at(numbers.astype(np.int64))

    def types(self) -> dict[str, frozenset[str]]:
        """Return for each hyper-parameter the names of the types that its values have."""
        return self.grid.types()

    def to_dict(self) -> JsonDict:
        """Return space, constraints and seed."""
        return {**self.grid.to_dict(), "sampling": "random", "n": self._n, "seed": self._seed}


class _Seen:
    """Numbers that were seen, in sorted arrays of doubling length."""

    def __init__(self) -> None:
        self._levels: list[npt.NDArray[np.int64]] = []

    def new(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which numbers come for the first time, and remember them."""
        fresh = np.zeros(len(numbers), dtype=np.bool_)
        fresh[np.unique(numbers, return_index=True)[1]] = True
        for level in self._levels:
            at = np.minimum(np.searchsorted(level, numbers), len(level) - 1)
            fresh &= level[at] != numbers
        latest = np.sort(numbers[fresh])
        while self._levels and len(self._levels[-1]) <= len(latest):
            latest = np.sort(np.concatenate([self._levels.pop(), latest]))
        if len(latest):
            self._levels.append(latest)
        return fresh


class Drawn(SetSource):
    """Random or quasi-random sets, drawn in blocks; those that break a constraint or were drawn before are left out.

    Parameters
    ----------
    space : Space
    n : int
    seed : int
    sampling : {"random", "sobol", "halton"}
    constraints : sequence of Constraint
    fixed : mapping, optional
        As for `Grid`.

    Raises
    ------
    SettingsError
        If a million candidates in a row give no new set.
    """

    def __init__(
        self,
        space: Space,
        n: int,
        seed: int,
        sampling: str = "random",
        constraints: Sequence[Constraint] = (),
        fixed: Mapping[str, Any] | None = None,
    ) -> None:
        self.space, self._n, self._seed, self._sampling = space, n, seed, sampling
        self.constraints, self.fixed = tuple(constraints), dict(fixed or {})
        self._engine: Any = None
        self._engine_at = 0
        self._last: tuple[int, SetTable, npt.NDArray[np.float64]] | None = None
        size = space.size
        self._sizes = None if size is None or size >= _COUNTABLE else [each.size or 1 for each in space.dimensions]
        self._seen = _Seen()
        #: Of each block which candidates are sets, as bits, and how many sets the blocks before it have.
        self._kept: list[npt.NDArray[np.uint8]] = []
        self._before: list[int] = [0]
        self._extend(n)
        self._seen = _Seen()

    def __len__(self) -> int:
        return self._n

    def _points(self, block: int) -> npt.NDArray[np.float64]:
        """Return the candidates of a block in the unit cube."""
        d = max(1, len(self.space.dimensions))
        if self._sampling == "random":
            # The block is in the high word of the counter: blocks do not overlap.
            bits = np.random.Philox(key=np.random.SeedSequence(self._seed).generate_state(2, np.uint64))
            bits.state = {**bits.state, "state": {**bits.state["state"], "counter": np.array([0, 0, 0, block], "u8")}}
            return np.random.Generator(bits).random((_BLOCK, d))
        if self._engine is None or self._engine_at > block:
            self._engine, self._engine_at = _qmc_engine(self._sampling, d, self._seed), 0
        if self._engine_at < block:
            self._engine.fast_forward((block - self._engine_at) * _BLOCK)
        self._engine_at = block + 1
        points: npt.NDArray[np.float64] = self._engine.random(_BLOCK)
        return points

    def _candidates(self, block: int) -> tuple[SetTable, npt.NDArray[np.float64]]:
        if self._last is not None and self._last[0] == block:
            return self._last[1:]
        points = self._points(block)
        columns = {each.name: each.column_at(points[:, i]) for i, each in enumerate(self.space.dimensions)}
        names = self.fixed or dict.fromkeys(columns)
        whole = {
            name: columns[name] if name in columns else Column.constant(self.fixed[name], _BLOCK) for name in names
        }
        self._last = block, SetTable(whole, _BLOCK), points
        return self._last[1:]

    def _extend(self, n: int) -> None:
        """Draw blocks until there are `n` sets."""
        since = 0
        while self._before[-1] < n:
            table, points = self._candidates(len(self._kept))
            kept = satisfied(self.constraints, table)
            if self._sizes is not None:
                numbers: Rows = np.zeros(_BLOCK, dtype=np.int64)
                for i, each in enumerate(self.space.dimensions):
                    indices = each.indices_at(points[:, i])
                    assert indices is not None
                    numbers = numbers * self._sizes[i] + indices
                kept[kept] = self._seen.new(numbers[kept])
            found = int(np.count_nonzero(kept))
            self._kept.append(np.packbits(kept))
            self._before.append(self._before[-1] + found)
            since = 0 if found else since + _BLOCK
            if since >= _PATIENCE:
                self._give_up(n)

    def _give_up(self, n: int) -> None:
        have = self._before[-1]
        if not have:
            raise SettingsError(
                f"no set satisfies {_quoted(self.constraints)}: {len(self._kept) * _BLOCK:,} were tried"
            )
        raise SettingsError(
            f"wanted {n:,} different sets; only {have:,} were found among {len(self._kept) * _BLOCK:,} candidates. Ask "
            "for fewer, or for the whole grid"
        )

    def table(self, first: int, last: int) -> SetTable:
        """Return the sets [first, last)."""
        parts = []
        block = int(np.searchsorted(self._before, first, side="right")) - 1
        while first < last:
            rows = np.flatnonzero(np.unpackbits(self._kept[block], count=_BLOCK))
            start = self._before[block]
            chosen = rows[first - start : last - start]
            if len(chosen):
                parts.append(self._candidates(block)[0].take(chosen))
            first += len(chosen)
            block += 1
        if not parts:
            return self._candidates(0)[0].take(np.zeros(0, dtype=np.int64))
        return SetTable.concat(parts)

    def types(self) -> dict[str, frozenset[str]]:
        """Return for each hyper-parameter the names of the types that its values have."""
        return _types(self.space, self.fixed)

    def to_dict(self) -> JsonDict:
        """Return space, constraints, sampling and seed."""
        about = _about(self.space, self.constraints, self.fixed)
        return {"sampling": self._sampling, **about, "n": self._n, "seed": self._seed}


def _types(space: Space, fixed: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    found = {name: frozenset({type(value).__name__}) for name, value in fixed.items()}
    for each in space.dimensions:
        options = frozenset(type(value).__name__ for value in each.options)
        found[each.name] = options if each.type == "categorical" else frozenset({each.type})
    return found


def _qmc_engine(name: str, d: int, seed: int) -> Any:
    from scipy.stats import qmc

    engine = {"sobol": qmc.Sobol, "halton": qmc.Halton}[name]
    # Named seed until scipy 1.15.
    word = "rng" if "rng" in inspect.signature(engine).parameters else "seed"
    return engine(d, scramble=True, **{word: np.random.default_rng(seed)})


def _quoted(constraints: Sequence[Constraint]) -> str:
    return " and ".join(repr(each.text) for each in constraints) or "the space"


def _about(space: Space, constraints: Sequence[Constraint], fixed: Mapping[str, Any]) -> JsonDict:
    varied = {each.name for each in space.dimensions}
    return {
        "space": space.to_list(),
        "constraints": [each.text for each in constraints],
        "fixed": {name: value for name, value in fixed.items() if name not in varied},
    }


def _check_fixed(space: Space, constraints: Sequence[Constraint], fixed: Mapping[str, Any]) -> None:
    """Refuse a constraint that no set can satisfy, as nothing that it reads varies."""
    varied = {each.name for each in space.dimensions}
    for each in constraints:
        if not varied.intersection(each.names) and not each.holds(SetTable.of([fixed]))[0]:
            values = ", ".join(f"{name}={fixed[name]!r}" for name in each.names)
            raise SettingsError(f"no set satisfies {each.text!r}: nothing that it reads varies: {values}")


def source_of(
    space: Space,
    *,
    n: int | None = None,
    seed: int = 0,
    sampling: str = "random",
    constraints: Sequence[Constraint] = (),
    fixed: Mapping[str, Any] | None = None,
) -> SetSource:
    """Return the sets of a space that are run.

    Parameters
    ----------
    space : Space
    n : int, optional
        How many sets are drawn, no two of them equal; the whole grid if left out, or if it has no more.
    seed : int
    sampling : {"random", "sobol", "halton"}
        How they are drawn.
    constraints : sequence of Constraint
    fixed : mapping, optional
        Hyper-parameters that do not vary; the sets have the names of this mapping in its order.

    Raises
    ------
    SettingsError
        If an argument makes no sense, there is no grid where one is wanted, or too few sets satisfy the constraints.

    Examples
    --------
    >>> space = Space.of({"fast": (5, 30), "slow": (10, 100), "ratio": (0.1, 0.9)})
    >>> source = source_of(space, n=1000, sampling="sobol", constraints=[Constraint("fast < slow")])
    >>> len(source), all(each["fast"] < each["slow"] for each in source)
    (1000, True)
    """
    if sampling not in SAMPLINGS:
        raise SettingsError(
            f"sampling wants {', '.join(SAMPLINGS)}; it was {sampling!r}.{did_you_mean(str(sampling), SAMPLINGS)}"
        )
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise SettingsError(f"seed wants a whole number from 0; it was {seed!r}")
    if n is None:
        _check_fixed(space, constraints, fixed or {})
        return Grid(space, constraints, fixed)
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise SettingsError(f"n wants a whole number from 1; it was {n!r}")
    _check_fixed(space, constraints, fixed or {})
    grid = None
    if space.size is not None:
        try:
            grid = Grid(space, constraints, fixed)
        except SettingsError as error:
            if "can be listed" not in str(error):
                raise
    if grid is not None and n >= grid.size:
        return grid
    if grid is not None and grid.size < _COUNTABLE and sampling == "random":
        if not any(each.log and (each.size or 2) > 1 for each in space.dimensions):
            return Shuffled(grid, n, seed)
    return Drawn(space, n, seed, sampling, constraints, fixed)
