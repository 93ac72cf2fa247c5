"""Worker threads, for losses that release the interpreter lock or wait."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue

from geneticpy.evaluation.call import Call, Report, attempt
from geneticpy.evaluation.pool import POLL, Ended, Job

FAREWELL = 1.0  # seconds for idle threads to leave


class ThreadPool:
    """Daemon threads: an evaluation that nobody waits for any more keeps no program alive.

    Parameters
    ----------
    call : Call
    slots : int
        Number of threads.
    """

    def __init__(self, call: Call, slots: int):
        self.slots = slots
        self._call = call
        self._todo: SimpleQueue[Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._ended: SimpleQueue[Ended] = SimpleQueue()

    def submit(self, jobs: Iterable[Job]) -> None:
        if not self._threads:
            self._start()
        for job in jobs:
            self._todo.put(job)

    def _start(self) -> None:
        self._todo, self._ended = SimpleQueue(), SimpleQueue()
        for at in range(self.slots):
            run = contextvars.copy_context().run
            arguments = (run, self._call, self._todo, self._ended)
            thread = threading.Thread(
                target=_serve, args=arguments, name=f"geneticpy-{at}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def wait(self, seconds: float) -> list[Ended]:
        try:
            first = self._ended.get(timeout=min(seconds, POLL))
        except Empty:
            return []
        return [first, *self._read()]

    def _read(self) -> list[Ended]:
        ended = []
        while not self._ended.empty():  # nobody else reads
            ended.append(self._ended.get())
        return ended

    def cancel(self) -> list[Ended]:
        """Drop what is queued; what is under way cannot be stopped and goes to nobody."""
        self._dismiss()
        return self._read()

    def close(self) -> None:
        """Let the threads end, and wait for them a moment."""
        for thread in self._dismiss():
            thread.join(FAREWELL)

    def _dismiss(self) -> list[threading.Thread]:
        """Tell the threads to leave when they have finished what they are at."""
        threads, self._threads = self._threads, []
        if not threads:
            return []  # they were told before; the queue may hold what tells them
        with contextlib.suppress(Empty):
            while True:
                self._todo.get_nowait()
        for _ in threads:
            self._todo.put(None)
        return threads


def _serve(
    run: Callable[..., Report],
    call: Call,
    todo: SimpleQueue[Job | None],
    ended: SimpleQueue[Ended],
) -> None:
    """Evaluate until told to leave."""
    while (job := todo.get()) is not None:
        ended.put((job.key, run(attempt, call, job.params, job.id)))
