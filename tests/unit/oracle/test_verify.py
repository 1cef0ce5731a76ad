"""The report counts what was compared, and never calls nothing identical."""

import json

import pytest
from oracle_runs import FAILED, METRICS, a_run, as_jesse_says_it

from fastbt.errors import SimulationError
from fastbt.oracle.verify import VerifyReport, verify_sets


def ours(hyperparameters):
    if hyperparameters == {"period": 0}:
        raise SimulationError("no 'slow'", exception="KeyError")
    return a_run(), METRICS


def theirs(hyperparameters):
    if hyperparameters == {"period": 0}:
        return {**FAILED, "seconds": 0.25}
    answer = as_jesse_says_it(a_run(), METRICS)
    if hyperparameters == {"period": 3}:
        answer["trades"][1]["orders"][0]["price"] += 0.5
    return answer


def test_verify_sets__holds_equal_runs_and_equal_exceptions_identical():
    report = verify_sets(ours, theirs, [None, {"period": 0}, {"period": 7}], subject="Cross on BTC-USDT")
    assert report.identical
    assert (report.n_sets, report.n_trades, report.n_orders) == (3, 6, 18)
    assert report.seconds_jesse == 2.25
    assert report.speedup == pytest.approx(2.25 / report.seconds_fastbt)
    assert report.statuses == {"identical": 2, "identical: KeyError": 1}
    lines = str(report).splitlines()
    assert lines[:2] == ["Cross on BTC-USDT: identical", "  3 sets, 6 trades, 18 orders"]
    assert lines[3:] == ["  1 set identical: KeyError"]


def test_verify_sets__shows_the_first_difference():
    report = verify_sets(ours, theirs, [{"period": 7}, {"period": 3}, {"period": 3}])
    assert not report.identical
    assert report.statuses == {"different": 2, "identical": 1}
    assert [difference.path for difference in report.differences] == ["trades[1].orders[0].price"] * 2
    assert "2 of 3 sets differ" in str(report)
    assert "set 1: period=3\nfirst difference: trades[1].orders[0].price\n  fastbt  101.0\n  Jesse   101.5" in str(
        report
    )


def test_verify_sets__stops_when_asked_and_tells_of_each_set():
    seen = []
    sets = iter([{"period": 3}, {"period": 7}])
    report = verify_sets(ours, theirs, sets, stop_at_first=True, progress=seen.append)
    assert report.n_sets == 1
    assert seen == report.sets
    assert next(sets) == {"period": 7}


def test_verify_sets__counts_a_refusal_as_a_difference():
    def refuses(hyperparameters):
        raise SimulationError("an order would flip the position")

    report = verify_sets(refuses, theirs, [None])
    assert not report.identical
    assert report.differences[0].ours == "not simulated"
    assert "set 0: the strategy's defaults" in str(report)


def test_verify_sets__lets_other_errors_through():
    def broken(hyperparameters):
        raise ZeroDivisionError("ours")

    with pytest.raises(ZeroDivisionError, match="ours"):
        verify_sets(broken, theirs, [None])


def test_verify_report__does_not_call_nothing_identical():
    assert not VerifyReport().identical
    assert str(VerifyReport(subject="Cross")) == "Cross: nothing was compared"
    assert VerifyReport().to_dict()["speedup"] is None


def test_verify_report__is_json():
    report = verify_sets(ours, theirs, [None, {"period": 3}])
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert (told["identical"], told["n_sets"], told["statuses"]) == (False, 2, {"identical": 1, "different": 1})
    assert told["sets"][0] == {
        "hyperparameters": None,
        "status": "identical",
        "n_trades": 3,
        "n_orders": 9,
        "difference": None,
    }
    assert told["sets"][1]["difference"]["theirs"] == 101.5
