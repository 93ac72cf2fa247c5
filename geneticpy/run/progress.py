"""What is shown of a run while it goes on."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from geneticpy.run.history import History


@dataclass(frozen=True)
class Progress:
    """State of a run after a generation, for callbacks and terminators.

    Attributes
    ----------
    generation : int
        0 is the first.
    evaluations : int
        Made so far.
    loss : float
        Best so far, in the user's sign; nan if none succeeded.
    seconds : float
        Since the start.
    history : History
        Every evaluation; it goes on growing while the run does.
    best_params
        Parameters of the best evaluation so far; None if none succeeded.
    replayed : bool
        Whether an earlier call has made these evaluations; they come from its journal.
    """

    generation: int
    evaluations: int
    loss: float
    seconds: float
    history: History
    best_params: Any
    replayed: bool = False


class Bar:
    """A tqdm bar over evaluations, with the best loss; or nothing at all.

    Parameters
    ----------
    total : int
        Evaluations that will be made.
    shown : bool
    label : str, default "loss"
        What the best so far is called.
    """

    def __init__(self, total: int, shown: bool, label: str = "loss"):
        self._bar = _tqdm(total) if shown else None
        self._label = label

    def advance(self, evaluations: int, loss: float) -> None:
        """Show more evaluations."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"{self._label}={loss:.6g}", refresh=False)
            self._bar.update(evaluations)

    def close(self) -> None:
        """End full, also when the run stopped early."""
        if self._bar is not None:
            self._bar.total = self._bar.n
            self._bar.close()
            self._bar = None  # its __del__ would swallow Ctrl-C later


def _tqdm(total: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notebook without widgets gets the plain bar
        from tqdm.auto import tqdm

        return tqdm(total=total, unit="eval")
