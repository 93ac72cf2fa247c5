"""What every leaf of a space is: a way from quantiles to values and back."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from geneticpy.errors import SpaceError

TINY = 2.0**-40  # quantiles of unbounded distributions stay this far from 0 and 1
LEAST_MASS = 2.0**-36  # of a level, so that every level can be told from its neighbours
MAX_TABLE = 4096  # levels of unequal mass that are tabulated; finer grids are rounded one by one


class Written:
    """What prints as its constructor call, and equals what prints alike.

    A subclass names in `_written` the arguments of its constructor, kept as attributes; those
    that are None are left out.
    """

    _written: tuple[str, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """Arguments of the constructor by name."""
        given = {name: getattr(self, name) for name in self._written}
        return {name: value for name, value in given.items() if value is not None}

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.arguments().items())
        return f"{type(self).__name__}({shown})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


class DistributionBase:
    """What users subclass to bring a distribution of their own, as in GeneticPy.

    A subclass defines `pull_value()` (one random value) and `pull_constrained_value(low, high)`
    (one between two others). When the space is compiled, 2,048 values are pulled once and the run
    searches among these, ordered when they are numbers; so a value is never invented. The draws
    come from the subclass's own random numbers: only the subclass can make them reproducible.

    Examples
    --------
    >>> class Even(DistributionBase):
    ...     def pull_value(self):
    ...         return 4
    ...     def pull_constrained_value(self, low, high):
    ...         return low
    >>> Even().pull_value()
    4
    """

    def pull_value(self) -> Any:
        """Draw one value."""
        raise NotImplementedError(f"{type(self).__name__} must define pull_value().")

    def pull_constrained_value(self, low: Any, high: Any) -> Any:
        """Draw one value between two others."""
        raise NotImplementedError(f"{type(self).__name__} must define pull_constrained_value().")


class Distribution(Written, DistributionBase, ABC):
    """One gene: a way from quantiles to values and back.

    Attributes
    ----------
    k : int
        Levels; 0 for a continuous one and for a grid too fine for a table.
    edges : (k + 1,) array or None
        Cumulative probabilities of the levels; None if they are equally likely.
    ordered : bool
        Whether neighbouring quantiles mean similar values.
    rounding : float
        Step of a grid that has no levels, whose quantiles `snap` makes canonical; 0 for none.
    """

    k: int = 0
    edges: np.ndarray | None = None
    ordered: bool = True
    rounding: float = 0.0

    @abstractmethod
    def values(self, u: np.ndarray) -> np.ndarray:
        """Values at quantiles `u`, of the same shape; `tolist()` gives the user's own values."""

    @abstractmethod
    def _locate(self, value: Any) -> float:
        """Quantile of a value, before the check that it leads back to the value."""

    def locate(self, value: Any) -> float:
        """Quantile of a value; SpaceError when the distribution cannot produce it."""
        u = self._locate(value)
        if self.k == 0:
            self._check_reach(value, u)
        return u

    def _check_reach(self, value: Any, u: float) -> None:
        """SpaceError for a value so far out in a tail that its quantile rounds to another's."""
        reached, low, high = self.values(np.array([u, 0.25, 0.75])).tolist()
        spread = self.rounding / 4 or 1e-6 * (abs(high - low) + abs(value))
        slack = max(spread, 1e-12 * abs(value))
        if not abs(reached - value) <= slack:
            raise SpaceError(
                f"must be a value that {self!r} can reach with a quantile of 1e-12 to 1 - 1e-12 "
                f"(the nearest is {reached!r}), got {value!r}."
            )

    def snap(self, u: np.ndarray) -> np.ndarray:
        """Canonical quantile of the value at `u`, for grids with `rounding`; idempotent."""
        position = self._position(u)
        middle = self._middle(position)
        # Where steps are finer than floats near 1, the middle may be that of a neighbour.
        return np.where(self._position(middle) == position, middle, u)

    def _position(self, u: np.ndarray) -> np.ndarray:
        """Place of quantiles on a grid with `rounding`."""
        raise NotImplementedError(f"{type(self).__name__} has levels or is continuous.")

    def _middle(self, position: np.ndarray) -> np.ndarray:
        """Middle of the probability of a place on the grid."""
        raise NotImplementedError(f"{type(self).__name__} has levels or is continuous.")

    def level(self, u: np.ndarray) -> np.ndarray:
        """Level of quantiles."""
        if self.edges is None:
            return np.minimum((u * self.k).astype(np.int64), self.k - 1)
        return np.clip(np.searchsorted(self.edges, u, side="right") - 1, 0, self.k - 1)

    def centre(self, level: int) -> float:
        """Quantile in the middle of a level."""
        if self.edges is None:
            return (level + 0.5) / self.k
        return float(self.edges[level] + self.edges[level + 1]) / 2

    def pull_value(self, rng: np.random.Generator | None = None) -> Any:
        """Draw one value.

        Parameters
        ----------
        rng : numpy.random.Generator, optional
            Without one, a fresh unseeded generator; the global ones are never touched.
        """
        rng = np.random.default_rng() if rng is None else rng
        return self.values(rng.random(1)).tolist()[0]

    def pull_constrained_value(
        self, low: Any, high: Any, rng: np.random.Generator | None = None
    ) -> Any:
        """Draw one value between two others, in either order; one of the two if unordered.

        Parameters
        ----------
        low, high : object
            Values of the distribution, both included.
        rng : numpy.random.Generator, optional
            As for `pull_value`.

        Raises
        ------
        SpaceError
            If the distribution cannot produce one of the two.
        """
        rng = np.random.default_rng() if rng is None else rng
        try:
            ends = sorted(self._span(self.locate(value)) for value in (low, high))
        except SpaceError as error:
            raise SpaceError(f"{self!r}: {error}") from None
        if not self.ordered:
            return (low, high)[rng.integers(2)]
        return self.values(np.array([rng.uniform(ends[0][0], ends[1][1])])).tolist()[0]

    def _span(self, u: float) -> tuple[float, float]:
        """Quantiles between which the value is that at `u`."""
        if not self.k:
            return u, u
        level = int(self.level(np.array([u]))[0])
        if self.edges is None:
            return level / self.k, (level + 1) / self.k
        return float(self.edges[level]), float(self.edges[level + 1])


def edges_of(mass: np.ndarray) -> np.ndarray | None:
    """(k + 1,) cumulative probabilities of (k,) levels; None if all are equally likely."""
    mass = np.maximum(mass, LEAST_MASS)
    if np.ptp(mass) < 1e-12:
        return None
    edges = np.concatenate([[0.0], np.cumsum(mass / mass.sum())])
    edges[-1] = 1.0
    return edges


def is_real(value: Any) -> bool:
    """Whether a value is an integer or a float (True and False are integers)."""
    return isinstance(value, int | float | np.integer | np.floating)


def plain(value: Any) -> Any:
    """Python's own number for a numpy scalar; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def as_number(value: Any) -> int | float:
    """Python's own number; SpaceError unless it is finite."""
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int | float) or not _is_finite(number):
        raise SpaceError(f"must be a finite number, got {value!r}.")
    return number


def _is_finite(number: int | float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer beyond the floats
        return False
