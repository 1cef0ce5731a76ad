# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Averages chosen by Jesse's `matype` code: the compiled ones, and all of them."""

from __future__ import annotations

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._registry import AVERAGES, Value, get, indicator, settles_with
from fastbt.indicators.adaptive import _kama
from fastbt.indicators.averages import _dema, _ema, _hma, _sma, _tema, _wilders, _wma
from fastbt.types import Float1D, Float2D

#: Codes for which `_average` is compiled: each further one slows the first use of every indicator that has a choice.
COMPILED = frozenset((0, 1, 2, 3, 4, 6, 10, 12))


@kernel
def _average(x, period, matype, out):
    """Fill the one row of `out` with the average of one of the codes in `COMPILED`."""
    params = np.array([float(period), 2.0, 30.0])
    if matype == 0:
        _sma(x, params, out)
    elif matype == 1:
        _ema(x, params, out)
    elif matype == 2:
        _wma(x, params, out)
    elif matype == 3:
        _dema(x, params, out)
    elif matype == 4:
        _tema(x, params, out)
    elif matype == 6:
        _kama(x, params, out)
    elif matype == 10:
        _hma(x, params, out)
    else:
        _wilders(x, params, out)


def average(x: Float1D, period: int, matype: int) -> Float1D:
    """Return the average of any code of `AVERAGES` at every row."""
    described = get(AVERAGES[matype])
    # hwma and mwdx have no period: Jesse takes their defaults.
    names = [name for name in described.parameters if name in ("period", "length")]
    _, params, _ = described.encode(**dict.fromkeys(names, period))
    out = np.empty((1, len(x)))
    described.run(np.ascontiguousarray(x), np.array(params), out)
    values: Float1D = out[0]
    return values


@kernel
def _ma(x, params, out):
    """One of the compiled averages."""
    _average(x, int(params[0]), int(params[1]), out)


def _ma_python(x: Float1D, params: Float1D, out: Float2D) -> None:
    """Any of the averages."""
    out[0] = average(x, int(params[0]), int(params[1]))


@indicator(
    _ma,
    python=_ma_python,
    compiled_if=lambda _, matype: matype in COMPILED,
    settles=lambda period, matype: settles_with(matype, period),
    accepts_1d=True,
    slices_series=True,
)
def ma(
    candles: Float2D | Float1D,
    period: int = 30,
    matype: int = 0,
    source_type: str = "close",
    sequential: bool = False,
) -> Value:
    """Any of the moving averages, by Jesse's code.

    0 sma, 1 ema, 2 wma, 3 dema, 4 tema, 5 trima, 6 kama, 9 fwma, 10 hma, 11 linearreg, 12 wilders, 13 sinwma,
    14 supersmoother, 15 supersmoother_3_pole, 16 gauss, 17 high_pass, 18 high_pass_2_pole, 20 jma, 21 reflex,
    22 trendflex, 23 smma, 25 pwma, 26 swma, 27 alma, 28 hwma, 30 nma, 32 mwdx, 33 maaq, 34 srwma, 35 sqwma, 36 vpwma,
    37 cwma, 38 jsa, 39 epma. Call vwma (24) and vwap (29) by name: they need more than one series.

    Other than elsewhere, a series of its own is sliced like candles. Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> ma(np.array([1.0, 4.0]), 2, matype=2)
    np.float64(3.0)
    """
    ...
