"""The list of bars on which a strategy may act, made in one tight loop: `_list_events` for its static guards."""

from __future__ import annotations

import ast
from collections.abc import Mapping


class _NotPlain(Exception):
    """A guard needs the run's state."""


class AtBar(ast.NodeTransformer):
    """Turns a static guard into a function of the bar, without the run's state: it is evaluated on every bar.

    Attributes
    ----------
    fields : dict
        Values of the parameter set that it reads, and their names as arguments.
    reaches : list of expr
        How many bars back it looks; before there are as many, it must not be called.
    """

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.reaches: list[ast.expr] = []

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        match node:
            case ast.Attribute(ast.Name("k"), field):
                return ast.Name(self.fields.setdefault(field, f"k_{field}"), ast.Load())
            case ast.Attribute(ast.Name("s"), "bar"):
                return ast.Name("bar", ast.Load())
            case ast.Attribute(ast.Name("s"), "qty"):
                return ast.Name("side", ast.Load())
            case ast.Attribute(ast.Name("s"), "current_price"):
                return _expression("bars[bar, CLOSE]")
            case ast.Attribute(ast.Name("s"), "index"):
                return _expression("(bar - warmup)")
            case ast.Attribute(ast.Name("s"), "time"):
                return _expression("(bars[bar, TIMESTAMP] + 60000.0 * length)")
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(ast.Name("_lag"), [ast.Name("s"), count]):
                count = self._reach(count)
                return _expression(f"bar + 1 - ({ast.unparse(count)})")
            case ast.Call(ast.Name("_at"), [ast.Name("s"), ast.UnaryOp(ast.USub(), count)]):
                count = self._reach(count)
                return _expression(f"bar + 1 - ({ast.unparse(count)})")
            case ast.Call(ast.Name("_settled"), [ast.Name("s"), first, value]):
                first, value = self.visit(first), self.visit(value)
                return ast.IfExp(_expression(f"bar >= {ast.unparse(first)}"), value, _expression("np.nan"))
            case ast.Call(ast.Name("_current"), [ast.Name("s"), ast.Name("bars"), ast.Name("minutes"), column]):
                return _expression(f"bars[bar, {ast.unparse(column)}]")
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in ("s", "v", "k", "minutes"):
            raise _NotPlain
        return node

    def _reach(self, count: ast.expr) -> ast.expr:
        """Return how far back an access looks: known before the first bar."""
        plain: ast.expr = self.visit(count)
        for each in ast.walk(plain):
            if isinstance(each, ast.Name) and each.id not in self.fields.values():
                raise _NotPlain
            if not isinstance(each, ast.Name | ast.Constant | ast.BinOp | ast.operator | ast.expr_context):
                raise _NotPlain
        self.reaches.append(plain)
        return plain


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


_LISTING = """
@inner
def _list_events(s, v, k, x, bars, minutes, events):
    length = s.timeframe_minutes
    warmup = s.warmup_bars
{fields}
    n = 0
    # On the first bars an access may fail: whatever the state, the run comes to see.
    early = {reach} - 1 - warmup
    for b in range(len(minutes) // length):
        bar = warmup + b
        if b < early:
            states = IN_FLAT | IN_WAIT | IN_LONG | IN_SHORT
        else:
            states = 0
{states}
        if states != 0:
            events[0, n] = b
            events[1, n] = states
            n += 1
    return n
"""


def list_text(text: str, answers: Mapping[str, bool | None]) -> str | None:
    """Return a faster `_list_events` than the machine's, for guards that need nothing of the run's state.

    Parameters
    ----------
    text : str
        The functions of the static guards.
    answers : mapping
        For each state of a run, whether the strategy may act in it; None if the function tells.

    Returns
    -------
    str or None
        None if a guard needs more than the bar and the parameter set.
    """
    at_bar = AtBar()
    functions = [each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef)]
    try:
        for each in functions:
            if each.name.startswith("may_"):
                continue
            each.body = [at_bar.visit(statement) for statement in each.body]
    except _NotPlain:
        return None
    names = ("bar", "side", "length", "warmup", "x", "bars", *at_bar.fields.values())
    texts: list[str] = []
    for each in functions:
        calls = [call for call in ast.walk(each) if isinstance(call, ast.Call)]
        for call in calls:
            if isinstance(call.func, ast.Name) and call.func.id.endswith("__ever"):
                call.func.id += "_at"
                call.args = [ast.Name(name, ast.Load()) for name in names]
        each.name += "_at"
        each.args.args = [ast.arg(name) for name in names]
        texts.append(ast.unparse(ast.fix_missing_locations(each)))
    states = []
    sides = {"enter": (("FLAT", "0.0"),), "wait": (("WAIT", "0.0"),), "hold": (("LONG", "1.0"), ("SHORT", "-1.0"))}
    for state, cases in sides.items():
        if answers[state] is None:
            for case, side in cases:
                arguments = ", ".join(side if name == "side" else name for name in names)
                states.append(f"            if may_{state}_ever_at({arguments}):\n                states |= IN_{case}")
    if not states:
        return None
    reaches = ", ".join(["1", *dict.fromkeys(ast.unparse(each) for each in at_bar.reaches)])
    texts.append(
        _LISTING.strip().format(
            fields="\n".join(f"    {name} = k.{field}" for field, name in at_bar.fields.items()),
            reach=f"max({reaches})" if at_bar.reaches else "1",
            states="\n".join(states),
        )
    )
    return "\n\n\n".join(texts)
