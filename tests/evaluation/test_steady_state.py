"""The steady state: a candidate for every worker as soon as it is free."""

import math
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from geneticpy import (
    ArgumentError,
    ChoiceDistribution,
    EvaluationError,
    EvaluationWarning,
    LossError,
    Optimizer,
    UniformDistribution,
    optimize,
    steady,
)
from geneticpy.record import Record

LINE = {"x": UniformDistribution(0, 1)}
GIVEN = {"size": 20, "generation_count": 4, "steady_state": True, "surrogate": False}


def fn(params):
    return params["x"]


@pytest.mark.parametrize("workers", [1, 2, "threads:1", "threads:4"])
def test_all_evaluations_are_made_once_and_recorded(workers):
    result = optimize(fn, LINE, **GIVEN, workers=workers)
    assert sorted(result.history.id) == list(range(60))
    assert result.message == "generation_count reached: 4 generations, 60 evaluations"
    assert result.loss == result.history.loss.min() == result.best_params["x"] < 0.05
    for row in range(60):
        assert result.history.params(row)["x"] == result.history.loss[row]


def test_one_worker_is_the_same_as_a_batch_of_one_when_nothing_is_asked_ahead(monkeypatch):
    monkeypatch.setattr(steady, "LAG", float("inf"))
    flowing = optimize(fn, LINE, **GIVEN, workers="threads:1", seed=3)
    plain = optimize(fn, LINE, size=20, generation_count=4, batch=1, seed=3, surrogate=False)
    assert flowing.history.genes.tobytes() == plain.history.genes.tobytes()
    assert flowing.history.generation.tolist() == plain.history.generation.tolist()


@pytest.mark.parametrize("workers", [2, "threads:2"])
@pytest.mark.parametrize("lag", [0, float("inf")])
def test_candidates_are_asked_ahead_when_asking_takes_long(monkeypatch, lag, workers):
    monkeypatch.setattr(steady, "LAG", lag)
    most = []
    fill = steady.Stream.fill

    def watched(stream, limit):
        fill(stream, limit)
        most.append(stream.under_way)

    monkeypatch.setattr(steady.Stream, "fill", watched)

    def slow_once_in_a_while(params):
        time.sleep(0.2 if params["x"] > 0.95 else 0.001)
        return params["x"]

    result = optimize(slow_once_in_a_while, LINE, **GIVEN, workers=workers)
    assert sorted(result.history.id) == list(range(60))
    assert max(most) > 2 if lag == 0 else max(most) == 2


@pytest.mark.parametrize(
    ("slots", "asking", "evaluating", "ahead"),
    [
        (2, 0.001, 0.1, 0),  # too short to matter
        (2, 0.01, 0.04, 4),  # 0.5 evaluations end meanwhile, give or take 4 times the root of 0.5
        (8, 0.01, 0.04, 8),  # 2
        (8, 9.0, 0.04, 20),  # no more than one for each worker
        (2, math.inf, math.inf, 0),  # not known yet
        (2, 0.01, math.inf, 0),
    ],
)
def test_as_many_are_asked_ahead_as_may_end_during_an_ask(slots, asking, evaluating, ahead):
    class Known:
        def __init__(self, slots):
            self.slots, self.queued = slots, 0

        def submit(self, jobs):
            self.queued += len(list(jobs))

    pool = Known(slots)
    optimizer = Optimizer(LINE, size=200, seed=0, surrogate=False)
    stream = steady.Stream(optimizer, pool, Record())
    stream._asking.seconds, stream._evaluating.seconds = asking, evaluating
    stream.fill(1000)
    assert stream.under_way == pool.queued == slots + ahead


def test_a_worker_that_dies_costs_none_of_those_that_wait_for_it(monkeypatch):
    monkeypatch.setattr(steady, "LAG", 0)

    def deadly(params):
        if params["n"] in (3, 9):
            os._exit(1)
        if params["n"] == 5:
            time.sleep(100)
        return params["n"]

    space = {"n": ChoiceDistribution(list(range(20)))}
    with pytest.warns(EvaluationWarning, match="3 of 20"):
        result = optimize(
            deadly, space, size=20, generation_count=0, workers=2, steady_state=True,
            evaluation_timeout=1,
        )  # fmt: skip
    assert sorted(failure.params["n"] for failure in result.failures) == [3, 5, 9]


def test_no_worker_waits_for_another():
    slow = threading.Event()
    ended = []

    def loss(params):
        if params["x"] == 0.9:
            slow.wait(60)
        ended.append(params["x"])
        if len(ended) == 25:  # more than a generation, beside the slow one
            slow.set()
        return params["x"]

    known = [{"x": 0.9}, *({"x": x} for x in np.linspace(0.1, 0.7, 9))]
    result = optimize(
        loss, LINE, size=10, generation_count=4, initial=known, workers="threads:2",
        steady_state=True, seed=0,
    )  # fmt: skip
    assert result.total_time < 50
    # 24 have ended before; up to 10 are under way, and those that end together are sorted by id
    assert result.history.id.tolist().index(0) >= 14


def test_workers_are_never_idle():
    under_way, seen, lock = [], [], threading.Lock()

    def loss(params):
        with lock:
            under_way.append(1)
            seen.append(len(under_way))
        time.sleep(0.001 + 0.05 * (params["x"] > 0.7))
        with lock:
            under_way.pop()
        return params["x"]

    optimize(loss, LINE, **GIVEN, workers="threads:3")
    assert max(seen) == 3
    assert len(seen) == 60


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"max_evaluations": 33}, "max_evaluations reached: 33"),
        ({"target": 0.3}, "target reached"),
        ({"patience": 1, "target": -1}, "patience exhausted: 1 generations|generation_count"),
        ({"callback": lambda progress: progress.generation == 1}, "the callback stopped"),
        ({"terminator": lambda progress: "enough"}, "enough"),
        ({"time_limit": 0.0}, "time_limit reached"),
    ],
)
def test_rules_that_stop_runs_stop_these(limits, told):
    calls = []

    def loss(params):
        calls.append(params)
        return params["x"]

    result = optimize(loss, LINE, **GIVEN, workers="threads:2", seed=1, **limits)
    assert any(result.message.startswith(part) for part in told.split("|"))
    assert result.evaluations <= min(len(calls), limits.get("max_evaluations", 60))
    assert len(calls) <= result.evaluations + 2  # what was under way is dropped


def test_what_had_ended_when_a_callback_stops_the_run_is_kept():
    ended = []

    def loss(params):
        time.sleep(0.001)
        ended.append(params["x"])
        return params["x"]

    def callback(progress):
        time.sleep(0.3)  # meanwhile, the workers end what they are at
        return True

    result = optimize(loss, LINE, **GIVEN, workers="threads:2", callback=callback)
    assert sorted(ended) == sorted(result.history.loss)


def test_callbacks_come_at_the_end_of_generations():
    seen = []
    optimize(fn, LINE, **GIVEN, workers="threads:2", callback=lambda p: seen.append(p.evaluations))
    assert len(seen) == 5
    most = 2 + 2 + steady.SPARE * 2**0.5  # under way
    assert all(0 <= made - end < most for made, end in zip(seen, range(20, 61, 10), strict=True))


def test_a_finite_space_is_exhausted():
    space = {"n": ChoiceDistribution(list(range(7)))}
    result = optimize(lambda params: params["n"], space, **GIVEN, workers="threads:3")
    assert sorted(result.history.loss) == list(range(7))
    assert result.message == "space exhausted: all 7 points of the space were evaluated"


def test_failures_are_recorded():
    def loss(params):
        if params["x"] > 0.5:
            raise KeyError("too far")
        return params["x"]

    with pytest.warns(EvaluationWarning):
        result = optimize(loss, LINE, **GIVEN, workers="threads:2")
    assert result.evaluations == 60
    assert {failure.reason for failure in result.failures} == {"KeyError: 'too far'"}
    assert all(failure.params["x"] > 0.5 for failure in result.failures)


def test_all_failing_ends_after_the_first_generation():
    def loss(params):
        raise KeyError("always")

    with pytest.raises(EvaluationError, match="of the first generation failed"):
        optimize(loss, LINE, **GIVEN, workers="threads:2")


@pytest.mark.parametrize("kind", [KeyError, LossError, KeyboardInterrupt])
def test_what_ends_a_run_keeps_what_had_ended(kind):
    made = []

    def loss(params):
        made.append(params["x"])
        if len(made) == 25:
            if kind is LossError:
                return "text"
            raise kind("now")
        return params["x"]

    given = {**GIVEN, "workers": "threads:1", "on_error": "raise"}
    if kind is KeyboardInterrupt:
        result = optimize(loss, LINE, **given)
        assert result.message == f"interrupted after {result.evaluations} evaluations"
    else:
        with pytest.raises(kind) as caught:
            optimize(loss, LINE, **given)
        result = caught.value.result
    kept = [x for x in result.history.loss if x == x]
    assert kept[:24] == made[:24]


def test_random_numbers_are_those_of_the_id():
    def loss(params, rng):
        return rng.random()

    flowing = optimize(loss, LINE, **GIVEN, workers="threads:3", seed=2).history
    plain = optimize(loss, LINE, size=20, generation_count=4, seed=2).history
    assert dict(zip(flowing.id, flowing.loss, strict=True)) == dict(
        zip(plain.id, plain.loss, strict=True)
    )


def test_maximizing_works_too():
    result = optimize(fn, LINE, **GIVEN, workers="threads:2", maximize_fn=True)
    assert result.loss == result.history.loss.max() > 0.95


class Silent:
    def submit(self, fn, *args):
        raise AssertionError("never called")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "steady_state: must come with workers"),
        ({"executor": map}, "steady_state: must come with workers, .* with executor=<"),
        ({"executor": Silent()}, "steady_state: must know the number of workers, .* <.*Silent"),
        ({"workers": 2, "batch": 4}, "batch: must not be given with steady_state, got 4"),
        ({"workers": 0}, "workers: must be -1 or at least 1"),
    ],
)
def test_what_does_not_go_together_is_refused(given, told):
    with pytest.raises(ArgumentError, match=f"^{told}"):
        optimize(fn, LINE, steady_state=True, **given)


def test_an_executor_of_the_user():
    with ThreadPoolExecutor(3) as threads:
        result = optimize(fn, LINE, **GIVEN, executor=threads)
    assert sorted(result.history.id) == list(range(60))
