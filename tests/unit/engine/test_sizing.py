"""Jesse's helpers, quirks included; `tests/parity/test_sizing_parity.py` compares them with Jesse's own."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbt.engine import sizing
from fastbt.engine._decimal_reference import subtract_floats, sum_floats
from fastbt.engine.jesse_exceptions import InvalidTimeframe
from fastbt.errors import SettingsError

amounts = st.floats(-1e12, 1e12, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-12)


def test_size_to_qty__cuts_off_and_sets_three_fees_aside():
    assert sizing.size_to_qty(100, 30) == 3.333
    assert sizing.size_to_qty(100, 30, precision=1) == 3.3
    assert sizing.size_to_qty(100, 10, fee_rate=0.01) == 9.7
    assert sizing.size_to_qty(-100, 30) == -3.334  # down, not towards zero


@pytest.mark.parametrize(("size", "price"), [(math.nan, 1.0), (1.0, math.nan), (1.0, None)])
def test_size_to_qty__wants_numbers(size, price):
    with pytest.raises(TypeError):
        sizing.size_to_qty(size, price)


def test_size_to_qty__at_no_price():
    with pytest.raises(ZeroDivisionError):
        sizing.size_to_qty(1.0, 0.0)


def test_qty_to_size__multiplies():
    assert sizing.qty_to_size(3, 2.5) == 7.5
    with pytest.raises(TypeError):
        sizing.qty_to_size(math.nan, 1.0)


def test_risk_to_size__never_exceeds_the_capital():
    assert sizing.risk_to_size(10_000, 1, 0.7, 8.6) == 1228.5714285714287
    assert sizing.risk_to_size(10_000, 50, 0.7, 8.6) == 10_000
    with pytest.raises(ValueError, match="risk cannot be zero"):
        sizing.risk_to_size(10_000, 1, 0, 8.6)


def test_risk_to_qty__sets_the_fees_aside_twice():
    size = 100 / 5 * 100
    assert sizing.risk_to_qty(10_000, 1, 100, 95) == size / 100
    once = size * (1 - 0.001 * 3)
    assert sizing.risk_to_qty(10_000, 1, 100, 95, fee_rate=0.001) == sizing.size_to_qty(once, 100, 8, 0.001)
    assert sizing.risk_to_qty(10_000, 1, 100, 95, fee_rate=0.001) == pytest.approx(20 * 0.997**2)


def test_estimate_risk__is_a_distance():
    assert sizing.estimate_risk(100, 95) == sizing.estimate_risk(95, 100) == 5
    with pytest.raises(TypeError):
        sizing.estimate_risk(math.nan, 1.0)


@pytest.mark.parametrize(
    ("stop", "side", "expected"), [(80, "long", 90), (95, "long", 95), (120, "short", 110), (105, "short", 105)]
)
def test_limit_stop_loss__moves_a_far_stop_nearer(stop, side, expected):
    assert sizing.limit_stop_loss(100, stop, side, 10) == expected


@pytest.mark.parametrize(
    ("series", "line", "above", "below"),
    [
        ([1, 3], 2, True, False),
        ([2, 3], 2, True, False),  # on the line is not yet across
        ([1, 2], 2, False, False),
        ([3, 1], 2, False, True),
        ([3, 3], 2, False, False),
        ([1, math.nan], 2, False, False),
    ],
)
def test_crossed__compares_the_last_two(series, line, above, below):
    series = np.array(series, dtype=float)
    assert bool(sizing.crossed(series, line, "above")) is above
    assert bool(sizing.crossed(series, np.full(2, line), "below")) is below
    assert bool(sizing.crossed(series, line)) is (above or below)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=20), st.lists(st.integers(0, 4), min_size=20, max_size=20))
def test_crossed__sequential_says_the_same_at_every_bar(left, right):
    left = np.array(left, dtype=float)
    right = np.array(right[: len(left)], dtype=float)
    for direction in ("above", "below", None):
        every = sizing.crossed(left, right, direction, sequential=True)
        assert not every[0]
        for i in range(1, len(left)):
            assert bool(every[i]) is bool(sizing.crossed(left[: i + 1], right[: i + 1], direction))


def test_anchor_timeframe__is_the_next_larger_in_use():
    assert sizing.anchor_timeframe("45m") == "3h"
    with pytest.raises(KeyError):
        sizing.anchor_timeframe("1D")


def test_timeframe_to_one_minutes__wants_one_of_jesses():
    assert sizing.timeframe_to_one_minutes("1W") == 10_080
    with pytest.raises(InvalidTimeframe, match="it was '1d'"):
        sizing.timeframe_to_one_minutes("1d")
    assert issubclass(InvalidTimeframe, SettingsError)


def test_streaks__count_from_the_last_turn():
    assert sizing.streaks(np.array([1.0, 2.0, 3.0, 3.0, 4.0, 3.0, 2.0])).tolist() == [1, 2, 0, 1, -1, -2]
    assert sizing.streaks(np.array([1.0, 0.5, -1.0]), use_diff=False).tolist() == [1, 2, -1]


def test_series__helpers():
    series = np.array([4.0, 1.0, 2.0, 3.0])
    assert sizing.strictly_increasing(series, 3) and not sizing.strictly_increasing(series, 4)
    assert sizing.strictly_decreasing(-series, 3) and not sizing.strictly_decreasing(-series, 4)
    np.testing.assert_array_equal(sizing.prices_to_returns(series), [np.nan, -75.0, 100.0, 50.0])
    np.testing.assert_array_equal(sizing.z_score(np.array([1.0, 3.0])), [-1.0, 1.0])
    assert sizing.kelly_criterion(0.5, 2.0) == 0.25
    assert sizing.combinations_without_repeat([1, 2, 3]).shape == (6, 2)
    with pytest.raises(ValueError, match=">= 2"):
        sizing.combinations_without_repeat([1, 2], 1)
    with pytest.raises(SystemExit):
        sizing.dd("bye")


def test_trading_hours__of_a_market_with_summer_time():
    hours = {"timezone": "America/New_York", "hours": {"Mon-Fri": "09:30-16:00"}, "closed": ["2021-07-05"]}
    hours["overrides"] = {"2021-07-06": ["09:30-10:00", "12:00-13:00"]}
    minute = 60_000
    winter, summer = 1_609_770_600_000, 1_625_664_600_000  # 2021-01-04 14:30 and 2021-07-07 13:30 UTC
    for opening in (winter, summer):
        assert not sizing.is_in_trading_hours(opening - minute, hours)
        assert sizing.is_in_trading_hours(opening, hours)
    assert not sizing.is_in_trading_hours(summer - 2 * 1440 * minute, hours)
    day = summer - 1440 * minute
    assert [sizing.is_in_trading_hours(day + i * 30 * minute, hours) for i in range(8)] == [1, 0, 0, 0, 0, 1, 1, 0]
    assert sizing.is_in_trading_hours(0, None)


def test_trading_hours__past_midnight_belong_to_the_day_they_begin():
    hours = {"timezone": "UTC", "hours": {"Fri": "22:00-02:00"}}
    friday_22h = 1_609_538_400_000  # 2021-01-01 22:00
    hour = 3_600_000
    assert [sizing.is_in_trading_hours(friday_22h + i * hour, hours) for i in (-1, 0, 3, 4)] == [0, 1, 1, 0]


@pytest.mark.parametrize(
    "hours",
    [
        {"hours": {"Mon": "09:30-16:00"}},
        {"timezone": "Mars/Base", "hours": {"Mon": "09:30-16:00"}},
        {"timezone": "UTC", "hours": {}},
        {"timezone": "UTC", "hours": {"Mo": "09:30-16:00"}},
        {"timezone": "UTC", "hours": {"Mon": "16:00"}},
        {"timezone": "UTC", "hours": {"Mon": "25:00-26:00"}},
        {"timezone": "UTC", "hours": {"Mon": "09:00-09:00"}},
        {"timezone": "UTC", "hours": {"Mon": []}},
        {"timezone": "UTC", "hours": {"Mon-Wed": "09:00-10:00", "Tue": "09:00-10:00"}},
        {"timezone": "UTC", "hours": {"Mon": "09:00-10:00"}, "closed": ["tomorrow"]},
        {"timezone": "UTC", "hours": {"Mon": "09:00-10:00"}, "holidays": []},
    ],
)
def test_trading_hours__that_cannot_be_read(hours):
    with pytest.raises(ValueError, match="trading hours"):
        sizing.is_in_trading_hours(0, hours)


# ---- decimal sums ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "total"),
    [
        (0.1, 0.2, 0.3),
        (1.1, 2.2, 3.3),
        (0.1, -0.1, 0.0),
        (-0.0, -0.0, 0.0),
        (1e-28, 4e-29, 1e-28),  # rounded to 28 places first
        (5e-29, 0.0, 1e-28),
        # Two decimals of that length lie equally near; Jesse takes the one farther from zero.
        (-595549089.1445312, 1253204188.579327, 657655099.4347957),
        (624405783455681.2, -198790336116.3, 624206993119565.0),
        # Longer than 96 bits: the last digits go.
        (1.887454225255067e16, -5.1346096820681065e-17, 1.887454225255067e16),
    ],
)
def test_sum_floats__adds_decimals(a, b, total):
    assert repr(sum_floats(a, b)) == repr(total)
    assert repr(subtract_floats(a, -b)) == repr(total)


@given(amounts, amounts)
def test_sum_floats__properties(a, b):
    total = sum_floats(a, b)
    assert total == sum_floats(b, a) == -sum_floats(-a, -b)
    assert math.isclose(total, a + b, rel_tol=1e-9, abs_tol=1e-3)
    assert sum_floats(a, -a) == 0.0
    assert sum_floats(a, 0.0) == pytest.approx(a, abs=1e-28)


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), st.integers(0, 6))
def test_sum_floats__is_what_one_writes_on_paper(a, b, places):
    scale = 10**places
    assert sum_floats(a / scale, b / scale) == (a + b) / scale


@pytest.mark.parametrize("a", [math.nan, math.inf, 8e28, -1e30])
def test_sum_floats__wants_numbers_in_range(a):
    with pytest.raises(ValueError, match="decimal sum"):
        sum_floats(a, 1.0)
