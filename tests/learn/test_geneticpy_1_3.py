"""What GeneticPy 1.3's GeneticSearchCV did, and what it got wrong."""

import random

import numpy as np
import pandas as pd
import pytest
from learn_data import XR, YR, X, Y
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

import geneticpy
from geneticpy import (
    ChoiceDistribution,
    ExponentialDistribution,
    GaussianDistribution,
    GeneticSearchCV,
    LogNormalDistribution,
    UniformDistribution,
)

SMALL = {"population_size": 4, "generation_count": 2, "random_state": 0, "cv": 3}
FOREST = {
    "max_features": UniformDistribution(0.1, 1.0),
    "min_samples_leaf": UniformDistribution(1, 9, q=1),
    "criterion": ChoiceDistribution(["gini", "entropy"]),
    "ccp_alpha": ExponentialDistribution(0.001),
    "n_estimators": 3,
}


def test_call_of_1_3_with_all_its_arguments():
    found = GeneticSearchCV(
        RandomForestClassifier(random_state=0), FOREST, scoring="f1", refit=True, cv=3,
        verbose=False, random_state=7, population_size=6, generation_count=2,
    ).fit(X, Y)  # fmt: skip
    assert found.best_params_.keys() == FOREST.keys()
    assert found.best_estimator_.n_estimators == 3
    assert 0.5 < found.best_score_ <= 1
    assert len(found.cv_results_["params"]) == 12


def test_defaults_are_those_of_1_3():
    given = GeneticSearchCV(SVC(), {}).get_params()
    expected = {"scoring": None, "refit": True, "cv": None, "verbose": False,
                "random_state": None, "population_size": 50, "generation_count": 10}  # fmt: skip
    assert {name: given[name] for name in expected} == expected


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_distribution_of_1_3():
    space = {
        "alpha": LogNormalDistribution(mean=-6, sigma=2),
        "l1_ratio": UniformDistribution(0, 1, q=0.1),
        "eta0": GaussianDistribution(0.1, 0.05, low=0.01, high=0.2),
        "power_t": ExponentialDistribution(0.5, low=0, high=1),
        "penalty": ChoiceDistribution(["l2", "elasticnet"], probabilities=[0.3, 0.7]),
        "loss": "log_loss",
    }
    found = GeneticSearchCV(SGDClassifier(max_iter=20, random_state=0), space, **SMALL).fit(X, Y)
    for params in found.cv_results_["params"]:
        assert params["loss"] == "log_loss"
        assert 0.01 <= params["eta0"] <= 0.2
        assert params["l1_ratio"] == round(params["l1_ratio"], 1)  # 0.3, not 0.30000000000000004


def test_pipeline():
    model = Pipeline([("scale", StandardScaler()), ("clf", LogisticRegression())])
    found = GeneticSearchCV(model, {"clf__C": ExponentialDistribution(1.0)}, **SMALL).fit(X, Y)
    assert found.best_params_["clf__C"] == found.best_estimator_["clf"].C
    assert found.predict_proba(X).shape == (80, 2)


def test_nested_pipelines():
    inner = Pipeline([("impute", SimpleImputer()), ("scale", StandardScaler())])
    model = Pipeline([("prepare", inner), ("clf", SVC())])
    space = {
        "prepare__impute__strategy": ChoiceDistribution(["mean", "median"]),
        "prepare__scale__with_mean": [True, False],
        "clf__C": LogNormalDistribution(0, 2),
    }
    found = GeneticSearchCV(model, space, **SMALL).fit(X, Y)
    assert found.best_estimator_["prepare"]["impute"].strategy in ("mean", "median")


def test_column_transformer_on_data_frames():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    frame["kind"] = np.where(Y + (np.arange(80) % 5 == 0) > 0, "yes", "no")
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    model = make_pipeline(
        ColumnTransformer([
            ("numbers", numbers, list("abcdef")),
            ("kinds", OneHotEncoder(handle_unknown="ignore"), ["kind"]),
        ]),
        LogisticRegression(),
    )  # fmt: skip
    space = {
        "columntransformer__numbers__simpleimputer__strategy": ["mean", "median"],
        "columntransformer__kinds__sparse_output": [True, False],
        "logisticregression__C": LogNormalDistribution(0, 2),
    }
    found = GeneticSearchCV(model, space, **SMALL).fit(frame, Y)
    assert found.predict(frame).shape == (80,)
    assert found.n_features_in_ == 7
    assert list(found.feature_names_in_) == list(frame.columns)


@pytest.mark.parametrize(
    "scoring",
    [
        "accuracy", "balanced_accuracy", "f1", "f1_macro", "f1_weighted", "precision", "recall",
        "jaccard", "roc_auc", "average_precision", "neg_log_loss", "neg_brier_score",
    ],
)  # fmt: skip
def test_scorers_of_classifiers(scoring):
    space = {"C": LogNormalDistribution(0, 2)}
    found = GeneticSearchCV(LogisticRegression(), space, scoring=scoring, **SMALL).fit(X, Y)
    assert found.best_score_ == found.cv_results_["mean_test_score"].max()
    assert found.score(X, Y) == found.scorer_(found.best_estimator_, X, Y)


@pytest.mark.parametrize(
    "scoring", ["r2", "neg_mean_squared_error", "neg_mean_absolute_error", "explained_variance"]
)
def test_scorers_of_regressors(scoring):
    found = GeneticSearchCV(
        Ridge(), {"alpha": LogNormalDistribution(0, 3)}, scoring=scoring, **SMALL
    ).fit(XR, YR)
    assert found.best_score_ == found.cv_results_["mean_test_score"].max()


def test_several_classes():
    iris = load_iris()
    names = iris.target_names[iris.target]
    found = GeneticSearchCV(
        LogisticRegression(max_iter=500), {"C": LogNormalDistribution(0, 1)}, **SMALL
    ).fit(iris.data, names)
    assert list(found.classes_) == ["setosa", "versicolor", "virginica"]
    assert found.n_features_in_ == 4
    np.testing.assert_allclose(found.predict_proba(iris.data).sum(axis=1), 1)


# Its bugs


def test_it_is_an_estimator():
    found = GeneticSearchCV(SVC(), {"C": [1.0]}, population_size=9)
    assert clone(found).get_params()["population_size"] == 9


def test_values_keep_their_types():
    space = {"class_weight": ChoiceDistribution([None, {0: 1, 1: 2}, "balanced"]),
             "shrinking": ChoiceDistribution([True, False])}  # fmt: skip
    found = GeneticSearchCV(SVC(), space, **SMALL).fit(X, Y)
    assert all(type(params["shrinking"]) is bool for params in found.cv_results_["params"])


def test_a_seed_is_enough_and_leaves_the_global_generators_alone():
    space = {"C": LogNormalDistribution(0, 2)}
    random.seed(1)
    state = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    one, two = (GeneticSearchCV(SVC(), space, **SMALL).fit(X, Y) for _ in range(2))
    assert one.cv_results_["params"] == two.cv_results_["params"]
    assert state == (random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002


def test_small_populations_end():
    found = GeneticSearchCV(SVC(), {"C": LogNormalDistribution(0, 2)}, population_size=3,
                            generation_count=2, cv=3).fit(X, Y)  # fmt: skip
    assert len(found.cv_results_["params"]) <= 6


def test_finite_spaces_are_not_fitted_again_and_again():
    found = GeneticSearchCV(SVC(), {"C": UniformDistribution(1, 5, q=1)}, cv=3).fit(X, Y)
    assert len(found.cv_results_["params"]) == 5


def test_it_is_a_name_of_the_package():
    assert geneticpy.GeneticSearchCV is GeneticSearchCV
    assert {"GeneticSearchCV", "GeneticFeatureSelectionCV"} <= set(dir(geneticpy))


def test_cv_of_1_3_may_be_shuffled():
    folds = StratifiedKFold(3, shuffle=True)
    found = GeneticSearchCV(SVC(), {"C": [1.0, 2.0]}, **{**SMALL, "cv": folds}).fit(X, Y)
    assert found.n_splits_ == 3
