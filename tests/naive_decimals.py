"""Jesse's decimal addition in plain Python integers and fractions: the rule of fastbt/engine/decimals.py."""

from decimal import Decimal
from fractions import Fraction

CAPACITY = 2**96
PLACES = 28


def shortest_decimal(x):
    """(digits, places) of the shortest decimal that reads back as `x`, the larger one of a tie, cut to 28 places."""
    sign, digit_tuple, exponent = Decimal(repr(float(x))).as_tuple()
    digits = int("".join(map(str, digit_tuple)))
    exact_digits = Fraction(abs(x)) / Fraction(10) ** exponent
    if exact_digits % 1 == Fraction(1, 2):
        larger = int(exact_digits) + 1
        if float(larger * Fraction(10) ** exponent) == abs(x):
            digits = larger
    if exponent > 0:
        digits *= 10**exponent
        exponent = 0
    if exponent < -PLACES:
        cut = 10 ** (-PLACES - exponent)
        digits = (digits + cut // 2) // cut
        exponent = -PLACES
    return -digits if sign else digits, -exponent


def fit_96_bits(digits, places):
    """Drop as few decimal places as needed, rounding half to even; None if the number itself is too large."""
    size = abs(digits)
    for dropped in range(places + 1):
        rounded = round(Fraction(size, 10**dropped))
        if rounded < CAPACITY:
            return (rounded if digits > 0 else -rounded), places - dropped
    return None


def sum_floats(a, b):
    """Jesse's sum, or None where Jesse raises ValueError or aborts."""
    if not (abs(a) < 1e29 and abs(b) < 1e29):
        return None
    digits_a, places_a = shortest_decimal(a)
    digits_b, places_b = shortest_decimal(b)
    if abs(digits_a) >= CAPACITY or abs(digits_b) >= CAPACITY:
        return None
    places = max(places_a, places_b)
    fitted = fit_96_bits(digits_a * 10 ** (places - places_a) + digits_b * 10 ** (places - places_b), places)
    return None if fitted is None else float(Fraction(fitted[0], 10 ** fitted[1]))
