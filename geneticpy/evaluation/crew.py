"""Who evaluates: checks the arguments about workers, and makes what they ask for."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from geneticpy.checks import number, whole
from geneticpy.errors import ArgumentError
from geneticpy.evaluation.call import Call
from geneticpy.evaluation.loss import Loss
from geneticpy.evaluation.pool import Pool, PoolLoss


@dataclass(frozen=True)
class Crew:
    """Workers, as a run needs to know them.

    Attributes
    ----------
    loss : callable
        ``loss(call)`` makes the loss that they evaluate.
    slots : int or None
        Evaluations at the same time; None if an executor does not tell.
    streams : bool
        Whether single evaluations can be handed out, as the steady state needs.
    """

    loss: Callable[[Call], Loss]
    slots: int | None
    streams: bool = True


def hire(
    workers: int | str | None = None,
    executor: Any = None,
    *,
    evaluation_timeout: float | None = None,
    retries: int = 1,
    devices: Sequence[Any] | None = None,
    steady_state: bool = False,
) -> Crew | None:
    """Make a crew of what `optimize` was told; None to evaluate in this thread.

    Raises
    ------
    ArgumentError
        For wrong values, and for those that do not go together.
    """
    whole("retries", retries, 0)
    if evaluation_timeout is not None and number("evaluation_timeout", evaluation_timeout, 0) == 0:
        raise ArgumentError(f"evaluation_timeout: must be above 0, got {evaluation_timeout!r}.")
    if workers is not None and executor is not None:
        raise ArgumentError(
            f"workers: must not be given together with executor, got {workers!r} and {executor!r}."
        )
    if not _are_processes(workers):
        for name, value in (("evaluation_timeout", evaluation_timeout), ("devices", devices)):
            if value is not None:
                raise ArgumentError(
                    f"{name}: must come with workers=N, whose processes can be killed and have an "
                    f"environment of their own, got {value!r} with "
                    f"{_described(workers, executor)}."
                )
    if executor is not None:
        return _with_executor(executor, retries)
    if workers is None:
        return None
    if isinstance(workers, str):
        return _with_threads(workers)
    slots = _process_count(workers)
    if devices is not None:
        _check_devices(devices, slots)
    return _with_processes(
        slots, timeout=evaluation_timeout, retries=retries, devices=devices, ahead=steady_state
    )


def check_steady_state(crew: Crew | None, executor: Any, batch: int | None) -> None:
    """Refuse arguments that do not go with a steady state."""
    if crew is None or not crew.streams:
        raise ArgumentError(
            "steady_state: must come with workers, or with an executor that has submit, got True "
            f"with {_described(None, executor)}."
        )
    if crew.slots is None:
        raise ArgumentError(
            "steady_state: must know the number of workers, got an executor without the attribute "
            f"num_workers, {executor!r}."
        )
    if batch is not None:
        raise ArgumentError(f"batch: must not be given with steady_state, got {batch!r}.")


def _are_processes(workers: Any) -> bool:
    return workers is not None and not isinstance(workers, str)


def _described(workers: Any, executor: Any) -> str:
    if executor is not None:
        return f"executor={executor!r}"
    return "no workers" if workers is None else f"workers={workers!r}"


def _count(name: str, value: Any) -> int:
    """Check a number of workers; -1 is one for each core."""
    from geneticpy.evaluation.processes import cores

    if callable(value) or hasattr(value, "submit"):
        raise ArgumentError(f"{name}: must be a number, got {value!r}; give it as executor.")
    count = whole(name, value, -1)
    if count == 0:
        raise ArgumentError(f"{name}: must be -1 or at least 1, got {value!r}.")
    return cores() if count == -1 else count


def _process_count(workers: int) -> int:
    """Check a number of processes; Windows has a limit."""
    from geneticpy.evaluation.processes import MOST_ON_WINDOWS

    slots = _count("workers", workers)
    if sys.platform != "win32" or slots <= MOST_ON_WINDOWS:
        return slots
    if workers == -1:
        return MOST_ON_WINDOWS
    raise ArgumentError(
        f"workers: must be at most {MOST_ON_WINDOWS} processes on Windows, got {workers!r}."
    )


def _with_processes(slots: int, **options: Any) -> Crew:
    def loss(call: Call) -> Loss:
        from geneticpy.evaluation.processes import ProcessPool

        return PoolLoss(ProcessPool(call, slots, **options))

    return Crew(loss, slots)


def _check_devices(devices: Any, slots: int) -> None:
    if not isinstance(devices, list | tuple | range) or not len(devices):
        raise ArgumentError(f"devices: must be a list of accelerators, got {devices!r}.")
    if len(devices) > slots:
        raise ArgumentError(
            f"devices: must not be more than the workers, {slots}, got {devices!r}."
        )


def _with_threads(workers: str) -> Crew:
    form = re.fullmatch(r"threads(?::(-?[0-9]+))?", workers)
    if form is None:
        raise ArgumentError(
            f"workers: must be a number of processes or 'threads:N', got {workers!r}."
        )
    slots = _count("workers", int(form[1] or -1))

    def loss(call: Call) -> Loss:
        from geneticpy.evaluation.threads import ThreadPool

        return PoolLoss(ThreadPool(call, slots))

    return Crew(loss, slots)


def _with_executor(executor: Any, retries: int) -> Crew:
    if isinstance(executor, type) and hasattr(executor, "submit"):
        raise ArgumentError(f"executor: must be an instance of its class, got {executor!r}.")
    if hasattr(executor, "get_executor"):  # a client of dask.distributed
        slots = sum(executor.nthreads().values())
        if not slots:
            raise ArgumentError(f"executor: must have workers, got {executor!r}.")
        # Dask tries lost calls again by itself, and blames all that were queued at the same worker
        return _with_submit(executor.get_executor(pure=False), slots, retries=0, ahead=1)
    if callable(getattr(executor, "submit", None)):
        return _with_submit(executor, _slots(executor), retries=retries)
    if callable(executor) and (executor is map or not isinstance(executor, type)):

        def loss(call: Call) -> Loss:
            from geneticpy.evaluation.executors import MapLoss

            return MapLoss(call, executor)

        return Crew(loss, None, streams=False)
    raise ArgumentError(
        f"executor: must have submit(fn, *args), or be a function like map, got {executor!r}."
    )


def _with_submit(executor: Any, slots: int | None, **options: int) -> Crew:
    def loss(call: Call) -> Loss:
        from geneticpy.evaluation.executors import ExecutorPool

        pool: Pool = ExecutorPool(call, executor, slots, **options)
        return PoolLoss(pool)

    return Crew(loss, slots)


def _slots(executor: Any) -> int | None:
    """How many workers an executor says it has."""
    for name in ("num_workers", "_max_workers"):
        count = getattr(executor, name, None)
        if isinstance(count, int) and count > 0:
            return min(count, int(1e6))
    return None
