# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment"
"""Jesse's decimal addition of two doubles (specification 3.1), bit for bit, in three steps of rising cost.

What Jesse 3.5.3 does, by way of the Rust crate ``rust_decimal``:

1. each operand becomes its shortest decimal that reads back as the same double; when two of them are equally near, the
   larger one (Rust rounds half up here, Python's ``repr`` half to even);
2. that decimal is rounded half up to 28 decimal places;
3. both are added exactly; a sum of more than 96 bits is rounded half to even to the most decimal places that fit;
4. the sum is rounded to the nearest double.

Zero is always ``+0.0``. Where Jesse raises or aborts (NaN, infinity, an operand or a sum of 2**96 or more) the kernels
return NaN, which no legal addition gives: callers report it as ``Status.DECIMAL_RANGE``.

The steps: (i) decimals of up to 15 digits are integers over a power of ten, exact in doubles (6 ns); (ii) error-free
transforms give the digits of almost every other operand, and the sum within a proven bound (60 ns); (iii) what the
bound cannot decide (ties, magnitudes far from one) is done in integers of several 32-bit limbs (600 ns).

References
----------
.. [1] U. Adams, "Ryu: fast float-to-string conversion", PLDI 2018: the interval of decimals that read back as one
   double, and the search in it for the shortest. Here the powers of five are exact, so its tables are not needed.
.. [2] T. J. Dekker, "A floating-point technique for extending the available precision", Numer. Math. 18, 1971.
.. [3] D. E. Knuth, "The Art of Computer Programming", vol. 2, 4.2.2 (two-sum) and 4.3.1 (short division).
.. [4] The rule in plain Python: ``tests/naive_decimals.py``.
"""

import math

import numpy as np

from fastbt._jit import apart, kernel

# The largest double whose shortest decimal is below 2**96, the end of Jesse's decimals.
_LARGEST = 7.922816251426433e28
_DECIMAL_PLACES = 28
_LIMBS = 7
_LIMB_BITS = 32
_LIMB_MASK = (1 << _LIMB_BITS) - 1
# 5**13 is the largest power of five below 2**31: a limb times it, plus a carry, fits an int64.
_MOST_FIVES = 13
_SPLITTER = 134217729.0
_POWERS_OF_FIVE = np.array([5**i for i in range(_MOST_FIVES + 1)], dtype=np.int64)
_POWERS_OF_TEN = np.array([10**i for i in range(19)], dtype=np.int64)
# Exact as doubles up to 10**22.
_EXACT_TENS = np.array([float(10**i) for i in range(23)])
_MOST_EXACT_TENS = 22
# In halves of a unit in the last place: five orders above the errors it bounds, and above Jesse's own 96-bit rounding.
_MARGIN = 1e-9
_NEAR_TIE = 1e-12


@kernel
def _sum_floats(a, b):
    """Return Jesse's `sum_floats(a, b)`, or NaN where Jesse raises."""
    if abs(a) < 1e7 and abs(b) < 1e7:
        units = 1e8
    else:
        units = 1e3
    whole_a = np.rint(a * units)
    whole_b = np.rint(b * units)
    if abs(whole_a) < 1e15 and abs(whole_b) < 1e15 and whole_a / units == a and whole_b / units == b:
        # Adding 0.0 turns -0.0 into the 0.0 that Jesse gives.
        return (whole_a + whole_b) / units + 0.0
    return _sum_many_digits(a, b)


@kernel
def _subtract_floats(a, b):
    """Return Jesse's `subtract_floats(a, b)`, or NaN where Jesse raises."""
    return _sum_floats(a, -b)


@apart
def _sum_many_digits(a, b):
    """Add two doubles as decimals: in doubles if that is provably right, else in integers."""
    if not (abs(a) <= _LARGEST and abs(b) <= _LARGEST):
        return math.nan
    if a == -b:
        return 0.0
    decidable_a, correction_a, half_ulp_a = _decimal_correction(a)
    decidable_b, correction_b, half_ulp_b = _decimal_correction(b)
    if decidable_a and decidable_b:
        total = a + b
        b_part = total - a
        lost = (a - (total - b_part)) + (b - b_part)
        correction = lost + (correction_a + correction_b)
        margin = _MARGIN * (half_ulp_a + half_ulp_b)
        low = total + (correction - margin)
        if low == total + (correction + margin):
            return low
    return _sum_exactly(a, b)


@kernel
def _decimal_correction(x):
    """Return (found, shortest decimal of `x` minus `x`, half a unit in the last place of `x`)."""
    size = abs(x)
    fraction, exponent = math.frexp(size)
    # The size times 10**places lies in [1e16, 2e17): integers there are finer than the spacing of doubles.
    places = 16 - (((exponent - 1) * 1233) >> 12)
    # Below a power of two doubles are twice as dense: the interval is not symmetric there.
    if places < 0 or places > _MOST_EXACT_TENS or fraction == 0.5:
        return False, 0.0, 0.0
    power = _EXACT_TENS[places]

    # Dekker's product: size * power == product + rest, exactly.
    product = size * power
    t = _SPLITTER * size
    size_high = t - (t - size)
    size_low = size - size_high
    t = _SPLITTER * power
    power_high = t - (t - power)
    power_low = power - power_high
    rest = ((size_high * power_high - product) + size_high * power_low + size_low * power_high) + size_low * power_low

    half_ulp = math.ldexp(1.0, exponent - 54)
    radius = half_ulp * power
    low = rest - radius
    high = rest + radius
    if abs(low - np.rint(low)) < _NEAR_TIE or abs(high - np.rint(high)) < _NEAR_TIE:
        return False, 0.0, 0.0
    base = np.int64(product)
    first = base + np.int64(math.ceil(low))
    last = base + np.int64(math.floor(high))

    # At most one multiple of 100 fits: if it does, it is the shortest decimal, however many zeros it ends with.
    digits = last - last % 100
    if digits < first:
        step = 10 if last - last % 10 >= first else 1
        anchor = base - base % step
        offset = (float(base - anchor) + rest) / step
        nearest = np.rint(offset)
        if 0.5 - abs(offset - nearest) < _NEAR_TIE:
            return False, 0.0, 0.0
        digits = anchor + step * np.int64(nearest)
    correction = (float(digits - base) - rest) / power
    return True, (correction if x > 0.0 else -correction), half_ulp


@kernel
def _sum_exactly(a, b):
    """Add the shortest decimals of two doubles in integers."""
    limbs_a = np.zeros(_LIMBS, np.int64)
    limbs_b = np.zeros(_LIMBS, np.int64)
    digits_a, places_a = _shortest_decimal(abs(a), limbs_a)
    digits_b, places_b = _shortest_decimal(abs(b), limbs_a)
    places = max(places_a, places_b, 0)
    _set_limbs(limbs_a, digits_a)
    _multiply_by_ten_to(limbs_a, places - places_a)
    _set_limbs(limbs_b, digits_b)
    _multiply_by_ten_to(limbs_b, places - places_b)

    negative = a < 0.0
    if negative == (b < 0.0):
        _add_limbs(limbs_a, limbs_b, 1)
    elif _is_less(limbs_a, limbs_b):
        _add_limbs(limbs_b, limbs_a, -1)
        limbs_a = limbs_b
        negative = not negative
    else:
        _add_limbs(limbs_a, limbs_b, -1)

    places = _round_to_96_bits(limbs_a, places)
    if places < 0:
        return math.nan
    size = _nearest_double(limbs_a, places)
    return -size if negative and size != 0.0 else size


@kernel
def _shortest_decimal(x, limbs):
    """Return (digits, places): digits / 10**places is the shortest decimal of `x` >= 0, cut to 28 places."""
    # Less than half of 1e-28 is nothing, and its powers of ten would not fit.
    if x < 4e-29:
        return np.int64(0), np.int64(0)
    fraction, exponent = math.frexp(x)
    mantissa = np.int64(fraction * 9007199254740992.0)
    places = np.int64(16 - (((exponent - 1) * 1233) >> 12))
    even = mantissa % 2 == 0
    # In quarter units of the last place: halfway to both neighbours; below a power of two the lower is half as far.
    below = 1 if fraction == 0.5 else 2
    first, exact = _floor_of_decimal(4 * mantissa - below, exponent - 55, places, limbs)
    if not (exact and even):
        first += 1
    last, exact = _floor_of_decimal(4 * mantissa + 2, exponent - 55, places, limbs)
    if exact and not even:
        last -= 1
    twice, _ = _floor_of_decimal(8 * mantissa, exponent - 55, places, limbs)

    step = np.int64(1)
    while last - last % (10 * step) >= first:
        step *= 10
    digits = (twice + step) // (2 * step) * step
    # The nearest may lie outside only below a power of two.
    if digits < first:
        digits += step

    if places > _DECIMAL_PLACES:
        cut = _POWERS_OF_TEN[places - _DECIMAL_PLACES]
        digits = (digits + cut // 2) // cut
        places = np.int64(_DECIMAL_PLACES)
    return digits, places


@kernel
def _floor_of_decimal(n, twos, tens, limbs):
    """Return (floor, is exact) of n * 2**twos * 10**tens, a number below 2**62."""
    _set_limbs(limbs, n)
    shift = twos + tens
    exact = True
    if tens >= 0:
        _multiply_by_five_to(limbs, tens)
    if shift > 0:
        while shift > 0:
            _multiply(limbs, np.int64(1) << min(shift, 30))
            shift -= 30
    else:
        while shift < 0:
            exact = _divide(limbs, np.int64(1) << min(-shift, 30)) == 0 and exact
            shift += 30
    if tens < 0:
        exact = _divide_by_five_to(limbs, -tens) and exact
    return limbs[0] + (limbs[1] << _LIMB_BITS), exact


@kernel
def _round_to_96_bits(limbs, places):
    """Round to the most decimal places that fit 96 bits, half to even; return their number, negative if none fits."""
    digit = np.int64(0)
    rest = False
    while True:
        top = np.int64(0)
        for i in range(3, _LIMBS):
            top |= limbs[i]
        if top == 0:
            up = digit > 5 or (digit == 5 and (rest or limbs[0] % 2 == 1))
            full = limbs[0] == _LIMB_MASK and limbs[1] == _LIMB_MASK and limbs[2] == _LIMB_MASK
            if not up:
                return places
            if not full:
                _increment(limbs)
                return places
        rest = rest or digit != 0
        digit = _divide(limbs, np.int64(10))
        places -= 1


@kernel
def _nearest_double(limbs, places):
    """Return the double nearest to limbs / 10**places, for limbs below 2**96."""
    # 128 more bits: dividing by 5**28 leaves far more than the 54 that decide the rounding.
    for i in range(3):
        limbs[i + 4] = limbs[i]
    for i in range(4):
        limbs[i] = 0
    sticky = not _divide_by_five_to(limbs, places)
    i = _LIMBS - 1
    while i >= 0 and limbs[i] == 0:
        i -= 1
    if i < 0:
        return 0.0
    bits = np.int64(0)
    while limbs[i] >> bits != 0:
        bits += 1
    value = limbs[i]
    missing = 54 - bits
    exponent = i * _LIMB_BITS
    while missing > 0:
        i -= 1
        take = missing if missing < _LIMB_BITS else np.int64(_LIMB_BITS)
        dropped = _LIMB_BITS - take
        value = (value << take) | (limbs[i] >> dropped)
        sticky = sticky or limbs[i] & ((np.int64(1) << dropped) - 1) != 0
        exponent -= take
        missing -= take
    for j in range(i):
        sticky = sticky or limbs[j] != 0
    mantissa = value >> 1
    if value & 1 == 1 and (sticky or mantissa & 1 == 1):
        mantissa += 1
    return math.ldexp(float(mantissa), int(exponent + 1 - 128 - places))


@kernel
def _set_limbs(limbs, n):
    """Write `n` >= 0 into limbs of 32 bits, the lowest first."""
    limbs[0] = n & _LIMB_MASK
    limbs[1] = n >> _LIMB_BITS
    for i in range(2, _LIMBS):
        limbs[i] = 0


@kernel
def _multiply(limbs, factor):
    """Multiply in place by a factor below 2**31."""
    carry = np.int64(0)
    for i in range(_LIMBS):
        t = limbs[i] * factor + carry
        limbs[i] = t & _LIMB_MASK
        carry = t >> _LIMB_BITS


@kernel
def _divide(limbs, divisor):
    """Divide in place by a divisor below 2**31, return the remainder."""
    rest = np.int64(0)
    for i in range(_LIMBS - 1, -1, -1):
        t = (rest << _LIMB_BITS) | limbs[i]
        limbs[i] = t // divisor
        rest = t - limbs[i] * divisor
    return rest


@kernel
def _multiply_by_five_to(limbs, power):
    """Multiply in place by 5**power."""
    while power > 0:
        part = min(power, _MOST_FIVES)
        _multiply(limbs, _POWERS_OF_FIVE[part])
        power -= part


@kernel
def _divide_by_five_to(limbs, power):
    """Divide in place by 5**power, return whether nothing was left over."""
    exact = True
    while power > 0:
        part = min(power, _MOST_FIVES)
        exact = _divide(limbs, _POWERS_OF_FIVE[part]) == 0 and exact
        power -= part
    return exact


@kernel
def _multiply_by_ten_to(limbs, power):
    """Multiply in place by 10**power."""
    while power > 0:
        part = min(power, 9)
        _multiply(limbs, _POWERS_OF_TEN[part])
        power -= part


@kernel
def _add_limbs(limbs, other, sign):
    """Add `other` to `limbs` in place, or subtract it (sign -1) where it is not larger."""
    carry = np.int64(0)
    for i in range(_LIMBS):
        t = limbs[i] + sign * other[i] + carry
        limbs[i] = t & _LIMB_MASK
        carry = t >> _LIMB_BITS


@kernel
def _increment(limbs):
    """Add one in place."""
    carry = np.int64(1)
    for i in range(_LIMBS):
        t = limbs[i] + carry
        limbs[i] = t & _LIMB_MASK
        carry = t >> _LIMB_BITS


@kernel
def _is_less(limbs, other):
    """Return whether `limbs` is the smaller of two numbers."""
    for i in range(_LIMBS - 1, -1, -1):
        if limbs[i] != other[i]:
            return limbs[i] < other[i]
    return False
