"""Each rule that ends a run, and the message that says so."""

import itertools
import math
import time
from fractions import Fraction

import numpy as np
import pytest

from geneticpy import ArgumentError, UniformDistribution, optimize
from geneticpy.run.progress import Progress
from geneticpy.run.stopping import Stopping, Target

LINE = {"x": UniformDistribution(0, 1)}


def falling(start=100.0):
    """Return a loss that falls by 1 a call: from `start` - 1 on."""
    state = [start]

    def fn(params):
        state[0] -= 1
        return state[0]

    return fn


# Target


@pytest.mark.parametrize("sign", [1, -1])
def test_equal_to_the_target_is_enough_and_ends_in_the_middle_of_a_batch(sign):
    fn = falling()
    result = optimize(
        lambda params: sign * fn(params),
        LINE,
        size=50,
        batch=50,
        target=sign * 93.0,
        maximize_fn=sign < 0,
    )
    assert result.loss == sign * 93.0
    assert result.evaluations == 7
    assert result.generations == 0
    assert result.message == f"target reached: loss {sign * 93.0}"


def test_target_zero_is_a_target():
    result = optimize(lambda params: 0.0, LINE, target=0.0)  # ran on in GeneticPy 2.0
    assert result.evaluations == 1
    assert result.message == "target reached: loss 0.0"


def test_target_not_reached_changes_nothing():
    plain = optimize(lambda params: params["x"], LINE, size=10, seed=0)
    missed = optimize(lambda params: params["x"], LINE, size=10, seed=0, target=-1)
    assert missed.message == plain.message
    assert missed.history.genes.tobytes() == plain.history.genes.tobytes()


def test_failed_evaluations_reach_no_target():
    losses = iter([math.nan, math.nan, 5.0] + [1.0] * 50)
    with pytest.warns(match="2 of 4 evaluations failed"):
        result = optimize(lambda params: next(losses), LINE, target=2)
    assert result.evaluations == 4


@pytest.mark.parametrize("target", [np.float32(0.5), 1, np.int64(1)])
def test_target_may_be_any_number(target):
    assert Target(target, 1.0)(0.5)
    assert not Target(target, 1.0)(1.5)
    assert Target(target, -1.0)(1.5)
    assert not Target(target, -1.0)(math.nan)


# Patience


def test_patience_counts_generations_without_a_better_loss():
    fn = falling()
    bests = []

    def stuck_after_35(params):
        return max(fn(params), 65.0)  # size 10, 5 new a generation: the last gain in generation 5

    result = optimize(
        stuck_after_35,
        LINE,
        size=10,
        generation_count=50,
        patience=3,
        callback=lambda progress: bests.append(progress.loss),
    )
    assert bests == [90, 85, 80, 75, 70, 65, 65, 65, 65]
    assert result.generations == 8
    assert result.evaluations == 50
    assert result.message == "patience exhausted: 3 generations without a better loss"


def test_patience_of_one_ends_at_the_first_generation_without_gain():
    result = optimize(lambda params: 1.0, LINE, size=10, patience=1)
    assert result.generations == 1


@pytest.mark.parametrize("maximize", [False, True])
def test_patience_lasts_while_the_loss_improves(maximize):
    fn = falling()
    result = optimize(
        (lambda params: -fn(params)) if maximize else fn,
        LINE,
        size=10,
        generation_count=7,
        patience=1,
        maximize_fn=maximize,
    )
    assert result.message.startswith("generation_count reached")


# Time


def test_time_limit_finishes_the_evaluation_under_way():
    def slow(params):
        time.sleep(0.03)
        return params["x"]

    result = optimize(slow, LINE, time_limit=0.05, size=50, batch=50)
    assert 1 <= result.evaluations <= 2
    assert result.message == "time_limit reached: 0.05 seconds"
    assert result.total_time >= 0.05


def test_time_limit_of_zero_leaves_one_evaluation():
    assert optimize(lambda params: 1.0, LINE, time_limit=0).evaluations == 1


def test_time_limit_holds_between_batches_of_vectorized_losses():
    def slow(columns):
        time.sleep(0.03)
        return columns["x"]

    result = optimize(slow, LINE, time_limit=0.02, size=10, vectorized=True)
    assert result.evaluations == 10
    assert result.message == "time_limit reached: 0.02 seconds"


def test_generous_time_limit_changes_nothing():
    result = optimize(lambda params: 1.0, LINE, time_limit=3600, size=10)
    assert result.message.startswith("generation_count reached")


# Callback and terminator


def test_callback_sees_each_generation_once_and_all_of_it():
    seen = []
    result = optimize(
        lambda params: params["x"], LINE, size=10, generation_count=4, seed=0, callback=seen.append
    )
    assert [progress.generation for progress in seen] == [0, 1, 2, 3, 4]
    assert [progress.evaluations for progress in seen] == [10, 15, 20, 25, 30]
    losses = result.history.loss
    assert [progress.loss for progress in seen] == [
        losses[: progress.evaluations].min() for progress in seen
    ]
    assert [progress.best_params["x"] for progress in seen] == [progress.loss for progress in seen]
    assert all(progress.history is result.history for progress in seen)
    assert all(0 < a.seconds < b.seconds for a, b in itertools.pairwise(seen))
    assert seen[-1].seconds < result.total_time


@pytest.mark.parametrize("size", [1, 2, 3])
def test_callback_sees_the_generations_of_tiny_sizes(size):
    # size 1 has a new individual in every second generation only
    seen = []
    result = optimize(
        lambda params: params["x"], LINE, size=size, generation_count=7, callback=seen.append
    )
    assert [progress.generation for progress in seen] == list(range(8))
    assert seen[-1].evaluations == result.evaluations == size * Fraction(9, 2) // 1


def stop_iteration(progress):
    raise StopIteration


def stop_iteration_with_reason(progress):
    raise StopIteration("enough of this")


@pytest.mark.parametrize(
    ("name", "rule", "message"),
    [
        ("callback", lambda progress: True, "the callback stopped the run"),
        ("callback", lambda progress: progress.history.loss.min() < 2, "the callback stopped"),
        ("callback", stop_iteration, "the callback stopped the run"),
        ("callback", stop_iteration_with_reason, "enough of this"),
        ("terminator", lambda progress: True, "the terminator stopped the run"),
        ("terminator", lambda progress: np.True_, "the terminator stopped the run"),
        ("terminator", lambda progress: "good enough", "good enough"),
    ],
)
def test_callback_and_terminator_stop_after_their_generation(name, rule, message):
    result = optimize(lambda params: params["x"], LINE, size=10, **{name: rule})
    assert result.evaluations == 10
    assert result.generations == 0
    assert result.message.startswith(message)


@pytest.mark.parametrize("verdict", [None, False, 0, 1, "text", [1], np.False_])
def test_callback_goes_on_unless_it_returns_true(verdict):
    result = optimize(lambda params: 1.0, LINE, size=4, callback=lambda progress: verdict)
    assert result.generations == 10


@pytest.mark.parametrize("verdict", [None, False, 0, "", np.False_])
def test_terminator_goes_on_unless_its_verdict_is_true(verdict):
    result = optimize(lambda params: 1.0, LINE, size=4, terminator=lambda progress: verdict)
    assert result.generations == 10


def test_terminator_whose_verdict_is_neither_true_nor_false_is_named():
    with pytest.raises(
        ArgumentError, match="terminator: must return True, False or a message"
    ) as e:
        optimize(lambda params: 1.0, LINE, size=4, terminator=lambda progress: np.array([1, 2]))
    assert e.value.result.evaluations == 4


def test_callback_and_terminator_see_the_generation_that_another_rule_ends():
    seen = []
    result = optimize(
        falling(),
        LINE,
        size=10,
        target=83,
        terminator=lambda progress: seen.append(("terminator", progress.evaluations)),
        callback=lambda progress: seen.append(("callback", progress.evaluations)),
    )
    assert result.message == "target reached: loss 83.0"
    assert seen == [(who, n) for n in (10, 15, 17) for who in ("terminator", "callback")]


def test_callback_sees_the_generation_in_which_patience_ends():
    seen = []
    result = optimize(lambda params: 1.0, LINE, size=4, patience=2, callback=seen.append)
    assert [progress.generation for progress in seen] == [0, 1, 2]
    assert result.message.startswith("patience exhausted")


@pytest.mark.parametrize("name", ["callback", "terminator"])
def test_an_exception_in_a_hook_keeps_the_result(name):
    def broken(progress):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        optimize(lambda params: 1.0, LINE, size=10, **{name: broken})
    assert caught.value.result.evaluations == 10


def test_progress_is_not_made_for_nobody():
    def make():
        raise AssertionError

    assert Stopping(patience=2).after_generation(1.0, make) == ""


def test_progress_cannot_be_changed():
    progress = Progress(0, 1, 2.0, 3.0, history=None, best_params=None)
    with pytest.raises(AttributeError):
        progress.loss = 1.0
