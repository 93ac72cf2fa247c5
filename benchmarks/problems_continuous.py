"""Eight continuous functions, shifted, and rotated where axes would give them away.

The box is [-5, 5] in each gene. The optimum lies uniformly in [-4, 4], so neither the centre nor
a bound is special. The optimal loss is 0.
"""

from functools import partial
from operator import itemgetter

import numpy as np
from spaces import Real

BOX = 5.0
OPTIMUM_WITHIN = 4.0


def sphere(z):
    """The easiest: round and smooth."""
    return z @ z


def ellipsoid(z):
    """Axes a thousand times longer than others (condition 1e6)."""
    return np.logspace(0, 6, len(z)) @ (z * z)


def rosenbrock(z):
    """A bent valley; z = 0 is moved to the optimum at 1."""
    z = z + 1
    return 100 * np.sum((z[:-1] ** 2 - z[1:]) ** 2) + np.sum((z[:-1] - 1) ** 2)


def rastrigin(z):
    """About ten local optima per gene on a bowl."""
    return 10 * (len(z) - np.cos(2 * np.pi * z).sum()) + z @ z


def ackley(z):
    """A plain full of small holes around a steep funnel; z is scaled to about [-30, 30]."""
    z = 4 * z
    root, waves = np.sqrt(np.mean(z * z)), np.mean(np.cos(2 * np.pi * z))
    return 20 - 20 * np.exp(-0.2 * root) + np.e - np.exp(waves)


def griewank(z):
    """A wide bowl with waves that couple all genes; z is scaled to about [-300, 300]."""
    z = 40 * z
    return 1 + z @ z / 4000 - np.prod(np.cos(z / np.sqrt(np.arange(1, len(z) + 1))))


def schwefel(z):
    """Deceptive: the second best basin is far from the best one.

    References
    ----------
    .. [1] Liang, Qu & Suganthan, "Problem definitions and evaluation criteria for the CEC 2014
       special session on single objective real-parameter numerical optimization", function 10.
    """
    z = 100 * z + 420.968746227503
    folded = 500 - np.abs(z) % 500
    outside = np.sign(z) * folded * np.sin(np.sqrt(folded))
    outside -= (np.abs(z) - 500) ** 2 / (10_000 * len(z))
    inside = z * np.sin(np.sqrt(np.abs(z)))
    return 418.982887272433 * len(z) - np.where(np.abs(z) <= 500, inside, outside).sum()


def step(z):
    """Plateaus: only whole steps of the rotated genes count (condition 100)."""
    steps = np.floor(np.abs(z) + 0.5)
    return np.logspace(0, 2, len(z)) @ (steps * steps)


# function, rotated, mirrored (a random sign for each gene)
FUNCTIONS = [
    (sphere, False, False),
    (ellipsoid, True, False),
    (rosenbrock, False, False),
    (rastrigin, True, False),
    (ackley, True, False),
    (griewank, True, False),
    (schwefel, False, True),
    (step, True, False),
]


def random_rotation(rng, d):
    """Draw an orthogonal matrix, uniform over all: (d, d) array."""
    q, r = np.linalg.qr(rng.standard_normal((d, d)))
    return q * np.sign(np.diag(r))


def _recipe(rng, *, function, d, rotated, mirrored):
    """Fix shift, rotation and signs of one instance."""
    names = [f"x{i}" for i in range(d)]
    optimum = rng.uniform(-OPTIMUM_WITHIN, OPTIMUM_WITHIN, d)
    matrix = random_rotation(rng, d) if rotated else np.eye(d)
    if mirrored:
        matrix = matrix * rng.choice([-1.0, 1.0], d)
    genes = itemgetter(*names)

    def loss(params):
        """Evaluate the shifted and rotated function; rounding errors do not go below 0."""
        return max(0.0, float(function(matrix @ (np.array(genes(params)) - optimum))))

    return loss, dict(zip(names, optimum.tolist(), strict=True))


def continuous_recipes(d):
    """Rows (name, space, recipe) of all functions in `d` dimensions."""
    space = {f"x{i}": Real(-BOX, BOX) for i in range(d)}
    for function, rotated, mirrored in FUNCTIONS:
        options = {"function": function, "d": d, "rotated": rotated, "mirrored": mirrored}
        yield f"{function.__name__}-{d}", space, partial(_recipe, **options)
