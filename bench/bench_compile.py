"""Compiling a strategy: to its module, and with nothing cached to machine code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastbt.backtest import Session
from fastbt.data import CandleSet
from fastbt.sweep.sweep import make_account, make_session

STRATEGIES = sorted(each.parent for each in (Path(__file__).parents[1] / "strategies").glob("*/__init__.py"))

# In a process of its own: what one process has compiled it never compiles again.
RUN = """
import sys, time
from fastbt.data import CandleSet
from fastbt.sweep.sweep import make_account, make_session
session = make_session(sys.argv[1], CandleSet.load("BTC-USD"), "1h", "2019-02-01", "2019-02-03", make_account())
began, used = time.perf_counter(), time.process_time()
simulation, metrics = session.run()
print(time.perf_counter() - began, time.process_time() - used)
"""


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda path: path.name)
def test_to_module(benchmark, strategy):
    account = make_account(type="spot") if strategy.name.endswith("Spot") else make_account()
    setup = make_session(strategy, CandleSet.load("BTC-USD"), "1h", "2019-02-01", "2019-02-03", account).setup

    def compile_it():
        session = Session(strategy, setup)
        return session.runner_for(session.source.defaults)[0].text

    text = benchmark(compile_it)
    assert "def run_sets(" in text


@pytest.mark.parametrize("before", [None, "MacdReversal", "SmaCrossover"], ids=["nothing", "another", "the same"])
def test_to_machine_code(benchmark, before, tmp_path):
    """What a first run takes, after nothing, another strategy (the engine's own kernels are kept), or the same."""
    strategies = {each.name: each for each in STRATEGIES}

    def run(folder, name="SmaCrossover"):
        command = [sys.executable, "-c", RUN, str(strategies[name])]
        done = subprocess.run(command, env=environment(folder), capture_output=True, text=True, check=True)
        return [float(each) for each in done.stdout.split()]

    folders = [tmp_path / str(i) for i in range(3)]
    for folder in folders if before else ():
        run(folder, before)
    waiting = iter(folders)
    # The last of the three, without the start of the process and its imports.
    seconds, processor = benchmark.pedantic(run, setup=lambda: ((next(waiting),), {}), rounds=3, iterations=1)
    benchmark.extra_info |= {"first_run_s": seconds, "first_run_processor_s": processor}


def environment(folder):
    # A folder of numba's own would keep what must be compiled anew.
    kept = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    return kept | {"FASTBT_CACHE_DIR": str(folder)}
