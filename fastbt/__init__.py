"""Jesse strategies, unchanged, compiled to machine code.

>>> import fastbt
>>> candles = fastbt.CandleSet.load("BTC-USD")
>>> result = fastbt.sweep("strategies/SmaCrossover", candles, timeframe="4h", n=10, finish="2019-03-15")
>>> result.best("sharpe_ratio", 3).height <= 3
True

Names are loaded when they are first used: importing fastbt imports neither numba nor Jesse.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastbt.backtest import backtest
    from fastbt.data import CandleSet
    from fastbt.errors import (
        CandleError,
        CandleWarning,
        CompileError,
        FastbtError,
        IndicatorError,
        OracleError,
        SearchError,
        SettingsError,
        ShapeError,
        SimulationError,
        StrategyError,
    )
    from fastbt.indicators.plugin import indicator
    from fastbt.oracle.against_jesse import verify
    from fastbt.oracle.lookahead import LookaheadReport, verify_no_lookahead
    from fastbt.oracle.verify import VerifyReport
    from fastbt.search.batch import backtest_batch
    from fastbt.search.batch_result import BatchResult
    from fastbt.search.optimize import optimize
    from fastbt.search.optimize_result import OptimizeResult
    from fastbt.search.walk_forward import walk_forward
    from fastbt.search.walk_forward_result import WalkForwardResult
    from fastbt.sweep import Space, SweepResult, sweep

__version__ = "0.1.0"

__all__ = [
    "BatchResult",
    "CandleError",
    "CandleSet",
    "CandleWarning",
    "CompileError",
    "FastbtError",
    "IndicatorError",
    "LookaheadReport",
    "OptimizeResult",
    "OracleError",
    "SearchError",
    "SettingsError",
    "ShapeError",
    "SimulationError",
    "Space",
    "StrategyError",
    "SweepResult",
    "VerifyReport",
    "WalkForwardResult",
    "backtest",
    "backtest_batch",
    "indicator",
    "optimize",
    "sweep",
    "verify",
    "verify_no_lookahead",
    "walk_forward",
]

_HOMES = {
    "BatchResult": "fastbt.search.batch_result",
    "CandleSet": "fastbt.data",
    "OptimizeResult": "fastbt.search.optimize_result",
    "Space": "fastbt.sweep.space",
    "LookaheadReport": "fastbt.oracle.lookahead",
    "SweepResult": "fastbt.sweep.sweep",
    "VerifyReport": "fastbt.oracle.verify",
    "WalkForwardResult": "fastbt.search.walk_forward_result",
    "backtest": "fastbt.backtest",
    "backtest_batch": "fastbt.search.batch",
    "indicator": "fastbt.indicators.plugin",
    "optimize": "fastbt.search.optimize",
    "sweep": "fastbt.sweep.sweep",
    "verify": "fastbt.oracle.against_jesse",
    "verify_no_lookahead": "fastbt.oracle.lookahead",
    "walk_forward": "fastbt.search.walk_forward",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES.get(name, "fastbt.errors")), name)
    globals()[name] = value
    return value


class _Package(ModuleType):
    """Keeps `fastbt.backtest` and `fastbt.sweep` the functions that they are said to be.

    Python hangs a module on its package when it is first imported, and so the modules of these names, which everything
    else imports, would take the place of the functions.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
