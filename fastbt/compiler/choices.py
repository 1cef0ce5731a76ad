"""Lower choices that the configuration makes: which series, which source, which number a parameter set means."""

from __future__ import annotations

import ast

from fastbt.compiler.market import MarketLowerer, Pure
from fastbt.compiler.values import Config, Const, Group, Number, Series, Text, Value, type_of


def settled_before(value: Value) -> Value:
    """Return the config-stage value behind a name, or the value itself."""
    return value.constant if isinstance(value, Number | Text) and value.constant is not None else value


class ChoiceLowerer(MarketLowerer):
    """Lower conditional expressions and branches whose condition is known before the run."""

    #: Whether a name stands for the config-stage value that it was given, where there is one.
    names_are_config = False

    def lower_Name(self, node: ast.Name) -> Value:
        value = super().lower_Name(node)
        return settled_before(value) if self.names_are_config else value

    def config_test(self, node: ast.expr) -> Const | Config | None:
        """Return a condition that is known before the run, or None."""
        outer, self.names_are_config = self.names_are_config, True
        before = self.impure, self.temporaries
        try:
            emitted, value = self.captured(lambda: self.lower(node))
        finally:
            self.names_are_config = outer
            self.impure, self.temporaries = before
        value = settled_before(value)
        return value if not emitted and isinstance(value, Const | Config) else None

    def choose(self, test: Const | Config, a: Value, b: Value) -> Value | None:
        """Return one of two values by a condition that is known before the run; None if that takes the kernel."""
        if isinstance(test, Const):
            return a if test.value else b
        a, b = settled_before(a), settled_before(b)
        if isinstance(a, Const | Config) and isinstance(b, Const | Config):
            first = a.value if isinstance(a, Const) else a.sample
            second = b.value if isinstance(b, Const) else b.sample
            if type(first) is not type(second) and type_of(first) != type_of(second):
                return None
            codes = self.program.config_node(test), self.program.config_node(a), self.program.config_node(b)
            return self.config(ast.IfExp(*codes), self.method.node)
        if isinstance(a, Group) and isinstance(b, Group) and len(a.items) == len(b.items) and a.fields == b.fields:
            items = [self.choose(test, x, y) for x, y in zip(a.items, b.items, strict=True)]
            known = tuple(each for each in items if each is not None)
            return Group(known, a.fields, a.is_list) if len(known) == len(items) else None
        if isinstance(a, Series) and isinstance(b, Series) and a.pure is not None and b.pure is not None:
            return self.chosen_series(test, a, b)
        return None

    def chosen_series(self, test: Config, a: Series, b: Series) -> Series:
        """Return one of two series."""
        number = self.program.materialise(test)
        code = number.node if number is not None else ast.Constant(bool(test.sample))
        if number is None:
            flag = self.config(ast.Call(ast.Name("bool", ast.Load()), [test.node], []), self.method.node)
            number = self.program.materialise(flag)
            assert number is not None
            code = number.node
        chosen = self.pure_made([test, a, b], lambda codes: ast.IfExp(*codes))
        assert isinstance(chosen, Pure)
        return Series(
            lambda index: self.choice(code, a.at(index), b.at(index)),
            f"{a.name} or {b.name}",
            end=a.end if a.end == b.end else 0,
            pure=chosen,
        )

    def config_tree(self, body: list[ast.stmt]) -> Value | None:
        """Return what statements return, if all their conditions are known before the run; else None."""
        for i, each in enumerate(body):
            if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
                continue
            if isinstance(each, ast.Assign) and len(each.targets) == 1 and isinstance(each.targets[0], ast.Name):
                value = self.known_value(each.value)
                if value is None:
                    return None
                self.locals[each.targets[0].id] = value
                continue
            if isinstance(each, ast.Return) and each.value is not None:
                return self.known_value(each.value)
            if isinstance(each, ast.If):
                test = self.config_test(each.test)
                if test is None:
                    return None
                before = dict(self.locals)
                first = self.config_tree([*each.body, *body[i + 1 :]])
                self.locals = before
                second = self.config_tree([*each.orelse, *body[i + 1 :]]) if first is not None else None
                return None if first is None or second is None else self.choose(test, first, second)
            return None
        return None

    def known_value(self, node: ast.expr) -> Value | None:
        """Lower an expression whose value is known before the run, as a whole; None if it is not."""
        emitted, value = self.captured(lambda: self.lower(node))
        value = settled_before(value)
        items = value.items if isinstance(value, Group) else (value,)
        known = all(isinstance(each, Const | Config) or (isinstance(each, Series) and each.pure) for each in items)
        return value if known and not emitted else None
