"""Strategy "mixed": the species genetic algorithm, for every kind of space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geneticpy.evolution.mating import difference, half_and_half
from geneticpy.evolution.mutation import (
    STRUCTURAL_CHANCE,
    change_structure,
    inherit_sigma,
    small_steps,
)
from geneticpy.evolution.population import Population
from geneticpy.evolution.selection import survivors, tournament, uniform
from geneticpy.evolution.species import group
from geneticpy.genome import Genome

# Shares and constants of ALGORITHM.md section 7b.
DIFFERENCE, MATED, MUTATED, IMMIGRANTS = 0.30, 0.55, 0.10, 0.05
FIRST_SIGMA = 0.2
OTHER_SPECIES = 0.1  # of the matings take their mate from the whole population
BEST_SHARE = 0.15  # of a species that difference mutation moves towards
CALM = 0.2  # of the mated children get no small mutation
LEAST_FOR_DIFFERENCE = 4  # rows of a species, for a difference that means something


@dataclass(frozen=True)
class Operators:
    """What the user may set or replace; None leaves it to the algorithm.

    Attributes
    ----------
    mutate_chance : float or None
        Of a child to get a small mutation.
    adaptive_mutation : bool
        Whether `mutate_chance` grows towards 1 while nothing improves.
    immigrants : float or None
        Share of fresh random rows.
    tournament_size : int or None
        Rivals of a parent selection by tournament.
    selector : callable or None
        ``(rng, loss, n) -> (n,) rows`` of the population, which is sorted best first.
    crossover : callable or None
        ``(rng, one, two, genome) -> (n, d) genes``.
    mutation : callable or None
        ``(rng, genes, active, genome) -> (n, d) genes``.
    replacer : callable or None
        ``(rng, loss, birth, n) -> rows`` that survive, about n of them.
    """

    mutate_chance: float | None = None
    adaptive_mutation: bool = False
    immigrants: float | None = None
    tournament_size: int | None = None
    selector: Callable[..., np.ndarray] | None = None
    crossover: Callable[..., np.ndarray] | None = None
    mutation: Callable[..., np.ndarray] | None = None
    replacer: Callable[..., np.ndarray] | None = None


class Mixed:
    """Elitist genetic algorithm with niches for species, self-adapting steps and differences.

    Parameters
    ----------
    rng : numpy.random.Generator
    genome : Genome
    mu : int
        Survivors.
    cap : int
        Survivors of one species.
    operators : Operators
    """

    def __init__(
        self,
        rng: np.random.Generator,
        genome: Genome,
        mu: int,
        cap: int,
        operators: Operators | None = None,
    ):
        self._rng, self._genome, self._mu, self._cap = rng, genome, mu, cap
        self._operators = operators or Operators()
        self._population = Population.empty(genome.d)
        self._start = genome.latin_hypercube(rng, 2 * mu)
        self._untold = len(self._start)
        self._stagnant = 0

    @property
    def population(self) -> Population:
        """The survivors, best first."""
        return self._population

    def propose(self, n: int) -> Population:
        """Make `n` unborn rows."""
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
        pool = rows.take(rows.loss < np.inf).join(self._population)
        if len(pool):
            self._population = pool.take(self._survivors(pool))
        self._groups = group(self._population.species)

    def _survivors(self, pool: Population) -> np.ndarray:
        if self._operators.replacer:
            kept = np.asarray(self._operators.replacer(self._rng, pool.loss, pool.ids, self._mu))
            return kept[pool.loss[kept].argsort(kind="stable")]
        roots = self._genome.root_columns
        arms = [self._genome.level(pool.genes[:, g], np.full(len(pool), g)) for g in roots]
        return survivors(pool.loss, pool.species, arms, self._mu, self._cap)

    def _first(self, n: int) -> Population:
        """Rows of the space-filling start, then random ones."""
        genes, self._start = self._start[:n], self._start[n:]
        more = self._genome.sample(self._rng, n - len(genes))
        return self._orphans(np.concatenate([genes, more]))

    def _orphans(self, genes: np.ndarray) -> Population:
        return Population.unborn(genes, FIRST_SIGMA, np.full((len(genes), 2), -1))

    def _breed(self, n: int) -> Population:
        """Children in three runs (by differences, mated, mutated only), then immigrants."""
        differing, mated, mutated, fresh = self._rng.multinomial(n, self._shares())
        children = self._children(differing, mated, mutated)
        return children.join(self._orphans(self._genome.sample(self._rng, fresh)))

    def _shares(self) -> np.ndarray:
        """(4,) probabilities of the kinds of children."""
        wanted = self._operators
        differing = 0.0 if wanted.crossover or not self._genome.numeric.any() else DIFFERENCE
        mutated = MUTATED if wanted.mutate_chance is None else 0.0
        shares = np.array([differing, MATED, mutated])
        immigrants = IMMIGRANTS if wanted.immigrants is None else wanted.immigrants
        return np.append(shares / shares.sum() * (1 - immigrants), immigrants)

    def _children(self, differing: int, mated: int, mutated: int) -> Population:
        rng, genome, population = self._rng, self._genome, self._population
        n, mating = differing + mated + mutated, slice(differing, differing + mated)
        one = self._select(n)
        two = np.full(n, -1)
        genes, sigma = population.genes[one], population.sigma[one]
        two[mating] = mate = self._mates(one[mating])
        cross = self._operators.crossover or half_and_half
        genes[mating] = cross(rng, genes[mating], population.genes[mate], genome)
        sigma[mating] = np.sqrt(sigma[mating] * population.sigma[mate])
        self._restructure(genes, differing)
        active = genome.activity(genes)
        two[:differing] = self._differ(genes, one[:differing], active)
        sigma = inherit_sigma(rng, sigma)
        calm = self._calm(one, differing, mated)
        self._mutate(genes, active, sigma, np.flatnonzero(~calm))
        ids = population.ids
        parents = np.stack([ids[one], np.where(two < 0, -1, ids[two])], axis=1)
        return Population.unborn(genes, sigma, parents)

    def _select(self, n: int) -> np.ndarray:
        loss, operators = self._population.loss, self._operators
        if operators.selector:
            return np.asarray(operators.selector(self._rng, loss, n))
        if operators.tournament_size is not None:
            return tournament(self._rng, loss, n, operators.tournament_size)
        return uniform(self._rng, loss, n)

    def _mates(self, one: np.ndarray) -> np.ndarray:
        """Rows of the same species, at times of any."""
        draw = self._rng.random((2, len(one)))
        mate = self._groups.member(one, draw[0])
        if self._genome.flat:
            return mate
        anyone = (draw[0] * len(self._population)).astype(np.int64)
        return np.where(draw[1] < OTHER_SPECIES, anyone, mate)

    def _restructure(self, genes: np.ndarray, differing: int) -> None:
        """Change the structure of some of the rows behind the first `differing`, in place."""
        if self._genome.flat:
            return
        n = len(genes) - differing
        rows = differing + np.flatnonzero(self._rng.random(n) < STRUCTURAL_CHANCE)
        part = genes[rows]
        genes[rows] = change_structure(self._rng, part, self._genome.activity(part), self._genome)

    def _differ(self, genes: np.ndarray, one: np.ndarray, active: np.ndarray) -> np.ndarray:
        """Move the first rows by differences within their species; returns whom they approach."""
        n, genome, population = len(one), self._genome, self._population
        draw = self._rng.random((3, n))
        best = self._groups.member(one, draw[0] * BEST_SHARE)
        plus, minus = (self._groups.member(one, draw[i]) for i in (1, 2))
        blended = genome.numeric if genome.flat else active[:n] & genome.numeric
        row = population.genes
        genes[:n] = difference(
            self._rng, genes[:n], row[best], row[plus], row[minus], blended
        )
        return best

    def _calm(self, one: np.ndarray, differing: int, mated: int) -> np.ndarray:
        """(n,) mask of the children that get no small mutation."""
        chance = self._operators.mutate_chance
        if chance is None:
            calm = self._rng.random(len(one)) < CALM
            calm[differing + mated :] = False
        else:
            if self._operators.adaptive_mutation:
                chance = 1 - (1 - chance) * 0.9**self._stagnant
            calm = self._rng.random(len(one)) >= chance
        calm[:differing] = self._groups.size[one[:differing]] >= LEAST_FOR_DIFFERENCE
        return calm

    def _mutate(
        self, genes: np.ndarray, active: np.ndarray, sigma: np.ndarray, rows: np.ndarray
    ) -> None:
        """Mutate some rows, in place."""
        part = genes[rows]
        if self._operators.mutation:
            genes[rows] = self._operators.mutation(self._rng, part, active[rows], self._genome)
        else:
            genes[rows] = small_steps(self._rng, part, active[rows], sigma[rows], self._genome)
