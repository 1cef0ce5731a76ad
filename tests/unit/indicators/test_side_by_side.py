"""Kernels for several argument lists at once: the bits of one list alone, whatever the kernel looks like."""

import ast

import numpy as np
import pytest
from indicator_cases import CASES, MARKETS, OTHER

import fastbt.indicators as ta
from fastbt._jit import jit_disabled, kernel
from fastbt.indicators._in_blocks import BLOCK
from fastbt.indicators._in_lanes import IMPORT
from fastbt.indicators._many import SIDE_BY_SIDE
from fastbt.indicators._side_by_side import LISTS, side_by_side, text_of

if jit_disabled():
    pytest.skip("kernels as plain Python have no source to take apart", allow_module_level=True)

#: Vectors as numpy arrays: what a rewritten loop computes with, where nothing is compiled.
IN_NUMPY = {
    "lanes_of": lambda values: np.array(values, dtype=np.float64),
    "lanes_everywhere": lambda value: np.full(LISTS, float(value)),
    "lanes_where": np.where,
    "lanes_both": np.logical_and,
    "lanes_either": np.logical_or,
    "lanes_not": np.logical_not,
    "lane_of": lambda values, k: values[k],
    "lanes_divided": np.divide,
    "lanes_divided_now": np.divide,
    "lanes_block": lambda: np.full((BLOCK, LISTS), 12345.0),
    "lanes_put": lambda block, row, values: block.__setitem__(row, values),
    "lanes_taken": lambda block, row: block[row].copy(),
    "lanes_in": lambda block, rows, arrays, places: _into(block, rows, arrays, places),
    "lanes_out": lambda block, rows, arrays, places: _out_of(block, rows, arrays, places),
}
BY_HAND = {"roc", "rocp", "rocr", "rocr100"}
KERNELS = {name: described for name, described in ta.REGISTRY.items() if described.kernel is not None}


def _into(block, rows, arrays, places):
    for k, (array, place) in enumerate(zip(arrays, places, strict=True)):
        block[:rows, k] = array[place : place + rows]


def _out_of(block, rows, arrays, places):
    for k, (array, place) in enumerate(zip(arrays, places, strict=True)):
        array[place : place + rows] = block[:rows, k]


def lists_of(name, described):
    """Numbers of as many argument lists as go together: those of the cases, and periods that grow."""
    params = [described.encode(**kwargs)[1] for each, kwargs in CASES if each == name]
    params = [each for each in params if described.compiles(each)] or [described.encode()[1]]
    periods = [
        parameter.annotation == "int" and parameter.default >= 2 and key not in described.allowed
        for key in described.parameters
        for parameter in [described.signature.parameters[key]]
    ]
    while len(params) < LISTS:
        last = params[-1]
        params.append(tuple(value + 2.0 * wide for value, wide in zip(last, periods, strict=True)))
    return [np.array(each) for each in params[:LISTS]]


def data_of(described, params, rows):
    pair = (MARKETS["wild"][:rows], OTHER[:rows]) if described.second_candles else (MARKETS["wild"][:rows],)
    return described.data(pair[0], "close" if described.source else None, params, True, *pair[1:])


#: What there is to rewrite: shared parts and calls, averages by code, branches of lanes and of all lists, what one list
#: alone does, rows that are read again, roots and logarithms, `continue`, early returns, seeds of the last row.
COVERING = {
    *("adx", "atr", "bollinger_bands", "cfo", "cg", "cmo", "dm", "dx", "ema", "eri", "fisher", "high_pass", "kama"),
    *("lrsi", "macd", "mcginley_dynamic", "mom", "rsi", "rsx", "sar", "sma", "trix", "vwma", "wt", "zlema"),
}


def some_slow(names, quick):
    """Mark as slow what is not quick: `pytest -m slow tests/unit/indicators/test_side_by_side.py` runs it."""
    return [each if each in quick else pytest.param(each, marks=pytest.mark.slow) for each in sorted(names)]


@pytest.mark.parametrize("name", some_slow(KERNELS, COVERING))
def test_text__computes_what_each_list_alone_does(name):
    described = KERNELS[name]
    made = text_of(described.kernel)
    if made is None:
        assert side_by_side(described.kernel) is None or name in BY_HAND
        return
    # As plain Python: compiling them all would take minutes. What they call is compiled.
    space = dict(IN_NUMPY)
    plain = made[0].replace("from fastbt._jit import kernel", "kernel = lambda function: function")
    exec(plain.replace(IMPORT, ""), space)
    params = lists_of(name, described)
    for rows in (100, 9, 1):
        data = data_of(described, params[0], rows)
        together = [np.full((len(described.fields), rows), 7.0) for _ in params]
        alone = [np.full((len(described.fields), rows), 7.0) for _ in params]
        for each, out in zip(params, alone, strict=True):
            described.kernel(data, each, out)
        with np.errstate(all="ignore"):
            space[made[1]](data, *params, *together)
        for out, expected in zip(together, alone, strict=True):
            # numpy's exp and log are not the C library's.
            np.testing.assert_allclose(out, expected, rtol=1e-9, atol=1e-9, err_msg=f"{name}, {rows} rows")


@pytest.mark.parametrize("name", some_slow(("ema", "rsi", "atr", "macd", "sma", "supertrend", "zlema"), ("rsi", "sma")))
def test_series__has_the_bits_of_each_list_alone(name):
    described = KERNELS[name]
    key = "fast_period" if name == "macd" else "period"
    table = [{key: period} for period in (5, 9, 14, 3, 60, 21, 4, 7, 11, 30)]
    candles = MARKETS["wild"]
    values, places = ta.series(name, candles, table, sequential=True)
    for arguments, place in zip(table, places, strict=True):
        expected = described.function(candles, **arguments, sequential=True)
        expected = np.stack([expected] if described.record is None else expected)
        assert values[place].tobytes() == np.asarray(expected, dtype=np.float64).tobytes()
    few, _ = ta.series(name, candles[:20], table, sequential=True)
    expected = described.function(candles[:20], **table[4], sequential=True)
    np.testing.assert_array_equal(few[4], np.stack([expected] if described.record is None else expected))


@pytest.mark.parametrize("name", some_slow(SIDE_BY_SIDE, ("adx", "cg", "macd", "roc", "rsx")))
def test_side_by_side__has_the_bits_of_each_list_alone(name):
    described = KERNELS[name]
    params = lists_of(name, described)
    same = tuple((place, float(params[0][place])) for place in described.choices)
    for each in params:
        for place, value in same:
            each[place] = value
    together = side_by_side(described.kernel, same)
    assert together is not None
    for rows in (len(MARKETS["wild"]), 61, 9, 1):
        data = data_of(described, params[0], rows)
        alone = np.full((LISTS, len(described.fields), rows), 7.0)
        for each, out in zip(params, alone, strict=True):
            described.kernel(data, each, out)
        found = np.full((LISTS * len(described.fields), rows), 7.0)
        together(data, np.concatenate(params), found)
        same = found.reshape(alone.shape)
        np.testing.assert_array_equal(same, alone)
        assert (np.signbit(same) == np.signbit(alone))[~np.isnan(alone)].all()


@kernel
def _shifted(x, out):
    """Fill `out` with the differences of neighbours."""
    out[0] = 0.0
    for i in range(1, x.shape[0]):
        out[i] = x[i] - x[i - 1]


@kernel
def _smoothed(x, weight, out):
    """Average of a series that each list has for itself."""
    n = x.shape[0]
    value = x[0]
    for i in range(n):
        if i == 0:
            out[i] = value
            continue
        value += weight * (x[i] - value)
        out[i] = value


@kernel
def _of_all_kinds(x, params, out):
    """Something shared, loops that begin at rows of their own, `continue`, a counter used twice, a call of a call."""
    n = x.shape[0]
    period = int(params[0])
    if n < period:
        out[0, :] = np.nan
        return
    changes = np.empty(n)
    _shifted(x, changes)
    scaled = np.empty(n)
    total = 0.0
    for i in range(period):
        total += x[i]
    for i in range(n):
        scaled[i] = changes[i] * params[0] + total
    _smoothed(scaled, 1.0 / period, out[0])
    for i in range(period, n):
        if x[i] > x[i - period]:
            continue
        out[0, i] = -out[0, i]


def test_text__shares_what_all_lists_have_in_common():
    text, name = text_of(_of_all_kinds)
    tree = ast.parse(text)
    assert text.count("_shifted(x, changes)") == 1  # computed once
    assert "changes[i_" in text  # read once for all
    assert "changes__0" not in text
    assert name == f"_of_all_kinds_0_of_{LISTS}"
    assert sum(isinstance(each, ast.FunctionDef) for each in tree.body) == 3  # the last one spreads the arguments
    x = MARKETS["wild"][:, 2].copy()
    params = [np.array([period]) for period in (4.0, 9.0, 14.0, 5.0, 2.0, 11.0, 3.0, 6.0)]
    for rows in (200, 12):
        together, alone = np.empty((LISTS, 1, rows)), np.empty((LISTS, 1, rows))
        for each, out in zip(params, alone, strict=True):
            _of_all_kinds(x[:rows], each, out)
        side_by_side(_of_all_kinds)(x[:rows], np.concatenate(params), together.reshape(LISTS, rows))
        assert together.tobytes() == alone.tobytes()


@kernel
def _in_place(x, params, out):
    """A series that a kernel called writes into what it reads, one that it reads rows before, and a divisor twice."""
    n = x.shape[0]
    values = np.empty(n)
    for i in range(n):
        values[i] = x[i] * params[0]
    _added_up(values, values)
    out[0, 0] = values[0]
    total = params[0]
    for i in range(1, n):
        total = total * 0.5 + x[i]
        out[1, i] = total
        if x[i] > x[i - 1]:
            continue
        out[1, i] = -total
    out[1, 0] = total
    for i in range(1, n):
        share = values[i] / x[i]
        rest = params[0] / share - x[i - 1] / share
        out[0, i] = out[0, i - 1] * 0.5 + rest
        if out[0, i] > values[i]:
            out[0, i] = values[i]


@kernel
def _added_up(x, out):
    """Sums, and of neighbours."""
    total = 0.0
    for i in range(1, x.shape[0]):
        total = total * 0.5 + x[i]
        out[i] = total + x[i - 1] * 0.25


def test_text__does_not_put_off_what_is_read_again():
    x = MARKETS["wild"][:, 2].copy()
    params = [np.array([each]) for each in (4.0, 9.0, 0.3, 5.0, 2.0, 11.0, 3.0, 6.0)]
    text, _ = text_of(_in_place)
    assert "lanes_divided_now" in text
    for rows in (150, 5):
        together, alone = np.empty((LISTS, 2, rows)), np.empty((LISTS, 2, rows))
        for each, out in zip(params, alone, strict=True):
            _in_place(x[:rows], each, out)
        side_by_side(_in_place)(x[:rows], np.concatenate(params), together.reshape(2 * LISTS, rows))
        assert together.tobytes() == alone.tobytes()


@kernel
def _quotients(x, params, out):
    """By the same number at all rows, by the same for all lists, and both, one after the other."""
    value = params[0]
    for i in range(x.shape[0]):
        value = value * 0.5
        out[0, i] = x[i] / params[0]
        out[1, i] = params[0] / x[i]
        out[2, i] = value


def _nearest_to_the_middle(divisor):
    """Whole numbers whose quotients by an odd one lie as near as can be to the middle between two numbers."""
    if divisor.is_integer() or (whole := int(np.frexp(divisor)[0] * 2.0**53)) % 2 == 0:
        return []
    # dividend * 2**54 = divisor * middle + rest, and the middle is an odd number of 54 bits.
    rests = [each for each in range(-31, 32, 2)]
    middles = [-rest * pow(whole, -1, 2**54) % 2**54 for rest in rests]
    return [float((whole * each + rest) >> 54) for each, rest in zip(middles, rests, strict=True) if each >> 53]


def _hard_divisions():
    """Divisors, and whole numbers and others to be divided."""
    random = np.random.default_rng(7)
    divisors = np.concatenate(
        [
            [3.0, 14.0, 1.0, 4999.0, -7.0, 0.75, 21.0, 2.0**44 + 1.0],
            [3.0, 14.0, 1.0, 0.1, 4999.0, 1e300, 1e-300, 0.0],
            np.ldexp(random.integers(2**52, 2**53, 40) | 1, random.integers(-80, -20, 40)),
            np.nextafter([2.0, 1.0, 8.0, 4.0, 0.5, 16.0, 32.0, 64.0], 0.0),
        ]
    )
    whole = random.integers(2**52, 2**53, 60).astype(np.float64)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1e-310, 1e308, -1e-300, 1.0, -1.0]
    return divisors, whole, np.concatenate([special, -whole[:5], whole * 2.0**-60])


@pytest.mark.skipif(LISTS != 8, reason="divisors come in eights")
def test_divisions__have_the_bits_of_the_divider():
    divisors, whole, others = _hard_divisions()
    together = side_by_side(_quotients)
    for group in divisors.reshape(-1, LISTS):
        # Divided by the group's own, almost an odd number of 54 bits.
        with np.errstate(all="ignore"):
            near = np.outer(group, (2.0 * whole + 1.0) * 2.0**-52).ravel()
        nearest = [each for divisor in group for each in _nearest_to_the_middle(float(divisor))]
        middle = np.concatenate([near, np.nextafter(near, np.inf), np.nextafter(near, 0.0), nearest, others])
        found = np.empty((LISTS, 3, len(middle)))
        together(middle, group, found.reshape(3 * LISTS, -1))
        for divisor, out in zip(group, found, strict=True):
            alone = np.empty((3, len(middle)))
            _quotients(middle, np.array([divisor]), alone)
            assert (out.view(np.int64) == alone.view(np.int64))[~np.isnan(alone)].all()
            assert (np.isnan(out) == np.isnan(alone)).all()
