"""Slow, obvious statements of what indicators compute: lists in, lists out, each value from its definition."""

import math

NAN = math.nan


def sma(x, period):
    out = [NAN] * len(x)
    total, known = 0.0, 0
    for i, value in enumerate(x):
        if i >= period and not math.isnan(x[i - period]):
            total, known = total - x[i - period], known - 1
        if not math.isnan(value):
            total, known = total + value, known + 1
        if i + 1 >= period and known:
            out[i] = total / known
    return [out]


def ema(x, period):
    if period > len(x):
        return [[NAN] * len(x)]
    alpha = 2.0 / (period + 1.0)
    out = [x[0]]
    for value in x[1:]:
        out.append(alpha * value + (1.0 - alpha) * out[-1])
    return [out]


def rsi(x, period):
    out = [NAN] * len(x)
    changes = [now - before for before, now in zip(x, x[1:], strict=False)]
    if len(changes) < period:
        return [out]
    gain = sum(change for change in changes[:period] if change > 0) / period
    loss = sum(-change for change in changes[:period] if change <= 0) / period
    for i in range(period, len(x)):
        if i > period:
            gain = (gain * (period - 1) + max(changes[i - 1], 0.0)) / period
            loss = (loss * (period - 1) + max(-changes[i - 1], 0.0)) / period
        out[i] = 100.0 if loss == 0 else 100.0 - 100.0 / (1.0 + gain / loss)
    return [out]


def true_range(bars):
    out = []
    for i, (_, _, _, high, low, _) in enumerate(bars):
        before = bars[i - 1][2] if i else None
        out.append(high - low if before is None else max(high - low, abs(high - before), abs(low - before)))
    return out


def atr(bars, period):
    out = [NAN] * len(bars)
    ranges = true_range(bars)
    for i in range(period - 1, len(bars)):
        if i == period - 1:
            out[i] = sum(ranges[:period]) / period
        else:
            out[i] = out[i - 1] + (1.0 / period) * (ranges[i] - out[i - 1])
    return [out]


def adx(bars, period):
    out = [NAN] * len(bars)
    ranges = true_range(bars)
    ups, downs = [0.0], [0.0]
    for before, now in zip(bars, bars[1:], strict=False):
        up, down = now[3] - before[3], before[4] - now[4]
        ups.append(up if up > down and up > 0 else 0.0)
        downs.append(down if down > up and down > 0 else 0.0)
    if len(bars) <= 2 * period:
        return [out]
    sums = [sum(each[1 : period + 1]) for each in (ranges, ups, downs)]
    indices = {}
    for i in range(period, len(bars)):
        if i > period:
            sums = [total - total / period + each[i] for total, each in zip(sums, (ranges, ups, downs), strict=True)]
        plus, minus = (100.0 * total / sums[0] if sums[0] else 0.0 for total in sums[1:])
        indices[i] = 100.0 * abs(plus - minus) / (plus + minus) if plus + minus else 0.0
    out[2 * period] = sum(indices[i] for i in range(period, 2 * period)) / period
    for i in range(2 * period + 1, len(bars)):
        out[i] = (out[i - 1] * (period - 1) + indices[i]) / period
    return [out]


def macd(x, fast_period, slow_period, signal_period):
    def average(values, period):
        weight = 2.0 / (period + 1.0)
        out = [values[0]]
        for value in values[1:]:
            out.append(weight * value + (1.0 - weight) * out[-1])
        return out

    line = [a - b for a, b in zip(average(x, fast_period), average(x, slow_period), strict=True)]
    signal = average(line, signal_period)
    return [line, signal, [a - b for a, b in zip(line, signal, strict=True)]]


def bollinger_bands(x, period, devup, devdn, matype, devtype):
    assert (matype, devtype) == (0, 0)
    upper, middle, lower = ([NAN] * len(x) for _ in range(3))
    total = squares = 0.0
    for i, value in enumerate(x):
        if i < period:
            total, squares = total + value, squares + value * value
        else:
            old = x[i - period]
            total, squares = total - old + value, squares - old * old + value * value
        if i + 1 >= period:
            mean = total / period
            variance = squares / period - mean * mean
            deviation = math.sqrt(variance) if variance >= 0 else NAN
            upper[i], middle[i], lower[i] = mean + devup * deviation, mean, mean - devdn * deviation
    return [upper, middle, lower]


def donchian(bars, period):
    upper, middle, lower = ([NAN] * len(bars) for _ in range(3))
    for i in range(period - 1, len(bars)):
        last = bars[i - period + 1 : i + 1]
        upper[i], lower[i] = max(bar[3] for bar in last), min(bar[4] for bar in last)
        middle[i] = (upper[i] + lower[i]) / 2
    return [upper, middle, lower]


def supertrend(bars, period, factor):
    n = len(bars)
    trend, changed = [0.0] * n, [0.0] * n
    ranges = true_range(bars)
    average = upper = lower = 0.0
    for i in range(period - 1, n):
        _, _, close, high, low, _ = bars[i]
        middle = (high + low) / 2
        if i == period - 1:
            average = sum(ranges[:period]) / period
            upper, lower = middle + factor * average, middle - factor * average
            trend[i] = upper if close <= upper else lower
            continue
        average = (average * (period - 1) + ranges[i]) / period
        before, side = bars[i - 1][2], "upper" if trend[i - 1] == upper else "lower"
        basic_upper, basic_lower = middle + factor * average, middle - factor * average
        upper = min(basic_upper, upper) if before <= upper else basic_upper
        lower = max(basic_lower, lower) if before >= lower else basic_lower
        crossed = close > upper if side == "upper" else close < lower
        if crossed:
            side, changed[i] = ("lower" if side == "upper" else "upper"), 1.0
        trend[i] = upper if side == "upper" else lower
    return [trend, changed]


def stoch(bars, fastk_period, slowk_period, _slowk_matype, slowd_period, _slowd_matype):
    def mean_of_known(values, period):
        out = [NAN] * len(values)
        for i in range(period - 1, len(values)):
            known = [value for value in values[i - period + 1 : i + 1] if not math.isnan(value)]
            if known:
                out[i] = sum(known) / len(known)
        return out

    raw = [NAN] * len(bars)
    for i in range(fastk_period - 1, len(bars)):
        last = bars[i - fastk_period + 1 : i + 1]
        highest, lowest = max(bar[3] for bar in last), min(bar[4] for bar in last)
        if highest > lowest:
            raw[i] = 100.0 * (bars[i][2] - lowest) / (highest - lowest)
    k = mean_of_known(raw, slowk_period)
    return [k, mean_of_known(k, slowd_period)]


#: Every twin by the indicator's name.
TWINS = {each.__name__: each for each in (sma, ema, rsi, atr, adx, macd, bollinger_bands, donchian, supertrend, stoch)}
