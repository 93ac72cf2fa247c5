"""Tune a classifier of handwritten digits: three kinds of model, each with its own parameters.

The loss is the cross-validated log loss on 400 of scikit-learn's 1,797 digits; the other 1,397 are
touched only for the table at the end. The space has a choice of three models, and one of them, the
neural network, has a searched number of layers. The table compares the search with the models'
defaults and with random search over the same space at the same number of evaluations.

Needs scikit-learn. One to two minutes on two cores: ``python examples/tune_classifier.py``.
"""

import argparse
import statistics
import sys
import warnings
from contextlib import contextmanager

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

import geneticpy

SIZE, GENERATIONS, RUNS = 12, 18, 3  # 12 * (1 + 18 / 2) = 120 evaluations in a run
QUICK = 6, 2, 1
FOLDS = 3

SPACE = {
    "model": geneticpy.ChoiceDistribution(
        [
            {
                "kind": "kernel regression",
                "components": geneticpy.LogUniformDistribution(20, 200, q=1),
                "gamma": geneticpy.LogUniformDistribution(1e-3, 1),
                "C": geneticpy.LogUniformDistribution(1e-2, 1e4),
            },
            {
                "kind": "random forest",
                "criterion": geneticpy.ChoiceDistribution(["gini", "entropy"]),
                "max_features": geneticpy.UniformDistribution(0.02, 1),
                "min_samples_leaf": geneticpy.UniformDistribution(1, 10, q=1),
            },
            {
                "kind": "neural network",
                "layers": geneticpy.ListDistribution(
                    geneticpy.LogUniformDistribution(8, 128, q=1), min_size=1, max_size=3
                ),
                "activation": geneticpy.ChoiceDistribution(["relu", "tanh", "logistic"]),
                "alpha": geneticpy.LogUniformDistribution(1e-6, 1),
                "learning_rate": geneticpy.LogUniformDistribution(1e-4, 1e-1),
                "batch_size": geneticpy.LogUniformDistribution(32, 200, q=1),
            },
        ]
    )
}


def build(params):
    """Return the unfitted classifier that ``params["model"]`` describes."""
    model = params["model"]
    if model["kind"] == "kernel regression":
        return make_pipeline(
            Nystroem(gamma=model["gamma"], n_components=model["components"], random_state=0),
            LogisticRegression(C=model["C"], max_iter=200),
        )
    if model["kind"] == "random forest":
        return RandomForestClassifier(
            n_estimators=30,
            criterion=model["criterion"],
            max_features=model["max_features"],
            min_samples_leaf=model["min_samples_leaf"],
            random_state=0,
        )
    return MLPClassifier(
        hidden_layer_sizes=model["layers"],
        activation=model["activation"],
        alpha=model["alpha"],
        learning_rate_init=model["learning_rate"],
        batch_size=model["batch_size"],
        max_iter=30,
        random_state=0,
    )


def default_models():
    """Return the three kinds of model as scikit-learn sets them up, by name."""
    return {
        "kernel regression, defaults": make_pipeline(
            Nystroem(random_state=0), LogisticRegression()
        ),
        "random forest, defaults": RandomForestClassifier(random_state=0),
        "neural network, defaults": MLPClassifier(random_state=0),
    }


class Digits:
    """The data of one comparison: images to tune on and images to test with.

    Parameters
    ----------
    seed : int
        Of the split and of the folds.
    """

    def __init__(self, seed):
        images, digits = load_digits(return_X_y=True)
        self.images, self.test_images, self.digits, self.test_digits = train_test_split(
            images / 16, digits, train_size=400, stratify=digits, random_state=seed
        )
        self.folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)

    def validate(self, classifier):
        """Return the cross-validated log loss of ``classifier``."""
        with quietly():
            scores = cross_val_score(
                classifier, self.images, self.digits, cv=self.folds, scoring="neg_log_loss"
            )
        return -float(scores.mean())

    def test(self, classifier):
        """Return log loss and accuracy on the test images, fitted on all the others."""
        with quietly():
            classifier.fit(self.images, self.digits)
        chances = classifier.predict_proba(self.test_images)
        guesses = classifier.classes_[chances.argmax(axis=1)]
        return log_loss(self.test_digits, chances), accuracy_score(self.test_digits, guesses)

    def row(self, name, evaluations, tuned):
        """Return a row of the table; ``tuned`` lists (validated loss, classifier) of the runs."""
        tests = [self.test(classifier) for _, classifier in tuned]
        columns = [[loss for loss, _ in tuned], *zip(*tests, strict=True)]
        return [name, str(evaluations), *(spread(column) for column in columns)]


@contextmanager
def quietly():
    """Fit in one thread, which is faster for so little data, and without convergence warnings."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def search(loss, size, generations, seed):
    """Return loss and parameters of the best point geneticpy finds."""
    result = geneticpy.optimize(
        loss, SPACE, size=size, generation_count=generations, seed=seed, verbose=True
    )
    if result.message.startswith("interrupted"):
        raise KeyboardInterrupt  # optimize returned what it had; the comparison ends here
    return result.loss, result.best_params, result.evaluations


def random_search(loss, evaluations, seed):
    """Return loss and parameters of the best of ``evaluations`` independent draws."""
    encoding = geneticpy.Optimizer(SPACE).encoding
    drawn = encoding.decode(encoding.genome.sample(np.random.default_rng(seed), evaluations))
    losses = [loss(params) for params in drawn]
    best = int(np.argmin(losses))
    return losses[best], drawn[best]


def spread(values):
    """Return the median of ``values`` as text, with the range where there are several."""
    text = f"{statistics.median(values):.3f}"
    return text if len(values) == 1 else f"{text} ({min(values):.3f} to {max(values):.3f})"


def show(rows):
    """Print the table, the columns as wide as their widest entry."""
    head = ["", "evaluations", "validated log loss", "test log loss", "test accuracy"]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def main(quick=False, seed=0):
    """Run defaults, random search and geneticpy, and print the table and the best point.

    Parameters
    ----------
    quick : bool, default False
        One short run in place of three.
    seed : int, default 0
        Seed of the data split and of the first run; the next runs count up from it.
    """
    size, generations, runs = QUICK if quick else (SIZE, GENERATIONS, RUNS)
    data = Digits(seed)

    def loss(params):
        return data.validate(build(params))

    found, drawn = [], []
    for run in range(seed, seed + runs):
        print(f"run {run - seed + 1} of {runs}: geneticpy, then random search", file=sys.stderr)
        *point, evaluations = search(loss, size, generations, run)
        found.append(point)
        drawn.append(random_search(loss, evaluations, run))

    rows = [
        data.row(name, 1, [(data.validate(classifier), classifier)])
        for name, classifier in default_models().items()
    ]
    for name, points in (("random search", drawn), ("geneticpy", found)):
        label = name if runs == 1 else f"{name}, median (range) of {runs}"
        tuned = [(loss, build(params)) for loss, params in points]
        rows.append(data.row(label, evaluations, tuned))
    show(rows)
    print(f"best: {min(found, key=lambda point: point[0])[1]['model']}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Tune a classifier of handwritten digits.")
    parser.add_argument("--quick", action="store_true", help="one short run")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    main(arguments.quick, arguments.seed)
