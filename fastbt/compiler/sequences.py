"""Lower lists: what loops run over, comprehensions, the methods of lists, slices and reductions."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fastbt.compiler.cells import SERIES_CAPACITY, Cell, as_group, fit, fit_cell, is_array_constant, is_none, leaf_kind
from fastbt.compiler.on_demand import OnDemandLowerer
from fastbt.compiler.operators import assign
from fastbt.compiler.storage import leaf_paths
from fastbt.compiler.values import (
    CandleRow,
    Candles,
    Config,
    Const,
    Group,
    Listing,
    Moment,
    Nothing,
    Number,
    Points,
    Sequence,
    Series,
    Value,
    Window,
    join_types,
    name,
    parse,
)

#: The longest loop over items that are known one by one.
UNROLLED = 64


class Do(ast.stmt):
    """A statement that the compiler makes itself."""

    _fields = ()

    def __init__(self, do: Callable[[], bool]) -> None:
        super().__init__()
        self.do = do


class SequenceLowerer(OnDemandLowerer):
    """Lower what holds several things of one kind."""

    #: The names that assignments of the method give a value.
    assigned_names: set[str]

    def array(self, value: Value, node: ast.AST) -> Listing:
        """Return a copy of something as an array; see `arrays`."""
        raise NotImplementedError

    # --- what there is to run over ------------------------------------------------------------------------------
    def sequence(self, value: Value) -> Sequence | None:
        """Return a value as something to run over whose items are not known one by one; None if it is not."""
        if isinstance(value, Sequence):
            return value
        if isinstance(value, Series) and value.rebuilt is not None:
            value = value.rebuilt()
        if is_array_constant(value):
            value = self.array(value, self.method.node)
        if isinstance(value, Listing):
            cell = value.cell
            return Sequence(cell.length, lambda i: self.item(cell, i), self.describe(value), cell)
        if isinstance(value, Points):
            return self.points_rows(value)
        if isinstance(value, Window):
            first, length = self.window_bounds(value)
            series = value.series
            return Sequence(length, lambda i: self.at_bar(series, parse("F + I", F=first, I=i)), "a window")
        if isinstance(value, Series):
            lacks = value.lacks or ast.Constant(0)
            length = parse(f"max(0, s.bar + 1 - {value.end} - L)", L=lacks)
            series = value if value.lacks is None else replace(value, lacks=ast.Constant(0))
            return Sequence(length, lambda i: self.at_bar(series, i), value.name)
        if isinstance(value, Candles) and not value.timeframe:
            start: ast.expr = ast.Constant(0)
            length = parse(f"max(0, s.bar + 1 - {value.end})")
            if value.tail is not None:
                tail = self.program.materialise(value.tail)
                assert tail is not None
                start = self.temporary(parse(f"max(0, s.bar + 1 - {value.end} - N)", N=tail.node))
                length = parse(f"max(0, s.bar + 1 - {value.end} - F)", F=start)
            return Sequence(length, lambda i: CandleRow(Number(parse("F + I", F=start, I=i), "int")), "candles")
        if isinstance(value, Const) and isinstance(value.value, range) and len(value.value) > UNROLLED:
            whole = value.value
            return Sequence(
                ast.Constant(len(whole)),
                lambda i: Number(parse(f"{whole.start} + I * {whole.step}", I=i), "int", False),
                "a range",
            )
        return None

    def window_bounds(self, value: Window) -> tuple[ast.expr, ast.expr]:
        """Return the code of the first bar of a window and of its number of rows."""
        key = self.fresh()
        count = self.fresh()
        code = parse(f"_window(s, N, {value.stop})", N=value.start.node)
        if value.series.lacks is not None:
            code = parse(f"_window_from(s, N, {value.stop}, L)", N=value.start.node, L=value.series.lacks)
        targets: list[ast.expr] = [ast.Name(key, ast.Store()), ast.Name(count, ast.Store())]
        self.out.append(ast.Assign([ast.Tuple(targets, ast.Store())], code))
        return name(key), name(count)

    def at_bar(self, series: Series, bar: ast.expr) -> Value:
        """Return the value of a series at a bar, counted from the first row that there is."""
        if series.end:
            # What the series leaves out at its end does not count from its beginning.
            series = replace(series, end=0)
        if series.lacks is not None:
            bar = parse("BAR - L", BAR=bar, L=series.lacks)
        return series.at(Number(bar, "int", False))

    def static_items(self, value: Value) -> tuple[Value, ...] | None:
        """Return the items of something to run over if they are known one by one."""
        if isinstance(value, Const) and isinstance(value.value, set | frozenset | range):
            if len(value.value) > UNROLLED:
                return None
            return tuple(Const(each) for each in value.value)
        if isinstance(value, Const) and isinstance(value.value, str):
            return tuple(Const(each) for each in value.value)
        if isinstance(value, Nothing):
            return ()
        if isinstance(value, Const) and is_array_constant(value) and len(value.value) <= UNROLLED:
            return tuple(map(Const, value.value))
        group = as_group(value)
        if isinstance(group, Group) and group.none is None:
            if group.keys is not None:
                if group.present is not None:
                    return None
                return tuple(map(Const, group.keys))
            return group.items
        return None

    def to_sequence(self, value: Value, node: ast.AST) -> Sequence:
        """Return anything that can be run over as a sequence."""
        found = self.sequence(self.nullable_leaf(value))
        if found is not None:
            return found
        items = self.static_items(value)
        if items is not None:
            if not items:
                return Sequence(ast.Constant(0), lambda i: Number(ast.Constant(0.0), "float", False), "nothing")
            listing = self.new_list(node, Group(items, is_list=True))
            return Sequence(listing.cell.length, lambda i: self.item(listing.cell, i), "a list", listing.cell)
        self.refuse(node, f"{self.describe(value)} is not compiled where a list is wanted")

    def lower_iterable(self, node: ast.expr) -> Value:
        """Lower what a loop runs over: enumerate, zip, reversed, range and the methods of dicts included."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in self.locals:
            known = {"range": range, "enumerate": enumerate, "zip": zip, "reversed": reversed}
            if node.func.id in known and node.func.id not in self.method.namespace:
                return getattr(self, f"iterate_{node.func.id}")(node)  # type: ignore[no-any-return]
        return self.lower(node)

    def iterate_range(self, node: ast.Call) -> Value:
        """Lower `range(...)` as something to run over."""
        bounds = self.lower_all(node.args)
        if not 1 <= len(bounds) <= 3 or node.keywords:
            self.refuse(node, "range takes one to three numbers")
        if all(isinstance(each, Const) for each in bounds):
            return self.config(ast.Call(name("range"), [self.program.config_node(each) for each in bounds], []), node)
        return self.range_of(bounds, node)

    def range_of(self, bounds: list[Value], node: ast.Call) -> Sequence:
        """Return the numbers between bounds."""
        numbers = [self.settled(self.as_number(each, node)) for each in bounds]
        for each, where in zip(numbers, node.args, strict=True):
            if each.type == "float":
                self.refuse(where, "range takes whole numbers")
        if len(numbers) == 1:
            return Sequence(parse("max(0, N)", N=numbers[0].node), lambda i: Number(i, "int", False), "a range")
        start = numbers[0].node
        step: ast.expr = numbers[2].node if len(numbers) == 3 else ast.Constant(1)
        length = self.temporary(parse("_range_length(s, A, B, C)", A=start, B=numbers[1].node, C=step))
        return Sequence(length, lambda i: Number(parse("A + I * C", A=start, I=i, C=step), "int", False), "a range")

    def iterate_enumerate(self, node: ast.Call) -> Value:
        """Lower `enumerate(...)`."""
        start: Value = Const(0)
        rest = [*node.args[1:], *(each.value for each in node.keywords if each.arg == "start")]
        inner = self.lower_iterable(node.args[0])
        if rest:
            start = self.lower(rest[0])
        items = self.static_items(inner)
        if items is not None and isinstance(start, Const):
            return Group(tuple(Group((Const(start.value + i), each)) for i, each in enumerate(items)))
        sequence = self.to_sequence(inner, node)
        first = self.as_number(start, node)
        return replace(
            sequence,
            at=lambda i: Group((Number(parse("A + I", A=first.node, I=i), "int", False), sequence.at(i))),
        )

    def iterate_zip(self, node: ast.Call) -> Value:
        """Lower `zip(...)`."""
        if any(each.arg != "strict" for each in node.keywords):
            self.refuse(node, "zip takes no such argument")
        parts = [self.lower_iterable(each) for each in node.args]
        statics = [self.static_items(each) for each in parts]
        if all(each is not None for each in statics):
            return Group(tuple(Group(each) for each in zip(*(each for each in statics if each is not None))))  # noqa: B905
        sequences = [self.to_sequence(each, node) for each in parts]
        length = sequences[0].length
        for each in sequences[1:]:
            length = parse("min(A, B)", A=length, B=each.length)
        return Sequence(length, lambda i: Group(tuple(each.at(i) for each in sequences)), "zip()")

    def iterate_reversed(self, node: ast.Call) -> Value:
        """Lower `reversed(...)`."""
        if len(node.args) != 1:
            self.refuse(node, "reversed takes one argument")
        inner = self.lower_iterable(node.args[0])
        items = self.static_items(inner)
        if items is not None:
            return Group(tuple(reversed(items)))
        sequence = self.to_sequence(inner, node)
        length = self.temporary(sequence.length)
        return Sequence(length, lambda i: sequence.at(parse("N - 1 - I", N=length, I=i)), "reversed()")

    # --- comprehensions -----------------------------------------------------------------------------------------
    def lower_ListComp(self, node: ast.ListComp) -> Value:
        unrolled = self.unrolled_comprehension(node)
        if unrolled is not None:
            return Group(unrolled, is_list=True)
        cell = self.fresh_list(node)
        self.out.append(assign(f"v.{cell.path}_n", ast.Constant(0)))
        self.impure = True

        def add(element: ast.expr) -> bool:
            self.append(cell, self.lower(element), element)
            return False

        self.over(node, node.elt, add)
        return Listing(cell)

    lower_GeneratorExp = lower_ListComp

    def lower_DictComp(self, node: ast.DictComp) -> Value:
        pair = ast.copy_location(ast.Tuple([node.key, node.value], ast.Load()), node)
        items = self.unrolled_comprehension(ast.copy_location(ast.ListComp(pair, node.generators), node))
        if items is None:
            self.refuse(node, "a dict comprehension is compiled over what is known before the run")
        keys, values = [], []
        for each in items:
            if not isinstance(each, Group) or not isinstance(each.items[0], Const):
                self.refuse(node, "the keys of a dict must be constants")
            keys.append(each.items[0].value)
            values.append(each.items[1])
        plain = dict(zip(keys, values, strict=True))
        return Group(tuple(plain.values()), keys=tuple(plain))

    def unrolled_comprehension(self, node: ast.ListComp | ast.GeneratorExp) -> tuple[Value, ...] | None:
        """Return the items of a comprehension over what is known item by item; None if that is not known."""
        if len(node.generators) != 1:
            return None
        clause = node.generators[0]
        before = len(self.out), dict(self.locals), self.temporaries, self.lists
        items = self.static_items(self.lower_iterable(clause.iter))
        if items is None:
            del self.out[before[0] :]
            self.locals, self.temporaries, self.lists = before[1:]
            return None
        found: list[Value] = []
        outer = dict(self.locals)
        for item in items:
            scope = _renamed(node, f"c{self.fresh()}")
            assert isinstance(scope, ast.ListComp | ast.GeneratorExp)
            self.bind_item(scope.generators[0].target, item, node)
            keep = True
            for test in scope.generators[0].ifs:
                truth = self.truth(test)
                if not isinstance(truth, bool):
                    del self.out[before[0] :]
                    self.locals, self.temporaries, self.lists = before[1:]
                    return None
                keep = keep and truth
            if keep:
                found.append(self.settle(self.lower(scope.elt)) if self.guarded else self.pinned(self.lower(scope.elt)))
        self.locals = outer | {key: value for key, value in self.locals.items() if key in outer}
        return tuple(found)

    def bind_item(self, target: ast.expr, item: Value, node: ast.AST) -> None:
        """Bind the target of a loop to an item that is known."""
        if isinstance(target, ast.Name) and leaf_kind(item) is None:
            self.locals[target.id] = item
        elif isinstance(target, ast.Name) and isinstance(item, Const) and target.id not in self.assigned_names:
            self.locals[target.id] = item
        elif isinstance(target, ast.Name) and isinstance(item, Const | Config):
            self.assign_local(target.id, item)
        elif isinstance(target, ast.Tuple | ast.List):
            group = as_group(item)
            if not isinstance(group, Group) or len(group.items) != len(target.elts):
                self.refuse(node, f"{self.describe(item)} cannot be unpacked into {len(target.elts)} names")
            for each, value in zip(target.elts, group.items, strict=True):
                self.bind_item(each, value, node)
        else:
            self.assign_target(target, item, node)

    def assign_target(self, target: ast.expr, value: Value, node: ast.AST) -> None:
        """Assign to the target of a loop; see `assignments`."""
        raise NotImplementedError

    def over(self, node: Any, element: ast.expr, do: Callable[[ast.expr], bool]) -> None:
        """Emit the loops of a comprehension, with `do(element)` inside."""
        scope = _renamed(node, f"c{self.fresh()}")
        inner = Do(lambda: do(scope.elt))
        ast.copy_location(inner, node)
        body: list[ast.stmt] = [inner]
        for clause in reversed(scope.generators):
            for test in reversed(clause.ifs):
                body = [ast.copy_location(ast.If(test, body, []), node)]
            body = [ast.copy_location(ast.For(clause.target, clause.iter, body, []), node)]
        before = dict(self.locals)
        self.block(body)
        self.locals = {key: value for key, value in self.locals.items() if key in before}

    def block(self, body: list[ast.stmt]) -> bool:
        """Lower statements; see `statements`."""
        raise NotImplementedError

    def statement_Do(self, node: Do) -> bool:
        """Run what the compiler itself put there."""
        return node.do()

    def call_over(self, target: Any, over: ast.GeneratorExp | ast.ListComp, node: ast.Call) -> Value | None:
        """Lower `all(... for i in range(...))` and its kind as a loop; None for any other function."""
        if target in (all, any):
            return self.all_or_any(target, over)
        if target in (sum, len) and not node.keywords:
            items = self.unrolled_comprehension(over)
            if items is not None:
                return self.total(Group(items), node) if target is sum else Const(len(items))
            key = self.fresh()
            cell = Cell(key)
            start = len(self.out)

            def add(element: ast.expr) -> bool:
                value = Const(1) if target is len else self.lower(element)
                number = self.as_number(value, over)
                if target is sum:
                    fit(cell, number)
                self.out.append(assign(key, self.binary(ast.Add(), self.running(key, cell), number).node))
                return False

            self.over(over, over.elt, add)
            type_ = self.settled_type(key, cell)
            zero: ast.expr = ast.Constant(0.0 if type_ == "float" else 0)
            self.out.insert(start, assign(key, zero))
            self.impure = True
            return Number(name(key), "int" if target is len else type_, None if cell.numpy is not False else False)
        return None

    def running(self, key: str, cell: Cell) -> Number:
        """Return a running total."""
        return Number(name(key), "int" if cell.type in (None, "bool") else cell.type or "int", None)

    def settled_type(self, key: str, cell: Cell) -> str:
        """Return the type of a running total."""
        return "int" if cell.type in (None, "bool") else str(cell.type)

    def all_or_any(self, target: Any, over: ast.GeneratorExp | ast.ListComp) -> Value:
        """Lower `all(...)` and `any(...)` of a comprehension; a generator stops at the first item that decides."""
        if isinstance(over, ast.ListComp):
            items = self.unrolled_comprehension(over)
            listed: Value = Group(items, is_list=True) if items is not None else self.lower(over)
            return self.all_or_any_of(target, listed, over)
        key = self.fresh()
        self.out.append(assign(key, ast.Constant(target is all)))
        self.impure = True

        def test(element: ast.expr) -> bool:
            truth = self.truth(element)
            code = ast.Constant(truth) if isinstance(truth, bool) else truth
            found = code if target is any else ast.UnaryOp(ast.Not(), code)
            self.out.append(ast.If(found, [assign(key, ast.Constant(target is any))], []))
            return False

        self.over_until(over, test, key, target is any)
        return Number(name(key), "bool", False)

    def over_until(self, node: Any, do: Callable[[ast.expr], bool], key: str, decided: bool) -> None:
        """Emit the loops of a generator, which end when the name `key` has the value `decided`."""
        scope = _renamed(node, f"c{self.fresh()}")

        def leave() -> bool:
            test = name(key) if decided else ast.UnaryOp(ast.Not(), name(key))
            outer, self.out = self.out, []
            self.statement_Break(ast.Break())
            block, self.out = self.out, outer
            self.out.append(ast.If(test, block, []))
            return False

        body: list[ast.stmt] = [ast.copy_location(Do(lambda: do(scope.elt)), node)]
        for clause in reversed(scope.generators):
            for test in reversed(clause.ifs):
                body = [ast.copy_location(ast.If(test, body, []), node)]
            loop: Any = ast.For(clause.target, clause.iter, [*body, ast.copy_location(Do(leave), node)], [])
            loop.leaves = True
            body = [ast.copy_location(loop, node)]
        before = dict(self.locals)
        self.block(body)
        self.locals = {key: value for key, value in self.locals.items() if key in before}

    def statement_Break(self, node: ast.Break) -> bool:
        """Leave a loop; see `control`."""
        raise NotImplementedError

    def all_or_any_of(self, target: Any, value: Value, node: ast.AST) -> Value:
        """Lower `all(items)` and `any(items)`."""
        items = self.static_items(value)
        if items is not None:
            parts = [self.value_truth(each, node) for each in items]
            if any(part is (target is any) for part in parts):
                return Const(target is any)
            codes = [part for part in parts if not isinstance(part, bool)]
            if not codes:
                return Const(target is all)
            op = ast.And() if target is all else ast.Or()
            return Number(codes[0] if len(codes) == 1 else ast.BoolOp(op, codes), "bool", False)
        sequence = self.to_sequence(value, node)
        key = self.fresh()
        self.out.append(assign(key, ast.Constant(target is all)))
        self.impure = True

        def test(item: Value) -> None:
            truth = self.value_truth(item, node)
            code = ast.Constant(truth) if isinstance(truth, bool) else truth
            self.out.append(assign(key, parse("K or C" if target is any else "K and C", K=name(key), C=code)))

        self.each(sequence, test)
        return Number(name(key), "bool", False)

    def each(self, sequence: Sequence, do: Callable[[Value], None]) -> None:
        """Emit a loop over a sequence, with `do(item)` inside."""
        index = self.fresh()
        outer, self.out = self.out, []
        do(sequence.at(name(index)))
        body, self.out = self.out, outer
        self.impure = True
        self.out.append(
            ast.For(
                ast.Name(index, ast.Store()), ast.Call(name("range"), [sequence.length], []), body or [ast.Pass()], []
            )
        )

    # --- reductions ---------------------------------------------------------------------------------------------
    def total(self, value: Value, node: ast.AST, start: Value | None = None) -> Value:
        """Lower `sum(items)`: one after the other."""
        items = self.static_items(value)
        if items is not None:
            result = self.as_number(start or Const(0), node)
            for each in items:
                result = self.binary(ast.Add(), result, self.as_number(each, node))
            return replace(result, constant=None)
        sequence = self.to_sequence(value, node)
        sample = self.sample_item(sequence, node)
        type_ = "int" if sample.type == "bool" else sample.type
        first = self.as_number(start or Const(0), node)
        type_ = join_types(type_, first.type)
        key = self.fresh()
        self.out.append(assign(key, parse("float(X)" if type_ == "float" else "X", X=first.node)))

        def add(item: Value) -> None:
            number = self.as_number(item, node)
            running = Number(name(key), type_, None)
            self.out.append(assign(key, self.binary(ast.Add(), running, number).node))

        self.each(sequence, add)
        return Number(name(key), type_, sample.numpy if sample.numpy is not True else None)

    def sample_item(self, sequence: Sequence, node: ast.AST) -> Number:
        """Return what the items of a sequence are like, as numbers."""
        _, item = self.captured(lambda: sequence.at(ast.Constant(0)))
        if self.program.materialise(item) is None:
            self.refuse(node, f"{self.describe(item)} is used as a number here")
        _, number = self.captured(lambda: self.as_number(item, node))
        return number

    def extreme_of(self, target: Any, value: Value, node: ast.AST) -> Value:
        """Lower `min(items)` and `max(items)` of a list whose length is not known."""
        sequence = self.to_sequence(value, node)
        sample = self.sample_item(sequence, node)
        key, index = self.fresh(), self.fresh()
        count = self.temporary(parse("_some_items(s, N)", N=sequence.length))
        first = self.captured(lambda: self.as_number(sequence.at(ast.Constant(0)), node))
        self.out += first[0]
        self.out.append(assign(key, first[1].node))
        emitted, item = self.captured(lambda: self.settled(self.as_number(sequence.at(name(index)), node)))
        test = parse("A < B" if target is min else "A > B", A=item.node, B=name(key))
        block: list[ast.stmt] = [*emitted, ast.If(test, [assign(key, item.node)], [])]
        bounds: list[ast.expr] = [ast.Constant(1), count]
        self.out.append(ast.For(ast.Name(index, ast.Store()), ast.Call(name("range"), bounds, []), block, []))
        self.impure = True
        return Number(name(key), sample.type, sample.numpy)

    # --- lists --------------------------------------------------------------------------------------------------
    def as_list(self, value: Value, node: ast.AST) -> Listing:
        """Return a copy of anything that can be run over, as a list of its own."""
        items = self.static_items(value)
        if items is not None and not isinstance(value, Listing):
            return self.new_list(node, Group(items, is_list=True))
        value = self.nullable_leaf(value)
        wide = SERIES_CAPACITY if isinstance(value, Series) and value.size is None else None
        cell = self.fresh_list(node, value.cell.capacity if isinstance(value, Listing) else wide)
        if isinstance(value, Listing):
            if value.cell.item is not None and fit_cell(cell, value.cell):
                self.program.changed = True
            self.put(cell, value)
            return Listing(cell)
        sequence = self.to_sequence(value, node)
        self.out.append(assign(f"v.{cell.path}_n", ast.Constant(0)))
        self.each(sequence, lambda item: self.append(cell, item, node))
        return Listing(cell)

    def sort(self, listing: Listing, node: ast.AST, key: ast.expr | None, descending: bool) -> None:
        """Emit a stable sort of a list in place."""
        cell = listing.cell
        if cell.item is None or cell.item.kind == "":
            return
        self.impure = True
        self.items_move(cell)
        moved, place = self.fresh(), self.fresh()
        # An insertion sort: stable as Python's, and short lists are what strategies sort.
        outer, self.out = self.out, []
        item = self.settle(self.item(cell, name(moved)))
        ours = self.sort_key(item, key, node)
        head, self.out = self.out, []
        theirs = self.sort_key(self.item(cell, parse("P - 1", P=name(place))), key, node)
        test_head, self.out = self.out, []
        further = self.less(theirs, ours, node) if descending else self.less(ours, theirs, node)
        test_head += self.out
        self.out = []
        for path in leaf_paths(cell.item):
            self.out.append(
                ast.Assign(
                    [ast.Subscript(parse(f"v.{path}"), name(place), ast.Store())],
                    parse(f"v.{path}[P - 1]", P=name(place)),
                )
            )
        self.out.append(assign(place, parse("P - 1", P=name(place))))
        shift, self.out = self.out, []
        self.put(cell.item, item, name(place))
        tail, self.out = self.out, outer
        leave = ast.If(ast.UnaryOp(ast.Not(), further), [ast.Break()], [])
        walk = ast.While(parse("P > 0", P=name(place)), [*test_head, leave, *shift], [])
        body = [*head, assign(place, name(moved)), walk, *tail]
        bounds: list[ast.expr] = [ast.Constant(1), cell.length]
        self.out.append(ast.For(ast.Name(moved, ast.Store()), ast.Call(name("range"), bounds, []), body, []))

    def sort_key(self, item: Value, key: ast.expr | None, node: ast.AST) -> Value:
        """Return what an item is sorted by."""
        if key is None:
            return item
        return self.settle(self.call_function_value(key, (item,), node))

    def call_function_value(self, function: ast.expr, arguments: tuple[Value, ...], node: ast.AST) -> Value:
        """Call a lambda or function with values; see `calls`."""
        raise NotImplementedError

    def less(self, a: Value, b: Value, node: ast.AST) -> ast.expr:
        """Return the code of a < b between numbers, moments or tuples of them."""
        if isinstance(a, Group) and isinstance(b, Group) and len(a.items) == len(b.items):
            code: ast.expr = ast.Constant(False)
            for x, y in reversed(list(zip(a.items, b.items, strict=True))):
                code = parse("A or (not B and C)", A=self.less(x, y, node), B=self.less(y, x, node), C=code)
            return code
        if isinstance(a, Moment) and isinstance(b, Moment):
            return ast.Compare(a.node, [ast.Lt()], [b.node])
        first, second = self.as_number(a, node), self.as_number(b, node)
        return ast.Compare(first.node, [ast.Lt()], [second.node])

    def index_in(self, listing: Listing, value: Value, node: ast.AST) -> ast.expr:
        """Emit a search in a list, and return the code of where the value is, or -1."""
        key, index = self.fresh(), self.fresh()
        self.out.append(assign(key, ast.Constant(-1)))
        self.impure = True
        cell = listing.cell
        if cell.item is None or cell.item.kind == "":
            return name(key)
        wanted = self.settle(as_group(value))
        outer, self.out = self.out, []
        item = self.item(cell, name(index))
        found = getattr(item, "none", None) if is_none(wanted) else self.equal(item, wanted, node)
        if found is None and not is_none(wanted):
            first, second = self.as_number(item, node), self.as_number(wanted, node)
            found = ast.Compare(first.node, [ast.Eq()], [second.node])
        if found is None:
            found = False
        test = ast.Constant(found) if isinstance(found, bool) else found
        body: list[ast.stmt] = [*self.out, ast.If(test, [assign(key, name(index)), ast.Break()], [])]
        self.out = outer
        self.out.append(ast.For(ast.Name(index, ast.Store()), ast.Call(name("range"), [cell.length], []), body, []))
        return name(key)

    def equal_lists(self, a: Value, b: Value, node: ast.AST) -> ast.expr:
        """Emit a comparison of two lists item by item, and return the code of whether they are equal."""
        for value in (a, b):
            is_list = isinstance(value, Listing) or (isinstance(value, Group) and value.is_list and value.keys is None)
            if not is_list:
                return ast.Constant(False)
            if isinstance(value, Listing) and value.cell.is_array:
                self.refuse(node, "== of arrays is not compiled; compare their values")
        if isinstance(a, Group) and not a.items and isinstance(b, Listing):
            return parse(f"v.{b.cell.path}_n == 0")
        if isinstance(b, Group) and not b.items and isinstance(a, Listing):
            return parse(f"v.{a.cell.path}_n == 0")
        first, second = (each if isinstance(each, Listing) else self.as_list(each, node) for each in (a, b))
        key, index = self.fresh(), self.fresh()
        self.out.append(assign(key, parse("A == B", A=first.cell.length, B=second.cell.length)))
        self.impure = True
        outer, self.out = self.out, []
        x, y = (self.item(each.cell, name(index)) for each in (first, second))
        found = self.equal(x, y, node)
        if found is None:
            left, right = self.as_number(x, node), self.as_number(y, node)
            found = ast.Compare(left.node, [ast.Eq()], [right.node])
        same = ast.Constant(found) if isinstance(found, bool) else found
        body = [*self.out, ast.If(ast.UnaryOp(ast.Not(), same), [assign(key, ast.Constant(False)), ast.Break()], [])]
        self.out = outer
        loop = ast.For(ast.Name(index, ast.Store()), ast.Call(name("range"), [first.cell.length], []), body, [])
        self.out.append(ast.If(name(key), [loop], []))
        return name(key)

    def list_slice(self, value: Value, where: ast.Slice, node: ast.AST) -> Value:
        """Lower a slice of a list: a list of its own."""
        parts = self.lower_all([each for each in (where.lower, where.upper, where.step) if each is not None])
        for each in parts:
            if isinstance(each, Const) and each.value is not None and not isinstance(each.value, int):
                self.refuse(node, f"the bounds of a slice must be whole numbers, was {each.value!r}")
        given = iter(parts)
        lower, upper, step = (
            next(given) if each is not None else None for each in (where.lower, where.upper, where.step)
        )
        group = as_group(value)
        if isinstance(group, Group) and group.keys is None:
            if all(each is None or isinstance(each, Const) for each in (lower, upper, step)):
                bounds = [each.value if isinstance(each, Const) else None for each in (lower, upper, step)]
                return replace(group, items=group.items[slice(*bounds)], fields=None, cell=None, place=None)
            group = self.new_list(node, replace(group, is_list=True))
        source = self.nullable_leaf(group)
        if not isinstance(source, Listing):
            source = self.as_list(source, node)
        if step is not None and not (isinstance(step, Const) and isinstance(step.value, int) and step.value != 0):
            self.refuse(node, "the step of a slice must be a constant")
        by = step.value if isinstance(step, Const) else 1
        n = self.temporary(source.cell.length)
        ends = []
        for bound, default in ((lower, "0" if by > 0 else "N - 1"), (upper, "N" if by > 0 else "-1")):
            if bound is None or is_none(bound):
                ends.append(parse(default, N=n))
            else:
                ends.append(parse(f"_slice_start(N, I, {by})", N=n, I=self.whole(bound, node)))
        first = self.temporary(ends[0])
        cell = self.fresh_list(node, source.cell.capacity)
        if fit_cell(cell, source.cell):
            self.program.changed = True
        cell.is_array = source.cell.is_array
        self.impure = True
        count = parse(f"_slice_length(F, L, {by})", F=first, L=ends[1])
        self.out.append(assign(f"v.{cell.path}_n", parse(f"_at_most(s, C, {cell.capacity})", C=count)))
        self.copy_items(source.cell, cell, first, by, ast.Constant(0), cell.length)
        return Listing(cell, view=(source.view or source.cell) if cell.is_array else None)

    def copy_items(self, source: Cell, target: Cell, first: ast.expr, step: int, at: ast.expr, count: ast.expr) -> None:
        """Emit copies of the items of one list into another."""
        if source.item is None or target.item is None or source.item.kind == "":
            return
        from fastbt.compiler.storage import zip_paths

        sources = dict(zip_paths(source.item, target.item))
        for path in leaf_paths(target.item):
            if path in sources:
                code = parse(f"_copy_part(v.{sources[path]}, F, {step}, v.{path}, A, N)", F=first, A=at, N=count)
                self.out.append(ast.Expr(code))
            else:
                key = self.fresh()
                flag = ast.Constant(path.endswith("_set"))
                place = ast.Subscript(parse(f"v.{path}"), parse("A + I", A=at, I=name(key)), ast.Store())
                self.out.append(
                    ast.For(
                        ast.Name(key, ast.Store()),
                        ast.Call(name("range"), [count], []),
                        [ast.Assign([place], flag)],
                        [],
                    )
                )

    def extend(self, cell: Cell, value: Value, node: ast.AST) -> None:
        """Emit what appends all items of something to a list."""
        items = self.static_items(value)
        if items is not None:
            for each in [self.settle(each) for each in items]:
                self.append(cell, each, node)
            return
        sequence = self.to_sequence(value, node)
        if sequence.cell is cell:
            sequence = self.to_sequence(self.as_list(Listing(cell), node), node)
        self.each(sequence, lambda item: self.append(cell, item, node))

    def repeated(self, items: list[Value], times: Value, node: ast.AST) -> Listing:
        """Return a list that repeats items as often as a number says."""
        cell = self.fresh_list(node)
        count = self.as_number(times, node)
        if count.type == "float":
            self.refuse(node, "a list is repeated a whole number of times; this is a float, use int()")
        self.out.append(assign(f"v.{cell.path}_n", ast.Constant(0)))

        def add(_: Value) -> None:
            for each in items:
                self.append(cell, each, node)

        self.each(Sequence(parse("max(0, N)", N=count.node), lambda i: Const(0), "a count"), add)
        return Listing(cell)

    def moment_operation(self, node: ast.BinOp, left: Value, right: Value) -> Value | None:
        """Lower + and - of moments; see `moments`."""
        raise NotImplementedError


def _renamed(node: Any, suffix: str) -> Any:
    """Return a copy of a comprehension whose own names are new."""
    own = {each.id for clause in node.generators for each in ast.walk(clause.target) if isinstance(each, ast.Name)}
    result = copy.deepcopy(node)

    class Rename(ast.NodeTransformer):
        def visit_Name(self, inner: ast.Name) -> ast.Name:
            return ast.copy_location(ast.Name(f"{inner.id}_{suffix}", inner.ctx), inner) if inner.id in own else inner

    # The first iterable is outside of the scope.
    first = copy.deepcopy(result.generators[0].iter)
    renamed = Rename().visit(result)
    renamed.generators[0].iter = first
    return renamed
