"""Covariance matrix adaptation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geneticpy import UniformDistribution
from geneticpy.evolution.strategies.covariance import (
    LARGEST_FULL,
    Covariance,
    Diagonal,
    Full,
    constants,
    fold,
)
from geneticpy.space.encoding import Encoding


def genome(d, q=None, high=1):
    return Encoding({f"x{i}": UniformDistribution(0, high, q=q) for i in range(d)}).genome


def evolve(covariance, loss, generations, n=10, seed=0):
    """Run generations; returns the least loss."""
    rng, best = np.random.default_rng(seed), np.inf
    for _ in range(generations):
        x = covariance.sample(rng, n)
        losses = loss(fold(x))
        best = min(best, losses.min())
        covariance.update(x[losses.argsort()])
    return best


@settings(deadline=None, derandomize=True)
@given(st.floats(-1e6, 1e6))
def test_folding_is_continuous_of_period_two_and_keeps_the_cube(x):
    value = fold(np.array([x]))
    assert 0 <= value[0] <= 1
    np.testing.assert_allclose(fold(np.array([x + 2])), value, atol=1e-8)
    np.testing.assert_allclose(fold(np.array([-x])), value, atol=1e-8)
    np.testing.assert_allclose(fold(np.array([x + 1e-9])), value, atol=1e-8)


def test_folding_leaves_the_cube_as_it_is():
    x = np.linspace(0, 1, 11)
    np.testing.assert_allclose(fold(x), x, atol=1e-15)


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("d", [1, 2, 10, 100])
@pytest.mark.parametrize("n", [2, 3, 4, 10, 11, 200])
def test_constants_are_those_of_the_tutorial(n, d, diagonal):
    c = constants(n, d, diagonal)
    positive = c.weights[: c.mu]
    np.testing.assert_allclose(positive.sum(), 1)
    np.testing.assert_allclose(c.mu_eff, 1 / (positive**2).sum())
    assert (np.diff(c.weights) <= 0).all()
    assert (c.weights[c.mu :] <= 0).all()
    assert c.c_1 + c.c_mu <= 1 + 1e-12
    # (52): C stays positive definite
    assert c.c_1 + c.c_mu + d * c.c_mu * -c.weights[c.mu :].sum() <= 1 + 1e-9


def test_the_constants_of_ten_samples_of_ten_genes():
    # pycma 4.5.0: RecombinationWeights(10); CMAParameters of dimension 10
    c = constants(10, 10, False)
    np.testing.assert_allclose(
        c.weights[:5], [0.456273, 0.270753, 0.162231, 0.085234, 0.025510], atol=1e-6
    )
    np.testing.assert_allclose(c.mu_eff, 3.167299, atol=1e-6)


@pytest.mark.parametrize("kind", [Full, Diagonal])
def test_roots_are_those_of_the_matrix(kind):
    rng, d = np.random.default_rng(0), 4
    steps, weights = rng.standard_normal((20, d)), rng.random(20)
    matrix = kind(d)
    matrix.learn(0.5, weights, steps)
    matrix.decompose(np.zeros(d))
    c = 0.5 * np.eye(d) + (steps.T * weights) @ steps
    c = c if kind is Full else np.diag(np.diag(c))
    root = matrix.colour(np.eye(d))
    np.testing.assert_allclose(root @ root, c, atol=1e-12)
    np.testing.assert_allclose(matrix.whiten(root), np.eye(d), atol=1e-12)
    np.testing.assert_allclose(matrix.deviations, np.sqrt(np.diag(c)))
    np.testing.assert_allclose(np.sort(matrix.axes), np.sqrt(np.linalg.eigvalsh(c)))


def test_flipping_mirrors_the_matrix():
    rng, sign = np.random.default_rng(0), np.array([1.0, -1.0, -1.0])
    steps = rng.standard_normal((9, 3))
    one, two = Full(3), Full(3)
    one.learn(0.1, np.ones(9), steps)
    two.learn(0.1, np.ones(9), steps * sign)
    one.decompose(np.zeros(3))
    two.decompose(np.zeros(3))
    one.flip(sign)
    np.testing.assert_allclose(one.colour(np.eye(3)), two.colour(np.eye(3)), atol=1e-12)


def test_samples_are_distributed_as_they_should_be():
    covariance = Covariance(genome(3), np.full(3, 0.5), 0.1)
    x = covariance.sample(np.random.default_rng(0), 100_000)
    # 5 standard deviations: 5 * 0.1 / sqrt(1e5), 5 * 0.1**2 * sqrt(2 / 1e5)
    np.testing.assert_allclose(x.mean(axis=0), 0.5, atol=0.0016)
    np.testing.assert_allclose(np.cov(x.T), 0.01 * np.eye(3), atol=0.00023)


SCALES = 10.0 ** np.linspace(0, 3, 5)


def test_the_shape_of_an_ellipsoid_is_learned():
    rng = np.random.default_rng(3)
    axes = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    covariance = Covariance(genome(5), np.full(5, 0.5), 0.2)
    best = evolve(covariance, lambda x: ((((x - 0.4) @ axes) * SCALES) ** 2).sum(axis=1), 400)
    assert best < 1e-10  # over 20 seeds at most 1.1e-27
    assert covariance.matrix.axes.max() / covariance.matrix.axes.min() > 100


@pytest.mark.parametrize("d", [1, LARGEST_FULL + 1])
def test_one_gene_and_more_than_a_matrix_is_learned_for(d):
    covariance = Covariance(genome(d), np.full(d, 0.7), 0.2)
    assert isinstance(covariance.matrix, Full if d == 1 else Diagonal)
    best = evolve(covariance, lambda x: ((x - 0.3) ** 2).sum(axis=1), 60 if d == 1 else 300, n=20)
    assert best < (1e-10 if d == 1 else 1e-3)  # over 10 seeds at most 1.7e-25 and 4.7e-4


@pytest.mark.parametrize("at", [np.zeros(4), np.ones(4), np.array([0.0, 1.0, 0.5, 0.25])])
def test_an_optimum_in_a_corner_is_found(at):
    best = evolve(Covariance(genome(4), np.full(4, 0.5), 0.2), lambda x: abs(x - at).sum(1), 300)
    assert best < 1e-8


def test_the_mean_stays_in_the_cube_and_the_distribution_is_sane():
    covariance = Covariance(genome(3), np.full(3, 0.5), 0.2)
    rng = np.random.default_rng(0)
    for _ in range(500):
        covariance.update(covariance.sample(rng, 8))  # ranks at random
        assert ((covariance.mean >= 0) & (covariance.mean <= 1)).all()
    assert covariance.sigma * covariance.matrix.deviations.max() < 10
    assert not covariance.exhausted


def test_a_step_from_elsewhere_is_shortened():
    covariance = Covariance(genome(2), np.full(2, 0.5), 1e-6)
    covariance.update(np.array([[0.9, 0.9], [0.5, 0.5]]))
    moved = np.linalg.norm(covariance.mean - 0.5)
    np.testing.assert_allclose(moved, (np.sqrt(2) + 1) * 1e-6, rtol=1e-6)


def test_stepped_genes_keep_a_spread():
    covariance = Covariance(genome(3, q=1, high=9), np.full(3, 0.55), 0.2)
    evolve(covariance, lambda x: (np.floor(x * 10) != 3).sum(axis=1), 100)
    # at least min(0.2, mu_eff / d) levels of a tenth
    assert (covariance.sigma * covariance.matrix.deviations > 0.9 * 0.02).all()


def test_samples_that_leave_the_level_of_the_mean_are_centred_and_the_bias_is_corrected():
    covariance = Covariance(genome(1, q=1, high=9), np.array([0.55]), 0.1)
    x = np.array([[0.61], [0.54], [0.58], [0.9]])
    centred = covariance._centred(x.copy(), 3)
    # 0.61 goes to the centre 0.65; 0.58 gives up 0.03 of it, and may not pass the centre 0.55
    np.testing.assert_allclose(centred[:, 0], [0.65, 0.54, 0.55, 0.9])


def test_a_run_that_has_converged_says_so():
    covariance = Covariance(genome(2), np.full(2, 0.5), 0.2)
    assert not covariance.exhausted
    evolve(covariance, lambda x: ((x - 0.5) ** 2).sum(axis=1), 400)
    assert covariance.exhausted
