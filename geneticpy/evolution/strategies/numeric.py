"""Strategy "numeric": learned steps, for genomes of which all genes are numbers.

A covariance run first; when it has converged, or has had its share of the budget, L-SHADE and
larger covariance runs from random points take turns: ALGORITHM.md section 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import numpy as np

from geneticpy.evolution.breeding import Operators
from geneticpy.evolution.models.threads import one_thread
from geneticpy.evolution.population import Brood, Population
from geneticpy.evolution.strategies.descent import Descent
from geneticpy.evolution.strategies.errands import Arm, Errands
from geneticpy.evolution.strategies.success_history import SuccessHistory
from geneticpy.genome import Genome, rounded

SCREENED_BUDGET = 20_000  # evaluations up to which a regression screens (ALGORITHM 5)
SIGMA, SIGMA_AFTER = 0.25, 0.1  # at the start, and around the best point of a prelude
FEWEST_SAMPLES = 20  # of a generation with a larger budget
SMALL = 200_000  # multiplications of a product of matrices that BLAS does in one thread anyway
LARGER = 4  # times the samples in the runs that start again (Hansen, BIPOP, GECCO 2009)
ALONE, ALONE_PER_GENE = 0.35, 300  # evaluations of the first run before others take turns
FIRST_SHARE = 0.3  # of the turns, while it has not converged
MEMBERS, MEMBERS_PER_GENE, MEMBERS_AT_LEAST = 20, 5, 100  # of L-SHADE; the last if not screened
GENERATIONS = 20  # that L-SHADE has at least
ATTEMPTS = 20  # rounds of samples that may all be known before random rows are proposed
LEAST_LOSS = -np.finfo(float).max  # arithmetic needs a bottom


@dataclass
class Turn:
    """An arm that takes a share of the evaluations.

    Attributes
    ----------
    make : callable or None
        Makes the next arm when this one is finished; with None the turn ends.
    arm : Arm
    share : float
    spent : int
        Rows proposed.
    """

    make: Callable[[Numeric], Arm] | None
    arm: Arm
    share: float
    spent: int = 0


class Numeric:
    """Covariance matrix adaptation, with regressions while they pay, and L-SHADE.

    Parameters
    ----------
    rng : numpy.random.Generator
    genome : Genome
        Flat, all of its genes numbers.
    budget : int
        Evaluations of the whole run.
    operators : Operators
        Without functions of the user.
    legal : callable, optional
        ``legal(genes) -> (n,) mask`` of the rows that may be evaluated.

    Notes
    -----
    Rows are recognized by their keys when they come back. Rows from elsewhere that come before
    the first proposal decide where to start; later ones are known to the regression, and are
    learned as samples if they are the best so far.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        genome: Genome,
        budget: int,
        operators: Operators | None = None,
        legal: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        self._rng, self._genome, self._budget, self._legal = rng, genome, budget, legal
        self._operators = operators or Operators()
        self._settle = partial(settle, genome)  # no method of this object: it shall die at once
        self._screened = budget <= SCREENED_BUDGET
        self._samples = 4 + int(3 * math.log(genome.d))
        if not self._screened:
            self._samples = max(self._samples, FEWEST_SAMPLES)
        self._errands = Errands(genome.keys)
        self._best = math.inf
        self._main = self._descent(np.full(genome.d, 0.5), SIGMA, self._samples)
        self._turns = [Turn(None, self._main, 1.0)]
        self._alone = True

    def propose(self, n: int) -> Brood:
        """Make `n` rows."""
        wanted = self._operators.immigrants
        fresh = self._rng.binomial(n, wanted) if wanted else 0
        found = self._searched(n - fresh)
        missing = n - sum(map(len, found))
        if missing:
            found.append(self._genome.sample(self._rng, missing))
        return Brood.orphans(np.concatenate(found) if len(found) > 1 else found[0])

    def _searched(self, n: int) -> list[np.ndarray]:
        """Ask the arms for new rows, up to `n` in all."""
        found: list[np.ndarray] = []
        with self._threads(n):
            for _ in range(ATTEMPTS):
                if n <= 0:
                    break
                found.append(self._ask(self._next(), n))
                n -= len(found[-1])
        return found

    def update(self, rows: Population) -> None:
        """Learn from evaluated rows.

        Parameters
        ----------
        rows : Population
            In the order of their ids; failed ones have an infinite loss.
        """
        rows.loss = np.maximum(rows.loss, LEAST_LOSS)
        with self._threads(len(rows)):
            first = not self._errands.begun
            foreign = self._errands.receive(rows.genes, rows.loss)
            if first:
                self._start_at(rows.genes, rows.loss)
            elif foreign.any():
                self._take_notice(rows.genes[foreign], rows.loss[foreign])
        self._best = min(self._best, rows.loss.min(initial=math.inf))

    def _threads(self, n: int) -> AbstractContextManager[None]:
        """Limit the threads of BLAS where it may take several for a portion of `n` rows."""
        rows = max(n, LARGER * self._samples)
        small = not self._screened and rows * self._genome.d**2 <= SMALL
        return nullcontext() if small else one_thread()

    def _start_at(self, genes: np.ndarray, loss: np.ndarray) -> None:
        """Begin at the best of rows that were told before anything was proposed."""
        if np.isfinite(loss).any():
            self._main = self._descent(genes[loss.argmin()], SIGMA_AFTER, self._samples)
            self._main.prepare(genes, loss)
            self._turns[0].arm = self._main

    def _take_notice(self, genes: np.ndarray, loss: np.ndarray) -> None:
        """Learn from rows that no arm asked for: a step towards the best of all, if it is."""
        best = np.arange(len(loss)) == loss.argmin()
        best &= loss < self._best
        self._main.remember(genes[~best], loss[~best])
        if best.any():
            self._main.learn(np.array([-1]), genes[best], loss[best])

    def _ask(self, turn: Turn, n: int) -> np.ndarray:
        """Rows of an arm that are not known, up to `n`."""
        new = self._errands.send(turn.arm, *turn.arm.propose(n))
        turn.spent += len(new)
        return new

    def _next(self) -> Turn:
        """Choose the arm that is farthest behind its share of the evaluations."""
        if self._alone and (self._main.finished or self._errands.told >= self._first_share):
            self._open()
        for turn in list(self._turns):
            if turn.arm.finished and turn.make is None:
                self._turns.remove(turn)
            elif turn.arm.finished and turn.make is not None:
                turn.arm = turn.make(self)
        return min(self._turns, key=lambda turn: turn.spent / turn.share)

    @property
    def _first_share(self) -> float:
        return max(ALONE * self._budget, ALONE_PER_GENE * self._genome.d)

    def _open(self) -> None:
        """Let two more arms take turns."""
        self._alone = False
        if not self._main.finished:
            self._turns[0].share, self._turns[0].spent = FIRST_SHARE, 0
        left = 1.0 if self._main.finished else 1 - FIRST_SHARE
        if self._main.finished:
            self._turns = []
        for make in (Numeric._success_history, Numeric._restart):
            self._turns.append(Turn(make, make(self), left / 2))

    def _descent(self, mean: np.ndarray, sigma: float, samples: int) -> Descent:
        return Descent(
            self._rng,
            self._genome,
            self._settle,
            mean,
            sigma,
            samples,
            self._screened,
            self._legal,
        )

    def _restart(self) -> Arm:
        """Begin a run with more samples from anywhere."""
        self._main = self._descent(self._rng.random(self._genome.d), SIGMA, LARGER * self._samples)
        return self._main

    def _success_history(self) -> Arm:
        """L-SHADE for its share of what is left of the budget."""
        left = max(self._budget - self._errands.told, self._budget // GENERATIONS)
        evaluations = left // 2
        size = max(MEMBERS, MEMBERS_PER_GENE * self._genome.d)
        size = max(size, MEMBERS_AT_LEAST) if not self._screened else size
        size = min(size, max(MEMBERS, evaluations // GENERATIONS))
        return SuccessHistory(
            self._rng, self._genome, self._settle, size, evaluations, self._legal
        )


def settle(genome: Genome, genes: np.ndarray) -> np.ndarray:
    """Rows (n, d) as they will be evaluated."""
    return genome.snap(rounded(genes))
