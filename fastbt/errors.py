"""Everything that fastbt raises on purpose.

::

    FastbtError
    ├── CandleError (ValueError)       candles that cannot be used; names the first bad row
    ├── ShapeError (ValueError)        an array of the wrong shape or type
    ├── SettingsError (ValueError)     a setting, date, timeframe, symbol or hyper-parameter that makes no sense
    ├── StrategyError (ValueError)     a strategy file that cannot be loaded
    ├── IndicatorError (ValueError)    an indicator of the user's that looks ahead or breaks another rule
    ├── CompileError (SyntaxError-like)  a strategy that cannot be compiled; underlines the source
    ├── SimulationError (RuntimeError) a run that Jesse would abort, or that fastbt does not simulate
    ├── SearchError (RuntimeError)     a search in which no set came to anything
    └── OracleError (RuntimeError)     Jesse is missing, or failed where it should not

    CandleWarning (UserWarning)        suspicious but legal candles
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FastbtError(Exception):
    """Base of all errors that fastbt raises on purpose."""


class CandleError(FastbtError, ValueError):
    """Candles that cannot be used."""


class ShapeError(FastbtError, ValueError):
    """An array of the wrong shape or type."""


class SettingsError(FastbtError, ValueError):
    """A setting, date, timeframe, symbol or hyper-parameter that makes no sense."""


class StrategyError(FastbtError, ValueError):
    """A strategy file that cannot be loaded."""


class IndicatorError(FastbtError, ValueError):
    """An indicator of the user's that looks ahead or breaks another rule."""


class SearchError(FastbtError, RuntimeError):
    """A search in which no set came to anything: none traded, all failed, or none met the constraints."""


class OracleError(FastbtError, RuntimeError):
    """Jesse is missing, or failed where it should not."""


class SimulationError(FastbtError, RuntimeError):
    """A run that Jesse would abort, or that fastbt does not simulate.

    Attributes
    ----------
    exception : str or None
        Name of the exception that Jesse raises on the same input; None if it is fastbt that does not simulate it.
    bar : int
        Index of the decision bar (0 is the first after the warm-up).
    time : int
        Time at which the run stopped, ms UTC.
    """

    def __init__(self, message: str, *, exception: str | None = None, bar: int = -1, time: int = -1) -> None:
        super().__init__(message)
        self.exception = exception
        self.bar = bar
        self.time = time


class CompileError(FastbtError):
    """A strategy that cannot be compiled.

    Attributes
    ----------
    message : str
        What cannot be compiled, and what is supported instead.
    file : str
        The strategy's source file.
    line, column : int
        Where, counted from 1.
    """

    def __init__(
        self, message: str, *, file: str = "", line: int = 0, column: int = 0, source: str = "", width: int = 1
    ) -> None:
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        text = message
        if file:
            text = f"{file}:{line}:{column}: {message}"
            if source:
                pad = " " * (column - 1)
                text += f"\n    {source.rstrip()}\n    {pad}{'^' * max(1, width)}"
        super().__init__(text)


class CandleWarning(UserWarning):
    """Suspicious but legal candles."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"` for the nearest known name, or an empty string.

    Examples
    --------
    >>> did_you_mean("fast_perod", ["fast_period", "slow_period"])
    " Did you mean 'fast_period'?"
    >>> did_you_mean("zebra", ["fast_period"])
    ''
    """
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""
