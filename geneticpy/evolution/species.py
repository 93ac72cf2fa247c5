"""Rows of one structure form a species and mate among themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Groups:
    """The species of m rows that are sorted best first.

    Attributes
    ----------
    order : (m,) array of int
        Rows, species after species, best first within each.
    start, size : (m,) arrays of int
        For each row: where its species begins in `order`, and how many rows it has.
    """

    order: np.ndarray
    start: np.ndarray
    size: np.ndarray

    def member(self, rows: np.ndarray, fraction: np.ndarray) -> np.ndarray:
        """Pick a row of the species of each of `rows`; fractions in [0, 1), 0 is the best."""
        at = self.start[rows] + (fraction * self.size[rows]).astype(np.int64)
        return self.order[at]


def group(species: np.ndarray) -> Groups:
    """Group rows by their (m,) species labels."""
    m = len(species)
    if m == 0 or (species == species[0]).all():
        return Groups(np.arange(m), np.zeros(m, np.int64), np.full(m, m))
    _, number, count = np.unique(species, return_inverse=True, return_counts=True)
    start = np.cumsum(count) - count
    return Groups(number.argsort(kind="stable"), start[number], count[number])


def rank_within(labels: np.ndarray) -> np.ndarray:
    """(m,) how many earlier rows have the same label."""
    groups = group(labels)
    rank = np.empty(len(labels), np.int64)
    rank[groups.order] = np.arange(len(labels))
    return rank - groups.start
