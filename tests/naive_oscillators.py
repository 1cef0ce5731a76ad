"""Slow twins of the oscillators, bands and statistics of one price, or of two markets: rows of values out."""

import math

import naive_indicators as plain
from naive_averages import BY_CODE, wma
from naive_parts import (
    CLOSE,
    HIGH,
    LOW,
    NAN,
    apart,
    back,
    changes,
    column,
    deviation,
    divide,
    exponential,
    highest,
    line,
    lowest,
    mean,
    mean_of_known,
    median,
    source,
    windows,
)


def average(x, period, matype):
    return BY_CODE[matype](x, period)[0]


# --- one price ----------------------------------------------------------------------------------------------------
def mom(x, period):
    return [apart(x, back(x, period))]


def roc(x, period):
    return [[divide(100 * (a - b), b) for a, b in zip(x, back(x, period), strict=True)]]


def rocp(x, period):
    return [[each / 100 for each in roc(x, period)[0]]]


def rocr(x, period):
    return [[divide(a, b) for a, b in zip(x, back(x, period), strict=True)]]


def rocr100(x, period):
    return [[100 * each for each in rocr(x, period)[0]]]


def cmo(x, period):
    moves, out = changes(x), [NAN] * len(x)
    for i in range(period, len(x)):
        last = moves[i - period + 1 : i + 1]
        out[i] = divide(100 * sum(last), sum(abs(each) for each in last), 0.0)
    return [out]


def trix(x, period):
    values = [math.log(each) for each in x]
    for _ in range(3):
        values = exponential(values, period)
    return [[NAN] + [10_000 * each for each in changes(values)[1:]]]


def place(x, period):
    tops, bottoms = highest(x, period), lowest(x, period)
    return [divide(100 * (v - b), t - b, 0.0) if t == t else 0.0 for v, t, b in zip(x, tops, bottoms, strict=True)]


def stc(x, fast_period, slow_period, k_period, d1_period, d2_period):
    line_ = apart(exponential(x, fast_period), exponential(x, slow_period))
    once = exponential(place(line_, k_period), d1_period)
    return [[min(max(each, 0), 100) for each in exponential(place(once, k_period), d2_period)]]


def wt(x, channel, length, mean_length, oblevel, oslevel):
    centre = exponential(x, channel)
    size = exponential([abs(each) for each in apart(x, centre)], channel)
    fast = exponential([divide(a - b, 0.015 * c, 0.0) for a, b, c in zip(x, centre, size, strict=True)], length)
    slow = [mean(fast[max(0, i - mean_length + 1) : i + 1]) for i in range(len(x))]
    pairs = list(zip(fast, slow, strict=True))
    return [
        fast,
        slow,
        [float(a >= b) for a, b in pairs],
        [float(a <= b) for a, b in pairs],
        [float(b <= oslevel) for b in slow],
        [float(b >= oblevel) for b in slow],
        apart(fast, slow),
    ]


def srsi(x, period, period_stoch, k, d):
    strength = plain.rsi(x, period)[0]
    first, raw = period + period_stoch - 1, [NAN] * len(x)
    for i in range(first, len(x)):
        last = strength[i - period_stoch + 1 : i + 1]
        raw[i] = divide(100 * (strength[i] - min(last)), max(last) - min(last))
    slow = raw if k == 1 else [mean(raw[i - k + 1 : i + 1]) if i >= first + k - 1 else NAN for i in range(len(x))]
    signal = []
    for i in range(len(x)):
        known = [each for each in slow[: i + 1] if each == each][-d:]
        signal.append(mean(known) if slow[i] == slow[i] and len(known) == d else NAN)
    return [slow, signal]


def apo(x, fast_period, slow_period, matype):
    return [apart(average(x, fast_period, matype), average(x, slow_period, matype))]


def ppo(x, fast_period, slow_period, matype):
    pairs = zip(average(x, fast_period, matype), average(x, slow_period, matype), strict=True)
    return [[divide(100 * (fast - slow), slow) for fast, slow in pairs]]


def tsi(x, long_period, short_period):
    moves = changes(x)

    def twice(values):
        return exponential(exponential(values, long_period), short_period)

    return [[divide(100 * a, b, 0.0) for a, b in zip(twice(moves), twice([abs(v) for v in moves]), strict=True)]]


def dpo(x, period):
    shifted = back(x, period // 2 + 1)
    means = windows(x, period, mean)
    return [[shifted[i] - means[i] if i >= period + period // 2 else NAN for i in range(len(x))]]


def cc(x, wma_period, roc_short_period, roc_long_period):
    total = [a + b for a, b in zip(roc(x, roc_long_period)[0], roc(x, roc_short_period)[0], strict=True)]
    return wma(total, wma_period)


def kst(x, *periods):
    means = [plain.sma(roc(x, periods[j + 4])[0], periods[j])[0] for j in range(4)]
    total = [sum((j + 1) * value for j, value in enumerate(row)) for row in zip(*means, strict=True)]
    return [total, plain.sma(total, periods[8])[0]]


def ift_rsi(x, rsi_period, wma_period):
    strength = wma([0.1 * (each - 50) for each in plain.rsi(x, rsi_period)[0]], wma_period)[0]
    return [[((2 * v) ** 2 - 1) / ((2 * v) ** 2 + 1) for v in strength]]


def _forecast(x, period, scale, without):
    out = [without] * len(x)
    for i in range(period - 1, len(x)):
        start, slope = line(x[i - period + 1 : i + 1])
        out[i] = divide(scale * (x[i] - (start + slope * (period - 1))), x[i], without)
    return [out]


def cfo(x, period, scalar):
    return _forecast(x, period, scalar, NAN)


def fosc(x, period):
    return _forecast(x, period, 100, 0.0)


def cg(x, period):
    out = [NAN] * len(x)
    for i in range(period + 1, len(x)):
        last = [x[i - j] for j in range(period - 1)]
        if last:
            out[i] = divide(-sum((1 + j) * v for j, v in enumerate(last)), sum(last), 0.0)
    return [out]


def gatorosc(x):
    jaw, teeth, lips = (back(BY_CODE[23](x, period)[0], shift) for period, shift in ((13, 8), (8, 5), (5, 3)))
    upper = [abs(a - b) for a, b in zip(jaw, teeth, strict=True)]
    lower = [-abs(a - b) for a, b in zip(teeth, lips, strict=True)]
    return [upper, lower, [NAN] + changes(upper)[1:], [NAN] + [-each for each in changes(lower)[1:]]]


def rsx(x, period):
    alpha, needed, out = 3 / (period + 2), max(period - 1, 5), [NAN] * len(x)
    levels = [[0.0, 0.0] for _ in range(6)]
    seen, moved, last = 0, False, 0.0

    def through(value, pair):
        pair[0] = (1 - alpha) * pair[0] + alpha * value
        pair[1] = alpha * pair[0] + (1 - alpha) * pair[1]
        return 1.5 * pair[0] - 0.5 * pair[1]

    for i in range(period, len(x)):
        now, change, size = 100 * x[i], 0.0, 0.0
        if seen == 0:
            seen, moved = 1, False
        else:
            seen = seen + 1 if needed > seen else needed + 1
            change = now - last
            size = abs(change)
            for j in range(3):
                change = through(change, levels[j])
            for j in range(3, 6):
                size = through(size, levels[j])
            moved = moved or (needed >= seen and now != last)
            seen = 0 if needed == seen and not moved else seen
        last = now
        out[i] = min(max((change / size + 1) * 50, 0), 100) if needed < seen and size > 1e-10 else 50.0
    return [out]


def rvi(x, period, ma_len, matype, devtype):
    if devtype == 0:
        sizes = windows(x, period, deviation)
    else:
        sizes = (mean_ad if devtype == 1 else median_ad)(x, period)[0]
    sizes = [0.0 if each != each else each for each in sizes]
    ups = [0.0 if i and x[i] <= x[i - 1] else sizes[i] for i in range(len(x))]
    downs = [0.0 if i and x[i] > x[i - 1] else sizes[i] for i in range(len(x))]
    pairs = zip(average(ups, ma_len, matype), average(downs, ma_len, matype), strict=True)
    return [[divide(100 * up, up + down, 50.0) for up, down in pairs]]


def pfe(x, period, smoothing):
    order, bend, values = period - 1, list(x), []
    for _ in range(order):
        bend = changes(bend)
    for i in range(len(x)):
        if i < order:
            values.append(-0.0)
            continue
        path = sum(math.sqrt(1 + (x[j] - x[j - 1]) ** 2) for j in range(i - order + 1, i + 1))
        values.append(math.copysign(100 * math.hypot(bend[i], period) / path, 1 if bend[i] > 0 else -1))
    return [exponential(values, smoothing)]


def er(x, period):
    if len(x) <= period:
        return [[NAN] * len(x)]
    moves = [abs(each) for each in changes(x)[1:]]
    path = sum(sum(moves[i : i + period]) for i in range(len(moves) - period + 1))
    bend = list(x)
    for _ in range(period):
        bend = [b - a for a, b in zip(bend, bend[1:], strict=False)]
    return [[NAN] * period + [divide(abs(each), path) for each in bend]]


def rsmk(bars, lookback, period, signal_period, code):
    ours, theirs = source([bar[:6] for bar in bars], code), source([bar[6:] for bar in bars], code)
    ratios = [math.log(a / b) for a, b in zip(ours, theirs, strict=True)]
    change = apart(ratios, back(ratios, lookback))

    def follow(values, length):
        first = next((i for i, value in enumerate(values) if value == value), len(values))
        return [NAN] * first + exponential(values[first:], max(1, length))

    strength = [100 * each for each in follow(change, period)]
    return [strength, follow(strength, signal_period)]


# --- statistics of a window ---------------------------------------------------------------------------------------
def stddev(x, period, nbdev):
    return [[nbdev * each for each in windows(x, period, deviation)]]


def var(x, period, nbdev):
    return [windows(x, period, lambda w: nbdev * deviation(w) ** 2)]


def mean_ad(x, period):
    distances = [abs(a - b) for a, b in zip(x, windows(x, period, mean), strict=True)]
    return [mean_of_known(distances, period)]


def median_ad(x, period):
    return [windows(x, period, lambda w: median([abs(each - median(w)) for each in w]))]


def zscore(x, period, matype, nbdev, devtype):
    sizes = windows(x, period, deviation) if devtype == 0 else (mean_ad if devtype == 1 else median_ad)(x, period)[0]
    rows = zip(x, average(x, period, matype), sizes, strict=True)
    return [[divide(value - centre, nbdev * size) for value, centre, size in rows]]


def _moment(window, power):
    centre = mean(window)
    return mean([(each - centre) ** power for each in window])


def skew(x, period):
    return [windows(x, period, lambda w: divide(_moment(w, 3), _moment(w, 2) ** 1.5))]


def kurtosis(x, period):
    return [windows(x, period, lambda w: divide(_moment(w, 4), _moment(w, 2) ** 2) - 3)]


def linearreg_slope(x, period):
    return [windows(x, period, lambda w: line(w)[1])]


def linearreg_intercept(x, period):
    return [windows(x, period, lambda w: line(w)[0])]


def linearreg_angle(x, period):
    return [[math.degrees(math.atan(each)) for each in linearreg_slope(x, period)[0]]]


def tsf(x, period):
    return [windows(x, period, lambda w: line(w)[0] + line(w)[1] * period)]


def midpoint(x, period):
    return [[(a + b) / 2 for a, b in zip(highest(x, period), lowest(x, period), strict=True)]]


def ui(x, period, scalar):
    falls = [(scalar * (a - b) / b) ** 2 for a, b in zip(x, highest(x, period), strict=True)]
    return [[math.sqrt(each) if each == each else NAN for each in windows(falls, period, mean)]]


def bollinger_bands(x, period, devup, devdn, matype, devtype):
    if (matype, devtype) == (0, 0):
        return plain.bollinger_bands(x, period, devup, devdn, 0, 0)
    sizes = windows(x, period, deviation) if devtype == 0 else (mean_ad if devtype == 1 else median_ad)(x, period)[0]
    middles = average(x, period, matype)
    return [
        [a + devup * b for a, b in zip(middles, sizes, strict=True)],
        middles,
        [a - devdn * b for a, b in zip(middles, sizes, strict=True)],
    ]


def bollinger_bands_width(x, period, mult):
    return [windows(x, period, lambda w: divide(2 * mult * deviation(w), mean(w)))]


def beta(bars, period):
    ours, theirs, out = column(bars, CLOSE), column(bars, 6 + CLOSE), [NAN] * len(bars)
    for i in range(period - 1, len(bars)):
        a, b = ours[i - period + 1 : i + 1], theirs[i - period + 1 : i + 1]
        joint = sum((p - mean(a)) * (q - mean(b)) for p, q in zip(a, b, strict=True))
        out[i] = divide(joint, sum((q - mean(b)) ** 2 for q in b))
    return [out]


def correl(bars, period):
    out = [NAN] * len(bars)
    for i in range(period - 1, len(bars)):
        a, b = (column(bars[i - period + 1 : i + 1], place_) for place_ in (HIGH, LOW))
        joint = sum((p - mean(a)) * (q - mean(b)) for p, q in zip(a, b, strict=True))
        out[i] = divide(joint, period * deviation(a) * deviation(b))
    return [out]


def mab(x, fast_period, slow_period, devup, devdn, fast_matype, slow_matype):
    fast, slow = average(x, fast_period, fast_matype), average(x, slow_period, slow_matype)
    width = math.sqrt(sum((a - b) ** 2 for a, b in list(zip(fast, slow, strict=True))[-fast_period:]) / fast_period)
    return [[each + devup * width for each in slow], fast, [each - devdn * width for each in slow]]


def vlma(x, min_period, max_period, matype, devtype):
    centres = average(x, max_period, matype)
    if devtype == 0:
        sizes = [deviation(x[max(0, i - max_period + 1) : i + 1]) for i in range(len(x))]
    else:
        sizes = (mean_ad if devtype == 1 else median_ad)(x, max_period)[0]
    length, out = max_period, [x[0]]
    for value, centre, size in list(zip(x, centres, sizes, strict=True))[1:]:
        if centre - 0.25 * size <= value <= centre + 0.25 * size:
            length += 1
        elif value < centre - 1.75 * size or value > centre + 1.75 * size:
            length -= 1
        length = min(max(length, min_period), max_period)
        out.append(out[-1] + 2 / (length + 1) * (value - out[-1]))
    return [out]


def hull_suit(x, mode, length, mult):
    n = int(length * mult)

    def follow(values, period):
        return (plain.ema if mode == 1 else wma)(values, int(period))[0]

    if mode == 2:
        parts = zip(follow(x, n / 6), follow(x, n / 4), follow(x, n / 2), strict=True)
        hull = follow([3 * a - b - c for a, b, c in parts], n / 2)
    else:
        parts = zip(follow(x, n / 2), follow(x, n), strict=True)
        hull = follow([2 * a - b for a, b in parts], round(math.sqrt(n)))
    before = back(hull, 2)
    rows = [[NAN] * 3 if i < 2 else [b, a, float(b < a)] for i, (a, b) in enumerate(zip(hull, before, strict=True))]
    return [list(each) for each in zip(*rows, strict=True)]


def stiffness(x, ma_length, stiff_length, stiff_smooth):
    floors = [a - 0.2 * b for a, b in zip(windows(x, ma_length, mean), windows(x, ma_length, deviation), strict=True)]
    above = [float(a > b) for a, b in zip(x, floors, strict=True)]
    shares = windows(above, stiff_length, lambda w: 100 * mean(w), 0.0)
    # Known one row later than it could be, as in Jesse.
    shares[:stiff_length] = [0.0] * len(shares[:stiff_length])
    return plain.ema(shares, stiff_smooth)


def waddah_attar_explosion(x, sensitivity, fast_length, slow_length, channel_length, mult):
    line_ = apart(exponential(x, fast_length), exponential(x, slow_length))
    power = [NAN] + [sensitivity * each for each in changes(line_)[1:]]
    width = [2 * mult * each for each in windows(x, channel_length, deviation)]
    return [width, power, [1.0 if each >= 0 else -1.0 for each in power]]


def hurst_exponent(x, least, most, number, method):
    """Of methods 0 and 2, at the last row; method 1 is SciPy's filter and LAPACK's line."""
    moves = changes(x)[1:]
    if method == 2:
        path = [sum(moves[: i + 1]) for i in range(len(moves))]
        near = [path[i] - 2 * path[i - 1] + path[i - 2] for i in range(2, len(path))]
        far = [path[i] - 2 * path[i - 2] + path[i - 4] for i in range(4, len(path))]
        if not far:
            return [[NAN] * len(x)]
        ratio = divide(mean([v * v for v in far]), mean([v * v for v in near]))
        return [[NAN] * (len(x) - 1) + [0.5 * math.log2(ratio) if ratio > 0 else NAN]]
    step, points = (most + 1 - least) / (number - 1) if number > 1 else 1, []
    for j in range(number):
        size = int(least + j * step)
        pieces = [moves[k * size : (k + 1) * size] for k in range(len(moves) // size)]
        ratios = []
        for piece in pieces:
            path = [sum(piece[: i + 1]) - (i + 1) * mean(piece) for i in range(size)]
            if deviation(piece) > 0:
                ratios.append((max(path) - min(path)) / deviation(piece))
        points.append((math.log(size), math.log(mean(ratios)) if ratios else 0.0))
    across = mean([a for a, _ in points])
    spread = sum((a - across) ** 2 for a, _ in points)
    return [[NAN] * (len(x) - 1) + [divide(sum((a - across) * b for a, b in points), spread)]]


def alligator(x):
    lines = []
    for period, shift in ((13, 8), (8, 5), (5, 3)):
        out = [NAN] * len(x)
        if len(x) >= 13:
            value = mean(x[:period])
            out[period - 1] = value
            for i in range(13, len(x)):
                value += (x[i] - value) / period
                out[i] = value
        lines.append(back(out, shift))
    return lines


TWINS = {
    each.__name__: each
    for each in (
        mom, roc, rocp, rocr, rocr100, cmo, trix, stc, wt, srsi, apo, ppo, tsi, dpo, cc, kst, ift_rsi, cfo,
        fosc, cg, gatorosc, rsx, rvi, pfe, er, rsmk, stddev, var, mean_ad, median_ad, zscore, skew,
        kurtosis, linearreg_slope, linearreg_intercept, linearreg_angle, tsf, midpoint, ui, bollinger_bands,
        bollinger_bands_width, beta, correl, mab, vlma, hull_suit, stiffness, waddah_attar_explosion,
        hurst_exponent, alligator,
    )
}  # fmt: skip
