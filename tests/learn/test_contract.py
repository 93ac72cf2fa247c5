"""What works with RandomizedSearchCV works with GeneticSearchCV by changing the class name."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import sklearn
from learn_data import GROUPS, XR, YR, X, Y, search
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, f1_score, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import geneticpy
from geneticpy import GeneticSearchCV, LogUniformDistribution

C = {"C": scipy.stats.loguniform(1e-2, 1e2)}
OURS = {"generation", "species", "folds"}
BOTH = [RandomizedSearchCV, GeneticSearchCV]


def both(estimator=None, space=None, **options):
    """Fit both classes with the same arguments."""
    estimator = LogisticRegression() if estimator is None else estimator
    options = {"n_iter": 6, "cv": 3, "random_state": 0, **options}
    return [kind(estimator, C if space is None else space, **options).fit(X, Y) for kind in BOTH]


# Attributes and methods


def test_every_fitted_attribute_of_random_search_is_there():
    random, ours = both()
    fitted = {name for name in vars(random) if name.endswith("_") and name[0] != "_"}
    assert fitted <= vars(ours).keys()
    assert {type(getattr(random, name)) for name in fitted} <= {
        type(getattr(ours, name)) for name in fitted
    }


def test_every_argument_of_random_search_is_accepted():
    missing = RandomizedSearchCV._get_param_names(), GeneticSearchCV._get_param_names()
    assert set(missing[0]) <= set(missing[1])


@pytest.mark.parametrize("train", [False, True])
def test_table_has_the_columns_of_random_search_and_three_more(train):
    random, ours = (s.cv_results_ for s in both(return_train_score=train))
    assert ours.keys() - random.keys() == OURS
    assert random.keys() <= ours.keys()
    for name in random:
        assert type(ours[name]) is type(random[name]), name
        if name != "params":
            assert ours[name].dtype == random[name].dtype, name
            assert ours[name].shape == random[name].shape, name


@pytest.mark.parametrize(
    "method",
    ["predict", "predict_proba", "predict_log_proba", "decision_function", "score"],
)
def test_methods_are_those_of_the_best_estimator(method):
    ours = search(SVC(probability=True) if "pro" in method else SVC(), C)
    if "pro" in method:
        ours = search(LogisticRegression(), C)
    assert hasattr(ours, method)
    ours.fit(X, Y)
    arguments = (X, Y) if method == "score" else (X,)
    expected = getattr(ours.best_estimator_, method)(*arguments)
    np.testing.assert_array_equal(getattr(ours, method)(*arguments), expected)


def test_transform_and_inverse_transform():
    ours = search(PCA(), {"n_components": [1, 2, 3]}).fit(X)
    np.testing.assert_array_equal(ours.transform(X), ours.best_estimator_.transform(X))
    assert ours.inverse_transform(ours.transform(X)).shape == X.shape


def test_methods_that_the_estimator_lacks_are_lacking():
    ours = search(SVC(), C)
    assert not hasattr(ours, "predict_proba")
    assert not hasattr(ours, "transform")


def test_table_is_consistent():
    ours = search(SVC(), {**C, "kernel": ["rbf", "linear"]}, n_iter=12).fit(X, Y)
    table = ours.cv_results_
    splits = np.array([table[f"split{k}_test_score"] for k in range(3)])
    np.testing.assert_allclose(table["mean_test_score"], splits.mean(axis=0))
    np.testing.assert_allclose(table["std_test_score"], splits.std(axis=0))
    order = scipy.stats.rankdata(-table["mean_test_score"], method="min")
    np.testing.assert_array_equal(table["rank_test_score"], order)
    assert table["rank_test_score"][ours.best_index_] == 1
    assert table["params"][ours.best_index_] == ours.best_params_
    assert table["mean_test_score"][ours.best_index_] == ours.best_score_
    assert ours.best_estimator_.get_params()["C"] == ours.best_params_["C"]
    assert list(table["param_C"]) == [params["C"] for params in table["params"]]


def test_scores_are_those_of_cross_validation():
    ours = search(SVC(), C).fit(X, Y)
    for params, score in zip(
        ours.cv_results_["params"], ours.cv_results_["mean_test_score"], strict=True
    ):
        assert score == cross_val_score(SVC(**params), X, Y, cv=3).mean()


def test_columns_of_parameters_are_masked_where_they_are_not_used():
    space = [{"kernel": ["rbf"], "gamma": [0.1, 1.0, 3.0]}, {"kernel": ["linear"], "C": [1, 2]}]
    table = search(SVC(), space, n_iter=5).fit(X, Y).cv_results_
    for i, params in enumerate(table["params"]):
        assert table["param_gamma"].mask[i] == ("gamma" not in params)
        assert table["param_C"].mask[i] == ("C" not in params)
        assert not table["param_kernel"].mask[i]
    assert table["param_gamma"].mask.any()
    assert not table["param_gamma"].mask.all()
    assert pd.DataFrame(table).shape == (5, len(table))


def test_kinds_follow_the_estimator():
    assert is_classifier(search(SVC(), C))
    assert is_regressor(search(Ridge(), {"alpha": [1.0]}))


def test_unfitted_search_says_so():
    with pytest.raises(NotFittedError):
        search(SVC(), C).predict(X)


def test_constructor_only_stores():
    space, callback = {"C": object()}, object()
    ours = GeneticSearchCV("no estimator", space, callback=callback, population_size="many")
    assert ours.param_distributions is space
    assert ours.callback is callback
    assert ours.get_params()["population_size"] == "many"


def test_fit_leaves_the_arguments_as_they_were():
    cv = KFold(3)
    ours = search(SVC(), C, cv=cv, verbose=0, racing=True)
    before = ours.get_params(deep=False)
    ours.fit(X, Y)
    after = ours.get_params(deep=False)
    assert before.keys() == after.keys()
    assert all(before[name] is after[name] for name in before)


def test_arguments_are_back_after_a_failure():
    cv = KFold(3)
    ours = search(SVC(), {"no_such_parameter": [1, 2]}, cv=cv)
    with pytest.raises(ValueError, match="no_such_parameter"):
        ours.fit(X, Y)
    assert ours.cv is cv


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("n_iter", 0),
        ("population_size", 0),
        ("generation_count", -1),
        ("patience", 0),
        ("time_limit", -1.0),
        ("batch", 0),
        ("racing", 2.0),
        ("callback", 3),
        ("constraint", "yes"),
        ("initial", "defaults"),
        ("cv", "many"),
        ("random_state", "luck"),
    ],
)
def test_wrong_arguments_are_named(option, value):
    with pytest.raises(ValueError, match=option):
        search(SVC(), C, **{option: value}).fit(X, Y)


@pytest.mark.parametrize("space", [[], [3], {"C": []}])
def test_wrong_spaces_are_refused(space):
    with pytest.raises(geneticpy.SpaceError, match="param_distributions"):
        search(SVC(), space).fit(X, Y)


# Clone, pickle, output, display


def test_clone_and_set_params():
    ours = clone(search(SVC(), C)).set_params(estimator__kernel="linear", n_iter=2)
    assert ours.fit(X, Y).best_estimator_.kernel == "linear"
    assert len(ours.cv_results_["params"]) == 2


def test_pickle_of_a_fitted_search_predicts():
    ours = search(SVC(), C).fit(X, Y)
    copy = pickle.loads(pickle.dumps(ours))
    np.testing.assert_array_equal(copy.predict(X), ours.predict(X))
    assert copy.cv_results_["params"] == ours.cv_results_["params"]


def test_set_output():
    ours = search(make_pipeline(StandardScaler(), PCA()), {"pca__n_components": [1, 2]})
    shown = ours.set_output(transform="pandas").fit(pd.DataFrame(X), Y).transform(pd.DataFrame(X))
    assert isinstance(shown, pd.DataFrame)


def test_html_shows_the_estimator_and_then_the_best():
    ours = search(SVC(), C)
    assert "estimator: SVC" in ours._repr_html_()
    assert "best_estimator_: SVC" in ours.fit(X, Y)._repr_html_()


def test_repr_names_the_class():
    assert repr(search(SVC(), C)).startswith("GeneticSearchCV(")


# Refit and several scores


def test_several_scores():
    scoring = {"accuracy": "accuracy", "f1": make_scorer(f1_score)}
    random, ours = both(scoring=scoring, refit="f1")
    assert random.cv_results_.keys() <= ours.cv_results_.keys()
    assert ours.cv_results_["rank_test_f1"][ours.best_index_] == 1
    assert ours.best_score_ == ours.cv_results_["mean_test_f1"].max()
    assert ours.scorer_.keys() == scoring.keys()
    assert ours.score(X, Y) == f1_score(Y, ours.predict(X))


def test_the_score_of_refit_is_searched_by():
    def good(estimator, X, y):
        return -abs(np.log10(estimator.C) - 1.5)

    def bad(estimator, X, y):
        return abs(np.log10(estimator.C) - 1.5)

    found = {
        name: search(SVC(), C, scoring={"bad": bad, "good": good}, refit=name, n_iter=30)
        .fit(X, Y)
        .best_params_["C"]
        for name in ("bad", "good")
    }
    assert found["good"] == pytest.approx(10**1.5, rel=0.05)
    assert found["bad"] < 0.02


def test_refit_by_callable():
    def last(table):
        return len(table["params"]) - 1

    ours = search(SVC(), C, refit=last).fit(X, Y)
    assert ours.best_index_ == 7
    assert not hasattr(ours, "best_score_")
    last_params = ours.cv_results_["params"][7]
    assert last_params == ours.best_params_
    assert last_params["C"] == ours.best_estimator_.C


def test_no_refit():
    ours = search(SVC(), C, refit=False).fit(X, Y)
    assert not hasattr(ours, "best_estimator_")
    assert ours.best_score_ == ours.cv_results_["mean_test_score"].max()


def test_several_scores_need_refit_by_name():
    with pytest.raises(ValueError, match="refit"):
        search(SVC(), C, scoring=["accuracy", "f1"]).fit(X, Y)


def test_scoring_may_be_a_callable_that_returns_a_dict():
    def scores(estimator, X, y):
        found = accuracy_score(y, estimator.predict(X))
        return {"right": found, "wrong": 1 - found}

    ours = search(SVC(), C, scoring=scores, refit="right").fit(X, Y)
    assert ours.multimetric_
    assert {"mean_test_right", "mean_test_wrong"} <= ours.cv_results_.keys()


# Groups, weights, routing


def test_groups_reach_the_splitter():
    ours = search(SVC(), C, cv=GroupKFold(5)).fit(X, Y, groups=GROUPS)
    expected = cross_val_score(
        SVC(**ours.best_params_), X, Y, cv=list(GroupKFold(5).split(X, Y, GROUPS))
    )
    assert ours.n_splits_ == 5
    assert ours.best_score_ == expected.mean()


@pytest.mark.filterwarnings("ignore:The scoring:UserWarning")  # that scorers got no weights
@pytest.mark.parametrize("racing", [False, True])
def test_sample_weight_reaches_the_estimator(racing):
    weight = np.where(Y == 1, 1.0, 1e-6)
    ours = search(LogisticRegression(), C, racing=racing).fit(X, Y, sample_weight=weight)
    assert (ours.predict(X) == 1).all()


@pytest.mark.parametrize("racing", [False, True])
def test_metadata_routing(racing):
    weight = np.where(Y == 1, 1.0, 1e-6)
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = LogisticRegression().set_fit_request(sample_weight=True)
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
        ours = search(estimator, C, scoring=scorer, cv=GroupKFold(4), racing=racing)
        ours.fit(X, Y, sample_weight=weight, groups=GROUPS)
        plain = search(estimator, C, scoring=scorer, cv=3).fit(X, Y, sample_weight=weight)
    assert ours.n_splits_ == 4
    assert (ours.predict(X) == 1).all()
    assert plain.best_score_ > 0.99  # by weight, hardly anything is wrong


def test_metadata_that_nobody_asked_for_is_refused():
    with (
        sklearn.config_context(enable_metadata_routing=True),
        pytest.raises(Exception, match="sample_weight"),
    ):
        search(LogisticRegression(), C).fit(X, Y, sample_weight=np.ones(len(Y)))


# Inside and around other estimators


def test_nested_cross_validation():
    scores = cross_val_score(search(SVC(), C), X, Y, cv=3)
    assert scores.shape == (3,)
    assert (scores > 0.6).all()


def test_as_the_last_step_of_a_pipeline():
    model = make_pipeline(StandardScaler(), search(SVC(), C)).fit(X, Y)
    assert model.score(X, Y) > 0.7


def test_without_a_target():
    ours = search(KMeans(n_init=1, random_state=0), {"n_clusters": [2, 3, 4, 5]}, n_iter=4)
    assert ours.fit(X).best_params_["n_clusters"] == 5


@pytest.mark.parametrize("cv", [None, 4, StratifiedKFold(4), ShuffleSplit(4, random_state=0)])
def test_kinds_of_cv(cv):
    assert search(SVC(), C, cv=cv).fit(X, Y).n_splits_ == (5 if cv is None else 4)


@pytest.mark.parametrize("racing", [False, True])
def test_splits_may_be_a_generator(racing):
    splits = KFold(3).split(X, Y)
    ours = search(SVC(), C, cv=splits, racing=racing).fit(X, Y)
    assert ours.n_splits_ == 3
    assert len(ours.cv_results_["params"]) == 8


def test_generations_compare_on_the_same_folds():
    class Counted(ShuffleSplit):
        calls = 0

        def split(self, X, y=None, groups=None):
            Counted.calls += 1
            return super().split(X, y, groups)

    ours = search(DummyClassifier(), {"constant": list(range(40))}, cv=Counted(3), n_iter=12)
    table = ours.fit(X, Y).cv_results_
    assert Counted.calls == 1
    for k in range(3):
        assert len(set(table[f"split{k}_test_score"])) == 1  # the same model, the same split


def test_data_frames_and_names():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    ours = search(SVC(), C).fit(frame, Y)
    assert list(ours.feature_names_in_) == list("abcdef")
    assert ours.n_features_in_ == 6
    assert list(ours.classes_) == [0, 1]


# Import, backends, seeds, output


def test_without_scikit_learn_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['sklearn'] = None; import geneticpy; from geneticpy import *\n"
        "try: geneticpy.GeneticSearchCV\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install geneticpy[sklearn]" in done.stdout


@pytest.mark.parametrize("seed", [3, np.random.RandomState(3)])
def test_a_seed_repeats_a_search(seed):
    runs = [search(SVC(), C, random_state=clone_state(seed)).fit(X, Y) for _ in range(2)]
    assert runs[0].cv_results_["params"] == runs[1].cv_results_["params"]


def clone_state(seed):
    return pickle.loads(pickle.dumps(seed))


def test_another_seed_is_another_search():
    runs = [search(SVC(), C, random_state=seed).fit(X, Y) for seed in (0, 1)]
    assert runs[0].cv_results_["params"] != runs[1].cv_results_["params"]


def test_the_global_generator_stands_in_for_no_seed():
    found = []
    for _ in range(2):
        np.random.seed(5)  # noqa: NPY002  what users of scikit-learn do
        found.append(search(SVC(), C, random_state=None).fit(X, Y).cv_results_["params"])
    assert found[0] == found[1]


def test_quiet_by_default(capfd):
    search(SVC(), C).fit(X, Y)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_progress_bar_and_the_messages_of_scikit_learn(capfd):
    search(SVC(), C, verbose=True).fit(X, Y)
    out, err = capfd.readouterr()
    assert out == ""
    assert "8/8" in err
    assert "score=" in err
    search(SVC(), C, verbose=2).fit(X, Y)
    assert "Fitting 3 folds" in capfd.readouterr().out


def test_iris_by_changing_the_class_name():
    # The example of RandomizedSearchCV's docstring.
    iris = load_iris()
    logistic = LogisticRegression(solver="saga", tol=1e-2, max_iter=200, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = GeneticSearchCV(
            logistic,
            {"C": scipy.stats.uniform(loc=0, scale=4), "l1_ratio": [0.0]},
            random_state=0,
            n_iter=10,
        ).fit(iris.data, iris.target)
    assert found.best_score_ > 0.95


def test_multi_output_and_regression():
    ours = search(Ridge(), {"alpha": LogUniformDistribution(1e-3, 1e3)})
    assert ours.fit(XR, np.c_[YR, -YR]).predict(XR).shape == (80, 2)


def test_estimators_of_one_class_share_nothing():
    ours = search(RandomForestClassifier(n_estimators=3, random_state=0), {"max_depth": [1, 2]})
    ours.fit(X, Y)
    assert not hasattr(ours.estimator, "estimators_")


def test_kneighbors_scores():
    ours = search(KNeighborsClassifier(), {"n_neighbors": range(1, 20)}, n_iter=6).fit(X, Y)
    assert all(type(params["n_neighbors"]) is int for params in ours.cv_results_["params"])


@pytest.mark.skipif(not hasattr(GeneticSearchCV, "set_callbacks"), reason="scikit-learn below 1.9")
@pytest.mark.parametrize("racing", [False, True])
def test_callbacks_of_scikit_learn_are_told_of_every_fit(racing):
    told = Recorder()
    ours = search(SVC(), C, racing=racing)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that SVC does not support callbacks
        ours.set_callbacks(told).fit(X, Y)
    fits = ours.cv_results_["folds"].sum()
    assert told.ended == told.begun
    assert told.begun.count("candidate-split-evaluation") == fits
    assert told.begun.count("search") == told.begun.count("refit-with-best-params") == 1
    assert told.begun.count("portion") >= 2


class Recorder:
    """A callback of scikit-learn 1.9 that notes the names of tasks."""

    def __init__(self):
        self.begun, self.ended = [], []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **data):
        self.begun.append(context.task_name)
        self.begun.sort()

    def on_fit_task_end(self, estimator, context, **data):
        self.ended.append(context.task_name)
        self.ended.sort()
