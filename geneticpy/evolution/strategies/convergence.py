"""When a run has nothing more to gain."""

from __future__ import annotations

import numpy as np

FLAT = 1e-12  # range of losses, relative to their size, within rounding errors
FEWEST, PER_GENE = 10, 30  # generations that must be flat (Hansen, arXiv:1604.00772)
PATIENCE, LATEST, SHARE = 120, 20, 0.2  # of stagnation (ibid.), in generations


class Progress:
    """Losses of the generations of one run.

    Parameters
    ----------
    d : int
        Genes.
    size : int
        Samples of a generation.
    """

    def __init__(self, d: int, size: int):
        self._window = FEWEST + -(-PER_GENE * d // size)
        self._patience = PATIENCE + -(-PER_GENE * d // size)
        self._size = size
        self._best: list[float] = []
        self._median: list[float] = []
        self._latest = np.empty(0)

    def add(self, loss: np.ndarray) -> None:
        """Note the losses (n,) that were evaluated in a generation, infinite where they failed."""
        self._best.append(float(loss.min()))
        self._median.append(float(np.sort(loss)[len(loss) // 2]))
        self._latest = np.append(self._latest, loss)[-self._size :]

    @property
    def stopped(self) -> bool:
        """Whether the losses are flat, or their medians have not fallen for long."""
        if len(self._best) < self._window:
            return False
        flat = _flat(np.array(self._best[-self._window :])) and _flat(self._latest)
        return flat or (_stagnant(self._best, self._span) and _stagnant(self._median, self._span))

    @property
    def _span(self) -> int:
        return self._patience + int(SHARE * len(self._best))


def _flat(loss: np.ndarray) -> bool:
    """Whether all are equal, up to rounding errors."""
    low, high = float(loss.min()), float(loss.max())
    if low == high or not np.isfinite(high):
        return low == high
    return high / 2 - low / 2 <= FLAT * max(abs(low), abs(high)) / 2


def _stagnant(values: list[float], span: int) -> bool:
    """Whether the latest of the last values are no better than the first of them, by medians."""
    if len(values) < span:
        return False
    middle = LATEST // 2
    first, last = np.sort(values[-span:][:LATEST]), np.sort(values[-LATEST:])
    return bool(last[middle] >= first[middle])
