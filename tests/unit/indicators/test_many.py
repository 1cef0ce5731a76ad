"""Many argument lists in one call: the same series as one at a time."""

import numpy as np
import pytest
from indicator_cases import CASES, MARKETS, OTHER

import fastbt.indicators as ta
from fastbt.errors import ShapeError
from fastbt.types import CLOSE

CANDLES = MARKETS["wild"][:200]
TABLE = [{"period": 5}, {}, {"period": 5, "source_type": "close"}, {"period": 5, "source_type": "hl2"}, {"period": 14}]


@pytest.mark.parametrize("threads", [1, 3, None])
@pytest.mark.parametrize("sequential", [False, True])
def test_series__equals_one_at_a_time(threads, sequential):
    values, places = ta.series("rsi", CANDLES, TABLE, sequential=sequential, window=50, threads=threads)
    assert places.tolist() == [0, 1, 0, 2, 1]
    assert values.shape == (3, 1, 200)
    assert values.flags.c_contiguous
    for arguments, place in zip(TABLE, places, strict=True):
        source, params, _ = ta.get("rsi").encode(**arguments)
        data = ta.select_source(CANDLES, source)
        expected = ta.compute(ta.get("rsi"), data, params, sequential=sequential, window=50)
        np.testing.assert_array_equal(values[place], expected)


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_series__serves_every_indicator(name):
    table = [kwargs for each, kwargs in CASES if each == name]
    candles = (CANDLES[:60], OTHER[:60]) if ta.get(name).second_candles else CANDLES[:60]
    values, places = ta.series(name, candles, [*table, *table], window=40)
    assert (places[: len(table)] == places[len(table) :]).all()
    assert len(values) == len(set(places))
    described = ta.get(name)
    form = {"sequential": False} if "sequential" in described.signature.parameters else {}
    pair = candles if described.second_candles else (candles,)
    with ta.warm_up_window(40), np.errstate(all="ignore"):
        for kwargs, place in zip(table, places, strict=False):
            last = described.function(*pair, **kwargs, **form)
            if described.record is None and last is not None and described.result is None:
                np.testing.assert_array_equal(values[place, 0, -1], float(last))


def test_series__uses_memory_again():
    memory = np.full((4, 3, 200), 12345.0)
    values, _ = ta.series("macd", CANDLES, [{}, {"fast_period": 5}], out=memory)
    assert np.shares_memory(values, memory)
    assert values.shape == (2, 3, 200)
    assert (memory[2:] == 12345.0).all()
    fresh, _ = ta.series("macd", CANDLES, [{}, {"fast_period": 5}])
    np.testing.assert_array_equal(values, fresh)
    for wrong in (np.empty((1, 3, 200)), np.empty((2, 2, 200)), np.empty((2, 3, 400))[:, :, ::2]):
        with pytest.raises(ShapeError, match="out must be C-contiguous"):
            ta.series("macd", CANDLES, [{}, {"fast_period": 5}], out=wrong)


def test_series__takes_a_series_of_its_own():
    values, _ = ta.series("ema", CANDLES[:, CLOSE], [{"period": 9}], sequential=True)
    np.testing.assert_array_equal(values[0, 0], ta.ema(CANDLES, 9, sequential=True))


def test_series__names_what_is_wrong():
    with pytest.raises(TypeError, match="sequential holds for the whole table"):
        ta.series("rsi", CANDLES, [{"sequential": True}])
    with pytest.raises(TypeError, match="rsi: got an unexpected keyword argument 'perod'"):
        ta.series("rsi", CANDLES, [{"perod": 3}])
    with pytest.raises(ShapeError, match="beta takes 2 arrays of candles, there were 1"):
        ta.series("beta", CANDLES, [{}])
    with pytest.raises(ValueError, match="threads must be 1 or more, was 0"):
        ta.series("rsi", CANDLES, [{}], threads=0)
    empty = ta.series("rsi", CANDLES, [])
    assert empty.values.shape == (0, 1, 200)
    assert empty.places.shape == (0,)
