"""Tuning of an estimator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.metaestimators import available_if

from geneticpy.learn.param_space import ParamSpace
from geneticpy.learn.search import GeneticSearch


def _has_set_output(search: GeneticSearchCV) -> bool:
    return hasattr(search.estimator, "set_output")


class GeneticSearchCV(GeneticSearch):
    """Search over the parameters of an estimator by a genetic algorithm, with cross-validation.

    Takes the arguments of RandomizedSearchCV and has its attributes and methods. Every portion of
    candidates is proposed from the scores of all before it.

    Parameters
    ----------
    estimator : estimator
        With `score`, unless `scoring` is given.
    param_distributions : dict or list of dicts
        Parameter names with what may be tried: lists, frozen scipy.stats distributions, all
        distributions of this package, constants. See Notes for choices between estimators and
        pipelines with a searched number of steps. Of a list of dicts one is chosen.
    n_iter : int, optional
        Candidates in all, in place of `generation_count`.
    population_size : int, default 50
        Candidates of the first generation; each later one has half as many.
    generation_count : int, default 10
        Generations after the first: by default 300 candidates in all.
    scoring, n_jobs, refit, cv, pre_dispatch, error_score, return_train_score
        As for RandomizedSearchCV. With several scores the one named by `refit` is searched by, or
        the first. Splits are drawn once per `fit`. A candidate that fails gets `error_score` and
        is ranked last.
    verbose : int or bool, default 0
        1 shows a progress bar; more adds scikit-learn's own messages.
    random_state : int, RandomState instance or None, default None
        The same number gives the same candidates, with the same `batch`.
    patience : int, optional
        Stop after so many generations without a better score.
    time_limit : float, optional
        Seconds after which no further candidates are fitted.
    initial : list of dicts, optional
        Candidates to begin with, as in ``cv_results_["params"]``; what they leave out is as the
        estimator has it. By default the first candidate is the estimator's own settings, as far
        as they lie in the space; [] for none.
    constraint : callable, optional
        ``constraint(params) -> bool``; candidates for which it is false are not fitted.
    callback : callable, optional
        ``callback(progress)`` after each generation; stops the search by returning True.
    batch : int, optional
        Candidates that are fitted at once; each portion knows the scores of all before it. By
        default 5, and more where these are fewer than two fits for each worker.
    racing : bool or float, default False
        Do not give all folds to candidates that are clearly worse than the best on the first
        ones. A number is the level of the test, 0.05 for True; see `geneticpy.learn.racing.Race`.
    journal : path, optional
        File to which every portion of candidates is written when it is fitted. If it has a
        search already, that search goes on where it ended or was killed; what it depends on must
        be the same, but there may be more candidates. See docs/search_cv.md.
    resume : {"exact", "warm"}, default "exact"
        Whether to go on with the search of the journal, or to begin a new one that knows its
        candidates, as far as they fit the space.

    Attributes
    ----------
    cv_results_ : dict of arrays
        As for RandomizedSearchCV, with three columns more: `generation`; `species`, equal for
        candidates of one structure; `folds`, how many of the folds were run. The scores of folds
        that were not run are nan, and the means take the gap on those that were.
    best_estimator_, best_params_, best_score_, best_index_, scorer_, n_splits_, refit_time_, \
multimetric_, classes_, n_features_in_, feature_names_in_
        As for RandomizedSearchCV.
    message_ : str
        Why the search ended.
    n_duplicates_ : int
        Candidates that were not fitted because an equal one had been.

    Notes
    -----
    An option of a choice may be a dict of the parameter itself and parameters that go with it;
    it is merged into the candidate. A parameter that is a list of steps becomes a pipeline; the
    parameters of a step are named ``step__...``.

    Ctrl-C ends the search and keeps the best so far.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from geneticpy import GeneticSearchCV, LogUniformDistribution
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GeneticSearchCV(
    ...     SVC(), {"C": LogUniformDistribution(1e-2, 1e2), "kernel": ["linear", "rbf"]},
    ...     n_iter=15, random_state=0)
    >>> bool(search.fit(X, y).best_score_ >= 0.97)
    True
    """

    _required_parameters: ClassVar[list[str]] = ["estimator", "param_distributions"]
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GeneticSearch._parameter_constraints,
        "param_distributions": [dict, list, tuple],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int | None = None,
        population_size: int = 50,
        generation_count: int = 10,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[[dict[str, Any]], int] = True,
        cv: Any = None,
        verbose: int | bool = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
        error_score: float | str = np.nan,
        return_train_score: bool = False,
        patience: int | None = None,
        time_limit: float | None = None,
        initial: Sequence[dict[str, Any]] | None = None,
        constraint: Callable[[dict[str, Any]], bool] | None = None,
        callback: Callable[[Any], Any] | None = None,
        batch: int | None = None,
        racing: bool | float = False,
        journal: Any = None,
        resume: str = "exact",
    ):
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.population_size = population_size
        self.generation_count = generation_count
        self.random_state = random_state
        self.patience = patience
        self.time_limit = time_limit
        self.initial = initial
        self.constraint = constraint
        self.callback = callback
        self.batch = batch
        self.racing = racing
        self.journal = journal
        self.resume = resume

    def _params(self, seed: int) -> ParamSpace:
        return ParamSpace(self.param_distributions, self.estimator, seed)

    @available_if(_has_set_output)
    def set_output(self, *, transform: str | None = None) -> GeneticSearchCV:
        """Set the container that `transform` gives, as for the estimator.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            None leaves it as it is.

        Returns
        -------
        self
        """
        for estimator in (self.estimator, getattr(self, "best_estimator_", None)):
            if estimator is not None:
                estimator.set_output(transform=transform)
        return self
