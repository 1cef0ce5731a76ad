# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
"""Any kernel many times in one call: for every bar over the rows that the bar sees, or for many argument lists.

The kernel comes as a function pointer, so one compiled driver, cached on disk, serves all indicators; a driver
specialised for each would be compiled anew in every process.
"""

import functools
from typing import Any

import numpy as np
from numba import types
from numba.experimental.function_type import _get_wrapper_address
from numpy.typing import NDArray

from fastbt._jit import jit_disabled, kernel_of
from fastbt.types import Float1D, Float2D, Int1D

Float3D = NDArray[np.float64]

_PARAMS = types.float64[::1]
_OUT = types.float64[:, ::1]


def _signature_of(data_type):
    return types.void(data_type, _PARAMS, _OUT)


class _Pointer(types.WrapperAddressProtocol):
    """Address of a kernel's machine code: numba takes 0.1 ms to find it anew at every call."""

    def __init__(self, run, data_type):
        self._signature = _signature_of(data_type)
        self._address = _get_wrapper_address(run, self._signature)

    def __wrapper_address__(self):
        return self._address

    def signature(self):
        return self._signature


@functools.cache
def _pointer_to(run, dimensions):
    """Return a kernel over data of one or two dimensions as the drivers take it."""
    if jit_disabled():
        return run
    return _Pointer(run, types.float64[::1] if dimensions == 1 else types.float64[:, ::1])


def _restart(run, data, params, window, first, out):
    """Fill the columns from `first` on with the last value over each bar's window."""
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


def _each(run, data, table, rows, out):
    """Fill some rows of `out`, each for the arguments in its row of the table."""
    for j in range(table.shape[0]):
        run(data, table[j], out[rows[j]])


def _driver_of(data_type):
    """Compile the drivers for kernels over this type of data."""
    run = types.FunctionType(_signature_of(data_type))
    restarting = types.void(run, data_type, _PARAMS, types.int64, types.int64, _OUT)
    each = types.void(run, data_type, types.float64[:, ::1], types.int64[::1], types.float64[:, :, ::1])
    return kernel_of(restarting)(_restart), kernel_of(each)(_each)


_over_series, _each_over_series = _driver_of(types.float64[::1])
_over_candles, _each_over_candles = _driver_of(types.float64[:, ::1])


def restart(run: Any, data: Float1D | Float2D, params: Float1D, window: int, first: int, out: Float2D) -> None:
    """Fill the columns from `first` on, whichever data the kernel takes."""
    driver = _over_series if data.ndim == 1 else _over_candles
    driver(_pointer_to(run, data.ndim), data, params, window, first, out)


def one_after_another(run: Any, data: Float1D | Float2D, table: Float2D, rows: Int1D, out: Float3D) -> None:
    """Fill `out[rows[j]]` by the kernel with the arguments `table[j]`, for all of them in one call."""
    driver = _each_over_series if data.ndim == 1 else _each_over_candles
    driver(_pointer_to(run, data.ndim), data, table, rows, out)
