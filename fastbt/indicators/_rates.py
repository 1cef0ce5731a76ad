# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,misc,var-annotated,call-arg"
"""Rates of change of several argument lists: all divide by the same values, so the inverse of each is made once.

Only `side_by_side` imports this: numba would ask the lanes about every addition that it compiles.
"""

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._blocks import _after_unknown, _now_and_before
from fastbt.indicators._in_lanes import WIDTH
from fastbt.indicators._lanes import LEAST, MOST, lanes_put, lanes_quotients, lanes_taken

_LEAST, _MOST = LEAST, MOST
_PERCENT, _CHANGE, _RATIO, _RATIO_PERCENT = 0, 1, 2, 3


@kernel
def _inverses(x):
    """Return one over each value; NaN where a division by multiplications might go wrong."""
    out = np.empty(x.shape[0])
    for i in range(x.shape[0]):
        inverse = 1.0 / x[i]
        out[i] = inverse if _LEAST <= abs(x[i]) <= _MOST else np.nan
    return out


@kernel
def _rates(x, params, out, code):
    """Fill a row for each list: what divides and what is divided are rows of vectors, for all lists the same."""
    inverses = _inverses(x)
    for j in range(out.shape[0]):
        now, before = _now_and_before(x, int(params[j]))
        found = _after_unknown(out[j], now.shape[0])
        n = now.shape[0]
        for row in range(n // WIDTH):
            divisor = lanes_taken(before, row)
            value = lanes_taken(now, row)
            if code == _CHANGE:
                value = value - divisor
            value = lanes_quotients(value, divisor, lanes_taken(inverses, row))
            if code == _PERCENT:
                value = (value - 1.0) * 100.0
            elif code == _RATIO_PERCENT:
                value = value * 100.0
            lanes_put(found, row, value)
        for i in range(n - n % WIDTH, n):
            if code == _PERCENT:
                found[i] = (now[i] / before[i] - 1.0) * 100.0
            elif code == _CHANGE:
                found[i] = (now[i] - before[i]) / before[i]
            elif code == _RATIO:
                found[i] = now[i] / before[i]
            else:
                found[i] = now[i] / before[i] * 100.0


@kernel
def _roc(x, params, out):
    """Fill the rows of all lists; see `momentum._roc`."""
    _rates(x, params, out, _PERCENT)


@kernel
def _rocp(x, params, out):
    """Fill the rows of all lists; see `momentum._rocp`."""
    _rates(x, params, out, _CHANGE)


@kernel
def _rocr(x, params, out):
    """Fill the rows of all lists; see `momentum._rocr`."""
    _rates(x, params, out, _RATIO)


@kernel
def _rocr100(x, params, out):
    """Fill the rows of all lists; see `momentum._rocr100`."""
    _rates(x, params, out, _RATIO_PERCENT)
