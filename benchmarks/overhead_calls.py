"""The losses and the calls of overhead.py: the same sphere over [0, 1] for every library.

Every call has the form `run(loss, genes, size, generations)`, with the loss written for the type
of argument that the library passes. README.md says where the settings come from.
"""

import random

OPTIMUM = 0.3
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
