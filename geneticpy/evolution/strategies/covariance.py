"""Covariance matrix adaptation: a normal distribution that learns steps that were successful.

Numbers in parentheses are equations of Hansen, "The CMA evolution strategy: a tutorial",
arXiv:1604.00772v2; letters are those of the tutorial.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from geneticpy.evolution.models.regression import Frame
from geneticpy.genome import Genome

LARGEST_FULL = 100  # genes up to which the whole matrix is learned, and its diagonal beyond
LARGEST_STEP = 2.0  # standard deviation of a gene: folded, this is uniform
LEAST_STEP = 0.2  # levels: lower bound of the standard deviation (Marty et al. 2024, section 3)
WIDE = 0.2  # standard deviation of a gene whose samples are learned where they are evaluated
WORST_CONDITION = 1e14
SHORTEST_AXIS = 1e-12


def fold(x: np.ndarray) -> np.ndarray:
    """Mirror the real line into [0, 1]: continuous, of period 2."""
    return np.asarray(np.abs((x + 1.0) % 2.0 - 1.0))


@dataclass(frozen=True)
class Constants:
    """Weights and learning rates for a number of samples and of genes (tutorial, table 1)."""

    weights: np.ndarray  # (n,), (49) to (53); the first mu are positive
    mu: int
    mu_eff: float
    c_sigma: float
    d_sigma: float
    c_c: float
    c_1: float
    c_mu: float


@lru_cache(maxsize=256)
def constants(n: int, d: int, diagonal: bool) -> Constants:
    """Compute the constants of a generation of `n` samples of `d` genes."""
    raw = np.log((n + 1) / 2) - np.log(np.arange(1, n + 1))  # (49)
    mu = max(n // 2, 1)
    mu_eff, mu_eff_minus = (
        float(part.sum() ** 2 / max((part**2).sum(), 1e-300)) for part in (raw[:mu], raw[mu:])
    )
    c_sigma = (mu_eff + 2) / (d + mu_eff + 5)  # (55)
    c_c = (4 + mu_eff / d) / (d + 4 + 2 * mu_eff / d)  # (56)
    gain = (d + 2) / 3 if diagonal else 1.0  # Ros & Hansen, PPSN 2008
    c_1 = min(0.5, gain * 2 / ((d + 1.3) ** 2 + mu_eff))  # (57)
    c_mu = gain * 2 * (0.25 + mu_eff + 1 / mu_eff - 2) / ((d + 2) ** 2 + mu_eff)  # (58)
    c_mu = min(1 - c_1, c_mu)
    limits = (  # (50) to (52)
        1 + c_1 / c_mu,
        1 + 2 * mu_eff_minus / (mu_eff + 2),
        (1 - c_1 - c_mu) / (d * c_mu),
    )
    weights = np.where(
        raw >= 0, raw / raw[:mu].sum(), raw * min(limits) / max(-raw[mu:].sum(), 1e-300)
    )  # (53)
    d_sigma = 1 + 2 * max(0.0, np.sqrt((mu_eff - 1) / (d + 1)) - 1) + c_sigma  # (55)
    return Constants(weights, mu, mu_eff, c_sigma, float(d_sigma), c_c, c_1, c_mu)


class Matrix(Protocol):
    """A covariance matrix C and its roots."""

    deviations: np.ndarray  # (d,) roots of the diagonal
    axes: np.ndarray  # (d,) roots of the eigenvalues

    def colour(self, z: np.ndarray) -> np.ndarray:
        """Multiply rows by the root of C, as it was when last decomposed."""

    def whiten(self, y: np.ndarray) -> np.ndarray:
        """Multiply rows by the inverse of that root."""

    def learn(self, keep: float, weights: np.ndarray, steps: np.ndarray) -> None:
        """Keep a part of C and add weighted outer products of steps, (n, d)."""

    def decompose(self, least: np.ndarray) -> None:
        """Compute the roots, after raising the diagonal to the squares of `least` (d,)."""

    def flip(self, sign: np.ndarray) -> None:
        """Mirror some genes: those with sign -1."""


class Full:
    """A matrix with all its entries; its roots are symmetric."""

    def __init__(self, d: int):
        self._c = np.eye(d)
        self.decompose(np.zeros(d))

    def colour(self, z: np.ndarray) -> np.ndarray:
        return np.asarray(z @ self._root)

    def whiten(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(y @ self._inverse)

    def learn(self, keep: float, weights: np.ndarray, steps: np.ndarray) -> None:
        self._c *= keep
        self._c += (steps.T * weights) @ steps

    def decompose(self, least: np.ndarray) -> None:
        diagonal = self._c.flat[:: len(least) + 1]
        self._c.flat[:: len(least) + 1] = np.maximum(diagonal, least * least)
        values, vectors = np.linalg.eigh(self._c)
        self.axes = np.sqrt(np.maximum(values, values[-1] / (10 * WORST_CONDITION)))
        self._root = (vectors * self.axes) @ vectors.T
        self._inverse = (vectors / self.axes) @ vectors.T
        self.deviations = np.sqrt(np.maximum(self._c.flat[:: len(least) + 1], 0.0))

    def flip(self, sign: np.ndarray) -> None:
        both = sign[:, None] * sign
        self._c *= both
        self._root = self._root * both
        self._inverse = self._inverse * both


class Diagonal:
    """A matrix without covariances, for many genes (Ros & Hansen, PPSN 2008)."""

    def __init__(self, d: int):
        self._c = self.deviations = self.axes = np.ones(d)

    def colour(self, z: np.ndarray) -> np.ndarray:
        return z * self.axes

    def whiten(self, y: np.ndarray) -> np.ndarray:
        return y / self.axes

    def learn(self, keep: float, weights: np.ndarray, steps: np.ndarray) -> None:
        self._c = keep * self._c + weights @ (steps * steps)

    def decompose(self, least: np.ndarray) -> None:
        floor = np.maximum(least * least, self._c.max() / (10 * WORST_CONDITION))
        self._c = np.maximum(self._c, floor)
        self.deviations = self.axes = np.sqrt(self._c)

    def flip(self, sign: np.ndarray) -> None:
        pass


class Covariance:
    """The state of one run: what `sample` draws from and what `update` learns.

    Samples lie anywhere in R^d and are evaluated where they are folded into the unit cube. While
    a gene varies as widely as the cube they are also learned there: sigma would grow at random.
    Later they are learned where they were drawn: the distribution may lie across a bound.

    Parameters
    ----------
    genome : Genome
        All of whose genes are numbers.
    mean : (d,) array
    sigma : float

    References
    ----------
    .. [1] Hansen, arXiv:1604.00772.
    .. [2] Marty et al., "LB+IC-CMA-ES: two simple modifications of CMA-ES to handle mixed-integer
       problems", PPSN 2024.
    .. [3] Hansen, "Injecting external solutions into CMA-ES", arXiv:1110.4181.
    """

    def __init__(self, genome: Genome, mean: np.ndarray, sigma: float):
        d = genome.d
        self._genome, self._d = genome, d
        self._step = np.where(genome.k > 0, 1.0 / np.maximum(genome.k, 1), 0.0)
        self.mean, self.sigma = mean.copy(), sigma
        self.matrix: Matrix = Full(d) if d <= LARGEST_FULL else Diagonal(d)
        self._p_sigma, self._p_c = np.zeros(d), np.zeros(d)
        self._generation = self._decomposed = 0
        self._chi = np.sqrt(d) * (1 - 1 / (4 * d) + 1 / (21 * d * d))  # E||N(0, I)||, page 28
        self._longest = np.sqrt(d) + 2 * d / (d + 2)  # of an injected step ([3])

    @property
    def frame(self) -> Frame:
        """Coordinates of this distribution; later updates do not change them."""
        matrix = copy(self.matrix)
        return Frame(self.mean.copy(), self.sigma, matrix.whiten, matrix.colour)

    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw rows ~ N(m, sigma^2 C), (n, d), not folded."""
        z = rng.standard_normal((n, self._d))
        return np.asarray(self.mean + self.sigma * self.matrix.colour(z))

    @property
    def exhausted(self) -> bool:
        """Whether the distribution is too small, too long, or no longer one."""
        axes = self.sigma * self.matrix.axes
        longest, shortest = float(axes.max()), float(axes.min())
        sane = np.isfinite(longest) and bool(np.isfinite(self.mean).all())
        return not sane or longest < SHORTEST_AXIS or ((longest / shortest) ** 2 > WORST_CONDITION)

    def update(self, x: np.ndarray) -> None:
        """Learn from samples (n, d), n > 1, sorted best first.

        Raises
        ------
        numpy.linalg.LinAlgError
            If the eigenvectors are not found.
        """
        matrix, c = self.matrix, constants(len(x), self._d, isinstance(self.matrix, Diagonal))
        if len(self._genome.stepped):
            x = self._centred(x, c.mu)
        wide = self.sigma * matrix.deviations > WIDE
        if wide.any():
            x = np.where(wide, fold(x), x)
        y = (x - self.mean) / self.sigma
        length = np.linalg.norm(matrix.whiten(y), axis=1)
        y *= np.minimum(1.0, self._longest / np.maximum(length, 1e-300))[:, None]
        length = np.minimum(length, self._longest)
        step = c.weights[: c.mu] @ y[: c.mu]  # (41)
        self._generation += 1
        self._accumulate(step, c)
        aware = np.where(  # (46)
            c.weights >= 0, c.weights, c.weights * self._d / np.maximum(length**2, 1e-12)
        )
        stalled = 0.0 if self._moving(c) else c.c_c * (2 - c.c_c)
        keep = 1 + c.c_1 * stalled - c.c_1 - c.c_mu * float(c.weights.sum())
        weights = np.append(c.c_mu * aware, c.c_1)
        matrix.learn(keep, weights, np.concatenate([y, self._p_c[None]]))  # (47)
        self.mean = self.mean + self.sigma * step  # (42)
        growth = c.c_sigma / c.d_sigma * (np.linalg.norm(self._p_sigma) / self._chi - 1)
        self.sigma *= float(np.exp(min(1.0, growth)))  # (44)
        self._decompose(c)
        self._fold_mean()

    def _accumulate(self, step: np.ndarray, c: Constants) -> None:
        """Let the evolution paths follow a step of the mean."""
        self._p_sigma *= 1 - c.c_sigma  # (43)
        self._p_sigma += np.sqrt(c.c_sigma * (2 - c.c_sigma) * c.mu_eff) * self.matrix.whiten(step)
        self._p_c *= 1 - c.c_c  # (45)
        if self._moving(c):
            self._p_c += np.sqrt(c.c_c * (2 - c.c_c) * c.mu_eff) * step

    def _moving(self, c: Constants) -> bool:
        """h_sigma: whether the path is not so long that sigma should grow first (page 28)."""
        settled = 1 - (1 - c.c_sigma) ** (2 * self._generation)
        limit = (1.4 + 2 / (self._d + 1)) * self._chi
        return bool(np.linalg.norm(self._p_sigma) / np.sqrt(settled) < limit)

    def _decompose(self, c: Constants) -> None:
        """Compute the roots of C at times, with the bounds of the standard deviations."""
        if self._generation - self._decomposed < 1 / (10 * self._d * (c.c_1 + c.c_mu)):
            return
        self._decomposed = self._generation
        self.matrix.decompose(self._step * (min(LEAST_STEP, c.mu_eff / self._d) / self.sigma))
        self.sigma = min(self.sigma, LARGEST_STEP / float(self.matrix.deviations.max()))

    def _fold_mean(self) -> None:
        """Move the mean into the cube, and mirror what was learned where that turns it round."""
        turned = np.floor(self.mean) % 2 == 1
        if turned.any():
            sign = np.where(turned, -1.0, 1.0)
            self._p_sigma *= sign
            self._p_c *= sign
            self.matrix.flip(sign)
        self.mean = fold(self.mean)

    def _centred(self, x: np.ndarray, mu: int) -> np.ndarray:
        """Move the better half's stepped genes that left the mean's level to the centre of theirs.

        The bias is corrected on the rows that stayed, at most to the centre ([2]).
        """
        genome, columns = self._genome, self._genome.stepped
        x[:, columns] = fold(x[:, columns])
        better = x[:mu, columns]
        level = genome.level(better, columns)
        home = genome.level(self.mean[columns], columns)
        gap = genome.centre(level, columns) - better
        left = level != home
        bias = np.where(left, gap, 0.0).sum(axis=0)
        against = np.where(~left & (gap * bias < 0), gap, 0.0)
        room = np.abs(against.sum(axis=0))
        share = np.minimum(1.0, np.abs(bias) / np.maximum(room, 1e-300))
        x[:mu, columns] = better + np.where(left, gap, share * against)
        return x
