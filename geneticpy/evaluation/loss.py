"""One call form for all kinds of losses; failures become NaN and a reason."""

from __future__ import annotations

import functools
import inspect
import math
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from geneticpy.errors import ArgumentError, LossError

LONGEST_REASON = 300  # characters


class Points(Protocol):
    """What losses are computed for: the same points in two forms."""

    @property
    def params(self) -> Sequence[Any]:
        """All n parameter sets."""

    @property
    def columns(self) -> Any:
        """What a vectorized loss receives."""

    def __len__(self) -> int: ...


class Outcomes:
    """What came of n points so far, by their positions.

    Attributes
    ----------
    loss : (n,) array
        As the user's function returned it; NaN if it failed.
    seconds : (n,) array
        Duration of each evaluation; NaN until it has ended.
    errors : dict of int to exception
        What the user's function raised.
    """

    def __init__(self, n: int):
        self.loss = np.full(n, math.nan)
        self.seconds = np.full(n, math.nan)
        self.errors: dict[int, BaseException] = {}

    @property
    def ended(self) -> np.ndarray:
        """Positions of the evaluations that have ended."""
        return np.flatnonzero(self.seconds == self.seconds)

    def reasons(self) -> dict[int, str]:
        """Why evaluations failed, by position."""
        missing = self.ended[np.isnan(self.loss[self.ended])].tolist()
        reasons = dict.fromkeys(missing, "the loss returned nan")
        return reasons | {at: reason_of(error) for at, error in self.errors.items()}


@dataclass(frozen=True)
class Limits:
    """When to stop in the middle of a batch.

    Attributes
    ----------
    enough : callable or None
        ``enough(loss)``: whether a loss is good enough to end the run.
    deadline : float
        On the clock of `time.perf_counter`.
    raise_errors : bool
        Whether an exception of the loss ends the run.
    """

    enough: Callable[[float], bool] | None = None
    deadline: float = math.inf
    raise_errors: bool = False


class Loss(Protocol):
    """A user's function behind one call form.

    Attributes
    ----------
    together : bool
        Whether the points of a batch are evaluated at the same time, so that large ones pay.
    """

    together: bool

    def evaluate(self, points: Points, outcomes: Outcomes, limits: Limits) -> None:
        """Compute losses one after the other or together, noting each in `outcomes` as it ends.

        Raises
        ------
        LossError
            When the function returns something that is no number.
        """

    def close(self) -> None:
        """Let go of threads and event loops."""


class PlainLoss:
    """A function of one parameter set."""

    together = False

    def __init__(self, fn: Callable[[Any], Any]):
        self._fn = fn

    def evaluate(self, points: Points, outcomes: Outcomes, limits: Limits) -> None:
        fn, enough, deadline = self._fn, limits.enough, limits.deadline
        loss, seconds = outcomes.loss, outcomes.seconds
        params = points.params
        before = perf_counter()
        for at, point in enumerate(params):
            error = None
            try:
                value = fn(point)
            except Exception as raised:
                error = outcomes.errors[at] = raised
                value = math.nan
            if type(value) is not float:
                value = as_loss(value, point)
            now = perf_counter()
            loss[at] = value
            seconds[at] = now - before  # the last: it makes the outcome complete
            if error is not None and limits.raise_errors:
                raise error
            if now >= deadline or (enough is not None and enough(value)):
                return
            before = now

    def close(self) -> None:
        """Nothing to let go of."""


class VectorizedLoss:
    """A function of columns that returns one loss a row."""

    together = True

    def __init__(self, fn: Callable[[Any], Any]):
        self._fn = fn

    def evaluate(self, points: Points, outcomes: Outcomes, limits: Limits) -> None:
        n, columns = len(points), points.columns
        before = perf_counter()
        error = None
        try:
            value = self._fn(columns)
        except Exception as raised:
            error, value = raised, np.full(n, math.nan)
            outcomes.errors.update(dict.fromkeys(range(n), raised))
        losses = as_losses(value, n)
        outcomes.loss[:] = losses
        outcomes.seconds[:] = (perf_counter() - before) / n
        if error is not None and limits.raise_errors:
            raise error

    def close(self) -> None:
        """Nothing to let go of."""


def make_loss(fn: Any, *, vectorized: bool = False) -> Loss:
    """Wrap a user's function.

    Raises
    ------
    ArgumentError
        If it cannot be called with one argument.
    """
    if not callable(fn):
        raise ArgumentError(f"fn: must be a function of params, got {fn!r}.")
    _check_signature(fn)
    is_coroutine = _is_coroutine_function(fn)
    if is_coroutine and vectorized:
        raise ArgumentError(f"vectorized: must be False for a coroutine function, got {fn!r}.")
    if is_coroutine:
        from geneticpy.evaluation.coroutine import CoroutineLoss  # asyncio is slow to import

        return CoroutineLoss(fn)
    return VectorizedLoss(fn) if vectorized else PlainLoss(fn)


def as_loss(value: Any, params: Any) -> float:
    """Make a returned value a float; LossError naming the parameters if it is no number."""
    if isinstance(value, float):
        return float(value)
    _refuse_awaitable(value)
    try:
        return _as_float(value)
    except Exception as error:
        raise LossError(
            f"fn: must return a number, got {value!r} for params {params!r}."
        ) from error


def as_losses(value: Any, n: int) -> np.ndarray:
    """Make what a vectorized loss returned n floats, (n,); masked ones are NaN."""
    if type(value) is np.ndarray and value.dtype == np.float64 and value.shape == (n,):
        return value
    _refuse_awaitable(value)
    try:
        array = np.ma.asarray(value)
        if array.dtype.kind in "biuf":
            losses = np.ma.filled(array.astype(float), math.nan)
        else:
            losses = np.array([_as_float(item) for item in array])
    except Exception as error:
        raise LossError(f"fn: must return an array of {n} numbers, got {value!r}.") from error
    if losses.shape != (n,):
        raise LossError(f"fn: must return an array of shape ({n},), got shape {losses.shape}.")
    return losses


def _as_float(value: Any) -> float:
    """Make any kind of number a float, also in an array of one element."""
    if isinstance(value, np.ndarray) and value.size == 1:
        return math.nan if np.ma.is_masked(value) else _as_float(value.item())
    wrong = isinstance(value, str | bytes | complex | np.complexfloating)
    if wrong or not hasattr(value, "__float__"):  # float() would read text
        raise TypeError(f"{type(value).__name__} is no number")
    try:
        return float(value)
    except OverflowError:  # an integer beyond the floats
        return math.inf if value > 0 else -math.inf


def _refuse_awaitable(value: Any) -> None:
    if inspect.iscoroutine(value):
        value.close()  # or Python warns that it was never awaited
    if inspect.isawaitable(value):
        raise LossError(
            f"fn: must return a number, or be defined with async def to be awaited, got {value!r}."
        )


def reason_of(error: BaseException) -> str:
    """Kind and text of an exception, in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:LONGEST_REASON]


def traceback_of(error: BaseException) -> str:
    """Traceback of an exception as text."""
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def _is_coroutine_function(fn: Any) -> bool:
    """Whether calls give coroutines; also of a partial, and of an object with async __call__."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(type(fn).__call__)


def _check_signature(fn: Callable[..., Any]) -> None:
    try:
        signature = inspect.signature(fn)
    except (TypeError, ValueError):  # builtins may have none
        return
    try:
        signature.bind({})
    except TypeError as error:
        raise ArgumentError(
            f"fn: must be callable with one argument, params, got {signature}: {error}."
        ) from error
