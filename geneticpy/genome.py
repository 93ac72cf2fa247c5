"""The layout of a compiled space: what every column of a population means.

An individual is a row of `d` genes, each the quantile of its distribution, in [0, 1]. The space
builds the layout, evolution reads it; neither needs the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, permutations
from typing import NamedTuple

import numpy as np

from geneticpy.errors import SpaceError

RESOLUTION = 2.0**53  # steps of a bred quantile, as of rng.random(): neighbours decode apart
UNBOUNDED = np.iinfo(np.int64).max  # `hi` of a list item: active at every larger size


def rounded(genes: np.ndarray) -> np.ndarray:
    """Bred quantiles at the resolution at which points are told apart."""
    return np.rint(genes * RESOLUTION) / RESOLUTION


class ListBlock(NamedTuple):
    """A list of searched length.

    Attributes
    ----------
    size_gene : int
        Column of the size; level 0 is `min_size`.
    items : (max_size, c) array of int
        Columns of the items, aligned: column j of every row plays the same role.
    min_size : int
    """

    size_gene: int
    items: np.ndarray
    min_size: int


class PermutationBlock(NamedTuple):
    """Adjacent columns whose ranks are an order of as many items."""

    start: int
    stop: int


class SubsetBlock(NamedTuple):
    """Adjacent columns, one bit an item, of which `min_size` to `max_size` are set."""

    start: int
    stop: int
    min_size: int
    max_size: int


class Depth(NamedTuple):
    """The genes of one depth of the tree and their activation rule, (c,) arrays."""

    columns: np.ndarray
    parent: np.ndarray
    lo: np.ndarray
    hi: np.ndarray


@dataclass(frozen=True, eq=False)
class Genome:
    """Arrays that describe the `d` genes of a space.

    Gene g is active iff its parent is active and ``lo[g] <= level(parent[g]) < hi[g]``.

    Attributes
    ----------
    parent : (d,) array of int
        -1 for the genes that are always active. Parents precede their children.
    lo, hi : (d,) arrays of int
    k : (d,) array of int
        Levels; 0 for a continuous gene.
    ordered : (d,) array of bool
        Whether neighbouring quantiles mean similar values; False for unordered choices.
    role : (d,) array of int
        Equal for the same gene of every item of a list.
    edges : dict of int to (k + 1,) array
        Cumulative probabilities of the genes whose levels have unequal mass.
    rounders : tuple of ((c,) array of int, callable)
        Columns on a grid too fine for `edges`, and the function that moves their quantiles
        to that of the value they decode to.
    lists, permutations, subsets : tuples of blocks
    """

    parent: np.ndarray
    lo: np.ndarray
    hi: np.ndarray
    k: np.ndarray
    ordered: np.ndarray
    role: np.ndarray
    edges: dict[int, np.ndarray]
    rounders: tuple[tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]], ...] = ()
    lists: tuple[ListBlock, ...] = ()
    permutations: tuple[PermutationBlock, ...] = ()
    subsets: tuple[SubsetBlock, ...] = ()

    @property
    def d(self) -> int:
        """Number of genes."""
        return len(self.k)

    @cached_property
    def structural(self) -> np.ndarray:
        """(d,) mask of the genes that are some gene's parent."""
        mask = np.zeros(self.d, bool)
        mask[self.parent[self.parent >= 0]] = True
        mask[[block.size_gene for block in self.lists]] = True
        return mask

    @cached_property
    def flat(self) -> bool:
        """Whether every gene is always active."""
        return not self.structural.any()

    @cached_property
    def ordinary(self) -> np.ndarray:
        """(d,) mask of the genes that mutate alone: not structural and in no block."""
        mask = ~self.structural
        for block in self._blocks:
            mask[block.start : block.stop] = False
        return mask

    @cached_property
    def numeric(self) -> np.ndarray:
        """(d,) mask of the ordinary genes that can be blended and nudged."""
        return self.ordinary & self.ordered

    @cached_property
    def without_neighbours(self) -> bool:
        """Whether no ordinary gene has a level between two others, or no levels."""
        k = self.k[self.ordinary]
        return bool(((k == 2) | ((k > 2) & ~self.ordered[self.ordinary])).all())

    @cached_property
    def ordinary_columns(self) -> np.ndarray:
        """(c,) columns of the ordinary genes."""
        return np.flatnonzero(self.ordinary)

    @cached_property
    def units(self) -> np.ndarray:
        """Columns of the ordinary genes, then the first column of each order and subset."""
        starts = np.array([block.start for block in self._blocks], np.int64)
        return np.append(self.ordinary_columns, starts)

    @cached_property
    def structural_columns(self) -> np.ndarray:
        """(s,) columns of the structural genes."""
        return np.flatnonzero(self.structural)

    @cached_property
    def root_columns(self) -> np.ndarray:
        """Columns of the structural genes that are always active."""
        return np.flatnonzero(self.structural & (self.parent < 0))

    @cached_property
    def list_of(self) -> dict[int, ListBlock]:
        """The list block of each size gene."""
        return {block.size_gene: block for block in self.lists}

    @cached_property
    def stepped(self) -> np.ndarray:
        """(c,) columns of the genes with levels that stand alone (not in a block)."""
        alone = self.ordinary | self.structural
        return np.flatnonzero((self.k > 0) & alone)

    @cached_property
    def depths(self) -> tuple[Depth, ...]:
        """The tree below the roots, one entry a depth."""
        depth = np.zeros(self.d, np.int64)
        for gene, parent in enumerate(self.parent):
            if parent >= 0:
                depth[gene] = depth[parent] + 1
        groups = (np.flatnonzero(depth == level) for level in range(1, depth.max(initial=0) + 1))
        return tuple(Depth(c, self.parent[c], self.lo[c], self.hi[c]) for c in groups)

    @cached_property
    def _table(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Concatenated edges of the unequal genes, shifted by their number, to search all at once.

        Returns (all edges, the shift of each gene or -1, where each gene's edges start).
        """
        unique = {id(edges): edges for edges in self.edges.values()}
        number = {key: i for i, key in enumerate(unique)}
        starts = np.cumsum([0] + [len(edges) for edges in unique.values()])
        shift = np.full(self.d, -1)
        start = np.zeros(self.d, np.int64)
        for gene, edges in self.edges.items():
            shift[gene] = number[id(edges)]
            start[gene] = starts[number[id(edges)]]
        joined = np.concatenate([edges + i for i, edges in enumerate(unique.values())])
        return joined, shift, start

    @cached_property
    def _top_level(self) -> np.ndarray:
        return np.maximum(self.k - 1, 0)

    def level(self, u: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Level of quantiles `u` as genes of `column` (arrays that broadcast); 0 if continuous."""
        k = self.k[column]
        level = (u * k).astype(np.int64)
        if self.edges:
            joined, shift, start = self._table
            uneven = np.broadcast_to(shift[column] >= 0, level.shape)
            gene = np.broadcast_to(column, level.shape)[uneven]
            found = np.searchsorted(joined, u[uneven] + shift[gene], side="right")
            level[uneven] = found - start[gene] - 1
        return np.minimum(level, self._top_level[column], out=level)

    def centre(self, level: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Quantile in the middle of levels of genes of `column` (arrays that broadcast)."""
        u = (level + 0.5) / np.maximum(self.k[column], 1)
        if self.edges:
            joined, shift, start = self._table
            uneven = np.broadcast_to(shift[column] >= 0, u.shape)
            gene = np.broadcast_to(column, u.shape)[uneven]
            left = start[gene] + level[uneven]
            u[uneven] = (joined[left] + joined[left + 1]) / 2 - shift[gene]
        return u

    def snap(self, genes: np.ndarray) -> np.ndarray:
        """Move rows to the canonical quantiles of what they decode to.

        Levels go to their centre, the columns of a permutation to their ranks, those of a subset
        to bits whose number is legal. Idempotent.

        Parameters
        ----------
        genes : (n, d) array, changed in place
        """
        np.maximum(np.minimum(genes, 1.0, out=genes), 0.0, out=genes)
        if len(self.stepped):
            columns = self.stepped if len(self.stepped) < self.d else slice(None)
            number = self.stepped
            genes[:, columns] = self.centre(self.level(genes[:, columns], number), number)
        for columns, rounder in self.rounders:
            genes[:, columns] = rounder(genes[:, columns])
        for order in self.permutations:
            keys = genes[:, order.start : order.stop]
            rank = keys.argsort(axis=1, kind="stable").argsort(axis=1)
            keys[:] = (rank + 0.5) / keys.shape[1]
        for block in self.subsets:
            bits = genes[:, block.start : block.stop]
            size = np.clip((bits >= 0.5).sum(axis=1), block.min_size, block.max_size)
            rank = (-bits).argsort(axis=1, kind="stable").argsort(axis=1)
            bits[:] = np.where(rank < size[:, None], 0.75, 0.25)
        return genes

    def activity(self, genes: np.ndarray) -> np.ndarray:
        """(n, d) mask of the genes that take part in each row."""
        if self.flat:
            return self._all_active(len(genes))
        columns = self.structural_columns
        level = np.zeros(genes.shape, np.int64)
        level[:, columns] = self.level(genes[:, columns], columns)
        active = np.ones(genes.shape, bool)
        for depth in self.depths:
            above = level[:, depth.parent]
            taken = (above >= depth.lo) & (above < depth.hi)
            active[:, depth.columns] = taken & active[:, depth.parent]
        return active

    def _all_active(self, n: int) -> np.ndarray:
        """(n, d) mask of ones, a read-only view of one that is kept."""
        ones = self._ones.get("mask")
        if ones is None or len(ones) < n:
            ones = self._ones["mask"] = np.ones((n, self.d), bool)
            ones.flags.writeable = False
        return ones[:n]

    @cached_property
    def _ones(self) -> dict[str, np.ndarray]:
        return {}

    def species(self, genes: np.ndarray, active: np.ndarray) -> np.ndarray:
        """(n,) labels of 64 bits, equal for rows of one structure."""
        columns = self.structural_columns
        if self.flat:
            return np.zeros(len(genes), np.uint64)
        level = self.level(genes[:, columns], columns) + 1
        words = np.where(active[:, columns], level, 0).astype(np.uint64)
        return (words * self._multipliers[columns]).sum(axis=1, dtype=np.uint64)

    def keys(self, genes: np.ndarray, active: np.ndarray | None = None) -> np.ndarray:
        """(n,) hashes of 64 bits of snapped rows, equal for rows that decode alike.

        `active` is their activity, computed if it is not at hand.
        Sums of products with random odd numbers modulo 2^64; the bits of the quantiles are folded
        first because those of level centres end in zeros, whose products would collide.
        """
        words = np.ascontiguousarray(genes).view(np.uint64)
        words = words ^ (words >> np.uint64(32))
        words ^= words >> np.uint64(15)
        if not self.flat:
            words *= self.activity(genes) if active is None else active
        return words @ self._multipliers

    @cached_property
    def _multipliers(self) -> np.ndarray:
        """(d,) random odd numbers, the same in every run: SplitMix64 (Steele et al. 2014)."""
        with np.errstate(over="ignore"):
            z = np.arange(1, self.d + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return (z ^ (z >> np.uint64(31))) | np.uint64(1)

    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw `n` rows from the user's distributions, (n, d), snapped."""
        return self.settle(rng, rng.random((n, self.d)))

    def latin_hypercube(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw `n` rows of which every gene covers its range evenly, (n, d), snapped."""
        strata = rng.permuted(np.tile(np.arange(n), (self.d, 1)), axis=1).T
        return self.settle(rng, rounded((strata + rng.random((n, self.d))) / max(n, 1)))

    def settle(self, rng: np.random.Generator, genes: np.ndarray) -> np.ndarray:
        """Snap uniform random rows, after giving their subsets sizes that are equally likely."""
        for block in self.subsets:
            bits = genes[:, block.start : block.stop]
            size = rng.integers(block.min_size, block.max_size + 1, len(genes))
            rank = bits.argsort(axis=1).argsort(axis=1)
            bits[:] = np.where(rank < size[:, None], 0.75, 0.25)
        return self.snap(genes)

    @cached_property
    def points(self) -> float:
        """Number of different points of the space, inf when it holds a continuous gene."""
        blocks = {block.start: _points_of_block(block) for block in self._blocks}
        inside = {g for block in self._blocks for g in range(block.start + 1, block.stop)}
        children: dict[int, list[int]] = {}
        below: dict[int, float] = {}  # points of each gene with all that hangs on it
        for gene in reversed(range(self.d)):
            if gene in inside:
                continue
            children.setdefault(int(self.parent[gene]), []).append(gene)
            if gene in blocks:
                below[gene] = blocks[gene]
            elif gene not in children:
                below[gene] = int(self.k[gene]) or math.inf
            else:
                levels = range(int(self.k[gene]))
                below[gene] = sum(self._product(children[gene], below, at) for at in levels)
        return self._product(children.get(-1, []), below, 0)

    @property
    def _blocks(self) -> tuple[PermutationBlock | SubsetBlock, ...]:
        return (*self.permutations, *self.subsets)

    def _product(self, genes: list[int], below: dict[int, float], level: int) -> float:
        """Points of the genes among some that are active at a level of their parent."""
        total: float = 1
        for gene in genes:
            if self.lo[gene] <= level < self.hi[gene]:
                total *= below[gene]
            if total > 2**63:
                return math.inf
        return total

    def enumerate(self) -> np.ndarray:
        """All points of a finite space, (points, d) snapped rows; dormant genes at 0.5."""
        if not math.isfinite(self.points):
            raise SpaceError(f"enumerate: the space must be finite, got {self.points} points.")
        genes = np.full((1, self.d), 0.5)
        blocks = {block.start: block for block in self._blocks}
        gene = 0
        while gene < self.d:
            block = blocks.get(gene)
            stop = block.stop if block else gene + 1
            options = _options_of_block(block) if block else self._options(gene)
            active = self.activity(genes)[:, gene]
            grown = np.repeat(genes[active], len(options), axis=0)
            grown[:, gene:stop] = np.tile(options, (int(active.sum()), 1))
            genes = np.concatenate([genes[~active], grown])
            gene = stop
        return self.snap(genes)

    def _options(self, gene: int) -> np.ndarray:
        """(k, 1) centres of the levels of a gene."""
        level = np.arange(self.k[gene])
        return self.centre(level, np.full(len(level), gene))[:, None]


def _points_of_block(block: PermutationBlock | SubsetBlock) -> int:
    n = block.stop - block.start
    if isinstance(block, PermutationBlock):
        return math.factorial(n)
    return sum(math.comb(n, size) for size in range(block.min_size, block.max_size + 1))


def _options_of_block(block: PermutationBlock | SubsetBlock) -> np.ndarray:
    """(points, n) snapped columns of every value of a block."""
    n = block.stop - block.start
    if isinstance(block, PermutationBlock):
        return (np.array(list(permutations(range(n)))) + 0.5) / n
    sizes = range(block.min_size, block.max_size + 1)
    chosen = [list(subset) for size in sizes for subset in combinations(range(n), size)]
    bits = np.full((len(chosen), n), 0.25)
    for row, subset in zip(bits, chosen, strict=True):
        row[subset] = 0.75
    return bits[np.lexsort(bits.T[::-1])]
