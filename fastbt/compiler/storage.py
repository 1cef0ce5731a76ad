"""Put values into cells and take them out: variables of the strategy, local lists, items of lists."""

from __future__ import annotations

import ast
from dataclasses import replace

from fastbt.compiler.cells import (
    LOCAL_CAPACITY,
    Cell,
    UnfitError,
    as_group,
    fit,
    is_none,
    listed,
    none_code,
    read,
    truth_paths,
    zero,
)
from fastbt.compiler.operators import OperatorLowerer, cast
from fastbt.compiler.values import Conflict, Group, Listing, Moment, Nothing, Number, Text, Value, parse


def store(text: str) -> ast.expr:
    """Return the target of an assignment."""
    target = ast.parse(f"{text} = 0").body[0]
    assert isinstance(target, ast.Assign)
    return target.targets[0]


class StorageLowerer(OperatorLowerer):
    """Lower what is kept and what is read again."""

    # --- leaves -------------------------------------------------------------------------------------------------
    def leaf(self, value: Value) -> Number | Text | Moment | None:
        """Return the code of a number, string or moment, or None if the value is none of them."""
        if isinstance(value, Number | Text | Moment):
            return value
        return self.program.text(value) or self.program.moment(value) or self.program.materialise(value)

    def leaf_code(self, value: Value, cell: Cell) -> ast.expr:
        """Return the code of a value as a leaf keeps it."""
        if is_none(value) or isinstance(value, Nothing):
            return zero(cell.type)
        leaf = self.leaf(value)
        assert leaf is not None
        if isinstance(leaf, Number) and cell.type in ("bool", "int", "float"):
            return cast(leaf, cell.type)
        return leaf.node

    def settle(self, value: Value) -> Value:
        """Fix a value now, None included."""
        if isinstance(value, Group):
            none = None if value.none is None else self.temporary(value.none)
            return replace(value, items=tuple(map(self.settle, value.items)), none=none)
        is_leaf = isinstance(value, Number | Text | Moment) and not isinstance(value, Nothing)
        if not is_leaf or getattr(value, "constant", None) is not None:
            return value
        assert isinstance(value, Number | Text | Moment)
        node = self.temporary(value.node)
        return replace(value, node=node, none=None if value.none is None else self.temporary(value.none))

    def nullable_leaf(self, value: Value) -> Value:
        """Return a value whose item may be read: a group that may be None raises where it is."""
        none = getattr(value, "none", None)
        if none is None or not isinstance(value, Group | Listing):
            return value
        self.out.append(ast.Expr(parse("_present(s, NONE, 0)", NONE=none)))
        self.impure = True
        return replace(value, none=None)

    # --- cells --------------------------------------------------------------------------------------------------
    def fit(self, cell: Cell, value: Value, node: ast.AST, label: str = "", *, nested: bool = False) -> None:
        """Let a cell hold a value."""
        try:
            if fit(cell, value, nested=nested):
                self.program.changed = True
        except UnfitError as error:
            what = label or self.describe(value)
            text = str(error)
            if text.startswith("it cannot"):
                self.refuse(node, f"{self.describe(value)} {text.removeprefix('it ')}")
            self.refuse(node, f"{what}: {text}")

    def put(self, cell: Cell, value: Value, index: ast.expr | None = None) -> None:
        """Emit the assignments that put a value into a cell, or into an item of the list that it belongs to."""
        self.impure = True
        value = as_group(value)
        if isinstance(value, Nothing):
            return

        def target(path: str) -> ast.expr:
            place = store(f"v.{path}")
            return place if index is None else ast.Subscript(place_load(place), index, ast.Store())

        if cell.optional:
            self.out.append(ast.Assign([target(f"{cell.path}_set")], ast.Constant(True)))
        if cell.nullable:
            self.out.append(ast.Assign([target(f"{cell.path}_none")], none_code(value)))
        if is_none(value):
            return
        if cell.kind == "list":
            self.put_list(cell, value)
        elif cell.kind == "group":
            assert isinstance(value, Group)
            given = dict(zip(value.keys, value.items, strict=True)) if value.keys is not None else None
            for i, child in enumerate(cell.children):
                if given is None:
                    self.put(child, value.items[i], index)
                elif cell.keys is not None and cell.keys[i] in given:
                    self.put(child, given[cell.keys[i]], index)
                else:
                    self.out.append(ast.Assign([target(f"{child.path}_set")], ast.Constant(False)))
        else:
            self.out.append(ast.Assign([target(cell.path)], self.leaf_code(value, cell)))

    def put_list(self, cell: Cell, value: Value) -> None:
        """Let a list hold what another one or a group holds."""
        value = listed(value)
        if isinstance(value, Listing):
            if value.cell is cell:
                return
            self.out.append(_assign(f"v.{cell.path}_n", parse(f"_at_most(s, {self.n(value.cell)}, {cell.capacity})")))
            if cell.item is None or value.cell.item is None:
                return
            sources = dict(zip_paths(value.cell.item, cell.item)) if value.cell.item.kind else {}
            for path in leaf_paths(cell.item):
                source = sources.get(path)
                if source is None:
                    zeros = {"_none": "False", "_set": "True"}.get(
                        path[-5:] if path.endswith("_none") else path[-4:], "0"
                    )
                    self.out.append(ast.Expr(parse(f"_fill_items(v.{path}, {self.n(cell)}, {zeros})")))
                else:
                    self.out.append(ast.Expr(parse(f"_copy_items(v.{source}, v.{path}, {self.n(cell)})")))
            return
        assert isinstance(value, Group)
        settled = self.settle(value) if len(value.items) > 1 else value
        assert isinstance(settled, Group)
        if len(settled.items) > cell.capacity:
            self.refuse(self.method.node, f"a list of more than {cell.capacity} items is not compiled")
        for i, each in enumerate(settled.items):
            assert cell.item is not None
            self.put(cell.item, each, ast.Constant(i))
        self.out.append(_assign(f"v.{cell.path}_n", ast.Constant(len(settled.items))))

    def n(self, cell: Cell) -> str:
        """Return the text of a list's length."""
        return f"v.{cell.path}_n"

    def read_cell(self, cell: Cell, *, attribute: bool = False) -> Value:
        """Return what is in a cell of the state; one that is not there yet raises."""
        value = read(cell, lambda path: parse(f"v.{path}"), own=True)
        if not cell.optional:
            return value
        helper = "_there" if attribute else "_known"
        if isinstance(value, Number | Text | Moment):
            code = parse(f"{helper}(s, v.{cell.path}_set, VALUE)", VALUE=value.node)
            return replace(value, node=code)
        self.out.append(ast.Expr(parse(f"{helper}(s, v.{cell.path}_set, 0)")))
        self.impure = True
        return value

    # --- lists of one call --------------------------------------------------------------------------------------
    def local_cell(self, key: str, *, temporary: bool = False, capacity: int = LOCAL_CAPACITY) -> Cell:
        """Return the cell of a list that lives as long as a call; the same one in every round."""
        path = f"{self.function_name}_{key}"
        cell = self.program.local_cells.get(path)
        if cell is None:
            cell = Cell(path, kind="list", capacity=capacity, temporary=temporary, is_local=True)
            self.program.local_cells[path] = cell
        cell.capacity = max(cell.capacity, capacity)
        return cell

    def fresh_list(self, where: ast.AST, capacity: int | None = None) -> Cell:
        """Return the cell of a list that an expression makes."""
        self.lists += 1
        return self.local_cell(f"list{self.lists}", temporary=True, capacity=capacity or LOCAL_CAPACITY)

    def item(self, cell: Cell, index: ast.expr) -> Value:
        """Return an item of a list at a valid index."""
        if cell.item is None or cell.item.kind == "":
            return Nothing(ast.Constant(0.0), "float", False)
        truths = truth_paths(cell.item)
        found = read(cell.item, lambda path: parse(f"v.{path}[I] != 0" if path in truths else f"v.{path}[I]", I=index))
        if isinstance(found, Group) and (found.keys is not None or found.is_list):
            return replace(found, place=(cell, index))
        return replace(found, numpy=True) if cell.is_array and isinstance(found, Number) else found

    def new_list(self, where: ast.AST, items: Value) -> Listing:
        """Return a list of one call that holds these items."""
        cell = self.fresh_list(where)
        self.fit(cell, replace(items, is_list=True) if isinstance(items, Group) else items, where)
        self.put(cell, items)
        return Listing(cell)

    def append(self, cell: Cell, value: Value, where: ast.AST) -> None:
        """Emit what puts an item at the end of a list."""
        if cell.item is None:
            cell.item = Cell(f"{cell.path}_items")
            self.program.changed = True
        self.fit(cell.item, value, where, "an item of the list", nested=True)
        settled = self.settle(as_group(value))
        if cell.limit is not None:
            outer, self.out = self.out, []
            self.take_out(cell, ast.Constant(0))
            block, self.out = self.out, outer
            self.out.append(ast.If(parse(f"{self.n(cell)} >= {cell.limit}"), block, []))
        index = self.temporary(parse(f"_room(s, {self.n(cell)}, {cell.capacity})"))
        self.put(cell.item, settled, index)
        self.out.append(_assign(self.n(cell), parse("I + 1", I=index)))

    def take_out(self, cell: Cell, place: ast.expr) -> None:
        """Emit what closes the gap in a list, and shortens it."""
        self.items_move(cell)
        for path in leaf_paths(cell.item) if cell.item is not None else ():
            self.out.append(ast.Expr(parse(f"_take_out(v.{path}, {self.n(cell)}, P)", P=place)))
        self.out.append(_assign(self.n(cell), parse(f"max(0, {self.n(cell)} - 1)")))

    def items_move(self, cell: Cell | None) -> None:
        """Note that the items of a list, or with None those of all lists, may be in other places from here on."""
        for key, value in self.locals.items():
            if isinstance(value, Group) and value.place is not None and (cell is None or value.place[0] is cell):
                self.locals[key] = replace(value, place=(None, ast.Constant(0)))

    def item_changes(self, cell: Cell, key: str | None) -> None:
        """Note that an item of a list is changed by a name, or otherwise: what other names hold of it is old."""
        for other, value in self.locals.items():
            if isinstance(value, Group) and value.place is not None and value.place[0] is cell and other != key:
                self.locals[other] = Conflict("an item of a list that was changed since; read it again")

    def leaf_paths_of(self, cell: Cell) -> list[str]:
        """Return the arrays that hold the items of a list."""
        return [] if cell.item is None else leaf_paths(cell.item)


def place_load(node: ast.expr) -> ast.expr:
    """Return the target of an assignment as something that is read."""
    loaded = ast.parse(ast.unparse(node), mode="eval").body
    assert isinstance(loaded, ast.expr)
    return loaded


def leaf_paths(cell: Cell) -> list[str]:
    """Return the fields of an item."""
    paths = []
    if cell.nullable:
        paths.append(f"{cell.path}_none")
    if cell.optional:
        paths.append(f"{cell.path}_set")
    if cell.kind == "group":
        return paths + [path for child in cell.children for path in leaf_paths(child)]
    return [*paths, cell.path]


def zip_paths(source: Cell, target: Cell) -> list[tuple[str, str]]:
    """Return the fields of an item with those of another one that they are copied from."""
    pairs = []
    for end in ("none", "set"):
        flag = "nullable" if end == "none" else "optional"
        if getattr(target, flag) and getattr(source, flag):
            pairs.append((f"{target.path}_{end}", f"{source.path}_{end}"))
    if target.kind == "group":
        for a, b in zip(source.children, target.children, strict=True):
            pairs += zip_paths(a, b)
        return pairs
    return [*pairs, (target.path, source.path)]


def _assign(text: str, value: ast.expr) -> ast.stmt:
    target = store(text) if "." in text else ast.Name(text, ast.Store())
    return ast.Assign([target], value)
