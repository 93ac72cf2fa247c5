"""Every distribution in several forms, for the contracts that all of them keep."""

import numpy as np
from scipy import stats

import geneticpy as gp

NUMBERS = {
    "uniform": gp.UniformDistribution(-2.5, 7),
    "uniform tiny": gp.UniformDistribution(1e-300, 3e-300),
    "uniform subnormal": gp.UniformDistribution(0, 5e-324),
    "uniform huge": gp.UniformDistribution(-1e308, 1e308),
    "uniform wide": gp.UniformDistribution(1e-300, 1e300),
    "loguniform": gp.LogUniformDistribution(1e-5, 10),
    "loguniform wide": gp.LogUniformDistribution(1e-300, 1e300),
    "gaussian": gp.GaussianDistribution(3, 2),
    "gaussian huge": gp.GaussianDistribution(0, 1e308),
    "gaussian bounded": gp.GaussianDistribution(0, 1, low=-1, high=2.5),
    "gaussian above": gp.GaussianDistribution(0, 1, low=0.5),
    "gaussian below": gp.GaussianDistribution(10, 3, high=4),
    "gaussian 10 sigma": gp.GaussianDistribution(0, 1, low=10),
    "gaussian 50 sigma": gp.GaussianDistribution(1, 2, high=-99),
    "gaussian 1e8 sigma": gp.GaussianDistribution(0, 1, low=1e8),
    "gaussian narrow": gp.GaussianDistribution(0, 1e12, low=0, high=1e-5),
    "gaussian unreachable": gp.GaussianDistribution(0, 1, low=1e200, high=1e201),
    "lognormal": gp.LogNormalDistribution(),
    "lognormal wide": gp.LogNormalDistribution(0, 200),
    "lognormal bounded": gp.LogNormalDistribution(1, 0.5, low=2, high=6),
    "exponential": gp.ExponentialDistribution(3),
    "exponential bounded": gp.ExponentialDistribution(2, low=1, high=3),
    "exponential flat": gp.ExponentialDistribution(1e300, high=1e-10),
}
GRIDS = {
    "uniform q=1": gp.UniformDistribution(1, 10, q=1),
    "uniform off the grid": gp.UniformDistribution(5.4, 10.4, q=1),
    "uniform q=0.1": gp.UniformDistribution(-0.5, 0.7, q=0.1),
    "uniform q=1e-200": gp.UniformDistribution(0, 1e-197, q=1e-200),
    "uniform a million steps": gp.UniformDistribution(0, 1, q=1e-6),
    "uniform 2**49 steps": gp.UniformDistribution(0, 2**49, q=1),
    "uniform nanoseconds": gp.UniformDistribution(2**60 + 1, 2**60 + 10**14, q=1),
    "uniform beyond 64 bits": gp.UniformDistribution(10**20, 10**20 + 40, q=20),
    "loguniform q=1": gp.LogUniformDistribution(4, 1024, q=1),
    "loguniform a million steps": gp.LogUniformDistribution(1, 1e6, q=1),
    "gaussian q=0.5": gp.GaussianDistribution(0, 1, q=0.5),
    "gaussian q=2": gp.GaussianDistribution(0, 5, q=2, low=-7, high=9),
    "gaussian fine": gp.GaussianDistribution(0, 1, q=1e-5),
    "gaussian finer than quantiles": gp.GaussianDistribution(0, 1, q=1e-12, low=-8, high=8),
    "gaussian coarse": gp.GaussianDistribution(0, 1, q=6),
    "lognormal q=1": gp.LogNormalDistribution(2, 1, q=1, high=50),
    "lognormal fine": gp.LogNormalDistribution(0, 1, q=1e-3),
    "exponential q=1": gp.ExponentialDistribution(5, q=1),
    "exponential q=0.25": gp.ExponentialDistribution(1, q=0.25, low=0.3, high=4.1),
    "exponential fine": gp.ExponentialDistribution(1, q=1e-4, high=2),
}
MARKER = object()
CHOICES = {
    "choice": gp.ChoiceDistribution(["a", "b", "c"]),
    "choice of two": gp.ChoiceDistribution([True, False]),
    "choice weighted": gp.ChoiceDistribution([1, 2, 3], probabilities=[0.5, 0.0, 0.5]),
    "choice ordered": gp.ChoiceDistribution([1.5, 2.5, 4.0], ordered=True),
    "choice rare": gp.ChoiceDistribution([0, 1, 2], probabilities=[0.5, 1e-300, 0.5]),
    "choice mixed": gp.ChoiceDistribution([1, 1.5, "1", True, None, (1, 2), [3], MARKER, len]),
}
FROZEN = {
    "scipy norm": stats.norm(1, 2),
    "scipy loguniform": stats.loguniform(1e-4, 1e2),
    "scipy beta": stats.beta(2, 3),
    "scipy cauchy": stats.cauchy(),
    "scipy unfrozen": stats.uniform,
    "scipy randint": stats.randint(3, 9),
    "scipy binom": stats.binom(10, 0.3),
    "scipy poisson": stats.poisson(4.5),
    "scipy shifted": stats.poisson(3, loc=0.5),
    "scipy wide": stats.poisson(1e7),
    "scipy gaps": stats.rv_discrete(values=([1, 4, 10], [0.2, 0.3, 0.5])),
    "scipy decimals": stats.rv_discrete(values=([0.1, 0.25, 2.0], [0.2, 0.3, 0.5])),
}
if hasattr(stats, "Normal"):  # the new kind, since scipy 1.15
    FROZEN["scipy new"] = stats.Normal(mu=1.0, sigma=2.0)
if hasattr(stats, "Binomial"):
    FROZEN["scipy new discrete"] = stats.Binomial(n=7, p=0.4)


class Dice(gp.DistributionBase):
    """Two dice, by a generator of its own."""

    def __init__(self):
        self.rng = np.random.default_rng(5)

    def pull_value(self):
        return int(self.rng.integers(1, 7, 2).sum())

    def pull_constrained_value(self, low, high):
        return int(self.rng.integers(min(low, high), max(low, high) + 1))


class Words(Dice):
    """Values that cannot be hashed."""

    def pull_value(self):
        return {"word": [int(self.rng.integers(3))]}


USERS = {"user's numbers": Dice(), "user's dicts": Words()}
BUILT_IN = NUMBERS | GRIDS | CHOICES
LEAVES = BUILT_IN | FROZEN | USERS
