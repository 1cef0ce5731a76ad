"""Lower assignments: to names, to variables of the strategy, to their items, to orders."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

import numpy as np

from fastbt.compiler import api
from fastbt.compiler.cells import Cell, as_group, is_array_constant, is_none, leaf_kind, leaf_value, none_code
from fastbt.compiler.expressions import ExpressionLowerer
from fastbt.compiler.operators import assign
from fastbt.compiler.stages import latest, stage_of
from fastbt.compiler.storage import store
from fastbt.compiler.values import (
    Bound,
    Candles,
    Config,
    Conflict,
    Const,
    Function,
    Group,
    Listing,
    Moment,
    Nothing,
    Number,
    Part,
    Points,
    Sequence,
    Series,
    Text,
    Value,
    Window,
    name,
    parse,
)

#: The arguments that every generated function takes.
COMMON = ("s", "v", "k", "x", "bars", "minutes")
_RESERVED = {*COMMON, "np", "math", "CALL", "range", "max", "min", "abs", "float", "int", "bool", "len"}


def local_name(key: str) -> str:
    """Return the generated name of a user's local variable."""
    return f"u_{key}" if key in _RESERVED or key.startswith("_") or key.endswith("_") else key


class AssignmentLowerer(ExpressionLowerer):
    """Lower what is assigned, and what is deleted."""

    #: Names of lists that the method changes, of dicts and lists with two names, and of names that hold None at times.
    changed_names: set[str]
    shared: set[str]
    nullable: set[str]

    def statement_Assign(self, node: ast.Assign) -> bool:
        value = self.lower(node.value)
        if len(node.targets) > 1:
            value = self.settle(value)
        for target in node.targets:
            self.note_sharing(target, node.value, value)
            self.assign_target(target, value, node)
        return False

    def statement_AnnAssign(self, node: ast.AnnAssign) -> bool:
        if node.value is not None:
            value = self.lower(node.value)
            self.note_sharing(node.target, node.value, value)
            self.assign_target(node.target, value, node)
        return False

    def note_sharing(self, target: ast.expr, source: ast.expr, value: Value) -> None:
        """Note the names of a list or dict that two names stand for: it is not changed through either."""
        mutable = isinstance(value, Group) and (value.keys is not None or value.is_list) and value.cell is None
        if mutable and isinstance(source, ast.Name):
            self.shared.add(source.id)
            if isinstance(target, ast.Name):
                self.shared.add(target.id)
        elif isinstance(target, ast.Name):
            self.shared.discard(target.id)

    def statement_AugAssign(self, node: ast.AugAssign) -> bool:
        target = node.target
        load = ast.copy_location(ast.parse(ast.unparse(target), mode="eval").body, target)
        for each in ast.walk(load):
            ast.copy_location(each, target)
        held = self.captured(lambda: self.array_at(load))[1]
        if held is not None:
            self.change_in_place(held, node.op, self.lower(node.value), node)
            return False
        if isinstance(node.op, ast.Add):
            current = self.captured(lambda: self.list_at(load))[1]
            if current is not None:
                self.extend(current.cell, self.lower(node.value), node)
                return False
        operation = ast.copy_location(ast.BinOp(load, node.op, node.value), node)
        self.assign_target(target, self.lower(operation), node)
        return False

    def list_at(self, node: ast.expr) -> Listing | None:
        """Return the list that an expression stands for, if it is one."""
        if isinstance(node, ast.Name) and node.id not in self.locals:
            return None
        cell = self.cell_of(node)
        if cell is not None and cell.kind == "list" and not cell.is_array:
            return Listing(cell)
        return None

    def array_at(self, node: ast.expr) -> Listing | None:
        """Return the array of the run that an expression stands for, if it is one."""
        if isinstance(node, ast.Name):
            held = self.locals.get(node.id)
            return held if isinstance(held, Listing) and held.cell.is_array else None
        cell = self.cell_of(node)
        return Listing(cell) if cell is not None and cell.kind == "list" and cell.is_array else None

    def assign_target(self, target: ast.expr, value: Value, node: ast.AST) -> None:
        """Assign a value to a name, a tuple of names, an attribute or a variable."""
        match target:
            case ast.Name(key):
                self.assign_local(key, value, node)
            case ast.Tuple(elts) | ast.List(elts):
                self.unpack(elts, value, node)
            case ast.Attribute(ast.Name(owner), key) if self.is_self(owner):
                self.assign_attribute(key, value, target)
            case ast.Subscript(ast.Attribute(ast.Name(owner), "shared_vars"), key_node) if self.is_self(owner):
                self.store_shared(self.shared_key(key_node), value, target)
            case ast.Subscript(ast.Attribute(ast.Name(owner), "vars"), key_node) if self.is_self(owner):
                self.store("vars", self.vars_key(key_node), value, target)
            case ast.Subscript(owner):
                self.assign_item(owner, target, value)
            case _:
                self.refuse(target, "an assignment to this is not compiled; assign to a name, self.x or self.vars['x']")

    def unpack(self, elts: list[ast.expr], value: Value, node: ast.AST) -> None:
        """Assign the items of a tuple to as many names."""
        value = self.nullable_leaf(as_group(value))
        if isinstance(value, Nothing):
            value = Group((value,) * len(elts))
        if isinstance(value, Listing):
            for each in elts:
                if isinstance(each, ast.Starred):
                    self.refuse(each, "* in an assignment is not compiled; use a slice")
            same = parse(f"_unpacked(s, N, {len(elts)})", N=value.cell.length)
            self.out.append(ast.Expr(same))
            value = Group(tuple(self.item(value.cell, ast.Constant(i)) for i in range(len(elts))))
        if isinstance(value, Series) and value.size == len(elts):
            value = Group(tuple(value.at(Const(i)) for i in range(len(elts))))
        starred = [i for i, each in enumerate(elts) if isinstance(each, ast.Starred)]
        if isinstance(value, Group) and len(starred) == 1 and len(value.items) >= len(elts) - 1:
            at, more = starred[0], len(value.items) - len(elts) + 1
            middle = Group(value.items[at : at + more], is_list=True)
            value = Group((*value.items[:at], middle, *value.items[at + more :]))
            elts = [each.value if isinstance(each, ast.Starred) else each for each in elts]
        if not isinstance(value, Group) or len(value.items) != len(elts):
            self.refuse(node, f"{self.describe(value)} cannot be unpacked into {len(elts)} names")
        if value.keys is not None:
            value = Group(tuple(map(Const, value.keys)))
        settled = self.settle(replace(value, cell=None))
        assert isinstance(settled, Group)
        for each, item in zip(elts, settled.items, strict=True):
            self.assign_target(each, item, node)

    def is_self(self, key: str) -> bool:
        """Tell whether a name is the strategy itself."""
        value = self.locals.get(key)
        return isinstance(value, Part) and value.name == "self"

    # --- names --------------------------------------------------------------------------------------------------
    def assign_local(self, key: str, value: Value, node: ast.AST | None = None) -> None:
        """Assign to a local variable."""
        where = node or self.method.node
        if isinstance(value, Listing):
            self.locals[key] = self.named_list(key, value, where)
            return
        group = as_group(value)
        if key in self.changed_names and isinstance(value, Config) and isinstance(value.sample, np.ndarray):
            self.locals[key] = self.named_list(key, self.array(value, where), where)
            return
        if key in self.changed_names and isinstance(value, Const) and isinstance(value.value, list | dict):
            if not self.program.is_changed(value.value):
                if any(each is value.value for each in self.method.namespace.values()):
                    self.refuse(where, "a list or dict of the module is not changed in a compiled strategy; copy it")
        if key in self.changed_names and isinstance(value, Const) and isinstance(value.value, np.ndarray):
            for each in (value.value, value.value.base):
                if each is not None and not self.program.is_changed(each):
                    if any(each is known for known in self.method.namespace.values()):
                        self.refuse(where, "an array of the module is not changed in a compiled strategy; copy it")
            if value.value.ndim == 1:
                array = self.array(Group(tuple(map(Const, value.value)), is_list=True), where)
                self.locals[key] = self.named_list(key, array, where)
                return
        if key in self.changed_names and isinstance(group, Group) and group.is_list and group.keys is None:
            if group.place is not None:
                self.refuse(where, "a list inside a list is not changed by a second name; write self.rows[i][j] = x")
            cell = self.named_cell(key)
            self.fit(cell, group, where, key)
            self.put(cell, group)
            self.locals[key] = Listing(cell)
            return
        if key in self.changed_names and isinstance(group, Group) and group.keys is not None:
            value = group
        self.locals[key] = self.named(key, value, where)

    def named_cell(self, key: str, *, is_array: bool = False) -> Cell:
        """Return the cell of a local list, another one if a second name still stands for it."""
        key_of = f"{local_name(key)}_array" if is_array else local_name(key)
        cell = self.local_cell(key_of)
        n = 1
        while any(
            isinstance(each, Listing) and each.cell is cell and other != key for other, each in self.locals.items()
        ):
            n += 1
            cell = self.local_cell(f"{key_of}{n}")
        cell.is_array = is_array
        return cell

    def named_list(self, key: str, value: Listing, node: ast.AST) -> Value:
        """Give a list a name: one of an expression is copied, another one gets a second name."""
        if not value.cell.temporary:
            return value
        cell = self.named_cell(key, is_array=value.cell.is_array)
        cell.capacity = max(cell.capacity, value.cell.capacity)
        self.fit(cell, replace(value, none=None), node, key)
        self.put(cell, replace(value, none=None))
        if value.none is None:
            return Listing(cell, view=value.view)
        flag = f"{local_name(key)}_none"
        self.out.append(assign(flag, value.none))
        return Listing(cell, name(flag), value.view)

    def named(self, key: str, value: Value, node: ast.AST) -> Value:
        """Emit what keeps a value under a name, and return it as it is known from there on."""
        if self.program.stages is not None:
            stage = stage_of(value, self.stages, is_fill=self.context == "fill") or "config"
            self.stages[local_name(key)] = latest([stage, self.stages.get(local_name(key))])
        if isinstance(value, Nothing):
            return value
        if key in self.nullable and (is_none(value) or leaf_kind(value) is not None):
            return self.named_nullable(key, value, node)
        if isinstance(value, Group):
            if value.cell is not None and (value.keys is not None or value.is_list):
                return value  # another name for the strategy's own dict
            none = None
            if value.none is not None:
                self.out.append(assign(f"{local_name(key)}_none", value.none))
                none = name(f"{local_name(key)}_none")
            settled = self.settle(value) if self.needs_settling(value, key) else value
            assert isinstance(settled, Group)
            items = tuple(self.named(f"{key}__{i}", each, node) for i, each in enumerate(settled.items))
            return replace(settled, items=items, none=none, cell=None)
        leaf = None if is_none(value) else self.leaf(value)
        if leaf is None:
            return value
        constant = getattr(leaf, "constant", None)
        self.out.append(assign(local_name(key), leaf.node))
        none = leaf.none
        if none is not None:
            self.out.append(assign(f"{local_name(key)}_none", none))
            none = name(f"{local_name(key)}_none")
        if isinstance(leaf, Moment):
            return replace(leaf, node=name(local_name(key)), none=none)
        if isinstance(leaf, Text):
            return Text(name(local_name(key)), none, constant)
        return Number(name(local_name(key)), leaf.type, leaf.numpy, none, constant)

    def needs_settling(self, value: Group, key: str) -> bool:
        """Tell whether an item reads a name that is overwritten before it."""
        own = {f"{local_name(f'{key}_{i}')}" for i in range(len(value.items))}
        for each in value.items:
            for code in (getattr(each, "node", None), getattr(each, "none", None)):
                if isinstance(each, Group) or (
                    code is not None and any(isinstance(n, ast.Name) and n.id in own for n in ast.walk(code))
                ):
                    return True
        return False

    def named_nullable(self, key: str, value: Value, node: ast.AST) -> Value:
        """Keep a value or None under a name that holds both in its time."""
        where = (id(self.method.node), key)
        cell = self.program.nullable_types.setdefault(where, Cell(local_name(key), nullable=True))
        self.fit(cell, value, node, key)
        self.out.append(assign(local_name(key), self.leaf_code(value, cell)))
        self.out.append(assign(f"{local_name(key)}_none", none_code(value)))
        return leaf_value(name(local_name(key)), cell, name(f"{local_name(key)}_none"))

    # --- variables ----------------------------------------------------------------------------------------------
    def assign_attribute(self, key: str, value: Value, target: ast.expr) -> None:
        """Assign to an attribute of self."""
        if key in api.ORDER_ATTRIBUTES:
            self.assign_orders(key, value, target)
        else:
            self.store("self", key, value, target)

    def store(self, space: str, key: object, value: Value, target: ast.expr) -> None:
        """Assign to a variable of the strategy."""
        self.impure = True
        if space == "self" and (key in api.SELF or key in api.CONFIG or key in api.CONSTANT or key in ("hp", "vars")):
            self.refuse(target, f"self.{key} belongs to Jesse; give your own variable another name")
        assigned = self.program.assigned_attributes if space == "self" else self.program.assigned_vars
        if key not in assigned:
            assigned.add(key)  # type: ignore[arg-type]
            self.program.changed = True
        variable = self.program.variable(space, key)
        if variable.unfit:
            self.refuse(target, f"{self.label(space, key)}: {variable.unfit}")
        self.fill(variable.cell, value, target, self.label(space, key))

    def fill(self, cell: Cell, value: Value, target: ast.expr, label: str) -> None:
        """Put a value into a cell of the state."""
        if is_array_constant(value) or (isinstance(value, Window) and self.context == "bar"):
            value = self.array(value, target)
        if isinstance(value, Series | Window | Candles | Bound | Function | Part | Sequence | Points):
            self.refuse(
                target, f"{self.describe(value)} cannot be kept in a compiled strategy; keep numbers, strings or lists"
            )
        if isinstance(value, Listing):
            if value.cell is cell:
                return
            if not value.cell.temporary and not value.cell.path.startswith(f"{self.function_name}_"):
                what = "array" if value.cell.is_array else "list"
                how = ".copy()" if value.cell.is_array else "list(...)"
                self.refuse(target, f"this would be one {what} under two names; keep a copy: {how}")
            if value.view is not None and value.view is not cell and value.view.in_place:
                self.refuse(target, "this is a part of an array that changes; keep a copy: .copy()")
            self.fit(cell, value, target, label)
        elif isinstance(value, Group) and value.cell is not None and (value.keys is not None or value.is_list):
            self.refuse(target, "this would be one dict under two names; keep a copy: dict(...)")
        else:
            self.fit(cell, value, target, label)
        self.forget(cell)
        several = isinstance(value, Group) and len(value.items) > 1
        self.put(cell, self.settle(value) if several else value)
        if isinstance(value, Listing) and not value.cell.temporary:
            # From here on both names stand for the strategy's list.
            for each, held in self.locals.items():
                if isinstance(held, Listing) and held.cell is value.cell:
                    self.locals[each] = Listing(cell)

    def forget(self, cell: Cell) -> None:
        """Give up names of a list or dict whose variable gets another one."""
        for key, value in self.locals.items():
            if isinstance(value, Listing | Group) and value.cell is cell:
                self.locals[key] = Conflict("a list or dict whose variable was assigned anew")

    def cell_of(self, node: ast.expr) -> Cell | None:
        """Return where something is kept that is changed in place; None if it is no variable."""
        match node:
            case ast.Name(key):
                value = self.locals.get(key)
                return value.cell if isinstance(value, Listing | Group) else None
            case ast.Attribute(ast.Name(owner), key) if self.is_self(owner):
                if key in self.program.assigned_attributes:
                    return self.present_cell("self", key)
            case ast.Subscript(ast.Attribute(ast.Name(owner), "vars"), key_node) if self.is_self(owner):
                key = self.vars_key(key_node)
                if key in self.program.assigned_vars:
                    return self.present_cell("vars", key)
            case ast.Subscript(inner, key_node):
                outer = self.cell_of(inner)
                if outer is not None and outer.kind == "group":
                    key_value = self.lower(key_node)
                    if isinstance(key_value, Const):
                        return self.child_cell(outer, key_value.value, node)
        return None

    def present_cell(self, space: str, key: object) -> Cell:
        """Return the cell of a variable, which must be there."""
        self.captured(lambda: None)
        cell = self.program.variable(space, key).cell
        if cell.optional:
            self.read_cell(cell, attribute=space == "self")
        return cell

    def child_cell(self, cell: Cell, key: object, node: ast.AST) -> Cell | None:
        """Return an item of a tuple or dict of the state."""
        if cell.keys is not None:
            return cell.children[cell.keys.index(key)] if key in cell.keys else None
        if isinstance(key, int) and -len(cell.children) <= key < len(cell.children):
            return cell.children[key]
        return None

    def assign_item(self, owner: ast.expr, target: ast.Subscript, value: Value) -> None:
        """Assign to an item of a list or dict."""
        self.impure = True
        array = self.array_at(owner)
        if array is not None:
            self.assign_array_item(array, target, value)
            return
        held = self.lower(owner)
        is_slice = isinstance(target.slice, ast.Slice)
        if is_slice and not (isinstance(held, Const) and isinstance(held.value, np.ndarray)):
            self.refuse(target, "an assignment to a slice is not compiled; assign item by item")
        if isinstance(held, Const) and isinstance(held.value, list | dict | np.ndarray):
            if not self.program.is_changed(held.value):
                self.refuse(target, "what the module holds is not changed in a compiled strategy; keep it in self")
            return
        cell = self.cell_of(owner)
        if cell is not None and cell.kind == "list":
            index = self.whole(self.lower(target.slice), target)
            place = self.temporary(parse("_item(s, N, I)", N=cell.length, I=index))
            if cell.item is None:
                return
            self.fit(cell.item, value, target, "an item of the list", nested=True)
            self.put(cell.item, self.settle(as_group(value)), place)
            return
        if cell is not None and cell.kind == "group" and cell.keys is not None:
            self.assign_key(cell, target, value)
            return
        if isinstance(owner, ast.Name) and isinstance(held, Group) and held.keys is not None:
            self.assign_local_key(owner.id, held, target, value)
            return
        if isinstance(owner, ast.Subscript) and self.assign_in_item(owner, target, value):
            return
        if isinstance(held, Group) and held.keys is None and not held.is_list:
            self.refuse(target, "a tuple cannot be changed")
        self.refuse(target, "an assignment to this is not compiled; assign to a name, self.x or self.vars['x']")

    def assign_in_item(self, owner: ast.Subscript, target: ast.Subscript, value: Value) -> bool:
        """Assign to a part of an item of a list, as in `self.rows[-1]["high"] = 3`; tell whether it is one."""
        cell = self.cell_of(owner.value)
        if cell is None or cell.kind != "list" or cell.item is None or cell.item.kind != "group":
            return False
        index, key = self.lower(owner.slice), self.lower(target.slice)
        child = self.child_cell(cell.item, key.value, target) if isinstance(key, Const) else None
        if child is None or not (cell.item.is_list or cell.item.keys is not None):
            return False
        place = self.temporary(parse("_item(s, N, I)", N=cell.length, I=self.whole(index, target)))
        self.item_changes(cell, None)
        self.fit(child, value, target, "an item of the list", nested=True)
        self.put(child, self.settle(as_group(value)), place)
        return True

    def assign_array_item(self, array: Listing, target: ast.Subscript, value: Value) -> None:
        """Assign to an item or to several items of an array."""
        self.before_change(array, target)
        cell = array.cell
        if isinstance(target.slice, ast.Slice):
            self.assign_part(array, target.slice, value, target)
            return
        index = self.lower(target.slice)
        if isinstance(index, Listing):
            self.assign_where(array, index, value, target)
            return
        number = self.settled(self.as_number(value, target))
        self.check_whole(cell, number.type, target)
        place = self.temporary(parse("_item(s, N, I)", N=cell.length, I=self.whole(index, target)))
        self.fit(self.items_of(cell), replace(number, numpy=True, constant=None), target, nested=True)
        self.put(self.items_of(cell), number, place)

    def assign_key(self, cell: Cell, target: ast.Subscript, value: Value) -> None:
        """Assign to an item of a dict of the state."""
        index = self.lower(target.slice)
        if isinstance(index, Const):
            self.fill(self.add_key(cell, index.value), value, target, f"the item {index.value!r}")
            return
        held = self.read_cell(cell)
        assert isinstance(held, Group) and cell.keys is not None
        settled = self.settle(value)
        place = self.key_place(replace(held, present=None), index, target)
        if len(cell.children) == 0:
            self.refuse(target, "the keys of this dict must be constants")
        self.out.append(ast.Expr(parse("_key_bound(s, P)", P=place)))
        for i, child in enumerate(cell.children):
            self.fit(child, settled, target, f"the item {cell.keys[i]!r}")
            outer, self.out = self.out, []
            self.put(child, settled)
            block, self.out = self.out, outer
            self.out.append(ast.If(parse(f"P == {i}", P=place), block, []))

    def assign_local_key(self, key: str, held: Group, target: ast.Subscript, value: Value) -> None:
        """Assign to an item of a dict that only this method knows."""
        index = self.lower(target.slice)
        if key in self.shared or key in self.parameter_names:
            self.refuse(target, "a dict with two names is not changed in a compiled strategy; use a copy: dict(...)")
        if not isinstance(index, Const):
            self.refuse(target, "the key of a dict must be a constant here")
        assert held.keys is not None
        if held.place is not None:
            self.assign_key_of_item(key, held.place, index.value, value, target)
        keys = held.keys if index.value in held.keys else (*held.keys, index.value)
        items = dict(zip(held.keys, held.items, strict=True))
        items[index.value] = self.named(f"{key}__{keys.index(index.value)}", value, target)
        self.locals[key] = replace(held, keys=keys, items=tuple(items[each] for each in keys), present=None)

    def assign_key_of_item(
        self, name_of: str, place: tuple[Cell | None, ast.expr], key: Any, value: Value, target: ast.Subscript
    ) -> None:
        """Let a list hold what is assigned to an item of it that has a name."""
        cell, index = place
        if cell is None or cell.item is None:
            self.refuse(target, "this is an item of a list that may be elsewhere by now; read it again before")
        self.item_changes(cell, name_of)
        child = self.add_key(cell.item, key)
        self.fit(child, value, target, f"the item {key!r}", nested=True)
        self.put(child, self.settle(as_group(value)), index)

    parameter_names: set[str]

    def statement_Delete(self, node: ast.Delete) -> bool:
        for target in node.targets:
            self.delete(target)
        return False

    def delete(self, target: ast.expr) -> None:
        """Delete a name, a variable, an item of a list or of a dict."""
        self.impure = True
        match target:
            case ast.Name(key) if key in self.locals:
                self.locals[key] = Conflict("nothing any more")
            case ast.Attribute(ast.Name(owner), key) if self.is_self(owner) and key in self.program.assigned_attributes:
                self.unset(self.program.variable("self", key).cell, "_there")
            case ast.Subscript(ast.Attribute(ast.Name(owner), "vars"), key_node) if self.is_self(owner):
                self.unset(self.program.variable("vars", self.vars_key(key_node)).cell, "_known")
            case ast.Subscript(owner_node, index_node):
                cell = self.cell_of(owner_node)
                index = self.lower(index_node)
                if cell is not None and cell.kind == "list":
                    place = self.temporary(parse("_item(s, N, I)", N=cell.length, I=self.whole(index, target)))
                    self.take_out(cell, place)
                elif cell is not None and cell.keys is not None and isinstance(index, Const):
                    self.unset(self.add_key(cell, index.value), "_known")
                else:
                    self.refuse(target, "del of this is not compiled")
            case _:
                self.refuse(target, "del of this is not compiled")

    def unset(self, cell: Cell, helper: str) -> None:
        """Emit what takes a variable away; one that is not there raises."""
        if not cell.optional:
            cell.optional = True
            self.program.changed = True
        self.out.append(ast.Expr(parse(f"{helper}(s, v.{cell.path}_set, 0)")))
        self.out.append(assign(f"v.{cell.path}_set", ast.Constant(False)))

    # --- orders -------------------------------------------------------------------------------------------------
    def assign_orders(self, key: str, value: Value, target: ast.expr) -> None:
        """Assign to buy, sell, stop_loss or take_profit."""
        self.impure = True
        self.ever_assigned.add(key)
        place = f"self.{key}"
        value = as_group(value)
        if isinstance(value, Points):
            self.refuse(target, f"orders that were read back are not assigned to self.{key}; write the prices out")
        if is_none(value):
            self.out.append(ast.Assign([store(f"s.{key}_n")], parse("-1")))
            self.locals[place] = value
            return
        if isinstance(value, Listing):
            self.assign_many(key, value, target)
            return
        if not isinstance(value, Group) or value.keys is not None:
            self.refuse(target, f"self.{key} must be (quantity, price) or a list of them, was {self.describe(value)}")
        several = bool(value.items) and isinstance(as_group(value.items[0]), Group)
        pairs = tuple(map(as_group, value.items)) if several else (value,)
        if not value.items:
            pairs = ()
        kept: list[Value] = []
        for pair in pairs:
            if not isinstance(pair, Group) or len(pair.items) != 2:
                self.refuse(target, f"self.{key} must be (quantity, price) or a list of them")
            parts = [self.as_number(each, target) for each in pair.items]
            fixed = [replace(part, node=self.temporary(part.node), constant=None) for part in parts]
            kept.append(replace(pair, items=tuple(fixed)))
        self.program.points = max(self.program.points, len(kept))
        self.out.append(ast.Assign([store(f"s.{key}_n")], ast.Constant(len(kept))))
        for i, pair in enumerate(kept):
            assert isinstance(pair, Group)
            for j, part in enumerate(pair.items):
                assert isinstance(part, Number)
                self.out.append(ast.Assign([store(f"s.{key}[{i}, {j}]")], part.node))
        self.locals[place] = replace(value, items=tuple(kept)) if several else kept[0] if kept else value

    def assign_many(self, key: str, value: Listing, target: ast.expr) -> None:
        """Assign a list whose length is not known: of pairs, or the one pair itself."""
        item = value.cell.item
        place = f"self.{key}"
        if item is None or item.kind == "":
            self.out.append(ast.Assign([store(f"s.{key}_n")], ast.Constant(0)))
            self.locals[place] = Conflict("orders from a list")
            return
        if value.cell.is_array:
            self.refuse(target, f"an array assigned to self.{key} is not compiled; use a list of (quantity, price)")
        if item.kind == "leaf":
            self.out.append(ast.Expr(parse("_unpacked(s, N, 2)", N=value.cell.length)))
            parts = [self.item(value.cell, ast.Constant(i)) for i in (0, 1)]
            self.assign_orders(key, Group(tuple(parts)), target)
            return
        if len(item.children) != 2:
            self.refuse(target, f"self.{key} must be (quantity, price) or a list of them")
        self.program.points = max(self.program.points, api.LISTED_POINTS)
        count = self.temporary(parse(f"_at_most(s, N, {api.LISTED_POINTS})", N=value.cell.length))
        self.out.append(ast.Assign([store(f"s.{key}_n")], count))
        index = self.fresh()
        outer, self.out = self.out, []
        pair = self.item(value.cell, name(index))
        assert isinstance(pair, Group)
        for j, each in enumerate(pair.items):
            number = self.as_number(each, target)
            spot = ast.Subscript(parse(f"s.{key}"), parse(f"I, {j}", I=name(index)), ast.Store())
            self.out.append(ast.Assign([spot], number.node))
        body, self.out = self.out, outer
        self.out.append(ast.For(ast.Name(index, ast.Store()), ast.Call(name("range"), [count], []), body, []))
        self.locals[place] = Conflict("orders from a list")
