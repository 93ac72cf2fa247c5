"""GeneticPy's `Population`, for programs that evolve by hand."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from geneticpy.checks import flag, whole
from geneticpy.evaluation.loss import make_loss
from geneticpy.evolution.optimizer import Optimizer
from geneticpy.loop import Run
from geneticpy.run.stopping import Stopping, Target

PLANNED = 1000  # generations; the caller makes as many as he likes


class Population:
    """Individuals that evolve by a generation a call.

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
        After each generation its `update()` is called once for each evaluation.
    target : float, optional
        `evolve` returns the loss when it is as good or better.
    use_tournament_selection, tournament_size
        As for `optimize`.
    diversity_threshold : float, optional
        Accepted, without effect: species keep the population diverse.
    seed : int, optional

    Examples
    --------
    >>> from geneticpy import UniformDistribution
    >>> space = {"x": UniformDistribution(-1, 1)}
    >>> population = Population(lambda params: params["x"] ** 2, space, size=20, seed=0)
    >>> for _ in range(10):
    ...     population.evolve()
    >>> population.get_final_scores()
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
        sign = -1.0 if flag("maximize_fn", maximize_fn) else 1.0
        by_tournaments = flag("use_tournament_selection", use_tournament_selection)
        whole("tournament_size", tournament_size)
        self._enough = None if target is None else Target(target, sign)
        self._tqdm = tqdm_obj
        optimizer = Optimizer(
            params,
            size=size,
            generation_count=PLANNED,
            retain_percentage=retain_percentage,
            percentage_to_randomly_spawn=percentage_to_randomly_spawn,
            mutate_chance=mutate_chance,
            tournament_size=tournament_size if by_tournaments else None,
            seed=seed,
        )
        loss = make_loss(fn)
        weakref.finalize(self, loss.close)
        self._run = Run(optimizer, loss, Stopping(), sign=sign)

    def evolve(self) -> float | None:
        """Evaluate the individuals and breed the next; returns the loss if it meets the target."""
        self.get_final_scores()
        if self._enough is not None and self._enough(self._run.best_loss):
            return self._run.best_loss
        self._run.generation += 1
        return None

    def get_final_scores(self) -> None:
        """Evaluate the individuals of the current generation that are not yet."""
        before = len(self._run.history)
        self._run.evolve()
        if self._tqdm is not None:
            for _ in range(len(self._run.history) - before):
                self._tqdm.update()

    def get_top_score(self) -> float:
        """Loss of the best individual."""
        self._evaluate_first()
        return self._run.best_loss

    def get_top_params(self) -> Any:
        """Parameters of the best individual."""
        self._evaluate_first()
        return self._run.result("").best_params

    def _evaluate_first(self) -> None:
        if not len(self._run.history):
            self.get_final_scores()
