"""Many runs: parameter space, chunks, threads, results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastbt.sweep.space import Dimension, Space
    from fastbt.sweep.sweep import SweepResult, sweep

__all__ = ["Dimension", "Space", "SweepResult", "sweep"]

_HOMES = {"Dimension": "space", "Space": "space", "SweepResult": "sweep", "sweep": "sweep"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
