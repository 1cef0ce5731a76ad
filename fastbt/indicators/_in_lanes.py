"""A loop over rows that several argument lists go through together, rewritten so that a vector register holds them.

The numbers of a list that change from row to row become one lane of a vector each; what is done in branches is chosen
lane by lane. What has no vector form (an array of each list's own, logarithms) is done list by list in between.
"""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Callable, Sequence
from typing import Any, Final

from fastbt.indicators._dependence import bound_in, filled, has, is_kernel, loaded, root_of, source_of
from fastbt.indicators._in_blocks import Place

#: Numbers that go together; the registers of today's processors hold four or eight.
WIDTH: Final = 8

#: What generated modules import where a loop is in lanes.
IMPORT: Final = (
    "from fastbt.indicators._lanes import "
    "lane_of, lanes_block, lanes_both, lanes_divided, lanes_divided_now, lanes_either, lanes_everywhere, lanes_in, "
    "lanes_not, lanes_of, lanes_out, lanes_put, lanes_taken, lanes_where"
)
_PLAIN: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div)


class NotInLanes(Exception):
    """A loop does something that this does not rewrite."""


class _OneLane(ast.NodeTransformer):
    """Take the number of one list out of each vector."""

    def __init__(self, names: dict[str, str], k: int) -> None:
        self.names, self.k = names, k

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return _call("lane_of", _name(self.names[node.id]), ast.Constant(self.k)) if node.id in self.names else node


class Given(ast.NodeTransformer):
    """Put arguments in the place of a kernel's parameters."""

    def __init__(self, arguments: dict[str, str]) -> None:
        self.arguments = arguments

    def visit_Name(self, node: ast.Name) -> ast.Name:
        known = self.arguments.get(node.id)
        return node if known is None else ast.copy_location(ast.Name(known, node.ctx), node)


class _Settled(ast.NodeTransformer):
    """Answer whether the counter is beyond what it is compared with, as it is from some row on."""

    def __init__(self, counter: str, changing: set[str]) -> None:
        self.counter, self.changing = counter, changing | {counter}
        #: What the counter must be greater than.
        self.bounds: list[ast.expr] = []

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        sides = [node.left, *node.comparators]
        pairs = [ast.Compare(a, [how], [b]) for a, how, b in zip(sides, node.ops, sides[1:], strict=False)]
        answers = [self._answer(each) for each in pairs]
        if None not in answers:
            return ast.Constant(all(answers))
        return pairs[0] if len(pairs) == 1 else self.visit_BoolOp(ast.BoolOp(ast.And(), list(pairs)))

    def _answer(self, node: ast.Compare) -> bool | None:
        match node:
            case ast.Compare(ast.Name(name), [how], [bound]) if name == self.counter:
                later: tuple[type[ast.cmpop], ...] = (ast.Gt, ast.GtE, ast.NotEq)
            case ast.Compare(bound, [how], [ast.Name(name)]) if name == self.counter:
                later = (ast.Lt, ast.LtE, ast.NotEq)
            case _:
                return None
        if loaded(bound) & self.changing or has(bound, ast.Subscript, ast.Call):
            return None
        if not isinstance(how, ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.Eq | ast.NotEq):
            return None
        self.bounds.append(bound)
        return isinstance(how, later)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        ends = isinstance(node.op, ast.Or)
        left: list[ast.expr] = []
        for each in node.values:
            made = self.visit(each)
            if not isinstance(made, ast.Constant):
                left.append(made)
            elif bool(made.value) is ends:
                return ast.Constant(ends)
        if not left:
            return ast.Constant(not ends)
        return left[0] if len(left) == 1 else ast.BoolOp(node.op, left)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        of = self.visit(node.operand)
        if isinstance(node.op, ast.Not) and isinstance(of, ast.Constant):
            return ast.Constant(not of.value)
        return ast.UnaryOp(node.op, of)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test = self.visit(node.test)
        if isinstance(test, ast.Constant):
            chosen = self.visit(node.body if test.value else node.orelse)
            assert isinstance(chosen, ast.expr)
            return chosen
        return ast.IfExp(test, self.visit(node.body), self.visit(node.orelse))

    def block(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Return what is left of some statements."""
        made: list[ast.stmt] = []
        for each in body:
            if isinstance(each, ast.If):
                test = self.visit(each.test)
                then, otherwise = each.body, each.orelse
                if isinstance(test, ast.Constant):
                    made += self.block(then if test.value else otherwise)
                else:
                    made.append(ast.If(test, self.block(then) or [ast.Pass()], self.block(otherwise)))
            else:
                made.append(each if isinstance(each, ast.For | ast.While) else self.visit(each))
            if made and isinstance(made[-1], ast.Continue):
                break
        return made


def settled(body: Sequence[ast.stmt], counter: str) -> tuple[list[ast.stmt], list[ast.expr]]:
    """Return what a loop over rows does when its counter is beyond all that it is compared with, and these bounds."""
    changing = bound_in(ast.Module(list(body), []))
    rest = _Settled(counter, changing)
    made = rest.block([copy.deepcopy(each) for each in body])
    if made and isinstance(made[-1], ast.Continue):
        made.pop()
    return made, rest.bounds


class InLanes:
    """One loop.

    Parameters
    ----------
    prefix : str
        Of the names that it makes up.
    lists : int
    varying : set of str
        What differs from list to list.
    counter, together : str
        The loop's counter as the source calls it, and as the rewritten loop does.
    copied : callable
        `copied(node, k)` is an expression with the names of list `k`.
    known : callable
        `known(name)` is what a module's name stands for, or None.
    imported : callable
        Is told what is taken over as it is.
    touched : callable
        Returns the names that a statement reads, binds, or writes into.
    places : sequence of Place
        What is in blocks of rows, whose first row is called `base`.
    base : str
    """

    def __init__(
        self,
        prefix: str,
        lists: int,
        varying: set[str],
        counter: str,
        together: str,
        copied: Callable[[Any, int], Any],
        known: Callable[[str], Any],
        imported: Callable[[ast.AST], None],
        touched: Callable[[ast.AST], set[str]],
        places: Sequence[Place],
        base: str,
    ) -> None:
        self.prefix = prefix
        self.lists, self.counter, self.together = lists, counter, together
        self.places, self.base = places, base
        self.varying = (varying - {counter}) | {each.name for each in places}
        self.copied, self.known, self.imported, self.touched = copied, known, imported, touched
        #: The vectors that hold names now.
        self.names: dict[str, str] = {}
        self.before: list[ast.stmt] = []
        self.made: list[ast.stmt] = []
        self.numbers = itertools.count()
        self.speculative = False
        self._begun: set[str] = set()
        #: Places that a branch of some lists writes into.
        self.targets: dict[str, ast.expr] = {}
        #: Elements that stay as they are throughout the loop, and the vectors that hold them.
        self.steady: dict[str, str] = {}
        #: What the loop divides by more than once.
        self.divisors: set[str] = set()

    def loop(self, body: Sequence[ast.stmt], bound_before: set[str], read_after: set[str]) -> list[ast.stmt]:
        """Return the loop's body; what comes `before` and `after` is in the attributes of these names."""
        whole = ast.Module(list(body), [])
        carried = (bound_in(whole) & self.varying) | {each.name for each in self.places}
        self.carried = carried
        self.filled = filled(whole)
        self.divisors = _divisors(body)
        for node in body:
            for part in ast.walk(node):
                if isinstance(part, ast.Subscript) and loaded(part.slice) & carried:
                    raise NotInLanes  # a whole number
        if read_after & carried - bound_before:
            raise NotInLanes
        for each in sorted(carried):
            self.names[each] = f"{each}__v"
        self._bound_before = bound_before
        self._defined: set[str] = set()
        lasting = sorted(carried & read_after)
        for each in lasting:
            self._begin_with(each)
        self.after: list[ast.stmt] = [
            _assign(f"{each}__{k}", _call("lane_of", _name(f"{each}__v"), ast.Constant(k)))
            for each in lasting
            for k in range(self.lists)
        ]
        row = ast.BinOp(_name(self.together), ast.Sub(), _name(self.base))
        for place in self.places:
            if place.is_read:
                self.made.append(_assign(self._target(place.name), _call("lanes_taken", _name(block_of(place)), row)))
        self._statements(body)
        for place in self.places:
            if place.is_written:
                value = _name(self.names[place.name])
                self.made.append(ast.Expr(_call("lanes_put", _name(block_of(place)), row, value)))
        return self.made

    def _begin_with(self, name: str) -> None:
        """Begin the loop with the values that the lists have before it."""
        if name not in self._begun:
            self._begun.add(name)
            self.before.append(_assign(f"{name}__v", self._gathered(_name(name), {})))
        self._defined.add(name)

    # --- statements ---------------------------------------------------------------------------------------------
    def _statements(self, body: Sequence[ast.stmt]) -> None:
        for each in body:
            if not self.touched(each) & (self.varying | set(self.names)):
                # The same for all lists.
                if self.speculative:
                    raise NotInLanes
                self.imported(each)
                self.made.append(Given({self.counter: self.together}).visit(copy.deepcopy(each)))
                continue
            match each:
                case ast.Assign(targets, value):
                    self._store(targets, self._value(value))
                case ast.AugAssign(target, how, value):
                    read = copy.deepcopy(target)
                    for node in ast.walk(read):
                        if hasattr(node, "ctx"):
                            node.ctx = ast.Load()
                    self._store([target], self._value(ast.BinOp(read, how, value)))
                case ast.If(test) if not loaded(test) & self.varying:
                    self._plain_branch(each)
                case ast.If():
                    self._branch(each)
                case ast.Pass():
                    pass
                case _:
                    raise NotInLanes

    def _write(self, target: ast.expr, value: ast.expr) -> None:
        for k in range(self.lists):
            one = _call("lane_of", copy.deepcopy(value), ast.Constant(k))
            self.made.append(ast.Assign([self.copied(target, k)], one))

    def _store(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        value = self._kept(value)
        for target in targets:
            match target:
                case ast.Name(name) if name in self.names:
                    self.made.append(_assign(self._target(name), value))
                case ast.Name(name):
                    raise NotInLanes
                case ast.Subscript() if root_of(target) in self.varying and self.speculative:
                    if has(target, ast.BinOp):
                        raise NotInLanes  # where no list takes this branch, the place may not be there
                    key = f"[]{ast.unparse(target)}"
                    self.targets[key] = target
                    self.names[key] = value.id
                case ast.Subscript() if root_of(target) in self.varying:
                    self._write(target, value)
                case _:
                    raise NotInLanes

    def _target(self, name: str) -> str:
        self._defined.add(name)
        if self.speculative:
            self.names[name] = self._new()
        return self.names[name]

    def _plain_branch(self, node: ast.If) -> None:
        """Branch for all lists."""
        if self.speculative:
            raise NotInLanes
        self.imported(node.test)
        outer, defined = self.made, set(self._defined)
        self.made = []
        self._statements(node.body)
        then, self.made = self.made, []
        then_defined, self._defined = self._defined, set(defined)
        self._statements(node.orelse)
        self._defined &= then_defined
        otherwise, self.made = self.made, outer
        self.made.append(ast.If(self._counting(node.test), then or [ast.Pass()], otherwise))

    def _branch(self, node: ast.If) -> None:
        """Go through both branches, and choose for each list."""
        truths = self._kept(self._truths(node.test))
        outer, names, defined = self.speculative, dict(self.names), set(self._defined)
        self.speculative = True
        self._statements(node.body)
        then, then_defined = self.names, self._defined
        self.names, self._defined = dict(names), set(defined)
        self._statements(node.orelse)
        otherwise, otherwise_defined = self.names, self._defined
        self.names, self._defined, self.speculative = names, then_defined | otherwise_defined, outer
        for each in sorted(then.keys() | otherwise.keys()):
            if each.startswith("[]"):
                self._choose_place(each, truths, then.get(each), otherwise.get(each))
                continue
            if each not in names or (then[each] == names[each] and otherwise[each] == names[each]):
                continue
            if not (each in then_defined and each in otherwise_defined) and each in self._bound_before:
                self._begin_with(each)
                then_defined, otherwise_defined = then_defined | {each}, otherwise_defined | {each}
            # What is known in one branch only is not used after the other.
            a = then[each] if each in then_defined else otherwise[each]
            b = otherwise[each] if each in otherwise_defined else then[each]
            self.made.append(_assign(self._target(each), _call("lanes_where", truths, _name(a), _name(b))))

    def _new(self) -> str:
        return f"{self.prefix}{next(self.numbers)}"

    def _choose_place(self, key: str, truths: ast.expr, then: str | None, otherwise: str | None) -> None:
        """Write into a place what the branch of each list does, or what is there already."""
        target = self.targets[key]
        if key in self.names and then == otherwise == self.names[key]:
            return
        there = copy.deepcopy(target)
        there.ctx = ast.Load()  # type: ignore[attr-defined]
        now = None if then and otherwise else self._kept(self._gathered(there, {})).id
        chosen = _call("lanes_where", truths, _name(then or str(now)), _name(otherwise or str(now)))
        if self.speculative:
            self.names[key] = self._kept(chosen).id
        else:
            self._write(target, self._kept(chosen))

    # --- expressions --------------------------------------------------------------------------------------------
    def _kept(self, value: ast.expr) -> ast.Name:
        """Give a value a name."""
        if isinstance(value, ast.Name):
            return value
        name = self._new()
        self.made.append(_assign(name, value))
        return _name(name)

    def _counting(self, node: ast.expr) -> ast.expr:
        """Return an expression that is the same for all lists."""
        if self.speculative:
            # Where no list takes this branch, a row further off may not be there.
            for each in ast.walk(node):
                if isinstance(each, ast.Subscript) and any(
                    isinstance(part, ast.BinOp) for part in ast.walk(each.slice)
                ):
                    raise NotInLanes
        self.imported(node)
        made = Given({self.counter: self.together}).visit(copy.deepcopy(node))
        assert isinstance(made, ast.expr)
        return made

    def _varies(self, node: ast.AST) -> bool:
        return bool(loaded(node) & (self.varying | set(self.names)))

    def _value(self, node: ast.expr) -> ast.expr:
        """Return lanes."""
        if not self._varies(node):
            return _call("lanes_everywhere", self._counting(node))
        return self._either(node)

    def _either(self, node: ast.expr) -> ast.expr:
        """Return lanes, or a number that is the same for all lists."""
        if not self._varies(node):
            return self._counting(node)
        match node:
            case ast.Name(name):
                return self._named(name)
            case ast.BinOp(left, ast.Div(), right) if self._stays(right):
                return _call("lanes_divided", self._either(left), self._either(right))
            case ast.BinOp(left, ast.Div(), right) if self._divides_again(right):
                return _call("lanes_divided_now", self._either(left), self._either(right))
            case ast.Subscript(ast.Name(of), ast.Constant()) if of in self.varying and of not in self.filled:
                return self._constant(node)
            case ast.BinOp(left, how, right) if isinstance(how, _PLAIN):
                return ast.BinOp(self._either(left), how, self._either(right))
            case ast.UnaryOp(ast.USub(), of):
                return ast.UnaryOp(ast.USub(), self._either(of))
            case ast.IfExp(test, then, otherwise) if self._varies(test):
                truths = self._kept(self._truths(test))
                outer, self.speculative = self.speculative, True
                a, b = self._either(then), self._either(otherwise)
                self.speculative = outer
                return _call("lanes_where", truths, a, b)
            case ast.IfExp(test, then, otherwise):
                # Only one side may be valid: both are done in branches of their own.
                if self.speculative:
                    raise NotInLanes
                name = self._new()
                outer_made, sides = self.made, []
                for side in (then, otherwise):
                    self.made = []
                    self.made.append(_assign(name, self._value(side)))
                    sides.append(self.made)
                self.made = outer_made
                self.made.append(ast.If(self._counting(test), *sides))
                return _name(name)
            case ast.Call(ast.Name("abs"), [of]):
                return _call("abs", self._either(of))
            case ast.Call(ast.Attribute(ast.Name(), "sqrt"), [of]):
                self.imported(node.func)
                return ast.Call(copy.deepcopy(node.func), [self._either(of)], [])
            case ast.Call(ast.Name("max" | "min" as which), [first, *others]) if others:
                best = self._kept(self._value(first))
                for each in others:
                    new = self._kept(self._value(each))
                    beyond: ast.cmpop = ast.Gt() if which == "max" else ast.Lt()
                    best = self._kept(_call("lanes_where", ast.Compare(new, [beyond], [best]), new, best))
                return best
            case ast.Call(ast.Name(name), arguments) if is_kernel(self.known(name)) and not node.keywords:
                return self._inlined(node, self.known(name), arguments)
        return self._alone(node)

    def _stays(self, node: ast.expr) -> bool:
        """Tell whether something is the same at all rows; not a constant, by which LLVM may be able to multiply."""
        own = loaded(node) & set(self.names)
        steady = isinstance(node, ast.Name) or (
            isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
        )
        kept = self.varying - self.carried - self.filled
        return steady and loaded(node) <= kept and own <= kept

    def _divides_again(self, node: ast.expr) -> bool:
        """Tell whether something is a divisor elsewhere at the same row too: for all lists, or twice."""
        if isinstance(node, ast.Constant):
            return False
        return not self._varies(node) or (isinstance(node, ast.Name) and node.id in self.divisors)

    def _constant(self, node: ast.Subscript) -> ast.expr:
        """Read an element that no row changes before the loop."""
        text = ast.unparse(node)
        if text not in self.steady:
            self.steady[text] = self._new()
            self.before.append(_assign(self.steady[text], self._gathered(node, {})))
        return _name(self.steady[text])

    def _named(self, name: str) -> ast.expr:
        if name not in self.names:
            # It stays as it is throughout the loop.
            self.names[name] = f"{name}__v"
            self._begin_with(name)
        self._need(name)
        return _name(self.names[name])

    def _need(self, name: str) -> None:
        """See to it that a name that is read has a value."""
        if name not in self._defined:
            if name not in self._bound_before:
                raise NotInLanes
            self._begin_with(name)

    def _truths(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.Compare(left, [how], [right]) if isinstance(
                how, ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.Eq | ast.NotEq
            ):
                if not self._varies(node):
                    raise NotInLanes
                return ast.Compare(self._value(left), [how], [self._either(right)])
            case ast.BoolOp(how, values):
                made = self._truths(values[0])
                for each in values[1:]:
                    made = _call("lanes_both" if isinstance(how, ast.And) else "lanes_either", made, self._truths(each))
                return made
            case ast.UnaryOp(ast.Not(), of):
                return _call("lanes_not", self._truths(of))
            case ast.Call(ast.Attribute(ast.Name(), "isnan"), [of]) if self._varies(of):
                self.imported(node.func)
                return ast.Call(copy.deepcopy(node.func), [self._either(of)], [])
        raise NotInLanes

    def _inlined(self, node: ast.expr, function: Any, arguments: Sequence[ast.expr]) -> ast.expr:
        """Return what a kernel of assignments and choices returns; any other is called for each list."""
        tree = source_of(function)
        last = tree.body[-1]
        body = tree.body[:-1]
        own = {each.arg for each in tree.args.args} | bound_in(tree)
        foreign = {each for part in tree.body for each in loaded(part)} - own - {"abs", "max", "min"}
        environment = function.py_func.__globals__
        if (
            not isinstance(last, ast.Return)
            or last.value is None
            or isinstance(last.value, ast.Tuple)
            or not all(_assigns(each) or _returns(each) for each in body)
            or any(environment.get(each) is not self.known(each) or self.known(each) is None for each in foreign)
            or has(tree, ast.Subscript)
        ):
            return self._alone(node)
        given: dict[str, str] = {}
        divisors = _divisors(tree.body)

        def keep(name: str, value: ast.expr) -> None:
            kept = self._kept(value)
            if name in divisors:
                self.divisors.add(kept.id)
            given[name] = kept.id
            self.names[kept.id] = kept.id
            self._defined.add(kept.id)

        def with_given(part: ast.expr) -> Any:
            return Given(given).visit(copy.deepcopy(part))

        for parameter, each in zip(tree.args.args, arguments, strict=True):
            keep(parameter.arg, self._value(each))
        choices = []
        for part in body:
            match part:
                case ast.Assign([ast.Name(name)], value):
                    keep(name, self._value(with_given(value)))
                case ast.If(test, [ast.Return(value)]):
                    assert value is not None
                    truths = self._kept(self._truths(with_given(test)))
                    choices.append((truths, self._kept(self._value(with_given(value)))))
        made = self._value(with_given(last.value))
        for truths, chosen in reversed(choices):
            made = _call("lanes_where", truths, chosen, self._kept(made))
        return made

    def _alone(self, node: ast.expr) -> ast.expr:
        """Do what has no vector form for one list after the other."""
        if self.speculative:
            written = {root_of(self.targets[each]) for each in self.names if each.startswith("[]")}
            for part in ast.walk(node):
                if isinstance(part, ast.Subscript) and (has(part.slice, ast.BinOp) or root_of(part) in written):
                    raise NotInLanes  # a row that may not be there, or what a branch has written
        for each in loaded(node) & set(self.names):
            self._need(each)
        names = {each: name for each, name in self.names.items() if each in self.carried or each == name}
        return self._gathered(node, names)

    def _gathered(self, node: ast.expr, names: dict[str, str]) -> ast.expr:
        each = [self.copied(_OneLane(names, k).visit(copy.deepcopy(node)), k) for k in range(self.lists)]
        return _call("lanes_of", ast.Tuple(each, ast.Load()))


def block_of(place: Place) -> str:
    """Return what the block of a place is called."""
    return f"{place.name}_block"


def _divisors(body: Sequence[ast.stmt]) -> set[str]:
    """Return what some statements divide by more than once."""
    found = [
        part.right.id
        for each in body
        for part in ast.walk(each)
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Div) and isinstance(part.right, ast.Name)
    ]
    return {each for each in found if found.count(each) > 1}


def _assigns(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)


def _returns(node: ast.stmt) -> bool:
    if not isinstance(node, ast.If) or node.orelse or len(node.body) != 1:
        return False
    return isinstance(node.body[0], ast.Return) and node.body[0].value is not None


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(_name(name), list(arguments), [])


def _assign(name: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(name, ast.Store())], value)
