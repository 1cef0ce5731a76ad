"""What functions of generated code and of the engine do besides returning a value, found from their sources."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

PURE_CALLS: Final = frozenset("bool int float abs min max len range round math np".split())
#: Where the functions stand that generated code calls.
_SOURCES: Final = (
    "data/_kernels.py",
    "engine/decimals.py",
    "engine/kernels.py",
    "engine/language.py",
    "engine/windows.py",
    "engine/lists.py",
    "engine/arithmetic.py",
    "engine/moments.py",
)
_ALLOCATES: Final = frozenset({"np.empty", "np.zeros", "np.full"})


@dataclass(frozen=True)
class Effects:
    """What a function does besides returning a value.

    Attributes
    ----------
    writes : bool
        Whether it changes anything; the status of a failed run not counted.
    fails : bool
        Whether it can end the run.
    reads : frozenset of str
        Fields of the run's state that it reads; "v" if it reads the strategy's variables, "?" if that is not known.
    """

    writes: bool = False
    fails: bool = False
    reads: frozenset[str] = frozenset()

    def __or__(self, other: Effects) -> Effects:
        return Effects(self.writes or other.writes, self.fails or other.fails, self.reads | other.reads)


NONE: Final = Effects()
UNKNOWN: Final = Effects(True, True, frozenset("?"))


def _stored(function: ast.FunctionDef) -> set[str]:
    """Return the local names that hold memory of the function's own."""
    names = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            if ast.unparse(node.value.func) in _ALLOCATES:
                names |= {each.id for each in node.targets if isinstance(each, ast.Name)}
    return names


class EffectTable:
    """The effects of functions by name, found from their sources.

    Parameters
    ----------
    functions : mapping
        Functions that calls may name; a call of any other counts as unknown.
    """

    def __init__(self, functions: Mapping[str, ast.FunctionDef]) -> None:
        self._functions = functions
        self._known: dict[str, Effects] = {"_fail": Effects(False, True)}

    def of_function(self, name: str) -> Effects:
        """Return the effects of calling a function."""
        if name not in self._known:
            function = self._functions.get(name)
            if function is None:
                return UNKNOWN
            self._known[name] = UNKNOWN  # while it is being looked at
            self._known[name] = self._of_all(function.body, _stored(function), itself=name)
        return self._known[name]

    def of(self, node: ast.AST) -> Effects:
        """Return the effects of a statement or an expression."""
        return self._of_all([node], set())

    def _of_all(self, nodes: Iterable[ast.AST], own: set[str], itself: str = "") -> Effects:
        effects = NONE
        for node in nodes:
            for each in ast.walk(node):
                effects |= self._of_one(each, own, itself)
        return effects

    def _of_one(self, node: ast.AST, own: set[str], itself: str) -> Effects:
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == itself or called.split(".")[0] in PURE_CALLS:
                return NONE
            if not isinstance(node.func, ast.Name):
                return NONE if isinstance(node.func, ast.Attribute) and node.func.attr == "copy" else UNKNOWN
            return self.of_function(called)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if isinstance(node.ctx, ast.Store):
                return Effects(True)
            if node.value.id == "s":
                return Effects(reads=frozenset({node.attr}))
            return Effects(reads=frozenset("v")) if node.value.id == "v" else NONE
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            base = node.value
            return NONE if isinstance(base, ast.Name) and base.id in own else Effects(True)
        if isinstance(node, ast.Delete | ast.Global | ast.Nonlocal | ast.Yield | ast.Try | ast.Raise):
            return UNKNOWN
        return NONE


@cache
def engine_functions() -> Mapping[str, ast.FunctionDef]:
    """Return the kernels that generated code calls."""
    folder = Path(__file__).parent.parent
    found: dict[str, ast.FunctionDef] = {}
    for file in _SOURCES:
        tree = ast.parse((folder / file).read_text())
        found |= {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef)}
    return found
