"""The reference engine against the installed Jesse: every hook call, order, trade and equity sample, bit for bit."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from parity.cases import MODES

from fastbt.oracle import jesse_available

pytestmark = [pytest.mark.jesse, pytest.mark.skipif(not jesse_available(), reason="Jesse is not installed")]

TESTS = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def tallies():
    """A bounded slice of the fuzzer, in a process of its own: Jesse behaves differently under pytest."""
    command = [sys.executable, "-m", "parity.fuzz", "--cases", "6", "--json"]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, timeout=600)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("mode", MODES)
def test_reference__equals_jesse(tallies, mode):
    tally = tallies[mode]
    assert tally["differences"] == []
    assert tally["calls"] > 500
    if mode == "errors":
        assert sum(tally["exceptions"].values()) > 0
    else:
        assert tally["trades"] > 5


def test_reference__liquidates_as_jesse_does(tallies):
    assert tallies["isolated"]["liquidations"] > 0
