"""What indicators are computed from: sources, the last rows that are visible, and the codes of averages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import numpy as np

from fastbt.errors import ShapeError, did_you_mean
from fastbt.types import CLOSE, HIGH, LOW, OPEN, VOLUME, Float1D, Float2D

#: In `codes`: the number of every string that is not listed. Without it, such a string is refused.
OTHERWISE: Final = ""

#: Jesse's moving averages by code.
AVERAGES: Final[dict[int, str]] = {
    0: "sma",
    1: "ema",
    2: "wma",
    3: "dema",
    4: "tema",
    5: "trima",
    6: "kama",
    9: "fwma",
    10: "hma",
    11: "linearreg",
    12: "wilders",
    13: "sinwma",
    14: "supersmoother",
    15: "supersmoother_3_pole",
    16: "gauss",
    17: "high_pass",
    18: "high_pass_2_pole",
    20: "jma",
    21: "reflex",
    22: "trendflex",
    23: "smma",
    24: "vwma",
    25: "pwma",
    26: "swma",
    27: "alma",
    28: "hwma",
    29: "vwap",
    30: "nma",
    31: "edcf",
    32: "mwdx",
    33: "maaq",
    34: "srwma",
    35: "sqwma",
    36: "vpwma",
    37: "cwma",
    38: "jsa",
    39: "epma",
}

#: Those that need the candles beside the series that is averaged.
OF_CANDLES: Final = frozenset((24, 29))

#: Where the data of an indicator with such an average hold, beside the candles, its source, and what is averaged by 29.
#: Then both again as they are after an average of the code 24: Jesse writes its source into the closes.
SOURCE_COLUMN: Final = 6
VWAP_COLUMN: Final = 7
AFTER_VWMA: Final = 2

_DEFAULT_WINDOW = 240
_window: ContextVar[int] = ContextVar("warm_up_window", default=_DEFAULT_WINDOW)


@contextmanager
def warm_up_window(n: int) -> Iterator[None]:
    """Set the number of last rows that non-sequential indicators see: Jesse's `warm_up_candles`.

    Parameters
    ----------
    n : int
        Rows; 0 means all of them. Outside this context it is 240, as in Jesse.

    Raises
    ------
    ValueError
        If `n` is negative.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbt.indicators import ema, warm_up_window
    >>> candles = np.full((100, 6), 7.0)
    >>> with warm_up_window(50):
    ...     float(ema(candles, 60))
    nan
    """
    if n < 0:
        raise ValueError(f"warm_up_window: the number of rows must be 0 or more, was {n}")
    token = _window.set(n)
    try:
        yield
    finally:
        _window.reset(token)


def visible_rows() -> int:
    """Return the number of last rows that non-sequential indicators see; 0 means all of them."""
    return _window.get()


#: Column of each plain source, and of the others the columns to be averaged, added in this order.
SOURCES: Final[dict[str, tuple[int, ...]]] = {
    "close": (CLOSE,),
    "high": (HIGH,),
    "low": (LOW,),
    "open": (OPEN,),
    "volume": (VOLUME,),
    "hl2": (HIGH, LOW),
    "hlc3": (HIGH, LOW, CLOSE),
    "ohlc4": (OPEN, HIGH, LOW, CLOSE),
}

#: Codes of the sources for kernels that need the candles and a choice of source.
SOURCE_CODES: Final = {name: code for code, name in enumerate(SOURCES)}


def select_source(candles: Float2D, source_type: str) -> Float1D:
    """Return one price series of the candles.

    Parameters
    ----------
    candles : ndarray, shape (n, 6), float64
    source_type : str
        close, open, high, low, volume, hl2, hlc3 or ohlc4; the last three are plain means of those prices.

    Returns
    -------
    ndarray, shape (n,), float64
        Contiguous.

    Raises
    ------
    ValueError
        If the source is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> select_source(np.array([[0, 10.0, 11.0, 12.0, 9.0, 1.0]]), "hl2")
    array([10.5])
    """
    columns = SOURCES.get(source_type)
    if columns is None:
        raise ValueError(
            f"source type {source_type!r} is unknown; wanted one of {', '.join(SOURCES)}."
            + did_you_mean(str(source_type), SOURCES)
        )
    total = np.ascontiguousarray(candles[:, columns[0]])
    for column in columns[1:]:
        total = total + candles[:, column]
    return total / len(columns) if len(columns) > 1 else total


#: What Jesse's indicators answer, not sequential, where there are no candles at all: the others raise an exception.
WITHOUT_CANDLES: Final = {
    **dict.fromkeys(("adx", "aroon", "di", "donchian", "linearreg_intercept", "macd", "midpoint", "midprice"), np.nan),
    **dict.fromkeys(("ichimoku_cloud", "tema"), np.nan),
    "tsi": 0.0,
}
_VALUE_ERROR: Final = frozenset(
    (
        *("alma", "er", "fwma", "hurst_exponent", "ichimoku_cloud_seq", "kurtosis", "mean_ad", "median_ad", "mfi"),
        *("pwma", "sinwma", "skew", "swma", "tsf", "ttm_trend"),
    )
)


class NoCandles(ShapeError, IndexError):
    """An indicator was asked of no candles; `jesse_exception` is what Jesse raises."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: there are no candles")
        self.jesse_exception = "ValueError" if name in _VALUE_ERROR else "IndexError"
