"""The real Jesse in this process, with strategies given as classes: for the fuzzer, which compares every hook call.

Import it in a process made for the purpose (`fuzz.py` is one): Jesse writes into the working directory, behaves
differently under pytest, and warns at import. Whoever has a strategy file uses `fastbt.oracle` instead.
"""

import math
import os
import tempfile
import warnings
from typing import Any

from parity.cases import Api, Case

from fastbt.oracle.worker import Recorder


class Jesse:
    """Jesse, imported where it may leave its folders behind, and made deterministic."""

    def __init__(self) -> None:
        folder = tempfile.mkdtemp(prefix="jesse-")
        os.environ["JESSE_CACHE_DIR"] = folder
        # Inherited from pytest, it would make Jesse believe that it is being tested itself.
        os.environ.pop("PYTEST_CURRENT_TEST", None)
        os.chdir(folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import jesse.indicators
            import jesse.research
            import jesse.strategies
            import jesse.utils
        self.api = Api(jesse.strategies.Strategy, jesse.strategies.cached, jesse.utils, jesse.indicators)
        self._backtest = jesse.research.backtest
        self._recorder = Recorder()
        self._recorder.install()
        _keep_route_order()

    def run(self, case: Case, strategies: list[type]) -> dict[str, Any]:
        """Run a case, and answer in the words of the oracle's worker; a failure names Jesse's exception.

        `strategies` has a class for each route.
        """
        recorder = self._recorder
        recorder.order_count, recorder.stopped_at, recorder.outcome = 0, math.nan, {}
        exchange = case.config["exchange"]
        routes = [
            {"exchange": exchange, "symbol": symbol, "timeframe": timeframe, "strategy": strategy}
            for (symbol, timeframe), strategy in zip(case.routes, strategies, strict=True)
        ]
        data_routes = [{"exchange": exchange, "symbol": s, "timeframe": t} for s, t in case.data_routes]
        candles, warmup = (
            {
                f"{exchange}-{symbol}": {"exchange": exchange, "symbol": symbol, "candles": rows}
                for symbol, rows in of_symbol.items()
            }
            for of_symbol in (case.candles, case.warmup)
        )
        try:
            # Strategies of the fuzzer divide by zero where Jesse does; numpy's warnings say nothing new.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._backtest(
                    case.config, routes, data_routes, candles, warmup or None, hyperparameters=case.hyperparameters
                )
        except Exception as error:
            return {
                "status": "failed",
                "exception": type(error).__name__,
                "message": str(error),
                "time": recorder.stopped_at,
                "order_count": recorder.order_count,
            }
        return {"status": "ok", **recorder.outcome, "order_count": recorder.order_count, "metrics": {}}


def _keep_route_order() -> None:
    """Keep positions in route order: in the order of Jesse's set, the last bit of their sum depends on the process."""
    from jesse.config import config
    from jesse.routes import router
    from jesse.services import position_service

    initialize = position_service.initialize_positions_state

    def initialize_in_order() -> None:
        config["app"]["trading_symbols"] = tuple(route.symbol for route in router.routes)
        initialize()

    position_service.initialize_positions_state = initialize_in_order
