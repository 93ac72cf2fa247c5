"""Same seed, same run, bit for bit."""

import os
import random
import subprocess
import sys
import textwrap
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from geneticpy import (
    ChoiceDistribution,
    ExponentialDistribution,
    GaussianDistribution,
    ListDistribution,
    LogUniformDistribution,
    PermutationDistribution,
    SubsetDistribution,
    UniformDistribution,
    optimize,
)

ROOM = {
    "rate": LogUniformDistribution(1e-5, 1e-1),
    "noise": GaussianDistribution(0, 1, low=-2, high=2),
    "layers": ListDistribution(
        {"units": LogUniformDistribution(4, 64, q=1), "kind": ChoiceDistribution(["a", "b", "c"])},
        min_size=1,
        max_size=4,
    ),
    "optimizer": ChoiceDistribution([{"name": "sgd", "m": UniformDistribution(0, 1)}, "adam"]),
    "order": PermutationDistribution(["p", "q", "r", "s"]),
    "parts": SubsetDistribution(range(6), min_size=1, max_size=3),
    "wait": ExponentialDistribution(2.0, q=0.5),
}


def scattered(params):
    """Return a loss without any structure, in [0, 1]."""
    return zlib.crc32(repr(params).encode()) / 2**32


def fingerprint(result):
    """Return everything that a run is, but the time it took."""
    history = result.history
    columns = (history.id, history.generation, history.genes, history.loss, history.parents)
    return [column.tobytes() for column in columns] + [
        history.species.tolist(),
        repr(result.best_params),
        result.loss,
        result.message,
    ]


@pytest.mark.parametrize(("size", "surrogate"), [(30, False), (10, True)])
def test_same_seed_gives_the_same_run_and_another_seed_another(size, surrogate):
    one, two, other = (
        fingerprint(
            optimize(
                scattered, ROOM, size=size, generation_count=6, seed=seed, surrogate=surrogate
            )
        )
        for seed in (7, 7, 8)
    )
    assert one == two
    assert one[2] != other[2]


@pytest.mark.parametrize(
    "make_seed",
    [
        lambda: 5,
        lambda: np.int64(5),
        lambda: [1, 2, 3],
        lambda: np.random.SeedSequence(5),
        lambda: np.random.PCG64(5),
        lambda: np.random.Generator(np.random.Philox(5)),
    ],
)
def test_every_kind_of_seed_is_repeatable(make_seed):
    runs = [optimize(scattered, ROOM, size=10, seed=make_seed()) for _ in range(2)]
    assert fingerprint(runs[0]) == fingerprint(runs[1])


def test_a_generator_goes_on_from_where_it_was():
    rng = np.random.default_rng(5)
    first, second = (optimize(scattered, ROOM, size=10, seed=rng) for _ in range(2))
    assert fingerprint(first)[2] != fingerprint(second)[2]
    assert fingerprint(first) == fingerprint(optimize(scattered, ROOM, size=10, seed=5))


def test_without_a_seed_runs_differ():
    one, two = (optimize(scattered, ROOM, size=10, generation_count=0) for _ in range(2))
    assert one.history.genes.tobytes() != two.history.genes.tobytes()


@pytest.mark.parametrize("seed", [3, None])
def test_global_random_numbers_are_left_alone(seed):
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - the state that must not change
    before = random.getstate(), str(np.random.get_state())  # noqa: NPY002
    optimize(scattered, ROOM, size=10, seed=seed)
    assert (random.getstate(), str(np.random.get_state())) == before  # noqa: NPY002


def test_global_random_numbers_do_not_matter():
    def noisy(params):
        random.seed(len(runs))
        np.random.rand(3)  # noqa: NPY002 - what a loss may do
        return scattered(params)

    runs = []
    for _ in range(2):
        np.random.seed(len(runs))  # noqa: NPY002
        runs.append(fingerprint(optimize(noisy, ROOM, size=10, seed=3)))
    assert runs[0] == runs[1]


def test_the_path_depends_on_the_batch_but_a_batch_of_its_own_size_is_repeatable():
    def run(batch):
        return fingerprint(optimize(scattered, ROOM, size=10, seed=3, batch=batch))

    assert run(1) == run(1)
    assert run(1)[2] != run(5)[2]


def test_runs_in_threads_do_not_disturb_each_other():
    def run(seed):
        return fingerprint(optimize(scattered, ROOM, size=8, generation_count=4, seed=seed))

    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(run, range(3)))
    assert together == [run(seed) for seed in range(3)]


PROGRAM = """
    import hashlib, sys
    sys.path.insert(0, {folder!r})
    from test_determinism import ROOM, fingerprint, optimize, scattered
    run = fingerprint(optimize(scattered, ROOM, size=20, seed=11))
    print(hashlib.sha256(repr(run).encode()).hexdigest())
"""


def test_the_hash_seed_of_the_process_does_not_matter():
    program = textwrap.dedent(PROGRAM.format(folder=os.path.dirname(__file__)))
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("0", "12345")
    }
    assert len(digests) == 1
    assert len(digests.pop()) == 65


def test_order_of_keys_is_that_of_the_space():
    keys = [f"key{i}" for i in np.random.default_rng(0).permutation(20)]
    space = {key: UniformDistribution(0, 1) for key in keys}
    seen = []
    optimize(lambda params: seen.append(list(params)) or 0.0, space, size=3, generation_count=1)
    assert all(order == keys for order in seen)
