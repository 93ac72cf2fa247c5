"""scikit-learn's own checks of an estimator: all of them.

Those of array libraries that are not installed (cupy, dpnp, torch) skip themselves; the one of
array_api_strict runs where that is installed and SCIPY_ARRAY_API is 1.
"""

import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from geneticpy import GeneticFeatureSelectionCV, GeneticSearchCV, LogUniformDistribution

SMALL = {"n_iter": 2, "population_size": 2, "cv": 2, "random_state": 0, "error_score": "raise"}


def searches():
    return [
        GeneticSearchCV(LogisticRegression(), {"C": LogUniformDistribution(0.1, 1)}, **SMALL),
        GeneticSearchCV(Ridge(), {"alpha": [0.1, 1.0, 2.0]}, **SMALL),
        GeneticFeatureSelectionCV(LogisticRegression(), **SMALL),
        GeneticFeatureSelectionCV(Ridge(), **SMALL),
        GeneticSearchCV(make_pipeline(Ridge()), {"ridge__alpha": [0.1, 1.0]}, **SMALL),
    ]


_checks = parametrize_with_checks(searches())


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(_checks.args[0], list(_checks.args[1]), ids=_checks.kwargs["ids"])
def test_check_passes(estimator, check):
    check(estimator)
