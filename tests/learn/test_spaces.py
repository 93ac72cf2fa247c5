"""What `param_distributions` may hold, and where the search begins."""

import numpy as np
import pytest
import scipy.stats
from learn_data import X, Y, search
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectPercentile
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection._search import BaseSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from geneticpy import (
    ChoiceDistribution,
    ListDistribution,
    LogUniformDistribution,
    SpaceError,
    UniformDistribution,
)
from geneticpy.learn.param_space import ParamSpace, identity, is_graded
from geneticpy.learn.start import Start

CLF = Pipeline([("scale", StandardScaler()), ("clf", SVC())])
ESTIMATORS = {
    "clf": ChoiceDistribution(
        [
            {"clf": SVC(), "clf__C": LogUniformDistribution(1e-2, 1e2)},
            {"clf": DecisionTreeClassifier(), "clf__max_depth": [1, 2, 3, 4]},
            {"clf": LogisticRegression(), "clf__C": LogUniformDistribution(1e-3, 1e1)},
        ]
    )
}


def tried(estimator, space, **options):
    """Return the candidates of a search."""
    return search(estimator, space, **options).fit(X, Y).cv_results_["params"]


# Kinds of spaces


def test_values_are_the_users_own():
    space = {
        "C": np.logspace(-1, 1, 5),
        "kernel": ("linear", "rbf"),
        "shrinking": [True, False],
        "class_weight": [None, "balanced", {0: 1, 1: 2}],
        "degree": range(2, 5),
        "cache_size": 100,
    }
    for params in tried(SVC(), space, n_iter=12):
        assert params.keys() == space.keys()
        assert type(params["C"]) is float
        assert params["kernel"] in ("linear", "rbf")
        assert type(params["shrinking"]) is bool
        assert any(params["class_weight"] is value for value in space["class_weight"])
        assert type(params["degree"]) is int
        assert params["cache_size"] == 100


def test_frozen_scipy_distributions_and_objects_that_can_only_be_drawn_from():
    class Die:
        def rvs(self, random_state=None):
            return int(random_state.randint(1, 7))

    space = {"max_depth": Die(), "ccp_alpha": scipy.stats.uniform(0, 0.1)}
    runs = [tried(DecisionTreeClassifier(random_state=0), space) for _ in range(2)]
    assert runs[0] == runs[1]
    assert {params["max_depth"] for params in runs[0]} <= set(range(1, 7))
    assert all(0 <= params["ccp_alpha"] <= 0.1 for params in runs[0])


def test_a_list_of_dicts_is_a_choice_of_spaces():
    space = [
        {"kernel": ["linear"], "C": LogUniformDistribution(0.1, 10)},
        {"kernel": ["rbf"], "gamma": LogUniformDistribution(0.01, 1)},
    ]
    keys = {(params["kernel"], *sorted(params)) for params in tried(SVC(), space)}
    assert keys == {("linear", "C", "kernel"), ("rbf", "gamma", "kernel")}


def test_choices_between_estimators_carry_their_parameters():
    found = search(CLF, ESTIMATORS, n_iter=20).fit(X, Y)
    kinds = set()
    for params in found.cv_results_["params"]:
        kind = type(params["clf"])
        kinds.add(kind)
        expected = "clf__max_depth" if kind is DecisionTreeClassifier else "clf__C"
        assert params.keys() == {"clf", expected}
    assert kinds == {SVC, DecisionTreeClassifier, LogisticRegression}
    assert len(set(found.cv_results_["species"])) == 3
    assert type(found.best_estimator_["clf"]) is type(found.best_params_["clf"])


def test_choices_may_be_written_as_a_list_and_nest():
    space = {
        "clf": [
            {
                "clf": SVC(),
                "clf__kernel": [
                    {"clf__kernel": "poly", "clf__degree": [2, 3, 4]},
                    "linear",
                ],
            },
            RandomForestClassifier(n_estimators=3),
        ]
    }
    seen = {tuple(sorted(params)) for params in tried(CLF, space, n_iter=5)}
    assert seen == {("clf", "clf__degree", "clf__kernel"), ("clf", "clf__kernel"), ("clf",)}


def test_a_name_that_is_no_parameter_labels_a_group():
    space = {
        "model": [
            {"clf": SVC(), "scale": MinMaxScaler(), "clf__C": [1.0, 2.0, 3.0]},
            {"clf": LogisticRegression(), "scale": "passthrough"},
        ]
    }
    for params in tried(CLF, space, n_iter=4):
        assert "model" not in params
        assert (params["scale"] == "passthrough") == isinstance(params["clf"], LogisticRegression)


def test_dicts_that_are_values_stay_values():
    space = {"class_weight": {0: 1.0, 1: UniformDistribution(1, 5)}}
    for params in tried(SVC(), space):
        assert params["class_weight"].keys() == {0, 1}


@pytest.mark.filterwarnings("ignore:lbfgs failed")
def test_lists_of_searched_length():
    layers = ListDistribution(UniformDistribution(2, 5, q=1), min_size=1, max_size=3)
    model = MLPClassifier(max_iter=400, solver="lbfgs", random_state=0)
    sizes = {len(p["hidden_layer_sizes"]) for p in tried(model, {"hidden_layer_sizes": layers})}
    assert len(sizes) > 1


def test_pipelines_with_a_searched_number_of_steps():
    step = ChoiceDistribution(
        [
            StandardScaler(),
            {"step": PCA(), "step__n_components": UniformDistribution(0.5, 0.9)},
            {"step": SelectPercentile(), "step__percentile": [60, 80]},
        ]
    )
    space = {"scale": ListDistribution(step, min_size=0, max_size=3), **ESTIMATORS}
    found = search(CLF, space, n_iter=20).fit(X, Y)
    lengths = set()
    for params in found.cv_results_["params"]:
        steps = params["scale"]
        lengths.add(0 if steps == "passthrough" else len(steps))
        for part in () if steps == "passthrough" else steps:
            if isinstance(part, PCA):
                assert 0.5 <= part.n_components <= 0.9
    assert len(lengths) > 2
    assert PCA().n_components is None
    assert found.predict(X).shape == Y.shape


def test_steps_of_a_pipeline_itself():
    body = ListDistribution(ChoiceDistribution([StandardScaler(), PCA(2)]), 1, 2)
    model = Pipeline([("body", Pipeline([("one", "passthrough")])), ("clf", SVC())])
    for params in tried(model, {"body__steps": body}, n_iter=4):
        assert all(len(step) == 2 and isinstance(step[0], str) for step in params["body__steps"])


def test_graded_values_are_searched_along_their_order():
    assert is_graded([1, 10, 100])
    assert is_graded([0.3, 0.2, 0.1])
    assert not is_graded([1, 3, 2])
    assert not is_graded([True, False])
    assert not is_graded(["a", "b", "c"])
    assert not is_graded([1, None, 3])


def test_empty_space_fits_the_estimator_as_it_is():
    assert tried(SVC(), {}) == [{}]


def test_misspelled_parameters_are_named():
    with pytest.raises(ValueError, match="Cc"):
        tried(SVC(), {"Cc": [1, 2]})


@pytest.mark.parametrize("values", [{"rbf", "linear"}, frozenset(["rbf"])])
def test_sets_have_no_order_and_are_refused(values):
    where = r"^param_distributions\['kernel'\]: values must be .*in a fixed"
    with pytest.raises(SpaceError, match=where):
        tried(SVC(), {"kernel": values})


@pytest.mark.parametrize("values", [[], (), np.array([]), np.array(0.5)])
def test_values_that_are_no_list_are_named(values):
    with pytest.raises(SpaceError, match=r"^param_distributions\['C'\]: values must be a list"):
        tried(SVC(), {"C": values})


def test_names_that_are_no_text_are_named():
    with pytest.raises(SpaceError, match=r"^param_distributions: names must be text, got 1\."):
        tried(SVC(), [{"C": [1, 2]}, {1: [1, 2]}])


# Constraint


def test_constraint_sees_what_set_params_receives():
    seen = []

    def allowed(params):
        seen.append(params)
        return not isinstance(params["clf"], SVC) or params["clf__C"] < 1

    for params in tried(CLF, ESTIMATORS, constraint=allowed, n_iter=12):
        assert not isinstance(params["clf"], SVC) or params["clf__C"] < 1
    assert all("clf" in params for params in seen)


# Beginning


def test_the_estimators_own_settings_come_first():
    space = {"C": LogUniformDistribution(1e-2, 1e3), "kernel": ["linear", "poly"]}
    assert tried(SVC(C=7.3, kernel="poly"), space)[0] == {"C": 7.3, "kernel": "poly"}


def test_settings_outside_the_space_are_at_the_median():
    space = {"C": LogUniformDistribution(1e-2, 1e3), "gamma": LogUniformDistribution(1e-3, 1e1)}
    first = tried(SVC(C=7.3, gamma="scale"), space)[0]
    assert first["C"] == 7.3
    assert first["gamma"] == pytest.approx(0.1)


def test_own_settings_among_estimators():
    model = Pipeline([("scale", None), ("clf", DecisionTreeClassifier(max_depth=3))])
    first = tried(model, ESTIMATORS)[0]
    assert isinstance(first["clf"], DecisionTreeClassifier)
    assert first["clf__max_depth"] == 3


def test_own_settings_among_plain_estimators():
    space = {"clf": [LogisticRegression(), SVC(C=2.0), SVC(C=3.0)]}
    assert tried(clone(CLF).set_params(clf=SVC(C=3.0)), space)[0]["clf"].C == 3.0


def test_own_settings_among_labelled_groups():
    space = {
        "model": [
            {"clf": LogisticRegression(), "clf__C": LogUniformDistribution(1e-2, 1e2)},
            {"clf": SVC(), "clf__C": LogUniformDistribution(1e-2, 1e2), "scale": MinMaxScaler()},
            {"clf": SVC(), "clf__C": LogUniformDistribution(1e-2, 1e2), "scale": StandardScaler()},
        ]
    }
    model = Pipeline([("scale", StandardScaler()), ("clf", SVC(C=3.0))])
    first = tried(model, space)[0]
    assert isinstance(first["clf"], SVC)
    assert isinstance(first["scale"], StandardScaler)
    assert first["clf__C"] == 3.0


def test_own_settings_do_not_take_an_option_they_contradict():
    space = [
        {"kernel": "linear", "C": LogUniformDistribution(1e-2, 1e2), "degree": [3, 4]},
        {"kernel": "rbf", "C": LogUniformDistribution(1e-2, 1e2)},
    ]
    assert tried(SVC(C=3.0), space)[0] == {"kernel": "rbf", "C": 3.0}


def test_own_settings_in_a_list_of_dicts():
    space = [{"kernel": ["linear"]}, {"kernel": ["poly", "rbf"], "gamma": ["scale", "auto"]}]
    assert tried(SVC(), space, n_iter=3)[0] == {"kernel": "rbf", "gamma": "scale"}


def test_own_settings_that_the_constraint_refuses_are_left_out():
    space = {"C": LogUniformDistribution(1e-2, 1e2)}
    found = tried(SVC(), space, constraint=lambda params: params["C"] > 2)
    assert all(params["C"] > 2 for params in found)


def test_no_settings_in_the_space_no_first_candidate():
    params = ParamSpace({"gamma": LogUniformDistribution(1e-3, 1e1)}, SVC())
    assert Start(params).own() == []


def test_initial_candidates_of_the_user():
    space = {"C": LogUniformDistribution(1e-2, 1e3), "kernel": ["linear", "poly", "rbf"]}
    initial = [{"C": 0.3, "kernel": "poly"}, {"C": 33.0}]
    found = tried(SVC(), space, initial=initial)
    assert found[:2] == [initial[0], {"C": 33.0, "kernel": "rbf"}]


def test_initial_candidates_choose_estimators():
    initial = [{"clf": LogisticRegression(), "clf__C": 0.5}]
    first = tried(CLF, ESTIMATORS, initial=initial)[0]
    assert isinstance(first["clf"], LogisticRegression)
    assert first["clf__C"] == 0.5


def test_without_initial_candidates():
    found = tried(SVC(C=0.77), {"C": LogUniformDistribution(1e-2, 1e2)}, initial=[])
    assert all(params["C"] != 0.77 for params in found)


@pytest.mark.parametrize("initial", [[{"C": 1e9}], [{"gamma": 1.0}], [{"kernel": "sigmoid"}], [3]])
def test_initial_candidates_outside_the_space_are_refused(initial):
    space = {"C": LogUniformDistribution(1e-2, 1e2), "kernel": ["linear", "rbf"]}
    with pytest.raises(SpaceError, match=r"initial\[0\]"):
        tried(SVC(), space, initial=initial)


# Duplicates


def test_equal_candidates_have_one_identity():
    scaler, other = StandardScaler(), StandardScaler()
    assert identity({"a": 1.0, "b": [scaler]}) == identity({"b": [scaler], "a": 1.0 + 1e-15})
    assert identity({"a": scaler}) != identity({"a": other})
    assert identity({"a": 1}) != identity({"a": True})
    assert identity({"a": 1}) != identity({"a": 1.0})
    assert identity({"a": "1"}) != identity({"a": 1})


def test_duplicates_are_fitted_once():
    space = [{"kernel": ["linear"], "degree": [2, 3]}, {"degree": [2, 3], "kernel": ["linear"]}]
    found = search(SVC(), space, n_iter=10).fit(X, Y)
    assert len(found.cv_results_["params"]) == 2
    assert found.n_duplicates_ == 2
    assert found.message_.startswith("space exhausted")


def test_finite_spaces_are_searched_whole():
    found = tried(make_pipeline(SVC()), {"svc__C": [1, 2, 3], "svc__shrinking": [True, False]})
    assert len({tuple(params.values()) for params in found}) == len(found) == 6


def test_numbers_that_were_never_set_are_cast_without_a_warning(monkeypatch):
    form = BaseSearchCV._format_results

    def casting(self, *args, **kwargs):  # as scikit-learn 1.5 does with masked numbers
        np.array([1e300]).astype(np.int64)
        return form(self, *args, **kwargs)

    monkeypatch.setattr(BaseSearchCV, "_format_results", casting)
    assert tried(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2, 3]})
