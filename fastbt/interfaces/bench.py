"""`fastbt bench`: fastbt beside Jesse, vectorbt, raptorbt, chidoribt and a loop in C, in turn, in one run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastbt.errors import SettingsError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from fastbt.interfaces._bench_parts import Section
    from fastbt.interfaces._bench_peers import PeerProcesses
    from fastbt.oracle.jesse_process import JesseProcess
    from fastbt.types import JsonDict

#: What can be measured, in this order.
PARTS: Final = ("jesse", "common", "peers", "limit", "scaling", "memory", "start")
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


class Report:
    """The figures so far, in a file if there is one.

    Parameters
    ----------
    path : Path, optional
    quick : bool
        Of the sizes.
    threads : int
    again : bool
        Whether what the file has is measured again.
    say : callable
        Told what the file is not good for.
    """

    def __init__(
        self, path: Path | None, quick: bool, threads: int, *, again: bool, say: Callable[[str], None]
    ) -> None:
        from fastbt._cache import source_hash
        from fastbt.interfaces._bench_parts import machine

        if path is not None and not path.absolute().parent.is_dir():
            raise SettingsError(f"out: there is no folder {str(path.absolute().parent)!r}")
        self._path, self._again = path, again
        about = machine(threads)
        self.document: JsonDict = {"machine": about, "sources": source_hash(), "quick": quick, "sections": []}
        if path is None or not path.exists():
            return
        try:
            found = json.loads(path.read_text())
            same = all(found[key] == self.document[key] for key in ("sources", "quick"))
            same = same and all(found["machine"][key] == about[key] for key in ("cpu", "cores", "system"))
            kept = found["sections"] if same else []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(f"out: {str(path)!r} holds no figures of a bench: {error!r}") from None
        if not same:
            say(f"{path} is of another fastbt, machine or size: begun anew")
            return
        self.document = {**self.document, "machine": found["machine"], "sections": kept}

    def has(self, part: str) -> bool:
        """Tell whether the file has this part, and it was not asked for again."""
        return not self._again and any(each["part"] == part for each in self.document["sections"])

    def measure(self, part: str, bench: Bench) -> None:
        """Measure a part and keep its sections in place of those that were there."""
        from fastbt.interfaces._bench_parts import machine

        before, began = machine(bench.threads)["load_before"], time.perf_counter()
        sections = bench.measure(part)
        about = {
            "part": part,
            "measured": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "load_before": before,
            "load_after": machine(bench.threads)["load_before"],
            "part_seconds": time.perf_counter() - began,
        }
        kept = [each for each in self.document["sections"] if each["part"] != part]
        kept += [{**about, **section.to_dict()} for section in sections]
        kept.sort(key=lambda each: PARTS.index(each["part"]))
        versions: dict[str, str] = {}
        for each in kept:
            versions |= each["versions"]
        self.document["sections"] = kept
        self.document["machine"]["versions"] |= versions
        self.document["machine"]["load_after"] = about["load_after"]
        if self._path is not None:
            partial = self._path.with_name(f"{self._path.name}.partial")
            partial.write_text(json.dumps(self.document, indent=1) + "\n")
            partial.replace(self._path)


def print_report(out: Console, report: JsonDict) -> None:
    """Print tables for a person."""
    about = report["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    out.print(f"{about['cpu']}, {about['cores']} cores used, {about['system']}", markup=False)
    out.print(versions, markup=False)
    if about.get("load_before") is not None:
        out.print(f"load {about['load_before']:.1f} before, {about['load_after']:.1f} after", markup=False)
    for section in report["sections"]:
        out.print()
        _print_section(out, section)


def _print_section(out: Console, section: JsonDict) -> None:
    from rich.table import Table
    from rich.text import Text

    title = Text(section["title"], style="bold")
    if section["rows"]:
        table = Table(title=title, title_justify="left")
        table.add_column("library")
        table.add_column("what")
        for name in ("seconds", "ns a bar and set", "times fastbt's", "by processor time"):
            table.add_column(name, justify="right")
        for row in section["rows"]:
            cpu = row["cpu_ratio"]
            table.add_row(
                Text(row["library"]),
                Text(row["what"]),
                f"{row['seconds']:.3f}",
                f"{row['ns_per_bar_and_set']:,.2f}",
                _ratio_text(row["ratio"]),
                "" if cpu is None else _ratio_text(cpu),
            )
        out.print(table)
        title = Text("")
    if section["figures"]:
        table = Table(title=title, title_justify="left", show_header=False)
        for name in ("library", "what", "value"):
            table.add_column(name, justify="right" if name == "value" else "left")
        for figure in section["figures"]:
            value = f"{figure_text(figure['value'])} {figure['unit']}"
            table.add_row(Text(figure["library"]), Text(figure["what"]), value)
        out.print(table)
    if section["skipped"]:
        out.print(title if title.plain else section["title"], section["skipped"], sep="\n", markup=False)
    for check in section["checks"]:
        mark = "[green]ok[/green]  " if check["passed"] else "[red]DIFFERENT[/red]  "
        out.print(mark, end="")
        out.print(check["text"], markup=False)
    for note in section["notes"]:
        out.print(f"- {note}", style="dim", markup=False)


def _ratio_text(ratio: float) -> str:
    return f"{ratio:,.{2 if ratio < 10 else 1 if ratio < 100 else 0}f}"


def figure_text(value: float) -> str:
    """Return a figure with three digits or more.

    Examples
    --------
    >>> figure_text(0.01234), figure_text(3.14159), figure_text(12345.6)
    ('0.012', '3.14', '12,346')
    """
    size = abs(value)
    return f"{value:,.{3 if size < 0.1 else 2 if size < 10 else 1 if size < 100 else 0}f}"
