"""What a kernel reads and writes, from its source: which statements may be done once for all, and which may not."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Sequence
from typing import Any, Final


def source_of(function: Any) -> ast.FunctionDef:
    """Return the definition of a kernel without its docstring."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function.py_func))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    has_docstring = isinstance(tree.body[0], ast.Expr) and isinstance(tree.body[0].value, ast.Constant)
    tree.body = tree.body[1:] if has_docstring else tree.body
    return tree


def loaded(node: ast.AST) -> set[str]:
    """Return the names that are read."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}


def root_of(node: ast.AST) -> str | None:
    """Return the array that an expression is, or is a view of."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def filled(node: ast.AST) -> set[str]:
    """Return the arrays into which something is written."""
    targets = [each for each in ast.walk(node) if isinstance(each, ast.Subscript) and isinstance(each.ctx, ast.Store)]
    return {root for each in targets if (root := root_of(each)) is not None}


def bound_in(node: ast.AST) -> set[str]:
    """Return the names that are bound, not written into."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def has(node: ast.AST, *kind: type[ast.AST]) -> bool:
    """Tell whether there is anything of these kinds in a tree."""
    return any(isinstance(each, kind) for each in ast.walk(node))


def skips(body: Sequence[ast.stmt]) -> bool:
    """Tell whether a loop's body goes on with the next row before its end."""
    for each in body:
        if isinstance(each, ast.Continue):
            return True
        if isinstance(each, ast.If) and (skips(each.body) or skips(each.orelse)):
            return True
    return False


def has_plain_loops(tree: ast.AST) -> bool:
    """Tell whether every `for` counts: one over arrays gives them another name."""
    loops = [each for each in ast.walk(tree) if isinstance(each, ast.For)]
    return all(isinstance(each.iter, ast.Call) and isinstance(each.target, ast.Name) for each in loops)


def is_kernel(function: Any) -> bool:
    """Tell whether something is compiled by numba."""
    return hasattr(function, "py_func")


_WRITTEN: Final[dict[Any, frozenset[int]]] = {}


def written_by(function: Any) -> frozenset[int]:
    """Return which arguments a kernel writes into."""
    if function not in _WRITTEN:
        # While it is found out, a kernel that calls itself writes nothing by that.
        _WRITTEN[function] = frozenset()
        tree = source_of(function)
        names = [each.arg for each in tree.args.args]
        groups = views_of(tree, function.py_func.__globals__)
        found = filled(tree) | written_by_calls(tree, function.py_func.__globals__)
        found |= set() if has_plain_loops(tree) else set(names)
        _WRITTEN[function] = frozenset(i for i, each in enumerate(names) if groups.get(each, {each}) & found)
    return _WRITTEN[function]


def written_by_calls(node: ast.AST, environment: dict[str, Any]) -> set[str]:
    """Return the arrays into which called kernels write."""
    found: set[str] = set()
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            target = environment.get(call.func.id)
            if is_kernel(target):
                found |= {root for i in written_by(target) if (root := root_of(call.args[i])) is not None}
    return found


def views_of(tree: ast.FunctionDef, environment: dict[str, Any]) -> dict[str, set[str]]:
    """Return for each name the names that may share its memory."""
    groups: dict[str, set[str]] = {}
    own = bound_in(tree) | {each.arg for each in tree.args.args}
    for each in ast.walk(tree):
        if not isinstance(each, ast.Assign):
            continue
        values = each.value.elts if isinstance(each.value, ast.Tuple) else [each.value]
        if isinstance(each.value, ast.Call) and isinstance(each.value.func, ast.Name):
            # A kernel may return views; what is Python's own, as `int`, returns none.
            values = each.value.args if is_kernel(environment.get(each.value.func.id)) else []
        roots = {root for value in values if (root := root_of(value)) in own}
        scalar = all(isinstance(value, ast.Subscript) and not has(value.slice, ast.Slice) for value in values)
        if not roots or scalar:
            continue
        joined = roots | {name for target in each.targets for name in bound_in(target)}
        for name in tuple(joined):
            joined |= groups.get(name, set())
        for name in joined:
            groups[name] = joined
    return groups
