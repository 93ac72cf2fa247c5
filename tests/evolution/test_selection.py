"""Selection pressure in closed form, and who survives."""

import numpy as np
import pytest

from geneticpy.evolution.selection import ARM_QUOTA, survivors, tournament, uniform
from geneticpy.evolution.species import group, rank_within

M, DRAWS = 5, 200_000
TOLERANCE = 5 * 0.5 / np.sqrt(DRAWS)  # at least 5 standard deviations of a share


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_tournament_pressure_matches_the_closed_form(size):
    rng = np.random.default_rng(2)
    won = np.bincount(tournament(rng, np.arange(M), DRAWS, size), minlength=M) / DRAWS
    r = np.arange(M)
    expected = ((M - r) ** size - (M - r - 1) ** size) / M**size
    np.testing.assert_allclose(won, expected, atol=TOLERANCE)


def test_uniform_selection_is_uniform():
    picked = uniform(np.random.default_rng(1), np.arange(M), DRAWS)
    np.testing.assert_allclose(np.bincount(picked, minlength=M) / DRAWS, 1 / M, atol=TOLERANCE)


def labels(*counts):
    return np.repeat(np.arange(len(counts), dtype=np.uint64), counts)


def test_survivors_without_structure_are_the_best():
    loss = np.array([3.0, 1.0, 2.0, 0.0])
    assert survivors(loss, labels(4), [], mu=2, cap=1).tolist() == [3, 1]


def test_the_earlier_row_wins_a_tie():
    loss = np.array([1.0, 0.0, 1.0, 0.0])
    assert survivors(loss, labels(4), [], mu=3, cap=9).tolist() == [1, 3, 0]


def test_a_species_keeps_at_most_its_cap_beside_others():
    loss = np.arange(20.0)
    species = labels(12, 8)
    arms = [np.zeros(20, int)]
    kept = survivors(loss, species, arms, mu=10, cap=5)
    # the quota of the only arm protects the best 4, who are in the first species anyway
    assert np.bincount(species[kept].astype(int)).tolist() == [5, 5]


def test_one_species_alone_has_no_cap():
    kept = survivors(np.arange(20.0), labels(20), [np.zeros(20, int)], mu=10, cap=2)
    assert kept.tolist() == list(range(10))


def test_the_best_of_every_arm_stay():
    loss = np.arange(100.0)
    arm = np.repeat([0, 1], 50)  # the second arm is worse throughout
    kept = survivors(loss, arm.astype(np.uint64), [arm], mu=12, cap=12)
    assert np.bincount(arm[kept]).tolist() == [12, ARM_QUOTA]


def test_quotas_never_hold_more_than_half_a_population_on_top():
    rng = np.random.default_rng(0)
    arm = rng.integers(100, size=2000)
    kept = survivors(rng.random(2000), arm.astype(np.uint64), [arm], mu=20, cap=4)
    assert 20 <= len(kept) <= 30 + 20


def test_rank_within_counts_earlier_rows_of_the_same_label():
    assert rank_within(np.array([7, 3, 7, 7, 3])).tolist() == [0, 0, 1, 2, 1]


def test_members_come_from_the_species_of_the_row():
    species = np.array([5, 9, 5, 9, 9], np.uint64)
    groups = group(species)
    rows = np.repeat(np.arange(5), 1000)
    picked = groups.member(rows, np.random.default_rng(0).random(5000))
    np.testing.assert_array_equal(species[picked], species[rows])
    assert groups.member(np.array([3]), np.array([0.0])).tolist() == [1]  # the best of its own


def test_no_rows_have_no_groups():
    assert len(group(np.zeros(0, np.uint64)).order) == 0
