"""The loop of a search: ask, fit, tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from geneticpy.evolution.optimizer import Candidates, Optimizer
from geneticpy.learn.fits import Fits
from geneticpy.learn.param_space import ParamSpace, identity
from geneticpy.learn.trial import Trial
from geneticpy.run.history import History
from geneticpy.run.progress import Bar, Progress
from geneticpy.run.stopping import Stopping


class Generations:
    """Generations of candidates until something ends them.

    Parameters
    ----------
    optimizer : Optimizer
    params : ParamSpace
    fits : Fits
    objective : callable
        ``objective(trial)``: what is maximized, nan for failed trials.
    stopping : Stopping
    bar : Bar

    Attributes
    ----------
    trials : list of Trial
        All candidates that were fitted, in their order.
    duplicates : int
        Candidates that were not fitted because an equal one had been.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        params: ParamSpace,
        fits: Fits,
        objective: Callable[[Trial], float],
        stopping: Stopping,
        bar: Bar,
    ):
        self._optimizer, self._params, self._fits = optimizer, params, fits
        self._objective, self._stopping, self._bar = objective, stopping, bar
        self._known: dict[Any, Trial] = {}
        self._species: dict[int, int] = {}
        self._history = History(optimizer.encoding, optimizer.encoding.genome.d)
        self._best: Trial | None = None
        self.trials: list[Trial] = []
        self.duplicates = 0
        self.generation = 0

    def run(self) -> str:
        """Go through the generations; returns why they ended."""
        try:
            message = self._loop()
        except KeyboardInterrupt:
            if self._best is None:
                raise
            message = f"interrupted after {len(self.trials)} candidates"
        finally:
            self._bar.close()
        self._check_not_all_failed()
        return message

    def _loop(self) -> str:
        budget = self._optimizer.budget
        for self.generation in range(budget.generation_count + 1):
            message = self._evolve_up_to(budget.end(self.generation))
            self._check_not_all_failed()
            message = message or self._stopping.after_generation(self._value, self._progress)
            if message:
                return message
        return f"{len(self.trials)} candidates in {budget.generation_count} generations"

    def _evolve_up_to(self, end: int) -> str:
        """Fit portions until there are `end` candidates; returns why to stop before."""
        optimizer = self._optimizer
        while len(self.trials) < end:
            asked = optimizer.ask(min(optimizer.batch, end - len(self.trials)))
            if not len(asked):
                return f"space exhausted: {optimizer.exhausted}"
            self._evaluate(asked)
            message = self._stopping.within(self._value)
            if message:
                return message
        return ""

    def _evaluate(self, asked: Candidates) -> None:
        """Fit the new ones of a portion, and tell the values of all."""
        start = perf_counter()
        keys = [identity(self._params.flat(point)) for point in asked.params]
        new = [at for at, key in enumerate(keys) if key not in self._known]
        new = [at for at in new if keys.index(keys[at]) == at]
        fresh = [self._trial(asked, at) for at in new]
        if fresh:
            self._fits.run(fresh)
        self._known.update(zip([keys[at] for at in new], fresh, strict=True))
        self.trials += fresh
        self.duplicates += len(keys) - len(new)
        values = [self._objective(self._known[key]) for key in keys]
        self._optimizer.tell(asked.ids, -np.array(values))
        self._keep_best(fresh)
        self._record(asked, values, (perf_counter() - start) / len(keys))
        self._bar.advance(len(fresh), self._value)

    def _trial(self, asked: Candidates, at: int) -> Trial:
        species = self._species.setdefault(int(asked.species[at]), len(self._species))
        return Trial(self._params.candidate(asked.params[at]), self.generation, species)

    def _keep_best(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            value = self._objective(trial)
            if value == value and not value <= self._value:
                self._best = trial

    def _record(self, asked: Candidates, values: list[float], seconds: float) -> None:
        """Extend the history, which callbacks see."""
        self._history.append(
            {at: "failed" for at, value in enumerate(values) if math.isnan(value)},
            id=asked.ids,
            generation=self.generation,
            genes=asked.genes,
            loss=values,
            species=asked.species,
            parents=asked.parents,
            seconds=seconds,
        )

    @property
    def _value(self) -> float:
        return math.nan if self._best is None else self._objective(self._best)

    def _progress(self) -> Progress:
        return Progress(
            generation=self.generation,
            evaluations=len(self.trials),
            loss=self._value,
            seconds=perf_counter() - self._stopping.started,
            history=self._history,
            best_params=None if self._best is None else self._best.params,
        )

    def _check_not_all_failed(self) -> None:
        """Raise scikit-learn's own error if no fit succeeded."""
        error = self._fits.first_error
        if error is not None and not any(trial.outcomes for trial in self.trials):
            raise error
