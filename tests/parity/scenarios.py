"""Every class in `strategies/` in Jesse, interpreted and compiled: one rule of the specification each, one JSON object.

Run from `tests/`::

    python -m parity.scenarios --verbose --only Gap
    python -m parity.scenarios --table > ../docs/rules.md

Generated code runs as plain Python, so that every hook call of the kernel is compared; `--kernel machine` compiles it.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from parity import engines
from parity.cases import FUTURES, MINUTE, SPOT, START, Case, Options, random_candles
from parity.jesse_harness import Jesse

from fastbt.errors import SimulationError
from fastbt.oracle.compare import compare
from fastbt.results import Simulation
from fastbt.types import UNSUPPORTED_REASONS

FOLDER = Path(__file__).parent / "strategies"
#: The files whose strategies each show a paragraph of the specification, in its order.
RULES = ("loop", "lifecycle", "account", "candles")
SYMBOL = "BTC-USDT"


def names() -> list[str]:
    """Return every strategy as `file:Class`."""
    found = []
    for path in sorted(FOLDER.glob("*.py")):
        classes = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
        found += [f"{path}:{each.name}" for each in classes if each.name != "Base"]
    return found


@cache
def market(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return minutes and warm-up of one of the markets."""
    n = {"days": 3 * 1440 + 60, "odd": 7 * 60 + 37}.get(name, 600)
    warm = 0 if name == "cold" else 300 if name != "days" else 600
    shape = {
        "gaps": {"volatility": 0.0008, "wick": 0.0005, "gap": 0.0015},
        "wicks": {"volatility": 0.0006, "wick": 0.002},
        "wild": {"volatility": 0.003, "wick": 0.002, "gap": 0.002},
    }.get(name, {"volatility": 0.001, "wick": 0.0008, "gap": 0.0005})
    rng = np.random.default_rng([7, len(name), n])
    rows = random_candles(rng, warm + n, START - warm * MINUTE, decimals=2, **shape)
    return rows[warm:], rows[:warm]


def make_case(cls: type) -> Case:
    """Return what a strategy asks for."""
    changes = getattr(cls, "ACCOUNT", {})
    spot = changes.get("type") == "spot"
    config = {
        "starting_balance": 10_000.0,
        "fee": 0.0006,
        "type": "futures",
        "futures_leverage": 1,
        "futures_leverage_mode": "cross",
        "exchange": SPOT if spot else FUTURES,
        "warm_up_candles": 20,
        **changes,
    }
    minutes, warmup = market(getattr(cls, "MARKET", "gaps"))
    return Case(
        "scenario",
        0,
        config,
        ((SYMBOL, getattr(cls, "TIMEFRAME", "5m")),),
        tuple((SYMBOL, each) for each in getattr(cls, "DATA", ())),
        {SYMBOL: minutes},
        {SYMBOL: warmup} if len(warmup) else {},
        Options(),
    )


def compare_one(jesse: Jesse, strategy: str, *, kernel: bool) -> dict[str, Any]:
    """Run a strategy in all engines; say how each ended, and how they differ."""
    their_log: engines.Log = []
    our_log: engines.Log = []
    cls = engines.in_jesse(strategy)
    case = make_case(cls)
    theirs = jesse.run(case, [engines.logged(cls, their_log)])
    outcome = engines.run_reference(case, [engines.logged(engines.loaded(strategy).cls, our_log)])
    found: dict[str, Any] = {
        "covers": getattr(cls, "COVERS", ""),
        "rule": (cls.__doc__ or "").strip().split("\n")[0],
        "raises": getattr(cls, "RAISES", ""),
        "refused": getattr(cls, "REFUSED", ""),
        "refused_compiled": getattr(cls, "REFUSED_COMPILED", ""),
        "jesse": theirs.get("exception", "completed"),
        "trades": len(theirs.get("trades", ())),
        "orders": theirs["order_count"],
        "calls": len(their_log),
    }
    if isinstance(outcome, SimulationError) and outcome.exception is None:
        status = status_of(outcome)
        difference = engines.first_difference(our_log, their_log[: len(our_log)])
        found["interpreted"] = difference or f"not simulated: {status}"
    else:
        told = compare((outcome, {}), theirs)
        difference = engines.first_difference(our_log, their_log) or (str(told) if told else None)
        if isinstance(outcome, SimulationError) and not difference:
            found["bar"] = outcome.bar
            if theirs["time"] == theirs["time"] and outcome.time != theirs["time"]:
                difference = f"aborted at {outcome.time}, Jesse at {theirs['time']}"
        found["interpreted"] = difference or "identical"
    if isinstance(outcome, Simulation):
        found["liquidations"] = outcome.liquidations
    if kernel and not difference:
        found["compiled"] = compiled(case, strategy, outcome, our_log)
    return found


def compiled(case: Case, strategy: str, outcome: engines.Outcome, our_log: engines.Log) -> str:
    """Run a strategy compiled, and say how it compares with the reference engine."""
    try:
        difference, ours, _ = engines.compare_kernel(case, [strategy], outcome, our_log)
    except engines.NotCompiled as error:
        return f"refused: {error}"
    if difference and difference.startswith("the kernel crashed"):
        return difference
    if isinstance(ours, SimulationError) and ours.exception is None:
        same = isinstance(outcome, SimulationError) and engines.ending(ours) == engines.ending(outcome)
        return f"not simulated: {status_of(ours)}" + ("" if same else ", the kernel alone")
    return difference or "identical"


def status_of(error: SimulationError) -> str:
    """Return the name of the status behind a refusal."""
    return next((each.name for each, text in UNSUPPORTED_REASONS.items() if text in str(error)), str(error))


TABLE_HEAD = """# Jesse's rules, one strategy each

Written by `python -m parity.scenarios --table` from the strategies in `tests/parity/strategies/`; edit those.

Each strategy runs under Jesse 3.5.3, interpreted and compiled: every hook call with what is to be seen in it, every
order, trade and equity sample must be equal to the last bit (`tests/parity/test_scenarios.py`). What chance can reach
beyond them is fuzzed (`tests/parity/fuzz.py`): one strategy that does everything at random, in all three engines.
"""
TABLE_PARTS = {
    RULES: (
        "What happens",
        "A paragraph is one of the specification of Jesse's exchange to which fastbt is built.",
    ),
    ("exceptions",): ("What ends a run", "The exception, its bar and its time are the same, and all that came before."),
    ("unsupported",): (
        "What is not simulated",
        "A run ends with this status. `TOO_MANY_ORDERS`, `TOO_MANY_FILLS` and `DECIMAL_RANGE` are the kernel's own: "
        'with\n`mode="interpreted"` such a run equals Jesse\'s. Candles that lack a minute are refused before a run.',
    ),
}
#: What the first column of each part is called, and holds.
COLUMNS: dict[str, tuple[str, Callable[[dict[str, str]], str]]] = {
    RULES[0]: ("Paragraph", lambda each: each["COVERS"]),
    "exceptions": ("Exception", lambda each: f"`{each['RAISES'] or 'none'}`"),
    "unsupported": ("Status", lambda each: f"`{each['REFUSED'] or each['REFUSED_COMPILED']}`"),
}


def table() -> str:
    """Return docs/rules.md."""
    lines = [TABLE_HEAD]
    for files, (title, text) in TABLE_PARTS.items():
        lines += [f"## {title}\n", f"{text}\n"]
        column, first = COLUMNS[files[0]]
        lines += [f"| {column} | Strategy | Rule |", "|---|---|---|"]
        rows = [
            f"| {first(each)} | {each['name']} | {each['rule']} |"
            for file in files
            for each in _classes(FOLDER / f"{file}.py")
        ]
        # Paragraphs stand in the order of the specification, the others in the order of their names.
        lines += [*(rows if files == RULES else sorted(rows)), ""]
    return "\n".join(lines)


def _classes(path: Path) -> list[dict[str, str]]:
    """Return what the strategies of a file say of themselves."""
    known: dict[str, dict[str, str]] = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            bases = [known[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in known]
            told = dict(bases[0]) if bases else dict.fromkeys(("COVERS", "RAISES", "REFUSED", "REFUSED_COMPILED"), "")
            told |= {"name": node.name, "rule": (ast.get_docstring(node) or "").split("\n")[0]}
            for each in node.body:
                if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
                    if isinstance(each.value, ast.Constant):
                        told[each.targets[0].id] = str(each.value.value)
            known[node.name] = told
    return [told for name, told in known.items() if name != "Base"]


def main(arguments: list[str] | None = None) -> int:
    """Compare them, and print what was found."""
    parser = argparse.ArgumentParser(description="Compare fastbt with Jesse, rule by rule.")
    parser.add_argument("--only", default="", help="part of a name or of a paragraph")
    parser.add_argument("--kernel", choices=["machine", "python", "none"], default="python")
    parser.add_argument("--verbose", action="store_true", help="print one line each")
    parser.add_argument("--table", action="store_true", help="print docs/rules.md, and run nothing")
    options = parser.parse_args(arguments)
    if options.table:
        print(table(), end="")
        return 0
    if options.kernel == "python":
        from fuzz_compiled import run_as_python

        run_as_python()
    jesse, began = Jesse(), time.perf_counter()
    report = {}
    for strategy in names():
        label = f"{Path(strategy.rpartition(':')[0]).stem}.{strategy.rpartition(':')[2]}"
        if options.only in label:
            report[label] = compare_one(jesse, strategy, kernel=options.kernel != "none")
            if options.verbose:
                print(label, json.dumps(report[label]), file=sys.stderr)
    print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
