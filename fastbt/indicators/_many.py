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
from fastbt.indicators._registry import Indicator, compute, get
from fastbt.indicators._side_by_side import LISTS, side_by_side
from fastbt.indicators._threads import share
from fastbt.types import Float1D, Float2D

#: Where lists side by side take at most 85 % of the time that they take one after the other. Most others wait for the
#: divider or for memory: they would only take longer to compile.
SIDE_BY_SIDE: Final = frozenset(
    (
        "adosc adx adxr apo atr bandpass bollinger_bands bollinger_bands_width cfo cg chande cksp cmo "
        "correlation_cycle cvi damiani_volatmeter dec_osc decycler dema di dm dpo dti dx efi ema emd eri gauss "
        "high_pass high_pass_2_pole ichimoku_cloud_seq ift_rsi jma kama kaufmanstop kdj keltner kvo ma maaq macd "
        "mass mcginley_dynamic ppo qstick reflex rma roc rocp rocr rocr100 roofing rsi rsx safezonestop sma stc "
        "supersmoother supersmoother_3_pole supertrend support_resistance_with_breaks t3 tema trendflex trix "
        "ttm_trend vosc vwma wilders wt zlema"
    ).split()
)

#: Values below which one thread fills them sooner than another one wakes up.
WORTH_A_THREAD: Final = 20_000

#: What an argument list is computed from, its numbers, and the row of its series.
Item = tuple[Float1D | Float2D, tuple[float, ...], int]


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
    run side by side, in the lanes of vector registers, to the bits of each alone.

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
    distinct: dict[tuple[str | None, tuple[float, ...], bool], int] = {}
    encoded = described.encoded
    places = []
    for arguments in table_of_arguments:
        if "sequential" in arguments:
            raise TypeError("sequential holds for the whole table: series(..., sequential=True)")
        try:
            key = encoded(**arguments)
        except TypeError:
            # Also what cannot be looked up, such as a list, which is then named as wrong.
            key = described.encode(**arguments)
        places.append(distinct.setdefault(key, len(distinct)))
    pair = candles if isinstance(candles, tuple) else (candles,)
    if len(pair) != 1 + described.second_candles:
        raise ShapeError(f"{name} takes {1 + described.second_candles} arrays of candles, there were {len(pair)}")
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

    # Kernels release the interpreter, numpy functions keep it: only the former gain from threads.
    compiled: list[Item] = []
    others: list[Item] = []
    always = described.kernel is not None and not described.averages_candles and not described.natural
    of_source: dict[str | None, Float1D | Float2D] = {}
    has_choice = described.kernel is None or described.compiled_if is not None
    kinds = described.kinds
    for row, (source, params, _) in enumerate(distinct):
        shares, compiles = (True, True) if always and not has_choice else kinds(params)
        if not (always or shares):
            data = described.data(pair[0], source, params, True, *pair[1:])
        elif source in of_source:
            data = of_source[source]
        else:
            data = of_source[source] = described.data(pair[0], source, params, True, *pair[1:])
        (compiled if compiles else others).append((data, params, row))

    def fill(item: Item) -> None:
        data, params, row = item
        compute(described, data, params, sequential=sequential, window=window, out=values[row])

    if sequential and described.whole is None and described.inside is None and not jit_disabled():
        _in_one_pass(described, compiled, values, workers)
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


def _in_one_pass(described: Indicator, items: list[Item], values: NDArray[np.float64], threads: int) -> None:
    """Fill the rows of all items by a kernel, over several threads if there is enough to do."""
    by_data: dict[int, tuple[Float1D | Float2D, list[tuple[float, ...]], list[int]]] = {}
    for data, params, row in items:
        _, group, numbers = by_data.setdefault(id(data), (data, [], []))
        group.append(params)
        numbers.append(row)
    kernel, can_join = described.kernel, described.name in SIDE_BY_SIDE
    passes: list[Callable[[bool, bool], bool]] = []
    pieces = 0
    for data, group, numbers in by_data.values():
        table = np.array([each for params in group for each in params]).reshape(len(group), -1)
        # Side by side go lists whose rows are neighbours: their outputs lie one after the other.
        first, last = numbers[0], numbers[-1]
        together = None
        if len(group) >= LISTS and can_join and last - first == len(group) - 1:
            same = tuple((place, group[0][place]) for place in described.choices)
            if all(params[place] == value for place, value in same for params in group):
                together = side_by_side(kernel, same)
        left = 0
        if together is not None:
            whole = len(group) // LISTS
            left = whole * LISTS
            passes.append(_groups(together, data, table[:left], first, values))
            pieces += whole
            if len(group) - left > 1:
                # Lists that are done already, too: their bits are the same again.
                passes.append(_groups(together, data, table[-LISTS:], last + 1 - LISTS, values))
                left = len(group)
                pieces += 1
        if left < len(group):
            passes.append(one_after_another(kernel, data, table[left:], np.array(numbers[left:]), values))
            pieces += len(group) - left
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


def _groups(
    together: Any, data: Float1D | Float2D, table: Float2D, first: int, values: NDArray[np.float64]
) -> Callable[[bool, bool], bool]:
    """Return what fills neighbouring rows, as many lists at once as go side by side."""
    groups = len(table) // LISTS
    out = values[first : first + len(table)].reshape(groups, -1, values.shape[2])
    joined = np.ascontiguousarray(table).reshape(groups, -1)
    return one_after_another(together, data, joined, np.arange(groups), out)
