"""Random strategies under Jesse and under fastbt: every hook call, order, trade and equity sample, bit for bit.

Run from `tests/`::

    python -m parity.fuzz --trades 30000                # all modes in turn, until so many trades were compared
    python -m parity.fuzz --modes spot gaps --seconds 60
    python -m parity.fuzz --modes cross --first 17 --cases 1 --verbose
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from parity.cases import MODES, Api, Case, make_case, make_strategy
from parity.jesse_harness import Jesse

from fastbt import indicators
from fastbt.engine import sizing
from fastbt.engine.account import Account
from fastbt.engine.reference import simulate_reference
from fastbt.engine.routes import Route
from fastbt.engine.strategy import Strategy, cached
from fastbt.errors import SimulationError
from fastbt.oracle.compare import compare
from fastbt.results import Simulation

Log = list[tuple[Any, ...]]

OURS = Api(Strategy, cached, sizing, indicators)


@dataclass
class Tally:
    """What was compared."""

    cases: int = 0
    trades: int = 0
    calls: int = 0
    liquidations: int = 0
    exceptions: Counter[str] = field(default_factory=Counter)
    not_simulated: int = 0
    differences: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.cases + other.cases,
            self.trades + other.trades,
            self.calls + other.calls,
            self.liquidations + other.liquidations,
            self.exceptions + other.exceptions,
            self.not_simulated + other.not_simulated,
            self.differences + other.differences,
        )

    def __str__(self) -> str:
        exceptions = ", ".join(f"{name} {count}" for name, count in self.exceptions.most_common()) or "none"
        return (
            f"{self.cases} cases, {self.trades} trades, {self.calls} hook calls, {self.liquidations} liquidations, "
            f"exceptions: {exceptions}; {self.not_simulated} not simulated, {len(self.differences)} differences"
        )


def run_reference(case: Case) -> tuple[Simulation | SimulationError, Log]:
    """Run a case on the reference engine."""
    log: Log = []
    strategy = make_strategy(OURS, case, log)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outcome: Simulation | SimulationError = simulate_reference(
                [Route(symbol, timeframe, strategy) for symbol, timeframe in case.routes],
                case.candles,
                account=Account.from_jesse_config(case.config),
                warmup=case.warmup,
                data_routes=case.data_routes,
            )
    except SimulationError as error:
        outcome = error
    return outcome, log


def compare_case(jesse: Jesse, case: Case) -> Tally:
    """Run a case under both, and say how they differ."""
    their_log: Log = []
    theirs = jesse.run(case, make_strategy(jesse.api, case, their_log))
    outcome, our_log = run_reference(case)
    tally = Tally(cases=1, calls=len(our_log))
    stopped = isinstance(outcome, SimulationError)
    if theirs["status"] == "failed":
        tally.exceptions[theirs["exception"]] += 1
    if isinstance(outcome, SimulationError) and outcome.exception is None:
        # Jesse goes on where fastbt refuses: up to there, both must agree.
        tally.not_simulated = 1
        difference = _first_difference(our_log, their_log[: len(our_log)])
    else:
        found = compare((outcome, {}), theirs)
        difference = _first_difference(our_log, their_log) or (str(found) if found else None)
        if not stopped:
            assert isinstance(outcome, Simulation)
            tally.trades, tally.liquidations = len(outcome.trades), outcome.liquidations
    if difference:
        tally.differences.append(f"{case}\n{difference}")
    return tally


def _first_difference(ours: Log, theirs: Log) -> str | None:
    for i, (mine, other) in enumerate(itertools.zip_longest(ours, theirs)):
        # repr tells the last bit, and NaN is NaN.
        if repr(mine) != repr(other):
            before = "\n".join(f"    {line}" for line in ours[max(0, i - 2) : i])
            return f"  hook call {i}\n{before}\n  fastbt {mine}\n  Jesse  {other}"
    return None


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, print what was compared, and return 1 if anything differed."""
    parser = argparse.ArgumentParser(description="Compare fastbt's reference engine with Jesse on random strategies.")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--cases", type=int, help="stop after so many seeds of each mode")
    parser.add_argument("--seconds", type=float, help="stop after so much time")
    parser.add_argument("--trades", type=int, help="stop after so many trades")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--verbose", action="store_true", help="print every case")
    options = parser.parse_args(arguments)
    if options.cases is None and options.seconds is None and options.trades is None:
        parser.error("say when to stop: --cases, --seconds or --trades")
    jesse = Jesse()
    began = time.perf_counter()
    tallies = {mode: Tally() for mode in options.modes}
    for seed in itertools.count(options.first):
        if options.cases is not None and seed >= options.first + options.cases:
            break
        if options.trades is not None and sum(tally.trades for tally in tallies.values()) >= options.trades:
            break
        if options.seconds is not None and time.perf_counter() - began > options.seconds:
            break
        for mode in options.modes:
            tally = compare_case(jesse, make_case(mode, seed))
            tallies[mode] += tally
            if options.verbose:
                print(f"{mode} {seed}: {tally}", flush=True)
            if tally.differences and not options.json:
                print(tally.differences[0], flush=True)
    total = sum(tallies.values(), Tally())
    if options.json:
        print(json.dumps({mode: vars(tally) for mode, tally in tallies.items()}))
    else:
        for mode, tally in tallies.items():
            print(f"{mode:11} {tally}")
        print(f"{'all':11} {total} in {time.perf_counter() - began:.0f} s")
    return 1 if total.differences else 0


if __name__ == "__main__":
    sys.exit(main())
