"""Jobs of scikit-learn's users that run, or fail, as they do with RandomizedSearchCV."""

import numpy as np
import pytest
import scipy.sparse
import scipy.stats
from learn_data import GROUPS, XR, YR, X, Y
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    PredefinedSplit,
    RandomizedSearchCV,
    TimeSeriesSplit,
    learning_curve,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from geneticpy import GeneticSearchCV

C = {"C": scipy.stats.loguniform(1e-2, 1e2)}
TEXTS, MOODS = ["good day", "bad night", "good night", "bad day"] * 10, [1, 0, 1, 0] * 10
HALVES = PredefinedSplit(np.repeat([-1, 0], 40))


def small(kind, estimator=None, space=None, **options):
    estimator = LogisticRegression() if estimator is None else estimator
    return kind(estimator, space or C, **{"n_iter": 3, "cv": 3, "random_state": 0, **options})


def of_texts(kind):
    model = make_pipeline(CountVectorizer(), LogisticRegression())
    space = {"countvectorizer__ngram_range": [(1, 1), (1, 2)], "logisticregression__C": [1, 2]}
    return small(kind, model, space).fit(TEXTS, MOODS).predict(["good"]).shape


def on_splits(cv, **more):
    return lambda kind: small(kind, cv=cv).fit(X[:40], Y[:40], **more).n_splits_


def around(wrapped):
    return lambda kind: wrapped(small(kind)).fit(X, Y).predict(X).shape


def voting(kind):
    model = VotingClassifier([("a", LogisticRegression()), ("b", SVC())])
    found = small(kind, model, {"a__C": [1.0, 2.0], "b": ["drop", SVC(C=3)]}).fit(X, Y)
    return found.best_params_.keys()


def regression(kind):
    space = {"alpha": scipy.stats.loguniform(1e-2, 1e2)}
    return small(kind, Ridge(), space, cv=TimeSeriesSplit(3))


JOBS = {
    "lists": lambda kind: small(kind).fit(X.tolist(), Y.tolist()).predict(X.tolist()).shape,
    "texts": of_texts,
    "named classes": lambda kind: list(small(kind).fit(X, np.array(list("ab"))[Y]).classes_),
    "kernel matrix": lambda kind: small(kind, SVC(kernel="precomputed")).fit(X @ X.T, Y).n_splits_,
    "sparse matrix": lambda kind: small(kind).fit(scipy.sparse.csr_array(X), Y).predict(X).shape,
    "missing values": lambda kind: small(
        kind, HistGradientBoostingClassifier(max_iter=2), {"max_depth": [1, 2, 3]}
    ).fit(np.where(X > 2, np.nan, X), Y).n_features_in_,
    "several labels": lambda kind: small(
        kind, KNeighborsClassifier(), {"n_neighbors": [1, 3, 5]}
    ).fit(X, np.c_[Y, 1 - Y]).predict(X).shape,
    "density": lambda kind: small(
        kind, KernelDensity(), {"bandwidth": scipy.stats.loguniform(0.1, 10)}
    ).fit(X).score_samples(X).shape,
    "an estimator to drop": voting,
    "no weights": lambda kind: small(kind).fit(X, Y, sample_weight=None).n_splits_,
    "each sample left out": on_splits(LeaveOneOut()),
    "each group left out": on_splits(LeaveOneGroupOut(), groups=GROUPS[:40]),
    "predefined split": lambda kind: small(kind, cv=HALVES).fit(X, Y).n_splits_,
    "listed splits": on_splits(list(KFold(4).split(X[:40]))),
    "times": lambda kind: regression(kind).fit(XR, YR).predict(XR).shape,
    "calibrated": around(lambda found: CalibratedClassifierCV(found, cv=2)),
    "stacked": around(lambda found: StackingClassifier([("a", found)], cv=2)),
    "in a bag": around(lambda found: BaggingClassifier(found, n_estimators=2, random_state=0)),
    "one against the rest": around(OneVsRestClassifier),
    "for each output": lambda kind: MultiOutputClassifier(small(kind))
    .fit(X, np.c_[Y, 1 - Y]).predict(X).shape,
    "transformed target": lambda kind: TransformedTargetRegressor(regression(kind))
    .fit(XR, YR).predict(XR).shape,
    "in a grid": around(
        lambda found: GridSearchCV(found, {"estimator__fit_intercept": [True, False]}, cv=2)
    ),
    "in a search": lambda kind: small(
        kind, small(kind), {"estimator__fit_intercept": [True, False]}, n_iter=2
    ).fit(X, Y).best_estimator_.best_params_.keys(),
    "learning curve": lambda kind: learning_curve(
        small(kind), X, Y, cv=2, train_sizes=[0.5, 1.0]
    )[1].shape,
    "validation curve": lambda kind: validation_curve(
        small(kind), X, Y, param_name="estimator__tol", param_range=[1e-3, 1e-4], cv=2
    )[1].shape,
    "importances": lambda kind: permutation_importance(
        small(kind).fit(X, Y), X, Y, n_repeats=1
    ).importances.shape,
    "a clone of a fitted one": lambda kind: clone(small(kind).fit(X, Y)).get_params()["n_iter"],
    "fitted twice": lambda kind: small(kind).fit(X, Y).fit(X[:, :3], Y).n_features_in_,
}  # fmt: skip

MISTAKES = {
    "one class": lambda kind: small(kind).fit(X, np.zeros(80)),
    "lengths": lambda kind: small(kind).fit(X, Y[:-1]),
    "too many folds": lambda kind: small(kind, cv=70).fit(X, Y),
    "unknown score": lambda kind: small(kind, scoring="luck").fit(X, Y),
    "unknown refit": lambda kind: small(kind, scoring=["accuracy"], refit="f1").fit(X, Y),
    "no score": lambda kind: small(kind, StandardScaler(), {"with_std": [True, False]}).fit(X),
}


@pytest.mark.filterwarnings("ignore::UserWarning")  # n_iter above the points of a grid
@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS.keys())
def test_a_job_of_random_search(job):
    assert job(GeneticSearchCV) == job(RandomizedSearchCV)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_the_error_that_it_is_there(mistake):
    errors = []
    for kind in (GeneticSearchCV, RandomizedSearchCV):
        with pytest.raises((ValueError, TypeError)) as raised:
            mistake(kind)
        errors.append(type(raised.value))
    assert issubclass(*errors)
