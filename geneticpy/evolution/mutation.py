"""Small steps, fresh draws, and changes of structure."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from geneticpy.evolution.blocks import change_subsets, move_permutations
from geneticpy.genome import Genome, ListBlock

STRUCTURAL_CHANCE = 0.4  # of a child to change its structure (ALGORITHM 7b)
INSERT, DELETE = 0.4, 0.4  # shares of the changes of a list; the rest swaps two items
HEAVY_TAIL = 1.5  # exponent of the number of genes that change (Doerr et al. 2017, section 5)
SEVERAL, MANY, MANY_UNITS = 0.75, 0.1, 0.3  # shares of rows with more hits, many, and how many
SIGMA_LIMITS = (1e-9, 0.4)  # of a small step, in quantiles


def small_steps(
    rng: np.random.Generator,
    genes: np.ndarray,
    active: np.ndarray,
    sigma: np.ndarray,
    genome: Genome,
) -> np.ndarray:
    """Change one or a few active ordinary genes of each row, at least one.

    Ordered genes move by `sigma` times a normal step, stepped ones by a level at least; unordered
    ones take another level; orders and subsets make a move of their own.

    Parameters
    ----------
    rng : numpy.random.Generator
    genes : (n, d) array, changed in place
    active : (n, d) mask
    sigma : (n,) array
    genome : Genome

    Returns
    -------
    (n, d) array
    """
    units = genome.units
    if not len(units) or not len(genes):
        return genes
    row, unit = _hits(rng, None if genome.flat else active[:, units], len(genes), len(units))
    return change_units(rng, genes, row, unit, sigma, genome)


def heavy_tailed_steps(
    rng: np.random.Generator, genes: np.ndarray, sigma: np.ndarray, genome: Genome
) -> np.ndarray:
    """Change one gene of most rows and, of some, many: a power law; for flat genomes.

    Parameters
    ----------
    rng : numpy.random.Generator
    genes : (n, d) array, changed in place
    sigma : (n,) array
    genome : Genome

    Returns
    -------
    (n, d) array

    References
    ----------
    .. [1] Doerr, Le, Makhmara & Nguyen, "Fast genetic algorithms", GECCO 2017, section 4.
    """
    units = len(genome.units)
    if not units or not len(genes):
        return genes
    row, unit = _anywhere(rng, heavy_tailed(rng, len(genes), units), units)
    return change_units(rng, genes, row, unit, sigma, genome)


def heavy_tailed(rng: np.random.Generator, n: int, units: int) -> np.ndarray:
    """(n,) numbers k of units to change, proportional to k^-1.5, up to half of the units."""
    return 1 + _heavy_tail(units).searchsorted(rng.random(n), side="right")


@lru_cache
def _heavy_tail(units: int) -> np.ndarray:
    """(units // 2 - 1,) probabilities of at most 1, 2, ... units."""
    weight = np.arange(1, max(units // 2, 1) + 1) ** -HEAVY_TAIL
    return (weight.cumsum() / weight.sum())[:-1]


def _anywhere(
    rng: np.random.Generator, count: np.ndarray, units: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and units of `count` (n,) hits in each row, every unit as likely as any other."""
    row = np.arange(len(count)).repeat(count)
    return row, (rng.random(len(row)) * units).astype(np.int64)


def change_units(
    rng: np.random.Generator,
    genes: np.ndarray,
    row: np.ndarray,
    unit: np.ndarray,
    sigma: np.ndarray,
    genome: Genome,
) -> np.ndarray:
    """Change units (numbers into `genome.units`) of rows of `genes`, in place."""
    columns = genome.ordinary_columns
    orders, subsets = genome.permutations, genome.subsets
    alone = unit < len(columns) if orders or subsets else slice(None)
    which, column = row[alone], columns[unit[alone]]
    genes[which, column] = nudge(rng, genes[which, column], column, sigma[which], genome)
    for number, order in enumerate(orders, start=len(columns)):
        at = np.ix_(np.unique(row[unit == number]), np.arange(order.start, order.stop))
        genes[at] = move_permutations(rng, genes[at])
    for number, subset in enumerate(subsets, start=len(columns) + len(orders)):
        at = np.ix_(np.unique(row[unit == number]), np.arange(subset.start, subset.stop))
        genes[at] = change_subsets(rng, genes[at], subset)
    return genes


def _hits(
    rng: np.random.Generator, active: np.ndarray | None, n: int, units: int
) -> tuple[np.ndarray, np.ndarray]:
    """Which of the active units mutate: one of each row, geometrically more, at times 30%.

    Returns rows and units of the hits; `active` (n, units) is None when all are.
    """
    if active is None:
        count = 1 + _more_hits(units).searchsorted(rng.random(n), side="right")
        return _anywhere(rng, count, units)
    several, many = rng.random((2, n))
    want = 1 + (several < SEVERAL) * rng.geometric(0.5, size=n)
    count = np.maximum(active.sum(axis=1), 1)
    want = np.maximum(want, (MANY_UNITS * count * (many < MANY)).astype(np.int64))
    draw = rng.random((n, units))
    draw[~active] = 2.0
    hit = draw < (want / count)[:, None]
    hit[np.arange(n), draw.argmin(axis=1)] = True
    row, unit = np.nonzero(hit & active)
    return row, unit


@lru_cache
def _more_hits(units: int) -> np.ndarray:
    """(units - 1,) probabilities of at most 1, 2, ... hits in a row of active units."""
    most = np.arange(1, units)
    few = 1 - SEVERAL * 0.5 ** (most - 1)
    return np.where(most < int(MANY_UNITS * units), (1 - MANY) * few, few)


def nudge(
    rng: np.random.Generator, u: np.ndarray, column: np.ndarray, sigma: np.ndarray, genome: Genome
) -> np.ndarray:
    """Mutate single genes: (n,) quantiles `u` of genes `column`, ordered ones by steps `sigma`."""
    if genome.without_neighbours:
        return _other_level(rng, u, column, genome)
    step = sigma * rng.standard_normal(len(u))
    moved = u + step
    outside = (moved < 0) | (moved > 1)
    if outside.any():
        moved[outside] = np.abs((moved[outside] + 1) % 2 - 1)  # reflected
    if not len(genome.stepped):
        return moved
    k = genome.k[column]
    stepped = np.flatnonzero(k)
    if len(stepped):
        column, k = column[stepped], k[stepped]
        old = genome.level(u[stepped], column)
        new = _next_level(old, genome.level(moved[stepped], column), step[stepped] > 0, k)
        other = (old + 1 + (rng.random(len(old)) * (k - 1)).astype(np.int64)) % k
        moved[stepped] = genome.centre(np.where(genome.ordered[column], new, other), column)
    return moved


def _next_level(old: np.ndarray, new: np.ndarray, up: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Levels after a step, at least one away from the old."""
    toward = old + np.where(up, 1, -1)
    toward = np.where((toward < 0) | (toward >= k), 2 * old - toward, toward)
    return np.where(new == old, toward, new)


def change_structure(
    rng: np.random.Generator, genes: np.ndarray, active: np.ndarray, genome: Genome
) -> np.ndarray:
    """Take another arm of a choice, or insert, delete or swap items of a list.

    One active structural gene of each row, uniformly chosen, changes. There must be some.

    Parameters
    ----------
    rng : numpy.random.Generator
    genes : (n, d) array, changed in place
    active : (n, d) mask
    genome : Genome

    Returns
    -------
    (n, d) array
    """
    columns = genome.structural_columns
    draw = np.where(active[:, columns], rng.random((len(genes), len(columns))), 2.0)
    chosen = columns[draw.argmin(axis=1)]
    usable = draw.min(axis=1) < 2
    for column in np.unique(chosen[usable]):
        rows = np.flatnonzero((chosen == column) & usable)
        if column in genome.list_of:
            genes[rows] = change_list(rng, genes[rows], genome.list_of[column], genome)
        else:
            numbers = np.full(len(rows), column)
            genes[rows, column] = _other_level(rng, genes[rows, column], numbers, genome)
    return genes


def _other_level(
    rng: np.random.Generator, u: np.ndarray, column: np.ndarray, genome: Genome
) -> np.ndarray:
    k = genome.k[column]
    old = genome.level(u, column)
    return genome.centre((old + 1 + (rng.random(len(u)) * (k - 1)).astype(np.int64)) % k, column)


def change_list(
    rng: np.random.Generator, genes: np.ndarray, block: ListBlock, genome: Genome
) -> np.ndarray:
    """Insert, delete or swap items of one list in each row, (n, d).

    A new item is a copy of its predecessor or, half of the time and in an empty list, drawn anew.
    """
    n, (longest, width) = len(genes), block.items.shape
    size_gene = np.full(n, block.size_gene)
    size = genome.level(genes[:, block.size_gene], size_gene) + block.min_size
    kind = rng.random(n)
    insert = (kind < INSERT) & (size < longest) | (size == block.min_size)
    swap = (kind >= INSERT + DELETE) & (size > 1)
    delete = ~insert & ~swap
    insert &= ~swap
    at = (rng.random(n) * (size + insert)).astype(np.int64)
    other = (at + 1 + (rng.random(n) * (size - 1)).astype(np.int64)) % np.maximum(size, 1)
    take = _moved_items(at, other, insert, delete, longest)
    items = genes[:, block.items.ravel()].reshape(n, longest, width)
    items = items[np.arange(n)[:, None], take]
    fresh = np.flatnonzero(insert & ((rng.random(n) < 0.5) | (size == 0)))
    drawn = genome.sample(rng, len(fresh))[:, block.items[0]]
    items[fresh, at[fresh]] = drawn
    genes[:, block.items.ravel()] = items.reshape(n, longest * width)
    level = size - block.min_size + insert - delete
    genes[:, block.size_gene] = genome.centre(level, size_gene)
    return genes


def _moved_items(
    at: np.ndarray, other: np.ndarray, insert: np.ndarray, delete: np.ndarray, longest: int
) -> np.ndarray:
    """(n, longest) for each place of a list, the place whose item comes there."""
    place = np.arange(longest)
    at, other = at[:, None], other[:, None]
    inserted = np.where(place < at, place, np.maximum(place - 1, 0))
    deleted = np.where(place < at, place, np.minimum(place + 1, longest - 1))
    swapped = np.where(place == at, other, np.where(place == other, at, place))
    return np.where(insert[:, None], inserted, np.where(delete[:, None], deleted, swapped))


def inherit_sigma(rng: np.random.Generator, sigma: np.ndarray) -> np.ndarray:
    """Mutate step sizes log-normally; survival selects the good ones.

    References
    ----------
    .. [1] Beyer & Schwefel, "Evolution strategies: a comprehensive introduction", Natural
       Computing 1, 2002, section 4.2.
    """
    low, high = SIGMA_LIMITS
    grown = sigma * np.exp(0.5 * rng.standard_normal(len(sigma)))
    return np.minimum(np.maximum(grown, low), high)
