"""The exceptions by which Jesse aborts a backtest, under Jesse's names.

A strategy may catch them, and a run that ends in one reports the name (see `fastbt.errors.SimulationError.exception`).
"""

from __future__ import annotations

from fastbt.errors import SettingsError


class InvalidStrategy(Exception):
    """An order or rule that Jesse refuses."""


class ConflictingRules(Exception):
    """Both `should_long` and `should_short` were true."""


class OrderNotAllowed(Exception):
    """An order on the wrong side of the market, or a reduction of no position."""


class InvalidShape(Exception):
    """An assignment that is neither `(qty, price)` nor a list of those."""


class InsufficientMargin(Exception):
    """A futures order that needs more margin than is available."""


class InsufficientBalance(Exception):
    """A spot order that needs more of an asset than is there."""


class RouteNotFound(Exception):
    """Candles of a symbol or timeframe that no route declares.

    Parameters
    ----------
    symbol, timeframe : str
        What was asked for.
    """

    def __init__(self, symbol: str, timeframe: str) -> None:
        super().__init__(f"Data route is required but missing: symbol='{symbol}', timeframe='{timeframe}'")


class InvalidTimeframe(SettingsError):
    """A timeframe that Jesse does not have."""
