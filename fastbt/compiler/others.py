"""Lower what a strategy reads of the other routes of its account: their symbols, strategies and positions."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

from fastbt.compiler import api
from fastbt.compiler.operators import OperatorLowerer
from fastbt.compiler.values import Const, Group, Number, Other, Part, Text, Value, parse
from fastbt.errors import did_you_mean


class OtherLowerer(OperatorLowerer):
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
