# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
"""From the strategy's order attributes to working orders: what Jesse submits, replaces and cancels (2.3 to 2.5)."""

from fastbt._jit import lean
from fastbt.engine.kernels import (
    ACTIVE,
    BUY,
    INVALID_STRATEGY,
    LIMIT,
    MARKET,
    OK,
    ORDER_NOT_ALLOWED,
    SELL,
    STOP,
    TYPE_ERROR,
    VALUE_ERROR,
    VIA_NONE,
    VIA_STOP_LOSS,
    VIA_TAKE_PROFIT,
    _cancel,
    _fail,
    _is_near,
    _submit,
)


@lean
def _reset_orders(s):
    """Forget the strategy's order attributes and its order lists (Jesse's `_reset`)."""
    s.buy_n = s.sell_n = s.stop_loss_n = s.take_profit_n = -1
    s.buy_was_n = s.sell_was_n = s.stop_loss_was_n = s.take_profit_was_n = -1
    s.n_active = 0
    s.n_listed = 0
    s.increased_count = 0
    s.reduced_count = 0


@lean
def _check_points(s, n, points):
    """End the run if a price is not positive (NaN passes, as in Jesse)."""
    lowest = 1.0
    for i in range(n):
        if i == 0 or points[i, 1] < lowest or points[i, 1] != points[i, 1]:
            lowest = points[i, 1]
        if lowest != lowest:
            return
    if lowest <= 0.0:
        _fail(s, INVALID_STRATEGY)


@lean
def _same_points(n, points, m, others):
    """Tell whether two order attributes are equal element by element; NaN equals nothing."""
    if n != m:
        return False
    for i in range(n):
        if points[i, 0] != others[i, 0] or points[i, 1] != others[i, 1]:
            return False
    return True


@lean
def _copy_points(n, points, target):
    """Copy the first `n` pairs."""
    for i in range(n):
        target[i, 0] = points[i, 0]
        target[i, 1] = points[i, 1]


@lean
def _submit_entries(s, side):
    """Submit the points of the entry attribute (specification 2.3.5)."""
    reference = s.current_price
    n = s.buy_was_n if side == BUY else s.sell_was_n
    for i in range(n):
        if side == BUY:
            qty = s.buy_was[i, 0]
            price = s.buy_was[i, 1]
        else:
            qty = s.sell_was[i, 0]
            price = s.sell_was[i, 1]
        if qty == 0.0:
            _fail(s, INVALID_STRATEGY)
        elif price != price:
            _fail(s, VALUE_ERROR)
        elif _is_near(price, reference):
            _submit(s, side, MARKET, False, abs(qty), s.current_price, VIA_NONE)
        elif (price > reference) == (side == BUY):
            _submit(s, side, STOP, False, abs(qty), price, VIA_NONE)
        else:
            _submit(s, side, LIMIT, False, abs(qty), price, VIA_NONE)
        if s.status != OK:
            return


@lean
def _submit_exit(s, qty, price, via):
    """Submit a reduce-only order (specification 2.5)."""
    if qty == 0.0:
        _fail(s, INVALID_STRATEGY)
        return
    if price < 0.0:
        _fail(s, VALUE_ERROR)
        return
    if s.qty == 0.0 or price != price:
        _fail(s, ORDER_NOT_ALLOWED)
        return
    side = SELL if s.qty > 0.0 else BUY
    reference = s.current_price
    if _is_near(price, reference):
        type_ = MARKET
    elif (price > reference) == (side == SELL):
        type_ = LIMIT
    else:
        type_ = STOP
    _submit(s, side, type_, True, abs(qty), price, via)


@lean
def _submit_on_open(s, n, points, via):
    """Submit the exits set in go_long or go_short; those on the wrong side of the fill go to the market (2.6)."""
    if n < 0:
        # Assigned while entries waited, after go_long or go_short: there is nothing for Jesse to iterate over.
        _fail(s, TYPE_ERROR)
    is_stop = via == VIA_STOP_LOSS
    for i in range(n):
        qty = points[i, 0]
        price = points[i, 1]
        if s.qty > 0.0:
            wrong = price >= s.entry_price if is_stop else price <= s.entry_price
        else:
            wrong = price <= s.entry_price if is_stop else price >= s.entry_price
        if not wrong:
            _submit_exit(s, qty, price, via)
        elif qty == 0.0:
            _fail(s, INVALID_STRATEGY)
        else:
            _submit(s, SELL if s.qty > 0.0 else BUY, MARKET, False, abs(qty), s.current_price, via)
        if s.status != OK:
            return


@lean
def _resubmit_exits(s, n, points, via):
    """Replace the working exits of one attribute by its new points."""
    for i in range(n):
        if not (abs(points[i, 0]) < 1e308 and abs(points[i, 1]) < 1e308):
            _fail(s, INVALID_STRATEGY)
            return
    for i in range(s.n_active):
        if s.o_via[i] == via and s.o_status[i] == ACTIVE and (s.o_side[i] == SELL) == (s.qty > 0.0):
            _cancel(s, i)
    for i in range(n):
        if s.qty == 0.0 or s.status != OK:
            return
        _submit_exit(s, points[i, 0], points[i, 1], via)


@lean
def _detect(s):
    """Detect what the strategy changed, and submit or cancel accordingly (specification 2.4)."""
    if s.qty == 0.0 or s.status != OK:
        return
    if s.qty > 0.0:
        n = max(s.buy_n, 0)
        _check_points(s, n, s.buy)
        if not _same_points(n, s.buy, s.buy_was_n, s.buy_was):
            s.buy_n = n
            s.buy_was_n = n
            _copy_points(n, s.buy, s.buy_was)
            for i in range(s.n_active):
                if s.o_side[i] == BUY:
                    _cancel(s, i)
            _submit_entries(s, BUY)
    else:
        n = max(s.sell_n, 0)
        _check_points(s, n, s.sell)
        if not _same_points(n, s.sell, s.sell_was_n, s.sell_was):
            s.sell_n = n
            s.sell_was_n = n
            _copy_points(n, s.sell, s.sell_was)
            for i in range(s.n_active):
                if s.o_side[i] == SELL:
                    _cancel(s, i)
            _submit_entries(s, SELL)
    if s.status == OK and s.stop_loss_n >= 0:
        _check_points(s, s.stop_loss_n, s.stop_loss)
        if not _same_points(s.stop_loss_n, s.stop_loss, s.stop_loss_was_n, s.stop_loss_was):
            s.stop_loss_was_n = s.stop_loss_n
            _copy_points(s.stop_loss_n, s.stop_loss, s.stop_loss_was)
            _resubmit_exits(s, s.stop_loss_n, s.stop_loss_was, VIA_STOP_LOSS)
    if s.status == OK and s.take_profit_n >= 0:
        _check_points(s, s.take_profit_n, s.take_profit)
        if not _same_points(s.take_profit_n, s.take_profit, s.take_profit_was_n, s.take_profit_was):
            s.take_profit_was_n = s.take_profit_n
            _copy_points(s.take_profit_n, s.take_profit, s.take_profit_was)
            _resubmit_exits(s, s.take_profit_n, s.take_profit_was, VIA_TAKE_PROFIT)
    if (
        s.status == OK
        and s.stop_loss_n > 0
        and _same_points(s.stop_loss_n, s.stop_loss, s.take_profit_n, s.take_profit)
    ):
        _fail(s, INVALID_STRATEGY)
