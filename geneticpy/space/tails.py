"""Truncated laws whose quantiles keep their digits far out in the tails and in narrow ranges."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

# Over t standard deviations the normal density departs from an exponential one by t^2 / 2
# (relative). Ranges narrower than NARROW, and those that begin beyond FAR, where t is about
# 1 / FAR, are taken as exponential: 5e-11 and 5e-7 off, where ndtri_exp would be further off.
NARROW = 1e-5
FAR = 1e3


class TruncatedExponential:
    """The density proportional to exp(-rate x) on [0, width].

    Parameters
    ----------
    rate : float
        Of either sign; negative if the density rises.
    width : float
        May be infinite.
    """

    def __init__(self, rate: float, width: float):
        self.rate, self.width = rate, width
        self._flat = abs(rate) * width < 1e-300
        self._total = 1.0 if self._flat else math.expm1(-rate * width)

    def ppf(self, u: np.ndarray) -> np.ndarray:
        """Quantiles."""
        if self._flat:
            return u * self.width
        with np.errstate(divide="ignore"):
            x = -np.log1p(u * self._total) / self.rate
        return np.minimum(x, self.width)  # inf where the bound is too far out to be likely

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """Cumulative probability."""
        x = np.clip(x, 0.0, self.width)
        if self._flat:
            return x / (self.width or 1.0)  # 0 if floats cannot tell the bounds apart
        return np.expm1(-self.rate * x) / self._total


class TruncatedNormal:
    """The standard normal law between two bounds, which may be infinite."""

    def __init__(self, low: float, high: float):
        self._low, self._high = low, high
        # The exponential law is written for the upper tail; the normal one for the lower tail,
        # where the logarithm of the cdf keeps its digits.
        self._exponential = high - low < NARROW or low > FAR or high < -FAR
        self._mirrored = high < -FAR if self._exponential else low > 0
        if self._mirrored:
            self._low, self._high = -high, -low

    @cached_property
    def _law(self) -> TruncatedExponential:
        return TruncatedExponential(self._low, self._high - self._low)

    @cached_property
    def _logs(self) -> tuple[float, float]:
        """Logarithm of the cdf at the upper bound, and the part of it below the lower one."""
        from scipy.special import log_ndtr

        log_low, log_high = log_ndtr(self._low), log_ndtr(self._high)
        return float(log_high), math.exp(log_low - log_high)

    def ppf(self, u: np.ndarray) -> np.ndarray:
        """Quantiles."""
        return -self._ppf(1 - u) if self._mirrored else self._ppf(u)

    def cdf(self, z: np.ndarray) -> np.ndarray:
        """Cumulative probability."""
        return 1 - self._cdf(-z) if self._mirrored else self._cdf(z)

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        from scipy.special import ndtri, ndtri_exp

        if self._exponential:
            return self._low + self._law.ppf(u)
        log_high, below = self._logs
        if log_high == 0.0 and below == 0.0:
            return ndtri(u)
        with np.errstate(divide="ignore"):
            log_p = log_high + np.log(u + (1 - u) * below)
        return ndtri_exp(np.minimum(log_p, 0.0))

    def _cdf(self, z: np.ndarray) -> np.ndarray:
        from scipy.special import log_ndtr

        if self._exponential:
            return self._law.cdf(z - self._low)
        log_high, below = self._logs
        return np.clip((np.exp(log_ndtr(z) - log_high) - below) / (1 - below), 0.0, 1.0)
