"""The model of the loss: closed forms, gradients against differences, safety at the extremes."""

import numpy as np
import pytest
from spaces import SPACES

from geneticpy.evolution.models.acquisition import (
    believers,
    log_expected_improvement,
    log_h,
)
from geneticpy.evolution.models.features import Features, standardize
from geneticpy.evolution.models.gaussian_process import GaussianProcess
from geneticpy.evolution.models.sums import SumFeatures
from geneticpy.space.encoding import Encoding


def data(name, n, seed=0):
    """Return features, rows of them, and losses that depend on all genes."""
    genome = Encoding(SPACES[name]).genome
    genes = genome.sample(np.random.default_rng(seed), n)
    active = genome.activity(genes)
    features = Features(genome) if genome.flat else SumFeatures(genome, np.random.default_rng(0))
    losses = ((np.where(active, genes, 0.9) - 0.3) ** 2).sum(axis=1)
    return features, features(genes, active), standardize(losses)


def fitted(name, n, seed=0):
    features, x, z = data(name, n, seed)
    process = GaussianProcess(features, size=float(features.numbers))
    process.fit(x, z)
    return process, x, z


@pytest.mark.parametrize("name", SPACES)
def test_features_tell_apart_exactly_what_decodes_differently(name):
    encoding = Encoding(SPACES[name])
    genome = encoding.genome
    genes = genome.sample(np.random.default_rng(0), 60)
    x = Features(genome)(genes, genome.activity(genes))
    params = [repr(p) for p in encoding.decode(genes)]
    for one in range(60):
        same = (x == x[one]).all(axis=1)
        assert [p == params[one] for p in params] == same.tolist()


def test_two_levels_of_an_unordered_gene_have_distance_one():
    encoding = Encoding(SPACES["choices"])
    rows = encoding.encode([{"c0": a, "c1": "a", "c2": "b", "c3": "c"} for a in "abcd"])
    x = Features(encoding.genome)(rows, encoding.genome.activity(rows))
    distance = np.linalg.norm(x[:, None] - x, axis=2)
    np.testing.assert_allclose(distance, 1 - np.eye(4), atol=1e-15)


def test_items_of_a_list_share_their_roles():
    features = Features(Encoding(SPACES["list"]).genome)
    assert len(features.role) == 13  # the size, and two genes for each of six items
    assert set(features.role) == {0, 1, 2}


@pytest.mark.parametrize("factor", [1e-300, 1.0, 1e300])
def test_the_scale_of_losses_does_not_matter(factor):
    losses = np.random.default_rng(0).standard_normal(50)
    np.testing.assert_allclose(standardize(losses * factor), standardize(losses), atol=1e-9)


def test_standardized_losses_keep_their_order_and_have_unit_variance():
    losses = np.random.default_rng(0).standard_cauchy(200)
    z = standardize(losses)
    assert (losses.argsort() == z.argsort()).all()
    np.testing.assert_allclose([z.mean(), z.std()], [0, 1], atol=1e-12)


def test_failed_losses_count_as_the_worst_finite():
    np.testing.assert_array_equal(
        standardize(np.array([1.0, np.inf, 2.0, 5.0])), standardize(np.array([1.0, 5.0, 2.0, 5.0]))
    )


@pytest.mark.parametrize(
    "losses",
    [[3.0] * 5, [np.inf] * 4, [0.0], [1e300, 1e300], [5e-324, 5e-324], [-0.0, 0.0]],
)
def test_losses_without_differences_are_zero(losses):
    assert standardize(np.array(losses)).tolist() == [0.0] * len(losses)


@pytest.mark.parametrize("losses", [[0, 5e-324], [-1.7e308, 1.7e308, 0], [1, 1, 1, 2], [1, 2, 2]])
def test_losses_with_differences_are_finite_and_ordered(losses):
    z = standardize(np.array(losses, float))
    assert np.isfinite(z).all()
    assert z[np.argmin(losses)] < z[np.argmax(losses)]


@pytest.mark.parametrize("name", SPACES)
def test_gradient_agrees_with_differences(name):
    features, x, z = data(name, 25)
    process = GaussianProcess(features, size=5.0)
    rng = np.random.default_rng(1)
    theta = process.theta + 0.3 * rng.standard_normal(len(process.theta))
    theta[0] = -3.0  # differences lose no digits in a well-conditioned matrix
    _, gradient = process.objective(theta, x, z)
    step = 1e-5
    for i, slope in enumerate(gradient):
        by = step * (np.arange(len(theta)) == i)
        above, below = (process.objective(theta + s, x, z)[0] for s in (by, -by))
        assert abs((above - below) / (2 * step) - slope) < 1e-5 * (1 + abs(slope))


def test_fit_raises_the_posterior_density():
    features, x, z = data("numbers", 40)
    process = GaussianProcess(features, size=10.0)
    before, _ = process.objective(process.theta, x, z)
    process.fit(x, z)
    after, gradient = process.objective(process.theta, x, z)
    assert after < before - 1
    assert np.abs(gradient).max() < 1


def test_a_fit_goes_on_with_the_hyperparameters_that_both_have():
    features, x, z = data("list", 40)
    plain = Features(Encoding(SPACES["list"]).genome)
    before = GaussianProcess(plain, size=5.0)
    before.fit(x[:, : len(plain.role)], z)
    for given, wanted in ((before, features), (GaussianProcess(features, 5.0, before), plain)):
        process = GaussianProcess(wanted, 5.0, given)
        fresh = GaussianProcess(wanted, 5.0)
        kept = np.isin(process.theta, before.theta)
        # noise, signal, three lengths and three warps of two are those of `before`
        assert kept.sum() == len(before.theta) == 11
        np.testing.assert_array_equal(process.theta[~kept], fresh.theta[~kept])


def test_fit_returns_the_objective_at_its_end():
    features, x, z = data("list", 40)
    process = GaussianProcess(features, size=5.0)
    assert process.fit(x, z, twice=True) == process.objective(process.theta, x, z)[0]


def test_a_second_start_finds_noise_that_was_taken_for_structure():
    rng = np.random.default_rng(0)
    x = rng.random((100, 10))
    z = standardize(3 * x[:, 0] + rng.standard_normal(100))
    ends = []
    for twice in (False, True):
        process = GaussianProcess(Features(Encoding(SPACES["numbers"]).genome), size=10.0)
        process.theta[[0, 2]] = -14.0, -2.5  # no noise, and a short length
        process.fit(x, z, twice)
        ends.append((process.theta[0], process.objective(process.theta, x, z)[0]))
    (once_noise, once), (noise, value) = ends
    assert once_noise < -4
    assert noise > -1  # the true one is log(1 / (1 + 9 / 12)) = -0.6
    assert value < once - 0.5


def test_fit_finds_which_genes_matter():
    features = Features(Encoding(SPACES["numbers"]).genome)
    x = np.random.default_rng(0).random((80, 10))
    process = GaussianProcess(features, size=10.0)
    process.fit(x, standardize((x[:, 3] - 0.4) ** 2))
    lengths = process.theta[2:12]
    assert lengths.argmin() == 3
    assert np.delete(lengths, 3).min() > lengths[3] + 1


def test_posterior_passes_through_the_data_when_there_is_no_noise():
    process, x, z = fitted("numbers", 30)
    process.theta[0] = -14.0
    posterior = process.condition(x, z)
    prediction = posterior.predict(x)
    np.testing.assert_allclose(prediction.mean, z, atol=1e-3)
    assert prediction.variance.max() < 1e-5
    assert abs(posterior.best - prediction.mean.min()) < 1e-9


def test_posterior_far_from_all_data_is_the_prior():
    process, x, z = fitted("numbers", 30)
    process.theta[2:12] = -5.0  # length scales of e^-5 of the range
    prediction = process.condition(x, z).predict(np.full((1, 10), 0.123))
    np.testing.assert_allclose(prediction.mean, 0, atol=1e-6)
    np.testing.assert_allclose(prediction.variance, np.exp(process.theta[1]), rtol=1e-6)


def test_prediction_agrees_with_the_closed_form():
    process, x, z = fitted("everything", 30)
    posterior = process.condition(x, z)
    features, new, _ = data("everything", 9, seed=5)
    prediction = posterior.predict(new)
    scaled, at = process.scaled(x), process.scaled(new)
    p = len(features.role)
    variance = np.exp(process.theta[-1]) / (2 * features.numbers)  # of each column of the trend

    def kernel(one, two, trend):
        r = np.linalg.norm(one[:, None, :p] - two[:, :p], axis=2)
        return posterior.signal * (1 + r + r * r / 3) * np.exp(-r) + variance * trend

    trend = x[:, p:] @ x[:, p:].T
    inverse = np.linalg.inv(kernel(scaled, scaled, trend) + posterior.noise * np.eye(30))
    cross = kernel(at, scaled, new[:, p:] @ x[:, p:].T)
    np.testing.assert_allclose(prediction.mean, cross @ inverse @ z, atol=1e-8)
    before = posterior.signal + variance * (new[:, p:] ** 2).sum(axis=1)
    expected = before - np.einsum("ij,jk,ik->i", cross, inverse, cross)
    np.testing.assert_allclose(prediction.variance, expected, atol=1e-8)


def test_foretold_is_what_models_without_one_row_each_explain():
    process, x, z = fitted("everything", 30)
    rest = ~np.eye(30, dtype=bool)
    alone = [process.condition(x[r], z[r]).predict(x[~r]).mean[0] for r in rest]
    expected = 1 - np.mean((z - alone) ** 2) / z.var()
    assert abs(process.condition(x, z).foretold() - expected) < 1e-8


def test_a_smooth_loss_is_foretold_and_noise_is_not_unless_lengths_are_fitted_to_it():
    process, x, z = fitted("numbers", 60)
    assert process.condition(x, z).foretold() > 0.5
    noise = standardize(np.random.default_rng(1).standard_normal(60))
    unfitted = GaussianProcess(Features(Encoding(SPACES["numbers"]).genome), size=10.0)
    assert unfitted.condition(x, noise).foretold() < 0.1
    assert unfitted.condition(x, np.zeros(60)).foretold() == 0


def test_the_same_points_many_times_do_no_harm():
    process, x, z = fitted("numbers", 10)
    x, z = np.tile(x, (20, 1)), np.tile(z, 20)
    process.theta[0] = -14.0
    process.theta[1] = 4.0
    process.fit(x, z)
    assert np.isfinite(process.condition(x, z).predict(x).mean).all()


def test_constant_losses_do_no_harm():
    features, x, _ = data("everything", 40)
    process = GaussianProcess(features, size=5.0)
    process.fit(x, np.zeros(40))
    prediction = process.condition(x, np.zeros(40)).predict(x)
    assert prediction.mean.tolist() == [0.0] * 40
    assert np.isfinite(log_expected_improvement(prediction.mean, prediction.variance, 0.0)).all()


# Logarithms of phi(z) + z Phi(z) with 60 digits: mpmath 1.4.1,
# mp.log(mp.npdf(z) + z * mp.erfc(-z / mp.sqrt(2)) / 2)
LOG_H = {
    5.0: 1.6094379231264313,
    0.0: -0.9189385332046728,
    -0.5: -1.6205162643873199,
    -1.0: -2.4851210257126413,
    -1.5: -3.52993592080571,
    -10.0: -55.55312203612235,
    -100.0: -5010.12957880025,
    -299.0: -44712.819859235344,
    -301.0: -45312.83319217364,
}


@pytest.mark.parametrize(("z", "expected"), LOG_H.items())
def test_log_h_agrees_with_sixty_digits(z, expected):
    np.testing.assert_allclose(log_h(np.array([z])), expected, rtol=1e-13)


def test_log_h_rises_everywhere():
    z = -np.logspace(8, -3, 3000)
    assert (np.diff(log_h(z)) > 0).all()


def test_expected_improvement_agrees_with_draws():
    rng = np.random.default_rng(0)
    drawn = np.maximum(0.2 - (0.5 + 0.7 * rng.standard_normal(400_000)), 0).mean()
    exact = np.exp(log_expected_improvement(np.array([0.5]), np.array([0.49]), 0.2))
    assert abs(exact[0] - drawn) < 0.003  # 7 standard errors


def test_noise_takes_the_share_from_the_improvement_that_it_leaves_unknown():
    """Huang et al. 2006, and the limit where the variance vanishes."""
    mean, variance = np.zeros(3), np.array([0.09, 1.0, 1e-12])
    plain = log_expected_improvement(mean, variance, 0.1)
    factor = np.exp(log_expected_improvement(mean, variance, 0.1, 0.16) - plain)
    np.testing.assert_allclose(factor[:2], [1 - 0.4 / 0.5, 1 - np.sqrt(0.16 / 1.16)])
    np.testing.assert_allclose(factor[2], 1e-12 / 0.32, rtol=1e-6)
    assert (log_expected_improvement(mean, variance, 0.1, 0.0) == plain).all()


def test_believers_choose_as_if_the_model_had_seen_the_believed_points():
    process, x, z = fitted("everything", 25)
    _, new, _ = data("everything", 60, seed=5)
    posterior = process.condition(x, z)
    candidates = posterior.predict(new)
    chosen = believers(posterior, candidates, posterior.best, 0.5, 0.1, 6)
    best, left = posterior.best, np.zeros(60)
    for i in chosen:
        prediction = process.condition(x, z).predict(new)
        variance = 0.5 * prediction.variance
        score = log_expected_improvement(prediction.mean, variance, best, 0.1)
        assert i == (score + left).argmax()
        left[i] = -np.inf
        best = min(best, prediction.mean[i])
        x, z = np.vstack([x, new[i]]), np.append(z, prediction.mean[i])
    assert len(set(chosen.tolist())) == 6


def test_believers_choose_all_when_there_are_not_more():
    process, x, z = fitted("numbers", 12)
    posterior = process.condition(x, z)
    chosen = believers(posterior, posterior.predict(x[:3]), posterior.best, 1.0, 0.0, 9)
    assert sorted(chosen.tolist()) == [0, 1, 2]


def test_losses_whose_better_half_is_next_to_equal_are_standardized():
    z = standardize(np.array([0.0, 5e-324, 1e-310, 1e-3, 1.0]))
    assert np.isfinite(z).all()
    assert (np.diff(z) >= 0).all()
    assert z[-1] > z[-2] > z[0]
