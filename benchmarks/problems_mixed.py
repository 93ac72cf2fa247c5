"""Four problems that mix numbers, integers and choices without order. The optimum is 0."""

import math

import numpy as np
from problems_continuous import random_rotation
from spaces import Category, Integer, Real

LETTERS = tuple("abcdef")


def _penalties(rng, options, low=0.05, high=1.0):
    """Draw a cost for each option; one of them, at random, costs nothing."""
    costs = dict(zip(options, rng.uniform(low, high, len(options)).tolist(), strict=True))
    free = options[rng.integers(len(options))]
    costs[free] = 0.0
    return costs, free


BOWL = {
    **{f"x{i}": Real(-5.0, 5.0) for i in range(5)},
    **{f"n{i}": Integer(-10, 10) for i in range(5)},
    **{f"c{i}": Category(LETTERS[:4]) for i in range(5)},
}


def bowl(rng):
    """A rotated ellipsoid over floats and integers; every choice adds its own cost."""
    floats, integers = rng.uniform(-4, 4, 5), rng.integers(-8, 9, 5)
    matrix = np.logspace(0, 1, 10)[:, None] * random_rotation(rng, 10)  # condition 100
    tables, free = zip(*(_penalties(rng, LETTERS[:4]) for _ in range(5)), strict=True)

    def loss(params):
        """Squared length of the scaled distance (about 2 at random) plus costs of choices."""
        x = [(params[f"x{i}"] - floats[i]) / 5 for i in range(5)]
        n = [(params[f"n{i}"] - integers[i]) / 10 for i in range(5)]
        z = matrix @ np.array(x + n)
        return float(z @ z) / 50 + sum(tables[i][params[f"c{i}"]] for i in range(5))

    best = {f"x{i}": float(floats[i]) for i in range(5)}
    best |= {f"n{i}": int(integers[i]) for i in range(5)}
    return loss, best | {f"c{i}": free[i] for i in range(5)}


BRANCHES = {
    "mode": Category(LETTERS),
    **{f"x{i}": Real(0.0, 1.0) for i in range(6)},
    "n0": Integer(0, 20),
    "n1": Integer(0, 20),
}


def branches(rng):
    """A choice moves the optimum of all numbers; five of its options end above 0."""
    floors, free = _penalties(rng, LETTERS, low=0.05, high=0.3)
    floats = {mode: rng.uniform(0.1, 0.9, 6) for mode in LETTERS}
    integers = {mode: rng.integers(2, 19, 2) for mode in LETTERS}

    def loss(params):
        """Height of the branch plus a bowl with ripples around its own optimum."""
        mode = params["mode"]
        distances = [params[f"x{i}"] - floats[mode][i] for i in range(6)]
        distances += [(params[f"n{i}"] - integers[mode][i]) / 20 for i in range(2)]
        bowls = sum(x * x + 0.01 * (1 - math.cos(8 * math.pi * x)) for x in distances[:6])
        return floors[mode] + float(bowls + sum(x * x for x in distances[6:]))

    best = {f"x{i}": float(floats[free][i]) for i in range(6)}
    best |= {f"n{i}": int(integers[free][i]) for i in range(2)}
    return loss, best | {"mode": free}


KERNELS = ("linear", "polynomial", "radial", "sigmoid")
SCALERS = ("none", "standard", "minmax", "robust")
TUNING = {
    "kernel": Category(KERNELS),
    "c": Real(1e-3, 1e3, log=True),
    "gamma": Real(1e-5, 1e1, log=True),
    "degree": Integer(1, 6),
    "scaler": Category(SCALERS),
    "features": Integer(1, 60),
    "shrinking": Category((True, False)),
    "weights": Category(("uniform", "balanced")),
}


def tuning(rng):
    """Modelled like tuning a support vector machine: a ridge, plateaus, genes without effect."""
    kernels, kernel = _penalties(rng, KERNELS, low=0.1, high=0.4)
    scalers, scaler = _penalties(rng, SCALERS, low=0.05, high=0.2)
    weights, weight = _penalties(rng, ("uniform", "balanced"), low=0.02, high=0.1)
    c, gamma = rng.uniform(-1.5, 1.5), rng.uniform(-3, -0.5)
    degree, features = int(rng.integers(2, 6)), int(rng.integers(10, 50))

    def loss(params):
        """Cost of the choices plus a saturating distance to the best numbers."""
        along = math.log10(params["c"]) - c
        across = math.log10(params["gamma"]) - gamma if params["kernel"] != "linear" else 0.0
        distance = 0.1 * along**2 + 0.5 * (along + across) ** 2
        if params["kernel"] == "polynomial":
            distance += 0.1 * (params["degree"] - degree) ** 2
        distance += ((params["features"] - features) / 15) ** 2
        cost = kernels[params["kernel"]] + scalers[params["scaler"]] + weights[params["weights"]]
        return cost + 0.6 * (1 - math.exp(-distance))

    best = {"c": 10**c, "gamma": 10**gamma, "degree": degree, "features": features}
    best |= {"kernel": kernel, "scaler": scaler, "weights": weight, "shrinking": True}
    return loss, best


COUPLED = {
    **{f"c{i}": Category(LETTERS[:3]) for i in range(10)},
    **{f"n{i}": Integer(1, 12) for i in range(4)},
    **{f"x{i}": Real(0.0, 1.0) for i in range(4)},
}


def coupled(rng):
    """Pairs of choices have a cost together, and choices move the optimum of the numbers.

    The cost of each pair is a random table of 3 x 3 with a single 0, at a hidden assignment, as
    in an NK landscape with a planted optimum.
    """
    hidden = rng.integers(3, size=10)
    pairs = [(i, (i + 1) % 10) for i in range(10)] + [(i, (i + 3) % 10) for i in range(10)]
    tables = rng.uniform(0.2, 1.0, size=(len(pairs), 3, 3))
    for row, (i, j) in enumerate(pairs):
        tables[row, hidden[i], hidden[j]] = 0.0
    integers, floats = rng.integers(1, 13, size=(4, 3)), rng.uniform(0.1, 0.9, size=(4, 3))

    def loss(params):
        """Mean cost of the pairs plus distances of the numbers."""
        level = [LETTERS.index(params[f"c{i}"]) for i in range(10)]
        cost = sum(tables[row, level[i], level[j]] for row, (i, j) in enumerate(pairs))
        n = sum(((params[f"n{i}"] - integers[i, level[i]]) / 12) ** 2 for i in range(4))
        x = sum((params[f"x{i}"] - floats[i, level[i + 4]]) ** 2 for i in range(4))
        return float(cost / len(pairs) + 0.5 * n + 0.5 * x)

    best = {f"c{i}": LETTERS[hidden[i]] for i in range(10)}
    best |= {f"n{i}": int(integers[i, hidden[i]]) for i in range(4)}
    return loss, best | {f"x{i}": float(floats[i, hidden[i + 4]]) for i in range(4)}


def mixed_recipes():
    """Rows (name, space, recipe)."""
    yield "mixed-bowl", BOWL, bowl
    yield "mixed-branches", BRANCHES, branches
    yield "mixed-tuning", TUNING, tuning
    yield "mixed-coupled", COUPLED, coupled
