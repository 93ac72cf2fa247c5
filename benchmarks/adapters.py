"""How each library of the quality benchmark is called: genetic algorithms and random draws.

Models are in adapters_models.py, evolution strategies and Nevergrad in adapters_strategies.py,
operators for permutations in adapters_orders.py. Every function has the form
`solve(loss, space, *, budget, size, seed)`. `loss` takes plain parameters, counts, and raises
`BudgetSpentError` beyond the budget, so a solver may be told to do more than the budget allows,
and is not to be told to do less. `size` is the population. Libraries are imported inside, so that
a missing one costs only its own row. README.md says in words what each call does and where its
settings come from.
"""

import random

import numpy as np
from spaces import Category, Integer, ListOf, Order, Real, Variant, decoder, draw


def solve_random(loss, space, *, budget, size, seed):
    """Draw uniformly."""
    rng = np.random.default_rng(seed)
    for _ in range(budget):
        loss(draw(space, rng))


def _generations(size, budget):
    """Generations after which GeneticPy's form of counting (half retained) passes the budget."""
    return max(1, -(-2 * (budget - size) // size) + 1)


def nested(space):
    """Translate to the spaces of this package, which has all of these kinds."""
    import geneticpy as g

    match space:
        case dict():
            return {name: nested(part) for name, part in space.items()}
        case Real(log=True):
            return g.LogUniformDistribution(space.low, space.high)
        case Real():
            return g.UniformDistribution(space.low, space.high)
        case Integer(log=True):
            return g.LogUniformDistribution(space.low, space.high, q=1)
        case Integer():
            return g.UniformDistribution(space.low, space.high, q=1)
        case Category():
            return g.ChoiceDistribution(list(space.options))
        case Variant():
            arms = [{"kind": kind, **nested(arm)} for kind, arm in space.arms.items()]
            return g.ChoiceDistribution(arms)
        case ListOf():
            return g.ListDistribution(nested(space.element), space.min_size, space.max_size)
        case Order():
            return g.PermutationDistribution(range(space.size))
    raise TypeError(f"nested: not a description of a space, got {space!r}.")


def solve_geneticpy(loss, space, *, budget, size, seed):
    """Run this package: defaults except population, budget and seed."""
    import geneticpy

    geneticpy.optimize(
        loss,
        nested(space),
        size=size,
        generation_count=_generations(size, budget),
        max_evaluations=budget,
        seed=seed,
    )


def solve_geneticpy2(loss, space, *, budget, size, seed):
    """GeneticPy 2.0.0: defaults except population, generations and seed."""
    import geneticpy as g

    coordinates, decode = decoder(space)
    flat = {}
    for c in coordinates:
        low, high = c.bounds
        if c.type == "category":
            flat[c.name] = g.ChoiceDistribution(list(range(high + 1)))
        elif low < high:
            q = 1 if c.type == "integer" else None
            flat[c.name] = g.UniformDistribution(low, high, q=q)
        else:
            flat[c.name] = low
    g.optimize(
        lambda params: loss(decode([params[c.name] for c in coordinates])),
        flat,
        size=size,
        generation_count=_generations(size, budget) + 10,
        seed=seed,
    )


def solve_pygad(loss, space, *, budget, size, seed):
    """PyGAD: half of the population mates, everything else at its default."""
    import pygad

    coordinates, decode = decoder(space)
    genes, types = [], []
    for c in coordinates:
        low, high = c.bounds
        real = c.type == "real"
        genes.append({"low": low, "high": high} if real else list(range(low, high + 1)))
        types.append(float if real else int)
    pygad.GA(
        num_generations=budget,
        num_parents_mating=size // 2,
        sol_per_pop=size,
        num_genes=len(genes),
        gene_space=genes,
        gene_type=types,
        gene_categorical=[c.type == "category" for c in coordinates],
        fitness_func=lambda _ga, codes, _index: -loss(decode(codes)),
        random_seed=seed,
        suppress_warnings=True,
    ).run()


def _deap_mutate(codes, *, coordinates, probability):
    """Mutate each gene with `probability`: numbers by a Gaussian step, categories redrawn."""
    for index, c in enumerate(coordinates):
        if random.random() >= probability:
            continue
        low, high = c.bounds
        if c.type == "category":
            codes[index] = random.randint(low, high)
            continue
        moved = codes[index] + random.gauss(0, 0.1 * (high - low))
        moved = round(moved) if c.type == "integer" else moved
        codes[index] = min(max(moved, low), high)
    return (codes,)


def _deap_operators(toolbox, tools, coordinates):
    """Register crossover and mutation: the bounded real-coded pair where all genes are real."""
    d = len(coordinates)
    if all(c.type == "real" for c in coordinates):
        low, high = (list(side) for side in zip(*(c.bounds for c in coordinates), strict=True))
        bounded = {"eta": 20.0, "low": low, "up": high}
        toolbox.register("mate", tools.cxSimulatedBinaryBounded, **bounded)
        toolbox.register("mutate", tools.mutPolynomialBounded, indpb=1 / d, **bounded)
    else:
        toolbox.register("mate", tools.cxTwoPoint)
        toolbox.register("mutate", _deap_mutate, coordinates=coordinates, probability=1 / d)
    toolbox.register("select", tools.selTournament, tournsize=3)


def solve_deap(loss, space, *, budget, size, seed):
    """DEAP: `eaSimple` with the probabilities of its documentation (0.5 and 0.2)."""
    from deap import algorithms, base, creator, tools

    random.seed(seed)
    coordinates, decode = decoder(space)
    if not hasattr(creator, "Minimized"):
        creator.create("Minimized", base.Fitness, weights=(-1.0,))
        creator.create("Candidate", list, fitness=creator.Minimized)

    def candidate():
        """Draw an individual."""
        draws = {"real": random.uniform, "integer": random.randint, "category": random.randint}
        return creator.Candidate(draws[c.type](*c.bounds) for c in coordinates)

    toolbox = base.Toolbox()
    toolbox.register("evaluate", lambda codes: (loss(decode(codes)),))
    _deap_operators(toolbox, tools, coordinates)
    population = [candidate() for _ in range(size)]
    algorithms.eaSimple(population, toolbox, cxpb=0.5, mutpb=0.2, ngen=budget, verbose=False)


def solve_inspyred(loss, space, *, budget, size, seed):
    """Run inspyred: the composition its documentation shows for real-coded problems."""
    from inspyred import ec

    coordinates, decode = decoder(space)

    def generate(random, args):
        """Draw an individual."""
        draws = {"real": random.uniform, "integer": random.randint, "category": random.randint}
        return [draws[c.type](*c.bounds) for c in coordinates]

    @ec.variators.mutator
    def mutate(random, codes, args):
        """Mutate each gene at the given rate: numbers by a Gaussian step, categories redrawn."""
        mutant = list(codes)
        for index, c in enumerate(coordinates):
            low, high = c.bounds
            if random.random() >= args["mutation_rate"]:
                continue
            if c.type == "category":
                mutant[index] = random.randint(low, high)
            else:
                mutant[index] += random.gauss(0, 0.1 * (high - low))
        return args["_ec"].bounder(mutant, args)

    def bound(codes, args):
        """Clip to the bounds and round integers."""
        clipped = (min(max(x, c.bounds[0]), c.bounds[1]) for x, c in zip(codes, coordinates))  # noqa: B905
        return [
            x if c.type == "real" else round(x) for x, c in zip(clipped, coordinates, strict=True)
        ]

    algorithm = ec.EvolutionaryComputation(random.Random(seed))
    algorithm.selector = ec.selectors.tournament_selection
    algorithm.variator = [ec.variators.uniform_crossover, mutate]
    algorithm.replacer = ec.replacers.steady_state_replacement
    algorithm.terminator = ec.terminators.evaluation_termination
    algorithm.evolve(
        generator=generate,
        evaluator=lambda candidates, args: [loss(decode(codes)) for codes in candidates],
        bounder=bound,
        pop_size=size,
        maximize=False,
        tournament_size=min(7, size),
        num_selected=2,
        mutation_rate=0.2,
        max_evaluations=budget + 1,
    )


def _pymoo_problem(loss, coordinates, decode):
    """Return the pymoo problem: an array for real genes, a dict of variables for mixed ones."""
    from pymoo.core.problem import ElementwiseProblem
    from pymoo.core.variable import Choice
    from pymoo.core.variable import Integer as PymooInteger
    from pymoo.core.variable import Real as PymooReal

    def variable(c):
        """Translate one coordinate."""
        if c.type == "category":
            return Choice(options=list(range(c.bounds[1] + 1)))
        return {"real": PymooReal, "integer": PymooInteger}[c.type](bounds=c.bounds)

    class Arrays(ElementwiseProblem):
        def __init__(self):
            low, high = zip(*(c.bounds for c in coordinates), strict=True)
            super().__init__(n_var=len(low), n_obj=1, xl=np.array(low), xu=np.array(high))

        def _evaluate(self, x, out, *args, **kwargs):
            out["F"] = loss(decode(x))

    class Mixed(ElementwiseProblem):
        def __init__(self):
            super().__init__(vars={c.name: variable(c) for c in coordinates}, n_obj=1)

        def _evaluate(self, x, out, *args, **kwargs):
            out["F"] = loss(decode([x[c.name] for c in coordinates]))

    return Arrays() if all(c.type == "real" for c in coordinates) else Mixed()


def solve_pymoo(loss, space, *, budget, size, seed):
    """Run pymoo: `GA` on floats, `MixedVariableGA` on everything else, at their defaults."""
    from pymoo.algorithms.soo.nonconvex.ga import GA
    from pymoo.core.mixed import MixedVariableGA
    from pymoo.optimize import minimize

    coordinates, decode = decoder(space)
    real = all(c.type == "real" for c in coordinates)
    algorithm = (GA if real else MixedVariableGA)(pop_size=size)
    problem = _pymoo_problem(loss, coordinates, decode)
    minimize(problem, algorithm, ("n_eval", budget + size), seed=seed, verbose=False)


def solve_scipy_de(loss, space, *, budget, size, seed):
    """Run scipy's differential_evolution: defaults except population and iterations."""
    from scipy.optimize import differential_evolution

    coordinates, decode = decoder(space)
    differential_evolution(
        lambda codes: loss(decode(codes)),
        [c.bounds for c in coordinates],
        integrality=[c.type != "real" for c in coordinates],
        popsize=max(1, round(size / len(coordinates))),
        maxiter=budget,
        rng=np.random.default_rng(seed),
    )


def solve_geneticalgorithm2(loss, space, *, budget, size, seed):
    """Run geneticalgorithm2: defaults except population and iterations."""
    from geneticalgorithm2 import GeneticAlgorithm2

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (the library draws from the global generator)
    coordinates, decode = decoder(space)
    model = GeneticAlgorithm2(
        dimension=len(coordinates),
        variable_type=["real" if c.type == "real" else "int" for c in coordinates],
        variable_boundaries=[c.bounds for c in coordinates],
        algorithm_parameters={"max_num_iteration": budget, "population_size": size},
    )
    model.run(
        function=lambda codes: loss(decode(codes)),
        no_plot=True,
        disable_printing=True,
        progress_bar_stream=None,
        seed=seed,
    )
