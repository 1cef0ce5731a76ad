import naive_data
import numpy as np
import pytest
from candle_generators import MINUTE, T0, candle_arrays, make_candles
from hypothesis import given
from hypothesis import strategies as st

from fastbt.data import check_candles, fill_gaps, gap_report, resample
from fastbt.errors import CandleError, CandleWarning, SettingsError, ShapeError


@given(candle_arrays(gaps=True))
def test_gap_report__equals_naive(candles):
    assert [(gap.start, gap.finish, gap.minutes) for gap in gap_report(candles)] == naive_data.gaps(candles)


def test_gap_report__of_no_and_one_candle():
    assert gap_report(np.empty((0, 6))) == []
    assert gap_report(make_candles(1)) == []


def test_gap__reads_as_a_period():
    candles = make_candles(4)[[0, 3]]
    assert str(gap_report(candles)[0]) == "2019-01-01T00:01:00Z to 2019-01-01T00:03:00Z (2 min)"


@given(candle_arrays(gaps=True), st.integers(0, 20), st.integers(0, 20))
def test_fill_gaps__equals_naive(candles, before, after):
    start = int(candles[0, 0]) - before * MINUTE
    finish = int(candles[-1, 0]) + (1 + after) * MINUTE
    filled = fill_gaps(candles, start, finish)
    np.testing.assert_array_equal(filled, naive_data.fill_gaps(candles, start, finish))
    check_candles(filled)


@given(candle_arrays(gaps=True))
def test_fill_gaps__keeps_every_candle_and_leaves_no_gap(candles):
    filled = fill_gaps(candles)
    assert gap_report(filled) == []
    np.testing.assert_array_equal(filled[np.isin(filled[:, 0], candles[:, 0])], candles)
    assert not np.shares_memory(filled, candles)
    np.testing.assert_array_equal(fill_gaps(filled), filled)


@given(candle_arrays(gaps=True), st.sampled_from(["3m", "15m", "45m"]))
def test_fill_gaps__makes_candles_that_can_be_resampled(candles, timeframe):
    filled = fill_gaps(candles)
    bars = resample(filled, timeframe)
    minutes = {"3m": 3, "15m": 15, "45m": 45}[timeframe]
    assert len(bars) == len(filled) // minutes
    np.testing.assert_array_equal(bars, np.array(naive_data.resample(filled, minutes)).reshape(-1, 6))


def test_fill_gaps__accepts_iso_bounds():
    filled = fill_gaps(make_candles(3), "2018-12-31T23:59", "2019-01-01T00:05")
    assert filled[:, 0].tolist() == [T0 + k * MINUTE for k in range(-1, 5)]
    assert filled[0, 1:].tolist() == [filled[1, 1]] * 4 + [0.0]


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        (("2019-01-01T00:01", None), r"start no later than the first candle \(2019-01-01T00:00:00Z\).*between"),
        ((None, "2019-01-01T00:02"), r"finish no earlier than the end of the last candle \(2019-01-01T00:03:00Z\)"),
        ((T0 - 1, None), r"a start on the minute; was 2018-12-31T23:59:59\.999Z"),
        (("soon", None), r"start: wanted an ISO date or time.*was 'soon'"),
    ],
)
def test_fill_gaps__refuses_bad_bounds(bounds, message):
    with pytest.raises(SettingsError, match=message):
        fill_gaps(make_candles(3), *bounds)


def test_fill_gaps__refuses_what_is_no_candle():
    with pytest.raises(CandleError, match="at least one candle"):
        fill_gaps(np.empty((0, 6)))
    with pytest.raises(ShapeError, match=r"shape \(3, 5\)"):
        fill_gaps(np.ones((3, 5)))


@pytest.mark.parametrize("minutes", [1440, 1441])
def test_fill_gaps__warns_of_more_than_a_day(minutes):
    candles = make_candles(minutes + 2)[[0, -1]]
    if minutes == 1440:
        assert len(fill_gaps(candles)) == minutes + 2
        return
    with pytest.warns(
        CandleWarning, match=r"2019-01-01T00:01:00Z to 2019-01-02T00:02:00Z \(1441 min\).*more than a day"
    ):
        fill_gaps(candles)
    with pytest.warns(CandleWarning, match=r"\(1441 min\)"):
        fill_gaps(candles[:1], finish=T0 + (minutes + 1) * MINUTE)
