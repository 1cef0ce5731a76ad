"""An indicator at every bar of a whole series: in one pass, or over each bar's own last rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fastbt.errors import ShapeError
from fastbt.types import Float1D, Float2D

if TYPE_CHECKING:
    from fastbt.indicators._registry import Indicator


def compute(
    indicator: Indicator,
    data: Float1D | Float2D,
    params: Sequence[float] | Float1D,
    *,
    sequential: bool,
    window: int,
    out: Float2D | None = None,
) -> Float2D:
    """Compute an indicator at every bar of the whole series.

    Parameters
    ----------
    indicator : Indicator
    data : ndarray, shape (n,) or (n, 6), float64
        What the indicator's kernel takes: the selected source or the candles. At least one row.
    params : sequence of float
        From `Indicator.encode`.
    sequential : bool
        True for one pass over all rows: what `sequential=True` returns at the last bar. False for what the
        non-sequential call returns at each bar `t`: the kernel's last value over the rows `max(0, t + 1 - window)..t`.
    window : int
        Jesse's `warm_up_candles`; 0 means that nothing is sliced.
    out : ndarray, shape (n_fields, n), float64, optional
        Where to put the result.

    Returns
    -------
    ndarray, shape (n_fields, n), float64

    Raises
    ------
    ShapeError
        If `data` is empty or `out` has the wrong shape.

    Notes
    -----
    With `prefix_stable` False, or before `settles` rows, `sequential=True` is the array as seen at the last bar only;
    what a strategy sees as `[-1]` at each bar is `sequential=False, window=0`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbt.indicators import get
    >>> compute(get("sma"), np.array([1.0, 3.0, 5.0]), (2.0,), sequential=True, window=0)
    array([[nan,  2.,  4.]])
    """
    n = len(data)
    if n == 0:
        raise ShapeError(f"{indicator.name}: there are no candles")
    shape = (len(indicator.fields), n)
    if out is None:
        out = np.empty(shape)
    elif out.shape != shape or not out.flags.c_contiguous:
        raise ShapeError(f"{indicator.name}: out must be C-contiguous with the shape {shape}, was {out.shape}")
    values = np.ascontiguousarray(params, dtype=np.float64)
    data = indicator.arranged(np.asarray(data, dtype=np.float64), values)
    if indicator.inside is not None or (sequential and indicator.whole is not None):
        indicator.evaluate(data, values, out, sequential=sequential, window=window)
        return out
    if not sequential and indicator.rows is not None:
        window = indicator.rows
    if not indicator.sliced or window <= 0 or window > n:
        window = n
    if sequential:
        indicator.run(data, values, out)
        return out
    if not indicator.is_prefix_stable(values, data):
        _restart(indicator, data, values, window, 0, out)
        return out
    if indicator.lookback is not None and indicator.lookback(*values) <= window:
        window = n
    # Until there are more rows than the window, every slice starts at row 0: one pass serves them all.
    head = out if window == n else np.empty((shape[0], window))
    indicator.run(data[:window], values, head)
    if indicator.settles is not None:
        early = min(window, int(indicator.settles(*values)) - 1)
        if early > 0:
            _restart(indicator, data[:early], values, window, 0, head[:, :early])
    if head is not out:
        out[:, :window] = head
        if indicator.windowed is not None and indicator.compiles(values):
            indicator.windowed(data, values, window, out)
        else:
            _restart(indicator, data, values, window, window, out)
    return out


def _restart(
    indicator: Indicator, data: Float1D | Float2D, params: Float1D, window: int, first: int, out: Float2D
) -> None:
    """Fill the columns from `first` on with the kernel's last value over each bar's window."""
    chosen = indicator.kernel if indicator.compiles(params) else indicator.python
    # A user's compiled kernel is in `python`: generated code, which is cached by its text, must not call it.
    if (chosen is indicator.kernel or hasattr(chosen, "nopython_signatures")) and out.flags.c_contiguous:
        from fastbt.indicators._driver import restart

        restart(chosen, data, params, window, first, out)
        return
    for t in range(first, len(data)):
        visible = data[max(0, t + 1 - window) : t + 1]
        result = np.empty((len(out), len(visible)))
        indicator.run(visible, params, result)
        out[:, t] = result[:, -1]
