"""Where the sets of a search come from: asked for in batches, told what became of them, kept in memory.

A sampler follows from its seed and what it was told: told the same again it proposes the same again, which is how a
search goes on after an interruption.
"""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastbt.errors import SettingsError, did_you_mean
from fastbt.sweep.constraints import Constraint
from fastbt.sweep.sampling import SetSource, source_of
from fastbt.sweep.space import Space

#: Samplers by name, and the batch that suits each: a generation, or as many as need not know of each other.
SAMPLERS: Final[dict[str, int]] = {
    "tpe": 16,
    "cmaes": 16,
    "nsga2": 24,
    "nsga3": 24,
    "gp": 4,
    "qmc": 1024,
    "halton": 1024,
    "random": 1024,
    "grid": 1024,
}
_OPTUNA: Final = frozenset({"tpe", "cmaes", "nsga2", "nsga3", "gp"})


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a set: values of the objectives, or None if it failed or makes no sense.

    Attributes
    ----------
    values : tuple of float or None
    violations : tuple of float
        By how much it misses each requirement; above 0 is too much.
    repeated : bool
        Whether the set was proposed before.
    """

    values: tuple[float, ...] | None
    violations: tuple[float, ...] = ()
    repeated: bool = False

    @property
    def feasible(self) -> bool:
        """Whether it has values and meets the requirements."""
        return self.values is not None and all(each <= 0 for each in self.violations)


class Sampler(ABC):
    """Proposes sets of the varied hyper-parameters."""

    @abstractmethod
    def ask(self, n: int) -> list[dict[str, Any]]:
        """Return up to `n` sets; fewer only if there are no more."""

    @abstractmethod
    def tell(self, outcomes: Sequence[Told]) -> None:
        """Tell what became of the sets that were asked for last, in their order."""

    def begins_with(self, known: Mapping[str, Any]) -> bool:
        """Tell whether a set that was given to begin with is among the first that are asked for."""
        return False


class SourceSampler(Sampler):
    """Sets of a grid or a sequence of random numbers: no two are equal, and all satisfy the constraints."""

    def __init__(self, source: SetSource, names: Sequence[str]) -> None:
        self._source, self._names, self._next = source, list(names), 0

    def ask(self, n: int) -> list[dict[str, Any]]:
        """Return the next sets."""
        last = min(self._next + n, len(self._source))
        table = self._source.table(self._next, last)
        self._next = last
        return [{name: each[name] for name in self._names} for each in table]

    def tell(self, outcomes: Sequence[Told]) -> None:
        """Do nothing: what comes next does not depend on it."""


def check_sampler(name: str, n_objectives: int = 1) -> None:
    """Refuse a sampler that is not known, not installed, or not for so many objectives.

    Raises
    ------
    SettingsError
    """
    if name not in SAMPLERS:
        raise SettingsError(f"sampler wants {', '.join(SAMPLERS)}; it was {name!r}.{did_you_mean(str(name), SAMPLERS)}")
    if name == "gp" and importlib.util.find_spec("torch") is None:
        raise SettingsError("the sampler 'gp' needs PyTorch, which is not installed; take tpe, or install torch")
    if name == "cmaes":
        if n_objectives > 1:
            raise SettingsError("the sampler 'cmaes' knows one metric; for several take nsga2, nsga3 or tpe")
        if importlib.util.find_spec("cmaes") is None:
            raise SettingsError("the sampler 'cmaes' needs the package cmaes, which is not installed")


def make_sampler(
    name: str,
    space: Space,
    maximize: Sequence[bool],
    *,
    n: int,
    seed: int = 0,
    batch: int | None = None,
    population: int | None = None,
    constraints: Sequence[Constraint] = (),
    fixed: Mapping[str, Any] | None = None,
    n_requirements: int = 0,
    known: Sequence[Mapping[str, Any]] = (),
) -> Sampler:
    """Return a sampler by name.

    Parameters
    ----------
    name : str
        One of `SAMPLERS`.
    space : Space
        What varies.
    maximize : sequence of bool
        One for each objective.
    n : int
        How many sets will be asked for, at most.
    seed : int
    batch, population : int, optional
        What suits the sampler if left out.
    constraints : sequence of Constraint
        On hyper-parameters. Random, quasi-random and grid samplers propose only sets that satisfy them; for the others
        such a set is a trial that makes no sense.
    fixed : mapping, optional
        All hyper-parameters with their values where they do not vary, which the constraints may read.
    n_requirements : int
    known : sequence of mapping
        Sets that Optuna's samplers begin with, as far as they lie in the space.

    Examples
    --------
    >>> sampler = make_sampler("nsga2", Space.of({"a": (1, 9), "b": (0.0, 1.0, 0.25)}), [True], n=10, seed=1, batch=4)
    >>> asked = sampler.ask(4)
    >>> sampler.tell([Told((float(each["a"]),)) for each in asked])
    >>> len(asked), all(each["b"] in (0.0, 0.25, 0.5, 0.75, 1.0) for each in asked)
    (4, True)
    """
    check_sampler(name, len(maximize))
    if name in _OPTUNA:
        from fastbt.search.optuna_sampler import CmaEsSampler, OptunaSampler

        return (CmaEsSampler if name == "cmaes" else OptunaSampler)(
            name,
            space,
            maximize,
            seed=seed,
            batch=batch or SAMPLERS[name],
            population=population,
            n_requirements=n_requirements,
            known=known,
        )
    names = [each.name for each in space.dimensions]
    sampling = {"qmc": "sobol", "halton": "halton"}.get(name, "random")
    # A grid knows its sets by their number, so the last of n sets costs no more than the first.
    source = source_of(
        space,
        n=None if name == "grid" else n,
        seed=seed,
        sampling=sampling,
        constraints=constraints,
        fixed=fixed,
    )
    return SourceSampler(source, names)
