"""One run: compile the strategy, simulate it, measure it.

`backtest` takes what `jesse.research.backtest` takes and gives what it gives. `Session` is what it and everything above
it work with: a strategy, compiled, on one symbol and timeframe of one account.
"""

from __future__ import annotations

import math
import uuid
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fastbt.data import CandleSet, iso, resample, split_warmup, timeframe_minutes, to_ms, warmup_bars
from fastbt.data.times import Time
from fastbt.engine.account import Account
from fastbt.engine.inputs import check_alignment, check_dense, check_routes, check_warmup
from fastbt.engine.layout import Market, build_market
from fastbt.engine.routes import frame_name, frame_parts
from fastbt.errors import CandleError, CompileError, SettingsError, SimulationError, did_you_mean
from fastbt.results import FilledOrder, Simulation, Trade
from fastbt.types import MINUTE_MS, TIMEFRAME_MINUTES, TIMESTAMP, Float2D, JsonDict

if TYPE_CHECKING:
    from fastbt.compiler.binding import Binding
    from fastbt.compiler.load import StrategySource
    from fastbt.compiler.program import CompiledStrategy
    from fastbt.engine.frames import Frame
    from fastbt.engine.simulate import Runner

_PORTFOLIO_COLOR = "#818CF8"


@dataclass(frozen=True)
class Setup:
    """Candles of one symbol, cut and aggregated for one timeframe.

    Attributes
    ----------
    account : Account
    symbol, timeframe : str
    market : Market
        What kernels read.
    warmup : ndarray, shape (n, 6)
        One-minute candles before the trading starts, as Jesse is given them.
    frames : tuple of str
        Candles beside the traded ones, Jesse's data routes: "4h" of the traded symbol, "ETH-USDT 4h" of another.
    others : mapping of str to (minutes, warmup)
        One-minute candles of other symbols, of the same minutes.
    """

    account: Account
    symbol: str
    timeframe: str
    market: Market
    warmup: Float2D
    frames: tuple[str, ...] = ()
    others: Mapping[str, tuple[Float2D, Float2D]] = field(default_factory=dict)
    _frames: dict[str, Frame] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_arrays(
        cls,
        account: Account,
        symbol: str,
        timeframe: str,
        minutes: Float2D,
        warmup: Float2D,
        frames: Iterable[str] = (),
        others: Mapping[str, tuple[Float2D, Float2D]] | None = None,
    ) -> Setup:
        """Return the set-up of dense one-minute candles and their warm-up, and of those of other symbols."""
        length = timeframe_minutes(timeframe)
        before = warmup_bars(warmup, timeframe, int(minutes[0, TIMESTAMP])) if len(warmup) else np.empty((0, 6))
        bars = np.vstack([before, minutes if length == 1 else resample(minutes, timeframe)])
        market = build_market(minutes, bars, warmup_bars=len(before), timeframe_minutes=length)
        return cls(account, symbol, timeframe, market, warmup, tuple(sorted(frames)), others or {})

    @classmethod
    def from_candles(
        cls,
        account: Account,
        candles: CandleSet,
        timeframe: str,
        start: Time | None = None,
        finish: Time | None = None,
        frames: Iterable[str] = (),
        others: Mapping[str, CandleSet] | None = None,
    ) -> Setup:
        """Return the set-up of a period of a candle set; absent minutes are filled as Jesse's importer does.

        Parameters
        ----------
        account : Account
        candles : CandleSet
        timeframe : str
        start : str, int or datetime, optional
            First traded minute; the first possible one after the warm-up if left out.
        finish : str, int or datetime, optional
            End of the trading, itself not included; the end of the candles if left out.
        frames : iterable of str
            Candles beside the traded ones that the strategy reads; the warm-up covers the largest timeframe.
        others : mapping of str to CandleSet, optional
            Other symbols that `frames` name.

        Raises
        ------
        SettingsError
            If the timeframe is unknown, start is not before finish, or there is not enough warm-up before start.
        """
        frames = set(frames) - {timeframe}
        parts = [frame_parts(each, candles.symbol) for each in frames]
        sets = {candles.symbol: candles}
        for symbol in {symbol for symbol, _ in parts} - {candles.symbol}:
            if symbol not in (others or {}):
                raise SettingsError(f"the strategy reads candles of {symbol}; give them, too: {{{symbol!r}: ...}}")
            sets[symbol] = (others or {})[symbol]
        timeframes = [timeframe, *(each for _, each in parts)]
        cut = cut_period(sets, timeframes, account.warm_up_candles, start, finish)
        minutes, before = cut.pop(candles.symbol)
        return cls.from_arrays(account, candles.symbol, timeframe, minutes, before, frames, cut)

    def provides(self, name: str) -> bool:
        """Tell whether Jesse knows these candles: any symbol, in any timeframe of any route."""
        symbol, timeframe = frame_parts(name, self.symbol)
        known = {"1m", self.timeframe, *(each for _, each in self.data_routes)}
        return symbol in (self.symbol, *self.others) and timeframe in known

    def frame(self, name: str) -> Frame:
        """Return what a strategy sees of candles beside the traded ones."""
        from fastbt.engine.frames import build_frame

        if name not in self._frames:
            market = self.market
            minutes, warmup = self.candles[frame_parts(name, self.symbol)[0]]
            self._frames[name] = build_frame(
                name,
                frame_parts(name, self.symbol)[1],
                warmup,
                minutes,
                bar_minutes=market.timeframe_minutes,
                first_bar=market.warmup_bars,
                n_bars=market.warmup_bars + market.n_bars,
            )
        return self._frames[name]

    @property
    def candles(self) -> dict[str, tuple[Float2D, Float2D]]:
        """One-minute candles of trading and warm-up by symbol, the traded one first."""
        return {self.symbol: (self.market.minutes, self.warmup), **self.others}

    @property
    def data_routes(self) -> list[tuple[str, str]]:
        """Symbol and timeframe of what is only looked at."""
        return [frame_parts(name, self.symbol) for name in self.frames]

    @property
    def start(self) -> int:
        """First traded minute, ms UTC."""
        return int(self.market.minutes[0, TIMESTAMP])

    @property
    def finish(self) -> int:
        """End of the last traded minute, ms UTC."""
        return int(self.market.minutes[-1, TIMESTAMP]) + MINUTE_MS


def cut_period(
    sets: Mapping[str, CandleSet],
    timeframes: Sequence[str],
    warm_up_candles: int,
    start: Time | None = None,
    finish: Time | None = None,
) -> dict[str, tuple[Float2D, Float2D]]:
    """Return the traded minutes and the warm-up of every symbol, gaps filled as Jesse's importer does.

    Parameters
    ----------
    sets : mapping of str to CandleSet
        By symbol.
    timeframes : sequence of str
        All that are used; the warm-up covers the largest.
    warm_up_candles : int
    start, finish : str, int or datetime, optional
        The traded period; all that every symbol allows if left out.

    Raises
    ------
    SettingsError
        If start is not before finish, or there is not enough warm-up before start.
    """
    minutes = [timeframe_minutes(each) for each in timeframes]
    length, warm = math.lcm(*minutes) * MINUTE_MS, warm_up_candles * max(minutes) * MINUTE_MS
    available = max(candles.start for candles in sets.values())
    end = min(candles.finish for candles in sets.values()) if finish is None else to_ms(finish, "finish")
    begin = -(-(available + warm) // length) * length if start is None else to_ms(start, "start")
    cut = {}
    for symbol, candles in sets.items():
        if begin >= end:
            raise SettingsError(
                f"start: wanted a time before the finish {iso(end)}; was {iso(begin)}. {symbol} is available "
                f"from {candles.start_time} to {candles.finish_time}."
            )
        if end > candles.finish or begin < candles.start:
            raise SettingsError(
                f"{'finish' if end > candles.finish else 'start'}: {symbol} is available from "
                f"{candles.start_time} to {candles.finish_time}; was {iso(end if end > candles.finish else begin)}"
            )
        known = candles.between(candles.start, end).fill_gaps(finish=end)
        before, traded = split_warmup(known, begin, warm_up_candles, timeframes)
        cut[symbol] = np.ascontiguousarray(traded), np.ascontiguousarray(before)
    return cut


def known_hyperparameters(source: StrategySource, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the strategy's defaults overridden by `given`.

    Raises
    ------
    SettingsError
        If a name is unknown; the nearest one is suggested.
    """
    defaults = source.defaults
    for key in given:
        if key not in defaults:
            wanted = ", ".join(defaults) or "none"
            raise SettingsError(
                f"{source.name} has no hyper-parameter {key!r}; it has {wanted}.{did_you_mean(key, defaults)}"
            )
    return {**defaults, **given}


def check_frames(compiled: CompiledStrategy, setup: Setup) -> None:
    """Refuse a strategy that asks for candles of no route.

    Raises
    ------
    SimulationError
        As Jesse's RouteNotFound.
    """
    for name in compiled.program.timeframes:
        if not setup.provides(name):
            symbol, timeframe = frame_parts(name, setup.symbol)
            raise SimulationError(
                f"Jesse raises RouteNotFound: {compiled.source.name} reads {timeframe} candles of {symbol}; add them "
                f"to the data routes",
                exception="RouteNotFound",
            )


def series_of(setup: Setup, binding: Binding) -> Float2D:
    """Return the market series that parameter sets are bound to."""
    from fastbt.engine.simulate import compute_series

    market = setup.market
    return compute_series(
        binding.series, binding.n_rows, market.bars, frame_of=setup.frame, first_bar=market.warmup_bars
    )


class Session:
    """A strategy, ready to run on one set-up with any hyper-parameters.

    Parameters
    ----------
    strategy : str, Path, type or StrategySource
        See `fastbt.compiler.load.load_strategy`.
    setup : Setup
    """

    def __init__(self, strategy: str | Path | type | StrategySource, setup: Setup) -> None:
        from fastbt.compiler.load import StrategySource, load_strategy

        self.source = strategy if isinstance(strategy, StrategySource) else load_strategy(strategy)
        self.setup = setup
        self._runners: list[tuple[CompiledStrategy, Runner]] = []
        self._compiled: list[CompiledStrategy] = []

    def on(self, setup: Setup) -> Session:
        """Return the strategy on another period of the same market; what is compiled for one serves both.

        Parameters
        ----------
        setup : Setup
            With the same account, symbol and timeframe.
        """
        other = Session(self.source, setup)
        other._compiled = self._compiled
        return other

    def runner_for(self, hyperparameters: Mapping[str, Any]) -> tuple[CompiledStrategy, Runner]:
        """Return kernels made for hyper-parameters of these types."""
        from fastbt.compiler.program import CompiledStrategy
        from fastbt.engine.simulate import Runner

        for known in self._runners:
            if known[0].fits(hyperparameters):
                return known
        setup = self.setup
        compiled = next((each for each in self._compiled if each.fits(hyperparameters)), None)
        if compiled is None:
            compiled = CompiledStrategy(
                self.source, setup.account, symbol=setup.symbol, timeframe=setup.timeframe, sample=hyperparameters
            )
            self._compiled.append(compiled)
        check_frames(compiled, setup)
        runner = Runner(
            compiled.module,
            compiled.state_dtype,
            compiled.variables_dtype,
            setup.market,
            setup.account,
            setup.symbol,
        )
        self._runners.append((compiled, runner))
        return self._runners[-1]

    def run(self, hyperparameters: Mapping[str, Any] | None = None) -> tuple[Simulation, JsonDict]:
        """Run one set in full.

        Parameters
        ----------
        hyperparameters : mapping, optional
            Handed to the strategy as they are; its defaults if left out.

        Returns
        -------
        simulation : Simulation
        metrics : dict
            Jesse's metrics.

        Raises
        ------
        SimulationError
            If Jesse would abort the run, or fastbt does not simulate it.
        CompileError
            If the strategy cannot be compiled.
        """
        from fastbt.metrics.measuring import metrics_row_to_dict

        hp = self.source.defaults if hyperparameters is None else dict(hyperparameters)
        try:
            compiled, runner = self.runner_for(hp)
        except SimulationError as error:
            if error.exception != "RouteNotFound":
                raise
            # Where Jesse raises it, and whether it comes to that, a run tells.
            return self.run_interpreted(hyperparameters)
        binding = compiled.bind([hp])
        if binding.errors:
            raise SettingsError(f"{self.source.name}: {binding.errors[0]}")
        x = series_of(self.setup, binding)
        simulation, row = runner.run_one(binding.configs, x, 0, symbol=self.setup.symbol)
        return simulation, metrics_row_to_dict(row)

    def run_interpreted(self, hyperparameters: Mapping[str, Any] | None = None) -> tuple[Simulation, JsonDict]:
        """Run one set as ordinary Python on the reference engine: slower, with the same result and without limits."""
        from fastbt.compiler.standins import jesse_standins
        from fastbt.engine.reference import simulate_reference
        from fastbt.engine.routes import Route
        from fastbt.metrics.measuring import measure

        setup = self.setup
        hp = None if hyperparameters is None else dict(hyperparameters)
        route = Route(setup.symbol, setup.timeframe, self.source.restored(), hp)
        with jesse_standins():
            simulation = simulate_reference(
                [route],
                {symbol: minutes for symbol, (minutes, _) in setup.candles.items()},
                account=setup.account,
                warmup={symbol: warmup for symbol, (_, warmup) in setup.candles.items()} if len(setup.warmup) else None,
                data_routes=setup.data_routes,
            )
        return simulation, measure(simulation, annualization=setup.account.annualization)


def order_dict(order: FilledOrder, symbol: str, exchange: str) -> JsonDict:
    """Return an order with Jesse's keys."""
    return {
        "id": str(uuid.uuid4()),
        "symbol": symbol,
        "exchange": exchange,
        "side": order.side,
        "type": order.type,
        "qty": order.qty,
        "filled_qty": order.filled_qty,
        "price": order.price,
        "status": "EXECUTED",
        "created_at": order.created_at,
        "canceled_at": None,
        "executed_at": order.executed_at,
        "reduce_only": order.reduce_only,
        "submitted_via": order.submitted_via,
    }


def trade_dict(trade: Trade, strategy_name: str, exchange: str) -> JsonDict:
    """Return a trade with Jesse's keys."""
    return {
        "id": str(uuid.uuid4()),
        "strategy_name": strategy_name,
        "symbol": trade.symbol,
        "exchange": exchange,
        "type": trade.type,
        "entry_price": trade.entry_price,
        "exit_price": trade.exit_price,
        "qty": trade.qty,
        "opened_at": trade.opened_at,
        "closed_at": trade.closed_at,
        "fee": trade.fee,
        "size": trade.size,
        "PNL": trade.pnl,
        "PNL_percentage": trade.pnl_percentage,
        "holding_period": trade.holding_period,
        "orders": [order_dict(order, trade.symbol, exchange) for order in trade.orders],
    }


def result_dict(
    simulation: Simulation,
    metrics: JsonDict,
    *,
    strategy_name: str | Mapping[str, str],
    exchange: str,
    equity_curve: bool = False,
) -> JsonDict:
    """Return a run in the form of `jesse.research.backtest`; with several strategies, their names by symbol."""
    result: JsonDict = {"metrics": metrics, "logs": None}
    if equity_curve:
        points = [
            {"time": time / 1000, "value": value, "color": _PORTFOLIO_COLOR}
            for time, value in zip(simulation.daily_time, simulation.daily_balance, strict=True)
        ]
        curve = {"name": "Portfolio", "data": points, "color": _PORTFOLIO_COLOR}
        result["equity_curve"] = [curve] if simulation.trades else None
    result["trades"] = [
        trade_dict(trade, strategy_name if isinstance(strategy_name, str) else strategy_name[trade.symbol], exchange)
        for trade in simulation.trades
    ]
    return result


def _arrays(candles: Mapping[str, Mapping[str, Any]] | None, exchange: str, symbol: str, what: str) -> Float2D | None:
    """Return one symbol's candles of Jesse's dictionary."""
    if not candles:
        return None
    key = f"{exchange}-{symbol}"
    if key not in candles:
        raise SettingsError(f"{what}: wanted an entry {key!r}; there is {', '.join(map(repr, candles))}")
    return np.ascontiguousarray(candles[key]["candles"], dtype=np.float64)


def _check_dense(array: Float2D, symbol: str) -> None:
    steps = np.diff(array[:, TIMESTAMP])
    wrong = np.flatnonzero(steps != MINUTE_MS)
    if len(wrong):
        row = int(wrong[0])
        raise CandleError(
            f"candles of {symbol}: wanted one row a minute; after row {row} ({iso(int(array[row, TIMESTAMP]))}) comes "
            f"{iso(int(array[row + 1, TIMESTAMP]))}. Use fastbt.data.fill_gaps() first."
        )


def backtest(
    config: Mapping[str, Any],
    routes: Sequence[Mapping[str, Any]],
    data_routes: Sequence[Mapping[str, Any]],
    candles: Mapping[str, Mapping[str, Any]],
    warmup_candles: Mapping[str, Mapping[str, Any]] | None = None,
    generate_hyperparameters: bool = False,
    generate_equity_curve: bool = False,
    hyperparameters: Mapping[str, Any] | None = None,
    mode: Literal["compiled", "interpreted", "auto"] = "compiled",
    **ignored: Any,
) -> JsonDict:
    """Run one backtest: a drop-in for `jesse.research.backtest`.

    Parameters
    ----------
    config : mapping
        Jesse's: `starting_balance`, `fee`, `type`, `futures_leverage`, `futures_leverage_mode`, `exchange`,
        `warm_up_candles`, and optionally `annualization`.
    routes : sequence of mapping
        One or more of `exchange`, `symbol`, `timeframe`, `strategy`; the strategy is a class, or the path of a strategy
        file or folder. Several routes share the account.
    data_routes : sequence of mapping
        The same without `strategy`: other timeframes and symbols that the strategies read.
    candles, warmup_candles : mapping
        `{"<exchange>-<symbol>": {"exchange": ..., "symbol": ..., "candles": ndarray (n, 6)}}`, one-minute candles
        without absent minutes.
    generate_hyperparameters, generate_equity_curve : bool
        Add these to the result.
    hyperparameters : mapping, optional
        Handed to the strategy as they are; its defaults if left out.
    mode : {"compiled", "interpreted", "auto"}
        Interpreted mode runs any strategy as ordinary Python, slower and with the same result. Auto is compiled where
        that is possible, and else interpreted, with a warning that says why.
    **ignored
        Flags of Jesse's that change no trade: `fast_mode` (fastbt always gives what Jesse's exact step mode gives),
        `benchmark`, `generate_charts`, `generate_csv`, `generate_json`, `generate_logs`, `candles_pipeline_class` and
        `candles_pipeline_kwargs`, the last two only when None.

    Returns
    -------
    dict
        `metrics`, `trades` (each with its `orders`), `logs` (None), and what was asked for.

    Raises
    ------
    SettingsError, CandleError
        If the input makes no sense.
    CompileError
        If the strategy cannot be compiled.
    SimulationError
        If Jesse would abort the run, or fastbt does not simulate it.

    Examples
    --------
    >>> from fastbt.data import CandleSet
    >>> known = CandleSet.load("BTC-USD").fill_gaps()
    >>> def of(start, finish):
    ...     minutes = known.between(start, finish).array
    ...     return {"Bitfinex-BTC-USD": {"exchange": "Bitfinex", "symbol": "BTC-USD", "candles": minutes}}
    >>> config = {"starting_balance": 10_000, "fee": 0.0006, "type": "futures", "futures_leverage": 2,
    ...           "futures_leverage_mode": "cross", "exchange": "Bitfinex", "warm_up_candles": 240}
    >>> route = {"exchange": "Bitfinex", "symbol": "BTC-USD", "timeframe": "1h", "strategy": "strategies/SmaCrossover"}
    >>> result = backtest(config, [route], [], of("2019-01-11", "2019-02-01"), of("2019-01-01", "2019-01-11"))
    >>> result["metrics"]["total"] == len(result["trades"])
    True
    """
    account = Account.from_jesse_config(config)
    _check_flags(ignored)
    if mode not in ("compiled", "interpreted", "auto"):
        raise SettingsError(f"mode wants 'compiled', 'interpreted' or 'auto'; it was {mode!r}")
    if not routes:
        raise SettingsError("routes: wanted at least one; there was none")
    for route in [*routes, *data_routes]:
        missing = {"exchange", "symbol", "timeframe"} - set(route)
        if missing:
            raise SettingsError(f"a route wants exchange, symbol and timeframe; it lacks {', '.join(sorted(missing))}")
        if route["timeframe"] not in TIMEFRAME_MINUTES:
            timeframe_minutes(route["timeframe"])
        if route["exchange"] != account.exchange:
            raise SettingsError(
                f"a route is on exchange {route['exchange']!r}, the configuration on {account.exchange!r}; use one"
            )
    for route in routes:
        if "strategy" not in route:
            raise SettingsError("a route wants a strategy: a class, or the path of a strategy file or folder")
    given = (account, routes, data_routes, candles, warmup_candles, hyperparameters)
    if mode == "interpreted":
        simulation, metrics, names = _interpreted(*given)
    else:
        try:
            simulation, metrics, names = _several(*given) if len(routes) > 1 else _single(*given)
        except CompileError as error:
            if mode != "auto":
                raise
            warnings.warn(f"this runs interpreted, many times slower: {error}", UserWarning, stacklevel=2)
            simulation, metrics, names = _interpreted(*given)
    result = result_dict(
        simulation, metrics, strategy_name=names, exchange=account.exchange, equity_curve=generate_equity_curve
    )
    if generate_hyperparameters:
        result["hyperparameters"] = None if hyperparameters is None else dict(hyperparameters)
    return result


_FLAGS = (
    "benchmark",
    "generate_csv",
    "generate_json",
    "generate_logs",
    "generate_charts",
    "fast_mode",
    "candles_pipeline_class",
    "candles_pipeline_kwargs",
)


def _check_flags(flags: Mapping[str, Any]) -> None:
    for key, value in flags.items():
        if key not in _FLAGS:
            raise TypeError(f"backtest() has no argument {key!r}.{did_you_mean(key, _FLAGS)}")
        if key.startswith("candles_pipeline") and value is not None:
            raise SettingsError(f"{key}: fastbt has no candle pipelines; transform the candles before the call")


def _check_alignment(minutes: Float2D, warmup: Float2D, timeframe: str) -> None:
    """Refuse starts off the timeframe's boundaries, where Jesse itself mixes two ways of counting (4.1)."""
    span = timeframe_minutes(timeframe) * MINUTE_MS
    begin = int(minutes[0, TIMESTAMP])
    if begin % span:
        before = begin // span * span
        raise SettingsError(
            f"candles: wanted the first at a boundary of {timeframe}; was {iso(begin)}. "
            f"The nearest are {iso(before)} and {iso(before + span)}."
        )
    if (len(warmup) * MINUTE_MS) % span:
        raise SettingsError(
            f"warmup_candles: wanted a multiple of {span // MINUTE_MS} minutes for {timeframe}; was {len(warmup)}"
        )


def _all_candles(
    account: Account,
    routes: Sequence[Mapping[str, Any]],
    data_routes: Sequence[Mapping[str, Any]],
    candles: Mapping[str, Mapping[str, Any]],
    warmup_candles: Mapping[str, Mapping[str, Any]] | None,
) -> dict[str, tuple[Float2D, Float2D]]:
    """Return candles and warm-up of every symbol, in the order of `candles`: the one in which Jesse plays them."""
    arrays = _by_symbol(account, [*routes, *data_routes], candles, "candles")
    before = _by_symbol(account, [*routes, *data_routes], warmup_candles, "warmup_candles")
    declared = [(each["symbol"], each["timeframe"]) for each in data_routes]
    check_routes([each["symbol"] for each in routes], declared, arrays)
    start = check_dense(arrays)[0, TIMESTAMP]
    warm = check_warmup(before or None, list(arrays), start)
    check_alignment(start, warm, [each["timeframe"] for each in [*routes, *data_routes]])
    return {symbol: (rows, warm.get(symbol, np.empty((0, 6)))) for symbol, rows in arrays.items()}


def _by_symbol(
    account: Account,
    routes: Sequence[Mapping[str, Any]],
    candles: Mapping[str, Mapping[str, Any]] | None,
    what: str,
) -> dict[str, Float2D]:
    """Return the arrays of all symbols of the routes, in the order of `candles`."""
    arrays = {}
    for symbol in dict.fromkeys(each["symbol"] for each in routes):
        array = _arrays(candles, account.exchange, symbol, what)
        if array is not None:
            arrays[symbol] = array
    places = list(candles or ())
    return dict(sorted(arrays.items(), key=lambda item: places.index(f"{account.exchange}-{item[0]}")))


def _single(
    account: Account,
    routes: Sequence[Mapping[str, Any]],
    data_routes: Sequence[Mapping[str, Any]],
    candles: Mapping[str, Mapping[str, Any]],
    warmup_candles: Mapping[str, Mapping[str, Any]] | None,
    hyperparameters: Mapping[str, Any] | None,
) -> tuple[Simulation, JsonDict, dict[str, str]]:
    """Run one route in its kernel."""
    route = routes[0]
    minutes = _arrays(candles, account.exchange, route["symbol"], "candles")
    if minutes is None:
        raise SettingsError("candles: wanted at least one symbol; there was none")
    CandleSet.from_array(minutes, symbol=route["symbol"])
    _check_dense(minutes, route["symbol"])
    warmup = _arrays(warmup_candles, account.exchange, route["symbol"], "warmup_candles")
    warmup = np.empty((0, 6)) if warmup is None else warmup[warmup[:, TIMESTAMP] < minutes[0, TIMESTAMP]]
    _check_alignment(minutes, warmup, route["timeframe"])
    frames = {frame_name(each["symbol"], each["timeframe"], route["symbol"]) for each in data_routes}
    others: dict[str, tuple[Float2D, Float2D]] = {}
    if any(each["symbol"] != route["symbol"] for each in data_routes):
        others = _all_candles(account, routes, data_routes, candles, warmup_candles)
        del others[route["symbol"]]
    setup = Setup.from_arrays(
        account, route["symbol"], route["timeframe"], minutes, warmup, frames - {route["timeframe"]}, others
    )
    session = Session(route["strategy"], setup)
    simulation, metrics = session.run(hyperparameters)
    return simulation, metrics, {route["symbol"]: session.source.name}


def _several(
    account: Account,
    routes: Sequence[Mapping[str, Any]],
    data_routes: Sequence[Mapping[str, Any]],
    candles: Mapping[str, Mapping[str, Any]],
    warmup_candles: Mapping[str, Mapping[str, Any]] | None,
    hyperparameters: Mapping[str, Any] | None,
) -> tuple[Simulation, JsonDict, dict[str, str]]:
    """Run several routes in one kernel."""
    from fastbt.routes import RoutesSession, setups_of

    arrays = _all_candles(account, routes, data_routes, candles, warmup_candles)
    traded, seen = ([(each["symbol"], each["timeframe"]) for each in some] for some in (routes, data_routes))
    setups = setups_of(account, traded, seen, arrays)
    session = RoutesSession([each["strategy"] for each in routes], setups, list(arrays))
    simulation, metrics = session.run(hyperparameters)
    return (
        simulation,
        metrics,
        {each["symbol"]: source.name for each, source in zip(routes, session.sources, strict=True)},
    )


def _interpreted(
    account: Account,
    routes: Sequence[Mapping[str, Any]],
    data_routes: Sequence[Mapping[str, Any]],
    candles: Mapping[str, Mapping[str, Any]],
    warmup_candles: Mapping[str, Mapping[str, Any]] | None,
    hyperparameters: Mapping[str, Any] | None,
) -> tuple[Simulation, JsonDict, dict[str, str]]:
    """Run any number of routes on the reference engine."""
    from fastbt.compiler.load import load_strategy
    from fastbt.compiler.standins import jesse_standins
    from fastbt.engine.reference import simulate_reference
    from fastbt.engine.routes import Route
    from fastbt.metrics.measuring import measure

    sources = [load_strategy(route["strategy"]) for route in routes]
    hp = None if hyperparameters is None else dict(hyperparameters)
    ready = [
        Route(route["symbol"], route["timeframe"], source.restored(), hp)
        for route, source in zip(routes, sources, strict=True)
    ]
    if not candles:
        raise SettingsError("candles: wanted at least one symbol; there was none")
    with jesse_standins():
        simulation = simulate_reference(
            ready,
            _by_symbol(account, [*routes, *data_routes], candles, "candles"),
            account=account,
            warmup=_by_symbol(account, [*routes, *data_routes], warmup_candles, "warmup_candles") or None,
            data_routes=[(route["symbol"], route["timeframe"]) for route in data_routes],
        )
    names = {route["symbol"]: source.name for route, source in zip(routes, sources, strict=True)}
    return simulation, measure(simulation, annualization=account.annualization), names
