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
        """Fit candidates and record the outcomes, or why they failed, in them."""
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
        """Fit candidates and record the outcomes in them."""
        racing = list(trials)
        for fold in range(self._folds.total):
            self._folds.current = fold
            if racing:
                super().run(racing)
            racing = [trial for trial in racing if self._goes_on(trial)]
        for trial in racing:
            scores = trial.scores(self._score, self._folds.total)
            if np.isfinite(scores).all():
                self._race.add(scores)
                self._complete.append(trial)

    def _goes_on(self, trial: Trial) -> bool:
        """Whether a trial gets the next fold; one that lost remembers to whom."""
        if trial.failed:
            return False
        scores = trial.scores(self._score, self._folds.total)
        if len(scores) == self._folds.total or not self._race.loses(scores):
            return True
        trial.rival = self._complete[self._race.best]
        return False
