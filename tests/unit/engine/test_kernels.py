"""Each engine kernel against its slow twin, and the language kernels against Python itself."""

import math
import operator

import naive_engine as naive
import numpy as np
import pytest
from candle_generators import make_candles
from hypothesis import example, given
from hypothesis import strategies as st

from fastbt._jit import jit_disabled
from fastbt.data._kernels import _resample
from fastbt.engine import kernels, language, sizing
from fastbt.engine.layout import state_dtype
from fastbt.types import Mode, Status

LAYOUT = state_dtype(2, 12)
ticks = st.integers(1, 40).map(lambda n: n / 4)
any_float = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf]))
finite = st.floats(-1e6, 1e6)
orders = st.lists(
    st.builds(naive.Working, ticks, st.sampled_from([1, -1]), st.sampled_from([1, 2]), st.booleans()), max_size=8
)


def new_state(**values):
    """Return a state as kernels are handed it."""
    states = np.zeros(1, dtype=LAYOUT)
    for key, value in values.items():
        states[key] = value
    return states.view(np.recarray)[0] if jit_disabled() else states[0]


def with_orders(working, **values):
    s = new_state(n_active=len(working), **values)
    for i, order in enumerate(working):
        s["o_price"][i], s["o_side"][i], s["o_type"][i] = order.price, order.side, order.type
        s["o_status"][i] = 0 if order.active else 2
    return s


@st.composite
def candles(draw):
    """Open, close, high, low on a coarse grid, so that equal prices are common."""
    open_, close = draw(ticks), draw(ticks)
    return (
        open_,
        close,
        max(open_, close) + draw(st.integers(0, 8)) / 4,
        min(open_, close) - draw(st.integers(0, 3)) / 4,
    )


# --- matching -------------------------------------------------------------------------------------------------------


@given(candles(), st.integers(0, 60))
def test_split_candle__equals_the_table(candle, step):
    open_, close, high, low = candle
    price = min(low + step / 4, high)
    done, rest = naive.split_candle(*candle, price)
    assert kernels._split_candle(*candle, price) == done + rest


@given(orders, candles())
def test_next_on_path__equals_naive(working, candle):
    assert kernels._next_on_path(with_orders(working), *candle) == naive.next_on_path(working, *candle)


@given(orders, ticks, ticks)
def test_is_crossed_by_gap__equals_naive(working, previous_close, open_):
    if open_ == previous_close:
        return
    s = with_orders(working)
    for i, order in enumerate(working):
        expected = naive.crossed_by_gap(order, previous_close, open_)
        assert kernels._is_crossed_by_gap(s, i, previous_close, open_) == expected


@given(orders, ticks)
def test_triggers__are_the_nearest_prices(working, price):
    s = with_orders(working, current_price=price)
    assert tuple(kernels._triggers(s)) == naive.triggers(working, price)


@given(orders, ticks, st.sampled_from([1.0, -2.0]), st.integers(2, 75))
def test_triggers__include_the_liquidation_price(working, price, qty, leverage):
    entry = price * 1.01
    s = with_orders(
        working, current_price=price, mode=int(Mode.ISOLATED), qty=qty, entry_price=entry, leverage=leverage
    )
    sign = 1 if qty > 0 else -1
    liquidation = entry * (1 - sign / leverage + sign * 0.004)
    assert tuple(kernels._triggers(s)) == pytest.approx(naive.triggers(working, price, liquidation), rel=1e-15)


# --- candles --------------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 5, 15, 60, 240]), st.integers(0, 400))
def test_forming__equals_naive(seed, length, minute):
    minutes = make_candles(500, seed)
    part = [minutes[minute, 0], *(minutes[minute, 1] * np.array([1.0, 1.001, 1.002, 0.999])), 3.5]
    s = new_state(minute=minute, timeframe_minutes=length)
    for name, value in zip(("open", "close", "high", "low", "volume"), part[1:], strict=True):
        s[f"part_{name}"] = value
    first = minute - minute % length
    expected = naive.forming_candle(minutes[:minute].tolist(), first, part)
    actual = [kernels._forming(s, minutes, column) for column in range(6)]
    assert actual[:5] == expected[:5]
    assert actual[5] == pytest.approx(expected[5], rel=1e-14)


@given(st.integers(0, 2**32 - 1), st.sampled_from([5, 15, 60]))
def test_forming__a_whole_bar_is_the_resampled_one(seed, length):
    minutes = make_candles(length * 3, seed)
    bars = np.empty((3, 6))
    _resample(minutes, length, bars)
    for b in range(3):
        i = (b + 1) * length - 1
        s = new_state(minute=i, timeframe_minutes=length)
        kernels._publish_minute(s, minutes, i)
        np.testing.assert_array_equal([kernels._forming(s, minutes, column) for column in range(6)], bars[b])


@given(st.integers(0, 2**32 - 1), st.integers(0, 6), st.integers(0, 14))
def test_visible__ends_with_the_forming_candle(seed, window, minute):
    # Two bars of 5 minutes, and a third that may never end: there is no row for it.
    minutes = make_candles(15, seed)
    bars = np.empty((2, 6))
    _resample(minutes[:10], 5, bars)
    s = new_state(minute=minute, bar=minute // 5, timeframe_minutes=5)
    kernels._publish(s, *minutes[minute, 1:])
    rows = kernels._visible(s, bars, minutes, window)
    forming = [kernels._forming(s, minutes, column) for column in range(6)]
    expected = np.vstack([bars[: minute // 5], forming])
    np.testing.assert_array_equal(rows, expected[-window:] if window else expected)


# --- margin ---------------------------------------------------------------------------------------------------------

rows = st.lists(st.tuples(st.floats(-50, 50), st.floats(1, 200)), max_size=40)


@given(rows)
def test_row_sum__adds_as_numpy_does(pairs):
    table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    total = kernels._row_sum(np.vstack([table, np.full((3, 2), 9.0)]), len(table))
    assert total == (table[:, 0] * table[:, 1]).sum()
    assert total == pytest.approx(naive.sum_of_products(pairs), rel=1e-12, abs=1e-9)


@given(
    st.floats(10, 1e5),
    st.integers(1, 75),
    st.sampled_from([0.0, 1.5, -2.0]),
    st.floats(50, 150),
    st.floats(50, 150),
    st.lists(st.tuples(st.floats(0, 50), st.floats(1, 200)), max_size=20),
    st.lists(st.tuples(st.floats(-50, 0), st.floats(1, 200)), max_size=20),
)
def test_available_margin__equals_naive(wallet, leverage, qty, entry, price, buys, sells):
    s = new_state(wallet=wallet, leverage=leverage, qty=qty, entry_price=entry, current_price=price)
    for key, pairs in (("buy", buys), ("sell", sells)):
        s[f"n_{key}_rows"] = len(pairs)
        s[f"{key}_rows"][: len(pairs)] = np.array(pairs).reshape(-1, 2)
    expected = naive.available_margin(wallet, leverage, qty, entry, price, buys, sells)
    assert kernels._available_margin(s) == pytest.approx(expected, rel=1e-12, abs=1e-6)


def test_available_margin__is_the_wallet_in_spot():
    s = new_state(wallet=70.0, mode=int(Mode.SPOT), leverage=1, qty=5.0, entry_price=9.0, current_price=8.0)
    assert kernels._available_margin(s) == 70.0


positions = st.tuples(st.sampled_from([0.0, 1.5, -2.0]), st.floats(50, 150), st.floats(50, 150))


@given(st.floats(10, 1e5), st.integers(2, 75), positions)
def test_values_of_a_position__equal_naive(wallet, leverage, position):
    qty, entry, price = position
    s = new_state(wallet=wallet, leverage=leverage, qty=qty, entry_price=entry, current_price=price)
    profit = qty * (price - entry)
    near = {"rel": 1e-9, "abs": 1e-6}
    expected = naive.portfolio_value(wallet, leverage, qty, entry, price)
    assert kernels._portfolio_value(s) == pytest.approx(expected, **near)
    assert kernels._equity(s) == pytest.approx(wallet + profit, **near)
    assert kernels._position_pnl(s) == pytest.approx(profit, **near)
    assert kernels._position_value(s) == pytest.approx(abs(qty) * price, **near)
    if qty:
        assert kernels._position_total_cost(s) == pytest.approx(abs(qty) * entry / leverage)
        assert kernels._position_roi(s) == pytest.approx(profit / (abs(qty) * entry / leverage) * 100, **near)
        assert kernels._bankruptcy_price(s) == pytest.approx(entry * (1 - math.copysign(1 / leverage, qty)))
    else:
        assert math.isnan(kernels._position_total_cost(s)) and math.isnan(kernels._bankruptcy_price(s))
        assert kernels._position_roi(s) == 0.0


@given(st.floats(10, 1e5), st.sampled_from([0.0, 2.0]), ticks, orders)
def test_portfolio_value__in_spot_counts_working_entries(wallet, qty, price, working):
    s = with_orders(
        working, wallet=wallet, leverage=1, mode=int(Mode.SPOT), qty=qty, entry_price=price, current_price=price
    )
    for i, order in enumerate(working):
        s["o_qty"][i] = order.side
    expected = naive.spot_portfolio_value(wallet, qty, price, working)
    assert kernels._portfolio_value(s) == pytest.approx(expected)
    assert kernels._equity(s) == kernels._portfolio_value(s)


@given(st.floats(1e-14, 1e-9), st.integers(-40, 40), st.sampled_from([1, -1]))
@example(4.4294512725260997e-13, 1, 1)
@example(4.4294512725260997e-13, 0, -1)
def test_fill__closes_where_the_decimal_sum_is_zero(held, steps, sign):
    # The last third of a third of a position is a few units in the last place off.
    qty = held
    for _ in range(abs(steps)):
        qty = math.nextafter(qty, math.inf if steps > 0 else 0.0)
    s = new_state(qty=sign * held, entry_price=100.0, leverage=1, n_active=1, trade_side=sign)
    s["o_qty"][0], s["o_price"][0], s["o_side"][0], s["o_reduce_only"][0] = -sign * qty, 101.0, -sign, 1
    effect = kernels._fill(s, 0, np.zeros((9, 4)), np.zeros((11, 0)))
    closes = qty >= held or sizing.sum_floats(sign * held, -sign * qty) == 0.0
    assert effect == (kernels.CLOSED if closes else kernels.REDUCED)
    assert (float(s["qty"]) == 0.0) == closes


# --- the language ---------------------------------------------------------------------------------------------------


def said_by_python(call, *args):
    """Return the value of a call in Python, and the status of what it raises."""
    try:
        return call(*args), Status.OK
    except Exception as error:
        words = {"ZeroDivisionError": Status.ZERO_DIVISION_ERROR, "ValueError": Status.VALUE_ERROR}
        words |= {"OverflowError": Status.OVERFLOW_ERROR, "TypeError": Status.TYPE_ERROR}
        return None, words[type(error).__name__]


def check_against_python(kernel, call, *args, kernel_args=None):
    s = new_state()
    actual = kernel(s, *(args if kernel_args is None else kernel_args))
    expected, status = said_by_python(call, *args)
    assert Status(int(s["status"])) == status, (args, expected)
    if status == Status.OK:
        assert actual == expected or (math.isnan(actual) and math.isnan(expected)), args


@given(finite, finite)
@example(1.0, 0.0)
@example(0.0, -0.0)
@example(math.nan, 2.0)
def test_divide__is_pythons(a, b):
    check_against_python(language._divide, operator.truediv, a, b)


@given(st.integers(-50, 50), st.integers(-7, 7))
def test_whole_division_and_remainder__are_pythons(a, b):
    check_against_python(language._divide, operator.truediv, a, b)
    check_against_python(language._floor_divide, operator.floordiv, a, b)
    check_against_python(language._modulo, operator.mod, a, b)


@given(st.floats(-1e4, 1e4), st.floats(-50, 50))
@example(7.5, 0.0)
@example(-7.5, 2.5)
@example(5.0, -0.3)
def test_float_division_and_remainder__are_pythons(a, b):
    check_against_python(language._floor_divide, operator.floordiv, a, b)
    check_against_python(language._modulo, operator.mod, a, b)


@given(any_float, any_float)
@example(math.nan, 1.0)
@example(1.0, math.nan)
@example(0.0, -0.0)
def test_min_and_max__are_pythons(a, b):
    for kernel, call in ((language._lesser, min), (language._greater, max)):
        assert repr(float(kernel(a, b))) == repr(call(a, b))


@given(any_float)
@example(-2.5)
@example(0.5)
def test_rounding__is_pythons(a):
    for kernel, call in (
        (language._integer, int),
        (language._floor, math.floor),
        (language._ceil, math.ceil),
    ):
        check_against_python(kernel, call, a)


@given(any_float)
@example(0.0)
@example(-1.0)
def test_roots_and_logarithms__are_pythons(a):
    check_against_python(language._square_root, math.sqrt, a)
    check_against_python(language._logarithm, math.log, a)


@pytest.mark.parametrize(("index", "bar"), [(-1, 9), (-10, 0), (0, 0), (9, 9), (-11, None), (10, None)])
def test_at__counts_from_either_end(index, bar):
    s = new_state(bar=9)
    found = language._at(s, index)
    assert Status(int(s["status"])) == (Status.OK if bar is not None else Status.INDEX_ERROR)
    if bar is not None:
        assert found == bar
    if index < 0:
        s = new_state(bar=9)
        assert (language._lag(s, -index) == bar) or bar is None
        assert (int(s["status"]) == 0) == (bar is not None)


sizes = st.one_of(st.floats(0.01, 1e6), st.just(math.nan))
prices = st.one_of(st.floats(0.01, 1e5), st.just(math.nan))
fees = st.sampled_from([0.0, 0.0006, 0.01])


@given(sizes, prices, st.integers(0, 8), fees)
@example(math.inf, 10.0, 3, 0.0)
def test_size_to_qty__is_jesses(size, price, precision, fee):
    check_against_python(language._size_to_qty, sizing.size_to_qty, size, price, precision, fee)


@given(sizes, st.floats(0.1, 10), prices, prices, st.integers(0, 8), fees)
@example(1000.0, 1.0, 100.0, 100.0, 3, 0.0)
def test_risk_to_qty__is_jesses(capital, risk, price, stop, precision, fee):
    check_against_python(language._risk_to_qty, sizing.risk_to_qty, capital, risk, price, stop, precision, fee)


@given(sizes, st.floats(0.1, 10), st.one_of(st.just(0.0), st.floats(0.01, 100)), prices)
def test_risk_to_size__is_jesses(capital, risk, per_qty, price):
    check_against_python(language._risk_to_size, sizing.risk_to_size, capital, risk, per_qty, price)


@given(prices, prices)
def test_small_helpers__are_jesses(a, b):
    check_against_python(language._estimate_risk, sizing.estimate_risk, a, b)
    check_against_python(language._qty_to_size, sizing.qty_to_size, a, b)
    check_against_python(language._kelly_criterion, sizing.kelly_criterion, a, b)
