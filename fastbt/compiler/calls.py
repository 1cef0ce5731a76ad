"""Lower calls that need no market: Python's own functions, methods of lists and dicts, functions inside a method."""

from __future__ import annotations

import ast
import inspect
import math
from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np

from fastbt.compiler import api
from fastbt.compiler.arrays import ArrayLowerer
from fastbt.compiler.cells import Cell, as_group, is_none, leaf_kind
from fastbt.compiler.load import Method
from fastbt.compiler.lower import MUTATORS
from fastbt.compiler.operators import assign, cast
from fastbt.compiler.storage import leaf_paths
from fastbt.compiler.values import (
    Bound,
    Config,
    Conflict,
    Const,
    Default,
    Function,
    Group,
    Listing,
    Member,
    Moment,
    Number,
    Part,
    Points,
    Sequence,
    Series,
    Super,
    Text,
    Value,
    Window,
    join_types,
    name,
    parse,
)

_NO_STRING = Conflict("a string put together at run time, which only logging may use")


class CallLowerer(ArrayLowerer):
    """Lower calls by the name of what is called."""

    # --- by name ------------------------------------------------------------------------------------------------
    def special_call(self, node: ast.Call) -> Value | None:
        """Lower what is not called like a function of values; None for all others."""
        function = node.func
        if not isinstance(function, ast.Name) or function.id in self.locals or function.id in self.method.namespace:
            return None
        match function.id, len(node.args):
            case "hasattr", 2:
                return self.hasattr(node)
            case "getattr", 2 | 3:
                return self.getattr(node)
            case "setattr", 3:
                key = self.lower(node.args[1])
                owner = self.lower(node.args[0])
                if not isinstance(key, Const) or owner != Part("self"):
                    self.refuse(node, "setattr is compiled for self and a constant name only")
                target = ast.copy_location(ast.Attribute(node.args[0], key.value, ast.Store()), node)
                self.assign_target(target, self.lower(node.args[2]), node)
                return Const(None)
            case "delattr", 2:
                key = self.lower(node.args[1])
                if not isinstance(key, Const):
                    self.refuse(node, "delattr is compiled for self and a constant name only")
                target = ast.copy_location(ast.Attribute(node.args[0], key.value, ast.Del()), node)
                self.delete(target)
                return Const(None)
            case "super", _:
                return Super(self.defining_class(node))
            case "isinstance", 2:
                return self.isinstance(node)
            case "print", _:
                return Const(None)
        return None

    def delete(self, target: ast.expr) -> None:
        """Delete something; see `assignments`."""
        raise NotImplementedError

    def has_attribute(self, key: str) -> Value:
        """Return whether self has an attribute."""
        program = self.program
        if key in program.assigned_attributes:
            cell = program.variable("self", key).cell
            return Number(parse(f"v.{cell.path}_set"), "bool", False) if cell.optional else Const(True)
        return Const(hasattr(program.source.cls, key) or key in program.initial_attributes or key in _INSTANCE)

    def hasattr(self, node: ast.Call) -> Value:
        owner, key = self.lower_all(node.args)
        if isinstance(key, Const):
            if owner == Part("self"):
                return self.has_attribute(key.value)
            if isinstance(owner, Part) and owner.name in _TABLES:
                label, table = _TABLES[owner.name]
                known = {*table, *api.TEXTS.get(label, ()), *api.OWNER_CONFIG.get(label, ())}
                if key.value in known:
                    return Const(True)
            if isinstance(owner, Const):
                return Const(hasattr(owner.value, key.value))
        self.refuse(node, "hasattr is compiled for self and a constant name only")

    def getattr(self, node: ast.Call) -> Value:
        """Lower `getattr(self, "name", default)`."""
        key = self.lower(node.args[1])
        if not isinstance(key, Const) or not isinstance(key.value, str):
            self.refuse(node, "getattr is compiled with a constant name only")
        read = ast.copy_location(ast.Attribute(node.args[0], key.value, ast.Load()), node)
        if len(node.args) == 2:
            return self.lower(read)
        owner = self.lower(node.args[0])
        if owner != Part("self"):
            if isinstance(owner, Const):
                default = self.lower(node.args[2])
                return Const(getattr(owner.value, key.value)) if hasattr(owner.value, key.value) else default
            self.refuse(node, "getattr with a default is compiled for self only")
        there = self.has_attribute(key.value)
        if isinstance(there, Const):
            default = self.lower(node.args[2])
            return self.lower(read) if there.value else default
        assert isinstance(there, Number)
        held = self.bare_read(self.program.variable("self", key.value).cell)
        return self.chosen(there.node, ([], held), self.captured(lambda: self.lower(node.args[2])), node)

    def bare_read(self, cell: Cell) -> Value:
        """Return what is in a cell that is known to be there."""
        from fastbt.compiler.cells import read

        return read(cell, lambda path: parse(f"v.{path}"))

    def isinstance(self, node: ast.Call) -> Value:
        """Lower `isinstance(x, T)`, which the compiler knows, except for None."""
        value, wanted = self.lower_all(node.args)
        if isinstance(wanted, Group) and all(isinstance(each, Const) for each in wanted.items):
            wanted = Const(tuple(each.value for each in wanted.items if isinstance(each, Const)))
        if not isinstance(wanted, Const):
            self.refuse(node, "isinstance is compiled for classes that are named")
        if isinstance(value, Const | Config):
            return self.config_call(Const(isinstance), [value, wanted], {}, node)
        sample: Any = None
        group = as_group(value)
        if isinstance(group, Group):
            sample = {} if group.keys is not None else [] if group.is_list else ()
        elif isinstance(group, Listing):
            sample = np.zeros(1) if group.cell.is_array else []
        elif isinstance(group, Text):
            sample = ""
        elif isinstance(group, Number):
            numpy = {"bool": np.bool_(True), "int": np.int64(1), "float": np.float64(1)}[group.type]
            plain = {"bool": True, "int": 1, "float": 1.0}[group.type]
            if group.numpy is None and isinstance(numpy, wanted.value) != isinstance(plain, wanted.value):
                self.refuse(node, "whether this is a Python number or one of numpy's is not known; convert it first")
            sample = numpy if group.numpy else plain
        elif isinstance(group, Points | Window | Series):
            sample = np.zeros(1)
        else:
            self.refuse(node, f"isinstance of {self.describe(value)} is not compiled")
        found = isinstance(sample, wanted.value)
        none = getattr(group, "none", None)
        if none is None or not found:
            return Const(found)
        return Number(ast.UnaryOp(ast.Not(), none), "bool", False)

    def config_call(self, callee: Const, arguments: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """Lower a call that Python can make before the run; see `expressions`."""
        raise NotImplementedError

    # --- classes ------------------------------------------------------------------------------------------------
    def defining_class(self, node: ast.AST) -> type:
        """Return the class whose body holds the method at hand."""
        for cls, methods in self.program.source.methods_by_class.items():
            found = methods.get(self.method.name)
            if found is not None and found.node is self.method.node:
                return cls
        self.refuse(node, "super() is compiled inside a method of the strategy or of its bases")

    def super_attribute(self, after: type, node: ast.Attribute) -> Value:
        """Lower `super().name`."""
        source = self.program.source
        order = source.cls.__mro__
        for cls in order[order.index(after) + 1 :]:
            method = source.methods_by_class.get(cls, {}).get(node.attr)
            if method is not None:
                return self.call_method(method, (), (), node) if method.is_property else Bound(node.attr, method)
        if node.attr in api.HOOKS or node.attr in api.PYTHON_SIDE:
            default = {"should_short": False, "should_cancel_entry": True, "filters": []}
            return Const(Default(default.get(node.attr)))
        self.refuse(node, f"super().{node.attr} is not compiled: no base class of yours defines it")

    # --- functions inside a method ------------------------------------------------------------------------------
    def lower_Lambda(self, node: ast.Lambda) -> Value:
        return Function(node, dict(self.locals))

    def statement_FunctionDef(self, node: ast.FunctionDef) -> bool:
        self.locals[node.name] = Function(node, None)
        return False

    def call_inner(
        self, function: Function, arguments: list[Value], keywords: dict[str, Value], node: ast.AST
    ) -> Value:
        """Call a function of the method's own: its body stands for the call."""
        args = function.node.args
        if args.vararg or args.kwarg:
            self.refuse(node, "* and ** parameters are not compiled; name the parameters")
        names = [each.arg for each in [*args.posonlyargs, *args.args]]
        given = dict(zip(names, arguments, strict=False)) | keywords
        defaults = dict(zip(names[len(names) - len(args.defaults) :], args.defaults, strict=True))
        names += [each.arg for each in args.kwonlyargs]
        defaults |= {each.arg: value for each, value in zip(args.kwonlyargs, args.kw_defaults, strict=True) if value}
        for key in names:
            if key not in given:
                if key not in defaults:
                    self.refuse(node, f"the function was called without {key!r}")
                given[key] = self.lower(defaults[key])
        if len(arguments) > len(names) or set(given) - set(names):
            self.refuse(node, "the function was called with arguments that it does not take")
        if isinstance(function.node, ast.Lambda):
            settled = {key: self.settle(value) for key, value in given.items()}
            outer = self.locals
            self.locals = {**self.locals, **settled}
            result = self.lower(function.node.body)
            self.locals = {key: value for key, value in self.locals.items() if key in outer and key not in settled}
            self.locals = {**outer, **self.locals}
            return result
        # A function with statements is a function of its own; what it reads of the names around it are arguments.
        inner = function.node
        if any(isinstance(each, ast.Nonlocal) for each in ast.walk(inner)):
            self.refuse(inner, "nonlocal is not compiled; return the value")
        own = {each.id for each in ast.walk(inner) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
        read = {each.id for each in ast.walk(inner) if isinstance(each, ast.Name)} - own - set(names)
        around = [key for key in self.locals if key in read and key not in names and key != inner.name]
        whole = ast.arguments([], [ast.arg(key) for key in [*names, *around]], None, [], [], None, [])
        made = ast.FunctionDef(inner.name, whole, inner.body, [], None, None)
        ast.copy_location(made, inner)
        identity = (id(inner), tuple(around))
        method = self.program.inner_methods.get(identity)
        if method is None:
            method = Method(
                inner.name, made, self.method.file, self.method.lines, self.method.namespace, ("staticmethod",)
            )
            self.program.inner_methods[identity] = method
        values = {**given, **{each: self.locals[each] for each in around}}
        return self.call_method(method, (), tuple((each, values[each]) for each in [*names, *around]), node)

    def call_function_value(self, function: ast.expr, arguments: tuple[Value, ...], node: ast.AST) -> Value:
        """Call a lambda or function with values."""
        callee = self.lower(function)
        if isinstance(callee, Function):
            return self.call_inner(callee, list(arguments), {}, node)
        if isinstance(callee, Bound) and callee.method is not None:
            return self.call_method(callee.method, arguments, (), node)
        if isinstance(callee, Const) and hasattr(callee.value, "__name__"):
            made = ast.copy_location(ast.Call(function, [], []), node)
            return self.call_function(callee.value, list(arguments), {}, made)
        self.refuse(function, f"{self.describe(callee)} is not compiled as a function here")

    def call_function(self, target: Any, arguments: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """Call a function of numbers; see `expressions`."""
        raise NotImplementedError

    # --- methods of values --------------------------------------------------------------------------------------
    def call_member(self, callee: Member, node: ast.Call) -> Value:
        """Call a method of a list, dict or string."""
        owner, key = callee.owner, callee.name
        if isinstance(owner, Conflict):
            return owner
        if isinstance(owner, Const) and key in MUTATORS:
            if not self.program.is_changed(owner.value):
                self.refuse(node, "a list or dict of the module is not changed in a compiled strategy; keep it in self")
            return Const(None) if key not in ("pop", "popleft", "setdefault") else Const(0)
        if isinstance(owner, Text):
            self.refuse(node, f".{key}() of a string that changes is not compiled; compare it with ==")
        if isinstance(owner, Config):
            arguments = self.elements(node.args)
            if all(isinstance(each, Const | Config) for each in arguments) and not node.keywords:
                code = ast.Call(
                    ast.Attribute(owner.node, key, ast.Load()),
                    [self.program.config_node(each) for each in arguments],
                    [],
                )
                return self.config(code, node)
            return _NO_STRING
        owner = self.nullable_leaf(as_group(owner))
        if isinstance(owner, Group) and owner.keys is not None:
            return self.call_dict(owner, key, node)
        if isinstance(owner, Listing):
            return self.call_list(owner, key, node)
        if isinstance(owner, Group):
            return self.call_group(owner, key, node)
        if isinstance(owner, Points):
            rows = self.array(owner, node)
            return self.call_list(rows, key, node)
        self.refuse(node, f".{key}() of {self.describe(owner)} is not compiled")

    def call_group(self, owner: Group, key: str, node: ast.Call) -> Value:
        """Call a method of a tuple, or of a list that is known item by item."""
        if key in ("index", "count"):
            return self.call_list(self.new_list(node, replace(owner, is_list=True)), key, node)
        if key == "copy":
            return replace(owner, cell=None, place=None)
        if key in ("_asdict",) and owner.fields is not None:
            return Group(owner.items, keys=owner.fields)
        if key in MUTATORS:
            self.refuse(node, "a list that was passed in or made in an expression is not changed; give it a name first")
        self.refuse(node, f".{key}() of {self.describe(owner)} is not compiled")

    def call_list(self, owner: Listing, key: str, node: ast.Call) -> Value:
        """Call a method of a list."""
        cell = owner.cell
        if cell.is_array:
            return self.call_array(owner, key, node)
        self.impure = True
        arguments = [self.lower_iterable(each) for each in node.args]
        options = {str(each.arg): each.value for each in node.keywords}
        if options and key != "sort":
            self.refuse(node, f".{key}() takes no such argument")
        match key, arguments:
            case "append", [value]:
                self.append(cell, value, node)
            case "appendleft", [value]:
                self.insert(cell, ast.Constant(0), value, node)
            case "insert", [index, value]:
                place = parse("_place(N, I)", N=cell.length, I=self.whole(index, node))
                self.insert(cell, self.temporary(place), value, node)
            case "extend", [value]:
                self.extend(cell, value, node)
            case "pop" | "popleft", _ if len(arguments) <= 1:
                if arguments:
                    index_code = self.whole(arguments[0], node)
                else:
                    index_code = parse("-1") if key == "pop" else ast.Constant(0)
                place = self.temporary(parse("_item(s, N, I)", N=cell.length, I=index_code))
                value = self.settle(self.item(cell, place))
                self.take_out(cell, place)
                return value
            case "remove", [value]:
                found = parse("_not_found(s, I)", I=self.index_in(owner, value, node))
                self.take_out(cell, self.temporary(parse("max(0, I)", I=found)))
            case "clear", []:
                self.out.append(assign(f"v.{cell.path}_n", ast.Constant(0)))
            case "sort", []:
                reverse = self.lower(options["reverse"]) if "reverse" in options else Const(False)
                if not isinstance(reverse, Const):
                    self.refuse(node, "the argument reverse must be a constant")
                self.sort(owner, node, options.get("key"), bool(reverse.value))
            case "reverse", []:
                self.items_move(cell)
                for path in self.paths(cell):
                    self.out.append(ast.Expr(parse(f"_reverse(v.{path}, {self.n(cell)})")))
            case "index", [value]:
                code = parse("_not_found(s, I)", I=self.index_in(owner, value, node))
                return Number(self.temporary(code), "int", False)
            case "count", [value]:
                return self.count(owner, value, node)
            case "copy", []:
                return self.as_list(owner, node)
            case _:
                self.refuse(node, f".{key}() of a list is not compiled like this")
        return Const(None)

    def paths(self, cell: Cell) -> list[str]:
        """Return the arrays that hold the items of a list."""
        return [] if cell.item is None else leaf_paths(cell.item)

    def insert(self, cell: Cell, place: ast.expr, value: Value, node: ast.AST) -> None:
        """Emit what puts an item into the middle of a list."""
        if cell.item is None:
            cell.item = Cell(f"{cell.path}_items")
            self.program.changed = True
        self.fit(cell.item, value, node, "an item of the list", nested=True)
        settled = self.settle(as_group(value))
        self.items_move(cell)
        last = self.temporary(parse(f"_room(s, {self.n(cell)}, {cell.capacity})"))
        for path in self.paths(cell):
            self.out.append(ast.Expr(parse(f"_make_room(v.{path}, L, P)", L=last, P=place)))
        self.put(cell.item, settled, place)
        self.out.append(assign(self.n(cell), parse("L + 1", L=last)))

    def count(self, owner: Listing, value: Value, node: ast.AST) -> Value:
        """Lower `items.count(value)`."""
        key = self.fresh()
        self.out.append(assign(key, ast.Constant(0)))
        wanted = self.settle(value)
        sequence = self.to_sequence(owner, node)

        def add(item: Value) -> None:
            found = self.equal(item, wanted, node)
            if found is None:
                first, second = self.as_number(item, node), self.as_number(wanted, node)
                found = ast.Compare(first.node, [ast.Eq()], [second.node])
            test = ast.Constant(found) if isinstance(found, bool) else found
            self.out.append(ast.If(test, [assign(key, parse("K + 1", K=name(key)))], []))

        self.each(sequence, add)
        return Number(name(key), "int", False)

    # --- dicts --------------------------------------------------------------------------------------------------
    def call_dict(self, owner: Group, key: str, node: ast.Call) -> Value:
        """Call a method of a dict."""
        assert owner.keys is not None
        arguments = self.lower_all(node.args)
        if key in ("items", "keys", "values") and not arguments:
            if owner.present is not None:
                self.refuse(node, "a loop over a dict whose keys come and go is not compiled; name them all at first")
            keys = tuple(map(Const, owner.keys))
            if key == "items":
                return Group(tuple(Group(pair) for pair in zip(keys, owner.items, strict=True)))
            return Group(keys if key == "keys" else owner.items)
        if key == "get" and 1 <= len(arguments) <= 2:
            return self.dict_get(owner, arguments[0], arguments[1] if len(arguments) > 1 else Const(None), node)
        if key == "copy" and not arguments:
            return replace(owner, cell=None, place=None)
        place = node.func.value if isinstance(node.func, ast.Attribute) else node
        if key == "update":
            given = dict(self.dict_pairs(arguments[0], node)) if arguments else {}
            given |= {str(each.arg): self.lower(each.value) for each in node.keywords}
            for each, value in given.items():
                target = ast.copy_location(ast.Subscript(place, ast.Constant(each), ast.Store()), node)
                self.assign_target(target, value, node)
            return Const(None)
        cell = owner.cell
        if cell is not None and arguments and isinstance(arguments[0], Const):
            wanted = arguments[0].value
            if key == "setdefault":
                child = self.add_key(cell, wanted)
                value = arguments[1] if len(arguments) > 1 else Const(None)
                if child.optional:
                    self.fit(child, value, node, f"the item {wanted!r}")
                    outer, self.out = self.out, []
                    self.put(child, value)
                    block, self.out = self.out, outer
                    self.out.append(ast.If(parse(f"not v.{child.path}_set"), block, []))
                return self.bare_read(child)
            if key == "pop":
                child = self.add_key(cell, wanted)
                if not child.optional:
                    child.optional = True
                    self.program.changed = True
                if len(arguments) > 1:
                    value = self.chosen(
                        parse(f"v.{child.path}_set"), ([], self.bare_read(child)), ([], arguments[1]), node
                    )
                else:
                    value = self.read_cell(child)
                value = self.settle(value)
                self.out.append(assign(f"v.{child.path}_set", ast.Constant(False)))
                return value
        if cell is not None and key == "clear":
            for child in cell.children:
                if not child.optional:
                    child.optional = True
                    self.program.changed = True
                self.out.append(assign(f"v.{child.path}_set", ast.Constant(False)))
            return Const(None)
        self.refuse(node, f".{key}() of a dict is not compiled like this")

    def dict_pairs(self, value: Value, node: ast.AST) -> list[tuple[Any, Value]]:
        """Return keys and values of a dict that is known key by key."""
        group = as_group(value)
        if not isinstance(group, Group) or group.keys is None or group.present is not None:
            self.refuse(node, f"a dict is updated from another one that is written out, not {self.describe(value)}")
        return list(zip(group.keys, map(self.settle, group.items), strict=True))

    def dict_get(self, owner: Group, index: Value, default: Value, node: ast.AST) -> Value:
        """Lower `d.get(key, default)`."""
        assert owner.keys is not None
        if isinstance(index, Const):
            if index.value not in owner.keys:
                return default
            i = owner.keys.index(index.value)
            present = None if owner.present is None else owner.present[i]
            if present is None:
                return owner.items[i]
            return self.chosen(present, ([], owner.items[i]), ([], default), node)
        place = self.key_place(owner, index, node)
        if not owner.items:
            return default
        return self.chosen(parse("P >= 0", P=place), ([], self.among(owner.items, place, node)), ([], default), node)

    # --- functions ----------------------------------------------------------------------------------------------
    def builtin(self, target: Any, arguments: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value | None:
        """Call one of Python's or numpy's functions that take lists, strings and the like; None for all others."""
        first = arguments[0] if arguments else None
        if target in (str, repr, format, "".join) or isinstance(getattr(target, "__self__", None), str):
            return _NO_STRING
        if target in (np.array, np.asarray) and first is not None:
            wanted = arguments[1] if len(arguments) > 1 else keywords.get("dtype", Const(None))
            made = self.array(first, node)
            if target is np.asarray and self.is_own_array(first):
                made = replace(made, view=first.view or first.cell)  # type: ignore[attr-defined]
            return made if is_none(wanted) else self.as_type(made, self.dtype(wanted, node), node)
        if target is np.arange and 1 <= len(arguments) <= 3 and not keywords:
            return self.array(self.range_of(arguments, node), node)
        if target in (np.zeros, np.ones, np.empty, np.full) and first is not None:
            return self.filled(target, arguments, keywords, node)
        if target in (list, tuple, deque) and len(arguments) <= 1 and not keywords:
            return self.as_container(target, first, node)
        if target is dict and len(arguments) == 1 and isinstance(as_group(arguments[0]), Group):
            return replace(as_group(arguments[0]), cell=None, place=None)  # type: ignore[type-var]
        if target is dict and not arguments:
            return Group(tuple(keywords.values()), keys=tuple(keywords))
        if target is sorted and len(arguments) == 1:
            return self.sorted(arguments[0], node)
        if target in (all, any) and len(arguments) == 1:
            return self.all_or_any_of(target, arguments[0], node)
        if target is sum and 1 <= len(arguments) <= 2 and not isinstance(first, Series | Window):
            start = arguments[1] if len(arguments) > 1 else keywords.get("start")
            return self.total(arguments[0], node, start)
        if target in (min, max) and keywords:
            return self.extreme_by(target, arguments, keywords, node)
        if target in (min, max) and len(arguments) == 1 and self.static_items(arguments[0]) is None:
            if isinstance(first, Listing | Points) or self.sequence(arguments[0]) is not None:
                if not isinstance(first, Series | Window):
                    return self.extreme_of(target, arguments[0], node)
        if target is len and len(arguments) == 1:
            return self.length_of(arguments[0], node)
        if target in (round, np.round, np.around) and len(arguments) in (1, 2) and first is not None:
            return self.rounded(target, arguments, keywords, node)
        if target is divmod and len(arguments) == 2:
            a, b = (self.settled(self.as_number(each, node)) for each in arguments)
            return Group((self.binary(ast.FloorDiv(), a, b), self.binary(ast.Mod(), a, b)))
        if target in (pow, math.pow, np.power) and len(arguments) == 2:
            a, b = (self.as_number(each, node) for each in arguments)
            if target is math.pow:
                a, b = (
                    replace(each, node=cast(each, "float"), type="float", numpy=False, constant=None) for each in (a, b)
                )
            return self.binary(ast.Pow(), replace(a, numpy=True) if target is np.power else a, b)
        if target is math.log and len(arguments) == 2:
            value, base = (cast(self.as_number(each, node), "float") for each in arguments)
            return Number(parse("_logarithm_to(s, A, B)", A=value, B=base), "float", False)
        if target is int and isinstance(first, Moment):
            return self.moment_integer(first, node)
        if target is np.clip and len(arguments) == 3:
            x, low, high = (self.as_number(each, node) for each in arguments)
            type_ = join_types(join_types(x.type, low.type), high.type)
            code = parse("np.minimum(np.maximum(X, L), H)", X=cast(x, type_), L=cast(low, type_), H=cast(high, type_))
            return Number(code, type_, True)
        if target is np.where and len(arguments) == 3 and leaf_kind(arguments[0]) is not None:
            test = self.value_truth(arguments[0], node)
            code = ast.Constant(test) if isinstance(test, bool) else test
            a, b = (self.settled(self.as_number(each, node)) for each in arguments[1:])
            return replace(self.choice(code, a, b), numpy=True)
        if isinstance(target, type) and issubclass(target, tuple) and hasattr(target, "_fields"):
            bound = inspect.signature(target).bind(*arguments, **keywords)
            bound.apply_defaults()
            items = tuple(each if isinstance(each, Value) else Const(each) for each in bound.arguments.values())
            return Group(items, tuple(target._fields))
        if first is not None and isinstance(first, Listing | Group | Points | Sequence):
            return self.reduced_list(target, first, keywords, node)
        return None

    def moment_integer(self, value: Moment, node: ast.AST) -> Value:
        """Lower `int(moment.strftime("%H"))`; see `moments`."""
        raise NotImplementedError

    def as_container(self, target: Any, value: Value | None, node: ast.Call) -> Value:
        """Lower `list(...)` and `tuple(...)`."""
        if value is None:
            return Group((), is_list=target is not tuple)
        items = self.static_items(value)
        if items is not None:
            return Group(items, is_list=target is not tuple)
        return self.as_list(value, node)

    def sorted(self, value: Value, node: ast.Call) -> Value:
        """Lower `sorted(...)`."""
        options = {str(each.arg): each.value for each in node.keywords}
        reverse = self.lower(options["reverse"]) if "reverse" in options else Const(False)
        if not isinstance(reverse, Const) or set(options) - {"key", "reverse"}:
            self.refuse(node, "the argument reverse must be a constant")
        listing = self.as_list(value, node)
        self.sort(listing, node, options.get("key"), bool(reverse.value))
        return listing

    def extreme_by(self, target: Any, arguments: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """Lower `max(items, key=..., default=...)`: the first of the best."""
        options = {str(each.arg): each.value for each in node.keywords}
        if set(options) - {"key", "default"}:
            self.refuse(node, f"{target.__name__} takes no such argument")
        items = arguments[0] if len(arguments) == 1 else Group(tuple(arguments), is_list=True)
        listing = self.as_list(items, node)
        if listing.cell.item is None or listing.cell.item.kind == "":
            return keywords.get("default", Number(ast.Constant(0.0), "float", False))
        self.sort(listing, node, options.get("key"), target is max)
        if "default" not in keywords:
            self.out.append(ast.Expr(parse("_some_items(s, N)", N=listing.cell.length)))
            return self.settle(self.item(listing.cell, ast.Constant(0)))
        test = parse("N > 0", N=listing.cell.length)
        best = self.item(listing.cell, ast.Constant(0))
        return self.settle(self.chosen(test, ([], best), ([], keywords["default"]), node))

    def length_of(self, value: Value, node: ast.AST) -> Value:
        """Lower `len()` of lists, tuples and strings; see `expressions` for candles."""
        if isinstance(value, Const) and hasattr(value.value, "__len__"):
            return Const(len(value.value))
        value = self.nullable_leaf(value)
        if isinstance(value, Group):
            if value.present is not None:
                parts = [parse("int(P)", P=each) if each is not None else ast.Constant(1) for each in value.present]
                code = parts[0]
                for each in parts[1:]:
                    code = parse("A + B", A=code, B=each)
                return Number(code, "int", False)
            return Const(len(value.items))
        if isinstance(value, Listing):
            return Number(value.cell.length, "int", False)
        if isinstance(value, Points):
            return Number(self.points_rows(value).length, "int", False)
        return self.length(value, node)

    def length(self, value: Value, node: ast.AST) -> Value:
        """Lower `len()` of candles; see `expressions`."""
        raise NotImplementedError

    def rounded(self, target: Any, arguments: list[Value], keywords: dict[str, Value], node: ast.Call) -> Value:
        """Lower `round(x)`, `round(x, digits)` and `np.round(x, digits)`."""
        digits = arguments[1] if len(arguments) > 1 else keywords.get("decimals", keywords.get("ndigits"))
        number = self.as_number(arguments[0], node)
        if target is round and (digits is None or is_none(digits)):
            return Number(parse("_integer(s, np.rint(X))", X=cast(number, "float")), "int", False)
        places = self.as_number(digits or Const(0), node)
        if places.type == "float":
            self.refuse(node, "round takes a whole number of digits")
        if number.type != "float" and target is round:
            if isinstance(digits, Const) and digits.value >= 0:
                return number
            self.refuse(node, "round of a whole number to tens and hundreds is not compiled")
        if target is not round or number.numpy:
            return Number(parse("_round_numpy(X, N)", X=cast(number, "float"), N=places.node), "float", True)
        helper = "_round" if number.numpy is False else "_round_either"
        return Number(parse(f"{helper}(s, X, N)", X=number.node, N=places.node), "float", number.numpy)

    def star_arguments(self, node: ast.Call) -> dict[str, Value]:
        """Lower the keyword arguments of a call; `**group` stands for its items."""
        keywords: dict[str, Value] = {}
        for each in node.keywords:
            if each.arg is not None:
                keywords[each.arg] = self.lower(each.value)
                continue
            group = as_group(self.lower(each.value))
            if isinstance(group, Config) and isinstance(group.sample, dict):
                for key in group.sample:
                    code = ast.Subscript(group.node, ast.Constant(key), ast.Load())
                    keywords[str(key)] = self.config(code, node)
                continue
            if not isinstance(group, Group) or group.keys is None:
                self.refuse(
                    each.value, f"** is compiled before a dict whose keys are known, not {self.describe(group)}"
                )
            keywords |= {str(key): value for key, value in zip(group.keys, group.items, strict=True)}
        return keywords


#: Attributes that every instance has.
_INSTANCE = frozenset(
    "id name symbol exchange timeframe hp index last_trade_index vars increased_count reduced_count trades_count trade "
    "buy sell stop_loss take_profit position broker".split()
)

_TABLES: dict[str, tuple[str, dict[str, Any]]] = {
    "position": ("self.position", api.POSITION),
    "order": ("order", api.ORDER),
    "trade": ("closed_trade", api.TRADE),
}
