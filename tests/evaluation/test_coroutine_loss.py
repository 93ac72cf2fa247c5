"""Coroutine losses: concurrent, inside a running loop, failing, limited in time, interrupted."""

import asyncio
import contextvars
import functools
import gc
import logging
import threading
import time
from concurrent.futures import wait

import numpy as np
import pytest

from geneticpy import (
    ArgumentError,
    EvaluationError,
    EvaluationWarning,
    LossError,
    Optimizer,
    UniformDistribution,
    optimize,
)
from geneticpy.evaluation import coroutine as coroutine_module
from geneticpy.evaluation.loss import Limits, Outcomes, make_loss

LINE = {"x": UniformDistribution(0, 1)}
FIRST = Optimizer(LINE, size=10, seed=0).ask(10).params
LOW = [point["x"] for point in FIRST if point["x"] <= 0.5]
HIGH = [point["x"] for point in FIRST if point["x"] > 0.5]
assert len(LOW) > 1 < len(HIGH)


@pytest.fixture(autouse=True)
def nothing_is_left_behind(caplog, capfd):
    """No thread, no pending task, no word of the event loop."""
    before = threading.active_count()
    yield
    gc.collect()
    assert threading.active_count() == before
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []
    assert capfd.readouterr() == ("", "")


async def coroutine(params):
    await asyncio.sleep(0)
    return params["x"]


class WithAsyncCall:
    async def __call__(self, params):
        return await coroutine(params)

    async def method(self, params):
        return await coroutine(params)


async def scaled(scale, params):
    return scale * await coroutine(params)


@pytest.mark.parametrize(
    "fn",
    [
        coroutine,
        WithAsyncCall(),
        WithAsyncCall().method,
        functools.partial(scaled, 1),
        functools.partial(WithAsyncCall()),
        functools.partial(functools.partial(scaled), 1),
    ],
)
def test_coroutine_functions_of_all_kinds_are_awaited(fn):
    plain = optimize(lambda params: params["x"], LINE, size=10, seed=0, batch=10)
    result = optimize(fn, LINE, size=10, seed=0)
    assert result.history.genes.tobytes() == plain.history.genes.tobytes()
    assert result.history.loss.tolist() == plain.history.loss.tolist()


def test_a_class_with_async_call_is_a_plain_function_that_makes_objects():
    with pytest.raises(ArgumentError, match="must be callable with one argument"):
        optimize(WithAsyncCall, LINE)


class Crowd:
    """A loss that counts how many of its calls are under way whenever one begins."""

    def __init__(self):
        self.now, self.seen = 0, []

    async def __call__(self, params):
        self.now += 1
        self.seen.append(self.now)
        await asyncio.sleep(0.001)
        self.now -= 1
        return params["x"]


def test_a_generation_is_evaluated_at_the_same_time():
    crowd = Crowd()
    optimize(crowd, LINE, size=20, generation_count=3, seed=0)
    assert crowd.seen == [*range(1, 21), *range(1, 11), *range(1, 11), *range(1, 11)]


def test_batch_limits_the_concurrency():
    crowd = Crowd()
    optimize(crowd, LINE, size=20, generation_count=3, batch=4, seed=0)
    assert crowd.seen == [1, 2, 3, 4] * 5 + [1, 2, 3, 4, 1, 2, 3, 4, 1, 2] * 3


def test_results_are_told_in_the_order_of_ids_whatever_ends_first():
    def wait(params, backwards):
        return (1 - params["x"] if backwards else params["x"]) * 0.01

    async def fn(params, backwards):
        await asyncio.sleep(wait(params, backwards))
        return params["x"]

    results = [
        optimize(functools.partial(fn, backwards=b), LINE, size=10, generation_count=4, seed=0)
        for b in (False, True)
    ]
    assert results[0].history.id.tolist() == results[1].history.id.tolist() == list(range(30))
    assert results[0].history.genes.tobytes() == results[1].history.genes.tobytes()


def test_durations_are_those_of_each_coroutine():
    async def fn(params):
        await asyncio.sleep(0.02 if params["x"] > 0.5 else 0)
        return params["x"]

    result = optimize(fn, LINE, size=10, generation_count=0, seed=0)
    seconds = result.history.seconds
    assert seconds[result.history.loss > 0.5].min() > 0.01
    assert seconds.max() < result.total_time


def test_inside_a_running_loop():
    async def main():
        inner = optimize(coroutine, LINE, size=10, seed=0)
        await asyncio.sleep(0)  # the outer loop is as it was
        return inner

    result = asyncio.run(main())
    assert result.loss == optimize(coroutine, LINE, size=10, seed=0).loss


def test_one_loop_serves_the_whole_run():
    loops = []

    async def fn(params):
        loops.append(asyncio.get_running_loop())
        return params["x"]

    optimize(fn, LINE, size=5, seed=0)
    assert len(set(loops)) == 1
    assert len(loops) == 30
    assert loops[0].is_closed()


def test_context_variables_are_those_of_the_caller():
    variable = contextvars.ContextVar("variable", default="unset")

    async def fn(params):
        assert variable.get() == "set"
        return params["x"]

    token = variable.set("set")
    optimize(fn, LINE, size=5, on_error="raise")
    variable.reset(token)


# Exceptions


async def failing_above_half(params):
    await asyncio.sleep(0)
    if params["x"] > 0.5:
        raise KeyError("too far")
    return params["x"]


def test_exceptions_are_failures():
    with pytest.warns(EvaluationWarning) as told:
        result = optimize(failing_above_half, LINE, size=10, seed=0)
    assert len(told) == 1
    assert {failure.reason for failure in result.failures} == {"KeyError: 'too far'"}
    assert all(failure.params["x"] > 0.5 for failure in result.failures)
    assert result.evaluations == 60


def test_on_error_raise_keeps_what_had_finished():
    async def fn(params):
        await asyncio.sleep(0 if params["x"] < 0.5 else 60)
        if len(done) == 4:
            raise error
        done.append(params["x"])
        return params["x"]

    done, error = [], KeyError("mine")
    with pytest.raises(KeyError) as caught:
        optimize(fn, LINE, size=20, seed=0, on_error="raise")
    assert caught.value is error
    loss = error.result.history.loss
    assert loss[~np.isnan(loss)].tolist() == [x for x in loss if x in done]
    assert np.isnan(loss).sum() >= 1
    assert len(done) == 4


def test_several_exceptions_at_once_raise_one_and_log_nothing():
    async def fn(params):
        raise ValueError(params["x"])

    with pytest.raises(ValueError, match=r"0\."):
        optimize(fn, LINE, size=20, seed=0, on_error="raise")


def test_the_first_reason_to_end_the_run_is_the_one_that_counts():
    async def fn(params):
        if params["x"] < 0.5:
            raise KeyError("first")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "no number"

    with pytest.raises(KeyError, match="first"):
        optimize(fn, LINE, size=10, seed=0, on_error="raise")


def test_all_failing_raises_with_the_traceback():
    async def fn(params):
        await asyncio.sleep(0)
        raise KeyError("always")

    with pytest.raises(EvaluationError, match=r"(?s)all 10 .*in fn\n.*KeyError: 'always'"):
        optimize(fn, LINE, size=10)


@pytest.mark.parametrize("value", [None, "text", 1j, coroutine])
def test_no_number_is_an_error(value):
    async def fn(params):
        await asyncio.sleep(0)
        return value

    with pytest.raises(LossError, match=r"must return a number, got .* for params"):
        optimize(fn, LINE, size=10)


def test_a_coroutine_of_a_coroutine_is_no_number():
    async def fn(params):
        return coroutine(params)

    with pytest.raises(LossError, match="got <coroutine"):
        optimize(fn, LINE, size=10)


@pytest.mark.parametrize("kind", [SystemExit, GeneratorExit])
def test_what_is_no_exception_ends_the_run(kind):
    async def fn(params):
        if len(done) == 14:
            raise kind("bye")
        done.append(params)
        return params["x"]

    done = []
    with pytest.raises(kind, match="bye") as caught:
        optimize(fn, LINE, size=10, seed=0)
    assert caught.value.result.evaluations == 14


def test_keyboard_interrupt_in_a_coroutine_returns_the_result():
    async def fn(params):
        if len(done) == 14:
            raise KeyboardInterrupt
        done.append(params)
        return params["x"]

    done = []
    result = optimize(fn, LINE, size=10, seed=0)
    assert result.message == "interrupted after 14 evaluations"
    assert result.loss == min(result.history.loss)


def test_a_coroutine_that_cancels_itself_has_failed():
    async def fn(params):
        if params["x"] > 0.5:
            raise asyncio.CancelledError("own decision")
        return params["x"]

    with pytest.warns(EvaluationWarning):
        result = optimize(fn, LINE, size=10, generation_count=0, seed=0)
    assert {failure.reason for failure in result.failures} == {"CancelledError: own decision"}
    assert result.evaluations == 10


def test_timeouts_of_the_user_are_failures():
    async def fn(params):
        await asyncio.wait_for(asyncio.sleep(60 if params["x"] > 0.5 else 0), 0.01)
        return params["x"]

    with pytest.warns(EvaluationWarning):
        result = optimize(fn, LINE, size=10, generation_count=0, seed=0)
    assert [failure.params["x"] for failure in result.failures] == HIGH
    assert "TimeoutError" in result.failures[0].reason


# Stopping


def test_time_limit_cancels_what_is_under_way():
    cancelled = []

    async def fn(params):
        try:
            await asyncio.sleep(60 if params["x"] > 0.5 else 0)
        except asyncio.CancelledError:
            cancelled.append(params["x"])
            raise
        return params["x"]

    result = optimize(fn, LINE, size=10, time_limit=0.4, seed=0)
    assert result.message == "time_limit reached: 0.4 seconds"
    assert result.total_time < 30
    assert cancelled == HIGH
    assert result.history.loss.tolist() == LOW
    assert [result.history.params(i)["x"] for i in range(len(LOW))] == LOW


def test_what_a_cancelled_coroutine_raises_is_no_failure():
    async def fn(params):
        try:
            await asyncio.sleep(60 if params["x"] > 0.5 else 0)
        except asyncio.CancelledError:
            raise RuntimeError("cleaning up") from None
        return params["x"]

    result = optimize(fn, LINE, size=10, time_limit=0.4, seed=0)
    assert (result.evaluations, len(result.failures)) == (len(LOW), 0)


def test_what_a_cancelled_coroutine_still_returns_counts():
    async def fn(params):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return params["x"]

    assert optimize(fn, LINE, size=10, time_limit=0.4, seed=0).evaluations == 10


def test_target_cancels_the_others():
    async def fn(params):
        await asyncio.sleep(60 if params["x"] > 0.5 else 0)
        return params["x"]

    result = optimize(fn, LINE, size=10, target=0.5, seed=0)
    assert result.message.startswith("target reached: loss 0.")
    assert 1 <= result.evaluations <= len(LOW)


@pytest.fixture
def interrupt_when(monkeypatch):
    """Make the wait for a batch raise KeyboardInterrupt, once, when a condition holds."""

    def arrange(condition):
        def interrupted(futures, timeout):
            if not interrupts:
                while not condition():
                    time.sleep(0.001)
                interrupts.append(1)
                raise KeyboardInterrupt
            return wait(futures, timeout)

        interrupts = []
        monkeypatch.setattr(coroutine_module, "wait", interrupted)

    return arrange


def test_interrupt_keeps_what_had_finished(interrupt_when):
    async def fn(params):
        await asyncio.sleep(60 if params["x"] > 0.5 else 0)
        finished.append(params["x"])
        return params["x"]

    finished = []
    interrupt_when(lambda: len(finished) == len(LOW))
    result = optimize(fn, LINE, size=10, seed=0)
    assert result.message == f"interrupted after {len(LOW)} evaluations"
    assert result.history.loss.tolist() == LOW


def test_interrupt_waits_for_what_cancelled_coroutines_return(interrupt_when):
    async def fn(params):
        begun.append(params)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
        return params["x"]

    begun = []
    interrupt_when(lambda: len(begun) == 10)
    assert optimize(fn, LINE, size=10, seed=0).message == "interrupted after 10 evaluations"


def test_a_batch_that_is_ended_before_it_begins_evaluates_nothing():
    outcomes = Outcomes(1)
    batch = coroutine_module._Batch(coroutine, [({"x": 1},)], outcomes, Limits())
    batch.end()
    assert asyncio.run(batch.run()) is None
    assert len(outcomes.ended) == 0


def test_tasks_that_coroutines_leave_behind_are_ended():
    ended = []

    async def background():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(1)

    async def fn(params):
        kept.append(asyncio.ensure_future(background()))
        await asyncio.sleep(0)
        return params["x"]

    kept = []
    optimize(fn, LINE, size=3, generation_count=0)
    assert len(ended) == 3


def test_vectorized_coroutines_are_refused():
    with pytest.raises(ArgumentError, match="vectorized: must be False for a coroutine function"):
        optimize(coroutine, LINE, vectorized=True)


def test_outcomes_of_all_forms_pass_the_same_contract():
    points = Optimizer(LINE, size=10, seed=0).ask(10)
    expected = [point["x"] for point in FIRST]
    for fn, vectorized in [
        (lambda params: params["x"], False),
        (lambda columns: columns["x"], True),
        (coroutine, False),
    ]:
        loss, outcomes = make_loss(fn, vectorized=vectorized), Outcomes(10)
        loss.evaluate(points, outcomes, Limits())
        loss.close()
        assert outcomes.ended.tolist() == list(range(10))
        assert outcomes.loss.tolist() == expected
        assert outcomes.reasons() == {}
        assert loss.together is (vectorized or fn is coroutine)
