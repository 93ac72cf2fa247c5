"""What a run returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from geneticpy.run.history import Failure, History

NAMES = {
    "best_params": "best_params",
    "top_params": "best_params",
    "loss": "loss",
    "best_score": "loss",
    "top_score": "loss",
    "total_time": "total_time",
}


class OptimizeResult:
    """The best point, and everything known of the run.

    Unpacks to ``best_params, loss, total_time``; the same three and the names of all versions of
    GeneticPy are attributes and keys.

    Attributes
    ----------
    best_params
        Parameters of the best evaluation; None if none succeeded.
    loss : float
        Its loss, in the user's sign; nan if none succeeded.
    total_time : float
        Seconds.
    evaluations, generations : int
        How many were made; failed evaluations count, and those that a warm start knows. The first
        generation does not.
    message : str
        Why the run stopped.
    strategy : str
        How the points were found, and why so.
    history : History
        Every evaluation.
    failures : Failures
        The failed ones.
    """

    def __init__(
        self,
        best_params: Any,
        loss: float,
        total_time: float,
        *,
        generations: int,
        message: str,
        history: History,
        strategy: str = "",
    ):
        self.best_params, self.loss, self.total_time = best_params, loss, total_time
        self.generations, self.message, self.history = generations, message, history
        self.strategy = strategy

    @property
    def evaluations(self) -> int:
        """Evaluations made, failed ones included."""
        return len(self.history)

    @property
    def failures(self) -> Failures:
        """The failed evaluations."""
        return Failures(self.history)

    @property
    def best_score(self) -> float:
        """The loss, as GeneticPy 2.0 calls it."""
        return self.loss

    @property
    def top_params(self) -> Any:
        """The best parameters, as GeneticPy 1 calls them."""
        return self.best_params

    @property
    def top_score(self) -> float:
        """The loss, as GeneticPy 1 calls it."""
        return self.loss

    def __iter__(self) -> Iterator[Any]:
        return iter((self.best_params, self.loss, self.total_time))

    def __len__(self) -> int:
        return 3

    def __getitem__(self, key: int | slice | str) -> Any:
        if isinstance(key, str):
            if key not in NAMES:
                raise KeyError(f"result: must be one of {list(NAMES)}, got {key!r}.")
            return getattr(self, NAMES[key])
        return tuple(self)[key]

    def __contains__(self, key: object) -> bool:
        return key in NAMES

    def keys(self) -> list[str]:
        """Names of the dict that GeneticPy 1 returned."""
        return ["top_params", "top_score", "total_time"]

    def values(self) -> list[Any]:
        """Values in the order of `keys`."""
        return [self[key] for key in self.keys()]

    def items(self) -> list[tuple[str, Any]]:
        """Pairs in the order of `keys`."""
        return [(key, self[key]) for key in self.keys()]

    def get(self, key: str, default: Any = None) -> Any:
        """Value of a key, or a default."""
        return self[key] if key in NAMES else default

    def __repr__(self) -> str:
        return (
            f"OptimizeResult(best_params={self.best_params!r}, loss={self.loss!r}, "
            f"total_time={self.total_time:.3f}, evaluations={self.evaluations}, "
            f"generations={self.generations}, message={self.message!r})"
        )


class Failures(Sequence[Failure]):
    """Failed evaluations with id, parameters and reason; printed grouped by reason."""

    def __init__(self, history: History):
        self._history, self._rows = history, history.failed_rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._history.failure(row) for row in self._rows[index]]
        return self._history.failure(self._rows[index])

    def __repr__(self) -> str:
        errors = self._history.error
        rows: dict[str | None, list[int]] = {}
        for row in self._rows:
            rows.setdefault(errors[row], []).append(row)
        lines = [f"{len(self)} of {len(self._history)} evaluations failed"]
        for group in sorted(rows.values(), key=len, reverse=True):
            first = self._history.failure(group[0])
            lines.append(
                f"  {len(group)} x {first.reason} (first: id {first.id}, {first.params!r})"
            )
        return "\n".join(lines)
