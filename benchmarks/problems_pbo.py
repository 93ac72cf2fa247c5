"""Pseudo-Boolean functions of 64 bits, through ioh. To be maximized there, negated here.

Seed s is instance s + 2: bits are flipped by a mask and values moved and scaled. Instance 1 is
left out: it is the plain function, whose best bits are often all the same. Optima are those that
ioh states; that of LABS is from the literature. The trap has 60 bits, 12 blocks of 5: with 64
ioh 0.3.22 scores the incomplete block wrongly, so that its stated optimum is none.

References
----------
.. [1] Doerr et al., "Benchmarking discrete optimization heuristics with IOHprofiler", Applied Soft
   Computing 88, 2020.
.. [2] Packebusch & Mertens, "Low autocorrelation binary sequences", Journal of Physics A 49, 2016
   (energy 208 for 64 bits).
"""

from functools import partial
from operator import itemgetter

import numpy as np
from problem import Instance
from spaces import Category

D, D_TRAP = 64, 60
LABS, ONE_MAX = 18, 1
LABS_MERIT = D * D / (2 * 208)
WITHOUT_BEST = ("epistasis", "labs", "independent", "queens")  # ioh knows the value, not the bits
FUNCTIONS = {
    "onemax": 1,
    "leadingones": 2,
    "linear": 3,
    "neutrality": 6,
    "epistasis": 7,
    "ruggedness": 9,
    "labs": LABS,
    "ring": 19,
    "torus": 20,
    "triangular": 21,
    "independent": 22,
    "queens": 23,
    "trap": 24,
}


def _space(name):
    """Return the space of a function."""
    return {f"x{i}": Category((0, 1)) for i in range(D_TRAP if name == "trap" else D)}


def quality_levels(scale):
    """Distances to the optimum in 51 equal steps from below the random median: (51,) array."""
    return scale * (np.linspace(1, 0, 52)[1:] + 1e-9)


def _open(function, number, d=D):
    """Open a function of ioh."""
    import ioh

    kind = ioh.ProblemClass.PBO
    return ioh.get_problem(function, instance=number, dimension=d, problem_class=kind)


def _optimum(problem, function, number):
    """Return the largest value; ioh knows it for all but LABS, whose scale is that of OneMax."""
    if function != LABS:
        return problem.optimum.y
    one_max = _open(ONE_MAX, number)
    bits = one_max.optimum.x
    worst = one_max([1 - bit for bit in bits])
    return worst + (one_max(bits) - worst) / D * LABS_MERIT


def _instance(number, *, name, space):
    """Make an instance of a function, not the plain one."""
    number, function = number + 1, FUNCTIONS[name]
    problem = _open(function, number, len(space))
    genes = itemgetter(*space)

    def loss(params):
        """Evaluate the negated function."""
        return -problem(list(genes(params)))

    known = [int(bit) for bit in problem.optimum.x]
    best = None if name in WITHOUT_BEST else dict(zip(space, known, strict=True))
    return Instance(loss, -float(_optimum(problem, function, number)), best)


def pbo_recipes():
    """Rows (name, space, recipe)."""
    for name in FUNCTIONS:
        space = _space(name)
        yield f"pbo-{name}", space, partial(_instance, name=name, space=space)
