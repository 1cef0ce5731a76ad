"""At which stage a value is known: what `explain` shows."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from fastbt.compiler.values import (
    Bound,
    CandleRow,
    Candles,
    Config,
    Const,
    Group,
    Number,
    Part,
    Series,
    Text,
    Value,
    Window,
)

ORDER = ("config", "market", "bar", "run")
#: Fields of the run's state that are known from the bar at hand.
_OF_THE_BAR = frozenset("bar minute index time complete status window timeframe_minutes warmup_bars".split())
_FREE = frozenset("s v k x bars minutes np math float int bool abs min max range len True False None".split())


def stage_of(value: Value, names: Mapping[str, str], *, is_fill: bool) -> str | None:
    """Return the stage of a value: config, market, bar or run; None for objects of the API.

    Parameters
    ----------
    value : Value
    names : mapping
        Stages of the local variables of the generated code.
    is_fill : bool
        Whether candles may be forming where it stands.
    """
    if isinstance(value, Const):
        return None if callable(value.value) or value.value is None else "config"
    if isinstance(value, Config):
        return "config"
    if isinstance(value, Part | Bound):
        return None
    if isinstance(value, Candles | Series):
        return "market"
    if isinstance(value, Window):
        return latest([_of_code(value.series.array, names), _of_code(value.start.node, names), "market"])
    if isinstance(value, CandleRow):
        return latest(["bar", stage_of(value.index, names, is_fill=is_fill)])
    if isinstance(value, Group):
        return latest([stage_of(each, names, is_fill=is_fill) for each in value.items] or ["config"])
    if isinstance(value, Number | Text):
        if value.constant is not None:
            return "config"
        if isinstance(value, Number) and _is_lookup(value.node) and not is_fill:
            return "market"
        return latest([_of_code(value.node, names), _of_code(value.none, names)])
    return "run"


def latest(stages: list[str | None]) -> str:
    """Return the latest of several stages."""
    return max((each for each in stages if each is not None), key=ORDER.index, default="config")


def _is_lookup(node: ast.expr) -> bool:
    """Tell whether code only looks a value up that was computed before the run."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        return node.value.id == "x"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_found", "_settled"):
        return True
    return False


def _of_code(node: ast.expr | None, names: Mapping[str, str]) -> str:
    if node is None:
        return "config"
    stage = "config"
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
            owner = each.value.id
            if owner == "v" or (owner == "s" and each.attr not in _OF_THE_BAR | {"current_price"}):
                return "run"
            if owner == "s":
                stage = latest([stage, "bar"])
        elif isinstance(each, ast.Name):
            if each.id in ("x", "bars", "minutes"):
                stage = latest([stage, "bar"])
            elif each.id not in _FREE and not each.id.startswith("_"):
                stage = latest([stage, names.get(each.id, "run")])
            elif each.id.startswith("_") and each.id in _OF_THE_RUN:
                return "run"
    return stage


#: Kernels that read the run's state from the record itself.
_OF_THE_RUN = frozenset(
    "_available_margin _portfolio_value _position_value _position_pnl _position_roi _position_total_cost "
    "_liquidation_price _bankruptcy_price _average_entry_price _average_exit _liquidate".split()
)
