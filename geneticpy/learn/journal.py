"""What a search keeps in its journal: how it measures, and what the folds gave."""

from __future__ import annotations

from collections.abc import Callable
from inspect import getclosurevars
from typing import Any

import joblib
import numpy as np
from scipy.sparse import find, issparse

from geneticpy.errors import JournalError
from geneticpy.jsonable import as_plain, name_of
from geneticpy.learn.folds import FrozenFolds
from geneticpy.learn.table import Table
from geneticpy.learn.trial import Outcome, Trial
from geneticpy.space.described import difference

MEASURED = "search"  # name of a setting of a run
SPLITS = "splits"
WITHOUT_EFFECT = ("n_jobs", "verbose", "memory")  # parameters of estimators
NUMBERS = ("test_scores", "train_scores", "fit_time", "score_time")


def described(estimator: Any) -> dict[str, Any]:
    """Plain data of an estimator: its class and its parameters."""
    params = estimator.get_params(deep=True)
    names = [name for name in params if name.rpartition("__")[2] not in WITHOUT_EFFECT]
    plain = {name: _setting(params[name]) for name in names}
    return {"class": name_of(type(estimator)), **plain}


def _setting(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_setting(part) for part in value]
    # parameters of estimators inside have names of their own
    is_estimator = hasattr(value, "get_params") and not isinstance(value, type)
    return name_of(type(value)) if is_estimator else as_plain(value)


def fingerprint(data: dict[str, Any]) -> str:
    """Hash arguments of `fit`, the same in every process."""
    return joblib.hash({name: _arrays(value) for name, value in data.items()})


def _arrays(data: Any) -> Any:
    """Arrays that hold some data; a data frame keeps more, which comes and goes."""
    if hasattr(data, "columns"):
        return [(str(name), np.ascontiguousarray(data[name])) for name in data.columns]
    if issparse(data):
        return [np.ascontiguousarray(part) for part in find(data)]
    return data if isinstance(data, list) else np.ascontiguousarray(data)


def measured(folds: FrozenFolds, scoring: Any, **others: Any) -> dict[str, Any]:
    """Plain data of all that the scores of candidates depend on."""
    samples, features = folds.shape
    return {
        "samples": samples,
        "features": features,
        **{name: as_plain(value) for name, value in others.items()},
        "scoring": as_plain(sorted(scoring) if isinstance(scoring, set) else scoring),
        SPLITS: folds.fingerprint,
    }


def check_measured(journal: Any, before: dict[str, Any], now: dict[str, Any], cv: Any) -> None:
    """Refuse to mix scores that were measured in different ways.

    Parameters
    ----------
    journal : path
    before : dict
        Settings of the run in the journal.
    now : dict
        What `measured` gave.
    cv : object
        As the user gave it.

    Raises
    ------
    JournalError
        Naming the first difference.
    """
    known = before.get(MEASURED)
    if not isinstance(known, dict):
        raise JournalError(
            f"journal {str(journal)!r}: must be of a search, got one of `optimize`."
        )
    where = difference(known | {SPLITS: ""}, now | {SPLITS: ""}, MEASURED)
    if where:
        raise JournalError(
            f"journal {str(journal)!r}: must be continued with the search it was begun with, "
            f"got {where}."
        )
    if known[SPLITS] != now[SPLITS]:
        raise JournalError(
            f"journal {str(journal)!r}: must be continued on the splits it was begun with, got "
            f"others from cv={cv!r}; with shuffle=True they are the same only with a random_state."
        )


def plain_trial(trial: Trial) -> dict[str, Any]:
    """Plain data of what came of a candidate, and of the rival that it lost a race to."""
    folds = [as_plain(outcome) for outcome in trial.outcomes]
    if trial.rival is None:
        return {"folds": folds}
    return {"folds": folds, "rival": [as_plain(outcome) for outcome in trial.rival.outcomes]}


def revive(trial: Trial, plain: dict[str, Any], reason: str | None) -> None:
    """Give a candidate what `plain_trial` has kept of it.

    Parameters
    ----------
    trial : Trial
    plain : dict
    reason : str or None
        Why its score is nan.
    """
    trial.add([_outcome(fold) for fold in plain["folds"]])
    if not trial.outcomes:
        trial.reason = reason or ""
    if "rival" in plain:
        trial.rival = Trial({}, outcomes=[_outcome(fold) for fold in plain["rival"]])


def _outcome(plain: dict[str, Any]) -> Outcome:
    return plain | {name: _numbers(plain[name]) for name in NUMBERS if name in plain}


def _numbers(plain: Any) -> Any:
    """Make numbers of texts like nan."""
    if isinstance(plain, dict):
        return {name: _numbers(part) for name, part in plain.items()}
    return float(plain) if isinstance(plain, str) else plain


def noted(evaluate_candidates: Callable[..., Any], outcomes: list[Outcome]) -> Table:
    """Let scikit-learn's `fit` know outcomes though it has fitted nothing; returns its table."""
    known = getclosurevars(evaluate_candidates).nonlocals
    known["all_out"].extend(outcomes)
    return known["results"]
