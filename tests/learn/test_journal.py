"""Searches that are interrupted or killed end as undisturbed ones; other searches are refused."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from learn_data import GROUPS, X, Y, search
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from geneticpy import (
    ChoiceDistribution,
    GeneticFeatureSelectionCV,
    LogUniformDistribution,
    UniformDistribution,
)
from geneticpy.errors import ArgumentError, JournalError, JournalWarning
from geneticpy.run.journal import Journal
from geneticpy.run.recorded import read

SPACE = {"C": LogUniformDistribution(1e-3, 1e3), "kernel": ["linear", "rbf"]}
LARGER = {"n_iter": 22, "population_size": 8}


class Counted(ClassifierMixin, BaseEstimator):
    """A nearest mean with a weight for the first feature; may fail, and be interrupted."""

    calls = 0
    interrupt_at = None  # call of `fit`
    error = KeyboardInterrupt

    def __init__(self, weight=1.0, shift=0, fails=False):
        self.weight, self.shift, self.fails = weight, shift, fails

    def fit(self, X, y):
        Counted.calls += 1
        if Counted.calls == Counted.interrupt_at:
            raise Counted.error
        if self.fails:
            raise ValueError(f"weight {self.weight:.1f} fails")
        self.classes_ = np.unique(y)
        self.means_ = np.array([self._scaled(X[y == c]).mean(axis=0) for c in self.classes_])
        return self

    def _scaled(self, X):
        return (X + self.shift) * np.append(self.weight, np.ones(X.shape[1] - 1))

    def predict(self, X):
        gaps = self._scaled(X)[:, None] - self.means_
        return self.classes_[(gaps**2).sum(axis=2).argmin(axis=1)]


@pytest.fixture(autouse=True)
def _fresh_count(monkeypatch):
    monkeypatch.setattr(Counted, "calls", 0)
    monkeypatch.setattr(Counted, "interrupt_at", None)


COUNTED = {"weight": UniformDistribution(0, 8), "shift": UniformDistribution(0, 3, q=1)}
FAILING = COUNTED | {"fails": ChoiceDistribution([False, True], [0.7, 0.3])}
FEW = {"weight": [0.5, 1.0, 2.0], "label": [{"shift": 0}, {"shift": 0}, {"shift": 1}]}


def counted(journal, space=COUNTED, **options):
    return search(Counted(), space, **{**LARGER, "journal": journal, **options})


def selection(journal, **options):
    settings = {"n_iter": 14, "population_size": 6, "cv": 3, "random_state": 0, "penalty": 0.1}
    return GeneticFeatureSelectionCV(Counted(), **settings, journal=journal, **options)


def quiet_fit(search, **params):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of failed fits
        return search.fit(X, Y, **params)


def assert_same(one, two):
    """Everything but times is equal, to the last bit."""
    assert_same_table(one, two)
    assert one.message_ == two.message_
    assert one.n_duplicates_ == two.n_duplicates_
    if hasattr(one, "best_index_"):
        assert one.best_index_ == two.best_index_
        assert repr(one.best_params_) == repr(two.best_params_)
    if hasattr(one, "best_estimator_"):
        np.testing.assert_array_equal(one.predict(X), two.predict(X))


def assert_same_table(one, two):
    table, other = one.cv_results_, two.cv_results_
    assert table.keys() == other.keys()
    for name in table:
        if name == "params":
            assert repr(table[name]) == repr(other[name])
        elif "_time" not in name:
            np.testing.assert_array_equal(table[name], other[name], err_msg=name)
            assert table[name].dtype == other[name].dtype, name


SEARCHES = {
    "plain": lambda path: counted(path),
    "train scores": lambda path: counted(path, return_train_score=True),
    "several scores": lambda path: counted(
        path, scoring=["accuracy", "f1"], refit="f1", return_train_score=True
    ),
    "no refit": lambda path: counted(path, scoring={"a": "accuracy", "b": "f1"}, refit=False),
    "callable scores": lambda path: counted(path, scoring=both_scores, refit="low"),
    "failures": lambda path: counted(path, FAILING),
    "failures with a score": lambda path: counted(path, FAILING, error_score=0.25),
    "duplicates": lambda path: counted(path, FEW, n_iter=6, population_size=6),
    "race": lambda path: counted(path, cv=6, racing=0.3, n_iter=30),
    "race with several scores and failures": lambda path: counted(
        path, FAILING, cv=6, racing=0.3, n_iter=30, scoring=["accuracy", "f1"], refit="accuracy"
    ),
    "portions of seven": lambda path: counted(path, batch=7),
    "patience": lambda path: counted(path, n_iter=None, generation_count=9, patience=2),
    "features": lambda path: selection(path),
    "features, race": lambda path: selection(path, racing=0.3),
}


def both_scores(estimator, X, y):
    accuracy = float((estimator.predict(X) == y).mean())
    return {"high": accuracy, "low": np.float32(accuracy / 3)}


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("share", [0.1, 0.4, 0.8])
def test_an_interrupted_search_goes_on_to_the_same_end(name, share, tmp_path):
    undisturbed = quiet_fit(SEARCHES[name](None))
    Counted.interrupt_at, Counted.calls = 1 + int(share * Counted.calls), 0
    path = tmp_path / "run.db"
    with contextlib.suppress(KeyboardInterrupt):  # raised before there is a candidate
        quiet_fit(SEARCHES[name](path))
    made = read(path).runs[0].evaluations
    assert made < len(undisturbed.cv_results_["params"]) + undisturbed.n_duplicates_
    Counted.interrupt_at = None
    again = quiet_fit(SEARCHES[name](path))
    assert_same(again, undisturbed)
    before, Counted.calls = Counted.calls, 0
    finished = quiet_fit(SEARCHES[name](path))
    assert_same(finished, undisturbed)
    assert before > 0
    assert Counted.calls == (undisturbed.refit is not False)


@pytest.mark.parametrize("name", ["plain", "race", "failures"])
def test_a_search_in_many_pieces_fits_each_recorded_candidate_once(name, tmp_path):
    undisturbed = quiet_fit(SEARCHES[name](None))
    Counted.calls, kept, path = 0, 0, tmp_path / "run.db"
    Counted.error = RuntimeError if name == "plain" else KeyboardInterrupt
    options = {"error_score": "raise"} if name == "plain" else {}
    while True:
        Counted.interrupt_at = Counted.calls + 20  # a portion is at most 15, or 30 in a race
        try:
            fitted = SEARCHES[name](path).set_params(**options)
            if name == "race":
                Counted.interrupt_at += 20
            fitted = quiet_fit(fitted)
            if not fitted.message_.startswith("interrupted"):
                break
        except (RuntimeError, KeyboardInterrupt):
            pass
        made = read(path).runs[0].evaluations
        assert made > kept
        kept = made
    Counted.error = KeyboardInterrupt
    assert_same(fitted, undisturbed)
    assert len(read(path).runs) == 1


def test_an_exception_of_a_fit_is_the_end_that_the_journal_tells(tmp_path):
    Counted.interrupt_at, Counted.error = 25, RuntimeError
    try:
        with pytest.raises(RuntimeError):
            counted(tmp_path / "run.db", error_score="raise").fit(X, Y)
    finally:
        Counted.error = KeyboardInterrupt
    (run,) = read(tmp_path / "run.db").runs
    assert run.ended.startswith("stopped by RuntimeError")
    assert run.evaluations == 8  # portions of 5 and 3


def test_the_journal_has_parameters_scores_and_folds(tmp_path):
    path = tmp_path / "run.db"
    fitted = quiet_fit(counted(path, FAILING, scoring=["accuracy", "f1"], refit="f1"))
    (run,) = read(path).runs
    rows = list(run.rows)
    assert run.ended == fitted.message_
    assert run.settings["maximize_fn"] is True
    assert [row.params["shift"] for row in rows] == fitted.cv_results_["param_shift"].tolist()
    failed = fitted.cv_results_["param_fails"].astype(bool)
    assert 0 < failed.sum() < len(rows)
    for i, row in enumerate(rows):
        folds = row.details["folds"]
        if failed[i]:
            assert np.isnan(row.loss)
            assert f"weight {row.params['weight']:.1f} fails" in row.error
            continue
        assert row.loss == fitted.cv_results_["mean_test_f1"][i]
        for k, fold in enumerate(folds):
            for metric, score in fold["test_scores"].items():
                assert score == fitted.cv_results_[f"split{k}_test_{metric}"][i]
            assert fold["n_test_samples"] in (26, 27)
            assert fold["fit_time"] >= 0


def test_all_fits_failed_is_the_same_error_again(tmp_path):
    space = {"fails": [True], "weight": UniformDistribution(0, 1)}
    for _ in range(2):
        with pytest.raises(ValueError, match="All the 15 fits failed"):
            quiet_fit(counted(tmp_path / "run.db", space, n_iter=5, population_size=5))
    assert Counted.calls == 15


@pytest.mark.parametrize("options", [{"n_iter": 31}, {"n_iter": None, "generation_count": 6}])
def test_more_candidates_extend_a_search(options, tmp_path):
    path = tmp_path / "run.db"
    first = quiet_fit(counted(path, n_iter=23))
    second = quiet_fit(counted(path, n_iter=27))
    Counted.calls = 0
    third = quiet_fit(counted(path, **options))
    assert len(third.cv_results_["params"]) == (options["n_iter"] or 32)
    assert Counted.calls == 3 * (len(third.cv_results_["params"]) - 27) + 1
    for shorter in (first, second):
        for name in ("mean_test_score", "param_weight", "generation"):
            known = shorter.cv_results_[name]
            np.testing.assert_array_equal(third.cv_results_[name][: len(known)], known)
    assert len(read(path).runs) == 1


def test_patience_that_grows_extends_a_search(tmp_path):
    path = tmp_path / "run.db"
    options = {"n_iter": None, "generation_count": 12}
    short = quiet_fit(counted(path, patience=1, **options))
    long = quiet_fit(counted(path, patience=3, **options))
    assert len(long.cv_results_["params"]) > len(short.cv_results_["params"])
    Counted.calls = 0
    assert_same(quiet_fit(counted(path, patience=3, **options)), long)
    assert Counted.calls == 1
    assert_same(long, quiet_fit(counted(None, patience=3, **options)))


def test_callbacks_are_told_what_is_recorded(tmp_path):
    path, seen = tmp_path / "run.db", []
    quiet_fit(counted(path, n_iter=12))
    again = counted(path, n_iter=20, callback=lambda p: seen.append((p.generation, p.replayed)))
    quiet_fit(again)
    assert seen == [(0, True), (1, True), (2, False), (3, False)]


def test_without_a_random_state_the_recorded_one_is_taken(tmp_path):
    path, space = tmp_path / "run.db", COUNTED | {"shift": Drawn()}
    first = quiet_fit(counted(path, space, random_state=None))
    Counted.calls = 0
    assert_same(quiet_fit(counted(path, space, random_state=None)), first)
    assert Counted.calls == 1


class Drawn:
    """What can only be drawn from."""

    def rvs(self, random_state=None):
        return random_state.normal()


def test_pipelines_and_choices_of_estimators_go_on(tmp_path):
    model = make_pipeline(StandardScaler(), LogisticRegression())
    tree = {"logisticregression": DecisionTreeClassifier(random_state=0)}
    space = {
        "logisticregression": ChoiceDistribution(
            [tree | {"logisticregression__max_depth": [1, 2, 3]}, LogisticRegression(C=0.5)]
        ),
        "standardscaler": [StandardScaler(), "passthrough"],
    }
    options = {"n_iter": 7, "population_size": 5}
    path = tmp_path / "run.db"
    quiet_fit(search(model, space, n_iter=5, population_size=5, journal=path))
    again = quiet_fit(search(model, space, **options, journal=path))
    assert_same(again, quiet_fit(search(model, space, **options)))


def other_splits():
    return KFold(3, shuffle=True)


OTHERS = {
    "space": (
        lambda path: counted(path, COUNTED | {"weight": UniformDistribution(0, 9)}),
        r"space\['weight'\]\['high'\]: 8 became 9",
    ),
    "random_state": (lambda path: counted(path, random_state=1), r"random_state=1 \(it has 0\)"),
    "population": (lambda path: counted(path, population_size=9), r"size=9 \(it has 8\)"),
    "fewer": (lambda path: counted(path, n_iter=9), r"max_evaluations=9 \(it has 22\)"),
    "batch": (lambda path: counted(path, batch=4), r"batch=4 \(it has 5\)"),
    "racing": (lambda path: counted(path, racing=True), r"racing=0.05 \(it has 0.0\)"),
    "constraint": (lambda path: counted(path, constraint=allowed), r"constraint='.*:allowed'"),
    "initial": (lambda path: counted(path, initial=[]), r"initial=\[\] \(it has None\)"),
    "estimator": (
        lambda path: search(SVC(), {"C": COUNTED["weight"]}, journal=path, **LARGER),
        r"search\['estimator'\]\['class'\]: '.*:Counted' became 'sklearn.svm.*SVC'",
    ),
    "its parameters": (
        lambda path: search(Counted(weight=3.0), COUNTED, journal=path, **LARGER),
        r"search\['estimator'\]\['weight'\]: 1.0 became 3.0",
    ),
    "scoring": (
        lambda path: counted(path, scoring="f1"),
        r"search\['scoring'\]: None became 'f1'",
    ),
    "error_score": (
        lambda path: counted(path, error_score=0.0),
        r"search\['error_score'\]: 'nan' became 0.0",
    ),
    "return_train_score": (
        lambda path: counted(path, return_train_score=True),
        r"search\['return_train_score'\]: False became True",
    ),
    "folds": (lambda path: counted(path, cv=4), r"must be continued on the splits .* cv=Strat"),
    "selection": (lambda path: selection(path), r"search\['estimator'\]\['class'\]"),
}


def allowed(params):
    return params["shift"] < 9


@pytest.mark.parametrize("name", OTHERS)
def test_another_search_is_refused_by_name(name, tmp_path):
    path = tmp_path / "run.db"
    quiet_fit(counted(path))
    before, Counted.calls = path.read_bytes(), 0
    other, message = OTHERS[name]
    with pytest.raises(JournalError, match=message) as caught:
        quiet_fit(other(path))
    assert str(path) in str(caught.value)
    assert Counted.calls == 0
    assert path.read_bytes() == before


def test_a_penalty_is_compared(tmp_path):
    quiet_fit(selection(tmp_path / "run.db"))
    with pytest.raises(JournalError, match=r"search\['penalty'\]: 0.1 became 0.2"):
        quiet_fit(selection(tmp_path / "run.db").set_params(penalty=0.2))
    with pytest.raises(JournalError, match=r"space\['columns'\]\['max_size'\]: 6 became 2"):
        quiet_fit(selection(tmp_path / "run.db").set_params(n_features_range=(1, 2)))


def test_other_data_are_refused(tmp_path):
    path = tmp_path / "run.db"
    quiet_fit(counted(path))
    with pytest.raises(JournalError, match=r"search\['samples'\]: 80 became 70"):
        counted(path).fit(X[:70], Y[:70])
    with pytest.raises(JournalError, match=r"search\['features'\]: 6 became 5"):
        counted(path).fit(X[:, :5], Y)
    for other, targets in ((X + 1, Y), (X, 1 - Y)):
        with pytest.raises(JournalError, match=r"search\['data'\]: '.*' became '"):
            counted(path, cv=KFold(3)).fit(other, targets)
    with pytest.raises(JournalError, match=r"search\['data'\]"):
        search(SVC(), SPACE, **LARGER, journal=path).fit(X, Y, sample_weight=np.ones(80))


def test_data_in_other_forms_are_the_same_when_they_are_equal(tmp_path):
    frame = pd.DataFrame(X, columns=list("abcdef")).assign(g=list("uvwx") * 20)
    model = make_pipeline(make_column_transformer(("passthrough", list("abc"))), SVC())
    for name, data, estimator in (
        ("frame", frame, model),
        ("matrix", csr_matrix(np.round(X)), SVC()),
        ("lists", X.tolist(), SVC()),
        ("texts", ["one two", "two three", "one one four", "five two"] * 20, TEXTS),
    ):
        path, prefix = tmp_path / name, "svc__" if hasattr(estimator, "steps") else ""
        space = {f"{prefix}C": LogUniformDistribution(1e-2, 1e2)}
        fitted = search(estimator, space, journal=path).fit(data, Y)
        if name == "frame":
            assert frame.loc[3, "a"] == frame["a"].to_numpy()[3]
            assert frame.index.is_unique
        assert_same_table(search(estimator, space, journal=path).fit(data, Y), fitted)
        other = data[:-1] if isinstance(data, list) else data[1:]
        with pytest.raises(JournalError, match="80 became 79"):
            search(estimator, space, journal=path).fit(other, Y[:79])
        if name == "frame":
            with pytest.raises(JournalError, match="data"):
                search(estimator, space, journal=path).fit(frame.assign(g="u"), Y)


TEXTS = make_pipeline(CountVectorizer(), SVC())


@pytest.mark.parametrize("racing", [False, True])
def test_splits_that_are_drawn_anew_are_refused(racing, tmp_path):
    path, options = tmp_path / "run.db", {"cv": KFold(3, shuffle=True), "racing": racing}
    quiet_fit(counted(path, **options))
    with pytest.raises(JournalError, match=r"splits .* shuffle=True .* only with a random_state"):
        quiet_fit(counted(path, **options))
    seeded = {"cv": KFold(3, shuffle=True, random_state=1), "racing": racing}
    first = quiet_fit(counted(tmp_path / "2.db", **seeded))
    assert_same(quiet_fit(counted(tmp_path / "2.db", **seeded)), first)


def test_groups_are_part_of_the_splits(tmp_path):
    path, options = tmp_path / "run.db", {"cv": GroupKFold(4)}
    quiet_fit(counted(path, **options), groups=GROUPS)
    quiet_fit(counted(path, **options), groups=GROUPS)
    with pytest.raises(JournalError, match="splits"):
        quiet_fit(counted(path, **options), groups=GROUPS[::-1] // 2 + np.arange(80) % 2)


def test_a_journal_of_optimize_is_refused(tmp_path):
    import geneticpy

    path = tmp_path / "run.db"
    geneticpy.optimize(lambda p: p["x"], {"x": UniformDistribution(0, 1)}, 4, 1, journal=path)
    with pytest.raises(JournalError, match="must be of a search, got one of `optimize`"):
        quiet_fit(counted(path))


def test_a_second_writer_a_damaged_file_and_wrong_words_are_refused(tmp_path):
    path = tmp_path / "run.db"
    quiet_fit(counted(path))
    writer = Journal(str(path), "another")
    with pytest.raises(JournalError, match="one run at a time"):
        quiet_fit(counted(path))
    writer.close()
    path.write_bytes(b"something else entirely")
    with pytest.raises(JournalError, match="must be a journal"):
        quiet_fit(counted(path))
    with pytest.raises(ValueError, match="'resume' parameter"):
        quiet_fit(counted(path, resume="hot"))
    with pytest.raises(ArgumentError, match="must come with a journal"):
        quiet_fit(counted(None, resume="warm"))


def test_workers_continue_what_one_process_began(tmp_path):
    path, options = tmp_path / "run.db", {"batch": 5}
    begun = search(SVC(), SPACE, **LARGER, journal=path, callback=lambda p: True, **options)
    assert len(quiet_fit(begun).cv_results_["params"]) == 8
    again = search(SVC(), SPACE, **LARGER, journal=path, n_jobs=2, **options)
    plain = quiet_fit(search(SVC(), SPACE, **LARGER, **options))
    assert_same(quiet_fit(again), plain)


WARM = {
    "plain": {},
    "race": {"cv": 6, "racing": 0.3},
    "failures": {"param_distributions": FAILING},
}


@pytest.mark.parametrize("name", WARM)
def test_a_warm_start_knows_the_candidates_that_fit(name, tmp_path):
    path, options = tmp_path / "run.db", {"param_distributions": COUNTED, **WARM[name]}
    first = quiet_fit(counted(path).set_params(**options))
    narrow = options["param_distributions"] | {"weight": UniformDistribution(0, 4)}
    known = np.array([params["weight"] <= 4 for params in first.cv_results_["params"]])
    assert 0 < known.sum() < len(known)
    options |= {"param_distributions": narrow, "n_iter": 10, "random_state": 5}
    warm = quiet_fit(counted(path, resume="warm").set_params(**options))
    earlier = warm.cv_results_["generation"] == -1
    assert earlier.sum() == known.sum()
    assert (~earlier).sum() == 10
    for column in [c for c in first.cv_results_ if c.startswith(("split", "mean_test", "folds"))]:
        mine, theirs = warm.cv_results_[column][earlier], first.cv_results_[column][known]
        np.testing.assert_array_equal(mine, theirs)
    assert warm.best_score_ >= np.nanmax(first.cv_results_["mean_test_score"][known])
    Counted.calls = 0
    assert_same(quiet_fit(counted(path).set_params(**options)), warm)
    assert Counted.calls == 1
    assert [run.kind for run in read(path).runs] == ["fresh", "warm"]


def test_a_warm_start_needs_scores_of_the_same_kind(tmp_path):
    path = tmp_path / "run.db"
    quiet_fit(counted(path))
    with pytest.raises(JournalError, match=r"search\['scoring'\]: None became 'f1'"):
        quiet_fit(counted(path, resume="warm", scoring="f1"))


def test_a_search_that_does_not_repeat_itself_goes_on_from_its_candidates(tmp_path, monkeypatch):
    path = tmp_path / "run.db"
    first = quiet_fit(counted(path, n_iter=17, racing=0.3))
    from geneticpy.evolution.optimizer import Optimizer

    original = Optimizer.ask

    def ask(self, n=None):
        asked = original(self, n)
        if asked.ids[0] == 8:
            asked.genes[:] = asked.genes[::-1]
        return asked

    monkeypatch.setattr(Optimizer, "ask", ask)
    Counted.calls = 0
    with pytest.warns(JournalWarning, match="goes on from its 17 evaluations"):
        again = counted(path, racing=0.3).fit(X, Y)
    assert len(again.cv_results_["params"]) == 22
    assert Counted.calls <= 3 * 5 + 1
    for name in ("mean_test_score", "param_weight", "generation", "folds"):
        np.testing.assert_array_equal(again.cv_results_[name][:17], first.cv_results_[name])
    assert [run.kind for run in read(path).runs] == ["fresh", "continued"]


PROGRAM = """
    import sys, time, warnings
    import numpy as np
    from sklearn.datasets import load_iris
    from sklearn.svm import SVC
    import geneticpy as g

    class Slow(SVC):
        def fit(self, X, y, sample_weight=None):
            time.sleep(0.004)
            if self.degree == 4:
                raise ValueError("four")
            return super().fit(X, y)

    X, y = load_iris(return_X_y=True)
    space = {"C": g.LogUniformDistribution(1e-3, 1e3), "degree": [1, 2, 3, 4, 5]}
    search = g.GeneticSearchCV(
        Slow(kernel="poly"), space, n_iter=60, population_size=20, cv=4, random_state=2,
        racing=0.2, return_train_score=True, journal=sys.argv[1] or None,
        callback=lambda progress: progress.generation == 0 and print("ready", flush=True),
    )
    warnings.simplefilter("ignore")
    search.fit(X, y)
    for name, column in search.cv_results_.items():
        if "_time" not in name:
            print(name, list(column))
    print(search.best_params_, search.message_, search.predict(X).tolist())
"""


def program(journal, tmp_path):
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))
    return subprocess.Popen(
        [sys.executable, "program.py", str(journal)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process):
    output, errors = process.communicate(timeout=300)
    assert errors == ""
    assert process.returncode == 0
    return output


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_again_and_again_a_search_ends_as_an_undisturbed_one(tmp_path):
    undisturbed = finished(program("", tmp_path))
    path, seen, rng = tmp_path / "run.db", [], np.random.default_rng(4)
    for kill in range(6):
        process = program(path, tmp_path)
        if kill:
            process.stdout.readline()  # ready
            time.sleep(rng.uniform(0, 0.3))
        else:
            while not path.exists():
                time.sleep(0.001)
            time.sleep(0.2)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        seen.append(read(path).runs[-1].evaluations if path.stat().st_size else 0)
    assert seen == sorted(seen)
    assert seen[-1] > 0
    assert finished(program(path, tmp_path)) == undisturbed
