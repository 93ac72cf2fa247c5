"""What ablation.py takes away, by strategy."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Variant:
    """A strategy without one component.

    Attributes
    ----------
    changes : dict of str to object
        "module:name" or "module:Class.name" in geneticpy.evolution, and what it is bound to.
    options : dict
        Arguments of `optimize`.
    """

    changes: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Strategy:
    """A strategy, where it is measured, and what it is measured without."""

    suites: tuple
    budget: int | str
    variants: dict
    options: dict = field(default_factory=dict)


def _best_scored(posterior, candidates, best, weight, noise, n):
    """Pick the best scored of all at once, without believing any of them."""
    from geneticpy.evolution.models.acquisition import log_expected_improvement

    variance = weight * candidates.variance
    score = log_expected_improvement(candidates.mean, variance, best, noise)
    return (-score).argsort(kind="stable")[:n]


def _not_augmented(variance, noise):
    """Score as if there were no noise."""
    return np.zeros(len(variance))


def _without_trend(genome):
    """Let the model see structures by their distances only."""
    from geneticpy.evolution.models.features import Features

    return Features(genome)


def _first_parent(rng, one, two, genome):
    """Mate nobody."""
    return one


def _same_sigma(rng, sigma):
    """Inherit step sizes as they are."""
    return sigma


def _one_gene(rng, n, units):
    """Change one gene of each row."""
    return np.ones(n, np.int64)


def _larger_run(numeric):
    """Begin a larger covariance run instead of L-SHADE."""
    return numeric._restart()


def _more_differences(numeric):
    """Begin L-SHADE instead of a larger covariance run."""
    return numeric._success_history()


def _no_judge(genome):
    """Rank children by no model."""


ALL = {"all in": Variant()}

SCREENED = ALL | {
    "no model": Variant(options={"strategy": "mixed"}),
    "one inner generation": Variant({"strategies.screened:INNER_GENERATIONS": 1}),
    "no input warp": Variant({"models.gaussian_process:WARP_BOUNDS": (0.0, 0.0)}),
    "no believer": Variant({"strategies.screened:believers": _best_scored}),
    "improvement not augmented": Variant({"models.acquisition:log_augmentation": _not_augmented}),
    "model always believed": Variant({"strategies.screened:FORETOLD": -np.inf}),
    "no trend": Variant({"strategies.screened:TrendFeatures": _without_trend}),
    "no sums over items": Variant({"strategies.screened:SUMS_DOUBTED": 1e300}),
    "polishing to the end": Variant(
        {"strategies.screened:WORTHWHILE": 1e-300, "strategies.screened:ABOVE_NOISE": 0.0}
    ),
    "polishing into the noise": Variant({"strategies.screened:ABOVE_NOISE": 0.0}),
    "weight of the variance 1": Variant(
        {"strategies.screened:LEAST_WEIGHT": 1.0, "strategies.screened:MOST_WEIGHT": 1.0}
    ),
    "no structural mutation": Variant({"breeding:STRUCTURAL_CHANCE": 0.0}),
    "no mating": Variant({"breeding:half_and_half": _first_parent}),
    "no fresh rows": Variant({"strategies.screened:FRESH": 0.0}),
    "start of 5 rows": Variant({"strategies.screened:FEWEST_AT_START": 5}),
    "start of 16 rows": Variant({"strategies.screened:FEWEST_AT_START": 16}),
}

MIXED = ALL | {
    "no differences": Variant({"strategies.mixed:DIFFERENCE": 0.0}),
    "no mating": Variant({"breeding:half_and_half": _first_parent}),
    "no cap of a species": Variant({"strategies.mixed:CAP": 10**9}),
    "no places for arms": Variant({"selection:ARM_QUOTA": 0}),
    "no restarts": Variant({"strategies.mixed:IDLE": 10**9}),
    "no immigrants": Variant({"strategies.mixed:IMMIGRANTS": 0.0}),
    "no self-adaptation": Variant({"strategies.mixed:inherit_sigma": _same_sigma}),
    "no structural mutation": Variant({"breeding:STRUCTURAL_CHANCE": 0.0}),
}

STRATEGIES = {
    "screened": Strategy(("lists", "mixed", "continuous-5"), 100, SCREENED),
    "screened, tuning": Strategy(("yahpo",), 50, SCREENED),
    "screened, depth": Strategy(("depth",), 100, SCREENED),
    "screened, lengths": Strategy(("lengths",), 100, SCREENED),
    "screened, lengths, long": Strategy(("lengths",), 250, SCREENED),
    "mixed": Strategy(("lists", "mixed"), 5_000, MIXED, {"strategy": "mixed"}),
    "mixed, long": Strategy(("lists", "mixed"), 50_000, MIXED),
    "numeric": Strategy(
        ("bbob",),
        "100d",
        ALL
        | {
            "no prelude": Variant(options={"strategy": "numeric"}),
            "no regression": Variant({"models.regression:MOST_COEFFICIENTS": 0}),
            "generations of lambda": Variant({"strategies.descent:POOL": 0}),
            "strategy mixed instead": Variant(options={"strategy": "mixed"}),
        },
    ),
    "numeric, long": Strategy(
        ("continuous-5",),
        "1000d",
        ALL
        | {
            "no L-SHADE": Variant({"strategies.numeric:Numeric._success_history": _larger_run}),
            "no larger runs": Variant({"strategies.numeric:Numeric._restart": _more_differences}),
            "runs again of the same size": Variant({"strategies.numeric:LARGER": 1}),
            "strategy mixed instead": Variant(options={"strategy": "mixed"}),
        },
    ),
    "discrete": Strategy(
        ("pbo",),
        2_000,
        ALL
        | {
            "no prelude": Variant(options={"strategy": "discrete"}),
            "no model of its own": Variant({"strategies.discrete:judge": _no_judge}),
            "no mating": Variant({"strategies.discrete:MATED": 0.0}),
            "one gene a mutation": Variant({"mutation:heavy_tailed": _one_gene}),
            "strategy mixed instead": Variant({"strategies.schedule:MOSTLY": 1.0}),
        },
    ),
}
