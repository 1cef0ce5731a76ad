"""Lower whole methods, and the statements that are left."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fastbt.compiler import api
from fastbt.compiler.assignments import COMMON, local_name
from fastbt.compiler.cells import Cell, UnfitError, as_group, fit, fit_cell, is_none, none_code, zero
from fastbt.compiler.control import ControlLowerer
from fastbt.compiler.expressions import return_paths
from fastbt.compiler.load import Method
from fastbt.compiler.lower import Lowered, Program
from fastbt.compiler.values import (
    Candles,
    Config,
    Conflict,
    Const,
    Group,
    Listing,
    Moment,
    Number,
    Part,
    Series,
    Text,
    Value,
    Window,
    name,
    parse,
)
from fastbt.errors import CompileError, FastbtError
from fastbt.types import Status


class FunctionLowerer(ControlLowerer):
    """Lower one method for one context and one kind of arguments."""

    def __init__(
        self,
        program: Program,
        method: Method,
        context: str,
        *,
        guarded: bool = False,
        forms: tuple[tuple[str, Any], ...] = (),
        is_condition: bool = False,
    ) -> None:
        super().__init__(program, method, context)
        self.returns: list[Value] = []
        #: Which of them are never used, as the run has failed.
        self.failing: list[int] = []
        #: What is known of the local variables where the loop at hand is left, and where its next round begins.
        self.breaks: list[dict[str, Value]] = []
        self.continues: list[dict[str, Value]] = []
        self.frames = []
        self.snapshots = []
        self.caught_status = []
        self.waiting: dict[str, ast.Return] = {}
        self.is_callee_guarded = self.guarded = guarded
        self.is_condition = is_condition
        self.parameters: list[str] = []
        self.parameter_names: set[str] = set()
        self.shared: set[str] = set()
        self.escaping: set[int] = set()
        self.changed_names: set[str] = set()
        self.nullable: set[str] = set()
        #: Every statement that returns.
        self.return_nodes: list[Any] = []
        for key, _ in forms:
            self.locals[f"self.{key}"] = Conflict("orders that the caller assigned")
        self.scan(method.node)

    def scan(self, node: ast.FunctionDef) -> None:
        """Note the names of lists that the method changes, and the names that hold None at times."""
        from fastbt.compiler.lower import MUTATORS

        kinds: dict[str, set[bool]] = {}
        for each in ast.walk(ast.Module(node.body, [])):
            match each:
                case ast.Call(ast.Attribute(ast.Name(key), attribute)) if attribute in MUTATORS:
                    self.changed_names.add(key)
                case ast.Subscript(ast.Name(key), _, ast.Store() | ast.Del()):
                    self.changed_names.add(key)
                case ast.AugAssign(ast.Name(key), ast.Add(), ast.List() | ast.ListComp()):
                    self.changed_names.add(key)
            for target in _names_assigned(each):
                value_node = getattr(each, "value", None)
                none = isinstance(value_node, ast.Constant) and value_node.value is None
                kinds.setdefault(target.id, set()).add(none)
        self.escaping = set(_escaping(node))
        self.nullable = {key for key, found in kinds.items() if len(found) == 2}
        self.nullable |= {key for method, key in self.program.nullable_types if method == id(node)}
        self.assigned_names = set(kinds)

    def bind_parameters(self, arguments: tuple[Value, ...], keywords: dict[str, Value]) -> None:
        """Bind the method's parameters to what it is called with."""
        args = self.method.node.args
        names = [each.arg for each in [*args.posonlyargs, *args.args]]
        if not self.method.is_static and not self.method.is_class:
            if not names:
                self.refuse(self.method.node, f"{self.method.name} takes no self")
            self.locals[names.pop(0)] = Part("self")
        if args.vararg:
            rest = arguments[len(names) :]
            arguments = arguments[: len(names)]
            self.bind_parameter(args.vararg.arg, Group(rest))
        if len(arguments) > len(names):
            self.refuse(self.method.node, f"{self.method.name} takes {len(names)} arguments, was called with more")
        defaults = dict(zip(names[len(names) - len(args.defaults) :], args.defaults, strict=True))
        names += [each.arg for each in args.kwonlyargs]
        defaults |= {
            each.arg: value for each, value in zip(args.kwonlyargs, args.kw_defaults, strict=True) if value is not None
        }
        if args.kwarg:
            more = {key: value for key, value in keywords.items() if key not in names}
            keywords = {key: value for key, value in keywords.items() if key in names}
        given = dict(zip(names, arguments, strict=False)) | keywords
        for key in given:
            if key not in names:
                self.refuse(self.method.node, f"{self.method.name} has no parameter {key!r}")
        for key in names:
            if key not in given and key not in defaults:
                self.refuse(self.method.node, f"{self.method.name} was called without {key!r}")
        # The order of the arguments in the call: as given, positional first.
        for key, value in given.items():
            self.bind_parameter(key, value)
        if args.kwarg:
            self.bind_parameter(args.kwarg.arg, Group(tuple(more.values()), keys=tuple(more)))
        for key in names:
            if key not in given:
                self.locals[key] = self.lower(defaults[key])
        for key in [*given, *defaults]:
            held = self.locals.get(key)
            if key in self.assigned_names and held is not None:
                # The name is assigned in the method: from its beginning it is a variable.
                if key in self.nullable or isinstance(held, Const | Config):
                    self.assign_local(key, held)
                elif isinstance(held, Number | Text) and held.constant is not None:
                    self.assign_local(key, held)

    def bind_parameter(self, key: str, value: Value) -> None:
        """Bind one parameter: its numbers are arguments of the generated function."""
        self.parameter_names.add(key)
        self.locals[key] = self.passed(local_name(key), value)

    def passed(self, key: str, value: Value) -> Value:
        """Return a value as the callee sees it."""
        if isinstance(value, Group):
            none = self.parameter(f"{key}_none") if value.none is not None else None
            items = tuple(self.passed(f"{key}__{i}", each) for i, each in enumerate(value.items))
            return replace(value, items=items, none=none)
        if isinstance(value, Number | Text | Moment) and getattr(value, "constant", None) is None:
            node = self.parameter(key)
            none = self.parameter(f"{key}_none") if value.none is not None else None
            return replace(value, node=node, none=none)
        if isinstance(value, Listing) and value.none is not None:
            return replace(value, none=self.parameter(f"{key}_none"))
        if isinstance(value, Number | Text) and value.constant is not None:
            return value.constant  # its name is the caller's
        return value

    def parameter(self, key: str) -> ast.expr:
        """Return a new parameter of the generated function."""
        self.parameters.append(key)
        return name(key)

    # --- functions ----------------------------------------------------------------------------------------------
    def lower_into(self, lowered: Lowered) -> None:
        """Lower the whole method into `lowered`."""
        self.function_name = f"l_{lowered.name}"
        tree = self.chosen_by_config()
        if tree is not None:
            lowered.inline, lowered.result = True, tree
            return
        ends = self.block(self.method.node.body)
        body = self.out
        lowered.assigns = set(self.ever_assigned)
        values = [each for i, each in enumerate(self.returns) if i not in self.failing]
        plain = [each for each in values if not is_none(each)]
        if len(values) == 1 and ends and plain and self.is_inline(plain[0], body):
            lowered.inline = True
            lowered.result = _constant_of(plain[0])
            return
        lowered.own = {path for path in self.program.local_cells if path.startswith(f"{self.function_name}_")}
        if self.is_callee_guarded:
            body = [ast.If(parse("s.status != 0"), [ast.Return(None)], []), *body]
        if not plain:
            self.finish_returns(body, None)
            lowered.node = _function(lowered.name, [*COMMON, *self.parameters], body, self.method)
            return
        lists = {id(each.cell): each for each in plain if isinstance(each, Listing)}
        groups = [each for each in map(as_group, plain) if isinstance(each, Group) and each.is_list]
        if lists or (len(groups) == len(plain) and len({len(each.items) for each in groups}) > 1):
            if (
                len(lists) != 1
                or len(plain) != len(values)
                or not all(isinstance(each, Listing) for each in plain)
                or not ends
            ):
                self.join_lists(lowered, plain, values, ends)
            else:
                lowered.result = replace(next(iter(lists.values())), none=None)
            self.finish_returns(body, None)
            lowered.node = _function(lowered.name, [*COMMON, *self.parameters], body, self.method)
            return
        if not self.method.is_cached:
            values = self.take_parts(lowered, values, ends)
            plain = [each for each in values if not is_none(each)]
        cell = self.result_cell(values, ends)
        if self.method.is_cached:
            if self.parameters:
                self.refuse(self.method.node, "@cached is compiled for methods without arguments that change")
            cell = self.shared_cell(cell)
        if self.is_expression(body, cell):
            result = plain[0]
            lowered.inline = True
            lowered.result = result
            return
        self.finish_returns(body, cell)
        if not ends:
            body = [*body, self.return_of(Const(None), cell)]
        lowered.cell = cell
        lowered.result = self.result_of(cell, name("CALL")) if len(return_paths(cell)) == 1 else None
        if self.method.is_cached:
            body = self.cached(lowered, cell, body)
        lowered.node = _function(lowered.name, [*COMMON, *self.parameters], body, self.method)

    def chosen_by_config(self) -> Value | None:
        """Return what the method is for each parameter set, if only the configuration decides that; else None."""
        body = self.method.node.body
        if self.method.is_cached or self.method.name in api.HOOKS or not any(isinstance(each, ast.If) for each in body):
            return None
        before = dict(self.locals), list(self.out), self.impure, self.temporaries, self.lists
        try:
            return self.config_tree(body)
        except CompileError:
            return None
        finally:
            self.locals, self.out, self.impure, self.temporaries, self.lists = before

    def join_lists(self, lowered: Lowered, plain: list[Value], values: list[Value], ends: bool) -> None:
        """Let a function that returns one of several lists return a copy in a list of its own."""
        if len(plain) != len(values) or not ends:
            self.refuse(self.method.node, f"{self.method.name} returns a list or None; return a list on each path")
        cell = self.local_cell("result", temporary=True)
        for each in plain:
            group = as_group(each)
            if not isinstance(group, Listing) and not (isinstance(group, Group) and group.is_list):
                self.refuse(self.method.node, self.different())
            self.fit(cell, group, self.method.node)
        for node in self.return_nodes:
            outer, self.out = self.out, []
            self.put(cell, as_group(node.pending))
            node.before = self.out
            self.out = outer
        lowered.result = Listing(cell)

    def take_parts(self, lowered: Lowered, values: list[Value], ends: bool) -> list[Value]:
        """Take the lists, and what is known before the run, out of the one tuple or dict that the method returns.

        What is left in their places is not used: the caller is told what belongs there.
        """
        group = as_group(values[0]) if values else None
        if len(values) != 1 or not ends or not isinstance(group, Group) or group.is_list:
            return values
        before: list[ast.stmt] = []

        def taken(value: Value, place: tuple[int, ...]) -> Value:
            inner = as_group(value)
            if isinstance(inner, Group) and inner.is_list and inner.keys is None and len(inner.items) == 0:
                return value
            if isinstance(inner, Group) and not (inner.is_list and inner.keys is None):
                return replace(inner, items=tuple(taken(each, (*place, i)) for i, each in enumerate(inner.items)))
            is_known = isinstance(value, Candles) and not isinstance(value.tail, Number)
            if is_known or (isinstance(value, Series) and value.pure is not None):
                lowered.parts[place] = value
                return Const(0)
            if isinstance(value, Listing | Window | Series):
                outer, self.out = self.out, before
                held = value if isinstance(value, Listing) else self.array(value, self.method.node)
                cell = self.local_cell(f"part{''.join(f'_{i}' for i in place)}", temporary=True)
                cell.is_array = held.cell.is_array
                cell.capacity = max(cell.capacity, held.cell.capacity)
                self.fit(cell, replace(held, none=None), self.method.node)
                self.put(cell, replace(held, none=None))
                self.out = outer
                lowered.parts[place] = Listing(cell)
                return Const(0)
            return value

        left = taken(group, ())
        for node in self.return_nodes:
            if node.pending is not None and not is_none(node.pending):
                node.before = [*getattr(node, "before", []), *before]
                node.pending = left
        return [left]

    def different(self) -> str:
        """Say that a method returns several kinds of things."""
        return f"{self.method.name} returns different things on different paths; return a number on each, or one series"

    def result_cell(self, values: list[Value], ends: bool) -> Cell:
        """Return the shape of what the method returns on its paths."""
        cell = Cell("result")
        is_truth = all(_is_bool(each) or is_none(each) for each in values)
        try:
            for each in values:
                if is_none(each) and is_truth:
                    continue
                fit(cell, as_group(each), nested=True)
        except UnfitError:
            self.refuse(self.method.node, self.different())
        if not ends and not is_truth:
            cell.nullable = True
        return cell

    def return_of(self, value: Value, cell: Cell | None) -> ast.Return:
        """Return the statement that returns a value in the shape of all."""
        if cell is None:
            return ast.Return(None)
        codes = self.return_codes(value, cell)
        return ast.Return(codes[0] if len(codes) == 1 else ast.Tuple(codes, ast.Load()))

    def return_codes(self, value: Value, cell: Cell) -> list[ast.expr]:
        """Return the parts of a returned tuple."""
        value = as_group(value)
        codes = [none_code(value)] if cell.nullable else []
        if cell.kind == "group":
            items: dict[Any, Value] = {}
            if isinstance(value, Group):
                items = dict(
                    zip(value.keys if value.keys is not None else range(len(value.items)), value.items, strict=True)
                )
            for i, child in enumerate(cell.children):
                key = cell.keys[i] if cell.keys is not None else i
                codes += self.return_codes(items.get(key, Const(None)), child)
            return codes
        if is_none(value):
            return [*codes, zero(cell.type)]
        if getattr(value, "none", None) is not None and not cell.nullable:
            value = self.as_number(value, self.method.node)
        return [*codes, self.leaf_code(value, cell)]

    def finish_returns(self, body: list[ast.stmt], cell: Cell | None) -> None:
        """Let every return statement return a value of the same shape."""

        class Finish(ast.NodeTransformer):
            def visit_Return(_, node: ast.Return) -> Any:  # noqa: N805
                value = getattr(node, "pending", None)
                before = getattr(node, "before", [])
                made = self.return_of(Const(None) if value is None else value, cell)
                return [*before, made]

        whole = Finish().visit(ast.Module(body, []))
        body[:] = whole.body

    def is_inline(self, result: Value, body: list[ast.stmt]) -> bool:
        """Tell whether a call is its value itself: nothing happens in the method, and it is known as a whole."""
        if self.impure:
            return False
        if any(isinstance(each, ast.If | ast.For | ast.While | ast.Expr) for each in body):
            return False
        return not self.needs_code(result) and not (is_none(result) and self.method.name in api.HOOKS)

    def is_expression(self, body: list[ast.stmt], cell: Cell) -> bool:
        """Tell whether the method only returns an expression, which then stands for the call."""
        return (
            len(body) == 1
            and len(self.returns) == 1
            and not self.parameters
            and isinstance(body[0], ast.Return)
            and not self.method.is_cached
            and not cell.nullable
        )

    def needs_code(self, value: Value) -> bool:
        """Tell whether a value refers to the method's own names."""
        if isinstance(value, Group):
            return any(self.needs_code(each) for each in value.items)
        if isinstance(value, Number | Text | Moment):
            return getattr(value, "constant", None) is None
        return isinstance(value, Listing)

    def cached(self, lowered: Lowered, cell: Cell, body: list[ast.stmt]) -> list[ast.stmt]:
        """Wrap a @cached method: Jesse keeps its first value until the bar has been executed (specification 2.8)."""
        inner = f"{lowered.name}__body"
        self.program.functions[lowered.name, "body"] = Lowered(
            inner, _function(inner, list(COMMON), body, self.method), None
        )
        key = cell.path
        target = ", ".join(f"v.{path}" for path in return_paths(cell))
        call = f"{inner}({', '.join(COMMON)})"
        return ast.parse(f"if not v.{key}_set:\n    {target} = {call}\n    v.{key}_set = True\nreturn ({target})").body

    def shared_cell(self, cell: Cell) -> Cell:
        """Return where a @cached method keeps its value. Both contexts share it: that is the leak that Jesse has."""
        key = f"cached_{self.method.name}"
        kept = self.program.cached_cells.setdefault(key, Cell(key))
        if fit_cell(kept, cell):
            self.program.changed = True
        return kept

    # --- statements ---------------------------------------------------------------------------------------------
    def block(self, body: list[ast.stmt]) -> bool:
        """Lower statements; return True if control never reaches the end."""
        for each in body:
            handler = getattr(self, f"statement_{type(each).__name__}", None)
            if handler is None:
                what = {
                    "TryStar": "except*",
                    "With": "with",
                    "ClassDef": "a class inside a method",
                    "Global": "global",
                    "Nonlocal": "nonlocal",
                }.get(type(each).__name__, type(each).__name__)
                self.refuse(each, f'{what} is not compiled; use mode="interpreted", or write it without')
            start, changed = len(self.out), self.program.changed
            outer, self.statement = self.statement, each
            try:
                ends = handler(each)
            except FastbtError:
                raise
            except Exception as error:
                self.refuse_own(each, error)
            self.statement = outer
            if self.program.changed and not changed:
                self.program.unsettled = self, each
            self.guard_from(start)
            if self.snapshots:
                self.snapshots[-1].append(dict(self.locals))
            if ends:
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
            return function.id in ("print", "breakpoint", "ic", "pprint")
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            owner = self.locals.get(function.value.id)
            if isinstance(owner, Part) and owner.name == "self" and function.attr in api.DROPPED:
                if function.attr in self.program.source.methods:
                    return False
                self.check_dropped(node)
                return True
            known = self.method.namespace.get(function.value.id) if owner is None else None
            module = getattr(known, "__name__", "") or ""
            is_logger = type(known).__module__ == "logging" or module in ("logging", "logger", "jesse.services.logger")
            return is_logger and function.attr in api.LOGGING
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
        if isinstance(value, Conflict):
            self.refuse(node, f"what is returned here is {value.reason}")
        if self.is_condition and not is_none(value):
            truth = self.value_truth(value, node)
            value = Const(truth) if isinstance(truth, bool) else Number(truth, "bool", False)
        value = self.returned(value)
        if self.target_of("return") is not None:
            value = self.settle(value)
        self.returns.append(value)
        self.give_back(value)
        return True

    def returned(self, value: Value) -> Value:
        """Return a list or dict as the caller may keep it."""
        group = as_group(value)
        if isinstance(group, Group) and group.cell is not None and group.keys is None:
            return replace(group, cell=None)
        return group if isinstance(value, Const) and isinstance(group, Group) and group.items else value

    def give_back(self, value: Value) -> None:
        """Emit the return of a value."""
        made: Any = ast.Return(None)
        made.pending = value
        made.is_guarded = True
        if self.guarded and not is_none(value):
            # What fails in the value is not returned.
            outer, self.out = self.out, []
            settled = self.settle(value) if _may_fail_value(value) else value
            emitted, self.out = self.out, outer
            self.out += emitted
            start = len(self.out) - len(emitted)
            self.guard_from(start)
            made.pending = settled
            self.returns[-1] = settled
        self.return_nodes.append(made)
        if self.target_of("return") is None:
            self.out.append(made)
            return
        way = f"return{len(self.waiting)}"
        self.waiting[way] = made
        self.exit(way)

    def emit_return(self, way: str) -> None:
        """Emit the return of the value that waits."""
        self.out.append(self.waiting[way])

    def statement_Raise(self, node: ast.Raise) -> bool:
        if node.exc is None:
            if not self.caught_status:
                self.refuse(node, "raise without an exception is compiled inside except")
            self.out.append(ast.Expr(parse("_fail(s, X)", X=name(self.caught_status[-1]))))
            self.fail(None)
            return True
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        value = self.lower(raised)
        name_of = getattr(value.value, "__name__", "") if isinstance(value, Const) else ""
        codes = {each.jesse_exception: int(each) for each in Status if each.jesse_exception}
        if isinstance(value, Conflict) and self.caught_status:
            self.out.append(ast.Expr(parse("_fail(s, X)", X=name(self.caught_status[-1]))))
            self.fail(None)
            return True
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

    def fail(self, status: int | None) -> None:
        """End the run, or go to whoever catches the exception; what is returned then is never used."""
        self.impure = True
        if status is not None:
            self.out.append(ast.Expr(parse(f"_fail(s, {status})")))
        if self.guarded and self.frames:
            self.out.append(ast.Break())
        else:
            self.leave_failed()

    def leave_failed(self) -> None:
        """Emit a return whose value is never used."""
        made: Any = ast.Return(None)
        made.pending = Const(None)
        self.out.append(made)
        self.returns.append(Const(None))
        self.failing.append(len(self.returns) - 1)

    def forget_returns(self, count: int) -> None:
        """Drop the return statements of a round of lowering that is repeated."""
        super().forget_returns(count)
        self.failing = [each for each in self.failing if each < count]

    def statement_Import(self, node: ast.Import | ast.ImportFrom) -> bool:
        """Take what an import inside a method gives, without running it again in the kernel."""
        from fastbt.compiler.load import imported

        module = ast.unparse(node)
        try:
            found = imported(module, self.method)
        except Exception as error:
            self.refuse(node, f"this import failed: {type(error).__name__}: {error}")
        for key, value in found.items():
            self.locals[key] = Const(value)
        return False

    statement_ImportFrom = statement_Import

    def statement_Match(self, node: ast.Match) -> bool:
        """Lower match with constant patterns as a chain of comparisons."""
        subject = f"subject_{node.lineno}_"
        self.assign_local(subject, self.lower(node.subject), node)
        held = ast.copy_location(ast.Name(subject, ast.Load()), node)
        chain: list[ast.stmt] = []
        for case in reversed(node.cases):
            test = self.pattern(case.pattern, held)
            if case.guard is not None:
                test = ast.BoolOp(ast.And(), [test, case.guard])
            for each in ast.walk(test):
                ast.copy_location(each, case.pattern)
            chain = [ast.copy_location(ast.If(test, case.body, chain), node)]
        return self.block(chain)

    def pattern(self, pattern: ast.pattern, subject: ast.expr) -> ast.expr:
        """Return the condition of a pattern."""
        match pattern:
            case ast.MatchValue(value):
                return ast.Compare(subject, [ast.Eq()], [value])
            case ast.MatchSingleton(value):
                return ast.Compare(subject, [ast.Is()], [ast.Constant(value)])
            case ast.MatchOr(patterns):
                return ast.BoolOp(ast.Or(), [self.pattern(each, subject) for each in patterns])
            case ast.MatchAs(None, None):
                return ast.Constant(True)
        self.refuse(pattern, "match is compiled with constants, | and _ only; use if and elif")


def _may_fail_value(value: Value) -> bool:
    from fastbt.compiler.operators import may_fail

    if isinstance(value, Group):
        return any(map(_may_fail_value, value.items))
    node = getattr(value, "node", None)
    return not isinstance(value, Config) and node is not None and may_fail(node)


def _is_bool(value: Value) -> bool:
    if isinstance(value, Number):
        return value.type == "bool"
    return isinstance(value, Const) and isinstance(value.value, bool)


def _constant_of(value: Value) -> Value:
    """Return the config-stage value behind a name."""
    if isinstance(value, Number | Text) and value.constant is not None:
        return value.constant
    if isinstance(value, Group):
        return replace(value, items=tuple(map(_constant_of, value.items)))
    return value


def _escaping(node: ast.AST) -> Iterator[int]:
    """Return the names, by identity, through which what they stand for gets another name: items, arguments."""
    for each in ast.walk(node):
        held: list[ast.expr] = []
        if isinstance(each, ast.List | ast.Tuple | ast.Set) and isinstance(getattr(each, "ctx", ast.Load()), ast.Load):
            held = each.elts
        elif isinstance(each, ast.Dict):
            held = each.values
        elif isinstance(each, ast.Call) and not (isinstance(each.func, ast.Name) and each.func.id in _COPYING):
            held = [*each.args, *(keyword.value for keyword in each.keywords)]
        yield from (id(inner) for inner in held if isinstance(inner, ast.Name))


#: Functions that keep nothing of what they are called with.
_COPYING = frozenset("len dict list tuple sum min max sorted any all print float int str isinstance range zip".split())


def _names_assigned(node: ast.AST) -> list[ast.Name]:
    """Return the plain names that a statement assigns its whole value to."""
    if isinstance(node, ast.Assign):
        return [each for each in node.targets if isinstance(each, ast.Name)]
    if isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and isinstance(node.target, ast.Name):
        return [node.target]
    return []


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
