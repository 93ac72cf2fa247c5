"""Selection of features."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.feature_selection import SelectorMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import _get_feature_names, check_is_fitted

from geneticpy.checks import function
from geneticpy.errors import ArgumentError
from geneticpy.learn.columns import Columns, OnColumns, table
from geneticpy.learn.param_space import ParamSpace, Point
from geneticpy.learn.search import GeneticSearch
from geneticpy.learn.table import Table
from geneticpy.learn.trial import Trial
from geneticpy.space.structures import SubsetDistribution


class GeneticFeatureSelectionCV(SelectorMixin, GeneticSearch):
    """Search for the features with which an estimator is best, with cross-validation.

    Parameters
    ----------
    estimator : estimator
    n_features_range : (int, int), optional
        Least and most features to select; by default (1, all).
    penalty : float, default 0.0
        What is maximized is ``score - penalty * selected / all``. Of subsets that are equally
        good the smallest is taken, with any penalty.
    n_iter : int, optional
        Subsets in all, in place of `generation_count`.
    population_size : int, default 50
        Subsets of the first generation; each later one has half as many.
    generation_count : int, default 10
        Generations after the first.
    scoring, n_jobs, refit, cv, pre_dispatch, error_score, return_train_score
        As for RandomizedSearchCV.
    verbose, random_state, patience, time_limit, callback, batch, racing, journal, resume
        As for GeneticSearchCV.
    initial : list of sequences of int, optional
        Subsets to begin with, as numbers of columns. By default all features, if that many may
        be selected; [] for none.
    constraint : callable, optional
        ``constraint(columns) -> bool``; subsets for which it is false are not fitted.

    Attributes
    ----------
    support_ : (n_features_in_,) array of bool
        The selected features.
    n_features_ : int
        How many they are.
    estimator_ : estimator
        Fitted on the selected features of all data, if `refit`.
    cv_results_ : dict of arrays
        As for GeneticSearchCV; `params` hold `columns`, and the columns `n_features` and
        `objective` are added.
    best_index_, best_score_, scorer_, n_splits_, multimetric_, classes_, n_features_in_, \
feature_names_in_, message_, n_duplicates_
        As for GeneticSearchCV.

    Notes
    -----
    The score of the best of many subsets is optimistic: many were tried on the same folds. Let
    an outer cross-validation judge it.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from geneticpy import GeneticFeatureSelectionCV
    >>> X, y = make_classification(n_features=12, n_informative=3, n_redundant=0,
    ...                            shuffle=False, class_sep=2.0, random_state=0)
    >>> selection = GeneticFeatureSelectionCV(
    ...     KNeighborsClassifier(), penalty=0.05, n_iter=60, random_state=0).fit(X, y)
    >>> selection.transform(X).shape[1] == selection.n_features_ < 12
    True
    """

    _required_parameters: ClassVar[list[str]] = ["estimator"]
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GeneticSearch._parameter_constraints,
        "n_features_range": [list, tuple, None],
        "penalty": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        n_features_range: tuple[int, int] | None = None,
        penalty: float = 0.0,
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
        initial: Sequence[Sequence[int]] | None = None,
        constraint: Callable[[list[int]], bool] | None = None,
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
        self.n_features_range = n_features_range
        self.penalty = penalty
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

    def fit(self, X: Any, y: Any = None, **params: Any) -> GeneticFeatureSelectionCV:
        """Search, and refit the estimator on the selected features of all data.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
        y : array of shape (n_samples,) or (n_samples, n_outputs), optional
        **params
            As for RandomizedSearchCV.

        Returns
        -------
        self
        """
        X = table(X)
        super().fit(X, y, **params)
        self.support_ = np.zeros(X.shape[1], bool)
        self.support_[self.cv_results_["params"][self._best_row()]["columns"]] = True
        self.n_features_ = int(self.support_.sum())
        if hasattr(self, "best_estimator_"):
            self.estimator_ = self.best_estimator_.estimator_
        names = _get_feature_names(X)
        if names is not None:
            self.feature_names_in_ = names
        return self

    def _best_row(self) -> int:
        """Row of the selected subset; scikit-learn has none for several scores and no refit."""
        if hasattr(self, "best_index_"):
            return self.best_index_
        return self._select_best_index(False, "", self.cv_results_)

    def _lent(self, X: Any) -> dict[str, Any]:
        estimator = OnColumns(self.estimator, Columns(range(X.shape[1])))
        if self.initial is None:
            return {"estimator": estimator}
        starts = [_start(i, columns) for i, columns in enumerate(self.initial)]
        return {"estimator": estimator, "initial": starts}

    def _params(self, seed: int) -> ParamSpace:
        every = self.estimator.columns
        bounds = self.n_features_range or (1, len(every))
        integers = all(isinstance(bound, Integral) for bound in bounds)
        if len(bounds) != 2 or not integers or not 1 <= bounds[0] <= bounds[1] <= len(every):
            raise ArgumentError(
                f"n_features_range: must be two integers within 1 and the {len(every)} features, "
                f"got {self.n_features_range!r}."
            )
        return Subsets({"columns": SubsetDistribution(every, *bounds)}, self.estimator, seed)

    def _allows(self, params: ParamSpace) -> Any:
        constraint = function("constraint", self.constraint, "columns")
        return constraint and (lambda point: constraint(params.candidate(point)["columns"]))

    def _objective(self, trial: Trial) -> float:
        share = len(trial.params["columns"]) / len(self.estimator.columns)
        return super()._objective(trial) - self.penalty * share

    def _measured(self) -> dict[str, Any]:
        return {**super()._measured(), "penalty": self.penalty}

    def _table(self, trials: list[Trial]) -> Table:
        found = super()._table(trials)
        found["n_features"] = np.array([len(trial.params["columns"]) for trial in trials])
        found["objective"] = np.array([self._objective(trial) for trial in trials])
        return found

    @staticmethod
    def _select_best_index(refit: Any, refit_metric: str, results: Table) -> int:
        """Row of the best objective, the smallest subset of equals."""
        if callable(refit):
            return GeneticSearch._select_best_index(refit, refit_metric, results)
        objective = np.nan_to_num(results["objective"], nan=-np.inf)
        return int(np.lexsort((results["n_features"], -objective))[0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.array_api_support = False  # columns are chosen by numpy, whatever the estimator takes
        return tags

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self, "support_")
        return self.support_

    @property
    def n_features_in_(self) -> int:
        """Number of features seen during `fit`."""
        if not hasattr(self, "support_"):
            raise AttributeError(f"{type(self).__name__} has no n_features_in_ before fit.")
        return len(self.support_)


class Subsets(ParamSpace):
    """Subsets of the features."""

    def candidate(self, point: Point) -> Point:
        """Make what `set_params` receives for a point of the space."""
        return {"columns": Columns(point["columns"])}


def _start(i: int, columns: Sequence[int]) -> dict[str, list[int]]:
    given = columns.tolist() if isinstance(columns, np.ndarray) else columns
    numbers = list(given) if isinstance(given, Iterable) else None
    if numbers is None or not all(map(_is_number, numbers)):  # a mask holds no numbers
        raise ArgumentError(f"initial[{i}]: must be a list of column numbers, got {columns!r}.")
    return {"columns": sorted(map(int, numbers))}


def _is_number(column: Any) -> bool:
    return isinstance(column, Integral) and not isinstance(column, bool)
