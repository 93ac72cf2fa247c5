"""The schedule: which strategy is chosen, how one hands over, and a user's own."""

import numpy as np
import pytest
from spaces import SPACES

from geneticpy import Optimizer, UniformDistribution, optimize
from geneticpy.errors import ArgumentError
from geneticpy.evolution.strategies.discrete import Discrete
from geneticpy.evolution.strategies.mixed import Mixed
from geneticpy.evolution.strategies.numeric import Numeric
from geneticpy.evolution.strategies.schedule import Handover
from geneticpy.evolution.strategies.screened import Screened


def strategy_of(name="weighted", **options):
    optimizer = Optimizer(SPACES[name], seed=0, **options)
    return type(optimizer._strategy), optimizer.strategy


def uniform_selector(rng, loss, n):
    return rng.integers(len(loss), size=n)


@pytest.mark.parametrize(
    ("genes", "evaluations"), [(3, 50), (4, 60), (13, 195), (14, 200), (200, 200)]
)
def test_the_model_begins_where_all_genes_are_continuous(genes, evaluations):
    space = {f"x{i}": UniformDistribution(-5, 5) for i in range(genes)}
    optimizer = Optimizer(space, max_evaluations=5_000, seed=0)
    assert optimizer.strategy.startswith(f"screened for {evaluations} evaluations, then numeric")


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"max_evaluations": 1000}, Screened, "screened (fewer than 1001 evaluations)"),
        ({"size": 1001}, Handover, "screened for 300 evaluations, then mixed (at least 1001"),
        (
            {"max_evaluations": 20_000, "size": 30_000},
            Handover,
            "screened for 300 evaluations, then mixed",
        ),
        (
            {"max_evaluations": 499, "name": "numbers"},
            Screened,
            "screened (fewer than 500 evaluations)",
        ),
        (
            {"max_evaluations": 500, "name": "integers"},
            Handover,
            "screened for 250 evaluations, then numeric (at least 500 evaluations)",
        ),
        (
            {"size": 500, "name": "one number"},
            Handover,
            "screened for 50 evaluations, then numeric",
        ),
        (
            {"size": 2_000, "name": "numbers"},
            Handover,
            "screened for 150 evaluations, then numeric",
        ),
        (
            {"size": 2_000, "name": "uneven integers"},
            Handover,
            "screened for 300 evaluations, then numeric",
        ),
        (
            {"size": 1001, "name": "choices"},
            Handover,
            "screened for 300 evaluations, then discrete",
        ),
        ({"size": 30_000, "name": "everything"}, Mixed, "mixed (more than 20000 evaluations)"),
        (
            {"size": 30_000, "name": "numbers", "max_evaluations": 30_000},
            Handover,
            "numeric for 10000 evaluations, then mixed (more than 20000 evaluations)",
        ),
        (
            {"size": 2, "generation_count": 10**7, "name": "integers"},
            Handover,
            "numeric for 5000 evaluations, then mixed (more than 20000 evaluations)",
        ),
        ({"size": 30_000, "name": "bits"}, Discrete, "discrete (more than 20000 evaluations)"),
        ({"size": 20, "name": "order"}, Screened, "screened (fewer than 1001 evaluations)"),
        (
            {"size": 2001, "name": "order"},
            Handover,
            "screened for 1000 evaluations, then mixed (at least 1001",
        ),
        ({"size": 30_000, "name": "order"}, Mixed, "mixed (more than 20000 evaluations)"),
        ({"surrogate": False}, Mixed, "mixed (surrogate=False)"),
        ({"size": 30_000, "surrogate": True}, Screened, "screened (surrogate=True)"),
        ({"selector": uniform_selector}, Mixed, "mixed (the user's own selector)"),
        ({"size": 30_000, "name": "numbers", "mutate_chance": 0.5}, Mixed, "mixed (more than"),
        ({"size": 30_000, "name": "bits", "tournament_size": 2}, Mixed, "mixed (more than"),
        ({"strategy": "mixed"}, Mixed, "mixed (strategy='mixed')"),
        ({"strategy": "screened", "name": "order"}, Screened, "screened (strategy='screened')"),
        ({"strategy": "numeric", "name": "numbers"}, Numeric, "numeric (strategy='numeric')"),
        ({"strategy": "discrete", "name": "bits"}, Discrete, "discrete (strategy='discrete')"),
    ],
)
def test_the_strategy_is_chosen_by_space_budget_and_wish(options, kind, text):
    found, said = strategy_of(**options)
    assert found is kind
    assert said.startswith(text)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"strategy": "random"}, r"strategy: must be one of .*, got 'random'"),
        ({"strategy": 3}, r"strategy: must have a method begin\(\), got 3"),
        ({"strategy": "mixed", "surrogate": False}, r"surrogate: must be 'auto' with a strategy"),
        ({"strategy": "numeric", "name": "choices"}, r"strategy: must suit .* more than numbers"),
        ({"strategy": "numeric", "name": "everything"}, r"strategy: must suit .*, got 'numeric'"),
        ({"strategy": "discrete", "name": "list"}, r"strategy: must suit .*, got 'discrete'"),
        (
            {"strategy": "numeric", "name": "numbers", "tournament_size": 3},
            r"strategy: must breed to follow tournament_size, got 'numeric'",
        ),
        (
            {"strategy": "screened", "selector": uniform_selector},
            r"strategy: must not be 'screened' with operators of your own, got \['selector'\]",
        ),
        (
            {"surrogate": True, "selector": uniform_selector},
            r"surrogate: must not be True with operators of your own, got \['selector'\]",
        ),
    ],
)
def test_wishes_that_contradict_are_refused(options, match):
    with pytest.raises(ArgumentError, match=match):
        strategy_of(**options)


def test_the_result_says_how_its_points_were_found():
    result = optimize(lambda p: p["x0"], SPACES["numbers"], max_evaluations=10, seed=0)
    assert result.strategy == "screened (fewer than 500 evaluations)"


def test_handing_over_passes_on_everything_told():
    optimizer = Optimizer(SPACES["weighted"], size=100, generation_count=40, seed=0)
    handover = optimizer._strategy
    told, losses, seen = [], [], []
    while len(told) < handover._until:
        candidates = optimizer.ask()
        losses += candidates.genes.sum(axis=1).tolist()
        told += candidates.ids.tolist()
        optimizer.tell(candidates.ids, losses[-len(candidates) :])
    handover._stages[0] = (lambda: Recorder(seen).begin(None, None, 0), np.inf)
    with pytest.raises(AttributeError):  # the recorder cannot propose
        optimizer.ask()
    assert np.concatenate([rows.ids for rows in seen]).tolist() == told
    assert np.concatenate([rows.loss for rows in seen]).tolist() == losses


class Recorder:
    """A strategy that writes down what it is told, and draws at random."""

    def __init__(self, seen):
        self.seen = seen

    def begin(self, rng, genome, budget):
        self.rng, self.genome, self.budget = rng, genome, budget
        return self

    def propose(self, n):
        return self.genome.sample(self.rng, n + 3)

    def update(self, rows):
        self.seen.append(rows)


@pytest.mark.filterwarnings("ignore:.*evaluations failed")
def test_a_users_strategy_runs_from_begin_to_end():
    strategy = Recorder([])
    result = optimize(
        lambda p: p["x0"] if p["x0"] < 0 else float("nan"),
        SPACES["numbers"],
        size=20,
        generation_count=2,
        strategy=strategy,
        initial=[{name: 0.0 for name in SPACES["numbers"]}],
        seed=0,
    )
    assert result.evaluations == strategy.budget == 40
    assert "strategy=<" in result.strategy
    told = np.concatenate([rows.loss for rows in strategy.seen])
    assert len(told) == 35  # the last portion is not needed any more
    assert np.isinf(told).any()
    assert np.nanmin(result.history.loss) == result.loss


def test_the_same_object_begins_anew_in_each_run():
    strategy = Recorder([])
    runs = [
        optimize(
            lambda p: p["x0"], SPACES["numbers"], max_evaluations=20, strategy=strategy, seed=1
        )
        for _ in range(2)
    ]
    np.testing.assert_array_equal(runs[0].history.genes, runs[1].history.genes)


@pytest.mark.parametrize(
    ("returned", "match"),
    [
        (None, "strategy.propose: must return an array of numbers of shape .*, got None"),
        ([[0.5], [0.5, 0.5]], r"array of numbers of shape .*, got \[\[0.5\], \[0.5, 0.5\]\]"),
        (np.zeros((5, 1)), r"of shape \(5, \d+\), got shape \(5, 1\)"),
        (np.full((5, 10), np.nan), "must return no NaN .*, got 50 in 50 genes|of shape"),
        (np.full((5, 10), np.inf), "must return no .*infinity, got 50 in 50 genes|of shape"),
    ],
)
def test_what_a_users_strategy_proposes_is_checked(returned, match):
    strategy = Recorder([])
    strategy.propose = lambda n: returned
    with pytest.raises(ArgumentError, match=match):
        optimize(lambda p: p["x0"], SPACES["numbers"], strategy=strategy, seed=0)


def test_the_class_of_a_users_strategy_is_none():
    with pytest.raises(ArgumentError, match=r"^strategy: must be an instance .*Recorder"):
        Optimizer(SPACES["numbers"], strategy=Recorder)


def test_a_users_strategy_that_proposes_nothing_gets_random_points():
    strategy = Recorder([])
    strategy.propose = lambda n: np.empty((0, strategy.genome.d))
    result = optimize(lambda p: p["x0"], SPACES["numbers"], max_evaluations=12, strategy=strategy)
    assert result.evaluations == 12


def test_a_space_of_constants_has_nothing_to_learn():
    result = optimize(lambda p: 1.0, {"x": 3}, size=30_000)
    assert result.evaluations == 1
    with pytest.raises(ArgumentError, match="strategy: must suit"):
        Optimizer({"x": 3}, strategy="numeric")
