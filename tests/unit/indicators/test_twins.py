"""Every kernel against its slow twin, which states the formula: to rounding, for the sums are in another order."""

import naive_averages
import naive_bars
import naive_indicators
import naive_oscillators
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from indicator_cases import walk
from indicator_inputs import random_arguments

import fastbt.indicators as ta

TWINS = naive_indicators.TWINS | naive_averages.TWINS | naive_oscillators.TWINS | naive_bars.TWINS
NEVER_FLAT = {"damiani_volatmeter"}
OTHER = walk(200, 4, 0.02)


@st.composite
def calls(draw, name):
    """An indicator, its data and its arguments."""
    described = ta.get(name)
    arguments = random_arguments(described, np.random.default_rng(draw(st.integers(0, 10**6))))
    for key, value in arguments.items():
        if key.endswith("matype"):
            arguments[key] = draw(st.sampled_from([each for each in naive_averages.BY_CODE if each not in (23, 31)]))
        elif type(value) is int and key not in described.allowed and value > 25:
            arguments[key] = value % 25 + 1
    if name == "hurst_exponent":
        # Method 1 is SciPy's.
        most = draw(st.integers(8, 20))
        arguments = {"min_chunksize": 4, "max_chunksize": most, "method": draw(st.sampled_from((0, 2)))}
    if name == "hull_suit":
        arguments |= {"length": draw(st.integers(12, 30)), "length_mult": 1.25}
    if name == "damiani_volatmeter":
        # Sums that are rolled leave remainders where nothing moves.
        arguments |= {"vis_std": draw(st.integers(3, 9)), "sed_std": draw(st.integers(3, 20))}
    candles = walk(
        n=draw(st.integers(1, 110)),
        seed=draw(st.integers(0, 99)),
        volatility=draw(st.sampled_from((0.005, 0.03))),
        flat=0.0 if name in NEVER_FLAT else draw(st.sampled_from((0.0, 0.0, 0.3))),
        decimals=draw(st.sampled_from((1, 9))),
    )
    if arguments.get("source_type") == "volume":
        arguments["source_type"] = "open"
    source_type, params, _ = described.encode(**arguments)
    candles = np.hstack([candles, OTHER[: len(candles)]]) if described.second_candles else candles
    return described, described.select(candles, source_type, params), params


def test_twins__are_there_for_all():
    own = {name for name, each in ta.REGISTRY.items() if each.function.__module__.startswith("fastbt.")}
    assert own - set(TWINS) == set()


@pytest.mark.parametrize("name", sorted(TWINS))
@settings(max_examples=10)
@given(data=st.data())
def test_kernel__equals_its_twin(name, data):
    described, series, params = data.draw(calls(name))
    values = np.array(params, dtype=np.float64)
    out = np.full((len(described.fields), len(series)), 12345.0)
    with np.errstate(all="ignore"):
        described.evaluate(described.arranged(series, values), values, out, sequential=False, window=0)
    whole = [int(each) if each.is_integer() else each for each in params]
    expected = np.array(TWINS[name](series.tolist(), *whole), dtype=np.float64)
    np.testing.assert_allclose(out, expected, rtol=1e-6, atol=1e-6)
