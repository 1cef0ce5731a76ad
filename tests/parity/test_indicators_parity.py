"""Every indicator against the installed Jesse: bit for bit."""

import inspect

import numpy as np
import pytest
from indicator_cases import CASES, IDS, MARKETS
from parity.indicator_harness import assert_same, call

import fastbt.indicators as ta

pytestmark = pytest.mark.jesse


def cases(accepts):
    """Parametrize by the cases of indicators that have what a test is about."""
    chosen = [(case, id_) for case, id_ in zip(CASES, IDS, strict=True) if accepts(ta.get(case[0]))]
    return pytest.mark.parametrize(("name", "kwargs"), [case for case, _ in chosen], ids=[id_ for _, id_ in chosen])


@pytest.mark.parametrize("market", MARKETS)
@cases(lambda described: "sequential" in described.signature.parameters)
def test_sequential__equals_jesse(jesse, name, kwargs, market):
    candles = MARKETS[market]
    for rows in (300, 400):
        expected = call(jesse, name, candles[:rows], **kwargs, sequential=True)
        assert_same(call(ta, name, candles[:rows], **kwargs, sequential=True), expected, f"{rows} rows")


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_last_value__equals_jesse(jesse, jesse_window, name, kwargs, market):
    candles = MARKETS[market]
    kwargs = kwargs | {"sequential": False} if "sequential" in ta.get(name).signature.parameters else kwargs
    compared = 0
    for window in (240, 100, 0):
        jesse_window(window)
        for rows in (80, 239, 240, 241, 333, 400):
            try:
                expected = call(jesse, name, candles[:rows], **kwargs)
            except TypeError:
                # Without a pivot, and only then, this one compares with None.
                assert name == "support_resistance_with_breaks"
                continue
            compared += 1
            with ta.warm_up_window(window):
                assert_same(call(ta, name, candles[:rows], **kwargs), expected, f"{rows} rows, window {window}")
    assert compared >= 9


@cases(lambda described: described.accepts_1d)
def test_series__equals_jesse(jesse, name, kwargs):
    described = ta.get(name)
    kwargs = {key: value for key, value in kwargs.items() if key != "source_type"}
    # A column, as strategies pass it: its layout decides the order of some of Jesse's additions.
    series = MARKETS["wild"].copy()[:, 2]
    forms = ({"sequential": True}, {"sequential": False}) if "sequential" in described.signature.parameters else ({},)
    for form in forms:
        with np.errstate(all="ignore"):
            expected = getattr(jesse, name)(series, **kwargs, **form)
        assert_same(getattr(ta, name)(series, **kwargs, **form), expected, f"{form}")


def test_signatures__are_jesses(jesse):
    theirs = {name: each for name, each in vars(jesse).items() if inspect.isfunction(each) and not name.startswith("_")}
    missing = sorted(name for name in theirs if not callable(getattr(ta, name, None)))
    assert missing == [], f"{len(missing)} of Jesse's indicators are missing"
    for name, function in theirs.items():
        wanted, actual = (list(inspect.signature(each).parameters.values()) for each in (function, getattr(ta, name)))
        assert [(each.name, each.default) for each in actual] == [(each.name, each.default) for each in wanted], name
    assert set(ta.REGISTRY) <= set(theirs)
