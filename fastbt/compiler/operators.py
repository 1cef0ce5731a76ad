"""Lower expressions: constants, names, operators, comparisons and conditions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn, TypeVar

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
    Group,
    Number,
    Part,
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

ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**"}
_MISSING = object()
T = TypeVar("T")


class OperatorLowerer:
    """Lower constants, names and operators of one method in one context."""

    def __init__(self, program: Program, method: Method, context: str) -> None:
        self.program = program
        self.method = method
        self.context = context
        self.locals: dict[str, Value] = {}
        self.out: list[ast.stmt] = []
        self.temporaries = 0
        self.impure = False
        #: Stages of the names of the generated code, for `explain`.
        self.stages: dict[str, str] = {}

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
        self.out.append(_assign(key, codes[0]))
        block = self.out
        for emitted, code in parts[1:]:
            test = name(key) if is_and else ast.UnaryOp(ast.Not(), name(key))
            inner: list[ast.stmt] = [*emitted, _assign(key, code)]
            block.append(ast.If(test, inner, []))
            block = inner
        return name(key)

    def value_truth(self, value: Value, node: ast.AST) -> ast.expr | bool:
        """Return the truth of a value."""
        if isinstance(value, Const):
            return bool(value.value)
        if isinstance(value, Config) and not any(
            isinstance(each, ast.Name) and each.id == "hp" for each in ast.walk(value.node)
        ):
            # Symbol, timeframe, leverage: kernels are made for one route of one account.
            return bool(value.sample)
        if isinstance(value, Config) and type_of(value.sample) is None:
            value = Config(parse("bool(X)", X=value.node), bool(value.sample))
        if isinstance(value, Group):
            return len(value.items) > 0
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
            case Window(series, _, _):
                return f"a window of the series {series.name}"
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
                "ListComp": "a list comprehension",
                "GeneratorExp": "a generator expression",
                "DictComp": "a dict comprehension",
                "SetComp": "a set comprehension",
                "Set": "a set",
                "Lambda": "a lambda",
                "Await": "await",
                "Yield": "yield",
                "Starred": "* unpacking",
                "Slice": "a slice",
                "NamedExpr": ":=",
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

    def lower_Tuple(self, node: ast.Tuple) -> Value:
        return Group(tuple(self.lower(each) for each in node.elts))

    def lower_List(self, node: ast.List) -> Value:
        return Group(tuple(self.lower(each) for each in node.elts), is_list=True)

    def lower_Dict(self, node: ast.Dict) -> Value:
        keys = [None if each is None else self.lower(each) for each in node.keys]
        values = [self.lower(each) for each in node.values]
        if not all(isinstance(each, Const | Config) for each in [*keys, *values]):
            self.refuse(node, "a dict is compiled only if its values are known before the run")
        return self.config(
            ast.Dict(
                [self.program.config_node(each) for each in keys if each is not None],
                [self.program.config_node(each) for each in values],
            ),
            node,
        )

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
        except Exception as error:
            self.refuse(node, f"this cannot be computed before the run: {type(error).__name__}: {error}")
        return Config(code, sample) if needs_set else Const(sample)

    def lower_BinOp(self, node: ast.BinOp) -> Value:
        left, right = self.lower(node.left), self.lower(node.right)
        if isinstance(left, Const | Config) and isinstance(right, Const | Config):
            code = ast.BinOp(self.program.config_node(left), node.op, self.program.config_node(right))
            return self.config(code, node)
        array = self.array_operation(
            [left, right],
            lambda codes: ast.BinOp(codes[0], node.op, codes[1]),
            lambda items: self.binary(node.op, *items),
            node,
        )
        if array is not None:
            return array
        is_truth = isinstance(node.op, ast.BitAnd | ast.BitOr)
        if type(node.op) not in ARITHMETIC and not is_truth:
            self.refuse(node, "this operator is not compiled; use + - * / // % **")
        first, second = self.as_number(left, node.left), self.as_number(right, node.right)
        if is_truth and not first.type == second.type == "bool":
            self.refuse(node, "this operator is not compiled; use + - * / // % **")
        return self.binary(node.op, first, second)

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
        if isinstance(op, ast.BitAnd | ast.BitOr) and left.type == right.type == "bool":
            return Number(ast.BoolOp(ast.And() if isinstance(op, ast.BitAnd) else ast.Or(), [a, b]), "bool", numpy)
        if isinstance(op, ast.Pow):
            exponent = right.constant.value if isinstance(right.constant, Const) else None
            if type_ == "int" and isinstance(exponent, int) and exponent >= 0:
                return Number(parse("A ** B", A=a, B=b), "int", numpy)
            return Number(parse("A ** B", A=cast(left, "float"), B=cast(right, "float")), "float", numpy)
        return Number(ast.BinOp(a, op, b), type_, numpy)

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
        return Number(name(key), type_, None, None if flag is None else name(flag))

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
            return self.membership(op, a, b, node)
        if isinstance(op, ast.Eq | ast.NotEq):
            for value, other in ((a, b), (b, a)):
                if isinstance(value, Const) and value.value is None and isinstance(other, Number | Text):
                    return self.identity(ast.Is() if isinstance(op, ast.Eq) else ast.IsNot(), a, b, node)
        first_text, second_text = self.program.text(a), self.program.text(b)
        if (first_text or second_text) and isinstance(op, ast.Eq | ast.NotEq):
            if first_text is None or second_text is None:
                # A number never equals a string.
                return Const(isinstance(op, ast.NotEq))
            return self.text_equal(first_text, second_text, isinstance(op, ast.Eq))
        array = self.array_operation(
            [a, b],
            lambda codes: ast.Compare(codes[0], [op], [codes[1]]),
            lambda items: Number(ast.Compare(items[0].node, [op], [items[1].node]), "bool", True),
            node,
        )
        if array is not None:
            return array
        if isinstance(op, ast.Eq | ast.NotEq):
            equal = self.equal_or_none(a, b)
            if equal is not None:
                return Number(equal if isinstance(op, ast.Eq) else ast.UnaryOp(ast.Not(), equal), "bool", None)
        first, second = self.as_number(a, x), self.as_number(b, y)
        return Number(ast.Compare(first.node, [op], [second.node]), "bool", join_numpy(first.numpy, second.numpy))

    def equal_or_none(self, a: Value, b: Value) -> ast.expr | None:
        """Return the code of `a == b` where one of them may be None, which equals no number and raises nothing."""
        first, second = self.program.materialise(a), self.program.materialise(b)
        if first is None or second is None or (first.none is None and second.none is None):
            return None
        code: ast.expr = ast.Compare(first.node, [ast.Eq()], [second.node])
        for none in (first.none, second.none):
            if none is not None:
                code = parse("not NONE and CODE", NONE=none, CODE=code)
        if first.none is not None and second.none is not None:
            code = parse("A and B or CODE", A=first.none, B=second.none, CODE=code)
        return code

    def text_equal(self, a: Text, b: Text, equal: bool) -> Number:
        """Compare two strings; None equals no string."""
        code: ast.expr = ast.Compare(a.node, [ast.Eq()], [b.node])
        for none in (a.none, b.none):
            if none is not None:
                code = parse("not NONE and CODE", NONE=none, CODE=code)
        return Number(code if equal else ast.UnaryOp(ast.Not(), code), "bool", False)

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
        none = a.none if isinstance(a, Number | Text) else None
        if none is None:
            is_none = isinstance(a, Const) and a.value is None
            return Const(is_none is wanted)
        return Number(none if wanted else ast.UnaryOp(ast.Not(), none), "bool", False)

    def membership(self, op: ast.cmpop, value: Value, group: Value, node: ast.Compare) -> Value:
        """Lower `in` over a tuple or list whose items are known."""
        if isinstance(group, Const) and isinstance(group.value, tuple | list | set | frozenset | range | dict):
            group = Group(tuple(Const(each) for each in group.value))
        if not isinstance(group, Group):
            self.refuse(node, "in is compiled for tuples and lists written out, or constant ones")
        text = self.program.text(value)
        tests: list[ast.expr] = []
        if text is not None:
            others = [self.program.text(each) for each in group.items]
            tests = [self.text_equal(text, each, True).node for each in others if each is not None]
        else:
            settled = self.temporary(self.as_number(value, node.left).node)
            numbers = [self.program.materialise(each) for each in group.items]
            tests = [ast.Compare(settled, [ast.Eq()], [each.node]) for each in numbers if each is not None]
        if not tests:
            return Const(isinstance(op, ast.NotIn))
        found = tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)
        return Number(found if isinstance(op, ast.In) else ast.UnaryOp(ast.Not(), found), "bool", False)

    def lower_JoinedStr(self, node: ast.JoinedStr) -> Value:
        return Conflict("an f-string, which only logging may use")

    def known_choice(self, node: ast.IfExp) -> Value | None:
        """Return a choice that Python can make before the run, or None if it is none."""
        codes: list[ast.expr] = []
        out = self.out
        for part in (node.test, node.body, node.orelse):
            try:
                emitted, value = self.captured(partial(self.lower, part))
            except CompileError:
                self.out = out
                return None
            if emitted or not isinstance(value, Const | Config) or (not codes and isinstance(value, Const)):
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
        texts = self.program.text(body), self.program.text(other)
        if texts[0] is not None and texts[1] is not None and not first_emitted and not second_emitted:
            return Text(ast.IfExp(test, texts[0].node, texts[1].node))
        first, second = self.or_none(body, node.body), self.or_none(other, node.orelse)
        if first.none is None and second.none is None and not first_emitted and not second_emitted:
            return self.choice(test, first, second)
        # Only the arm that is chosen happens.
        type_ = join_types(first.type, second.type)
        key = self.fresh()
        flag = None if first.none is None and second.none is None else f"{key}none"
        for emitted, number in ((first_emitted, first), (second_emitted, second)):
            emitted.append(_assign(key, cast(number, type_)))
            if flag is not None:
                emitted.append(_assign(flag, number.none or ast.Constant(False)))
        self.out.append(ast.If(test, first_emitted, second_emitted))
        numpy = join_numpy(first.numpy, second.numpy)
        return Number(name(key), type_, numpy, None if flag is None else name(flag))

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

    def array_operation(
        self,
        values: list[Value],
        make: Callable[[list[ast.expr]], ast.expr],
        each: Callable[[list[Number]], Number],
        node: ast.AST,
    ) -> Value | None:
        """Lower an operation that numpy does item by item; see `market`."""
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

    def call_method(
        self, method: Method, arguments: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...], node: ast.AST
    ) -> Value:
        """Call a method of the user's own; see `calls`."""
        raise NotImplementedError


def _assign(key: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(key, ast.Store())], value)


def cast(number: Number, type_: str) -> ast.expr:
    """Return the code of a number as one of a wider type."""
    if number.type == "bool" and type_ == "float":
        return parse("float(int(X))", X=number.node)  # numba knows no float of a bool
    return number.node if number.type == type_ else parse(f"{type_}(X)", X=number.node)
