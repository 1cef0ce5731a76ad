"""Odd but plausible code: whatever a user writes compiles and does what Python does, or is refused in words.

Nothing here knows what compiles. Expressions are put together with little regard to types, so most programs are refused
or raise; a failure of the compiler itself, or a result that differs from the interpreted run, is a bug::

    python tests/fuzz_odd_code.py --seed 0 --count 500
    python tests/fuzz_odd_code.py --seed 17 --count 1 --show
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import signal
import sys
import tempfile
import textwrap
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

KINDS = ("number", "number", "number", "truth", "text", "list", "dict", "array", "series", "any")


class Writer:
    """Writes one strategy from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.oddness = self.rng.choice([0.0, 0.0, 0.02, 0.06])
        self.names: dict[str, str] = {}
        self.state = {
            "self.count": "number",
            "self.level": "number",
            "self.side": "text",
            "self.last": "any",
            "self.rows": "list",
            "self.prices": "list",
            "self.table": "dict",
            "self.recent": "array",
            "self.vars['k']": "number",
            "self.vars['seen']": "any",
        }

    def pick(self, *options: str) -> str:
        return self.rng.choice(options)

    def of_kind(self, kind: str) -> list[str]:
        held = {**self.names, **self.state}
        return [key for key, value in held.items() if value == kind or (kind == "any")]

    def expression(self, kind: str, depth: int) -> str:
        if self.rng.random() < self.oddness:
            kind = self.rng.choice(KINDS)
        known = self.of_kind(kind)
        if known and self.rng.random() < 0.35:
            return self.rng.choice(known)
        make = getattr(self, f"a_{kind}")
        result: str = make(max(0, depth - 1))
        return result

    def a_any(self, depth: int) -> str:
        if self.rng.random() > self.oddness * 20:
            return self.expression(self.pick("number", "number", "truth"), depth)
        return self.expression(self.rng.choice(KINDS[:-1]), depth) if self.rng.random() < 0.8 else "None"

    def a_number(self, depth: int) -> str:
        e = lambda kind: self.expression(kind, depth)  # noqa: E731
        if depth == 0:
            return self.pick("1", "0", "2.5", "-1", "self.price", "self.index", "self.hp['n']", "self.close", "1e-9")
        return self.pick(
            f"({e('number')} {self.pick('+', '-', '*', '/', '//', '%', '**')} {e('number')})",
            f"{self.pick('abs', 'int', 'float', 'round', 'np.sqrt', 'math.floor', 'np.abs')}({e('number')})",
            f"{self.pick('min', 'max')}({e('number')}, {e('number')})",
            f"{self.pick(*'len sum max min np.mean np.std np.median'.split())}({e(self.pick('list', 'array'))})",
            f"{e(self.pick('list', 'array'))}[{self.pick('0', '-1', '1', '-2', 'self.index % 3', 'i')}]",
            f"{e('dict')}[{self.pick(chr(34) + 'a' + chr(34), chr(34) + 'b' + chr(34), e('text'))}]",
            f"{e('dict')}.get({self.pick(chr(34) + 'a' + chr(34), e('text'))}, {e('any')})",
            f"{e('array')}.{self.pick('mean', 'sum', 'max', 'std', 'argmax', 'size', 'any', 'all')}"
            + self.pick("()", "()", "()", ""),
            f"({e('number')} if {e('truth')} else {e('number')})",
            f"ta.{self.pick('sma', 'ema', 'rsi')}({self.pick('self.candles', e('series'))}, 5)",
            f"{e('series')}[{self.pick('-1', '-2', '0', e('number'))}]",
            f"self.helper({e('any')}, {e('any')})",
            f"ta.bollinger_bands(self.candles, 5).{self.pick('upperband', 'middleband', 'lower')}",
            f"round({e('number')}, {self.pick('2', e('number'))})",
            "self.position.qty",
            f"sum({e('number')} for each in {e('list')})",
        )

    def a_truth(self, depth: int) -> str:
        e = lambda kind: self.expression(kind, depth)  # noqa: E731
        if depth == 0:
            return self.pick("True", "False", "self.is_long", "self.index % 2 == 0")
        return self.pick(
            f"({e('number')} {self.pick('<', '>', '<=', '>=', '==', '!=')} {e('number')})",
            f"({e('number')} < {e('number')} <= {e('number')})",
            f"({e('any')} {self.pick('==', '!=', 'is', 'is not')} {e('any')})",
            f"({e('any')} is {self.pick('not ', '')}None)",
            f"({e('text')} == {e('text')})",
            f"({e('any')} {self.pick('in', 'not in')} {e(self.pick('list', 'dict', 'array'))})",
            f"({e('truth')} {self.pick('and', 'or')} {e('truth')})",
            f"(not {e('any')})",
            f"{self.pick('any', 'all', 'np.any', 'np.all')}({e(self.pick('list', 'array'))})",
            f"isinstance({e('any')}, {self.pick('int', 'float', 'str', 'list', 'dict', 'np.ndarray')})",
            f"hasattr(self, {self.pick(chr(34) + 'count' + chr(34), chr(34) + 'nothing' + chr(34))})",
            f"np.isnan({e('number')})",
            f"bool({e('any')})",
            f"utils.crossed({e('series')}, {e('number')})",
        )

    def a_text(self, depth: int) -> str:
        e = lambda kind: self.expression(kind, depth)  # noqa: E731
        if depth == 0:
            return self.pick('"up"', '"down"', '""', "self.symbol", "self.timeframe")
        return self.pick(
            f'("up" if {e("truth")} else "down")',
            f"str({e('number')})",
            "f'{self.price:.2f}'",
            f"{e('text')}.{self.pick('upper()', 'lower()', 'strip()')}",
            f"({e('text')} or {e('text')})",
            f"({e('text')} + {e('text')})",
        )

    def a_list(self, depth: int) -> str:
        e = lambda kind: self.expression(kind, depth)  # noqa: E731
        if depth == 0:
            return self.pick("[]", "[1, 2, 3]", "(1, 2)", "[0.5]", "list(range(4))")
        return self.pick(
            f"[{e('number')}, {e('number')}]",
            f"[{e('any')}, {e('any')}]",
            f"({e('number')}, {e('any')})",
            f"[{e('number')} for i in range({self.pick('3', '5', e('number'))})]",
            f"[each for each in {e(self.pick('list', 'array'))} if {e('truth')}]",
            f"{self.pick('sorted', 'list', 'tuple', 'reversed')}({e(self.pick('list', 'array', 'dict'))})",
            f"{e('list')}[{self.pick('1:', ':-1', '::-1', '-2:', ':' + e('number'))}]",
            f"({e('list')} + {e('list')})",
            f"({e('list')} * {self.pick('2', e('number'))})",
            f"{e('dict')}.{self.pick('keys', 'values', 'items')}()",
            f"[({e('number')}, {e('any')})]",
            f"list(zip({e('list')}, {e('list')}))",
            f"{e('array')}.tolist()",
        )

    def a_dict(self, depth: int) -> str:
        e = lambda kind: self.expression(kind, depth)  # noqa: E731
        if depth == 0:
            return self.pick('{"a": 1}', "{}", '{"a": 1.5, "b": 2}')
        return self.pick(
            f'{{"a": {e("any")}, "b": {e("any")}}}',
            f'{{"a": {e("number")}, "b": {e("number")}}}',
            f"dict({e('dict')})",
            f"{e('dict')}.copy()",
            f"dict(a={e('any')}, b={e('number')})",
            f"{{key: {e('number')} for key in ('a', 'b')}}",
            f"{{{e('text')}: {e('number')}}}",
        )

    def a_array(self, depth: int) -> str:
        e = lambda kind: self.expression(kind, depth)  # noqa: E731
        if depth == 0:
            return self.pick("np.zeros(3)", "np.array([1.0, 2.0, 3.0])", "self.candles[-5:, 2]", "np.array([])")
        return self.pick(
            f"({e('array')} {self.pick('+', '-', '*', '/', '>', '<', '**', '//')} {e(self.pick('number', 'array'))})",
            f"np.{self.pick(*'diff abs sqrt cumsum sort log flip sign'.split())}({e(self.pick('array', 'list'))})",
            f"np.array({e('list')})",
            f"np.where({e('array')} > {e('number')}, {e('number')}, {e('number')})",
            f"np.append({e('array')}, {e('any')})",
            f"np.roll({e('array')}, {self.pick('1', '-1', e('number'))})",
            f"{e('array')}[{self.pick('1:', ':-1', '-2:', '::-1')}]",
            f"{e('array')}[{e('array')} > {e('number')}]",
            f"np.{self.pick('zeros', 'ones', 'arange')}({self.pick('3', e('number'))})",
            f"np.full({self.pick('3', e('number'))}, {e('any')})",
            f"{e('series')}[{self.pick('-5:', '-3:-1', ':-1')}]",
            f"-{e('array')}",
            f"np.concatenate([{e('array')}, {e('array')}])",
            f"np.clip({e('array')}, {e('number')}, {e('number')})",
        )

    def a_series(self, depth: int) -> str:
        e = lambda kind: self.expression(kind, depth)  # noqa: E731
        if depth == 0:
            return self.pick("self.candles[:, 2]", "ta.ema(self.candles, 5, sequential=True)", "self.candles[:, 4]")
        return self.pick(
            f"ta.sma({e('series')}, {self.pick('3', e('number'))}, sequential=True)",
            f"({e('series')} {self.pick('-', '+', '/', '*')} {e(self.pick('series', 'number'))})",
            f"np.{self.pick('diff', 'log', 'abs')}({e('series')})",
            f"{e('series')}[{self.pick(':-1', '1:', ':')}]",
        )

    # --- statements -------------------------------------------------------------------------------------------------
    def block(self, depth: int, n: int) -> list[str]:
        return [line for _ in range(n) for line in self.statement(depth)] or ["pass"]

    def inner(self, depth: int) -> list[str]:
        before = dict(self.names)
        lines = [f"    {line}" for line in self.block(depth - 1, self.rng.randint(1, 2))]
        self.names = {**before, **(self.names if self.rng.random() < 0.3 else {})}
        return lines

    def statement(self, depth: int) -> list[str]:
        e = lambda kind: self.expression(kind, 2)  # noqa: E731
        choices = ["name", "name", "state", "state", "append", "item", "aug", "call"]
        if depth > 0:
            choices += ["if", "if", "for", "try", "while", "unpack"]
        choice = self.pick(*choices)
        kind = self.rng.choice(KINDS)
        if choice == "name":
            name = self.pick("a", "b", "c", "d")
            text = f"{name} = {e(kind)}"
            self.names[name] = kind
            return [text]
        if choice == "state":
            name = self.rng.choice(list(self.state))
            wanted = kind if self.rng.random() < self.oddness else self.state[name]
            return [f"{name} = {e(wanted)}"]
        if choice == "append":
            where = self.rng.choice(self.of_kind("list"))
            return [f"{where}.{self.pick('append', 'append', 'extend', 'remove')}({e(self.pick('number', 'any'))})"]
        if choice == "item":
            where = self.rng.choice([*self.of_kind("list"), *self.of_kind("dict"), *self.of_kind("array")])
            key = self.pick('"a"', '"b"') if self.state.get(where) == "dict" else self.pick("0", "-1", "self.index % 2")
            return [f"{where}[{key}] {self.pick('=', '=', '+=')} {e('any')}"]
        if choice == "aug":
            where = self.rng.choice([*self.of_kind("number"), *self.of_kind("list"), *self.of_kind("array")])
            return [f"{where} {self.pick('+=', '-=', '*=', '/=')} {e(self.pick('number', 'list'))}"]
        if choice == "call":
            popped = f"{self.rng.choice(self.of_kind('list'))}.pop()"
            # What is only logged is dropped, whatever it raises.
            return [self.pick("print(self.price)", "self.log(f'at {self.price}')", popped, f"assert {e('truth')}")]
        if choice == "if":
            lines = [f"if {e(self.pick('truth', 'truth', 'any'))}:", *self.inner(depth)]
            if self.rng.random() < 0.5:
                lines += ["else:", *self.inner(depth)]
            return lines
        if choice == "for":
            self.names["i"] = "number"
            over = self.pick("range(3)", e("list"), f"enumerate({e('list')})", e("array"), f"range({e('number')})")
            target = "i, x" if over.startswith("enumerate") else "i"
            tail = ["    " + self.pick("break", "continue")] if self.rng.random() < 0.2 else []
            return [f"for {target} in {over}:", *self.inner(depth), *tail]
        if choice == "while":
            return ["n = 0", f"while n < 3 and {e('truth')}:", "    n += 1", *self.inner(depth)]
        if choice == "unpack":
            self.names |= {"a": "number", "b": "number"}
            return [f"a, b = {e(self.pick('list', 'any'))}"]
        caught = self.pick("Exception", "ZeroDivisionError", "(IndexError, KeyError)", "TypeError")
        return ["try:", *self.inner(depth), f"except {caught}:", *self.inner(depth)]

    def write(self) -> str:
        """Return the methods of the strategy."""
        parts = [
            "def hyperparameters(self):\n    return [{'name': 'n', 'type': int, 'min': 1, 'max': 9, 'default': 3}]",
            "def __init__(self):\n    super().__init__()\n    self.count = 0\n    self.level = 1.5\n"
            "    self.side = 'up'\n    self.last = None\n    self.rows = []\n    self.prices = [100.0]\n"
            "    self.table = {'a': 1, 'b': 2}\n"
            "    self.recent = np.zeros(4)\n    self.vars['k'] = 0\n    self.vars['seen'] = None",
        ]
        for name, arguments in (("helper", ", a, b"), ("before", ""), ("after", "")):
            self.names = {"a": "any", "b": "any"} if arguments else {}
            lines = self.block(2, self.rng.randint(1, 3))
            if name == "helper":
                if self.rng.random() < 0.3:
                    lines += [f"if {self.expression('truth', 2)}:", f"    return {self.expression('any', 2)}"]
                lines += [f"return {self.expression(self.pick('number', 'number', 'any'), 2)}"]
            parts.append(f"def {name}(self{arguments}):\n" + textwrap.indent("\n".join(lines), "    "))
        self.names = {}
        size = f"1 + abs(float({self.expression('number', 3)})) % 3"
        parts.append(
            "def go_long(self):\n"
            + textwrap.indent("\n".join(self.block(1, 1)), "    ")
            + f"\n    self.buy = {size}, self.price"
        )
        return "\n\n".join(parts)


def main(arguments: list[str] | None = None) -> int:
    """Try programs, print what became of them, and return 1 if any shows a bug."""
    import compiled_snippets
    from fuzz_compiled import run_as_python

    parser = argparse.ArgumentParser(description="Try odd code.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args(arguments)
    run_as_python()
    for each in (signal.SIGALRM, signal.SIGVTALRM):
        signal.signal(each, compiled_snippets._too_long)
    # Lists that double at each bar end in a MemoryError.
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    told: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    bugs: dict[int, str] = {}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(options.seed, options.seed + options.count):
            body = Writer(seed).write()
            if options.show:
                print(body)
            found = outcome({"input": body}, Path(folder), seed)
            kind = found.partition(":")[0]
            told[kind] += 1
            if kind == "refused":
                refused[re.sub(r"'[^']*'|\d+", "_", found.splitlines()[0].split(": ", 2)[-1])[:90]] += 1
            if kind == "bug":
                bugs[seed] = found
                print(f"seed {seed}: {found[:1500]}", flush=True)
            elif options.show:
                print(found)
    print(json.dumps({**told, "bugs": list(bugs), "refused for": dict(refused.most_common(25))}, indent=1))
    return int(bool(bugs))


def outcome(case: dict[str, Any], folder: Path, seed: int) -> str:
    """Return what became of a program: equal, refused, raises or bug."""
    import io
    from contextlib import redirect_stdout

    import compiled_snippets

    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, 6.0)
        with redirect_stdout(io.StringIO()):
            difference, _ = compiled_snippets.difference_of(case, folder, f"odd_{seed}")
    except (TimeoutError, MemoryError):
        return "slow"
    except Exception as error:
        is_ours = "is not valid Python" in str(error)  # what this writes need not even be that
        return f"{'invalid' if is_ours else 'bug'}: {type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    if "TimeoutError" in difference or "MemoryError" in difference:
        return "slow"
    if "fails to compile" in difference or difference.startswith("crashed"):
        return f"bug: {difference}"
    if difference.startswith("refused"):
        return difference
    if "unsupported" in difference or re.search(r"compiled \{'exception': None|\.exception: compiled None", difference):
        return f"undecided: {difference}"
    return "equal" if difference in ("", "nothing was traded") else f"bug: {difference}"


if __name__ == "__main__":
    sys.exit(main())
