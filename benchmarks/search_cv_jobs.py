"""Tuning jobs of search_cv.py: real data, a model, and a space in neutral words."""

import os
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import scipy.stats
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

MNIST = "GENETICPY_MNIST"  # environment variable: Keras's mnist.npz
FOLDS = 3
MOST_SAMPLES = 2_000  # of a whole job


class Log(NamedTuple):
    """A number between bounds, every order of magnitude as likely as any other."""

    low: float
    high: float

    def scipy(self):
        return scipy.stats.loguniform(self.low, self.high)


class Linear(NamedTuple):
    """A number between bounds."""

    low: float
    high: float

    def scipy(self):
        return scipy.stats.uniform(self.low, self.high - self.low)


class Whole(NamedTuple):
    """An integer between bounds, both included."""

    low: int
    high: int

    def scipy(self):
        return scipy.stats.randint(self.low, self.high + 1)


class OneOf(NamedTuple):
    """One of some values."""

    values: list

    def scipy(self):
        return self.values


@dataclass
class Job:
    """A model to tune.

    Attributes
    ----------
    load : callable
        Gives X and y.
    model : estimator
    space : dict
    train : int
        Samples to tune on; up to 1,500 others are held out.
    scoring : str
    regression : bool
    default : dict
        Settings of the model as scikit-learn has them, where this job has smaller ones.
    """

    load: Any
    model: Any
    space: dict
    train: int
    scoring: str
    regression: bool = False
    default: dict = field(default_factory=dict)

    def whole(self):
        """Return this job with the model's default sizes, on up to `MOST_SAMPLES`, and X, y."""
        X, y = self.load()
        space = {name: part for name, part in self.space.items() if name not in self.default}
        model = clone(self.model).set_params(**self.default)
        return replace(self, model=model, space=space), X[:MOST_SAMPLES], y[:MOST_SAMPLES]

    def split(self, seed):
        """Return X, y to tune on, X, y held out, and the folds."""
        X, y = self.load()
        held_out = min(len(X) - self.train, 1500)
        split = train_test_split(
            X,
            y,
            train_size=self.train,
            test_size=held_out,
            stratify=None if self.regression else y,
            random_state=seed,
        )
        kind = KFold if self.regression else StratifiedKFold
        return split[0], split[2], split[1], split[3], kind(FOLDS, shuffle=True, random_state=seed)


def data(loader):
    """Make a loader of X and y."""
    return lambda: loader(return_X_y=True)


def mnist():
    """Return the training images of the file that the environment variable names."""
    with np.load(os.environ[MNIST]) as file:
        images, digits = file["x_train"], file["y_train"]
    return images.reshape(len(images), -1).astype(np.float32) / 255, digits


def svm_space():
    return {
        "svc__C": Log(1e-2, 1e4),
        "svc__gamma": Log(1e-6, 1e1),
        "svc__kernel": OneOf(["rbf", "poly", "sigmoid"]),
        "svc__degree": Whole(2, 5),
        "svc__coef0": Linear(-1.0, 1.0),
    }


def jobs():
    """Return the jobs by name."""
    found = {
        "digits, SVM": Job(
            data(load_digits), make_pipeline(StandardScaler(), SVC()), svm_space(), 250, "accuracy"
        ),
        "wine, kernel logistic": Job(
            data(load_wine),
            make_pipeline(
                StandardScaler(), Nystroem(random_state=0), LogisticRegression(max_iter=200)
            ),
            {
                "nystroem__n_components": Whole(5, 40),
                "nystroem__kernel": OneOf(["rbf", "laplacian", "sigmoid"]),
                "nystroem__gamma": Log(1e-4, 1e1),
                "logisticregression__C": Log(1e-3, 1e4),
                "standardscaler__with_std": OneOf([True, False]),
            },
            80,
            "neg_log_loss",
        ),
        "breast_cancer, MLP": Job(
            data(load_breast_cancer),
            make_pipeline(StandardScaler(), MLPClassifier(max_iter=15, random_state=0)),
            {
                "mlpclassifier__hidden_layer_sizes": Whole(2, 60),
                "mlpclassifier__activation": OneOf(["relu", "tanh", "logistic"]),
                "mlpclassifier__alpha": Log(1e-6, 1e2),
                "mlpclassifier__learning_rate_init": Log(1e-4, 1e-1),
                "mlpclassifier__batch_size": Whole(16, 100),
            },
            200,
            "neg_log_loss",
            default={"mlpclassifier__max_iter": 200},
        ),
        "breast_cancer, gradient boosting": Job(
            data(load_breast_cancer),
            HistGradientBoostingClassifier(early_stopping=False, random_state=0),
            {
                "learning_rate": Log(1e-3, 1.0),
                "max_iter": Whole(5, 30),
                "max_leaf_nodes": Whole(2, 31),
                "min_samples_leaf": Whole(1, 40),
                "l2_regularization": Log(1e-6, 1e2),
                "max_features": Linear(0.1, 1.0),
            },
            200,
            "neg_log_loss",
            default={"max_iter": 100},
        ),
        "diabetes, random forest": Job(
            data(load_diabetes),
            RandomForestRegressor(n_estimators=10, random_state=0),
            {
                "max_features": Linear(0.05, 1.0),
                "min_samples_leaf": Whole(1, 40),
                "max_depth": Whole(1, 15),
                "ccp_alpha": Log(1e-3, 1e3),
                "bootstrap": OneOf([True, False]),
            },
            250,
            "r2",
            regression=True,
            default={"n_estimators": 100},
        ),
    }
    if MNIST in os.environ:
        model = make_pipeline(StandardScaler(), SVC())
        found["MNIST, SVM"] = Job(mnist, model, svm_space(), 500, "accuracy")
    return found
