"""Every strategy of the corpus gives the same run compiled and interpreted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import corpus_check
import pytest

TESTS = Path(corpus_check.__file__).parent


def test_corpus__equals_interpreted():
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, str(TESTS / "corpus_check.py")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert len(report) == 2 * len(corpus_check.strategies())
    # A strategy that never trades proves nothing; those that raise on purpose, or cannot with few rows, are known.
    silent = {key for key, each in report.items() if each["trades"] == 0}
    assert silent <= {
        "language.RaisesInTheMiddle warm-up 240",
        "language.RaisesInTheMiddle warm-up 20",
        "language.AssertsInTheMiddle warm-up 240",
        "language.AssertsInTheMiddle warm-up 20",
        "slices.LastRowsByHyperparameter warm-up 20",
    }


@pytest.mark.compiled
@pytest.mark.parametrize("strategy", ["language.py:StringStateOrNone"])
def test_corpus__equals_interpreted_in_machine_code(strategy):
    n_trades, differing = corpus_check.check(str(corpus_check.CORPUS / strategy))
    assert n_trades > 10
    assert differing == []


@pytest.mark.slow
@pytest.mark.parametrize("strategy", corpus_check.strategies())
def test_corpus__equals_interpreted_in_machine_code_all(strategy):
    _, differing = corpus_check.check(strategy)
    assert differing == []
