"""Laws of mutation steps and of changes to lists."""

import numpy as np
import pytest

from geneticpy import (
    ChoiceDistribution,
    ListDistribution,
    LogUniformDistribution,
    UniformDistribution,
)
from geneticpy.evolution.mutation import SIGMA_LIMITS, _hits, change_list, inherit_sigma, nudge
from geneticpy.space.encoding import Encoding

N = 20_000
FIVE_SIGMA = 5 * 0.5 / np.sqrt(N)  # of a share


def nudged(distribution, u, sigma, n=N, seed=0):
    genome = Encoding({"x": distribution}).genome
    column = np.zeros(n, np.int64)
    moved = nudge(np.random.default_rng(seed), np.full(n, u), column, np.full(n, sigma), genome)
    return genome, moved


def test_a_number_moves_by_a_normal_step():
    _, moved = nudged(UniformDistribution(0, 1), 0.5, 0.05)
    step = (moved - 0.5) / 0.05
    assert abs(step.mean()) < 5 / np.sqrt(N)
    assert abs(step.std() - 1) < 5 / np.sqrt(2 * N)


def test_a_step_over_a_bound_is_reflected():
    _, moved = nudged(UniformDistribution(0, 1), 0.01, 0.1)
    assert ((moved >= 0) & (moved <= 1)).all()
    # the folded normal law: P(u < 0.01) = P(-0.02 < step < 0) = Phi(0) - Phi(-0.2) = 0.0793
    assert abs((moved < 0.01).mean() - 0.0793) < FIVE_SIGMA


@pytest.mark.parametrize(
    "distribution", [UniformDistribution(0, 9, q=1), LogUniformDistribution(1, 30, q=1)]
)
@pytest.mark.parametrize("u", [0.01, 0.5, 0.99])
def test_a_stepped_number_moves_by_one_level_at_least(distribution, u):
    genome, moved = nudged(distribution, u, 1e-6)
    zero = np.zeros(1, np.int64)
    old = genome.level(np.array([u]), zero)[0]
    new = genome.level(moved, np.zeros(N, np.int64))
    assert set(np.abs(new - old)) == {1}


def test_an_unordered_choice_takes_every_other_option_equally_often():
    genome, moved = nudged(ChoiceDistribution(["a", "b", "c", "d", "e"]), 0.5, 0.1)
    level = genome.level(moved, np.zeros(N, np.int64))
    share = np.bincount(level, minlength=5) / N
    np.testing.assert_allclose(share, [0.25, 0.25, 0, 0.25, 0.25], atol=FIVE_SIGMA)


def test_step_sizes_change_log_normally_within_limits():
    sigma = inherit_sigma(np.random.default_rng(0), np.full(N, 1e-3))
    log = np.log(sigma / 1e-3)
    assert abs(log.mean()) < 5 * 0.5 / np.sqrt(N)
    assert abs(log.std() - 0.5) < 5 * 0.5 / np.sqrt(2 * N)
    low, high = SIGMA_LIMITS
    ends = inherit_sigma(np.random.default_rng(0), np.array([low, high]).repeat(N))
    assert ends.min() >= low
    assert ends.max() <= high


@pytest.fixture
def numbered():
    """A list of items with values 0.0 to 0.9 that say where they came from."""
    encoding = Encoding(ListDistribution(UniformDistribution(0, 1), min_size=0, max_size=5))
    return encoding, encoding.genome.lists[0]


def changed(numbered, items, n=4000):
    encoding, block = numbered
    genes = np.repeat(encoding.encode([items]), n, axis=0)
    rng = np.random.default_rng(1)
    return [tuple(row) for row in encoding.decode(change_list(rng, genes, block, encoding.genome))]


def test_a_list_gains_loses_or_swaps_one_item(numbered):
    start = (0.1, 0.3, 0.7)
    for result in changed(numbered, list(start)):
        if len(result) == 2:
            assert result in [start[:i] + start[i + 1 :] for i in range(3)]
        elif len(result) == 3:
            assert sorted(result) == sorted(start)
            assert result != start
        else:
            assert any(result[:i] + result[i + 1 :] == start for i in range(4))


def test_shares_of_the_changes_of_a_list(numbered):
    length = np.array([len(result) for result in changed(numbered, [0.1, 0.3, 0.7])])
    share = np.bincount(length, minlength=5)[2:5] / len(length)
    np.testing.assert_allclose(share, [0.4, 0.2, 0.4], atol=5 * 0.5 / np.sqrt(len(length)))


def test_half_of_the_new_items_are_copies_of_their_predecessor(numbered):
    start = (0.1, 0.3, 0.7)
    grown = [result for result in changed(numbered, list(start)) if len(result) == 4]
    copies = np.mean([len(set(result)) == 3 for result in grown])
    assert abs(copies - 0.5) < 5 * 0.5 / np.sqrt(len(grown))


def test_an_empty_list_grows_and_a_full_one_does_not(numbered):
    assert {len(result) for result in changed(numbered, [])} == {1}
    full = {len(result) for result in changed(numbered, [0.1, 0.2, 0.3, 0.4, 0.5])}
    assert full == {4, 5}


@pytest.mark.parametrize("units", [1, 2, 7, 40])
def test_the_number_of_hits_of_a_flat_row(units):
    n = 200_000
    row, unit = _hits(np.random.default_rng(0), None, n, units)
    assert set(row.tolist()) == set(range(n))
    assert 0 <= unit.min() <= unit.max() < units
    found = np.bincount(np.bincount(row), minlength=units + 1) / n
    rng = np.random.default_rng(1)
    want = 1 + (rng.random(n) < 0.75) * rng.geometric(0.5, n)
    want = np.where(rng.random(n) < 0.1, np.maximum(want, int(0.3 * units)), want)
    expected = np.bincount(np.minimum(want, units), minlength=units + 1) / n
    # 6 standard deviations of a difference of two shares: false alarms below 1e-7
    assert (np.abs(found - expected) <= 6 * np.sqrt(2 * expected.clip(1e-5) / n)).all()
