"""Linear algebra with one thread: small matrices are many times slower on a busy machine else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS to one thread while the context lasts, if threadpoolctl is installed.

    One thread also sums in one order, whatever the machine has. The limit is that of the whole
    process: with runs in several threads it lasts until the last of them leaves.
    """
    _SHARED.enter()
    try:
        yield
    finally:
        _SHARED.leave()


class _SharedLimit:
    """A limit that the first user sets and the last one lifts."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._limit: Any = None

    def enter(self) -> None:
        """Count one user more."""
        with self._lock:
            controller = _controller()
            if self._users == 0 and controller is not None:
                _free(controller)
                self._limit = controller.limit(limits=1, user_api="blas")
            self._users += 1

    def leave(self) -> None:
        """Count one user less."""
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._limit is not None:
                _free(_controller())
                self._limit.restore_original_limits()
                _free(_controller())
                self._limit = None


_SHARED = _SharedLimit()


def _free(controller: Any) -> None:
    """Let any thread set limits: threadpoolctl 3.8 ignores all but the first that did."""
    for library in controller.lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


@cache
def _controller() -> Any:
    """Find the loaded libraries, once; None without threadpoolctl."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    import scipy.linalg  # noqa: F401  (its BLAS has to be loaded to be found)

    return ThreadpoolController()
