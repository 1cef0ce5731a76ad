"""Where the sets of a search come from: asked for in batches, told what became of them, kept in memory.

A sampler follows from its seed and what it was told: told the same again it proposes the same again, which is how a
search goes on after an interruption.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from fastbt.errors import SettingsError, did_you_mean
from fastbt.sweep.constraints import Constraint
from fastbt.sweep.sampling import SetSource, source_of
from fastbt.sweep.space import Dimension, Space

if TYPE_CHECKING:
    import optuna

#: Samplers by name, and the batch that suits each: a generation, or as many as need not know of each other.
SAMPLERS: Final[dict[str, int]] = {
    "tpe": 16,
    "cmaes": 24,
    "nsga2": 50,
    "nsga3": 50,
    "gp": 4,
    "qmc": 1024,
    "halton": 1024,
    "random": 1024,
    "grid": 1024,
}
_OPTUNA: Final = frozenset({"tpe", "cmaes", "nsga2", "nsga3", "gp"})
#: Those that read the last generations only.
_GENERATIONS: Final = frozenset({"cmaes", "nsga2", "nsga3"})
#: Share of a child's hyper-parameters that are drawn anew. Optuna's 1 / n leaves grids of few dimensions unsearched.
_MUTATION: Final = 0.4
#: So many batches in a row, of which so large a share is known, make a sampler of generations begin anew elsewhere.
_STALE: Final = 2
_KNOWN: Final = 0.8


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


@dataclass(frozen=True)
class _Coded:
    """A hyper-parameter as Optuna samples it: grids by the number of the value, so that the values are exact."""

    dimension: Dimension
    indexed: bool

    @classmethod
    def of(cls, dimension: Dimension) -> _Coded:
        whole = dimension.type == "int" and dimension.step == 1 and dimension.low == int(dimension.low)
        return cls(dimension, dimension.size is not None and not whole)

    def distribution(self) -> optuna.distributions.BaseDistribution:
        from optuna import distributions

        each, size = self.dimension, self.dimension.size
        if each.type == "categorical":
            return distributions.CategoricalDistribution(range(size or 0))
        if self.indexed:
            return distributions.IntDistribution(0, (size or 1) - 1)
        if each.type == "int":
            return distributions.IntDistribution(int(each.low), int(each.low) + (size or 1) - 1, log=each.log)
        return distributions.FloatDistribution(each.low, each.high, log=each.log)

    def decode(self, value: Any) -> Any:
        if self.indexed:
            return self.dimension.value(int(value))
        return int(value) if self.dimension.type == "int" else float(value)

    def encode(self, value: Any) -> Any:
        """Return what Optuna calls a value; None if it is not in the space."""
        each = self.dimension
        if each.type == "categorical":
            same = [i for i, option in enumerate(each.options) if option == value and type(option) is type(value)]
            return same[0] if same else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if not self.indexed:
            fits = each.low <= value <= each.high and (each.type == "float" or value == int(value))
            return value if fits else None
        at = round((value - each.low) / each.step) if each.step else 0
        return at if 0 <= at < (each.size or 0) and math.isclose(each.value(at), value, abs_tol=1e-12) else None


class OptunaSampler(Sampler):
    """One of Optuna's samplers on a study in memory.

    Parameters
    ----------
    name : str
    space : Space
    maximize : sequence of bool
        One for each objective.
    seed : int
    batch : int
        How many sets are asked for at once.
    population : int, optional
        Of NSGA-II and III and CMA-ES.
    n_requirements : int
        How many violations a set is told with.
    known : sequence of mapping
        Sets to begin with.
    """

    def __init__(
        self,
        name: str,
        space: Space,
        maximize: Sequence[bool],
        *,
        seed: int,
        batch: int,
        population: int | None = None,
        n_requirements: int = 0,
        known: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._name, self._seed, self._batch = name, seed, batch
        self._population = population or (50 if name.startswith("nsga") else batch)
        self._directions: list[Literal["maximize", "minimize"]] = [
            "maximize" if each else "minimize" for each in maximize
        ]
        self._n_requirements = n_requirements
        self._coded = {each.name: _Coded.of(each) for each in space.dimensions}
        self._asked: list[optuna.Trial] = []
        self._stale = self._restarts = 0
        with quiet_optuna():
            self._distributions = {name: coded.distribution() for name, coded in self._coded.items()}
            self._study = self._new_study()
            for each in known:
                if self.begins_with(each):
                    self._study.enqueue_trial(self._encode(each))

    @property
    def takes_violations(self) -> bool:
        """Whether the sampler learns by how much a requirement is missed."""
        return self._name != "cmaes"

    def _encode(self, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
        return {name: coded.encode(hyperparameters[name]) for name, coded in self._coded.items()}

    def begins_with(self, known: Mapping[str, Any]) -> bool:
        """Tell whether a set lies in the space."""
        return None not in self._encode(known).values()

    def _new_study(self) -> optuna.Study:
        import optuna

        from fastbt.search.recent import RecentTrials

        self._recent = RecentTrials() if self._name in _GENERATIONS else None
        return optuna.create_study(directions=self._directions, sampler=self._make(), storage=self._recent)

    @property
    def _size(self) -> int:
        """The population: CMA-ES searches more widely each time that it begins anew."""
        return self._population * 2**self._restarts if self._name == "cmaes" else self._population

    def _make(self) -> optuna.samplers.BaseSampler:
        from optuna import samplers

        seed = (self._seed + 1_000_003 * self._restarts) % 2**32
        # From Optuna 5 on the violations are set on the trial, and this argument is deprecated.
        more = {}
        if self._n_requirements and not _sets_constraints():
            more["constraints_func"] = _violations_of
        if self._name == "tpe":
            return samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True, **more)  # type: ignore[arg-type]
        if self._name == "nsga2":
            return samplers.NSGAIISampler(seed=seed, population_size=self._size, mutation_prob=_MUTATION, **more)  # type: ignore[arg-type]
        if self._name == "nsga3":
            return samplers.NSGAIIISampler(seed=seed, population_size=self._size, mutation_prob=_MUTATION, **more)  # type: ignore[arg-type]
        if self._name == "gp":
            return samplers.GPSampler(seed=seed, **more)  # type: ignore[arg-type]
        grid = any(each.size is not None for each in (coded.dimension for coded in self._coded.values()))
        return samplers.CmaEsSampler(
            seed=seed,
            popsize=self._size,
            x0=self._anywhere(seed) if self._restarts else None,
            with_margin=grid,
            warn_independent_sampling=False,
        )

    def _anywhere(self, seed: int) -> dict[str, Any]:
        """Return a random point in Optuna's terms."""
        import numpy as np
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        random = np.random.default_rng(seed)
        point: dict[str, Any] = {}
        for name, each in self._distributions.items():
            if isinstance(each, CategoricalDistribution):
                continue
            assert isinstance(each, FloatDistribution | IntDistribution)
            value = each.low + random.random() * (each.high - each.low)
            point[name] = round(value) if isinstance(each, IntDistribution) else value
        return point

    def ask(self, n: int) -> list[dict[str, Any]]:
        """Return the next sets."""
        with quiet_optuna():
            if self._name in _GENERATIONS and self._stale >= _STALE:
                # It has settled: what it proposes is known. Elsewhere, and with more at once, it may find better.
                self._restarts, self._stale = self._restarts + 1, 0
                self._study = self._new_study()
            self._asked = [self._study.ask(self._distributions) for _ in range(n)]
            if self._recent is not None:
                from fastbt.search.recent import join_generation

                for trial in self._asked:
                    join_generation(self._study, trial)
        return [
            {name: coded.decode(trial.params[name]) for name, coded in self._coded.items()} for trial in self._asked
        ]

    def tell(self, outcomes: Sequence[Told]) -> None:
        """Tell the study, failed and infeasible sets as such."""
        from optuna.trial import TrialState

        with quiet_optuna():
            for trial, told in zip(self._asked, outcomes, strict=True):
                if told.values is None or not (told.feasible or self.takes_violations):
                    self._study.tell(trial, state=TrialState.FAIL)
                    continue
                if self._n_requirements and self.takes_violations:
                    _set_violations(trial, told.violations)
                self._study.tell(trial, list(told.values))
            if self._recent is not None:
                from fastbt.search.recent import forget

                forget(self._study, self._recent, self._size)
        known = sum(each.repeated for each in outcomes)
        self._stale = self._stale + 1 if known >= _KNOWN * max(1, len(outcomes)) else 0
        self._asked = []


def _sets_constraints() -> bool:
    import optuna

    return hasattr(optuna.Trial, "set_constraint")


def _set_violations(trial: optuna.Trial, found: Sequence[float]) -> None:
    if _sets_constraints():
        for i, each in enumerate(found):
            trial.set_constraint(str(i), each)
    else:
        trial.set_user_attr("violations", list(found))


def _violations_of(trial: optuna.trial.FrozenTrial) -> Sequence[float]:
    found: list[float] = trial.user_attrs["violations"]
    return found


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna from telling each trial, and which of its parts are experimental."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            warnings.filterwarnings("ignore", module="optuna")
            yield
    finally:
        optuna.logging.set_verbosity(level)


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
        return OptunaSampler(
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
