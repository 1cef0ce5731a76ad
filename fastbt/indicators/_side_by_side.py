"""Kernels for several argument lists at once, made from those for one.

A recursion waits for itself: an exponential average is a multiplication and an addition, one after the other, at every
row, and most of the processor idles. Several recursions in one loop fill those gaps, and each goes through the same
operations in the same order as alone, so its bits stay. What does not depend on the arguments (true ranges, changes of
price) is computed once.

From the source of a kernel this writes one in which every loop over the rows holds the loop's body once for each list::

    value = x[0]                                       value__0 = x[0]; value__1 = x[0]
    for i in range(n):                      becomes    for i in range(n):
        value = a * x[i] + b * value                       value__0 = a__0 * x[i] + b__0 * value__0
        out[i] = value                                     out__0[i] = value__0
                                                           value__1 = ...

Where it can, the lists of such a loop are the lanes of vectors (`_in_lanes`), and what it reads and writes row by row
is moved in blocks (`_in_blocks`).
"""

from __future__ import annotations

import ast
import functools
import hashlib
import threading
from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from fastbt._generated import load_generated
from fastbt.indicators._dependence import (
    bound_in,
    filled,
    has,
    has_plain_loops,
    is_kernel,
    loaded,
    root_of,
    skips,
    source_of,
    views_of,
    written_by,
    written_by_calls,
)
from fastbt.indicators._in_blocks import BLOCK, Place, goes_row_by_row, places_of
from fastbt.indicators._in_lanes import IMPORT, WIDTH, Given, InLanes, NotInLanes, block_of, settled
from fastbt.indicators.momentum import _roc, _rocp, _rocr, _rocr100

#: Lists that run side by side: enough to hide the latency of an addition behind the others.
LISTS: Final = WIDTH

#: Numbers that are known, by their places among the arguments.
Places = tuple[tuple[int, float], ...]

_HEAD = '"""Kernels of several argument lists side by side; written by fastbt."""\n\nfrom fastbt._jit import kernel\n'


class _NotFused(Exception):
    """A kernel is written in a way that this does not take apart."""


class _Rename(ast.NodeTransformer):
    """Give what differs from list to list the number of the list."""

    def __init__(self, varying: set[str], number: int) -> None:
        self.varying, self.number = varying, number

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id not in self.varying:
            return node
        return ast.copy_location(ast.Name(f"{node.id}__{self.number}", node.ctx), node)


class _Known(ast.NodeTransformer):
    """Write numbers that are known in the place of names, and of elements of an array; leave out what is never done."""

    def __init__(self, names: dict[str, float], of: str = "", elements: dict[int, float] | None = None) -> None:
        self.names, self.of, self.elements = names, of, elements or {}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        known = node.id in self.names and isinstance(node.ctx, ast.Load)
        return ast.copy_location(ast.Constant(self.names[node.id]), node) if known else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        match node:
            case ast.Subscript(ast.Name(name), ast.Constant(int(place))) if name == self.of and place in self.elements:
                return ast.copy_location(ast.Constant(self.elements[place]), node)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.Call(ast.Name("int"), [ast.Constant(value)]):
                return ast.copy_location(ast.Constant(int(value)), node)  # type: ignore[arg-type]
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        match node.test:
            case ast.Compare(ast.Constant(), [_], [ast.Constant()]):
                return node.body if eval(ast.unparse(node.test)) else node.orelse
        return node


class _Fused:
    """One kernel for several lists; `shared` tells which of its arguments all lists have in common."""

    def __init__(
        self,
        writer: Writer,
        function: Any,
        shared: tuple[bool, ...],
        name: str,
        same: Places = (),
        known: Places = (),
        overlaps: bool = False,
    ) -> None:
        self.writer, self.function, self.name, self.overlaps = writer, function, name, overlaps
        self.environment: dict[str, Any] = function.py_func.__globals__
        self.tree = source_of(function)
        names = [each.arg for each in self.tree.args.args]
        if same or known:
            numbers = {names[i]: value for i, value in known}
            self.tree = _Known(numbers, names[1], dict(same)).visit(self.tree)
        _count_apart(self.tree)
        self.arguments = [each.arg for each in self.tree.args.args]
        self.shared = dict(zip(self.arguments, shared, strict=True))
        if not has_plain_loops(self.tree):
            raise _NotFused
        bound = bound_in(self.tree)
        if bound & set(self.arguments):
            raise _NotFused
        self.own = bound | set(self.arguments)
        self.lengths = self._lengths()
        self.groups = views_of(self.tree, self.environment)
        self.varying = self._varying()
        if any(is_shared and each in self.varying for each, is_shared in self.shared.items()):
            raise _NotFused  # a list would write into what it shares
        self.loops = 0

    def _lengths(self) -> dict[str, str]:
        """Return names that are the number of rows of an argument which every list has for itself."""
        found: dict[str, str] = {}
        names = [each for each in ast.walk(self.tree) if isinstance(each, ast.Name)]
        stores = [each.id for each in names if isinstance(each.ctx, ast.Store)]
        for each in self.tree.body:
            match each:
                case ast.Assign([ast.Name(name)], ast.Subscript(ast.Attribute(ast.Name(of), "shape"), ast.Constant(0))):
                    if of in self.arguments and not self.shared[of] and stores.count(name) == 1:
                        found[name] = of
        return found

    # --- what differs from list to list -------------------------------------------------------------------------
    def _varying(self) -> set[str]:
        varying = {each for each, is_shared in self.shared.items() if not is_shared}
        while True:
            before = set(varying)
            self._spread(self.tree.body, varying, False)
            varying -= set(self.lengths)
            if varying == before:
                return varying

    def _spread(self, body: Sequence[ast.stmt], varying: set[str], forced: bool) -> None:
        for each in body:
            match each:
                case ast.For(target=ast.Name(counter)):
                    is_rows = self._stop_of(each, varying) is not None
                    inner = forced or bool(loaded(each.iter) & varying)
                    if not is_rows and inner:
                        varying.add(counter)
                    self._spread_loop(each.body, varying, inner)
                case ast.While():
                    self._spread(each.body, varying, forced or bool(loaded(each.test) & varying))
                case ast.If():
                    inner = forced or bool(loaded(each.test) & varying)
                    self._spread(each.body, varying, inner)
                    self._spread(each.orelse, varying, inner)
                case _:
                    bound = bound_in(each)
                    written = filled(each) | written_by_calls(each, self.environment)
                    if forced or (loaded(each) | written) & varying:
                        varying |= bound
                        varying.update(*(self.groups.get(name, {name}) for name in written))

    def _spread_loop(self, body: Sequence[ast.stmt], varying: set[str], forced: bool) -> None:
        """As `_spread`; what follows something that may skip the rest of a row is done list by list."""
        split = self._split(body, varying) if skips(body) else len(body)
        self._spread(body[:split], varying, forced)
        self._spread(body[split:], varying, True)

    def _split(self, body: Sequence[ast.stmt], varying: set[str]) -> int:
        """Return how many of the first statements of a row are the same for all lists."""
        for i, each in enumerate(body):
            if skips([each]) or self._differs(each, varying):
                return i
        return len(body)

    def _differs(self, node: ast.AST, varying: set[str] | None = None) -> bool:
        return bool(self._touched(node) & (self.varying if varying is None else varying))

    def _stop_of(self, loop: ast.For, varying: set[str]) -> ast.expr | None:
        """Return the end of a loop over rows that is the same for all lists, or None."""
        match loop.iter:
            case ast.Call(ast.Name("range"), [stop] | [_, stop]):
                if isinstance(stop, ast.Name) and stop.id in self.lengths:
                    return stop
                match stop:
                    case ast.Subscript(ast.Attribute(ast.Name(of), "shape"), ast.Constant(0)):
                        if of in self.arguments:
                            return stop
                return None if loaded(stop) & varying else stop
        return None

    # --- text ---------------------------------------------------------------------------------------------------
    def text(self) -> str:
        """Return the source of the kernel."""
        heading = []
        for each in self.arguments:
            heading += [each] if self.shared[each] else [f"{each}__{k}" for k in range(LISTS)]
        body: list[ast.stmt] = []
        own = {each for each in self.arguments if not self.shared[each]}
        ends = {of for of in self.lengths.values()} | {
            root for each in ast.walk(self.tree) if isinstance(each, ast.For) for root in self._own_lengths(each, own)
        }
        for of in sorted(ends):
            same = " == ".join(f"{of}__{k}.shape[0]" for k in range(LISTS))
            body += [*_parsed(f"if not ({same}):\n    pass")]
            check = body[-1]
            assert isinstance(check, ast.If)
            check.body = [*self._alone(), ast.Return()]
        body += self._block(self.tree.body, top=True)
        made = ast.FunctionDef(
            self.name,
            ast.arguments([], [ast.arg(each) for each in heading], defaults=[], kwonlyargs=[], kw_defaults=[]),
            body,
            [ast.Name("kernel", ast.Load())],
        )
        return ast.unparse(ast.fix_missing_locations(made))

    def _own_lengths(self, loop: ast.For, own: set[str]) -> set[str]:
        stop = self._stop_of(loop, self.varying)
        return set() if stop is None else loaded(stop) & own

    def _alone(self) -> list[ast.stmt]:
        """Return calls of the kernel for one list after the other."""
        name = self.writer.imported(self.function.py_func)
        lines = []
        for k in range(LISTS):
            arguments = [each if self.shared[each] else f"{each}__{k}" for each in self.arguments]
            lines.append(f"{name}({', '.join(arguments)})")
        return _parsed("\n".join(lines))

    def _copies(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Return statements once for each list, one statement after the other."""
        return [self._copy(each, k) for each in statements for k in range(LISTS)]

    def _copy(self, node: Any, k: int) -> Any:
        self._import(node)
        return _Rename(self.varying, k).visit(_clone(node))

    def _import(self, node: ast.AST) -> None:
        for name in loaded(node) - self.own:
            if name in self.environment:
                self.writer.import_global(name, self.environment[name])

    def _block(self, statements: Sequence[ast.stmt], *, top: bool = False) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for i, each in enumerate(statements):
            if not self._differs(each):
                if has(each, ast.For, ast.While):
                    self.loops += 1
                self._import(each)
                made.append(_clone(each))
            elif isinstance(each, ast.For) and self._stop_of(each, self.varying) is not None:
                made += self._loop(each)
            elif isinstance(each, ast.If):
                made += self._branch(each, statements[:i], top)
            elif isinstance(each, ast.Expr) and isinstance(each.value, ast.Call):
                made += self._call(each)
            elif has(each, ast.Return):
                raise _NotFused
            else:
                made += self._copies([each])
        return made

    def _branch(self, node: ast.If, before: Sequence[ast.stmt], top: bool) -> list[ast.stmt]:
        if not self._differs(node.test):
            if has(node, ast.Return) and not top:
                raise _NotFused
            self._import(node.test)
            body = self._returning(node.body)
            made = ast.If(_clone(node.test), body, self._block(node.orelse))
            return [made]
        if not has(node, ast.Return):
            return self._copies([node])
        plain = all(isinstance(each, ast.Assign | ast.AnnAssign) for each in before)
        if not top or not plain or node.orelse or not isinstance(node.body[-1], ast.Return):
            raise _NotFused
        tests = [self._copy(node.test, k) for k in range(LISTS)]
        return [ast.If(ast.BoolOp(ast.Or(), tests), [*self._alone(), ast.Return()], [])]

    def _returning(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        if body and isinstance(body[-1], ast.Return):
            if body[-1].value is not None:
                raise _NotFused
            return [*self._block(body[:-1]), ast.Return()]
        return self._block(body)

    def _call(self, node: ast.Expr) -> list[ast.stmt]:
        call = node.value
        assert isinstance(call, ast.Call)
        target = self.environment.get(call.func.id) if isinstance(call.func, ast.Name) else None
        if not is_kernel(target) or call.keywords:
            return self._copies([node])
        shared = tuple(not self._differs(each) and not _is_out(target, i) for i, each in enumerate(call.args))
        try:
            known = tuple((i, each.value) for i, each in enumerate(call.args) if isinstance(each, ast.Constant))
            fused = self.writer.write(target, shared, (), known, self._overlap(call))  # type: ignore[arg-type]
        except _NotFused:
            return self._copies([node])
        self.loops += fused.loops
        arguments: list[ast.expr] = []
        for each, is_shared in zip(call.args, shared, strict=True):
            self._import(each)
            arguments += [_clone(each)] if is_shared else [self._copy(each, k) for k in range(LISTS)]
        return [ast.Expr(ast.Call(ast.Name(fused.name, ast.Load()), arguments, []))]

    def _overlap(self, call: ast.Call) -> bool:
        """Tell whether a kernel may write into what another of its arguments is."""
        assert isinstance(call.func, ast.Name)
        for i in written_by(self.environment[call.func.id]):
            root = root_of(call.args[i])
            group = self.groups.get(root, {root}) if root is not None else set()
            for j, other in enumerate(call.args):
                if j != i and root_of(other) in group and not _are_apart(call.args[i], other):
                    return True
        return self.overlaps

    def _loop(self, loop: ast.For) -> list[ast.stmt]:
        if has(loop, ast.Return):
            raise _NotFused
        assert isinstance(loop.iter, ast.Call) and isinstance(loop.target, ast.Name)
        if loop.orelse or has(loop, ast.Break) or goes_row_by_row(loop.body, loop.target.id):
            return self._copies([loop])
        self.loops += 1
        arguments = loop.iter.args
        start = arguments[0] if len(arguments) > 1 else ast.Constant(0)
        stop = self._end(self._stop_of(loop, self.varying))
        self._import(loop.iter)
        counter = together = loop.target.id
        if counter in self.varying:
            # Another loop's counter of the same name differs from list to list.
            together = f"rows_{self.loops}__now"
        bounds: list[ast.expr] = []
        whole: tuple[list[ast.stmt], list[ast.expr]] = loop.body, []
        ways = [whole]
        if self._changed_in(loop.body) <= self.varying:
            rest, beyond_these = settled(loop.body, counter)
            if beyond_these:
                # Rows go in blocks only where nothing skips the end of one.
                ways.insert(0 if has(loop, ast.Continue) else 1, (rest, beyond_these))
        rows = None
        for statements, bounds in ways:
            rows = self._in_lanes(loop, statements, together, bound_in(loop) if bounds else ())
            if rows is not None:
                break
        if rows is None:
            bounds = []
            rows = [], self._row(loop.body), [], []
        before, body, after, places = rows
        if together != counter:
            body = [*_parsed("\n".join(f"{counter}__{k} = {together}" for k in range(LISTS))), *body]

        def over_rows(first: ast.expr) -> list[ast.stmt]:
            over = ast.For(ast.Name(together, ast.Store()), _range(first, _clone(stop)), body, [])
            return [*before, *(self._in_blocks(over, places, counter) if places else [over]), *after]

        if not self._differs(start) and not bounds:
            return over_rows(_clone(start))
        # Each list begins at a row of its own; from the last of these on they go together.
        made: list[ast.stmt] = []
        firsts = [f"rows_{self.loops}__first_{k}" for k in range(LISTS)]
        for k, first in enumerate(firsts):
            made.append(ast.Assign([ast.Name(first, ast.Store())], self._copy(start, k)))
        last = f"rows_{self.loops}__last"
        beyond = sorted({f"int({ast.unparse(self._copy(each, k))}) + 1" for each in bounds for k in range(LISTS)})
        made += _parsed(f"{last} = min(max({', '.join([*firsts, *beyond])}), {ast.unparse(stop)})")
        for k, first in enumerate(firsts):
            alone = [self._copy(each, k) for each in loop.body]
            where = _range(ast.Name(first, ast.Load()), ast.Name(last, ast.Load()))
            target = f"{counter}__{k}" if counter in self.varying else counter
            made.append(ast.For(ast.Name(target, ast.Store()), where, alone, []))
        return [*made, *over_rows(ast.Name(last, ast.Load()))]

    def _in_blocks(self, loop: ast.For, places: Sequence[Place], counter: str) -> list[ast.stmt]:
        """Return a loop over rows that goes through blocks of them."""
        base, end, counted = f"rows_{self.loops}__base", f"rows_{self.loops}__end", self.varying - {counter}
        made: list[ast.stmt] = []
        fill: list[ast.stmt] = []
        empty: list[ast.stmt] = []
        for place in places:
            block, arrays, first = block_of(place), f"{place.name}_arrays", f"{place.name}_first"
            own = [ast.unparse(_Rename(counted, k).visit(_clone(place.array))) for k in range(LISTS)]
            starts = [_Rename(counted, k).visit(_clone(place.index)) for k in range(LISTS)]
            texts = [ast.unparse(Given({counter: base}).visit(each)) for each in starts]
            made += _parsed(f"{block} = lanes_block()\n{arrays} = ({', '.join(own)})")
            fill += _parsed(f"{first} = ({', '.join(texts)})")
            if place.is_read:
                fill += _parsed(f"lanes_in({block}, {end} - {base}, {arrays}, {first})")
            if place.is_written:
                empty += _parsed(f"lanes_out({block}, {end} - {base}, {arrays}, {first})")
        assert isinstance(loop.iter, ast.Call)
        start, stop = loop.iter.args
        loop.iter = _range(ast.Name(base, ast.Load()), ast.Name(end, ast.Load()))
        head = _parsed(f"{end} = min({base} + {BLOCK}, {ast.unparse(stop)})")
        over = ast.Call(ast.Name("range", ast.Load()), [start, stop, ast.Constant(BLOCK)], [])
        return [*made, ast.For(ast.Name(base, ast.Store()), over, [*head, *fill, loop, *empty], [])]

    def _touched(self, node: ast.AST) -> set[str]:
        return loaded(node) | bound_in(node) | filled(node) | written_by_calls(node, self.environment)

    def _changed_in(self, body: Sequence[ast.stmt]) -> set[str]:
        whole = ast.Module(list(body), [])
        counters = {each.id for part in ast.walk(whole) if isinstance(part, ast.For) for each in [part.target]}  # type: ignore[attr-defined]
        return (bound_in(whole) - counters) | filled(whole) | written_by_calls(whole, self.environment)

    def _in_lanes(
        self, loop: ast.For, body: Sequence[ast.stmt], together: str, done: Collection[str] = ()
    ) -> tuple[list[ast.stmt], list[ast.stmt], list[ast.stmt], list[Place]] | None:
        """Return what comes before a loop, its body, what comes after it, in lanes, and what is in blocks of rows.

        None where it cannot be in lanes.
        """
        assert isinstance(loop.target, ast.Name)
        inside = {id(each) for each in ast.walk(loop)}
        outside = [each for each in ast.walk(self.tree) if isinstance(each, ast.Name) and id(each) not in inside]
        prefix, counter = f"lanes_{self.loops}__", loop.target.id
        places: list[Place] = []
        # What skips the end of a row's statements would leave the block as it is.
        if not self.overlaps and not has(ast.Module(list(body), []), ast.Continue):
            body, places = places_of(body, counter, prefix, self.varying - {counter}, self.groups)
        rewritten = InLanes(
            prefix,
            LISTS,
            self.varying,
            counter,
            together,
            self._copy,
            self._known,
            self._import,
            self._touched,
            places,
            f"rows_{self.loops}__base",
        )
        bound = {each.id for each in outside if isinstance(each.ctx, ast.Store) and each.lineno < loop.lineno}
        around = [each for each in ast.walk(self.tree) if isinstance(each, ast.For | ast.While) and each is not loop]
        first = min((each.lineno for each in around if any(part is loop for part in ast.walk(each))), default=None)
        since = loop.lineno if first is None else first
        read = {each.id for each in outside if isinstance(each.ctx, ast.Load) and each.lineno >= since}
        try:
            made = rewritten.loop(body, bound | set(done), read)
        except NotInLanes:
            return None
        self.writer.use_lanes()
        return rewritten.before, made, rewritten.after, places

    def _known(self, name: str) -> Any:
        return None if name in self.own else self.environment.get(name)

    def _end(self, stop: ast.expr | None) -> ast.expr:
        assert stop is not None
        renamed: ast.expr = _Rename(loaded(stop) & self.varying, 0).visit(_clone(stop))
        return renamed

    def _row(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Return what is done at a row."""
        if not skips(body):
            return self._block(body)
        split = self._split(body, self.varying)
        made: list[ast.stmt] = self._block(body[:split])
        for k in range(LISTS):
            # In a loop of its own, `continue` ends what is done for one list.
            once = [self._copy(each, k) for each in body[split:]]
            made.append(ast.For(ast.Name("_once", ast.Store()), _parsed_expression("range(1)"), once, []))
        return made


class Writer:
    """Writes a module of fused kernels."""

    def __init__(self) -> None:
        self._made: dict[tuple[Any, tuple[bool, ...], Places, Places, bool], _Fused] = {}
        self._lines: dict[str, str] = {}
        self._texts: list[str] = []
        self._busy: set[Any] = set()

    def write(
        self, function: Any, shared: tuple[bool, ...], same: Places = (), known: Places = (), overlaps: bool = False
    ) -> _Fused:
        """Return the kernel for several lists, written after those that it calls."""
        key = (function, shared, same, known, overlaps)
        if key in self._busy:
            raise _NotFused  # it calls itself
        if key not in self._made:
            self._busy.add(key)
            name = f"{function.py_func.__name__}_{len(self._made)}_of_{LISTS}"
            fused = _Fused(self, function, shared, name, same, known, overlaps)
            text = fused.text()
            self._busy.discard(key)
            self._made[key] = fused
            self._texts.append(text)
        return self._made[key]

    def imported(self, function: Any) -> str:
        """Return the name of a kernel for one list, which is imported."""
        self._lines[function.__name__] = f"from {function.__module__} import {function.__name__}"
        return str(function.__name__)

    def use_lanes(self) -> None:
        """Make known what loops in lanes are made of."""
        self._lines["lanes"] = IMPORT

    def import_global(self, name: str, value: Any) -> None:
        """Make a module's name known."""
        if isinstance(value, ModuleType):
            self._lines[name] = f"import {value.__name__} as {name}"
        elif is_kernel(value):
            line = f"from {value.py_func.__module__} import {value.py_func.__name__}"
            self._lines[name] = line if value.py_func.__name__ == name else f"{line} as {name}"
        elif isinstance(value, int | float):
            self._lines[name] = f"{name} = {float(value) if isinstance(value, float) else int(value)!r}"
        else:
            raise _NotFused

    def text(self) -> str:
        """Return the module."""
        lines = sorted(self._lines.values(), key=lambda each: (" = " in each, each))
        return "\n".join([_HEAD, *lines, "", "", "\n\n\n".join(self._texts), ""])


def _count_apart(tree: ast.FunctionDef) -> None:
    """Give each loop a counter of its own: one that all lists share must not differ because another loop's does."""
    loops = [each for each in ast.walk(tree) if isinstance(each, ast.For) and isinstance(each.target, ast.Name)]
    taken = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
    for name in {each.target.id for each in loops}:  # type: ignore[attr-defined]
        found = [each for each in loops if each.target.id == name]  # type: ignore[attr-defined]
        inside = [part for each in found for part in ast.walk(each) if isinstance(part, ast.Name) and part.id == name]
        everywhere = [each for each in ast.walk(tree) if isinstance(each, ast.Name) and each.id == name]
        if len(inside) != len(everywhere):
            continue  # used after a loop, or by one in another
        for number, each in enumerate(found[1:], 1):
            new = f"{name}_{number}"
            if new not in taken:
                Given({name: new}).visit(each)


def _are_apart(a: ast.expr, b: ast.expr) -> bool:
    """Tell whether two are certainly different rows of an array."""

    def rows(node: ast.expr) -> tuple[float, float] | None:
        match node:
            case ast.Subscript(ast.Name(), ast.Constant(int(row))) if row >= 0:
                return row, row + 1
            case ast.Subscript(ast.Name(), ast.Slice(lower, upper, None)):
                first, end = end_of(lower, 0.0), end_of(upper, float("inf"))
                return None if first < 0 or end < 0 else (first, end)
        return None

    def end_of(node: ast.expr | None, otherwise: float) -> float:
        match node:
            case None:
                return otherwise
            case ast.Constant(int(row)):
                return row
        return -1.0

    one, two = rows(a), rows(b)
    return one is not None and two is not None and (one[1] <= two[0] or two[1] <= one[0])


def _is_out(function: Any, i: int) -> bool:
    return i in written_by(function)


def _clone(node: Any) -> Any:
    return ast.parse(ast.unparse(node)).body[0] if isinstance(node, ast.stmt) else _parsed_expression(ast.unparse(node))


def _parsed(text: str) -> list[ast.stmt]:
    return ast.parse(text).body


def _parsed_expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _range(start: ast.expr, stop: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("range", ast.Load()), [start, stop], [])


#: What is known of kernels is found once, by one thread.
_FINDING = threading.RLock()


_TOGETHER = """

@kernel
def together(data, params, out):
    m = params.shape[0] // {lists}
    f = out.shape[0] // {lists}
    {name}(data, {params}, {out})
"""


@functools.cache
def text_of(kernel: Any, same: Places = ()) -> tuple[str, str] | None:
    """Return the module for `LISTS` lists of a kernel over the same data, and the name in it; None if nothing is won.

    That is where no loop over the rows could be joined: what adds up each window anew never waits. The module's
    `together` takes the arguments of all lists one after the other, and fills the fields of one list after the other.
    `same` are places in them, and what all lists have there: a kernel that branches by the code of an average is made
    for one code.
    """
    if not is_kernel(kernel):  # NUMBA_DISABLE_JIT, or numpy's
        return None
    writer = Writer()
    try:
        with _FINDING:
            fused = writer.write(kernel, (True, False, False), same)
    except (_NotFused, OSError):  # OSError: the source is not there
        return None
    if not fused.loops:
        return None
    each = {
        key: ", ".join(f"{key}[{k} * {size} : {k + 1} * {size}]" for k in range(LISTS))
        for key, size in (("params", "m"), ("out", "f"))
    }
    return writer.text() + _TOGETHER.format(lists=LISTS, name=fused.name, **each), fused.name


#: Kernels that `_rates` has for several lists.
_BY_HAND: Final = frozenset((_roc, _rocp, _rocr, _rocr100))


@functools.cache
def side_by_side(kernel: Any, same: Places = ()) -> Callable[..., None] | None:
    """Return `together(data, params, out)` of a kernel, or None if nothing is won.

    It is a kernel itself, for `LISTS` times as many arguments and fields.
    """
    if kernel in _BY_HAND and is_kernel(kernel):
        by_hand: Callable[..., None] = getattr(import_module("fastbt.indicators._rates"), kernel.py_func.__name__)
        return by_hand
    made = text_of(kernel, same)
    if made is None:
        return None
    text, name = made
    key = f"side_by_side_{hashlib.sha256(text.encode()).hexdigest()[:20]}"
    found: Callable[..., None] = load_generated(text, key, f"{name}, side by side").together
    return found
