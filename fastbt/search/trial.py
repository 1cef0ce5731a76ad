"""What became of the sets of a search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from fastbt.errors import SearchError
from fastbt.search.objectives import Objective, pareto_front

#: Reasons for which sets came to nothing that an error names.
_REASONS = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """One set of a search, and what became of it; no two trials are of the same set.

    Attributes
    ----------
    number : int
    params : dict
        The hyper-parameters that vary.
    state : {"complete", "infeasible", "failed"}
        Infeasible: it breaks a constraint, has no value of the metric, or makes no sense to the strategy. Failed: Jesse
        raises, or fastbt does not simulate it.
    values : tuple of float, optional
        Of the objectives; an infeasible set may have some.
    reason : str, optional
        Why it is not complete.
    violations : tuple of float
        By how much it misses each requirement; above 0 is too much.
    """

    number: int
    params: dict[str, Any]
    state: Literal["complete", "infeasible", "failed"]
    values: tuple[float, ...] | None = None
    reason: str | None = None
    violations: tuple[float, ...] = ()


@dataclass
class Searched:
    """What a search has come to.

    Attributes
    ----------
    trials : list of Trial
    stopped : str
        Why it ended: "all trials", "converged", "space exhausted", "settled" (the sampler proposed nothing new any
        more), "time limit" or "interrupted".
    repeated : int
        How often the sampler proposed a set again; it was told what is known, and that was no trial.
    seconds : dict of float
    """

    trials: list[Trial] = field(default_factory=list)
    stopped: str = "all trials"
    repeated: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: {"total": 0.0, "sampler": 0.0})

    def counts(self) -> dict[str, int]:
        """Return how many trials are complete, infeasible and failed, and how often sets were proposed again."""
        found = Counter(each.state for each in self.trials)
        return {**{state: found[state] for state in ("complete", "infeasible", "failed")}, "repeated": self.repeated}


def best_of(trials: Sequence[Trial], objective: Objective) -> Trial | None:
    """Return the complete trial with the best first value, the earliest among equals."""
    found = [each for each in trials if each.state == "complete" and each.values is not None]
    if not found:
        return None
    return max(found, key=lambda each: ((each.values or (0.0,))[0] * objective.sign, -each.number))


def front_of(trials: Sequence[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """Return the Pareto front of the complete trials, best in the first objective first."""
    found = [each for each in trials if each.state == "complete"]
    if not found:
        return []
    values = np.array([each.values for each in found], dtype=np.float64)
    return [found[row] for row in pareto_front(values, [each.sign for each in objectives])]


def require_some(searched: Searched) -> None:
    """Refuse a search in which no set came to anything.

    Raises
    ------
    SearchError
        With the most frequent reasons.
    """
    if any(each.state == "complete" for each in searched.trials) or not searched.trials:
        return
    reasons = Counter((each.reason or "").split(" at bar ")[0] for each in searched.trials).most_common()
    n = len(searched.trials)
    if len(reasons) == 1 and reasons[0][0] == "made no trade":
        raise SearchError(f"none of {n:,} sets made a trade: look at the strategy's conditions, or at the period")
    text = "; ".join(f"{count:,} x {reason}" for reason, count in reasons[:_REASONS])
    more = f"; and {len(reasons) - _REASONS} more reasons" if len(reasons) > _REASONS else ""
    raise SearchError(f"none of {n:,} sets came to anything: {text}{more}")
