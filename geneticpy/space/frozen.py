"""Frozen scipy.stats distributions as leaves."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from geneticpy.errors import SpaceError
from geneticpy.space.leaf import MAX_TABLE, TINY, Distribution, as_number, edges_of

MOST_SUMMED = 2**20  # masses that scipy may have to add up for one quantile: 8 MB, some 50 ms


class FrozenDistribution(Distribution):
    """A frozen scipy.stats distribution as a leaf; users put the scipy object into the space.

    Parameters
    ----------
    frozen : object
        With `cdf`, and `ppf` or `icdf`.

    Raises
    ------
    SpaceError
        If it has no quantiles, one of them is not finite, or scipy adds up too many masses to
        find one.
    """

    def __init__(self, frozen: Any):
        self.frozen = frozen
        if not (hasattr(frozen, "ppf") or hasattr(frozen, "icdf")) or not hasattr(frozen, "cdf"):
            raise SpaceError(f"must have ppf (or icdf) and cdf to be searched, got {self!r}.")
        self._check_sums()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scipy may give up digits that far out
            probe = self._ppf(np.array([[TINY], [0.5], [1 - TINY]]))
        if probe.shape != (3, 1) or not np.isfinite(probe).all():
            raise SpaceError(f"{self!r}: quantiles must be finite numbers, got {probe.tolist()}.")
        self._whole = False
        if is_discrete(frozen):
            self._make_levels(*probe.ravel().tolist())

    def _check_sums(self) -> None:
        """SpaceError for a heavy tail without a closed form, whose quantiles would fill memory."""
        if not _adds_up(self.frozen):
            return
        start = self.frozen.support()[0]
        left = np.max(1 - self._cdf(start + MOST_SUMMED))
        if left > TINY:
            raise SpaceError(
                f"{self!r}: {MOST_SUMMED} values must have all but {TINY:.2g} of the mass, since "
                f"scipy adds up their masses one by one, got {left:.2g} beyond them."
            )

    def _make_levels(self, lowest: float, median: float, highest: float) -> None:
        """Make levels of the values that have any mass, unless they are too many."""
        law = getattr(self.frozen, "dist", self.frozen)
        if hasattr(law, "xk"):  # a table of values, which need not be integers
            grid, mass = law.xk + (median - law.ppf(0.5)), np.asarray(law.pk, float)
        elif highest - lowest < MAX_TABLE:
            grid = lowest + np.arange(round(highest - lowest) + 1)
            mass = np.diff(self._cdf(grid[:-1]), prepend=0.0, append=1.0)
        else:
            self.rounding = 1.0
            self._whole = lowest.is_integer() and max(-lowest, highest) < 2**62
            return
        self._grid = grid[mass > 0]
        if (self._grid == np.rint(self._grid)).all():
            self._grid = self._grid.astype(np.int64)
        self.k = len(self._grid)
        self.edges = edges_of(mass[mass > 0])

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        quantile = self.frozen.ppf if hasattr(self.frozen, "ppf") else self.frozen.icdf
        return np.asarray(quantile(u), float)

    def _cdf(self, x: Any) -> np.ndarray:
        return np.asarray(self.frozen.cdf(x), float)

    def values(self, u: np.ndarray) -> np.ndarray:
        if self.k:
            return self._grid[self.level(u)]
        x = self._position(u)
        return x.astype(np.int64) if self._whole else x

    def _position(self, u: np.ndarray) -> np.ndarray:
        return self._ppf(np.clip(u, TINY, 1 - TINY))

    def _middle(self, position: np.ndarray) -> np.ndarray:
        return (self._cdf(position - 1) + self._cdf(position)) / 2

    def _locate(self, value: Any) -> float:
        number = as_number(value)
        if self.k:
            level = np.flatnonzero(self._grid == number)
            if not len(level):
                raise SpaceError(f"must be a value of {self!r}, got {value!r}.")
            return self.centre(int(level[0]))
        x = np.array(float(number))
        return float(self._middle(x) if self.rounding else self._cdf(x))

    def __repr__(self) -> str:
        law: Any = getattr(self.frozen, "dist", None)
        if not hasattr(law, "name"):
            return repr(self.frozen)
        arguments = [repr(value) for value in self.frozen.args]
        arguments += [f"{name}={value!r}" for name, value in self.frozen.kwds.items()]
        return f"scipy.stats.{law.name}({', '.join(arguments)})"


def is_frozen(leaf: Any) -> bool:
    """Whether an object is a scipy.stats distribution; scipy need not be loaded to ask."""
    if isinstance(leaf, type):
        return False
    if type(leaf).__module__.startswith("scipy.stats"):
        return hasattr(leaf, "cdf") or hasattr(leaf, "rvs")
    return hasattr(leaf, "cdf") and hasattr(leaf, "ppf")


def is_discrete(frozen: Any) -> bool:
    """Whether a scipy.stats distribution, of the old or the new kind, has a mass function."""
    kinds = {kind.__name__ for kind in type(getattr(frozen, "dist", frozen)).__mro__}
    return bool(kinds & {"rv_discrete", "DiscreteDistribution"})


def _adds_up(frozen: Any) -> bool:
    """Whether scipy knows only the mass function of a distribution."""
    if not is_discrete(frozen) or not hasattr(frozen, "dist"):
        return False
    from scipy.stats import rv_discrete

    return type(frozen.dist)._cdf is rv_discrete._cdf
