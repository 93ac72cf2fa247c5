"""The genome of random nested spaces: activity, keys, species, points, draws."""

import math
import pickle
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from random_spaces import DETERMINISTIC, genes_used, row_of_columns, spaces, structure
from scipy import stats

import geneticpy as gp
from geneticpy.space.encoding import Encoding


def sampled(space, n=25, seed=0):
    encoding = Encoding(space)
    genes = encoding.genome.sample(np.random.default_rng(seed), n)
    return encoding, genes, encoding.genome.activity(genes)


def alike(one, two):
    """Whether two values are equal, numbers to 9 digits."""
    if isinstance(one, dict):
        return list(one) == list(two) and all(alike(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return type(one) is type(two) and all(map(alike, one, two)) and len(one) == len(two)
    if isinstance(one, float):
        return math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-9)
    return one is two or (one == two and type(one) is type(two))


# Properties of random spaces


@DETERMINISTIC
@given(spaces())
def test_points_fit_the_space_and_active_genes_are_the_leaves_used(space):
    encoding, genes, active = sampled(space)
    points = encoding.decode(genes)
    assert active.sum(axis=1).tolist() == [genes_used(space, point) for point in points]


@DETERMINISTIC
@given(spaces())
def test_points_lead_back_to_their_genes(space):
    encoding, genes, active = sampled(space)
    points = encoding.decode(genes)
    again = encoding.encode(points)
    np.testing.assert_allclose(again[active], genes[active], atol=1e-9)
    assert (encoding.genome.activity(again) == active).all()
    assert alike(encoding.decode(again), points)


@DETERMINISTIC
@given(spaces())
def test_snap_is_idempotent_and_samples_are_snapped(space):
    encoding, genes, active = sampled(space)
    genome = encoding.genome
    assert (genome.snap(genes.copy()) == genes).all()
    raw = np.random.default_rng(1).random(genes.shape)
    once = genome.snap(raw.copy())
    assert (genome.snap(once.copy()) == once).all()
    assert ((once >= 0) & (once <= 1)).all()
    for point in encoding.decode(once):
        genes_used(space, point)  # any row becomes a point of the space
    assert (genome.keys(genes, active) == genome.keys(genome.snap(genes.copy()), active)).all()


@DETERMINISTIC
@given(spaces())
def test_species_are_the_structures(space):
    encoding, genes, active = sampled(space, 60)
    shapes = [repr(structure(space, point)) for point in encoding.decode(genes)]
    labels = encoding.genome.species(genes, active).tolist()
    assert len(set(zip(labels, shapes, strict=True))) == len(set(labels)) == len(set(shapes))


@DETERMINISTIC
@given(spaces(finite=True))
def test_keys_and_points_count_what_is_different(space):
    encoding = Encoding(space)
    genome = encoding.genome
    assume(genome.points <= 5000)
    genes = genome.enumerate()
    shown = [repr(point) for point in encoding.decode(genes)]
    keys = genome.keys(genes, genome.activity(genes))
    assert len(genes) == len(set(shown)) == len(set(keys.tolist())) == genome.points


@DETERMINISTIC
@given(spaces(finite=True))
def test_keys_ignore_what_is_dormant(space):
    encoding, genes, active = sampled(space, 60)
    shown = [repr(point) for point in encoding.decode(genes)]
    keys = encoding.genome.keys(genes, active).tolist()
    assert len(set(zip(keys, shown, strict=True))) == len(set(keys)) == len(set(shown))


@DETERMINISTIC
@given(spaces())
def test_columns_hold_what_the_points_hold(space):
    encoding, genes, _ = sampled(space, 8)
    columns = encoding.columns(genes)
    rows = [row_of_columns(space, columns, row) for row in range(len(genes))]
    assert rows == encoding.decode(genes)


@DETERMINISTIC
@given(spaces())
def test_an_encoding_survives_pickling(space):
    encoding, genes, active = sampled(space, 5)
    again = pickle.loads(pickle.dumps(encoding))
    assert again.decode(genes) == encoding.decode(genes)
    assert (again.genome.keys(genes, active) == encoding.genome.keys(genes, active)).all()
    assert (again.genome.sample(np.random.default_rng(0), 5) == genes).all()
    assert (again.encode(encoding.decode(genes)) == encoding.encode(encoding.decode(genes))).all()


@DETERMINISTIC
@given(spaces())
def test_parents_precede_children_and_decide_over_them(space):
    genome = Encoding(space).genome
    gated = np.flatnonzero(genome.parent >= 0)
    assert (genome.parent[gated] < gated).all()
    assert genome.structural[genome.parent[gated]].all()
    assert (genome.lo[gated] < genome.k[genome.parent[gated]]).all()
    assert not (genome.ordinary & genome.structural).any()


@DETERMINISTIC
@given(spaces())
def test_items_of_a_list_play_the_same_roles(space):
    genome = Encoding(space).genome
    for block in genome.lists:
        assert (genome.role[block.items] == genome.role[block.items[0]]).all()
        assert (genome.k[block.items] == genome.k[block.items[0]]).all()


def test_genes_of_different_leaves_play_different_roles():
    unit = gp.UniformDistribution(0, 1)
    space = {
        "a": unit,
        "b": gp.ListDistribution([unit, unit], 0, 2),
        "c": gp.PermutationDistribution([1, 2]),
    }
    a, size, *items, one, two = Encoding(space).genome.role.tolist()
    assert items[:2] == items[2:]
    assert one == two
    assert len({a, size, *items, one}) == 5


# Draws


def test_sizes_of_lists_are_equally_likely():
    points = draw(gp.ListDistribution(gp.UniformDistribution(0, 1), 1, 5), 5000)
    counts = np.bincount([len(point) for point in points])[1:]
    assert stats.chisquare(counts).pvalue > 1e-4  # false alarm: one seed in 10,000; it is fixed
    items = [item for point in points for item in point]
    assert stats.kstest(items, "uniform").pvalue > 1e-4


def test_sizes_of_subsets_are_equally_likely_and_so_are_their_members():
    points = draw(gp.SubsetDistribution(list(range(6)), 1, 4), 8000)
    counts = np.bincount([len(point) for point in points])[1:]
    assert stats.chisquare(counts).pvalue > 1e-4  # as above
    members = np.bincount([item for point in points for item in point])
    assert stats.chisquare(members).pvalue > 1e-4
    pairs = [tuple(point) for point in points if len(point) == 2]
    assert stats.chisquare(np.unique(pairs, axis=0, return_counts=True)[1]).pvalue > 1e-4


def test_orders_are_equally_likely():
    points = draw(gp.PermutationDistribution([1, 2, 3, 4]), 6000)
    orders, counts = np.unique(points, axis=0, return_counts=True)
    assert len(orders) == 24
    assert stats.chisquare(counts).pvalue > 1e-4  # as above


def test_options_are_drawn_by_their_probabilities():
    options = [{"x": gp.UniformDistribution(0, 1)}, "b", "c"]
    points = draw(gp.ChoiceDistribution(options, [0.5, 0.2, 0.3]), 5000)
    counts = [sum(isinstance(p, dict) for p in points), points.count("b"), points.count("c")]
    assert stats.chisquare(counts, [2500, 1000, 1500]).pvalue > 1e-4  # as above


def draw(space, n):
    encoding, genes, _ = sampled(space, n, seed=11)
    return encoding.decode(genes)


def test_a_latin_hypercube_has_one_row_in_every_stratum():
    space = [gp.UniformDistribution(0, 1), gp.GaussianDistribution(0, 1), stats.uniform]
    genes = Encoding(space).genome.latin_hypercube(np.random.default_rng(0), 50)
    strata = np.sort((genes * 50).astype(int), axis=0)
    assert (strata == np.arange(50)[:, None]).all()


def test_a_latin_hypercube_covers_steps_and_subsets_evenly():
    space = [gp.UniformDistribution(1, 5, q=1), gp.SubsetDistribution([1, 2, 3])]
    encoding = Encoding(space)
    genes = encoding.genome.latin_hypercube(np.random.default_rng(0), 50)
    points = encoding.decode(genes)
    assert np.bincount([number for number, _ in points])[1:].tolist() == [10] * 5
    assert {len(subset) for _, subset in points} == {0, 1, 2, 3}


@pytest.mark.parametrize("n", [0, 1])
def test_small_hypercubes_exist(n):
    genome = Encoding({"x": gp.UniformDistribution(0, 1)}).genome
    assert genome.latin_hypercube(np.random.default_rng(0), n).shape == (n, 1)
    assert genome.sample(np.random.default_rng(0), n).shape == (n, 1)


# Keys


def test_keys_of_many_points_do_not_collide():
    # 2^18 keys of 64 bits: a collision in one of 500 million sets
    space = [gp.ChoiceDistribution(["a", "b"]) for _ in range(6)]
    space += [gp.SubsetDistribution([1, 2, 3, 4]), gp.UniformDistribution(0, 255, q=1)]
    genome = Encoding(space).genome
    genes = genome.enumerate()
    assert len(genes) == genome.points == 2**18
    keys = genome.keys(genes, genome.activity(genes))
    assert len(np.unique(keys)) == 2**18


def test_keys_of_neighbouring_floats_differ():
    genome = Encoding([gp.UniformDistribution(0, 1)] * 2).genome
    u = np.nextafter(np.full((2, 2), 0.3), [[0, 1], [1, 0]])
    assert len(set(genome.keys(u, genome.activity(u)).tolist())) == 2


# Points


@pytest.mark.parametrize(
    ("space", "points"),
    [
        (gp.UniformDistribution(0, 10, q=1), 11),
        (gp.UniformDistribution(0, 1), math.inf),
        (gp.LogUniformDistribution(1, 1e6, q=1), math.inf),  # on a grid too fine to be counted
        ({}, 1),
        ([gp.UniformDistribution(0, 2**40, q=1)] * 2, math.inf),  # beyond 2^63
        (gp.ListDistribution(gp.UniformDistribution(1, 3, q=1), 0, 3), 1 + 3 + 9 + 27),
        (gp.ListDistribution("constant", 1, 3), 3),
        (gp.PermutationDistribution(range(5)), 120),
        (gp.PermutationDistribution(range(1000)), math.inf),
        (gp.SubsetDistribution(range(5), 1, 2), 15),
        (gp.ChoiceDistribution([{"x": gp.ChoiceDistribution([1, 2, 3])}, "b"]), 4),
        (gp.ChoiceDistribution([gp.PermutationDistribution([1, 2]), stats.norm()]), math.inf),
    ],
)
def test_points_are_counted(space, points):
    assert Encoding(space).genome.points == points


def test_points_of_deep_lists_are_counted_at_once():
    # Each gene once: walking the tree for every level of every list took 420^3 steps here.
    space = gp.UniformDistribution(0, 1, q=1)
    for _ in range(3):
        space = gp.ListDistribution(space, 0, 20)
    assert Encoding(space).genome.points == math.inf


@pytest.mark.parametrize(("low", "high"), [(0, 6), (1, 1), (2, 3), (5, 6)])
def test_subsets_are_enumerated_in_the_order_of_their_bits(low, high):
    rows = Encoding(gp.SubsetDistribution(range(6), low, high)).genome.enumerate()
    bits = [bits for bits in product((0.25, 0.75), repeat=6) if low <= bits.count(0.75) <= high]
    assert rows.tolist() == [list(row) for row in bits]


@pytest.mark.parametrize(("items", "low", "high"), [(60, 59, 60), (26, 1, 1), (1000, 0, 1)])
def test_few_subsets_of_many_items_are_enumerated(items, low, high):
    genome = Encoding(gp.SubsetDistribution(range(items), low, high)).genome
    assert genome.enumerate().shape == (genome.points, items)  # 2^60 rows do not fit


def test_infinite_spaces_cannot_be_enumerated():
    with pytest.raises(gp.SpaceError, match="must be finite, got inf"):
        Encoding(gp.UniformDistribution(0, 1)).genome.enumerate()


# Layout


def test_a_thousand_genes_work():
    space = {f"x{i}": gp.GaussianDistribution(0, i + 1, q=0.5) for i in range(500)}
    space |= {f"y{i}": gp.UniformDistribution(0, i + 1) for i in range(500)}
    encoding, genes, _ = sampled(space, 20)
    assert encoding.genome.d == 1000
    points = encoding.decode(genes)
    assert alike(encoding.decode(encoding.encode(points)), points)


def test_items_share_the_tables_of_their_leaves():
    # One array for all items: decoding and snapping stay a few calls of numpy.
    choice = gp.ChoiceDistribution([{"x": gp.UniformDistribution(0, 1)}, "b"], [0.3, 0.7])
    genome = Encoding(
        gp.ListDistribution([choice, gp.GaussianDistribution(0, 1, q=1)], 0, 9)
    ).genome
    assert len(genome.edges) == 18
    assert len({id(edges) for edges in genome.edges.values()}) == 2


def test_masks_of_the_genome():
    space = [
        gp.UniformDistribution(0, 1),
        gp.ChoiceDistribution(["a", "b"]),
        gp.ChoiceDistribution(["a", "b", "c"]),
        gp.ChoiceDistribution([gp.UniformDistribution(0, 1), None, 1]),
        gp.ListDistribution(gp.UniformDistribution(0, 1), 0, 1),
        gp.PermutationDistribution([1, 2]),
        gp.SubsetDistribution([1, 2]),
    ]
    genome = Encoding(space).genome
    masks = (genome.structural, genome.ordinary, genome.numeric, genome.ordered)
    assert ["".join(map(str, mask.astype(int))) for mask in masks] == [
        "00010100000",
        "11101010000",
        "11001010000",
        "11001110011",
    ]
    assert genome.parent.tolist() == [-1, -1, -1, -1, 3, -1, 5, -1, -1, -1, -1]


def test_genes_outside_the_unit_interval_are_clipped():
    genome = Encoding([gp.UniformDistribution(0, 1), gp.ChoiceDistribution([1, 2])]).genome
    assert genome.snap(np.array([[-1.0, 7.0], [2.0, -3.0]])).tolist() == [[0, 0.75], [1, 0.25]]
