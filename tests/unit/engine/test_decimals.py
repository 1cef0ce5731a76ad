import json
import math
import os
import random
import struct
import subprocess
import sys

import naive_decimals
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fastbt.engine.decimals import _subtract_floats, _sum_exactly, _sum_floats

# Sizes from far below the 28th decimal place to the end of Jesse's decimals.
wide = st.builds(
    lambda digits, exponent, sign: float(f"{sign}{digits}e{exponent}"),
    st.integers(0, 10**17),
    st.integers(-50, 11),
    st.sampled_from(["", "-"]),
)
quantities = st.builds(
    lambda units, places, sign: sign * units / 10**places,
    st.integers(0, 10**7),
    st.integers(0, 8),
    st.sampled_from([1, -1]),
)
products = st.builds(lambda a, b: a * b, quantities, quantities)
any_double = st.floats(allow_nan=True, allow_infinity=True)


def bits(x):
    return struct.pack("<d", x)


def check(a, b, kernels=(_sum_floats,)):
    expected = naive_decimals.sum_floats(a, b)
    for kernel in kernels:
        actual = kernel(a, b)
        if expected is None:
            assert math.isnan(actual)
        else:
            assert bits(actual) == bits(expected), (a, b, actual, expected)


@settings(max_examples=300)
@given(quantities, quantities)
@example(0.1, 0.2)
@example(0.3, -0.1)
def test_sum_floats__equals_naive_on_quantities(a, b):
    check(a, b, (_sum_floats, _sum_exactly))


@settings(max_examples=500)
@given(products, products)
@example(0.123 * 3456.78, -0.123 * 3456.78 * 0.3)
@example(588388652794109.2, 0.0625)  # the decimal is a tie: Rust takes the larger
@example(1363621707305495.2, -0.125)
def test_sum_floats__equals_naive_on_products(a, b):
    check(a, b, (_sum_floats, _sum_exactly))


@settings(max_examples=1000)
@given(wide, wide)
@example(13522987986828.883, 84743.374)  # 17 digits that look like three decimals
@example(9007199254740994.0, 0.9999999999995)  # the 29th digit is a 5 after an odd one
@example(9007199254740992.0, 1.0000000000005)
@example(79228162514264336.0, -2.4064560496645)  # rounding up reaches 2**96, so one more digit goes
@example(5e-29, 0.0)
@example(4.9e-29, 0.0)
@example(2.5e-28, -1e-28)
@example(7.922816251426433e28, 0.0)
@example(-5e28, 1e-28)
@example(-4e28, 3.9e28)
@example(9007199254740992.0, 1.0000000000000002)  # 96 bits cut the sum to a tie of doubles
@example(float(2**90), 2.0**-90)
def test_sum_floats__equals_naive_on_wide_exponents(a, b):
    check(a, b, (_sum_floats, _sum_exactly))


@given(any_double, any_double)
def test_sum_floats__equals_naive_on_any_double(a, b):
    check(a, b)


@given(st.integers(-96, 95), st.integers(-96, 95), st.integers(-2, 2))
def test_sum_floats__equals_naive_around_powers_of_two(power, other, steps):
    a = 2.0**power
    for _ in range(abs(steps)):
        a = math.nextafter(a, math.inf if steps > 0 else 0.0)
    check(a, 2.0**other, (_sum_floats, _sum_exactly))
    check(a, -(2.0**power), (_sum_floats, _sum_exactly))


@given(products | wide, st.integers(1, 40))
def test_sum_floats__equals_naive_after_cancellation(a, steps):
    b = a
    for _ in range(steps):
        b = math.nextafter(b, math.inf)
    check(a, -b, (_sum_floats, _sum_exactly))


@given(wide | products, wide | products)
def test_subtract_floats__adds_the_negative(a, b):
    assert bits(_subtract_floats(a, b)) == bits(_sum_floats(a, -b))
    assert bits(_sum_floats(a, b)) == bits(_sum_floats(b, a))


@pytest.mark.parametrize("a", [0.0, -0.0, 1.0, 0.1, -4.7e-13, 1 / 3, 6.02e23])
def test_subtract_floats__of_itself_is_positive_zero(a):
    assert bits(_subtract_floats(a, a)) == bits(0.0)


@pytest.mark.parametrize(
    "a, b", [(0.0, 0.0), (-0.0, -0.0), (-0.0, 0.0), (-1e-30, 0.0), (-1e-30, -1e-30), (-5e-324, 0.0)]
)
def test_sum_floats__nothing_is_positive_zero(a, b):
    assert bits(_sum_floats(a, b)) == bits(0.0)


@pytest.mark.parametrize("a, b", [(math.nan, 1.0), (1.0, math.inf), (7.922816251426434e28, -1e28), (7.9e28, 1e28)])
def test_sum_floats__out_of_range_is_nan(a, b):
    assert math.isnan(_sum_floats(a, b))
    assert math.isnan(_subtract_floats(a, -b))
    assert naive_decimals.sum_floats(a, b) is None


def random_pairs(n):
    """Pairs of every kind; a third lies where only the integer path can decide."""
    random_state = random.Random(20240607)
    pairs = [
        (9007199254740994.0, 0.9999999999995),
        (9007199254740992.0, 1.0000000000005),
        (79228162514264336.0, -2.4064560496645),
        (7.922816251426433e28, -2.5e-28),
        (588388652794109.2, 0.0625),
        (-0.0, -0.0),
    ]
    while len(pairs) < n:
        kind = random_state.randrange(6)
        sign = random_state.choice([1, -1])
        if kind == 0:
            a, b = round(random_state.uniform(0, 100), 3), sign * round(random_state.uniform(0, 100), 3)
        elif kind == 1:
            a = round(random_state.random(), 3) * round(random_state.uniform(1, 5000), 2)
            b = sign * a * random_state.choice([0.5, 0.25, 0.3, 1 / 3, 0.9, 0.99999])
        elif kind == 2:
            a, b = (random_state.random() * 10 ** random_state.uniform(-32, 28) for _ in "ab")
            b *= sign
        elif kind == 3:
            a = 2.0 ** random_state.randrange(-96, 95)
            b = sign * math.nextafter(2.0 ** random_state.randrange(-96, 95), random_state.choice([0.0, 1e30]))
        elif kind == 4:
            a = float(2**53 + 2 * random_state.randrange(2**50)) * 2.0 ** random_state.randrange(-20, 35)
            b = sign * math.ulp(a) / 2 * (1 + random_state.choice([-1, 0, 1]) * 10 ** random_state.uniform(-16, -1))
        else:
            a = random_state.uniform(0.001, 1000)
            b = -a * (1 + sign * random_state.randrange(1, 9) * 2.0**-52)
        # A sum past the range aborts the process in Jesse, so it is asked only for what it can answer.
        if naive_decimals.sum_floats(a, b) is not None and naive_decimals.sum_floats(a, -b) is not None:
            pairs.append((a, b))
    return pairs


@pytest.mark.jesse
def test_sum_floats__equals_jesse(tmp_path):
    pairs = random_pairs(20_000)
    program = (
        "import json, sys\n"
        "from jesse.utils import subtract_floats, sum_floats\n"
        "pairs = json.load(sys.stdin)\n"
        "json.dump([(sum_floats(a, b), subtract_floats(a, b)) for a, b in pairs], sys.stdout)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "JESSE_CACHE_DIR": str(tmp_path)},
    )
    expected = json.loads(answer.stdout)
    assert len(expected) == 20_000
    wrong = [
        (a, b)
        for (a, b), (total, difference) in zip(pairs, expected, strict=True)
        if bits(_sum_floats(a, b)) != bits(total) or bits(_subtract_floats(a, b)) != bits(difference)
    ]
    assert wrong == []
