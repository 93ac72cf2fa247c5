"""The child process of overhead.py: one library, one measurement, in a fresh interpreter.

Every case minimizes the same sphere over [0, 1] in `genes` genes, with the loss written for the
type of argument the library gives it. The loss's own time is measured on arguments that the
library itself made, and subtracted by the parent.

Standard input holds {"task": "measure" or "generations", ...}; the answer is one JSON line.
"""

import itertools
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import environments
import numpy as np

OPTIMUM = 0.3
RECORDED = 500  # arguments kept to time the loss with
SEED = 1


def sphere_of_mapping(params):
    """Loss of a dict of numbers."""
    total = 0.0
    for value in params.values():
        total += (value - OPTIMUM) * (value - OPTIMUM)
    return total


def sphere_of_sequence(values):
    """Loss of a list of numbers."""
    total = 0.0
    for value in values:
        total += (value - OPTIMUM) * (value - OPTIMUM)
    return total


def sphere_of_array(values):
    """Loss of a (d,) array."""
    distance = values - OPTIMUM
    return float(distance @ distance)


def spheres_of_columns(columns):
    """Losses (n,) of a dict of (n,) arrays."""
    return sum((column - OPTIMUM) ** 2 for column in columns.values())


def spheres_of_rows(rows):
    """Losses (n,) of an (n, d) array."""
    return ((rows - OPTIMUM) ** 2).sum(axis=1)


def spheres_of_transposed(columns):
    """Losses (n,) of a (d, n) array."""
    return ((columns - OPTIMUM) ** 2).sum(axis=0)


def names(genes):
    """Names of the genes for libraries with named parameters."""
    return [f"x{i}" for i in range(genes)]


def evaluations(size, generations):
    """Evaluations of GeneticPy's form of counting: half of each generation is new."""
    return size * (2 + generations) // 2


def run_random(loss, genes, size, generations):
    """Draw dicts with the standard library's generator: the floor of any Python optimizer."""
    rng = random.Random(SEED)
    keys = names(genes)
    for _ in range(evaluations(size, generations)):
        loss({key: rng.random() for key in keys})


def run_geneticpy(loss, genes, size, generations, **options):
    """Minimize with this package, or with GeneticPy 2.0.0: the call is the same."""
    import geneticpy

    space = {name: geneticpy.UniformDistribution(0.0, 1.0) for name in names(genes)}
    options = {"size": size, "generation_count": generations, "seed": SEED, **options}
    return geneticpy.optimize(loss, space, **options)


def run_scipy(loss, genes, size, generations, **options):
    """Minimize with scipy's differential_evolution, without its early stop and polish."""
    from scipy.optimize import differential_evolution

    differential_evolution(
        loss,
        [(0.0, 1.0)] * genes,
        popsize=max(1, size // genes),
        maxiter=evaluations(size, generations) // size - 1,
        tol=0,
        polish=False,
        rng=SEED,
        **options,
    )


def run_pymoo(loss, genes, size, generations, vectorized=False):
    """Minimize with pymoo's GA."""
    from pymoo.algorithms.soo.nonconvex.ga import GA
    from pymoo.core.problem import ElementwiseProblem, Problem
    from pymoo.optimize import minimize

    class Sphere(Problem if vectorized else ElementwiseProblem):
        def __init__(self):
            super().__init__(n_var=genes, n_obj=1, xl=0.0, xu=1.0)

        def _evaluate(self, x, out, *args, **kwargs):
            out["F"] = loss(x)

    count = evaluations(size, generations)
    minimize(Sphere(), GA(pop_size=size), ("n_eval", count), seed=SEED, verbose=False)


def run_pygad(loss, genes, size, generations):
    """Minimize with PyGAD."""
    import pygad

    pygad.GA(
        num_generations=evaluations(size, generations) // size - 1,
        num_parents_mating=size // 2,
        sol_per_pop=size,
        num_genes=genes,
        gene_space={"low": 0.0, "high": 1.0},
        fitness_func=lambda _ga, values, _index: -loss(values),
        random_seed=SEED,
        suppress_warnings=True,
    ).run()


def run_deap(loss, genes, size, generations):
    """Minimize with DEAP's eaSimple, which evaluates about 60 % of each generation."""
    from deap import algorithms, base, creator, tools

    random.seed(SEED)
    if not hasattr(creator, "Candidate"):
        creator.create("Minimized", base.Fitness, weights=(-1.0,))
        creator.create("Candidate", list, fitness=creator.Minimized)
    toolbox = base.Toolbox()
    toolbox.register("gene", random.random)
    toolbox.register("candidate", tools.initRepeat, creator.Candidate, toolbox.gene, genes)
    toolbox.register("population", tools.initRepeat, list, toolbox.candidate)
    toolbox.register("evaluate", lambda values: (loss(values),))
    toolbox.register("mate", tools.cxTwoPoint)
    toolbox.register("mutate", tools.mutGaussian, mu=0, sigma=0.1, indpb=0.1)
    toolbox.register("select", tools.selTournament, tournsize=3)
    rounds = round((evaluations(size, generations) - size) / (0.6 * size))
    population = toolbox.population(n=size)
    algorithms.eaSimple(population, toolbox, cxpb=0.5, mutpb=0.2, ngen=rounds, verbose=False)


def run_inspyred(loss, genes, size, generations):
    """Minimize with inspyred: tournaments, uniform crossover, Gaussian mutation."""
    from inspyred import ec

    algorithm = ec.EvolutionaryComputation(random.Random(SEED))
    algorithm.selector = ec.selectors.tournament_selection
    algorithm.variator = [ec.variators.uniform_crossover, ec.variators.gaussian_mutation]
    algorithm.replacer = ec.replacers.generational_replacement
    algorithm.terminator = ec.terminators.evaluation_termination
    algorithm.evolve(
        generator=lambda random, args: [random.random() for _ in range(genes)],
        evaluator=lambda candidates, args: [loss(values) for values in candidates],
        bounder=ec.Bounder(0, 1),
        pop_size=size,
        num_selected=size,
        maximize=False,
        gaussian_stdev=0.1,
        max_evaluations=evaluations(size, generations),
    )


def run_geneticalgorithm2(loss, genes, size, generations, vectorized=False):
    """Minimize with geneticalgorithm2, which evaluates 70 % of each generation."""
    from geneticalgorithm2 import GeneticAlgorithm2

    rounds = round((evaluations(size, generations) - size) / (0.7 * size)) + 1
    model = GeneticAlgorithm2(
        dimension=genes,
        variable_type="real",
        variable_boundaries=[(0.0, 1.0)] * genes,
        algorithm_parameters={"max_num_iteration": rounds, "population_size": size},
    )
    model.run(
        **{"set_function" if vectorized else "function": loss},
        no_plot=True,
        disable_printing=True,
        progress_bar_stream=None,
        seed=SEED,
    )


def run_nevergrad(loss, genes, size, generations):
    """Minimize with nevergrad's TwoPointsDE, at this population."""
    import nevergrad as ng

    space = ng.p.Array(shape=(genes,), lower=0.0, upper=1.0)
    space.random_state.seed(SEED)
    family = ng.optimizers.DifferentialEvolution(crossover="twopoints", popsize=size)
    family(space, budget=evaluations(size, generations)).minimize(loss)


@dataclass(frozen=True)
class Case:
    """A row of the table.

    Attributes
    ----------
    run : callable
        `run(loss, genes, size, generations)`.
    package : str
        Distribution name.
    loss : callable
        The sphere for the library's type of argument.
    rows : callable or None
        Number of points in an argument, for losses of many points at once.
    size : int or None
        Population that differs from the one asked for.
    interpreter : {"main", "geneticpy2"}
    """

    run: Callable
    package: str
    loss: Callable
    rows: Callable | None = None
    size: int | None = None
    interpreter: str = "main"


def _column_rows(columns):
    """Count the points in a dict of columns."""
    return len(next(iter(columns.values())))


VECTORIZED = partial(run_geneticpy, vectorized=True)
SCIPY_VECTORIZED = partial(run_scipy, vectorized=True, updating="deferred")

CASES = {
    "geneticpy": Case(run_geneticpy, "geneticpy", sphere_of_mapping),
    "geneticpy, vectorized": Case(VECTORIZED, "geneticpy", spheres_of_columns, _column_rows),
    "geneticpy, vectorized, size=2000": Case(
        VECTORIZED, "geneticpy", spheres_of_columns, _column_rows, size=2_000
    ),
    "GeneticPy 2.0.0": Case(
        run_geneticpy, "geneticpy", sphere_of_mapping, interpreter="geneticpy2"
    ),
    "geneticalgorithm2": Case(run_geneticalgorithm2, "geneticalgorithm2", sphere_of_array),
    "geneticalgorithm2, vectorized": Case(
        partial(run_geneticalgorithm2, vectorized=True), "geneticalgorithm2", spheres_of_rows, len
    ),
    "inspyred": Case(run_inspyred, "inspyred", sphere_of_sequence),
    "DEAP": Case(run_deap, "deap", sphere_of_sequence),
    "scipy DE": Case(run_scipy, "scipy", sphere_of_array),
    "scipy DE, vectorized": Case(
        SCIPY_VECTORIZED, "scipy", spheres_of_transposed, lambda columns: columns.shape[1]
    ),
    "PyGAD": Case(run_pygad, "pygad", sphere_of_array),
    "pymoo GA": Case(run_pymoo, "pymoo", sphere_of_array),
    "pymoo GA, vectorized": Case(
        partial(run_pymoo, vectorized=True), "pymoo", spheres_of_rows, len
    ),
    "nevergrad TwoPointsDE": Case(run_nevergrad, "nevergrad", sphere_of_array),
    "random dicts": Case(run_random, "numpy", sphere_of_mapping),
}


def peak_mb():
    """Largest resident memory of this process so far, in MB.

    From /proc where there is one: ru_maxrss of a child also contains its parent's memory.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def record(case, genes, size):
    """Run a few generations and return arguments that the library gave to the loss."""
    kept = []

    def loss(argument):
        """Keep the argument."""
        if len(kept) < RECORDED:
            kept.append(argument)
        return case.loss(argument)

    case.run(loss, genes, size, 6)
    return kept


def counting(case):
    """Return the loss, wrapped to count points, and the function that tells the count."""
    loss, rows = case.loss, case.rows
    if rows is None:
        counter = itertools.count()
        step = counter.__next__

        def count_one(argument):
            """Count one point."""
            step()
            return loss(argument)

        return count_one, lambda: next(counter)
    seen = [0]

    def count_many(argument):
        """Count the points of the argument."""
        seen[0] += rows(argument)
        return loss(argument)

    return count_many, lambda: seen[0]


def loss_seconds(case, arguments, at_least_s=0.3):
    """CPU seconds that the counted loss takes for one point, the median of several rounds."""
    loss, _ = counting(case)
    points = sum(map(case.rows, arguments)) if case.rows else len(arguments)
    rounds, total = [], 0.0
    while total < at_least_s:
        started = time.process_time()
        for argument in arguments:
            loss(argument)
        rounds.append(time.process_time() - started)
        total += rounds[-1]
    return float(np.median(rounds)) / points


def measure(name, *, genes, size, generations):
    """Measure one case: CPU seconds of the whole call, of one loss, evaluations and memory."""
    case = CASES[name]
    size = case.size or size
    arguments = record(case, genes, size)
    loss_s = loss_seconds(case, arguments)
    del arguments
    before_mb = peak_mb()
    loss, count = counting(case)
    started = time.process_time()
    case.run(loss, genes, size, generations)
    cpu_s = time.process_time() - started
    done = count()
    return {
        "version": environments.version(case.package),
        "evaluations": done,
        "cpu_us": 1e6 * (cpu_s / done - loss_s),
        "loss_us": 1e6 * loss_s,
        "peak_mb": peak_mb(),
        "grown_mb": peak_mb() - before_mb,
    }


def generation_costs(*, size, generations, vectorized, windows, half_width):
    """CPU microseconds per evaluation, loss included, of our generations around given numbers."""
    stamps = []
    loss = spheres_of_columns if vectorized else sphere_of_mapping

    def stamp(*_state):
        """Note the time at the end of a generation; None means go on."""
        stamps.append(time.process_time())

    result = run_geneticpy(loss, 10, size, generations, vectorized=vectorized, callback=stamp)
    per_stamp = result.evaluations / len(stamps)
    costs = np.diff(stamps) * 1e6 / per_stamp
    return {
        "stamps": len(stamps),
        "costs": [
            float(np.median(costs[max(0, at - half_width) : at + half_width + 1]))
            for at in windows
        ],
    }


TASKS = {"measure": measure, "generations": generation_costs}


def main():
    """Answer one request: {"task": name, ...arguments}."""
    request = json.load(sys.stdin)
    answers, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(TASKS[request.pop("task")](**request)), file=answers, flush=True)


if __name__ == "__main__":
    main()
