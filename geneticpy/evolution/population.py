"""Individuals as a struct of arrays: all fields share the first axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Population:
    """Rows and what is known of them.

    Attributes
    ----------
    genes : (n, d) array
        Quantiles in [0, 1].
    sigma : (n,) array
        Step size of small mutations, in quantiles; inherited with the genes.
    parents : (n, 2) array of int
        Ids of the parents; -1 where there is none.
    species : (n,) array of uint64
        Equal for rows of one structure.
    ids : (n,) array of int
        Number of the evaluation; rows with larger ones are younger.
    loss : (n,) array
        To be minimized.
    """

    genes: np.ndarray
    sigma: np.ndarray
    parents: np.ndarray
    species: np.ndarray
    ids: np.ndarray
    loss: np.ndarray

    def __len__(self) -> int:
        return len(self.genes)

    def take(self, rows: np.ndarray | slice) -> Population:
        """The given rows, in that order."""
        return Population(
            self.genes[rows],
            self.sigma[rows],
            self.parents[rows],
            self.species[rows],
            self.ids[rows],
            self.loss[rows],
        )

    def join(self, other: Population) -> Population:
        """These rows, then those of another."""
        return Population(
            np.concatenate([self.genes, other.genes]),
            np.concatenate([self.sigma, other.sigma]),
            np.concatenate([self.parents, other.parents]),
            np.concatenate([self.species, other.species]),
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.loss, other.loss]),
        )

    @classmethod
    def unborn(cls, genes: np.ndarray, sigma: float | np.ndarray, parents: np.ndarray) -> Population:
        """Rows without id, species and loss yet."""
        n = len(genes)
        return cls(
            genes,
            np.broadcast_to(np.asarray(sigma, float), n),
            parents,
            np.zeros(n, np.uint64),
            np.full(n, -1),
            np.full(n, np.nan),
        )

    @classmethod
    def empty(cls, d: int) -> Population:
        """No rows of `d` genes."""
        return cls.unborn(np.empty((0, d)), 0.0, np.empty((0, 2), np.int64))
