# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
"""Kernels that generated code calls where Python's meaning differs from the machine's, and Jesse's small helpers.

What would raise in Python ends the run with the status of that exception; the value returned then is never used.
"""

import math

import numpy as np

from fastbt._jit import kernel, lean
from fastbt.engine.kernels import _fail, _forming
from fastbt.types import CLOSE, HIGH, LOW, OPEN, VOLUME

INVALID_STRATEGY = 1
VALUE_ERROR = 6
TYPE_ERROR = 7
ZERO_DIVISION_ERROR = 8
INDEX_ERROR = 9
KEY_ERROR = 10
OVERFLOW_ERROR = 13
UNBOUND_LOCAL_ERROR = 17
ATTRIBUTE_ERROR = 11
AMBIGUOUS_DIVISION = 105
FORMING_SERIES = 107
UNEXPECTED_NONE = 108
BAD_ARGUMENT = 109
#: Behind a value that Python computed (see `python_series`).
IS_NONE = 1
RAISED = 2


@lean
def _raise(s, status):
    """End the run with an exception, unless it is caught."""
    _fail(s, status)


@lean
def _divide(s, a, b):
    """Divide Python numbers: zero raises."""
    if b == 0:
        _fail(s, ZERO_DIVISION_ERROR)
        return 0.0
    return a / b


@lean
def _divide_either(s, a, b):
    """Divide numbers that may be Python's or numpy's: zero cannot be decided."""
    if b == 0:
        _fail(s, AMBIGUOUS_DIVISION)
        return 0.0
    return a / b


@lean
def _floor_divide(s, a, b):
    """Divide and round down."""
    if b == 0:
        _fail(s, ZERO_DIVISION_ERROR)
        return a
    return a // b


@lean
def _modulo(s, a, b):
    """Return the remainder, with the sign of the divisor."""
    if b == 0:
        _fail(s, ZERO_DIVISION_ERROR)
        return a
    return a % b


@lean
def _floor_divide_either(s, a, b):
    """Divide and round down numbers that may be Python's or numpy's: zero cannot be decided."""
    if b == 0:
        _fail(s, AMBIGUOUS_DIVISION)
        return a
    return a // b


@lean
def _modulo_either(s, a, b):
    """Return the remainder of numbers that may be Python's or numpy's: zero cannot be decided."""
    if b == 0:
        _fail(s, AMBIGUOUS_DIVISION)
        return a
    return a % b


@lean
def _floor_divide_numpy(s, a, b):
    """Divide numpy's floats and round down: zero gives an infinity."""
    return a / b if b == 0.0 else a // b


@lean
def _modulo_numpy(s, a, b):
    """Return the remainder of numpy's floats: that of zero is no number."""
    return np.nan if b == 0.0 else a % b


@lean
def _floor_divide_whole(s, a, b):
    """Divide numpy's whole numbers and round down: zero gives zero."""
    return 0 if b == 0 else a // b


@lean
def _modulo_whole(s, a, b):
    """Return the remainder of numpy's whole numbers: that of zero is zero."""
    return 0 if b == 0 else a % b


@lean
def _lesser(a, b):
    """Return Python's `min(a, b)`, NaN included."""
    return b if b < a else a


@lean
def _greater(a, b):
    """Return Python's `max(a, b)`, NaN included."""
    return b if b > a else a


@lean
def _integer(s, a):
    """Return Python's `int(a)`."""
    if a != a:
        _fail(s, VALUE_ERROR)
        return 0
    if a > 9e18 or a < -9e18:
        _fail(s, OVERFLOW_ERROR)
        return 0
    return np.int64(a)


@lean
def _floor(s, a):
    """Return `math.floor(a)`."""
    if a != a:
        _fail(s, VALUE_ERROR)
        return 0
    if a > 9e18 or a < -9e18:
        _fail(s, OVERFLOW_ERROR)
        return 0
    return np.int64(math.floor(a))


@lean
def _ceil(s, a):
    """Return `math.ceil(a)`."""
    if a != a:
        _fail(s, VALUE_ERROR)
        return 0
    if a > 9e18 or a < -9e18:
        _fail(s, OVERFLOW_ERROR)
        return 0
    return np.int64(math.ceil(a))


@lean
def _square_root(s, a):
    """Return `math.sqrt(a)`."""
    if a < 0.0:
        _fail(s, VALUE_ERROR)
        return 0.0
    return math.sqrt(a)


@lean
def _logarithm(s, a):
    """Return `math.log(a)`."""
    if a <= 0.0:
        _fail(s, VALUE_ERROR)
        return 0.0
    return math.log(a)


@lean
def _lag(s, n):
    """Return the bar of `[-n]`; further back than there are rows raises."""
    if n > s.bar + 1:
        _fail(s, INDEX_ERROR)
        return s.bar
    return s.bar + 1 - n


@lean
def _settled(s, first, value):
    """Return a value of a sequential series: NaN while there are too few rows for all of it."""
    return value if s.bar >= first else np.nan


@lean
def _at(s, index):
    """Return the bar of `[index]`, counted from the first row or, if negative, from the last."""
    bar = index if index >= 0 else s.bar + 1 + index
    if bar < 0 or bar > s.bar:
        _fail(s, INDEX_ERROR)
        return s.bar
    return bar


@lean
def _lag_from(s, n, first):
    """Return the bar of `[-n]` of an array that begins at the bar `first`."""
    if n > s.bar + 1 - first:
        _fail(s, INDEX_ERROR)
        return s.bar
    return s.bar + 1 - n


@lean
def _at_from(s, index, first):
    """Return the bar of `[index]` of an array that begins at the bar `first`."""
    bar = index + first if index >= 0 else s.bar + 1 + index
    if bar < first or bar > s.bar:
        _fail(s, INDEX_ERROR)
        return s.bar
    return bar


@lean
def _known_bar(s, bar):
    """Return a bar, unless it is still forming: what Python computes, or another symbol does, is known of whole bars.

    Within a minute, other symbols may be a minute ahead or behind, or show a part of it.
    """
    if bar == s.bar and (s.matching or not s.complete):
        _fail(s, FORMING_SERIES)
    return bar


@lean
def _whole(s, n, least):
    """Return a count, unless it is less than makes sense."""
    if n < least:
        _fail(s, BAD_ARGUMENT)
        return least
    return n


@lean
def _found(s, value, flag):
    """Return what Python found at a bar; where it raised, the run ends."""
    if flag != 0.0:
        _fail(s, UNEXPECTED_NONE if flag == IS_NONE else int(flag) - RAISED)
    return value


@lean
def _found_or_none(s, value, flag):
    """Return what Python found at a bar, or anything for None; where it raised, the run ends."""
    if flag >= RAISED:
        _fail(s, int(flag) - RAISED)
    return value


@lean
def _current(s, bars, minutes, column):
    """Return a column of the newest candle, forming or complete."""
    if s.complete:
        return bars[s.bar, column]
    return _forming(s, minutes, column)


@lean
def _candle_at(s, bars, minutes, index, column):
    """Return a column of any candle, the newest perhaps forming."""
    bar = _at(s, index)
    if bar == s.bar and not s.complete:
        return _forming(s, minutes, column)
    return bars[bar, column]


@lean
def _present(s, is_none, value):
    """Return a number that may be None, where None raises."""
    if is_none:
        _fail(s, TYPE_ERROR)
    return value


@lean
def _unbound(s):
    """End the run where Python reads a name that no path has assigned; of a type that every number absorbs."""
    _fail(s, UNBOUND_LOCAL_ERROR)
    return False


@lean
def _known(s, is_set, value):
    """Return a variable that must have been set before."""
    if not is_set:
        _fail(s, KEY_ERROR)
    return value


@lean
def _floor_with_precision(s, number, precision):
    """Round down to decimal places as Jesse does."""
    scale = 10.0**precision
    scaled = number * scale
    if scaled != scaled:
        _fail(s, VALUE_ERROR)
        return 0.0
    if scaled > 1e308 or scaled < -1e308:
        _fail(s, OVERFLOW_ERROR)
        return 0.0
    return math.floor(scaled) / scale


@lean
def _size_to_qty(s, size, price, precision, fee_rate):
    """Return `utils.size_to_qty` (specification 5.3)."""
    if size != size or price != price:
        _fail(s, TYPE_ERROR)
        return 0.0
    if fee_rate != 0.0:
        size = size * (1.0 - fee_rate * 3.0)
    if price == 0.0:
        _fail(s, AMBIGUOUS_DIVISION)
        return 0.0
    return _floor_with_precision(s, size / price, precision)


@lean
def _qty_to_size(s, qty, price):
    """Return `utils.qty_to_size`."""
    if qty != qty or price != price:
        _fail(s, TYPE_ERROR)
    return qty * price


@lean
def _risk_to_size(s, capital, risk, risk_per_qty, price):
    """Return `utils.risk_to_size`."""
    if risk_per_qty == 0.0:
        _fail(s, VALUE_ERROR)
        return 0.0
    size = ((risk / 100.0 * capital) / risk_per_qty) * price
    return _lesser(size, capital)


@lean
def _risk_to_qty(s, capital, risk, price, stop, precision, fee_rate):
    """Return `utils.risk_to_qty`, which applies the fee twice."""
    size = _risk_to_size(s, capital, risk, abs(price - stop), price)
    if fee_rate != 0.0:
        size = size * (1.0 - fee_rate * 3.0)
    return _size_to_qty(s, size, price, precision, fee_rate)


@lean
def _estimate_risk(s, entry, stop):
    """Return `utils.estimate_risk`."""
    if entry != entry or stop != stop:
        _fail(s, TYPE_ERROR)
    return abs(entry - stop)


@lean
def _kelly_criterion(s, win_rate, ratio):
    """Return `utils.kelly_criterion`."""
    if ratio == 0.0:
        _fail(s, AMBIGUOUS_DIVISION)
        return 0.0
    return win_rate - (1.0 - win_rate) / ratio


@lean
def _average_points(s, n, points):
    """Return the average price of order points, weighted by quantity (specification 2.7)."""
    total = 0.0
    weight = 0.0
    for i in range(n):
        total += abs(points[i, 0] * points[i, 1])
        weight += abs(points[i, 0])
    return total / weight


@lean
def _average_exit(s, n, points):
    """Return the average price of submitted exits; without any Jesse raises."""
    if n < 0:
        _fail(s, INVALID_STRATEGY)
        return 0.0
    if n == 0:
        _fail(s, TYPE_ERROR)
        return 0.0
    return _average_points(s, n, points)


@lean
def _average_entry_price(s):
    """Return the average price of the entry points: the submitted ones while open, else the assigned ones."""
    if s.qty > 0.0:
        return _average_points(s, s.buy_was_n, s.buy_was) if s.buy_was_n > 0 else s.entry_price
    if s.qty < 0.0:
        return _average_points(s, s.sell_was_n, s.sell_was) if s.sell_was_n > 0 else s.entry_price
    is_buy = s.o_side[0] > 0 if s.n_active > 0 else s.buy_n > 0
    n = s.buy_n if is_buy else s.sell_n
    if n < 1:
        return np.nan
    return _average_points(s, n, s.buy) if is_buy else _average_points(s, n, s.sell)


@lean
def _liquidate(s):
    """Ask for the position to be closed at the market (specification 2.5)."""
    if s.qty == 0.0:
        return
    difference = abs(s.current_price * s.qty) - abs(s.entry_price * s.qty)
    pnl = -difference if s.qty < 0.0 else difference
    if pnl > 0.0:
        s.take_profit_n = 1
        s.take_profit[0, 0] = s.qty
        s.take_profit[0, 1] = s.current_price
    else:
        # In another order than above, or LLVM makes one store to either of it (see `owned.py`).
        s.stop_loss[0, 1] = s.current_price
        s.stop_loss[0, 0] = s.qty
        s.stop_loss_n = 1


@lean
def _there(s, is_set, value):
    """Return an attribute that must have been set before."""
    if not is_set:
        _fail(s, ATTRIBUTE_ERROR)
    return value


#: Codes of `source_type` for `_source`.
SOURCE_TYPES = ("close", "high", "low", "open", "volume", "hl2", "hlc3", "ohlc4")


@kernel
def _source(rows, code):
    """Return the price series of a source code, added in Jesse's order."""
    if code == 0:
        return rows[:, CLOSE].copy()
    if code == 1:
        return rows[:, HIGH].copy()
    if code == 2:
        return rows[:, LOW].copy()
    if code == 3:
        return rows[:, OPEN].copy()
    if code == 4:
        return rows[:, VOLUME].copy()
    if code == 5:
        return (rows[:, HIGH] + rows[:, LOW]) / 2.0
    if code == 6:
        return (rows[:, HIGH] + rows[:, LOW] + rows[:, CLOSE]) / 3.0
    return (rows[:, OPEN] + rows[:, HIGH] + rows[:, LOW] + rows[:, CLOSE]) / 4.0


@lean
def _tail(s, n):
    """Return how many rows an indicator of `candles[-n:]` sees after Jesse's own slice."""
    return min(n, s.window) if s.window > 0 else n
