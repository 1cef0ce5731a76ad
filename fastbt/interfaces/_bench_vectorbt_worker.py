"""The process that runs vectorbt for `fastbt bench`, in vectorbt's own environment.

Nothing of fastbt is imported. Requests come in on standard input and answers go out on what was standard output, one
line of JSON each; what vectorbt prints goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt

#: Columns of the candles that are sent, Jesse's order.
OPEN, CLOSE, HIGH, LOW = 1, 2, 3, 4

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class Worker:
    """Answers requests; each public method is one."""

    def __init__(self) -> None:
        self.vbt: Any = importlib.import_module("vectorbt")
        self.rolling_mean: Any = importlib.import_module("vectorbt.generic.nb").rolling_mean_nb
        self.candles: Floats = np.empty((0, 6))
        self.warmup_bars = 0

    def load(self, path: str, warmup_bars: int) -> dict[str, Any]:
        """Take the candles: a `.npy` file, the warm-up first."""
        self.candles = np.ascontiguousarray(np.load(path))
        self.warmup_bars = warmup_bars
        names = ("vectorbt", "numba", "numpy", "pandas")
        return {name: metadata.version(name) for name in names} | {"python": sys.version.split()[0]}

    def run(
        self,
        groups: Sequence[tuple[int, int, Sequence[tuple[float, float]]]],
        fee: float,
        cash: float,
        chunk: int,
        measure: str = "profit",
    ) -> dict[str, Any]:
        """Run sets and return one list for each measure.

        A group is a fast and a slow window with its stops, pairs of stop-loss and take-profit (0 for none). `measure`
        is "profit", "ratios" (Sharpe ratio and maximum drawdown as well) or "check" (trades and last position as well).
        """
        began = time.perf_counter()
        close = np.ascontiguousarray(self.candles[:, CLOSE])
        windows = sorted({window for fast, slow, _ in groups for window in (fast, slow)})
        averages = {window: self.rolling_mean(close[:, None], window)[:, 0] for window in windows}
        found: dict[str, list[float]] = {}
        part: list[Any] = []
        for group in groups:
            part.append(group)
            if sum(len(stops) for _, _, stops in part) >= chunk:
                self._run_chunk(part, averages, close, fee, cash, measure, found)
                part = []
        if part:
            self._run_chunk(part, averages, close, fee, cash, measure, found)
        return {**found, "seconds": time.perf_counter() - began}

    def _run_chunk(
        self,
        part: Sequence[Any],
        averages: dict[int, Floats],
        close: Floats,
        fee: float,
        cash: float,
        measure: str,
        found: dict[str, list[float]],
    ) -> None:
        above: Bools = np.zeros((len(close), len(part)), dtype=np.bool_)
        below = np.zeros_like(above)
        for j, (fast, slow, _) in enumerate(part):
            a, b = averages[fast], averages[slow]
            above[1:, j] = (a[1:] > b[1:]) & (a[:-1] <= b[:-1])
            below[1:, j] = (a[1:] < b[1:]) & (a[:-1] >= b[:-1])
        # Jesse's strategy decides for the first time after the first traded bar.
        above[: self.warmup_bars] = below[: self.warmup_bars] = False
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
            close[:, None],
            entries=np.repeat(above, counts, axis=1),
            short_entries=np.repeat(below, counts, axis=1),
            size=1.0,
            fees=fee,
            init_cash=cash,
            upon_opposite_entry="reverse",
            freq="1min",
            **stops,
        )

        def keep(name: str, values: Any) -> None:
            found.setdefault(name, []).extend(np.asarray(values, dtype=np.float64).tolist())

        keep("profit", portfolio.total_profit())
        if measure == "ratios":
            keep("sharpe_ratio", portfolio.sharpe_ratio())
            keep("max_drawdown", portfolio.max_drawdown())
        if measure == "check":
            keep("trades", portfolio.trades.count())
            keep("position", np.asarray(portfolio.assets())[-1])


def main() -> None:
    """Answer requests until standard input ends."""
    # Answers keep a channel of their own, whatever a library prints.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    try:
        worker = Worker()
    except ImportError as error:
        answer({"error": f"{type(error).__name__}: {error}"})
        return
    answer({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        call: Callable[..., dict[str, Any]] = getattr(worker, request.pop("call"))
        try:
            answer(call(**request))
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
