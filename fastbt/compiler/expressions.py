"""Lower expressions: what each one is at compile time, and the kernel code of those that are numbers."""

from __future__ import annotations

import ast
import inspect
from types import FunctionType, ModuleType
from typing import Any, NoReturn


from fastbt.compiler import api
from fastbt.compiler.functions import helper_function, simple_function, supported_functions
from fastbt.compiler.load import Method
from fastbt.compiler.lower import Program, Slot
from fastbt.compiler.values import (
    Bound,
    CandleRow,
    Candles,
    Config,
    Conflict,
    Const,
    Group,
    Number,
    Part,
    Series,
    Value,
    join_numpy,
    join_types,
    name,
    parse,
    type_of,
)
from fastbt.engine import sizing
from fastbt.errors import CompileError, did_you_mean
from fastbt.indicators._registry import REGISTRY, Indicator

_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**"}
_MISSING = object()


class ExpressionLowerer:
    """Lower the expressions of one method in one context."""

    def __init__(self, program: Program, method: Method, context: str) -> None:
        self.program = program
        self.method = method
        self.context = context
        self.locals: dict[str, Value] = {}
        self.out: list[ast.stmt] = []
        self.temporaries = 0
        self.impure = False

    # --- errors -------------------------------------------------------------------------------------------------
    def refuse(self, node: ast.AST, message: str) -> NoReturn:
        """Raise a CompileError that underlines `node`."""
        line = getattr(node, "lineno", self.method.node.lineno)
        column = getattr(node, "col_offset", 0)
        end = getattr(node, "end_col_offset", column + 1)
        source = self.method.lines[line - 1]
        if getattr(node, "end_lineno", line) != line:
            end = len(source)
        # ast counts bytes, people count characters.
        raw = source.encode()
        start = len(raw[:column].decode(errors="ignore"))
        width = len(raw[column:end].decode(errors="ignore"))
        raise CompileError(message, file=str(self.method.file), line=line, column=start + 1, source=source, width=width)

    def temporary(self, node: ast.expr) -> ast.expr:
        """Bind an expression to a fresh name, unless it is one, and return the name."""
        if isinstance(node, ast.Name | ast.Constant):
            return node
        self.temporaries += 1
        self.impure = True
        key = f"t{self.temporaries}_"
        self.out.append(ast.Assign([ast.Name(key, ast.Store())], node))
        return name(key)

    # --- numbers ------------------------------------------------------------------------------------------------
    def number(self, node: ast.expr) -> Number:
        """Lower an expression that must be a number."""
        return self.as_number(self.lower(node), node)

    def as_number(self, value: Value, node: ast.AST) -> Number:
        """Return the number that a value is, None excluded at run time."""
        number = self.program.materialise(value)
        if number is None:
            self.refuse(node, f"{self.describe(value)} is used as a number here")
        if number.none is not None:
            code = parse("_present(s, NONE, VALUE)", NONE=number.none, VALUE=number.node)
            return Number(code, number.type, number.numpy)
        return number

    def truth(self, node: ast.expr) -> ast.expr | bool:
        """Lower a condition to a boolean expression, or to what it always is."""
        if isinstance(node, ast.BoolOp):
            parts: list[ast.expr] = []
            is_and = isinstance(node.op, ast.And)
            for each in node.values:
                part = self.truth(each)
                if isinstance(part, bool):
                    if part is not is_and:
                        # The rest is never evaluated.
                        if not parts:
                            return part
                        parts.append(ast.Constant(part))
                        break
                    continue
                parts.append(part)
            if not parts:
                return is_and
            return parts[0] if len(parts) == 1 else ast.BoolOp(node.op, parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.truth(node.operand)
            return (not inner) if isinstance(inner, bool) else ast.UnaryOp(ast.Not(), inner)
        return self.value_truth(self.lower(node), node)

    def value_truth(self, value: Value, node: ast.AST) -> ast.expr | bool:
        """Return the truth of a value."""
        if isinstance(value, Const):
            return bool(value.value)
        if isinstance(value, Config) and type_of(value.sample) is None:
            value = Config(parse("bool(X)", X=value.node), bool(value.sample))
        if isinstance(value, Group):
            return len(value.items) > 0
        number = self.program.materialise(value)
        if number is None:
            self.refuse(node, f"{self.describe(value)} is used as a condition here")
        code = number.node if number.type == "bool" else parse("X != 0", X=number.node)
        if number.none is not None:
            code = parse("not NONE and X", NONE=number.none, X=code)
        return code

    def describe(self, value: Value) -> str:
        """Say what a value is, for messages."""
        match value:
            case Const(None):
                return "None"
            case Const(found):
                return f"{type(found).__name__} {getattr(found, '__name__', repr(found))}"
            case Config(_, sample):
                return f"a {type(sample).__name__} of the configuration"
            case Series(_, key):
                return f"the series {key}"
            case Candles():
                return "the candle array"
            case CandleRow():
                return "a candle"
            case Group():
                return "a tuple or list"
            case Part(key):
                return "self" if key == "self" else f"self.{key}"
            case Bound(key):
                return f"the method {key}"
            case Conflict(reason):
                return reason
        return "this"

    # --- expressions --------------------------------------------------------------------------------------------
    def lower(self, node: ast.expr) -> Value:
        """Lower any expression."""
        handler = getattr(self, f"lower_{type(node).__name__}", None)
        if handler is None:
            what = {
                "ListComp": "a list comprehension",
                "GeneratorExp": "a generator expression",
                "DictComp": "a dict comprehension",
                "SetComp": "a set comprehension",
                "Dict": "a dict",
                "Set": "a set",
                "Lambda": "a lambda",
                "JoinedStr": "an f-string",
                "Await": "await",
                "Yield": "yield",
                "Starred": "* unpacking",
                "Slice": "a slice",
                "NamedExpr": ":=",
            }.get(type(node).__name__, type(node).__name__)
            self.refuse(node, f'{what} is not compiled; write it out with scalars, or use mode="interpreted"')
        value = handler(node)
        assert isinstance(value, Value)
        return value

    def lower_Constant(self, node: ast.Constant) -> Value:
        return Const(node.value)

    def lower_Name(self, node: ast.Name) -> Value:
        if node.id in self.locals:
            value = self.locals[node.id]
            if isinstance(value, Conflict):
                self.refuse(node, f"{node.id!r} holds {value.reason}; give the two things two names")
            return value
        namespace = self.method.namespace
        if node.id in namespace:
            return Const(namespace[node.id])
        builtin = __builtins__[node.id] if isinstance(__builtins__, dict) and node.id in __builtins__ else _MISSING
        if builtin is _MISSING:
            builtin = getattr(__import__("builtins"), node.id, _MISSING)
        if builtin is not _MISSING:
            return Const(builtin)
        known = [*self.locals, *namespace]
        self.refuse(node, f"the name {node.id!r} is not defined.{did_you_mean(node.id, known)}")

    def lower_Tuple(self, node: ast.Tuple) -> Value:
        return Group(tuple(self.lower(each) for each in node.elts))

    def lower_List(self, node: ast.List) -> Value:
        return Group(tuple(self.lower(each) for each in node.elts), is_list=True)

    def lower_UnaryOp(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            inner = self.truth(node.operand)
            return Const(not inner) if isinstance(inner, bool) else Number(ast.UnaryOp(ast.Not(), inner), "bool", False)
        value = self.lower(node.operand)
        if isinstance(value, Const | Config):
            return self.config(ast.UnaryOp(node.op, self.program.config_node(value)), node)
        if isinstance(value, Series):
            operand = value
            return Series(lambda i: self.unary(node, operand.at(i)), f"-{value.name}")
        return self.unary(node, self.as_number(value, node.operand))

    def unary(self, node: ast.UnaryOp, value: Number) -> Number:
        """Apply + or - to a number."""
        if isinstance(node.op, ast.Invert):
            self.refuse(node, "~ is not compiled; use not")
        type_ = "int" if value.type == "bool" else value.type
        return Number(ast.UnaryOp(node.op, value.node), type_, value.numpy)

    def config(self, code: ast.expr, node: ast.AST) -> Value:
        """Return a config-stage expression, folded when it needs no hyper-parameter or account."""
        needs_set = any(isinstance(each, ast.Name) and each.id in ("hp", "account", "route") for each in ast.walk(code))
        try:
            sample = self.program.evaluate(code)
        except Exception as error:
            self.refuse(node, f"this cannot be computed before the run: {type(error).__name__}: {error}")
        return Config(code, sample) if needs_set else Const(sample)

    def lower_BinOp(self, node: ast.BinOp) -> Value:
        left, right = self.lower(node.left), self.lower(node.right)
        if isinstance(left, Const | Config) and isinstance(right, Const | Config):
            code = ast.BinOp(self.program.config_node(left), node.op, self.program.config_node(right))
            return self.config(code, node)
        if type(node.op) not in _OPERATORS:
            self.refuse(node, "this operator is not compiled; use + - * / // % **")
        if isinstance(left, Series) or isinstance(right, Series):
            a = left if isinstance(left, Series) else self.settled(self.as_number(left, node.left))
            b = right if isinstance(right, Series) else self.settled(self.as_number(right, node.right))

            def at(index: Value) -> Number:
                first = a.at(index) if isinstance(a, Series) else a
                second = b.at(index) if isinstance(b, Series) else b
                return self.binary(node.op, first, second)

            return Series(at, "an expression of series")
        return self.binary(node.op, self.as_number(left, node.left), self.as_number(right, node.right))

    def settled(self, value: Number) -> Number:
        """Fix a number's value now, for use later."""
        if isinstance(value.constant, Const | Config):
            return value
        return Number(self.temporary(value.node), value.type, value.numpy)

    def binary(self, op: ast.operator, left: Number, right: Number) -> Number:
        """Apply an arithmetic operator with Python's meaning."""
        numpy = True if (left.numpy or right.numpy) else join_numpy(left.numpy, right.numpy)
        type_ = join_types(join_types(left.type, right.type), "int")
        a, b = left.node, right.node
        if isinstance(op, ast.Div):
            divisor = right.constant.value if isinstance(right.constant, Const) else None
            if numpy or divisor:
                return Number(parse("A / B", A=a, B=b), "float", numpy)
            helper = "_divide" if numpy is False else "_divide_either"
            return Number(parse(f"{helper}(s, A, B)", A=a, B=b), "float", numpy)
        if isinstance(op, ast.FloorDiv | ast.Mod):
            helper = "_floor_divide" if isinstance(op, ast.FloorDiv) else "_modulo"
            return Number(parse(f"{helper}(s, A, B)", A=a, B=b), type_, numpy)
        if isinstance(op, ast.Pow):
            exponent = right.constant.value if isinstance(right.constant, Const) else None
            if type_ == "int" and isinstance(exponent, int) and exponent >= 0:
                return Number(parse("A ** B", A=a, B=b), "int", numpy)
            return Number(parse("float(A) ** float(B)", A=a, B=b), "float", numpy)
        return Number(ast.BinOp(a, op, b), type_, numpy)

    def lower_BoolOp(self, node: ast.BoolOp) -> Value:
        mark = len(self.out)
        values = [self.lower(each) for each in node.values]
        if all(isinstance(each, Const | Config) for each in values):
            return self.config(ast.BoolOp(node.op, [self.program.config_node(each) for each in values]), node)
        numbers = [self.program.materialise(each) for each in values]
        types = {each.type for each in numbers if each is not None}
        if None in numbers or "bool" in types:
            # Lowered anew as conditions: what was emitted for the values goes.
            del self.out[mark:]
            truth = self.truth(node)
            return Const(truth) if isinstance(truth, bool) else Number(truth, "bool", False)
        plain = [self.as_number(value, each) for value, each in zip(values, node.values, strict=True)]
        type_ = plain[0].type
        for each in plain:
            type_ = join_types(type_, each.type)
        code = [parse("float(X)", X=each.node) if type_ == "float" else each.node for each in plain]
        return Number(ast.BoolOp(node.op, code), type_, None)

    def lower_Compare(self, node: ast.Compare) -> Value:
        values = [self.lower(each) for each in [node.left, *node.comparators]]
        if all(isinstance(each, Const | Config) for each in values):
            nodes = [self.program.config_node(each) for each in values]
            return self.config(ast.Compare(nodes[0], node.ops, nodes[1:]), node)
        nodes_of = [node.left, *node.comparators]
        parts = [
            self.compare(op, (a, x), (b, y), node)
            for op, a, b, x, y in zip(node.ops, values, values[1:], nodes_of, nodes_of[1:], strict=False)
        ]
        if len(parts) == 1:
            return parts[0]
        if all(isinstance(part, Number) for part in parts) and all(
            isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.Eq | ast.NotEq) for op in node.ops
        ):
            numbers = [self.as_number(value, each) for value, each in zip(values, nodes_of, strict=True)]
            return Number(ast.Compare(numbers[0].node, node.ops, [each.node for each in numbers[1:]]), "bool", None)
        self.refuse(node, "this chain of comparisons is not compiled; join its parts with and")

    def compare(
        self, op: ast.cmpop, left: tuple[Value, ast.expr], right: tuple[Value, ast.expr], node: ast.Compare
    ) -> Value:
        """Lower one comparison."""
        (a, x), (b, y) = left, right
        if isinstance(op, ast.Is | ast.IsNot):
            return self.identity(op, a, b, node)
        if isinstance(op, ast.In | ast.NotIn):
            return self.membership(op, self.as_number(a, x), b, node)
        if isinstance(op, ast.Eq | ast.NotEq):
            for value, other in ((a, b), (b, a)):
                if isinstance(value, Const) and value.value is None and isinstance(other, Number):
                    return self.identity(ast.Is() if isinstance(op, ast.Eq) else ast.IsNot(), a, b, node)
        for value, where in ((a, x), (b, y)):
            if isinstance(value, Series):
                self.refuse(where, f"{value.name} is a whole series; compare one value of it, as in [-1]")
        first, second = self.as_number(a, x), self.as_number(b, y)
        return Number(ast.Compare(first.node, [op], [second.node]), "bool", join_numpy(first.numpy, second.numpy))

    def identity(self, op: ast.cmpop, a: Value, b: Value, node: ast.Compare) -> Value:
        """Lower `is` and `is not`, which compile for None, True and False."""
        if isinstance(a, Const):
            a, b = b, a
        if not isinstance(b, Const) or not (b.value is None or isinstance(b.value, bool)):
            self.refuse(node, "is and is not are compiled for None, True and False only; use ==")
        wanted = isinstance(op, ast.Is)
        if isinstance(b.value, bool):
            number = self.as_number(a, node)
            if number.type != "bool":
                return Const(not wanted)
            return Number(
                ast.Compare(number.node, [ast.Eq() if wanted else ast.NotEq()], [ast.Constant(b.value)]), "bool"
            )
        none = a.none if isinstance(a, Number) else None
        if none is None:
            is_none = isinstance(a, Const) and a.value is None
            return Const(is_none is wanted)
        return Number(none if wanted else ast.UnaryOp(ast.Not(), none), "bool", False)

    def membership(self, op: ast.cmpop, value: Number, group: Value, node: ast.Compare) -> Value:
        """Lower `in` over a tuple or list whose items are known."""
        if isinstance(group, Const) and isinstance(group.value, tuple | list | set | frozenset | range):
            group = Group(tuple(Const(each) for each in group.value))
        if not isinstance(group, Group):
            self.refuse(node, "in is compiled for tuples and lists written out, or constant ones")
        settled = self.temporary(value.node)
        tests: list[ast.expr] = [
            ast.Compare(settled, [ast.Eq()], [self.as_number(each, node).node]) for each in group.items
        ]
        if not tests:
            return Const(isinstance(op, ast.NotIn))
        found = tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)
        return Number(found if isinstance(op, ast.In) else ast.UnaryOp(ast.Not(), found), "bool", False)

    def lower_IfExp(self, node: ast.IfExp) -> Value:
        test = self.truth(node.test)
        if isinstance(test, bool):
            return self.lower(node.body if test else node.orelse)
        first, second = self.number(node.body), self.number(node.orelse)
        return self.choice(test, first, second)

    def choice(self, test: ast.expr, first: Number, second: Number) -> Number:
        """Return one of two numbers."""
        type_ = join_types(first.type, second.type)
        a, b = first.node, second.node
        if first.type != second.type:
            cast = "float(X)" if type_ == "float" else "int(X)"
            a, b = parse(cast, X=a), parse(cast, X=b)
        return Number(ast.IfExp(test, a, b), type_, join_numpy(first.numpy, second.numpy))

    # --- attributes ---------------------------------------------------------------------------------------------
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
            code = (
                "_average_points(s, s.buy_was_n, s.buy_was) if s.qty > 0.0 "
                "else _average_points(s, s.sell_was_n, s.sell_was)"
            )
            return Number(parse(code), "float", None, parse("s.qty == 0.0"))
        which = key.removeprefix("average_")
        code = f"_average_points(s, s.{which}_was_n, s.{which}_was)"
        return Number(parse(code), "float", None, parse(f"s.{which}_was_n < 0"))

    def state(self, space: str, key: str) -> Number:
        """Read a variable of the strategy."""
        variable = self.program.state_field(space, key)
        code = parse(f"v.{variable.field}")
        if not variable.is_set:
            code = parse(f"_known(s, v.{variable.field}_set, v.{variable.field})")
        none = parse(f"v.{variable.field}_none") if variable.nullable else None
        return Number(code, variable.type or "float", None, none)

    # --- subscripts ---------------------------------------------------------------------------------------------
    def lower_Subscript(self, node: ast.Subscript) -> Value:
        owner = self.lower(node.value)
        if isinstance(owner, Part) and owner.name == "hp":
            return self.hyperparameter(node)
        if isinstance(owner, Part) and owner.name == "vars":
            return self.variable(node)
        if isinstance(owner, Candles):
            return self.candle(node)
        if isinstance(node.slice, ast.Slice):
            self.refuse(node, "a slice is not compiled here; index single values, as in [-1]")
        index = self.lower(node.slice)
        match owner:
            case CandleRow(row):
                return self.candle_value(row, index, node)
            case Series(at):
                return at(self.index(index, node))
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

    def candle(self, node: ast.Subscript) -> Value:
        """Lower `self.candles[...]`."""
        inner = node.slice
        if isinstance(inner, ast.Tuple) and len(inner.elts) == 2:
            row, column = inner.elts
            if isinstance(column, ast.Slice):
                self.refuse(node, "a slice of columns is not compiled; take one column")
            which = self.lower(column)
            if isinstance(row, ast.Slice):
                if row.lower is None and row.upper is None and row.step is None:
                    return Series(lambda i: self.candle_value(i, which, node), "self.candles[:, column]")
                self.refuse(node, "a slice of the candles is not compiled; index single values, as in [-1, 2]")
            return self.candle_value(self.index(self.lower(row), row), which, node)
        if isinstance(inner, ast.Slice):
            self.refuse(node, "a slice of the candles is not compiled; index single values, as in [-1, 2]")
        return CandleRow(self.index(self.lower(inner), inner))

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

    # --- calls --------------------------------------------------------------------------------------------------
    def lower_Call(self, node: ast.Call) -> Value:
        function = node.func
        if isinstance(function, ast.Name) and function.id == "hasattr" and len(node.args) == 2:
            return self.hasattr(node)
        callee = self.lower(function)
        if any(isinstance(each, ast.Starred) for each in node.args) or any(each.arg is None for each in node.keywords):
            self.refuse(node, "* and ** in a call are not compiled; write the arguments out")
        if isinstance(callee, Bound):
            return self.call_bound(callee, node)
        if not isinstance(callee, Const):
            self.refuse(node, f"calling {self.describe(callee)} is not compiled")
        target = callee.value
        described = REGISTRY.get(getattr(target, "__name__", ""))
        if described is not None and described.function is target:
            return self.call_indicator(described, node)
        if target is sizing.crossed:
            return self.call_crossed(node)
        arguments = [self.lower(each) for each in node.args]
        keywords = {str(each.arg): self.lower(each.value) for each in node.keywords}
        if all(isinstance(each, Const | Config) for each in [*arguments, *keywords.values()]) and callable(target):
            if target is print:
                return Const(None)
            return self.config_call(callee, arguments, keywords, node)
        return self.call_function(target, arguments, keywords, node)

    def config_call(self, callee: Const, arguments: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """Lower a call that Python can make before the run."""
        module = getattr(callee.value, "__module__", "") or ""
        if module.split(".")[0] in ("random", "time", "os", "pathlib", "io", "requests", "socket", "subprocess"):
            self.refuse(node, f"{module}.{callee.value.__name__} depends on the outside world and is not compiled")
        code = ast.Call(
            self.program.config_node(callee),
            [self.program.config_node(each) for each in arguments],
            [ast.keyword(key, self.program.config_node(value)) for key, value in keywords.items()],
        )
        return self.config(code, node)

    def hasattr(self, node: ast.Call) -> Value:
        owner, key = self.lower(node.args[0]), self.lower(node.args[1])
        if not (isinstance(owner, Part) and owner.name == "self" and isinstance(key, Const)):
            self.refuse(node, "hasattr is compiled for self and a constant name only")
        if key.value in self.program.assigned_attributes:
            variable = self.program.state_field("self", key.value)
            return Const(True) if variable.is_set else Number(parse(f"v.{variable.field}_set"), "bool", False)
        return Const(hasattr(self.program.source.cls, key.value) or key.value in self.program.initial_attributes)

    def call_bound(self, callee: Bound, node: ast.Call) -> Value:
        """Call a method of the strategy."""
        if callee.method is not None:
            positional = tuple(self.lower(each) for each in node.args)
            keywords = tuple((str(each.arg), self.lower(each.value)) for each in node.keywords)
            return self.call_method(callee.method, positional, keywords, node)
        if callee.name in api.DROPPED:
            return Const(None)
        if callee.name == "liquidate":
            self.out.append(ast.Expr(parse("_liquidate(s)")))
            return Const(None)
        if callee.name == "vars.get" and node.args:
            return self.vars_get(node)
        if callee.name == "get_candles":
            self.refuse(node, "self.get_candles is not compiled: one symbol and timeframe a strategy for now")
        self.refuse(node, f"self.{callee.name}() is not compiled")

    def vars_get(self, node: ast.Call) -> Value:
        key = self.lower(node.args[0])
        default = self.lower(node.args[1]) if len(node.args) > 1 else Const(None)
        if not isinstance(key, Const):
            self.refuse(node, "the key of self.vars must be a constant string")
        if key.value not in self.program.assigned_vars:
            return Const(self.program.initial_vars[key.value]) if key.value in self.program.initial_vars else default
        variable = self.program.state_field("vars", key.value)
        if variable.is_set:
            return self.state("vars", key.value)
        current = Number(parse(f"v.{variable.field}"), variable.type or "float", None)
        return self.choice(parse(f"v.{variable.field}_set"), current, self.as_number(default, node))

    def call_method(
        self, method: Method, arguments: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...], node: ast.AST
    ) -> Value:
        """Call a method of the user's own, lowered for this context and these arguments."""
        settled = tuple(self.argument(each, node) for each in arguments)
        named = tuple((key, self.argument(value, node)) for key, value in keywords)
        lowered = self.program.method(method, self.context, settled, named)
        if lowered.inline:
            assert lowered.result is not None
            return lowered.result
        values = [*settled, *(value for _, value in named)]
        nodes = [each.node for each in values if isinstance(each, Number) and each.constant is None]
        base = [name(each) for each in ("s", "v", "k", "x", "bars", "minutes")]
        call = ast.Call(name(lowered.name), [*base, *nodes], [])
        if lowered.result is None:
            self.out.append(ast.Expr(call))
            return Const(None)
        return _fill_call(lowered.result, call, self)

    def argument(self, value: Value, node: ast.AST) -> Value:
        """Prepare an argument: numbers are passed, everything else specialises the callee."""
        if isinstance(value, Number) and value.none is not None:
            return self.as_number(value, node)
        return value

    def call_function(self, target: Any, arguments: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """Call a function of numbers."""
        if target is print:
            return Const(None)
        if target in (min, max) and not keywords:
            return self.extreme(target, arguments, node)
        if target is len and len(arguments) == 1:
            return self.length(arguments[0], node)
        if target is round and len(arguments) == 1:
            number = self.as_number(arguments[0], node)
            return Number(parse("_integer(s, np.rint(float(X)))", X=number.node), "int", False)
        simple = simple_function(target)
        if simple is not None and not keywords and len(arguments) == simple.arguments:
            numbers = [self.as_number(value, each) for value, each in zip(arguments, node.args, strict=True)]
            type_ = simple.type
            if type_ == "same":
                type_ = numbers[0].type
                for each in numbers:
                    type_ = join_types(type_, each.type)
                type_ = "int" if type_ == "bool" else type_
            nodes = dict(zip("abcdef", (each.node for each in numbers), strict=False))
            numpy = numbers[0].numpy if simple.type == "same" and simple.numpy is None else simple.numpy
            return Number(parse(simple.code, **nodes), type_, numpy)
        helper = helper_function(target)
        if helper is not None:
            bound = self.bind(target, arguments, keywords, node)
            nodes = {key: self.as_number(value, node).node for key, value in bound.items()}
            return Number(parse(helper.code, **nodes), helper.type, helper.numpy)
        if isinstance(target, FunctionType) and target.__module__ == self.method.namespace.get("__name__"):
            self.refuse(node, f"{target.__name__} is a function of the module; make it a method of the strategy")
        module = getattr(target, "__module__", None) or ""
        if isinstance(target, ModuleType) or module.startswith("pandas"):
            self.refuse(node, 'pandas is not compiled; use mode="interpreted"')
        label = getattr(target, "__name__", repr(target))
        known = supported_functions()
        self.refuse(
            node,
            f"{label}() is not compiled on values that change during the run.{did_you_mean(label, known)} "
            f"Compiled are: {', '.join(known)}",
        )

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
        if isinstance(value, Candles | Series):
            return Number(parse("s.bar + 1"), "int", False)
        if isinstance(value, Group):
            return Const(len(value.items))
        self.refuse(node, f"len() of {self.describe(value)} is not compiled")

    # --- indicators ---------------------------------------------------------------------------------------------
    def call_indicator(self, indicator: Indicator, node: ast.Call) -> Value:
        """Lower `ta.name(self.candles, ...)` to a slot of the series matrix."""
        if not node.args:
            self.refuse(node, f"ta.{indicator.name} needs candles as its first argument")
        data = self.lower(node.args[0])
        if not isinstance(data, Candles):
            self.refuse(node.args[0], f"ta.{indicator.name} is compiled on self.candles only")
        arguments: list[tuple[str | int, Const | Config]] = []
        named: list[tuple[str | int, ast.expr]] = [(i, each) for i, each in enumerate(node.args[1:])]
        named += [(str(each.arg), each.value) for each in node.keywords]
        for key, each in named:
            value = self.lower(each)
            if isinstance(value, Number) and value.constant is not None:
                value = value.constant
            if not isinstance(value, Const | Config):
                self.refuse(
                    each, "an indicator's argument must be known before the run: a constant or a hyper-parameter"
                )
            arguments.append((key, value))
        positional = [self.sample(value) for key, value in arguments if isinstance(key, int)]
        keyword = {key: self.sample(value) for key, value in arguments if isinstance(key, str)}
        try:
            _, params, sequential = indicator.encode(*positional, **keyword)
        except (TypeError, ValueError) as error:
            self.refuse(node, str(error))
        if indicator.kernel is None and self.context == "fill":
            self.refuse(node, f"ta.{indicator.name} runs in numpy and cannot be called where a candle is forming")
        if indicator.none_if_nan and not sequential:
            pass
        slot = self.program.slot(indicator, tuple(arguments), sequential)
        fields = range(len(indicator.fields))
        if sequential:
            values: list[Value] = [self.slot_series(slot, i, node) for i in fields]
        else:
            values = [self.slot_value(slot, i, Const(-1), node) for i in fields]
            if indicator.none_if_nan:
                values = [self.none_if_nan(value) for value in values]
        if indicator.record is None:
            return values[0]
        return Group(tuple(values), indicator.fields)

    def none_if_nan(self, value: Value) -> Number:
        """Return an indicator value that is None where the series is NaN."""
        assert isinstance(value, Number)
        return Number(value.node, value.type, value.numpy, parse("np.isnan(X)", X=value.node))

    def sample(self, value: Const | Config) -> Any:
        """Return the value for the sample set."""
        return value.value if isinstance(value, Const) else value.sample

    def slot_series(self, slot: Slot, row: int, node: ast.AST) -> Series:
        """Return a whole series."""
        return Series(lambda index: self.slot_value(slot, row, index, node), f"ta.{slot.indicator.name}(...)")

    def slot_value(self, slot: Slot, row: int, index: Value, node: ast.AST) -> Number:
        """Return one value of a series."""
        bar, newest = self.bar_node(index, node)
        first = f"k.{slot.field}" if row == 0 else f"k.{slot.field} + {row}"
        code = parse(f"x[{first}, BAR]", BAR=bar)
        if not newest or self.context == "bar":
            return Number(code, "float", True)
        self.program.forming[slot.field] = slot.indicator
        window = "0" if slot.sequential else "s.window"
        now = f"_now_{slot.indicator.name}(s, bars, minutes, {window}, k.{slot.field}_source, k.{slot.field}_params, {row})"
        if isinstance(index, Const):
            return Number(parse(f"CODE if s.complete else {now}", CODE=code), "float", True)
        settled = self.temporary(bar)
        value = parse(f"x[{first}, BAR] if s.complete or BAR < s.bar else {now}", BAR=settled)
        return Number(value, "float", True)

    def call_crossed(self, node: ast.Call) -> Value:
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
            self.refuse(node, "utils.crossed(..., sequential=True) is not compiled; leave sequential out")
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


def _fill_call(result: Value, call: ast.expr, lowerer: ExpressionLowerer) -> Value:
    """Put a call into the shape of its result."""
    if isinstance(result, Number):
        return Number(call, result.type, result.numpy)
    assert isinstance(result, Group)
    settled = lowerer.temporary(call)
    items = tuple(
        Number(ast.Subscript(settled, ast.Constant(i), ast.Load()), each.type, each.numpy)
        for i, each in enumerate(result.items)
        if isinstance(each, Number)
    )
    return Group(items, result.fields)
