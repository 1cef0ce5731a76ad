# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment"
"""Shared segments: parameter sets side by side, eight in the same instructions, each at its own pace.

A template as `machine.py` is. Between two bars on which a strategy may act nothing happens to a position but that an
exit of it is met. Such a segment, its lowest and its highest price, is the same for all sets that share the list of
those bars, so it is looked at once for all of them; a set whose exits lie beyond both prices goes on to the next bar of
the list without a search. What is left for each set is its account: eight of them are decided at once, whether they
are of one list or of several, and on whatever bar each is.

A set that does anything else than plain trades is given up, and played by the kernels for one set.
`fastbt.compiler.segments` tells which strategies can be tried.
"""

import numpy as np

from fastbt._jit import inlined, inner, inner_inlined, inner_wide, lean
from fastbt._vectors import prefetch, prefetch_number, prefetch_to_write
from fastbt.engine.kernels import ISOLATED, OK, SPOT, _liquidation_price, _position_pnl
from fastbt.engine.layout import DAY_MINUTES, LANES, LOOKED_AT_ONCE, TRADE_FEE, TRADE_HOLDING, TRADE_PNL, TRADE_SIDE
from fastbt.engine.machine import (
    _begin,
    _write_outcome,
    before,
    clear_cached,
    filters,
    go_long,
    go_short,
    init_variables,
    on_open_position,
    should_long,
    should_short,
    update_position,
)
from fastbt.engine.owned import own_copy
from fastbt.engine.plain import (
    DUST,
    SEES_TRADE,
    _leave_plain,
    _meet_price,
    _open_plain,
    _show_bar,
    _trade_of,
    _wallet_after,
)
from fastbt.engine.skipping import ARE_KNOWN, IN_FLAT, IN_LONG, IN_SHORT, _list_events
from fastbt.engine.spans import BLOCK_BITS, _extremes, _find_block, _find_in_block, _first_from, _reaches
from fastbt.engine.submission import _reset_orders
from fastbt.metrics._eight import _balances_of_eight
from fastbt.metrics._kernels import _begin_metrics
from fastbt.types import TIMESTAMP


@inner
def load_settings(k, theirs, lane):
    """Read the values of a parameter set that its hooks look at."""


@inner
def keep_settings(k, theirs, lane):
    """Write the values of a parameter set that its hooks look at."""


@inner
def load_variables(v, theirs, lane):
    """Read the variables of the strategy."""


@inner
def keep_variables(v, theirs, lane):
    """Write the variables of the strategy."""


#: Whether conditions of the market are answered beside the events: see `fastbt.compiler.quiet`.
HAS_FACTS = True

# --- machine ---
#: A minute after all others.
UNMET = np.int64(2**62)
#: Sets that are decided in the same instructions.
EIGHT = 8
#: So many events before one is looked at, what it takes is fetched.
AHEAD = 6
#: Where a segment tells of a short position and of a long one.
FOR_SHORT, FOR_LONG = 0, 1


@lean
def _write_segments(segments, bars_of, free_from, start, events, n_events, closes, bar_span, bar_block_span):
    """Write what lies behind each event of a list, from place `start` on, and the end of the run behind the last."""
    n_bars = len(closes)
    end = start + n_events
    last = np.uint64(end)
    segments[last].price = closes[n_bars - 1]
    segments[last].facts = 0
    segments[last].next[FOR_SHORT] = segments[last].next[FOR_LONG] = end
    bars_of[last] = n_bars
    free_from[last] = end
    to_short = to_long = to_free = end
    low_short = low_long = np.inf
    high_short = high_long = -np.inf
    until = n_bars
    for e in range(n_events - 1, -1, -1):
        at = np.uint64(start + e)
        b = np.int64(events[0, np.uint64(e)])
        facts = np.int64(events[1, np.uint64(e)])
        if e >= AHEAD:
            ahead = np.uint64(events[0, np.uint64(e - AHEAD)])
            prefetch_number(closes, ahead)
            prefetch(bar_span, ahead >> BLOCK_BITS)
        low, high = _extremes(bar_span, bar_block_span, b + 1, until)
        low_short, high_short = min(low_short, low), max(high_short, high)
        low_long, high_long = min(low_long, low), max(high_long, high)
        segments[at].price = closes[np.uint64(b)]
        segments[at].facts = facts
        segments[at].low[FOR_SHORT] = low_short
        segments[at].low[FOR_LONG] = low_long
        segments[at].high[FOR_SHORT] = high_short
        segments[at].high[FOR_LONG] = high_long
        segments[at].next[FOR_SHORT] = to_short
        segments[at].next[FOR_LONG] = to_long
        bars_of[at] = b
        if facts & IN_SHORT != 0:
            to_short = start + e
            low_short, high_short = np.inf, -np.inf
        if facts & IN_LONG != 0:
            to_long = start + e
            low_long, high_long = np.inf, -np.inf
        if facts & IN_FLAT != 0:
            to_free = start + e
        free_from[at] = to_free
        until = b + 1


@lean
def _price_met(minutes, span, i, low, high):
    """Return the price of the exit that minute `i`, which touches one of two, fills; NaN if it does not."""
    is_low, is_high, open_ = _reaches(span, i, low, high)
    if is_low != is_high and low < open_ < high:
        return high if is_high else low
    return _meet_price(minutes, i, low, high)[1]


@lean
def _measure_trades(closed, sides, all_fees, profits, times, fee_rate):
    """Write what is measured of the trades of a set, each an amount, a price of entry, one of exit and a time."""
    for at in range(len(closed)):
        i = np.uint64(at)
        held = closed[i].qty
        fees, profit, _, _ = _trade_of(held, abs(held), closed[i].entry_price, closed[i].exit_price, fee_rate)
        sides[i] = 1.0 if held > 0.0 else -1.0
        all_fees[i] = fees
        profits[i] = profit
        times[i] = closed[i].time / 1000.0


@inlined
def _n_samples_before(minute):
    """Return how many samples of the daily balance are taken before a minute: each after one more day."""
    return (minute - 1) // DAY_MINUTES


@lean
def _fill_daily(daily, prices, first, last, wallet, qty, cost):
    """Write the balances [first, last) of a wallet and a position, and perhaps some more, which are written again."""
    while first < last:
        until = first + EIGHT
        if until > len(prices):
            until = last
        for at in range(first, until):
            i = np.uint64(at)
            difference = abs(prices[i] * qty) - cost
            daily[i + np.uint64(1)] = wallet + (-difference if qty < 0.0 else difference)
        first = until


@inlined
def _move(lanes, lane, to, segments, bars_of, length, n_bars, sample_prices, daily, fee_rate):
    """Let a set wait for event `to`: write its daily balances until then."""
    place = np.uint64(to)
    bar = np.int64(bars_of[place])
    end = min(bar + 1, n_bars) * length - 1
    due = lanes.due[lane]
    if (due + 1) * DAY_MINUTES < end and due < len(sample_prices):
        later = min(_n_samples_before(end), len(sample_prices))
        wallet, qty, entry_price = lanes.wallet[lane], lanes.qty[lane], lanes.entry_price[lane]
        if qty != 0.0:
            met = max(due, min(_n_samples_before(lanes.hit[lane]), later))
            _fill_daily(daily, sample_prices, due, met, wallet, qty, abs(entry_price * qty))
            wallet = _wallet_after(wallet, qty, abs(qty), entry_price, lanes.hit_price[lane], fee_rate)
            due = met
        _fill_daily(daily, sample_prices, due, later, wallet, 0.0, 0.0)
        lanes.due[lane] = later
    lanes.at[lane] = to
    lanes.bar[lane] = bar
    lanes.facts[lane] = segments[place].facts
    lanes.price[lane] = segments[place].price


@inner_inlined
def _begin_lane(lanes, theirs, lane, s, v, k):
    """Set a set to the start of a run."""
    init_variables(v)
    keep_settings(k, theirs, lane)
    keep_variables(v, theirs, lane)
    lanes.plays[lane] = 1
    lanes.wallet[lane] = s.starting_balance
    lanes.qty[lane] = 0.0
    lanes.entry_price[lane] = np.nan
    lanes.opened_at[lane] = np.nan
    lanes.n_trades[lane] = 0
    lanes.next_id[lane] = 0
    lanes.last_trade_index[lane] = 0
    lanes.open_pl[lane] = 0.0
    lanes.is_open[lane] = 0
    lanes.due[lane] = 0


@inlined
def _is_far(held, qty, price, reference, is_above):
    """Tell whether an exit is certainly plain: for the whole position, on its side, and away from the market."""
    away = price - reference if is_above else reference - price
    return (abs(held) <= abs(qty)) & (abs(qty) < 1e308) & (price > 0.0) & (price < 1e308) & (away > 0.0002 * reference)


@inner_wide
def _decide_eight(lanes, theirs, first, state, variables, settings, x, bars, minutes, n_bars):
    """Close, keep or begin the trades of eight sets, each on the bar of the event that it has come to.

    All of them in the same steps, without a call or a search, so that they are played at once.
    """
    s = own_copy(state)
    v = own_copy(variables)
    k = own_copy(settings)
    started_at = minutes[0, TIMESTAMP]
    for j in range(EIGHT):
        lane = np.uint64(first) + np.uint64(j)
        qty = lanes.qty[lane]
        hit = lanes.hit[lane]
        states = lanes.facts[lane]
        price = lanes.price[lane]
        is_end = lanes.bar[lane] >= n_bars
        b = lanes.bar[lane] - np.int64(is_end)
        s.status = OK
        s.wallet = lanes.wallet[lane]
        s.qty = qty
        s.entry_price = lanes.entry_price[lane]
        s.opened_at = lanes.opened_at[lane]
        s.trades_count = s.n_trades = lanes.n_trades[lane]
        s.next_id = lanes.next_id[lane]
        s.last_trade_index = lanes.last_trade_index[lane]
        s.increased_count = 1 if qty != 0.0 else 0
        s.reduced_count = 0
        # What no branch leaves as the set before had it.
        s.stop_loss_n = s.take_profit_n = s.buy_n = s.sell_n = -1
        s.buy[0, 0] = s.buy[0, 1] = s.sell[0, 0] = s.sell[0, 1] = 0.0
        s.stop_loss[0, 0] = s.stop_loss[0, 1] = s.take_profit[0, 0] = s.take_profit[0, 1] = 0.0
        _show_bar(s, started_at, b, price)
        s.facts = states | ARE_KNOWN
        load_variables(v, theirs, lane)
        load_settings(k, theirs, lane)
        is_held = qty != 0.0
        is_hit = is_held & (hit != UNMET)
        is_asked = is_held & (not is_hit) & (not is_end)
        if is_asked:
            before(s, v, k, x, bars, minutes)
            update_position(s, v, k, x, bars, minutes)
        # It may only close the position: no order of it stands at the price of the market.
        is_sold = is_asked & ((s.stop_loss_n == 1) | (s.take_profit_n == 1))
        is_closed = is_hit | is_sold | (is_held & is_end)
        s.next_id += np.int64(is_sold | (is_closed & is_end & (not is_hit)))
        at = lanes.hit_price[lane] if is_hit else price
        is_done = (s.status == OK) & (at == at) & (price > 0.0)
        if is_hit:
            s.facts = 0
            s.minute = hit
            s.index = lanes.hit_bar[lane]
            s.bar = s.warmup_bars + s.index
            s.time = started_at + 60000.0 * (hit + 1)
            s.current_price = at
        elif is_end:
            s.index = b + 1
        closed_at = s.time
        # What a sale brings is computed for all.
        wallet = _wallet_after(s.wallet, qty, abs(qty), s.entry_price, at, s.fee_rate)
        if is_closed:
            s.wallet = wallet
            if SEES_TRADE:
                fees, pnl, entry, exit_ = _trade_of(qty, abs(qty), s.entry_price, at, s.fee_rate)
                _leave_plain(s, v, k, x, bars, minutes, at, fees, pnl, entry, exit_)
            else:
                _leave_plain(s, v, k, x, bars, minutes, at, 0.0, 0.0, at, at)
        _show_bar(s, started_at, b, price)
        s.facts = states | ARE_KNOWN
        is_free = (s.qty == 0.0) & (is_sold | (states & IN_FLAT != 0)) & (not is_end)
        is_long = False
        is_short = False
        if is_free:
            if not is_sold:
                before(s, v, k, x, bars, minutes)
            _reset_orders(s)
            is_short = should_short(s, v, k, x, bars, minutes)
            is_long = should_long(s, v, k, x, bars, minutes)
        is_done &= (s.status == OK) & (not (is_short & is_long))
        is_entered = is_short | is_long
        # Read where it was written, or LLVM writes to either place (see `owned.py`).
        wanted_n = np.int64(0)
        wanted_qty = wanted_price = 0.0
        if is_long:
            go_long(s, v, k, x, bars, minutes)
            wanted_n = s.buy_n
            wanted_qty = s.buy[0, 0]
            wanted_price = s.buy[0, 1]
        elif is_short:
            go_short(s, v, k, x, bars, minutes)
            wanted_n = s.sell_n
            wanted_qty = s.sell[0, 0]
            wanted_price = s.sell[0, 1]
        # Whatever is not quite plain is left to the kernels for one set.
        is_plain = (wanted_n == 1) & (abs(wanted_qty) >= DUST) & (wanted_price == price)
        stop_n, stop_qty, stop_price = s.stop_loss_n, s.stop_loss[0, 0], s.stop_loss[0, 1]
        target_n, target_qty, target_price = s.take_profit_n, s.take_profit[0, 0], s.take_profit[0, 1]
        if is_entered:
            is_entered = filters(s, v, k, x, bars, minutes)
            if not is_entered:
                _reset_orders(s)
            clear_cached(s, v, k, x, bars, minutes)
            is_done &= is_plain & (s.status == OK)
        entered_qty = abs(wanted_qty) if is_long else -abs(wanted_qty)
        is_plain &= abs(entered_qty * price) / s.leverage <= s.wallet
        if is_entered:
            s.index += 1
            s.facts = 0
            _open_plain(s, entered_qty, price)
            on_open_position(s, v, k, x, bars, minutes)
            is_new_stop = (
                (s.stop_loss_n != stop_n) | (s.stop_loss[0, 0] != stop_qty) | (s.stop_loss[0, 1] != stop_price)
            )
            is_new_stop &= s.stop_loss_n >= 0
            is_new_target = (s.take_profit_n != target_n) | (s.take_profit[0, 0] != target_qty)
            is_new_target = (is_new_target | (s.take_profit[0, 1] != target_price)) & (s.take_profit_n >= 0)
            s.next_id += np.int64(stop_n >= 0) + np.int64(is_new_stop)
            s.next_id += np.int64(target_n >= 0) + np.int64(is_new_target)
            is_plain &= (s.stop_loss_n >= stop_n) & (s.stop_loss_n <= 1) & (s.stop_loss_n != 0) & (stop_n != 0)
            is_plain &= (
                (s.take_profit_n >= target_n) & (s.take_profit_n <= 1) & (s.take_profit_n != 0) & (target_n != 0)
            )
            is_plain &= (stop_n < 0) | _is_far(entered_qty, stop_qty, stop_price, price, is_short)
            is_plain &= (target_n < 0) | _is_far(entered_qty, target_qty, target_price, price, is_long)
            is_plain &= (s.stop_loss_n < 0) | _is_far(
                entered_qty, s.stop_loss[0, 0], s.stop_loss[0, 1], price, is_short
            )
            is_plain &= (s.take_profit_n < 0) | _is_far(
                entered_qty, s.take_profit[0, 0], s.take_profit[0, 1], price, is_long
            )
            is_done &= is_plain & (s.status == OK)
        stop = s.stop_loss[0, 1] if s.stop_loss_n == 1 else np.nan
        target = s.take_profit[0, 1] if s.take_profit_n == 1 else np.nan
        lanes.closed_qty[lane] = qty
        lanes.closed_entry[lane] = lanes.entry_price[lane]
        lanes.closed_exit[lane] = at
        lanes.holding[lane] = closed_at - lanes.opened_at[lane]
        lanes.is_closed[lane] = is_closed
        lanes.is_done[lane] = is_done
        # Its exits by where they are: below and above.
        low = stop if is_long else target
        high = target if is_long else stop
        low = low if low == low else -np.inf
        high = high if high == high else np.inf
        lanes.low[lane] = low if is_entered else lanes.low[lane]
        lanes.high[lane] = high if is_entered else lanes.high[lane]
        lanes.qty[lane] = s.qty
        lanes.wallet[lane] = s.wallet
        lanes.entry_price[lane] = s.entry_price
        lanes.opened_at[lane] = s.opened_at
        lanes.n_trades[lane] = s.n_trades
        lanes.next_id[lane] = s.next_id
        lanes.last_trade_index[lane] = s.last_trade_index
        keep_variables(v, theirs, lane)


@inlined
def _write_trade(lanes, lane, closed, room):
    """Write the trade of a set that was closed."""
    i = lane * np.uint64(room) + np.uint64(lanes.n_trades[lane]) - np.uint64(1)
    # The next two share a line of the cache, and more sets take turns than the processor foresees.
    prefetch_to_write(closed, i + np.uint64(2))
    closed[i].qty = lanes.closed_qty[lane]
    closed[i].entry_price = lanes.closed_entry[lane]
    closed[i].exit_price = lanes.closed_exit[lane]
    closed[i].time = lanes.holding[lane]


@inlined
def _go_on(lanes, lane, segments, bars_of, free_from, n_bars, bar_span):
    """Find the next event that concerns a set, and tell whether an exit is met before."""
    at = np.uint64(lanes.at[lane])
    qty = lanes.qty[lane]
    lanes.hit[lane] = UNMET
    if qty == 0.0:
        to = np.int64(free_from[at + np.uint64(1)])
        prefetch_number(segments, np.uint64(to))
        lanes.to[lane] = to
        return False
    side = np.uint64(FOR_LONG) if qty > 0.0 else np.uint64(FOR_SHORT)
    to = np.int64(segments[at].next[side])
    low, high = lanes.low[lane], lanes.high[lane]
    lanes.to[lane] = to
    if segments[at].low[side] > low and segments[at].high[side] < high:
        prefetch_number(segments, np.uint64(to))
        return False
    first = lanes.bar[lane] + 1
    prefetch(bar_span, np.uint64(first) >> BLOCK_BITS)
    lanes.first[lane] = first
    lanes.last[lane] = min(np.int64(bars_of[np.uint64(to)]) + 1, n_bars)
    return True


@lean
def _find_exits(
    lanes, n_hits, segments, bars_of, free_from, length, minutes, span, block_span, bar_span, bar_block_span
):
    """Find where exits of sets are met, in steps that each go over all: so memory is fetched for all at once."""
    for e in range(n_hits):
        lane = np.uint64(lanes.hits[np.uint64(e)])
        block = _find_block(
            bar_span, bar_block_span, lanes.first[lane], lanes.last[lane], lanes.low[lane], lanes.high[lane]
        )
        prefetch(bar_span, np.uint64(block))
        lanes.block[lane] = block
    for e in range(n_hits):
        lane = np.uint64(lanes.hits[np.uint64(e)])
        bar = _find_in_block(bar_span, lanes.block[lane], lanes.first[lane], lanes.low[lane], lanes.high[lane])
        lanes.hit_bar[lane] = bar
        if length > 1:
            prefetch(span, np.uint64(bar * length) >> BLOCK_BITS)
            prefetch(block_span, np.uint64(bar * length) >> np.uint64(2 * BLOCK_BITS))
        to = np.int64(free_from[_first_from(bars_of, np.uint64(lanes.at[lane]), bar)])
        prefetch_number(segments, np.uint64(to))
        lanes.to[lane] = to
    if length > 1:
        for e in range(n_hits):
            lane = np.uint64(lanes.hits[np.uint64(e)])
            first = lanes.hit_bar[lane] * length
            block = _find_block(span, block_span, first, first + length, lanes.low[lane], lanes.high[lane])
            prefetch(span, np.uint64(block))
            lanes.block[lane] = block
    for e in range(n_hits):
        lane = np.uint64(lanes.hits[np.uint64(e)])
        low, high = lanes.low[lane], lanes.high[lane]
        hit = lanes.hit_bar[lane]
        if length > 1:
            hit = _find_in_block(span, lanes.block[lane], hit * length, low, high)
        lanes.hit[lane] = hit
        lanes.hit_price[lane] = _price_met(minutes, span, hit, low, high)


@inlined
def _value_what_stays(lanes, lane, s, price):
    """Note the profit of a position that is open at the end of the run."""
    if lanes.qty[lane] != 0.0 and lanes.hit[lane] == UNMET:
        s.qty = lanes.qty[lane]
        s.entry_price = lanes.entry_price[lane]
        s.current_price = price
        lanes.open_pl[lane] += _position_pnl(s)
        lanes.is_open[lane] = 1


@inlined
def _is_stopped_first(lanes, lane, s):
    """Tell whether a set has no position, or a stop before the price of liquidation: all that may be touched."""
    qty = lanes.qty[lane]
    if qty == 0.0:
        return True
    s.qty = qty
    s.entry_price = lanes.entry_price[lane]
    end = _liquidation_price(s)
    return lanes.low[lane] > end if qty > 0.0 else lanes.high[lane] < end


@lean
def run_segments(
    order,
    groups,
    states,
    variables,
    settings,
    engine_lanes,
    strategy_lanes,
    configs,
    x,
    bars,
    minutes,
    span,
    block_span,
    bar_span,
    bar_block_span,
    closes,
    sample_prices,
    sample_times,
    annualization,
    events,
    segments,
    bars_of,
    free_from,
    trades,
    closed,
    outcomes,
    daily,
    metrics,
    is_played,
):
    """Play the parameter sets of `order` side by side; tell which were played to the end.

    Of those, one row of outcomes, daily balances and metrics each is written as `run_sets` writes it.
    """
    lanes = engine_lanes[0]
    theirs = strategy_lanes[0]
    started_at = minutes[0, TIMESTAMP]
    finished_at = minutes[len(minutes) - 1, TIMESTAMP] + 120000.0
    s = states[0]
    v = variables[0]
    k = settings[0]
    length = s.timeframe_minutes
    n_bars = len(minutes) // length
    if s.mode == SPOT or len(minutes) % length != 0:
        return
    _begin(s, minutes)
    n_segments = len(segments) - LOOKED_AT_ONCE
    for lane in range(LANES):
        lanes.plays[lane] = 0
    taken = n_playing = n_given_up = n_lanes = room = used = n_events = 0
    known = start = np.int64(-1)
    n_measured = 0
    fits = False
    is_free = True
    while True:
        # Few sets of a strategy give up, or nearly all.
        while is_free and taken < len(order) and n_given_up <= LANES + taken // 2:
            i = order[taken]
            if groups[taken] != known:
                known = groups[taken]
                n_events = _list_events(s, v, configs[i], x, bars, minutes, events)
                start = -1
                # On the first bars an access may fail: nothing was asked of them beforehand.
                fits = not HAS_FACTS or n_events == 0 or events[1, 0] & ARE_KNOWN != 0
                fits &= n_events < n_segments and EIGHT * (n_events + 8) <= len(closed)
            if not fits:
                taken += 1
                continue
            if n_playing == 0:
                # All memory is free.
                used = 0
                start = -1
                n_lanes = min(LANES, len(closed) // (n_events + 8) // EIGHT * EIGHT)
                # An odd number of pairs, each a line of the cache: sets that are as far do not meet in it.
                room = 2 * ((len(closed) // n_lanes // 2 - 1) | 1)
            if start < 0:
                if used + n_events >= n_segments or n_events + 2 > room:
                    break
                start = np.int64(used)
                used += n_events + 1
                _write_segments(segments, bars_of, free_from, start, events, n_events, closes, bar_span, bar_block_span)
            if n_playing == n_lanes:
                is_free = False
                break
            lane = np.uint64(0)
            while lanes.plays[lane] != 0:
                lane += np.uint64(1)
            _begin_lane(lanes, theirs, lane, s, v, configs[i])
            lanes.set[lane] = i
            daily[i, 0] = s.starting_balance
            first = np.int64(free_from[np.uint64(start)])
            _move(lanes, lane, first, segments, bars_of, length, n_bars, sample_prices, daily[i], s.fee_rate)
            n_playing += 1
            taken += 1
        if n_playing == 0:
            break
        for e in range(n_lanes // EIGHT):
            plays = 0
            for j in range(EIGHT):
                plays += lanes.plays[np.uint64(EIGHT * e + j)]
            if plays != 0:
                _decide_eight(lanes, theirs, EIGHT * e, s, v, k, x, bars, minutes, n_bars)
        n_hits = 0
        for j in range(n_lanes):
            lane = np.uint64(j)
            if lanes.plays[lane] == 0:
                continue
            is_over = False
            if lanes.is_done[lane] != 0:
                if lanes.is_closed[lane] != 0:
                    _write_trade(lanes, lane, closed, room)
                is_over = lanes.bar[lane] == n_bars
                if not is_over and (s.mode != ISOLATED or _is_stopped_first(lanes, lane, s)):
                    if _go_on(lanes, lane, segments, bars_of, free_from, n_bars, bar_span):
                        lanes.hits[np.uint64(n_hits)] = lane
                        n_hits += 1
                    continue
            n_playing -= 1
            is_free = True
            lanes.plays[lane] = 0
            if not is_over:
                n_given_up += 1
                continue
            i = lanes.set[lane]
            is_played[i] = True
            s.status = OK
            s.wallet = lanes.wallet[lane]
            s.next_id = lanes.next_id[lane]
            s.n_trades = lanes.n_trades[lane]
            s.n_log = 2 * s.n_trades
            s.open_pl = lanes.open_pl[lane]
            s.open_trades = lanes.is_open[lane]
            s.liquidations = 0
            s.time = started_at + 60000.0 * len(minutes)
            daily[i, lanes.due[lane] + 1] = s.wallet
            first = np.int64(lane) * room
            _measure_trades(
                closed[first : first + s.n_trades],
                trades[TRADE_SIDE],
                trades[TRADE_FEE],
                trades[TRADE_PNL],
                trades[TRADE_HOLDING],
                s.fee_rate,
            )
            _write_outcome(s, n_bars - 1, outcomes[i])
            _begin_metrics(
                trades[TRADE_PNL],
                trades[TRADE_SIDE],
                trades[TRADE_FEE],
                trades[TRADE_HOLDING],
                s.n_trades,
                s.starting_balance,
                s.wallet,
                started_at,
                finished_at,
                s.open_trades,
                s.open_pl,
                annualization,
                metrics[i],
            )
            if s.n_trades > 0:
                lanes.measured[n_measured] = i
                n_measured += 1
            if n_measured == EIGHT:
                _balances_of_eight(daily, lanes.measured, n_measured, sample_times, annualization, metrics)
                n_measured = 0
        _find_exits(
            lanes, n_hits, segments, bars_of, free_from, length, minutes, span, block_span, bar_span, bar_block_span
        )
        for j in range(n_lanes):
            lane = np.uint64(j)
            if lanes.plays[lane] != 0:
                to = lanes.to[lane]
                if bars_of[np.uint64(to)] == n_bars:
                    _value_what_stays(lanes, lane, s, closes[n_bars - 1])
                i = lanes.set[lane]
                _move(lanes, lane, to, segments, bars_of, length, n_bars, sample_prices, daily[i], s.fee_rate)
    _balances_of_eight(daily, lanes.measured, n_measured, sample_times, annualization, metrics)
