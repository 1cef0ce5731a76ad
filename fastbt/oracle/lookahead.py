"""`fastbt.verify_no_lookahead`: run a strategy on candles that end earlier; nothing before that may change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fastbt.backtest import Session, Setup
from fastbt.compiler.explain import series_labels
from fastbt.data import iso
from fastbt.data.times import Time
from fastbt.engine.simulate import compute_series
from fastbt.errors import IndicatorError, SettingsError, SimulationError
from fastbt.results import FilledOrder, Simulation
from fastbt.sweep.space import SpaceLike
from fastbt.sweep.sweep import MarketLike, choose_sets, make_account_of, make_session
from fastbt.types import MINUTE_MS, TIMESTAMP, Float2D, JsonDict


@dataclass(frozen=True)
class Finding:
    """Something earlier that changed when later candles were taken away.

    Attributes
    ----------
    hyperparameters : dict
    what : str
        The series, or "a decision".
    bar : int
        Of the first value that changed; 0 is the first bar that is traded.
    time : int
        Open of that bar, ms UTC.
    cut : int
        How many bars were traded in the shorter run.
    detail : str
        Both values.
    """

    hyperparameters: dict[str, Any]
    what: str
    bar: int
    time: int
    cut: int
    detail: str

    def __str__(self) -> str:
        return (
            f"{self.what} at bar {self.bar} ({iso(self.time)}) changes when the candles after bar {self.cut - 1} are "
            f"known: {self.detail}"
        )


@dataclass(frozen=True)
class LookaheadReport:
    """What was compared, and what changed.

    Attributes
    ----------
    subject : str
        Strategy, symbol, timeframe and period.
    n_sets, n_cuts, n_series, n_orders : int
        Parameter sets, points at which the candles were cut, and how many series and filled orders were compared.
    findings : list of Finding
        At most one a set: the earliest, a series before a decision.
    """

    subject: str
    n_sets: int
    n_cuts: int
    n_series: int
    n_orders: int
    findings: list[Finding]

    @property
    def passed(self) -> bool:
        """Whether nothing earlier changed."""
        return not self.findings

    def to_dict(self) -> JsonDict:
        """Return it as plain objects."""
        findings = [{**vars(each), "time": iso(each.time), "text": str(each)} for each in self.findings]
        counts = {"sets": self.n_sets, "cuts": self.n_cuts, "series": self.n_series, "orders": self.n_orders}
        return {"subject": self.subject, "passed": self.passed, **counts, "findings": findings}

    def __str__(self) -> str:
        compared = f"{self.n_cuts} cuts, {self.n_series:,} series and {self.n_orders:,} filled orders compared"
        sets = f"{self.n_sets} set" + "s" * (self.n_sets != 1)
        if self.passed:
            return f"NO LOOK-AHEAD: {self.subject}, {sets}: {compared}; nothing earlier changed"
        lines = [f"LOOKS AHEAD: {self.subject}, {len(self.findings)} of {sets}: {compared}"]
        for each in self.findings:
            shown = ", ".join(f"{key}={value}" for key, value in each.hyperparameters.items())
            lines.append(f"  {shown + ': ' if shown else ''}{each}")
        return "\n".join(lines)


def verify_no_lookahead(
    strategy: str | Path | type | Session,
    candles: MarketLike | None = None,
    *,
    timeframe: str = "1h",
    start: Time | None = None,
    finish: Time | None = None,
    params: Sequence[Mapping[str, Any]] | None = None,
    space: SpaceLike | None = None,
    n: int | None = None,
    cuts: int = 12,
    seed: int = 0,
    mode: Literal["compiled", "interpreted"] = "compiled",
    **account: Any,
) -> LookaheadReport:
    """Cut the candles at many points and check that no earlier decision changes.

    Parameters
    ----------
    strategy, candles, timeframe, start, finish, params, space, seed, **account
        As for `fastbt.sweep`.
    n : int, optional
        How many random sets to check; the defaults alone if neither `params` nor `n` is given.
    cuts : int
        At how many points the candles end earlier, spread over the period.
    mode : {"compiled", "interpreted"}
        Compiled, the series are compared too, so that the first one that looks ahead can be named.

    Returns
    -------
    LookaheadReport
        `.passed`, and printed, the first series and bar that changes.

    Raises
    ------
    SettingsError
        If the period is too short to be cut.

    Examples
    --------
    >>> report = verify_no_lookahead("strategies/SmaCrossover", "BTC-USD", timeframe="4h", finish="2019-03-15", cuts=2)
    >>> report.passed
    True
    """
    if mode not in ("compiled", "interpreted"):
        raise SettingsError(f"mode wants 'compiled' or 'interpreted'; it was {mode!r}")
    session = make_session(strategy, candles, timeframe, start, finish, make_account_of(account))
    if params is None and n is None:
        sets = [dict(session.source.defaults)]
    else:
        sets = choose_sets(session, space=space, params=params, n=n, seed=seed)
    bars = session.setup.market.n_bars
    if bars < 3 or cuts < 1:
        raise SettingsError(f"wanted three bars or more and one cut or more; were {bars} and {cuts}")
    rng = np.random.default_rng(seed)
    edges = np.linspace(1, bars - 1, cuts + 1)
    points = sorted(
        {int(rng.integers(int(a), max(int(a) + 1, int(b)))) for a, b in zip(edges, edges[1:], strict=False)}
    )
    setup = session.setup
    subject = f"{session.source.name} on {setup.symbol} {setup.timeframe}, {iso(setup.start)} to {iso(setup.finish)}"
    shorter = [(point, Session(session.source, cut(setup, point))) for point in points]
    findings, n_series, n_orders = [], 0, 0
    for hp in sets:
        checker = _Checker(session, hp, mode)
        for point, other in shorter:
            checker.compare(other, point)
        n_series += checker.n_series
        n_orders += checker.n_orders
        if checker.finding is not None:
            findings.append(checker.finding)
    return LookaheadReport(subject, len(sets), len(points), n_series, n_orders, findings)


def cut(setup: Setup, bars: int) -> Setup:
    """Return a set-up whose candles end after so many traded bars."""
    minutes = bars * setup.market.timeframe_minutes
    others = {key: (each[:minutes], before) for key, (each, before) in setup.others.items()}
    return Setup.from_arrays(
        setup.account,
        setup.symbol,
        setup.timeframe,
        setup.market.minutes[:minutes],
        setup.warmup,
        setup.frames,
        others,
    )


class _Checker:
    """Compares one parameter set over all candles with shorter runs of it."""

    def __init__(self, session: Session, hp: dict[str, Any], mode: str) -> None:
        self.session, self.hp, self.mode = session, hp, mode
        self.finding: Finding | None = None
        self.n_series = self.n_orders = 0
        self._series: tuple[dict[str, int], Float2D] | None = None
        self.orders: list[FilledOrder] = []
        self.ends = session.setup.finish
        try:
            if mode == "compiled":
                self._series = self._matrix(session)
            self.orders = list(_orders(self._run(session)))
        except IndicatorError as error:
            if "looks ahead" not in str(error):
                raise
            self.note(str(error).split(" looks ahead")[0], 0, session.setup.market.n_bars, str(error))
        except SimulationError as error:
            # What was decided until then can be compared, on candles that end before.
            if error.bar < 3:
                raise
            ended = Session(session.source, cut(session.setup, error.bar))
            self.orders, self.ends = list(_orders(self._run(ended))), ended.setup.finish

    def _run(self, session: Session) -> Simulation:
        run = session.run if self.mode == "compiled" else session.run_interpreted
        return run(self.hp)[0]

    def _matrix(self, session: Session) -> tuple[dict[str, int], Float2D]:
        """Return the series of a session: rows by label, and the matrix."""
        compiled, _ = session.runner_for(self.hp)
        binding = compiled.bind([self.hp])
        if binding.errors:
            raise SettingsError(f"{session.source.name}: {binding.errors[0]}")
        market = session.setup.market
        matrix = compute_series(
            binding.series, binding.n_rows, market.bars, frame_of=session.setup.frame, first_bar=market.warmup_bars
        )
        return series_labels(compiled, binding), matrix

    def note(self, what: str, bar: int, point: int, detail: str) -> None:
        """Keep the earliest finding."""
        if self.finding is not None and self.finding.bar <= bar:
            return
        market = self.session.setup.market
        time = int(market.minutes[min(bar, market.n_bars - 1) * market.timeframe_minutes, TIMESTAMP])
        self.finding = Finding(self.hp, what, bar, time, point, detail)

    def compare(self, other: Session, point: int) -> None:
        """Compare with a run that ends after `point` bars."""
        if self._series is not None:
            try:
                self.compare_series(self._matrix(other), point)
            except IndicatorError as error:
                if "looks ahead" not in str(error):
                    raise
                self.note(str(error).split(" looks ahead")[0], point - 1, point, str(error))
                return
        end = other.setup.finish
        if end > self.ends or (self.finding is not None and not self.orders):
            return
        try:
            found = [each for each in _orders(self._run(other)) if each.executed_at < end]
        except SimulationError as error:
            self.note("a decision", error.bar, point, f"the shorter run ends with {error}")
            return
        wanted = [each for each in self.orders if each.executed_at < end]
        self.n_orders += len(found)
        for a, b in zip([*found, None], [*wanted, None], strict=False):
            if a != b:
                first = min(each.executed_at for each in (a, b) if each is not None)
                length = self.session.setup.market.timeframe_minutes * MINUTE_MS
                bar = int((first - self.session.setup.start - 1) // length)
                self.note("a decision", bar, point, f"{_words(a)} with candles until there, {_words(b)} with all")
                return

    def compare_series(self, found: tuple[dict[str, int], Float2D], point: int) -> None:
        """Compare the series that strategies read."""
        assert self._series is not None
        labels, whole = self._series
        _, part = found
        first = self.session.setup.market.warmup_bars
        n = first + point
        for label, row in labels.items():
            self.n_series += 1
            a, b = part[row, first:n], whole[row, first:n]
            where = np.flatnonzero(~((a == b) | (np.isnan(a) & np.isnan(b))))
            if len(where):
                bar = int(where[0])
                self.note(label, bar, point, f"it is {a[bar]} with candles until there, {b[bar]} with all")


def _orders(simulation: Simulation) -> Iterator[FilledOrder]:
    return (order for trade in simulation.trades for order in trade.orders)


def _words(order: FilledOrder | None) -> str:
    if order is None:
        return "no order is filled"
    return f"{order.side} {abs(order.qty)} at {order.price} is filled {iso(int(order.executed_at))}"
