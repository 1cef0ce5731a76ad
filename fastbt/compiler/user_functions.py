"""Compiled functions of the user's own that kernels call as they are."""

from __future__ import annotations

import hashlib
import inspect
from typing import Any

#: By the key that stands in generated modules.
_FUNCTIONS: dict[str, Any] = {}


def is_compiled(function: Any) -> bool:
    """Tell whether numba compiled a function."""
    return hasattr(function, "py_func") and hasattr(function, "nopython_signatures")


def register(function: Any) -> str:
    """Return the key of a function, which changes with its source and that of all compiled functions that it calls.

    Machine code is cached by the text of the generated module: with the key in it, an edit never serves old code.
    """
    files: dict[str, bytes] = {}
    waiting, seen = [function], set()
    while waiting:
        each = waiting.pop().py_func
        if id(each) in seen:
            continue
        seen.add(id(each))
        file = inspect.getfile(each)
        with open(file, "rb") as source:
            files[file] = source.read()
        waiting += [value for value in each.__globals__.values() if is_compiled(value)]
    digest = hashlib.sha256(b"\n".join(files[file] for file in sorted(files))).hexdigest()[:16]
    key = f"{function.py_func.__module__}.{function.py_func.__qualname__} {digest}"
    _FUNCTIONS[key] = function
    return key


def user_function(key: str) -> Any:
    """Return a registered function."""
    return _FUNCTIONS[key]
