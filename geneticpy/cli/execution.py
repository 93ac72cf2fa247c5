"""One program under way, and what it prints."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import IO, Any

from geneticpy.evaluation.processes import kill_group, manner_of

KEPT = 2**20  # last bytes of each stream
CHUNK = 2**16
GRACE = 3.0  # seconds for a program to end by itself when it is told to
DRAIN = 1.0  # seconds to read the rest of a stream that a program left open to others


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
