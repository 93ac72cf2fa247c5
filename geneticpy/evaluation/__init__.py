"""How a loss is computed."""

from __future__ import annotations

from typing import Any


def ray_executor(**options: Any) -> Any:
    """Make an executor of Ray, for ``optimize(..., executor=ray_executor())``.

    Parameters
    ----------
    **options
        Of each evaluation, as ``ray.remote`` takes them: ``num_cpus=1`` (the default),
        ``num_gpus=0.5``, ``resources={...}``. Evaluations whose worker or node is lost are tried
        again by `optimize`, so that `max_retries` is 0 by default.

    Returns
    -------
    RayExecutor
        It uses the cluster that ``ray.init`` has connected to, or starts Ray on this machine.

    Raises
    ------
    ImportError
        If Ray is not installed.
    """
    from geneticpy.evaluation.ray_adapter import RayExecutor

    return RayExecutor(options)
