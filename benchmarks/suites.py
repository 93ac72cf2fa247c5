"""What a suite is: problems that share a table, their budgets and their measure."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from spaces import kinds_of


@dataclass(frozen=True)
class Suite:
    """Problems that share a table.

    Attributes
    ----------
    problems : dict of str to Problem
    budgets : tuple of int or str
        Default budgets; "100d" is 100 evaluations for each gene of the flat encoding.
    modules : tuple of str
        What must be importable to evaluate the losses.
    targets : callable or None
        ``targets(scale)`` gives the distances to the optimum that are to be reached, where scale
        is the distance of the median of random draws, and
        the suite is judged by the share of them; None judges by normalized regret.
    group : str
        Suites of one group share an overview table.
    every_peer : bool
        Whether peers that are optional elsewhere run here without being named.
    obstacle : callable
        Returns the reason why the suite cannot run here, or None.
    """

    problems: dict
    budgets: tuple = (100, 1_000, 10_000)
    modules: tuple = ()
    targets: Callable | None = None
    group: str = ""
    every_peer: bool = True
    obstacle: Callable = lambda: None

    @cached_property
    def kinds(self):
        """Kinds of genes in the spaces of the suite."""
        return set().union(*(kinds_of(problem.space) for problem in self.problems.values()))

    def missing(self):
        """Return the reason why the suite cannot run here, or None."""
        absent = [name for name in self.modules if importlib.util.find_spec(name) is None]
        return f"{', '.join(absent)} not installed" if absent else self.obstacle()


def parse_budget(text):
    """Read a budget of the command line: "250" or "100d"."""
    per_gene = text.removesuffix("d")
    if not per_gene.isdigit() or int(per_gene) < 1:
        raise ValueError(f"budget: a number like 250, or 100d for 100 for each gene, got {text!r}")
    return int(text) if per_gene == text else text


def evaluations(budget, problem):
    """Return a budget as a number of evaluations."""
    if isinstance(budget, str):
        return int(budget.removesuffix("d")) * problem.dimension
    return budget


def budget_text(budget):
    """Write a budget as in a heading."""
    if isinstance(budget, str):
        return f"{int(budget.removesuffix('d')):,} d evaluations"
    return f"{budget:,} evaluations"
