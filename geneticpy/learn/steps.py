"""Pipelines whose number of steps is searched."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone
from sklearn.pipeline import make_pipeline

STEP = "step"
PASS = "passthrough"


def assemble(name: str, value: Any, own: Any) -> Any:
    """Turn a list of steps into what takes its place; anything else is itself.

    Parameters
    ----------
    name : str
        The parameter. For ``steps`` of a pipeline the list of named steps is returned, else a
        pipeline.
    value : object
        A list of steps has only estimators, "passthrough" and dicts with a "step" whose
        parameters are named ``step__...``.
    own : object
        The estimator's own value: an empty list in the place of an estimator is "passthrough".
    """
    if not isinstance(value, list) or not all(map(_is_step, value)):
        return value
    if not value:
        return PASS if _is_step(own) else value
    pipeline = make_pipeline(*map(_step, value))
    return pipeline.steps if name.rpartition("__")[2] == "steps" else pipeline


def _is_step(item: Any) -> bool:
    if isinstance(item, dict):
        return STEP in item and all(
            key == STEP or str(key).startswith(f"{STEP}__") for key in item
        )
    return (isinstance(item, str) and item == PASS) or hasattr(item, "get_params")


def _step(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    own = {key.removeprefix(f"{STEP}__"): part for key, part in item.items() if key != STEP}
    return clone(item[STEP], safe=False).set_params(**own) if own else item[STEP]
