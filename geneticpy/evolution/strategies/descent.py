"""One run of covariance matrix adaptation, in portions, screened by a regression.

The evaluations of a generation are spent on its best predicted samples, until the ranks of
predictions and losses agree; the others keep their predictions: lq-CMA-ES (Hansen, "A global
surrogate assisted CMA-ES", GECCO 2019). Constants as in its implementation in pycma.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from geneticpy.evolution.models.ranks import kendall_tau
from geneticpy.evolution.models.regression import (
    Frame,
    Regression,
    affordable,
    sizes,
)
from geneticpy.evolution.strategies.convergence import Progress
from geneticpy.evolution.strategies.covariance import Covariance, fold
from geneticpy.genome import Genome

TRUSTED = 0.85  # rank correlation from which predictions replace evaluations
FEWEST_COMPARED, COMPARED, MOST_COMPARED = 15, 1.2, 0.75  # evaluations compared, of those made
LEAST_SHARE = 0.02  # of a generation that is evaluated, beside one
UP, DOWN, TWICE_DOWN = 0.25, 0.25, 0.5  # changes of the share that is evaluated unconditionally
REFIT = 40  # a model is fitted again when one new evaluation in so many coefficients is told
POOL = 12  # samples for each row of a portion, while predictions are trusted: measured on BBOB
LARGEST_POOL = 1000
KEPT, KEPT_GENERATIONS = 2, 3  # evaluations kept: times the coefficients, times the samples


class Descent:
    """A run from one starting point until it converges.

    Parameters
    ----------
    rng : numpy.random.Generator
    genome : Genome
    settle : callable
        ``settle(genes) -> (n, d)`` rows as they will be evaluated.
    mean : (d,) array
    sigma : float
    size : int
        Samples of a generation, at least.
    screened : bool
        Whether a regression saves evaluations.
    legal : callable, optional
        ``legal(genes) -> (n,) mask`` of the rows that may be evaluated.

    Attributes
    ----------
    finished : bool
        Whether another run should take over.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        genome: Genome,
        settle: Callable[[np.ndarray], np.ndarray],
        mean: np.ndarray,
        sigma: float,
        size: int,
        screened: bool,
        legal: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        self._rng, self._settle, self._legal = rng, settle, legal
        self._size, self._d = size, genome.d
        self._covariance = Covariance(genome, mean, sigma)
        self._progress = Progress(genome.d, size)
        self._screen = Screen(genome.d, size) if screened else None
        self._first = 0  # number of the first sample of this generation
        self._portion = 1
        self.finished = False
        self._begin()

    @property
    def _pool(self) -> int:
        """Samples that a generation consists of: many while most need no evaluation."""
        trusted = self._screen is not None and self._screen.agrees
        return max(self._size, min(POOL * self._portion, LARGEST_POOL)) if trusted else self._size

    def _begin(self) -> None:
        """Start a generation: with the optimum of the model, if there is one."""
        self._x = np.empty((0, self._d))
        self._genes = np.empty((0, self._d))
        self._asked = np.zeros(0, bool)
        self._loss = np.zeros(0)  # NaN until told
        if self._screen is not None:
            optimum = self._screen.optimum()
            if optimum is not None:
                self._offer(optimum[None], optimum[None].copy())
            self._draw(self._pool - len(self._x))

    def _draw(self, n: int) -> None:
        x = self._covariance.sample(self._rng, n)
        self._offer(x, fold(x))

    def _offer(self, x: np.ndarray, genes: np.ndarray) -> None:
        """Add samples, as far as they are allowed: predictions shall not lead elsewhere."""
        genes = self._settle(genes)
        legal = slice(None) if self._legal is None else self._legal(genes)
        self._append(x[legal], genes[legal])

    def _append(self, x: np.ndarray, genes: np.ndarray) -> None:
        self._x = np.concatenate([self._x, x])
        self._genes = np.concatenate([self._genes, genes])
        self._asked = np.append(self._asked, np.zeros(len(x), bool))
        self._loss = np.append(self._loss, np.full(len(x), np.nan))

    def propose(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Take `n` samples that were not taken before, the best predicted first.

        Fewer if many are not allowed.

        Returns
        -------
        genes : (n, d) array
            Settled.
        tickets : (n,) array of int
        """
        self._portion = n
        waiting = np.flatnonzero(~self._asked)
        if len(waiting) < n:
            self._draw(n - len(waiting))
            waiting = np.flatnonzero(~self._asked)
        elif self._screen is not None:
            waiting = waiting[self._screen.order(self._genes[waiting])]
        chosen = waiting[:n]
        self._asked[chosen] = True
        return self._genes[chosen], chosen + self._first

    def learn(self, tickets: np.ndarray, genes: np.ndarray, loss: np.ndarray) -> None:
        """Learn from samples, in any order; those of earlier generations join this one.

        Parameters
        ----------
        tickets : (n,) array of int
            -1 for points from elsewhere.
        genes : (n, d) array
            Settled.
        loss : (n,) array
            Infinite where it failed.
        """
        index = tickets - self._first
        own = index >= 0
        self._loss[index[own]] = loss[own]
        if not own.all():
            self._append(genes[~own], genes[~own])
            self._asked[-(~own).sum() :] = True
            self._loss[-(~own).sum() :] = loss[~own]
        if self._screen is not None:
            self._screen.add(genes, loss)
        self._advance()

    def prepare(self, genes: np.ndarray, loss: np.ndarray) -> None:
        """Begin with a regression on points from elsewhere."""
        if self._screen is not None:
            self._screen.add(genes, loss)
            self._screen.fit(self._covariance.frame)
            self._begin()

    def remember(self, genes: np.ndarray, loss: np.ndarray) -> None:
        """Let the regression know points from elsewhere, without a step towards them."""
        if self._screen is not None:
            self._screen.add(genes, loss)

    def _advance(self) -> None:
        """End the generation if enough of it was told."""
        told = ~np.isnan(self._loss)
        count = int(told.sum())
        if self._screen is None:
            if count >= self._size:
                self._finish(told)
            return
        if count >= min(self._screen.wanted, self._size):
            self._screen.fit(self._covariance.frame)
            if self._screen.trusted(count):
                self._finish(told)

    def _finish(self, told: np.ndarray) -> None:
        """Learn the ranks of the losses, and of predictions where there is none."""
        self._progress.add(self._loss[told])
        used, values = self._values(told)
        failed = False
        if len(used) > 1 and np.isfinite(values).any():
            try:
                self._covariance.update(self._x[used[values.argsort(kind="stable")]])
            except np.linalg.LinAlgError:
                failed = True
        self.finished = failed or self._covariance.exhausted or self._progress.stopped
        self._first += len(self._x)
        self._begin()

    def _values(self, told: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the samples that count, and values that rank them.

        Samples that were asked for and not told are left out: they may be lost.
        """
        if self._screen is None or not self._screen.agrees:
            used = np.flatnonzero(told)
            return used, self._loss[used]
        self._draw(max(0, self._pool - int((told | ~self._asked).sum())))
        used = np.flatnonzero(~np.isnan(self._loss) | ~self._asked)
        return used, self._screen.complete(self._genes[used], self._loss[used])


class Screen:
    """Decides how many samples of a generation are evaluated, and predicts the others.

    Parameters
    ----------
    d : int
        Genes.
    size : int
        Samples of a generation.
    """

    def __init__(self, d: int, size: int):
        self._d, self._size = d, size
        self._most = max(KEPT * max(sizes(d), default=0), KEPT_GENERATIONS * size)
        self._genes, self._loss = np.empty((0, d)), np.empty(0)
        self._model: Regression | None = None
        self._new = 0  # evaluations since the model was fitted
        self._share = 0.0
        self.agrees = False
        self._restart()

    def _restart(self) -> None:
        least = max(1 + LEAST_SHARE * self._size, self._share * self._size)
        self.wanted = int(least)

    def add(self, genes: np.ndarray, loss: np.ndarray) -> None:
        """Keep evaluated rows, the latest of them; those that are kept already are not new."""
        kept = {row.tobytes() for row in self._genes}
        new = np.array([row.tobytes() not in kept for row in genes], bool)
        genes, loss = genes[new], loss[new]
        self._genes = np.concatenate([self._genes, genes])[-self._most :]
        self._loss = np.append(self._loss, loss)[-self._most :]
        self._new += len(loss)

    def fit(self, frame: Frame) -> None:
        """Fit the largest model that the evaluations allow, if enough of them are new."""
        p = affordable(self._d, len(self._loss))
        if not p or not np.isfinite(self._loss).any():
            self._model = None
        elif self._model is None or self._new >= max(1, p / REFIT):
            try:
                self._model = Regression(frame, self._genes, self._loss, p)
            except np.linalg.LinAlgError:
                self._model = None
            self._new = 0

    def order(self, genes: np.ndarray) -> np.ndarray:
        """Numbers of the rows, best predicted first."""
        if self._model is None:
            return np.arange(len(genes))
        return self._model.predict(genes).argsort(kind="stable")

    def optimum(self) -> np.ndarray | None:
        """(d,) minimum of the model."""
        return None if self._model is None else self._model.optimum()

    def trusted(self, told: int) -> bool:
        """Whether a generation can end of which so many are told; if not, more are wanted."""
        complete = told >= self._size
        agree = self.agrees = self._model is not None and self._tau(told) >= TRUSTED
        if not complete and not agree:
            while self.wanted <= told:
                self.wanted += math.ceil(self.wanted / 2)
            return False
        change = -DOWN if not complete else -TWICE_DOWN if agree else UP
        self._share = min(max(self._share + change, 0.0), 1.0)
        self._restart()
        return True

    def _tau(self, told: int) -> float:
        """Rank correlation of predictions and losses of the latest evaluations."""
        n = int(max(FEWEST_COMPARED, min(COMPARED * told, MOST_COMPARED * self._size)))
        assert self._model is not None
        return kendall_tau(self._loss[-n:], self._model.predict(self._genes[-n:]))

    def complete(self, genes: np.ndarray, loss: np.ndarray) -> np.ndarray:
        """Losses (n,) in the model's scale, with predictions where they are NaN.

        The best prediction is put at the best loss.
        """
        assert self._model is not None
        told = ~np.isnan(loss)
        truth = self._model.scale(loss[told])
        predicted = self._model.predict(genes)
        values = predicted - predicted.min() + truth.min()
        values[told] = truth
        return values
