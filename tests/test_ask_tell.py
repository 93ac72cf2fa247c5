"""The engine for other libraries: proposals, results in any order, points from elsewhere."""

import math
import zlib
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from geneticpy import (
    ArgumentError,
    ChoiceDistribution,
    ListDistribution,
    Optimizer,
    PermutationDistribution,
    SpaceError,
    SubsetDistribution,
    UniformDistribution,
    optimize,
)
from geneticpy.evaluation.values import as_loss

LINE = {"x": UniformDistribution(0, 1)}
ROOM = {
    "x": UniformDistribution(-5, 5),
    "layers": ListDistribution({"u": UniformDistribution(1, 9, q=1)}, 0, 3),
    "kind": ChoiceDistribution(["none", {"k": UniformDistribution(0, 1)}]),
    "order": PermutationDistribution([1, 2, 3]),
    "parts": SubsetDistribution([1, 2, 3]),
}


def scattered(params):
    """Return a loss without any structure, in [0, 1]."""
    return zlib.crc32(repr(params).encode()) / 2**32


def tell_all(optimizer, candidates):
    optimizer.tell(candidates.ids, [scattered(params) for params in candidates.params])


# Asking


def test_candidates_are_pairs_of_id_and_params():
    optimizer = Optimizer(ROOM, seed=0)
    first, second = optimizer.ask(4), optimizer.ask(3)
    assert (len(first), len(second)) == (4, 3)
    assert [i for i, _ in first] == first.ids.tolist() == [0, 1, 2, 3]
    assert [i for i, _ in second] == [4, 5, 6]
    assert [params for _, params in first] == first.params
    assert all(type(i) is int for i, _ in first)
    assert first.genes.shape == (4, optimizer.encoding.genome.d)
    assert first.parents.shape == (4, 2)
    assert first.species.shape == (4,)
    assert optimizer.encoding.decode(first.genes) == first.params
    assert repr(first) == f"Candidates(ids=[0, 1, 2, 3], params={first.params})"


def test_columns_are_the_params_of_all():
    candidates = Optimizer(LINE, seed=0).ask(9)
    assert candidates.columns["x"].tolist() == [params["x"] for params in candidates.params]


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, 5),
        ({"size": 200, "generation_count": 500}, 100),
        ({"size": 200, "generation_count": 500, "retain_percentage": 0.9}, 5),
        ({"size": 3000, "retain_percentage": 0.2}, 2400),
        ({"batch": 7}, 7),
    ],
)
def test_default_number_of_candidates_depends_on_the_budget(options, size):
    assert len(Optimizer(LINE, **options).ask()) == size


def test_more_than_the_planned_budget_may_be_asked_for():
    optimizer = Optimizer(LINE, size=2, generation_count=0, seed=0)
    for _ in range(20):
        tell_all(optimizer, optimizer.ask(10))
    assert optimizer.ask(1000).ids[-1] == 1199


def test_optimize_is_a_loop_over_ask_and_tell():
    result = optimize(scattered, ROOM, size=20, generation_count=4, seed=3, batch=10)
    optimizer = Optimizer(ROOM, size=20, generation_count=4, seed=3)
    genes = []
    for _ in range(6):
        candidates = optimizer.ask(10)
        tell_all(optimizer, candidates)
        genes.append(candidates.genes)
    assert np.concatenate(genes).tobytes() == result.history.genes.tobytes()
    assert optimizer.best_params == result.best_params
    assert optimizer.best_loss == result.loss


def test_parameters_can_be_changed_by_the_caller():
    one, two = (Optimizer(ROOM, seed=0) for _ in range(2))
    for _ in range(10):
        candidates, same = one.ask(4), two.ask(4)
        losses = [scattered(params) for params in same.params]
        for params in candidates.params:
            params.clear()
        candidates.columns["x"][:] = 7
        one.tell(candidates.ids, losses)
        two.tell(same.ids, losses)
    assert one.best_params == two.best_params
    assert one.ask(4).params == two.ask(4).params


# Telling, in any order


def pieces(rng, n):
    """Return positions 0 to n - 1 in random order, cut into random parts."""
    cuts = np.sort(rng.integers(0, n + 1, rng.integers(0, 4)))
    return np.split(rng.permutation(n), cuts)


@pytest.mark.parametrize("order", range(6))
def test_order_and_split_of_tells_do_not_matter(order):
    rng = np.random.default_rng(order)
    straight, shuffled = (Optimizer(ROOM, size=20, seed=1) for _ in range(2))
    for _ in range(12):
        candidates, same = straight.ask(8), shuffled.ask(8)
        assert candidates.genes.tobytes() == same.genes.tobytes()
        assert candidates.parents.tolist() == same.parents.tolist()
        losses = np.array([scattered(params) for params in candidates.params])
        losses[rng.random(8) < 0.2] = np.nan
        straight.tell(candidates.ids, losses)
        for part in pieces(rng, 8):
            if len(part) == 1:
                shuffled.tell(int(same.ids[part[0]]), float(losses[part[0]]))
            else:
                shuffled.tell(same.ids[part], losses[part])
        assert straight.best_params == shuffled.best_params
        assert straight.best_loss == shuffled.best_loss


@pytest.mark.parametrize("order", range(6))
def test_order_of_tells_does_not_matter_while_others_are_pending(order):
    rng = np.random.default_rng(order)
    plan = np.random.default_rng(99)  # which results are in at each ask: the same for both
    straight, shuffled = (Optimizer(ROOM, size=20, seed=1) for _ in range(2))
    waiting = np.zeros(0, int)
    known = {}
    for _ in range(15):
        candidates, same = straight.ask(6), shuffled.ask(6)
        assert candidates.genes.tobytes() == same.genes.tobytes()
        known.update((i, scattered(params)) for i, params in candidates)
        waiting = plan.permutation(np.concatenate([waiting, candidates.ids]))
        done, waiting = np.split(waiting, [plan.integers(0, len(waiting))])
        done = np.sort(done)
        straight.tell(done, [known[i] for i in done])
        for part in pieces(rng, len(done)):
            shuffled.tell(done[part], [known[i] for i in done[part]])
    assert len(waiting) > 0
    assert straight.best_params == shuffled.best_params


def test_no_point_is_proposed_again_while_its_result_is_pending():
    optimizer = Optimizer(UniformDistribution(0, 19, q=1), seed=0)
    asked = [params for _ in range(5) for params in optimizer.ask(4).params]
    assert sorted(asked) == list(range(20))


def test_nothing_told_is_nothing_wrong():
    optimizer = Optimizer(LINE, seed=0)
    optimizer.tell([], [])
    optimizer.ask(3)
    optimizer.tell(np.zeros(0, int), np.zeros(0))
    assert math.isnan(optimizer.best_loss)


def test_forms_of_ids_and_losses():
    optimizer = Optimizer(LINE, seed=0)
    optimizer.ask(10)
    optimizer.tell(0, 5.0)
    optimizer.tell(np.int64(1), np.float32(4))
    optimizer.tell([2], [3])
    optimizer.tell((3, 4), (2.0, 9.0))
    optimizer.tell(np.array([5, 6], np.int32), np.array([1, 8]))
    assert optimizer.best_loss == 1.0
    assert type(optimizer.best_loss) is float


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (Decimal("0.5"), 0.5),
        (Fraction(1, 4), 0.25),
        (-(10**400), -math.inf),
        (np.True_, 1.0),
        (Decimal("nan"), math.nan),
    ],
)
def test_tell_takes_the_numbers_that_a_loss_may_return(loss, told):
    one, several = Optimizer(LINE, seed=0), Optimizer(LINE, seed=0)
    one.tell(one.ask(1).ids[0], loss)
    several.tell(several.ask(2).ids, [loss, 2.0])
    np.testing.assert_equal([one.best_loss, as_loss(loss, {})], [told, told])
    assert several.best_loss == (2.0 if math.isnan(told) else told)


def test_masked_losses_have_failed():
    optimizer = Optimizer(LINE, seed=0)
    params = optimizer.ask(3).params
    optimizer.tell([0, 1, 2], np.ma.array([1, 2, 3], mask=[True, False, False]))
    assert optimizer.best_loss == 2.0
    assert optimizer.best_params == params[1]


# The best


def test_before_any_success_the_best_is_none_and_nan():
    optimizer = Optimizer(LINE, seed=0)
    assert optimizer.best_params is None
    assert math.isnan(optimizer.best_loss)
    optimizer.tell(optimizer.ask(3).ids, [np.nan] * 3)
    assert optimizer.best_params is None
    assert math.isnan(optimizer.best_loss)


@pytest.mark.parametrize(
    "losses", [[2.0, 1.0, 1.0, 1.0], [math.nan, math.inf, math.inf, math.inf]]
)
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1]])
def test_the_earliest_of_equal_losses_is_the_best_in_any_order_of_tells(losses, order):
    optimizer = Optimizer(LINE, seed=0)
    params = optimizer.ask(4).params
    for i in order:
        optimizer.tell(i, losses[i])
    assert optimizer.best_params == params[1]
    assert optimizer.best_loss == losses[1]


@pytest.mark.parametrize("first", [math.nan, math.inf, 5.0])
def test_anything_smaller_becomes_the_best(first):
    optimizer = Optimizer(LINE, seed=0)
    params = optimizer.ask(4).params
    optimizer.tell([0, 1], [math.nan, first])
    optimizer.tell([2, 3], [4.0, -math.inf])
    assert optimizer.best_params == params[3]
    assert optimizer.best_loss == -math.inf


def test_all_failing_goes_on_asking():
    optimizer = Optimizer(ROOM, seed=0)
    for _ in range(30):
        candidates = optimizer.ask(4)
        optimizer.tell(candidates.ids, [math.nan] * 4)
    tell_all(optimizer, optimizer.ask(4))
    assert optimizer.best_loss < 1


# Wrong ids and losses


@pytest.mark.parametrize(
    ("ids", "loss", "told"),
    [
        (7, 1.0, r"ids must be asked for and told once each, got \[7\]"),
        (-1, 1.0, r"got \[-1\]"),
        ([0, 1, 9], [1.0, 2.0, 3.0], r"got \[9\]"),
        ([1, 1], [1.0, 2.0], r"got \[1, 1\]"),
        (3, 1.0, r"got \[3\]"),  # told before
        (0.5, 1.0, "got"),
        ("a", 1.0, "got"),
        ([0, 1], [1.0], r"loss must have the shape \(2,\) of ids, got \[1.0\]"),
        ([0, 1], 1.0, r"shape \(2,\) of ids, got 1.0"),
        (0, [1.0, 2.0], r"shape \(1,\) of ids"),
        ([0, 1], [[1.0, 2.0]], r"shape \(2,\) of ids"),
        (0, "low", "loss must be .*numbers?, got 'low'"),
        (0, "1.5", "loss must be .*numbers?, got '1.5'"),
        (0, None, "loss must be .*numbers?, got None"),
        ([0, 1], [1.0, None], "loss must be .*numbers?, got"),
        (0, Decimal("snan"), "loss must be numbers, got"),
        ([0, 1], [1.0, Fraction], "loss must be numbers, got"),
        (0, 1j, "loss must be .*numbers?, got"),
        (None, 1.0, "must get ids or params"),
        ([[0, 1]], [[1.0, 2.0]], r"ids must be integers, .*got \[\[0, 1\]\]"),
        ([None], [1.0], r"ids must be integers, .*got \[None\]"),
        ({0}, [1.0], r"ids must be integers, .*got {0}"),
        ([{"x": 0.5}], [1.0], r"ids must be integers, .*got \[{'x': 0.5}\]"),  # params as ids
        ([True, False], [1.0, 2.0], r"ids must be integers, .*got \[True, False\]"),
        ([0, [1, 2]], [1.0, 2.0], r"ids must be integers, .*got \[0, \[1, 2\]\]"),
        ([0, 1], [1.0, [1.0, 2.0]], r"loss must be numbers, got \[1.0, \[1.0, 2.0\]\]"),
    ],
)
def test_wrong_ids_and_losses_are_refused_and_change_nothing(ids, loss, told):
    optimizer = Optimizer(LINE, seed=0)
    params = optimizer.ask(4).params
    optimizer.tell(3, 50.0)
    with pytest.raises(ArgumentError, match=rf"^tell: .*{told}"):
        optimizer.tell(ids, loss)
    assert optimizer.best_loss == 50.0
    optimizer.tell([0, 1, 2], [3.0, 2.0, 4.0])
    assert optimizer.best_params == params[1]


@pytest.mark.parametrize("n", [0, -1, 1.5, "3", True])
def test_wrong_numbers_of_candidates_are_refused(n):
    with pytest.raises(ArgumentError, match=rf"^n: must be an integer of at least 1, got {n!r}"):
        Optimizer(LINE).ask(n)


# Points from elsewhere


def test_points_that_were_not_asked_for_count_and_teach():
    alone, taught = (Optimizer(LINE, seed=0, surrogate=False) for _ in range(2))
    known = [{"x": x} for x in (0.75, 0.25, 0.5)]
    taught.tell(params=known, loss=[1.0, -3.0, 2.0])
    assert taught.best_loss == -3.0
    assert taught.best_params["x"] == pytest.approx(0.25)
    assert taught.ask(2).ids.tolist() == [3, 4]
    tell_all(alone, alone.ask(40))
    tell_all(taught, taught.ask(40))
    assert (taught.ask(50).parents == 1).any()  # the best of all has children
    assert alone.best_loss > 0


def test_points_from_elsewhere_are_not_proposed_again():
    optimizer = Optimizer(UniformDistribution(0, 9, q=1), seed=0)
    optimizer.tell(params=[3, 5], loss=[0.0, 1.0])
    assert sorted(optimizer.ask(20).params) == [0, 1, 2, 4, 6, 7, 8, 9]


def test_points_from_elsewhere_may_repeat():
    optimizer = Optimizer(UniformDistribution(0, 9, q=1), seed=0)
    optimizer.tell(optimizer.ask(10).ids, range(10, 20))
    optimizer.tell(params=[3, 3, 4], loss=[2.0, 1.0, 3.0])
    assert optimizer.best_loss == 1.0
    assert optimizer.best_params == 3


def test_nested_points_from_elsewhere():
    optimizer = Optimizer(ROOM, seed=0)
    point = {
        "x": 1.0,
        "layers": [{"u": 3}, {"u": 9}],
        "kind": {"k": 0.5},
        "order": [3, 1, 2],
        "parts": [1, 3],
    }
    optimizer.tell(params=[point], loss=[-1.0])
    best = optimizer.best_params
    assert best.pop("x") == pytest.approx(1.0)
    assert best.pop("kind") == {"k": pytest.approx(0.5)}
    assert best == {"layers": [{"u": 3}, {"u": 9}], "order": [3, 1, 2], "parts": [1, 3]}


@pytest.mark.parametrize(
    ("params", "loss", "error", "told"),
    [
        ([{"x": 2.0}], [1.0], SpaceError, r"params\[0\]\['x'\]: must lie between 0.* 1.*got 2.0"),
        ([{"x": 0.5}, {"y": 1}], [1.0, 2.0], SpaceError, r"params\[1\]: must be a dict of keys"),
        ([{"x": 0.5}], [1.0, 2.0], ArgumentError, r"loss must have the shape \(1,\)"),
        ([{"x": 0.5}], None, ArgumentError, "loss must be .*numbers?, got None"),
        ({"x": 0.5}, [1.0], (ArgumentError, SpaceError), "params"),
        (0.5, [1.0], ArgumentError, "params"),
    ],
)
def test_wrong_points_from_elsewhere_are_refused_and_leave_no_trace(params, loss, error, told):
    optimizer, untouched = (Optimizer(LINE, seed=0, surrogate=False) for _ in range(2))
    with pytest.raises(error, match=told):
        optimizer.tell(params=params, loss=loss)
    assert optimizer.best_params is None
    for _ in range(4):
        candidates, same = optimizer.ask(10), untouched.ask(10)
        assert candidates.ids.tolist() == same.ids.tolist()
        assert candidates.genes.tobytes() == same.genes.tobytes()
        tell_all(optimizer, candidates)
        tell_all(untouched, same)


def test_ids_and_params_together_are_refused():
    optimizer = Optimizer(LINE, seed=0)
    optimizer.ask(1)
    with pytest.raises(ArgumentError, match=r"^tell: must get ids or params, not both"):
        optimizer.tell([0], [1.0], params=[{"x": 0.5}])


# The end of a space, and its beginning


def test_an_exhausted_space_says_why_and_gives_no_more():
    optimizer = Optimizer(UniformDistribution(0, 10, q=1), seed=0)
    assert optimizer.exhausted == ""
    assert len(optimizer.ask(8)) == 8
    assert optimizer.exhausted == ""
    assert len(optimizer.ask(8)) == 3
    assert optimizer.exhausted == "all 11 points of the space were evaluated"
    assert len(optimizer.ask(8)) == 0
    optimizer.tell(range(11), range(11))
    assert optimizer.best_loss == 0


def test_without_cache_a_space_has_no_end():
    optimizer = Optimizer(UniformDistribution(0, 10, q=1), seed=0, cache=False)
    assert len(optimizer.ask(500)) == 500
    assert optimizer.exhausted == ""


def test_initial_points_come_first_over_several_asks():
    optimizer = Optimizer(UniformDistribution(0, 99, q=1), seed=0, initial=[50, 40, 30])
    first, second = optimizer.ask(2), optimizer.ask(2)
    assert first.params == [50, 40]
    assert second.params[0] == 30
    assert first.parents.tolist() == [[-1, -1]] * 2
    assert not {50, 40, 30} & {*optimizer.ask(90).params, second.params[1]}


def test_initial_points_that_are_the_whole_space_exhaust_it():
    optimizer = Optimizer(ChoiceDistribution([1, 2]), initial=[2, 1])
    assert optimizer.ask(9).params == [2, 1]
    assert len(optimizer.ask(9)) == 0
    assert optimizer.exhausted == "all 2 points of the space were evaluated"


def test_constraint_holds_for_proposals_but_not_for_points_from_elsewhere():
    optimizer = Optimizer(LINE, seed=0, constraint=lambda params: params["x"] < 0.25)
    optimizer.tell(params=[{"x": 0.5}], loss=[0.0])
    for _ in range(10):
        candidates = optimizer.ask(10)
        assert all(params["x"] < 0.25 for params in candidates.params)
        tell_all(optimizer, candidates)


def test_known_points_keep_their_values_to_the_last_digit():
    points = [{"x": value} for value in (0.1, 0.3, 0.7, 1e-17)]
    optimizer = Optimizer({"x": UniformDistribution(0, 1)}, initial=points, seed=0)
    assert optimizer.ask(4).params == points


@pytest.mark.parametrize(
    "genes",
    [
        [[np.nan]],
        [[1.5]],
        [[-0.1]],
        [["x"]],
        [[0.5, 0.5]],
        [0.5],
        [[0.5], [0.5, 0.5]],
        [[None]],
        0.5,
    ],
)
def test_adopted_genes_must_be_quantiles(genes):
    optimizer = Optimizer({"x": UniformDistribution(0, 1)}, seed=0)
    with pytest.raises(ArgumentError, match="adopt: genes must be rows of 1 numbers from 0 to 1"):
        optimizer.adopt(genes, [1.0])
    assert optimizer.best_params is None
    assert optimizer.ask(1).ids.tolist() == [0]
