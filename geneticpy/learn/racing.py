"""Racing on folds: when a candidate is clearly worse than the best after some of them."""

from __future__ import annotations

import math

import numpy as np

LEVEL = 0.05
FEWEST_COMPLETE = 3  # candidates with all folds besides the best before any is dropped


class Race:
    """A one-sided paired test against the best complete candidate, after each fold.

    Parameters
    ----------
    folds : int
        Of a complete candidate.
    test_share : float
        Test samples for one training sample of a split.
    level : float, default 0.05
        Bound on the chance to drop a candidate that is as good as the best.

    Notes
    -----
    Let ``d`` be the differences to the best candidate on the first ``k`` folds. The statistic is

        t = mean(d) / sqrt(v * (1 / k + test_share))

    where ``v`` is the variance of such differences over the folds, pooled over the better half
    of the complete candidates, with ``f = candidates * (folds - 1)`` degrees of freedom, and
    ``test_share`` is the correction of Nadeau and Bengio for training sets that overlap. A
    candidate is dropped when Student's distribution with ``f`` degrees gives at most
    ``level / (folds - 1)`` for the lower tail: one share for each of the looks at the data.

    Pooling makes the first fold usable, on which a candidate's own variance is unknown. The
    hypothesis is about candidates as good as the best, so the pool is of good ones: bad ones
    can differ from it wildly. The best is the luckiest of several, which is not corrected.

    References
    ----------
    .. [1] Nadeau & Bengio, "Inference for the generalization error", Machine Learning 52, 2003,
       section 4.
    .. [2] Maron & Moore, "The racing algorithm", Artificial Intelligence Review 11, 1997.
    """

    def __init__(self, folds: int, test_share: float, level: float = LEVEL):
        self._folds, self._test_share = folds, test_share
        self._level = level / max(folds - 1, 1)
        self._complete = np.empty((0, folds))

    def add(self, scores: np.ndarray) -> None:
        """Take note of a complete candidate's (folds,) scores."""
        self._complete = np.vstack([self._complete, scores])

    @property
    def best(self) -> int:
        """Number of the complete candidate with the best mean, the earliest of equals."""
        return int(self._complete.mean(axis=1).argmax())

    @property
    def open(self) -> bool:
        """Whether enough complete candidates are known to drop others."""
        return self._folds > 1 and len(self._complete) > FEWEST_COMPLETE

    def p_value(self, scores: np.ndarray) -> float:
        """Chance of so low scores on the first k folds, were the candidate as good as the best."""
        from scipy.special import stdtr

        best = self._complete[self.best]
        gaps = self._better_half() - best
        freedom = len(gaps) * (self._folds - 1)
        variance = float(gaps.var(axis=1, ddof=1).mean())
        k = len(scores)
        gap = float(np.mean(scores - best[:k]))
        scale = math.sqrt(variance * (1 / k + self._test_share))
        return float(stdtr(freedom, gap / scale)) if scale > 0 else 1.0

    def _better_half(self) -> np.ndarray:
        """Scores of the better half of the complete candidates, without the best."""
        others = np.delete(self._complete, self.best, axis=0)
        order = np.argsort(-others.mean(axis=1), kind="stable")
        return others[order[: (len(others) + 1) // 2]]

    def loses(self, scores: np.ndarray) -> bool:
        """Whether a candidate with these scores on the first folds is clearly worse."""
        return self.open and self.p_value(scores) <= self._level
