"""Jesse's own test strategies: identical in fastbt, and the page about them is true."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from fastbt.oracle import jesse_available

pytestmark = [
    pytest.mark.jesse,
    pytest.mark.compiled,
    pytest.mark.skipif(not jesse_available(), reason="Jesse is not installed"),
]

TOOL = Path(__file__).parents[2] / "tools" / "jesse_strategies.py"


def load_tool():
    spec = importlib.util.spec_from_file_location("jesse_strategies", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tool():
    return load_tool()


@pytest.fixture(scope="module")
def report(tool):
    """Two of the eleven set-ups: some 15 s."""
    return tool.measure(["--setups", "rise", "two routes"])


def test_interpreted__is_identical(report):
    assert len(report) > 150
    found = {f"{name} in {setup}": run for name, by_setup in report.items() for setup, run in by_setup.items()}
    assert {where: run["interpreted"] for where, run in found.items() if run["interpreted"] != "identical"} == {}
    assert sum(run["trades"] for run in found.values()) > 100
    assert sum(run["jesse"] != "completed" for run in found.values()) > 50


def test_compiled__is_identical_or_says_why_not(report):
    verdicts = [run["compiled"] for by_setup in report.values() for run in by_setup.values()]
    assert [each for each in verdicts if each != "identical" and not each.startswith("refused: ")] == []
    assert verdicts.count("identical") > 170


def test_page__lists_every_strategy_that_compiles(tool, report):
    listed = {row.split(" | ")[0].removeprefix("| "): row for row in tool.PAGE.read_text().splitlines()}
    for name, by_setup in report.items():
        compiles = all(run["compiled"] == "identical" for run in by_setup.values())
        assert listed[name].endswith("| identical |") or not compiles, f"{name}: run tools/jesse_strategies.py"


@pytest.mark.slow
def test_page__is_what_a_run_gives():
    done = subprocess.run([sys.executable, str(TOOL), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
