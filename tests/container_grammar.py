"""The part of the strategy grammar that holds lists, dicts, tuples, times and exceptions; see `strategy_generators`."""

from __future__ import annotations

import random


class ContainerWriter:
    """What a generated strategy keeps beside numbers, and what it does with it."""

    rng: random.Random
    locals: list[str]

    def __init__(self) -> None:
        self.lists: list[str] = []  # of numbers near the price, never long
        self.rows: list[str] = []  # lists of (price, whole number)
        self.dicts: list[str] = []  # with the keys "up" and "down", perhaps "seen"
        self.tuples: list[str] = []  # of two numbers near the price
        self.days: list[str] = []  # None or a date

    def pick(self, *options: str) -> str: ...

    def chance(self, p: float) -> bool: ...

    def fresh(self, stem: str) -> str: ...

    def number(self, depth: int = 2) -> str: ...

    def whole(self, depth: int = 1) -> str: ...

    def price(self, depth: int = 2) -> str: ...

    def test(self, depth: int = 2) -> str: ...

    def statements(self, depth: int, pad: str) -> list[str]: ...

    def container_state(self) -> list[str]:
        """Lines of `__init__`."""
        lines = []
        for kind, initial, names in (
            ("list", self.pick("[]", "[100.0, 101.0]", "[99.5]"), self.lists),
            ("rows", "[]", self.rows),
            ("dict", self.pick('{"up": 0, "down": 0}', '{"up": 1.5, "down": 2}'), self.dicts),
            ("tuple", "(99.0, 101.0)", self.tuples),
            ("day", "None", self.days),
        ):
            if self.chance(0.6):
                name = self.pick(f"self.{self.fresh(kind)}", f'self.vars["{self.fresh(kind)}"]')
                lines.append(f"{name} = {initial}")
                names.append(name)
        return lines

    def container_number(self, depth: int) -> list[str]:
        """Expressions for a number of moderate size."""
        options = [f"datetime.utcfromtimestamp(self.time / 1000).{self.pick('hour', 'minute', 'day', 'weekday()')}"]
        for name in self.lists:
            options += [
                f"len({name}) % 7",
                f"(sum({name}) / len({name}) if {name} else self.price) / 50",
                f"({name}[-1] if {name} else 3) / 60",
                f"len([each for each in {name} if each > self.price])",
                f"(max({name}) - min({name}) if len({name}) > 1 else 0)",
                f"(np.mean({name}[-3:]) if {name} else 0.5) / 40",
                f"(sorted({name})[len({name}) // 2] if {name} else 1) / 70",
                f"sum(1 for i, each in enumerate({name}) if each < self.price and i % 2 == 0)",
            ]
        for name in self.rows:
            options += [f"sum(count for level, count in {name}) % 9", f"({name}[0][1] if {name} else -2)"]
        for name in self.dicts:
            options += [
                f'{name}["up"] % 5',
                f'{name}.get("seen", {self.rng.randint(0, 3)})',
                f"sum({name}.values()) % 11" if f"{name}!" not in self.dicts else f'{name}["down"] % 3',
            ]
        for name in self.tuples:
            options += [f"({name}[1] - {name}[0]) / 10", f"max({name}) / 90"]
        if depth > 0:
            options += [
                f"round({self.number(depth - 1)}, {self.rng.randint(0, 3)})" if self.chance(0.2) else "round(2.675, 2)",
                f"[{self.number(0)}, {self.number(0)}, 2][self.index % 3]",
                f"(lambda a, b=2: a * b)({self.number(0)})",
                f"{{'a': {self.number(0)}, 'b': 1}}['{self.pick('a', 'b')}']",
                f"divmod({self.whole(0)}, {self.rng.randint(2, 5)})[{self.rng.randint(0, 1)}]",
            ]
        return options

    def container_test(self) -> list[str]:
        """Expressions for a condition."""
        options = ["datetime.utcfromtimestamp(self.time / 1000).hour < 12"]
        for name in self.lists:
            options += [
                f"not {name}",
                f"len({name}) > {self.rng.randint(1, 4)}",
                f"all(each > 90 for each in {name})",
                f"any(each > self.price for each in {name}[-2:])",
                f"self.price in {name}",
            ]
        for name in self.dicts:
            options += [f'"seen" in {name}', f'{name}["up"] > {name}["down"]']
        for name in self.tuples:
            options += [f"{name}[0] < self.price < {name}[1]", f"{name} != (99.0, 101.0)"]
        for name in self.days:
            options += [f"{name} is None", f"{name} == datetime.utcfromtimestamp(self.time / 1000).date()"]
        return options

    def container_statement(self, depth: int, pad: str) -> list[str]:
        """Statements that change what is kept; nothing grows without end."""
        choices = [self.try_block(depth, pad)]
        for name in self.lists:
            choices += [
                [f"{pad}{name}.append({self.price(1)})", *self.bounded(name, pad)],
                [f"{pad}{name}.insert({self.rng.randint(-2, 2)}, {self.price(0)})", *self.bounded(name, pad)],
                [f"{pad}if {name}:", f"{pad}    {name}[{self.pick('0', '-1')}] = {self.price(0)}"],
                [
                    f"{pad}if len({name}) > 2:",
                    f"{pad}    {self.pick(f'del {name}[1]', f'{name}.pop()', f'{name}.sort()')}",
                ],
                [f"{pad}{name} = {name}[-{self.rng.randint(1, 4)}:]"],
                [f"{pad}{name} = [each * 1.0001 for each in {name}[-5:]] + [self.price]"],
                self.loop_over(name, pad),
            ]
        for name in self.rows:
            choices += [
                [f"{pad}{name}.append(({self.price(0)}, {self.whole(0)} % 20))", *self.bounded(name, pad)],
                [f"{pad}{name}.sort(key=lambda row: row[0])"],
            ]
        for name in self.dicts:
            key = self.pick('"up"', '"down"', '"up" if self.close > self.open else "down"')
            choices += [
                [f"{pad}{name}[{key}] += {self.rng.randint(1, 2)}"],
                [f'{pad}{name}["seen"] = {self.whole(0)} % 5'],
                [f"{pad}{name}.update({{'up': {self.whole(0)} % 6, 'down': 2}})"],
                [f'{pad}if "seen" in {name} and {self.test(0)}:', f'{pad}    del {name}["seen"]'],
            ]
        for name in self.tuples:
            choices += [
                [f"{pad}{name} = ({self.price(0)}, {self.price(0)})"],
                [f"{pad}{name} = {name}[1], {name}[0]"],
            ]
        for name in self.days:
            choices += [[f"{pad}{name} = {self.pick('None', 'datetime.utcfromtimestamp(self.time / 1000).date()')}"]]
        return self.rng.choice(choices)

    def bounded(self, name: str, pad: str) -> list[str]:
        """Lines that keep a list short."""
        return [f"{pad}if len({name}) > {self.rng.randint(4, 9)}:", f"{pad}    {name}.pop(0)"]

    def loop_over(self, name: str, pad: str) -> list[str]:
        total, each = self.fresh("total"), self.fresh("each")
        lines = [f"{pad}{total} = 0", f"{pad}for {each} in {self.pick(name, f'reversed({name})', f'{name}[-3:]')}:"]
        if self.chance(0.5):
            lines += [f"{pad}    if {each} > self.price:", f"{pad}        {self.pick('break', 'continue')}"]
        lines += [f"{pad}    {total} += 1"]
        if self.chance(0.4):
            lines += [f"{pad}else:", f"{pad}    {total} -= 2"]
        self.locals.append(total)
        return lines

    def try_block(self, depth: int, pad: str) -> list[str]:
        """An exception now and then, and what is done about it."""
        value = self.fresh("n")
        risky = [
            f"{value} = 10 / (self.index % {self.rng.randint(2, 5)})",
            f"{value} = 7 // ({self.whole(0)} % 3)",
            f"{value} = [1, 2][self.index % 4]",
            *(f"{value} = {name}[{self.rng.randint(0, 3)}] / 50" for name in self.lists),
            *(f'{value} = {name}["seen"]' for name in self.dicts),
        ]
        caught = self.pick("ZeroDivisionError", "(IndexError, KeyError)", "Exception", "LookupError")
        outer = list(self.locals)
        first = self.statements(0, pad + "    ") if depth > 0 else []
        self.locals = list(outer)
        lines = [f"{pad}{value} = 0", f"{pad}try:", *first, f"{pad}    {self.rng.choice(risky)}"]
        lines += [f"{pad}except {caught}:", f"{pad}    {value} = -1"]
        if caught != "Exception":
            lines += [f"{pad}except Exception:", *(self.statements(0, pad + "    ") or [f"{pad}    pass"])]
            self.locals = outer
        if self.chance(0.3):
            lines += [f"{pad}else:", f"{pad}    {value} += 1"]
        if self.chance(0.3):
            lines += [f"{pad}finally:", f"{pad}    {value} -= 1"]
        self.locals.append(value)
        return lines
