"""Slow twins of what is read off bars: prices, ranges, trends, volume, stops. Bars in, rows of values out."""

import math

import naive_indicators as plain
from naive_averages import vwma
from naive_oscillators import average, mean_ad, median_ad
from naive_parts import (
    CLOSE,
    HIGH,
    LOW,
    NAN,
    OPEN,
    VOLUME,
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
    middle,
    movements,
    source,
    true_range,
    wilder,
    windows,
)


# --- prices and ranges --------------------------------------------------------------------------------------------
def avgprice(bars):
    return [source(bars, 7)]


def medprice(bars):
    return [middle(bars)]


def typprice(bars):
    return [source(bars, 6)]


def wclprice(bars):
    return [[(bar[HIGH] + bar[LOW] + 2 * bar[CLOSE]) / 4 for bar in bars]]


def bop(bars):
    return [[divide(bar[CLOSE] - bar[OPEN], bar[HIGH] - bar[LOW], 0.0) for bar in bars]]


def qstick(bars, period):
    return [windows([bar[CLOSE] - bar[OPEN] for bar in bars], period, mean, 0.0)]


def heikin_ashi_candles(bars):
    rows = [[NAN] * 4]
    for before, bar in zip(bars, bars[1:], strict=False):
        opening, close = (before[OPEN] + before[CLOSE]) / 2, source([bar], 7)[0]
        rows.append([opening, close, max(bar[HIGH], opening, close), min(bar[LOW], opening, close)])
    return [list(each) for each in zip(*rows, strict=True)]


def trange(bars):
    return [true_range(bars)]


def natr(bars, period):
    return [[divide(100 * a, bar[CLOSE]) for a, bar in zip(wilder(true_range(bars), period), bars, strict=True)]]


def midprice(bars, period):
    tops, bottoms = highest(column(bars, HIGH), period), lowest(column(bars, LOW), period)
    return [[(a + b) / 2 for a, b in zip(tops, bottoms, strict=True)]]


def chop(bars, period, scalar, drift):
    ranges = true_range(bars)
    ranges = [0.0 if each != each else each for each in (wilder(ranges, drift) if drift > 1 else ranges)]
    out = [NAN] * len(bars)
    for i in range(period - 1, len(bars)):
        last = bars[i - period + 1 : i + 1]
        span, path = max(column(last, HIGH)) - min(column(last, LOW)), sum(ranges[i - period + 1 : i + 1])
        if span > 0 and path > 0 and period > 1:
            out[i] = scalar * math.log10(path / span) / math.log10(period)
    return [out]


def mass(bars, period):
    once = exponential([bar[HIGH] - bar[LOW] for bar in bars], 9)
    ratios = [divide(a, b, 0.0) for a, b in zip(once, exponential(once, 9), strict=True)]
    return [windows(ratios, period, sum, 0.0)]


def cvi(bars, period):
    values = exponential([bar[HIGH] - bar[LOW] for bar in bars], period)
    rows = zip(values, back(values, period), strict=True)
    return [[divide(100 * (a - b), b, 0.0) if b == b else NAN for a, b in rows]]


def pivot(bars, mode):
    rows = []
    for _, o, c, h, low, _ in bars:
        span, p = h - low, (h + low + c) / 3
        r, s = [NAN] * 5, [NAN] * 5
        if mode == 0:
            r[1], r[2], s[1], s[2] = 2 * p - low, p + span, 2 * p - h, p - span
        elif mode == 1:
            for j, share in ((1, 0.382), (2, 0.618), (3, 1)):
                r[j], s[j] = p + share * span, p - share * span
        elif mode == 2:
            total = h + low + c + (low if c < o else h if c > o else c)
            p, r[1], s[1] = total / 4, total / 2 - low, total / 2 - h
        elif mode == 3:
            for j, share in ((1, 0.0916), (2, 0.183), (3, 0.275), (4, 0.55)):
                r[j], s[j] = c + share * span, c - share * span
        elif mode == 4:
            p = (h + low + 2 * o) / 4
            r[1:], s[1:] = [2 * p - low, p + span, h + 2 * (p - low)], [2 * p - h, p - span, low - 2 * (h - p)]
            r.append(r[3] + span)
            s.append(s[3] - span)
        else:
            p = NAN
        rows.append([r[4], r[3], r[2], r[1], p, s[1], s[2], s[3], s[4]])
    return [list(each) for each in zip(*rows, strict=True)]


# --- bars ---------------------------------------------------------------------------------------------------------
def cci(bars, period):
    def value(w):
        return divide(w[-1] - mean(w), 0.015 * mean([abs(each - mean(w)) for each in w]), 0.0)

    return [windows(source(bars, 6), period, value)]


def willr(bars, period):
    tops, bottoms = highest(column(bars, HIGH), period), lowest(column(bars, LOW), period)
    rows = zip(tops, bottoms, bars, strict=True)
    return [[divide(-100 * (t - bar[CLOSE]), t - b, 0.0) if t == t else NAN for t, b, bar in rows]]


def stochf(bars, fastk_period, fastd_period, _matype):
    tops, bottoms = highest(column(bars, HIGH), fastk_period), lowest(column(bars, LOW), fastk_period)
    rows = zip(tops, bottoms, bars, strict=True)
    k = [divide(100 * (bar[CLOSE] - b), t - b, 50.0) if t == t else NAN for t, b, bar in rows]
    return [k, mean_of_known(k, fastd_period)]


def kdj(bars, fastk_period, slowk_period, slowk_matype, slowd_period, slowd_matype):
    raw = []
    for i, bar in enumerate(bars):
        last = bars[max(0, i - fastk_period + 1) : i + 1]
        bottom, top = min(column(last, LOW)), max(column(last, HIGH))
        raw.append(divide(100 * (bar[CLOSE] - bottom), top - bottom))
    k = average(raw, slowk_period, slowk_matype)
    d = average(k, slowd_period, slowd_matype)
    return [k, d, [3 * a - 2 * b for a, b in zip(k, d, strict=True)]]


def ao(bars):
    osc = apart(plain.sma(middle(bars), 5)[0], plain.sma(middle(bars), 34)[0])
    return [osc, [NAN] + changes(osc)[1:]]


def acosc(bars):
    osc = apart(windows(middle(bars), 5, mean), windows(middle(bars), 34, mean))
    change = apart(osc, windows(osc, 5, mean))
    return [change, [NAN] + changes(change)[1:]]


def aroon(bars, period):
    down, up = [NAN] * len(bars), [NAN] * len(bars)
    for i in range(period, len(bars)):
        lows, highs = (column(bars[i - period : i + 1], place_) for place_ in (LOW, HIGH))
        down[i], up[i] = 100 * lows.index(min(lows)) / period, 100 * highs.index(max(highs)) / period
    return [down, up]


def aroonosc(bars, period):
    out = [NAN] * len(bars)
    for i in range(period - 1, len(bars)):
        lows, highs = (column(bars[i - period + 1 : i + 1], place_) for place_ in (LOW, HIGH))
        out[i] = 100 * (highs.index(max(highs)) - lows.index(min(lows))) / period
    return [out]


def ultosc(bars, *periods):
    floors = [bar[LOW] if i == 0 else min(bar[LOW], bars[i - 1][CLOSE]) for i, bar in enumerate(bars)]
    tops = [bar[HIGH] if i == 0 else max(bar[HIGH], bars[i - 1][CLOSE]) for i, bar in enumerate(bars)]
    pressure = [0.0] + apart(column(bars, CLOSE), floors)[1:]
    shares = []
    for period in periods:
        parts, wholes = (windows(each, period, sum) for each in (pressure, apart(tops, floors)))
        shares.append([divide(a, b) if b == b else NAN for a, b in zip(parts, wholes, strict=True)])
    return [[100 * (4 * a + 2 * b + c) / 7 for a, b, c in zip(*shares, strict=True)]]


def vi(bars, period):
    ups = [0.0] + [abs(now[HIGH] - before[LOW]) for before, now in zip(bars, bars[1:], strict=False)]
    downs = [0.0] + [abs(now[LOW] - before[HIGH]) for before, now in zip(bars, bars[1:], strict=False)]
    out, ranges = [], windows(true_range(bars), period, sum)
    for moves in (ups, downs):
        rows = enumerate(zip(windows(moves, period, sum), ranges, strict=True))
        # Without any range there is no answer, however far the highs are from the lows.
        out.append([a / b if i >= period and b else NAN for i, (a, b) in rows])
    return out


def dti(bars, *periods):
    if len(bars) <= max(periods):
        return [[NAN] * len(bars)]
    moves = [0.0]
    for before, now in zip(bars, bars[1:], strict=False):
        moves.append(max(now[HIGH] - before[HIGH], 0) - max(before[LOW] - now[LOW], 0))
    sizes = [abs(each) for each in moves]
    for period in periods:
        moves, sizes = exponential(moves, period), exponential(sizes, period)
    return [[divide(100 * a, b, 0.0) for a, b in zip(moves, sizes, strict=True)]]


def eri(bars, period, matype, code):
    middles = average(source(bars, code), period, matype)
    return [apart(column(bars, each), middles) for each in (HIGH, LOW)]


def fisher(bars, period):
    prices, out, place_ = middle(bars), [0.0] * len(bars), 0.0
    for i in range(period, len(bars)):
        last = prices[i - period + 1 : i + 1]
        span = max(last) - min(last)
        place_ = 0.66 * ((prices[i] - min(last)) / span - 0.5) + 0.67 * place_ if span else 0.0
        place_ = min(max(place_, -0.999), 0.999)
        out[i] = 0.5 * math.log((1 + place_) / (1 - place_)) + 0.5 * out[i - 1]
    return [out, [0.0 if i <= period else out[i - 1] for i in range(len(bars))]]


def lrsi(bars, alpha):
    prices, out = middle(bars), []
    levels = [prices[0]] * 4
    for price in prices:
        old = list(levels)
        levels[0] = alpha * price + (1 - alpha) * old[0]
        for j in range(1, 4):
            levels[j] = old[j - 1] - (1 - alpha) * levels[j - 1] + (1 - alpha) * old[j]
        steps = [a - b for a, b in zip(levels, levels[1:], strict=False)]
        out.append(divide(sum(max(each, 0) for each in steps), sum(abs(each) for each in steps), 0.0))
    return [out]


def ttm_trend(bars, period, code):
    means = windows(source(bars, code), period, mean)
    return [[float(bar[CLOSE] > centre) for bar, centre in zip(bars, means, strict=True)]]


# --- volume -------------------------------------------------------------------------------------------------------
def _flows(bars):
    out = []
    for bar in bars:
        share = divide((bar[CLOSE] - bar[LOW]) - (bar[HIGH] - bar[CLOSE]), bar[HIGH] - bar[LOW], 0.0)
        out.append(share * bar[VOLUME])
    return out


def _summed(x):
    return [sum(x[: i + 1]) for i in range(len(x))]


def ad(bars):
    return [_summed(_flows(bars))]


def adosc(bars, fast_period, slow_period):
    return [apart(exponential(ad(bars)[0], fast_period), exponential(ad(bars)[0], slow_period))]


def obv(bars):
    steps = [bars[0][VOLUME]]
    for before, now in zip(bars, bars[1:], strict=False):
        steps.append(now[VOLUME] * ((now[CLOSE] > before[CLOSE]) - (now[CLOSE] < before[CLOSE])))
    return [_summed(steps)]


def _volume_index(bars, code, sign):
    prices, out = source(bars, code), [1000.0]
    for i in range(1, len(bars)):
        moved = sign * (bars[i][VOLUME] - bars[i - 1][VOLUME]) > 0
        out.append(out[-1] * divide(prices[i], prices[i - 1]) if moved else out[-1])
    return [out]


def nvi(bars, code):
    return _volume_index(bars, code, -1)


def pvi(bars, code):
    return _volume_index(bars, code, 1)


def efi(bars, period, code):
    force = [a * bar[VOLUME] for a, bar in zip(changes(source(bars, code)), bars, strict=True)][1:]
    return [[each if i >= period else NAN for i, each in enumerate([NAN] + exponential(force, period))]]


def emv(bars, length, div):
    moves = changes(middle(bars))
    eases = [divide(div * a * (bar[HIGH] - bar[LOW]), bar[VOLUME], 0.0) for a, bar in zip(moves, bars, strict=True)]
    return [windows(eases, length, mean, 0.0)]


def kvo(bars, short_period, long_period):
    typical, force, sign, total = source(bars, 6), [], 0.0, 0.0
    spans = [bar[HIGH] - bar[LOW] for bar in bars]
    for i, bar in enumerate(bars):
        if i:
            before, sign = sign, float((typical[i] > typical[i - 1]) - (typical[i] < typical[i - 1]))
            total = total + spans[i] if sign == before else spans[i] + spans[i - 1]
        force.append(100 * bar[VOLUME] * sign * abs(2 * spans[i] / total - 1) if total else 0.0)
    return [apart(plain.ema(force, short_period)[0], plain.ema(force, long_period)[0])]


def marketfi(bars):
    return [[divide(bar[HIGH] - bar[LOW], bar[VOLUME]) for bar in bars]]


def mfi(bars, period):
    typical, out = source(bars, 6), [NAN] * len(bars)
    # Of fewer rows than the period, Jesse knows the last value: of all rows.
    for i in range(min(period, len(bars)) - 1, len(bars)):
        rows = range(max(1, i - period + 1), i + 1)
        rises = sum(typical[j] * bars[j][VOLUME] for j in rows if typical[j] > typical[j - 1])
        falls = sum(typical[j] * bars[j][VOLUME] for j in rows if typical[j] < typical[j - 1])
        out[i] = 100.0 if falls == 0 else 100 * rises / (rises + falls)
    return [out]


def volume(bars, period):
    return [column(bars, VOLUME), windows(column(bars, VOLUME), period, mean)]


def vosc(bars, short_period, long_period):
    volumes = column(bars, VOLUME)
    rows = zip(plain.sma(volumes, short_period)[0], plain.sma(volumes, long_period)[0], strict=True)
    return [[divide(100 * (a - b), b) for a, b in rows]]


def vpci(bars, short_range, long_range):
    def weighted(period):
        return [
            windows([bar[CLOSE] * bar[VOLUME] for bar in bars], period, mean),
            windows(column(bars, VOLUME), period, mean),
            windows(column(bars, CLOSE), period, mean),
        ]

    (sv, s, sc), (lv, volumes, lc) = weighted(short_range), weighted(long_range)
    out = [
        (divide(a, b) - c) * divide(divide(d, e), f) * divide(e, b)
        for a, b, c, d, e, f in zip(lv, volumes, lc, sv, s, sc, strict=True)
    ]
    signal = plain.sma([a * bar[VOLUME] for a, bar in zip(out, bars, strict=True)], short_range)[0]
    return [out, [divide(a, b) for a, b in zip(signal, s, strict=True)]]


def vpt(bars, code):
    prices = source(bars, code)
    steps = [NAN] + [bars[i][VOLUME] * divide(prices[i] - prices[i - 1], prices[i - 1]) for i in range(1, len(bars))]
    return [[a + b for a, b in zip(back(steps, 1), steps, strict=True)]]


def vwmacd(bars, fast_period, slow_period, signal_period):
    value = apart(vwma(bars, fast_period, 0)[0], vwma(bars, slow_period, 0)[0])
    signal = [mean(value[max(0, i - signal_period + 1) : i + 1]) for i in range(len(bars))]
    return [value, signal, apart(value, signal)]


def wad(bars):
    steps = [0.0]
    for before, now in zip(bars, bars[1:], strict=False):
        if now[OPEN] > before[OPEN]:
            steps.append(now[OPEN] - min(now[LOW], before[OPEN]))
        elif now[OPEN] < before[OPEN]:
            steps.append(now[OPEN] - max(now[HIGH], before[OPEN]))
        else:
            steps.append(0.0)
    return [_summed(steps)]


# --- trend, bands and stops ---------------------------------------------------------------------------------------
def _wilder_sums(x, period):
    """Wilder's running sums from row 1, known from row `period` on."""
    out = [NAN] * len(x)
    for i in range(period, len(x)):
        out[i] = sum(x[1 : period + 1]) if i == period else out[i - 1] - out[i - 1] / period + x[i]
    return out


def dm(bars, period):
    return [_wilder_sums(each, period) for each in movements(bars)]


def di(bars, period):
    def smooth(x):
        out = [NAN] * len(x)
        for i in range(period, len(x)):
            out[i] = sum(x[1 : period + 1]) if i == period else (out[i - 1] * (period - 1) + x[i]) / period
        return out

    ranges = smooth(true_range(bars))
    return [
        [divide(100 * a, b, 0.0) if b == b else NAN for a, b in zip(smooth(each), ranges, strict=True)]
        for each in movements(bars)
    ]


def dx(bars, di_length, adx_smoothing):
    def from_last(x, length):
        out, value = [], x[-1]
        for each in x:
            value += (each - value) / length
            out.append(value)
        return out

    ranges, ups, downs = (from_last(each, di_length) for each in (true_range(bars), *movements(bars)))
    plus, minus = ([divide(100 * a, b, 0.0) for a, b in zip(each, ranges, strict=True)] for each in (ups, downs))
    shares = [abs(a - b) / (a + b) if a + b else abs(a - b) for a, b in zip(plus, minus, strict=True)]
    return [[100 * each for each in from_last(shares, adx_smoothing)], plus, minus]


def adxr(bars, period):
    sums = [[0.0], [0.0], [0.0]]
    indices, n = [], len(bars)
    series = (true_range(bars), *movements(bars))
    for i in range(n):
        for total, each in zip(sums, series, strict=True):
            total.append(total[-1] - total[-1] / period + each[i])
        plus, minus = (divide(100 * total[-1], sums[0][-1], 0.0) for total in sums[1:])
        indices.append(divide(100 * abs(plus - minus), plus + minus, 0.0))
    means = windows(indices, period, mean)
    return [[(a + b) / 2 for a, b in zip(means, back(means, period), strict=True)]]


def sar(bars, acceleration, maximum):
    rising = len(bars) > 1 and bars[1][HIGH] > bars[0][HIGH]
    ahead, behind = (HIGH, LOW) if rising else (LOW, HIGH)
    stop, extreme, speed, out = bars[0][behind], bars[0][ahead], acceleration, []
    for i, bar in enumerate(bars):
        if i:
            # Mirrored while falling, so that there is one rule.
            sign = 1 if rising else -1
            ahead, behind = (HIGH, LOW) if rising else (LOW, HIGH)
            stop = stop + speed * (extreme - stop)
            stop = sign * min(sign * each for each in (stop, *(b[behind] for b in bars[max(0, i - 2) : i])))
            if sign * bar[behind] < sign * stop:
                stop, rising, speed, extreme = extreme, not rising, acceleration, bar[behind]
            elif sign * bar[ahead] > sign * extreme:
                extreme, speed = bar[ahead], min(speed + acceleration, maximum)
        out.append(stop)
    return [out]


def keltner(bars, period, multiplier, matype, code):
    middles = average(source(bars, code), period, matype)
    reach = [multiplier * each for each in wilder(true_range(bars), period)]
    return [[a + b for a, b in zip(middles, reach, strict=True)], middles, apart(middles, reach)]


def chande(bars, period, mult, direction):
    ranges = [mult * each for each in wilder(true_range(bars), period)]
    if direction == 0:
        return [apart(highest(column(bars, HIGH), period), ranges)]
    return [[a + b for a, b in zip(lowest(column(bars, LOW), period), ranges, strict=True)]]


def cksp(bars, p, x, q):
    ranges, first = wilder(true_range(bars), p), p - 1 + (q - 1 if p > 1 else 0)
    stops = [[], []]
    for i in range(len(bars)):
        last = bars[max(0, i - q + 1) : i + 1]
        stops[0].append(max(column(last, HIGH)) - x * ranges[i])
        stops[1].append(min(column(last, LOW)) + x * ranges[i])
    out = []
    for each, best in zip(stops, (max, min), strict=True):
        known = [[value for value in each[max(0, i - q + 1) : i + 1] if value == value] for i in range(len(bars))]
        out.append([best(row) if row and i >= first else NAN for i, row in enumerate(known)])
    return out


def kaufmanstop(bars, period, mult, direction, matype):
    spans = average([bar[HIGH] - bar[LOW] for bar in bars], period, matype)
    sign, place_ = (-1, LOW) if direction == 0 else (1, HIGH)
    return [[bar[place_] + sign * mult * each for bar, each in zip(bars, spans, strict=True)]]


def safezonestop(bars, period, mult, max_lookback, direction):
    ups, downs = movements(bars)
    total, stops = 0.0, [0.0]
    for i in range(1, len(bars)):
        total = total * (1 - 1 / period) + (downs if direction == 0 else ups)[i]
        before = bars[i - 1]
        stops.append(before[LOW] - mult * total if direction == 0 else before[HIGH] + mult * total)
    best = max if direction == 0 else min
    return [[best(stops[max(0, i - max_lookback + 1) : i + 1]) for i in range(len(bars))]]


def devstop(bars, period, mult, devtype, direction):
    pairs = [NAN] + [max(a[HIGH], b[HIGH]) - min(a[LOW], b[LOW]) for a, b in zip(bars, bars[1:], strict=False)]
    if devtype == 0:
        sizes = windows(pairs, period, deviation)
    else:
        sizes = [NAN] + (mean_ad if devtype == 1 else median_ad)(pairs[1:], period)[0]
    sign, place_ = (-1, HIGH) if direction == 0 else (1, LOW)
    rows = zip(bars, windows(pairs, period, mean), sizes, strict=True)
    stops = [bar[place_] + sign * (centre + mult * size) for bar, centre, size in rows]

    def best(window):
        known = all(each == each for each in window)
        return (max if direction == 0 else min)(window) if known else NAN

    return [windows(stops, period, best)]


def _middles(bars, period):
    return midprice(bars, period)[0]


def ichimoku_cloud_seq(bars, conversion, base, lagging, displacement):
    fast, slow, long = (_middles(bars, period) for period in (conversion, base, lagging))
    span = [(a + b) / 2 for a, b in zip(fast, slow, strict=True)]
    closes = back(column(bars, CLOSE), displacement - 1)
    return [fast, slow, back(span, displacement), back(long, displacement), closes, span, long]


def ichimoku_cloud(bars, conversion, base, lagging, displacement):
    rows = []
    for i in range(len(bars)):
        seen = bars[i - 79 : i + 1] if i >= 79 else []
        early = seen[: len(seen) - (displacement - 1)] if 1 < displacement <= len(seen) else []

        def centre(some, period):
            last = some[-period:]
            return (max(column(last, HIGH)) + min(column(last, LOW))) / 2 if len(some) >= period else NAN

        span = (centre(early, conversion) + centre(early, base)) / 2
        rows.append([centre(seen, conversion), centre(seen, base), span, centre(early, lagging)])
    return [list(each) for each in zip(*rows, strict=True)]


def _is_extreme(x, i, last, order, sign):
    around = [x[min(i + j, last)] for j in range(1, order + 1)] + [x[max(i - j, 0)] for j in range(1, order + 1)]
    return all(sign * x[i] > sign * each for each in around)


def minmax(bars, order):
    """At each row what can be known there: the newest extreme may yet be beaten."""
    out = [[NAN] * len(bars) for _ in range(4)]
    for side, (place_, sign) in enumerate(((LOW, -1), (HIGH, 1))):
        x = column(bars, place_)
        for i in range(len(bars)):
            if i >= order and _is_extreme(x, i - order, i, order, sign):
                out[side][i] = x[i - order]
            found = [x[j] for j in range(i + 1) if _is_extreme(x, j, i, order, sign)]
            out[2 + side][i] = found[-1] if found else NAN
    return out


def damiani_volatmeter(bars, vis_atr, vis_std, sed_atr, sed_std, threshold, code):
    prices = source(bars, code)
    short, long = (wilder(true_range(bars), each) for each in (vis_atr, sed_atr))
    near, far = (windows(prices, each, deviation, 0.0) for each in (vis_std, sed_std))
    strength, quiet = [], []
    for i in range(len(bars)):
        known = i >= sed_std and long[i] and long[i] == long[i] and short[i] == short[i]
        value = short[i] / long[i] if known else 0.0
        value += 0.5 * strength[i - 1] if i >= 1 else 0
        strength.append(value - (0.5 * strength[i - 3] if i >= 3 else 0))
        quiet.append(threshold - divide(near[i - 1], far[i - 1]) if i >= sed_std else 0.0)
    return [strength, quiet]


def squeeze_momentum(bars, length, _mult, length_kc, mult_kc):
    closes = column(bars, CLOSE)
    basis, size = windows(closes, length, mean), windows(closes, length, deviation)
    centre, reach = windows(closes, length_kc, mean), windows(true_range(bars), length_kc, mean)
    squeeze = []
    for a, b, c, d in zip(basis, size, centre, reach, strict=True):
        low_inside, high_inside = a - mult_kc * b > c - mult_kc * d, a + mult_kc * b < c + mult_kc * d
        low_outside, high_outside = a - mult_kc * b < c - mult_kc * d, a + mult_kc * b > c + mult_kc * d
        squeeze.append(-1.0 if low_inside and high_inside else 1.0 if low_outside and high_outside else 0.0)
    tops, bottoms = highest(column(bars, HIGH), length_kc, 0.0), lowest(column(bars, LOW), length_kc, 0.0)
    means = [0.0 if each != each else each for each in centre]
    away = [
        close - ((top + bottom) / 2 + each) / 2
        for close, top, bottom, each in zip(closes, tops, bottoms, means, strict=True)
    ]
    momentum = windows(away, length_kc, lambda w: line(w)[0] + line(w)[1] * (length_kc - 1))
    signal = [NAN]
    for before, now in zip(momentum, momentum[1:], strict=False):
        signal.append((1.0 if now > before else 2.0) if now > 0 else (-1.0 if now < before else -2.0))
    return [squeeze, momentum, signal]


def support_resistance_with_breaks(bars, left, right, vol_threshold):
    n, volumes = len(bars), column(bars, VOLUME)

    def pivots(x, sign):
        out = []
        for i in range(n):
            found = [
                j
                for j in range(left, i - right + 1)
                if all(sign * x[j] > sign * x[k] for k in range(j - left, j + right + 1) if k != j)
            ]
            hidden = bool(found) and found[0] == 0 and right > 0
            out.append(x[found[0 if hidden else -1]] if found else NAN)
        return out

    support, resistance = pivots(column(bars, LOW), -1), pivots(column(bars, HIGH), 1)
    short, long = (plain.ema(volumes, min(each, n))[0] for each in (5, 10))
    _, o, c, h, low, _ = bars[0]
    body, upper, lower = abs(o - c), abs(o - h), abs(o - low)
    rows = []
    for i in range(n):
        active = i >= 9 and divide(100 * (short[i] - long[i]), long[i]) > vol_threshold
        below, above = c < support[i], c > resistance[i]
        breaks = [below and body >= upper and active, above and lower > body and active]
        rows.append([*breaks, below and body < upper, above and lower > body])
    return [support, resistance, *([float(each) for each in flags] for flags in zip(*rows, strict=True))]


def ttm_squeeze(bars, length, band, reach):
    closes = column(bars, CLOSE)
    centre, size = windows(closes, length, mean), windows(closes, length, deviation)
    ranges = windows(true_range(bars), length, mean)
    rows = zip(centre, size, ranges, strict=True)
    return [[float(a - 2 * b < a - reach * c or a + band * b > a + reach * c) for a, b, c in rows]]


TWINS = {
    each.__name__: each
    for each in (
        avgprice, medprice, typprice, wclprice, bop, qstick, heikin_ashi_candles, trange, natr, midprice,
        chop, mass, cvi, pivot, cci, willr, stochf, kdj, ao, acosc, aroon, aroonosc, ultosc, vi, dti, eri,
        fisher, lrsi, ttm_trend, ad, adosc, obv, nvi, pvi, efi, emv, kvo, marketfi, mfi, volume, vosc, vpci,
        vpt, vwmacd, wad, dm, di, dx, adxr, sar, keltner, chande, cksp, kaufmanstop, safezonestop, devstop,
        ichimoku_cloud_seq, ichimoku_cloud, minmax, damiani_volatmeter, squeeze_momentum,
        support_resistance_with_breaks, ttm_squeeze,
    )
}  # fmt: skip
