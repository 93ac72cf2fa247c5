"""The solvers of the quality benchmark as a table; to add one, add a row to `SOLVERS`."""

import contextlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import adapters


@dataclass(frozen=True)
class Solver:
    """A row of the table.

    Attributes
    ----------
    solve : callable
        See the module.
    package : str
        Distribution whose version is part of the cache key.
    sizes : dict of int to int
        Population by the smallest budget at which it is used. For peers the best of several on
        other seeds (README.md), for this package its default; some solvers have none (1).
    interpreter : {"main", "geneticpy2"}
    largest_budget : int or None
        Above it the solver is left out, because it would take hours.
    optional : bool
        Runs only when named by --solvers.
    """

    solve: Callable
    package: str
    sizes: dict
    interpreter: str = "main"
    largest_budget: int | None = None
    optional: bool = False

    def size(self, budget):
        """Population for `budget`."""
        return self.sizes[max(least for least in self.sizes if least <= budget)]


SOLVERS = {
    "geneticpy": Solver(adapters.solve_geneticpy, "geneticpy", {0: 100}),
    "GeneticPy 2.0.0": Solver(
        adapters.solve_geneticpy2,
        "geneticpy",
        {0: 10, 500: 50, 5_000: 100},
        interpreter="geneticpy2",
    ),
    "PyGAD": Solver(adapters.solve_pygad, "pygad", {0: 5, 500: 10, 5_000: 100}),
    "DEAP": Solver(adapters.solve_deap, "deap", {0: 20, 500: 50, 5_000: 400}),
    "inspyred": Solver(adapters.solve_inspyred, "inspyred", {0: 20, 500: 50}),
    "pymoo GA": Solver(adapters.solve_pymoo, "pymoo", {0: 10, 500: 20, 5_000: 100}),
    "geneticalgorithm2": Solver(
        adapters.solve_geneticalgorithm2, "geneticalgorithm2", {0: 10, 5_000: 200}
    ),
    "scipy DE": Solver(adapters.solve_scipy_de, "scipy", {0: 10, 5_000: 20}),
    "Optuna TPE": Solver(
        adapters.solve_optuna, "optuna", {0: 1}, largest_budget=1_000, optional=True
    ),
    "random": Solver(adapters.solve_random, "numpy", {0: 1}),
}


def run(name, problem, loss, *, budget, seed, size=None):
    """Run a solver until the budget is spent; one that stops early is started again.

    Restarts use other seeds. A start that evaluates nothing ends the run, as there is nothing
    left to try (a finite space may be exhausted).
    """
    solver = SOLVERS[name]
    restart = 0
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        while not loss.spent:
            before = loss.evaluations
            options = {"budget": budget, "size": size or solver.size(budget)}
            options["seed"] = seed + 1_000_003 * restart
            solver.solve(loss, problem.space, **options)
            if loss.evaluations == before:
                return
            restart += 1
