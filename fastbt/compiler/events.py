"""The list of bars on which a strategy may act, made in one tight loop: `_list_events` for its static guards."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, cast

from fastbt.engine.layout import LISTED_AT_ONCE

#: The bit of an event's states that holds its first fact (see `skipping.py`), and how many there are.
FIRST_FACT: Final = 5
MOST_FACTS: Final = 26
_SAFE: Final = frozenset("abs min max bool float".split())


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
    rows : dict
        Parts of series that it reads by the number of the bar, and their names as arguments. Only such an index is
        known not to be negative, without which nothing is vectorised.
    """

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.reaches: list[ast.expr] = []
        self.rows: dict[str, str] = {}

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

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        node = cast(ast.Subscript, self.generic_visit(node))
        match node:
            case ast.Subscript(ast.Name("x"), ast.Tuple([ast.Name(row), index])) if row in self.fields.values():
                text = ast.unparse(index)
                # As `s.bar` and `_lag` were turned above.
                if text == "bar" or text.startswith("bar + 1 - "):
                    part = f"x[{row}, {text.replace('bar', 'start', 1)}:]"
                    return _expression(f"{self.rows.setdefault(part, f'row_{len(self.rows)}')}[i]")
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        node = cast(ast.BoolOp, self.generic_visit(node))
        if not all(map(_is_simple, node.values)):
            return node
        # Without branches, so that several bars are decided at once.
        whole = node.values[0]
        for each in node.values[1:]:
            whole = ast.BinOp(whole, ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr(), each)
        return whole

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


class _Eager(ast.NodeTransformer):
    """Asks all hooks, instead of none after the first that may act."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        return _expression(" | ".join(f"bool({ast.unparse(each)})" for each in node.values))


def _is_simple(node: ast.expr) -> bool:
    """Tell whether a condition costs no more than a branch, and can be evaluated where its value does not matter."""
    match node:
        case ast.BinOp(left, ast.BitAnd() | ast.BitOr(), right):
            return _is_simple(left) and _is_simple(right)
        case ast.UnaryOp(ast.Not(), operand):
            return _is_simple(operand)
        case ast.Compare(left, [_], [right]):
            return all(map(_is_number, (left, right)))
    return False


def _is_number(node: ast.expr) -> bool:
    match node:
        case ast.Name() | ast.Constant():
            return True
        case ast.Subscript(ast.Name(row), ast.Name("i")):
            return row.startswith("row_")
        case ast.Subscript(ast.Name("bars"), ast.Tuple([ast.Name("bar"), ast.Name()])):
            return True
        case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult(), right):
            return _is_number(left) and _is_number(right)
        case ast.UnaryOp(ast.USub(), operand):
            return _is_number(operand)
    return False


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


_LISTING = """
@inner
def _list_events(s, v, k, x, bars, minutes, events):
    length = s.timeframe_minutes
    warmup = s.warmup_bars
{fields}
    n_bars = len(minutes) // length
    # On the first bars an access may fail: whatever the state, the run comes to see.
    early = min(max({reach} - 1 - warmup, 0), n_bars)
    start = warmup + early
{rows}
    for b in range(early):
        events[0, b] = b
        events[1, b] = IN_FLAT | IN_WAIT | IN_LONG | IN_SHORT
    n = early
    room = events.shape[1] - {size}
    for first in range(early, n_bars, {size}):
        # What is found stays in the cache, always in the same place, until it is listed.
        found = events[1, room : room + min({size}, n_bars - first)]
        start = warmup + first
{parts}
        for i in range(len(found)):
            bar = start + i
            found[i] = {may_act}
        for at in range(0, len(found), 16):
            bits = occupied(found, at)
            while bits != 0:
                i = at + np.int64(lowest_bit(bits))
                bits &= bits - np.uint64(1)
                bar = start + i
                states = {facts}
{states}
                events[0, n] = first + i
                events[1, n] = states
                n += 1
    return n
"""


class Listing(NamedTuple):
    """A function that lists events, and the conditions whose answers it puts beside each.

    Attributes
    ----------
    text : str
    facts : tuple of str
        Conditions of the bar and the values of the parameter set that the sets of one list share.
    """

    text: str
    facts: tuple[str, ...]


def make_listing(text: str, answers: Mapping[str, bool | None], conditions: Iterable[ast.expr]) -> Listing | None:
    """Return a faster `_list_events` than the machine's, for guards that need nothing of the run's state.

    Parameters
    ----------
    text : str
        The functions of the static guards.
    answers : mapping
        For each state of a run, whether the strategy may act in it; None if the function tells.
    conditions : iterable of expr
        What would be good to know of each event; those that need more than what the guards read are left out.

    Returns
    -------
    Listing or None
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
    facts = _facts(conditions, at_bar)
    names = ("bar", "i", "side", "length", "warmup", "x", "bars", *at_bar.fields.values(), *at_bar.rows.values())
    texts: list[str] = []
    are_short = not any(
        isinstance(node, ast.Call) for each in functions if not each.name.startswith("may_") for node in ast.walk(each)
    )
    for each in functions:
        if are_short and each.name.startswith("may_"):
            each.body = [_Eager().visit(statement) for statement in each.body]
        calls = [call for call in ast.walk(each) if isinstance(call, ast.Call)]
        for call in calls:
            if isinstance(call.func, ast.Name) and call.func.id.endswith("__ever"):
                call.func.id += "_at"
                call.args = [ast.Name(name, ast.Load()) for name in names]
        each.name += "_at"
        each.args.args = [ast.arg(name) for name in names]
        texts.append(ast.unparse(ast.fix_missing_locations(each)))
    states, asked = [], []
    sides = {"enter": (("FLAT", "0.0"),), "wait": (("WAIT", "0.0"),), "hold": (("LONG", "1.0"), ("SHORT", "-1.0"))}
    for state, cases in sides.items():
        if answers[state] is None:
            for case, side in cases:
                arguments = ", ".join(side if name == "side" else name for name in names)
                asked.append(f"may_{state}_ever_at({arguments})")
                states.append(f"                if {asked[-1]}:\n                    states |= IN_{case}")
    if not states:
        return None
    reaches = ", ".join(["1", *dict.fromkeys(ast.unparse(each) for each in at_bar.reaches)])
    texts.append(
        _LISTING.strip().format(
            size=LISTED_AT_ONCE,
            fields="\n".join(f"    {name} = k.{field}" for field, name in at_bar.fields.items()),
            rows="\n".join(f"    all_{name} = {part}" for part, name in at_bar.rows.items()),
            parts="\n".join(f"        {name} = all_{name}[first - early :]" for name in at_bar.rows.values()),
            reach=f"max({reaches})" if at_bar.reaches else "1",
            may_act=" | ".join(f"bool({each})" for each in asked),
            states="\n".join(states),
            facts=" | ".join(["ARE_KNOWN", *facts.values()]) if facts else "0",
        )
    )
    return Listing("\n\n\n".join(texts), tuple(facts))


def _facts(conditions: Iterable[ast.expr], at_bar: AtBar) -> dict[str, str]:
    """Return the conditions that a listing can answer, and the bits of the answers, as texts."""
    facts: dict[str, str] = {}
    fields = set(at_bar.fields)
    for condition in conditions:
        whole = ast.unparse(condition)
        if whole in facts or len(facts) == MOST_FACTS:
            continue
        trial = copy.deepcopy(at_bar)
        try:
            changed = trial.visit(_expression(whole))
        except _NotPlain:
            continue
        calls = (each for each in ast.walk(changed) if isinstance(each, ast.Call))
        # Sets with other values share the list; a call may fail.
        if set(trial.fields) <= fields and all(ast.unparse(each.func) in _SAFE for each in calls):
            at_bar.rows, at_bar.reaches = trial.rows, trial.reaches
            facts[whole] = f"np.int32(bool({ast.unparse(changed)})) << {FIRST_FACT + len(facts)}"
    return facts
