"""From the user's nested data to a tree of nodes and a layout of genes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from geneticpy.errors import SpaceError
from geneticpy.genome import UNBOUNDED, ListBlock, PermutationBlock, SubsetBlock
from geneticpy.space.frozen import FrozenDistribution, is_frozen
from geneticpy.space.leaf import Distribution, DistributionBase
from geneticpy.space.nodes import (
    Constant,
    Dict,
    Leaf,
    Node,
    Options,
    Order,
    Repeat,
    Sequence,
    Subset,
)
from geneticpy.space.options import ChoiceDistribution, PulledDistribution
from geneticpy.space.structures import (
    ListDistribution,
    PermutationDistribution,
    SubsetDistribution,
)

MAX_GENES = 100_000
MAX_DEPTH = 50  # Python does not compile expressions of more than 200 nested brackets
SEARCHED = (DistributionBase, ListDistribution, PermutationDistribution, SubsetDistribution)


class Gate(NamedTuple):
    """When a gene is active: at levels `lo` to `hi - 1` of its parent."""

    parent: int = -1
    lo: int = 0
    hi: int = UNBOUNDED


ALWAYS = Gate()


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
        self.role.append(self._roles.setdefault(at.path, len(self._roles)))
        if edges is not None:
            self.edges[column] = edges
        return column

    def leaf(self, at: Place, distribution: Distribution) -> int:
        """Append the gene of a leaf; returns its column."""
        column = self.gene(at, distribution.k, distribution.ordered, distribution.edges)
        self.leaves[column] = distribution
        return column

    def wrap(self, part: Any, wrapper: Callable[[Any], Distribution]) -> Distribution:
        """One distribution for one object, however often it stands in the space."""
        if id(part) not in self._wrapped:
            self._wrapped[id(part)] = wrapper(part)
        return self._wrapped[id(part)]


@dataclass(frozen=True)
class Place:
    """Where in a space the parser is."""

    path: str = "space"  # the same for every item of a list
    gate: Gate = ALWAYS
    above: tuple[int, ...] = ()  # ids of the enclosing containers

    def inside(self, step: str, container: Any, gate: Gate | None = None) -> Place:
        """One step down; SpaceError if a container holds itself."""
        if id(container) in self.above:
            got = type(container).__name__
            raise SpaceError(f"{self.path}: a space must not contain itself, got its {got} again.")
        if len(self.above) >= MAX_DEPTH:
            raise SpaceError(f"{self.path}: a space may be {MAX_DEPTH} levels deep, got more.")
        return Place(
            self.path + step,
            self.gate if gate is None else gate,
            (*self.above, id(container)),
        )


def parse(space: Any, layout: Layout, at: Place | None = None) -> Node:
    """Lay out the genes of a space; returns its tree.

    Raises
    ------
    SpaceError
        With the path of the part that cannot be a space.
    """
    at = at or Place()
    if isinstance(space, type) and issubclass(space, SEARCHED):
        raise SpaceError(f"{at.path}: must be an instance of a distribution, got {space!r}.")
    if isinstance(space, ListDistribution):
        return _parse_list(space, layout, at)
    if isinstance(space, PermutationDistribution):
        return _parse_permutation(space, layout, at)
    if isinstance(space, SubsetDistribution):
        return _parse_subset(space, layout, at)
    if isinstance(space, ChoiceDistribution) and not _is_pulled(space):
        return _parse_choice(space, layout, at)
    if isinstance(space, DistributionBase) or is_frozen(space):
        return _parse_leaf(space, layout, at)
    if type(space) in (dict, list, tuple) or _is_searched(space):
        return _parse_container(space, layout, at)
    return Constant(space)


def _parse_container(space: dict | list | tuple, layout: Layout, at: Place) -> Node:
    parts = space if isinstance(space, dict) else dict(enumerate(space))
    nodes = {
        key: parse(part, layout, at.inside(f"[{key!r}]", space)) for key, part in parts.items()
    }
    if isinstance(space, dict):
        return Dict(nodes)
    kind = type(space) if hasattr(space, "_fields") else list if isinstance(space, list) else tuple
    return Sequence(kind, list(nodes.values()))


def _parse_leaf(space: Any, layout: Layout, at: Place) -> Node:
    try:
        distribution = layout.wrap(space, _distribution_of)
    except Exception as error:
        raise SpaceError(
            f"{at.path}: must be a distribution that can be drawn from, got {space!r}, "
            f"{type(error).__name__}: {error}"
        ) from error
    if distribution.k == 1:
        return Constant(distribution.values(np.array([0.5])).tolist()[0])
    return Leaf(distribution, layout.leaf(at, distribution))


def _distribution_of(leaf: Any) -> Distribution:
    """Wrap what is not ours; SpaceError where arithmetic with our parameters breaks down."""
    if _is_pulled(leaf):
        return PulledDistribution(leaf)
    if not isinstance(leaf, Distribution):
        return FrozenDistribution(leaf)
    values = np.asarray(leaf.values(np.array([0.0, 0.5, 1.0])), float)
    if not np.isfinite(values).all():
        raise SpaceError(f"values must be finite, got {values.tolist()}.")
    if leaf.k == 0 and values[0] == values[-1]:
        raise SpaceError(f"values must be told apart by floats, got {values[0]} only.")
    return leaf


def _parse_choice(choice: ChoiceDistribution, layout: Layout, at: Place) -> Node:
    searched = [_is_searched(option) for option in choice.options]
    if not any(searched):
        constant = choice.k == 1
        return Constant(choice.options[0]) if constant else Leaf(choice, layout.leaf(at, choice))
    if choice.k == 1:
        return parse(choice.options[0], layout, at.inside(".option[0]", choice))
    index = layout.wrap(choice, _index_of)
    column = layout.leaf(at, index)
    nodes: list[Node] = []
    for level, option in enumerate(choice.options):
        place = at.inside(f".option[{level}]", choice, Gate(column, level, level + 1))
        nodes.append(parse(option, layout, place) if searched[level] else Constant(option))
    return Options(index, column, nodes)


def _index_of(choice: ChoiceDistribution) -> ChoiceDistribution:
    """Choose the number of the option instead of the option."""
    mass = "uniform" if choice.edges is None else np.diff(choice.edges).tolist()
    return ChoiceDistribution(range(choice.k), probabilities=mass, ordered=choice.ordered)


def _size_of(block: ListDistribution) -> ChoiceDistribution:
    return ChoiceDistribution(range(block.min_size, block.max_size + 1), ordered=True)


def _parse_list(block: ListDistribution, layout: Layout, at: Place) -> Node:
    low, high = block.min_size, block.max_size
    if high > MAX_GENES:
        raise SpaceError(f"{at.path}: a list may have at most {MAX_GENES} items, got {high}.")
    if high == 0:
        return Sequence(list, [])
    column, gate = -1, at.gate
    if low < high:
        size = layout.wrap(block, _size_of)
        column = layout.leaf(Place(at.path + ".size", at.gate, at.above), size)
    nodes, starts = [], []
    for i in range(high):
        if column >= 0:
            gate = Gate(column, max(0, i + 1 - low), UNBOUNDED)
        starts.append(len(layout.k))
        nodes.append(parse(block.element, layout, at.inside(".element", block, gate)))
    if column < 0:
        return Sequence(list, nodes)
    width = len(layout.k) - starts[-1]
    items = np.array(starts)[:, None] + np.arange(width)
    layout.lists.append(ListBlock(column, items, low))
    return Repeat(size, low, column, nodes)


def _parse_permutation(block: PermutationDistribution, layout: Layout, at: Place) -> Node:
    _check_items(block.items, at)
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
    _check_items(block.items, at)
    n = len(block.items)
    if block.max_size == 0 or block.min_size == n:
        return Sequence(list, [Constant(item) for item in block.items[: block.min_size]])
    start = len(layout.k)
    for _ in range(n):
        layout.gene(at, 2, ordered=True)
    layout.subsets.append(SubsetBlock(start, start + n, block.min_size, block.max_size))
    layout.blocks.append(Subset(block.items, start, block.min_size, block.max_size))
    return layout.blocks[-1]


def _check_items(items: list[Any], at: Place) -> None:
    for item in items:
        if _is_searched(item):
            raise SpaceError(f"{at.path}: items must not hold distributions, got {item!r}.")


def _is_pulled(space: Any) -> bool:
    """Whether a distribution's values come from a `pull_value` that the user wrote."""
    if not isinstance(space, DistributionBase):
        return False
    ours = isinstance(space, Distribution) and type(space).pull_value is Distribution.pull_value
    return not ours


def _is_searched(option: Any, above: tuple[int, ...] = ()) -> bool:
    """Whether a part of a space is or holds any distribution."""
    if isinstance(option, SEARCHED) or is_frozen(option):
        return True
    if not isinstance(option, dict | list | tuple) or id(option) in above:
        return False
    parts = option.values() if isinstance(option, dict) else option
    return any(_is_searched(part, (*above, id(option))) for part in parts)
