"""GeneticPy's `Population`, for programs that evolve by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geneticpy.checks import function, whole
from geneticpy.evaluation.loss import make_loss
from geneticpy.evolution.optimizer import Optimizer
from geneticpy.optimize import Run
from geneticpy.run.stopping import Stopping


class Population:
    """Individuals that are evaluated when created and evolve a generation a call.

    `optimize` does more, `Optimizer` is the way for new programs.

    Parameters
    ----------
    fn : callable
    params : nested data
        The space.
    size : int
    percentage_to_randomly_spawn, mutate_chance, retain_percentage, maximize_fn
        As for `optimize`.
    tqdm_obj : object, optional
        Its `update()` is called once an evaluation.
    target : float, optional
        Kept for the caller; the caller decides when to stop evolving.
    use_tournament_selection, tournament_size
        As for `optimize`.
    diversity_threshold : float, optional
        Accepted, without effect: species keep the population diverse.
    seed : int, optional

    Examples
    --------
    >>> from geneticpy import UniformDistribution
    >>> population = Population(lambda p: p["x"] ** 2, {"x": UniformDistribution(-1, 1)}, 20, seed=0)
    >>> for _ in range(10):
    ...     population.evolve()
    >>> population.get_top_score() < 0.01
    True
    """

    def __init__(
        self,
        fn: Callable[[Any], Any],
        params: Any,
        size: int,
        percentage_to_randomly_spawn: float = 0.05,
        mutate_chance: float | None = 0.25,
        retain_percentage: float = 0.6,
        maximize_fn: bool = False,
        tqdm_obj: Any = None,
        target: float | None = None,
        use_tournament_selection: bool = False,
        tournament_size: int = 3,
        diversity_threshold: float | None = None,
        seed: Any = None,
    ):
        self.target, self._size, self._bar = target, size, tqdm_obj
        optimizer = Optimizer(
            params,
            size=size,
            generation_count=1000,
            retain_percentage=retain_percentage,
            percentage_to_randomly_spawn=percentage_to_randomly_spawn,
            mutate_chance=mutate_chance,
            tournament_size=whole("tournament_size", tournament_size)
            if use_tournament_selection
            else None,
            seed=seed,
        )
        sign = -1.0 if maximize_fn else 1.0
        self._run = Run(optimizer, make_loss(function("fn", fn)), Stopping(), sign=sign)
        self._evolve()

    def _evolve(self) -> None:
        before = len(self._run.history)
        self._run.evolve()
        if self._bar is not None:
            self._bar.update(len(self._run.history) - before)

    def evolve(self) -> None:
        """Make one generation more."""
        self._run.generation += 1
        self._evolve()

    def get_final_scores(self) -> list[float]:
        """Losses of the best `size` evaluations, best first."""
        loss = self._run.history.loss
        order = (self._run.sign * loss).argsort(kind="stable")
        return loss[order][: self._size].tolist()

    def get_top_score(self) -> float:
        """Loss of the best evaluation."""
        return self._run.best_loss

    def get_top_params(self) -> Any:
        """Parameters of the best evaluation."""
        return self._run.result("").best_params
