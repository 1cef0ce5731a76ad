"""Run many hyper-parameter sets in fastbt and in Jesse, and say whether every one is identical."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastbt.errors import SimulationError
from fastbt.oracle.compare import Difference, Run, compare
from fastbt.oracle.full_windows import SeriesDifference
from fastbt.types import JsonDict

#: Hyper-parameters of one set; None lets the strategy's defaults stand.
Hyperparameters = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class SetResult:
    """What was found for one set of hyper-parameters.

    Attributes
    ----------
    hyperparameters : mapping or None
        The set; None for the strategy's defaults.
    status : str
        "identical", "different", or "identical: <exception>" if both were aborted alike.
    n_trades, n_orders : int
        Closed trades and submitted orders in Jesse's run.
    difference : Difference or None
        The first one, if there is any.
    """

    hyperparameters: Hyperparameters
    status: str
    n_trades: int
    n_orders: int
    difference: Difference | None = None


@dataclass(frozen=True)
class VerifyReport:
    """Whether fastbt gave what Jesse gives, set by set.

    Attributes
    ----------
    sets : list of SetResult
        In the order in which they were asked for.
    seconds_fastbt, seconds_jesse : float
        Time spent in the runs themselves, without Jesse's import.
    subject : str
        What was verified, for the reader.
    series : list of SeriesDifference
        With `indicator_window="full"`: the series that are not Jesse's, the one that differs most first.
    """

    sets: list[SetResult] = field(default_factory=list)
    seconds_fastbt: float = 0.0
    seconds_jesse: float = 0.0
    subject: str = ""
    series: list[SeriesDifference] = field(default_factory=list)

    @property
    def identical(self) -> bool:
        """True if at least one set was run, and none differs, nor any series."""
        return bool(self.sets) and not self.differences and not self.series

    @property
    def n_sets(self) -> int:
        """Number of sets compared."""
        return len(self.sets)

    @property
    def n_trades(self) -> int:
        """Closed trades of all sets, in Jesse."""
        return sum(one.n_trades for one in self.sets)

    @property
    def n_orders(self) -> int:
        """Orders submitted in all sets, in Jesse."""
        return sum(one.n_orders for one in self.sets)

    @property
    def speedup(self) -> float:
        """How many times faster fastbt was; NaN before anything was run."""
        return self.seconds_jesse / self.seconds_fastbt if self.seconds_fastbt else float("nan")

    @property
    def differences(self) -> list[Difference]:
        """The first difference of each set that has one."""
        return [one.difference for one in self.sets if one.difference is not None]

    @property
    def statuses(self) -> dict[str, int]:
        """How many sets ended how, the most frequent first."""
        counts: dict[str, int] = {}
        for one in self.sets:
            counts[one.status] = counts.get(one.status, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: -item[1]))

    def __str__(self) -> str:
        """Say it for a person: the verdict, the counts, and the first difference in its context."""
        subject = f"{self.subject}: " if self.subject else ""
        if not self.sets:
            return f"{subject}nothing was compared"
        verdict = "identical" if self.identical else f"{len(self.differences)} of {self.n_sets} sets differ"
        if self.series:
            trades = f"{len(self.differences)} of {self.n_sets} sets differ" if self.differences else "no trade differs"
            verdict = f'not identical to Jesse (indicator_window="full"): {len(self.series)} series differ, {trades}'
        lines = [
            f"{subject}{verdict}",
            f"  {_count(self.n_sets, 'set')}, {_count(self.n_trades, 'trade')}, {_count(self.n_orders, 'order')}",
            f"  fastbt {self.seconds_fastbt:.3f} s, Jesse {self.seconds_jesse:.1f} s: {self.speedup:,.0f} times faster",
        ]
        lines += [f"  {each}" for each in self.series]
        lines += [f"  {_count(n, 'set')} {status}" for status, n in self.statuses.items() if ":" in status]
        for i, one in enumerate(self.sets):
            if one.difference is not None:
                lines += [f"set {i}: {_written(one.hyperparameters)}", str(one.difference)]
                break
        return "\n".join(lines)

    def to_dict(self) -> JsonDict:
        """Return the whole report for JSON."""
        return {
            "subject": self.subject,
            "identical": self.identical,
            "n_sets": self.n_sets,
            "n_trades": self.n_trades,
            "n_orders": self.n_orders,
            "seconds_fastbt": self.seconds_fastbt,
            "seconds_jesse": self.seconds_jesse,
            "speedup": self.speedup if self.seconds_fastbt else None,
            "statuses": self.statuses,
            "series": [each.to_dict() for each in self.series],
            "sets": [
                {
                    "hyperparameters": None if one.hyperparameters is None else dict(one.hyperparameters),
                    "status": one.status,
                    "n_trades": one.n_trades,
                    "n_orders": one.n_orders,
                    "difference": None if one.difference is None else one.difference.to_dict(),
                }
                for one in self.sets
            ],
        }


def verify_sets(
    run_ours: Callable[[Hyperparameters], Run],
    run_jesse: Callable[[Hyperparameters], Mapping[str, Any]],
    sets: Iterable[Hyperparameters],
    *,
    subject: str = "",
    stop_at_first: bool = False,
    progress: Callable[[SetResult], None] | None = None,
) -> VerifyReport:
    """Run each set on both sides and compare everything.

    Parameters
    ----------
    run_ours : callable
        Takes one set and returns fastbt's `Simulation` and metrics, or the `SimulationError` that ended the run (given
        back or raised) and no metrics.
    run_jesse : callable
        Takes one set and returns the answer of `JesseProcess.backtest`.
    sets : iterable
        Hyper-parameter sets; None stands for the strategy's defaults.
    subject : str, optional
        What is verified, for the report.
    stop_at_first : bool, optional
        Stop after the first set that differs.
    progress : callable, optional
        Called with each set's result.

    Returns
    -------
    VerifyReport
        `print` it.

    Examples
    --------
    >>> from fastbt.errors import SimulationError
    >>> def run_ours(hyperparameters):
    ...     raise SimulationError("qty is 0", exception="InvalidStrategy")
    >>> def run_jesse(hyperparameters):
    ...     return {"status": "failed", "exception": "InvalidStrategy", "message": "", "time": 0.0,
    ...             "order_count": 0, "seconds": 0.5}
    >>> report = verify_sets(run_ours, run_jesse, [None])
    >>> report.identical, report.statuses
    (True, {'identical: InvalidStrategy': 1})
    """
    found: list[SetResult] = []
    seconds_fastbt = seconds_jesse = 0.0
    for hyperparameters in sets:
        began = time.perf_counter()
        try:
            ours: Run = run_ours(hyperparameters)
        except SimulationError as error:
            ours = (error, {})
        seconds_fastbt += time.perf_counter() - began
        theirs = run_jesse(hyperparameters)
        seconds_jesse += theirs["seconds"]
        difference = compare(ours, theirs)
        one = SetResult(
            hyperparameters=hyperparameters,
            status=_status(difference, theirs),
            n_trades=len(theirs.get("trades", ())),
            n_orders=theirs["order_count"],
            difference=difference,
        )
        found.append(one)
        if progress is not None:
            progress(one)
        if difference is not None and stop_at_first:
            break
    return VerifyReport(found, seconds_fastbt, seconds_jesse, subject)


def _status(difference: Difference | None, theirs: Mapping[str, Any]) -> str:
    if difference is not None:
        return "different"
    return f"identical: {theirs['exception']}" if theirs["status"] == "failed" else "identical"


def _count(n: int, word: str) -> str:
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def _written(hyperparameters: Hyperparameters) -> str:
    if hyperparameters is None:
        return "the strategy's defaults"
    return ", ".join(f"{name}={value!r}" for name, value in hyperparameters.items()) or "no hyper-parameters"
