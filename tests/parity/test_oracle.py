"""The real Jesse behind the pipe: what it answers, and what happens when it goes wrong."""

import math
import os
import subprocess
import sys
import textwrap
import time
import venv

import numpy as np
import pytest
from oracle_runs import as_simulation

from fastbt.errors import OracleError
from fastbt.oracle import JesseProcess, jesse_available, verify_sets
from fastbt.oracle.compare import compare

pytestmark = [pytest.mark.jesse, pytest.mark.skipif(not jesse_available(), reason="Jesse is not installed")]

EXCHANGE = "Binance Perpetual Futures"
CONFIG = {
    "starting_balance": 10_000,
    "fee": 0.0006,
    "type": "futures",
    "futures_leverage": 2,
    "futures_leverage_mode": "cross",
    "exchange": EXCHANGE,
    "warm_up_candles": 0,
}
START = 1_577_836_800_000

HEAD = """
from jesse.strategies import Strategy
import jesse.indicators as ta


class {name}(Strategy):
    def hyperparameters(self):
        return [{{"name": "period", "type": int, "min": 3, "max": 20, "default": 6}}]

    def should_long(self):
        return {should_long}

    def go_long(self):
        self.buy = 1, self.price

    def should_cancel_entry(self):
        return True
"""
TREND = (
    HEAD.format(name="Trend", should_long='self.price > ta.sma(self.candles, self.hp["period"])')
    + """
    def update_position(self):
        print("on standard output, where the answers go")
        if self.price < ta.sma(self.candles, self.hp["period"]):
            self.liquidate()
"""
)


def walk(n_minutes: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.001, n_minutes)))
    opened = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(opened, close) * 1.0003, np.minimum(opened, close) * 0.9997
    time_ms = START + np.arange(n_minutes) * 60_000.0
    return np.column_stack([time_ms, opened, close, high, low, rng.uniform(1.0, 2.0, n_minutes)])


def listed(candles: np.ndarray) -> dict:
    return {f"{EXCHANGE}-BTC-USDT": {"exchange": EXCHANGE, "symbol": "BTC-USDT", "candles": candles}}


@pytest.fixture(scope="module")
def jesse():
    with JesseProcess() as process:
        yield process


@pytest.fixture
def project(tmp_path):
    """Writes strategy files; gives their paths."""

    def write(name: str, source: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        return str(path)

    return write


def run(process: JesseProcess, strategy, candles=None, *, timeframe: str = "1h", **options) -> dict:
    routes = [{"exchange": EXCHANGE, "symbol": "BTC-USDT", "timeframe": timeframe, "strategy": strategy}]
    return process.backtest(CONFIG, routes, [], listed(walk(4 * 1440) if candles is None else candles), **options)


def test_backtest__tells_the_whole_run(jesse, project):
    answer = run(jesse, project("trend.py", TREND), hyperparameters={"period": 4})
    assert answer["status"] == "ok"
    assert answer["seconds"] > 0.0
    trades, metrics = answer["trades"], answer["metrics"]
    assert len(trades) == metrics["total"] > 5
    assert math.isclose(sum(trade["PNL"] for trade in trades), metrics["net_profit"], rel_tol=1e-12)
    assert math.isclose(answer["finishing_balance"], 10_000.0 + metrics["net_profit"], rel_tol=1e-12)
    assert answer["starting_balance"] == answer["daily_balance"][0] == 10_000.0
    assert answer["daily_balance"][-1] == answer["finishing_balance"]
    assert answer["daily_time"] == [START + x * 60_000 for x in (0, 1441, 2881, 4321, 5760)]
    assert (answer["started_at"], answer["finished_at"]) == (START, START + (4 * 1440 + 1) * 60_000)
    for trade in trades:
        entry, exit_ = trade["orders"]
        assert (entry["side"], exit_["side"], entry["type"], exit_["type"]) == ("buy", "sell", "MARKET", "MARKET")
        assert (entry["reduce_only"], exit_["reduce_only"]) == (False, True)
        assert entry["fee"] + exit_["fee"] == trade["fee"]
        assert (entry["executed_at"], exit_["executed_at"]) == (trade["opened_at"], trade["closed_at"])
        assert exit_["filled_qty"] == -1.0
    assert answer["order_count"] == 2 * len(trades)


def test_backtest__answers_the_same_twice_and_from_another_process(jesse, project):
    path = project("trend.py", TREND)
    first = run(jesse, path)
    run(jesse, path, walk(1440, seed=5))
    second = run(jesse, path)
    with JesseProcess() as other:
        third = run(other, path)
    for answer in (first, second, third):
        answer["seconds"] = 0.0
        answer["metrics"] = {name: repr(value) for name, value in answer["metrics"].items()}
    assert first == second == third


def test_backtest__fills_orders_of_one_price_as_they_were_submitted(jesse, project):
    source = HEAD.format(name="Tie", should_long="self.index == 2").replace(
        "self.buy = 1, self.price", "self.buy = [(q / 10, self.price * 0.999) for q in (3, 1, 4, 15, 9, 2, 6)]"
    )
    path = project("tie.py", source)
    for _ in range(5):
        trade = run(jesse, path)["trades"][0]
        assert [order["qty"] for order in trade["orders"][:-1]] == [0.3, 0.1, 0.4, 1.5, 0.9, 0.2, 0.6]


def test_backtest__takes_warm_up_candles_data_routes_and_fast_mode(jesse, project):
    source = HEAD.format(
        name="Larger",
        should_long='len(self.candles) > 10 and len(self.get_candles(self.exchange, self.symbol, "4h")) > 2',
    )
    candles = walk(4 * 1440)
    routes = [
        {
            "exchange": EXCHANGE,
            "symbol": "BTC-USDT",
            "timeframe": "1h",
            "strategy": {"path": project("larger.py", source)},
        }
    ]
    data_routes = [{"exchange": EXCHANGE, "symbol": "BTC-USDT", "timeframe": "4h"}]
    warm, cold = listed(candles[:1440]), listed(candles[1440:])
    with_warm_up = jesse.backtest(CONFIG, routes, data_routes, cold, warm)
    without = jesse.backtest(CONFIG, routes, data_routes, cold)
    fast = jesse.backtest(CONFIG, routes, data_routes, cold, warm, fast_mode=True)
    assert with_warm_up["trades"][0]["opened_at"] == START + (1440 + 60) * 60_000
    assert without["trades"][0]["opened_at"] >= START + (1440 + 11 * 60) * 60_000
    assert fast["trades"] == with_warm_up["trades"]
    assert fast["daily_time"] != with_warm_up["daily_time"]


def test_backtest__names_the_exception_and_its_time(jesse, project):
    answer = run(jesse, project("trend.py", TREND), hyperparameters={"perod": 12})
    assert (answer["status"], answer["exception"], answer["message"]) == ("failed", "KeyError", "'period'")
    assert answer["time"] == START + 60 * 60_000
    assert answer["order_count"] == 0
    assert "should_long" in answer["traceback"]


def test_backtest__runs_on_after_a_failure(jesse, project):
    bad = HEAD.format(name="Bad", should_long="True").replace("self.buy = 1,", "self.buy = 0,")
    assert run(jesse, project("bad.py", bad))["exception"] == "InvalidStrategy"
    assert run(jesse, project("trend.py", TREND))["status"] == "ok"


def test_backtest__refuses_candles_as_jesse_does(jesse, project):
    candles = walk(1440)
    candles[7, 0] = candles[6, 0]
    answer = run(jesse, project("trend.py", TREND), candles)
    assert (answer["status"], answer["exception"]) == ("failed", "ValueError")
    assert math.isnan(answer["time"])


def test_backtest__keeps_projects_apart(jesse, project):
    for name, threshold in (("one", 3), ("two", 30)):
        project(f"{name}/custom/__init__.py", f"THRESHOLD = {threshold}\n")
        project(f"{name}/strategies/Base/__init__.py", "from custom import THRESHOLD\n")
        source = "from strategies.Base import THRESHOLD\n" + HEAD.format(
            name="Waits", should_long="self.index == THRESHOLD"
        )
        folder = os.path.dirname(project(f"{name}/strategies/Waits/__init__.py", source))
        answer = run(jesse, folder)
        assert [trade["opened_at"] for trade in answer["trades"]] == [START + (threshold + 1) * 3_600_000]
        assert sorted(os.listdir(folder)) == ["__init__.py"]


def test_backtest__sees_an_edited_strategy(jesse, project):
    opened = []
    for bar in (3, 10):
        path = project("edited.py", HEAD.format(name="Edited", should_long=f"self.index == {bar}"))
        opened.append(run(jesse, path)["trades"][0]["opened_at"])
    assert opened == [START + 4 * 3_600_000, START + 11 * 3_600_000]


def test_backtest__says_why_a_strategy_cannot_be_loaded(jesse, project, tmp_path):
    with pytest.raises(OracleError, match="there is no strategy at .*nowhere.py"):
        run(jesse, str(tmp_path / "nowhere.py"))
    with pytest.raises(OracleError, match="could not load the strategy: ModuleNotFoundError: .*'no_such_module'"):
        run(jesse, project("imports.py", "import no_such_module\n"))
    with pytest.raises(OracleError, match="could not load the strategy: SyntaxError"):
        run(jesse, project("syntax.py", "class X(:\n"))
    two = HEAD.format(name="A", should_long="True") + HEAD.format(name="B", should_long="self.index == 5")
    path = project("two.py", two)
    with pytest.raises(OracleError, match="wanted one strategy class in .*two.py, found: A, B"):
        run(jesse, path)
    with pytest.raises(OracleError, match="there is no class 'C' in .*two.py"):
        run(jesse, {"path": path, "class_name": "C"})
    chosen = run(jesse, {"path": path, "class_name": "B"})
    assert chosen["trades"][0]["opened_at"] == START + 6 * 3_600_000
    with pytest.raises(OracleError, match="takes a strategy as the path of its file or folder, was 7"):
        run(jesse, 7)


def test_jesse_process__shows_the_last_words_of_a_dead_worker_and_starts_anew(project):
    deadly = "import os, sys\n" + HEAD.format(
        name="Deadly", should_long='print("farewell") or sys.stdout.flush() or os._exit(3)'
    )
    with JesseProcess() as process:
        with pytest.raises(OracleError, match="exit code 3 while running a backtest\nIts last lines were:\n  farewell"):
            run(process, project("deadly.py", deadly))
        assert run(process, project("trend.py", TREND))["status"] == "ok"


def test_jesse_process__does_not_wait_for_ever(project):
    sleepy = "import time\n" + HEAD.format(name="Sleepy", should_long="time.sleep(60)")
    with JesseProcess() as process:
        began = time.monotonic()
        with pytest.raises(OracleError, match="did not answer within 0.5 s while running a backtest"):
            run(process, project("sleepy.py", sleepy), timeout=0.5)
        assert time.monotonic() - began < 60.0


def test_jesse_process__leaves_nothing_behind(project, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path)
    with JesseProcess() as process:
        run(process, project("project/strategies/Trend/__init__.py", TREND).removesuffix("/__init__.py"))
        assert len(list((tmp_path / "temp").glob("fastbt-jesse-*"))) == 1
    assert list((tmp_path / "temp").glob("fastbt-jesse-*")) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["project", "temp"]


def test_jesse_process__says_how_to_install_jesse(tmp_path):
    code = """
        import importlib.metadata, pathlib, sys
        import numpy
        import fastbt.oracle.jesse_process as home
        sys.path[:] = [entry for entry in sys.path if not list(pathlib.Path(entry).glob("jesse-*.dist-info"))]
        from fastbt.errors import OracleError
        try:
            home.JesseProcess().start()
        except OracleError as error:
            print(home.jesse_available(), error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == (
        "False Jesse is not installed in this environment; `uv sync --group test` or `pip install jesse-fastbt[jesse]`"
    )


def test_jesse_process__needs_an_interpreter_with_jesse(tmp_path):
    with pytest.raises(OracleError, match="could not be started"):
        JesseProcess(python=str(tmp_path / "python")).start()
    venv.create(tmp_path / "bare", with_pip=False)
    with pytest.raises(OracleError, match="ModuleNotFoundError: No module named 'numpy'"):
        JesseProcess(python=str(tmp_path / "bare" / "bin" / "python")).start()


def test_jesse_process__runs_the_worker_file_alone(project):
    """Another interpreter runs worker.py as a file: it must need nothing of fastbt."""
    link = os.path.join(os.path.dirname(sys.executable), ".", os.path.basename(sys.executable))
    path = project("trend.py", TREND)
    with JesseProcess(python=link) as other, JesseProcess() as same:
        answers = [run(process, path) for process in (other, same)]
    assert answers[0]["trades"] == answers[1]["trades"]


def test_sort_execution_orders__equals_jesse_where_prices_differ(tmp_path):
    """Ours against Jesse's own function, on candles and prices without ties."""
    code = """
        import random
        from types import SimpleNamespace
        import numpy as np
        import jesse.modes.backtest_mode as mode
        from fastbt.oracle.worker import sort_execution_orders
        draw = random.Random(0)
        n_sorted = 0
        for _ in range(3000):
            candles = []
            for i in range(draw.randint(1, 4)):
                opened, closed = draw.randint(90, 110), draw.randint(90, 110)
                candles.append([i, opened, closed, max(opened, closed) + draw.randint(0, 5),
                                min(opened, closed) - draw.randint(0, 5), 1])
            orders = [SimpleNamespace(price=price) for price in draw.sample(range(85, 116), draw.randint(0, 12))]
            orders = [type("Order", (), {"price": order.price})() for order in orders]
            theirs = mode._sort_execution_orders(orders, np.array(candles, dtype=float))
            ours = sort_execution_orders(orders, np.array(candles, dtype=float))
            assert [order.price for order in ours] == [order.price for order in theirs], (candles, orders)
            n_sorted += len(ours) > 1
        print(n_sorted)
    """
    environment = {**os.environ, "JESSE_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) > 1500


def test_compare__holds_jesse_equal_to_itself_and_notices_a_nudge(jesse, project):
    path = project("trend.py", TREND)
    answer = run(jesse, path)
    run_ = as_simulation(answer)
    assert compare((run_, answer["metrics"]), run(jesse, path)) is None
    assert compare((run_, answer["metrics"]), run(jesse, path, hyperparameters={"period": 7})) is not None


def test_verify_sets__compares_every_set(jesse, project):
    path = project("trend.py", TREND)

    def theirs(hyperparameters):
        return run(jesse, path, hyperparameters=hyperparameters)

    def ours(hyperparameters):
        answer = theirs(hyperparameters)
        return as_simulation(answer), answer.get("metrics", {})

    report = verify_sets(ours, theirs, [{"period": period} for period in (4, 8, 16)] + [{"perod": 4}])
    assert report.identical
    assert report.statuses == {"identical": 3, "identical: KeyError": 1}
    assert report.n_trades > 20
