"""What many slow twins are made of: windows, sums, and averages, each stated from its definition."""

import math

NAN = math.nan
TIME, OPEN, CLOSE, HIGH, LOW, VOLUME = range(6)


def column(bars, place):
    return [bar[place] for bar in bars]


def source(bars, code):
    """The price of a code: close, high, low, open, volume, hl2, hlc3, ohlc4."""
    places = [(CLOSE,), (HIGH,), (LOW,), (OPEN,), (VOLUME,), (HIGH, LOW), (HIGH, LOW, CLOSE), (OPEN, HIGH, LOW, CLOSE)]
    chosen = places[int(code)]
    return [sum(bar[place] for place in chosen) / len(chosen) for bar in bars]


def middle(bars):
    return source(bars, 5)


def divide(a, b, without=NAN):
    """The quotient as floating point has it, or another value where there is none."""
    if b != 0:
        return a / b
    if without == without or a == 0 or a != a:
        return without
    return math.copysign(math.inf, a)


def windows(x, period, value, before=NAN):
    """A value of the last `period` values at every row."""
    return [value(x[i - period + 1 : i + 1]) if i + 1 >= period else before for i in range(len(x))]


def mean(x):
    return sum(x) / len(x)


def deviation(x):
    centre = mean(x)
    return math.sqrt(mean([(value - centre) ** 2 for value in x]))


def median(x):
    ordered, half = sorted(x), len(x) // 2
    return ordered[half] if len(x) % 2 else (ordered[half - 1] + ordered[half]) / 2


def highest(x, period, before=NAN):
    return windows(x, period, max, before)


def lowest(x, period, before=NAN):
    return windows(x, period, min, before)


def back(x, rows):
    """The values some rows before."""
    return ([NAN] * rows + x)[: len(x)]


def apart(a, b):
    return [one - other for one, other in zip(a, b, strict=True)]


def changes(x):
    """Changes to the row before; the first has none."""
    return [0.0] + [now - before for before, now in zip(x, x[1:], strict=False)]


def smoothed(x, weight):
    """Exponential average of a weight, seeded with the first value."""
    out = []
    for value in x:
        out.append(weight * value + (1 - weight) * out[-1] if out else value)
    return out


def exponential(x, period):
    return smoothed(x, 2 / (period + 1))


def true_range(bars):
    out = []
    for i, bar in enumerate(bars):
        before = bars[i - 1][CLOSE] if i else bar[HIGH]
        out.append(max(bar[HIGH] - bar[LOW], abs(bar[HIGH] - before) if i else 0, abs(bar[LOW] - before) if i else 0))
    return out


def wilder(x, period):
    """Wilder's average: the mean of the first `period` values, then a `period`-th of the way to each next one."""
    out = [NAN] * len(x)
    for i in range(period - 1, len(x)):
        out[i] = mean(x[:period]) if i == period - 1 else out[i - 1] + (x[i] - out[i - 1]) / period
    return out


def movements(bars):
    """Directional movement upwards and downwards."""
    ups, downs = [0.0], [0.0]
    for before, now in zip(bars, bars[1:], strict=False):
        up, down = now[HIGH] - before[HIGH], before[LOW] - now[LOW]
        ups.append(up if up > down and up > 0 else 0.0)
        downs.append(down if down > up and down > 0 else 0.0)
    return ups, downs


def weighted(x, weights, before=NAN):
    """Average of the last rows, the weights from the oldest to the newest."""
    total = sum(weights)
    return windows(x, len(weights), lambda w: sum(a * b for a, b in zip(w, weights, strict=True)) / total, before)


def mean_of_known(x, period):
    """Mean of those of the last `period` values that are known."""
    out = []
    for i in range(len(x)):
        known = [value for value in x[max(0, i - period + 1) : i + 1] if value == value]
        out.append(mean(known) if known and i + 1 >= period else NAN)
    return out


def line(window):
    """Intercept at the oldest row and slope of the line of least squares."""
    centre, middle_row = mean(window), (len(window) - 1) / 2
    spread = sum((j - middle_row) ** 2 for j in range(len(window)))
    joint = sum((j - middle_row) * (value - centre) for j, value in enumerate(window))
    slope = divide(joint, spread)
    return centre - slope * middle_row, slope
