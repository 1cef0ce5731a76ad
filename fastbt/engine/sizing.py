"""Jesse's ``jesse.utils``: the helpers a strategy calls to size, compare and convert, with Jesse's numbers.

Each function does Jesse's operations in Jesse's order, so that results agree to the last bit, quirks included; the
exceptions are those that Jesse raises, because a strategy may rely on them.
"""

from __future__ import annotations

import math
from typing import Final

from fastbt.engine._decimal_reference import subtract_floats, sum_floats
from fastbt.engine.jesse_exceptions import InvalidTimeframe
from fastbt.engine.series import (
    are_cointegrated,
    calculate_alpha_beta,
    combinations_without_repeat,
    crossed,
    dd,
    numpy_candles_to_dataframe,
    prices_to_returns,
    signal_line,
    streaks,
    strictly_decreasing,
    strictly_increasing,
    z_score,
)
from fastbt.engine.trading_hours import filter_candles_by_hours, is_in_trading_hours
from fastbt.errors import did_you_mean
from fastbt.types import TIMEFRAME_MINUTES

__all__ = [
    "anchor_timeframe",
    "are_cointegrated",
    "calculate_alpha_beta",
    "combinations_without_repeat",
    "crossed",
    "dd",
    "estimate_risk",
    "filter_candles_by_hours",
    "is_in_trading_hours",
    "kelly_criterion",
    "limit_stop_loss",
    "numpy_candles_to_dataframe",
    "prices_to_returns",
    "qty_to_size",
    "risk_to_qty",
    "risk_to_size",
    "signal_line",
    "size_to_qty",
    "streaks",
    "strictly_decreasing",
    "strictly_increasing",
    "subtract_floats",
    "sum_floats",
    "timeframe_to_one_minutes",
    "z_score",
]

#: The larger timeframe that Jesse pairs with each timeframe.
ANCHOR_TIMEFRAMES: Final[dict[str, str]] = {
    "1m": "5m",
    "3m": "15m",
    "5m": "30m",
    "15m": "2h",
    "30m": "3h",
    "45m": "3h",
    "1h": "4h",
    "2h": "6h",
    "3h": "1D",
    "4h": "1D",
    "6h": "1D",
    "8h": "1D",
    "12h": "1D",
}

_REDUCED_BY_FEES: Final = 3


def size_to_qty(position_size: float, entry_price: float, precision: int = 3, fee_rate: float = 0) -> float:
    """Return the quantity that `position_size` buys at `entry_price`, rounded down.

    Parameters
    ----------
    position_size : float
        Amount to spend (quote).
    entry_price : float
        Price (quote).
    precision : int, optional
        Decimal places kept; the rest is cut off, never rounded up.
    fee_rate : float, optional
        A fraction; three times the fee is set aside when it is not zero.

    Returns
    -------
    float
        Quantity (base).

    Raises
    ------
    TypeError
        If the price is None or either number is NaN.
    ZeroDivisionError
        If `entry_price` is a Python zero.

    References
    ----------
    .. [1] ``jesse.utils.size_to_qty`` of Jesse 3.5.3.

    Examples
    --------
    >>> size_to_qty(100, 33)
    3.03
    >>> size_to_qty(100, 50, fee_rate=0.001)
    1.994
    """
    if entry_price is None:
        raise TypeError("entry_price is None")
    if math.isnan(position_size) or math.isnan(entry_price):
        raise TypeError(f"position_size: {position_size}, entry_price: {entry_price}")
    if fee_rate != 0:
        position_size *= 1 - fee_rate * _REDUCED_BY_FEES
    return _floor_with_precision(position_size / entry_price, precision)


def _floor_with_precision(value: float, precision: int) -> float:
    scale: float = 10**precision
    return math.floor(value * scale) / scale


def qty_to_size(qty: float, price: float) -> float:
    """Return what `qty` costs at `price`.

    Parameters
    ----------
    qty : float
        Quantity (base).
    price : float
        Price (quote).

    Returns
    -------
    float
        Quote value.

    Raises
    ------
    TypeError
        If either number is NaN.

    References
    ----------
    .. [1] ``jesse.utils.qty_to_size`` of Jesse 3.5.3.

    Examples
    --------
    >>> qty_to_size(2, 50)
    100
    """
    if math.isnan(qty) or math.isnan(price):
        raise TypeError
    return qty * price


def risk_to_size(capital_size: float, risk_percentage: float, risk_per_qty: float, entry_price: float) -> float:
    """Return the position size that loses `risk_percentage` of the capital at the stop.

    Parameters
    ----------
    capital_size : float
        Capital (quote); also the largest size returned.
    risk_percentage : float
        Percent of the capital put at risk.
    risk_per_qty : float
        Distance from entry to stop (quote).
    entry_price : float
        Price (quote).

    Returns
    -------
    float
        Size (quote).

    Raises
    ------
    ValueError
        If `risk_per_qty` is zero.

    References
    ----------
    .. [1] ``jesse.utils.risk_to_size`` of Jesse 3.5.3.

    Examples
    --------
    >>> round(risk_to_size(10_000, 1, 0.7, 8.6))
    1229
    """
    if risk_per_qty == 0:
        raise ValueError("risk cannot be zero")
    risk_percentage /= 100
    size = ((risk_percentage * capital_size) / risk_per_qty) * entry_price
    return min(size, capital_size)


def risk_to_qty(
    capital: float,
    risk_per_capital: float,
    entry_price: float,
    stop_loss_price: float,
    precision: int = 8,
    fee_rate: float = 0,
) -> float:
    """Return the quantity that loses `risk_per_capital` percent of the capital at the stop.

    Jesse sets the fees aside twice here: once from the size, and once more inside `size_to_qty`.

    Parameters
    ----------
    capital : float
        Capital (quote).
    risk_per_capital : float
        Percent of the capital put at risk.
    entry_price, stop_loss_price : float
        Prices (quote).
    precision : int, optional
        Decimal places kept.
    fee_rate : float, optional
        A fraction.

    Returns
    -------
    float
        Quantity (base).

    Raises
    ------
    ValueError
        If the stop lies at the entry.
    TypeError
        If a number is NaN.

    References
    ----------
    .. [1] ``jesse.utils.risk_to_qty`` of Jesse 3.5.3.

    Examples
    --------
    >>> risk_to_qty(10_000, 1, 100, 95)
    20.0
    """
    size = risk_to_size(capital, risk_per_capital, abs(entry_price - stop_loss_price), entry_price)
    if fee_rate != 0:
        size = size * (1 - fee_rate * _REDUCED_BY_FEES)
    return size_to_qty(size, entry_price, precision=precision, fee_rate=fee_rate)


def estimate_risk(entry_price: float, stop_price: float) -> float:
    """Return the distance between entry and stop.

    Parameters
    ----------
    entry_price, stop_price : float
        Prices (quote).

    Returns
    -------
    float
        Loss per unit (quote).

    Raises
    ------
    TypeError
        If either price is NaN.

    References
    ----------
    .. [1] ``jesse.utils.estimate_risk`` of Jesse 3.5.3.

    Examples
    --------
    >>> estimate_risk(100, 95)
    5
    """
    if math.isnan(entry_price) or math.isnan(stop_price):
        raise TypeError
    return abs(entry_price - stop_price)


def limit_stop_loss(
    entry_price: float, stop_price: float, trade_type: str, max_allowed_risk_percentage: float
) -> float:
    """Return the stop, moved towards the entry where it risks more than allowed.

    Parameters
    ----------
    entry_price, stop_price : float
        Prices (quote).
    trade_type : str
        ``"long"``, or anything else for a short.
    max_allowed_risk_percentage : float
        Percent of the entry price.

    Returns
    -------
    float
        Stop price (quote).

    References
    ----------
    .. [1] ``jesse.utils.limit_stop_loss`` of Jesse 3.5.3.

    Examples
    --------
    >>> limit_stop_loss(100, 80, "long", 10)
    90.0
    """
    risk = min(abs(entry_price - stop_price), entry_price * (max_allowed_risk_percentage / 100))
    return (entry_price - risk) if trade_type == "long" else (entry_price + risk)


def anchor_timeframe(timeframe: str) -> str:
    """Return the larger timeframe that Jesse pairs with `timeframe`.

    Parameters
    ----------
    timeframe : str
        From ``"1m"`` to ``"12h"``.

    Returns
    -------
    str
        A timeframe.

    Raises
    ------
    KeyError
        If there is none, as for ``"1D"``.

    References
    ----------
    .. [1] ``jesse.utils.anchor_timeframe`` of Jesse 3.5.3.

    Examples
    --------
    >>> anchor_timeframe("1h")
    '4h'
    """
    return ANCHOR_TIMEFRAMES[timeframe]


def timeframe_to_one_minutes(timeframe: str) -> int:
    """Return how many minutes a timeframe lasts.

    Parameters
    ----------
    timeframe : str
        One of Jesse's, such as ``"4h"`` or ``"1D"``.

    Returns
    -------
    int
        Minutes.

    Raises
    ------
    InvalidTimeframe
        If Jesse has no such timeframe.

    References
    ----------
    .. [1] ``jesse.utils.timeframe_to_one_minutes`` of Jesse 3.5.3.

    Examples
    --------
    >>> timeframe_to_one_minutes("4h")
    240
    """
    try:
        return TIMEFRAME_MINUTES[timeframe]
    except KeyError:
        known = ", ".join(TIMEFRAME_MINUTES)
        raise InvalidTimeframe(
            f"a timeframe is one of {known}; it was {timeframe!r}.{did_you_mean(str(timeframe), TIMEFRAME_MINUTES)}"
        ) from None


def kelly_criterion(win_rate: float, ratio_avg_win_loss: float) -> float:
    """Return the fraction of the capital that Kelly's formula stakes.

    Parameters
    ----------
    win_rate : float
        Share of winning trades, a fraction.
    ratio_avg_win_loss : float
        Average win over average loss.

    Returns
    -------
    float
        A fraction; negative when the bet loses.

    References
    ----------
    .. [1] ``jesse.utils.kelly_criterion`` of Jesse 3.5.3.

    Examples
    --------
    >>> kelly_criterion(0.6, 1.0)
    0.19999999999999996
    """
    return win_rate - ((1 - win_rate) / ratio_avg_win_loss)
