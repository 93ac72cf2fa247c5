"""A trend for spaces with structures: what each gene that takes part adds to the loss, on its own.

The costs of layers, steps and items often add up. A kernel of distances needs many rows to find
that out, and forgets it at each structure that it has not seen.

References
----------
.. [1] Rasmussen & Williams, "Gaussian processes for machine learning", MIT Press 2006, chapter 2.7
   (explicit basis functions).
.. [2] Duvenaud, Nickisch & Rasmussen, "Additive Gaussian processes", NeurIPS 2011.
"""

from __future__ import annotations

import numpy as np

from geneticpy.evolution.models.features import Features
from geneticpy.genome import Genome


class TrendFeatures(Features):
    """Features, and after them the columns of a trend.

    An active ordered gene has Legendre polynomials of the first and second degree, with mean
    square 1; an unordered one has a column for each level, as their features. All are 0 where a
    gene is dormant. After them come their means over the items of a list: what is learned of one
    item is expected of the others, too.

    Parameters
    ----------
    genome : Genome
    """

    def __init__(self, genome: Genome):
        super().__init__(genome)
        n, levels = self.numbers, [np.arange(k) for k in self._levels]
        gene = np.append(self._ordered, self._gene)
        meaning = np.concatenate([np.full(n, -2), np.full(n, -1), *levels])
        keys = np.column_stack([genome.role[gene], meaning])  # equal in all items of a list
        _, group, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
        shared = np.flatnonzero(count > 1)
        self._columns = (group.reshape(-1, 1) == shared).astype(float)  # of each mean
        self._genes = np.zeros((genome.d, len(shared)))
        np.maximum.at(self._genes, gene, self._columns)
        self.trend = len(gene) + len(shared)

    def __call__(self, genes: np.ndarray, active: np.ndarray) -> np.ndarray:
        """(n, p + trend) numbers of snapped rows (n, d)."""
        x = super().__call__(genes, active)
        centred, alive = x[:, : self.numbers] - 0.5, active[:, self._ordered]
        levels = x[:, self.numbers : len(self._gene)]
        first = np.sqrt(12) * centred
        second = np.sqrt(180) * (centred**2 - 1 / 12) * alive
        own = np.concatenate([first, second, 2 * levels], axis=1)
        means = own @ self._columns / np.maximum(active @ self._genes, 1)
        return np.concatenate([x, own, means], axis=1)
