"""Lower attributes and subscripts: the strategy's API, its variables, its candles."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from fastbt.compiler import api
from fastbt.compiler.lower import PARALLEL
from fastbt.compiler.others import OtherLowerer
from fastbt.compiler.values import (
    Bound,
    CandleRow,
    Candles,
    Config,
    Const,
    Group,
    Method1D,
    Number,
    Other,
    Part,
    Series,
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
            case Const(value):
                try:
                    return Const(getattr(value, node.attr))
                except AttributeError:
                    known = dir(value)
                    self.refuse(node, f"{self.describe(owner)} has no {node.attr!r}.{did_you_mean(node.attr, known)}")
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
        self.refuse(node, f".{node.attr} of {self.describe(owner)} is not compiled")

    def table(self, table: dict[str, Any], node: ast.Attribute, owner: str) -> Value:
        """Look an attribute of the API up."""
        if owner == "self.position" and node.attr == "type":
            self.refuse(node, "self.position.type is not compiled; use self.is_long, self.is_short or self.is_close")
        if owner == "self.position" and node.attr in ("leverage",):
            return self.config(parse("account.leverage"), node)
        if node.attr not in table:
            self.refuse(node, f"{owner}.{node.attr} is not compiled.{did_you_mean(node.attr, table)}")
        code, type_, numpy, none = table[node.attr]
        return Number(parse(code), type_, numpy, parse(none) if none else None)

    def self_attribute(self, node: ast.Attribute) -> Value:
        """Lower `self.<name>`."""
        key = node.attr
        program = self.program
        method = program.source.methods.get(key)
        if method is not None and key not in program.assigned_attributes:
            return self.call_method(method, (), (), node) if method.is_property else Bound(key, method)
        if key in program.assigned_attributes:
            if key in api.SELF or key in api.CONFIG or key in api.CONSTANT:
                self.refuse(node, f"self.{key} belongs to Jesse and is assigned; give your own variable another name")
            return self.state("self", key)
        if key in api.ORDER_ATTRIBUTES:
            self.refuse(node, f"reading self.{key} back is not compiled; keep the price in self.vars")
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

    def state(self, space: str, key: str) -> Number | Text:
        """Read a variable of the strategy."""
        variable = self.program.state_field(space, key)
        code = parse(f"v.{variable.field}")
        if not variable.is_set:
            code = parse(f"_known(s, v.{variable.field}_set, v.{variable.field})")
        none = parse(f"v.{variable.field}_none") if variable.nullable else None
        if variable.type == "text":
            return Text(code, none)
        return Number(code, variable.type or "float", None, none)

    # --- subscripts ---------------------------------------------------------------------------------------------
    def lower_Subscript(self, node: ast.Subscript) -> Value:
        owner = self.lower(node.value)
        pure = self.subscript_of_array(owner, node)
        other = None if pure is None else lambda: self.market(pure, node)
        return self.either(lambda: self.subscript(owner, node), other)

    def subscript(self, owner: Value, node: ast.Subscript) -> Value:
        """Lower a subscript of what `owner` is."""
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
        if isinstance(node.slice, ast.Slice):
            if isinstance(owner, Series):
                return self.series_slice(owner, node.slice, node)
            if isinstance(owner, Window) and owner.stop == 0:
                return self.series_slice(owner.series, node.slice, node)
            self.refuse(node, "a slice is not compiled here; index single values, as in [-1]")
        index = self.lower(node.slice)
        match owner:
            case CandleRow(row):
                return self.candle_value(row, index, node)
            case Series(at):
                return at(self.index(index, node))
            case Window(series, _, stop) if isinstance(index, Const) and isinstance(index.value, int):
                if index.value >= 0:
                    self.refuse(node, "a window is indexed from its newest row, as in [-1]")
                return series.at(Const(index.value - stop))
            case Group(items):
                if isinstance(index, Const) and isinstance(index.value, int):
                    if not -len(items) <= index.value < len(items):
                        self.refuse(node, f"the index {index.value} is outside of {len(items)} items")
                    return items[index.value]
                self.refuse(node, "the index of a tuple or list must be a constant here")
        if isinstance(owner, Const | Config) and isinstance(index, Const | Config):
            code = ast.Subscript(self.program.config_node(owner), self.program.config_node(index), ast.Load())
            return self.config(code, node)
        self.refuse(node, f"indexing {self.describe(owner)} is not compiled here")

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
        key = self.lower(node.slice)
        if not isinstance(key, Const) or not isinstance(key.value, str):
            self.refuse(node.slice, "the key of self.vars must be a constant string")
        if key.value in self.program.assigned_vars:
            return self.state("vars", key.value)
        if key.value in self.program.initial_vars:
            return Const(self.program.initial_vars[key.value])
        known = [*self.program.assigned_vars, *self.program.initial_vars]
        self.refuse(node, f"self.vars[{key.value!r}] is never set.{did_you_mean(key.value, known)}")

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
