"""A loss that runs a program."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from typing import IO, Any

from geneticpy.checks import number, whole
from geneticpy.cli.passing import Passing
from geneticpy.cli.printed import compiled, last_match, last_number
from geneticpy.errors import ArgumentError
from geneticpy.evaluation.processes import kill_group, manner_of

KEPT = 2**20  # last bytes of each stream in which the loss is looked for
CHUNK = 2**16
SHORT, LONG = 200, 2000  # characters of the output in a reason, and on the terminal
GRACE = 3.0  # seconds for a program to end by itself when it is told to
STOPPED = "stopped"
DRAIN = 1.0  # seconds to read the rest of a stream that a program left open to others


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


class Execution:
    """One program under way, in a session of its own: Ctrl-C does not reach it, `end` does.

    Parameters
    ----------
    words : list of str
        The program and its arguments.
    environment : dict of str to str
    """

    def __init__(self, words: list[str], environment: dict[str, str]):
        options: dict[str, Any] = {"env": environment, "stdin": subprocess.DEVNULL}
        if sys.platform == "win32":
            options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
        else:
            options["start_new_session"] = True
        self._process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        )
        self._streams = [Tail(self._process.stdout), Tail(self._process.stderr)]
        self._told = ""

    def wait(self, timeout: float | None) -> None:
        """Wait until it has ended, and end it when its time is up."""
        late = f"time limit of {timeout:g} s exceeded" if timeout is not None else ""
        timer = threading.Timer(timeout or 0.0, self.end, [late])
        if timeout is not None:
            timer.start()
        try:
            self._process.wait()
        finally:
            timer.cancel()
            self.kill()
        for stream in self._streams:
            stream.join(DRAIN)

    def end(self, reason: str) -> None:
        """Tell the program and what it has started to end, and kill what does not."""
        self._told = reason
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        self.kill()

    def kill(self) -> None:
        """Kill the program and what it has started."""
        kill_group(self._process)

    @property
    def killed(self) -> bool:
        """Whether a signal that was not ours has ended it."""
        return not self._told and self._process.returncode < 0

    @property
    def failure(self) -> str:
        """Why it failed; empty if it did not."""
        code = self._process.returncode
        return self._told or ("" if code == 0 else f"ended {manner_of(code)}")

    @property
    def output(self) -> str:
        """End of the standard output."""
        return self._streams[0].text

    @property
    def errors(self) -> str:
        """End of the standard error."""
        return self._streams[1].text


class Tail(threading.Thread):
    """Reads a stream to its end and keeps the last part, so that no output is too long.

    Parameters
    ----------
    stream : binary file
    """

    def __init__(self, stream: IO[bytes] | None):
        super().__init__(daemon=True)
        assert stream is not None, "the program is started with pipes"
        self._stream = stream
        self._kept = b""
        self.start()

    def run(self) -> None:
        with self._stream:
            while chunk := os.read(self._stream.fileno(), CHUNK):
                self._kept = (self._kept + chunk)[-KEPT:]

    @property
    def text(self) -> str:
        """What is kept."""
        return self._kept.decode(errors="replace")
