"""Every indicator against the installed Jesse: bit for bit."""

import inspect
import os
import warnings

import numpy as np
import pytest
from indicator_cases import CASES, IDS, MARKETS, inputs

import fastbt.indicators as ta

pytestmark = pytest.mark.jesse


@pytest.fixture(scope="module")
def jesse(tmp_path_factory):
    """Jesse's indicators, imported where it may leave its folders behind."""
    folder = tmp_path_factory.mktemp("jesse")
    before = os.getcwd()
    os.environ.setdefault("JESSE_CACHE_DIR", str(folder))
    os.chdir(folder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import jesse.indicators
    finally:
        os.chdir(before)
    return jesse.indicators


@pytest.fixture
def jesse_window(jesse):
    """Set the rows that Jesse's non-sequential indicators see."""
    from jesse.config import config
    from jesse.helpers import CACHED_CONFIG

    before = config["env"]["data"].get("warmup_candles_num")

    def choose(rows):
        CACHED_CONFIG.pop("env.data.warmup_candles_num", None)
        config["env"]["data"]["warmup_candles_num"] = rows

    yield choose
    choose(before)


def fields_of(result):
    """The fields of a result, as a list of arrays or numbers."""
    return list(result) if isinstance(result, tuple) else [result]


def assert_same(actual, expected, hint):
    """Same type names, same fields, same bits; NaN equals NaN."""
    assert type(actual).__name__ == type(expected).__name__ or not isinstance(expected, tuple), hint
    assert getattr(actual, "_fields", None) == getattr(expected, "_fields", None), hint
    for mine, theirs in zip(fields_of(actual), fields_of(expected), strict=True):
        if theirs is None or mine is None or isinstance(theirs, str):
            assert mine == theirs, hint
            continue
        mine, theirs = np.asarray(mine), np.asarray(theirs)
        if theirs.dtype == object:
            # Words, None and NaN beside numbers: NaN is the only one that does not equal itself.
            mine, theirs = ([("nan",) if each != each else each for each in side] for side in (mine, theirs))
            assert mine == theirs, hint
            continue
        np.testing.assert_array_equal(mine, theirs, err_msg=hint)
        known = ~np.isnan(theirs.astype(np.float64))
        np.testing.assert_array_equal(np.signbit(mine)[known], np.signbit(theirs)[known], err_msg=hint)


def call(module, name, candles, **kwargs):
    """Call an indicator on copies: some of Jesse's write into the candles."""
    copies = [each.copy() for each in inputs(ta.get(name), candles)]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        # SciPy warns of windows in which nothing moves.
        warnings.simplefilter("ignore", RuntimeWarning)
        return getattr(module, name)(*copies, **kwargs)


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_sequential__equals_jesse(jesse, name, kwargs, market):
    candles = MARKETS[market]
    if "sequential" not in ta.get(name).signature.parameters:
        pytest.skip("has no sequential form")
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


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_series__equals_jesse(jesse, name, kwargs):
    described = ta.get(name)
    if not described.accepts_1d:
        pytest.skip("takes candles only")
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
