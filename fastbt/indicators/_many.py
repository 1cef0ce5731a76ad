"""One indicator with many argument lists, in one call."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastbt._jit import jit_disabled
from fastbt.errors import ShapeError
from fastbt.indicators._driver import one_after_another
from fastbt.indicators._registry import compute, get
from fastbt.indicators._side_by_side import LISTS, side_by_side
from fastbt.indicators._threads import share
from fastbt.types import Float1D, Float2D

#: Where four lists side by side take at most 70 % of the time that they take one after the other. Most others wait for
#: the divider or for memory: they would only take longer to compile.
SIDE_BY_SIDE: Final = frozenset(
    (
        *("adosc", "atr", "bandpass", "chande", "cvi", "dec_osc", "decycler", "dema", "dm", "dti", "efi", "ema"),
        *("gauss", "high_pass", "high_pass_2_pole", "jma", "keltner", "kvo", "maaq", "macd", "mass"),
        *("mcginley_dynamic", "rma", "roofing", "rsi", "supersmoother", "supersmoother_3_pole", "supertrend", "tema"),
        *("trix", "wilders", "wt", "zlema"),
    )
)

#: Values below which one thread fills them sooner than another one wakes up.
WORTH_A_THREAD: Final = 20_000

#: An argument list (source and numbers), and the row of its series.
Item = tuple[tuple[str | None, tuple[float, ...]], int]


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

    What they share is computed once (sources; true ranges and the like of sequential recursions), and such recursions
    run four side by side, to the bits of each alone.

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
        try:
            source_type, params, _ = described.encoded(**arguments)
        except TypeError:
            # Also what cannot be looked up, such as a list, which is then named as wrong.
            source_type, params, _ = described.encode(**arguments)
        places.append(distinct.setdefault((source_type, params), len(distinct)))
    pair = candles if isinstance(candles, tuple) else (candles,)
    if len(pair) != 1 + described.second_candles:
        raise ShapeError(f"{name} takes {1 + described.second_candles} arrays of candles, there were {len(pair)}")
    always = described.kernel is not None and not described.averages_candles and not described.natural
    sharing = [always or described.shares_data(params) for _, params in distinct]
    any_of = {source: params for (source, params), shares in zip(distinct, sharing, strict=True) if shares}
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

    workers = threads if threads is not None else os.cpu_count() or 1
    if workers < 1:
        raise ValueError(f"threads must be 1 or more, was {threads}")

    def data_of(item: Item) -> Float1D | Float2D:
        (source, params), row = item
        return shared[source] if sharing[row] else described.data(pair[0], source, params, True, *pair[1:])

    # Kernels release the interpreter, numpy functions keep it: only the former gain from threads.
    compiled: list[Item] = []
    others: list[Item] = []
    for item in distinct.items():
        (compiled if described.compiles(item[0][1]) else others).append(item)

    def fill(item: Item) -> None:
        (_, params), row = item
        compute(described, data_of(item), params, sequential=sequential, window=window, out=values[row])

    if sequential and described.whole is None and described.inside is None and not jit_disabled():
        _in_one_pass(name, described.kernel, [(data_of(item), item) for item in compiled], values, workers)
    elif workers > 1 and len(compiled) > 1:
        fill(compiled.pop(0))  # The first one compiles; the others would only wait for it.
        pieces = iter(compiled)

        def work() -> None:
            for item in pieces:
                fill(item)

        share(work, min(workers, len(compiled)) - 1)
    else:
        others = compiled + others
    for item in others:
        fill(item)
    return ManySeries(values, np.array(places, dtype=np.intp))


def _in_one_pass(
    name: str, kernel: Any, items: list[tuple[Float1D | Float2D, Item]], values: NDArray[np.float64], threads: int
) -> None:
    """Fill the rows of all items by a kernel, over several threads if there is enough to do."""
    by_data: dict[int, list[tuple[Float1D | Float2D, Item]]] = {}
    for each in items:
        by_data.setdefault(id(each[0]), []).append(each)
    passes: list[Callable[[bool, bool], bool]] = []
    pieces = 0
    for group in by_data.values():
        data = group[0][0]
        table: Float2D = np.array([params for _, ((_, params), _) in group]).reshape(len(group), -1)
        rows = np.array([row for _, (_, row) in group], dtype=np.int64)
        # Side by side go lists whose rows are neighbours: their outputs lie one after the other.
        first = rows[0]
        together = None
        if len(group) >= LISTS and name in SIDE_BY_SIDE and rows[-1] - first == len(group) - 1:
            together = side_by_side(kernel)
        whole = 0 if together is None else len(group) // LISTS
        if whole:
            out = values[first : first + whole * LISTS].reshape(whole, -1, values.shape[2])
            joined = np.ascontiguousarray(table[: whole * LISTS]).reshape(whole, -1)
            passes.append(one_after_another(together, data, joined, np.arange(whole), out))
            table, rows = table[whole * LISTS :], rows[whole * LISTS :]
        if len(rows):
            passes.append(one_after_another(kernel, data, table, rows, values))
        pieces += whole + len(rows)
    helpers = min(threads, pieces) - 1 if values.size >= WORTH_A_THREAD else 0
    if helpers < 1:
        for run in passes:
            run(False, False)
        return

    turns, caller = itertools.count(), threading.get_ident()

    def work() -> bool:
        from_end = next(turns) % 2 == 1
        for run in passes:
            run(from_end, False)
        return threading.get_ident() == caller and all(run(False, True) for run in passes)

    share(work, helpers)
