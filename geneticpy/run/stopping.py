"""When a run stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from geneticpy.checks import function, number, whole
from geneticpy.errors import ArgumentError
from geneticpy.run.progress import Progress


class Target:
    """Whether a loss is as good as the target, or better.

    Parameters
    ----------
    target : float
    sign : {1.0, -1.0}
        -1 if the user maximizes.
    """

    def __init__(self, target: float, sign: float):
        self._sign, self._goal = sign, sign * number("target", target)

    def __call__(self, loss: float) -> bool:
        return self._sign * loss <= self._goal


@dataclass
class Stopping:
    """The rules that may end a run before its evaluations are spent.

    Attributes
    ----------
    enough : callable or None
        ``enough(loss)``: whether the target is reached.
    patience : int or None
        Generations without a better loss.
    time_limit : float or None
        Seconds.
    terminator, callback : callable or None
        Called with a Progress after each generation; True, or a message of the terminator, stops.
    """

    enough: Callable[[float], bool] | None = None
    patience: int | None = None
    time_limit: float | None = None
    terminator: Callable[[Progress], Any] | None = None
    callback: Callable[[Progress], Any] | None = None

    def __post_init__(self) -> None:
        if self.patience is not None:
            whole("patience", self.patience)
        if self.time_limit is not None:
            number("time_limit", self.time_limit, 0)
        function("terminator", self.terminator, "progress")
        function("callback", self.callback, "progress")
        self.started = perf_counter()
        self._best = float("nan")
        self._stagnant = 0

    @property
    def deadline(self) -> float:
        """On the clock of `time.perf_counter`."""
        return float("inf") if self.time_limit is None else self.started + self.time_limit

    def within(self, loss: float) -> str:
        """Why to stop in the middle of a generation; empty to go on."""
        if self.enough is not None and self.enough(loss):
            return f"target reached: loss {loss!r}"
        if perf_counter() >= self.deadline:
            return f"time_limit reached: {self.time_limit} seconds"
        return ""

    def after_generation(self, loss: float, progress: Callable[[], Progress]) -> str:
        """Why to stop after a generation; empty to go on.

        Parameters
        ----------
        loss : float
            Best so far.
        progress : callable
            Makes the Progress, if anybody is to see it.
        """
        reasons = [self._out_of_patience(loss)]
        if self.terminator or self.callback:
            state = progress()
            reasons += [self._terminated(state), self._called_back(state)]
        return next(filter(None, reasons), "")

    def _out_of_patience(self, loss: float) -> str:
        improved = loss != self._best and loss == loss  # the best so far only ever improves
        self._best = loss
        self._stagnant = 0 if improved else self._stagnant + 1
        if self.patience is not None and self._stagnant >= self.patience:
            return f"patience exhausted: {self._stagnant} generations without a better loss"
        return ""

    def _terminated(self, progress: Progress) -> str:
        verdict = self.terminator(progress) if self.terminator else None
        if isinstance(verdict, str):
            return verdict
        try:
            stops = bool(verdict)
        except Exception as error:
            raise ArgumentError(
                f"terminator: must return True, False or a message, got {verdict!r}."
            ) from error
        return "the terminator stopped the run" if stops else ""

    def _called_back(self, progress: Progress) -> str:
        try:
            verdict = self.callback(progress) if self.callback else None
        except StopIteration as stop:
            return str(stop) or "the callback stopped the run"
        told = isinstance(verdict, bool | np.bool_) and verdict  # list.append as callback: go on
        return "the callback stopped the run" if told else ""
