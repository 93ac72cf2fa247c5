"""A Gaussian process of the loss: Matern 5/2, one length scale and input warp for each role.

Where the features have a trend, a linear kernel of its columns is added.

References
----------
.. [1] Rasmussen & Williams, "Gaussian processes for machine learning", MIT Press 2006, chapters
   2 (prediction; 2.1.2 for linear kernels), 4.2.1 (Matern kernels), 5.4.1 (gradient of the
   likelihood) and 5.4.2 (leave one out).
.. [2] Cowen-Rivers et al., "HEBO: pushing the limits of sample-efficient hyperparameter
   optimisation", JAIR 74, 2022 (Kumaraswamy warp of the inputs).
.. [3] Hvarfner, Hellsten & Nardi, "Vanilla Bayesian optimization performs great in high
   dimensions", ICML 2024 (length scales that grow with the root of the dimension).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geneticpy.evolution.models.features import Columns

# Normal priors of the logarithms, mean and deviation (ALGORITHM 4; that of the noise is wider, and
# lengths end where they would take noise for structure: measured on noisy losses).
NOISE_PRIOR, SIGNAL_PRIOR = (-5.0, 2.0), (0.0, 1.0)
LENGTH_PRIOR, WARP_PRIOR = (-1.2, 1.0), (0.0, 0.5)  # the first plus log(D)/2
# Of the variance of a trend, and of how much longer the lengths of sums over items are than
# others: both count for little unless the data speak for them.
TREND_PRIOR, SUM_PRIOR = (-3.0, 1.5), (1.0, 1.5)
NOISE_BOUNDS, SIGNAL_BOUNDS = (-14.0, 2.0), (-6.0, 4.0)
LENGTH_BOUNDS, WARP_BOUNDS, TREND_BOUNDS = (-2.5, 6.0), (-2.0, 2.0), (-6.0, 4.0)
FIRST_ITERATIONS, ITERATIONS = 30, 15  # of a fit from the priors, and of one that goes on
NOISY = -1.0  # logarithm of the noise at the second start of a fit
EDGE = 1e-6  # quantiles are kept so far from 0 and 1, where the warp has no slope
JITTERS = (0.0, 1e-9, 1e-7, 1e-5, 1e-3)  # shares of the signal on the diagonal, until it factors


@dataclass
class Prediction:
    """What is expected of m candidates.

    Attributes
    ----------
    scaled : (m, p) array
        Their warped and scaled features.
    mean, variance : (m,) arrays
        Of the loss without noise.
    explained : (m, n) array
        Rows whose squares sum to the variance that the n data explain.
    """

    scaled: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    explained: np.ndarray

    def take(self, rows: np.ndarray) -> Prediction:
        """Copy some candidates."""
        return Prediction(*[array[rows] for array in vars(self).values()])

    def join(self, other: Prediction) -> Prediction:
        """Append the candidates of another."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Prediction(*[np.concatenate(pair) for pair in pairs])


class GaussianProcess:
    """Hyperparameters of the kernel, and how they are learned.

    Parameters
    ----------
    features : Columns
    size : float
        Mean number of active genes of the rows: the dimension that length scales grow with.
    previous : GaussianProcess, optional
        Whose hyperparameters are a start, as far as both have them.

    Attributes
    ----------
    theta : (2 + roles + 2 x warped roles [+ 1],) array
        Logarithms of noise, signal, length scales, the warp's a and c, and the trend's variance
        if there is a trend.
    """

    def __init__(self, features: Columns, size: float, previous: GaussianProcess | None = None):
        self._numbers, self._role = features.numbers, features.role
        roles = int(features.role.max(initial=-1)) + 1
        warped = int(features.role[: features.numbers].max(initial=-1)) + 1
        self._split = np.cumsum([2, roles, warped, warped])
        self._trend_scale = 1 / np.sqrt(2 * max(size, 1.0))  # squares sum to about 1 in a row
        length = (LENGTH_PRIOR[0] + 0.5 * np.log(max(size, 1.0)), LENGTH_PRIOR[1])
        of_sums = (length[0] + SUM_PRIOR[0], SUM_PRIOR[1])
        groups = [
            (NOISE_PRIOR, NOISE_BOUNDS, 1),
            (SIGNAL_PRIOR, SIGNAL_BOUNDS, 1),
            (length, LENGTH_BOUNDS, roles - features.sums),
            (of_sums, LENGTH_BOUNDS, features.sums),
            (WARP_PRIOR, WARP_BOUNDS, 2 * warped),
            (TREND_PRIOR, TREND_BOUNDS, int(features.trend > 0)),
        ]
        rows = [(*prior, *bounds) for prior, bounds, count in groups for _ in range(count)]
        self._mean, self._deviation, self._low, self._high = np.array(rows).T
        self._prior = np.clip(self._mean, self._low, self._high)
        self.theta = self._prior.copy()
        self._iterations = FIRST_ITERATIONS
        if previous is not None:
            self._iterations = ITERATIONS
            parts = np.split(self.theta, self._split)
            for mine, its in zip(parts, np.split(previous.theta, previous._split), strict=True):
                both = min(len(mine), len(its))
                mine[:both] = its[:both]

    def fit(self, x: np.ndarray, z: np.ndarray, twice: bool = False) -> float:
        """Move the hyperparameters uphill in posterior probability, from where they are.

        Parameters
        ----------
        x : (n, p) array
            Features.
        z : (n,) array
            Standardized losses.
        twice : bool, default False
            Whether to start from the priors with much noise, too, and keep the more probable end:
            noise that was taken for structure once is taken for it at the next fit again.

        Returns
        -------
        float
            The `objective` at the end.
        """
        from scipy.optimize import fmin_l_bfgs_b

        starts = [(self.theta, self._iterations)]
        if twice:
            noisy = self._prior.copy()
            noisy[0] = NOISY
            starts.append((noisy, FIRST_ITERATIONS))
        bounds = np.column_stack([self._low, self._high])
        ends = [
            fmin_l_bfgs_b(self.objective, start, args=(x, z), bounds=bounds, maxiter=iterations)
            for start, iterations in starts
        ]
        self.theta, value, _ = min(ends, key=lambda end: float(end[1]))
        return float(value)

    def objective(
        self, theta: np.ndarray, x: np.ndarray, z: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Negative logarithm of the posterior density (but for a constant), and its gradient."""
        inverse_length, a, c = self._unpacked(theta)
        warped, by_a, by_c = _warp(x[:, : self._numbers], a, c)
        others = x[:, self._numbers : len(self._role)]
        scaled = np.concatenate([warped, others], axis=1) * inverse_length
        noise, signal = np.exp(theta[:2])
        r = _distances(scaled, scaled)
        np.fill_diagonal(r, 0.0)
        decay = signal * np.exp(-r)
        kernel = decay * (1 + r + r * r / 3)
        linear = self._trend(x, theta)
        trend = linear @ linear.T
        factor = _factor(kernel + trend, noise, signal)
        inverse = _inverse(factor)
        alpha = inverse @ z
        offset = (theta - self._mean) / self._deviation
        value = 0.5 * z @ alpha + np.log(factor.diagonal()).sum() + 0.5 * offset @ offset
        gradient = offset / self._deviation
        half = 0.5 * (inverse - np.outer(alpha, alpha))
        gradient[0] += noise * half.trace()
        gradient[1] += (half * kernel).sum()
        slope = half * ((1 + r) * decay) / 3  # the factor 5 of r^2 is in `scaled`
        pull = slope.sum(axis=1)[:, None] * scaled - slope @ scaled
        roles = self._role
        _, by_length, *by_warp, by_trend = np.split(gradient, self._split)
        by_length += np.bincount(roles, 2 * (scaled * pull).sum(axis=0))
        pull = -2 * pull[:, : self._numbers] * inverse_length[: self._numbers]
        for part, by in zip(by_warp, (by_a, by_c), strict=True):
            part += np.bincount(roles[: self._numbers], (pull * by).sum(axis=0), len(part))
        by_trend += (half * trend).sum()
        return float(value), gradient

    def condition(self, x: np.ndarray, z: np.ndarray) -> Posterior:
        """Learn from data with the hyperparameters as they are."""
        return Posterior(self, x, z)

    def scaled(self, x: np.ndarray) -> np.ndarray:
        """Warp features and divide them by their length scales, times the root of 5.

        Columns of a trend are scaled so that their products are its covariances.
        """
        inverse_length, a, c = self._unpacked(self.theta)
        numbers, others = np.split(x[:, : len(self._role)], [self._numbers], axis=1)
        by_numbers, by_others = np.split(inverse_length, [self._numbers])
        warped = _warp(numbers, a, c)[0]
        parts = [warped * by_numbers, others * by_others, self._trend(x, self.theta)]
        return np.concatenate(parts, axis=1)

    def parts(self, scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Columns of scaled features whose distances count, and those whose products do."""
        return scaled[:, : len(self._role)], scaled[:, len(self._role) :]

    def _trend(self, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """(n, trend) columns whose products are covariances."""
        deviation = np.exp(0.5 * theta[self._split[-1] :].sum())
        return np.asarray(x[:, len(self._role) :] * (self._trend_scale * deviation))

    def _unpacked(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Root of 5 by length scale (p,), and the warp's a and c of the quantile columns."""
        _, length, a, c, _ = np.split(theta, self._split)
        roles = self._role[: self._numbers]
        return np.sqrt(5) * np.exp(-length[self._role]), np.exp(a[roles]), np.exp(c[roles])


class Posterior:
    """A Gaussian process that has seen n rows.

    Attributes
    ----------
    noise, signal : float
        Variances.
    best : float
        Smallest posterior mean at the data.
    """

    def __init__(self, process: GaussianProcess, x: np.ndarray, z: np.ndarray):
        from scipy.linalg.blas import dtrsv

        self._process, self._x, self._z, self._scaled = process, x, z, process.scaled(x)
        self.noise, self.signal = (float(v) for v in np.exp(process.theta[:2]))
        kernel = self._kernel(self._scaled, self._scaled)
        np.fill_diagonal(kernel, self._variance(self._scaled))
        self._factor = _factor(kernel, self.noise, self.signal)
        half = dtrsv(self._factor, z, lower=1)
        self._alpha = dtrsv(self._factor, half, lower=1, trans=1)
        self.best = float((kernel @ self._alpha).min())

    def predict(self, x: np.ndarray) -> Prediction:
        """Predict losses at features (m, p)."""
        from scipy.linalg.blas import dtrsm

        scaled = self._process.scaled(x)
        kernel = self._kernel(scaled, self._scaled)
        mean = kernel @ self._alpha
        explained = dtrsm(1.0, self._factor, kernel.T, lower=1, overwrite_b=1).T  # in place
        variance = self._variance(scaled) - np.einsum("ij,ij->i", explained, explained)
        return Prediction(scaled, mean, np.maximum(variance, 0.0), explained)

    def foretold(self) -> float:
        """Share of the variance of the data that is foretold, each loss from all others.

        At most 1, and below 0 where the mean would have foretold them better ([1], 5.12).
        """
        missed = self._alpha / _inverse(self._factor).diagonal()
        variance = self._z.var()
        return 1 - float((missed**2).mean() / variance) if variance else 0.0

    def believing(self, x: np.ndarray) -> Posterior:
        """Model that has seen rows (m, p) at their means, too: their neighbours are less worth."""
        mean = self._kernel(self._process.scaled(x), self._scaled) @ self._alpha
        return Posterior(self._process, np.concatenate([self._x, x]), np.append(self._z, mean))

    def covariance(self, candidates: Prediction, i: int) -> np.ndarray:
        """(m,) covariances of the losses of all candidates with candidate i."""
        kernel = self._kernel(candidates.scaled[i : i + 1], candidates.scaled)[0]
        return kernel - candidates.explained @ candidates.explained[i]

    def _variance(self, scaled: np.ndarray) -> np.ndarray:
        """(n,) variances of rows before anything is known."""
        trend = self._process.parts(scaled)[1]
        return np.asarray(self.signal + np.einsum("ij,ij->i", trend, trend))

    def _kernel(self, one: np.ndarray, two: np.ndarray) -> np.ndarray:
        (one, trend_one), (two, trend_two) = self._process.parts(one), self._process.parts(two)
        r = _distances(one, two)
        polynomial = r / 3
        polynomial += 1
        polynomial *= r
        polynomial += 1
        np.exp(np.negative(r, out=r), out=r)
        r *= polynomial
        r *= self.signal
        r += trend_one @ trend_two.T
        return r


def _warp(
    x: np.ndarray, a: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kumaraswamy's cdf 1 - (1 - x^a)^c, and its derivatives by log a and log c."""
    x = np.clip(x, EDGE, 1 - EDGE)
    power = x**a
    rest = -np.expm1(a * np.log(x))  # 1 - x^a
    tail = rest**c
    return 1 - tail, c * tail / rest * power * np.log(x) * a, -c * tail * np.log(rest)


def _distances(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """(n, m) Euclidean distances of rows."""
    square = one @ two.T
    square *= -2
    square += np.einsum("ij,ij->i", one, one)[:, None]
    square += np.einsum("ij,ij->i", two, two)
    return np.sqrt(np.maximum(square, 0.0, out=square), out=square)


def _factor(kernel: np.ndarray, noise: float, signal: float) -> np.ndarray:
    """Lower Cholesky factor of the kernel matrix with noise, and more noise if it must be."""
    from scipy.linalg.lapack import dpotrf

    matrix = kernel.copy(order="F")
    for jitter in JITTERS:
        np.fill_diagonal(matrix, kernel.diagonal() + noise + jitter * signal)
        factor, failed = dpotrf(matrix, lower=1, clean=1)
        if not failed:
            return factor
    raise FloatingPointError(
        f"gaussian process: the kernel matrix must be finite, got {noise=}, {signal=}."
    )


def _inverse(factor: np.ndarray) -> np.ndarray:
    """Inverse of a matrix from its lower Cholesky factor."""
    from scipy.linalg.lapack import dpotri

    lower, _ = dpotri(factor, lower=1)  # zeros above the diagonal
    inverse = lower + lower.T
    np.fill_diagonal(inverse, lower.diagonal())
    return inverse
