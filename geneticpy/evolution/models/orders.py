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

    def __call__(self, orders: np.ndarray) -> np.ndarray:
        """(n, p) numbers of snapped columns (n, c) of a permutation block."""
        n, c = orders.shape
        items, place = (orders * c).astype(np.int64), np.arange(c)
        after = np.roll(items, -1, axis=1)
        low, high = np.minimum(items, after), np.maximum(items, after)
        follower = items * (c - 1) + after - (after > items)
        families = (place * c + items, follower[:, :-1], high * (high - 1) // 2 + low)
        x = np.zeros((n, len(self.family)))
        x[np.arange(n)[:, None], items] = place / c * np.sqrt(ORDERS_APART / NUMBERS_APART / c)
        _, *parts = np.split(x, np.cumsum([c, *self._columns[:-1]]), axis=1)  # views
        for part, pair, count in zip(parts, families, self._pairs, strict=True):
            _add(part, _column(pair, count, part.shape[1]))
        x[:, c:] *= np.sqrt(ORDERS_APART / (2 * c))  # two columns for each of c pairs that differ
        return x


def _column(pair: np.ndarray, pairs: int, columns: int) -> np.ndarray:
    """Columns of numbers of pairs: the same if they suffice, else scattered."""
    return pair if pairs <= columns else (pair * SCRAMBLE % 2**32) * columns >> 32


def _add(x: np.ndarray, column: np.ndarray) -> None:
    """Count the columns (n, q) of each row in `x` (n, p), in place."""
    n, width = x.shape
    flat = np.arange(n)[:, None] * width + column
    x += np.bincount(flat.ravel(), minlength=n * width).reshape(n, width)
