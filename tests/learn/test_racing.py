"""Races on folds: the test in closed form, and who survives."""

import numpy as np
import pytest
import scipy.stats
from learn_data import X, Y, search
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVC

from geneticpy import LogUniformDistribution
from geneticpy.learn.racing import FEWEST_COMPLETE, Race
from geneticpy.learn.trial import Trial

C = {"C": LogUniformDistribution(1e-2, 1e2)}


def race_of(complete, folds=5, test_share=0.25, level=0.05):
    race = Race(folds, test_share, level)
    for scores in complete:
        race.add(np.array(scores, float))
    return race


# The test


def test_p_value_is_that_of_the_pooled_corrected_t_test():
    rng = np.random.default_rng(0)
    complete = rng.normal(0.8, 0.05, (6, 5))
    race = race_of(complete)
    order = (-complete.mean(axis=1)).argsort()
    best, good = complete[order[0]], complete[order[1:4]]  # 3 of the 5 others
    gaps = good - best
    pooled = ((gaps - gaps.mean(axis=1, keepdims=True)) ** 2).sum() / (3 * 4)
    for k in (1, 2, 4):
        scores = rng.normal(0.7, 0.05, k)
        t = (scores - best[:k]).mean() / np.sqrt(pooled * (1 / k + 0.25))
        assert race.p_value(scores) == pytest.approx(scipy.stats.t.cdf(t, 3 * 4))


def test_wild_scores_of_bad_candidates_do_not_hide_a_gap():
    rng = np.random.default_rng(4)
    good, bad = rng.normal(0.9, 0.01, (6, 5)), rng.normal(-5, 4, (5, 5))
    assert race_of([*good, *bad]).loses(np.array([0.8, 0.8]))


def test_the_level_is_shared_among_the_looks():
    race = race_of(np.random.default_rng(1).normal(0, 1, (8, 5)))
    best = race._complete[race.best]
    low, high = -100.0, 0.0
    for _ in range(60):  # the gap at which the first look decides
        gap = (low + high) / 2
        if race.loses(best[:1] + gap):
            low = gap
        else:
            high = gap
    assert race.p_value(best[:1] + low) == pytest.approx(0.05 / 4)


def test_candidates_as_good_as_the_best_survive_at_the_level():
    # Scores are fold effects plus noise; the "best" is not selected here, so the level must hold:
    # of 2,000 races at most 5 % may drop the newcomer. The correction for overlapping training
    # sets makes it fewer; 0.06 is 2 sigma above the level.
    rng = np.random.default_rng(2)
    dropped = 0
    for _ in range(2000):
        difficulty = rng.normal(0, 0.3, 5)
        complete = difficulty + rng.normal(0, 0.05, (10, 5))
        race = race_of(complete)
        newcomer = complete[race.best].mean() - difficulty.mean() + difficulty
        newcomer = newcomer + rng.normal(0, 0.05, 5)
        dropped += any(race.loses(newcomer[:k]) for k in range(1, 5))
    assert dropped / 2000 < 0.06


def test_clearly_worse_candidates_are_dropped_at_once():
    rng = np.random.default_rng(3)
    difficulty = rng.normal(0, 0.3, 5)
    race = race_of(difficulty + rng.normal(0, 0.05, (10, 5)))
    lost = [race.loses(difficulty[:1] - 0.5 + rng.normal(0, 0.05, 1)) for _ in range(200)]
    assert np.mean(lost) > 0.95


def test_nobody_is_dropped_before_enough_is_known():
    some = [[0.9, 0.8], [0.7, 0.9], [0.8, 0.8], [0.6, 0.7]]
    assert FEWEST_COMPLETE == 3
    assert not race_of(some[:3], folds=2).loses(np.array([-1e9]))
    assert race_of(some, folds=2).loses(np.array([-1e9]))


def test_equal_scores_say_nothing_of_the_noise():
    assert not race_of([[1.0] * 5] * 8).loses(np.array([0.0, 0.0]))


def test_one_fold_is_no_race():
    assert not race_of([[float(i)] for i in range(9)], folds=1).open


# Comparison on unequal folds


def trial_of(scores, rival=None):
    outcomes = [{"test_scores": score, "fit_error": None} for score in scores]
    return Trial({}, outcomes=outcomes, rival=rival)


def test_missing_folds_are_expected_at_the_gap_to_the_rival():
    rival = trial_of([0.9, 0.5, 0.7])
    loser = trial_of([0.8, 0.2], rival)
    read = lambda outcome: outcome["test_scores"]  # noqa: E731
    np.testing.assert_allclose(loser.scores(read, 3), [0.8, 0.2, 0.5])
    assert loser.mean(read, 3) == pytest.approx(rival.mean(read, 3) - 0.2)


# The whole search


class Noted(ClassifierMixin, BaseEstimator):
    """A classifier whose scores are `quality` and a difficulty of the fold."""

    def __init__(self, quality=0.0):
        self.quality = quality

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.noise_ = np.random.default_rng([int(self.quality * 1e6), int(X[0, 0] * 1e6) % 97])
        return self

    def predict(self, X):
        return np.zeros(len(X), int)

    def score(self, X, y):
        return self.quality + abs(X[:, 0].mean()) + self.noise_.normal(0, 0.01)


QUALITY = {"quality": LogUniformDistribution(1e-2, 1)}


def test_raced_search_runs_fewer_fits_and_finds_as_good():
    drawn = np.random.default_rng(0).permutation(np.geomspace(0.01, 1, 40)).tolist()
    initial = [{"quality": quality} for quality in drawn]  # however well the search is doing
    plain, raced = (
        search(Noted(), QUALITY, n_iter=40, cv=5, racing=racing, initial=initial).fit(X, Y)
        for racing in (False, True)
    )
    assert plain.cv_results_["folds"].sum() == 200
    assert raced.cv_results_["folds"].sum() < 170
    assert raced.best_params_["quality"] > 0.95


def test_the_table_says_which_folds_were_run():
    found = search(Noted(), QUALITY, n_iter=40, cv=5, racing=True, return_train_score=True)
    table = found.fit(X, Y).cv_results_
    run = table["folds"]
    assert found.n_splits_ == 5
    assert set(run) > {5}
    for k in range(5):
        for kind in ("test", "train"):
            np.testing.assert_array_equal(np.isnan(table[f"split{k}_{kind}_score"]), run <= k)
    assert np.isfinite(table["mean_test_score"]).all()
    assert (run[table["rank_test_score"] == 1] == 5).all()
    assert found.best_score_ == max(table["mean_test_score"])


def test_dropped_candidates_are_below_the_best_though_their_folds_were_easy():
    table = search(Noted(), QUALITY, n_iter=40, cv=5, racing=True).fit(X, Y).cv_results_
    dropped = table["folds"] < 5
    assert dropped.any()
    quality = np.array([params["quality"] for params in table["params"]])
    error = table["mean_test_score"] - quality
    spread = error[dropped].max() - error[~dropped].min()
    assert spread < 0.08  # a fold differs from the mean of folds by more than 0.1


def test_level_of_the_race():
    strict, lax = (
        search(Noted(), QUALITY, n_iter=40, cv=5, racing=level).fit(X, Y).cv_results_["folds"]
        for level in (1e-12, 0.9)
    )
    assert strict.sum() > lax.sum()


def test_racing_with_several_scores():
    scoring = {"a": "accuracy", "f": "f1"}
    found = search(
        SVC(),
        {**C, "kernel": ["rbf", "sigmoid"]},
        scoring=scoring,
        refit="f",
        racing=0.5,
        n_iter=30,
        cv=5,
    ).fit(X, Y)
    assert (found.cv_results_["folds"] < 5).any()
    assert np.isfinite(found.cv_results_["mean_test_a"]).all()
    assert found.best_score_ == found.cv_results_["mean_test_f"].max()
