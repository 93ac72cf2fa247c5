"""Spaces as readable JSON, and parameters back from theirs."""

from __future__ import annotations

from typing import Any

import numpy as np

from geneticpy.errors import SpaceError
from geneticpy.jsonable import as_plain, is_plain, name_of, text_of
from geneticpy.space.frozen import is_frozen
from geneticpy.space.leaf import DistributionBase, Written
from geneticpy.space.nodes import Block, Constant, Dict, Leaf, Node, Options, Repeat, Sequence
from geneticpy.space.options import Listed

LONGEST = 100  # characters of a part of a space in an error


def describe(space: Any) -> Any:
    """Plain data that tells a space from others.

    Dicts and lists stay what they are, constants become what `as_plain` makes of them. A
    distribution is a dict of one key, its class after a ``$``, and a dict of its arguments.

    Examples
    --------
    >>> from geneticpy import UniformDistribution
    >>> describe({"x": UniformDistribution(0, 1), "name": "constant"})
    {'x': {'$UniformDistribution': {'low': 0, 'high': 1}}, 'name': 'constant'}
    """
    if isinstance(space, Written):
        return {f"${type(space).__name__}": describe(space.arguments())}
    if isinstance(space, DistributionBase):
        return {f"${name_of(type(space))}": as_plain(getattr(space, "__dict__", {}))}
    if is_frozen(space):
        law = getattr(space, "dist", space)
        given = {name: getattr(space, name) for name in ("args", "kwds") if hasattr(space, name)}
        return {f"$scipy.stats.{getattr(law, 'name', name_of(law))}": as_plain(given)}
    if isinstance(space, dict):
        return {text_of(key): describe(part) for key, part in space.items()}
    if isinstance(space, list | tuple):
        return [describe(part) for part in space]
    return as_plain(space)


def difference(one: Any, two: Any, path: str = "space") -> str:
    """Say where two described spaces differ first; empty if nowhere."""
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        one, two = dict(enumerate(one)), dict(enumerate(two))
    if not isinstance(one, dict) or not isinstance(two, dict) or _kind(one) != _kind(two):
        same = one == two and type(one) is type(two)
        return "" if same else f"{path}: {_short(one)} became {_short(two)}"
    for key in one | two:
        step = path if key == _kind(one) else f"{path}[{key!r}]"
        if key not in one or key not in two:
            return f"{step}, which {'is gone' if key in one else 'is new'}"
        found = difference(one[key], two[key], step)
        if found:
            return found
    return ""


def _kind(described: dict[Any, Any]) -> str:
    """Class of a described distribution; empty for dicts and lists."""
    key = next(iter(described), "")
    return key if isinstance(key, str) and key.startswith("$") else ""


def _short(described: Any) -> str:
    text = repr(described)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def holds_plain(node: Node) -> bool:
    """Whether JSON holds the parameters of a space as they are."""
    if isinstance(node, Constant):
        return is_plain(node.value)
    if isinstance(node, Leaf):
        distribution = node.distribution
        return not isinstance(distribution, Listed) or is_plain(distribution.options)
    if isinstance(node, Block):
        return is_plain(node.items)
    if isinstance(node, Dict):
        return is_plain(dict.fromkeys(node.nodes)) and all(map(holds_plain, node.nodes.values()))
    assert isinstance(node, Sequence | Options | Repeat)
    return all(map(holds_plain, node.nodes))


def revive(node: Node, value: Any, d: int) -> Any:
    """Make parameters of what JSON kept of them; what the space does not hold stays as it is.

    Parameters
    ----------
    node : Node
    value : plain data
    d : int
        Genes of the space.
    """
    if isinstance(node, Constant):
        return _like([node.value], value)
    if isinstance(node, Leaf):
        distribution = node.distribution
        return _like(distribution.options, value) if isinstance(distribution, Listed) else value
    if isinstance(node, Options):
        revived = ((part, revive(part, value, d)) for part in node.nodes)
        return next((found for part, found in revived if _fits(part, found, d)), value)
    if isinstance(node, Dict):
        named = {text_of(key): key for key in node.nodes}
        if not isinstance(value, dict) or value.keys() != named.keys():
            return value
        return {key: revive(node.nodes[key], value[name], d) for name, key in named.items()}
    if not isinstance(value, list):
        return value
    if isinstance(node, Block):
        return [_like(node.items, part) for part in value]
    assert isinstance(node, Sequence | Repeat)
    if len(value) > len(node.nodes):
        return value
    parts = [revive(part, item, d) for part, item in zip(node.nodes, value, strict=False)]
    return tuple(parts) if isinstance(node, Sequence) and node.kind is not list else parts


def _like(options: list[Any], value: Any) -> Any:
    """Find the option that JSON keeps as `value`; `value` itself if there is none."""
    alike = (option for option in options if _is_kept_as(as_plain(option), value))
    return next(alike, value)


def _is_kept_as(plain: Any, value: Any) -> bool:
    return type(plain) is type(value) and bool(plain == value)


def _fits(node: Node, value: Any, d: int) -> bool:
    try:
        node.encode(value, np.empty(d), "")
    except SpaceError:
        return False
    return True
