"""Operators of orders and subsets."""

import numpy as np
import pytest

from geneticpy.evolution.blocks import (
    change_subsets,
    mate_permutations,
    mate_subsets,
    move_permutations,
)
from geneticpy.genome import SubsetBlock

N = 3000


def orders(rng, c, n=N):
    return (rng.permuted(np.tile(np.arange(c), (n, 1)), axis=1) + 0.5) / c


def items(genes):
    return (genes * genes.shape[1]).astype(int)


@pytest.mark.parametrize("c", [2, 3, 4, 9])
def test_children_of_orders_are_orders(c):
    rng = np.random.default_rng(0)
    one, two = orders(rng, c), orders(rng, c)
    for child in (mate_permutations(rng, one, two), move_permutations(rng, one)):
        np.testing.assert_array_equal(np.sort(items(child), axis=1), np.tile(np.arange(c), (N, 1)))


def test_order_crossover_keeps_a_segment_of_one_and_the_order_of_two_elsewhere():
    rng = np.random.default_rng(1)
    one, two = orders(rng, 7, 300), orders(rng, 7, 300)
    for a, b, child in zip(
        items(one), items(two), items(mate_permutations(rng, one, two)), strict=True
    ):
        explained = False
        for start in range(8):
            for stop in range(start, 8):
                kept = a[start:stop]
                rest = [item for item in b if item not in kept]
                explained |= [*rest[:start], *kept, *rest[start:]] == child.tolist()
        assert explained


@pytest.mark.parametrize("c", [2, 3, 8])
def test_a_move_changes_the_order(c):
    rng = np.random.default_rng(2)
    before = orders(rng, c)
    changed = (move_permutations(rng, before) != before).any(axis=1).mean()
    assert changed > 0.99 if c > 2 else changed > 0.7  # or-opt of one of two may turn it back


def test_moves_reach_every_order():
    rng = np.random.default_rng(3)
    current = np.tile((np.arange(4) + 0.5) / 4, (N, 1))
    for _ in range(6):
        current = move_permutations(rng, current)
    assert len({tuple(row) for row in items(current)}) == 24


BLOCK = SubsetBlock(0, 8, 2, 5)


def subsets(rng, block=BLOCK, n=N):
    c = block.stop - block.start
    size = rng.integers(block.min_size, block.max_size + 1, n)
    rank = rng.random((n, c)).argsort(axis=1)
    return np.where(rank < size[:, None], 0.75, 0.25)


@pytest.mark.parametrize("block", [BLOCK, SubsetBlock(0, 3, 0, 3), SubsetBlock(0, 4, 2, 2)])
def test_children_of_subsets_have_legal_sizes(block):
    rng = np.random.default_rng(0)
    one, two = subsets(rng, block), subsets(rng, block)
    for child in (mate_subsets(rng, one, two, block), change_subsets(rng, one, block)):
        size = (child > 0.5).sum(axis=1)
        assert size.min() >= block.min_size
        assert size.max() <= block.max_size
        assert set(np.unique(child)) <= {0.25, 0.75}


def test_mated_subsets_hold_what_both_parents_hold_when_sizes_agree():
    rng = np.random.default_rng(1)
    block = SubsetBlock(0, 8, 3, 3)
    one, two = subsets(rng, block), subsets(rng, block)
    child = mate_subsets(rng, one, two, block) > 0.5
    strange = child & (one < 0.5) & (two < 0.5)
    assert strange.mean() < 0.05  # only where the mixed bits are too few


def test_a_changed_subset_is_another_one():
    rng = np.random.default_rng(2)
    before = subsets(rng)
    assert (change_subsets(rng, before, BLOCK) != before).any(axis=1).mean() > 0.99
