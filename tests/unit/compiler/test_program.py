"""From a strategy to a module: types of variables, kinds of hyper-parameters, the cached file."""

import numpy as np
import pytest
from candle_generators import make_candles
from compiled_snippets import strategy_text

from fastbt._cache import code_cache
from fastbt.backtest import Session, Setup
from fastbt.compiler.emit import load_module
from fastbt.compiler.load import load_strategy
from fastbt.compiler.program import CompiledStrategy
from fastbt.engine.account import Account

HYPERPARAMETERS = """
def hyperparameters(self):
    return [
        {"name": "period", "type": int, "min": 2, "max": 9, "default": 4},
        {"name": "share", "type": float, "min": 0.1, "max": 0.9, "default": 0.5},
        {"name": "kind", "type": "categorical", "options": ["fast", "slow"], "default": "fast"},
        {"name": "both", "type": bool, "default": True},
    ]

def should_long(self):
    fast = self.hp["kind"] == "fast"
    return fast and self.hp["both"] and self.price * self.hp["share"] > ta.sma(self.candles, self.hp["period"])
"""


def compiled(body, folder, **options):
    file = folder / "Compiled.py"
    file.write_text(strategy_text(body))
    return CompiledStrategy(load_strategy(file), Account(), **options)


def session_of(body, folder):
    file = folder / "Run.py"
    file.write_text(strategy_text(body))
    minutes = make_candles(100)
    return Session(file, Setup.from_arrays(Account(), "BTC-USDT", "5m", minutes, np.empty((0, 6))))


# --- variables ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("initial", "assigned", "fields"),
    [
        ("0", "self.x + 1", {"x": np.int64}),
        ("0", "self.x / 2", {"x": np.float64}),
        ("0.0", "self.index", {"x": np.float64}),
        ("False", "self.index > 3", {"x": np.bool_}),
        ("False", "self.index", {"x": np.int64}),
        ("None", "self.index", {"x": np.int64, "x_none": np.bool_}),
        ("None", "self.price", {"x": np.float64, "x_none": np.bool_}),
        ("3", "None", {"x": np.int64, "x_none": np.bool_}),
    ],
)
def test_variables__have_the_widest_type_that_is_assigned(initial, assigned, fields, tmp_path):
    body = (
        f"def __init__(self):\n    super().__init__()\n    self.x = {initial}\n"
        f"def after(self):\n    self.x = {assigned}\n"
    )
    dtype = compiled(body, tmp_path).variables_dtype
    assert {key: dtype[key].type for key in dtype.names if key != "unused"} == fields


def test_variables__widen_through_one_another(tmp_path):
    body = (
        "def __init__(self):\n    super().__init__()\n    self.a = self.b = self.c = 0\n"
        "def before(self):\n    self.a = self.b\n    self.b = self.c\n    self.c = self.c + 0.5\n"
    )
    dtype = compiled(body, tmp_path).variables_dtype
    assert [dtype[key].type for key in "abc"] == [np.float64] * 3


def test_variables__that_are_set_later_know_whether_they_are(tmp_path):
    body = "def after(self):\n    self.vars['late'] = self.price\n"
    dtype = compiled(body, tmp_path).variables_dtype
    assert dtype["vars_late_set"].type is np.bool_


def test_variables__that_never_change_are_constants(tmp_path):
    body = "def __init__(self):\n    super().__init__()\n    self.n = 3\n    self.vars['m'] = 2\n"
    body += "def should_long(self):\n    return self.index % self.n == self.vars['m']\n"
    made = compiled(body, tmp_path)
    assert made.variables_dtype.names == ("unused",)
    assert "_modulo(s, s.index, 3) == 2" in made.text


# --- hyper-parameters -----------------------------------------------------------------------------------------------


def test_runner_for__keeps_the_kernels_for_sets_of_the_same_types(tmp_path):
    session = session_of(HYPERPARAMETERS, tmp_path)
    defaults = session.source.defaults
    first = session.runner_for(defaults)
    assert session.runner_for({**defaults, "period": 7, "share": 0.2, "kind": "slow", "both": False}) == first


@pytest.mark.parametrize(("name", "value", "field"), [("period", 4.5, "f8"), ("share", 1, "i8"), ("both", 1, "i8")])
def test_runner_for__makes_kernels_for_other_types(name, value, field, tmp_path):
    session = session_of(HYPERPARAMETERS.replace("ta.sma(self.candles, self.hp", "(self.index + self.hp"), tmp_path)
    first, _ = session.runner_for(session.source.defaults)
    second, _ = session.runner_for({**session.source.defaults, name: value})
    assert second is not first
    assert second.config_dtype[f"hp_{name}"] == np.dtype(field)
    assert session.runner_for({**session.source.defaults, name: value})[0] is second


def test_bind__evaluates_strings_before_the_run(tmp_path):
    made = compiled(HYPERPARAMETERS, tmp_path)
    sets = [{**made.sample, "kind": kind} for kind in ("fast", "slow", "other")]
    binding = made.bind(sets)
    (field,) = [key for key, value in made.program.config_fields.items() if value.sample is True and key != "hp_both"]
    assert binding.configs[field].tolist() == [True, False, False]
    assert binding.errors == {}


def test_bind__shares_series_and_reports_what_makes_no_sense(tmp_path):
    made = compiled(HYPERPARAMETERS, tmp_path)
    sets = [{**made.sample, "period": period} for period in (4, 5, 4, 0)]
    binding = made.bind(sets)
    assert len(binding.series) == 2
    rows = binding.configs["sma_0"].tolist()
    assert rows[0] == rows[2] != rows[1]
    assert list(binding.errors) == [3]
    assert "period" in binding.errors[3]


def test_bind__reports_values_that_cannot_be_computed(tmp_path):
    body = HYPERPARAMETERS.replace('self.price * self.hp["share"]', 'self.price * (1 / self.hp["share"])')
    made = compiled(body, tmp_path)
    binding = made.bind([made.sample, {**made.sample, "share": 0.0}])
    assert list(binding.errors) == [1]
    assert "ZeroDivisionError" in binding.errors[1]


# --- the module -----------------------------------------------------------------------------------------------------


def test_text__is_the_same_every_time(tmp_path):
    texts = {compiled(HYPERPARAMETERS, tmp_path).text for _ in range(3)}
    assert len(texts) == 1


def test_load_module__writes_a_file_and_reuses_it():
    text = '"""Generated by a test."""\nVALUE = object()\n'
    module = load_module(text, "Test")
    file = code_cache() / "strategies" / f"{module.__name__}.py"
    assert file.read_text() == text
    before = file.stat().st_mtime_ns
    assert load_module(text, "Test") is module
    assert file.stat().st_mtime_ns == before
    assert load_module(text + "\n", "Test") is not module


def test_load_module__mends_a_damaged_file():
    text = '"""Generated by a test of damage."""\nVALUE = 1\n'
    module = load_module(text, "Test")
    file = code_cache() / "strategies" / f"{module.__name__}.py"
    file.write_text("VALUE = ")
    import sys

    del sys.modules[module.__name__]
    assert load_module(text, "Test").VALUE == 1
    assert file.read_text() == text


def test_load_module__forgets_a_module_that_fails():
    text = '"""Generated by a test of failure."""\nraise ValueError("on purpose")\n'
    for _ in range(2):
        with pytest.raises(ValueError, match="on purpose"):
            load_module(text, "Test")
