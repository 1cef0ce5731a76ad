"""Lower numpy arrays that the run makes: lists of numbers of one type, with arithmetic item by item.

What is known before the run is no concern of this module: Python computes that (see `market`).
"""

from __future__ import annotations

import ast
import statistics
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from fastbt.compiler.cells import SERIES_CAPACITY, Cell, as_group, fit_cell, is_array_constant, is_none
from fastbt.compiler.functions import Function, reduction, simple_function
from fastbt.compiler.operators import assign, cast
from fastbt.compiler.sequences import UNROLLED, SequenceLowerer
from fastbt.compiler.values import (
    Config,
    Conflict,
    Const,
    Group,
    Listing,
    Method1D,
    Number,
    Points,
    Sequence,
    Series,
    Value,
    Window,
    join_types,
    name,
    parse,
)

#: Reductions of a list to a number: kernel, and the type of the result ("same" as the items).
_OF_LISTS: Final[dict[Any, tuple[str, str]]] = {
    np.max: ("_list_max", "same"),
    np.amax: ("_list_max", "same"),
    np.min: ("_list_min", "same"),
    np.amin: ("_list_min", "same"),
    np.sum: ("_list_sum", "same"),
    np.prod: ("_list_product", "same"),
    np.ptp: ("_list_range", "same"),
    np.mean: ("_list_mean", "float"),
    np.average: ("_list_mean", "float"),
    np.nansum: ("_list_nansum", "float"),
    np.nanmean: ("_list_nanmean", "float"),
    np.nanmax: ("_list_nanmax", "float"),
    np.nanmin: ("_list_nanmin", "float"),
    np.argmax: ("_list_argmax", "int"),
    np.argmin: ("_list_argmin", "int"),
    np.median: ("_list_median", "float"),
    np.any: ("_list_any", "bool"),
    np.all: ("_list_all", "bool"),
    np.count_nonzero: ("_list_count", "int"),
    statistics.mean: ("_exact_mean", "float"),
    statistics.fmean: ("_list_fmean", "float"),
    statistics.median: ("_middle", "float"),
}

_SPREADS: Final[dict[Any, tuple[str, int]]] = {
    np.std: ("_list_std", 0),
    np.var: ("_list_var", 0),
    statistics.stdev: ("_exact_stdev", 1),
    statistics.pstdev: ("_exact_stdev", 0),
    statistics.variance: ("_exact_variance", 1),
    statistics.pvariance: ("_exact_variance", 0),
}

_STATISTICS: Final = frozenset(each for each in [*_OF_LISTS, *_SPREADS] if each.__module__ == "statistics")

_OPERATORS: Final[dict[Any, ast.operator]] = {
    np.add: ast.Add(),
    np.subtract: ast.Sub(),
    np.multiply: ast.Mult(),
    np.divide: ast.Div(),
    np.floor_divide: ast.FloorDiv(),
    np.mod: ast.Mod(),
    np.power: ast.Pow(),
}

_COMPARISONS: Final[dict[Any, ast.cmpop]] = {
    np.greater: ast.Gt(),
    np.greater_equal: ast.GtE(),
    np.less: ast.Lt(),
    np.less_equal: ast.LtE(),
    np.equal: ast.Eq(),
    np.not_equal: ast.NotEq(),
}

#: Functions that give an array of as many items: kernel, and whether whole numbers stay whole.
_RUNNING: Final[dict[Any, str]] = {
    np.cumsum: "_running_sum",
    np.cumprod: "_running_product",
    np.maximum.accumulate: "_running_max",
    np.minimum.accumulate: "_running_min",
}

#: Functions that add up in an order that depends on the machine.
_NO_BLAS: Final = "the order in which it adds up depends on the machine; write it as a sum: (a * b).sum()"
_BLAS: Final = frozenset({np.dot, np.inner, np.matmul, np.vdot, np.outer, np.corrcoef, np.cov, np.convolve, np.polyfit})


class ArrayLowerer(SequenceLowerer):
    """Lower numpy's operations on arrays of the run."""

    # --- what is an array ---------------------------------------------------------------------------------------
    def is_array(self, value: Value) -> bool:
        """Tell whether arithmetic on a value is that of numpy arrays."""
        if isinstance(value, Series):
            return value.sample is None
        return isinstance(value, Window) or is_array_constant(value) or self.is_own_array(value)

    def is_own_array(self, value: Value) -> bool:
        """Tell whether a value is an array that the run made."""
        return isinstance(value, Listing) and value.cell.is_array

    def is_long(self, value: Value) -> bool:
        """Tell whether a value has items that numpy makes an array of."""
        group = as_group(value)
        is_list = isinstance(group, Group) and group.keys is None
        return is_list or self.is_array(value) or isinstance(value, Listing | Sequence | Points)

    def array(self, value: Value, node: ast.AST) -> Listing:
        """Return a copy of something as an array."""
        self.check_stage([value], node)
        if isinstance(value, Config) and isinstance(value.sample, np.ndarray):
            return self.array_of_config(value, node)
        if isinstance(value, Const) and isinstance(value.value, np.ndarray) and value.value.ndim == 1:
            found = value.value
            if len(found) > UNROLLED and len(set(found.tolist())) == 1:
                return self.filled(np.full, [Const(len(found)), Const(found[0])], {}, node)
            value = Group(tuple(map(Const, found)), is_list=True)
        listing = self.as_list(value, node)
        cell = listing.cell
        cell.is_array = True
        item = cell.item
        if self.static_items(value) == ():
            self.fit(self.items_of(cell), Number(ast.Constant(0.0), "float", True), node, nested=True)
        if item is not None and item.kind:
            if item.kind != "leaf":
                self.refuse(node, "an array of more than one dimension is not compiled; keep one array for each column")
            if item.type not in ("bool", "int", "float") or item.nullable:
                self.refuse(node, "an array of this is not compiled, only of numbers; use a list")
        return listing

    def check_stage(self, values: list[Value], node: ast.AST) -> None:
        """Leave arrays of series to Python, where the function at hand can be called before the run."""
        if self.program.leaves_arrays and any(isinstance(each, Series | Window) for each in values):
            self.refuse(node, "an array of a series is left to Python here")

    def array_of_config(self, value: Config, node: ast.AST) -> Listing:
        """Return an array that the configuration tells the length of: np.zeros(hp["n"])."""
        match value.node:
            case ast.Call(ast.Name(key), arguments, []):
                target = self.program.objects.get(key)
                if target in (np.zeros, np.ones, np.full, np.empty):
                    return self.filled(target, [self.config(each, node) for each in arguments], {}, node)
        self.refuse(node, "this array is another one for each parameter set, which is not compiled; make it in the run")

    def filled(self, target: Any, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Listing:
        """Lower `np.zeros(n)` and its kind."""
        fill: Value = Const(1.0 if target is np.ones else 0.0)
        rest = arguments[1:]
        if target is np.full:
            fill = arguments[1] if len(arguments) > 1 else keywords.get("fill_value", fill)
            rest = arguments[2:]
        size = as_group(arguments[0])
        if isinstance(size, Group):
            if len(size.items) != 1:
                self.refuse(node, "an array of more than one dimension is not compiled; keep one array for each column")
            size = size.items[0]
        number = self.settled(self.as_number(fill, node))
        given = rest[0] if rest else keywords.get("dtype")
        if given is not None and not is_none(given):
            number = self.converted(number, self.dtype(given, node))
        cell = self.fresh_list(node)
        cell.is_array = True
        self.fit(self.items_of(cell), replace(number, numpy=True, constant=None, none=None), node, nested=True)
        count = parse(f"_at_most(s, max(0, N), {cell.capacity})", N=self.whole(size, node))
        self.out.append(assign(self.n(cell), count))
        for path in self.leaf_paths_of(cell):
            self.out.append(ast.Expr(parse(f"_fill_items(v.{path}, {self.n(cell)}, X)", X=number.node)))
        self.impure = True
        return Listing(cell)

    def items_of(self, cell: Cell) -> Cell:
        """Return the cell of the items of a list."""
        if cell.item is None:
            cell.item = Cell(f"{cell.path}_items")
            self.program.changed = True
        return cell.item

    def dtype(self, value: Value, node: ast.AST) -> str:
        """Return the type of number that an argument `dtype` names."""
        try:
            kind = np.dtype(value.value).kind if isinstance(value, Const) else ""
        except TypeError:
            kind = ""
        found = {"f": "float", "i": "int", "b": "bool"}.get(kind)
        if found is None:
            self.refuse(node, "the type of an array must be float, int or bool here")
        return found

    def converted(self, number: Number, type_: str) -> Number:
        """Return a number as numpy's astype converts it."""
        code = number.node
        if type_ == "bool":
            code = code if number.type == "bool" else parse("X != 0", X=code)
        elif number.type == "float" and type_ == "int":
            code = parse("np.int64(X)", X=code)
        else:
            code = cast(number, type_)
        return Number(code, type_, True)

    def as_type(self, listing: Listing, type_: str, node: ast.AST) -> Listing:
        """Return an array whose items have this type."""
        if listing.cell.item is None or listing.cell.item.type == type_:
            return listing
        return self.array_of([listing], lambda item: self.converted(item, type_), node)

    # --- item by item -------------------------------------------------------------------------------------------
    def other_operation(self, node: ast.BinOp, left: Value, right: Value) -> Value | None:
        """Lower + and * of lists and tuples, and arithmetic of arrays and of moments."""
        moment = self.moment_operation(node, left, right)
        if moment is not None:
            return moment
        if self.is_own_array(left) or self.is_own_array(right):
            return self.combined(node.op, [left, right], node)
        a, b = as_group(left), as_group(right)
        if isinstance(node.op, ast.Add) and isinstance(a, Group | Listing) and isinstance(b, Group | Listing):
            if isinstance(a, Group) and isinstance(b, Group) and a.keys is None and b.keys is None:
                if a.is_list == b.is_list:
                    return Group((*a.items, *b.items), is_list=a.is_list)
            listing = self.as_list(a, node)
            self.extend(listing.cell, b, node)
            return listing
        if isinstance(node.op, ast.Mult):
            for x, y in ((a, right), (b, left)):
                if isinstance(x, Group) and x.keys is None:
                    if isinstance(y, Const) and isinstance(y.value, int) and len(x.items) * y.value <= UNROLLED:
                        return Group(x.items * y.value, is_list=x.is_list)
                    return self.repeated([self.settle(each) for each in x.items], y, node)
        if isinstance(node.op, ast.Mod | ast.Add) and (self.program.text(left) or isinstance(left, Conflict)):
            return Conflict("a string put together, which only logging may use")
        return None

    def kernel_operation(
        self, values: list[Value], combine: Callable[..., Number], node: ast.AST, *, own: bool = False
    ) -> Listing | None:
        """Lower an operation item by item; None if no array takes part, or with `own` none that the run made."""
        is_one = self.is_own_array if own else self.is_array
        return self.array_of(values, combine, node) if any(map(is_one, values)) else None

    def combined(self, op: ast.operator, values: list[Value], node: ast.AST) -> Listing | None:
        """Lower an arithmetic operator between arrays and numbers; None if no array takes part."""
        return self.kernel_operation(values, lambda a, b: self.of_items(op, a, b, node), node)

    def of_items(self, op: ast.operator, a: Number, b: Number, node: ast.AST) -> Number:
        """Apply an arithmetic operator to items of arrays."""
        if a.type == b.type == "bool" and isinstance(op, ast.Add | ast.Mult | ast.BitAnd | ast.BitOr | ast.BitXor):
            if isinstance(op, ast.BitXor):
                return Number(ast.Compare(a.node, [ast.NotEq()], [b.node]), "bool", True)
            joint: ast.boolop = ast.Or() if isinstance(op, ast.Add | ast.BitOr) else ast.And()
            return Number(ast.BoolOp(joint, [a.node, b.node]), "bool", True)
        if a.type == b.type == "bool" and isinstance(op, ast.Sub):
            self.refuse(node, "numpy subtracts no booleans; use ^")
        if isinstance(op, ast.MatMult):
            self.refuse(node, f"@ is not compiled: {_NO_BLAS}")
        if isinstance(op, ast.BitAnd | ast.BitOr | ast.BitXor | ast.LShift | ast.RShift):
            self.refuse(node, "this operator is not compiled between arrays of the run; use + - * / // % **")
        exponent = b.constant.value if isinstance(b.constant, Const) else None
        if isinstance(op, ast.Pow) and a.type == "float" and exponent in (0.5, 1, 2, -1):
            # numpy's own short cuts for arrays.
            text = {0.5: "np.sqrt(X)", 1: "X", 2: "X * X", -1: "1.0 / X"}[exponent]
            return Number(parse(text, X=a.node), "float", True)
        if isinstance(op, ast.Pow) and a.type != "float" and b.type != "float" and not isinstance(exponent, int):
            self.refuse(node, "** of whole numbers is compiled with a constant exponent; make the array one of floats")
        return self.binary(op, replace(a, numpy=True), replace(b, numpy=True))

    def array_of(self, values: list[Value], combine: Callable[..., Number], node: ast.AST) -> Listing:
        """Return the array that a function of the items of others gives."""
        self.check_stage(values, node)
        cell = self.fresh_list(node, self.room(values))
        cell.is_array = True
        sequences = [self.to_sequence(self.plain(each), node) if self.is_long(each) else None for each in values]
        numbers = [
            None if sequence is not None else self.settled(self.as_number(each, node))
            for each, sequence in zip(values, sequences, strict=True)
        ]
        long = [each for each in sequences if each is not None]
        length = self.temporary(long[0].length)
        for other in long[1:]:
            # numpy cannot broadcast arrays of different lengths.
            self.out.append(ast.Expr(parse("_same_length(s, A, B)", A=length, B=other.length)))
        self.out.append(assign(self.n(cell), ast.Constant(0)))
        index = self.fresh()
        outer, self.out = self.out, []
        parts = []
        for number, sequence in zip(numbers, sequences, strict=True):
            if sequence is not None:
                parts.append(self.as_number(sequence.at(name(index)), node))
            elif number is not None:
                parts.append(number)
        self.append(cell, replace(combine(*parts), numpy=True, constant=None), node)
        body, self.out = self.out, outer
        self.out.append(ast.For(ast.Name(index, ast.Store()), ast.Call(name("range"), [length], []), body, []))
        self.impure = True
        return Listing(cell)

    def plain(self, value: Value) -> Value:
        """Return an array of the configuration as a list, anything else as it is."""
        if isinstance(value, Const | Config) and is_array_constant(value):
            return self.array(value, self.method.node)
        return value

    def room(self, values: list[Value]) -> int | None:
        """Return how many items arrays have at most, where that is known."""
        found = []
        for each in values:
            if isinstance(each, Window):
                start = each.start.constant
                if not isinstance(start, Const):
                    return None
                found.append(int(start.value))
            elif isinstance(each, Listing):
                found.append(each.cell.capacity)
            elif isinstance(each, Series):
                found.append(SERIES_CAPACITY)
            elif self.is_long(each):
                return None
        return max(found, default=None)

    # --- functions ----------------------------------------------------------------------------------------------
    def call_on_arrays(
        self, target: Any, arguments: list[Value], keywords: dict[str, Value], node: ast.Call
    ) -> Value | None:
        """Call one of numpy's functions with arrays; None if none is among the arguments, or it is not known here."""
        try:
            hash(target)
        except TypeError:
            return None
        if target in (np.concatenate, np.hstack, np.append):
            return self.joined(target, arguments, keywords, node)
        if not arguments or not any(map(self.is_long, arguments)):
            return None
        if target in _BLAS:
            self.refuse(
                node,
                f"np.{target.__name__} of what changes during the run is not compiled: {_NO_BLAS}",
            )
        axis = keywords.get("axis")
        if axis is not None:
            if not isinstance(axis, Const) or axis.value not in (0, -1, None):
                self.refuse(node, "arrays of the run have one axis")
            keywords = {key: value for key, value in keywords.items() if key != "axis"}
        whole = self.made_of_items(target, arguments, keywords, node)
        if whole is not None or keywords:
            return whole
        first = arguments[0]
        if target in _RUNNING and len(arguments) == 1:
            return self.running_array(_RUNNING[target], self.array(first, node), node)
        if target is np.diff and len(arguments) == 1:
            return self.differences(self.array(first, node), node)
        if target is np.roll and len(arguments) == 2:
            return self.moved("_roll_items", self.array(first, node), [self.whole(arguments[1], node)])
        if target is np.sort and len(arguments) == 1:
            return self.moved("_sort_items", self.array(first, node), [])
        if target is np.flip and len(arguments) == 1:
            return self.moved("_reverse", self.array(first, node), [])
        if target in (np.percentile, np.quantile) and len(arguments) == 2:
            listing = self.array(first, node)
            share = cast(self.as_number(arguments[1], node), "float")
            share = parse("Q / 100.0", Q=share) if target is np.percentile else share
            code = parse("_list_quantile(s, A, N, Q)", A=self.floats(listing), N=listing.cell.length, Q=share)
            return Number(self.temporary(code), "float", True)
        if target in (np.zeros_like, np.ones_like, np.full_like) and len(arguments) <= 2:
            listing = self.array(first, node)
            fill = arguments[1] if len(arguments) > 1 else Const(1 if target is np.ones_like else 0)
            type_ = (listing.cell.item.type if listing.cell.item else None) or "float"
            settled = self.settled(self.as_number(fill, node))
            return self.array_of([listing], lambda _: self.converted(settled, type_), node)
        if target is np.where and len(arguments) == 1 or target is np.nonzero:
            return Group((self.places(self.array(first, node), node),))
        if target is np.flatnonzero:
            return self.places(self.array(first, node), node)
        if target is np.copy:
            return self.array(first, node)
        if target is np.arange or not self.is_array(first):
            return None
        if target in _OF_LISTS or target in _SPREADS:
            return self.reduced_list(target, self.array(first, node), keywords, node)
        return None

    def made_of_items(
        self, target: Any, arguments: list[Value], keywords: dict[str, Value], node: ast.Call
    ) -> Value | None:
        """Call a function that works item by item; None if it is none."""
        n = len(arguments)
        if target in _OPERATORS and n == 2 and not keywords:
            op = _OPERATORS[target]
            return self.array_of(arguments, lambda a, b: self.of_items(op, a, b, node), node)
        if target in _COMPARISONS and n == 2 and not keywords:
            test = _COMPARISONS[target]
            return self.array_of(
                arguments, lambda a, b: Number(ast.Compare(a.node, [test], [b.node]), "bool", True), node
            )
        if target is np.where and n == 3:
            return self.array_of(
                arguments,
                lambda c, a, b: self.choice(c.node if c.type == "bool" else parse("X != 0", X=c.node), a, b),
                node,
            )
        if target is np.clip and n == 3:
            simple = Function("np.minimum(np.maximum(a, b), c)", "same", True, 3)
            return self.array_of(arguments, lambda *items: self.of_simple(simple, list(items)), node)
        if target in (np.round, np.around) and n <= 2:
            digits = arguments[1] if n > 1 else keywords.get("decimals", Const(0))
            places = self.settled(self.as_number(digits, node))
            return self.array_of(
                arguments[:1],
                lambda a: Number(parse("_round_numpy(X, N)", X=cast(a, "float"), N=places.node), "float", True),
                node,
            )
        simple_found = simple_function(target)
        if simple_found is not None and n == simple_found.arguments and not keywords:
            if simple_found.numpy is True or target is abs:
                return self.array_of(arguments, lambda *items: self.of_simple(simple_found, list(items)), node)
        return None

    def of_simple(self, simple: Function, numbers: list[Number]) -> Number:
        """Apply a function of numbers."""
        type_ = simple.type
        if type_ == "same":
            type_ = numbers[0].type
            for each in numbers:
                type_ = join_types(type_, each.type)
            type_ = "int" if type_ == "bool" else type_
        codes = (cast(each, "int") if each.type == "bool" else each.node for each in numbers)
        nodes = dict(zip("abcdef", codes, strict=False))
        numpy = numbers[0].numpy if simple.type == "same" and simple.numpy is None else simple.numpy
        return Number(parse(simple.code, **nodes), type_, numpy)

    def joined(self, target: Any, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Listing | None:
        """Lower `np.append(a, b)` and `np.concatenate([a, b])`."""
        parts: list[Value] = arguments
        if target is not np.append:
            group = as_group(arguments[0]) if arguments else None
            if not isinstance(group, Group) or len(arguments) > 1:
                return None
            parts = list(group.items)
        if len(parts) < 2 or set(keywords) - {"axis"}:
            return None
        items = [each if self.is_long(each) else Group((each,), is_list=True) for each in parts]
        arrays = [self.array(each, node) for each in items]
        result = self.array(arrays[0], node)
        result.cell.capacity = max(result.cell.capacity, *(each.cell.capacity for each in arrays))
        for each in arrays[1:]:
            self.extend(result.cell, each, node)
        return result

    def moved(self, kernel: str, listing: Listing, arguments: list[ast.expr]) -> Listing:
        """Let a kernel move the items of an array that nothing else stands for."""
        codes = [self.temporary(each) for each in arguments]
        for path in self.leaf_paths_of(listing.cell):
            call = parse(f"{kernel}(v.{path}, {self.n(listing.cell)})")
            assert isinstance(call, ast.Call)
            self.out.append(ast.Expr(ast.Call(call.func, [*call.args, *codes], [])))
        self.impure = True
        return listing

    def running_array(self, kernel: str, listing: Listing, node: ast.AST) -> Listing:
        """Lower np.cumsum and its kind."""
        if listing.cell.item is not None and listing.cell.item.type == "bool":
            listing = self.as_type(listing, "int", node)
        return self.moved(kernel, listing, [])

    def differences(self, listing: Listing, node: ast.AST) -> Listing:
        """Lower np.diff."""
        if listing.cell.item is not None and listing.cell.item.type == "bool":
            self.refuse(node, "np.diff of booleans is not compiled; use .astype(int)")
        self.moved("_difference_items", listing, [])
        self.out.append(assign(self.n(listing.cell), parse(f"max(0, {self.n(listing.cell)} - 1)")))
        return listing

    def places(self, mask: Listing, node: ast.AST) -> Listing:
        """Return the indices of the items that are not zero."""
        cell = self.fresh_list(node, mask.cell.capacity)
        cell.is_array = True
        self.out.append(assign(self.n(cell), ast.Constant(0)))
        index = self.fresh()
        outer, self.out = self.out, []
        test = self.value_truth(self.item(mask.cell, name(index)), node)
        code = ast.Constant(test) if isinstance(test, bool) else test
        inner, self.out = self.out, []
        self.append(cell, Number(name(index), "int", True), node)
        block, self.out = self.out, outer
        loop: list[ast.stmt] = [*inner, ast.If(code, block, [])]
        bounds: list[ast.expr] = [mask.cell.length]
        self.out.append(ast.For(ast.Name(index, ast.Store()), ast.Call(name("range"), bounds, []), loop, []))
        self.impure = True
        return Listing(cell)

    def selected(self, owner: Value, index: Listing, node: ast.AST) -> Listing:
        """Lower `a[mask]` and `a[indices]`."""
        source = owner if isinstance(owner, Listing) else self.array(owner, node)
        item = index.cell.item
        places = index
        if item is not None and item.type == "bool":
            self.out.append(ast.Expr(parse("_same_mask(s, A, B)", A=source.cell.length, B=index.cell.length)))
            places = self.places(index, node)

        def at(i: Number) -> Number:
            place = parse("_item(s, N, I)", N=source.cell.length, I=i.node)
            return self.as_number(self.item(source.cell, place), node)

        return self.array_of([places], at, node)

    # --- reductions ---------------------------------------------------------------------------------------------
    def reduced_list(self, target: Any, value: Value, keywords: dict[str, Value], node: ast.AST) -> Value | None:
        """Lower np.mean, statistics.median and their kind of a list; None if the function is none of them."""
        try:
            simple, spread = _OF_LISTS.get(target), _SPREADS.get(target)
        except TypeError:
            return None
        if simple is None and spread is None:
            return None
        listing = value if isinstance(value, Listing) else self.as_list(value, node)
        item = listing.cell.item
        if item is None or item.kind == "":
            item = Cell("", "leaf", "float")
        if item.kind != "leaf" or item.type not in ("bool", "int", "float") or item.nullable:
            self.refuse(node, "this is compiled for lists of numbers")
        is_numpy = target not in _STATISTICS
        if spread is not None:
            ddof = keywords.get("ddof", Const(spread[1]))
            if set(keywords) - {"ddof"} or not isinstance(ddof, Const):
                self.refuse(node, "the argument ddof must be a constant, and is the only one that is compiled")
            code = parse(
                f"{spread[0]}(s, ARRAY, N, {int(ddof.value)})", ARRAY=self.floats(listing), N=listing.cell.length
            )
            return Number(self.temporary(code), "float", is_numpy)
        if keywords:
            self.refuse(node, f"the argument {next(iter(keywords))} is not compiled here")
        assert simple is not None
        type_ = str(item.type) if simple[1] == "same" else simple[1]
        adds = target in (np.sum, np.prod, np.ptp)
        if type_ == "bool" and adds:
            type_ = "int"
        wants_floats = simple[1] == "float" or (adds and item.type == "bool") or not item.path
        array = self.floats(listing) if wants_floats else parse(f"v.{item.path}")
        code = parse(f"{simple[0]}(s, ARRAY, N)", ARRAY=array, N=listing.cell.length)
        if adds and type_ == "int":
            code = parse("int(X)", X=code)
        if type_ == "bool":
            code = parse("X != 0", X=code)
        return Number(self.temporary(code), type_, is_numpy)

    def floats(self, listing: Listing) -> ast.expr:
        """Return the array of a list's items, as floats."""
        item = listing.cell.item
        if item is not None and item.type == "float":
            return parse(f"v.{item.path}")
        cell = self.local_cell(f"list{self.lists + 1}", temporary=True)
        self.lists += 1
        if cell.item is None:
            cell.item = Cell(f"{cell.path}_items", "leaf", "float", numpy=True)
        cell.item.type = "float"
        cell.item.kind = "leaf"
        if item is not None and item.path:
            self.out.append(
                ast.Expr(parse(f"_copy_items(v.{item.path}, v.{cell.item.path}, N)", N=listing.cell.length))
            )
        return parse(f"v.{cell.item.path}")

    # --- methods ------------------------------------------------------------------------------------------------
    def method_of_array(self, callee: Method1D, node: ast.Call) -> Value:
        """Call a method of a series or window that the run takes part in."""
        target = getattr(np, callee.name, None)
        series = callee.owner.series if isinstance(callee.owner, Window) else callee.owner
        is_plain = not node.args and not node.keywords and series.array is not None
        if is_plain and target is not None and reduction(target) is not None:
            found = self.reduce(target, callee.owner, node)
            assert found is not None
            return found
        return self.call_array(self.array(callee.owner, node), callee.name, node)

    def reduce(self, target: Any, values: Series | Window, node: ast.AST) -> Value | None:
        """Lower a reduction of a window to a kernel of its own; see `expressions`."""
        raise NotImplementedError

    def call_array(self, owner: Listing, key: str, node: ast.Call) -> Value:
        """Call a method of an array."""
        arguments = self.lower_all(node.args)
        keywords = {str(each.arg): self.lower(each.value) for each in node.keywords}
        if key in ("copy", "flatten") and not arguments:
            return self.array(owner, node)
        if key == "ravel" and not arguments:
            return replace(self.array(owner, node), view=owner.view or owner.cell)
        if key == "tolist":
            listing = self.as_list(owner, node)
            listing.cell.is_array = False
            return listing
        if key == "astype" and len(arguments) == 1:
            copied = self.array(owner, node)
            return self.as_type(copied, self.dtype(arguments[0], node), node)
        if key == "item" and len(arguments) <= 1:
            place = self.whole(arguments[0] if arguments else Const(0), node)
            number = self.as_number(self.item(owner.cell, parse("_item(s, N, I)", N=owner.cell.length, I=place)), node)
            return replace(self.settled(number), numpy=False)
        if key == "fill" and len(arguments) == 1:
            self.before_change(owner, node)
            self.assign_all(owner, arguments[0], node)
            return Const(None)
        if key == "sort" and not arguments and not keywords:
            self.before_change(owner, node)
            self.moved("_sort_items", owner, [])
            return Const(None)
        target = getattr(np, key, None)
        if target is not None:
            found = self.call_on_arrays(target, [owner, *arguments], keywords, node)
            if found is None and not arguments:
                found = self.reduced_list(target, owner, keywords, node)
            if found is not None:
                return found
        self.refuse(node, f".{key}() of an array is not compiled like this")

    def attribute_of_array(self, owner: Listing, key: str) -> Value | None:
        """Lower `.size` and its kind; None for any other name."""
        size = Number(owner.cell.length, "int", False)
        return {"size": size, "shape": Group((size,)), "ndim": Const(1), "T": owner}.get(key)

    # --- changes ------------------------------------------------------------------------------------------------
    def before_change(self, owner: Listing, node: ast.AST) -> None:
        """Note that an array is changed in place: names of parts of it would change with it in numpy."""
        if owner.view is not None:
            self.refuse(node, "this is a part of another array, which would change with it; make a copy: .copy()")
        if not owner.cell.in_place:
            owner.cell.in_place = self.program.changed = True
        for key, value in self.locals.items():
            if isinstance(value, Listing) and value.view is owner.cell:
                self.locals[key] = Conflict("a part of an array that was changed since; take a copy of it: .copy()")
        self.impure = True

    def assign_all(self, owner: Listing, value: Value, node: ast.AST) -> None:
        """Give every item of an array one value, or the items of another array of the same length."""
        self.assign_part(owner, ast.Slice(), value, node)

    def assign_part(self, owner: Listing, where: ast.Slice, value: Value, node: ast.AST) -> None:
        """Lower `a[i:j] = value`."""
        cell = owner.cell
        is_long = self.is_long(value)
        source = self.array(value, node) if is_long else None
        number = self.settled(self.as_number(value, node)) if source is None else None
        self.check_whole(cell, number.type if number is not None else source.cell.item, node)  # type: ignore[union-attr]
        bounds = [None if each is None else self.lower(each) for each in (where.lower, where.upper)]
        if where.step is not None:
            self.refuse(node, "an assignment to a slice with a step is not compiled")
        n = self.temporary(cell.length)
        first, last = (
            default if each is None or is_none(each) else parse("_slice_start(N, I, 1)", N=n, I=self.whole(each, node))
            for each, default in zip(bounds, (ast.Constant(0), n), strict=True)
        )
        start = self.temporary(first)
        count = self.temporary(parse("_slice_length(F, L, 1)", F=start, L=last))
        if source is not None:
            self.out.append(ast.Expr(parse("_same_length(s, A, B)", A=source.cell.length, B=count)))
            count = self.temporary(parse("min(A, B)", A=source.cell.length, B=count))
        index = self.fresh()
        item = Number(name(index), "int")
        outer, self.out = self.out, []
        item = number if number is not None else self.as_number(self.item(source.cell, name(index)), node)  # type: ignore[union-attr]
        if cell.item is not None:
            self.fit(cell.item, replace(item, numpy=True, constant=None), node, nested=True)
            self.put(cell.item, replace(item, numpy=True), parse("F + I", F=start, I=name(index)))
        body, self.out = self.out, outer
        self.out.append(
            ast.For(ast.Name(index, ast.Store()), ast.Call(name("range"), [count], []), body or [ast.Pass()], [])
        )
        self.impure = True

    def assign_where(self, owner: Listing, mask: Listing, value: Value, node: ast.AST) -> None:
        """Lower `a[mask] = number`."""
        cell = owner.cell
        if self.is_long(value):
            self.refuse(node, "an array assigned to a part that a condition selects is not compiled; use np.where")
        number = self.settled(self.as_number(value, node))
        self.check_whole(cell, number.type, node)
        item = mask.cell.item
        places = mask
        if item is not None and item.type == "bool":
            self.out.append(ast.Expr(parse("_same_mask(s, A, B)", A=cell.length, B=mask.cell.length)))
            places = self.places(mask, node)

        def put(each: Value) -> None:
            place = parse("_item(s, N, I)", N=cell.length, I=self.as_number(each, node).node)
            if cell.item is not None:
                self.fit(cell.item, replace(number, numpy=True, constant=None), node, nested=True)
                self.put(cell.item, replace(number, numpy=True), place)

        self.each(self.to_sequence(places, node), put)

    def check_whole(self, cell: Cell, given: str | Cell | None, node: ast.AST) -> None:
        """Refuse what numpy would cut to a whole number when an array takes it."""
        type_ = given.type if isinstance(given, Cell) else given
        held = cell.item.type if cell.item is not None else None
        if cell.is_array and type_ == "float" and (held in ("int", "bool") or cell.was_whole):
            self.refuse(
                node, "numpy cuts this to a whole number, as the array holds none but these; make it one of floats: 0.0"
            )

    def change_in_place(self, owner: Listing, op: ast.operator, value: Value, node: ast.AST) -> None:
        """Lower `a += value` of an array, which changes the array itself."""
        self.before_change(owner, node)
        result = self.combined(op, [owner, value], node)
        assert result is not None
        item = result.cell.item
        self.check_whole(owner.cell, item, node)
        if fit_cell(owner.cell, result.cell):
            self.program.changed = True
        self.out.append(ast.Expr(parse("_same_length(s, A, B)", A=owner.cell.length, B=result.cell.length)))
        self.put(owner.cell, result)

    def forget_parts(self) -> None:
        """Give up the names of parts of arrays that a method which was called may have changed."""
        for key, value in self.locals.items():
            if isinstance(value, Listing) and value.view is not None and value.view.in_place:
                self.locals[key] = Conflict("a part of an array that may have changed since; take a copy: .copy()")
