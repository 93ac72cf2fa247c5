"""One call form for plain, coroutine and vectorized losses; failures become NaN and a reason."""

from __future__ import annotations

import asyncio
import inspect
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from geneticpy.errors import ArgumentError, LossError

LONGEST_REASON = 300  # characters


class Points(Protocol):
    """What losses are computed for: the same points in two forms."""

    @property
    def params(self) -> Sequence[Any]:
        """n parameter sets."""

    @property
    def columns(self) -> Any:
        """The same as columns."""

    def __len__(self) -> int: ...


@dataclass
class Outcomes:
    """What came of some points so far, in the order in which they ended.

    Attributes
    ----------
    at : list of int
        Positions of the points.
    loss : list of float
        As the user's function returned it; NaN if it failed.
    seconds : list of float
        Duration of each evaluation.
    errors : dict of int to Exception
        By position, what the user's function raised.
    """

    at: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    errors: dict[int, Exception] = field(default_factory=dict)

    def reasons(self) -> dict[int, str]:
        """Why evaluations failed, by position."""
        missing = np.flatnonzero(np.isnan(self.loss)).tolist()
        reasons = {self.at[i]: "the loss returned nan" for i in missing}
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
    deadline: float = float("inf")
    raise_errors: bool = False


class Loss(Protocol):
    """A user's function behind one call form."""

    def evaluate(self, points: Points, outcomes: Outcomes, limits: Limits) -> None:
        """Compute losses one after the other or together, adding each to `outcomes` as it ends.

        Raises
        ------
        LossError
            When the function returns something that is no number.
        """

    def close(self) -> None:
        """Let go of threads and event loops."""


class PlainLoss:
    """A function of one parameter set."""

    def __init__(self, fn: Callable[[Any], Any]):
        self._fn = fn

    def evaluate(self, points: Points, outcomes: Outcomes, limits: Limits) -> None:
        fn, enough, deadline = self._fn, limits.enough, limits.deadline
        add_at, add_loss, add_seconds = (
            outcomes.at.append,
            outcomes.loss.append,
            outcomes.seconds.append,
        )
        params = points.params
        before = perf_counter()
        for at, point in enumerate(params):
            error = None
            try:
                value = fn(point)
                if type(value) is not float:
                    value = as_loss(value, point)
            except LossError:
                raise
            except Exception as raised:
                error, value = raised, np.nan
                outcomes.errors[at] = raised
            now = perf_counter()
            add_at(at)
            add_loss(value)
            add_seconds(now - before)
            if error is not None and limits.raise_errors:
                raise error
            if now >= deadline or (enough is not None and enough(value)):
                return
            before = now

    def close(self) -> None:
        """Nothing to let go of."""


class VectorizedLoss:
    """A function of columns that returns one loss a row."""

    def __init__(self, fn: Callable[[Any], Any]):
        self._fn = fn

    def evaluate(self, points: Points, outcomes: Outcomes, limits: Limits) -> None:
        n = len(points)
        before = perf_counter()
        try:
            losses = as_losses(self._fn(points.columns), n)
        except LossError:
            raise
        except Exception as raised:
            losses = [np.nan] * n
            outcomes.errors.update(dict.fromkeys(range(n), raised))
            if limits.raise_errors:
                raise
        finally:
            each = (perf_counter() - before) / max(n, 1)
        outcomes.at.extend(range(n))
        outcomes.loss.extend(losses)
        outcomes.seconds.extend([each] * n)

    def close(self) -> None:
        """Nothing to let go of."""


class CoroutineLoss:
    """A coroutine function of one parameter set; those of a batch run concurrently.

    They run in an event loop of their own in a thread of its own, so that it makes no difference
    whether the caller has a running loop, as in Jupyter.
    """

    def __init__(self, fn: Callable[[Any], Any]):
        self._fn = fn
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    def evaluate(self, points: Points, outcomes: Outcomes, limits: Limits) -> None:
        everything = self._everything(points.params, outcomes, limits)
        future = asyncio.run_coroutine_threadsafe(everything, self._loop)
        try:
            while not future.done():
                _wait_a_little(future)  # without a limit, Windows would not see Ctrl-C
            future.result()
        except BaseException:
            future.cancel()
            raise

    async def _everything(
        self, params: Sequence[Any], outcomes: Outcomes, limits: Limits
    ) -> None:
        tasks = {
            asyncio.ensure_future(self._one(at, point, outcomes, limits))
            for at, point in enumerate(params)
        }
        try:
            while tasks:
                left = max(0.0, limits.deadline - perf_counter())
                done, tasks = await asyncio.wait(
                    tasks,
                    timeout=None if left == float("inf") else left,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if any([task.result() for task in done]) or not done:
                    return
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, at: int, point: Any, outcomes: Outcomes, limits: Limits) -> bool:
        """Evaluate one point; returns whether the run has what it wants."""
        before = perf_counter()
        error = None
        try:
            value = as_loss(await self._fn(point), point)
        except LossError:
            raise
        except Exception as raised:
            error, value = raised, np.nan
            outcomes.errors[at] = raised
        outcomes.at.append(at)
        outcomes.loss.append(value)
        outcomes.seconds.append(perf_counter() - before)
        if error is not None and limits.raise_errors:
            raise error
        return limits.enough is not None and limits.enough(value)

    def close(self) -> None:
        """End the event loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


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
    is_coroutine = inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(
        getattr(fn, "__call__", None)  # noqa: B004 - an object may have an async __call__
    )
    if is_coroutine and vectorized:
        raise ArgumentError(f"vectorized: must be False for a coroutine function, got {fn!r}.")
    if is_coroutine:
        return CoroutineLoss(fn)
    return VectorizedLoss(fn) if vectorized else PlainLoss(fn)


def as_loss(value: Any, params: Any) -> float:
    """A returned value as float; LossError naming the parameters if it is no number."""
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise LossError(
            f"fn: must return a number, got a coroutine for params {params!r}. "
            "Define fn with async def."
        )
    textual = isinstance(value, str | bytes)
    if value is None or textual or np.iscomplexobj(value) or not hasattr(value, "__float__"):
        raise LossError(f"fn: must return a number, got {value!r} for params {params!r}.")
    try:
        return float(value.item() if isinstance(value, np.ndarray) else value)
    except (TypeError, ValueError) as error:
        raise LossError(
            f"fn: must return one number, got {value!r} for params {params!r}."
        ) from error


def as_losses(value: Any, n: int) -> list[float]:
    """What a vectorized loss returned, as n floats."""
    try:
        losses = np.ma.filled(np.ma.asarray(value, float), np.nan)
    except (TypeError, ValueError) as error:
        raise LossError(f"fn: must return an array of {n} numbers, got {value!r}.") from error
    if losses.shape != (n,):
        raise LossError(f"fn: must return an array of shape ({n},), got shape {losses.shape}.")
    return losses.tolist()


def reason_of(error: BaseException) -> str:
    """Kind and text of an exception, in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:LONGEST_REASON]


def traceback_of(error: BaseException) -> str:
    """Traceback of an exception as text."""
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def _wait_a_little(future: Any) -> None:
    finished = threading.Event()
    future.add_done_callback(lambda _: finished.set())
    finished.wait(0.5)


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
