"""The loop of a search: ask, fit, tell."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from geneticpy.evaluation.loss import Outcomes
from geneticpy.evolution.optimizer import Candidates, Optimizer
from geneticpy.learn.fits import Fits
from geneticpy.learn.journal import plain_trial, revive
from geneticpy.learn.param_space import ParamSpace, identity
from geneticpy.learn.trial import Trial
from geneticpy.past import DivergedError, Past
from geneticpy.record import Record
from geneticpy.run.history import History
from geneticpy.run.interrupts import Interrupts
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
    record : Record
        The journal that keeps the candidates, and what it has of them already.
    interrupts : Interrupts

    Attributes
    ----------
    trials : list of Trial
        All candidates that were fitted, now or for the journal, in their order.
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
        record: Record,
        interrupts: Interrupts,
    ):
        self._optimizer, self._params, self._fits = optimizer, params, fits
        self._objective, self._stopping, self._bar = objective, stopping, bar
        self._record, self._interrupts = record, interrupts
        self._known: dict[Any, Trial] = {}
        self._species: dict[int, int] = {}
        self._history = History(optimizer.encoding, optimizer.encoding.genome.d)
        self._best: Trial | None = None
        self.trials: list[Trial] = []
        self._inherited = 0  # trials of earlier searches, which do not count
        self.duplicates = 0
        self.generation = 0

    def run(self) -> str:
        """Go through the generations; returns why they ended.

        Raises
        ------
        DivergedError
            If the journal has other candidates; the search has to go on from them.
        """
        message = ""
        try:
            message = self._until_stopped()
            self._record.end(message)
        except DivergedError:
            raise
        except BaseException as error:
            with contextlib.suppress(Exception):
                self._record.end(message or f"stopped by {error!r}")
            raise
        return message

    def _until_stopped(self) -> str:
        try:
            message = self._loop()
            self._interrupts.hold()
        except KeyboardInterrupt:
            self._interrupts.hold()
            if self._best is None:
                raise
            message = f"interrupted after {len(self.trials)} candidates"
        finally:
            self._bar.close()
        self._check_not_all_failed()
        return message

    def _loop(self) -> str:
        self._begin()
        self._interrupts.let_come()
        budget = self._optimizer.budget
        begun = self.generation
        for self.generation in range(begun, budget.generation_count + 1):
            message = self._evolve_up_to(budget.end(self.generation))
            self._check_not_all_failed()
            message = message or self._record.heeded(
                self._stopping.after_generation(self._value, self._progress)
            )
            if message:
                return message
        return f"{self._made} candidates in {budget.generation_count} generations"

    def _begin(self) -> None:
        """Start from what is known, which the journal has already."""
        if self._record.known is not None and len(self._record.known):
            self._adopt(self._record.known)
        self.generation = self._optimizer.budget.generation_after(self._made)
        self._record.begin(self._history)

    def _adopt(self, known: Past) -> None:
        """Take over recorded candidates; equal ones, which were not fitted, have no details."""
        rows = self._optimizer.adopt(known.genes, -known.loss)
        keys = [identity(self._params.flat(point)) for point in rows.params]
        for at, plain in known.details.items():
            if keys[at] not in self._known:
                trial = self._trial(rows, at, int(known.generation[at]))
                revive(trial, plain, known.errors.get(at))
                self._known[keys[at]] = trial
                self.trials.append(trial)
        self._fits.run(self.trials)
        self._inherited = sum(trial.generation < 0 for trial in self.trials)
        self._keep_best(self.trials)
        self._append(rows, known.loss, known.generation, known.seconds, known.errors)

    @property
    def _made(self) -> int:
        """Candidates that count."""
        return len(self.trials) - self._inherited

    def _evolve_up_to(self, end: int) -> str:
        """Fit portions until there are `end` candidates; returns why to stop before."""
        optimizer = self._optimizer
        while self._made < end:
            asked = optimizer.ask(self._record.portion(min(optimizer.batch, end - self._made)))
            if not len(asked):
                if self._record.replaying:
                    raise DivergedError(f"no candidate: {optimizer.exhausted}")
                return f"space exhausted: {optimizer.exhausted}"
            self._evaluate(asked)
            self._interrupts.raise_again()
            message = self._record.heeded(self._stopping.within(self._value))
            if message:
                return message
        return ""

    def _evaluate(self, asked: Candidates) -> None:
        """Fit the new ones of a portion, and tell the values of all."""
        start = perf_counter()
        outcomes = Outcomes(len(asked))
        rest = self._record.recall(asked, outcomes)
        keys = [identity(self._params.flat(point)) for point in asked.params]
        new = [at for at, key in enumerate(keys) if key not in self._known]
        new = [at for at in new if keys.index(keys[at]) == at]
        fresh = [self._trial(asked, at, self.generation) for at in new]
        for at, trial in zip(new, fresh, strict=True):
            if at in outcomes.details:
                revive(trial, outcomes.details[at], outcomes.recalled.get(at))
        self._fits.run(fresh)
        outcomes.seconds[rest] = (perf_counter() - start) / len(keys)
        with self._interrupts.put_off():
            self._known.update(zip([keys[at] for at in new], fresh, strict=True))
            self.trials += fresh
            self.duplicates += len(keys) - len(new)
            self._keep_best(fresh)
            for at in set(new).intersection(rest.tolist()):
                self._record.detail(int(asked.ids[at]), plain_trial(self._known[keys[at]]))
            self._tell(asked, [self._known[key] for key in keys], outcomes.seconds)
            self._record.recorded()
        self._bar.advance(len(fresh), self._value)

    def _tell(self, asked: Candidates, trials: Sequence[Trial], seconds: np.ndarray) -> None:
        """Tell the values of a portion, and extend the history."""
        values = [self._objective(trial) for trial in trials]
        self._optimizer.tell(asked.ids, -np.array(values))
        failed = {
            at: trial.reason or "the score is nan"
            for at, (trial, value) in enumerate(zip(trials, values, strict=True))
            if math.isnan(value)
        }
        self._append(asked, values, self.generation, seconds, failed)

    def _trial(self, asked: Candidates, at: int, generation: int) -> Trial:
        species = self._species.setdefault(int(asked.species[at]), len(self._species))
        return Trial(self._params.candidate(asked.params[at]), generation, species)

    def _keep_best(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            value = self._objective(trial)
            if value == value and not value <= self._value:
                self._best = trial

    def _append(
        self, asked: Candidates, values: Any, generation: Any, seconds: Any, errors: dict[int, str]
    ) -> None:
        """Extend the history, which callbacks see and the journal writes."""
        self._history.append(
            errors,
            id=asked.ids,
            generation=generation,
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
            replayed=self._record.has(len(self._history)),
        )

    def _check_not_all_failed(self) -> None:
        """Raise scikit-learn's own error if no fit succeeded."""
        error = self._fits.first_error
        if error is not None and not any(trial.outcomes for trial in self.trials):
            raise error
