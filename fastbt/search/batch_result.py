"""What `backtest_batch` has found."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pydantic import PrivateAttr

from fastbt.backtest import Session, result_dict
from fastbt.errors import SettingsError, did_you_mean
from fastbt.metrics.names import METRICS
from fastbt.search.journal import unpack
from fastbt.search.requests import BatchRequest, Schema
from fastbt.search.results import Result
from fastbt.sweep.frames import label_of
from fastbt.sweep.names import LOWER_IS_BETTER, check_metric
from fastbt.types import Float2D, JsonDict

if TYPE_CHECKING:
    import polars as pl

#: What tells cells apart.
CELL_COLUMNS: Final = ("strategy", "symbol", "timeframe", "start", "finish")
#: What may stand for several backtests of one combination.
WAYS: Final = ("best", "worst", "mean", "median")


class Cell(Schema):
    """All sets of one strategy on one market.

    Attributes
    ----------
    number : int
    strategy, symbol, timeframe : str
    start, finish : str, optional
        As they were asked for, or as they turned out.
    status : str
        "ok", or "failed: ..." if the strategy or the market could not be had.
    sets : int
    statuses : list of str
        How each set ended.
    metrics : dict
        Jesse's metrics, packed: see `fastbt.search.journal.unpack`.
    candles_sha256, strategy_sha256 : str
    """

    number: int
    strategy: str
    symbol: str
    timeframe: str
    start: str | None
    finish: str | None
    status: str
    sets: int = 0
    statuses: list[str] = []
    metrics: JsonDict = {}
    candles_sha256: str = ""
    strategy_sha256: str = ""

    @property
    def ok(self) -> bool:
        """Whether the sets were run."""
        return self.status == "ok"

    @cached_property
    def values(self) -> Float2D:
        """Jesse's metrics, one row a set, in the order of `fastbt.metrics.names.METRICS`."""
        return unpack(self.metrics) if self.metrics else np.empty((0, len(METRICS)))


class BatchResult(Result):
    """Finished backtests of strategies x symbols x timeframes x periods x sets.

    Attributes
    ----------
    request : BatchRequest
    cells : list of Cell
        Strategy by strategy, symbol by symbol, timeframe by timeframe, period by period.
    sets : dict of list of dict
        The sets of each strategy, by name.
    stopped : str
        "all cells", "time limit" or "interrupted".
    """

    request: BatchRequest
    cells: list[Cell]
    sets: dict[str, list[JsonDict]]
    stopped: str = "all cells"
    _sessions: dict[int, Session] = PrivateAttr(default_factory=dict)

    def attach(self, sessions: dict[int, Session]) -> BatchResult:
        """Give it what it was made of, for `backtest`."""
        object.__setattr__(self, "_sessions", sessions)
        return self

    def __len__(self) -> int:
        return sum(each.sets for each in self.cells)

    def __repr__(self) -> str:
        ok = sum(each.ok for each in self.cells)
        return f"BatchResult({self.id}: {ok} of {len(self.cells)} cells, {len(self):,} backtests)"

    @cached_property
    def frame(self) -> pl.DataFrame:
        """One row a backtest: its cell, what tells cells apart, set, hyper-parameters, status and Jesse's metrics."""
        import polars as pl

        parts = []
        for each in self.cells:
            if not each.ok:
                continue
            columns: dict[str, Any] = {"cell": [each.number] * each.sets}
            columns |= {name: [getattr(each, name)] * each.sets for name in CELL_COLUMNS}
            columns["set"] = list(range(each.sets))
            sets = self.sets[each.strategy]
            names = list(dict.fromkeys(name for one in sets for name in one))
            columns |= {label_of(name): [one.get(name) for one in sets] for name in names}
            columns["status"] = each.statuses
            frame = pl.DataFrame(columns, strict=False)
            values = pl.DataFrame(each.values, schema=list(METRICS)).fill_nan(None)
            parts.append(pl.concat([frame, values], how="horizontal"))
        if not parts:
            return pl.DataFrame(schema={"cell": pl.Int64, **dict.fromkeys(CELL_COLUMNS, pl.String), "set": pl.Int64})
        merged = pl.concat(parts, how="diagonal_relaxed")
        metrics = [*METRICS]
        return merged.select([name for name in merged.columns if name not in metrics] + metrics)

    def best(self, metric: str | None = None, n: int = 10) -> pl.DataFrame:
        """Return the `n` best backtests by a metric, best first."""
        import polars as pl

        chosen = self.request.metric if metric is None else metric
        check_metric(chosen)
        frame = self.frame
        if chosen not in frame.columns:
            return frame
        found = frame.filter((pl.col("status") == "ok") & pl.col(chosen).is_finite())
        return found.sort(chosen, descending=chosen not in LOWER_IS_BETTER, maintain_order=True).head(n)

    def best_sets(self, n: int = 10) -> list[dict[str, Any]]:
        """Return the hyper-parameters of the `n` best different sets, best first."""
        found: list[dict[str, Any]] = []
        for row in self.best(n=len(self)).select("strategy", "set").iter_rows():
            chosen = self.sets[row[0]][row[1]]
            if chosen not in found:
                found.append(dict(chosen))
            if len(found) == n:
                break
        return found

    def matrix(
        self,
        metric: str | None = None,
        rows: str = "strategy",
        columns: tuple[str, ...] = ("symbol", "timeframe"),
        by: str = "best",
    ) -> pl.DataFrame:
        """Return the comparison matrix: a number for each combination.

        Parameters
        ----------
        metric : str, optional
            Jesse's; that of the request if left out.
        rows : str
            strategy, symbol, timeframe, start, finish or set.
        columns : tuple of str
            As for `rows`.
        by : {"best", "worst", "mean", "median"}
            What stands for several backtests of one combination.

        Raises
        ------
        SettingsError
            If a name is unknown.
        """
        import polars as pl

        chosen = self.request.metric if metric is None else metric
        check_metric(chosen)
        for name in (rows, *columns):
            if name not in (*CELL_COLUMNS, "set"):
                raise SettingsError(f"matrix: wanted {', '.join(CELL_COLUMNS)} or set; was {name!r}")
        if by not in WAYS:
            raise SettingsError(f"by wants {', '.join(WAYS)}; it was {by!r}.{did_you_mean(by, WAYS)}")
        low = chosen in LOWER_IS_BETTER
        column = pl.col(chosen)
        ways = {
            "best": column.min() if low else column.max(),
            "worst": column.max() if low else column.min(),
            "mean": column.mean(),
            "median": column.median(),
        }
        frame = self.frame
        if not frame.height:
            return frame
        frame = frame.filter((pl.col("status") == "ok") & column.is_finite())
        table = frame.group_by([rows, *columns], maintain_order=True).agg(ways[by])
        if not columns:
            return table
        label = pl.concat_str([pl.col(name).cast(pl.String) for name in columns], separator=" ").alias("_column")
        return table.with_columns(label).pivot(on="_column", index=rows, values=chosen)

    def overall(self) -> JsonDict:
        """Return statistics of all backtests: how they ended, and quantiles of the metric."""
        chosen, frame = self.request.metric, self.frame
        ended = [status.split(":")[0] for each in self.cells for status in each.statuses]
        about: JsonDict = {
            "cells": len(self.cells),
            "cells_ok": sum(each.ok for each in self.cells),
            "backtests": len(self),
            "ended": {word: ended.count(word) for word in dict.fromkeys(ended)},
            "metric": chosen,
        }
        values = frame[chosen].drop_nulls().to_numpy() if chosen in frame.columns else np.empty(0)
        values = values[np.isfinite(values)]
        if len(values):
            quantiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist()
            about |= dict(zip(("least", "lower", "median", "upper", "most"), quantiles, strict=True))
            about |= {"mean": float(values.mean()), "above_zero": float((values > 0).mean())}
        return about

    def backtest(self, cell: int, set: int, session: Session | None = None) -> JsonDict:
        """Run one set of one cell again, in full: the dictionary of `fastbt.backtest`.

        Parameters
        ----------
        cell, set : int
            As in `frame`.
        session : Session, optional
            Wanted of a loaded result whose candles were not files.
        """
        if not 0 <= cell < len(self.cells):
            raise SettingsError(f"cell wants a number from 0 to {len(self.cells) - 1}; it was {cell}")
        chosen = self.cells[cell]
        if not chosen.ok:
            raise SettingsError(f"cell {cell} has no backtests: {chosen.status}")
        if not 0 <= set < chosen.sets:
            raise SettingsError(f"set wants a number from 0 to {chosen.sets - 1}; it was {set}")
        opened = session or self._sessions.get(cell) or self._open(chosen)
        known = {**opened.source.defaults, **self.sets[chosen.strategy][set]}
        simulation, metrics = opened.run(known)
        exchange = opened.setup.account.exchange
        result = result_dict(
            simulation, metrics, strategy_name=opened.source.name, exchange=exchange, equity_curve=True
        )
        return {**result, "hyperparameters": known}

    def _open(self, cell: Cell) -> Session:
        from fastbt.search.results import make_account_settings
        from fastbt.sweep.manifest import candles_hash
        from fastbt.sweep.sweep import make_session

        per_strategy = len(self.cells) // len(self.request.strategies)
        per_symbol = per_strategy // len(self.request.candles)
        strategy = self.request.strategies[cell.number // per_strategy]
        candles = self.request.candles[cell.number % per_strategy // per_symbol]
        account = make_account_settings(self.request.account)
        session = make_session(strategy, candles, cell.timeframe, cell.start, cell.finish, account)
        if candles_hash(session) != cell.candles_sha256 or session.source.sha256 != cell.strategy_sha256:
            raise SettingsError(f"strategy or candles of cell {cell.number} have changed since {self.id} was made")
        return session

    def to_dict(self, top: int = 10) -> JsonDict:
        """Return a summary for machines."""
        return {
            "id": self.id,
            "stopped": self.stopped,
            "interrupted": self.stopped == "interrupted",
            "overall": self.overall(),
            "cells": [each.model_dump(exclude={"metrics", "statuses"}) for each in self.cells],
            "matrix": self.matrix().to_dicts(),
            "best": self.best(n=top).to_dicts(),
            "seconds": self.seconds,
        }
