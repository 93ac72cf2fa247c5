"""The steady state: no worker waits for a generation to end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from geneticpy.evaluation.call import Report
from geneticpy.evaluation.pool import Job, Pool, Typical, time_to
from geneticpy.evolution.optimizer import Candidates, Optimizer

LAG = 0.02  # of the duration of an evaluation: an ask that takes longer is made ahead
SPARE = 4  # standard deviations of the number of evaluations that end during an ask


@dataclass(frozen=True)
class Ended:
    """Evaluations that have ended together.

    Attributes
    ----------
    reports : list of n (int, Report)
        What came of each, by its position here.
    ids : (n,) array of int
    genes : (n, d) array
    species : (n,) array of uint64
    parents : (n, 2) array of int
    """

    reports: list[tuple[int, Report]]
    ids: np.ndarray
    genes: np.ndarray
    species: np.ndarray
    parents: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


class Stream:
    """Asks for a candidate whenever a worker is free.

    When asking takes long in comparison with evaluations, candidates are asked for ahead, so that
    there are some when workers become free during an ask.

    Which candidate that is depends on the evaluations that have ended before, and so on how long
    each took: runs are not repeatable.

    Parameters
    ----------
    optimizer : Optimizer
    pool : Pool
    """

    def __init__(self, optimizer: Optimizer, pool: Pool):
        self._optimizer, self._pool = optimizer, pool
        self._asked: dict[int, tuple[Candidates, int]] = {}
        self._asking = Typical()
        self._evaluating = Typical()

    @property
    def under_way(self) -> int:
        """Evaluations that have not ended."""
        return len(self._asked)

    def fill(self, most: int) -> None:
        """Give every free worker a candidate, with at most so many evaluations under way."""
        free = min(self._pool.slots + self._ahead(), most) - self.under_way
        if free <= 0:
            return
        before = perf_counter()
        candidates = self._optimizer.ask(free)
        self._asking.learn(perf_counter() - before)
        ids = candidates.ids.tolist()
        self._asked |= {id: (candidates, row) for row, id in enumerate(ids)}
        params = candidates.params
        self._pool.submit(Job(id, params[row], id) for row, id in enumerate(ids))

    def _ahead(self) -> int:
        """How many candidates there shall be beside those that are evaluated.

        As many as evaluations end during an ask, and some more: they end at random.
        """
        asking, evaluating = self._asking.seconds, self._evaluating.seconds
        if not asking > LAG * evaluating:
            return 0
        ending = self._pool.slots * min(asking / max(evaluating, 1e-9), 1.0)
        return math.ceil(ending + SPARE * math.sqrt(ending))

    def wait(self, deadline: float) -> Ended:
        """Give what has ended, after a moment at most."""
        return self._gather(self._pool.wait(time_to(deadline)))

    def cancel(self) -> Ended:
        """Drop what is under way; give what has ended before that."""
        ended = self._gather(self._pool.cancel())
        self._asked.clear()
        return ended

    def _gather(self, ended: list[tuple[int, Report]]) -> Ended:
        """Look up the candidates of reports, in the order of ids."""
        ended = sorted(ended, key=lambda pair: pair[0])
        for _, report in ended:
            self._evaluating.learn(report.seconds)
        rows = [self._asked.pop(id) for id, _ in ended]
        columns = (
            np.array([getattr(candidates, name)[row] for candidates, row in rows])
            for name in ("ids", "genes", "species", "parents")
        )
        return Ended([(at, report) for at, (_, report) in enumerate(ended)], *columns)
