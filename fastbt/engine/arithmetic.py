# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
"""Kernels behind numbers: whole numbers that stay exact, powers, `round`, and Python's exact statistics."""

import math

import numpy as np

from fastbt._jit import lean
from fastbt.engine.kernels import _fail

VALUE_ERROR = 6
ZERO_DIVISION_ERROR = 8
OVERFLOW_ERROR = 13
AMBIGUOUS_DIVISION = 105
INT_RANGE = 110
COMPLEX_POWER = 112
ROUND_RANGE = 113
AMBIGUOUS_ROUND = 114


@lean
def _int_product(s, a, b):
    """Multiply whole numbers, which Python does without bound."""
    if abs(float(a) * float(b)) > 9e18:
        _fail(s, INT_RANGE)
        return 0
    return a * b


@lean
def _int_sum(s, a, b):
    """Add whole numbers, which Python does without bound."""
    if abs(float(a) + float(b)) > 9e18:
        _fail(s, INT_RANGE)
        return 0
    return a + b


@lean
def _int_difference(s, a, b):
    """Subtract whole numbers, which Python does without bound."""
    if abs(float(a) - float(b)) > 9e18:
        _fail(s, INT_RANGE)
        return 0
    return a - b


@lean
def _int_power(s, a, n):
    """Raise a whole number to a power of zero or more."""
    if n * math.log(max(1.0, abs(float(a)))) > 43.6:
        _fail(s, INT_RANGE)
        return 0
    return a**n


@lean
def _whole_power(s, a, n):
    """Raise a whole number to a whole power, as a float that is exact."""
    if a == 0 and n < 0:
        _fail(s, ZERO_DIVISION_ERROR)
        return 0.0
    if n * math.log(max(1.0, abs(float(a)))) > 36.7:
        _fail(s, INT_RANGE)
        return 0.0
    return float(a) ** float(n)


@lean
def _power(s, a, b):
    """Raise a Python float to a power: what is complex or infinite raises or is not compiled."""
    if a == 0.0 and b < 0.0:
        _fail(s, ZERO_DIVISION_ERROR)
        return 0.0
    if a < 0.0 and b != math.floor(b):
        _fail(s, COMPLEX_POWER)
        return 0.0
    if abs(a) > 1e-300 and b * math.log(abs(a)) > 709.7:
        _fail(s, OVERFLOW_ERROR)
        return 0.0
    return a**b


@lean
def _power_either(s, a, b):
    """Raise a number that may be Python's or numpy's to a power."""
    if a == 0.0 and b < 0.0:
        _fail(s, AMBIGUOUS_DIVISION)
        return 0.0
    if a < 0.0 and b != math.floor(b):
        _fail(s, COMPLEX_POWER)
        return 0.0
    if abs(a) > 1e-300 and b * math.log(abs(a)) > 709.7:
        _fail(s, AMBIGUOUS_DIVISION)
        return 0.0
    return a**b


@lean
def _rounding_error(a, b, product):
    """Return what `product`, a * b as floats, lacks of the exact one."""
    c = 134217729.0 * a
    high_a = c - (c - a)
    low_a = a - high_a
    c = 134217729.0 * b
    high_b = c - (c - b)
    low_b = b - high_b
    return ((high_a * high_b - product) + high_a * low_b + low_a * high_b) + low_a * low_b


@lean
def _round(s, x, digits):
    """Return Python's `round(x, digits)` of a float: the nearest decimal of its exact value, half to even."""
    if x != x or x == 0.0 or abs(x) > 1e308:
        return x
    if digits < 0 or digits > 15 or abs(x) * 10.0**digits > 1e15:
        _fail(s, ROUND_RANGE)
        return x
    scale = 10.0**digits
    scaled = x * scale
    lower = math.floor(scaled) + 0.0
    side = (scaled - lower - 0.5) + _rounding_error(x, scale, scaled)
    if side > 0.0 or (side == 0.0 and lower % 2.0 == 1.0):
        lower += 1.0
    return math.copysign(lower / scale, x)


@lean
def _round_numpy(x, digits):
    """Return numpy's `round(x, digits)`: of the product as it is rounded."""
    scale = 10.0 ** abs(digits)
    return np.rint(x * scale) / scale if digits >= 0 else np.rint(x / scale) * scale


@lean
def _round_either(s, x, digits):
    """Return `round(x, digits)` where Python and numpy agree."""
    ours = _round(s, x, digits)
    if ours == ours and ours != _round_numpy(x, digits):
        _fail(s, AMBIGUOUS_ROUND)
    return ours


@lean
def _exponential(s, a):
    """Return `math.exp(a)`."""
    if a > 709.782712893384:
        _fail(s, OVERFLOW_ERROR)
        return 0.0
    return math.exp(a)


@lean
def _logarithm_to(s, a, base):
    """Return `math.log(a, base)`."""
    if a <= 0.0 or base <= 0.0:
        _fail(s, VALUE_ERROR)
        return 0.0
    if base == 1.0:
        _fail(s, ZERO_DIVISION_ERROR)
        return 0.0
    return math.log(a) / math.log(base)


@lean
def _logarithm_10(s, a):
    """Return `math.log10(a)`."""
    if a <= 0.0:
        _fail(s, VALUE_ERROR)
        return 0.0
    return math.log10(a)


@lean
def _logarithm_2(s, a):
    """Return `math.log2(a)`."""
    if a <= 0.0:
        _fail(s, VALUE_ERROR)
        return 0.0
    return math.log2(a)


@lean
def _finite(s, a):
    """Return an argument of a function that wants a finite one."""
    if abs(a) > 1.7976931348623157e308:
        _fail(s, VALUE_ERROR)
        return 0.0
    return a


@lean
def _two_sum(a, b):
    """Return the sum of two floats and what its rounding lost."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@lean
def _exact_sum(items, n):
    """Return the sum of a list to twice the precision: a float, and what it lacks."""
    high = 0.0
    low = 0.0
    for i in range(n):
        high, rest = _two_sum(high, items[i])
        low += rest
    return _two_sum(high, low)


@lean
def _exact_mean(s, items, n):
    """Return Python's `statistics.mean`, which rounds the exact mean once."""
    if n == 0:
        _fail(s, VALUE_ERROR)
        return 0.0
    high, low = _exact_sum(items, n)
    quotient = high / n
    product = quotient * n
    rest = (high - product) - _rounding_error(quotient, float(n), product) + low
    return quotient + rest / n


@lean
def _list_fmean(s, items, n):
    """Return Python's `statistics.fmean`: the exact sum, rounded, divided."""
    if n == 0:
        _fail(s, VALUE_ERROR)
        return 0.0
    return _exact_sum(items, n)[0] / n


@lean
def _exact_variance(s, items, n, ddof):
    """Return Python's `statistics.variance` (ddof 1) or `pvariance` (0), which round the exact value once."""
    if n < 1 + ddof:
        _fail(s, VALUE_ERROR)
        return 0.0
    high, low = _exact_squares(items, n)
    count = float(n - ddof)
    variance = high / count
    product = variance * count
    return variance + ((high - product) - _rounding_error(variance, count, product) + low) / count


@lean
def _exact_squares(items, n):
    """Return the sum of the squared distances from the mean to twice the precision."""
    total, rest = _exact_sum(items, n)
    center = total / n
    product = center * n
    # What the center lacks of the mean; the squares around it are corrected by it.
    lack = ((total - product) - _rounding_error(center, float(n), product) + rest) / n
    high = 0.0
    low = 0.0
    for i in range(n):
        distance, lost = _two_sum(items[i], -center)
        lost -= lack
        square = distance * distance
        high, error = _two_sum(high, square)
        low += error + _rounding_error(distance, distance, square) + 2.0 * distance * lost
    return _two_sum(high, low)


@lean
def _exact_stdev(s, items, n, ddof):
    """Return Python's `statistics.stdev` (ddof 1) or `pstdev` (0), which round the exact value once."""
    if n < 1 + ddof:
        _fail(s, VALUE_ERROR)
        return 0.0
    high, low = _exact_squares(items, n)
    if high <= 0.0:
        return 0.0
    count = float(n - ddof)
    variance = high / count
    product = variance * count
    rest = ((high - product) - _rounding_error(variance, count, product) + low) / count
    root = math.sqrt(variance)
    square = root * root
    return root + ((variance - square) - _rounding_error(root, root, square) + rest) / (2.0 * root)


@lean
def _logarithm_1p(s, a):
    """Return `math.log1p(a)`."""
    if a <= -1.0:
        _fail(s, VALUE_ERROR)
        return 0.0
    return math.log1p(a)


@lean
def _remainder(s, a, b):
    """Return `math.fmod(a, b)`."""
    if b == 0.0 or abs(a) > 1.7976931348623157e308:
        _fail(s, VALUE_ERROR)
        return 0.0
    return math.fmod(a, b)


@lean
def _number_for_nan(a):
    """Return numpy's `nan_to_num(a)`."""
    if a != a:
        return 0.0
    return min(max(a, -1.7976931348623157e308), 1.7976931348623157e308)
