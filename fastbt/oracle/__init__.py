"""The real Jesse on the same input, and the exact comparison with it.

Names are loaded on first use, so that asking whether Jesse is installed costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastbt.oracle.compare import Difference
    from fastbt.oracle.jesse_process import JesseProcess, jesse_available
    from fastbt.oracle.verify import SetResult, VerifyReport, verify_sets

__all__ = ["Difference", "JesseProcess", "SetResult", "VerifyReport", "jesse_available", "verify_sets"]

_HOMES = {
    "Difference": "compare",
    "JesseProcess": "jesse_process",
    "jesse_available": "jesse_process",
    "SetResult": "verify",
    "VerifyReport": "verify",
    "verify_sets": "verify",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"fastbt.oracle.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
