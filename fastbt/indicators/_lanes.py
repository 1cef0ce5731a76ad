# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,misc"
"""Several numbers as one: a vector register's worth, for kernels of several argument lists side by side.

Every operation is done to each number as alone, in IEEE arithmetic, so no bit depends on how many go together. Only
generated modules import this: numba would ask it about every addition that it compiles.
"""

import operator
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, overload, register_model

from fastbt._jit import kernel
from fastbt.indicators._in_blocks import BLOCK
from fastbt.indicators._in_lanes import WIDTH

_VECTOR: Final = ir.VectorType(ir.DoubleType(), WIDTH)
_MASK: Final = ir.VectorType(ir.IntType(1), WIDTH)
_BITS: Final = ir.VectorType(ir.IntType(64), WIDTH)
_INT32: Final = ir.IntType(32)


class _Lanes(types.Type):
    """Numbers."""

    def __init__(self):
        super().__init__(name=f"Lanes{WIDTH}")


class _Truths(types.Type):
    """Whether something holds for each."""

    def __init__(self):
        super().__init__(name=f"Truths{WIDTH}")


LANES: Final[Any] = _Lanes()
TRUTHS: Final[Any] = _Truths()


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, of):
        super().__init__(manager, of, _VECTOR)


@register_model(_Truths)
class _TruthsModel(models.PrimitiveModel):
    def __init__(self, manager, of):
        super().__init__(manager, of, _MASK)


def _as_lanes(context, builder, value, of):
    """Return a number as often as there are lanes, or lanes as they are."""
    if of == LANES:
        return value
    value = context.cast(builder, value, of, types.float64)
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, _INT32(0))
    everywhere = ir.Constant(ir.VectorType(_INT32, WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), everywhere)


def _is_number(of):
    return of == LANES or isinstance(of, types.Float | types.Integer | types.Boolean)


def _made_by(build, arity, result=LANES):
    """Return an intrinsic of lanes and numbers."""

    def generate(context, builder, signature, arguments):
        return build(
            builder, *(_as_lanes(context, builder, *each) for each in zip(arguments, signature.args, strict=True))
        )

    if arity == 1:

        @intrinsic
        def one(_, a):
            return result(a), generate

        return one

    @intrinsic
    def two(_, a, b):
        return result(a, b), generate

    return two


def _overloads(function, build, arity=2, result=LANES):
    made = _made_by(build, arity, result)
    if arity == 1:

        @overload(function, inline="never")
        def of_one(a):
            if a == LANES:
                return lambda a: made(a)
            return None

    else:

        @overload(function, inline="never")
        def of_two(a, b):
            if LANES in (a, b) and _is_number(a) and _is_number(b):
                return lambda a, b: made(a, b)
            return None


def _comparing(how):
    def build(builder, a, b):
        return (builder.fcmp_unordered if how == "!=" else builder.fcmp_ordered)(how, a, b)

    return build


def _negated(builder, a):
    return builder.fneg(a)


def _absolute(builder, a):
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.fabs.v{WIDTH}f64"
    )
    return builder.call(function, [a])


def _root(builder, a):
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.sqrt.v{WIDTH}f64"
    )
    return builder.call(function, [a])


for _operator, _build in (
    (operator.add, lambda builder, a, b: builder.fadd(a, b)),
    (operator.sub, lambda builder, a, b: builder.fsub(a, b)),
    (operator.mul, lambda builder, a, b: builder.fmul(a, b)),
    (operator.truediv, lambda builder, a, b: builder.fdiv(a, b)),
):
    _overloads(_operator, _build)
for _operator, _how in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.eq, "=="),
    (operator.ne, "!="),
):
    _overloads(_operator, _comparing(_how), result=TRUTHS)
_overloads(operator.neg, _negated, 1)
_overloads(abs, _absolute, 1)
_overloads(np.sqrt, _root, 1)
_overloads(np.isnan, lambda builder, a: builder.fcmp_unordered("uno", a, a), 1, TRUTHS)


@intrinsic
def lanes_of(_, values):
    """Return numbers, a tuple of as many as there are lanes, as one."""

    def generate(context, builder, signature, arguments):
        made = ir.Constant(_VECTOR, ir.Undefined)
        for k, each in enumerate(signature.args[0].types):
            value = context.cast(builder, builder.extract_value(arguments[0], k), each, types.float64)
            made = builder.insert_element(made, value, _INT32(k))
        return made

    if not isinstance(values, types.BaseTuple) or len(values) != WIDTH:
        return None
    return LANES(values), generate


@intrinsic
def lanes_everywhere(_, value):
    """Return a number as often as there are lanes."""

    def generate(context, builder, signature, arguments):
        return _as_lanes(context, builder, arguments[0], signature.args[0])

    return LANES(value), generate


@intrinsic
def lane_of(_, values, k):
    """Return one of them."""

    def generate(context, builder, signature, arguments):
        return builder.extract_element(arguments[0], builder.trunc(arguments[1], _INT32))

    return types.float64(values, types.int64), generate


@intrinsic
def lanes_where(_, truths, a, b):
    """Return `a` where something holds, else `b`."""

    def generate(context, builder, signature, arguments):
        of_a, of_b = (
            _as_lanes(context, builder, *each) for each in zip(arguments[1:], signature.args[1:], strict=True)
        )
        return builder.select(arguments[0], of_a, of_b)

    return LANES(truths, a, b), generate


def _joining(build):
    @intrinsic
    def joined(_, a, b):
        def generate(context, builder, signature, arguments):
            return build(builder, *arguments)

        return TRUTHS(TRUTHS, TRUTHS), generate

    return joined


lanes_both = _joining(lambda builder, a, b: builder.and_(a, b))
lanes_either = _joining(lambda builder, a, b: builder.or_(a, b))


@intrinsic
def lanes_not(_, truths):
    """Return the opposite of each."""

    def generate(context, builder, signature, arguments):
        return builder.not_(arguments[0])

    return TRUTHS(TRUTHS), generate


# --- quotients -------------------------------------------------------------------------------------------------------
#: Magnitudes between which no step of a division by multiplications can overflow, or lose digits at the lower end.
LEAST, MOST = 2.0**-400, 2.0**400


def _has_fused_multiply_add(context):
    """Tell whether the processor multiplies and adds with one rounding; to imitate it takes a hundred times as long."""
    triple, _, features = context.codegen().magic_tuple()
    return "+fma" in features.split(",") or triple.startswith(("aarch64", "arm64"))


def _fused(builder, a, b, c):
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), f"llvm.fma.v{WIDTH}f64"
    )
    return builder.call(function, [a, b, c])


def _as_vector(value):
    return ir.Constant(_VECTOR, [value] * WIDTH)


def _lanes_or_float(of):
    return LANES if of == LANES else types.float64


def _inverse(context, builder, divisor, of):
    """Return one over the divisors as lanes: not a number where a division by multiplications might go wrong."""
    if of == LANES:
        whole, least, most, unknown = _as_vector(1.0), _as_vector(LEAST), _as_vector(MOST), _as_vector(float("nan"))
        size = _absolute(builder, divisor)
    else:
        divisor = context.cast(builder, divisor, of, types.float64)
        whole, least, most, unknown = (ir.Constant(ir.DoubleType(), each) for each in (1.0, LEAST, MOST, float("nan")))
        absolute = ir.FunctionType(ir.DoubleType(), [ir.DoubleType()])
        size = builder.call(cgutils.get_or_insert_function(builder.module, absolute, "llvm.fabs.f64"), [divisor])
    fits = builder.and_(builder.fcmp_ordered(">=", size, least), builder.fcmp_ordered("<=", size, most))
    return _as_lanes(context, builder, builder.select(fits, builder.fdiv(whole, divisor), unknown), _lanes_or_float(of))


def _all(builder, truths):
    """Tell whether something holds for all numbers."""
    every = ir.Constant(ir.IntType(WIDTH), 2**WIDTH - 1)
    return builder.icmp_unsigned("==", builder.bitcast(truths, ir.IntType(WIDTH)), every)


def _unless(builder, fits, usual, otherwise):
    """Return a value, or what is made where it does not fit, which is seldom."""
    before = builder.block
    with builder.if_then(builder.not_(fits), likely=False):
        other = otherwise()
        after = builder.block
    made = builder.phi(_VECTOR)
    made.add_incoming(usual, before)
    made.add_incoming(other, after)
    return made


def _quotients(builder, a, b, inverse, is_short):
    """Divide by multiplications, to the same bits; the divider, which is slow, does what is out of their range.

    With `y` the rounded inverse of `b`, and every operation rounded once: `q = a * y` is less than two units in the
    last place off. `q1 = q + (a - b * q) * y` differs from `a / b` by at most 2**-103 of it before it is rounded, so it
    is one of the two neighbours of `a / b`, and `a - b * q1` is exact. `q2 = q1 + (a - b * q1) * y` is the rounded
    quotient (Markstein's theorem): before it is rounded it differs from `a / b` by less than `a / b` does from the
    nearest point in the middle between two numbers.

    A divisor is short if it is an odd number below 2**45 times a power of two, as periods are. Then `a / b` is at least
    2**-99 of itself away from such a point, and `q1` is the rounded quotient already.
    """
    opposite = builder.fneg(b)
    first = builder.fmul(a, inverse)

    def nearer(quotient):
        return _fused(builder, _fused(builder, opposite, quotient, a), inverse, quotient)

    once = nearer(first)
    quotient = nearer(once) if is_short is None else _unless(builder, is_short, once, lambda: nearer(once))
    # Twice the bits leave out the sign; less the least of them, what is harmless is below a number, all else above.
    bits = builder.bitcast(first, _BITS)
    shifted = builder.sub(builder.add(bits, bits), ir.Constant(_BITS, [2 * _bits_of(LEAST)] * WIDTH))
    span = ir.Constant(_BITS, [2 * (_bits_of(MOST) - _bits_of(LEAST))] * WIDTH)
    fits = _all(builder, builder.icmp_unsigned("<=", shifted, span))
    return _unless(builder, fits, quotient, lambda: builder.fdiv(a, b))


def _bits_of(value):
    return int(np.float64(value).view(np.int64))


def _divided(stays):
    @intrinsic
    def divided(_, a, b):
        def generate(context, builder, signature, arguments):
            made, by = (_as_lanes(context, builder, *each) for each in zip(arguments, signature.args, strict=True))
            if not _has_fused_multiply_add(context):
                return builder.fdiv(made, by)
            inverse = _inverse(context, builder, arguments[1], signature.args[1])
            is_short = None
            if stays:
                rest = builder.and_(builder.bitcast(by, _BITS), ir.Constant(_BITS, [255] * WIDTH))
                is_short = _all(builder, builder.icmp_unsigned("==", rest, ir.Constant(_BITS, [0] * WIDTH)))
            return _quotients(builder, made, by, inverse, is_short)

        return LANES(a, b), generate

    return divided


@intrinsic
def lanes_quotients(_, a, b, inverse):
    """Return quotients, to the bit, with the rounded inverses of the divisors: NaN for those out of range."""

    def generate(context, builder, signature, arguments):
        if not _has_fused_multiply_add(context):
            return builder.fdiv(arguments[0], arguments[1])
        a, b, inverse = arguments
        return _quotients(builder, a, b, inverse, None)

    return LANES(LANES, LANES, LANES), generate


#: Quotients, to the bit, where the divisor is used again: by other lists or in another division of the same row, or
#: (`lanes_divided`) at all rows.
lanes_divided, lanes_divided_now = _divided(True), _divided(False)


# --- blocks of rows --------------------------------------------------------------------------------------------------
_INT64: Final = ir.IntType(64)


def _address(context, builder, array, of, place):
    """Return where an element of an array of one dimension is."""
    struct = context.make_array(of)(context, builder, array)
    if of.layout == "C":
        return cgutils.gep_inbounds(builder, struct.data, place)
    stride = cgutils.unpack_tuple(builder, struct.strides, 1)[0]
    return cgutils.pointer_add(builder, struct.data, builder.mul(stride, place))


def _row_of_block(context, builder, block, of, row):
    """Return where a row of a block is."""
    first = _address(context, builder, block, of, builder.mul(row, _INT64(WIDTH)))
    return builder.bitcast(first, _VECTOR.as_pointer())


@intrinsic
def lanes_put(_, block, row, values):
    """Write a row of a block."""

    def generate(context, builder, signature, arguments):
        where = _row_of_block(context, builder, arguments[0], signature.args[0], arguments[1])
        builder.store(_as_lanes(context, builder, arguments[2], signature.args[2]), where, align=8)
        return context.get_dummy_value()

    return types.void(block, types.int64, values), generate


@intrinsic
def lanes_taken(_, block, row):
    """Return a row of a block."""

    def generate(context, builder, signature, arguments):
        where = _row_of_block(context, builder, arguments[0], signature.args[0], arguments[1])
        return builder.load(where, align=8)

    return LANES(block, types.int64), generate


def _transposed(builder, rows):
    """Return the columns of as many rows as there are lanes: ones, then pairs, then fours change places."""
    step = 1
    while step < WIDTH:
        made = list(rows)
        for i in range(WIDTH):
            if i & step:
                continue
            for into, bit in ((i, 0), (i | step, step)):
                lanes = [
                    (lane & ~step) | bit if not lane & step else WIDTH + ((lane & ~step) | bit) for lane in range(WIDTH)
                ]
                mask = ir.Constant(ir.VectorType(_INT32, WIDTH), lanes)
                made[into] = builder.shuffle_vector(rows[i], rows[i | step], mask)
        rows = made
        step *= 2
    return rows


def _moving(several, outwards):
    """Return an intrinsic that moves one row of a block, or as many as there are lanes, to or from lists' arrays."""

    def generate(context, builder, signature, arguments):
        block, row, arrays, places = arguments
        of_block, _, of_arrays, _ = signature.args
        of = [of_arrays[k] for k in range(WIDTH)]
        at = [builder.add(builder.extract_value(places, k), row) for k in range(WIDTH)]
        array = [builder.extract_value(arrays, k) for k in range(WIDTH)]
        count = WIDTH if several else 1
        where = _row_of_block(context, builder, block, of_block, row)
        rows = [builder.gep(where, [_INT32(j)]) for j in range(count)]

        def element(k, j):
            return _address(context, builder, array[k], of[k], builder.add(at[k], _INT64(j)))

        def is_vector(k):
            return several and of[k].layout == "C"

        if outwards:
            values = [builder.load(each, align=8) for each in rows]
            values = _transposed(builder, values) if several else values
            for k in range(WIDTH):
                if is_vector(k):
                    builder.store(values[k], builder.bitcast(element(k, 0), _VECTOR.as_pointer()), align=8)
                    continue
                for j in range(count):
                    one = builder.extract_element(*((values[k], _INT32(j)) if several else (values[0], _INT32(k))))
                    builder.store(one, element(k, j))
            return context.get_dummy_value()
        lists = []
        for k in range(WIDTH):
            if is_vector(k):
                lists.append(builder.load(builder.bitcast(element(k, 0), _VECTOR.as_pointer()), align=8))
                continue
            made = ir.Constant(_VECTOR, ir.Undefined)
            for j in range(count):
                made = builder.insert_element(made, builder.load(element(k, j)), _INT32(j))
            lists.append(made)
        if several:
            values = _transposed(builder, lists)
        else:
            made = ir.Constant(_VECTOR, ir.Undefined)
            for k in range(WIDTH):
                made = builder.insert_element(made, builder.extract_element(lists[k], _INT32(0)), _INT32(k))
            values = [made]
        for value, each in zip(values, rows, strict=True):
            builder.store(value, each, align=8)
        return context.get_dummy_value()

    @intrinsic
    def moved(_, block, row, arrays, places):
        return types.void(block, types.int64, arrays, places), generate

    return moved


_rows_out, _row_out = _moving(True, True), _moving(False, True)
_rows_in, _row_in = _moving(True, False), _moving(False, False)


@kernel
def lanes_out(block, rows, arrays, places):
    """Write the rows of a block into arrays of the lists, from a place in each on."""
    whole = rows - rows % WIDTH
    for row in range(0, whole, WIDTH):
        _rows_out(block, row, arrays, places)
    for row in range(whole, rows):
        _row_out(block, row, arrays, places)


@kernel
def lanes_in(block, rows, arrays, places):
    """Read the rows of a block from arrays of the lists, from a place in each on."""
    whole = rows - rows % WIDTH
    for row in range(0, whole, WIDTH):
        _rows_in(block, row, arrays, places)
    for row in range(whole, rows):
        _row_in(block, row, arrays, places)


@kernel
def lanes_block():
    """Return room for a block of rows."""
    return np.empty(BLOCK * WIDTH)
