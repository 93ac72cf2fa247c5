"""Who becomes a parent, and who survives."""

from __future__ import annotations

import numpy as np

from geneticpy.evolution.species import rank_within

ARM_QUOTA = 4  # places kept for the best of each option of a root choice (ALGORITHM 7b)


def uniform(rng: np.random.Generator, loss: np.ndarray, n: int) -> np.ndarray:
    """Pick `n` parents, every row equally likely: truncation by the survivors is the pressure.

    Parameters
    ----------
    rng : numpy.random.Generator
    loss : (m,) array
        Sorted, best first.
    n : int

    Returns
    -------
    (n,) array of int
        Rows, repeats allowed.
    """
    return (rng.random(n) * len(loss)).astype(np.int64)


def tournament(rng: np.random.Generator, loss: np.ndarray, n: int, size: int = 2) -> np.ndarray:
    """Pick `n` parents, each the best of `size` drawn with replacement.

    Parameters
    ----------
    rng : numpy.random.Generator
    loss : (m,) array
        Sorted, best first, so that the smallest row number wins.
    n : int
    size : int, default 2
        Rivals per tournament; 1 is a uniform choice, larger is greedier.

    Returns
    -------
    (n,) array of int
        Rows, repeats allowed.

    References
    ----------
    .. [1] Goldberg & Deb, "A comparative analysis of selection schemes used in genetic
       algorithms", FOGA 1991.

    Examples
    --------
    >>> tournament(np.random.default_rng(0), np.array([0.1, 0.5, 2.0]), n=4, size=50).tolist()
    [0, 0, 0, 0]
    """
    return rng.integers(len(loss), size=(n, size)).min(axis=1)


def contenders(loss: np.ndarray, best: np.ndarray, mu: int) -> np.ndarray:
    """(n,) mask of the rows that may be among the `mu` best, next to losses `best` in order."""
    return loss <= best[-1] if len(best) >= mu else loss < np.inf


def survivors(
    loss: np.ndarray, species: np.ndarray, arms: list[np.ndarray], mu: int, cap: int
) -> np.ndarray:
    """Truncate to `mu` rows, with a niche for every species, and a place for every arm on top.

    Parameters
    ----------
    loss : (m,) array
        Younger rows first, so that they win ties.
    species : (m,) array
        Labels; at most `cap` rows of one stay, unless there is only one.
    arms : list of (m,) arrays
        Levels of root choices and lists: the best `ARM_QUOTA` rows of each level stay, up to
        1.5 `mu` rows in all.
    mu, cap : int

    Returns
    -------
    array of int
        Rows, best first.
    """
    order = loss.argsort(kind="stable")
    if not arms:
        return order[:mu]
    several = (species != species[0]).any()
    allowed = rank_within(species[order]) < cap if several else np.ones(len(order), bool)
    first = allowed & (np.cumsum(allowed) <= mu)
    quota = np.zeros(len(order), bool)
    for arm in arms:
        quota |= rank_within(arm[order]) < ARM_QUOTA
    quota &= np.cumsum(quota) <= mu + mu // 2
    return order[first | quota]
