"""L-SHADE."""

import numpy as np
import pytest

from geneticpy import UniformDistribution
from geneticpy.evolution.strategies.success_history import MEMORY, SuccessHistory
from geneticpy.space.encoding import Encoding


def genome(d, q=None):
    return Encoding({f"x{i}": UniformDistribution(0, 1, q=q) for i in range(d)}).genome


def arm(d=4, size=20, evaluations=2000, seed=0, q=None):
    layout = genome(d, q)
    return SuccessHistory(np.random.default_rng(seed), layout, layout.snap, size, evaluations)


def evolve(search, loss, portions, n=10):
    """Ask and tell in portions; returns the least loss."""
    best = np.inf
    for _ in range(portions):
        genes, tickets = search.propose(n)
        assert ((genes >= 0) & (genes <= 1)).all()
        losses = loss(genes)
        best = min(best, losses.min())
        search.learn(tickets, genes, losses)
    return best


def sphere(x):
    return ((x - 0.3) ** 2).sum(axis=1)


def rastrigin(x):
    y = 10 * x - 3
    return (y * y - 10 * np.cos(2 * np.pi * y) + 10).sum(axis=1)


@pytest.mark.parametrize("n", [1, 7, 20, 100])
def test_a_sphere_is_descended_in_portions_of_any_size(n):
    assert evolve(arm(), sphere, 2000 // n, n) < 1e-6


def test_many_peaks_are_left_behind():
    solved = [evolve(arm(seed=seed, evaluations=4000), rastrigin, 400) < 1 for seed in range(4)]
    assert sum(solved) >= 3


def test_the_population_shrinks_linearly_to_four():
    search = arm(size=40, evaluations=1000)
    sizes = []
    for _ in range(100):
        evolve(search, sphere, 1)
        sizes.append(len(search._members))
    assert sizes[3] == 40
    assert abs(sizes[49] - 22) <= 3
    assert sizes[-1] == 4
    assert search.finished


def test_the_best_member_is_never_lost():
    search, best = arm(), np.inf
    for _ in range(100):
        best = min(best, evolve(search, rastrigin, 1))
        assert search._loss[search._members].min() == best


def test_the_memory_is_a_lehmer_mean_weighted_by_gains():
    search = arm()
    search._memorize(np.array([0.2, 0.8]), np.array([0.0, 0.5]), np.array([3.0, 1.0]))
    f = (0.75 * 0.04 + 0.25 * 0.64) / (0.75 * 0.2 + 0.25 * 0.8)
    np.testing.assert_allclose(search._mean_f, [f] + [0.5] * (MEMORY - 1))
    np.testing.assert_allclose(search._mean_cr[0], 0.5)
    search._memorize(np.array([0.2]), np.array([0.0]), np.array([1.0]))
    assert np.isnan(search._mean_cr[1])
    _, cr = search._parameters(1000)
    assert abs((cr == 0).mean() - 1 / 6) < 0.06  # 5 standard deviations


def test_scaling_factors_are_cauchy_where_they_are_positive():
    search = arm()
    search._mean_f[:] = 0.1
    f, _ = search._parameters(100_000)
    assert f.min() > 0
    assert f.max() == 1
    # P(f < x | f > 0) of a Cauchy distribution around 0.1 with scale 0.1
    cdf = lambda x: 0.5 + np.arctan((x - 0.1) / 0.1) / np.pi  # noqa: E731
    expected = [(cdf(x) - cdf(0)) / (1 - cdf(0)) for x in (0.1, 0.2, 0.5)]
    np.testing.assert_allclose([(f < x).mean() for x in (0.1, 0.2, 0.5)], expected, atol=0.008)


def test_gains_without_end_count_as_the_largest():
    search = arm()
    search._memorize(np.array([0.2, 0.8]), np.array([0.5, 0.5]), np.array([np.inf, 2.0]))
    np.testing.assert_allclose(search._mean_f[0], 0.68)
    search._memorize(np.array([0.2, 0.8]), np.array([0.5, 0.5]), np.array([np.inf, np.inf]))
    np.testing.assert_allclose(search._mean_f[1], 0.68)


def test_of_several_trials_for_one_member_the_best_stays():
    search = arm(size=4)
    genes, tickets = search.propose(4)
    search.learn(tickets, genes, np.full(4, 10.0))
    genes, tickets = search.propose(8)
    search.learn(tickets, genes, np.array([5.0, 9, 9, 9, 7, 8, 8, 11]))
    assert search._loss[search._members].tolist() == [5, 8, 8, 9]


def test_lost_and_late_trials_hold_nothing_up():
    search, rng = arm(), np.random.default_rng(5)
    late, best = [], np.inf
    for _ in range(600):
        genes, tickets = search.propose(10)
        losses = sphere(genes)
        order = rng.permutation(10)
        told, later = order[:5], order[5:8]
        search.learn(tickets[told], genes[told], losses[told])
        late.append((tickets[later], genes[later], losses[later]))
        if len(late) > 3:
            search.learn(*late.pop(0))
        best = min(best, losses[told].min())
    assert best < 1e-5


@pytest.mark.parametrize("loss", [np.inf, 0.0, 1e308])
def test_flat_and_failing_losses_end(loss):
    search = arm(evaluations=500)
    evolve(search, lambda x: np.full(len(x), loss), 60)
    assert search.finished


def test_a_population_of_one_point_is_finished():
    search = arm(d=2, q=0.5, evaluations=10**6)
    evolve(search, sphere, 200)
    assert search.finished
