"""Break every indicator kernel on purpose, a few times each, and say which breaks no slow twin notices.

::

    python tools/break_kernels.py              # a minute
    python tools/break_kernels.py cycle trend  # the kernels of these modules

A break turns one plus into a minus, one comparison around, or the like. Kernels run as plain Python, so nothing is
compiled; windowed ones are compared with themselves before the break. What is listed at the end is not reached by the
cases of `tests/indicator_cases.py`, or changes less than rounding; the tests against Jesse compare bits.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import importlib
import inspect
import os
import pkgutil
import signal
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple

os.environ["NUMBA_DISABLE_JIT"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np  # noqa: E402
from naive_averages import BY_CODE  # noqa: E402

import fastbt.indicators as ta  # noqa: E402

_SWAPPED: dict[type, type] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult}
_TURNED: dict[type, type] = {ast.Lt: ast.GtE, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.GtE: ast.Lt, ast.Eq: ast.NotEq}
_WINDOW = 60
_BREAKS = 6
_CALLS = 6


class Call(NamedTuple):
    """One case: what it is called with, and what must come out."""

    described: ta.Indicator
    data: Any
    params: Any
    expected: Any
    windowed: Any


def run(described: ta.Indicator, data: Any, params: Any) -> Any:
    """Return the kernel's values at every row."""
    out = np.full((len(described.fields), len(data)), 12345.0)
    described.evaluate(data.copy(), params, out, sequential=False, window=0)
    return out


def run_windowed(described: ta.Indicator, data: Any, params: Any) -> Any:
    """Return the values of the windowed kernel, or None if there is none."""
    if described.windowed is None or not described.compiles(params):
        return None
    out = np.full((len(described.fields), len(data)), 12345.0)
    described.windowed(data.copy(), params, _WINDOW, out)
    return out[:, _WINDOW:]


def cases() -> list[Call]:
    """Return the cases that have a twin, over a small market."""
    twins: dict[str, Any] = {}
    for module in ("naive_indicators", "naive_averages", "naive_oscillators", "naive_bars"):
        twins |= importlib.import_module(module).TWINS
    known = importlib.import_module("indicator_cases")
    found = []
    for name, arguments in known.CASES:
        described = ta.get(name)
        source_type, params, _ = described.encode(**arguments)
        codes = [value for key, value in arguments.items() if key.endswith("matype")]
        # Method 1 of the Hurst exponent is SciPy's and has no twin.
        if any(each not in BY_CODE for each in codes) or (name == "hurst_exponent" and params[3] == 1):
            continue
        candles = known.walk(130, 5, 0.02)
        both = np.hstack([candles, known.walk(130, 4, 0.02)]) if described.second_candles else candles
        data = described.arranged(described.select(both, source_type, params), params)
        whole = [int(each) if each.is_integer() else each for each in params]
        expected = np.array(twins[name](data.tolist(), *whole), dtype=np.float64)
        values = np.array(params)
        found.append(Call(described, data, values, expected, run_windowed(described, data, values)))
    return found


def kernels(chosen: list[str]) -> dict[CodeType, FunctionType]:
    """Return the private functions of the indicators' modules by their code."""
    found = {}
    for info in pkgutil.iter_modules(ta.__path__):
        if info.name in ("_driver", "_many", "_registry", "plugin") or (chosen and info.name not in chosen):
            continue
        module = importlib.import_module(f"fastbt.indicators.{info.name}")
        for name, each in vars(module).items():
            if isinstance(each, FunctionType) and each.__module__ == module.__name__ and name.startswith("_"):
                found[each.__code__] = each
    return found


def reached(calls: list[Call], functions: dict[CodeType, FunctionType]) -> dict[FunctionType, list[Call]]:
    """Return which cases run which function."""
    uses: dict[FunctionType, list[Call]] = {each: [] for each in functions.values()}
    for call in calls:
        seen: set[CodeType] = set()

        def note(frame: Any, event: str, _: Any, seen: set[CodeType] = seen) -> None:
            if event == "call":
                seen.add(frame.f_code)

        sys.setprofile(note)
        run(call.described, call.data, call.params)
        run_windowed(call.described, call.data, call.params)
        sys.setprofile(None)
        for code in seen & functions.keys():
            uses[functions[code]].append(call)
    return uses


def breaks(function: FunctionType) -> Iterator[CodeType]:
    """Yield the code of the function with one thing changed, a few times."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list, definition.returns = [], None
    for argument in definition.args.args:
        argument.annotation = None

    def places(tree: ast.AST) -> list[Any]:
        return [
            each
            for each in ast.walk(tree)
            if (isinstance(each, ast.BinOp | ast.AugAssign) and type(each.op) in _SWAPPED)
            or (isinstance(each, ast.Compare) and type(each.ops[0]) in _TURNED)
        ]

    count = len(places(definition))
    for i in range(0, count, max(1, count // _BREAKS + 1)):
        changed = copy.deepcopy(definition)
        place = places(changed)[i]
        if isinstance(place, ast.Compare):
            place.ops[0] = _TURNED[type(place.ops[0])]()
        else:
            place.op = _SWAPPED[type(place.op)]()
        module = ast.fix_missing_locations(ast.Module(body=[changed], type_ignores=[]))
        local: dict[str, Any] = {}
        exec(compile(module, "<broken>", "exec"), function.__globals__, local)
        yield local[function.__name__].__code__


def is_noticed(call: Call) -> bool:
    """Whether what comes out now is wrong; a broken loop may also fail, or never end."""
    signal.setitimer(signal.ITIMER_REAL, 3.0)
    try:
        actual = run(call.described, call.data, call.params)
        windowed = run_windowed(call.described, call.data, call.params)
    except Exception:
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    same = np.allclose(actual, call.expected, rtol=1e-6, atol=1e-6, equal_nan=True)
    return not (same and (windowed is None or np.array_equal(windowed, call.windowed, equal_nan=True)))


def main() -> None:
    """Break, compare, print."""

    def stop(*_: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    np.seterr(all="ignore")
    calls, functions = cases(), kernels(sys.argv[1:])
    unnoticed, unreached, total, noticed = [], [], 0, 0
    for function, users in reached(calls, functions).items():
        if not users:
            unreached.append(function.__name__)
            continue
        found = []
        whole = function.__code__
        for code in breaks(function):
            function.__code__ = code
            with contextlib.ExitStack() as restore:
                restore.callback(setattr, function, "__code__", whole)
                found.append(any(is_noticed(call) for call in users[:_CALLS]))
        total, noticed = total + len(found), noticed + sum(found)
        if found and not any(found):
            unnoticed.append(function.__name__)
    print(f"{len(functions)} functions, {total} breaks, {noticed} noticed")
    print("no break noticed:", ", ".join(unnoticed) or "none")
    print("not reached by the cases:", ", ".join(unreached) or "none")


if __name__ == "__main__":
    main()
