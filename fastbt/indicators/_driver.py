# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
"""Any kernel many times in one call: for every bar over the rows that the bar sees, or for many argument lists.

The kernel comes as an address, so one compiled driver, cached on disk, serves all indicators; a driver
specialised for each would be compiled anew in every process.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.experimental.function_type import _get_wrapper_address
from numba.extending import intrinsic

from fastbt._jit import jit_disabled, kernel_of
from fastbt.types import Float1D, Float2D, Float3D, Int1D

_PARAMS = types.float64[::1]
_OUT = types.float64[:, ::1]


def _signature_of(data_type):
    return types.void(data_type, _PARAMS, _OUT)


def _counted_in_python(counts, place, more):
    """As `_counted`, of a single thread."""
    counts[place] += more
    return counts[place] - more


def _generated(in_python: Any) -> Any:
    """Decorate what generates machine code; where nothing is compiled, `in_python` does the same."""
    return lambda generate: in_python if jit_disabled() else intrinsic(generate)


@_generated(lambda run, _data: run)
def _function_at(_, address, data):
    """Return the kernel over such data whose machine code is there; numba itself takes 5 us to pass one as argument."""
    function = types.FunctionType(_signature_of(data))

    def generate(context, builder, signature, arguments):
        made = cgutils.create_struct_proxy(function)(context, builder)
        nothing = context.get_constant_null(types.voidptr)
        made.c_addr = builder.inttoptr(arguments[0], nothing.type)
        made.py_addr = nothing
        made.jit_addr = nothing
        return made._getvalue()

    return function(types.int64, data), generate


@functools.cache
def _address_of(run, dimensions):
    """Return a kernel over data of one or two dimensions as the drivers take it."""
    if jit_disabled():
        return run
    return _get_wrapper_address(run, _signature_of(types.float64[::1] if dimensions == 1 else types.float64[:, ::1]))


def _restart(address, data, params, window, first, out):
    """Fill the columns from `first` on with the last value over each bar's window."""
    run = _function_at(address, data)
    fields = out.shape[0]
    scratch = np.empty((fields, window))
    for t in range(first, out.shape[1]):
        start = max(0, t + 1 - window)
        if t + 1 - start < window:
            partial = np.empty((fields, t + 1 - start))
            run(data[start : t + 1], params, partial)
            out[:, t] = partial[:, -1]
        else:
            run(data[start : t + 1], params, scratch)
            out[:, t] = scratch[:, -1]


#: What threads count together, each on a cache line of its own: pieces taken, those of them from either end, and pieces
#: done.
_TAKEN, _FROM_START, _FROM_END, _DONE, _COUNTS = 0, 16, 32, 48, 64
#: How often the caller looks whether the others are done before it sleeps: for some fifty microseconds, about what
#: sleeping and waking up take.
_PATIENCE = 200_000


@_generated(_counted_in_python)
def _counted(_, counts, place, more):
    """Add to a count that other threads add to, and return what it was before."""

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        address = cgutils.gep_inbounds(builder, array.data, arguments[1])
        return builder.atomic_rmw("add", address, arguments[2], "seq_cst")

    return types.int64(counts, types.int64, types.int64), generate


@_generated(lambda counts, place: counts[place])
def _count(_, counts, place):
    """Return a count as the other threads have it now."""

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.load_atomic(cgutils.gep_inbounds(builder, array.data, arguments[1]), "seq_cst", 8)

    return types.int64(counts, types.int64), generate


def _each(address, data, table, rows, out, counts, from_end, patience):
    """Fill some rows of `out`, each for the arguments in its row of the table, beside threads that do the same.

    Half of them begin at the end: memory that is used again is then mostly in the cache of the core that fills it.
    Returns whether all rows are done, after looking at most `patience` times for those of others.
    """
    run = _function_at(address, data)
    n = table.shape[0]
    while _counted(counts, _TAKEN, 1) < n:
        j = n - 1 - _counted(counts, _FROM_END, 1) if from_end else _counted(counts, _FROM_START, 1)
        run(data, table[j], out[rows[j]])
        _counted(counts, _DONE, 1)
    for _ in range(patience):
        if _count(counts, _DONE) >= n:
            return True
    return _count(counts, _DONE) >= n


def _driver_of(data_type):
    """Compile the drivers for kernels over this type of data."""
    restarting = types.void(types.int64, data_type, _PARAMS, types.int64, types.int64, _OUT)
    of_each = (types.float64[:, ::1], types.int64[::1], types.float64[:, :, ::1], types.int64[::1])
    each = types.boolean(types.int64, data_type, *of_each, types.boolean, types.int64)
    return kernel_of(restarting)(_restart), kernel_of(each)(_each)


_over_series, _each_over_series = _driver_of(types.float64[::1])
_over_candles, _each_over_candles = _driver_of(types.float64[:, ::1])


def restart(run: Any, data: Float1D | Float2D, params: Float1D, window: int, first: int, out: Float2D) -> None:
    """Fill the columns from `first` on, whichever data the kernel takes."""
    driver = _over_series if data.ndim == 1 else _over_candles
    driver(_address_of(run, data.ndim), data, params, window, first, out)


def one_after_another(
    run: Any, data: Float1D | Float2D, table: Float2D, rows: Int1D, out: Float3D
) -> Callable[[bool, bool], bool]:
    """Return what fills `out[rows[j]]` by the kernel with the arguments `table[j]`, for all `j` that are left.

    Several threads may call it at once, some of them from the end. It returns whether all are filled; a thread that
    waits for the others does so for a short time.
    """
    driver = _each_over_series if data.ndim == 1 else _each_over_candles
    address = _address_of(run, data.ndim)
    counts = np.zeros(_COUNTS, dtype=np.int64)
    return lambda from_end, waits: driver(address, data, table, rows, out, counts, from_end, _PATIENCE if waits else 0)
