"""Slow, obvious statements of what the candle functions compute: lists and loops, nothing shared with fastbt."""

MINUTE = 60_000


def pairwise_sum(values):
    """numpy's sum of float64, as of the versions that Jesse pins."""
    if len(values) <= 8192:
        return _tree(values)
    total = 0.0
    for start in range(0, len(values), 8192):
        total += _tree(values[start : start + 8192])
    return total


def _tree(values):
    n = len(values)
    if n < 8:
        total = 0.0
        for value in values:
            total += value
        return total
    if n <= 128:
        sums = values[:8]
        for k in range(8, n - n % 8):
            sums[k % 8] += values[k]
        a, b, c, d, e, f, g, h = sums
        total = ((a + b) + (c + d)) + ((e + f) + (g + h))
        for value in values[n - n % 8 :]:
            total += value
        return total
    half = n // 2 // 8 * 8
    return _tree(values[:half]) + _tree(values[half:])


def aggregate(rows):
    return [
        rows[0][0],
        rows[0][1],
        rows[-1][2],
        max(row[3] for row in rows),
        min(row[4] for row in rows),
        pairwise_sum([row[5] for row in rows]),
    ]


def resample(candles, minutes):
    rows = candles.tolist()
    return [aggregate(rows[k : k + minutes]) for k in range(0, len(rows) // minutes * minutes, minutes)]


def warmup_bars(candles, minutes, available_at):
    span = minutes * MINUTE
    buckets = {}
    for row in candles.tolist():
        if row[0] + MINUTE <= available_at:
            buckets.setdefault(int(row[0]) // span * span, []).append(row)
    return [[start, *aggregate(rows)[1:]] for start, rows in sorted(buckets.items()) if start + span <= available_at]


def fill_gaps(candles, start, finish):
    rows = {int(row[0]): row for row in candles.tolist()}
    last = None
    filled = []
    for time in range(start, finish, MINUTE):
        if time in rows:
            row = rows[time]
            last = row[2]
        else:
            price = candles[0][1] if last is None else last
            row = [time, price, price, price, price, 0.0]
        filled.append(row)
    return filled


def gaps(candles):
    times = [int(row[0]) for row in candles.tolist()]
    present = set(times)
    found = []
    for time in range(times[0], times[-1], MINUTE):
        if time not in present:
            if found and found[-1][1] == time:
                found[-1][1] = time + MINUTE
            else:
                found.append([time, time + MINUTE])
    return [(start, finish, (finish - start) // MINUTE) for start, finish in found]
