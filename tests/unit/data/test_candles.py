import copy
import dataclasses
import hashlib
import pickle
from datetime import datetime

import numpy as np
import pytest
from candle_generators import MINUTE, T0, candle_arrays, make_candles
from hypothesis import given
from hypothesis import strategies as st

from fastbt.data import CandleSet, gap_report, resample, sample_names
from fastbt.errors import CandleError, SettingsError, ShapeError


@given(candle_arrays(gaps=True))
def test_candle_set__describes_its_array(array):
    candles = CandleSet.from_array(array, symbol="BTC-USDT", exchange="Binance")
    np.testing.assert_array_equal(candles.array, array)
    assert len(candles) == len(array)
    assert candles.start == array[0, 0] and candles.finish == array[-1, 0] + MINUTE
    assert candles.gaps == gap_report(array)
    assert candles.missing_minutes == sum(gap.minutes for gap in candles.gaps)
    assert candles.sha256 == hashlib.sha256(array.tobytes()).hexdigest()
    filled = candles.fill_gaps()
    assert filled.missing_minutes == 0 and filled.symbol == "BTC-USDT"
    assert filled.fill_gaps() is filled


def test_candle_set__cannot_be_changed():
    array = make_candles(10)
    candles = CandleSet(array)
    array[3, 1] = 7.0
    assert candles.array[3, 1] != 7.0
    for part in (candles, candles.between(T0, T0 + 5 * MINUTE), candles.named("A-B"), candles.fill_gaps(T0 - MINUTE)):
        assert part.array.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            part.array[0, 0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        candles.symbol = "ETH-USD"


@pytest.mark.parametrize("duplicate", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy, copy.copy])
def test_candle_set__survives_a_process_boundary(duplicate):
    candles = CandleSet.from_array(make_candles(10), symbol="ETH-USD", exchange="Somewhere")
    twin = duplicate(candles)
    assert (twin.symbol, twin.exchange, twin.sha256) == ("ETH-USD", "Somewhere", candles.sha256)
    assert not twin.array.flags.writeable


def test_candle_set__hash_is_of_the_numbers_alone():
    array = make_candles(10)
    candles = CandleSet.from_array(array)
    assert candles.named("ETH-USD").sha256 == candles.sha256
    array[9, 5] += 1e-9
    assert CandleSet.from_array(array).sha256 != candles.sha256


def test_candle_set__tells_what_it_is():
    candles = CandleSet.from_array(np.delete(make_candles(10), 4, axis=0), symbol="ETH-USD", exchange="Somewhere")
    assert repr(candles) == (
        "CandleSet(ETH-USD on Somewhere, 2019-01-01T00:00:00Z to 2019-01-01T00:10:00Z, 9 rows, 1 minute missing)"
    )
    assert (candles.start_time, candles.finish_time) == ("2019-01-01T00:00:00Z", "2019-01-01T00:10:00Z")
    assert "1 row, 0 minutes missing" in repr(CandleSet.from_array(make_candles(1)))


def test_candle_set__resamples():
    array = make_candles(130)
    np.testing.assert_array_equal(CandleSet.from_array(array).resample("1h"), resample(array, "1h"))


def test_from_array__converts_what_numpy_can():
    rows = [[T0, 10, 11, 12, 9, 1], [T0 + MINUTE, 11, 12, 13, 10, 2]]
    for array in (rows, np.array(rows), np.asfortranarray(rows, dtype=float)):
        candles = CandleSet.from_array(array)
        assert candles.array.dtype == np.float64 and candles.array.flags.c_contiguous
        assert candles.array.tolist() == [[float(x) for x in row] for row in rows]


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        ([["a"] * 6], ShapeError, "wanted numbers of shape .*'a'"),
        ([[1, 2], [3]], ShapeError, "wanted numbers of shape"),
        (np.ones((2, 5)), ShapeError, r"was of shape \(2, 5\)"),
        (np.empty((0, 6)), CandleError, "at least one row"),
        (make_candles(5)[::-1], CandleError, "row 1 .*was earlier"),
    ],
)
def test_from_array__refuses_bad_candles(array, error, message):
    with pytest.raises(error, match=message):
        CandleSet.from_array(array)


@pytest.mark.parametrize("symbol", ["BTCUSD", "BTC-", "-USD", "A-B-C", "", 5])
def test_candle_set__wants_base_and_quote(symbol):
    with pytest.raises(SettingsError, match="symbol: wanted base and quote with a dash.*was"):
        CandleSet.from_array(make_candles(2), symbol=symbol)


def test_candle_set__wants_an_exchange():
    with pytest.raises(SettingsError, match="exchange: wanted a name"):
        CandleSet.from_array(make_candles(2), exchange="")


@given(candle_arrays(gaps=True), st.data())
def test_between__keeps_exactly_the_period(array, data):
    candles = CandleSet.from_array(array)
    minutes = (candles.finish - candles.start) // MINUTE
    begin = candles.start + MINUTE * data.draw(st.integers(0, minutes - 1))
    end = data.draw(st.integers(begin + 1, candles.finish))
    inside = array[(array[:, 0] >= begin) & (array[:, 0] < end)]
    if len(inside):
        part = candles.between(begin, end)
        np.testing.assert_array_equal(part.array, inside)
        assert np.shares_memory(part.array, candles.array)
    else:
        with pytest.raises(SettingsError, match="no candle from .* to .*absent.*fill_gaps"):
            candles.between(begin, end)


def test_between__understands_dates():
    candles = CandleSet.from_array(make_candles(3 * 1440))
    for start, finish in [
        ("2019-01-02", "2019-01-03"),
        (datetime(2019, 1, 2), datetime(2019, 1, 3)),
        (T0 + 1440 * MINUTE, "2019-01-03T00:00:00Z"),
    ]:
        part = candles.between(start, finish)
        assert (part.start_time, part.finish_time) == ("2019-01-02T00:00:00Z", "2019-01-03T00:00:00Z")
    assert candles.between("2019-01-01", "2019-01-04") is candles


@pytest.mark.parametrize(
    ("start", "finish", "message"),
    [
        ("2019-01-02", "2019-01-01", r"start before the finish; was 2019-01-02.* to 2019-01-01.*"),
        ("2019-01-01", "2019-01-01", r"start before the finish"),
        ("2018-12-31", "2019-01-01T01:00", r"start: .*was 2018-12-31T00:00:00Z"),
        ("2019-01-01", "2019-02-01", r"finish: .*was 2019-02-01T00:00:00Z"),
    ],
)
def test_between__names_what_is_available(start, finish, message):
    candles = CandleSet.from_array(make_candles(1440), symbol="ETH-USD")
    with pytest.raises(SettingsError, match=message) as error:
        candles.between(start, finish)
    assert "ETH-USD is available from 2019-01-01T00:00:00Z to 2019-01-02T00:00:00Z" in str(error.value)


def test_sample__is_what_it_was():
    assert sample_names() == ["BTC-USD", "ETH-USD"]
    btc, eth = (CandleSet.load(name) for name in sample_names())
    assert (btc.symbol, btc.exchange, eth.symbol) == ("BTC-USD", "Bitfinex", "ETH-USD")
    assert (btc.start_time, btc.finish_time) == ("2019-01-01T00:00:00Z", "2020-01-01T00:00:00Z")
    assert (eth.start_time, eth.finish_time) == ("2019-01-01T00:00:00Z", "2019-07-01T00:00:00Z")
    assert (len(btc), btc.missing_minutes, len(eth), eth.missing_minutes) == (512_727, 12_873, 238_857, 21_783)
    assert btc.array[0].tolist() == [T0, 3832.6286242, 3833.1, 3834.7, 3832.6286242, 5.81267964]
    # Computed from the source files with polars and hashlib alone.
    assert btc.sha256 == "69cafa59e5f8b766745c01ff49114360d890461e174997ea562551a3f5f82faf"
    assert eth.sha256 == "7ea2f45abb4eae00d0cb19ac223123ec06a4dee1bfc145e9038a99032cf21e36"


def test_sample__can_be_renamed():
    candles = CandleSet.load("ETH-USD", symbol="ETH-USDT", exchange="Binance Spot")
    assert (candles.symbol, candles.exchange) == ("ETH-USDT", "Binance Spot")
    assert CandleSet.load("ETH-USD", symbol="ETH-USDT").exchange == "Bitfinex"
