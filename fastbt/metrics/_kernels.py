# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""A run's trades and daily balance to one row of Jesse's metrics (specification 6), quirks included."""

import math

import numpy as np

from fastbt._jit import apart, kernel
from fastbt.data._kernels import _pairwise_sum
from fastbt.metrics.names import METRICS
from fastbt.types import DAY_MS

TOTAL = METRICS.index("total")
WINNING_TRADES = METRICS.index("total_winning_trades")
LOSING_TRADES = METRICS.index("total_losing_trades")
STARTING_BALANCE = METRICS.index("starting_balance")
FINISHING_BALANCE = METRICS.index("finishing_balance")
WIN_RATE = METRICS.index("win_rate")
WIN_RATE_LONGS = METRICS.index("win_rate_longs")
WIN_RATE_SHORTS = METRICS.index("win_rate_shorts")
RATIO_AVG_WIN_LOSS = METRICS.index("ratio_avg_win_loss")
LONGS_COUNT = METRICS.index("longs_count")
LONGS_PERCENTAGE = METRICS.index("longs_percentage")
SHORTS_PERCENTAGE = METRICS.index("shorts_percentage")
SHORTS_COUNT = METRICS.index("shorts_count")
FEE = METRICS.index("fee")
NET_PROFIT = METRICS.index("net_profit")
NET_PROFIT_PERCENTAGE = METRICS.index("net_profit_percentage")
AVERAGE_WIN = METRICS.index("average_win")
AVERAGE_LOSS = METRICS.index("average_loss")
EXPECTANCY = METRICS.index("expectancy")
EXPECTANCY_PERCENTAGE = METRICS.index("expectancy_percentage")
EXPECTED_NET_PROFIT = METRICS.index("expected_net_profit_every_100_trades")
HOLDING = METRICS.index("average_holding_period")
WINNING_HOLDING = METRICS.index("average_winning_holding_period")
LOSING_HOLDING = METRICS.index("average_losing_holding_period")
GROSS_PROFIT = METRICS.index("gross_profit")
GROSS_LOSS = METRICS.index("gross_loss")
MAX_DRAWDOWN = METRICS.index("max_drawdown")
MAX_UNDERWATER = METRICS.index("max_underwater_period")
ANNUAL_RETURN = METRICS.index("annual_return")
ANNUALIZATION = METRICS.index("annualization")
SHARPE = METRICS.index("sharpe_ratio")
CALMAR = METRICS.index("calmar_ratio")
SORTINO = METRICS.index("sortino_ratio")
SMART_SHARPE = METRICS.index("smart_sharpe")
SMART_SORTINO = METRICS.index("smart_sortino")
OMEGA = METRICS.index("omega_ratio")
SERENITY = METRICS.index("serenity_index")
OPEN_TRADES = METRICS.index("total_open_trades")
OPEN_PL = METRICS.index("open_pl")
WINNING_STREAK = METRICS.index("winning_streak")
LOSING_STREAK = METRICS.index("losing_streak")
LARGEST_LOSS = METRICS.index("largest_losing_trade")
LARGEST_WIN = METRICS.index("largest_winning_trade")
CURRENT_STREAK = METRICS.index("current_streak")
TRADES_PER_DAY = METRICS.index("avg_trades_per_day")
TRADES_PER_WEEK = METRICS.index("avg_trades_per_week")
TRADES_PER_MONTH = METRICS.index("avg_trades_per_month")

# Jesse clips the growth factor before raising it to the power of one over the years.
_LEAST_GROWTH = 1e-10
_MOST_GROWTH = 1e10
# Days of Jesse's year in CAGR and Calmar, whatever the annualisation.
_DAYS_PER_YEAR = 365.0
_DAYS_PER_MONTH = 30.44
# The first sample count at which Jesse's conditional value at risk averages a slice that it finds empty.
_SERENITY_SAMPLES = 20
# Terms of the autocorrelation penalty below this cannot change the sum, which is at least one.
_NEGLIGIBLE = 1e-22


@apart
def _run_metrics(
    trade_pnl,
    trade_side,
    trade_fee,
    trade_holding,
    n_trades,
    daily_balance,
    daily_time,
    starting_balance,
    finishing_balance,
    started_at,
    finished_at,
    total_open_trades,
    open_pl,
    annualization,
    out,
):
    """Write the metrics of one run, in the order of METRICS; without a trade all but four are NaN, as in Jesse."""
    _begin_metrics(
        trade_pnl,
        trade_side,
        trade_fee,
        trade_holding,
        n_trades,
        starting_balance,
        finishing_balance,
        started_at,
        finished_at,
        total_open_trades,
        open_pl,
        annualization,
        out,
    )
    if n_trades > 0 and len(daily_balance) >= 2:
        _balance_metrics(daily_balance, daily_time, annualization, out)


@apart
def _begin_metrics(
    trade_pnl,
    trade_side,
    trade_fee,
    trade_holding,
    n_trades,
    starting_balance,
    finishing_balance,
    started_at,
    finished_at,
    total_open_trades,
    open_pl,
    annualization,
    out,
):
    """Write the metrics of one run but for those of its balance, which are NaN."""
    out[:] = math.nan
    out[ANNUALIZATION] = annualization
    if n_trades == 0:
        out[TOTAL] = 0.0
        out[WIN_RATE] = 0.0
        out[NET_PROFIT_PERCENTAGE] = 0.0
        return
    out[STARTING_BALANCE] = starting_balance
    out[FINISHING_BALANCE] = finishing_balance
    out[OPEN_TRADES] = total_open_trades
    out[OPEN_PL] = open_pl
    days = (finished_at - started_at) / DAY_MS
    per_day = n_trades / days if days > 0.0 else 0.0
    out[TRADES_PER_DAY] = per_day
    out[TRADES_PER_WEEK] = per_day * 7.0
    out[TRADES_PER_MONTH] = per_day * _DAYS_PER_MONTH
    _trade_metrics(trade_pnl, trade_side, trade_fee, trade_holding, n_trades, starting_balance, out)


@kernel
def _trade_metrics(trade_pnl, trade_side, trade_fee, trade_holding, n_trades, starting_balance, out):
    """Write what follows from the closed trades; a profit of zero is neither won nor lost."""
    wins, losses, longs, long_wins, long_losses = _count_trades(trade_pnl, trade_side, n_trades)
    gross_profit = gross_loss = winning_holding = losing_holding = largest_win = largest_loss = 0.0
    won_in_a_row = lost_in_a_row = most_wins = most_losses = 0
    # Without a branch: who guesses which trade was won is often wrong, and then waits longer than all this takes.
    for at in range(n_trades):
        i = np.uint64(at)
        pnl = trade_pnl[i]
        holding = trade_holding[i]
        is_win = pnl > 0.0
        is_loss = pnl < 0.0
        win = pnl if is_win else 0.0
        loss = pnl if is_loss else 0.0
        gross_profit += win
        gross_loss += loss
        winning_holding += holding if is_win else 0.0
        losing_holding += holding if is_loss else 0.0
        largest_win = win if win > largest_win else largest_win
        largest_loss = loss if loss < largest_loss else largest_loss
        won_in_a_row = won_in_a_row + 1 if is_win else 0
        lost_in_a_row = lost_in_a_row + 1 if is_loss else 0
        most_wins = max(most_wins, won_in_a_row)
        most_losses = max(most_losses, lost_in_a_row)
    shorts = n_trades - longs
    decided = wins + losses
    long_decided = long_wins + long_losses
    short_decided = decided - long_decided

    out[TOTAL] = n_trades
    out[WINNING_TRADES] = wins
    out[LOSING_TRADES] = losses
    win_rate = wins / decided if wins > 0 else 0.0
    out[WIN_RATE] = win_rate
    out[WIN_RATE_LONGS] = long_wins / long_decided if long_decided > 0 else 0.0
    out[WIN_RATE_SHORTS] = (wins - long_wins) / short_decided if short_decided > 0 else 0.0
    out[LONGS_COUNT] = longs
    out[SHORTS_COUNT] = shorts
    longs_percentage = longs / n_trades * 100.0
    out[LONGS_PERCENTAGE] = longs_percentage
    out[SHORTS_PERCENTAGE] = 100.0 - longs_percentage

    # Profits cancel, so the order of this sum shows: it is Jesse's.
    net_profit = _pairwise_sum(trade_pnl, 0, n_trades)
    out[NET_PROFIT] = net_profit
    out[NET_PROFIT_PERCENTAGE] = net_profit / starting_balance * 100.0
    out[FEE] = _pairwise_sum(trade_fee, 0, n_trades)
    out[HOLDING] = _pairwise_sum(trade_holding, 0, n_trades) / n_trades
    out[GROSS_PROFIT] = gross_profit
    out[GROSS_LOSS] = gross_loss
    average_win = 0.0
    average_loss = 0.0
    if wins > 0:
        average_win = gross_profit / wins
        out[AVERAGE_WIN] = average_win
        out[WINNING_HOLDING] = winning_holding / wins
    if losses > 0:
        average_loss = abs(gross_loss / losses)
        out[AVERAGE_LOSS] = average_loss
        out[LOSING_HOLDING] = losing_holding / losses
    if wins > 0 and losses > 0:
        out[RATIO_AVG_WIN_LOSS] = average_win / average_loss
    expectancy = average_win * win_rate - average_loss * (1.0 - win_rate)
    out[EXPECTANCY] = expectancy
    out[EXPECTANCY_PERCENTAGE] = expectancy / starting_balance * 100.0
    out[EXPECTED_NET_PROFIT] = expectancy / starting_balance * 100.0 * 100.0
    out[LARGEST_WIN] = largest_win
    out[LARGEST_LOSS] = largest_loss
    out[WINNING_STREAK] = most_wins
    out[LOSING_STREAK] = most_losses
    out[CURRENT_STREAK] = won_in_a_row - lost_in_a_row


@kernel
def _count_trades(trade_pnl, trade_side, n_trades):
    """Return how many trades were won, lost, long, long and won, long and lost."""
    wins = losses = longs = long_wins = long_losses = np.int64(0)
    for at in range(n_trades):
        i = np.uint64(at)
        is_long = trade_side[i] > 0.0
        is_win = trade_pnl[i] > 0.0
        is_loss = trade_pnl[i] < 0.0
        wins += np.int64(is_win)
        losses += np.int64(is_loss)
        longs += np.int64(is_long)
        long_wins += np.int64(is_win & is_long)
        long_losses += np.int64(is_loss & is_long)
    return wins, losses, longs, long_wins, long_losses


@kernel
def _balance_metrics(daily_balance, daily_time, annualization, out):
    """Write what follows from two or more samples of the balance."""
    n = len(daily_balance)
    # The first row keeps the 0.0 that pandas puts for the return it cannot know: it takes part in the order of the sum.
    returns = np.empty(n)
    n_returns, growth, drawdown, gains, pains, squares = _walk_returns(daily_balance, returns)

    longest = _longest_underwater(daily_balance, daily_time)
    total = _pairwise_sum(returns, 0, n)
    mean = total / n_returns if n_returns > 0 else math.nan
    if n_returns < n - 1:
        _drop_unknown(daily_balance, returns)
    spread = _standard_deviation(returns, n_returns, mean)
    penalty = _autocorrelation_penalty(returns, n_returns)
    elapsed = daily_time[n - 1] - daily_time[0]
    _write_balance_metrics(
        n, elapsed, growth, drawdown, longest, gains, pains, squares, total, mean, spread, penalty, annualization, out
    )


@kernel
def _write_balance_metrics(
    n, elapsed, growth, drawdown, longest, gains, pains, squares, total, mean, spread, penalty, annualization, out
):
    """Write metrics of `n` samples of the balance from what was found on a walk over them."""
    # Elapsed whole days: Jesse takes the floor.
    days = math.floor(elapsed / DAY_MS)
    if days == 0:
        out[ANNUAL_RETURN] = 0.0
        out[CALMAR] = 0.0
    else:
        # A NaN must pass through the clip.
        if growth < _LEAST_GROWTH:
            growth = _LEAST_GROWTH
        elif growth > _MOST_GROWTH:
            growth = _MOST_GROWTH
        cagr = np.power(growth, 1.0 / (days / _DAYS_PER_YEAR)) - 1.0
        out[ANNUAL_RETURN] = cagr * 100.0
        out[CALMAR] = cagr / abs(drawdown) if drawdown != 0.0 else 0.0
    out[MAX_DRAWDOWN] = drawdown * 100.0
    out[MAX_UNDERWATER] = int(longest / DAY_MS)
    year = math.sqrt(annualization)
    out[SHARPE] = mean / spread * year
    out[SMART_SHARPE] = mean / (spread * penalty) * year
    # Jesse divides by the number of samples, one more than there are returns.
    downside = math.sqrt(squares / n)
    if downside == 0.0:
        out[SORTINO] = math.inf if mean > 0.0 else -math.inf
        out[SMART_SORTINO] = out[SORTINO]
    else:
        out[SORTINO] = mean / downside * year
        out[SMART_SORTINO] = mean / (downside * penalty) * year
    if pains > 0.0:
        out[OMEGA] = gains / pains
    # Jesse 3.5.3 divides the sum of returns by a risk that its NaN handling turns into 0, or into NaN for few samples.
    if n >= _SERENITY_SAMPLES and spread > 0.0 and total != 0.0:
        out[SERENITY] = math.copysign(math.inf, total)


@kernel
def _walk_returns(daily_balance, returns):
    """Fill `returns` (0.0 where unknown); return their count, growth, drawdown, gains, pains and squares of pains."""
    returns[0] = 0.0
    n_returns = 0
    growth = 1.0
    peak = -math.inf
    drawdown = math.inf
    gains = 0.0
    pains = 0.0
    squares = 0.0
    for k in range(1, len(daily_balance)):
        r = daily_balance[k] / daily_balance[k - 1] - 1.0
        if math.isnan(r):
            returns[k] = 0.0
            continue
        returns[k] = r
        n_returns += 1
        gains += max(r, 0.0)
        pain = max(-r, 0.0)
        pains += pain
        squares += pain * pain
        # Not the balance itself: the first peak is the balance after the first interval, as in Jesse.
        growth *= 1.0 + r
        # pandas leaves infinities out of a running maximum.
        if growth > peak and growth != math.inf:
            peak = growth
        fall = growth / peak - 1.0
        if fall < drawdown:
            drawdown = fall
    if drawdown == math.inf:
        drawdown = math.nan
    return n_returns, growth, drawdown, gains, pains, squares


@kernel
def _drop_unknown(daily_balance, returns):
    """Move the known returns to places 1, 2, ... of `returns`."""
    to = 1
    for k in range(1, len(daily_balance)):
        r = daily_balance[k] / daily_balance[k - 1] - 1.0
        if not math.isnan(r):
            returns[to] = r
            to += 1


@kernel
def _longest_underwater(daily_balance, daily_time):
    """Return the longest time from a peak of the balance to a later sample below it."""
    longest = 0.0
    peak = daily_balance[0]
    peak_time = daily_time[0]
    for k in range(1, len(daily_balance)):
        if daily_balance[k] >= peak:
            peak = daily_balance[k]
            peak_time = daily_time[k]
        else:
            longest = max(longest, float(daily_time[k] - peak_time))
    return longest


@kernel
def _standard_deviation(returns, n_returns, mean):
    """Return the sample standard deviation of the returns from place 1 on."""
    if n_returns < 2:
        return math.nan
    # All terms are positive: four running sums differ from one by rounding only, and do not wait for each other.
    a = 0.0
    b = 0.0
    c = 0.0
    d = 0.0
    k = 1
    while k + 3 <= n_returns:
        a += (returns[k] - mean) ** 2
        b += (returns[k + 1] - mean) ** 2
        c += (returns[k + 2] - mean) ** 2
        d += (returns[k + 3] - mean) ** 2
        k += 4
    while k <= n_returns:
        a += (returns[k] - mean) ** 2
        k += 1
    return math.sqrt(((a + b) + (c + d)) / (n_returns - 1))


@kernel
def _autocorrelation_penalty(returns, n_returns):
    """Return sqrt(1 + 2 sum of (M - x) / M * rho**x), rho the size of the correlation of neighbouring returns."""
    if n_returns < 3:
        return math.nan
    pairs = n_returns - 1
    mean_x = _pairwise_sum(returns, 1, pairs) / pairs
    mean_y = _pairwise_sum(returns, 2, pairs) / pairs
    xx = 0.0
    yy = 0.0
    xy = 0.0
    for at in range(1, n_returns):
        k = np.uint64(at)
        dx = returns[k] - mean_x
        dy = returns[k + np.uint64(1)] - mean_y
        xx += dx * dx
        yy += dy * dy
        xy += dx * dy
    # Constant returns have no correlation: 0 / 0 is NaN, here and in what follows.
    rho = abs(xy / math.sqrt(xx) / math.sqrt(yy))
    if rho > 1.0:
        rho = 1.0
    total = 0.0
    power = 1.0
    for x in range(1, n_returns):
        power *= rho
        if power < _NEGLIGIBLE:
            break
        total += (n_returns - x) / n_returns * power
    return math.sqrt(1.0 + 2.0 * total)
