"""Compiled functions of the user's own that kernels call as they are.

An exception of one would end the whole sweep. Where a function can raise, the kernel calls it through one that catches,
and the run ends with the status of that exception. Compiled code cannot tell exceptions apart: which one it is must be
known beforehand, from the source.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbt.compiler.load import parsed
from fastbt.types import Status

#: By the key that stands in generated modules.
_FUNCTIONS: dict[str, Any] = {}

#: Builtins that raise nothing on numbers.
_SAFE_BUILTINS = frozenset("abs min max int float bool range len round print isinstance enumerate zip".split())


@dataclass(frozen=True)
class UserFunction:
    """A compiled function that kernels call.

    Attributes
    ----------
    place : int
        Among those of one strategy.
    label : str
    status : Status
        Of a run in which it raises; OK if it cannot.
    """

    place: int
    label: str
    status: Status

    @property
    def name(self) -> str:
        """Its name in the generated module."""
        return f"user_{self.place}_{self.label}"

    @property
    def caught(self) -> str:
        """The name of what calls it where it may raise."""
        return f"_caught_{self.place}_{self.label}"

    def text(self, key: str, type_: str, n_arguments: int) -> str:
        """Return what stands for it in the generated module."""
        text = f"\n{self.name} = user_function({key!r})"
        if self.status == Status.OK:
            return text
        names = "".join(f", a{i}" for i in range(n_arguments))
        nothing = {"bool": "False", "int": "0", "float": "0.0"}[type_]
        return f"""{text}


@kernel
def {self.caught}(s{names}):
    result = {nothing}
    try:
        result = {self.name}({names[2:]})
    except Exception:
        _fail(s, {int(self.status)})
    return result"""


def is_compiled(function: Any) -> bool:
    """Tell whether numba compiled a function."""
    return hasattr(function, "py_func") and hasattr(function, "nopython_signatures")


def register(function: Any) -> str:
    """Return the key of a function, which changes with its source and that of all compiled functions that it calls.

    Machine code is cached by the text of the generated module: with the key in it, an edit never serves old code.
    """
    files: dict[str, bytes] = {}
    for each in _reached(function):
        file = inspect.getfile(each.py_func)
        with open(file, "rb") as source:
            files[file] = source.read()
    digest = hashlib.sha256(b"\n".join(files[file] for file in sorted(files))).hexdigest()[:16]
    key = f"{function.py_func.__module__}.{function.py_func.__qualname__} {digest}"
    _FUNCTIONS[key] = function
    return key


def _reached(function: Any) -> list[Any]:
    """Return a compiled function and all compiled functions of the modules that it may call."""
    waiting, seen = [function], []
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.append(each)
            waiting += [value for value in each.py_func.__globals__.values() if is_compiled(value)]
    return seen


def user_function(key: str) -> Any:
    """Return a registered function."""
    return _FUNCTIONS[key]


def result_type(function: Any, types: list[str]) -> str | None:
    """Return the type of number that a function gives for numbers of some types; None for anything else.

    Raises
    ------
    TypeError
        If it cannot be compiled for them.
    """
    from numba.core import types as kinds
    from numba.core.errors import NumbaError

    wanted = {"bool": kinds.boolean, "int": kinds.int64, "float": kinds.float64}
    signature = tuple(wanted[each] for each in types)
    try:
        function.compile(signature)
    except NumbaError as error:
        lines = [line for line in str(error).splitlines() if line.strip() and "Failed in" not in line]
        raise TypeError(lines[0] if lines else type(error).__name__) from error
    found = function.overloads[signature].signature.return_type
    if isinstance(found, kinds.Boolean):
        return "bool"
    if isinstance(found, kinds.Integer):
        return "int"
    return "float" if isinstance(found, kinds.Float) else None


def raised_status(function: Any) -> Status:
    """Return the status of a run in which a function raises: OK if it cannot."""
    found = set().union(*(_raised(each) for each in _called(function)))
    if len(found) > 1 or None in found:
        return Status.USER_FUNCTION_RAISED
    names = {each.jesse_exception: each for each in Status if each.jesse_exception}
    return names.get(found.pop() or "", Status.USER_FUNCTION_RAISED) if found else Status.OK


def _called(function: Any) -> list[Any]:
    """Return a compiled function and the compiled functions that it calls by name."""
    waiting, seen = [function], []
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.append(each)
        names = {node.id for node in ast.walk(_source(each.py_func)) if isinstance(node, ast.Name)}
        inner = (each.py_func.__globals__.get(name) for name in names)
        waiting += [value for value in inner if is_compiled(value)]
    return seen


def _source(function: Any) -> ast.AST:
    try:
        return parsed(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):
        return ast.parse("unknown()")


def _raised(function: Any) -> set[str | None]:
    """Return the names of the exceptions that the body of one function can raise; None among them for any."""
    return set(_exceptions(_source(function.py_func), function))


def _exceptions(tree: ast.AST, function: Any) -> Iterator[str | None]:
    names = function.py_func.__globals__
    divides = function.targetoptions.get("error_model", "python") == "python"
    for node in ast.walk(tree):
        match node:
            case ast.Raise(ast.Name(name)) | ast.Raise(ast.Call(ast.Name(name))):
                yield name
            case ast.Raise():
                yield None
            case ast.Assert():
                yield "AssertionError"
            case ast.BinOp(_, ast.Div() | ast.FloorDiv() | ast.Mod(), right) | ast.AugAssign(
                _, ast.Div() | ast.FloorDiv() | ast.Mod(), right
            ):
                if divides and not (isinstance(right, ast.Constant) and right.value):
                    yield "ZeroDivisionError"
            case ast.Call(callee) if not _is_harmless(callee, names):
                yield None


def _is_harmless(callee: ast.expr, names: dict[str, Any]) -> bool:
    """Tell whether a call raises nothing, or nothing that the search does not find elsewhere."""
    match callee:
        case ast.Name(name):
            found = names.get(name, getattr(builtins, name, None))
            if isinstance(found, type) and issubclass(found, BaseException):
                return True  # the call in `raise ValueError("no")`
            return is_compiled(found) or name in _SAFE_BUILTINS or name in ("njit", "jit")
        case ast.Attribute(ast.Name(name), attribute):
            module = names.get(name)
            if getattr(module, "__name__", "") in ("math", "numba"):
                return True
            return module is np and isinstance(getattr(np, attribute, None), np.ufunc)
    return False
