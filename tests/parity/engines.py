"""One case in each engine, with a log of every hook call: Jesse's side is `jesse_harness.py`."""

from __future__ import annotations

import dataclasses
import itertools
import math
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from parity.cases import Case

from fastbt.engine.account import Account
from fastbt.errors import CompileError, SimulationError, StrategyError
from fastbt.results import Simulation

Log = list[tuple[Any, ...]]
Outcome = Simulation | SimulationError

#: Hooks whose calls are logged, where a strategy defines them.
HOOKS = (
    "should_long",
    "should_short",
    "go_long",
    "go_short",
    "filters",
    "should_cancel_entry",
    "before",
    "after",
    "update_position",
    "on_open_position",
    "on_increased_position",
    "on_reduced_position",
    "on_close_position",
    "on_cancel",
    "on_route_open_position",
    "on_route_close_position",
    "on_route_increased_position",
    "on_route_reduced_position",
    "on_route_canceled",
    "before_terminate",
    "terminate",
)
#: Logged if they say yes: a kernel may know without asking that they say no.
QUESTIONS = ("should_long", "should_short")
#: Hooks that run in each bar.
OF_BARS = (*QUESTIONS, "should_cancel_entry", "before", "after", "update_position")


# ---- strategies --------------------------------------------------------------------------------------------------


@cache
def loaded(strategy: str) -> Any:
    """Return a strategy, given as `file:Class`, as fastbt loads it."""
    from fastbt.compiler.load import load_strategy

    return load_strategy(strategy)


@cache
def in_jesse(strategy: str) -> type:
    """Return a strategy, given as `file:Class`, as it is in Jesse."""
    path, _, name = strategy.rpartition(":")
    namespace: dict[str, Any] = {"__name__": Path(path).stem, "__file__": path}
    folder = Path(path).resolve().parent
    neighbours = {each.stem for each in folder.glob("*.py")}
    # fastbt imports the same modules with its stand-ins for Jesse: neither may find the other's.
    for each in neighbours:
        sys.modules.pop(each, None)
    sys.path.insert(0, str(folder))
    try:
        exec(compile(Path(path).read_text(), path, "exec"), namespace)
    finally:
        sys.path.remove(str(folder))
        for each in neighbours:
            sys.modules.pop(each, None)
    found: type = namespace[name]
    return found


def logged(base: type, log: Log) -> type:
    """Return the strategy writing each hook call to `log`, with what there is to see."""
    mine = [
        cls for cls in base.__mro__ if not cls.__module__.startswith(("jesse.", "fastbt.engine", "abc", "builtins"))
    ]

    def hook(name: str) -> Callable[..., Any]:
        own = getattr(base, name)

        def wrapped(self: Any, *arguments: Any) -> Any:
            if name in QUESTIONS:
                answer = own(self, *arguments)
                if answer:
                    log.append((name, self.symbol, *seen(self)))
                return answer
            log.append((name, self.symbol, *seen(self)))
            answer = own(self, *arguments)
            if name == "terminate":
                log.append(("end", self.symbol, *seen(self)))
            return answer

        return wrapped

    hooks: dict[str, Any] = {name: hook(name) for name in HOOKS if any(name in vars(cls) for cls in mine)}
    # A strategy that is given as a class has that class for a name in Jesse.
    hooks["name"] = property(lambda _: base.__name__, lambda *_: None)
    return type(base.__name__, (base,), hooks)


def seen(strategy: Any) -> tuple[Any, ...]:
    """Return what a hook can see: all of it in one number, if the strategy keeps that."""
    if "state" in vars(strategy):
        return (strategy.state,)
    position = strategy.position
    entry = position.entry_price
    return (
        float(strategy.time),
        strategy.index,
        float(strategy.price),
        float(position.qty),
        math.nan if entry is None else float(entry),
        float(position.pnl),
        float(strategy.balance),
        float(strategy.available_margin),
        strategy.trades_count,
        strategy.increased_count,
        strategy.reduced_count,
    )


def seen_by_kernel(module: Any, state: str | None, s: Any, v: Any) -> tuple[Any, ...]:
    """Return the same of a kernel that runs as Python."""
    if state is not None:
        return (int(getattr(v, state)),)
    from fastbt.engine.kernels import _position_pnl

    return (
        float(s.time),
        int(s.index),
        float(s.current_price),
        float(s.qty),
        float(s.entry_price) if s.qty != 0 else math.nan,
        float(_position_pnl(s)),
        float(s.wallet),
        float(module._available_margin(s)),
        int(s.trades_count),
        int(s.increased_count),
        int(s.reduced_count),
    )


# ---- engines -----------------------------------------------------------------------------------------------------


def run_reference(case: Case, strategies: list[type]) -> Outcome:
    """Run a case on the reference engine, with a strategy for each route."""
    from fastbt.compiler.standins import jesse_standins
    from fastbt.engine.reference import simulate_reference
    from fastbt.engine.routes import Route

    try:
        with warnings.catch_warnings(), jesse_standins():
            warnings.simplefilter("ignore")
            return simulate_reference(
                [
                    Route(symbol, timeframe, strategy, case.hyperparameters)
                    for (symbol, timeframe), strategy in zip(case.routes, strategies, strict=True)
                ],
                case.candles,
                account=Account.from_jesse_config(case.config),
                warmup=case.warmup,
                data_routes=case.data_routes,
            )
    except SimulationError as error:
        return error


def run_kernel(case: Case, strategies: list[str]) -> tuple[Outcome, Log]:
    """Run a case compiled; where generated code runs as Python, its hook calls are logged."""
    from fastbt._jit import jit_disabled
    from fastbt.backtest import Session
    from fastbt.routes import RoutesSession, setups_of

    account = Account.from_jesse_config(case.config)
    nothing = np.empty((0, 6))
    arrays = {symbol: (minutes, case.warmup.get(symbol, nothing)) for symbol, minutes in case.candles.items()}
    setups = setups_of(account, case.routes, case.data_routes, arrays)
    sources = [loaded(each) for each in strategies]
    if len(case.routes) > 1:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return RoutesSession(sources, setups, list(arrays)).run(case.hyperparameters)[0], []
        except SimulationError as error:
            return error, []
    session, symbol = Session(sources[0], setups[0]), case.routes[0][0]
    hyperparameters = session.source.defaults if case.hyperparameters is None else dict(case.hyperparameters)
    log: Log = []
    restore: dict[str, Any] = {}
    compiled = None
    try:
        if jit_disabled():
            # Without candles that it asks for, a strategy runs interpreted.
            with suppress(SimulationError):
                compiled, _ = session.runner_for(hyperparameters)
                restore = _log_kernel(compiled, symbol, log)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outcome: Outcome = session.run(hyperparameters)[0]
    except SimulationError as error:
        outcome = error
    finally:
        for name, function in restore.items():
            setattr(compiled.module, name, function)  # type: ignore[union-attr]
    return outcome, log


def _log_kernel(compiled: Any, symbol: str, log: Log) -> dict[str, Any]:
    """Let the hooks that a strategy defines log their calls in its generated module; return what they replace."""
    module, source = compiled.module, compiled.source
    program = compiled.program
    state = program.variable("self", "state").cell.path if "state" in program.assigned_attributes else None

    def wrap(name: str, own: Any) -> Any:
        def wrapped(s: Any, v: Any, *arguments: Any) -> Any:
            if name in QUESTIONS:
                answer = own(s, v, *arguments)
                if answer:
                    log.append((name, symbol, *seen_by_kernel(module, state, s, v)))
                return answer
            log.append((name, symbol, *seen_by_kernel(module, state, s, v)))
            answer = own(s, v, *arguments)
            if name == "terminate" and s.status == 0:
                log.append(("end", symbol, *seen_by_kernel(module, state, s, v)))
            return answer

        return wrapped

    replaced = {}
    for name in set(source.methods).intersection(HOOKS):
        if hasattr(module, name):
            replaced[name] = getattr(module, name)
            setattr(module, name, wrap(name, replaced[name]))
    return replaced


# ---- comparison --------------------------------------------------------------------------------------------------


class NotCompiled(Exception):
    """A strategy that does not compile, and why."""


def compare_kernel(
    case: Case, strategies: list[str], outcome: Outcome, our_log: Log
) -> tuple[str | None, Outcome, int]:
    """Run a case compiled; return how it differs from the reference engine, its outcome, and how many calls it logged.

    Raises
    ------
    NotCompiled
        If it does not compile.
    """
    try:
        compiled, log = run_kernel(case, strategies)
    except (CompileError, StrategyError) as error:
        raise NotCompiled(getattr(error, "message", str(error))) from error
    except Exception:
        return f"the kernel crashed:\n{traceback.format_exc(limit=-4)}", outcome, 0
    if isinstance(compiled, SimulationError) or isinstance(outcome, SimulationError):
        left, right = ending(compiled), ending(outcome)
    else:
        left, right = without_log(compiled), without_log(outcome)
    if repr(left) != repr(right):
        return f"compiled\n  {first_part(left, right)}", compiled, 0
    if loaded(strategies[0]).name != "Chaos":
        # Where a strategy does nothing in a bar, the kernel need not ask it.
        log, our_log = ([line for line in each if line[0] not in OF_BARS] for each in (log, our_log))
    found = first_difference(log, our_log) if log else None
    return found and f"compiled\n{found.replace('Jesse ', 'reference')}", compiled, len(log)


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
