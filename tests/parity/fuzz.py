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
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from parity import cases, chaos
from parity.cases import Api, Case
from parity.jesse_harness import Jesse

from fastbt.engine.account import Account
from fastbt.errors import CompileError, SimulationError
from fastbt.oracle.compare import compare
from fastbt.results import Simulation

MODES = (*cases.MODES, *chaos.MODES)

Log = list[tuple[Any, ...]]
Outcome = Simulation | SimulationError


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


# ---- strategies --------------------------------------------------------------------------------------------------


@cache
def folder() -> Path:
    """Return where the texts of strategies are written to."""
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


def file_of(text: str) -> Path:
    """Return the file that holds a strategy's text."""
    path = folder() / f"chaos_{hashlib.sha256(text.encode()).hexdigest()[:12]}.py"
    if not path.exists():
        path.write_text(text)
    return path


@cache
def loaded(path: Path) -> Any:
    """Return a strategy as fastbt loads it."""
    from fastbt.compiler.load import load_strategy

    return load_strategy(path)


@cache
def executed(path: Path) -> type:
    """Return a strategy as it is in Jesse."""
    namespace: dict[str, Any] = {"__name__": path.stem}
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    found: type = namespace["Chaos"]
    return found


def logged(base: type, log: Log) -> type:
    """Return the strategy writing each hook call to `log`, with the number that all it saw is stirred into."""

    def hook(name: str) -> Callable[..., Any]:
        own = getattr(base, name)

        def wrapped(self: Any, *arguments: Any) -> Any:
            log.append((name, self.symbol, self.state))
            answer = own(self, *arguments)
            if name == "terminate":
                log.append(("end", self.symbol, self.state))
            return answer

        return wrapped

    return type("Chaos", (base,), {name: hook(name) for name in chaos.HOOKS if name in vars(base)})


# ---- engines -----------------------------------------------------------------------------------------------------


def ours() -> Api:
    """Return what fastbt has in the place of Jesse."""
    from fastbt import indicators
    from fastbt.engine import sizing
    from fastbt.engine.strategy import Strategy, cached

    return Api(Strategy, cached, sizing, indicators)


def run_reference(case: Case) -> tuple[Outcome, Log]:
    """Run a case on the reference engine."""
    from fastbt.engine.reference import simulate_reference
    from fastbt.engine.routes import Route

    log: Log = []
    if case.text is None:
        strategy = cases.make_strategy(ours(), case, log)
    else:
        strategy = logged(loaded(file_of(case.text)).cls, log)
    try:
        outcome: Outcome = simulate_reference(
            [Route(symbol, timeframe, strategy, case.hyperparameters) for symbol, timeframe in case.routes],
            case.candles,
            account=Account.from_jesse_config(case.config),
            warmup=case.warmup,
            data_routes=case.data_routes,
        )
    except SimulationError as error:
        outcome = error
    return outcome, log


def run_kernel(case: Case) -> tuple[Outcome, Log]:
    """Run a case compiled; with `--kernel python` hook calls are logged as the strategy's are elsewhere."""
    import numpy as np

    from fastbt._jit import jit_disabled
    from fastbt.backtest import Session, Setup

    assert case.text is not None
    if len(case.routes) > 1:
        raise CompileError("several routes")
    (symbol, timeframe) = case.routes[0]
    setup = Setup.from_arrays(
        Account.from_jesse_config(case.config),
        symbol,
        timeframe,
        case.candles[symbol],
        case.warmup.get(symbol, np.empty((0, 6))),
        {each for of, each in case.data_routes if of == symbol} - {timeframe},
    )
    session = Session(loaded(file_of(case.text)), setup)
    hyperparameters = dict(case.hyperparameters or {})
    compiled, _ = session.runner_for(hyperparameters)
    log: Log = []
    restore: dict[str, Any] = {}
    if jit_disabled():
        field_of_state = compiled.program.state_field("self", "state").field
        restore = log_kernel(compiled.module, field_of_state, symbol, set(session.source.methods), log)
    try:
        outcome: Outcome = session.run(hyperparameters)[0]
    except SimulationError as error:
        outcome = error
    finally:
        for name, function in restore.items():
            setattr(compiled.module, name, function)
    return outcome, log


def log_kernel(module: Any, state: str, symbol: str, defined: set[str], log: Log) -> dict[str, Any]:
    """Let the hooks that a strategy defines log their calls in its generated module; return what they replace."""

    def wrap(name: str, own: Any) -> Any:
        def wrapped(s: Any, v: Any, *arguments: Any) -> Any:
            log.append((name, symbol, int(getattr(v, state))))
            answer = own(s, v, *arguments)
            if name == "terminate":
                log.append(("end", symbol, int(getattr(v, state))))
            return answer

        return wrapped

    replaced = {}
    for name in defined.intersection(chaos.HOOKS):
        # Hooks keep their names there; filters are methods like any other.
        inside = f"m_{name}" if name in chaos.FILTERS else name
        if hasattr(module, inside):
            replaced[inside] = getattr(module, inside)
            setattr(module, inside, wrap(name, replaced[inside]))
    return replaced


# ---- comparison --------------------------------------------------------------------------------------------------


def compare_case(jesse: Jesse, case: Case, *, kernel: bool = True) -> Tally:
    """Run a case in all engines, and say how they differ."""
    their_log: Log = []
    make = cases.make_strategy(jesse.api, case, their_log) if case.text is None else None
    theirs = jesse.run(case, make or logged(executed(file_of(case.text or "")), their_log))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcome, our_log = run_reference(case)
    tally = Tally(cases=1, calls=len(our_log))
    if theirs["status"] == "failed":
        tally.exceptions[theirs["exception"]] += 1
    if isinstance(outcome, SimulationError) and outcome.exception is None:
        # Jesse goes on where fastbt refuses: up to there, both must agree.
        tally.not_simulated[reason(outcome)] += 1
        difference = first_difference(our_log, their_log[: len(our_log)])
    else:
        found = compare((outcome, {}), theirs)
        difference = first_difference(our_log, their_log) or (str(found) if found else None)
    if isinstance(outcome, Simulation):
        tally.trades, tally.orders = len(outcome.trades), outcome.order_count
        tally.liquidations, tally.samples = outcome.liquidations, len(outcome.daily_balance)
    elif outcome.exception is not None and not difference and outcome.time != theirs["time"]:
        difference = f"aborted at {outcome.time}, Jesse at {theirs['time']}"
    if kernel and case.text is not None and not difference:
        difference = compare_kernel(case, outcome, our_log, tally)
    if difference:
        tally.differences.append(f"{case}\n{difference}")
    return tally


def compare_kernel(case: Case, outcome: Outcome, our_log: Log, tally: Tally) -> str | None:
    """Run a case compiled, and say how it differs from the reference engine."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled, log = run_kernel(case)
    except CompileError as error:
        tally.not_compiled[error.message] += 1
        return None
    except Exception:
        return f"the kernel crashed:\n{traceback.format_exc(limit=-4)}"
    if isinstance(compiled, SimulationError) or isinstance(outcome, SimulationError):
        left, right = ending(compiled), ending(outcome)
    else:
        left, right = without_log(compiled), without_log(outcome)
        tally.kernel_trades += len(compiled.trades)
    if repr(left) != repr(right):
        return f"compiled\n  {first_part(left, right)}"
    if log:
        tally.kernel_calls += len(log)
        found = first_difference(log, our_log)
        return found and f"compiled\n{found.replace('Jesse ', 'reference')}"
    return None


def reason(error: SimulationError) -> str:
    """Return why fastbt does not simulate a run."""
    return str(error).split(": ", 1)[-1].split(", at bar")[0]


def ending(outcome: Outcome) -> Any:
    """Return how a run ended: the exception, or that it was not simulated, where and when."""
    if isinstance(outcome, Simulation):
        return "completed"
    return (outcome.exception or reason(outcome), outcome.bar, outcome.time)


def without_log(simulation: Simulation) -> dict[str, Any]:
    """Return a run without the lines that its strategy wrote."""
    names = (each.name for each in dataclasses.fields(simulation))
    return {name: getattr(simulation, name) for name in names if name != "log"}


def first_part(left: Any, right: Any) -> str:
    """Return the first of two runs' facts that differs."""
    if not (isinstance(left, dict) and isinstance(right, dict)):
        return f"compiled {left}, reference {right}"
    for key, value in right.items():
        if isinstance(value, list):
            for i, (mine, other) in enumerate(itertools.zip_longest(left[key], value)):
                if repr(mine) != repr(other):
                    return f"{key}[{i}]: compiled {mine}\n  reference {other}"
        elif repr(left[key]) != repr(value):
            return f"{key}: compiled {left[key]!r}, reference {value!r}"
    return "?"


def first_difference(ours: Log, theirs: Log) -> str | None:
    """Return the first hook call in which two runs differ, or None."""
    for i, (mine, other) in enumerate(itertools.zip_longest(ours, theirs)):
        # repr tells the last bit, and NaN is NaN.
        if repr(mine) != repr(other):
            before = "\n".join(f"    {line}" for line in ours[max(0, i - 2) : i])
            return f"  hook call {i}\n{before}\n  fastbt {mine}\n  Jesse  {other}"
    return None


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
