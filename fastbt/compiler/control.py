"""Lower control flow: branches, loops, exceptions.

Generated code has no exceptions: what fails sets a status and goes on, which does no harm, as the run is over. Where
an exception may be caught, the status is looked at after each statement that may fail ("guarded"), and what is left is
left by `break`: a block that control can leave is a loop that runs once ("shot").
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fastbt.compiler.assignments import AssignmentLowerer
from fastbt.compiler.cells import leaf_kind
from fastbt.compiler.operators import assign, may_fail
from fastbt.compiler.storage import place_load
from fastbt.compiler.values import (
    Config,
    Conflict,
    Const,
    Group,
    Listing,
    Moment,
    Nothing,
    Number,
    Sequence,
    Text,
    Value,
    join_numpy,
    join_types,
    name,
    parse,
)
from fastbt.types import Status

Body = list[ast.stmt] | Callable[[], bool]


@dataclass(eq=False)
class Frame:
    """Something that control can leave by `break`.

    Attributes
    ----------
    kind : str
        loop, all (an unrolled loop), item (one round of it), shot (try) or last (finally).
    leaves : dict
        For each way out of it that ends further out: the flag that tells so, and the value to return.
    """

    kind: str
    leaves: dict[str, str] = field(default_factory=dict)
    raises: bool = False


class ControlLowerer(AssignmentLowerer):
    """Lower statements that decide which statements run."""

    frames: list[Frame]
    breaks: list[dict[str, Value]]
    continues: list[dict[str, Value]]
    snapshots: list[list[dict[str, Value]]]
    returns: list[Value]

    # --- branches -----------------------------------------------------------------------------------------------
    def branch(self, body: Body, known: dict[str, Value]) -> tuple[list[ast.stmt], dict[str, Value], bool]:
        """Lower a branch on its own."""
        outer, self.out, self.locals = self.out, [], dict(known)
        ends = body() if callable(body) else self.block(body)
        lowered, self.out = self.out, outer
        return lowered or [ast.Pass()], self.locals, ends

    def statement_If(self, node: ast.If) -> bool:
        test = self.truth(node.test)
        if isinstance(test, bool):
            return self.block(node.body if test else node.orelse)
        known = self.config_test(node.test)
        before = dict(self.locals)
        body, after_body, body_ends = self.branch(node.body, before)
        other, after_other, other_ends = self.branch(node.orelse, before) if node.orelse else ([], before, False)
        self.out.append(ast.If(test, body, other if node.orelse else []))
        if body_ends and other_ends:
            return True
        merged = {} if body_ends or other_ends else self.merge(after_body, after_other, known)
        self.locals = after_other if body_ends else after_body if other_ends else merged
        return False

    def chosen_local(self, test: Const | Config, a: Value | None, b: Value | None) -> Value | None:
        """Return a local variable that the configuration chose, or None."""
        if a is None or b is None:
            return None
        found = self.choose(test, a, b)
        if not isinstance(found, Const | Config):
            return found
        if isinstance(a, Number) and isinstance(b, Number) and a.none is None and b.none is None:
            return Number(a.node, join_types(a.type, b.type), join_numpy(a.numpy, b.numpy), None, found)
        if isinstance(a, Text) and isinstance(b, Text) and a.none is None and b.none is None:
            return Text(a.node, None, found)
        return None

    def merge(
        self, first: dict[str, Value], second: dict[str, Value], test: Const | Config | None = None
    ) -> dict[str, Value]:
        """Return what is known of the local variables after either of two paths; `test` chooses, if it is known."""
        merged: dict[str, Value] = {}
        for key in first.keys() | second.keys():
            a, b = first.get(key), second.get(key)
            if test is not None and a is not b and (found := self.chosen_local(test, a, b)) is not None:
                merged[key] = found
            elif a is None or b is None:
                present = a if a is not None else b
                assert present is not None
                if key.startswith("self."):
                    merged[key] = Conflict("orders that were assigned on one path only")
                else:
                    keep = isinstance(present, Number | Text | Moment | Conflict | Listing | Group)
                    merged[key] = present if keep else Conflict("something on one path only")
            else:
                merged[key] = self.merged(key, a, b)
        return merged

    def merged(self, key: str, a: Value, b: Value) -> Value:
        """Return what is known of one name after either of two paths."""
        if isinstance(a, Nothing) or isinstance(b, Nothing):
            return b if isinstance(a, Nothing) else a
        if isinstance(a, Group) and isinstance(b, Group):
            if _same(a, b):
                return a
        elif a is b or a == b:
            return a
        if isinstance(a, Number) and isinstance(b, Number) and _same_code(a.node, b.node):
            none = a.none if a.none is not None else b.none
            if (a.none is None) != (b.none is None):
                self.becomes_nullable(key, a, b)
            return Number(a.node, join_types(a.type, b.type), join_numpy(a.numpy, b.numpy), none)
        if isinstance(a, Text) and isinstance(b, Text) and _same_code(a.node, b.node):
            if (a.none is None) != (b.none is None):
                self.becomes_nullable(key, a, b)
            return Text(a.node, a.none or b.none)
        if isinstance(a, Moment) and isinstance(b, Moment) and a.kind == b.kind and _same_code(a.node, b.node):
            if (a.none is None) != (b.none is None):
                self.becomes_nullable(key, a, b)
            return Moment(a.node, a.kind, a.none or b.none, a.is_aware and b.is_aware)
        if isinstance(a, Group) and isinstance(b, Group) and a.keys == b.keys and len(a.items) == len(b.items):
            items = tuple(
                self.merged(f"{key}__{i}", x, y) for i, (x, y) in enumerate(zip(a.items, b.items, strict=True))
            )
            if a.none == b.none and not any(isinstance(each, Conflict) for each in items):
                lost = None if a.place is None and b.place is None else (None, ast.Constant(0))
                return Group(items, a.fields, a.is_list and b.is_list, a.keys, a.none, place=lost)
        for x, y in ((a, b), (b, a)):
            if isinstance(x, Const) and x.value is None and leaf_kind(y) is not None:
                self.becomes_nullable(key, x, y)
                return Conflict("None or something else, depending on the path")
        return Conflict(f"{self.describe(a)} on one path and {self.describe(b)} on another")

    def becomes_nullable(self, key: str, a: Value, b: Value) -> None:
        """Let a name say everywhere whether it is None, from the next round on."""
        from fastbt.compiler.assignments import local_name
        from fastbt.compiler.cells import Cell, fit

        where = (id(self.method.node), key)
        cell = self.program.nullable_types.setdefault(where, Cell(local_name(key), nullable=True))
        for each in (a, b):
            if leaf_kind(each) is not None and not (isinstance(each, Const) and each.value is None):
                fit(cell, each)
        if key not in self.nullable:
            self.program.changed = True

    # --- loops --------------------------------------------------------------------------------------------------
    def loop(self, make: Callable[[list[ast.stmt]], ast.stmt], body: Body, orelse: list[ast.stmt]) -> bool:
        """Lower a loop body until the types of its variables are stable."""
        known = dict(self.locals)
        outer = self.breaks, self.continues
        broken = self.fresh() if orelse else ""
        lowered: list[ast.stmt] = []
        frame = Frame("loop")
        counters = self.temporaries, self.lists
        for _ in range(6):
            before = dict(known)
            count = len(self.returns)
            self.temporaries, self.lists = counters
            self.breaks, self.continues = [], []
            frame = Frame("loop")
            if broken:
                frame.leaves["broken"] = broken
            self.frames.append(frame)
            lowered, after, ends = self.branch(body, before)
            self.frames.pop()
            if not ends:
                known = self.merge(before, after)
            for each in self.continues:
                known = self.merge(known, each)
            if known == before:
                break
            self.forget_returns(count)
        for each in self.breaks:
            known = self.merge(known, each)
        self.breaks, self.continues = outer
        self.locals = known
        if broken:
            self.out.append(assign(broken, ast.Constant(False)))
        self.begin_leaves(frame)
        self.out.append(make(lowered))
        self.end_leaves(frame, lowered)
        if orelse:
            before = dict(self.locals)
            block, after, ends = self.branch(orelse, before)
            self.out.append(ast.If(ast.UnaryOp(ast.Not(), name(broken)), block, []))
            self.locals = before if ends else self.merge(before, after)
        return False

    def forget_returns(self, count: int) -> None:
        """Drop the return statements of a round of lowering that is repeated."""
        del self.returns[count:]

    def statement_While(self, node: ast.While) -> bool:
        def body() -> bool:
            emitted, test = self.captured(lambda: self.truth(node.test))
            if test is not True:
                code = ast.Constant(test) if isinstance(test, bool) else test
                self.out += emitted
                start = len(self.out)
                self.out.append(ast.If(ast.UnaryOp(ast.Not(), code), [ast.Break()], []))
                self.guard_from(start)
            return self.block(node.body)

        emitted, test = self.captured(lambda: self.truth(node.test))
        if test is False and not emitted:
            return self.block(node.orelse)

        def make(lowered: list[ast.stmt]) -> ast.stmt:
            head = lowered[0]
            if isinstance(head, ast.If) and isinstance(head.test, ast.UnaryOp) and isinstance(head.body[0], ast.Break):
                if not (self.guarded and may_fail(head.test)):
                    return ast.While(head.test.operand, lowered[1:] or [ast.Pass()], [])
            return ast.While(ast.Constant(True), lowered, [])

        return self.loop(make, body, node.orelse)

    def statement_For(self, node: ast.For) -> bool:
        value = self.lower_iterable(node.iter)
        if isinstance(value, Const) and isinstance(value.value, range) and isinstance(node.target, ast.Name):
            return self.over_range(node, node.target.id, value.value)
        items = self.static_items(value)
        if items is not None:
            return self.unrolled(node, items)
        if isinstance(value, Conflict):
            self.refuse(node.iter, value.reason)
        sequence = self.sequence(self.nullable_leaf(value))
        if sequence is None:
            what = self.describe(value)
            self.refuse(node.iter, f"for is compiled over range(...), lists, windows and tuples, not {what}")
        if sequence.cell is not None and not sequence.cell.temporary:
            return self.over_list(node, sequence)
        length = self.temporary(sequence.length)
        index = self.fresh()
        direct = isinstance(node.target, ast.Name) and value is sequence and _is_count(sequence)
        if direct:
            assert isinstance(node.target, ast.Name)
            from fastbt.compiler.assignments import local_name

            index = local_name(node.target.id)

        def body() -> bool:
            if direct:
                assert isinstance(node.target, ast.Name)
                self.locals[node.target.id] = Number(name(index), "int", False)
            else:
                self.assign_target(node.target, sequence.at(name(index)), node)
            return self.block(node.body)

        iterable = ast.Call(name("range"), [length], [])
        target = ast.Name(index, ast.Store())
        return self.loop(lambda lowered: ast.For(target, iterable, lowered, []), body, node.orelse)

    def over_range(self, node: ast.For, key: str, whole: range) -> bool:
        """Lower a loop over a range of constants."""
        from fastbt.compiler.assignments import local_name

        def body() -> bool:
            self.locals[key] = Number(name(local_name(key)), "int", False)
            return self.block(node.body)

        bounds = [whole.stop] if (whole.start, whole.step) == (0, 1) else [whole.start, whole.stop, whole.step]
        iterable = ast.Call(name("range"), [parse(str(each)) for each in bounds], [])
        target = ast.Name(local_name(key), ast.Store())
        return self.loop(lambda lowered: ast.For(target, iterable, lowered, []), body, node.orelse)

    def over_list(self, node: ast.For, sequence: Sequence) -> bool:
        """Lower a loop over a list, which may change on the way."""
        assert sequence.cell is not None
        index, at = self.fresh(), self.fresh()
        self.out.append(assign(index, ast.Constant(0)))

        def body() -> bool:
            self.out.append(assign(at, name(index)))
            self.out.append(assign(index, parse("I + 1", I=name(index))))
            self.assign_target(node.target, self.settle(sequence.at(name(at))), node)
            return self.block(node.body)

        test = parse("I < N", I=name(index), N=sequence.length)
        return self.loop(lambda lowered: ast.While(test, lowered, []), body, node.orelse)

    def unrolled(self, node: ast.For, items: tuple[Value, ...]) -> bool:
        """Lower a loop over a tuple or list that is known item by item: its body once for each."""
        inner = ast.walk(ast.Module(node.body, []))
        leaves = hasattr(node, "leaves") or any(isinstance(each, ast.Break | ast.Continue) for each in inner)
        if leaves:
            return self.unrolled_shots(node, items)
        for item in items:
            self.bind_item(node.target, item, node)
            if self.block(node.body):
                return True
        return self.block(node.orelse)

    def unrolled_shots(self, node: ast.For, items: tuple[Value, ...]) -> bool:
        """Lower an unrolled loop that break or continue may leave."""
        outer = self.breaks, self.continues
        self.breaks = []
        broken = self.fresh() if node.orelse else ""

        def all_items() -> bool:
            for item in items:
                self.continues = []

                def one(item: Value = item) -> bool:
                    self.bind_item(node.target, item, node)
                    return self.block(node.body)

                ends = self.shot("item", one)
                for each in self.continues:
                    self.locals = self.merge(self.locals, each) if not ends else dict(each)
                    ends = False
                if ends:
                    return True
            return False

        frame_leaves = {"broken": broken} if broken else {}
        if broken:
            self.out.append(assign(broken, ast.Constant(False)))
        ends = self.shot("all", all_items, frame_leaves)
        for each in self.breaks:
            self.locals = self.merge(self.locals, each) if not ends else dict(each)
            ends = False
        self.breaks, self.continues = outer
        if node.orelse:
            before = dict(self.locals)
            block, after, else_ends = self.branch(node.orelse, before)
            self.out.append(ast.If(ast.UnaryOp(ast.Not(), name(broken)), block, []))
            self.locals = before if else_ends else self.merge(before, after)
        return ends

    def shot(self, kind: str, body: Callable[[], bool], leaves: dict[str, str] | None = None) -> bool:
        """Lower a block that can be left; return True if control never reaches its end."""
        frame = Frame(kind, dict(leaves or {}))
        self.frames.append(frame)
        outer, self.out = self.out, []
        ends = body()
        lowered, self.out = self.out, outer
        self.frames.pop()
        self.begin_leaves(frame)
        self.out.append(self.once(lowered))
        self.end_leaves(frame, lowered)
        return ends

    def once(self, lowered: list[ast.stmt]) -> ast.stmt:
        """Return a block that `break` leaves; who looks at the status behind it is whoever made it."""
        made: Any = ast.While(ast.Constant(True), [*lowered, ast.Break()], [])
        made.is_guarded = True
        return made  # type: ignore[no-any-return]

    def begin_leaves(self, frame: Frame) -> None:
        """Emit that none of the ways out was taken yet."""
        for way, flag in frame.leaves.items():
            if way != "broken":
                self.out.append(assign(flag, ast.Constant(False)))

    def end_leaves(self, frame: Frame, lowered: list[ast.stmt]) -> None:
        """Emit, behind a frame, what goes further out."""
        for way, flag in frame.leaves.items():
            if way == "broken":
                continue
            outer, self.out = self.out, []
            self.exit(way)
            block, self.out = self.out, outer
            self.out.append(ast.If(name(flag), block, []))
        if self.guarded and any(may_fail(each) for each in lowered) and frame.kind in ("loop", "all", "item"):
            self.out.append(self.check())

    # --- ways out -----------------------------------------------------------------------------------------------
    def target_of(self, way: str) -> Frame | None:
        """Return the frame at which a way out ends or waits; None for the method itself."""
        kinds = {"break": ("loop", "all"), "continue": ("loop", "item")}
        for frame in reversed(self.frames):
            if frame.kind == "last" or frame.kind in kinds.get(way, ()):
                return frame
        return None

    def exit(self, way: str) -> None:
        """Emit break, continue or return from wherever control is."""
        target = self.target_of(way)
        if target is None:
            self.emit_return(way)
            return
        frame = self.frames[-1]
        if frame is target and frame.kind != "last":
            if way == "break" and "broken" in frame.leaves:
                self.out.append(assign(frame.leaves["broken"], ast.Constant(True)))
            self.out.append(ast.Continue() if way == "continue" and frame.kind == "loop" else ast.Break())
            return
        flag = frame.leaves.get(way)
        if flag is None:
            flag = frame.leaves[way] = self.fresh()
        self.out.append(assign(flag, ast.Constant(True)))
        self.out.append(ast.Break())

    def emit_return(self, way: str) -> None:
        """Emit the return of the value that waits."""
        raise NotImplementedError

    def statement_Break(self, node: ast.Break) -> bool:
        self.breaks.append(dict(self.locals))
        self.exit("break")
        return True

    def statement_Continue(self, node: ast.Continue) -> bool:
        self.continues.append(dict(self.locals))
        self.exit("continue")
        return True

    # --- exceptions ---------------------------------------------------------------------------------------------
    def check(self) -> ast.stmt:
        """Return the statement that leaves if the run has failed."""
        outer, self.out = self.out, []
        if self.frames:
            self.out.append(ast.Break())
        else:
            self.leave_failed()
        block, self.out = self.out, outer
        return ast.If(parse("s.status != 0"), block, [])

    def leave_failed(self) -> None:
        """Emit a return whose value is never used."""
        raise NotImplementedError

    def guard_from(self, start: int) -> None:
        """Look at the status behind each of the emitted statements from `start` on that may fail."""
        if not self.guarded:
            return
        emitted, self.out = self.out[start:], self.out[:start]
        for each in emitted:
            if getattr(each, "is_guarded", False):
                self.out.append(each)
            else:
                self.guard(each)
        for each in self.out[start:]:
            each.is_guarded = True  # type: ignore[attr-defined]

    def guard(self, node: ast.stmt) -> None:
        """Emit a statement and the look at the status."""
        match node:
            case ast.Assign([target], value) if may_fail(value) or may_fail(target):
                if isinstance(target, ast.Name) and target.id.startswith("t") and target.id.endswith("_"):
                    self.out += [node, self.check()]
                    return
                held = self.fresh()
                self.out += [assign(held, value), self.check(), ast.Assign([target], name(held))]
            case ast.Expr(value) if may_fail(value):
                self.out += [node, self.check()]
            case ast.If(test) if may_fail(test):
                held = self.fresh()
                self.out += [
                    assign(held, test),
                    self.check(),
                    ast.If(name(held), self.guarded_block(node.body), self.guarded_block(node.orelse)),
                ]
            case ast.If():
                self.out.append(ast.If(node.test, self.guarded_block(node.body), self.guarded_block(node.orelse)))
            case ast.Return(value) if value is not None and may_fail(value):
                held = self.fresh()
                self.out += [assign(held, value), self.check(), ast.Return(name(held))]
            case ast.For() if may_fail(node):
                self.out += [node, self.check()]
                node.body = self.loop_body(node.body)
            case ast.While() if may_fail(node):
                node.body = self.loop_body(node.body)
                self.out += [node, self.check()]
            case _:
                self.out.append(node)

    def guarded_block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return a block, guarded."""
        outer, self.out = self.out, list(body)
        self.guard_from(0)
        block, self.out = self.out, outer
        return block

    def loop_body(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return the body of a loop that the compiler made, guarded."""
        if all(getattr(each, "is_guarded", False) for each in body):
            return body
        self.frames.append(Frame("loop"))
        block = self.guarded_block(body)
        self.frames.pop()
        return block

    def statement_Try(self, node: ast.Try) -> bool:
        if node.finalbody:
            return self.try_finally(node)
        return self.try_except(node)

    def try_except(self, node: ast.Try) -> bool:
        """Lower try, except and else."""
        # What failed before is not caught here.
        self.out.append(self.check())
        before = dict(self.locals)
        outer_guarded, self.guarded = self.guarded, True
        self.impure = True
        self.snapshots.append([before])
        done = self.fresh()
        self.out.append(assign(done, ast.Constant(False)))

        def body() -> bool:
            ends = self.block(node.body)
            if not ends:
                self.out.append(assign(done, ast.Constant(True)))
            return ends

        ends = self.shot("shot", body)
        after_body = dict(self.locals)
        self.guarded = outer_guarded
        seen = self.snapshots.pop()
        at_failure = dict(seen[0])
        for each in seen[1:]:
            at_failure = self.merge(at_failure, each)
        paths: list[dict[str, Value]] = []
        if not ends:
            if node.orelse:
                block, after, else_ends = self.branch(node.orelse, after_body)
                self.out.append(ast.If(name(done), block, []))
                if not else_ends:
                    paths.append(after)
            else:
                paths.append(after_body)
        chain: list[ast.stmt] = []
        place = chain
        for handler in node.handlers:
            test = self.caught(handler)
            saved = self.fresh()
            known = dict(at_failure)
            if handler.name:
                known[handler.name] = Conflict("an exception, which only logging may use")

            def handle(handler: ast.ExceptHandler = handler, saved: str = saved) -> bool:
                self.out += [assign(saved, parse("s.status")), assign("s.status", ast.Constant(0))]
                self.caught_status.append(saved)
                ends = self.block(handler.body)
                self.caught_status.pop()
                return ends

            block, after, handler_ends = self.branch(handle, known)
            if handler.name:
                after.pop(handler.name, None)
            if not handler_ends:
                paths.append(after)
            branch = ast.If(test, block, [])
            place.append(branch)
            place = branch.orelse
        # An exception of the else clause is not caught here.
        self.out.append(ast.If(parse("not D and s.status != 0", D=name(done)), chain, []))
        self.out.append(self.check())
        if not paths:
            return True
        self.locals = paths[0]
        for each in paths[1:]:
            self.locals = self.merge(self.locals, each)
        return False

    caught_status: list[str]

    def caught(self, handler: ast.ExceptHandler) -> ast.expr:
        """Return the code of whether a handler catches the exception at hand."""
        codes = exception_codes()
        if handler.type is None:
            return parse("s.status < 100")
        value = self.lower(handler.type)
        group = value.items if isinstance(value, Group) else (value,)
        wanted: set[int] = set()
        for each in group:
            if isinstance(each, Const) and isinstance(each.value, tuple):
                classes = each.value
            else:
                classes = (each.value,) if isinstance(each, Const) else ()
            if not classes or not all(
                isinstance(found, type) and issubclass(found, BaseException) for found in classes
            ):
                self.refuse(handler, "except is compiled for exceptions that are named: except ZeroDivisionError")
            for found in classes:
                wanted |= {code for code, cls in codes.items() if issubclass(cls, found)}
                if found in (Exception, BaseException):
                    return parse("s.status < 100")
        if not wanted:
            return ast.Constant(False)
        tests = [parse(f"s.status == {code}") for code in sorted(wanted)]
        return tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)

    def try_finally(self, node: ast.Try) -> bool:
        """Lower try with finally: what leaves waits until the last block has run."""
        self.out.append(self.check())
        outer_guarded, self.guarded = self.guarded, True
        self.impure = True
        before = dict(self.locals)
        self.snapshots.append([before])
        inner: list[ast.stmt] = node.body
        if node.handlers:
            inner = [ast.copy_location(ast.Try(node.body, node.handlers, node.orelse, []), node)]
        frame = Frame("last")
        self.frames.append(frame)
        outer, self.out = self.out, []
        ends = self.block(inner)
        lowered, self.out = self.out, outer
        self.frames.pop()
        seen = [*self.snapshots.pop(), self.locals]
        self.guarded = outer_guarded
        for way, flag in frame.leaves.items():
            if way != "broken":
                self.out.append(assign(flag, ast.Constant(False)))
        self.out.append(self.once(lowered))
        known = dict(seen[0])
        for each in seen[1:]:
            known = self.merge(known, each)
        saved = self.fresh()
        self.out += [assign(saved, parse("s.status")), assign("s.status", ast.Constant(0))]
        body, after, last_ends = self.branch(node.finalbody, known)
        self.out += body
        self.locals = after
        if last_ends:
            return True
        self.out.append(ast.If(parse("s.status == 0"), [assign("s.status", name(saved))], []))
        self.out.append(self.check())
        self.end_leaves(frame, [])
        return ends

    def assign_s(self, path: str, value: ast.expr) -> ast.stmt:
        """Return an assignment to a field of the state."""
        return ast.Assign([place_load(parse(path))], value)


def exception_codes() -> dict[int, type[BaseException]]:
    """Return the exception that each status stands for."""
    import builtins

    from fastbt.engine import jesse_exceptions

    found: dict[int, type[BaseException]] = {}
    for status in Status:
        key = status.jesse_exception
        if key is not None:
            cls: Any = getattr(builtins, key, None) or getattr(jesse_exceptions, key, Exception)
            found[int(status)] = cls
    return found


def _same_code(a: ast.expr, b: ast.expr) -> bool:
    return a is b or ast.unparse(a) == ast.unparse(b)


def _same(a: Group, b: Group) -> bool:
    """Tell whether two groups are the same names."""
    if (a.keys, a.fields, a.is_list, len(a.items)) != (b.keys, b.fields, b.is_list, len(b.items)):
        return False
    if (a.place is None) != (b.place is None):
        return False
    if a.place is not None and b.place is not None:
        if a.place[0] is not b.place[0] or not _same_code(a.place[1], b.place[1]):
            return False
    for x, y in zip(a.items, b.items, strict=True):
        if x is y or x == y:
            continue
        if isinstance(x, Group) and isinstance(y, Group) and _same(x, y):
            continue
        if type(x) is type(y) and isinstance(x, Number | Text | Moment):
            assert isinstance(y, Number | Text | Moment)
            same_none = (x.none is None) == (y.none is None)
            kinds = (getattr(x, "type", None), getattr(x, "numpy", None), getattr(x, "constant", None))
            others = (getattr(y, "type", None), getattr(y, "numpy", None), getattr(y, "constant", None))
            if same_none and kinds == others and _same_code(x.node, y.node):
                continue
        return False
    return True


def _is_count(sequence: Sequence) -> bool:
    """Tell whether a sequence is that of its own indices."""
    probe = ast.Name("probe", ast.Load())
    item = sequence.at(probe)
    return isinstance(item, Number) and item.node is probe
