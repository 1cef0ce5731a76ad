"""What the compiler knows about an expression before the kernel runs.

Each expression is lowered to one of these. The stage of design.md section 3 is in the type: `Const` and `Config` are
known before the run (config stage), `Series` and what is read from it come from the market stage, `Number` is code of
the state stage.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import TYPE_CHECKING, Any

from fastbt.compiler.load import Method

if TYPE_CHECKING:
    from fastbt.compiler.cells import Cell

#: Python's numeric types, narrowest first.
NUMERIC = ("bool", "int", "float")


class Value:
    """Anything an expression can be at compile time."""


@dataclass(frozen=True)
class Const(Value):
    """The same for every parameter set: a literal, a module, a function, an attribute set once."""

    value: Any


@dataclass(frozen=True)
class Config(Value):
    """Known once the hyper-parameters and the account are: plain Python, evaluated once a parameter set.

    Attributes
    ----------
    node : ast.expr
        Over the names `hp`, `account` and `route`, and the objects in the program's table.
    sample : object
        Its value for the sample set that the program is compiled with; tells the type.
    """

    node: ast.expr
    sample: Any


@dataclass(frozen=True)
class Number(Value):
    """A number that the kernel computes.

    Attributes
    ----------
    node : ast.expr
        Code of the generated module.
    type : str
        bool, int or float.
    numpy : bool or None
        Whether Jesse would hold a numpy scalar there (division by zero gives inf), a Python number (it raises), or
        None if that cannot be told.
    none : ast.expr or None
        Code that tells whether the value is None, if it can be.
    constant : Const or Config or None
        The config-stage value behind a name that is assigned once.
    pure : Pure or None
        What Python can compute it from, if it is known before the run (see `market`).
    """

    node: ast.expr
    type: str
    numpy: bool | None = None
    none: ast.expr | None = None
    constant: Const | Config | None = None
    pure: Any = None


@dataclass(frozen=True)
class Nothing(Number):
    """An item of a list that nothing ever fills: where it is asked for the run ends, and what follows never happens."""


@dataclass(frozen=True)
class Series(Value):
    """A market series; `at(index)` is its value `index` rows from the newest (-1) or from the first (0).

    Attributes
    ----------
    at : callable
        Takes the index as a value.
    name : str
        For messages.
    origin : object
        What an indicator of this series is computed from: a source type or the slot and row of another indicator; None
        if it cannot be one's input.
    end : int
        How many of the newest rows it leaves out.
    array : ast.expr or None
        Code of a 1-D array of its values by bar, if there is one.
    pure : Pure or None
        What Python can compute it from (see `market`).
    size : int or None
        Of an array that is no series by bar: how many items it has.
    sample : object
        Of an object that is no array, as those of pandas: what it is on made-up candles.
    base : Series or None
        Of what leaves out newest rows: the series with them.
    lacks : ast.expr or None
        Code of how many rows it has less than there are bars, from the first one on.
    rebuilt : callable or None
        Of an array that is another one at each bar: emits what makes it in the kernel, and returns it.
    """

    at: Callable[[Value], Number]
    name: str
    origin: Any = None
    end: int = 0
    array: ast.expr | None = None
    pure: Any = None
    size: int | None = None
    sample: Any = field(default=None, compare=False)
    base: Series | None = None
    lacks: ast.expr | None = None
    rebuilt: Callable[[], Listing] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Candles(Value):
    """The candle array of the trading route, or a slice of it.

    Attributes
    ----------
    end : int
        How many of the newest rows it leaves out: 1 for `[:-1]`.
    tail : Const or Config or Number or None
        How many rows it keeps of the rest: n for `[-n:]`; None for all.
    timeframe : str
        Another timeframe than the traded one, or "".
    """

    end: int = 0
    tail: Const | Config | Number | None = None
    timeframe: str = ""


@dataclass(frozen=True)
class Window(Value):
    """The last rows of a series: `[-start:]` or `[-start:-stop]`.

    Attributes
    ----------
    series : Series
    start : Number
        How many rows back it begins.
    stop : int
        How many of the newest rows it leaves out.
    """

    series: Series
    start: Number
    stop: int = 0


@dataclass(frozen=True)
class Method1D(Value):
    """A method of a series or window, as `.mean`."""

    owner: Series | Window
    name: str


@dataclass(frozen=True)
class CandleRow(Value):
    """One candle: a row index as for `Series`."""

    index: Value


@dataclass(frozen=True)
class Group(Value):
    """A tuple, list, named tuple or dict whose items are known one by one.

    Attributes
    ----------
    items : tuple of Value
    fields : tuple of str or None
        Names of a named tuple's items.
    is_list : bool
    keys : tuple or None
        Keys of a dict's items, in their order.
    none : ast.expr or None
        Code that tells whether it is None, if it can be.
    present : tuple of (ast.expr or None) or None
        For each key of a dict, code that tells whether it is there, if it can be missing.
    cell : Cell or None
        Where it is kept, if it is a variable of the strategy.
    place : tuple or None
        Of an item of a list: the list's cell, and code of where in it the item is; no cell if that is unknown by now.
    """

    items: tuple[Value, ...]
    fields: tuple[str, ...] | None = None
    is_list: bool = False
    keys: tuple[Any, ...] | None = None
    none: ast.expr | None = None
    present: tuple[ast.expr | None, ...] | None = None
    cell: Cell | None = None
    place: tuple[Cell | None, ast.expr] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Listing(Value):
    """A list whose length and items the kernel knows.

    Attributes
    ----------
    cell : Cell
        Where they are kept.
    none : ast.expr or None
        Code that tells whether it is None, if it can be.
    view : Cell or None
        The array that it is a part of, which in numpy shares its memory; here it is a copy.
    """

    cell: Cell
    none: ast.expr | None = None
    view: Cell | None = None


@dataclass(frozen=True)
class Moment(Value):
    """A point in time or a length of time, kept in whole microseconds (a date: in whole days).

    Attributes
    ----------
    node : ast.expr
    kind : str
        datetime, date, time or timedelta.
    none : ast.expr or None
        Code that tells whether it is None, if it can be.
    is_aware : bool
        Whether a datetime knows that it is UTC.
    """

    node: ast.expr
    kind: str
    none: ast.expr | None = None
    is_aware: bool = False


@dataclass(frozen=True)
class Function(Value):
    """A function inside a method, or a lambda: its source and the names around it."""

    node: ast.FunctionDef | ast.Lambda
    names: Any


@dataclass(frozen=True)
class Sequence(Value):
    """What a loop runs over: `at(i)` is the item `i` rows from the first.

    Attributes
    ----------
    length : ast.expr
        Code of the number of items.
    at : callable
        Takes code of a valid index.
    name : str
        For messages.
    cell : Cell or None
        Of a list, which may change while a loop runs over it.
    """

    length: ast.expr
    at: Callable[[ast.expr], Value]
    name: str
    cell: Cell | None = None


@dataclass(frozen=True)
class Part(Value):
    """An object of the strategy's API: self, position, hp, vars, order, trade."""

    name: str


@dataclass(frozen=True)
class Other(Value):
    """Another route of the account, its strategy or its position.

    Attributes
    ----------
    part : str
        route, strategy or position.
    index : int or None
        Its place among the routes; None for the one that a broadcast comes from.
    """

    part: str
    index: int | None


@dataclass(frozen=True)
class Bound(Value):
    """A method of the strategy, user's own or the API's (then `method` is None)."""

    name: str
    method: Method | None


@dataclass(frozen=True)
class Text(Value):
    """A string that the kernel keeps as a code: it can be stored, compared and tested for membership.

    Attributes
    ----------
    node : ast.expr
        Code of the string's code.
    none : ast.expr or None
        Code that tells whether it is None, if it can be.
    constant : Const or Config or None
        The string behind a name that is assigned once.
    """

    node: ast.expr
    none: ast.expr | None = None
    constant: Const | Config | None = None


@dataclass(frozen=True)
class Member(Value):
    """A method of a list, dict or string."""

    owner: Value
    name: str


@dataclass(frozen=True)
class Super(Value):
    """`super()`: the classes after the one at hand."""

    after: type


@dataclass(frozen=True)
class Points(Value):
    """What self.buy, self.sell, self.stop_loss or self.take_profit holds, read back: None or an array of orders."""

    key: str


@dataclass(frozen=True)
class Conflict(Value):
    """A name that holds different things on different paths."""

    reason: str


def join_types(a: str, b: str) -> str:
    """Return the wider of two numeric types."""
    return NUMERIC[max(NUMERIC.index(a), NUMERIC.index(b))]


def join_numpy(a: bool | None, b: bool | None) -> bool | None:
    """Return what is known of a value that comes from either of two places."""
    return a if a == b else None


def type_of(value: Any) -> str | None:
    """Return the numeric type of a Python object, or None if it is no number."""
    import numpy as np

    if isinstance(value, bool | np.bool_):
        return "bool"
    if isinstance(value, int | np.integer):
        return "int"
    if isinstance(value, float | np.floating):
        return "float"
    return None


def name(identifier: str) -> ast.expr:
    """Return the node of a name."""
    return ast.Name(identifier, ast.Load())


def parse(text: str, **nodes: ast.expr) -> ast.expr:
    """Return the node of a piece of source in which names stand for other nodes.

    Examples
    --------
    >>> ast.unparse(parse("a * b", a=parse("x + 1"), b=parse("y")))
    '(x + 1) * y'
    """

    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return nodes.get(node.id, node)

    result = Fill().visit(ast.parse(text, mode="eval").body)
    assert isinstance(result, ast.expr)
    return result


def expression_code(node: ast.expr, label: str) -> CodeType:
    """Return an expression as Python evaluates it; what Python warns of, it said when the file was imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(ast.fix_missing_locations(ast.Expression(node)), label, "eval")


class Default:
    """A hook of Jesse's own class."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, *_: Any) -> Any:
        """Return what Jesse's own hook returns."""
        return self.value
