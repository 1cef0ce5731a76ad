"""A run's trades and daily balance to Jesse's metrics.

The names are loaded when they are first used, numba when a kernel runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastbt.metrics.measuring import measure, metrics_row_to_dict
    from fastbt.metrics.names import INT_METRICS, METRICS, METRICS_WITHOUT_TRADES

__all__ = ["INT_METRICS", "METRICS", "METRICS_WITHOUT_TRADES", "measure", "metrics_row_to_dict"]

_HOME = {
    "INT_METRICS": "names",
    "METRICS": "names",
    "METRICS_WITHOUT_TRADES": "names",
    "measure": "measuring",
    "metrics_row_to_dict": "measuring",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
