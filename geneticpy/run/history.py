"""Append-only columns of every evaluation."""

from __future__ import annotations

from itertools import takewhile
from typing import Any, NamedTuple, Protocol

import numpy as np

SMALLEST = 1024  # rows that are reserved at first


class Decoder(Protocol):
    """What turns genes into parameters."""

    def decode(self, genes: np.ndarray) -> list[Any]:
        """Parameters of rows (n, d)."""


class Failure(NamedTuple):
    """A failed evaluation."""

    id: int
    params: Any
    reason: str


class History:
    """Every evaluation of a run, in the order in which they were recorded.

    Attributes
    ----------
    id : (n,) array of int
        Number of the evaluation.
    generation : (n,) array of int
        -1 for points that a warm start knows.
    genes : (n, d) array
        Quantiles of the parameters.
    loss : (n,) array
        In the user's sign; NaN for failed evaluations.
    species : (n,) array of int
        Equal for points of one structure; numbered in order of appearance.
    parents : (n, 2) array of int
        Ids of the parents; -1 for none, as with points drawn from a distribution that was learned
        (strategy "numeric").
    seconds : (n,) array
        Duration of the evaluation.
    error : list of n str or None
        Why an evaluation failed.

    Notes
    -----
    Memory is 8 bytes per gene and 52 more per evaluation.
    """

    def __init__(self, decoder: Decoder, d: int):
        self._decoder = decoder
        self._length = 0
        self._columns: dict[str, np.ndarray] = {
            "id": np.empty(0, np.int64),
            "generation": np.empty(0, np.int32),
            "genes": np.empty((0, d)),
            "loss": np.empty(0),
            "species": np.empty(0, np.uint64),
            "parents": np.empty((0, 2), np.int64),
            "seconds": np.empty(0),
        }
        self._errors: dict[int, str] = {}

    def append(self, errors: dict[int, str], **columns: Any) -> None:
        """Add rows.

        Parameters
        ----------
        errors : dict of int to str
            Reasons of failed rows, by position among the new ones.
        **columns : arrays
            One for each column but `error`.
        """
        start, stop = self._length, self._length + len(columns["id"])
        if stop > min(map(len, self._columns.values())):
            self._reserve(max(SMALLEST, stop + stop // 2))
        for name, values in columns.items():
            self._columns[name][start:stop] = values
        for position, reason in errors.items():
            self._errors[start + position] = reason
        self._length = stop

    def _reserve(self, rows: int) -> None:
        """Grow one column after the other, so that only one is held twice."""
        for name, old in self._columns.items():
            grown = np.empty((rows, *old.shape[1:]), old.dtype)
            grown[: self._length] = old[: self._length]
            self._columns[name] = grown

    def __len__(self) -> int:
        return self._length

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the rows that are reserved."""
        used = {name: column[: self._length] for name, column in self._columns.items()}
        return self.__dict__ | {"_columns": used}

    def __repr__(self) -> str:
        return f"<History of {self._length} evaluations, {len(self._errors)} failed>"

    def _column(self, name: str) -> np.ndarray:
        column = self._columns[name][: self._length]
        column.flags.writeable = False
        return column

    @property
    def id(self) -> np.ndarray:
        """(n,) numbers of the evaluations."""
        return self._column("id")

    @property
    def generation(self) -> np.ndarray:
        """(n,) generations; 0 is the first, -1 what a warm start knows."""
        return self._column("generation")

    @property
    def genes(self) -> np.ndarray:
        """(n, d) quantiles of the parameters."""
        return self._column("genes")

    @property
    def loss(self) -> np.ndarray:
        """(n,) losses in the user's sign; NaN for failed evaluations."""
        return self._column("loss")

    @property
    def species(self) -> np.ndarray:
        """(n,) numbers of the structures, in order of appearance."""
        _, first, label = np.unique(
            self._column("species"), return_index=True, return_inverse=True
        )
        return first.argsort().argsort()[label]

    @property
    def parents(self) -> np.ndarray:
        """(n, 2) ids of the parents; -1 for none."""
        return self._column("parents")

    @property
    def seconds(self) -> np.ndarray:
        """(n,) durations of the evaluations."""
        return self._column("seconds")

    @property
    def error(self) -> list[str | None]:
        """Why each evaluation failed; None if it did not."""
        return [self._errors.get(i) for i in range(self._length)]

    def errors_from(self, start: int) -> dict[int, str]:
        """Why evaluations failed, by their ids, from a row on."""
        late = reversed(self._errors.items())
        ids = self._columns["id"]
        return {
            int(ids[row]): text for row, text in takewhile(lambda pair: pair[0] >= start, late)
        }

    def params(self, i: int) -> Any:
        """Parameters of the evaluation in row `i`; negative numbers count from the end."""
        if not -self._length <= i < self._length:
            raise IndexError(f"history: row must be within {self._length} rows, got {i!r}.")
        return self._decoder.decode(self.genes[i % self._length][None])[0]

    @property
    def failed_rows(self) -> list[int]:
        """Rows of the failed evaluations."""
        return list(self._errors)

    def failure(self, row: int) -> Failure:
        """Describe the failed evaluation in a row."""
        return Failure(int(self._columns["id"][row]), self.params(row), self._errors[row])

    def best(self, sign: float) -> int | None:
        """Row of the smallest ``sign * loss``, the first of equals; None if all failed."""
        rows = np.flatnonzero(~np.isnan(self.loss))
        return int(rows[(sign * self.loss[rows]).argmin()]) if len(rows) else None

    def to_dict(self) -> dict[str, list[Any]]:
        """Columns as lists: id, generation, params, loss, species, parents, seconds, error."""
        return {
            "id": self.id.tolist(),
            "generation": self.generation.tolist(),
            "params": self._decoder.decode(self.genes),
            "loss": self.loss.tolist(),
            "species": self.species.tolist(),
            "parents": self.parents.tolist(),
            "seconds": self.seconds.tolist(),
            "error": self.error,
        }

    def to_pandas(self) -> Any:
        """DataFrame with a row an evaluation and a column a parameter, nested names dotted.

        Raises
        ------
        ImportError
            Without pandas.
        """
        import pandas as pd

        columns = self.to_dict()
        params = [flattened(point, "params") for point in columns.pop("params")]
        parents = columns.pop("parents")
        frame = pd.DataFrame(columns)
        frame["parent_1"] = [pair[0] for pair in parents]
        frame["parent_2"] = [pair[1] for pair in parents]
        return pd.concat([frame, pd.DataFrame(params, dtype=object)], axis=1)


def flattened(value: Any, name: str = "") -> dict[str, Any]:
    """Leaves of nested parameters under dotted names.

    Examples
    --------
    >>> flattened({"rate": 0.1, "layers": [{"units": 8}]})
    {'rate': 0.1, 'layers.0.units': 8}
    """
    if not isinstance(value, dict | list | tuple) or not value:
        return {name: value}
    found: dict[str, Any] = {}
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        found.update(flattened(part, f"{name}.{key}" if name else str(key)))
    return found
