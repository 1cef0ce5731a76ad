"""Lower comparisons, `and`, `or` and conditional expressions."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import partial
from typing import Any

from fastbt.compiler.cells import as_group, is_none, none_code
from fastbt.compiler.operators import assign as _assign
from fastbt.compiler.operators import cast
from fastbt.compiler.storage import StorageLowerer
from fastbt.compiler.values import (
    Bound,
    Config,
    Conflict,
    Const,
    Group,
    Listing,
    Moment,
    Nothing,
    Number,
    Part,
    Points,
    Sequence,
    Series,
    Text,
    Value,
    Window,
    join_numpy,
    join_types,
    name,
    parse,
)
from fastbt.errors import CompileError

_ORDER = ast.Lt | ast.LtE | ast.Gt | ast.GtE
_NUMERIC = _ORDER | ast.Eq | ast.NotEq


class ComparisonLowerer(StorageLowerer):
    """Lower what is true or false, and what is chosen by it."""

    def lower_BoolOp(self, node: ast.BoolOp) -> Value:
        is_and = isinstance(node.op, ast.And)
        operands: list[tuple[list[ast.stmt], Value]] = []
        for each in node.values:
            emitted, value = self.captured(lambda each=each: self.lower(each))  # type: ignore[misc]
            if isinstance(value, Const) and bool(value.value) is is_and and each is not node.values[-1]:
                self.out += emitted
                continue  # what this is never matters
            operands.append((emitted, value))
            if isinstance(value, Const) and bool(value.value) is not is_and:
                break  # the rest is never evaluated
        values = [value for _, value in operands]
        if len(values) == 1:
            self.out += operands[0][0]
            return values[0]
        if all(isinstance(each, Const | Config) for each in values):
            return self.config(ast.BoolOp(node.op, [self.program.config_node(each) for each in values]), node)
        texts = [self.program.text(each) for each in values]
        if all(text is not None for text in texts):
            return self.joined_texts(node, is_and, operands)
        numbers = [self.program.materialise(each) for each in values]
        plain = [each for each in numbers if each is not None]
        if len(plain) < len(numbers) or all(each.type == "bool" and each.none is None for each in plain):
            # Lowered anew as conditions.
            truth = self.truth(node)
            return Const(truth) if isinstance(truth, bool) else Number(truth, "bool", False)
        type_ = plain[0].type
        for number in plain:
            type_ = join_types(type_, number.type)
        self.out += operands[0][0]
        codes = [cast(each, type_) for each in plain]
        if not any(emitted for emitted, _ in operands[1:]) and all(each.none is None for each in plain):
            return Number(ast.BoolOp(node.op, codes), type_, None)
        key = self.fresh()
        flag = f"{key}none" if any(each.none is not None for each in plain) else None
        block = self.out
        for i, ((emitted, _), number, code) in enumerate(zip(operands, plain, codes, strict=True)):
            inner: list[ast.stmt] = [] if i == 0 else list(emitted)
            inner.append(_assign(key, code))
            if flag is not None:
                inner.append(_assign(flag, number.none or ast.Constant(False)))
            if i == 0:
                block += inner
                continue
            test = parse("T != 0" if flag is None else "not NONE and T != 0", T=name(key), NONE=name(flag or key))
            block.append(ast.If(test if is_and else ast.UnaryOp(ast.Not(), test), inner, []))
            block = inner
        # `x or 3` is never None, whatever x is.
        never = flag is None or (not is_and and plain[-1].none is None)
        return Number(name(key), type_, None, None if never else name(str(flag)))

    def joined_texts(self, node: ast.BoolOp, is_and: bool, operands: list[tuple[list[ast.stmt], Value]]) -> Value:
        """Lower `text or "other"`: one of the strings."""
        self.out += operands[0][0]
        first = self.settle_text(operands[0][1])
        for emitted, value in operands[1:]:
            truth = self.value_truth(first, node)
            test = ast.Constant(truth) if isinstance(truth, bool) else truth
            other = self.program.text(value)
            assert other is not None
            kept: tuple[list[ast.stmt], Text] = ([], first)
            taken = (emitted, other)
            first = self.chosen_text(test, taken if is_and else kept, kept if is_and else taken)
            if not is_and and other.none is None:
                first = replace(first, none=None)
        return first

    def settle_text(self, value: Value) -> Text:
        """Fix a string now."""
        text = self.program.text(value)
        assert text is not None
        return Text(self.temporary(text.node), None if text.none is None else self.temporary(text.none))

    def chosen_text(
        self, test: ast.expr, first: tuple[list[ast.stmt], Text], second: tuple[list[ast.stmt], Text]
    ) -> Text:
        """Return one of two strings."""
        key = self.fresh()
        has_none = first[1].none is not None or second[1].none is not None
        blocks = []
        for emitted, text in (first, second):
            block = [*emitted, _assign(key, text.node)]
            if has_none:
                block.append(_assign(f"{key}none", text.none or ast.Constant(False)))
            blocks.append(block)
        self.out.append(ast.If(test, *blocks))
        return Text(name(key), name(f"{key}none") if has_none else None)

    def lower_Compare(self, node: ast.Compare) -> Value:
        nodes = [node.left, *node.comparators]
        nodes = [
            ast.copy_location(ast.Tuple(each.elts, ast.Load()), each) if isinstance(each, ast.Set) else each
            for each in nodes
        ]
        # The hyper-parameters as a whole are known before the run, as each of them is.
        hp = ast.Name("hp", ast.Load())
        values = [
            self.config(hp, node) if isinstance(each, Part) and each.name == "hp" else each
            for each in self.lower_all(nodes)
        ]
        for op, a, b in zip(node.ops, nodes, nodes[1:], strict=False):
            if isinstance(op, ast.Is | ast.IsNot) and any(map(_is_literal, (a, b))):
                self.refuse(node, "is and is not are compiled for None, True and False only; use ==")
        if all(isinstance(each, Const | Config) for each in values):
            codes = [self.program.config_node(each) for each in values]
            return self.config(ast.Compare(codes[0], node.ops, codes[1:]), node)
        if len(values) > 2 and all(isinstance(op, _NUMERIC) for op in node.ops):
            numbers = [self.program.materialise(each) for each in values]
            if all(each is not None and each.none is None for each in numbers):
                plain = [each for each in numbers if each is not None]
                kinds = {of_both(a, b) for a, b in zip(plain, plain[1:], strict=False)}
                numpy = kinds.pop() if len(kinds) == 1 else None
                return Number(ast.Compare(plain[0].node, node.ops, [each.node for each in plain[1:]]), "bool", numpy)
        if len(values) > 2:
            # What stands in two comparisons is evaluated once.
            values = [values[0], *(self.settle(each) for each in values[1:-1]), values[-1]]
        parts = [
            self.compare(op, (a, x), (b, y), node)
            for op, a, b, x, y in zip(node.ops, values, values[1:], nodes, nodes[1:], strict=False)
        ]
        result = parts[0]
        for each in parts[1:]:
            if isinstance(result, Const):
                result = each if result.value else result
            elif isinstance(each, Const):
                result = result if each.value else each
            else:
                if not isinstance(result, Number) or not isinstance(each, Number):
                    self.refuse(node, "a chain of comparisons needs the truth of an array; join two by &")
                result = Number(parse("A and B", A=result.node, B=each.node), "bool", None)
        return result

    def compare(
        self, op: ast.cmpop, left: tuple[Value, ast.expr], right: tuple[Value, ast.expr], node: ast.Compare
    ) -> Value:
        """Lower one comparison."""
        (a, x), (b, y) = left, right
        if isinstance(op, ast.Is | ast.IsNot):
            return self.identity(op, a, b, node)
        if isinstance(op, ast.In | ast.NotIn):
            return self.membership(op, a, b, node)

        def each(first: Number, second: Number) -> Number:
            return Number(ast.Compare(first.node, [op], [second.node]), "bool", True)

        own = self.kernel_operation([a, b], each, node, own=True)
        if own is not None:
            return own
        if isinstance(op, ast.Eq | ast.NotEq):
            equal = isinstance(op, ast.Eq)
            for value, other in ((a, b), (b, a)):
                if is_none(value) and not isinstance(other, Const | Config | Points | Window | Series):
                    return self.identity(ast.Is() if equal else ast.IsNot(), a, b, node)
            found = self.equal(a, b, node)
            if found is not None:
                if isinstance(found, bool):
                    return Const(found is equal)
                return Number(found if equal else ast.UnaryOp(ast.Not(), found), "bool", False)
        moments = self.program.moment(a), self.program.moment(b)
        if moments[0] is not None and moments[1] is not None:
            return self.compare_moments(op, moments[0], moments[1], node)
        if self.program.text(a) is not None and self.program.text(b) is not None:
            return self.ordered_texts(op, a, b, node)
        array = self.array_operation(
            [a, b],
            lambda codes: ast.Compare(codes[0], [op], [codes[1]]),
            lambda items: each(*items),
            node,
        )
        if array is None:
            array = self.kernel_operation([a, b], each, node)
        if array is not None:
            return array
        first, second = self.as_number(a, x), self.as_number(b, y)
        return Number(ast.Compare(first.node, [op], [second.node]), "bool", of_both(first, second))

    def ordered_texts(self, op: ast.cmpop, a: Value, b: Value, node: ast.Compare) -> Value:
        """Refuse < and > between strings; see `moments` for the times of day among them."""
        self.refuse(node, "strings are compared with ==, != and in only")

    def compare_moments(self, op: ast.cmpop, a: Moment, b: Moment, node: ast.Compare) -> Value:
        """Compare two points in time."""
        if a.kind != b.kind or a.is_aware != b.is_aware:
            if isinstance(op, ast.Eq | ast.NotEq):
                return Const(isinstance(op, ast.NotEq))
            self.refuse(node, f"{self.describe(a)} and {self.describe(b)} cannot be compared")
        return Number(ast.Compare(self.present(a), [op], [self.present(b)]), "bool", False)

    def present(self, value: Text | Moment) -> ast.expr:
        """Return the code of a string or moment, where None raises."""
        if value.none is None:
            return value.node
        return parse("_present(s, NONE, VALUE)", NONE=value.none, VALUE=value.node)

    def equal(self, a: Value, b: Value, node: ast.AST) -> ast.expr | bool | None:
        """Return the code of a == b for anything but two numbers; None for those."""
        for value in (a, b):
            if isinstance(value, Part):
                self.refuse(node, f"{self.describe(value)} is not compared as a whole here")
        a, b = as_group(a), as_group(b)
        if isinstance(a, Group) or isinstance(b, Group):
            if not (isinstance(a, Group) and isinstance(b, Group)):
                if isinstance(a, Listing) or isinstance(b, Listing):
                    return self.equal_lists(a, b, node)
                return False
            return self.equal_groups(a, b, node)
        if isinstance(a, Listing) or isinstance(b, Listing):
            return self.equal_lists(a, b, node)
        first_text, second_text = self.program.text(a), self.program.text(b)
        moments = self.program.moment(a), self.program.moment(b)
        if first_text is not None or second_text is not None:
            if first_text is None or second_text is None:
                return False  # a number never equals a string
            return self.text_equal(first_text, second_text, True).node
        if moments[0] is not None or moments[1] is not None:
            if moments[0] is None or moments[1] is None or moments[0].kind != moments[1].kind:
                return False
            return self.both_present(moments[0], moments[1])
        first, second = self.program.materialise(a), self.program.materialise(b)
        if first is not None and second is not None and (first.none is not None or second.none is not None):
            return self.both_present(first, second)
        return None

    def both_present(self, a: Any, b: Any) -> ast.expr:
        """Return the code of a == b where either may be None."""
        code: ast.expr = ast.Compare(a.node, [ast.Eq()], [b.node])
        if a.none is None and b.none is None:
            return code
        if a.none is not None and b.none is not None:
            return parse("(A and B) or (not A and not B and CODE)", A=a.none, B=b.none, CODE=code)
        return parse("not NONE and CODE", NONE=a.none or b.none, CODE=code)

    def equal_groups(self, a: Group, b: Group, node: ast.AST) -> ast.expr | bool:
        """Compare tuples, lists or dicts item by item."""
        if a.is_list != b.is_list and a.keys is None and b.keys is None:
            return False
        if (a.keys is None) != (b.keys is None) or len(a.items) != len(b.items):
            return False
        others = b.items
        if a.keys is not None and b.keys is not None:
            if set(a.keys) != set(b.keys):
                return False
            others = tuple(b.items[b.keys.index(key)] for key in a.keys)
        codes: list[ast.expr] = []
        for first, second in zip(a.items, others, strict=True):
            found = self.equal(first, second, node)
            if found is False:
                return False
            if found is None:
                left, right = self.as_number(first, node), self.as_number(second, node)
                found = ast.Compare(left.node, [ast.Eq()], [right.node])
            if not isinstance(found, bool):
                codes.append(found)
        if not codes:
            return True
        return codes[0] if len(codes) == 1 else ast.BoolOp(ast.And(), codes)

    def equal_lists(self, a: Value, b: Value, node: ast.AST) -> ast.expr:
        """Return the code of whether two lists are equal; see `sequences`."""
        raise NotImplementedError

    def text_equal(self, a: Text, b: Text, equal: bool) -> Number:
        """Compare two strings; None equals no string."""
        code = self.both_present(a, b) if a.none is not None and b.none is not None else None
        if code is None:
            code = ast.Compare(a.node, [ast.Eq()], [b.node])
            for none in (a.none, b.none):
                if none is not None:
                    code = parse("not NONE and CODE", NONE=none, CODE=code)
        return Number(code if equal else ast.UnaryOp(ast.Not(), code), "bool", False)

    def identity(self, op: ast.cmpop, a: Value, b: Value, node: ast.Compare) -> Value:
        """Lower `is` and `is not`, which compile for None, True, False and members of an enum."""
        if isinstance(a, Const):
            a, b = b, a
        wanted = isinstance(op, ast.Is)
        if isinstance(b, Const) and self.is_enum(b.value) and self.program.text(a) is not None:
            text = self.program.text(a), self.program.text(b)
            assert text[0] is not None and text[1] is not None
            return self.text_equal(text[0], text[1], wanted)
        if not isinstance(b, Const) or not (b.value is None or isinstance(b.value, bool)):
            self.refuse(node, "is and is not are compiled for None, True and False only; use ==")
        if isinstance(b.value, bool):
            if self.program.materialise(a) is None:
                return Const(not wanted)
            number = self.as_number(a, node)
            if number.type != "bool" or number.numpy:
                return Const(not wanted)  # numpy's True is not True
            if number.numpy is None:
                self.refuse(node, "whether this is Python's own True or numpy's is not known; leave `is True` out")
            return Number(
                ast.Compare(number.node, [ast.Eq() if wanted else ast.NotEq()], [ast.Constant(b.value)]), "bool"
            )
        none = self.points_none(a) if isinstance(a, Points) else getattr(a, "none", None)
        if none is None:
            return Const(is_none(a) is wanted)
        return Number(none if wanted else ast.UnaryOp(ast.Not(), none), "bool", False)

    def points_none(self, value: Points) -> ast.expr:
        """Return the code that tells whether orders are None; see `orders`."""
        raise NotImplementedError

    def is_enum(self, value: Any) -> bool:
        """Tell whether something is a member of an enum."""
        from enum import Enum

        return isinstance(value, Enum)

    def membership(self, op: ast.cmpop, value: Value, group: Value, node: ast.Compare) -> Value:
        """Lower `in` over a tuple, list or dict whose items are known, and over a list."""
        wanted = isinstance(op, ast.In)
        if isinstance(group, Part) and group.name == "vars":
            return self.vars_has(value, wanted, node)
        if isinstance(group, Const) and isinstance(group.value, set | frozenset | range):
            group = Group(tuple(Const(each) for each in group.value))
        group = as_group(group)
        if isinstance(group, Listing):
            found: ast.expr = parse("F >= 0", F=self.index_in(group, value, node))
            return Number(found if wanted else ast.UnaryOp(ast.Not(), found), "bool", False)
        if not isinstance(group, Group):
            self.refuse(node, "in is compiled for tuples, lists and dicts")
        group = self.nullable_leaf(group)
        assert isinstance(group, Group)
        items = group.items if group.keys is None else tuple(map(Const, group.keys))
        if isinstance(value, Const) and isinstance(value.value, str) and group.keys is not None:
            return self.has_key(group, value.value, wanted)
        settled = self.settle(value)
        tests: list[ast.expr] = []
        for each in items:
            found_here = self.equal(settled, each, node)
            if found_here is None:
                if self.program.materialise(each) is None or is_none(settled):
                    continue
                first, second = self.as_number(settled, node.left), self.as_number(each, node)
                found_here = ast.Compare(first.node, [ast.Eq()], [second.node])
            if found_here is True or (is_none(each) and is_none(settled)):
                return Const(wanted)
            if is_none(each) and getattr(settled, "none", None) is not None:
                found_here = none_code(settled)
            if not isinstance(found_here, bool):
                tests.append(found_here)
        if not tests:
            return Const(not wanted)
        code = tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)
        return Number(code if wanted else ast.UnaryOp(ast.Not(), code), "bool", False)

    def has_key(self, group: Group, key: str, wanted: bool) -> Value:
        """Tell whether a dict has a key, which may come and go."""
        assert group.keys is not None
        return Const((key in group.keys) is wanted)

    def vars_has(self, value: Value, wanted: bool, node: ast.AST) -> Value:
        """Lower `key in self.vars`; see `attributes`."""
        raise NotImplementedError

    def index_in(self, listing: Listing, value: Value, node: ast.AST) -> ast.expr:
        """Emit a search in a list, and return the code of where the value is, or -1; see `sequences`."""
        raise NotImplementedError

    def known_choice(self, node: ast.IfExp) -> Value | None:
        """Return a choice that Python can make before the run, or None if it is none."""
        codes: list[ast.expr] = []
        out, before = self.out, (dict(self.locals), self.temporaries, self.lists)
        for part in (node.test, node.body, node.orelse):
            try:
                emitted, value = self.captured(partial(self.lower, part))
            except CompileError:
                emitted, value = [], Conflict("nothing")
            if emitted or not isinstance(value, Const | Config) or (not codes and isinstance(value, Const)):
                self.out, (self.locals, self.temporaries, self.lists) = out, before
                return None
            codes.append(self.program.config_node(value))
        return self.config(ast.IfExp(*codes), node)

    def lower_IfExp(self, node: ast.IfExp) -> Value:
        known = self.known_choice(node)
        if known is not None:
            return known
        test = self.truth(node.test)
        if isinstance(test, bool):
            return self.lower(node.body if test else node.orelse)
        first_emitted, body = self.captured(lambda: self.lower(node.body))
        second_emitted, other = self.captured(lambda: self.lower(node.orelse))
        return self.chosen(test, (first_emitted, body), (second_emitted, other), node)

    def chosen(
        self,
        test: ast.expr,
        first: tuple[list[ast.stmt], Value],
        second: tuple[list[ast.stmt], Value],
        node: ast.AST,
    ) -> Value:
        """Return one of two values, of which only the one that is chosen happens."""
        first_emitted, body = first
        second_emitted, other = second
        if isinstance(body, Nothing) or isinstance(other, Nothing):
            return self.chosen_beside_nothing(test, first, second, node)
        emits = bool(first_emitted or second_emitted)
        for a, b in ((body, other), (other, body)):
            if isinstance(a, Conflict):
                return a
            if isinstance(a, Series | Sequence | Listing | Points | Bound) and a is not b:
                self.refuse(node, f"{self.describe(a)} in a conditional expression is not compiled; use if and else")
        groups = as_group(body), as_group(other)
        if isinstance(groups[0], Group) and isinstance(groups[1], Group):
            a, b = groups
            assert isinstance(a, Group) and isinstance(b, Group)
            if len(a.items) == len(b.items) and a.keys == b.keys:
                # Both arms are fixed in their own branch.
                ready = self.temporary(test)
                parts = [
                    self.chosen(ready, ([], x), ([], y), node)
                    for x, y in zip(
                        *(self.in_branch(ready, i, (first_emitted, a), (second_emitted, b)) for i in (0, 1)),
                        strict=True,
                    )
                ]
                return replace(a, items=tuple(parts))
            self.refuse(node, "the arms of this conditional expression have different shapes; use if and else")
        for i, (group, nothing) in enumerate(((groups[0], other), (groups[1], body))):
            if isinstance(group, Group) and group.none is None and is_none(nothing):
                ready = self.temporary(test)
                arms = (first_emitted, group), (second_emitted, group)
                items = self.in_branch(ready, i, *arms)
                rest = second_emitted if i == 0 else first_emitted
                if rest:
                    self.out.append(ast.If(ast.UnaryOp(ast.Not(), ready) if i == 0 else ready, rest, []))
                none = ast.UnaryOp(ast.Not(), ready) if i == 0 else ready
                return replace(group, items=items, none=none, cell=None)
        texts = self.program.text(body), self.program.text(other)
        if (texts[0] is not None or is_none(body)) and (texts[1] is not None or is_none(other)):
            nothing = Text(ast.Constant(-1), ast.Constant(True))
            if emits or None in texts or (texts[0] and texts[0].none) or (texts[1] and texts[1].none):
                return self.chosen_text(
                    test, (first_emitted, texts[0] or nothing), (second_emitted, texts[1] or nothing)
                )
            assert texts[0] is not None and texts[1] is not None
            return Text(ast.IfExp(test, texts[0].node, texts[1].node))
        moments = self.program.moment(body), self.program.moment(other)
        if moments[0] is not None and moments[1] is not None:
            if emits or moments[0].none is not None or moments[1].none is not None:
                self.refuse(node, "this conditional expression of times is not compiled; use if and else")
            return replace(moments[0], node=ast.IfExp(test, moments[0].node, moments[1].node))
        x, y = self.or_none(body, node), self.or_none(other, node)
        if x.none is None and y.none is None and not emits:
            return self.choice(test, x, y)
        # Only the arm that is chosen happens.
        type_ = join_types(x.type, y.type)
        key = self.fresh()
        flag = None if x.none is None and y.none is None else f"{key}none"
        blocks = [list(first_emitted), list(second_emitted)]
        for emitted, number in zip(blocks, (x, y), strict=True):
            emitted.append(_assign(key, cast(number, type_)))
            if flag is not None:
                emitted.append(_assign(flag, number.none or ast.Constant(False)))
        self.out.append(ast.If(test, *blocks))
        numpy = join_numpy(x.numpy, y.numpy)
        return Number(name(key), type_, numpy, None if flag is None else name(flag))

    def chosen_beside_nothing(
        self,
        test: ast.expr,
        first: tuple[list[ast.stmt], Value],
        second: tuple[list[ast.stmt], Value],
        node: ast.AST,
    ) -> Value:
        """Return the value of one arm, where the other one ends the run."""
        ready = self.temporary(test)
        if isinstance(first[1], Nothing):
            test, nothing, (emitted, value) = ready, first, second
        else:
            test, nothing, (emitted, value) = ast.UnaryOp(ast.Not(), ready), second, first
        if nothing[0]:
            self.out.append(ast.If(test, nothing[0], []))
        if not emitted:
            return value
        arm = (emitted, Group((value,)))
        return self.in_branch(test, 1, arm, arm)[0]

    def in_branch(
        self, test: ast.expr, which: int, first: tuple[list[ast.stmt], Group], second: tuple[list[ast.stmt], Group]
    ) -> tuple[Value, ...]:
        """Emit one arm in its branch, and return its items, fixed there."""
        emitted, group = (first, second)[which]
        outer, self.out = self.out, list(emitted)
        settled = self.settle(group)
        block, self.out = self.out, outer
        if block:
            condition = test if which == 0 else ast.UnaryOp(ast.Not(), test)
            targets = [each for each in block if isinstance(each, ast.Assign)]
            # A name that only one branch assigns must be known in the other.
            for each in targets:
                target = each.targets[0]
                if isinstance(target, ast.Name) and target.id.startswith("t"):
                    self.out.append(_assign(target.id, ast.Constant(0)))
            self.out.append(ast.If(condition, block, []))
        assert isinstance(settled, Group)
        return settled.items

    def or_none(self, value: Value, node: ast.AST) -> Number:
        """Return a number that may be None, None itself included."""
        if isinstance(value, Const) and value.value is None:
            return Number(ast.Constant(False), "bool", None, ast.Constant(True))
        return self.program.materialise(value) or self.as_number(value, node)

    def choice(self, test: ast.expr, first: Number, second: Number) -> Number:
        """Return one of two numbers."""
        type_ = join_types(first.type, second.type)
        a, b = cast(first, type_), cast(second, type_)
        return Number(ast.IfExp(test, a, b), type_, join_numpy(first.numpy, second.numpy))


def of_both(a: Number, b: Number) -> bool | None:
    """Tell whether an operation on two numbers gives a numpy scalar: one of them is enough."""
    return True if a.numpy or b.numpy else join_numpy(a.numpy, b.numpy)


def _is_literal(node: ast.expr) -> bool:
    """Tell whether an expression is a number or string written out, of which Python may have one object or several."""
    if isinstance(node, ast.UnaryOp):
        return _is_literal(node.operand)
    is_single = isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))
    return isinstance(node, ast.Constant | ast.Tuple | ast.List | ast.Dict) and not is_single
