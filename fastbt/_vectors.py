# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Sixteen comparisons at once: what numba does not find by itself in a loop, written in LLVM's terms."""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np

from fastbt._jit import jit_disabled

#: Numbers that are compared at once, and how many rows of as many numbers a block has.
LANES: Final = 16
ROWS: Final = 3


def _reached_in_python(blocks, number, low, high):
    """Return the bits of the lanes of a block whose first row is at most `low` or second at least `high`."""
    bits = 0
    for i in range(LANES):
        if blocks[number, 0, i] <= low or blocks[number, 1, i] >= high:
            bits |= 1 << i
    return np.uint64(bits)


def _lowest_bit_in_python(bits):
    """Return the number of the lowest bit that is set."""
    return np.uint64((int(bits) & -int(bits)).bit_length() - 1)


def _prefetch_in_python(blocks, number):
    """Let the processor fetch the first two rows of a block into its cache."""


def _prefetch_number_in_python(array, number):
    """Let the processor fetch a number or record of an array, counted as they lie in memory."""


def _prefetch_to_write_in_python(array, number):
    """Let the processor fetch a number or record of an array, counted as they lie in memory, that is written soon."""


def _occupied_in_python(numbers, at):
    """Return the bits of those of the sixteen `numbers` from `at` on that are not 0."""
    return np.uint64(sum(1 << i for i, each in enumerate(numbers[at : at + LANES]) if each != 0))


def _lower_in_python(numbers, at, limit):
    """Return the bits of those of the sixteen `numbers` from `at` on that are less than a limit."""
    return np.uint64(sum(1 << i for i, each in enumerate(numbers[at : at + LANES]) if each < limit))


def _extremes_in_python(blocks, number, first, last):
    """Return the lowest of the lanes [first, last) of the first row of a block, and the highest of the second."""
    lows, highs = blocks[number, 0, first:last].tolist(), blocks[number, 1, first:last].tolist()
    return min(lows, default=np.inf), max(highs, default=-np.inf)


def _extremes_of_three_in_python(blocks, a, a_first, a_last, b, b_first, b_last, above, c, c_first, c_last):
    """Return the extremes of lanes of two blocks and of one of others."""
    found = (
        _extremes_in_python(blocks, a, a_first, a_last),
        _extremes_in_python(blocks, b, b_first, b_last),
        _extremes_in_python(above, c, c_first, c_last),
    )
    return min(low for low, _ in found), max(high for _, high in found)


def _intrinsics() -> tuple[Any, ...]:
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    lanes = ir.VectorType(ir.DoubleType(), LANES)
    word = ir.IntType(64)

    def everywhere(builder, number):
        """Return a vector that holds one number in all lanes."""
        nothing = ir.Constant(ir.VectorType(number.type, LANES), ir.Undefined)
        first = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(first, nothing, zeros)

    def block_of(builder, array, number):
        """Return where a block begins."""
        start = builder.bitcast(array.data, ir.DoubleType().as_pointer())
        return builder.gep(start, [builder.mul(number, ir.Constant(word, ROWS * LANES))])

    def load(builder, place):
        loaded = builder.load(builder.bitcast(place, lanes.as_pointer()))
        loaded.align = 8
        return loaded

    def fetch(builder, place, *, to_write):
        """Ask for what lies at a place to be in the cache."""
        option, bytes_ = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [bytes_, option, option, option])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        options = (ir.Constant(option, each) for each in (int(to_write), 3, 1))
        builder.call(function, [builder.bitcast(place, bytes_), *options])

    @cast(Any, intrinsic)
    def reached(typing_context, blocks, number, low, high):
        signature = types.uint64(blocks, types.uint64, types.float64, types.float64)

        def generate(context, builder, signature, arguments):
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            lows = block_of(builder, array, arguments[1])
            highs = builder.gep(lows, [ir.Constant(word, LANES)])
            low = builder.fcmp_ordered("<=", load(builder, lows), everywhere(builder, arguments[2]))
            high = builder.fcmp_ordered(">=", load(builder, highs), everywhere(builder, arguments[3]))
            bits = builder.bitcast(builder.or_(low, high), ir.IntType(LANES))
            return builder.zext(bits, word)

        return signature, generate

    @cast(Any, intrinsic)
    def lowest_bit(typing_context, bits):
        def generate(context, builder, signature, arguments):
            return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

        return types.uint64(types.uint64), generate

    @cast(Any, intrinsic)
    def prefetch(typing_context, blocks, number):
        def generate(context, builder, signature, arguments):
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            start = block_of(builder, array, arguments[1])
            for line in range(0, 2 * LANES, 8):
                fetch(builder, builder.gep(start, [ir.Constant(word, line)]), to_write=False)
            return context.get_dummy_value()

        return types.none(blocks, types.uint64), generate

    def fetching(*, to_write):
        def one_number(typing_context, array, number):
            def generate(context, builder, signature, arguments):
                made = context.make_array(signature.args[0])(context, builder, arguments[0])
                fetch(builder, builder.gep(made.data, [arguments[1]]), to_write=to_write)
                return context.get_dummy_value()

            return types.none(array, types.uint64), generate

        return cast(Any, intrinsic)(one_number)

    prefetch_number, prefetch_to_write = fetching(to_write=False), fetching(to_write=True)

    @cast(Any, intrinsic)
    def occupied(typing_context, numbers, at):
        def generate(context, builder, signature, arguments):
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            (n,) = cgutils.unpack_tuple(builder, array.shape, 1)
            width = signature.args[0].dtype.bitwidth
            kind = ir.VectorType(ir.IntType(width), LANES)
            place = builder.gep(array.data, [arguments[1]])
            loaded = builder.load(builder.bitcast(place, kind.as_pointer()))
            loaded.align = width // 8
            bits = builder.icmp_signed("!=", loaded, ir.Constant(kind, [0] * LANES))
            bits = builder.zext(builder.bitcast(bits, ir.IntType(LANES)), word)
            # What lies behind the last number does not count.
            left = builder.sub(n, arguments[1])
            mask = builder.sub(builder.shl(ir.Constant(word, 1), left), ir.Constant(word, 1))
            is_last = builder.icmp_signed("<", left, ir.Constant(word, LANES))
            return builder.select(is_last, builder.and_(bits, mask), bits)

        return types.uint64(numbers, types.int64), generate

    @cast(Any, intrinsic)
    def lower(typing_context, numbers, at, limit):
        def generate(context, builder, signature, arguments):
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            width = signature.args[0].dtype.bitwidth
            kind = ir.VectorType(ir.IntType(width), LANES)
            place = builder.gep(array.data, [arguments[1]])
            loaded = builder.load(builder.bitcast(place, kind.as_pointer()))
            loaded.align = width // 8
            limit = builder.trunc(arguments[2], ir.IntType(width)) if width < 64 else arguments[2]
            bits = builder.icmp_signed("<", loaded, everywhere(builder, limit))
            return builder.zext(builder.bitcast(bits, ir.IntType(LANES)), word)

        return types.uint64(numbers, types.uint64, types.int64), generate

    def chosen(context, builder, of, arguments):
        """Return lows and highs of the lanes [first, last) of a block as vectors, and infinities in the other lanes."""
        array = context.make_array(of)(context, builder, arguments[0])
        lows = block_of(builder, array, arguments[1])
        highs = builder.gep(lows, [ir.Constant(word, LANES)])
        # Sixteen bits, of which those from `first` on and before `last` are set.
        ones = ir.Constant(word, -1)
        bits = builder.xor(builder.shl(ones, arguments[2]), builder.shl(ones, arguments[3]))
        mask = builder.bitcast(builder.trunc(bits, ir.IntType(LANES)), ir.VectorType(ir.IntType(1), LANES))
        nothing = (ir.Constant(lanes, [each] * LANES) for each in (float("inf"), -float("inf")))
        return [
            builder.select(mask, load(builder, place), no) for place, no in zip((lows, highs), nothing, strict=True)
        ]

    def nearer(builder, how, a, b):
        return builder.select(builder.fcmp_ordered(how, a, b), a, b)

    def reduced(context, builder, signature, both):
        found = []
        for name, vector in zip(("fmin", "fmax"), both, strict=True):
            kind = ir.FunctionType(ir.DoubleType(), [lanes])
            function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.{name}.v{LANES}f64")
            # No lane that is looked at is NaN.
            found.append(builder.call(function, [vector], fastmath=("nnan",)))
        return context.make_tuple(builder, signature.return_type, found)

    pair, whole = types.UniTuple(types.float64, 2), types.uint64

    @cast(Any, intrinsic)
    def extremes(typing_context, blocks, number, first, last):
        def generate(context, builder, signature, arguments):
            return reduced(context, builder, signature, chosen(context, builder, signature.args[0], arguments))

        return pair(blocks, whole, whole, whole), generate

    @cast(Any, intrinsic)
    def extremes_of_three(typing_context, blocks, a, a_first, a_last, b, b_first, b_last, above, c, c_first, c_last):
        def generate(context, builder, signature, arguments):
            of_blocks, of_above = signature.args[0], signature.args[7]
            low, high = chosen(context, builder, of_blocks, arguments[:4])
            for of, some in ((of_blocks, [arguments[0], *arguments[4:7]]), (of_above, arguments[7:])):
                other_low, other_high = chosen(context, builder, of, some)
                low, high = nearer(builder, "<", low, other_low), nearer(builder, ">", high, other_high)
            return reduced(context, builder, signature, (low, high))

        return pair(blocks, *[whole] * 6, above, *[whole] * 3), generate

    return (
        reached,
        lowest_bit,
        prefetch,
        prefetch_number,
        prefetch_to_write,
        occupied,
        lower,
        extremes,
        extremes_of_three,
    )


#: `reached(blocks, number, low, high)` and `prefetch(blocks, number)`, of a C-contiguous array of shape
#: (n, ROWS, LANES), `lowest_bit(bits)` of bits that are not all 0, `prefetch_number(array, number)` and
#: `prefetch_to_write(array, number)` of a C-contiguous array, `occupied(numbers, at)`, `lower(numbers, at, limit)` of
#: an array that goes on behind the sixteen, `extremes(blocks, number, first, last)`, and `extremes_of_three(blocks, a,
#: a_first, a_last, b, b_first, b_last, above, c, c_first, c_last)`: see above. None checks its arguments.
(
    reached,
    lowest_bit,
    prefetch,
    prefetch_number,
    prefetch_to_write,
    occupied,
    lower,
    extremes,
    extremes_of_three,
) = (
    (
        _reached_in_python,
        _lowest_bit_in_python,
        _prefetch_in_python,
        _prefetch_number_in_python,
        _prefetch_to_write_in_python,
        _occupied_in_python,
        _lower_in_python,
        _extremes_in_python,
        _extremes_of_three_in_python,
    )
    if jit_disabled()
    else _intrinsics()
)
