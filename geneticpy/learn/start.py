"""The first candidates: an estimator's own settings, or those that the user gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geneticpy.errors import SpaceError
from geneticpy.learn.param_space import ParamSpace
from geneticpy.space.encoding import Encoding
from geneticpy.space.nodes import Constant, Dict, Leaf, Node, Options
from geneticpy.space.options import ChoiceDistribution, same

_MISSING = object()


class Start:
    """Points of a space from parameters as `set_params` takes them.

    Parameters
    ----------
    params : ParamSpace

    Notes
    -----
    A parameter that has no value, or one outside the space, is put at the median of its
    distribution.
    """

    def __init__(self, params: ParamSpace):
        self._params = params
        self._encoding = Encoding(params.space)

    def own(self) -> list[Any]:
        """Make the point of the estimator's own settings; none if the space has none of them."""
        point, placed = self._place(self._params.own)
        return [point] if placed else []

    def given(self, points: Any) -> list[Any]:
        """Points that a user gave, completed by the estimator's own settings.

        Raises
        ------
        SpaceError
            For a parameter that is not searched, or a value outside the space.
        """
        if not isinstance(points, Sequence) or isinstance(points, str):
            raise SpaceError(f"initial: must be a list of dicts of parameters, got {points!r}.")
        return [self._given(i, point) for i, point in enumerate(points)]

    def _given(self, i: int, settings: Any) -> Any:
        if not isinstance(settings, Mapping):
            raise SpaceError(f"initial[{i}]: must be a dict of parameters, got {settings!r}.")
        point, placed = self._place({**self._params.own, **settings})
        reached = self._params.flat(point)
        for name, value in settings.items():
            if name not in placed and not alike(reached.get(name, _MISSING), value):
                raise SpaceError(f"initial[{i}][{name!r}]: must lie in the space, got {value!r}.")
        return point

    def _place(self, settings: Mapping[str, Any]) -> tuple[Any, set[str]]:
        """Find the point nearest to settings, and the parameters that lie in the space."""
        genes = np.full(self._encoding.genome.d, 0.5)
        placed = _place(self._encoding.tree, "", settings, genes)
        point = self._encoding.decode(self._encoding.genome.snap(genes[None]))[0]
        self._params.note(point, {name: settings[name] for name in placed})
        return point, placed


def _place(node: Node, name: str, settings: Mapping[str, Any], genes: np.ndarray) -> set[str]:
    """Write the genes of the settings that fit a part of the space; returns their names."""
    if isinstance(node, Dict) and _is_group(node, name, settings):
        return _place_group(node, settings, genes)
    if isinstance(node, Options):
        return _place_option(node, name, settings, genes)
    if isinstance(node, Constant) or name not in settings:
        return set()
    trial = genes.copy()
    try:
        _encode(node, settings[name], trial)
    except SpaceError:
        return set()
    genes[:] = trial
    return {name}


def _is_group(node: Dict, name: str, settings: Mapping[str, Any]) -> bool:
    """Whether a dict holds several parameters instead of being the value of one."""
    return name not in settings or name in node.nodes


def _place_group(node: Dict, settings: Mapping[str, Any], genes: np.ndarray) -> set[str]:
    placed: set[str] = set()
    for key, part in node.nodes.items():
        placed |= _place(part, key, settings, genes)
    return placed


def _place_option(
    node: Options, name: str, settings: Mapping[str, Any], genes: np.ndarray
) -> set[str]:
    """Take the option that most of the settings fit."""
    best, chosen, written = -1, set[str](), genes
    for level, option in enumerate(node.nodes):
        trial = genes.copy()
        trial[node.column] = node.index.centre(level)
        placed = _place_in_option(option, name, settings, trial)
        if placed is not None and len(placed) > best:
            best, chosen, written = len(placed), placed, trial
    genes[:] = written
    return chosen


def _place_in_option(
    option: Node, name: str, settings: Mapping[str, Any], genes: np.ndarray
) -> set[str] | None:
    """Names of the settings that fit an option; None if they contradict it."""
    if isinstance(option, Constant):
        fixed = option.value if isinstance(option.value, dict) else {name: option.value}
        agreeing = {key for key in fixed if alike(fixed[key], settings.get(key, _MISSING))}
        return agreeing or None
    if not isinstance(option, Dict):
        return _place(option, name, settings, genes) or None
    kind = option.nodes.get(name)
    if not isinstance(kind, Constant):
        return _place_group(option, settings, genes) or None
    if type(kind.value) is not type(settings.get(name)):
        return None
    return {name} | _place_group(option, settings, genes)


def _encode(node: Node, value: Any, genes: np.ndarray) -> None:
    """Write the genes of one value; an estimator equals one of its kind with its settings."""
    if isinstance(node, Leaf) and isinstance(node.distribution, ChoiceDistribution):
        options = node.distribution.options
        value = next((option for option in options if alike(option, value)), value)
    node.encode(value, genes, "")


def alike(one: Any, two: Any) -> bool:
    """Whether two values set an estimator up in the same way."""
    if hasattr(one, "get_params") and hasattr(two, "get_params"):
        return type(one) is type(two) and repr(one) == repr(two)
    return same(one, two)
