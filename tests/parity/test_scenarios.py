"""One strategy for each rule of the specification, in Jesse, interpreted and compiled: see `strategies/`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from parity import scenarios

from fastbt.oracle import jesse_available

pytestmark = [
    pytest.mark.jesse,
    pytest.mark.compiled,
    pytest.mark.skipif(not jesse_available(), reason="Jesse is not installed"),
]

LABELS = [f"{Path(each.rpartition(':')[0]).stem}.{each.rpartition(':')[2]}" for each in scenarios.names()]
#: Exceptions of specification 2.9 that a run is seen to end in, here.
EXCEPTIONS = {
    "InvalidStrategy",
    "InvalidShape",
    "ConflictingRules",
    "OrderNotAllowed",
    "InsufficientMargin",
    "InsufficientBalance",
    "RouteNotFound",
    "ValueError",
    "TypeError",
    "KeyError",
    "IndexError",
    "AttributeError",
    "AssertionError",
    "ZeroDivisionError",
    "RuntimeError",
}
#: What need not compile: it is no mistake of a run, but one that the compiler finds.
NOT_COMPILED = 16


@pytest.fixture(scope="module")
def report():
    """In a process of its own: Jesse behaves differently under pytest. Some 25 s."""
    command = [sys.executable, "-m", "parity.scenarios"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("label", [each for each in LABELS if each.split(".")[0] in scenarios.RULES])
def test_rule__is_jesses(report, label):
    found = report[label]
    assert (found["jesse"], found["interpreted"], found["compiled"]) == ("completed", "identical", "identical")
    assert found["covers"] and found["orders"] > 0 and found["calls"] > 1


@pytest.mark.parametrize("label", [each for each in LABELS if each.startswith("exceptions.")])
def test_exception__is_jesses(report, label):
    found = report[label]
    assert (found["jesse"], found["interpreted"]) == (found["raises"] or "completed", "identical")
    assert found["compiled"] == "identical" or found["compiled"].startswith("refused: ")


def test_exceptions__are_all_provoked(report):
    compiled = [found for label, found in report.items() if found["compiled"] == "identical"]
    assert {found["raises"] for found in report.values()} >= EXCEPTIONS
    assert len([found for found in compiled if found["raises"]]) > 25
    assert sum(found["compiled"].startswith("refused: ") for found in report.values()) <= NOT_COMPILED


@pytest.mark.parametrize("label", [each for each in LABELS if each.startswith("unsupported.")])
def test_what_is_not_simulated__is_said_so(report, label):
    found = report[label]
    if found["refused"]:
        assert found["interpreted"] == found["compiled"] == f"not simulated: {found['refused']}"
    else:
        assert found["interpreted"] == "identical"
        assert found["compiled"] == f"not simulated: {found['refused_compiled']}, the kernel alone"


def test_page__lists_the_rules():
    page = Path(__file__).parents[2] / "docs" / "rules.md"
    assert page.read_text() == scenarios.table(), "cd tests; python -m parity.scenarios --table > ../docs/rules.md"


def test_liquidations__happen(report):
    liquidated = [label for label, found in report.items() if found.get("liquidations")]
    assert {f"loop.{each}" for each in ("IsolatedLong", "IsolatedShort", "LiquidatedWhileOrdersWait")} <= {*liquidated}


@pytest.mark.slow
def test_machine_code__is_jesses():
    """Every one compiled: some 20 minutes."""
    command = [sys.executable, "-m", "parity.scenarios", "--kernel", "machine"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=7200)
    assert done.returncode == 0, done.stderr
    for label, found in json.loads(done.stdout.splitlines()[-1]).items():
        assert "compiled\n" not in found["compiled"], f"{label}: {found['compiled']}"
        assert "crashed" not in found["compiled"], f"{label}: {found['compiled']}"
