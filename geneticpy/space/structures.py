"""What a space is made of: containers, choices with parameters, lists, orders and subsets.

`parse` turns the user's nested data into a tree of nodes and lays out one gene after the other.
A node knows how its part of a point is written as a Python expression, encoded, and given as
columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from geneticpy.errors import SpaceError
from geneticpy.genome import UNBOUNDED, ListBlock, PermutationBlock, SubsetBlock
from geneticpy.space.distributions import (
    ChoiceDistribution,
    Distribution,
    DistributionBase,
    FrozenDistribution,
    PulledDistribution,
    same,
    table_of,
)

MAX_GENES = 100_000


class ListDistribution:
    """A list of searched length whose items each have parameters of their own.

    Parameters
    ----------
    element : space
        What one item is: any nesting of dicts, lists, tuples, distributions and constants.
    min_size, max_size : int
        Sizes, both included; 0 <= min_size <= max_size. All sizes are equally likely at first.

    Raises
    ------
    SpaceError
        For sizes that are no such integers.

    Examples
    --------
    >>> from geneticpy import UniformDistribution
    >>> ListDistribution(UniformDistribution(0, 1), min_size=1, max_size=3)
    ListDistribution(UniformDistribution(low=0, high=1), min_size=1, max_size=3)
    """

    def __init__(self, element: Any, min_size: int, max_size: int):
        self.element, self.min_size, self.max_size = element, min_size, max_size
        _check_sizes(self, min_size, max_size)

    def __repr__(self) -> str:
        return (
            f"ListDistribution({self.element!r}, "
            f"min_size={self.min_size!r}, max_size={self.max_size!r})"
        )


class PermutationDistribution:
    """An order of items, all orders equally likely at first.

    Parameters
    ----------
    items : iterable
        At least one; the loss receives a list of the same objects.

    Examples
    --------
    >>> PermutationDistribution(["a", "b", "c"])
    PermutationDistribution(items=['a', 'b', 'c'])
    """

    def __init__(self, items: Iterable[Any]):
        self.items = _items_of(self, items)

    def __repr__(self) -> str:
        return f"PermutationDistribution(items={self.items!r})"


class SubsetDistribution:
    """Some of the items, as a list in their order; all sizes equally likely at first.

    Parameters
    ----------
    items : iterable
        At least one.
    min_size : int, default 0
    max_size : int, optional
        All items by default.

    Raises
    ------
    SpaceError
        Unless 0 <= min_size <= max_size <= number of items.

    Examples
    --------
    >>> SubsetDistribution(["a", "b", "c"], min_size=1)
    SubsetDistribution(items=['a', 'b', 'c'], min_size=1, max_size=3)
    """

    def __init__(self, items: Iterable[Any], min_size: int = 0, max_size: int | None = None):
        self.items = _items_of(self, items)
        self.min_size = min_size
        self.max_size = len(self.items) if max_size is None else max_size
        _check_sizes(self, self.min_size, self.max_size)
        if self.max_size > len(self.items):
            raise SpaceError(
                f"SubsetDistribution: max_size must not exceed the {len(self.items)} items, "
                f"got max_size={max_size!r}."
            )

    def __repr__(self) -> str:
        return (
            f"SubsetDistribution(items={self.items!r}, "
            f"min_size={self.min_size!r}, max_size={self.max_size!r})"
        )


class ListColumns(NamedTuple):
    """What a vectorized loss receives for a list of searched length.

    Attributes
    ----------
    size : (n,) array of int
    items : list of length max_size
        Columns of each item; masked where a row's list is shorter.
    """

    size: np.ndarray
    items: list[Any]


class ChoiceColumns(NamedTuple):
    """What a vectorized loss receives for a choice whose options carry parameters.

    Attributes
    ----------
    index : (n,) array of int
        Which option each row takes.
    options : list
        Columns of each option; masked where a row takes another one.
    """

    index: np.ndarray
    options: list[Any]


class Gate(NamedTuple):
    """When a gene is active: at levels `lo` to `hi - 1` of its parent."""

    parent: int = -1
    lo: int = 0
    hi: int = UNBOUNDED


@dataclass
class Layout:
    """Columns of genes in the making; lists of one entry a gene."""

    parent: list[int] = field(default_factory=list)
    lo: list[int] = field(default_factory=list)
    hi: list[int] = field(default_factory=list)
    k: list[int] = field(default_factory=list)
    ordered: list[bool] = field(default_factory=list)
    role: list[int] = field(default_factory=list)
    edges: dict[int, np.ndarray] = field(default_factory=dict)
    leaves: dict[int, Distribution] = field(default_factory=dict)
    lists: list[ListBlock] = field(default_factory=list)
    permutations: list[PermutationBlock] = field(default_factory=list)
    subsets: list[SubsetBlock] = field(default_factory=list)
    blocks: list[Order | Subset] = field(default_factory=list)
    _roles: dict[str, int] = field(default_factory=dict)
    _wrapped: dict[int, Distribution] = field(default_factory=dict)

    def gene(self, at: Place, k: int, ordered: bool, edges: np.ndarray | None = None) -> int:
        """Append one gene; returns its column."""
        column = len(self.k)
        if column >= MAX_GENES:
            raise SpaceError(
                f"{at.path}: a space may have at most {MAX_GENES} genes (lists in lists multiply "
                f"theirs), got more."
            )
        self.parent.append(at.gate.parent)
        self.lo.append(at.gate.lo)
        self.hi.append(at.gate.hi)
        self.k.append(k)
        self.ordered.append(ordered)
        self.role.append(self._roles.setdefault(at.role, len(self._roles)))
        if edges is not None:
            self.edges[column] = edges
        return column

    def leaf(self, at: Place, distribution: Distribution) -> int:
        """Append the gene of a leaf; returns its column."""
        column = self.gene(at, distribution.k, distribution.ordered, distribution.edges)
        self.leaves[column] = distribution
        return column

    def wrap(self, leaf: Any, kind: type) -> Distribution:
        """One wrapper for one object, however often it stands in the space."""
        if id(leaf) not in self._wrapped:
            self._wrapped[id(leaf)] = kind(leaf)
        return self._wrapped[id(leaf)]


@dataclass(frozen=True)
class Place:
    """Where in a space the parser is."""

    path: str = "space"
    role: str = "space"
    gate: Gate = Gate()
    above: tuple[int, ...] = ()  # ids of the enclosing containers

    def inside(self, step: str, container: Any, gate: Gate | None = None, role: str = "") -> Place:
        """One step down; SpaceError if a container holds itself."""
        if id(container) in self.above:
            raise SpaceError(f"{self.path}: a space must not contain itself, got {step} again.")
        return Place(
            self.path + step,
            self.role + (role or step),
            self.gate if gate is None else gate,
            (*self.above, id(container)),
        )


class View(NamedTuple):
    """Decoded columns of a batch: values by leaf column, and the activity mask."""

    values: dict[int, np.ndarray]
    active: np.ndarray

    def masked(self, column: int, values: np.ndarray) -> np.ndarray:
        """Values of a column; a masked array where some rows do not use it."""
        active = self.active[:, column]
        return values if active.all() else np.ma.MaskedArray(values, mask=~active)


class Node(Protocol):
    """A part of a space."""

    def expression(self, constants: list[Any]) -> str:
        """Python expression of the value, over v<column> and c<index of constant>."""

    def encode(self, value: Any, genes: np.ndarray, path: str) -> None:
        """Write the genes of a value into a row; SpaceError if it does not fit."""

    def columns(self, view: View) -> Any:
        """The same shape with arrays at the leaves, for vectorized losses."""


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
            u = self.distribution.locate(value)
        except SpaceError as error:
            raise SpaceError(f"{path}: {error}") from None
        genes[self.column] = u
        if self.distribution.k == 0:
            self._check_reach(value, u, path)

    def _check_reach(self, value: float, u: float, path: str) -> None:
        """SpaceError for a value so far out in a tail that its quantile rounds to another's."""
        reached, low, high = self.distribution.values(np.array([u, 0.25, 0.75])).tolist()
        if abs(reached - value) > 1e-6 * (abs(high - low) + abs(value)):
            raise SpaceError(
                f"{path}: must be a value that {self.distribution!r} can reach with a quantile "
                f"of 1e-12 to 1 - 1e-12 (the nearest is {reached!r}), got {value!r}."
            )

    def columns(self, view: View) -> Any:
        return view.masked(self.column, view.values[self.column])


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
        return items if self.kind is list else tuple(items)


@dataclass(frozen=True)
class Options:
    """A choice of which some options carry parameters.

    `index` draws the number of the option.
    """

    index: Distribution
    column: int
    nodes: list[Node]

    def expression(self, constants: list[Any]) -> str:
        return _branch(
            f"v{self.column}", 0, [node.expression(constants) for node in self.nodes]
        )

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
        raise SpaceError(f"{path}: must fit one of the options, got {value!r}: {refusals}")

    def columns(self, view: View) -> Any:
        index = view.masked(self.column, view.values[self.column])
        return ChoiceColumns(index, [node.columns(view) for node in self.nodes])


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
        lengths, cases = [], []
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
        size = view.masked(self.column, view.values[self.column])
        return ListColumns(size, [node.columns(view) for node in self.nodes])


@dataclass(frozen=True)
class Order:
    """A permutation; its columns hold at each position the number of the item."""

    items: list[Any]
    start: int

    @property
    def stop(self) -> int:
        """Column after the last."""
        return self.start + len(self.items)

    def values(self, genes: np.ndarray) -> np.ndarray:
        """(n, items) array: the items in the order of each row."""
        rank = (genes[:, self.start : self.stop] * len(self.items)).astype(np.int64)
        return table_of(self.items)[rank]

    def expression(self, constants: list[Any]) -> str:
        return f"v{self.start}"

    def encode(self, value: Any, genes: np.ndarray, path: str) -> None:
        rank = _positions(self.items, value, path)
        if len(rank) != len(self.items):
            raise SpaceError(f"{path}: must order all of {self.items!r}, got {value!r}.")
        genes[self.start : self.stop] = (np.array(rank) + 0.5) / len(rank)

    def columns(self, view: View) -> Any:
        values = view.values[self.start]
        active = view.active[:, self.start]
        mask = np.repeat(~active[:, None], values.shape[1], axis=1)
        return values if active.all() else np.ma.MaskedArray(values, mask=mask)


@dataclass(frozen=True)
class Subset:
    """Some of the items; its columns hold one bit an item."""

    items: list[Any]
    start: int
    min_size: int
    max_size: int

    @property
    def stop(self) -> int:
        """Column after the last."""
        return self.start + len(self.items)

    def values(self, genes: np.ndarray) -> np.ndarray:
        """(n, items) array of bool: which items each row holds."""
        return genes[:, self.start : self.stop] >= 0.5

    def expression(self, constants: list[Any]) -> str:
        return f"v{self.start}"

    def encode(self, value: Any, genes: np.ndarray, path: str) -> None:
        held = _positions(self.items, value, path)
        if not self.min_size <= len(held) <= self.max_size:
            raise SpaceError(
                f"{path}: must hold {self.min_size} to {self.max_size} items, got {value!r}."
            )
        genes[self.start : self.stop] = 0.25
        genes[self.start + np.array(held, np.int64)] = 0.75

    columns = Order.columns


def parse(space: Any, layout: Layout, at: Place | None = None) -> Node:
    """Lay out the genes of a space; returns its tree.

    Raises
    ------
    SpaceError
        With the path of the part that cannot be a space.
    """
    at = at or Place()
    if isinstance(space, ListDistribution):
        return _parse_list(space, layout, at)
    if isinstance(space, PermutationDistribution):
        return _parse_permutation(space, layout, at)
    if isinstance(space, SubsetDistribution):
        return _parse_subset(space, layout, at)
    if isinstance(space, ChoiceDistribution):
        return _parse_choice(space, layout, at)
    if isinstance(space, DistributionBase) or _is_frozen(space):
        return _parse_leaf(space, layout, at)
    if isinstance(space, dict):
        steps = {key: at.inside(f"[{key!r}]", space) for key in space}
        return Dict({key: parse(part, layout, steps[key]) for key, part in space.items()})
    if isinstance(space, list | tuple):
        parts = [parse(part, layout, at.inside(f"[{i}]", space)) for i, part in enumerate(space)]
        named = hasattr(space, "_fields")
        return Sequence(type(space) if named else list if isinstance(space, list) else tuple, parts)
    if isinstance(space, type) and issubclass(space, DistributionBase):
        raise SpaceError(f"{at.path}: must be an instance of a distribution, got {space!r}.")
    return Constant(space)


def _parse_leaf(space: Any, layout: Layout, at: Place) -> Node:
    distribution = space
    try:
        if not isinstance(space, DistributionBase):
            distribution = layout.wrap(space, FrozenDistribution)
        elif not isinstance(space, Distribution):
            distribution = layout.wrap(space, PulledDistribution)
    except Exception as error:
        raise SpaceError(f"{at.path}: {space!r} cannot be drawn from: {error}") from error
    if distribution.k == 1:
        return Constant(distribution.values(np.array([0.5])).tolist()[0])
    return Leaf(distribution, layout.leaf(at, distribution))


def _parse_choice(choice: ChoiceDistribution, layout: Layout, at: Place) -> Node:
    if choice.k == 1:
        return parse(choice.options[0], layout, at.inside(".option[0]", choice))
    if not any(_is_searched(option) for option in choice.options):
        return Leaf(choice, layout.leaf(at, choice))
    index = _index_of(choice)
    column = layout.leaf(at, index)
    nodes: list[Node] = []
    for level, option in enumerate(choice.options):
        place = at.inside(f".option[{level}]", choice, Gate(column, level, level + 1))
        nodes.append(parse(option, layout, place) if _is_searched(option) else Constant(option))
    return Options(index, column, nodes)


def _index_of(choice: ChoiceDistribution) -> ChoiceDistribution:
    """The number of the option instead of the option."""
    mass = "uniform" if choice.edges is None else np.diff(choice.edges).tolist()
    return ChoiceDistribution(range(choice.k), probabilities=mass, ordered=choice.ordered)


def _parse_list(block: ListDistribution, layout: Layout, at: Place) -> Node:
    low, high = block.min_size, block.max_size
    if high == 0:
        return Sequence(list, [])
    column, gate = -1, at.gate
    if low < high:
        size = ChoiceDistribution(range(low, high + 1), ordered=True)
        column = layout.leaf(Place(at.path, at.role + ".size", at.gate, at.above), size)
    nodes, starts = [], []
    for i in range(high):
        if column >= 0:
            gate = Gate(column, max(0, i + 1 - low), UNBOUNDED)
        starts.append(len(layout.k))
        nodes.append(parse(block.element, layout, at.inside(".element", block, gate, "[*]")))
    if column < 0:
        return Sequence(list, nodes)
    width = len(layout.k) - starts[-1]
    items = np.array(starts)[:, None] + np.arange(width)
    layout.lists.append(ListBlock(column, items, low))
    return Repeat(size, low, column, nodes)


def _parse_permutation(block: PermutationDistribution, layout: Layout, at: Place) -> Node:
    n = len(block.items)
    if n == 1:
        return Sequence(list, [Constant(block.items[0])])
    start = len(layout.k)
    for _ in range(n):
        layout.gene(at, n, ordered=False)
    layout.permutations.append(PermutationBlock(start, start + n))
    layout.blocks.append(Order(block.items, start))
    return layout.blocks[-1]


def _parse_subset(block: SubsetDistribution, layout: Layout, at: Place) -> Node:
    n = len(block.items)
    if block.max_size == 0 or block.min_size == n:
        return Sequence(list, [Constant(item) for item in block.items[: block.min_size]])
    start = len(layout.k)
    for _ in range(n):
        layout.gene(at, 2, ordered=True)
    layout.subsets.append(SubsetBlock(start, start + n, block.min_size, block.max_size))
    layout.blocks.append(Subset(block.items, start, block.min_size, block.max_size))
    return layout.blocks[-1]


def _is_frozen(leaf: Any) -> bool:
    """Whether an object is a scipy.stats distribution; scipy need not be loaded to ask."""
    if isinstance(leaf, type) or not type(leaf).__module__.startswith("scipy.stats"):
        return hasattr(leaf, "ppf") and hasattr(leaf, "cdf") and not isinstance(leaf, type)
    return hasattr(leaf, "cdf") or hasattr(leaf, "rvs")


def _is_searched(option: Any, above: tuple[int, ...] = ()) -> bool:
    """Whether an option of a choice holds any distribution."""
    searched = (DistributionBase, ListDistribution, PermutationDistribution, SubsetDistribution)
    if isinstance(option, searched) or _is_frozen(option):
        return True
    if not isinstance(option, dict | list | tuple) or id(option) in above:
        return False
    parts = option.values() if isinstance(option, dict) else option
    return any(_is_searched(part, (*above, id(option))) for part in parts)


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


def _items_of(where: object, items: Any) -> list[Any]:
    if isinstance(items, str | bytes) or not isinstance(items, Iterable):
        raise SpaceError(f"{type(where).__name__}: items must be a list, got {items!r}.")
    found = list(items)
    if not found:
        raise SpaceError(f"{type(where).__name__}: items must not be empty, got {found!r}.")
    return found


def _check_sizes(where: object, min_size: Any, max_size: Any) -> None:
    whole = all(
        isinstance(size, int | np.integer) and not isinstance(size, bool)
        for size in (min_size, max_size)
    )
    if not whole or not 0 <= min_size <= max_size:
        raise SpaceError(
            f"{type(where).__name__}: sizes must be integers with 0 <= min_size <= max_size, "
            f"got {min_size=}, {max_size=}."
        )
