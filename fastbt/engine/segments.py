# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Shared segments: the trades of parameter sets that may act on the same bars, played side by side.

A template as `machine.py` is. Where `_play_plain` follows one parameter set from trade to trade, this kernel goes from
event to event and plays each for all sets that share the list. What the market decides is then found once for all of
them: where a stop-loss or take-profit of a price is met (a `level`), looked for from the nearer level on. What is left
for each set is its account, which waits for no search, and for no account of another set.

A set that does anything else than plain trades is given up, and played by the kernels for one set.
`fastbt.compiler.segments` tells which strategies can be tried.
"""

import numpy as np

from fastbt._jit import inlined, inner, inner_inlined, inner_wide, lean
from fastbt._vectors import lowest_bit, occupied, prefetch_to_write
from fastbt.engine.kernels import ISOLATED, OK, SPOT, _liquidation_price, _position_pnl
from fastbt.engine.layout import LANES, TRADE_FEE, TRADE_HOLDING, TRADE_PNL, TRADE_SIDE
from fastbt.engine.machine import (
    _begin,
    _write_results,
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
from fastbt.engine.spans import BLOCK_BITS, _find_touched, _reaches
from fastbt.engine.submission import _reset_orders
from fastbt.types import CLOSE, TIMESTAMP


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
_EIGHT_BITS = np.uint64(255)
#: Sets that share a list: fewer are not worth it.
FEWEST = 6


@lean
def _price_met(minutes, span, i, low, high):
    """Return the price of the exit that minute `i`, which touches one of two, fills; NaN if it does not."""
    is_low, is_high, open_ = _reaches(span, i, low, high)
    if is_low != is_high and low < open_ < high:
        return high if is_high else low
    return _meet_price(minutes, i, low, high)[1]


@inlined
def _is_level(lanes, c, p, price, until):
    """Tell whether a level is of this price, looked for at event `p` up to bar `until`."""
    return lanes.level_event[c] == p and lanes.level_price[c] == price and lanes.level_until[c] == until


@lean
def _find_level(
    lanes, c, p, first, last, price, is_below, length, minutes, span, block_span, bar_span, bar_block_span, rest
):
    """Return the number of the level of this price at event `p`, and find in bars [first, last) where it is met."""
    if c == 0 or lanes.level_event[c] == p:
        # Not seen before, or the sets that had the same price at other events have not.
        for at in range(1, lanes.n_levels):
            i = np.uint64(at)
            if _is_level(lanes, i, p, price, last):
                return i
        if lanes.n_levels < len(lanes.level_price):
            c = np.uint64(lanes.n_levels)
            lanes.n_levels += 1
        else:
            c = np.uint64(1)
    # What lies beyond a nearer level is met after it.
    nearer = c - np.uint64(1)
    if lanes.level_event[nearer] == p and (lanes.level_is_below[nearer] != 0) == is_below:
        if (price <= lanes.level_price[nearer]) == is_below or price == lanes.level_price[nearer]:
            first = lanes.level_bar[nearer]
    lanes.n_searches += 1
    low = price if is_below else -np.inf
    high = np.inf if is_below else price
    bar = np.int64(-1)
    if first < last:
        block = first >> np.int64(BLOCK_BITS)
        if rest[0, block] <= low or rest[1, block] >= high:
            bar = _find_touched(bar_span, bar_block_span, first, last, low, high)
    lanes.level_event[c] = p
    lanes.level_price[c] = price
    lanes.level_is_below[c] = is_below
    lanes.level_until[c] = last
    lanes.level_bar[c] = last
    lanes.level_hit[c] = UNMET
    if bar >= 0:
        i = _minute_met(bar, length, span, block_span, low, high)
        lanes.level_bar[c] = bar
        lanes.level_hit[c] = i
        lanes.level_exit[c] = _price_met(minutes, span, i, low, high)
    return c


@lean
def _minute_met(bar, length, span, block_span, low, high):
    """Return the first minute of a bar that touches one of two prices."""
    if length == 1:
        return bar
    return _find_touched(span, block_span, bar * length, (bar + 1) * length, low, high)


@inlined
def _low_and_high(lanes, lane):
    """Return the price of the exit below and that of the one above; infinite where there is none."""
    is_long = lanes.qty[lane] > 0.0
    low = lanes.stop[lane] if is_long else lanes.target[lane]
    high = lanes.target[lane] if is_long else lanes.stop[lane]
    return low if low == low else -np.inf, high if high == high else np.inf


@lean
def _find_exit(lanes, lane, first, last, length, minutes, span, block_span, bar_span, bar_block_span):
    """Find in bars [first, last) where an exit of one set is met."""
    low, high = _low_and_high(lanes, lane)
    bar = _find_touched(bar_span, bar_block_span, first, last, low, high)
    if bar >= 0:
        i = _minute_met(bar, length, span, block_span, low, high)
        lanes.hit[lane] = i
        lanes.hit_bar[lane] = bar
        lanes.hit_price[lane] = _price_met(minutes, span, i, low, high)


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


@lean
def _sample_lanes(lanes, n, daily, order, at, minute, price, fee_rate):
    """Write the daily balance of all sets, sampled after `minute`, which closed at `price`."""
    for j in range(n):
        lane = np.uint64(j)
        qty = lanes.qty[lane]
        wallet = lanes.wallet[lane]
        entry_price = lanes.entry_price[lane]
        # Both are computed for all, so that several sets are at once.
        closed = _wallet_after(wallet, qty, abs(qty), entry_price, lanes.hit_price[lane], fee_rate)
        difference = abs(price * qty) - abs(entry_price * qty)
        equity = wallet + (-difference if qty < 0.0 else difference)
        equity = closed if lanes.hit[lane] <= minute else equity
        lanes.equity[lane] = equity if qty != 0.0 else wallet
    for j in range(n):
        daily[order[j], at] = lanes.equity[j]
        if at % EIGHT == 0:
            # A line of the cache further.
            prefetch_to_write(daily, np.uint64(order[j]) * np.uint64(daily.shape[1]) + np.uint64(at + EIGHT))


@inner_inlined
def _begin_lanes(lanes, theirs, n, s, v, configs, order):
    """Set all sets to the start of a run."""
    init_variables(v)
    for j in range(n):
        keep_settings(configs[order[j]], theirs, j)
        lanes.wallet[j] = s.starting_balance
        lanes.qty[j] = 0.0
        lanes.entry_price[j] = np.nan
        lanes.opened_at[j] = np.nan
        lanes.n_trades[j] = 0
        lanes.next_id[j] = 0
        lanes.last_trade_index[j] = 0
        lanes.hit[j] = UNMET
        lanes.open_pl[j] = 0.0
        lanes.is_open[j] = 0
        lanes.state[j] = IN_FLAT
        lanes.stop_level[j] = lanes.target_level[j] = 0
        keep_variables(v, theirs, j)
    for j in range(n, LANES):
        lanes.state[j] = 0
        lanes.qty[j] = 0.0
        lanes.hit[j] = UNMET
    for first in range(0, LANES, EIGHT):
        _sum_up(lanes, first)
    # The first level is that of sets which have none yet.
    lanes.n_levels = 1
    lanes.n_searches = lanes.n_entries = lanes.n_decisions = 0
    for i in range(len(lanes.level_event)):
        lanes.level_event[i] = -1


@inlined
def _is_far(held, qty, price, reference, is_above):
    """Tell whether an exit is certainly plain: for the whole position, on its side, and away from the market."""
    away = price - reference if is_above else reference - price
    return (abs(held) <= abs(qty)) & (abs(qty) < 1e308) & (price > 0.0) & (price < 1e308) & (away > 0.0002 * reference)


@inner_wide
def _decide_eight(lanes, theirs, first, state, variables, settings, x, bars, minutes, b, states, price, is_end):
    """Close, keep or begin the trades of eight sets on bar `b`, with conditions of the bar `states`.

    All of them in the same steps, without a call or a search, so that they are played at once.
    """
    s = own_copy(state)
    v = own_copy(variables)
    k = own_copy(settings)
    started_at = minutes[0, TIMESTAMP]
    last = (b + 1) * s.timeframe_minutes - 1
    wanted = np.int64(IN_LONG | IN_SHORT if is_end else states)
    for j in range(EIGHT):
        lane = np.uint64(first) + np.uint64(j)
        qty = lanes.qty[lane]
        hit = lanes.hit[lane]
        is_hit = hit <= last
        acts = is_hit | (lanes.state[lane] & wanted != 0)
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
        is_held = acts & (qty != 0.0)
        is_hit &= is_held
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
        is_free = acts & (s.qty == 0.0) & (is_sold | (states & IN_FLAT != 0)) & (not is_end)
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
        lanes.closed_qty[lane] = qty
        lanes.closed_entry[lane] = lanes.entry_price[lane]
        lanes.closed_exit[lane] = at
        lanes.holding[lane] = closed_at - lanes.opened_at[lane]
        lanes.is_closed[lane] = is_closed & is_done
        lanes.is_kept[lane] = is_asked & (not is_sold) & is_done
        lanes.is_entered[lane] = is_entered & is_done
        stop = s.stop_loss[0, 1] if s.stop_loss_n == 1 else np.nan
        target = s.take_profit[0, 1] if s.take_profit_n == 1 else np.nan
        lanes.stop[lane] = stop if is_entered else lanes.stop[lane]
        lanes.target[lane] = target if is_entered else lanes.target[lane]
        if acts:
            waits = IN_FLAT if s.qty == 0.0 else IN_LONG if s.qty > 0.0 else IN_SHORT
            lanes.state[lane] = waits if is_done else 0
            lanes.qty[lane] = s.qty if is_done else 0.0
            lanes.hit[lane] = UNMET if is_closed or not is_done else hit
            lanes.wallet[lane] = s.wallet
            lanes.entry_price[lane] = s.entry_price
            lanes.opened_at[lane] = s.opened_at
            lanes.n_trades[lane] = s.n_trades
            lanes.next_id[lane] = s.next_id
            lanes.last_trade_index[lane] = s.last_trade_index
            keep_variables(v, theirs, lane)


@lean
def _write_trades(lanes, first, closed, room):
    """Write the trades of eight sets that were closed."""
    bits = occupied(lanes.is_closed, first) & _EIGHT_BITS
    while bits != 0:
        lane = np.uint64(first) + lowest_bit(bits)
        bits &= bits - np.uint64(1)
        i = lane * np.uint64(room) + np.uint64(lanes.n_trades[lane]) - np.uint64(1)
        # The next two share a line of the cache, and more sets take turns than the processor foresees.
        prefetch_to_write(closed, i + np.uint64(2))
        closed[i].qty = lanes.closed_qty[lane]
        closed[i].entry_price = lanes.closed_entry[lane]
        closed[i].exit_price = lanes.closed_exit[lane]
        closed[i].time = lanes.holding[lane]


@lean
def _sum_up(lanes, first):
    """Note what eight sets wait for."""
    states = np.int64(0)
    hit = UNMET
    for j in range(EIGHT):
        lane = np.uint64(first) + np.uint64(j)
        states |= lanes.state[lane]
        hit = min(hit, lanes.hit[lane])
    lanes.states_of_eight[first // EIGHT] = states
    lanes.hit_of_eight[first // EIGHT] = hit


@lean
def _find_exits(
    lanes, first, s, p, b, minutes, span, block_span, bar_span, bar_block_span, rest, long_until, short_until
):
    """Find where the trades of eight sets that were begun or kept on bar `b` end if nothing else ends them."""
    length = s.timeframe_minutes
    bits = occupied(lanes.is_kept, first) & _EIGHT_BITS
    while bits != 0:
        lane = np.uint64(first) + lowest_bit(bits)
        bits &= bits - np.uint64(1)
        until = long_until if lanes.qty[lane] > 0.0 else short_until
        _find_exit(lanes, lane, b + 1, until, length, minutes, span, block_span, bar_span, bar_block_span)
    bits = occupied(lanes.is_entered, first) & _EIGHT_BITS
    while bits != 0:
        lanes.n_entries += 1
        lane = np.uint64(first) + lowest_bit(bits)
        bits &= bits - np.uint64(1)
        is_long = lanes.qty[lane] > 0.0
        until = long_until if is_long else short_until
        stop = lanes.stop[lane]
        target = lanes.target[lane]
        lanes.hit[lane] = UNMET
        if stop == stop:
            c = np.uint64(lanes.stop_level[lane])
            if not _is_level(lanes, c, p, stop, until):
                c = _find_level(
                    lanes,
                    c,
                    p,
                    b + 1,
                    until,
                    stop,
                    is_long,
                    length,
                    minutes,
                    span,
                    block_span,
                    bar_span,
                    bar_block_span,
                    rest,
                )
                lanes.stop_level[lane] = c
            # Read at once: where no level is left over, the target's takes its place.
            lanes.hit[lane] = lanes.level_hit[c]
            lanes.hit_bar[lane] = lanes.level_bar[c]
            lanes.hit_price[lane] = lanes.level_exit[c]
        stop_hit = lanes.hit[lane]
        target_hit = UNMET
        if target == target:
            c = np.uint64(lanes.target_level[lane])
            if not _is_level(lanes, c, p, target, until):
                c = _find_level(
                    lanes,
                    c,
                    p,
                    b + 1,
                    until,
                    target,
                    not is_long,
                    length,
                    minutes,
                    span,
                    block_span,
                    bar_span,
                    bar_block_span,
                    rest,
                )
                lanes.target_level[lane] = c
            target_hit = lanes.level_hit[c]
            if target_hit < stop_hit:
                lanes.hit[lane] = target_hit
                lanes.hit_bar[lane] = lanes.level_bar[c]
                lanes.hit_price[lane] = lanes.level_exit[c]
        if stop_hit == target_hit and stop_hit != UNMET:
            low, high = _low_and_high(lanes, lane)
            lanes.hit_price[lane] = _price_met(minutes, span, stop_hit, low, high)
        if s.mode == ISOLATED:
            # A stop before the price of liquidation is all that may be touched.
            s.qty = lanes.qty[lane]
            s.entry_price = lanes.entry_price[lane]
            end = _liquidation_price(s)
            if not (stop > end if is_long else stop < end):
                lanes.state[lane] = 0
                lanes.qty[lane] = 0.0
                lanes.hit[lane] = UNMET


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
    rest,
    samples,
    sample_prices,
    sample_times,
    annualization,
    events,
    event_prices,
    trades,
    closed,
    outcomes,
    daily,
    metrics,
    is_played,
):
    """Play the parameter sets of `order`, those of one group side by side; tell which were played to the end.

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
    is_worth_it = s.mode != SPOT and len(minutes) % length == 0
    first = 0
    while is_worth_it and first < len(order):
        last = first + 1
        while last < len(order) and groups[last] == groups[first]:
            last += 1
        if last - first < FEWEST:
            first = last
            continue
        n_events = _list_events(s, v, configs[order[first]], x, bars, minutes, events)
        for e in range(n_events):
            event_prices[e] = bars[s.warmup_bars + events[0, e], CLOSE]
        room = n_events + 2
        most = min(LANES, len(closed) // room)
        # On the first bars an access may fail: nothing was asked of them beforehand.
        is_known = not HAS_FACTS or n_events == 0 or events[1, 0] & ARE_KNOWN != 0
        if most < FEWEST or not is_known:
            first = last
            continue
        while last - first >= FEWEST:
            n = min(most, last - first)
            mine = order[first : first + n]
            _begin(s, minutes)
            for j in range(n):
                daily[mine[j], 0] = s.starting_balance
            _begin_lanes(lanes, theirs, n, s, v, configs, mine)
            due = 0
            next_long = next_short = 0
            all_states = np.int64(IN_FLAT)
            first_hit = UNMET
            for p in range(n_events + 1):
                is_end = p == n_events
                b = n_bars - 1 if is_end else np.int64(events[0, np.uint64(p)])
                price = bars[s.warmup_bars + b, CLOSE] if is_end else event_prices[np.uint64(p)]
                facts = np.int64(0) if is_end else np.int64(events[1, np.uint64(p)])
                end = (b + 1) * length - 1
                # As far as an exit is looked for: to where the position may be closed otherwise.
                while next_long < n_events and (next_long <= p or events[1, np.uint64(next_long)] & IN_LONG == 0):
                    next_long += 1
                while next_short < n_events and (next_short <= p or events[1, np.uint64(next_short)] & IN_SHORT == 0):
                    next_short += 1
                long_until = short_until = n_bars
                if next_long < n_events:
                    long_until = np.int64(events[0, np.uint64(next_long)]) + 1
                if next_short < n_events:
                    short_until = np.int64(events[0, np.uint64(next_short)]) + 1
                while due < len(samples) and samples[due] < end:
                    _sample_lanes(lanes, n, daily, mine, due + 1, samples[due], sample_prices[due], s.fee_rate)
                    due += 1
                if is_end:
                    for j in range(n):
                        if lanes.qty[j] != 0.0 and lanes.hit[j] > end:
                            s.qty = lanes.qty[j]
                            s.entry_price = lanes.entry_price[j]
                            s.current_price = price
                            lanes.open_pl[j] += _position_pnl(s)
                            lanes.is_open[j] = 1
                wanted = np.int64(IN_LONG | IN_SHORT if is_end else facts)
                if all_states & wanted == 0 and first_hit > end:
                    continue
                all_states = np.int64(0)
                first_hit = UNMET
                for e in range((n + EIGHT - 1) // EIGHT):
                    if lanes.states_of_eight[e] & wanted != 0 or lanes.hit_of_eight[e] <= end:
                        at = EIGHT * e
                        lanes.n_decisions += 1
                        _decide_eight(lanes, theirs, at, s, v, k, x, bars, minutes, b, facts, price, is_end)
                        _write_trades(lanes, at, closed, room)
                        _find_exits(
                            lanes,
                            at,
                            s,
                            p,
                            b,
                            minutes,
                            span,
                            block_span,
                            bar_span,
                            bar_block_span,
                            rest,
                            long_until,
                            short_until,
                        )
                        _sum_up(lanes, at)
                    all_states |= lanes.states_of_eight[e]
                    first_hit = min(first_hit, lanes.hit_of_eight[e])
            for j in range(n):
                is_played[mine[j]] = lanes.state[j] != 0
                if lanes.state[j] == 0:
                    continue
                i = mine[j]
                s.status = OK
                s.wallet = lanes.wallet[j]
                s.next_id = lanes.next_id[j]
                s.n_trades = lanes.n_trades[j]
                s.n_log = 2 * s.n_trades
                s.open_pl = lanes.open_pl[j]
                s.open_trades = lanes.is_open[j]
                s.liquidations = 0
                s.time = started_at + 60000.0 * len(minutes)
                daily[i, due + 1] = s.wallet
                _measure_trades(
                    closed[j * room : j * room + s.n_trades],
                    trades[TRADE_SIDE],
                    trades[TRADE_FEE],
                    trades[TRADE_PNL],
                    trades[TRADE_HOLDING],
                    s.fee_rate,
                )
                _write_results(
                    s,
                    n_bars - 1,
                    trades,
                    daily[i],
                    sample_times,
                    started_at,
                    finished_at,
                    annualization,
                    outcomes[i],
                    metrics[i],
                )
            first += n
            # Where few sets have a price in common, both exits of one are sooner looked for together; where few of
            # eight enter at once, the rest of them wait. In times of the sets alone, it takes some 0.3, and 0.4 for
            # each search an entry, and 1.0 for each decision an entry (see docs/how-it-works.md).
            is_worth_it = 8 * lanes.n_searches + 20 * lanes.n_decisions <= 13 * lanes.n_entries
            if not is_worth_it:
                break
        # What is left over of a long list is too little.
        first = last
