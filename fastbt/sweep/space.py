"""Which hyper-parameter sets a sweep runs: a grid, random sets, or a list."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbt.errors import SettingsError, did_you_mean

#: A space as users write it: Jesse's list, or by name a (min, max), (min, max, step), list of options or fixed value.
SpaceLike = Sequence[Mapping[str, Any]] | Mapping[str, Any]

#: Largest grid that is written out.
MAX_GRID = 10_000_000


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
    """

    name: str
    type: str
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    options: tuple[Any, ...] = ()

    @classmethod
    def from_jesse(cls, declared: Mapping[str, Any]) -> Dimension:
        """Return the dimension of one entry of `hyperparameters()`.

        Raises
        ------
        SettingsError
            If it lacks bounds or options, or they make no sense.
        """
        key = str(declared.get("name"))
        type_ = declared.get("type")
        word = type_ if isinstance(type_, str) else getattr(type_, "__name__", str(type_))
        if word == "categorical" or (word not in ("int", "float") and "options" in declared):
            options = tuple(declared.get("options", ()))
            if not options:
                raise SettingsError(f"hyper-parameter {key!r}: a categorical one wants options; it has none")
            return cls(key, "categorical", options=options)
        if word not in ("int", "float"):
            raise SettingsError(f"hyper-parameter {key!r}: type wants int, float or 'categorical'; it was {type_!r}")
        for bound in ("min", "max"):
            if not isinstance(declared.get(bound), int | float):
                raise SettingsError(
                    f"hyper-parameter {key!r} wants a number for {bound!r}; it was {declared.get(bound)!r}"
                )
        low, high, step = declared["min"], declared["max"], declared.get("step")
        if low > high:
            raise SettingsError(f"hyper-parameter {key!r}: min {low} is above max {high}")
        if step is not None and not step > 0:
            raise SettingsError(f"hyper-parameter {key!r}: step wants a positive number; it was {step!r}")
        if word == "int":
            step = 1 if step is None else step
        return cls(key, word, low, high, step)

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

    def sample(self, generator: np.random.Generator) -> Any:
        """Return a random value, uniform over the grid or the interval."""
        size = self.size
        if size is not None:
            return self.value(int(generator.integers(size)))
        return float(generator.uniform(self.low, self.high))


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
    def of(cls, space: SpaceLike) -> Space:
        """Return the space of Jesse's list or of a mapping.

        Raises
        ------
        SettingsError
            If a dimension makes no sense.
        """
        if isinstance(space, Mapping):
            return cls(tuple(_dimension(key, value) for key, value in space.items()))
        return cls(tuple(Dimension.from_jesse(each) for each in space))

    @property
    def size(self) -> int | None:
        """Number of sets in the grid; None if a dimension has no step."""
        sizes = [each.size for each in self.dimensions]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    def grid(self) -> Iterator[dict[str, Any]]:
        """Yield every set, the last dimension fastest.

        Raises
        ------
        SettingsError
            If a float has no step.
        """
        for each in self.dimensions:
            if each.size is None:
                raise SettingsError(
                    f"hyper-parameter {each.name!r} is a float without a step, so there is no grid; give it a step, or "
                    "ask for n random sets"
                )
        names = [each.name for each in self.dimensions]
        values = [[each.value(i) for i in range(each.size or 0)] for each in self.dimensions]
        for combination in itertools.product(*values):
            yield dict(zip(names, combination, strict=True))

    def random(self, n: int, seed: int = 0) -> list[dict[str, Any]]:
        """Return `n` sets drawn uniformly and independently, the same for the same seed.

        Examples
        --------
        >>> Space.of({"period": (5, 50)}).random(3, seed=1) == Space.of({"period": (5, 50)}).random(3, seed=1)
        True
        """
        if n < 1:
            raise SettingsError(f"n wants a whole number from 1; it was {n}")
        generator = np.random.default_rng(seed)
        return [{each.name: each.sample(generator) for each in self.dimensions} for _ in range(n)]

    def check_names(self, known: Sequence[str]) -> None:
        """Raise SettingsError if a dimension is no hyper-parameter of the strategy."""
        for each in self.dimensions:
            if each.name not in known:
                hint = did_you_mean(each.name, known)
                raise SettingsError(
                    f"the strategy has no hyper-parameter {each.name!r}; it has {', '.join(known) or 'none'}.{hint}"
                )

    def sets(self, n: int | None, seed: int) -> list[dict[str, Any]]:
        """Return the whole grid, or `n` random sets."""
        if n is not None:
            return self.random(n, seed)
        size = self.size
        if size is not None and size > MAX_GRID:
            raise SettingsError(f"the grid has {size:,} sets, more than {MAX_GRID:,}; ask for n random ones")
        return list(self.grid())


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
