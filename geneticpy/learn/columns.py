"""An estimator that sees some of the features."""

from __future__ import annotations

from collections.abc import Sequence
from functools import wraps
from inspect import signature
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

try:
    from sklearn.utils import get_tags
except ImportError:  # scikit-learn 1.5
    get_tags = None

# The estimator decides on NaN; scikit-learn has renamed the argument in 1.6.
_RENAMED = "ensure_all_finite" in signature(check_array).parameters
ANY_VALUE: dict[str, Any] = {"ensure_all_finite" if _RENAMED else "force_all_finite": False}


def _has(name: str) -> Any:
    """Make a check whether the estimator inside has a method."""
    return lambda outer: hasattr(getattr(outer, "estimator_", outer.estimator), name)


def table(X: Any) -> Any:
    """Return a data frame as it is, and anything else as an array or matrix of columns."""
    if hasattr(X, "iloc") or hasattr(X, "__dataframe__"):
        return X
    return check_array(X, dtype=None, accept_sparse=["csr", "csc"], **ANY_VALUE)


class Columns(list[int]):
    """Numbers of columns, copied at once where scikit-learn's `clone` takes a list apart."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Columns:
        return Columns(self)


class OnColumns(MetaEstimatorMixin, BaseEstimator):
    """An estimator on some columns of X.

    Parameters
    ----------
    estimator : estimator
    columns : sequence of int

    Attributes
    ----------
    estimator_ : estimator
        Fitted on the columns.
    """

    def __init__(self, estimator: Any, columns: Sequence[int] = ()):
        self.estimator, self.columns = estimator, columns

    def fit(self, X: Any, y: Any = None, **params: Any) -> OnColumns:
        """Fit the estimator on its columns; `params` are passed on."""
        self.estimator_ = clone(self.estimator)
        X = table(X)
        self.n_features_in_ = X.shape[1]
        targets = () if y is None else (y,)
        self.estimator_.fit(self._seen(X), *targets, **params)
        return self

    def _seen(self, X: Any) -> Any:
        return _safe_indexing(X, np.asarray(self.columns, int), axis=1)

    def _call(self, method: str, X: Any, *arguments: Any, **params: Any) -> Any:
        check_is_fitted(self)
        X = table(X)
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input."
            )
        return getattr(self.estimator_, method)(self._seen(X), *arguments, **params)

    @available_if(_has("predict"))
    def predict(self, X: Any) -> Any:
        """Predict from the columns."""
        return self._call("predict", X)

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes."""
        return self._call("predict_proba", X)

    @available_if(_has("predict_log_proba"))
    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of the probabilities of the classes."""
        return self._call("predict_log_proba", X)

    @available_if(_has("decision_function"))
    def decision_function(self, X: Any) -> Any:
        """Confidence scores."""
        return self._call("decision_function", X)

    @property
    def score(self) -> Any:
        """Score of the estimator itself; scikit-learn reads in its signature what it takes."""

        @wraps(self.estimator.score)
        def score(X: Any, y: Any = None, **params: Any) -> float:
            return self._call("score", X, y, **params)

        return score

    @property
    def classes_(self) -> Any:
        """Classes of the estimator inside."""
        return self.estimator_.classes_

    @property
    def _estimator_type(self) -> Any:  # scikit-learn 1.5
        return getattr(self.estimator, "_estimator_type", None)

    def __sklearn_tags__(self) -> Any:
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        for part in ("estimator_type", "classifier_tags", "regressor_tags", "target_tags"):
            setattr(tags, part, getattr(inner, part))
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        return tags

    def _more_tags(self) -> dict[str, Any]:
        """Give the tags of scikit-learn 1.5, later `__sklearn_tags__`."""
        inner = self.estimator._get_tags() if hasattr(self.estimator, "_get_tags") else {}
        return {name: inner[name] for name in ("allow_nan", "multioutput") if name in inner}

    def get_metadata_routing(self) -> MetadataRouter:
        """Route the metadata of `fit` and `score` to the estimator inside."""
        both = MethodMapping().add(caller="fit", callee="fit").add(caller="score", callee="score")
        return MetadataRouter(owner=self).add(estimator=self.estimator, method_mapping=both)
