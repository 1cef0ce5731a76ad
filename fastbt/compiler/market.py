"""Lower what only Python can compute, but before the run: functions of the user's own, TA-Lib, numpy on whole arrays.

Such an expression reads candles, other series and the configuration, nothing of the run. Its value is a series of the
market stage, like that of an indicator (`engine.python_series`). What kind of thing it is, and whether it looks ahead,
is found by trying it on made-up candles.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fastbt.compiler.attributes import AttributeLowerer
from fastbt.compiler.lower import Program, PythonSlot, Slot
from fastbt.compiler.operators import ARITHMETIC
from fastbt.compiler.values import (
    CandleRow,
    Candles,
    Config,
    Const,
    Group,
    Listing,
    Number,
    Series,
    Text,
    Value,
    Window,
    name,
    parse,
    type_of,
)
from fastbt.engine.python_series import Expression, changes, differs, prefixes
from fastbt.engine.trading_hours import is_in_trading_hours
from fastbt.errors import CompileError
from fastbt.indicators import _registry
from fastbt.indicators.plugin import made_up_candles
from fastbt.types import TIMEFRAME_MINUTES, Float1D, Float2D

#: Rows of the candles on which expressions are tried, beside those of the warm-up.
_ROWS = 700


@dataclass(frozen=True)
class Pure:
    """Python code over candles, series and the configuration.

    Attributes
    ----------
    node : ast.expr
        Over the names of `inputs`, and those of a `Config`.
    inputs : mapping
        Each name and what it is: a timeframe ("" for the traded one), or a slot and the row of its field.
    end : int
        How many of the newest rows are left out of what the code gives.
    windowed : bool
        Whether it sees less than all rows, or is no array by bar: it is evaluated at each bar.
    sliced : ast.expr or None
        Code that leaves those rows out itself; None where `node[:-end]` does.
    """

    node: ast.expr
    inputs: Mapping[str, Any] = field(default_factory=dict)
    end: int = 0
    windowed: bool = False
    sliced: ast.expr | None = None

    @property
    def code(self) -> ast.expr:
        """The code with the newest rows left out."""
        if self.sliced is not None:
            return self.sliced
        return parse(f"X[:-{self.end}]", X=self.node) if self.end else self.node

    def shifted(self, end: int) -> Pure:
        """Return the code of the result without its newest rows."""
        if self.windowed:
            return replace(self, node=parse(f"X[:-{end}]", X=self.node))
        return Pure(self.node, self.inputs, self.end + end, sliced=parse(f"X[:-{end}]", X=self.code))


def join(parts: list[Pure], node: Any) -> Pure:
    """Return the code that `node` makes of the codes of its parts.

    Parameters
    ----------
    parts : list of Pure
    node : callable
        Of the codes.
    """
    inputs = {key: what for each in parts for key, what in each.inputs.items()}
    ends = {each.end for each in parts if each.inputs}
    windowed = any(each.windowed for each in parts)
    sliced = node([each.code for each in parts])
    if windowed or len(ends) != 1:
        return Pure(sliced, inputs, 0, windowed)
    end = ends.pop()
    return Pure(node([each.node for each in parts]), inputs, end, sliced=sliced if end else None)


class Samples:
    """What expressions give on made-up candles: how their kind becomes known before the run."""

    def __init__(self, program: Program) -> None:
        self.program = program
        step = TIMEFRAME_MINUTES[program.environment["route"].timeframe] * 60_000.0
        self.n = 2 * program.window + _ROWS
        self.candles = made_up_candles(self.n)
        self.candles[:, 0] = 1.5e12 // (step * 1440) * (step * 1440) + step * np.arange(self.n)

    def array(self, what: Any, n: int) -> Any:
        """Return an input as it is after `n` bars."""
        if isinstance(what, str):
            return self.candles[:n].copy()
        slot, row = what
        if isinstance(slot, PythonSlot):
            assert slot.sample is not None
            return slot.sample[row][slot.sample_missing : n].copy()
        return self.of_indicator(slot)[row][:n].copy()

    def of_indicator(self, slot: Slot) -> Float2D:
        """Return the series of one of Jesse's indicators."""
        key = f"sample {slot}"
        if key not in self.program.samples:
            values = [(key, self._value(value)) for key, value in slot.arguments]
            positional = [value for key, value in values if isinstance(key, int)]
            keyword = {key: value for key, value in values if isinstance(key, str)}
            source, params, _ = slot.indicator.encode(*positional, **keyword)
            if isinstance(slot.data, tuple):
                data: Float1D | Float2D = self.array(slot.data, self.n)
            else:
                source = slot.data if isinstance(slot.data, str) else source
                data = self.candles if source is None else _registry.select_source(self.candles, source)
            found = np.full((len(slot.indicator.fields), self.n), np.nan)
            found[:, self.n - len(data) :] = _registry.compute(
                slot.indicator, data, params, sequential=slot.sequential, window=0
            )
            self.program.samples[key] = found
        found = self.program.samples[key]
        assert isinstance(found, np.ndarray)
        return found

    def _value(self, value: Const | Config) -> Any:
        return value.value if isinstance(value, Const) else value.sample

    def missing(self, slot: PythonSlot, hp: Mapping[str, Any]) -> int:
        """Return how many rows the arrays of a slot are shorter than the candles, for some hyper-parameters."""
        arrays = {key: self.array(what, self.n) for key, what in slot.inputs}
        with _registry.warm_up_window(self.program.window):
            found = slot.expression(hp, arrays)
        return self.n - len(found[0] if isinstance(found, tuple | list) else found)

    def evaluate(self, expression: Expression, inputs: Mapping[str, Any], n: int) -> Any:
        """Return what an expression gives after `n` bars."""
        arrays = {key: self.array(what, n) for key, what in inputs.items()}
        with _registry.warm_up_window(self.program.window):
            return expression(self.program.environment["hp"], arrays)


class MarketLowerer(AttributeLowerer):
    """Lower expressions of the market stage that Python computes."""

    # --- what can be handed to Python ---------------------------------------------------------------------------
    def pure(self, value: Value) -> Pure | None:
        """Return the Python code of a value that is known before the run, or None."""
        if isinstance(value, Number | Text) and value.constant is not None:
            value = value.constant
        if isinstance(value, Const | Config):
            return Pure(self.program.config_node(value))
        if isinstance(value, Candles):
            return self.pure_candles(value)
        if isinstance(value, CandleRow) and isinstance(value.index, Const | Config):
            at = self.program.config_node(value.index)
            return Pure(parse("candles[I]", I=at), {"candles": ""}, windowed=True)
        if isinstance(value, Series | Number):
            return value.pure if isinstance(value.pure, Pure) else None
        if isinstance(value, Window):
            return self.pure_window(value)
        if isinstance(value, Group):
            return self.pure_group(value)
        return None

    def pure_candles(self, value: Candles) -> Pure | None:
        if isinstance(value.tail, Number):
            return None
        key = "candles" + "".join(each if each.isalnum() else "_" for each in value.timeframe)
        found = Pure(name(key), {key: value.timeframe}, value.end, bool(value.timeframe))
        if value.timeframe and value.end:
            found = replace(found, node=found.code, end=0)
        if value.tail is None:
            return found
        tail = self.program.config_node(value.tail)
        return Pure(parse("X[-N:]", X=found.code, N=tail), found.inputs, windowed=True)

    def pure_window(self, value: Window) -> Pure | None:
        series, start = value.series.pure, value.start.constant
        if not isinstance(series, Pure) or not isinstance(start, Const | Config):
            return None
        begin = self.program.config_node(start)
        code = parse(f"X[-N:-{value.stop}]" if value.stop else "X[-N:]", X=series.code, N=begin)
        return Pure(code, series.inputs, windowed=True)

    def pure_group(self, value: Group) -> Pure | None:
        parts = [self.pure(each) for each in value.items]
        if value.fields is not None or any(each is None for each in parts):
            return None
        known = [each for each in parts if each is not None]
        if value.keys is not None:
            if value.present is not None or not known:
                return None
            keys: list[ast.expr | None] = [self.program.config_node(Const(each)) for each in value.keys]
            return join(known, lambda codes: ast.Dict(keys, codes))
        make = ast.List if value.is_list else ast.Tuple
        return join(known, lambda codes: make(codes, ast.Load()))

    def is_market(self, values: list[Value]) -> bool:
        """Tell whether Python can compute something of these values, and they are not all of the configuration."""
        found = [self.pure(each) for each in values]
        return all(each is not None for each in found) and any(each.inputs for each in found if each is not None)

    def pure_made(self, values: list[Value], make: Callable[[list[ast.expr]], ast.expr]) -> Pure | None:
        """Return the code that `make` makes of the codes of values, or None if it is not known before the run."""
        found = [self.pure(each) for each in values]
        parts = [each for each in found if each is not None]
        if len(parts) < len(found) or not any(each.inputs for each in parts):
            return None
        return join(parts, make)

    def either(
        self, first: Callable[[], Value], second: Callable[[], Value] | None, *, and_say_why: bool = False
    ) -> Value:
        """Return what the first of two ways to lower something gives, or the second if that is refused.

        If both are refused it is the first one's reason that is given, or with `and_say_why` the second one's.
        """
        if second is None:
            return first()
        program = self.program
        kept: list[dict[Any, Any]] = [
            program.slots,
            program.config_fields,
            program.functions,
            program.forming,
            program.frame_columns,
            program.frame_rows,
            program.forming_frames,
            program.on_demand,
            program.user_functions,
        ]
        copies = [dict(each) for each in kept]
        before = (
            list(self.out),
            dict(self.locals),
            self.impure,
            self.temporaries,
            program.points,
            set(program.timeframes),
        )
        stack, changed = list(program.stack), program.changed
        try:
            return first()
        except CompileError as error:
            reason = error
            for each, copy in zip(kept, copies, strict=True):
                each.clear()
                each.update(copy)
            self.out[:], self.locals, self.impure, self.temporaries, program.points, timeframes = before
            program.timeframes.clear()
            program.timeframes.update(timeframes)
            program.stack[:], program.changed = stack, changed
        try:
            return second()
        except CompileError as error:
            raise (error if and_say_why else reason) from None

    def pure_call(self, target: Const, arguments: list[Value], keywords: dict[str, Value]) -> Pure | None:
        """Return the code of a call, or None if it is not known before the run."""
        n = len(arguments)

        def call(codes: list[ast.expr]) -> ast.expr:
            named = [ast.keyword(key, code) for key, code in zip(keywords, codes[n:], strict=True)]
            return ast.Call(self.program.config_node(target), codes[:n], named)

        return self.pure_made([*arguments, *keywords.values()], call)

    def known_time(self, value: Value) -> Value:
        """Return `self.time` at the end of a bar as a number that Python knows, too; anything else as it is."""
        is_time = isinstance(value, Number) and ast.unparse(value.node) == "s.time"
        if not is_time or self.context != "bar":
            return value
        length = TIMEFRAME_MINUTES[self.program.environment["route"].timeframe] * 60_000
        known = self.pure_made([Candles()], lambda codes: parse(f"X[-1, 0] + {length}", X=codes[0]))
        assert isinstance(known, Pure)
        return Number(parse("s.time"), "float", None, pure=replace(known, windowed=True))

    def trading_hours(self, key: str, node: ast.AST) -> Value:
        """Lower `self.is_trading_hours` and `self.closed_candle_open_time`: of the last candle that is complete."""
        length = TIMEFRAME_MINUTES[self.program.environment["route"].timeframe] * 60_000
        if key == "closed_candle_open_time":
            if self.context == "bar":
                known = self.pure_made([Candles()], lambda codes: parse("int(X[-1, 0])", X=codes[0]))
                assert isinstance(known, Pure)
                code = parse("np.int64(bars[s.bar, 0])")
                return Number(code, "int", False, pure=replace(known, windowed=True))
            return Number(parse(f"_closed_open(s, bars, {length})"), "int", False)
        method = self.program.source.methods.get("trading_hours")
        hours = Const(None) if method is None else self.call_method(method, (), (), node)
        if isinstance(hours, Const) and hours.value is None:
            return Const(True)
        pure = self.pure_call(Const(hours_of), [Candles(), hours], {})
        if pure is None:
            self.refuse(node, "trading_hours() must return a schedule that is known before the run")
        index: Value = Const(-1)
        outer = self.context
        if outer != "bar":
            index = Number(self.temporary(parse(f"_closed_bar(s, bars, {length})")), "int", False)
        # The candle that is asked for is complete, whatever forms at that moment.
        self.context = "bar"
        try:
            series = self.market(pure, node)
            assert isinstance(series, Series)
            return replace(series.at(index), numpy=False)
        finally:
            self.context = outer

    # --- what becomes of it -------------------------------------------------------------------------------------
    def market(self, pure: Any, node: ast.AST, *, looks_back: bool | None = False) -> Value:
        """Return the value of an expression of the market stage.

        Parameters
        ----------
        pure : Pure
        node : ast.AST
            Where it stands.
        looks_back : bool or None
            Whether older values change with new rows, as those of some of Jesse's indicators do; None if they may.
        """
        label = ast.unparse(node)
        key = f"kind of {ast.unparse(pure.node)} {pure.windowed} {sorted(map(str, pure.inputs.items()))}"
        known = self.program.samples
        if key not in known:
            known[key] = self.tried(pure, label, node, looks_back)
        kind, sample, optional = known[key]
        if kind == "object":
            return self.foreign_object(pure, label, sample)
        if kind != "at once" and pure.end:
            # Single numbers of what is left have no older ones: the newest rows are left out of the input.
            return self.market(Pure(pure.code, pure.inputs, windowed=True), node, looks_back=looks_back)
        if kind == "at once":
            slot = self.program.python_slot(pure.node, label, pure.inputs, False, sample, False)
            items: list[Value] = [
                self.shifted(self.python_series(slot, i, node), pure.end) for i in range(len(slot.types))
            ]
            return self.shaped(sample, items)
        if kind == "numbers":
            whole = Pure(pure.code, pure.inputs, windowed=True)
            slot = self.program.python_slot(whole.node, label, pure.inputs, True, sample, optional)
            return self.shaped(sample, [self.python_number(slot, i, node) for i in range(len(slot.types))])
        # Each part on its own: single numbers as they are, of arrays the values that are asked for.
        parts = sample if isinstance(sample, tuple | list) else (sample,)
        items = []
        for i, part in enumerate(parts):
            code = parse(f"X[{i}]", X=pure.code) if isinstance(sample, tuple | list) else pure.code
            inner = Pure(code, pure.inputs, windowed=True)
            is_number = part is None or isinstance(part, str) or type_of(part) is not None
            items.append(self.market(inner, node) if is_number else self.object_by_bar(inner, label, part))
        return self.shaped(sample, items)

    def shaped(self, sample: Any, items: list[Value]) -> Value:
        """Put values into the shape of the result that they come from."""
        if not isinstance(sample, tuple | list):
            return items[0]
        return Group(tuple(items), getattr(sample, "_fields", None), isinstance(sample, list))

    def tried(self, pure: Pure, label: str, node: ast.AST, looks_back: bool | None) -> tuple[str, Any, bool]:
        """Find out what kind of thing an expression is: its kind, a sample, and whether it can be None."""
        samples = self.program.sampler(Samples)
        expression = self.program.expression(pure.code if pure.windowed else pure.node, label)

        def run(n: int) -> Any:
            try:
                return samples.evaluate(expression, pure.inputs, n)
            except Exception as error:
                self.refuse(
                    node, f"this raised {type(error).__name__} when it was tried on {n} made-up candles: {error}"
                )

        whole = run(samples.n)
        parts = tuple(whole) if isinstance(whole, tuple | list) else (whole,)
        again = run(samples.n)
        if isinstance(whole, np.ndarray | np.number | float | int | tuple) and not _same(whole, again):
            self.refuse(node, "this is not the same in two calls: it depends on more than its arguments")
        for each in parts:
            if isinstance(each, np.ndarray) and each.dtype.kind not in "fiub":
                self.refuse(node, f"this gives an array of {each.dtype}; those of numbers are compiled")
            if not (each is None or isinstance(each, np.ndarray | str) or type_of(each) is not None):
                return "object", whole, False
        if all(each is None or isinstance(each, str) or type_of(each) is not None for each in parts):
            optional = any(each is None for each in parts)
            for n in (2, 30, samples.n - 3):
                # Where there are few rows it may raise; that matters only if the run asks for it there.
                with suppress(Exception):
                    found = samples.evaluate(expression, pure.inputs, n)
                    optional |= any(each is None for each in (found if isinstance(found, tuple) else (found,)))
            return "numbers", whole, optional
        arrays = [each for each in parts if isinstance(each, np.ndarray) and each.ndim == 1]
        if pure.windowed or len(arrays) < len(parts) or not all(0 < len(each) <= samples.n for each in arrays):
            return "parts", whole, False
        lacking = {samples.n - len(each) for each in parts}
        if len(lacking) > 1:
            return "parts", whole, False
        missing = lacking.pop()
        return self.checked(pure, whole, missing, run, samples.n, node, looks_back)

    def checked(
        self, pure: Pure, whole: Any, missing: int, run: Any, n: int, node: ast.AST, looks_back: bool | None
    ) -> tuple[str, Any, bool]:
        """Compare what arrays are over the first rows with what they are over all."""
        if looks_back:
            return "parts", whole, False
        stacked = _stack(whole, n, missing)
        rounds = False
        wrong: tuple[int, Any] | None = None
        for rows in prefixes(n):
            found = run(rows)
            fields = tuple(found) if isinstance(found, tuple | list) else (found,)
            if any(np.shape(each) != (rows - missing,) for each in fields):
                return "parts", whole, False
            part = _stack(found, rows, missing)
            rounds |= bool(differs(part, stacked).any())
            where = np.argwhere(changes(part, stacked).T)
            if len(where):
                wrong = rows, where[0]
        if wrong is not None and looks_back is False:
            rows, (bar, row) = wrong
            part = _stack(run(rows), rows, missing)
            self.refuse(
                node,
                f"this looks ahead: at bar {bar} of made-up candles it is {part[row, bar]} with {rows} bars, and "
                f"{stacked[row, bar]} once there are {n}. A function that returns the last value of it, one number, "
                "is compiled: it is asked for at each bar, as in Jesse",
            )
        if rounds or wrong is not None:
            return "parts", whole, False
        return "at once", whole, False

    def python_series(self, slot: PythonSlot, row: int, node: ast.AST) -> Series:
        """Return an array that Python computes at once."""
        first = f"k.{slot.field}" if row == 0 else f"k.{slot.field} + {row}"
        type_ = slot.types[row]

        def at(index: Value) -> Number:
            newest = True
            if not slot.sample_missing:
                bar, newest = self.bar_node(index, node)
            elif isinstance(index, Const) and index.value < 0:
                n = -index.value
                newest = n == 1
                bar = parse(f"_lag_from(s, {n}, k.{slot.field}_first)")
            else:
                number = self.as_number(index, node)
                bar = parse(f"_at_from(s, INDEX, k.{slot.field}_first)", INDEX=number.node)
            if newest and self.context == "fill":
                bar = parse("_known_bar(s, BAR)", BAR=bar)
            return Number(_typed(parse(f"x[{first}, BAR]", BAR=bar), type_), type_, True)

        key = f"{slot.field}_{row}"
        is_float = type_ == "float"
        return Series(
            at,
            slot.label,
            (slot, row) if is_float else None,
            array=parse(f"x[{first}]") if is_float and not slot.sample_missing else None,
            lacks=parse(f"k.{slot.field}_first") if slot.sample_missing else None,
            pure=Pure(name(key), {key: (slot, row)}) if is_float else Pure(_field(slot, row), dict(slot.inputs)),
        )

    def python_number(self, slot: PythonSlot, row: int, node: ast.AST) -> Number | Text:
        """Return a number that Python computes at each bar."""
        first = f"k.{slot.field}" if row == 0 else f"k.{slot.field} + {row}"
        flag = f"k.{slot.field} + {len(slot.types) + row}"
        bar = parse("_known_bar(s, s.bar)" if self.context == "fill" else "s.bar")
        none = parse(f"x[{flag}, s.bar] == 1.0") if slot.optional else None
        helper = "_found_or_none" if slot.optional else "_found"
        code = _typed(parse(f"{helper}(s, x[{first}, BAR], x[{flag}, BAR])", BAR=bar), slot.types[row])
        if slot.types[row] == "text":
            return Text(code, none)
        numpy = slot.numpy[row]
        return Number(
            code, slot.types[row], numpy, none, pure=Pure(_field(slot, row), dict(slot.inputs), windowed=True)
        )

    def object_by_bar(self, pure: Pure, label: str, sample: Any = None) -> Value:
        """Return an array or another object that is another one at each bar: of it, single values are asked for."""

        def at(index: Value) -> Number:
            if isinstance(index, Number) and index.constant is not None:
                index = index.constant
            if not isinstance(index, Const | Config):
                self.refuse(
                    self.method.node, f"{label} is indexed by what is known before the run only, as in [-1] or [-2]"
                )
            code = parse("X[I]", X=pure.node, I=self.program.config_node(index))
            value = self.market(replace(pure, node=code), parse(label))
            if not isinstance(value, Number):
                self.refuse(self.method.node, f"{label} holds more than numbers: {self.describe(value)}")
            return value

        size = len(sample) if isinstance(sample, np.ndarray) and sample.ndim else None
        return Series(at, label, pure=pure, size=size)

    def foreign_object(self, pure: Pure, label: str, sample: Any) -> Series:
        """Return an object that Python made, as those of pandas: of it, attributes, items and calls are asked for."""

        def at(index: Value) -> Number:
            self.refuse(self.method.node, f"{label} is a {type(sample).__name__}; use .values, .iloc or .to_numpy()")

        return Series(at, label, pure=pure, sample=sample)

    def attribute_of_object(self, owner: Series, node: ast.Attribute) -> Value | None:
        """Lower an attribute of an object that Python made; None if it is a method."""
        whole = owner.sample
        if node.attr in ("iloc", "values", "array") and np.ndim(whole) == 1:
            # Counted from the first or the last row, as in the array of its values.
            pure = self.pure_made([owner], lambda codes: parse("A(X)", A=self.object(np.asarray), X=codes[0]))
        else:
            found = getattr(whole, node.attr, None)
            if found is None or inspect.isroutine(found):
                return None
            pure = self.pure_made([owner], lambda codes: ast.Attribute(codes[0], node.attr, ast.Load()))
        return self.market(pure, node)

    def object(self, value: Any) -> ast.expr:
        """Return the code of an object."""
        return self.program.config_node(Const(value))

    # --- arrays -------------------------------------------------------------------------------------------------
    def array_operation(
        self,
        values: list[Value],
        make: Callable[[list[ast.expr]], ast.expr],
        each: Callable[[list[Number]], Number],
        node: ast.AST,
    ) -> Value | None:
        """Lower an operation that numpy does item by item; None if no array takes part.

        Parameters
        ----------
        values : list of Value
        make : callable
            Of the codes of the values: that of the operation.
        each : callable
            Of one number of each value: the operation on them.
        node : ast.AST
        """
        if not any(isinstance(value, Series | Window | Candles | CandleRow) for value in values):
            return None
        if any(isinstance(value, Listing) for value in values):
            return None
        pure = self.pure_made(values, make)
        if pure is not None and pure.windowed:
            made = self.object_by_bar(pure, ast.unparse(node))
            return self.rebuildable(made, lambda: self.kernel_operation(values, lambda *items: each(list(items)), node))
        if any(isinstance(value, Window | Candles | CandleRow) for value in values):
            return None
        if any(isinstance(value, Series) and value.rebuilt is not None for value in values):
            return None
        fixed = [value if isinstance(value, Series) else self.settled(self.as_number(value, node)) for value in values]

        def at(index: Value) -> Number:
            return each([value.at(index) if isinstance(value, Series) else value for value in fixed])

        op = getattr(node, "op", None)
        if isinstance(op, ast.operator) and type(op) not in ARITHMETIC and not isinstance(op, ast.BitAnd | ast.BitOr):
            self.refuse(node, "this operator is not compiled; use + - * / // % **")

        ends = {value.end for value in values if isinstance(value, Series)}
        lacks = [value.lacks for value in values if isinstance(value, Series)]
        if len({None if each is None else ast.unparse(each) for each in lacks}) > 1:
            self.refuse(node, "these two arrays are not of one length")
        return Series(at, ast.unparse(node), end=ends.pop() if len(ends) == 1 else 0, pure=pure, lacks=lacks[0])

    def rebuildable(self, value: Value, again: Callable[[], Value | None]) -> Value:
        """Let an array that Python makes at each bar be made in the kernel, where what follows depends on the run."""
        if not isinstance(value, Series) or value.sample is not None or value.array is not None:
            return value
        if not isinstance(value.pure, Pure) or not value.pure.windowed or value.rebuilt is not None:
            return value

        def rebuilt() -> Listing:
            made = again()
            if not isinstance(made, Listing):
                self.refuse(self.method.node, f"{value.name} is not compiled where the run takes part in it")
            return made

        return replace(value, rebuilt=rebuilt)

    def subscript_of_array(self, owner: Value, node: ast.Subscript) -> Pure | None:
        """Return Python code of a subscript, or None if it is not known before the run."""
        if not isinstance(owner, Series | Window | Candles | CandleRow) or self.pure(owner) is None:
            return None
        emitted, values = self.captured(lambda: self.index_parts(node.slice))
        found = [self.pure(each) for each in values]
        if emitted or any(each is None for each in found):
            return None

        def again(where: ast.expr, fill: Iterator[Pure | None] | None = None) -> ast.expr:
            fill = iter(found) if fill is None else fill
            if isinstance(where, ast.Slice):
                bounds = [
                    None if each is None else again(each, fill) for each in (where.lower, where.upper, where.step)
                ]
                return ast.Slice(*bounds)
            if isinstance(where, ast.Tuple):
                return ast.Tuple([again(each, fill) for each in where.elts], ast.Load())
            part = next(fill)
            assert part is not None
            return part.code

        of = self.pure(owner)
        assert of is not None
        inputs = {key: what for each in [of, *found] if each is not None for key, what in each.inputs.items()}
        if isinstance(owner, Series) and owner.sample is not None:
            return self.pure_made([owner], lambda codes: ast.Subscript(codes[0], again(node.slice), ast.Load()))
        windowed = of.windowed or not isinstance(node.slice, ast.Slice)
        shortens = isinstance(node.slice, ast.Slice) and node.slice.upper is None and _is_from_start(node.slice.lower)
        if not windowed and shortens and not of.end:
            return Pure(ast.Subscript(of.node, again(node.slice), ast.Load()), inputs)
        return Pure(ast.Subscript(of.code, again(node.slice), ast.Load()), inputs, windowed=True)

    def index_parts(self, where: ast.expr) -> list[Value]:
        """Lower the expressions of a subscript, in order."""
        if isinstance(where, ast.Slice):
            return [self.lower(each) for each in (where.lower, where.upper, where.step) if each is not None]
        if isinstance(where, ast.Tuple):
            return [value for each in where.elts for value in self.index_parts(each)]
        return [self.lower(where)]


def _is_from_start(node: ast.expr | None) -> bool:
    """Tell whether a bound counts from the first row."""
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value >= 0


def _field(slot: PythonSlot, row: int) -> ast.expr:
    """Return the code of one field of a slot."""
    return parse(f"X[{row}]", X=slot.node) if slot.is_group else slot.node


def _typed(code: ast.expr, type_: str) -> ast.expr:
    """Return the code of a number of this type that is kept as a float."""
    return code if type_ == "float" else parse("X != 0.0" if type_ == "bool" else "int(X)", X=code)


def hours_of(candles: Float2D, hours: Mapping[str, Any] | None) -> Any:
    """Return for each candle whether it lies in a schedule."""
    return np.array([is_in_trading_hours(each, hours) for each in candles[:, 0]], dtype=bool)


def _stack(result: Any, n: int, missing: int) -> Float2D:
    fields = tuple(result) if isinstance(result, tuple | list) else (result,)
    stacked = np.full((len(fields), n), np.nan)
    for row, each in zip(stacked, fields, strict=True):
        row[missing:] = each
    return stacked


def _same(a: Any, b: Any) -> bool:
    """Tell whether two results are equal, NaN included."""
    if isinstance(a, tuple | list):
        return isinstance(b, tuple | list) and len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        try:
            return bool(np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f"))
        except TypeError:
            return False
    if type_of(a) is None:
        return type(a) is type(b)
    return type(a) is type(b) and bool(a == b or (a != a and b != b))
