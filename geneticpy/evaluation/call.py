"""One evaluation: the call of the user's function, and the report of what came of it."""

from __future__ import annotations

import functools
import inspect
import math
import os
import pickle
import platform
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from geneticpy.errors import ArgumentError
from geneticpy.evaluation.values import as_loss, message_of, traceback_of

if TYPE_CHECKING:
    from geneticpy.evaluation.loss import Points


class Call:
    """The user's function, with random numbers of its own for each evaluation if it asks for them.

    Parameters
    ----------
    fn : callable
        ``fn(params)``, or ``fn(params, rng)`` with a numpy Generator.
    entropy : sequence of int, optional
        Of the run; needed by a function that asks for `rng`.

    Attributes
    ----------
    draws : bool
        Whether it asks for random numbers.

    Raises
    ------
    ArgumentError
        If `fn` is no function that can be called in one of the two ways.

    Notes
    -----
    The generator of evaluation `id` is ``default_rng(SeedSequence(entropy, spawn_key=(id,)))``: it
    does not depend on where, when and how often the evaluation is made.
    """

    def __init__(self, fn: Any, entropy: Iterable[int] = ()):
        self.draws = asks_for_rng(fn)
        self.fn: Callable[..., Any] = _by_position(fn) if self.draws else fn
        self._entropy = tuple(entropy)

    def __call__(self, params: Any, id: int) -> Any:
        return self.fn(params, self._rng(id)) if self.draws else self.fn(params)

    def arguments(self, points: Points) -> Iterable[tuple[Any, ...]]:
        """Give what `fn` is called with, point by point."""
        if not self.draws:
            return zip(points.params)
        return zip(points.params, map(self._rng, points.ids.tolist()), strict=True)

    def _rng(self, id: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self._entropy, spawn_key=(id,)))


def asks_for_rng(fn: Any) -> bool:
    """Whether a function takes a second argument: named `rng`, or any that is required.

    Raises
    ------
    ArgumentError
        If it is no function, or takes neither one nor two arguments.
    """
    if not callable(fn):
        raise ArgumentError(f"fn: must be a function of params, got {fn!r}.")
    try:
        signature = inspect.signature(fn)
    except (TypeError, ValueError):  # builtins may have none
        return False
    named = "rng" in list(signature.parameters)[1:] and _accepts(signature, {}, rng=None)
    if not named and _accepts(signature, {}):
        return False
    if named or _accepts(signature, {}, None):
        return True
    raise ArgumentError(
        "fn: must be callable with one argument, params, or with two, params and rng, "
        f"got {signature}."
    )


def _accepts(signature: inspect.Signature, *arguments: Any, **named: Any) -> bool:
    try:
        signature.bind(*arguments, **named)
    except TypeError:
        return False
    return True


def _by_position(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function whose `rng` is keyword-only, or not the second, take it as the second."""
    names = list(inspect.signature(fn).parameters)
    if "rng" in names[1:]:
        return _Named(fn)
    return fn


@dataclass(frozen=True)
class _Named:
    """A function that gets its random numbers by name."""

    fn: Callable[..., Any]

    def __call__(self, params: Any, rng: np.random.Generator) -> Any:
        return self.fn(params, rng=rng)


@dataclass
class Report:
    """What came of one evaluation.

    Attributes
    ----------
    loss : float
        NaN if it failed.
    seconds : float
        Its duration.
    error : BaseException or None
        What was raised; it keeps its text and traceback on the way from another process.
    final : bool
        Whether the error ends the run, whatever `on_error` says.
    worker : str
        Where it was made: see `here`. Empty if nobody knows.
    """

    loss: float
    seconds: float
    error: BaseException | None = None
    final: bool = False
    worker: str = ""

    def __reduce__(self) -> tuple[Any, ...]:
        error = None if self.error is None else _packed(self.error)
        return _unpacked, (self.loss, self.seconds, error, self.final, self.worker)


def attempt(call: Call, params: Any, id: int) -> Report:
    """Evaluate one point, whatever happens."""
    before = perf_counter()
    try:
        value = call(params, id)
    except BaseException as error:
        final = not isinstance(error, Exception)
        return Report(math.nan, perf_counter() - before, error, final, here())
    try:
        loss = as_loss(value, params)
    except Exception as error:
        return Report(math.nan, perf_counter() - before, error, final=True, worker=here())
    return Report(loss, perf_counter() - before, worker=here())


def here() -> str:
    """Name host, process and, unless it is the main one, thread: ``host:1234 geneticpy-0``."""
    process = process_of_this_host(os.getpid())
    thread = threading.current_thread()
    return process if thread is threading.main_thread() else f"{process} {thread.name}"


@functools.cache
def process_of_this_host(pid: int) -> str:
    """Name a process."""
    return f"{platform.node()}:{pid}"


def _packed(error: BaseException) -> tuple[bytes, str]:
    """Make bytes of an error, and its traceback as text."""
    import cloudpickle

    try:
        data = cloudpickle.dumps(error)
        pickle.loads(data)  # some only fail here
    except Exception:
        data = cloudpickle.dumps(_Substitute(type(error).__name__, message_of(error)))
    return data, traceback_of(error)


def _unpacked(
    loss: float, seconds: float, packed: tuple[bytes, str] | None, final: bool, worker: str
) -> Report:
    if packed is None:
        return Report(loss, seconds, None, final, worker)
    data, text = packed
    try:
        error = pickle.loads(data)
    except Exception as unreadable:
        error = RuntimeError(f"an error that cannot be read here: {unreadable!r}")
    if isinstance(error, _Substitute):
        error = error.stand_in()
    error.__cause__ = _Remote(text)
    return Report(loss, seconds, error, final, worker)


@dataclass(frozen=True)
class _Substitute:
    """Name and text of an exception that cannot be pickled."""

    name: str
    text: str

    def stand_in(self) -> Exception:
        return type(self.name, (RuntimeError,), {})(self.text)


class _Remote(Exception):
    """The traceback of a worker, as the cause of the error that came from there."""

    def __init__(self, text: str):
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"in a worker\n{self.text}"
