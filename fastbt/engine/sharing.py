# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
"""What the routes of one account share, and how it goes from one route's record to another's.

Each route has a record of its own, so that the exchange kernels need not know that there are several. What belongs to
all of them (wallet, clock, counters) is right in one record only, that of the route at hand: whoever turns to another
route hands it over. Positions of the other routes are read from a table that goes with it.
"""

from fastbt._jit import lean
from fastbt.engine.kernels import ACTIVE, MARKET, _market_price, _publish_minute, _reserved_margin
from fastbt.engine.layout import (
    OTHER_CLOSE,
    OTHER_ENTRY_PRICE,
    OTHER_FIELDS,
    OTHER_INDEX,
    OTHER_PRICE,
    OTHER_QTY,
    OTHER_RESERVED,
    OTHER_TRADES_COUNT,
)


@lean
def _hand_over(a, b):
    """Make the route of `b` the one at hand, which was that of `a`."""
    if a.route == b.route:
        return
    a.others[a.route, OTHER_QTY] = a.qty
    a.others[a.route, OTHER_ENTRY_PRICE] = a.entry_price
    a.others[a.route, OTHER_PRICE] = _market_price(a)
    a.others[a.route, OTHER_RESERVED] = _reserved_margin(a)
    a.others[a.route, OTHER_CLOSE] = a.current_price
    a.others[a.route, OTHER_TRADES_COUNT] = a.trades_count
    a.others[a.route, OTHER_INDEX] = a.index
    for r in range(len(a.others)):
        for column in range(OTHER_FIELDS):
            b.others[r, column] = a.others[r, column]
    for i in range(len(a.shared)):
        b.shared[i] = a.shared[i]
        b.shared_set[i] = a.shared_set[i]
    b.status = a.status
    b.time = a.time
    b.matching = a.matching
    b.wallet = a.wallet
    b.next_id = a.next_id
    b.n_trades = a.n_trades
    b.n_log = a.n_log
    b.n_samples = a.n_samples
    b.open_trades = a.open_trades
    b.open_pl = a.open_pl
    b.liquidations = a.liquidations


@lean
def _see_minute(s, t, rows, i):
    """Let minute `i` be the newest that the route of `t` knows, while that of `s` is the one at hand."""
    t.minute = i
    t.bar = t.warmup_bars + i // t.timeframe_minutes
    _publish_minute(t, rows, i)
    s.others[t.route, OTHER_PRICE] = t.current_price
    s.others[t.route, OTHER_CLOSE] = t.current_price


@lean
def _next_pending(states):
    """Return route and place of the pending market order that was submitted first, or -1, -1 (specification 1.7)."""
    route = place = -1
    for r in range(len(states)):
        t = states[r]
        if t.n_pending > 0:
            i = _first_pending(t)
            if i >= 0 and (route < 0 or t.o_id[i] < states[route].o_id[place]):
                route = r
                place = i
    return route, place


@lean
def _first_pending(s):
    """Return the place of the first pending market order of one route, or -1."""
    for i in range(s.n_active):
        if s.o_status[i] == ACTIVE and s.o_type[i] == MARKET:
            return i
    return -1
