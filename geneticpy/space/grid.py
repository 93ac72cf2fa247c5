"""The multiples of a step between two bounds, in decimal arithmetic."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from geneticpy.errors import SpaceError
from geneticpy.space.leaf import as_number

EXACT_POWER = 10**22  # the largest power of ten that is a float
LARGEST_INTEGER = 2**62  # products up to here fit into 64 bits


class Grid:
    """The multiples of a step: 0.3, not 0.30000000000000004; integers if the step is one.

    Parameters
    ----------
    step : Fraction
        Exact: 1/10 for a step written 0.1.
    first, last : int
        Numbers of the first and last multiple.
    """

    def __init__(self, step: Fraction, first: int, last: int):
        self.step, self.first, self.last = step, first, last
        self._reach = max(abs(first), abs(last), 1)

    @property
    def count(self) -> int:
        """Number of multiples."""
        return self.last - self.first + 1

    @property
    def whole(self) -> bool:
        """Whether all values are integers."""
        return self.step.denominator == 1

    def values(self, offset: np.ndarray) -> np.ndarray:
        """Multiples, counted from the first one (0 to count - 1)."""
        numerator, denominator = self.step.as_integer_ratio()
        if denominator == 1 and self._reach * numerator < LARGEST_INTEGER:
            return (offset.astype(np.int64) + self.first) * numerator
        if denominator == 1:
            return self._one_by_one(offset).astype(object)
        if self._reach * numerator <= 2**53 and denominator <= EXACT_POWER:
            # One rounding: the float nearest the decimal. And -0.0 + 0.0 is 0.0.
            return (offset + float(self.first)) * numerator / denominator + 0.0
        return self._one_by_one(offset).astype(float)

    def _one_by_one(self, offset: np.ndarray) -> np.ndarray:
        """Multiples by Python's exact arithmetic, where that of numpy would round or overflow."""
        kind = int if self.whole else float
        exact_values = [kind((self.first + int(i)) * self.step) for i in offset.ravel()]
        return np.array(exact_values, object).reshape(offset.shape)

    def offset(self, value: Any) -> int:
        """Count from the first multiple to a value; SpaceError unless it is one."""
        number = as_number(value)
        position = exact(number) / self.step
        index = round(position)
        # A float may be off by some roundings, as 0.1 + 0.2 is; an integer may not.
        rounded = not (self.whole and isinstance(number, int))
        slack = 1e-9 + 1e-15 * abs(index) if rounded else 0
        if abs(position - index) > slack:
            raise SpaceError(f"must be a multiple of q={float(self.step):.17g}, got {value!r}.")
        if not self.first <= index <= self.last:
            first, last = self.values(np.array([0, self.count - 1])).tolist()
            raise SpaceError(f"must lie between {first} and {last}, got {value!r}.")
        return index - self.first


def exact(number: int | float) -> Fraction:
    """Return the number that the user wrote: 0.1 and 1 / 3 are just that, not binary fractions."""
    if isinstance(number, int):
        return Fraction(number)
    simple = Fraction(number).limit_denominator()
    return simple if float(simple) == number else Fraction(repr(number))
