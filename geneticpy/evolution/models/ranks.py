"""How well a model ranks."""

from __future__ import annotations

import numpy as np


def kendall_tau(one: np.ndarray, two: np.ndarray) -> float:
    """Rank correlation of two samples (n,), with the correction for ties (tau-b); 0 if constant.

    Infinite values tie with each other.
    """
    before, after = (np.triu(_order(values)) for values in (one, two))
    pairs = np.sqrt(float(np.abs(before).sum()) * float(np.abs(after).sum()))
    return float((before * after).sum()) / pairs if pairs else 0.0


def _order(values: np.ndarray) -> np.ndarray:
    """(n, n) 1 where the row's value is larger than the column's, -1 where it is smaller."""
    return (values[:, None] > values).astype(np.int64) - (values[:, None] < values)
