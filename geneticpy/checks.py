"""Checks of arguments, each raising an ArgumentError with name, rule and value; and numbers."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import numpy as np

from geneticpy.errors import ArgumentError


def whole(name: str, value: Any, at_least: int = 1) -> int:
    """Check for an integer."""
    integral = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not integral or value < at_least:
        raise ArgumentError(f"{name}: must be an integer of at least {at_least}, got {value!r}.")
    return int(value)


def number(
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    open_above: bool = False,
) -> float:
    """Check for a number between bounds, the upper one excluded if `open_above`."""
    real = isinstance(value, int | float | np.integer | np.floating)
    inside = real and not isinstance(value, bool) and low <= value <= high and _is_float(value)
    if not inside or (open_above and value == high):
        least = f" of at least {low}" if low > -math.inf else ""
        above = "below" if open_above else "at most"
        limit = f" and {above} {high}" if high < math.inf else ""
        raise ArgumentError(f"{name}: must be a number{least}{limit}, got {value!r}.")
    return float(value)


def _is_float(value: Any) -> bool:
    """Whether a number is in the range of floats, as 10**400 is not."""
    try:
        float(value)
    except OverflowError:
        return False
    return True


def flag(name: str, value: Any) -> bool:
    """Check for True or False; 1 and 0 pass, text does not."""
    if not is_flag(value):
        raise ArgumentError(f"{name}: must be True or False, got {value!r}.")
    return bool(value)


def is_flag(value: Any) -> bool:
    """Whether a value is True or False, or 1 or 0."""
    return isinstance(value, bool | np.bool_ | int) and value in (0, 1)


def function(name: str, value: Any, *arguments: str) -> Any:
    """Check for None or something that can be called with so many arguments, and is not async."""
    if value is None:
        return None
    if not callable(value):
        raise ArgumentError(f"{name}: must be callable, got {value!r}.")
    if is_coroutine_function(value):  # its coroutine would count as True
        raise ArgumentError(f"{name}: must not be a coroutine function, got {value!r}.")
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):  # builtins may have none
        return value
    try:
        signature.bind(*arguments)
    except TypeError:
        called = f"{name}({', '.join(arguments)})"
        raise ArgumentError(f"{name}: must allow the call {called}, got {signature}.") from None
    return value


def is_coroutine_function(fn: Any) -> bool:
    """Whether calls give coroutines; also of a partial, and of an object with async __call__."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(type(fn).__call__)


def array(values: Any) -> np.ndarray:
    """Array of what was given; of objects if its rows differ in length."""
    try:
        return np.asarray(values)
    except ValueError:
        return np.array(None, object)


def as_float(value: Any) -> float:
    """Make any kind of number a float, also in an array of one element; others raise."""
    if isinstance(value, np.ndarray) and value.size == 1:
        return math.nan if np.ma.is_masked(value) else as_float(value.item())
    wrong = isinstance(value, str | bytes | complex | np.complexfloating)
    if wrong or not hasattr(value, "__float__"):  # float() would read text
        raise TypeError(f"{type(value).__name__} is no number")
    try:
        return float(value)
    except OverflowError:  # an integer beyond the floats
        return math.inf if value > 0 else -math.inf


def one_of(name: str, value: Any, options: Iterable[str]) -> str:
    """Check for one of a few words."""
    allowed = list(options)
    if not isinstance(value, str) or value not in allowed:
        raise ArgumentError(f"{name}: must be one of {allowed!r}, got {value!r}.")
    return value


def no_unknown(where: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse keyword arguments that do not exist; the error names the closest that does."""
    names = list(known)
    for name in given:
        related = [other for other in names if other in name or name in other]
        close = get_close_matches(name, names, n=1) or related
        hint = f" Did you mean {close[0]}?" if close else ""
        raise ArgumentError(f"{where} got an unexpected keyword argument {name!r}.{hint}")


def generator(seed: Any) -> np.random.Generator:
    """Make the one source of random numbers of a run."""
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            "seed: must be None, a non-negative integer, a SeedSequence, a BitGenerator or a "
            f"Generator, got {seed!r}."
        ) from error
