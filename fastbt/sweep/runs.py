"""The runs of a folder: an index in SQLite, and what can be done with one run."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastbt.errors import SettingsError, did_you_mean
from fastbt.sweep.names import LOWER_IS_BETTER, check_metric
from fastbt.sweep.result import best_of
from fastbt.sweep.store import MANIFEST, Run
from fastbt.types import JsonDict

if TYPE_CHECKING:
    import polars as pl

#: How a run is exported, by the end of the file's name.
EXPORT_SUFFIXES: Final = (".csv", ".parquet", ".json", ".jsonl", ".xlsx")

#: Rows of one Excel sheet, the headings left out.
_EXCEL_ROWS: Final = 1_048_575

_INDEX: Final = "index.sqlite"
_VERSION: Final = 1
_TABLE: Final = """
create table if not exists runs (
    name text primary key, stamp text not null, strategy text not null, markets text not null, sampling text not null,
    sets integer not null, rows integer not null, done integer not null, ok integer not null,
    infeasible integer not null, failed integer not null, unsupported integer not null, daily integer not null,
    complete integer not null, created text, updated text, seconds real not null, bytes integer not null,
    metric text not null, best real
)"""
_COLUMNS: Final = (
    "name",
    "stamp",
    "strategy",
    "markets",
    "sampling",
    "sets",
    "rows",
    "done",
    "ok",
    "infeasible",
    "failed",
    "unsupported",
    "daily",
    "complete",
    "created",
    "updated",
    "seconds",
    "bytes",
    "metric",
    "best",
)


def check_name(name: str) -> str:
    """Return the name of a run.

    Raises
    ------
    SettingsError
        If it cannot be the name of a folder.
    """
    if not name or name.startswith(".") or any(each in name for each in '/\\:*?"<>|\0') or name == _INDEX:
        raise SettingsError(f"wanted a name for the run that can be a folder's, such as 'first'; was {name!r}")
    return name


class RunIndex:
    """All runs of one folder.

    Parameters
    ----------
    root : str or Path, optional
        The folder; `FASTBT_RUNS` of the environment, or `runs` in the working directory, if left out.
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = Path(root if root is not None else os.environ.get("FASTBT_RUNS") or "runs")

    def folder(self, name: str) -> Path:
        """Return the folder of a run, which need not be there."""
        return self.root / check_name(name)

    def names(self) -> list[str]:
        """Return the names of all runs."""
        if not self.root.is_dir():
            return []
        return sorted(each.name for each in self.root.iterdir() if (each / MANIFEST).is_file())

    def open(self, name: str) -> Run:
        """Return a run.

        Raises
        ------
        SettingsError
            If there is none of this name; the nearest one is suggested.
        """
        known = self.names()
        if check_name(name) not in known:
            there = f"there is {', '.join(known)}" if known else "there is none yet"
            raise SettingsError(f"there is no run {name!r} in {str(self.root)!r}; {there}.{did_you_mean(name, known)}")
        return Run.open(self.folder(name))

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.root / _INDEX, timeout=30.0)
        try:
            with connection:
                if connection.execute("pragma user_version").fetchone()[0] != _VERSION:
                    connection.execute("drop table if exists runs")
                    connection.execute(f"pragma user_version = {_VERSION}")
                connection.execute(_TABLE)
                yield connection
        finally:
            connection.close()

    def list(self, *, strategy: str | None = None, complete: bool | None = None) -> list[JsonDict]:
        """Return what is known of the runs, the one that was worked on last first.

        The index holds nothing that the folders do not; what has changed in them since is read again.

        Parameters
        ----------
        strategy : str, optional
            Only runs of the strategy of this name.
        complete : bool, optional
            Only runs that are complete, or that are not.
        """
        names = self.names()
        if not names:
            return []
        with self._database() as database:
            known = dict(database.execute("select name, stamp from runs").fetchall())
            database.executemany("delete from runs where name = ?", [(name,) for name in known if name not in names])
            for name in names:
                try:
                    run = Run.open(self.folder(name))
                except SettingsError:  # of another version of fastbt
                    database.execute("delete from runs where name = ?", (name,))
                    continue
                stamp = _stamp(run)
                if known.get(name) != stamp:
                    row = {**_describe(run), "name": name, "stamp": stamp}
                    marks = ", ".join("?" * len(_COLUMNS))
                    database.execute(
                        f"insert or replace into runs ({', '.join(_COLUMNS)}) values ({marks})",
                        [row[column] for column in _COLUMNS],
                    )
            query, values = f"select {', '.join(_COLUMNS)} from runs where 1", []
            if strategy is not None:
                query += " and strategy = ?"
                values.append(strategy)
            if complete is not None:
                query += " and complete = ?"
                values.append(str(int(complete)))
            found = database.execute(f"{query} order by updated desc, name", values).fetchall()
        rows = [dict(zip(_COLUMNS, row, strict=True)) for row in found]
        for row in rows:
            del row["stamp"]
            row["markets"], row["sampling"] = json.loads(row["markets"]), json.loads(row["sampling"])
            row["daily"], row["complete"] = bool(row["daily"]), bool(row["complete"])
            running = not row["complete"] and Run.open(self.folder(row["name"])).is_locked
            row["state"] = "complete" if row["complete"] else "running" if running else "unfinished"
        return rows

    def show(self, name: str, *, metric: str | None = None, n: int = 10) -> JsonDict:
        """Return all that is known of a run: its entry of the list, manifest, journal and best rows."""
        run = self.open(name)
        entry = next(each for each in self.list() if each["name"] == name)
        chosen = metric or run.manifest["metric"]
        check_metric(chosen)
        best = best_of(run.scan(), chosen, n).to_dicts() if run.done() else []
        return {**entry, "manifest": run.manifest, "journal": run.journal(), "metric": chosen, "best": best}

    def remove(self, name: str) -> None:
        """Delete a run and all of its results.

        Raises
        ------
        SettingsError
            If there is none of this name, or it is being written.
        """
        run = self.open(name)
        with run.locked():
            # Without the manifest it is no run any more, whatever happens next.
            (run.folder / MANIFEST).unlink()
        shutil.rmtree(run.folder)
        self.list()

    def export(self, name: str, out: str | Path, *, metric: str | None = None, n: int | None = None) -> int:
        """Write the results of a run to a file; return how many rows.

        Parameters
        ----------
        name : str
        out : str or Path
            Ends in .csv, .parquet, .json, .jsonl or .xlsx.
        metric : str, optional
            Sorts the rows by it, best first.
        n : int, optional
            Only so many rows, the best by `metric`.

        Raises
        ------
        SettingsError
            If there is no such run, it has no results, or the file's name ends otherwise.
        """
        path = Path(out)
        check_export(path)
        run = self.open(name)
        rows = run.scan()
        if metric is not None or n is not None:
            chosen = metric or run.manifest["metric"]
            check_metric(chosen)
            if n is not None:
                rows = best_of(rows, chosen, n).lazy()
            else:
                down = chosen not in LOWER_IS_BETTER
                rows = rows.sort([chosen, "set"], descending=[down, False], nulls_last=True)
        return write_table(rows, path)


def check_export(path: Path, option: str = "") -> None:
    """Raise SettingsError, naming the option if there is one, unless results can be written to this file."""
    prefix = f"{option}: " if option else ""
    if path.suffix.lower() not in EXPORT_SUFFIXES:
        raise SettingsError(f"{prefix}wanted a file that ends in {', '.join(EXPORT_SUFFIXES)}; was {str(path)!r}")
    if not path.absolute().parent.is_dir():
        raise SettingsError(f"{prefix}there is no folder {str(path.absolute().parent)!r}")
    if path.suffix.lower() == ".xlsx":
        try:
            import xlsxwriter  # noqa: F401
        except ImportError:
            raise SettingsError(
                f"{prefix}Excel files need xlsxwriter; install fastbt with its extra 'excel', or write .csv"
            ) from None


def write_table(rows: pl.LazyFrame, path: Path) -> int:
    """Write rows to a file of the kind that its name tells; return how many.

    What can be written piece by piece is: CSV, Parquet and JSON lines.
    """
    import polars as pl

    suffix = path.suffix.lower()
    if suffix == ".csv":
        rows.sink_csv(path)
    elif suffix == ".parquet":
        rows.sink_parquet(path, compression="zstd")
    elif suffix == ".jsonl":
        _finite(rows).sink_ndjson(path)
    elif suffix == ".json":
        frame = _finite(rows).collect()
        path.write_text(json.dumps(frame.to_dicts(), indent=1, allow_nan=False) + "\n")
        return frame.height
    else:
        n = int(rows.select(pl.len()).collect().item())
        if n > _EXCEL_ROWS:
            raise SettingsError(
                f"an Excel sheet holds {_EXCEL_ROWS:,} rows; there are {n:,}. Export the best with --top, or write "
                ".csv or .parquet"
            )
        frame = _finite(rows).collect()
        frame.write_excel(path, worksheet="sets", autofilter=True, freeze_panes=(1, 0), float_precision=6)
        return frame.height
    return int(rows.select(pl.len()).collect().item())


def _finite(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return rows in which nothing stands for NaN and infinity, which JSON and Excel do not have."""
    import polars as pl

    floats = [name for name, kind in rows.collect_schema().items() if kind.is_float()]
    return rows.with_columns(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in floats)


def _stamp(run: Run) -> str:
    """Return what changes whenever the results do."""
    journal = run.folder / "journal.jsonl"
    changed = journal.stat().st_mtime_ns if journal.exists() else 0
    return f"{changed} {len(run.done())} {run.is_complete}"


def _describe(run: Run) -> dict[str, Any]:
    """Return a row of the index."""
    manifest, journal = run.manifest, run.journal()
    counts = run.summary or run.count()
    metric = manifest["metric"]
    best = None
    if run.done():
        found = best_of(run.scan(), metric, 1)
        best = float(found[metric][0]) if found.height else None
    return {
        "strategy": manifest["strategy"]["name"],
        "markets": json.dumps([{k: v for k, v in each.items() if k != "candles"} for each in manifest["markets"]]),
        "sampling": json.dumps(manifest["sampling"]),
        "sets": manifest["sets"],
        "rows": counts["rows"],
        "done": counts["done"],
        "ok": counts["ok"],
        "infeasible": counts["infeasible"],
        "failed": counts["failed"],
        "unsupported": counts["unsupported"],
        "daily": int(manifest["daily"]),
        "complete": int(run.is_complete),
        "created": journal[0]["time"] if journal else None,
        "updated": journal[-1]["time"] if journal else None,
        "seconds": sum(each.get("seconds", {}).get("total", 0.0) for each in journal),
        "bytes": sum(each.stat().st_size for each in run.folder.rglob("*") if each.is_file()),
        "metric": metric,
        "best": best,
    }
