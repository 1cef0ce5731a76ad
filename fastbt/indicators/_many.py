"""One indicator with many argument lists, in one call."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastbt.errors import ShapeError
from fastbt.indicators._registry import compute, get
from fastbt.types import Float1D, Float2D


class ManySeries(NamedTuple):
    """Every distinct series, and which of them each argument list asked for."""

    values: NDArray[np.float64]
    places: NDArray[np.intp]


def series(
    name: str,
    candles: Float2D | Float1D | tuple[Float2D, Float2D],
    table_of_arguments: Sequence[Mapping[str, Any]],
    *,
    sequential: bool = False,
    window: int = 240,
    threads: int | None = None,
    out: NDArray[np.float64] | None = None,
) -> ManySeries:
    """Compute an indicator at every bar for many argument lists at once; equal lists are computed once.

    Parameters
    ----------
    name : str
        Of a function of `fastbt.indicators`, or of a registered indicator of your own.
    candles : ndarray, shape (n, 6) or (n,), or two of shape (n, 6)
        What the function takes; two for `beta` and `rsmk`.
    table_of_arguments : sequence of mapping
        For each list its arguments by name; what is left out has its default. Without `sequential`.
    sequential : bool
        False for what the non-sequential call returns at each bar, True for the array of `sequential=True`.
    window : int
        Rows that the non-sequential call sees, Jesse's `warm_up_candles`; 0 means all.
    threads : int, optional
        How many series are computed at once; all cores by default. The result does not depend on it.
    out : ndarray, shape (at least n_distinct, n_fields, n), float64, optional
        C-contiguous memory to be used again. `values` is a view of its first part.

    Returns
    -------
    ManySeries
        `values` of shape (n_distinct, n_fields, n), and `places` of shape (n_lists,): the series of list `j` is
        `values[places[j]]`.

    Raises
    ------
    ShapeError
        If the candles or `out` have the wrong shape.
    TypeError, ValueError
        If an argument is unknown or makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbt import indicators as ta
    >>> table = [{"period": 2}, {"period": 3}, {"period": 2}]
    >>> values, places = ta.series("sma", np.array([1.0, 3.0, 5.0]), table)
    >>> places
    array([0, 1, 0])
    >>> values[places[2]]
    array([[nan,  2.,  4.]])
    """
    described = get(name)
    distinct: dict[tuple[str | None, tuple[float, ...]], int] = {}
    places = []
    for arguments in table_of_arguments:
        if "sequential" in arguments:
            raise TypeError("sequential holds for the whole table: series(..., sequential=True)")
        source_type, params, _ = described.encode(**arguments)
        places.append(distinct.setdefault((source_type, params), len(distinct)))
    pair = candles if isinstance(candles, tuple) else (candles,)
    if len(pair) != 1 + described.second_candles:
        raise ShapeError(f"{name} takes {1 + described.second_candles} arrays of candles, there were {len(pair)}")
    any_of = {source: params for source, params in distinct if described.shares_data(params)}
    shared = {source: described.data(pair[0], source, params, True, *pair[1:]) for source, params in any_of.items()}
    n = len(pair[0])
    shape = (len(distinct), len(described.fields), n)
    if out is None:
        out = np.empty(shape)
    elif (
        out.dtype != np.float64 or out.ndim != 3 or out.shape[0] < shape[0] or out.shape[1:] != shape[1:]
    ) or not out.flags.c_contiguous:
        raise ShapeError(f"{name}: out must be C-contiguous float64 with at least the shape {shape}, was {out.shape}")
    values = out[: shape[0]]

    def fill(item: tuple[tuple[str | None, tuple[float, ...]], int]) -> None:
        (source, params), row = item
        own = not described.shares_data(params)
        data = described.data(pair[0], source, params, True, *pair[1:]) if own else shared[source]
        compute(described, data, params, sequential=sequential, window=window, out=values[row])

    # Kernels release the interpreter, numpy functions keep it: only the former gain from threads.
    compiled = [item for item in distinct.items() if described.compiles(item[0][1])]
    others = [item for item in distinct.items() if not described.compiles(item[0][1])]
    workers = threads if threads is not None else os.cpu_count() or 1
    if workers < 1:
        raise ValueError(f"threads must be 1 or more, was {threads}")
    if compiled:
        fill(compiled[0])  # The first one compiles; the others would only wait for it.
    if workers > 1 and len(compiled) > 2:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(fill, compiled[1:]))
    else:
        others = compiled[1:] + others
    for item in others:
        fill(item)
    return ManySeries(values, np.array(places, dtype=np.intp))
