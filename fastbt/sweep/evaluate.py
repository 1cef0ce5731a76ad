"""Parameter sets in, metrics out, in this process: what sweeps and every kind of search are built on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fastbt.backtest import Session
from fastbt.compiler.binding import Binding
from fastbt.compiler.program import CompiledStrategy
from fastbt.compiler.sets import Rows, SetTable
from fastbt.engine import layout
from fastbt.engine.simulate import Output, Runner, SeriesKey, compute_series
from fastbt.errors import CompileError
from fastbt.metrics.names import METRICS
from fastbt.sweep.bank import Key, SeriesBank, n_fields, sources_of
from fastbt.sweep.memory import memory_budget
from fastbt.sweep.statuses import Statuses
from fastbt.sweep.workers import Stop, Workers, available_threads, deferred_interrupt
from fastbt.types import Float1D, Float2D

#: Called with row numbers, their outcomes and their metrics, in the caller's thread, while other rows still run.
Tell = Callable[[Rows, Float2D, Float2D], None]

#: Sets that are bound, ordered and run at once, at most.
LARGEST_BLOCK = 8_192
#: Bytes of working memory for their results, and for the daily balances of one thread.
_BLOCK_BYTES = 64 * 2**20
_DAILY_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Evaluated:
    """What became of parameter sets, in the order in which they were given.

    Attributes
    ----------
    metrics : ndarray, shape (n, n_metrics), float64
        Jesse's metrics in the order of `fastbt.metrics.names.METRICS`; NaN for sets that did not complete.
    statuses : Statuses
        How each ended: a sequence of texts; `.ok` is a mask, `.codes` are numbers.
    outcomes : ndarray, shape (n, OUTCOME_FIELDS)
        What the kernel tells of the end of a run: see `fastbt.engine.layout`.
    daily : ndarray, shape (n, n_samples), or None
        Daily balances, if they were asked for.
    interrupted : bool
        Whether `stop` ended it before all sets were run.
    """

    metrics: Float2D
    statuses: Statuses
    outcomes: Float2D = field(repr=False)
    daily: Float2D | None = field(default=None, repr=False)
    interrupted: bool = False

    def __len__(self) -> int:
        return len(self.metrics)

    def column(self, metric: str) -> Float1D:
        """Return one metric of every set: NaN where it did not complete, or Jesse gives none."""
        from fastbt.sweep.names import check_metric

        check_metric(metric)
        return self.metrics[:, METRICS.index(metric)]


@dataclass(frozen=True)
class _Kernels:
    """What sets of one kind need."""

    compiled: CompiledStrategy
    runner: Runner


def runner_for(session: Session, sample: Mapping[str, Any]) -> tuple[CompiledStrategy, Runner]:
    """Return kernels for sets of the types of this one, which itself may make no sense.

    The strategy's defaults stand for it where they have the same types.
    """
    defaults = session.source.defaults
    if {name: type(value) for name, value in sample.items()} == {name: type(value) for name, value in defaults.items()}:
        try:
            return session.runner_for(defaults)
        except CompileError:
            pass
    return session.runner_for(sample)


class Evaluator:
    """Runs hyper-parameter sets of one session; series, kernels and threads are kept for the next call.

    Parameters
    ----------
    session : Session
        See `fastbt.sweep.make_session`.
    threads : int, optional
        All cores if left out. The results do not depend on it.
    memory : int, optional
        Bytes for indicator series; half of what is free if left out.

    Attributes
    ----------
    seconds : dict of float
        Where the time went so far: compile, series, kernels.

    Examples
    --------
    >>> from fastbt.sweep import Evaluator, make_session
    >>> session = make_session("strategies/SmaCrossover", "BTC-USD", "4h", finish="2019-03-15")
    >>> with Evaluator(session) as evaluator:
    ...     found = evaluator.run({"fast_period": [5, 10, 20], "slow_period": 50})
    >>> found.column("net_profit").shape, found.statuses.counts()["ok"]
    ((3,), 3)
    """

    def __init__(self, session: Session, *, threads: int | None = None, memory: int | None = None) -> None:
        self.session = session
        self.threads = threads or available_threads()
        self.seconds = {"compile": 0.0, "series": 0.0, "kernels": 0.0}
        setup = session.setup
        budget = memory_budget() if memory is None else memory
        market = setup.market
        self.bank = SeriesBank(
            market.bars, setup.frame, first_bar=market.warmup_bars, threads=self.threads, memory=budget
        )
        self._workers = Workers(self.threads)
        self._ready: set[int] = set()
        samples = len(setup.market.sample_times)
        row_bytes = 8 * (samples + len(METRICS) + layout.OUTCOME_FIELDS)
        self._block = min(LARGEST_BLOCK, max(64, _BLOCK_BYTES // row_bytes))
        # Daily balances that nobody wants stay in the cache of the core: each thread uses the same rows again.
        self._part = min(1024, max(64, _DAILY_BYTES // (8 * samples)))
        self._local = threading.local()
        self._buffer = Output.empty(0, market)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the threads end; nothing else needs it."""
        self._workers.close()

    def drop(self) -> None:
        """Give back the memory of the series; they are computed again when they are needed."""
        setup = self.session.setup
        self.bank = SeriesBank(
            setup.market.bars,
            setup.frame,
            first_bar=setup.market.warmup_bars,
            threads=self.threads,
            memory=self.bank.memory,
        )
        self._buffer = Output.empty(0, setup.market)
        self._local = threading.local()

    def table(self, sets: SetTable | Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> SetTable:
        """Return sets as a table; hyper-parameters that are left out have their defaults.

        Parameters
        ----------
        sets : SetTable, sequence of mapping, or mapping
            Dictionaries; or columns: for each name one value a set, or one value for all.

        Raises
        ------
        SettingsError
            If the strategy has no hyper-parameter of a name.
        """
        return SetTable.of(sets, self.session.source.defaults)

    def prepare(self, sets: SetTable | Sequence[Mapping[str, Any]] | Mapping[str, Any], n: int = 0) -> None:
        """Compile what these sets need, or load it from the cache; `run` does it as well.

        Parameters
        ----------
        sets : SetTable, sequence of mapping, or mapping
            As for `table`.
        n : int, optional
            How many sets like these are to come: of many, `run` would compile more.
        """
        table = self.table(sets)
        for sample, rows in table.by_types():
            some = table if rows is None else table.take(rows)
            kernels = self._kernels(sample, some)
            if kernels.runner.is_worth_sharing(n):
                began = time.perf_counter()
                kernels.runner.expect(kernels.compiled.bind(some.take(slice(0, 1))).configs)
                self.seconds["compile"] += time.perf_counter() - began

    def run(
        self,
        sets: SetTable | Sequence[Mapping[str, Any]] | Mapping[str, Any],
        *,
        daily: bool = False,
        stop: Stop | None = None,
        tell: Tell | None = None,
        out: Output | None = None,
    ) -> Evaluated:
        """Run sets; equal ones are run once.

        Parameters
        ----------
        sets : SetTable, sequence of mapping, or mapping
            As for `table`.
        daily : bool
            Keep the daily balances.
        stop : Stop, optional
            Ends the call soon after it is set, with what was done until then. Without one, Ctrl-C does, and is raised.
        tell : callable, optional
            Called now and then with row numbers, outcomes and metrics of what is done since.
        out : Output, optional
            Room for at least as many rows, from `room`; what is returned lies in it.

        Returns
        -------
        Evaluated
            One row a set, in the given order.

        Raises
        ------
        SettingsError
            If the strategy has no hyper-parameter of a name.
        CompileError
            If the strategy cannot be compiled.
        """
        table = self.table(sets)
        if stop is None:
            self.prepare(table)
            with deferred_interrupt(Stop()) as own:
                found = self._run(table, daily, own, tell, out)
            if own.by_signal:
                raise KeyboardInterrupt
            return found
        return self._run(table, daily, stop, tell, out)

    def room(self, n: int, *, daily: bool = False) -> Output:
        """Return room for the results of `n` sets, its memory taken at once."""
        made = Output.empty(n, self.session.setup.market) if daily else Output.without_daily(n)
        for array in (made.outcomes, made.metrics, made.daily):
            array[...] = np.nan
        return made

    def _run(self, table: SetTable, daily: bool, stop: Stop, tell: Tell | None, out: Output | None) -> Evaluated:
        n = len(table)
        result = self.room(n, daily=daily) if out is None else Output(out.outcomes[:n], out.daily[:n], out.metrics[:n])
        for array in (result.outcomes, result.metrics, result.daily):
            array[...] = np.nan
        infeasible: dict[int, str] = {}
        for sample, rows in table.by_types():
            group = table if rows is None else table.take(rows)
            for first in range(0, len(group), self._block):
                if stop:
                    break
                block = group if len(group) <= self._block else group.take(slice(first, first + self._block))
                where = np.arange(first, first + len(block)) if rows is None else rows[first : first + len(block)]
                self._run_block(sample, block, where, result, infeasible, stop, tell)
        return Evaluated(
            result.metrics,
            Statuses(result.outcomes, infeasible),
            result.outcomes,
            result.daily if daily else None,
            bool(stop),
        )

    def _kernels(self, sample: Mapping[str, Any], table: SetTable) -> _Kernels:
        """Return kernels for sets of these types, compiled."""
        began = time.perf_counter()
        compiled, runner = runner_for(self.session, sample)
        if id(compiled) not in self._ready:
            binding = compiled.bind(table.take(slice(0, 256)))
            # Over a few bars the indicators take no time, but are compiled or loaded: not on the clock of the series.
            few_bars = runner.market.bars[: self.session.setup.account.warm_up_candles + 2]
            compute_series(_one_of_each(binding.series), binding.n_rows, few_bars)
            # A run of no set compiles the kernels or loads them from the cache: once, not once a thread.
            runner.run(binding.configs, np.empty((1, len(runner.market.bars))), 0, 0, Output.empty(1, runner.market))
            self._ready.add(id(compiled))
        self.seconds["compile"] += time.perf_counter() - began
        return _Kernels(compiled, runner)

    def _run_block(
        self,
        sample: Mapping[str, Any],
        block: SetTable,
        numbers: Rows,
        result: Output,
        infeasible: dict[int, str],
        stop: Stop,
        tell: Tell | None,
    ) -> None:
        """Run sets of one kind, and put what becomes of them into the rows `numbers` of the result."""
        kernels = self._kernels(sample, block)
        binding = kernels.compiled.bind(block)
        for row, message in binding.errors.items():
            infeasible[int(numbers[row])] = message
        once, same = block.distinct(list(block.columns))
        if len(once) == len(block):
            once, same = np.arange(len(block)), np.arange(len(block))
        if binding.errors:
            once = np.array([row for row in once.tolist() if row not in binding.errors], dtype=np.int64)
        fields = kernels.compiled.binder.row_fields
        order = _by_series(binding.configs, once, fields)
        for piece in self._pieces(binding, order, fields):
            if stop:
                return
            self._run_piece(kernels, binding, piece, fields, numbers, result, stop, tell)
        if len(once) + len(binding.errors) < len(block):
            _copy_repeated(block, numbers, same, result)

    def _run_piece(
        self,
        kernels: _Kernels,
        binding: Binding,
        piece: _Piece,
        fields: Sequence[str],
        numbers: Rows,
        result: Output,
        stop: Stop,
        tell: Tell | None,
    ) -> None:
        """Run sets whose series are in the bank together."""
        clock = time.perf_counter()
        lookup = self.bank.rows(piece.series, binding.n_rows)
        x = self.bank.matrix
        self.seconds["series"] += time.perf_counter() - clock
        clock = time.perf_counter()
        configs = binding.configs[piece.rows]
        for name in fields:
            configs[name] = lookup[configs[name]]
        # Those that share a list of bars follow each other, and no part of the work begins amid them.
        order, groups = kernels.runner.groups(configs, 0, len(configs))
        began = time.perf_counter()
        shares = kernels.runner.shares(configs)
        compiling = time.perf_counter() - began
        self.seconds["compile"] += compiling
        clock += compiling
        starts = np.flatnonzero(np.diff(groups)) + 1
        configs = configs[order]
        n, to = len(configs), numbers[piece.rows][order]
        keep_daily = result.daily.shape[1] > 0
        buffer = self._buffer_for(n, keep_daily)

        def task(first: int, last: int) -> None:
            daily = buffer.daily[first:last] if keep_daily else self._daily_room()[: last - first]
            rows = Output(buffer.outcomes[first:last], daily, buffer.metrics[first:last])
            kernels.runner.run(configs[first:last], x, 0, last - first, rows, groups[first:last], shares)

        def pass_on(parts: list[tuple[int, int]]) -> None:
            assert tell is not None
            for first, last in _joined(parts):
                tell(to[first:last], buffer.outcomes[first:last], buffer.metrics[first:last])

        try:
            done = self._workers.run(
                task,
                n,
                stop,
                None if tell is None else pass_on,
                largest=self._part,
                smallest=layout.LANES if shares else 1,
                starts=starts,
            )
            if sum(last - first for first, last in done) == n:
                done = [(0, n)]
            for first, last in done:
                rows = to[first:last]
                result.outcomes[rows] = buffer.outcomes[first:last]
                result.metrics[rows] = buffer.metrics[first:last]
                if keep_daily:
                    result.daily[rows] = buffer.daily[first:last]
        finally:
            self.seconds["kernels"] += time.perf_counter() - clock

    def reserve(self, n: int, *, daily: bool = False) -> None:
        """Take the working memory for calls with `n` sets now."""
        self._buffer_for(min(n, self._block), daily)

    def _buffer_for(self, n: int, daily: bool) -> Output:
        """Return room for the results of `n` sets, the same each time."""
        samples = len(self.session.setup.market.sample_times) if daily else 0
        if len(self._buffer.outcomes) < n or self._buffer.daily.shape[1] != samples:
            self._buffer = self.room(max(n, len(self._buffer.outcomes)), daily=daily)
        return self._buffer

    def _daily_room(self) -> Float2D:
        """Return this thread's room for daily balances."""
        if not hasattr(self._local, "daily"):
            self._local.daily = np.empty((self._part, len(self.session.setup.market.sample_times)))
        room: Float2D = self._local.daily
        return room

    def _pieces(self, binding: Binding, order: Rows, fields: Sequence[str]) -> Iterator[_Piece]:
        """Cut ordered sets where their series would no longer fit into the bank."""
        if not len(order):
            return
        if self.bank.fits(binding.n_rows):
            yield _Piece(order, binding.series)
            return
        owner = {row: key for key, row in binding.series.items()}
        columns = [binding.configs[name][order].tolist() for name in fields]
        needed: dict[Key, int] = {}
        used, first = 0, 0
        for i, rows in enumerate(zip(*columns, strict=True)):
            more = {key: at for row in rows for key, at in _with_sources(owner[row], binding) if key not in needed}
            size = sum(map(n_fields, more))
            if needed and not self.bank.fits(used + size):
                yield _Piece(order[first:i], dict(sorted(needed.items(), key=lambda item: item[1])))
                needed = {key: at for row in rows for key, at in _with_sources(owner[row], binding)}
                used, first = sum(map(n_fields, needed)), i
            else:
                needed |= more
                used += size
        yield _Piece(order[first:], dict(sorted(needed.items(), key=lambda item: item[1])))


@dataclass(frozen=True)
class _Piece:
    """Rows of a block that are run at once, and the series that they read."""

    rows: Rows
    series: Mapping[Key, int]


def _joined(parts: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return parts of which none ends where another begins.

    Examples
    --------
    >>> _joined([(5, 9), (0, 3), (3, 5), (11, 12)])
    [(0, 9), (11, 12)]
    """
    joined: list[tuple[int, int]] = []
    for first, last in sorted(parts):
        if joined and joined[-1][1] == first:
            joined[-1] = joined[-1][0], last
        else:
            joined.append((first, last))
    return joined


def _with_sources(key: Key, binding: Binding) -> Iterator[tuple[Key, int]]:
    """Yield a series and those that it is computed from, with their rows."""
    for each in (*sources_of(key), key):
        yield each, binding.series[each]


def _by_series(configs: npt.NDArray[Any], rows: Rows, fields: Sequence[str]) -> Rows:
    """Order rows so that those that read the same series follow each other."""
    if len(rows) < 2 or not fields:
        return rows
    ordered: Rows = rows[np.lexsort([configs[name][rows] for name in reversed(fields)])]
    return ordered


def _copy_repeated(block: SetTable, numbers: Rows, same: Rows, result: Output) -> None:
    """Give sets that are equal to another one its results."""
    first = np.full(int(same.max()) + 1, -1, dtype=np.int64)
    first[same[::-1]] = np.arange(len(block) - 1, -1, -1)
    origin = first[same]
    repeated = np.flatnonzero(origin != np.arange(len(block)))
    to, source = numbers[repeated], numbers[origin[repeated]]
    for array in (result.outcomes, result.metrics, result.daily):
        array[to] = array[source]


def _one_of_each(series: Mapping[Key, int]) -> dict[Key, int]:
    """Return the first series of each indicator and way to compute it, with those that they are computed from.

    What needs other candles than the traded ones, or Python, is left out.
    """
    chosen: dict[Key, int] = {}
    kinds = set()
    for each in series:
        needed = [*sources_of(each), each]
        if not all(isinstance(key, SeriesKey) and not key.timeframe for key in needed):
            continue
        assert isinstance(each, SeriesKey)
        kind = (each.indicator, each.sequential, type(each.source))
        if kind not in kinds:
            kinds.add(kind)
            chosen |= {key: series[key] for key in needed}
    return dict(sorted(chosen.items(), key=lambda item: item[1]))
