# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Records of a kernel's own: what nobody else can reach, LLVM keeps in registers, and leaves out what is never read.

That takes that all functions which are handed the record become parts of the kernel, and that no place in it depends on
the run: where two branches write the same to different fields, LLVM makes them one that writes to either. Else the copy
stays in memory, and costs what it takes to make it.
"""

from __future__ import annotations

from typing import Any, Final, cast

from fastbt._jit import jit_disabled
from fastbt.engine.layout import TABLES

#: Bytes of a record that is worth a copy.
MOST_BYTES: Final = 4096


def _ranges(fields) -> list[list[int]]:
    """Return where the parts of a record begin and end that are no tables."""
    ranges: list[list[int]] = []
    for name, field in sorted(fields.items(), key=lambda each: each[1][0]):
        first, size = field
        if name in TABLES:
            continue
        # Between two fields may be gaps, for alignment.
        if ranges and first - ranges[-1][1] < 8:
            ranges[-1][1] = first + size
        else:
            ranges.append([first, first + size])
    return ranges


def _intrinsics() -> tuple[Any, ...]:
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.extending import intrinsic
    from numba.np.numpy_support import as_dtype

    byte, word = ir.IntType(8), ir.IntType(64)

    def ranges_of(record):
        fields = {name: (each.offset, as_dtype(each.type).itemsize) for name, each in record.fields.items()}
        ranges = _ranges(fields)
        return ranges if sum(last - first for first, last in ranges) <= MOST_BYTES else []

    def copy(builder, ranges, to, source):
        to, source = (builder.bitcast(each, byte.as_pointer()) for each in (to, source))
        for first, last in ranges:
            at = [ir.Constant(word, first)]
            size = ir.Constant(word, last - first)
            cgutils.raw_memcpy(builder, builder.gep(to, at), builder.gep(source, at), size, 1, align=8)

    @cast(Any, intrinsic)
    def own_copy(typing_context, record):
        if not isinstance(record, types.Record):
            return None

        def generate(context, builder, signature, arguments):
            kind = signature.args[0]
            ranges = ranges_of(kind)
            if not ranges:
                return arguments[0]
            # Not by numba's `alloca_once`, which fills it with zeros, byte by byte.
            with builder.goto_entry_block():
                place = builder.alloca(ir.ArrayType(byte, kind.size))
            place.align = 16
            copy(builder, ranges, place, arguments[0])
            return builder.bitcast(place, context.get_value_type(kind))

        return record(record), generate

    @cast(Any, intrinsic)
    def copy_back(typing_context, own, record):
        def generate(context, builder, signature, arguments):
            copy(builder, ranges_of(signature.args[0]), arguments[1], arguments[0])
            return context.get_dummy_value()

        return types.none(own, record), generate

    return own_copy, copy_back


def _own_copy_in_python(record):
    return record


def _copy_back_in_python(own, record):
    pass


#: `own_copy(record)` returns a copy without its tables, which must not be read, or the record itself if it is large;
#: `copy_back(own, record)` writes the copy over the record.
own_copy, copy_back = (_own_copy_in_python, _copy_back_in_python) if jit_disabled() else _intrinsics()
