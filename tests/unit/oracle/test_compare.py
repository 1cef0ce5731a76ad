"""Every field is compared, and the first difference is named."""

import copy
import dataclasses
import json

import pytest
from oracle_runs import FAILED, METRICS, NAN, START, a_run, a_trade, as_jesse_says_it

from fastbt.errors import SimulationError
from fastbt.oracle.compare import Difference, compare


def paths(answer: dict) -> list[str]:
    found = [f"metrics.{name}" for name in answer["metrics"]]
    for name, value in answer.items():
        if name.startswith("daily"):
            found += [f"{name}[{i}]" for i in range(len(value))]
        elif name == "trades":
            for i, trade in enumerate(value):
                found += [f"trades[{i}].{field}" for field in trade if field != "orders"]
                for j, order in enumerate(trade["orders"]):
                    found += [f"trades[{i}].orders[{j}].{field}" for field in order]
        elif name not in ("metrics", "status", "seconds"):
            found.append(name)
    return found


def nudge(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        # The smallest step there is: the comparison tolerates nothing. Metrics are nudged by more below.
        return 1.0 if value != value or value == float("inf") else value * (1 + 2**-52) + (value == 0.0)
    return f"{value}!"


def put(answer: dict, path: str, change) -> None:
    place = answer
    keys = path.replace("[", ".[").split(".")
    for key in keys[:-1]:
        place = place[int(key[1:-1])] if key.startswith("[") else place[key]
    last = int(keys[-1][1:-1]) if keys[-1].startswith("[") else keys[-1]
    place[last] = change(place[last])


def test_compare__finds_nothing_between_equal_runs():
    assert compare((a_run(), METRICS), as_jesse_says_it(a_run(), METRICS)) is None


@pytest.mark.parametrize("path", [p for p in paths(as_jesse_says_it(a_run(), METRICS)) if "metrics" not in p])
def test_compare__names_the_field_that_differs_in_the_last_bit(path):
    theirs = as_jesse_says_it(a_run(), METRICS)
    put(theirs, path, nudge)
    difference = compare((a_run(), METRICS), theirs)
    assert difference is not None
    assert difference.path == path
    assert difference.theirs != difference.ours


@pytest.mark.parametrize("name", list(METRICS))
def test_compare__allows_metrics_a_billionth(name):
    theirs = as_jesse_says_it(a_run(), METRICS)
    near, far = copy.deepcopy(theirs), copy.deepcopy(theirs)
    put(near, f"metrics.{name}", lambda value: value * (1 + 1e-10))
    put(far, f"metrics.{name}", lambda value: 2.0 if value != value or value == float("inf") else value * (1 + 1e-8))
    assert compare((a_run(), METRICS), near) is None
    assert compare((a_run(), METRICS), far).path == f"metrics.{name}"


def test_compare__asks_for_the_same_metrics():
    theirs = as_jesse_says_it(a_run(), METRICS)
    assert compare((a_run(), {**METRICS, "sharpe_ratio": 1.0}), theirs) == Difference(
        "metrics.sharpe_ratio",
        1.0,
        "(missing)",
        (
            "fastbt: 3 trades, 9 orders, 3 balances, finished with 10003.25",
            "Jesse:  3 trades, 9 orders, 3 balances, finished with 10003.25",
        ),
    )
    fewer = {name: value for name, value in METRICS.items() if name != "total"}
    assert compare((a_run(), fewer), theirs).ours == "(missing)"


@pytest.mark.parametrize("name", ["trades", "daily_balance", "daily_time"])
def test_compare__sees_what_is_too_few_or_too_many(name):
    fewer = as_jesse_says_it(a_run(), METRICS)
    fewer[name].pop()
    more = as_jesse_says_it(a_run(), METRICS)
    more[name].append(copy.deepcopy(more[name][-1]))
    assert compare((a_run(), METRICS), fewer).path == f"{name}.length"
    assert compare((a_run(), METRICS), more).path == f"{name}.length"


def test_compare__sees_an_order_too_many():
    theirs = as_jesse_says_it(a_run(), METRICS)
    theirs["trades"][1]["orders"].append(theirs["trades"][1]["orders"][0])
    difference = compare((a_run(), METRICS), theirs)
    assert (difference.path, difference.ours, difference.theirs) == ("trades[1].orders.length", 2, 3)


def test_compare__holds_a_missing_time_equal_to_a_missing_time():
    trade = a_trade(START, 100.0, 101.0)
    closing = dataclasses.replace(trade.orders[1], created_at=NAN)
    run = dataclasses.replace(a_run(), trades=[dataclasses.replace(trade, orders=(trade.orders[0], closing))])
    assert compare((run, METRICS), as_jesse_says_it(run, METRICS)) is None


def test_compare__names_the_cause_before_its_consequences():
    theirs = as_jesse_says_it(a_run(), METRICS)
    for path in (
        "metrics.net_profit",
        "finishing_balance",
        "daily_balance[2]",
        "trades[2].PNL",
        "trades[2].orders[1].price",
    ):
        put(theirs, path, lambda value: value + 1.0)
    assert compare((a_run(), METRICS), theirs).path == "trades[2].orders[1].price"


def test_difference__shows_the_trade_before_at_and_after():
    theirs = as_jesse_says_it(a_run(), METRICS)
    put(theirs, "trades[1].orders[1].executed_at", lambda value: value + 60_000)
    text = str(compare((a_run(), METRICS), theirs))
    assert text.splitlines()[:3] == [
        "first difference: trades[1].orders[1].executed_at",
        "  fastbt  1546340400000.0 (2019-01-01 11:00)",
        "  Jesse   1546340460000.0 (2019-01-01 11:01)",
    ]
    assert "    fastbt trades[0] long  qty 2.0  2019-01-01 00:00 at 100.0 -> 2019-01-01 01:00 at 101.5  PNL " in text
    assert "  > Jesse  trades[1] long " in text
    assert "filled 2019-01-01 11:01 (take-profit)" in text
    assert "    Jesse  trades[2] long " in text


def test_difference__shows_the_days_around_a_balance():
    theirs = as_jesse_says_it(a_run(), METRICS)
    put(theirs, "daily_balance[1]", lambda value: 9_999.0)
    text = str(compare((a_run(), METRICS), theirs))
    assert "  > fastbt daily[1] 2019-01-02 00:01  10004.5" in text
    assert "  > Jesse  daily[1] 2019-01-02 00:01  9999.0" in text
    assert "    Jesse  daily[0] 2019-01-01 00:00  10000.0" in text


def test_difference__is_json():
    difference = Difference("metrics.sortino_ratio", NAN, float("inf"))
    assert json.loads(json.dumps(difference.to_dict(), allow_nan=False)) == {
        "path": "metrics.sortino_ratio",
        "ours": "nan",
        "theirs": "inf",
        "context": [],
    }


def test_compare__holds_runs_equal_that_ended_with_the_same_exception():
    assert compare((SimulationError("no 'slow'", exception="KeyError", time=START + 60_000), {}), FAILED) is None


def test_compare__tells_exceptions_apart():
    difference = compare((SimulationError("no 'slow'", exception="IndexError", time=START), {}), FAILED)
    assert (difference.path, difference.ours, difference.theirs) == ("exception", "IndexError", "KeyError")
    assert difference.context == ("fastbt, 2019-01-01 00:00: no 'slow'", "Jesse, 2019-01-01 00:00: KeyError: 'slow'")


def test_compare__sees_an_exception_on_one_side_only():
    ours_ran = compare((a_run(), METRICS), FAILED)
    assert (ours_ran.ours, ours_ran.theirs) == ("no exception", "KeyError")
    error = SimulationError("no 'slow'", exception="KeyError")
    theirs_ran = compare((error, {}), as_jesse_says_it(a_run(), METRICS))
    assert (theirs_ran.ours, theirs_ran.theirs) == ("KeyError", "no exception")


@pytest.mark.parametrize("theirs", [FAILED, as_jesse_says_it(a_run(), METRICS)])
def test_compare__never_holds_a_refusal_for_identity(theirs):
    difference = compare((SimulationError("an order would flip the position"), {}), theirs)
    assert difference.ours == "not simulated"
    assert "an order would flip the position" in str(difference)
