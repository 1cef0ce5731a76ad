"""Modules that fastbt writes: kept as files, so that numba can cache their machine code."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from types import ModuleType

from fastbt._cache import code_cache

#: A module is registered before it is complete: another thread must wait for it.
_LOADING = threading.RLock()


def load_generated(text: str, key: str, about: str, folder: str = "generated") -> ModuleType:
    """Write a generated module to the cache, and import it from there.

    The file is written in one step, and the module is registered before it runs: numba's cache can only be loaded by
    another process from modules that `sys.modules` knows.

    Parameters
    ----------
    text : str
    key : str
        Its name, which must stand for the text.
    about : str
        The module's docstring.
    folder : str
        Of the cache.
    """
    with _LOADING:
        return sys.modules[key] if key in sys.modules else _load(text, key, about, folder)


def _load(text: str, key: str, about: str, folder: str) -> ModuleType:
    home = code_cache() / folder
    home.mkdir(parents=True, exist_ok=True)
    path = home / f"{key}.py"
    if not path.is_file() or path.read_text() != text:
        partial = path.with_suffix(f".{os.getpid()}.tmp")
        partial.write_text(text)
        os.replace(partial, path)
    spec = importlib.util.spec_from_file_location(key, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    module.__doc__ = about
    sys.modules[key] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[key]
        raise
    return module
