"""What the benches have in common: a row of figures, a check, a section, and the machine they ran on."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from fastbt.types import JsonDict


@dataclass
class Row:
    """One thing that was timed, several times.

    Attributes
    ----------
    library, what : str
    n_sets, n_bars : int
        Parameter sets and decision bars of one run.
    runs : list of float
        Seconds of each timed run.
    cpu : list of float
        Processor seconds of each, over all threads and processes; empty where they are not known.
    key : str
        What a program knows the row by, the same whatever the sizes.
    """

    library: str
    what: str
    n_sets: int
    n_bars: int
    runs: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    key: str = ""

    def add(self, seconds: float, cpu: float | None = None) -> None:
        """Add a timed run."""
        self.runs.append(seconds)
        if cpu is not None:
            self.cpu.append(cpu)

    @property
    def seconds(self) -> float:
        """Median of the runs."""
        return statistics.median(self.runs)

    @property
    def ns(self) -> float:
        """Nanoseconds for one bar of one set.

        Examples
        --------
        >>> Row("a", "b", n_sets=10, n_bars=100, runs=[1.0, 3.0, 2.0]).ns
        2000000.0
        """
        return self.seconds / (self.n_sets * self.n_bars) * 1e9

    @property
    def cpu_ns(self) -> float | None:
        """Processor nanoseconds for one bar of one set; None where they are not known."""
        return statistics.median(self.cpu) / (self.n_sets * self.n_bars) * 1e9 if self.cpu else None

    def to_dict(self, base: Row) -> JsonDict:
        """Return the figures, with the ratio to another row."""
        known = self.cpu_ns is not None and base.cpu_ns is not None
        return {
            "key": self.key,
            "library": self.library,
            "what": self.what,
            "sets": self.n_sets,
            "bars": self.n_bars,
            "runs": self.runs,
            "cpu_runs": self.cpu,
            "seconds": self.seconds,
            "ns_per_bar_and_set": self.ns,
            "ratio": self.ns / base.ns,
            "cpu_ns_per_bar_and_set": self.cpu_ns,
            "cpu_ratio": self.cpu_ns / base.cpu_ns if known and self.cpu_ns and base.cpu_ns else None,
        }


@dataclass
class Figure:
    """One thing that was measured in another unit than seconds a bar.

    Attributes
    ----------
    library, what, unit : str
    values : list of float
        The median counts.
    key : str
        As of `Row`.
    """

    library: str
    what: str
    unit: str
    values: list[float]
    key: str = ""

    @property
    def value(self) -> float:
        """Median of the values."""
        return statistics.median(self.values)

    def to_dict(self) -> JsonDict:
        """Return everything for JSON."""
        return {**vars(self), "value": self.value}


@dataclass
class Check:
    """An answer that was checked before it was timed."""

    text: str
    passed: bool


@dataclass
class Section:
    """One comparison.

    Attributes
    ----------
    title : str
    rows : list of Row
        The first is fastbt's; ratios count from it, or from fastbt's first of the same size.
    checks : list of Check
    notes : list of str
        What a reader must know to judge the figures.
    skipped : str
        Why it was not done, and how to get it.
    figures : list of Figure
        What has another unit.
    key : str
        What a program knows the section by.
    versions : dict of str
        Of the libraries beside fastbt.
    """

    title: str
    rows: list[Row] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skipped: str = ""
    figures: list[Figure] = field(default_factory=list)
    key: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(each.passed for each in self.checks)

    def base(self, row: Row) -> Row:
        """Return what a row is compared with: fastbt's first row of its size, or its first row."""
        size = (row.n_sets, row.n_bars)
        same = [each for each in self.rows if each.library == "fastbt" and (each.n_sets, each.n_bars) == size]
        return same[0] if same else self.rows[0]

    def to_dict(self) -> JsonDict:
        """Return everything for JSON."""
        return {
            "key": self.key,
            "title": self.title,
            "rows": [row.to_dict(self.base(row)) for row in self.rows],
            "figures": [figure.to_dict() for figure in self.figures],
            "checks": [{"text": each.text, "passed": each.passed} for each in self.checks],
            "notes": self.notes,
            "skipped": self.skipped,
            "versions": self.versions,
        }


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that an action took, and its answer."""
    began = time.perf_counter()
    answer = action()
    return time.perf_counter() - began, answer


def clocked(action: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return the seconds and the processor seconds of this process that an action took, and its answer."""
    began, busy = time.perf_counter(), time.process_time()
    answer = action()
    return time.perf_counter() - began, time.process_time() - busy, answer


def clocked_in_a_row(action: Callable[[], Any], at_least: float = 0.5) -> tuple[float, float, Any, float]:
    """Return mean seconds and processor seconds of an action, its last answer, and the seconds of its first call.

    What takes less than `at_least` is called again until it has taken that, and the first call, which finds the
    processor's caches full of what ran before, does not count in the means.

    Examples
    --------
    >>> calls = []
    >>> mean, _, answer, first = clocked_in_a_row(lambda: calls.append(1), at_least=0.001)
    >>> len(calls) > 2, mean > 0.0
    (True, True)
    """
    first, busy, answer = clocked(action)
    if first >= at_least:
        return first, busy, answer, first
    times: list[tuple[float, float]] = []
    while sum(each for each, _ in times) < at_least:
        seconds, busy, answer = clocked(action)
        times.append((seconds, busy))
    mean, cpu = (sum(each) / len(times) for each in zip(*times, strict=True))
    return mean, cpu, answer, first


def cpu_model() -> str:
    """Return the processor's name.

    Examples
    --------
    >>> isinstance(cpu_model(), str)
    True
    """
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def machine(cores: int) -> JsonDict:
    """Return what the figures depend on: processor, cores, load, versions."""
    import fastbt

    versions = {"fastbt": fastbt.__version__, "python": platform.python_version()}
    for name in ("numpy", "numba", "polars"):
        versions[name] = metadata.version(name)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "cpu": cpu_model(),
        "cores": cores,
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": load,
        "versions": versions,
    }
