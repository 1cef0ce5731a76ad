# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: F811
"""The loop over decision bars: Jesse's strategy life cycle around the exchange kernels.

This module is a template. The compiler copies everything below the line `# --- machine ---`, of `skipping.py` and then
of this file (and of `plain.py`, where trades may be plain), behind the hooks it generated from a strategy, so that
numba sees one module whose hooks are ordinary, inlinable callees and whose cache survives the process. As it stands
here, with the hooks below, it is the strategy that never trades. Functions that call no hook are `lean`, not `inner`:
they are not copied but imported, and translated once for all strategies.

`machine_routes.py` is its counterpart for several routes: it takes most functions from here, and does otherwise what
`own` and `tell` stand for.

Every hook takes `(s, v, k, x, bars, minutes)`: the run's state, the strategy's own variables, the values of its
hyper-parameters, the market series, the trading candles and the one-minute candles.
"""

import numpy as np

from fastbt._jit import inner, lean
from fastbt.engine.kernels import (
    ACTIVE,
    BUY,
    CLOSED,
    INCREASED,
    INVALID_STRATEGY,
    ISOLATED,
    MARKET,
    OK,
    OPENED,
    REDUCED,
    SELL,
    SPOT,
    TOLD_CANCELED,
    VIA_NONE,
    VIA_STOP_LOSS,
    VIA_TAKE_PROFIT,
    _bankruptcy_price,
    _cancel,
    _fail,
    _fill,
    _is_crossed_by_gap,
    _liquidation_price,
    _next_on_path,
    _position_pnl,
    _publish,
    _publish_minute,
    _publish_stale,
    _purge,
    _split_candle,
    _submit,
    _triggers,
)
from fastbt.engine.layout import (
    OUTCOME_BALANCE,
    OUTCOME_BAR,
    OUTCOME_FILLS,
    OUTCOME_LIQUIDATIONS,
    OUTCOME_OPEN_PL,
    OUTCOME_OPEN_TRADES,
    OUTCOME_ORDERS,
    OUTCOME_STATUS,
    OUTCOME_TIME,
    OUTCOME_TRADES,
    TRADE_FEE,
    TRADE_HOLDING,
    TRADE_PNL,
    TRADE_SIDE,
)
from fastbt.engine.skipping import SKIPS, TOUCHED, UNKNOWN, _is_quiet, _list_events, _sample, _skip
from fastbt.engine.spans import _find_touched, _is_reached
from fastbt.engine.submission import (
    _check_points,
    _copy_points,
    _detect,
    _reset_orders,
    _submit_entries,
    _submit_exit,
    _submit_on_open,
)
from fastbt.metrics._kernels import _run_metrics
from fastbt.types import CLOSE, HIGH, LOW, OPEN, TIMESTAMP, VOLUME


@inner
def should_long(s, v, k, x, bars, minutes):
    """Never enter."""
    return False


@inner
def should_short(s, v, k, x, bars, minutes):
    """Never enter."""
    return False


@inner
def should_cancel_entry(s, v, k, x, bars, minutes):
    """Cancel, as Jesse does by default."""
    return True


@inner
def filters(s, v, k, x, bars, minutes):
    """Let every entry pass."""
    return True


@inner
def _nothing(s, v, k, x, bars, minutes):
    """Do nothing."""


@inner
def init_variables(v):
    """Have no variables."""


go_long = go_short = before = after = update_position = _nothing
on_open_position = on_increased_position = on_reduced_position = on_close_position = on_cancel = _nothing
before_terminate = terminate = clear_cached = _nothing


#: Whether the trades of the strategy may be plain: see `plain.py`.
PLAIN = False


@inner
def _run_plain(*arguments):
    """Give up, as `plain.py` does when a trade is not plain."""
    return False


@inner
def own(s, of_routes):
    """Return the candles of the route: here, of the only one. In generated modules there is no call."""
    return of_routes


@inner
def tell(s, v, k, x, bars, minutes, event):
    """Tell other routes what became of an order: here, there are none."""


# --- machine ---
CONFLICTING_RULES = 2


@inner
def _cancel_all(s, v, k, x, bars, minutes):
    """Cancel what works, forget the orders and tell the strategy (Jesse's `_execute_cancel`)."""
    for i in range(s.n_active):
        _cancel(s, i)
    _reset_orders(s)
    tell(s, v, k, x, bars, minutes, TOLD_CANCELED)
    on_cancel(s, v, k, x, bars, minutes)
    s.n_listed = 0


@inner
def _execute(s, v, k, x, bars, minutes, trades, log, i):
    """Execute order `i` and run the callbacks of its effect (specification 2.6)."""
    effect = _fill(s, i, trades, log)
    if s.status != OK:
        return
    if effect == OPENED:
        s.increased_count = 1
        tell(s, v, k, x, bars, minutes, OPENED)
        if s.stop_loss_n >= 0:
            _submit_on_open(s, s.stop_loss_was_n, s.stop_loss_was, VIA_STOP_LOSS)
        if s.take_profit_n >= 0 and s.status == OK:
            _submit_on_open(s, s.take_profit_was_n, s.take_profit_was, VIA_TAKE_PROFIT)
        if s.status == OK:
            on_open_position(s, v, k, x, bars, minutes)
    elif effect == CLOSED:
        s.last_trade_index = s.index
        tell(s, v, k, x, bars, minutes, CLOSED)
        _cancel_all(s, v, k, x, bars, minutes)
        if s.status == OK:
            on_close_position(s, v, k, x, bars, minutes)
    elif effect == INCREASED:
        s.increased_count += 1
        tell(s, v, k, x, bars, minutes, INCREASED)
        on_increased_position(s, v, k, x, bars, minutes)
    else:
        s.reduced_count += 1
        tell(s, v, k, x, bars, minutes, REDUCED)
        on_reduced_position(s, v, k, x, bars, minutes)
    _detect(s)


@inner
def _flush(s, v, k, x, bars, minutes, trades, log):
    """Fill the pending market orders, those that callbacks append included (specification 1.7)."""
    if s.n_pending == 0:
        return
    i = 0
    while i < s.n_active and s.status == OK:
        if s.o_status[i] == ACTIVE and s.o_type[i] == MARKET:
            _execute(s, v, k, x, bars, minutes, trades, log, i)
        i += 1
    s.n_pending = 0


@inner
def _fill_gap(s, v, k, x, bars, minutes, trades, log, previous_close, open_):
    """Fill the orders that the opening jump crossed, at the open (specification 1.5 A)."""
    before = s.next_id
    rising = open_ > previous_close
    done = False
    while s.status == OK:
        best = -1
        for i in range(s.n_active):
            if s.o_id[i] < before and _is_crossed_by_gap(s, i, previous_close, open_):
                if best < 0:
                    best = i
                elif rising and s.o_price[i] < s.o_price[best]:
                    best = i
                elif not rising and s.o_price[i] > s.o_price[best]:
                    best = i
        if best < 0:
            return
        if not done:
            _publish(s, open_, open_, open_, open_, 0.0)
            done = True
        s.o_price[best] = open_
        _execute(s, v, k, x, bars, minutes, trades, log, best)


@inner
def _check_liquidation(s, v, k, x, bars, minutes, trades, log, previous_close, i):
    """Liquidate an isolated position whose price the minute reached (specification 1.8)."""
    mine = own(s, minutes)
    price = _liquidation_price(s)
    hit = mine[i, LOW] <= price <= mine[i, HIGH]
    if i > 0 and not hit:
        open_ = mine[i, OPEN]
        hit = min(previous_close, open_) <= price <= max(previous_close, open_)
    if not hit:
        return
    side = SELL if s.qty > 0.0 else BUY
    at = _bankruptcy_price(s)
    j = s.n_active
    _submit(s, side, MARKET, True, abs(s.qty), at, VIA_NONE)
    if s.status == OK:
        # Jesse makes this order itself, without a time of creation.
        s.o_created_at[j] = np.nan
        s.liquidations += 1
        bar = s.bar
        _publish_stale(s, own(s, bars), i)
        _execute(s, v, k, x, bars, minutes, trades, log, j)
        s.minute = i
        s.bar = bar
        _publish_minute(s, mine, i)


@inner
def _match_minute(s, v, k, x, bars, minutes, trades, log, i):
    """Play one minute against the working orders (specification 1.5), then flush and tidy up (1.4)."""
    mine = own(s, minutes)
    s.matching = True
    s.minute = i
    s.bar = s.warmup_bars + i // s.timeframe_minutes
    s.time = mine[i, TIMESTAMP] + 60000.0
    open_ = mine[i, OPEN]
    close = mine[i, CLOSE]
    high = mine[i, HIGH]
    low = mine[i, LOW]
    volume = mine[i, VOLUME]
    previous_close = mine[i - 1, CLOSE] if i > 0 else open_
    if open_ != previous_close:
        _fill_gap(s, v, k, x, bars, minutes, trades, log, previous_close, open_)
    while s.status == OK:
        j = _next_on_path(s, open_, close, high, low)
        if j < 0:
            break
        done_open, done_close, done_high, done_low, open_, close, high, low = _split_candle(
            open_, close, high, low, s.o_price[j]
        )
        _publish(s, done_open, done_close, done_high, done_low, volume)
        _execute(s, v, k, x, bars, minutes, trades, log, j)
    _publish_minute(s, mine, i)
    if s.mode == ISOLATED and s.qty != 0.0 and s.status == OK:
        _check_liquidation(s, v, k, x, bars, minutes, trades, log, previous_close, i)
    s.matching = False


@inner
def _walk(s, v, k, x, bars, minutes, trades, log, span, block_span, first, last):
    """Play the minutes in [first, last), going straight to those that can touch an order."""
    i = first
    while i < last and s.status == OK:
        if s.n_active == 0 and (s.mode != ISOLATED or s.qty == 0.0):
            break
        # Of a one-minute bar it is known.
        if s.timeframe_minutes > 1:
            low, high = _triggers(s)
            i = _find_touched(span, block_span, i, last, low, high)
            if i < 0:
                break
        _match_minute(s, v, k, x, bars, minutes, trades, log, i)
        _purge(s)
        if i + 1 < last or (i + 1) % s.timeframe_minutes != 0:
            _flush(s, v, k, x, bars, minutes, trades, log)
            _purge(s)
        i += 1
    if s.status == OK:
        s.minute = last - 1
        s.time = minutes[last - 1, TIMESTAMP] + 60000.0
        s.current_price = minutes[last - 1, CLOSE]


@inner
def _enter(s, v, k, x, bars, minutes, side):
    """Run go_long or go_short and submit the entry (specification 2.3)."""
    if side == BUY:
        go_long(s, v, k, x, bars, minutes)
        if s.buy_n < 0:
            _fail(s, INVALID_STRATEGY)
        _check_points(s, s.buy_n, s.buy)
        s.buy_was_n = s.buy_n
        _copy_points(s.buy_n, s.buy, s.buy_was)
    else:
        go_short(s, v, k, x, bars, minutes)
        if s.sell_n < 0:
            _fail(s, INVALID_STRATEGY)
        _check_points(s, s.sell_n, s.sell)
        s.sell_was_n = s.sell_n
        _copy_points(s.sell_n, s.sell, s.sell_was)
    if s.take_profit_n >= 0:
        if s.mode == SPOT:
            _fail(s, INVALID_STRATEGY)
        _check_points(s, s.take_profit_n, s.take_profit)
        s.take_profit_was_n = s.take_profit_n
        _copy_points(s.take_profit_n, s.take_profit, s.take_profit_was)
    if s.stop_loss_n >= 0:
        if s.mode == SPOT:
            _fail(s, INVALID_STRATEGY)
        _check_points(s, s.stop_loss_n, s.stop_loss)
        s.stop_loss_was_n = s.stop_loss_n
        _copy_points(s.stop_loss_n, s.stop_loss, s.stop_loss_was)
    if s.status != OK:
        return
    if not filters(s, v, k, x, bars, minutes):
        _reset_orders(s)
        return
    if s.status == OK:
        _submit_entries(s, side)


@inner
def _decide(s, v, k, x, bars, minutes, trades, log):
    """Run the strategy on a completed candle (specification 2.1 and 2.2)."""
    before(s, v, k, x, bars, minutes)
    if s.status != OK:
        return
    if s.n_listed > 0 and s.qty == 0.0 and should_cancel_entry(s, v, k, x, bars, minutes):
        _cancel_all(s, v, k, x, bars, minutes)
    if s.qty != 0.0:
        update_position(s, v, k, x, bars, minutes)
        _detect(s)
    _flush(s, v, k, x, bars, minutes, trades, log)
    if s.status != OK:
        return
    if s.qty == 0.0 and s.n_listed == 0:
        _reset_orders(s)
        short = should_short(s, v, k, x, bars, minutes)
        if short and s.mode == SPOT:
            _fail(s, INVALID_STRATEGY)
        if s.status != OK:
            return
        long = should_long(s, v, k, x, bars, minutes)
        if short and long:
            _fail(s, CONFLICTING_RULES)
        if s.status != OK:
            return
        if long:
            _enter(s, v, k, x, bars, minutes, BUY)
        elif short:
            _enter(s, v, k, x, bars, minutes, SELL)
    if s.status == OK:
        after(s, v, k, x, bars, minutes)
    clear_cached(s, v, k, x, bars, minutes)
    s.index += 1


@inner
def _end(s, v, k, x, bars, minutes, trades, log):
    """Close what is open and cancel what works (specification 1.11)."""
    mine = own(s, minutes)
    # The last bar may not have ended; what there is of it is visible.
    s.bar = s.warmup_bars + (len(mine) - 1) // s.timeframe_minutes
    _publish_minute(s, mine, len(mine) - 1)
    before_terminate(s, v, k, x, bars, minutes)
    _detect(s)
    _flush(s, v, k, x, bars, minutes, trades, log)
    if s.status != OK:
        return
    if s.qty != 0.0:
        s.open_trades += 1
        s.open_pl += _position_pnl(s)
        if s.mode == SPOT:
            for i in range(s.n_active):
                _cancel(s, i)
        _submit_exit(s, s.qty, s.current_price, VIA_NONE)
        terminate(s, v, k, x, bars, minutes)
        _flush(s, v, k, x, bars, minutes, trades, log)
        return
    if s.n_listed > 0:
        _cancel_all(s, v, k, x, bars, minutes)
    terminate(s, v, k, x, bars, minutes)
    _flush(s, v, k, x, bars, minutes, trades, log)


@lean
def _begin(s, minutes):
    """Set the state to the start of a run."""
    s.status = OK
    s.minute = -1
    s.bar = s.warmup_bars
    s.index = 0
    s.facts = 0
    s.time = minutes[0, TIMESTAMP]
    s.complete = True
    s.partial = s.matching = False
    for i in range(len(s.shared_set)):
        s.shared_set[i] = 0
    s.shown_minute = -1
    s.stale = False
    s.wallet = s.starting_balance
    s.base_balance = s.stop_sum = s.limit_sum = 0.0
    s.qty = s.previous_qty = 0.0
    s.entry_price = s.exit_price = s.opened_at = s.closed_at = float("nan")
    s.current_price = minutes[0, OPEN]
    s.trades_count = s.last_trade_index = 0
    s.n_pending = s.next_id = 0
    s.n_buy_rows = s.n_sell_rows = 0
    s.n_buy_fills = s.n_sell_fills = 0
    s.fee_sum = s.fee_rest = 0.0
    s.n_trades = s.n_log = s.n_samples = 0
    s.open_trades = s.liquidations = 0
    s.open_pl = 0.0
    _reset_orders(s)


@inner
def _run(
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
    n_events,
    samples,
    sample_prices,
    trades,
    log,
    daily,
):
    """Run one parameter set over all bars; a status other than OK in `s` tells why it stopped."""
    _begin(s, minutes)
    _sample(s, daily)
    length = s.timeframe_minutes
    n_minutes = len(minutes)
    n_bars = n_minutes // length
    due = 0
    n_due = len(samples)
    p = 0
    b = 0
    while b < n_bars:
        is_touched = UNKNOWN
        if SKIPS:
            b, due, p, is_touched = _skip(
                s,
                v,
                k,
                x,
                bars,
                minutes,
                bar_span,
                bar_block_span,
                events,
                n_events,
                samples,
                sample_prices,
                daily,
                b,
                due,
                p,
            )
            if b >= n_bars:
                break
        first = b * length
        last = first + length
        while due < n_due and samples[due] < last - 1:
            minute = samples[due]
            _walk(s, v, k, x, bars, minutes, trades, log, span, block_span, first, minute + 1)
            _sample(s, daily)
            first = minute + 1
            due += 1
        if is_touched == UNKNOWN and (s.n_active > 0 or (s.mode == ISOLATED and s.qty != 0.0)):
            low, high = _triggers(s)
            if _is_reached(bar_span, b, low, high):
                is_touched = TOUCHED
        if is_touched == TOUCHED:
            _walk(s, v, k, x, bars, minutes, trades, log, span, block_span, first, last)
        if s.status != OK:
            return
        # Time and close of the last minute, from the bar: bars follow each other in memory, last minutes do not.
        s.minute = last - 1
        s.bar = s.warmup_bars + b
        s.time = minutes[0, TIMESTAMP] + 60000.0 * last
        s.current_price = bars[s.bar, CLOSE]
        s.complete = True
        s.partial = False
        if SKIPS and is_touched == TOUCHED and _is_quiet(s, v, k, x, bars, minutes, events, n_events, p, b):
            if s.qty == 0.0 and s.n_listed == 0:
                _reset_orders(s)
            s.index += 1
        else:
            _decide(s, v, k, x, bars, minutes, trades, log)
            if s.n_active > 0:
                _purge(s)
                _flush(s, v, k, x, bars, minutes, trades, log)
                _purge(s)
            if s.status != OK:
                return
        if due < n_due and samples[due] == last - 1:
            _sample(s, daily)
            due += 1
        b += 1
    first = n_bars * length
    while first < n_minutes:
        last = samples[due] + 1 if due < n_due else n_minutes
        _walk(s, v, k, x, bars, minutes, trades, log, span, block_span, first, last)
        if s.status != OK:
            return
        if due < n_due:
            _sample(s, daily)
            due += 1
        first = last
    _end(s, v, k, x, bars, minutes, trades, log)
    if s.status == OK:
        if due > 0 and samples[due - 1] == n_minutes - 1:
            s.n_samples -= 1
        _sample(s, daily)


@lean
def _write_outcome(s, bar, outcome):
    """Write how the run of a parameter set ended."""
    outcome[OUTCOME_STATUS] = s.status
    outcome[OUTCOME_BAR] = bar
    outcome[OUTCOME_TIME] = s.time
    outcome[OUTCOME_ORDERS] = s.next_id
    outcome[OUTCOME_BALANCE] = s.wallet
    outcome[OUTCOME_OPEN_TRADES] = s.open_trades
    outcome[OUTCOME_OPEN_PL] = s.open_pl
    outcome[OUTCOME_LIQUIDATIONS] = s.liquidations
    outcome[OUTCOME_TRADES] = s.n_trades
    outcome[OUTCOME_FILLS] = s.n_log


@lean
def _write_results(s, bar, trades, daily, sample_times, started_at, finished_at, annualization, outcome, metrics):
    """Write what became of a parameter set: how it ended, and its metrics."""
    _write_outcome(s, bar, outcome)
    if s.status != OK:
        daily[:] = np.nan
        metrics[:] = np.nan
        return
    _run_metrics(
        trades[TRADE_PNL],
        trades[TRADE_SIDE],
        trades[TRADE_FEE],
        trades[TRADE_HOLDING],
        s.n_trades,
        daily,
        sample_times,
        s.starting_balance,
        s.wallet,
        started_at,
        finished_at,
        s.open_trades,
        s.open_pl,
        annualization,
        metrics,
    )


@lean
def run_sets(
    order,
    groups,
    states,
    variables,
    configs,
    x,
    bars,
    minutes,
    span,
    block_span,
    bar_span,
    bar_block_span,
    samples,
    sample_prices,
    sample_times,
    annualization,
    events,
    event_prices,
    trades,
    log,
    outcomes,
    daily,
    metrics,
):
    """Run the parameter sets of `order` and write one row of outcomes, daily balances and metrics for each.

    Sets of one group, which follow each other, share the list of bars on which they may act.
    """
    s = states[0]
    v = variables[0]
    started_at = minutes[0, TIMESTAMP]
    finished_at = minutes[len(minutes) - 1, TIMESTAMP] + 120000.0
    n_events = 0
    can_be_plain = s.mode != SPOT and log.shape[1] == 0 and len(minutes) % s.timeframe_minutes == 0
    given_up = 0
    for i in range(len(order)):
        j = order[i]
        k = configs[j]
        init_variables(v)
        if SKIPS and (i == 0 or groups[i] != groups[i - 1]):
            n_events = _list_events(s, v, k, x, bars, minutes, events)
            if PLAIN and can_be_plain:
                for e in range(n_events):
                    event_prices[e] = bars[s.warmup_bars + events[0, e], CLOSE]
        is_done = False
        # Few sets of a strategy give up, or nearly all.
        if PLAIN and can_be_plain and given_up <= 4 + i // 4:
            is_done = _run_plain(
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
                daily[j],
            )
            if not is_done:
                given_up += 1
                init_variables(v)
        if not is_done:
            _run(
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
                n_events,
                samples,
                sample_prices,
                trades,
                log,
                daily[j],
            )
        _write_results(
            s,
            s.minute // s.timeframe_minutes,
            trades,
            daily[j],
            sample_times,
            started_at,
            finished_at,
            annualization,
            outcomes[j],
            metrics[j],
        )
