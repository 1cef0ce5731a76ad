"""Light stand-ins for the `jesse.*` modules, so that a strategy file loads without Jesse.

They are in `sys.modules` only while a strategy's module is imported, or runs interpreted. What Jesse offers and fastbt
does not is a `Missing` object: importing it works, using it does not.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class Missing:
    """Something of Jesse's that fastbt does not have."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *args: object, **kwargs: object) -> Any:
        raise NotImplementedError(f"{self._name} is part of Jesse that fastbt does not have")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(f"{self._name}.{name}")

    def __repr__(self) -> str:
        return f"<{self._name}, which fastbt does not have>"


class _MissingModule(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(f"{self.__name__}.{name}")


class _MissingLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = _MissingModule(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""


class _MissingFinder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "jesse" or fullname.startswith("jesse."):
            return ModuleSpec(fullname, _MissingLoader(), is_package=True)
        return None


def _build() -> dict[str, ModuleType]:
    indicators = importlib.import_module("fastbt.indicators")
    sizing = importlib.import_module("fastbt.engine.sizing")
    strategy = importlib.import_module("fastbt.engine.strategy")
    known_helpers = importlib.import_module("fastbt.engine.jesse_helpers")
    jesse = _MissingModule("jesse")
    jesse.__path__ = []
    strategies = _MissingModule("jesse.strategies")
    strategies.__path__ = []
    strategies.Strategy = strategy.Strategy  # type: ignore[attr-defined]
    strategies.cached = strategy.cached  # type: ignore[attr-defined]
    inner = _MissingModule("jesse.strategies.Strategy")
    inner.Strategy = strategy.Strategy  # type: ignore[attr-defined]
    inner.cached = strategy.cached  # type: ignore[attr-defined]
    cache_module = _MissingModule("jesse.services.cache")
    cache_module.cached = strategy.cached  # type: ignore[attr-defined]
    services = _MissingModule("jesse.services")
    services.__path__ = []
    services.cache = cache_module  # type: ignore[attr-defined]
    known_store = importlib.import_module("fastbt.engine.jesse_store")
    logger = _MissingModule("jesse.services.logger")
    logger.info, logger.error = known_store.info, known_store.error  # type: ignore[attr-defined]
    services.logger = logger  # type: ignore[attr-defined]
    store = _MissingModule("jesse.store")
    store.store = known_store.store  # type: ignore[attr-defined]
    enums = _MissingModule("jesse.enums")
    enums.__dict__.update({each.__name__: each for each in known_store.ENUMS})
    config = _MissingModule("jesse.config")
    config.config = known_store.config  # type: ignore[attr-defined]
    helpers = _MissingModule("jesse.helpers")
    helpers.__dict__.update({key: each for key, each in vars(known_helpers).items() if not key.startswith("_")})
    jesse.helpers = helpers  # type: ignore[attr-defined]
    jesse.indicators = indicators  # type: ignore[attr-defined]
    jesse.utils = sizing  # type: ignore[attr-defined]
    jesse.strategies = strategies  # type: ignore[attr-defined]
    return {
        "jesse": jesse,
        "jesse.helpers": helpers,
        "jesse.indicators": indicators,
        "jesse.utils": sizing,
        "jesse.strategies": strategies,
        "jesse.strategies.Strategy": inner,
        "jesse.services": services,
        "jesse.services.cache": cache_module,
        "jesse.services.logger": logger,
        "jesse.store": store,
        "jesse.enums": enums,
        "jesse.config": config,
    }


_lock = threading.RLock()
_depth = 0
_hidden: dict[str, ModuleType] = {}
_finder = _MissingFinder()


@contextmanager
def jesse_standins() -> Iterator[None]:
    """Put the stand-ins where `import jesse...` finds them, until the last who wanted them there is done."""
    global _depth
    with _lock:
        if _depth == 0:
            _hidden.update(_take_away())
            sys.modules.update(_build())
            sys.meta_path.insert(0, _finder)
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                sys.meta_path.remove(_finder)
                _take_away()
                sys.modules.update(_hidden)
                _hidden.clear()


def _take_away() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name == "jesse" or name.startswith("jesse.")]
    return {name: sys.modules.pop(name) for name in names}
