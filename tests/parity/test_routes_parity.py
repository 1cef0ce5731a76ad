"""Several routes and other symbols in the kernel: equal to the reference engine, and both equal to Jesse."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fuzz_compiled import Tally, compare_metrics, first_difference, outcome_of
from fuzz_routes import run_seed
from route_cases import EXCHANGE, LOOKS_AT_OTHERS, SYMBOLS, make_candles, make_case, make_session

from fastbt.backtest import Session, Setup
from fastbt.data import CandleSet
from fastbt.engine.account import Account
from fastbt.oracle import JesseProcess, jesse_available, verify_sets
from fastbt.oracle.against_jesse import JesseRunner
from fastbt.routes import RoutesSession, setups_of
from fastbt.types import Mode

ROOT = Path(__file__).parents[2]


def needs_jesse(test):
    """Mark a test that runs Jesse."""
    skip = pytest.mark.skipif(not jesse_available(), reason="Jesse is not installed")
    return pytest.mark.jesse(skip(test))


pytestmark = pytest.mark.compiled

#: Seeds whose runs complete with trades.
JESSE_SEEDS = (1, 2, 4, 6, 7, 8, 9, 10, 12, 13, 15)


@pytest.fixture(scope="module")
def jesse():
    with JesseProcess() as process:
        yield process


@pytest.fixture(scope="module")
def fuzzed():
    """A slice of the fuzzer, where generated code runs as plain Python: some 30 s."""
    command = [sys.executable, str(ROOT / "tests" / "fuzz_routes.py"), "--count", "10"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_generated_routes__equal_the_reference(fuzzed):
    assert fuzzed["differences"] == {}


def test_generated_routes__are_worth_comparing(fuzzed):
    assert fuzzed["seeds"] == 10
    assert fuzzed["trades"] > 600
    assert min(fuzzed["fills"][kind] for kind in ("MARKET", "LIMIT", "STOP")) > 180
    assert fuzzed["idle"] + sum(fuzzed["refused"].values()) + fuzzed["undecided"] < 5


@pytest.mark.parametrize(("seed", "mode"), [pytest.param(7, "cross", marks=pytest.mark.slow), (8, "isolated")])
def test_generated_routes__as_machine_code_equal_the_reference(seed, mode, tmp_path):
    tally = Tally()
    run_seed(seed, tally, tmp_path, mode=mode)
    assert tally.differences == {}
    assert tally.trades > 30


@pytest.mark.parametrize("seed", JESSE_SEEDS)
@needs_jesse
def test_generated_routes__equal_jesse(jesse, seed, tmp_path):
    session = make_session(make_case(seed), tmp_path, f"Seed{seed}")

    def ours(hyperparameters):
        with np.errstate(all="ignore"):
            return session.run_interpreted(hyperparameters)

    report = verify_sets(ours, JesseRunner(session, jesse), [None])
    assert report.identical, str(report)
    assert report.n_trades > 10


def looking_session(folder, timeframe, candles, mode=Mode.CROSS):
    """One route whose strategy looks at two other symbols."""
    file = folder / "LooksAtOthers.py"
    file.write_text(LOOKS_AT_OTHERS)
    rest = dict(candles)
    minutes, warmup = rest.pop("BTC-USDT")
    frames = [f"ETH-USDT {timeframe}", "ETH-USDT 45m", "SOL-USDT 1m"]
    account = Account(leverage=3, warm_up_candles=30, exchange=EXCHANGE, mode=mode)
    return Session(file, Setup.from_arrays(account, "BTC-USDT", timeframe, minutes, warmup, frames, rest))


@pytest.mark.parametrize("timeframe", ["1m", "15m", "1h"])
@needs_jesse
def test_other_symbols__equal_jesse(jesse, timeframe, tmp_path):
    session = looking_session(tmp_path, timeframe, make_candles(3, SYMBOLS, 4320, 2160))
    report = verify_sets(session.run, JesseRunner(session, jesse), [{"period": 5}, {"period": 20}])
    assert report.identical, str(report)
    assert report.n_trades > 10
    theirs, ours = outcome_of(session.run_interpreted), outcome_of(session.run)
    metrics = ours.pop("metrics"), theirs.pop("metrics")
    assert first_difference(ours, theirs) is None
    assert compare_metrics(*metrics) is None


@needs_jesse
def test_real_candles__two_examples_on_one_account_equal_jesse(jesse):
    account = Account(leverage=2, warm_up_candles=210, exchange="Bitfinex")
    cut = {}
    for symbol in ("BTC-USD", "ETH-USD"):
        known = CandleSet.load(symbol).between("2019-01-20", "2019-03-10").fill_gaps(finish="2019-03-10").array
        start = 1_548_979_200_000  # 2019-02-01
        warm = known[(known[:, 0] < start) & (known[:, 0] >= start - 210 * 3_600_000)]
        cut[symbol] = known[known[:, 0] >= start].copy(), warm.copy()
    routes = [("ETH-USD", "1h"), ("BTC-USD", "15m")]
    strategies = [ROOT / "strategies" / name for name in ("DonchianBreakout", "MacdReversal")]
    session = RoutesSession(strategies, setups_of(account, routes, [], cut), list(cut))
    report = verify_sets(session.run, JesseRunner(session, jesse), [None])
    assert report.identical, str(report)
    assert report.n_trades > 20
