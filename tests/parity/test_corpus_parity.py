"""The corpus of small strategies under Jesse: identical, trade for trade."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "corpus_parity.py"


#: What stands in their names; the whole corpus takes minutes.
QUICK = ("timeframes.I", "timeframes.S", "slices.WindowM", "callbacks.Larger", "foreign.OwnN", "on_demand.ChangingI")


def run(n_sets: int, *wanted: str) -> dict:
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONWARNINGS": "ignore"}
    environment.pop("PYTEST_CURRENT_TEST", None)
    command = [sys.executable, str(SCRIPT), str(n_sets), *wanted]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.jesse
def test_corpus__equals_jesse():
    report = run(1, *QUICK)
    for text in QUICK:
        trades = [each["trades"] for name, each in report.items() if text in name]
        assert len(trades) >= 2
        assert min(trades) > 2


@pytest.mark.slow
@pytest.mark.jesse
def test_corpus__equals_jesse_all():
    assert len(run(3)) > 60
