# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
"""The windowed form of any kernel: run it again for every bar over the rows that the bar sees.

The kernel comes as a function pointer, so one compiled driver, cached on disk, serves all indicators; a driver
specialised for each would be compiled anew in every process.
"""

from typing import Any

import numpy as np
from numba import types

from fastbt._jit import kernel_of
from fastbt.types import Float1D, Float2D

_PARAMS = types.float64[::1]
_OUT = types.float64[:, ::1]


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


def _driver_of(data_type):
    """Compile the driver for kernels over this type of data."""
    run = types.FunctionType(types.void(data_type, _PARAMS, _OUT))
    return kernel_of(types.void(run, data_type, _PARAMS, types.int64, types.int64, _OUT))(_restart)


_over_series = _driver_of(types.float64[::1])
_over_candles = _driver_of(types.float64[:, ::1])


def restart(run: Any, data: Float1D | Float2D, params: Float1D, window: int, first: int, out: Float2D) -> None:
    """Fill the columns from `first` on, whichever data the kernel takes."""
    driver = _over_series if data.ndim == 1 else _over_candles
    driver(run, data, params, window, first, out)
