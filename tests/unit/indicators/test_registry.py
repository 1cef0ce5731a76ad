"""How calls are bound to numbers, and what the public functions accept."""

import subprocess
import sys

import numpy as np
import pytest
from indicator_cases import MARKETS

import fastbt.indicators as ta
from fastbt.errors import ShapeError
from fastbt.types import CLOSE, HIGH, LOW, OPEN

CANDLES = MARKETS["wild"]


def test_encode__binds_defaults_positions_and_names():
    assert ta.get("rsi").encode() == ("close", (14.0,), False)
    assert ta.get("rsi").encode(np.int64(3), "hl2", True) == ("hl2", (3.0,), True)
    assert ta.get("supertrend").encode(factor=2) == (None, (10.0, 2.0), False)
    assert ta.get("macd").encode(5, slow_period=9) == ("close", (5.0, 9.0, 9.0), False)


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "error", "message"),
    [
        (
            "rsi",
            (),
            {"perod": 3},
            TypeError,
            "rsi: got an unexpected keyword argument 'perod'; its arguments are period",
        ),
        ("rsi", (14.0,), {}, TypeError, "rsi: period must be a whole number, was 14.0"),
        ("rsi", (0,), {}, ValueError, "rsi: period must be 1 or more, was 0"),
        ("rsi", (), {"source_type": "clsoe"}, ValueError, "Did you mean 'close'?"),
        ("supertrend", (), {"factor": "3"}, TypeError, "supertrend: factor must be a number, was '3'"),
        ("bollinger_bands", (), {"matype": 7}, ValueError, "matype 7 is not one of Jesse's codes"),
        ("stoch", (), {"slowk_matype": 24}, ValueError, "stoch: slowk_matype 24 (vwma and vwap) cannot be used here"),
    ],
)
def test_encode__names_what_is_wrong(name, args, kwargs, error, message):
    with pytest.raises(error) as caught:
        ta.get(name).encode(*args, **kwargs)
    assert message in str(caught.value)


def test_get__suggests_the_nearest_name():
    with pytest.raises(ValueError, match="there is no indicator 'bolinger_bands'. Did you mean 'bollinger_bands'?"):
        ta.get("bolinger_bands")


def test_select_source__adds_in_jesses_order():
    opening, high, low, close = (CANDLES[:, column] for column in (OPEN, HIGH, LOW, CLOSE))
    np.testing.assert_array_equal(ta.select_source(CANDLES, "hlc3"), (high + low + close) / 3)
    np.testing.assert_array_equal(ta.select_source(CANDLES, "ohlc4"), (opening + high + low + close) / 4)
    assert ta.select_source(CANDLES, "open").flags.c_contiguous


def test_public_function__sees_the_last_rows_only():
    assert ta.ema(CANDLES, 20) == ta.ema(CANDLES[-240:], 20, sequential=True)[-1]
    with ta.warm_up_window(50):
        assert ta.ema(CANDLES, 20) == ta.ema(CANDLES[-50:], 20, sequential=True)[-1]
        assert ta.ema(CANDLES[:, CLOSE], 20) == ta.ema(CANDLES, 20, sequential=True)[-1]
    with ta.warm_up_window(0):
        assert ta.ema(CANDLES, 20) == ta.ema(CANDLES, 20, sequential=True)[-1]
    with pytest.raises(ValueError, match="was -1"), ta.warm_up_window(-1):
        pass


def test_public_function__leaves_its_input_alone():
    frozen = CANDLES.copy()
    frozen.flags.writeable = False
    assert ta.atr(frozen) == ta.atr(CANDLES)
    assert ta.sma(frozen) == ta.sma(CANDLES)
    np.testing.assert_array_equal(frozen, CANDLES)


@pytest.mark.parametrize("candles", [np.empty((0, 6)), np.ones((5, 5)), np.ones((2, 3, 6))])
def test_public_function__refuses_other_shapes(candles):
    with pytest.raises(ShapeError):
        ta.sma(candles)
    with pytest.raises(ShapeError):
        ta.atr(np.ones(5))


def test_compute__checks_its_arrays():
    with pytest.raises(ShapeError, match="no candles"):
        ta.compute(ta.get("sma"), np.empty(0), (2.0,), sequential=True, window=0)
    with pytest.raises(ShapeError, match="out must be C-contiguous"):
        ta.compute(ta.get("sma"), np.ones(3), (2.0,), sequential=True, window=0, out=np.empty((2, 3)))


def test_import_fastbt__leaves_numba_out():
    code = "import sys, fastbt; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
