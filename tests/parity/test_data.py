"""The candle functions against Jesse's own, in a process of its own in a temporary folder."""

import subprocess
import sys

import numpy as np
import pytest
from candle_generators import MINUTE, T0, make_candles

from fastbt.data import CandleSet, fill_gaps, resample, warmup_bars

pytestmark = pytest.mark.jesse

TIMEFRAMES = ["3m", "45m", "1h", "4h", "1D", "3D"]
# From 2.3 on numpy adds the volumes of a week in another order than the versions that Jesse pins.
if np.lib.NumpyVersion(np.__version__) < "2.3.0":
    TIMEFRAMES.append("1W")

SCRIPT = """
import sys
import numpy as np
from jesse.services import candle_service

candles, holed = np.load("candles.npy"), np.load("holed.npy")
results = {}
for timeframe in sys.argv[1:]:
    minutes = candle_service.jh.timeframe_to_one_minutes(timeframe)
    blocks = [candles[k : k + minutes] for k in range(0, len(candles) // minutes * minutes, minutes)]
    results["traded " + timeframe] = [candle_service.generate_candle_from_one_minutes(timeframe, one) for one in blocks]
    for name, rows in (("dense", candles), ("holed", holed)):
        results[f"{name} {timeframe}"] = candle_service.generate_completed_candles_from_observed_minutes(
            timeframe, rows, int(rows[-1, 0]) + 60_000
        )
np.savez("bars.npz", **results)
"""

FILL_SCRIPT = """
import numpy as np
from jesse.modes import import_candles_mode

names = ("timestamp", "open", "close", "high", "low", "volume")
rows = [dict(zip(names, row), symbol="BTC-USD", exchange="X") for row in np.load("holed.npy").tolist()]
start, finish = np.load("bounds.npy").tolist()
filled = import_candles_mode._fill_absent_candles(rows, start, finish - 60_000)
np.save("filled.npy", np.array([[row[name] for name in names] for row in filled], dtype=float))
"""


def run_jesse(folder, script, *arguments):
    done = subprocess.run([sys.executable, "-c", script, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_bars__equal_jesse(tmp_path):
    # From 00:07 on, so that counting from row 0 and by the clock differ; a fortnight of random, then real candles.
    random = make_candles(14 * 1440 + 11, seed=3, start=T0 + 7 * MINUTE)
    real = CandleSet.load("BTC-USD").between("2019-02-01", "2019-02-16").fill_gaps().array
    for k, candles in enumerate((random, real)):
        folder = tmp_path / str(k)
        folder.mkdir()
        holed = candles[np.random.default_rng(k).random(len(candles)) < 0.8]
        np.save(folder / "candles.npy", candles)
        np.save(folder / "holed.npy", holed)
        run_jesse(folder, SCRIPT, *TIMEFRAMES)
        expected = np.load(folder / "bars.npz")
        for timeframe in TIMEFRAMES:
            np.testing.assert_array_equal(resample(candles, timeframe), expected[f"traded {timeframe}"])
            np.testing.assert_array_equal(warmup_bars(candles, timeframe), expected[f"dense {timeframe}"])
            np.testing.assert_array_equal(warmup_bars(holed, timeframe), expected[f"holed {timeframe}"])


def test_fill_gaps__equals_jesse(tmp_path):
    holed = CandleSet.load("ETH-USD").between("2019-01-06", "2019-01-06T08:00").array[20:-20]
    assert CandleSet(holed).missing_minutes > 10
    bounds = [int(holed[0, 0]) - 15 * MINUTE, int(holed[-1, 0]) + 15 * MINUTE]
    np.save(tmp_path / "holed.npy", holed)
    np.save(tmp_path / "bounds.npy", bounds)
    run_jesse(tmp_path, FILL_SCRIPT)
    np.testing.assert_array_equal(fill_gaps(holed, *bounds), np.load(tmp_path / "filled.npy"))
