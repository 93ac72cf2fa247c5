"""Parts of a space that are searched as a whole: lists, orders and subsets."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from geneticpy.errors import SpaceError
from geneticpy.space.leaf import Written
from geneticpy.space.options import listed


class ListDistribution(Written):
    """A list of searched length whose items each have parameters of their own.

    Parameters
    ----------
    element : space
        What one item is: any nesting of dicts, lists, tuples, distributions and constants.
    min_size, max_size : int
        Sizes, both included; 0 <= min_size <= max_size. All sizes are equally likely at first.

    Raises
    ------
    SpaceError
        For sizes that are no such integers.

    Examples
    --------
    >>> from geneticpy import UniformDistribution
    >>> ListDistribution(UniformDistribution(0, 1), min_size=1, max_size=3)
    ListDistribution(UniformDistribution(low=0, high=1), min_size=1, max_size=3)
    """

    _written = ("element", "min_size", "max_size")

    def __init__(self, element: Any, min_size: int, max_size: int):
        self.element = element
        self.min_size, self.max_size = _sizes("ListDistribution", min_size, max_size)

    def __repr__(self) -> str:
        return (
            f"ListDistribution({self.element!r}, "
            f"min_size={self.min_size!r}, max_size={self.max_size!r})"
        )


class PermutationDistribution(Written):
    """An order of items, all orders equally likely at first.

    Parameters
    ----------
    items : iterable
        At least one, not a set; the loss receives a list of the same objects.

    Raises
    ------
    SpaceError
        Without items, or for items in no fixed order.

    Notes
    -----
    Items that are equal count as different ones: orders in which two of them have changed places
    are two points, and both may be evaluated.

    Examples
    --------
    >>> PermutationDistribution(["a", "b", "c"])
    PermutationDistribution(items=['a', 'b', 'c'])
    """

    _written = ("items",)

    def __init__(self, items: Iterable[Any]):
        self.items = listed("PermutationDistribution", "items", items)


class SubsetDistribution(Written):
    """Some of the items, as a list in their order; all sizes equally likely at first.

    Parameters
    ----------
    items : iterable
        At least one, not a set.
    min_size : int, default 0
    max_size : int, optional
        All items by default.

    Raises
    ------
    SpaceError
        Without items, or unless 0 <= min_size <= max_size <= number of items.

    Notes
    -----
    Items that are equal count as different ones: each may be in the subset.

    Examples
    --------
    >>> SubsetDistribution(["a", "b", "c"], min_size=1)
    SubsetDistribution(items=['a', 'b', 'c'], min_size=1, max_size=3)
    """

    _written = ("items", "min_size", "max_size")

    def __init__(self, items: Iterable[Any], min_size: int = 0, max_size: int | None = None):
        self.items = listed("SubsetDistribution", "items", items)
        largest = len(self.items) if max_size is None else max_size
        self.min_size, self.max_size = _sizes("SubsetDistribution", min_size, largest)
        if self.max_size > len(self.items):
            raise SpaceError(
                f"SubsetDistribution: max_size must not exceed the {len(self.items)} items, "
                f"got {max_size=}."
            )


def _sizes(where: str, min_size: Any, max_size: Any) -> tuple[int, int]:
    """Both sizes as Python's integers."""
    try:
        sizes = operator.index(min_size), operator.index(max_size)
    except TypeError:
        sizes = (-1, -1)
    if isinstance(min_size, bool) or isinstance(max_size, bool) or not 0 <= sizes[0] <= sizes[1]:
        raise SpaceError(
            f"{where}: sizes must be integers with 0 <= min_size <= max_size, "
            f"got {min_size=}, {max_size=}."
        )
    return sizes
