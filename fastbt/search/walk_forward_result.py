"""What `walk_forward` has found."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fastbt.data import iso
from fastbt.errors import SettingsError
from fastbt.search.requests import WalkForwardRequest
from fastbt.search.results import SessionResult
from fastbt.search.window_result import EstimateModel, Stability, WindowResult
from fastbt.types import JsonDict

if TYPE_CHECKING:
    import polars as pl


class WalkForwardResult(SessionResult):
    """A finished walk-forward.

    Attributes
    ----------
    request : WalkForwardRequest
    market : MarketInfo
    space : list of dict
        What varied.
    objective : dict
        `name` and `maximize` of the (first) metric.
    purge_days, embargo_days : float
        As they were used.
    windows : list of WindowResult
    times : list of int
        Of the stitched equity, ms UTC.
    equity : list of float
        Out-of-sample parts one after another, each until the next window takes over; it begins with the starting
        balance. Days that no window tests are flat.
    edge : EstimateModel
        Of the daily returns of the stitched equity: is their mean above 0?
    degradation : EstimateModel
        In-sample less out-of-sample value of each window, positive where it got worse: is it above 0?
    efficiency : float or None
        Growth a year out of sample, as a fraction of that in-sample; None where nothing grew in-sample.
    value_efficiency : float or None
        Mean out-of-sample value of the metric, as a fraction of the mean in-sample value.
    decay : EstimateModel
        Change of the daily return with each day since the fit; a negative slope is decay.
    by_age : list of (int, float, int)
        Days since the fit, mean daily return, and of how many windows.
    stability : dict of Stability
    stopped : str
        "all windows", "time limit" or "interrupted".
    """

    request: WalkForwardRequest
    space: list[JsonDict]
    objective: JsonDict
    purge_days: float
    embargo_days: float
    windows: list[WindowResult]
    times: list[int] = []
    equity: list[float] = []
    edge: EstimateModel
    degradation: EstimateModel
    efficiency: float | None
    value_efficiency: float | None
    decay: EstimateModel
    by_age: list[tuple[int, float, int]] = []
    stability: dict[str, Stability] = {}
    stopped: str = "all windows"

    def __len__(self) -> int:
        return len(self.windows)

    def __repr__(self) -> str:
        ok = sum(each.ok for each in self.windows)
        return (
            f"WalkForwardResult({self.id}: {self.market.strategy}, {ok} of {len(self)} windows, out of sample "
            f"{self.total_return:+.1%}, p {self.edge.p_value:.3g})"
        )

    @property
    def total_return(self) -> float:
        """Of the stitched equity, as a fraction; NaN if there is none."""
        return self.equity[-1] / self.equity[0] - 1 if self.equity else math.nan

    @property
    def best_set(self) -> dict[str, Any]:
        """The hyper-parameters of the last window that has some: those that would be traded now.

        Raises
        ------
        SettingsError
            If no window has any.
        """
        for each in reversed(self.windows):
            if each.ok:
                return dict(each.params)
        raise SettingsError(f"no window of {self.id} has a set")

    def best_sets(self, n: int = 10) -> list[dict[str, Any]]:
        """Return the different sets of the last windows, the last first."""
        found: list[dict[str, Any]] = []
        for each in reversed(self.windows):
            if each.ok and each.params not in found:
                found.append(dict(each.params))
        return found[:n]

    @property
    def frame(self) -> pl.DataFrame:
        """One row a window: its parts, status, hyper-parameters, and in- and out-of-sample metrics."""
        import polars as pl

        names = [each["name"] for each in self.space]
        rows = []
        for each in self.windows:
            row: JsonDict = {"window": each.number, "status": each.status}
            row |= {name: iso(getattr(each, name)) for name in ("start", "finish", "test_start", "test_finish")}
            row |= {name: each.params.get(name) for name in names}
            row |= {"in_sample": each.in_sample_value, "out_of_sample": each.out_of_sample_value}
            for label, part in (("in", each.in_sample), ("out", each.out_of_sample)):
                metrics = {} if part is None else part.metrics
                for metric in ("total", "net_profit_percentage", "sharpe_ratio", "max_drawdown"):
                    row[f"{label}_{metric}"] = metrics.get(metric)
            rows.append(row)
        return pl.DataFrame(rows, infer_schema_length=None, strict=False)

    def backtest(self, window: int | None = None, *, strategy: Any = None, candles: Any = None) -> JsonDict:
        """Run a window's set over the whole period: the dictionary of `fastbt.backtest`.

        Parameters
        ----------
        window : int, optional
            The last one that has a set if left out.
        strategy, candles : optional
            Wanted of a loaded result whose candles were not a file.
        """
        if window is not None and not 0 <= window < len(self):
            raise SettingsError(f"window wants a number from 0 to {len(self) - 1}; it was {window}")
        chosen = self.best_set if window is None else self.windows[window].params
        return self.run(dict(chosen), self.session(strategy, candles))

    def to_dict(self, top: int = 10) -> JsonDict:
        """Return a summary for machines."""
        document = self.model_dump(exclude={"windows", "request", "space"})
        for each in document["stability"].values():
            each.pop("values")
        windows = self.frame.to_dicts()
        return {
            **document,
            "sampler": self.request.search.sampler,
            "trials": self.request.search.trials,
            "interrupted": self.stopped == "interrupted",
            "total_return": self.total_return,
            "windows": windows,
        }
