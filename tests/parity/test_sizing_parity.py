"""`jesse.utils` against ours, bit for bit."""

import os
import warnings

import numpy as np
import pytest

from fastbt.engine import sizing
from fastbt.oracle import jesse_available

pytestmark = [pytest.mark.jesse, pytest.mark.skipif(not jesse_available(), reason="Jesse is not installed")]

TIMEZONES = ("UTC", "America/New_York", "Asia/Kolkata")


@pytest.fixture(scope="module")
def utils(tmp_path_factory):
    """Jesse's own, imported where it may leave its folders behind."""
    folder = tmp_path_factory.mktemp("jesse")
    before = os.getcwd()
    os.environ.setdefault("JESSE_CACHE_DIR", str(folder))
    os.chdir(folder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import jesse.utils
    finally:
        os.chdir(before)
    return jesse.utils


def outcome(function, *arguments, **named):
    """What a call returns or raises, to the last bit."""
    try:
        with np.errstate(all="ignore"):
            result = function(*arguments, **named)
    except Exception as error:
        return type(error).__name__
    if isinstance(result, np.ndarray):
        return result.dtype.str, result.shape, result.tobytes()
    return type(result).__name__, repr(result)


def amounts(rng, n, low, high):
    values = rng.choice([-1.0, 1.0], n) * rng.random(n) * 10.0 ** rng.uniform(low, high, n)
    places = rng.integers(0, 13, n)
    rounded = [round(float(value), int(digits)) for value, digits in zip(values, places, strict=True)]
    return [float(v) if keep else r for v, r, keep in zip(values, rounded, rng.random(n) < 0.5, strict=True)]


@pytest.mark.parametrize(("low", "high"), [(-6, 6), (-26, 16), (0, 20), (-27, 27.8)])
def test_decimal_sums__equal_jesses(utils, low, high):
    rng = np.random.default_rng(7)
    for a, b in zip(amounts(rng, 8_000, low, high), amounts(rng, 8_000, low, high), strict=True):
        assert repr(sizing.sum_floats(a, b)) == repr(utils.sum_floats(a, b)), (a, b)
        assert repr(sizing.subtract_floats(a, b)) == repr(utils.subtract_floats(a, b)), (a, b)


def test_decimal_sums__of_quarters_hit_the_ties_of_the_shortest_decimal(utils):
    rng = np.random.default_rng(8)
    for a in rng.integers(10**14, 10**15, 2_000) + 0.25:
        assert repr(sizing.sum_floats(a, 0.5)) == repr(utils.sum_floats(a, 0.5)), a


def test_sizes__equal_jesses(utils):
    rng = np.random.default_rng(9)
    special = [0, 0.0, -1.0, float("nan"), float("inf"), None, 3]
    for _ in range(3_000):
        a, b, c, d = (
            special[rng.integers(len(special))] if rng.random() < 0.1 else float(10 ** rng.uniform(-4, 5))
            for _ in range(4)
        )
        if rng.random() < 0.3 and a is not None:
            a = np.float64(a)
        fee, precision = float(rng.choice([0, 0.0006, 0.01])), int(rng.integers(0, 9))
        calls = {
            "size_to_qty": (a, b, precision, fee),
            "qty_to_size": (a, b),
            "risk_to_size": (a, b, c, d),
            "risk_to_qty": (a, b, c, d, precision, fee),
            "estimate_risk": (a, b),
            "limit_stop_loss": (a, b, str(rng.choice(["long", "short"])), 3),
            "kelly_criterion": (a, b),
        }
        for name, arguments in calls.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                mine, theirs = (outcome(getattr(module, name), *arguments) for module in (sizing, utils))
            assert mine == theirs, (name, arguments)


def test_series__equal_jesses(utils):
    rng = np.random.default_rng(10)
    for _ in range(300):
        n = int(rng.integers(2, 30))
        left, right = np.round(rng.random((2, n)) * 4, int(rng.integers(0, 3)))
        if rng.random() < 0.2:
            left[rng.integers(n)] = np.nan
        line = float(rng.integers(0, 4))
        calls = [("streaks", (left,), {"use_diff": flag}) for flag in (True, False)]
        calls += [("prices_to_returns", (left + 1,), {}), ("z_score", (right,), {})]
        for name in ("strictly_increasing", "strictly_decreasing"):
            calls += [(name, (left, lookback), {}) for lookback in (1, 2, 3, n)]
        for direction in ("above", "below", None):
            for other in (right, line):
                calls += [("crossed", (left, other, direction), {"sequential": flag}) for flag in (True, False)]
        for name, arguments, named in calls:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                mine, theirs = (outcome(getattr(module, name), *arguments, **named) for module in (sizing, utils))
            assert mine == theirs, (name, arguments, named)


def test_words__equal_jesses(utils):
    for timeframe in (*sizing.TIMEFRAME_MINUTES, "7m", "1d"):
        for name in ("anchor_timeframe", "timeframe_to_one_minutes"):
            mine, theirs = (outcome(getattr(module, name), timeframe) for module in (sizing, utils))
            assert mine == theirs, (name, timeframe)
    elements = np.arange(4)
    assert outcome(sizing.combinations_without_repeat, elements) == outcome(utils.combinations_without_repeat, elements)
    candles = np.random.default_rng(0).random((5, 6)) * 1e12
    assert sizing.numpy_candles_to_dataframe(candles).equals(utils.numpy_candles_to_dataframe(candles))


@pytest.mark.parametrize("timezone", TIMEZONES)
def test_trading_hours__equal_jesses(utils, timezone):
    hours = {
        "timezone": timezone,
        "hours": {"Mon-Thu": ["09:30-12:00", "13:00-16:00"], "Fri": "22:00-02:00", "Sun": "00:00-24:00"},
        "closed": ["2021-03-15", "2021-11-08"],
        "overrides": {"2021-03-16": "10:00-11:00"},
    }
    # Two weeks each around the days on which New York changes its clocks.
    for start in (1_615_075_200_000, 1_635_638_400_000):
        times = start + np.arange(14 * 96) * 900_000
        for time in times:
            assert sizing.is_in_trading_hours(time, hours) == utils.is_in_trading_hours(time, hours), time
        candles = np.column_stack([times, *np.ones((5, len(times)))]).astype(float)
        mine = sizing.filter_candles_by_hours(candles, hours)
        np.testing.assert_array_equal(mine, utils.filter_candles_by_hours(candles, hours))


def test_every_helper_of_jesse_is_there(utils):
    import inspect

    names = [n for n, f in inspect.getmembers(utils, inspect.isfunction) if f.__module__ == "jesse.utils"]
    assert set(names) <= set(sizing.__all__)
    for name in names:
        theirs, mine = (list(inspect.signature(getattr(m, name)).parameters.values()) for m in (utils, sizing))
        assert [(p.name, p.default) for p in mine] == [(p.name, p.default) for p in theirs], name
