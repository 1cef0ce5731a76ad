"""What hyper-parameters must satisfy together, as text: `fast_period < slow_period`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fastbt.compiler.sets import SetTable
from fastbt.errors import SettingsError, did_you_mean

_BINARY: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
}
_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abs": np.abs,
    "min": lambda *each: np.minimum.reduce(np.broadcast_arrays(*each)),
    "max": lambda *each: np.maximum.reduce(np.broadcast_arrays(*each)),
}
_ALLOWED = (
    "names of hyper-parameters, numbers, texts, + - * / // % **, < <= > >= == !=, in, and, or, not, abs, min and max"
)


@dataclass(frozen=True)
class Constraint:
    """One condition on the hyper-parameters of a set.

    Parameters
    ----------
    text : str
        Names of hyper-parameters, numbers, texts, arithmetic, comparisons (chained ones too), `in`, `and`, `or`, `not`,
        `abs`, `min` and `max`. It is never run as Python.

    Raises
    ------
    SettingsError
        If it holds anything else, or compares nothing.

    Examples
    --------
    >>> rule = Constraint("fast < slow and slow - fast >= 10")
    >>> rule.names
    ('fast', 'slow')
    >>> rule.holds(SetTable.of({"fast": [5, 60, 45], "slow": 50})).tolist()
    [True, False, False]
    """

    text: str

    def __post_init__(self) -> None:
        try:
            node = ast.parse(self.text.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            raise SettingsError(f"constraint {self.text!r}: wanted a condition such as 'fast < slow'") from None
        self._check(node)
        if not isinstance(node, ast.Compare | ast.BoolOp | ast.Name) and not (
            isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        ):
            raise SettingsError(f"constraint {self.text!r}: wanted a condition, such as 'fast < slow'; it is a value")
        object.__setattr__(self, "_node", node)

    @property
    def names(self) -> tuple[str, ...]:
        """Hyper-parameters that it reads, in order of appearance."""
        node: ast.AST = self._node  # type: ignore[attr-defined]
        called = {id(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
        found = [each for each in ast.walk(node) if isinstance(each, ast.Name) and id(each) not in called]
        return tuple(dict.fromkeys(each.id for each in sorted(found, key=lambda each: (each.lineno, each.col_offset))))

    def _check(self, node: ast.AST) -> None:
        match node:
            case ast.Name():
                return
            case ast.Constant(value) if isinstance(value, int | float | str):
                return
            case ast.BinOp(left, op, right) if type(op) in _BINARY:
                parts: list[ast.AST] = [left, right]
            case ast.UnaryOp(ast.USub() | ast.UAdd() | ast.Not(), operand):
                parts = [operand]
            case ast.BoolOp(_, values):
                parts = list(values)
            case ast.Compare(left, ops, comparators) if all(
                type(op) in _COMPARE or isinstance(op, ast.In | ast.NotIn) for op in ops
            ):
                parts = [left, *comparators]
            case ast.Call(ast.Name(name), arguments, []) if name in _FUNCTIONS and arguments:
                parts = list(arguments)
            case ast.Tuple(elements) | ast.List(elements) | ast.Set(elements):
                parts = list(elements)
            case _:
                raise SettingsError(
                    f"constraint {self.text!r}: {ast.unparse(node)!r} is not allowed; there may be {_ALLOWED}"
                )
        for each in parts:
            self._check(each)

    def holds(self, table: SetTable) -> npt.NDArray[np.bool_]:
        """Return for each set whether it satisfies the condition; where a number is missing (0 / 0) it does not.

        Parameters
        ----------
        table : SetTable
            With a column for each of `names`.

        Raises
        ------
        SettingsError
            If a value has no such operation: a text plus a number.
        """
        columns = {name: _values(table, name) for name in self.names}
        try:
            with np.errstate(all="ignore"):
                found = _evaluate(self._node, columns)  # type: ignore[attr-defined]
        except TypeError as error:
            raise SettingsError(f"constraint {self.text!r}: {error}") from None
        return np.broadcast_to(_truth(found), (len(table),)).copy()


def _values(table: SetTable, name: str) -> npt.NDArray[Any]:
    """Return a column: numbers as floats, everything else as objects."""
    column = table.columns[name]
    numbers = column.numbers()
    if numbers is not None:
        return numbers.astype(np.float64)
    values, codes = column.distinct()
    if all(isinstance(value, int | float) for value in values):
        return np.array(values, dtype=np.float64)[codes]
    objects = np.empty(len(values), dtype=object)
    objects[:] = list(values)
    return objects[codes]


def _truth(value: Any) -> npt.NDArray[np.bool_]:
    array = np.asarray(value)
    if array.dtype == np.float64:
        numbers: npt.NDArray[np.bool_] = (array != 0.0) & ~np.isnan(array)
        return numbers
    return array.astype(np.bool_)


def _evaluate(node: ast.AST, columns: Mapping[str, npt.NDArray[Any]]) -> Any:
    match node:
        case ast.Name(name):
            return columns[name]
        case ast.Constant(value):
            return value if isinstance(value, str) else float(value)  # type: ignore[arg-type]
        case ast.BinOp(left, op, right):
            return _BINARY[type(op)](_evaluate(left, columns), _evaluate(right, columns))
        case ast.UnaryOp(ast.Not(), operand):
            return ~_truth(_evaluate(operand, columns))
        case ast.UnaryOp(op, operand):
            value = _evaluate(operand, columns)
            return -value if isinstance(op, ast.USub) else value
        case ast.BoolOp(op, values):
            parts = np.broadcast_arrays(*(_truth(_evaluate(each, columns)) for each in values))
            return np.logical_and.reduce(parts) if isinstance(op, ast.And) else np.logical_or.reduce(parts)
        case ast.Compare(left, ops, comparators):
            operands = [_evaluate(left, columns)]
            results = []
            for comparison, each in zip(ops, comparators, strict=True):
                if isinstance(comparison, ast.In | ast.NotIn):
                    if not isinstance(each, ast.Tuple | ast.List | ast.Set):
                        raise TypeError("'in' wants a list such as ('sma', 'ema')")
                    found = [_equal(operands[-1], _evaluate(one, columns)) for one in each.elts]
                    within = np.logical_or.reduce(np.broadcast_arrays(np.False_, *found))
                    results.append(within if isinstance(comparison, ast.In) else ~within)
                    operands.append(None)
                    continue
                right = _evaluate(each, columns)
                if isinstance(comparison, ast.Eq):
                    results.append(_equal(operands[-1], right))
                elif isinstance(comparison, ast.NotEq):
                    results.append(~_equal(operands[-1], right))
                else:
                    results.append(_truth(_COMPARE[type(comparison)](operands[-1], right)))
                operands.append(right)
            return np.logical_and.reduce(np.broadcast_arrays(*results))
        case ast.Call(ast.Name(name), arguments):
            return _FUNCTIONS[name](*(_evaluate(each, columns) for each in arguments))
    raise AssertionError("checked before")


def _equal(left: Any, right: Any) -> npt.NDArray[np.bool_]:
    """Compare as Python does: a text equals no number."""
    left, right = np.asarray(left), np.asarray(right)
    if left.dtype == np.float64 and right.dtype == np.float64:
        return np.asarray(left == right)
    left, right = np.broadcast_arrays(left.astype(object), right.astype(object))
    pairs = zip(left.ravel().tolist(), right.ravel().tolist(), strict=True)
    return np.array([bool(one == two) for one, two in pairs]).reshape(left.shape)


def parse_constraints(texts: str | Iterable[str | Constraint], known: Sequence[str]) -> tuple[Constraint, ...]:
    """Return the constraints of texts.

    Parameters
    ----------
    texts : str or iterable of str
    known : sequence of str
        The hyper-parameters that there are.

    Raises
    ------
    SettingsError
        If a text is no condition or reads an unknown hyper-parameter.
    """
    given = [texts] if isinstance(texts, str) else list(texts)
    found = tuple(each if isinstance(each, Constraint) else Constraint(each) for each in given)
    for constraint in found:
        for name in constraint.names:
            if name not in known:
                raise SettingsError(
                    f"constraint {constraint.text!r}: there is no hyper-parameter {name!r}; there is "
                    f"{', '.join(known) or 'none'}.{did_you_mean(name, known)}"
                )
        if not constraint.names:
            raise SettingsError(f"constraint {constraint.text!r}: it reads no hyper-parameter")
    return found


def satisfied(constraints: Iterable[Constraint], table: SetTable) -> npt.NDArray[np.bool_]:
    """Return for each set whether it satisfies all constraints."""
    mask = np.ones(len(table), dtype=np.bool_)
    for each in constraints:
        mask &= each.holds(table)
    return mask
