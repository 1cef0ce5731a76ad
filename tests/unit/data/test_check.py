import numpy as np
import pytest
from candle_generators import T0, candle_arrays, make_candles
from hypothesis import given

from fastbt.data import check_candles
from fastbt.errors import CandleError, CandleWarning, ShapeError


def broken(row, column, value, n=20):
    candles = make_candles(n)
    candles[row, column] = value
    return candles


@given(candle_arrays(gaps=True))
def test_check_candles__accepts_good_candles_with_gaps(candles):
    before = candles.copy()
    check_candles(candles)
    np.testing.assert_array_equal(candles, before)


def test_check_candles__accepts_a_single_flat_candle_without_volume():
    check_candles(np.array([[0.0, 5.0, 5.0, 5.0, 5.0, 0.0]]))


@pytest.mark.parametrize(
    ("candles", "was"),
    [
        ([[1.0] * 6], "list"),
        (np.ones((3, 5)), r"shape \(3, 5\)"),
        (np.ones(6), r"shape \(6,\)"),
        (np.ones((3, 6), dtype=np.float32), "type float32.*astype"),
        (np.ones((3, 6), dtype=np.int64), "type int64"),
    ],
)
def test_check_candles__names_the_wrong_shape(candles, was):
    with pytest.raises(
        ShapeError, match=rf"wanted a float64 array of shape \(n, 6\) .*timestamp, open, close.*was.*{was}"
    ):
        check_candles(candles)


def test_check_candles__refuses_an_empty_array():
    with pytest.raises(CandleError, match="at least one row; there was none"):
        check_candles(np.empty((0, 6)))


# Row 3 of the candles is at 00:03, row 4 at 00:04.
@pytest.mark.parametrize(
    ("candles", "message"),
    [
        (broken(3, 2, np.nan), r"row 3 \(2019-01-01T00:03:00Z\): wanted a finite close; was nan\. .*only.*Remove"),
        (broken(3, 5, np.inf), r"row 3 .*finite volume; was inf"),
        (broken(0, 0, np.nan), r"row 0 \(nan\): wanted a finite timestamp; was nan"),
        (broken(4, 1, 0.0), r"row 4 \(2019-01-01T00:04:00Z\): wanted a positive open; was 0\.0\. .*Remove"),
        (broken(4, 4, -1.0), r"row 4 .*positive low; was -1\.0"),
        (broken(3, 3, 1.0), r"row 3 .*wanted high >= low; was high 1\.0, low .*columns in Jesse's order"),
        (broken(3, 5, -0.5), r"row 3 .*wanted a volume >= 0; was -0\.5\. .*absolute"),
        (broken(3, 0, T0 + 3 * 60_000 + 500), r"row 3 \(2019-01-01T00:03:00\.500Z\): wanted .*on the minute.*60000 ms"),
        (
            broken(3, 0, T0 + 2 * 60_000),
            r"row 3 \(2019-01-01T00:02:00Z\): .*later than row 2; was the same: a duplicate",
        ),
        (
            broken(3, 0, T0),
            r"row 3 \(2019-01-01T00:00:00Z\): .*later than row 2 \(2019-01-01T00:02:00Z\).*earlier.*Sort",
        ),
    ],
)
def test_check_candles__names_the_first_bad_row(candles, message):
    with pytest.raises(CandleError, match=message):
        check_candles(candles)


def test_check_candles__counts_the_bad_rows():
    candles = make_candles(20)
    candles[[4, 9, 11], 5] = -1
    with pytest.raises(CandleError, match=r"row 4 .*There are 3 such rows"):
        check_candles(candles)


def test_check_candles__tells_seconds_from_milliseconds():
    candles = make_candles(20)
    candles[:, 0] /= 1000
    with pytest.raises(CandleError, match=r"row 0 .*looks like seconds: multiply the column by 1000"):
        check_candles(candles)


@pytest.mark.parametrize(("column", "name"), [(1, "open"), (2, "close")])
def test_check_candles__warns_of_a_price_outside_its_range(column, name):
    candles = make_candles(20)
    candles[[3, 7], column] = 500.0
    with pytest.warns(
        CandleWarning, match=rf"row 3 \(2019.*\): {name} 500\.0 lies outside .*There are 2 such rows.*Jesse"
    ):
        check_candles(candles)


def test_check_candles__warns_of_a_larger_timeframe():
    candles = make_candles(40)
    candles[:, 0] = T0 + np.arange(40) * 900_000.0
    with pytest.warns(CandleWarning, match=r"15 minutes apart: are these 15-minute candles\?"):
        check_candles(candles)
