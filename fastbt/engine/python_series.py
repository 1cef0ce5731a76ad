"""Series that Python computes: functions of the user's own, TA-Lib, numpy, on candle columns and on other series.

An expression over whole arrays is evaluated once, if its older values do not change when rows are added; that is
checked on the spot. One that gives single numbers, or that sees a window, is evaluated at each bar on what is visible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Final, NamedTuple

import numpy as np

from fastbt.engine.frames import Frame
from fastbt.errors import IndicatorError
from fastbt.indicators._registry import warm_up_window
from fastbt.types import TIMESTAMP, Float1D, Float2D, Status

_STATUSES: Final = {each.jesse_exception: each for each in Status if each.jesse_exception is not None}

#: Behind a value: it is None; or, added to a status, Python raised that exception.
IS_NONE: Final = 1
RAISED: Final = 2

#: Differences up to this size are rounding, not knowledge of the future.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Expression:
    """Python code of the market stage.

    Attributes
    ----------
    label : str
        As the user wrote it, for messages.
    code : code object
    environment : mapping
        The objects that the code names, and `account` and `route`.
    word : callable
        Returns the number that stands for a string.
    """

    label: str
    code: CodeType
    environment: Mapping[str, Any] = field(repr=False)
    word: Callable[[str], int] = field(repr=False)

    def __call__(self, hp: Mapping[str, Any], arrays: Mapping[str, Any]) -> Any:
        """Return its value for some hyper-parameters and visible arrays."""
        with np.errstate(all="ignore"):
            return eval(self.code, {**self.environment, "hp": hp, **arrays})


class PythonKey(NamedTuple):
    """One distinct series of this kind, for the series matrix.

    Attributes
    ----------
    expression : Expression
    values : tuple of (str, object)
        The hyper-parameters that it reads.
    inputs : tuple of (str, object)
        Names of the code and what they are: a timeframe's candles ("" for the traded one), or another series and its
        field.
    per_bar : bool
        Whether it is evaluated at each bar.
    n_fields : int
    missing : int
        How many rows its arrays are shorter than what they are computed from.
    window : int
        Jesse's `warm_up_candles`.
    """

    expression: Expression
    values: tuple[tuple[str, Any], ...]
    inputs: tuple[tuple[str, Any], ...]
    per_bar: bool
    n_fields: int
    missing: int
    window: int

    @property
    def n_rows(self) -> int:
        """Rows of the series matrix: of what is asked for at each bar, a flag behind each value."""
        return self.n_fields * (2 if self.per_bar else 1)


def fields_of(result: Any) -> tuple[Any, ...]:
    """Return the parts of a result: those of a tuple or list, or itself."""
    return tuple(result) if isinstance(result, tuple | list) else (result,)


class Visible:
    """What an expression sees at each bar: views of a private copy, which it must not write to."""

    def __init__(
        self,
        key: PythonKey,
        bars: Float2D,
        row_of: Callable[[Any, int], Float1D],
        frame_of: Callable[[str], Frame] | None,
    ) -> None:
        self._originals: list[tuple[Any, Any]] = []
        self._arrays: dict[str, tuple[Any, int]] = {}
        self._frames: dict[str, Frame] = {}
        for name, what in key.inputs:
            if isinstance(what, str) and what:
                assert frame_of is not None
                self._frames[name] = frame_of(what)
                continue
            missing = 0
            if isinstance(what, str):
                original: Any = bars
            else:
                original, missing = row_of(*what), getattr(what[0], "missing", 0)
            array = np.array(original, order="C")
            self._originals.append((original, array))
            self._arrays[name] = (array, missing)

    def at(self, n: int) -> dict[str, Any]:
        """Return the arrays of the first `n` bars."""
        seen: dict[str, Any] = {name: array[missing:n] for name, (array, missing) in self._arrays.items()}
        for name, frame in self._frames.items():
            t = n - 1
            newest = int(frame.newest[t])
            if np.isnan(frame.forming[t, TIMESTAMP]):
                seen[name] = frame.rows[: newest + 1]
            else:
                seen[name] = np.vstack([frame.rows[:newest], frame.forming[t]])
        return seen

    def check_unchanged(self, label: str) -> None:
        """Refuse an expression that wrote into what it was given."""
        for original, array in self._originals:
            if not np.array_equal(original, array, equal_nan=True):
                raise IndicatorError(f"{label} writes into its candles; work on a copy: candles.copy()")


def fill_python_series(
    key: PythonKey,
    bars: Float2D,
    out: Float2D,
    row_of: Callable[[Any, int], Float1D],
    frame_of: Callable[[str], Frame] | None,
    first_bar: int = 0,
) -> None:
    """Fill the rows of one series.

    Parameters
    ----------
    key : PythonKey
    bars : ndarray, shape (n_bars, 6)
    out : ndarray, shape (key.n_rows, n_bars)
    row_of : callable
        Returns a field of another series.
    frame_of : callable or None
        Returns the frame of another timeframe.
    first_bar : int
        The first bar at which anything is decided.

    Raises
    ------
    IndicatorError
        If the expression raises, looks ahead, writes into its input, or returns something else than before.
    """
    visible = Visible(key, bars, row_of, frame_of)
    with warm_up_window(key.window):
        (_fill_at_each_bar if key.per_bar else _fill_at_once)(key, visible, out, first_bar)
    visible.check_unchanged(key.expression.label)


def _evaluate(key: PythonKey, visible: Visible, n: int) -> tuple[Any, ...]:
    """Return the fields as seen after `n` bars."""
    label = key.expression.label
    try:
        found = fields_of(key.expression(dict(key.values), visible.at(n)))
    except Exception as error:
        raise IndicatorError(f"{label} raised {type(error).__name__} at bar {n - 1}: {error}") from error
    if len(found) != key.n_fields:
        raise IndicatorError(f"{label} returned {len(found)} values at bar {n - 1}, and {key.n_fields} before")
    return found


def _fill_at_each_bar(key: PythonKey, visible: Visible, out: Float2D, first_bar: int) -> None:
    n, hp, label = key.n_fields, dict(key.values), key.expression.label
    out[:] = 0.0
    for t in range(first_bar, out.shape[1]):
        try:
            found = fields_of(key.expression(hp, visible.at(t + 1)))
        except Exception as error:
            # It ends the run only where the strategy asks for it.
            out[n:, t] = RAISED + _STATUSES.get(type(error).__name__, Status.USER_EXCEPTION)
            continue
        if len(found) != n:
            raise IndicatorError(f"{label} returned {len(found)} values at bar {t}, and {n} before")
        for i, value in enumerate(found):
            if value is None:
                out[n + i, t] = IS_NONE
                continue
            try:
                out[i, t] = key.expression.word(value) if isinstance(value, str) else value
            except (TypeError, ValueError):
                raise IndicatorError(f"{label} returned {value!r} at bar {t}, no number") from None


def _fill_at_once(key: PythonKey, visible: Visible, out: Float2D, first_bar: int) -> None:
    n = out.shape[1]
    whole = stack(key, _evaluate(key, visible, n), n)
    for rows in sorted({first_bar + 1, n // 4, n * 3 // 5, n - 1}):
        if first_bar < rows < n:
            check_prefix(key.expression.label, whole, lambda m: stack(key, _evaluate(key, visible, m), m), rows)
    out[:] = whole


def stack(key: PythonKey, fields: tuple[Any, ...], n: int) -> Float2D:
    """Return arrays in front of which `missing` rows are NaN, as one."""
    result = np.full((key.n_fields, n), np.nan)
    for row, each in zip(result, fields, strict=True):
        array = np.asarray(each)
        if array.shape != (n - min(n, key.missing),):
            raise IndicatorError(
                f"{key.expression.label} returned an array of the shape {array.shape} for {n} rows, where "
                f"{n - key.missing} values were wanted"
            )
        row[min(n, key.missing) :] = array
    return result


def differs(part: Float2D, whole: Float2D) -> Any:
    """Where values over the first rows are not those over all rows, to the last bit."""
    later = whole[:, : part.shape[1]]
    return ~((part == later) | (np.isnan(part) & np.isnan(later)))


def changes(part: Float2D, whole: Float2D) -> Any:
    """Where they differ by more than rounding."""
    later = whole[:, : part.shape[1]]
    with np.errstate(invalid="ignore"):
        near = np.abs(part - later) <= ROUNDING * np.maximum(1.0, np.abs(part))
    return differs(part, whole) & ~near


def check_prefix(label: str, whole: Float2D, evaluate: Callable[[int], Float2D], rows: int) -> None:
    """Refuse a series whose first values change when there are more rows than `rows`.

    Raises
    ------
    IndicatorError
        Names the first bar at which it looks ahead.
    """
    part = evaluate(rows)
    if not differs(part, whole).any():
        return
    low, high = 1, rows
    while low < high:
        # The first number of rows that shows it; a value that is right by chance may hide earlier ones.
        middle = (low + high) // 2
        try:
            wrong = bool(differs(evaluate(middle), whole).any())
        except IndicatorError:
            wrong = False
        low, high = (low, middle) if wrong else (middle + 1, high)
    part = evaluate(high)
    if not differs(part, whole).any():
        part = evaluate(rows)
    bar, field = np.argwhere(differs(part, whole).T)[0]
    what = "looks ahead" if changes(part, whole).any() else "changes its older values by rounding"
    raise IndicatorError(
        f"{label} {what}: at bar {bar} it is {part[field, bar]} with {part.shape[1]} bars, and "
        f"{whole[field, bar]} once there are {whole.shape[1]}. Return its last value from a function, as one number: "
        'that is asked for at each bar, as in Jesse; or use mode="interpreted"'
    )


def prefixes(n: int) -> Iterator[int]:
    """Return numbers of rows at which an expression is tried before the run, the longest first."""
    return iter(sorted({n - 1, n - 2, *range(n // 4, n, max(7, n // 24))}, reverse=True))
