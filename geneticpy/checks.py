"""Checks of arguments: each raises an ArgumentError with name, rule and value."""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import numpy as np

from geneticpy.errors import ArgumentError


def whole(name: str, value: Any, at_least: int = 1) -> int:
    """An integer."""
    integral = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not integral or value < at_least:
        raise ArgumentError(f"{name}: must be an integer of at least {at_least}, got {value!r}.")
    return int(value)


def number(
    name: str, value: Any, low: float, high: float = math.inf, *, open_above: bool = False
) -> float:
    """A number between bounds, the upper one excluded if `open_above`."""
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool | complex)
    inside = real and low <= value <= high and not (open_above and value == high)
    if not inside:
        above = "below" if open_above else "at most"
        limit = f" and {above} {high}" if high < math.inf else ""
        raise ArgumentError(f"{name}: must be a number of at least {low}{limit}, got {value!r}.")
    return float(value)


def function(name: str, value: Any) -> Any:
    """None or something that can be called."""
    if value is not None and not callable(value):
        raise ArgumentError(f"{name}: must be callable, got {value!r}.")
    return value


def one_of(name: str, value: Any, options: Iterable[Any]) -> Any:
    """One of a few values."""
    allowed = list(options)
    if value not in allowed:
        raise ArgumentError(f"{name}: must be one of {allowed!r}, got {value!r}.")
    return value


def no_unknown(where: str, given: Iterable[str], known: Iterable[str]) -> None:
    """No keyword argument that does not exist; the error names the closest one that does."""
    for name in given:
        close = get_close_matches(name, list(known), n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise ArgumentError(f"{where} got an unexpected keyword argument {name!r}.{hint}")


def generator(seed: Any) -> np.random.Generator:
    """The one source of random numbers of a run."""
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            "seed: must be None, a non-negative integer, a SeedSequence, a BitGenerator or a "
            f"Generator, got {seed!r}."
        ) from error
