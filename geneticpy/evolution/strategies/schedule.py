"""Which strategies propose, and when one hands over: by budget, genes and evaluations told."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from geneticpy.errors import ArgumentError
from geneticpy.evolution.breeding import Operators
from geneticpy.evolution.population import Brood, Population
from geneticpy.evolution.strategies import Strategy
from geneticpy.evolution.strategies.discrete import Discrete
from geneticpy.evolution.strategies.mixed import Mixed
from geneticpy.evolution.strategies.numeric import Numeric
from geneticpy.evolution.strategies.screened import Screened
from geneticpy.evolution.strategies.users import UsersStrategy
from geneticpy.genome import Genome

log = logging.getLogger("geneticpy")

NAMES = ("screened", "numeric", "discrete", "mixed")
CHEAP_BUDGET = 20_000  # above which a model costs more than it is worth (ALGORITHM 1)
PRELUDE = 300  # evaluations of the model before the other strategies take over (ALGORITHM 1)
# The same with orders: a round trip of 30 cities is shorter after 700 evaluations of the model
# than after 300 of the model and 1,700 of strategy "mixed".
ORDERS_PRELUDE = 1_000
# The same where nothing but continuous genes is searched, at least, for each gene and at most:
# learned steps reach more of the targets of BBOB the earlier they begin, less of Schwefel's
# function. Spaces with integers are better off with the longer one (mixint, lcbench).
CONTINUOUS_PRELUDE = (50, 15, 200)
# From how many evaluations on they do. Learned steps are so much better on smooth functions that
# they pay earlier; up to 500, tuning losses were better off with the model throughout (measured
# on lcbench).
EARLIEST = {"numeric": 500, "discrete": 1_001, "mixed": 1_001}
# Share of the evaluations of larger runs in which steps are learned where all genes are numbers,
# and how many at most for each gene. They cost two to three times what breeding costs; with half
# as many much fewer targets of BBOB are reached, with twice as many for each gene few more.
LEARNED, LEARNED_PER_GENE = 0.4, 1_000
MOSTLY = 0.5  # share of unordered and two-level genes above which a space is discrete
# Survivors are this times the root of the budget: measured with benchmarks/quality.py at budgets
# of 100, 1,000 and 10,000 on instances that its tables do not use.
FLAT_GROWTH, STRUCTURED_GROWTH = 0.4, 0.2
FEWEST_SURVIVORS, MOST_SURVIVORS = 3, 40


@dataclass(frozen=True)
class Task:
    """What the choice of a strategy depends on.

    Attributes
    ----------
    rng : numpy.random.Generator
    genome : Genome
    budget : int
        Evaluations of the whole run.
    operators : Operators
    legal : callable, optional
        ``legal(genes) -> (n,) mask`` of the rows that a constraint allows.
    """

    rng: np.random.Generator
    genome: Genome
    budget: int
    operators: Operators
    legal: Callable[[np.ndarray], np.ndarray] | None = None


@dataclass(frozen=True)
class Plan:
    """How a run searches.

    Attributes
    ----------
    stages : tuple of (str, float)
        Names of strategies, and the evaluations told after which the next one takes over.
    reason : str
    """

    stages: tuple[tuple[str, float], ...]
    reason: str

    def __str__(self) -> str:
        *before, (last, _) = self.stages
        parts = [f"{name} for {until:.0f} evaluations" for name, until in before]
        return f"{', then '.join([*parts, last])} ({self.reason})"


def plan(task: Task, surrogate: bool | str = "auto", strategy: Any = None) -> Plan:
    """Choose the strategies for a space and a budget.

    Parameters
    ----------
    task : Task
    surrogate : {"auto", True, False}
        Whether a model screens: throughout, or not at all.
    strategy : {"screened", "numeric", "discrete", "mixed"} or object, optional
        The one that is wanted.
    """
    if not isinstance(surrogate, bool) and surrogate != "auto":
        raise ArgumentError(f"surrogate: must be 'auto', True or False, got {surrogate!r}.")
    if strategy is not None:
        return _wanted(task, surrogate, strategy)
    replaced = task.operators.replaced
    if surrogate is True:
        _refuse_replaced("surrogate: must not be True", task.operators)
        return _alone("screened", "surrogate=True")
    if surrogate is False:
        return _alone("mixed", "surrogate=False")
    if replaced:
        return _alone("mixed", f"the user's own {', '.join(replaced)}")
    return _planned(task.genome, task.budget, task.operators)


def _alone(name: str, reason: str) -> Plan:
    return Plan(((name, math.inf),), reason)


def _wanted(task: Task, surrogate: bool | str, strategy: Any) -> Plan:
    """Check the strategy that the user names or brings."""
    if surrogate != "auto":
        raise ArgumentError(
            f"surrogate: must be 'auto' with a strategy, got {surrogate!r} and {strategy!r}."
        )
    if not isinstance(strategy, str):
        _refuse_replaced("strategy: must not be an object", task.operators)
        return _alone("user", f"strategy={strategy!r}")
    if strategy not in NAMES:
        raise ArgumentError(f"strategy: must be one of {NAMES} or an object, got {strategy!r}.")
    if strategy != "mixed":
        _refuse_replaced(f"strategy: must not be {strategy!r}", task.operators)
    reason = _unfit(task.genome, task.operators, strategy)
    if reason:
        raise ArgumentError(f"strategy: {reason}, got {strategy!r}.")
    return _alone(strategy, f"strategy={strategy!r}")


def _refuse_replaced(rule: str, operators: Operators) -> None:
    if operators.replaced:
        raise ArgumentError(f"{rule} with operators of your own, got {operators.replaced}.")


def _unfit(genome: Genome, operators: Operators, name: str) -> str:
    """Why a strategy cannot be used, if it cannot."""
    if name in ("numeric", "discrete") and operators.bred:
        return f"must breed to follow {' and '.join(operators.bred)}"
    if name == "numeric" and not (genome.d and genome.flat and genome.numeric.all()):
        return "must suit a space that holds more than numbers, or nothing"
    if name == "discrete" and not (genome.d and genome.flat and genome.ordinary.all()):
        return "must suit a space of searched length, conditions, orders or subsets, or nothing"
    return ""


def _planned(genome: Genome, budget: int, operators: Operators) -> Plan:
    """Choose for a user who leaves it to the algorithm."""
    last = _last(genome, operators)
    if budget > CHEAP_BUDGET:
        reason = f"more than {CHEAP_BUDGET} evaluations"
        if last != "numeric":
            return _alone(last, reason)
        learned = min(LEARNED * budget, LEARNED_PER_GENE * genome.d)
        return Plan((("numeric", learned), ("mixed", math.inf)), reason)
    if budget < EARLIEST[last]:
        return _alone("screened", f"fewer than {EARLIEST[last]} evaluations")
    stages = (("screened", min(_prelude(genome, last), budget // 2)), (last, math.inf))
    return Plan(stages, f"at least {EARLIEST[last]} evaluations")


def _prelude(genome: Genome, last: str) -> int:
    """Count the evaluations of the model before a strategy takes over."""
    if last == "numeric" and not genome.k.any():
        least, each, most = CONTINUOUS_PRELUDE
        return min(max(least, each * genome.d), most)
    return ORDERS_PRELUDE if genome.permutations else PRELUDE


def _last(genome: Genome, operators: Operators) -> str:
    """Name the strategy that takes over from the model."""
    discrete = (genome.k == 2) | ((genome.k > 0) & ~genome.ordered)
    if not _unfit(genome, operators, "discrete") and discrete.mean() > MOSTLY:
        return "discrete"
    if not _unfit(genome, operators, "numeric"):
        return "numeric"
    return "mixed"


def make(task: Task, plan: Plan, users: Any = None) -> Strategy:
    """Make what a plan says; `users` is the user's own strategy if it says so."""
    growth = FLAT_GROWTH if task.genome.flat else STRUCTURED_GROWTH
    mu = min(max(round(growth * math.sqrt(task.budget)), FEWEST_SURVIVORS), MOST_SURVIVORS)
    common = (task.rng, task.genome)
    makers: dict[str, Callable[[], Strategy]] = {
        "screened": lambda: Screened(*common, task.operators, task.legal),
        "numeric": lambda: Numeric(*common, task.budget, task.operators, task.legal),
        "discrete": lambda: Discrete(*common, task.budget, task.operators.immigrants or 0.0),
        "mixed": lambda: Mixed(*common, mu, task.operators),
        "user": lambda: UsersStrategy(users, *common, task.budget),
    }
    log.info("strategy: %s", plan)
    stages = [(makers[name], until) for name, until in plan.stages]
    return stages[0][0]() if len(stages) == 1 else Handover(stages)


class Handover:
    """One strategy after another; each begins with everything told.

    Parameters
    ----------
    stages : list of (callable, float)
        What makes each strategy, and the evaluations told after which the next takes over.
    """

    def __init__(self, stages: list[tuple[Callable[[], Strategy], float]]):
        self._stages = stages[1:]
        first, self._until = stages[0]
        self._strategy = first()
        self._archive: list[Population] = []
        self._told = 0

    def propose(self, n: int) -> Brood:
        """Make `n` rows or a few more."""
        return self._strategy.propose(n)

    def update(self, rows: Population) -> None:
        """Learn from evaluated rows, in the order of their ids."""
        if self._until == math.inf:
            self._strategy.update(rows)
            return
        self._archive.append(rows)
        self._told += len(rows)
        if self._told < self._until:
            self._strategy.update(rows)
            return
        following, self._until = self._stages.pop(0)
        self._strategy = following()
        self._strategy.update(self._archive[0].join(*self._archive[1:]))
        if self._until == math.inf:
            self._archive = []
