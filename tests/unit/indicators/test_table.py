"""The page of all indicators."""

import doctest

import numpy as np
import pytest
from indicator_cases import walk
from indicator_table_tool import load_tool

import fastbt.indicators as ta


def test_page__is_up_to_date():
    tool = load_tool()
    assert doctest.testmod(tool).failed == 0
    assert tool.TARGET.read_text() == tool.text(), "run python tools/indicator_table.py"


def test_tolerances__are_of_indicators_that_numpy_runs():
    tool = load_tool()
    assert set(tool.TOLERANCE) <= {name for name, each in ta.REGISTRY.items() if each.python is not None}


@pytest.mark.parametrize(
    "name", sorted(name for name, each in ta.REGISTRY.items() if each.function.__module__.startswith("fastbt."))
)
def test_memory__is_what_the_kernel_does(name):
    tool = load_tool()
    described = ta.get(name)
    memory = tool.memory_of(described).split(":")[0]
    source_type, params, _ = described.encode()
    candles = np.hstack([walk(900, 3, 0.01), walk(900, 4, 0.01)]) if described.second_candles else walk(900, 3, 0.01)
    ends = []
    for visible in (candles, candles[450:]):
        data = described.arranged(described.select(visible, source_type, params), params)
        out = np.empty((len(described.fields), len(data)))
        with np.errstate(all="ignore"):
            described.evaluate(data, np.array(params), out, sequential=True, window=0)
        ends.append(out[:, -200:])
    whole, part = ends
    if memory == "window":
        np.testing.assert_array_equal(part, whole)
    elif memory in ("rolled", "recursive", "by matype"):
        # What was before the 450 rows is in the last digits, or has almost been forgotten.
        share = 1e-6 if memory == "rolled" else 0.1
        size = np.nanmax(np.abs(whole), axis=1, keepdims=True)
        assert np.nanmax(np.abs(part - whole) / np.maximum(size, 1e-6)) < share
    elif memory == "cumulative" and name != "vwap":
        assert not np.allclose(part, whole, rtol=1e-3)
