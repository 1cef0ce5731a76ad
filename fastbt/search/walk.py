"""Window after window: what `walk_forward` does with a request."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbt.backtest import Session, Setup
from fastbt.data import CandleSet, timeframe_minutes
from fastbt.data.times import Time
from fastbt.errors import SearchError, SettingsError, SimulationError
from fastbt.metrics.names import METRICS
from fastbt.search.journal import Journal, writing
from fastbt.search.objectives import Objective
from fastbt.search.out_of_sample import (
    daily_returns,
    decay_of,
    degradation_of,
    efficiency_of,
    stability_of,
    stitch,
    value_efficiency_of,
)
from fastbt.search.progress import Control, SearchProgress
from fastbt.search.requests import MarketSettings, WalkForwardRequest, plain, plain_metrics
from fastbt.search.results import MarketInfo, make_account_settings
from fastbt.search.statistics import mean_above_zero
from fastbt.search.trial import best_of, require_some
from fastbt.search.trials import Plan, Search
from fastbt.search.walk_forward_result import WalkForwardResult
from fastbt.search.window_result import EstimateModel, Part, WindowResult
from fastbt.search.windows import Window, split_windows
from fastbt.sweep.evaluate import Evaluator
from fastbt.sweep.manifest import candles_hash
from fastbt.sweep.sweep import load_candles, make_session
from fastbt.types import DAY_MS, MINUTE_MS, JsonDict

#: Random sets that tell how long trades last, beside the default one.
_PILOTS = 8


@dataclass(frozen=True)
class Gap:
    """Days between in-sample and out-of-sample."""

    purge: float
    embargo: float

    @property
    def ms(self) -> int:
        """Both together."""
        return round((self.purge + self.embargo) * DAY_MS)


class Walk:
    """A walk-forward that is being made."""

    def __init__(self, request: WalkForwardRequest, strategy: Any, candles: Any, control: Control) -> None:
        self.request, self.control = request, control
        market = request.market
        self._strategy = market.strategy if strategy is None else strategy
        self._candles = _dense(candles if candles is not None else market.candles, market)
        self._account = make_account_settings(market.account)
        self.seconds = {"sampler": 0.0, "compile": 0.0, "series": 0.0, "kernels": 0.0}
        self.whole = make_session(
            self._strategy, self._candles, market.timeframe, market.start, market.finish, self._account
        )
        self.plan = Plan.of(request.search, self.whole, request.min_trades)
        self._check_lengths()
        self.gap = self._gap()
        self.windows = self._windows(self.gap.ms)
        self._journal: Journal | None = None

    @property
    def _objective(self) -> Objective:
        return self.plan.objectives[0]

    def _session(self, start: Time | None, finish: Time | None) -> Session:
        """Return the strategy on a period; it is compiled once for all of them."""
        known = self.whole.setup
        traded, others = self._candles, None
        if isinstance(traded, Mapping):
            others = dict(traded)
            traded = others.pop(next(iter(others)))
        return self.whole.on(
            Setup.from_candles(self._account, traded, known.timeframe, start, finish, known.frames, others)
        )

    def _bar_ms(self) -> int:
        return timeframe_minutes(self.request.market.timeframe) * MINUTE_MS

    def _length(self, name: str, days: float) -> int:
        """Return days as ms, of which bars must be a whole number."""
        length = round(days * DAY_MS)
        if length % self._bar_ms():
            raise SettingsError(
                f"{name}: wanted a whole number of {self.request.market.timeframe} bars; was {days:g} days"
            )
        return length

    def _warmup_ms(self) -> int:
        setup = self.whole.setup
        minutes = [timeframe_minutes(each) for _, each in setup.data_routes]
        return max([timeframe_minutes(setup.timeframe), *minutes]) * MINUTE_MS * setup.account.warm_up_candles

    def _check_lengths(self) -> None:
        """Refuse windows that say nothing."""
        asked = self.request.windows
        first = self._length("in_sample", asked.in_sample)
        self._length("out_of_sample", asked.out_of_sample)
        if asked.step is not None:
            self._length("step", asked.step)
        warmup = self._warmup_ms()
        if first < warmup:
            raise SettingsError(
                f"in_sample: {asked.in_sample:g} days are shorter than the warm-up of "
                f"{self.whole.setup.account.warm_up_candles} bars, {warmup / DAY_MS:g} days; take longer windows, a "
                "smaller timeframe or fewer warm_up_candles"
            )

    def _anchor(self) -> int | None:
        asked = self.request.windows
        if asked.mode != "anchored":
            return None
        if asked.anchor is None:
            return self._session(None, self.request.market.finish).setup.start
        return self._session(asked.anchor, self.request.market.finish).setup.start

    def _windows(self, gap: int) -> list[Window]:
        asked, setup = self.request.windows, self.whole.setup
        return split_windows(
            setup.start,
            setup.finish,
            in_sample=self._length("in_sample", asked.in_sample),
            out_of_sample=self._length("out_of_sample", asked.out_of_sample),
            step=None if asked.step is None else self._length("step", asked.step),
            mode=asked.mode,
            gap=gap,
            anchor=self._anchor(),
            partial=asked.partial,
        )

    def _gap(self) -> Gap:
        """Return the days between in-sample and out-of-sample, rounded up to whole days where they are told here."""
        asked = self.request.windows
        day = max(DAY_MS, self._bar_ms())

        def whole_days(ms: float) -> float:
            return math.ceil(ms / day) * day / DAY_MS

        embargo = whole_days(self._warmup_ms()) if asked.embargo == "auto" else float(asked.embargo)
        purge = 0.0 if asked.purge == "auto" else float(asked.purge)
        self._length("purge and embargo", purge + embargo)
        if asked.purge == "auto":
            purge = whole_days(self._longest_trade(self._windows(round((purge + embargo) * DAY_MS))[0]))
        return Gap(purge, embargo)

    def _longest_trade(self, window: Window) -> float:
        """Return how long the longest trade of the default and some random sets lasts in the first window, ms."""
        session = self._session(window.start, window.finish)
        random = np.random.default_rng(0)
        points = random.random((_PILOTS, len(self.plan.space.dimensions)))
        sets = [dict(self.plan.fixed)]
        for point in points:
            drawn = {
                each.name: each.column_at(point[i : i + 1])[0] for i, each in enumerate(self.plan.space.dimensions)
            }
            sets.append({**self.plan.fixed, **drawn})
        longest = 0.0
        for each in sets:
            try:
                simulation, _ = session.run(each)
            except (SimulationError, SettingsError):
                continue
            longest = max([longest, *(trade.holding_period for trade in simulation.trades)])
        return longest * 1000

    def result(self, journal: Journal | None) -> WalkForwardResult:
        """Walk, and say what was found."""
        self._journal = journal
        with writing(journal, self.control):
            done = self._walk()
        if not done:
            raise SearchError(f"{self._stopped(done)}: before the first window was done")
        if not any(each.ok for each in done):
            reasons = sorted({each.status for each in done})
            raise SearchError(f"none of {len(done)} windows has a set to test: {'; '.join(reasons[:3])}")
        return self._result(done)

    def _stopped(self, done: Sequence[WindowResult]) -> str:
        if len(done) == len(self.windows):
            return "all windows"
        return "time limit" if self.control.timed_out else "interrupted"

    def _walk(self) -> list[WindowResult]:
        done: list[WindowResult] = []
        kept = [] if self._journal is None else self._journal.records()
        for window in self.windows:
            if self.control.stop:
                break
            if window.number < len(kept):
                found: WindowResult | None = WindowResult.model_validate(kept[window.number])
            else:
                found = self._window(window, done)
                if found is not None and self._journal is not None:
                    self._journal.append(found.model_dump(mode="json"))
            if found is None:
                break
            done.append(found)
            self.control.tell(self._progress(done, None))
        return done

    def _progress(self, done: Sequence[WindowResult], part: SearchProgress | None) -> SearchProgress:
        values = [each.out_of_sample_value for each in done if each.out_of_sample_value is not None]
        mean = float(np.mean(values)) if values else None
        counts = {"ok": sum(each.ok for each in done), "no set": sum(not each.ok for each in done)}
        return SearchProgress("windows", len(done), len(self.windows), 0.0, mean, None, counts, part)

    def _window(self, window: Window, done: Sequence[WindowResult]) -> WindowResult | None:
        """Search and test one window; None if it was stopped before it was done."""
        session = self._session(window.start, window.finish)
        settings = self.request.search.model_copy(update={"seed": self.request.search.seed + window.number})
        plan = Plan.of(settings, session, self.request.min_trades)
        with Evaluator(session, threads=self.request.threads, memory=self.request.memory) as evaluator:

            def tell(part: SearchProgress) -> None:
                self.control.tell(self._progress(done, part))

            searched = Search(plan, evaluator, self.control, on_progress=tell).run()
            for name, seconds in evaluator.seconds.items():
                self.seconds[name] += seconds
            self.seconds["sampler"] += searched.seconds["sampler"]
        if self.control.stop:
            return None
        about: JsonDict = {
            "number": window.number,
            **{name: getattr(window, name) for name in ("start", "finish", "test_start", "test_finish", "live_finish")},
            "counts": searched.counts(),
        }
        best = best_of(searched.trials, self._objective)
        if best is None:
            try:
                require_some(searched)
            except SearchError as error:
                return WindowResult(**about, status=f"no set: {error}")
            return WindowResult(**about, status="no set")
        params = {**plan.fixed, **best.params}
        inside = _part(session, params)
        try:
            tested = self._session(window.test_start, window.test_finish)
            outside = _part(tested, params)
            live = None
            if window.live_finish < window.test_finish:
                live = _part(self._session(window.test_start, window.live_finish), params)
        except SimulationError as error:
            return WindowResult(**about, status=f"the best set fails out of sample: {error}", params=plain(params))
        return WindowResult(
            **about,
            status="ok" if outside.metrics["total"] else "ok, but no trade out of sample",
            params=plain(params),
            in_sample_value=None if best.values is None else best.values[0],
            out_of_sample_value=self._value(outside.metrics),
            in_sample=inside,
            out_of_sample=outside,
            live=live,
        )

    def _value(self, metrics: JsonDict) -> float | None:
        """Return the objective of a run; None if it has none."""
        row = np.array([[math.nan if (value := metrics.get(name)) is None else float(value) for name in METRICS]])
        value = float(self._objective.values(row)[0])
        return value if math.isfinite(value) else None

    def _result(self, done: list[WindowResult]) -> WalkForwardResult:
        request, asked = self.request, self.request.windows
        step = asked.out_of_sample if asked.step is None else asked.step
        block = math.ceil(max(asked.in_sample if asked.mode == "rolling" else step, asked.out_of_sample) / step)
        options = {"confidence": request.confidence, "resamples": request.resamples}
        times, equity = stitch(done, self.whole.setup.account.starting_balance)
        decay, by_age = decay_of(done, **options)  # type: ignore[arg-type]
        return WalkForwardResult(
            request=request,
            market=MarketInfo.of(self.whole, candles_hash(self.whole)),
            space=plain(self.plan.space.to_list()),
            objective={"name": self._objective.name, "maximize": self._objective.maximize},
            purge_days=self.gap.purge,
            embargo_days=self.gap.embargo,
            windows=done,
            times=times,
            equity=equity,
            edge=EstimateModel.of(mean_above_zero(daily_returns(done), **options)),  # type: ignore[arg-type]
            degradation=EstimateModel.of(
                degradation_of(done, self._objective.sign, block, request.confidence, request.resamples)
            ),
            efficiency=efficiency_of(done),
            value_efficiency=value_efficiency_of(done),
            decay=EstimateModel.of(decay),
            by_age=by_age,
            stability=stability_of(done, self.plan.space),
            stopped=self._stopped(done),
        )


def _part(session: Session, params: Mapping[str, Any]) -> Part:
    """Return one run."""
    simulation, metrics = session.run(params)
    return Part(
        start=session.setup.start,
        finish=session.setup.finish,
        metrics=plain_metrics(metrics),
        times=list(simulation.daily_time),
        balance=list(simulation.daily_balance),
        longest_holding=max((trade.holding_period for trade in simulation.trades), default=0.0),
    )


def _dense(candles: Any, market: MarketSettings) -> Any:
    """Return candles with their gaps filled: once, not in every window."""
    if candles is None:
        raise SettingsError("candles: wanted a file, a sample, a CandleSet or an array; there was none")
    if isinstance(candles, Mapping):
        return {symbol: load_candles(each, symbol).fill_gaps() for symbol, each in candles.items()}
    loaded: CandleSet = load_candles(candles)
    if market.symbol is not None and loaded.symbol != market.symbol:
        loaded = loaded.named(market.symbol)
    return loaded.fill_gaps()
