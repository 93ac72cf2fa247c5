"""Orders as the model sees them: closed forms of the four families, and their limits."""

from itertools import pairwise

import numpy as np
import pytest

from geneticpy import ListDistribution, PermutationDistribution, UniformDistribution
from geneticpy.evolution.models.features import MOST_PAIRS, Features, standardize
from geneticpy.evolution.models.gaussian_process import GaussianProcess
from geneticpy.evolution.models.orders import ORDERS_APART, OrderFeatures
from geneticpy.evolution.models.threads import one_thread
from geneticpy.space.encoding import Encoding


def orders(c, n, seed=0):
    """Draw random orders, (n, c) item numbers."""
    rng = np.random.default_rng(seed)
    return np.array([rng.permutation(c) for _ in range(n)])


def columns(items):
    """Snapped columns of orders of item numbers."""
    return (np.asarray(items) + 0.5) / np.shape(items)[-1]


def written(features, items):
    """(n, p) numbers of orders of item numbers."""
    x = np.zeros((len(items), len(features.family)))
    features.write(columns(items), x)
    return x


def apart(items, most=10**6):
    """(4,) squared distances of two orders, one for each family, in units of random orders."""
    c = len(items[0])
    features = OrderFeatures(c, most)
    x = written(features, items)
    return np.bincount(features.family, (x[0] - x[1]) ** 2, 4) / ORDERS_APART


def followers(order):
    return set(pairwise(order))


def neighbours(order):
    return {frozenset(pair) for pair in zip(order, np.roll(order, -1), strict=True)}


@pytest.mark.parametrize("c", [3, 4, 5, 20])
def test_distances_count_the_pairs_that_differ(c):
    for seed in range(20):
        one, two = orders(c, 2, seed)
        when = ((one.argsort() - two.argsort()) ** 2).sum() * 6 / c**3
        where = (one != two).sum() / c
        follow = len(followers(one) - followers(two)) / c
        near = len(neighbours(one) - neighbours(two)) / c
        np.testing.assert_allclose(apart([one, two]), [when, where, follow, near], atol=1e-12)


def test_a_round_trip_is_the_same_from_any_city_in_both_directions():
    trip = orders(9, 1)[0]
    assert apart([trip, np.roll(trip[::-1], 4)])[3] == 0
    assert apart([trip, np.roll(trip, 4)])[2] == pytest.approx(1 / 9)
    assert apart([trip, trip[::-1]])[2] == pytest.approx(8 / 9)


def test_two_items_have_one_pair_of_neighbours():
    # a place is half of the range: 2 items, 6 / 2^3 each
    np.testing.assert_allclose(apart([[0, 1], [1, 0]]), [1.5, 1, 0.5, 0])


@pytest.mark.parametrize("c", [10, 100])
def test_random_orders_are_as_far_apart_in_every_family(c):
    items = orders(c, 2000)
    features = OrderFeatures(c, MOST_PAIRS)
    x = written(features, items)
    square = np.bincount(features.family, ((x[::2] - x[1::2]) ** 2).mean(axis=0), 4)
    # of c pairs about one in c is shared, two of neighbours in c - 1 are; 100 items share columns
    np.testing.assert_allclose(square / ORDERS_APART, 1, atol=0.25)


def test_a_thousand_items_share_columns_and_stay_apart():
    items = orders(1000, 2)
    features = OrderFeatures(1000, MOST_PAIRS)
    assert len(features.family) == 1000 + 3 * MOST_PAIRS
    x = written(features, items)
    taken = (x[:, 1000:] > 0).mean()
    assert taken == pytest.approx(1 - np.exp(-1000 / MOST_PAIRS), abs=0.03)  # at random
    items[1] = items[0]
    items[1, [10, 500]] = items[0, [500, 10]]
    assert (apart(items, MOST_PAIRS) > 0).all()


def test_scattered_pairs_spread_evenly():
    features = OrderFeatures(200, 256)
    x = written(features, orders(200, 500))
    for family in (1, 2, 3):
        mean = x[:, features.family == family].mean(axis=0)
        assert mean.std() < 0.2 * mean.mean()


def test_many_orders_share_the_limit_of_columns_and_their_roles():
    space = ListDistribution(PermutationDistribution(range(30)), min_size=1, max_size=40)
    genome = Encoding(space).genome
    features = Features(genome)
    assert len(features.role) <= 1 + 40 * 30 + 3 * (MOST_PAIRS + 40)
    assert len(set(features.role.tolist())) == 1 + 4
    assert features.counted.sum() == 41


def test_dormant_orders_do_not_count():
    space = ListDistribution(PermutationDistribution(range(5)), min_size=1, max_size=2)
    genome = Encoding(space).genome
    genes = genome.sample(np.random.default_rng(0), 100)
    genes[:, 0] = 0.25  # one order
    genes[:, 1:6] = genes[0, 1:6]
    x = Features(genome)(genes, genome.activity(genes))
    assert (x == x[0]).all()
    assert x.any()


def test_an_order_of_one_item_has_no_columns():
    genome = Encoding({"o": PermutationDistribution(["a"]), "x": UniformDistribution(0, 1)}).genome
    assert len(Features(genome).role) == 1


def test_equal_items_are_different_items():
    encoding = Encoding(PermutationDistribution(["a", "b", "c", "d"]))
    genes = encoding.genome.enumerate()
    x = Features(encoding.genome)(genes, encoding.genome.activity(genes))
    assert len(np.unique(x.round(12), axis=0)) == 24


def queue(items, weight):
    return (items.argsort(axis=1) * weight[0]).sum(axis=1)


def assignment(items, weight):
    return weight[np.arange(items.shape[1]), items].sum(axis=1)


def setup(items, weight):
    return weight[items[:, :-1], items[:, 1:]].sum(axis=1)


def trip(items, weight):
    return (weight + weight.T)[items, np.roll(items, -1, axis=1)].sum(axis=1)


@pytest.mark.parametrize("loss", [queue, assignment, setup, trip])
def test_the_model_learns_which_family_matters(loss):
    weight = np.random.default_rng(1).random((9, 9))
    items = orders(9, 400)
    genome = Encoding(PermutationDistribution(range(9))).genome
    genes = columns(items)
    features = Features(genome)
    x, z = features(genes, genome.activity(genes)), standardize(loss(items, weight))
    process = GaussianProcess(features, size=1.0)
    with one_thread():
        process.fit(x[:200], z[:200])
        mean = process.condition(x[:200], z[:200]).predict(x[200:]).mean
    assert np.corrcoef(mean, z[200:])[0, 1] > 0.9


def test_fewer_columns_keep_the_distances_of_each_role():
    genome = Encoding({"o": PermutationDistribution(range(9)), "x": UniformDistribution(0, 1)})
    genes = genome.genome.sample(np.random.default_rng(0), 20)
    features = Features(genome.genome)
    x = features(genes, genome.genome.activity(genes))
    columns, fewer = features.fewer(x)
    assert fewer.shape == (20, 1 + 9 + 3 * 20)
    assert columns.numbers == 1
    for role in range(5):
        before = x[:, features.role == role] @ x[:, features.role == role].T
        after = fewer[:, columns.role == role] @ fewer[:, columns.role == role].T
        np.testing.assert_allclose(after, before, atol=1e-12)
