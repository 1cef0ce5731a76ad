"""Functions that a strategy may call on numbers: which kernel code each one is.

A call whose arguments are all known in the config stage never gets here: Python evaluates it once a parameter set.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbt.engine import sizing


@dataclass(frozen=True)
class Function:
    """How to compile a call.

    Attributes
    ----------
    code : str
        Template over the argument names `a`, `b`, ... in the order of the signature.
    type : str
        Result type; "same" is that of the widest argument.
    numpy : bool or None
        Whether the result is a numpy scalar; "args" rules are left to None.
    arguments : int
        How many positional arguments it takes.
    """

    code: str
    type: str
    numpy: bool | None
    arguments: int = 1


_SIMPLE: dict[Callable[..., Any], Function] = {
    builtins.abs: Function("abs(a)", "same", None),
    builtins.float: Function("float(a)", "float", False),
    builtins.bool: Function("bool(a)", "bool", False),
    builtins.int: Function("_integer(s, a)", "int", False),
    math.floor: Function("_floor(s, a)", "int", False),
    math.ceil: Function("_ceil(s, a)", "int", False),
    math.trunc: Function("_integer(s, a)", "int", False),
    math.sqrt: Function("_square_root(s, a)", "float", False),
    math.log: Function("_logarithm(s, a)", "float", False),
    math.log10: Function("_logarithm_10(s, a)", "float", False),
    math.log2: Function("_logarithm_2(s, a)", "float", False),
    math.log1p: Function("_logarithm_1p(s, a)", "float", False),
    math.exp: Function("_exponential(s, a)", "float", False),
    math.sin: Function("math.sin(_finite(s, a))", "float", False),
    math.cos: Function("math.cos(_finite(s, a))", "float", False),
    math.tan: Function("math.tan(_finite(s, a))", "float", False),
    math.atan: Function("math.atan(a)", "float", False),
    math.tanh: Function("math.tanh(a)", "float", False),
    math.degrees: Function("math.degrees(a)", "float", False),
    math.radians: Function("math.radians(a)", "float", False),
    math.atan2: Function("math.atan2(a, b)", "float", False, 2),
    math.hypot: Function("math.hypot(a, b)", "float", False, 2),
    math.copysign: Function("math.copysign(float(a), float(b))", "float", False, 2),
    math.fmod: Function("_remainder(s, float(a), float(b))", "float", False, 2),
    math.fabs: Function("abs(float(a))", "float", False),
    math.isnan: Function("np.isnan(a)", "bool", False),
    math.isinf: Function("np.isinf(a)", "bool", False),
    math.isfinite: Function("np.isfinite(a)", "bool", False),
    np.abs: Function("abs(a)", "same", True),
    np.fabs: Function("abs(float(a))", "float", True),
    np.sqrt: Function("np.sqrt(float(a))", "float", True),
    np.log: Function("np.log(float(a))", "float", True),
    np.exp: Function("np.exp(float(a))", "float", True),
    np.log10: Function("np.log10(float(a))", "float", True),
    np.log2: Function("np.log2(float(a))", "float", True),
    np.log1p: Function("np.log1p(float(a))", "float", True),
    np.tanh: Function("np.tanh(float(a))", "float", True),
    np.sin: Function("np.sin(float(a))", "float", True),
    np.cos: Function("np.cos(float(a))", "float", True),
    np.arctan: Function("np.arctan(float(a))", "float", True),
    np.square: Function("(a * a)", "same", True),
    np.rint: Function("np.rint(float(a))", "float", True),
    np.trunc: Function("np.trunc(float(a))", "float", True),
    np.logical_not: Function("not a", "bool", True),
    np.logical_and: Function("(a != 0 and b != 0)", "bool", True, 2),
    np.logical_or: Function("(a != 0 or b != 0)", "bool", True, 2),
    np.nan_to_num: Function("_number_for_nan(float(a))", "float", True),
    np.floor: Function("np.floor(float(a))", "float", True),
    np.ceil: Function("np.ceil(float(a))", "float", True),
    np.sign: Function("np.sign(float(a))", "float", True),
    np.isnan: Function("np.isnan(a)", "bool", True),
    np.isinf: Function("np.isinf(a)", "bool", True),
    np.isfinite: Function("np.isfinite(a)", "bool", True),
    np.minimum: Function("np.minimum(a, b)", "same", True, 2),
    np.maximum: Function("np.maximum(a, b)", "same", True, 2),
    np.float64: Function("float(a)", "float", True),
}

#: Jesse's helpers: template over the names of their own arguments.
_HELPERS: dict[str, Function] = {
    "size_to_qty": Function("_size_to_qty(s, position_size, entry_price, precision, fee_rate)", "float", False),
    "qty_to_size": Function("_qty_to_size(s, qty, price)", "float", None),
    "risk_to_qty": Function(
        "_risk_to_qty(s, capital, risk_per_capital, entry_price, stop_loss_price, precision, fee_rate)",
        "float",
        False,
    ),
    "risk_to_size": Function(
        "_risk_to_size(s, capital_size, risk_percentage, risk_per_qty, entry_price)", "float", None
    ),
    "estimate_risk": Function("_estimate_risk(s, entry_price, stop_price)", "float", None),
    "kelly_criterion": Function("_kelly_criterion(s, win_rate, ratio_avg_win_loss)", "float", None),
}


def simple_function(function: Any) -> Function | None:
    """Return how a function of numbers compiles, or None."""
    try:
        return _SIMPLE.get(function)
    except TypeError:
        return None


_REDUCTIONS: dict[Callable[..., Any], tuple[str, str]] = {
    builtins.max: ("_builtin_max", "float"),
    builtins.min: ("_builtin_min", "float"),
    builtins.sum: ("_builtin_sum", "float"),
    np.max: ("_window_max", "float"),
    np.min: ("_window_min", "float"),
    np.amax: ("_window_max", "float"),
    np.amin: ("_window_min", "float"),
    np.sum: ("_window_sum", "float"),
    np.mean: ("_window_mean", "float"),
    np.std: ("_window_std", "float"),
    np.argmax: ("_window_argmax", "int"),
    np.argmin: ("_window_argmin", "int"),
}


def reduction(function: Any) -> tuple[str, str] | None:
    """Return kernel and type of a reduction of one series to a number, or None."""
    return _REDUCTIONS.get(function)


def helper_function(function: Any) -> Function | None:
    """Return how one of Jesse's helpers compiles, or None."""
    found = getattr(function, "__name__", "")
    if getattr(sizing, found, None) is function:
        return _HELPERS.get(found)
    return None


def supported_functions() -> list[str]:
    """Return the names of all functions above, for messages."""
    names = [f"{each.__module__}.{each.__name__}" for each in _SIMPLE if each.__module__ != "builtins"]
    return sorted(
        [*names, *(f"utils.{each}" for each in _HELPERS), "utils.crossed", "min", "max", "abs", "int", "float"]
    )
