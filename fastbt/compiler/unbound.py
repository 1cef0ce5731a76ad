"""Names that a path may leave unassigned: machine code would read whatever is there, where Python raises.

The lowered functions are searched for reads that not every path before has assigned. Such a name gets a flag that its
assignments set, and such a read becomes `value if flag else _unbound(s)`, which ends the run with Python's
UnboundLocalError.
"""

from __future__ import annotations

import ast

_Bound = set[str] | None


def mark_unbound(text: str) -> str:
    """Return the text of generated functions with their doubtful reads guarded.

    Parameters
    ----------
    text : str
        One function or several; those without a doubtful read stay as they are.
    """
    tree = ast.parse(text)
    changed = False
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            search = _Search(function)
            if search.reads:
                _Guards(search).apply(function)
                changed = True
    return ast.unparse(ast.fix_missing_locations(tree)) if changed else text


def _flag(name: str) -> str:
    return f"{name}__known"


class _Search:
    """Finds the reads of a function that may come before any assignment.

    Attributes
    ----------
    reads : set of int
        The `id` of each such name node.
    names : set of str
    """

    def __init__(self, function: ast.FunctionDef) -> None:
        self.reads: set[int] = set()
        self.names: set[str] = set()
        parameters = {each.arg for each in function.args.args}
        self._locals = {
            each.id for each in ast.walk(function) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        } - parameters
        self._block(function.body, set())

    def _read(self, node: ast.AST, bound: set[str]) -> None:
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
                if each.id in self._locals and each.id not in bound:
                    self.reads.add(id(each))
                    self.names.add(each.id)

    def _block(self, statements: list[ast.stmt], bound: set[str]) -> _Bound:
        """Search statements; return the names that are bound after them, or None if nothing comes after them."""
        for statement in statements:
            after = self._statement(statement, bound)
            if after is None:
                return None
            bound = after
        return bound

    def _statement(self, node: ast.stmt, bound: set[str]) -> _Bound:
        match node:
            case ast.If(test, body, orelse):
                self._read(test, bound)
                first, second = self._block(body, set(bound)), self._block(orelse, set(bound))
                if first is None or second is None:
                    return second if first is None else first
                return first & second
            case ast.For(target, over, body, orelse):
                self._read(over, bound)
                self._block(body, bound | _stored(target))
                return self._block(orelse, set(bound))
            case ast.While(test, body, orelse):
                self._read(test, bound)
                self._block(body, set(bound))
                return self._block(orelse, set(bound))
            case ast.AugAssign(ast.Name(key), _, _):
                self._read(node.value, bound)
                if key not in bound:
                    raise AssertionError("an augmented assignment is lowered to an ordinary one")
                return bound
            case ast.Return() | ast.Break() | ast.Continue() | ast.Raise():
                self._read(node, bound)
                return None
        self._read(node, bound)
        return bound | _stored(node)


def _stored(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


class _Guards(ast.NodeTransformer):
    """Guards the reads that a search found, and sets the flags."""

    def __init__(self, search: _Search) -> None:
        self._search = search

    def apply(self, function: ast.FunctionDef) -> None:
        """Change a function in place."""
        function.body = self._block(function.body)
        at = 1 if ast.get_docstring(function) is not None else 0
        function.body[at:at] = [self._set(each, False) for each in sorted(self._search.names)]

    def _set(self, name: str, value: bool) -> ast.stmt:
        return ast.Assign([ast.Name(_flag(name), ast.Store())], ast.Constant(value), lineno=0)

    def _block(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        lines: list[ast.stmt] = []
        for each in statements:
            stored: set[str] = set()
            if isinstance(each, ast.If | ast.For | ast.While):
                each.body, each.orelse = self._block(each.body), self._block(each.orelse)
                if isinstance(each, ast.For):
                    each.iter = self.visit(each.iter)
                    flags = sorted(_stored(each.target) & self._search.names)
                    each.body[:0] = [self._set(name, True) for name in flags]
                else:
                    each.test = self.visit(each.test)
                lines.append(each)
            else:
                stored = _stored(each) & self._search.names
                lines.append(self.visit(each))
            lines += [self._set(name, True) for name in sorted(stored)]
        return lines

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if id(node) not in self._search.reads:
            return node
        flag = ast.Name(_flag(node.id), ast.Load())
        return ast.IfExp(flag, node, ast.parse("_unbound(s)", mode="eval").body)
