"""What the tables of quality.py are made of: which cells they need, and what a cell is worth."""

from typing import NamedTuple

import numpy as np
from problem import ReferencedProblem
from problems import PROBLEMS, SUITES
from scores import reached, regret
from solvers import SOLVERS
from suites import evaluations


def budgets_of(suite, options):
    """Return the budgets at which a suite is run."""
    return options.budgets or SUITES[suite].budgets


def grid_of(options):
    """Return all pairs of suite and budget."""
    return [(suite, budget) for suite in options.suites for budget in budgets_of(suite, options)]


def suite_cells(name, suite, budget, options):
    """Return the cells of a solver in one table; none where it does not run."""
    solver = SOLVERS[name]
    if solver.obstacle(SUITES[suite], budget, named=options.named):
        return []
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    problems = SUITES[suite].problems
    counts = {problem: evaluations(budget, problems[problem]) for problem in problems}
    return [
        {
            "problem": problem,
            "seed": seed,
            "budget": count,
            "size": options.population or solver.size(count),
        }
        for problem, count in counts.items()
        for seed in seeds
    ]


def cells_of(name, options):
    """Return every cell that the options ask of a solver, each once."""
    cells = [cell for pair in grid_of(options) for cell in suite_cells(name, *pair, options)]
    return list({tuple(cell.values()): cell for cell in cells}.values())


def best_seen(stores, suite):
    """Return {problem: smallest loss stored} where no optimum is known, for all solvers."""
    present = [store for store in stores.values() if store]
    return {
        name: min(store.lowest(name) for store in present)
        for name, problem in SUITES[suite].problems.items()
        if isinstance(problem, ReferencedProblem) and present
    }


def collect(stores, suite, budget, options):
    """Gather the outcomes of all solvers that have every cell of a table.

    Returns
    -------
    dict of str to list of Outcome
        By solver, for problems and seeds in the order of `suite_cells`.
    """
    seen = best_seen(stores, suite)
    outcomes = {}
    for name, store in stores.items():
        cells = suite_cells(name, suite, budget, options) if store else []
        records = [store.get(cell) for cell in cells]
        if cells and None not in records:
            pairs = zip(cells, records, strict=True)
            outcomes[name] = [_outcome(cell, record["trace"], seen) for cell, record in pairs]
    return outcomes


class Outcome(NamedTuple):
    """What a cell is judged by.

    Attributes
    ----------
    trace : list of (int, float)
        Evaluations and distance to the optimum, to the best known where it is not known.
    scale : float
        Distance from the optimum to the median of random draws.
    """

    problem: str
    seed: int
    budget: int
    trace: list
    scale: float

    @property
    def final(self):
        """Distance to the optimum at the end."""
        return self.trace[-1][1]


def _outcome(cell, trace, seen):
    """Measure a trace from the optimum of its instance."""
    problem, seed = PROBLEMS[cell["problem"]], cell["seed"]
    optimum = min(problem.optimum_of(seed), seen.get(problem.name, np.inf))
    scale = problem.median_loss(seed) - optimum
    distances = [(count, loss - optimum) for count, loss in trace]
    return Outcome(problem.name, seed, cell["budget"], distances, scale)


def table_of(outcomes, measure):
    """Compute one number for each cell: (k, p, s) array of solvers, problems, seeds."""
    cells = next(iter(outcomes.values()))
    shape = (len(outcomes), -1, len({outcome.seed for outcome in cells}))
    return np.array([[measure(o) for o in block] for block in outcomes.values()]).reshape(shape)


def regret_of(outcome):
    """Normalize the final loss of a cell."""
    return regret(outcome.final, optimum=0.0, median=outcome.scale)


def reached_of(outcome, suite):
    """Share of targets reached on the way and at the end."""
    targets = SUITES[suite].targets(outcome.scale)
    return reached(outcome.trace, targets, outcome.budget)


def measure_of(cell, trace, suite):
    """Judge one cell by the measure of a suite, the smaller the better, from 0 to 1."""
    outcome = _outcome(cell, trace, {})
    return 1 - reached_of(outcome, suite)[0] if SUITES[suite].targets else regret_of(outcome)
