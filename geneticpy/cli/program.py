"""A loss that runs a program."""

from __future__ import annotations

import re
import threading
from typing import Any

from geneticpy.checks import number, whole
from geneticpy.cli.execution import Execution
from geneticpy.cli.passing import Passing
from geneticpy.cli.printed import compiled, last_match, last_number
from geneticpy.errors import ArgumentError

SHORT, LONG = 200, 2000  # characters of the output in a reason, and on the terminal
STOPPED = "stopped"


class ProgramError(RuntimeError):
    """A program that gave no loss.

    Parameters
    ----------
    reason : str
    output : str
        What it has printed.

    Attributes
    ----------
    output : str
        The end of it.
    """

    def __init__(self, reason: str, output: str = ""):
        last = _last_lines(output)
        super().__init__(f"{reason}: {last}" if last else reason)
        self.reason, self.output = reason, output.strip()[-LONG:]


def _last_lines(output: str) -> str:
    """Join the last lines that are not too long together; the end of the last in any case."""
    lines = [line.strip() for line in output[-LONG:].splitlines() if re.search(r"\w", line)]
    shown = lines[-1][-SHORT:] if lines else ""
    for line in reversed(lines[:-1]):
        if len(line) + len(shown) > SHORT:
            break
        shown = f"{line} | {shown}"
    return shown


class Program:
    """A loss: what a program prints when it gets the parameters.

    Parameters
    ----------
    passing : Passing
        The program, and how parameters reach it.
    loss_pattern : str, optional
        Regular expression with one group, whose last match in the output is the loss. By default
        that is the last number in the standard output.
    timeout : float, optional
        Seconds; then the program and the processes it has started are ended.
    retries : int, default 1
        How often a program that was killed by a signal is run again.

    Raises
    ------
    ArgumentError
        For wrong values.
    """

    def __init__(
        self,
        passing: Passing,
        *,
        loss_pattern: str | None = None,
        timeout: float | None = None,
        retries: int = 1,
    ):
        if timeout is not None and number("evaluation_timeout", timeout, 0) == 0:
            raise ArgumentError(f"evaluation_timeout: must be above 0, got {timeout!r}.")
        self._passing = passing
        self._pattern = None if loss_pattern is None else compiled(loss_pattern)
        self._timeout = timeout
        self._retries = whole("retries", retries, 0)
        self._under_way: set[Execution] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def __call__(self, params: Any) -> float:
        """Run the program; ProgramError, which names the reason, unless it prints a loss."""
        deaths = 0
        while True:
            ended = self._run(params)
            deaths += ended.killed
            if not ended.killed or deaths > self._retries:
                return self._loss(ended)

    def stop(self) -> None:
        """End the programs under way, and start none any more."""
        with self._lock:
            self._stopped = True
            under_way = list(self._under_way)
        enders = [threading.Thread(target=one.end, args=(STOPPED,)) for one in under_way]
        for ender in enders:
            ender.start()
        try:
            for ender in enders:
                ender.join()
        finally:  # a second Ctrl-C does not wait
            for one in under_way:
                one.kill()

    def _run(self, params: Any) -> Execution:
        with self._passing.passed(params) as (words, environment):
            with self._lock:
                if self._stopped:
                    raise ProgramError(STOPPED)
                try:
                    running = Execution(words, environment)
                except OSError as error:
                    raise ProgramError(f"cannot be started, {error}") from None
                self._under_way.add(running)
            try:
                running.wait(self._timeout)
            finally:
                self._under_way.discard(running)
        return running

    def _loss(self, ended: Execution) -> float:
        if ended.failure:
            raise ProgramError(ended.failure, ended.errors or ended.output)
        try:
            loss = self._found(ended)
        except ValueError as error:
            raise ProgramError(f"no loss, {error}", ended.output) from None
        if loss is None:
            raise ProgramError("no loss in the output", ended.output or ended.errors)
        return loss

    def _found(self, ended: Execution) -> float | None:
        if self._pattern is None:
            return last_number(ended.output)
        found = last_match(self._pattern, ended.output)
        return last_match(self._pattern, ended.errors) if found is None else found
