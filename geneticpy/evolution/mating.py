"""Two parents or more to one child; rows of genes in, rows of genes out."""

from __future__ import annotations

import numpy as np

from geneticpy.evolution.blocks import mate_permutations, mate_subsets
from geneticpy.genome import Genome


def half_and_half(
    rng: np.random.Generator, one: np.ndarray, two: np.ndarray, genome: Genome
) -> np.ndarray:
    """Take each gene from either parent with probability 1/2.

    Orders and subsets are crossed as wholes: by order crossover, and bit by bit at the size of
    one of the parents.

    Parameters
    ----------
    rng : numpy.random.Generator
    one, two : (n, d) arrays
    genome : Genome

    Returns
    -------
    (n, d) array
    """
    child = pick(rng.random(one.shape, np.float32) < 0.5, one, two)
    for order in genome.permutations:
        at = slice(order.start, order.stop)
        child[:, at] = mate_permutations(rng, one[:, at], two[:, at])
    for subset in genome.subsets:
        at = slice(subset.start, subset.stop)
        child[:, at] = mate_subsets(rng, one[:, at], two[:, at], subset)
    return child


def pick(mask: np.ndarray, one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """``np.where(mask, one, two)`` of floats, by their bits: a random mask defeats branches."""
    first = np.ascontiguousarray(one, float).view(np.int64)
    second = np.ascontiguousarray(two, float).view(np.int64)
    return (second ^ ((first ^ second) & -mask.astype(np.int64))).view(float)


def difference(
    rng: np.random.Generator,
    base: np.ndarray,
    best: np.ndarray,
    plus: np.ndarray,
    minus: np.ndarray,
    blended: np.ndarray,
) -> np.ndarray:
    """Move towards a good row and along the difference of two others (current-to-pbest/1).

    Parameters
    ----------
    rng : numpy.random.Generator
    base, best, plus, minus : (n, d) arrays
    blended : (n, d) or (d,) mask
        Genes that may change: the active numbers.

    Returns
    -------
    (n, d) array
        In [0, 1]: what would leave goes midway between the base and the bound.

    References
    ----------
    .. [1] Zhang & Sanderson, "JADE: adaptive differential evolution with optional external
       archive", IEEE Trans. Evolutionary Computation 13(5), 2009.
    """
    n, d = base.shape
    f = np.minimum(np.maximum(0.7 + 0.1 * rng.standard_cauchy((n, 1)), 0.1), 1.0)
    rate = np.where(rng.random((n, 1)) < 0.5, 0.2, 0.9) + 0.1 * rng.standard_normal((n, 1))
    trial = base + f * (best - base + plus - minus)
    if trial.min(initial=0.0) < 0 or trial.max(initial=1.0) > 1:
        trial = np.where(trial < 0, base / 2, np.where(trial > 1, (base + 1) / 2, trial))
    draw = rng.random((n, d), np.float32)
    if not blended.all():
        draw[np.broadcast_to(~blended, draw.shape)] = 2.0
    taken = draw < rate
    taken[np.arange(n), draw.argmin(axis=1)] = True  # at least one gene
    return np.where(taken & blended, trial, base)
