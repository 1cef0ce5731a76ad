"""What Python computes before the run: refusals that name the bar, what is known only when it runs, what is called."""

import numpy as np
import pytest
from compiled_snippets import strategy_text

from fastbt.compiler.load import load_strategy
from fastbt.compiler.lower import PythonSlot
from fastbt.compiler.program import CompiledStrategy
from fastbt.engine.account import Account
from fastbt.engine.python_series import Expression, PythonKey, fill_python_series
from fastbt.errors import CompileError, IndicatorError

HEAD = """
import random

CALLS = []


def centred(closes):
    return closes - closes.mean()


def future(closes):
    return np.append(closes[1:], closes[-1])


def rounded(closes):
    return np.cumsum(closes[::-1])[::-1] * 0 + closes * (1 + 1e-16 * len(closes))


def writes(candles):
    candles[:, 2] = 1
    return candles[:, 2]


def noise(candles):
    return random.random()


def last(closes):
    return float(centred(closes)[-1])


def pair(candles, n=2):
    CALLS.append(len(candles))
    return candles[:, 2] * n, candles[:, 1]
"""


def compiled(body, folder, **options):
    file = folder / "Market.py"
    file.write_text(HEAD.join(strategy_text(body).split("LEVELS = (0, 3, 5)")))
    return CompiledStrategy(load_strategy(file), Account(), **options)


def signal(line):
    return f"def should_long(self):\n    return {line}\n"


@pytest.mark.parametrize(
    ("line", "underlined", "message"),
    [
        ("future(self.candles[:, 2])[-1] > 1", "future(self.candles[:, 2])", "this looks ahead: at bar 294 of made-up"),
        (
            "centred(self.candles[:, 2])[-1] > 1",
            "centred(self.candles[:, 2])",
            "A function that returns the last value",
        ),
        ("noise(self.candles) > 1", "noise(self.candles)", "not the same in two calls"),
        (
            "np.datetime64(1, 's') < self.candles[:, 2].astype('U9')[-1]",
            "self.candles[:, 2].astype('U9')",
            "an array of",
        ),
        (
            "np.linalg.inv(self.candles[-3:])[0, 0] > 1",
            "np.linalg.inv(self.candles[-3:])",
            "this raised LinAlgError when",
        ),
        (
            "np.linalg.norm(self.index) > 1",
            "np.linalg.norm(self.index)",
            "norm() is not compiled on values that change",
        ),
    ],
)
def test_refusal__names_the_bar_and_the_supported_way(line, underlined, message, tmp_path):
    with pytest.raises(CompileError) as caught:
        compiled(signal(line), tmp_path)
    error = caught.value
    assert message in str(error)
    source, marks = str(error).splitlines()[-2:]
    assert source[marks.index("^") :][: marks.count("^")] == underlined


def test_a_last_value__is_compiled_where_the_array_is_not(tmp_path):
    slots = list(compiled(signal("last(self.candles[:, 2]) > 1"), tmp_path).program.slots.values())
    assert [each.per_bar for each in slots] == [True]


def test_equal_calls__are_one_series_and_differ_by_their_arguments(tmp_path):
    body = """
    def hyperparameters(self):
        return [{"name": "n", "type": int, "min": 2, "max": 9, "default": 4}]

    def should_long(self):
        first, second = pair(self.candles, self.hp["n"])
        return first[-1] > second[-1] and pair(self.candles, self.hp["n"])[0][-2] > pair(self.candles)[1][-1]
    """
    made = compiled(body, tmp_path)
    slots = [each for each in made.program.slots.values() if isinstance(each, PythonSlot)]
    assert len(slots) == 2
    binding = made.bind([{"n": 4}, {"n": 5}, {"n": 4}])
    assert len(binding.series) == 3
    rows = binding.configs[slots[0].field]
    assert rows[0] == rows[2] != rows[1]


def key_of(function, per_bar=False):
    expression = Expression("it", compile("f(candles)", "<test>", "eval"), {"f": function}, lambda word: len(word))
    return PythonKey(expression, (), (("candles", ""),), per_bar, 1, 0, 240)


def filled(function, n=60, per_bar=False, first_bar=5):
    key = key_of(function, per_bar)
    bars = np.arange(6.0 * n).reshape(n, 6)
    out = np.empty((key.n_rows, n))
    fill_python_series(key, bars, out, None, None, first_bar)
    return out


def test_a_series__is_checked_on_the_candles_of_the_run():
    def late(candles):
        closes = candles[:, 2].copy()
        if len(candles) > 50:
            closes[33] = closes[-1]
        return closes

    with pytest.raises(IndicatorError, match="it looks ahead: at bar 33 it is 200.0 with 34 bars, and 356.0 once"):
        filled(late)


def test_a_series__that_changes_by_rounding_is_refused_too():
    with pytest.raises(IndicatorError, match="changes its older values by rounding"):
        filled(lambda candles: candles[:, 2] * (1 + 1e-15 * len(candles)))


def test_a_series__must_not_write_into_its_candles():
    def writes(candles):
        candles[0, 0] = -1.0
        return candles[:, 2]

    with pytest.raises(IndicatorError, match="it writes into its candles; work on a copy"):
        filled(writes)


def test_a_series__must_be_as_long_as_its_candles():
    with pytest.raises(IndicatorError, match=r"returned an array of the shape \(57,\) for 60 rows"):
        filled(lambda candles: candles[3:, 2])


def test_numbers__are_asked_for_from_the_first_bar_on():
    lengths = []

    def count(candles):
        lengths.append(len(candles))
        return None if len(candles) == 8 else candles[-1, 2]

    values, flags = filled(count, n=10, per_bar=True)
    assert lengths == [6, 7, 8, 9, 10]
    assert values[5:].tolist() == [32.0, 38.0, 0.0, 50.0, 56.0]
    assert flags.tolist() == [0.0] * 7 + [1.0, 0.0, 0.0]


def test_exceptions__wait_until_the_strategy_asks():
    values, flags = filled(lambda candles: 1 / (len(candles) - 7), n=8, per_bar=True)
    assert flags.tolist() == [0.0] * 6 + [10.0, 0.0]  # ZeroDivisionError is status 8
    assert values[7] == 1.0
