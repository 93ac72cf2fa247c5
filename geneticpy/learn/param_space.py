"""From `param_distributions` to a space, and from its points to what `set_params` receives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from geneticpy.errors import SpaceError
from geneticpy.learn.steps import STEP, assemble
from geneticpy.space.distributions import ChoiceDistribution, DistributionBase
from geneticpy.space.frozen import is_frozen
from geneticpy.space.leaf import Distribution
from geneticpy.space.options import PulledDistribution, listed
from geneticpy.space.structures import (
    ListDistribution,
    PermutationDistribution,
    SubsetDistribution,
)

SEARCHED = (DistributionBase, ListDistribution, PermutationDistribution, SubsetDistribution)
Point = dict[str, Any]


class ParamSpace:
    """What `param_distributions` means for one estimator.

    Parameters
    ----------
    param_distributions : dict or list of dicts
        By name of a parameter: a list, tuple or array of values; a distribution of this package;
        a scipy.stats distribution, or any object with `rvs`; a dict whose values are searched;
        or a constant. Of a list of dicts one is chosen.
    estimator : estimator
    seed : int
        For objects that can only be drawn from.

    Attributes
    ----------
    space : nested data
        As for Optimizer.

    Notes
    -----
    An option of a choice is merged into the candidate if it is a dict that holds the parameter
    itself or parameters of it: ``{"clf": Choice([{"clf": SVC(), "clf__C": ...}, ...])}``. So is
    the option of a name that is no parameter of the estimator.
    """

    def __init__(self, param_distributions: Any, estimator: Any, seed: int = 0):
        self.own = estimator.get_params(deep=True)
        self._seed = seed
        self._exact: dict[Any, Point] = {}
        self.space = self._root(param_distributions)

    def _root(self, given: Any) -> Any:
        dicts = [given] if isinstance(given, Mapping) else given
        if not isinstance(dicts, list | tuple) or not dicts:
            raise SpaceError(
                f"param_distributions: must be a dict or a list of dicts, got {given!r}."
            )
        for part in dicts:
            if not isinstance(part, Mapping):
                raise SpaceError(f"param_distributions: must hold dicts only, got {part!r}.")
            for name in part:
                if not isinstance(name, str):
                    raise SpaceError(f"param_distributions: names must be text, got {name!r}.")
        groups = [self._group(part) for part in dicts]
        return groups[0] if len(groups) == 1 else ChoiceDistribution(groups)

    def _group(self, params: Mapping[str, Any]) -> Point:
        """Space of parameters by name."""
        return {name: self._part(name, value) for name, value in params.items()}

    def _part(self, name: str, value: Any) -> Any:
        if isinstance(value, ChoiceDistribution):
            return self._converted(name, value)
        if self.merges(name, value):
            return self._group(value)
        if isinstance(value, ListDistribution):
            return ListDistribution(self._element(value.element), value.min_size, value.max_size)
        if isinstance(value, DistributionBase) and not isinstance(value, Distribution):
            return PulledDistribution(value)  # its values are drawn here, once
        if isinstance(value, SEARCHED) or is_frozen(value) or isinstance(value, Mapping):
            return value
        if hasattr(value, "rvs"):
            return PulledDistribution(Drawn(value, self._seed))
        if is_constant(value):
            return value
        return self._choice(name, value)

    def _converted(self, name: str, choice: ChoiceDistribution) -> ChoiceDistribution:
        """Choose among the same options, the lists in those that are merged being choices."""
        if not any(self.merges(name, option) for option in choice.choice_list):
            return choice
        options = [self._option(name, option) for option in choice.choice_list]
        return ChoiceDistribution(options, choice.probabilities, ordered=choice.ordered)

    def _element(self, element: Any) -> Any:
        """Space of an item of a list: steps may have lists of values, as candidates do."""
        if isinstance(element, Mapping):
            return self._group(element) if STEP in element else element
        steps = isinstance(element, ChoiceDistribution) and any(
            isinstance(option, Mapping) and STEP in option for option in element.choice_list
        )
        return self._converted(STEP, element) if steps else element

    def _choice(self, name: str, values: Iterable[Any]) -> ChoiceDistribution:
        """Choose among listed values; numbers in order are searched along the order."""
        given = values.tolist() if isinstance(values, np.ndarray) else values
        options = listed(f"param_distributions[{name!r}]", "values", given)
        return ChoiceDistribution(
            [self._option(name, option) for option in options], ordered=is_graded(options)
        )

    def _option(self, name: str, option: Any) -> Any:
        return self._group(option) if self.merges(name, option) else option

    def merges(self, name: str, value: Any) -> bool:
        """Whether a dict stands for several parameters instead of being a value."""
        if not isinstance(value, Mapping) or not value:
            return False
        if not all(isinstance(key, str) for key in value):
            return False
        is_label = "__" not in name and name not in self.own
        return is_label or name in value or all(key.startswith(f"{name}__") for key in value)

    def candidate(self, point: Point) -> Point:
        """Make what `set_params` receives for a point of the space."""
        flat = self.flat(point)
        found = {name: self._assembled(name, value) for name, value in flat.items()}
        exact = self._exact.get(identity(flat), {}) if self._exact else {}
        return found | {name: exact[name] for name in exact if name in found}

    def note(self, point: Point, settings: Point) -> None:
        """Remember the settings that a point stands for: 1.0 is not 0.9999999999999987."""
        exact = {name: value for name, value in settings.items() if isinstance(value, float)}
        if exact:
            self._exact[identity(self.flat(point))] = exact

    def _assembled(self, name: str, value: Any) -> Any:
        return assemble(name, value, self.own.get(name))

    def flat(self, point: Point) -> Point:
        """Parameters of a point, those of options merged into it."""
        found: Point = {}
        for name, value in point.items():
            found.update(self.flat(value) if self.merges(name, value) else {name: value})
        return found


class Drawn(DistributionBase):
    """An object that can only be drawn from, by ``rvs(random_state=...)``."""

    def __init__(self, source: Any, seed: int):
        self.source = source
        self._random = check_random_state(seed)  # what scikit-learn passes to `rvs`

    def pull_value(self) -> Any:
        return self.source.rvs(random_state=self._random)


def is_constant(value: Any) -> bool:
    """Whether a value stands for itself: estimators and texts, though some can be iterated."""
    if isinstance(value, str | bytes) or hasattr(value, "get_params"):
        return True
    return not isinstance(value, Iterable)


def is_graded(values: list[Any]) -> bool:
    """Whether values are at least three numbers that rise or fall."""
    plain = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if not plain or len(values) < 3:
        return False
    return all(a < b for a, b in pairwise(values)) or all(a > b for a, b in pairwise(values))


def identity(value: Any) -> Any:
    """Hashable that is equal for equal points: objects of the space are known by their id."""
    if isinstance(value, Mapping):
        return tuple(sorted(((repr(key), identity(part)) for key, part in value.items())))
    if isinstance(value, list | tuple):
        return (type(value), *map(identity, value))
    if isinstance(value, float):
        return ("float", f"{value:.12g}")  # quantiles and values are rounded on their way
    if value is None or isinstance(value, bool | int | str):
        return (type(value).__name__, value)
    return ("object", id(value))
