"""Rows of genes as the numbers that a model of the loss sees, and losses on a scale for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geneticpy.evolution.models.orders import OrderFeatures
from geneticpy.genome import Genome

LEAST_SPREAD = 1e-300  # of losses scaled to 1: a quotient by less would overflow
MOST_LEVELS = 64  # columns of an unordered gene; options that are more share them
MOST_PAIRS = 1024  # columns of each family of pairs of all orders together; more share them


@dataclass
class Columns:
    """What the numbers of a row mean to a model.

    Attributes
    ----------
    numbers : int
        How many of the columns, the first ones, are quantiles. Those of unordered genes are 0 or
        1/sqrt(2), so that two levels have the distance 1.
    role : (p,) array of int
        From 0; columns of one role share a length scale. Those of the quantiles come first.
    trend : int
        Columns after those that have a role: the loss is expected to be nearly linear in them.
    sums : int
        How many of the roles, the last ones, are sums over the items of a list.
    """

    numbers: int
    role: np.ndarray
    trend: int = 0
    sums: int = 0

    def fewer(self, x: np.ndarray) -> tuple[Columns, np.ndarray]:
        """At most as many columns of a role as there are rows (n, p), with the same distances.

        The quantiles stay, because a model bends them.
        """
        parts, roles = [x[:, : self.numbers]], [self.role[: self.numbers]]
        _, others, trend = np.split(x, [self.numbers, len(self.role)], axis=1)
        other_roles = self.role[self.numbers :]
        for role in np.unique(other_roles):
            parts.append(_turned(others[:, other_roles == role]))
            roles.append(np.full(parts[-1].shape[1], role))
        parts.append(_turned(trend))
        columns = Columns(self.numbers, np.concatenate(roles), parts[-1].shape[1], self.sums)
        return columns, np.concatenate(parts, axis=1)


class Features(Columns):
    """Numbers of a row: one column for an ordered gene, one for each level of an unordered one.

    Orders come last, as `OrderFeatures`. Dormant genes take the same value in all rows: 0.5, and
    0 in all columns of an unordered gene or an order.

    Parameters
    ----------
    genome : Genome

    Attributes
    ----------
    counted : (d,) mask
        Genes that are a dimension of the space: an order is one, however many items it has.
    """

    def __init__(self, genome: Genome):
        self._genome = genome
        alone, self.counted = np.ones(genome.d, bool), np.ones(genome.d, bool)
        for block in genome.permutations:
            alone[block.start : block.stop] = self.counted[block.start + 1 : block.stop] = False
        self._ordered = np.flatnonzero(alone & genome.ordered)
        self._unordered = np.flatnonzero(alone & ~genome.ordered)
        self._levels = np.minimum(genome.k[self._unordered], MOST_LEVELS)
        self._first = len(self._ordered) + np.cumsum(self._levels) - self._levels
        most = -(-MOST_PAIRS // max(len(genome.permutations), 1))
        self._orders = [OrderFeatures(o.stop - o.start, most) for o in genome.permutations]
        self.numbers = len(self._ordered)
        self._gene = np.append(self._ordered, self._unordered.repeat(self._levels))  # of a column
        roles = [(role, 0) for role in genome.role[self._gene].tolist()]
        for block, order in zip(genome.permutations, self._orders, strict=True):
            roles += [(int(genome.role[block.start]), f) for f in order.family.tolist()]
        known: dict[tuple[int, int], int] = {}
        self.role = np.array([known.setdefault(role, len(known)) for role in roles], np.int64)

    def __call__(self, genes: np.ndarray, active: np.ndarray) -> np.ndarray:
        """(n, p) numbers of snapped rows (n, d)."""
        x = np.zeros((len(genes), len(self.role)))
        columns = self._ordered
        x[:, : self.numbers] = np.where(active[:, columns], genes[:, columns], 0.5)
        row, gene = np.nonzero(active[:, self._unordered])
        column = self._unordered[gene]
        level = self._genome.level(genes[row, column], column) % self._levels[gene]
        x[row, self._first[gene] + level] = np.sqrt(0.5)
        stop = len(self._gene)
        for block, order in zip(self._genome.permutations, self._orders, strict=True):
            first, stop = stop, stop + len(order.family)
            order.write(genes[:, block.start : block.stop], x[:, first:stop])
            x[~active[:, block.start], first:stop] = 0.0
        return x


def _turned(x: np.ndarray) -> np.ndarray:
    """Rows (n, p) in at most n columns, with the same products and distances."""
    return np.linalg.qr(x.T)[1].T if x.shape[1] > len(x) else x


def standardize(loss: np.ndarray) -> np.ndarray:
    """Losses (n,) with mean 0 and variance 1; large ones are compressed, infinite ones the worst.

    The scale is the spread of the better half; what lies above the median grows with the
    logarithm, so that bad regions do not hide the differences between good ones. All zero when
    nothing differs. Any positive factor and any shift of the losses give the same.
    """
    finite = np.isfinite(loss)
    if not finite.any():
        return np.zeros(len(loss))
    y = np.where(finite, loss, loss[finite].max())
    y = y / max(np.abs(y).max(), np.finfo(float).tiny)  # squares neither overflow nor vanish
    y = y - np.median(y)
    spread = _root_mean_square(y[y <= 0]) or _root_mean_square(y)
    if not spread > 0:
        return np.zeros(len(loss))
    t = y / max(spread, LEAST_SPREAD)
    z = np.where(t <= 0, t, 2 * np.log1p(np.maximum(t, 0) / 2))
    return (z - z.mean()) / z.std()


def _root_mean_square(y: np.ndarray) -> float:
    """Of values in [-2, 2]; of any size without underflow."""
    largest = float(np.abs(y).max(initial=0))
    return largest and largest * float(np.sqrt(np.mean((y / largest) ** 2)))
