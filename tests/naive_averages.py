"""Slow twins of the moving averages and filters: a series in, rows of values out."""

import cmath  # noqa: F401
import math

import naive_indicators as plain
from naive_parts import (
    CLOSE,
    NAN,
    TIME,
    VOLUME,
    apart,
    deviation,
    divide,
    exponential,
    line,
    mean,
    middle,
    smoothed,
    source,
    weighted,
    windows,
)


def wma(x, period):
    return [weighted(x, list(range(1, period + 1)))]


def dema(x, period):
    once = exponential(x, period)
    return [[2 * a - b for a, b in zip(once, exponential(once, period), strict=True)]]


def tema(x, period):
    once = exponential(x, period)
    twice = exponential(once, period)
    return [[3 * a - 3 * b + c for a, b, c in zip(once, twice, exponential(twice, period), strict=True)]]


def hma(x, period):
    def average(values, length):
        return weighted(values, list(range(1, length + 1)), before=0.0) if length else [0.0] * len(values)

    raw = [2 * a - b for a, b in zip(average(x, period // 2), average(x, period), strict=True)]
    return [average(raw, math.isqrt(period))]


def wilders(x, period):
    return [smoothed(x, 1 / period)]


def rma(x, length):
    out, value = [], x[-1]
    for each in x:
        value += (each - value) / length
        out.append(value)
    return [out]


def zlema(x, period):
    lag = (period - 1) // 2
    if len(x) <= period:
        return [[NAN] * len(x)]
    ahead = [now + (now - before) for before, now in zip(x, x[lag:], strict=False)]
    return [[NAN] * lag + exponential(ahead, period)]


def t3(x, period, v):
    levels = [x]
    for _ in range(6):
        levels.append(exponential(levels[-1], period))
    shares = (1 + 3 * v + v**3 + 3 * v**2, -6 * v**2 - 3 * v - 3 * v**3, 3 * v**2 + 3 * v**3, -(v**3))
    return [[sum(a * b for a, b in zip(shares, each, strict=True)) for each in zip(*levels[3:], strict=True)]]


def smma(x, period):
    if period == 1 and len(x) > 1:
        # Jesse scales by powers of 1 - 1 / period, which are 0 here.
        return [[math.nan] * len(x)]
    out = []
    for i in range(len(x)):
        shares = [(1 - 1 / period) ** (i - k) for k in range(i + 1)]
        out.append(divide(sum(a * b for a, b in zip(shares, x, strict=False)), sum(shares)))
    return [out]


def vwma(bars, period, code):
    prices, out = source(bars, code), []
    for i in range(len(bars)):
        rows = range(max(0, i - period + 1), i + 1)
        volume = sum(bars[j][VOLUME] for j in rows)
        out.append(divide(sum(prices[j] * bars[j][VOLUME] for j in rows), volume))
    return [out]


def vwap(bars, code, length):
    prices, out = source(bars, code), []
    for i, bar in enumerate(bars):
        anchor = int(bar[TIME] / 1000) // length
        rows = [j for j in range(i + 1) if int(bars[j][TIME] / 1000) // length == anchor]
        volume = sum(bars[j][VOLUME] for j in rows)
        out.append(divide(sum(prices[j] * bars[j][VOLUME] for j in rows), volume))
    return [out]


def _adaptive(x, period, weight_of):
    """The values themselves, then an average whose weight depends on the efficiency of the last `period` changes."""
    out = []
    for i, value in enumerate(x):
        if i < period or len(x) <= period:
            out.append(value)
            continue
        path = sum(abs(x[j] - x[j - 1]) for j in range(i - period + 1, i + 1))
        ratio = divide(abs(value - x[i - period]), path, 0.0)
        out.append(out[-1] + weight_of(ratio) ** 2 * (value - out[-1]))
    return [out]


def kama(x, period, fast_length, slow_length):
    fast, slow = 2 / (fast_length + 1), 2 / (slow_length + 1)
    return _adaptive(x, period, lambda ratio: ratio * (fast - slow) + slow)


def maaq(x, period, fast_period, slow_period):
    fast, slow = 2 / (fast_period + 1), 2 / (slow_period + 1)
    return _adaptive(x, period, lambda ratio: ratio * fast + slow)


def vidya(x, length, fix_cmo, select):
    rows, alpha, out = 9 if fix_cmo else length, 2 / (length + 1), [x[0]]
    for i in range(1, len(x)):
        if select:
            moves = [x[j] - x[j - 1] for j in range(max(1, i + 1 - rows), i + 1)]
            scale = abs(divide(sum(moves), sum(abs(each) for each in moves), 0.0))
        else:
            scale = deviation(x[max(0, i + 1 - length) : i + 1])
        out.append(out[-1] + alpha * scale * (x[i] - out[-1]))
    return [out]


def hwma(x, na, nb, nc):
    level, trend, bend, out = x[0], 0.0, 0.0, []
    for value in x:
        new = (1 - na) * (level + trend + bend / 2) + na * value
        turned = (1 - nb) * (trend + bend) + nb * (new - level)
        bend, trend, level = (1 - nc) * bend + nc * (turned - trend), turned, new
        out.append(level + trend + bend / 2)
    return [out]


def mwdx(x, factor):
    return [smoothed(x, factor)]


def mcginley_dynamic(x, period, k):
    out = [x[0]]
    for value in x[1:]:
        out.append(out[-1] + (value - out[-1]) / max(k * period * (value / out[-1]) ** 4, 1))
    return [out]


def jma(x, period, phase, power):
    ratio = max(-100, min(100, phase)) / 100 + 1.5
    beta = 0.45 * (period - 1) / (0.45 * (period - 1) + 2)
    alpha = beta**power
    out, e0, e1, e2 = [x[0]], x[0] * 0, 0.0, 0.0
    for value in x[1:]:
        e0 = (1 - alpha) * value + alpha * e0
        e1 = (value - e0) * (1 - beta) + beta * e1
        e2 = (e0 + ratio * e1 - out[-1]) * (1 - alpha) ** 2 + alpha**2 * e2
        out.append(out[-1] + e2)
    return [out]


def linearreg(x, period):
    return [
        windows(x, period, lambda w: mean(w) if period == 1 and False else sum(line(w)[:1]) + line(w)[1] * (period - 1))
    ]


def _falling(x, period, weight):
    """Weights of the last `period - 1` values, newest first; the values themselves up to row `period`."""
    weights = [weight(period - j) for j in range(period - 1)]
    if sum(weights) == 0:
        return [list(x)]
    average = weighted(x, weights[::-1])
    return [[x[i] if i <= period else average[i] for i in range(len(x))]]


def cwma(x, period):
    return _falling(x, period, lambda place: place**3)


def sqwma(x, period):
    return _falling(x, period, lambda place: place**2)


def srwma(x, period):
    return _falling(x, period, math.sqrt)


def vpwma(x, period, power):
    return _falling(x, period, lambda place: place**power)


def epma(x, period, offset):
    weights = [period - j - offset for j in range(period - 1)]
    if sum(weights) == 0:
        return [list(x)]
    average = weighted(x, weights[::-1])
    return [[x[i] if i <= period + offset else average[i] for i in range(len(x))]]


def jsa(x, period):
    return [[(x[i] + x[i - period]) / 2 if i >= period else NAN for i in range(len(x))]]


def nma(x, period):
    logs, out = [1000 * math.log(max(value, 1e-10)) for value in x], []
    for i in range(len(x)):
        if i <= period:
            out.append(NAN)
            continue
        moves = [abs(logs[i - j] - logs[i - j - 1]) for j in range(period)]
        recent = sum(move * (math.sqrt(j + 1) - math.sqrt(j)) for j, move in enumerate(moves))
        ratio = divide(recent, sum(moves), 0.0)
        out.append(x[i - period + 1] * ratio + x[i - period] * (1 - ratio))
    return [out]


def fwma(x, period):
    weights = [1, 1]
    while len(weights) < period:
        weights.append(weights[-1] + weights[-2])
    return [weighted(x, weights[:period])]


def pwma(x, period):
    return [weighted(x, [math.comb(period - 1, j) for j in range(period)])]


def swma(x, period):
    return [weighted(x, [min(j + 1, period - j) for j in range(period)])]


def sinwma(x, period):
    return [weighted(x, [math.sin((j + 1) * math.pi / (period + 1)) for j in range(period)])]


def trima(x, period):
    return swma(x, period)


def alma(x, period, sigma, distribution_offset):
    centre, width = distribution_offset * (period - 1), period / sigma
    return [weighted(x, [math.exp(-((j - centre) ** 2) / (2 * width * width)) for j in range(period)])]


def edcf(x, period):
    def weight(i):
        return sum((x[i] - x[i - j]) ** 2 for j in range(1, period))

    out = [NAN] * len(x)
    for i in range(2 * period, len(x)):
        if period > 1:
            rows = range(i - period + 1, i + 1)
            out[i] = divide(sum(weight(j) * x[j] for j in rows), sum(weight(j) for j in rows), 0.0)
    return [out]


def _recursive(x, forward, feedback, first):
    """A digital filter; the first rows are the values themselves."""
    out = []
    for i, value in enumerate(x):
        if i < first:
            out.append(value)
            continue
        fresh = sum(factor * x[i - j] for j, factor in enumerate(forward))
        out.append(fresh + sum(factor * out[i - j] for j, factor in enumerate(feedback, 1)))
    return out


def supersmoother(x, period):
    a = math.exp(-1.414 * math.pi / period)
    b = 2 * a * math.cos(1.414 * math.pi / period)
    half = (1 + a * a - b) / 2
    return [_recursive(x, (half, half), (b, -a * a), 2)]


def supersmoother_3_pole(x, period):
    a = math.exp(-math.pi / period)
    b = 2 * a * math.cos(1.738 * math.pi / period)
    c = a * a
    return [_recursive(x, (1 - c * c - b + b * c,), (b + c, -c - b * c, c * c), 3)]


def high_pass(x, period):
    angle = 2 * math.pi / period
    alpha = 1 + (math.sin(angle) - 1) / math.cos(angle)
    return [_recursive(x, (1 - alpha / 2, -(1 - alpha / 2)), (1 - alpha,), 1)]


def high_pass_2_pole(x, period):
    angle = 2 * math.pi * 0.707 / period
    alpha = 1 + (math.sin(angle) - 1) / math.cos(angle)
    gain = (1 - alpha / 2) ** 2
    return [_recursive(x, (gain, -2 * gain, gain), (2 * (1 - alpha), -((1 - alpha) ** 2)), 2)]


def gauss(x, period, poles):
    beta = (1 - math.cos(2 * math.pi / period)) / (2 ** (1 / poles) - 1)
    alpha = -beta + math.sqrt(beta * beta + 2 * beta)
    values = x
    for _ in range(poles):
        passed, state = [], 0.0
        for value in values:
            state += alpha * (value - state)
            passed.append(state)
        values = passed
    return [values]


def _flexed(x, period, bends):
    smooth, size, out = supersmoother(x, period / 2)[0], 0.0, []
    for i in range(len(x)):
        if i < period:
            out.append(0.0)
            continue
        slope = (smooth[i - period] - smooth[i]) / period if bends else 0.0
        distance = mean([smooth[i] + j * slope - smooth[i - j] for j in range(1, period + 1)])
        size = 0.04 * distance**2 + 0.96 * size
        out.append(divide(distance, math.sqrt(size), 0.0))
    return [out]


def reflex(x, period):
    return _flexed(x, period, True)


def trendflex(x, period):
    return _flexed(x, period, False)


def decycler(x, hp_period):
    return [apart(x, high_pass_2_pole(x, hp_period)[0])]


def dec_osc(x, hp_period, k):
    passed = high_pass_2_pole(decycler(x, hp_period)[0], int(0.5 * hp_period))[0]
    return [[divide(100 * k * a, b) for a, b in zip(passed, x, strict=True)]]


def roofing(x, hp_period, lp_period):
    return supersmoother(high_pass_2_pole(x, hp_period)[0], lp_period)


def itrend(x, alpha):
    lines = []
    for i, value in enumerate(x):
        if i < 2:
            lines.append(value)
        elif i < 7:
            lines.append((value + 2 * x[i - 1] + x[i - 2]) / 4)
        else:
            fresh = (alpha - alpha**2 / 4) * value + alpha**2 / 2 * x[i - 1] - (alpha - 3 * alpha**2 / 4) * x[i - 2]
            lines.append(fresh + 2 * (1 - alpha) * lines[-1] - (1 - alpha) ** 2 * lines[-2])
    trigger = [2 * each - (lines[i - 20] if i >= 20 else each) for i, each in enumerate(lines)]
    signal = [float((a > b) - (a < b)) for a, b in zip(trigger, lines, strict=True)]
    return [signal, lines, trigger]


def _cycle_of(x, hp, period, bandwidth_angle):
    gamma = math.cos(bandwidth_angle)
    alpha = 1 / gamma - math.sqrt(1 / gamma**2 - 1)
    beta, out = math.cos(2 * math.pi / period), []
    for i, value in enumerate(hp):
        if i >= 2:
            value = (1 - alpha) / 2 * (hp[i] - hp[i - 2]) + beta * (1 + alpha) * out[-1] - alpha * out[-2]
        out.append(value)
    return out


def bandpass(x, period, bandwidth):
    passed = _cycle_of(x, high_pass(x, 4 * period / bandwidth)[0], period, 2 * math.pi * bandwidth / period)
    peak, normal = passed[0], []
    for i, value in enumerate(passed):
        peak = max(0.991 * peak, abs(value)) if i else peak
        normal.append(divide(value, peak, 0.0))
    trigger = high_pass(normal, period / bandwidth / 1.5)[0]
    return [passed, normal, [float((b > a) - (b < a)) for a, b in zip(normal, trigger, strict=True)], trigger]


def emd(bars, period, delta, fraction):
    prices = middle(bars)
    gamma = 1 / math.cos(4 * math.pi * delta / period)
    alpha, beta = gamma - math.sqrt(gamma**2 - 1), math.cos(2 * math.pi / period)
    cycle, peaks, valleys = [0.0] * len(bars), [0.0] * len(bars), [0.0] * len(bars)
    for i in range(2, len(bars)):
        cycle[i] = (
            (1 - alpha) / 2 * (prices[i] - prices[i - 2]) + beta * (1 + alpha) * cycle[i - 1] - alpha * cycle[i - 2]
        )
        one, two, three = cycle[i - 2 : i + 1]
        peaks[i] = two if two > one and two > three else peaks[i - 1]
        valleys[i] = two if two < one and two < three else valleys[i - 1]
    bands = [[fraction * each for each in windows(x, 50, mean)] for x in (peaks, valleys)]
    return [bands[0], windows(cycle, 2 * period, mean), bands[1]]


def pma(x):
    def seven(values, i):
        return sum((7 - j) * values[i - j] for j in range(7)) / 28

    once, predicted, trigger = [0.0] * len(x), [NAN] * len(x), [NAN] * len(x)
    for i in range(6, len(x)):
        once[i] = seven(x, i)
        predicted[i] = 2 * once[i] - seven(once, i)
        last = [0.0 if value != value else value for value in predicted[i - 3 : i + 1]]
        trigger[i] = (4 * last[3] + 3 * last[2] + 2 * last[1] + last[0]) / 10
    return [predicted, trigger]


def voss(x, period, predict, bandwith):
    order = 3 * predict
    f, g = math.cos(2 * math.pi / period), math.cos(bandwith * 2 * math.pi / period)
    s = 1 / g - math.sqrt(1 / g**2 - 1)
    out, filtered = [0.0] * len(x), [0.0] * len(x)
    for i in range(max(period, 5, order) + 1, len(x)):
        filtered[i] = (1 - s) / 2 * (x[i] - x[i - 2]) + f * (1 + s) * filtered[i - 1] - s * filtered[i - 2]
        history = sum((j + 1) / order * out[i - order + j] for j in range(order))
        out[i] = (3 + order) / 2 * filtered[i] - history
    return [out, filtered]


def correlation_cycle(x, period, threshold):
    period = max(period, 2)
    waves = [
        [math.cos(2 * math.pi * (j + 1) / period) for j in range(period)],
        [-math.sin(2 * math.pi * (j + 1) / period) for j in range(period)],
    ]
    parts = [[NAN] * len(x), [NAN] * len(x)]
    for i in range(period, len(x)):
        last = [x[i - j - 1] for j in range(period)]
        for row, wave in zip(parts, waves, strict=True):
            spreads = [period * sum(v * v for v in each) - sum(each) ** 2 for each in (last, wave)]
            if min(spreads) > 0:
                joint = period * sum(a * b for a, b in zip(last, wave, strict=True)) - sum(last) * sum(wave)
                row[i] = joint / math.sqrt(spreads[0]) / math.sqrt(spreads[1])
    raw, angles, states = [], [], []
    for i, (real, imaginary) in enumerate(zip(*parts, strict=True)):
        angle = math.degrees(math.atan(divide(real, imaginary)) + math.pi / 2) if imaginary != 0 else 0.0
        raw.append(angle - 180 if imaginary > 0 else angle)
        turned_back = i > 0 and raw[i - 1] > raw[i] and raw[i - 1] - raw[i] < 270
        angles.append(raw[i - 1] if turned_back else raw[i])
        calm = i > 0 and abs(angles[i] - angles[i - 1]) < threshold
        states.append((1.0 if angles[i] >= 0 else -1.0) if calm else 0.0)
    return [*parts, angles, states]


def mama(x, fastlimit, slowlimit):
    def hilbert(values, i, factor):
        taps = ((0, 0.0962), (2, 0.5769), (4, -0.5769), (6, -0.0962))
        return factor * sum(weight * values[i - back] for back, weight in taps if i >= back)

    n = len(x)
    smooth, detrended, inphase, quadrature = ([0.0] * n for _ in range(4))
    i2 = q2 = real = imaginary = period = phase = 0.0
    slow, following = [0.0], [0.0]
    for i in range(1, n):
        smooth[i] = sum(weight * x[max(0, i - j)] for j, weight in enumerate((4, 3, 2, 1))) / 10
        factor = 0.075 * period + 0.54
        detrended[i] = hilbert(smooth, i, factor)
        quadrature[i] = hilbert(detrended, i, factor)
        inphase[i] = detrended[i - 3] if i >= 3 else 0.0
        i2_before, q2_before = i2, q2
        i2 = 0.2 * (inphase[i] - hilbert(quadrature, i, factor)) + 0.8 * i2
        q2 = 0.2 * (quadrature[i] + hilbert(inphase, i, factor)) + 0.8 * q2
        real = 0.2 * (i2 * i2_before + q2 * q2_before) + 0.8 * real
        imaginary = 0.2 * (i2 * q2_before - q2 * i2_before) + 0.8 * imaginary
        found = 2 * math.pi / math.atan(imaginary / real) if imaginary != 0 and real != 0 else period
        found = min(max(max(0.67 * period, min(1.5 * period, found)), 6), 50)
        period = 0.2 * found + 0.8 * period
        phase_before, phase = phase, math.degrees(math.atan(quadrature[i] / inphase[i])) if inphase[i] else 0.0
        weight = min(max(fastlimit / max(phase_before - phase, 1), slowlimit), fastlimit)
        slow.append(slow[-1] + weight * (x[i] - slow[-1]))
        following.append(following[-1] + weight / 2 * (slow[-1] - following[-1]))
    return [slow, following]


def frama(bars, window, fast, slow):
    window += window % 2
    half, out, dimension = window // 2, [NAN] * len(bars), 0.0

    def span(rows):
        return max(bar[3] for bar in rows) - min(bar[4] for bar in rows)

    for i in range(window - 1, len(bars)):
        if i == window - 1:
            out[i] = mean([bar[CLOSE] for bar in bars[:window]])
            continue
        early, late, both = span(bars[i - window : i - half]), span(bars[i - half : i]), span(bars[i - window : i])
        early, late, both = early / half, late / half, both / window
        if min(early, late, both) > 0:
            dimension = math.log2((early + late) / both)
        alpha = min(max(math.exp(math.log(2 / (slow + 1)) * (dimension - 1)), 0.1), 1)
        length = (slow - fast) * (((2 - alpha) / alpha - 1) / (slow - 1)) + fast if slow != 1 else NAN
        alpha = min(max(2 / (length + 1), 2 / (slow + 1)), 1)
        out[i] = alpha * bars[i][CLOSE] + (1 - alpha) * out[i - 1]
    return [out]


#: Jesse's codes.
BY_CODE = {
    0: plain.sma,
    1: plain.ema,
    2: wma,
    3: dema,
    4: tema,
    6: lambda x, period: kama(x, period, 2, 30),
    10: hma,
    12: wilders,
    14: supersmoother,
    23: smma,
    31: edcf,
}


def ma(x, period, matype):
    return BY_CODE[matype](x, period)


TWINS = {
    each.__name__: each
    for each in (
        wma, dema, tema, hma, wilders, rma, zlema, t3, smma, vwma, vwap, kama, maaq, vidya, hwma, mwdx,
        mcginley_dynamic, jma, linearreg, cwma, sqwma, srwma, vpwma, epma, jsa, nma, fwma, pwma, swma,
        sinwma, trima, alma, edcf, supersmoother, supersmoother_3_pole, high_pass, high_pass_2_pole, gauss,
        reflex, trendflex, decycler, dec_osc, roofing, itrend, bandpass, emd, pma, voss, correlation_cycle,
        mama, frama, ma,
    )
}  # fmt: skip
