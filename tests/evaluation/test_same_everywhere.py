"""One seed and one batch give one history, wherever losses are computed."""

import asyncio
import time
import warnings
import zlib
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from geneticpy import (
    ArgumentError,
    ChoiceDistribution,
    EvaluationWarning,
    ListDistribution,
    Optimizer,
    UniformDistribution,
    optimize,
)

SPACE = {
    "x": UniformDistribution(0, 1),
    "list": ListDistribution(UniformDistribution(0, 9, q=1), min_size=0, max_size=3),
    "arm": ChoiceDistribution([{"a": UniformDistribution(0, 1)}, "b"]),
}
GIVEN = {"size": 20, "generation_count": 3, "seed": 5, "surrogate": False}


def make_loss():
    """Return a loss that is pickled by value, fails at times, and ends out of order."""

    def loss(params):
        value = zlib.crc32(repr(params).encode()) / 2**32
        time.sleep(value * 0.002)
        if value > 0.9:
            raise ValueError("large")
        return float("nan") if value > 0.8 else value

    return loss


def fingerprint(result):
    """Return everything that a run is, but the time it took."""
    history = result.history
    columns = (history.id, history.generation, history.genes, history.loss, history.parents)
    return [column.tobytes() for column in columns] + [
        history.species.tolist(),
        history.error,
        repr(result.best_params),
        result.loss,
        result.message,
    ]


def run(fn=None, **options):
    with pytest.warns(EvaluationWarning):
        return fingerprint(optimize(fn or make_loss(), SPACE, **GIVEN | options))


@pytest.fixture(scope="module")
def in_one_thread():
    return {batch: run(batch=batch) for batch in (1, 5, 8)}


@pytest.mark.parametrize("batch", [1, 5, 8])
@pytest.mark.parametrize("workers", ["threads:1", "threads:2", "threads:8", "threads"])
def test_threads(in_one_thread, workers, batch):
    assert run(workers=workers, batch=batch) == in_one_thread[batch]


@pytest.mark.parametrize(("workers", "batch"), [(1, 5), (2, 8), (8, 8)])
def test_processes(in_one_thread, workers, batch):
    assert run(workers=workers, batch=batch) == in_one_thread[batch]


def test_executors_and_maps(in_one_thread):
    with ThreadPoolExecutor(3) as threads:
        assert run(executor=threads, batch=8) == in_one_thread[8]
        assert run(executor=threads.map, batch=8) == in_one_thread[8]
    assert run(executor=map, batch=8) == in_one_thread[8]


def test_a_model_that_screens_makes_no_difference():
    options = {"surrogate": True, "batch": 5}
    assert run(workers="threads:3", **options) == run(**options)


def test_batch_is_five_or_the_number_of_workers():
    fn = make_loss()
    assert run(fn, workers="threads:2") == run(fn)  # so a few workers change nothing
    assert run(fn, workers="threads:8") == run(fn, batch=8) != run(fn)


def test_a_dead_worker_makes_no_difference(tmp_path):
    trace = str(tmp_path / "trace")

    def dying(params):
        import os

        if params["x"] < 0.3 and not os.path.exists(trace):
            open(trace, "w").close()
            os._exit(1)
        return params["x"]

    with_death = optimize(dying, SPACE, **GIVEN, workers=2)
    assert (tmp_path / "trace").exists()
    assert fingerprint(with_death) == fingerprint(
        optimize(lambda params: params["x"], SPACE, **GIVEN)
    )


# What ends runs


@pytest.mark.parametrize(
    "rule",
    [
        {"max_evaluations": 33},
        {"patience": 1},
        {"terminator": lambda progress: "enough" if progress.evaluations > 30 else ""},
        {"callback": lambda progress: progress.generation == 2},
        {"on_error": "raise"},
    ],
)
@pytest.mark.parametrize("how", ["processes", "threads", "executor", "map"])
def test_callbacks_and_rules_that_stop_a_run_are_the_same(how, rule):
    def told(**workers):
        seen = []

        def callback(progress):
            seen.append((progress.generation, progress.evaluations, progress.loss))
            return rule.get("callback", lambda progress: False)(progress)

        given = {**GIVEN, **rule, "callback": callback, "batch": 5}
        try:
            result = optimize(make_loss(), SPACE, **given, **workers)
        except ValueError as error:
            assert rule == {"on_error": "raise"}
            return seen, str(error), error.result.evaluations
        return seen, fingerprint(result)

    with ThreadPoolExecutor(2) as threads, warnings.catch_warnings():
        warnings.simplefilter("ignore", EvaluationWarning)
        workers = {
            "processes": {"workers": 1},
            "threads": {"workers": "threads:1"},
            "executor": {"executor": threads},
            "map": {"executor": threads.map},
        }[how]
        alone, together = told(), told(**workers)
    if rule == {"on_error": "raise"}:  # others may have ended beside the one that failed
        alone, together = alone[:2], together[:2]
    assert together == alone


# Random numbers for the loss


def noisy(params, rng):
    return params["x"] + rng.normal()


def test_random_numbers_are_the_same_everywhere():
    def loss(params, rng):
        return params["x"] + rng.normal()

    async def coroutine(params, rng):
        await asyncio.sleep(0)
        return params["x"] + rng.normal()

    plain = fingerprint(optimize(loss, SPACE, **GIVEN, batch=5))
    with ThreadPoolExecutor(2) as threads:
        others = [
            optimize(loss, SPACE, **GIVEN, batch=5, workers=2),
            optimize(loss, SPACE, **GIVEN, batch=5, workers="threads:3"),
            optimize(loss, SPACE, **GIVEN, batch=5, executor=threads),
            optimize(loss, SPACE, **GIVEN, batch=5, executor=map),
            optimize(coroutine, SPACE, **GIVEN, batch=5),
        ]
    assert all(fingerprint(other) == plain for other in others)


def test_random_numbers_of_evaluations_are_independent_and_those_of_the_seed():
    def draws(seed, **options):
        result = optimize(
            lambda params, rng: rng.random(), SPACE, size=50, generation_count=0, seed=seed
        )
        return result.history.loss.tolist()

    one, again, other = draws(1), draws(1), draws(2)
    assert one == again
    assert not set(one) & set(other)
    assert len(set(one)) == 50
    assert len(set(draws(np.random.default_rng(1))) & set(one)) == 50


def test_a_generator_that_goes_on_gives_other_random_numbers():
    rng = np.random.default_rng(1)
    one, two = (
        optimize(lambda params, rng: rng.random(), SPACE, size=9, generation_count=0, seed=rng)
        for _ in range(2)
    )
    assert not set(one.history.loss) & set(two.history.loss)


def test_a_loss_that_asks_for_nothing_searches_as_before():
    asked = Optimizer(SPACE, **GIVEN).ask(5)
    result = optimize(lambda params: 0.0, SPACE, **GIVEN, batch=5)
    assert result.history.genes[:5].tolist() == asked.genes.tolist()


class Method:
    def loss(self, params, rng):
        return rng.random()


@pytest.mark.parametrize(
    ("fn", "gets"),
    [
        (lambda params, rng: rng.random(), True),
        (lambda params, other: other.random(), True),
        (lambda params, rng=None: 0.0 if rng is None else rng.random(), True),
        (lambda params, *, rng: rng.random(), True),
        (lambda params, scale=1, rng=None: 0.0 if rng is None else rng.random(), True),
        (Method().loss, True),
        (lambda params, scale=0.0: scale, False),
        (lambda params, *rest, **more: float(len(rest) + len(more)), False),
        (lambda rng: 0.0, False),
    ],
)
def test_who_gets_random_numbers(fn, gets):
    losses = optimize(fn, SPACE, size=5, generation_count=0, seed=1).history.loss
    assert len(set(losses)) == (5 if gets else 1)
    assert gets or losses[0] == 0


def test_vectorized_losses_get_none():
    with pytest.raises(ArgumentError, match="must take columns only"):
        optimize(noisy, SPACE, vectorized=True)


def test_a_process_pool_of_the_user(in_one_thread):
    with ProcessPoolExecutor(2) as processes:
        assert run(executor=processes, batch=8) == in_one_thread[8]
        assert run(executor=processes.map, batch=8) == in_one_thread[8]
