"""The corpus of small strategies under Jesse: identical, trade for trade."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "corpus_parity.py"


def run(n_sets: int, only: str) -> dict:
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONWARNINGS": "ignore"}
    environment.pop("PYTEST_CURRENT_TEST", None)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(n_sets), only], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.jesse
@pytest.mark.parametrize(
    "only", ["timeframes.", "slices.Window", "callbacks.Larger", "foreign.Own", "on_demand.Changing"]
)
def test_corpus__equals_jesse(only):
    report = run(1, only)
    assert len(report) >= 5
    assert all(each["trades"] > 2 for each in report.values())


@pytest.mark.slow
@pytest.mark.jesse
def test_corpus__equals_jesse_all():
    assert len(run(3, "")) > 60
