"""Strategy "mixed": the species genetic algorithm, for every kind of space."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from geneticpy.evolution.breeding import Operators, mates, restructure
from geneticpy.evolution.mating import difference
from geneticpy.evolution.mutation import inherit_sigma
from geneticpy.evolution.population import Brood, Population
from geneticpy.evolution.selection import contenders, survivors
from geneticpy.evolution.species import group
from geneticpy.genome import Genome

# Shares and constants of ALGORITHM.md section 7b.
DIFFERENCE, MATED, MUTATED, IMMIGRANTS = 0.30, 0.55, 0.10, 0.05
FEWEST_AT_START = 8
CAP = 4  # survivors of one species, where there are several
BEST_SHARE = 0.15  # of a species that difference mutation moves towards
IDLE, SAME = 20, 1e-8  # updates without progress, and range of all genes, for a new start
# Portions of so many rows are bred together, as many as make so many: array calls are saved, and
# the results are no worse (measured with benchmarks/quality.py at 20,000 evaluations).
LARGE, TOGETHER = 50, 400
SPARE = 8  # one child in so many is bred on top, to replace those that are not new


class Mixed:
    """Elitist genetic algorithm with niches for species, self-adapting steps and differences.

    Parameters
    ----------
    rng : numpy.random.Generator
    genome : Genome
    mu : int
        Survivors; up to 1.5 times as many more keep a place as the best of their arm.
    operators : Operators
    """

    def __init__(
        self,
        rng: np.random.Generator,
        genome: Genome,
        mu: int,
        operators: Operators | None = None,
    ):
        self._rng, self._genome, self._mu = rng, genome, mu
        self._operators = operators or Operators()
        self._begin()

    def _begin(self) -> None:
        """Start, or start again with another population."""
        self._population = Population.empty(self._genome.d)
        size = max(FEWEST_AT_START, 2 * self._mu)
        self._start = self._genome.latin_hypercube(self._rng, size)
        self._later: list[Brood] = []
        self._untold = size
        self._stagnant = 0

    @property
    def population(self) -> Population:
        """The survivors, best first."""
        return self._population

    def propose(self, n: int) -> Brood:
        """Make `n` rows or a few more."""
        if self._untold > 0 or not len(self._population):
            return self._first(n)
        return self._breed(n)

    def update(self, rows: Population) -> None:
        """Let the fittest of the survivors and of newly evaluated rows survive.

        Parameters
        ----------
        rows : Population
            In the order of their ids; failed ones have an infinite loss.
        """
        self._untold -= len(rows)
        best = self._population.loss.min(initial=np.inf)
        self._stagnant = 0 if rows.loss.min(initial=np.inf) < best else self._stagnant + 1
        rows = rows.take(self._able(rows.loss))
        if len(rows):
            pool = rows.join(self._population)
            self._population = pool.take(self._survivors(pool))
            self._groups = group(self._population.species)
        if self._stagnant >= IDLE and self._converged():
            self._begin()

    def _able(self, loss: np.ndarray) -> np.ndarray:
        """(n,) mask of the rows that did not fail and may survive."""
        if self._operators.replacer or not self._genome.flat:
            return loss < np.inf
        return contenders(loss, self._population.loss, self._mu)

    def _converged(self) -> bool:
        """Whether the survivors are one point: what they breed was mostly told before."""
        genes = self._population.genes
        return len(genes) >= self._mu and bool((np.ptp(genes, axis=0) < SAME).all())

    def _survivors(self, pool: Population) -> np.ndarray:
        if self._operators.replacer:
            return self._operators.replace(self._rng, pool, self._mu)
        roots = self._genome.root_columns
        arms = [self._genome.level(pool.genes[:, g], np.full(len(pool), g)) for g in roots]
        return survivors(pool.loss, pool.species, arms, self._mu, CAP)

    def _first(self, n: int) -> Brood:
        """Rows of the space-filling start, then random ones."""
        genes, self._start = self._start[:n], self._start[n:]
        more = self._genome.sample(self._rng, n - len(genes))
        return Brood.orphans(np.concatenate([genes, more]))

    def _breed(self, n: int) -> Brood:
        """Make a brood, or take the next of some that were made together."""
        portions = 1 if n < LARGE else max(1, TOGETHER // n)
        if portions == 1:
            return self._brood(n)
        if not self._later or len(self._later[-1]) < n:
            rows = self._brood(portions * n)
            self._later = [rows.take(slice(first, None, portions)) for first in range(portions)]
        return self._later.pop()

    def _brood(self, n: int) -> Brood:
        """Immigrants, then children; a few more than `n`, for those that are not new."""
        fresh, differing, mutated, mated = self._rng.multinomial(n, self._shares).tolist()
        children = self._children(differing, mutated, mated + 1 + n // SPARE)
        if not fresh:
            return children
        return Brood.orphans(self._genome.sample(self._rng, fresh)).join(children)

    @cached_property
    def _shares(self) -> np.ndarray:
        """(4,) probabilities: immigrants, by differences, mutated only, mated."""
        wanted = self._operators
        immigrants = IMMIGRANTS if wanted.immigrants is None else wanted.immigrants
        differing = 0.0 if wanted.crossover or not self._genome.numeric.any() else DIFFERENCE
        mutated = MUTATED if wanted.mutate_chance is None else 0.0
        shares = np.array([differing, mutated, MATED])
        return np.append(immigrants, shares / shares.sum() * (1 - immigrants))

    def _children(self, differing: int, mutated: int, mated: int) -> Brood:
        rng, genome, population = self._rng, self._genome, self._population
        mating = slice(differing + mutated, None)
        one = self._operators.select(rng, population.loss, differing + mutated + mated)
        two = one.copy()
        base, sigma = population.genes[one], population.sigma[one]
        genes = base.copy()
        two[mating] = mate = mates(rng, self._groups, one[mating], genome)
        genes[mating] = self._operators.cross(rng, genes[mating], population.genes[mate], genome)
        sigma[mating] = np.sqrt(sigma[mating] * population.sigma[mate])
        restructure(rng, genes, differing, genome)
        active = genome.activity(genes)
        two[:differing] = self._differ(genes, one[:differing], active)
        sigma = inherit_sigma(rng, sigma)
        unchanged = (genes == base).all(axis=1)
        lively = self._lively(unchanged, differing)
        self._operators.mutate(rng, genes, active, sigma, lively, genome)
        parents = np.empty((len(one), 2), np.int64)
        parents[:, 0], parents[:, 1] = population.ids[one], population.ids[two]
        parents[differing : differing + mutated, 1] = -1
        return Brood(genes, sigma, parents, np.zeros(len(one), np.uint64))

    def _differ(self, genes: np.ndarray, one: np.ndarray, active: np.ndarray) -> np.ndarray:
        """Move the first rows by differences within their species; returns whom they approach."""
        n, genome, row = len(one), self._genome, self._population.genes
        if not n:
            return one
        draw = self._rng.random((3, n))
        best = self._groups.member(one, draw[0] * BEST_SHARE)
        plus, minus = self._groups.member(one, draw[1]), self._groups.member(one, draw[2])
        blended = genome.numeric if genome.flat else active[:n] & genome.numeric
        genes[:n] = difference(self._rng, genes[:n], row[best], row[plus], row[minus], blended)
        return best

    def _lively(self, unchanged: np.ndarray, differing: int) -> np.ndarray:
        """Rows of the children that get a small mutation: copies always, differences only then."""
        lively = self._rng.random(len(unchanged)) < self._operators.chance(self._stagnant)
        lively[:differing] = False
        return np.flatnonzero(lively | unchanged)
