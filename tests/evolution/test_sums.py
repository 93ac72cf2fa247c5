"""Sums over the items of lists: what they tell apart, and what they foretell."""

import numpy as np
import pytest
from spaces import SPACES

from geneticpy import (
    ChoiceDistribution,
    ListDistribution,
    PermutationDistribution,
    UniformDistribution,
)
from geneticpy.evolution.models import sums
from geneticpy.evolution.models.features import standardize
from geneticpy.evolution.models.gaussian_process import SUM_PRIOR, GaussianProcess
from geneticpy.evolution.models.sums import SumFeatures, outermost
from geneticpy.evolution.models.trend import TrendFeatures
from geneticpy.evolution.strategies.screened import SUMS_DOUBTED
from geneticpy.space.encoding import Encoding

MEMBER = {
    "weight": UniformDistribution(0, 1),
    "kind": ChoiceDistribution(["a", {"n": UniformDistribution(0, 1)}, "c"]),
}
MEMBERS = Encoding({"members": ListDistribution(MEMBER, min_size=1, max_size=5)})
NUMBERS = Encoding(ListDistribution(UniformDistribution(0, 1), min_size=0, max_size=3))


def made(genome):
    """Return the features with the same frequencies every time."""
    return SumFeatures(genome, np.random.default_rng(0))


def numbers_of(encoding, params):
    """Return the columns of the sums."""
    genes = encoding.encode(params)
    features = made(encoding.genome)
    plain = len(features.role) - features.sums * sums.WAVES
    return features(genes, encoding.genome.activity(genes))[:, plain : len(features.role)]


def draw(encoding, n, seed=0):
    return encoding.decode(encoding.genome.sample(np.random.default_rng(seed), n))


@pytest.mark.parametrize("name", SPACES)
def test_sums_stand_between_features_and_trend(name):
    genome = Encoding(SPACES[name]).genome
    genes = genome.sample(np.random.default_rng(0), 40)
    active = genome.activity(genes)
    features, trend = made(genome), TrendFeatures(genome)
    x, plain = features(genes, active), trend(genes, active)
    p, q = len(trend.role), len(features.role)
    assert features.trend == trend.trend
    assert q == p + features.sums * sums.WAVES
    np.testing.assert_array_equal(x[:, :p], plain[:, :p])
    np.testing.assert_array_equal(x[:, q:], plain[:, p:])
    assert set(features.role[p:]).isdisjoint(trend.role)
    assert len(set(features.role[p:])) == features.sums


@pytest.mark.parametrize("name", SPACES)
def test_dormant_genes_have_no_part_in_sums(name):
    genome = Encoding(SPACES[name]).genome
    genes = genome.sample(np.random.default_rng(0), 40)
    active = genome.activity(genes)
    other = genome.snap(np.where(active, genes, np.random.default_rng(1).random(genes.shape)))
    kept = (genome.activity(other) == active).all(axis=1)
    features = made(genome)
    np.testing.assert_array_equal(features(other, active)[kept], features(genes, active)[kept])


def test_the_order_of_items_does_not_matter():
    params = draw(MEMBERS, 30)
    turned = [{"members": p["members"][::-1]} for p in params]
    np.testing.assert_allclose(
        numbers_of(MEMBERS, params), numbers_of(MEMBERS, turned), atol=1e-12
    )


def test_different_items_are_told_apart():
    params = [p for p in draw(MEMBERS, 60) if len(p["members"]) == 3]
    x = numbers_of(MEMBERS, params)
    distance = np.linalg.norm(x[:, None] - x, axis=2)
    assert distance[~np.eye(len(x), dtype=bool)].min() > 0.01


def test_a_list_is_worth_the_sum_of_its_items():
    values = [0.1, 0.4, 0.9]
    x = numbers_of(NUMBERS, [values, *([v] for v in values), []])
    np.testing.assert_allclose(x[0], x[1:4].sum(axis=0), atol=1e-12)
    np.testing.assert_array_equal(x[4], 0)


def test_products_of_items_are_a_matern_kernel(monkeypatch):
    monkeypatch.setattr(sums, "WAVES", 40_000)
    monkeypatch.setattr(sums, "LENGTHS", (0.3,))
    x = numbers_of(NUMBERS, [[0.2], [0.2], [0.35], [0.8]])
    r = np.sqrt(5) * np.array([0, 0.15, 0.6]) / 0.3
    expected = (1 + r + r * r / 3) * np.exp(-r)
    # a product of two waves has a deviation of at most 1/sqrt(40,000) = .005; 5 of them
    np.testing.assert_allclose(x[0] @ x[1:].T, expected, atol=0.025)


def test_only_outermost_lists_are_summed():
    genome = Encoding(SPACES["lists in lists"]).genome
    assert len(genome.lists) == 4
    assert [block.size_gene for block in outermost(genome)] == [0]
    assert made(genome).sums == len(sums.LENGTHS)


@pytest.mark.parametrize(
    "space",
    [
        SPACES["arms"],
        ListDistribution(PermutationDistribution(range(3)), 1, 3),
        ListDistribution("constant", 1, 3),
    ],
)
def test_spaces_without_items_to_sum_have_no_sums(space):
    genome = Encoding(space).genome
    features = made(genome)
    assert features.sums == 0
    np.testing.assert_array_equal(features.role, TrendFeatures(genome).role)


def test_lengths_of_sums_are_expected_to_be_larger():
    features = made(MEMBERS.genome)
    process = GaussianProcess(features, size=5.0)
    lengths = process.theta[2 : 3 + features.role.max()]
    np.testing.assert_allclose(np.diff(lengths[-features.sums - 1 :]), [SUM_PRIOR[0], 0.0])
    np.testing.assert_array_equal(lengths[: -features.sums], lengths[0])


def test_fewer_columns_have_the_same_distances_and_as_many_sums():
    genome = MEMBERS.genome
    genes = genome.sample(np.random.default_rng(0), 20)
    features = made(genome)
    x = features(genes, genome.activity(genes))
    columns, fewer = features.fewer(x)
    assert columns.sums == features.sums
    assert columns.role.max() == features.role.max()
    for role in range(columns.role.max() + 1):
        mine = x[:, : len(features.role)][:, features.role == role]
        its = fewer[:, : len(columns.role)][:, columns.role == role]
        np.testing.assert_allclose(its @ its.T, mine @ mine.T, atol=1e-9)


def test_a_loss_of_the_sum_is_foretold_better():
    genome = Encoding(ListDistribution(UniformDistribution(0, 1), 1, 6)).genome
    genes = genome.sample(np.random.default_rng(0), 200)
    active = genome.activity(genes)
    losses = ((np.sin(6 * genes[:, 1:]) * active[:, 1:]).sum(axis=1) - 1) ** 2
    missed = []
    for features in (TrendFeatures(genome), made(genome)):
        x, z = features(genes, active), standardize(losses[:60])
        process = GaussianProcess(features, size=4.0)
        value = process.fit(x[:60], z, twice=True)
        mean = process.condition(x[:60], z).predict(x[60:]).mean
        missed.append((value, -np.corrcoef(mean, losses[60:])[0, 1]))
    assert missed[1][0] < missed[0][0] - SUMS_DOUBTED
    assert missed[1][1] < missed[0][1] - 0.1
