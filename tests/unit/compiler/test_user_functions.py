"""Functions that a user compiled with numba: called as they are; one that raises ends its own set, and no other."""

import numpy as np
import pytest
from compiled_snippets import make_setup, strategy_text
from numba import njit

import fastbt
from fastbt.backtest import Session
from fastbt.compiler.load import load_strategy
from fastbt.compiler.program import CompiledStrategy
from fastbt.compiler.user_functions import UserFunction, raised_status, result_type
from fastbt.data import CandleSet
from fastbt.engine.account import Account
from fastbt.engine.kernels import _fail
from fastbt.errors import CompileError, SimulationError
from fastbt.types import Status

HEAD = """
from numba import njit


@njit
def checked(x):
    if x % 4 == 3:
        raise ValueError("three")
    return 1.0 / x


@njit
def only_checked(x):
    if x > 3:
        raise ValueError("too large")
    return x + 0.5


@njit
def broken(x):
    return undefined_thing(x)
"""

BODY = """
def hyperparameters(self):
    return [{"name": "step", "type": int, "min": 0, "max": 5, "default": 1}]

def go_long(self):
    self.buy = abs(only_checked(self.hp["step"] + self.trades_count)) / 100, self.price
"""


def written(body, folder):
    file = folder / "Numba.py"
    file.write_text(HEAD.join(strategy_text(body).split("LEVELS = (0, 3, 5)")))
    return file


@njit
def quiet(x):
    return x * 2 if x > 0 else np.sqrt(-x)


@njit
def divides(x):
    return 1 // x + quiet(x)


@njit(error_model="numpy")
def divides_as_numpy(x):
    return 1 / x


@njit
def asserts(x):
    assert x > 0
    return x


@njit
def itself(x):
    return x


@njit
def raises_two(x):
    if x > 3:
        raise KeyError("no")
    return divides(x)


@njit
def reduces(x):
    return np.zeros(x).max()


@pytest.mark.parametrize(
    ("function", "status"),
    [
        (quiet, Status.OK),
        (divides, Status.ZERO_DIVISION_ERROR),
        (divides_as_numpy, Status.OK),
        (asserts, Status.ASSERTION_ERROR),
        (raises_two, Status.USER_FUNCTION_RAISED),
        (reduces, Status.USER_FUNCTION_RAISED),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_status__is_that_of_the_only_exception_a_function_can_raise(function, status):
    if hasattr(function, "py_func"):  # with NUMBA_DISABLE_JIT there are no compiled functions
        assert raised_status(function) == status


def test_result__has_the_type_that_numba_found():
    if hasattr(quiet, "py_func"):
        assert result_type(quiet, ["int"]) == "float"
        assert result_type(itself, ["int"]) == "int"
        assert result_type(itself, ["bool"]) == "bool"


def test_refusal__says_what_numba_says(tmp_path):
    body = "def should_long(self):\n    return broken(self.index) > 1\n"
    with pytest.raises(CompileError, match="numba cannot compile broken for these arguments: NameError"):
        CompiledStrategy(load_strategy(written(body, tmp_path)), Account())


def test_text__calls_what_may_raise_through_what_catches(tmp_path):
    text = CompiledStrategy(load_strategy(written(BODY, tmp_path)), Account()).text
    assert "_caught_0_only_checked(s, k.hp_step + s.trades_count)" in text
    assert f"_fail(s, {int(Status.VALUE_ERROR)})" in text


@pytest.mark.compiled
def test_caught__sets_the_status_in_machine_code():
    function = UserFunction(0, "divides", Status.ZERO_DIVISION_ERROR)
    names = {"user_function": lambda key: divides, "kernel": njit, "_fail": _fail}
    exec(function.text("key", "float", 1), names)
    state = np.zeros(1, dtype=[("status", "i8")])
    assert names[function.caught](state[0], 2) == 4.0
    assert state["status"] == Status.OK
    assert names[function.caught](state[0], 0) == 0.0
    assert state["status"] == Status.ZERO_DIVISION_ERROR


@pytest.mark.compiled
def test_sweep__goes_on_where_a_function_raises(tmp_path):
    file = written(BODY, tmp_path)
    candles = CandleSet.load("BTC-USD")
    result = fastbt.sweep(
        file, candles, timeframe="1h", start="2019-02-01", finish="2019-02-03", space={"step": [-9, 1, 4, 9]}
    )
    ends = dict(zip(result.frame["step"], result.frame["status"], strict=True))
    assert ends[-9] == "ok"
    assert ends[4].startswith("failed: ValueError at bar 1 ")
    assert ends[9].startswith("failed: ValueError at bar 1 ")
    assert ends[1].startswith("failed: ValueError at bar ")
    session = Session(file, make_setup())
    with pytest.raises(SimulationError) as caught:
        session.run_interpreted({"step": 4})
    assert caught.value.exception == "ValueError"
