"""Linear, diagonal and full quadratic regressions of the loss, near a search distribution.

The screen of lq-CMA-ES: Hansen, "A global surrogate assisted CMA-ES", GECCO 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

USED = 0.75  # of the points, the best ones, are regressed on (as in pycma's LQModelSettings)
ENOUGH = 1.1  # points used per coefficient before a larger model is taken (ibid.)
HEAVIEST = 20.0  # weight of the best point, that of the worst used one is 1 (ibid.)
MOST_COEFFICIENTS = 500  # the full model up to 30 genes, the linear one up to 499
RIDGE = 1e-9  # added to the normal equations of unit columns
FARTHEST = 3.0  # an optimum is sought within so many sqrt(d) standard deviations
FLATTEST = 1e-6  # curvature, relative to the largest, that an optimum is computed with
SMALLEST_UNIT = 1e-12  # of the losses, relative to their range: squares of scaled ones are finite


@dataclass(frozen=True)
class Frame:
    """Coordinates in which a search distribution is the standard normal one.

    Attributes
    ----------
    mean : (d,) array
    sigma : float
    whiten, colour : callables
        Multiply rows by the inverse root of the covariance matrix, and by its root.
    """

    mean: np.ndarray
    sigma: float
    whiten: Callable[[np.ndarray], np.ndarray]
    colour: Callable[[np.ndarray], np.ndarray]

    def inside(self, x: np.ndarray) -> np.ndarray:
        """Coordinates of rows x."""
        return self.whiten((x - self.mean) / self.sigma)

    def outside(self, z: np.ndarray) -> np.ndarray:
        """Rows of coordinates z."""
        return self.mean + self.sigma * self.colour(z)


def sizes(d: int) -> list[int]:
    """Coefficients of the linear, diagonal and full models that are not too large."""
    candidates = {d + 1, 2 * d + 1, d * (d + 3) // 2 + 1}
    return [p for p in sorted(candidates) if p <= MOST_COEFFICIENTS]


def affordable(d: int, n: int) -> int:
    """Coefficients of the largest model that `n` points determine; 0 if they do for none."""
    return max([p for p in sizes(d) if USED * n >= ENOUGH * p], default=0)


def features(z: np.ndarray, p: int) -> np.ndarray:
    """(n, p) columns: one, the coordinates, their squares, their products."""
    d = z.shape[1]
    columns = [np.ones((len(z), 1)), z]
    if p > d + 1:
        columns.append(z * z)
    if p > 2 * d + 1:
        one, two = _pairs(d)
        columns.append(z[:, one] * z[:, two])
    return np.concatenate(columns, axis=1)


@lru_cache(maxsize=8)
def _pairs(d: int) -> tuple[np.ndarray, np.ndarray]:
    one, two = np.triu_indices(d, 1)
    return one, two


class Regression:
    """Polynomial fitted to the best of some points by weighted least squares.

    Parameters
    ----------
    frame : Frame
        In whose coordinates the terms are taken.
    x : (n, d) array
    loss : (n,) array
        Infinite where the evaluation failed; some are finite.
    p : int
        Coefficients, one of `sizes`; n > p.

    Attributes
    ----------
    coefficients : (p,) array
        In the order of `features`.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the points are too ill-conditioned.
    """

    def __init__(self, frame: Frame, x: np.ndarray, loss: np.ndarray, p: int):
        self._frame, self._d = frame, x.shape[1]
        used = loss.argsort(kind="stable")[: max(p + 1, round(USED * len(x)))]
        y = loss[used]
        worst = y[np.isfinite(y)].max()
        self._largest = max(float(np.abs(y[np.isfinite(y)]).max()), np.finfo(float).tiny)
        self._least = float(y[0]) / self._largest
        rise = np.minimum(y, worst) / self._largest - self._least
        self._unit = max(float(np.median(rise)), SMALLEST_UNIT * float(rise.max())) or 1.0
        weights = np.linspace(HEAVIEST, 1, len(used))
        self.coefficients = _least_squares(
            features(frame.inside(x[used]), p), rise / self._unit, weights
        )

    def scale(self, loss: np.ndarray) -> np.ndarray:
        """Losses in units of the median distance to the best of those regressed on."""
        with np.errstate(over="ignore"):  # what is beyond all numbers ranks last
            return np.asarray((loss / self._largest - self._least) / self._unit)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """(n,) scaled losses of rows x."""
        return features(self._frame.inside(x), len(self.coefficients)) @ self.coefficients

    def optimum(self) -> np.ndarray:
        """(d,) minimum within the trusted distance, clipped to the unit cube.

        Curvatures count by their absolute values, so that a saddle is descended.
        """
        gradient = self.coefficients[1 : self._d + 1]
        curvature, axes = self._curvature()
        least = FLATTEST * curvature.max()
        farthest = FARTHEST * np.sqrt(self._d)
        if least > 0:
            z = -axes @ ((axes.T @ gradient) / np.maximum(curvature, least))
        else:
            z = -gradient * (farthest / max(float(np.linalg.norm(gradient)), 1e-100))
        z *= min(1.0, farthest / max(float(np.linalg.norm(z)), farthest))
        return np.clip(self._frame.outside(z), 0.0, 1.0)

    def _curvature(self) -> tuple[np.ndarray, np.ndarray]:
        """Absolute eigenvalues (d,) and eigenvectors of the matrix of second derivatives."""
        d, p = self._d, len(self.coefficients)
        squares = 2 * self.coefficients[d + 1 : 2 * d + 1] if p > d + 1 else np.zeros(d)
        if p <= 2 * d + 1:
            return np.abs(squares), np.eye(d)
        hessian = np.diag(squares)
        one, two = _pairs(d)
        hessian[one, two] = hessian[two, one] = self.coefficients[2 * d + 1 :]
        values, vectors = np.linalg.eigh(hessian)
        return np.abs(values), vectors


def _least_squares(columns: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Coefficients (p,) of a ridge regression on columns (n, p) of any scale."""
    columns = columns * weights[:, None]
    norm = np.sqrt((columns * columns).sum(axis=0))
    norm[norm == 0] = 1.0
    columns /= norm
    normal = columns.T @ columns
    normal.flat[:: len(norm) + 1] += RIDGE
    return np.asarray(np.linalg.solve(normal, columns.T @ (y * weights)) / norm)
