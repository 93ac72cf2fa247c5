"""Calls written for GeneticPy 0.1 to 2.0, and one test for each bug of theirs that was fixed."""

import asyncio
import gc
import math
import random
import threading

import numpy as np
import pytest

import geneticpy
from geneticpy import (
    ChoiceDistribution,
    DistributionBase,
    EvaluationWarning,
    GaussianDistribution,
    Population,
    UniformDistribution,
    optimize,
)

SPACE = {
    "type": ChoiceDistribution(choice_list=["add", "multiply"]),
    "x": UniformDistribution(low=5, high=10, q=1),
    "y": GaussianDistribution(mean=0, standard_deviation=1),
}


def loss_function(params):
    if params["type"] == "add":
        return params["x"] + params["y"]
    return params["x"] * params["y"]


async def coroutine_loss(params):
    await asyncio.sleep(0)
    return loss_function(params)


# Calls


def test_call_of_0_1():
    result = optimize(loss_function, SPACE, 20, 5, 0.05, 0.25, 0.6, False, False)
    top_params, top_score = result[:2]
    assert loss_function(top_params) == top_score
    assert result.evaluations == 60


def test_verbose_of_0_1_was_in_the_position_of_target(capfd):
    result = optimize(loss_function, SPACE, 20, 5, 0.05, 0.25, 0.6, False, True)
    assert result.evaluations == 60
    assert "60/60" in capfd.readouterr().err


def test_call_of_1_0_unpacks_to_three():
    best_params, loss, total_time = optimize(
        loss_function, SPACE, 20, 5, 0.05, 0.25, 0.6, False, -1e9, False, 7
    )
    assert loss_function(best_params) == loss
    assert total_time > 0


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize("positional", [True, False])
def test_tuple_of_1_0_1_to_1_2_is_accepted_and_told_to_be_useless(value, positional):
    args, options = (loss_function, SPACE, 20, 5, 0.05, 0.25, 0.6, False, None, False, 7), {}
    if positional:
        args = (*args, value)
    else:
        options["tuple"] = value
    with pytest.warns(DeprecationWarning, match="tuple is not needed") as told:
        result = optimize(*args, **options)
    assert [warning.filename for warning in told] == [__file__]
    assert result.evaluations == 60  # and no patience of 1 or 0 generations
    best_params, loss, _ = result
    assert result["top_params"] == best_params
    assert result["top_score"] == loss


def test_call_of_1_3_returns_a_mapping():
    result = optimize(
        fn=loss_function,
        param_space=SPACE,
        size=20,
        generation_count=5,
        percentage_to_randomly_spawn=0.1,
        mutate_chance=0.35,
        retain_percentage=0.5,
        maximize_fn=True,
        target=None,
        verbose=False,
        seed=3,
    )
    assert loss_function(result["top_params"]) == result["top_score"] > 0
    assert result["total_time"] > 0


def test_call_of_2_0_has_attributes():
    result = optimize(
        loss_function,
        SPACE,
        20,
        5,
        0.1,
        0.35,
        0.5,
        False,
        None,
        False,
        42,
        3,
        True,
        2,
        True,
    )
    assert isinstance(result, geneticpy.OptimizeResult)
    assert loss_function(result.best_params) == result.best_score
    assert result.total_time > 0


def test_exports_of_both_lines_are_there():
    names = "optimize Population UniformDistribution GaussianDistribution ChoiceDistribution "
    names += "ExponentialDistribution LogNormalDistribution DistributionBase OptimizeResult"
    assert [name for name in names.split() if not hasattr(geneticpy, name)] == []


def test_constants_pass_through_to_the_loss():
    seen = []
    optimize(
        lambda params: seen.append(params) or 0.0,
        {"x": UniformDistribution(0, 1), "name": "fixed", "n": 3, "none": None},
        size=5,
    )
    assert {(p["name"], p["n"], p["none"]) for p in seen} == {("fixed", 3, None)}


def test_a_loss_of_none_is_a_value_error_as_in_2_0():
    with pytest.raises(ValueError, match="must return a number, got None for params"):
        optimize(lambda params: None, SPACE)


def test_distributions_of_users_work():
    class Even(DistributionBase):
        def __init__(self):
            self.rng = random.Random(5)

        def pull_value(self):
            return 2 * self.rng.randrange(50)

        def pull_constrained_value(self, low, high):
            return low

    result = optimize(lambda params: abs(params["n"] - 31), {"n": Even()}, seed=0)
    assert result.best_params["n"] in (30, 32)
    assert type(result.best_params["n"]) is int


def test_tournaments_and_adaptive_mutation_are_more_than_accepted():
    def genes(**options):
        result = optimize(loss_function, SPACE, size=20, seed=1, surrogate=False, **options)
        return result.history.genes.tobytes()

    plain = genes(mutate_chance=0.2)
    assert genes(mutate_chance=0.2, use_tournament_selection=True) != plain
    assert genes(mutate_chance=0.2, tournament_size=7) == plain
    assert genes(mutate_chance=0.2, adaptive_mutation=True) != plain
    assert genes(mutate_chance=0.3) != plain
    assert genes(percentage_to_randomly_spawn=0.5) != genes()


# Bugs of 1.3 and 2.0 (those of the distributions are tested with these)


def test_target_that_is_exactly_met_stops_the_run():
    assert optimize(lambda params: 0.0, SPACE, target=0.0).evaluations == 1


def test_eleven_points_are_not_evaluated_520_times():
    result = optimize(abs, UniformDistribution(-5, 5, q=1), size=40, generation_count=20)
    assert result.evaluations == 11


def test_nan_is_no_best_score():
    losses = iter([math.nan, 3.0] * 400)
    with pytest.warns(EvaluationWarning):
        assert optimize(lambda params: next(losses), SPACE).best_score == 3.0


def test_an_exception_does_not_lose_the_run():
    def fn(params):
        return 1 / (params["type"] == "add")

    with pytest.warns(EvaluationWarning, match="ended|failed"):
        assert optimize(fn, SPACE, seed=0).best_params["type"] == "add"


def test_coroutine_losses_work_inside_a_running_loop():
    async def main():
        return optimize(coroutine_loss, SPACE, size=10, seed=0)

    assert asyncio.run(main()).evaluations == 60


@pytest.mark.parametrize("size", [1, 2, 3])
def test_small_sizes_end(size):
    result = optimize(loss_function, SPACE, size=size, generation_count=50, retain_percentage=0.5)
    assert result.evaluations == int(size * 26)


def test_seed_makes_a_run_repeatable_and_touches_no_global_state():
    np_state, state = str(np.random.get_state()), random.getstate()  # noqa: NPY002
    scores = {optimize(loss_function, SPACE, 20, seed=7).best_score for _ in range(3)}
    assert len(scores) == 1
    assert (str(np.random.get_state()), random.getstate()) == (np_state, state)  # noqa: NPY002


def test_choices_come_back_as_they_were_given():
    options = [True, 3, "3", (1, 2), [4], None]
    seen = []
    optimize(lambda p: seen.append(p["c"]) or 0.0, {"c": ChoiceDistribution(options)}, seed=0)
    assert sorted(map(repr, seen)) == sorted(map(repr, options))
    assert {type(value) for value in seen} == {type(option) for option in options}


def test_nested_dicts_are_spaces():
    space = {"model": {"x": UniformDistribution(0, 1), "deep": [UniformDistribution(0, 1)]}}
    result = optimize(lambda p: p["model"]["x"] + p["model"]["deep"][0], space, 20, seed=0)
    assert result.loss < 0.05


def test_adaptive_mutation_adapts_without_patience():
    def genes(adaptive, patience):
        result = optimize(
            lambda params: 1.0,
            {"x": UniformDistribution(0, 1), "y": UniformDistribution(0, 1)},
            mutate_chance=0.01,
            percentage_to_randomly_spawn=0,
            adaptive_mutation=adaptive,
            patience=patience,
            size=20,
            generation_count=30,
            seed=0,
        )
        return result.history.genes.tobytes()

    assert genes(True, None) == genes(True, 1000) != genes(False, None)


# Population


def bowl(params):
    return (params["x"] - 1) ** 2


LINE = {"x": UniformDistribution(-5, 5)}


class Counter:
    """Stands for a tqdm bar."""

    updates = 0

    def update(self):
        self.updates += 1


def test_population_evolves_as_in_the_old_optimize():
    bar = Counter()
    population = Population(bowl, LINE, 20, 0.05, 0.25, 0.6, False, bar, None, seed=0)
    assert bar.updates == 0
    for generation in range(10):
        assert population.evolve() is None
        assert bar.updates == 20 + 8 * generation
    population.get_final_scores()
    assert bar.updates == 100  # size * (1 + 10 * 0.4)
    assert population.get_top_score() < 0.01
    assert bowl(population.get_top_params()) == population.get_top_score()
    population.get_final_scores()
    assert bar.updates == 100


@pytest.mark.parametrize("first", ["get_top_score", "get_top_params"])
def test_population_evaluates_when_asked_for_its_best(first):
    calls = []
    population = Population(lambda params: calls.append(1) or bowl(params), LINE, size=5, seed=0)
    assert getattr(population, first)() is not None
    assert bowl(population.get_top_params()) == population.get_top_score()
    assert len(calls) == 5


def test_population_maximizes():
    population = Population(lambda params: -bowl(params), LINE, 20, maximize_fn=True, seed=0)
    for _ in range(10):
        population.evolve()
    assert -0.01 < population.get_top_score() <= 0


@pytest.mark.parametrize("sign", [1, -1])
def test_population_returns_the_score_that_meets_the_target_and_stays_there(sign):
    calls = []

    def fn(params):
        calls.append(params)
        return sign * max(3, 30 - len(calls))

    population = Population(fn, LINE, 10, maximize_fn=sign < 0, target=sign * 3, seed=0)
    while (score := population.evolve()) is None:
        assert len(calls) < 50
    assert score == population.get_top_score() == sign * 3
    assert len(calls) == 30
    assert population.evolve() == sign * 3
    assert len(calls) == 30


def test_population_takes_coroutines_and_ends_their_thread():
    before = threading.active_count()
    population = Population(coroutine_loss, SPACE, 10, seed=0)
    population.evolve()
    assert threading.active_count() == before + 1
    assert loss_function(population.get_top_params()) == population.get_top_score()
    del population
    gc.collect()
    assert threading.active_count() == before


def test_population_has_an_end_when_the_space_has():
    population = Population(abs, UniformDistribution(-2, 2, q=1), 3, seed=0)
    for _ in range(10):
        assert population.evolve() is None
    assert population.get_top_score() == 0


def test_population_selects_by_tournaments():
    def points(**options):
        seen = []
        population = Population(
            lambda params: seen.append(params["x"]) or bowl(params), LINE, 20, seed=0, **options
        )
        for _ in range(8):
            population.evolve()
        return seen

    plain = points()
    assert points(use_tournament_selection=True, tournament_size=9) != plain
    assert points(tournament_size=9, diversity_threshold=0.5) == plain


def test_population_of_failures_raises_at_once():
    population = Population(lambda params: 1 / 0, LINE, 4)
    with pytest.raises(geneticpy.EvaluationError, match="ZeroDivisionError"):
        population.evolve()
