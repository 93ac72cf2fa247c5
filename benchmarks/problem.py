"""What a problem of the quality benchmark is: a space and a recipe for instances.

An instance is fixed by the name of its problem and the seed, for every solver the same. There
are three kinds of problems. `Problem` draws its constants from a random generator and has a known
optimum. `NumberedProblem` takes instances by number from a library that has them.
`ReferencedProblem` is one fixed loss without a known optimum: the best known and the median loss
are numbers that were computed before and stored (references.py).
"""

import hashlib
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from spaces import draw, flatten

NORMALIZATION_DRAWS = 1_000
PROTOCOL = 1  # part of every cache key; raise it when stored cells are no longer comparable
REFERENCES = Path(__file__).with_name("references.json")


@dataclass(frozen=True)
class Instance:
    """A problem with its random constants fixed.

    Attributes
    ----------
    loss : callable
        Parameters to a float; without noise the smallest possible value is `optimum`.
    optimum : float
    best : dict or None
        Parameters whose loss is `optimum`, where they are known.
    truth : callable or None
        The loss without noise, by which a noisy problem is judged.
    """

    loss: Callable
    optimum: float
    best: dict | None = None
    truth: Callable | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """A space and a recipe for instances: `recipe(rng) -> (loss, best parameters)`.

    Attributes
    ----------
    noise : float, default 0
        Standard deviation of what is added to each observed loss, normal and independent, as a
        share of the distance from the optimum to the median of random draws.
    """

    name: str
    space: dict
    recipe: Callable
    optimum: float = 0.0
    noise: float = 0.0

    def generator(self, *key):
        """Make the random generator of this problem for `key`, ints."""
        return np.random.default_rng([zlib.crc32(self.name.encode()), *key])

    DIGITS = 9  # of a loss that count in the fingerprint

    def exact(self, seed):
        """Make the instance of `seed` without its noise."""
        loss, best = self.recipe(self.generator(seed))
        return Instance(loss, self.optimum, best)

    def instance(self, seed):
        """Make the instance of `seed`, an int from 0, as solvers meet it."""
        exact = self.exact(seed)
        if not self.noise:
            return exact
        spread = self.noise * (self.median_loss(seed) - exact.optimum)
        rng = self.generator(seed, 1)
        return Instance(
            lambda params: exact.loss(params) + spread * rng.standard_normal(),
            exact.optimum,
            exact.best,
            truth=exact.loss,
        )

    def random_losses(self, seed, draws=NORMALIZATION_DRAWS):
        """Losses of independent uniform draws from the instance of `seed`: (draws,) array."""
        loss = self.exact(seed).loss
        rng = self.generator(seed, draws)
        return np.array([loss(draw(self.space, rng)) for _ in range(draws)])

    def optimum_of(self, seed):
        """Return the smallest loss of an instance, or the smallest known."""
        return self.exact(seed).optimum

    @cache  # noqa: B019  (problems live as long as the process)
    def median_loss(self, seed):
        """Return the regret scale of an instance: the median loss of random draws."""
        return float(np.median(self.random_losses(seed)))

    @cached_property
    def dimension(self):
        """Number of genes in the flat encoding: the d of budgets like 100 d."""
        return len(flatten(self.space))

    @cache  # noqa: B019
    def fingerprint(self):
        """Return a short digest of what solvers meet: a changed problem is a new problem."""
        losses = self.random_losses(0, draws=16)
        noise = f" {self.noise}" if self.noise else ""
        text = f"{PROTOCOL} {self.name} {self.space} {losses.round(self.DIGITS).tolist()}{noise}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, eq=False)
class NumberedProblem(Problem):
    """A problem whose instances come from a library: `recipe(number) -> Instance`, from 1."""

    def exact(self, seed):
        """Make instance number `seed` + 1."""
        return self.recipe(seed + 1)

    @cache  # noqa: B019
    def optimum_of(self, seed):
        return self.exact(seed).optimum


@cache
def references():
    """Read the stored numbers: {problem: {"digest", "optimum", "median"}}."""
    return json.loads(REFERENCES.read_text()) if REFERENCES.exists() else {}


@dataclass(frozen=True, eq=False)
class ReferencedProblem(Problem):
    """One loss, the same for every seed: `recipe() -> loss`.

    The stored reference counts only for the problem it was computed on, told by its fingerprint.
    Without one the optimum is minus infinity, which stands for the best that any solver of a
    table has seen, and the median is that of `draws` random draws. `solve`, if there is one,
    computes the best loss from several starts, a list.
    """

    draws: int = 200
    solve: Callable | None = None
    DIGITS = 4  # another machine or version may differ a little

    def exact(self, seed):
        """Make the loss, which does not depend on the seed."""
        return Instance(self._loss(), self.optimum_of(seed))

    @cache  # noqa: B019
    def _loss(self):
        """Make the loss once: data are loaded and prepared by then."""
        return self.recipe()

    def random_losses(self, seed, draws=NORMALIZATION_DRAWS):
        rng = self.generator(0, draws)
        return np.array([self._loss()(draw(self.space, rng)) for _ in range(draws)])

    @cached_property
    def reference(self):
        """The stored numbers, or None if they are missing or belong to another version."""
        stored = references().get(self.name)
        return stored if stored and stored["digest"] == self.fingerprint() else None

    def optimum_of(self, seed):
        return self.reference["optimum"] if self.reference else -np.inf

    @cache  # noqa: B019
    def median_loss(self, seed):
        if self.reference:
            return self.reference["median"]
        return float(np.median(self.random_losses(0, self.draws)))
