"""The process that runs another library for `fastbt bench`, in an environment of its own: `... vectorbt`.

Nothing of fastbt is imported. Requests come in on standard input and answers go out on what was standard output, one
line of JSON each; what the library prints goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt

#: Columns of the candles that are sent, Jesse's order.
TIME, OPEN, CLOSE, HIGH, LOW, VOLUME = range(6)

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
#: A fast and a slow window, with its pairs of stop-loss and take-profit.
Group = tuple[int, int, Sequence[tuple[float, float]]]


class Library:
    """Answers requests; `load` and `run` are the calls."""

    packages: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.candles: Floats = np.empty((0, 6))
        self.close: Floats = np.empty(0)
        self.warmup_bars = 0

    def load(self, path: str, warmup_bars: int) -> dict[str, Any]:
        """Take the candles: a `.npy` file, the warm-up first. Return versions."""
        self.candles = np.ascontiguousarray(np.load(path))
        self.close = np.ascontiguousarray(self.candles[:, CLOSE])
        self.warmup_bars = warmup_bars
        return {name: metadata.version(name) for name in self.packages} | {"python": sys.version.split()[0]}

    def average(self, window: int) -> Floats:
        """Return a simple moving average of the closes."""
        raise NotImplementedError

    def simulate(self, groups: Sequence[Group], averages: dict[int, Floats], found: Found, **settings: Any) -> None:
        """Run the sets of all groups and keep what they come to, in their order."""
        raise NotImplementedError

    def run(self, groups: Sequence[Group], **settings: Any) -> dict[str, Any]:
        """Run sets and return one list for each measure, and the seconds and processor seconds that it took."""
        began, busy = time.perf_counter(), time.process_time()
        windows = sorted({window for fast, slow, _ in groups for window in (fast, slow)})
        averages = {window: self.average(window) for window in windows}
        found = Found()
        self.simulate(groups, averages, found, **settings)
        return {**found.values, "seconds": time.perf_counter() - began, "cpu": time.process_time() - busy}

    def crossings(self, fast: Floats, slow: Floats) -> tuple[Bools, Bools]:
        """Return at which bars the first average crosses above and below the second."""
        above, below = np.zeros(len(fast), dtype=np.bool_), np.zeros(len(fast), dtype=np.bool_)
        above[1:] = (fast[1:] > slow[1:]) & (fast[:-1] <= slow[:-1])
        below[1:] = (fast[1:] < slow[1:]) & (fast[:-1] >= slow[:-1])
        # Jesse's strategy decides for the first time after the first traded bar.
        above[: self.warmup_bars] = below[: self.warmup_bars] = False
        return above, below


class Found:
    """Lists of what sets come to."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def keep(self, name: str, values: Any) -> None:
        """Append values of one measure."""
        self.values.setdefault(name, []).extend(np.asarray(values, dtype=np.float64).tolist())


def chunks(groups: Sequence[Group], size: int) -> Iterator[list[Group]]:
    """Yield groups together until they have so many sets."""
    part: list[Group] = []
    for fast, slow, stops in groups:
        for first in range(0, len(stops), size):
            part.append((fast, slow, stops[first : first + size]))
            if sum(len(each) for _, _, each in part) >= size:
                yield part
                part = []
    if part:
        yield part


class Vectorbt(Library):
    """Long and short, reversing at the close; stops at highs and lows; one unit."""

    packages = ("vectorbt", "numba", "numpy", "pandas")

    def __init__(self) -> None:
        super().__init__()
        self.vbt: Any = importlib.import_module("vectorbt")
        self.rolling_mean: Any = importlib.import_module("vectorbt.generic.nb").rolling_mean_nb

    def average(self, window: int) -> Floats:
        """Return a simple moving average of the closes."""
        found: Floats = self.rolling_mean(self.close[:, None], window)[:, 0]
        return found

    def simulate(self, groups: Sequence[Group], averages: dict[int, Floats], found: Found, **settings: Any) -> None:
        """Run the sets in chunks.

        `measure` is "profit", "ratios" (Sharpe ratio and maximum drawdown as well) or "check" (trades and last position
        as well).
        """
        for part in chunks(groups, settings["chunk"]):
            self._chunk(part, averages, found, settings["fee"], settings["cash"], settings.get("measure", "profit"))

    def _chunk(
        self, part: Sequence[Group], averages: dict[int, Floats], found: Found, fee: float, cash: float, measure: str
    ) -> None:
        above: Bools = np.zeros((len(self.close), len(part)), dtype=np.bool_)
        below = np.zeros_like(above)
        for j, (fast, slow, _) in enumerate(part):
            above[:, j], below[:, j] = self.crossings(averages[fast], averages[slow])
        counts = [len(stops) for _, _, stops in part]
        pairs = np.array([pair for _, _, stops in part for pair in stops], dtype=np.float64)
        stops: dict[str, Any] = {}
        if np.any(pairs > 0.0):
            # One row for all bars: vectorbt broadcasts without making the whole matrix.
            rows = np.where(pairs > 0.0, pairs, np.nan)
            stops = {"sl_stop": rows[:, 0][None], "tp_stop": rows[:, 1][None]}
            stops |= {
                "open": self.candles[:, OPEN][:, None],
                "high": self.candles[:, HIGH][:, None],
                "low": self.candles[:, LOW][:, None],
            }
        portfolio = self.vbt.Portfolio.from_signals(
            self.close[:, None],
            entries=np.repeat(above, counts, axis=1),
            short_entries=np.repeat(below, counts, axis=1),
            size=1.0,
            fees=fee,
            init_cash=cash,
            upon_opposite_entry="reverse",
            freq="1min",
            **stops,
        )
        found.keep("profit", portfolio.total_profit())
        if measure == "ratios":
            found.keep("sharpe_ratio", portfolio.sharpe_ratio())
            found.keep("max_drawdown", portfolio.max_drawdown())
        if measure == "check":
            found.keep("trades", portfolio.trades.count())
            found.keep("position", np.asarray(portfolio.assets())[-1])


class Raptorbt(Library):
    """Long only, all of the money; stops at highs and lows; 48 metrics."""

    packages = ("raptorbt", "numpy")

    def __init__(self) -> None:
        super().__init__()
        # It would look for a newer version of itself.
        os.environ["RAPTORBT_NO_VERSION_CHECK"] = "1"
        self.raptor: Any = importlib.import_module("raptorbt")

    def average(self, window: int) -> Floats:
        """Return a simple moving average of the closes."""
        found: Floats = np.asarray(self.raptor.sma(self.close, window))
        return found

    def simulate(self, groups: Sequence[Group], averages: dict[int, Floats], found: Found, **settings: Any) -> None:
        """Run the sets in chunks; `measure` "check" gives trades and the position left at the end as well."""
        raptor, check = self.raptor, settings.get("measure") == "check"
        columns = [np.ascontiguousarray(self.candles[:, each]) for each in (OPEN, HIGH, LOW, CLOSE, VOLUME)]
        times = self.candles[:, TIME].astype(np.int64) * 1_000_000
        money = {"initial_capital": settings["cash"], "fees": settings["fee"], "fill_timing": "same_bar_close"}
        shared = raptor.BacktestConfig(**money)
        configs = {}
        for pair in {tuple(pair) for _, _, stops in groups for pair in stops}:
            configs[pair] = raptor.BacktestConfig(**money)
            configs[pair].set_fixed_stop(pair[0])
            configs[pair].set_fixed_target(pair[1])
        for part in chunks(groups, settings["chunk"]):
            items = []
            for fast, slow, stops in part:
                above, below = self.crossings(averages[fast], averages[slow])
                items += [raptor.BatchSingleItem("", above, below, config=configs[tuple(pair)]) for pair in stops]
            results = [result for _, result in raptor.batch_single_backtest(times, *columns, items, shared)]
            metrics = [result.metrics for result in results]
            found.keep("profit", [each.end_value - each.start_value for each in metrics])
            if check:
                last = [result.trades()[-1:] for result in results]
                found.keep("trades", [each.total_trades for each in metrics])
                found.keep("position", [t[0].size if t and t[0].exit_reason == "EndOfData" else 0.0 for t in last])


class Chidoribt(Library):
    """Long only, whole units; out after some bars or at a close beyond the stop or target; final equity alone."""

    packages = ("chidoribt", "numba", "numpy", "pandas")

    def __init__(self) -> None:
        super().__init__()
        self.pandas: Any = importlib.import_module("pandas")
        self.kernels: Any = importlib.import_module("chidoribt.core.numba_kernels")

    def average(self, window: int) -> Floats:
        """Return a simple moving average of the closes, as its own indicators make it."""
        found: Floats = self.pandas.Series(self.close).rolling(window, min_periods=window).mean().to_numpy()
        return found

    def simulate(self, groups: Sequence[Group], averages: dict[int, Floats], found: Found, **settings: Any) -> None:
        """Run the sets, a call for each pair of windows; "check" gives the position left at the end as well."""
        fee, cash, money, hold = (settings[name] for name in ("fee", "cash", "money", "hold"))
        prices = np.ascontiguousarray(self.close[:, None])
        for fast, slow, stops in groups:
            above, _ = self.crossings(averages[fast], averages[slow])
            entries = np.ascontiguousarray(above[:, None])
            grid = np.array([[hold, stop, target, money] for stop, target in stops], dtype=np.float64)
            # What its ParamScanner.scan_fast calls; that rounds the equity, and takes whole grids of stops only.
            equity = self.kernels.batch_scan_fixed(prices, entries, grid, cash, fee, 1)
            found.keep("profit", equity - cash)
            if settings.get("measure") == "check":
                found.keep("position", [self._held(prices, entries, *pair, **settings)[-1] for pair in stops])

    def _held(self, prices: Floats, entries: Bools, stop: float, target: float, **settings: Any) -> Floats:
        """Return the units held after each bar."""
        equity, held, cash = np.zeros(len(prices)), np.zeros((len(prices), 1)), np.zeros(len(prices))
        self.kernels.run_fixed_size_pattern_loop(
            prices,
            entries,
            settings["hold"],
            settings["money"],
            1,
            settings["cash"],
            settings["fee"],
            equity,
            held,
            cash,
            stop,
            target,
        )
        return held[:, 0]


LIBRARIES: dict[str, type[Library]] = {"vectorbt": Vectorbt, "raptorbt": Raptorbt, "chidoribt": Chidoribt}


def main() -> None:
    """Answer requests until standard input ends."""
    # Answers keep a channel of their own, whatever a library prints.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    try:
        library = LIBRARIES[sys.argv[1]]()
    except ImportError as error:
        answer({"error": f"{type(error).__name__}: {error}"})
        return
    answer({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        call: Callable[..., dict[str, Any]] = getattr(library, request.pop("call"))
        try:
            answer(call(**request))
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
