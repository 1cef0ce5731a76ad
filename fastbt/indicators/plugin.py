"""Indicators of your own: declared with `@fastbt.indicator`, checked, and from then on like Jesse's.

A plain function returns one array, or a tuple of arrays, with the value at every row::

    import fastbt

    @fastbt.indicator
    def body_share(candles, period: int = 14):
        body = np.abs(candles[:, 2] - candles[:, 1])
        ...

A compiled kernel fills `out`, one row for each field; the function then only declares the arguments::

    @njit
    def _range_share(candles, params, out): ...

    @fastbt.indicator(kernel=_range_share)
    def range_share(candles, period: int = 14): ...

A package offers its indicators to all strategies, as `ta.name`, by entry points of the group `fastbt.indicators`::

    [project.entry-points."fastbt.indicators"]
    range_share = "my_package.indicators:range_share"
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any, Final, overload

import numpy as np

from fastbt.errors import IndicatorError
from fastbt.indicators import _registry
from fastbt.indicators._registry import REGISTRY, Indicator, Kernel, select_source
from fastbt.types import Float1D, Float2D

#: Where other packages name their indicators.
GROUP: Final = "fastbt.indicators"

#: Rows of the candles on which an indicator is tried; the second length for those that need a long history.
_ROWS = (260, 2600)
#: Differences up to this size are rounding, not knowledge of the future.
_ROUNDING = 1e-9
_KINDS = {"int": "int", "float": "float", "bool": "bool", "str": "str"}


@overload
def indicator(function: Callable[..., Any], /) -> Callable[..., Any]: ...


@overload
def indicator(
    *,
    kernel: Kernel | None = None,
    source: str | None = None,
    record: type | None = None,
    codes: Mapping[str, Mapping[str, int]] | None = None,
    booleans: frozenset[str] = frozenset(),
    none_if_nan: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...


def indicator(
    function: Callable[..., Any] | None = None,
    /,
    *,
    kernel: Kernel | None = None,
    source: str | None = None,
    record: type | None = None,
    codes: Mapping[str, Mapping[str, int]] | None = None,
    booleans: frozenset[str] = frozenset(),
    none_if_nan: bool = False,
) -> Callable[..., Any]:
    """Register an indicator of your own, which strategies then call like one of Jesse's.

    The arguments are those of the function after the first one, with their defaults; `sequential` is added, and with
    `source` also `source_type`. What it returns is the last value, or all of them with `sequential=True`.

    Parameters
    ----------
    function : callable
        `function(data, *arguments)` returns an array of shape (n,), or one for each field of `record`. `data` are the
        (n, 6) candles, or with `source` the chosen (n,) series. With `kernel`, only its signature is used.
    kernel : callable, optional
        `kernel(data, params, out)`, compiled by numba or not: `params` are the arguments as float64 and `out` is
        (n_fields, n), to be filled.
    source : str, optional
        Take one series in place of the candles: the default of `source_type`.
    record : type, optional
        Named tuple of the fields, for more than one.
    codes : mapping, optional
        For every argument that is a string: the number of each accepted string.
    booleans : frozenset of str
        Fields that are truth values.
    none_if_nan : bool
        Return None for an unknown last value.

    Returns
    -------
    callable
        The public function. In a sweep its series is computed once for each distinct argument list.

    Raises
    ------
    IndicatorError
        If a value changes when later bars arrive (the message names the bar), is not written, or depends on anything
        but the arguments; if it fails on few rows; or if the name or the signature is not usable.

    Notes
    -----
    The check compares the values over the first rows with those over all rows, of made-up candles and with the default
    arguments; rounding (1e-9) is let pass, and such an indicator is then computed anew for every bar. It cannot be
    called in callbacks of fills on a candle that is still forming.

    Examples
    --------
    >>> import numpy as np
    >>> import fastbt
    >>> @fastbt.indicator(source="close")
    ... def change(series, lag: int = 1):
    ...     return np.concatenate([np.full(min(lag, len(series)), np.nan), series[lag:] - series[:-lag]])
    >>> change(np.array([1.0, 4.0]), sequential=True)
    array([nan,  3.])
    >>> _ = fastbt.indicators.REGISTRY.pop("change")  # an indicator is known until the process ends
    >>> @fastbt.indicator(source="close")
    ... def centred(series):
    ...     return series - series.mean()
    Traceback (most recent call last):
    fastbt.errors.IndicatorError: centred looks ahead: ...
    """

    def declare(public: Callable[..., Any]) -> Callable[..., Any]:
        name = public.__name__
        known = REGISTRY.get(name)
        home = (public.__module__, public.__qualname__)
        if known is not None and (known.function.__module__, known.function.__qualname__) != home:
            raise IndicatorError(f"there is already an indicator {name!r}; choose another name")
        declared = _declaration(public, source)
        run = kernel or _kernel_of(public, name, declared, codes or {})
        options: dict[str, Any] = {
            "record": record,
            "accepts_1d": source is not None,
            "codes": codes,
            "booleans": booleans,
            "none_if_nan": none_if_nan,
        }
        try:
            result = _registry.indicator(python=run, **options)(declared)
            if not _is_stable(REGISTRY[name]):
                result = _registry.indicator(python=run, prefix_stable=False, **options)(declared)
        except BaseException:
            REGISTRY.pop(name, None)
            if known is not None:
                REGISTRY[name] = known
            raise
        return result

    return declare if function is None else declare(function)


def _declaration(public: Callable[..., Any], source: str | None) -> Callable[..., Any]:
    """Return a function with the signature of Jesse's indicators: candles, arguments, source_type, sequential."""
    name = public.__name__
    parameters = list(inspect.signature(public).parameters.values())
    if not parameters:
        raise IndicatorError(f"{name}: the first argument must be the candles or the series")
    arguments = []
    for each in parameters[1:]:
        if each.kind is not each.POSITIONAL_OR_KEYWORD or each.default is each.empty:
            raise IndicatorError(f"{name}: the argument {each.name} must be an ordinary one with a default")
        if each.name in ("source_type", "sequential"):
            raise IndicatorError(f"{name}: {each.name} is added by itself; leave it out (see `source`)")
        stated = getattr(each.annotation, "__name__", each.annotation)
        kind = _KINDS.get(stated if isinstance(stated, str) else "", type(each.default).__name__)
        if kind not in _KINDS:
            raise IndicatorError(f"{name}: the default of {each.name} must be a number or a string")
        arguments.append(each.replace(annotation=kind))
    plain = inspect.Parameter.POSITIONAL_OR_KEYWORD
    first = inspect.Parameter("candles", plain)
    if source is not None:
        select_source(np.empty((0, 6)), source)
        arguments.append(inspect.Parameter("source_type", plain, default=source, annotation="str"))
    arguments.append(inspect.Parameter("sequential", plain, default=False, annotation="bool"))

    def declared(candles: Any, *args: Any, **kwargs: Any) -> Any:
        """Stand for the signature only."""

    declared.__name__, declared.__qualname__ = name, public.__qualname__
    declared.__module__, declared.__doc__ = public.__module__, public.__doc__
    declared.__signature__ = inspect.Signature([first, *arguments])  # type: ignore[attr-defined]
    return declared


def _kernel_of(
    public: Callable[..., Any], name: str, declared: Callable[..., Any], codes: Mapping[str, Mapping[str, int]]
) -> Kernel:
    """Return a kernel that calls a plain function."""
    arguments = [
        each
        for each in list(inspect.signature(declared).parameters.values())[1:]
        if each.name not in ("source_type", "sequential")
    ]
    words = {key: {code: word for word, code in mapping.items()} for key, mapping in codes.items()}
    types: dict[str, Callable[[float], Any]] = {"int": int, "float": float, "bool": bool}

    def run(data: Float1D | Float2D, params: Float1D, out: Float2D) -> None:
        values = [
            words[each.name][int(value)] if each.name in words else types[each.annotation](value)
            for each, value in zip(arguments, params, strict=True)
        ]
        result = public(data, *values)
        fields = result if isinstance(result, tuple) else (result,)
        if len(fields) != len(out):
            raise IndicatorError(f"{name}: {len(out)} arrays were wanted, one for each field; there were {len(fields)}")
        for row, field in zip(out, fields, strict=True):
            array = np.asarray(field, dtype=np.float64)
            if array.shape != row.shape:
                raise IndicatorError(f"{name}: arrays of the shape {row.shape} were wanted, one was {array.shape}")
            row[:] = array

    return run


def made_up_candles(n: int) -> Float2D:
    """Return candles that walk, jump, and stand still for some of the time."""
    rng = np.random.default_rng(n)
    steps = rng.normal(0.0, 0.02, n) * (rng.random(n) < 0.9)
    close = np.round(100.0 * np.exp(np.cumsum(steps)), 2)
    opening = np.r_[100.0, close[:-1]]
    high = np.maximum(opening, close) + np.round(rng.exponential(0.3, n), 2) * (steps != 0.0)
    low = np.minimum(opening, close) - np.round(rng.exponential(0.3, n), 2) * (steps != 0.0)
    time = 1.6e12 + 3_600_000.0 * np.arange(n)
    return np.column_stack([time, opening, close, high, low, np.round(rng.exponential(50.0, n), 3)])


def _tried(described: Indicator, data: Float1D | Float2D, params: Float1D) -> Float2D:
    """Return the values over `data`; refuse what leaves any unwritten or writes into its input."""
    results = []
    for fill in (12345.0, -54321.0):
        out = np.full((len(described.fields), len(data)), fill)
        given = data.copy()
        try:
            with np.errstate(all="ignore"):
                described.run(given, params, out)
        except IndicatorError:
            raise
        except Exception as error:
            raise IndicatorError(
                f"{described.name} failed on {len(data)} rows ({type(error).__name__}: {error}); it must accept any "
                "number of rows, and give NaN where there are too few"
            ) from error
        if not np.array_equal(given, data):
            raise IndicatorError(f"{described.name} writes into its candles; work on a copy")
        results.append(out)
    differs = np.argwhere(~_equal(*results))
    if len(differs):
        field, bar = differs[0]
        raise IndicatorError(
            f"{described.name}: the value of {described.fields[field]} at bar {bar} of {len(data)} is not the same in "
            "two calls: it is not written, or depends on more than the arguments"
        )
    return results[0]


def _equal(a: Float2D, b: Float2D) -> Any:
    """Where two arrays hold the same numbers, or both NaN."""
    return (a == b) | (np.isnan(a) & np.isnan(b))


def _is_stable(described: Indicator) -> bool:
    """Whether later rows leave the values as they are, to the last bit; refuse if they change more than that."""
    source_type, params, _ = described.encode()
    values = np.array(params, dtype=np.float64)
    for n in _ROWS:
        candles = made_up_candles(n)
        data = select_source(candles, source_type or "close") if described.source else candles
        full = _tried(described, data, values)
        if not np.isnan(full).all():
            break
    else:
        raise IndicatorError(f"{described.name} is NaN on all of {_ROWS[-1]} rows")
    stable = True
    checked = 0
    for rows in sorted({*range(1, 25), *range(25, n, max(7, n // 40)), n - 1}):
        part = _tried(described, data[:rows], values)
        stable &= bool(_equal(part, full[:, :rows]).all())
        if _changes(part, full).any():
            # The first bar that changes is between here and the last check.
            parts = (_tried(described, data[:each], values) for each in range(checked + 1, rows + 1))
            part = next(each for each in parts if _changes(each, full).any())
            bar, field = np.argwhere(_changes(part, full).T)[0]
            raise IndicatorError(
                f"{described.name} looks ahead: {described.fields[field]} at bar {bar} is {part[field, bar]} with "
                f"{part.shape[1]} bars, and {full[field, bar]} once there are {n}"
            )
        checked = rows
    return stable


def _changes(part: Float2D, full: Float2D) -> Any:
    """Where the values change by more than rounding once all rows are there."""
    later = full[:, : part.shape[1]]
    with np.errstate(invalid="ignore"):
        near = np.abs(part - later) <= _ROUNDING * np.maximum(1.0, np.abs(part))
    return ~(near | _equal(part, later))


def discover(name: str) -> bool:
    """Load the indicator that an installed package offers under this name; return whether there is one.

    Raises
    ------
    IndicatorError
        If the entry point does not lead to an indicator of that name.
    """
    for entry in metadata.entry_points(group=GROUP, name=name):
        loaded = entry.load()
        if name not in REGISTRY or REGISTRY[name].function is not loaded:
            raise IndicatorError(f"the entry point {entry.value} is not an indicator named {name!r}")
        return True
    return False
