"""Checks of the problems themselves: `python -m pytest benchmarks`.

A suite whose package is not installed is skipped; each problem of a large suite is tested once.
"""

import numpy as np
import pytest
from problem import Problem, ReferencedProblem
from problems import PROBLEMS, SUITES
from spaces import decoder, draw

MISSING = {
    name: reason
    for suite in SUITES.values()
    for name in suite.problems
    if (reason := suite.missing())
}
DRAWN = [name for name, problem in PROBLEMS.items() if type(problem) is Problem]
KNOWN = [name for name, problem in PROBLEMS.items() if not isinstance(problem, ReferencedProblem)]
NOISY = [name for name, problem in PROBLEMS.items() if problem.noise]


def problem_of(name):
    if name in MISSING:
        pytest.skip(MISSING[name])
    return PROBLEMS[name]


@pytest.mark.parametrize("name", KNOWN)
def test_best_parameters_reach_the_known_optimum(name):
    for seed in range(5 if name in DRAWN else 1):
        instance = problem_of(name).exact(seed)
        if instance.best is not None:
            assert instance.loss(instance.best) == pytest.approx(instance.optimum, abs=1e-9)


@pytest.mark.parametrize("name", KNOWN)
def test_no_random_draw_is_below_the_optimum(name):
    problem = problem_of(name)
    losses = problem.random_losses(0, draws=300)
    assert np.isfinite(losses).all()
    assert losses.min() >= problem.optimum_of(0)
    assert np.median(losses) > problem.optimum_of(0)


@pytest.mark.parametrize("name", DRAWN)
def test_no_small_step_from_the_best_parameters_is_better(name):
    # Random codes near those of the optimum would find a lower value if there were one nearby.
    instance = problem_of(name).exact(1)
    rng = np.random.default_rng(0)
    for _ in range(200):
        assert instance.loss(nudge(instance.best, rng)) >= instance.optimum


def nudge(value, rng):
    if isinstance(value, dict):
        return {name: nudge(part, rng) for name, part in value.items()}
    if isinstance(value, list):
        return [nudge(part, rng) for part in value]
    return value * (1 + 1e-4 * rng.normal()) if isinstance(value, float) else value


@pytest.mark.parametrize("name", DRAWN)
def test_instances_depend_on_the_seed_and_nothing_else(name):
    problem = problem_of(name)
    first, again, other = (problem.instance(seed).best for seed in (3, 3, 4))
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", PROBLEMS)
def test_flat_codes_cover_the_space(name):
    # Every loss accepts what flat libraries send, the corners included.
    problem = problem_of(name)
    instance = problem.exact(0)
    coordinates, decode = decoder(problem.space)
    low, high = zip(*(coordinate.bounds for coordinate in coordinates), strict=True)
    rng = np.random.default_rng(0)
    middle = rng.uniform(low, high)
    for codes in (low, high, middle):
        assert instance.loss(decode(codes)) >= instance.optimum
    assert len({coordinate.name for coordinate in coordinates}) == len(coordinates)


@pytest.mark.parametrize("name", PROBLEMS)
def test_losses_are_the_same_in_every_run(name):
    problem = problem_of(name)
    point = draw(problem.space, np.random.default_rng(1))
    first, again = ([loss(point) for _ in range(2)] for loss in _two_losses(problem))
    assert first == again
    assert len(set(first)) == (2 if problem.noise else 1)


def _two_losses(problem):
    return [problem.instance(2).loss for _ in range(2)]


@pytest.mark.parametrize("name", NOISY)
def test_noise_has_the_stated_size_and_no_bias(name):
    # The mean of 2,000 is within 5 standard errors and the spread within 10 %, over 6 sigma.
    problem = problem_of(name)
    instance = problem.instance(0)
    point = draw(problem.space, np.random.default_rng(1))
    noise = np.array([instance.loss(point) - instance.truth(point) for _ in range(2_000)])
    spread = problem.noise * problem.median_loss(0)
    assert noise.std() == pytest.approx(spread, rel=0.1)
    assert abs(noise.mean()) < 5 * spread / np.sqrt(len(noise))


def test_flat_and_nested_draws_have_the_same_shape():
    space = PROBLEMS["lists-network"].space
    rng = np.random.default_rng(0)
    coordinates, decode = decoder(space)
    nested = draw(space, rng)
    flat = decode([coordinate.bounds[0] for coordinate in coordinates])
    assert nested.keys() == flat.keys()
    assert flat["layers"] == [{"units": 4, "activation": "relu", "dropout": 0.0}]
    assert flat["optimizer"] == {"kind": "sgd", "momentum": 0.0}
