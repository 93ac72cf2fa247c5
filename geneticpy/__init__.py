"""Find good parameters of any function with a genetic algorithm."""

from geneticpy.compat import Population
from geneticpy.errors import (
    ArgumentError,
    ConstraintWarning,
    EvaluationError,
    EvaluationWarning,
    GeneticPyError,
    LossError,
    SpaceError,
)
from geneticpy.evolution.optimizer import Optimizer
from geneticpy.optimize import optimize
from geneticpy.run.result import OptimizeResult
from geneticpy.space.distributions import (
    ChoiceDistribution,
    DistributionBase,
    ExponentialDistribution,
    GaussianDistribution,
    LogNormalDistribution,
    LogUniformDistribution,
    UniformDistribution,
)
from geneticpy.space.structures import (
    ListDistribution,
    PermutationDistribution,
    SubsetDistribution,
)

__version__ = "3.0.0.dev0"

__all__ = [
    "ArgumentError",
    "ChoiceDistribution",
    "ConstraintWarning",
    "DistributionBase",
    "EvaluationError",
    "EvaluationWarning",
    "ExponentialDistribution",
    "GaussianDistribution",
    "GeneticPyError",
    "ListDistribution",
    "LogNormalDistribution",
    "LogUniformDistribution",
    "LossError",
    "OptimizeResult",
    "Optimizer",
    "PermutationDistribution",
    "Population",
    "SpaceError",
    "SubsetDistribution",
    "UniformDistribution",
    "optimize",
]
