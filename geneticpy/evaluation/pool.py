"""Evaluations on several workers: what all kinds of pools have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

from geneticpy.evaluation.call import Report
from geneticpy.evaluation.loss import Limits, Outcomes, Points

POLL = 0.5  # seconds; longer waits would not see Ctrl-C on Windows, nor a dead worker's children
CHUNK_SECONDS = 0.01  # of work that is handed out at once


@dataclass
class Job:
    """One evaluation to make.

    Attributes
    ----------
    key : int
        Comes back with the report.
    params : nested data
    id : int
        Number of the evaluation, for its random numbers.
    deaths : int
        How many workers it has cost.
    """

    key: int
    params: Any
    id: int
    deaths: int = 0


Ended = tuple[int, Report]  # key of a job, and what came of it


class Pool(Protocol):
    """Workers that evaluate jobs.

    Attributes
    ----------
    slots : int
        Evaluations at the same time.
    """

    slots: int

    def submit(self, jobs: Iterable[Job]) -> None:
        """Queue jobs."""

    def wait(self, seconds: float) -> list[Ended]:
        """Give what has ended, after at most so many seconds; the sooner the better."""

    def cancel(self) -> list[Ended]:
        """Drop what is queued and under way; give what has ended before that."""

    def close(self) -> None:
        """Let the workers go."""


class PoolLoss:
    """A loss whose points are evaluated by a pool, a batch at a time."""

    together = False

    def __init__(self, pool: Pool):
        self.pool = pool

    def evaluate(self, points: Points, outcomes: Outcomes, limits: Limits) -> None:
        jobs = [
            Job(at, params, id)
            for at, (params, id) in enumerate(zip(points.params, points.ids.tolist(), strict=True))
        ]
        left = len(jobs)
        try:
            self.pool.submit(jobs)
            while left:
                ended = self.pool.wait(time_to(limits.deadline))
                left -= len(ended)
                if note(outcomes, ended, limits) or perf_counter() >= limits.deadline:
                    break
        finally:
            if left:
                note(outcomes, self.pool.cancel(), Limits())

    def close(self) -> None:
        """Let the workers go."""
        self.pool.close()


def note(outcomes: Outcomes, ended: list[Ended], limits: Limits) -> bool:
    """Record what has ended; returns whether a loss is good enough to end the run.

    Raises
    ------
    BaseException
        Which ends the run: what the function raised if `limits` say so, and what is no exception
        or no number anyway.
    """
    fatal = None
    enough = False
    for at, report in ended:
        if report.error is not None and (report.final or limits.raise_errors):
            fatal = fatal or report.error
        if report.final:
            continue
        if report.error is not None:
            outcomes.errors[at] = report.error
        if report.worker:
            outcomes.workers[at] = report.worker
        outcomes.loss[at] = report.loss
        outcomes.seconds[at] = report.seconds
        enough = enough or (limits.enough is not None and limits.enough(report.loss))
    if fatal is not None:
        raise fatal
    if outcomes.heard is not None:
        outcomes.heard(perf_counter())
    return enough


def time_to(moment: float) -> float:
    """Seconds that may be waited until a moment, at most POLL."""
    return min(max(moment - perf_counter(), 0.0), POLL)


class Typical:
    """A mean duration in which the latest ones count most.

    Attributes
    ----------
    seconds : float
        inf as long as none is known.
    """

    def __init__(self) -> None:
        self.seconds = math.inf

    def learn(self, seconds: float) -> None:
        """Take one more into account."""
        before = seconds if self.seconds == math.inf else self.seconds
        self.seconds = 0.8 * before + 0.2 * seconds


class ChunkSize(Typical):
    """How many jobs go out at once: about CHUNK_SECONDS of work, and one as long as none is known.

    Parameters
    ----------
    slots : int
        Workers among which the jobs are shared.
    """

    def __init__(self, slots: int):
        super().__init__()
        self._slots = slots

    def __call__(self, waiting: int) -> int:
        """Size of the next chunk of so many waiting jobs."""
        share = math.ceil(waiting / (2 * self._slots))  # two rounds level the load
        return max(1, min(share, int(CHUNK_SECONDS / max(self.seconds, 1e-9))))
