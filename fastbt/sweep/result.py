"""What a sweep has found: in memory, or in a folder and read as it is needed."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastbt.backtest import Session, result_dict
from fastbt.compiler.sets import Rows, SetTable
from fastbt.data import iso
from fastbt.errors import SettingsError
from fastbt.metrics.names import METRICS
from fastbt.sweep.evaluate import Evaluator
from fastbt.sweep.executor import Executed, Job
from fastbt.sweep.frames import describe_market, sets_frame
from fastbt.sweep.names import LOWER_IS_BETTER, check_metric
from fastbt.sweep.store import Run
from fastbt.types import Float2D, Int1D, JsonDict

if TYPE_CHECKING:
    import polars as pl


class SweepResult:
    """A finished sweep.

    Attributes
    ----------
    sessions : tuple of Session
        The strategy on each market: symbol, timeframe and period.
    sets : sequence of dict
        The hyper-parameters of each set, made when they are asked for. Every market has the same sets.
    seconds : dict
        Where the time went: total, and within it compile, series, kernels.
    n_series : int
        Indicator series that were computed.
    interrupted : bool
        Whether Ctrl-C ended it early. What was done is here; in a run on disk, all whole chunks.
    run : Run or None
        The folder that holds the results, if they are on disk.
    """

    def __init__(self, job: Job, executed: Executed, seconds: dict[str, float], run: Run | None = None) -> None:
        self.sessions = job.sessions
        self.sets = job.source
        self.seconds = seconds
        self.n_series = executed.n_series
        self.interrupted = executed.interrupted
        self.run = run
        self._job = job
        self._evaluated = executed.evaluated
        self._n_before = executed.n_before
        self._disposal: weakref.finalize[..., SweepResult] | None = None

    def dispose_of_run(self) -> None:
        """Delete the folder when this result is no longer used, unless `keep` is called before."""
        assert self.run is not None
        self._disposal = weakref.finalize(self, shutil.rmtree, self.run.folder, True)

    @property
    def is_temporary(self) -> bool:
        """Whether the results are in a folder that is deleted with this result; `keep` saves them."""
        return self._disposal is not None

    def keep(self, folder: str | Path) -> None:
        """Move results that are in a temporary folder to one that stays: a run, which can be gone on with.

        Parameters
        ----------
        folder : str or Path
            Must not be there.

        Raises
        ------
        SettingsError
            If the results are not in a temporary folder, or there is something of this name.
        OSError
            If they cannot be moved; they stay where they are, and are not deleted.
        """
        to = Path(folder)
        if self.run is None or self._disposal is None:
            raise SettingsError("there is nothing to keep: the results are not in a temporary folder")
        if to.exists():
            raise SettingsError(f"there is something at {str(to)!r} already")
        self._disposal.detach()
        self._disposal = None
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(self.run.folder, to)
        self.run = Run.open(to)

    def __len__(self) -> int:
        return self._job.n_rows

    def __repr__(self) -> str:
        what = ", ".join(f"{n:,} {kind}" for kind, n in self.counts.items() if n)
        return f"SweepResult({self.session.source.name}, {len(self):,} rows: {what})"

    @property
    def session(self) -> Session:
        """The strategy on the first market."""
        return self.sessions[0]

    @cached_property
    def statuses(self) -> Sequence[str]:
        """How each row ended.

        "ok"; "infeasible: ..." (the set makes no sense), "failed: ..." (Jesse raises), "unsupported: ..." (fastbt does
        not simulate it), "not run" (interrupted before; a run on disk has no such rows).
        """
        if self.run is not None:
            return self.run.scan().select("status").collect()["status"].to_list() if self.run.done() else []
        if len(self._evaluated) == 1:
            return self._evaluated[0].statuses
        return [status for each in self._evaluated for status in each.statuses]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many rows are ok, infeasible, failed, unsupported and not run."""
        if self.run is not None:
            counts = self.run.count()
            rows, done = counts.pop("rows"), counts.pop("done")
            return {**counts, "not run": rows - done}
        total: dict[str, int] = {}
        for each in self._evaluated:
            for kind, n in each.statuses.counts().items():
                total[kind] = total.get(kind, 0) + n
        return total

    @property
    def n_ok(self) -> int:
        """Number of rows that completed."""
        return self.counts["ok"]

    @property
    def n_done(self) -> int:
        """Number of rows that were run, or found not to make sense."""
        return len(self) - self.counts["not run"]

    @property
    def n_fresh(self) -> int:
        """Number of those rows that were not in the run before."""
        return self.n_done - self._n_before

    @cached_property
    def metrics(self) -> Float2D:
        """Jesse's metrics of each row, in the order of `fastbt.metrics.names.METRICS`; NaN where it is not ok."""
        if self.run is not None:
            found = self.frame.select(METRICS).cast(dict.fromkeys(METRICS, _float64())).to_numpy()
            return np.ascontiguousarray(found)
        if len(self._evaluated) == 1:
            return self._evaluated[0].metrics
        return np.vstack([each.metrics for each in self._evaluated])

    @property
    def frame(self) -> pl.DataFrame:
        """One row a set and market.

        `set`, what tells the markets apart (symbol, timeframe, start, finish), the hyper-parameters, `status`, and
        Jesse's metrics (null where there is none).
        """
        import polars as pl

        if self.run is not None:
            return self.run.frame()
        types, about = self.sets.types(), self._job.market_columns
        table = self.sets.table(0, len(self.sets))
        return pl.concat([sets_frame(table, types, each, market=about[i]) for i, each in enumerate(self._evaluated)])

    def scan(self) -> pl.LazyFrame:
        """Return `frame` to be queried: from disk, only the columns that are asked for are read."""
        return self.run.scan() if self.run is not None else self.frame.lazy()

    def best(self, metric: str = "sharpe_ratio", n: int = 10) -> pl.DataFrame:
        """Return the `n` best rows by a metric, best first; only those that completed and have the metric.

        Parameters
        ----------
        metric : str
            One of Jesse's metrics.
        n : int

        Raises
        ------
        SettingsError
            If there is no such metric.
        """
        check_metric(metric)
        if self.run is not None and not self.run.done():
            return self.frame_of_nothing()
        return best_of(self.scan(), metric, n)

    def frame_of_nothing(self) -> pl.DataFrame:
        """Return `frame` without rows."""
        empty = Evaluator(self.session, threads=1, memory=0).run(self.sets.table(0, 0))
        return sets_frame(self.sets.table(0, 0), self.sets.types(), empty, market=self._job.market_columns[0])

    @property
    def daily_time(self) -> Int1D:
        """When the daily balances of the first market are of, ms UTC."""
        return self.session.setup.market.sample_times

    @property
    def daily_balance(self) -> Float2D:
        """Equity at the start, once a day, and at the end (quote), one row a set; NaN for rows that are not ok.

        Raises
        ------
        SettingsError
            If they were not kept, or there are several markets, which may differ in length; see `daily_of`.
        """
        if len(self.sessions) > 1:
            raise SettingsError("there are several markets; daily_of(sets, market) gives the balances of one")
        if self.run is not None:
            return np.ascontiguousarray(self.run.daily().drop("set").to_numpy())
        kept = self._evaluated[0].daily
        if kept is None:
            raise SettingsError(
                "the daily balances were not kept: daily=True keeps them, daily_of(sets) runs some sets again"
            )
        return kept

    def daily_of(self, sets: Sequence[int] | Rows, market: int = 0) -> Float2D:
        """Return the daily balances of some sets, which are run again.

        Parameters
        ----------
        sets : sequence of int
            Numbers of sets.
        market : int
            Which of `sessions`.

        Returns
        -------
        ndarray, shape (n, n_samples)
        """
        chosen = [self.sets[int(number)] for number in sets]
        with Evaluator(self.sessions[market]) as evaluator:
            found = evaluator.run(SetTable.of(chosen, evaluator.session.source.defaults), daily=True)
        assert found.daily is not None
        return found.daily

    def backtest(self, set: int, market: int = 0) -> JsonDict:
        """Run one set again, in full: the dictionary of `fastbt.backtest`.

        Parameters
        ----------
        set : int
            Its number.
        market : int
            Which of `sessions`.

        Raises
        ------
        SettingsError
            If there is no such set.
        SimulationError
            If the run does not complete.
        """
        if not 0 <= set < len(self.sets):
            raise SettingsError(f"set wants a number from 0 to {len(self.sets) - 1}; it was {set}")
        session = self.sessions[market]
        simulation, metrics = session.run(self.sets[set])
        return result_dict(
            simulation,
            metrics,
            strategy_name=session.source.name,
            exchange=session.setup.account.exchange,
            equity_curve=True,
        )

    def to_dict(self, metric: str = "sharpe_ratio", n: int = 10) -> JsonDict:
        """Return a summary for machines."""
        setup = self.session.setup
        about: JsonDict = {
            "strategy": self.session.source.name,
            "symbol": setup.symbol,
            "timeframe": setup.timeframe,
            "start": iso(setup.start),
            "finish": iso(setup.finish),
            "sets": len(self.sets),
            "ok": self.n_ok,
            "interrupted": self.interrupted,
            "seconds": self.seconds,
            "series": self.n_series,
            "metric": metric,
            "best": self.best(metric, n).to_dicts(),
        }
        if len(self.sessions) > 1:
            about["markets"] = [describe_market(each) for each in self.sessions]
        if self.run is not None and not self.is_temporary:
            about["run"] = str(self.run.folder)
        return about


def best_of(rows: pl.LazyFrame, metric: str, n: int) -> pl.DataFrame:
    """Return the `n` best rows by a metric, best first, the lower set number first among equals."""
    import polars as pl

    order = rows.select("set", metric).with_row_index("row").filter(pl.col(metric).is_finite())
    order = order.sort([metric, "set", "row"], descending=[metric not in LOWER_IS_BETTER, False, False]).head(n)
    # Two passes: all columns only of the rows that are wanted.
    at = order.select("row").collect()["row"].to_list()
    if not at:
        return rows.head(0).collect()
    chosen = rows.with_row_index("row").filter(pl.col("row").is_in(at)).collect()
    place = {row: i for i, row in enumerate(at)}
    ranks = [place[row] for row in chosen["row"].to_list()]
    return chosen.with_columns(pl.Series("rank", ranks)).sort("rank").drop("row", "rank")


def _float64() -> Any:
    import polars as pl

    return pl.Float64
