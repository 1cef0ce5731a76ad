"""Plain trades in a sweep, which have a kernel of their own, against backtests, which have an order table and a log."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz_compiled import Tally, run_seed

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.compiled


def fuzz(*options):
    """Return what a run of the fuzzer compared, as plain Python."""
    command = [sys.executable, str(ROOT / "tests" / "fuzz_compiled.py"), *options, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_generated_plain_trades__in_a_sweep_equal_the_backtest():
    """Also under isolated margin, where the kernel of plain trades gives up without a stop before the liquidation."""
    fuzzed = fuzz("--count", "18", "--plain", "3")
    assert fuzzed["differences"] == {}
    assert fuzzed["plain"]["done"] > 20 and fuzzed["plain"]["given up"] > 3
    assert fuzzed["trades"] > 400


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "mode"), [(3, "cross"), (24, "isolated")])
def test_generated_plain_trades__as_machine_code_equal_the_reference(seed, mode, tmp_path):
    tally = Tally()
    run_seed(seed, tally, tmp_path, mode=mode, plain=8)
    assert tally.differences == {}
    assert tally.trades > 20


def test_generated_plain_trades__side_by_side_equal_each_alone():
    """And the reference engine, as above: of each strategy a run in full."""
    fuzzed = fuzz("--seed", "5005", "--count", "3", "--together", "28")
    assert fuzzed["differences"] == {}
    assert fuzzed["plain"]["side by side"] > 24 and fuzzed["trades"] > 120


@pytest.mark.parametrize(("seed", "mode"), [(11, "isolated")])
def test_generated_plain_trades__as_machine_code_side_by_side(seed, mode, tmp_path):
    tally = Tally()
    run_seed(seed, tally, tmp_path, mode=mode, together=24)
    assert tally.differences == {}
    assert tally.plain["side by side"] > 10
