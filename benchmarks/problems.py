"""The problems of the quality benchmark, as a table of suites.

A problem is a space, described neutrally (see spaces.py), and a recipe that makes an instance
from a random generator: a loss on plain Python parameters, and parameters that reach the known
optimum. An instance is fixed by the name of its problem and the seed, for every solver the same.
To add a suite, add a row to `SUITES`.
"""

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from problems_continuous import continuous_recipes
from problems_lists import list_recipes
from problems_mixed import mixed_recipes
from spaces import draw

NORMALIZATION_DRAWS = 1_000
PROTOCOL = 1  # part of every cache key; raise it when stored cells are no longer comparable


@dataclass(frozen=True)
class Instance:
    """A problem with its random constants fixed.

    Attributes
    ----------
    loss : callable
        Parameters to a float; the smallest possible value is `optimum`.
    optimum : float
    best : dict
        Parameters whose loss is `optimum`.
    """

    loss: Callable
    optimum: float
    best: dict


@dataclass(frozen=True, eq=False)
class Problem:
    """A space and a recipe for instances: `recipe(rng) -> (loss, best parameters)`."""

    name: str
    space: dict
    recipe: Callable
    optimum: float = 0.0

    def instance(self, seed):
        """Make the instance of `seed`, an int from 0."""
        rng = np.random.default_rng([zlib.crc32(self.name.encode()), seed])
        loss, best = self.recipe(rng)
        return Instance(loss, self.optimum, best)

    def random_losses(self, seed, draws=NORMALIZATION_DRAWS):
        """Losses of independent uniform draws from the instance of `seed`: (draws,) array."""
        loss = self.instance(seed).loss
        rng = np.random.default_rng([zlib.crc32(self.name.encode()), seed, draws])
        return np.array([loss(draw(self.space, rng)) for _ in range(draws)])

    @cache  # noqa: B019  (problems live as long as the process)
    def median_loss(self, seed):
        """Return the regret scale of an instance: the median loss of random draws."""
        return float(np.median(self.random_losses(seed)))

    @cache  # noqa: B019
    def fingerprint(self):
        """Return a short digest of what solvers meet: a changed problem is a new problem."""
        losses = self.random_losses(0, draws=16)
        text = f"{PROTOCOL} {self.name} {self.space} {losses.round(9).tolist()}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def _problems(recipes):
    """Turn (name, space, recipe) rows into problems by name."""
    return {name: Problem(name, space, recipe) for name, space, recipe in recipes}


SUITES = {
    "continuous-5": _problems(continuous_recipes(5)),
    "continuous-20": _problems(continuous_recipes(20)),
    "mixed": _problems(mixed_recipes()),
    "lists": _problems(list_recipes()),
}

PROBLEMS = {name: problem for suite in SUITES.values() for name, problem in suite.items()}
