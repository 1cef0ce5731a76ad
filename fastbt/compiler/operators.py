"""Lower expressions: constants, names, operators, comparisons and conditions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

from fastbt.compiler.cells import as_group
from fastbt.compiler.load import Method
from fastbt.compiler.lower import Program
from fastbt.compiler.stages import latest, stage_of
from fastbt.compiler.values import (
    Bound,
    CandleRow,
    Candles,
    Config,
    Conflict,
    Const,
    Function,
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
    type_of,
)
from fastbt.errors import CompileError, did_you_mean
from fastbt.types import Status

ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**"}
_MISSING = object()
T = TypeVar("T")


class OperatorLowerer:
    """Lower constants, names and operators of one method in one context."""

    #: Names, by identity, through which what they stand for gets a second name; and the dicts and lists that have one.
    escaping: set[int]
    shared: set[str]

    def __init__(self, program: Program, method: Method, context: str) -> None:
        self.program = program
        self.method = method
        self.context = context
        self.locals: dict[str, Value] = {}
        self.out: list[ast.stmt] = []
        #: The statement that is lowered.
        self.statement: ast.stmt | None = None
        self.escaping, self.shared = set(), set()
        self.temporaries = 0
        self.lists = 0
        self.impure = False
        #: Stages of the names of the generated code, for `explain`.
        self.stages: dict[str, str] = {}
        #: Whether an exception may be caught: by this method, or by one that calls it.
        self.guarded = False
        #: What the fields of this call's own lists begin with.
        self.function_name = "l"
        #: The order attributes that any path assigns.
        self.ever_assigned: set[str] = set()

    # --- errors -------------------------------------------------------------------------------------------------
    def refuse(self, node: ast.AST, message: str) -> NoReturn:
        """Raise a CompileError that underlines `node`, or the statement at hand where that is the whole method."""
        if node is self.method.node and self.statement is not None:
            node = self.statement
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

    def refuse_own(self, node: ast.AST, error: Exception) -> NoReturn:
        """Refuse what the compiler itself fails on."""
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        self.refuse(node, f'fastbt fails to compile this ({what}). Please report it; until then use mode="interpreted"')

    def temporary(self, node: ast.expr) -> ast.expr:
        """Bind an expression to a fresh name, unless it is one, and return the name."""
        if isinstance(node, ast.Name | ast.Constant):
            return node
        self.temporaries += 1
        self.impure = True
        key = f"t{self.temporaries}_"
        self.out.append(ast.Assign([ast.Name(key, ast.Store())], node))
        if self.program.stages is not None:
            self.stages[key] = stage_of(Number(node, "float"), self.stages, is_fill=False) or "run"
        return name(key)

    def fresh(self) -> str:
        """Return a name that nothing has."""
        self.temporaries += 1
        self.impure = True
        return f"t{self.temporaries}_"

    def captured(self, lower: Callable[[], T]) -> tuple[list[ast.stmt], T]:
        """Return the statements that lowering something emits, and what it returns."""
        outer, self.out = self.out, []
        result = lower()
        emitted, self.out = self.out, outer
        return emitted, result

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
            return self.joined_truth(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.truth(node.operand)
            return (not inner) if isinstance(inner, bool) else ast.UnaryOp(ast.Not(), inner)
        return self.value_truth(self.lower(node), node)

    def joined_truth(self, node: ast.BoolOp) -> ast.expr | bool:
        """Lower a condition joined by and, or; what an operand emits happens only if the operand is reached."""
        is_and = isinstance(node.op, ast.And)
        parts: list[tuple[list[ast.stmt], ast.expr]] = []
        for each in node.values:
            emitted, part = self.captured(lambda each=each: self.truth(each))  # type: ignore[misc]
            if isinstance(part, bool):
                if part is is_and and not emitted:
                    continue
                parts.append((emitted, ast.Constant(part)))
                if part is not is_and:
                    break  # the rest is never evaluated
            else:
                parts.append((emitted, part))
        if not parts:
            return is_and
        self.out += parts[0][0]
        codes = [code for _, code in parts]
        if not any(emitted for emitted, _ in parts[1:]):
            first = codes[0]
            if len(codes) == 1:
                return bool(first.value) if isinstance(first, ast.Constant) else first
            return ast.BoolOp(node.op, codes)
        key = self.fresh()
        self.out.append(assign(key, codes[0]))
        block = self.out
        for emitted, code in parts[1:]:
            test = name(key) if is_and else ast.UnaryOp(ast.Not(), name(key))
            inner: list[ast.stmt] = [*emitted, assign(key, code)]
            block.append(ast.If(test, inner, []))
            block = inner
        return name(key)

    def value_truth(self, value: Value, node: ast.AST) -> ast.expr | bool:
        """Return the truth of a value."""
        if isinstance(value, Const | Config):
            try:
                known = bool(value.value if isinstance(value, Const) else value.sample)
            except (TypeError, ValueError) as error:
                self.refuse(node, f"this has no truth: {error}")
        if isinstance(value, Const):
            return known
        if isinstance(value, Config) and not any(
            isinstance(each, ast.Name) and each.id == "hp" for each in ast.walk(value.node)
        ):
            # Symbol, timeframe, leverage: kernels are made for one route of one account.
            return bool(value.sample)
        if isinstance(value, Config) and type_of(value.sample) is None:
            value = Config(parse("bool(X)", X=value.node), bool(value.sample))
        if isinstance(value, Group):
            return self.some(value.none, len(value.items) > 0)
        if isinstance(value, Listing):
            if value.cell.is_array:
                self.refuse(node, "the truth of an array is not compiled; test its length or one value")
            return self.some(value.none, parse(f"v.{value.cell.path}_n > 0"))
        if isinstance(value, Moment):
            return self.some(value.none, parse("X != 0", X=value.node) if value.kind == "timedelta" else True)
        if isinstance(value, Points):
            return self.points_truth(value, node)
        if isinstance(value, Bound | Function | Part):
            return True
        if isinstance(value, Text):
            empty = Text(ast.Constant(self.program.text_code("")))
            return (
                self.text_equal(value, empty, False).node
                if value.none is None
                else parse(
                    "not NONE and X", NONE=value.none, X=self.text_equal(replace(value, none=None), empty, False).node
                )
            )
        if isinstance(value, Series | Window):
            what = self.describe(value)
            self.refuse(node, f"{what} has no truth; compare one value of it, as in [-1]; or use .all()")
        number = self.program.materialise(value)
        if number is None:
            self.refuse(node, f"{self.describe(value)} is used as a condition here")
        code = number.node if number.type == "bool" else parse("X != 0", X=number.node)
        if number.none is not None:
            code = parse("not NONE and X", NONE=number.none, X=code)
        return code

    def some(self, none: ast.expr | None, truth: ast.expr | bool) -> ast.expr | bool:
        """Return a truth that is false for None."""
        if none is None or truth is False:
            return truth
        present: ast.expr = ast.UnaryOp(ast.Not(), none)
        return present if truth is True else parse("A and B", A=present, B=truth)

    def points_truth(self, value: Points, node: ast.AST) -> ast.expr | bool:
        """Return the truth of orders that are read back; see `orders`."""
        raise NotImplementedError

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
            case Group(keys=None):
                return "a tuple or list"
            case Group():
                return "a dict"
            case Listing(cell):
                return "an array" if cell.is_array else "a list"
            case Moment(_, kind):
                return f"a {kind}"
            case Function():
                return "a function"
            case Sequence(_, _, key):
                return key
            case Window(series, _, _):
                return f"a window of the series {series.name}"
            case Points(key):
                return f"self.{key}"
            case Part(key):
                return "self" if key == "self" else f"self.{key}"
            case Bound(key):
                return f"the method {key}"
            case Text():
                return "a string"
            case Number():
                return "a number"
            case Conflict(reason):
                return reason
        return "this"

    # --- expressions --------------------------------------------------------------------------------------------
    def lower(self, node: ast.expr) -> Value:
        """Lower any expression."""
        handler = getattr(self, f"lower_{type(node).__name__}", None)
        if handler is None:
            what = {
                "DictComp": "a dict comprehension",
                "SetComp": "a set comprehension",
                "Await": "await",
                "Yield": "yield",
                "Starred": "* unpacking",
                "Slice": "a slice",
            }.get(type(node).__name__, type(node).__name__)
            self.refuse(node, f'{what} is not compiled; write it out with scalars, or use mode="interpreted"')
        value = handler(node)
        assert isinstance(value, Value)
        if self.program.stages is not None:
            self.note_stage(node, value)
        return value

    def note_stage(self, node: ast.expr, value: Value) -> None:
        """Keep the stage of an expression, for `explain`."""
        stage = stage_of(value, self.stages, is_fill=self.context == "fill")
        stages, of = self.program.stages, self.method.node
        if stage is None or stages is None or not hasattr(node, "lineno"):
            return
        self.program.explained[id(of)] = self.method
        place = (id(of), node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0)
        stages[place] = latest([stage, stages.get(place)])

    def lower_Constant(self, node: ast.Constant) -> Value:
        return Const(node.value)

    def lower_Name(self, node: ast.Name) -> Value:
        if node.id in self.locals:
            value = self.locals[node.id]
            if isinstance(value, Conflict):
                self.refuse(node, f"{node.id!r} holds {value.reason}; give the two things two names")
            if isinstance(value, Text) and value.constant is not None:
                return value.constant
            if id(node) in self.escaping and isinstance(value, Group) and value.cell is None:
                self.shared.add(node.id)
            return value
        namespace = self.method.namespace
        if node.id in namespace:
            if type(namespace[node.id]).__module__ == "fastbt.engine.jesse_store":
                self.refuse(node, f"jesse's {node.id} is not compiled; what a strategy needs of it is in self")
            return Const(namespace[node.id])
        builtin = __builtins__[node.id] if isinstance(__builtins__, dict) and node.id in __builtins__ else _MISSING
        if builtin is _MISSING:
            builtin = getattr(__import__("builtins"), node.id, _MISSING)
        if builtin is not _MISSING:
            return Const(builtin)
        known = [*self.locals, *namespace]
        self.refuse(node, f"the name {node.id!r} is not defined.{did_you_mean(node.id, known)}")

    def lower_all(self, nodes: Iterable[ast.expr]) -> list[Value]:
        """Lower expressions one after the other: what a later one does first must not change an earlier one."""
        parts = [self.captured(lambda each=each: self.lower(each)) for each in nodes]  # type: ignore[misc]
        values = []
        for i, (emitted, value) in enumerate(parts):
            self.out += emitted
            if any(later for later, _ in parts[i + 1 :]):
                value = self.pinned(value)
            values.append(value)
        return values

    def pinned(self, value: Value) -> Value:
        """Fix a value now if what follows could change it."""
        if isinstance(value, Group):
            return replace(value, items=tuple(map(self.pinned, value.items)))
        codes = [code for code in (getattr(value, "node", None), getattr(value, "none", None)) if code is not None]
        if isinstance(value, Config) or not any(self.may_change(code) for code in codes):
            return value
        return self.settle(value)

    def may_change(self, code: ast.expr) -> bool:
        """Tell whether the strategy's own statements can change what some code gives."""
        for each in ast.walk(code):
            if isinstance(each, ast.Name) and each.id == "v":
                return True
            if isinstance(each, ast.Attribute) and each.attr.startswith(("buy", "sell", "stop_loss", "take_profit")):
                return True
        return self.guarded and may_fail(code)

    def lower_Tuple(self, node: ast.Tuple) -> Value:
        return Group(tuple(self.elements(node.elts)))

    def lower_List(self, node: ast.List) -> Value:
        return Group(tuple(self.elements(node.elts)), is_list=True)

    def elements(self, nodes: list[ast.expr]) -> list[Value]:
        """Lower the items of a tuple, a list or a call; `*group` stands for its items."""
        values = self.lower_all([each.value if isinstance(each, ast.Starred) else each for each in nodes])
        items: list[Value] = []
        for node, value in zip(nodes, values, strict=True):
            if isinstance(node, ast.Starred):
                group = as_group(value)
                if not isinstance(group, Group):
                    self.refuse(
                        node, f"* is compiled before a tuple or list of known length, not {self.describe(value)}"
                    )
                items += map(Const, group.keys) if group.keys is not None else group.items
            else:
                items.append(value)
        return items

    def lower_Set(self, node: ast.Set) -> Value:
        values = self.elements(node.elts)
        if not all(isinstance(each, Const | Config) for each in values):
            self.refuse(node, "a set is compiled where it is known before the run, or behind in; use a list")
        return self.config(ast.Set([self.program.config_node(each) for each in values]), node)

    def lower_NamedExpr(self, node: ast.NamedExpr) -> Value:
        self.assign_local(node.target.id, self.lower(node.value))
        return self.lower(ast.copy_location(ast.Name(node.target.id, ast.Load()), node))

    def assign_local(self, key: str, value: Value) -> None:
        """Assign to a local variable; see `assignments`."""
        raise NotImplementedError

    def lower_Dict(self, node: ast.Dict) -> Value:
        if any(each is None for each in node.keys):
            self.refuse(node, "** in a dict is not compiled; write the items out")
        values = self.lower_all([part for pair in zip(node.keys, node.values, strict=True) for part in pair if part])
        keys, items = values[::2], values[1::2]
        if all(isinstance(each, Const | Config) for each in values):
            nodes = [[self.program.config_node(each) for each in part] for part in (keys, items)]
            return self.config(ast.Dict(list(nodes[0]), nodes[1]), node)
        if not all(isinstance(each, Const) for each in keys):
            self.refuse(node, "the keys of a dict must be constants")
        plain = {each.value: item for each, item in zip(keys, items, strict=True) if isinstance(each, Const)}
        return Group(tuple(plain.values()), keys=tuple(plain))

    def lower_UnaryOp(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            inner = self.truth(node.operand)
            return Const(not inner) if isinstance(inner, bool) else Number(ast.UnaryOp(ast.Not(), inner), "bool", False)
        value = self.lower(node.operand)
        if isinstance(value, Const | Config):
            return self.config(ast.UnaryOp(node.op, self.program.config_node(value)), node)
        array = self.array_operation(
            [value],
            lambda codes: ast.UnaryOp(node.op, codes[0]),
            lambda items: self.unary(node, *items),
            node,
        )
        if array is None:
            array = self.kernel_operation([value], lambda item: self.unary(node, item), node)
        if array is not None:
            return array
        return self.unary(node, self.as_number(value, node.operand))

    def unary(self, node: ast.UnaryOp, value: Number) -> Number:
        """Apply + or - to a number."""
        if isinstance(node.op, ast.Invert) and value.type == "bool" and value.numpy:
            return Number(ast.UnaryOp(ast.Not(), value.node), "bool", True)
        if isinstance(node.op, ast.Invert):
            self.refuse(node, "~ is not compiled; use not")
        type_ = "int" if value.type == "bool" else value.type
        return Number(ast.UnaryOp(node.op, value.node), type_, value.numpy)

    def config(self, code: ast.expr, node: ast.AST) -> Value:
        """Return a config-stage expression, folded when it needs no hyper-parameter or account."""
        needs_set = any(isinstance(each, ast.Name) and each.id in ("hp", "account", "route") for each in ast.walk(code))
        try:
            sample = self.program.evaluate(code)
        except (IndexError, KeyError, ZeroDivisionError) as error:
            is_lookup = isinstance(node, ast.Subscript | ast.BinOp)
            if not is_lookup or needs_set:
                self.refuse(node, f"this cannot be computed before the run: {type(error).__name__}: {error}")
            return self.never(type(error).__name__)
        except Exception as error:
            self.refuse(node, f"this cannot be computed before the run: {type(error).__name__}: {error}")
        return Config(code, sample) if needs_set else Const(sample)

    def never(self, exception: str) -> Value:
        """Emit what ends the run with an exception, and return what stands for the value that there never is."""
        status = next(each for each in Status if each.jesse_exception == exception)
        self.out.append(ast.Expr(parse(f"_raise(s, {int(status)})")))
        self.impure = True
        return Nothing(ast.Constant(0.0), "float", False)

    def lower_BinOp(self, node: ast.BinOp) -> Value:
        left, right = self.lower_all([node.left, node.right])
        if isinstance(left, Const | Config) and isinstance(right, Const | Config):
            code = ast.BinOp(self.program.config_node(left), node.op, self.program.config_node(right))
            try:
                return self.config(code, node)
            except CompileError:
                # For this set it raises; the kernel does where it comes to it.
                if self.program.materialise(left) is None or self.program.materialise(right) is None:
                    raise
        other = self.other_operation(node, left, right)
        if other is not None:
            return other
        array = self.array_operation(
            [left, right],
            lambda codes: ast.BinOp(codes[0], node.op, codes[1]),
            lambda items: self.binary(node.op, *items),
            node,
        )
        if array is None:
            array = self.combined(node.op, [left, right], node)
        if array is not None:
            return array
        is_truth = isinstance(node.op, ast.BitAnd | ast.BitOr)
        if type(node.op) not in ARITHMETIC and not is_truth:
            self.refuse(node, "this operator is not compiled; use + - * / // % **")
        first, second = self.as_number(left, node.left), self.as_number(right, node.right)
        if is_truth and not first.type == second.type == "bool":
            self.refuse(node, "this operator is not compiled; use + - * / // % **")
        return self.with_constant(self.binary(node.op, first, second), node.op, first, second)

    def with_constant(self, result: Number, op: ast.operator, first: Number, second: Number) -> Number:
        """Return a result of two numbers of the configuration as one that is itself known before the run."""
        if first.constant is None or second.constant is None:
            return result
        code = ast.BinOp(self.program.config_node(first.constant), op, self.program.config_node(second.constant))
        try:
            sample = self.program.evaluate(code)
        except Exception:
            return result
        if type_of(sample) != result.type:
            return result
        needs_set = any(isinstance(each, ast.Name) and each.id in ("hp", "account") for each in ast.walk(code))
        return replace(result, constant=Config(code, sample) if needs_set else Const(sample))

    def other_operation(self, node: ast.BinOp, left: Value, right: Value) -> Value | None:
        """Return the result of an operator between things that are no numbers, or None; see `sequences`."""
        return None

    def settled(self, value: Number) -> Number:
        """Fix a number's value now, for use later."""
        if isinstance(value.constant, Const | Config):
            return value
        return Number(self.temporary(value.node), value.type, value.numpy)

    def lower_JoinedStr(self, node: ast.JoinedStr) -> Value:
        inside = [each for each in node.values if isinstance(each, ast.FormattedValue)]
        plain = all(each.format_spec is None or isinstance(each.format_spec, ast.JoinedStr) for each in inside)
        _, values = self.captured(lambda: [self.quietly(each.value) for each in inside])
        if not plain or not all(isinstance(each, Const | Config) for each in values):
            return Conflict("an f-string, which only logging may use")
        known = iter([self.program.config_node(each) for each in values if each is not None])
        parts = [
            ast.FormattedValue(next(known), each.conversion, each.format_spec)
            if isinstance(each, ast.FormattedValue)
            else each
            for each in node.values
        ]
        return self.config(ast.JoinedStr(parts), node)

    def quietly(self, node: ast.expr) -> Value | None:
        """Lower what may only be known to logging; None if it does not compile."""
        try:
            return self.lower(node)
        except CompileError:
            return None

    def bounded(self, op: ast.operator, left: Number, right: Number) -> ast.expr | None:
        """Return the code of a sum or product of whole numbers that may leave the range of the machine's."""
        a, b = (each.constant.value if isinstance(each.constant, Const) else None for each in (left, right))
        if isinstance(op, ast.Mult):
            return parse("_int_product(s, A, B)", A=left.node, B=right.node)
        small = any(isinstance(each, int) and abs(each) < 2**32 for each in (a, b))
        if isinstance(op, ast.Add | ast.Sub) and not small and "bool" not in (left.type, right.type):
            helper = "_int_sum" if isinstance(op, ast.Add) else "_int_difference"
            if may_grow(left.node) and may_grow(right.node):
                return parse(f"{helper}(s, A, B)", A=left.node, B=right.node)
        return None

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
            if numpy:
                helper += "_whole" if type_ == "int" else "_numpy"
                a, b = cast(left, type_), cast(right, type_)
            elif numpy is None and not (isinstance(right.constant, Const) and right.constant.value):
                helper += "_either"
            return Number(parse(f"{helper}(s, A, B)", A=a, B=b), type_, numpy)
        if isinstance(op, ast.BitAnd | ast.BitOr) and left.type == right.type == "bool":
            return Number(ast.BoolOp(ast.And() if isinstance(op, ast.BitAnd) else ast.Or(), [a, b]), "bool", numpy)
        if isinstance(op, ast.Pow):
            exponent = right.constant.value if isinstance(right.constant, Const) else None
            if type_ == "int" and isinstance(exponent, int) and exponent >= 0:
                return Number(parse("_int_power(s, A, B)", A=cast(left, "int"), B=b), "int", numpy)
            if type_ == "int" and not numpy:
                # As a float, which is as good up to 2 ** 53; beyond that the run ends.
                return Number(parse("_whole_power(s, A, B)", A=cast(left, "int"), B=cast(right, "int")), "float", numpy)
            if numpy is not True:
                helper = "_power" if numpy is False else "_power_either"
                code = parse(f"{helper}(s, A, B)", A=cast(left, "float"), B=cast(right, "float"))
                return Number(code, "float", numpy)
            return Number(parse("A ** B", A=cast(left, "float"), B=cast(right, "float")), "float", numpy)
        if type_ == "int":
            a, b = cast(left, "int"), cast(right, "int")
            if isinstance(op, ast.Mult | ast.Add | ast.Sub) and not numpy:
                bounded = self.bounded(op, replace(left, node=a), replace(right, node=b))
                if bounded is not None:
                    return Number(bounded, "int", numpy)
        return Number(ast.BinOp(a, op, b), type_, numpy)

    def settle(self, value: Value) -> Value:
        """Fix a value now; see `storage`."""
        raise NotImplementedError

    def array_operation(
        self,
        values: list[Value],
        make: Callable[[list[ast.expr]], ast.expr],
        each: Callable[[list[Number]], Number],
        node: ast.AST,
    ) -> Value | None:
        """Lower an operation that numpy does item by item; see `market`."""
        raise NotImplementedError

    def combined(self, op: ast.operator, values: list[Value], node: ast.AST) -> Value | None:
        """Lower an operator between arrays of the run; see `arrays`."""
        raise NotImplementedError

    def kernel_operation(
        self, values: list[Value], combine: Callable[..., Number], node: ast.AST, *, own: bool = False
    ) -> Value | None:
        """Lower an operation on arrays of the run; see `arrays`."""
        raise NotImplementedError

    def attribute_of_array(self, owner: Listing, key: str) -> Value | None:
        """Lower an attribute of an array of the run; see `arrays`."""
        raise NotImplementedError

    def selected(self, owner: Value, index: Listing, node: ast.AST) -> Value:
        """Lower a subscript by an array of the run; see `arrays`."""
        raise NotImplementedError

    def pure_made(self, values: list[Value], make: Callable[[list[ast.expr]], ast.expr]) -> Any:
        """Return Python code of the market stage made of values, or None; see `market`."""
        raise NotImplementedError

    def subscript_of_array(self, owner: Value, node: ast.Subscript) -> Any:
        """Return Python code of a subscript, or None; see `market`."""
        raise NotImplementedError

    def attribute_of_object(self, owner: Series, node: ast.Attribute) -> Value | None:
        """Lower an attribute of an object that Python made; see `market`."""
        raise NotImplementedError

    def rebuildable(self, value: Value, again: Callable[[], Value | None]) -> Value:
        """Let an array be made in the kernel; see `market`."""
        raise NotImplementedError

    def index_parts(self, where: ast.expr) -> list[Value]:
        """Lower the expressions of a subscript; see `market`."""
        raise NotImplementedError

    def market(self, pure: Any, node: ast.AST) -> Value:
        """Return the value of an expression of the market stage; see `market`."""
        raise NotImplementedError

    def either(
        self, first: Callable[[], Value], second: Callable[[], Value] | None, *, and_say_why: bool = False
    ) -> Value:
        """Return what the first of two ways to lower something gives, or the second; see `market`."""
        raise NotImplementedError

    def length(self, value: Value, node: ast.AST) -> Value:
        """Lower len(); see `expressions`."""
        raise NotImplementedError

    def text_equal(self, a: Text, b: Text, equal: bool) -> Number:
        """Compare two strings; see `comparisons`."""
        raise NotImplementedError

    def moment_attribute(self, owner: Moment, node: ast.Attribute) -> Value:
        """Lower an attribute of a moment; see `moments`."""
        raise NotImplementedError

    def super_attribute(self, after: type, node: ast.Attribute) -> Value:
        """Lower an attribute of `super()`; see `calls`."""
        raise NotImplementedError

    def trading_hours(self, key: str, node: ast.AST) -> Value:
        """Lower what depends on trading hours; see `market`."""
        raise NotImplementedError

    def read_points(self, key: str, node: ast.Attribute) -> Value:
        """Lower orders that are read back; see `orders`."""
        raise NotImplementedError

    def points_item(self, value: Points, index: Value, node: ast.Subscript) -> Value:
        """Lower an item of orders that are read back; see `orders`."""
        raise NotImplementedError

    def points_rows(self, value: Points) -> Sequence:
        """Return the rows of orders that are read back; see `orders`."""
        raise NotImplementedError

    def list_slice(self, value: Value, where: ast.Slice, node: ast.AST) -> Value:
        """Lower a slice of a list; see `sequences`."""
        raise NotImplementedError

    def sequence(self, value: Value) -> Sequence | None:
        """Return a value as something to run over; see `sequences`."""
        raise NotImplementedError

    def call_method(
        self, method: Method, arguments: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...], node: ast.AST
    ) -> Value:
        """Call a method of the user's own; see `calls`."""
        raise NotImplementedError


def may_grow(code: ast.expr) -> bool:
    """Tell whether a whole number may become large: what the engine counts does not."""
    if isinstance(code, ast.Attribute) and isinstance(code.value, ast.Name):
        return code.value.id not in ("s", "k")
    return not isinstance(code, ast.Constant)


#: Kernels of the engine that take the state and never fail.
_SAFE = frozenset(
    {
        "_available_margin",
        "_portfolio_value",
        "_position_value",
        "_position_pnl",
        "_position_roi",
        "_position_total_cost",
        "_liquidation_price",
        "_bankruptcy_price",
        "_average_entry_price",
        "_settled",
        "_current",
        "_forming",
        "_liquidate",
        "_window",
        "_tail",
        "_fail",
    }
)


def may_fail(code: ast.AST) -> bool:
    """Tell whether some code may end in an exception."""
    for each in ast.walk(code):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.args:
            first = each.args[0]
            if isinstance(first, ast.Name) and first.id == "s" and each.func.id not in _SAFE:
                return True
    return False


def assign(key: str, value: ast.expr) -> ast.stmt:
    """Return an assignment to a name or to a field."""
    if "." in key:
        target = ast.parse(f"{key} = 0").body[0]
        assert isinstance(target, ast.Assign)
        return ast.Assign(target.targets, value)
    return ast.Assign([ast.Name(key, ast.Store())], value)


def cast(number: Number, type_: str) -> ast.expr:
    """Return the code of a number as one of a wider type."""
    if number.type == "bool" and type_ == "float":
        return parse("float(int(X))", X=number.node)  # numba knows no float of a bool
    return number.node if number.type == type_ else parse(f"{type_}(X)", X=number.node)
