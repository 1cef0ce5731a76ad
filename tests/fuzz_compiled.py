"""Generated strategies on the compiled engine and on the reference engine: everything must be equal to the last bit.

As a rule the generated module runs as plain Python, which needs no compilation; the indicators' kernels are compiled
all the same. With `--compiled` everything is what users run::

    python tests/fuzz_compiled.py --seed 1000 --seconds 600
    python tests/fuzz_compiled.py --seed 17 --count 1 --show

`--plain` generates strategies with plain trades, and compares each of some parameter sets of a sweep with its backtest.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import itertools
import json
import math
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))


def run_as_python() -> None:
    """Let the engine and what the compiler generates be plain Python; indicators and metrics stay compiled."""
    for name in ("fastbt.data._kernels", "fastbt.indicators", "fastbt.metrics._kernels", "fastbt.metrics._eight"):
        importlib.import_module(name)
    from fastbt import _jit, _parts

    _parts.njit = lambda *_, **__: lambda function: function
    _jit.jit_disabled = lambda: True


@dataclasses.dataclass
class Tally:
    """What was compared."""

    seeds: int = 0
    trades: int = 0
    orders: int = 0
    liquidations: int = 0
    fills: Counter[str] = dataclasses.field(default_factory=Counter)
    exceptions: Counter[str] = dataclasses.field(default_factory=Counter)
    refused: Counter[str] = dataclasses.field(default_factory=Counter)
    undecided: int = 0
    idle: int = 0
    walked: int = 0
    skipping: int = 0
    plain: Counter[str] = dataclasses.field(default_factory=Counter)
    differences: dict[int, str] = dataclasses.field(default_factory=dict)


def sort_of_equal(a: Any, b: Any) -> bool:
    """Return whether two values are the same number, NaN included."""
    return a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))


def first_difference(ours: Any, theirs: Any, path: str = "") -> str | None:
    """Return where two results differ first, or None."""
    if isinstance(theirs, dict):
        if set(ours) != set(theirs):
            return f"{path}: {sorted(ours)} and {sorted(theirs)}"
        pairs = [(f"{path}.{key}", ours[key], theirs[key]) for key in theirs]
    elif isinstance(theirs, (list, tuple)):
        pairs = [(f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(ours, theirs, strict=False))]
        if len(ours) != len(theirs):
            pairs.append((f"{path}.length", len(ours), len(theirs)))
    else:
        return None if sort_of_equal(ours, theirs) else f"{path}: compiled {ours!r}, reference {theirs!r}"
    return next((found for name, a, b in pairs if (found := first_difference(a, b, name))), None)


def outcome_of(run: Any) -> dict[str, Any]:
    """Return a run's result, or what ended it, as plain values."""
    from fastbt.errors import SimulationError

    try:
        simulation, metrics = run()
    except SimulationError as error:
        return {"exception": error.exception, "bar": error.bar, "time": error.time, "message": str(error)}
    result = dataclasses.asdict(simulation)
    del result["log"]
    return {**result, "metrics": metrics}


def compare_metrics(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    """Return the first metric that differs by more than rounding."""
    for key, value in theirs.items():
        mine = ours[key]
        if (
            isinstance(value, float)
            and isinstance(mine, (int, float))
            and math.isclose(mine, value, rel_tol=1e-9, abs_tol=1e-9)
        ):
            continue
        if not sort_of_equal(mine, value):
            return f".metrics.{key}: compiled {mine!r}, reference {value!r}"
    return None


def sweep_difference(session: Any, hyperparameters: Any, plain: Counter[str]) -> str | None:
    """Return where a set's row of a sweep differs from its backtest, which has an order table and a log.

    Parameters
    ----------
    session : Session
    hyperparameters : mapping
    plain : Counter
        Counts whether the kernel of plain trades ran the set, or gave up; machine code does not tell.
    """
    from fastbt.engine import layout
    from fastbt.errors import SimulationError
    from fastbt.metrics.names import METRICS
    from fastbt.sweep.evaluate import Evaluator

    module = session.runner_for(hyperparameters)[0].module
    run_plain = getattr(module, "_run_plain", None)
    if getattr(run_plain, "__code__", None) is not None:

        def noted(*arguments: Any) -> bool:
            done = run_plain(*arguments)
            plain["done" if done else "given up"] += 1
            return done

        module._run_plain = noted
    try:
        with Evaluator(session, threads=1) as evaluator:
            row = evaluator.run([hyperparameters], daily=True)
    finally:
        module._run_plain = run_plain
    try:
        simulation, metrics = session.run(hyperparameters)
    except SimulationError as error:
        return None if not row.statuses.ok[0] else f"sweep completed, backtest: {error}"
    if not row.statuses.ok[0]:
        return f"sweep: {row.statuses[0]}, backtest completed"
    outcome = row.outcomes[0]
    pairs = {
        "trades": (outcome[layout.OUTCOME_TRADES], len(simulation.trades)),
        "orders": (outcome[layout.OUTCOME_ORDERS], simulation.order_count),
        "liquidations": (outcome[layout.OUTCOME_LIQUIDATIONS], simulation.liquidations),
        "daily balance": (row.daily[0].tolist(), list(simulation.daily_balance)),
    }
    for i, name in enumerate(METRICS):
        if isinstance(metrics.get(name), (int, float)):
            pairs[name] = (row.metrics[0, i], metrics[name])
    for name, (ours, theirs) in pairs.items():
        if found := first_difference(ours, theirs, name):
            return found.replace("compiled", "sweep").replace("reference", "backtest")
    return None


def side_by_side_difference(session: Any, sets: list[dict[str, Any]], plain: Counter[str]) -> str | None:
    """Return where sets that are played side by side differ from themselves, one by one.

    Parameters
    ----------
    session : Session
    sets : list of dict
        They should share their entries.
    plain : Counter
        Counts which were played side by side to the end, or given up.
    """
    from fastbt.engine.simulate import Runner
    from fastbt.sweep.evaluate import Evaluator

    original = Runner.shares, Runner._call_shared
    rows = []

    def noted(*arguments: Any) -> Any:
        is_played = original[1](*arguments)
        plain["side by side"] += int(is_played.sum())
        plain["apart after all"] += int((~is_played).sum())
        return is_played

    try:
        Runner._call_shared = noted  # type: ignore[method-assign]
        for may in (False, True):
            shares = lambda self, *_, may=may: may and hasattr(self.module, "run_segments")  # noqa: E731
            Runner.shares = shares  # type: ignore[method-assign,assignment]
            with Evaluator(session, threads=1) as evaluator:
                rows.append(evaluator.run(sets, daily=True))
    finally:
        Runner.shares, Runner._call_shared = original  # type: ignore[method-assign]
    for name in ("outcomes", "metrics", "daily"):
        alone, together = (getattr(each, name) for each in rows)
        differs = alone.view(np.int64) != together.view(np.int64)
        if differs.any():
            i, column = np.argwhere(differs)[0]
            return f"{name}[{i}, {column}]: alone {alone[i, column]!r}, side by side {together[i, column]!r}"
    return None


def walking(setup: Any) -> Any:
    """Return a set-up that makes the machine believe that any minute may touch any order, so that it skips none."""
    market = setup.market
    spans = ("span", "block_span", "bar_span", "bar_block_span")
    endless = {key: np.full_like(getattr(market, key), np.inf) for key in spans}
    for each in endless.values():
        each[:, 0] = -np.inf  # lows: each bar reaches any price
    return dataclasses.replace(setup, market=dataclasses.replace(market, **endless))


def run_seed(
    seed: int,
    tally: Tally,
    folder: Path,
    *,
    show: bool = False,
    mode: str | None = None,
    plain: int = 0,
    together: int = 0,
) -> None:
    """Run the strategy of a seed both ways; of every fourth seed, let the compiled run walk every minute, too.

    With `plain`, generate strategies with plain trades, and compare so many parameter sets more. With `together`, play
    so many side by side as well.
    """
    from plain_generators import make_plain_strategy, plain_sets, sharing_sets
    from strategy_generators import make_market, make_strategy

    from fastbt._jit import jit_disabled
    from fastbt.backtest import Session, Setup
    from fastbt.engine.account import Mode
    from fastbt.errors import CompileError

    tally.seeds += 1
    case = make_market(seed, mode)
    if together and case.account.mode == Mode.SPOT:
        case = make_market(seed, "isolated")
    if plain or together:
        text = make_plain_strategy(seed, case.account.mode, together=together > 0)
    else:
        text = make_strategy(seed, case.account.mode)
    file = folder / f"Generated{seed}.py"
    file.write_text(text)
    setup = Setup.from_arrays(case.account, "BTC-USDT", case.timeframe, case.minutes, case.warmup)
    session = Session(file, setup)
    if show:
        print(text, case.account, case.timeframe, len(case.minutes), len(case.warmup))
    try:
        compiled, _ = session.runner_for(session.source.defaults)
    except CompileError as error:
        tally.refused[re.sub(r"\d+", "N", error.message)] += 1
        if show:
            print(error)
        return
    if show:
        print(compiled.text[: compiled.text.index("CONFLICTING_RULES")])
    tally.skipping += compiled.module.SKIPS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = outcome_of(session.run_interpreted)
        try:
            ours = outcome_of(session.run)
            if seed % 4 == 0:
                tally.walked += 1
                # As plain Python, the machine can be told to skip no bar.
                skips = compiled.module.SKIPS
                compiled.module.SKIPS = skips and not jit_disabled()
                walked = outcome_of(Session(session.source, walking(setup)).run)
                compiled.module.SKIPS = skips
                if found := first_difference(walked, ours):
                    tally.differences[seed] = f"walking every minute: {found.replace('reference', 'skipping')}"
                    return
            if together and (found := side_by_side_difference(session, sharing_sets(seed, together), tally.plain)):
                tally.differences[seed] = f"side by side: {found}"
                return
            for hyperparameters in (session.source.defaults, *plain_sets(seed, plain)):
                if found := sweep_difference(session, hyperparameters, tally.plain):
                    tally.differences[seed] = f"in a sweep with {hyperparameters}: {found}"
                    return
        except Exception:
            tally.differences[seed] = f"the compiled run crashed:\n{traceback.format_exc(limit=-3)}"
            return
    ours_message, their_message = ours.pop("message", ""), theirs.pop("message", "")
    if "depends on Python or numpy number types" in ours_message:
        tally.undecided += 1
        return
    metrics = (ours.pop("metrics", {}), theirs.pop("metrics", {}))
    found = (
        first_difference(ours, theirs)
        if ours.keys() == theirs.keys()
        else f"{ours_message or 'completed'}; {their_message or 'completed'}"
    )
    found = found or compare_metrics(*metrics)
    if found:
        tally.differences[seed] = f"{case.account.mode.name} {case.timeframe}: {found}\n{ours_message}\n{their_message}"
        return
    if "exception" in theirs:
        tally.exceptions[theirs["exception"] or their_message.split(", at bar")[0][-60:]] += 1
        return
    tally.trades += len(theirs["trades"])
    tally.orders += theirs["order_count"]
    tally.liquidations += theirs["liquidations"]
    tally.idle += len(theirs["trades"]) < 3
    tally.fills.update(order["type"] for trade in theirs["trades"] for order in trade["orders"])


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, print what was compared, and return 1 if anything differed."""
    parser = argparse.ArgumentParser(description="Compare compiled strategies with the reference engine.")
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--step", type=int, default=1, help="distance of one seed to the next")
    parser.add_argument("--count", type=int, help="stop after so many seeds")
    parser.add_argument("--seconds", type=float, help="stop after so much time")
    parser.add_argument("--mode", choices=["cross", "isolated", "spot"], help="instead of one drawn by the seed")
    parser.add_argument("--plain", type=int, default=0, metavar="N", help="plain trades, and N more parameter sets")
    parser.add_argument("--together", type=int, default=0, metavar="N", help="plain trades, N sets side by side, too")
    parser.add_argument("--compiled", action="store_true", help="machine code: some 10 s a strategy")
    parser.add_argument("--show", action="store_true", help="print strategy and generated code")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if options.count is None and options.seconds is None:
        parser.error("say when to stop: --count or --seconds")
    if not options.compiled:
        run_as_python()
        if options.together:
            from fastbt.engine import layout

            # So that sets wait for a place, and lists for memory.
            layout.LANES, layout.SHARED_SEGMENTS = 16, 1024  # type: ignore[misc]
    tally, began = Tally(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in itertools.count(options.seed, options.step):
            if options.count is not None and tally.seeds >= options.count:
                break
            if options.seconds is not None and time.perf_counter() - began > options.seconds:
                break
            try:
                run_seed(
                    seed,
                    tally,
                    Path(folder),
                    show=options.show,
                    mode=options.mode,
                    plain=options.plain,
                    together=options.together,
                )
            except Exception:
                tally.differences[seed] = traceback.format_exc(limit=-4)
            if seed in tally.differences and not options.json:
                print(f"seed {seed}: {tally.differences[seed]}", flush=True)
    report = {**vars(tally), "seconds": round(time.perf_counter() - began, 1)}
    if options.json:
        print(json.dumps(report))
    else:
        report["differences"] = list(tally.differences)
        print(json.dumps(report, indent=1))
    return 1 if tally.differences else 0


if __name__ == "__main__":
    sys.exit(main())
