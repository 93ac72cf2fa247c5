"""Orders of items as numbers from which the losses of most orders are nearly linear.

Four families of columns, each with a role of its own, so that a model learns which of them the
loss depends on: when an item comes (queues), which item comes at a place (assignments), which one
follows another (setup times), and which are neighbours in either direction, the last one and the
first included (round trips).

References
----------
.. [1] Deshwal, Belakaria, Doppa & Kim, "Bayesian optimization over permutation spaces", AAAI 2022
   (kernels on orders for expensive losses).
"""

from __future__ import annotations

import numpy as np

# Mean square of the distance of two random orders, in a family, and of two uniform numbers. With
# the first a 16th of the second, a change of order begins as nearly linear (measured on round
# trips, assignments, queues and setup times of 12 and 30 items).
ORDERS_APART, NUMBERS_APART = 1 / 96, 1 / 6
SCRAMBLE = 2_654_435_761  # odd, near 2^32 over the golden ratio: parts pairs that are alike


class OrderFeatures:
    """Numbers of orders of `c` items.

    Parameters
    ----------
    c : int
        At least 2.
    most : int
        Columns of a family of pairs; pairs that are more share them.

    Attributes
    ----------
    family : (p,) array of int
        Of each column: 0 when an item comes, 1 which one comes at a place, 2 which one follows
        another, 3 neighbours.
    """

    def __init__(self, c: int, most: int):
        self._pairs = np.array([c * c, c * (c - 1), c * (c - 1) // 2])
        self._columns = np.minimum(self._pairs, most)
        self.family = np.arange(4).repeat([c, *self._columns])

    def write(self, orders: np.ndarray, x: np.ndarray) -> None:
        """Write the numbers of orders over zeros.

        Parameters
        ----------
        orders : (n, c) array
            Snapped columns of a permutation block.
        x : (n, p) array, changed in place
        """
        n, c = orders.shape
        row, place = np.arange(n)[:, None], np.arange(c)
        items = (orders * c).astype(np.int64)
        x[row, items] = place / c * np.sqrt(ORDERS_APART / NUMBERS_APART / c)
        after = np.roll(items, -1, axis=1)
        low, high = np.minimum(items, after), np.maximum(items, after)
        follower = items * (c - 1) + after - (after > items)
        families = (place * c + items, follower[:, :-1], high * (high - 1) // 2 + low)
        step = np.sqrt(ORDERS_APART / (2 * c))  # two columns for each of c pairs that differ
        first = c
        for pair, pairs, columns in zip(families, self._pairs, self._columns, strict=True):
            x[row, first + _column(pair, pairs, columns)] = step
            first += columns


def _column(pair: np.ndarray, pairs: int, columns: int) -> np.ndarray:
    """Columns of numbers of pairs: the same if they suffice, else scattered."""
    return pair if pairs <= columns else (pair * SCRAMBLE % 2**32) * columns >> 32
