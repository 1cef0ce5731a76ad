"""A sweep into a folder that is killed again and again, each time at a random moment, until it gets to its end.

`python tests/killed_sweep.py FOLDER KILLS SEED [THREADS]` prints how many of the kills hit it at work. The parent
compiles and forks; it must not use polars, whose threads a fork would lose.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from fastbt.data import CandleSet  # noqa: E402
from fastbt.sweep import executor, make_job, run_job  # noqa: E402
from fastbt.sweep.evaluate import Evaluator  # noqa: E402

SPACE = {"fast_period": (5, 30), "slow_period": (20, 120), "stop_loss": (0.01, 0.06), "take_profit": 0.05}
STRATEGY = HERE.parent / "strategies" / "SmaCrossover"


def candles() -> CandleSet:
    """Three weeks of a random walk."""
    rng = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.0007, 21 * 1440)))
    opened = np.r_[100, close[:-1]]
    high, low = np.maximum(opened, close) * 1.0001, np.minimum(opened, close) * 0.9999
    time_ = 1546300800000 + 60_000 * np.arange(len(close))
    return CandleSet.from_array(np.column_stack([time_, opened, close, high, low, np.ones(len(close))]))


def job(threads: int = 2, n: int = 3000):
    """Many chunks of few sets."""
    executor._CHUNK_WORK = 2**14
    return make_job(
        STRATEGY,
        candles(),
        timeframe=["15m", "30m"],
        space=SPACE,
        n=n,
        constraints="fast_period < slow_period",
        warm_up_candles=20,
        threads=threads,
        daily=True,
        on_disk=True,
    )


def main(folder: str, kills: int, seed: int, threads: int = 2) -> None:
    """Kill the sweep `kills` times, then let it end."""
    work = job(threads)
    for session in work.sessions:
        Evaluator(session, threads=1).run(work.source.table(0, 4))
    rng = random.Random(seed)
    hit = 0
    for left in range(kills, -1, -1):
        child = os.fork()
        if child == 0:
            run_job(work, run=folder, resume=True)
            os._exit(0)
        if left:
            time.sleep(rng.uniform(0.0, 0.5))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        hit += os.WIFSIGNALED(status)
        assert left or status == 0, status
    print(hit)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
