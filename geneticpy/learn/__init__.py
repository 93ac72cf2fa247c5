"""scikit-learn: searches over the parameters of an estimator, and over its features."""

try:
    import sklearn  # noqa: F401  asked here, so that the error names the extra
except ImportError as error:
    raise ImportError(
        f"geneticpy.learn needs scikit-learn: pip install geneticpy[sklearn], got {error!r}."
    ) from error

from geneticpy.learn.feature_selection import GeneticFeatureSelectionCV
from geneticpy.learn.search_cv import GeneticSearchCV

__all__ = ["GeneticFeatureSelectionCV", "GeneticSearchCV"]
