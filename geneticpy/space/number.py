"""A number with optional bounds and step."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from typing import Any

import numpy as np

from geneticpy.errors import SpaceError
from geneticpy.space.grid import Grid, exact
from geneticpy.space.leaf import MAX_TABLE, TINY, Distribution, as_number, edges_of, plain

MAX_LEVELS = 2**50  # beyond, a float quantile cannot tell neighbouring levels apart
LARGEST = sys.float_info.max


class Number(Distribution):
    """What the numeric distributions share: truncation, grid and rounding in one place.

    Subclasses keep their arguments by `_keep`, call `_prepare` and define `_ppf` and `_cdf` of the
    law between `_bounds`: those of the user, with a step half a step beyond its multiples.
    """

    low: Any
    high: Any
    q: Any
    _equal_mass = False  # whether all multiples of q are equally likely

    def _keep(self, **arguments: Any) -> None:
        for name, value in arguments.items():
            setattr(self, name, plain(value))

    def _prepare(self, support: tuple[float, float] = (-math.inf, math.inf)) -> None:
        self._support = support
        self._check_bounds()
        low = support[0] if self.low is None else max(self.low, support[0])
        high = support[1] if self.high is None else min(self.high, support[1])
        self._bounds = (float(low), float(high))
        self._limits = (low, high)  # as written: integers beyond 2**53 keep all their digits
        self._grid: Grid | None = None
        if self.q is not None:
            self._check_step()
            self._grid = self._checked_grid()
            self._make_levels(self._grid)

    def _checked_grid(self) -> Grid:
        try:
            grid = self._lay_grid(exact(self.q))
            counted = self._equal_mass and grid.whole  # by integers, exact at any size
            if grid.count <= MAX_LEVELS and (counted or max(-grid.first, grid.last) <= 2**53):
                return grid
        except (OverflowError, ValueError):  # a value of the law is infinite or not a number
            pass
        raise SpaceError(
            f"{self!r}: floats must be able to tell the steps of q apart, "
            f"got q={self.q!r}, low={self.low!r}, high={self.high!r}."
        )

    def _lay_grid(self, step: Fraction) -> Grid:
        """Lay the multiples of q over the range; `_bounds` give the ends their full mass."""
        low, high = self._limits
        half = float(step) / 2
        first = last = 0
        if math.isfinite(low):
            first = math.ceil(exact(low) / step)
            low = max(float(first * step) - half, self._support[0])
        if math.isfinite(high):
            last = math.floor(exact(high) / step)
            high = min(float(last * step) + half, LARGEST)
        self._bounds = (float(low), float(high))
        if math.isinf(low):
            end = self._end(TINY, step)
            first = end if math.isinf(high) else min(end, last)
        if math.isinf(high):
            last = max(self._end(1 - TINY, step), first)
        return Grid(step, first, last)

    def _end(self, u: float, step: Fraction) -> int:
        """Find the last multiple before an extreme quantile."""
        return math.trunc(exact(float(self._quantiles(np.array(u)))) / step)

    def _make_levels(self, grid: Grid) -> None:
        if self._equal_mass:
            self.k = grid.count
        elif grid.count <= MAX_TABLE:
            self.k = grid.count
            index = np.arange(grid.first, grid.last, dtype=float)
            below = self._probabilities((index + 0.5) * float(grid.step))
            self.edges = edges_of(np.diff(below, prepend=0.0, append=1.0))
        else:
            self.rounding = float(grid.step)

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} must define _ppf().")

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} must define _cdf().")

    def values(self, u: np.ndarray) -> np.ndarray:
        if self._grid is not None:
            return self._grid.values(self.level(u) if self.k else self._position(u))
        return self._quantiles(u)

    def _quantiles(self, u: np.ndarray) -> np.ndarray:
        """Values of the law without its grid, inside the bounds and finite."""
        low, high = self._bounds
        if math.isinf(low) or math.isinf(high):
            u = np.clip(u, TINY, 1 - TINY)
        with np.errstate(all="ignore"):
            return np.minimum(np.maximum(self._ppf(u), max(low, -LARGEST)), min(high, LARGEST))

    def _probabilities(self, x: np.ndarray) -> np.ndarray:
        """Cumulative probabilities of the law without its grid."""
        with np.errstate(all="ignore"):
            return np.clip(self._cdf(x), 0.0, 1.0)

    def _position(self, u: np.ndarray) -> np.ndarray:
        assert self._grid is not None, "only a grid has positions"
        index = np.rint(self._quantiles(u) / self.rounding)
        return np.clip(index, self._grid.first, self._grid.last) - self._grid.first

    def _middle(self, position: np.ndarray) -> np.ndarray:
        assert self._grid is not None, "only a grid has positions"
        index = position + self._grid.first
        below = self._probabilities((index - 0.5) * self.rounding)
        return (below + self._probabilities((index + 0.5) * self.rounding)) / 2

    def _locate(self, value: Any) -> float:
        number = as_number(value)
        low, high = self._bounds if self._grid is None else self._limits
        if not low <= number <= high:
            low, high = self._limits
            raise SpaceError(f"must lie between {low!r} and {high!r}, got {value!r}.")
        if self._grid is None:
            return float(self._probabilities(np.array(float(number))))
        offset = self._grid.offset(number)
        if self.k:
            return self.centre(offset)
        return float(self._middle(np.array(float(offset))))

    def _check_finite(self, *names: str) -> None:
        for name in names:
            try:
                as_number(getattr(self, name))
            except SpaceError as error:
                raise SpaceError(f"{self!r}: {name} {error}") from None

    def _check_positive(self, name: str) -> None:
        self._check_finite(name)
        value = getattr(self, name)
        if not value > 0:
            raise SpaceError(f"{self!r}: {name} must be above 0, got {name}={value!r}.")

    def _check_bounds(self) -> None:
        low, high = self.low, self.high
        self._check_finite(*(name for name in ("low", "high") if not _is_open(self, name)))
        kind = float if self.q is None else Fraction  # steps tell integers beyond 2**53 apart
        bounded = all(bound is not None and math.isfinite(bound) for bound in (low, high))
        if bounded and not kind(low) < kind(high):
            raise SpaceError(f"{self!r}: low must be below high, got {low=}, {high=}.")
        if high is not None and not high > self._support[0]:
            raise SpaceError(f"{self!r}: high must be above {self._support[0]}, got {high=}.")

    def _check_step(self) -> None:
        self._check_positive("q")
        q, (low, high) = self.q, self._limits
        bounded = math.isfinite(low) and math.isfinite(high)
        if bounded and exact(q) > exact(high) - exact(low):
            raise SpaceError(
                f"{self!r}: q must not exceed the range high - low, got {q=}, {low=}, {high=}."
            )


def _is_open(number: Number, name: str) -> bool:
    """Whether a bound is left out, or infinite on its own side."""
    return getattr(number, name) in (None, -math.inf if name == "low" else math.inf)
