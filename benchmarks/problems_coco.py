"""The functions of COCO: BBOB and its mixed-integer form, through coco-experiment.

Seed s is instance s + 1. The smallest value is known: COCO prints the best parameters, and the
function is evaluated there.

References
----------
.. [1] Hansen et al., "COCO: a platform for comparing continuous optimizers in a black-box
   setting", Optimization Methods and Software, 2021.
.. [2] Tusar, Brockhoff & Hansen, "Mixed-integer benchmark problems for single- and bi-objective
   optimization", GECCO 2019.
"""

import os
import tempfile
import threading
from functools import cache, partial
from pathlib import Path

import numpy as np
from problem import Instance
from spaces import Integer, Real

FUNCTIONS = range(1, 25)
DIMENSIONS = (5, 10, 20)
BOX = 5.0
ARITIES = (2, 4, 8, 16)  # of bbob-mixint: a fifth of the genes each, the last fifth is real
TARGETS = 10 ** np.linspace(2, -8, 51)
PRINTED = "._bbob_problem_best_parameter.txt"  # in the working directory, by COCO
WORKING_DIRECTORY = threading.Lock()


def precisions(scale):
    """Distances to the optimum that COCO asks for, whatever the scale: (51,) array."""
    return TARGETS


def _problem(suite, function, d, number):
    """Open a function of COCO; the suite must live as long as its problem."""
    import cocoex

    which = f"dimensions: {d} function_indices: {function} instance_indices: 1"
    opened = cocoex.Suite(suite, f"instances: {number}", which)
    return opened, opened[0]


@cache
def _best(suite, function, d, number):
    """Return the best parameters and the value there: ((d,) array, float)."""
    _keep, problem = _problem(suite, function, d, number)
    with WORKING_DIRECTORY, tempfile.TemporaryDirectory() as folder:
        before = Path.cwd()
        os.chdir(folder)
        try:
            problem._best_parameter("print")
            best = np.loadtxt(PRINTED)
        finally:
            os.chdir(before)
    return best, float(problem(best))


def _instance(number, *, suite, function, space):
    """Make an instance: `Instance` with a loss on the parameters of `space`."""
    names, d = list(space), len(space)
    opened, problem = _problem(suite, function, d, number)
    best, optimum = _best(suite, function, d, number)

    def loss(params, _keep=opened):
        """Evaluate the function of COCO."""
        return float(problem(np.array([params[name] for name in names], dtype=float)))

    kinds = [int if isinstance(space[name], Integer) else float for name in names]
    values = [kind(x) for kind, x in zip(kinds, best, strict=True)]
    return Instance(loss, optimum, dict(zip(names, values, strict=True)))


def _continuous(d):
    """Return the space of BBOB."""
    return {f"x{i}": Real(-BOX, BOX) for i in range(d)}


def _mixed(d):
    """Return the space of bbob-mixint: integers of four ranges, then reals."""
    fifth = d // 5
    integers = [Integer(0, arity - 1) for arity in ARITIES for _ in range(fifth)]
    return {f"x{i}": kind for i, kind in enumerate(integers + [Real(-BOX, BOX)] * fifth)}


def coco_recipes(suite):
    """Rows (name, space, recipe) of a suite, "bbob" or "bbob-mixint"."""
    space_of = {"bbob": _continuous, "bbob-mixint": _mixed}[suite]
    for d in DIMENSIONS:
        for function in FUNCTIONS:
            space = space_of(d)
            recipe = partial(_instance, suite=suite, function=function, space=space)
            yield f"{suite}-f{function:02}-{d}", space, recipe
