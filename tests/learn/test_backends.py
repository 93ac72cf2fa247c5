"""Workers of joblib's backends: the same candidates and scores as without them."""

import importlib.util

import joblib
import numpy as np
import pytest
from learn_data import SMALL, X, Y, search
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC

from geneticpy import GeneticFeatureSelectionCV, LogUniformDistribution

C = {"C": LogUniformDistribution(1e-2, 1e2)}
DASK = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="not installed: distributed"
)


def tuning(**options):
    return search(SVC(), C, batch=5, **options)


def selecting(**options):
    return GeneticFeatureSelectionCV(LogisticRegression(), **{**SMALL, "batch": 5, **options})


def assert_same(one, two):
    """The tables are the same but for the times."""
    assert one.cv_results_["params"] == two.cv_results_["params"]
    for name in one.cv_results_:
        if name.startswith(("split", "mean_test", "rank", "folds")):
            np.testing.assert_array_equal(one.cv_results_[name], two.cv_results_[name])


@pytest.mark.parametrize("made", [tuning, selecting])
@pytest.mark.parametrize("racing", [False, True])
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_two_workers_find_what_one_finds(made, racing, backend):
    alone = made(racing=racing).fit(X, Y)
    with joblib.parallel_config(backend, n_jobs=2):
        assert_same(made(racing=racing).fit(X, Y), alone)


def test_searches_run_in_workers_of_an_outer_cross_validation():
    alone = cross_val_score(tuning(), X, Y, cv=3)
    with joblib.parallel_config("loky"):
        np.testing.assert_array_equal(cross_val_score(tuning(), X, Y, cv=3, n_jobs=2), alone)


@DASK
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("made", [tuning, selecting])
@pytest.mark.parametrize("racing", [False, True])
def test_dask_finds_what_one_worker_finds(made, racing):
    from distributed import Client

    alone = made(racing=racing).fit(X, Y)
    with (
        Client(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None),
        joblib.parallel_config("dask"),
    ):
        assert_same(made(racing=racing).fit(X, Y), alone)
