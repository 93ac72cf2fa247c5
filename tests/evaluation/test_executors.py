"""Threads, and executors of the user: what they are given, and what becomes of their faults."""

import contextvars
import multiprocessing
import os
import pickle
import threading
import time
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from geneticpy import (
    ArgumentError,
    EvaluationError,
    EvaluationWarning,
    LossError,
    UniformDistribution,
    optimize,
)
from geneticpy.evaluation import executors

LINE = {"x": UniformDistribution(0, 1)}


class Remote:
    """An executor whose calls travel as to another process, and that counts their bytes.

    Parameters
    ----------
    failing : callable
        ``failing(call, jobs)`` gives the exception that call number `call` ends with, or None.
    """

    num_workers = 2

    def __init__(self, failing=lambda call, jobs: None):
        self.failing, self.sizes = failing, []

    def submit(self, fn, *args):
        future = Future()
        data = pickle.dumps((fn, args))
        self.sizes.append(len(data))
        error = self.failing(len(self.sizes) - 1, args[0].jobs)
        if error is not None:
            future.set_exception(error)
            return future
        fn, args = pickle.loads(data)
        future.set_result(pickle.loads(pickle.dumps(fn(*args))))
        return future

    def shutdown(self, *args, **options):
        raise AssertionError("the executor belongs to the user")

    close = terminate = __exit__ = shutdown


class InProcess(Remote):
    """The same without the travel."""

    def submit(self, fn, *args):
        future = Future()
        self.sizes.append(0)
        error = self.failing(len(self.sizes) - 1, args[0].jobs)
        if error is None:
            future.set_result(fn(*args))
        else:
            future.set_exception(error)
        return future


@pytest.fixture(autouse=True)
def a_process_that_knows_no_function(monkeypatch):
    monkeypatch.setattr(executors, "_functions", {})


def test_a_function_travels_once_then_only_parameters_do():
    data = np.ones(200_000)
    remote = Remote()
    result = optimize(
        lambda params: params["x"] + data[0], LINE, size=40, generation_count=0, executor=remote
    )
    assert result.evaluations == 40
    assert [size > 1_600_000 for size in remote.sizes].count(True) <= remote.num_workers
    assert sorted(remote.sizes)[-3] < 5000


def test_a_process_keeps_a_few_functions_only():
    for run in range(6):
        optimize(lambda params, run=run: run, LINE, size=2, generation_count=0, executor=Remote())
    assert len(executors._functions) == executors.REMEMBERED


def test_short_evaluations_go_out_in_chunks():
    remote = Remote()
    optimize(lambda params: 0.0, LINE, size=200, generation_count=1, batch=100, executor=remote)
    assert len(remote.sizes) < 150  # 300 evaluations; the first 100 before any duration is known


def test_long_evaluations_go_out_one_by_one():
    class Slow:
        def __init__(self):
            self.calls = 0

        def submit(self, fn, *args):
            self.calls += 1
            future = Future()
            reports = fn(*args)
            for report in reports:
                report.seconds = 60.0
            future.set_result(reports)
            return future

    slow = Slow()
    optimize(lambda params: 0.0, LINE, size=20, generation_count=2, batch=20, executor=slow)
    assert slow.calls == 40


@pytest.mark.parametrize(("retries", "losses"), [(0, 1), (1, 0)])
def test_calls_that_an_executor_loses_are_sent_again(retries, losses):
    remote = Remote(lambda call, jobs: OSError("the node left") if call == 3 else None)
    given = {"size": 9, "generation_count": 0, "executor": remote, "retries": retries}
    if losses:
        with pytest.warns(EvaluationWarning, match="1 of 9"):
            result = optimize(lambda params: params["x"], LINE, **given)
        assert [failure.reason for failure in result.failures] == ["OSError: the node left"]
    else:
        result = optimize(lambda params: params["x"], LINE, **given)
    assert result.evaluations == 9


def test_a_chunk_that_is_lost_costs_only_the_evaluation_that_is_lost_alone_too():
    def fails(call, jobs):
        chunks.append(len(jobs))
        return OSError("lost") if len(jobs) > 1 else None

    chunks, remote = [], Remote(fails)
    result = optimize(
        lambda params: params["x"], LINE, size=60, generation_count=0, batch=12, executor=remote
    )
    assert result.evaluations == 60
    assert len(result.failures) == 0
    assert max(chunks) > 1


@pytest.mark.parametrize("steady_state", [False, True])
@pytest.mark.parametrize("when", ["working", "asked"])
def test_a_broken_executor_ends_the_run_with_everything_that_had_ended(when, steady_state):
    evaluated = []

    def fn(params):
        evaluated.append(params["x"])
        return params["x"]

    def failing(call, jobs):
        if call == 12 and when == "asked":
            raise BrokenExecutor("gone")
        return BrokenExecutor("gone") if call >= 12 else None

    remote = InProcess(failing)
    with pytest.raises(
        EvaluationError, match=r"must go on working, got BrokenExecutor\('gone'\)"
    ) as caught:
        optimize(fn, LINE, size=40, batch=None, executor=remote, steady_state=steady_state)
    assert sorted(caught.value.result.history.loss) == sorted(evaluated)
    assert len(evaluated) >= 12


def test_a_process_pool_of_the_user_whose_worker_dies_ends_the_run_with_its_result():
    def fn(params):
        if params["x"] < 0.1:
            os._exit(1)
        return params["x"]

    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=context) as processes,
        pytest.raises(EvaluationError, match="BrokenProcessPool") as caught,
    ):
        optimize(fn, LINE, size=50, seed=0, executor=processes)
    assert isinstance(caught.value.result.evaluations, int)


def test_executors_of_the_user_are_not_shut_down():
    with ThreadPoolExecutor(2) as threads:
        for fn in (lambda params: params["x"], lambda params: None):
            try:
                optimize(fn, LINE, size=4, executor=threads)
            except LossError:
                continue
        assert threads.submit(int, "5").result() == 5


def test_an_executor_that_was_shut_down_is_an_error_of_the_run():
    threads = ThreadPoolExecutor(1)
    threads.shutdown()
    with pytest.raises(EvaluationError, match="cannot schedule new futures after shutdown"):
        optimize(lambda params: 0.0, LINE, executor=threads)


def test_in_the_same_process_nothing_is_copied():
    seen = []
    with ThreadPoolExecutor(1) as threads:
        for given in ({"executor": threads}, {"executor": map}, {"workers": "threads:1"}):
            seen.clear()
            optimize(
                lambda params: seen.append(params) or 0.0,
                LINE,
                size=4,
                generation_count=0,
                **given,
            )
            assert len(seen) == 4


@pytest.mark.parametrize("kind", ["threads", "executor", "map"])
def test_failures_are_those_of_a_single_thread(kind):
    def fn(params):
        if params["x"] > 0.5:
            raise KeyError("too far")
        return params["x"] if params["x"] > 0.25 else float("nan")

    given = {"size": 20, "generation_count": 1, "seed": 0, "batch": 5}
    with pytest.warns(EvaluationWarning):
        plain = optimize(fn, LINE, **given)
    with ThreadPoolExecutor(2) as threads:
        how = {
            "threads": {"workers": "threads:2"},
            "executor": {"executor": threads},
            "map": {"executor": threads.map},
        }
        with pytest.warns(EvaluationWarning):
            other = optimize(fn, LINE, **given, **how[kind])
    assert repr(other.failures) == repr(plain.failures)


@pytest.mark.parametrize(
    "given", [{"workers": "threads:2"}, {"executor": Remote()}, {"executor": map}]
)
@pytest.mark.parametrize("kind", [KeyError, SystemExit, LossError])
def test_what_ends_a_run_does_so_everywhere(given, kind):
    def fn(params):
        if kind is LossError:
            return "text"
        raise kind("now")

    with pytest.raises(kind) as caught:
        optimize(fn, LINE, on_error="raise", **given)
    assert caught.value.result.evaluations <= 5


def test_threads_have_the_context_of_the_caller():
    variable = contextvars.ContextVar("variable", default="unset")
    token = variable.set("set")
    result = optimize(lambda params: variable.get() == "set", LINE, size=4, workers="threads:2")
    variable.reset(token)
    assert result.history.loss.min() == 1


def test_threads_work_at_the_same_time():
    barrier = threading.Barrier(4, timeout=30)
    result = optimize(
        lambda params: barrier.wait() * 0.0, LINE, size=8, generation_count=0, batch=4,
        workers="threads:4",
    )  # fmt: skip
    assert (result.evaluations, len(result.failures)) == (8, 0)


def test_no_thread_is_left_behind():
    before = threading.active_count()
    optimize(lambda params: params["x"], LINE, size=10, workers="threads:3")
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "given",
    [{"steady_state": True}, {"time_limit": 0.0}, {"steady_state": True, "time_limit": 0.0}],
)
def test_no_thread_is_left_behind_by_a_run_that_drops_what_is_under_way(given):
    before = threading.active_count()
    optimize(lambda params: params["x"], LINE, size=10, workers="threads:3", **given)
    until = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_the_time_limit_does_not_wait_for_threads():
    release = threading.Event()

    def fn(params):
        if params["x"] > 0.8:
            release.wait(60)
        return params["x"]

    known = [{"x": x} for x in (0.9, 0.1, 0.2, 0.3)]
    result = optimize(
        fn, LINE, size=4, batch=4, initial=known, workers="threads:2", time_limit=0.5
    )
    release.set()
    assert result.history.loss.tolist() == [0.1, 0.2, 0.3]
    assert result.message == "time_limit reached: 0.5 seconds"
    assert result.total_time < 30


def test_map_stops_at_the_target_and_the_time_limit():
    calls = []

    def fn(params):
        calls.append(params)
        time.sleep(0.02)
        return params["x"]

    result = optimize(fn, LINE, size=50, batch=50, executor=map, target=0.9, seed=0)
    assert len(calls) == result.evaluations < 50
    calls.clear()
    result = optimize(fn, LINE, size=1000, batch=1000, executor=map, time_limit=0.2)
    assert len(calls) == result.evaluations < 1000


@pytest.mark.parametrize(
    ("executor", "told"),
    [
        (lambda fn, items: [], "must give a result for each of 5 items, got 0"),
        (lambda fn, items: list(map(fn, items))[:3], "must give .* for each of 5 items, got 3"),
        (lambda fn, items: None, r"must go on working, got TypeError\("),
        (lambda fn, items: items, r"must go on working, got TypeError\("),
    ],
)
def test_a_map_that_gives_something_else_is_an_error(executor, told):
    with pytest.raises(EvaluationError, match=f"^executor: {told}"):
        optimize(lambda params: 0.0, LINE, executor=executor)


def test_an_executor_without_callbacks_is_an_error():
    class Blocking:
        def submit(self, fn, *args):
            return fn(*args)

    with pytest.raises((ArgumentError, EvaluationError), match=r"executor: .*add_done_callback"):
        optimize(lambda params: 0.0, LINE, executor=Blocking())
