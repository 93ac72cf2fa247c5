"""The species genetic algorithm as a strategy, and the operators that users replace."""

import numpy as np
import pytest
from spaces import SPACES

from geneticpy import ArgumentError, Optimizer, UniformDistribution, optimize
from geneticpy.evolution.breeding import Operators
from geneticpy.evolution.population import Population
from geneticpy.evolution.strategies.mixed import Mixed
from geneticpy.space.encoding import Encoding


def evolve(name, loss, generations=5, n=20, operators=None):
    """Run a strategy by hand; returns it and the number of the next evaluation."""
    encoding = Encoding(SPACES[name])
    genome = encoding.genome
    strategy = Mixed(np.random.default_rng(0), genome, mu=6, operators=operators)
    first = 0
    for _ in range(generations):
        rows = Population.born(strategy.propose(n), first)
        rows.genes = genome.snap(rows.genes)
        rows.species = genome.species(rows.genes, genome.activity(rows.genes))
        rows.loss = np.array([loss(params) for params in encoding.decode(rows.genes)])
        strategy.update(rows)
        first += len(rows)
    return strategy, first


@pytest.mark.parametrize("name", SPACES)
def test_every_space_evolves(name):
    strategy, _ = evolve(name, lambda params: float(len(repr(params))))
    population = strategy.population
    assert 1 <= len(population) <= 6 + 9
    assert (np.diff(population.loss) >= 0).all()
    assert len(strategy.propose(7)) >= 7


def test_survivors_are_the_best_of_all_time_in_a_space_without_structure():
    seen = []

    def loss(params):
        seen.append(sum(params.values()))
        return seen[-1]

    strategy, _ = evolve("numbers", loss)
    np.testing.assert_array_equal(strategy.population.loss, np.sort(seen)[:6])


def test_failed_rows_never_become_parents():
    strategy, _ = evolve("numbers", lambda params: np.inf if params["x0"] > 0 else 1.0)
    assert np.isfinite(strategy.population.loss).all()
    encoding = Encoding(SPACES["numbers"])
    assert all(p["x0"] <= 0 for p in encoding.decode(strategy.population.genes))


def test_a_strategy_that_only_saw_failures_goes_on_with_fresh_rows():
    strategy, _ = evolve("everything", lambda params: np.inf)
    assert len(strategy.population) == 0
    assert (strategy.propose(9).parents == -1).all()


def test_the_share_of_immigrants_is_the_one_wanted():
    for wanted, expected in ((None, 0.05), (0.0, 0.0), (0.4, 0.4), (1.0, 1.0)):
        operators = Operators(immigrants=wanted)
        strategy, _ = evolve("numbers", lambda params: params["x0"], operators=operators)
        fresh = [(strategy.propose(100).parents[:100] == -1).all(axis=1).mean() for _ in range(40)]
        # 4,000 rows: 5 standard deviations are 0.04
        assert abs(np.mean(fresh) - expected) < 0.04


def test_without_mutation_children_recombine_what_is_there():
    operators = Operators(mutate_chance=0.0, immigrants=0.0)
    strategy, _ = evolve(
        "choices", lambda params: float("abcd".index(params["c0"])), operators=operators
    )
    population = strategy.population
    children = strategy.propose(50).genes
    changed = [
        not any(np.array_equal(row, parent) for parent in population.genes)
        and any(gene not in population.genes[:, i] for i, gene in enumerate(row))
        for row in children
    ]
    assert np.mean(changed) < 0.5  # only copies of their parents mutate


def test_adaptive_mutation_grows_while_nothing_improves():
    operators = Operators(mutate_chance=0.2, adaptive_mutation=True)
    strategy, first = evolve("numbers", lambda params: params["x0"], operators=operators)
    before = operators.chance(strategy._stagnant)
    rows = Population.born(strategy.propose(5), first)
    rows.loss = np.full(len(rows), np.inf)
    strategy.update(rows)
    assert before < operators.chance(strategy._stagnant) < 1


def test_parents_are_rows_of_the_population():
    strategy, _ = evolve("everything", lambda params: float(len(params["layers"])))
    brood = strategy.propose(60)
    known = {-1, *strategy.population.ids.tolist()}
    assert set(brood.parents.ravel().tolist()) <= known


def sphere(params):
    return sum(value**2 for value in params.values())


def calls(function, count):
    """Count how often a function is called."""

    def counted(*arguments):
        count.append(len(arguments))
        return function(*arguments)

    return counted


def test_users_replace_every_operator():
    count = {name: [] for name in ("selector", "crossover", "mutation", "replacer")}
    result = optimize(
        sphere,
        {f"x{i}": UniformDistribution(-1, 1) for i in range(4)},
        size=20,
        generation_count=20,
        seed=0,
        selector=calls(lambda rng, loss, n: rng.integers(len(loss), size=n), count["selector"]),
        crossover=calls(lambda rng, one, two, genome: (one + two) / 2, count["crossover"]),
        mutation=calls(
            lambda rng, genes, active, genome: genes + 0.05 * rng.standard_normal(genes.shape),
            count["mutation"],
        ),
        replacer=calls(lambda rng, loss, birth, n: loss.argsort()[:n], count["replacer"]),
    )
    assert result.loss < 0.5
    assert {name: set(lengths) for name, lengths in count.items()} == {
        "selector": {3},
        "crossover": {4},
        "mutation": {4},
        "replacer": {4},
    }


def test_the_plain_algorithm_beats_random_search_on_every_kind_of_space():
    # 15 spaces of which the loss is the distance to a random point of the space, in quantiles
    better = 0
    for name in SPACES:
        encoding = Encoding(SPACES[name])
        target = encoding.genome.sample(np.random.default_rng(9), 1)

        def loss(genes, target=target):
            return np.abs(genes - target).sum(axis=1)

        optimizer = Optimizer(SPACES[name], size=50, generation_count=10, surrogate=False, seed=1)
        best = np.inf
        for _ in range(60):
            candidates = optimizer.ask()
            if not len(candidates):
                break
            losses = loss(candidates.genes)
            optimizer.tell(candidates.ids, losses)
            best = min(best, losses.min())
        drawn = loss(encoding.genome.sample(np.random.default_rng(2), 300)).min()
        better += best <= drawn
    assert better >= 13


WRONG = {
    "selector": [lambda rng, loss, n: np.arange(n) * 1000, lambda rng, loss, n: [0]],
    "crossover": [lambda rng, one, two, genome: one[:, :1], lambda rng, one, two, genome: None],
    "mutation": [lambda rng, genes, active, genome: genes * np.nan, lambda *_: "genes"],
    "replacer": [lambda rng, loss, birth, n: [], lambda rng, loss, birth, n: [[0], [0, 1]]],
}


@pytest.mark.parametrize(("role", "fn"), [(role, fn) for role, fns in WRONG.items() for fn in fns])
def test_wrong_returns_of_users_operators_are_refused_and_nothing_is_lost(role, fn):
    with pytest.raises(
        ArgumentError, match=rf"{role}: must return .*, got (?!shape \(\))"
    ) as caught:
        optimize(sphere, SPACES["numbers"], size=40, seed=0, **{role: fn})
    assert caught.value.result.evaluations > 0


def test_large_portions_are_bred_together_and_mixed():
    strategy, _ = evolve("numbers", lambda params: params["x0"] ** 2)
    broods = [strategy.propose(100) for _ in range(4)]
    assert all(len(brood) >= 100 for brood in broods)
    genes = np.concatenate([brood.genes for brood in broods])
    assert len(np.unique(genes, axis=0)) > 0.9 * len(genes)
    kinds = [(brood.parents == -1).sum(axis=1) for brood in broods]
    # 5 % immigrants and 10 % mutated only: 6 standard deviations of their number in one portion
    assert all(abs((kind > 0).mean() - 0.15) < 0.22 for kind in kinds)
    assert len(strategy.propose(150)) >= 150
    assert len(strategy.propose(7)) < 20


def test_a_new_start_forgets_what_was_bred():
    strategy, _ = evolve("numbers", lambda params: params["x0"] ** 2)
    strategy.propose(100)
    strategy._begin()
    assert (strategy.propose(20).parents == -1).all()
