"""Lower methods to kernel functions: the program, its series, its config values and its state.

`Program` gathers what the whole strategy needs; `FunctionLowerer` (in `statements` and `expressions`) lowers one method
for one context. A context tells whether candles are complete when the method runs ("bar") or may be forming ("fill").
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import SimpleNamespace
from typing import Any

import numpy as np

from fastbt.compiler import api
from fastbt.compiler.cells import Cell, UnfitError, fit, moment_kind, moment_number, plain_name
from fastbt.compiler.load import Method, StrategySource
from fastbt.compiler.shared import SharedVars
from fastbt.compiler.user_functions import UserFunction
from fastbt.compiler.values import (
    Config,
    Const,
    Function,
    Group,
    Listing,
    Moment,
    Nothing,
    Number,
    Text,
    Value,
    expression_code,
    name,
    parse,
    type_of,
)
from fastbt.engine.python_series import Expression
from fastbt.errors import CompileError, FastbtError, StrategyError
from fastbt.indicators._registry import Indicator

#: In a key of `frame_columns`, instead of how many newest rows are left out: all rows, as of the traded candles.
PARALLEL = -1


@dataclass(frozen=True)
class Slot:
    """One call of an indicator: for each parameter set it names rows of the series matrix.

    Attributes
    ----------
    field : str
        Field of the config record that holds the first row.
    indicator : Indicator
    arguments : tuple of (str or int, Const or Config)
        Keyword and positional arguments, the candles left out.
    sequential : bool
    data : str or tuple or None
        What it is computed from: None for the candles, the source type of a column, or slot and row of another series.
        A column or series is never sliced to the warm-up.
    tail : Const or Config or None
        Rows of the candles that it sees, from `candles[-n:]`.
    timeframe : str
        Another timeframe than the traded one, or "".
    end : int
        For another timeframe: how many of its newest candles are left out.
    """

    field: str
    indicator: Indicator
    arguments: tuple[tuple[str | int, Const | Config], ...]
    sequential: bool
    data: Any = None
    tail: Const | Config | None = None
    timeframe: str = ""
    end: int = 0


@dataclass(frozen=True, eq=False)
class PythonSlot:
    """An expression that Python computes: for each parameter set it names rows of the series matrix.

    Attributes
    ----------
    field : str
        Field of the config record that holds the first row.
    node : ast.expr
        Over the names of `inputs`, and those of a `Config`.
    label : str
        As the user wrote it.
    inputs : tuple of (str, object)
        A timeframe's candles ("" for the traded one), or another slot and the row of its field.
    per_bar : bool
        Whether it is evaluated at each bar.
    types, numpy : tuple
        Of each field: bool, int or float, and whether it is numpy's.
    is_group : bool
        Whether it gives a tuple of fields.
    optional : bool
        Whether fields can be None.
    expression : Expression
    sample : ndarray or None
        Its arrays for the sample set on made-up candles.
    sample_missing : int
        How many rows they are shorter than the candles.
    """

    field: str
    node: ast.expr
    label: str
    inputs: tuple[tuple[str, Any], ...]
    per_bar: bool
    types: tuple[str, ...]
    numpy: tuple[bool, ...]
    is_group: bool
    optional: bool
    expression: Expression
    sample: Any = None
    sample_missing: int = 0


@dataclass
class Variable:
    """A variable of the strategy that lives in the kernel.

    Attributes
    ----------
    cell : Cell
    initial : object
        Value before the first bar.
    is_set : bool
        Whether it exists before the first assignment; if not, reading it first raises.
    unfit : str
        Why it cannot be kept; empty if it can.
    """

    cell: Cell
    initial: Any
    is_set: bool
    unfit: str = ""


@dataclass
class Lowered:
    """A lowered function.

    Attributes
    ----------
    name : str
    node : ast.FunctionDef or None
        None while it is being lowered.
    result : Value or None
        What it returns, if that needs no code, or a list; None if it returns nothing.
    inline : bool
        Whether the result stands for the call.
    cell : Cell or None
        The shape of what it returns.
    assigns : set of str
        The order attributes that it assigns, or that what it calls does.
    parts : dict
        Of a tuple or dict that it returns: the lists in it and what is known of it before the run, by place.
    own : set of str
        Paths of the lists that the function made.
    """

    name: str
    node: ast.FunctionDef | None = None
    result: Value | None = None
    inline: bool = False
    cell: Cell | None = None
    assigns: set[str] = field(default_factory=set)
    parts: dict[tuple[int, ...], Value] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)


@dataclass(repr=False)  # what it holds holds it in turn
class Program:
    """Everything that one generated module needs."""

    source: StrategySource
    environment: Mapping[str, Any]
    initial_attributes: dict[str, Any]
    initial_vars: dict[Any, Any]
    assigned_attributes: set[str]
    assigned_vars: set[Any]
    order_methods: dict[str, set[str]]
    state: dict[tuple[str, Any], Variable] = field(default_factory=dict)
    slots: dict[str, Slot | PythonSlot] = field(default_factory=dict)
    stages: dict[tuple[int, int, int, int, int], str] | None = None
    explained: dict[int, Method] = field(default_factory=dict)
    samples: dict[str, Any] = field(default_factory=dict)
    window: int = 240
    exact: bool = True
    config_fields: dict[str, Config] = field(default_factory=dict)
    objects: dict[str, Any] = field(default_factory=dict)
    functions: dict[tuple[Any, ...], Lowered] = field(default_factory=dict)
    forming: dict[str, Indicator] = field(default_factory=dict)
    points: int = 1
    changed: bool = False
    #: Whether Python may compute before the run what is lowered: then the kernel makes no arrays of series.
    leaves_arrays: bool = False
    #: The first statement of a round that changed what a variable can hold.
    unsettled: tuple[Any, ast.AST] | None = None
    _own_shared: SharedVars = field(default_factory=SharedVars)
    stack: list[tuple[Any, ...]] = field(default_factory=list)
    cached_cells: dict[str, Cell] = field(default_factory=dict)
    local_cells: dict[str, Cell] = field(default_factory=dict)
    inner_methods: dict[tuple[Any, ...], Method] = field(default_factory=dict)
    nullable_types: dict[tuple[int, str], Cell] = field(default_factory=dict)
    frame_columns: dict[tuple[str, int, int], str] = field(default_factory=dict)
    frame_rows: dict[str, str] = field(default_factory=dict)
    user_functions: dict[tuple[str, str, tuple[str, ...]], UserFunction] = field(default_factory=dict)
    on_demand: dict[str, Indicator] = field(default_factory=dict)
    forming_frames: dict[str, Indicator] = field(default_factory=dict)
    timeframes: set[str] = field(default_factory=set)
    texts: dict[Any, int] = field(default_factory=dict)

    @property
    def shared(self) -> SharedVars:
        """What it keeps in `self.shared_vars`, together with the other routes."""
        shared = self.environment.get("shared")
        if shared is None:
            shared = self._own_shared
        assert isinstance(shared, SharedVars)
        return shared

    @property
    def routes(self) -> list[Any]:
        """All trading routes, in their order; empty if there is only one."""
        found = self.environment.get("routes", ())
        return list(found) if len(found) > 1 else []

    @property
    def shares_account(self) -> bool:
        """Whether it is one of several routes."""
        return len(self.routes) > 0

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks that the machine calls."""
        return (*api.HOOKS, *api.ROUTE_HOOKS) if self.shares_account else api.HOOKS

    # --- config stage -------------------------------------------------------------------------------------------
    def evaluate(self, node: ast.expr) -> Any:
        """Evaluate a config-stage expression for the sample set."""
        code = expression_code(node, "<config>")
        return eval(code, {"__builtins__": __builtins__, **self.objects, **self.environment})

    def config_node(self, value: Value) -> ast.expr:
        """Return the config-stage code of a config-stage value."""
        if isinstance(value, Config):
            return value.node
        assert isinstance(value, Const)
        # numpy's float64 derives from float, and is no literal.
        if value.value is None or type(value.value) in (bool, int, float, str):
            return ast.Constant(value.value)
        for key, known in self.objects.items():
            if known is value.value:
                return name(key)
        key = f"object_{len(self.objects)}"
        self.objects[key] = value.value
        return name(key)

    def config_field(self, value: Config) -> str:
        """Return the field of the config record that holds this value."""
        text = ast.unparse(value.node)
        for key, known in self.config_fields.items():
            if ast.unparse(known.node) == text:
                return key
        node = value.node
        read = hyperparameter_of(node)
        if read is not None and read.isidentifier():
            key = f"hp_{read}"
        elif text.startswith("account.") and text.removeprefix("account.").isidentifier():
            key = text.removeprefix("account.")
        else:
            key = f"config_{len(self.config_fields)}"
        self.config_fields[key] = value
        return key

    def slot(
        self,
        indicator: Indicator,
        arguments: tuple[tuple[str | int, Const | Config], ...],
        sequential: bool,
        data: Any = None,
        tail: Const | Config | None = None,
        timeframe: str = "",
        end: int = 0,
    ) -> Slot:
        """Return the slot of an indicator call, the same one for equal calls."""
        parts = [f"{key}={ast.unparse(self.config_node(value))}" for key, value in arguments]
        if data is not None:
            parts.insert(0, data if isinstance(data, str) else f"{data[0].field}[{data[1]}]")
        if tail is not None:
            parts.insert(0, f"candles[-{ast.unparse(self.config_node(tail))}:]")
        if timeframe:
            parts.insert(0, f"{timeframe} candles" + (f"[:-{end}]" if end else ""))
        key = f"{indicator.name}({', '.join(parts)}, sequential={sequential})"
        if key not in self.slots:
            count = sum(isinstance(each, Slot) and each.indicator is indicator for each in self.slots.values())
            self.slots[key] = Slot(
                f"{indicator.name}_{count}", indicator, arguments, sequential, data, tail, timeframe, end
            )
        found = self.slots[key]
        assert isinstance(found, Slot)
        return found

    # --- what Python computes -----------------------------------------------------------------------------------
    def expression(self, node: ast.expr, label: str) -> Expression:
        """Return code of the market stage, ready to be evaluated."""
        code = expression_code(node, "<market>")
        kept = {key: self.environment[key] for key in ("account", "route")}
        return Expression(label, code, {**self.objects, **kept}, self.text_code)

    def python_slot(
        self,
        node: ast.expr,
        label: str,
        inputs: Mapping[str, Any],
        per_bar: bool,
        sample: Any,
        optional: bool,
    ) -> PythonSlot:
        """Return the slot of an expression that Python computes, the same one for equal expressions."""
        key = f"{ast.unparse(node)}{' at each bar' if per_bar else ''}"
        if key in self.slots:
            found = self.slots[key]
            assert isinstance(found, PythonSlot)
            return found
        named = f"slot {key} {sorted(map(str, inputs.items()))}"
        if named not in self.samples:
            taken = {each.field for each in self.samples.values() if isinstance(each, PythonSlot)}
            number = next(i for i in range(len(taken) + 1) if f"python_{i}" not in taken)
            parts = tuple(sample) if isinstance(sample, tuple | list) else (sample,)
            rows, missing = None, 0
            if not per_bar:
                n = self.samples["sampler"].n
                missing = n - len(parts[0])
                rows = np.full((len(parts), n), np.nan)
                rows[:, missing:] = parts
            kinds = [each.dtype.type() if isinstance(each, np.ndarray) else each for each in parts]
            self.samples[named] = PythonSlot(
                f"python_{number}",
                node,
                label,
                tuple(inputs.items()),
                per_bar,
                tuple("text" if isinstance(each, str) else type_of(each) or "float" for each in kinds),
                tuple(hasattr(each, "dtype") for each in kinds),
                isinstance(sample, tuple | list),
                optional,
                self.expression(node, label),
                rows,
                missing,
            )
        slot: PythonSlot = self.samples[named]
        self.slots[key] = slot
        return slot

    def sampler(self, make: Any) -> Any:
        """Return what evaluates expressions on made-up candles, made on first use."""
        if "sampler" not in self.samples:
            self.samples["sampler"] = make(self)
        return self.samples["sampler"]

    # --- strings ------------------------------------------------------------------------------------------------
    def text_code(self, text: Any) -> int:
        """Return the code of a string or of a member of an enum."""
        return self.texts.setdefault(text, len(self.texts))

    def text(self, value: Value) -> Text | None:
        """Return the kernel code of a string, or None if the value is none."""
        if isinstance(value, Text):
            return value
        if isinstance(value, Const) and is_text(value.value):
            return Text(ast.Constant(self.text_code(value.value)), constant=value)
        if isinstance(value, Config) and is_text(value.sample):
            return Text(parse(f"k.{self.config_field(value)}"), constant=value)
        return None

    def kept(self, value: Any) -> Any:
        """Return a value of the configuration as the kernel keeps it."""
        if is_text(value):
            return self.text_code(value)
        return value if moment_kind(value) is None else moment_number(value)

    def moment(self, value: Value) -> Moment | None:
        """Return the kernel code of a point in time or of a length of time, or None if the value is none."""
        if isinstance(value, Moment):
            return value
        if isinstance(value, Const | Config):
            found = value.value if isinstance(value, Const) else value.sample
            kind = moment_kind(found)
            if kind is not None:
                constant = isinstance(value, Const)
                code = ast.Constant(moment_number(found)) if constant else parse(f"k.{self.config_field(value)}")  # type: ignore[arg-type]
                return Moment(code, "datetime" if kind == "utc" else kind, None, kind == "utc")
        return None

    # --- state --------------------------------------------------------------------------------------------------
    def variable(self, space: str, key: Any) -> Variable:
        """Return the variable `self.<key>` (space "self") or `self.vars[<key>]` (space "vars")."""
        if (space, key) not in self.state:
            initial = self.initial_attributes if space == "self" else self.initial_vars
            plain = plain_name(key, len(self.state))
            cell = Cell(plain if space == "self" else f"vars_{plain}", optional=key not in initial)
            variable = Variable(cell, initial.get(key), key in initial)
            if isinstance(variable.initial, deque):
                cell.limit = variable.initial.maxlen
            self.state[space, key] = variable
            if variable.is_set:
                try:
                    fit(cell, Const(variable.initial))
                except UnfitError as error:
                    variable.unfit = str(error)
        return self.state[space, key]

    def order_hooks(self, key: str) -> set[str]:
        """Return the hooks from which an order attribute may be assigned."""
        assigning = self.order_methods.get(key, set())
        return {hook for hook in api.HOOKS if hook in self.source.methods and self._reachable(hook) & assigning}

    def _reachable(self, hook: str) -> set[str]:
        """Return the methods that a hook may call, itself included."""
        found, waiting = set(), [hook]
        while waiting:
            key = waiting.pop()
            if key in found or key not in self.source.methods:
                continue
            found.add(key)
            for methods in self.source.methods_by_class.values():
                if key in methods:
                    waiting += [each.attr for each in ast.walk(methods[key].node) if isinstance(each, ast.Attribute)]
        return found

    def is_changed(self, initial: Any) -> bool:
        """Note that the run changes a list or dict; tell whether it is a variable: until now it was a constant."""
        own = {key for key, value in self.initial_attributes.items() if _holds(value, initial)}
        keys = {key for key, value in self.initial_vars.items() if _holds(value, initial)}
        self.assigned_attributes |= own
        self.assigned_vars |= keys
        self.changed |= bool(own or keys)
        return bool(own or keys)

    # --- methods ------------------------------------------------------------------------------------------------
    def method(
        self,
        method: Method,
        context: str,
        arguments: tuple[Value, ...],
        keywords: tuple[tuple[str, Value], ...] = (),
        wanted_name: str | None = None,
        guarded: bool = False,
        forms: tuple[tuple[str, Any], ...] = (),
    ) -> Lowered:
        """Return the kernel function of a method for a context and the kinds of its arguments."""
        from fastbt.compiler.statements import FunctionLowerer

        kinds = (*map(_kind, arguments), *((k, _kind(v)) for k, v in keywords))
        is_condition = wanted_name in ("should_long", "should_short", "should_cancel_entry")
        key = (id(method.node), context, guarded, forms, is_condition, *kinds)
        found = self.functions.get(key)
        if found is not None:
            if key in self.stack:
                raise CompileError(
                    f"{method.name} calls itself; recursion is not compiled, write it as a loop",
                    file=str(method.file),
                    line=method.node.lineno,
                    column=method.node.col_offset + 1,
                    source=method.lines[method.node.lineno - 1],
                    width=len(method.name) + 4,
                )
            return found
        base = wanted_name or f"m_{method.name}" + ("__fill" if context == "fill" else "") + "__try" * guarded
        taken = {each.name for each in self.functions.values()}
        unique, n = base, 2
        while unique in taken:
            unique, n = f"{base}_{n}", n + 1
        lowered = Lowered(unique)
        self.functions[key] = lowered
        self.stack.append(key)
        lowerer = FunctionLowerer(self, method, context, guarded=guarded, forms=forms, is_condition=is_condition)
        try:
            lowerer.bind_parameters(arguments, dict(keywords))
            settled = not self.changed
            lowerer.lower_into(lowered)
            if settled and self.changed and self.unsettled is None:
                self.unsettled = lowerer, method.node
        except FastbtError:
            raise
        except Exception as error:
            lowerer.refuse_own(method.node, error)
        finally:
            self.stack.pop()
        return lowered

    def materialise(self, value: Value) -> Number | None:
        """Return the kernel code of a value if it is a number (or can be None), else None."""
        if isinstance(value, Number):
            return value
        if isinstance(value, Const):
            kind = type_of(value.value)
            if kind is None:
                return None
            plain = value.value.item() if hasattr(value.value, "item") else value.value
            text = "np.nan" if plain != plain else "np.inf" if plain == float("inf") else repr(plain)
            text = "-np.inf" if plain == float("-inf") else text
            return Number(parse(text), kind, hasattr(value.value, "item"), constant=value)
        if isinstance(value, Config):
            kind = type_of(value.sample)
            if kind is None:
                return None
            numpy = hasattr(value.sample, "item")
            return Number(parse(f"k.{self.config_field(value)}"), kind, numpy, constant=value)
        return None


def _holds(container: Any, value: Any) -> bool:
    """Tell whether a list or dict is a value, or holds it, directly or not."""
    if container is value:
        return True
    if isinstance(container, dict):
        return any(_holds(each, value) for each in container.values())
    return isinstance(container, list | tuple | deque) and any(_holds(each, value) for each in container)


def hyperparameter_of(node: ast.AST) -> str | None:
    """Return the name of the hyper-parameter that `hp['name']` reads, or None."""
    match node:
        case ast.Subscript(ast.Name("hp"), ast.Constant(str(key))):
            return key
    return None


def is_text(value: Any) -> bool:
    """Tell whether the kernel keeps something as the code of a string: strings, and enums that are no numbers."""
    return isinstance(value, str) or (isinstance(value, Enum) and type_of(value) is None)


def _kind(value: Value) -> object:
    """Return what distinguishes specialisations: types of numbers, identity of everything else."""
    has_none = getattr(value, "none", None) is not None
    if isinstance(value, Text) and value.constant is None:
        return ("text", has_none)
    if isinstance(value, Nothing):
        return "nothing"
    if isinstance(value, Number) and value.constant is None:
        return (value.type, value.numpy, has_none)
    if isinstance(value, Number | Text):
        assert value.constant is not None
        return (type(value).__name__, _kind(value.constant))
    if isinstance(value, Moment):
        return (value.kind, value.is_aware, has_none)
    if isinstance(value, Group):
        return ("group", value.fields, value.is_list, value.keys, has_none, *map(_kind, value.items))
    if isinstance(value, Listing):
        return ("list", value.cell.path, has_none)
    if isinstance(value, Function):
        return ("function", id(value.node))
    return ast.unparse(value.node) if isinstance(value, Config) else repr(value)


#: Methods that change a list, dict or deque.
MUTATORS = frozenset(
    "append appendleft extend extendleft insert pop popleft popitem remove clear sort reverse update setdefault "
    "rotate".split()
)


class _Assigned(ast.NodeVisitor):
    """Collect what a method assigns to self and to self.vars, or changes there."""

    def __init__(self, self_name: str) -> None:
        self.self_name = self_name
        self.attributes: set[str] = set()
        self.variables: set[Any] = set()

    def _is_self(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == self.self_name

    def _note(self, node: ast.expr, *, whole: bool) -> None:
        """Note the variable that an expression is, or is a part of."""
        match node:
            case ast.Subscript(ast.Attribute(owner, "vars"), ast.Constant(key)) if self._is_self(owner):
                self.variables.add(key)
            case ast.Attribute(owner, key) if self._is_self(owner):
                if key not in ("vars", "shared_vars"):
                    self.attributes.add(key)
            case ast.Subscript(inner) if not whole:
                self._note(inner, whole=False)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Store | ast.Del):
            self._note(node, whole=True)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Store | ast.Del):
            self._note(node, whole=False)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        match node:
            case ast.Call(ast.Attribute(owner, key)) if key in MUTATORS:
                self._note(owner, whole=False)
            case ast.Call(ast.Name("setattr"), [owner, ast.Constant(str(key)), _]) if self._is_self(owner):
                self.attributes.add(key)
        self.generic_visit(node)


def new_program(source: StrategySource, environment: Mapping[str, Any]) -> Program:
    """Return an empty program: what the strategy's `__init__` leaves, and what its other methods assign.

    Parameters
    ----------
    source : StrategySource
    environment : mapping
        `hp`, `account` and `route` for the sample set.
    """
    from fastbt.engine.strategy import Strategy

    empty = type("Empty", (Strategy,), {"should_long": lambda self: False, "go_long": lambda self: None})
    plain = set(vars(empty()))
    try:
        instance: Strategy = object.__new__(source.restored())
        # Whether routes share anything is for the methods to say.
        instance._session = SimpleNamespace(shared_vars={})  # type: ignore[assignment]
        instance.__init__()  # type: ignore[misc]
    except Exception as error:
        raise StrategyError(f"{source.name}.__init__ raised {type(error).__name__}: {error}") from error
    attributes = {key: value for key, value in vars(instance).items() if key not in plain}
    for base in source.cls.__mro__[:-1]:
        if base in Strategy.__mro__:
            continue
        for key, value in vars(base).items():
            skipped = isinstance(value, property | staticmethod | classmethod)
            if not key.startswith("__") and not callable(value) and not skipped:
                attributes.setdefault(key, value)
    assigned: set[str] = set()
    variables: set[Any] = set()
    order_hooks: dict[str, set[str]] = {}
    for method in source.methods.values():
        if method.name in api.PYTHON_SIDE or method.is_static or not method.node.args.args:
            continue
        found = _Assigned(method.node.args.args[0].arg)
        found.visit(method.node)
        assigned |= found.attributes
        variables |= found.variables
        calls = {each.attr for each in ast.walk(method.node) if isinstance(each, ast.Attribute)}
        assigns = found.attributes | ({"stop_loss", "take_profit"} if "liquidate" in calls else set())
        for key in assigns & set(api.ORDER_ATTRIBUTES):
            order_hooks.setdefault(key, set()).add(method.name)
    return Program(
        source=source,
        environment=environment,
        initial_attributes=attributes,
        initial_vars=dict(instance.vars),
        assigned_attributes=assigned - set(api.ORDER_ATTRIBUTES),
        assigned_vars=variables,
        order_methods=order_hooks,
    )
