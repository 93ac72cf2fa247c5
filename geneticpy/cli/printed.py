"""The loss in what a program has printed."""

from __future__ import annotations

import re

from geneticpy.errors import ArgumentError

COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Not in a word (epoch10, 12.3s, v1.2.3) and not the rest of another number (the 3 of 1e-3).
NUMBER = re.compile(
    r"(?<![\w.])[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|nan|inf(?:inity)?)(?!\.?\w)",
    re.IGNORECASE | re.ASCII,
)


def last_number(text: str) -> float | None:
    """Find the last number in a text; None without any.

    Examples
    --------
    >>> last_number("epoch 10, loss -1.5e-3 (12.3s)")
    -0.0015
    >>> last_number("no loss") is None
    True
    """
    found = NUMBER.findall(COLOUR.sub("", text))
    return float(found[-1]) if found else None


def last_match(pattern: re.Pattern[str], text: str) -> float | None:
    """Find the number in the group of the last match of a pattern; None without any.

    Raises
    ------
    ValueError
        If the group holds no number.
    """
    found = pattern.findall(COLOUR.sub("", text))
    return float(found[-1]) if found else None


def compiled(pattern: str) -> re.Pattern[str]:
    """Check a pattern; ArgumentError unless it is a regular expression with one group."""
    try:
        found = re.compile(pattern, re.MULTILINE)
    except re.error as error:
        raise ArgumentError(
            f"--loss-pattern: must be a regular expression, got {pattern!r}: {error}."
        ) from None
    if found.groups != 1:
        raise ArgumentError(
            f"--loss-pattern: must have one group, as in 'loss=(\\S+)', got {pattern!r}."
        )
    return found
