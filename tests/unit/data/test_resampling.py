import naive_data
import numpy as np
import pytest
from candle_generators import candle_arrays, make_candles
from hypothesis import given
from hypothesis import strategies as st

from fastbt.data import resample
from fastbt.data._kernels import _pairwise_sum
from fastbt.errors import CandleError, SettingsError, ShapeError
from fastbt.types import TIMEFRAME_MINUTES

# Wide enough that the order of the additions shows in the last bits.
values = st.lists(st.floats(-1e9, 1e9), max_size=700)


@given(values, st.integers(0, 5), st.booleans())
def test_pairwise_sum__equals_naive_and_numpy(numbers, start, strided):
    column = np.array(numbers)
    if strided:
        column = np.column_stack([column, column, column])[:, 1]
    count = max(0, len(numbers) - start)
    start = min(start, len(numbers))
    total = _pairwise_sum(column, start, count)
    assert total == naive_data.pairwise_sum(numbers[start:])
    assert total == column[start:].sum()


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 127, 128, 129, 143, 144, 1440, 4320, 8192, 8193, 10080, 16385, 43200])
def test_pairwise_sum__equals_naive_for_many_values(n):
    # Two orders of addition often round to the same sum: one column would not tell them apart.
    for column in np.random.default_rng(n).lognormal(0, 3, (n, 6)).T:
        for part in (column, np.column_stack([column, column])[:, 1]):
            total = _pairwise_sum(part, 0, n)
            assert total == naive_data.pairwise_sum(part.tolist())
            # From 2.3 on numpy adds more than 8192 values in another order than the versions that Jesse pins.
            if n <= 8192 or np.lib.NumpyVersion(np.__version__) < "2.3.0":
                assert total == part.sum()


@given(candle_arrays(max_rows=400), st.sampled_from(["1m", "3m", "5m", "15m", "45m", "1h", "2h", "4h"]))
def test_resample__equals_naive(candles, timeframe):
    minutes = TIMEFRAME_MINUTES[timeframe]
    bars = resample(candles, timeframe)
    np.testing.assert_array_equal(bars, np.array(naive_data.resample(candles, minutes)).reshape(-1, 6))


@pytest.mark.parametrize("timeframe", list(TIMEFRAME_MINUTES))
def test_resample__equals_numpy_block_by_block(timeframe):
    minutes = TIMEFRAME_MINUTES[timeframe]
    candles = make_candles(2 * minutes + 1)
    bars = resample(candles, timeframe)
    assert len(bars) == len(candles) // minutes
    for k, bar in enumerate(bars):
        block = candles[k * minutes : (k + 1) * minutes]
        volume = naive_data.pairwise_sum(block[:, 5].tolist())
        assert bar.tolist() == [*block[0, :2], block[-1, 2], block[:, 3].max(), block[:, 4].min(), volume]


@given(candle_arrays(max_rows=300), st.integers(1, 300))
def test_resample__never_looks_ahead(candles, n):
    part = resample(candles[:n], "15m")
    np.testing.assert_array_equal(part, resample(candles, "15m")[: len(part)])


def test_resample__of_too_few_rows_is_empty():
    assert resample(make_candles(59), "1h").shape == (0, 6)
    assert resample(np.empty((0, 6)), "1h").shape == (0, 6)


def test_resample__to_one_minute_is_the_array_itself():
    candles = make_candles(5)
    assert resample(candles, "1m") is candles


def test_resample__accepts_a_view_with_any_strides():
    candles = make_candles(240)
    view = np.asfortranarray(candles)
    np.testing.assert_array_equal(resample(view, "1h"), resample(candles, "1h"))


@pytest.mark.parametrize("row", [1, 60, 65, 110])
def test_resample__refuses_absent_minutes(row):
    candles = np.delete(make_candles(121), row, axis=0)
    clock = f"0{(row + 1) // 60}:{(row + 1) % 60:02}"
    with pytest.raises(CandleError, match=rf"resample to 1h: .*row {row} is at 2019-01-01T{clock}:00Z.*Use fill_gaps"):
        resample(candles, "1h")


def test_resample__refuses_absent_minutes_in_the_rest_that_is_dropped():
    with pytest.raises(CandleError, match="row 100 is at"):
        resample(np.delete(make_candles(115), 100, axis=0), "1h")


@pytest.mark.parametrize(("timeframe", "hint"), [("1d", "'1D'"), ("1H", "'1h'"), ("10m", "'1"), (60, "60")])
def test_resample__names_the_timeframes_there_are(timeframe, hint):
    with pytest.raises(SettingsError, match=rf"wanted one of 1m, 3m, .*1M; was .*{hint}"):
        resample(make_candles(5), timeframe)


def test_resample__refuses_what_is_no_candle_array():
    with pytest.raises(ShapeError, match="shape"):
        resample(np.ones((60, 5)), "1h")
