"""Every distribution: closed forms, one contract for all, and what GeneticPy got wrong."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leaf_cases import (
    BUILT_IN,
    CHOICES,
    FROZEN,
    GRIDS,
    LEAVES,
    MARKER,
    NUMBERS,
    USERS,
    Dice,
)
from scipy import special, stats

import geneticpy as gp
from geneticpy.space.encoding import Encoding
from geneticpy.space.frozen import FrozenDistribution

DETERMINISTIC = settings(derandomize=True, deadline=None, max_examples=200)  # cores are shared
QUANTILES = np.concatenate([np.linspace(0.001, 0.999, 201), [1e-9, 1 - 1e-9]])


def each(table):
    return pytest.mark.parametrize("leaf", table.values(), ids=table.keys())


def draw(leaf, n, seed=0):
    encoding = Encoding(leaf)
    genes = encoding.genome.sample(np.random.default_rng(seed), n)
    return encoding.decode(genes)


def bounds_of(leaf):
    low = -math.inf if leaf.low is None else leaf.low
    high = math.inf if leaf.high is None else leaf.high
    return low, high


# Closed forms


def truncated(frozen, low, high):
    """Quantile function and cdf of a continuous law between two bounds."""
    below, above = frozen.cdf(low), frozen.cdf(high)
    return (
        lambda u: frozen.ppf(below + u * (above - below)),
        lambda x: (frozen.cdf(x) - below) / (above - below),
    )


def laws():
    """Ours, and scipy's quantile function and cdf of the same law."""

    def row(leaf, law):
        return pytest.param(leaf, law.ppf, law.cdf, id=repr(leaf))

    def cut(leaf, law):
        return pytest.param(leaf, *truncated(law, *bounds_of(leaf)), id=repr(leaf))

    log_normal = stats.lognorm(s=0.5, scale=math.exp(1))
    return [
        row(gp.UniformDistribution(-2.5, 7), stats.uniform(-2.5, 9.5)),
        row(gp.UniformDistribution(1e-300, 3e-300), stats.uniform(1e-300, 2e-300)),
        row(gp.LogUniformDistribution(1e-5, 10), stats.loguniform(1e-5, 10)),
        row(gp.GaussianDistribution(3, 2), stats.norm(3, 2)),
        row(gp.GaussianDistribution(0, 1, low=-1, high=2.5), stats.truncnorm(-1, 2.5)),
        row(gp.GaussianDistribution(2, 4, low=4), stats.truncnorm(0.5, np.inf, 2, 4)),
        row(gp.GaussianDistribution(10, 3, high=4), stats.truncnorm(-np.inf, -2, 10, 3)),
        row(gp.GaussianDistribution(0, 1, low=10), stats.truncnorm(10, np.inf)),
        row(gp.GaussianDistribution(0, 1, high=-10), stats.truncnorm(-np.inf, -10)),
        row(gp.GaussianDistribution(0, 1, low=10, high=10.1), stats.truncnorm(10, 10.1)),
        row(gp.LogNormalDistribution(1, 0.5), log_normal),
        cut(gp.LogNormalDistribution(1, 0.5, low=2, high=6), log_normal),
        cut(gp.LogNormalDistribution(1, 0.5, low=-3, high=2), log_normal),
        row(gp.ExponentialDistribution(3), stats.expon(scale=3)),
        row(gp.ExponentialDistribution(3, low=-1), stats.expon(scale=3)),
        row(gp.ExponentialDistribution(3, low=50), stats.expon(loc=50, scale=3)),
        cut(gp.ExponentialDistribution(2, low=1, high=3), stats.expon(scale=2)),
    ]


@pytest.mark.parametrize(("leaf", "ppf", "cdf"), laws())
def test_quantiles_are_those_of_the_law(leaf, ppf, cdf):
    # 1e-6: scipy's own differences of cdfs lose these digits at the quantile 1 - 1e-9
    np.testing.assert_allclose(leaf.values(QUANTILES), ppf(QUANTILES), rtol=1e-6)
    inner = QUANTILES[:-2]
    np.testing.assert_allclose(leaf.values(inner), ppf(inner), rtol=1e-9)


@pytest.mark.parametrize(("leaf", "ppf", "cdf"), laws())
def test_values_are_located_by_the_cdf(leaf, ppf, cdf):
    x = leaf.values(QUANTILES)
    np.testing.assert_allclose([leaf.locate(value) for value in x], cdf(x), atol=1e-10)


@pytest.mark.parametrize("sigmas", [10, 50, 1000, 1e5])
def test_far_tails_keep_their_law(sigmas):
    # P(X > x | X > low) = sf(x) / sf(low); the logarithms do not underflow
    above = gp.GaussianDistribution(0, 1, low=sigmas)
    below = gp.GaussianDistribution(0, 1, high=-sigmas)
    u = np.linspace(0.01, 0.99, 99)
    x = above.values(u)
    assert (np.diff(x) > 0).all()
    log_sf = special.log_ndtr(-x) - special.log_ndtr(-sigmas)
    # 1e-6: the larger error of ndtri_exp and of the exponential law, where one takes over from
    # the other; beyond, what the spacing of floats at `low` allows
    np.testing.assert_allclose(
        np.exp(log_sf), 1 - u, atol=max(1e-6, 2 * sigmas * np.spacing(sigmas))
    )
    np.testing.assert_allclose(below.values(1 - u), -x, rtol=1e-12)


@pytest.mark.parametrize("sigmas", [10, 50])
def test_tails_within_50_sigma_are_exact(sigmas):
    u = np.linspace(0.01, 0.99, 99)
    x = gp.GaussianDistribution(0, 1, low=sigmas).values(u)
    log_sf = special.log_ndtr(-x) - special.log_ndtr(-sigmas)
    np.testing.assert_allclose(np.exp(log_sf), 1 - u, atol=1e-12)


@pytest.mark.parametrize("width", [1e-4, 1e-6, 1e-9, 1e-15])
def test_narrow_ranges_of_a_normal_law_are_nearly_uniform(width):
    # Over a range w at z, the density changes by the factor exp(-z w)
    leaf = gp.GaussianDistribution(0, 1, low=0, high=width)
    u = np.linspace(0, 1, 11)
    np.testing.assert_allclose(leaf.values(u), u * width, rtol=width**2 + 1e-10)
    np.testing.assert_allclose([leaf.locate(x) for x in leaf.values(u)], u, atol=1e-9)


def test_a_law_too_flat_for_its_range_is_uniform():
    leaf = gp.ExponentialDistribution(1e300, high=1e-10)
    np.testing.assert_allclose(leaf.values(np.array([0.25, 1.0])), [0.25e-10, 1e-10])


def masses_of(leaf):
    """Probability of each level, by value."""
    encoding = Encoding(leaf)
    genome = encoding.genome
    assert genome.k[0] > 0
    edges = genome.edges.get(0, np.linspace(0, 1, genome.k[0] + 1))
    genes = genome.centre(np.arange(genome.k[0]), np.zeros(genome.k[0], int))[:, None]
    return dict(zip(encoding.decode(genes), np.diff(edges), strict=True))


def test_every_step_of_a_uniform_range_has_the_same_mass():
    mass = masses_of(gp.UniformDistribution(1, 10, q=1))
    assert list(mass) == list(range(1, 11))
    np.testing.assert_allclose(list(mass.values()), 0.1, rtol=1e-12)


@pytest.mark.parametrize(
    ("leaf", "law"),
    [
        (gp.GaussianDistribution(0, 1, q=0.5), stats.norm()),
        (gp.GaussianDistribution(0, 5, q=2, low=-7, high=9), stats.norm(0, 5)),
        (gp.GaussianDistribution(20, 2, q=1, low=30), stats.norm(20, 2)),
        (gp.LogUniformDistribution(4, 1024, q=1), stats.loguniform(3.5, 1024.5)),
        (gp.LogNormalDistribution(2, 1, q=1, high=50), stats.lognorm(1, scale=math.exp(2))),
        (gp.ExponentialDistribution(5, q=1), stats.expon(scale=5)),
        (gp.ExponentialDistribution(1, q=0.25, low=0.3, high=4.1), stats.expon()),
    ],
    ids=repr,
)
def test_every_step_has_the_mass_of_what_rounds_to_it(leaf, law):
    # Ends included: each has half a step on either side, unless the support ends there.
    mass = masses_of(leaf)
    x = np.array(list(mass))
    _, cdf = truncated(law, x[0] - leaf.q / 2, x[-1] + leaf.q / 2)
    expected = cdf(x + leaf.q / 2) - cdf(x - leaf.q / 2)
    np.testing.assert_allclose(list(mass.values()), expected, atol=1e-8)


def test_probabilities_of_a_choice_are_exact_and_zeros_never_come():
    leaf = gp.ChoiceDistribution(["never", "rare", "often"], probabilities=[0, 0.125, 0.875])
    mass = masses_of(leaf)
    assert mass == {"rare": 0.125, "often": 0.875}


@pytest.mark.parametrize(
    "law",
    [stats.randint(3, 9), stats.binom(10, 0.3), stats.poisson(4.5), stats.geom(0.2)],
    ids=lambda law: law.dist.name,
)
def test_discrete_scipy_laws_keep_their_mass(law):
    mass = masses_of(law)
    x = np.array(list(mass))
    np.testing.assert_allclose(list(mass.values()), law.pmf(x), atol=1e-8)


def test_tables_of_scipy_keep_gaps_and_decimals():
    whole = masses_of(stats.rv_discrete(values=([1, 4, 10, 20], [0.2, 0.3, 0, 0.5])))
    assert whole == pytest.approx({1: 0.2, 4: 0.3, 20: 0.5})
    assert all(type(value) is int for value in whole)
    decimal = stats.rv_discrete(values=([0.1, 0.25, 2.0], [0.2, 0.3, 0.5]))
    assert masses_of(decimal) == pytest.approx({0.1: 0.2, 0.25: 0.3, 2.0: 0.5})
    assert masses_of(decimal(loc=1)) == pytest.approx({1.1: 0.2, 1.25: 0.3, 3.0: 0.5})


@each(LEAVES)
def test_draws_follow_the_quantiles(leaf):
    # Kolmogorov-Smirnov of where the draws are located; stepped ones are spread over their level.
    # One seed in 10,000 would fail; the seed is fixed.
    encoding = Encoding(leaf)
    genes = encoding.genome.sample(np.random.default_rng(7), 2000)[:, 0]
    if encoding.genome.k[0]:
        edges = encoding.genome.edges.get(0)
        k = int(encoding.genome.k[0])
        at = (
            (genes * k).astype(int)
            if edges is None
            else np.searchsorted(edges, genes, side="right") - 1
        )
        edge = (lambda i: i / k) if edges is None else edges.__getitem__
        genes = edge(at) + np.random.default_rng(8).random(2000) * (edge(at + 1) - edge(at))
    assert stats.kstest(genes, "uniform").pvalue > 1e-4


# The contract of every leaf


@each(LEAVES)
def test_what_is_drawn_is_found_again(leaf):
    encoding = Encoding(leaf)
    genes = encoding.genome.sample(np.random.default_rng(1), 300)
    values = encoding.decode(genes)
    again = encoding.decode(encoding.encode(values))
    if isinstance(values[0], float):
        spread = np.quantile(values, 0.75) / 2 - np.quantile(values, 0.25) / 2
        np.testing.assert_allclose(again, values, rtol=1e-9, atol=1e-9 * spread)
    else:
        assert again == values


@each(LEAVES)
def test_extreme_quantiles_have_finite_values_of_the_same_type(leaf):
    encoding = Encoding(leaf)
    ends = np.array([[0.0], [5e-324], [1e-17], [0.5], [1 - 2.0**-53], [1.0]])
    values = encoding.decode(encoding.genome.snap(ends))
    numbers = [value for value in values if isinstance(value, float)]
    assert np.isfinite(numbers).all()
    if leaf not in CHOICES.values():
        assert {type(value) for value in values} == {type(values[3])}


@each(LEAVES)
def test_snap_is_idempotent_and_changes_no_value(leaf):
    encoding = Encoding(leaf)
    spread = special.ndtr(np.random.default_rng(2).normal(0, 4, (300, 1)))  # far tails too
    once = encoding.genome.snap(spread.copy())
    assert (encoding.genome.snap(once.copy()) == once).all()
    if encoding.genome.k[0] == 0:
        assert encoding.decode(spread) == encoding.decode(once)


@each({name: leaf for name, leaf in LEAVES.items() if 0 < Encoding(leaf).genome.k[0] <= 4096})
def test_every_level_can_be_reached_however_unlikely(leaf):
    encoding = Encoding(leaf)
    genome, column = encoding.genome, np.array([0])
    levels = np.arange(genome.k[0])[:, None]
    genes = genome.centre(levels, column)
    values = encoding.decode(genes)
    assert (genome.level(genes, column) == levels).all()
    assert (genome.snap(genes.copy()) == genes).all()
    assert (encoding.encode(values) == genes).all()
    assert len({repr(value) for value in values}) == len(values)


@each(NUMBERS | GRIDS)
def test_values_lie_inside_the_bounds(leaf):
    low, high = bounds_of(leaf)
    values = draw(leaf, 2000)
    values += Encoding(leaf).decode(np.array([[0.0], [1.0], [1e-16], [1 - 1e-16]]))
    assert all(low <= value <= high for value in values)


@each(GRIDS)
def test_steps_are_decimal_multiples_of_the_step(leaf):
    values = draw(leaf, 200)
    assert {type(value) for value in values} == {int if leaf.q == int(leaf.q) else float}
    assert [value for value in values if math.copysign(1, value) < 0 and value == 0] == []
    if isinstance(leaf.q, int):
        assert all(value % leaf.q == 0 for value in values)
    else:
        digits = len(repr(leaf.q).partition(".")[2]) if "e" not in repr(leaf.q) else None
        shown = [len(repr(value).partition(".")[2]) for value in values if digits]
        assert all(length <= digits for length in shown)


@each(BUILT_IN)
def test_repr_is_the_constructor_call(leaf):
    if MARKER in getattr(leaf, "options", ()):
        pytest.skip("an object() has no constructor call")
    names = vars(gp) | {"len": len}
    again = eval(repr(leaf), names)
    assert again == leaf
    assert hash(again) == hash(leaf)
    assert repr(again) == repr(leaf)


def test_distributions_differ_when_an_argument_does():
    one = gp.UniformDistribution(0, 1)
    assert one != gp.UniformDistribution(0, 2)
    assert one != gp.LogUniformDistribution(0.5, 1)
    assert one != "UniformDistribution(low=0, high=1)"


@each(BUILT_IN | FROZEN)
def test_distributions_can_be_pickled(leaf):
    if MARKER in getattr(leaf, "options", ()):
        pytest.skip("an object() is another one after pickling")
    if type(leaf).__name__ == "Normal":
        pytest.skip("scipy 1.17 gives a Normal back without its mu and sigma")
    encoding = Encoding(leaf)
    again = pickle.loads(pickle.dumps(encoding))
    genes = encoding.genome.sample(np.random.default_rng(3), 50)
    assert again.decode(genes) == encoding.decode(genes)


# Types


def test_types_of_choices_are_kept():
    options = [1, 1.5, "1", True, None, (1, 2), [3], {"a": 1}, MARKER, len, np.arange(3), int]
    values = draw(gp.ChoiceDistribution(options), 300)
    seen = {id(value) for value in values}
    assert seen == {id(option) for option in options}


@pytest.mark.parametrize(
    "options",
    [[True, False], [1, 2, 3], [0.5, 1.5], ["a", "b"], [1, "1"], [(1, 2), (3,)], [1, 2.0]],
)
def test_choices_are_never_converted(options):
    # GeneticPy gave numpy.bool for bools, text for mixed numbers and refused tuples.
    values = draw(gp.ChoiceDistribution(options), 50)
    assert {(type(value), value) for value in values} == {(type(o), o) for o in options}


def test_options_of_an_array_become_python_numbers():
    leaf = gp.ChoiceDistribution(np.array([1, 2, 3]))
    assert {type(value) for value in draw(leaf, 30)} == {int}
    assert repr(leaf) == "ChoiceDistribution(choice_list=[1, 2, 3])"


def test_arguments_may_be_numpy_scalars():
    leaf = gp.UniformDistribution(np.float64(0.5), np.int64(3), q=np.float64(0.5))
    assert repr(leaf) == "UniformDistribution(low=0.5, high=3, q=0.5)"
    assert leaf == gp.UniformDistribution(0.5, 3, q=0.5)


def test_integers_beyond_the_floats_stay_exact():
    low = 2**60 + 1
    values = set(draw(gp.UniformDistribution(low, low + 2, q=1), 60))
    assert values == {low, low + 1, low + 2}


@pytest.mark.parametrize("n", [3, 7, 11])
def test_a_fraction_as_step_reaches_the_upper_bound(n):
    values = draw(gp.UniformDistribution(0, 2, q=1 / n), 300)
    assert set(values) == {index / n for index in range(2 * n + 1)}


def test_the_range_may_be_a_single_step():
    # In floats 0.3 - 0.1 is below 0.2.
    assert draw(gp.UniformDistribution(0.1, 0.3, q=0.2), 3) == [0.2, 0.2, 0.2]


def test_steps_that_no_quantile_reaches_are_left_out():
    # The nearest multiples are 100 standard deviations away.
    encoding = Encoding(gp.GaussianDistribution(0, 1, q=100))
    assert encoding.decode(np.empty((1, 0))) == [0]
    encoding = Encoding(gp.GaussianDistribution(0, 1, q=1))
    assert encoding.decode(encoding.encode([-7, 7])) == [-7, 7]
    with pytest.raises(gp.SpaceError, match="must lie between -7 and 7, got 9"):
        encoding.encode([9])
    with pytest.raises(gp.SpaceError, match=r"must lie between -6\.9 and 6\.9, got 9\.2"):
        Encoding(gp.GaussianDistribution(0, 1, q=2.3)).encode([9.2])


def test_parameters_beyond_arithmetic_are_refused():
    with pytest.raises(gp.SpaceError, match=r"^space\['x'\]: .*must be finite, got \[nan"):
        Encoding({"x": gp.GaussianDistribution(3, 5e-324, high=1)})
    with pytest.raises(gp.SpaceError, match="floats must be able to tell the steps of q apart"):
        gp.GaussianDistribution(3, 5e-324, high=1, q=1)


@pytest.mark.parametrize(
    "leaf", [gp.GaussianDistribution(1e10, 1e-20), gp.ExponentialDistribution(1e-320)]
)
def test_laws_narrower_than_the_distance_of_floats_are_refused(leaf):
    with pytest.raises(gp.SpaceError, match=r"^space\['x'\]: .*told apart by floats, got"):
        Encoding({"x": leaf})


def test_a_lognormal_of_a_huge_mean_keeps_to_its_bound():
    values = gp.LogNormalDistribution(1000, 1, low=1, high=10).values(QUANTILES)
    # 998 standard deviations away, the distance of the logarithm is exponential to 1e-5
    expected = -np.log(QUANTILES) / (1000 - math.log(10))
    np.testing.assert_allclose(np.log(10 / values), expected, rtol=1e-4, atol=1e-9)


def test_bounds_may_be_infinite_on_their_own_side():
    leaf = gp.GaussianDistribution(0, 1, low=-math.inf, high=math.inf)
    u = np.array([0.1, 0.5, 0.9])
    np.testing.assert_array_equal(leaf.values(u), gp.GaussianDistribution(0, 1).values(u))


# Bugs of GeneticPy


def test_uniform_steps_stay_inside_bounds_that_are_no_multiples():
    # GeneticPy: UniformDistribution(5.4, 10.4, q=1) gave 5
    assert set(draw(gp.UniformDistribution(5.4, 10.4, q=1), 200)) == {6, 7, 8, 9, 10}


def test_decimal_steps_have_no_binary_noise():
    # GeneticPy: 0.30000000000000004
    values = draw(gp.UniformDistribution(0, 1, q=0.1), 400)
    assert sorted(set(values)) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


def test_gaussian_draws_between_two_values_in_either_order():
    # GeneticPy: always -3, because the lower bound was overwritten first
    leaf, rng = gp.GaussianDistribution(0, 1), np.random.default_rng(0)
    values = [leaf.pull_constrained_value(5, -3, rng) for _ in range(500)]
    assert all(-3 <= value <= 5 for value in values)
    # One seed in 10,000 would fail; the seed is fixed.
    assert stats.kstest(values, stats.truncnorm(-3, 5).cdf).pvalue > 1e-4


@pytest.mark.parametrize("name", ["gaussian bounded", "gaussian above", "lognormal bounded"])
def test_bounds_truncate_and_do_not_clip(name):
    values = draw(NUMBERS[name], 5000)
    assert len(set(values)) == len(values)  # GeneticPy piled mass up on the bounds


# Pulling single values


@each(BUILT_IN)
def test_pulled_values_are_reproducible_and_between_two_others(leaf):
    values = draw(leaf, 2, seed=4)
    one = [leaf.pull_constrained_value(*values, np.random.default_rng(s)) for s in range(20)]
    two = [leaf.pull_constrained_value(*values, np.random.default_rng(s)) for s in range(20)]
    assert one == two
    assert leaf.pull_value(np.random.default_rng(1)) == leaf.pull_value(np.random.default_rng(1))
    if leaf in CHOICES.values():
        assert all(value in leaf.options for value in one)
    else:
        assert all(min(values) <= value <= max(values) for value in one)


@each(BUILT_IN)
def test_pulling_leaves_the_global_random_state_alone(leaf):
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - it is the global one that is asked
    leaf.pull_value()
    leaf.pull_constrained_value(*draw(leaf, 2))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_constrained_steps_are_equally_likely_ends_included():
    leaf, rng = gp.UniformDistribution(0, 100, q=1), np.random.default_rng(5)
    values = [leaf.pull_constrained_value(13, 10, rng) for _ in range(4000)]
    counts = np.bincount(values, minlength=14)[10:]
    # One seed in 10,000 would fail; the seed is fixed.
    assert stats.chisquare(counts).pvalue > 1e-4
    assert counts.sum() == 4000


def test_an_unordered_choice_pulls_one_of_the_two():
    leaf, rng = gp.ChoiceDistribution(["a", "b", "c"]), np.random.default_rng(0)
    assert {leaf.pull_constrained_value("c", "a", rng) for _ in range(20)} == {"a", "c"}


def test_an_ordered_choice_pulls_what_lies_between():
    leaf = gp.ChoiceDistribution(["s", "m", "l", "xl"], ordered=True)
    rng = np.random.default_rng(0)
    assert {leaf.pull_constrained_value("l", "s", rng) for _ in range(40)} == {"s", "m", "l"}


def test_pulling_between_impossible_values_names_the_distribution():
    leaf = gp.UniformDistribution(0, 10, q=1)
    with pytest.raises(
        gp.SpaceError, match=r"UniformDistribution\(low=0.*between 0 and 10, got 11"
    ):
        leaf.pull_constrained_value(3, 11)


# Bad arguments

NAN, INF = math.nan, math.inf
IMPOSSIBLE = [
    (lambda: gp.UniformDistribution(3, 1), "low=3, high=1"),
    (lambda: gp.UniformDistribution(1, 1), "low=1, high=1"),
    (lambda: gp.UniformDistribution(2**60, 2**60 + 1), "low=1152921504606846976, high=11"),
    (lambda: gp.UniformDistribution(-(10**308), 10**308, q=1), "q=1"),
    (lambda: gp.UniformDistribution(NAN, 1), "nan"),
    (lambda: gp.UniformDistribution(0, INF), "inf"),
    (lambda: gp.UniformDistribution(0, 10**400), "1000"),
    (lambda: gp.UniformDistribution("0", 1), "'0'"),
    (lambda: gp.UniformDistribution(None, 1), "None"),
    (lambda: gp.UniformDistribution(False, 1), "False"),
    (lambda: gp.UniformDistribution(0, np.True_), "True"),
    (lambda: gp.UniformDistribution(0, 1j), "1j"),
    (lambda: gp.UniformDistribution([0], 1), r"\[0\]"),
    (lambda: gp.UniformDistribution(0, 1, q=0), "q=0"),
    (lambda: gp.UniformDistribution(0, 1, q=-0.1), "q=-0.1"),
    (lambda: gp.UniformDistribution(0, 1, q=2), "q=2"),
    (lambda: gp.UniformDistribution(0, 1, q=NAN), "nan"),
    (lambda: gp.UniformDistribution(0, 1, q="1"), "'1'"),
    (lambda: gp.UniformDistribution(0, 1, q=True), "True"),
    (lambda: gp.UniformDistribution(0, 1e308, q=1e-300), "q=1e-300"),
    (lambda: gp.UniformDistribution(1e20, 1e20 + 1e6, q=0.5), "q=0.5"),
    (lambda: gp.LogUniformDistribution(0, 1), "low=0"),
    (lambda: gp.LogUniformDistribution(-1, 1), "low=-1"),
    (lambda: gp.LogUniformDistribution(1, 1), "low=1"),
    (lambda: gp.LogUniformDistribution(1, NAN), "nan"),
    (lambda: gp.LogUniformDistribution(1, 9, q=10), "q=10"),
    (lambda: gp.LogUniformDistribution(1, 1e300, q=1), "q=1"),
    (lambda: gp.GaussianDistribution(0, 0), "standard_deviation=0"),
    (lambda: gp.GaussianDistribution(0, -1), "standard_deviation=-1"),
    (lambda: gp.GaussianDistribution(NAN, 1), "nan"),
    (lambda: gp.GaussianDistribution(INF, 1), "inf"),
    (lambda: gp.GaussianDistribution("0", 1), "'0'"),
    (lambda: gp.GaussianDistribution(0, None), "None"),
    (lambda: gp.GaussianDistribution(0, 1, low=2, high=1), "low=2, high=1"),
    (lambda: gp.GaussianDistribution(0, 1, low=INF), "inf"),
    (lambda: gp.GaussianDistribution(0, 1, high=-INF), "-inf"),
    (lambda: gp.GaussianDistribution(0, 1, low=NAN), "nan"),
    (lambda: gp.GaussianDistribution(0, 1, low="a"), "'a'"),
    (lambda: gp.GaussianDistribution(0, 1, low=0, high=1, q=3), "q=3"),
    (lambda: gp.GaussianDistribution(1e300, 1, q=1), "q=1"),
    (lambda: gp.GaussianDistribution(0, 1e308, q=1), "q=1"),
    (lambda: gp.LogNormalDistribution(0, 200, q=1), "q=1"),
    (lambda: gp.LogNormalDistribution(0, 0), "sigma=0"),
    (lambda: gp.LogNormalDistribution(NAN), "nan"),
    (lambda: gp.LogNormalDistribution(1000), "mean=1000"),
    (lambda: gp.LogNormalDistribution(-1000), "mean=-1000"),
    (lambda: gp.LogNormalDistribution(1000, low=5), "mean=1000"),
    (lambda: gp.LogNormalDistribution(-1000, high=1e-5), "mean=-1000"),
    (lambda: gp.LogNormalDistribution(high=0), "high=0"),
    (lambda: gp.LogNormalDistribution(low=2, high=2), "low=2, high=2"),
    (lambda: gp.ExponentialDistribution(0), "scale=0"),
    (lambda: gp.ExponentialDistribution(-2), "scale=-2"),
    (lambda: gp.ExponentialDistribution(INF), "inf"),
    (lambda: gp.ExponentialDistribution(high=-1), "high=-1"),
    (lambda: gp.ExponentialDistribution(1, q=0), "q=0"),
    (lambda: gp.ChoiceDistribution([]), r"\[\]"),
    (lambda: gp.ChoiceDistribution("abc"), "'abc'"),
    (lambda: gp.ChoiceDistribution(3), "3"),
    (lambda: gp.ChoiceDistribution({1, 2}), r"\{1, 2\}"),
    (lambda: gp.ChoiceDistribution(np.array(3)), r"array\(3\)"),
    (lambda: gp.ChoiceDistribution([1, 2], [0.5]), r"\[0.5\]"),
    (lambda: gp.ChoiceDistribution([1, 2], [0.5, 0.6]), r"\[0.5, 0.6\]"),
    (lambda: gp.ChoiceDistribution([1, 2], [1.5, -0.5]), r"\[1.5, -0.5\]"),
    (lambda: gp.ChoiceDistribution([1, 2], [NAN, 1]), "nan"),
    (lambda: gp.ChoiceDistribution([1, 2], [0, 0]), r"\[0, 0\]"),
    (lambda: gp.ChoiceDistribution([1, 2], ["a", "b"]), "'a'"),
    (lambda: gp.ChoiceDistribution([1, 2], None), "None"),
    (lambda: gp.ChoiceDistribution([1, 2], "equal"), "'equal'"),
    (lambda: gp.ChoiceDistribution([1, 2], ordered="no"), "'no'"),
    (lambda: gp.ChoiceDistribution([1, 2], ordered=None), "None"),
    (lambda: gp.PermutationDistribution([]), r"\[\]"),
    (lambda: gp.PermutationDistribution("abc"), "'abc'"),
    (lambda: gp.PermutationDistribution({1}), r"\{1\}"),
    (lambda: gp.SubsetDistribution([]), r"\[\]"),
    (lambda: gp.SubsetDistribution([1, 2], min_size=-1), "min_size=-1"),
    (lambda: gp.SubsetDistribution([1, 2], max_size=3), "max_size=3"),
    (lambda: gp.SubsetDistribution([1, 2], min_size=2, max_size=1), "min_size=2, max_size=1"),
    (lambda: gp.SubsetDistribution([1, 2], min_size=1.0), "min_size=1.0"),
    (lambda: gp.ListDistribution(1, 3, 2), "min_size=3, max_size=2"),
    (lambda: gp.ListDistribution(1, -1, 2), "min_size=-1"),
    (lambda: gp.ListDistribution(1, 0, 2.0), "max_size=2.0"),
    (lambda: gp.ListDistribution(1, True, 2), "min_size=True"),
    (lambda: gp.ListDistribution(1, 0, None), "max_size=None"),
]


@pytest.mark.parametrize(("build", "value"), IMPOSSIBLE)
def test_impossible_arguments_show_rule_and_value(build, value):
    with pytest.raises(gp.SpaceError, match=f"got .*{value}") as caught:
        build()
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, AssertionError)  # what GeneticPy raised
    assert "must" in str(caught.value)
    assert "Distribution" in str(caught.value)


# Values that do not fit


@pytest.mark.parametrize("value", ["1", None, True, NAN, INF, -INF, 10**400, [1], 1j, np.True_])
@each(NUMBERS | GRIDS | FROZEN)
def test_numbers_are_the_only_values_of_numbers(leaf, value):
    with pytest.raises(gp.SpaceError, match="must be a finite number, got"):
        Encoding(leaf).encode([value])


@pytest.mark.parametrize(
    ("leaf", "value"),
    [
        (gp.UniformDistribution(0, 1), 1.0000001),
        (gp.UniformDistribution(0, 10, q=1), 2.5),
        (gp.UniformDistribution(0, 10**9, q=1), 999_999_999.5),
        (gp.UniformDistribution(2**60, 2**60 + 100, q=10), 2**60 + 5),
        (gp.UniformDistribution(5.4, 10.4, q=1), 5.4),
        (gp.LogUniformDistribution(1, 1e6, q=1), 1234.5),
        (gp.GaussianDistribution(0, 1, low=-1), -1.5),
        (gp.GaussianDistribution(0, 1), 40.0),
        (gp.GaussianDistribution(0, 1, q=1), 40),
        (gp.GaussianDistribution(0, 1, q=1e-5), 40),
        (gp.ExponentialDistribution(1), -0.1),
        (gp.LogNormalDistribution(0, 1), -1),
        (gp.ChoiceDistribution([1, 2], [1, 0]), 2),
        (gp.ChoiceDistribution([1, 2]), True),
        (gp.ChoiceDistribution([True, False]), 1),
        (gp.ChoiceDistribution(["1", "2"]), 1),
        (gp.ChoiceDistribution([np.arange(2), 0]), np.arange(3)),
        (stats.norm(), 40.0),
        (stats.uniform(), 1.5),
        (stats.randint(3, 9), 9),
        (stats.randint(3, 9), 3.5),
        (stats.poisson(1e7), 10_000_000.5),
        (stats.rv_discrete(values=([1, 4], [0.5, 0.5])), 2),
    ],
)
def test_values_outside_are_refused(leaf, value):
    with pytest.raises(gp.SpaceError, match=r"must .*got"):
        Encoding(leaf).encode([value])


@pytest.mark.parametrize(
    ("leaf", "value", "stored"),
    [
        (gp.UniformDistribution(0, 1, q=0.1), 0.1 + 0.2, 0.3),
        (gp.UniformDistribution(0, 10, q=1), 3.0, 3),
        (gp.UniformDistribution(0, 10, q=1), np.int64(3), 3),
        (gp.UniformDistribution(0, 1), np.float32(0.5), 0.5),
        (gp.UniformDistribution(0, 1), 0, 0.0),
        (gp.LogUniformDistribution(1, 1e6, q=1), 123_457, 123_457),
        (gp.ChoiceDistribution([1, 2]), 2.0, 2),
        (gp.ChoiceDistribution([True, False]), np.False_, False),
        (gp.ChoiceDistribution(["a", "b"]), np.str_("b"), "b"),
        (gp.ChoiceDistribution([[[1, 2], [3]], 0]), [[1, 2], [3]], [[1, 2], [3]]),
        (stats.randint(3, 9), 5.0, 5),
    ],
)
def test_values_may_come_in_another_form(leaf, value, stored):
    encoding = Encoding(leaf)
    (found,) = encoding.decode(encoding.encode([value]))
    assert found == stored
    assert type(found) is type(stored)


def test_nan_is_an_option_like_any_other():
    encoding = Encoding(gp.ChoiceDistribution([math.nan, 1.0]))
    assert math.isnan(encoding.decode(encoding.encode([math.nan]))[0])


def test_options_that_refuse_to_be_compared_are_known_by_identity():
    class Proud:
        def __eq__(self, other):
            raise RuntimeError("no")

    one, two = Proud(), Proud()
    encoding = Encoding(gp.ChoiceDistribution([one, two]))
    assert encoding.decode(encoding.encode([two]))[0] is two
    with pytest.raises(gp.SpaceError, match="must be one of"):
        encoding.encode([Proud()])


# Users' own distributions


def test_users_numbers_are_ordered_and_come_as_often_as_they_were_pulled():
    mass = masses_of(Dice())
    expected = 6 - np.abs(np.arange(2, 13) - 7)
    assert list(mass) == list(range(2, 13))
    # 2,048 pulls: a standard deviation of at most 0.0083, so 5 sigma
    np.testing.assert_allclose(list(mass.values()), expected / 36, atol=0.042)
    assert Encoding(Dice()).genome.ordered.tolist() == [True]


def test_users_dicts_are_unordered_and_may_be_unhashable():
    encoding = Encoding(USERS["user's dicts"])
    assert encoding.genome.k.tolist() == [3]
    assert encoding.genome.ordered.tolist() == [False]


def test_users_values_of_several_types_stay_apart():
    class Mixed(gp.DistributionBase):
        values = iter([True, 1, 1.5, "1"] * 512)

        def pull_value(self):
            return next(self.values)

    values = draw(Mixed(), 100)
    assert {(type(v), v) for v in values} == {(bool, True), (int, 1), (float, 1.5), (str, "1")}


def test_many_unhashable_values_compile_in_reasonable_time():
    class Vectors(Dice):
        def pull_value(self):
            return self.rng.random(3)

    encoding = Encoding(Vectors())
    assert encoding.genome.k.tolist() == [2048]


def test_a_point_between_a_users_numbers_takes_the_nearest():
    encoding = Encoding(Dice())
    assert encoding.decode(encoding.encode([6.8])) == [7]
    with pytest.raises(gp.SpaceError, match="must be a value that"):
        encoding.encode([13])


def test_an_overridden_pull_value_is_obeyed():
    class Even(gp.UniformDistribution):
        def pull_value(self, rng=None):
            return 2 * super().pull_value(np.random.default_rng(3))

    assert set(draw(Even(0, 5, q=1), 20)) <= {0, 2, 4, 6, 8, 10}

    class Loud(gp.ChoiceDistribution):
        def pull_value(self, rng=None):
            return super().pull_value(np.random.default_rng(0)).upper()

    assert set(draw(Loud(["a", "b"]), 5)) <= {"A", "B"}


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyError("missing")])
def test_a_distribution_that_raises_is_named(error):
    class Broken(gp.DistributionBase):
        def pull_value(self):
            raise error

    with pytest.raises(gp.SpaceError, match=r"space\['x'\].*Broken.*Error: ") as caught:
        Encoding({"x": Broken()})
    assert caught.value.__cause__ is error


def test_the_base_class_says_what_to_define():
    with pytest.raises(NotImplementedError, match=r"DistributionBase must define pull_value\(\)"):
        gp.DistributionBase().pull_value()
    with pytest.raises(NotImplementedError, match="pull_constrained_value"):
        gp.DistributionBase().pull_constrained_value(0, 1)
    with pytest.raises(gp.SpaceError, match="pull_value"):
        Encoding(gp.DistributionBase())


# scipy.stats


@pytest.mark.parametrize(
    "frozen",
    [
        stats.norm(0, -1),
        stats.norm([0, 1, 2]),
        stats.gamma,
        stats.dirichlet([1, 2]),
        stats.pareto(0.01),
    ],
)
def test_scipy_laws_without_finite_quantiles_are_refused(frozen):
    with np.errstate(all="ignore"), pytest.raises(gp.SpaceError, match=r"space\['x'\].*got"):
        Encoding({"x": frozen})


@pytest.mark.parametrize("frozen", [stats.zipf(2.0), stats.zipf(1.1, loc=5)])
def test_scipy_sums_that_would_fill_memory_are_refused(frozen):
    with pytest.raises(gp.SpaceError, match=r"space\['x'\].*zipf.*adds up .*, got .* beyond"):
        Encoding({"x": frozen})


def test_scipy_sums_that_end_soon_are_fine():
    assert min(draw(stats.zipf(4.0), 100)) == 1
    assert max(draw(stats.randint(0, 10**9), 100)) > 10**8  # not summed


def test_scipy_laws_are_named_by_their_call():
    assert repr(FrozenDistribution(stats.norm(1, scale=2))) == "scipy.stats.norm(1, scale=2)"


def test_scipy_classes_and_functions_are_constants():
    assert Encoding({"x": stats.rv_continuous}).decode(np.empty((1, 0))) == [
        {"x": stats.rv_continuous}
    ]


@pytest.mark.skipif(not hasattr(stats, "Normal"), reason="scipy before 1.15")
def test_new_scipy_laws_are_those_of_the_old_ones():
    u = np.linspace(0.01, 0.99, 9)
    new, old = (FrozenDistribution(law) for law in (stats.Normal(mu=1, sigma=2), stats.norm(1, 2)))
    np.testing.assert_allclose(new.values(u), old.values(u), rtol=1e-12)


# Properties over random arguments

finite = st.floats(allow_nan=False, allow_infinity=False)


@DETERMINISTIC
@given(finite, finite, st.floats(0, 1))
def test_any_uniform_range_is_kept(one, two, u):
    low, high = sorted((one, two))
    if low == high:
        return
    (value,) = gp.UniformDistribution(low, high).values(np.array([u])).tolist()
    assert low <= value <= high


@DETERMINISTIC
@given(
    st.decimals(-1000, 1000, places=3),
    st.decimals("0.001", 2000, places=3),
    st.decimals("0.001", 10, places=3),
    st.floats(0, 1),
)
def test_any_decimal_step_gives_the_decimal_multiple(low, width, step, u):
    high = low + width
    first = -(-low // step) if (low % step == 0 or low < 0) else low // step + 1
    if step > width or first * step > high:
        return
    leaf = gp.UniformDistribution(float(low), float(high), q=float(step))
    (value,) = leaf.values(np.array([u])).tolist()
    index = round(value / float(step))
    assert value == float(index * step)
    assert float(low) <= value <= float(high)
    assert leaf.values(np.array([leaf.locate(value)])).tolist() == [value]


@DETERMINISTIC
@given(
    st.floats(-1e6, 1e6),
    st.floats(1e-6, 1e6),
    st.floats(-30, 30),
    st.floats(1e-12, 60),
    st.floats(0, 1),
)
def test_any_truncated_gaussian_keeps_its_bounds_and_finds_its_values(mean, sigma, z, width, u):
    low, high = mean + z * sigma, mean + (z + width) * sigma
    if not low < high:
        return
    leaf = gp.GaussianDistribution(mean, sigma, low=low, high=high)
    (value,) = leaf.values(np.array([u])).tolist()
    assert low <= value <= high
    again = leaf.values(np.array([leaf.locate(value)])).tolist()[0]
    assert again == pytest.approx(value, rel=1e-9, abs=1e-9 * (high - low) + 1e-12 * abs(mean))


def test_equal_options_are_one_with_their_probabilities_added_up():
    choice = gp.ChoiceDistribution(["a", "b", "a"], probabilities=[0.2, 0.3, 0.5])
    assert choice.options == ["a", "b"]
    np.testing.assert_allclose(choice.edges, [0, 0.7, 1])
    result = gp.optimize(lambda option: 0.0, gp.ChoiceDistribution(["a", "b", "a"]), seed=0)
    assert result.evaluations == 2


def test_equal_numbers_of_different_types_stay_apart():
    choice = gp.ChoiceDistribution([1, True, 1.0])
    assert [repr(option) for option in choice.options] == ["1", "True", "1.0"]
    encoding = Encoding(choice)
    for option in choice.options:
        assert repr(encoding.decode(encoding.encode([option]))[0]) == repr(option)
