"""What the strategies that breed children have in common, and what users replace in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geneticpy.evolution.mating import half_and_half
from geneticpy.evolution.mutation import STRUCTURAL_CHANCE, change_structure, small_steps
from geneticpy.evolution.population import Population
from geneticpy.evolution.selection import tournament, uniform
from geneticpy.evolution.species import Groups
from geneticpy.genome import Genome

OTHER_SPECIES = 0.1  # of the matings take their mate from the whole population (ALGORITHM 7b)
CALM = 0.2  # of the mated children get no small mutation (ALGORITHM 3)


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

    @property
    def replaced(self) -> list[str]:
        """Names of the operators that are the user's own functions."""
        names = ("selector", "crossover", "mutation", "replacer")
        return [name for name in names if getattr(self, name) is not None]

    @property
    def bred(self) -> list[str]:
        """Names of what was set that only a strategy which breeds can follow."""
        names = ("mutate_chance", "tournament_size")
        return [name for name in names if getattr(self, name) is not None] + self.replaced

    def select(
        self, rng: np.random.Generator, loss: np.ndarray, n: int, rivals: int = 1
    ) -> np.ndarray:
        """Pick `n` parents among rows sorted best first, by tournaments of `rivals`."""
        if self.selector:
            return np.asarray(self.selector(rng, loss, n))
        size = rivals if self.tournament_size is None else self.tournament_size
        if size == 1 and self.tournament_size is None:
            return uniform(rng, loss, n)
        return tournament(rng, loss, n, size)

    def cross(
        self, rng: np.random.Generator, one: np.ndarray, two: np.ndarray, genome: Genome
    ) -> np.ndarray:
        """Mate rows of genes, (n, d)."""
        return (self.crossover or half_and_half)(rng, one, two, genome)

    def replace(self, rng: np.random.Generator, rows: Population, n: int) -> np.ndarray:
        """Rows that survive by the user's `replacer`, about `n`, best first."""
        assert self.replacer is not None, "only a user's replacer replaces"
        kept = np.asarray(self.replacer(rng, rows.loss, rows.ids, n))
        return kept[rows.loss[kept].argsort(kind="stable")]

    def chance(self, stagnant: int) -> float:
        """Probability of a mated child to get a small mutation, after so many idle updates."""
        if self.mutate_chance is None:
            return 1 - CALM
        grown = 0.9**stagnant if self.adaptive_mutation else 1.0
        return 1 - (1 - self.mutate_chance) * grown

    def mutate(
        self,
        rng: np.random.Generator,
        genes: np.ndarray,
        active: np.ndarray,
        sigma: np.ndarray,
        rows: np.ndarray,
        genome: Genome,
    ) -> None:
        """Make small mutations in some rows, in place."""
        part, living = genes[rows], active[rows]
        if self.mutation:
            genes[rows] = self.mutation(rng, part, living, genome)
        else:
            genes[rows] = small_steps(rng, part, living, sigma[rows], genome)


def mates(rng: np.random.Generator, groups: Groups, one: np.ndarray, genome: Genome) -> np.ndarray:
    """Rows of the same species as each of `one`, at times of any."""
    draw = rng.random(len(one))
    mate = groups.member(one, draw)
    if genome.flat:
        return mate
    anyone = (draw * len(groups.order)).astype(np.int64)
    return np.where(rng.random(len(one)) < OTHER_SPECIES, anyone, mate)


def restructure(rng: np.random.Generator, genes: np.ndarray, first: int, genome: Genome) -> None:
    """Change the structure of some of the rows from `first` on, in place."""
    if genome.flat:
        return
    n = len(genes) - first
    rows = first + np.flatnonzero(rng.random(n) < STRUCTURAL_CHANCE)
    part = genes[rows]
    genes[rows] = change_structure(rng, part, genome.activity(part), genome)
