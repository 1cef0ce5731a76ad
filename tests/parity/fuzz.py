"""Random strategies under Jesse and under fastbt: every hook call, order, trade and equity sample, bit for bit.

Strategies of `cases.py` run in Jesse and in the reference engine; those of the modes that begin with "chaos" (see
`chaos.py`) are compiled, too. Run from `tests/`::

    python -m parity.fuzz --seed 1000 --minutes 30           # all modes in turn
    python -m parity.fuzz --trades 200000                    # until so many trades were compared
    python -m parity.fuzz --modes chaos_spot --kernel python --cases 3
    python -m parity.fuzz --modes cross --seed 17 --cases 1 --verbose
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import itertools
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from parity import cases, chaos, engines
from parity.cases import Api, Case
from parity.jesse_harness import Jesse

from fastbt.errors import SimulationError
from fastbt.oracle.compare import compare
from fastbt.results import Simulation

MODES = (*cases.MODES, *chaos.MODES)


@dataclass
class Tally:
    """What was compared."""

    cases: int = 0
    trades: int = 0
    orders: int = 0
    calls: int = 0
    samples: int = 0
    liquidations: int = 0
    #: Trades and hook calls that the kernel was compared in, too; in machine code hooks cannot be logged.
    kernel_trades: int = 0
    kernel_calls: int = 0
    exceptions: Counter[str] = field(default_factory=Counter)
    not_simulated: Counter[str] = field(default_factory=Counter)
    not_compiled: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in dataclasses.fields(self)))

    def __str__(self) -> str:
        told = ", ".join(
            f"{name.replace('_', ' ')} {value if isinstance(value, int) else len(value)}"
            for name, value in vars(self).items()
            if isinstance(value, (int, list))
        )
        for name in ("exceptions", "not_simulated", "not_compiled"):
            counts = getattr(self, name).most_common()
            told += f"; {name.replace('_', ' ')}: {', '.join(f'{key} {n}' for key, n in counts)}" if counts else ""
        return told


@cache
def folder() -> Path:
    """Return where the texts of strategies are written to."""
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


def file_of(text: str) -> str:
    """Return the file that holds a strategy's text, and its class."""
    path = folder() / f"chaos_{hashlib.sha256(text.encode()).hexdigest()[:12]}.py"
    if not path.exists():
        path.write_text(text)
    return f"{path}:Chaos"


def ours() -> Api:
    """Return what fastbt has in the place of Jesse."""
    from fastbt import indicators
    from fastbt.engine import sizing
    from fastbt.engine.strategy import Strategy, cached

    return Api(Strategy, cached, sizing, indicators)


def compare_case(jesse: Jesse, case: Case, *, kernel: bool = True) -> Tally:
    """Run a case in all engines, and say how they differ."""
    their_log: engines.Log = []
    our_log: engines.Log = []
    files = [file_of(case.text)] * len(case.routes) if case.text else []
    if files:
        their_class = engines.logged(engines.in_jesse(files[0]), their_log)
        our_class = engines.logged(engines.loaded(files[0]).cls, our_log)
    else:
        their_class = cases.make_strategy(jesse.api, case, their_log)
        our_class = cases.make_strategy(ours(), case, our_log)
    theirs = jesse.run(case, [their_class] * len(case.routes))
    outcome = engines.run_reference(case, [our_class] * len(case.routes))
    tally = Tally(cases=1, calls=len(our_log))
    if theirs["status"] == "failed":
        tally.exceptions[theirs["exception"]] += 1
    if isinstance(outcome, SimulationError) and outcome.exception is None:
        # Jesse goes on where fastbt refuses: up to there, both must agree.
        tally.not_simulated[engines.reason(outcome)] += 1
        difference = engines.first_difference(our_log, their_log[: len(our_log)])
    else:
        found = compare((outcome, {}), theirs)
        difference = engines.first_difference(our_log, their_log) or (str(found) if found else None)
    if isinstance(outcome, Simulation):
        tally.trades, tally.orders = len(outcome.trades), outcome.order_count
        tally.liquidations, tally.samples = outcome.liquidations, len(outcome.daily_balance)
    elif outcome.exception is not None and not difference and outcome.time != theirs["time"]:
        difference = f"aborted at {outcome.time}, Jesse at {theirs['time']}"
    if kernel and files and not difference:
        try:
            difference, compiled, tally.kernel_calls = engines.compare_kernel(case, files, outcome, our_log)
            tally.kernel_trades = len(compiled.trades) if isinstance(compiled, Simulation) else 0
        except engines.NotCompiled as error:
            tally.not_compiled[str(error)] += 1
    if difference:
        tally.differences.append(f"{case}\n{difference}")
    return tally


def make_case(mode: str, seed: int) -> Case:
    """Return the case of any mode and a seed."""
    return chaos.make_case(mode, seed) if mode in chaos.MODES else cases.make_case(mode, seed)


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, print what was compared, and return 1 if anything differed."""
    parser = argparse.ArgumentParser(description="Compare fastbt's engines with Jesse on random strategies.")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--cases", type=int, help="stop after so many seeds of each mode")
    parser.add_argument("--minutes", type=float, help="stop after so much time")
    parser.add_argument("--trades", type=int, help="stop after so many trades")
    parser.add_argument(
        "--kernel",
        choices=["machine", "python", "none"],
        default="machine",
        help="compile the strategies that compile (half a minute a mode), run their code as Python, or leave it",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--verbose", action="store_true", help="print every case")
    options = parser.parse_args(arguments)
    if options.cases is None and options.minutes is None and options.trades is None:
        parser.error("say when to stop: --cases, --minutes or --trades")
    if options.kernel == "python":
        from fuzz_compiled import run_as_python

        run_as_python()
    jesse = Jesse()
    began = time.perf_counter()
    tallies = {mode: Tally() for mode in options.modes}
    for seed in itertools.count(options.seed):
        if options.cases is not None and seed >= options.seed + options.cases:
            break
        if options.trades is not None and sum(tally.trades for tally in tallies.values()) >= options.trades:
            break
        if options.minutes is not None and time.perf_counter() - began > options.minutes * 60:
            break
        for mode in options.modes:
            tally = compare_case(jesse, make_case(mode, seed), kernel=options.kernel != "none")
            tallies[mode] += tally
            if options.verbose:
                print(f"{mode} {seed}, after {time.perf_counter() - began:.0f} s: {tally}", flush=True)
            if tally.differences and not options.json:
                print(tally.differences[0], flush=True)
    total = sum(tallies.values(), Tally())
    if options.json:
        print(json.dumps({mode: vars(tally) for mode, tally in tallies.items()}))
    else:
        for mode, tally in tallies.items():
            print(f"{mode:17} {tally}")
        print(f"{'all':17} {total} in {time.perf_counter() - began:.0f} s")
    return 1 if total.differences else 0


if __name__ == "__main__":
    sys.exit(main())
