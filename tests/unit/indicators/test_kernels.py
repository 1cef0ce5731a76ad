"""What every indicator's kernel must do, whichever it is."""

import naive_indicators
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from indicator_cases import CASES, IDS, MARKETS, inputs, walk

import fastbt.indicators as ta
from fastbt.types import CLOSE

CANDLES = MARKETS["flat"][:150]


def same(actual, expected, hint=""):
    """Bit for bit; NaN equals NaN."""
    np.testing.assert_array_equal(actual, expected, err_msg=hint)
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(actual)[known], np.signbit(expected)[known], err_msg=hint)


#: What stands for words in the kernels' output.
NUMBERS = {"buy": 1.0, "sell": 0.0, None: np.nan}


def number_of(value):
    """A number, or what stands for it."""
    return float(NUMBERS[value] if value is None or isinstance(value, str) else value)


def rows_of(described, value, n):
    """The fields of a public function's result as rows of numbers; what begins later is unknown before."""
    fields = value if described.record else (value,)
    rows = [[number_of(each) for each in np.atleast_1d(field)] for field in fields]
    return np.array([[np.nan] * (n - len(row)) + row for row in rows])


def run(described, data, params, window=0):
    """The kernel over all of `data`, into memory that holds something else before."""
    out = np.full((len(described.fields), len(data)), 12345.0)
    # Compiled kernels divide by zero in silence; as plain Python they warn.
    with np.errstate(all="ignore"):
        values = np.array(params, dtype=np.float64)
        described.evaluate(described.arranged(data, values), values, out, sequential=False, window=window)
    return out


def prepared(name, kwargs, candles):
    described = ta.get(name)
    source_type, params, _ = described.encode(**kwargs)
    candles = np.hstack(inputs(described, candles))
    return described, described.select(candles, source_type, params), params


def test_cases__cover_every_indicator():
    assert {name for name, _ in CASES} == set(ta.REGISTRY)


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_kernel__never_looks_ahead(name, kwargs):
    described, data, params = prepared(name, kwargs, CANDLES)
    full = run(described, data, params)
    first = int(described.settles(*params)) if described.settles else 1
    stable = True
    for n in range(first, len(data)):
        part = run(described, data[:n], params)
        if described.is_prefix_stable(params):
            same(part, full[:, :n], f"{n} rows")
        stable &= np.array_equal(part, full[:, :n], equal_nan=True)
    if described.compiles(params):
        assert stable == described.is_prefix_stable(params)
    # Where numpy adds up, rows may settle earlier by chance.
    if first > 1 and described.kernel is not None:
        markets = [prepared(name, kwargs, each[:150])[1] for each in MARKETS.values()]
        assert any(
            not np.array_equal(
                run(described, each[: first - 1], params), run(described, each, params)[:, : first - 1], equal_nan=True
            )
            for each in markets
        ), "settles earlier"


@pytest.mark.parametrize("window", [1, 2, 37, 120, 0])
@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_compute__equals_a_restart_at_every_bar(name, kwargs, window):
    described, data, params = prepared(name, kwargs, MARKETS["flat"][:330])
    actual = ta.compute(described, data, params, sequential=False, window=window)
    same(actual, restarted(described, data, params, window))


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_compute__is_the_public_function_at_every_bar(name, kwargs):
    described, data, params = prepared(name, kwargs, CANDLES)
    last = ta.compute(described, data, params, sequential=False, window=100)
    full = ta.compute(described, data, params, sequential=True, window=100, out=np.empty_like(last))
    with ta.warm_up_window(100):
        for t in (60, 99, 100, 149):
            form = {"sequential": False} if "sequential" in described.signature.parameters else {}
            value = described.function(*inputs(described, CANDLES[: t + 1]), **kwargs, **form)
            same(rows_of(described, value, 1)[:, 0], last[:, t])
    if "sequential" in described.signature.parameters:
        whole = described.function(*inputs(described, CANDLES), **kwargs, sequential=True)
        same(rows_of(described, whole, len(CANDLES)), full)


def restarted(described, data, params, window):
    """The last value over the rows that each bar sees, one bar at a time."""
    rows = described.rows or (window if window and described.sliced and not described.inside else len(data))
    each = [run(described, data[max(0, t + 1 - rows) : t + 1], params, window)[:, -1] for t in range(len(data))]
    return np.array(each).T


@st.composite
def calls(draw, name):
    """An indicator, data and arguments; whole prices and factors make prices that lie exactly on a line."""
    candles = walk(
        n=draw(st.integers(1, 90)),
        seed=draw(st.integers(0, 99)),
        volatility=0.02,
        flat=draw(st.sampled_from((0.0, 0.2, 0.8, 1.0))),
        decimals=draw(st.sampled_from((0, 2))),
    )
    described = ta.get(name)
    floats = st.one_of(st.sampled_from((0.5, 1.0, 2.0)), st.floats(0.1, 5.0))
    whole = st.one_of(st.integers(1, 4), st.integers(1, 25))
    kwargs = {
        each: draw(floats if parameter.annotation == "float" else whole)
        for each, parameter in described.signature.parameters.items()
        if parameter.annotation in ("int", "float") and not each.endswith("type")
    }
    _, params, _ = described.encode(**kwargs)
    return described, candles[:, CLOSE].copy() if described.source else candles, params


@pytest.mark.parametrize("name", naive_indicators.TWINS)
@given(data=st.data())
def test_kernel__equals_its_naive_twin(name, data):
    described, series, params = data.draw(calls(name))
    whole = [int(each) if each.is_integer() else each for each in params]
    expected = naive_indicators.TWINS[name](series.tolist(), *whole)
    same(run(described, series, params), np.array(expected, dtype=np.float64))


@pytest.mark.parametrize("name", [name for name, described in ta.REGISTRY.items() if described.windowed])
@settings(max_examples=150)
@given(data=st.data())
def test_windowed_kernel__equals_a_restart_at_every_bar(name, data):
    described, series, params = data.draw(calls(name))
    window = data.draw(st.integers(1, 60))
    actual = ta.compute(described, series, params, sequential=False, window=window)
    same(actual, restarted(described, series, params, window))


@given(
    st.integers(1, 9),
    st.integers(2, 40),
    st.lists(st.one_of(st.just(np.nan), st.floats(-100, 100)), min_size=41, max_size=150),
)
def test_sma__leaves_unknown_values_out(period, window, values):
    described, x = ta.get("sma"), np.array(values)
    (expected,) = naive_indicators.sma(values, period)
    same(run(described, x, (period,))[0], np.array(expected))
    actual = ta.compute(described, x, (period,), sequential=False, window=window)
    for t in range(len(x)):
        assert_last = naive_indicators.sma(values[max(0, t + 1 - window) : t + 1], period)[0][-1]
        same(actual[:, t], np.array([assert_last]))
