"""Leaves that list their values: choices, and the distributions that users bring."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from geneticpy.checks import is_flag
from geneticpy.errors import SpaceError
from geneticpy.space.leaf import Distribution, DistributionBase, edges_of, is_real, plain

PULLS = 2048  # values drawn once from a user's own distribution


class Listed(Distribution):
    """A leaf with a list of options, one a level."""

    options: list[Any]

    def _list(self, options: list[Any], mass: np.ndarray) -> None:
        self.options = options
        self.k = len(options)
        self.edges = edges_of(mass)
        self._table = table_of(options)

    def values(self, u: np.ndarray) -> np.ndarray:
        return self._table[self.level(u)]

    def _locate(self, value: Any) -> float:
        fitting = [level for level, option in enumerate(self.options) if same(option, value)]
        if not fitting:
            raise SpaceError(f"must be one of {self.options!r}, got {value!r}.")
        typed = [level for level in fitting if type(self.options[level]) is type(value)]
        return self.centre((typed or fitting)[0])  # 1 and 1.0 may both be there


class ChoiceDistribution(Listed):
    """One of several options, which may be any objects and may carry parameters of their own.

    Parameters
    ----------
    choice_list : iterable
        Options. One that contains distributions (``{"name": "sgd", "momentum":
        UniformDistribution(0, 1)}``) is a part of the space that is searched while it is chosen.
        The others reach the loss as they are. Not a set: its order changes from run to run.
    probabilities : "uniform" or sequence of float, default "uniform"
        How often each option is drawn at first: not negative, summing to 1.
    ordered : bool, default False
        Whether neighbours in the list are similar (small, medium, large): then the search also
        takes small steps along the list.

    Raises
    ------
    SpaceError
        For an empty list, probabilities that do not fit it, or an `ordered` that is no bool.

    Notes
    -----
    Options that are equal and of one type are one, with their probabilities added up. Values that
    two options can give (``[UniformDistribution(0, 9, q=1), 3]``) are two points; a known point is
    taken for the first option that it fits.

    Examples
    --------
    >>> ChoiceDistribution(["relu", "tanh"])
    ChoiceDistribution(choice_list=['relu', 'tanh'])
    """

    _written = ("choice_list", "probabilities", "ordered")

    def __init__(
        self,
        choice_list: Iterable[Any],
        probabilities: str | Sequence[float] = "uniform",
        ordered: bool = False,
    ):
        self.choice_list = listed("ChoiceDistribution", "choice_list", choice_list)
        self.probabilities = probabilities
        options, mass = _distinct(self.choice_list, _masses(probabilities, len(self.choice_list)))
        drawn = [option for option, p in zip(options, mass, strict=True) if p > 0]
        self._list(drawn, mass[mass > 0])
        if not is_flag(ordered):
            raise SpaceError(
                f"ChoiceDistribution: ordered must be True or False, got {ordered!r}."
            )
        self._given_order = bool(ordered)
        self.ordered = self._given_order or self.k == 2

    def __repr__(self) -> str:
        shown = f"choice_list={self.choice_list!r}"
        if not isinstance(self.probabilities, str):
            shown += f", probabilities={np.asarray(self.probabilities, float).tolist()!r}"
        if self._given_order:
            shown += ", ordered=True"
        return f"ChoiceDistribution({shown})"


class PulledDistribution(Listed):
    """A user's subclass of DistributionBase as a leaf: the values it gave when pulled.

    Parameters
    ----------
    source : DistributionBase
        Pulled 2,048 times; how often a value came is its probability.
    """

    def __init__(self, source: DistributionBase):
        self.source = source
        pulled = [source.pull_value() for _ in range(PULLS)]
        self.ordered = all(is_real(value) for value in pulled)
        values = sorted(pulled) if self.ordered else pulled
        self._list(*_distinct(values, np.full(PULLS, 1 / PULLS)))

    def _locate(self, value: Any) -> float:
        try:
            return super()._locate(value)
        except SpaceError:
            if self.ordered and is_real(value) and self.options[0] <= value <= self.options[-1]:
                distance = [abs(option - value) for option in self.options]
                return self.centre(int(np.argmin(distance)))
        raise SpaceError(f"must be a value that {self!r} gave, got {value!r}.")

    def __repr__(self) -> str:
        return repr(self.source)


def listed(where: str, name: str, items: Any) -> list[Any]:
    """List of the items that a user gave; of Python's own values if they were an array."""
    if isinstance(items, str | bytes | set | frozenset) or not isinstance(items, Iterable):
        raise SpaceError(f"{where}: {name} must be a list (in a fixed order), got {items!r}.")
    found = items.tolist() if isinstance(items, np.ndarray) and items.ndim < 2 else list(items)
    if not isinstance(found, list) or not found:
        raise SpaceError(f"{where}: {name} must be a list of at least one, got {items!r}.")
    return found


def table_of(options: Sequence[Any]) -> np.ndarray:
    """(k,) array of options whose `tolist()` gives them back with their types.

    Typed for plain bools, ints and floats, which vectorized losses compute with; objects else.
    """
    kinds = {type(option) for option in options}
    if kinds in ({bool}, {float}):
        return np.array(options)
    if kinds == {int} and all(abs(option) < 2**63 for option in options):
        return np.array(options, np.int64)
    table = np.empty(len(options), object)
    for i, option in enumerate(options):  # all at once, numpy would unpack sequences
        table[i] = option
    return table


def same(one: Any, two: Any) -> bool:
    """Whether two values are the same for the user: identical, or of one type and equal."""
    if one is two:
        return True
    one, two = plain(one), plain(two)
    numbers = is_real(one) and is_real(two) and isinstance(one, bool) == isinstance(two, bool)
    if type(one) is not type(two) and not numbers:
        return False
    try:
        if numbers and one != one:
            return two != two  # NaN
        equal = one == two
        if isinstance(equal, bool):
            return equal
        return bool(np.all(equal)) and np.shape(one) == np.shape(two)
    except Exception:  # objects of the user may refuse to be compared or to have a truth value
        return False


def _distinct(values: list[Any], mass: np.ndarray) -> tuple[list[Any], np.ndarray]:
    """Different values in order of appearance, with the probabilities of equal ones added up."""
    options: list[Any] = []
    total: list[float] = []
    alike: dict[Any, list[int]] = {}  # numbers of the options that may equal a value
    for value, share in zip(values, mass.tolist(), strict=True):
        group = alike.setdefault(_hashable(value), [])
        known = next((i for i in group if _identical(options[i], value)), None)
        if known is None:
            group.append(len(options))
            options.append(value)
            total.append(share)
        else:
            total[known] += share
    return options, np.array(total)


def _identical(one: Any, two: Any) -> bool:
    """Whether two values are the same and of one type: 1 and 1.0 may mean different things."""
    return type(one) is type(two) and same(one, two)


def _hashable(value: Any) -> Any:
    """Return what equal values share: themselves, or their text if they cannot be hashed."""
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def _masses(probabilities: str | Sequence[float], k: int) -> np.ndarray:
    """(k,) checked probabilities of the options of a choice."""
    if isinstance(probabilities, str) and probabilities == "uniform":
        return np.full(k, 1 / k)
    try:
        p = np.asarray(probabilities, float)
    except (TypeError, ValueError, OverflowError):
        raise _bad_masses(f'must be "uniform" or {k} numbers', probabilities) from None
    if p.shape != (k,):
        raise _bad_masses(f"must be one for each of {k} options", probabilities)
    if not (np.isfinite(p).all() and (p >= 0).all()):
        raise _bad_masses("must be finite and not negative", probabilities)
    if abs(p.sum() - 1) > 1e-6:
        raise _bad_masses("must sum to 1", probabilities)
    return p


def _bad_masses(rule: str, probabilities: Any) -> SpaceError:
    return SpaceError(f"ChoiceDistribution: probabilities {rule}, got {probabilities!r}.")
