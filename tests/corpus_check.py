"""Run every strategy of the corpus compiled and interpreted on the same candles, and report what differs.

With NUMBA_DISABLE_JIT=1 the generated code runs as plain Python, without the seconds of compiling: that is how the test
suite runs it. `python tests/corpus_check.py [FILE ...]` prints one line a strategy and exits with 1 if any differs.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import sys
import traceback
from pathlib import Path

from fastbt.backtest import Session, Setup
from fastbt.compiler.load import load_strategy
from fastbt.compiler.program import used_frames
from fastbt.data import CandleSet
from fastbt.engine.account import Account
from fastbt.errors import CompileError, SimulationError
from fastbt.results import Simulation

CORPUS = Path(__file__).parent / "corpus"
FIELDS = [name for name in Simulation.__slots__ if name != "log"]


def strategies(files: list[Path] | None = None) -> list[str]:
    """Return FILE:CLASS of every strategy with a signal of its own."""
    found = []
    for file in files or sorted(CORPUS.glob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and node.bases and ast.unparse(node.bases[0]) not in ("Strategy", "Enum"):
                found.append(f"{file}:{node.name}")
    return found


def session(strategy: str, warm_up_candles: int) -> Session:
    """Return a strategy on a month of real candles at 1h."""
    account = Account(leverage=2, warm_up_candles=warm_up_candles)
    # A day of warm-up in front of 240 bars of 1h is no whole number of days: those of days start later.
    others = used_frames(load_strategy(strategy), account, "BTC-USD", "1h")
    start = "2019-09-01" if "1D" in others else "2019-02-12" if others else "2019-01-11"
    finish = "2019-10-01" if "1D" in others else "2019-03-12" if others else "2019-02-12"
    setup = Setup.from_candles(account, CandleSet.load("BTC-USD"), "1h", start, finish, others)
    return Session(strategy, setup)


def outcome(run, hyperparameters):
    """Return a run, or the name of the exception that ended it, with its bar."""
    try:
        return run(hyperparameters)[0]
    except SimulationError as error:
        return error.exception, error.bar


def check(strategy: str, warm_up_candles: int = 240) -> tuple[int, list[str]]:
    """Return the number of trades and the fields that differ between the compiled and the interpreted run."""
    one = session(strategy, warm_up_candles)
    hyperparameters = one.source.defaults
    with contextlib.redirect_stdout(io.StringIO()):
        compiled = outcome(one.run, hyperparameters)
        interpreted = outcome(one.run_interpreted, hyperparameters)
    if isinstance(compiled, tuple) or isinstance(interpreted, tuple):
        return 0, [] if compiled == interpreted else [f"{compiled} != {interpreted}"]
    differing = [name for name in FIELDS if getattr(compiled, name) != getattr(interpreted, name)]
    return len(compiled.trades), differing


def main(arguments: list[str]) -> int:
    """Check the whole corpus, or files and strategies that are named; a number is that of the warm-up candles."""
    numbers = [int(each) for each in arguments if each.isdigit()]
    names = [each for each in arguments if ":" in each]
    files = [Path(each) for each in arguments if not each.isdigit() and each not in names]
    report = {}
    for warm_up_candles in numbers or (240, 20):
        for strategy in [*names, *(strategies(files or None) if files or not names else [])]:
            key = f"{Path(strategy.split(':')[0]).stem}.{strategy.split(':')[1]} warm-up {warm_up_candles}"
            try:
                n_trades, differing = check(strategy, warm_up_candles)
            except CompileError as error:
                n_trades, differing = 0, [str(error)]
            except Exception as error:
                n_trades, differing = 0, [f"{type(error).__name__}: {error} {traceback.format_exc(limit=-3)}"]
            report[key] = {"trades": n_trades, "differing": differing}
            print(f"{'BAD' if differing else 'ok '} {key}: {n_trades} trades {'; '.join(differing)}", file=sys.stderr)
    print(json.dumps(report))
    return int(any(each["differing"] for each in report.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
