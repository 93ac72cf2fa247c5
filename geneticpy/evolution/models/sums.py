"""Features for lists whose items work together in any order: members, terms, bumps of a curve.

What such a list is worth depends on the sum of what its items do. Columns of single genes tell
two lists apart that hold the same items in another order; sums over the items do not.

References
----------
.. [1] Rahimi & Recht, "Random features for large-scale kernel machines", NIPS 2007, algorithm 1.
.. [2] Muandet, Fukumizu, Sriperumbudur & Schoelkopf, "Kernel mean embedding of distributions: a
   review and beyond", Foundations and Trends in Machine Learning 10, 2017, section 3.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geneticpy.evolution.models.trend import TrendFeatures
from geneticpy.genome import Genome, ListBlock

WAVES = 32  # of an item, for each length scale
LENGTHS = (0.5, 0.15)  # of ordered genes, in quantiles: measured on spaces of searched length
LEVEL_LENGTH = 0.5  # of unordered genes, of which two levels have the distance 1
DEGREES = 5  # of freedom of the frequencies: those of a Matern 5/2 kernel are Student's t


class Sum(NamedTuple):
    """Random Fourier features of the items of one list.

    Attributes
    ----------
    genes : (items, c) array of int
        Genes by which an item is known to be there.
    columns : (items, w) array of int
        Features of each item.
    frequency, phase : (w, m) and (m,) arrays
    """

    genes: np.ndarray
    columns: np.ndarray
    frequency: np.ndarray
    phase: np.ndarray

    def of(self, x: np.ndarray, active: np.ndarray) -> np.ndarray:
        """(n, m) sums over the items that are there."""
        total = np.zeros((len(x), len(self.phase)))
        for genes, columns in zip(self.genes, self.columns, strict=True):
            there = np.flatnonzero(active[:, genes].any(axis=1))
            angles = x[there[:, None], columns] @ self.frequency + self.phase
            total[there] += np.sqrt(2 / WAVES) * np.cos(angles)
        return total


class SumFeatures(TrendFeatures):
    """Features with a trend, and sums over the items of each outermost list.

    Parameters
    ----------
    genome : Genome
    rng : numpy.random.Generator
        Draws the frequencies.
    """

    def __init__(self, genome: Genome, rng: np.random.Generator):
        super().__init__(genome)
        self._lists: list[Sum] = []
        for block in outermost(genome):
            columns = np.array([np.flatnonzero(np.isin(self._gene, item)) for item in block.items])
            if columns.size:
                waves = self._waves(columns[0] < self.numbers, rng)
                self._lists.append(Sum(block.items, columns, *waves))
        self.sums = len(self._lists) * len(LENGTHS)
        self._first_sum = len(self.role)
        roles = self.role.max(initial=-1) + 1 + np.arange(self.sums)
        self.role = np.append(self.role, roles.repeat(WAVES))

    @staticmethod
    def _waves(ordered: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw frequencies and phases, for all length scales one after the other."""
        m = WAVES * len(LENGTHS)
        scale = np.where(ordered[:, None], np.repeat(LENGTHS, WAVES), LEVEL_LENGTH)
        t = rng.standard_normal(scale.shape) / np.sqrt(rng.chisquare(DEGREES, m) / DEGREES)
        return t / scale, rng.uniform(0, 2 * np.pi, m)

    def __call__(self, genes: np.ndarray, active: np.ndarray) -> np.ndarray:
        """(n, p + trend) numbers of snapped rows (n, d)."""
        x = super().__call__(genes, active)
        stop = self._first_sum
        for each in self._lists:
            start, stop = stop, stop + len(each.phase)
            x[:, start:stop] = each.of(x, active)
        return x


def outermost(genome: Genome) -> list[ListBlock]:
    """Return the lists that are not inside an item of another list."""
    inside = {gene for block in genome.lists for gene in block.items.flat}
    return [block for block in genome.lists if block.size_gene not in inside]
