"""What an indicator is: its kernel, its arguments, its fields; and the two ways to run it.

An indicator is declared by the signature of its public function, decorated with `indicator`: names, defaults and types
of the arguments are read from it, the body is supplied. All kernels look alike, so that generated code, the drivers and
the public functions call any of them the same way::

    kernel(data, params, out)

`data` is a contiguous 1-D float64 array (`source` indicators) or the (n, 6) candles, `params` the numeric arguments as
float64, and `out` an (n_fields, n) float64 array that the kernel fills with the value at every row. The value at a row
depends on no later row, unless `prefix_stable` says otherwise.
"""

from __future__ import annotations

import functools
import inspect
import numbers
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, ParamSpec, TypeVar, cast

import numpy as np

from fastbt.errors import ShapeError, did_you_mean
from fastbt.indicators._compute import compute
from fastbt.indicators._sources import (
    AFTER_VWMA,
    AVERAGES,
    OF_CANDLES,
    OTHERWISE,
    SOURCE_CODES,
    SOURCE_COLUMN,
    SOURCES,
    VWAP_COLUMN,
    WITHOUT_CANDLES,
    NoCandles,
    select_source,
    visible_rows,
    warm_up_window,
)
from fastbt.types import CLOSE, Float1D, Float2D

__all__ = [
    "AVERAGES",
    "OF_CANDLES",
    "OTHERWISE",
    "REGISTRY",
    "SOURCE_CODES",
    "SOURCE_COLUMN",
    "VWAP_COLUMN",
    "Indicator",
    "Kernel",
    "NoCandles",
    "Value",
    "after_vwma",
    "compute",
    "get",
    "indicator",
    "select_source",
    "settles_with",
    "visible_rows",
    "warm_up_window",
]

#: One value, or one for every row with `sequential=True`.
Value = float | Float1D

P = ParamSpec("P")
R = TypeVar("R")
Kernel = Callable[[Float1D | Float2D, Float1D, Float2D], None]
WindowedKernel = Callable[[Float1D | Float2D, Float1D, int, Float2D], None]

#: Every indicator by name.
REGISTRY: Final[dict[str, Indicator]] = {}


@dataclass(frozen=True)
class Indicator:
    """One indicator.

    Attributes
    ----------
    name : str
        Jesse's name.
    function : callable
        The public function, with Jesse's signature.
    kernel : callable or None
        The compiled kernel; None if the indicator only exists in `python`.
    fields : tuple of str
        Names of the rows of `out`; `("value",)` for a single one.
    record : type or None
        The named tuple that the public function returns, None for a single value.
    source : bool
        True if `data` is the 1-D source chosen by `source_type`, False if it is the candles.
    accepts_1d : bool
        True if the public function takes a 1-D array in place of candles; that one is never sliced.
    parameters : tuple of str
        Names of the arguments in `params`, in order.
    codes : mapping
        For arguments that are strings: the number of each accepted string.
    allowed, least : mapping
        For whole numbers: the accepted ones, or the least one where that is not 1.
    windowed : callable or None
        A faster `kernel(data, params, window, out)` for the windowed form: fills the columns from `window` on.
    lookback : callable or None
        Of `params`: how many last rows fix the value to the last bit, so that a larger window changes nothing.
    settles : callable or None
        Of `params`: with fewer rows than this the kernel gives other values than it later gives for the same rows.
    python : callable or None
        A kernel in plain numpy, for what must call the same numpy code as Jesse to be equal in the last bit.
    sliced : bool
        False if the non-sequential form sees all rows.
    slices_series : bool
        True if a 1-D array in place of candles is sliced too.
    rows : int or None
        Last rows that the non-sequential form sees, whatever the warm-up window is.
    second_candles : bool
        True if the public function takes other candles after the first; `data` has shape (n, 12) then, both side by
        side.
    whole : callable or None
        A kernel for `sequential=True`, where that is not the kernel's value at every row; it may look ahead.
    inside : callable or None
        `inside(data, params, window, out)`, for an indicator parts of which see all rows and parts the last `window`.
    words : frozenset of str
        Fields that the public function returns as strings; in `out` they are numbers.
    averages_candles : bool
        True if the codes of `OF_CANDLES` are accepted; `data` then is (n, 10), see `select`.
    compacts : bool
        True if unknown values are left out, and the values before one move up to take its place, as in Jesse.
    makes_gaps : bool
        True if its averages may see such unknown values between others.
    natural : bool
        True if `python` is to see a plain source as the column of the candles that it is: Jesse adds up a column in
        another order than a contiguous array.
    alias : mapping
        Sources that Jesse takes for another one.
    result : callable or None
        Of the fields' values (arrays, or numbers of the last row): what the public function returns, where that is
        neither a number nor a named tuple of numbers.
    none_if_nan : bool
        True if the non-sequential form returns None for NaN.
    booleans : frozenset of str
        Fields that the public function returns as truth values; in `out` they are 0.0 and 1.0.
    compiled_if : callable or None
        Of `params`: False where only `python` serves. None if `kernel` serves all.
    prefix_stable : bool
        False if the value at a row depends on later rows or on their number.
    """

    name: str
    function: Callable[..., Any]
    kernel: Kernel | None
    fields: tuple[str, ...]
    record: type | None
    source: bool
    accepts_1d: bool
    parameters: tuple[str, ...]
    signature: inspect.Signature = field(repr=False)
    codes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    allowed: Mapping[str, frozenset[int]] = field(default_factory=dict, repr=False)
    least: Mapping[str, int] = field(default_factory=dict, repr=False)
    windowed: WindowedKernel | None = None
    lookback: Callable[..., float] | None = None
    settles: Callable[..., float] | None = None
    python: Kernel | None = None
    sliced: bool = True
    none_if_nan: bool = False
    prefix_stable: bool = True
    booleans: frozenset[str] = frozenset()
    compiled_if: Callable[..., bool] | None = None
    slices_series: bool = False
    rows: int | None = None
    second_candles: bool = False
    whole: Kernel | None = None
    inside: WindowedKernel | None = None
    words: frozenset[str] = frozenset()
    averages_candles: bool = False
    compacts: bool = False
    makes_gaps: bool = False
    natural: bool = False
    alias: Mapping[str, str] = field(default_factory=dict)
    result: Callable[[list[Any], bool], Any] | None = None

    def compiles(self, params: Sequence[float] | Float1D) -> bool:
        """Whether the compiled kernel serves these arguments."""
        return self.kernel is not None and (self.compiled_if is None or self.compiled_if(*params))

    def is_prefix_stable(self, params: Sequence[float] | Float1D, data: Float1D | Float2D | None = None) -> bool:
        """Whether, with these arguments and for these data, the value at a row depends on no later row.

        Without data: for any in which nothing is unknown.
        """
        names = [
            AVERAGES.get(int(each)) for name, each in zip(self.parameters, params, strict=True) if _is_matype(name)
        ]
        averages = [get(name) for name in names if name is not None]
        if not self.prefix_stable or not all(each.prefix_stable for each in averages):
            return False
        if any(each.compacts for each in averages) and self.makes_gaps:
            return False
        moves_up = self.compacts or any(each.compacts for each in averages)
        return not moves_up or data is None or not _has_gap(data)

    def restarts(self, params: Sequence[float] | Float1D) -> bool:
        """Whether each non-sequential value takes a pass of its own over the last rows, however few fix it nearly.

        One pass over all rows serves all bars instead where `indicator_window="full"` asks for it. Windows that are
        complete in themselves never begin anew; what sees all rows, or changes its older values, has no such form.
        """
        is_window = self.lookback is not None and self.lookback(*params) < np.inf
        sees_last_rows = self.sliced and self.rows is None and self.inside is None
        return sees_last_rows and not is_window and self.is_prefix_stable(params)

    def run(self, data: Float1D | Float2D, params: Float1D, out: Float2D) -> None:
        """Fill `out` by the kernel, compiled or not."""
        chosen = self.kernel if self.compiles(params) else self.python
        assert chosen is not None
        chosen(data, params, out)

    def evaluate(
        self, data: Float1D | Float2D, params: Float1D, out: Float2D, *, sequential: bool, window: int
    ) -> None:
        """Fill `out` with what one call over `data` gives: each row's value, or at least the last one."""
        if self.inside is not None:
            self.inside(data, params, window if 0 < window < len(data) else len(data), out)
        elif sequential and self.whole is not None:
            self.whole(data, params, out)
        else:
            self.run(data, params, out)

    def encode(self, *args: Any, **kwargs: Any) -> tuple[str | None, tuple[float, ...], bool]:
        """Bind a call's arguments, the candles left out, and turn them into numbers.

        Returns
        -------
        source_type : str or None
            None if the indicator has no choice of source.
        params : tuple of float
        sequential : bool

        Raises
        ------
        TypeError
            If an argument is unknown, missing, or of the wrong type.
        ValueError
            If its value makes no sense.

        Examples
        --------
        >>> get("rsi").encode(21, sequential=True)
        ('close', (21.0,), True)
        """
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}: {error}; its arguments are {', '.join(self.signature.parameters)}") from None
        bound.apply_defaults()
        values = bound.arguments
        source_type = values["source_type"] if self.source else None
        source_type = self.alias.get(source_type, source_type) if source_type is not None else None
        if source_type is not None and source_type not in SOURCES:
            select_source(np.empty((0, 6)), source_type)
        params = tuple(self._number(name, values[name]) for name in self.parameters)
        return source_type, params, bool(values.get("sequential", False))

    @functools.cached_property
    def encoded(self) -> Callable[..., tuple[str | None, tuple[float, ...], bool]]:
        """`encode`, which remembers: binding arguments takes longer than some kernels."""
        # Typed, for 1 is True, and 14.0 is 14.
        return functools.lru_cache(maxsize=1024, typed=True)(self.encode)

    @functools.cached_property
    def choices(self) -> tuple[int, ...]:
        """Places in `params` of codes, by which the kernel chooses what to do."""
        return tuple(i for i, each in enumerate(self.parameters) if each in self.codes or each in self.allowed)

    def _number(self, name: str, value: Any) -> float:
        """One argument as a number."""
        if name in self.codes:
            codes = self.codes[name]
            value = self.alias.get(value, value) if name == "source_type" else value
            if value not in codes and OTHERWISE in codes and isinstance(value, str):
                value = OTHERWISE
            if value not in codes:
                wanted = ", ".join(map(repr, codes))
                hint = did_you_mean(str(value), codes)
                raise ValueError(f"{self.name}: {name} must be one of {wanted}, was {value!r}.{hint}")
            return float(codes[value])
        parameter = self.signature.parameters[name]
        if parameter.annotation == "int":
            try:
                whole = operator.index(value)
            except TypeError:
                raise TypeError(f"{self.name}: {name} must be a whole number, was {value!r}") from None
            if name in self.allowed:
                if _is_matype(name) and whole in OF_CANDLES - self.allowed[name]:
                    raise ValueError(f"{self.name}: {name} {whole} (vwma and vwap) cannot be used here, as in Jesse")
                if whole not in self.allowed[name]:
                    raise ValueError(f"{self.name}: {name} {whole} is not one of Jesse's codes")
            # A count: 0 only where Jesse's own default is 0. A negative default marks a level, which may be anything.
            elif 0 <= parameter.default and whole < (least := self.least.get(name, min(1, parameter.default))):
                raise ValueError(f"{self.name}: {name} must be {least} or more, was {whole}")
            return float(whole)
        if not isinstance(value, numbers.Real):
            raise TypeError(f"{self.name}: {name} must be a number, was {value!r}")
        return float(value)

    def select(self, candles: Float2D, source_type: str | None, params: Sequence[float] | Float1D) -> Float1D | Float2D:
        """Return what the kernel takes of the candles: all of them, or the chosen source.

        With an average of `OF_CANDLES`, the candles with the source as a seventh column, and as an eighth the source
        as Jesse's vwap understands it; and both as `after_vwma` finds them.
        """
        if source_type is None:
            return candles
        if self._needs_candles(params):
            names = (source_type, get("vwap").alias.get(source_type, source_type))
            written = candles[:, :6].copy()
            written[:, CLOSE] = select_source(candles, source_type)
            before, after = ([select_source(each, name) for name in names] for each in (candles, written))
            return np.column_stack([candles[:, :6], *before, *after])
        columns = SOURCES.get(source_type, ())
        if len(columns) == 1 and self._sees_columns(params):
            return candles[:, columns[0]]
        return select_source(candles, source_type)

    @functools.cached_property
    def kinds(self) -> Callable[[tuple[float, ...]], tuple[bool, bool]]:
        """Tell of arguments whether `shares_data` and `compiles` hold; it remembers."""
        return functools.lru_cache(maxsize=4096)(lambda params: (self.shares_data(params), self.compiles(params)))

    def shares_data(self, params: Sequence[float] | Float1D) -> bool:
        """Whether `select` returns the candles or what `select_source` does, whatever the other arguments are."""
        return not self._needs_candles(params) and not self._sees_columns(params)

    def _needs_candles(self, params: Sequence[float] | Float1D) -> bool:
        """Whether an average needs the candles beside the source."""
        pairs = zip(self.parameters, params, strict=True)
        return self.averages_candles and any(_is_matype(name) and value in OF_CANDLES for name, value in pairs)

    def _sees_columns(self, params: Sequence[float] | Float1D) -> bool:
        """Whether how a source lies in memory counts."""
        return self.natural and not self.compiles(params)

    def data(
        self,
        candles: Float2D | Float1D,
        source_type: str | None,
        params: Sequence[float],
        sequential: bool,
        second: Float2D | None = None,
    ) -> Float1D | Float2D:
        """Return what the kernel sees of these candles: the last rows, and what `select` takes of them."""
        array = np.asarray(candles, dtype=np.float64)
        is_series = array.ndim == 1 and self.accepts_1d
        if not is_series:
            self._check(array, "candles")
        if len(array) == 0:
            raise NoCandles(self.name)
        window = self.rows or visible_rows()
        if sequential or not self.sliced or self.inside is not None or (is_series and not self.slices_series):
            window = 0
        if self.second_candles:
            other = np.asarray(second, dtype=np.float64)
            self._check(other, "the second candles")
            array, other = array[-window:, :6], other[-window:, :6]
            if len(array) != len(other):
                raise ShapeError(
                    f"{self.name}: both candles must have as many rows, were {len(array)} and {len(other)}"
                )
            return np.hstack([array, other])
        array = array[-window:]
        if self.source and not is_series:
            array = self.select(array, source_type, params)
        return self.arranged(array, params)

    def arranged(self, data: Float1D | Float2D, params: Sequence[float] | Float1D) -> Float1D | Float2D:
        """Return the data contiguous, unless the indicator is to see how they lie in memory."""
        return data if self._sees_columns(params) else _writable(data)

    def _check(self, array: Float2D | Float1D, what: str) -> None:
        """Refuse what are no candles."""
        if array.ndim != 2 or array.shape[1] < 6:
            raise ShapeError(f"{self.name}: {what} must have the shape (n, 6), was {array.shape}")


def _has_gap(data: Float1D | Float2D) -> bool:
    """Whether something is unknown after the first row in which all is known."""
    unknown: Any = np.isnan(data).reshape(len(data), -1).any(axis=1)
    return bool(unknown.any() and unknown[int(unknown.argmin()) :].any())


def after_vwma(data: Float1D | Float2D, matype: float) -> Float1D | Float2D:
    """Return data with an average of `OF_CANDLES` as they are after one of this code; see `Indicator.select`."""
    if data.ndim == 1 or matype != 24:
        return data
    data = data.copy()
    data[:, CLOSE] = data[:, SOURCE_COLUMN]
    for column in (SOURCE_COLUMN, VWAP_COLUMN):
        data[:, column] = data[:, column + AFTER_VWMA]
    return data


def _is_matype(name: str) -> bool:
    """Whether an argument of this name chooses a moving average."""
    return name.endswith("matype")


def settles_with(matype: float, period: float) -> float:
    """Rows before which the average of this code gives other values than later for the same rows."""
    settles = get(AVERAGES[int(matype)]).settles
    return settles(period) if settles is not None else 1


def _writable(data: Float1D | Float2D) -> Float1D | Float2D:
    """Return a contiguous array that is not read-only, for which kernels would be compiled once more."""
    data = np.ascontiguousarray(data, dtype=np.float64)
    return data if data.flags.writeable else data.copy()


def indicator(
    kernel: Kernel | None = None,
    *,
    record: type | None = None,
    accepts_1d: bool = False,
    codes: Mapping[str, Mapping[str, int]] | None = None,
    allowed: Mapping[str, frozenset[int]] | None = None,
    least: Mapping[str, int] | None = None,
    windowed: WindowedKernel | None = None,
    lookback: Callable[..., float] | None = None,
    settles: Callable[..., float] | None = None,
    python: Kernel | None = None,
    sliced: bool = True,
    none_if_nan: bool = False,
    prefix_stable: bool = True,
    booleans: frozenset[str] = frozenset(),
    compiled_if: Callable[..., bool] | None = None,
    slices_series: bool = False,
    rows: int | None = None,
    second_candles: bool = False,
    whole: Kernel | None = None,
    inside: WindowedKernel | None = None,
    words: frozenset[str] = frozenset(),
    averages_candles: bool = False,
    compacts: bool = False,
    makes_gaps: bool = False,
    natural: bool = False,
    alias: Mapping[str, str] | None = None,
    result: Callable[[list[Any], bool], Any] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare an indicator by its public signature; see `Indicator` for the arguments."""

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        name = function.__name__
        full = inspect.signature(function)
        arguments = list(full.parameters.values())[2 if second_candles else 1 :]
        names = [argument.name for argument in arguments]
        source = "source_type" in names and "source_type" not in (codes or {})
        averages = frozenset(AVERAGES) if averages_candles else frozenset(AVERAGES) - OF_CANDLES
        matypes = {each: averages for each in names if _is_matype(each)}
        devtypes = {each: frozenset((0, 1, 2)) for each in names if each == "devtype"}

        candles_count = len(full.parameters) - len(arguments)
        is_plain = record is None and not booleans and not none_if_nan and result is None

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if len(args) >= candles_count:
                all_candles, args = args[:candles_count], args[candles_count:]
            else:
                all_candles, args, kwargs = _candles_of(full, candles_count, args, kwargs)
            try:
                source_type, params, sequential = encoded(*args, **kwargs)
            except TypeError:
                # Also what cannot be looked up, such as a list, which is then named as wrong.
                source_type, params, sequential = described.encode(*args, **kwargs)
            if len(all_candles[0]) == 0 and not sequential and described.name in WITHOUT_CANDLES:
                nothing = [WITHOUT_CANDLES[described.name]] * len(described.fields)
                return nothing[0] if described.record is None else described.record(*nothing)
            data = described.data(all_candles[0], source_type, params, sequential, *all_candles[1:])
            out = np.empty((len(described.fields), len(data)))
            values_of = np.array(params, dtype=np.float64)
            described.evaluate(data, values_of, out, sequential=sequential, window=visible_rows())
            if is_plain:
                return out[0] if sequential else out[0, -1]
            rows = zip(described.fields, out, strict=True)
            values = [row != 0.0 if each in described.booleans else row for each, row in rows]
            if not sequential:
                values = [row[-1] for row in values]
            if described.none_if_nan and not sequential:
                values = [None if np.isnan(value) else value for value in values]
            if described.result is not None:
                return described.result(values, sequential)
            return values[0] if described.record is None else described.record(*values)

        described = Indicator(
            name=name,
            function=call,
            kernel=kernel,
            fields=("value",) if record is None else tuple(record._fields),  # type: ignore[attr-defined]
            record=record,
            source=source,
            accepts_1d=accepts_1d,
            parameters=tuple(each for each in names if each != "sequential" and not (source and each == "source_type")),
            signature=full.replace(parameters=arguments),
            codes=codes or {},
            allowed={**matypes, **devtypes, **(allowed or {})},
            least=least or {},
            windowed=windowed,
            lookback=lookback,
            settles=settles,
            python=python,
            sliced=sliced,
            none_if_nan=none_if_nan,
            prefix_stable=prefix_stable,
            booleans=booleans,
            compiled_if=compiled_if,
            slices_series=slices_series,
            rows=rows,
            second_candles=second_candles,
            whole=whole,
            inside=inside,
            words=words,
            averages_candles=averages_candles,
            compacts=compacts,
            makes_gaps=makes_gaps,
            natural=natural,
            alias=alias or {},
            result=result,
        )
        encoded = described.encoded
        REGISTRY[name] = described
        return cast(Callable[P, R], call)

    return declare


def _candles_of(
    signature: inspect.Signature, count: int, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], tuple[Any, ...], dict[str, Any]]:
    """Split a call's candles, the first `count` arguments, from the others."""
    candles = list(args[:count])
    rest = dict(kwargs)
    for name in list(signature.parameters)[len(candles) : count]:
        if name not in rest:
            raise TypeError(f"the argument {name} is missing; it comes first, before the indicator's own")
        candles.append(rest.pop(name))
    return tuple(candles), args[count:], rest


def get(name: str) -> Indicator:
    """Return the indicator of this name.

    Raises
    ------
    ValueError
        If there is none; the message suggests the nearest name.

    Examples
    --------
    >>> get("atr").parameters
    ('period',)
    """
    if name not in REGISTRY:
        from fastbt.indicators.plugin import discover

        if discover(name):
            return REGISTRY[name]
        raise ValueError(f"there is no indicator {name!r}.{did_you_mean(name, REGISTRY)}")
    return REGISTRY[name]
