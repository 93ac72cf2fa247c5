"""Executors that belong to the user: anything with `submit`, and anything like `map`."""

from __future__ import annotations

import contextlib
import math
import pickle
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any

from geneticpy.errors import ArgumentError, EvaluationError
from geneticpy.evaluation.call import Call, Report, attempt
from geneticpy.evaluation.loss import Limits, Outcomes, Points
from geneticpy.evaluation.pool import POLL, ChunkSize, Ended, Job, note
from geneticpy.evaluation.processes import pickled

REMEMBERED = 4  # functions that a remote process keeps
UNKNOWN = 16  # workers that an executor is taken to have that does not tell
SMALL = 10_000  # bytes of a function that may go along with every call

_functions: dict[str, Call] = {}  # in a remote process: those that came here, by key


class ExecutorPool:
    """An executor of the user; it is never shut down.

    A large function is sent to each remote process once: jobs go out with its name only, and
    come back undone if the process does not know it.

    Parameters
    ----------
    call : Call
    executor : object
        With ``submit(fn, *args)`` that returns a future with ``add_done_callback``.
    slots : int, optional
        Evaluations at the same time, if that is known.
    retries : int, default 1
        How often a job is tried again that the executor has lost with its worker.
    ahead : int, default 2
        Calls under way for each slot.

    Raises
    ------
    EvaluationError
        When the executor is broken, by the next `wait` after that.
    """

    def __init__(
        self,
        call: Call,
        executor: Any,
        slots: int | None = None,
        *,
        retries: int = 1,
        ahead: int = 2,
    ):
        self.slots = UNKNOWN if slots is None else slots
        self._executor, self._retries = executor, retries
        self._lean, self._whole = Portable.pair(call)
        self._most = math.inf if slots is None else ahead * slots  # calls under way
        self._most_wholes = math.inf if slots is None else slots
        self._waiting: deque[Job] = deque()
        self._wholes = 0  # calls under way that take the function along
        self._held: list[list[Job]] = []  # until one of those has ended
        self._running: dict[Any, tuple[list[Job], Portable]] = {}
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._fault: EvaluationError | None = None
        self._chunk_size = ChunkSize(self.slots)

    def submit(self, jobs: Iterable[Job]) -> None:
        self._waiting.extend(jobs)
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and len(self._running) < self._most:
            n = self._chunk_size(len(self._waiting))
            self._send(self._lean, [self._waiting.popleft() for _ in range(n)])

    def _send(self, function: Portable, jobs: list[Job]) -> None:
        try:
            future = self._executor.submit(function, Parcel(jobs))
        except Exception as error:
            raise _broken(error) from error
        if not hasattr(future, "add_done_callback"):
            raise ArgumentError(
                f"executor: must return futures with add_done_callback, got {future!r}."
            )
        self._running[future] = jobs, function
        self._wholes += function is self._whole
        future.add_done_callback(self._done.put)

    def wait(self, seconds: float) -> list[Ended]:
        if self._fault is not None:
            raise self._fault
        try:
            futures = [self._done.get(timeout=min(seconds, POLL))]
        except Empty:
            return []
        ended = self._read(futures)
        with self._noticing():
            self._hand_out()
        return ended

    def _read(self, futures: list[Any]) -> list[Ended]:
        while not self._done.empty():
            futures.append(self._done.get())
        ended: list[Ended] = []
        for future in futures:
            with self._noticing():
                ended += self._take(future)
        return ended

    @contextlib.contextmanager
    def _noticing(self) -> Iterator[None]:
        """Keep a fault of the executor until what has ended beside it is read."""
        try:
            yield
        except EvaluationError as fault:
            self._fault = self._fault or fault

    def _take(self, future: Any) -> list[Ended]:
        """Read what a future brought; nothing if it has to be sent again."""
        jobs, function = self._running.pop(future, (None, None))
        if jobs is None:  # cancelled
            return []
        if function is self._whole:
            self._wholes -= 1
            held, self._held = self._held, []
            for others in held:
                self._send(self._lean, others)
        try:
            reports = future.result()
        except (BrokenExecutor, CancelledError) as error:
            raise _broken(error) from error
        except Exception as error:
            return self._lost(jobs, error)
        if reports is None:
            self._send_whole(jobs)
            return []
        for report in reports:
            self._chunk_size.learn(report.seconds)
        return [(job.key, report) for job, report in zip(jobs, reports, strict=True)]

    def _send_whole(self, jobs: list[Job]) -> None:
        """Send the function along, unless every process may be about to get it."""
        if self._wholes < self._most_wholes:
            self._send(self._whole, jobs)
        else:
            self._held.append(jobs)

    def _lost(self, jobs: list[Job], error: Exception) -> list[Ended]:
        """Send jobs again one by one; a single one that is lost too often has failed."""
        ended = []
        for job in jobs:
            job.deaths += len(jobs) == 1
            if job.deaths > self._retries:
                ended.append((job.key, Report(math.nan, 0.0, error)))
            else:
                self._send(self._lean, [job])
        return ended

    def cancel(self) -> list[Ended]:
        self._waiting.clear()
        ended = self._read([])
        for future in list(self._running):
            future.cancel()
        self._running.clear()
        self._held.clear()
        self._wholes = 0
        return ended

    def close(self) -> None:
        """Leave the executor to its owner."""
        self.cancel()


class MapLoss:
    """A loss whose points are evaluated by a function like `map`, a batch at a time.

    Parameters
    ----------
    call : Call
    map_like : callable
        ``map_like(function, iterable)`` gives results in order; one after the other, if it can.
    """

    together = False

    def __init__(self, call: Call, map_like: Callable[..., Iterable[Any]]):
        self._map = map_like
        _, self._function = Portable.pair(call)

    def evaluate(self, points: Points, outcomes: Outcomes, limits: Limits) -> None:
        pairs = zip(points.params, points.ids.tolist(), strict=True)
        parcels = [Parcel([Job(at, params, id)]) for at, (params, id) in enumerate(pairs)]
        try:
            results = iter(self._map(self._function, parcels))
        except Exception as error:
            raise _broken(error) from error
        for at in range(len(parcels)):
            try:
                (report,) = next(results)
            except StopIteration:
                raise EvaluationError(
                    f"executor: must give a result for each of {len(parcels)} items, got {at}."
                ) from None
            except Exception as error:
                raise _broken(error) from error
            if note(outcomes, [(at, report)], limits) or perf_counter() >= limits.deadline:
                return

    def close(self) -> None:
        """Leave the map to its owner."""


class Portable:
    """The user's function on its way; in the same process, it is just called.

    Parameters
    ----------
    key : str
        Names the function.
    call : Call, optional
        The function, where it is known.
    data : callable, optional
        Gives its pickle, for the one that takes it along.
    """

    def __init__(self, key: str, call: Call | None, data: bytes | None = None):
        self._key, self._call, self._data = key, call, data

    @classmethod
    def pair(cls, call: Call) -> tuple[Portable, Portable]:
        """Make one that travels by name if the function is large, and one that takes it along."""
        key, data = uuid.uuid4().hex, pickled(call)
        whole = cls(key, call, data)
        return (whole if len(data) <= SMALL else cls(key, call)), whole

    def __reduce__(self) -> tuple[Any, ...]:
        return Portable, (self._key, None, self._data)

    def __call__(self, parcel: Parcel) -> list[Report] | None:
        call = self._call or self._recall()
        if call is None:
            return None
        return [attempt(call, job.params, job.id) for job in parcel.jobs]

    def _recall(self) -> Call | None:
        """Find the function in this process; None if it has to be sent."""
        if self._key not in _functions and self._data is not None:
            while len(_functions) >= REMEMBERED:
                _functions.pop(next(iter(_functions)), None)
            _functions[self._key] = pickle.loads(self._data)
        return _functions.get(self._key)


class Parcel:
    """Jobs on their way, with functions and classes of the main script in their parameters."""

    def __init__(self, jobs: list[Job]):
        self.jobs = jobs

    def __reduce__(self) -> tuple[Any, ...]:
        return _unwrapped, (pickled(self.jobs),)


def _unwrapped(data: bytes) -> Parcel:
    return Parcel(pickle.loads(data))


def _broken(error: BaseException) -> EvaluationError:
    return EvaluationError(f"executor: must go on working, got {error!r} from it.")
