"""How many evaluations a run makes, and where its generations end."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geneticpy.checks import number, whole


@dataclass(frozen=True)
class Budget:
    """GeneticPy's semantics of size: survivors stay unevaluated, the rest of a generation is new.

    Parameters
    ----------
    size : int
        Individuals of a generation, at least 1; all of the first are evaluated.
    generation_count : int
        Generations after the first, at least 0.
    retain_percentage : float
        Share of a generation that survives unevaluated, in [0, 1).
    max_evaluations : int, optional
        At most so many in all.

    Examples
    --------
    >>> budget = Budget(size=200, generation_count=500, retain_percentage=0.5)
    >>> budget.end(0), budget.end(1), budget.total
    (200, 300, 50200)
    """

    size: int = 100
    generation_count: int = 10
    retain_percentage: float = 0.5
    max_evaluations: int | None = None

    def __post_init__(self) -> None:
        whole("size", self.size, at_least=1)
        whole("generation_count", self.generation_count, at_least=0)
        number("retain_percentage", self.retain_percentage, 0, 1, open_above=True)
        if self.max_evaluations is not None:
            whole("max_evaluations", self.max_evaluations, at_least=1)

    def end(self, generation: int) -> int:
        """Count the evaluations after which a generation is complete, the cap included."""
        made = self.size * (1 + generation * (1 - self.retain_percentage))
        made = math.floor(made + 1e-9)  # 0.9 * 10 is not exact
        return made if self.max_evaluations is None else min(made, self.max_evaluations)

    def generation_after(self, made: int) -> int:
        """Count the generations that so many evaluations complete: the number of the next one.

        The last one when all are made.
        """
        generation = 0
        while self.end(generation) <= made < self.total:
            generation += 1
        return generation

    @property
    def total(self) -> int:
        """Evaluations of the whole run."""
        return self.end(self.generation_count)

    @property
    def new_per_generation(self) -> int:
        """Individuals that are new in a generation after the first, at least 1."""
        return max(1, math.floor(self.size * (1 - self.retain_percentage) + 1e-9))
