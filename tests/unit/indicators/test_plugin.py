"""Indicators of the user's own: what is registered, what is refused, and how they are found."""

import os
import subprocess
import sys
import types

import numpy as np
import pytest
from candle_generators import make_candles
from indicator_cases import MARKETS
from numba import njit

import fastbt
import fastbt.indicators as ta
from fastbt.errors import IndicatorError
from fastbt.indicators import plugin

CANDLES = MARKETS["wild"]


@pytest.fixture(autouse=True)
def registry():
    """Forget what a test registers."""
    before = dict(ta.REGISTRY)
    yield
    ta.REGISTRY.clear()
    ta.REGISTRY.update(before)


@njit
def _range_share(candles, params, out):
    period = int(params[0])
    for i in range(candles.shape[0]):
        out[:, i] = np.nan
        if i >= period - 1:
            total = 0.0
            for j in range(i - period + 1, i + 1):
                total += candles[j, 3] - candles[j, 4]
            out[0, i] = (candles[i, 3] - candles[i, 4]) / total
            out[1, i] = total


def _register_range_share():
    from typing import NamedTuple

    class RangeShare(NamedTuple):
        share: float
        total: float

    @fastbt.indicator(kernel=_range_share, record=RangeShare)
    def range_share(candles, period: int = 14):
        """Share of the last bar in the ranges of the last ones."""

    return range_share


def test_kernel__is_an_indicator_like_any_other():
    range_share = _register_range_share()
    whole = range_share(CANDLES, 5, sequential=True)
    assert np.isnan(whole.share[:4]).all()
    assert whole.share[4] == (CANDLES[4, 3] - CANDLES[4, 4]) / whole.total[4]
    assert range_share(CANDLES, period=5) == (whole.share[-1], whole.total[-1])
    described = ta.get("range_share")
    assert described.is_prefix_stable((5.0,))
    actual = ta.compute(described, CANDLES, (5.0,), sequential=False, window=50)
    for t in (3, 49, 50, 200):
        visible = range_share(CANDLES[max(0, t - 49) : t + 1], 5, sequential=True)
        np.testing.assert_array_equal(actual[:, t], [row[-1] for row in visible])
    with pytest.raises(TypeError, match="period must be a whole number"):
        range_share(CANDLES, 5.5)


def test_function__takes_a_series_and_words():
    @fastbt.indicator(source="hl2", codes={"side": {"up": 1, "down": -1}})
    def moves(series, lag: int = 2, factor=1.5, side: str = "up"):
        out = np.full(len(series), np.nan)
        out[lag:] = factor * (series[lag:] - series[:-lag]) * (1 if side == "up" else -1)
        return out

    middle = (CANDLES[:, 3] + CANDLES[:, 4]) / 2
    assert moves(CANDLES) == 1.5 * (middle[-1] - middle[-3])
    assert moves(CANDLES, 1, 2.0, "down", "close") == -2.0 * (CANDLES[-1, 2] - CANDLES[-2, 2])
    assert moves(CANDLES[:, 2], lag=4, sequential=True).shape == (400,)
    assert ta.get("moves").encode() == ("hl2", (2.0, 1.5, 1.0), False)
    with pytest.raises(ValueError, match="side must be one of 'up', 'down'"):
        moves(CANDLES, side="left")


def test_rounding__is_computed_anew_for_every_bar():
    @fastbt.indicator(source="close")
    def drifting(series):
        # The order of additions depends on the number of rows, which changes the last bits only.
        return series + (np.sum(series) - np.sum(series[::-1]) + 1e-13 * len(series))

    described = ta.get("drifting")
    assert not described.prefix_stable
    actual = ta.compute(described, np.ascontiguousarray(CANDLES[:, 2]), (), sequential=False, window=0)
    assert actual[0, 99] == drifting(CANDLES[:100])


def _refuse(function, message, **options):
    before = dict(ta.REGISTRY)
    with pytest.raises(IndicatorError, match=message):
        fastbt.indicator(**options)(function) if options else fastbt.indicator(function)
    assert before == ta.REGISTRY


def test_look_ahead__names_the_bar():
    def peeks(candles, lag: int = 3):
        return np.r_[candles[lag:, 2], np.full(min(lag, len(candles)), np.nan)]

    _refuse(peeks, "peeks looks ahead: value at bar 0 is nan with 1 bars, and 106.24 once there are 260")

    def peeks_late(candles):
        out = candles[:, 2].copy()
        out[200:-1] = candles[201:, 2]
        return out

    _refuse(peeks_late, r"peeks_late looks ahead: value at bar 200 is")

    def scaled(series):
        return series / series.max()

    _refuse(scaled, "scaled looks ahead: value at bar 0", source="close")

    @njit
    def kernel(candles, _params, out):
        out[0] = candles[-1, 2] - candles[:, 2]

    def from_last(candles): ...

    _refuse(from_last, "from_last looks ahead", kernel=kernel)


def test_rules__are_kept():
    def fails(candles, period: int = 5):
        return np.lib.stride_tricks.sliding_window_view(candles[:, 2], period).mean(-1)

    _refuse(fails, "fails: arrays of the shape|must accept any number of rows")

    def random(candles):
        return np.random.default_rng().random(len(candles))

    _refuse(random, "random: the value of value at bar 0 of 260 is not the same in two calls")

    def writes(candles):
        candles[:, 2] += 1.0
        return candles[:, 2]

    _refuse(writes, "writes into its candles")

    def unknown(candles):
        return np.full(len(candles), np.nan)

    _refuse(unknown, "unknown is NaN on all of 2600 rows")

    @njit
    def half(candles, _params, out):
        out[0, ::2] = 1.0

    def half_written(candles): ...

    _refuse(half_written, "half_written: the value of value at bar 1 of 260", kernel=half)

    def rsi(candles):
        return candles[:, 2]

    _refuse(rsi, "there is already an indicator 'rsi'")

    def needs(candles, period):
        return candles[:, 2]

    _refuse(needs, "the argument period must be an ordinary one with a default")

    def strange(candles, periods=(1, 2)):
        return candles[:, 2]

    _refuse(strange, "the default of periods must be a number or a string")

    def two(candles):
        return candles[:, 2], candles[:, 3]

    _refuse(two, "two: 1 arrays were wanted, one for each field; there were 2")


def test_long_history__is_looked_for():
    @fastbt.indicator(source="close")
    def lagged(series, lag: int = 1000):
        return np.r_[np.full(min(lag, len(series)), np.nan), series[:-lag]]

    assert ta.get("lagged").prefix_stable


def test_entry_points__are_found_by_name(monkeypatch):
    wanted = []

    def entry_points(*, group, name):
        wanted.append((group, name))
        if name not in ("range_share", "wrong"):
            return ()
        return (types.SimpleNamespace(value=f"package:{name}", load=_register_range_share),)

    monkeypatch.setattr(plugin.metadata, "entry_points", entry_points)
    # The entry point's object is the public function: what `load` returns is registered by then.
    assert ta.range_share(CANDLES, 5).total > 0.0
    assert wanted == [("fastbt.indicators", "range_share")]
    assert ta.get("range_share").name == "range_share"
    with pytest.raises(IndicatorError, match="the entry point package:wrong is not an indicator named 'wrong'"):
        ta.get("wrong")
    with pytest.raises(AttributeError, match="has no attribute 'nowhere'"):
        ta.nowhere  # noqa: B018
    with pytest.raises(ValueError, match="there is no indicator 'nowhere'"):
        ta.get("nowhere")


PACKAGE = """
import numpy as np

import fastbt


@fastbt.indicator(source="close")
def tiny_change(series, lag: int = 1):
    return np.concatenate([np.full(min(lag, len(series)), np.nan), series[lag:] - series[:-lag]])


def no_indicator(series):
    return series
"""

ENTRY_POINTS = """[fastbt.indicators]
tiny_change = tiny_package.indicators:tiny_change
tiny_wrong = tiny_package.indicators:no_indicator
"""

USE = """
import numpy as np
from fastbt import indicators as ta
from fastbt.errors import IndicatorError

assert "tiny_change" not in ta.REGISTRY
candles = np.column_stack([np.arange(9.0)] * 6)
assert ta.tiny_change(candles, 3) == 3.0
assert ta.get("tiny_change").encode(lag=2) == ("close", (2.0,), False)
values, _ = ta.series("tiny_change", candles, [{"lag": 1}, {"lag": 4}])
assert values[:, 0, -1].tolist() == [1.0, 4.0]
try:
    ta.get("tiny_wrong")
except IndicatorError as error:
    assert "tiny_package.indicators:no_indicator is not an indicator named 'tiny_wrong'" in str(error)
else:
    raise AssertionError("a function that is no indicator was taken")
"""


def test_entry_points__of_an_installed_package(tmp_path):
    package, metadata = tmp_path / "tiny_package", tmp_path / "tiny_package-1.0.dist-info"
    package.mkdir()
    metadata.mkdir()
    (package / "__init__.py").write_text("")
    (package / "indicators.py").write_text(PACKAGE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-package\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    subprocess.run([sys.executable, "-c", USE], check=True, env=os.environ | {"PYTHONPATH": path}, cwd=tmp_path)


STRATEGY = """
from jesse.strategies import Strategy
import jesse.indicators as ta


class Plugged(Strategy):
    def should_long(self):
        return CONDITION

    def should_short(self):
        return False

    def go_long(self):
        self.buy = 1, self.price

    def go_short(self):
        pass

    def should_cancel_entry(self):
        return True

    def update_position(self):
        self.liquidate()
"""


def trades(folder, condition, mode):
    """Run a strategy that enters on a condition over three days; return its number of trades and its profit."""
    path = folder / f"{abs(hash(condition))}" / "Plugged"
    path.mkdir(parents=True, exist_ok=True)
    (path / "__init__.py").write_text(STRATEGY.replace("CONDITION", condition))
    names = {"exchange": "Binance Perpetual Futures", "symbol": "BTC-USDT"}
    config = {
        "starting_balance": 10_000,
        "fee": 0.0004,
        "type": "futures",
        "futures_leverage": 2,
        "futures_leverage_mode": "cross",
        "exchange": names["exchange"],
        "warm_up_candles": 0,
    }
    candles = {"Binance Perpetual Futures-BTC-USDT": names | {"candles": make_candles(3 * 1440, 3)}}
    routes = [names | {"timeframe": "15m", "strategy": str(path)}]
    metrics = fastbt.backtest(config, routes, [], candles, mode=mode)["metrics"]
    return metrics["total"], metrics["net_profit"]


@pytest.mark.compiled
def test_strategies__use_it_compiled(monkeypatch, tmp_path):
    monkeypatch.setattr(ta, "range_share", _register_range_share(), raising=False)
    condition = "ta.range_share(self.candles, 7).share > 1 / 7"
    total, profit = trades(tmp_path, condition, "compiled")
    assert total > 10
    assert (total, profit) == trades(tmp_path, condition, "interpreted")


@pytest.mark.compiled
def test_strategies__averages_that_need_candles(tmp_path):
    # The one weighs by volume, the other's deviation depends on how its source lies in memory.
    weighed = "ta.zscore(self.candles, 9, matype=24, source_type='hl2') > 0.4"
    banded = "ta.bollinger_bands(self.candles, 9, matype=1, source_type='hl2').upperband < self.price"
    condition = f"self.index > 9 and ({weighed} or {banded})"
    total, profit = trades(tmp_path, condition, "compiled")
    assert total > 10
    assert (total, profit) == trades(tmp_path, condition, "interpreted")


@pytest.mark.compiled
def test_strategies__use_what_only_python_computes(tmp_path):
    """Each on a third of the bars: texts, numbers, and columns of arrays."""
    texts = "ta.hull_suit(self.candles).signal == 'buy'"
    numbers = "ta.beta(self.candles, self.candles) > 0.5"
    arrays = "ta.minmax(self.candles, sequential=True).is_min[-4] > 0"
    turn = "self.index % 3"
    condition = f"self.index > 9 and ({texts} if {turn} == 0 else {numbers} if {turn} == 1 else {arrays})"
    total, profit = trades(tmp_path, condition, "compiled")
    assert total > 10
    assert (total, profit) == trades(tmp_path, condition, "interpreted")
