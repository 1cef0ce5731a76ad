"""Every strategy of the corpus gives the same run compiled and interpreted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import corpus_check
import pytest

TESTS = Path(corpus_check.__file__).parent


#: Half a minute, in which 19 of 20 functions of the compiler are used; the whole corpus takes minutes as plain Python.
QUICK = """
    arrays.ChangedInPlace arrays.HelperReturnsArrayAndNumber
    callbacks.LargerIndicatorLagged callbacks.WindowOfIndicator containers.DictThatGrows
    containers.EnumerateZipReversed containers.ListMethods containers.LocalList containers.LocalListOfStaticLength
    containers.NamedTupleLevels containers.NumpyArrays exceptions.RaisedAndCaught exceptions.UncaughtPassesOn
    foreign.FieldOfWords foreign.MasksOfArrays foreign.OfPandasValues foreign.OwnOfLargerTimeframe language.AllOver
    language.CountOver language.WhileLoop moments.FormattedTime moments.OwnTradingHours
    moments.TradingHoursOfHyperparameter on_demand.PeriodOfTheLastTrade orders.OrderAndTrade
    orders.ReadsBackInFilters orders.ReadsBackNone slices.WithoutTheNewestSequential structure.CachedTuple
    structure.FStringsAndNames structure.FunctionInside structure.GetattrAndHasattr structure.Lambdas
    structure.LocalImport structure.MatchStatement structure.StarArguments
""".split()


def check_all(warm_up_candles: int, *wanted: str) -> dict[str, int]:
    """Return the number of trades of each strategy, none of which differs."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, str(TESTS / "corpus_check.py"), str(warm_up_candles)]
    command += [str(corpus_check.CORPUS / each.replace(".", ".py:")) for each in wanted]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {key.split()[0]: each["trades"] for key, each in json.loads(done.stdout).items()}


def test_corpus__equals_interpreted():
    trades = check_all(20, *QUICK)
    assert len(trades) == len(QUICK)
    # A strategy that never trades proves nothing; this one raises on purpose.
    assert {key for key, count in trades.items() if count == 0} == {"exceptions.UncaughtPassesOn"}


@pytest.mark.slow
def test_corpus__equals_interpreted_all():
    trades = check_all(20)
    assert len(trades) == len(corpus_check.strategies())
    # What raises on purpose has no result; of the last one both averages are the same over so few rows.
    assert {key for key, count in trades.items() if count == 0} == {
        "exceptions.UncaughtPassesOn",
        "language.RaisesInTheMiddle",
        "language.AssertsInTheMiddle",
        "slices.LastRowsByHyperparameter",
    }


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
