# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg,var-annotated"
"""Metrics of the balances of eight runs at once, each a lane of a vector register: to the bits of each alone."""

import math

import numpy as np

from fastbt._jit import apart, jit_disabled, kernel
from fastbt.indicators._in_lanes import WIDTH
from fastbt.indicators._lanes import (
    lane_of,
    lanes_both,
    lanes_either,
    lanes_everywhere,
    lanes_in,
    lanes_not,
    lanes_put,
    lanes_taken,
    lanes_where,
)
from fastbt.metrics._kernels import _NEGLIGIBLE, _balance_metrics, _write_balance_metrics


def _balances_of_eight_in_python(daily, rows, n_rows, daily_time, annualization, metrics):
    """Write what follows from the balances of up to eight runs, each a row of `daily`, into their rows of `metrics`."""
    for i in rows[:n_rows]:
        if daily.shape[1] >= 2:
            _balance_metrics(daily[i], daily_time, annualization, metrics[i])


@kernel
def _sum_block(rows, start, count):
    """Return the sum of at most 128 rows as numpy adds them: see `fastbt.data._kernels`."""
    if count < 8:
        total = lanes_everywhere(0.0)
        for at in range(start, start + count):
            total = total + lanes_taken(rows, at)
        return total
    r0 = lanes_taken(rows, start)
    r1 = lanes_taken(rows, start + 1)
    r2 = lanes_taken(rows, start + 2)
    r3 = lanes_taken(rows, start + 3)
    r4 = lanes_taken(rows, start + 4)
    r5 = lanes_taken(rows, start + 5)
    r6 = lanes_taken(rows, start + 6)
    r7 = lanes_taken(rows, start + 7)
    whole = count - count % 8
    for at in range(start + 8, start + whole, 8):
        r0 = r0 + lanes_taken(rows, at)
        r1 = r1 + lanes_taken(rows, at + 1)
        r2 = r2 + lanes_taken(rows, at + 2)
        r3 = r3 + lanes_taken(rows, at + 3)
        r4 = r4 + lanes_taken(rows, at + 4)
        r5 = r5 + lanes_taken(rows, at + 5)
        r6 = r6 + lanes_taken(rows, at + 6)
        r7 = r7 + lanes_taken(rows, at + 7)
    total = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7))
    for at in range(start + whole, start + count):
        total = total + lanes_taken(rows, at)
    return total


@kernel
def _sum_tree(rows, start, count):
    """Return the sum of any number of rows by numpy's pairwise splitting."""
    if count <= 128:
        return _sum_block(rows, start, count)
    half = count // 2
    half -= half % 8
    return _sum_tree(rows, start, half) + _sum_tree(rows, start + half, count - half)


@kernel
def _standard_deviation(returns, n_returns, mean):
    """Return the sample standard deviation of the returns from row 1 on: see `_kernels._standard_deviation`."""
    if n_returns < 2:
        return lanes_everywhere(math.nan)
    a = lanes_everywhere(0.0)
    b = lanes_everywhere(0.0)
    c = lanes_everywhere(0.0)
    d = lanes_everywhere(0.0)
    k = 1
    while k + 3 <= n_returns:
        da = lanes_taken(returns, k) - mean
        db = lanes_taken(returns, k + 1) - mean
        dc = lanes_taken(returns, k + 2) - mean
        dd = lanes_taken(returns, k + 3) - mean
        a = a + da * da
        b = b + db * db
        c = c + dc * dc
        d = d + dd * dd
        k += 4
    while k <= n_returns:
        da = lanes_taken(returns, k) - mean
        a = a + da * da
        k += 1
    return np.sqrt(((a + b) + (c + d)) / float(n_returns - 1))


@kernel
def _autocorrelation_penalty(returns, n_returns):
    """Return the penalty of `_kernels._autocorrelation_penalty`."""
    if n_returns < 3:
        return lanes_everywhere(math.nan)
    pairs = n_returns - 1
    mean_x = _sum_tree(returns, 1, pairs) / float(pairs)
    mean_y = _sum_tree(returns, 2, pairs) / float(pairs)
    xx = lanes_everywhere(0.0)
    yy = lanes_everywhere(0.0)
    xy = lanes_everywhere(0.0)
    here = lanes_taken(returns, 1)
    for k in range(1, n_returns):
        later = lanes_taken(returns, k + 1)
        dx = here - mean_x
        dy = later - mean_y
        here = later
        xx = xx + dx * dx
        yy = yy + dy * dy
        xy = xy + dx * dy
    rho = abs(xy / np.sqrt(xx) / np.sqrt(yy))
    rho = lanes_where(rho > 1.0, 1.0, rho)
    total = lanes_everywhere(0.0)
    power = lanes_everywhere(1.0)
    least = lanes_everywhere(_NEGLIGIBLE)
    for x in range(1, n_returns):
        power = power * rho
        is_small = power < least
        total = lanes_where(is_small, total, total + (n_returns - x) / n_returns * power)
        if _count(is_small) == WIDTH:
            break
    return np.sqrt(1.0 + 2.0 * total)


@kernel
def _count(truths):
    """Return for how many something holds."""
    ones = lanes_where(truths, 1.0, 0.0)
    n = 0.0
    for j in range(WIDTH):
        n += lane_of(ones, j)
    return n


@apart
def _balances_of_eight(daily, rows, n_rows, daily_time, annualization, metrics):
    """Write what follows from the balances of up to eight runs, each a row of `daily`, into their rows of `metrics`."""
    n = daily.shape[1]
    if n_rows < WIDTH or n < 2:
        for at in range(n_rows):
            if n >= 2:
                _balance_metrics(daily[rows[at]], daily_time, annualization, metrics[rows[at]])
        return
    balances = np.empty(n * WIDTH)
    returns = np.empty(n * WIDTH)
    arrays = (
        daily[rows[0]],
        daily[rows[1]],
        daily[rows[2]],
        daily[rows[3]],
        daily[rows[4]],
        daily[rows[5]],
        daily[rows[6]],
        daily[rows[7]],
    )
    lanes_in(balances, n, arrays, (0, 0, 0, 0, 0, 0, 0, 0))
    nothing = lanes_everywhere(0.0)
    lanes_put(returns, 0, nothing)
    growth = lanes_everywhere(1.0)
    peak = lanes_everywhere(-math.inf)
    drawdown = lanes_everywhere(math.inf)
    gains = pains = squares = longest = nothing
    before = top = lanes_taken(balances, 0)
    top_time = lanes_everywhere(float(daily_time[0]))
    is_unknown = nothing != nothing
    for k in range(1, n):
        balance = lanes_taken(balances, k)
        r = balance / before - 1.0
        before = balance
        is_unknown = lanes_either(is_unknown, np.isnan(r))
        lanes_put(returns, k, r)
        gains = gains + lanes_where(r > 0.0, r, nothing)
        pain = lanes_where(r < 0.0, -r, nothing)
        pains = pains + pain
        squares = squares + pain * pain
        growth = growth * (1.0 + r)
        peak = lanes_where(lanes_both(growth > peak, growth != math.inf), growth, peak)
        fall = growth / peak - 1.0
        drawdown = lanes_where(fall < drawdown, fall, drawdown)
        is_top = balance >= top
        now = lanes_everywhere(float(daily_time[k]))
        under = now - top_time
        longest = lanes_where(lanes_both(lanes_not(is_top), under > longest), under, longest)
        top = lanes_where(is_top, balance, top)
        top_time = lanes_where(is_top, now, top_time)
    drawdown = lanes_where(drawdown == math.inf, math.nan, drawdown)
    total = _sum_tree(returns, 0, n)
    mean = total / float(n - 1)
    spread = _standard_deviation(returns, n - 1, mean)
    penalty = _autocorrelation_penalty(returns, n - 1)
    unknown = lanes_where(is_unknown, 1.0, nothing)
    for j in range(WIDTH):
        out = metrics[rows[j]]
        if lane_of(unknown, j) != 0.0:
            _balance_metrics(daily[rows[j]], daily_time, annualization, out)
            continue
        _write_balance_metrics(
            n,
            daily_time[n - 1] - daily_time[0],
            lane_of(growth, j),
            lane_of(drawdown, j),
            lane_of(longest, j),
            lane_of(gains, j),
            lane_of(pains, j),
            lane_of(squares, j),
            lane_of(total, j),
            lane_of(mean, j),
            lane_of(spread, j),
            lane_of(penalty, j),
            annualization,
            out,
        )


if jit_disabled():
    _balances_of_eight = _balances_of_eight_in_python
