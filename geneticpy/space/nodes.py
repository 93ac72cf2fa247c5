"""The tree of a compiled space.

A node knows how its part of a point is written as a Python expression, encoded, and given as
columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from geneticpy.errors import SpaceError
from geneticpy.space.columns import ChoiceColumns, ListColumns, View
from geneticpy.space.leaf import Distribution
from geneticpy.space.options import same, table_of


class Node(Protocol):
    """A part of a space."""

    def expression(self, constants: list[Any]) -> str:
        """Python expression of the value, over v<column> and c<index of constant>."""

    def encode(self, value: Any, genes: np.ndarray, path: str) -> None:
        """Write the genes of a value into a row; SpaceError if it does not fit."""

    def columns(self, view: View) -> Any:
        """Give the same shape with arrays at the leaves, for vectorized losses."""


@dataclass(frozen=True)
class Constant:
    """Anything that is not searched."""

    value: Any

    def expression(self, constants: list[Any]) -> str:
        constants.append(self.value)
        return f"c{len(constants) - 1}"

    def encode(self, value: Any, genes: np.ndarray, path: str) -> None:
        if not same(self.value, value):
            raise SpaceError(f"{path}: must be the constant {self.value!r}, got {value!r}.")

    def columns(self, view: View) -> Any:
        return self.value


@dataclass(frozen=True)
class Leaf:
    """One gene, one value."""

    distribution: Distribution
    column: int

    def expression(self, constants: list[Any]) -> str:
        return f"v{self.column}"

    def encode(self, value: Any, genes: np.ndarray, path: str) -> None:
        try:
            genes[self.column] = self.distribution.locate(value)
        except SpaceError as error:
            raise SpaceError(f"{path}: {error}") from None

    def columns(self, view: View) -> Any:
        return view.masked(self.column)


@dataclass(frozen=True)
class Dict:
    """A dict with a node for each key."""

    nodes: dict[Any, Node]

    def expression(self, constants: list[Any]) -> str:
        items = (
            f"{_literal(key, constants)}: {node.expression(constants)}"
            for key, node in self.nodes.items()
        )
        return "{" + ", ".join(items) + "}"

    def encode(self, value: Any, genes: np.ndarray, path: str) -> None:
        if not isinstance(value, dict) or value.keys() != self.nodes.keys():
            got = list(value) if isinstance(value, dict) else value
            raise SpaceError(f"{path}: must be a dict of keys {list(self.nodes)!r}, got {got!r}.")
        for key, node in self.nodes.items():
            node.encode(value[key], genes, f"{path}[{key!r}]")

    def columns(self, view: View) -> Any:
        return {key: node.columns(view) for key, node in self.nodes.items()}


@dataclass(frozen=True)
class Sequence:
    """A list or tuple of fixed length."""

    kind: type
    nodes: list[Node]

    def expression(self, constants: list[Any]) -> str:
        items = "".join(f"{node.expression(constants)}, " for node in self.nodes)
        if self.kind is list:
            return f"[{items}]"
        if self.kind is tuple:
            return f"({items})"
        return f"{Constant(self.kind).expression(constants)}({items})"

    def encode(self, value: Any, genes: np.ndarray, path: str) -> None:
        base = list if self.kind is list else tuple
        if not isinstance(value, base) or len(value) != len(self.nodes):
            raise SpaceError(
                f"{path}: must be a {base.__name__} of {len(self.nodes)} items, got {value!r}."
            )
        for i, (node, item) in enumerate(zip(self.nodes, value, strict=True)):
            node.encode(item, genes, f"{path}[{i}]")

    def columns(self, view: View) -> Any:
        items = [node.columns(view) for node in self.nodes]
        return self.kind(*items) if hasattr(self.kind, "_fields") else self.kind(items)


@dataclass(frozen=True)
class Options:
    """A choice of which some options carry parameters.

    `index` draws the number of the option.
    """

    index: Distribution
    column: int
    nodes: list[Node]

    def expression(self, constants: list[Any]) -> str:
        return _branch(f"v{self.column}", 0, [node.expression(constants) for node in self.nodes])

    def encode(self, value: Any, genes: np.ndarray, path: str) -> None:
        refusals = []
        for level, node in enumerate(self.nodes):
            trial = genes.copy()
            try:
                node.encode(value, trial, path)
            except SpaceError as error:
                refusals.append(str(error))
                continue
            genes[:] = trial
            genes[self.column] = self.index.centre(level)
            return
        why = " ".join(f"(option {level}) {text}" for level, text in enumerate(refusals))
        raise SpaceError(f"{path}: must fit one of the options, got {value!r}. {why}")

    def columns(self, view: View) -> Any:
        taken = view.masked(self.column)
        return ChoiceColumns(taken, [node.columns(view) for node in self.nodes])


@dataclass(frozen=True)
class Repeat:
    """A list of searched length."""

    size: Distribution
    min_size: int
    column: int
    nodes: list[Node]

    def expression(self, constants: list[Any]) -> str:
        size = f"v{self.column}"
        items = [node.expression(constants) for node in self.nodes]
        lengths: list[int] = []
        cases: list[str] = []
        length = 1
        while not lengths or lengths[-1] < len(items):
            length = min(length, len(items))
            lengths.append(length)
            cases.append(f"[{', '.join(items[:length])}][:{size}]")
            length *= 2
        text = cases[-1]
        for length, case in zip(reversed(lengths[:-1]), reversed(cases[:-1]), strict=True):
            text = f"({case} if {size} <= {length} else {text})"
        return text

    def encode(self, value: Any, genes: np.ndarray, path: str) -> None:
        low, high = self.min_size, len(self.nodes)
        if not isinstance(value, list) or not low <= len(value) <= high:
            raise SpaceError(f"{path}: must be a list of {low} to {high} items, got {value!r}.")
        genes[self.column] = self.size.locate(len(value))
        for i, item in enumerate(value):
            self.nodes[i].encode(item, genes, f"{path}[{i}]")

    def columns(self, view: View) -> Any:
        size = view.masked(self.column)
        return ListColumns(size, [node.columns(view) for node in self.nodes])


@dataclass(frozen=True)
class Block:
    """Adjacent columns, one for each of some items, that are decoded together."""

    items: list[Any]
    start: int

    @property
    def stop(self) -> int:
        """Column after the last."""
        return self.start + len(self.items)

    def expression(self, constants: list[Any]) -> str:
        return f"v{self.start}"

    def columns(self, view: View) -> Any:
        return view.masked(self.start)


@dataclass(frozen=True)
class Order(Block):
    """A permutation; its columns hold at each position the number of the item."""

    def values(self, genes: np.ndarray) -> np.ndarray:
        """(n, items) array: the items in the order of each row."""
        rank = (genes[:, self.start : self.stop] * len(self.items)).astype(np.int64)
        return table_of(self.items)[rank]

    def encode(self, value: Any, genes: np.ndarray, path: str) -> None:
        rank = _positions(self.items, value, path)
        if len(rank) != len(self.items):
            raise SpaceError(f"{path}: must order all of {self.items!r}, got {value!r}.")
        genes[self.start : self.stop] = (np.array(rank) + 0.5) / len(rank)


@dataclass(frozen=True)
class Subset(Block):
    """Some of the items; its columns hold one bit an item."""

    min_size: int
    max_size: int

    def values(self, genes: np.ndarray) -> np.ndarray:
        """(n, items) array of bool: which items each row holds."""
        return genes[:, self.start : self.stop] >= 0.5

    def encode(self, value: Any, genes: np.ndarray, path: str) -> None:
        held = _positions(self.items, value, path)
        if not self.min_size <= len(held) <= self.max_size:
            raise SpaceError(
                f"{path}: must hold {self.min_size} to {self.max_size} items, got {value!r}."
            )
        genes[self.start : self.stop] = 0.25
        genes[self.start + np.array(held, np.int64)] = 0.75


def _positions(items: list[Any], value: Any, path: str) -> list[int]:
    """Numbers of the items that a list holds, each used once."""
    if not isinstance(value, list | tuple):
        raise SpaceError(f"{path}: must be a list of items, got {value!r}.")
    free = list(range(len(items)))
    found = []
    for wanted in value:
        position = next((i for i in free if same(items[i], wanted)), None)
        if position is None:
            raise SpaceError(f"{path}: must hold each of {items!r} at most once, got {value!r}.")
        free.remove(position)
        found.append(position)
    return found


def _literal(key: Any, constants: list[Any]) -> str:
    """Key of a dict display; literals let Python build the dict from a constant tuple."""
    return repr(key) if type(key) in (str, int) else Constant(key).expression(constants)


def _branch(test: str, first: int, cases: list[str]) -> str:
    """Conditional expression that picks a case by an index, by bisection."""
    if len(cases) == 1:
        return cases[0]
    half = len(cases) // 2
    low, high = _branch(test, first, cases[:half]), _branch(test, first + half, cases[half:])
    return f"({low} if {test} < {first + half} else {high})"
