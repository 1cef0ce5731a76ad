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
    runs : list of float
        Seconds of each timed run.
    n_sets, n_bars : int
        Parameter sets and decision bars of one run.
    """

    library: str
    what: str
    n_sets: int
    n_bars: int
    runs: list[float] = field(default_factory=list)

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

    def to_dict(self, base: Row) -> JsonDict:
        """Return the figures, with the ratio to another row."""
        return {
            "library": self.library,
            "what": self.what,
            "sets": self.n_sets,
            "bars": self.n_bars,
            "runs": self.runs,
            "seconds": self.seconds,
            "ns_per_bar_and_set": self.ns,
            "ratio": self.ns / base.ns,
        }


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
        The first is fastbt's; ratios count from it.
    checks : list of Check
    notes : list of str
        What a reader must know to judge the figures.
    skipped : str
        Why it was not done, and how to get it.
    """

    title: str
    rows: list[Row] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skipped: str = ""

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(each.passed for each in self.checks)

    def to_dict(self) -> JsonDict:
        """Return everything for JSON."""
        return {
            "title": self.title,
            "rows": [row.to_dict(self.rows[0]) for row in self.rows],
            "checks": [{"text": each.text, "passed": each.passed} for each in self.checks],
            "notes": self.notes,
            "skipped": self.skipped,
        }


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that an action took, and its answer."""
    began = time.perf_counter()
    answer = action()
    return time.perf_counter() - began, answer


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
