"""A compiled space: the bridge between rows of genes and the user's parameters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from geneticpy.genome import Genome
from geneticpy.jsonable import as_plain
from geneticpy.space.columns import View
from geneticpy.space.distributions import UniformDistribution
from geneticpy.space.leaf import Distribution
from geneticpy.space.nodes import Node, Order, Subset
from geneticpy.space.options import PulledDistribution
from geneticpy.space.parsing import Layout, parse


class Encoding:
    """Genes <-> parameters of one space.

    Parameters
    ----------
    space : nested data
        Dicts, lists, tuples, distributions and constants.

    Attributes
    ----------
    genome : Genome
        The layout of the `d` genes.

    Raises
    ------
    SpaceError
        With the path of what cannot be a space.

    Examples
    --------
    >>> from geneticpy import UniformDistribution
    >>> encoding = Encoding({"x": UniformDistribution(0, 9, q=1), "name": "constant"})
    >>> encoding.decode(np.array([[0.51]]))
    [{'x': 5, 'name': 'constant'}]
    """

    def __init__(self, space: Any):
        layout = Layout()
        self.tree: Node = parse(space, layout)
        self._leaves = layout.leaves
        self._blocks = layout.blocks
        self.genome = _genome_of(layout)
        self._compile()

    def _compile(self) -> None:
        """Group columns by distribution and write the builder of the parameters."""
        self._groups = _groups_of(self._leaves)
        constants: list[Any] = []
        expression = self.tree.expression(constants)
        self._names = sorted((*self._leaves, *(block.start for block in self._blocks)))
        names = ", ".join(f"v{column}" for column in self._names)
        scope: dict[str, Any] = {f"c{i}": value for i, value in enumerate(constants)}
        self._conditional = (self.genome.parent >= 0).tolist()
        self._build: Callable[..., Any] = eval(f"lambda {names}: {expression}", scope)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what `_compile` makes, which cannot be pickled."""
        hidden = ("_build", "_groups", "_names", "_conditional")
        return {key: value for key, value in self.__dict__.items() if key not in hidden}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._compile()

    def digest(self) -> str:
        """Hash of what the genes mean, the same in every process; values of options excepted.

        Values that were pulled from a user's own distribution count.
        """
        genome = self.genome
        arrays = (genome.parent, genome.lo, genome.hi, genome.k, genome.ordered, genome.role)
        found = hashlib.sha256(b"".join(array.tobytes() for array in arrays))
        for column, edges in sorted(genome.edges.items()):
            found.update(f"{column}".encode() + edges.tobytes())
        for column, leaf in sorted(self._leaves.items()):
            if isinstance(leaf, PulledDistribution):
                found.update(f"{column} {as_plain(leaf.options)}".encode())
        return found.hexdigest()

    def decode(self, genes: np.ndarray) -> list[Any]:
        """Parameters of rows.

        Parameters
        ----------
        genes : (n, d) array
            Snapped rows, as `ask` gives them.

        Returns
        -------
        list of n parameter sets, in the shape of the space
        """
        lists: dict[int, list[Any]] = {}
        for columns, distribution in self._groups:
            values = distribution.values(_part(genes, columns))
            lists.update(zip(columns.tolist(), values.T.tolist(), strict=True))
        for block in self._blocks:
            lists[block.start] = _lists_of(block, genes)
        if not self._names:
            return [self._build() for _ in range(len(genes))]
        return list(map(self._build, *(lists[column] for column in self._names)))

    def columns(self, genes: np.ndarray) -> Any:
        """Parameters of rows as columns, for vectorized losses.

        Parameters
        ----------
        genes : (n, d) array

        Returns
        -------
        The shape of the space with arrays at the leaves: (n,) for numbers and choices, (n, items)
        for permutations (the items in order) and subsets (booleans). A list of searched length
        is a `ListColumns` (size, items), a choice whose options carry parameters a
        `ChoiceColumns` (taken, options). What rows may not use is a masked array, masked in
        those that do not. Constants stay as they are.
        """
        values: dict[int, np.ndarray] = {}
        for columns, distribution in self._groups:
            found = distribution.values(_part(genes, columns))
            values.update(zip(columns.tolist(), found.T, strict=True))
        for block in self._blocks:
            values[block.start] = block.values(genes)
        return self.tree.columns(View(values, self.genome.activity(genes), self._conditional))

    def encode(self, points: Sequence[Any], path: str = "params") -> np.ndarray:
        """Rows of parameters; the way back of `decode`.

        Parameters
        ----------
        points : sequence of n parameter sets
        path : str
            What errors call the sequence.

        Returns
        -------
        (n, d) array
            Snapped; genes that a point does not use are at 0.5.

        Raises
        ------
        SpaceError
            For the first value outside the space, with its path.
        """
        genes = np.full((len(points), self.genome.d), 0.5)
        for block in self._blocks:
            if isinstance(block, Order):
                genes[:, block.start : block.stop] = np.linspace(0, 1, len(block.items))
        for i, point in enumerate(points):
            self.tree.encode(point, genes[i], f"{path}[{i}]")
        return self.genome.snap(genes)


def _genome_of(layout: Layout) -> Genome:
    rounders = [
        (columns, distribution.snap)
        for columns, distribution in _by_object(layout.leaves)
        if distribution.rounding
    ]
    return Genome(
        parent=np.array(layout.parent, np.int64),
        lo=np.array(layout.lo, np.int64),
        hi=np.array(layout.hi, np.int64),
        k=np.array(layout.k, np.int64),
        ordered=np.array(layout.ordered, bool),
        role=np.array(layout.role, np.int64),
        edges=layout.edges,
        rounders=tuple(rounders),
        lists=tuple(layout.lists),
        permutations=tuple(layout.permutations),
        subsets=tuple(layout.subsets),
    )


def _by_object(leaves: dict[int, Distribution]) -> list[tuple[np.ndarray, Distribution]]:
    """Columns of each distribution object: the items of a list share theirs."""
    columns: dict[int, list[int]] = {}
    for column, distribution in leaves.items():
        columns.setdefault(id(distribution), []).append(column)
    return [(np.array(group), leaves[group[0]]) for group in columns.values()]


def _groups_of(leaves: dict[int, Distribution]) -> list[tuple[np.ndarray, Any]]:
    """Columns that are decoded by one call: those of one object, and all plain uniform ones."""
    groups: list[tuple[np.ndarray, Any]] = []
    uniform: list[tuple[np.ndarray, UniformDistribution]] = []
    for columns, distribution in _by_object(leaves):
        if type(distribution) is UniformDistribution and distribution.q is None:
            uniform.append((columns, distribution))
        else:
            groups.append((columns, distribution))
    if uniform:
        groups.append(_joined_uniform(uniform))
    return groups


class _Uniforms:
    """Uniform distributions side by side, one a column."""

    def __init__(self, low: np.ndarray, high: np.ndarray):
        self.low, self.high = low, high

    def values(self, u: np.ndarray) -> np.ndarray:
        """(n, c) values, equal to those of the distributions one by one."""
        return np.clip(self.low * (1 - u) + self.high * u, self.low, self.high)


def _joined_uniform(
    uniform: list[tuple[np.ndarray, UniformDistribution]],
) -> tuple[np.ndarray, _Uniforms]:
    columns = np.concatenate([group for group, _ in uniform])
    low = np.concatenate([np.full(len(group), float(u.low)) for group, u in uniform])
    high = np.concatenate([np.full(len(group), float(u.high)) for group, u in uniform])
    return columns, _Uniforms(low, high)


def _part(genes: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Take some columns, in rising order; all of them are no copy."""
    return genes if len(columns) == genes.shape[1] else genes[:, columns]


def _lists_of(block: Order | Subset, genes: np.ndarray) -> list[list[Any]]:
    """One list of items a row."""
    values = block.values(genes)
    if isinstance(block, Order):
        return values.tolist()
    items = block.items
    return [[items[i] for i in np.flatnonzero(row)] for row in values]
