"""Optuna's samplers on a study in memory, and what keeps them from proposing what is known."""

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
_KNOWN: Final = 0.8
#: The population of genetic samplers: small ones settle sooner and begin anew more often, a front needs more.
_POPULATION: Final = 24
_POPULATION_OF_FRONTS: Final = 50


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

        self._recent = RecentTrials()
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
            return samplers.NSGAIISampler(seed=seed, population_size=self._size, **more)  # type: ignore[arg-type]
        if self._name == "nsga3":
            return samplers.NSGAIIISampler(seed=seed, population_size=self._size, **more)  # type: ignore[arg-type]
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
        from fastbt.search.recent import join_generation

        with quiet_optuna():
            if self._stale >= _STALE:
                # It has settled: what it proposes is known. Elsewhere, and with more at once, it may find better.
                self._restarts, self._stale = self._restarts + 1, 0
                self._study = self._new_study()
            self._asked = [self._study.ask(self._distributions) for _ in range(n)]
            for trial in self._asked:
                join_generation(self._study, trial)
        return [
            {name: coded.decode(trial.params[name]) for name, coded in self._coded.items()} for trial in self._asked
        ]

    def tell(self, outcomes: Sequence[Told]) -> None:
        """Tell the study, failed and infeasible sets as such.

        What is known is told as failed, too, lest copies of one set become the population, or all that is learnt from.
        CMA-ES has to know what its proposals came to.
        """
        from optuna.trial import TrialState

        from fastbt.search.recent import forget

        with quiet_optuna():
            for trial, told in zip(self._asked, outcomes, strict=True):
                useless = told.repeated if self.takes_violations else not told.feasible
                if told.values is None or useless:
                    self._study.tell(trial, state=TrialState.FAIL)
                    continue
                if self._n_requirements and self.takes_violations:
                    _set_violations(trial, told.violations)
                self._study.tell(trial, list(told.values))
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
