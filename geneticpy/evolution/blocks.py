"""Operators for orders and subsets: blocks of columns that only make sense together."""

from __future__ import annotations

import numpy as np

from geneticpy.genome import SubsetBlock

INVERSION, OR_OPT = 0.45, 0.45  # shares of the moves; the rest swaps (ALGORITHM 7c)
SWAP_IN_OUT, ADD = 0.6, 0.2  # shares of the changes of a subset; the rest drops (ALGORITHM 7c)


def mate_permutations(rng: np.random.Generator, one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Order crossover: a segment of one, the other items in the order of two.

    Parameters
    ----------
    rng : numpy.random.Generator
    one, two : (n, c) arrays
        Snapped columns of a permutation block.

    Returns
    -------
    (n, c) array

    References
    ----------
    .. [1] Davis, "Applying adaptive algorithms to epistatic domains", IJCAI 1985.
    """
    n, c = one.shape
    row = np.arange(n)[:, None]
    ends = np.sort(rng.integers(c + 1, size=(n, 2)), axis=1)
    position = np.arange(c)
    kept = (position >= ends[:, :1]) & (position < ends[:, 1:])
    first, second = (one * c).astype(np.int64), (two * c).astype(np.int64)
    item_kept = np.zeros((n, c), bool)
    item_kept[row, first] = kept
    donors = np.take_along_axis(two, item_kept[row, second].argsort(axis=1, kind="stable"), axis=1)
    places = kept.argsort(axis=1, kind="stable")  # those to fill first
    free = position < (~kept).sum(axis=1)[:, None]
    child = one.copy()
    filled = np.where(free, donors, np.take_along_axis(one, places, axis=1))
    np.put_along_axis(child, places, filled, axis=1)
    return child


def move_permutations(rng: np.random.Generator, orders: np.ndarray) -> np.ndarray:
    """Invert a segment, move a short one, or swap two entries of each order.

    Parameters
    ----------
    rng : numpy.random.Generator
    orders : (n, c) array
        Snapped columns of a permutation block.

    Returns
    -------
    (n, c) array
    """
    n, c = orders.shape
    kind = rng.random((n,))
    take = np.tile(np.arange(c), (n, 1))
    invert, move = kind < INVERSION, (kind >= INVERSION) & (kind < INVERSION + OR_OPT)
    swap = kind >= INVERSION + OR_OPT
    take[invert] = _inversion(rng, int(invert.sum()), c)
    take[move] = _or_opt(rng, int(move.sum()), c)
    take[swap] = _swap(rng, int(swap.sum()), c)
    return np.take_along_axis(orders, take, axis=1)


def _inversion(rng: np.random.Generator, n: int, c: int) -> np.ndarray:
    """(n, c) index arrays that reverse a segment; half of the segments are short."""
    length = np.where(rng.random(n) < 0.5, rng.random(n) ** 3, rng.random(n)) * (c - 1)
    length = 2 + np.minimum(length.astype(np.int64), c - 2)
    start = rng.integers(c - length + 1)[:, None]
    stop = start + length[:, None]
    position = np.arange(c)
    inside = (position >= start) & (position < stop)
    return np.where(inside, start + stop - 1 - position, position)


def _or_opt(rng: np.random.Generator, n: int, c: int) -> np.ndarray:
    """(n, c) index arrays that move 1 to 3 neighbours elsewhere, half of the time reversed."""
    length = rng.integers(1, min(3, c - 1) + 1, size=n)[:, None]
    start = rng.integers(c - length + 1)
    target = rng.integers(c - length)
    gap = np.where(target >= start, target + length, target - 1) + 0.5
    position = np.arange(c)
    inside = (position >= start) & (position < start + length)
    within = (position - start + 1.0) / (length + 2)
    backward = rng.random((n, 1)) < 0.5
    key = np.where(inside, gap + np.where(backward, 1 - within, within) / 4, position)
    return key.argsort(axis=1)


def _swap(rng: np.random.Generator, n: int, c: int) -> np.ndarray:
    """(n, c) index arrays that exchange two entries."""
    one = rng.integers(c, size=n)
    two = (one + rng.integers(1, c, size=n)) % c
    take = np.tile(np.arange(c), (n, 1))
    row = np.arange(n)
    take[row, one], take[row, two] = two, one
    return take


def mate_subsets(
    rng: np.random.Generator, one: np.ndarray, two: np.ndarray, block: SubsetBlock
) -> np.ndarray:
    """Mix the bits of two subsets, at the size of one of them, at times one more or less.

    Parameters
    ----------
    rng : numpy.random.Generator
    one, two : (n, c) arrays
        Snapped columns of a subset block.
    block : SubsetBlock

    Returns
    -------
    (n, c) array
    """
    n, c = one.shape
    mixed = np.where(rng.random((n, c)) < 0.5, one, two)
    size = (np.where(rng.random((n, 1)) < 0.5, one, two) > 0.5).sum(axis=1)
    size += np.where(rng.random(n) < 0.2, rng.integers(2, size=n) * 2 - 1, 0)
    return _largest(rng, mixed, np.clip(size, block.min_size, block.max_size))


def change_subsets(rng: np.random.Generator, bits: np.ndarray, block: SubsetBlock) -> np.ndarray:
    """Swap an item in and one out, add one or drop one; several at once are rarer.

    Parameters
    ----------
    rng : numpy.random.Generator
    bits : (n, c) array
        Snapped columns of a subset block.
    block : SubsetBlock

    Returns
    -------
    (n, c) array
    """
    n, c = bits.shape
    held = bits > 0.5
    kind = rng.random(n)
    steps = rng.geometric(0.5, size=n)
    enter = np.where(kind < SWAP_IN_OUT + ADD, steps, 0)
    leave = np.where((kind < SWAP_IN_OUT) | (kind >= SWAP_IN_OUT + ADD), steps, 0)
    size = held.sum(axis=1)
    target = np.clip(size + enter - leave, block.min_size, block.max_size)
    leave = np.minimum(np.maximum(leave, size + np.minimum(enter, c - size) - target), size)
    order = np.where(held, rng.random((n, c)), 2.0).argsort(axis=1)
    leaving = np.zeros((n, c), bool)
    np.put_along_axis(leaving, order, np.arange(c) < leave[:, None], axis=1)
    stay = held & ~leaving
    preferred = np.where(stay, 0.75, np.where(leaving, 0.0, 0.25))
    return _largest(rng, preferred, target)


def _largest(rng: np.random.Generator, preferred: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(n, c) bits with the `size` most preferred items set, ties at random."""
    noise = preferred + 0.1 * rng.random(preferred.shape)
    rank = (-noise).argsort(axis=1).argsort(axis=1)
    return np.where(rank < size[:, None], 0.75, 0.25)
