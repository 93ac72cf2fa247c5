"""What every operator owes to every kind of space."""

import numpy as np
import pytest
from spaces import SPACES

from geneticpy.evolution.mating import difference, half_and_half, pick
from geneticpy.evolution.mutation import change_structure, small_steps
from geneticpy.space.encoding import Encoding

N = 60


def rows(name, seed=0, n=N):
    genome = Encoding(SPACES[name]).genome
    rng = np.random.default_rng(seed)
    return genome, genome.sample(rng, n), rng


def mated(genome, genes, rng):
    return half_and_half(rng, genes, genes[::-1].copy(), genome)


def differed(genome, genes, rng):
    blended = genome.activity(genes) & genome.numeric
    return difference(rng, genes, genes[::-1], np.roll(genes, 1, 0), np.roll(genes, 2, 0), blended)


def stepped(genome, genes, rng):
    sigma = np.full(len(genes), 0.1)
    return small_steps(rng, genes.copy(), genome.activity(genes), sigma, genome)


def restructured(genome, genes, rng):
    if genome.flat:
        return genes.copy()  # it asks for structure
    return change_structure(rng, genes.copy(), genome.activity(genes), genome)


OPERATORS = {"mating": mated, "difference": differed, "steps": stepped, "structure": restructured}


@pytest.fixture(params=OPERATORS, ids=str)
def operator(request):
    return OPERATORS[request.param]


@pytest.fixture(params=SPACES, ids=str)
def name(request):
    return request.param


def test_children_are_points_of_the_space(name, operator):
    genome, genes, rng = rows(name)
    child = operator(genome, genes, rng)
    assert child.shape == genes.shape
    assert ((child >= 0) & (child <= 1)).all()
    encoding = Encoding(SPACES[name])
    params = encoding.decode(genome.snap(child.copy()))
    encoding.encode(params)  # raises for a point outside the space


def test_operators_leave_their_parents_alone(name, operator):
    genome, genes, rng = rows(name)
    before = genes.copy()
    operator(genome, genes, rng)
    np.testing.assert_array_equal(genes, before)


def test_operators_use_only_the_generator_they_are_given(name, operator):
    genome, genes, _ = rows(name)
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - what must not be touched
    one = operator(genome, genes, np.random.default_rng(5))
    np.testing.assert_array_equal(one, operator(genome, genes, np.random.default_rng(5)))
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002


def test_operators_accept_no_rows(name, operator):
    genome, genes, rng = rows(name)
    assert operator(genome, genes[:0], rng).shape == (0, genome.d)


def test_small_steps_change_the_value_of_every_row_that_has_ordinary_genes(name):
    genome, genes, rng = rows(name)
    active = genome.activity(genes)
    can = active[:, genome.ordinary].any(axis=1)
    for block in (*genome.permutations, *genome.subsets):
        can |= active[:, block.start]
    child = genome.snap(stepped(genome, genes, rng))
    changed = genome.keys(child, active) != genome.keys(genes, active)
    # a swap of nothing, a subset that is refilled and a fine grid may end where they began
    least = 0.8 if name in ("fine grid", "order of two", "everything") else 1.0
    assert changed[can].mean() >= least


def test_small_steps_keep_the_structure(name):
    genome, genes, rng = rows(name)
    active = genome.activity(genes)
    child = genome.snap(stepped(genome, genes, rng))
    np.testing.assert_array_equal(genome.activity(child), active)
    np.testing.assert_array_equal(genome.species(child, active), genome.species(genes, active))


def test_structural_mutation_changes_the_structure_of_every_row_or_reorders_items():
    genome, genes, rng = rows("arms")
    child = restructured(genome, genes, rng)
    active = genome.activity(genes)
    labels = genome.species(genes, active), genome.species(child, genome.activity(child))
    assert (labels[0] != labels[1]).all()


def test_mating_within_a_species_keeps_the_species():
    genome, genes, rng = rows("everything", n=2000)
    species = genome.species(genes, genome.activity(genes))
    label = max(set(species.tolist()), key=species.tolist().count)
    same = genes[species == label]
    child = genome.snap(half_and_half(rng, same, same[::-1].copy(), genome))
    assert (genome.species(child, genome.activity(child)) == label).all()


def test_picking_by_bits_is_where():
    rng = np.random.default_rng(0)
    mask, one, two = rng.random((40, 7)) < 0.5, rng.random((40, 7)), -rng.random((80, 7))[::2]
    two[:3] = [[np.inf], [-np.inf], [np.nan]]
    np.testing.assert_array_equal(pick(mask, one, two), np.where(mask, one, two))


def test_half_and_half_takes_each_gene_from_either_parent_equally_often():
    genome = Encoding(SPACES["numbers"]).genome
    rng = np.random.default_rng(3)
    n = 20_000
    child = half_and_half(rng, np.zeros((n, 10)), np.ones((n, 10)), genome)
    assert set(np.unique(child)) == {0.0, 1.0}
    # 10 shares, each within 5 standard deviations of 1/2: false alarm below 1e-5
    np.testing.assert_allclose(child.mean(axis=0), 0.5, atol=5 * 0.5 / np.sqrt(n))
    pairs = np.corrcoef(child.T)[np.triu_indices(10, 1)]
    assert np.abs(pairs).max() < 5 / np.sqrt(n)


def test_difference_moves_along_the_formula_where_it_stays_inside():
    # with best = base the trial is base + f (plus - minus), f in [0.1, 1]
    rng = np.random.default_rng(0)
    n, d = 500, 4
    base = np.full((n, d), 0.5)
    plus, minus = np.full((n, d), 0.3), np.full((n, d), 0.1)
    child = difference(rng, base, base, plus, minus, np.ones(d, bool))
    f = (child - base) / 0.2
    moved = f != 0
    assert moved.any(axis=1).all()
    assert (f[moved] > 0.1 - 1e-9).all()
    assert (f[moved] < 1 + 1e-9).all()
    assert np.ptp(np.where(moved, f, f.max(axis=1, keepdims=True)), axis=1).max() < 1e-9


def test_difference_goes_midway_to_a_bound_that_it_would_cross():
    rng = np.random.default_rng(0)
    base = np.full((200, 2), 0.95)
    child = difference(rng, base, base, np.ones((200, 2)), np.zeros((200, 2)), np.ones(2, bool))
    moved = child != base
    crossing = child[moved]
    np.testing.assert_allclose(crossing, 0.975)  # f >= 0.1 always crosses


def test_difference_touches_only_what_may_be_blended():
    genome, genes, rng = rows("everything")
    child = differed(genome, genes, rng)
    blended = genome.activity(genes) & genome.numeric
    np.testing.assert_array_equal(child[~blended], genes[~blended])
