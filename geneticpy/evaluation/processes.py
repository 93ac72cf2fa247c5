"""Worker processes that survive what happens to losses: crashes, endless loops, dying memory."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from multiprocessing import connection as connections
from multiprocessing import spawn
from time import perf_counter
from typing import Any

from geneticpy.errors import ArgumentError, EvaluationError
from geneticpy.evaluation.call import Call, Report, process_of_this_host
from geneticpy.evaluation.pool import CHUNK_SECONDS, POLL, ChunkSize, Ended, Job
from geneticpy.evaluation.worker import READY

THREADS = (
    "BLIS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
DEVICES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ZE_AFFINITY_MASK")
MOST_ON_WINDOWS = 60  # processes: it cannot wait for more than 63 things at once
FAREWELL = 1.0  # seconds for idle workers to leave by themselves
UNREAD = 4000  # bytes that may wait for a busy worker to read them: sending must not block
STILLBORN = 3  # workers that may die in a row before they are ready


class ProcessPool:
    """Processes that each hold the user's function and receive parameters only.

    They are fresh interpreters, on every OS and whatever the start method of multiprocessing is:
    the main script is not run in them, no thread or lock is inherited, and the environment is set
    before anything is imported. Each evaluation is reported as soon as it has ended, so that a
    worker that dies costs the one it was at.

    Parameters
    ----------
    call : Call
    slots : int
        Number of processes.
    timeout : float, optional
        Seconds for one evaluation; then its worker is killed and replaced.
    retries : int, default 1
        How often an evaluation whose worker died is tried again.
    devices : sequence, optional
        Accelerators; each process sees one of them only.
    ahead : bool, default False
        Whether a worker gets its next job before it has ended the one it is at, so that it need
        not wait for a parent that is busy. Idle workers get what waits at one that is slow.

    Raises
    ------
    ArgumentError
        If the function cannot be pickled.
    """

    def __init__(
        self,
        call: Call,
        slots: int,
        *,
        timeout: float | None = None,
        retries: int = 1,
        devices: Sequence[Any] | None = None,
        ahead: bool = False,
    ):
        self.slots = slots
        self._most_given = 2 if ahead else 1
        self._data = pickled(call)
        self._timeout = math.inf if timeout is None else timeout
        self._retries = retries
        self._environments = [_environment(slots, at, devices) for at in range(slots)]
        self._workers: dict[int, Worker] = {}
        self._waiting: deque[Job] = deque()
        self._ended: list[Ended] = []
        self._chunk_size = ChunkSize(slots)
        self._stillborn = 0

    def submit(self, jobs: Iterable[Job]) -> None:
        self._waiting.extend(jobs)
        self._hand_out()

    def wait(self, seconds: float) -> list[Ended]:
        if not self._ended:
            self._listen(seconds)
            self._end_late()
            self._hand_out()
        ended, self._ended = self._ended, []
        return ended

    def cancel(self) -> list[Ended]:
        self._listen(0)
        for worker in list(self._workers.values()):
            if worker.jobs:
                self._remove(worker)
        self._waiting.clear()
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        """Let idle workers leave, and kill the others; none is left behind."""
        self._waiting.clear()
        workers = list(self._workers.values())
        self._workers.clear()
        for worker in workers:
            worker.dismiss()
        until = perf_counter() + FAREWELL
        for worker in workers:
            worker.wait_or_kill(until - perf_counter())

    def _hand_out(self) -> None:
        """Give workers their jobs, idle ones first; start those that are missing."""
        self._take_back()
        if self._waiting:
            for at in set(range(self.slots)) - self._workers.keys():
                self._workers[at] = Worker(at, self._environments[at])
        for most in range(self._most_given):
            for worker in self._workers.values():
                if self._waiting and worker.accepts(most):
                    n = self._chunk_size(len(self._waiting)) if worker.idle else 1
                    self._give(worker, [self._waiting.popleft() for _ in range(n)])

    def _take_back(self) -> None:
        """Take away what waits behind an evaluation that takes long, if a worker is idle."""
        if self._waiting or not any(worker.idle for worker in self._workers.values()):
            return
        late = perf_counter() - CHUNK_SECONDS
        for worker in self._workers.values():
            if worker.since < late:
                self._waiting.extend(worker.take_back())

    def _give(self, worker: Worker, jobs: list[Job]) -> None:
        """Send jobs; none ahead any more if one is too large for that."""
        if not worker.give(jobs):
            self._waiting.extendleft(reversed(jobs))
            self._most_given = 1

    def _listen(self, seconds: float) -> None:
        """Wait for messages until one comes or a worker is late, and read all there are."""
        workers = list(self._workers.values())
        late = min((worker.since for worker in workers if worker.jobs), default=math.inf)
        seconds = min(seconds, max(late + self._timeout - perf_counter(), 0.0), POLL)
        ready = set(connections.wait([worker.connection for worker in workers], seconds))
        for worker in workers:
            died = worker.died
            if worker.connection in ready or died:
                self._read(worker)
            if died and worker.at in self._workers:  # its own children keep the connection open
                self._bury(worker)

    def _read(self, worker: Worker) -> None:
        try:
            while worker.connection.poll():
                self._take(worker, worker.connection.recv())
        except (EOFError, OSError):
            self._bury(worker)

    def _take(self, worker: Worker, message: Any) -> None:
        """Follow a worker through its start, or take its report."""
        if isinstance(message, tuple):
            id, report = message
            if worker.jobs and worker.jobs[0].id == id:  # else it was taken back, but too late
                self._chunk_size.learn(report.seconds)
                self._ended.append((worker.advance(), report))
        elif not worker.greeted:
            worker.prepare(self._data)
        elif message == READY:
            worker.ready = True
            self._stillborn = 0
        else:
            raise EvaluationError(
                f"fn: must be readable in a worker process, got there\n{message}"
            )

    def _bury(self, worker: Worker) -> None:
        """Remove a worker that died; its evaluation is tried again, or has failed."""
        manner = manner_of(worker.kill())
        if worker.jobs:
            job = worker.jobs[0]
            job.deaths += 1
            if job.deaths > self._retries:
                times = "" if job.deaths == 1 else f", {job.deaths} times"
                self._fail(worker, ChildProcessError(f"the worker died {manner}{times}"))
        self._remove(worker)
        self._stillborn += not worker.ready
        if self._stillborn >= STILLBORN:
            raise EvaluationError(
                f"workers: must be able to start, got {self._stillborn} that died before they "
                f"were ready, the last {manner}."
            )

    def _end_late(self) -> None:
        """Kill workers whose evaluation takes too long."""
        now = perf_counter()
        for worker in list(self._workers.values()):
            if worker.jobs and now - worker.since >= self._timeout:
                late = f"evaluation_timeout of {self._timeout:g} seconds"
                self._fail(worker, TimeoutError(late))
                self._remove(worker)

    def _fail(self, worker: Worker, error: Exception) -> None:
        """Report that the evaluation a worker is at has failed."""
        seconds = perf_counter() - worker.since
        report = Report(math.nan, seconds, error, worker=worker.name)
        self._ended.append((worker.jobs.popleft().key, report))

    def _remove(self, worker: Worker) -> None:
        """Kill a worker; jobs that are left wait again, first in line."""
        worker.kill()
        del self._workers[worker.at]
        self._waiting.extendleft(reversed(worker.jobs))


class Worker:
    """A process as its parent sees it.

    Attributes
    ----------
    at : int
        Its place in the pool.
    name : str
        Of its process, as its reports have it.
    connection : Connection
    greeted, ready : bool
        Whether it is up, and whether it has the function.
    jobs : deque of Job
        What it has to do; it is at the first.
    since : float
        When it began with that.
    deprived : bool
        Whether jobs were taken away from it since then.
    """

    def __init__(self, at: int, environment: dict[str, str]):
        self.at = at
        self.connection, theirs = connections.Pipe()
        self.greeted = self.ready = self.deprived = False
        self.jobs: deque[Job] = deque()
        self.since = math.inf
        with theirs:
            self._process = _start(theirs.fileno(), environment)
        self.name = process_of_this_host(self._process.pid)

    @property
    def idle(self) -> bool:
        """Whether it waits for jobs."""
        return self.ready and not self.jobs

    @property
    def died(self) -> bool:
        """Whether its process has ended."""
        return self._process.poll() is not None

    def prepare(self, data: bytes) -> None:
        """Send the function; the process waits for it."""
        self.greeted = True
        self.connection.send((sys.argv, data))

    def accepts(self, most: int) -> bool:
        """Whether it may get jobs, given that it has at most so many."""
        return self.ready and not self.deprived and len(self.jobs) <= most

    def give(self, jobs: list[Job]) -> bool:
        """Send jobs; returns whether they could be sent without waiting for it to read them.

        If that fails, it has died, and the next look at it finds out.
        """
        data = pickled([(job.id, job.params) for job in jobs])
        if self.jobs and len(data) > UNREAD:
            return False
        if not self.jobs:
            self.since = perf_counter()
        self.jobs.extend(jobs)
        self._send(data)
        return True

    def take_back(self) -> list[Job]:
        """Take all jobs away but the one that it is at; it gets none until it has ended that."""
        if len(self.jobs) < 2:
            return []
        first, *others = self.jobs
        self.jobs = deque([first])
        self.deprived = True
        self._send(pickled(tuple(job.id for job in others)))
        return others

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.connection.send_bytes(data)

    def advance(self) -> int:
        """Note that it has reported the first of its jobs; returns its key."""
        self.since = perf_counter()
        self.deprived = False
        return self.jobs.popleft().key

    def kill(self) -> int | None:
        """End it and the processes it has started; returns the exit code."""
        kill_group(self._process)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(FAREWELL)
        self.connection.close()
        return self._process.returncode

    def dismiss(self) -> None:
        """Ask it to leave if it is idle, and kill it otherwise."""
        if self.idle:
            self.connection.close()
        else:
            self.kill()

    def wait_or_kill(self, seconds: float) -> None:
        """Wait until it has left, but not long."""
        try:
            self._process.wait(max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            self.kill()


def pickled(thing: Any) -> bytes:
    """Pickle with the functions and classes of the main script in it."""
    import cloudpickle

    try:
        data: bytes = cloudpickle.dumps(thing)
    except Exception as error:
        what = f"fn: {thing.fn!r}" if isinstance(thing, Call) else f"params: {thing!r}"
        raise ArgumentError(
            f"{what.partition(':')[0]}: must be picklable to reach another process, "
            f"got{what.partition(':')[2]}: {error}."
        ) from error
    return data


def _environment(slots: int, at: int, devices: Sequence[Any] | None) -> dict[str, str]:
    """Environment of a worker: its share of the cores for linear algebra, and its accelerator."""
    threads = str(max(1, cores() // slots))
    environment = dict.fromkeys(THREADS, threads) | dict(os.environ)
    if devices is not None:
        environment |= dict.fromkeys(DEVICES, str(devices[at % len(devices)]))
    return environment


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start(handle: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start an interpreter that serves the connection with a handle."""
    program = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        f"from geneticpy.evaluation.worker import main; main({handle})"
    )
    environment = dict(environment)
    options: dict[str, Any] = {"env": environment, "stdin": subprocess.DEVNULL}
    if sys.platform == "win32":
        os.set_handle_inheritable(handle, True)
        options["startupinfo"] = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP  # no Ctrl-C
    else:
        options |= {
            "pass_fds": [handle],
            "start_new_session": True,
        }  # no Ctrl-C; one group to kill
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return subprocess.Popen([_interpreter(environment), *flags, "-c", program], **options)


def _interpreter(environment: dict[str, str]) -> str:
    """Find the executable; of a virtual environment on Windows, the one behind its launcher.

    The launcher would be the process that is killed, waited for and taken for the parent.
    """
    executable = spawn.get_executable()
    base: str = getattr(sys, "_base_executable", executable)
    if sys.platform != "win32" or executable != sys.executable or base == executable:
        return executable
    environment["__PYVENV_LAUNCHER__"] = executable
    return base


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that was started in a session of its own, and those that it has started."""
    if sys.platform == "win32":
        if process.poll() is None:
            with contextlib.suppress(OSError):
                kill_all = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
                subprocess.run(kill_all, capture_output=True, check=False)
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def manner_of(code: int | None) -> str:
    """How a process ended."""
    if code is None or code >= 0:
        return f"with exit code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
