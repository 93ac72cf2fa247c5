"""What one parameter may be: the distributions at the leaves of a space."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

from geneticpy.errors import SpaceError
from geneticpy.space.leaf import DistributionBase
from geneticpy.space.number import Number
from geneticpy.space.options import ChoiceDistribution
from geneticpy.space.tails import TruncatedExponential, TruncatedNormal

__all__ = [
    "ChoiceDistribution",
    "DistributionBase",
    "ExponentialDistribution",
    "GaussianDistribution",
    "LogNormalDistribution",
    "LogUniformDistribution",
    "UniformDistribution",
]


class UniformDistribution(Number):
    """A number between two bounds, all equally likely.

    Parameters
    ----------
    low, high : float
        Bounds, both included; low below high.
    q : float, optional
        Step: only the multiples of q inside the bounds are drawn, all equally likely, the ends
        included. An integral q gives int.

    Raises
    ------
    SpaceError
        Unless the bounds are finite, low < high, and 0 < q <= high - low.

    Examples
    --------
    >>> UniformDistribution(low=5, high=10, q=1)
    UniformDistribution(low=5, high=10, q=1)
    >>> UniformDistribution(0, 1, q=0.1).values(np.array([0.35])).tolist()
    [0.3]
    """

    _written = ("low", "high", "q")
    _equal_mass = True

    def __init__(self, low: float, high: float, q: float | None = None):
        self._keep(low=low, high=high, q=q)
        self._check_finite("low", "high")
        self._prepare()

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        low, high = self._bounds
        return low * (1 - u) + high * u  # high - low could overflow

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        low, high = self._bounds
        scale = 0.5 if math.isinf(high - low) else 1.0
        return (x * scale - low * scale) / (high * scale - low * scale)


class LogUniformDistribution(Number):
    """A positive number whose logarithm is uniform: every order of magnitude equally likely.

    Parameters
    ----------
    low, high : float
        Bounds, both included; 0 < low < high.
    q : float, optional
        Step, as for UniformDistribution; values keep their share of the logarithmic range.

    Raises
    ------
    SpaceError
        Unless 0 < low < high < inf, and 0 < q <= high - low.

    Examples
    --------
    >>> LogUniformDistribution(1e-4, 1e-2).values(np.array([0.5])).round(6).tolist()
    [0.001]
    """

    _written = ("low", "high", "q")

    def __init__(self, low: float, high: float, q: float | None = None):
        self._keep(low=low, high=high, q=q)
        self._check_finite("low", "high")
        self._check_positive("low")
        self._prepare(support=(0.0, math.inf))

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        low, high = np.log(self._bounds)
        return np.exp(low * (1 - u) + high * u)

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        low, high = np.log(self._bounds)
        return (np.log(x) - low) / (high - low)


class GaussianDistribution(Number):
    """A normally distributed number, truncated (not clipped) to optional bounds.

    Parameters
    ----------
    mean : float
    standard_deviation : float
        Above 0; of the law before truncation.
    q : float, optional
        Step, as for UniformDistribution.
    low, high : float, optional
        Bounds, both included.

    Raises
    ------
    SpaceError
        Unless the parameters are finite, standard_deviation > 0, low < high and q > 0.

    Examples
    --------
    >>> GaussianDistribution(0, 1, low=0).values(np.array([0.0, 0.5])).round(3).tolist()
    [0.0, 0.674]
    """

    _written = ("mean", "standard_deviation", "q", "low", "high")
    mean: float
    standard_deviation: float

    def __init__(
        self,
        mean: float,
        standard_deviation: float,
        q: float | None = None,
        low: float | None = None,
        high: float | None = None,
    ):
        self._keep(mean=mean, standard_deviation=standard_deviation, q=q, low=low, high=high)
        self._check_finite("mean")
        self._check_positive("standard_deviation")
        self._prepare()

    @cached_property
    def _law(self) -> TruncatedNormal:
        return TruncatedNormal(*map(self._standardize, self._bounds))

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        return self.mean + self.standard_deviation * self._law.ppf(u)

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        return self._law.cdf(self._standardize(x))

    def _standardize(self, x: Any) -> Any:
        return (x - self.mean) / self.standard_deviation


class LogNormalDistribution(Number):
    """A positive number whose logarithm is normally distributed, truncated to optional bounds.

    Parameters
    ----------
    mean : float, default 0
        Of the logarithm.
    sigma : float, default 1
        Standard deviation of the logarithm, above 0.
    q : float, optional
        Step, as for UniformDistribution.
    low, high : float, optional
        Bounds, both included; high above 0.

    Raises
    ------
    SpaceError
        Unless the parameters are finite, sigma > 0, low < high, high > 0 and q > 0, and the most
        likely values are floats: a mean above 709.78 needs a bound.
    """

    _written = ("mean", "sigma", "q", "low", "high")
    mean: float
    sigma: float

    def __init__(
        self,
        mean: float = 0,
        sigma: float = 1.0,
        q: float | None = None,
        low: float | None = None,
        high: float | None = None,
    ):
        self._keep(mean=mean, sigma=sigma, q=q, low=low, high=high)
        self._check_finite("mean")
        self._check_positive("sigma")
        self._prepare(support=(0.0, math.inf))
        if q is None:
            self._check_centre()

    def _check_centre(self) -> None:
        """SpaceError if the law between its bounds has its peak where there are no floats."""
        with np.errstate(all="ignore"):
            centre = np.exp(np.clip(self.mean, *np.log(self._bounds)))
        if not 0 < centre < math.inf:
            raise SpaceError(
                f"{self!r}: exp(mean), or the bound next to it, must be a positive float, "
                f"got mean={self.mean!r}."
            )

    @cached_property
    def _law(self) -> TruncatedNormal:
        return TruncatedNormal(*(float(self._standardize(bound)) for bound in self._bounds))

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        return np.exp(self.mean + self.sigma * self._law.ppf(u))

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        return self._law.cdf(self._standardize(x))

    def _standardize(self, x: Any) -> Any:
        with np.errstate(all="ignore"):
            return (np.log(np.maximum(x, 0.0)) - self.mean) / self.sigma


class ExponentialDistribution(Number):
    """An exponentially distributed number of mean `scale`, truncated to optional bounds.

    Parameters
    ----------
    scale : float, default 1
        Mean of the law before truncation, above 0.
    q : float, optional
        Step, as for UniformDistribution.
    low, high : float, optional
        Bounds, both included; high above 0.

    Raises
    ------
    SpaceError
        Unless scale is finite and above 0, low < high, high > 0 and q > 0.
    """

    _written = ("scale", "q", "low", "high")
    scale: float

    def __init__(
        self,
        scale: float = 1.0,
        q: float | None = None,
        low: float | None = None,
        high: float | None = None,
    ):
        self._keep(scale=scale, q=q, low=low, high=high)
        self._check_positive("scale")
        self._prepare(support=(0.0, math.inf))

    @cached_property
    def _law(self) -> TruncatedExponential:
        low, high = self._bounds
        return TruncatedExponential(1 / self.scale, high - low)

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        return self._bounds[0] + self._law.ppf(u)

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        return self._law.cdf(x - self._bounds[0])
