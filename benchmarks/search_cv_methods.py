"""The searches of search_cv.py, each run once to the largest budget where that is possible."""

import contextlib
import io
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from search_cv_jobs import Linear, Log, OneOf, Whole
from sklearn.base import clone
from sklearn.model_selection import RandomizedSearchCV, cross_validate

sys.path.insert(0, str(Path(__file__).parents[1]))  # the checkout is measured, installed or not

ERROR = {"error_score": np.nan}


class Trace:
    """What one search evaluated.

    Attributes
    ----------
    params : list of dict
    scores : list of float
        Cross-validated.
    total_s : float
        Wall time of the search without the refit.
    fits_s : list of float
        The part of it in fits and scores of each candidate.
    """

    def __init__(self, params, scores, total_s, fits_s):
        self.params, self.scores = list(params), [float(score) for score in scores]
        self.total_s, self.fits_s = total_s, [float(seconds) for seconds in fits_s]

    def best(self, n):
        """Return the best of the first `n` candidates: score and parameters."""
        scores = np.nan_to_num(self.scores[:n], nan=-np.inf)
        at = int(np.argmax(scores))
        return float(scores[at]), self.params[at]


def _run(search, X, y, folds):
    """Fit a search without refit; returns its trace."""
    start = time.perf_counter()
    search.fit(X, y)
    total = time.perf_counter() - start
    table = search.cv_results_
    each = np.add(table["mean_fit_time"], table["mean_score_time"]) * folds.get_n_splits()
    return Trace(table["params"], table["mean_test_score"], total, each)


def geneticpy(job, X, y, folds, n, seed):
    from geneticpy import GeneticSearchCV

    space = {name: part.scipy() for name, part in job.space.items()}
    return _run(
        GeneticSearchCV(
            job.model, space, n_iter=n, cv=folds, scoring=job.scoring, refit=False,
            random_state=seed, **ERROR,
        ),
        X, y, folds,
    )  # fmt: skip


def random(job, X, y, folds, n, seed):
    space = {name: part.scipy() for name, part in job.space.items()}
    return _run(
        RandomizedSearchCV(
            job.model, space, n_iter=n, cv=folds, scoring=job.scoring, refit=False,
            random_state=seed, **ERROR,
        ),
        X, y, folds,
    )  # fmt: skip


def halving(job, X, y, folds, n, seed):
    """Successive halving with three rungs at the cost of `n` candidates on all samples."""
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV

    space = {name: part.scipy() for name, part in job.space.items()}
    search = HalvingRandomSearchCV(
        job.model, space, n_candidates=3 * n, factor=3, min_resources=len(X) // 9, cv=folds,
        scoring=job.scoring, refit=False, random_state=seed, **ERROR,
    )  # fmt: skip
    trace = _run(search, X, y, folds)
    last = search.cv_results_["iter"] == search.n_iterations_ - 1
    trace.scores = np.where(last, trace.scores, -np.inf).tolist()  # it picks among the last rung
    return trace


def sklearn_genetic(job, X, y, folds, n, seed):
    from sklearn_genetic import GASearchCV
    from sklearn_genetic.space import Categorical, Continuous, Integer

    def part(spec):
        if isinstance(spec, OneOf):
            return Categorical(spec.values)
        if isinstance(spec, Whole):
            return Integer(spec.low, spec.high)
        kind = "log-uniform" if isinstance(spec, Log) else "uniform"
        return Continuous(spec.low, spec.high, distribution=kind)

    import random as python_random

    python_random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  it draws from the global generators
    size = 10
    search = GASearchCV(
        clone(job.model), cv=folds, scoring=job.scoring, population_size=size,
        param_grid={name: part(spec) for name, spec in job.space.items()},
        generations=n // size, refit=False, verbose=False, **ERROR,
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        trace = _run(search, X, y, folds)
    return _without_repeats(trace)


def _without_repeats(trace):
    """Leave out candidates that came from the cache."""
    seen, rows = set(), []
    for at, params in enumerate(trace.params):
        key = repr(sorted(params.items()))
        if key not in seen:
            seen.add(key)
            rows.append(at)
    trace.params = [trace.params[at] for at in rows]
    trace.scores = [trace.scores[at] for at in rows]
    trace.fits_s = [trace.fits_s[at] for at in rows]
    return trace


def optuna_tpe(job, X, y, folds, n, seed):
    """Run the loop of OptunaSearchCV: a suggestion, a cross-validation."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed)
    )
    params, scores, fits = [], [], []
    start = time.perf_counter()
    for _ in range(n):
        trial = study.ask()
        drawn = {name: _suggest(trial, name, spec) for name, spec in job.space.items()}
        model = clone(job.model).set_params(**drawn)
        found = cross_validate(model, X, y, cv=folds, scoring=job.scoring, **ERROR)
        score = float(found["test_score"].mean())
        fits.append(found["fit_time"].sum() + found["score_time"].sum())
        state = optuna.trial.TrialState.FAIL if np.isnan(score) else None
        study.tell(trial, None if np.isnan(score) else score, state=state)
        params.append(drawn)
        scores.append(score)
    return Trace(params, scores, time.perf_counter() - start, fits)


def _suggest(trial, name, spec):
    if isinstance(spec, OneOf):
        return trial.suggest_categorical(name, spec.values)
    if isinstance(spec, Whole):
        return trial.suggest_int(name, spec.low, spec.high)
    return trial.suggest_float(name, spec.low, spec.high, log=not isinstance(spec, Linear))


METHODS = {
    "GeneticSearchCV": geneticpy,
    "RandomizedSearchCV": random,
    "HalvingRandomSearchCV": halving,
    "GASearchCV": sklearn_genetic,
    "Optuna TPE": optuna_tpe,
}
PACKAGES = {"GASearchCV": "sklearn-genetic-opt", "Optuna TPE": "optuna"}


def traces(name, job, X, y, folds, budgets, seed):
    """Return a trace for each budget; only halving has to be run for each of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name == "HalvingRandomSearchCV":
            return {n: METHODS[name](job, X, y, folds, n, seed) for n in budgets}
        trace = METHODS[name](job, X, y, folds, max(budgets), seed)
    return dict.fromkeys(budgets, trace)
