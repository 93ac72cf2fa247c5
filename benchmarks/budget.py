"""The same number of evaluations for everybody: a loss that counts and then stops."""

import math


class BudgetSpentError(BaseException):
    """Raised at the first evaluation beyond the budget.

    Not an `Exception`, so that no library takes it for a failed evaluation and goes on.
    """


def cut(outcome, budget):
    """Return what a run that does not know its budget had reached after `budget` evaluations."""
    trace = [point for point in outcome["trace"] if point[0] <= budget]
    return outcome | {"trace": trace, "evaluations": min(outcome["evaluations"], budget)}


class CountedLoss:
    """Call a loss at most `budget` times and keep the trace of improvements.

    Attributes
    ----------
    evaluations : int
        Calls that were answered; never above `budget`.
    best : float
        Smallest observed loss so far.
    trace : list of (int, float)
        For each improvement the number of evaluations it took, from 1, and the loss; the loss
        without noise if `truth` is given. A solver is judged by the point whose observed loss is
        the smallest, the only one that it can recommend.
    """

    def __init__(self, loss, budget, truth=None):
        self._loss = loss
        self._truth = truth
        self._budget = budget
        self.evaluations = 0
        self.best = math.inf
        self.trace = []

    @property
    def spent(self):
        """Whether the budget is used up."""
        return self.evaluations >= self._budget

    def __call__(self, params):
        if self.spent:
            raise BudgetSpentError
        value = float(self._loss(params))
        self.evaluations += 1
        if value < self.best:
            self.best = value
            true = float(self._truth(params)) if self._truth else value
            self.trace.append((self.evaluations, true))
        return value
