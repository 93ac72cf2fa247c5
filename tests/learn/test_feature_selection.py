"""Selection of features: planted ones are found, and it is a transformer and a predictor."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
from learn_data import GROUPS, SMALL, X, Y
from sklearn.base import clone, is_classifier
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_regression
from sklearn.feature_selection import f_regression
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from geneticpy import ArgumentError, GeneticFeatureSelectionCV, SpaceError
from geneticpy.learn.columns import Columns, OnColumns


def selection(estimator=None, **options):
    """Return an unfitted selection of a few candidates."""
    estimator = LogisticRegression() if estimator is None else estimator
    return GeneticFeatureSelectionCV(estimator, **{**SMALL, **options})


def planted(n_features, informative, n_samples=120, seed=0):
    """Return X, y of a linear model in the first features."""
    return make_regression(
        n_samples, n_features, n_informative=informative, noise=1.0, shuffle=False,
        random_state=seed,
    )  # fmt: skip


# What is found


def test_planted_features_are_found():
    data, target = planted(20, 4)
    found = selection(LinearRegression(), n_iter=120, population_size=20, penalty=0.02)
    found.fit(data, target)
    assert found.support_[:4].all()
    assert found.n_features_ <= 8


def test_planted_features_of_many_are_enriched():
    # 3 of 100 features are informative and up to 10 are selected: all 3 come by chance in one of
    # 1,300 subsets of 10, so hardly ever among 60.
    data, target = planted(100, 3)
    found = selection(Ridge(), n_iter=60, n_features_range=(1, 10)).fit(data, target)
    assert found.n_features_ <= 10
    assert found.support_[:3].all()


def test_thousand_features():
    data, target = planted(1000, 5, n_samples=40)
    found = selection(Ridge(), n_iter=12, n_features_range=(1, 1000)).fit(data, target)
    assert found.transform(data).shape == (40, found.n_features_)
    assert found.cv_results_["n_features"][0] == 1000


def test_beginnings_from_a_filter_are_built_upon():
    data, target = planted(1000, 5, n_samples=80)
    order = f_regression(data, target)[0].argsort()[::-1]
    beginnings = [order[:count] for count in (3, 30)]
    found = selection(Ridge(), n_iter=40, n_features_range=(1, 30), initial=beginnings)
    scores = found.fit(data, target).cv_results_["mean_test_score"]
    assert scores[:2].max() < found.best_score_ == scores.max()
    assert found.support_[:5].sum() >= 3


def test_smallest_of_equals_is_taken():
    def flat(estimator, X, y):
        return 1.0

    found = selection(n_iter=40, scoring=flat).fit(X, Y)
    assert found.n_features_ == min(found.cv_results_["n_features"])


def test_penalty_is_per_share_of_the_features():
    found = selection(penalty=0.3, n_iter=20).fit(X, Y)
    table = found.cv_results_
    expected = table["mean_test_score"] - 0.3 * table["n_features"] / 6
    np.testing.assert_allclose(table["objective"], expected)
    assert table["objective"][found.best_index_] == table["objective"].max()
    assert found.best_score_ == table["mean_test_score"][found.best_index_]
    strong = selection(penalty=100.0, n_iter=30).fit(X, Y)
    assert strong.n_features_ == 1


@pytest.mark.parametrize("bounds", [(1, 2), (4, 5), (3, 3), [6, 6]])
def test_range_is_kept(bounds):
    sizes = selection(n_features_range=bounds, n_iter=10).fit(X, Y).cv_results_["n_features"]
    assert bounds[0] <= sizes.min() <= sizes.max() <= bounds[1]


@pytest.mark.parametrize(
    "bounds", [(0, 3), (2, 1), (1, 7), (3,), (1, 2, 3), (1.0, 2.0), ("1", "2"), [True, None]]
)
def test_wrong_ranges_are_refused(bounds):
    told = re.escape(f"must be two integers within 1 and the 6 features, got {bounds!r}.")
    with pytest.raises(ArgumentError, match=f"^n_features_range: {told}"):
        selection(n_features_range=bounds).fit(X, Y)


def test_all_features_come_first_and_other_beginnings_can_be_given():
    tried = selection().fit(X, Y).cv_results_["params"]
    assert tried[0]["columns"] == list(range(6))
    tried = selection(initial=[(3, 1), [5]]).fit(X, Y).cv_results_["params"]
    assert [params["columns"] for params in tried[:2]] == [[1, 3], [5]]
    with pytest.raises(SpaceError, match="initial"):
        selection(initial=[[99]]).fit(X, Y)


@pytest.mark.parametrize("columns", [0, np.array(0), ["a"], "ab", [0.5], [True, False], None])
def test_a_beginning_that_holds_no_numbers_is_named(columns):
    with pytest.raises(ArgumentError, match=r"^initial\[1\]: must be a list of column numbers"):
        selection(initial=[[0, 1], columns]).fit(X, Y)


def test_constraint_on_columns():
    tried = selection(constraint=lambda columns: 0 in columns).fit(X, Y).cv_results_["params"]
    assert all(0 in params["columns"] for params in tried)


# A transformer and a predictor


def test_it_transforms_and_predicts():
    found = selection().fit(X, Y)
    np.testing.assert_array_equal(found.transform(X), X[:, found.support_])
    np.testing.assert_array_equal(found.get_support(), found.support_)
    assert found.n_features_ == found.support_.sum() == found.estimator_.n_features_in_
    np.testing.assert_array_equal(found.predict(X), found.estimator_.predict(X[:, found.support_]))
    assert found.predict_proba(X).shape == (80, 2)
    assert found.decision_function(X).shape == (80,)
    assert found.score(X, Y) == (found.predict(X) == Y).mean()
    assert found.inverse_transform(found.transform(X)).shape == X.shape
    assert list(found.classes_) == [0, 1]
    assert is_classifier(found)


def test_scores_are_those_of_cross_validation():
    found = selection().fit(X, Y)
    for params, score in zip(
        found.cv_results_["params"], found.cv_results_["mean_test_score"], strict=True
    ):
        columns = X[:, params["columns"]]
        assert score == cross_val_score(LogisticRegression(), columns, Y, cv=3).mean()


def test_names_of_the_features():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    found = selection().set_output(transform="pandas").fit(frame, Y)
    shown = found.transform(frame)
    assert list(shown.columns) == list(frame.columns[found.support_])
    assert list(found.get_feature_names_out()) == list(shown.columns)
    assert list(found.feature_names_in_) == list("abcdef")
    unnamed = selection().fit(X, Y)
    assert list(unnamed.get_feature_names_out()) == [f"x{i}" for i in unnamed.get_support(True)]


def test_as_a_step_of_a_pipeline():
    model = make_pipeline(StandardScaler(), selection(), KNeighborsClassifier()).fit(X, Y)
    assert model[-1].n_features_in_ == model[1].n_features_
    assert model.score(X, Y) > 0.6


def test_an_estimator_that_reads_data_frames():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    every = ColumnTransformer([("scale", StandardScaler(), lambda part: list(part.columns))])
    found = selection(make_pipeline(every, LogisticRegression())).fit(frame, Y)
    assert found.score(frame, Y) > 0.6


def test_sparse_data():
    found = selection().fit(scipy.sparse.csr_array(X), Y)
    assert found.transform(scipy.sparse.csr_array(X)).shape[1] == found.n_features_


def test_clone_and_pickle():
    found = clone(selection(penalty=0.1)).fit(X, Y)
    copy = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(copy.transform(X), found.transform(X))
    assert isinstance(found.get_params()["estimator"], LogisticRegression)


def test_without_refit_it_only_selects():
    found = selection(refit=False).fit(X, Y)
    assert found.transform(X).shape[1] == found.n_features_
    assert not hasattr(found, "estimator_")


def test_without_a_target():
    found = selection(KMeans(2, n_init=1, random_state=0)).fit(X)
    assert found.transform(X).shape[1] == found.n_features_


def test_several_scores_and_racing():
    scoring = {"accuracy": "accuracy", "f1": make_scorer(f1_score)}
    found = selection(scoring=scoring, refit="f1", racing=True, n_iter=20, cv=5).fit(X, Y)
    assert found.best_score_ == found.cv_results_["mean_test_f1"][found.best_index_]


def test_several_scores_without_refit():
    found = selection(scoring=["accuracy", "f1"], refit=False).fit(X, Y)
    best = found.cv_results_["mean_test_accuracy"].max()
    at = found.cv_results_["params"].index({"columns": found.get_support(True).tolist()})
    assert found.cv_results_["mean_test_accuracy"][at] == best


@pytest.mark.filterwarnings("ignore:The scoring:UserWarning")
def test_groups_and_weights():
    weight = np.where(Y == 1, 1.0, 1e-6)
    found = selection(cv=GroupKFold(4)).fit(X, Y, groups=GROUPS, sample_weight=weight)
    assert (found.predict(X) == 1).all()
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = LogisticRegression().set_fit_request(sample_weight=True)
        scorer = make_scorer(f1_score).set_score_request(sample_weight=False)
        routed = selection(estimator, scoring=scorer, cv=GroupKFold(4))
        routed.fit(X, Y, groups=GROUPS, sample_weight=weight)
    assert (routed.predict(X) == 1).all()


@pytest.mark.filterwarnings("ignore:The scoring:UserWarning")
def test_weights_count_in_the_default_score_as_in_a_named_one():
    weight = np.linspace(0.01, 2.0, len(Y))
    default, named = (
        selection(scoring=scoring).fit(X, Y, sample_weight=weight).cv_results_
        for scoring in (None, "accuracy")
    )
    np.testing.assert_allclose(default["mean_test_score"], named["mean_test_score"])


def test_html_shows_the_estimator_and_then_the_best():
    found = selection()
    assert "estimator: LogisticRegression" in found._repr_html_()
    assert "best_estimator_: OnColumns" in found.fit(X, Y)._repr_html_()


def test_its_settings_are_searched_inside_a_pipeline():
    model = make_pipeline(StandardScaler(), selection(), KNeighborsClassifier())
    name = "geneticfeatureselectioncv__n_features_range"
    grid = GridSearchCV(model, {name: [(1, 1), (2, 2)]}, cv=2).fit(X, Y)
    assert grid.best_estimator_[1].n_features_ == grid.best_params_[name][0]


def test_copies_of_columns_are_their_own():
    columns = Columns([3, 1])
    copy = clone(OnColumns(LogisticRegression(), columns)).columns
    assert copy == columns
    copy.append(2)
    assert columns == [3, 1]
