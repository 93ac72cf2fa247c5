"""Fitting candidates through scikit-learn: all folds at once, or in a race."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import FitFailedWarning

from geneticpy.learn.folds import FrozenFolds
from geneticpy.learn.racing import Race
from geneticpy.learn.trial import Outcome, Score, Trial


class Fits:
    """All folds of each trial.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(params)``, scikit-learn's `evaluate_candidates`; what it returns holds under
        "out" the outcomes of all fits so far.
    folds : FrozenFolds
    score : callable
        ``score(outcome)``: the number to maximize.

    Attributes
    ----------
    first_error : Exception or None
        Of the first call in which every fit failed.
    """

    def __init__(self, evaluate: Callable[..., Any], folds: FrozenFolds, score: Score):
        self._evaluate, self._folds, self._score = evaluate, folds, score
        self.first_error: Exception | None = None

    def run(self, trials: Sequence[Trial]) -> None:
        """Fit candidates that are not fitted yet, and record in them what came of it."""
        for trial in trials:
            if trial.failed and not trial.outcomes:
                self.first_error = self.first_error or ValueError(trial.reason)
        new = [trial for trial in trials if not trial.fitted]
        if new:
            self._run(new)

    def _run(self, trials: Sequence[Trial]) -> None:
        """Record outcomes of all folds of a call, or why they failed."""
        try:
            fitted = self._fit(trials)
        except ValueError as error:
            if "fits failed" not in str(error):  # scikit-learn does so when none succeeds
                raise
            self.first_error = self.first_error or error
            for trial in trials:
                trial.reason = str(error)
            return
        for trial, outcomes in zip(trials, fitted, strict=True):
            trial.add(outcomes)

    def _fit(self, trials: Sequence[Trial]) -> list[list[Outcome]]:
        """Outcomes of each trial on the folds of one call."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitFailedWarning)  # there is one at the end
            out = self._evaluate([trial.params for trial in trials])["out"]
        each = self._folds.each
        new = out[len(out) - each * len(trials) :]
        return [new[i : i + each] for i in range(0, len(new), each)]


class RacedFits(Fits):
    """Fold after fold, as long as a trial is not clearly worse than the best; see Race.

    Parameters
    ----------
    evaluate, folds, score
        As for Fits.
    level : float
        As for Race.
    """

    def __init__(
        self, evaluate: Callable[..., Any], folds: FrozenFolds, score: Score, level: float
    ):
        super().__init__(evaluate, folds, score)
        self._race = Race(folds.total, folds.test_share, level)
        self._complete: list[Trial] = []

    def run(self, trials: Sequence[Trial]) -> None:
        """Fit candidates that are not fitted yet; later ones race against all these."""
        super().run(trials)
        for trial in trials:
            if trial.failed or len(trial.outcomes) < self._folds.total:
                continue
            scores = trial.scores(self._score, self._folds.total)
            if np.isfinite(scores).all():
                self._race.add(scores)
                self._complete.append(trial)

    def _run(self, trials: Sequence[Trial]) -> None:
        racing = list(trials)
        for fold in range(self._folds.total):
            self._folds.current = fold
            if racing:
                super()._run(racing)
            racing = [trial for trial in racing if self._goes_on(trial)]

    def _goes_on(self, trial: Trial) -> bool:
        """Whether a trial gets the next fold; one that lost remembers to whom."""
        if trial.failed:
            return False
        scores = trial.scores(self._score, self._folds.total)
        if len(scores) == self._folds.total or not self._race.loses(scores):
            return True
        trial.rival = self._complete[self._race.best]
        return False
