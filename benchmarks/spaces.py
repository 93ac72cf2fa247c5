"""Neutral descriptions of search spaces, and the flat encoding for libraries without nested ones.

A space is a dict of names and kinds. The loss of a problem gets plain Python data of the same
shape: numbers, options, lists, and for a `Variant` a dict with its name under "kind".
"""

import math
from dataclasses import dataclass

from numpy.random import Generator


@dataclass(frozen=True)
class Real:
    """A float in [low, high], uniform or log-uniform."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Integer:
    """An int in [low, high], both ends included, uniform or log-uniform."""

    low: int
    high: int
    log: bool = False


@dataclass(frozen=True)
class Category:
    """One of several options without order."""

    options: tuple


@dataclass(frozen=True)
class Variant:
    """One of several kinds, each with parameters of its own: {kind: {name: description}}."""

    arms: dict


@dataclass(frozen=True)
class ListOf:
    """A list of `min_size` to `max_size` elements, each with parameters of its own."""

    element: object
    min_size: int
    max_size: int


@dataclass(frozen=True)
class Order:
    """The numbers 0 to `size` - 1 in any order, as a list."""

    size: int


def kinds_of(space):
    """Return the kinds of genes in a space: a set of the names used in `Solver.kinds`."""
    match space:
        case dict():
            return set().union(*map(kinds_of, space.values()))
        case Variant():
            return {"structure"} | kinds_of(space.arms)
        case ListOf():
            return {"structure"} | kinds_of(space.element)
    return {type(space).__name__.lower()}


def draw(space, rng: Generator):
    """Draw plain parameters at random: every kind uniform, every length equally likely."""
    match space:
        case dict():
            return {name: draw(part, rng) for name, part in space.items()}
        case Real():
            return Coordinate("", space).value(rng.uniform(*Coordinate("", space).bounds))
        case Integer(log=True):
            return Coordinate("", space).value(rng.uniform(*Coordinate("", space).bounds))
        case Integer():
            return int(rng.integers(space.low, space.high + 1))
        case Category():
            return space.options[rng.integers(len(space.options))]
        case Variant():
            kind = list(space.arms)[rng.integers(len(space.arms))]
            return {"kind": kind, **draw(space.arms[kind], rng)}
        case ListOf():
            size = rng.integers(space.min_size, space.max_size + 1)
            return [draw(space.element, rng) for _ in range(size)]
        case Order():
            return rng.permutation(space.size).tolist()
    raise TypeError(f"draw: not a description of a space, got {space!r}.")


@dataclass(frozen=True)
class Coordinate:
    """One gene of the flat encoding: a coded number between two bounds.

    Attributes
    ----------
    name : str
        Path of the leaf, unique in its space.
    leaf : Real, Integer or Category
        Log-scaled leaves are coded by their logarithm, categories by their index: what users
        of a library without these kinds write by hand.
    """

    name: str
    leaf: object

    @property
    def type(self):
        """Kind of the code: "real", "integer" (ordered) or "category" (an index)."""
        if isinstance(self.leaf, Category):
            return "category"
        return "real" if isinstance(self.leaf, Real) or self.leaf.log else "integer"

    @property
    def bounds(self):
        """Smallest and largest code, both included."""
        if isinstance(self.leaf, Category):
            return 0, len(self.leaf.options) - 1
        if self.leaf.log:
            return math.log(self.leaf.low), math.log(self.leaf.high)
        return self.leaf.low, self.leaf.high

    def value(self, code):
        """Translate a code (of any number type) to the plain Python value."""
        leaf = self.leaf
        if isinstance(leaf, Category):
            return leaf.options[round(float(code))]
        number = math.exp(code) if leaf.log else code
        number = round(float(number)) if isinstance(leaf, Integer) else float(number)
        return min(max(number, leaf.low), leaf.high)


def flatten(space):
    """Lay out `space` as a list of coordinates, lists padded to their largest size.

    Every arm of a variant and every possible item of a list gets coordinates of its own; those
    not in use are ignored by `assemble`. Libraries with flat spaces are used in this way.
    """
    return list(_coordinates(space, ""))


def _coordinates(space, path):
    """Generate the coordinates of the part of a space that is found at `path`."""
    match space:
        case dict():
            for name, part in space.items():
                yield from _coordinates(part, f"{path}.{name}" if path else name)
        case Real() | Integer() | Category():
            yield Coordinate(path, space)
        case Variant():
            yield Coordinate(f"{path}.kind", Category(tuple(space.arms)))
            yield from _coordinates(space.arms, path)
        case ListOf():
            yield Coordinate(f"{path}.length", Integer(space.min_size, space.max_size))
            for index in range(space.max_size):
                yield from _coordinates(space.element, f"{path}[{index}]")
        case Order():  # random keys: their ranks are the order
            for index in range(space.size):
                yield Coordinate(f"{path}[{index}]", Real(0.0, 1.0))
        case _:
            raise TypeError(f"flatten: not a description of a space, got {space!r}.")


def assemble(space, values):
    """Build nested parameters from an iterator over the values of `flatten(space)`."""
    match space:
        case dict():
            return {name: assemble(part, values) for name, part in space.items()}
        case Variant():
            kind = next(values)
            arms = {name: assemble(arm, values) for name, arm in space.arms.items()}
            return {"kind": kind, **arms[kind]}
        case ListOf():
            size = next(values)
            return [assemble(space.element, values) for _ in range(space.max_size)][:size]
        case Order():
            keys = [next(values) for _ in range(space.size)]
            return sorted(range(space.size), key=keys.__getitem__)
    return next(values)


def decoder(space):
    """Return the coordinates of `space` and a function from their codes to parameters."""
    coordinates = flatten(space)
    readers = [coordinate.value for coordinate in coordinates]

    def decode(codes):
        """Translate codes, in the order of the coordinates, to nested plain parameters."""
        pairs = zip(readers, codes, strict=True)
        return assemble(space, iter([read(code) for read, code in pairs]))

    return coordinates, decode
