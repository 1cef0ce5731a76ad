"""Which hyper-parameter sets a sweep runs: a grid, random sets, or a list."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fastbt.compiler.sets import Column
from fastbt.errors import SettingsError, did_you_mean

#: A space as users write it: Jesse's list, or by name a (min, max), (min, max, step), list of options or fixed value.
SpaceLike = Sequence[Mapping[str, Any]] | Mapping[str, Any]

#: Dimensions up to this size are kept as a list of their values.
_LISTED = 65_536


@dataclass(frozen=True)
class Dimension:
    """One hyper-parameter.

    Attributes
    ----------
    name : str
    type : str
        int, float or categorical.
    low, high : float
        Bounds, both included; meaningless for categorical.
    step : float or None
        Distance of grid values; None for a float without one.
    options : tuple
        Values of a categorical one.
    log : bool
        Whether equal ratios, not equal distances, are equally likely.
    """

    name: str
    type: str
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    options: tuple[Any, ...] = ()
    log: bool = False

    @classmethod
    def from_jesse(cls, declared: Mapping[str, Any]) -> Dimension:
        """Return the dimension of one entry of `hyperparameters()`.

        Beside Jesse's own keys: type bool, and log for int and float.

        Raises
        ------
        SettingsError
            If it lacks bounds or options, or they make no sense.
        """
        key = str(declared.get("name"))
        type_ = declared.get("type")
        word = type_ if isinstance(type_, str) else getattr(type_, "__name__", str(type_))
        if word == "bool":
            return cls(key, "categorical", options=tuple(declared.get("options", (False, True))))
        if word == "categorical" or (word not in ("int", "float") and "options" in declared):
            options = tuple(declared.get("options", ()))
            if not options:
                raise SettingsError(f"hyper-parameter {key!r}: a categorical one wants options; it has none")
            return cls(key, "categorical", options=options)
        if word not in ("int", "float"):
            raise SettingsError(f"hyper-parameter {key!r}: type wants int, float or 'categorical'; it was {type_!r}")
        for bound in ("min", "max"):
            if not isinstance(declared.get(bound), int | float) or not math.isfinite(declared[bound]):
                raise SettingsError(
                    f"hyper-parameter {key!r} wants a number for {bound!r}; it was {declared.get(bound)!r}"
                )
        low, high, step = declared["min"], declared["max"], declared.get("step")
        if low > high:
            raise SettingsError(f"hyper-parameter {key!r}: min {low} is above max {high}")
        if step is not None and not step > 0:
            raise SettingsError(f"hyper-parameter {key!r}: step wants a positive number; it was {step!r}")
        log = bool(declared.get("log", False))
        if log and not low > 0:
            raise SettingsError(f"hyper-parameter {key!r}: log wants a min above 0; it was {low}")
        if log and step is not None and (word == "float" or step != 1):
            raise SettingsError(f"hyper-parameter {key!r}: log and step do not go together")
        if word == "int":
            step = 1 if step is None else step
        return cls(key, word, low, high, step, log=log)

    @property
    def size(self) -> int | None:
        """Number of grid values; None if there is no grid."""
        if self.type == "categorical":
            return len(self.options)
        if self.step is None:
            return 1 if self.low == self.high else None
        # As Jesse counts them: floor, with room for binary fractions like 0.3 / 0.1.
        return math.floor((self.high - self.low) / self.step + 1e-9) + 1

    def value(self, index: int) -> Any:
        """Return the grid value of this index."""
        if self.type == "categorical":
            return self.options[index]
        raw = self.low + index * (self.step or 0)
        if self.type == "int":
            return int(raw)
        # 0.1 + 2 * 0.1 is meant to be 0.3.
        return float(round(raw, 12))

    def column(self, indices: npt.NDArray[np.int64]) -> Column:
        """Return the grid values of indices."""
        size = self.size
        assert size is not None
        if self.type == "categorical":
            return Column(self.options, indices)
        if size <= _LISTED:
            return Column(_grid_values(self), indices)
        if self.type == "int":
            low, step = int(self.low), self.step or 0
            if self.low == low and step == int(step):
                return Column(low + indices * int(step))
        return Column.of([self.value(index) for index in indices.tolist()])

    def indices_at(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.int64] | None:
        """Return indices of grid values at points of [0, 1), equally likely unless `log`; None if there is no grid."""
        size = self.size
        if size is None:
            return None
        if self.log and size > 1:
            # Each whole number has the part of the scale up to the next one.
            low, high = math.log(self.low), math.log(self.high + 1)
            whole = np.floor(np.exp(low + points * (high - low))).astype(np.int64)
            clipped: npt.NDArray[np.int64] = np.clip(whole - int(self.low), 0, size - 1)
            return clipped
        return np.minimum((points * size).astype(np.int64), size - 1)

    def column_at(self, points: npt.NDArray[np.float64]) -> Column:
        """Return values at points of [0, 1)."""
        indices = self.indices_at(points)
        if indices is not None:
            return self.column(indices)
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            return Column(np.clip(np.exp(low + points * (high - low)), self.low, self.high))
        return Column(np.clip(self.low + points * (self.high - self.low), self.low, self.high))

    def to_dict(self) -> dict[str, Any]:
        """Return what declares this dimension, for a manifest."""
        if self.type == "categorical":
            return {"name": self.name, "type": self.type, "options": list(self.options)}
        about: dict[str, Any] = {"name": self.name, "type": self.type, "min": self.low, "max": self.high}
        if self.step is not None:
            about["step"] = self.step
        return about | ({"log": True} if self.log else {})


@lru_cache(maxsize=256)
def _grid_values(dimension: Dimension) -> tuple[Any, ...]:
    return tuple(dimension.value(index) for index in range(dimension.size or 0))


@dataclass(frozen=True)
class Space:
    """A space of hyper-parameter sets.

    Examples
    --------
    >>> space = Space.of({"fast": (5, 15, 5), "source": ["close", "hl2"], "slow": 50})
    >>> space.size
    6
    >>> list(space.grid())[:2]
    [{'fast': 5, 'source': 'close', 'slow': 50}, {'fast': 5, 'source': 'hl2', 'slow': 50}]
    """

    dimensions: tuple[Dimension, ...]

    @classmethod
    def of(cls, space: SpaceLike | Space) -> Space:
        """Return the space of Jesse's list or of a mapping.

        Raises
        ------
        SettingsError
            If a dimension makes no sense or comes twice.
        """
        if isinstance(space, Space):
            return space
        if isinstance(space, Mapping):
            return cls(tuple(_dimension(key, value) for key, value in space.items()))
        dimensions = tuple(Dimension.from_jesse(each) for each in space)
        names = [each.name for each in dimensions]
        for name in names:
            if names.count(name) > 1:
                raise SettingsError(f"a space wants each hyper-parameter once; {name!r} came twice")
        return cls(dimensions)

    @property
    def size(self) -> int | None:
        """Number of sets in the grid; None if a dimension has no step."""
        sizes = [each.size for each in self.dimensions]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    def grid(self) -> Iterator[dict[str, Any]]:
        """Yield all sets of the grid, the last dimension fastest.

        Raises
        ------
        SettingsError
            If a dimension has no step.
        """
        from fastbt.sweep.sampling import Grid

        yield from Grid(self)

    def random(self, n: int, seed: int = 0) -> list[dict[str, Any]]:
        """Return `n` random sets; different ones, and so no more than a grid has."""
        return list(draw(self, n=n, seed=seed))

    def check_names(self, known: Sequence[str]) -> None:
        """Raise SettingsError if a dimension is no hyper-parameter of the strategy."""
        for each in self.dimensions:
            if each.name not in known:
                hint = did_you_mean(each.name, known)
                raise SettingsError(
                    f"the strategy has no hyper-parameter {each.name!r}; it has {', '.join(known) or 'none'}.{hint}"
                )

    def to_list(self) -> list[dict[str, Any]]:
        """Return what declares this space, for a manifest."""
        return [each.to_dict() for each in self.dimensions]


def draw(space: Space, *, n: int, seed: int) -> Sequence[dict[str, Any]]:
    """Return random sets; see `fastbt.sweep.sampling`."""
    from fastbt.sweep.sampling import source_of

    source = source_of(space, n=n, seed=seed)
    return source.table(0, len(source))


def _dimension(key: str, value: Any) -> Dimension:
    """Return the dimension of one entry of a mapping."""
    if isinstance(value, tuple) and len(value) in (2, 3) and all(_is_number(each) for each in value):
        whole = all(isinstance(each, int) for each in value)
        step = value[2] if len(value) == 3 else None
        declared = {"name": key, "type": "int" if whole else "float", "min": value[0], "max": value[1], "step": step}
        return Dimension.from_jesse(declared)
    if isinstance(value, list | tuple | range):
        return Dimension.from_jesse({"name": key, "type": "categorical", "options": list(value)})
    if isinstance(value, Mapping):
        return Dimension.from_jesse({"name": key, **value})
    return Dimension(key, "categorical", options=(value,))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
