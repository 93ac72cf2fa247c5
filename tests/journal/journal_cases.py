"""Spaces, losses and runs that the tests of the journal share."""

import inspect
import zlib

import numpy as np

import geneticpy
from geneticpy import (
    ChoiceDistribution,
    GaussianDistribution,
    ListDistribution,
    LogUniformDistribution,
    PermutationDistribution,
    SubsetDistribution,
    UniformDistribution,
)

LINE = {"x": UniformDistribution(-5, 5)}
NUMBERS = {f"x{i}": UniformDistribution(-5, 5) for i in range(4)}
BITS = {f"b{i}": ChoiceDistribution([False, True]) for i in range(12)}
ROOM = {
    "rate": LogUniformDistribution(1e-5, 1e-1),
    "noise": GaussianDistribution(0, 1, low=-2, high=2),
    "layers": ListDistribution(
        {"units": LogUniformDistribution(4, 64, q=1), "kind": ChoiceDistribution(["a", "b", "c"])},
        min_size=0,
        max_size=3,
    ),
    "optimizer": ChoiceDistribution([{"name": "sgd", "m": UniformDistribution(0, 1)}, "adam"]),
    "order": PermutationDistribution(["p", "q", "r", "s"]),
    "parts": SubsetDistribution(range(6), min_size=1, max_size=3),
}
OBJECTS = {
    "function": ChoiceDistribution([len, max, {"pair": (1, 2.5)}]),
    "kind": ChoiceDistribution([int, None, float("inf"), 3 + 4j, 2**70]),
    "items": PermutationDistribution([(1, 2), frozenset([3]), "text\ud800"]),
    "fixed": (object, b"bytes"),
    7: UniformDistribution(0, 1),
}
SMALL = {"size": 10, "generation_count": 4, "seed": 3}


def scattered(params):
    """Return a loss without any structure, in [0, 1]; one in seven fails."""
    number = zlib.crc32(repr(params).encode("utf-8", "replace"))
    if number % 7 == 0:
        raise ValueError(f"{number} is a multiple of seven")
    return number / 2**32


def columns(result):
    """Return everything that a run is, but the time that it took."""
    history = result.history
    names = ("id", "generation", "genes", "loss", "species", "parents")
    return {name: getattr(history, name).tobytes() for name in names} | {
        "error": history.error,
        "best": repr(result.best_params),
        "loss": result.loss,
        "generations": result.generations,
        "message": result.message,
    }


class Interrupted:
    """A loss that is interrupted by Ctrl-C at its call number `at`."""

    def __init__(self, fn, at):
        self.fn, self.at, self.calls = fn, at, 0
        self.__signature__ = inspect.signature(fn)

    def __call__(self, *arguments, **named):
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return self.fn(*arguments, **named)


def in_pieces(fn, space, journal, pieces, **settings):
    """Run `optimize` again and again, each time interrupted after some evaluations."""
    for made in pieces:
        geneticpy.optimize(Interrupted(fn, made + 1), space, journal=journal, **settings)
    return geneticpy.optimize(fn, space, journal=journal, **settings)


def random_pieces(seed, most, n):
    """Numbers of evaluations between interruptions."""
    return np.random.default_rng(seed).integers(0, most, n).tolist()
