"""New points only: what is proposed is allowed by the constraint and was never proposed before."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from geneticpy.errors import ConstraintWarning, SpaceError
from geneticpy.evolution.population import Brood
from geneticpy.genome import rounded
from geneticpy.space.encoding import Encoding

log = logging.getLogger("geneticpy")

BREED_ATTEMPTS = 3  # broods that may lack new points before random draws are tried
RANDOM_DRAWS = 2**17  # without a new point before a space counts as exhausted
LARGEST_LISTED = 2**16  # points of a space that is listed to find the last new ones
RARE = 1e-3  # acceptance rate of a constraint that the user is told of
ENOUGH_DRAWS = 1000  # before an acceptance rate means something


class Supply:
    """Finds new points for a strategy.

    Parameters
    ----------
    rng : numpy.random.Generator
    encoding : Encoding
    constraint : callable or None
        ``constraint(params) -> bool``
    cache : bool
        Whether a point is given once only.

    Attributes
    ----------
    exhausted : str
        Why no further point was found; empty before.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        encoding: Encoding,
        constraint: Callable[[Any], bool] | None,
        cache: bool,
    ):
        self._rng, self._encoding, self._genome = rng, encoding, encoding.genome
        self._constraint, self._cache = constraint, cache
        self._known: set[int] = set()
        self._draws = self._allowed = 0
        self._warned = False
        self._listed: np.ndarray | None = None
        self._none = Brood.orphans(np.empty((0, self._genome.d)))
        self.exhausted = ""

    def find(self, propose: Callable[[int], Brood], n: int) -> Brood:
        """Up to `n` new rows, fewer only if the space is exhausted.

        Parameters
        ----------
        propose : callable
            ``propose(n)`` makes unborn rows.
        n : int
        """
        found = self._none
        for rows in self._sources(propose, n):
            rows.genes = rounded(rows.genes)
            found = found.join(self.admit(rows, n - len(found)))
            if len(found) >= n or self._all_known():
                break
        if len(found) < n:
            self._give_up(len(found))
        return found

    def admit(self, rows: Brood, n: int) -> Brood:
        """Keep the first `n` new and allowed of some rows, snapped, with their species."""
        keys = self._canonize(rows)
        fresh = self._new(keys)
        if self._constraint is not None:
            fresh = self._legal(rows.genes, fresh, n)
        fresh = fresh[:n]
        if not fresh:
            return rows.take(slice(0))
        seen = keys[: fresh[-1] + 1]  # if not fresh, they are known, or illegal
        self._known.update(seen if self._constraint is None else [keys[i] for i in fresh])
        leading = len(seen) == len(fresh)
        return rows.take(slice(len(fresh)) if leading else np.array(fresh, np.int64))

    def note(self, rows: Brood) -> Brood:
        """Mark rows from elsewhere as known, snapped, with their species; all are kept."""
        self._known.update(self._canonize(rows))
        return rows

    def _canonize(self, rows: Brood) -> list[int]:
        """Snap rows and label their species, in place; returns their keys."""
        rows.genes = self._genome.snap(np.asarray(rows.genes, float))
        active = self._genome.activity(rows.genes)
        rows.species = self._genome.species(rows.genes, active)
        return self._genome.keys(rows.genes, active).tolist()

    def _new(self, keys: list[int]) -> list[int]:
        """Positions of the keys that are neither known nor repeated."""
        if not self._cache:
            return list(range(len(keys)))
        told, different = self._known.intersection(keys), len(set(keys)) == len(keys)
        if different and not told:
            return list(range(len(keys)))
        fresh = [at for at, key in enumerate(keys) if key not in told]
        if different:
            return fresh
        first: dict[int, int] = {}
        for at in fresh:
            first.setdefault(keys[at], at)
        return list(first.values())

    def _legal(self, genes: np.ndarray, fresh: list[int], n: int) -> list[int]:
        """Those of some rows that the constraint allows, up to `n`."""
        legal = []
        for i, params in zip(fresh, self._encoding.decode(genes[fresh]), strict=True):
            self._draws += 1
            if self.allows(params):
                self._allowed += 1
                legal.append(i)
                if len(legal) == n:
                    break
        return legal

    @property
    def legal(self) -> Callable[[np.ndarray], np.ndarray] | None:
        """``legal(genes) -> (n,) mask`` of the snapped rows that the constraint allows, if any."""
        if self._constraint is None:
            return None
        decode = self._encoding.decode
        return lambda genes: np.array([self.allows(params) for params in decode(genes)], bool)

    def allows(self, params: Any) -> bool:
        """Whether the constraint accepts parameters; SpaceError if it raises."""
        if self._constraint is None:
            return True
        try:
            return bool(self._constraint(params))
        except Exception as error:
            raise SpaceError(
                f"constraint: must return True or False, raised {error!r} for {params!r}."
            ) from error

    def _sources(self, propose: Callable[[int], Brood], n: int) -> Iterator[Brood]:
        """Broods; then the whole space if it is small, or ever more random draws."""
        for _ in range(BREED_ATTEMPTS):
            yield propose(n)
        if self._genome.points <= LARGEST_LISTED:
            yield Brood.orphans(self._remaining())
            return
        self._draws = self._allowed = 0
        size = max(64, n)
        while size <= RANDOM_DRAWS:
            yield Brood.orphans(self._genome.sample(self._rng, size))
            self._tell_rate()
            size *= 2

    def _remaining(self) -> np.ndarray:
        """All points of a small space, in random order."""
        if self._listed is None:
            self._listed = self._genome.enumerate()
        return self._rng.permutation(self._listed)

    def _all_known(self) -> bool:
        return self._cache and len(self._known) >= self._genome.points

    def _tell_rate(self) -> None:
        rate = self._allowed / max(self._draws, 1)
        if self._constraint is None or self._warned or self._draws < ENOUGH_DRAWS or rate >= RARE:
            return
        self._warned = True
        warnings.warn(
            f"constraint: allows {self._allowed} of {self._draws} random draws "
            f"(acceptance rate {rate:.2g}); a space that fits it better will be searched faster.",
            ConstraintWarning,
            stacklevel=2,
        )

    def _give_up(self, found: int) -> None:
        points = self._genome.points
        if self._constraint is not None and not self._known and not found:
            raise SpaceError(
                f"constraint: must allow some points, got {self._allowed} allowed of "
                f"{self._draws} tried."
            )
        if self._all_known():
            self.exhausted = f"all {points} points of the space were evaluated"
        else:
            allowed = "" if self._constraint is None else " that the constraint allows"
            self.exhausted = (
                f"no new point{allowed} was found; {len(self._known)} points were evaluated"
            )
        log.info("exhausted: %s", self.exhausted)
