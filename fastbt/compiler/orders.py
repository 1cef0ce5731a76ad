"""Lower what is read back of self.buy, self.sell, self.stop_loss and self.take_profit.

Jesse turns an assignment into an array of (quantity, price) rows when it looks at it, right after the hook. Until then
the attribute is what was assigned: within one method that is known here.
"""

from __future__ import annotations

import ast

from fastbt.compiler.calls import CallLowerer
from fastbt.compiler.values import Conflict, Const, Group, Number, Points, Sequence, Value, parse

#: The hooks after which Jesse looks at an attribute, whatever else happens.
_LOOKED_AT = {
    "buy": {"go_long"},
    "sell": {"go_short"},
    "stop_loss": {
        "go_long",
        "go_short",
        "update_position",
        "on_open_position",
        "on_increased_position",
        "on_reduced_position",
    },
}
_LOOKED_AT["take_profit"] = _LOOKED_AT["stop_loss"]


class OrderLowerer(CallLowerer):
    """Lower orders that are read back."""

    def read_points(self, key: str, node: ast.Attribute) -> Value:
        """Lower `self.stop_loss` and its kind where it is read."""
        place = f"self.{key}"
        known = self.locals.get(place)
        if isinstance(known, Group):
            return known
        if isinstance(known, Const):
            return known
        if isinstance(known, Conflict):
            self.refuse(
                node,
                f"self.{key} may be what this hook assigned, or what Jesse made of it; keep the price in self.vars",
            )
        strange = sorted(self.program.order_hooks(key) - _LOOKED_AT[key])
        if strange:
            self.refuse(
                node,
                f"reading self.{key} back is not compiled where {strange[0]} assigns it: Jesse looks at it only later; "
                "keep the price in self.vars",
            )
        return Points(key)

    def points_none(self, value: Points) -> ast.expr:
        """Return the code that tells whether orders are None."""
        return parse(f"s.{value.key}_n < 0")

    def points_truth(self, value: Points, node: ast.AST) -> ast.expr | bool:
        """Return the truth of orders that are read back: numpy refuses that of an array."""
        return parse(f"_points_truth(s, s.{value.key}_n)")

    def points_rows(self, value: Points) -> Sequence:
        """Return the rows of orders that are read back; None has none, and raises."""
        self.impure = True
        self.out.append(ast.Expr(parse(f"_present(s, s.{value.key}_n < 0, 0)")))
        length = parse(f"max(0, s.{value.key}_n)")

        def row(index: ast.expr) -> Value:
            parts = [Number(parse(f"s.{value.key}[I, {j}]", I=index), "float", True) for j in (0, 1)]
            return Group(tuple(parts), is_list=True)

        return Sequence(length, row, f"self.{value.key}")

    def points_item(self, value: Points, index: Value, node: ast.Subscript) -> Value:
        """Lower `self.stop_loss[0]`, `[0, 1]` and `[:, 1]`."""
        where = node.slice
        if isinstance(where, ast.Tuple) and len(where.elts) == 2:
            rows, column = where.elts
            if isinstance(rows, ast.Slice) and rows.lower is None and rows.upper is None and rows.step is None:
                which = self.lower(column)
                if not isinstance(which, Const) or which.value not in (0, 1, -1, -2):
                    self.refuse(column, "the column of orders is 0, the quantity, or 1, the price")
                sequence = self.points_rows(value)
                j = which.value % 2
                column_of = Sequence(
                    sequence.length, lambda i: Number(parse(f"s.{value.key}[I, {j}]", I=i), "float", True), "a column"
                )
                return self.array(column_of, node)
            row = self.element(value, self.lower(rows), ast.copy_location(ast.Subscript(node.value, rows), node))
            return self.element(row, self.lower(column), node)
        if isinstance(where, ast.Slice):
            return self.list_slice(self.array(value, node), where, node)
        sequence = self.points_rows(value)
        place = self.temporary(parse("_item(s, N, I)", N=sequence.length, I=self.whole(index, node)))
        return self.settle(sequence.at(place))
