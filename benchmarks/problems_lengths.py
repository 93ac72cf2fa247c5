"""Six more problems of searched length and nested choices, from smooth to deceptive in structure.

Like those of problems_lists.py they model what people tune, and the optimum is 0. From the
smoothest: the profile of a network, nested blocks of layers, a choice of model with lists inside
its arms, an ensemble, a schedule of learning rates, a chain of steps that is worth nothing until
it is complete.
"""

import math

import numpy as np
from spaces import Category, Integer, ListOf, Real, Variant

PROFILE = {"widths": ListOf(Real(1.0, 1000.0, log=True), 1, 10), "rate": Real(1e-4, 1.0, log=True)}
DEPTHS = np.linspace(0, 1, 16)


def _resampled(widths):
    """Logarithms of widths, read at 16 relative depths: (16,) array."""
    return np.interp(DEPTHS, np.linspace(0, 1, len(widths)), np.log10(widths))


def profile(rng):
    """Widths along the depth of a network: only the shape counts, so every length is near.

    The best shape has 3 to 6 corners; a list of another length can come close to it.
    """
    wanted = (10 ** rng.uniform(0.5, 2.5, size=rng.integers(3, 7))).tolist()
    shape, best_rate = _resampled(wanted), float(rng.uniform(-3, -1))

    def loss(params):
        """Squared distance of shapes and of rates, and a small price for needless depth."""
        gap = _resampled(params["widths"]) - shape
        rate = math.log10(params["rate"]) - best_rate
        extra = max(0, len(params["widths"]) - len(wanted))
        return float(gap @ gap) / len(gap) + 0.1 * rate * rate + 0.01 * extra

    return loss, {"widths": wanted, "rate": 10**best_rate}


KERNELS = (1, 3, 5, 7)
CELL = {"filters": Integer(4, 256, log=True), "kernel": Category(KERNELS)}
BLOCK = {"cells": ListOf(CELL, 1, 3), "pool": Category(("max", "mean", "none"))}
BLOCKS = {"blocks": ListOf(BLOCK, 1, 4), "dropout": Real(0.0, 0.8)}


def _cell_cost(cell, wanted):
    """Cost of one cell, 0 to 1."""
    octaves = math.log2(cell["filters"] / wanted["filters"]) / 3
    return 0.7 * min(1.0, octaves * octaves) + 0.3 * (cell["kernel"] != wanted["kernel"])


def _block_cost(block, wanted):
    """Cost of one block, 0 to 1: its cells, their number, its pooling."""
    pairs = list(zip(block["cells"], wanted["cells"], strict=False))
    cells = sum(_cell_cost(*pair) for pair in pairs) / len(pairs)
    gap = abs(len(block["cells"]) - len(wanted["cells"])) / 2
    return 0.5 * cells + 0.3 * gap + 0.2 * (block["pool"] != wanted["pool"])


def blocks(rng):
    """Blocks of cells, a list inside a list; each place has wishes of its own."""

    def cell():
        """Draw the wish for one cell."""
        return {"filters": int(2 ** rng.uniform(3, 7.5)), "kernel": KERNELS[rng.integers(4)]}

    wanted = [
        {"cells": [cell() for _ in range(rng.integers(1, 4))], "pool": BLOCK["pool"].options[pool]}
        for pool in rng.integers(3, size=rng.integers(2, 4))
    ]
    dropout = float(rng.uniform(0.1, 0.6))

    def loss(params):
        """Mean cost of the blocks that are there, the wrong number of them, and dropout."""
        pairs = list(zip(params["blocks"], wanted, strict=False))
        cost = sum(_block_cost(*pair) for pair in pairs) / len(pairs)
        cost += 0.2 * abs(len(params["blocks"]) - len(wanted))
        return cost + 0.5 * (params["dropout"] - dropout) ** 2

    return loss, {"blocks": wanted, "dropout": dropout}


STAGE = {"depth": Integer(1, 10), "share": Real(0.1, 1.0)}
HIDDEN = {"units": Integer(2, 512, log=True)}
MODELS = Variant(
    {
        "linear": {
            "penalty": Variant(
                {
                    "ridge": {"alpha": Real(1e-4, 1e2, log=True)},
                    "elastic": {"alpha": Real(1e-4, 1e2, log=True), "mix": Real(0.0, 1.0)},
                }
            )
        },
        "boosting": {"stages": ListOf(STAGE, 1, 4), "rate": Real(1e-3, 1.0, log=True)},
        "network": {"hidden": ListOf(HIDDEN, 1, 4), "rate": Real(1e-5, 1e-1, log=True)},
    }
)
BRANCHES = {"scale": Category(("none", "range", "normal", "rank")), "model": MODELS}


def _log_gap(given, wanted, decades):
    """Squared distance of logarithms, 1 at `decades`, not above 1."""
    return min(1.0, (math.log10(given / wanted) / decades) ** 2)


def _linear_cost(model, wish):
    """Cost of a linear model, 0 to 1."""
    penalty = model["penalty"]
    cost = 0.5 * _log_gap(penalty["alpha"], wish["alpha"], 3)
    if penalty["kind"] == "ridge":
        return cost + 0.3
    return cost + 0.5 * (penalty["mix"] - wish["mix"]) ** 2


def _boosting_cost(model, wish):
    """Cost of boosted trees, 0 to 1: more stages want a smaller rate."""
    stages = model["stages"]
    depth = sum(abs(s["depth"] - wish["depth"]) / 9 for s in stages) / len(stages)
    share = sum((s["share"] - wish["share"]) ** 2 for s in stages) / len(stages)
    rate = _log_gap(model["rate"] * len(stages), wish["rate"], 2)
    return 0.4 * depth + 0.3 * share + 0.3 * rate + 0.1 * abs(len(stages) - wish["stages"])


def _network_cost(model, wish):
    """Cost of a network, 0 to about 1: each layer has a width of its own."""
    pairs = list(zip(model["hidden"], wish["units"], strict=False))
    widths = sum(_log_gap(layer["units"], units, 1.5) for layer, units in pairs) / len(pairs)
    gap = abs(len(model["hidden"]) - len(wish["units"]))
    return 0.5 * widths + 0.15 * gap + 0.4 * _log_gap(model["rate"], wish["network_rate"], 2)


BRANCH_COSTS = {"linear": _linear_cost, "boosting": _boosting_cost, "network": _network_cost}


def _wish(rng):
    """Draw the best parameters of all three models."""
    return {
        "alpha": float(10 ** rng.uniform(-2, 1)),
        "mix": float(rng.uniform(0.2, 0.8)),
        "depth": int(rng.integers(2, 9)),
        "share": float(rng.uniform(0.3, 0.9)),
        "rate": float(10 ** rng.uniform(-1.5, -0.5)),
        "stages": int(rng.integers(2, 4)),
        "units": [int(2 ** rng.uniform(3, 8)) for _ in range(rng.integers(2, 4))],
        "network_rate": float(10 ** rng.uniform(-4, -2)),
    }


def _best_of(kind, wish):
    """Write a wish as the parameters of one model."""
    if kind == "linear":
        return {"penalty": {"kind": "elastic", "alpha": wish["alpha"], "mix": wish["mix"]}}
    if kind == "boosting":
        stage = {"depth": wish["depth"], "share": wish["share"]}
        count = wish["stages"]
        return {"stages": [stage] * count, "rate": wish["rate"] / count}
    return {"hidden": [{"units": u} for u in wish["units"]], "rate": wish["network_rate"]}


def branches(rng):
    """A model of three kinds, with choices or lists inside, and what it wants of the scaling.

    Every kind has a floor, so that two of them look good early and end above 0.
    """
    kinds, scales = list(MODELS.arms), BRANCHES["scale"].options
    kind, wish = kinds[rng.integers(3)], _wish(rng)
    floors = {name: 0.0 if name == kind else float(rng.uniform(0.05, 0.2)) for name in kinds}
    liked = {name: scales[rng.integers(4)] for name in kinds}

    def loss(params):
        """Floor and cost of the model, and of a scaling that it does not like."""
        model = params["model"]
        name = model["kind"]
        cost = floors[name] + BRANCH_COSTS[name](model, wish)
        return cost + 0.15 * (params["scale"] != liked[name])

    return loss, {"scale": liked[kind], "model": {"kind": kind, **_best_of(kind, wish)}}


MEMBERS = Variant(
    {
        "line": {"slope": Real(-3.0, 3.0)},
        "wave": {"frequency": Real(1.0, 6.0), "phase": Real(0.0, 1.0)},
        "jump": {"at": Real(0.0, 1.0), "size": Real(-2.0, 2.0)},
    }
)
ENSEMBLE = {"members": ListOf(MEMBERS, 1, 6)}
POINTS = np.linspace(0, 1, 48)


def _prediction(member):
    """Predict by one member: (48,) array."""
    if member["kind"] == "line":
        return member["slope"] * (POINTS - 0.5)
    if member["kind"] == "wave":
        return np.sin(2 * np.pi * (member["frequency"] * POINTS + member["phase"]))
    return member["size"] * (member["at"] < POINTS)


def _average(members):
    """Predict by the average of all members: (48,) array."""
    return sum(map(_prediction, members)) / len(members)


def ensemble(rng):
    """Average 1 to 6 models of three kinds; a good one helps only in the right company."""
    wanted = [
        {"kind": "line", "slope": float(rng.choice([-1, 1]) * rng.uniform(1, 2.5))},
        {"kind": "wave", "frequency": float(rng.uniform(1.5, 5)), "phase": float(rng.random())},
        {
            "kind": "jump",
            "at": float(rng.uniform(0.2, 0.8)),
            "size": float(rng.choice([-1, 1]) * rng.uniform(0.8, 1.8)),
        },
    ][: rng.integers(2, 4)]
    target = _average(wanted)
    energy = float(target @ target)

    def loss(params):
        """Unexplained share of the target and a small price for members."""
        rest = target - _average(params["members"])
        return float(rest @ rest) / energy + 0.01 * max(0, len(params["members"]) - len(wanted))

    return loss, {"members": wanted}


SCHEDULE = {"rates": ListOf(Real(1e-2, 1e2, log=True), 1, 8)}


def schedule(rng):
    """Learning rates of 1 to 8 steps of gradient descent; most schedules diverge: a plateau.

    A quadratic loss of 3 to 5 curvatures is minimized exactly by as many steps, one with the
    inverse of each curvature, in any order.
    """
    exponents = np.linspace(-1.2, 1.2, int(rng.integers(3, 6)))
    curvatures = 10 ** (exponents + rng.uniform(-0.15, 0.15, len(exponents)))

    def loss(params):
        """Mean share of the error that is left in each direction, 1 where it has grown."""
        rates = np.array(params["rates"])
        left = np.prod(1 - np.outer(curvatures, rates), axis=1) ** 2
        extra = max(0, len(rates) - len(curvatures))
        return float(np.minimum(left, 1.0).mean()) + 0.01 * extra

    return loss, {"rates": (1 / curvatures).tolist()}


CHAIN_KINDS = ("impute", "encode", "scale", "select")
CHAIN = {"steps": ListOf(Variant({kind: {"x": Real(0.0, 1.0)} for kind in CHAIN_KINDS}), 1, 6)}
TRAP = (0.40, 0.50, 0.60, 0.0)  # cost by the number of right steps at the start


def chain(rng):
    """Three steps in the right order are best, but one or two of them are worse than none.

    Steps cost something, so that everything but the whole chain points to short lists of wrong
    kinds: deceptive in structure.
    """
    wanted = [CHAIN_KINDS[i] for i in rng.integers(4, size=3)]
    values = rng.uniform(0.1, 0.9, 3).tolist()

    def loss(params):
        """Cost of the trap, of the steps beyond three or on the way, and of their values."""
        steps = params["steps"]
        right = 0
        while right < min(3, len(steps)) and steps[right]["kind"] == wanted[right]:
            right += 1
        gaps = sum((step["x"] - x) ** 2 for step, x in zip(steps, values, strict=False))
        needless = len(steps) - 3 if right == 3 else len(steps)
        return TRAP[right] + 0.03 * needless + 0.1 * gaps

    pairs = zip(wanted, values, strict=True)
    return loss, {"steps": [{"kind": kind, "x": x} for kind, x in pairs]}


def length_recipes():
    """Rows (name, space, recipe), from smooth to deceptive in structure."""
    yield "lengths-profile", PROFILE, profile
    yield "lengths-blocks", BLOCKS, blocks
    yield "lengths-branches", BRANCHES, branches
    yield "lengths-ensemble", ENSEMBLE, ensemble
    yield "lengths-schedule", SCHEDULE, schedule
    yield "lengths-chain", CHAIN, chain
