"""Find good parameters of any function with a genetic algorithm."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from geneticpy.compat import Population
from geneticpy.errors import (
    ArgumentError,
    ConstraintWarning,
    EvaluationError,
    EvaluationWarning,
    GeneticPyError,
    JournalError,
    JournalWarning,
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
from geneticpy.version import __version__ as __version__

if TYPE_CHECKING:
    from geneticpy.learn import GeneticFeatureSelectionCV as GeneticFeatureSelectionCV
    from geneticpy.learn import GeneticSearchCV as GeneticSearchCV

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
    "JournalError",
    "JournalWarning",
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

_ADAPTERS = {  # loaded when they are first asked for
    "GeneticFeatureSelectionCV": "geneticpy.learn",
    "GeneticSearchCV": "geneticpy.learn",
}


def __getattr__(name: str) -> Any:
    if name not in _ADAPTERS:
        raise AttributeError(f"module 'geneticpy' has no attribute {name!r}")
    return getattr(import_module(_ADAPTERS[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_ADAPTERS})
