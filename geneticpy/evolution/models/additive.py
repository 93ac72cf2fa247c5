"""Additive model: ridge regression of the loss on single genes, over the latest evaluations."""

from __future__ import annotations

import numpy as np

from geneticpy.evolution.models.features import Features
from geneticpy.genome import Genome

RIDGE = 0.5  # ALGORITHM 6
WINDOW = 4  # evaluations remembered for each gene (ALGORITHM 6)
REFIT = 20  # a fit serves until one new row for so many columns is told: 1,000 genes stay cheap
NUMBER_SCALE = 2.0  # of quantiles, so that the levels of a binary gene have the distance 1


class Additive:
    """Predicts the loss of rows as a sum over their genes.

    Parameters
    ----------
    genome : Genome
    window : int, optional
        Latest rows that count; 4 d by default.
    """

    def __init__(self, genome: Genome, window: int | None = None):
        self._genome, self._features = genome, Features(genome)
        size = WINDOW * genome.d if window is None else window
        self._x, self._loss = np.zeros((size, self.columns)), np.zeros(size)
        primal = size >= self.columns
        self._gram = np.zeros((self.columns, self.columns)) if primal else None
        self._told = self._fitted = 0
        self._weights = np.zeros(self.columns)

    def __len__(self) -> int:
        """Count the rows in the window."""
        return min(self._told, len(self._loss))

    @property
    def columns(self) -> int:
        """Numbers that the model sees of a row."""
        return len(self._features.role)

    @property
    def weights(self) -> np.ndarray:
        """(columns,) effects on the loss, on the scale of `centred`; as of the latest fit."""
        return self._weights

    def update(self, genes: np.ndarray, loss: np.ndarray) -> None:
        """Add evaluated rows; they replace the oldest ones of a full window.

        Parameters
        ----------
        genes : (n, d) array
            Snapped.
        loss : (n,) array
            Infinite ones count as the worst finite one of the window.
        """
        size = len(self._loss)
        x, loss = self.encode(genes[-size:]), loss[-size:]
        at = (self._told + np.arange(len(x))) % size
        if self._gram is not None:
            old = self._x[at]  # zeros where there was none
            self._gram += x.T @ x - old.T @ old
        self._x[at], self._loss[at] = x, loss
        self._told += len(x)
        if (self._told - self._fitted) * REFIT >= self.columns:
            self._fit()

    def predict(self, genes: np.ndarray) -> np.ndarray:
        """(n,) predictions for snapped rows (n, d), on an arbitrary scale; lower is better."""
        return self.encode(genes) @ self._weights

    def encode(self, genes: np.ndarray) -> np.ndarray:
        """(n, columns) numbers of snapped rows (n, d); two levels have the distance 1."""
        x = self._features(genes, self._genome.activity(genes))
        x[:, : self._features.numbers] *= NUMBER_SCALE
        return x

    def _fit(self) -> None:
        n = len(self)
        x, y = self._x[:n], centred(self._loss[:n])
        mean = x.mean(axis=0)
        if self._gram is None or n < self.columns:
            self._weights = ridge_dual(x - mean, y)
        else:
            self._weights = ridge_primal(self._gram - n * np.outer(mean, mean), y @ x)
        self._fitted = self._told


def ridge_primal(gram: np.ndarray, moment: np.ndarray, ridge: float = RIDGE) -> np.ndarray:
    """(p,) weights from X'X (p, p) and X'y (p,) of centred data."""
    return np.linalg.solve(gram + ridge * np.eye(len(gram)), moment)


def ridge_dual(x: np.ndarray, y: np.ndarray, ridge: float = RIDGE) -> np.ndarray:
    """(p,) weights from centred X (n, p) and y (n,): cheaper than primal where n < p."""
    return np.linalg.solve(x @ x.T + ridge * np.eye(len(x)), y) @ x


def centred(loss: np.ndarray) -> np.ndarray:
    """Losses with mean 0, the largest of size 1; infinite ones are the worst; 0 if all are equal.

    Any positive factor and any shift of the losses give the same, up to rounding.
    """
    finite = np.isfinite(loss)
    if not finite.any():
        return np.zeros(len(loss))
    y = np.clip(loss, loss[finite].min(), loss[finite].max())
    y = y / max(np.abs(y).max(), np.finfo(float).tiny)  # sums do not overflow
    y = y - y.mean()
    return y / (np.abs(y).max() or 1.0)
