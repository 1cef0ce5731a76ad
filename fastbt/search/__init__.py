"""Searches on the kernel: optimise, walk forward, batches."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastbt.search.batch import backtest_batch
    from fastbt.search.batch_result import BatchResult
    from fastbt.search.optimize import optimize
    from fastbt.search.optimize_result import OptimizeResult
    from fastbt.search.progress import SearchProgress
    from fastbt.search.requests import BatchRequest, OptimizeRequest, WalkForwardRequest
    from fastbt.search.results import load_result, schemas
    from fastbt.search.study_file import decode_dna, read_study
    from fastbt.search.walk_forward import walk_forward
    from fastbt.search.walk_forward_result import WalkForwardResult
    from fastbt.search.windows import Window, split_windows

__all__ = [
    "BatchRequest",
    "BatchResult",
    "OptimizeRequest",
    "OptimizeResult",
    "SearchProgress",
    "WalkForwardRequest",
    "WalkForwardResult",
    "Window",
    "backtest_batch",
    "decode_dna",
    "load_result",
    "optimize",
    "read_study",
    "schemas",
    "split_windows",
    "walk_forward",
]

_HOMES = {
    "BatchRequest": "requests",
    "BatchResult": "batch_result",
    "OptimizeRequest": "requests",
    "OptimizeResult": "optimize_result",
    "SearchProgress": "progress",
    "WalkForwardRequest": "requests",
    "WalkForwardResult": "walk_forward_result",
    "Window": "windows",
    "backtest_batch": "batch",
    "decode_dna": "study_file",
    "load_result": "results",
    "optimize": "optimize",
    "read_study": "study_file",
    "schemas": "results",
    "split_windows": "windows",
    "walk_forward": "walk_forward",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


class _Package(ModuleType):
    """Keeps `optimize` and `walk_forward` the functions, though modules of these names hang themselves here."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
