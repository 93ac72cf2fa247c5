"""Tasks of scikit-learn 1.9, which its callbacks are told of; earlier versions have none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def task(
    parent: Any, search: Any, name: str, subtasks: int | None, *, in_turn: bool
) -> Iterator[Any]:
    """Begin and end a task.

    Parameters
    ----------
    parent : CallbackContext or None
        None without callbacks; so is then the task.
    search : estimator
    name : str
    subtasks : int or None
        At most so many; None if that is not known.
    in_turn : bool
        Whether subtasks run one after the other.
    """
    if parent is None:
        yield None
        return
    context = parent.subcontext(
        task_name=name, max_subtasks=subtasks, sequential_subtasks=in_turn
    ).call_on_fit_task_begin(estimator=search)
    yield context
    context.call_on_fit_task_end(estimator=search)
