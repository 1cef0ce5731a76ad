"""`fastbt bench`: fastbt beside Jesse, vectorbt, raptorbt, chidoribt and a loop in C, in turn, in one run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastbt.errors import SettingsError, did_you_mean
from fastbt.interfaces._bench_report import PARTS, Report, print_report

if TYPE_CHECKING:
    from rich.console import Console

    from fastbt.interfaces._bench_parts import Section
    from fastbt.interfaces._bench_peers import PeerProcesses
    from fastbt.oracle.jesse_process import JesseProcess

#: The libraries that have an environment of their own.
PEERS: Final = ("vectorbt", "raptorbt", "chidoribt")


@dataclass(frozen=True)
class Sizes:
    """How much is run.

    Attributes
    ----------
    sets, verified : int
        Sets of the sweep on real candles, and how many of them are compared with Jesse trade by trade.
    bars, jesse_bars : int
        Of the random walk, and how many of them Jesse is timed on.
    rounds : int
        How often everything is timed.
    year : tuple of int
        Sets of sweeps over a year of 1h; the largest in a process of its own.
    stops : tuple of int
        Sets of the common workload.
    walk : tuple of int
        Bars of the common workload.
    flat : int
        Sets over which the memory of a sweep is watched.
    vectorbt_sets, vectorbt_bars : int
        The most of those that vectorbt is timed on.
    """

    sets: int
    verified: int
    bars: int
    jesse_bars: int
    rounds: int
    year: tuple[int, ...]
    stops: tuple[int, ...]
    walk: tuple[int, ...]
    flat: int
    vectorbt_sets: int
    vectorbt_bars: int


FULL: Final = Sizes(
    sets=1_000,
    verified=4,
    bars=100_000,
    jesse_bars=10_000,
    rounds=5,
    year=(100, 1_000, 10_000, 100_000, 1_000_000),
    stops=(100, 1_000, 10_000, 100_000),
    walk=(1_000, 10_000, 100_000, 1_000_000),
    flat=100_000,
    vectorbt_sets=10_000,
    vectorbt_bars=1_000_000,
)
QUICK: Final = Sizes(
    sets=100,
    verified=2,
    bars=10_000,
    jesse_bars=1_000,
    rounds=3,
    year=(100, 1_000, 10_000),
    stops=(100, 1_000, 10_000),
    walk=(1_000, 10_000),
    flat=20_000,
    vectorbt_sets=1_000,
    vectorbt_bars=10_000,
)


def run(
    *,
    timeframes: Sequence[str] = ("1h", "4h", "5m"),
    strategy: str | Path | None = None,
    quick: bool = False,
    as_json: bool = False,
    threads: int | None = None,
    rounds: int | None = None,
    jesse: bool = True,
    vectorbt: bool = True,
    peers: bool = True,
    only: Sequence[str] = (),
    out: str | Path | None = None,
    setup: Sequence[str] = (),
    console: Console | None = None,
) -> int:
    """Time fastbt beside other libraries, print the figures, and return the exit code.

    Answers are compared before anything is timed, everything is compiled before the clock starts, libraries take turns,
    and medians count. What is missing is left out, with a line that says how to get it.

    Parameters
    ----------
    timeframes : sequence of str
        Of the sweep on real candles.
    strategy : str or Path, optional
        Of that sweep; `strategies/SmaCrossover` if left out.
    quick : bool
        A tenth of the sizes.
    as_json : bool
        Print one JSON object instead of tables.
    threads : int, optional
        All cores if left out.
    rounds : int, optional
        How often everything is timed.
    jesse, vectorbt, peers : bool
        Whether Jesse, vectorbt, and the others take part.
    only : sequence of str
        Some of `PARTS`; all if left out.
    out : str or Path, optional
        A file to keep the figures in, written after each part. Parts that it has already, of the same fastbt on the
        same machine, are not measured again, unless `only` names them.
    setup : sequence of str
        Make the environments of these libraries, and do nothing else.
    console : rich.console.Console, optional
        Where to print.

    Returns
    -------
    int
        0, or 1 if an answer differs.

    Raises
    ------
    SettingsError
        If an argument makes no sense, or an environment cannot be made.
    OracleError
        If another library fails where it should not.
    """
    from fastbt.interfaces._terminal import console as terminal

    screen, err = console or terminal(), terminal(stderr=True)

    def say(text: str) -> None:
        err.print(text, style="dim", markup=False, soft_wrap=True)

    if setup:
        return _set_up(setup, as_json, screen, say)
    parts = _checked(only)
    for name, value in (("threads", threads), ("rounds", rounds)):
        if value is not None and value < 1:
            raise SettingsError(f"{name} wants a whole number from 1; it was {value}")
    from fastbt.data import timeframe_minutes
    from fastbt.interfaces._examples import find_strategy
    from fastbt.sweep.executor import available_threads

    for each in timeframes:
        timeframe_minutes(each)
    bench = Bench(
        sizes=QUICK if quick else FULL,
        threads=threads or available_threads(),
        rounds=rounds,
        timeframes=tuple(timeframes),
        strategy=find_strategy("SmaCrossover") if strategy is None else strategy,
        jesse=jesse,
        libraries=tuple(name for name in PEERS if (vectorbt if name == "vectorbt" else peers)),
        say=say,
    )
    report = Report(None if out is None else Path(out), quick, bench.threads, again=bool(only), say=say)
    for part in parts:
        if report.has(part):
            say(f"{part}: kept from {out}")
        else:
            report.measure(part, bench)
    document = report.document
    if as_json:
        screen.print_json(json.dumps(document))
    else:
        print_report(screen, document)
    return 0 if all(check["passed"] for each in document["sections"] for check in each["checks"]) else 1


def _checked(only: Sequence[str]) -> list[str]:
    for name in only:
        if name not in PARTS:
            hint = did_you_mean(name, list(PARTS))
            raise SettingsError(f"only: there is no part {name!r}; there are {', '.join(PARTS)}.{hint}")
    return [name for name in PARTS if not only or name in only]


def _set_up(names: Sequence[str], as_json: bool, screen: Console, say: Callable[[str], None]) -> int:
    from fastbt.interfaces._bench_peers import environment, make_environments

    make_environments(names, say)
    if as_json:
        screen.print_json(json.dumps({"environments": {name: str(environment(name)) for name in names}}))
        return 0
    for name in names:
        screen.print(f"{name}'s environment is ready in {environment(name)}", markup=False, soft_wrap=True)
    return 0


@dataclass
class Bench:
    """What is measured, and with whom.

    Attributes
    ----------
    sizes : Sizes
    threads : int
    rounds : int or None
        The usual number if None.
    timeframes : tuple of str
    strategy : str or Path
        Of the sweeps on real candles.
    jesse : bool
        Whether Jesse was asked for.
    libraries : tuple of str
        Those of `PEERS` that were asked for.
    say : callable
    """

    sizes: Sizes
    threads: int
    rounds: int | None
    timeframes: tuple[str, ...]
    strategy: str | Path
    jesse: bool
    libraries: tuple[str, ...]
    say: Callable[[str], None]

    def measure(self, part: str) -> list[Section]:
        """Measure one part."""
        found: list[Section] = getattr(self, f"_{part}")()
        return found

    @property
    def n_rounds(self) -> int:
        """How often everything is timed."""
        return self.rounds or self.sizes.rounds

    @contextmanager
    def _jesse_process(self) -> Iterator[JesseProcess | None]:
        from fastbt.interfaces._bench_jesse import open_jesse

        process = open_jesse(self.say) if self.jesse else None
        try:
            yield process
        finally:
            if process is not None:
                process.close()

    @contextmanager
    def _vectorbt(self) -> Iterator[PeerProcesses | None]:
        from fastbt.interfaces._bench_peers import PeerProcesses, available

        if "vectorbt" not in self.libraries or not available("vectorbt"):
            yield None
            return
        with PeerProcesses("vectorbt", self.threads) as processes:
            yield processes

    def _jesse_session(self) -> Any:
        """Return what Jesse runs one set of, or None without it."""
        from fastbt.data import CandleSet
        from fastbt.oracle.jesse_process import jesse_available
        from fastbt.sweep.sweep import make_account, make_session

        if not self.jesse or not jesse_available():
            return None
        return make_session(self.strategy, CandleSet.load("BTC-USD"), "1h", None, None, make_account())

    def _jesse(self) -> list[Section]:
        from fastbt.data import CandleSet
        from fastbt.interfaces._bench_jesse import against_jesse

        sections = []
        candles = CandleSet.load("BTC-USD")
        with self._jesse_process() as process:
            for each in self.timeframes:
                # At 5m Jesse takes 10 s a set in its fast mode, and 14 in the other.
                long = each in ("1m", "3m", "5m") and len(self.timeframes) > 1
                section = against_jesse(
                    self.strategy,
                    candles,
                    each,
                    n_sets=self.sizes.sets,
                    n_verified=1 if long else self.sizes.verified,
                    rounds=min(3, self.n_rounds) if long else self.n_rounds,
                    threads=self.threads,
                    process=process,
                    asked=self.jesse,
                    say=self.say,
                )
                if process is not None:
                    section.versions["jesse"] = process.versions["jesse"]
                sections.append(section)
        return sections

    def _common(self) -> list[Section]:
        from fastbt.interfaces._bench_common import CommonWorkload

        with self._jesse_process() as process, self._vectorbt() as vectorbt:
            common = CommonWorkload(
                self.sizes.bars,
                n_jesse_bars=self.sizes.jesse_bars,
                threads=self.threads,
                vectorbt=vectorbt,
                process=process,
                say=self.say,
                asked=("vectorbt" in self.libraries, self.jesse),
            )
            section = common.run(self.n_rounds)
            if vectorbt is not None:
                section.versions |= vectorbt.known_versions
            if process is not None:
                section.versions["jesse"] = process.versions["jesse"]
        return [section]

    def _peers(self) -> list[Section]:
        from fastbt.interfaces._bench_others import RULES, against_other

        return [
            against_other(rules, self.sizes.bars, rounds=self.n_rounds, threads=self.threads, say=self.say)
            for rules in RULES
            if rules.library in self.libraries
        ]

    def _limit(self) -> list[Section]:
        from fastbt.interfaces._bench_limit import beside_c

        return [beside_c(self.sizes.bars, rounds=self.n_rounds, say=self.say)]

    def _scaling(self) -> list[Section]:
        from fastbt.data import CandleSet
        from fastbt.interfaces._bench_scaling import Growing, over_sets_of_a_year

        rounds, sizes = min(3, self.n_rounds), self.sizes
        year = over_sets_of_a_year(
            self.strategy,
            CandleSet.load("BTC-USD"),
            sizes.year,
            rounds=rounds,
            threads=self.threads,
            say=self.say,
        )
        with self._vectorbt() as vectorbt:
            growing = Growing(self.threads, rounds, vectorbt, self.say)
            sections = [
                growing.over_sets(sizes.bars, sizes.stops, sizes.vectorbt_sets),
                growing.over_bars(sizes.walk, 100, sizes.vectorbt_bars),
            ]
            if vectorbt is not None:
                for section in sections:
                    section.versions |= vectorbt.known_versions
        return [year, *sections]

    def _memory(self) -> list[Section]:
        from fastbt.interfaces._bench_memory import memory

        return [
            memory(
                self.sizes.bars,
                year_sets=self.sizes.flat,
                n_stops=(10, 100),
                threads=self.threads,
                peers=self.libraries,
                jesse=self._jesse_session(),
                say=self.say,
            )
        ]

    def _start(self) -> list[Section]:
        from fastbt.interfaces._bench_start import start

        return [
            start(
                rounds=min(3, self.n_rounds),
                threads=self.threads,
                peers=self.libraries,
                jesse=self._jesse_session(),
                say=self.say,
            )
        ]
