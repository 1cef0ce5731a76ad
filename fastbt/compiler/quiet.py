"""Find the bars on which a strategy does nothing: from each hook, a guard that tells whether it might act.

A guard is what is left of a hook when each effect becomes `return True`. As long as the guards say no and no order is
touched, the state of a run does not change, so the machine goes from bar to bar without running the life cycle. A guard
that says yes where the hook does nothing costs time and changes nothing: the machine then plays an ordinary bar.

Two kinds are made. A live guard reads whatever the hook reads. A static guard reads only what depends on the bar and
the parameter set; what depends on the run counts as unknown, and an unknown condition may hold. Static guards are
evaluated once for all parameter sets that share what they read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from fastbt.compiler import api
from fastbt.compiler.assignments import COMMON
from fastbt.compiler.effects import PURE_CALLS, EffectTable, engine_functions
from fastbt.compiler.events import FIRST_FACT, make_listing
from fastbt.compiler.lower import Program
from fastbt.compiler.plain import may_be_plain
from fastbt.compiler.segments import why_apart

#: Fields of the run's state that are constant, or known from the bar on which a hook runs.
STATIC_FIELDS: Final = frozenset(
    "mode leverage fee_rate starting_balance timeframe_minutes warmup_bars window status minute bar index time "
    "complete partial stale current_price market_price".split()
)


def _is_side(node: ast.expr) -> bool:
    """Tell whether an expression asks only for the side of the position."""
    match node:
        case ast.Compare(ast.Attribute(ast.Name("s"), "qty"), [_], [ast.Constant(number)]):
            return number == 0
    return False


def _constant(node: ast.expr) -> bool | None:
    return bool(node.value) if isinstance(node, ast.Constant) else None


def any_of(nodes: Iterable[ast.expr]) -> ast.expr:
    """Return `a or b or ...`, simplified."""
    return _joined(ast.Or(), nodes, True)


def all_of(nodes: Iterable[ast.expr]) -> ast.expr:
    """Return `a and b and ...`, simplified."""
    return _joined(ast.And(), nodes, False)


def _joined(op: ast.boolop, nodes: Iterable[ast.expr], decides: bool) -> ast.expr:
    """Join conditions; a constant `decides` makes up the whole."""
    kept: dict[str, ast.expr] = {}
    for node in nodes:
        value = _constant(node)
        if value is decides:
            return ast.Constant(decides)
        if value is None:
            kept.setdefault(ast.unparse(node), node)
    if not kept:
        return ast.Constant(not decides)
    return next(iter(kept.values())) if len(kept) == 1 else ast.BoolOp(op, list(kept.values()))


#: Nodes of the syntax tree of a hook that is worth a copy in each kernel that calls it: some twenty lines.
_SHORT: Final = 250


@dataclass
class Guard:
    """Turns one hook into its guard.

    Attributes
    ----------
    table : EffectTable
    static : bool
        Whether what depends on the run is unknown.
    returns : bool
        Whether the hook acts by returning something true.
    known : set of str
        Local names whose values the guard has.
    """

    table: EffectTable
    static: bool
    returns: bool
    known: set[str] = field(default_factory=set)

    # --- expressions ---------------------------------------------------------------------------------------------
    def is_known(self, node: ast.expr) -> bool:
        """Tell whether the guard can compute an expression, without effects."""
        effects = self.table.of(self._without_sides(node))
        if effects.writes:
            return False
        if self.static and not effects.reads <= STATIC_FIELDS:
            return False
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load) and each.id not in COMMON:
                if each.id not in self.known and not self._is_global(each, node):
                    return False
            if isinstance(each, ast.NamedExpr | ast.Lambda | ast.Await):
                return False
        return True

    def _is_global(self, each: ast.Name, node: ast.expr) -> bool:
        """Tell whether a name is a function or module: locals are assigned, and so are in `known` or nowhere."""
        return each.id in PURE_CALLS or any(isinstance(call, ast.Call) and call.func is each for call in ast.walk(node))

    def _without_sides(self, node: ast.expr) -> ast.expr:
        class Sides(ast.NodeTransformer):
            def visit_Compare(self, each: ast.Compare) -> ast.AST:
                return ast.Constant(True) if _is_side(each) else self.generic_visit(each)

        copy = ast.parse(ast.unparse(node), mode="eval").body
        changed: ast.expr = Sides().visit(copy)
        return changed

    def is_harmless(self, node: ast.AST) -> bool:
        """Tell whether running something that is not known can be left out."""
        effects = self.table.of(node)
        return not effects.writes and not effects.fails

    def may(self, node: ast.expr, wanted: bool = True) -> ast.expr:
        """Return a condition that holds wherever the expression's truth can be `wanted`, and maybe elsewhere."""
        match node:
            case ast.Constant(value):
                return ast.Constant(bool(value) == wanted)
            case ast.Call(ast.Name("bool"), [operand], []):
                return self.may(operand, wanted)
        if self.is_known(node):
            return node if wanted else ast.UnaryOp(ast.Not(), node)
        match node:
            case ast.UnaryOp(ast.Not(), operand):
                return self.may(operand, not wanted)
            case ast.BoolOp(op, values):
                join = all_of if isinstance(op, ast.And) == wanted else any_of
                return any_of([self.failure(node), join(self.may(each, wanted) for each in values)])
            case ast.IfExp(test, body, other) if self.is_harmless(node):
                return any_of(
                    [
                        all_of([self.may(test, True), self.may(body, wanted)]),
                        all_of([self.may(test, False), self.may(other, wanted)]),
                    ]
                )
        return ast.Constant(True)

    def failure(self, node: ast.expr) -> ast.expr:
        """Return a condition that holds wherever evaluating what the guard leaves out could fail or act."""
        if self.is_harmless(node) or self.is_known(node):
            return ast.Constant(False)
        if not isinstance(node, ast.BoolOp):
            return ast.Constant(True)
        before: list[ast.expr] = []
        failing = []
        for each in node.values:
            failing.append(all_of([*before, self.failure(each)]))
            # What follows is reached only if this part did not decide the chain.
            before.append(self.may(each, isinstance(node.op, ast.And)))
        return any_of(failing)

    # --- statements ----------------------------------------------------------------------------------------------
    def function(self, hook: ast.FunctionDef, name: str) -> ast.FunctionDef:
        """Return the guard of a hook."""
        body, _ = self.block(_without_docstring(hook.body), certain=True)
        if not _ends(body):
            body = [*body, _return(ast.Constant(False))]
        arguments = ast.arguments(
            posonlyargs=[], args=[ast.arg(each) for each in COMMON], kwonlyargs=[], kw_defaults=[], defaults=[]
        )
        return ast.FunctionDef(name, arguments, body, [ast.Name("inner", ast.Load())], None)

    def block(self, statements: list[ast.stmt], certain: bool) -> tuple[list[ast.stmt], bool]:
        """Return the guard of statements, and whether they were left in any case.

        `certain` tells whether the hook is known to come here; if not, going on in the guard must stay possible.
        """
        out: list[ast.stmt] = []
        for statement in statements:
            lines, left = self.statement(statement, certain)
            out += lines
            if left:
                return out, True
        return out, False

    def statement(self, node: ast.stmt, certain: bool) -> tuple[list[ast.stmt], bool]:
        """Return the guard of one statement, and whether nothing after it runs."""
        act: tuple[list[ast.stmt], bool] = ([_return(ast.Constant(True))], True)
        match node:
            case ast.Pass() | ast.Expr(ast.Constant()):
                return [], False
            case ast.Assign([ast.Name(target)], value):
                if certain and self.is_known(value):
                    self.known.add(target)
                    return [node], False
                self.known.discard(target)
                return ([], False) if self.is_harmless(value) else act
            case ast.AugAssign(ast.Name(target), op, value):
                changed = ast.BinOp(ast.Name(target, ast.Load()), op, value)
                return self.statement(ast.Assign([ast.Name(target, ast.Store())], changed, lineno=0), certain)
            case ast.Expr(value):
                return ([], False) if self.is_harmless(value) else self._known_or_act(value, act)
            case ast.Return(value):
                return self._returned(value, certain)
            case ast.If(test, body, orelse):
                return self._if(test, body, orelse, certain)
            case ast.For() | ast.While():
                if certain and self._is_known_block([node]):
                    self.known |= _assigned([node])
                    return [node], False
                self.known -= _assigned([node])
                inner = ast.Module([node], [])
                returns = any(isinstance(each, ast.Return) for each in ast.walk(node))
                return ([], False) if self.is_harmless(inner) and not returns else act
        return act

    def _known_or_act(self, value: ast.expr, act: tuple[list[ast.stmt], bool]) -> tuple[list[ast.stmt], bool]:
        """Return the guard of an expression that can only fail."""
        return ([ast.Expr(value)], False) if self.is_known(value) else act

    def _returned(self, value: ast.expr | None, certain: bool) -> tuple[list[ast.stmt], bool]:
        if value is None or not self.returns:
            if value is not None and not self.is_harmless(value):
                return [_return(ast.Constant(True))], True
            return ([_return(ast.Constant(False))], True) if certain else ([], True)
        may = self.may(value)
        if certain or _constant(may) is True:
            return [_return(may)], True
        return ([] if _constant(may) is False else [ast.If(may, [_return(ast.Constant(True))], [])]), True

    def _if(
        self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], certain: bool
    ) -> tuple[list[ast.stmt], bool]:
        if self.is_known(test):
            # Known either way: each branch is as certain as the statement itself.
            before = set(self.known)
            first, left_first = self.block(body, certain)
            after_first, self.known = self.known, before
            second, left_second = self.block(orelse, certain)
            self.known &= after_first
            left = left_first and left_second
            if not first and not second:
                return [], False
            if not first:
                return [ast.If(ast.UnaryOp(ast.Not(), test), second, [])], left
            return [ast.If(test, first, second)], left
        failure = self.failure(test)
        if _constant(failure) is True:
            return [_return(ast.Constant(True))], True
        self.known -= _assigned([*body, *orelse])
        lines: list[ast.stmt] = []
        if _constant(failure) is None:
            lines.append(ast.If(failure, [_return(ast.Constant(True))], []))
        for wanted, branch in ((True, body), (False, orelse)):
            condition = self.may(test, wanted)
            inner, _ = self.block(branch, certain=False)
            if inner and _constant(condition) is True:
                lines += inner
                if _ends(inner):
                    return lines, True
            elif inner and _constant(condition) is None:
                lines.append(ast.If(condition, inner, []))
        return lines, False

    def _is_known_block(self, statements: list[ast.stmt]) -> bool:
        """Tell whether the guard can run statements as they stand."""
        inner = Guard(self.table, self.static, self.returns, self.known | _assigned(statements))
        simple = (ast.Assign, ast.AugAssign, ast.For, ast.While, ast.If, ast.Break, ast.Continue, ast.Pass)
        for each in (node for statement in statements for node in ast.walk(statement)):
            if not isinstance(each, ast.stmt):
                continue
            if not isinstance(each, simple):
                return False
            for child in ast.iter_child_nodes(each):
                if isinstance(child, ast.expr) and isinstance(getattr(child, "ctx", None), ast.Store):
                    if not isinstance(child, ast.Name):
                        return False
                elif isinstance(child, ast.expr) and not inner.is_known(child):
                    return False
        return True


def _assigned(statements: list[ast.stmt]) -> set[str]:
    return {
        each.id
        for statement in statements
        for each in ast.walk(statement)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(ast.Constant(str())), *rest]:
            return rest
    return body


def _return(value: ast.expr) -> ast.Return:
    return ast.Return(value)


def _ends(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Return)


@dataclass(frozen=True)
class Guards:
    """Guards of one kind for the three states in which a run can be quiet.

    Attributes
    ----------
    text : str
        The functions `name(s, v, k, x, bars, minutes)`.
    enter, wait, hold : bool or None
        Whether the strategy may act without orders, with a waiting entry, and in a position: True on any bar, False on
        none, None if the function tells.
    """

    text: str
    enter: bool | None
    wait: bool | None
    hold: bool | None


#: The hooks that run on a bar in each state.
STATES: Final = {
    "enter": ("before", "should_short", "should_long"),
    "wait": ("before", "should_cancel_entry"),
    "hold": ("before", "update_position"),
}


def make_guards(hooks: Mapping[str, ast.FunctionDef], table: EffectTable, *, static: bool) -> Guards:
    """Return the guards of a strategy's hooks.

    Parameters
    ----------
    hooks : mapping
        The generated hooks that do anything, by name.
    table : EffectTable
    static : bool
        See `Guard`.
    """
    kind = "ever" if static else "now"
    texts: list[str] = []
    answers: dict[str, bool | None] = {}
    made: dict[str, bool | None] = {}
    for state, names in STATES.items():
        parts: list[ast.expr] = []
        for name in names:
            if name not in hooks:
                continue
            guard_name = f"{name}__{kind}"
            if guard_name not in made:
                guard = Guard(table, static, returns=name.startswith("should_"))
                function = ast.fix_missing_locations(guard.function(hooks[name], guard_name))
                made[guard_name] = _answer(function)
                if made[guard_name] is None:
                    texts.append(ast.unparse(function))
            answer = made[guard_name]
            call = ast.parse(f"{guard_name}({', '.join(COMMON)})", mode="eval").body
            parts.append(call if answer is None else ast.Constant(answer))
        condition = any_of(parts)
        answers[state] = _constant(condition)
        body = ast.unparse(condition)
        texts.append(f"@inner\ndef may_{state}_{kind}({', '.join(COMMON)}):\n    return {body}")
    return Guards("\n\n\n".join(texts), **answers)


def _answer(function: ast.FunctionDef) -> bool | None:
    """Return what a guard always returns, or None."""
    first = function.body[0]
    return _constant(first.value) if isinstance(first, ast.Return) and first.value is not None else None


#: As the machine names them.
_CODES: Final[dict[bool | None, int]] = {False: 0, True: 1, None: 2}


class Quiet(NamedTuple):
    """What a generated module says about bars on which nothing happens.

    Attributes
    ----------
    text : str
    is_plain : bool
        Whether plain trades can be tried.
    facts : tuple of str
        Conditions in the hooks whose answers stand beside the events.
    may_share : bool
        Whether sets can be played side by side.
    """

    text: str
    is_plain: bool = False
    facts: tuple[str, ...] = ()
    may_share: bool = False


def find_quiet(program: Program, text: str, variables: Iterable[tuple[Any, ...]]) -> Quiet:
    """Return the part of the generated module that tells which bars can be skipped, and what else was found out.

    Parameters
    ----------
    program : Program
    text : str
        The generated functions.
    variables : iterable of tuple
        Fields of the record of the strategy's variables.
    """
    functions = {each.name: each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef)}
    table = EffectTable({**engine_functions(), **functions})
    defined = {*program.source.methods, "should_long", "should_short", "should_cancel_entry"}
    hooks = {name: each for name, each in functions.items() if name in api.HOOKS and name in defined}
    now = make_guards(hooks, table, static=False)
    ever = make_guards(hooks, table, static=True)
    answers = {state: (getattr(ever, state), getattr(now, state)) for state in STATES}
    acts_after = _acts_after(hooks, table)
    # @cached values and what `after` leaves are cleared or submitted by the next bar, whatever it is.
    if program.cached_cells or acts_after:
        answers = dict.fromkeys(answers, (True, True))
    skips = any(each != (True, True) for each in answers.values())
    is_plain = not acts_after and may_be_plain(hooks, functions, table)
    if not skips and not is_plain:
        return Quiet("# No bar can be skipped.\nSKIPS = False\nEVENT_FIELDS = ()\nPLAIN = False")
    fields = _fields_read(ever.text) if skips else ()
    lines = [f"SKIPS = {skips}", f"EVENT_FIELDS = {fields!r}", f"PLAIN = {is_plain}"]
    for state, (at_all, here) in answers.items():
        # A live guard that is the static one has nothing to add.
        same = _body(ever.text, state, "ever") == _body(now.text, state, "now")
        lines.append(f"EVER_{state.upper()} = {_CODES[at_all]}")
        lines.append(f"NOW_{state.upper()} = {_CODES[True if same and at_all is None else here]}")
    if is_plain:
        sees = _what_hooks_see(hooks, table)
        lines += [f"{name} = {each}" for name, each in sees.items()]
        apart = why_apart(functions, table, answers, sees, variables)
        lines.append(f"APART = {apart!r}")
    parts = ["# Bars that can be skipped.\n" + "\n".join(lines), ever.text, now.text]
    facts: tuple[str, ...] = ()
    if skips:
        conditions = _conditions(functions, table) if is_plain else []
        listing = make_listing(ever.text, {state: at_all for state, (at_all, _) in answers.items()}, conditions)
        if listing is not None:
            facts = listing.facts
            parts += [listing.text, *(_fact_text(i, each) for i, each in enumerate(facts))]
    parts[0] += f"\nHAS_FACTS = {len(facts) > 0}"
    return Quiet("\n\n\n".join(parts), is_plain, facts, is_plain and not apart)


def _conditions(functions: Mapping[str, ast.FunctionDef], table: EffectTable) -> list[ast.expr]:
    """Return the largest conditions in hooks on a bar that depend on series, the bar and the set alone."""
    found: list[ast.expr] = []

    def look(node: ast.AST) -> None:
        if isinstance(node, ast.Compare | ast.BoolOp) and _is_fact(node, table):
            found.append(node)
            return
        for each in ast.iter_child_nodes(node):
            look(each)

    for name, function in functions.items():
        if name not in api.FILL_HOOKS:
            look(function)
    return found


def _is_fact(node: ast.expr, table: EffectTable) -> bool:
    if not Guard(table, True, returns=False).is_known(node) or not table.of(node).reads <= STATIC_FIELDS:
        return False
    return any(isinstance(each, ast.Name) and each.id in ("x", "bars") for each in ast.walk(node))


def _fact_text(number: int, condition: str) -> str:
    """Return the function that takes the place of a condition."""
    return (
        f"@inner\ndef _fact_{number}({', '.join(COMMON)}):\n    if s.facts & ARE_KNOWN != 0:\n"
        f"        return s.facts & {1 << FIRST_FACT + number} != 0\n    return {condition}"
    )


def for_plain_trades(text: str, facts: Sequence[str]) -> str:
    """Return functions that look facts up where they stand beside the event, short hooks as parts of the kernels."""
    places = {each: i for i, each in enumerate(facts)}

    class Lookup(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if isinstance(node, ast.Compare | ast.BoolOp) and (whole := ast.unparse(node)) in places:
                return ast.parse(f"_fact_{places[whole]}({', '.join(COMMON)})", mode="eval").body
            return self.generic_visit(node)

    functions = [Lookup().visit(each) for each in ast.parse(text).body]
    for each in functions:
        if isinstance(each, ast.FunctionDef) and each.name in api.HOOKS and sum(1 for _ in ast.walk(each)) < _SHORT:
            each.decorator_list = [ast.Name("inner_inlined", ast.Load())]
    return "\n\n\n".join(map(ast.unparse, functions))


def _what_hooks_see(hooks: Iterable[str], table: EffectTable) -> dict[str, bool]:
    """Return what the hooks of plain trades may look at, as `engine/plain.py` asks for it."""
    after_exit = table.of_function("on_close_position").reads if "on_close_position" in hooks else frozenset()
    anywhere = frozenset[str]().union(*(table.of_function(name).reads for name in hooks))

    def reads_any(reads: frozenset[str], *beginnings: str) -> bool:
        return any(each.startswith(("?", *beginnings)) for each in reads)

    return {
        "SEES_ORDER": reads_any(anywhere, "order_"),
        "SEES_TRADE": reads_any(anywhere, "closed_", "exit_price", "previous_qty"),
        "SEES_PARTS": reads_any(after_exit, "part", "complete", "shown"),
    }


def _acts_after(hooks: Mapping[str, ast.FunctionDef], table: EffectTable) -> bool:
    """Tell whether the hook after a bar may do anything."""
    if "after" not in hooks:
        return False
    return _answer(Guard(table, False, returns=False).function(hooks["after"], "after__now")) is not False


def _fields_read(text: str) -> tuple[str, ...]:
    """Return the values of a parameter set that guards read."""
    found = {
        each.attr
        for each in ast.walk(ast.parse(text))
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == "k"
    }
    return tuple(sorted(found))


def _body(text: str, state: str, kind: str) -> str:
    """Return what the guards of a state say, without their names."""
    functions = {each.name: each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef)}
    names = [f"{name}__{kind}" for name in STATES[state]]
    parts = ["\n".join(map(ast.unparse, functions[name].body)) for name in names if name in functions]
    return "\n".join([*parts, "\n".join(map(ast.unparse, functions[f"may_{state}_{kind}"].body))]).replace(
        f"__{kind}(", "__("
    )


_WHERE: Final = {
    "enter": "without orders or position",
    "wait": "while an entry waits",
    "hold": "in a position",
}


def explain(text: str, names: Mapping[str, str]) -> list[str]:
    """Return in words which bars the kernel of a generated module skips.

    Parameters
    ----------
    text : str
        The generated module.
    names : mapping
        What the values of a parameter set are called.

    Returns
    -------
    list of str
        One line for each state of a run, and one for its trades.
    """
    values: dict[str, Any] = {}
    n_facts = 0
    for each in ast.parse(text).body:
        match each:
            case ast.Assign([ast.Name(name)], ast.Constant() | ast.Tuple() as value):
                values[name] = ast.literal_eval(value)
            case ast.FunctionDef(name) if name.startswith("_fact_"):
                n_facts += 1
    orders = "plain trades, one entry at the market closed as a whole, are played without an order table"
    plain = [orders] if values["PLAIN"] else []
    if values["PLAIN"]:
        shared = "what prices do from bar to bar of a list is found once for its sets"
        how = f"side by side, eight in the same instructions: {shared}"
        if values["APART"]:
            how = f"one by one: {values['APART']}"
        plain.append(f"many sets are played {how}")
    if not values["SKIPS"]:
        return ["every bar runs the strategy's hooks: they may act, or change a variable, on any bar", *plain]
    shared = ", ".join(dict.fromkeys(names.get(each, each) for each in values["EVENT_FIELDS"]))
    lines = []
    for state, where in _WHERE.items():
        ever, now = values[f"EVER_{state.upper()}"], values[f"NOW_{state.upper()}"]
        if ever == _CODES[False]:
            words = "bars are skipped until an order is touched" if state == "hold" else "bars are skipped"
        elif ever == _CODES[None]:
            words = "bars are skipped but those of a list made once for all sets with the same " + (shared or "candles")
        elif now == _CODES[None]:
            words = "only the conditions of the hooks are evaluated, until one holds"
        else:
            words = "every bar runs the strategy's hooks"
        lines.append(f"{where}: {words}")
    if n_facts:
        lines.append(f"answered with that list: {n_facts} condition{'s' * (n_facts > 1)} of the market")
    return lines + plain
