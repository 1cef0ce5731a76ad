"""Places in arrays that a loop over rows reads or writes one row after the other: moved in blocks of rows.

Where lists go side by side, a row of `out__0[i], out__1[i], ...` is one number in each of as many arrays. A block holds
these numbers as one vector for each row; it is exchanged with the arrays when it is full, a vector at a time there too.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastbt.indicators._dependence import bound_in, has, loaded, root_of

#: Rows of a block: few enough for some blocks to stay in the nearest cache.
BLOCK: Final = 64


@dataclass(frozen=True)
class Place:
    """What `name` stands for at each row: the element `index` of an array of one dimension."""

    name: str
    array: ast.expr
    index: ast.expr
    is_read: bool
    is_written: bool


class _Named(ast.NodeTransformer):
    """Put names in the place of elements."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        name = self.names.get(ast.unparse(node))
        return self.generic_visit(node) if name is None else ast.Name(name, node.ctx)


class _Found:
    """What a loop's body does with elements of arrays."""

    def __init__(self, body: Sequence[ast.stmt], counter: str) -> None:
        self.counter = counter
        self.changing = bound_in(ast.Module(list(body), [])) | {counter}
        #: The elements, by their text; those that may be read before they are written, and those that are written.
        self.elements: dict[str, ast.Subscript] = {}
        self.certain: set[str] = set()
        self.begun: set[str] = set()
        self.read_first: set[str] = set()
        self.written: set[str] = set()
        #: Arrays that are used in another way.
        self.otherwise: set[str] = set()
        self._statements(body, True)

    def _statements(self, body: Sequence[ast.stmt], is_certain: bool) -> None:
        for each in body:
            match each:
                case ast.Assign(targets, value):
                    self._expression(value, is_certain)
                    for target in targets:
                        self._target(target, is_certain)
                case ast.AugAssign(target, _, value):
                    self._expression(value, is_certain)
                    self._expression(target, is_certain)
                    self._target(target, is_certain)
                case ast.If(test, then, otherwise):
                    self._expression(test, is_certain)
                    self._statements(then, False)
                    self._statements(otherwise, False)
                case _:
                    self.otherwise |= loaded(each) | bound_in(each)

    def _target(self, node: ast.expr, is_certain: bool) -> None:
        if not isinstance(node, ast.Subscript):
            return
        self._expression(node.slice, is_certain)
        text = self._element(node)
        if text is not None:
            self.written.add(text)
            if is_certain:
                self.begun.add(text)
            elif text not in self.begun:
                self.read_first.add(text)

    def _expression(self, node: ast.AST, is_certain: bool) -> None:
        match node:
            case ast.Subscript():
                text = self._element(node)
                if text is not None:
                    if text not in self.begun:
                        self.read_first.add(text)
                    if is_certain:
                        self.certain.add(text)
                self._expression(node.slice, is_certain)
            case ast.Name(name):
                self.otherwise.add(name)
            case ast.IfExp(test, then, other):
                self._expression(test, is_certain)
                self._expression(then, False)
                self._expression(other, False)
            case ast.BoolOp(_, [first, *others]):
                self._expression(first, is_certain)
                for each in others:
                    self._expression(each, False)
            case _:
                for child in ast.iter_child_nodes(node):
                    self._expression(child, is_certain)

    def _element(self, node: ast.Subscript) -> str | None:
        """Return the text of an element whose index is the counter, or so many rows before or after it."""
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        leading = all(isinstance(each, ast.Constant) for each in indices[:-1])
        if not isinstance(node.value, ast.Name) or not leading or not self._counts(indices[-1]):
            self.otherwise.add(root_of(node) or "")
            return None
        text = ast.unparse(node)
        self.elements[text] = node
        return text

    def _counts(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(name):
                return name == self.counter
            case ast.BinOp(left, ast.Add() | ast.Sub(), right):
                steady = not loaded(right) & self.changing and not has(right, ast.Subscript, ast.Call)
                return steady and self._counts(left)
        return False


def places_of(
    body: Sequence[ast.stmt], counter: str, prefix: str, varying: set[str], groups: dict[str, set[str]]
) -> tuple[list[ast.stmt], list[Place]]:
    """Return a loop's body with names in the place of such elements, and what these stand for.

    Parameters
    ----------
    body : sequence of statement
    counter : str
        The loop's.
    prefix : str
        Of the names.
    varying : set of str
        What differs from list to list.
    groups : dict
        For each array those that may share its memory.
    """
    found = _Found(body, counter)
    of = {text: str(root_of(node)) for text, node in found.elements.items()}
    bare = {text for text, node in found.elements.items() if isinstance(_last(node), ast.Name)}
    written = {of[text] for text in found.written}
    # What is written is put off until the block is full: nothing else may look at it, under whatever name.
    seen = set(of.values()) | found.otherwise
    refused = {
        root
        for root in set(of.values())
        for group in [groups.get(root, {root})]
        if (group & written and (group - {root}) & seen)
        or (root in written and (root in found.otherwise or any(of[text] == root for text in of.keys() - bare)))
    }
    refused |= {root for root in written if root not in varying}
    refused |= {root for each in refused for root in groups.get(each, {each})}
    names: dict[str, str] = {}
    places: list[Place] = []
    for text, node in sorted(found.elements.items()):
        is_written = text in found.written
        differs = bool(loaded(node) & varying)
        if of[text] in refused or not differs or not (is_written or text in found.certain):
            continue
        names[text] = f"{prefix}at_{len(places)}"
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        array: ast.expr = ast.Name(of[text], ast.Load())
        for each in indices[:-1]:
            array = ast.Subscript(array, copy.deepcopy(each), ast.Load())
        is_read = text in found.read_first
        places.append(Place(names[text], array, copy.deepcopy(indices[-1]), is_read, is_written))
    return [_Named(names).visit(copy.deepcopy(each)) for each in body], places


def _last(node: ast.Subscript) -> ast.expr:
    return node.slice.elts[-1] if isinstance(node.slice, ast.Tuple) else node.slice


def goes_row_by_row(body: Sequence[ast.stmt], counter: str) -> bool:
    """Tell whether rows have nothing to do with each other and are neighbours in memory: they fill vectors themselves.

    Rows of candles are not neighbours, and no loop over them is made of vectors.
    """
    found = _Found(body, counter)
    written = {str(root_of(found.elements[text])) for text in found.written}
    bound: set[str] = set()
    ever = bound_in(ast.Module(list(body), []))
    for each in body:
        match each:
            case ast.Assign([target], value):
                if loaded(value) & (ever - bound):
                    return False
                bound |= bound_in(target)
            case ast.AugAssign(ast.Subscript(), _, value):
                if loaded(value) & (ever - bound):
                    return False
            case _:
                return False
        for part in ast.walk(each):
            if isinstance(part, ast.Subscript):
                element = found.elements.get(ast.unparse(part))
                if element is None and loaded(part.slice) & found.changing:
                    return False
                if element is not None and root_of(part) in written and not isinstance(_last(element), ast.Name):
                    return False
    return bool(written)
