"""Write the generated module: hooks, helpers and the machine behind them, as one readable, cached file."""

from __future__ import annotations

import ast
import hashlib
import re
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from fastbt._generated import load_generated
from fastbt.compiler import api
from fastbt.compiler.assignments import COMMON
from fastbt.compiler.cells import Cell, as_group, field_list, is_none, listed, zero
from fastbt.compiler.lower import Program, PythonSlot
from fastbt.compiler.operators import cast
from fastbt.compiler.plain import PlainCopies
from fastbt.compiler.quiet import Quiet, find_quiet, for_plain_trades
from fastbt.compiler.segments import lanes_text
from fastbt.compiler.statements import FunctionLowerer
from fastbt.compiler.unbound import mark_unbound
from fastbt.compiler.values import NUMERIC, Bound, Const, Group, Number, Part, Value, type_of
from fastbt.errors import CompileError
from fastbt.indicators._registry import Indicator

_MARK = "# --- machine ---\n"
#: What one template takes from these is copied with it.
_TEMPLATES = frozenset({"fastbt.engine.plain", "fastbt.engine.skipping"})
_SIGNATURE = ", ".join(COMMON)


@cache
def read_template(file: str) -> tuple[str, str]:
    """Return the imports of a template of the engine and its text below the mark."""
    text = (Path(__file__).parent.parent / "engine" / file).read_text()
    head, body = text.split(_MARK)
    tree = ast.parse(head)
    imports = [
        ast.unparse(each)
        for each in tree.body
        if isinstance(each, ast.Import | ast.ImportFrom) and getattr(each, "module", "") not in _TEMPLATES
    ]
    shared, body = _without_shared(body)
    if shared:
        imports.append(f"from fastbt.engine.{file.removesuffix('.py')} import {', '.join(shared)}")
    return "\n".join(imports), body


def _without_shared(body: str) -> tuple[list[str], str]:
    """Return the functions of a template that are the same for every strategy, and the text without them.

    They are decorated with `lean`, so they are translated once and kept.
    """
    lines = body.splitlines(keepends=True)
    shared = []
    for node in ast.parse(body).body:
        if isinstance(node, ast.FunctionDef) and node.name not in ("run_sets", "run_segments"):
            decorators = [each.id for each in node.decorator_list if isinstance(each, ast.Name)]
            if decorators == ["lean"]:
                shared.append(node.name)
                for i in range(node.lineno - 2, node.end_lineno or node.lineno):
                    lines[i] = ""
    return shared, "".join(lines)


@cache
def _kernels() -> dict[str, str]:
    """Return the kernels that generated code may call, and the module of each."""
    found: dict[str, str] = {}
    for module in ("language", "windows", "lists", "arithmetic", "moments"):
        path = Path(__file__).parent.parent / "engine" / f"{module}.py"
        tree = ast.parse(path.read_text())
        found |= {each.name: module for each in tree.body if isinstance(each, ast.FunctionDef)}
    return found


def _kernel_imports(text: str) -> list[str]:
    """Return the imports of the kernels that a text calls."""
    used: dict[str, list[str]] = {}
    words = set(re.findall(r"\b_\w+", text))
    for key, module in _kernels().items():
        if key in words:
            used.setdefault(module, []).append(key)
    return [f"from fastbt.engine.{module} import {', '.join(keys)}" for module, keys in used.items()]


def _hook(key: str, program: Program) -> str:
    """Return the text of one hook."""
    context = "bar" if key in api.BAR_HOOKS else "fill"
    method = program.source.methods.get(key)
    head = f"@inner\ndef {key}({_SIGNATURE}):\n"
    if method is None:
        default = {"should_long": "return False", "should_short": "return False", "should_cancel_entry": "return True"}
        if key not in default:
            return ""
        return f'{head}    """Jesse\'s default."""\n    {default[key]}\n'
    wanted = api.HOOK_ARGUMENTS.get(key, ())
    given = len(method.node.args.args) - 1
    if given != len(wanted):
        names = ", ".join(("self", *wanted)).replace("trade", "closed_trade").replace("other", "strategy")
        raise CompileError(
            f"Jesse 3.5.3 calls {key}({names}); this one takes {given + 1} arguments",
            file=str(method.file),
            line=method.node.lineno,
            column=method.node.col_offset + 1,
            source=method.lines[method.node.lineno - 1],
            width=len(key) + 4,
        )
    lowered = program.method(method, context, tuple(Part(each) for each in wanted), wanted_name=key)
    is_condition = key in ("should_long", "should_short", "should_cancel_entry")
    if lowered.inline or (is_condition and lowered.cell is None):
        if not is_condition:
            number = None if lowered.result is None else program.materialise(lowered.result)
            # What it returns is dropped, but not what happens on the way.
            return f"{head}    {'pass' if number is None else ast.unparse(number.node)}\n"
        lowerer = FunctionLowerer(program, method, context)
        lowerer.bind_parameters(tuple(Part(each) for each in wanted), {})
        result = Const(None) if lowered.result is None or not lowered.inline else lowered.result
        if lowered.node is not None and not lowered.inline:
            return ""
        truth = lowerer.value_truth(result, method.node)
        code = str(truth) if isinstance(truth, bool) else ast.unparse(truth)
        return f"{head}    return bool({code})\n"
    if lowered.name == key:
        return ""
    return f"{head}    return {lowered.name}({_SIGNATURE})\n"


def _filters(program: Program) -> str:
    """Return the text of the filters hook: the first filter that is false ends the entry."""
    head = f"@inner\ndef filters({_SIGNATURE}):\n"
    method = program.source.methods.get("filters")
    if method is None:
        return f'{head}    """Jesse\'s default."""\n    return True\n'
    lowered = program.method(method, "bar", ())
    lowerer = FunctionLowerer(program, method, "bar")
    if not lowered.inline or not isinstance(lowered.result, Group):
        lowerer.refuse(method.node, "filters is compiled when it returns one list of methods: [self.one, self.two]")
    lines = []
    for each in lowered.result.items:
        if not isinstance(each, Bound) or each.method is None:
            lowerer.refuse(
                method.node, "filters must return methods, not their results: [self.one], without parentheses"
            )
        asking = FunctionLowerer(program, each.method, "bar")
        value = asking.call_method(each.method, (), (), each.method.node)
        truth = asking.value_truth(value, each.method.node)
        emitted = [f"    {line}" for node in asking.out for line in ast.unparse(_fixed(node)).splitlines()]
        code = str(truth) if isinstance(truth, bool) else ast.unparse(truth)
        lines += [*(f"{line}\n" for line in emitted), f"    if not ({code}):\n        return False\n"]
    return head + "".join(lines) + "    return True\n"


def _fixed(node: ast.stmt) -> ast.stmt:
    """Return a statement with line numbers."""
    return ast.fix_missing_locations(node)


def _variables(program: Program) -> list[tuple[Any, ...]]:
    """Return the fields of the variables record."""
    fields: list[tuple[Any, ...]] = [("unused", "i8")]
    for variable in program.state.values():
        fields += field_list(variable.cell)
    for cell in program.cached_cells.values():
        fields += [*field_list(cell), (f"{cell.path}_set", "?")]
    for cell in program.local_cells.values():
        fields += field_list(cell)
    return fields


def _init_cell(program: Program, cell: Cell, value: Value) -> list[str]:
    """Return the lines that put a constant into a cell."""
    value = as_group(listed(value))
    lines = []
    if cell.nullable:
        lines.append(f"v.{cell.path}_none = {is_none(value)}")
    if cell.kind == "list":
        items = value.items if isinstance(value, Group) else ()
        lines.append(f"v.{cell.path}_n = {len(items)}")
        for i, each in enumerate(items):
            assert cell.item is not None
            lines += [line.replace(" = ", f"[{i}] = ", 1) for line in _init_cell(program, cell.item, each)]
    elif cell.kind == "group":
        given: dict[Any, Value] = {}
        if isinstance(value, Group):
            keys = value.keys if value.keys is not None else range(len(value.items))
            given = dict(zip(keys, value.items, strict=True))
        names = cell.keys if cell.keys is not None else range(len(cell.children))
        for key, child in zip(names, cell.children, strict=True):
            if child.optional:
                lines.append(f"v.{child.path}_set = {key in given}")
            lines += _init_cell(program, child, given.get(key, Const(None)))
    else:
        code = zero(cell.type)
        if not is_none(value):
            leaf = program.text(value) or program.moment(value) or program.materialise(value)
            assert leaf is not None
            code = cast(leaf, cell.type) if isinstance(leaf, Number) and cell.type in NUMERIC else leaf.node
        lines.append(f"v.{cell.path} = {ast.unparse(code)}")
    return lines


def _init_variables(program: Program) -> str:
    """Return the text that sets the variables to what `__init__` left."""
    lines = ["v.unused = 0"]
    for variable in program.state.values():
        if variable.cell.optional:
            lines.append(f"v.{variable.cell.path}_set = {variable.is_set}")
        lines += _init_cell(program, variable.cell, Const(variable.initial))
    lines += [f"v.{key}_set = False" for key in program.cached_cells]
    return "@inner\ndef init_variables(v):\n" + "\n".join(f"    {line}" for line in lines) + "\n"


def _clear_cached(program: Program) -> str:
    lines = [f"    v.{key}_set = False" for key in program.cached_cells]
    if not lines:
        return ""
    return f"@inner\ndef clear_cached({_SIGNATURE}):\n" + "\n".join(lines) + "\n"


def _forming_code(indicator: Indicator) -> str:
    """Return the text that evaluates an indicator where the newest candle is forming."""
    head = f"def _now_{indicator.name}(s, bars, minutes, window, source, params, row):\n"
    return _evaluation_code(indicator, head + "    rows = _visible(s, bars, minutes, window)\n")


def _forming_frame_code(indicator: Indicator) -> str:
    """Return the text that evaluates an indicator of a larger timeframe where its newest candle is forming."""
    head = f"def _now_frame_{indicator.name}(s, x, of, minutes, length, window, source, params, row):\n"
    refuse = "    if s.stale or x[of + 6, 0] < 0.0:\n        _fail(s, 107)\n        return 0.0\n"
    return _evaluation_code(indicator, head + refuse + "    rows = _frame_visible(s, x, of, minutes, length, window)\n")


def _on_demand_code(indicator: Indicator) -> str:
    """Return the text that evaluates an indicator with arguments of the run."""
    names = [f"p{i}" for i in range(len(indicator.parameters))]
    arguments = ", ".join(["s", "bars", "minutes", "end", "window", "source", "row", "index", *names])
    values = "".join(f"    params[{i}] = {each}\n" for i, each in enumerate(names))
    head = (
        f"def _at_{indicator.name}({arguments}):\n"
        f"    if s.status != 0:\n        return 0.0\n"
        f"    rows = _seen(s, bars, minutes, end, window)\n"
        f"    at = index if index >= 0 else len(rows) + index\n"
        f"    if at < 0 or at >= len(rows):\n        _fail(s, 9)\n        return 0.0\n"
        f"    params = np.empty({len(names)})\n{values}"
    )
    return _evaluation_code(indicator, head, "at")


def _evaluation_code(indicator: Indicator, head: str, at: str = "len(rows) - 1") -> str:
    """Return the text of a kernel that evaluates an indicator on the rows that `head` makes."""
    assert indicator.kernel is not None
    kernel_name = indicator.kernel.__name__
    data = "_source(rows, source)" if indicator.source else "rows"
    return (
        f"@inner_kernel\n{head}"
        f"    out = np.empty(({len(indicator.fields)}, len(rows)))\n"
        f"    values = np.empty(len(params))\n"
        f"    for i in range(len(params)):\n"
        f"        values[i] = params[i]\n"
        f"    {kernel_name}({data}, values, out)\n"
        f"    return out[row, {at}]\n"
    )


def lower_all(program: Program) -> list[str]:
    """Lower every hook until the types of all variables are stable; return the texts of the hooks."""
    errors: list[CompileError] = []
    for _ in range(16):
        program.changed, program.unsettled = False, None
        program.functions.clear()
        program.slots.clear()
        program.frame_columns.clear()
        program.frame_rows.clear()
        program.forming_frames.clear()
        program.on_demand.clear()
        program.user_functions.clear()
        program.timeframes.clear()
        program.config_fields.clear()
        program.forming.clear()
        program.points = 1
        if program.stages is not None:
            program.stages.clear()
            program.explained.clear()
        hooks, errors = [], []
        for key in (*program.hooks, "filters"):
            try:
                hooks.append(_filters(program) if key == "filters" else _hook(key, program))
            except CompileError as error:
                # Perhaps what a later hook puts into a variable makes it good.
                errors.append(error)
        if not program.changed:
            break
    if errors:
        raise errors[0]
    if program.changed:
        assert program.unsettled is not None
        lowerer, node = program.unsettled
        lowerer.refuse(node, "what this holds does not settle: it is of another kind each time; use two variables")
    return hooks


def defined_hooks(program: Program) -> set[str]:
    """Return the hooks of a generated module that do something."""
    return set(program.source.methods) | ({"clear_cached"} if program.cached_cells else set())


def without_calls(machine: str, hooks: set[str]) -> str:
    """Return the text of a machine without the calls of these hooks: fewer functions to compile."""
    for key in sorted(hooks):
        machine = re.sub(rf"^( +){key}\(\w, v, k, x, bars, minutes\)$", r"\1pass", machine, flags=re.MULTILINE)
    return machine


def without_machine(imports: str) -> list[str]:
    """Return the imports of a template without those of the machine, whose text stands in the same module."""
    return [line for line in imports.splitlines() if not line.startswith("from fastbt.engine.machine ")]


def module_text(program: Program) -> str:
    """Return the source of the generated module: the strategy and, unless it is one of several routes, the machine."""
    hooks = lower_all(program)
    imports, machine = read_template("machine.py")
    skipping_imports, skipping = read_template("skipping.py")
    called = (*program.forming.values(), *program.forming_frames.values(), *program.on_demand.values())
    indicators = {each.name: each for each in called}
    lines = [
        f'"""Generated by fastbt from the strategy {program.source.name}. Edit the strategy, not this file."""',
        "import math",
        *dict.fromkeys([*imports.splitlines(), *skipping_imports.splitlines()]),
        "from fastbt._jit import inner_inlined, inner_kernel",
        "from fastbt._vectors import lowest_bit, occupied",
        "from fastbt.engine.kernels import _other_pnl",
        "from fastbt.engine.kernels import _available_margin, _portfolio_value, _position_roi, _position_total_cost",
        "from fastbt.engine.kernels import _fail, _market_price, _position_value, _visible",
    ]
    for each in indicators.values():
        assert each.kernel is not None
        lines.append(f"from {each.kernel.__module__} import {each.kernel.__name__}")
    if program.user_functions:
        lines += ["from fastbt._jit import kernel", "from fastbt.compiler.user_functions import user_function"]
        known = program.user_functions.items()
        lines += [called.text(key, type_, len(types)) for (key, type_, types), called in known]
    bodies = []
    for lowered in program.functions.values():
        if lowered.node is not None:
            bodies.append(mark_unbound(ast.unparse(ast.fix_missing_locations(lowered.node))))
    variables = _variables(program)
    quiet = Quiet("") if program.shares_account else find_quiet(program, "\n".join([*bodies, *hooks]), variables)
    if quiet.is_plain:
        bodies, hooks = ([for_plain_trades(each, quiet.facts) for each in texts] for texts in (bodies, hooks))
    series = [f"#   {key} -> row k.{slot.field}" for key, slot in program.slots.items()]
    series += [
        f"#   {column} of {of} candles[-{end + 1}] -> row k.{key}"
        for (of, column, end), key in program.frame_columns.items()
    ]
    values = [f"#   {ast.unparse(value.node)} -> k.{key}" for key, value in program.config_fields.items()]
    unused = {*api.HOOKS, "clear_cached"} - defined_hooks(program)
    machine = without_calls(machine, unused)
    machine = re.sub(r"^( +)tell\(.*\)$", r"\1pass", machine, flags=re.MULTILINE)
    machine = re.sub(r"\bown\(s, (\w+)\)", r"\1", machine)
    parts = [
        "# Market series:\n" + ("\n".join(series) or "#   none"),
        "# Values of a parameter set:\n" + ("\n".join(values) or "#   none"),
        *map(_forming_code, {each.name: each for each in program.forming.values()}.values()),
        *map(_on_demand_code, program.on_demand.values()),
        *map(_forming_frame_code, {each.name: each for each in program.forming_frames.values()}.values()),
        *bodies,
        *hooks,
        _init_variables(program),
        _clear_cached(program),
    ]
    parts.insert(0, "\n".join([*lines, *_kernel_imports("\n".join([*parts, quiet.text]))]))
    if not program.shares_account:
        parts += [f"{_MARK}{machine}\n\n{skipping}", quiet.text]
        if quiet.is_plain:
            plain_imports, plain = read_template("plain.py")
            kept = without_machine(plain_imports)
            copies = PlainCopies([*bodies, *hooks])
            parts += [copies.text, copies.called_by(without_calls(plain, unused))]
            if quiet.may_share:
                segments_imports, segments = read_template("segments.py")
                kept += without_machine(segments_imports)
                kinds = {each[0]: each[1] for each in config_fields(program)}
                lanes = lanes_text(variables, kinds, "\n".join([*bodies, *hooks, quiet.text]))
                parts += [copies.called_by(without_calls(segments, unused)), lanes]
            parts[0] = "\n".join([parts[0], *kept])
    return "\n\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def module_name(text: str) -> str:
    """Return the name of the module with this text."""
    return f"fastbt_generated_{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def load_module(text: str, label: str) -> ModuleType:
    """Write a generated module to the cache, and import it from there; see `load_generated`."""
    return load_generated(text, module_name(text), f"Kernels of {label}.", "strategies")


def variables_fields(program: Program) -> list[tuple[Any, ...]]:
    """Return the fields of the variables record."""
    return _variables(program)


def config_fields(program: Program) -> list[tuple[Any, ...]]:
    """Return the fields of a parameter set's record."""
    codes = {"bool": "?", "int": "i8", "float": "f8"}
    fields: list[Any] = [("unused", "i8")]
    for slot in program.slots.values():
        if isinstance(slot, PythonSlot):
            fields += [(slot.field, "i8"), (f"{slot.field}_first", "i8")]
            continue
        count = max(1, len(slot.indicator.parameters))
        fields += [
            (slot.field, "i8"),
            (f"{slot.field}_source", "i8"),
            (f"{slot.field}_first", "i8"),
            (f"{slot.field}_params", "f8", (count,)),
        ]
    fields += [(key, "i8") for key in program.frame_columns.values()]
    fields += [(key, "i8") for key in program.frame_rows.values()]
    for key, value in program.config_fields.items():
        # A string is kept as its code, a moment as a whole number.
        fields.append((key, codes.get(type_of(value.sample) or "", "i8")))
    return fields
