"""Which of many candidates are worth an evaluation: expected improvement, alone or in batches."""

from __future__ import annotations

import numpy as np

from geneticpy.evolution.models.gaussian_process import Posterior, Prediction

HALF_LOG_2PI = 0.5 * np.log(2 * np.pi)
SMALLEST_VARIANCE = 1e-12  # of a candidate, in units of the losses' variance


def log_expected_improvement(
    mean: np.ndarray, variance: np.ndarray, best: float | np.ndarray, noise: float = 0.0
) -> np.ndarray:
    """Logarithm of the expected improvement on `best`, for normal predictions of (n,) losses.

    Exact where the improvement itself would underflow, so that hopeless candidates are ordered
    too. With noise it is augmented [2]_: what is known as well as the noise allows is worth less.

    References
    ----------
    .. [1] Ament, Daulton, Eriksson, Balandat & Bakshy, "Unexpected improvements to expected
       improvement for Bayesian optimization", NeurIPS 2023, equations 8 and 9.
    .. [2] Huang, Allen, Notz & Zeng, "Global optimization of stochastic black-box systems via
       sequential kriging meta-models", Journal of Global Optimization 34, 2006 (the factor).
    """
    variance = np.maximum(variance, SMALLEST_VARIANCE)
    deviation = np.sqrt(variance)
    improvement = log_h((best - mean) / deviation) + np.log(deviation)
    return np.asarray(improvement + log_augmentation(variance, noise))


def log_augmentation(variance: np.ndarray, noise: float) -> np.ndarray:
    """log(1 - sqrt(noise / (variance + noise))) of (n,) variances, without cancellation."""
    total = variance + noise
    return np.asarray(np.log(variance / total) - np.log1p(np.sqrt(noise / total)))


def log_h(z: np.ndarray) -> np.ndarray:
    """log(phi(z) + z Phi(z)) without cancellation, phi and Phi of the normal distribution."""
    from scipy.special import erfcx, ndtr

    z = np.asarray(z, float)
    gauss = -0.5 * z * z - HALF_LOG_2PI
    out = np.empty(z.shape)
    near = z > -1
    out[near] = np.log(np.exp(gauss[near]) + z[near] * ndtr(z[near]))
    far = z < -1e5  # where 1 - |z| Phi/phi has no digits left: phi / z^2
    out[far] = gauss[far] - 2 * np.log(-z[far])
    between = ~near & ~far
    t = -z[between]
    # Mills' ratio Phi(-t)/phi(t); where it nears 1/t its series in 1/t^2 keeps the difference
    ratio = erfcx(t / np.sqrt(2)) * np.sqrt(np.pi / 2)
    square = 1 / (t * t)
    series = square * (1 - square * (3 - square * (15 - 105 * square)))
    out[between] = gauss[between] + np.log(np.where(t > 300, series, 1 - t * ratio))
    return out


def believers(
    posterior: Posterior,
    candidates: Prediction,
    best: float,
    weight: float,
    noise: float,
    n: int,
) -> np.ndarray:
    """Pick up to `n` candidates one after the other, each believed at its mean before the next.

    The hyperparameters stay, so that a believed point changes the variance of the others by one
    rank, and no mean.

    Parameters
    ----------
    posterior : Posterior
    candidates : Prediction
        Of m candidates.
    best : float
        Mean to improve on.
    weight : float
        Of the variance.
    noise : float
        By which the improvement is augmented.
    n : int

    Returns
    -------
    (min(n, m),) array of int

    References
    ----------
    .. [1] Ginsbourger, Le Riche & Carraro, "Kriging is well-suited to parallelize optimization",
       2010, section 4 (Kriging believer).
    .. [2] Desautels, Krause & Burdick, "Parallelizing exploration-exploitation tradeoffs in
       Gaussian process bandit optimization", JMLR 2014 (the variance without new losses).
    """
    mean, variance = candidates.mean, candidates.variance.copy()
    n = min(n, len(mean))
    chosen = np.empty(n, np.int64)
    shared = np.empty((n, len(mean)))  # what each believed point tells of all
    left = np.zeros(len(mean))
    for j in range(n):
        score = log_expected_improvement(mean, weight * variance, best, noise) + left
        i = chosen[j] = int(score.argmax())
        left[i] = -np.inf
        if j == n - 1:
            break
        covariance = posterior.covariance(candidates, i) - shared[:j, i] @ shared[:j]
        shared[j] = covariance / np.sqrt(variance[i] + posterior.noise)
        variance = np.maximum(variance - shared[j] ** 2, SMALLEST_VARIANCE)
        best = min(best, mean[i])
    return chosen
