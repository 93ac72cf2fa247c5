"""Networks of searched depth on the digits of scikit-learn, in plain numpy.

The loss is the error on held-out digits after a few epochs. Many networks do not learn in that
time: rates too small, weights too small for the depth, divergence. They all have an error of
about 0.9, a plateau.
"""

import hashlib
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from memo import Remembered
from spaces import Category, Integer, ListOf, Real

TRAIN, TEST = 500, 400
EPOCHS = 5
CLASSES = 10
SEED = 0
ACTIVATIONS = {
    "relu": (lambda z: np.maximum(z, 0), lambda a: a > 0),
    "tanh": (np.tanh, lambda a: 1 - a * a),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda a: a * (1 - a)),
}


@cache
def digits():
    """Load and split the digits: (x_train, one-hot y_train, x_test, y_test)."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(SEED).permutation(len(y))[: TRAIN + TEST]
    x, y = x[rows] / 16 - 0.3, y[rows]
    return x[:TRAIN], np.eye(CLASSES)[y[:TRAIN]], x[TRAIN:], y[TRAIN:]


class Network:
    """Layers of weights with an activation each and a softmax at the end.

    Parameters
    ----------
    layers : list of dict
        "units" and "activation" of the hidden layers.
    scale : float
        Of the initial weights, 1 keeps the variance of linear layers.
    rng : numpy.random.Generator
    """

    def __init__(self, layers, scale, rng):
        widths = [64, *(layer["units"] for layer in layers), CLASSES]
        pairs = list(pairwise(widths))
        self.weights = [scale / np.sqrt(n) * rng.standard_normal((n, m)) for n, m in pairs]
        self.weights += [np.zeros(m) for _, m in pairs]  # then the biases, in the same order
        self._activations = [ACTIVATIONS[layer["activation"]] for layer in layers]

    def forward(self, x):
        """Evaluate: inputs of each layer, a list of (n, units) arrays, the last the classes."""
        depth = len(self._activations)
        values = [x]
        for i, (activate, _) in enumerate(self._activations):
            values.append(activate(values[-1] @ self.weights[i] + self.weights[depth + 1 + i]))
        z = values[-1] @ self.weights[depth] + self.weights[-1]
        z = np.exp(z - z.max(axis=1, keepdims=True))
        return [*values, z / z.sum(axis=1, keepdims=True)]

    def gradients(self, x, y):
        """Gradients of the cross-entropy, in the order of `weights`."""
        *values, classes = self.forward(x)
        error = (classes - y) / len(x)
        weights, biases = [], []
        for i in range(len(self._activations), -1, -1):
            weights.append(values[i].T @ error)
            biases.append(error.sum(axis=0))
            if i:
                slope = self._activations[i - 1][1]
                error = error @ self.weights[i].T * slope(values[i])
        return weights[::-1] + biases[::-1]


def momentum_step(state, gradient, rate, momentum):
    """Stochastic gradient descent with momentum: the change of a weight."""
    state["velocity"] = momentum * state.get("velocity", 0.0) - rate * gradient
    return state["velocity"]


def adam_step(state, gradient, rate, momentum):
    """Adam, with `momentum` as its first constant: the change of a weight."""
    state["count"] = state.get("count", 0) + 1
    state["mean"] = momentum * state.get("mean", 0.0) + (1 - momentum) * gradient
    state["square"] = 0.999 * state.get("square", 0.0) + 0.001 * gradient * gradient
    mean = state["mean"] / (1 - momentum ** state["count"])
    return -rate * mean / (np.sqrt(state["square"] / (1 - 0.999 ** state["count"])) + 1e-8)


def train(params, step):
    """Train a network and return its error on held-out digits."""
    x_train, y_train, x_test, y_test = digits()
    rng = np.random.default_rng(SEED)
    network = Network(params["layers"], params["scale"], rng)
    states = [{} for _ in network.weights]
    with np.errstate(all="ignore"):
        for _ in range(EPOCHS):
            order = rng.permutation(TRAIN)
            for start in range(0, TRAIN, params["batch"]):
                rows = order[start : start + params["batch"]]
                gradients = network.gradients(x_train[rows], y_train[rows])
                for weight, state, gradient in zip(
                    network.weights, states, gradients, strict=True
                ):
                    weight += step(state, gradient, params["rate"], params["momentum"])
        found = network.forward(x_test)[-1]
    return float(np.mean(found.argmax(axis=1) != y_test)) if np.isfinite(found).all() else 0.9


def _space(units, depth, rate):
    """Return a space of networks."""
    layer = {"units": Integer(*units, log=True), "activation": Category(tuple(ACTIVATIONS))}
    return {
        "layers": ListOf(layer, *depth),
        "rate": Real(*rate, log=True),
        "momentum": Real(0.0, 0.99),
        "scale": Real(0.05, 4.0, log=True),
        "batch": Integer(16, 128, log=True),
    }


# name: (space, step of training)
TASKS = {
    "sgd": (_space((4, 128), (1, 6), (1e-4, 1e1)), momentum_step),
    "adam": (_space((4, 128), (1, 6), (1e-5, 1e0)), adam_step),
    "narrow": (_space((2, 32), (2, 8), (1e-4, 1e1)), momentum_step),
}


def _recipe(name):
    """Make the loss of a task."""
    _, step = TASKS[name]
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    return Remembered(lambda params: train(params, step), f"depth-{name}-{digest}")


def depth_recipes():
    """Rows (name, space, recipe)."""
    for name, (space, _) in TASKS.items():
        yield f"depth-{name}", space, partial(_recipe, name)
