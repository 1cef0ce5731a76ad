# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,empty-body"
"""Averages chosen by Jesse's `matype` code: the compiled ones, and all of them."""

from __future__ import annotations

import numpy as np

from fastbt._jit import kernel
from fastbt.indicators._registry import (
    AVERAGES,
    OF_CANDLES,
    SOURCE_CODES,
    SOURCE_COLUMN,
    VWAP_COLUMN,
    Value,
    get,
    indicator,
    settles_with,
)
from fastbt.indicators.adaptive import _kama
from fastbt.indicators.averages import _dema, _ema, _hma, _sma, _tema, _wilders, _wma
from fastbt.types import CLOSE, Float1D, Float2D

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


def average(x: Float1D | Float2D, period: int, matype: int) -> Float1D:
    """Return the average of any code of `AVERAGES` at every row; see `Indicator.select` for data of two dimensions."""
    described = get(AVERAGES[matype])
    if matype in OF_CANDLES:
        return _average_of_candles(x, period, matype)
    x = source_of(x)
    # hwma and mwdx have no period: Jesse takes their defaults.
    names = [name for name in described.parameters if name in ("period", "length")]
    _, params, _ = described.encode(**dict.fromkeys(names, period))
    out = np.empty((1, len(x)))
    described.run(np.ascontiguousarray(x), np.array(params), out)
    values: Float1D = out[0]
    return values


def source_beside(candles: Float2D, source_code: int, matype: int) -> Float1D | Float2D:
    """Return what `average` takes of candles; the source is a code of `SOURCE_CODES`."""
    return get("ma").select(candles, list(SOURCE_CODES)[source_code], (1, matype))


def source_of(data: Float1D | Float2D) -> Float1D:
    """Return the source, which lies beside the candles if an average needs both."""
    return np.ascontiguousarray(data if data.ndim == 1 else data[:, SOURCE_COLUMN])


def _average_of_candles(data: Float1D | Float2D, period: int, matype: int) -> Float1D:
    """Return the average weighted by volume: of the last `period` rows (24), or since the day began (29)."""
    name = AVERAGES[matype]
    if data.ndim == 1:
        raise ValueError(f"matype {matype} ({name}) needs candles, because it weighs by volume; this is one series")
    candles = data[:, :6].copy()
    if data.shape[1] > SOURCE_COLUMN:
        candles[:, CLOSE] = data[:, SOURCE_COLUMN if matype == 24 else VWAP_COLUMN]
    arguments = {"period": period} if matype == 24 else {}
    _, params, _ = get(name).encode(**arguments, source_type="close")
    out = np.empty((1, len(data)))
    get(name).run(candles, np.array(params), out)
    values: Float1D = out[0]
    return values


@kernel
def _ma(x, params, out):
    """One of the compiled averages."""
    _average(x, int(params[0]), int(params[1]), out)


def _ma_python(x: Float1D | Float2D, params: Float1D, out: Float2D) -> None:
    """Any of the averages."""
    out[0] = average(x, int(params[0]), int(params[1]))


@indicator(
    _ma,
    python=_ma_python,
    compiled_if=lambda _, matype: matype in COMPILED,
    settles=lambda period, matype: settles_with(matype, period),
    accepts_1d=True,
    slices_series=True,
    averages_candles=True,
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
    22 trendflex, 23 smma, 24 vwma, 25 pwma, 26 swma, 27 alma, 28 hwma, 29 vwap, 30 nma, 31 edcf, 32 mwdx, 33 maaq,
    34 srwma, 35 sqwma, 36 vpwma, 37 cwma, 38 jsa, 39 epma. 24 and 29 weigh by volume: they need candles.

    Other than elsewhere, a series of its own is sliced like candles. Arguments and result: see `sma`.

    Examples
    --------
    >>> import numpy as np
    >>> ma(np.array([1.0, 4.0]), 2, matype=2)
    np.float64(3.0)
    """
    ...
