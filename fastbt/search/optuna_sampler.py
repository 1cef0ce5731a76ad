"""Optuna's samplers on a study in memory, and what makes them go elsewhere when they have settled."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from fastbt.search.samplers import Sampler, Told
from fastbt.sweep.space import Dimension, Space

if TYPE_CHECKING:
    import optuna

#: So many batches in a row, of which so large a share is known, make a sampler begin anew elsewhere.
_STALE: Final = 2
_KNOWN: Final = 0.5
#: The population of genetic samplers: small ones settle sooner and begin anew more often, a front needs more.
_POPULATION: Final = 24
_POPULATION_OF_FRONTS: Final = 50
#: When CMA-ES has settled it begins at the best of so many random sets, with this deviation (a fraction of the space).
_LOOK: Final = 96
_DEVIATION: Final = 0.06


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
    """One of Optuna's samplers on a study in memory; for CMA-ES see `CmaEsSampler`.

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

    #: Whether it learns by how much a requirement is missed.
    takes_violations = True

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
        usual = _POPULATION if len(maximize) == 1 else _POPULATION_OF_FRONTS
        self._population = population or (usual if name.startswith("nsga") else batch)
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

    def _encode(self, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
        return {name: coded.encode(hyperparameters[name]) for name, coded in self._coded.items()}

    def _decode(self, point: Mapping[str, Any]) -> dict[str, Any]:
        return {name: coded.decode(point[name]) for name, coded in self._coded.items()}

    def begins_with(self, known: Mapping[str, Any]) -> bool:
        """Tell whether a set lies in the space."""
        return None not in self._encode(known).values()

    def _new_study(self) -> optuna.Study:
        import optuna

        from fastbt.search.recent import RecentTrials

        self._recent = RecentTrials()
        return optuna.create_study(directions=self._directions, sampler=self._make(), storage=self._recent)

    @property
    def _seed_now(self) -> int:
        return (self._seed + 1_000_003 * self._restarts) % 2**32

    def _make(self) -> optuna.samplers.BaseSampler:
        from optuna import samplers

        seed = self._seed_now
        # From Optuna 5 on the violations are set on the trial, and this argument is deprecated.
        more = {}
        if self._n_requirements and not _sets_constraints():
            more["constraints_func"] = _violations_of
        if self._name == "tpe":
            return samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True, **more)  # type: ignore[arg-type]
        if self._name == "nsga2":
            return samplers.NSGAIISampler(seed=seed, population_size=self._population, **more)  # type: ignore[arg-type]
        if self._name == "nsga3":
            return samplers.NSGAIIISampler(seed=seed, population_size=self._population, **more)  # type: ignore[arg-type]
        return samplers.GPSampler(seed=seed, **more)  # type: ignore[arg-type]

    def _begin_anew(self) -> None:
        self._restarts, self._stale = self._restarts + 1, 0
        self._study = self._new_study()

    def ask(self, n: int) -> list[dict[str, Any]]:
        """Return the next sets."""
        with quiet_optuna():
            if self._stale >= _STALE:
                # It has settled: what it proposes is known. Elsewhere it may find better.
                self._begin_anew()
            return self._propose(n)

    def _propose(self, n: int) -> list[dict[str, Any]]:
        from fastbt.search.recent import join_generation

        self._asked = [self._study.ask(self._distributions) for _ in range(n)]
        for trial in self._asked:
            join_generation(self._study, trial)
        return [self._decode(trial.params) for trial in self._asked]

    def tell(self, outcomes: Sequence[Told]) -> None:
        """Tell the study, failed and infeasible sets as such.

        What is known is told as failed, too, lest copies of one set become the population, or all that is learnt from.
        """
        from optuna.trial import TrialState

        from fastbt.search.recent import forget

        with quiet_optuna():
            for trial, told in zip(self._asked, outcomes, strict=True):
                if told.values is None or not self._teaches(told):
                    self._study.tell(trial, state=TrialState.FAIL)
                    continue
                if self._n_requirements and self.takes_violations:
                    _set_violations(trial, told.violations)
                self._study.tell(trial, list(told.values))
            forget(self._study, self._recent, self._population)
        known = sum(each.repeated for each in outcomes)
        self._stale = self._stale + 1 if known >= _KNOWN * max(1, len(outcomes)) else 0
        self._asked = []

    def _teaches(self, told: Told) -> bool:
        """Tell whether a set with values is told to the study with them."""
        return not told.repeated


class CmaEsSampler(OptunaSampler):
    """Optuna's CMA-ES: a wide run from the middle, then narrow ones, each from the best of some random sets.

    It is told what a repeated set came to, or a generation would not end; what misses a requirement has failed.
    Parameters are those of `OptunaSampler`.
    """

    takes_violations = False
    #: Where this run began; None for the first.
    _begin: dict[str, Any] | None = None
    #: Whether it looks for where to begin: points that are looked at, how many were, and the best of them.
    _looking = False
    _points: list[dict[str, Any]]
    _looked: int
    _best: tuple[float, dict[str, Any]] | None

    def _make(self) -> optuna.samplers.BaseSampler:
        from optuna import samplers

        start = None
        if self._begin is not None:
            # Optuna draws options at random.
            numbers = [name for name, coded in self._coded.items() if coded.dimension.type != "categorical"]
            start = {name: self._begin[name] for name in numbers}
        return samplers.CmaEsSampler(
            seed=self._seed_now,
            popsize=self._population,
            x0=start,
            sigma0=None if start is None else _DEVIATION,
            with_margin=any(coded.dimension.size is not None for coded in self._coded.values()),
            warn_independent_sampling=False,
        )

    def _begin_anew(self) -> None:
        import numpy as np

        self._restarts, self._stale = self._restarts + 1, 0
        self._random = np.random.default_rng(self._seed_now)
        self._looking, self._looked, self._best = True, 0, None

    def _propose(self, n: int) -> list[dict[str, Any]]:
        if not self._looking:
            return super()._propose(n)
        random = self._random.random((n, len(self._coded)))
        columns = [each.dimension.column_at(at) for each, at in zip(self._coded.values(), random.T, strict=True)]
        self._points = [
            {name: coded.encode(column[i]) for (name, coded), column in zip(self._coded.items(), columns, strict=True)}
            for i in range(n)
        ]
        return [self._decode(each) for each in self._points]

    def tell(self, outcomes: Sequence[Told]) -> None:
        """Tell the study; or note what random sets came to, and begin at the best of them."""
        if not self._looking:
            super().tell(outcomes)
            return
        sign = 1.0 if self._directions[0] == "maximize" else -1.0
        for point, told in zip(self._points, outcomes, strict=True):
            # What is known was climbed from, or left, before.
            if told.values is None or not told.feasible or told.repeated:
                continue
            if self._best is None or sign * told.values[0] > self._best[0]:
                self._best = sign * told.values[0], point
        self._looked += len(outcomes)
        if self._looked >= _LOOK and self._best is not None:
            self._begin, self._looking = self._best[1], False
            with quiet_optuna():
                self._study = self._new_study()

    def _teaches(self, told: Told) -> bool:
        return told.feasible


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
