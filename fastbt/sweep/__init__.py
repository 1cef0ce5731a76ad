"""Many runs: parameter space, plan, threads, results in memory or on disk."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastbt.compiler.sets import SetTable
    from fastbt.sweep.constraints import Constraint
    from fastbt.sweep.evaluate import Evaluated, Evaluator
    from fastbt.sweep.plan import SweepPlan, make_plan
    from fastbt.sweep.progress import SweepProgress
    from fastbt.sweep.result import SweepResult
    from fastbt.sweep.routes import RoutesEvaluator, RoutesSweep, make_routes_session, sweep_routes
    from fastbt.sweep.runs import RunIndex
    from fastbt.sweep.sampling import SetSource, source_of
    from fastbt.sweep.space import Dimension, Space
    from fastbt.sweep.store import Run
    from fastbt.sweep.sweep import make_account, make_job, make_session, run_job, sweep

__all__ = [
    "Constraint",
    "Dimension",
    "Evaluated",
    "Evaluator",
    "RoutesEvaluator",
    "RoutesSweep",
    "Run",
    "RunIndex",
    "SetSource",
    "SetTable",
    "Space",
    "SweepPlan",
    "SweepProgress",
    "SweepResult",
    "make_account",
    "make_job",
    "make_plan",
    "make_routes_session",
    "make_session",
    "run_job",
    "source_of",
    "sweep",
    "sweep_routes",
]

_HOMES = {
    "Constraint": "constraints",
    "Dimension": "space",
    "Evaluated": "evaluate",
    "Evaluator": "evaluate",
    "RoutesEvaluator": "routes",
    "RoutesSweep": "routes",
    "Run": "store",
    "RunIndex": "runs",
    "SetSource": "sampling",
    "Space": "space",
    "SweepPlan": "plan",
    "SweepProgress": "progress",
    "SweepResult": "result",
    "make_account": "sweep",
    "make_job": "sweep",
    "make_plan": "plan",
    "make_routes_session": "routes",
    "make_session": "sweep",
    "run_job": "sweep",
    "source_of": "sampling",
    "sweep": "sweep",
    "sweep_routes": "routes",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    if name == "SetTable":
        return import_module("fastbt.compiler.sets").SetTable
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


class _Package(ModuleType):
    """Keeps `fastbt.sweep.sweep` the function, though a module of that name hangs itself here when it is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name == "sweep" and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
