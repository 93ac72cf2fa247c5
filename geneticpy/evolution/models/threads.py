"""Linear algebra with one thread: small matrices are many times slower on a busy machine else."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """Limit BLAS to one thread while the context lasts, if threadpoolctl is installed.

    One thread also sums in one order, whatever the machine has.
    """
    controller = _controller()
    return nullcontext() if controller is None else controller.limit(limits=1, user_api="blas")


@cache
def _controller() -> Any:
    """Find the loaded libraries, once; None without threadpoolctl."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    import scipy.linalg  # noqa: F401  (its BLAS has to be loaded to be found)

    return ThreadpoolController()
