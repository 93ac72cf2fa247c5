"""Ways to propose rows, one a module, with one protocol: `propose` and `update`."""

from __future__ import annotations

from typing import Protocol

from geneticpy.evolution.population import Brood, Population


class Strategy(Protocol):
    """A way to propose rows and to learn from their losses."""

    def propose(self, n: int) -> Brood:
        """Make `n` rows or a few more: some may turn out not to be new."""

    def update(self, rows: Population) -> None:
        """Learn from evaluated rows, in the order of their ids; failed ones have loss inf."""
