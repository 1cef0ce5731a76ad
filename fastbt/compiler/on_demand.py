"""Lower indicators whose arguments become known during the run: evaluated on what is visible at that moment."""

from __future__ import annotations

import ast
from typing import Any

from fastbt.compiler.choices import ChoiceLowerer
from fastbt.compiler.operators import cast
from fastbt.compiler.values import Config, Const, Group, Number, Series, Value, parse
from fastbt.engine.language import SOURCE_TYPES
from fastbt.indicators._registry import Indicator


class OnDemandLowerer(ChoiceLowerer):
    """Lower calls of indicators to kernels that run at that moment, as Jesse's do."""

    def indicator_on_demand(
        self,
        indicator: Indicator,
        arguments: list[tuple[str | int, Value]],
        origin: Any,
        end: int,
        tail: Const | Config | Number | None,
        node: ast.Call,
    ) -> Value:
        """Return what an indicator gives with arguments of the run.

        Parameters
        ----------
        indicator : Indicator
        arguments : list of (position or name, Value)
            The candles left out.
        origin : None or str
            The candles, or the source that a column is.
        end, tail
            How many newest rows are left out, and how many are kept of the rest.
        node : ast.Call
        """
        label = f"ta.{indicator.name}"
        kernel = indicator.kernel
        is_plain = kernel is not None and indicator.compiled_if is None and indicator.inside is None
        if not is_plain or indicator.averages_candles or isinstance(origin, tuple):
            what = "of another series" if isinstance(origin, tuple) else "that runs in numpy"
            self.refuse(node, f"{label} {what} wants arguments that are known before the run")
        given = {key: value for key, value in arguments if isinstance(key, str)}
        positional = [value for key, value in arguments if isinstance(key, int)]
        try:
            bound = indicator.signature.bind(*positional, **given)
        except TypeError as error:
            self.refuse(node, f"{label}: {error}")
        values = {
            key: bound.arguments.get(key, Const(parameter.default))
            for key, parameter in indicator.signature.parameters.items()
        }
        sequential = values.get("sequential", Const(False))
        source = Const(origin) if isinstance(origin, str) else values.get("source_type", Const("close"))
        if not isinstance(sequential, Const) or not isinstance(source, Const):
            self.refuse(node, f"{label}: sequential and source_type must be constants where a period is not")
        if source.value not in SOURCE_TYPES:
            self.refuse(node, f"{label}: there is no source type {source.value!r}")
        if sequential.value and (indicator.whole is not None or not indicator.prefix_stable):
            self.refuse(node, f"{label} changes its older values with each candle; use sequential=False")
        params = [self.indicator_argument(indicator, key, values[key], node) for key in indicator.parameters]
        window: ast.expr = ast.Constant(0)
        if origin is None and not sequential.value and indicator.sliced:
            window = parse("s.window") if indicator.rows is None else ast.Constant(indicator.rows)
        if tail is not None:
            number = self.as_number(tail, node)
            kept = parse("_whole(s, N, 1)", N=number.node)
            window = kept if isinstance(window, ast.Constant) and window.value == 0 else parse("_tail(s, N)", N=kept)
        self.program.on_demand[indicator.name] = indicator
        fixed = [self.temporary(each) for each in [window, *params]]

        def number_at(row: int, index: ast.expr) -> Number:
            call = parse(
                f"_at_{indicator.name}(s, bars, minutes, {end}, WINDOW, {SOURCE_TYPES.index(source.value)}, {row}, I)",
                WINDOW=fixed[0],
                I=index,
            )
            assert isinstance(call, ast.Call)
            return Number(ast.Call(call.func, [*call.args, *fixed[1:]], []), "float", True)

        def item(row: int) -> Value:
            if sequential.value:
                return Series(lambda index: number_at(row, self.as_number(index, node).node), f"{label}(...)")
            found = number_at(row, ast.Constant(-1))
            if not indicator.none_if_nan:
                return found
            settled = self.temporary(found.node)
            return Number(settled, "float", True, parse("np.isnan(X)", X=settled))

        items = tuple(item(row) for row in range(len(indicator.fields)))
        return items[0] if indicator.record is None else Group(items, indicator.fields)

    def indicator_argument(self, indicator: Indicator, key: str, value: Value, node: ast.AST) -> ast.expr:
        """Return the code of one argument of an indicator, as a float."""
        constant = value.constant if isinstance(value, Number) else value
        if isinstance(constant, Const):
            try:
                return ast.Constant(indicator._number(key, constant.value))
            except (TypeError, ValueError) as error:
                self.refuse(node, str(error))
        if key in indicator.codes or key in indicator.allowed:
            self.refuse(node, f"ta.{indicator.name}: {key} must be a constant where another argument is not")
        number = self.as_number(value, node)
        parameter = indicator.signature.parameters[key]
        if parameter.annotation == "int":
            if number.type != "int":
                self.refuse(
                    node, f"ta.{indicator.name}: {key} must be a whole number; it is a {number.type} here, use int()"
                )
            least = indicator.least.get(key, min(1, parameter.default))
            if parameter.default >= 0:
                return parse(f"float(_whole(s, N, {least}))", N=number.node)
        return cast(number, "float")
