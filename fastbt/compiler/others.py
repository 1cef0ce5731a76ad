"""Lower what a strategy reads of the other routes of its account: their symbols, strategies and positions."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

from fastbt.compiler import api
from fastbt.compiler.comparisons import ComparisonLowerer
from fastbt.compiler.operators import cast
from fastbt.compiler.values import Const, Group, Number, Other, Part, Text, Value, parse
from fastbt.errors import did_you_mean


class OtherLowerer(ComparisonLowerer):
    """Lower `self.routes`, `self.all_positions` and the strategy that a broadcast brings."""

    @property
    def known_routes(self) -> list[SimpleNamespace]:
        """All trading routes."""
        return self.program.routes or [self.program.environment["route"]]

    @property
    def place(self) -> int:
        """The strategy's own place among them."""
        return [each.symbol for each in self.known_routes].index(self.program.environment["route"].symbol)

    def sender(self) -> Other:
        """Return the strategy that a broadcast comes from."""
        others = [i for i in range(len(self.known_routes)) if i != self.place]
        return Other("strategy", others[0] if len(others) == 1 else None)

    def all_routes(self, key: str) -> Value:
        """Lower `self.routes`, `self.all_positions` and `self.current_route_index`."""
        if key == "current_route_index":
            return Const(self.place)
        if key == "all_positions":
            return Part(key)
        return Group(tuple(Other("route", i) for i in range(len(self.known_routes))), is_list=True)

    def position_of(self, node: ast.Subscript) -> Value:
        """Lower `self.all_positions[symbol]`."""
        symbol = self.lower(node.slice)
        symbols = [each.symbol for each in self.known_routes]
        wanted = getattr(symbol, "value", getattr(symbol, "sample", None))
        if not isinstance(symbol, Const) and not hasattr(symbol, "sample"):
            self.refuse(node.slice, "the symbol of self.all_positions must be known before the run")
        if wanted not in symbols:
            self.refuse(node.slice, f"no route trades {wanted!r}.{did_you_mean(str(wanted), symbols)}")
        return self.of_route(symbols.index(str(wanted)), "position")

    def of_route(self, index: int, part: str) -> Value:
        """Return a route's strategy or position: one's own as it always is."""
        if index == self.place:
            return Part("self" if part == "strategy" else part)
        return Other(part, index)

    def other_attribute(self, owner: Other, node: ast.Attribute) -> Value:
        """Lower an attribute of another route, of its strategy or of its position."""
        key = node.attr
        about = {"symbol": "symbol", "timeframe": "timeframe", "strategy_name": "name", "name": "name"}
        if key == "exchange":
            return Const(self.program.environment["account"].exchange)
        if key in about and (key != "strategy_name" or owner.part == "route"):
            return self.about(owner, about[key])
        if owner.part == "route":
            if key == "strategy":
                assert owner.index is not None
                return self.of_route(owner.index, key)
            self.refuse(
                node, f"of a route, exchange, symbol, timeframe, strategy and strategy_name are compiled, not {key}"
            )
        if owner.part == "strategy" and key == "position":
            return Other("position", owner.index)
        table = api.OTHER_STRATEGY if owner.part == "strategy" else api.OTHER_POSITION
        if key not in table:
            self.refuse(node, f"{key} of another route's {owner.part} is not compiled.{did_you_mean(key, table)}")
        code, type_, numpy, none = table[key]
        place = parse("s.sender") if owner.index is None else ast.Constant(owner.index)
        return Number(parse(code, OTHER=place), type_, numpy, parse(none, OTHER=place) if none else None)

    def about(self, owner: Other, key: str) -> Value:
        """Return what is said of a route: a string."""
        texts: list[Any] = [getattr(each, key) for each in self.known_routes]
        if owner.index is not None:
            return Const(texts[owner.index])
        codes = [self.program.text_code(text) for text in texts]
        node: ast.expr = ast.Constant(codes[-1])
        for i in range(len(codes) - 2, -1, -1):
            node = ast.IfExp(
                ast.Compare(parse("s.sender"), [ast.Eq()], [ast.Constant(i)]), ast.Constant(codes[i]), node
            )
        return Text(node)

    # --- shared variables -------------------------------------------------------------------------------------------
    def shared_key(self, node: ast.expr) -> str:
        """Return the key of a shared variable."""
        key = self.lower(node)
        if not isinstance(key, Const) or not isinstance(key.value, str):
            self.refuse(node, "the key of self.shared_vars must be a constant string")
        return key.value

    def shared_variable(self, key: str) -> Number:
        """Read a shared variable; if it was never set, Jesse raises."""
        value = self.shared_value(key)
        place = self.program.shared.place(key)
        return Number(parse(f"_known(s, s.shared_set[{place}] != 0, VALUE)", VALUE=value.node), value.type)

    def shared_value(self, key: str) -> Number:
        """Return what stands in the place of a shared variable, set or not."""
        place, type_ = self.program.shared.place(key), self.program.shared.types[key]
        code = {"bool": "s.shared[{}] != 0.0", "int": "np.int64(s.shared[{}])", "float": "s.shared[{}]"}[type_]
        return Number(parse(code.format(place)), type_)

    def shared_get(self, node: ast.Call) -> Value:
        """Lower `self.shared_vars.get(key, default)`."""
        key = self.shared_key(node.args[0])
        default = self.lower(node.args[1]) if len(node.args) > 1 else Const(None)
        if isinstance(default, Const) and default.value is None:
            self.refuse(node, "self.shared_vars.get is compiled with a number as the default")
        is_set = parse(f"s.shared_set[{self.program.shared.place(key)}] != 0")
        return self.choice(is_set, self.shared_value(key), self.as_number(default, node))

    def shared_contains(self, node: ast.expr) -> Number:
        """Lower `key in self.shared_vars`."""
        return Number(parse(f"s.shared_set[{self.program.shared.place(self.shared_key(node))}] != 0"), "bool", False)

    def store_shared(self, key: str, value: Value, target: ast.expr) -> None:
        """Assign to a shared variable."""
        self.impure = True
        number = self.program.materialise(value)
        if number is None or number.none is not None:
            what = self.describe(value) if number is None else "what may be None"
            self.refuse(target, f"{what} cannot be kept in compiled self.shared_vars; keep numbers")
        if self.program.shared.widen(key, number.type):
            self.program.changed = True
        place = self.program.shared.place(key)
        for part, code in (("shared", cast(number, "float")), ("shared_set", ast.Constant(1))):
            stored = ast.Subscript(parse(f"s.{part}"), ast.Constant(place), ast.Store())
            self.out.append(ast.Assign([stored], code))

    def membership(self, op: ast.cmpop, value: Value, group: Value, node: ast.Compare) -> Value:
        """Lower `key in self.shared_vars`, and what else `in` is compiled for."""
        if not isinstance(group, Part) or group.name != "shared_vars":
            return super().membership(op, value, group, node)
        found = self.shared_contains(node.left).node
        return Number(found if isinstance(op, ast.In) else ast.UnaryOp(ast.Not(), found), "bool", False)
