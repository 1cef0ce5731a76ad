"""Tell whether parameter sets may be played side by side: the kernel of `fastbt/engine/segments.py` is tried for them.

It goes from event to event, so entries and what a strategy does in a position must be on the list of events. It keeps
of each set what its account and its variables are, not its orders: the prices of a trade's exits are those that stood
when it began. So no hook that runs later may look at orders or change them, other than to close the position. Then
where a trade ends follows from the market and these two prices alone, whatever the account holds.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from fastbt.compiler import api
from fastbt.compiler.effects import EffectTable

#: What is not kept from one event to the next.
_ORDERS: Final = frozenset("buy_n sell_n stop_loss_n take_profit_n buy sell stop_loss take_profit".split())
_ENTRY: Final = frozenset("buy_n sell_n buy sell".split())
_PAST: Final = ("order_", "closed_", "exit_price", "previous_qty", "?")
#: What of it a hook is told of at the moment.
_PRESENT: Final = {
    "on_open_position": ("order_", "exit_price", "previous_qty"),
    "on_close_position": ("closed_", "exit_price", "previous_qty"),
}
#: Hooks that run after a trade began, or before it does.
_LATER: Final = ("before", "should_long", "should_short", "update_position", "on_close_position")


def why_apart(
    functions: Mapping[str, ast.FunctionDef],
    table: EffectTable,
    answers: Mapping[str, tuple[bool | None, bool | None]],
    sees: Mapping[str, bool],
    variables: Iterable[tuple[Any, ...]],
) -> str:
    """Return why sets of a strategy whose trades may be plain cannot be played side by side, "" if they can.

    Parameters
    ----------
    functions : mapping
        The generated functions, by name.
    table : EffectTable
        Of these and of the engine's.
    answers : mapping
        For each state of a run whether the strategy may act in it, ever and now: see `quiet.Guards`.
    sees : mapping
        What its hooks look at, as `engine/plain.py` asks for it.
    variables : iterable of tuple
        Fields of the variables record.
    """
    if answers["enter"][0] is not None:
        return "entries are not on a list made for all sets"
    if answers["hold"][0] is True:
        return "the hooks run on every bar of a position"
    if sees["SEES_PARTS"]:
        return "a hook looks at the minute in which an order was filled"
    for name in filter(functions.__contains__, api.HOOKS):
        past = [each for each in table.of_function(name).reads if each.startswith(_PAST)]
        if not all(each.startswith(_PRESENT.get(name, "-")) for each in past):
            return f"{name} looks at an order or a trade of the past"
    if any(_reads_parameters(each) for each in functions.values()):
        return "an indicator has arguments that only the run knows"
    if any(len(each) > 2 for each in variables):
        return "a variable is a list"
    for name in _LATER:
        if name in functions and _handles_orders(functions, name, table):
            return f"{name} looks at orders or changes them"
    for name in ("filters", "on_open_position"):
        if name in functions and any(_is_entry(node) for node in _reached(functions, name)):
            return f"{name} looks at the entry or changes it"
    return ""


def _is_entry(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(ast.Name("s"), field):
            return field in _ENTRY
    return False


def _handles_orders(functions: Mapping[str, ast.FunctionDef], name: str, table: EffectTable) -> bool:
    """Tell whether a hook does anything with orders, other than to close the position on a bar."""
    for node in _reached(functions, name):
        match node:
            case ast.Attribute(ast.Name("s"), field) if field in _ORDERS:
                return True
            case ast.Call(ast.Name("_liquidate")):
                if name != "update_position":
                    return True
            case ast.Call(ast.Name(called)) if called not in functions and table.of_function(called).reads & _ORDERS:
                return True
    return False


def _reads_parameters(function: ast.FunctionDef) -> bool:
    """Tell whether a function reads a field of the parameter set that is an array."""
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "k"
        and node.attr.endswith("_params")
        and not node.attr.startswith("hp_")
        for node in ast.walk(function)
    )


def _reached(functions: Mapping[str, ast.FunctionDef], name: str) -> Iterator[ast.AST]:
    """Yield all nodes of a function and of those that it calls."""
    waiting, seen = [name], {name}
    while waiting:
        for node in ast.walk(functions[waiting.pop()]):
            yield node
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called = node.func.id
                if called in functions and called not in seen:
                    seen.add(called)
                    waiting.append(called)


def lanes_text(variables: Iterable[tuple[str, str]], settings: Mapping[str, str], text: str) -> str:
    """Return the functions that read and write what is kept of each set.

    Parameters
    ----------
    variables : iterable of (str, str)
        Fields of the variables record and their types.
    settings : mapping
        Fields of a parameter set and their types.
    text : str
        All functions that read values of a parameter set.
    """
    read = dict.fromkeys(
        node.attr
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "k"
    )
    fields = {
        "k": {name: settings[name] for name in read},
        "v": {name: kind for name, kind in variables if name != "unused"},
    }
    # Numba has no arrays of truths in records.
    kept = [(f"{record}_{name}", _kept(kind)) for record in fields for name, kind in fields[record].items()]
    parts = [f"# Parameter sets side by side: what is kept of each.\nLANE_FIELDS = {tuple(kept)!r}"]
    for name, record in (("settings", "k"), ("variables", "v")):
        loads, keeps = [], []
        for each, kind in fields[record].items():
            own, place = f"{record}.{each}", f"theirs.{record}_{each}[lane]"
            loads.append(f"    {own} = {place}{' != 0' if _kept(kind) != kind else ''}")
            keeps.append(f"    {place} = {own}")
        for how, body in (("load", loads), ("keep", keeps)):
            head = f"@inner_inlined\ndef {how}_{name}({record}, theirs, lane):\n"
            parts.append(head + ("\n".join(body) or "    pass"))
    return "\n\n\n".join(parts)


def _kept(kind: str) -> str:
    return "i8" if np.dtype(kind) == np.bool_ else kind
