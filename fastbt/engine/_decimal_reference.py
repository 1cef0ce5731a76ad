"""Jesse's decimal addition in plain Python: the definition that the compiled version is tested against.

Jesse adds quantities (and, in spot, balances) as decimal numbers, so that 0.1 + 0.2 is 0.3. The rule, found by
comparing with Jesse's native function:

1. An operand becomes the shortest decimal that reads back as the same double. Where two decimals of that length lie
   equally near, the one farther from zero wins (Python's ``repr`` takes the even one: ``repr(624405783455681.25)`` ends
   in ``.2``, Jesse's ends in ``.3``). It is then rounded half up to 28 decimal places.
2. The sum is exact as long as its digits fit 96 bits; a longer one loses its last digits, rounded half to even.
3. The result is the double nearest to that.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

# Enough for the exact value of any double in range plus 28 places: no operation below may round by itself.
_EXACT = Context(prec=1100)
_MAX_PLACES = 28
_LAST_PLACE = Decimal(1).scaleb(-_MAX_PLACES)
_MANTISSA_LIMIT = 2**96


def _shortest_decimal(value: float) -> Decimal:
    if not math.isfinite(value):
        raise ValueError(f"a decimal sum wants finite numbers; the operand was {value}")
    shortest = Decimal(repr(value))
    last_digit = Decimal(1).scaleb(int(shortest.as_tuple().exponent))
    if _EXACT.subtract(abs(Decimal(value)), abs(shortest)) == last_digit / 2:
        shortest = _EXACT.add(shortest, last_digit.copy_sign(shortest))
    if -int(shortest.as_tuple().exponent) > _MAX_PLACES:
        shortest = shortest.quantize(_LAST_PLACE, rounding=ROUND_HALF_UP, context=_EXACT)
    if abs(shortest) >= _MANTISSA_LIMIT:
        raise ValueError(f"a decimal sum wants numbers below 7.9e28; the operand was {value}")
    return shortest


def _fit_96_bits(value: Decimal) -> Decimal:
    places = -int(value.as_tuple().exponent)
    while abs(value.scaleb(places, context=_EXACT)) >= _MANTISSA_LIMIT:
        if places <= 0:
            raise ValueError(f"a decimal sum left the range of 96 bits: {value}")
        places -= 1
        # Rounding starts from the exact sum every time: rounding digit by digit would round twice.
        shorter = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN, context=_EXACT)
        if abs(shorter.scaleb(places, context=_EXACT)) < _MANTISSA_LIMIT:
            return shorter
    return value


def sum_floats(float1: float, float2: float) -> float:
    """Return `float1 + float2`, added as decimals.

    Parameters
    ----------
    float1, float2 : float
        Finite, below 7.9e28 in magnitude.

    Returns
    -------
    float
        The double nearest to the decimal sum.

    Raises
    ------
    ValueError
        If an operand is not finite or out of range.

    References
    ----------
    .. [1] ``jesse.utils.sum_floats`` of Jesse 3.5.3.

    Examples
    --------
    >>> 0.1 + 0.2, sum_floats(0.1, 0.2)
    (0.30000000000000004, 0.3)
    """
    total = _EXACT.add(_shortest_decimal(float(float1)), _shortest_decimal(float(float2)))
    # Jesse's decimals know no negative zero.
    return float(_fit_96_bits(total)) or 0.0


def subtract_floats(float1: float, float2: float) -> float:
    """Return `float1 - float2`, subtracted as decimals.

    Parameters
    ----------
    float1, float2 : float
        Finite, below 7.9e28 in magnitude.

    Returns
    -------
    float
        The double nearest to the decimal difference.

    Raises
    ------
    ValueError
        If an operand is not finite or out of range.

    References
    ----------
    .. [1] ``jesse.utils.subtract_floats`` of Jesse 3.5.3.

    Examples
    --------
    >>> 0.3 - 0.1, subtract_floats(0.3, 0.1)
    (0.19999999999999998, 0.2)
    """
    return sum_floats(float1, -float2)
