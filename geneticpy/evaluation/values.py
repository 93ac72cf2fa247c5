"""What a loss may return, made floats; and errors, made text."""

from __future__ import annotations

import inspect
import math
import traceback
from typing import Any

import numpy as np

from geneticpy.checks import as_float
from geneticpy.errors import LossError

LONGEST_REASON = 300  # characters


def as_loss(value: Any, params: Any) -> float:
    """Make a returned value a float; LossError naming the parameters if it is no number."""
    if isinstance(value, float):
        return float(value)
    _refuse_awaitable(value)
    try:
        return as_float(value)
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
            losses = np.array([as_float(item) for item in array])
    except Exception as error:
        raise LossError(f"fn: must return an array of {n} numbers, got {value!r}.") from error
    if losses.shape != (n,):
        raise LossError(f"fn: must return an array of shape ({n},), got shape {losses.shape}.")
    return losses


def _refuse_awaitable(value: Any) -> None:
    if inspect.iscoroutine(value):
        value.close()  # or Python warns that it was never awaited
    if inspect.isawaitable(value):
        raise LossError(
            f"fn: must return a number, or be defined with async def to be awaited, got {value!r}."
        )


def reason_of(error: BaseException) -> str:
    """Kind and text of an exception, in one line."""
    text = " ".join(message_of(error).split())
    return f"{type(error).__name__}: {text}"[:LONGEST_REASON]


def message_of(error: BaseException) -> str:
    """Text of an exception, whose own class may fail to give it."""
    try:
        return str(error)
    except Exception as failed:
        return f"its text raised {type(failed).__name__}"


def traceback_of(error: BaseException) -> str:
    """Traceback of an exception as text."""
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))
