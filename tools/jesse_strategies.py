"""Write docs/jesse-strategies.md: Jesse's own test strategies in Jesse, interpreted and compiled.

Run `python tools/jesse_strategies.py` where Jesse is installed; a test runs it with `--check`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "jesse-strategies.md"

HEAD = """# Jesse's own test strategies

Written by `tools/jesse_strategies.py`; edit that.

The package `jesse.strategies` of Jesse 3.5.3 holds {count} strategies with which Jesse tests itself. Each runs here in
{setups} set-ups (rising and falling prices, futures with and without leverage, isolated margin, spot, fees, a random
walk with a data route, two routes), under `jesse.research.backtest` and in fastbt. Many of them assert what they expect
of one kind of account: elsewhere they abort, and must do so at the same minute, with the same exception, after the same
hook calls in the same state.

{summary}

*Completed* is in how many of the {setups} set-ups Jesse's run completes, *trades* how many it closes in them.

| Strategy | Completed | Trades | Interpreted | Compiled |
|---|---|---|---|---|
"""


def measure(arguments: list[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """Run every strategy in every set-up, in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}
    done = subprocess.run(
        [sys.executable, "-m", "parity.bundled", *arguments],
        cwd=ROOT / "tests",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    report: dict[str, dict[str, dict[str, Any]]] = json.loads(done.stdout.splitlines()[-1])
    return report


def verdict(by_setup: dict[str, dict[str, Any]], engine: str) -> str:
    """Return in a few words how an engine compares with Jesse in all set-ups."""
    told = Counter(short(found.get(engine, "not compared").split("\n")[0]) for found in by_setup.values())
    if len(told) == 1:
        return next(iter(told))
    return "; ".join(f"{text} in {count}" for text, count in told.most_common())


def short(text: str) -> str:
    """Return a verdict for a cell: of a refusal, its first sentence."""
    if text.startswith("refused: "):
        text = "no: " + text.removeprefix("refused: ").split(". ")[0].split(";")[0].rstrip(".")
    return text.replace("|", "\\|").replace("_", "\\_")


def page(report: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Return the page."""
    rows = []
    for name, by_setup in report.items():
        completed = sum(found["jesse"] == "completed" for found in by_setup.values())
        trades = sum(found.get("trades", 0) for found in by_setup.values())
        cells = [name, str(completed), str(trades), verdict(by_setup, "interpreted"), verdict(by_setup, "compiled")]
        rows.append("| " + " | ".join(cells) + " |")
    setups = len(next(iter(report.values())))
    runs = [found for by_setup in report.values() for found in by_setup.values()]
    same = sum(found.get("interpreted") == "identical" for found in runs)
    compiled = [by for by in report.values() if all(found.get("compiled") == "identical" for found in by.values())]
    trades = sum(found.get("trades", 0) for found in runs)
    aborted = sum(found["jesse"] != "completed" for found in runs)
    summary = (
        f"Of {len(runs)} runs, with {trades} trades in all, {aborted} abort in Jesse. Interpreted, {same} are "
        "identical.\n"
        f"Compiled, {len(compiled)} of the {len(report)} strategies are identical in all their runs; why the others do "
        "not compile stands in\nthe table."
    )
    return HEAD.format(count=len(report), setups=setups, summary=summary) + "\n".join(rows) + "\n"


def main() -> int:
    """Write the page, or with `--check` compare it."""
    parser = argparse.ArgumentParser(description="Compare Jesse's own strategies and write the table of them.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page would change")
    options = parser.parse_args()
    text = page(measure([]))
    if options.check:
        if PAGE.read_text() != text:
            PAGE.with_suffix(".new").write_text(text)
            print(f"{PAGE.name} is not what a run gives: run tools/jesse_strategies.py", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
