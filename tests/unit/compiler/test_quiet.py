"""Guards: what is left of a hook when each effect becomes `return True`."""

import ast
import textwrap

import pytest

from fastbt.compiler import effects, quiet
from fastbt.compiler.statements import COMMON

HEAD = f"({', '.join(COMMON)}):"


def guard_of(body, *, static, name="update_position", helpers=""):
    """Return the body of the guard of a hook with this body."""
    text = f"def {name}{HEAD}\n" + textwrap.indent(textwrap.dedent(body).strip(), "    ")
    functions = {each.name: each for each in ast.parse(textwrap.dedent(helpers) + "\n" + text).body}
    table = effects.EffectTable({**effects.engine_functions(), **functions})
    guard = quiet.Guard(table, static, returns=name.startswith("should_"))
    function = ast.fix_missing_locations(guard.function(functions[name], "guard"))
    return "\n".join(ast.unparse(each) for each in function.body)


def lines(text):
    return textwrap.dedent(text).strip()


PAIRS = {
    "an effect": ("v.a = 1", "return True", "return True"),
    "nothing at all": ("pass", "return False", "return False"),
    "an effect under a condition of the market": (
        "if x[k.rsi_0, s.bar] > 70:\n    _liquidate(s)",
        "if x[k.rsi_0, s.bar] > 70:\n    return True\nreturn False",
        "if x[k.rsi_0, s.bar] > 70:\n    return True\nreturn False",
    ),
    "an effect under a condition of the run": (
        "if s.current_price < v.stop:\n    _liquidate(s)",
        "if s.current_price < v.stop:\n    return True\nreturn False",
        "return True",
    ),
    "the market's part of a condition stays": (
        "if v.armed and x[k.rsi_0, s.bar] > 70:\n    _liquidate(s)",
        "if v.armed and x[k.rsi_0, s.bar] > 70:\n    return True\nreturn False",
        "if x[k.rsi_0, s.bar] > 70:\n    return True\nreturn False",
    ),
    "the run's part of an alternative may hold": (
        "if v.armed or x[k.rsi_0, s.bar] > 70:\n    _liquidate(s)",
        "if v.armed or x[k.rsi_0, s.bar] > 70:\n    return True\nreturn False",
        "return True",
    ),
    "the side of the position is known": (
        "if s.qty > 0.0 and x[k.rsi_0, s.bar] > 70:\n    _liquidate(s)",
        "if s.qty > 0.0 and x[k.rsi_0, s.bar] > 70:\n    return True\nreturn False",
        "if s.qty > 0.0 and x[k.rsi_0, s.bar] > 70:\n    return True\nreturn False",
    ),
    "its size is not": (
        "if s.qty > 2.0:\n    _liquidate(s)",
        "if s.qty > 2.0:\n    return True\nreturn False",
        "return True",
    ),
    "what precedes the effect stays": (
        "a = x[k.ema_0, s.bar]\nb = v.stop\nif a > b:\n    v.stop = a",
        "a = x[k.ema_0, s.bar]\nb = v.stop\nif a > b:\n    return True\nreturn False",
        "a = x[k.ema_0, s.bar]\nreturn True",
    ),
    "leaving early": (
        "if x[k.a, s.bar] > 1:\n    return\nif s.index % 2 == 0:\n    _liquidate(s)",
        "if x[k.a, s.bar] > 1:\n    return False\nif s.index % 2 == 0:\n    return True\nreturn False",
        "if x[k.a, s.bar] > 1:\n    return False\nif s.index % 2 == 0:\n    return True\nreturn False",
    ),
    "leaving early on a condition of the run": (
        "if v.done:\n    return\nif x[k.a, s.bar] > 1:\n    _liquidate(s)",
        "if v.done:\n    return False\nif x[k.a, s.bar] > 1:\n    return True\nreturn False",
        "if x[k.a, s.bar] > 1:\n    return True\nreturn False",
    ),
    "a division by a state may fail": (
        "if _divide(s, 1.0, v.a) > 2.0:\n    pass",
        "return False",
        "return True",
    ),
    "a name assigned under a condition of the run": (
        "a = 1.0\nif v.done:\n    a = 2.0\nif a > 1.5:\n    _liquidate(s)",
        "a = 1.0\nif v.done:\n    a = 2.0\nif a > 1.5:\n    return True\nreturn False",
        "a = 1.0\nreturn True",
    ),
    "a loop over the market": (
        "n = 0\nfor i in range(5):\n    n = n + x[k.a, _lag(s, 2)]\nif n > 3:\n    _liquidate(s)",
        "n = 0\nfor i in range(5):\n    n = n + x[k.a, _lag(s, 2)]\nif n > 3:\n    return True\nreturn False",
        "n = 0\nfor i in range(5):\n    n = n + x[k.a, _lag(s, 2)]\nif n > 3:\n    return True\nreturn False",
    ),
    "a function that nobody knows": ("theirs(s.bar)", "return True", "return True"),
}


@pytest.mark.parametrize("name", PAIRS)
def test_guard__keeps_conditions_and_returns_at_effects(name):
    body, live, static = PAIRS[name]
    assert (guard_of(body, static=False), guard_of(body, static=True)) == (lines(live), lines(static))


def test_guard__of_a_condition_weakens_what_depends_on_the_run():
    body = "return bool(v.stopped_at != s.index and x[k.a, s.bar] > x[k.b, s.bar])"
    assert guard_of(body, static=True, name="should_long") == "return x[k.a, s.bar] > x[k.b, s.bar]"
    body = "return not (v.busy or x[k.a, s.bar] > 1)"
    assert guard_of(body, static=True, name="should_long") == "return not x[k.a, s.bar] > 1"
    body = "return x[k.a, s.bar] > 1 and _divide(s, 1.0, v.a) > 2.0"
    assert guard_of(body, static=True, name="should_long") == "return x[k.a, s.bar] > 1"
    body = "return _divide(s, 1.0, v.a) > 2.0 and x[k.a, s.bar] > 1"
    assert guard_of(body, static=True, name="should_long") == "return True"


def test_guard__follows_helpers():
    helpers = f"""
        def m_signal{HEAD}
            return x[k.a, s.bar] > 1
        def m_count{HEAD}
            v.n = v.n + 1
            return v.n
    """
    call = f"({', '.join(COMMON)})"
    body = f"return bool(m_signal{call})"
    assert guard_of(body, static=True, name="should_long", helpers=helpers) == f"return m_signal{call}"
    body = f"return m_count{call} > 3"
    assert guard_of(body, static=False, name="should_long", helpers=helpers) == "return True"


def test_engine_functions__have_the_effects_that_guards_rely_on():
    table = effects.EffectTable(effects.engine_functions())
    assert table.of_function("_lag") == effects.Effects(False, True, frozenset({"bar"}))
    assert table.of_function("_liquidate").writes
    assert table.of_function("_submit").writes
    assert not table.of_function("_window_std").writes
    assert "wallet" in table.of_function("_available_margin").reads
    assert table.of_function("no_such_function") == effects.UNKNOWN
