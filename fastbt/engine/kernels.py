# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Exchange kernels that need no strategy: prices, spans, margin, submission, cancellation and fills.

`s` is the record of `layout.state_dtype`. Section numbers are those of the specification of Jesse 3.5.3.
"""

import sys

import numpy as np

from fastbt._jit import kernel, lean
from fastbt.data._kernels import _long_row_sum, _long_sum, _pairwise_sum
from fastbt.engine.decimals import _subtract_floats, _sum_floats
from fastbt.engine.layout import (
    LOG_CREATED_AT,
    LOG_EXECUTED_AT,
    LOG_FEE,
    LOG_FILLED_QTY,
    LOG_PRICE,
    LOG_QTY,
    LOG_REDUCE_ONLY,
    LOG_ROUTE,
    LOG_SIDE,
    LOG_TRADE,
    LOG_TYPE,
    LOG_VIA,
    MARGIN_ROWS,
    OTHER_ENTRY_PRICE,
    OTHER_PRICE,
    OTHER_QTY,
    OTHER_RESERVED,
    TRADE_CLOSED_AT,
    TRADE_ENTRY,
    TRADE_EXIT,
    TRADE_FEE,
    TRADE_HOLDING,
    TRADE_OPENED_AT,
    TRADE_PNL,
    TRADE_QTY,
    TRADE_ROUTE,
    TRADE_SIDE,
)
from fastbt.types import CLOSE, HIGH, LOW, OPEN, VOLUME

# Frozen into the kernels as plain integers.
MARKET, LIMIT, STOP = 0, 1, 2
ACTIVE, EXECUTED, CANCELED = 0, 1, 2
BUY, SELL = 1, -1
CROSS, ISOLATED, SPOT = 0, 1, 2
VIA_NONE, VIA_STOP_LOSS, VIA_TAKE_PROFIT = 0, 1, 2
OPENED, CLOSED, INCREASED, REDUCED = 0, 1, 2, 3
# One more thing that other routes are told.
TOLD_CANCELED = 4
OK = 0
INVALID_STRATEGY = 1
ORDER_NOT_ALLOWED = 3
INSUFFICIENT_MARGIN = 4
INSUFFICIENT_BALANCE = 5
VALUE_ERROR = 6
TYPE_ERROR = 7
FLIP = 100
NAN_QTY = 101
TOO_MANY_ORDERS = 102
TOO_MANY_FILLS = 103
DECIMAL_RANGE = 104

#: Jesse adds the fees of a trade with Python's `sum`, which compensates rounding from Python 3.12 on.
COMPENSATED_SUM = sys.version_info >= (3, 12)


@lean
def _fail(s, status):
    """End the run with `status`, unless it failed before."""
    if s.status == OK:
        s.status = status


@lean
def _is_near(price, reference):
    """Tell whether Jesse treats `price` as the market price (specification 2.3.5)."""
    difference = abs(price - reference)
    if (reference > 0.0) & ((difference == 0.0) | (difference > 0.0002 * reference)):
        # The same, or so far off that no rounding matters: without a division.
        return difference == 0.0
    return abs(1.0 - price / reference) <= 0.00015


@lean
def _market_price(s):
    """Return `self.position.current_price`, which is `self.price` but for a moment (see `_publish_stale`)."""
    return s.market_price if s.stale else s.current_price


@lean
def _position_pnl(s):
    """Return the unrealised profit (specification 3.2)."""
    if s.qty == 0.0:
        return 0.0
    difference = abs(s.current_price * s.qty) - abs(s.entry_price * s.qty)
    return -difference if s.qty < 0.0 else difference


@lean
def _position_value(s):
    """Return the quote value of the position."""
    return 0.0 if s.qty == 0.0 else abs(s.current_price * s.qty)


@lean
def _position_total_cost(s):
    """Return the margin that the position ties up; NaN when closed."""
    return np.nan if s.qty == 0.0 else s.entry_price * abs(s.qty) / s.leverage


@lean
def _position_roi(s):
    """Return the profit in percent of the margin."""
    pnl = _position_pnl(s)
    return 0.0 if pnl == 0.0 else pnl / _position_total_cost(s) * 100.0


@lean
def _liquidation_price(s):
    """Return the liquidation price in isolated mode, else NaN (specification 1.8)."""
    if s.qty == 0.0 or s.mode != ISOLATED:
        return np.nan
    rate = 1.0 / s.leverage
    if s.qty > 0.0:
        return s.entry_price * (1.0 - rate + 0.004)
    return s.entry_price * (1.0 + rate - 0.004)


@lean
def _bankruptcy_price(s):
    """Return the price at which the position's margin is gone."""
    rate = 1.0 / s.leverage
    if s.qty > 0.0:
        return s.entry_price * (1.0 - rate)
    if s.qty < 0.0:
        return s.entry_price * (1.0 + rate)
    return np.nan


@lean
def _row_sum(rows, n):
    """Return the sum of qty times price as numpy adds a fresh array of products."""
    if n < 8:
        total = 0.0
        for i in range(n):
            total += rows[i, 0] * rows[i, 1]
        return total
    return _long_row_sum(rows, n)


@lean
def _reserved_margin(s):
    """Return the margin of working entry orders: that of the larger side."""
    if s.n_buy_rows == 0 and s.n_sell_rows == 0:
        return 0.0
    buys = abs(_row_sum(s.buy_rows, s.n_buy_rows)) / s.leverage
    sells = abs(_row_sum(s.sell_rows, s.n_sell_rows)) / s.leverage
    return max(buys, sells)


@lean
def _other_pnl(s, r):
    """Return the unrealised profit of another route's position."""
    qty = s.others[r, OTHER_QTY]
    if qty == 0.0:
        return 0.0
    difference = abs(s.others[r, OTHER_PRICE] * qty) - abs(s.others[r, OTHER_ENTRY_PRICE] * qty)
    return -difference if qty < 0.0 else difference


@lean
def _available_margin(s):
    """Return `self.available_margin` (specification 3.2), in the order of Jesse's float operations."""
    if s.mode == SPOT:
        return s.wallet
    spent = 0.0
    for r in range(len(s.others)):
        if r == s.route:
            if s.qty != 0.0 and not s.is_blind:
                spent += s.entry_price * abs(s.qty) / s.leverage
                spent -= _position_pnl(s)
            spent += _reserved_margin(s)
        else:
            qty = s.others[r, OTHER_QTY]
            if qty != 0.0 and not s.is_blind:
                spent += s.others[r, OTHER_ENTRY_PRICE] * abs(qty) / s.leverage
                spent -= _other_pnl(s, r)
            spent += s.others[r, OTHER_RESERVED]
    return s.wallet - spent


@lean
def _portfolio_value(s):
    """Return `self.portfolio_value` (specification 3.7): own entry orders in spot, the positions of all routes."""
    if s.mode != SPOT:
        profit = 0.0
        for r in range(len(s.others)):
            profit += _position_pnl(s) if r == s.route else _other_pnl(s, r)
        return profit * s.leverage + s.wallet
    entries = 0.0
    side = SELL if s.qty < 0.0 else BUY
    for i in range(s.n_active):
        if s.o_status[i] == ACTIVE and (s.qty == 0.0 or s.o_side[i] == side):
            entries += abs(s.o_qty[i]) * s.o_price[i]
    held = 0.0
    for r in range(len(s.others)):
        if r == s.route:
            held += _position_value(s)
        else:
            held += abs(s.others[r, OTHER_PRICE] * s.others[r, OTHER_QTY])
    return (entries + held) * s.leverage + s.wallet


@lean
def _equity(s):
    """Return the value of a daily balance sample (specification 1.10); in spot, `s` is the first route."""
    if s.mode == SPOT:
        return _portfolio_value(s)
    equity = s.wallet
    for r in range(len(s.others)):
        if r == s.route:
            if s.qty != 0.0:
                equity += _position_pnl(s)
        elif s.others[r, OTHER_QTY] != 0.0:
            equity += _other_pnl(s, r)
    return equity


@kernel
def _forming(s, minutes, column):
    """Return a column of the trading candle as it stands at a fill (specification 1.6)."""
    return _forming_since(s, minutes, s.minute - s.minute % s.timeframe_minutes, column)


@kernel
def _forming_since(s, minutes, first, column):
    """Return a column of the candle that began in the minute `first`, as it stands at a fill."""
    last = s.minute
    if column == OPEN:
        return s.part_open if first == last else minutes[first, OPEN]
    if column == CLOSE:
        return s.part_close
    if column == HIGH:
        value = s.part_high
        for i in range(first, last):
            value = max(value, minutes[i, HIGH])
        return value
    if column == LOW:
        value = s.part_low
        for i in range(first, last):
            value = min(value, minutes[i, LOW])
        return value
    if column == VOLUME:
        n = last - first + 1
        volumes = np.empty(n)
        for i in range(n - 1):
            volumes[i] = minutes[first + i, VOLUME]
        volumes[n - 1] = s.part_volume
        return _pairwise_sum(volumes, 0, n)
    return minutes[first, 0]


@kernel
def _visible(s, bars, minutes, window):
    """Return the last `window` trading candles (0: all) as a strategy sees them while one is forming."""
    stop = s.bar + 1
    start = max(0, stop - window) if window > 0 else 0
    rows = np.empty((stop - start, 6))
    # Of a last bar that never ends there is no row in `bars`.
    rows[:-1] = bars[start : stop - 1]
    for column in range(6):
        rows[-1, column] = _forming(s, minutes, column)
    return rows


@lean
def _publish(s, open_, close, high, low, volume):
    """Make a part of the current minute the newest candle (specification 1.6)."""
    s.partial = True
    s.complete = False
    s.part_open = open_
    s.part_close = close
    s.part_high = high
    s.part_low = low
    s.part_volume = volume
    s.current_price = close
    s.shown_minute = s.minute
    s.shown_open = open_
    s.shown_close = close
    s.shown_high = high
    s.shown_low = low
    s.shown_volume = volume


@lean
def _publish_stale(s, bars, i):
    """Show what Jesse shows when it liquidates in the last minute of a bar, which is not aggregated yet.

    That is the part of the bar that a fill showed last, or the bar before.
    """
    if s.timeframe_minutes == 1 or (i + 1) % s.timeframe_minutes != 0:
        return
    s.stale = True
    s.market_price = s.current_price
    if s.shown_minute >= 0 and s.shown_minute // s.timeframe_minutes == i // s.timeframe_minutes:
        s.minute = s.shown_minute
        _publish(s, s.shown_open, s.shown_close, s.shown_high, s.shown_low, s.shown_volume)
    elif s.bar > 0:
        s.bar -= 1
        s.current_price = bars[s.bar, CLOSE]


@lean
def _publish_minute(s, minutes, i):
    """Make the whole minute the newest candle."""
    s.stale = False
    s.partial = False
    s.complete = (i + 1) % s.timeframe_minutes == 0
    s.part_open = minutes[i, OPEN]
    s.part_close = minutes[i, CLOSE]
    s.part_high = minutes[i, HIGH]
    s.part_low = minutes[i, LOW]
    s.part_volume = minutes[i, VOLUME]
    s.current_price = minutes[i, CLOSE]


@lean
def _drop_margin_row(s, side, qty, price):
    """Remove the first margin row equal to the order; after a gap fill there is none (the leak of 3.2)."""
    if side == BUY:
        for i in range(s.n_buy_rows):
            if s.buy_rows[i, 0] == qty and s.buy_rows[i, 1] == price:
                for j in range(i + 1, s.n_buy_rows):
                    s.buy_rows[j - 1, 0] = s.buy_rows[j, 0]
                    s.buy_rows[j - 1, 1] = s.buy_rows[j, 1]
                s.n_buy_rows -= 1
                return
    else:
        for i in range(s.n_sell_rows):
            if s.sell_rows[i, 0] == qty and s.sell_rows[i, 1] == price:
                for j in range(i + 1, s.n_sell_rows):
                    s.sell_rows[j - 1, 0] = s.sell_rows[j, 0]
                    s.sell_rows[j - 1, 1] = s.sell_rows[j, 1]
                s.n_sell_rows -= 1
                return


@lean
def _checked(s, value):
    """Return a decimal result, or end the run if it left the exact range."""
    if np.isnan(value):
        _fail(s, DECIMAL_RANGE)
    return value


@lean
def _reserve_spot(s, side, type_, qty, price):
    """Check and reserve a spot order's balance (specification 3.6)."""
    if side == BUY:
        s.wallet = _checked(s, _subtract_floats(s.wallet, qty * price))
        if s.wallet < 0.0:
            _fail(s, INSUFFICIENT_BALANCE)
        return
    needed = 0.0
    if type_ == STOP:
        s.stop_sum = _checked(s, _sum_floats(s.stop_sum, qty))
        needed = s.stop_sum
    elif type_ == LIMIT:
        s.limit_sum = _checked(s, _sum_floats(s.limit_sum, qty))
        needed = s.limit_sum
    else:
        needed = _checked(s, _sum_floats(qty, s.limit_sum))
    if needed > s.base_balance:
        _fail(s, INSUFFICIENT_BALANCE)


@lean
def _submit(s, side, type_, reduce_only, qty, price, via):
    """Append an order to the active list after Jesse's checks; `qty` is unsigned."""
    if np.isnan(qty):
        _fail(s, NAN_QTY)
        return
    signed = qty if side == BUY else -qty
    if s.mode == SPOT:
        _reserve_spot(s, side, type_, qty, price)
    elif not reduce_only:
        if abs(signed * price) / s.leverage > _available_margin(s):
            _fail(s, INSUFFICIENT_MARGIN)
            return
        if s.n_buy_rows >= MARGIN_ROWS or s.n_sell_rows >= MARGIN_ROWS:
            _fail(s, TOO_MANY_ORDERS)
            return
        if side == BUY:
            s.buy_rows[s.n_buy_rows, 0] = signed
            s.buy_rows[s.n_buy_rows, 1] = price
            s.n_buy_rows += 1
        else:
            s.sell_rows[s.n_sell_rows, 0] = signed
            s.sell_rows[s.n_sell_rows, 1] = price
            s.n_sell_rows += 1
    i = s.n_active
    if i >= len(s.o_id):
        _fail(s, TOO_MANY_ORDERS)
        return
    s.o_id[i] = s.next_id
    s.o_price[i] = price
    s.o_qty[i] = signed
    s.o_side[i] = side
    s.o_type[i] = type_
    s.o_status[i] = ACTIVE
    s.o_reduce_only[i] = 1 if reduce_only else 0
    s.o_via[i] = via
    s.o_created_at[i] = s.time
    s.next_id += 1
    s.n_active += 1
    s.n_listed += 1
    if type_ == MARKET:
        s.n_pending += 1


@lean
def _cancel(s, i):
    """Cancel order `i` if it still works."""
    if s.o_status[i] != ACTIVE:
        return
    s.o_status[i] = CANCELED
    side = s.o_side[i]
    if s.mode != SPOT:
        if s.o_reduce_only[i] == 0:
            _drop_margin_row(s, side, s.o_qty[i], s.o_price[i])
        return
    qty = abs(s.o_qty[i])
    if side == BUY:
        s.wallet = _checked(s, _sum_floats(s.wallet, qty * s.o_price[i]))
    elif s.o_type[i] == STOP:
        # Jesse subtracts twice (specification 3.6).
        s.stop_sum = _checked(s, _subtract_floats(_subtract_floats(s.stop_sum, qty), qty))
    elif s.o_type[i] == LIMIT:
        s.limit_sum = _checked(s, _subtract_floats(_subtract_floats(s.limit_sum, qty), qty))


@lean
def _purge(s):
    """Drop orders that no longer work from the active list, keeping the order of the rest."""
    n = 0
    for i in range(s.n_active):
        if s.o_status[i] == ACTIVE:
            if n != i:
                s.o_id[n] = s.o_id[i]
                s.o_price[n] = s.o_price[i]
                s.o_qty[n] = s.o_qty[i]
                s.o_side[n] = s.o_side[i]
                s.o_type[n] = s.o_type[i]
                s.o_status[n] = ACTIVE
                s.o_reduce_only[n] = s.o_reduce_only[i]
                s.o_via[n] = s.o_via[i]
                s.o_created_at[n] = s.o_created_at[i]
            n += 1
    s.n_active = n


@lean
def _spot_fill(s, side, type_, qty, price):
    """Move the balances of an executed spot order."""
    if side == BUY:
        s.base_balance = _checked(s, _sum_floats(s.base_balance, qty * (1.0 - s.fee_rate)))
        return
    if type_ == STOP:
        s.stop_sum = _checked(s, _subtract_floats(s.stop_sum, qty))
    elif type_ == LIMIT:
        s.limit_sum = _checked(s, _subtract_floats(s.limit_sum, qty))
    if qty > s.base_balance:
        qty = abs(s.base_balance)
    s.wallet = _checked(s, _sum_floats(s.wallet, (qty * price) * (1.0 - s.fee_rate)))
    s.base_balance = _checked(s, _subtract_floats(s.base_balance, qty))


@lean
def _add_fee(s, fee):
    """Add a fee to the trade as Python's `sum` does."""
    if not COMPENSATED_SUM:
        s.fee_sum += fee
        return
    total = s.fee_sum + fee
    if abs(s.fee_sum) >= abs(fee):
        s.fee_rest += (s.fee_sum - total) + fee
    else:
        s.fee_rest += (fee - total) + s.fee_sum
    s.fee_sum = total


@lean
def _fills_average(fills, n):
    """Return total quantity and average price of a trade's fills (specification 3.4)."""
    if n < 8:
        qty = 0.0
        for i in range(n):
            qty += fills[i, 0]
    else:
        qty = _long_sum(fills, n)
    return qty, (np.nan if qty == 0.0 else _row_sum(fills, n) / qty)


@lean
def _finish_trade(s, trades):
    """Write the closed trade to the buffer and begin a new record."""
    buy_qty, buy_price = _fills_average(s.buy_fills, s.n_buy_fills)
    sell_qty, sell_price = _fills_average(s.sell_fills, s.n_sell_fills)
    fee = s.fee_sum + s.fee_rest
    if s.trade_side == BUY:
        qty, entry, exit_ = buy_qty, buy_price, sell_price
    else:
        qty, entry, exit_ = sell_qty, sell_price, buy_price
    pnl = abs(qty) * (exit_ - entry)
    if s.trade_side == SELL:
        pnl *= -1.0
    pnl -= fee
    n = s.n_trades
    if n >= trades.shape[1]:
        _fail(s, TOO_MANY_FILLS)
        return
    trades[TRADE_SIDE, n] = s.trade_side
    trades[TRADE_OPENED_AT, n] = s.trade_opened_at
    trades[TRADE_CLOSED_AT, n] = s.time
    trades[TRADE_QTY, n] = qty
    trades[TRADE_ENTRY, n] = entry
    trades[TRADE_EXIT, n] = exit_
    trades[TRADE_FEE, n] = fee
    trades[TRADE_PNL, n] = pnl
    trades[TRADE_HOLDING, n] = (s.time - s.trade_opened_at) / 1000.0
    trades[TRADE_ROUTE, n] = s.route
    s.closed_side = s.trade_side
    s.closed_qty = qty
    s.closed_entry_price = entry
    s.closed_exit_price = exit_
    s.closed_fee = fee
    s.closed_pnl = pnl
    s.closed_opened_at = s.trade_opened_at
    s.n_trades = n + 1
    s.n_buy_fills = 0
    s.n_sell_fills = 0
    s.fee_sum = 0.0
    s.fee_rest = 0.0


@lean
def _open_position(s, qty, price):
    """Open the position at `price`."""
    s.entry_price = price
    s.exit_price = np.nan
    s.previous_qty = s.qty
    s.qty = qty * (1.0 - s.fee_rate) if s.mode == SPOT else qty
    s.opened_at = s.time
    s.trade_opened_at = s.time
    s.trade_side = BUY if s.qty > 0.0 else SELL


@lean
def _realised(s, qty, price):
    """Return the profit of closing the unsigned `qty` at `price`."""
    profit = qty * (price - s.entry_price)
    return -1.0 * profit if s.qty < 0.0 else profit


@lean
def _close_position(s, price, trades):
    """Close the position at `price`; the trade is finished before any callback."""
    s.exit_price = price
    s.closed_at = s.time
    if s.mode != SPOT:
        s.wallet = s.wallet + _realised(s, abs(s.qty), price)
    s.previous_qty = s.qty
    s.qty = 0.0
    s.entry_price = np.nan
    _finish_trade(s, trades)
    s.trades_count += 1


@lean
def _log_fill(s, i, filled_qty, fee, log):
    """Append the executed order to the log, if there is one."""
    n = s.n_log
    if n < log.shape[1]:
        log[LOG_TRADE, n] = s.trades_count
        log[LOG_ROUTE, n] = s.route
        log[LOG_SIDE, n] = s.o_side[i]
        log[LOG_TYPE, n] = s.o_type[i]
        log[LOG_QTY, n] = s.o_qty[i]
        log[LOG_FILLED_QTY, n] = filled_qty
        log[LOG_PRICE, n] = s.o_price[i]
        log[LOG_FEE, n] = fee
        log[LOG_EXECUTED_AT, n] = s.time
        log[LOG_CREATED_AT, n] = s.o_created_at[i]
        log[LOG_REDUCE_ONLY, n] = s.o_reduce_only[i]
        log[LOG_VIA, n] = s.o_via[i]
    s.n_log = n + 1


@lean
def _show_order(s, price, qty, filled_qty, side, type_, via, fee, reduce_only):
    """Let callbacks see the order that was filled."""
    s.order_price = price
    s.order_qty = qty
    s.order_filled_qty = filled_qty
    s.order_side = side
    s.order_type = type_
    s.order_via = via
    s.order_fee = fee
    s.order_reduce_only = reduce_only


@lean
def _fill(s, i, trades, log):
    """Execute order `i` up to, not including, the strategy's callbacks (specification 3.3); return the effect."""
    qty = s.o_qty[i]
    price = s.o_price[i]
    side = s.o_side[i]
    reduce_only = s.o_reduce_only[i] != 0
    s.o_status[i] = EXECUTED
    if s.o_type[i] == MARKET:
        s.n_pending -= 1
    capped = reduce_only and s.qty != 0.0 and abs(qty) > abs(s.qty)
    filled_qty = -s.qty if capped else qty
    size = abs(filled_qty)
    fee = s.fee_rate * (size * price)
    _log_fill(s, i, filled_qty, fee, log)
    _add_fee(s, fee)
    if s.n_buy_fills >= len(s.buy_fills) or s.n_sell_fills >= len(s.sell_fills):
        _fail(s, TOO_MANY_FILLS)
        return OPENED
    if side == BUY:
        s.buy_fills[s.n_buy_fills, 0] = size
        s.buy_fills[s.n_buy_fills, 1] = price
        s.n_buy_fills += 1
    else:
        s.sell_fills[s.n_sell_fills, 0] = size
        s.sell_fills[s.n_sell_fills, 1] = price
        s.n_sell_fills += 1
    if s.mode == SPOT:
        _spot_fill(s, side, s.o_type[i], abs(qty), price)
    else:
        if not reduce_only:
            _drop_margin_row(s, side, qty, price)
        s.wallet = s.wallet - abs(filled_qty * price) * s.fee_rate
    _show_order(s, price, qty, filled_qty, side, s.o_type[i], s.o_via[i], fee, reduce_only)
    if s.qty == 0.0:
        _open_position(s, qty, price)
    elif s.qty == -qty or (abs(s.qty) < 1e-11 and _sum_floats(s.qty, qty) == 0.0):
        # The decimal sum (specification 3.1) is 0 only when the quantities are opposite, but for dust: decimals end
        # after 28 places.
        _close_position(s, price, trades)
    elif s.qty * qty > 0.0:
        if not reduce_only:
            held = abs(s.qty)
            added = abs(qty)
            s.entry_price = (added * price + held * s.entry_price) / (added + held)
            s.previous_qty = s.qty
            if s.mode == SPOT:
                added = added * (1.0 - s.fee_rate)
            grown = _sum_floats(s.qty, added) if s.qty > 0.0 else _subtract_floats(s.qty, added)
            s.qty = _checked(s, grown)
    elif abs(qty) > abs(s.qty):
        if reduce_only:
            _close_position(s, price, trades)
        else:
            _fail(s, FLIP)
    else:
        if s.mode != SPOT:
            s.wallet = s.wallet + _realised(s, abs(qty), price)
        s.previous_qty = s.qty
        taken = abs(qty)
        left = _subtract_floats(s.qty, taken) if s.qty > 0.0 else _sum_floats(s.qty, taken)
        s.qty = _checked(s, left)
    before = abs(s.previous_qty)
    after = abs(s.qty)
    if before <= 0.0 < after:
        return OPENED
    if before > 0.0 >= after:
        return CLOSED
    if after > before:
        return INCREASED
    return REDUCED


@lean
def _is_crossed_by_gap(s, i, previous_close, open_):
    """Tell whether the jump from `previous_close` to `open_` fills order `i` at the open (specification 1.5 A)."""
    if s.o_status[i] != ACTIVE:
        return False
    price = s.o_price[i]
    limit = s.o_type[i] == LIMIT
    stop = s.o_type[i] == STOP
    if open_ > previous_close:
        if price < previous_close or price > open_:
            return False
        return (limit and s.o_side[i] == SELL) or (stop and s.o_side[i] == BUY)
    if price < open_ or price > previous_close:
        return False
    return (limit and s.o_side[i] == BUY) or (stop and s.o_side[i] == SELL)


@lean
def _next_on_path(s, open_, close, high, low):
    """Return the order that the path through a candle reaches first, or -1 (specification 1.5 B)."""
    above = -1
    below = -1
    for i in range(s.n_active):
        price = s.o_price[i]
        if s.o_status[i] != ACTIVE or price < low or price > high:
            continue
        if price == open_:
            return i
        if price > open_:
            if above < 0 or price < s.o_price[above]:
                above = i
        elif below < 0 or price > s.o_price[below]:
            below = i
    if open_ > close:
        return above if above >= 0 else below
    return below if below >= 0 else above


@lean
def _split_candle(open_, close, high, low, price):
    """Split a candle at a price: (o, c, h, l) of what is done, then of the rest (specification 1.5.1)."""
    if price == open_:
        return open_, close, high, low, open_, close, high, low
    if close >= open_:
        if price < open_:
            return open_, price, open_, price, price, close, high, low
        if price < close:
            return open_, price, price, low, price, close, high, price
        if price == close:
            return open_, close, close, low, price, price, high, price
        return open_, price, price, low, price, close, high, close
    if price > open_:
        return open_, price, price, open_, price, close, high, low
    if price > close:
        return open_, price, high, price, price, close, price, low
    if price == close:
        return open_, close, high, close, price, price, price, low
    return open_, price, high, price, price, close, close, low


@lean
def _triggers(s):
    """Return the nearest working prices at or below and at or above the current price."""
    low = -np.inf
    high = np.inf
    here = s.current_price
    for i in range(s.n_active):
        if s.o_status[i] == ACTIVE:
            price = s.o_price[i]
            if price >= here and price < high:
                high = price
            if price <= here and price > low:
                low = price
    if s.mode == ISOLATED and s.qty != 0.0:
        price = _liquidation_price(s)
        if price >= here and price < high:
            high = price
        if price <= here and price > low:
            low = price
    return low, high
