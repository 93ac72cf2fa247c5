"""Four problems whose number of parameters is searched, too. The optimum is 0.

They are modelled on what people tune: the layers of a network, the steps of a pipeline, the
pieces of a curve; and one is deceptive in the length of its list.
"""

import math

import numpy as np
from spaces import Category, Integer, ListOf, Real, Variant

ACTIVATIONS = ("relu", "tanh", "elu")
LAYER = {
    "units": Integer(4, 1024, log=True),
    "activation": Category(ACTIVATIONS),
    "dropout": Real(0.0, 0.6),
}
NETWORK = {
    "layers": ListOf(LAYER, 1, 8),
    "learning_rate": Real(1e-5, 1e-1, log=True),
    "optimizer": Variant(
        {
            "sgd": {"momentum": Real(0.0, 0.99)},
            "adam": {"beta1": Real(0.8, 0.999), "beta2": Real(0.9, 0.9999)},
            "rmsprop": {"rho": Real(0.8, 0.999)},
        }
    ),
}


def _layer_cost(layer, wanted):
    """Cost of one layer, 0 to 1: a wrong width counts most."""
    width = math.log2(layer["units"] / wanted["units"]) / 4
    dropout = (layer["dropout"] - wanted["dropout"]) / 0.6
    wrong = layer["activation"] != wanted["activation"]
    return 0.5 * min(1.0, width * width) + 0.3 * dropout * dropout + 0.2 * wrong


def network(rng):
    """Layers, learning rate and optimizer of a network of 1 to 8 layers; best are 3 to 6.

    The best learning rate falls with the depth, so that a change of depth needs a second change.
    """
    depth = int(rng.integers(3, 7))
    wanted = [
        {
            "units": int(2 ** rng.uniform(4, 9.5)),
            "activation": ACTIVATIONS[rng.integers(3)],
            "dropout": float(rng.uniform(0.05, 0.5)),
        }
        for _ in range(8)
    ]
    rate, beta1 = float(rng.uniform(-2.5, -1.5)), float(rng.uniform(0.85, 0.99))
    gaps = {"sgd": 0.1, "adam": 0.0, "rmsprop": 0.15}

    def loss(params):
        """Costs of depth, layers, learning rate and optimizer."""
        layers, optimizer = params["layers"], params["optimizer"]
        costs = [_layer_cost(*pair) for pair in zip(layers, wanted, strict=False)]
        cost = sum(costs) / len(layers) + 0.1 * abs(len(layers) - depth)
        cost += 0.1 * (math.log10(params["learning_rate"]) - rate + 0.25 * len(layers)) ** 2
        cost += gaps[optimizer["kind"]]
        if optimizer["kind"] == "adam":
            cost += 5 * (optimizer["beta1"] - beta1) ** 2
        return cost

    adam = {"kind": "adam", "beta1": beta1, "beta2": 0.99}
    best = {"layers": wanted[:depth], "learning_rate": 10 ** (rate - 0.25 * depth)}
    return loss, best | {"optimizer": adam}


STEPS = {
    "scale": {"range": Real(0.5, 4.0)},
    "select": {"share": Real(0.05, 1.0)},
    "project": {"components": Integer(2, 64), "whiten": Category((True, False))},
    "expand": {"degree": Integer(2, 4)},
    "clip": {"low": Real(0.0, 0.2), "high": Real(0.8, 1.0)},
}
MODELS = {
    "support": {"c": Real(1e-3, 1e3, log=True), "gamma": Real(1e-5, 1e1, log=True)},
    "neighbours": {"count": Integer(1, 50), "metric": Category(("l1", "l2", "cosine"))},
    "tree": {"depth": Integer(1, 20), "leaf": Integer(1, 60)},
}
PIPELINE = {"steps": ListOf(Variant(STEPS), 1, 6), "model": Variant(MODELS)}


def _sample_inside(rng, parameters):
    """Draw parameters from the middle of their ranges."""
    drawn = {}
    for name, kind in parameters.items():
        share = rng.uniform(0.15, 0.85)
        if isinstance(kind, Category):
            drawn[name] = kind.options[rng.integers(len(kind.options))]
        elif isinstance(kind, Integer):
            drawn[name] = round(kind.low + share * (kind.high - kind.low))
        else:
            span = (math.log(kind.low), math.log(kind.high)) if kind.log else (kind.low, kind.high)
            number = span[0] + share * (span[1] - span[0])
            drawn[name] = math.exp(number) if kind.log else number
    return drawn


def _mismatch(parameters, given, wanted):
    """Mean distance, 0 to 1, of two settings of the same arm."""
    total = 0.0
    for name, kind in parameters.items():
        if isinstance(kind, Category):
            total += given[name] != wanted[name]
        elif kind.log:
            total += abs(math.log(given[name] / wanted[name])) / math.log(kind.high / kind.low)
        else:
            total += abs(given[name] - wanted[name]) / (kind.high - kind.low)
    return total / len(parameters)


def _substitution(given, wanted):
    """Cost of having one step in the place of another."""
    if given["kind"] != wanted["kind"]:
        return 0.3
    return 0.3 * _mismatch(STEPS[given["kind"]], given, wanted)


def _alignment(given, wanted, gap=0.25):
    """Edit distance of two lists of steps, with `gap` for each missing or needless one."""
    row = [gap * j for j in range(len(wanted) + 1)]
    for i, one in enumerate(given):
        above, row = row, [gap * (i + 1)]
        for j, two in enumerate(wanted):
            match = above[j] + _substitution(one, two)
            row.append(min(match, above[j + 1] + gap, row[j] + gap))
    return row[-1]


def pipeline(rng):
    """Kinds, order and parameters of 1 to 6 steps, then a model; best are 2 to 5 steps."""
    kinds, models = list(STEPS), list(MODELS)
    chosen = [kinds[rng.integers(len(kinds))] for _ in range(rng.integers(2, 6))]
    wanted = [{"kind": kind, **_sample_inside(rng, STEPS[kind])} for kind in chosen]
    kind = models[rng.integers(len(models))]
    model = {"kind": kind, **_sample_inside(rng, MODELS[kind])}
    gaps = {name: 0.0 if name == kind else float(rng.uniform(0.1, 0.4)) for name in models}

    def loss(params):
        """Edit distance of the steps plus the cost of the model."""
        given = params["model"]
        cost = gaps[given["kind"]]
        if given["kind"] == kind:
            cost += 0.4 * _mismatch(MODELS[kind], given, model)
        return cost + _alignment(params["steps"], wanted)

    return loss, {"steps": wanted, "model": model}


BUMP = {"position": Real(0.0, 1.0), "width": Real(0.03, 0.3), "height": Real(-1.0, 1.0)}
CURVE = {"bumps": ListOf(BUMP, 1, 8)}
GRID = np.linspace(0, 1, 64)


def _curve(bumps):
    """Sum of Gaussian bumps on the grid: (64,) array."""
    table = np.array([(b["position"], b["width"], b["height"]) for b in bumps])
    position, width, height = table.T[:, :, None]
    return np.sum(height * np.exp(-(((GRID - position) / width) ** 2)), axis=0)


def curve(rng):
    """Fit a curve of 3 to 5 bumps by a sum of 1 to 8; the order of the list has no effect."""
    count = int(rng.integers(3, 6))
    wanted = [
        {
            "position": float((i + rng.uniform(0.2, 0.8)) / count),
            "width": float(rng.uniform(0.04, 0.15)),
            "height": float(rng.choice([-1, 1]) * rng.uniform(0.4, 1.0)),
        }
        for i in range(count)
    ]
    target = _curve(wanted)
    energy = float(target @ target)

    def loss(params):
        """Unexplained share of the curve plus a small price for bumps beyond those needed."""
        rest = target - _curve(params["bumps"])
        return float(rest @ rest) / energy + 0.02 * max(0, len(params["bumps"]) - count)

    return loss, {"bumps": wanted}


ITEM = {"value": Real(0.0, 1.0), "mode": Category(tuple("abcd"))}
DECEPTIVE = {"items": ListOf(ITEM, 1, 10)}


def deceptive(rng):
    """Short lists look better and better, but the best one has 6 to 9 items.

    Each length has values and modes of its own, so that nothing learned at one length is worth
    anything at another.
    """
    length = int(rng.integers(6, 10))
    values = rng.uniform(0.1, 0.9, size=(11, 10))
    modes = rng.integers(4, size=(11, 10))

    def loss(params):
        """Height of the length, falling towards 1 except at the best, plus the items' costs."""
        items = params["items"]
        n = len(items)
        cost = sum((item["value"] - values[n, i]) ** 2 for i, item in enumerate(items))
        cost += sum(0.25 * (item["mode"] != "abcd"[modes[n, i]]) for i, item in enumerate(items))
        return float(cost / n) + (0.0 if n == length else 0.1 + 0.02 * n)

    best = [
        {"value": float(values[length, i]), "mode": "abcd"[modes[length, i]]}
        for i in range(length)
    ]
    return loss, {"items": best}


def list_recipes():
    """Rows (name, space, recipe)."""
    yield "lists-network", NETWORK, network
    yield "lists-pipeline", PIPELINE, pipeline
    yield "lists-curve", CURVE, curve
    yield "lists-deceptive", DECEPTIVE, deceptive
