"""The splits of one fit: drawn once, so that all generations compare on the same folds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

Split = tuple[np.ndarray, np.ndarray]


class FrozenFolds:
    """A splitter that gives the same splits at every call.

    Parameters
    ----------
    splitter : object
        With `split` and `get_n_splits`.
    one_at_a_time : bool, default False
        Give only the split number `current`, and count as one split: for racing.

    Attributes
    ----------
    current : int
    """

    def __init__(self, splitter: Any, one_at_a_time: bool = False):
        self.splitter = splitter
        self.one_at_a_time = one_at_a_time
        self.current = 0
        self._announced = 0
        self._splits: list[Split] | None = None
        if hasattr(splitter, "get_metadata_routing"):
            self.get_metadata_routing = splitter.get_metadata_routing

    def get_n_splits(self, X: Any = None, y: Any = None, **params: Any) -> int:
        """Count the splits of one call; freezes them when racing."""
        if self.one_at_a_time:
            self._freeze(X, y, params)
            return 1
        self._announced = self.splitter.get_n_splits(X, y, **params)
        return self._announced

    def split(self, X: Any, y: Any = None, **params: Any) -> Iterator[Split]:
        """Yield the frozen splits, or the current one."""
        splits = self._freeze(X, y, params)
        yield from [splits[self.current]] if self.one_at_a_time else splits

    def _freeze(self, X: Any, y: Any, params: dict[str, Any]) -> list[Split]:
        if self._splits is None:
            self._splits = list(self.splitter.split(X, y, **params))
            if not self._splits:
                raise ValueError(f"cv: must give at least one split, got {self.splitter!r}.")
        return self._splits

    @property
    def each(self) -> int:
        """Fits of a candidate in one call of `split`; 0 before it is known."""
        return 1 if self.one_at_a_time else self.total

    @property
    def total(self) -> int:
        """Number of folds."""
        return self._announced if self._splits is None else len(self._splits)

    @property
    def test_share(self) -> float:
        """Mean number of test samples for one training sample."""
        return float(np.mean([len(test) / len(train) for train, test in self._splits or ()]))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the splits: workers of joblib receive their own fold only."""
        return self.__dict__ | {"_splits": None}
