"""One strategy, one month, three sets: is fastbt identical to the Jesse of this environment.

    python -m fastbt.oracle.smoke strategies

Meant for environments that hold Jesse with its own pins. Exit code 0 if everything is identical, else 1.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import fastbt
from fastbt.types import DAY_MS, MINUTE_MS, Float2D

_FIRST_MS = 1_577_836_800_000  # 2020-01-01
_DAYS = 40


def candles() -> Float2D:
    """Return 40 days of one-minute candles from 2020-01-01, a seeded random walk with opening gaps."""
    n = _DAYS * DAY_MS // MINUTE_MS
    random = np.random.default_rng(0)
    close = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.0008, n)))
    gap = np.where(random.random(n) < 0.1, random.normal(0.0, 0.0005, n), 0.0)
    opened = np.concatenate(([100.0], close[:-1])) * (1.0 + gap)
    high = np.maximum(opened, close) * (1.0 + np.abs(random.normal(0.0, 0.0003, n)))
    low = np.minimum(opened, close) * (1.0 - np.abs(random.normal(0.0, 0.0003, n)))
    time_ms = _FIRST_MS + np.arange(n) * float(MINUTE_MS)
    return np.column_stack([time_ms, opened, close, high, low, random.uniform(1.0, 10.0, n)])


def first_strategy(path: Path) -> Path:
    """Return the strategy at this path, or the first one in a folder of strategies."""
    if path.is_file() or (path / "__init__.py").is_file():
        return path
    found = sorted(
        child
        for child in (path.iterdir() if path.is_dir() else ())
        if (child.suffix == ".py" or (child / "__init__.py").is_file()) and not child.name.startswith(("_", "."))
    )
    if not found:
        raise SystemExit(f"smoke: there is no strategy at {path}")
    return found[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify, print, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m fastbt.oracle.smoke", description="Verify one strategy in this environment."
    )
    parser.add_argument(
        "strategy", type=Path, nargs="?", default=Path("strategies"), help="a strategy, or a folder of them"
    )
    strategy = first_strategy(parser.parse_args(arguments).strategy)
    versions = [f"{name} {metadata.version(name)}" for name in ("jesse", "numpy", "pandas", "numba", "polars")]
    print(f"{strategy.name} with Python {platform.python_version()}, {', '.join(versions)}")
    package: Any = fastbt  # its names are loaded on first use
    report = package.verify(
        str(strategy), candles(), timeframe="1h", start="2020-01-11", finish="2020-02-10", n=3, seed=0
    )
    print(report)
    print(f"{report.n_sets - len(report.differences)} passed, {len(report.differences)} failed")
    return 0 if report.identical else 1


if __name__ == "__main__":
    sys.exit(main())
