"""One call form for all kinds of losses; failures become NaN and a reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from geneticpy.checks import is_coroutine_function
from geneticpy.errors import ArgumentError
from geneticpy.evaluation.call import Call
from geneticpy.evaluation.values import as_loss, as_losses, reason_of


class Points(Protocol):
    """What losses are computed for: the same points in two forms."""

    @property
    def ids(self) -> np.ndarray:
        """(n,) numbers of the evaluations."""

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
    workers : dict of int to str
        Where evaluations were made, if not in this thread.
    recalled : dict of int to str
        Reasons of failures that were not seen now but are known from a journal.
    details : dict of int to plain data
        What else a journal has of them.
    heard : callable or None
        ``heard(now)`` is called when evaluations have ended, with the time of
        `time.perf_counter`; it may raise what has to end the run.
    """

    def __init__(self, n: int, heard: Callable[[float], None] | None = None):
        self.loss = np.full(n, math.nan)
        self.seconds = np.full(n, math.nan)
        self.errors: dict[int, BaseException] = {}
        self.workers: dict[int, str] = {}
        self.recalled: dict[int, str] = {}
        self.details: dict[int, Any] = {}
        self.heard = heard

    @property
    def ended(self) -> np.ndarray:
        """Positions of the evaluations that have ended."""
        return np.flatnonzero(self.seconds == self.seconds)

    def reasons(self) -> dict[int, str]:
        """Why evaluations failed, by position."""
        missing = self.ended[np.isnan(self.loss[self.ended])].tolist()
        reasons = dict.fromkeys(missing, "the loss returned nan")
        known = {at: reason_of(error) for at, error in self.errors.items()}
        return reasons | self.recalled | known

    def fill(self, positions: np.ndarray, part: Outcomes) -> None:
        """Take over what came of some of the points."""
        at = positions.tolist()
        self.loss[positions], self.seconds[positions] = part.loss, part.seconds
        self.errors |= {at[i]: error for i, error in part.errors.items()}
        self.workers |= {at[i]: worker for i, worker in part.workers.items()}


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
    interrupted : callable or None
        ``interrupted()`` raises Ctrl-C again if the loss has caught it.
    """

    enough: Callable[[float], bool] | None = None
    deadline: float = math.inf
    raise_errors: bool = False
    interrupted: Callable[[], None] | None = None


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

    def __init__(self, call: Call):
        self._call = call

    def evaluate(self, points: Points, outcomes: Outcomes, limits: Limits) -> None:
        fn, enough, deadline = self._call.fn, limits.enough, limits.deadline
        interrupted = limits.interrupted
        loss, seconds, heard = outcomes.loss, outcomes.seconds, outcomes.heard
        arguments = self._call.arguments(points)
        before = perf_counter()
        for at, given in enumerate(arguments):
            error = None
            try:
                value = fn(*given)
            except Exception as raised:
                error = outcomes.errors[at] = raised
                value = math.nan
            if type(value) is not float:
                value = as_loss(value, given[0])
            now = perf_counter()
            loss[at] = value
            seconds[at] = now - before  # the last: it makes the outcome complete
            if heard is not None:
                heard(now)
            if error is not None and limits.raise_errors:
                raise error
            if interrupted is not None:
                interrupted()
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


def make_loss(
    fn: Any,
    *,
    vectorized: bool = False,
    entropy: Iterable[int] = (),
    crew: Callable[[Call], Loss] | None = None,
) -> Loss:
    """Wrap a user's function.

    Parameters
    ----------
    fn : callable
    vectorized : bool
        Whether it takes columns.
    entropy : iterable of int
        What the random numbers that it may ask for are derived from.
    crew : callable, optional
        Makes the loss that evaluates on several workers.

    Raises
    ------
    ArgumentError
        If it cannot be called with one argument, nor with parameters and random numbers; if its
        kind does not go with `vectorized` or with workers.
    """
    call = Call(fn, entropy)
    is_coroutine = is_coroutine_function(fn)
    if is_coroutine and vectorized:
        raise ArgumentError(f"vectorized: must be False for a coroutine function, got {fn!r}.")
    if vectorized and call.draws:
        raise ArgumentError(f"fn: must take columns only when vectorized, got {fn!r}.")
    if crew is not None and (is_coroutine or vectorized):
        kind = "a coroutine function" if is_coroutine else "a vectorized function"
        raise ArgumentError(
            f"fn: must be a plain function for workers or an executor, got {kind} {fn!r}."
        )
    if crew is not None:
        return crew(call)
    if is_coroutine:
        from geneticpy.evaluation.coroutine import CoroutineLoss  # asyncio is slow to import

        return CoroutineLoss(call)
    return VectorizedLoss(fn) if vectorized else PlainLoss(call)
