"""Jesse's metrics, one plain sentence of Python each: no kernel, no shared names, lists and numpy's own sums."""

import math

import numpy as np

DAY = 86_400_000


def mean(values):
    return float(np.sum(values)) / len(values) if len(values) else math.nan


def longest_streak(signs, wanted):
    longest = current = 0
    for sign in signs:
        current = current + 1 if sign == wanted else 0
        longest = max(longest, current)
    return longest


def last_streak(signs):
    length = 0
    for sign in reversed(signs):
        if sign != signs[-1] or sign == 0:
            break
        length += 1
    return length * signs[-1]


def metrics(
    trades,
    daily_balance,
    daily_time,
    *,
    starting_balance,
    finishing_balance,
    started_at,
    finished_at,
    total_open_trades=0,
    open_pl=0.0,
    annualization=365,
):
    """`trades` are (pnl, type, fee, holding seconds)."""
    if not trades:
        return {"total": 0, "win_rate": 0, "net_profit_percentage": 0, "annualization": annualization}
    pnl = [trade[0] for trade in trades]
    wins = [trade for trade in trades if trade[0] > 0]
    losses = [trade for trade in trades if trade[0] < 0]
    signs = [(p > 0) - (p < 0) for p in pnl]

    def win_rate(kind):
        won = sum(trade[1] == kind for trade in wins)
        decided = won + sum(trade[1] == kind for trade in losses)
        return won / decided if decided else 0.0

    longs = sum(trade[1] == "long" for trade in trades)
    average_win = mean([trade[0] for trade in wins])
    average_loss = abs(mean([trade[0] for trade in losses]))
    rate = len(wins) / (len(wins) + len(losses)) if wins else 0.0
    expectancy = (average_win * rate if wins else 0.0) - (average_loss * (1 - rate) if losses else 0.0)
    net_profit = float(np.sum(pnl))
    days = (finished_at - started_at) / DAY
    per_day = len(trades) / days if days > 0 else 0.0
    result = {
        "total": len(trades),
        "total_winning_trades": len(wins),
        "total_losing_trades": len(losses),
        "starting_balance": starting_balance,
        "finishing_balance": finishing_balance,
        "win_rate": rate,
        "win_rate_longs": win_rate("long"),
        "win_rate_shorts": win_rate("short"),
        "ratio_avg_win_loss": average_win / average_loss,
        "longs_count": longs,
        "longs_percentage": 100 * longs / len(trades),
        "shorts_percentage": 100 - 100 * longs / len(trades),
        "shorts_count": len(trades) - longs,
        "fee": float(np.sum([trade[2] for trade in trades])),
        "net_profit": net_profit,
        "net_profit_percentage": net_profit / starting_balance * 100,
        "average_win": average_win,
        "average_loss": average_loss,
        "expectancy": expectancy,
        "expectancy_percentage": expectancy / starting_balance * 100,
        "expected_net_profit_every_100_trades": expectancy / starting_balance * 100 * 100,
        "average_holding_period": mean([trade[3] for trade in trades]),
        "average_winning_holding_period": mean([trade[3] for trade in wins]),
        "average_losing_holding_period": mean([trade[3] for trade in losses]),
        "gross_profit": float(np.sum([trade[0] for trade in wins])),
        "gross_loss": float(np.sum([trade[0] for trade in losses])),
        "annualization": annualization,
        "total_open_trades": total_open_trades,
        "open_pl": open_pl,
        "winning_streak": longest_streak(signs, 1),
        "losing_streak": longest_streak(signs, -1),
        "largest_losing_trade": min([trade[0] for trade in losses], default=0.0),
        "largest_winning_trade": max([trade[0] for trade in wins], default=0.0),
        "current_streak": last_streak(signs),
        "avg_trades_per_day": per_day,
        "avg_trades_per_week": per_day * 7,
        "avg_trades_per_month": per_day * 30.44,
    }
    return result | balance_metrics(daily_balance, daily_time, annualization)


def balance_metrics(daily_balance, daily_time, annualization):
    names = (
        "max_drawdown max_underwater_period annual_return sharpe_ratio calmar_ratio sortino_ratio smart_sharpe "
        "smart_sortino omega_ratio serenity_index"
    ).split()
    n = len(daily_balance)
    if n < 2:
        return dict.fromkeys(names, math.nan)
    balance = np.array(daily_balance, dtype=float)
    with np.errstate(all="ignore"):
        returns = balance[1:] / balance[:-1] - 1
        known = returns[~np.isnan(returns)]
        # The unknown first return takes part in the order of the sum as a zero.
        total = np.concatenate(([0.0], np.where(np.isnan(returns), 0.0, returns))).sum()
        average = total / len(known) if len(known) else math.nan
        spread = np.sqrt(np.sum((known - average) ** 2) / (len(known) - 1)) if len(known) > 1 else np.float64(math.nan)
        downside = np.sqrt(np.sum(known[known < 0] ** 2) / n)
        penalty = autocorrelation_penalty(known)
        growth = np.cumprod(1 + known)
        # An infinite balance is no peak.
        peaks = np.maximum.accumulate(np.where(np.isfinite(growth), growth, -np.inf))
        falls = np.where(np.isfinite(peaks), growth / peaks - 1, np.nan)
        falls = falls[~np.isnan(falls)]
        drawdown = float(falls.min()) if len(falls) else math.nan
        final = growth[-1] if len(growth) else 1.0
        days = (daily_time[-1] - daily_time[0]) // DAY
        cagr = np.clip(np.float64(final), 1e-10, 1e10) ** (1 / (days / 365)) - 1 if days else 0.0
        year = math.sqrt(annualization)
        result = {
            "max_drawdown": drawdown * 100,
            "max_underwater_period": longest_underwater(daily_balance, daily_time),
            "annual_return": cagr * 100,
            "calmar_ratio": cagr / abs(drawdown) if days and drawdown != 0 else 0.0,
            "sharpe_ratio": average / spread * year,
            "smart_sharpe": average / (spread * penalty) * year,
            "omega_ratio": known[known > 0].sum() / -known[known < 0].sum() if (known < 0).any() else math.nan,
            "serenity_index": np.float64(total) / 0.0 if n >= 20 and spread > 0 else math.nan,
        }
        if downside == 0:
            result["sortino_ratio"] = result["smart_sortino"] = math.inf if average > 0 else -math.inf
        else:
            result["sortino_ratio"] = average / downside * year
            result["smart_sortino"] = average / (downside * penalty) * year
    return {name: float(value) for name, value in result.items()}


def autocorrelation_penalty(returns):
    n = len(returns)
    if n < 3:
        return math.nan
    rho = abs(np.corrcoef(returns[:-1], returns[1:])[0, 1])
    return math.sqrt(1 + 2 * sum((n - x) / n * rho**x for x in range(1, n)))


def longest_underwater(daily_balance, daily_time):
    """Whole days from the last sample at the highest balance so far to a later one that is not as high."""
    longest = 0
    peak = 0
    for k in range(1, len(daily_balance)):
        if daily_balance[k] >= daily_balance[peak]:
            peak = k
        else:
            longest = max(longest, int((daily_time[k] - daily_time[peak]) / DAY))
    return longest
