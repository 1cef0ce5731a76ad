# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Bars on which nothing happens: the part of the machine that goes over them.

A template as `machine.py` is, which says what the arguments are. What the compiler found out about a strategy's hooks
(`fastbt.compiler.quiet`) takes the place of what stands above the line `# --- machine ---`. In short: `ever` is asked
once for all sets that share what it reads, and lists the bars that may matter in each state of a run; `now` is asked on
such a bar, with the state of the run.
"""

import numpy as np

from fastbt._jit import inner, lean
from fastbt.engine.kernels import ISOLATED, OK, _equity, _triggers
from fastbt.engine.spans import _find_touched, _is_reached
from fastbt.engine.submission import _reset_orders
from fastbt.types import CLOSE, TIMESTAMP


@inner
def _always(s, v, k, x, bars, minutes):
    """Let no bar be skipped."""
    return True


#: Whether any bar can be skipped, and for each state of a run which bars may matter: see `fastbt.compiler.quiet`.
SKIPS = False
EVER_ENTER = EVER_WAIT = EVER_HOLD = 1
NOW_ENTER = NOW_WAIT = NOW_HOLD = 1
may_enter_ever = may_wait_ever = may_hold_ever = may_enter_now = may_wait_now = may_hold_now = _always

# --- machine ---
NEVER, ALWAYS, SOMETIMES = 0, 1, 2
UNTOUCHED, TOUCHED, UNKNOWN = 0, 1, 2
IN_FLAT, IN_WAIT, IN_LONG, IN_SHORT = 1, 2, 4, 8
#: Beside the states in which an event may matter: whether the bits above tell the facts of its bar.
ARE_KNOWN = 16


@lean
def _sample(s, daily):
    """Append a daily balance sample."""
    daily[s.n_samples] = _equity(s)
    s.n_samples += 1


@lean
def _show(s, bars, minutes, b):
    """Set the clock to the decision on bar `b`."""
    s.bar = s.warmup_bars + b
    s.index = b
    s.minute = (b + 1) * s.timeframe_minutes - 1
    # Not read from the bar: most of these bars are not in the cache.
    s.time = minutes[0, TIMESTAMP] + 60000.0 * (s.minute + 1)
    s.current_price = bars[s.bar, CLOSE]


@inner
def _list_events(s, v, k, x, bars, minutes, events):
    """List the bars on which the strategy may act whatever its state; return how many there are."""
    s.status = OK
    s.complete = True
    s.partial = s.stale = False
    n = 0
    for b in range(len(minutes) // s.timeframe_minutes):
        _show(s, bars, minutes, b)
        states = 0
        if EVER_ENTER == SOMETIMES:
            s.qty = 0.0
            if may_enter_ever(s, v, k, x, bars, minutes):
                states |= IN_FLAT
        if EVER_WAIT == SOMETIMES:
            s.qty = 0.0
            if may_wait_ever(s, v, k, x, bars, minutes):
                states |= IN_WAIT
        if EVER_HOLD == SOMETIMES:
            s.qty = 1.0
            if may_hold_ever(s, v, k, x, bars, minutes):
                states |= IN_LONG
            s.qty = -1.0
            if may_hold_ever(s, v, k, x, bars, minutes):
                states |= IN_SHORT
        if s.status != OK:
            # What fails here may fail in the run.
            s.status = OK
            states = IN_FLAT | IN_WAIT | IN_LONG | IN_SHORT
        if states != 0:
            events[0, n] = b
            events[1, n] = states
            n += 1
    return n


@lean
def _event_from(events, n_events, p, b):
    """Return the first event from `p` that is not before bar `b`."""
    while p < n_events and events[0, p] < b:
        p += 1
    return p


@inner
def _wakes(s, v, k, x, bars, minutes, state):
    """Tell whether the strategy may act on the bar that the clock shows."""
    if state == IN_FLAT:
        wakes = may_enter_now(s, v, k, x, bars, minutes)
    elif state == IN_WAIT:
        wakes = may_wait_now(s, v, k, x, bars, minutes)
    else:
        wakes = may_hold_now(s, v, k, x, bars, minutes)
    if s.status != OK:
        # What failed fails again where it belongs.
        s.status = OK
        return True
    return wakes


@inner
def _next_bar(s, v, k, x, bars, minutes, bar_span, bar_block_span, events, n_events, b, p, state, ever, now):
    """Return the first bar from `b` on which an order is touched or the strategy may act, the next event, and which."""
    n_bars = len(minutes) // s.timeframe_minutes
    is_touched = UNTOUCHED
    low, high = -np.inf, np.inf
    can_touch = s.n_active > 0 or (s.mode == ISOLATED and s.qty != 0.0)
    if can_touch:
        low, high = _triggers(s)
    e = b
    while e < n_bars:
        if ever == ALWAYS:
            if _is_reached(bar_span, e, low, high):
                is_touched = TOUCHED
                break
        else:
            candidate = n_bars
            if ever == SOMETIMES:
                p = _event_from(events, n_events, p, e)
                q = p
                while q < n_events and (events[1, q] & state) == 0:
                    q += 1
                if q < n_events:
                    candidate = events[0, q]
            if can_touch:
                touched = _find_touched(bar_span, bar_block_span, e, min(candidate + 1, n_bars), low, high)
                if touched >= 0:
                    e = touched
                    is_touched = TOUCHED
                    break
            e = candidate
            if e >= n_bars:
                break
        if now == ALWAYS:
            break
        _show(s, bars, minutes, e)
        if _wakes(s, v, k, x, bars, minutes, state):
            break
        e += 1
    return e, p, is_touched


@inner
def _skip(
    s, v, k, x, bars, minutes, bar_span, bar_block_span, events, n_events, samples, sample_prices, daily, b, due, p
):
    """Go over the bars from `b` on which nothing happens; return the next bar, sample, event, and if it is touched."""
    if s.n_pending > 0:
        return b, due, p, UNKNOWN
    is_touched = UNKNOWN
    bar, minute, time, price = s.bar, s.minute, s.time, s.current_price
    is_flat = s.qty == 0.0 and s.n_listed == 0
    e = b
    if is_flat:
        if s.n_active == 0 and (EVER_ENTER != ALWAYS or NOW_ENTER != ALWAYS):
            e, p, is_touched = _next_bar(
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
                b,
                p,
                IN_FLAT,
                EVER_ENTER,
                NOW_ENTER,
            )
    elif s.qty == 0.0:
        if EVER_WAIT != ALWAYS or NOW_WAIT != ALWAYS:
            e, p, is_touched = _next_bar(
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
                b,
                p,
                IN_WAIT,
                EVER_WAIT,
                NOW_WAIT,
            )
    elif EVER_HOLD != ALWAYS or NOW_HOLD != ALWAYS:
        state = IN_LONG if s.qty > 0.0 else IN_SHORT
        e, p, is_touched = _next_bar(
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
            b,
            p,
            state,
            EVER_HOLD,
            NOW_HOLD,
        )
    if e == b:
        s.bar, s.index, s.minute, s.time, s.current_price = bar, b, minute, time, price
        return b, due, p, is_touched
    if is_flat:
        _reset_orders(s)
    end = e * s.timeframe_minutes
    while due < len(samples) and samples[due] < end:
        s.current_price = sample_prices[due]
        _sample(s, daily)
        due += 1
    _show(s, bars, minutes, e - 1)
    s.index = e
    s.complete = True
    s.partial = False
    return e, due, p, is_touched


@inner
def _is_quiet(s, v, k, x, bars, minutes, events, n_events, p, b):
    """Tell whether the strategy does nothing on bar `b`, which the clock shows, after its orders were played."""
    if s.n_pending > 0:
        return False
    if s.qty != 0.0:
        state, ever, now = IN_LONG if s.qty > 0.0 else IN_SHORT, EVER_HOLD, NOW_HOLD
    elif s.n_listed > 0:
        state, ever, now = IN_WAIT, EVER_WAIT, NOW_WAIT
    elif s.n_active == 0:
        state, ever, now = IN_FLAT, EVER_ENTER, NOW_ENTER
    else:
        return False
    if ever == SOMETIMES:
        p = _event_from(events, n_events, p, b)
        if p == n_events or events[0, p] != b or (events[1, p] & state) == 0:
            return True
    elif ever == NEVER:
        return True
    return now != ALWAYS and not _wakes(s, v, k, x, bars, minutes, state)
