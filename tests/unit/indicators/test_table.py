"""The page of all indicators."""

import doctest
import importlib.util
from pathlib import Path

import fastbt.indicators as ta

ROOT = Path(__file__).resolve().parents[3]


def load_tool():
    spec = importlib.util.spec_from_file_location("indicator_table", ROOT / "tools" / "indicator_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page__is_up_to_date():
    tool = load_tool()
    assert doctest.testmod(tool).failed == 0
    assert tool.TARGET.read_text() == tool.text(), "run python tools/indicator_table.py"


def test_tolerances__are_of_indicators_that_numpy_runs():
    tool = load_tool()
    assert set(tool.TOLERANCE) <= {name for name, each in ta.REGISTRY.items() if each.python is not None}
