"""What `optimize` has found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastbt.errors import SettingsError
from fastbt.search.objectives import Objective
from fastbt.search.requests import OptimizeRequest
from fastbt.search.results import SessionResult
from fastbt.search.trial import Trial, best_of, front_of
from fastbt.sweep.result import SweepResult
from fastbt.sweep.space import Dimension, Space
from fastbt.types import JsonDict

if TYPE_CHECKING:
    import polars as pl


class OptimizeResult(SessionResult):
    """A finished search for the best hyper-parameters.

    Attributes
    ----------
    request : OptimizeRequest
    market : MarketInfo
    space : list of dict
        What varied.
    fixed : dict
        The other hyper-parameters.
    objectives : list of dict
        `name` and `maximize` of each.
    trials : list of Trial
        All of them, in order; no two are of the same set.
    repeated : int
        How often the sampler proposed a set again: it was told what is known, and that was no trial.
    importance : dict of dict of float
        For each objective how much of its spread each hyper-parameter explains; they add up to 1. Empty if there are
        too few trials to tell.
    best_metrics : dict
        Jesse's metrics of the best set.
    stopped : str
        "all trials", "converged", "space exhausted", "settled" (nothing new was proposed any more), "time limit" or
        "interrupted".
    """

    request: OptimizeRequest
    space: list[JsonDict]
    fixed: JsonDict
    objectives: list[JsonDict]
    trials: list[Trial]
    repeated: int = 0
    importance: dict[str, dict[str, float]] = {}
    best_metrics: JsonDict = {}
    stopped: str = "all trials"

    def __len__(self) -> int:
        return len(self.trials)

    def __repr__(self) -> str:
        best = self.best
        found = "nothing" if best is None else f"{self.objectives[0]['name']} {(best.values or (math.nan,))[0]:.4g}"
        return f"OptimizeResult({self.id}: {self.market.strategy}, {len(self):,} trials, {found})"

    @property
    def goals(self) -> list[Objective]:
        """The objectives."""
        total = self.request.search.optimal_total
        return [Objective(each["name"], each["maximize"], total) for each in self.objectives]

    @property
    def best(self) -> Trial | None:
        """The complete trial with the best first objective; None if there is none."""
        return best_of(self.trials, self.goals[0])

    @property
    def best_set(self) -> dict[str, Any]:
        """All hyper-parameters of the best trial.

        Raises
        ------
        SettingsError
            If no trial is complete.
        """
        best = self.best
        if best is None:
            raise SettingsError(f"no trial of {self.id} is complete")
        return self.full_set(best)

    @property
    def best_value(self) -> float:
        """Its first objective; NaN if there is none."""
        best = self.best
        return math.nan if best is None or best.values is None else best.values[0]

    @property
    def front(self) -> list[Trial]:
        """The Pareto front: complete trials that none beats in one objective without losing in another."""
        return front_of(self.trials, self.goals)

    @property
    def counts(self) -> dict[str, int]:
        """How many trials are complete, infeasible and failed, and how often sets were proposed again."""
        states = [each.state for each in self.trials]
        found = {state: states.count(state) for state in ("complete", "infeasible", "failed")}
        return {**found, "repeated": self.repeated}

    @property
    def convergence(self) -> list[float | None]:
        """For each trial the best first objective until then, None before there was one."""
        sign, best = self.goals[0].sign, None
        series: list[float | None] = []
        for each in self.trials:
            if each.state == "complete" and each.values is not None:
                best = each.values[0] if best is None else sign * max(sign * best, sign * each.values[0])
            series.append(best)
        return series

    def full_set(self, trial: Trial) -> dict[str, Any]:
        """Return all hyper-parameters of a trial."""
        return {**self.fixed, **trial.params}

    def best_sets(self, n: int = 10) -> list[dict[str, Any]]:
        """Return the hyper-parameters of the `n` best different sets, best first."""
        sign = self.goals[0].sign
        found = [each for each in self.trials if each.state == "complete"]
        ranked = sorted(found, key=lambda each: (-sign * (each.values or (0.0,))[0], each.number))
        return [self.full_set(each) for each in ranked[:n]]

    def narrowed(self, share: float = 0.1) -> list[JsonDict]:
        """Return the part of the space in which the best sets lie, as Jesse declares hyper-parameters.

        Parameters
        ----------
        share : float
            How many of the different complete sets count as the best, at least 2 of them.
        """
        n = max(2, math.ceil(share * sum(each.state == "complete" for each in self.trials)))
        best = self.best_sets(n)
        if not best:
            raise SettingsError(f"no trial of {self.id} is complete: there is no best part of the space")
        return [_around(each, [chosen[each.name] for chosen in best]) for each in Space.of(self.space).dimensions]

    @property
    def frame(self) -> pl.DataFrame:
        """One row a trial: number, hyper-parameters, state, reason, and the objectives."""
        import polars as pl

        rows: dict[str, list[Any]] = {"trial": [each.number for each in self.trials]}
        rows |= {name: [each.params[name] for each in self.trials] for name in (d["name"] for d in self.space)}
        rows["state"] = [each.state for each in self.trials]
        rows["reason"] = [each.reason for each in self.trials]
        for i, goal in enumerate(self.objectives):
            rows[goal["name"]] = [None if each.values is None else each.values[i] for each in self.trials]
        return pl.DataFrame(
            {name if name in rows else str(name): values for name, values in rows.items()}, strict=False
        )

    def backtest(
        self, trial: int | Trial | Mapping[str, Any] | None = None, *, strategy: Any = None, candles: Any = None
    ) -> JsonDict:
        """Run one set again, in full: the dictionary of `fastbt.backtest`.

        Parameters
        ----------
        trial : int, Trial or mapping, optional
            A trial, its number, or hyper-parameters; the best if left out.
        strategy, candles : optional
            Wanted of a loaded result whose candles were not a file.
        """
        if isinstance(trial, int):
            if not 0 <= trial < len(self):
                raise SettingsError(f"trial wants a number from 0 to {len(self) - 1}; it was {trial}")
            trial = self.trials[trial]
        chosen = self.best_set if trial is None else self.full_set(trial) if isinstance(trial, Trial) else dict(trial)
        return self.run(chosen, self.session(strategy, candles))

    def sweep(self, *, strategy: Any = None, candles: Any = None, **more: Any) -> SweepResult:
        """Run all different sets again in one sweep, for all of Jesse's metrics; `more` as for `fastbt.sweep`."""
        from fastbt.sweep.sweep import sweep

        sets = [self.full_set(each) for each in self.trials]
        return sweep(self.session(strategy, candles), params=sets, **more)

    def export_optuna(self, storage: str, name: str | None = None) -> str:
        """Write a study that optuna-dashboard opens; return its name.

        Parameters
        ----------
        storage : str
            As Optuna names it: `sqlite:///study.db`.
        name : str, optional
            By default strategy and id.
        """
        from fastbt.search.studies import export_study

        return export_study(self, storage, name)

    def to_dict(self, top: int = 10) -> JsonDict:
        """Return a summary for machines."""
        best = self.best
        names = [each["name"] for each in self.objectives]
        return {
            "id": self.id,
            "market": self.market.model_dump(),
            "objectives": self.objectives,
            "sampler": self.request.search.sampler,
            "trials": len(self),
            "counts": self.counts,
            "stopped": self.stopped,
            "interrupted": self.stopped == "interrupted",
            "best": None if best is None else {"trial": best.number, "set": self.full_set(best), "values": best.values},
            "best_metrics": self.best_metrics,
            "front": [
                {"trial": each.number, "set": self.full_set(each), **dict(zip(names, each.values or (), strict=True))}
                for each in (self.front if len(names) > 1 else [])
            ],
            "top": self.best_sets(top),
            "importance": self.importance,
            "convergence": self.convergence,
            "seconds": self.seconds,
        }


def _around(dimension: Dimension, values: list[Any]) -> JsonDict:
    """Return the part of a dimension that values span."""
    about = dimension.to_dict()
    if dimension.type == "categorical":
        return {**about, "options": [each for each in dimension.options if each in values]}
    low, high = min(values), max(values)
    about |= {"min": low, "max": high}
    if about.get("step") is None:
        about.pop("step", None)
    return about
