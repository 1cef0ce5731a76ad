# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Plain trades, from entry to exit without an order table: the part of the machine that most parameter sets need.

A template as `machine.py` is, which says what the arguments are. A trade is plain if one order enters at the market,
if at most one stop-loss and one take-profit work, each for the whole position, and if it is closed as a whole. Its
orders are known from the strategy's attributes alone, so nothing is submitted, listed or purged: what a trade costs is
the search for the price that ends it. `_run_plain` writes what the machine would write, or gives up: then the machine
plays the parameter set from its start. `fastbt.compiler.plain` tells which strategies can be tried.
"""

import numpy as np

from fastbt._jit import inlined, inner, inner_inlined
from fastbt._vectors import prefetch
from fastbt.engine.kernels import (
    BUY,
    COMPENSATED_SUM,
    ISOLATED,
    LIMIT,
    MARKET,
    OK,
    SELL,
    STOP,
    VIA_NONE,
    VIA_STOP_LOSS,
    VIA_TAKE_PROFIT,
    _is_near,
    _liquidation_price,
    _position_pnl,
    _publish,
    _show_order,
    _split_candle,
)
from fastbt.engine.layout import TRADE_FEE, TRADE_HOLDING, TRADE_PNL, TRADE_SIDE
from fastbt.engine.machine import (
    _begin,
    before,
    clear_cached,
    filters,
    go_long,
    go_short,
    on_close_position,
    on_open_position,
    should_long,
    should_short,
    update_position,
)
from fastbt.engine.owned import copy_back, own_copy
from fastbt.engine.skipping import (
    ALWAYS,
    EVER_ENTER,
    EVER_HOLD,
    IN_FLAT,
    IN_LONG,
    IN_SHORT,
    NEVER,
    NOW_ENTER,
    NOW_HOLD,
    SOMETIMES,
    _wakes,
)
from fastbt.engine.spans import BLOCK_BITS, _find_touched, _reaches
from fastbt.engine.submission import _reset_orders
from fastbt.types import CLOSE, HIGH, LOW, OPEN, TIMESTAMP, VOLUME

#: Whether a hook looks at the order that was filled, at the trade that was closed, and, after an exit, at the minute as
#: far as it went: `fastbt.compiler.quiet` finds out.
SEES_ORDER = SEES_TRADE = SEES_PARTS = True

# --- machine ---
KEPT, SOLD_BY_STOP, SOLD_BY_TARGET, NOT_PLAIN = 0, 1, 2, 3
#: Below it, decimals may find that two quantities add up to nothing (see `_fill`).
DUST = 1e-11


@inlined
def _sample_plain(s, daily):
    """Append a daily balance sample, as `_sample` does where no other route and no order matters."""
    equity = s.wallet
    if s.qty != 0.0:
        equity += _position_pnl(s)
    daily[s.n_samples] = equity
    s.n_samples += 1


@inlined
def _sample_until(s, daily, samples, sample_prices, due, minute):
    """Take the daily samples that are due before the end of `minute`; return the next."""
    while due < len(samples) and samples[due] < minute:
        s.current_price = sample_prices[due]
        _sample_plain(s, daily)
        due += 1
    return due


@inlined
def _show_bar(s, started_at, b, price):
    """Set the clock to the decision on bar `b`, which closed at `price` and whose minutes were played."""
    s.bar = s.warmup_bars + b
    s.index = b
    s.minute = (b + 1) * s.timeframe_minutes - 1
    s.time = started_at + 60000.0 * (s.minute + 1)
    s.current_price = price
    s.complete = True
    s.partial = False


@inlined
def _is_plain_exit(s, qty, price, is_above):
    """Tell whether an exit closes the whole position and waits at the right side of the market."""
    if not (abs(s.qty) <= abs(qty) < 1e308 and 0.0 < price < 1e308) or _is_near(price, s.current_price):
        return False
    return (price > s.current_price) == is_above


@inlined
def _detect_plain(s):
    """Detect what the strategy changed (specification 2.4); tell which exit is now at the market, if any."""
    is_long = s.qty > 0.0
    if is_long:
        if s.buy_n != 1 or s.buy[0, 0] != s.buy_was[0, 0] or s.buy[0, 1] != s.buy_was[0, 1]:
            return NOT_PLAIN
    elif s.sell_n != 1 or s.sell[0, 0] != s.sell_was[0, 0] or s.sell[0, 1] != s.sell_was[0, 1]:
        return NOT_PLAIN
    found = KEPT
    if s.stop_loss_n >= 0:
        qty = s.stop_loss[0, 0]
        price = s.stop_loss[0, 1]
        if s.stop_loss_n != s.stop_loss_was_n or qty != s.stop_loss_was[0, 0] or price != s.stop_loss_was[0, 1]:
            if s.stop_loss_n != 1:
                return NOT_PLAIN
            if not _is_plain_exit(s, qty, price, not is_long):
                if not (abs(s.qty) <= abs(qty) < 1e308 and price > 0.0 and _is_near(price, s.current_price)):
                    return NOT_PLAIN
                found = SOLD_BY_STOP
            s.stop_loss_was_n = 1
            s.stop_loss_was[0, 0] = qty
            s.stop_loss_was[0, 1] = price
            s.next_id += 1
    if s.take_profit_n >= 0:
        qty = s.take_profit[0, 0]
        price = s.take_profit[0, 1]
        if s.take_profit_n != s.take_profit_was_n or qty != s.take_profit_was[0, 0] or price != s.take_profit_was[0, 1]:
            if s.take_profit_n != 1:
                return NOT_PLAIN
            if not _is_plain_exit(s, qty, price, is_long):
                is_whole = abs(s.qty) <= abs(qty) < 1e308 and price > 0.0
                if found != KEPT or not (is_whole and _is_near(price, s.current_price)):
                    return NOT_PLAIN
                found = SOLD_BY_TARGET
            s.take_profit_was_n = 1
            s.take_profit_was[0, 0] = qty
            s.take_profit_was[0, 1] = price
            s.next_id += 1
        if s.stop_loss_n == 1 and s.stop_loss[0, 0] == qty and s.stop_loss[0, 1] == price:
            return NOT_PLAIN
    return found


@inner_inlined
def _open_plain(s, qty, price):
    """Open the position at the market (specification 3.3)."""
    fee = s.fee_rate * (abs(qty) * price)
    s.wallet = s.wallet - abs(qty * price) * s.fee_rate
    s.next_id += 1
    s.n_log += 1
    if SEES_ORDER:
        _show_order(s, price, qty, qty, BUY if qty > 0.0 else SELL, MARKET, VIA_NONE, fee, False)
    s.entry_price = price
    if SEES_TRADE:
        s.exit_price = np.nan
        s.previous_qty = 0.0
    s.qty = qty
    s.opened_at = s.time
    s.increased_count = 1


@inlined
def _plain_margin(s):
    """Return `self.available_margin` while no entry works: see `_available_margin`."""
    spent = 0.0
    if s.qty != 0.0 and not s.is_blind:
        spent += s.entry_price * abs(s.qty) / s.leverage
        spent -= _position_pnl(s)
    return s.wallet - spent


@inlined
def _wallet_after(wallet, held, size, entry_price, price, fee_rate):
    """Return the wallet after a position was closed with an order for `size` at `price` (specification 3.3)."""
    realised = abs(held) * (price - entry_price)
    if held < 0.0:
        realised = -1.0 * realised
    signed = -size if held > 0.0 else size
    return (wallet - abs(signed * price) * fee_rate) + realised


@inlined
def _trade_of(held, size, entry_price, price, fee_rate):
    """Return fees and profit of a trade, and its average prices of one fill each, as Jesse computes them."""
    entered = abs(held)
    fee = fee_rate * (size * price)
    entry_fee = fee_rate * (entered * entry_price)
    fees = entry_fee + fee
    if COMPENSATED_SUM:
        rest = (entry_fee - fees) + fee if abs(entry_fee) >= abs(fee) else (fee - fees) + entry_fee
        fees = fees + rest
    entry = (entered * entry_price) / entered
    exit_ = (size * price) / size
    pnl = entered * (exit_ - entry)
    if held < 0.0:
        pnl *= -1.0
    return fees, pnl - fees, entry, exit_


@inner_inlined
def _close_plain(s, v, k, x, bars, minutes, trades, qty, price, type_, via):
    """Close the position with an order for `qty`, write the trade and tell the strategy (specification 3.3, 3.4)."""
    held = s.qty
    entry_price = s.entry_price
    size = min(abs(qty), abs(held))
    side = SELL if held > 0.0 else BUY
    s.wallet = _wallet_after(s.wallet, held, size, entry_price, price, s.fee_rate)
    s.n_log += 1
    if SEES_ORDER:
        signed = size if side == BUY else -size
        fee = s.fee_rate * (size * price)
        _show_order(s, price, abs(qty) if side == BUY else -abs(qty), signed, side, type_, via, fee, True)
    fees, pnl, entry, exit_ = _trade_of(held, size, entry_price, price, s.fee_rate)
    n = np.uint64(s.n_trades)
    trades[TRADE_SIDE, n] = -side
    trades[TRADE_FEE, n] = fees
    trades[TRADE_PNL, n] = pnl
    trades[TRADE_HOLDING, n] = (s.time - s.opened_at) / 1000.0
    _leave_plain(s, v, k, x, bars, minutes, price, fees, pnl, entry, exit_)


@inner_inlined
def _leave_plain(s, v, k, x, bars, minutes, price, fees, pnl, entry, exit_):
    """Forget the position and tell the strategy of the trade."""
    if SEES_TRADE:
        held = s.qty
        s.closed_side = BUY if held > 0.0 else SELL
        s.closed_fee = fees
        s.closed_pnl = pnl
        s.closed_qty = abs(held)
        s.closed_entry_price = entry
        s.closed_exit_price = exit_
        s.closed_opened_at = s.opened_at
        s.exit_price = price
        s.closed_at = s.time
        s.previous_qty = held
    s.n_trades += 1
    s.qty = 0.0
    s.entry_price = np.nan
    s.trades_count += 1
    s.last_trade_index = s.index
    _reset_orders(s)
    on_close_position(s, v, k, x, bars, minutes)


@inlined
def _meet_price(minutes, i, low, high):
    """Return which exit minute `i` reaches first, the upper one or the lower, and at which price (specification 1.5).

    The price is NaN if it is neither. The third tells whether the minute began beyond it, after a jump.
    """
    open_ = minutes[i, OPEN]
    close = minutes[i, CLOSE]
    highest = minutes[i, HIGH]
    lowest = minutes[i, LOW]
    previous_close = minutes[i - 1, CLOSE]
    jumps_up = (previous_close < open_) & (previous_close <= high) & (high <= open_)
    jumps_down = (open_ < previous_close) & (open_ <= low) & (low <= previous_close)
    if jumps_up | jumps_down:
        return jumps_up, open_, True
    hits_low = (lowest <= low) & (low <= highest)
    hits_high = (lowest <= high) & (high <= highest)
    if (low > open_) | (high < open_) | (not (hits_low | hits_high)):
        return False, np.nan, False
    is_high = hits_high
    if hits_low & hits_high:
        is_high = low != open_ and (high == open_ or open_ > close)
    return is_high, high if is_high else low, False


@inner_inlined
def _show_part(s, minutes, i, price, jumps):
    """Show minute `i` as far as it went when an exit was filled."""
    open_ = minutes[i, OPEN]
    if jumps:
        _publish(s, open_, open_, open_, open_, 0.0)
    else:
        done_open, done_close, done_high, done_low, _, _, _, _ = _split_candle(
            open_, minutes[i, CLOSE], minutes[i, HIGH], minutes[i, LOW], price
        )
        _publish(s, done_open, done_close, done_high, done_low, minutes[i, VOLUME])


@inner_inlined
def _touch_plain(s, v, k, x, bars, minutes, span, trades, i, low, high):
    """Play minute `i`, in which an exit is touched; tell whether it was filled."""
    is_low, is_high, open_ = _reaches(span, i, low, high)
    if SEES_PARTS or is_low == is_high or not (low < open_ < high):
        is_high, price, jumps = _meet_price(minutes, i, low, high)
        if price != price:
            return False
        if SEES_PARTS:
            _show_part(s, minutes, i, price, jumps)
    else:
        # The minute opens between the prices and reaches one: the rest of it, which may not be in the cache, is
        # the same to the trade.
        price = high if is_high else low
    s.current_price = price
    is_target = is_high == (s.qty > 0.0)
    stop_qty, target_qty = s.stop_loss_was[0, 0], s.take_profit_was[0, 0]
    qty = target_qty if is_target else stop_qty
    type_ = LIMIT if is_target else STOP
    via = VIA_TAKE_PROFIT if is_target else VIA_STOP_LOSS
    _close_plain(s, v, k, x, bars, minutes, trades, qty, price, type_, via)
    return True


@inner_inlined
def _enter_plain(s, v, k, x, bars, minutes, is_long):
    """Run go_long or go_short and enter at the market; tell if that is all (specification 2.3 and 2.6)."""
    if is_long:
        go_long(s, v, k, x, bars, minutes)
        n = s.buy_n
        qty = s.buy[0, 0]
        price = s.buy[0, 1]
        s.buy_was_n = 1
        s.buy_was[0, 0] = qty
        s.buy_was[0, 1] = price
        signed = abs(qty)
    else:
        go_short(s, v, k, x, bars, minutes)
        n = s.sell_n
        qty = s.sell[0, 0]
        price = s.sell[0, 1]
        s.sell_was_n = 1
        s.sell_was[0, 0] = qty
        s.sell_was[0, 1] = price
        signed = -abs(qty)
    reference = s.current_price
    if s.status != OK or n != 1 or not (abs(qty) >= DUST and price > 0.0 and _is_near(price, reference)):
        return False
    s.stop_loss_was_n = s.stop_loss_n
    if s.stop_loss_n >= 0:
        if s.stop_loss_n != 1 or not s.stop_loss[0, 1] > 0.0:
            return False
        s.stop_loss_was[0, 0] = s.stop_loss[0, 0]
        s.stop_loss_was[0, 1] = s.stop_loss[0, 1]
    s.take_profit_was_n = s.take_profit_n
    if s.take_profit_n >= 0:
        if s.take_profit_n != 1 or not s.take_profit[0, 1] > 0.0:
            return False
        s.take_profit_was[0, 0] = s.take_profit[0, 0]
        s.take_profit_was[0, 1] = s.take_profit[0, 1]
    if not filters(s, v, k, x, bars, minutes):
        _reset_orders(s)
        clear_cached(s, v, k, x, bars, minutes)
        return s.status == OK
    if s.status != OK or abs(signed * reference) / s.leverage > s.wallet:
        return False
    clear_cached(s, v, k, x, bars, minutes)
    s.index += 1
    s.facts = 0
    _open_plain(s, signed, reference)
    if s.stop_loss_n >= 0:
        if not _is_plain_exit(s, s.stop_loss_was[0, 0], s.stop_loss_was[0, 1], not is_long):
            return False
        s.next_id += 1
    if s.take_profit_n >= 0:
        if not _is_plain_exit(s, s.take_profit_was[0, 0], s.take_profit_was[0, 1], is_long):
            return False
        s.next_id += 1
    on_open_position(s, v, k, x, bars, minutes)
    return s.status == OK and _detect_plain(s) == KEPT


@inner_inlined
def _play_plain(
    s,
    v,
    k,
    x,
    bars,
    minutes,
    span,
    block_span,
    bar_span,
    bar_block_span,
    events,
    event_prices,
    n_events,
    samples,
    sample_prices,
    trades,
    daily,
):
    """Play the bars; return False if a trade is not plain."""
    _sample_plain(s, daily)
    length = s.timeframe_minutes
    n_bars = len(minutes) // length
    started_at = minutes[0, TIMESTAMP]
    due = 0
    p = 0
    b = 0
    price = 0.0
    sold_at_market = False
    while True:
        # Without a position, on bar b; after a sale on this very bar, the strategy has begun its decision already.
        if not sold_at_market:
            if EVER_ENTER == SOMETIMES:
                # Unsigned: numba asks of each other number whether it counts from the end.
                while p < n_events and (events[0, np.uint64(p)] < b or (events[1, np.uint64(p)] & IN_FLAT) == 0):
                    p += 1
                b = events[0, np.uint64(p)] if p < n_events else n_bars
                # From the list: most of these bars are not in the cache.
                price = event_prices[np.uint64(p)]
                s.facts = events[1, np.uint64(p)]
            elif EVER_ENTER == NEVER:
                b = n_bars
            if b >= n_bars:
                break
            due = _sample_until(s, daily, samples, sample_prices, due, (b + 1) * length - 1)
            if EVER_ENTER != SOMETIMES:
                price = bars[s.warmup_bars + b, CLOSE]
            _show_bar(s, started_at, b, price)
            if EVER_ENTER == ALWAYS and NOW_ENTER == SOMETIMES and not _wakes(s, v, k, x, bars, minutes, IN_FLAT):
                b += 1
                continue
            before(s, v, k, x, bars, minutes)
        sold_at_market = False
        _reset_orders(s)
        is_short = should_short(s, v, k, x, bars, minutes)
        is_long = should_long(s, v, k, x, bars, minutes)
        if s.status != OK or (is_short and is_long):
            return False
        if is_short or is_long:
            if not _enter_plain(s, v, k, x, bars, minutes, is_long):
                return False
        else:
            clear_cached(s, v, k, x, bars, minutes)
        if s.qty == 0.0:
            b += 1
            continue
        # In a position, from the next bar on.
        state = IN_LONG if s.qty > 0.0 else IN_SHORT
        e = b + 1
        while True:
            stop = s.stop_loss_was[0, 1] if s.stop_loss_was_n == 1 else np.nan
            target = s.take_profit_was[0, 1] if s.take_profit_was_n == 1 else np.nan
            low = -np.inf
            high = np.inf
            if state == IN_LONG:
                low = stop if stop == stop else low
                high = target if target == target else high
            else:
                low = target if target == target else low
                high = stop if stop == stop else high
            if s.mode == ISOLATED:
                # A stop before the price of liquidation is all that may be touched.
                price = _liquidation_price(s)
                if not (low > price if state == IN_LONG else high < price):
                    return False
            candidate = e
            facts = 0
            if EVER_HOLD == SOMETIMES:
                while p < n_events and events[0, np.uint64(p)] < e:
                    p += 1
                q = p
                while q < n_events and (events[1, np.uint64(q)] & state) == 0:
                    q += 1
                candidate = events[0, np.uint64(q)] if q < n_events else n_bars
                # If the next trade begins there, its search does.
                prefetch(bar_span, np.uint64(candidate) >> BLOCK_BITS)
                price = event_prices[np.uint64(q)]
                facts = events[1, np.uint64(q)]
            elif EVER_HOLD == NEVER:
                candidate = n_bars
            touched = _find_touched(bar_span, bar_block_span, e, min(candidate + 1, n_bars), low, high)
            if touched >= 0:
                i = touched
                if length > 1:
                    i = _find_touched(span, block_span, touched * length, (touched + 1) * length, low, high)
                due = _sample_until(s, daily, samples, sample_prices, due, i)
                s.facts = 0
                s.minute = i
                s.bar = s.warmup_bars + touched
                s.index = touched
                s.time = started_at + 60000.0 * (i + 1)
                if not _touch_plain(s, v, k, x, bars, minutes, span, trades, i, low, high) or s.status != OK:
                    return False
                b = touched
                break
            e = candidate
            if e >= n_bars:
                break
            s.facts = facts
            due = _sample_until(s, daily, samples, sample_prices, due, (e + 1) * length - 1)
            if EVER_HOLD != SOMETIMES:
                price = bars[s.warmup_bars + e, CLOSE]
            _show_bar(s, started_at, e, price)
            if NOW_HOLD == SOMETIMES and not _wakes(s, v, k, x, bars, minutes, state):
                e += 1
                continue
            before(s, v, k, x, bars, minutes)
            update_position(s, v, k, x, bars, minutes)
            if s.status != OK:
                return False
            found = _detect_plain(s)
            if found == NOT_PLAIN:
                return False
            if found != KEPT:
                at_stop = found == SOLD_BY_STOP
                # Both are read, or LLVM reads from either place (see `owned.py`).
                stop_qty, stop_price = s.stop_loss_was[0, 0], s.stop_loss_was[0, 1]
                target_qty, target_price = s.take_profit_was[0, 0], s.take_profit_was[0, 1]
                qty = stop_qty if at_stop else target_qty
                price = stop_price if at_stop else target_price
                via = VIA_STOP_LOSS if at_stop else VIA_TAKE_PROFIT
                _close_plain(s, v, k, x, bars, minutes, trades, qty, price, MARKET, via)
                if s.status != OK:
                    return False
                b = e
                sold_at_market = True
                break
            clear_cached(s, v, k, x, bars, minutes)
            s.index += 1
            e += 1
        if s.qty != 0.0:
            break
    due = _sample_until(s, daily, samples, sample_prices, due, len(minutes))
    _show_bar(s, started_at, n_bars - 1, bars[s.warmup_bars + n_bars - 1, CLOSE])
    s.index = n_bars
    s.facts = 0
    if s.qty != 0.0:
        # What is open at the end is closed (specification 1.11).
        s.open_trades += 1
        s.open_pl += _position_pnl(s)
        s.next_id += 1
        _close_plain(s, v, k, x, bars, minutes, trades, -s.qty, s.current_price, MARKET, VIA_NONE)
    if due > 0 and samples[due - 1] == len(minutes) - 1:
        s.n_samples -= 1
    _sample_plain(s, daily)
    return s.status == OK


@inner
def _run_plain(
    s,
    v,
    k,
    x,
    bars,
    minutes,
    span,
    block_span,
    bar_span,
    bar_block_span,
    events,
    event_prices,
    n_events,
    samples,
    sample_prices,
    trades,
    daily,
):
    """Run one parameter set; return False, at whatever moment, if one of its trades is not plain."""
    _begin(s, minutes)
    own = own_copy(s)
    own_variables = own_copy(v)
    done = _play_plain(
        own,
        own_variables,
        k,
        x,
        bars,
        minutes,
        span,
        block_span,
        bar_span,
        bar_block_span,
        events,
        event_prices,
        n_events,
        samples,
        sample_prices,
        trades,
        daily,
    )
    copy_back(own, s)
    copy_back(own_variables, v)
    return done
