"""Lower statements, and whole methods."""

from __future__ import annotations

import ast
from dataclasses import replace

from fastbt.compiler import api
from fastbt.compiler.expressions import ExpressionLowerer
from fastbt.compiler.load import Method
from fastbt.compiler.lower import Lowered, Program
from fastbt.compiler.stages import latest, stage_of
from fastbt.compiler.values import (
    Config,
    Conflict,
    Const,
    Group,
    Number,
    Part,
    Series,
    Text,
    Value,
    join_numpy,
    join_types,
    name,
    parse,
)
from fastbt.errors import CompileError
from fastbt.types import Status

#: The arguments that every generated function takes.
COMMON = ("s", "v", "k", "x", "bars", "minutes")
_RESERVED = {*COMMON, "np", "math", "CALL"}


def local_name(key: str) -> str:
    """Return the generated name of a user's local variable."""
    return f"u_{key}" if key in _RESERVED or key.startswith("_") or key.endswith("_") else key


class FunctionLowerer(ExpressionLowerer):
    """Lower one method for one context and one kind of arguments."""

    def __init__(
        self,
        program: Program,
        method: Method,
        context: str,
        arguments: tuple[Value, ...],
        keywords: dict[str, Value],
    ) -> None:
        super().__init__(program, method, context)
        self.returns: list[Value] = []
        #: Which of them are never used, as the run has failed.
        self.failing: list[int] = []
        #: What is known of the local variables where the loop at hand is left, and where its next round begins.
        self.breaks: list[dict[str, Value]] = []
        self.continues: list[dict[str, Value]] = []
        self.parameters: list[str] = []
        self.bind_parameters(arguments, keywords)

    def bind_parameters(self, arguments: tuple[Value, ...], keywords: dict[str, Value]) -> None:
        """Bind the method's parameters to what it is called with."""
        args = self.method.node.args
        if args.vararg or args.kwarg or args.posonlyargs:
            self.refuse(self.method.node, "* and ** parameters are not compiled; name the parameters")
        names = [each.arg for each in args.args]
        if not self.method.is_static:
            if not names:
                self.refuse(self.method.node, f"{self.method.name} takes no self")
            self.locals[names.pop(0)] = Part("self")
        if len(arguments) > len(names):
            self.refuse(self.method.node, f"{self.method.name} takes {len(names)} arguments, was called with more")
        defaults = dict(zip(names[len(names) - len(args.defaults) :], args.defaults, strict=True))
        names += [each.arg for each in args.kwonlyargs]
        defaults |= {
            each.arg: value for each, value in zip(args.kwonlyargs, args.kw_defaults, strict=True) if value is not None
        }
        given = dict(zip(names, arguments, strict=False)) | keywords
        for key in given:
            if key not in names:
                self.refuse(self.method.node, f"{self.method.name} has no parameter {key!r}")
        for key in names:
            if key not in given and key not in defaults:
                self.refuse(self.method.node, f"{self.method.name} was called without {key!r}")
        # The order of the arguments in the call: as given, positional first.
        for key, value in given.items():
            if isinstance(value, Number | Text) and value.constant is None:
                self.parameters.append(local_name(key))
                here = name(local_name(key))
                value = Text(here) if isinstance(value, Text) else Number(here, value.type, value.numpy)
            self.locals[key] = value
        for key in names:
            if key not in given:
                self.locals[key] = self.lower(defaults[key])

    # --- functions ----------------------------------------------------------------------------------------------
    def lower_into(self, lowered: Lowered) -> None:
        """Lower the whole method into `lowered`."""
        tree = self.chosen_by_config()
        if tree is not None:
            lowered.inline, lowered.result = True, tree
            return
        self.drop_rebound(self.method.node.body)
        ends = self.block(self.method.node.body)
        body = self.out
        result = self.result(ends)
        if self.is_inline(result, body):
            assert result is not None
            lowered.inline = True
            lowered.result = _constant_of(result)
            return
        if isinstance(result, Const | Config) and (text := self.program.text(result)) is not None:
            result = Text(text.node)
        if isinstance(result, Const):
            result = None if result.value is None else self.program.materialise(result)
        if isinstance(result, Group):
            result = replace(result, items=tuple(self.as_number(each, self.method.node) for each in result.items))
        elif result is not None and not isinstance(result, Text):
            result = self.as_number(result, self.method.node)
        lowered.result = result
        if self.is_expression(body) and not self.method.is_cached:
            returned = self.returns[0]
            items = returned.items if isinstance(returned, Group) else (returned,)
            numbers = tuple(self.as_number(each, self.method.node) for each in items)
            lowered.inline = True
            lowered.result = replace(returned, items=numbers) if isinstance(returned, Group) else numbers[0]
            return
        if isinstance(result, Text):
            body = [_NoneIsZero("int").visit(each) for each in body]
        if isinstance(result, Number):
            # A condition may return None, by falling off the end too; it counts as False.
            body = [_NoneIsZero(result.type).visit(each) for each in body]
            if not ends:
                body = [*body, ast.Return(_zero(result.type))]
        if self.method.is_cached and result is not None:
            body = self.cached(lowered, result, body)
        lowered.node = _function(lowered.name, [*COMMON, *self.parameters], body, self.method)

    def chosen_by_config(self) -> Value | None:
        """Return what the method is for each parameter set, if only the configuration decides that; else None."""
        body = self.method.node.body
        if self.method.is_cached or self.method.name in api.HOOKS or not any(isinstance(each, ast.If) for each in body):
            return None
        before = dict(self.locals), list(self.out), self.impure, self.temporaries
        try:
            return self.config_tree(body)
        except CompileError:
            return None
        finally:
            self.locals, self.out, self.impure, self.temporaries = before

    def is_inline(self, result: Value | None, body: list[ast.stmt]) -> bool:
        """Tell whether a call is its value itself: nothing happens in the method, and it is known as a whole."""
        if self.impure or len(self.returns) != 1 or result is None:
            return False
        if any(isinstance(each, ast.If | ast.For | ast.While | ast.Expr) for each in body):
            return False
        return not self.needs_code(result) and not (
            isinstance(result, Const) and result.value is None and self.method.name in api.HOOKS
        )

    def is_expression(self, body: list[ast.stmt]) -> bool:
        """Tell whether the method only returns an expression, which then stands for the call."""
        return (
            len(body) == 1
            and len(self.returns) == 1
            and not self.parameters
            and isinstance(body[0], ast.Return)
            and body[0].value is not None
        )

    def needs_code(self, value: Value) -> bool:
        """Tell whether a value refers to the method's own names."""
        if isinstance(value, Group):
            return any(self.needs_code(each) for each in value.items)
        if isinstance(value, Number | Text):
            return value.constant is None
        return False

    def result(self, ends: bool) -> Value | None:
        """Return what all return statements have in common."""
        values = [each for i, each in enumerate(self.returns) if i not in self.failing]
        if not values:
            return None
        plain = [each for each in values if not (isinstance(each, Const) and each.value is None)]
        if not plain:
            return None
        if len(values) == 1 and ends:
            return values[0]
        if all(self.program.text(each) is not None for each in plain) and len(plain) == len(values) and ends:
            return Text(name("CALL"))
        if all(isinstance(each, Const | Config | Number) for each in plain):
            numbers = [self.as_number(each, self.method.node) for each in plain]
            type_, numpy = numbers[0].type, numbers[0].numpy
            for each in numbers:
                type_, numpy = join_types(type_, each.type), join_numpy(numpy, each.numpy)
            if (len(plain) < len(values) or not ends) and type_ != "bool":
                self.refuse(
                    self.method.node, f"{self.method.name} returns a number or None; return a number on each path"
                )
            return Number(name("CALL"), type_, numpy)
        sizes = {len(each.items) if isinstance(each, Group) else -1 for each in plain}
        if len(sizes) == 1 and -1 not in sizes and len(plain) == len(values) and ends:
            groups = [each for each in plain if isinstance(each, Group)]
            items = []
            for column in zip(*(each.items for each in groups), strict=True):
                numbers = [self.as_number(each, self.method.node) for each in column]
                type_, numpy = numbers[0].type, numbers[0].numpy
                for number in numbers:
                    type_, numpy = join_types(type_, number.type), join_numpy(numpy, number.numpy)
                items.append(Number(name("CALL"), type_, numpy))
            return Group(tuple(items))
        self.refuse(
            self.method.node,
            f"{self.method.name} returns different things on different paths; return a number on each, or one series",
        )

    def cached(self, lowered: Lowered, result: Value, body: list[ast.stmt]) -> list[ast.stmt]:
        """Wrap a @cached method: Jesse keeps its first value until the bar has been executed (specification 2.8)."""
        if not isinstance(result, Number) or self.parameters:
            self.refuse(self.method.node, "@cached is compiled for methods without arguments that return one number")
        inner = f"{lowered.name}__body"
        # Both contexts share the value: that is the leak that Jesse has.
        key = f"cached_{self.method.name}"
        self.program.cached_fields[key] = join_types(self.program.cached_fields.get(key, "bool"), result.type)
        self.program.functions[lowered.name, "body"] = Lowered(
            inner, _function(inner, list(COMMON), body, self.method), result
        )
        call = f"{inner}({', '.join(COMMON)})"
        return ast.parse(f"if not v.{key}_set:\n    v.{key} = {call}\n    v.{key}_set = True\nreturn v.{key}").body

    def drop_rebound(self, body: list[ast.stmt]) -> None:
        """Note the names that are assigned in a loop: there they are no constants."""
        self.rebound: set[str] = set()
        for each in ast.walk(ast.Module(body, [])):
            if isinstance(each, ast.While) or (isinstance(each, ast.For) and _is_range(each.iter)):
                for inner in ast.walk(each):
                    if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                        self.rebound.add(inner.id)
        kinds: dict[str, set[bool]] = {}
        for each in ast.walk(ast.Module(body, [])):
            for target in _names_assigned(each):
                value_node = getattr(each, "value", None)
                is_none = isinstance(value_node, ast.Constant) and value_node.value is None
                kinds.setdefault(target.id, set()).add(is_none)
        #: The names that hold None in one place and something else in another.
        self.nullable = {key for key, found in kinds.items() if len(found) == 2}
        self.nullable |= {key for method, key in self.program.nullable_types if method == id(self.method.node)}
        for key in self.rebound & set(self.locals):
            value = self.locals[key]
            number = self.program.materialise(value) if isinstance(value, Const | Config | Number) else None
            if number is not None and number.constant is not None:
                self.out.append(ast.Assign([ast.Name(local_name(key), ast.Store())], number.node))
                self.locals[key] = Number(name(local_name(key)), number.type, number.numpy)

    # --- statements ---------------------------------------------------------------------------------------------
    def block(self, body: list[ast.stmt]) -> bool:
        """Lower statements; return True if control never reaches the end."""
        for each in body:
            handler = getattr(self, f"statement_{type(each).__name__}", None)
            if handler is None:
                what = {
                    "Try": "try/except",
                    "TryStar": "try/except",
                    "With": "with",
                    "FunctionDef": "a function inside a method",
                    "ClassDef": "a class inside a method",
                    "Import": "an import inside a method",
                    "ImportFrom": "an import inside a method",
                    "Delete": "del",
                    "Match": "match",
                    "Global": "global",
                    "Nonlocal": "nonlocal",
                }.get(type(each).__name__, type(each).__name__)
                self.refuse(each, f'{what} is not compiled; use mode="interpreted", or write it without')
            if handler(each):
                return True
        return False

    def statement_Pass(self, node: ast.Pass) -> bool:
        return False

    def statement_Expr(self, node: ast.Expr) -> bool:
        if isinstance(node.value, ast.Constant):
            return False
        if isinstance(node.value, ast.Call) and self.is_dropped(node.value):
            return False
        value = self.lower(node.value)
        if isinstance(value, Number) and any(isinstance(each, ast.Call) for each in ast.walk(value.node)):
            self.out.append(ast.Expr(value.node))
        self.impure = True
        return False

    def is_dropped(self, node: ast.Call) -> bool:
        """Tell whether a call has no effect on trades: logging and charts."""
        function = node.func
        if isinstance(function, ast.Name):
            return function.id == "print"
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            owner = self.locals.get(function.value.id)
            if isinstance(owner, Part) and owner.name == "self" and function.attr in api.DROPPED:
                self.check_dropped(node)
                return True
        return False

    def check_dropped(self, node: ast.Call) -> None:
        """Refuse arguments for which Jesse's logging and charts raise a ValueError."""
        wanted = {"line_style": ("solid", "dotted"), "log_type": ("info", "error")}
        for each in node.args:
            if isinstance(each, ast.List | ast.Tuple | ast.Dict | ast.Set):
                self.refuse(each, "a chart takes a number; Jesse raises ValueError here")
        for keyword in node.keywords:
            if keyword.arg in wanted and isinstance(keyword.value, ast.Constant):
                if keyword.value.value not in wanted[keyword.arg]:
                    known = " or ".join(map(repr, wanted[keyword.arg]))
                    self.refuse(keyword.value, f"{keyword.arg} is {known}; Jesse raises ValueError here")

    def statement_Return(self, node: ast.Return) -> bool:
        value: Value = Const(None) if node.value is None else self.lower(node.value)
        self.returns.append(value)
        if isinstance(value, Const) and value.value is None:
            # A procedure returns nothing; a predicate that returns None on one path returns False.
            self.out.append(ast.Return(None))
            return True
        if isinstance(value, Group):
            numbers = [self.program.materialise(each) for each in value.items]
            if all(each is not None for each in numbers):
                nodes = [self.as_number(each, node).node for each in value.items]
                self.out.append(ast.Return(ast.Tuple(nodes, ast.Load())))
            return True
        text = self.program.text(value)
        if text is not None:
            self.out.append(ast.Return(text.node))
            return True
        number = self.program.materialise(value)
        if number is not None:
            self.out.append(ast.Return(self.as_number(value, node).node))
        return True

    def statement_Raise(self, node: ast.Raise) -> bool:
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        value = self.lower(raised) if raised is not None else Const(None)
        name_of = getattr(value.value, "__name__", "") if isinstance(value, Const) else ""
        codes = {each.jesse_exception: int(each) for each in Status if each.jesse_exception}
        if name_of not in codes:
            self.refuse(node, f"raising this is not compiled; {', '.join(codes)} are")
        self.fail(codes[name_of])
        return True

    def statement_Assert(self, node: ast.Assert) -> bool:
        test = self.truth(node.test)
        if test is not True:
            before = self.out
            self.out = []
            self.fail(int(Status.ASSERTION_ERROR))
            failing, self.out = self.out, before
            code = ast.Constant(test) if isinstance(test, bool) else test
            self.out.append(ast.If(ast.UnaryOp(ast.Not(), code), failing, []))
        return False

    def fail(self, status: int) -> None:
        """End the run; what is returned then is never used."""
        self.impure = True
        self.out.append(ast.Expr(parse(f"_fail(s, {status})")))
        self.returns.append(Const(None))
        self.failing.append(len(self.returns) - 1)
        self.out.append(ast.Return(None))

    def statement_Assign(self, node: ast.Assign) -> bool:
        value = self.lower(node.value)
        for target in node.targets:
            self.assign(target, value, node)
        return False

    def statement_AnnAssign(self, node: ast.AnnAssign) -> bool:
        if node.value is not None:
            self.assign(node.target, self.lower(node.value), node)
        return False

    def statement_AugAssign(self, node: ast.AugAssign) -> bool:
        target = node.target
        load = ast.copy_location(ast.parse(ast.unparse(target), mode="eval").body, target)
        for each in ast.walk(load):
            ast.copy_location(each, target)
        operation = ast.copy_location(ast.BinOp(load, node.op, node.value), node)
        self.assign(target, self.lower(operation), node)
        return False

    def assign(self, target: ast.expr, value: Value, node: ast.stmt) -> None:
        """Assign a value to a name, a tuple of names, an attribute or a variable."""
        match target:
            case ast.Name(key):
                self.assign_local(key, value)
            case ast.Tuple(elts) | ast.List(elts):
                if isinstance(value, Const) and isinstance(value.value, tuple | list):
                    value = Group(tuple(Const(each) for each in value.value))
                if isinstance(value, Series) and value.size == len(elts):
                    value = Group(tuple(value.at(Const(i)) for i in range(len(elts))))
                if not isinstance(value, Group) or len(value.items) != len(elts):
                    self.refuse(node, f"{self.describe(value)} cannot be unpacked into {len(elts)} names")
                settled = self.settle_group(value)
                for each, item in zip(elts, settled.items, strict=True):
                    self.assign(each, item, node)
            case ast.Attribute(ast.Name(owner), key) if self.is_self(owner):
                self.assign_attribute(key, value, target)
            case ast.Subscript(ast.Attribute(ast.Name(owner), "shared_vars"), ast.Constant(str(key))) if self.is_self(
                owner
            ):
                self.store_shared(key, value, target)
            case ast.Subscript(ast.Attribute(ast.Name(owner), "vars"), ast.Constant(str(key))) if self.is_self(owner):
                self.store("vars", key, value, target)
            case _:
                self.refuse(target, "an assignment to this is not compiled; assign to a name, self.x or self.vars['x']")

    def is_self(self, key: str) -> bool:
        """Tell whether a name is the strategy itself."""
        value = self.locals.get(key)
        return isinstance(value, Part) and value.name == "self"

    def settle_group(self, value: Group) -> Group:
        """Fix the numbers of a tuple now."""
        return replace(value, items=tuple(map(self.settle, value.items)))

    def settle(self, value: Value) -> Value:
        """Fix a number now, None included."""
        if not isinstance(value, Number):
            return value
        if value.none is None:
            return self.settled(value)
        return replace(value, node=self.temporary(value.node), none=self.temporary(value.none))

    def assign_local(self, key: str, value: Value) -> None:
        """Assign to a local variable."""
        if self.program.stages is not None:
            stage = stage_of(value, self.stages, is_fill=self.context == "fill") or "config"
            self.stages[local_name(key)] = latest([stage, self.stages.get(local_name(key))])
        number = self.program.materialise(value) if isinstance(value, Const | Config | Number) else None
        text = self.program.text(value)
        if key in self.nullable and (number is not None or (isinstance(value, Const) and value.value is None)):
            self.assign_nullable(key, number)
            return
        if text is not None and text.none is None:
            self.out.append(ast.Assign([ast.Name(local_name(key), ast.Store())], text.node))
            self.locals[key] = Text(name(local_name(key)), None, text.constant if key not in self.rebound else None)
            return
        if number is None:
            if isinstance(value, Group):
                value = self.settle_group(value)
            self.locals[key] = value
            return
        target = ast.Name(local_name(key), ast.Store())
        self.out.append(ast.Assign([target], number.node))
        none = number.none
        if none is not None:
            flag = ast.Name(f"{local_name(key)}_none", ast.Store())
            self.out.append(ast.Assign([flag], none))
            none = name(flag.id)
        constant = number.constant if key not in self.rebound else None
        self.locals[key] = Number(name(local_name(key)), number.type, number.numpy, none, constant)

    def assign_nullable(self, key: str, number: Number | None) -> None:
        """Assign a number or None to a local variable that holds both in its time."""
        types = self.program.nullable_types
        where = (id(self.method.node), key)
        known = types.get(where, "bool")
        if number is not None and join_types(known, number.type) != known:
            known = types[where] = join_types(known, number.type)
            self.program.changed = True
        code = _zero(known) if number is None else number.node
        none = ast.Constant(True) if number is None else number.none or ast.Constant(False)
        flag = f"{local_name(key)}_none"
        for target, value in ((local_name(key), code), (flag, none)):
            self.out.append(ast.Assign([ast.Name(target, ast.Store())], value))
        numpy = None if number is None else number.numpy
        self.locals[key] = Number(name(local_name(key)), known, numpy, name(flag))

    def assign_attribute(self, key: str, value: Value, target: ast.expr) -> None:
        """Assign to an attribute of self."""
        if key in api.ORDER_ATTRIBUTES:
            self.assign_orders(key, value, target)
        else:
            self.store("self", key, value, target)

    def store(self, space: str, key: str, value: Value, target: ast.expr) -> None:
        """Assign to a variable of the strategy."""
        self.impure = True
        if space == "self" and (key in api.SELF or key in api.CONFIG or key in api.CONSTANT or key in ("hp", "vars")):
            self.refuse(target, f"self.{key} belongs to Jesse; give your own variable another name")
        variable = self.program.state_field(space, key)
        field = f"v.{variable.field}"
        is_none = isinstance(value, Const) and value.value is None
        number = None if is_none else self.program.materialise(value)
        text = self.program.text(value)
        if text is not None:
            number = Number(text.node, "int", False, text.none)
        if variable.type not in (None, "text") and text is not None:
            self.refuse(target, f"{key} is a number elsewhere and a string here; use two variables")
        if variable.type == "text" and number is not None and text is None:
            self.refuse(target, f"{key} is a string elsewhere and a number here; use two variables")
        if not is_none and number is None:
            self.refuse(target, f"{self.describe(value)} cannot be kept in a compiled strategy; keep numbers")
        may_be_none = is_none or (number is not None and number.none is not None)
        if may_be_none and not variable.nullable:
            variable.nullable = True
            self.program.changed = True
        if number is not None:
            self.program.widen(variable, number.type if text is None else "text")
            self.out.append(ast.Assign([_store(field)], number.node))
        if variable.nullable:
            none = ast.Constant(True) if number is None else number.none or ast.Constant(False)
            self.out.append(ast.Assign([_store(f"{field}_none")], none))
        if not variable.is_set:
            self.out.append(ast.Assign([_store(f"{field}_set")], ast.Constant(True)))

    def assign_orders(self, key: str, value: Value, target: ast.expr) -> None:
        """Assign to buy, sell, stop_loss or take_profit."""
        self.impure = True
        if isinstance(value, Const) and value.value is None:
            self.out.append(ast.Assign([_store(f"s.{key}_n")], parse("-1")))
            return
        if not isinstance(value, Group):
            self.refuse(target, f"self.{key} must be (quantity, price) or a list of them, was {self.describe(value)}")
        pairs = value.items if value.items and isinstance(value.items[0], Group) else (value,)
        if not value.items:
            pairs = ()
        nodes: list[tuple[ast.expr, ast.expr]] = []
        for pair in pairs:
            if not isinstance(pair, Group) or len(pair.items) != 2:
                self.refuse(target, f"self.{key} must be (quantity, price) or a list of them")
            qty, price = (self.as_number(each, target) for each in pair.items)
            nodes.append((self.temporary(qty.node), self.temporary(price.node)))
        self.program.points = max(self.program.points, len(nodes))
        self.out.append(ast.Assign([_store(f"s.{key}_n")], ast.Constant(len(nodes))))
        for i, (qty_node, price_node) in enumerate(nodes):
            self.out.append(ast.Assign([_store(f"s.{key}[{i}, 0]")], qty_node))
            self.out.append(ast.Assign([_store(f"s.{key}[{i}, 1]")], price_node))

    # --- control ------------------------------------------------------------------------------------------------
    def branch(self, body: list[ast.stmt], known: dict[str, Value]) -> tuple[list[ast.stmt], dict[str, Value], bool]:
        """Lower a branch on its own."""
        outer, self.out, self.locals = self.out, [], dict(known)
        ends = self.block(body)
        lowered, self.out = self.out, outer
        return lowered or [ast.Pass()], self.locals, ends

    def statement_If(self, node: ast.If) -> bool:
        test = self.truth(node.test)
        if isinstance(test, bool):
            return self.block(node.body if test else node.orelse)
        known = self.config_test(node.test)
        before = dict(self.locals)
        body, after_body, body_ends = self.branch(node.body, before)
        other, after_other, other_ends = self.branch(node.orelse, before) if node.orelse else ([], before, False)
        self.out.append(ast.If(test, body, other if node.orelse else []))
        if body_ends and other_ends:
            return True
        merged = {} if body_ends or other_ends else self.merge(after_body, after_other, known)
        self.locals = after_other if body_ends else after_body if other_ends else merged
        return False

    def merge(
        self, first: dict[str, Value], second: dict[str, Value], test: Const | Config | None = None
    ) -> dict[str, Value]:
        """Return what is known of the local variables after either of two paths; `test` chooses, if it is known."""
        merged: dict[str, Value] = {}
        for key in first.keys() | second.keys():
            a, b = first.get(key), second.get(key)
            if a is b or a == b:
                merged[key] = a if a is not None else Conflict("nothing")
            elif test is not None and (found := self.chosen_local(test, a, b)) is not None:
                merged[key] = found
            elif isinstance(a, Number) and isinstance(b, Number):
                none = a.none if a.none is not None else b.none
                if (a.none is None) != (b.none is None):
                    # From the next round on, the name says everywhere whether it is None.
                    self.program.nullable_types.setdefault((id(self.method.node), key), "bool")
                    self.program.changed = True
                merged[key] = Number(a.node, join_types(a.type, b.type), join_numpy(a.numpy, b.numpy), none)
            elif isinstance(a, Text) and isinstance(b, Text) and a.none is None and b.none is None:
                merged[key] = Text(a.node)
            elif a is None or b is None:
                present = a if a is not None else b
                assert present is not None
                merged[key] = present if isinstance(present, Number | Text) else Conflict("something on one path only")
            else:
                merged[key] = Conflict(f"{self.describe(a)} on one path and {self.describe(b)} on another")
        return merged

    def chosen_local(self, test: Const | Config, a: Value | None, b: Value | None) -> Value | None:
        """Return a local variable that the configuration chose, or None."""
        if a is None or b is None:
            return None
        found = self.choose(test, a, b)
        if not isinstance(found, Const | Config):
            return found
        if isinstance(a, Number) and isinstance(b, Number) and a.none is None and b.none is None:
            return Number(a.node, join_types(a.type, b.type), join_numpy(a.numpy, b.numpy), None, found)
        if isinstance(a, Text) and isinstance(b, Text) and a.none is None and b.none is None:
            return Text(a.node, None, found)
        return None

    def statement_While(self, node: ast.While) -> bool:
        if node.orelse:
            self.refuse(node, "else after a loop is not compiled")
        emitted, test = self.captured(lambda: self.truth(node.test))
        code = ast.Constant(test) if isinstance(test, bool) else test
        if emitted:
            # What the condition needs is computed before each round.
            leave = ast.If(ast.UnaryOp(ast.Not(), code), [ast.Break()], [])
            self.loop(lambda body: ast.While(ast.Constant(True), [*emitted, leave, *body], []), node.body)
        else:
            self.loop(lambda body: ast.While(code, body, []), node.body)
        return False

    def statement_For(self, node: ast.For) -> bool:
        if node.orelse:
            self.refuse(node, "else after a loop is not compiled")
        call = node.iter
        if not _is_range(call):
            return self.unrolled(node)
        assert isinstance(call, ast.Call)
        if not isinstance(node.target, ast.Name):
            self.refuse(node.target, "the target of a loop must be one name")
        bounds = [self.number(each) for each in call.args]
        key = node.target.id
        self.locals[key] = Number(name(local_name(key)), "int", False)
        iterable = ast.Call(name("range"), [each.node for each in bounds], [])
        target = ast.Name(local_name(key), ast.Store())
        self.loop(lambda body: ast.For(target, iterable, body, []), node.body)
        return False

    def unrolled(self, node: ast.For) -> bool:
        """Lower a loop over a tuple or list that is known item by item: its body once for each."""
        value = self.lower(node.iter)
        if isinstance(value, Const) and isinstance(value.value, tuple | list):
            value = Group(tuple(Const(each) for each in value.value))
        if not isinstance(value, Group):
            self.refuse(node.iter, "for is compiled over range(...) and over tuples and lists written out")
        if any(isinstance(each, ast.Break | ast.Continue) for each in ast.walk(node)):
            self.refuse(node, "break and continue are not compiled in a loop over a tuple or list; use range(...)")
        for item in value.items:
            if isinstance(node.target, ast.Name) and isinstance(item, Const):
                self.locals[node.target.id] = item
            else:
                self.assign(node.target, item, node)
            if self.block(node.body):
                return True
        return False

    def loop(self, make: object, body: list[ast.stmt]) -> None:
        """Lower a loop body until the types of its variables are stable."""
        assert callable(make)
        known = dict(self.locals)
        outer = self.breaks, self.continues
        for _ in range(4):
            before = dict(known)
            count = len(self.returns)
            self.breaks, self.continues = [], []
            lowered, after, _ = self.branch(body, before)
            known = self.merge(before, after)
            for each in self.continues:
                known = self.merge(known, each)
            if known == before:
                break
            del self.returns[count:]
        for each in self.breaks:
            known = self.merge(known, each)
        self.breaks, self.continues = outer
        self.locals = known
        self.out.append(make(lowered))

    def statement_Break(self, node: ast.Break) -> bool:
        self.out.append(ast.Break())
        self.breaks.append(dict(self.locals))
        return True

    def statement_Continue(self, node: ast.Continue) -> bool:
        self.out.append(ast.Continue())
        self.continues.append(dict(self.locals))
        return True


class _NoneIsZero(ast.NodeTransformer):
    """Let every return statement return a number."""

    def __init__(self, type_: str) -> None:
        self.type = type_

    def visit_Return(self, node: ast.Return) -> ast.Return:
        return ast.Return(_zero(self.type)) if node.value is None else node


def _constant_of(value: Value) -> Value:
    """Return the config-stage value behind a name."""
    if isinstance(value, Number | Text) and value.constant is not None:
        return value.constant
    if isinstance(value, Group):
        return replace(value, items=tuple(map(_constant_of, value.items)))
    return value


def _is_range(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"


def _names_assigned(node: ast.AST) -> list[ast.Name]:
    """Return the plain names that a statement assigns its whole value to."""
    if isinstance(node, ast.Assign):
        return [each for each in node.targets if isinstance(each, ast.Name)]
    if isinstance(node, ast.AnnAssign | ast.AugAssign) and isinstance(node.target, ast.Name):
        return [node.target]
    return []


def _store(text: str) -> ast.expr:
    target = ast.parse(f"{text} = 0").body[0]
    assert isinstance(target, ast.Assign)
    return target.targets[0]


def _zero(type_: str) -> ast.expr:
    return ast.Constant({"bool": False, "int": 0, "float": 0.0}[type_])


def _function(key: str, parameters: list[str], body: list[ast.stmt], method: Method) -> ast.FunctionDef:
    """Return a decorated function definition that says where it comes from."""
    doc = ast.Expr(ast.Constant(f"{method.file.name}:{method.node.lineno} {method.name}"))
    if body and isinstance(body[-1], ast.Return) and body[-1].value is None:
        body = body[:-1]
    return ast.FunctionDef(
        name=key,
        args=ast.arguments([], [ast.arg(each) for each in parameters], None, [], [], None, []),
        body=[doc, *body],
        decorator_list=[name("inner")],
        returns=None,
        type_params=[],  # type: ignore[call-arg,unused-ignore]
    )
