"""What a run has found, as text and as JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from geneticpy.run.history import flattened
from geneticpy.run.result import OptimizeResult

DIGITS = re.compile(r"[-+]?\d[\d.]*(?:e[-+]?\d+)?", re.IGNORECASE)
GROUPS = 5  # reasons of failures that are shown


class Group(NamedTuple):
    """Failed evaluations whose reasons differ in numbers only."""

    size: int
    first: int  # id of the first of them
    reason: str  # of the first


def grouped(failures: Iterable[tuple[int, str]]) -> list[Group]:
    """Group failed evaluations, given as ids and reasons; the largest group first.

    Examples
    --------
    >>> grouped([(3, "no memory at 1e9"), (5, "no loss"), (8, "no memory at 2e9")])
    [Group(size=2, first=3, reason='no memory at 1e9'), Group(size=1, first=5, reason='no loss')]
    """
    alike: dict[str, list[tuple[int, str]]] = {}
    for failure in failures:
        alike.setdefault(DIGITS.sub("#", failure[1]), []).append(failure)
    groups = [Group(len(rows), *rows[0]) for rows in alike.values()]
    return sorted(groups, key=lambda group: -group.size)


def lines_of_failures(groups: list[Group]) -> list[str]:
    """One line a group, the largest only."""
    lines = [f"{group.size} x {group.reason} (first: id {group.first})" for group in groups]
    left = sum(group.size for group in groups[GROUPS:])
    return lines[:GROUPS] + ([f"{left} x for other reasons"] if left else [])


def lines_of_point(loss: float, params: Any) -> list[str]:
    r"""Loss and parameters, a line each, in two columns.

    Examples
    --------
    >>> print(*lines_of_point(0.25, {"rate": 0.1, "layers": [{"units": 8}]}), sep="\n")
    loss            0.25
    rate            0.1
    layers.0.units  8
    """
    values = flattened(params)
    return table([("loss", loss), *((name or "value", value) for name, value in values.items())])


def table(entries: Iterable[tuple[str, Any]]) -> list[str]:
    """Names and values in two columns."""
    rows = list(entries)
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}}  {shown(value)}" for name, value in rows]


def shown(value: Any) -> str:
    """Write a value on one line: text as it is if that is possible, else JSON."""
    if isinstance(value, str) and value.isprintable():
        return value
    return json.dumps(value, default=str)


def as_json(value: Any) -> str:
    """One line of JSON; numbers that are not finite become null, which all readers know."""
    return json.dumps(_finite(value), default=str, allow_nan=False)


def json_of_result(result: OptimizeResult) -> dict[str, Any]:
    """Make the object that ``tune --json`` prints."""
    return {
        "loss": result.loss,
        "params": result.best_params,
        "evaluations": result.evaluations,
        "failed": len(result.failures),
        "generations": result.generations,
        "seconds": result.total_time,
        "message": result.message,
        "strategy": result.strategy,
    }


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _finite(part) for key, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value
