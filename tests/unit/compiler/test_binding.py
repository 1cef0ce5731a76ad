"""Binding many sets by column gives each of them what binding it alone gives."""

import numpy as np
import pytest
from compiled_snippets import strategy_text
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbt.compiler.binding import Expression
from fastbt.compiler.load import load_strategy
from fastbt.compiler.program import CompiledStrategy
from fastbt.compiler.sets import SetTable
from fastbt.compiler.values import Config, parse
from fastbt.engine.account import Account

STRATEGY = """
def hyperparameters(self):
    return [
        {"name": "period", "type": int, "min": 0, "max": 9, "default": 4},
        {"name": "factor", "type": float, "min": 0.0, "max": 2.0, "default": 1.5},
        {"name": "kind", "type": "categorical", "options": ["close", "hl2", "nonsense"], "default": "close"},
        {"name": "wide", "type": bool, "default": True},
    ]

@property
def average(self):
    return ta.ema(ta.sma(self.candles, self.hp["period"] + 2, self.hp["kind"], sequential=True), 5)

def should_long(self):
    limit = 100 / self.hp["factor"] if self.hp["wide"] else 1 - self.hp["factor"] * 0.5
    band = ta.bollinger_bands(self.candles, self.hp["period"], self.hp["factor"], source_type=self.hp["kind"])
    return self.average > limit and band.upperband > self.price
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    file = tmp_path_factory.mktemp("strategy") / "Bound.py"
    file.write_text(strategy_text(STRATEGY))
    return CompiledStrategy(load_strategy(file), Account())


sets = st.lists(
    st.fixed_dictionaries(
        {
            "period": st.integers(0, 9),
            "factor": st.sampled_from([0.0, 0.5, 1.5, 1.5000001]) | st.floats(0.0, 2.0),
            "kind": st.sampled_from(["close", "hl2", "nonsense"]),
            "wide": st.booleans(),
        }
    ),
    min_size=1,
    max_size=25,
)


def meaning(binding, row, compiled):
    """What a record says: row numbers stand for series, and each binding counts them its own way."""
    if row in binding.errors:
        return binding.errors[row]
    key_of = {first: key for key, first in binding.series.items()}
    record = binding.configs[row]
    told = {}
    for name in binding.configs.dtype.names:
        value = record[name].tolist()
        told[name] = key_of[value] if name in compiled.binder.row_fields else value
    return told


@given(sets)
def test_bind__by_column_equals_one_by_one(made, given):
    together = made.bind(given)
    for row, each in enumerate(given):
        assert meaning(together, row, made) == meaning(made.bind([each]), 0, made)
    rows = sorted(together.series.values())
    assert len(set(rows)) == len(rows) and together.n_rows > rows[-1] if rows else together.n_rows == 0


@given(sets)
def test_bind__names_each_series_after_what_it_is_computed_from(made, given):
    order = list(made.bind(given).series)
    for i, key in enumerate(order):
        if isinstance(key.source, tuple):
            assert key.source[0] in order[:i]


def test_bind__does_not_compute_series_for_sets_that_cannot_run(made):
    fine = {"period": 5, "factor": 1.5, "kind": "close", "wide": True}
    binding = made.bind([fine, {**fine, "factor": 0.0, "period": 9}])
    assert list(binding.errors) == [1] and "ZeroDivisionError" in binding.errors[1]
    assert list(binding.series) == list(made.bind([fine]).series)


# --- expressions ----------------------------------------------------------------------------------------------------

ARITHMETIC = ["hp['a']", "-hp['a']", "1 - hp['a']", "hp['a'] * hp['b'] + 3", "hp['a'] / 7 - 0.1", "+hp['b'] - hp['a']"]
floats = st.floats(allow_nan=False, allow_infinity=True)


@pytest.mark.parametrize("text", ARITHMETIC)
@given(st.lists(st.tuples(floats, floats), min_size=1, max_size=10))
@settings(max_examples=30)
def test_at_once__is_what_python_computes_bit_for_bit(made, text, pairs):
    expression = Expression(Config(parse(text), 1.0), made.program, {})
    table = SetTable.of({"a": [a for a, _ in pairs], "b": [b for _, b in pairs]})
    found = expression.at_once(table)
    assert found is not None
    expected = np.array([eval(text, {"hp": hp}) for hp in table])
    assert found.tobytes() == expected.tobytes() or np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize(
    "text", ["hp['a'] / hp['b']", "hp['a'] ** 2", "hp['a'] // 2", "hp['a'] / 0", "max(hp['a'], 1)", "hp['a'] < 1"]
)
def test_at_once__leaves_to_python_what_may_raise_or_differ(made, text):
    expression = Expression(Config(parse(text), 1.0), made.program, {})
    assert expression.at_once(SetTable.of({"a": [1.0, 2.0], "b": [0.0, 1.0]})) is None


def test_at_once__leaves_whole_numbers_to_python(made):
    # numpy's would wrap around.
    expression = Expression(Config(parse("hp['a'] * hp['a']"), 1), made.program, {})
    table = SetTable.of({"a": [2**40, 3]})
    assert expression.at_once(table) is None
    assert expression(table[0]) == 2**80
