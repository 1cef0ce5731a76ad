# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
"""The loop over minutes for several routes that share an account: Jesse's order of execution (specification 1.4).

A template, as `machine.py` is: the compiler puts below the line `# --- machine ---` the functions of both, and before
them the hooks. Those of the strategies are behind hooks of the same names that ask the strategy of the route at hand.
Here `v` holds the records of all routes, then the variables of each strategy; `k`, `x`, `bars` and `minutes` hold one
item for each route. All but `states` and `order` are as in `machine.py`.
"""

import numpy as np

from fastbt._jit import inner, lean
from fastbt.engine.kernels import (
    CLOSED,
    INCREASED,
    ISOLATED,
    OK,
    OPENED,
    REDUCED,
    SPOT,
    _equity,
    _purge,
    _triggers,
)
from fastbt.engine.machine import (
    _begin,
    _decide,
    _end,
    _execute,
    _match_minute,
    _nothing,
    _write_results,
)
from fastbt.engine.sharing import _hand_over, _next_pending, _see_minute
from fastbt.engine.spans import _find_touched
from fastbt.engine.submission import _detect
from fastbt.types import TIMESTAMP

on_route_open_position = on_route_close_position = on_route_canceled = _nothing
on_route_increased_position = on_route_reduced_position = _nothing


@inner
def init_all(v):
    """Set the variables of all strategies to what they begin with."""


@inner
def records_of(states, variables):
    """Return what `v` is."""
    return (states, variables[0][0])


@inner
def configs_of(configs, j):
    """Return the values of parameter set `j` for each route."""
    return (configs[0][j],)


@inner
def own(s, of_routes):
    """Return the candles of a route; in the generated module `of_routes[s.route]`, as kernels cannot return arrays."""
    return of_routes[s.route]


# --- machine ---
@inner
def tell(s, v, k, x, bars, minutes, event):
    """Tell the other routes what became of an order, and look at what they assigned (specification 2.6)."""
    states = v[0]
    for r in range(len(states)):
        if r == s.route or s.status != OK:
            continue
        t = states[r]
        _hand_over(s, t)
        t.sender = s.route
        if event == OPENED:
            on_route_open_position(t, v, k, x, bars, minutes)
        elif event == CLOSED:
            on_route_close_position(t, v, k, x, bars, minutes)
        elif event == INCREASED:
            on_route_increased_position(t, v, k, x, bars, minutes)
        elif event == REDUCED:
            on_route_reduced_position(t, v, k, x, bars, minutes)
        else:
            on_route_canceled(t, v, k, x, bars, minutes)
        _detect(t)
        _hand_over(t, s)


@inner
def _flush(s, v, k, x, bars, minutes, trades, log):
    """Fill the pending market orders of all routes, those that callbacks append included (specification 1.7)."""
    states = v[0]
    while s.status == OK:
        r, i = _next_pending(states)
        if r < 0:
            break
        t = states[r]
        _hand_over(s, t)
        _execute(t, v, k, x, bars, minutes, trades, log, i)
        _hand_over(t, s)
    for r in range(len(states)):
        states[r].n_pending = 0


@inner
def _purge_all(states):
    """Drop the orders that no longer work."""
    for r in range(len(states)):
        _purge(states[r])


@inner
def _see_all(s, states, minutes, i):
    """Let all routes know minute `i`."""
    for r in range(len(states)):
        t = states[r]
        _see_minute(s, t, own(t, minutes), i)


@inner
def _next_touched(states, span, block_span, first, last):
    """Return the first minute in [first, last) that can touch an order of any route, or `last`."""
    for r in range(len(states)):
        t = states[r]
        if t.n_active == 0 and (t.mode != ISOLATED or t.qty == 0.0):
            continue
        low, high = _triggers(t)
        i = _find_touched(own(t, span), own(t, block_span), first, last, low, high)
        if i >= 0:
            last = i
    return last


@inner
def _play_minute(s, v, k, x, bars, minutes, trades, log, order, i):
    """Play one minute of all symbols, in the order of the candles; return the record at hand."""
    states = v[0]
    if i > 0:
        # What happens to the first symbols, the others see from the minute before.
        _see_all(s, states, minutes, i - 1)
    for at in order:
        t = states[at]
        _hand_over(s, t)
        s = t
        if s.status == OK:
            _match_minute(s, v, k, x, bars, minutes, trades, log, i)
    return s


@inner
def _decide_all(s, v, k, x, bars, minutes, trades, log, stop):
    """Run the strategies whose candle ended with the minute before `stop`; return the record at hand."""
    states = v[0]
    for r in range(len(states)):
        t = states[r]
        if stop % t.timeframe_minutes == 0 and s.status == OK:
            _hand_over(s, t)
            s = t
            _decide(s, v, k, x, bars, minutes, trades, log)
        _purge(t)
    return s


@inner
def _sample(s, states, daily):
    """Append a daily balance sample; return the record at hand."""
    if s.mode == SPOT:
        _hand_over(s, states[0])
        s = states[0]
    daily[s.n_samples] = _equity(s)
    s.n_samples += 1
    return s


@inner
def _end_of_segment(states, i, last):
    """Return where a strategy decides next: the end of a candle after minute `i`, at most `last`."""
    for r in range(len(states)):
        length = states[r].timeframe_minutes
        last = min(last, (i // length + 1) * length)
    return last


@inner
def _run_routes(v, k, x, bars, minutes, span, block_span, order, samples, trades, log, daily):
    """Run one parameter set over all minutes; return the record at hand, whose status tells why it stopped."""
    states = v[0]
    for r in range(len(states)):
        t = states[r]
        _begin(t, own(t, minutes))
        t.others[:, :] = 0.0
    s = _sample(states[0], states, daily)
    n_minutes = len(own(s, minutes))
    due = 0
    n_due = len(samples)
    first = 0
    while first < n_minutes:
        stop = _end_of_segment(states, first, samples[due] + 1 if due < n_due else n_minutes)
        while s.status == OK:
            i = _next_touched(states, span, block_span, first, stop)
            if i == stop:
                break
            s = _play_minute(s, v, k, x, bars, minutes, trades, log, order, i)
            _purge_all(states)
            first = i + 1
            if first == stop:
                break
            _flush(s, v, k, x, bars, minutes, trades, log)
            _purge_all(states)
        if s.status != OK:
            return s
        _see_all(s, states, minutes, stop - 1)
        s.time = own(s, minutes)[stop - 1, TIMESTAMP] + 60000.0
        s = _decide_all(s, v, k, x, bars, minutes, trades, log, stop)
        _flush(s, v, k, x, bars, minutes, trades, log)
        _purge_all(states)
        if s.status != OK:
            return s
        if due < n_due and samples[due] == stop - 1:
            s = _sample(s, states, daily)
            due += 1
        first = stop
    for r in range(len(states)):
        _hand_over(s, states[r])
        s = states[r]
        if s.status == OK:
            _end(s, v, k, x, bars, minutes, trades, log)
    if s.status == OK:
        if due > 0 and samples[due - 1] == n_minutes - 1:
            s.n_samples -= 1
        s = _sample(s, states, daily)
    return s


@lean
def run_sets(
    first,
    last,
    states,
    variables,
    configs,
    x,
    bars,
    minutes,
    span,
    block_span,
    order,
    samples,
    sample_times,
    annualization,
    trades,
    log,
    outcomes,
    daily,
    metrics,
):
    """Run parameter sets [first, last) and write one row of outcomes, daily balances and metrics for each."""
    v = records_of(states, variables)
    started_at = minutes[0][0, TIMESTAMP]
    finished_at = minutes[0][len(minutes[0]) - 1, TIMESTAMP] + 120000.0
    for j in range(first, last):
        init_all(v)
        k = configs_of(configs, j)
        s = _run_routes(v, k, x, bars, minutes, span, block_span, order, samples, trades, log, daily[j])
        # Not of `s.minute`: other routes may still be at the minute before.
        bar = (np.int64((s.time - started_at) / 60000.0) - 1) // states[0].timeframe_minutes
        _write_results(
            s, bar, trades, daily[j], sample_times, started_at, finished_at, annualization, outcomes[j], metrics[j]
        )
