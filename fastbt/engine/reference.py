"""The definition of the engine: Jesse's dense step simulator in plain Python.

Slow and plain on purpose. It runs any strategy as ordinary Python. It is tested against Jesse itself, and every
compiled engine is tested against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastbt.engine.account import Account
from fastbt.engine.inputs import check_alignment, check_dense, check_routes, check_warmup
from fastbt.engine.jesse_store import running
from fastbt.engine.lifecycle import Lifecycle
from fastbt.engine.matching import match_minute
from fastbt.engine.routes import Route
from fastbt.engine.session import Session, TradingRoute
from fastbt.errors import SettingsError, SimulationError
from fastbt.indicators import warm_up_window
from fastbt.results import Simulation
from fastbt.types import CLOSE, DAY_MS, MINUTE_MS, TIMEFRAME_MINUTES, TIMESTAMP, Float2D

__all__ = ["Account", "Route", "simulate_reference"]


def simulate_reference(
    routes: Sequence[Route],
    candles: Mapping[str, Float2D],
    *,
    account: Account,
    warmup: Mapping[str, Float2D] | None = None,
    data_routes: Sequence[tuple[str, str]] = (),
    tie_break: str = "submission",
) -> Simulation:
    """Run strategies over candles, as Jesse's step mode does.

    Parameters
    ----------
    routes : sequence of Route
        What is traded, in Jesse's route order; a symbol once.
    candles : mapping of str to ndarray, shape (n_minutes, 6), float64
        For every symbol that a route or data route names, one-minute candles: timestamp (ms), open, close, high, low
        (quote), volume (base). Every minute is there, and all symbols have the same ones. The arrays are not changed.
    account : Account
        Balance, fee, market, leverage.
    warmup : mapping of str to ndarray, shape (n_warm_up, 6), float64, optional
        For the same symbols, the minutes up to the start; later ones are ignored.
    data_routes : sequence of (symbol, timeframe), optional
        Candles that strategies only look at.
    tie_break : {"submission"}, optional
        Orders at one price fill in the order in which they were submitted. (Jesse draws lots.)

    Returns
    -------
    Simulation
        Trades, equity samples, counts.

    Raises
    ------
    SettingsError
        If routes, symbols or timeframes do not fit together; if the start or the length of the warm-up is not on a
        boundary of every timeframe used.
    CandleError, ShapeError
        If candles cannot be used, lack a minute, or differ in their times.
    SimulationError
        If Jesse would abort the run (`exception` has Jesse's name, the cause is chained), or if fastbt does not
        simulate what happened (`exception` is None).

    References
    ----------
    .. [1] Specification 1 to 4. Jesse itself on the same input: ``tests/parity/``.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbt.engine.strategy import Strategy
    >>> class BuyOnce(Strategy):
    ...     def should_long(self):
    ...         return self.index == 0
    ...     def go_long(self):
    ...         self.buy = 2, self.price
    >>> candles = np.array([[60_000.0 * i, 10.0 + i, 11.0 + i, 11.0 + i, 10.0 + i, 1.0] for i in range(3)])
    >>> run = simulate_reference(
    ...     [Route("BTC-USDT", "1m", BuyOnce)], {"BTC-USDT": candles}, account=Account(fee_rate=0.0)
    ... )
    >>> [(trade.entry_price, trade.exit_price, trade.pnl) for trade in run.trades]
    [(11.0, 13.0, 4.0)]
    """
    if tie_break != "submission":
        raise SettingsError(f"tie_break wants 'submission'; it was {tie_break!r}")
    if not account.is_exact:
        raise SettingsError("indicator_window 'full' is for compiled runs; interpreted ones are always exact")
    check_routes([route.symbol for route in routes], data_routes, candles)
    used = [*((route.symbol, route.timeframe) for route in routes), *data_routes]
    first = check_dense(candles)
    warm = check_warmup(warmup, [symbol for symbol, _ in used], first[0, TIMESTAMP])
    check_alignment(first[0, TIMESTAMP], warm, [timeframe for _, timeframe in used])

    n_warm = max((len(rows) for rows in warm.values()), default=0)
    session = Session(
        account,
        [TradingRoute(account.exchange, r.symbol, r.timeframe, strategy_name=r.strategy.__name__) for r in routes],
        [TradingRoute(account.exchange, symbol, timeframe) for symbol, timeframe in data_routes],
        list(candles),
        n_warm + len(first),
        first[0, TIMESTAMP],
    )
    for symbol, rows in warm.items():
        session.candles.warm_up(symbol, rows)
    run = _Run(session, routes, candles, first)
    with warm_up_window(account.warm_up_candles), running(session):
        return run.complete()


class _Run:
    """One walk over the minutes."""

    def __init__(
        self, session: Session, routes: Sequence[Route], candles: Mapping[str, Float2D], first: Float2D
    ) -> None:
        self._session = session
        self._routes = routes
        self._candles = candles
        self._times = first[:, TIMESTAMP]
        self._minute = -1

    def complete(self) -> Simulation:
        session = self._session
        try:
            self._make_strategies()
            self._walk()
            self._terminate()
        except Exception as error:
            raise self._aborted(error) from error
        return Simulation(
            trades=[trade.finished() for trade in session.trades.closed_trades],
            daily_balance=[float(value) for value in session.daily_balance],
            daily_time=session.daily_time,
            starting_balance=float(session.account.starting_balance),
            finishing_balance=float(session.exchange.wallet_balance),
            started_at=int(session.starting_time),
            finished_at=int(session.time + MINUTE_MS),
            order_count=session.orders.count,
            total_open_trades=session.total_open_trades,
            open_pl=float(session.open_pl),
            liquidations=session.liquidations,
            log=session.log,
        )

    def _make_strategies(self) -> None:
        session = self._session
        for route, trading_route in zip(self._routes, session.routes, strict=True):
            lifecycle = Lifecycle(session, trading_route, route.strategy, route.hyperparameters)
            if lifecycle.strategy.candles_pipeline() is not None:
                raise SettingsError(f"{route.strategy.__name__}: fastbt has no candle pipelines; run it in Jesse")
            session.lifecycles[route.symbol] = lifecycle

    def _walk(self) -> None:
        session = self._session
        session.sample_equity()
        # Jesse samples after the first minute of each later day.
        next_sample = int(session.time) + DAY_MS + MINUTE_MS
        for i, timestamp in enumerate(self._times):
            self._minute = i
            session.time = timestamp + MINUTE_MS
            for symbol, rows in self._candles.items():
                self._play(symbol, rows, i)
            for route, trading_route in zip(self._routes, session.routes, strict=True):
                if (i + 1) % TIMEFRAME_MINUTES[route.timeframe] == 0:
                    session.lifecycles[trading_route.symbol].execute_bar()
                session.orders.drop_finished(trading_route.symbol)
            session.execute_market_orders()
            if int(session.time) >= next_sample:
                session.sample_equity()
                next_sample += DAY_MS

    def _play(self, symbol: str, rows: Float2D, i: int) -> None:
        store = self._session.candles
        store.put_minute(symbol, rows[i])
        match_minute(self._session, symbol, rows[i], rows[i - 1, CLOSE] if i else None)
        for timeframe, minutes in store.timeframes:
            if (i + 1) % minutes == 0:
                store.put_completed(symbol, timeframe, rows[i + 1 - minutes : i + 1])

    def _terminate(self) -> None:
        for lifecycle in self._session.lifecycles.values():
            lifecycle.terminate()
            self._session.execute_market_orders()
        self._session.sample_equity()

    def _aborted(self, error: Exception) -> Exception:
        if isinstance(error, SettingsError) and self._minute < 0:
            return error
        bar = -1 if self._minute < 0 else self._minute // TIMEFRAME_MINUTES[self._routes[0].timeframe]
        unsupported = isinstance(error, SimulationError)
        name = None if unsupported else getattr(error, "jesse_exception", type(error).__name__)
        message = str(error) if unsupported else f"Jesse aborts this run at bar {bar}: {name}: {error}"
        return SimulationError(message, exception=name, bar=bar, time=int(self._session.time))
