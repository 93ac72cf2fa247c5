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
    gene is dormant. The same columns of all items of a list are there once more, as their sums:
    what is learned of one item is expected of the others, too.

    Parameters
    ----------
    genome : Genome
    """

    def __init__(self, genome: Genome):
        super().__init__(genome)
        numbers, levels = genome.role[self._ordered], genome.role[self._unordered]
        own = [(role, degree) for degree in (-1, -2) for role in numbers.tolist()]
        pairs = zip(levels.tolist(), self._levels.tolist(), strict=True)
        own += [(role, level) for role, count in pairs for level in range(count)]
        members: dict[tuple[int, int], list[int]] = {}
        for column, key in enumerate(own):
            members.setdefault(key, []).append(column)
        shared = [columns for columns in members.values() if len(columns) > 1]
        self._sums = np.zeros((len(own), len(shared)))
        for j, columns in enumerate(shared):
            self._sums[columns, j] = 1.0
        self.trend = len(own) + len(shared)

    def __call__(self, genes: np.ndarray, active: np.ndarray) -> np.ndarray:
        """(n, p + trend) numbers of snapped rows (n, d)."""
        x = super().__call__(genes, active)
        centred, alive = x[:, : self.numbers] - 0.5, active[:, self._ordered]
        levels = x[:, self.numbers : self.numbers + int(self._levels.sum())]
        first = np.sqrt(12) * centred
        second = np.sqrt(180) * (centred**2 - 1 / 12) * alive
        own = np.concatenate([first, second, 2 * levels], axis=1)
        return np.concatenate([x, own, own @ self._sums], axis=1)
