"""The trend of structured spaces: its columns, and what it foretells."""

import numpy as np
import pytest
from spaces import SPACES

from geneticpy import ChoiceDistribution, ListDistribution, UniformDistribution
from geneticpy.evolution.models.features import Features
from geneticpy.evolution.models.gaussian_process import GaussianProcess
from geneticpy.evolution.models.trend import TrendFeatures
from geneticpy.space.encoding import Encoding

LAYER = {"width": UniformDistribution(0, 1), "kind": ChoiceDistribution(["a", "b", "c"])}
LAYERS = {"layers": ListDistribution(LAYER, min_size=1, max_size=8)}


def rows_of(space, n, seed):
    """Return the genome, and rows with their activity."""
    genome = Encoding(space).genome
    genes = genome.sample(np.random.default_rng(seed), n)
    return genome, genes, genome.activity(genes)


@pytest.mark.parametrize("name", SPACES)
def test_the_trend_comes_after_the_features(name):
    genome, genes, active = rows_of(SPACES[name], 40, seed=0)
    features = TrendFeatures(genome)
    x = features(genes, active)
    p = len(features.role)
    assert x.shape == (40, p + features.trend)
    np.testing.assert_array_equal(x[:, :p], Features(genome)(genes, active))


@pytest.mark.parametrize("name", SPACES)
def test_dormant_genes_have_no_part_in_the_trend(name):
    genome, genes, active = rows_of(SPACES[name], 40, seed=0)
    features = TrendFeatures(genome)
    other = genome.snap(np.where(active, genes, np.random.default_rng(1).random(genes.shape)))
    kept = (genome.activity(other) == active).all(axis=1)
    np.testing.assert_array_equal(features(other, active)[kept], features(genes, active)[kept])


def test_columns_of_numbers_are_centred_and_independent():
    space = {f"x{i}": UniformDistribution(0, 1) for i in range(3)}
    genome, genes, active = rows_of(space, 20_000, seed=0)
    trend = TrendFeatures(genome)(genes, active)[:, 3:]
    assert trend.shape[1] == 6
    # of 20,000 rows the mean has a deviation of .007, products at most .02; 5 of them
    np.testing.assert_allclose(trend.mean(axis=0), 0, atol=0.036)
    np.testing.assert_allclose(trend.T @ trend / 20_000, np.eye(6), atol=0.1)


def test_items_of_a_list_share_the_means_of_their_columns():
    genome, genes, active = rows_of(LAYERS, 50, seed=0)
    features = TrendFeatures(genome)
    trend = features(genes, active)[:, len(features.role) :]
    own = (1 + 8) * 2 + 8 * 3  # of the size, the widths and the kinds
    assert trend.shape[1] == own + 2 + 3
    size = active[:, 1:].sum(axis=1) / 2
    np.testing.assert_allclose(trend[:, own], trend[:, 1:9].sum(axis=1) / size)
    kinds = trend[:, 18:own].reshape(50, 8, 3)
    np.testing.assert_allclose(trend[:, own + 2 :], kinds.sum(axis=1) / size[:, None])


@pytest.mark.parametrize("n", [20, 200])
def test_fewer_columns_have_the_same_products(n):
    genome, genes, active = rows_of(SPACES["everything"], n, seed=0)
    features = TrendFeatures(genome)
    x = features(genes, active)
    columns, fewer = features.fewer(x)
    assert columns.trend <= n
    assert fewer.shape[1] == len(columns.role) + columns.trend
    p, q = len(features.role), len(columns.role)
    np.testing.assert_allclose(fewer[:, q:] @ fewer[:, q:].T, x[:, p:] @ x[:, p:].T, atol=1e-9)
    np.testing.assert_allclose(fewer[:, :q] @ fewer[:, :q].T, x[:, :p] @ x[:, :p].T, atol=1e-9)


def test_costs_that_add_up_are_foretold():
    costs = np.random.default_rng(0).random((8, 3))

    def loss(params):
        layers = enumerate(params["layers"])
        return sum(costs[i, "abc".index(v["kind"])] + (v["width"] - 0.3) ** 2 for i, v in layers)

    genome, genes, active = rows_of(LAYERS, 300, seed=1)
    z = np.array([loss(p) for p in Encoding(LAYERS).decode(genes)])
    z = (z - z.mean()) / z.std()
    told, new = slice(80), slice(80, None)
    missed = []
    for make in (Features, TrendFeatures):
        features = make(genome)
        x = features(genes, active)
        process = GaussianProcess(features, size=9.0)
        process.fit(x[told], z[told])
        mean = process.condition(x[told], z[told]).predict(x[new]).mean
        missed.append(np.mean((mean - z[new]) ** 2))
    assert missed[1] < missed[0] / 10
