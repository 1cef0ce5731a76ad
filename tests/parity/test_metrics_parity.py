"""Every metric against Jesse's own function, on runs that Jesse made and on trades and balances that no run would."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from metrics_cases import DAY, START, as_simulation, differences, runs
from oracle_runs import as_simulation as simulation_of_jesse

from fastbt.metrics import measure
from fastbt.oracle import JesseProcess, jesse_available

pytestmark = [pytest.mark.jesse, pytest.mark.skipif(not jesse_available(), reason="Jesse is not installed")]

# Feeds Jesse's function what a backtest would leave in its store, and nothing else.
PROGRAM = """
import json, sys, warnings
from types import SimpleNamespace
warnings.simplefilter("ignore")
import numpy as np
import jesse.helpers as jh
from jesse.config import config
from jesse.routes import router
from jesse.services import metrics
from jesse.store import store

np.seterr(all="ignore")
router.routes = [SimpleNamespace(exchange="Sandbox", symbol="BTC-USDT")]


def measure(run):
    store.exchanges.storage = {"Sandbox": SimpleNamespace(
        starting_assets={"USDT": run["starting_balance"]}, assets={"USDT": run["finishing_balance"]})}
    store.app.daily_balance_timestamps = run["daily_time"]
    store.app.total_open_trades, store.app.total_open_pl = run["total_open_trades"], run["open_pl"]
    store.app.starting_time, store.app.ending_time = run["started_at"], run["finished_at"]
    config["env"]["metrics"] = {"annualization": run["annualization"]}
    jh.CACHED_CONFIG.clear()
    trades = [SimpleNamespace(to_dict={"PNL": pnl, "type": kind, "fee": fee, "holding_period": holding})
              for pnl, kind, fee, holding in run["trades"]]
    return metrics.trades(trades, run["daily_balance"])


def plain(value):
    return value.item() if isinstance(value, np.generic) else value


json.dump([{name: plain(value) for name, value in measure(run).items()} for run in json.load(sys.stdin)], sys.stdout)
"""

STRATEGY = """
from jesse.strategies import Strategy


class Swing(Strategy):
    def should_long(self):
        return self.index % 7 == 2

    def should_short(self):
        return self.index % 7 == 5

    def go_long(self):
        self.buy = 0.3 * self.balance / self.price, self.price

    def go_short(self):
        self.sell = 0.3 * self.balance / self.price, self.price

    def on_open_position(self, order):
        away = 0.004 * self.price if self.is_long else -0.004 * self.price
        self.take_profit = self.position.qty, self.price + 2 * away
        self.stop_loss = self.position.qty, self.price - away
"""
EXCHANGE = "Binance Perpetual Futures"


def jesse_metrics(all_runs, folder):
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(all_runs),
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "JESSE_CACHE_DIR": str(folder)},
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def generated_runs(n):
    collected = []

    @settings(
        max_examples=n,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(runs())
    def collect(run):
        collected.append(run)

    collect()
    return collected


def corner(daily_balance, pnl=(5.0, -3.0, 0.0, 2.0), spacing=DAY, **changes):
    return {
        "trades": [(p, "long" if i % 3 else "short", 0.5, 3600.0) for i, p in enumerate(pnl)],
        "daily_balance": list(daily_balance),
        "daily_time": [START + k * spacing for k in range(len(daily_balance))],
        "starting_balance": 10_000.0,
        "finishing_balance": 10_002.0,
        "started_at": START,
        "finished_at": START + 3 * DAY,
        "total_open_trades": 0,
        "open_pl": 0.0,
        "annualization": 365,
    } | changes


def year(seed):
    state = np.random.default_rng(seed)
    return (1e4 * np.cumprod(1 + state.normal(0.0005, 0.02, 366))).tolist()


CORNERS = [
    corner([]),
    corner([10_000.0]),
    corner([10_000.0, 9_000.0]),
    corner([10_000.0, 9_000.0, 9_500.0]),
    corner([10_000.0] * 30),
    corner([10_000.0] * 30, pnl=(0.0, -0.0)),
    corner([10_000.0, 10_100.0] * 15, pnl=(1.0, 2.0)),
    corner([10_000.0, 10_100.0] * 15, pnl=(-1.0, -2.0, -3.0), finished_at=START),
    corner([10_000.0, 20_000.0, 40_000.0, 80_000.0]),
    corner([10_000.0, 0.0, 5_000.0, 6_000.0, 5_500.0, 5_700.0]),
    corner([0.0, 0.0, 5_000.0, 4_000.0, 4_500.0, 4_400.0]),
    corner([1e4, -1e4, 2e4, -3e4, -1e4, -5e3]),
    corner([1e4, math.inf, 2e4, 3e4, 2.5e4, 2.6e4]),
    corner([1e4, -math.inf, 2e4, 3e4, 2.5e4, 2.6e4]),
    corner([1e4, 1.1e4, math.nan, 1.2e4, 1.15e4, 1.3e4, 1.25e4]),
    corner([1e-300, 1e300, 1e-300, 1e300, 1.0]),
    corner([1e-300, 1e-300, 1e300, -1e300]),
    corner([-1e-300, 1e300, 1e-300, 1.0]),
    corner([1.0, 1e6, 1e12], spacing=200 * DAY),
    corner([1e4, 1.0001e4, 1.3e4, 1.2e4], spacing=DAY // 4),
    *(corner(year(seed), pnl=np.random.default_rng(seed).normal(1.0, 50.0, 300).tolist()) for seed in range(20)),
]


def test_measure__equals_jesse_on_any_trades_and_balances(tmp_path):
    all_runs = CORNERS + generated_runs(300)
    expected = jesse_metrics(all_runs, tmp_path)
    assert len(expected) == len(all_runs) > 300
    for run, theirs in zip(all_runs, expected, strict=True):
        actual = measure(as_simulation(run), annualization=run["annualization"])
        assert differences(actual, theirs) == [], run


@pytest.mark.parametrize("days, seed", [(0.5, 1), (3, 2), (45, 3)])
def test_measure__equals_jesse_on_its_own_backtests(tmp_path, days, seed):
    path = tmp_path / "Swing.py"
    path.write_text(STRATEGY)
    n = int(days * 1440)
    state = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(state.normal(0.0, 0.001, n)))
    opened = np.concatenate(([100.0], close[:-1]))
    times = START + np.arange(n) * 60_000.0
    candles = np.column_stack(
        [times, opened, close, np.maximum(opened, close) * 1.0003, np.minimum(opened, close) * 0.9997, np.ones(n)]
    )
    config = {
        "starting_balance": 10_000,
        "fee": 0.0006,
        "type": "futures",
        "futures_leverage": 2,
        "futures_leverage_mode": "cross",
        "exchange": EXCHANGE,
        "warm_up_candles": 0,
    }
    routes = [{"exchange": EXCHANGE, "symbol": "BTC-USDT", "timeframe": "15m", "strategy": str(path)}]
    listed = {f"{EXCHANGE}-BTC-USDT": {"exchange": EXCHANGE, "symbol": "BTC-USDT", "candles": candles}}
    with JesseProcess() as jesse:
        answer = jesse.backtest(config, routes, [], listed)
    assert answer["status"] == "ok"
    assert answer["metrics"]["total"] >= 5
    assert differences(measure(simulation_of_jesse(answer)), answer["metrics"]) == []
