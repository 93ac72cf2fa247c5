"""What runs in a worker process: evaluate what comes through a connection, and report."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection, wait
from typing import Any

from geneticpy.evaluation.call import Call, attempt
from geneticpy.evaluation.values import traceback_of

READY = "ready"
PARENT_CHECK = 1.0  # seconds between looks at whether the parent lives


def main(handle: int) -> None:
    """Serve until the connection ends.

    Parameters
    ----------
    handle : int
        Of the connection: a file descriptor, on Windows a handle.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    with _connection(handle) as connection, contextlib.suppress(EOFError, OSError):
        connection.send(READY)
        call = _receive_call(connection)
        if call is not None:
            _serve(call, connection)


def _connection(handle: int) -> Any:
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        return PipeConnection(handle)
    return Connection(handle)


def _receive_call(connection: Any) -> Call | None:
    """Load the user's function; None, and the reason to the parent, if that is impossible."""
    argv, data = connection.recv()
    sys.argv = argv
    try:
        call: Call = pickle.loads(data)
    except BaseException as error:
        connection.send(traceback_of(error))
        return None
    connection.send(READY)
    return call


def _serve(call: Call, connection: Any) -> None:
    """Make the evaluations that come, and send each report as soon as there is one."""
    jobs: dict[int, Any] = {}
    while True:
        while not jobs or connection.poll():
            _receive_jobs(jobs, connection)
        id = next(iter(jobs))
        report = attempt(call, jobs.pop(id), id)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
        connection.send((id, report))


def _receive_jobs(jobs: dict[int, Any], connection: Any) -> None:
    """Read one message: a list of jobs to add, or a tuple of the numbers of those taken back."""
    message = pickle.loads(connection.recv_bytes())
    if isinstance(message, list):
        jobs.update(message)
    else:
        for id in message:
            jobs.pop(id, None)


def _end_with_parent(parent: int) -> None:
    """Exit when the parent was killed, also in the middle of an evaluation."""
    if sys.platform == "win32":  # there, the number of the parent stays the same
        import _winapi

        wait([_winapi.OpenProcess(_winapi.SYNCHRONIZE, False, parent)])
    else:
        while os.getppid() == parent:
            time.sleep(PARENT_CHECK)
    os._exit(1)
