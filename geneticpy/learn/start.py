"""The first candidates: an estimator's own settings, or those that the user gives."""

from __future__ import annotations

import math
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
    """Take the option that contradicts the fewest settings, and of these fits the most."""
    best, chosen, written = (-math.inf, 0), set[str](), genes
    for level, option in enumerate(node.nodes):
        trial = genes.copy()
        trial[node.column] = node.index.centre(level)
        placed = _place_in_option(option, name, settings, trial)
        fit = (-_contradictions(option, settings), len(placed))
        if placed and fit > best:
            best, chosen, written = fit, placed, trial
    genes[:] = written
    return chosen


def _place_in_option(
    option: Node, name: str, settings: Mapping[str, Any], genes: np.ndarray
) -> set[str]:
    """Names of the settings that fit an option; none if it is about another estimator."""
    if isinstance(option, Dict):
        fixed = _constants(option)
        if any(_other_kind(fixed[key], settings.get(key)) for key in fixed):
            return set()
        if name in fixed and not _agree(fixed[name], settings.get(name, _MISSING)):
            return set()
        return _agreeing(fixed, settings) | _place_group(option, settings, genes)
    if isinstance(option, Constant):
        whole = option.value if isinstance(option.value, dict) else {name: option.value}
        return {key for key in whole if alike(whole[key], settings.get(key, _MISSING))}
    return _place(option, name, settings, genes)


def _constants(option: Dict) -> dict[str, Any]:
    return {key: part.value for key, part in option.nodes.items() if isinstance(part, Constant)}


def _agreeing(fixed: Mapping[str, Any], settings: Mapping[str, Any]) -> set[str]:
    return {key for key in fixed if _agree(fixed[key], settings.get(key, _MISSING))}


def _contradictions(option: Node, settings: Mapping[str, Any]) -> int:
    """How many constants of an option differ from the settings."""
    fixed = _constants(option) if isinstance(option, Dict) else {}
    return len(fixed.keys() & settings.keys()) - len(_agreeing(fixed, settings))


def _agree(value: Any, own: Any) -> bool:
    """Whether a constant is as the setting; of estimators the kind counts."""
    return type(value) is type(own) if hasattr(value, "get_params") else alike(value, own)


def _other_kind(value: Any, own: Any) -> bool:
    """Whether an option brings an estimator of another kind than the setting."""
    return hasattr(value, "get_params") and hasattr(own, "get_params") and not _agree(value, own)


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
