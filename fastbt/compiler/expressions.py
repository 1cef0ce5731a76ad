"""Lower calls: indicators, Jesse's helpers, functions of numbers, and the strategy's own methods."""

from __future__ import annotations

import ast
import inspect
from dataclasses import replace
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from fastbt.compiler import api
from fastbt.compiler.cells import Cell, as_group, fit_cell, read
from fastbt.compiler.functions import helper_function, reduction, simple_function, supported_functions
from fastbt.compiler.load import Method, function_method
from fastbt.compiler.lower import Lowered, Slot
from fastbt.compiler.market import Pure
from fastbt.compiler.moments import MomentLowerer
from fastbt.compiler.operators import assign
from fastbt.compiler.user_functions import UserFunction, is_compiled, raised_status, register, result_type
from fastbt.compiler.values import (
    Bound,
    Candles,
    Config,
    Conflict,
    Const,
    Function,
    Group,
    Listing,
    Member,
    Method1D,
    Moment,
    Nothing,
    Number,
    Series,
    Text,
    Value,
    Window,
    join_numpy,
    join_types,
    name,
    parse,
)
from fastbt.engine import sizing
from fastbt.engine.routes import frame_name
from fastbt.engine.trading_hours import is_in_trading_hours
from fastbt.errors import did_you_mean
from fastbt.indicators._registry import REGISTRY, Indicator
from fastbt.types import TIMEFRAME_MINUTES, Status


class ExpressionLowerer(MomentLowerer):
    """Lower any expression of one method in one context."""

    def lower_Call(self, node: ast.Call) -> Value:
        special = self.special_call(node)
        if special is not None:
            return special
        callee = self.lower(node.func)
        if isinstance(callee, Bound):
            return self.call_bound(callee, node)
        if isinstance(callee, Method1D):
            return self.call_array_method(callee, node)
        if isinstance(callee, Member):
            return self.call_member(callee, node)
        if isinstance(callee, Function):
            return self.call_inner(callee, self.elements(node.args), self.star_arguments(node), node)
        if isinstance(callee, Conflict):
            return callee
        if isinstance(callee, Nothing):
            self.call_arguments(node)
            return callee
        if not isinstance(callee, Const):
            self.refuse(node, f"calling {self.describe(callee)} is not compiled")
        target = callee.value
        described = REGISTRY.get(getattr(target, "__name__", ""))
        if described is not None and described.function is target:
            return self.any_indicator(described, callee, node)
        if target is sizing.crossed:
            return self.call_crossed(callee, node)
        if len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp | ast.ListComp):
            over = self.call_over(target, node.args[0], node)
            if over is not None:
                return over
        arguments = self.call_arguments(node)
        keywords = self.star_arguments(node)
        if target is is_in_trading_hours and arguments:
            arguments[0] = self.known_time(arguments[0])
        if all(isinstance(each, Const | Config) for each in [*arguments, *keywords.values()]) and callable(target):
            if target is print:
                return Const(None)
            return self.config_call(callee, arguments, keywords, node)
        pure = self.pure_call(callee, arguments, keywords) if callable(target) else None
        if pure is None and callable(target):
            found = self.call_on_arrays(target, arguments, keywords, node)
            if found is not None:
                return found
        found = self.either(
            lambda: self.call_where_python_may(pure is not None, target, arguments, keywords, node),
            None if pure is None else lambda: self.market(pure, node),
            and_say_why=True,
        )
        return self.rebuildable(found, lambda: self.call_on_arrays(target, list(arguments), keywords, node))

    def call_where_python_may(
        self, is_market: bool, target: Any, arguments: list[Value], keywords: dict[str, Value], node: ast.Call
    ) -> Value:
        """Call a function in the kernel; with `is_market` only if it makes no arrays of series there, bar by bar."""
        program = self.program
        outer, program.leaves_arrays = program.leaves_arrays, program.leaves_arrays or is_market
        try:
            return self.call_function(target, arguments, keywords, node)
        finally:
            program.leaves_arrays = outer

    def call_arguments(self, node: ast.Call) -> list[Value]:
        """Lower the arguments of a call: a loop's enumerate, zip and reversed are arguments, too."""
        if any(isinstance(each, ast.Starred) for each in node.args):
            return self.elements(node.args)
        if len(node.args) == 1:
            return [self.lower_iterable(node.args[0])]
        return self.lower_all(node.args)

    def call_array_method(self, callee: Method1D, node: ast.Call) -> Value:
        """Lower `window.mean()` and the like."""
        values = [callee.owner, *map(self.lower, node.args)]
        names = [str(each.arg) for each in node.keywords]
        values += [self.lower(each.value) for each in node.keywords]

        def call(codes: list[ast.expr]) -> ast.expr:
            n = len(codes) - len(names)
            keywords = [ast.keyword(key, code) for key, code in zip(names, codes[n:], strict=True)]
            return ast.Call(ast.Attribute(codes[0], callee.name, ast.Load()), codes[1:n], keywords)

        pure = self.pure_made(values, call)
        if pure is None:
            return self.method_of_array(callee, node)
        return self.either(lambda: self.array_method(callee, node), lambda: self.market(pure, node), and_say_why=True)

    def array_method(self, callee: Method1D, node: ast.Call) -> Value:
        """Lower a method of an array to a kernel."""
        target = getattr(np, callee.name, None)
        if node.args or node.keywords or target is None:
            self.refuse(node, f".{callee.name}() is compiled without arguments, for mean, max, min, sum and std")
        reduced = self.reduce(target, callee.owner, node)
        if reduced is None:
            self.refuse(node, f".{callee.name}() of a series is not compiled; mean, max, min, sum and std are")
        return reduced

    def config_call(self, callee: Const, arguments: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """Lower a call that Python can make before the run."""
        owner = getattr(callee.value, "__self__", None)
        module = getattr(callee.value, "__module__", "") or ""
        if owner is not None and not isinstance(owner, type | ModuleType):
            module = type(owner).__module__  # random.random is a method of a hidden object
        is_clock = isinstance(owner, type) and callee.value.__name__ in ("now", "utcnow", "today")
        if is_clock or module.startswith("numpy.random"):
            self.refuse(node, f"{callee.value.__name__}() depends on the outside world and is not compiled")
        if module.split(".")[0] in ("random", "time", "os", "pathlib", "io", "requests", "socket", "subprocess"):
            self.refuse(node, f"{module}.{callee.value.__name__} depends on the outside world and is not compiled")
        code = ast.Call(
            self.program.config_node(callee),
            [self.program.config_node(each) for each in arguments],
            [ast.keyword(key, self.program.config_node(value)) for key, value in keywords.items()],
        )
        return self.config(code, node)

    def call_bound(self, callee: Bound, node: ast.Call) -> Value:
        """Call a method of the strategy."""
        if callee.method is not None:
            positional = tuple(self.elements(node.args))
            keywords = tuple(self.star_arguments(node).items())
            if callee.method.is_class:
                positional = (Const(self.program.source.cls), *positional)
            return self.call_method(callee.method, positional, keywords, node)
        if callee.name in api.DROPPED:
            return Const(None)
        if callee.name == "liquidate":
            self.out.append(ast.Expr(parse("_liquidate(s)")))
            self.impure = True
            for each in ("stop_loss", "take_profit"):
                self.ever_assigned.add(each)
                self.locals[f"self.{each}"] = Conflict("orders that liquidate() made")
            return Const(None)
        if callee.name == "shared_vars.get" and node.args:
            return self.shared_get(node)
        if callee.name == "vars.get" and node.args:
            return self.vars_get(node)
        if callee.name.startswith("vars."):
            return self.call_vars(callee.name.removeprefix("vars."), node)
        if callee.name == "get_candles":
            return self.other_candles(node)
        self.refuse(node, f"self.{callee.name}() is not compiled")

    def other_candles(self, node: ast.Call) -> Value:
        """Lower `self.get_candles(exchange, symbol, timeframe)`."""
        given = [self.lower(each) for each in [*node.args, *(each.value for each in node.keywords)]]
        given = [each.constant or each if isinstance(each, Text) else each for each in given]
        names = ["exchange", "symbol", "timeframe"]
        order = [*names[: len(node.args)], *(str(each.arg) for each in node.keywords)]
        wanted = dict(zip(order, given, strict=False))
        if set(wanted) != set(names) or not all(isinstance(each, Const | Config) for each in given):
            self.refuse(node, "self.get_candles wants exchange, symbol and timeframe, known before the run")
        texts = {}
        for key, each in wanted.items():
            assert isinstance(each, Const | Config)
            code = self.program.config_node(each)
            if any(isinstance(part, ast.Name) and part.id == "hp" for part in ast.walk(code)):
                self.refuse(node, f"the {key} of self.get_candles cannot depend on a hyper-parameter")
            texts[key] = self.sample(each)
        route, account = self.program.environment["route"], self.program.environment["account"]
        if texts["exchange"] != account.exchange:
            self.refuse(node, f"there are candles of {account.exchange!r} only; was {texts['exchange']!r}")
        timeframe = texts["timeframe"]
        if timeframe not in TIMEFRAME_MINUTES:
            hint = did_you_mean(str(timeframe), TIMEFRAME_MINUTES)
            self.refuse(node, f"Jesse has no timeframe {timeframe!r}.{hint}")
        key = frame_name(texts["symbol"], timeframe, route.symbol)
        if key == route.timeframe:
            return Candles()
        self.program.timeframes.add(key)
        return Candles(timeframe=key)

    def vars_get(self, node: ast.Call) -> Value:
        key = self.vars_key(node.args[0])
        emitted, default = self.captured(lambda: self.lower(node.args[1]) if len(node.args) > 1 else Const(None))
        if key not in self.program.assigned_vars:
            return Const(self.program.initial_vars[key]) if key in self.program.initial_vars else default
        variable = self.program.variable("vars", key)
        self.out += emitted
        if not variable.cell.optional:
            return self.state("vars", key, node)
        held = self.bare_read(variable.cell)
        return self.chosen(parse(f"v.{variable.cell.path}_set"), ([], held), ([], default), node)

    def call_vars(self, key: str, node: ast.Call) -> Value:
        """Call a method of self.vars."""
        place = node.func.value if isinstance(node.func, ast.Attribute) else node
        arguments = self.lower_all(node.args)
        if key == "update":
            given = dict(self.dict_pairs(arguments[0], node)) if arguments else {}
            for each, value in (given | self.star_arguments(node)).items():
                target = ast.copy_location(ast.Subscript(place, ast.Constant(each), ast.Store()), node)
                self.assign_target(target, value, node)
            return Const(None)
        if key in ("setdefault", "pop") and arguments and isinstance(arguments[0], Const):
            wanted = arguments[0].value
            if wanted not in self.program.assigned_vars:
                self.program.assigned_vars.add(wanted)
                self.program.changed = True
            cell = self.program.variable("vars", wanted).cell
            if not cell.optional and key == "pop":
                cell.optional = self.program.changed = True
            default = arguments[1] if len(arguments) > 1 else None
            if key == "setdefault":
                if cell.optional:
                    self.fit(cell, default or Const(None), node, f"self.vars[{wanted!r}]")
                    block = self.captured(lambda: self.put(cell, default or Const(None)))[0]
                    self.out.append(ast.If(parse(f"not v.{cell.path}_set"), block, []))
                return self.bare_read(cell)
            held = self.read_cell(cell)
            if default is not None:
                held = self.chosen(parse(f"v.{cell.path}_set"), ([], self.bare_read(cell)), ([], default), node)
            held = self.settle(held)
            self.out.append(assign(f"v.{cell.path}_set", ast.Constant(False)))
            return held
        self.refuse(node, f"self.vars.{key}() is not compiled; use self.vars['name'] and self.vars.get('name')")

    def call_method(
        self, method: Method, arguments: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...], node: ast.AST
    ) -> Value:
        """Call a method of the user's own, lowered for this context and these arguments."""
        settled = tuple(map(as_group, map(self.nullable_argument, arguments)))
        named = tuple((key, as_group(self.nullable_argument(value))) for key, value in keywords)
        forms = tuple((each, "unknown") for each in api.ORDER_ATTRIBUTES if f"self.{each}" in self.locals)
        lowered = self.program.method(method, self.context, settled, named, guarded=self.guarded, forms=forms)
        for each in lowered.assigns:
            self.ever_assigned.add(each)
            self.locals[f"self.{each}"] = Conflict("orders that another method assigned")
        if lowered.inline:
            assert lowered.result is not None
            return lowered.result
        nodes = [code for each in (*settled, *(value for _, value in named)) for code in argument_codes(each)]
        base = [name(each) for each in ("s", "v", "k", "x", "bars", "minutes")]
        call = ast.Call(name(lowered.name), [*base, *nodes], [])
        self.impure = True
        self.forget_parts()
        self.items_move(None)
        if lowered.cell is None:
            self.out.append(ast.Expr(call))
            if isinstance(lowered.result, Listing):
                return self.own_copy(lowered, lowered.result, node)
            return lowered.result if isinstance(lowered.result, Series) else Const(None)
        if not lowered.parts:
            return self.result_of(lowered.cell, call)
        return self.with_parts(self.result_of(lowered.cell, self.temporary(call)), lowered, (), node)

    def own_copy(self, lowered: Lowered, value: Value, node: ast.AST) -> Value:
        """Return a list that a function made: the next call of the function makes another one in the same place."""
        if not isinstance(value, Listing) or value.cell.path not in lowered.own:
            return value
        cell = self.fresh_list(node, value.cell.capacity)
        cell.is_array = value.cell.is_array
        if fit_cell(cell, value.cell):
            self.program.changed = True
        self.put(cell, replace(value, none=None))
        return Listing(cell, value.none, value.view)

    def with_parts(self, value: Value, lowered: Lowered, place: tuple[int, ...], node: ast.AST) -> Value:
        """Put the lists that belong to a returned tuple or dict into their places."""
        if place in lowered.parts:
            return self.own_copy(lowered, lowered.parts[place], node)
        if not isinstance(value, Group):
            return value
        items = (self.with_parts(each, lowered, (*place, i), node) for i, each in enumerate(value.items))
        return replace(value, items=tuple(items))

    def result_of(self, cell: Cell, call: ast.expr) -> Value:
        """Put a call into the shape of its result."""
        paths = return_paths(cell)
        if len(paths) == 1 and cell.kind:
            return read(cell, lambda path: call)
        settled = self.temporary(call)
        places = {path: i for i, path in enumerate(paths)}
        return read(cell, lambda path: ast.Subscript(settled, ast.Constant(places[path]), ast.Load()))

    def nullable_argument(self, value: Value) -> Value:
        """Return an argument whose code may be repeated."""
        return self.settle(value) if getattr(value, "none", None) is not None else value

    def call_function(self, target: Any, arguments: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """Call a function of numbers."""
        if target is print:
            return Const(None)
        moment = self.make_moment(target, arguments, keywords, node)
        if moment is not None:
            return moment
        found = self.builtin(target, arguments, keywords, node)
        if found is not None:
            return found
        if len(arguments) == 1 and not keywords and isinstance(arguments[0], Series | Window):
            reduced = self.reduce(target, arguments[0], node)
            if reduced is not None:
                return reduced
        if target in (min, max) and not keywords:
            return self.extreme(target, arguments, node)
        simple = simple_function(target)
        if simple is not None and not keywords and len(arguments) == simple.arguments:
            numbers = [self.as_number(value, each) for value, each in zip(arguments, node.args, strict=True)]
            return self.of_simple(simple, numbers)
        helper = helper_function(target)
        if helper is not None:
            bound = self.bind(target, arguments, keywords, node)
            nodes = {key: self.as_number(value, node).node for key, value in bound.items()}
            return Number(parse(helper.code, **nodes), helper.type, helper.numpy)
        if is_compiled(target):
            return self.call_compiled(target, arguments, keywords, node)
        if isinstance(target, FunctionType | MethodType):
            method = self.own_method(target) or (function_method(target) if isinstance(target, FunctionType) else None)
            if method is not None and method.is_class:
                arguments.insert(0, Const(self.program.source.cls))
            if method is not None:
                return self.call_method(method, tuple(arguments), tuple(keywords.items()), node)
        module = getattr(target, "__module__", None) or ""
        if isinstance(target, ModuleType) or module.startswith("pandas"):
            self.refuse(
                node,
                "pandas is not compiled on what changes during the run, only on candles and series; "
                'use mode="interpreted"',
            )
        label = getattr(target, "__name__", repr(target))
        known = supported_functions()
        self.refuse(
            node,
            f"{label}() is not compiled on values that change during the run.{did_you_mean(label, known)} "
            f"Compiled are: {', '.join(known)}",
        )

    def own_method(self, target: Any) -> Method | None:
        """Return the method of one of the strategy's classes that a function is."""
        code = getattr(target, "__code__", None)
        for methods in self.program.source.methods_by_class.values():
            method = methods.get(target.__name__)
            if method is not None and code is not None and method.node.end_lineno is not None:
                if (
                    method.node.lineno - len(method.node.decorator_list)
                    <= code.co_firstlineno
                    <= method.node.end_lineno
                ):
                    return method
        return None

    def call_compiled(self, target: Any, arguments: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """Call a function of numbers that the user compiled with numba: as it is."""
        try:
            bound = inspect.signature(target.py_func).bind(*arguments, **keywords).args
        except TypeError as error:
            self.refuse(node, f"{target.py_func.__name__}: {error}")
        numbers = [self.as_number(each, node) for each in bound]
        try:
            type_ = result_type(target, [each.type for each in numbers])
        except TypeError as error:
            self.refuse(node, f"numba cannot compile {target.py_func.__name__} for these arguments: {error}")
        if type_ is None:
            self.refuse(node, f"{target.py_func.__name__} is called as it is where it returns a number")
        functions = self.program.user_functions
        place, kind = len(functions), (register(target), type_, tuple(each.type for each in numbers))
        called = functions.setdefault(kind, UserFunction(place, target.py_func.__name__, raised_status(target)))
        codes = [each.node for each in numbers]
        if called.status == Status.OK:
            return Number(ast.Call(name(called.name), codes, []), type_, False)
        return Number(ast.Call(name(called.caught), [name("s"), *codes], []), type_, False)

    def reduce(self, target: Any, values: Series | Window, node: ast.AST) -> Value | None:
        """Lower a reduction of a window: np.max, min(), .mean() and the like; None if it is none."""
        try:
            found = reduction(target)
        except TypeError:
            return None
        if found is None:
            return None
        series, start, stop = values, Number(ast.Constant(0), "int", False), 0
        if isinstance(values, Window):
            series, start, stop = values.series, values.start, values.stop
        else:
            stop = values.end
        assert isinstance(series, Series)
        if series.array is None:
            self.refuse(node, f"{found[0]} of {series.name} is not compiled; use a column or an indicator")
        if self.context == "fill" and stop == 0:
            newest = series.at(Const(-1)).node
            call = f"{found[0]}_now(s, ARRAY, START, NEWEST)"
            code = parse(call, ARRAY=series.array, START=start.node, NEWEST=newest)
        else:
            code = parse(f"{found[0]}(s, ARRAY, START, {stop})", ARRAY=series.array, START=start.node)
        of = series.origin[0] if isinstance(series.origin, tuple) else None
        if isinstance(of, Slot) and of.indicator.settles is not None:
            code = parse(f"_settled(s, k.{series.origin[0].field}_first, VALUE)", VALUE=code)
        return Number(code, found[1], True)

    def bind(self, target: Any, arguments: list[Value], keywords: dict[str, Value], node: ast.Call) -> dict[str, Value]:
        """Bind arguments to a signature, defaults filled in."""
        signature = inspect.signature(target)
        try:
            bound = signature.bind(*arguments, **keywords)
        except TypeError as error:
            self.refuse(node, f"{target.__name__}: {error}")
        result: dict[str, Value] = {}
        for key, parameter in signature.parameters.items():
            result[key] = bound.arguments[key] if key in bound.arguments else Const(parameter.default)
        return result

    def extreme(self, target: Any, arguments: list[Value], node: ast.Call) -> Value:
        """Lower min and max of numbers."""
        if len(arguments) == 1 and isinstance(arguments[0], Group):
            arguments = list(arguments[0].items)
            if len(arguments) == 1:
                return arguments[0]
        if len(arguments) == 1 and self.sequence(arguments[0]) is not None:
            return self.extreme_of(target, arguments[0], node)
        if len(arguments) < 2:
            self.refuse(node, f"{target.__name__} is compiled for two or more numbers")
        numbers = [self.as_number(each, node) for each in arguments]
        helper = "_lesser" if target is min else "_greater"
        result = numbers[0]
        for each in numbers[1:]:
            type_ = join_types(result.type, each.type)
            code = parse(f"{helper}(A, B)", A=result.node, B=each.node)
            result = Number(code, "int" if type_ == "bool" else type_, join_numpy(result.numpy, each.numpy))
        return result

    def length(self, value: Value, node: ast.AST) -> Value:
        """Lower len()."""
        pure = self.pure(value) if isinstance(value, Series | Window) else None
        if isinstance(value, Series) and pure is not None and (pure.windowed or value.array is None):
            return self.market(Pure(parse("len(X)", X=pure.code), pure.inputs, windowed=True), node)
        if isinstance(value, Candles) and value.timeframe:
            return self.frame_length(value)
        if isinstance(value, Candles) and value.tail is None:
            return Number(parse(f"max(0, s.bar + 1 - {value.end})" if value.end else "s.bar + 1"), "int", False)
        if isinstance(value, Series):
            return Number(parse(f"max(0, s.bar + 1 - {value.end})" if value.end else "s.bar + 1"), "int", False)
        if isinstance(value, Window):
            if value.series.lacks is not None:
                return Number(self.window_bounds(value)[1], "int", False)
            return Number(parse(f"_window(s, N, {value.stop})[1]", N=value.start.node), "int", False)
        if isinstance(value, Group):
            return Const(len(value.items))
        self.refuse(node, f"len() of {self.describe(value)} is not compiled")

    # --- indicators ---------------------------------------------------------------------------------------------
    def any_indicator(self, indicator: Indicator, callee: Const, node: ast.Call) -> Value:
        """Lower an indicator: to a slot of its own, or as an expression that Python computes."""

        def python() -> Value:
            arguments = [self.lower(each) for each in node.args]
            keywords = {str(each.arg): self.lower(each.value) for each in node.keywords}
            pure = self.pure_call(callee, arguments, keywords)
            if pure is None:
                return self.call_indicator(indicator, node)
            changes = indicator.whole is not None or not indicator.prefix_stable
            return self.market(pure, node, looks_back=True if changes else None)

        return self.either(lambda: self.call_indicator(indicator, node), python)

    def call_indicator(self, indicator: Indicator, node: ast.Call) -> Value:
        """Lower `ta.name(self.candles, ...)` to a slot of the series matrix."""
        if not node.args:
            self.refuse(node, f"ta.{indicator.name} needs candles as its first argument")
        if indicator.second_candles:
            self.refuse(node, f'ta.{indicator.name} of two markets is not compiled; use mode="interpreted"')
        if indicator.words:
            self.refuse(node, f'ta.{indicator.name} returns words, which are not compiled; use mode="interpreted"')
        first = self.lower(node.args[0])
        timeframe = first.timeframe if isinstance(first, Candles) else ""
        origin, end, tail = self.indicator_input(indicator, node)
        arguments: list[tuple[str | int, Const | Config]] = []
        changing: list[tuple[str | int, Value]] = []
        named: list[tuple[str | int, ast.expr]] = [(i, each) for i, each in enumerate(node.args[1:])]
        named += [(str(each.arg), each.value) for each in node.keywords]
        for key, each in named:
            value = self.lower(each)
            if isinstance(value, Number) and value.constant is not None:
                value = value.constant
            changing.append((key, value))
            if isinstance(value, Const | Config):
                arguments.append((key, value))
        if len(arguments) < len(changing) or isinstance(tail, Number):
            if timeframe:
                self.refuse(
                    node, f"ta.{indicator.name} of {timeframe} candles wants arguments that are known before the run"
                )
            return self.indicator_on_demand(indicator, changing, origin, end, tail, node)
        positional = [self.sample(value) for key, value in arguments if isinstance(key, int)]
        keyword = {key: self.sample(value) for key, value in arguments if isinstance(key, str)}
        try:
            _, params, sequential = indicator.encode(*positional, **keyword)
        except (TypeError, ValueError) as error:
            self.refuse(node, str(error))
        native = indicator.compiles(params) and indicator.shares_data(params)
        if not native and self.context == "fill" and end == 0:
            self.refuse(node, f"ta.{indicator.name} runs in numpy and cannot be called where a candle is forming")
        if sequential and (indicator.whole is not None or not indicator.is_prefix_stable(params)):
            self.refuse(node, f"ta.{indicator.name} changes its older values with each candle; use sequential=False")
        if isinstance(origin, tuple) and self.context == "fill" and end == 0:
            self.refuse(node, "an indicator of an indicator cannot be called where a candle is forming; use [:-1]")
        if timeframe:
            if tail is not None:
                self.refuse(node, f"candles[-n:] of {timeframe} candles is not compiled")
            return self.frame_indicator(indicator, tuple(arguments), sequential, timeframe, end, node)
        slot = self.program.slot(indicator, tuple(arguments), sequential, origin, tail)
        fields = range(len(indicator.fields))
        if sequential:
            values: list[Value] = [self.shifted(self.slot_series(slot, i, node), end) for i in fields]
        else:
            values = [self.slot_value(slot, i, Const(-1 - end), node) for i in fields]
            if indicator.none_if_nan:
                values = [self.none_if_nan(value) for value in values]
        if indicator.record is None:
            return values[0]
        return Group(tuple(values), indicator.fields)

    def frame_indicator(
        self,
        indicator: Indicator,
        arguments: tuple[tuple[str | int, Const | Config], ...],
        sequential: bool,
        timeframe: str,
        end: int,
        node: ast.AST,
    ) -> Value:
        """Lower an indicator of another timeframe: a row of its own for each candle back from the newest."""

        def value(row: int, back: int) -> Number:
            slot = self.program.slot(indicator, arguments, sequential, timeframe=timeframe, end=end + back)
            first = f"k.{slot.field}" if row == 0 else f"k.{slot.field} + {row}"
            if self.context == "bar":
                return Number(parse(f"x[{first}, s.bar]"), "float", True)
            length = self.forming_minutes(timeframe)
            if length is not None and end + back > 0:
                newer = self.program.slot(indicator, arguments, sequential, timeframe=timeframe, end=end + back - 1)
                code = f"_frame_value(s, x, {first}, k.{newer.field} + {row}, minutes, {length}, 0, {end + back})"
                return Number(parse(code), "float", True)
            if length is None or indicator.kernel is None:
                return Number(parse(f"x[{first}, _known_bar(s, s.bar)]"), "float", True)
            self.program.forming_frames[slot.field] = indicator
            rows = self.program.frame_rows
            of = rows.setdefault(timeframe, f"rows_{len(rows)}")
            window = ast.unparse(self.slot_window(slot))
            of_set = f"k.{slot.field}_source, k.{slot.field}_params"
            now = f"_now_frame_{indicator.name}(s, x, k.{of}, minutes, {length}, {window}, {of_set}, {row})"
            return Number(parse(f"x[{first}, s.bar] if s.complete else {now}"), "float", True)

        def series(row: int) -> Series:
            return Series(lambda index: value(row, self.rows_back(index, node)), f"ta.{indicator.name} of {timeframe}")

        fields = range(len(indicator.fields))
        values: list[Value] = [series(i) if sequential else value(i, 0) for i in fields]
        if indicator.none_if_nan and not sequential:
            values = [self.none_if_nan(each) for each in values]
        return values[0] if indicator.record is None else Group(tuple(values), indicator.fields)

    def indicator_input(self, indicator: Indicator, node: ast.Call) -> tuple[Any, int, Const | Config | Number | None]:
        """Return what an indicator is computed from, how many newest rows it leaves out, and how many it keeps."""
        where = node.args[0]
        data = self.lower(where)
        if isinstance(data, Candles):
            return None, data.end, data.tail
        tail: Const | Config | Number | None = None
        if isinstance(data, Window):
            tail = data.start.constant
            if not isinstance(tail, Const | Config):
                tail = Number(ast.BinOp(data.start.node, ast.Sub(), ast.Constant(data.stop)), "int", False)
            end, data = data.stop, data.series
            if end and not isinstance(tail, Number):
                kept = self.config(ast.BinOp(self.program.config_node(tail), ast.Sub(), ast.Constant(end)), where)
                assert isinstance(kept, Const | Config)
                tail = kept
        elif isinstance(data, Series):
            end = data.end
        else:
            self.refuse(where, f"ta.{indicator.name} is compiled on candles and series; this is {self.describe(data)}")
        if data.origin is None and isinstance(data.pure, Pure) and not data.pure.windowed:
            found = self.market(replace(data.pure, end=0), where)
            if isinstance(found, Series):
                data, end = found, data.pure.end
        if data.origin is None:
            self.refuse(where, f"ta.{indicator.name} of {data.name} is not compiled; use a column or another indicator")
        if not (indicator.source and indicator.accepts_1d):
            self.refuse(where, f"ta.{indicator.name} needs candles, not one series")
        return data.origin, end, tail

    def none_if_nan(self, value: Value) -> Number:
        """Return an indicator value that is None where the series is NaN."""
        assert isinstance(value, Number)
        return Number(value.node, value.type, value.numpy, parse("np.isnan(X)", X=value.node))

    def sample(self, value: Const | Config) -> Any:
        """Return the value for the sample set."""
        return value.value if isinstance(value, Const) else value.sample

    def slot_series(self, slot: Slot, row: int, node: ast.AST) -> Series:
        """Return a whole series."""

        def at(index: Value) -> Number:
            if slot.tail is not None and not (isinstance(index, Const) and index.value == -1):
                self.refuse(node, "of a sequential indicator of candles[-n:] only [-1] is compiled")
            return self.slot_value(slot, row, index, node)

        first = f"k.{slot.field}" if row == 0 else f"k.{slot.field} + {row}"
        label = f"ta.{slot.indicator.name}(...)"
        if slot.tail is not None:
            return Series(at, label)
        key = f"{slot.field}_{row}"
        pure: Pure | None = Pure(name(key), {key: (slot, row)})
        if slot.indicator.settles is not None:
            # While there are few rows, the array is another one at each bar.
            pure = self.python_indicator(slot, row)
        return Series(at, label, (slot, row), array=parse(f"x[{first}]"), pure=pure)

    def python_indicator(self, slot: Slot, row: int) -> Pure | None:
        """Return Python code of a sequential indicator."""
        if slot.data is not None and not isinstance(slot.data, str):
            return None
        column = {of: at for at, of in api.COLUMN_SOURCES.items()}.get(slot.data or "", 0)
        data = parse(f"candles[:, {column}]" if isinstance(slot.data, str) else "candles")
        positional = [self.program.config_node(value) for key, value in slot.arguments if isinstance(key, int)]
        named = [
            ast.keyword(key, self.program.config_node(value)) for key, value in slot.arguments if isinstance(key, str)
        ]
        call = ast.Call(self.program.config_node(Const(slot.indicator.function)), [data, *positional], named)
        return Pure(call if slot.indicator.record is None else parse(f"X[{row}]", X=call), {"candles": ""})

    def slot_value(self, slot: Slot, row: int, index: Value, node: ast.AST) -> Number:
        """Return one value of a series."""
        bar, newest = self.bar_node(index, node)
        first = f"k.{slot.field}" if row == 0 else f"k.{slot.field} + {row}"
        code = parse(f"x[{first}, BAR]", BAR=bar)
        if slot.sequential and slot.tail is None and slot.indicator.settles is not None:
            code = parse(f"_settled(s, k.{slot.field}_first, VALUE)", VALUE=code)
        if not newest or self.context == "bar":
            return Number(code, "float", True)
        self.program.forming[slot.field] = slot.indicator
        window = ast.unparse(self.slot_window(slot))
        of_set = f"k.{slot.field}_source, k.{slot.field}_params"
        now = f"_now_{slot.indicator.name}(s, bars, minutes, {window}, {of_set}, {row})"
        if isinstance(index, Const):
            return Number(parse(f"CODE if s.complete else {now}", CODE=code), "float", True)
        settled = self.temporary(bar)
        value = parse(f"x[{first}, BAR] if s.complete or BAR < s.bar else {now}", BAR=settled)
        return Number(value, "float", True)

    def slot_window(self, slot: Slot) -> ast.expr:
        """Return the code of how many rows an indicator sees; 0 means all."""
        sliced = slot.data is None and not slot.sequential and slot.indicator.sliced
        if slot.tail is None:
            return parse("s.window") if sliced else ast.Constant(0)
        tail = self.program.materialise(slot.tail)
        assert tail is not None
        return parse("_tail(s, N)", N=tail.node) if sliced else tail.node

    def call_crossed(self, callee: Const, node: ast.Call) -> Value:
        """Lower `utils.crossed` (specification 5.3)."""
        arguments = [self.lower(each) for each in node.args]
        keywords = {str(each.arg): self.lower(each.value) for each in node.keywords}
        bound = self.bind(sizing.crossed, arguments, keywords, node)
        for key in ("direction", "sequential"):
            if not isinstance(bound[key], Const):
                self.refuse(node, f"the argument {key} of utils.crossed must be a constant")
        direction, sequential = bound["direction"], bound["sequential"]
        assert isinstance(direction, Const) and isinstance(sequential, Const)
        if sequential.value:
            pure = self.pure_call(callee, arguments, keywords)
            if pure is None:
                self.refuse(node, "utils.crossed(..., sequential=True) is compiled for what is known before the run")
            return self.market(pure, node)
        first, second = bound["series1"], bound["series2"]
        if not isinstance(first, Series):
            self.refuse(node, "the first argument of utils.crossed must be a series: sequential=True")
        before, now = first.at(Const(-2)), first.at(Const(-1))
        if isinstance(second, Series):
            line_before, line_now = second.at(Const(-2)), second.at(Const(-1))
        else:
            line_before = line_now = self.settled(self.as_number(second, node))
        nodes = {"A": before.node, "B": now.node, "C": line_before.node, "D": line_now.node}
        above, below = "(A <= C and B > D)", "(A >= C and B < D)"
        if direction.value not in (None, "above", "below"):
            self.refuse(node, f"the direction of utils.crossed must be 'above' or 'below', was {direction.value!r}")
        text = {"above": above, "below": below, None: f"{above} or {below}"}[direction.value]
        return Number(parse(text, **nodes), "bool", False)


def argument_codes(value: Value) -> list[ast.expr]:
    """Return what is passed for a value: its numbers, strings and moments; the rest is known to the compiler."""
    if isinstance(value, Group):
        codes = [] if value.none is None else [value.none]
        return codes + [code for each in value.items for code in argument_codes(each)]
    if isinstance(value, Number | Text | Moment) and getattr(value, "constant", None) is None:
        return [value.node] if value.none is None else [value.node, value.none]
    if isinstance(value, Listing) and value.none is not None:
        return [value.none]
    return []


def return_paths(cell: Cell) -> list[str]:
    """Return the parts of the tuple that a function returns."""
    paths = [f"{cell.path}_none"] if cell.nullable else []
    if cell.kind == "group":
        return paths + [path for child in cell.children for path in return_paths(child)]
    return [*paths, cell.path]
