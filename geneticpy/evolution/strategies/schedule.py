"""Which strategy proposes, and when it hands over: by budget, genes and evaluations told."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from geneticpy.errors import ArgumentError
from geneticpy.evolution.breeding import Operators
from geneticpy.evolution.population import Brood, Population
from geneticpy.evolution.strategies import Strategy
from geneticpy.evolution.strategies.mixed import Mixed
from geneticpy.evolution.strategies.screened import Screened
from geneticpy.genome import Genome

SMALL_BUDGET = 1_000  # up to which the model screens throughout (ALGORITHM 1)
CHEAP_BUDGET = 20_000  # above which a model costs more than it is worth (ALGORITHM 1)
PRELUDE = 300  # evaluations before the genetic algorithm goes on alone (ALGORITHM 1)
# Survivors are this times the root of the budget: measured with benchmarks/quality.py at budgets
# of 100, 1,000 and 10,000 on instances that its tables do not use.
FLAT_GROWTH, STRUCTURED_GROWTH = 0.4, 0.2
FEWEST_SURVIVORS, MOST_SURVIVORS = 3, 40


@dataclass(frozen=True)
class Plan:
    """How a run searches.

    Attributes
    ----------
    screened : float
        Evaluations after which the model is left; 0 for none, inf for never.
    reason : str
    """

    screened: float
    reason: str

    def __str__(self) -> str:
        if not self.screened:
            return f"mixed ({self.reason})"
        if self.screened == math.inf:
            return f"screened ({self.reason})"
        return f"screened for {self.screened:.0f} evaluations, then mixed ({self.reason})"


def plan(
    genome: Genome, budget: int, operators: Operators, surrogate: bool | str = "auto"
) -> Plan:
    """Choose the strategies for a space and a budget.

    Parameters
    ----------
    genome : Genome
    budget : int
        Evaluations of the whole run.
    operators : Operators
    surrogate : {"auto", True, False}
        Whether a model screens: throughout, or not at all.
    """
    if not isinstance(surrogate, bool) and surrogate != "auto":
        raise ArgumentError(f"surrogate: must be 'auto', True or False, got {surrogate!r}.")
    if surrogate is True and operators.replaced:
        raise ArgumentError(
            f"surrogate: must not be True with operators of your own, got {operators.replaced}."
        )
    if surrogate is False:
        return Plan(0, "surrogate=False")
    if surrogate is True:
        return Plan(math.inf, "surrogate=True")
    if operators.replaced:
        return Plan(0, f"the user's own {', '.join(operators.replaced)}")
    in_orders = sum(order.stop - order.start for order in genome.permutations)
    if genome.permutations and in_orders == genome.d:
        return Plan(0, "orders alone")  # measured: routes and queues are found later with a model
    if budget > CHEAP_BUDGET:
        return Plan(0, f"more than {CHEAP_BUDGET} evaluations")
    if budget <= SMALL_BUDGET:
        return Plan(math.inf, f"at most {SMALL_BUDGET} evaluations")
    if genome.numeric.all():  # measured: a prelude leaves many-peaked functions worse off
        return Plan(0, f"numbers alone and more than {SMALL_BUDGET} evaluations")
    return Plan(PRELUDE, f"more than {SMALL_BUDGET} evaluations")


def strategy(
    rng: np.random.Generator,
    genome: Genome,
    budget: int,
    operators: Operators,
    plan: Plan,
    legal: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Strategy:
    """Make what a plan says; `legal` tells which rows (n, d) a constraint allows."""
    growth = FLAT_GROWTH if genome.flat else STRUCTURED_GROWTH
    mu = min(max(round(growth * math.sqrt(budget)), FEWEST_SURVIVORS), MOST_SURVIVORS)
    mixed = partial(Mixed, rng, genome, mu, operators)
    if not plan.screened:
        return mixed()
    screened = Screened(rng, genome, operators, legal)
    return screened if plan.screened == math.inf else Handover(screened, mixed, plan.screened)


class Handover:
    """One strategy after another, which begins with everything told.

    Parameters
    ----------
    first : Strategy
    then : callable
        Makes the second one.
    after : float
        Evaluations told before it takes over.
    """

    def __init__(self, first: Strategy, then: Callable[[], Strategy], after: float):
        self._strategy, self._then, self._after = first, then, after
        self._archive: Population | None = None
        self._handed_over = False

    def propose(self, n: int) -> Brood:
        """Make `n` rows or a few more."""
        return self._strategy.propose(n)

    def update(self, rows: Population) -> None:
        """Learn from evaluated rows, in the order of their ids."""
        if self._handed_over:
            self._strategy.update(rows)
            return
        self._archive = rows if self._archive is None else self._archive.join(rows)
        if len(self._archive) < self._after:
            self._strategy.update(rows)
            return
        self._strategy, self._handed_over = self._then(), True
        self._strategy.update(self._archive)
        self._archive = None
