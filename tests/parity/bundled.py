"""Jesse's own test strategies (the package `jesse.strategies`) in Jesse, interpreted and compiled, one JSON object.

Most of them assert what they expect of one kind of account and candles, so each runs in several set-ups: where it does
not belong it aborts, which must happen in all engines at the same place. Run from `tests/`::

    python -m parity.bundled --verbose --only Test4

Generated code runs as plain Python, `--kernel machine` compiles it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from parity import engines
from parity.cases import MINUTE, START, Case, Options, random_candles
from parity.jesse_harness import Jesse

from fastbt.errors import FastbtError, SimulationError
from fastbt.oracle.compare import compare

EXCHANGE = "Sandbox"
BTC, ETH = "BTC-USDT", "ETH-USDT"


def package() -> Path:
    """Return the folder of Jesse's strategies, without importing Jesse."""
    spec = importlib.util.find_spec("jesse")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "strategies"


def names() -> list[str]:
    """Return the names of the strategies; a file that holds none is left out."""
    files = package().glob("*/__init__.py")
    return sorted(path.parent.name for path in files if f"\nclass {path.parent.name}(" in path.read_text())


def from_closes(closes: Any) -> np.ndarray:
    """Return minutes that go straight from one close to the next."""
    close = np.array(closes, dtype=float)
    opened = np.concatenate(([close[0] - 0.5], close[:-1]))
    times = START + np.arange(len(close)) * float(MINUTE)
    volume = (np.arange(len(close)) * 37.0) % 201
    return np.column_stack([times, opened, close, np.maximum(opened, close), np.minimum(opened, close), volume])


def make_setups() -> dict[str, Case]:
    """Return the kinds of account and candles in which the strategies run."""
    config = {
        "starting_balance": 10_000.0,
        "fee": 0.0,
        "type": "futures",
        "futures_leverage": 1,
        "futures_leverage_mode": "cross",
        "exchange": EXCHANGE,
        "warm_up_candles": 0,
    }
    rise, fall = from_closes(range(1, 100)), from_closes(range(100, 10, -1))
    base = Case("rise", 0, config, ((BTC, "1m"),), (), {BTC: rise}, {}, Options())
    spot = {"type": "spot"}
    walk = random_candles(np.random.default_rng(5), 1800, START - 600 * MINUTE, price=40.0, gap=0.001, decimals=2)
    both = {BTC: from_closes(range(101, 200)), ETH: rise}

    def setup(mode: str, candles: np.ndarray, **changes: Any) -> Case:
        return replace(base, mode=mode, candles={BTC: candles}, config={**config, **changes})

    setups = [
        base,
        setup("fall", fall),
        setup("rise 2x", rise, futures_leverage=2),
        setup("fall, fee", fall, fee=0.001),
        setup("rise, spot", rise, **spot),
        setup("fall, spot, fee", fall, fee=0.001, **spot),
        setup("rise 2x isolated", rise, futures_leverage=2, futures_leverage_mode="isolated"),
        setup("fall 2x isolated", fall, futures_leverage=2, futures_leverage_mode="isolated"),
        replace(
            setup("walk 5m", walk[600:], fee=0.0006, warm_up_candles=20),
            routes=((BTC, "5m"),),
            data_routes=((BTC, "15m"),),
            warmup={BTC: walk[:600]},
        ),
        replace(base, mode="two routes", routes=((BTC, "1m"), (ETH, "1m")), candles=both),
        replace(
            base,
            mode="two routes, more timeframes",
            routes=((BTC, "1m"), (ETH, "5m")),
            data_routes=((BTC, "5m"), (ETH, "15m")),
            candles=both,
        ),
    ]
    return {each.mode: each for each in setups}


#: Those that belong together, first and second route.
PARTNERS = {
    "Test21": "Test22",
    "Test23": "Test24",
    "Test25": "Test26",
    "Test27": "Test28",
    "Test29": "Test30",
    "Test32": "Test33",
    "TestCurrentRouteIndex1": "TestCurrentRouteIndex2",
    "TestDataRoutes1": "TestDataRoutes2",
    "TestGeneratedDataRouteExecutionBTC": "TestGeneratedDataRouteExecutionETH",
    "TestMultiInstrumentReplayA": "TestMultiInstrumentReplayB",
    "TestOnRouteOpenPosition": "TestOnRouteOpenPosition2",
}


def file_of(name: str) -> str:
    """Return a strategy's file and class."""
    return f"{package() / name / '__init__.py'}:{name}"


def compare_one(jesse: Jesse, name: str, case: Case, *, kernel: bool) -> dict[str, Any]:
    """Run one strategy in one set-up in all engines; say how Jesse's run ended, and how the others differ."""
    files = [file_of(name)]
    if len(case.routes) > 1:
        files.append(file_of(PARTNERS.get(name, name)))
    their_log: engines.Log = []
    our_log: engines.Log = []
    try:
        theirs = jesse.run(case, [engines.logged(engines.in_jesse(each), their_log) for each in files])
    except Exception as error:
        return {"jesse": f"cannot be loaded: {type(error).__name__}: {error}"}
    found: dict[str, Any] = {"trades": len(theirs.get("trades", ())), "calls": len(their_log)}
    if theirs["status"] == "failed":
        found["jesse"] = f"{theirs['exception']}: {theirs['message']}".strip().removesuffix(":")
        found["exception"] = theirs["exception"]
    else:
        found["jesse"] = "completed"
    try:
        ours = [engines.logged(engines.loaded(each).cls, our_log) for each in files]
        outcome = engines.run_reference(case, ours)
    except FastbtError as error:
        found["interpreted"] = f"{type(error).__name__}: {error}"
        return found
    if isinstance(outcome, SimulationError) and outcome.exception is None:
        found["interpreted"] = f"not simulated: {engines.reason(outcome)}"
        return found
    difference = engines.first_difference(our_log, their_log)
    if not difference and (told := compare((outcome, {}), theirs)):
        difference = str(told)
    if not difference and isinstance(outcome, SimulationError) and theirs["time"] == theirs["time"] != outcome.time:
        difference = f"aborted at {outcome.time}, Jesse at {theirs['time']}"
    found["interpreted"] = difference or "identical"
    if isinstance(outcome, SimulationError) and difference:
        found["interpreted"] += f"\n{outcome}"
    if kernel and not difference:
        try:
            difference, compiled, _ = engines.compare_kernel(case, files, outcome, our_log)
            found["compiled"] = difference or "identical"
        except engines.NotCompiled as error:
            found["compiled"] = f"refused: {error}"
    return found


def main(arguments: list[str] | None = None) -> int:
    """Compare them, and return 1 if anything differed."""
    parser = argparse.ArgumentParser(description="Compare fastbt with Jesse on Jesse's own strategies.")
    parser.add_argument("--only", default="", help="part of a name")
    parser.add_argument("--setups", nargs="+", help="of these set-ups only")
    parser.add_argument("--kernel", choices=["machine", "python", "none"], default="python")
    parser.add_argument("--verbose", action="store_true", help="print what is not identical")
    options = parser.parse_args(arguments)
    if options.kernel == "python":
        from fuzz_compiled import run_as_python

        run_as_python()
    jesse, began = Jesse(), time.perf_counter()
    report: dict[str, dict[str, Any]] = {}
    differing = 0
    for name in names():
        if options.only not in name:
            continue
        report[name] = {}
        for label, case in make_setups().items():
            if options.setups and label not in options.setups:
                continue
            found = compare_one(jesse, name, case, kernel=options.kernel != "none")
            report[name][label] = found
            for engine in ("interpreted", "compiled"):
                told = found.get(engine, "identical")
                if told != "identical" and not told.startswith(("refused", "not simulated")):
                    differing += 1
                    if options.verbose:
                        print(f"{name} in {label}: {engine}: {told}\n  Jesse: {found['jesse']}", file=sys.stderr)
    print(f"{time.perf_counter() - began:.0f} s, {differing} differ", file=sys.stderr)
    print(json.dumps(report))
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
