"""The loop of a search: ask for sets, run those that are new in one pass of the kernel, tell what became of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from fastbt.backtest import Session
from fastbt.compiler.sets import SetTable
from fastbt.errors import SettingsError
from fastbt.metrics.names import METRICS
from fastbt.search.journal import Journal, pack, unpack
from fastbt.search.objectives import (
    Objective,
    Requirement,
    make_objectives,
    make_requirements,
    violations,
)
from fastbt.search.progress import Control, SearchProgress
from fastbt.search.requests import SearchSettings, plain
from fastbt.search.samplers import SAMPLERS, Sampler, Told, check_sampler, make_sampler
from fastbt.search.trial import Searched, Trial
from fastbt.sweep.constraints import Constraint, parse_constraints, satisfied
from fastbt.sweep.evaluate import Evaluator
from fastbt.sweep.space import Space
from fastbt.types import Float1D, Float2D

Key = tuple[tuple[str, Any], ...]

#: So many batches in a row without a new set end a search.
_IDLE: Final = 100


@dataclass(frozen=True)
class Plan:
    """Settings of a search, checked against a strategy.

    Attributes
    ----------
    settings : SearchSettings
    space : Space
        What varies.
    fixed : dict
        All hyper-parameters with their values where they do not vary.
    objectives, requirements, constraints : tuple
    """

    settings: SearchSettings
    space: Space
    fixed: dict[str, Any]
    objectives: tuple[Objective, ...]
    requirements: tuple[Requirement, ...]
    constraints: tuple[Constraint, ...]

    @classmethod
    def of(cls, settings: SearchSettings, session: Session, min_trades: int | None = None) -> Plan:
        """Return the plan of settings.

        Raises
        ------
        SettingsError
            If a name is unknown or a setting makes no sense.
        """
        source = session.source
        objectives = make_objectives(settings.metrics, settings.directions, settings.optimal_total)
        check_sampler(settings.sampler, len(objectives))
        declared = source.hyperparameters if settings.space is None else settings.space
        names = list(source.defaults)
        whole = Space.of(declared)
        whole.check_names(names)
        Space.of({name: [value] for name, value in settings.fixed.items()}).check_names(names)
        # One value is no dimension: samplers need not know of it.
        alone = {each.name: each.value(0) for each in whole.dimensions if each.size == 1}
        varied = tuple(each for each in whole.dimensions if each.name not in {**alone, **settings.fixed})
        if not varied:
            raise SettingsError(
                f"{source.name} has no hyper-parameter to vary; "
                + ("all are fixed" if names else "it declares none in hyperparameters()")
            )
        for known in settings.known:
            for name in known:
                Space.of({name: [known[name]]}).check_names(names)
        return cls(
            settings,
            Space(varied),
            {**source.defaults, **alone, **settings.fixed},
            tuple(objectives),
            tuple(make_requirements(settings.requirements, min_trades)),
            tuple(parse_constraints(settings.constraints, names)),
        )

    @property
    def names(self) -> list[str]:
        """Hyper-parameters that vary."""
        return [each.name for each in self.space.dimensions]

    @property
    def batch(self) -> int:
        """How many sets are asked for at once."""
        own = SAMPLERS[self.settings.sampler]
        if self.settings.sampler.startswith("nsga"):
            own = self.settings.population or own
        return self.settings.batch_size or own

    def known(self) -> list[dict[str, Any]]:
        """Return the sets to begin with: what varies of them, no two equal."""
        sets = [{name: {**self.fixed, **each}[name] for name in self.names} for each in self.settings.known]
        return list({_key(each): each for each in sets}.values())

    def sampler(self) -> Sampler:
        """Return a new sampler."""
        return make_sampler(
            self.settings.sampler,
            self.space,
            [each.maximize for each in self.objectives],
            n=self.settings.trials,
            seed=self.settings.seed,
            batch=self.batch,
            population=self.settings.population,
            constraints=self.constraints,
            fixed=self.fixed,
            n_requirements=len(self.requirements),
            known=self.known(),
        )

    def table(self, sets: Sequence[Mapping[str, Any]]) -> SetTable:
        """Return sets with the hyper-parameters that do not vary."""
        return SetTable.of([{**self.fixed, **each} for each in sets], self.fixed)


def _key(params: Mapping[str, Any]) -> Key:
    return tuple(
        (type(value).__name__, value if not isinstance(value, list) else repr(value)) for value in params.values()
    )


class Search:
    """A search that is being made.

    Parameters
    ----------
    plan : Plan
    evaluator : Evaluator
    control : Control
    journal : Journal, optional
        Where batches are kept; those that it has are told to the sampler again instead of being run.
    on_progress : callable, optional
        Called after each batch.
    """

    def __init__(
        self,
        plan: Plan,
        evaluator: Evaluator,
        control: Control,
        journal: Journal | None = None,
        on_progress: Callable[[SearchProgress], None] | None = None,
    ) -> None:
        self.plan, self._evaluator, self._control, self._journal = plan, evaluator, control, journal
        self._tell_progress = control.tell if on_progress is None else on_progress
        self._done = Searched()
        #: Of each set that was seen what the sampler was told.
        self._seen: dict[Key, Told] = {}
        self._records = journal.records() if journal is not None else []
        self._best: tuple[float, Trial] | None = None
        self._better_at = 0
        self._front: set[tuple[float, ...]] = set()

    def run(self) -> Searched:
        """Make the search; what it has come to if it is stopped."""
        began = time.perf_counter()
        settings, done = self.plan.settings, self._done
        sampler = self.plan.sampler()
        first = [each for each in self.plan.known() if not sampler.begins_with(each)]
        if first:
            self._batch(None, first[: settings.trials])
        # Sets to begin with may lie outside the space.
        size = None if self.plan.space.size is None else self.plan.space.size + len(first)
        idle = 0
        while len(done.trials) < settings.trials and not self._control.stop:
            before = len(done.trials)
            if before == size:
                done.stopped = "space exhausted"
                break
            clock = time.perf_counter()
            asked = sampler.ask(min(self.plan.batch, settings.trials - before))
            done.seconds["sampler"] += time.perf_counter() - clock
            if not asked:
                done.stopped = "space exhausted"
                break
            if not self._batch(sampler, asked):
                break
            idle = idle + 1 if len(done.trials) == before else 0
            if idle == _IDLE:
                done.stopped = "settled"
                break
            if settings.patience is not None and len(done.trials) - self._better_at >= settings.patience:
                done.stopped = "converged"
                break
        if self._control.stop and len(done.trials) < settings.trials and done.stopped == "all trials":
            done.stopped = "time limit" if self._control.timed_out else "interrupted"
        done.seconds["total"] = time.perf_counter() - began
        return done

    def _batch(self, sampler: Sampler | None, asked: list[dict[str, Any]]) -> bool:
        """Run what is new of a batch, and tell the sampler of all; return False if it was stopped before its end."""
        keys = [_key(each) for each in asked]
        new: dict[Key, dict[str, Any]] = {}
        for key, each in zip(keys, asked, strict=True):
            if key not in self._seen:
                new.setdefault(key, each)
        if new and not self._run_new(new):
            return False
        # The first of equal sets is a trial, the others are known by then.
        told = []
        for key in keys:
            repeated = new.pop(key, None) is None
            self._done.repeated += repeated
            told.append(replace(self._seen[key], repeated=repeated))
        if sampler is not None:
            clock = time.perf_counter()
            sampler.tell(told)
            self._done.seconds["sampler"] += time.perf_counter() - clock
        self._report()
        return True

    def _run_new(self, new: Mapping[Key, dict[str, Any]]) -> bool:
        """Make trials of sets that were not seen before; return False if it was stopped before they were run."""
        allowed = satisfied(self.plan.constraints, self.plan.table(list(new.values())))
        chosen = [each for each, fits in zip(new.values(), allowed, strict=True) if fits]
        found = self._replayed(chosen) if self._records and chosen else self._evaluated(chosen)
        if found is None:
            return False
        rows = iter(zip(*found, strict=True))
        for (key, params), fits in zip(new.items(), allowed, strict=True):
            self._seen[key] = self._judge(params, *next(rows)) if fits else self._refuse(params)
        return True

    def _replayed(self, chosen: Sequence[Mapping[str, Any]]) -> tuple[list[str], Float2D]:
        """Return what an earlier process has found for these sets."""
        record = self._records.pop(0)
        if record["sets"] != plain(list(chosen)):
            raise SettingsError(
                "the sampler proposes other sets than it did when this search was begun: another version of Optuna, "
                "numpy or of the machine's mathematics; start anew with --fork"
            )
        return record["status"], unpack(record["metrics"])

    def _evaluated(self, chosen: Sequence[Mapping[str, Any]]) -> tuple[list[str], Float2D] | None:
        """Run sets, and keep what they come to; None if it was stopped."""
        if not chosen:
            return [], np.empty((0, len(METRICS)))
        table = self.plan.table(chosen)
        self._evaluator.prepare(table)
        result = self._evaluator.run(table, stop=self._control.stop)
        if result.interrupted:
            return None
        statuses = list(result.statuses)
        if self._journal is not None:
            self._journal.append({"sets": plain(list(chosen)), "status": statuses, "metrics": pack(result.metrics)})
        return statuses, result.metrics

    def _refuse(self, params: dict[str, Any]) -> Told:
        """Add a trial that breaks a constraint, and return what the sampler is told of it."""
        broken = [each.text for each in self.plan.constraints if not each.holds(self.plan.table([params]))[0]]
        trials = self._done.trials
        trials.append(Trial(len(trials), params, "infeasible", reason=f"breaks {broken[0]!r}"))
        return Told(None)

    def _judge(self, params: dict[str, Any], status: str, row: Float1D) -> Told:
        """Add a trial of a set that was run, and return what the sampler is told of it."""
        trials = self._done.trials
        if status != "ok":
            state: Literal["infeasible", "failed"] = "infeasible" if status.startswith("infeasible") else "failed"
            trials.append(Trial(len(trials), params, state, reason=status))
            return Told(None)
        values = tuple(float(each.values(row[None])[0]) for each in self.plan.objectives)
        missed = tuple(violations(self.plan.requirements, row[None])[0].tolist())
        reason = self._shortcoming(row, values, missed)
        trial = Trial(
            len(trials),
            params,
            "complete" if reason is None else "infeasible",
            values if bool(np.isfinite(values).all()) else None,
            reason,
            missed,
        )
        trials.append(trial)
        if reason is None:
            self._compare(trial)
        # A run without a trade is no score, even if it has a value: its profit of 0.
        known = reason is None or any(each > 0 for each in missed)
        return Told(trial.values if known else None, missed)

    def _shortcoming(self, row: Float1D, values: tuple[float, ...], missed: tuple[float, ...]) -> str | None:
        if row[METRICS.index("total")] == 0:
            return "made no trade"
        for requirement, each in zip(self.plan.requirements, missed, strict=True):
            if each > 0:
                return f"misses {requirement.text!r}"
        for objective, value in zip(self.plan.objectives, values, strict=True):
            if not np.isfinite(value):
                return f"has no finite {objective.name}"
        return None

    def _compare(self, trial: Trial) -> None:
        """Note the best, and when there was a better one last."""
        assert trial.values is not None
        gains = tuple(
            value * objective.sign for value, objective in zip(trial.values, self.plan.objectives, strict=True)
        )
        if self._best is None or gains[0] > self._best[0]:
            if self._best is None or gains[0] > self._best[0] + self.plan.settings.min_improvement:
                self._better_at = trial.number + 1
            self._best = gains[0], trial
        if len(gains) == 1:
            return
        if any(all(one >= two for one, two in zip(each, gains, strict=True)) for each in self._front):
            return
        beaten = {each for each in self._front if all(two >= one for one, two in zip(each, gains, strict=True))}
        self._front = (self._front - beaten) | {gains}
        self._better_at = trial.number + 1

    def _report(self) -> None:
        trial = None if self._best is None else self._best[1]
        self._tell_progress(
            SearchProgress(
                "trials",
                len(self._done.trials),
                self.plan.settings.trials,
                0.0,
                None if trial is None or trial.values is None else trial.values[0],
                None if trial is None else trial.params,
                self._done.counts(),
            )
        )
