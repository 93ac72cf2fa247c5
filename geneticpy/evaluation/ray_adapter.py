"""Ray as an executor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class RayExecutor:
    """Submits each call as a Ray task.

    Parameters
    ----------
    options : dict
        Of the tasks: `num_cpus`, `num_gpus`, `resources`, `runtime_env` and all that
        ``ray.remote`` takes.

    Attributes
    ----------
    num_workers : int
        Tasks for which the cluster has the CPUs.

    Raises
    ------
    ImportError
        If Ray is not installed.
    """

    def __init__(self, options: dict[str, Any]):
        try:
            import ray
        except ImportError as error:
            raise ImportError(
                f"ray_executor: must find Ray (pip install 'geneticpy[ray]'), got {error!r}."
            ) from error
        if not ray.is_initialized():
            ray.init()
        self._options = {"num_cpus": 1, "max_retries": 0} | options
        self._task = ray.remote(**self._options)(_call)
        cpus = ray.cluster_resources().get("CPU", 1)
        self.num_workers = max(1, int(cpus / max(self._options["num_cpus"], 1e-3)))

    def submit(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Start a task; returns a concurrent.futures.Future."""
        return self._task.remote(fn, *args).future()


def _call(fn: Callable[..., Any], *args: Any) -> Any:
    return fn(*args)
