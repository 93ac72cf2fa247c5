"""The table of all candidates, `cv_results_`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.exceptions import FitFailedWarning

from geneticpy.learn.trial import Outcome, Score, Trial

Table = dict[str, Any]
KINDS = ("test_scores", "train_scores")


class Rows:
    """Trials as rows of scikit-learn's table.

    Parameters
    ----------
    trials : sequence of Trial
        At least one of them with outcomes.
    folds : int
    error_score : float
        Score of the folds that a failed trial did not get.
    """

    def __init__(self, trials: Sequence[Trial], folds: int, error_score: float):
        self._trials, self._folds, self._error_score = trials, folds, error_score
        self._pattern = next(trial.outcomes[0] for trial in trials if trial.outcomes)

    def table(self, form: Callable[..., Table]) -> Table:
        """All columns.

        Parameters
        ----------
        form : callable
            ``form(params, folds, outcomes, more)``: scikit-learn's `_format_results`.
        """
        trials = self._trials
        outcomes = [outcome for trial in trials for outcome in self._complete(trial)]
        more = {
            "generation": [trial.generation for trial in trials],
            "species": [trial.species for trial in trials],
            "folds": [len(trial.outcomes) for trial in trials],
        }
        with np.errstate(invalid="ignore"):  # scikit-learn casts masked numbers that it never set
            table = form([trial.params for trial in trials], self._folds, outcomes, more)
        self._hide_missing(table)
        self._rank_failed_last(table)
        return table

    def warn_of_failures(self) -> None:
        """Tell how many fits failed, and why."""
        reasons = [trial.reason for trial in self._trials if trial.failed]
        if reasons:
            warnings.warn(
                f"{len(reasons)} of {len(self._trials)} candidates failed; their score is set to "
                f"{self._error_score} and they are ranked last. error_score='raise' stops at "
                f"the first. The first reason:\n{reasons[0]}",
                FitFailedWarning,
                stacklevel=2,
            )

    def _complete(self, trial: Trial) -> list[Outcome]:
        """Outcomes of all folds; those that were not run are filled in."""
        missing = range(len(trial.outcomes), self._folds)
        if trial.failed:
            return trial.outcomes + [self._failure() for _ in missing]
        return trial.outcomes + [self._expected(trial, fold) for fold in missing]

    def _failure(self) -> Outcome:
        """Outcome of a fold that a failed trial did not get."""
        filled: dict[str, Any] = {
            key: self._error_score for key in ("test_scores", "train_scores")
        }
        for key in filled:
            if isinstance(self._pattern.get(key), dict):
                filled[key] = dict.fromkeys(self._pattern[key], self._error_score)
        known = {key: filled[key] for key in filled if key in self._pattern}
        return {**self._pattern, **known, "fit_time": 0.0, "score_time": 0.0}

    def _expected(self, trial: Trial, fold: int) -> Outcome:
        """Outcome of a fold that a trial lost by a race: its times and gaps go on."""
        done = trial.outcomes
        found = {**done[-1], **{key: _mean(done, key) for key in ("fit_time", "score_time")}}
        for kind in KINDS:
            if isinstance(found.get(kind), dict):
                found[kind] = {
                    name: trial.scores(_reader(kind, name), self._folds)[fold]
                    for name in found[kind]
                }
            elif kind in found:
                found[kind] = trial.scores(_reader(kind), self._folds)[fold]
        return found

    def _hide_missing(self, table: Table) -> None:
        """Show nan as the scores of folds that were not run."""
        run = np.array([len(trial.outcomes) for trial in self._trials])
        for name in [name for name in table if name.startswith("split")]:
            fold = int(name.partition("_")[0].removeprefix("split"))
            if (run <= fold).any():
                hidden = (run <= fold) & ~self._failed
                table[name] = np.where(hidden, np.nan, table[name])

    @property
    def _failed(self) -> np.ndarray:
        return np.array([trial.failed for trial in self._trials])

    def _rank_failed_last(self, table: Table) -> None:
        """Rank failed candidates after all others, whatever their error score is."""
        failed = self._failed
        if not failed.any() or failed.all():
            return
        for name in [name for name in table if name.startswith("rank_test_")]:
            means = np.where(failed, np.nan, table[name.replace("rank", "mean", 1)])
            worst = np.nanmin(means) - 1 if np.isfinite(means).any() else 0.0
            means = np.where(np.isnan(means), worst, means)
            table[name] = rankdata(-means, method="min").astype(np.int32)


def _mean(outcomes: Sequence[Outcome], key: str) -> float:
    return float(np.mean([outcome[key] for outcome in outcomes]))


def _reader(kind: str, name: str | None = None) -> Score:
    """Make what reads one score of an outcome."""
    if name is None:
        return lambda outcome: outcome[kind]
    return lambda outcome: outcome[kind][name]
