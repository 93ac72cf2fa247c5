"""Individuals as a struct of arrays: all fields share the first axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

FIRST_SIGMA = 0.2  # of rows without parents (ALGORITHM 7b)

RowsT = TypeVar("RowsT", bound="Brood")


def places(ids: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find ids among sorted ones.

    Returns
    -------
    at : (n,) array of int
        The places of the wanted ones, where they are found.
    found : (n,) array of bool
    """
    at = np.searchsorted(ids, wanted)
    found = at < len(ids)
    found[found] = ids[at[found]] == wanted[found]
    return at, found


@dataclass
class Brood:
    """Rows that are not evaluated yet.

    Attributes
    ----------
    genes : (n, d) array
        Quantiles in [0, 1].
    sigma : (n,) array
        Step size of small mutations, in quantiles; inherited with the genes.
    parents : (n, 2) array of int
        Ids of the parents; -1 where there is none.
    species : (n,) array of uint64
        Equal for rows of one structure; 0 until the rows are found to be new.
    """

    genes: np.ndarray
    sigma: np.ndarray
    parents: np.ndarray
    species: np.ndarray

    def __len__(self) -> int:
        return len(self.genes)

    def take(self: RowsT, rows: np.ndarray | slice) -> RowsT:
        """Copy the given rows, in that order."""
        return type(self)(*[array[rows] for array in vars(self).values()])

    def join(self: RowsT, *others: RowsT) -> RowsT:
        """Append the rows of others; not a copy when all but one are empty."""
        parts = [part for part in (self, *others) if len(part)]
        if len(parts) < 2:
            return parts[0] if parts else self
        fields = zip(*[vars(part).values() for part in parts], strict=True)
        return type(self)(*[np.concatenate(field) for field in fields])

    @classmethod
    def orphans(cls, genes: np.ndarray) -> Brood:
        """Rows without parents."""
        n = len(genes)
        sigma, parents = np.empty(n), np.empty((n, 2), np.int64)
        sigma.fill(FIRST_SIGMA)
        parents.fill(-1)
        return Brood(genes, sigma, parents, np.zeros(n, np.uint64))


@dataclass
class Population(Brood):
    """Rows that were asked for.

    Attributes
    ----------
    ids : (n,) array of int
        Number of the evaluation; rows with larger ones are younger.
    loss : (n,) array
        To be minimized.
    """

    ids: np.ndarray
    loss: np.ndarray

    @classmethod
    def born(cls, brood: Brood, first_id: int) -> Population:
        """Rows of a brood, with consecutive ids and no loss yet."""
        ids = np.arange(first_id, first_id + len(brood))
        loss = np.empty(len(brood))
        return cls(brood.genes, brood.sigma, brood.parents, brood.species, ids, loss)

    @classmethod
    def empty(cls, d: int) -> Population:
        """No rows of `d` genes."""
        return cls.born(Brood.orphans(np.empty((0, d))), 0)
