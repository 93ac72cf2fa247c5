"""A pool of thousands of workers on a simulated clock, under the real coordinator.

The optimizer, the loop around it and the stream of the steady state are the real ones, and the
clock goes on by what they take: everything between two calls of the pool is measured. Only workers
and transport are simulated.
"""

import heapq
import time
from collections import deque

import numpy as np

from geneticpy import Optimizer, UniformDistribution
from geneticpy.evaluation.call import Report
from geneticpy.evaluation.pool import PoolLoss
from geneticpy.loop import Run
from geneticpy.record import Record
from geneticpy.run.stopping import Stopping
from geneticpy.steady import Stream

GENES = 10
SPREAD = 100  # between the shortest evaluation and the longest, log-uniform
ROUNDS = 5  # evaluations a worker


class SimulatedPool:
    """Workers that take no time but on a clock of their own.

    Parameters
    ----------
    slots : int
    seconds : float
        Mean duration of an evaluation.
    handling : float
        Seconds of the coordinator to send a job and receive its report.
    """

    def __init__(self, slots, seconds, handling):
        self.slots, self._handling = slots, handling
        self._rng = np.random.default_rng(0)
        self._scale = seconds * np.log(SPREAD) / (1 - 1 / SPREAD)  # longest: the mean is `seconds`
        self._ends = []  # heap of (moment, key, report)
        self._queue = deque()
        self.now = self.handled = 0.0
        self._begun = []  # (moment, seconds) of evaluations
        self.last = 0.0
        self._left = time.perf_counter()

    def _enter(self):
        self.now += time.perf_counter() - self._left

    def _leave(self):
        self._left = time.perf_counter()

    def submit(self, jobs):
        self._enter()
        for job in jobs:
            self.now += self._handling
            self.handled += 1
            if len(self._ends) < self.slots:
                self._begin(self.now, job)
            else:
                self._queue.append(job)
        self.last = self.now
        self._leave()

    def _begin(self, moment, job):
        seconds = self._scale * SPREAD ** -self._rng.random()
        self._begun.append((moment, seconds))
        report = Report(sum((x - 0.3) ** 2 for x in job.params.values()), seconds)
        heapq.heappush(self._ends, (moment + seconds, job.key, report))

    def busy(self):
        """Share of the workers' time until the last job was handed out: after it, they run dry."""
        spent = sum(min(seconds, self.last - moment) for moment, seconds in self._begun)
        return spent / (self.slots * self.last)

    def wait(self, seconds):
        self._enter()
        self.now = max(self.now, self._ends[0][0])
        ended = []
        while self._ends and self._ends[0][0] <= self.now:
            moment, *pair = heapq.heappop(self._ends)
            ended.append(tuple(pair))
            if self._queue:
                self._begin(moment, self._queue.popleft())
        self._leave()
        return ended

    def cancel(self):
        return []

    def close(self):
        pass


def simulate(slots, seconds, handling, steady):
    """Run once.

    Returns
    -------
    share : float
        Of the workers' time that was spent on evaluations.
    rate : float
        Evaluations per second.
    """
    space = {f"x{i}": UniformDistribution(0, 1) for i in range(GENES)}
    total = slots * ROUNDS
    optimizer = Optimizer(
        space, size=slots, generation_count=10**6, retain_percentage=0.0,
        max_evaluations=total, surrogate=False, batch=slots, seed=0,
    )  # fmt: skip
    pool = SimulatedPool(slots, seconds, handling)
    run = Run(optimizer, PoolLoss(pool), Stopping())
    if steady:
        run.stream = Stream(optimizer, pool, Record())
    pool._leave()
    run.complete()
    return pool.busy(), pool.handled / pool.now
