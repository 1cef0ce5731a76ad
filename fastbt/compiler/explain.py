"""`fastbt compile --explain`: at which stage each expression is known, which series it takes, what a run keeps."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fastbt.compiler import quiet
from fastbt.compiler.binding import Binding
from fastbt.compiler.emit import lower_all, variables_fields
from fastbt.compiler.load import Method
from fastbt.compiler.lower import Program, PythonSlot, Slot
from fastbt.compiler.program import CompiledStrategy
from fastbt.compiler.values import Const
from fastbt.types import JsonDict

#: What the stages mean, earliest first.
STAGES: Final = {
    "config": "once a parameter set, by Python",
    "market": "once for each distinct argument list, over all candles; shared by all sets that ask for it",
    "bar": "by the kernel, from candles and series of the bar at hand",
    "run": "by the kernel, from the position, orders, balance or the strategy's own variables",
}
_COLUMNS: Final = ("timestamp", "open", "close", "high", "low", "volume")
_TYPES: Final = {"?": "bool", "i8": "int", "f8": "float"}
_SHOWN: Final = (ast.Call, ast.BinOp, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.IfExp, ast.Subscript, ast.Attribute)


@dataclass(frozen=True)
class Line:
    """A line of source and what is known of its expressions.

    Attributes
    ----------
    file : Path
    number : int
    text : str
    expressions : list of (str, str)
        Stage and source of each part, the whole first; parts of the same stage as what they are part of are left out.
    """

    file: Path
    number: int
    text: str
    expressions: list[tuple[str, str]]


@dataclass(frozen=True)
class Explanation:
    """What the compiler makes of a strategy.

    Attributes
    ----------
    name : str
    lines : list of Line
    series : list of (str, str)
        Each distinct series of the sample set as the user may write it, and how it is computed.
    state : list of (str, str)
        Variables that a run keeps, and their types.
    values : list of str
        Values of a parameter set that the kernel reads.
    kernel : list of str
    """

    name: str
    lines: list[Line]
    series: list[tuple[str, str]]
    state: list[tuple[str, str]]
    values: list[str]
    kernel: list[str] = field(default_factory=list)

    def to_dict(self) -> JsonDict:
        """Return it as plain objects."""
        return {
            "strategy": self.name,
            "lines": [
                {
                    "file": str(each.file),
                    "line": each.number,
                    "source": each.text,
                    "expressions": [{"stage": stage, "source": text} for stage, text in each.expressions],
                }
                for each in self.lines
            ],
            "series": [{"series": text, "computed": how} for text, how in self.series],
            "state": [{"name": name, "type": type_} for name, type_ in self.state],
            "values": self.values,
            "kernel": self.kernel,
        }

    def __str__(self) -> str:
        parts = []
        file = None
        for line in self.lines:
            if line.file != file:
                file = line.file
                parts.append(f"{file}")
            parts.append(f"{line.number:5}  {line.text}")
            parts += [f"         {stage:6} {text}" for stage, text in line.expressions]
        parts += ["", "Stages"] + [f"  {stage:6} {what}" for stage, what in STAGES.items()]
        parts += ["", "Series (market stage)", *_listed(self.series)]
        parts += [
            "",
            "Values of a parameter set (config stage)",
            *([f"  {each}" for each in self.values] or ["  none"]),
        ]
        parts += ["", "State that a run keeps", *_listed(self.state)]
        if self.kernel:
            parts += ["", "Kernel", *(f"  {each}" for each in self.kernel)]
        return "\n".join(parts)


def _listed(pairs: list[tuple[str, str]]) -> list[str]:
    width = max((len(first) for first, _ in pairs), default=0)
    return [f"  {first:{width}}  {second}".rstrip() for first, second in pairs] or ["  none"]


def explain(compiled: CompiledStrategy) -> Explanation:
    """Return the stage of each expression of a strategy, its series and its state.

    Parameters
    ----------
    compiled : CompiledStrategy

    Returns
    -------
    Explanation
        `str()` of it is what `fastbt compile --explain` prints.
    """
    program = compiled.program
    program.stages = {}
    program.explained = {}
    try:
        lower_all(program)
        lines = _lines(program)
    finally:
        program.stages = None
    names = {key: ast.unparse(value.node) for key, value in program.config_fields.items()}
    for slot in program.slots.values():
        names[slot.field] = slot.label if isinstance(slot, PythonSlot) else _call(program, slot)
    notes = quiet.explain(compiled.text, names)
    return Explanation(program.source.name, lines, _series(program), _state(program), _values(program), notes)


def series_labels(compiled: CompiledStrategy, binding: Binding) -> dict[str, int]:
    """Return what the series of a bound parameter set are called, and their rows in the series matrix.

    Parameters
    ----------
    compiled : CompiledStrategy
    binding : Binding
        Of one set.
    """
    program, record = compiled.program, binding.configs[0]
    labels: dict[str, int] = {}
    for slot in program.slots.values():
        if isinstance(slot, PythonSlot):
            label, n, names = slot.label, len(slot.types), [f"[{i}]" for i in range(len(slot.types))]
        else:
            label, n = _call(program, slot), len(slot.indicator.fields)
            names = [f".{each}" for each in slot.indicator.fields]
        for i in range(n):
            labels[label + (names[i] if n > 1 else "")] = int(record[slot.field]) + i
    for (frame, column, end), key in program.frame_columns.items():
        labels[f"{_COLUMNS[column]} of {frame} candles[-{end + 1}]"] = int(record[key])
    return labels


def _series(program: Program) -> list[tuple[str, str]]:
    found = []
    for slot in program.slots.values():
        if isinstance(slot, PythonSlot):
            how = "Python, at each bar on what is visible" if slot.per_bar else "Python, once over all candles"
            found.append((slot.label, how))
            continue
        found.append((_call(program, slot), _how(program, slot)))
    for (frame, column, end), _ in program.frame_columns.items():
        found.append((f"{_COLUMNS[column]} of {frame} candles[-{end + 1}]", "as seen at each bar"))
    return found


def _call(program: Program, slot: Slot) -> str:
    """Return a call of an indicator as a user may write it."""
    of = "candles"
    if slot.timeframe:
        of = f"{slot.timeframe} candles" + (f"[:-{slot.end}]" if slot.end else "")
    elif isinstance(slot.data, str):
        of = f"candles[:, {slot.data}]"
    elif isinstance(slot.data, tuple):
        inner = slot.data[0]
        of = inner.label if isinstance(inner, PythonSlot) else _call(program, inner)
    if slot.tail is not None:
        of += f"[-{ast.unparse(program.config_node(slot.tail))}:]"
    arguments = [of]
    for key, value in slot.arguments:
        code = ast.unparse(program.config_node(value))
        arguments.append(code if isinstance(key, int) else f"{key}={code}")
    return f"ta.{slot.indicator.name}({', '.join(arguments)})"


def _how(program: Program, slot: Slot) -> str:
    window = program.window
    if slot.timeframe:
        return "as seen at each bar, the newest candle forming"
    if slot.sequential or slot.data is not None or not slot.indicator.sliced or window == 0:
        return "once over all candles"
    if not program.exact and slot.tail is None and _restarts(program, slot):
        return f"once over all candles, not over the last {window} as in Jesse: indicator_window is full"
    return f"over the last {window} candles of each bar"


def _restarts(program: Program, slot: Slot) -> bool:
    """Tell whether an indicator with the arguments of the sample set takes a pass a bar."""
    values = [(key, value.value if isinstance(value, Const) else value.sample) for key, value in slot.arguments]
    positional = [value for key, value in values if isinstance(key, int)]
    keyword = {key: value for key, value in values if isinstance(key, str)}
    try:
        return slot.indicator.restarts(slot.indicator.encode(*positional, **keyword)[1])
    except (TypeError, ValueError):
        return False  # such a set is refused when it is bound


def _state(program: Program) -> list[tuple[str, str]]:
    # Of a list the third says how many there may be.
    fields = {each[0]: "" if len(each) > 2 else each[1] for each in variables_fields(program)}
    flags = {f"{key}_{flag}" for key in fields for flag in ("set", "none") if f"{key}_{flag}" in fields}
    found = []
    for key, code in fields.items():
        if key == "unused" or key in flags:
            continue
        words = ["list" if code == "" else _TYPES.get(code if isinstance(code, str) else "", "records")]
        words += ["or None"] * (f"{key}_none" in fields) + ["from its first assignment on"] * (f"{key}_set" in fields)
        found.append((f"self.vars['{key[5:]}']" if key.startswith("vars_") else f"self.{key}", " ".join(words)))
    return found


def _values(program: Program) -> list[str]:
    return [ast.unparse(each.node) for each in program.config_fields.values()]


def _lines(program: Program) -> list[Line]:
    """Return the lines of the methods that were lowered, with the stages of their expressions."""
    found: dict[tuple[Path, int], Line] = {}
    for method in program.explained.values():

        def line_at(number: int, method: Method = method) -> Line:
            return found.setdefault((method.file, number), Line(method.file, number, method.lines[number - 1], []))

        if method.name == "over":  # the loop behind a comprehension
            continue
        line_at(method.node.lineno)
        for statement in ast.walk(method.node):
            if isinstance(statement, ast.stmt) and statement is not method.node:
                for number, stage, text in _parts(statement, program, id(method.node)):
                    expressions = line_at(number).expressions
                    if (stage, text) not in expressions:
                        expressions.append((stage, text))
    return [found[key] for key in sorted(found, key=lambda each: (str(each[0]), each[1]))]


def _parts(statement: ast.stmt, program: Program, of: int) -> list[tuple[int, str, str]]:
    """Return line, stage and source of the expressions of one statement, the statements inside it left out."""
    assert program.stages is not None
    stages = program.stages
    found = []

    def visit(node: ast.AST, outer: str | None) -> None:
        stage = outer
        is_number = isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
        if isinstance(node, _SHOWN) and not is_number:
            place = (of, node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0)
            stage = stages.get(place, outer)
            if stage is not None and stage != outer:
                found.append((node.lineno, stage, " ".join(ast.unparse(node).split())))
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.stmt):
                visit(child, stage)

    for child in ast.iter_child_nodes(statement):
        if not isinstance(child, ast.stmt):
            visit(child, None)
    return found
