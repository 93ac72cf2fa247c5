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
    alone : bool
        Whether there is one species only.
    """

    order: np.ndarray
    start: np.ndarray
    size: np.ndarray
    alone: bool

    def member(self, rows: np.ndarray, fraction: np.ndarray) -> np.ndarray:
        """Pick a row of the species of each of `rows`; fractions in [0, 1), 0 is the best."""
        if self.alone:
            return (fraction * len(self.order)).astype(np.int64)
        at = self.start[rows] + (fraction * self.size[rows]).astype(np.int64)
        return self.order[at]


def group(species: np.ndarray) -> Groups:
    """Group rows by their (m,) species labels."""
    if not (species[1:] != species[:-1]).any():
        m = len(species)
        return Groups(np.arange(m), np.zeros(m, np.int64), np.full(m, m), alone=True)
    order, first = _runs(species)
    start, size = np.empty_like(order), np.empty_like(order)
    start[order] = first
    size[order] = np.searchsorted(first, first, side="right") - first
    return Groups(order, start, size, alone=False)


def rank_within(labels: np.ndarray) -> np.ndarray:
    """(m,) how many earlier rows have the same label."""
    order, first = _runs(labels)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order)) - first
    return rank


def _runs(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort (m,) labels stably; returns the order, and for each place where its run begins."""
    order = labels.argsort(kind="stable")
    ordered = labels[order]
    first = np.arange(len(order))
    first[1:][ordered[1:] == ordered[:-1]] = 0
    return order, np.maximum.accumulate(first)
