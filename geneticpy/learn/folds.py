"""The splits of one fit: drawn once, so that all generations compare on the same folds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils.validation import _num_features, _num_samples

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
    shape : (int, int or None)
        Samples and features of what was split.
    """

    def __init__(self, splitter: Any, one_at_a_time: bool = False):
        self.splitter = splitter
        self.one_at_a_time = one_at_a_time
        self.current = 0
        self.shape: tuple[int, int | None] = (0, None)
        self._splits: list[Split] | None = None
        if hasattr(splitter, "get_metadata_routing"):
            self.get_metadata_routing = splitter.get_metadata_routing

    def get_n_splits(self, X: Any = None, y: Any = None, **params: Any) -> int:
        """Count the splits of one call, and freeze them."""
        self._freeze(X, y, params)
        return 1 if self.one_at_a_time else self.splitter.get_n_splits(X, y, **params)

    def split(self, X: Any, y: Any = None, **params: Any) -> Iterator[Split]:
        """Yield the frozen splits, or the current one."""
        splits = self._freeze(X, y, params)
        yield from [splits[self.current]] if self.one_at_a_time else splits

    def _freeze(self, X: Any, y: Any, params: dict[str, Any]) -> list[Split]:
        if self._splits is None:
            self._splits = list(self.splitter.split(X, y, **params))
            self.shape = _num_samples(X), _features(X)
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
        return len(self._splits or ())

    @property
    def test_share(self) -> float:
        """Mean number of test samples for one training sample."""
        return float(np.mean([len(test) / len(train) for train, test in self._splits or ()]))

    @property
    def fingerprint(self) -> str:
        """Of the splits, the same in every process."""
        digest = hashlib.sha256()
        for part in (part for split in self._splits or () for part in split):
            samples = np.ascontiguousarray(part, "<i8")
            digest.update(np.array([len(samples)], "<i8").tobytes() + samples.tobytes())
        return digest.hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the splits: workers of joblib receive their own fold only."""
        return self.__dict__ | {"_splits": None}


def _features(X: Any) -> int | None:
    """Count the features; None for a list of texts."""
    try:
        return _num_features(X)
    except TypeError:
        return None
