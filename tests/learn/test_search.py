"""How a search goes on, ends and fails."""

import contextlib
import warnings

import joblib
import numpy as np
import pytest
from learn_data import X, Y, search
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import FitFailedWarning
from sklearn.svm import SVC

from geneticpy import ArgumentError, ChoiceDistribution, LogUniformDistribution, SpaceError
from geneticpy.evolution.optimizer import Optimizer

C = {"C": LogUniformDistribution(1e-2, 1e2)}


class Fragile(ClassifierMixin, BaseEstimator):
    """A classifier that refuses to be fitted with a large `level`."""

    def __init__(self, level=0.0, limit=0.5):
        self.level, self.limit = level, limit

    def fit(self, X, y):
        if self.level > self.limit:
            raise RuntimeError(f"{self.level} is too high")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), int)

    def score(self, X, y):
        return -1.0 - self.level


LEVELS = {"level": [i / 20 for i in range(21)]}


def fragile(**options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitFailedWarning)
        warnings.filterwarnings("ignore", "One or more of the")
        return search(Fragile(), LEVELS, **options).fit(X, Y)


# Generations


def test_generations_have_the_sizes_of_optimize():
    found = search(SVC(), C, n_iter=None, population_size=8, generation_count=3).fit(X, Y)
    assert np.bincount(found.cv_results_["generation"]).tolist() == [8, 4, 4, 4]
    assert "20 candidates in 3 generations" in found.message_


@pytest.mark.parametrize("n_iter", [1, 3, 4, 5, 11])
def test_n_iter_is_exact(n_iter):
    assert len(search(SVC(), C, n_iter=n_iter).fit(X, Y).cv_results_["params"]) == n_iter


def test_history_depends_on_the_batch_not_on_the_workers():
    options = {"n_iter": 12, "population_size": 12}
    runs = []
    with joblib.parallel_config(backend="threading"):
        for more in ({"batch": 3}, {"batch": 3, "n_jobs": 2, "pre_dispatch": 2}, {"batch": 6}):
            runs.append(search(SVC(), C, **options, **more).fit(X, Y).cv_results_["params"])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_a_search_is_better_than_its_first_candidates():
    def peak(estimator, X, y):
        return -((np.log10(estimator.C) - 1.2) ** 2) - (np.log10(estimator.gamma) + 1) ** 2

    space = {**C, "gamma": LogUniformDistribution(1e-4, 1e2)}
    table = search(SVC(), space, scoring=peak, n_iter=30).fit(X, Y).cv_results_
    assert table["mean_test_score"].max() > -1e-3  # a random draw is that near once in 7,000
    assert table["mean_test_score"][:8].max() < -1e-3


# Ends


def test_patience():
    def flat(estimator, X, y):
        return 1.0

    found = search(SVC(), C, n_iter=None, generation_count=50, patience=2, scoring=flat)
    found.fit(X, Y)
    assert found.message_.startswith("patience exhausted")
    assert found.cv_results_["generation"].max() == 2


def test_time_limit_ends_after_a_portion():
    found = search(SVC(), C, n_iter=500, time_limit=0.0).fit(X, Y)
    assert found.message_.startswith("time_limit")
    assert len(found.cv_results_["params"]) <= 4  # the first generation is smaller than a portion


def test_callback_sees_scores_and_stops():
    seen = []

    def watch(progress):
        seen.append(progress)
        return progress.generation == 2

    found = search(SVC(), C, n_iter=100, callback=watch).fit(X, Y)
    assert [progress.generation for progress in seen] == [0, 1, 2]
    assert seen[-1].loss == found.best_score_
    assert seen[-1].best_params == found.best_params_
    assert seen[-1].evaluations == len(found.cv_results_["params"])
    assert len(seen[-1].history) == seen[-1].evaluations + found.n_duplicates_
    assert found.message_ == "the callback stopped the run"


def test_interruption_keeps_the_best_so_far():
    calls = []

    def score(estimator, X, y):
        calls.append(estimator)
        if len(calls) > 20:
            raise KeyboardInterrupt
        return estimator.C

    found = search(SVC(), C, n_iter=50, scoring=score, error_score="raise").fit(X, Y)
    assert found.message_.startswith("interrupted after")
    assert 4 <= len(found.cv_results_["params"]) <= 6
    assert hasattr(found, "best_estimator_")


def test_interruption_before_anything_is_raised():
    def score(estimator, X, y):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(SVC(), C, scoring=score).fit(X, Y)


def test_interruption_that_a_scorer_swallows_ends_the_search(ctrl_c):
    calls = []

    def score(estimator, X, y):
        calls.append(estimator)
        if len(calls) == 20:
            with contextlib.suppress(KeyboardInterrupt):
                ctrl_c()
        return estimator.C

    found = search(SVC(), C, n_iter=50, scoring=score).fit(X, Y)
    assert found.message_.startswith("interrupted after")
    assert 20 <= len(calls) < 50
    assert hasattr(found, "best_estimator_")


def test_interruption_waits_until_a_portion_is_recorded(ctrl_c, monkeypatch):
    original = Optimizer.tell
    told = []

    def interrupted(self, ids, losses):
        ctrl_c()
        told.extend(ids)
        return original(self, ids, losses)

    monkeypatch.setattr(Optimizer, "tell", interrupted)
    found = search(SVC(), C, n_iter=50).fit(X, Y)
    fitted = len(found.cv_results_["params"])
    assert found.message_ == f"interrupted after {fitted} candidates"
    assert fitted == len(told) - found.n_duplicates_ > 0


# Failures


@pytest.mark.parametrize("error_score", [np.nan, 0.0, 100.0])
@pytest.mark.parametrize("racing", [False, True])
def test_failed_candidates_never_win(error_score, racing):
    found = fragile(error_score=error_score, n_iter=12, racing=racing)
    table = found.cv_results_
    failed = np.array([params["level"] > 0.5 for params in table["params"]])
    assert failed.any()
    assert table["rank_test_score"][failed].min() > table["rank_test_score"][~failed].max()
    np.testing.assert_array_equal(table["mean_test_score"][failed], error_score)
    np.testing.assert_array_equal(table["split2_test_score"][failed], error_score)
    assert found.best_params_ == {"level": 0.0}
    assert found.best_score_ == -1.0


def test_one_warning_tells_of_all_failures():
    with pytest.warns(FitFailedWarning, match="is too high") as caught:
        search(Fragile(), LEVELS, n_iter=15, error_score=-9.0).fit(X, Y)
    assert len(caught) == 1


def test_error_score_raise_stops_at_the_first_failure():
    with pytest.raises(RuntimeError, match="too high"):
        search(Fragile(), LEVELS, n_iter=15, error_score="raise").fit(X, Y)


def test_a_portion_may_fail_as_a_whole():
    found = fragile(batch=1, n_iter=15)  # each failure is a portion of its own
    assert found.best_params_ == {"level": 0.0}
    assert len(found.cv_results_["params"]) == 15
    assert np.isnan(found.cv_results_["mean_test_score"]).any()


def test_a_portion_may_fail_as_a_whole_with_several_scores():
    scoring = {"a": lambda e, X, y: -e.level, "b": lambda e, X, y: 2.0}
    found = fragile(batch=1, n_iter=15, scoring=scoring, refit="a", return_train_score=True)
    failed = np.isnan(found.cv_results_["mean_test_a"])
    assert failed.any()
    np.testing.assert_array_equal(np.isnan(found.cv_results_["mean_train_b"]), failed)


def test_nothing_but_failures_is_an_error_with_its_cause():
    with pytest.raises(ValueError, match="is too high"):
        search(Fragile(limit=-1), LEVELS).fit(X, Y)


def test_a_score_that_is_nan_never_wins():
    def scorer(estimator, X, y):
        return np.nan if estimator.C > 1 else estimator.C

    with pytest.warns(UserWarning, match="non-finite"):
        found = search(SVC(), C, scoring=scorer, n_iter=12).fit(X, Y)
    assert found.best_params_["C"] <= 1
    assert found.best_score_ == found.best_params_["C"]


def test_errors_of_a_constraint_are_shown():
    with pytest.raises(SpaceError, match="constraint"):
        search(SVC(), C, constraint=lambda params: params["gamma"] > 0).fit(X, Y)


def test_impossible_distributions_are_named():
    with pytest.raises((SpaceError, ArgumentError), match="got"):
        search(SVC(), {"C": ChoiceDistribution}).fit(X, Y)
