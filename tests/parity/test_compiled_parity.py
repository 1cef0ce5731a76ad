"""Compiled strategies against the reference engine: generated ones, and our examples."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz_compiled import Tally, compare_metrics, first_difference, outcome_of, run_seed

from fastbt.backtest import Session, Setup
from fastbt.data import CandleSet
from fastbt.engine.account import Account
from fastbt.types import Mode

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.name for path in (ROOT / "strategies").iterdir() if (path / "__init__.py").is_file())

pytestmark = pytest.mark.compiled
_SLOW = pytest.mark.slow


@pytest.fixture(scope="module")
def fuzzed():
    """A slice of the fuzzer, where generated code runs as plain Python: some 30 s."""
    command = [sys.executable, str(ROOT / "tests" / "fuzz_compiled.py"), "--count", "44", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_generated_strategies__equal_the_reference(fuzzed):
    assert fuzzed["differences"] == {}


def test_generated_strategies__are_worth_comparing(fuzzed):
    assert fuzzed["seeds"] == 44
    assert fuzzed["trades"] > 800
    assert fuzzed["liquidations"] > 2
    assert min(fuzzed["fills"][kind] for kind in ("MARKET", "LIMIT", "STOP")) > 130
    assert len(fuzzed["exceptions"]) > 3
    assert fuzzed["idle"] + sum(fuzzed["refused"].values()) + fuzzed["undecided"] < 8
    assert fuzzed["walked"] > 6


@pytest.mark.parametrize(
    ("seed", "mode"),
    [(756, "cross"), pytest.param(706, "isolated", marks=_SLOW), pytest.param(705, "spot", marks=_SLOW)],
)
def test_generated_strategy__as_machine_code_equals_the_reference(seed, mode, tmp_path):
    tally = Tally()
    run_seed(seed, tally, tmp_path, mode=mode)
    assert tally.differences == {}
    assert tally.trades > 40


@pytest.mark.parametrize("name", EXAMPLES)
def test_example__as_machine_code_equals_the_reference(name):
    account = Account(leverage=2, warm_up_candles=210)
    if name == "BollingerSpot":
        account = Account(mode=Mode.SPOT, warm_up_candles=210)
    candles = CandleSet.load("BTC-USD")
    setup = Setup.from_candles(account, candles, "1h", "2019-02-01", "2019-03-01")
    session = Session(ROOT / "strategies" / name, setup)
    ours, theirs = outcome_of(session.run), outcome_of(session.run_interpreted)
    assert "trades" in theirs and len(theirs["trades"]) > 2
    metrics = ours.pop("metrics"), theirs.pop("metrics")
    assert first_difference(ours, theirs) is None
    assert compare_metrics(*metrics) is None
