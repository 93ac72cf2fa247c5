"""Coroutine functions as losses: the evaluations of a batch run concurrently."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from time import perf_counter
from typing import Any

from geneticpy.errors import LossError
from geneticpy.evaluation.call import Call
from geneticpy.evaluation.loss import Limits, Outcomes, Points
from geneticpy.evaluation.pool import POLL
from geneticpy.evaluation.values import as_loss


class CoroutineLoss:
    """A coroutine function of one parameter set; those of a batch run concurrently.

    They run in an event loop of their own in a thread of its own, so that it makes no difference
    whether the caller has a running loop, as in Jupyter.
    """

    together = True

    def __init__(self, call: Call):
        self._call = call
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(_end_what_is_left())
            self._loop.close()

    def evaluate(self, points: Points, outcomes: Outcomes, limits: Limits) -> None:
        batch = _Batch(self._call.fn, self._call.arguments(points), outcomes, limits)
        future = asyncio.run_coroutine_threadsafe(batch.run(), self._loop)
        try:
            _wait_for(future)
        except BaseException:  # Ctrl-C
            self._loop.call_soon_threadsafe(batch.end)
            _wait_for(future)
            raise
        fatal = future.result()
        if fatal is not None:
            raise fatal

    def close(self) -> None:
        """End the event loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


class _Batch:
    """Coroutines that run at the same time; everything here happens in the thread of the loop."""

    def __init__(
        self,
        fn: Callable[..., Any],
        arguments: Iterable[tuple[Any, ...]],
        outcomes: Outcomes,
        limits: Limits,
    ):
        self._fn, self._arguments, self._outcomes, self._limits = fn, arguments, outcomes, limits
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = False
        self._fatal: BaseException | None = None

    async def run(self) -> BaseException | None:
        """Evaluate until all are done or the batch is ended; returns what must end the run.

        Not raised here: an event loop does not survive a SystemExit in one of its tasks.
        """
        if self._ended:
            return None
        left = self._limits.deadline - perf_counter()
        timer = asyncio.get_running_loop().call_later(left, self.end)
        self._tasks = [
            asyncio.ensure_future(self._one(at, *given))
            for at, given in enumerate(self._arguments)
        ]
        hearing = asyncio.ensure_future(self._hear_regularly())
        await asyncio.gather(*self._tasks, return_exceptions=True)
        timer.cancel()
        hearing.cancel()
        return self._fatal

    async def _hear_regularly(self) -> None:
        while True:
            await asyncio.sleep(POLL)
            self._hear()

    def _hear(self) -> None:
        """Let a journal write what has ended; end the batch if it cannot."""
        if self._outcomes.heard is not None:
            try:
                self._outcomes.heard(perf_counter())
            except Exception as error:
                self.end(error)

    def end(self, fatal: BaseException | None = None) -> None:
        """Cancel what is under way; the first reason given counts."""
        if self._fatal is None:
            self._fatal = fatal
        self._ended = True
        for task in self._tasks:
            task.cancel()

    async def _one(self, at: int, point: Any, *rng: Any) -> None:
        before = perf_counter()
        error: BaseException | None = None
        try:
            value = await self._fn(point, *rng)
        except (Exception, asyncio.CancelledError) as raised:
            if self._ended:  # what a cancelled coroutine raises is no outcome
                return
            error = self._outcomes.errors[at] = raised
            value = math.nan
        except BaseException as raised:
            self.end(raised)
            return
        self._keep(at, point, value, perf_counter() - before)
        if error is not None and self._limits.raise_errors:
            self.end(error)

    def _keep(self, at: int, point: Any, value: Any, seconds: float) -> None:
        """Record an outcome, and end the batch if it is good enough or no number."""
        try:
            loss = as_loss(value, point)
        except LossError as error:
            self.end(error)
            return
        self._outcomes.loss[at] = loss
        self._outcomes.seconds[at] = seconds
        self._hear()
        if self._limits.enough is not None and self._limits.enough(loss):
            self.end()


async def _end_what_is_left() -> None:
    """Cancel the tasks that the user's coroutines left behind, as asyncio.run does."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


def _wait_for(future: Future[Any]) -> None:
    while not wait([future], timeout=POLL).done:  # POLL: see there
        pass
