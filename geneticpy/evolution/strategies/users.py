"""A user's own strategy behind checks of what it proposes."""

from __future__ import annotations

from typing import Any

import numpy as np

from geneticpy.errors import ArgumentError
from geneticpy.evolution.population import Brood, Population
from geneticpy.evolution.replaceable import checked_genes
from geneticpy.genome import Genome

METHODS = ("begin", "propose", "update")


class UsersStrategy:
    """An object with ``begin(rng, genome, budget)``, ``propose(n)`` and ``update(rows)``.

    Raises
    ------
    ArgumentError
        If it lacks one of them, or is their class.
    """

    def __init__(self, users: Any, rng: np.random.Generator, genome: Genome, budget: int):
        if isinstance(users, type):
            raise ArgumentError(f"strategy: must be an instance of its class, got {users!r}.")
        for method in METHODS:
            if not callable(getattr(users, method, None)):
                raise ArgumentError(f"strategy: must have a method {method}(), got {users!r}.")
        self._users, self._d = users, genome.d
        users.begin(rng, genome, budget)

    def propose(self, n: int) -> Brood:
        """Ask for the genes of `n` rows; more and fewer are welcome."""
        returned = self._users.propose(n)
        rows = len(returned) if hasattr(returned, "__len__") else n
        genes = checked_genes("strategy.propose", returned, (rows, self._d))
        return Brood.orphans(genes.astype(float))

    def update(self, rows: Population) -> None:
        """Hand evaluated rows on."""
        self._users.update(rows)
