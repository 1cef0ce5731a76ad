"""Every indicator against the installed Jesse: bit for bit."""

import os

import numpy as np
import pytest
from indicator_cases import CASES, IDS, MARKETS

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
        import warnings

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
        if theirs is None or mine is None:
            assert mine is theirs, hint
            continue
        mine, theirs = np.asarray(mine), np.asarray(theirs)
        np.testing.assert_array_equal(mine, theirs, err_msg=hint)
        known = ~np.isnan(theirs.astype(np.float64))
        np.testing.assert_array_equal(np.signbit(mine)[known], np.signbit(theirs)[known], err_msg=hint)


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_sequential__equals_jesse(jesse, name, kwargs, market):
    candles = MARKETS[market]
    if "sequential" not in ta.get(name).signature.parameters:
        pytest.skip("has no sequential form")
    for rows in (300, 400):
        with np.errstate(all="ignore"):
            expected = getattr(jesse, name)(candles[:rows].copy(), **kwargs, sequential=True)
        assert_same(getattr(ta, name)(candles[:rows], **kwargs, sequential=True), expected, f"{rows} rows")


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_last_value__equals_jesse(jesse, jesse_window, name, kwargs, market):
    candles = MARKETS[market]
    for window in (240, 100, 0):
        jesse_window(window)
        for rows in (80, 239, 240, 241, 333, 400):
            with np.errstate(all="ignore"):
                expected = getattr(jesse, name)(candles[:rows].copy(), **kwargs)
            with ta.warm_up_window(window):
                assert_same(getattr(ta, name)(candles[:rows], **kwargs), expected, f"{rows} rows, window {window}")


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_series__equals_jesse(jesse, name, kwargs):
    described = ta.get(name)
    if not described.accepts_1d:
        pytest.skip("takes candles only")
    kwargs = {key: value for key, value in kwargs.items() if key != "source_type"}
    # A column, as strategies pass it: its layout decides the order of some of Jesse's additions.
    series = MARKETS["wild"].copy()[:, 2]
    for sequential in (True, False):
        expected = getattr(jesse, name)(series, **kwargs, sequential=sequential)
        assert_same(getattr(ta, name)(series, **kwargs, sequential=sequential), expected, f"{sequential=}")


def test_signatures__are_jesses(jesse):
    import inspect

    for name, described in ta.REGISTRY.items():
        theirs = list(inspect.signature(getattr(jesse, name)).parameters.values())[1:]
        mine = list(described.signature.parameters.values())
        assert [(each.name, each.default) for each in mine] == [(each.name, each.default) for each in theirs], name
