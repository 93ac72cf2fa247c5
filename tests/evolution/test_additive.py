"""The additive model against closed forms."""

import numpy as np
import pytest

from geneticpy import ChoiceDistribution, UniformDistribution
from geneticpy.evolution.models.additive import (
    RIDGE,
    Additive,
    centred,
    ridge_dual,
    ridge_primal,
)
from geneticpy.evolution.models.ranks import kendall_tau
from geneticpy.space.encoding import Encoding

MIXED = [
    ChoiceDistribution([0, 1]),
    ChoiceDistribution([0, 1], [0.9, 0.1]),
    ChoiceDistribution(list("abc")),
    UniformDistribution(0, 1),
]


def bits(d):
    return Encoding([ChoiceDistribution([0, 1]) for _ in range(d)]).genome


def told(genome, n, window=None, seed=0):
    """Make a model that saw n random rows with a random loss; returns it, genes, loss."""
    rng = np.random.default_rng(seed)
    model = Additive(genome, window)
    genes, loss = genome.sample(rng, n), rng.standard_normal(n)
    for part in np.array_split(np.arange(n), 7):
        model.update(genes[part], loss[part])
    return model, genes, loss


def normal_equations(x, y):
    """Ridge with a free intercept, as a least-squares problem with additional rows."""
    n, p = x.shape
    above = np.hstack([np.ones((n, 1)), x])
    below = np.hstack([np.zeros((p, 1)), np.sqrt(RIDGE) * np.eye(p)])
    target = np.append(y, np.zeros(p))
    return np.linalg.lstsq(np.vstack([above, below]), target, rcond=None)[0][1:]


@pytest.mark.parametrize("n", [3, 8, 50])
def test_both_forms_solve_the_normal_equations(n):
    rng = np.random.default_rng(n)
    x, y = rng.random((n, 8)), rng.standard_normal(n)
    x, y = x - x.mean(axis=0), y - y.mean()
    expected = normal_equations(x, y)
    np.testing.assert_allclose(ridge_dual(x, y), expected, atol=1e-12)
    np.testing.assert_allclose(ridge_primal(x.T @ x, x.T @ y), expected, atol=1e-12)


@pytest.mark.parametrize("n", [14, 35, 42, 161, 500])
def test_the_weights_are_those_of_the_window(n):
    model, genes, loss = told(bits(40), n)
    window = slice(max(0, n - 160), None)
    expected = normal_equations((genes[window] > 0.5).astype(float), centred(loss[window]))
    np.testing.assert_allclose(model.weights, expected, atol=1e-10)
    assert len(model) == min(n, 160)


def test_more_rows_at_once_than_the_window_holds():
    genome = bits(5)
    model, rng = Additive(genome), np.random.default_rng(0)
    genes, loss = genome.sample(rng, 100), rng.random(100)
    model.update(genes, loss)
    expected = normal_equations((genes[-20:] > 0.5).astype(float), centred(loss[-20:]))
    np.testing.assert_allclose(model.weights, expected, atol=1e-12)


def test_unordered_genes_have_a_column_for_each_level_and_levels_the_distance_1():
    genome = Encoding(MIXED).genome
    model = Additive(genome)
    genes = genome.snap(np.array([[0.1, 0.1, 0.1, 0.2], [0.9, 0.95, 0.5, 0.7]]))
    one, two = model.encode(genes)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(two - one, [1, 1, 1.0, -half, half, 0])
    assert model.columns == 6


def test_additive_losses_are_ranked_right():
    genome = Encoding([ChoiceDistribution(range(k)) for k in (2, 3, 5, 10) * 4]).genome
    effect = np.random.default_rng(1).random((16, 10))

    def loss(genes):
        columns = np.arange(16)
        return effect[columns, genome.level(genes, columns)].sum(axis=1)

    model = Additive(genome, window=400)
    rng = np.random.default_rng(2)
    genes = genome.sample(rng, 400)
    model.update(genes, loss(genes))
    others = genome.sample(rng, 100)
    assert kendall_tau(model.predict(others), loss(others)) > 0.9


@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1e300])
def test_scale_and_shift_of_the_losses_do_not_matter(scale):
    loss = np.random.default_rng(0).standard_normal(50)
    np.testing.assert_allclose(centred(scale * (loss + 0.5)), centred(loss), atol=1e-12)


@pytest.mark.parametrize(
    "loss", [[np.inf] * 3, [2.0] * 4, [0.0, 0.0], [1.7e308, -1.7e308, np.inf], [5e-324, 0.0]]
)
def test_odd_losses_stay_finite(loss):
    y = centred(np.array(loss))
    assert np.isfinite(y).all()
    assert abs(y.mean()) < 1e-12
    assert (len(set(loss)) == 1) == (y == 0).all()


def test_failed_rows_count_as_the_worst():
    np.testing.assert_array_equal(
        centred(np.array([1.0, np.inf, 3.0])), centred(np.array([1.0, 3.0, 3.0]))
    )


def test_a_model_without_data_predicts_nothing():
    genome = bits(4)
    assert (Additive(genome).predict(genome.sample(np.random.default_rng(0), 3)) == 0).all()
