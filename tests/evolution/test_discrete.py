"""The strategy for unordered and binary genes."""

import math

import numpy as np
import pytest

from geneticpy import ChoiceDistribution, Optimizer, UniformDistribution
from geneticpy.evolution.mutation import heavy_tailed, heavy_tailed_steps
from geneticpy.evolution.population import Brood, Population
from geneticpy.evolution.strategies import discrete
from geneticpy.evolution.strategies.discrete import FEWEST, MOST, Discrete, Judge, judge
from geneticpy.space.encoding import Encoding

BITS = [ChoiceDistribution([0, 1]) for _ in range(32)]
LEVELS = [ChoiceDistribution([str(i) for i in range(k)]) for k in (3, 5, 10) * 4]
SOME_NUMBERS = [*LEVELS, UniformDistribution(0, 1), UniformDistribution(0, 20, q=1)]


def optimizer(space, budget=2000, seed=0, **options):
    """Make an optimizer that uses the strategy."""
    made = Optimizer(space, max_evaluations=budget, size=budget, **options)
    rng = np.random.default_rng(seed)
    made._strategy = Discrete(rng, made.encoding.genome, budget)
    return made


def search(space, loss, evaluations, n=5, **options):
    """Losses of a run, in the order of the evaluations; `loss` takes genes."""
    run = optimizer(space, **options)
    losses = []
    while len(losses) < evaluations:
        candidates = run.ask(n)
        if not len(candidates):
            break
        told = loss(candidates.genes)
        run.tell(candidates.ids, told)
        losses += np.asarray(told).tolist()
    return np.array(losses)


def zeros(genes):
    return (genes < 0.5).sum(axis=1).astype(float)


def leading(genes):
    return -(genes > 0.5).cumprod(axis=1).sum(axis=1).astype(float)


def wrong_levels(space):
    """Make a loss: how many genes differ from a random row."""
    genome = Encoding(space).genome
    target = genome.sample(np.random.default_rng(9), 1)
    return lambda genes: (np.abs(genes - target) > 1e-3).sum(axis=1).astype(float)


def bred(strategy, genome, n, loss, first=0):
    """Let a strategy propose and learn once; returns the rows."""
    rows = Population.born(strategy.propose(n).take(slice(n)), first)
    rows.genes = genome.snap(rows.genes)
    rows.loss = np.asarray(loss(rows.genes), float)
    strategy.update(rows)
    return rows


# Mutation


def test_the_number_of_changed_genes_follows_the_power_law():
    counts = np.bincount(heavy_tailed(np.random.default_rng(0), 100_000, 20), minlength=11)[1:]
    weight = np.arange(1, 11) ** -1.5
    expected = 100_000 * weight / weight.sum()
    # chi-square with 9 degrees of freedom exceeds 27.9 with probability 0.001; the seed is fixed
    assert len(counts) == 10
    assert ((counts - expected) ** 2 / expected).sum() < 27.9


def test_a_single_gene_always_changes():
    genome = Encoding([ChoiceDistribution(list("ab"))]).genome
    genes = np.full((50, 1), 0.25)
    heavy_tailed_steps(np.random.default_rng(0), genes, np.full(50, 0.1), genome)
    assert (genes == 0.75).all()


def test_every_other_level_of_every_gene_is_equally_likely():
    genome = Encoding(LEVELS[:3]).genome
    before = genome.centre(np.array([[1, 3, 7]]), np.arange(3)).repeat(60_000, axis=0)
    after = heavy_tailed_steps(np.random.default_rng(0), before.copy(), np.ones(60_000), genome)
    levels = genome.level(after, np.arange(3))
    for gene, (old, k) in enumerate([(1, 3), (3, 5), (7, 10)]):
        counts = np.bincount(levels[levels[:, gene] != old, gene], minlength=k)
        others = np.delete(counts, old)
        # each gene changes in 1/3 of the rows: (k - 1) counts of 20,000/(k - 1); 5 deviations
        share = 20_000 / (k - 1)
        assert np.abs(others - share).max() < 5 * np.sqrt(20_000 / (k - 1)) + 1


def test_numbers_move_by_small_and_large_steps():
    genome = Encoding([UniformDistribution(0, 1)]).genome
    strategy = Discrete(np.random.default_rng(0), genome, 10**6)
    bred(strategy, genome, 40, lambda genes: np.abs(genes[:, 0] - 0.5))
    strategy._population = strategy.population.take(slice(1))
    steps = np.abs(strategy.propose(400).genes - strategy.population.genes)
    assert (steps < 0.01).mean() > 0.1
    assert (steps > 0.1).mean() > 0.1


# Survival


def test_the_best_survive_and_newer_ones_win_ties():
    genome = Encoding(BITS).genome
    strategy = Discrete(np.random.default_rng(0), genome, 2000)
    rows = [bred(strategy, genome, 5, zeros, 5 * i) for i in range(20)]
    loss = np.concatenate([part.loss for part in rows])
    assert strategy.population.loss.tolist() == np.sort(loss)[:FEWEST].tolist()
    bred(strategy, genome, 5, lambda genes: np.full(5, loss.min()), 100)
    assert set(strategy.population.ids) <= set(range(100, 105))


def test_failed_rows_never_become_parents():
    genome = Encoding(BITS).genome
    strategy = Discrete(np.random.default_rng(0), genome, 2000)
    for i in range(20):
        bred(strategy, genome, 5, lambda genes: np.where(genes[:, 0] > 0.5, np.inf, 1.0), 5 * i)
    assert len(strategy.population) == FEWEST
    assert (strategy.population.genes[:, 0] < 0.5).all()


def test_survivors_double_while_nothing_improves():
    genome = Encoding(BITS[:16]).genome
    strategy = Discrete(np.random.default_rng(0), genome, 2000)
    sizes = []
    for i in range(300):
        bred(strategy, genome, 5, lambda genes: np.zeros(len(genes)), 5 * i)
        sizes.append(len(strategy.population))
    # the first portion is progress; 8 * 16 evaluations later they double, and so on
    assert sizes[25] == FEWEST
    assert sizes[27] == 2 * FEWEST
    assert sizes[-1] == MOST


def test_parents_are_rows_of_the_population():
    genome = Encoding(LEVELS).genome
    strategy = Discrete(np.random.default_rng(0), genome, 2000)
    for i in range(10):
        bred(strategy, genome, 5, wrong_levels(LEVELS), 5 * i)
    brood = strategy.propose(40)
    assert set(brood.parents.ravel().tolist()) <= {-1, *strategy.population.ids.tolist()}
    assert 0 < (brood.parents[:, 1] >= 0).mean() < 0.8  # half are mated, some with themselves


def test_immigrants_are_as_many_as_wanted():
    genome = Encoding(BITS).genome
    strategy = Discrete(np.random.default_rng(0), genome, 10**6, immigrants=0.5)
    bred(strategy, genome, 40, zeros)
    fresh = [(strategy.propose(100).parents[:100] == -1).all(axis=1).mean() for _ in range(20)]
    assert abs(np.mean(fresh) - 0.5) < 0.06  # of 2,000 rows: 5 standard deviations


# Search


@pytest.mark.parametrize(("n", "evaluations"), [(1, 150), (5, 150), (40, 400)])
def test_onemax_is_solved(n, evaluations):
    # the slowest of 10 other seeds needed 93, 90 and 240
    losses = [search(BITS, zeros, evaluations, n, seed=seed).min() for seed in range(3)]
    assert losses == [0, 0, 0]


def test_the_model_pays_where_genes_add_up(monkeypatch):
    weight = np.arange(1, 33)

    def loss(genes):
        return (genes < 0.5) @ weight.astype(float)

    def reached():
        return np.mean([search(BITS, loss, 120, seed=seed).min() for seed in range(4)])

    judged = reached()
    monkeypatch.setattr(discrete, "judge", lambda genome: None)
    assert judged < 0.6 * reached()


def test_leading_ones_are_found():
    # the slowest of 8 seeds needed 875; bit by bit it takes 512
    losses = [search(BITS, leading, 1500, seed=seed).min() for seed in range(3)]
    assert max(losses) == -32


@pytest.mark.parametrize(("budget", "evaluations"), [(2000, 250), (10**6, 5000)])
def test_choices_of_many_levels_are_found(budget, evaluations):
    # the slowest of 6 seeds needed 115 with the model, and 2,396 without
    losses = search(LEVELS, wrong_levels(LEVELS), evaluations, budget=budget)
    assert losses.min() == 0


def test_some_numbers_among_the_choices_are_tuned():
    genome = Encoding(SOME_NUMBERS).genome
    target = genome.sample(np.random.default_rng(9), 1)

    def loss(genes):
        return wrong_levels(LEVELS)(genes[:, :12]) + np.abs(genes - target)[:, 12:].sum(axis=1)

    losses = search(SOME_NUMBERS, loss, 2000)
    assert losses.min() < 0.01


def test_many_rows_without_a_model():
    # the slowest of 6 seeds needed 7,096
    losses = search(BITS, leading, 12_000, n=100, budget=10**6)
    assert losses.min() == -32


def test_one_thousand_genes():
    space = [ChoiceDistribution([0, 1]) for _ in range(1000)]
    losses = search(space, zeros, 400, n=20)
    assert losses[300:].mean() < 0.85 * losses[:10].mean()


def test_models_of_too_many_columns_are_not_made():
    assert judge(Encoding([ChoiceDistribution(range(60))] * 16).genome) is not None
    assert judge(Encoding([ChoiceDistribution(range(60))] * 17).genome) is None


@pytest.mark.parametrize(
    ("space", "points"),
    [
        ([ChoiceDistribution([0, 1])], 2),
        ([ChoiceDistribution(["only"]), ChoiceDistribution(list("abc"))], 3),
        ([ChoiceDistribution(list("abcd"))] * 4, 256),
        (BITS[:9], 512),
    ],
)
@pytest.mark.parametrize("n", [1, 7])
def test_small_spaces_are_searched_to_their_last_point(space, points, n):
    assert len(search(space, lambda genes: genes.sum(axis=1), 2000, n)) == points


# The model as a judge


def test_nothing_that_was_told_is_chosen_again():
    genome = Encoding(BITS[:6]).genome
    chooser = judge(genome)
    everything = genome.enumerate()
    chooser.remember(everything[:60])
    chosen = chooser.choose(Brood.orphans(np.concatenate([everything, everything])), 10)
    assert sorted(map(tuple, chosen.genes)) == sorted(map(tuple, everything[60:]))


def told_rows(genome, n, loss, seed=0, first=0):
    rows = Population.born(
        Brood.orphans(genome.sample(np.random.default_rng(seed), n)), first_id=first
    )
    rows.loss = np.asarray(loss(rows.genes), float)
    return rows


@pytest.mark.parametrize("portion", [1, 5, 40])
def test_a_model_that_is_right_is_trusted_and_a_wrong_one_is_not(portion):
    genome = Encoding(BITS).genome
    random = np.random.default_rng(1)
    for loss, right in ((zeros, True), (lambda genes: random.random(len(genes)), False)):
        chooser = judge(genome)
        assert isinstance(chooser, Judge)
        assert not chooser.trusted
        rows = told_rows(genome, 400, loss)
        for at in range(0, 400, portion):
            chooser.update(rows.take(slice(at, at + portion)))
        # six taus of five random pairs have a mean of deviation 0.17; here the seed is fixed
        assert chooser.trusted == right


def test_a_trusted_model_puts_the_best_first():
    genome = Encoding(BITS).genome
    chooser = judge(genome)
    for i in range(20):
        chooser.update(told_rows(genome, 20, zeros, seed=i))
    children = Brood.orphans(genome.sample(np.random.default_rng(99), 200))
    chosen = chooser.choose(children, 5)
    best = np.sort(zeros(children.genes))[:5]
    assert zeros(chosen.genes).mean() <= best.mean() + 1


# Ask and tell


def test_an_archive_is_taken_over():
    genome = Encoding(BITS).genome
    strategy = Discrete(np.random.default_rng(0), genome, 2000)
    archive = told_rows(genome, 300, zeros)
    strategy.update(archive)
    assert strategy.population.loss.tolist() == np.sort(archive.loss)[:FEWEST].tolist()
    brood = strategy.propose(5)
    assert (brood.parents[:5, 0] >= 0).all()


def test_losses_may_come_late_in_part_and_from_elsewhere():
    run = optimizer(BITS)
    rng = np.random.default_rng(0)
    waiting = []
    for i in range(120):
        candidates = run.ask(int(rng.integers(1, 12)))
        waiting += zip(candidates.ids.tolist(), candidates.genes, strict=True)
        rng.shuffle(waiting)
        for _ in range(int(rng.integers(0, len(waiting) + 1))):
            number, genes = waiting.pop()
            if rng.random() < 0.9:  # the others are never told
                run.tell(number, zeros(genes[None])[0])
        if i == 60:
            run.tell(params=[[1] * 30 + [0] * 2], loss=[2.0])
    assert run.best_loss <= 1


def test_rows_are_proposed_before_anything_is_told():
    run = optimizer(BITS)
    genes = np.concatenate([run.ask(n).genes for n in (1, 5, 50, 3)])
    assert len(np.unique(genes, axis=0)) == 59


@pytest.mark.parametrize(
    "loss",
    [
        lambda genes: np.full(len(genes), 7.0),
        lambda genes: np.full(len(genes), np.nan),
        lambda genes: np.full(len(genes), np.inf),
        lambda genes: np.full(len(genes), -np.inf),
        lambda genes: 1e300 * zeros(genes),
        lambda genes: 1e-300 * zeros(genes),
        lambda genes: np.where(genes[:, 0] > 0.5, 1.7e308, -1.7e308),
        lambda genes: np.where(genes[:, 0] > 0.5, np.nan, zeros(genes)),
        lambda genes: np.where(genes[:, 0] > 0.5, -np.inf, zeros(genes)),
        lambda genes: np.exp(20 * zeros(genes)),
        lambda genes: (zeros(genes) > 5).astype(float),
    ],
)
@pytest.mark.parametrize(("n", "budget"), [(1, 2000), (5, 2000), (100, 10**6)])
def test_difficult_losses_are_coped_with(loss, n, budget):
    losses = search(BITS, loss, 300, n, budget=budget)
    assert len(losses) == 300


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_the_scale_of_the_losses_does_not_matter(scale):
    plain = search(BITS, leading, 300)
    scaled = search(BITS, lambda genes: scale * leading(genes), 300)
    np.testing.assert_array_equal(np.round(scaled / scale), plain)


def test_failures_are_avoided():
    def loss(genes):
        return np.where(genes[:, 0] > 0.5, np.nan, zeros(genes))

    losses = search(BITS, loss, 200)[100:]
    assert np.isnan(losses).mean() < 0.3  # a half of random rows


@pytest.mark.parametrize(("n", "budget"), [(5, 2000), (100, 10**6)])
def test_the_same_seed_gives_the_same_run(n, budget):
    one, two, other = (
        search(SOME_NUMBERS, wrong_levels(SOME_NUMBERS), 300, n, budget=budget, seed=seed)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_points_that_a_constraint_rejects_are_replaced():
    run = optimizer(BITS, constraint=lambda params: sum(params[:4]) == 2)
    for _ in range(60):
        candidates = run.ask()
        run.tell(candidates.ids, zeros(candidates.genes))
    assert run.best_loss == 2
    assert math.isfinite(run.best_loss)
