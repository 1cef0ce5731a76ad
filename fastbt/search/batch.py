"""Strategies x symbols x timeframes x periods x sets in one go; what fails leaves the rest alone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastbt.backtest import Session, Setup
from fastbt.compiler.load import load_strategy
from fastbt.data import CandleSet, iso, timeframe_minutes, to_ms
from fastbt.data.times import Time
from fastbt.errors import FastbtError, SearchError, SettingsError
from fastbt.metrics.names import METRICS
from fastbt.search.batch_result import BatchResult, Cell
from fastbt.search.inputs import account_settings, space_list, strategy_name, time_text, validated
from fastbt.search.journal import Journal, check_run, pack, writing
from fastbt.search.progress import Control, Progress, SearchProgress
from fastbt.search.requests import BatchRequest, plain
from fastbt.search.results import make_account_settings
from fastbt.sweep.evaluate import Evaluator
from fastbt.sweep.manifest import candles_hash, describe_versions
from fastbt.sweep.names import LOWER_IS_BETTER, check_metric
from fastbt.sweep.sampling import SetSource
from fastbt.sweep.space import Space, SpaceLike
from fastbt.sweep.sweep import MarketLike, choose_source, load_candles, make_session
from fastbt.types import JsonDict


def backtest_batch(
    strategies: str | Path | type | Sequence[str | Path | type] | BatchRequest,
    candles: MarketLike | Sequence[MarketLike] | None = None,
    *,
    timeframe: str | Sequence[str] = "1h",
    start: Time | None = None,
    finish: Time | None = None,
    periods: Sequence[tuple[Time | None, Time | None]] | None = None,
    params: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    space: SpaceLike | Space | None = None,
    n: int | None = None,
    seed: int = 0,
    sampling: str = "random",
    constraints: str | Sequence[str] = (),
    metric: str = "sharpe_ratio",
    threads: int | None = None,
    memory: int | None = None,
    time_limit: float | None = None,
    progress: Progress | None = None,
    run: str | Path | None = None,
    resume: bool = False,
    fork: bool = False,
    **account: Any,
) -> BatchResult:
    """Run every strategy on every symbol, in every timeframe and period, with all of its sets.

    Parameters
    ----------
    strategies : str, Path, type, a sequence of them, or BatchRequest
    candles : CandleSet, str, Path, ndarray, or a sequence of them
        As for `fastbt.sweep`; each is loaded once.
    timeframe : str or sequence of str
    start, finish : str, int or datetime, optional
    periods : sequence of (start, finish), optional
        Several periods instead of one.
    params : sequence of mapping, or mapping of them by strategy, optional
        The sets. If left out: `n` of the space, or its whole grid; the defaults alone if there is no `n` either.
    space, n, seed, sampling, constraints
        As for `fastbt.sweep`.
    metric : str
        What matrix and best are made by.
    threads, memory, time_limit, progress, run, resume, fork, **account
        As for `fastbt.optimize`.

    Returns
    -------
    BatchResult
        A cell that fails (a strategy that cannot be compiled, a period that the candles lack) says so; the others are
        there.

    Raises
    ------
    SettingsError, StrategyError
        If an argument makes no sense whatever the cell, or there is no such strategy.
    SearchError
        If no cell could be run.

    Examples
    --------
    >>> result = backtest_batch(
    ...     "strategies/SmaCrossover", ["BTC-USD", "ETH-USD"], timeframe=["4h"], finish="2019-04-01", n=20
    ... )
    >>> len(result), result.matrix().shape
    (40, (1, 3))
    """
    began = time.perf_counter()
    if isinstance(strategies, BatchRequest):
        request = strategies
        given: list[Any] = list(request.strategies)
        markets: list[Any] = list(request.candles) if candles is None else _list(candles)
    else:
        given, markets = _list(strategies), _list(candles)
        if candles is None or not markets:
            raise SettingsError("candles: wanted at least one symbol; there was none")
        if periods is not None and (start is not None or finish is not None):
            raise SettingsError("give either periods, or start and finish, not both")
        spans = [(start, finish)] if periods is None else list(periods)
        _check_periods(spans)
        sets: Any = None
        if params is not None:
            sets = (
                {key: plain(list(each)) for key, each in params.items()}
                if isinstance(params, Mapping)
                else plain(list(params))
            )
        with validated():
            request = BatchRequest(
                strategies=[strategy_name(each) for each in given],
                candles=[_market_name(each, i) for i, each in enumerate(markets)],
                timeframes=[timeframe] if isinstance(timeframe, str) else list(timeframe),
                periods=[(time_text(one, "start"), time_text(two, "finish")) for one, two in spans],
                sets=sets,
                space=space_list(space),
                n=n,
                seed=seed,
                sampling=sampling,
                constraints=[constraints] if isinstance(constraints, str) else list(constraints),
                metric=metric,
                account=account_settings(account),
                threads=threads,
                memory=memory,
                time_limit=time_limit,
            )
    check_run(run, resume=resume, fork=fork)
    batch = _Batch(request, given, markets, Control(progress, request.time_limit))
    journal = None if run is None else Journal.open(run, batch.manifest(), resume=resume, fork=fork)
    result = batch.result(journal)
    result = result.model_copy(update={"seconds": {**batch.seconds, "total": time.perf_counter() - began}})
    if journal is not None and not batch.control.stop:
        journal.finish(result.to_bytes())
    return result.attach(batch.sessions)


def _list(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]


def _market_name(candles: Any, number: int) -> str:
    if isinstance(candles, str | Path):
        return str(candles)
    if isinstance(candles, CandleSet):
        return candles.symbol
    return str(next(iter(candles))) if isinstance(candles, Mapping) and candles else f"candles {number}"


def _check_there(strategy: Any) -> None:
    """Refuse a strategy whose name is misspelt; one that cannot be loaded is a matter of its cells."""
    if isinstance(strategy, type):
        return
    path = Path(str(strategy).partition(":")[0])
    if not path.exists() and not (Path("strategies") / path).exists():
        load_strategy(strategy)


def _check_periods(periods: Sequence[tuple[Time | None, Time | None]]) -> None:
    """Refuse periods that end before they begin, or that are the same."""
    seen: set[tuple[int | None, int | None]] = set()
    for start, finish in periods:
        first = None if start is None else to_ms(start, "start")
        last = None if finish is None else to_ms(finish, "finish")
        if first is not None and last is not None and first >= last:
            raise SettingsError(f"start: wanted a time before the finish {iso(last)}; was {iso(first)}")
        if (first, last) in seen:
            raise SettingsError(f"periods: wanted different ones; {start} to {finish} came twice")
        seen.add((first, last))


class _Batch:
    """A batch that is being run."""

    def __init__(
        self, request: BatchRequest, strategies: Sequence[Any], candles: Sequence[Any], control: Control
    ) -> None:
        check_metric(request.metric)
        for each in request.timeframes:
            timeframe_minutes(each)
        for what in ("strategies", "candles", "timeframes"):
            named = getattr(request, what)
            if len(set(named)) < len(named):
                raise SettingsError(f"{what}: wanted different ones; was {', '.join(named)}")
        for each in strategies:
            _check_there(each)
        self.request, self.control = request, control
        self._strategies = strategies
        self._account = make_account_settings(request.account)
        # Loaded and filled once, however many cells read them.
        self._candles: list[Any] = [self._load(each) for each in candles]
        self.seconds = {"compile": 0.0, "series": 0.0, "kernels": 0.0}
        self.sessions: dict[int, Session] = {}
        self._sets: dict[str, list[JsonDict]] = {}
        self._first: dict[tuple[int, int, str], Session] = {}

    @staticmethod
    def _load(candles: Any) -> Any:
        if isinstance(candles, Mapping):
            return {symbol: load_candles(each, symbol).fill_gaps() for symbol, each in candles.items()}
        return load_candles(candles).fill_gaps()

    def manifest(self) -> JsonDict:
        """Return what the batch is of."""
        found = [each if isinstance(each, Mapping) else {each.symbol: each} for each in self._candles]
        hashes: list[str] = []
        for each in self._strategies:
            try:
                hashes.append(load_strategy(each).sha256)
            except FastbtError as error:
                hashes.append(str(error).splitlines()[0])
        return {
            "request": self.request.model_dump(mode="json"),
            "strategies": hashes,
            "candles": [{symbol: each.sha256 for symbol, each in market.items()} for market in found],
            "versions": describe_versions(),
        }

    def _plan(self) -> list[tuple[int, int, str, tuple[str | None, str | None]]]:
        """Return the cells: strategy, market, timeframe, period."""
        asked = self.request
        return [
            (strategy, market, timeframe, period)
            for strategy in range(len(self._strategies))
            for market in range(len(self._candles))
            for timeframe in asked.timeframes
            for period in asked.periods
        ]

    def result(self, journal: Journal | None) -> BatchResult:
        """Run the cells."""
        with writing(journal, self.control):
            cells = self._run(journal)
        planned = len(self._plan())
        stopped = "all cells" if len(cells) == planned else "time limit" if self.control.timed_out else "interrupted"
        if not cells:
            raise SearchError(f"{stopped}: before the first cell was done")
        if not any(each.ok for each in cells) and len(cells) == planned:
            reasons = list(dict.fromkeys(each.status for each in cells))
            raise SearchError(f"none of {len(cells)} cells could be run: {'; '.join(reasons[:3])}")
        return BatchResult(request=self.request, cells=cells, sets=self._sets, stopped=stopped)

    def _run(self, journal: Journal | None) -> list[Cell]:
        kept = [] if journal is None else journal.records()
        plan, cells = self._plan(), list[Cell]()
        best: tuple[float, JsonDict] | None = None
        for number, (strategy, market, timeframe, period) in enumerate(plan):
            if self.control.stop:
                break
            if number < len(kept):
                record = kept[number]
                cell: Cell | None = Cell.model_validate(record["cell"])
                assert cell is not None
                if record["sets"] is not None:
                    self._sets.setdefault(cell.strategy, record["sets"])
            else:
                cell = self._cell(number, strategy, market, timeframe, period)
                if cell is None:
                    break
                if journal is not None:
                    # The sets of a strategy are kept with its first cell.
                    seen = any(each.strategy == cell.strategy and each.ok for each in cells)
                    sets = self._sets.get(cell.strategy) if cell.ok and not seen else None
                    journal.append({"cell": cell.model_dump(mode="json"), "sets": sets})
            cells.append(cell)
            best = self._better(best, cell)
            counts = {"ok": sum(each.ok for each in cells), "failed": sum(not each.ok for each in cells)}
            value, chosen = (None, None) if best is None else best
            self.control.tell(SearchProgress("cells", len(cells), len(plan), 0.0, value, chosen, counts))
        return cells

    def _better(self, best: tuple[float, JsonDict] | None, cell: Cell) -> tuple[float, JsonDict] | None:
        values = cell.values[:, METRICS.index(self.request.metric)]
        sign = -1.0 if self.request.metric in LOWER_IS_BETTER else 1.0
        usable = np.where(np.isfinite(values), values * sign, -np.inf)
        if not len(usable) or not np.isfinite(usable.max()):
            return best
        row = int(usable.argmax())
        value = float(values[row])
        if best is not None and sign * best[0] >= sign * value:
            return best
        about = {"strategy": cell.strategy, "symbol": cell.symbol, "timeframe": cell.timeframe}
        return value, {**about, **self._sets[cell.strategy][row]}

    def _cell(
        self, number: int, strategy: int, market: int, timeframe: str, period: tuple[str | None, str | None]
    ) -> Cell | None:
        """Run one cell; None if it was stopped before it was done."""
        candles = self._candles[market]
        symbol = next(iter(candles)) if isinstance(candles, Mapping) else candles.symbol
        name = strategy_name(self._strategies[strategy])
        about: JsonDict = {"number": number, "symbol": symbol, "timeframe": timeframe}
        times: JsonDict = {"start": period[0], "finish": period[1]}
        try:
            session = self._session(strategy, market, timeframe, period)
            name = self._named(session, strategy)
            source = self._source(session, name)
            table = source.table(0, len(source))
            self._sets.setdefault(name, plain(list(table)))
            times = {"start": iso(session.setup.start), "finish": iso(session.setup.finish)}
            with Evaluator(session, threads=self.request.threads, memory=self.request.memory) as evaluator:
                evaluator.prepare(table, len(table))
                found = evaluator.run(table, stop=self.control.stop)
                for key, seconds in evaluator.seconds.items():
                    self.seconds[key] += seconds
        except FastbtError as error:
            reason = str(error).splitlines()[0]
            return Cell(**about, **times, strategy=name, status=f"failed: {reason}")
        if found.interrupted:
            return None
        self.sessions[number] = session
        return Cell(
            **about,
            **times,
            strategy=name,
            status="ok",
            sets=len(table),
            statuses=list(found.statuses),
            metrics=pack(found.metrics),
            candles_sha256=candles_hash(session),
            strategy_sha256=session.source.sha256,
        )

    def _named(self, session: Session, strategy: int) -> str:
        """Return what a strategy is called: its class, or its path if two classes are called so."""
        name = session.source.name
        others = [strategy_name(each) for i, each in enumerate(self._strategies) if i != strategy]
        taken = any(Path(each).name.split(".")[0] == name for each in others)
        return strategy_name(self._strategies[strategy]) if taken else name

    def _session(self, strategy: int, market: int, timeframe: str, period: tuple[str | None, str | None]) -> Session:
        """Return a strategy on a market; one that was compiled for another period serves again."""
        key, candles = (strategy, market, timeframe), self._candles[market]
        known = self._first.get(key)
        if known is None:
            session = make_session(self._strategies[strategy], candles, timeframe, *period, self._account)
            self._first[key] = session
            return session
        others = None
        if isinstance(candles, Mapping):
            others = dict(candles)
            candles = others.pop(next(iter(others)))
        frames = known.setup.frames
        return known.on(Setup.from_candles(self._account, candles, timeframe, *period, frames, others))

    def _source(self, session: Session, name: str) -> SetSource:
        asked = self.request
        sets = asked.sets
        if isinstance(sets, dict):
            named = [key for key in sets if key in (name, session.source.name)]
            if not named:
                raise SettingsError(f"params: there are no sets for {name}; there are some for {', '.join(sets)}")
            sets = sets[named[0]]
        if sets is None and asked.space is None and asked.n is None:
            sets = [session.source.defaults]
        return choose_source(
            session,
            space=asked.space,
            params=sets,
            n=None if sets is not None else asked.n,
            seed=asked.seed,
            sampling=asked.sampling,
            constraints=() if sets is not None else asked.constraints,
        )
