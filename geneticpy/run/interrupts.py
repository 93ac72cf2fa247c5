"""Ctrl-C during a run: it waits while results are recorded, and it is never lost."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # as far as a platform has them


class Interrupts:
    """Stands between the signals that end a program and the functions that handle them.

    Python raises KeyboardInterrupt wherever the program is, which may be between two statements
    that belong together; and whoever catches it there decides for all. Much does without meaning
    to: a bare ``except`` in a loss, a ``__del__``, an extension module that is being imported
    (numpy's goes on, orjson's crashes). While entered, in the main thread, this one calls the
    handlers that were there before, and remembers what they raised. It puts that off until
    `let_come`, and later while asked to; a second signal comes from somebody who will not wait.

    Signals that have no Python function as a handler are left alone.
    """

    def __init__(self) -> None:
        self._before: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._came = self._holding = False
        self._waiting: int | None = None

    def __enter__(self) -> Interrupts:
        self.hold()
        for number in (getattr(signal, name) for name in ENDING if hasattr(signal, name)):
            handler = signal.getsignal(number)
            if callable(handler):
                self._before[number] = handler
                with contextlib.suppress(ValueError):  # not the main thread, which gets them all
                    signal.signal(number, self._handle)
        return self

    def __exit__(self, error: object, *_: object) -> None:
        self.hold()
        for number, handler in self._before.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, handler)
        try:
            self.let_come()
        except KeyboardInterrupt:
            if error is not None:  # otherwise there is a result to return
                raise

    def hold(self) -> None:
        """Put off what comes until `let_come`, or the end."""
        self._holding = True

    def let_come(self) -> None:
        """Put off nothing any more; raise what is waiting."""
        self._holding = False
        number, self._waiting = self._waiting, None
        if number is not None:
            self._handle(number, None)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._holding and self._waiting is None:
            self._waiting = number
            return
        handler = self._before[number]
        try:
            handler(number, frame)
            if _only_cancels(handler):
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            self._came = True
            raise

    @contextlib.contextmanager
    def put_off(self) -> Iterator[None]:
        """Let statements run together; what comes meanwhile comes after them."""
        self.hold()
        try:
            yield
        finally:
            self.let_come()

    def raise_again(self) -> None:
        """Raise what has come, if somebody caught it.

        Raises
        ------
        KeyboardInterrupt
        """
        if self._came:
            raise KeyboardInterrupt


def _only_cancels(handler: Any) -> bool:
    """Whether a handler is that of asyncio.run, which cancels the task that a run keeps busy."""
    return getattr(getattr(handler, "func", handler), "__module__", "") == "asyncio.runners"
