"""The page of all indicators."""

import doctest

from indicator_table_tool import load_tool

import fastbt.indicators as ta


def test_page__is_up_to_date():
    tool = load_tool()
    assert doctest.testmod(tool).failed == 0
    assert tool.TARGET.read_text() == tool.text(), "run python tools/indicator_table.py"


def test_tolerances__are_of_indicators_that_numpy_runs():
    tool = load_tool()
    assert set(tool.TOLERANCE) <= {name for name, each in ta.REGISTRY.items() if each.python is not None}
