"""Candles that fastbt does not simulate are refused before a run, in either mode."""

import numpy as np
import pytest

import fastbt
from fastbt.errors import CandleError, SettingsError

STRATEGY = """
from jesse.strategies import Strategy


class Idle(Strategy):
    def should_long(self):
        return False

    def go_long(self):
        pass
"""
CONFIG = {
    "starting_balance": 10_000,
    "fee": 0.0006,
    "type": "futures",
    "futures_leverage": 2,
    "futures_leverage_mode": "cross",
    "exchange": "Sandbox",
    "warm_up_candles": 0,
}
START = 1_609_459_200_000


def run(tmp_path, candles, mode, timeframe="5m", warmup=None):
    file = tmp_path / "Idle.py"
    file.write_text(STRATEGY)
    about = {"exchange": "Sandbox", "symbol": "BTC-USDT"}
    route = {**about, "timeframe": timeframe, "strategy": str(file)}

    def listed(rows):
        return None if rows is None else {"Sandbox-BTC-USDT": {**about, "candles": rows}}

    return fastbt.backtest(CONFIG, [route], [], listed(candles), listed(warmup), mode=mode)


def minutes(n, start=START):
    return np.array([[start + i * 60_000.0, 10.0, 10.0, 10.0, 10.0, 1.0] for i in range(n)])


@pytest.mark.parametrize("mode", ["compiled", "interpreted"])
@pytest.mark.parametrize("missing", [1, 7, slice(3, 9)])
def test_missing_minutes__are_refused(tmp_path, mode, missing):
    with pytest.raises(CandleError, match="minute"):
        run(tmp_path, np.delete(minutes(30), missing, axis=0), mode)


@pytest.mark.parametrize("mode", ["compiled", "interpreted"])
def test_a_start_within_a_bar__is_refused(tmp_path, mode):
    with pytest.raises(SettingsError, match="boundary"):
        run(tmp_path, minutes(30, START + 60_000), mode)


@pytest.mark.parametrize("mode", ["compiled", "interpreted"])
def test_a_warm_up_of_part_of_a_bar__is_refused(tmp_path, mode):
    with pytest.raises(SettingsError, match="multiple of 5 minutes"):
        run(tmp_path, minutes(30), mode, warmup=minutes(7, START - 7 * 60_000))
