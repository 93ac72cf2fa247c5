"""Permutations by the operators that libraries have for them. The form is that of adapters.py."""

import random

import numpy as np


def solve_deap_order(loss, space, *, budget, size, seed):
    """DEAP: the calls of its travelling salesman example."""
    from deap import algorithms, base, creator, tools

    random.seed(seed)
    ((name, order),) = space.items()
    if not hasattr(creator, "Minimized"):
        creator.create("Minimized", base.Fitness, weights=(-1.0,))
        creator.create("Candidate", list, fitness=creator.Minimized)
    toolbox = base.Toolbox()
    toolbox.register("evaluate", lambda codes: (loss({name: list(codes)}),))
    toolbox.register("mate", tools.cxPartialyMatched)
    toolbox.register("mutate", tools.mutShuffleIndexes, indpb=0.05)
    toolbox.register("select", tools.selTournament, tournsize=3)
    population = [
        creator.Candidate(random.sample(range(order.size), order.size)) for _ in range(size)
    ]
    algorithms.eaSimple(population, toolbox, cxpb=0.7, mutpb=0.2, ngen=budget, verbose=False)


def solve_pymoo_order(loss, space, *, budget, size, seed):
    """Run pymoo's GA with order crossover and inversion, as in its documentation."""
    from pymoo.algorithms.soo.nonconvex.ga import GA
    from pymoo.core.problem import ElementwiseProblem
    from pymoo.operators.crossover.ox import OrderCrossover
    from pymoo.operators.mutation.inversion import InversionMutation
    from pymoo.operators.sampling.rnd import PermutationRandomSampling
    from pymoo.optimize import minimize

    ((name, order),) = space.items()

    class Tour(ElementwiseProblem):
        def __init__(self):
            super().__init__(n_var=order.size, n_obj=1, xl=0, xu=order.size - 1, vtype=int)

        def _evaluate(self, x, out, *args, **kwargs):
            out["F"] = loss({name: np.asarray(x).tolist()})

    algorithm = GA(
        pop_size=size,
        sampling=PermutationRandomSampling(),
        crossover=OrderCrossover(),
        mutation=InversionMutation(),
        eliminate_duplicates=True,
    )
    minimize(Tour(), algorithm, ("n_eval", budget + size), seed=seed, verbose=False)
