"""What `fastbt bench` does in processes of their own: for their memory, and the time that they take to start.

``python -m fastbt.interfaces._bench_child TASK ARGUMENTS`` with the arguments as JSON; the answer is one line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastbt.errors import OracleError
from fastbt.types import JsonDict

if TYPE_CHECKING:
    from fastbt.sweep.progress import SweepProgress

#: Rows of a sweep after which memory is looked at.
MARKS: Final = (1_000, 10_000, 100_000, 1_000_000)


def common(n_bars: int, n_stops: int, n_pairs: int, threads: int) -> JsonDict:
    """Sweep the common workload."""
    from fastbt.interfaces import _bench_workload as workload
    from fastbt.sweep.sweep import make_account_of, make_session, sweep

    account = make_account_of(workload.account())
    session = make_session(workload.strategy_folder(), workload.random_walk(n_bars), "1m", None, None, account)
    sets = workload.parameter_sets(workload.windows()[:n_pairs], workload.stop_pairs(n_stops))
    result = sweep(session, params=sets, threads=threads, daily=False)
    return {"rows": len(result), "ok": result.n_ok, "seconds": result.seconds}


def year(n_sets: int, threads: int, timeframe: str = "1h") -> JsonDict:
    """Sweep a year of real candles into a run on disk, and look at the memory on the way."""
    from fastbt.data import CandleSet
    from fastbt.interfaces._examples import find_strategy
    from fastbt.sweep.memory import resident_memory
    from fastbt.sweep.sweep import make_account, make_session, sweep

    session = make_session(
        find_strategy("SmaCrossover"), CandleSet.load("BTC-USD"), timeframe, None, None, make_account()
    )
    marks = [mark for mark in MARKS if mark <= n_sets]
    seen: list[tuple[int, int]] = []

    def look(state: SweepProgress) -> None:
        while marks and state.done >= marks[0]:
            marks.pop(0)
            seen.append((state.done, resident_memory()))

    # Stops between the strategy's steps: its own grid has fewer sets.
    space = {"stop_loss": (0.01, 0.06), "take_profit": (0.02, 0.12)}
    with tempfile.TemporaryDirectory(prefix="fastbt-bench-") as folder:
        result = sweep(session, space=space, n=n_sets, threads=threads, run=f"{folder}/run", progress=look)
        return {
            "rows": len(result),
            "ok": result.n_ok,
            "bars": session.setup.market.n_bars,
            "seconds": result.seconds,
            "memory": seen,
            "disk": sum(each.stat().st_size for each in Path(folder).rglob("*") if each.is_file()),
        }


def backtest(timeframe: str = "1h") -> JsonDict:
    """Run one set over the year."""
    from fastbt.data import CandleSet
    from fastbt.interfaces._examples import find_strategy
    from fastbt.sweep.sweep import make_account, make_session

    session = make_session(
        find_strategy("SmaCrossover"), CandleSet.load("BTC-USD"), timeframe, None, None, make_account()
    )
    simulation, _ = session.run(session.source.defaults)
    return {"trades": len(simulation.trades)}


TASKS: Final[dict[str, Callable[..., JsonDict]]] = {"common": common, "year": year, "backtest": backtest}


def run_child(
    task: str, arguments: Mapping[str, Any], *, variables: Mapping[str, str] | None = None
) -> tuple[float, JsonDict]:
    """Do a task in a fresh process; return the seconds from its start to its end, and its answer.

    The answer has `cpu`, the processor seconds of the process, and `peak`, the most bytes that it has held, or None.

    Raises
    ------
    OracleError
        If it fails; the message ends with what it printed.
    """
    command = [sys.executable, "-m", "fastbt.interfaces._bench_child", task, json.dumps(dict(arguments))]
    with tempfile.TemporaryDirectory(prefix="fastbt-bench-") as folder:
        began = time.perf_counter()
        done = subprocess.run(
            command, cwd=folder, env=child_environment(variables or {}), capture_output=True, text=True
        )
        seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise OracleError(f"the bench's task {task} failed\n{done.stderr.strip()[-2000:]}")
    answer: JsonDict = json.loads(done.stdout.splitlines()[-1])
    return seconds, answer


def child_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that finds this very fastbt; an empty variable is left out."""
    root = str(Path(__file__).resolve().parents[2])
    path = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    made = {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(path)), **variables}
    return {name: value for name, value in made.items() if value or name not in variables}


def main() -> None:
    """Do a task and print its answer."""
    from fastbt.sweep.memory import peak_memory

    answer = TASKS[sys.argv[1]](**json.loads(sys.argv[2]))
    print(json.dumps({**answer, "cpu": time.process_time(), "peak": peak_memory()}))


if __name__ == "__main__":
    main()
