"""The front door: what comes back, how much is evaluated, and which points."""

import inspect
import math
import zlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geneticpy
from geneticpy import (
    ChoiceDistribution,
    ConstraintWarning,
    GaussianDistribution,
    ListDistribution,
    LogUniformDistribution,
    PermutationDistribution,
    SpaceError,
    SubsetDistribution,
    UniformDistribution,
    optimize,
)

PLANE = {"x": UniformDistribution(-5, 5), "n": UniformDistribution(0, 9, q=1)}


def bowl(params):
    return params["x"] ** 2 + (params["n"] - 3) ** 2


def scattered(params):
    """Return a loss without any structure, in [0, 1]."""
    return zlib.crc32(repr(params).encode()) / 2**32


class Recorded:
    """A loss that keeps what it was called with."""

    def __init__(self, fn):
        self.fn, self.points = fn, []

    def __call__(self, params):
        self.points.append(params)
        return self.fn(params)


# What comes back


def test_result_unpacks_to_params_loss_and_seconds():
    best_params, loss, total_time = optimize(bowl, PLANE, size=20, generation_count=5, seed=0)
    assert bowl(best_params) == loss
    assert best_params["n"] == 3
    assert 0 < total_time < 60


def test_result_is_the_best_of_everything_evaluated():
    fn = Recorded(scattered)
    result = optimize(fn, PLANE, size=20, generation_count=5, seed=0)
    losses = [scattered(point) for point in fn.points]
    assert result.loss == min(losses)
    assert result.best_params == fn.points[losses.index(min(losses))]
    assert result.history.loss.tolist() == losses


def test_the_earliest_of_equal_losses_is_the_best():
    fn = Recorded(lambda params: 1.0)
    assert optimize(fn, PLANE, size=7, generation_count=2, seed=0).best_params == fn.points[0]


def test_search_beats_random_search():
    # P(loss < 0.001) of a random draw is 0.1 * 2 * sqrt(0.001) / 10, so five seeds of 600 random
    # draws all get there with probability (1 - exp(-0.38))**5 = 0.003
    losses = [optimize(bowl, PLANE, seed=seed, surrogate=False).loss for seed in range(5)]
    assert max(losses) < 0.001


def test_search_with_a_model_needs_fewer_evaluations():
    # by the same, 60 random draws get there with probability 0.04
    assert optimize(bowl, PLANE, size=10, seed=0, surrogate=True).loss < 0.001


def test_example_of_the_first_page():
    def loss_function(params):
        if params["type"] == "add":
            return params["x"] + params["y"]
        return params["x"] * params["y"]

    space = {
        "type": ChoiceDistribution(choice_list=["add", "multiply"]),
        "x": UniformDistribution(low=5, high=10, q=1),
        "y": GaussianDistribution(mean=0, standard_deviation=1),
    }
    best_params, loss, _ = optimize(loss_function, space, size=50, generation_count=40, seed=0)
    assert best_params["type"] == "multiply"
    assert best_params["x"] == 10
    assert type(best_params["x"]) is int
    assert loss == 10 * best_params["y"] < -30


# The sign


def test_maximizing_is_minimizing_the_negative():
    down = optimize(bowl, PLANE, size=20, seed=4)
    up = optimize(lambda params: -bowl(params), PLANE, size=20, seed=4, maximize_fn=True)
    assert up.best_params == down.best_params
    assert up.loss == -down.loss
    assert up.history.genes.tobytes() == down.history.genes.tobytes()


def test_everything_is_in_the_users_sign_when_maximizing():
    fn = Recorded(lambda params: 10 - bowl(params))
    seen = []
    result = optimize(
        fn,
        PLANE,
        size=20,
        generation_count=5,
        maximize_fn=True,
        seed=0,
        callback=lambda progress: seen.append((progress.evaluations, progress.loss)),
    )
    losses = [10 - bowl(point) for point in fn.points]
    assert result.history.loss.tolist() == losses
    assert result.loss == max(losses)
    assert seen == [(n, max(losses[:n])) for n, _ in seen]


@pytest.mark.parametrize("maximize", [False, True])
def test_infinite_losses_are_losses(maximize):
    def fn(params):
        return [-math.inf, 0.0, math.inf][params]

    result = optimize(fn, UniformDistribution(0, 2, q=1), maximize_fn=maximize, seed=0)
    assert result.best_params == (2 if maximize else 0)
    assert result.loss == (math.inf if maximize else -math.inf)
    assert len(result.failures) == 0


# The budget

SIZES = [1, 2, 3, 4, 10, 33]


def planned(size, generation_count, retain_percentage):
    """Return the documented number of evaluations, in exact arithmetic."""
    share = 1 - Fraction(str(retain_percentage))
    return math.floor(size * (1 + generation_count * share))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("generation_count", [0, 1, 3, 10])
@pytest.mark.parametrize("retain_percentage", [0, 0.1, 0.3, 0.5, 0.6, 0.9])
def test_budget_is_met_exactly(size, generation_count, retain_percentage):
    fn = Recorded(bowl)
    result = optimize(
        fn, PLANE, size, generation_count, None, None, retain_percentage, seed=1, surrogate=False
    )
    assert len(fn.points) == planned(size, generation_count, retain_percentage)
    assert result.evaluations == len(fn.points)
    assert result.generations == generation_count
    assert result.message == (
        f"generation_count reached: {generation_count} generations, {len(fn.points)} evaluations"
    )


@pytest.mark.parametrize("batch", [None, 1, 4, 1000])
@pytest.mark.parametrize("size", SIZES)
def test_generations_end_where_the_size_says(size, batch):
    result = optimize(
        bowl, PLANE, size=size, generation_count=6, seed=1, batch=batch, surrogate=False
    )
    for generation in range(7):
        made = (result.history.generation <= generation).sum()
        assert made == planned(size, generation, 0.5)


@pytest.mark.parametrize("cap", [1, 9, 10, 11, 35])
def test_max_evaluations_caps_the_budget(cap):
    fn = Recorded(bowl)
    result = optimize(fn, PLANE, size=10, generation_count=6, max_evaluations=cap, seed=1)
    assert len(fn.points) == result.evaluations == cap
    assert result.message == f"max_evaluations reached: {cap} evaluations"
    assert result.generations == next(g for g in range(7) if planned(10, g, 0.5) >= cap)


def test_max_evaluations_above_the_budget_changes_nothing():
    result = optimize(bowl, PLANE, size=10, generation_count=6, max_evaluations=41, seed=1)
    assert result.evaluations == 40
    assert result.message.startswith("generation_count reached")


# Spaces of all kinds

FINITE = {
    "eleven": (UniformDistribution(0, 10, q=1), 11),
    "two times three": (
        {"a": ChoiceDistribution(list("ab")), "b": UniformDistribution(1, 3, q=1)},
        6,
    ),
    "three": ({"b": ChoiceDistribution([True, None, "x"])}, 3),
    "unequal chances": (ChoiceDistribution([1, 2, 3], probabilities=[0.998, 0.001, 0.001]), 3),
    "one": ({"b": ChoiceDistribution(["only"])}, 1),
    "constants": ({"a": 1, "b": [2, (3, None)]}, 1),
    "nothing": ({}, 1),
    "orders": (PermutationDistribution(list("abcd")), 24),
    "subsets": ({"s": SubsetDistribution(range(5), min_size=1, max_size=3)}, 25),
    "lists": (ListDistribution(ChoiceDistribution(list("xyz")), 0, 3), 1 + 3 + 9 + 27),
    "choices with parameters": (
        ChoiceDistribution(["none", {"a": UniformDistribution(0, 3, q=1)}, [1, PLANE["n"]]]),
        1 + 4 + 10,
    ),
}


@pytest.mark.parametrize(("space", "points"), FINITE.values(), ids=FINITE.keys())
@pytest.mark.parametrize(("size", "surrogate"), [(2, False), (2, True), (100, "auto")])
def test_finite_spaces_are_evaluated_once_each_and_no_more(space, points, size, surrogate):
    fn = Recorded(scattered)
    result = optimize(fn, space, size=size, generation_count=200, seed=3, surrogate=surrogate)
    assert len({repr(point) for point in fn.points}) == len(fn.points) == points
    assert result.evaluations == points
    assert result.message == f"space exhausted: all {points} points of the space were evaluated"


def test_generations_of_an_exhausted_space_are_those_that_were_begun():
    seen = []
    space = {"x": UniformDistribution(0, 10, q=1)}
    for size, last in [(100, 0), (11, 0), (10, 1), (5, 3)]:  # 5 + 2 + 3 + 1 = 11
        result = optimize(
            lambda params: params["x"],
            space,
            size=size,
            seed=0,
            callback=lambda progress: seen.append(progress.generation),
        )
        assert result.generations == result.history.generation[-1] == last
        assert seen == list(range(last + 1))
        seen.clear()


@pytest.mark.parametrize("space", [UniformDistribution(-1, 1), [UniformDistribution(-1, 1)]])
def test_a_space_need_not_be_a_dict(space):
    result = optimize(lambda params: np.sum(params) ** 2, space, seed=0, surrogate=False)
    assert type(result.best_params) is (list if isinstance(space, list) else float)
    assert result.loss < 1e-3


def test_a_thousand_genes():
    space = {f"x{i}": UniformDistribution(-1, 1) for i in range(1000)}
    result = optimize(
        lambda params: sum(params.values()), space, size=20, generation_count=3, seed=0
    )
    assert result.evaluations == 50
    assert len(result.best_params) == 1000


def test_three_hundred_genes_in_lists():
    layer = {"units": LogUniformDistribution(4, 64, q=1), "kind": ChoiceDistribution(list("abc"))}
    space = {"layers": ListDistribution(layer, min_size=1, max_size=150)}
    sizes = Recorded(lambda params: abs(len(params["layers"]) - 40))
    result = optimize(sizes, space, size=30, generation_count=20, seed=0, surrogate=False)
    assert result.loss == 0
    assert min(len(point["layers"]) for point in sizes.points) < 40
    assert {layer["kind"] for layer in result.best_params["layers"]} == set("abc")


# No point twice

LEAVES = [
    UniformDistribution(0, 4, q=1),
    UniformDistribution(-1, 1),
    GaussianDistribution(0, 1, q=0.5),
    ChoiceDistribution(["a", 2, None]),
    ChoiceDistribution(["a", "b", "c"], probabilities=[0.9, 0.05, 0.05]),
    SubsetDistribution(["u", "v", "w"]),
    PermutationDistribution([1, 2, 3]),
    7,
]


def containers(parts):
    return st.one_of(
        st.dictionaries(st.sampled_from("pqr"), parts, max_size=3),
        st.lists(parts, max_size=2),
        st.builds(
            lambda part, low, more: ListDistribution(part, low, low + more),
            parts,
            st.integers(0, 1),
            st.integers(0, 2),
        ),
        # options of different types, so that no two of them decode to equal parameters
        parts.map(lambda part: ChoiceDistribution(["off", {"on": part}])),
    )


spaces = st.recursive(st.sampled_from(LEAVES), containers, max_leaves=5)


def assert_no_point_repeats(space, **options):
    fn = Recorded(scattered)
    result = optimize(fn, space, **options)
    points = [repr(point) for point in fn.points]
    assert len(set(points)) == len(points)
    end = planned(options["size"], options["generation_count"], 0.5)
    assert len(points) == end or "exhausted" in result.message


@settings(max_examples=60, deadline=None, derandomize=True)
@given(space=spaces, seed=st.integers(0, 99), size=st.integers(1, 30))
def test_no_point_of_any_space_is_evaluated_twice(space, seed, size):
    assert_no_point_repeats(space, size=size, generation_count=6, seed=seed, surrogate=False)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(space=spaces, seed=st.integers(0, 99))
def test_no_point_is_evaluated_twice_with_a_model(space, seed):
    assert_no_point_repeats(space, size=10, generation_count=4, seed=seed, surrogate=True)


def test_neighbouring_quantiles_that_decode_alike_are_one_point():
    assert_no_point_repeats(
        {"x": UniformDistribution(-1, 1)},
        size=20,
        generation_count=5,
        seed=0,
        mutate_chance=1,
        crossover=lambda rng, one, two, genome: one,
        mutation=lambda rng, genes, active, genome: np.nextafter(genes, 1),
    )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(space=spaces, seed=st.integers(0, 99))
def test_history_gives_back_what_the_loss_received(space, seed):
    fn = Recorded(scattered)
    result = optimize(fn, space, size=8, generation_count=3, seed=seed, surrogate=False)
    assert [result.history.params(i) for i in range(len(result.history))] == fn.points


def test_without_cache_points_repeat_and_the_budget_is_spent():
    fn = Recorded(scattered)
    result = optimize(fn, UniformDistribution(0, 10, q=1), size=20, cache=False, seed=0)
    assert result.evaluations == len(fn.points) == 120
    assert result.message.startswith("generation_count reached")
    assert set(fn.points) <= set(range(11))


# The loss may do what it likes with its parameters


def test_a_loss_that_changes_its_parameters_changes_no_others():
    option = ["a", "b"]
    space = {
        "list": [UniformDistribution(0, 9, q=1), [1, 2]],
        "layers": ListDistribution({"u": UniformDistribution(0, 9, q=1)}, 1, 3),
        "order": PermutationDistribution(list("abc")),
        "choice": ChoiceDistribution([{"k": PLANE["n"], "deep": {"c": 1}}, {"none": {}}]),
        "own": ChoiceDistribution([option, "other"]),
    }
    kept = []

    def fn(params):
        kept.append(repr(params))
        loss = scattered(params)
        params["list"][1].append("changed")
        params["layers"].clear()
        params["order"].pop()
        for part in params["choice"].values():
            if isinstance(part, dict):
                part.clear()
        params.clear()
        return loss

    result = optimize(fn, space, size=30, generation_count=5, seed=0)
    assert "changed" not in "".join(kept)
    assert [repr(result.history.params(i)) for i in range(len(kept))] == kept
    assert repr(result.best_params) == kept[int(result.history.loss.argmin())]


def test_options_of_a_choice_are_the_users_own_objects():
    options = [object(), [1, 2], np.arange(3), len]
    seen = Recorded(lambda params: 0.0)
    optimize(seen, {"o": ChoiceDistribution(options)}, seed=0)
    assert {id(point["o"]) for point in seen.points} == {id(option) for option in options}


# Constraint


def test_constraint_is_always_met():
    fn = Recorded(bowl)
    result = optimize(
        fn, PLANE, constraint=lambda params: params["x"] > params["n"] - 2, seed=0, size=20
    )
    assert all(point["x"] > point["n"] - 2 for point in fn.points)
    assert result.evaluations == 120


def test_constraint_may_change_what_it_is_given():
    fn = Recorded(bowl)
    optimize(fn, PLANE, constraint=lambda params: params.pop("x") > 0, seed=0, size=10)
    assert all(point["x"] > 0 for point in fn.points)


def test_constraint_may_exhaust_a_space():
    fn = Recorded(lambda params: params)
    space = UniformDistribution(0, 99, q=1)
    result = optimize(fn, space, constraint=lambda params: params % 10 == 0, seed=0)
    assert sorted(fn.points) == list(range(0, 100, 10))
    assert result.message.startswith("space exhausted: no new point that the constraint allows")


def test_a_space_too_unlikely_to_be_exhausted_blames_no_constraint():
    space = UniformDistribution(0, 1)
    for _ in range(40):  # the innermost comes with a probability of 2**-40
        space = ChoiceDistribution([space, 1])
    result = optimize(lambda params: 0.0, space, seed=0)
    assert result.message.startswith("space exhausted: no new point was found; ")


def test_constraint_that_allows_little_is_told_with_its_rate_once():
    fn = Recorded(lambda params: params["x"])
    with pytest.warns(ConstraintWarning, match=r"constraint: allows \d+ of \d+ .*rate") as told:
        optimize(
            fn,
            {"x": UniformDistribution(0, 1)},
            size=5,
            generation_count=2,
            constraint=lambda params: params["x"] < 0.0005,
            seed=1,
        )
    assert len(told) == 1
    rate = float(str(told[0].message).split("acceptance rate ")[1].split(")")[0])
    assert 0 <= rate < 0.001
    assert len(fn.points) == 10
    assert max(point["x"] for point in fn.points) < 0.0005


def test_generous_constraint_is_not_warned_of():
    optimize(
        bowl, PLANE, size=20, constraint=lambda params: params["x"] < -4.9, seed=0
    )  # 1 in 100


def test_impossible_constraint_ends_before_the_first_evaluation():
    fn = Recorded(bowl)
    with pytest.raises(SpaceError, match=r"constraint: must allow some points, got 0 allowed"):
        optimize(fn, {"n": PLANE["n"]}, constraint=lambda params: False, seed=0)
    assert fn.points == []


def test_constraint_that_raises_is_named_with_the_point():
    with pytest.raises(SpaceError, match=r"constraint: .*KeyError\('z'\) for \{'x': ") as caught:
        optimize(bowl, PLANE, constraint=lambda params: params["z"], seed=0)
    assert isinstance(caught.value.__cause__, KeyError)


# Initial points


def test_initial_points_are_evaluated_first_and_in_order():
    initial = [{"x": 4.25, "n": 9}, {"x": -5, "n": 0}, {"x": 0.1, "n": 3}]
    fn = Recorded(bowl)
    result = optimize(fn, PLANE, size=20, initial=initial, seed=0)
    np.testing.assert_allclose(
        [point["x"] for point in fn.points[:3]], [4.25, -5, 0.1], rtol=1e-12
    )
    assert [point["n"] for point in fn.points[:3]] == [9, 0, 3]
    assert result.loss <= bowl(fn.points[2])
    assert result.evaluations == 120


def test_initial_points_of_a_nested_space_are_given_back():
    space = {
        "layers": ListDistribution({"u": UniformDistribution(1, 9, q=1)}, 0, 3),
        "kind": ChoiceDistribution(["none", {"p": UniformDistribution(0, 1, q=0.1)}]),
        "order": PermutationDistribution(list("abc")),
        "set": SubsetDistribution([1, 2, 3]),
        "fixed": (1, "one"),
    }
    initial = [
        {"layers": [], "kind": "none", "order": ["c", "a", "b"], "set": [], "fixed": (1, "one")},
        {
            "layers": [{"u": 9}, {"u": 1}],
            "kind": {"p": 0.3},
            "order": ["a", "b", "c"],
            "set": [1, 3],
            "fixed": (1, "one"),
        },
    ]
    fn = Recorded(scattered)
    optimize(fn, space, size=10, initial=initial, seed=0)
    assert fn.points[:2] == initial


def test_initial_points_count_and_repeated_ones_are_evaluated_once():
    point = {"x": 1.0, "n": 1}
    fn = Recorded(bowl)
    result = optimize(fn, PLANE, size=10, generation_count=0, initial=[point] * 3, seed=0)
    assert fn.points.count(point) == 1
    assert result.evaluations == 10


def test_more_initial_points_than_the_budget():
    fn = Recorded(abs)
    result = optimize(fn, PLANE["n"], size=3, generation_count=0, initial=[8, 6, 7, 5, 3])
    assert result.evaluations == 3
    assert fn.points == [8, 6, 7]


def test_a_constraint_that_changes_what_it_is_given_leaves_initial_points_alone():
    fn, initial = Recorded(bowl), [{"x": 1.0, "n": 2}]
    optimize(fn, PLANE, initial=initial, constraint=lambda params: params.pop("x") > 0, size=5)
    assert initial == fn.points[:1] == [{"x": 1.0, "n": 2}]


def test_a_constraint_judges_the_values_that_the_loss_gets():
    steps = {"x": UniformDistribution(0, 1, q=0.1)}
    with pytest.raises(SpaceError, match=r"initial\[0\]: must satisfy the constraint"):
        optimize(
            lambda params: params["x"],
            steps,
            initial=[{"x": 0.1 + 0.2}],
            constraint=lambda params: params["x"] > 0.3,
        )


@pytest.mark.parametrize(
    ("initial", "told"),
    [
        ([{"x": 1.0, "n": 1}, {"x": 6.0, "n": 1}], r"initial\[1\]\['x'\]: .*-5.* 5.*got 6\.0"),
        ([{"x": 1.0, "n": 1.5}], r"initial\[0\]\['n'\]: .*multiple of q=1.*got 1\.5"),
        ([{"x": 1.0}], r"initial\[0\]: must be a dict of keys \['x', 'n'\], got \['x'\]"),
        ([{"x": "one", "n": 1}], r"initial\[0\]\['x'\]: .*got 'one'"),
        ([3], r"initial\[0\]: must be a dict .*got 3"),
        ([{"x": 1.0, "n": 9}], r"initial\[0\]: must satisfy the constraint, got .*9"),
    ],
)
def test_initial_points_outside_the_space_are_refused_with_their_path(initial, told):
    fn = Recorded(bowl)
    with pytest.raises(SpaceError, match=told):
        optimize(fn, PLANE, initial=initial, constraint=lambda params: params["n"] < 9)
    assert fn.points == []


# Manners


def test_nothing_is_printed(capfd):
    optimize(bowl, PLANE, size=20, seed=0)
    assert capfd.readouterr() == ("", "")


def test_public_signature_keeps_the_order_of_geneticpy():
    parameters = inspect.signature(geneticpy.optimize).parameters.values()
    positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == [
        "fn",
        "param_space",
        "size",
        "generation_count",
        "percentage_to_randomly_spawn",
        "mutate_chance",
        "retain_percentage",
        "maximize_fn",
        "target",
        "verbose",
        "seed",
        "patience",
        "use_tournament_selection",
        "tournament_size",
        "adaptive_mutation",
    ]
