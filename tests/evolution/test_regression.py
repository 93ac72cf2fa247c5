"""Regressions of the loss near a search distribution."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geneticpy.evolution.models.regression import (
    Frame,
    Regression,
    affordable,
    features,
    sizes,
)


def identity(z):
    return z


def frame(d, mean=0.5, sigma=0.2):
    return Frame(np.full(d, mean), sigma, identity, identity)


def quadratic(rng, d):
    """Make a convex quadratic with its optimum inside the cube; returns both."""
    root = rng.standard_normal((d, d))
    optimum = rng.uniform(0.3, 0.7, d)
    return lambda x: 3.0 + (((x - optimum) @ root) ** 2).sum(axis=1), optimum


@pytest.mark.parametrize("d", [1, 2, 5, 9])
def test_the_full_model_recovers_a_quadratic_and_its_optimum(d):
    rng = np.random.default_rng(d)
    loss, optimum = quadratic(rng, d)
    p = sizes(d)[-1]
    x = rng.random((2 * p + 4, d))
    model = Regression(frame(d), x, loss(x), p)
    new = rng.random((50, d))
    np.testing.assert_allclose(model.predict(new), model.scale(loss(new)), atol=1e-4)
    np.testing.assert_allclose(model.optimum(), optimum, atol=1e-3)


def test_the_diagonal_model_recovers_a_separable_quadratic():
    rng = np.random.default_rng(0)
    weights, optimum = np.array([1.0, 10.0, 100.0]), np.array([0.2, 0.5, 0.9])
    x = rng.random((20, 3))
    model = Regression(frame(3), x, ((x - optimum) ** 2 * weights).sum(axis=1), 7)
    np.testing.assert_allclose(model.optimum(), optimum, atol=1e-3)


def test_the_linear_model_descends_to_the_corner():
    rng = np.random.default_rng(0)
    x = rng.random((10, 3))
    model = Regression(frame(3, sigma=1.0), x, x @ np.array([1.0, -1.0, 1.0]), 4)
    np.testing.assert_array_equal(model.optimum(), [0.0, 1.0, 0.0])


def test_a_saddle_is_descended():
    rng = np.random.default_rng(0)
    x = rng.random((40, 2))
    loss = (x[:, 0] - 0.5) ** 2 - (x[:, 1] - 0.4) ** 2
    best = Regression(frame(2), x, loss, 6).optimum()
    assert abs(best[0] - 0.5) < 0.05
    assert best[1] > 0.55  # away from the crest at 0.4, to the farther side


def test_the_optimum_lies_within_the_trusted_distance():
    rng = np.random.default_rng(0)
    x = 0.5 + 0.001 * rng.standard_normal((40, 2))
    model = Regression(frame(2, sigma=0.001), x, x[:, 0] + x[:, 1], 3)
    distance = np.linalg.norm((model.optimum() - 0.5) / 0.001)
    np.testing.assert_allclose(distance, 3 * np.sqrt(2))


def test_the_model_grows_with_what_is_told():
    # 0.75 n >= 1.1 p
    assert sizes(5) == [6, 11, 21]
    assert [affordable(5, n) for n in (8, 9, 16, 17, 30, 31, 1000)] == [0, 6, 6, 11, 11, 21, 21]
    assert sizes(30)[-1] == 496
    assert sizes(31)[-1] == 63
    assert sizes(600) == []
    assert affordable(600, 10**6) == 0


def test_features_are_powers_and_products():
    z = np.array([[2.0, 3.0]])
    assert features(z, 3).tolist() == [[1, 2, 3]]
    assert features(z, 5).tolist() == [[1, 2, 3, 4, 9]]
    assert features(z, 6).tolist() == [[1, 2, 3, 4, 9, 6]]


@pytest.mark.parametrize("factor", [1e-305, 1e-30, 1.0, 1e30, 1e304])
def test_the_unit_of_the_loss_is_of_no_account(factor):
    rng = np.random.default_rng(1)
    loss, optimum = quadratic(rng, 3)
    x = rng.random((40, 3))
    model = Regression(frame(3), x, factor * loss(x), 10)
    np.testing.assert_allclose(model.optimum(), optimum, atol=1e-3)


@settings(deadline=None, derandomize=True)
@given(
    loss=st.lists(
        st.floats(allow_nan=False, allow_infinity=True).filter(lambda y: y > -np.inf),
        min_size=16,
        max_size=16,
    ).filter(lambda loss: np.isfinite(loss).any())
)
def test_any_losses_are_regressed_on(loss):
    x = np.random.default_rng(0).random((16, 2))
    model = Regression(frame(2), x, np.array(loss), 6)
    assert np.isfinite(model.predict(x)).all()
    assert np.isfinite(model.optimum()).all()


def test_losses_far_above_those_that_were_fitted_rank_last():
    x = np.random.default_rng(0).random((16, 2))
    model = Regression(frame(2), x, 1e-10 * x[:, 0], 6)
    scaled = model.scale(np.array([1e-10, 1e308, np.inf]))
    assert np.isfinite(scaled[0])
    assert scaled[0] < scaled[1] <= scaled[2]


def test_equal_points_are_regressed_on():
    model = Regression(frame(2), np.full((16, 2), 0.3), np.arange(16.0), 6)
    assert np.isfinite(model.optimum()).all()
