"""Real tuning: models of scikit-learn on its data sets, small enough for milliseconds.

The loss is one minus the mean score over fixed folds: accuracy for classes, so that there are
ties and plateaus; R2 for numbers, cut off at 0 from below, so that useless models are a plateau,
too. Rows are subsampled. Values are remembered on disk (memo.py).
"""

import hashlib
import math
import warnings
from functools import cache, partial
from pathlib import Path

import numpy as np
from memo import Remembered
from spaces import Category, Integer, ListOf, Real, Variant

FOLDS = 3
ROWS = 240
SEED = 0  # of rows, folds, made data and models


def _made(name):
    """Make a data set that scikit-learn does not bundle: (X, y)."""
    from sklearn import datasets

    if name == "friedman":
        return datasets.make_friedman1(ROWS, n_features=10, noise=1.0, random_state=SEED)
    if name == "sparse":
        return datasets.make_sparse_uncorrelated(ROWS, n_features=12, random_state=SEED)
    if name == "moons":
        return datasets.make_moons(ROWS, noise=0.3, random_state=SEED)
    settings = {"n_features": 20, "n_informative": 5, "n_redundant": 5, "flip_y": 0.1}
    return datasets.make_classification(ROWS, n_classes=3, random_state=SEED, **settings)


BUNDLED = ("digits", "wine", "breast_cancer", "iris", "diabetes")


@cache
def data(name, classes):
    """Load, subsample and split a data set.

    Returns
    -------
    list of (X_train, y_train, X_test, y_test)
        Features have mean 0 and variance 1 in the training part.
    """
    from sklearn import datasets
    from sklearn.model_selection import KFold, StratifiedKFold

    made = name not in BUNDLED
    x, y = _made(name) if made else getattr(datasets, f"load_{name}")(return_X_y=True)
    rows = np.random.default_rng(SEED).permutation(len(y))[:ROWS]
    x, y = x[rows], y[rows]
    y = y if classes else (y - y.mean()) / y.std()
    splitter = (StratifiedKFold if classes else KFold)(FOLDS, shuffle=True, random_state=SEED)
    return [_scaled(x[a], y[a], x[b], y[b]) for a, b in splitter.split(x, y)]


def _scaled(x_train, y_train, x_test, y_test):
    """Standardize the features by the training part."""
    mean, spread = x_train.mean(axis=0), x_train.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    return (x_train - mean) / spread, y_train, (x_test - mean) / spread, y_test


def _score(model, fold, classes):
    """Score a model on a fold: accuracy, or R2 cut off at 0; 0 where it cannot be fitted."""
    x_train, y_train, x_test, y_test = fold
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            score = model.fit(x_train, y_train).score(x_test, y_test)
        except ValueError:
            return 0.0
    return float(score) if math.isfinite(score) and (classes or score > 0) else 0.0


def _svm(params, classes):
    """Support vectors with a kernel of three kinds."""
    from sklearn.svm import SVC, SVR

    kernel = dict(params["kernel"])
    settings = {"kernel": kernel.pop("kind"), "C": params["c"], "max_iter": 3_000, **kernel}
    return SVC(**settings) if classes else SVR(epsilon=params["epsilon"], **settings)


def _forest(params, classes):
    """Random forest of few trees."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    return (RandomForestClassifier if classes else RandomForestRegressor)(
        random_state=SEED, **params
    )


def _boosting(params, classes):
    """Gradient boosting."""
    from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

    return (GradientBoostingClassifier if classes else GradientBoostingRegressor)(
        random_state=SEED, **params
    )


def _mlp(params, classes):
    """Network of 1 to 3 layers; a bad rate does not learn in 12 epochs."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    return (MLPClassifier if classes else MLPRegressor)(
        hidden_layer_sizes=tuple(params["layers"]),
        activation=params["activation"],
        alpha=params["alpha"],
        batch_size=params["batch"],
        learning_rate_init=params["rate"],
        solver=params["solver"],
        max_iter=12,
        random_state=SEED,
    )


def _neighbours(params, classes):
    """Nearest neighbours."""
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    return (KNeighborsClassifier if classes else KNeighborsRegressor)(**params)


def _projected(params, classes):
    """Nearest neighbours after a projection."""
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline

    rest = {name: value for name, value in params.items() if name != "components"}
    projection = PCA(params["components"], random_state=SEED)
    return make_pipeline(projection, _neighbours(rest, classes))


def _sgd(params, classes):
    """Linear model by stochastic gradient descent."""
    from sklearn.linear_model import SGDClassifier

    return SGDClassifier(max_iter=20, tol=None, random_state=SEED, **params)


def _elastic(params, classes):
    """Elastic net on polynomial features of degree 1 or 2."""
    from sklearn.linear_model import ElasticNet
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures

    features = PolynomialFeatures(params["degree"], interaction_only=params["products_only"])
    net = ElasticNet(
        alpha=params["alpha"], l1_ratio=params["l1_ratio"], selection="random", random_state=SEED
    )
    return make_pipeline(features, net)


def _tree(params, classes):
    """Single decision tree: few of its settings change anything at a time."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    return (DecisionTreeClassifier if classes else DecisionTreeRegressor)(
        random_state=SEED, **params
    )


MAKERS = {"svm": _svm, "tree": _tree, "neighbours": _neighbours, "sgd": _sgd}


def _pipeline(params, classes):
    """Feature selection and a model of four kinds."""
    from sklearn.feature_selection import SelectKBest
    from sklearn.pipeline import make_pipeline

    chosen = dict(params["model"])
    model = MAKERS[chosen.pop("kind")](chosen, classes)
    return make_pipeline(SelectKBest(k=params["features"]), model)


SVM = {
    "c": Real(1e-3, 1e3, log=True),
    "kernel": Variant(
        {
            "linear": {},
            "rbf": {"gamma": Real(1e-5, 1e1, log=True)},
            "poly": {
                "gamma": Real(1e-5, 1e1, log=True),
                "degree": Integer(2, 5),
                "coef0": Real(0.0, 2.0),
            },
        }
    ),
}
FOREST = {
    "n_estimators": Integer(3, 12),
    "max_depth": Integer(1, 20),
    "min_samples_leaf": Integer(1, 30, log=True),
    "max_features": Real(0.05, 1.0),
    "bootstrap": Category((True, False)),
}
BOOSTING = {
    "n_estimators": Integer(2, 30, log=True),
    "learning_rate": Real(1e-3, 1.0, log=True),
    "max_depth": Integer(1, 6),
    "subsample": Real(0.2, 1.0),
    "min_samples_leaf": Integer(1, 40, log=True),
    "max_features": Real(0.1, 1.0),
}
MLP = {
    "layers": ListOf(Integer(2, 64, log=True), 1, 3),
    "activation": Category(("relu", "tanh", "logistic")),
    "alpha": Real(1e-6, 1e1, log=True),
    "batch": Integer(16, 128, log=True),
    "rate": Real(1e-5, 1.0, log=True),
    "solver": Category(("sgd", "adam")),
}
TREE = {
    "max_depth": Integer(1, 25),
    "min_samples_split": Integer(2, 60, log=True),
    "min_samples_leaf": Integer(1, 60, log=True),
    "max_features": Real(0.05, 1.0),
    "ccp_alpha": Real(1e-6, 1e-1, log=True),
}
SGD = {
    "loss": Category(("hinge", "log_loss", "modified_huber", "perceptron")),
    "penalty": Category(("l1", "l2", "elasticnet")),
    "alpha": Real(1e-7, 1e1, log=True),
    "l1_ratio": Real(0.0, 1.0),
    "eta0": Real(1e-5, 1e1, log=True),
    "learning_rate": Category(("constant", "optimal", "invscaling", "adaptive")),
}
ELASTIC = {
    "alpha": Real(1e-5, 1e2, log=True),
    "l1_ratio": Real(0.0, 1.0),
    "degree": Integer(1, 2),
    "products_only": Category((True, False)),
}


NEIGHBOURS = {
    "n_neighbors": Integer(1, 60, log=True),
    "weights": Category(("uniform", "distance")),
    "metric": Category(("euclidean", "manhattan", "chebyshev", "cosine")),
}


SELECTED = {"svm": SVM, "tree": TREE, "neighbours": NEIGHBOURS, "sgd": SGD}
PIPELINE = {"features": Integer(1, 20), "model": Variant(SELECTED)}
CRITERION = {"criterion": Category(("gini", "entropy", "log_loss"))}
EPSILON = {"epsilon": Real(1e-3, 1.0, log=True)}

# name: (space, maker, data set, whether it has classes)
TASKS = {
    "svm-digits": (SVM, _svm, "digits", True),
    "svm-cancer": (SVM, _svm, "breast_cancer", True),
    "svm-diabetes": (SVM | EPSILON, _svm, "diabetes", False),
    "forest-wine": (FOREST | CRITERION, _forest, "wine", True),
    "forest-friedman": (FOREST, _forest, "friedman", False),
    "boosting-moons": (BOOSTING, _boosting, "moons", True),
    "boosting-diabetes": (BOOSTING, _boosting, "diabetes", False),
    "mlp-wine": (MLP, _mlp, "wine", True),
    "mlp-friedman": (MLP, _mlp, "friedman", False),
    "neighbours-digits": (NEIGHBOURS | {"components": Integer(1, 40)}, _projected, "digits", True),
    "neighbours-iris": (NEIGHBOURS, _neighbours, "iris", True),
    "linear-cancer": (SGD, _sgd, "breast_cancer", True),
    "linear-sparse": (ELASTIC, _elastic, "sparse", False),
    "tree-digits": (TREE | CRITERION, _tree, "digits", True),
    "tree-diabetes": (TREE, _tree, "diabetes", False),
    "pipeline-made": (PIPELINE, _pipeline, "made", True),
}


def _recipe(name):
    """Make the loss of a task."""
    import sklearn

    _, maker, source, classes = TASKS[name]

    def loss(params):
        """One minus the mean score over the folds."""
        scores = [_score(maker(params, classes), fold, classes) for fold in data(source, classes)]
        return 1.0 - sum(scores) / FOLDS

    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    return Remembered(loss, f"{name}-sklearn-{sklearn.__version__}-{digest}")


def tuning_recipes():
    """Rows (name, space, recipe)."""
    for name, (space, *_) in TASKS.items():
        yield f"tuning-{name}", space, partial(_recipe, name)
