"""Tune a pipeline of scikit-learn: which model, its parameters, and how many steps before it.

Compares GeneticSearchCV with RandomizedSearchCV at the same number of candidates; both choose by
cross-validation on 300 of the handwritten digits and are judged on the other 1,497.

Needs scikit-learn. About a minute: ``python examples/search_cv.py``.
"""

import warnings

from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectPercentile, f_classif
from sklearn.model_selection import RandomizedSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from geneticpy import (
    ChoiceDistribution,
    GeneticSearchCV,
    ListDistribution,
    LogUniformDistribution,
    UniformDistribution,
)

STEP = ChoiceDistribution(
    [
        StandardScaler(),
        MinMaxScaler(),
        {"step": PCA(random_state=0), "step__n_components": UniformDistribution(0.6, 0.99)},
        {"step": SelectPercentile(f_classif), "step__percentile": [40, 60, 80]},
    ]
)
SPACE = {
    "prepare": ListDistribution(STEP, min_size=0, max_size=3),
    "model": ChoiceDistribution(
        [
            {
                "model": SVC(),
                "model__C": LogUniformDistribution(1e-2, 1e3),
                "model__gamma": LogUniformDistribution(1e-4, 1e1),
            },
            {
                "model": RandomForestClassifier(n_estimators=30, random_state=0),
                "model__max_features": UniformDistribution(0.05, 1.0),
                "model__min_samples_leaf": [1, 2, 4, 8],
            },
        ]
    ),
}
FLAT = {"model__C": loguniform(1e-2, 1e3), "model__gamma": loguniform(1e-4, 1e1)}


def main(n_iter=60):
    """Run both searches and print their scores.

    Parameters
    ----------
    n_iter : int, default 60
        Candidates of each.
    """
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, train_size=300, stratify=y, random_state=0)
    pipeline = Pipeline([("prepare", StandardScaler()), ("model", SVC())])
    options = {"n_iter": n_iter, "cv": 3, "random_state": 0}
    searches = {
        "RandomizedSearchCV, C and gamma": RandomizedSearchCV(pipeline, FLAT, **options),
        "GeneticSearchCV, C and gamma": GeneticSearchCV(pipeline, FLAT, **options),
        "GeneticSearchCV, whole pipelines": GeneticSearchCV(
            pipeline, SPACE, racing=True, verbose=True, **options
        ),
    }
    for name, search in searches.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of features that are constant in a fold
            search.fit(X, y)
        test = search.score(X_test, y_test)
        print(f"{name}: {search.best_score_:.3f} validated, {test:.3f} test")
    print(f"best pipeline: {search.best_estimator_}")


if __name__ == "__main__":
    main()
