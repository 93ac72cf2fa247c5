"""One candidate and what its folds gave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Outcome = dict[str, Any]  # of one fit, as scikit-learn's `_fit_and_score` returns it
Score = Callable[[Outcome], float]


@dataclass(eq=False)
class Trial:
    """A candidate.

    Attributes
    ----------
    params : dict
        What `set_params` receives.
    generation, species : int
    outcomes : list of dict
        Of the folds that were run, which are the first ones.
    reason : str
        Why it failed; empty if all fits succeeded.
    rival : Trial or None
        The complete candidate that this one lost a race to.
    """

    params: dict[str, Any]
    generation: int = 0
    species: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    reason: str = ""
    rival: Trial | None = None

    @property
    def failed(self) -> bool:
        """Whether a fit raised."""
        return bool(self.reason)

    @property
    def fitted(self) -> bool:
        """Whether anything came of it."""
        return self.failed or bool(self.outcomes)

    def add(self, outcomes: list[Outcome]) -> None:
        """Record further folds."""
        self.outcomes += outcomes
        errors = [outcome["fit_error"] for outcome in outcomes if outcome["fit_error"]]
        self.reason = self.reason or next(iter(errors), "")

    def scores(self, score: Score, folds: int) -> np.ndarray:
        """(folds,) scores; those of folds not run are the rival's, shifted by the mean gap.

        Comparing on folds of different difficulty would be unfair: the gap to the rival on the
        folds that both have run is what is known.
        """
        own = np.array([score(outcome) for outcome in self.outcomes], float)
        if self.rival is None or len(own) == folds:
            return own
        rivals = self.rival.scores(score, folds)
        return np.append(own, rivals[len(own) :] + np.mean(own - rivals[: len(own)]))

    def mean(self, score: Score, folds: int) -> float:
        """Mean score; nan if a fit failed."""
        return float("nan") if self.failed else float(self.scores(score, folds).mean())
