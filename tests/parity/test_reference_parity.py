"""All engines against the installed Jesse: every hook call, order, trade and equity sample, bit for bit."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from parity import cases, chaos

from fastbt.oracle import jesse_available

pytestmark = [
    pytest.mark.jesse,
    pytest.mark.compiled,
    pytest.mark.skipif(not jesse_available(), reason="Jesse is not installed"),
]

TESTS = Path(__file__).parent.parent


def fuzz(*arguments: str) -> dict:
    """Run the fuzzer in a process of its own: Jesse behaves differently under pytest."""
    command = [sys.executable, "-m", "parity.fuzz", *arguments, "--json"]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, timeout=3600)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def random_strategies():
    return fuzz("--modes", *cases.MODES, "--cases", "3")


@pytest.fixture(scope="module")
def compiled_strategies():
    """Their generated code runs as Python: nothing to compile, and every hook call of the kernel is compared."""
    return fuzz("--modes", *chaos.MODES, "--cases", "1", "--seed", "6", "--kernel", "python")


@pytest.mark.parametrize("mode", cases.MODES)
def test_reference__equals_jesse(random_strategies, mode):
    tally = random_strategies[mode]
    assert tally["differences"] == []
    assert tally["calls"] > 300
    if mode == "errors":
        assert sum(tally["exceptions"].values()) > 0
    else:
        assert tally["trades"] > 5


def test_reference__liquidates_as_jesse_does(random_strategies):
    assert random_strategies["isolated"]["liquidations"] > 0


@pytest.mark.parametrize("mode", chaos.MODES)
def test_kernel__equals_jesse(compiled_strategies, mode):
    tally = compiled_strategies[mode]
    assert tally["differences"] == []
    assert tally["trades"] > 20
    assert tally["kernel_trades"] == tally["trades"]
    if mode != "chaos_two_routes":
        assert tally["kernel_calls"] == tally["calls"]


def test_kernel__liquidates_as_jesse_does(compiled_strategies):
    assert compiled_strategies["chaos_isolated"]["liquidations"] > 10


@pytest.mark.slow
def test_machine_code__equals_jesse():
    """Some 4 minutes; for longer: `cd tests; python -m parity.fuzz --trades 200000`."""
    tallies = fuzz("--modes", *chaos.MODES, "--cases", "10", "--seed", "500")
    assert all(tally["differences"] == [] for tally in tallies.values())
    assert sum(tally["kernel_trades"] for tally in tallies.values()) > 5000
