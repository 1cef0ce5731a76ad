import naive_data
import numpy as np
import pytest
from candle_generators import MINUTE, T0, candle_arrays, make_candles
from hypothesis import given
from hypothesis import strategies as st

from fastbt.data import CandleSet, check_same_range, resample, split_warmup, warmup_bars
from fastbt.errors import CandleError, SettingsError
from fastbt.types import TIMEFRAME_MINUTES

HOUR = 60 * MINUTE


@given(
    st.integers(0, 4), st.integers(0, 3), st.sampled_from([["1h"], ["15m", "1h"], ["5m", "30m", "1h"], ["1h", "1m"]])
)
def test_split_warmup__cuts_before_the_start(bars, later, timeframes):
    candles = make_candles(600)
    start = T0 + (bars + later) * HOUR
    warmup, trading = split_warmup(candles, start, bars, timeframes)
    assert len(warmup) == bars * 60
    assert trading[0, 0] == start and trading[-1, 0] == candles[-1, 0]
    np.testing.assert_array_equal(np.vstack([warmup, trading]), candles[later * 60 :])
    # The point of the alignment: by the clock or by the row, the bars are the same.
    for timeframe in timeframes:
        np.testing.assert_array_equal(warmup_bars(warmup, timeframe), resample(warmup, timeframe))


def test_split_warmup__of_a_candle_set_keeps_read_only_views():
    candles = CandleSet.from_array(make_candles(600))
    warmup, trading = split_warmup(candles, "2019-01-01T04:00", 1, ["4h", "1h"])
    assert (len(warmup), len(trading)) == (240, 360)
    for part in (warmup, trading):
        assert np.shares_memory(part, candles.array)
        assert part.flags.c_contiguous and not part.flags.writeable


@pytest.mark.parametrize(
    ("start", "bars", "timeframes", "message"),
    [
        ("2019-01-01T02:30", 1, ["1h"], r"boundary .*\(1h: every 60 minutes.*nearest are .*T02:00:00Z and .*T03:00"),
        ("2019-01-01T02:00", 1, ["1h", "4h"], r"every 240 minutes.*nearest are .*T00:00:00Z and .*T04:00:00Z"),
        ("2019-01-01T05:00", 6, ["1h"], r"wanted 360 minutes of warm-up.*6 warm_up_candles of 1h.*60 of them are "
         r"missing.*earliest possible start is 2019-01-01T06:00:00Z"),
        ("2019-01-01T05:00", 20, ["1h"], r"900 of them are missing.*No start is possible"),
        ("2019-01-01T03:00", 1, ["45m", "1h"], r"whole number of bars of every timeframe.*was 1, or 60 minutes, which "
         r"45m does not divide\. The next that fits is 3"),
        ("2018-12-31", 0, ["1h"], r"within the candles, 2019-01-01T00.* to 2019-01-01T10.*was 2018-12-31T00"),
        ("2019-01-01T10:00", 0, ["1h"], r"within the candles"),
        ("2019-01-01", -1, ["1h"], r"warm_up_candles: wanted a whole number >= 0; was -1"),
        ("2019-01-01", 2.5, ["1h"], r"warm_up_candles: .*was 2\.5"),
        ("2019-01-01", True, ["1h"], r"warm_up_candles: .*was True"),
        ("2019-01-01", 0, [], r"timeframes: wanted at least one"),
        ("2019-01-01", 0, ["7m"], r"wanted one of 1m"),
        ("yesterday", 0, ["1h"], r"start: wanted an ISO date"),
    ],
)  # fmt: skip
def test_split_warmup__refuses_what_jesse_would_get_wrong(start, bars, timeframes, message):
    with pytest.raises(SettingsError, match=message):
        split_warmup(make_candles(600), start, bars, timeframes)


@given(st.integers(0, 700), st.integers(0, 3), st.sampled_from([["1h"], ["15m", "4h"], ["45m", "1h"], ["3m", "2h"]]))
def test_split_warmup__works_at_the_start_it_names(shift, bars, timeframes):
    candles = make_candles(1500, start=T0 + shift * MINUTE)
    bars = bars * 3  # 45m and 1h meet every third hour
    start = T0 + 12 * HOUR
    try:
        split_warmup(candles, start, bars, timeframes)
    except SettingsError as error:
        if "No start" in str(error):
            return
        named = str(error).split("earliest possible start is ")[1].split(";")[0]
        warmup, trading = split_warmup(candles, named, bars, timeframes)
        assert len(warmup) and len(trading)


def test_split_warmup__refuses_absent_minutes_and_nothing():
    with pytest.raises(CandleError, match=r"1 minutes are absent, the first at 2019-01-01T00:05:00Z\. Use fill_gaps"):
        split_warmup(np.delete(make_candles(600), 5, axis=0), T0, 0, ["1h"])
    with pytest.raises(CandleError, match="at least one candle"):
        split_warmup(np.empty((0, 6)), T0, 0, ["1h"])


@given(candle_arrays(gaps=True), st.sampled_from(["3m", "15m", "45m", "1h", "4h", "1D", "1W"]), st.integers(-90, 90))
def test_warmup_bars__equals_naive(candles, timeframe, shift):
    minutes = TIMEFRAME_MINUTES[timeframe]
    available_at = int(candles[-1, 0]) + (1 + shift) * MINUTE
    bars = warmup_bars(candles, timeframe, available_at)
    expected = naive_data.warmup_bars(candles, minutes, available_at)
    np.testing.assert_array_equal(bars, np.array(expected).reshape(-1, 6))
    if shift == 0:
        np.testing.assert_array_equal(warmup_bars(candles, timeframe), bars)


def test_warmup_bars__keeps_an_incomplete_first_bucket_and_drops_the_last():
    candles = make_candles(120, start=T0 + 30 * MINUTE)  # 00:30 to 02:30
    bars = warmup_bars(candles, "1h")
    assert bars[:, 0].tolist() == [T0, T0 + HOUR]
    assert bars[0, 1] == candles[0, 1] and bars[0, 2] == candles[29, 2]


def test_warmup_bars__of_nothing_is_nothing():
    assert warmup_bars(np.empty((0, 6)), "1h").shape == (0, 6)
    assert warmup_bars(make_candles(30), "1h").shape == (0, 6)
    assert warmup_bars(make_candles(30), "1h", T0).shape == (0, 6)


def test_warmup_bars__of_one_minute_are_those_that_are_over():
    candles = make_candles(30)
    np.testing.assert_array_equal(warmup_bars(candles, "1m", T0 + 10 * MINUTE), candles[:10])


def test_check_same_range__accepts_equal_and_refuses_unequal_periods():
    btc = CandleSet.from_array(make_candles(60), symbol="BTC-USD")
    eth = CandleSet.from_array(make_candles(90), symbol="ETH-USD")
    check_same_range([])
    check_same_range([btc, eth.between(btc.start, btc.finish)])
    with pytest.raises(
        SettingsError,
        match=r"same period for every symbol; was BTC-USD 2019-01-01T00:00:00Z to 2019-01-01T01:00:00Z; ETH-USD .*"
        r".*between\('2019-01-01T00:00:00Z', '2019-01-01T01:00:00Z'\)",
    ):
        check_same_range([btc, eth])
    late = CandleSet.from_array(make_candles(60, start=T0 + 24 * HOUR), symbol="ETH-USD")
    with pytest.raises(SettingsError, match="share no minute"):
        check_same_range([btc, late])


def test_check_same_range__refuses_absent_minutes():
    whole = CandleSet.from_array(make_candles(60), symbol="BTC-USD")
    holed = CandleSet.from_array(np.delete(make_candles(60), 7, axis=0), symbol="ETH-USD")
    with pytest.raises(CandleError, match=r"candles of ETH-USD: .*1 minutes are absent.*00:07:00Z.*fill_gaps"):
        check_same_range([whole, holed])
