"""What follows from the definitions, whatever they are: time, future and scale, for random arguments and candles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from indicator_cases import walk
from indicator_inputs import random_arguments

import fastbt.indicators as ta
from fastbt.types import TIMESTAMP

NAMES = sorted(name for name, each in ta.REGISTRY.items() if each.function.__module__.startswith("fastbt."))

#: By which power of the scale of prices every field grows. A scale of 2 ** n is exact in floating point.
DEGREES = {
    **dict.fromkeys(NAMES, 1),
    **dict.fromkeys(
        """ad adosc adx adxr aroon aroonosc beta bollinger_bands_width bop cc cci cfo cg cmo correl
        correlation_cycle cvi damiani_volatmeter dec_osc di dti dx er fisher fosc ift_rsi kdj kst kurtosis kvo
        lrsi mass mfi natr nvi obv ppo pvi reflex roc rocp rocr rocr100 rsi rsmk rsx rvi skew srsi stc stiffness
        stoch stochf trendflex tsi ttm_squeeze ttm_trend ui ultosc vi volume vosc vpt willr wt zscore chop
        hurst_exponent trix""".split(),
        0,
    ),
    "emv": 2,
    "var": 2,
    "bandpass": (1, 0, 0, 0),
    "hull_suit": (1, 1, 0),
    "waddah_attar_explosion": (1, 1, 0),
    "itrend": (0, 1, 1),
    "squeeze_momentum": (0, 1, 0),
    "supertrend": (1, 0),
    "support_resistance_with_breaks": (1, 1, 0, 0, 0, 0),
}

#: Through logarithms and powers the scale is exact to rounding only.
ROUNDED = {"chop", "frama", "hurst_exponent", "nma", "trix", "rsmk", "kurtosis", "skew"}

#: Not of one degree: an angle of a price per row, a path of prices and rows together.
UNSCALED = {"linearreg_angle", "pfe"}

OTHER = walk(200, 4, 0.02)

#: All anchors of `vwap` divide it: 30 weeks.
PERIOD_MS = 18_144_000_000.0


@st.composite
def series_of(draw, name, longest=120):
    """An indicator, its arguments and candles."""
    described = ta.get(name)
    arguments = random_arguments(described, np.random.default_rng(draw(st.integers(0, 10**6))))
    # Jesse's codes of averages are more than some indicators take.
    arguments = {key: value for key, value in arguments.items() if value in described.allowed.get(key, (value,))}
    candles = walk(
        n=draw(st.integers(20, longest)),
        seed=draw(st.integers(0, 99)),
        volatility=draw(st.sampled_from((0.002, 0.02))),
        flat=draw(st.sampled_from((0.0, 0.3, 0.8))),
    )
    source_type, params, _ = described.encode(**arguments)
    return described, arguments, source_type, params, candles


def values(described, source_type, params, candles, window=0):
    """What a strategy sees at every bar."""
    candles = np.hstack([candles, OTHER[: len(candles)]]) if described.second_candles else candles
    data = described.select(candles, source_type, params)
    with np.errstate(all="ignore"):
        return ta.compute(described, data, params, sequential=False, window=window)


def has_no_degree(name, arguments):
    """Whether the prices do not decide alone.

    The source is the volume; a deviation in price is taken for a weight; an average is `reflex` or `trendflex`, which
    are no prices, or `nma`, which has a floor, over the deviations of `rvi`, which may be 0; one size of pieces has no
    slope.
    """
    given = {each.name: each.default for each in ta.get(name).signature.parameters.values()} | arguments
    averages = {value for key, value in given.items() if key.endswith("matype")}
    if name == "hurst_exponent" and given["method"] == 1:
        return len(range(given["min_chunksize"], given["max_chunksize"] + 1, given["num_chunksize"])) < 2
    no_price = bool(averages & {21, 22}) or (name == "rvi" and 30 in averages)
    return given.get("source_type") == "volume" or given.get("select") is False or no_price


def is_rounded(name, arguments):
    """Whether a logarithm is on the way; 30 is the code of `nma`."""
    return name in ROUNDED or 30 in (value for key, value in arguments.items() if key.endswith("matype"))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8)
@given(data=st.data())
def test_future__changes_no_value(name, data):
    described, _, source_type, params, candles = data.draw(series_of(name, longest=60))
    window = data.draw(st.sampled_from((0, 7, 40)))
    full = values(described, source_type, params, candles, window)
    rows = data.draw(st.integers(1, len(candles) - 1))
    # Whatever comes, even a market that is another one from then on.
    other = candles.copy()
    other[rows:, 1:] = other[rows:, 1:] * 3.0
    for part in (candles[:rows], other):
        actual = values(described, source_type, params, part, window)
        np.testing.assert_array_equal(actual[:, :rows], full[:, :rows])


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8)
@given(data=st.data())
def test_time__shifts(name, data):
    described, _, source_type, params, candles = data.draw(series_of(name))
    window = data.draw(st.integers(1, 60))
    full = values(described, source_type, params, candles, window)
    later = candles.copy()
    later[:, TIMESTAMP] += PERIOD_MS
    np.testing.assert_array_equal(values(described, source_type, params, later, window), full)
    if not described.sliced or described.inside is not None or described.second_candles or described.rows is not None:
        return
    # A bar sees its last rows only: those before them may be missing.
    skip = data.draw(st.integers(1, len(candles)))
    part = values(described, source_type, params, candles[skip:], window) if skip < len(candles) else full[:, :0]
    np.testing.assert_array_equal(part[:, window - 1 :], full[:, skip + window - 1 :])


@pytest.mark.parametrize("name", sorted(set(NAMES) - UNSCALED))
@settings(max_examples=8)
@given(data=st.data())
def test_price__scales(name, data):
    described, arguments, source_type, params, candles = data.draw(series_of(name))
    if has_no_degree(name, arguments):
        return
    power = data.draw(st.sampled_from((-2, 1, 5)))
    scaled = candles.copy()
    scaled[:, 1:5] *= 2.0**power
    if described.second_candles:
        other = OTHER[: len(candles)]
        pairs = [(candles, other), (scaled, np.column_stack([other[:, :1], other[:, 1:5] * 2.0**power, other[:, 5:]]))]
        with np.errstate(all="ignore"):
            before, after = (
                ta.compute(described, np.hstack(pair), params, sequential=False, window=0) for pair in pairs
            )
    else:
        before = values(described, source_type, params, candles)
        after = values(described, source_type, params, scaled)
    degrees = DEGREES[name]
    degrees = degrees if isinstance(degrees, tuple) else (degrees,) * len(before)
    for row, (old, new) in enumerate(zip(before, after, strict=True)):
        expected = old * 2.0 ** (power * degrees[row])
        if is_rounded(name, arguments):
            np.testing.assert_allclose(new, expected, rtol=1e-6, atol=1e-7)
        else:
            np.testing.assert_array_equal(new, expected)
