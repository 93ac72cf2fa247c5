"""Small data, and searches that take a fraction of a second."""

import numpy as np
from sklearn.datasets import make_classification, make_regression

from geneticpy import GeneticSearchCV

X, Y = make_classification(
    n_samples=80, n_features=6, n_informative=3, flip_y=0.15, random_state=0
)
XR, YR = make_regression(n_samples=80, n_features=6, noise=5.0, random_state=0)
GROUPS = np.arange(80) // 8
SMALL = {"n_iter": 8, "population_size": 4, "cv": 3, "random_state": 0}


def search(estimator, space, **options):
    """Return an unfitted search of a few candidates."""
    return GeneticSearchCV(estimator, space, **{**SMALL, **options})
