"""Drive a generated module: the market's series, many parameter sets at once, and one set in full.

The module is what the compiler made of a strategy: it offers `run_sets` (see `machine.py`). Nothing here knows how it
came about.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastbt._jit import jit_disabled
from fastbt.engine import layout
from fastbt.engine.account import Account
from fastbt.engine.exchange import settlement_currency
from fastbt.engine.frames import Frame, frame_series, n_fields
from fastbt.engine.layout import Market
from fastbt.engine.python_series import PythonKey, fill_python_series
from fastbt.engine.routes import quote_asset
from fastbt.engine.words import put_into_words
from fastbt.errors import SimulationError
from fastbt.indicators import _registry
from fastbt.indicators._threads import share
from fastbt.metrics.names import METRICS
from fastbt.results import Simulation
from fastbt.types import UNSUPPORTED_REASONS, Float1D, Float2D, Int1D, Mode, Status


class SeriesKey(NamedTuple):
    """One series of the market stage.

    Attributes
    ----------
    indicator : str
    source : str, tuple or None
        None for the candles, a source type, or another series and its field.
    params : tuple of float
    sequential : bool
    window : int
        Rows that each value is computed from; 0 for all.
    timeframe : str
        Another timeframe than the traded one, or "".
    end : int
        For another timeframe: how many of its newest candles are left out.
    """

    indicator: str
    source: str | tuple[Any, int] | None
    params: tuple[float, ...]
    sequential: bool
    window: int
    timeframe: str = ""
    end: int = 0


def compute_series(
    series: Mapping[SeriesKey | PythonKey, int],
    n_rows: int,
    bars: Float2D,
    *,
    frame_of: Callable[[str], Frame] | None = None,
    threads: int = 1,
    out: Float2D | None = None,
    known: Mapping[SeriesKey | PythonKey, int] | None = None,
    first_bar: int = 0,
) -> Float2D:
    """Compute every distinct series of a sweep into one matrix.

    Parameters
    ----------
    series : mapping
        Each series and its first row; an indicator with several fields has one row for each. A series comes after the
        one that it is computed from.
    n_rows : int
        Rows of the matrix.
    bars : ndarray, shape (n_bars, 6)
        Trading candles, warm-up first.
    frame_of : callable, optional
        Returns the frame of another timeframe; needed only if a series is of one.
    threads : int
        How many series are computed at once.
    out : ndarray, shape (n, n_bars), optional
        A matrix of at least `n_rows` rows to compute them into.
    known : mapping, optional
        First rows of all series in `out`; those of `series` are among them, and may be computed from the others.
    first_bar : int
        The first bar at which anything is decided.

    Returns
    -------
    ndarray, shape (max(n_rows, 1), n_bars), float64
        `out`, if it was given.
    """
    matrix = np.empty((max(n_rows, 1), len(bars))) if out is None else out
    first_rows = series if known is None else known
    sources: dict[str | None, Float1D | Float2D] = {None: np.ascontiguousarray(bars)}
    for key in series:
        if isinstance(key, PythonKey) or key.timeframe:
            continue
        if isinstance(key.source, str) and key.source not in sources:
            sources[key.source] = _registry.select_source(bars, key.source)

    def row_of(key: Any, field: int) -> Float1D:
        row: Float1D = matrix[first_rows[key] + field]
        return row

    def fill(item: tuple[SeriesKey | PythonKey, int]) -> None:
        key, row = item
        if isinstance(key, PythonKey):
            whole = np.ascontiguousarray(bars)
            fill_python_series(key, whole, matrix[row : row + key.n_rows], row_of, frame_of, first_bar)
            return
        if key.timeframe:
            assert frame_of is not None
            frame_series(key, frame_of(key.timeframe), matrix[row : row + n_fields(key.indicator)])
            return
        indicator = _registry.get(key.indicator)
        if isinstance(key.source, tuple):
            data: Float1D | Float2D = row_of(*key.source)
        elif indicator.shares_data(key.params):
            data = sources[key.source]
        else:
            data = indicator.select(bars, key.source, key.params)
        # What a strategy sees as [-1] of a sequential series that is not prefix stable needs all rows anew each bar.
        one_pass = key.sequential and key.window == 0 and indicator.is_prefix_stable(key.params, data)
        rows = matrix[row : row + len(indicator.fields)]
        missing = key.source[0].missing if isinstance(key.source, tuple) and _is_python(key.source[0]) else 0
        if missing:
            rows[:, :missing] = np.nan
            rows[:, missing:] = _registry.compute(
                indicator, data[missing:], key.params, sequential=one_pass, window=key.window
            )
            return
        _registry.compute(indicator, data, key.params, sequential=one_pass, window=key.window, out=rows)

    plain = [item for item in series.items() if not _is_nested(item[0])]
    nested = [item for item in series.items() if _is_nested(item[0])]
    if threads > 1 and len(plain) > 1:
        pieces = iter(plain)

        def work() -> None:
            for item in pieces:
                fill(item)

        share(work, min(threads, len(plain)) - 1)
    else:
        for item in plain:
            fill(item)
    for item in nested:
        fill(item)
    return matrix


def _is_python(key: Any) -> bool:
    return isinstance(key, PythonKey)


def _is_nested(key: SeriesKey | PythonKey) -> bool:
    """Tell whether a series must wait for those before it: Python's may be computed from any."""
    return isinstance(key, PythonKey) or isinstance(key.source, tuple)


@dataclass(frozen=True)
class Output:
    """One row a parameter set.

    Attributes
    ----------
    outcomes : ndarray, shape (n_sets, OUTCOME_FIELDS)
    daily : ndarray, shape (n_sets, n_samples)
        Daily balance; NaN for sets that did not complete.
    metrics : ndarray, shape (n_sets, n_metrics)
    """

    outcomes: Float2D
    daily: Float2D
    metrics: Float2D

    @classmethod
    def empty(cls, n_sets: int, market: Market) -> Output:
        """Return room for the results of `n_sets`."""
        return cls(
            np.empty((n_sets, layout.OUTCOME_FIELDS)),
            np.empty((n_sets, len(market.sample_times))),
            np.empty((n_sets, len(METRICS))),
        )

    @classmethod
    def without_daily(cls, n_sets: int) -> Output:
        """Return room for results from which the daily balances are left out; kernels cannot write to it."""
        return cls(np.empty((n_sets, layout.OUTCOME_FIELDS)), np.empty((n_sets, 0)), np.empty((n_sets, len(METRICS))))


class Runner:
    """Runs parameter sets of one compiled strategy on one market.

    Parameters
    ----------
    module : module
        The generated module.
    state_dtype, variables_dtype : dtype
        Records of a run's state and of the strategy's variables.
    market : Market
    account : Account
    symbol : str, optional
        What is traded. Some exchanges settle in another asset than its quote.
    """

    def __init__(
        self,
        module: ModuleType,
        state_dtype: np.dtype[Any],
        variables_dtype: np.dtype[Any],
        market: Market,
        account: Account,
        symbol: str | None = None,
    ) -> None:
        self.module = module
        self.market = market
        self.account = account
        self._is_blind = symbol is not None and settlement_currency(account.exchange, symbol) != quote_asset(symbol)
        self._state_dtype = state_dtype
        self._variables_dtype = variables_dtype
        self._local = threading.local()
        self._is_sharing = False
        self._work = 0

    def _scratch(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any], Float2D, Float2D]:
        """Return this thread's working memory."""
        if not hasattr(self._local, "memory"):
            self._local.memory = self._new_scratch(log=False)
        memory: tuple[npt.NDArray[Any], npt.NDArray[Any], Float2D, Float2D] = self._local.memory
        return memory

    def _events(self) -> tuple[npt.NDArray[np.int32], Float1D]:
        """Return this thread's room for bars on which a strategy may act, and one more, and for their prices.

        Behind the first is room to look for them.
        """
        if not hasattr(self._local, "events"):
            n = self.market.n_bars + 1
            self._local.events = np.zeros((2, n + layout.LISTED_AT_ONCE), dtype=np.int32), np.zeros(n)
        memory: tuple[npt.NDArray[np.int32], Float1D] = self._local.events
        return memory

    def _new_scratch(self, *, log: bool) -> tuple[npt.NDArray[Any], npt.NDArray[Any], Float2D, Float2D]:
        states = np.zeros(1, dtype=self._state_dtype)
        account, market = self.account, self.market
        states["mode"] = int(account.mode)
        states["leverage"] = account.leverage
        states["fee_rate"] = account.fee_rate
        states["starting_balance"] = account.starting_balance
        states["timeframe_minutes"] = market.timeframe_minutes
        states["warmup_bars"] = market.warmup_bars
        states["window"] = account.warm_up_candles
        states["is_blind"] = self._is_blind
        variables = np.zeros(1, dtype=self._variables_dtype)
        if jit_disabled():
            # As plain Python, the kernels read fields as attributes of records.
            states, variables = states.view(np.recarray), variables.view(np.recarray)
        trades, fills = layout.output_buffers(market.n_bars, log=log)
        return states, variables, trades, fills

    def run(
        self,
        configs: npt.NDArray[Any],
        x: Float2D,
        first: int,
        last: int,
        output: Output,
        groups: Int1D | None = None,
        shares: bool = False,
    ) -> None:
        """Run the sets [first, last) into their rows of `output`; safe to call from several threads.

        `groups` tells that they stand as `groups()` orders them, and which belong together; `shares` asks for those to
        be played side by side.
        """
        states, variables, trades, log = self._scratch()
        self._call(configs, x, first, last, output, states, variables, trades, log, groups, shares)

    def _call(
        self,
        configs: npt.NDArray[Any],
        x: Float2D,
        first: int,
        last: int,
        output: Output,
        states: npt.NDArray[Any],
        variables: npt.NDArray[Any],
        trades: Float2D,
        log: Float2D,
        groups: Int1D | None = None,
        shares: bool = False,
    ) -> None:
        market = self.market
        if jit_disabled():
            configs = configs.view(np.recarray)
        if groups is None:
            order, groups = self.groups(configs, first, last)
        else:
            order = np.arange(first, last)
        if shares:
            is_played = self._call_shared(order, groups, configs, x, output, states, variables, trades)
            order, groups = order[~is_played[order]], groups[~is_played[order]]
        events, event_prices = self._events()
        self.module.run_sets(
            order,
            groups,
            states,
            variables,
            configs,
            x,
            market.bars,
            market.minutes,
            market.span,
            market.block_span,
            market.bar_span,
            market.bar_block_span,
            market.sample_minutes,
            market.sample_prices,
            market.sample_times,
            self.account.annualization,
            events,
            event_prices,
            trades,
            log,
            output.outcomes,
            output.daily,
            output.metrics,
        )

    def is_worth_sharing(self, n: int) -> bool:
        """Tell whether `n` sets will be enough work for the kernel for sets side by side, which is not compiled yet."""
        return not self._is_sharing and n * self.market.n_bars >= layout.WORTH_SHARING

    def expect(self, configs: npt.NDArray[Any]) -> None:
        """Compile the kernel for sets side by side, if these can be: many like them are to come."""
        self._work = layout.WORTH_SHARING
        self.shares(configs)

    def shares(self, configs: npt.NDArray[Any]) -> bool:
        """Tell whether sets should be played side by side; compile what that takes.

        That kernel is compiled when there has been enough work for it.
        """
        cannot = self.account.mode == Mode.SPOT or len(self.market.minutes) % self.market.timeframe_minutes != 0
        if cannot or not hasattr(self.module, "run_segments") or not len(configs):
            return False
        self._work += len(configs) * self.market.n_bars
        if self._work < layout.WORTH_SHARING:
            return False
        if not self._is_sharing:
            none = np.empty(0, dtype=np.int64)
            states, variables, trades, _ = self._scratch()
            output = Output.empty(1, self.market)
            x = np.empty((1, len(self.market.bars)))
            self._call_shared(none, none, configs[:1], x, output, states, variables, trades)
            self._is_sharing = True
        return True

    def _shared_scratch(self, configs: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        """Return this thread's working memory for sets that are played side by side."""
        if not hasattr(self._local, "shared"):
            kinds = configs.dtype, layout.lanes_dtype(), layout.lanes_dtype(self.module.LANE_FIELDS)
            records: list[npt.NDArray[Any]] = [layout.in_lines(1, each) for each in kinds]
            n = layout.SHARED_SEGMENTS + layout.LOOKED_AT_ONCE
            records += [layout.in_lines(n, layout.SEGMENT), np.empty(n, np.int32), np.empty(n, np.int32)]
            records.append(layout.in_lines(layout.SHARED_TRADES, layout.CLOSED_TRADE))
            if jit_disabled():
                records = [each.view(np.recarray) if each.dtype.names else each for each in records]
            self._local.shared = tuple(records)
        memory: tuple[npt.NDArray[Any], ...] = self._local.shared
        return memory

    def _call_shared(
        self,
        order: Int1D,
        groups: Int1D,
        configs: npt.NDArray[Any],
        x: Float2D,
        output: Output,
        states: npt.NDArray[Any],
        variables: npt.NDArray[Any],
        trades: Float2D,
    ) -> npt.NDArray[np.bool_]:
        """Play sets side by side; return which were played to the end."""
        market = self.market
        settings, lanes, theirs, segments, bars_of, free_from, closed = self._shared_scratch(configs)
        events, _ = self._events()
        is_played = np.zeros(len(configs), dtype=np.bool_)
        self.module.run_segments(
            order,
            groups,
            states,
            variables,
            settings,
            lanes,
            theirs,
            configs,
            x,
            market.bars,
            market.minutes,
            market.span,
            market.block_span,
            market.bar_span,
            market.bar_block_span,
            market.closes,
            market.sample_prices,
            market.sample_times,
            self.account.annualization,
            events,
            segments,
            bars_of,
            free_from,
            trades,
            closed,
            output.outcomes,
            output.daily,
            output.metrics,
            is_played,
        )
        return is_played

    def groups(self, configs: npt.NDArray[Any], first: int, last: int) -> tuple[Int1D, Int1D]:
        """Return the sets [first, last), those that may act on the same bars next to each other, and their groups."""
        order = np.arange(first, last)
        if last - first < 2:
            return order, np.zeros(last - first, dtype=np.int64)
        columns: list[npt.NDArray[Any]] = []
        for field in self.module.EVENT_FIELDS:
            columns += list(np.atleast_2d(configs[field][first:last].T))
        if columns:
            order = order[np.lexsort(columns)]
        changes = np.zeros(last - first, dtype=bool)
        for column in columns:
            ordered = column[order - first]
            changes[1:] |= ordered[1:] != ordered[:-1]
        return order, np.cumsum(changes)

    def run_one(self, configs: npt.NDArray[Any], x: Float2D, row: int, *, symbol: str) -> tuple[Simulation, Float1D]:
        """Run one set in full.

        Returns
        -------
        simulation : Simulation
        metrics : ndarray, shape (n_metrics,)

        Raises
        ------
        SimulationError
            If the run did not complete.
        """
        output = Output.empty(1, self.market)
        states, variables, trades, log = self._new_scratch(log=True)
        configs = configs[row : row + 1].copy()
        self._call(configs, x, 0, 1, output, states, variables, trades, log)
        fills = int(output.outcomes[0, layout.OUTCOME_FILLS])
        if fills > log.shape[1]:
            log = np.zeros((layout.LOG_FIELDS, fills))
            self._call(configs, x, 0, 1, output, states, variables, trades, log)
        error = outcome_error(output.outcomes[0])
        if error is not None:
            raise error
        simulation = put_into_words(
            output.outcomes[0], output.daily[0], trades, log, market=self.market, account=self.account, symbols=[symbol]
        )
        return simulation, output.metrics[0]


def outcome_error(row: Float1D) -> SimulationError | None:
    """Return what stopped a run, or None if it completed."""
    status = Status(int(row[layout.OUTCOME_STATUS]))
    if status == Status.OK:
        return None
    bar, time = int(row[layout.OUTCOME_BAR]), int(row[layout.OUTCOME_TIME])
    moment = np.datetime64(time, "ms").astype("datetime64[m]")
    if status.jesse_exception is not None:
        text = f"Jesse raises {status.jesse_exception} at bar {bar} ({moment} UTC)"
    else:
        text = f"not simulated: {UNSUPPORTED_REASONS[status]}, at bar {bar} ({moment} UTC)"
    return SimulationError(text, exception=status.jesse_exception, bar=bar, time=time)
