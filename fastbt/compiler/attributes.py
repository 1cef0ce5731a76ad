"""Lower attributes and subscripts: the strategy's API, its variables, its candles."""

from __future__ import annotations

import ast
import inspect
from collections import deque
from dataclasses import replace
from typing import Any

from fastbt.compiler import api
from fastbt.compiler.cells import Cell, as_group, child_of
from fastbt.compiler.lower import PARALLEL
from fastbt.compiler.others import OtherLowerer
from fastbt.compiler.values import (
    Bound,
    CandleRow,
    Candles,
    Config,
    Conflict,
    Const,
    Group,
    Listing,
    Member,
    Method1D,
    Moment,
    Nothing,
    Number,
    Other,
    Part,
    Points,
    Series,
    Super,
    Text,
    Value,
    Window,
    name,
    parse,
)
from fastbt.engine.frames import COUNT
from fastbt.errors import did_you_mean
from fastbt.types import TIMEFRAME_MINUTES


class AttributeLowerer(OtherLowerer):
    """Lower what is read from self, from candles and from tuples."""

    def lower_Attribute(self, node: ast.Attribute) -> Value:
        owner = self.lower(node.value)
        match owner:
            case Nothing():
                return owner
            case Part("self"):
                return self.self_attribute(node)
            case Part("position"):
                return self.table(api.POSITION, node, "self.position")
            case Part("order"):
                return self.table(api.ORDER, node, "order")
            case Part("trade"):
                return self.table(api.TRADE, node, "closed_trade")
            case Group(items, fields) if fields is not None:
                if node.attr not in fields:
                    self.refuse(node, f"there is no field {node.attr!r}.{did_you_mean(node.attr, fields)}")
                return items[fields.index(node.attr)]
            case Listing(cell) if cell.is_array and (found := self.attribute_of_array(owner, node.attr)) is not None:
                return found
            case Group() | Listing() | Text() | Points() | Conflict():
                return Member(owner, node.attr)
            case Moment():
                return self.moment_attribute(owner, node)
            case Const(value):
                if isinstance(value, dict | list | deque):
                    return Member(owner, node.attr)
                try:
                    return Const(getattr(value, node.attr))
                except AttributeError:
                    known = dir(value)
                    self.refuse(node, f"{self.describe(owner)} has no {node.attr!r}.{did_you_mean(node.attr, known)}")
            case Config(_, sample):
                if not hasattr(sample, node.attr):
                    hint = did_you_mean(node.attr, dir(sample))
                    self.refuse(node, f"{self.describe(owner)} has no {node.attr!r}.{hint}")
                if callable(getattr(sample, node.attr)):
                    return Member(owner, node.attr)
                return self.config(ast.Attribute(owner.node, node.attr, ast.Load()), node)
            case Series() | Window() | Candles() if node.attr in ("shape", "size"):
                length = self.length(owner, node)
                if node.attr == "size" and not isinstance(owner, Candles):
                    return length
                return Group((length, Const(6)) if isinstance(owner, Candles) else (length,))
            case Series() | Window():
                if isinstance(owner, Series) and owner.sample is not None:
                    found = self.attribute_of_object(owner, node)
                    if found is not None:
                        return found
                return Method1D(owner, node.attr)
            case Part("other"):
                return self.other_attribute(self.sender(), node)
            case Other():
                return self.other_attribute(owner, node)
            case Part("shared_vars") if node.attr == "get":
                return Bound("shared_vars.get", None)
            case Part("vars"):
                return Bound(f"vars.{node.attr}", None)
            case Super(after):
                return self.super_attribute(after, node)
        self.refuse(node, f".{node.attr} of {self.describe(owner)} is not compiled")

    def table(self, table: dict[str, Any], node: ast.Attribute, owner: str) -> Value:
        """Look an attribute of the API up."""
        chain = api.TEXTS.get(owner, {}).get(node.attr)
        if chain is not None:
            return self.api_text(chain)
        of_config = api.OWNER_CONFIG.get(owner, {}).get(node.attr)
        if of_config is not None:
            return self.config(parse(of_config), node)
        if node.attr not in table:
            self.refuse(node, f"{owner}.{node.attr} is not compiled.{did_you_mean(node.attr, table)}")
        code, type_, numpy, none = table[node.attr]
        return Number(parse(code), type_, numpy, parse(none) if none else None)

    def api_text(self, chain: tuple[tuple[str, str | None], ...]) -> Text:
        """Return a string of the API, of which a test tells which it is."""
        *tests, (_, last) = chain
        code: ast.expr = ast.Constant(-1 if last is None else self.program.text_code(last))
        none: ast.expr | None = ast.Constant(True) if last is None else None
        for test, text in reversed(tests):
            code = ast.IfExp(parse(test), ast.Constant(self.program.text_code(text)), code)
            if none is not None:
                none = parse("not TEST and NONE", TEST=parse(test), NONE=none)
        return Text(code, none)

    def self_attribute(self, node: ast.Attribute) -> Value:
        """Lower `self.<name>`."""
        key = node.attr
        program = self.program
        method = program.source.methods.get(key)
        if method is not None and key not in program.assigned_attributes:
            return self.call_method(method, (), (), node) if method.is_property else Bound(key, method)
        if key in ("is_trading_hours", "closed_candle_open_time"):
            return self.trading_hours(key, node)
        if key in program.assigned_attributes:
            if key in api.SELF or key in api.CONFIG or key in api.CONSTANT:
                self.refuse(node, f"self.{key} belongs to Jesse and is assigned; give your own variable another name")
            return self.state("self", key)
        if key in api.ORDER_ATTRIBUTES:
            return self.read_points(key, node)
        if key in api.SELF:
            return self.table(api.SELF, node, "self")
        if key in api.COLUMNS:
            column = api.COLUMNS[key]
            if self.context == "bar":
                return Number(parse(f"bars[s.bar, {column}]"), "float", True)
            return Number(parse(f"_current(s, bars, minutes, {column})"), "float", True)
        if key in api.CONFIG:
            return self.config(parse(api.CONFIG[key]), node)
        if key in api.CONSTANT:
            return Const(api.CONSTANT[key])
        if key == "shared_vars":
            return Part(key)
        if key in ("routes", "all_positions", "current_route_index"):
            return self.all_routes(key)
        if key == "candles":
            return Candles()
        if key == "current_candle":
            return CandleRow(Const(-1))
        if key in ("position", "hp", "vars"):
            return Part(key)
        if key in ("average_entry_price", "average_stop_loss", "average_take_profit"):
            return self.average(key, node)
        if key in api.DROPPED or key in ("liquidate", "get_candles"):
            return Bound(key, None)
        if key in program.initial_attributes:
            return Const(program.initial_attributes[key])
        inner = inspect.getattr_static(program.source.cls, key, None)
        if isinstance(inner, type):
            return Const(inner)
        if key in api.ADVICE:
            self.refuse(node, api.ADVICE[key])
        known = [*program.source.methods, *program.initial_attributes, *api.SELF, *api.CONFIG, *api.COLUMNS]
        self.refuse(node, f"self.{key} is not known to the compiler.{did_you_mean(key, known)}")

    def average(self, key: str, node: ast.AST) -> Value:
        """Lower the averages over submitted points (specification 2.7)."""
        if key == "average_entry_price":
            none = parse("s.qty == 0.0 and s.buy_n < 1 and s.sell_n < 1")
            return Number(parse("_average_entry_price(s)"), "float", None, none)
        which = key.removeprefix("average_")
        return Number(parse(f"_average_exit(s, s.{which}_was_n, s.{which}_was)"), "float", None)

    def state(self, space: str, key: Any, node: ast.AST | None = None) -> Value:
        """Read a variable of the strategy."""
        variable = self.program.variable(space, key)
        if variable.unfit:
            self.refuse(node or self.method.node, f"{self.label(space, key)}: {variable.unfit}")
        return self.read_cell(variable.cell, attribute=space == "self")

    def label(self, space: str, key: Any) -> str:
        """Return a variable as its author wrote it."""
        return f"self.{key}" if space == "self" else f"self.vars[{key!r}]"

    # --- subscripts ---------------------------------------------------------------------------------------------
    def lower_Subscript(self, node: ast.Subscript) -> Value:
        owner = self.lower(node.value)
        pure = self.subscript_of_array(owner, node)
        other = None if pure is None else lambda: self.market(pure, node)
        found = self.either(lambda: self.subscript(owner, node), other)
        if isinstance(owner, Series) and owner.rebuilt is not None:
            again = owner.rebuilt
            return self.rebuildable(found, lambda: self.subscript(again(), node))
        return found

    def subscript(self, owner: Value, node: ast.Subscript) -> Value:
        """Lower a subscript of what `owner` is."""
        if isinstance(owner, Nothing):
            self.index_parts(node.slice)
            return owner
        if isinstance(owner, Part) and owner.name == "hp":
            return self.hyperparameter(node)
        if isinstance(owner, Part) and owner.name == "vars":
            return self.variable(node)
        if isinstance(owner, Part) and owner.name == "shared_vars":
            return self.shared_variable(self.shared_key(node.slice))
        if isinstance(owner, Part) and owner.name == "all_positions":
            return self.position_of(node)
        if isinstance(owner, Candles):
            return self.candle(owner, node)
        if isinstance(owner, Points):
            inner = node.slice
            plain = not isinstance(inner, ast.Slice | ast.Tuple)
            return self.points_item(owner, self.lower(inner) if plain else Const(None), node)
        if isinstance(node.slice, ast.Slice) and isinstance(as_group(owner), Group | Listing):
            return self.list_slice(owner, node.slice, node)
        if isinstance(node.slice, ast.Slice) and isinstance(owner, Const | Config):
            bounds = [
                self.lower(each) if each is not None else Const(None)
                for each in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            if all(isinstance(each, Const | Config) for each in bounds):
                where = ast.Slice(*(self.program.config_node(each) for each in bounds))
                return self.config(ast.Subscript(self.program.config_node(owner), where, ast.Load()), node)
        if isinstance(node.slice, ast.Slice):
            if isinstance(owner, Series):
                return self.series_slice(owner, node.slice, node)
            if isinstance(owner, Window) and owner.stop == 0:
                return self.series_slice(owner.series, node.slice, node)
            self.refuse(node, "a slice is not compiled here; index single values, as in [-1]")
        emitted, index = self.captured(lambda: self.lower(node.slice))
        if emitted:
            owner = self.pinned(owner)
        self.out += emitted
        if isinstance(index, Listing) and isinstance(owner, Listing | Series | Window):
            return self.selected(owner, index, node)
        return self.element(owner, index, node)

    def element(self, owner: Value, index: Value, node: ast.Subscript) -> Value:
        """Return an item of something."""
        match owner:
            case CandleRow(row):
                return self.candle_value(row, index, node)
            case Series() if owner.rebuilt is not None and not isinstance(index, Const | Config):
                return self.element(owner.rebuilt(), index, node)
            case Series(at):
                return at(self.index(index, node))
            case Window(series, _, stop) if isinstance(index, Const) and isinstance(index.value, int):
                if index.value < 0:
                    return series.at(Const(index.value - stop))
        if isinstance(owner, Points):
            return self.points_item(owner, index, node)
        if isinstance(owner, Const | Config) and isinstance(index, Const | Config):
            code = ast.Subscript(self.program.config_node(owner), self.program.config_node(index), ast.Load())
            return self.config(code, node)
        owner = self.nullable_leaf(as_group(owner))
        if isinstance(owner, Group) and owner.keys is not None:
            return self.dict_item(owner, index, node)
        if isinstance(owner, Group):
            return self.group_item(owner, index, node)
        sequence = self.sequence(owner)
        if sequence is None:
            self.refuse(node, f"indexing {self.describe(owner)} is not compiled here")
        number = self.whole(index, node)
        if sequence.cell is None:
            place = parse("_item(s, N, I)", N=self.temporary(sequence.length), I=number)
            return sequence.at(self.temporary(place))
        place = parse("_item(s, N, I)", N=sequence.length, I=number)
        if sequence.cell.item is None or sequence.cell.item.kind == "":
            self.out.append(ast.Expr(place))
            self.impure = True
            return sequence.at(ast.Constant(0))
        if isinstance(index, Const) or not self.guarded:
            value = sequence.at(place)
            if isinstance(value, Number | Text | Moment) and value.none is None:
                return self.settle(value) if sequence.cell.temporary else value
        value = sequence.at(self.temporary(place))
        return self.settle(value) if sequence.cell.temporary else value

    def whole(self, index: Value, node: ast.AST) -> ast.expr:
        """Return the code of an index, which must be a whole number."""
        return self.as_number(self.index(index, node), node).node

    def group_item(self, owner: Group, index: Value, node: ast.Subscript) -> Value:
        """Return an item of a tuple or of a list that is known item by item."""
        items = owner.items
        if isinstance(index, Const) and isinstance(index.value, int):
            if not -len(items) <= index.value < len(items):
                self.refuse(node, f"the index {index.value} is outside of {len(items)} items")
            return items[index.value]
        if not items:
            self.refuse(node, "this list is empty wherever it is indexed")
        place = self.temporary(parse("_item(s, N, I)", N=ast.Constant(len(items)), I=self.whole(index, node)))
        return self.among(items, place, node)

    def among(self, items: tuple[Value, ...], place: ast.expr, node: ast.AST) -> Value:
        """Return item `place` of several."""
        result = items[-1]
        for i in range(len(items) - 2, -1, -1):
            result = self.chosen(parse(f"P == {i}", P=place), ([], items[i]), ([], result), node)
        return result

    def dict_item(self, owner: Group, index: Value, node: ast.AST) -> Value:
        """Return the item of a dict with a key; a key that is missing raises."""
        assert owner.keys is not None
        if isinstance(index, Const):
            if index.value not in owner.keys:
                if owner.cell is not None:
                    self.add_key(owner.cell, index.value)
                    owner = as_dict(self.read_cell(owner.cell))
                else:
                    hint = did_you_mean(str(index.value), [str(each) for each in owner.keys or ()])
                    self.refuse(node, f"there is no key {index.value!r} in this dict.{hint}")
            assert owner.keys is not None
            i = owner.keys.index(index.value)
            return self.if_present(owner.items[i], None if owner.present is None else owner.present[i])
        place = self.key_place(owner, index, node)
        self.out.append(ast.Expr(parse("_known(s, P >= 0, 0)", P=place)))
        self.impure = True
        if not owner.items:
            return Nothing(ast.Constant(0.0), "float", False)
        return self.among(owner.items, place, node)

    def key_place(self, owner: Group, index: Value, node: ast.AST) -> ast.expr:
        """Return the code of which key of a dict a value is; -1 for none."""
        assert owner.keys is not None
        settled = self.settle(index)
        code: ast.expr = ast.Constant(-1)
        for i in range(len(owner.keys) - 1, -1, -1):
            test = self.equal(settled, Const(owner.keys[i]), node)
            if test is None:
                first, second = self.as_number(settled, node), self.as_number(Const(owner.keys[i]), node)
                test = ast.Compare(first.node, [ast.Eq()], [second.node])
            present = None if owner.present is None else owner.present[i]
            if isinstance(test, bool):
                code = (
                    (ast.Constant(i) if present is None else ast.IfExp(present, ast.Constant(i), code))
                    if test
                    else code
                )
            else:
                code = ast.IfExp(
                    test if present is None else parse("A and B", A=test, B=present), ast.Constant(i), code
                )
        return self.temporary(code)

    def if_present(self, value: Value, present: ast.expr | None) -> Value:
        """Return an item of a dict, where one that is missing raises."""
        if present is None:
            return value
        if isinstance(value, Number | Text | Moment):
            return replace(value, node=parse("_known(s, P, VALUE)", P=present, VALUE=value.node))
        self.out.append(ast.Expr(parse("_known(s, P, 0)", P=present)))
        self.impure = True
        return value

    def add_key(self, cell: Cell, key: Any) -> Cell:
        """Return the item of a dict of the state, which is made for a key that is new."""
        child, added = child_of(cell, key)
        if added:
            self.program.changed = True
        return child

    def has_key(self, group: Group, key: str, wanted: bool) -> Value:
        """Tell whether a dict has a key, which may come and go."""
        assert group.keys is not None
        if key not in group.keys:
            return Const(not wanted)
        present = None if group.present is None else group.present[group.keys.index(key)]
        if present is None:
            return Const(wanted)
        return Number(present if wanted else ast.UnaryOp(ast.Not(), present), "bool", False)

    def index(self, value: Value, node: ast.AST) -> Value:
        """Check an index into a series or the candles."""
        if isinstance(value, Const) and not isinstance(value.value, int):
            self.refuse(node, f"the index must be a whole number, was {value.value!r}")
        if not isinstance(value, Const) and self.as_number(value, node).type == "float":
            self.refuse(node, "the index must be a whole number, was a float")
        return value

    def bar_node(self, index: Value, node: ast.AST) -> tuple[ast.expr, bool]:
        """Return the code of the bar that an index names, and whether it may be the newest."""
        if isinstance(index, Const) and index.value < 0:
            n = -index.value
            return (parse("s.bar") if n == 1 else parse(f"_lag(s, {n})")), n == 1
        number = self.as_number(index, node)
        return parse("_at(s, INDEX)", INDEX=number.node), True

    def hyperparameter(self, node: ast.Subscript) -> Value:
        key = self.lower(node.slice)
        if not isinstance(key, Const):
            self.refuse(node.slice, "the name of a hyper-parameter must be a constant")
        known = self.program.environment["hp"]
        if key.value not in known:
            hint = did_you_mean(str(key.value), known)
            self.refuse(node, f"there is no hyper-parameter {key.value!r}.{hint}")
        return self.config(ast.Subscript(name("hp"), ast.Constant(key.value), ast.Load()), node)

    def variable(self, node: ast.Subscript) -> Value:
        key = self.vars_key(node.slice)
        if key in self.program.assigned_vars:
            return self.state("vars", key, node)
        if key in self.program.initial_vars:
            return Const(self.program.initial_vars[key])
        known = [str(each) for each in [*self.program.assigned_vars, *self.program.initial_vars]]
        self.refuse(node, f"self.vars[{key!r}] is never set.{did_you_mean(str(key), known)}")

    def vars_key(self, node: ast.expr) -> Any:
        """Return the key of one of self.vars."""
        key = self.lower(node)
        if isinstance(key, Config) and not any(isinstance(n, ast.Name) and n.id == "hp" for n in ast.walk(key.node)):
            key = Const(key.sample)  # of the route and the account
        if not isinstance(key, Const) or not isinstance(key.value, str | int | tuple):
            self.refuse(node, "the key of self.vars must be a constant string")
        return key.value

    def vars_has(self, value: Value, wanted: bool, node: ast.AST) -> Value:
        """Lower `key in self.vars`."""
        if not isinstance(value, Const):
            self.refuse(node, "the key of self.vars must be a constant string")
        key = value.value
        if key not in self.program.assigned_vars:
            return Const((key in self.program.initial_vars) is wanted)
        cell = self.program.variable("vars", key).cell
        if not cell.optional:
            return Const(wanted)
        return Number(parse(f"v.{cell.path}_set" if wanted else f"not v.{cell.path}_set"), "bool", False)

    def bounds(self, node: ast.Slice) -> tuple[Const | Config | Number | None, int]:
        """Return how far back a slice begins (None: at the first row) and how many of the newest rows it leaves out."""
        if node.step is not None:
            self.refuse(node, "a slice with a step is not compiled")
        end = 0
        if node.upper is not None:
            upper = self.lower(node.upper)
            if not isinstance(upper, Const) or not isinstance(upper.value, int) or upper.value >= 0:
                self.refuse(node.upper, "the end of a slice must be a negative constant, as in [:-1]")
            end = -upper.value
        if node.lower is None:
            return None, end
        back = self.lower(ast.copy_location(ast.UnaryOp(ast.USub(), node.lower), node.lower))
        if isinstance(back, Const | Config):
            value = back.value if isinstance(back, Const) else back.sample
            if not isinstance(value, int) or value <= 0:
                self.refuse(node.lower, "a slice must begin a whole number of rows before its end, as in [-20:]")
            return back, end
        number = self.as_number(back, node.lower)
        if number.type == "float":
            self.refuse(node.lower, "a slice must begin a whole number of rows before its end, as in [-20:]")
        return self.settled(number), end

    def series_slice(self, series: Series, where: ast.Slice, node: ast.AST) -> Value:
        """Lower `series[:-1]` and `series[-n:]`."""
        back, end = self.bounds(where)
        if back is None:
            return self.shifted(series, end)
        if series.base is not None:
            # A window counts from the newest row of all.
            more = ast.Constant(series.end)
            if isinstance(back, Number):
                back = Number(ast.BinOp(back.node, ast.Add(), more), "int", False)
            else:
                found = self.config(ast.BinOp(self.program.config_node(back), ast.Add(), more), node)
                assert isinstance(found, Const | Config)
                back = found
            end, series = end + series.end, series.base
        start = self.program.materialise(back)
        assert start is not None
        return Window(series, start, end)

    def shifted(self, series: Series, end: int) -> Series:
        """Return a series without its newest rows."""
        if end == 0:
            return series

        def at(index: Value) -> Number:
            if isinstance(index, Const):
                return series.at(Const(index.value - end) if index.value < 0 else index)
            number = self.as_number(index, self.method.node)
            code = parse("INDEX - END if INDEX < 0 else INDEX", INDEX=number.node, END=ast.Constant(end))
            return series.at(Number(code, "int", False))

        pure = None if series.pure is None else series.pure.shifted(end)
        return replace(series, at=at, end=series.end + end, pure=pure, base=series.base or series)

    def column(self, which: Value, node: ast.AST) -> Series:
        """Return a column of the candles."""
        if not isinstance(which, Const) or which.value not in range(-6, 6):
            self.refuse(node, "the column of a candle must be a constant from 0 to 5")
        index = which.value % 6
        return Series(
            lambda i: self.candle_value(i, which, node),
            "self.candles[:, column]",
            origin=api.COLUMN_SOURCES.get(index),
            array=parse(f"bars[:, {index}]"),
            pure=self.pure_made([Candles()], lambda codes: parse(f"X[:, {index}]", X=codes[0])),
        )

    def candle(self, owner: Candles, node: ast.Subscript) -> Value:
        """Lower `self.candles[...]`."""
        inner = node.slice
        if owner.timeframe:
            return self.frame_candle(owner, node)
        if isinstance(inner, ast.Tuple) and len(inner.elts) == 2:
            row, column = inner.elts
            if isinstance(column, ast.Slice):
                self.refuse(node, "a slice of columns is not compiled; take one column")
            series = self.column(self.lower(column), node)
            sliced = self.candle_slice(owner, row, node) if isinstance(row, ast.Slice) else owner
            series = self.shifted(series, sliced.end)
            if sliced.tail is not None:
                if isinstance(sliced.tail, Number):
                    longer = ast.BinOp(sliced.tail.node, ast.Add(), ast.Constant(sliced.end))
                    start: Number | None = Number(longer if sliced.end else sliced.tail.node, "int", False)
                else:
                    code = ast.BinOp(self.program.config_node(sliced.tail), ast.Add(), ast.Constant(sliced.end))
                    start = self.program.materialise(self.config(code, node))
                assert start is not None
                return Window(self.column(self.lower(column), node), start, sliced.end)
            if isinstance(row, ast.Slice):
                return series
            return series.at(self.index(self.lower(row), row))
        if isinstance(inner, ast.Slice):
            return self.candle_slice(owner, inner, node)
        index = self.index(self.lower(inner), inner)
        if owner.end == 0 and owner.tail is None:
            return CandleRow(index)
        if not isinstance(index, Const) or index.value >= 0:
            self.refuse(node, "a slice of the candles is indexed from its newest row, as in [-1]")
        return CandleRow(Const(index.value - owner.end))

    def rows_back(self, index: Value, node: ast.AST) -> int:
        """Return how many rows before the newest an index names, for what has a row of its own for each."""
        if not isinstance(index, Const) or not isinstance(index.value, int) or index.value >= 0:
            self.refuse(node, "candles of another timeframe are indexed from the newest by a constant, as in [-2]")
        return -1 - index.value

    def frame_candle(self, owner: Candles, node: ast.Subscript) -> Value:
        """Lower a subscript of candles of another timeframe."""
        inner = node.slice
        if self.is_parallel(owner) and isinstance(inner, ast.Tuple) and len(inner.elts) == 2:
            return self.parallel_candle(owner, inner.elts[0], inner.elts[1], node)
        if isinstance(inner, ast.Slice):
            back, end = self.bounds(inner)
            if back is not None:
                self.refuse(node, f"candles[-n:] of {owner.timeframe} candles is not compiled")
            return replace(owner, end=owner.end + end)
        if isinstance(inner, ast.Tuple) and len(inner.elts) == 2:
            row, column = inner.elts
            which = self.lower(column)
            if isinstance(row, ast.Slice):
                back, end = self.bounds(row)
                if back is not None:
                    self.refuse(node, f"candles[-n:] of {owner.timeframe} candles is not compiled")
                return Series(
                    lambda i: self.frame_value(owner, self.rows_back(i, node) + end, which, node), owner.timeframe
                )
            return self.frame_value(owner, self.rows_back(self.lower(row), node), which, node)
        rows = self.rows_back(self.lower(inner), node)
        return Group(tuple(self.frame_value(owner, rows, Const(i), node) for i in range(6)))

    def frame_value(self, owner: Candles, back: int, column: Value, node: ast.AST) -> Number:
        """Return one number of a candle of another timeframe."""
        if not isinstance(column, Const) or column.value not in range(-6, 6):
            self.refuse(node, "the column of a candle must be a constant from 0 to 5")
        key = (owner.timeframe, column.value % 6, owner.end + back)
        field = self.program.frame_columns.setdefault(key, f"column_{len(self.program.frame_columns)}")
        if self.context == "bar":
            return Number(parse(f"x[k.{field}, s.bar]"), "float", True)
        length = self.forming_minutes(owner.timeframe)
        if length is None:
            return Number(parse(f"x[k.{field}, _known_bar(s, s.bar)]"), "float", True)
        newer = field
        if key[2] > 0:
            columns = self.program.frame_columns
            newer = columns.setdefault((*key[:2], key[2] - 1), f"column_{len(columns)}")
        code = f"_frame_value(s, x, k.{field}, k.{newer}, minutes, {length}, {key[1]}, {key[2]})"
        return Number(parse(code), "float", True)

    def is_parallel(self, owner: Candles) -> bool:
        """Tell whether the candles are another symbol's in the traded timeframe, and nothing forms."""
        route = self.program.environment["route"]
        return self.context == "bar" and owner.timeframe.rpartition(" ")[2] == route.timeframe

    def parallel_candle(self, owner: Candles, row: ast.expr, column: ast.expr, node: ast.Subscript) -> Value:
        """Lower `candles[rows, column]` of another symbol's candles, whose rows are those of the traded ones."""
        which = self.lower(column)
        if not isinstance(which, Const) or which.value not in range(-6, 6):
            self.refuse(node, "the column of a candle must be a constant from 0 to 5")
        key = (owner.timeframe, which.value % 6, PARALLEL)
        field = self.program.frame_columns.setdefault(key, f"column_{len(self.program.frame_columns)}")

        def at(index: Value) -> Number:
            bar, _ = self.bar_node(index, node)
            return Number(parse(f"x[k.{field}, BAR]", BAR=bar), "float", True)

        series = Series(
            at,
            f"a column of {owner.timeframe}",
            array=parse(f"x[k.{field}]"),
            pure=self.pure_made([replace(owner, end=0)], lambda codes: parse(f"X[:, {key[1]}]", X=codes[0])),
        )
        series = self.shifted(series, owner.end)
        if isinstance(row, ast.Slice):
            return self.series_slice(series, row, node)
        return series.at(self.index(self.lower(row), row))

    def frame_length(self, owner: Candles) -> Number:
        """Return how many candles of another timeframe or symbol there are."""
        key = (owner.timeframe, COUNT, owner.end)
        field = self.program.frame_columns.setdefault(key, f"column_{len(self.program.frame_columns)}")
        bar = "s.bar" if self.context == "bar" else "_known_bar(s, s.bar)"
        return Number(parse(f"np.int64(x[k.{field}, {bar}])"), "int", False)

    def forming_minutes(self, frame: str) -> int | None:
        """Return the minutes of a larger timeframe of the traded symbol, whose forming candle kernels can compute."""
        own = TIMEFRAME_MINUTES[self.program.environment["route"].timeframe]
        length = TIMEFRAME_MINUTES.get(frame, 0)
        return length if length > own and length % own == 0 else None

    def candle_slice(self, owner: Candles, where: ast.Slice, node: ast.AST) -> Candles:
        """Lower `self.candles[:-k]` and `self.candles[-n:]`."""
        back, end = self.bounds(where)
        if back is None:
            if end and owner.tail is not None:
                self.refuse(node, "a slice of a slice of the candles is not compiled")
            return replace(owner, end=owner.end + end)
        if owner.tail is not None:
            self.refuse(node, "a slice of a slice of the candles is not compiled")
        if isinstance(back, Number):
            if back.constant is None:
                kept = Number(ast.BinOp(back.node, ast.Sub(), ast.Constant(end)), "int", False) if end else back
                return Candles(owner.end + end, kept)
            back = back.constant
        if end:
            code = ast.BinOp(self.program.config_node(back), ast.Sub(), ast.Constant(end))
            known = self.config(code, node)
            assert isinstance(known, Const | Config)
            back = known
        return Candles(owner.end + end, back)

    def candle_value(self, row: Value, column: Value, node: ast.AST) -> Number:
        """Return one number of one candle."""
        if not isinstance(column, Const) or column.value not in range(-6, 6):
            self.refuse(node, "the column of a candle must be a constant from 0 to 5")
        which = column.value % 6
        if self.context == "bar":
            bar, _ = self.bar_node(row, node)
            return Number(parse(f"bars[BAR, {which}]", BAR=bar), "float", True)
        index = self.as_number(row, node)
        return Number(parse(f"_candle_at(s, bars, minutes, INDEX, {which})", INDEX=index.node), "float", True)


def as_dict(value: Value) -> Group:
    """Return a value that is known to be a dict."""
    assert isinstance(value, Group)
    return value
