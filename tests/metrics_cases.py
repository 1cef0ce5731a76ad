"""Runs for the metrics: hypothesis strategies for trades and daily balances, and their form as a `Simulation`."""

import math

from hypothesis import strategies as st

from fastbt.results import Simulation, Trade

DAY = 86_400_000
START = 1_577_836_800_000

# Steps of a cent and of a twentieth of a percent: nothing is so near zero that rounding alone decides its sign.
profits = st.integers(-100_000, 100_000).map(lambda cents: cents / 100) | st.sampled_from([0.0, -0.0])
trade = st.tuples(
    profits,
    st.sampled_from(["long", "short"]),
    st.integers(0, 10_000).map(lambda cents: cents / 100),
    st.integers(0, 10_000).map(lambda minutes: minutes * 60.0),
)
trades = st.lists(trade, min_size=1, max_size=40)
steps = st.integers(-1000, 1000).map(lambda step: step / 2000)
odd_balances = st.sampled_from([0.0, -100.0, math.inf, -math.inf, math.nan, 1e300])


@st.composite
def balances(draw):
    """Samples that move by up to half, stand still, or are of the kind that a healthy run never has."""
    n = draw(st.integers(1, 60))
    kind = draw(st.sampled_from(["steps", "steps", "steps", "constant", "halves", "odd"]))
    if kind == "constant":
        return [10_000.0] * n
    if kind == "halves":
        return [10_000.0 * draw(st.sampled_from([0.5, 1.0, 2.0])) for _ in range(n)]
    balance, samples = 10_000.0, []
    for _ in range(n):
        samples.append(balance)
        balance *= 1 + draw(steps)
    if kind == "odd":
        for _ in range(draw(st.integers(1, 3))):
            samples[draw(st.integers(0, n - 1))] = draw(odd_balances)
    return samples


@st.composite
def runs(draw):
    daily_balance = draw(balances())
    n = len(daily_balance)
    spacing = draw(st.sampled_from([DAY, DAY // 2, DAY - 60_000]))
    # As Jesse samples: the start, then a minute after each day, then the end.
    daily_time = [START] + [START + k * spacing + 60_000 for k in range(1, n)]
    if n > 1:
        daily_time[-1] = daily_time[-2] + draw(st.integers(60_000, spacing))
    return {
        "trades": draw(trades),
        "daily_balance": daily_balance,
        "daily_time": daily_time,
        "starting_balance": 10_000.0,
        "finishing_balance": draw(profits) + 10_000.0,
        "started_at": START,
        "finished_at": daily_time[-1] + draw(st.sampled_from([0, 60_000])),
        "total_open_trades": draw(st.integers(0, 1)),
        "open_pl": draw(profits),
        "annualization": draw(st.sampled_from([365, 252])),
    }


def as_simulation(run):
    closed = [
        Trade(
            symbol="BTC-USDT",
            type=kind,
            qty=1.0,
            entry_price=100.0,
            exit_price=100.0 + pnl + fee,
            fee=fee,
            pnl=pnl,
            opened_at=0.0,
            closed_at=holding * 1000.0,
            leverage=1,
            orders=(),
        )
        for pnl, kind, fee, holding in run["trades"]
    ]
    rest = {name: value for name, value in run.items() if name not in ("trades", "annualization")}
    return Simulation(trades=closed, **rest)


def differences(actual, expected, rtol=1e-9):
    """Names whose value, type or presence differs; NaN equals NaN, infinities only themselves."""
    wrong = [] if list(actual) == list(expected) else [("keys", list(actual), list(expected))]
    for name in expected:
        mine, theirs = actual.get(name), expected[name]
        same = mine == theirs or (mine != mine and theirs != theirs)
        if not same and not math.isclose(mine, theirs, rel_tol=rtol, abs_tol=1e-12):
            wrong.append((name, mine, theirs))
        elif type(mine) is not type(theirs):
            wrong.append((name, type(mine), type(theirs)))
    return wrong
