"""Every strategy of the corpus gives the same run compiled and interpreted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import corpus_check
import pytest

TESTS = Path(corpus_check.__file__).parent


#: Half a minute; the whole corpus takes minutes as plain Python.
QUICK = ("language.py", "slices.py", "timeframes.py")


def check_all(warm_up_candles: int, *files: str) -> dict[str, int]:
    """Return the number of trades of each strategy, none of which differs."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, str(TESTS / "corpus_check.py"), str(warm_up_candles)]
    command += [str(corpus_check.CORPUS / each) for each in files]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {key.split()[0]: each["trades"] for key, each in json.loads(done.stdout).items()}


def test_corpus__equals_interpreted():
    trades = check_all(20, *QUICK)
    assert len(trades) > 50
    # A strategy that never trades proves nothing; those that raise on purpose, or need more rows, are known.
    assert {key for key, count in trades.items() if count == 0} <= {
        "language.RaisesInTheMiddle",
        "language.AssertsInTheMiddle",
        "slices.LastRowsByHyperparameter",
    }


@pytest.mark.slow
def test_corpus__equals_interpreted_all():
    assert len(check_all(20)) == len(corpus_check.strategies())


@pytest.mark.slow
def test_corpus__equals_interpreted_with_jesse_s_warm_up():
    assert sum(check_all(240).values()) > 5000


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
