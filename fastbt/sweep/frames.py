"""Results of sets as tables: the columns of a sweep's frame, and of the parts of a run on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fastbt.backtest import Session
from fastbt.compiler.sets import Column, SetTable
from fastbt.data import iso
from fastbt.metrics.names import METRICS
from fastbt.sweep.evaluate import Evaluated
from fastbt.types import Int1D

if TYPE_CHECKING:
    import polars as pl

#: What tells markets apart.
MARKET_COLUMNS: Final = ("symbol", "timeframe", "start", "finish")
_RESERVED: Final = frozenset({*METRICS, "set", "status", *MARKET_COLUMNS})


def label_of(name: str) -> str:
    """Return the column of a hyper-parameter: its name, unless a column of ours is called so.

    Examples
    --------
    >>> label_of("fast"), label_of("fee")
    ('fast', 'hp_fee')
    """
    return f"hp_{name}" if name in _RESERVED else name


def describe_market(session: Session) -> dict[str, str]:
    """Return what tells the market of a session from others."""
    setup = session.setup
    return {
        "symbol": setup.symbol,
        "timeframe": setup.timeframe,
        "start": iso(setup.start),
        "finish": iso(setup.finish),
    }


def differing(markets: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Return the columns in which markets differ.

    Examples
    --------
    >>> about = {"symbol": "A-B", "timeframe": "1h", "start": "x", "finish": "y"}
    >>> differing([about, {**about, "timeframe": "4h"}])
    ('timeframe',)
    """
    return tuple(name for name in MARKET_COLUMNS if len({each[name] for each in markets}) > 1)


def _dtype(types: frozenset[str]) -> Any:
    """Return the type of a column whose values are of these Python types: the same for every part of a run."""
    import polars as pl

    known = types - {"NoneType"}
    if known == {"bool"}:
        return pl.Boolean
    if known == {"int"}:
        return pl.Int64
    if known and known <= {"int", "float"}:
        return pl.Float64
    return pl.String


def hyperparameter_series(label: str, column: Column, types: frozenset[str]) -> pl.Series:
    """Return a column of a frame; values of types that do not go together as text."""
    import polars as pl

    dtype = _dtype(types)
    if column.codes is None:
        return pl.Series(label, np.asarray(column.values)).cast(dtype)
    values = list(column.values)
    if dtype == pl.String:
        values = [value if isinstance(value, str) or value is None else str(value) for value in values]
    return pl.Series(label, values, dtype=dtype, strict=False).gather(column.codes)


def sets_frame(
    table: SetTable,
    types: Mapping[str, frozenset[str]],
    evaluated: Evaluated,
    *,
    first: int = 0,
    market: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Return one row a set: its number, market, hyper-parameters, status, and Jesse's metrics (null where none).

    Parameters
    ----------
    table : SetTable
    types : mapping
        For each hyper-parameter the names of the types that it has anywhere in the sweep.
    evaluated : Evaluated
    first : int
        Number of the first set.
    market : mapping, optional
        Columns that are the same for all of these rows.
    """
    import polars as pl

    n = len(table)
    columns = [pl.Series("set", np.arange(first, first + n, dtype=np.int64))]
    columns += [pl.repeat(value, n, dtype=pl.String, eager=True).alias(name) for name, value in (market or {}).items()]
    columns += [hyperparameter_series(label_of(name), column, types[name]) for name, column in table.columns.items()]
    columns.append(pl.Series("status", list(evaluated.statuses), dtype=pl.String))
    columns += [pl.Series(name, np.ascontiguousarray(evaluated.metrics[:, i])) for i, name in enumerate(METRICS)]
    frame = pl.DataFrame(columns)
    if evaluated.statuses.ok.all():
        return frame
    ok = pl.Series(evaluated.statuses.ok)
    return frame.with_columns(pl.when(ok).then(pl.col(metric)).alias(metric) for metric in METRICS)


def daily_frame(daily: Any, times: Int1D, *, first: int = 0) -> pl.DataFrame:
    """Return one row a set: its number, and the balance at each time, which is the column's name (ISO, UTC).

    Parameters
    ----------
    daily : ndarray, shape (n, n_samples)
    times : ndarray of int64, shape (n_samples,)
        ms UTC.
    first : int
        Number of the first set.
    """
    import polars as pl

    columns = [pl.Series("set", np.arange(first, first + len(daily), dtype=np.int64))]
    columns += [pl.Series(iso(int(time)), np.ascontiguousarray(daily[:, i])) for i, time in enumerate(times)]
    return pl.DataFrame(columns)
