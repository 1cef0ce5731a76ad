"""Our example strategies and generated ones in fastbt and in Jesse: identical."""

from pathlib import Path

import numpy as np
import pytest
from strategy_generators import make_market, make_strategy

import fastbt
from fastbt.backtest import Session, Setup
from fastbt.data import CandleSet
from fastbt.errors import SimulationError
from fastbt.oracle import JesseProcess, jesse_available, verify_sets
from fastbt.oracle.against_jesse import JesseRunner
from fastbt.types import MINUTE_MS, TIMEFRAME_MINUTES

pytestmark = [
    pytest.mark.jesse,
    pytest.mark.compiled,
    pytest.mark.skipif(not jesse_available(), reason="Jesse is not installed"),
]

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.name for path in (ROOT / "strategies").iterdir() if (path / "__init__.py").is_file())
COMPILED_SEEDS = (601, 602, 603)
INTERPRETED_SEEDS = tuple(range(604, 613))


@pytest.fixture(scope="module")
def jesse():
    with JesseProcess() as process:
        yield process


@pytest.mark.parametrize("symbol", ["BTC-USD", "ETH-USD"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_example__equals_jesse(jesse, name, symbol):
    account = {"type": "spot"} if name == "BollingerSpot" else {"futures_leverage": 2}
    report = fastbt.verify(
        ROOT / "strategies" / name,
        CandleSet.load(symbol),
        timeframe="1h",
        start="2019-02-01",
        finish="2019-03-15",
        n=3,
        seed=7,
        process=jesse,
        **account,
    )
    assert report.identical, str(report)
    assert report.n_sets == 3
    assert report.n_trades > 5


@pytest.mark.parametrize("seed", [601, 602, pytest.param(603, marks=pytest.mark.slow), *INTERPRETED_SEEDS])
def test_generated_strategy__equals_jesse(jesse, seed, tmp_path):
    case = make_market(seed, ("cross", "isolated", "spot")[seed % 3])
    # Jesse's aggregation of a warm-up that is not whole bars is its own; ours refuses it.
    assert len(case.warmup) % TIMEFRAME_MINUTES[case.timeframe] == 0
    assert np.all(np.diff(case.minutes[:, 0]) == MINUTE_MS)
    file = tmp_path / f"Generated{seed}.py"
    file.write_text(make_strategy(seed, case.account.mode))
    setup = Setup.from_arrays(case.account, "BTC-USDT", case.timeframe, case.minutes, case.warmup)
    session = Session(file, setup)

    def ours(hyperparameters):
        run = session.run if seed in COMPILED_SEEDS else session.run_interpreted
        with np.errstate(all="ignore"):
            return run(hyperparameters)

    try:
        ours(session.source.defaults)
    except SimulationError as error:
        if error.exception is None:
            pytest.skip(f"fastbt does not simulate this one: {error}")
    report = verify_sets(ours, JesseRunner(session, jesse), [session.source.defaults])
    assert report.identical, str(report)
