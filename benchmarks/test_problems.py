"""Checks of the problems themselves: `python -m pytest benchmarks`."""

import numpy as np
import pytest
from problems import PROBLEMS, SUITES
from spaces import decoder, draw


@pytest.mark.parametrize("name", PROBLEMS)
def test_best_parameters_reach_the_known_optimum(name):
    for seed in range(5):
        instance = PROBLEMS[name].instance(seed)
        assert instance.loss(instance.best) == pytest.approx(instance.optimum, abs=1e-9)


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_random_draw_is_below_the_optimum(name):
    problem = PROBLEMS[name]
    losses = problem.random_losses(0)
    assert np.isfinite(losses).all()
    assert losses.min() >= problem.optimum
    assert problem.median_loss(0) > problem.optimum


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_small_step_from_the_best_parameters_is_better(name):
    # Random codes near those of the optimum would find a lower value if there were one nearby.
    problem = PROBLEMS[name]
    instance = problem.instance(1)
    rng = np.random.default_rng(0)
    for _ in range(200):
        assert instance.loss(nudge(instance.best, rng)) >= instance.optimum


def nudge(value, rng):
    if isinstance(value, dict):
        return {name: nudge(part, rng) for name, part in value.items()}
    if isinstance(value, list):
        return [nudge(part, rng) for part in value]
    return value * (1 + 1e-4 * rng.normal()) if isinstance(value, float) else value


@pytest.mark.parametrize("name", PROBLEMS)
def test_instances_depend_on_the_seed_and_nothing_else(name):
    problem = PROBLEMS[name]
    first, again, other = (problem.instance(seed).best for seed in (3, 3, 4))
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", PROBLEMS)
def test_flat_codes_cover_the_space(name):
    # Every loss accepts what flat libraries send, the corners included.
    problem = PROBLEMS[name]
    loss = problem.instance(0).loss
    coordinates, decode = decoder(problem.space)
    low, high = zip(*(coordinate.bounds for coordinate in coordinates), strict=True)
    rng = np.random.default_rng(0)
    middle = rng.uniform(low, high)
    for codes in (low, high, middle):
        assert loss(decode(codes)) >= problem.optimum
    assert len({coordinate.name for coordinate in coordinates}) == len(coordinates)


def test_flat_and_nested_draws_have_the_same_shape():
    space = SUITES["lists"]["lists-network"].space
    rng = np.random.default_rng(0)
    coordinates, decode = decoder(space)
    nested = draw(space, rng)
    flat = decode([coordinate.bounds[0] for coordinate in coordinates])
    assert nested.keys() == flat.keys()
    assert flat["layers"] == [{"units": 4, "activation": "relu", "dropout": 0.0}]
    assert flat["optimizer"] == {"kind": "sgd", "momentum": 0.0}
