"""The steady state: no worker waits for a generation to end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from geneticpy.evaluation.call import Report
from geneticpy.evaluation.pool import Job, Pool, Typical, time_to
from geneticpy.evolution.optimizer import Candidates, Optimizer
from geneticpy.record import Record

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
    record : Record
        Keeps how candidates were asked for, with which a run can be repeated.

    Attributes
    ----------
    replayed : iterator of Ended
        What the record has of an earlier call; it has to be told to the optimizer at once.
    """

    def __init__(self, optimizer: Optimizer, pool: Pool, record: Record):
        self._optimizer, self._pool, self._record = optimizer, pool, record
        self._asked: dict[int, tuple[Candidates, int]] = {}
        self.replayed = self._replay()
        self._asking = Typical()
        self._evaluating = Typical()

    @property
    def under_way(self) -> int:
        """Evaluations that have not ended."""
        return len(self._asked)

    def restart(self, optimizer: Optimizer) -> None:
        """Ask another optimizer, for which nothing is under way."""
        self._optimizer = optimizer
        self._asked.clear()
        self.replayed = self._replay()

    def _replay(self) -> Iterator[Ended]:
        for n, groups in self._record.asks():
            self._ask(n)
            for ids in groups:
                yield self._found(ids, [])
        self._submit(list(self._asked))

    def fill(self, most: int) -> None:
        """Give every free worker a candidate, with at most so many evaluations under way."""
        free = min(self._pool.slots + self._ahead(), most) - self.under_way
        if free <= 0:
            return
        before = perf_counter()
        self._record.asked(free)
        ids = self._ask(free)
        self._asking.learn(perf_counter() - before)
        self._submit(ids)

    def _ask(self, n: int) -> list[int]:
        candidates = self._optimizer.ask(n)
        ids = candidates.ids.tolist()
        self._asked |= {id: (candidates, row) for row, id in enumerate(ids)}
        return ids

    def _submit(self, ids: list[int]) -> None:
        points = ((id, *self._asked[id]) for id in ids)
        self._pool.submit(Job(id, candidates.params[row], id) for id, candidates, row in points)

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
        reports = [(at, report) for at, (_, report) in enumerate(ended)]
        return self._found([id for id, _ in ended], reports)

    def _found(self, ids: list[int], reports: list[tuple[int, Report]]) -> Ended:
        """Take candidates out of those that are under way."""
        rows = [self._asked.pop(id) for id in ids]
        columns = (
            np.array([getattr(candidates, name)[row] for candidates, row in rows])
            for name in ("ids", "genes", "species", "parents")
        )
        return Ended(reports, *columns)
