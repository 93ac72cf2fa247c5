"""One run in time: asks, evaluates, tells, until something ends it."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from geneticpy.errors import EvaluationError, EvaluationWarning
from geneticpy.evaluation.loss import Limits, Loss, Outcomes
from geneticpy.evaluation.pool import note
from geneticpy.evaluation.values import traceback_of
from geneticpy.evolution.optimizer import Candidates, Optimizer
from geneticpy.past import DivergedError
from geneticpy.record import Record
from geneticpy.run.history import History
from geneticpy.run.interrupts import Interrupts
from geneticpy.run.progress import Bar, Progress
from geneticpy.run.result import OptimizeResult
from geneticpy.run.stopping import Stopping
from geneticpy.steady import Ended, Stream


class Run:
    """The loop over ask, evaluate and tell.

    Parameters
    ----------
    optimizer : Optimizer
    loss : Loss
    stopping : Stopping
    sign : {1.0, -1.0}
        -1 if the user maximizes.
    raise_errors : bool
        Whether an exception of the loss ends the run.
    bar : Bar, optional
    record : Record, optional
        The journal that keeps the run, and what it has of it already.
    interrupts : Interrupts, optional

    Attributes
    ----------
    history : History
    generation : int
        The current one; 0 is the first.
    stream : Stream or None
        Given one, the run is in the steady state.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        loss: Loss,
        stopping: Stopping,
        *,
        sign: float = 1.0,
        raise_errors: bool = False,
        bar: Bar | None = None,
        record: Record | None = None,
        interrupts: Interrupts | None = None,
    ):
        self._optimizer, self._loss, self._stopping, self.sign = optimizer, loss, stopping, sign
        self._bar = Bar(0, shown=False) if bar is None else bar
        self.history = History(optimizer.encoding, optimizer.encoding.genome.d)
        self.generation = 0
        self.stream: Stream | None = None
        self._record = Record() if record is None else record
        self._interrupts = Interrupts() if interrupts is None else interrupts
        self._limits = Limits(
            stopping.enough, stopping.deadline, raise_errors, self._interrupts.raise_again
        )
        self._inherited = 0  # rows of the history that do not count
        self._first_error: BaseException | None = None

    def complete(self) -> OptimizeResult:
        """Run until something ends it."""
        message = ""
        try:
            message = self._until_stopped()
            self._record.end(message)
            self._warn_of_failures()
        except BaseException as error:
            why = message or f"stopped by {error!r}"
            with contextlib.suppress(Exception):
                self._record.end(why)
            with contextlib.suppress(Exception):  # one that takes no attributes comes without
                error.result = self.result(why)  # type: ignore[attr-defined]
            raise
        return self.result(message)

    def _until_stopped(self) -> str:
        try:
            try:
                message = self._loop()
            finally:
                if self.stream is not None:
                    self._keep(self.stream.cancel(), Limits())
            self._interrupts.hold()
            return message
        except KeyboardInterrupt:
            self._interrupts.hold()
            return f"interrupted after {len(self.history)} evaluations"
        finally:
            self._bar.close()
            self._loss.close()

    def _loop(self) -> str:
        """Go through the generations; returns why the run ends."""
        self._begin()
        self._interrupts.let_come()
        while True:
            try:
                message = self._record.heeded(self.evolve()) or self._spent()
            except DivergedError as error:
                self._start_over(error)
                continue
            if message:
                return message
            self.generation += 1

    def _begin(self) -> None:
        """Start from what is known, which the journal has already."""
        known = self._record.known
        if known is not None and len(known):
            rows = self._optimizer.adopt(known.genes, self.sign * known.loss)
            self.history.append(
                known.errors,
                id=rows.ids,
                generation=known.generation,
                genes=rows.genes,
                loss=known.loss,
                species=rows.species,
                parents=rows.parents,
                seconds=known.seconds,
            )
            self._inherited = int((known.generation < 0).sum())
        self.generation = self._optimizer.budget.generation_after(self._made)
        self._record.begin(self.history)

    def _start_over(self, error: DivergedError) -> None:
        """Go on from the recorded points, with an optimizer that is told all of them at once."""
        self._optimizer = self._record.start_over(error)
        self.history = History(self._optimizer.encoding, self._optimizer.encoding.genome.d)
        if self.stream is not None:
            self.stream.restart(self._optimizer)
        self._begin()

    @property
    def _made(self) -> int:
        """Evaluations that count."""
        return len(self.history) - self._inherited

    def _spent(self) -> str:
        """Why there are no evaluations left to make, after the current generation."""
        budget = self._optimizer.budget
        if self._made == budget.max_evaluations:
            return f"max_evaluations reached: {budget.max_evaluations} evaluations"
        if self.generation >= budget.generation_count:
            return (
                f"generation_count reached: {budget.generation_count} generations, "
                f"{self._made} evaluations"
            )
        return ""

    def evolve(self) -> str:
        """Evaluate the current generation; returns why to stop, or an empty string."""
        before = len(self.history)
        message = self._evaluate_up_to(self._optimizer.budget.end(self.generation))
        if self.generation == 0:
            self._check_not_all_failed()
        if message and len(self.history) == before:  # the end came before it began
            self.generation = max(self.generation - 1, 0)
            return message
        verdict = self._stopping.after_generation(self.best_loss, self._progress)
        return message or verdict

    def _evaluate_up_to(self, end: int) -> str:
        """Evaluate until `end` evaluations are made; returns why to stop before."""
        step = self._evaluate_batch if self.stream is None else partial(self._flow, self.stream)
        while self._made < end:
            if not step(end):
                if self._record.replaying:
                    raise DivergedError(f"no candidate: {self._optimizer.exhausted}")
                return f"space exhausted: {self._optimizer.exhausted}"
            self._interrupts.raise_again()
            message = self._record.heeded(self._stopping.within(self.best_loss))
            if message:
                return message
        return ""

    def _evaluate_batch(self, end: int) -> bool:
        """Evaluate a batch; returns whether there was one."""
        optimizer = self._optimizer
        candidates = optimizer.ask(self._record.portion(min(optimizer.batch, end - self._made)))
        if len(candidates):
            outcomes = Outcomes(len(candidates), self._record.heard)
            evaluate = partial(
                self._record.evaluate, self._loss, candidates, outcomes, self._limits
            )
            self._recording(evaluate, candidates, outcomes)
        return len(candidates) > 0

    def _flow(self, stream: Stream, end: int) -> bool:
        """Give every free worker a candidate and take what has ended; False with none under way.

        The end of a generation is no barrier: the next one has begun when it comes.
        """
        again = next(stream.replayed, None)
        if again is not None:
            outcomes = Outcomes(len(again))
            self._recording(partial(self._record.recall, again, outcomes), again, outcomes)
            return True
        stream.fill(self._optimizer.budget.total - self._made)
        if not stream.under_way:
            return False
        self._keep(stream.wait(self._limits.deadline), self._limits)
        return True

    def _keep(self, ended: Ended, limits: Limits) -> None:
        if not len(ended):
            self._record.recorded()  # others may wait to be written
            return
        outcomes = Outcomes(len(ended), self._record.heard)
        self._recording(partial(note, outcomes, ended.reports, limits), ended, outcomes)

    def _recording(
        self,
        evaluate: Callable[[], Any],
        candidates: Candidates | Ended,
        outcomes: Outcomes,
    ) -> None:
        """Let something fill in outcomes, and record what has ended, whatever happens."""
        before = len(self.history)
        self._record.watch(candidates, outcomes, self.generation)
        try:
            try:
                evaluate()
            finally:
                self._append(candidates, outcomes)
        except KeyboardInterrupt:
            if len(self.history) == before:  # it came just before the record
                self._append(candidates, outcomes)
            raise
        finally:
            with self._interrupts.put_off():
                self._record.recorded()

    def _append(self, candidates: Candidates | Ended, outcomes: Outcomes) -> None:
        """Keep what has ended, in the order of ids; the history first, whose rows stay."""
        ended = outcomes.ended
        if not len(ended):
            return
        all_ended = len(ended) == len(candidates)
        rows: Any = slice(None) if all_ended else ended
        ids = candidates.ids if all_ended else candidates.ids[ended]
        loss = outcomes.loss[rows]
        errors = self._errors(outcomes) if np.isnan(loss).any() else {}
        with self._interrupts.put_off():
            self.history.append(
                errors,
                id=ids,
                generation=self.generation,
                genes=candidates.genes[rows],
                loss=loss,
                species=candidates.species[rows],
                parents=candidates.parents[rows],
                seconds=outcomes.seconds[rows],
            )
            self._optimizer.tell(ids, self.sign * loss)
        self._bar.advance(len(ended), self.best_loss)

    def _errors(self, outcomes: Outcomes) -> dict[int, str]:
        """Why rows failed, by their place among those that ended; remembers the first error."""
        if self._first_error is None and outcomes.errors:
            self._first_error = outcomes.errors[min(outcomes.errors)]
        reasons = outcomes.reasons()
        ended = outcomes.ended.tolist()
        return {row: reasons[at] for row, at in enumerate(ended) if at in reasons}

    @property
    def best_loss(self) -> float:
        """Best so far, in the user's sign; nan if none succeeded."""
        return self.sign * self._optimizer.best_loss

    def _progress(self) -> Progress:
        return Progress(
            generation=self.generation,
            evaluations=len(self.history),
            loss=self.best_loss,
            seconds=self._seconds(),
            history=self.history,
            best_params=self._optimizer.best_params,
            replayed=self._record.has(len(self.history)),
        )

    def result(self, message: str) -> OptimizeResult:
        """Everything so far."""
        best = self.history.best(self.sign)
        return OptimizeResult(
            None if best is None else self.history.params(best),
            math.nan if best is None else float(self.history.loss[best]),
            self._seconds(),
            generations=self.generation,
            message=message,
            history=self.history,
            strategy=self._optimizer.strategy,
        )

    def _seconds(self) -> float:
        return perf_counter() - self._stopping.started

    def _check_not_all_failed(self) -> None:
        made, failed = len(self.history), self.history.failed_rows
        if len(failed) < made or not made:  # none: the time was up before the first had ended
            return
        error = self._first_error
        first = self.history.failure(0).reason if error is None else traceback_of(error)
        raise EvaluationError(
            f"all {made} evaluations of the first generation failed; the first of them:\n{first}"
        ) from error

    def _warn_of_failures(self) -> None:
        failed = len(self.history.failed_rows)
        if failed:
            warnings.warn(
                f"{failed} of {len(self.history)} evaluations failed and were skipped; "
                "result.failures lists them.",
                EvaluationWarning,
                stacklevel=4,
            )
