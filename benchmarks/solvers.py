"""The solvers of the quality benchmark as a table; to add one, add a row to `SOLVERS`."""

import contextlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import adapters
import adapters_models as models
import adapters_orders as orders
import adapters_strategies as strategies
from suites import evaluations

OURS = "geneticpy"
NUMBERS = frozenset({"real", "integer"})
FIXED = NUMBERS | {"category"}
NO_ORDER = FIXED | {"structure"}
EVERY_KIND = NO_ORDER | {"order"}
ORDER = frozenset({"order"})


@dataclass(frozen=True)
class Solver:
    """A row of the table.

    Attributes
    ----------
    solve : callable
        See the module.
    package : str
        Distribution whose version is part of the cache key.
    needs : str
        Another distribution without which it does not run, or "".
    sizes : dict of int to int
        Population by the smallest budget at which it is used. For peers the best of several on
        other seeds (README.md), for this package its default; some solvers have none (1).
    interpreter : {"main", "geneticpy2"}
    largest_budget : int or None
        Above it the solver is left out, because it would take hours.
    optional : bool
        Runs in the suites of the first group only when named.
    told : bool
        Whether a run depends on its budget. If not, one run answers for all shorter ones.
    kinds : set of str
        Kinds of genes that it has or that are documented for it; see `spaces.kinds_of`.
    """

    solve: Callable
    package: str
    sizes: dict
    interpreter: str = "main"
    largest_budget: int | None = None
    optional: bool = False
    told: bool = True
    kinds: frozenset = EVERY_KIND
    needs: str = ""

    def obstacle(self, suite, budget, *, named):
        """Return the reason why the solver does not run on a suite at a budget, or None."""
        if self.optional and not suite.every_peer and not named:
            return "only when named"
        foreign = suite.kinds - self.kinds
        if foreign:
            return f"has no genes of kind {', '.join(sorted(foreign))}"
        largest = max(evaluations(budget, problem) for problem in suite.problems.values())
        if self.largest_budget and largest > self.largest_budget:
            return f"hours of its own time above {self.largest_budget:,} evaluations"
        return None

    def size(self, budget):
        """Population for `budget`."""
        return self.sizes[max(least for least in self.sizes if least <= budget)]


def _peer(solve, package, kinds, largest_budget=None, *, told=False, needs=""):
    """Return the row of a peer without a population, which is left out of the first suites."""
    row = Solver(solve, package, {0: 1}, largest_budget=largest_budget, kinds=kinds)
    return replace(row, optional=True, told=told, needs=needs)


def _optuna(sampler, largest_budget, *, kinds=NO_ORDER, needs="", **settings):
    """Return the row of a sampler of Optuna."""
    solve = partial(models.solve_optuna, sampler=sampler, **settings)
    return _peer(solve, "optuna", kinds, largest_budget, needs=needs)


def _nevergrad(optimizer):
    """Return the row of an optimizer of Nevergrad."""
    solve = partial(strategies.solve_nevergrad, optimizer=optimizer)
    return _peer(solve, "nevergrad", EVERY_KIND, 20_000, told=True)


SOLVERS = {
    "geneticpy": Solver(adapters.solve_geneticpy, "geneticpy", {0: 100}),
    "GeneticPy 2.0.0": Solver(
        adapters.solve_geneticpy2,
        "geneticpy",
        {0: 10, 500: 50, 5_000: 100},
        interpreter="geneticpy2",
    ),
    "PyGAD": Solver(adapters.solve_pygad, "pygad", {0: 5, 500: 10, 5_000: 100}),
    "DEAP": Solver(adapters.solve_deap, "deap", {0: 20, 500: 50, 5_000: 400}, kinds=NO_ORDER),
    "inspyred": Solver(adapters.solve_inspyred, "inspyred", {0: 20, 500: 50}),
    "pymoo GA": Solver(
        adapters.solve_pymoo, "pymoo", {0: 10, 500: 20, 5_000: 100}, kinds=NO_ORDER
    ),
    "geneticalgorithm2": Solver(
        adapters.solve_geneticalgorithm2, "geneticalgorithm2", {0: 10, 5_000: 200}
    ),
    "scipy DE": Solver(adapters.solve_scipy_de, "scipy", {0: 10, 5_000: 20}),
    "DEAP (orders)": Solver(
        orders.solve_deap_order, "deap", {0: 20, 500: 50, 5_000: 400}, optional=True, kinds=ORDER
    ),
    "pymoo GA (orders)": Solver(
        orders.solve_pymoo_order, "pymoo", {0: 10, 500: 20, 5_000: 100}, optional=True, kinds=ORDER
    ),
    "Optuna TPE": _optuna("TPESampler", 2_000),
    "Optuna TPE group": _optuna("TPESampler", 1_000, multivariate=True, group=True),
    "Optuna CMA-ES": _optuna("CmaEsSampler", 2_000, kinds=NUMBERS, needs="cmaes"),
    "Optuna GP": _optuna("GPSampler", 250, needs="torch"),
    "Optuna NSGA-II": _optuna("NSGAIISampler", 2_000),
    "Hyperopt TPE": _peer(models.solve_hyperopt, "hyperopt", NO_ORDER, 2_000),
    "SMAC3": _peer(models.solve_smac, "smac", NO_ORDER, 100, told=True),
    "Nevergrad NGOpt": _nevergrad("NGOpt"),
    "Nevergrad portfolio": _nevergrad("PortfolioDiscreteOnePlusOne"),
    "pycma BIPOP": _peer(strategies.solve_pycma, "cma", NUMBERS),
    "cmaes CMAwM": _peer(strategies.solve_cmaes, "cmaes", NUMBERS),
    "cmaes CatCMAwM": _peer(strategies.solve_catcma, "cmaes", FIXED),
    "random": Solver(adapters.solve_random, "numpy", {0: 1}, told=False),
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
